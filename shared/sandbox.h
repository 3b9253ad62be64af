/*
 * A process locks itself in: Landlock for files, TCP ports, signals and abstract sockets, seccomp
 * for system calls, both for good. What each program may still do in each stage stands in one table
 * (sandbox_calls.c); docs/security.md says in words what that promises.
 *
 * A forbidden call kills: its number goes to stderr and, as the message `violation`, to the control
 * channel, then the process is dead by SIGSYS. Where the kernel lacks something, the process runs
 * on without it and says so: the report, "seccomp landlock-abi7", is shown by camctl status.
 */
#ifndef CAMHUB_SHARED_SANDBOX_H
#define CAMHUB_SHARED_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_TEXT_MAX  64 /* of a report, with its end */
#define SANDBOX_NAME_MAX  32 /* of a system call, with its end */
#define SANDBOX_PORTS_MAX 4
#define SANDBOX_PATHS_MAX 4
/* Environment of the supervisor: kill (as without it), log (the kernel logs, nothing is refused) or
 * off. It says what to do when a library needs a call that the table has not. */
#define SANDBOX_VARIABLE "CAMHUB_SANDBOX"

enum sandbox_program {
	SANDBOX_SUPERVISOR, /* only what no part of camhub ever does is refused, with EPERM */
	SANDBOX_WORKER,     /* camhub-worker */
	SANDBOX_WORKER_AV,
	SANDBOX_HTTP,
	SANDBOX_RTC,
	SANDBOX_SNAPSHOT,  /* camhub-transcode, one picture */
	SANDBOX_TRANSCODE, /* ... a live stream */
	SANDBOX_RESOLVE,
	SANDBOX_AUTH,   /* a password checker: computes */
	SANDBOX_CLIENT, /* a helper that calls somebody over the network, TLS included */
	SANDBOX_PROGRAM_COUNT
};

enum sandbox_stage {
	SANDBOX_EARLY,   /* Landlock and limits; before threads are made: they would escape it */
	SANDBOX_OPENING, /* calls: while the source is opened */
	SANDBOX_RUNNING, /* calls: from then on. Programs without OPENING begin with it */
	SANDBOX_STAGE_COUNT
};

/* Borrowed for the call. What is absent is not allowed. */
struct sandbox_facts {
	const char *object;     /* whose process this is, for the line about a violation */
	int report_fd;          /* the control channel; -1: none that takes messages */
	const char *socket_dir; /* unix sockets may be made in it */
	const char *paths[SANDBOX_PATHS_MAX]; /* files, directories or devices that are read */
	uint16_t ports[SANDBOX_PORTS_MAX];    /* TCP ports that may be connected to */
	bool any_port;
	bool has_certificates; /* the CA certificates of the system are read */
	bool has_names;        /* host names are looked up here */
	bool has_device;       /* v4l2: ioctl */
};

struct sandbox_report {
	char text[SANDBOX_TEXT_MAX]; /* "seccomp landlock-abi7", "seccomp no-landlock", "off" */
	bool is_whole;               /* all that the stage asks for is in force */
};

/*
 * Enter a stage, from the main thread; the stages of a program in their order, each once. Returns
 * 0, also when something is missing in the kernel (then the report says what, and it was logged),
 * or a negative errno: nothing of the stage is in force. *report is that of all stages so far.
 */
int sandbox_enter(enum sandbox_program program, enum sandbox_stage stage,
		  const struct sandbox_facts *facts, struct sandbox_report *report);

/* Both stages of a program that has no OPENING: EARLY, and RUNNING when that is in force. */
int sandbox_enter_at_once(enum sandbox_program program, const struct sandbox_facts *facts,
			  struct sandbox_report *report);

/* "openat" of 257; "call 4711" for what has no name. */
const char *sandbox_call_name(long call, char name[SANDBOX_NAME_MAX]);

#endif
