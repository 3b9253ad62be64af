/*
 * For tests of viewers of one camera, `door`.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_VIEWER_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_VIEWER_RIG_H

#include "tests/check_http_rig.h"

#define MSE "{\"value\":\"avc1.640029,mp4a.40.2\",\"type\":\"mse\"}"

/* `door` is up. config: as rig_start(). */
struct rig *start_door(struct loop *loop, json_t *config);
/* The supervisor is told whether `door` is wanted. */
void expect_want(struct rig *rig, bool on);
/* The next message is one fragment that continues at *time. */
void expect_fragment(struct peer *browser, uint64_t *time, bool key);
/* The next message is an init segment. */
void expect_init(struct peer *browser);
/* The page is told the codec, and gets the init segment. */
void expect_mse_start(struct peer *browser);

#endif
