/*
 * The table of system calls, and helpers/sandbox_probe.c, which does what is forbidden and must
 * fail.
 */
#include "config.h"

#include "shared/sandbox_int.h"
#include "tests/harness/harness.h"

#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef CAMHUB_NO_SANDBOX
#define SKIP_WITHOUT_SANDBOX() HARNESS_SKIP("built without a sandbox")
#else
#define SKIP_WITHOUT_SANDBOX()
#endif

#define WORKER_CALLS_MAX 45
#define FORBIDDEN_MIN    60

/* The calls that a stage allows, each once. */
static size_t
allowed(enum sandbox_program program, enum sandbox_stage stage, int *numbers, size_t max)
{
	static const struct sandbox_facts facts = { .report_fd = -1 };
	struct sandbox_group groups[SANDBOX_GROUPS_MAX];
	size_t n_groups = sandbox_groups(program, stage, &facts, groups), n = 0;

	for (size_t g = 0; g < n_groups; g++)
		for (size_t i = 0; i < groups[g].n; i++) {
			const struct sandbox_call *call = &groups[g].calls[i];
			size_t known = 0;

			while (known < n && numbers[known] != call->number)
				known++;
			if (call->error != 0 || known < n)
				continue;
			ck_assert_uint_lt(n, max);
			numbers[n++] = call->number;
		}
	return n;
}

static bool
has(const int *numbers, size_t n, int number)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

START_TEST(test_a_worker_that_runs_has_few_calls)
{
	static const int forbidden[] = {
		SCMP_SYS(open),    SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(socket),
		SCMP_SYS(connect), SCMP_SYS(bind),   SCMP_SYS(execve),  SCMP_SYS(execveat),
		SCMP_SYS(clone),   SCMP_SYS(clone3), SCMP_SYS(fork),    SCMP_SYS(ptrace),
		SCMP_SYS(kill),    SCMP_SYS(unlink), SCMP_SYS(seccomp),
	};
	int numbers[256];
	size_t n = allowed(SANDBOX_WORKER, SANDBOX_RUNNING, numbers, 256);

	/* and tgkill, for abort() */
	ck_assert_uint_le(n + 1, WORKER_CALLS_MAX);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		ck_assert_msg(!has(numbers, n, forbidden[i]), "call %d", forbidden[i]);
}
END_TEST

/* What one stage allows the next may take away, never the other way round: filters only add up. */
START_TEST(test_no_stage_gives_back_what_one_before_took)
{
	for (int program = 0; program < SANDBOX_PROGRAM_COUNT; program++) {
		int before[256], after[256];
		size_t n_before = allowed(program, SANDBOX_OPENING, before, 256);
		size_t n_after = allowed(program, SANDBOX_RUNNING, after, 256);

		ck_assert(program == SANDBOX_SUPERVISOR || n_after > 0);
		for (size_t i = 0; n_before > 0 && i < n_after; i++)
			ck_assert_msg(has(before, n_before, after[i]), "program %d call %d",
				      program, after[i]);
	}
}
END_TEST

START_TEST(test_nobody_may_do_what_the_supervisor_may_not)
{
	for (int program = 0; program < SANDBOX_PROGRAM_COUNT; program++)
		for (int stage = 0; stage < SANDBOX_STAGE_COUNT; stage++) {
			int numbers[256];
			size_t n = allowed(program, stage, numbers, 256);

			for (size_t i = 0; i < sandbox_never.n; i++)
				ck_assert_msg(!has(numbers, n, sandbox_never.calls[i].number),
					      "program %d call %d", program,
					      sandbox_never.calls[i].number);
		}
}
END_TEST

START_TEST(test_calls_have_names)
{
	char name[SANDBOX_NAME_MAX];

	ck_assert_str_eq(sandbox_call_name(SYS_openat, name), "openat");
	ck_assert_str_eq(sandbox_call_name(4711, name), "call 4711");
	ck_assert_str_eq(sandbox_call_name(-1, name), "call -1");
	ck_assert_str_eq(sandbox_call_name(0x7fffffffffffffff, name), "call 9223372036854775807");
}
END_TEST

