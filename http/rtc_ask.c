/*
 * The list of questions to the rtc front that have no answer yet.
 */
#include "config.h"

#include "http/rtc_ask.h"

#include "http/access_address.h"
#include "http/access_limit.h"
#include "http/stream.h"
#include "shared/token.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rtc_ask {
	LIST_ENTRY(rtc_ask) entry;
	struct rtc_asks *asks;
	long long number;
	bool is_offer;
	long long stream; /* id */
	char address[ACCESS_ADDRESS_BYTES];
	rtc_ask_fn *fn; /* NULL: nobody waits any more */
	void *arg;
	struct clock_timer limit;
	bool is_late; /* whoever waited was told */
};

struct rtc_asks {
	struct front *front;
	LIST_HEAD(rtc_ask_list, rtc_ask) list;
	unsigned n;
	long long last_number;
	struct access_limit *pace;
	struct rtc_ask_stats stats;
};

struct rtc_asks *
rtc_asks_new(struct front *front)
{
	struct rtc_asks *asks = xcalloc(1, sizeof(*asks));

	asks->front = front;
	asks->pace = access_limit_new_of(RTC_ASK_BURST, RTC_ASK_EACH_MS * NS_PER_MS);
	LIST_INIT(&asks->list);
	return asks;
}

struct rtc_ask_stats
rtc_asks_stats(const struct rtc_asks *asks)
{
	struct rtc_ask_stats stats = asks->stats;

	stats.waiting = asks->n;
	return stats;
}

static void
ask_free(struct rtc_ask *ask)
{
	LIST_REMOVE(ask, entry);
	ask->asks->n--;
	clock_timer_cancel(&ask->limit);
	free(ask);
}

void
rtc_asks_free(struct rtc_asks **asks)
{
	struct rtc_ask *ask;

	if (*asks == NULL)
		return;
	while ((ask = LIST_FIRST(&(*asks)->list)) != NULL)
		ask_free(ask);
	access_limit_free(&(*asks)->pace);
	free(*asks);
	*asks = NULL;
}

static void
count(struct rtc_asks *asks, int code)
{
	if (code == 201)
		asks->stats.taken++;
	else
		asks->stats.refused++;
}

/* The ask is gone before anybody is told: who is told may ask again. */
static void
finish(struct rtc_ask *ask, const struct rtc_answer *answer)
{
	rtc_ask_fn *fn = ask->fn;
	void *arg = ask->arg;

	if (ask->is_offer && fn != NULL)
		count(ask->asks, answer->code);
	ask_free(ask);
	if (fn != NULL)
		fn(arg, answer);
}

/* A session that comes after all is closed: the ask waits on for nobody. */
static void
on_limit(struct clock_timer *timer, void *arg)
{
	static const struct rtc_answer silence = { .code = 503,
						   .error = "WebRTC does not answer now" };
	struct rtc_ask *ask = arg;
	rtc_ask_fn *fn = ask->fn;

	if (ask->is_late) {
		ask_free(ask);
		return;
	}
	ask->is_late = true;
	ask->fn = NULL;
	clock_timer_set_ms(timer, RTC_ASK_LATE_MS);
	if (fn == NULL)
		return;
	if (ask->is_offer)
		count(ask->asks, silence.code);
	fn(ask->arg, &silence);
}

static unsigned
waiting_of(const struct rtc_asks *asks, const char *address)
{
	const struct rtc_ask *ask;
	unsigned n = 0;

	for (ask = LIST_FIRST(&asks->list); ask != NULL; ask = LIST_NEXT(ask, entry))
		n += strcmp(ask->address, address) == 0;
	return n;
}

/* NULL: it may ask. address "": we ourselves. */
static const struct rtc_answer *
refusal(struct rtc_asks *asks, const char *address)
{
	static const struct rtc_answer busy = { .code = 503, .error = "too many offers at once" };
	static const struct rtc_answer pace = { .code = 429, .error = "too many offers" };
	int64_t now = clock_now_ns(asks->front->clock);

	if (asks->n >= RTC_ASKS_MAX)
		return &busy;
	if (address[0] == '\0')
		return NULL;
	if (access_limit_is_spent(asks->pace, address, now, NULL) ||
	    waiting_of(asks, address) >= RTC_ASKS_OF_ONE)
		return &pace;
	access_limit_take(asks->pace, address, now);
	return NULL;
}

