/*
 * What programs with many connections do alike.
 */
#ifndef CAMHUB_BENCH_PROGRAM_H
#define CAMHUB_BENCH_PROGRAM_H

#include <signal.h>

/* SIGINT or SIGTERM came: report, and leave. */
extern volatile sig_atomic_t program_interrupted;

/* As many descriptors as there may be; the two signals are noticed. An epoll, the caller's; exits
 * without one. */
int program_begin(void);

#endif