/* The probe */

struct probe {
	unsigned n, done;
	char *text;
};

/* Lines "name what"; fails for a name that was not treated as expected in its own call's name. */
static void
run(struct loop *loop, struct probe *probe, const char *program, const char *stage)
{
	const char *argv[] = { SANDBOX_PROBE, program, stage, NULL };
	const char *output;

	ck_assert_int_eq(program_run(loop, argv, &output), 0);
	*probe = (struct probe){ .text = strdup(output) };
	harness_defer(free, probe->text);
}

/* What became of an act, "" when it was none. */
static const char *
result_of(const struct probe *probe, const char *name)
{
	static char result[128];
	size_t len = strlen(name);
	const char *at = probe->text;

	while ((at = strstr(at, name)) != NULL) {
		if ((at == probe->text || at[-1] == '\n') && at[len] == ' ') {
			snprintf(result, sizeof(result), "%.*s", (int)strcspn(at + len + 1, "\n"),
				 at + len + 1);
			return result;
		}
		at += len;
	}
	return "";
}

/* All lines that a system call's name begins: "NAME killed NAME", but for the exceptions. */
static unsigned
assert_all_killed(const struct probe *probe, const char *const *but)
{
	unsigned n = 0;

	for (const char *line = probe->text; *line != '\0'; line = strchr(line, '\n') + 1) {
		char name[64], expected[160], found[160];
		size_t i = 0;

		if (sscanf(line, "%63s", name) != 1 || strncmp(line, "camhub[", 7) == 0)
			continue;
		while (but[i] != NULL && strcmp(but[i], name) != 0)
			i++;
		if (but[i] != NULL)
			continue;
		snprintf(expected, sizeof(expected), "%s killed %s", name, name);
		snprintf(found, sizeof(found), "%.*s", (int)strcspn(line, "\n"), line);
		ck_assert_str_eq(found, expected);
		n++;
	}
	return n;
}

START_ASYNC_TEST(test_a_running_worker_can_do_nothing_else, .real_clock = true)
{
	static const char *const others[] = { "rt_sigaction", "thread",      "heap", "x32",
					      "i386",         "unix-socket", NULL };
	struct probe probe;

	SKIP_WITHOUT_SANDBOX();
	run(loop, &probe, "worker", "running");
	ck_assert_uint_ge(assert_all_killed(&probe, others), FORBIDDEN_MIN);
	/* Who takes the handler away dies without a word; so does another machine's call. */
	ck_assert_str_eq(result_of(&probe, "rt_sigaction"), "killed without a word");
	ck_assert_str_eq(result_of(&probe, "thread"), "killed openat");
	ck_assert_str_eq(result_of(&probe, "unix-socket"), "killed socket");
	ck_assert_str_eq(result_of(&probe, "heap"), "done");
#ifdef __x86_64__
	ck_assert_str_eq(result_of(&probe, "x32"), "killed without a word");
	ck_assert_str_eq(result_of(&probe, "i386"), "killed without a word");
#endif
	async_complete(loop);
}
END_ASYNC_TEST

