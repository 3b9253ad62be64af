/*
 * Real programs: fork, exec, fd 3, output, end.
 */
#include "config.h"

#include "tests/harness/program.h"

#include "shared/chan.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_FD       3
#define OUTPUT_MAX_BYTES (4u << 20)

extern char **environ;

struct program {
	LIST_ENTRY(program) entry;
	struct loop *loop;
	char *name;
	pid_t pid;
	int pidfd, output_fd;
	struct event *pid_ev, *output_ev;
	struct textbuf output;
	struct peer *peer;
	bool ended, silent;
	int status; /* exit status, or -signal */
};

static void
read_output(struct program *program)
{
	char bytes[65536];
	ssize_t n;

	while (program->output_fd >= 0 &&
	       (n = read(program->output_fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		if (program->output.len < OUTPUT_MAX_BYTES)
			textbuf_add_bytes(&program->output, bytes, (size_t)n);
	}
	if (program->output_fd >= 0) {
		event_del(program->output_ev);
		close(program->output_fd);
		program->output_fd = -1;
	}
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_output(arg);
}

static void
reap(struct program *program, int options)
{
	siginfo_t info = { 0 };

	if (program->ended || waitid(P_PIDFD, (id_t)program->pidfd, &info, WEXITED | options) < 0 ||
	    info.si_pid == 0)
		return;
	program->ended = true;
	program->loop->programs_running--;
	program->status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
	event_del(program->pid_ev);
	read_output(program);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reap(arg, WNOHANG);
}

/* In the new process. */
static void
become(const struct program_options *options, char *const argv[], char **env, int output, int chan)
{
	sigset_t none;
	int null_fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(1);
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(0);
	output = fcntl(output, F_DUPFD_CLOEXEC, 10);
	chan = chan >= 0 ? fcntl(chan, F_DUPFD_CLOEXEC, 10) : -1;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null_fd, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (chan >= 0)
		dup2(chan, CHANNEL_FD);
	syscall(SYS_close_range, chan >= 0 ? CHANNEL_FD + 1 : CHANNEL_FD, ~0U, 0);
	if (options->cwd != NULL && chdir(options->cwd) < 0)
		perror(options->cwd);
	else
		execvpe(options->path, argv, env);
	dprintf(STDERR_FILENO, "cannot run %s: %m\n", options->path);
	_exit(127);
}

/* The test's environment with options->env put over it. */
static char **
make_environment(const struct program_options *options)
{
	size_t n = 0, more = 0, out = 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	while (options->env != NULL && options->env[more] != NULL)
		more++;
	env = xcalloc(n + more + 1, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		bool replaced = false;

		for (size_t k = 0; k < more; k++)
			replaced |= strncmp(environ[i], options->env[k],
					    strcspn(options->env[k], "=") + 1) == 0;
		if (!replaced)
			env[out++] = environ[i];
	}
	for (size_t k = 0; k < more; k++)
		env[out++] = (char *)(uintptr_t)options->env[k];
	return env;
}

static void
watch(struct program *program)
{
	struct loop *loop = program->loop;

	fcntl(program->output_fd, F_SETFL, O_NONBLOCK);
	program->output_ev =
	    event_new(loop->base, program->output_fd, EV_READ | EV_PERSIST, on_output, program);
	program->pid_ev = event_new(loop->base, program->pidfd, EV_READ, on_end, program);
	event_add(program->output_ev, NULL);
	event_add(program->pid_ev, NULL);
	LIST_INSERT_HEAD(&loop->programs, program, entry);
	loop->programs_running++;
	loop->had_programs = true;
}

struct program *
program_start(struct loop *loop, const struct program_options *options)
{
	struct program *program = xcalloc(1, sizeof(*program));
	char *plain[] = { (char *)(uintptr_t)options->path, NULL },
	     **env = make_environment(options);
	char *const *argv = options->argv != NULL ? (char *const *)(uintptr_t)options->argv : plain;
	int chan[2] = { -1, -1 }, output[2];
	sigset_t all, old;

	if (pipe2(output, O_CLOEXEC) < 0 || (options->receive != 0 && chan_pair(chan) < 0))
		ck_abort_msg("program_start: %m");
	program->loop = loop;
	program->name = xstrdup(argv[0]);
	program->silent = options->silent;
	textbuf_add(&program->output, "%s", "");
	fflush(NULL);
	/* Until exec a signal would run check's handlers there. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	program->pid = fork();
	if (program->pid == 0)
		become(options, argv, env, output[1], chan[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(env);
	close(output[1]);
	if (chan[1] >= 0)
		close(chan[1]);
	if (program->pid < 0)
		ck_abort_msg("fork: %m");
	program->pidfd = (int)syscall(SYS_pidfd_open, program->pid, 0);
	program->output_fd = output[0];
	watch(program);
	if (chan[0] >= 0)
		program->peer = peer_new_chan(loop, chan[0], options->receive, program->name);
	return program;
}

struct program *
program_start_binary(struct loop *loop, char *const *args, enum msg_to receive)
{
	const char *argv[20] = { "self" };
	struct program_options options = { .path = "/proc/self/exe",
					   .argv = argv,
					   .receive = receive };
	size_t n = 0;

	for (; args[n] != NULL; n++) {
		ck_assert_uint_lt(n + 2, 20);
		argv[n + 1] = args[n];
	}
	argv[n + 1] = NULL;
	return program_start(loop, &options);
}

pid_t
program_pid(const struct program *program)
{
	return program->pid;
}

struct peer *
program_peer(const struct program *program)
{
	ck_assert_msg(program->peer != NULL, "%s has no channel", program->name);
	return program->peer;
}

const char *
program_output(const struct program *program)
{
	return program->output.text;
}

void
program_signal(struct program *program, int signo)
{
	if (!program->ended)
		syscall(SYS_pidfd_send_signal, program->pidfd, signo, NULL, 0);
}

bool
program_has_ended(const struct program *program)
{
	return program->ended;
}

static bool
has_ended(void *arg)
{
	return program_has_ended(arg);
}

int
program_wait(struct program *program, int deadline_ms)
{
	char what[128];

	snprintf(what, sizeof(what), "the end of %s", program->name);
	loop_run_until_true(program->loop, has_ended, program, what, deadline_ms);
	return program->status;
}

struct awaited {
	struct program *program;
	const char *part;
};

static bool
is_printed(void *arg)
{
	const struct awaited *awaited = arg;
	const struct program *program = awaited->program;

	if (strstr(program->output.text, awaited->part) != NULL)
		return true;
	if (program->ended)
		loop_fail(program->loop, "%s has ended (%d) without printing '%s':\n%.2000s\n",
			  program->name, program->status, awaited->part, program->output.text);
	return false;
}

void
program_wait_output(struct program *program, const char *part, int deadline_ms)
{
	struct awaited awaited = { program, part };
	char what[200];

	snprintf(what, sizeof(what), "'%s' from %s", part, program->name);
	loop_run_until_true(program->loop, is_printed, &awaited, what, deadline_ms);
}

int
program_run(struct loop *loop, const char *const *argv, const char **output)
{
	struct program_options options = { .path = argv[0], .argv = argv };
	struct program *program = program_start(loop, &options);
	int status = program_wait(program, 0);

	if (output != NULL)
		*output = program->output.text;
	return status;
}

/* The end of the test */

void
programs_check(struct loop *loop, struct textbuf *problems)
{
	struct program *program;
	char where[128];

	LIST_FOREACH (program, &loop->programs, entry) {
		snprintf(where, sizeof(where), "output of %s", program->name);
		log_forbidden_in(program->output.text, where, problems);
	}
}

void
programs_print(struct loop *loop)
{
	struct program *program;

	LIST_FOREACH (program, &loop->programs, entry) {
		read_output(program);
		if (!program->silent && program->output.len > 0)
			fprintf(stderr, "---- output of %s\n%s\n---- end of the output\n",
				program->name, program->output.text);
	}
}

void
programs_kill(struct loop *loop)
{
	struct program *program;

	LIST_FOREACH (program, &loop->programs, entry)
		program_signal(program, SIGKILL);
}

void
programs_free(struct loop *loop)
{
	struct program *program;

	programs_kill(loop);
	while ((program = LIST_FIRST(&loop->programs)) != NULL) {
		LIST_REMOVE(program, entry);
		reap(program, 0);
		event_free(program->pid_ev);
		event_free(program->output_ev);
		if (program->output_fd >= 0)
			close(program->output_fd);
		close(program->pidfd);
		textbuf_free(&program->output);
		free(program->name);
		free(program);
	}
}
