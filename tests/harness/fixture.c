/*
 * What happens before and after each test: a checked fixture of check, and, because in check's fork
 * mode a failing test leaves by exit() without running fixtures, a handler at exit as well.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/xalloc.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WATCHDOG_S      300
#define CHECK_TIMEOUT_S 7200
#define ORPHAN_GRACE_MS 5000

struct deferred {
	SLIST_ENTRY(deferred) entry;
	void (*fn)(void *arg);
	void *arg;
};

struct patch {
	SLIST_ENTRY(patch) entry;
	void *variable; /* NULL: an environment variable */
	void *saved;    /* its bytes; or its text, NULL: was not set */
	size_t size;
	char *name;
};

static struct {
	bool active, returned, skipped, ignore_fds;
	pid_t pid; /* a forked process of a test that exits is not the test */
	struct loop *loop;
	SLIST_HEAD(, deferred) deferred;
	SLIST_HEAD(, patch) patches;
	SLIST_HEAD(, deferred) strings; /* freed after the test */
	struct fd_set_before *fds;
	char *tmpdir;
} fixture;

const char *
fixture_test_name(void)
{
	const char *name = tcase_name();

	return name != NULL ? name : "a test";
}

int
fixture_scaled_ms(int ms)
{
	const char *slow = getenv("HARNESS_SLOW");
	int factor = slow != NULL ? atoi(slow) : 1, slowness = machine_slowness();

	if (slowness > factor)
		factor = slowness;
	return factor > 1 ? ms * factor : ms;
}

struct loop *
fixture_loop(void)
{
	return fixture.loop;
}

void
fixture_use_loop(struct loop *loop)
{
	fixture.loop = loop;
}

bool
fixture_was_skipped(void)
{
	return fixture.skipped;
}

void
fixture_mark_returned(void)
{
	fixture.returned = true;
}

void
harness_note_skip(const char *fmt, ...)
{
	va_list ap;

	printf("SKIP: %s: ", fixture_test_name());
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	fixture.skipped = true;
	harness_count_skip();
}

void
harness_ignore_fds(const char *why)
{
	(void)why;
	fixture.ignore_fds = true;
}

/* Deferred functions and patches */

void
harness_defer(void (*fn)(void *arg), void *arg)
{
	struct deferred *deferred = xcalloc(1, sizeof(*deferred));

	deferred->fn = fn;
	deferred->arg = arg;
	SLIST_INSERT_HEAD(&fixture.deferred, deferred, entry);
}

static void
run_deferred(void)
{
	struct deferred *first;

	while ((first = SLIST_FIRST(&fixture.deferred)) != NULL) {
		SLIST_REMOVE_HEAD(&fixture.deferred, entry);
		first->fn(first->arg);
		free(first);
	}
}

void
harness_patch(void *variable, const void *value, size_t size)
{
	struct patch *patch = xcalloc(1, sizeof(*patch));

	patch->variable = variable;
	patch->size = size;
	patch->saved = xmalloc(size);
	memcpy(patch->saved, variable, size);
	memcpy(variable, value, size);
	SLIST_INSERT_HEAD(&fixture.patches, patch, entry);
}

