/*
 * The stages of a process, and what is said of them.
 */
#include "config.h"

#include "shared/sandbox.h"

#include "shared/log.h"
#include "shared/sandbox_int.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define ARENAS 1

static struct {
	int landlock; /* its version; 0: not asked yet; negative errno: there is none */
	int seccomp;  /* 1: in force; 0 and negative likewise */
} state;

static enum sandbox_mode
mode_now(void)
{
#ifdef CAMHUB_NO_SANDBOX
	return SANDBOX_OFF;
#else
	const char *value = getenv(SANDBOX_VARIABLE);

	if (value != NULL && strcmp(value, "off") == 0)
		return SANDBOX_OFF;
	return value != NULL && strcmp(value, "log") == 0 ? SANDBOX_LOG : SANDBOX_KILL;
#endif
}

static void
limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return;
	now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
	now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
	(void)setrlimit(resource, &now);
}

static void
set_limits(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	limit(RLIMIT_MEMLOCK, 0);
}

static void
complain(const char *what, int error)
{
	log_warn("sandbox: this process runs without %s: %s", what, strerror(-error));
}

static void
describe(enum sandbox_mode mode, struct sandbox_report *report)
{
	char landlock[24] = "";

	if (state.landlock > 0)
		snprintf(landlock, sizeof(landlock), " landlock-abi%d", state.landlock);
	else if (state.landlock < 0)
		snprintf(landlock, sizeof(landlock), " no-landlock");
	snprintf(report->text, sizeof(report->text), "%s%s",
		 state.seccomp <= 0    ? "no-seccomp"
		 : mode == SANDBOX_LOG ? "seccomp-log"
				       : "seccomp",
		 landlock);
	report->is_whole = state.seccomp > 0 && state.landlock > 0 && mode == SANDBOX_KILL;
}

static void
early(const struct sandbox_facts *facts)
{
	set_limits();
	/* With arenas of their own for threads malloc() counts the processors, and free() asks how
	 * memory is overcommitted before it gives any back: both open a file, some time. */
	mallopt(M_ARENA_MAX, ARENAS);
	tzset(); /* reads /etc/localtime, now or never */
	state.landlock = sandbox_landlock(facts);
	if (state.landlock < 0)
		complain("Landlock", state.landlock);
}

int
sandbox_enter(enum sandbox_program program, enum sandbox_stage stage,
	      const struct sandbox_facts *facts, struct sandbox_report *report)
{
	enum sandbox_mode mode = mode_now();
	int rc = 0;

	if (mode == SANDBOX_OFF) {
		*report = (struct sandbox_report){ .text = "off" };
		return 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (stage == SANDBOX_EARLY) {
		early(facts);
	} else {
		rc = sandbox_seccomp(program, stage, facts, mode);
		if (rc < 0)
			complain("the filter of system calls", rc);
		if (rc == 0 || state.seccomp == 0)
			state.seccomp = rc == 0 ? 1 : rc;
	}
	describe(mode, report);
	return rc;
}

int
sandbox_enter_at_once(enum sandbox_program program, const struct sandbox_facts *facts,
		      struct sandbox_report *report)
{
	int rc = sandbox_enter(program, SANDBOX_EARLY, facts, report);

	return rc < 0 ? rc : sandbox_enter(program, SANDBOX_RUNNING, facts, report);
}
