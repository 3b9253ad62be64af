/*
 * main() of camhub-supervisor.
 */
#include "config.h"

#include "supervisor/sup.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* What a library calls is looked up at the first call, and meanwhile glibc keeps the vector
 * registers on the stack, with what was copied last: perhaps a password. So everything is looked up
 * at the start, here and (shared/spawn.c) in every child. */
static void
look_up_at_once(char **argv)
{
	const char *value = getenv("LD_BIND_NOW");
	char path[PATH_MAX];
	ssize_t len;

	if (value != NULL && value[0] != '\0')
		return;
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len <= 0 || setenv("LD_BIND_NOW", "1", 1) < 0)
		return;
	path[len] = '\0';
	/* Without it, it works as well. */
	(void)execv(path, argv);
}

int
main(int argc, char **argv)
{
	look_up_at_once(argv);
	return sup_main(argc, argv);
}
