/*
 * The current GOP: the key frame, what followed it, and the configuration before it, as whole bus
 * messages, bounded in bytes. A GOP that grows beyond is not kept at all until the next key frame.
 */
#ifndef CAMHUB_PUBLISH_WRK_GOP_H
#define CAMHUB_PUBLISH_WRK_GOP_H

#include <stdbool.h>
#include <stddef.h>

struct bus_msg;
struct wrk_gop;

/* max_bytes: headers and payloads together; 0 keeps nothing ever. */
struct wrk_gop *wrk_gop_new(size_t max_bytes);
void wrk_gop_free(struct wrk_gop **gop); /* NULL-safe */

/* Forget what is there and begin anew. What is added before the first wrk_gop_begin() is not kept.
 */
void wrk_gop_begin(struct wrk_gop *gop);
/* Keeps a reference when it fits. */
void wrk_gop_add(struct wrk_gop *gop, struct bus_msg *msg);
/* Whether the next wrk_gop_add() of len payload bytes would keep it: no need to make a message if
 * not. */
bool wrk_gop_would_keep(const struct wrk_gop *gop, size_t len);
/* Something that belongs to this GOP cannot be kept: it is broken until the next key frame. */
void wrk_gop_spoil(struct wrk_gop *gop);

/* Whether there is a GOP, whole from its key frame to now. */
bool wrk_gop_is_whole(const struct wrk_gop *gop);
/* Whether there would be one, had it not become too long. */
bool wrk_gop_is_too_long(const struct wrk_gop *gop);
size_t wrk_gop_bytes(const struct wrk_gop *gop);
size_t wrk_gop_count(const struct wrk_gop *gop);
struct bus_msg *wrk_gop_at(const struct wrk_gop *gop, size_t index); /* borrowed */

#endif
