/*
 * The list of those who wait, by the number of their question.
 */
#include "config.h"

#include "http/access_ask.h"

#include "http/gate.h"
#include "http/listen.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

struct ask {
	LIST_ENTRY(ask) entry;
	struct access_asks *asks;
	long long id;
	struct evhttp_request *req;
	bool is_head;
	char *cors_origin, *note;
	char address[ACCESS_ADDRESS_BYTES];
	struct access_password password;
	enum access_ask_result result; /* to be told by the timer */
	struct clock_timer timer;
	access_ask_fn *fn;
};

struct access_asks {
	struct front *front;
	LIST_HEAD(ask_list, ask) list;
	unsigned n;
	long long last_id;
};

struct access_asks *
access_asks_new(struct front *front)
{
	struct access_asks *asks = xcalloc(1, sizeof(*asks));

	asks->front = front;
	LIST_INIT(&asks->list);
	return asks;
}

static void
ask_free(struct ask *ask)
{
	LIST_REMOVE(ask, entry);
	ask->asks->n--;
	clock_timer_cancel(&ask->timer);
	access_password_wipe(&ask->password);
	free(ask->cors_origin);
	free(ask->note);
	free(ask);
}

void
access_asks_free(struct access_asks **asks)
{
	struct ask *ask;

	if (*asks == NULL)
		return;
	while ((ask = LIST_FIRST(&(*asks)->list)) != NULL)
		ask_free(ask);
	free(*asks);
	*asks = NULL;
}

static void
tell(struct ask *ask, enum access_ask_result result)
{
	struct request request = { .front = ask->asks->front,
				   .req = ask->req,
				   .is_head = ask->is_head,
				   .cors_origin = ask->cors_origin };

	TAILQ_INIT(&request.query);
	request.is_https = route_is_https(request.front, request.req);
	snprintf(request.address, sizeof(request.address), "%s", ask->address);
	listeners_on_abort(request.front->listeners, ask->req, NULL, NULL);
	/* What follows may take the connection, and with it all that hangs on it. */
	ask->fn(&request, result, &ask->password, ask->note);
	ask_free(ask);
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	struct ask *ask = arg;

	(void)timer;
	tell(ask, ask->result);
}

static void
on_abort(void *arg)
{
	ask_free(arg);
}

static void
send_question(const struct ask *ask)
{
	json_t *msg = msg_new(MSG_AUTH_CHECK);

	msg_set_int(msg, "id", ask->id);
	msg_set_str(msg, "user", ask->password.user);
	msg_set_str(msg, "password", ask->password.password);
	front_send(ask->asks->front, msg, -1);
}

static struct ask *
ask_new(struct access_asks *asks, struct request *request, const char *note, access_ask_fn *fn)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	ask->asks = asks;
	ask->id = ++asks->last_id;
	ask->req = request->req;
	ask->is_head = request->is_head;
	if (request->cors_origin != NULL)
		ask->cors_origin = xstrdup(request->cors_origin);
	ask->note = xstrdup(note);
	snprintf(ask->address, sizeof(ask->address), "%s", request->address);
	ask->fn = fn;
	ask->result = ACCESS_BUSY;
	clock_timer_init(&ask->timer, asks->front->clock, on_timer, ask);
	LIST_INSERT_HEAD(&asks->list, ask, entry);
	asks->n++;
	return ask;
}

void
access_ask(struct request *request, const struct access_password *password, const char *note,
	   access_ask_fn *fn)
{
	struct access_asks *asks = request->front->asks;
	struct ask *ask;

	if (asks->n >= ACCESS_ASK_WAITING_MAX) {
		fn(request, ACCESS_BUSY, password, note);
		return;
	}
	ask = ask_new(asks, request, note, fn);
	ask->password = *password;
	gate_password_tried(asks->front->gate, ask->address);
	clock_timer_set_ms(&ask->timer, ACCESS_ASK_LIMIT_MS);
	listeners_on_abort(asks->front->listeners, ask->req, on_abort, ask);
	send_question(ask);
}

void
access_asks_result(struct access_asks *asks, const json_t *msg)
{
	long long id = msg_int(msg, "id", 0);
	struct ask *ask;

	for (ask = LIST_FIRST(&asks->list); ask != NULL; ask = LIST_NEXT(ask, entry))
		if (ask->id == id)
			break;
	/* Late: the client is gone, or was told. */
	if (ask == NULL || ask->result == ACCESS_WRONG)
		return;
	if (msg_bool(msg, "ok", false)) {
		gate_password_right(asks->front->gate, ask->address, &ask->password);
		tell(ask, ACCESS_RIGHT);
	} else if (msg_bool(msg, "busy", false)) {
		tell(ask, ACCESS_BUSY);
	} else {
		ask->result = ACCESS_WRONG;
		clock_timer_set_ms(&ask->timer, ACCESS_ASK_WRONG_MS);
	}
}
