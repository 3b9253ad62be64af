/*
 * What the parts of the harness share among themselves. Tests never include this.
 */
#ifndef CAMHUB_TESTS_HARNESS_INTERNAL_H
#define CAMHUB_TESTS_HARNESS_INTERNAL_H

#include "shared/clock.h"
#include "tests/harness/loop.h"
#include "tests/harness/program.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

struct event;

/* Text that grows, for messages; text is never NULL once something was added. */
struct textbuf {
	char *text;
	size_t len, size;
};
void textbuf_add(struct textbuf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void textbuf_add_bytes(struct textbuf *buf, const void *bytes, size_t len);
void textbuf_free(struct textbuf *buf);

/* Appends up to max_bytes of bytes as a hex dump. */
void hex_dump(struct textbuf *out, const void *bytes, size_t len, size_t max_bytes);
void hex_diff(struct textbuf *out, const void *expected, size_t expected_len, const void *got,
	      size_t got_len);

/* Name of the function at addr in this program, "0x..." when unknown; static buffer. */
const char *symbol_name(const void *addr);

/* log.c: capture of the log of one test. */
void log_capture_begin(void);
void log_capture_end(void);
void log_capture_print(void);
/* Appends a problem for each forbidden word found in the captured log. */
void log_capture_check(struct textbuf *problems);
/* The same in any text; where: "log", "output of camhub-http". */
void log_forbidden_in(const char *text, const char *where, struct textbuf *problems);

/* leaks.c */
struct fd_set_before;
struct fd_set_before *leaks_note_fds(void);
/* Appends a problem for each fd that is new or gone, closes the new ones, frees *before. */
void leaks_compare_fds(struct fd_set_before **before, bool report, struct textbuf *problems);
/* Appends a problem for each child process left, ends and reaps them. grace_ms: how long to wait
 * for their own end first (then dead ones are no problem). */
void leaks_end_children(int grace_ms, struct textbuf *problems);
/* A description like "fd 7 (unix seqpacket socket)"; static buffer. */
const char *leaks_fd_name(int fd);
bool leaks_has_children(void);

/* fixture.c */
const char *fixture_test_name(void);
struct loop *fixture_loop(void);
/* Times HARNESS_SLOW, or how slow the machine is when that is more. */
int fixture_scaled_ms(int ms);

/* machine.c */
/*
 * How many times slower than an idle one this machine is: 1..20, from its load, and from what its
 * host gave to others ("steal") since machine_note_start().
 */
int machine_slowness(void);
void machine_note_start(void);
bool fixture_was_skipped(void);
void fixture_use_loop(struct loop *loop);
void fixture_mark_returned(void);

/* main.c */
extern bool harness_is_isolated;
extern pid_t harness_runner_pid; /* the process that runs the suite */
const char *harness_tmp_root(void);
void harness_count_skip(void);
void harness_remove_tree(const char *path);

/* loop.c */
LIST_HEAD(peer_list, peer);
LIST_HEAD(mock_list, mock);
LIST_HEAD(program_list, program);

struct loop {
	struct event_base *base;
	struct clock *clock;
	struct clock_ev *clock_ev; /* real clocks only */
	struct event *guard;       /* bounds one wait in real time */
	struct loop_options options;
	bool hold;
	int64_t start_ns;
	unsigned completions_wanted, completions;
	struct peer_list peers;
	struct mock_list mocks;
	struct program_list programs;
	unsigned programs_running;
	bool had_programs;
	unsigned calls; /* order over all mocks */
};

struct loop *loop_new(const struct loop_options *options);
/* Run until complete, or fail. */
void loop_finish(struct loop *loop);
/* Release what the harness put into it, append what others left; then free all. */
void loop_end(struct loop **loop, bool failed, struct textbuf *problems);
/* Fail the test, with the state of the loop and its peers. */
void loop_fail(struct loop *loop, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* loop_turn.c: one turn. False: nothing can ever happen any more (fake clock only). */
bool loop_turn(struct loop *loop, int wait_ms, bool may_advance);
/* Something is ready or due now (without waiting). */
bool loop_is_ready(struct loop *loop);

/* peer.c, mock.c, program.c: end of the test. check appends problems; free releases all. */
void peers_check(struct loop *loop, struct textbuf *problems);
void peers_describe(struct loop *loop, struct textbuf *out);
void peers_free(struct loop *loop);
void mocks_check(struct loop *loop, struct textbuf *problems);
void mocks_free(struct loop *loop);
void programs_check(struct loop *loop, struct textbuf *problems);
void programs_print(struct loop *loop);
void programs_kill(struct loop *loop);
void programs_free(struct loop *loop);

struct program *program_start_binary(struct loop *loop, char *const *args, enum msg_to receive);
/* child.c: run a registered HARNESS_CHILD function; its status, or -1 when there is none. */
int harness_child_run(const char *name, int argc, char **argv);

#endif
