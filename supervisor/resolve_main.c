/*
 * main() of camhub-resolve. Its channel is fd 3; it ends when the supervisor does.
 */
#include "config.h"

#include "shared/errand.h"
#include "shared/sandbox.h"
#include "supervisor/resolve.h"

#define PORT_DNS 53

/* Before anything that is not ours is read. */
static void
confine(void)
{
	static const struct sandbox_facts facts = {
		.object = "resolve", .report_fd = -1, .ports = { PORT_DNS }, .has_names = true
	};
	struct sandbox_report report;

	(void)sandbox_enter_at_once(SANDBOX_RESOLVE, &facts, &report);
}

int
main(void)
{
	if (errand_enter("camhub-resolve") < 0)
		return ERRAND_EXIT_BY_HAND;
	confine();
	return resolve_run(ERRAND_FD);
}
