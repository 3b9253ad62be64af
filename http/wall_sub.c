/*
 * Which stream a subscription shows, and when it changes.
 */
#include "config.h"

#include "http/wall_sub.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>

/* Of one turn. */
#define TURN_ENTRIES 8
#define TURN_BYTES   (32u << 10)

static const char *const format_names[] = { "wall/unit", "wall/fmp4", "wall/jpeg" };

static void
ready(struct sub *sub)
{
	if (sub->is_ready || sub->ended)
		return;
	sub->is_ready = true;
	TAILQ_INSERT_TAIL(&sub->wall->ready, sub, in_ready);
}

static void
unready(struct sub *sub)
{
	if (sub->is_ready)
		TAILQ_REMOVE(&sub->wall->ready, sub, in_ready);
	sub->is_ready = false;
}

/* Streams */

static enum cursor_mode
mode_of(enum wall_form form)
{
	return form == WALL_JPEG ? CURSOR_NEWEST : CURSOR_FRAMES;
}

/* What comes next is what is shown from here on, on the same line of time. */
static void
promote(struct sub *sub)
{
	struct cursor *old = sub->now;
	const struct stream *before = old->stream;

	sub->now = sub->next;
	sub->next = old;
	sub->form = sub->next_form;
	sub->now->next_time = old->next_time;
	sub->now->skipped_frames = old->skipped_frames;
	sub->now->skipped_ms = old->skipped_ms;
	cursor_sound_follow(sub->now, old);
	sub->state_due = sub->state_due || before != sub->now->stream;
	cursor_leave(old);
	ready(sub);
}

static void
set_next(struct sub *sub, const struct wall_choice *choice)
{
	struct cursor *next = sub->next;

	cursor_leave(next);
	cursor_init(next, sub->viewer_id, next->ops, sub);
	cursor_enter(next, choice->stream);
	next->format = format_names[choice->form];
	sub->next_form = choice->form;
	cursor_set_mode(next, sub->paused ? CURSOR_IDLE : mode_of(choice->form));
	ready(sub);
}

/* at_once: what is shown now cannot go on. anew: it shall begin again, though it is the same. */
static void
watch(struct sub *sub, const struct wall_choice *choice, bool at_once, bool anew)
{
	const struct cursor *now = sub->now;

	if (!anew && now->stream == choice->stream && sub->form == choice->form) {
		cursor_leave(sub->next);
		return;
	}
	if (anew || sub->next->stream != choice->stream || sub->next_form != choice->form)
		set_next(sub, choice);
	if (at_once || sub->paused || !now->joined)
		promote(sub);
}

static void
fail_for(struct sub *sub, int error)
{
	const struct stream *stream = stream_find(sub->wall->front, sub->want.src);

	if (error == -ENOENT)
		sub_fail(sub, "not-found", "stream not found");
	else if (stream != NULL && stream->kind == STREAM_KIND_JPEG)
		sub_fail(sub, "codec", "the camera delivers MJPEG: jpeg is not among forms");
	else if (stream != NULL && strcmp(stream->codec, "h265") == 0)
		sub_fail(sub, "codec", "the camera delivers H.265, which is not among codecs");
	else
		sub_fail(sub, "codec", "nothing that the camera has is among codecs and forms");
}

/* What is shown now turned out not to fit, or is gone. */
static void
choose_again(struct sub *sub)
{
	const struct stream *stream = sub->now->stream;
	struct wall_choice choice;
	int rc = wall_choose(sub->wall->front, &sub->want, &choice);

	if (rc == 0 && choice.stream == stream)
		rc = -ENOTSUP;
	if (rc < 0)
		fail_for(sub, rc);
	else
		watch(sub, &choice, true, false);
}

/* Whether the client can have this entry; the form may turn out to be another. */
static bool
accept_form(struct sub *sub, const struct hub_entry *entry, struct cursor *cursor,
	    enum wall_form *form)
{
	enum wall_form right;

	if (!wall_form_for(&sub->want, entry, &right))
		return false;
	if (mode_of(right) != mode_of(*form))
		cursor_set_mode(cursor, mode_of(right));
	*form = right;
	cursor->format = format_names[right];
	return true;
}

/* The change that waits: now, not yet, or never. */
static void
check_next(struct sub *sub)
{
	const struct hub_entry *first = cursor_first(sub->next);
	struct wall_choice choice;

	if (first == NULL)
		return;
	if (accept_form(sub, first, sub->next, &sub->next_form)) {
		promote(sub);
		return;
	}
	if (wall_choose(sub->wall->front, &sub->want, &choice) == 0 &&
	    choice.stream != sub->next->stream)
		watch(sub, &choice, false, false);
	else
		cursor_leave(sub->next);
}

/* Cursors */

static void
pump(struct sub *sub)
{
	ready(sub);
	link_pump(&sub->wall->link);
}

static void
on_frames(void *arg)
{
	struct sub *sub = arg;

	ready(sub);
	link_pump_in_turn(&sub->wall->link);
}

static void
on_state(void *arg)
{
	struct sub *sub = arg;

	sub->state_due = true;
	pump(sub);
}

static void
on_result(void *arg, struct overlay_item *item)
{
	struct sub *sub = arg;
	struct wall *wall = sub->wall;

	if (sub->paused && !sub->listens)
		return;
	/* Of what is shown, not of what is about to be. */
	if (sub->now->stream != item->stream || !pass_may_see(&wall->pass, item->stream->name))
		return;
	if (overlay_put(&sub->overlay, wall->front, &wall->link, item))
		link_pump(&wall->link);
}

