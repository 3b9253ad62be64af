/*
 * The loop of a worker program.
 */
#include "config.h"

#include "publish/wrk_run_ev.h"

#include "publish/wrk.h"
#include "publish/wrk_confine.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/clock_ev.h"
#include "shared/log.h"

#include <event2/event.h>
#include <unistd.h>

static void
leave(void *arg, int code)
{
	(void)arg;
	/* nng's threads may be at work: no destructors, no atexit handlers. */
	_exit(code);
}

int
wrk_run(const char *program, int argc, char **argv, const struct wrk_input_ops *input,
	void *input_arg)
{
	struct wrk_deps deps = {
		.fd = CHILD_FD,
		.bus = &wrk_bus_nng,
		.input = input,
		.input_arg = input_arg,
		.exit = leave,
		.confine = wrk_confine_of(program),
	};

	log_open(program, argc > 1 ? argv[1] : "");
	if (argc != 2 || child_enter() < 0) {
		log_err("started by the supervisor only, as %s STREAM with a channel on fd %d",
			program, CHILD_FD);
		return CHILD_EXIT_WRONG_CONFIG;
	}
	deps.base = event_base_new();
	if (deps.base == NULL)
		return CHILD_EXIT_RETRY;
	deps.clock = clock_new();
	(void)clock_ev_new(deps.base, deps.clock);
	(void)wrk_new(&deps);
	event_base_dispatch(deps.base);
	log_err("the loop ended by itself");
	return CHILD_EXIT_RETRY;
}
