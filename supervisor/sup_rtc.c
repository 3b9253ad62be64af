/*
 * The rtc front's life: it is there while the configuration asks for it, its program is installed
 * and its sockets could be bound.
 */
#include "config.h"

#include "supervisor/sup_rtc.h"

#include "shared/interfaces.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ERR_MAX 256

struct sup_rtc {
	struct sup *sup;
	struct sup_front *front; /* NULL: there is none, and why says why not */
	struct sup_rtc_sockets sockets;
	struct sup_rtc_asks *asks;
	struct clock_timer retry; /* of the sockets */
	struct clock_timer look;  /* for other addresses of the machine */
	char own[SUP_RTC_OWN_MAX][INTERFACES_ADDRESS_BYTES];
	unsigned n_own;
	char why[ERR_MAX];
	char why_kept[ERR_MAX]; /* its sockets are not those that are wanted; "" they are */
	int code;               /* for those who ask while there is no front */
};

static void
on_retry(struct clock_timer *timer, void *arg)
{
	struct sup_rtc *rtc = arg;

	(void)timer;
	sup_rtc_apply(rtc->sup);
}

static json_t *
make_config(const struct sup_rtc *rtc)
{
	const struct conf *conf = sup_settings(rtc->sup);
	json_t *msg = msg_new(MSG_RTC_CONFIG), *addresses = json_array(), *own = json_array();

	for (size_t i = 0; i < conf->rtc_addresses.n; i++)
		json_array_append_new(addresses, json_string(conf->rtc_addresses.list[i]));
	json_object_set_new(msg, "addresses", addresses);
	for (unsigned i = 0; i < rtc->n_own; i++)
		json_array_append_new(own, json_string(rtc->own[i]));
	json_object_set_new(msg, "own", own);
	msg_set_int(msg, "port", conf->rtc_port);
	msg_set_int(msg, "max_sessions", conf->max_viewers);
	msg_set_int(msg, "max_per_address", conf->rtc_max_per_address);
	return msg;
}

/* true: they are others than before. */
static bool
look_at_addresses(struct sup_rtc *rtc)
{
	char now[SUP_RTC_OWN_MAX][INTERFACES_ADDRESS_BYTES];
	unsigned n = interfaces_addresses(now, SUP_RTC_OWN_MAX);
	bool is_same = n == rtc->n_own;

	for (unsigned i = 0; i < n && is_same; i++)
		is_same = strcmp(now[i], rtc->own[i]) == 0;
	memcpy(rtc->own, now, sizeof(rtc->own[0]) * n);
	rtc->n_own = n;
	return !is_same;
}

static void
on_look(struct clock_timer *timer, void *arg)
{
	struct sup_rtc *rtc = arg;

	clock_timer_set_ms(timer, SUP_RTC_LOOK_MS);
	if (look_at_addresses(rtc) && rtc->front != NULL && rtc->front->child != NULL)
		sup_child_send(rtc->front->child, make_config(rtc), -1);
}

struct sup_rtc *
sup_rtc_new(struct sup *sup)
{
	struct sup_rtc *rtc = xcalloc(1, sizeof(*rtc));

	rtc->sup = sup;
	rtc->code = 503;
	snprintf(rtc->why, sizeof(rtc->why), "starting");
	clock_timer_init(&rtc->retry, sup->deps.clock, on_retry, rtc);
	clock_timer_init(&rtc->look, sup->deps.clock, on_look, rtc);
	rtc->asks = sup_rtc_asks_new(sup);
	return rtc;
}

void
sup_rtc_free(struct sup_rtc **rtc)
{
	struct sup_rtc *old = *rtc;

	*rtc = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->retry);
	clock_timer_cancel(&old->look);
	sup_rtc_asks_free(&old->asks);
	sup_rtc_sockets_close(&old->sockets);
	free(old);
}

void
sup_rtc_stop(struct sup *sup)
{
	clock_timer_cancel(&sup->rtc->retry);
	clock_timer_cancel(&sup->rtc->look);
}

struct sup_rtc_asks *
sup_rtc_asks_of(struct sup *sup)
{
	return sup->rtc->asks;
}

/* There is none from now on. Said once for each reason. */
static void
go_without(struct sup_rtc *rtc, int code, const char *why)
{
	struct sup_front *front = rtc->front;

	if (strcmp(rtc->why, why) != 0) {
		if (code == 404)
			log_notice("rtc: %s", why);
		else
			log_err("rtc: %s; pages use other ways", why);
	}
	snprintf(rtc->why, sizeof(rtc->why), "%s", why);
	rtc->code = code;
	rtc->front = NULL;
	if (front != NULL) {
		sup_rtc_forget(front);
		front->leaving = true;
		if (front->child != NULL)
			sup_child_stop(front->child);
		else
			sup_front_free(&front);
	}
	sup_rtc_sockets_close(&rtc->sockets);
}

/* Nothing is started that is not there: the loop would be busy with it for ever. */
static bool
is_installed(const struct sup *sup)
{
	char *path = xasprintf("%s/%s", sup->options.libexec_dir, SUP_RTC_PROGRAM);
	bool there = access(path, X_OK) == 0;

	free(path);
	return there;
}

