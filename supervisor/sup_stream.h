/*
 * One stream (a camera or its second URL): its state, its worker, its demand. The table of
 * sup_fsm.h decides; this applies.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_STREAM_H
#define CAMHUB_SUPERVISOR_SUP_STREAM_H

#include "shared/url.h"
#include "supervisor/sup_challenge.h"
#include "supervisor/sup_copy.h"
#include "supervisor/sup_fsm.h"
#include "supervisor/sup_hook.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_lookup.h"
#include "supervisor/sup_redirect.h"
#include "supervisor/sup_retry.h"

#define SUP_REASON_MAX 512
#define SUP_CLASS_MAX  16

struct sup_probe;

/* What people and fronts are told. */
struct sup_told {
	const char *state; /* off | connecting | up | stalled | down | refused */
	int64_t since_ms;  /* realtime */
	char reason[SUP_REASON_MAX + 1];
	bool ready; /* the worker listens on its bus path */
};

struct sup_stream {
	TAILQ_ENTRY(sup_stream) entry;
	TAILQ_ENTRY(sup_stream) spawn_entry;
	struct sup *sup;
	uint32_t id;
	char *name;
	const struct conf_stream *conf; /* in sup->conf; NULL once removed from it */
	struct url url;                 /* where the next connect goes */
	const struct url_program *program;
	struct sup_redirect redirect;
	struct sup_challenge challenge;

	enum sup_state state;
	struct sup_account account;
	struct clock_timer timer; /* of the state */
	bool queued, holds_slot;  /* in the spawn queue; spawned and not READY */
	struct sup_lookup *lookup;
	struct sup_probe *probe;
	int socket; /* connected, for a program that takes it; -1: none */
	struct sup_addresses addresses;
	size_t next_address;
	int64_t looked_up_ns;

	struct sup_child *child;
	bool is_copy;              /* see sup_copy.h */
	struct sup_stream *source; /* of a copy; NULL: it is gone */
	/* Of a source, by enum sup_copy_kind; NULL: none of that kind. */
	struct sup_stream *copies[SUP_COPY_KINDS];
	enum sup_copy_kind copy_kind; /* of a copy */
	int64_t source_epoch;         /* that the copy's process reads */
	uint32_t subscriber;          /* that this process is, on its source's bus */

	int64_t epoch;
	char bus[SUP_PATH_MAX]; /* "" while no worker lives */
	bool ready;
	int64_t inputs_since_ns; /* `input` messages since then */
	unsigned inputs;
	json_t *status;         /* the worker's latest worker-status, NULL: none */
	json_t *advice;         /* as fronts were told last, NULL: never; see sup_advice.h */
	int64_t advice_told_ns; /* 0: never */

	bool demand;      /* a front has viewers for it */
	bool feeds;       /* a copy needs it */
	bool is_demanded; /* one of these, as its worker was told */
	struct clock_timer linger;
	struct sup_hook_stream hook;

	struct sup_told told;
	bool failing; /* the latest try did not end in pictures */
	bool ended;   /* this incarnation said so, class and reason are its last words */
	char class[SUP_CLASS_MAX + 1]; /* of the latest trouble, "none" when all is well */
	char reason[SUP_REASON_MAX + 1];
	char last_error[SUP_REASON_MAX + 1];
	int64_t last_error_ms; /* realtime, 0: never */
	unsigned restarts;     /* workers spawned but the first */
	unsigned spawns;
	unsigned violations; /* workers that their sandbox killed */
};

/* A stream of conf, not started: sup_stream_event(START) or set_demand does that. */
struct sup_stream *sup_stream_new(struct sup *sup, const struct conf_stream *conf);
/* A copy of a stream, with the source's configuration; likewise. */
struct sup_stream *sup_stream_new_copy(struct sup_stream *source, enum sup_copy_kind kind);
void sup_stream_free(struct sup_stream **stream); /* lets go of everything at once */
struct sup_stream *sup_stream_find(struct sup *sup, const char *name);
struct sup_stream *sup_stream_by_id(struct sup *sup, uint32_t id);

/* Configuration changed: the same stream in another snapshot. */
void sup_stream_set_conf(struct sup_stream *stream, const struct conf_stream *conf);
/* Where it is looked for from now on: the configured URL, or where that leads. 0 or -EINVAL. */
int sup_stream_set_url(struct sup_stream *stream, const char *text);
/* It is not in the configuration any more: stop, then disappear. */
void sup_stream_remove(struct sup_stream *stream);
/* Start or stop as demand and on_demand say. */
void sup_stream_review(struct sup_stream *stream);
/* Connected, or made, only while somebody watches. */
bool sup_stream_is_on_demand(const struct sup_stream *stream);

void sup_stream_event(struct sup_stream *stream, enum sup_event event);
void sup_stream_set_demand(struct sup_stream *stream, bool demand);
/* demand or feeds has changed. */
void sup_stream_apply_demand(struct sup_stream *stream);
/* Tell the worker to send its group of pictures again for that subscriber. */
void sup_stream_replay(struct sup_stream *stream, uint32_t subscriber);
/* ms until the next try, 0 while one is under way, -1 when none is planned. */
int64_t sup_stream_retry_in_ms(const struct sup_stream *stream);

/* Note trouble: for `reason`, `class` and, unless it is only waiting, `last_error`. */
void sup_stream_trouble(struct sup_stream *stream, const char *class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Set up its timers; forget timer, lookup, connect and place in the queue. */
void sup_stream_init_timers(struct sup_stream *stream);
void sup_stream_cancel(struct sup_stream *stream);

/* What is told follows the state; announces a change to the fronts. */
void sup_stream_tell(struct sup_stream *stream);

#endif
