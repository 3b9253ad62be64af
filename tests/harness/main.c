/*
 * main() of a test program: a first process that waits, ends what was left and removes temporary
 * files; a second one that runs the suite; and the same binary again as a child of a test.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TMP_ROOT_VARIABLE "HARNESS_TMP_ROOT"
#define EXIT_USAGE        2
#define EXIT_SKIP         77
#define NAMES_MAX         64

static struct {
	const char *names[NAMES_MAX]; /* run only these */
	bool matched[NAMES_MAX];
	int n;
	int only_index; /* of a loop test; -1: all */
	bool list, no_fork;
} wanted = { .only_index = -1 };

static unsigned *skips; /* shared by all processes of the program */
static volatile sig_atomic_t runner_pid;

bool harness_is_isolated;
pid_t harness_runner_pid;

const char *
harness_tmp_root(void)
{
	const char *root = getenv(TMP_ROOT_VARIABLE);

	return root != NULL ? root : "/tmp";
}

void
harness_count_skip(void)
{
	__atomic_add_fetch(skips, 1, __ATOMIC_RELAXED);
}

#undef _tcase_add_test
void
harness_add_test(TCase *tcase, const TTest *test, int signo, int exit_value, int start, int end)
{
	bool matches = wanted.n == 0;

	for (int i = 0; i < wanted.n; i++)
		if (strcmp(wanted.names[i], test->name) == 0)
			matches = wanted.matched[i] = true;
	if (!matches)
		return;
	if (wanted.list)
		printf("%s\n", test->name);
	if (wanted.only_index >= 0) {
		start = wanted.only_index;
		end = wanted.only_index + 1;
	}
	_tcase_add_test(tcase, test, signo, exit_value, start, end);
}

static int
run_suite(Suite *(*make_suite)(void))
{
	SRunner *runner = srunner_create(make_suite());
	int failed, rc = 0;

	harness_runner_pid = getpid();
	if (wanted.no_fork)
		srunner_set_fork_status(runner, CK_NOFORK);
	for (int i = 0; i < wanted.n; i++)
		if (!wanted.matched[i]) {
			fprintf(stderr, "no test has the name %s (see --list)\n", wanted.names[i]);
			rc = EXIT_USAGE;
		}
	if (rc == 0 && !wanted.list) {
		srunner_run_all(runner, CK_ENV);
		failed = srunner_ntests_failed(runner);
		rc = failed > 0 ? EXIT_FAILURE : *skips > 0 ? EXIT_SKIP : EXIT_SUCCESS;
	}
	srunner_free(runner);
	return rc;
}

/* The first process */

static void
on_stop(int signo)
{
	(void)signo;
	kill((pid_t)runner_pid, SIGKILL);
}

static int
wait_for_runner(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "harness: the test program was ended by %s\n", strsignal(WTERMSIG(status)));
	return EXIT_FAILURE;
}

static int
guard(pid_t pid, const char *root)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP };
	struct textbuf left = { 0 };
	int rc;

	runner_pid = pid;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		signal(stops[i], on_stop);
	rc = wait_for_runner(pid);
	leaks_end_children(0, &left);
	if (left.len > 0) {
		fprintf(stderr, "harness: after all tests: %s", left.text);
		rc = rc == 0 || rc == EXIT_SKIP ? EXIT_FAILURE : rc;
	}
	textbuf_free(&left);
	harness_remove_tree(root);
	return rc;
}

static int
run_guarded(Suite *(*make_suite)(void))
{
	const char *base = getenv("TMPDIR");
	char root[64];
	pid_t pid;

	/* Paths of unix sockets have to fit below it. */
	if (base == NULL || strlen(base) > 30)
		base = "/tmp";
	snprintf(root, sizeof(root), "%s/camhub.XXXXXX", base);
	if (mkdtemp(root) == NULL) {
		perror(root);
		return EXIT_FAILURE;
	}
	setenv(TMP_ROOT_VARIABLE, root, 1);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return EXIT_FAILURE;
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(run_suite(make_suite));
	}
	return guard(pid, root);
}

/* Arguments */

static int
read_names(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--list") == 0) {
			wanted.list = true;
		} else if (strcmp(argv[i], "--no-fork") == 0) {
			wanted.no_fork = true;
		} else if (argv[i][0] == '-' || wanted.n == NAMES_MAX) {
			fprintf(stderr, "usage: [--list] [--no-fork] [TEST...]\n");
			return -EINVAL;
		} else {
			wanted.names[wanted.n++] = argv[i];
		}
	}
	return 0;
}

static void
leave(int status)
{
	fflush(NULL);
	_exit(status); /* threads of libraries may still run */
}

int
harness_main(int argc, char **argv, Suite *(*make_suite)(void))
{
	skips =
	    mmap(NULL, sizeof(*skips), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skips == MAP_FAILED)
		xalloc_die();
	if (argc > 2 && strcmp(argv[1], "--child") == 0)
		leave(harness_child_run(argv[2], argc - 2, argv + 2));
	if (argc > 3 && strcmp(argv[1], "--isolated") == 0) {
		harness_is_isolated = wanted.no_fork = true;
		wanted.names[wanted.n++] = argv[2];
		wanted.only_index = atoi(argv[3]);
		leave(run_suite(make_suite));
	}
	if (read_names(argc - 1, argv + 1) < 0)
		return EXIT_USAGE;
	if (wanted.list)
		return run_suite(make_suite);
	return run_guarded(make_suite);
}