static void
send_socket(struct sup_front *front, const char *address, const char *kind, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	json_t *msg;

	if (copy < 0) {
		log_err("front=%s: cannot hand over %s %s, no descriptors left", front->object,
			kind, address);
		return;
	}
	msg = msg_new(MSG_RTC_LISTENER);
	msg_set_str(msg, "address", address);
	msg_set_str(msg, "kind", kind);
	sup_child_send(front->child, msg, copy);
}

void
sup_rtc_send(struct sup_front *front)
{
	const struct sup_rtc *rtc = front->sup->rtc;

	sup_child_send(front->child, make_config(rtc), -1);
	for (size_t i = 0; i < rtc->sockets.n; i++) {
		const struct sup_rtc_socket *socket = &rtc->sockets.list[i];

		send_socket(front, socket->address, "udp", socket->udp);
		send_socket(front, socket->address, "tcp", socket->tcp);
	}
}

/* What there is serves on, rather than nothing. Said once for each reason. */
static void
keep_sockets(struct sup_rtc *rtc, const char *why)
{
	if (strcmp(rtc->why_kept, why) != 0)
		log_err("rtc: %s; it stays where it was", why);
	snprintf(rtc->why_kept, sizeof(rtc->why_kept), "%s", why);
	clock_timer_set_ms(&rtc->retry, SUP_RTC_BIND_RETRY_MS);
}

/* Those of before have to go first, and with them the front, which holds them too. */
static void
give_way(struct sup_rtc *rtc, const char *why)
{
	go_without(rtc, 503, why);
	clock_timer_set_ms(&rtc->retry, SUP_RTC_BIND_AGAIN_MS);
}

static int
review_sockets(struct sup_rtc *rtc, bool *changed)
{
	const struct sup *sup = rtc->sup;
	struct sup_rtc_sockets fresh;
	char why[ERR_MAX];
	int rc;

	*changed = false;
	if (rtc->sockets.n > 0 && sup_rtc_sockets_fit(sup->conf, &sup->listeners, &rtc->sockets)) {
		rtc->why_kept[0] = '\0';
		return 0;
	}
	rc = sup_rtc_sockets_open(sup->conf, &sup->listeners, &rtc->sockets, &fresh, why,
				  sizeof(why));
	if (rc < 0 && sup_rtc_sockets_clash(sup->conf, &sup->listeners, &rtc->sockets)) {
		give_way(rtc, why);
		return rc;
	}
	if (rc < 0 && rtc->sockets.n > 0) {
		keep_sockets(rtc, why);
		return 0;
	}
	if (rc < 0) {
		go_without(rtc, 503, why);
		clock_timer_set_ms(&rtc->retry, SUP_RTC_BIND_RETRY_MS);
		return rc;
	}
	rtc->why_kept[0] = '\0';
	*changed = rtc->sockets.n > 0;
	sup_rtc_sockets_close(&rtc->sockets);
	rtc->sockets = fresh;
	return 0;
}

static void
start(struct sup_rtc *rtc)
{
	(void)look_at_addresses(rtc);
	clock_timer_set_ms(&rtc->look, SUP_RTC_LOOK_MS);
	rtc->front = sup_front_new_rtc(rtc->sup);
	rtc->why[0] = '\0';
	sup_front_start(rtc->front);
}

void
sup_rtc_apply(struct sup *sup)
{
	struct sup_rtc *rtc = sup->rtc;
	bool changed;

	clock_timer_cancel(&rtc->retry);
	if (sup->stopping || sup->conf == NULL)
		return;
	if (!sup->conf->rtc_enabled) {
		go_without(rtc, 404, "WebRTC is switched off");
		return;
	}
	if (!is_installed(sup)) {
		go_without(rtc, 503, SUP_RTC_PROGRAM " is not installed");
		return;
	}
	if (review_sockets(rtc, &changed) < 0)
		return;
	if (rtc->front == NULL)
		start(rtc);
	else if (changed)
		(void)sup_rtc_restart(sup);
	else if (rtc->front->child != NULL)
		sup_child_send(rtc->front->child, make_config(rtc), -1);
	else if (rtc->front->held)
		sup_front_start(rtc->front);
}

bool
sup_rtc_restart(struct sup *sup)
{
	struct sup_rtc *rtc = sup->rtc;

	if (rtc->front == NULL)
		sup_rtc_apply(sup);
	else if (rtc->front->child != NULL)
		sup_child_stop(rtc->front->child);
	else
		sup_front_start(rtc->front);
	return rtc->front != NULL;
}

static json_t *
make_state(bool ready)
{
	json_t *msg = msg_new(MSG_RTC_STATE);

	msg_set_bool(msg, "ready", ready);
	return msg;
}

void
sup_rtc_tell(struct sup_front *front)
{
	const char *why;
	int code;

	if (sup_settings(front->sup)->rtc_enabled && sup_rtc_ready(front->sup, &code, &why) == NULL)
		sup_front_tell(front, MSG_RTC_STATE, make_state(false));
}

void
sup_rtc_announce(struct sup *sup, bool ready)
{
	if (!sup->stopping)
		sup_front_tell_all(sup, MSG_RTC_STATE, make_state(ready));
}

struct sup_front *
sup_rtc_ready(struct sup *sup, int *code, const char **why)
{
	struct sup_rtc *rtc = sup->rtc;

	if (rtc->front != NULL && rtc->front->ready && rtc->front->child != NULL)
		return rtc->front;
	*code = rtc->front != NULL ? 503 : rtc->code;
	*why = rtc->front != NULL ? "WebRTC is starting" : rtc->why;
	return NULL;
}
