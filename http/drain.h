/*
 * A front that was replaced: it accepts nobody any more, keeps the viewers it has, and leaves when
 * the last of its connections has ended.
 */
#ifndef CAMHUB_HTTP_DRAIN_H
#define CAMHUB_HTTP_DRAIN_H

#include <stdint.h>

struct drain;
struct front;

/*
 * From now on the front's listeners are closed (others have copies of them: nobody is refused) and
 * each answer is the last on its connection. The loop ends, with CHILD_EXIT_ASKED, when no
 * connection is left, in deadline_ms at the latest. Returns front->drain; once only.
 */
struct drain *drain_new(struct front *front, int64_t deadline_ms);
void drain_free(struct drain **drain); /* NULL-safe */

#endif
