/*
 * fork and exec of one child: own session, signals reset, fd 3 is its control channel, stderr kept,
 * stdin and stdout /dev/null, everything else closed, a clean environment; exec's errno comes back.
 */
#ifndef CAMHUB_SHARED_SPAWN_H
#define CAMHUB_SHARED_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

struct spawn_child {
	pid_t pid;
	int pidfd;   /* CLOEXEC; readable when the child has ended; the caller closes it */
	int chan_fd; /* our end of the control channel; the caller's */
};

/* What a child may use. 0: as much as the parent. */
struct spawn_limits {
	uint64_t memory_bytes; /* that is its own (RLIMIT_DATA): heap, and the stacks of threads */
	uint64_t stack_bytes;  /* of each thread */
	uint64_t files;        /* descriptors; never more than the parent may have */
	int oom_score_adj;     /* who is killed first when memory runs out; raised only */
};

/* argv[0] is what ps shows; path is executed; limits NULL: none. Returns 0, or negative errno (also
 * exec's own). A limit that cannot be set is not: the child starts all the same. */
int spawn_child(const char *path, char *const argv[], const struct spawn_limits *limits,
		struct spawn_child *child);

/* Reap by pidfd (once). status as from waitid: 0 and the text of what happened ("exit 75",
 * "killed by SIGSEGV"), *exit_code -1 when by signal. -EAGAIN when it still runs. */
int spawn_reap(int pidfd, int *exit_code, char *text, size_t text_len);

int spawn_signal(int pidfd, int signo); /* pidfd_send_signal */

#endif
