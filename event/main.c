/*
 * camhub-event: started by the supervisor for one delivery. Its channel is fd 3; it ends when the
 * supervisor does.
 */
#include "config.h"

#include "event/deliver.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

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
	return deliver_run(3);
}
