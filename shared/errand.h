/*
 * A program of one errand: a process that blocks in the supervisor's place. It is asked one thing
 * on fd 3 and answers it, a datagram each way, and ends. It has no loop and beats no heart: whoever
 * started it ends it when it takes too long.
 */
#ifndef CAMHUB_SHARED_ERRAND_H
#define CAMHUB_SHARED_ERRAND_H

#include <stddef.h>

#define ERRAND_FD           3
#define ERRAND_EXIT_BY_HAND 2
#define ERRAND_EXIT_RETRY   75 /* sysexits EX_TEMPFAIL */

/* The answer to a question of len bytes (one more than errand_run()'s max_bytes: it was longer),
 * malloc'd text. May block. */
typedef char *errand_answer_fn(const char *question, size_t len);

/* First thing in main(): no core, dead with the supervisor, the log opened. Returns 0, or -ENOTSOCK
 * when fd 3 is no channel: the program, which must leave with ERRAND_EXIT_BY_HAND, was started by
 * hand and has said so. */
int errand_enter(const char *program);

/* The errand itself on that channel. The program's exit status: 0, or ERRAND_EXIT_RETRY when
 * nothing was asked within 5 s or the answer did not go out. */
int errand_run(int fd, size_t max_bytes, errand_answer_fn *answer);

#endif
