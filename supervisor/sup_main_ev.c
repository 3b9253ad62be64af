/*
 * The process: arguments, limits, signals as events, the real world behind sup_deps, the loop.
 */
#include "config.h"

#include "shared/clock.h"
#include "shared/clock_ev.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/msg.h"
#include "shared/notify.h"
#include "shared/sandbox.h"
#include "shared/xalloc.h"
#include "supervisor/sup.h"
#include "supervisor/sup_stolen.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct process {
	struct event_base *base;
	struct clock *clock;
	struct clock_ev *clock_ev;
	struct event *signals[3];
	struct sup *sup;
};

struct arguments {
	struct sup_options options;
	bool check;
};

static const char usage[] =
    "usage: camhub-supervisor [options]\n"
    "\n"
    "  --config FILE       configuration (default " CAMHUB_SYSCONF_DIR "/camhub.yaml)\n"
    "  --credentials FILE  passwords of the cameras, mode 0600\n"
    "                      (default $CREDENTIALS_DIRECTORY/cameras)\n"
    "  --runtime-dir DIR   sockets (default " CAMHUB_RUNTIME_DIR ")\n"
    "  --state-dir DIR     passwords and keys, when there are users\n"
    "                      (default $STATE_DIRECTORY or " CAMHUB_STATE_DIR ")\n"
    "  --libexec-dir DIR   the other programs (default " CAMHUB_LIBEXEC_DIR ")\n"
    "  --web-dir DIR       the pages (default " CAMHUB_WEB_DIR ")\n"
    "  --check             check the configuration, start nothing\n"
    "  --version, --help\n";

static int
real_spawn(void *arg, const char *path, char *const argv[], const struct spawn_limits *limits,
	   struct spawn_child *child)
{
	(void)arg;
	return spawn_child(path, argv, limits, child);
}

static int
real_reap(void *arg, int pidfd, int *exit_code, char *text, size_t text_len)
{
	(void)arg;
	return spawn_reap(pidfd, exit_code, text, text_len);
}

static int
real_signal(void *arg, int pidfd, int signo)
{
	(void)arg;
	return spawn_signal(pidfd, signo);
}

static void
real_kill_group(void *arg, pid_t pid)
{
	(void)arg;
	/* Mostly there is nobody left: ESRCH. */
	(void)kill(-pid, SIGKILL);
}

static int
real_connect(void *arg, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)arg;
	if (fd < 0)
		return -errno;
	if (connect(fd, addr, len) < 0 && errno != EINPROGRESS) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static uint32_t
real_random(void *arg)
{
	uint32_t value;

	(void)arg;
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value))
		value = (uint32_t)time(NULL) * 2654435761u;
	return value;
}

static int
real_notify(void *arg, const char *state)
{
	(void)arg;
	return notify_send(state);
}

void
sup_deps_real(struct sup_deps *deps)
{
	deps->spawn = real_spawn;
	deps->reap = real_reap;
	deps->stolen_ms = sup_stolen_ms;
	deps->signal = real_signal;
	deps->kill_group = real_kill_group;
	deps->connect = real_connect;
	deps->random = real_random;
	deps->notify = real_notify;
}

/* Each long option with a value, and where the value goes. */
static const struct {
	const char *name;
	size_t offset;
} valued[] = {
	{ "config", offsetof(struct sup_options, config) },
	{ "credentials", offsetof(struct sup_options, credentials) },
	{ "runtime-dir", offsetof(struct sup_options, runtime_dir) },
	{ "state-dir", offsetof(struct sup_options, state_dir) },
	{ "libexec-dir", offsetof(struct sup_options, libexec_dir) },
	{ "web-dir", offsetof(struct sup_options, web_dir) },
};
#define N_VALUED (sizeof(valued) / sizeof(valued[0]))

static int
show_usage(FILE *file, int status)
{
	fputs(usage, file);
	return status;
}

/* systemd names the directory of the unit, or several with colons between them. */
static const char *
default_state_dir(void)
{
	const char *dir = getenv("STATE_DIRECTORY");

	return dir != NULL && dir[0] == '/' && strchr(dir, ':') == NULL ? dir : CAMHUB_STATE_DIR;
}

