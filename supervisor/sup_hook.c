/*
 * The queue of events, and the process that delivers the first of them.
 */
#include "config.h"

#include "supervisor/sup_hook.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 300

struct note {
	TAILQ_ENTRY(note) entry;
	char *text; /* JSON */
};

TAILQ_HEAD(notes, note);

struct sup_hook {
	struct sup *sup;
	struct notes notes;
	size_t n;
	uint64_t number, dropped;
	struct sup_child *child; /* that delivers the first */
	struct clock_timer retry;
	bool was_on;
	unsigned failures; /* in a row */
	int code;          /* what the receiver answered, 0: nothing */
	char why[WHY_MAX];
};

static void deliver(struct sup_hook *hook);

static void
drop_first(struct sup_hook *hook)
{
	struct note *note = TAILQ_FIRST(&hook->notes);

	TAILQ_REMOVE(&hook->notes, note, entry);
	hook->n--;
	free(note->text);
	free(note);
}

/* Too many wait: the oldest that is not under way. */
static void
make_room(struct sup_hook *hook)
{
	struct note *note = TAILQ_FIRST(&hook->notes);

	if (hook->n < SUP_HOOK_QUEUE_MAX)
		return;
	if (hook->child != NULL)
		note = TAILQ_NEXT(note, entry);
	if (hook->dropped++ == 0)
		log_warn("on_event: more than %d events wait, the oldest are lost",
			 SUP_HOOK_QUEUE_MAX);
	TAILQ_REMOVE(&hook->notes, note, entry);
	hook->n--;
	free(note->text);
	free(note);
}

/* Takes event. */
static void
add(struct sup_hook *hook, json_t *event)
{
	struct note *note = xcalloc(1, sizeof(*note));

	json_object_set_new(event, "number", json_integer((json_int_t)++hook->number));
	json_object_set_new(event, "time_ms", json_integer(sup_realtime_ms(hook->sup)));
	note->text = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(event);
	if (note->text == NULL)
		xalloc_die();
	make_room(hook);
	TAILQ_INSERT_TAIL(&hook->notes, note, entry);
	hook->n++;
	deliver(hook);
}

static bool
is_on(const struct sup_hook *hook)
{
	return sup_settings(hook->sup)->event_url != NULL && !hook->sup->stopping;
}

/* Delivering */

/* It did not take it. Told once, and when it works again. */
static void
note_failure(struct sup_hook *hook)
{
	int64_t delay_ms = SUP_HOOK_RETRY_MS;

	for (unsigned i = 0; i < hook->failures && delay_ms < SUP_HOOK_RETRY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > SUP_HOOK_RETRY_MAX_MS)
		delay_ms = SUP_HOOK_RETRY_MAX_MS;
	if (hook->failures++ == 0)
		log_warn("on_event: not delivered: %s; trying again", hook->why);
	clock_timer_set_ms(&hook->retry, delay_ms);
}

static void
note_success(struct sup_hook *hook)
{
	if (hook->failures > 0)
		log_notice("on_event: delivered, after %u failures", hook->failures);
	if (hook->dropped > 0)
		log_warn("on_event: events that were lost: %llu",
			 (unsigned long long)hook->dropped);
	hook->failures = 0;
	hook->dropped = 0;
}

/* Told again, it would refuse again. */
static bool
is_refusal(int code)
{
	return code >= 400 && code < 500 && code != 408 && code != 429;
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_hook *hook = arg;

	hook->child = NULL;
	if (hook->sup->stopping || TAILQ_EMPTY(&hook->notes))
		return;
	if (hook->code >= 200 && hook->code < 300) {
		note_success(hook);
		drop_first(hook);
	} else if (is_refusal(hook->code)) {
		log_warn("on_event: the receiver refuses an event (%d), it is lost", hook->code);
		drop_first(hook);
	} else {
		if (hook->code != 0)
			snprintf(hook->why, sizeof(hook->why), "the receiver answers %d",
				 hook->code);
		else if (hook->why[0] == '\0')
			snprintf(hook->why, sizeof(hook->why), "%s", end->text);
		note_failure(hook);
		return;
	}
	deliver(hook);
}

static void
on_raw(void *arg, const char *bytes, size_t len)
{
	struct sup_hook *hook = arg;
	char text[WHY_MAX];

	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1),
		 bytes);
	if (strncmp(text, "ok ", 3) == 0)
		hook->code = (int)strtol(text + 3, NULL, 10);
	else if (strncmp(text, "error ", 6) == 0)
		snprintf(hook->why, sizeof(hook->why), "%s", text + 6);
	sup_child_kill_now(hook->child);
}

