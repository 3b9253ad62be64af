/*
 * What the files of the sandbox share.
 */
#ifndef CAMHUB_SHARED_SANDBOX_INT_H
#define CAMHUB_SHARED_SANDBOX_INT_H

#include "shared/sandbox.h"

#include <seccomp.h>

enum sandbox_mode { SANDBOX_KILL, SANDBOX_LOG, SANDBOX_OFF };

/* A call that is allowed, or (error not 0) refused with an errno; with has_arg only when that
 * argument is so. */
struct sandbox_call {
	int number; /* of libseccomp: negative where this machine has no such call */
	int error;
	bool has_arg;
	struct scmp_arg_cmp arg;
};

struct sandbox_group {
	const struct sandbox_call *calls;
	size_t n;
};

#define SANDBOX_GROUPS_MAX 16

/* The groups of calls of a program's stage; returns how many, 0: the stage has no filter. */
size_t sandbox_groups(enum sandbox_program program, enum sandbox_stage stage,
		      const struct sandbox_facts *facts,
		      struct sandbox_group groups[SANDBOX_GROUPS_MAX]);

/* What the supervisor, and so everybody below it, is refused. */
extern const struct sandbox_group sandbox_never;

/* 0; negative errno: not in force. */
int sandbox_seccomp(enum sandbox_program program, enum sandbox_stage stage,
		    const struct sandbox_facts *facts, enum sandbox_mode mode);

/* Returns the version of the kernel's Landlock that is in force, or negative errno: none is. */
int sandbox_landlock(const struct sandbox_facts *facts);

#endif