/* Programs whose sandbox is wider, and all that they may do of what the probe tries. */
START_ASYNC_TEST(test_the_others_do_what_they_must, .real_clock = true)
{
	static const struct {
		const char *program, *unix_socket;
		const char *may[24];
	} rows[] = {
		{ "http", "done", { "connect", "ftruncate", "memfd_create", "dup", "ioctl" } },
		{ "snapshot", "killed socket", { "clone3", "ftruncate", "memfd_create" } },
		/* No other camera's bus: told no, nng may try again. */
		{ "transcode",
		  "refused EACCES",
		  { "connect", "clone3", "dup", "ftruncate", "memfd_create" } },
		{ "auth", "killed socket", { "clone3" } },
		{ "worker-av",
		  "killed socket",
		  { "socket", "connect", "bind", "sendmmsg", "clone3", "readlink", "stat", "statx",
		    "access", "dup", "ioctl" } },
	};

	SKIP_WITHOUT_SANDBOX();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *but[32] = { "rt_sigaction", "thread", "heap",
					"x32",          "i386",   "unix-socket" };
		struct probe probe;

		memcpy(but + 6, rows[i].may, sizeof(rows[i].may));
		run(loop, &probe, rows[i].program, "running");
		ck_assert_uint_ge(assert_all_killed(&probe, but), FORBIDDEN_MIN);
		ck_assert_str_eq(result_of(&probe, "rt_sigaction"), "killed without a word");
		ck_assert_str_eq(result_of(&probe, "unix-socket"), rows[i].unix_socket);
		ck_assert_str_eq(result_of(&probe, "execve"), "killed execve");
		ck_assert_str_eq(result_of(&probe, "openat"), "killed openat");
		ck_assert_str_eq(result_of(&probe, "heap"), "done");
		/* Threads, but no processes. */
		ck_assert_str_eq(result_of(&probe, "clone"), "killed clone");
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_supervisor_is_told_no_and_lives, .real_clock = true)
{
	static const char *const refused[] = { "ptrace",  "mount",  "bpf",        "io_uring_setup",
					       "unshare", "keyctl", "kexec_load", "userfaultfd" };
	struct probe probe;

	SKIP_WITHOUT_SANDBOX();
	run(loop, &probe, "supervisor", "running");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert_str_eq(result_of(&probe, refused[i]), "refused EPERM");
	ck_assert_str_eq(result_of(&probe, "openat"), "done");
	async_complete(loop);
}
END_ASYNC_TEST

/* Without a filter: Landlock alone. What it cannot do before a version is not asked. */
START_ASYNC_TEST(test_landlock, .real_clock = true)
{
	static const struct {
		const char *act, *result;
		long version;
	} rows[] = {
		{ "open-passwd", "refused EACCES", 1 }, { "list-root", "refused EACCES", 1 },
		{ "make-file", "refused EACCES", 1 },   { "make-directory", "refused EACCES", 1 },
		{ "run-program", "refused EACCES", 1 }, { "connect-tcp", "refused EACCES", 4 },
		{ "bind-tcp", "refused EACCES", 4 },    { "signal-parent", "refused EPERM", 6 },
	};
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct probe probe;

	SKIP_WITHOUT_SANDBOX();
	if (version < 1)
		HARNESS_SKIP("this kernel has no Landlock");
	run(loop, &probe, "worker", "early");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (version >= rows[i].version)
			ck_assert_str_eq(result_of(&probe, rows[i].act), rows[i].result);
	async_complete(loop);
}
END_ASYNC_TEST

/* The probe is not blind: where nothing is shut, most of it works. */
START_ASYNC_TEST(test_without_a_sandbox_the_probe_does_it_all, .real_clock = true)
{
	struct probe probe;

	harness_setenv(SANDBOX_VARIABLE, "off");
	run(loop, &probe, "worker", "running");
	ck_assert_ptr_null(strstr(probe.text, "killed"));
	ck_assert_str_eq(result_of(&probe, "openat"), "done");
	ck_assert_str_eq(result_of(&probe, "socket"), "done");
	ck_assert_str_eq(result_of(&probe, "fork"), "done");
	run(loop, &probe, "worker", "early");
	ck_assert_str_eq(result_of(&probe, "open-passwd"), "done");
	ck_assert_str_eq(result_of(&probe, "run-program"), "done");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-sandbox");
	TCase *tcase = tcase_create("sandbox");

	tcase_add_test(tcase, test_a_worker_that_runs_has_few_calls);
	tcase_add_test(tcase, test_no_stage_gives_back_what_one_before_took);
	tcase_add_test(tcase, test_nobody_may_do_what_the_supervisor_may_not);
	tcase_add_test(tcase, test_calls_have_names);
	tcase_add_test(tcase, test_a_running_worker_can_do_nothing_else);
	tcase_add_test(tcase, test_the_others_do_what_they_must);
	tcase_add_test(tcase, test_the_supervisor_is_told_no_and_lives);
	tcase_add_test(tcase, test_landlock);
	tcase_add_test(tcase, test_without_a_sandbox_the_probe_does_it_all);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
