/*
 * The simulated camera of the tests of RTP time.
 */
#include "config.h"

#include "tests/rtp_camera.h"

#include <stdlib.h>

void
camera_init(struct camera *camera)
{
	if (camera->rate == 0)
		camera->rate = 90000;
	camera->random = 1;
	rtp_clock_init(&camera->clock, camera->rate);
}

uint32_t
camera_random(struct camera *camera)
{
	camera->random = camera->random * 1664525u + 1013904223u;
	return camera->random >> 8;
}

uint32_t
camera_ticks(const struct camera *camera, int64_t t)
{
	long double ticks = (long double)t * camera->rate / 1e9L;

	ticks += ticks * (long double)camera->drift_ppm / 1e6L;
	return camera->first + (uint32_t)(int64_t)ticks;
}

int64_t
camera_wall(const struct camera *camera, int64_t t)
{
	return START + t + camera->offset_ns;
}

uint64_t
camera_ntp(int64_t realtime_ns)
{
	int64_t s = realtime_ns / S, rest = realtime_ns % S;

	if (rest < 0) {
		s--;
		rest += S;
	}
	return (uint64_t)(s + 2208988800) << 32 | (((uint64_t)rest << 32) / (uint64_t)S);
}

void
camera_frame(struct camera *camera, int64_t t)
{
	(void)rtp_clock_stream_ns(&camera->clock, camera_ticks(camera, t));
}

void
camera_report(struct camera *camera, int64_t t)
{
	int64_t delay_ns =
	    camera->delay_ns > 0 ? camera_random(camera) % (camera->delay_ns / 1000) * 1000 : 0;
	uint32_t ticks = camera_ticks(camera, camera->is_careless ? t - t % FRAME : t);

	rtp_clock_on_report(&camera->clock, camera_ntp(camera_wall(camera, t)),
			    ticks + camera->report_error, START + t + delay_ns);
}

int64_t
camera_error(const struct camera *camera, int64_t t)
{
	int64_t captured = 0;
	bool is_synced;

	ck_assert(
	    rtp_clock_captured(&camera->clock, camera_ticks(camera, t), &captured, &is_synced));
	return captured - camera_wall(camera, t);
}

bool
camera_is_known(const struct camera *camera, int64_t t)
{
	int64_t captured = -77;
	bool is_synced = true, is_known;

	is_known =
	    rtp_clock_captured(&camera->clock, camera_ticks(camera, t), &captured, &is_synced);
	if (!is_known)
		ck_assert(captured == -77 && is_synced);
	return is_known;
}

int64_t
camera_run(struct camera *camera, int64_t from, int64_t to)
{
	int64_t worst = 0;

	for (int64_t t = from; t < to; t += FRAME) {
		int64_t error;

		camera_frame(camera, t);
		if (t % (5 * S) == 0)
			camera_report(camera, t + 7 * MS);
		if (!camera_is_known(camera, t)) {
			worst = INT64_MAX;
			continue;
		}
		error = llabs(camera_error(camera, t));
		if (error > worst)
			worst = error;
	}
	return worst;
}
