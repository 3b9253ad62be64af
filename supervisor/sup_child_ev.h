/*
 * One child process of any kind: spawned, watched (READY in time, beats, channel), stopped by
 * message and then by SIGKILL, reaped by pidfd exactly once.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_CHILD_EV_H
#define CAMHUB_SUPERVISOR_SUP_CHILD_EV_H

#include "shared/msg.h"

#include <stdint.h>
#include <sys/types.h>

#define SUP_CHILD_TEXT_MAX 256
#define SUP_CHILD_RAW_MAX  2048

struct sup;
struct sup_child;

struct sup_exit {
	int code;                      /* -1: by a signal */
	bool asked;                    /* it had been told to stop */
	bool bad;                      /* it was killed for what it did or did not do */
	bool is_violation;             /* of its sandbox */
	char text[SUP_CHILD_TEXT_MAX]; /* for people: "exit 75", "hung: no beat for 2.5 s", ... */
};

/* All are called from the loop, never from within a sup_child function. */
struct sup_child_ops {
	void (*on_ready)(void *arg);
	/* All but ready and beat. fd (-1: none) is the callee's. */
	void (*on_msg)(void *arg, enum msg_type type, const json_t *msg, int fd);
	/* It misbehaves and has been sent SIGKILL; nothing more is read from it. May be NULL. */
	void (*on_bad)(void *arg, const char *why);
	/* Reaped. The last call; the child is freed when it returns. */
	void (*on_exit)(void *arg, const struct sup_exit *exit);
	/* Raw children only: one datagram. */
	void (*on_raw)(void *arg, const char *bytes, size_t len);
};

struct sup_child_spec {
	const char *program; /* in the libexec directory */
	const char *object;  /* argv[1] */
	const char *job;     /* argv[2], NULL: none */
	enum msg_to receive; /* which side of the schema it speaks */
	bool raw;            /* no schema, no READY, no beats: datagrams until deadline_ms */
	int64_t deadline_ms; /* raw: whole life */
};

/* Spawn. 0 and *child, or negative errno. Strings are copied. */
int sup_child_start(struct sup *sup, const struct sup_child_spec *spec,
		    const struct sup_child_ops *ops, void *arg, struct sup_child **child);

/* Takes msg and fd (-1: none). A child that does not read what is sent is killed as bad. */
void sup_child_send(struct sup_child *child, json_t *msg, int fd);
void sup_child_send_raw(struct sup_child *child, const char *bytes, size_t len);

void sup_child_stop(struct sup_child *child); /* message, stop_wait_ms, SIGKILL; again: no-op */
void sup_child_kill(struct sup_child *child, const char *why); /* SIGKILL; counts as bad */
void sup_child_kill_now(struct sup_child *child); /* SIGKILL, asked: nobody wants it any more */

/* All there are: told to stop, or (now) killed without being asked. */
void sup_child_stop_all(struct sup *sup, bool now);
void sup_child_broadcast_level(struct sup *sup, const char *level);

/* Its resident memory as it told with its last beat; 0 not yet, or for NULL. */
long long sup_child_rss_kib(const struct sup_child *child);
/* What it says it is locked into; NULL: it did not say, or there is no child. */
const char *sup_child_sandbox(const struct sup_child *child);
pid_t sup_child_pid(const struct sup_child *child); /* 0 for NULL */
/* "camhub-http http", the caller's, if the process is one of ours that is not reaped; else NULL. */
char *sup_child_name_of(const struct sup *sup, pid_t pid);
/* Let go without waiting: closes everything. For sup_free(). */
void sup_child_free(struct sup_child **child);

#endif