void
harness_setenv(const char *name, const char *value)
{
	struct patch *patch = xcalloc(1, sizeof(*patch));
	const char *old = getenv(name);

	patch->name = xstrdup(name);
	patch->saved = old != NULL ? xstrdup(old) : NULL;
	SLIST_INSERT_HEAD(&fixture.patches, patch, entry);
	if (value != NULL)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void
restore_patches(void)
{
	struct patch *patch;

	while ((patch = SLIST_FIRST(&fixture.patches)) != NULL) {
		SLIST_REMOVE_HEAD(&fixture.patches, entry);
		if (patch->variable != NULL)
			memcpy(patch->variable, patch->saved, patch->size);
		else if (patch->saved != NULL)
			setenv(patch->name, patch->saved, 1);
		else
			unsetenv(patch->name);
		free(patch->saved);
		free(patch->name);
		free(patch);
	}
}

/* Temporary files */

const char *
harness_tmpdir(void)
{
	if (fixture.tmpdir == NULL) {
		fixture.tmpdir = xasprintf("%s/XXXXXX", harness_tmp_root());
		if (mkdtemp(fixture.tmpdir) == NULL)
			ck_abort_msg("mkdtemp(%s): %m", fixture.tmpdir);
	}
	return fixture.tmpdir;
}

const char *
harness_tmpfile(const char *name)
{
	struct deferred *string = xcalloc(1, sizeof(*string));

	string->arg = xasprintf("%s/%s", harness_tmpdir(), name);
	SLIST_INSERT_HEAD(&fixture.strings, string, entry);
	return string->arg;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void
harness_remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remove_files(void)
{
	struct deferred *string;

	if (fixture.tmpdir != NULL)
		harness_remove_tree(fixture.tmpdir);
	free(fixture.tmpdir);
	fixture.tmpdir = NULL;
	while ((string = SLIST_FIRST(&fixture.strings)) != NULL) {
		SLIST_REMOVE_HEAD(&fixture.strings, entry);
		free(string->arg);
		free(string);
	}
}

/* The watchdog: real time, for a test that hangs in a call. */

static void
on_watchdog(int signo)
{
	static const char text[] = "\nharness: the test hangs and is ended: ";
	const char *name = fixture_test_name();

	(void)signo;
	/* If what follows hangs as well, the second alarm kills. */
	alarm(5);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, name, strlen(name)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
	if (fixture.loop != NULL)
		programs_kill(fixture.loop);
	log_capture_print();
	_exit(1);
}

void
harness_watchdog_s(unsigned seconds)
{
	struct sigaction action = { .sa_handler = on_watchdog,
				    .sa_flags = SA_RESETHAND | SA_NODEFER };

	sigaction(SIGALRM, &action, NULL);
	alarm((unsigned)fixture_scaled_ms((int)seconds));
}

/* Begin and end */

static void
end(bool failed)
{
	bool had_programs = fixture.loop != NULL && fixture.loop->had_programs;
	struct textbuf problems = { 0 };
	char text[3500] = "";

	fixture.active = false;
	run_deferred();
	if (!failed)
		log_capture_check(&problems);
	if (failed) {
		log_capture_print();
		if (fixture.loop != NULL)
			programs_print(fixture.loop);
	}
	if (fixture.loop != NULL)
		loop_end(&fixture.loop, failed, &problems);
	leaks_end_children(had_programs ? fixture_scaled_ms(ORPHAN_GRACE_MS) : 0, &problems);
	leaks_compare_fds(&fixture.fds, !fixture.ignore_fds && !harness_is_isolated, &problems);
	restore_patches();
	remove_files();
	if (problems.len > 0 && !failed) {
		snprintf(text, sizeof(text), "after the test: %s", problems.text);
		log_capture_print();
	}
	textbuf_free(&problems);
	log_capture_end();
	alarm(0);
	if (text[0] != '\0')
		ck_abort_msg("%s", text);
}

static void
on_exit_of_process(int status, void *arg)
{
	(void)arg;
	if (!fixture.active || fixture.pid != getpid())
		return;
	if (status == 0)
		fprintf(stderr, "%s: the test called exit(0) before its end\n",
			fixture_test_name());
	end(true);
	fflush(NULL);
	/* What a failed test still holds is no leak. */
	_exit(status != 0 ? status : 1);
}

#undef _ck_assert_failed
void
harness_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	char text[4000];
	va_list ap;

	if (msg != NULL) {
		va_start(ap, msg);
		vsnprintf(text, sizeof(text), msg, ap);
		va_end(ap);
	}
	/* Otherwise the fixture comes, after check's longjmp(). */
	if (fixture.active && getpid() != harness_runner_pid && getpid() == fixture.pid)
		end(true);
	if (msg != NULL)
		_ck_assert_failed(file, line, expr, "%s", text);
	_ck_assert_failed(file, line, expr, NULL);
	abort(); /* not reached: tells the compiler */
}

static void
setup(void)
{
	static bool registered;

	if (!registered)
		on_exit(on_exit_of_process, NULL);
	registered = true;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fixture.returned = fixture.skipped = fixture.ignore_fds = false;
	fixture.pid = getpid();
	fixture.fds = leaks_note_fds();
	log_capture_begin();
	machine_note_start();
	harness_watchdog_s(WATCHDOG_S);
	fixture.active = true;
}

static void
teardown(void)
{
	if (fixture.active)
		end(!fixture.returned);
}

#undef tcase_create
TCase *
harness_tcase_create(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	/* The watchdog comes long before, and cleans up. */
	tcase_set_timeout(tcase, CHECK_TIMEOUT_S);
	return tcase;
}

void
harness_run_plain(harness_plain_fn *body, int i)
{
	body(i);
	fixture.returned = true;
}

void
harness_run_async(harness_body_fn *body, int i, const struct loop_options *options)
{
	struct loop *loop = loop_new(options);

	body(loop, i);
	if (!fixture.skipped)
		loop_finish(loop);
	fixture.returned = true;
}
