/*
 * The supervisor as a library: what it is told, what it needs from the world, start and stop.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_H
#define CAMHUB_SUPERVISOR_SUP_H

#include "shared/spawn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define SUP_EXIT_OK           0
#define SUP_EXIT_FAILED       1
#define SUP_EXIT_USAGE        2
#define SUP_EXIT_WRONG_CONFIG 78

struct sup;
struct event_base;
struct clock;

struct sup_options {
	const char *config;      /* file */
	const char *runtime_dir; /* made if absent */
	const char *libexec_dir; /* where the children's programs are */
	const char *state_dir;   /* passwords and keys, made if absent; used with users only */
	const char *web_dir;     /* handed to the front */
	const char *credentials; /* file, or NULL: the default */
	const char *credentials_source; /* what systemd copies it from, or NULL: the default */
};

/*
 * The world, replaceable in tests. Functions get arg first and answer 0 or negative errno as their
 * namesakes in shared/spawn.h and shared/notify.h.
 */
struct sup_deps {
	struct event_base *base;
	struct clock *clock;
	void *arg;
	bool under_systemd;   /* a wrong configuration does not end the process */
	int64_t watchdog_ms;  /* 0: none */
	const int *inherited; /* n_inherited listeners, taken over (closed by sup_free) */
	size_t n_inherited;
	const char *sandbox; /* what this process is locked into, for status; NULL: nothing */
	int (*spawn)(void *arg, const char *path, char *const argv[],
		     const struct spawn_limits *limits, struct spawn_child *child);
	int (*reap)(void *arg, int pidfd, int *exit_code, char *text, size_t text_len);
	int (*signal)(void *arg, int pidfd, int signo);
	void (*kill_group)(void *arg,
			   pid_t pid); /* what a child left behind; it is not reaped yet */
	/* A non-blocking, CLOEXEC TCP socket whose connect is done or under way. */
	int (*connect)(void *arg, const struct sockaddr *addr, socklen_t len);
	uint32_t (*random)(void *arg);
	int64_t (*stolen_ms)(void *arg); /* sup_stolen.h */
	int (*notify)(void *arg, const char *state);
	void (*stopped)(void *arg); /* after sup_stop(): no child, socket or file is left */
};

/* The real ones: fills all but base, clock, arg, under_systemd, watchdog_ms, inherited, stopped. */
void sup_deps_real(struct sup_deps *deps);

/*
 * Lock the runtime directory, load the configuration, bind, start everything. options and what
 * they point to must outlive it. 0 and *sup; else an exit status (SUP_EXIT_*), everything that was
 * wrong having been written to stderr. Under systemd a wrong configuration is no failure: the
 * supervisor then answers 503 and waits for a better one.
 */
int sup_start(const struct sup_options *options, const struct sup_deps *deps, struct sup **sup);

/* Read the configuration again (SIGHUP). 0, or -EINVAL: nothing changed; malloc'd text for people.
 */
int sup_reload(struct sup *sup, char **text);

/* Tell all children, 3 s, SIGKILL, clean up, deps.stopped(). A second call does not wait any more.
 */
void sup_stop(struct sup *sup);

/* NULL-safe. Children that still live are let go of (they leave: their channel closes). */
void sup_free(struct sup **sup);

/* argv to exit status: the whole program. */
int sup_main(int argc, char **argv);

#endif
