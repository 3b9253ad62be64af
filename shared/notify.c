/*
 * The two small protocols of systemd that a service speaks, without libsystemd.
 */
#include "config.h"

#include "shared/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3

int
notify_send(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len;
	size_t path_len;
	int fd, rc = 0;

	if (path == NULL || path[0] == '\0')
		return 0;
	path_len = strlen(path);
	if (path_len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, path_len + 1);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&addr,
		   len) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int64_t
env_number(const char *name)
{
	const char *value = getenv(name);
	char *end;
	long long n;

	if (value == NULL || value[0] < '0' || value[0] > '9')
		return -1;
	errno = 0;
	n = strtoll(value, &end, 10);
	return errno == 0 && *end == '\0' ? n : -1;
}

int64_t
notify_watchdog_ms(void)
{
	int64_t usec = env_number("WATCHDOG_USEC");

	if (usec <= 0 || (getenv("WATCHDOG_PID") != NULL && env_number("WATCHDOG_PID") != getpid()))
		return 0;
	return usec / 1000 / 2 > 0 ? usec / 1000 / 2 : 1;
}

size_t
notify_listen_fds(int *fds, size_t max)
{
	int64_t pid = env_number("LISTEN_PID"), n = env_number("LISTEN_FDS");
	size_t count = 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != getpid() || n <= 0)
		return 0;
	for (int64_t i = 0; i < n && count < max; i++) {
		int fd = LISTEN_FDS_START + (int)i;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			fds[count++] = fd;
	}
	return count;
}

void
notify_clear_environment(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}
