/*
 * camhub-event: started by the supervisor for one delivery. Its channel is fd 3; it ends when the
 * supervisor does.
 */
#include "config.h"

#include "event/deliver.h"
#include "shared/log.h"
#include "shared/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Before anything that is not ours is read. The receiver may listen on any port, and is told what
 * cameras do: no password is known here. */
static void
confine(void)
{
	static const struct sandbox_facts facts = { .object = "event",
						    .report_fd = -1,
						    .any_port = true,
						    .has_certificates = true,
						    .has_names = true };
	struct sandbox_report report;

	if (sandbox_enter(SANDBOX_CLIENT, SANDBOX_EARLY, &facts, &report) == 0)
		(void)sandbox_enter(SANDBOX_CLIENT, SANDBOX_RUNNING, &facts, &report);
}

int
main(void)
{
	const struct rlimit no_core = { 0, 0 };
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "camhub-event is started by camhub-supervisor, not by hand\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
	log_open("camhub-event", NULL);
	confine();
	return deliver_run(3);
}