static void
on_gone(void *arg)
{
	struct sub *sub = arg;

	if (sub->now->stream == NULL && sub->next->stream != NULL)
		promote(sub);
	else if (sub->now->stream == NULL)
		choose_again(sub);
	link_pump(&sub->wall->link);
}

/* Turns */

/* NULL: nothing more now. Another form may be read in another order, in which another entry is the
 * next. */
static struct hub_entry *
next_entry(struct sub *sub)
{
	for (int i = 0; i < 2; i++) {
		enum cursor_mode mode = sub->now->mode;
		struct hub_entry *entry = cursor_peek(sub->now);

		if (entry == NULL)
			return NULL;
		if (!accept_form(sub, entry, sub->now, &sub->form)) {
			choose_again(sub);
			return NULL;
		}
		if (sub->now->mode == mode)
			return entry;
	}
	/* In each order that is one of the other form: on when something else has come. */
	return NULL;
}

/* false: nothing more now. */
static bool
serve_entry(struct sub *sub, size_t *bytes)
{
	struct hub_entry *entry = next_entry(sub);

	if (entry == NULL)
		return false;
	*bytes += sub_queue_entry(sub, entry);
	return true;
}

/* false: nothing more now. */
static bool
serve_pictures(struct sub *sub, size_t *bytes)
{
	for (unsigned n = 0; n < TURN_ENTRIES && *bytes < TURN_BYTES; n++)
		if (!serve_entry(sub, bytes))
			return false;
	return true;
}

/* Behind the pictures that are there. */
static bool
serve_sound(struct sub *sub)
{
	for (unsigned n = 0; n < TURN_ENTRIES; n++)
		if (sub_queue_sound(sub) == 0)
			return false;
	return true;
}

void
sub_serve(struct sub *sub)
{
	size_t bytes = 0;
	bool more;

	unready(sub);
	if (sub->next->stream != NULL && !sub->paused)
		check_next(sub);
	if (sub->state_due && sub->now->stream != NULL)
		sub_queue_state(sub);
	more = serve_pictures(sub, &bytes);
	if (serve_sound(sub) || more)
		ready(sub);
}

/* Life */

void
sub_new(struct wall *wall, unsigned id, const struct wall_want *want)
{
	static const struct cursor_ops ops = { .on_frames = on_frames,
					       .on_state = on_state,
					       .on_gone = on_gone,
					       .on_result = on_result };
	struct sub *sub = xcalloc(1, sizeof(*sub));
	struct front *front = wall->front;
	struct wall_choice choice;
	int rc;

	sub->wall = wall;
	sub->id = id;
	sub->want = *want;
	overlay_set(&sub->overlay, want->overlay);
	sub->viewer_id = ++front->viewers_ever;
	cursor_init(&sub->cursors[0], sub->viewer_id, &ops, sub);
	cursor_init(&sub->cursors[1], sub->viewer_id, &ops, sub);
	sub->now = &sub->cursors[0];
	sub->next = &sub->cursors[1];
	TAILQ_INSERT_TAIL(&wall->subs, sub, in_wall);
	wall->n_subs++;
	front->n_viewers++;
	rc = wall_choose(front, want, &choice);
	if (rc < 0) {
		fail_for(sub, rc);
		return;
	}
	watch_begin(&sub->watch, &wall->pass, want->src, "wall");
	watch(sub, &choice, true, false);
}

void
sub_change(struct sub *sub, const struct wall_want *want)
{
	struct wall_choice choice;
	int rc = wall_choose(sub->wall->front, want, &choice);
	bool anew = want->audio != sub->want.audio;

	sub->want = *want;
	overlay_set(&sub->overlay, want->overlay);
	if (rc < 0)
		fail_for(sub, rc);
	else
		watch(sub, &choice, false, anew && choice.form == WALL_FMP4);
}

void
sub_pause(struct sub *sub, bool on, bool listens)
{
	sub->listens = listens;
	if (sub->paused == on)
		return;
	sub->paused = on;
	if (sub->next->stream != NULL)
		promote(sub);
	cursor_set_mode(sub->now, on ? CURSOR_IDLE : mode_of(sub->form));
	ready(sub);
}

void
sub_report(struct sub *sub, const json_t *json)
{
	struct stream *stream = sub->now->stream;
	struct delay_report report;

	if (stream == NULL)
		return;
	if (delay_report_parse(json, &report) == 0)
		(void)delay_stats_add(stream->delay, sub->viewer_id, &report,
				      clock_now_ns(sub->wall->front->clock));
	else
		delay_stats_refuse(stream->delay);
}

void
sub_end(struct sub *sub)
{
	struct wall *wall = sub->wall;

	if (sub->ended)
		return;
	unready(sub);
	sub_forget_offer(sub);
	watch_end(&sub->watch);
	overlay_set(&sub->overlay, false);
	sub->ended = true;
	cursor_leave(sub->now);
	cursor_leave(sub->next);
	TAILQ_REMOVE(&wall->subs, sub, in_wall);
	TAILQ_INSERT_TAIL(&wall->ended, sub, in_wall);
	wall->n_subs--;
	wall->front->n_viewers--;
	/* A callback of its cursors may be running. */
	clock_timer_set_ms(&wall->reap, 0);
}

void
sub_fail(struct sub *sub, const char *code, const char *text)
{
	wall_answer_error(sub->wall, sub->id, code, text);
	sub_end(sub);
}

void
sub_free(struct sub **sub)
{
	struct sub *old = *sub;

	if (old == NULL)
		return;
	*sub = NULL;
	TAILQ_REMOVE(&old->wall->ended, old, in_wall);
	hub_config_unref(&old->told.config);
	hub_audio_config_unref(&old->told.sound);
	free(old);
}
