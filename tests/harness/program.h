/*
 * Real programs under test: started from a test's loop with fd 3 as the control channel, output
 * collected, ended and reaped afterwards whatever happened (PDEATHSIG, then SIGKILL).
 *
 * While one runs, the loop's fake time does not jump by itself.
 */
#ifndef CAMHUB_TESTS_HARNESS_PROGRAM_H
#define CAMHUB_TESTS_HARNESS_PROGRAM_H

#include "shared/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct loop;
struct peer;
struct program;

struct program_options {
	const char *path;        /* what is executed (searched in PATH if it has no slash) */
	const char *const *argv; /* NULL-ended, with argv[0]; NULL: { path } */
	const char *const *env;  /* NULL-ended "NAME=value", added to the test's environment */
	const char *cwd;         /* NULL: the test's */
	enum msg_to
	    receive; /* not 0: fd 3 is a channel, played by program_peer(), which receives this */
	bool silent; /* do not show its output when the test fails */
};

struct program *program_start(struct loop *loop, const struct program_options *options);

/*
 * Functions of the test binary that run in a process of their own, exec'd:
 *
 *	HARNESS_CHILD(publisher)
 *	{
 *		return publish(argv[1]) < 0;
 *	}
 *	...
 *	struct program *p = program_start_self(loop, 0, "publisher", path, NULL);
 *
 * argv[0] is the name; the result is the exit status (by _exit()).
 */
typedef int harness_child_fn(int argc, char **argv);
struct harness_child {
	const char *name;
	harness_child_fn *fn;
	struct harness_child *next;
};
#define HARNESS_CHILD(name_)                                                                       \
	static int name_##_child_main(int argc, char **argv);                                      \
	static struct harness_child name_##_child_entry = { #name_, name_##_child_main, NULL };    \
	static void __attribute__((constructor)) name_##_child_register(void)                      \
	{                                                                                          \
		harness_child_register(&name_##_child_entry);                                      \
	}                                                                                          \
	static int name_##_child_main(int argc __attribute__((unused)),                            \
				      char **argv __attribute__((unused)))
void harness_child_register(struct harness_child *child);
struct program *program_start_self(struct loop *loop, enum msg_to receive, const char *name, ...)
    __attribute__((sentinel));

pid_t program_pid(const struct program *program);
/* The peer on its fd 3 (options.receive). */
struct peer *program_peer(const struct program *program);
/* All it has written so far to stdout and stderr, together, NUL-terminated; until the next turn. */
const char *program_output(const struct program *program);
void program_signal(struct program *program, int signo);
bool program_has_ended(const struct program *program);

/* Run the loop until it has ended (and its output is read): its exit status, or -signal number. */
int program_wait(struct program *program, int deadline_ms);
/* Until its output contains part. Fails at once when it has ended without. */
void program_wait_output(struct program *program, const char *part, int deadline_ms);
/* Start, wait, return the exit status; *output (NULL: not wanted) until the end of the test. */
int program_run(struct loop *loop, const char *const *argv, const char **output);

#endif
