/*
 * main() of camhub-resolve. Its channel is fd 3; it ends when the supervisor does.
 */
#include "config.h"

#include "shared/log.h"
#include "shared/sandbox.h"
#include "supervisor/resolve.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PORT_DNS 53

/* Before anything that is not ours is read. */
static void
confine(void)
{
	static const struct sandbox_facts facts = {
		.object = "resolve", .report_fd = -1, .ports = { PORT_DNS }, .has_names = true
	};
	struct sandbox_report report;

	if (sandbox_enter(SANDBOX_RESOLVE, SANDBOX_EARLY, &facts, &report) == 0)
		(void)sandbox_enter(SANDBOX_RESOLVE, SANDBOX_RUNNING, &facts, &report);
}

int
main(void)
{
	const struct rlimit no_core = { 0, 0 };
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "camhub-resolve is started by camhub-supervisor, not by hand\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	log_open("camhub-resolve", NULL);
	confine();
	return resolve_run(3);
}
