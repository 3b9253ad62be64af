/*
 * The loop of one test: made fresh, run until something has happened, taken back whatever happened.
 */
#include "config.h"

#include "tests/harness/loop.h"

#include "shared/clock_ev.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_START_NS  (1000 * NS_PER_S)
#define FAKE_RUN_MAX_S 21600 /* a periodic timer alone never makes a condition come true */
#define POLL_MS        10

static void
on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static struct event_base *
make_base(const struct loop_options *options)
{
	static const char *const methods[] = { "epoll", "poll", "select" };
	struct event_config *config;
	struct event_base *base;

	if (options->make_base != NULL)
		return options->make_base();
	config = event_config_new();
	for (size_t i = 0; options->method != NULL && i < 3; i++)
		if (strcmp(methods[i], options->method) != 0)
			event_config_avoid_method(config, methods[i]);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (base != NULL && options->method != NULL)
		ck_assert_str_eq(event_base_get_method(base), options->method);
	return base;
}

struct loop *
loop_new(const struct loop_options *options)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->options = *options;
	loop->hold = options->hold_time;
	loop->completions_wanted = 1;
	LIST_INIT(&loop->peers);
	LIST_INIT(&loop->mocks);
	LIST_INIT(&loop->programs);
	/* The fixture knows it before anything can fail. */
	fixture_use_loop(loop);
	loop->base = make_base(options);
	ck_assert_msg(loop->base != NULL, "no event base");
	loop->clock = options->make_clock != NULL ? options->make_clock()
		      : options->real_clock       ? clock_new()
						  : clock_new_fake(FAKE_START_NS);
	if (options->real_clock)
		loop->clock_ev = clock_ev_new(loop->base, loop->clock);
	loop->guard = evtimer_new(loop->base, on_guard, loop);
	loop->start_ns = clock_now_ns(loop->clock);
	return loop;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

struct clock *
loop_clock(struct loop *loop)
{
	return loop->clock;
}

int64_t
loop_elapsed_ms(struct loop *loop)
{
	return (clock_now_ns(loop->clock) - loop->start_ns) / NS_PER_MS;
}

void
loop_hold_time(struct loop *loop, bool hold)
{
	loop->hold = hold;
}

void
loop_pair(struct loop *loop, int type, int fds[2])
{
	(void)loop;
	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		ck_abort_msg("socketpair: %m");
}

