/*
 * What a test left behind in the process: descriptors and children.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 1024

struct fd_set_before {
	char *target[FDS_MAX]; /* of the link /proc/self/fd/N, NULL: not open */
};

static char *
link_of(int fd)
{
	char path[64], target[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return NULL;
	target[n] = '\0';
	/* check's own file of results, which it replaces as it likes. */
	if (strstr(target, "/check_") != NULL && strstr(target, "(deleted)") != NULL)
		return NULL;
	return xstrdup(target);
}

struct fd_set_before *
leaks_note_fds(void)
{
	struct fd_set_before *set = xcalloc(1, sizeof(*set));
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (dir == NULL)
		return set;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir) && fd < FDS_MAX)
			set->target[fd] = link_of(fd);
	}
	closedir(dir);
	return set;
}

unsigned
harness_count_fds(pid_t pid)
{
	char path[64];
	unsigned n = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)(pid != 0 ? pid : getpid()));
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int
socket_option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

static const char *
socket_kind(int fd)
{
	int domain = socket_option(fd, SO_DOMAIN), type = socket_option(fd, SO_TYPE);

	if (domain == AF_UNIX)
		return type == SOCK_SEQPACKET ? "unix seqpacket socket"
		       : type == SOCK_STREAM  ? "unix stream socket"
					      : "unix datagram socket";
	if (domain == AF_INET || domain == AF_INET6)
		return socket_option(fd, SO_ACCEPTCONN) == 1 ? "listening TCP socket"
		       : type == SOCK_STREAM                 ? "TCP socket"
							     : "UDP socket";
	return "socket";
}

const char *
leaks_fd_name(int fd)
{
	static char name[600];
	char *target = link_of(fd);

	if (target == NULL)
		snprintf(name, sizeof(name), "fd %d (closed)", fd);
	else if (strncmp(target, "socket:", 7) == 0)
		snprintf(name, sizeof(name), "fd %d (%s)", fd, socket_kind(fd));
	else
		snprintf(name, sizeof(name), "fd %d (%s)", fd, target);
	free(target);
	return name;
}

void
leaks_compare_fds(struct fd_set_before **before, bool report, struct textbuf *problems)
{
	struct fd_set_before *old = *before, *now = leaks_note_fds();

	for (int fd = 0; fd < FDS_MAX; fd++) {
		const char *was = old->target[fd], *is = now->target[fd];
		bool same = was != NULL && is != NULL && strcmp(was, is) == 0;

		if (was != NULL && !same && report)
			textbuf_add(problems,
				    "closed or replaced, though not its own: fd %d (%s)\n", fd,
				    was);
		if (is != NULL && !same) {
			if (report)
				textbuf_add(problems, "left open: %s\n", leaks_fd_name(fd));
			if (report && was == NULL)
				close(fd);
		}
		free(old->target[fd]);
		free(now->target[fd]);
	}
	free(now);
	free(old);
	*before = NULL;
}

bool
leaks_has_children(void)
{
	siginfo_t info = { 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void
process_name(pid_t pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	snprintf(name, size, "?");
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(name, (int)size, file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

/* Parent and state letter of a process; 0 when it is gone. */
static pid_t
parent_of(pid_t pid, char *state)
{
	char path[64], line[512];
	const char *after;
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL && (after = strrchr(line, ')')) != NULL &&
	    sscanf(after + 1, " %c %d", state, &parent) != 2)
		parent = 0;
	fclose(file);
	return parent;
}

/* Kills what lives among this process's children, names them, counts them. */
static size_t
end_children_once(bool report_dead, struct textbuf *problems)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		pid_t pid = atoi(entry->d_name);
		char name[64], state = '?';

		if (pid <= 0 || parent_of(pid, &state) != getpid())
			continue;
		n++;
		process_name(pid, name, sizeof(name));
		if (state != 'Z')
			textbuf_add(problems, "child left running: pid %d (%s)\n", (int)pid, name);
		else if (report_dead)
			textbuf_add(problems, "child not waited for: pid %d (%s)\n", (int)pid,
				    name);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

void
leaks_end_children(int grace_ms, struct textbuf *problems)
{
	bool report_dead = grace_ms == 0;
	struct timespec pause = { 0, 5 * 1000 * 1000 };

	/* Orphans of a program that was killed: they may need a moment to notice. There is no event
	 * for the end of processes that are not known; so look again every 5 ms. */
	for (int waited = 0; waited < grace_ms && leaks_has_children(); waited += 5) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		nanosleep(&pause, NULL);
	}
	/* Killing one may hand its own children to us: until there are none. */
	while (leaks_has_children() && end_children_once(report_dead, problems) > 0)
		;
}
