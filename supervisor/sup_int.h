/*
 * The supervisor's context, known to its own files alone.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_INT_H
#define CAMHUB_SUPERVISOR_SUP_INT_H

#include "shared/clock.h"
#include "shared/conf.h"
#include "shared/msg.h"
#include "supervisor/sup.h"
#include "supervisor/sup_child_ev.h"
#include "supervisor/sup_dirs.h"
#include "supervisor/sup_listen.h"

#include <sys/queue.h>

struct sup_stream;
struct sup_front;
struct sup_access;
struct sup_auth;
struct sup_ctl;
struct sup_refuse;
struct sup_lookup;
struct sup_hook;
struct sup_rtc;
struct sup_snapshot;
struct sup_tap;

TAILQ_HEAD(sup_streams, sup_stream);
TAILQ_HEAD(sup_lookups, sup_lookup);
TAILQ_HEAD(sup_snapshots, sup_snapshot);
TAILQ_HEAD(sup_fronts, sup_front);
TAILQ_HEAD(sup_children, sup_child);

struct sup {
	struct sup_options options;
	struct sup_deps deps;
	struct sup_dirs dirs;
	struct conf *conf; /* NULL while there never was a good one */
	struct conf *defaults;
	char *config_error; /* of the latest load; NULL: it was good */
	bool degraded;      /* no good configuration or listener yet: 503 */
	unsigned reloads;
	unsigned violations; /* children that their sandbox killed */
	int64_t started_realtime_ms;
	uint64_t log_lost; /* lines of children that nobody took */
	struct sup_listeners listeners;
	int tls_fd; /* the identity of the fronts, -1: none */

	struct sup_streams streams;
	struct sup_streams spawn_queue;
	unsigned spawning; /* slots in use: spawned, not READY */
	struct clock_timer slot_timer;
	uint32_t next_stream_id;
	int64_t last_epoch;

	struct sup_children children;
	struct sup_fronts fronts;
	uint32_t last_subscriber;
	struct sup_lookups lookups;
	struct sup_snapshots snapshots;
	struct sup_access *access;
	struct sup_auth *auth;
	struct sup_hook *hook;
	struct sup_rtc *rtc;
	struct sup_ctl *ctl;
	struct sup_tap *tap;
	struct sup_refuse *refuse;

	struct clock_timer watchdog;
	struct clock_timer status_timer; /* STATUS= soon */
	struct clock_timer retry_timer;  /* degraded: listeners could not be bound */
	struct clock_timer end_timer;    /* stopping: a child that not even SIGKILL ends */
	bool stopping;
	bool stopped;

	int64_t stolen_ms, stolen_at_ns; /* the newest reading of stolen time, and when that was */
};

static inline int64_t
sup_now_ns(struct sup *sup)
{
	return clock_now_ns(sup->deps.clock);
}

static inline int64_t
sup_realtime_ms(struct sup *sup)
{
	return clock_realtime_ns(sup->deps.clock) / NS_PER_MS;
}

/* Bind and start everything that conf (taken) asks for, or, under systemd, answer 503. 0 or
 * negative errno with sup->config_error set. */
int sup_activate(struct sup *sup, struct conf *conf);

/* The settings in force: of the configuration, or the defaults while there is none. */
const struct conf *sup_settings(struct sup *sup);

void sup_set_log_level(struct sup *sup, enum log_level level); /* here and in all children */

/* A text of several lines as several records, "prefix: line" each: a record has one line. */
void sup_log_lines(enum log_level level, const char *prefix, const char *text);

/* A child was reaped (called by sup_child_ev.c when it left the list). */
void sup_on_child_gone(struct sup *sup);

/* Something that STATUS= shows has changed. */
void sup_status_changed(struct sup *sup);

#endif
