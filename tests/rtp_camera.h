/*
 * A simulated camera for the tests of RTP time: an oscillator that drifts, a wall clock that can be
 * set, reports that arrive late or are careless. What its wall clock shows when a picture is taken
 * is what must come out. All times are ns since the session began.
 */
#ifndef CAMHUB_TESTS_RTP_CAMERA_H
#define CAMHUB_TESTS_RTP_CAMERA_H

#include "media/rtp_clock.h"
#include "tests/media_data.h"

#define MS    INT64_C(1000000)
#define S     INT64_C(1000000000)
#define START (1795392000 * S) /* our wall clock when the session begins, 2026-11-23 */
#define FRAME (40 * MS)
#define HOUR  (3600 * S)

struct camera {
	uint32_t rate, first;  /* Hz, timestamp at time 0 */
	int64_t drift_ppm;     /* of its RTP ticks against its wall clock */
	int64_t offset_ns;     /* of its wall clock from ours */
	int64_t delay_ns;      /* network, at most; varies */
	uint32_t report_error; /* ticks that its reports are wrong by */
	bool is_careless;      /* reports carry the timestamp of the frame before */
	uint32_t random;
	struct rtp_clock clock;
};

void camera_init(struct camera *camera);
uint32_t camera_random(struct camera *camera);
uint32_t camera_ticks(const struct camera *camera, int64_t t);
int64_t camera_wall(const struct camera *camera, int64_t t);
/* RFC 5905 6: seconds since 1900, modulo eras. */
uint64_t camera_ntp(int64_t realtime_ns);
void camera_frame(struct camera *camera, int64_t t);
void camera_report(struct camera *camera, int64_t t);
/* How far the time told for the picture of t is from the camera's; it must be known. */
int64_t camera_error(const struct camera *camera, int64_t t);
/* What is not known must leave the out-parameters alone. */
bool camera_is_known(const struct camera *camera, int64_t t);
/* Frames and, each 5 s, a report, from a time up to before another. Returns the largest error of a
 * frame; INT64_MAX when one was not known. */
int64_t camera_run(struct camera *camera, int64_t from, int64_t to);

#define CAMERA_NEAR(value, limit)                                                                  \
	do {                                                                                       \
		int64_t near_value = (value);                                                      \
                                                                                                   \
		ck_assert_int_le(near_value, limit);                                               \
		ck_assert_int_ge(near_value, -(limit));                                            \
	} while (0)

#endif