static void
deliver(struct sup_hook *hook)
{
	static const struct sup_child_ops ops = { .on_raw = on_raw, .on_exit = on_exit_ };
	const struct conf *conf = sup_settings(hook->sup);
	const struct sup_child_spec spec = { .program = SUP_HOOK_PROGRAM,
					     .object = "event",
					     .raw = true,
					     .deadline_ms =
						 conf->event_timeout_ms + SUP_HOOK_KILL_MS };
	char *order;
	int rc;

	if (!is_on(hook) || hook->child != NULL || TAILQ_EMPTY(&hook->notes) ||
	    clock_timer_is_set(&hook->retry))
		return;
	hook->code = 0;
	hook->why[0] = '\0';
	rc = sup_child_start(hook->sup, &spec, &ops, hook, &hook->child);
	if (rc < 0) {
		snprintf(hook->why, sizeof(hook->why), "cannot start " SUP_HOOK_PROGRAM ": %s",
			 strerror(-rc));
		note_failure(hook);
		return;
	}
	/* Not as an argument, which everybody on this machine could read. */
	order = xasprintf("%s\n%s", conf->event_url, TAILQ_FIRST(&hook->notes)->text);
	sup_child_send_raw(hook->child, order, strlen(order));
	free(order);
}

static void
on_retry(struct clock_timer *timer, void *arg)
{
	(void)timer;
	deliver(arg);
}

/* Life */

struct sup_hook *
sup_hook_new(struct sup *sup)
{
	struct sup_hook *hook = xcalloc(1, sizeof(*hook));

	hook->sup = sup;
	TAILQ_INIT(&hook->notes);
	clock_timer_init(&hook->retry, sup->deps.clock, on_retry, hook);
	return hook;
}

static void
drop_all(struct sup_hook *hook)
{
	while (!TAILQ_EMPTY(&hook->notes))
		drop_first(hook);
	clock_timer_cancel(&hook->retry);
	hook->failures = 0;
}

void
sup_hook_free(struct sup_hook **hook)
{
	if (*hook == NULL)
		return;
	drop_all(*hook);
	sup_child_free(&(*hook)->child);
	free(*hook);
	*hook = NULL;
}

void
sup_hook_started(struct sup_hook *hook)
{
	hook->was_on = is_on(hook);
	if (hook->was_on)
		add(hook, json_pack("{s:s, s:s}", "event", "started", "version", PACKAGE_VERSION));
}

void
sup_hook_review(struct sup_hook *hook)
{
	struct sup_stream *stream;

	if (!is_on(hook))
		drop_all(hook);
	else if (!hook->was_on)
		for (stream = TAILQ_FIRST(&hook->sup->streams); stream != NULL;
		     stream = TAILQ_NEXT(stream, entry))
			sup_hook_stream_changed(stream);
	hook->was_on = is_on(hook);
	/* Perhaps it is another receiver. */
	if (clock_timer_is_set(&hook->retry))
		clock_timer_set_ms(&hook->retry, 0);
}

/* Streams */

static const char *
known_state(const char *state)
{
	static const char *const states[] = { "up", "stalled", "down", "refused" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], state) == 0)
			return states[i];
	return NULL;
}

static const char *
told_before(const struct sup_stream *stream)
{
	return stream->hook.told != NULL ? stream->hook.told : "up";
}

static void
on_settled(struct clock_timer *timer, void *arg)
{
	struct sup_stream *stream = arg;
	const char *was = told_before(stream), *state = known_state(stream->told.state);

	(void)timer;
	if (state == NULL || stream->conf == NULL || !is_on(stream->sup->hook))
		return;
	stream->hook.told = state;
	add(stream->sup->hook,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "event", "camera", "camera",
		      stream->conf->camera->name, "stream", stream->name, "title",
		      stream->conf->camera->title, "state", state, "was", was, "reason",
		      stream->told.reason, "since_ms", (json_int_t)stream->told.since_ms));
}

void
sup_hook_stream_init(struct sup_stream *stream)
{
	clock_timer_init(&stream->hook.settle, stream->sup->deps.clock, on_settled, stream);
}

void
sup_hook_stream_clear(struct sup_stream *stream)
{
	clock_timer_cancel(&stream->hook.settle);
}

void
sup_hook_stream_changed(struct sup_stream *stream)
{
	const char *state = stream->told.state != NULL ? known_state(stream->told.state) : NULL;

	clock_timer_cancel(&stream->hook.settle);
	/* Whoever watches a copy is told by its source. */
	if (stream->is_copy || stream->conf == NULL || stream->told.state == NULL ||
	    !is_on(stream->sup->hook))
		return;
	/* Off as it should be: what was told before is history. */
	if (strcmp(stream->told.state, "off") == 0)
		stream->hook.told = NULL;
	if (state != NULL && strcmp(state, told_before(stream)) != 0)
		clock_timer_set_ms(&stream->hook.settle,
				   sup_settings(stream->sup)->event_debounce_ms);
}