/* What to exit with at once, or -1: go on. */
static int
read_arguments(int argc, char **argv, struct arguments *args)
{
	struct option longs[N_VALUED + 4] = { { NULL, 0, NULL, 0 } };
	int c;

	for (size_t i = 0; i < N_VALUED; i++)
		longs[i] = (struct option){ valued[i].name, required_argument, NULL, (int)i };
	longs[N_VALUED] = (struct option){ "check", no_argument, NULL, 'c' };
	longs[N_VALUED + 1] = (struct option){ "version", no_argument, NULL, 'v' };
	longs[N_VALUED + 2] = (struct option){ "help", no_argument, NULL, 'h' };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'h')
			return show_usage(stdout, SUP_EXIT_OK);
		if (c == 'v') {
			printf("camhub-supervisor %s\n", PACKAGE_VERSION);
			return SUP_EXIT_OK;
		}
		if (c == 'c')
			args->check = true;
		else if (c >= 0 && c < (int)N_VALUED)
			memcpy((char *)&args->options + valued[c].offset, &optarg, sizeof(optarg));
		else
			return show_usage(stderr, SUP_EXIT_USAGE);
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "camhub-supervisor: unexpected argument \"%s\"\n", argv[optind]);
	return show_usage(stderr, SUP_EXIT_USAGE);
}

static int
check_only(const struct sup_options *options)
{
	struct conf_errors errors = { .n = 0 };
	struct conf *conf = NULL;
	int rc = conf_load(options->config, options->credentials, &conf, &errors);

	if (rc == 0)
		printf("%s: good, %zu streams\n", options->config, conf->n_streams);
	else
		conf_errors_print(&errors, stderr);
	conf_errors_free(&errors);
	conf_free(&conf);
	return rc == 0 ? SUP_EXIT_OK : SUP_EXIT_WRONG_CONFIG;
}

/* For all children too: no core with a password in it; a front has many sockets. */
static void
set_limits(void)
{
	const struct rlimit no_core = { 0, 0 };
	struct rlimit files;

	setrlimit(RLIMIT_CORE, &no_core);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
}

static void
on_stop_signal(evutil_socket_t signo, short what, void *arg)
{
	struct process *process = arg;

	(void)what;
	log_notice("%s received", signo == SIGTERM ? "SIGTERM" : "SIGINT");
	sup_stop(process->sup);
}

static void
on_reload_signal(evutil_socket_t signo, short what, void *arg)
{
	struct process *process = arg;
	char *text = NULL;

	(void)signo;
	(void)what;
	(void)sup_reload(process->sup, &text);
	free(text);
}

static void
on_stopped(void *arg)
{
	struct process *process = arg;

	event_base_loopbreak(process->base);
}

static void
watch_signals(struct process *process)
{
	static const int signos[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		process->signals[i] =
		    evsignal_new(process->base, signos[i],
				 signos[i] == SIGHUP ? on_reload_signal : on_stop_signal, process);
		if (process->signals[i] == NULL)
			xalloc_die();
		evsignal_add(process->signals[i], NULL);
	}
}

static int
run(const struct sup_options *options)
{
	static const struct sandbox_facts nothing = { .report_fd = -1 };
	struct sandbox_report sandbox = { .text = "off" };
	int inherited[CONF_MAX_LISTEN], status;
	struct process process = { .base = event_base_new(), .clock = clock_new() };
	struct sup_deps deps = { .base = process.base,
				 .clock = process.clock,
				 .arg = &process,
				 .stopped = on_stopped,
				 .inherited = inherited };

	if (process.base == NULL)
		xalloc_die();
	process.clock_ev = clock_ev_new(process.base, process.clock);
	sup_deps_real(&deps);
	/* In force for all children, too. */
	(void)sandbox_enter(SANDBOX_SUPERVISOR, SANDBOX_RUNNING, &nothing, &sandbox);
	deps.sandbox = sandbox.text;
	deps.n_inherited = notify_listen_fds(inherited, CONF_MAX_LISTEN);
	deps.under_systemd = getenv("NOTIFY_SOCKET") != NULL;
	deps.watchdog_ms = notify_watchdog_ms();
	/* Before anything is started, so that a signal never leaves something behind. */
	watch_signals(&process);
	status = sup_start(options, &deps, &process.sup);
	if (status == 0)
		event_base_dispatch(process.base);
	sup_free(&process.sup);
	for (size_t i = 0; i < 3; i++)
		event_free(process.signals[i]);
	clock_ev_free(&process.clock_ev);
	clock_free(&process.clock);
	event_base_free(process.base);
	return status;
}

int
sup_main(int argc, char **argv)
{
	struct arguments args = { .options = { .config = CAMHUB_SYSCONF_DIR "/camhub.yaml",
					       .runtime_dir = CAMHUB_RUNTIME_DIR,
					       .state_dir = default_state_dir(),
					       .libexec_dir = CAMHUB_LIBEXEC_DIR,
					       .web_dir = CAMHUB_WEB_DIR } };
	int status = read_arguments(argc, argv, &args);

	if (status >= 0)
		return status;
	msg_wipe_freed();
	log_open("camhub-supervisor", NULL);
	if (args.check)
		return check_only(&args.options);
	log_never_wait();
	set_limits();
	return run(&args.options);
}
