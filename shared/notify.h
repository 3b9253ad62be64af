/*
 * systemd's notification and socket activation protocols (sd_notify(3), sd_listen_fds(3)), by hand.
 */
#ifndef CAMHUB_SHARED_NOTIFY_H
#define CAMHUB_SHARED_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

/* Send one or more "KEY=VALUE\n" lines to $NOTIFY_SOCKET (path or abstract). 0 also when there is
 * none. */
int notify_send(const char *state);
/* Half of $WATCHDOG_USEC in ms when it is meant for this process, else 0. */
int64_t notify_watchdog_ms(void);
/* Inherited listeners: fds[0..n) set CLOEXEC, $LISTEN_* removed from the environment. Returns n. */
size_t notify_listen_fds(int *fds, size_t max);
/* Forget $NOTIFY_SOCKET, $WATCHDOG_*, for children. Call after reading them. */
void notify_clear_environment(void);

#endif
