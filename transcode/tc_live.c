/*
 * Decides for each decoded picture: made, left out, a key frame or not.
 */
#include "config.h"

#include "transcode/tc_live.h"

#include "shared/xalloc.h"
#include "transcode/tc_decoder.h"
#include "transcode/tc_encoder.h"
#include "transcode/tc_size.h"

#include <libavcodec/avcodec.h>

#define STEP_MAX_NS (4 * TC_INTERVAL_MIN_NS) /* a pause says no more than this of the rate */
#define STEP_WEIGHT 16

struct tc_live {
	const struct tc_live_ops *ops;
	void *arg;
	struct tc_decoder *decoder;
	struct tc_encoder *encoder;
	size_t n_waiting;
	bool has_made, is_key_due, is_jump_due;
	int64_t made_pts_ns, key_pts_ns;   /* of the latest picture, of the latest key frame */
	int64_t seen_pts_ns, mean_step_ns; /* of all, made or not */
	int64_t made_ns;
	uint64_t dropped, thinned;
	int rc; /* of the encoder */
};

/* From one time of the source to another. Times may be anything: -1, as for a jump, when the
 * difference cannot be. */
static int64_t
step_ns(int64_t from_ns, int64_t to_ns)
{
	int64_t step;

	return __builtin_sub_overflow(to_ns, from_ns, &step) ? -1 : step;
}

/* A running average: single times may be uneven. */
static void
note_step(struct tc_live *live, const struct tc_stamp *stamp)
{
	int64_t step = step_ns(live->seen_pts_ns, stamp->pts_ns);

	live->seen_pts_ns = stamp->pts_ns;
	if (step < 0 || stamp->is_jump || !live->has_made)
		return;
	if (step > STEP_MAX_NS)
		step = STEP_MAX_NS;
	live->mean_step_ns += (step - live->mean_step_ns) / STEP_WEIGHT;
}

/* Soon after the one before, in a stream that has more than we make. */
static bool
is_too_soon(const struct tc_live *live, const struct tc_stamp *stamp)
{
	int64_t since_ns = step_ns(live->made_pts_ns, stamp->pts_ns);

	return live->has_made && !live->is_jump_due && since_ns >= 0 &&
	       since_ns < TC_INTERVAL_MIN_NS && live->mean_step_ns < TC_INTERVAL_MIN_NS;
}

static bool
is_too_late(const struct tc_live *live)
{
	return live->has_made && live->n_waiting > TC_LIVE_WAITING_MAX &&
	       live->ops->now_ns(live->arg) - live->made_ns < TC_LIVE_SHOW_NS;
}

static bool
wants_key(const struct tc_live *live, const struct tc_stamp *stamp)
{
	int64_t since_ns = step_ns(live->key_pts_ns, stamp->pts_ns);

	if (!live->has_made || since_ns < 0 || since_ns >= TC_LIVE_KEY_MAX_NS || stamp->is_jump)
		return true;
	return live->is_key_due && since_ns >= TC_LIVE_KEY_MIN_NS;
}

static void
make(struct tc_live *live, const AVFrame *frame, const struct tc_stamp *stamp)
{
	struct tc_stamp made = *stamp;
	AVPacket *packet = NULL;

	made.is_jump = live->is_jump_due;
	live->rc = tc_encoder_push(live->encoder, frame, stamp, wants_key(live, &made), &packet);
	if (live->rc < 0)
		return;
	made.is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
	if (made.is_key) {
		live->is_key_due = false;
		live->key_pts_ns = stamp->pts_ns;
	}
	live->has_made = true;
	live->is_jump_due = false;
	live->made_pts_ns = stamp->pts_ns;
	live->made_ns = live->ops->now_ns(live->arg);
	live->ops->unit(live->arg, packet, &made);
}

static void
on_picture(void *arg, AVFrame *frame, const struct tc_stamp *stamp)
{
	struct tc_live *live = arg;

	live->is_key_due |= stamp->is_key;
	live->is_jump_due |= stamp->is_jump;
	note_step(live, stamp);
	if (stamp->is_behind || live->rc < 0)
		return;
	if (is_too_soon(live, stamp))
		live->thinned++;
	else if (is_too_late(live))
		live->dropped++;
	else
		make(live, frame, stamp);
}

int
tc_live_new(const struct tc_live_ops *ops, void *arg, struct tc_live **live)
{
	struct tc_live *new_live = xcalloc(1, sizeof(*new_live));
	int rc;

	new_live->ops = ops;
	new_live->arg = arg;
	new_live->mean_step_ns = TC_INTERVAL_MIN_NS;
	new_live->encoder = tc_encoder_new();
	rc = tc_decoder_new(on_picture, new_live, &new_live->decoder);
	if (rc < 0) {
		tc_live_free(&new_live);
		return rc;
	}
	*live = new_live;
	return 0;
}

void
tc_live_free(struct tc_live **live)
{
	if (*live == NULL)
		return;
	tc_decoder_free(&(*live)->decoder);
	tc_encoder_free(&(*live)->encoder);
	free(*live);
	*live = NULL;
}

int
tc_live_push(struct tc_live *live, AVPacket *packet, const struct tc_stamp *stamp, bool is_start,
	     size_t n_waiting)
{
	live->n_waiting = n_waiting;
	live->rc = 0;
	if (is_start)
		tc_decoder_restart(live->decoder);
	/* What a camera sends may be damaged: that is no reason to end. */
	if (tc_decoder_push(live->decoder, packet, stamp) < 0)
		live->is_jump_due |= stamp->is_jump;
	return live->rc < 0 ? live->rc : 0;
}

uint64_t
tc_live_dropped(const struct tc_live *live)
{
	return live->dropped;
}

uint64_t
tc_live_thinned(const struct tc_live *live)
{
	return live->thinned;
}
