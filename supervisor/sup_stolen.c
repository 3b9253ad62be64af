/*
 * What the kernel says of stolen time.
 */
#include "config.h"

#include "supervisor/sup_stolen.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define STEAL_FIELD "cpu %*u %*u %*u %*u %*u %*u %*u %llu"

int64_t
sup_stolen_parse(const char *line, long ticks_per_s, long cores)
{
	unsigned long long ticks;

	if (ticks_per_s <= 0 || cores <= 0 || sscanf(line, STEAL_FIELD, &ticks) != 1 ||
	    ticks > INT64_MAX / 1000)
		return 0;
	return (int64_t)(ticks * 1000 / (unsigned long long)ticks_per_s) / cores;
}

int64_t
sup_stolen_ms(void *arg)
{
	char line[256];
	int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = pread(fd >= 0 ? fd : STDIN_FILENO, line, sizeof(line) - 1, 0);

	(void)arg;
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return 0;
	line[len] = '\0';
	return sup_stolen_parse(line, sysconf(_SC_CLK_TCK), sysconf(_SC_NPROCESSORS_ONLN));
}
