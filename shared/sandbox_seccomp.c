/*
 * From the table to a filter in the kernel, and what happens when it is hit: the kernel sends
 * SIGSYS instead of doing the call, the handler says which one it was and dies of it. Taking the
 * handler away is forbidden as well, and that kills without a word.
 */
#include "config.h"

#include "shared/sandbox_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	char line[96]; /* of the log, up to the number */
	size_t len;
	int report_fd;
} last_words = { .report_fd = -1 };

/* Behind text; what is async-signal-safe is little. */
static size_t
append_number(char *text, size_t len, long number)
{
	char digits[24];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (n > 0)
		text[len++] = digits[--n];
	return len;
}

static size_t
append(char *text, size_t len, const char *more)
{
	while (*more != '\0')
		text[len++] = *more++;
	return len;
}

static void
say(long call)
{
	static const char message[] = "{\"type\":\"violation\",\"call\":";
	char text[256];
	size_t len;

	memcpy(text, last_words.line, last_words.len);
	len = append_number(text, last_words.len, call);
	len = append(text, len, " is forbidden\n");
	if (write(STDERR_FILENO, text, len) < 0) {
		/* Nobody reads it; the death is seen. */
	}
	if (last_words.report_fd < 0)
		return;
	len = append_number(text, append(text, 0, message), call);
	len = append(text, len, "}");
	(void)send(last_words.report_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
on_sigsys(int signo, siginfo_t *info, void *context)
{
	(void)context;
	say((long)(unsigned)info->si_syscall);
	/* The filter kills whoever asks for this. */
	(void)signal(signo, SIG_DFL);
	_exit(128 + signo);
}

static int
install_handler(const struct sandbox_facts *facts)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	const char *journal = getenv("JOURNAL_STREAM");
	int len;

	len = snprintf(last_words.line, sizeof(last_words.line),
		       "%scamhub%s%.40s%s: sandbox: the system call ",
		       journal != NULL && journal[0] != '\0' ? "<3>" : "",
		       facts->object != NULL ? "[" : "", facts->object != NULL ? facts->object : "",
		       facts->object != NULL ? "]" : "");
	last_words.len = (size_t)len < sizeof(last_words.line) ? (size_t)len : 0;
	last_words.report_fd = facts->report_fd;
	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

/* A rule that another one includes is there already. */
static int
add(scmp_filter_ctx filter, const struct sandbox_call *call, uint32_t action)
{
	int rc =
	    seccomp_rule_add_array(filter, action, call->number, call->has_arg ? 1 : 0, &call->arg);

	return rc == -EEXIST || rc == -EDOM ? 0 : rc;
}

static int
add_group(scmp_filter_ctx filter, const struct sandbox_group *group)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < group->n; i++)
		rc =
		    add(filter, &group->calls[i],
			group->calls[i].error != 0 ? SCMP_ACT_ERRNO((uint32_t)group->calls[i].error)
						   : SCMP_ACT_ALLOW);
	return rc;
}

/* Which depends on who we are: abort() is allowed, and so are its witnesses. */
static int
add_own(scmp_filter_ctx filter, enum sandbox_mode mode)
{
	const struct scmp_arg_cmp abort_self[2] = {
		{ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid() },
		{ .arg = 2, .op = SCMP_CMP_EQ, .datum_a = SIGABRT },
	};
	const struct scmp_arg_cmp take_handler = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = SIGSYS };
	int rc;

	rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, abort_self);
	if (rc == 0 && mode == SANDBOX_KILL)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(rt_sigaction),
					    1, &take_handler);
	return rc;
}

static int
set_attributes(scmp_filter_ctx filter, enum sandbox_mode mode)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);

	/* All threads, not only this one. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0 && mode == SANDBOX_KILL)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	return rc;
}

static int
load_allowed(enum sandbox_program program, enum sandbox_stage stage,
	     const struct sandbox_facts *facts, enum sandbox_mode mode)
{
	struct sandbox_group groups[SANDBOX_GROUPS_MAX];
	size_t n = sandbox_groups(program, stage, facts, groups);
	scmp_filter_ctx filter;
	int rc;

	filter = seccomp_init(mode == SANDBOX_KILL ? SCMP_ACT_TRAP : SCMP_ACT_LOG);
	if (filter == NULL)
		return -ENOMEM;
	rc = set_attributes(filter, mode);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_group(filter, &groups[i]);
	if (rc == 0)
		rc = add_own(filter, mode);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

/* For who must not die: a no, instead. */
static int
load_refused(enum sandbox_mode mode)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	uint32_t action = mode == SANDBOX_KILL ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_LOG;
	int rc;

	if (filter == NULL)
		return -ENOMEM;
	rc = set_attributes(filter, mode);
	for (size_t i = 0; rc == 0 && i < sandbox_never.n; i++)
		rc = add(filter, &sandbox_never.calls[i], action);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int
sandbox_seccomp(enum sandbox_program program, enum sandbox_stage stage,
		const struct sandbox_facts *facts, enum sandbox_mode mode)
{
	static bool has_handler;
	int rc = 0;

	if (program == SANDBOX_SUPERVISOR)
		return load_refused(mode);
	if (!has_handler && mode == SANDBOX_KILL)
		rc = install_handler(facts);
	if (rc < 0)
		return rc;
	has_handler = true;
	return load_allowed(program, stage, facts, mode);
}

const char *
sandbox_call_name(long call, char name[SANDBOX_NAME_MAX])
{
	char *known = call >= 0 && call < (1 << 20)
			  ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call)
			  : NULL;

	if (known != NULL)
		snprintf(name, SANDBOX_NAME_MAX, "%s", known);
	else
		snprintf(name, SANDBOX_NAME_MAX, "call %ld", call);
	free(known);
	return name;
}
