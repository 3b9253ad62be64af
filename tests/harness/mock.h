/*
 * Asynchronous mocks: stand-ins for functions that take a completion callback.
 *
 * A stand-in with the real signature is three lines: it gives the call to a mock, which notes it
 * and completes it later, from the loop, never from within the call:
 *
 *	static struct mock *resolve_mock;
 *
 *	static void
 *	finish_resolve(const struct mock_call *call, int error, void *result)
 *	{
 *		((resolve_cb *)call->cb)(error, result, call->cb_arg);
 *	}
 *
 *	static void
 *	fake_resolve(const char *host, int port, resolve_cb *cb, void *arg)
 *	{
 *		mock_call(resolve_mock, finish_resolve, (mock_cb *)cb, arg, "%s:%d", host, port);
 *	}
 *
 *	resolve_mock = mock_new(loop, "resolve");
 *	mock_complete_next(resolve_mock, 1000, 0, &address);
 *	PATCH(resolve_fn, fake_resolve);
 *
 * Mocks live until the end of the test. A scripted completion that nobody called for fails it.
 */
#ifndef CAMHUB_TESTS_HARNESS_MOCK_H
#define CAMHUB_TESTS_HARNESS_MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct mock;

typedef void mock_cb(void); /* any function pointer, cast there and back */

struct mock_call {
	struct mock *mock;
	mock_cb *cb;
	void *cb_arg;
	const char *args; /* as formatted by the stand-in */
	int64_t at_ms;    /* loop_elapsed_ms() of the call */
	bool completed, cancelled;
};

/* Turns a scripted result into the real callback's arguments. */
typedef void mock_finish_fn(const struct mock_call *call, int error, void *result);

struct mock *mock_new(struct loop *loop, const char *name);

/* Script: what the next call not yet scripted for gets, after delay_ms of the loop's clock (0: the
 * next turn). result is borrowed until then. */
void mock_complete_next(struct mock *mock, int64_t delay_ms, int error, void *result);
void mock_never_complete_next(struct mock *mock);
/* What every call without a script gets. Without this, such a call fails the test. */
void mock_complete_always(struct mock *mock, int64_t delay_ms, int error, void *result);
void mock_never_complete(struct mock *mock);

/* For the stand-in: note a call (finish may be NULL: nothing to complete) and arrange its end. */
const struct mock_call *mock_call(struct mock *mock, mock_finish_fn *finish, mock_cb *cb,
				  void *cb_arg, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* For a stand-in that cancels: the newest outstanding call with this cb_arg never completes. True
 * if there was one. */
bool mock_cancel(struct mock *mock, const void *cb_arg);

/* What was recorded. i from 0; a call that was not made fails the test. */
size_t mock_calls(const struct mock *mock);
const struct mock_call *mock_call_at(const struct mock *mock, size_t i);
/* Asserts. Order: the calls of all mocks of this loop so far, whole: "open,read,read,close". */
void mock_assert_calls(const struct mock *mock, size_t n);
void mock_assert_args(const struct mock *mock, size_t i, const char *args);
void mock_assert_order(struct loop *loop, const char *names);

#endif
