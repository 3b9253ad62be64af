/*
 * The relay between http fronts and the rtc front. Whoever asks has an answer in time, and a
 * session that nobody waits for any more is closed.
 */
#include "config.h"

#include "supervisor/sup_rtc.h"

#include "shared/xalloc.h"

#include <string.h>

struct ask {
	TAILQ_ENTRY(ask) entry;
	enum msg_type type;
	long long number;        /* ours */
	long long request;       /* the front's */
	uint32_t subscriber;     /* the front; 0: nobody waits any more */
	uint32_t rtc_subscriber; /* who was asked */
	long long stream;
	int64_t asked_ns;
};

TAILQ_HEAD(asks, ask);

struct sup_rtc_asks {
	struct sup *sup;
	struct asks list; /* the oldest first */
	unsigned n;
	long long last_number;
	struct clock_timer due;
};

static void
drop(struct sup_rtc_asks *asks, struct ask *ask)
{
	TAILQ_REMOVE(&asks->list, ask, entry);
	asks->n--;
	free(ask);
}

static void
answer(struct sup *sup, uint32_t subscriber, long long request, const json_t *msg)
{
	struct sup_front *front = sup_front_by_subscriber(sup, subscriber);
	json_t *copy;

	if (front == NULL)
		return;
	copy = json_deep_copy(msg);
	if (copy == NULL)
		xalloc_die();
	msg_set_int(copy, "request", request);
	sup_child_send(front->child, copy, -1);
}

static void
refuse(struct sup *sup, uint32_t subscriber, long long request, int code, const char *why)
{
	json_t *msg = msg_new(MSG_RTC_ANSWER);

	msg_set_int(msg, "request", request);
	msg_set_int(msg, "code", code);
	msg_set_str(msg, "error", why);
	answer(sup, subscriber, request, msg);
	json_decref(msg);
}

/* Nobody waits for it any more; the rtc front is still at it. */
static void
leave_alone(struct sup_rtc_asks *asks, struct ask *ask, const char *why)
{
	refuse(asks->sup, ask->subscriber, ask->request, 503, why);
	ask->subscriber = 0;
}

static int64_t
due_ns(const struct ask *ask)
{
	return ask->asked_ns +
	       (ask->subscriber != 0 ? SUP_RTC_ANSWER_MS : SUP_RTC_LATE_MS) * NS_PER_MS;
}

static void
set_timer(struct sup_rtc_asks *asks)
{
	int64_t next = 0, now = sup_now_ns(asks->sup);
	const struct ask *ask;

	for (ask = TAILQ_FIRST(&asks->list); ask != NULL; ask = TAILQ_NEXT(ask, entry))
		if (next == 0 || due_ns(ask) < next)
			next = due_ns(ask);
	if (next == 0)
		clock_timer_cancel(&asks->due);
	else
		clock_timer_set_ms(&asks->due, next > now ? (next - now) / NS_PER_MS + 1 : 0);
}

static void
on_due(struct clock_timer *timer, void *arg)
{
	struct sup_rtc_asks *asks = arg;
	int64_t now = sup_now_ns(asks->sup);
	struct ask *ask, *next;

	(void)timer;
	for (ask = TAILQ_FIRST(&asks->list); ask != NULL; ask = next) {
		next = TAILQ_NEXT(ask, entry);
		if (due_ns(ask) > now)
			continue;
		if (ask->subscriber != 0)
			leave_alone(asks, ask, "WebRTC does not answer now");
		else
			drop(asks, ask);
	}
	set_timer(asks);
}

struct sup_rtc_asks *
sup_rtc_asks_new(struct sup *sup)
{
	struct sup_rtc_asks *asks = xcalloc(1, sizeof(*asks));

	asks->sup = sup;
	TAILQ_INIT(&asks->list);
	clock_timer_init(&asks->due, sup->deps.clock, on_due, asks);
	return asks;
}

void
sup_rtc_asks_free(struct sup_rtc_asks **asks)
{
	struct sup_rtc_asks *old = *asks;
	struct ask *ask;

	*asks = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->due);
	while ((ask = TAILQ_FIRST(&old->list)) != NULL)
		drop(old, ask);
	free(old);
}

