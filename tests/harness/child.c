/*
 * Functions and tests of a test program that run in a process of their own: the same binary,
 * exec'd again.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ISOLATED_MAX_S 600 /* the process has a watchdog of its own, which comes first */
#define ARGS_MAX       16

static struct harness_child *children;

void
harness_child_register(struct harness_child *child)
{
	child->next = children;
	children = child;
}

int
harness_child_run(const char *name, int argc, char **argv)
{
	for (const struct harness_child *child = children; child != NULL; child = child->next)
		if (strcmp(child->name, name) == 0) {
			log_set_level(LOG_LEVEL_DEBUG);
			return child->fn(argc, argv);
		}
	fprintf(stderr, "no HARNESS_CHILD(%s)\n", name);
	return 2;
}

struct program *
program_start_self(struct loop *loop, enum msg_to receive, const char *name, ...)
{
	char *args[ARGS_MAX] = { (char *)"--child", (char *)(uintptr_t)name };
	size_t n = 2;
	va_list ap;

	va_start(ap, name);
	do {
		ck_assert_uint_lt(n, ARGS_MAX);
		args[n] = va_arg(ap, char *);
	} while (args[n++] != NULL);
	va_end(ap);
	return program_start_binary(loop, args, receive);
}

void
harness_run_isolated(const char *name, harness_body_fn *body, int i,
		     const struct loop_options *options)
{
	const struct loop_options real = { .real_clock = true };
	char index[16], *args[] = { (char *)"--isolated", (char *)(uintptr_t)name, index, NULL };
	struct program *program;
	struct loop *loop;
	size_t len;
	int status;

	if (harness_is_isolated) {
		harness_run_async(body, i, options);
		return;
	}
	snprintf(index, sizeof(index), "%d", i);
	harness_watchdog_s(ISOLATED_MAX_S + 30);
	loop = loop_new(&real);
	program = program_start_binary(loop, args, 0);
	status = program_wait(program, ISOLATED_MAX_S * 1000);
	len = strlen(program_output(program));
	if (status == 77) {
		fputs(program_output(program), stdout);
		harness_count_skip();
	} else if (status != 0) {
		ck_abort_msg("in its own process, status %d: %s", status,
			     program_output(program) + (len > 2500 ? len - 2500 : 0));
	}
	fixture_mark_returned();
}
