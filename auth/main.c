/*
 * camhub-auth: started by the supervisor, with its name as the only argument.
 */
#include "config.h"

#include "auth/auth_ev.h"
#include "shared/child_ev.h"
#include "shared/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("camhub-auth %s\n", PACKAGE_VERSION);
		return 0;
	}
	log_open("camhub-auth", argc == 2 ? argv[1] : "auth");
	auth_be_nice();
	if (child_enter() < 0) {
		fprintf(stderr, "camhub-auth is started by camhub-supervisor\n");
		return CHILD_EXIT_WRONG_CONFIG;
	}
	/* A hash under way is not waited for. */
	_exit(auth_run());
}
