/*
 * What the files of the tap share.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_TAP_INT_H
#define CAMHUB_SUPERVISOR_SUP_TAP_INT_H

#include "supervisor/sup_tap.h"

struct event;

/* A stream as analysers were told it last. */
struct sup_tap_stream {
	TAILQ_ENTRY(sup_tap_stream) entry;
	uint32_t id;
	json_t *told; /* the message tap-stream */
};
TAILQ_HEAD(sup_tap_streams, sup_tap_stream);

#define SUP_TAP_OFFENDERS 16

/* A user whose programs were cut off. */
struct sup_tap_offender {
	uid_t uid;
	uint64_t faults_ever; /* 0: nobody */
	struct rate_window faults;
	unsigned pauses; /* in a row in which they were not let in */
	int64_t latest_ns, until_ns;
};

struct sup_tap {
	struct sup *sup;
	int fd; /* -1: it does not listen yet */
	struct event *ev;
	struct clock_timer pause;
	struct sup_tap_clients clients;
	size_t n_clients;
	char *path;               /* of the socket */
	struct rate_window lines; /* in the log, that programs provoked */
	struct sup_tap_offender offenders[SUP_TAP_OFFENDERS];

	struct sup_tap_streams streams;
	struct clock_timer list_timer; /* streams.json is to be written */
	char *list, *list_new;
	bool list_failed; /* that was logged */
};

/* The list (sup_tap_list.c) */

void sup_tap_list_init(struct sup_tap *tap);
/* The directories are there. Also after it failed, or again. 0 or negative errno. */
int sup_tap_list_open(struct sup_tap *tap);
void sup_tap_list_free(struct sup_tap *tap);
void sup_tap_list_soon(struct sup_tap *tap);
/* All that is known, and tap-synced. */
void sup_tap_list_send(struct sup_tap_client *client);

/* Analysers (sup_tap.c) */

/* What a client says; text (for it) and false: it is to be cut off. */
bool sup_tap_hello(struct sup_tap_client *client, const json_t *msg, char *text, size_t len);
void sup_tap_want(struct sup_tap_client *client, const json_t *msg);
void sup_tap_replay(struct sup_tap_client *client, const json_t *msg);
/* It leaves: nothing is wanted any more, fronts hear of it, its endpoint is unlinked. */
void sup_tap_leave(struct sup_tap_client *client);
/* A stream is gone. */
void sup_tap_forget_want(struct sup_tap_client *client, uint32_t id);
/* Which streams it may speak of may have changed. */
void sup_tap_review(struct sup_tap_client *client);

/* Limits (sup_tap_guard.c) */

/* Before each line that a program can provoke: whether it may go to the log. */
bool sup_tap_may_log(struct sup_tap *tap);
/* A program of this user was cut off. */
void sup_tap_note_fault(struct sup_tap *tap, uid_t uid);
/* Whether programs of this user are let in now. */
bool sup_tap_lets_in(struct sup_tap *tap, uid_t uid);

/* The socket (sup_tap_ev.c) */

void sup_tap_send(struct sup_tap_client *client, json_t *msg); /* takes msg */

#endif