/* Takes msg. */
static struct rtc_ask *
send_ask(struct front *front, json_t *msg, const char *address, rtc_ask_fn *fn, void *arg)
{
	struct rtc_asks *asks = front->rtc_asks;
	bool is_offer = strcmp(msg_str(msg, "type"), msg_schema(MSG_RTC_OFFER)->name) == 0;
	const struct rtc_answer *refused = refusal(asks, address);
	struct rtc_ask *ask;

	asks->stats.offers += is_offer;
	if (refused != NULL) {
		asks->stats.refused += is_offer;
		json_decref(msg);
		fn(arg, refused);
		return NULL;
	}
	ask = xcalloc(1, sizeof(*ask));
	ask->asks = asks;
	ask->number = ++asks->last_number;
	ask->stream = msg_int(msg, "id", 0);
	snprintf(ask->address, sizeof(ask->address), "%s", address);
	ask->is_offer = is_offer;
	ask->fn = fn;
	ask->arg = arg;
	LIST_INSERT_HEAD(&asks->list, ask, entry);
	asks->n++;
	clock_timer_init(&ask->limit, front->clock, on_limit, ask);
	clock_timer_set_ms(&ask->limit, RTC_ASK_LIMIT_MS);
	msg_set_int(msg, "request", ask->number);
	front_send(front, msg, -1);
	return ask;
}

/* Checks */

bool
rtc_sdp_is_fine(const char *text, size_t len)
{
	json_t *string;

	if (len == 0 || len > MSG_SDP_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' && strchr("\r\n\t", text[i]) == NULL)
			return false;
	if (memchr(text, '\0', len) != NULL)
		return false;
	string = json_stringn(text, len);
	json_decref(string);
	return string != NULL;
}

bool
rtc_session_is_fine(const char *text)
{
	return token_id_is_valid(text);
}

/* Questions */

struct rtc_ask *
rtc_ask_offer(struct front *front, const struct rtc_offer *offer, rtc_ask_fn *fn, void *arg)
{
	json_t *msg = msg_new(MSG_RTC_OFFER);

	msg_set_int(msg, "id", offer->stream->id);
	msg_set_str(msg, "sdp", offer->sdp);
	msg_set_str(msg, "address", offer->address);
	if (offer->local[0] != '\0')
		msg_set_str(msg, "local", offer->local);
	if (offer->smooth)
		msg_set_bool(msg, "smooth", true);
	if (offer->audio != RTC_WISH_NONE)
		msg_set_bool(msg, "audio", offer->audio == RTC_WISH_YES);
	gate_identity_to_msg(front->gate, offer->who, msg);
	return send_ask(front, msg, offer->address, fn, arg);
}

static json_t *
about_session(enum msg_type type, long long stream, const char *session)
{
	json_t *msg = msg_new(type);

	msg_set_int(msg, "id", stream);
	msg_set_str(msg, "session", session);
	return msg;
}

struct rtc_ask *
rtc_ask_patch(struct front *front, const struct stream *stream, const char *session,
	      const char *sdp, const char *address, rtc_ask_fn *fn, void *arg)
{
	json_t *msg = about_session(MSG_RTC_PATCH, stream->id, session);

	msg_set_str(msg, "sdp", sdp);
	return send_ask(front, msg, address, fn, arg);
}

struct rtc_ask *
rtc_ask_close(struct front *front, const struct stream *stream, const char *session,
	      const char *address, rtc_ask_fn *fn, void *arg)
{
	return send_ask(front, about_session(MSG_RTC_CLOSE, stream->id, session), address, fn, arg);
}

void
rtc_ask_cancel(struct rtc_ask **ask)
{
	if (*ask != NULL)
		(*ask)->fn = NULL;
	*ask = NULL;
}

/* Answers */

static void
ignore(void *arg, const struct rtc_answer *answer)
{
	(void)arg;
	(void)answer;
}

void
rtc_ask_discard(struct front *front, long long stream_id, const char *session)
{
	(void)send_ask(front, about_session(MSG_RTC_CLOSE, stream_id, session), "", ignore, NULL);
}

/* NULL for what is not there. */
static const char *
text_of(const json_t *msg, const char *name)
{
	const char *text = msg_str(msg, name);

	return text[0] != '\0' ? text : NULL;
}

void
rtc_asks_answer(struct rtc_asks *asks, const json_t *msg)
{
	const struct rtc_answer answer = { .code = (int)msg_int(msg, "code", 503),
					   .sdp = text_of(msg, "sdp"),
					   .session = text_of(msg, "session"),
					   .error = text_of(msg, "error") };
	long long number = msg_int(msg, "request", 0);
	struct rtc_ask *ask;

	for (ask = LIST_FIRST(&asks->list); ask != NULL; ask = LIST_NEXT(ask, entry))
		if (ask->number == number)
			break;
	if (ask == NULL)
		return;
	/* Whoever wanted it has left. */
	if (ask->fn == NULL && answer.code == 201 && answer.session != NULL)
		rtc_ask_discard(asks->front, ask->stream, answer.session);
	finish(ask, &answer);
}
