/*
 * Asynchronous mocks: calls are noted and completed later by a timer of the loop's clock.
 */
#include "config.h"

#include "tests/harness/mock.h"

#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct outcome {
	bool never;
	int64_t delay_ms;
	int error;
	void *result;
};

struct noted {
	struct mock_call call; /* first: handed out */
	struct clock_timer timer;
	struct outcome outcome;
	mock_finish_fn *finish;
	unsigned order;
};

struct mock {
	LIST_ENTRY(mock) entry;
	struct loop *loop;
	char *name;
	struct outcome *script;
	size_t script_n, script_at;
	bool has_default;
	struct outcome by_default;
	struct noted **calls; /* each on its own: handed-out pointers stay good */
	size_t n;
};

struct mock *
mock_new(struct loop *loop, const char *name)
{
	struct mock *mock = xcalloc(1, sizeof(*mock));

	mock->loop = loop;
	mock->name = xstrdup(name);
	LIST_INSERT_HEAD(&loop->mocks, mock, entry);
	return mock;
}

static void
add_to_script(struct mock *mock, struct outcome outcome)
{
	mock->script = xreallocarray(mock->script, mock->script_n + 1, sizeof(*mock->script));
	mock->script[mock->script_n++] = outcome;
}

void
mock_complete_next(struct mock *mock, int64_t delay_ms, int error, void *result)
{
	add_to_script(mock,
		      (struct outcome){ .delay_ms = delay_ms, .error = error, .result = result });
}

void
mock_never_complete_next(struct mock *mock)
{
	add_to_script(mock, (struct outcome){ .never = true });
}

void
mock_complete_always(struct mock *mock, int64_t delay_ms, int error, void *result)
{
	mock->has_default = true;
	mock->by_default =
	    (struct outcome){ .delay_ms = delay_ms, .error = error, .result = result };
}

void
mock_never_complete(struct mock *mock)
{
	mock->has_default = true;
	mock->by_default = (struct outcome){ .never = true };
}

static void
on_due(struct clock_timer *timer, void *arg)
{
	struct noted *noted = arg;

	(void)timer;
	noted->call.completed = true;
	noted->finish(&noted->call, noted->outcome.error, noted->outcome.result);
}

const struct mock_call *
mock_call(struct mock *mock, mock_finish_fn *finish, mock_cb *cb, void *cb_arg, const char *fmt,
	  ...)
{
	struct noted *noted = xcalloc(1, sizeof(*noted));
	char *args = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&args, fmt, ap) < 0)
		xalloc_die();
	va_end(ap);
	noted->call = (struct mock_call){ .mock = mock,
					  .cb = cb,
					  .cb_arg = cb_arg,
					  .args = args,
					  .at_ms = loop_elapsed_ms(mock->loop) };
	noted->finish = finish;
	noted->order = mock->loop->calls++;
	clock_timer_init(&noted->timer, mock->loop->clock, on_due, noted);
	mock->calls = xreallocarray(mock->calls, mock->n + 1, sizeof(struct noted *));
	mock->calls[mock->n++] = noted;
	if (mock->script_at < mock->script_n)
		noted->outcome = mock->script[mock->script_at++];
	else if (mock->has_default)
		noted->outcome = mock->by_default;
	else if (finish != NULL)
		loop_fail(mock->loop, "mock %s: call %zu (%s) is not in the script\n", mock->name,
			  mock->n, args);
	if (finish != NULL && !noted->outcome.never)
		clock_timer_set_ms(&noted->timer, noted->outcome.delay_ms);
	return &noted->call;
}

bool
mock_cancel(struct mock *mock, const void *cb_arg)
{
	for (size_t i = mock->n; i-- > 0;) {
		struct noted *noted = mock->calls[i];

		if (noted->call.cb_arg != cb_arg || noted->call.completed || noted->call.cancelled)
			continue;
		noted->call.cancelled = true;
		clock_timer_cancel(&noted->timer);
		return true;
	}
	return false;
}

size_t
mock_calls(const struct mock *mock)
{
	return mock->n;
}

const struct mock_call *
mock_call_at(const struct mock *mock, size_t i)
{
	if (i >= mock->n)
		loop_fail(mock->loop, "mock %s: call %zu was not made, only %zu were\n", mock->name,
			  i + 1, mock->n);
	return &mock->calls[i]->call;
}

static void
describe_calls(const struct mock *mock, struct textbuf *out)
{
	for (size_t i = 0; i < mock->n; i++)
		textbuf_add(out, "  %s(%s) at %lld ms%s\n", mock->name, mock->calls[i]->call.args,
			    (long long)mock->calls[i]->call.at_ms,
			    mock->calls[i]->call.cancelled ? ", cancelled" : "");
}

void
mock_assert_calls(const struct mock *mock, size_t n)
{
	struct textbuf out = { 0 };

	if (mock->n == n)
		return;
	textbuf_add(&out, "mock %s: expected %zu calls, got %zu\n", mock->name, n, mock->n);
	describe_calls(mock, &out);
	ck_abort_msg("%s", out.text);
}

void
mock_assert_args(const struct mock *mock, size_t i, const char *args)
{
	const struct mock_call *call = mock_call_at(mock, i);

	if (strcmp(call->args, args) != 0)
		ck_abort_msg("mock %s: call %zu: expected (%s), got (%s)", mock->name, i + 1, args,
			     call->args);
}

void
mock_assert_order(struct loop *loop, const char *names)
{
	struct textbuf got = { 0 };
	struct mock *mock;

	textbuf_add(&got, "%s", "");
	for (unsigned order = 0; order < loop->calls; order++)
		LIST_FOREACH (mock, &loop->mocks, entry)
			for (size_t i = 0; i < mock->n; i++)
				if (mock->calls[i]->order == order)
					textbuf_add(&got, "%s%s", got.len > 0 ? "," : "",
						    mock->name);
	if (strcmp(got.text, names) != 0)
		ck_abort_msg("order of the calls: expected %s, got %s", names, got.text);
	textbuf_free(&got);
}

void
mocks_check(struct loop *loop, struct textbuf *problems)
{
	struct mock *mock;

	LIST_FOREACH (mock, &loop->mocks, entry)
		if (mock->script_at < mock->script_n)
			textbuf_add(problems, "mock %s: %zu scripted calls were never made\n",
				    mock->name, mock->script_n - mock->script_at);
}

void
mocks_free(struct loop *loop)
{
	struct mock *mock;

	while ((mock = LIST_FIRST(&loop->mocks)) != NULL) {
		LIST_REMOVE(mock, entry);
		for (size_t i = 0; i < mock->n; i++) {
			clock_timer_cancel(&mock->calls[i]->timer);
			free((char *)(uintptr_t)mock->calls[i]->call.args);
			free(mock->calls[i]);
		}
		free(mock->calls);
		free(mock->script);
		free(mock->name);
		free(mock);
	}
}
