/*
 * The tap: programs of others (analysers) that watch the same pictures and say what they found.
 * They connect to tap.sock in the bus directory, say who they are, and ask for streams as fronts
 * do; fronts are told where they publish results (docs/protocol.md, "Analysers").
 *
 * Nothing of a camera's address or login is in what they are told.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_TAP_H
#define CAMHUB_SUPERVISOR_SUP_TAP_H

#include "supervisor/sup_int.h"

#include "shared/rate.h"

#define SUP_TAP_CLIENTS_MAX   32
#define SUP_TAP_MAX_BYTES     4096
#define SUP_TAP_HELLO_MS      2000 /* after it connected */
#define SUP_TAP_MESSAGES      512  /* in so long a client may send so many */
#define SUP_TAP_WINDOW_MS     8000
#define SUP_TAP_QUEUE_MAX     2048 /* that it does not read */
#define SUP_TAP_NAME_BYTES    32
#define SUP_TAP_STREAMS_MAX   1024
#define SUP_TAP_LIST_PAUSE_MS 20   /* changes of so long go into the list together */
#define SUP_TAP_LIST_AGAIN_MS 1000 /* one that could not be written */

struct chan_ev;
struct sup_front;
struct sup_stream;
struct sup_tap;

struct sup_tap_want {
	TAILQ_ENTRY(sup_tap_want) entry;
	uint32_t id; /* of the stream */
	bool on;     /* false: it had it */
};
TAILQ_HEAD(sup_tap_wants, sup_tap_want);

/* What a front says about an analyser. */
struct sup_tap_report {
	TAILQ_ENTRY(sup_tap_report) entry;
	uint32_t subscriber; /* of the front */
	json_t *msg;         /* the latest front-analyser */
};
TAILQ_HEAD(sup_tap_reports, sup_tap_report);

/* A connection; an analyser once it has said hello. */
struct sup_tap_client {
	TAILQ_ENTRY(sup_tap_client) entry;
	struct sup_tap *tap;
	struct chan_ev *chan;
	struct clock_timer timer; /* hello is due; or, when it is cut off, its end */
	uint32_t id;              /* also its `subscriber`; never reused */
	pid_t pid;
	uid_t uid;
	int64_t since_ms; /* realtime */
	struct rate_window messages;
	bool is_cut_off; /* it goes from the loop */
	bool is_known;   /* it has said hello */
	char name[SUP_TAP_NAME_BYTES + 1];
	char version[65];
	char *endpoint;   /* path of its results, NULL: none */
	json_t *patterns; /* of cameras that it may speak of */
	struct sup_tap_wants wants;
	json_t *told; /* the latest `analyser` that fronts have, NULL: none */
	struct sup_tap_reports reports;
};
TAILQ_HEAD(sup_tap_clients, sup_tap_client);

struct sup_tap *sup_tap_new(struct sup *sup);
void sup_tap_free(struct sup_tap **tap); /* NULL-safe; clients and files go */
/* The configuration is in force: listen (once), with the mode and group that it says, and list. 0
 * or negative errno, which was logged. */
int sup_tap_apply(struct sup_tap *tap);

/* Streams */

/* What is told about it may have changed; it is gone. */
void sup_tap_on_stream(struct sup *sup, const struct sup_stream *stream);
void sup_tap_on_gone(struct sup *sup, uint32_t id);
/* Whether an analyser wants it. */
bool sup_tap_wants(struct sup *sup, uint32_t id);

/* Fronts */

void sup_tap_tell_front(struct sup_front *front); /* one that was started: all analysers */
void sup_tap_on_report(struct sup_front *front, const json_t *msg); /* front-analyser */
void sup_tap_forget_front(struct sup *sup, uint32_t subscriber);    /* it is dead */

/* Status */

const struct sup_tap_clients *sup_tap_clients(const struct sup *sup);
/* A counter of front-analyser. Each front reads the same results: it is that of the one that saw
 * the most; but what viewers were too slow for differs, and is added up. */
long long sup_tap_count(const struct sup_tap_client *client, const char *field);
/* The report of the front whose p95 is the highest, else any; NULL when there is none. Borrowed. */
const json_t *sup_tap_report(const struct sup_tap_client *client);

#endif
