/*
 * camhub-http: started by the supervisor, with its name as the only argument.
 */
#include "config.h"

#include "http/front.h"
#include "shared/child_ev.h"
#include "shared/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("camhub-http %s\n", PACKAGE_VERSION);
		return 0;
	}
	log_open("camhub-http", argc == 2 ? argv[1] : "http");
	if (child_enter() < 0) {
		fprintf(stderr, "camhub-http is started by camhub-supervisor\n");
		return CHILD_EXIT_WRONG_CONFIG;
	}
	/* nng's threads do not survive an orderly exit. */
	_exit(front_run());
}