void
loop_fail(struct loop *loop, const char *fmt, ...)
{
	struct textbuf message = { 0 };
	char text[3500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	textbuf_add(&message, "%s", text);
	peers_describe(loop, &message);
	snprintf(text, sizeof(text), "%s", message.text);
	textbuf_free(&message);
	ck_abort_msg("%s", text);
	abort(); /* not reached: tells the compiler */
}

/* Running */

void
async_expect(struct loop *loop, unsigned n)
{
	loop->completions_wanted = n;
}

void
async_complete(struct loop *loop)
{
	loop->completions++;
	if (loop->completions > loop->completions_wanted)
		loop_fail(loop, "completed %u times, expected %u", loop->completions,
			  loop->completions_wanted);
}

static int64_t
real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static bool
may_advance(struct loop *loop)
{
	return !loop->options.real_clock && !loop->hold && loop->programs_running == 0;
}

static void
run(struct loop *loop, bool (*is_true)(void *arg), void *arg, const char *what, int deadline_ms)
{
	int wanted_ms = deadline_ms > 0 ? deadline_ms : LOOP_DEADLINE_MS;
	int64_t start = real_ms(), fake_start = loop_elapsed_ms(loop);

	while (!is_true(arg)) {
		if (!loop_turn(loop, POLL_MS, may_advance(loop)) && !is_true(arg))
			loop_fail(
			    loop,
			    "%s: never came, and nothing is pending any more that could bring it\n",
			    what);
		if (real_ms() - start > wanted_ms &&
		    real_ms() - start > fixture_scaled_ms(wanted_ms) && !is_true(arg))
			loop_fail(loop, "%s: not within %d ms\n", what, wanted_ms);
		if (!loop->options.real_clock &&
		    loop_elapsed_ms(loop) - fake_start > FAKE_RUN_MAX_S * 1000LL)
			loop_fail(loop, "%s: not within %d hours of fake time\n", what,
				  FAKE_RUN_MAX_S / 3600);
	}
}

static bool
is_set(void *arg)
{
	return *(const bool *)arg;
}

void
loop_run_until(struct loop *loop, const bool *done, int deadline_ms)
{
	run(loop, is_set, (void *)(uintptr_t)done, "loop_run_until: what the test waits for",
	    deadline_ms);
}

void
loop_run_until_true(struct loop *loop, bool (*is_true)(void *arg), void *arg, const char *what,
		    int deadline_ms)
{
	run(loop, is_true, arg, what, deadline_ms);
}

static bool
is_logged(void *arg)
{
	return log_count(arg) > 0;
}

void
loop_run_until_log(struct loop *loop, const char *part, int deadline_ms)
{
	char what[200];

	snprintf(what, sizeof(what), "a log line with '%s'", part);
	run(loop, is_logged, (void *)(uintptr_t)part, what, deadline_ms);
}

static bool
is_complete(void *arg)
{
	const struct loop *loop = arg;

	return loop->completions >= loop->completions_wanted;
}

void
loop_finish(struct loop *loop)
{
	run(loop, is_complete, loop, "async_complete()", loop->options.deadline_ms);
}

void
loop_settle(struct loop *loop)
{
	int64_t start = real_ms();

	while (loop_is_ready(loop)) {
		loop_turn(loop, 0, false);
		if (real_ms() - start > fixture_scaled_ms(LOOP_DEADLINE_MS))
			loop_fail(loop, "loop_settle: something is ready all the time\n");
	}
}

void
loop_run_for_ms(struct loop *loop, int64_t ms)
{
	int64_t end_ns = clock_now_ns(loop->clock) + ms * NS_PER_MS, left;

	loop_settle(loop);
	while ((left = end_ns - clock_now_ns(loop->clock)) > 0) {
		int64_t next = clock_next_ns(loop->clock);

		if (loop->options.real_clock) {
			loop_turn(loop, (int)(left / NS_PER_MS) + 1, false);
			continue;
		}
		if (next < 0 || next > left)
			next = left;
		clock_advance_ms(loop->clock, (next + NS_PER_MS - 1) / NS_PER_MS);
		loop_settle(loop);
	}
}

/* The end */

static int
describe_event(const struct event_base *base, const struct event *ev, void *arg)
{
	struct textbuf *problems = arg;

	(void)base;
	if (ev->ev_evcallback.evcb_flags & EVLIST_INTERNAL)
		return 0;
	textbuf_add(
	    problems, "event left in the loop:%s%s%s%s%s, callback %s",
	    ev->ev_events & EV_READ ? " read" : "", ev->ev_events & EV_WRITE ? " write" : "",
	    ev->ev_events & EV_SIGNAL ? " signal" : "",
	    ev->ev_events & EV_PERSIST ? " persist" : "",
	    ev->ev_evcallback.evcb_flags & EVLIST_TIMEOUT ? " timeout" : "",
	    symbol_name((const void *)(uintptr_t)ev->ev_evcallback.evcb_cb_union.evcb_callback));
	if (ev->ev_fd >= 0 && !(ev->ev_events & EV_SIGNAL))
		textbuf_add(problems, ", %s", leaks_fd_name(ev->ev_fd));
	textbuf_add(problems, "\n");
	return 0;
}

static void
describe_timers(struct loop *loop, struct textbuf *problems)
{
	const struct clock_timer *timer;

	for (size_t i = 0; (timer = clock_timer_at(loop->clock, i)) != NULL; i++)
		textbuf_add(
		    problems, "clock timer left set: due in %lld ms, callback %s\n",
		    (long long)((timer->deadline_ns - clock_now_ns(loop->clock)) / NS_PER_MS),
		    symbol_name((const void *)(uintptr_t)timer->cb));
}

void
loop_end(struct loop **loop_out, bool failed, struct textbuf *problems)
{
	struct loop *loop = *loop_out;

	if (!failed) {
		peers_check(loop, problems);
		mocks_check(loop, problems);
		programs_check(loop, problems);
	}
	peers_free(loop);
	mocks_free(loop);
	programs_free(loop);
	if (loop->guard != NULL)
		event_free(loop->guard);
	clock_ev_free(&loop->clock_ev);
	if (loop->base != NULL && !failed)
		event_base_foreach_event(loop->base, describe_event, problems);
	if (loop->clock != NULL && !failed)
		describe_timers(loop, problems);
	if (loop->base != NULL)
		event_base_free(loop->base);
	clock_free(&loop->clock);
	free(loop);
	*loop_out = NULL;
}
