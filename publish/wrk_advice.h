/*
 * What the stream itself shows that people should change in the camera, in words. Watches frames as
 * they come and the input's report once a second.
 */
#ifndef CAMHUB_PUBLISH_WRK_ADVICE_H
#define CAMHUB_PUBLISH_WRK_ADVICE_H

#include "publish/wrk_input.h"

#define WRK_ADVICE_MAX       8 /* texts at once */
#define WRK_ADVICE_BYTES     256
#define WRK_ADVICE_INTERVALS 128
#define WRK_ADVICE_GOPS      8
#define WRK_ADVICE_TICKS     61 /* a minute and the one before it */

/* All zero: nothing seen. */
struct wrk_advice {
	int64_t last_ns;                            /* of the last frame, stream clock */
	int64_t intervals_ns[WRK_ADVICE_INTERVALS]; /* between frames, a ring */
	size_t n_intervals;                         /* ever */
	int64_t gops_ns[WRK_ADVICE_GOPS];           /* whole ones, a ring */
	size_t n_gops;                              /* ever */
	int64_t gop_start_ns;
	bool has_frame, has_gop; /* last_ns, gop_start_ns are known */
	struct wrk_advice_tick {
		int64_t at_ns;
		uint64_t packets, lost;
	} ticks[WRK_ADVICE_TICKS];
	size_t n_ticks;
};

/* A frame in decoding order. is_gap: its time does not follow the frame before, or frames between
 * them may be missing. */
void wrk_advice_frame(struct wrk_advice *advice, int64_t dts_ns, bool is_key, bool is_gap);
/* Once a second or so; what comes sooner is passed over. */
void wrk_advice_tick(struct wrk_advice *advice, int64_t now_ns,
		     const struct wrk_input_report *report);

/* What others know already. */
struct wrk_advice_facts {
	bool is_video; /* with key frames and others: not MJPEG */
	bool has_b_frames;
	bool is_gop_too_large; /* to be kept for viewers that join */
	const struct wrk_input_report *report;
};

/* Returns how many texts were written, the most important first. */
size_t wrk_advice_texts(const struct wrk_advice *advice, const struct wrk_advice_facts *facts,
			char texts[WRK_ADVICE_MAX][WRK_ADVICE_BYTES]);

#endif
