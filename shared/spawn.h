/*
 * fork and exec of one child: own session, signals reset, fd 3 is its control channel, stderr kept,
 * stdin and stdout /dev/null, everything else closed, a clean environment; exec's errno comes back.
 */
#ifndef CAMHUB_SHARED_SPAWN_H
#define CAMHUB_SHARED_SPAWN_H

#include <sys/types.h>

struct spawn_child {
	pid_t pid;
	int pidfd;   /* CLOEXEC; readable when the child has ended; the caller closes it */
	int chan_fd; /* our end of the control channel; the caller's */
};

/* argv[0] is what ps shows; path is executed. Returns 0, or negative errno (also exec's own). */
int spawn_child(const char *path, char *const argv[], struct spawn_child *child);

/* Reap by pidfd (once). status as from waitid: 0 and the text of what happened ("exit 75",
 * "killed by SIGSEGV"), *exit_code -1 when by signal. -EAGAIN when it still runs. */
int spawn_reap(int pidfd, int *exit_code, char *text, size_t text_len);

int spawn_signal(int pidfd, int signo); /* pidfd_send_signal */

#endif
