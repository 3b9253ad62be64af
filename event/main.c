/*
 * camhub-event: started by the supervisor for one delivery. Its channel is fd 3; it ends when the
 * supervisor does.
 */
#include "config.h"

#include "event/deliver.h"
#include "shared/errand.h"
#include "shared/sandbox.h"

#include <signal.h>
#include <sys/prctl.h>

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

	(void)sandbox_enter_at_once(SANDBOX_CLIENT, &facts, &report);
}

int
main(void)
{
	if (errand_enter("camhub-event") < 0)
		return ERRAND_EXIT_BY_HAND;
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	confine();
	return deliver_run(ERRAND_FD);
}