static unsigned
count_of(const struct sup_rtc_asks *asks, uint32_t subscriber)
{
	const struct ask *ask;
	unsigned n = 0;

	for (ask = TAILQ_FIRST(&asks->list); ask != NULL; ask = TAILQ_NEXT(ask, entry))
		n += ask->subscriber == subscriber;
	return n;
}

/* msg with the number of a new ask, sent; taken. */
static struct ask *
send_ask(struct sup_rtc_asks *asks, struct sup_front *rtc, enum msg_type type, json_t *msg)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	ask->type = type;
	ask->number = ++asks->last_number;
	ask->rtc_subscriber = rtc->subscriber;
	ask->stream = msg_int(msg, "id", 0);
	ask->asked_ns = sup_now_ns(asks->sup);
	TAILQ_INSERT_TAIL(&asks->list, ask, entry);
	asks->n++;
	msg_set_int(msg, "request", ask->number);
	sup_child_send(rtc->child, msg, -1);
	return ask;
}

void
sup_rtc_ask(struct sup_front *front, enum msg_type type, const json_t *msg)
{
	struct sup_rtc_asks *asks = sup_rtc_asks_of(front->sup);
	long long request = msg_int(msg, "request", 0);
	const char *why = NULL;
	struct sup_front *rtc;
	struct ask *ask;
	json_t *copy;
	int code = 0;

	rtc = sup_rtc_ready(front->sup, &code, &why);
	if (rtc == NULL) {
		refuse(front->sup, front->subscriber, request, code, why);
		return;
	}
	if (asks->n >= SUP_RTC_ASKS_MAX ||
	    count_of(asks, front->subscriber) >= SUP_RTC_ASKS_OF_ONE) {
		refuse(front->sup, front->subscriber, request, 503, "too many offers at once");
		return;
	}
	copy = json_deep_copy(msg);
	if (copy == NULL)
		xalloc_die();
	ask = send_ask(asks, rtc, type, copy);
	ask->subscriber = front->subscriber;
	ask->request = request;
	set_timer(asks);
}

/* It came too late for whoever wanted it. */
static void
close_session(struct sup_rtc_asks *asks, const struct ask *late, const json_t *answer)
{
	const char *session = msg_str(answer, "session"), *why;
	struct sup_front *rtc;
	json_t *msg;
	int code;

	rtc = sup_rtc_ready(asks->sup, &code, &why);
	if (rtc == NULL || late->type != MSG_RTC_OFFER || session[0] == '\0')
		return;
	msg = msg_new(MSG_RTC_CLOSE);
	msg_set_int(msg, "id", late->stream);
	msg_set_str(msg, "session", session);
	(void)send_ask(asks, rtc, MSG_RTC_CLOSE, msg);
}

void
sup_rtc_answered(struct sup *sup, const json_t *msg)
{
	struct sup_rtc_asks *asks = sup_rtc_asks_of(sup);
	long long number = msg_int(msg, "request", 0);
	struct ask *ask;

	for (ask = TAILQ_FIRST(&asks->list); ask != NULL; ask = TAILQ_NEXT(ask, entry))
		if (ask->number == number)
			break;
	if (ask == NULL)
		return;
	if (ask->subscriber != 0)
		answer(sup, ask->subscriber, ask->request, msg);
	else
		close_session(asks, ask, msg);
	drop(asks, ask);
	set_timer(asks);
}

void
sup_rtc_on_link(struct sup *sup, const json_t *msg)
{
	json_t *copy = json_deep_copy(msg);

	if (copy == NULL)
		xalloc_die();
	sup_front_tell_all(sup, MSG_RTC_LINK, copy);
}

void
sup_rtc_forget(struct sup_front *front)
{
	struct sup_rtc_asks *asks = sup_rtc_asks_of(front->sup);
	struct ask *ask, *next;

	for (ask = TAILQ_FIRST(&asks->list); ask != NULL; ask = next) {
		next = TAILQ_NEXT(ask, entry);
		if (ask->subscriber == front->subscriber)
			ask->subscriber = 0;
		if (ask->rtc_subscriber != front->subscriber)
			continue;
		if (ask->subscriber != 0)
			leave_alone(asks, ask, "WebRTC is starting");
		drop(asks, ask);
	}
	set_timer(asks);
}
