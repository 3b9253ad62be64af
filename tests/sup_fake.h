/*
 * A world for the supervisor's library: fake children (each on its own real channel), a fake
 * network, a fake systemd; time stands still unless a test lets it pass.
 */
#ifndef CAMHUB_TESTS_SUP_FAKE_H
#define CAMHUB_TESTS_SUP_FAKE_H

#include "tests/harness/harness.h"

#include "shared/clock.h"
#include "supervisor/sup.h"

#include <stdint.h>

#define FAKE_CHILDREN_MAX 400

enum fake_network {
	FAKE_ANSWERS, /* every connect succeeds */
	FAKE_REFUSES, /* ECONNREFUSED at once */
	FAKE_SILENT,  /* no answer ever */
};

struct fake_child {
	struct fake *fake;
	pid_t pid;
	char program[64], object[64], job[16]; /* job: "" none */
	size_t argc;
	struct spawn_limits limits;
	int64_t at_ms;     /* loop time of its birth */
	struct peer *peer; /* its end of the channel; raw children: NULL */
	int raw_fd;        /* raw children: its end */
	int alive_fd;      /* closing it ends the child */
	int pidfd;         /* the supervisor's; identifies it */
	bool beats;        /* since READY */
	bool unkillable;   /* SIGKILL does not end it */
	bool killed;       /* by SIGKILL */
	bool traced;       /* somebody else has its end first */
	bool ended, reaped, group_killed;
	int exit_code;
	char exit_text[64];
	struct clock_timer beat;
};

struct fake {
	struct loop *loop;
	struct sup *sup;
	struct sup_options options;
	struct sup_deps deps;
	struct fake_child *children[FAKE_CHILDREN_MAX]; /* in the order of birth */
	size_t n_children;
	int spawn_error; /* what the next spawns answer; 0: they work */
	pid_t next_pid;  /* of the next child; 0: one of its own */
	enum fake_network network;
	unsigned connects;
	int64_t last_connect_ms;
	char last_connect[64]; /* to where */
	int network_fds[2048];
	size_t n_network_fds;
	char notified[16384]; /* all that was told systemd */
	int64_t stolen_ms;    /* what sup_deps.stolen_ms says */
	bool stopped;
	int listener; /* our own copy of the inherited one, -1: none */
	uint16_t port;
};

/* A fake with an inherited listener on 127.0.0.1 and an empty runtime directory; freed, with the
 * supervisor, after the test. */
struct fake *fake_new(struct loop *loop);
/* The configuration file's text; credentials file: NULL for none. */
void fake_config(struct fake *fake, const char *text);
void fake_credentials(struct fake *fake, const char *text);
/* sup_start(); its result. */
int fake_try_start(struct fake *fake);
/* It must work; runs what is due. */
void fake_start(struct fake *fake);
/* A fake that runs with this configuration; the second has a login "c1", whose password must not be
 * logged. */
struct fake *fake_run(struct loop *loop, const char *config);
struct fake *fake_run_with_login(struct loop *loop, const char *config);
/* Replace the inherited listener. any: on 0.0.0.0. */
void fake_inherit(struct fake *fake, bool any);
void fake_inherit_none(struct fake *fake);

/* Let time pass in steps, so that all sockets are served at their own instant. */
void fake_wait_ms(struct fake *fake, int64_t ms);

/* program is a pattern of fnmatch(3). */
#define FAKE_ANY_WORKER "camhub-worker*"
/* The living child that serves this object; fails when there is none. */
struct fake_child *fake_get(struct fake *fake, const char *program, const char *object);
/* The same, NULL when there is none. */
struct fake_child *fake_find(struct fake *fake, const char *program, const char *object);
/* How many were ever started for it. */
size_t fake_count(const struct fake *fake, const char *program, const char *object);
size_t fake_living(const struct fake *fake);

struct fake_child *fake_worker(struct fake *fake, const char *stream);
struct fake_child *fake_front(struct fake *fake);
/* A front that has read everything it was handed. */
struct fake_child *fake_synced_front(struct fake *fake);
uint32_t fake_id_of(struct fake *fake, const char *stream);

/* The child speaks. msg is stolen; fd too. */
void fake_say(struct fake_child *child, json_t *msg, int fd);
void fake_say_bytes(struct fake_child *child, const char *bytes, size_t len);
void fake_ready(struct fake_child *child); /* and beats from now on */
void fake_input(struct fake_child *child, const char *state, const char *class, const char *reason);
/* Ready, and pictures flow. */
void fake_up(struct fake_child *child);
/* A lost or failed source: told, then exit 75. */
void fake_fail(struct fake_child *child, const char *class, const char *reason);
void fake_exit(struct fake_child *child, int code);
void fake_crash(struct fake_child *child);
void fake_die(struct fake_child *child, const char *signal);

/* A camctl: connected, everything it receives is checked. */
struct peer *fake_ctl(struct fake *fake);
/* Ask one thing (field: NULL when the type says it all); the `done` that answers it. */
const json_t *fake_ask(struct fake *fake, enum msg_type type, const char *field, const char *value);
/* Ask for the status of all; the `camera` message of this stream, borrowed until the next call. */
const json_t *fake_camera(struct fake *fake, const char *stream);
/* The told state of a stream; fails unless it is this. */
void fake_assert_state(struct fake *fake, const char *stream, const char *state);

#endif
