/*
 * A descriptor watched in the worker's loop, for inputs that wake it from a thread.
 */
#ifndef CAMHUB_PUBLISH_WRK_WATCH_EV_H
#define CAMHUB_PUBLISH_WRK_WATCH_EV_H

struct event_base;
struct wrk_watch;

/* cb runs in the loop whenever fd is readable (level triggered). fd stays the caller's. */
struct wrk_watch *wrk_watch_new(struct event_base *base, int fd, void (*cb)(void *arg), void *arg);
void wrk_watch_free(struct wrk_watch **watch); /* NULL-safe; also from within cb */

#endif
