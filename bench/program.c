/*
 * See the header.
 */
#include "config.h"

#include "bench/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>

volatile sig_atomic_t program_interrupted;

static void
on_signal(int signo)
{
	(void)signo;
	program_interrupted = 1;
}

static void
allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
program_begin(void)
{
	int epoll_fd;

	allow_descriptors();
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0) {
		perror("epoll");
		exit(1);
	}
	return epoll_fd;
}
