/*
 * Sliding windows over frames and seconds.
 */
#include "config.h"

#include "publish/wrk_meter.h"

#include "shared/clock.h"

#include <string.h>

#define SILENT_AFTER_NS (3 * NS_PER_S)

static void
note_time(struct wrk_meter *meter, int64_t dts_ns)
{
	if (meter->times == WRK_METER_TIMES) {
		memmove(meter->times_ns, meter->times_ns + 1,
			(WRK_METER_TIMES - 1) * sizeof(meter->times_ns[0]));
		meter->times--;
	}
	meter->times_ns[meter->times++] = dts_ns;
}

static double
window_fps(const struct wrk_meter *meter)
{
	if (meter->times < 2)
		return 0;
	return (double)(meter->times - 1) * (double)NS_PER_S /
	       (double)(meter->times_ns[meter->times - 1] - meter->times_ns[0]);
}

void
wrk_meter_frame(struct wrk_meter *meter, int64_t dts_ns, int64_t arrived_ns, size_t len,
		bool is_key, bool is_jump)
{
	meter->frames++;
	meter->bytes += len;
	meter->last_arrived_ns = arrived_ns;
	if (is_jump || (meter->times > 0 && dts_ns <= meter->times_ns[meter->times - 1]))
		meter->times = 0;
	note_time(meter, dts_ns);
	if (meter->times == WRK_METER_TIMES)
		meter->last_fps = window_fps(meter);
	if (is_key) {
		if (meter->has_key)
			meter->gop_frames = meter->gop_so_far;
		meter->has_key = true;
		meter->gop_so_far = 0;
	}
	meter->gop_so_far++;
}

void
wrk_meter_tick(struct wrk_meter *meter, int64_t now_ns)
{
	if (meter->n_ticks == WRK_METER_TICKS + 1) {
		memmove(meter->ticks, meter->ticks + 1, WRK_METER_TICKS * sizeof(meter->ticks[0]));
		meter->n_ticks--;
	}
	meter->ticks[meter->n_ticks++] = (struct wrk_meter_tick){ now_ns, meter->bytes };
}

double
wrk_meter_fps(const struct wrk_meter *meter, int64_t now_ns)
{
	if (meter->times == 0 || now_ns - meter->last_arrived_ns > SILENT_AFTER_NS)
		return 0;
	if (meter->last_fps > 0 && meter->times < WRK_METER_TIMES)
		return meter->last_fps;
	return window_fps(meter);
}

int64_t
wrk_meter_bitrate_bps(const struct wrk_meter *meter)
{
	const struct wrk_meter_tick *first, *last;

	if (meter->n_ticks < 2)
		return 0;
	first = &meter->ticks[0];
	last = &meter->ticks[meter->n_ticks - 1];
	if (last->at_ns <= first->at_ns)
		return 0;
	return (int64_t)((double)(last->bytes - first->bytes) * 8 * (double)NS_PER_S /
			 (double)(last->at_ns - first->at_ns));
}

int64_t
wrk_meter_silence_ms(const struct wrk_meter *meter, int64_t now_ns)
{
	if (meter->last_arrived_ns == 0)
		return -1;
	return now_ns > meter->last_arrived_ns ? (now_ns - meter->last_arrived_ns) / NS_PER_MS : 0;
}
