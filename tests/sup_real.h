/*
 * A real camhub-supervisor with tests/helpers/sup_child.c as its children: configured, started,
 * asked over its control socket, stopped. Functions fail the test rather than return an error.
 */
#ifndef CAMHUB_TESTS_SUP_REAL_H
#define CAMHUB_TESTS_SUP_REAL_H

#include "tests/harness/harness.h"

#include <limits.h>
#include <stdint.h>

/* A camera whose worker behaves well. */
#define GOOD      "  - {name: good, url: \"test:clock\"}\n"
#define ANSWER_MS 10000

struct real {
	struct loop *loop;
	struct program *program;
	char config[PATH_MAX], dir[PATH_MAX], libexec[PATH_MAX];
	uint16_t port;
};

/* A directory, a port, a configuration with these cameras (YAML items); nothing is started. */
void real_set_up(struct real *real, struct loop *loop, const char *cameras);
void real_write_config(struct real *real, const char *cameras);
void real_write_file(const char *path, const char *text);
void real_launch(struct real *real);

/* A number that status tells of a camera or process; -1: no answer. */
long long real_number(const struct real *real, const char *name, const char *field);
/* Until it is in that state, in another process than not_pid. */
void real_await_state(struct real *real, const char *name, const char *state, long long not_pid);
void real_await_number(struct real *real, const char *name, const char *field, long long at_least);

/* Helper processes of this test that live. */
unsigned real_count_children(const struct real *real);
bool real_no_child_lives(void *real); /* for loop_run_until_true() */
/* SIGTERM: it leaves with 0, and no helper lives. */
void real_stop_and_look(struct real *real);

/* Connect to the front: the process id it answers, 0: something else, -1: refused. */
long real_front_answers(const struct real *real);
/* What the helper for object wrote; removed there; the caller frees it. */
char *real_read_report(struct real *real, const char *object);

#endif
