/*
 * Questions about passwords, and the process that answers them.
 */
#include "config.h"

#include "supervisor/sup_auth.h"

#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access.h"
#include "supervisor/sup_access_int.h"
#include "supervisor/sup_front.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char program[] = "camhub-auth", object[] = "auth";

struct sup_auth_job {
	TAILQ_ENTRY(sup_auth_job) entry;
	int64_t id;
	/* Who wants to know: a front, or fn. */
	uint32_t subscriber;
	int64_t front_id;
	char user[65];
	int64_t generation; /* of his logins, when it was asked */
	sup_auth_fn *fn;
	void *arg;
	struct sup_auth *auth;
};

TAILQ_HEAD(auth_jobs, sup_auth_job);

struct sup_auth {
	struct sup *sup;
	bool wanted, ready;
	struct sup_child *child; /* NULL: dead */
	struct clock_timer retry;
	unsigned early_deaths, spawns;
	int64_t started_ns, ready_ns;
	int64_t since_ms; /* realtime, of its state */
	char last_exit[SUP_CHILD_TEXT_MAX], told_failure[SUP_CHILD_TEXT_MAX];
	struct auth_jobs jobs;
	unsigned n_jobs;
	int64_t last_id;
};

static void start(struct sup_auth *auth);

static void
drop_job(struct sup_auth_job *job)
{
	TAILQ_REMOVE(&job->auth->jobs, job, entry);
	job->auth->n_jobs--;
	free(job);
}

static void
tell_front(struct sup *sup, uint32_t subscriber, int64_t id, enum sup_auth_answer answer)
{
	struct sup_front *front = sup_front_by_subscriber(sup, subscriber);
	json_t *msg;

	if (front == NULL)
		return;
	msg = msg_new(MSG_AUTH_RESULT);
	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "ok", answer == SUP_AUTH_YES);
	if (answer == SUP_AUTH_BUSY)
		msg_set_bool(msg, "busy", true);
	sup_child_send(front->child, msg, -1);
}

/* He got another password while the old one was looked at. */
static bool
is_outdated(const struct sup_auth_job *job)
{
	return job->generation != access_generation(job->auth->sup->access, job->user);
}

/* The job is gone before anybody is told: who is told may ask again. */
static void
finish(struct sup_auth_job *job, enum sup_auth_answer answer, const char *hash)
{
	struct sup_auth_job done = *job;

	if (done.fn == NULL && answer == SUP_AUTH_YES && is_outdated(job))
		answer = SUP_AUTH_BUSY;
	drop_job(job);
	if (done.fn != NULL)
		done.fn(done.arg, answer == SUP_AUTH_YES ? hash : NULL);
	else
		tell_front(done.auth->sup, done.subscriber, done.front_id, answer);
}

static void
on_ready(void *arg)
{
	struct sup_auth *auth = arg;

	auth->ready = true;
	auth->ready_ns = sup_now_ns(auth->sup);
	auth->since_ms = sup_realtime_ms(auth->sup);
	auth->told_failure[0] = '\0';
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_auth *auth = arg;
	struct sup_auth_job *job;
	const char *hash = msg_str(msg, "hash");
	enum sup_auth_answer answer = msg_bool(msg, "ok", false) ? SUP_AUTH_YES : SUP_AUTH_NO;

	if (fd >= 0)
		close(fd);
	if (type != MSG_AUTH_DONE)
		return;
	if (msg_bool(msg, "busy", false))
		answer = SUP_AUTH_BUSY;
	for (job = TAILQ_FIRST(&auth->jobs); job != NULL; job = TAILQ_NEXT(job, entry))
		if (job->id == msg_int(msg, "id", 0)) {
			finish(job, answer, hash[0] != '\0' ? hash : NULL);
			return;
		}
}

static int64_t
retry_delay_ms(struct sup_auth *auth)
{
	struct sup *sup = auth->sup;
	int64_t now = sup_now_ns(sup), since;

	since = auth->ready_ns != 0 ? (now - auth->ready_ns) / NS_PER_MS : 0;
	return backoff_next_ms(&sup_settings(sup)->restart_front, since,
			       (now - auth->started_ns) / NS_PER_MS, &auth->early_deaths,
			       sup->deps.random(sup->deps.arg));
}

static void
start_again(struct sup_auth *auth)
{
	int64_t delay_ms = retry_delay_ms(auth);

	if (strcmp(auth->told_failure, auth->last_exit) != 0)
		log_err("auth: %s, again in %.1f s (nobody can log in meanwhile)", auth->last_exit,
			(double)delay_ms / 1000);
	snprintf(auth->told_failure, sizeof(auth->told_failure), "%s", auth->last_exit);
	clock_timer_set_ms(&auth->retry, delay_ms);
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_auth *auth = arg;
	struct sup_auth_job *job;

	auth->child = NULL;
	auth->ready = false;
	auth->since_ms = sup_realtime_ms(auth->sup);
	snprintf(auth->last_exit, sizeof(auth->last_exit), "%s", end->text);
	while ((job = TAILQ_FIRST(&auth->jobs)) != NULL)
		finish(job, SUP_AUTH_BUSY, NULL);
	if (auth->sup->stopping || !auth->wanted)
		return;
	if (end->asked)
		start(auth);
	else
		start_again(auth);
}

static void
start(struct sup_auth *auth)
{
	static const struct sup_child_ops ops = { .on_ready = on_ready,
						  .on_msg = on_msg,
						  .on_exit = on_exit_ };
	const struct sup_child_spec spec = { .program = program,
					     .object = object,
					     .receive = MSG_FROM_AUTH };
	int rc;

	if (auth->child != NULL || auth->sup->stopping)
		return;
	clock_timer_cancel(&auth->retry);
	auth->ready_ns = 0;
	auth->started_ns = sup_now_ns(auth->sup);
	auth->since_ms = sup_realtime_ms(auth->sup);
	rc = sup_child_start(auth->sup, &spec, &ops, auth, &auth->child);
	if (rc == 0) {
		auth->spawns++;
		return;
	}
	snprintf(auth->last_exit, sizeof(auth->last_exit), "cannot start %s: %s", program,
		 strerror(-rc));
	start_again(auth);
}

static void
on_retry(struct clock_timer *timer, void *arg)
{
	(void)timer;
	start(arg);
}

struct sup_auth *
sup_auth_new(struct sup *sup)
{
	struct sup_auth *auth = xcalloc(1, sizeof(*auth));

	auth->sup = sup;
	TAILQ_INIT(&auth->jobs);
	clock_timer_init(&auth->retry, sup->deps.clock, on_retry, auth);
	return auth;
}

void
sup_auth_free(struct sup_auth **auth)
{
	struct sup_auth *old = *auth;
	struct sup_auth_job *job;

	*auth = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->retry);
	sup_child_free(&old->child);
	while ((job = TAILQ_FIRST(&old->jobs)) != NULL)
		drop_job(job);
	free(old);
}

void
sup_auth_want(struct sup *sup, bool wanted)
{
	struct sup_auth *auth = sup->auth;

	auth->wanted = wanted;
	if (wanted && !clock_timer_is_set(&auth->retry))
		start(auth);
	if (wanted)
		return;
	clock_timer_cancel(&auth->retry);
	if (auth->child != NULL)
		sup_child_stop(auth->child);
}

void
sup_auth_stop(struct sup *sup)
{
	clock_timer_cancel(&sup->auth->retry);
}

/* NULL: it cannot be looked at. */
static struct sup_auth_job *
add_job(struct sup_auth *auth, json_t *msg, unsigned max)
{
	struct sup_auth_job *job;

	if (auth->child == NULL || auth->n_jobs >= max) {
		json_decref(msg);
		return NULL;
	}
	job = xcalloc(1, sizeof(*job));
	job->auth = auth;
	job->id = ++auth->last_id;
	TAILQ_INSERT_TAIL(&auth->jobs, job, entry);
	auth->n_jobs++;
	msg_set_int(msg, "id", job->id);
	sup_child_send(auth->child, msg, -1);
	return job;
}

void
sup_auth_check(struct sup *sup, uint32_t subscriber, const json_t *msg)
{
	int64_t id = msg_int(msg, "id", 0);
	json_t *question = msg_new(MSG_AUTH_JOB);
	struct sup_auth_job *job;

	msg_set_str(question, "password", msg_str(msg, "password"));
	/* Nobody: it takes as long as somebody. */
	msg_set_str(question, "hash", sup_access_hash(sup, msg_str(msg, "user")));
	job = add_job(sup->auth, question, SUP_AUTH_JOBS_MAX - SUP_AUTH_JOBS_KEPT);
	if (job == NULL) {
		tell_front(sup, subscriber, id, SUP_AUTH_BUSY);
		return;
	}
	job->subscriber = subscriber;
	job->front_id = id;
	snprintf(job->user, sizeof(job->user), "%s", msg_str(msg, "user"));
	job->generation = access_generation(sup->access, job->user);
}

struct sup_auth_job *
sup_auth_make(struct sup *sup, const char *password, sup_auth_fn *fn, void *arg)
{
	json_t *question = msg_new(MSG_AUTH_JOB);
	struct sup_auth_job *job;

	msg_set_str(question, "password", password);
	msg_set_bool(question, "make", true);
	job = add_job(sup->auth, question, SUP_AUTH_JOBS_MAX);
	if (job == NULL)
		return NULL;
	job->fn = fn;
	job->arg = arg;
	return job;
}

static void
ignore(void *arg, const char *hash)
{
	(void)arg;
	(void)hash;
}

void
sup_auth_cancel(struct sup_auth_job **job)
{
	/* It stays until it is answered: the process works at it. */
	if (*job != NULL)
		(*job)->fn = ignore;
	*job = NULL;
}

bool
sup_auth_is_wanted(const struct sup *sup)
{
	return sup->auth->wanted;
}

json_t *
sup_auth_status(const struct sup *sup)
{
	const struct sup_auth *auth = sup->auth;
	json_t *msg = msg_new(MSG_CTL_PROCESS);
	char last_exit[161];

	snprintf(last_exit, sizeof(last_exit), "%.160s", auth->last_exit);
	msg_set_str(msg, "name", object);
	msg_set_int(msg, "pid", sup_child_pid(auth->child));
	msg_set_str(msg, "state", auth->child == NULL ? "down" : auth->ready ? "up" : "starting");
	msg_set_int(msg, "since_ms", auth->since_ms);
	msg_set_int(msg, "restarts", auth->spawns > 0 ? auth->spawns - 1 : 0);
	msg_set_int(msg, "rss_kib", sup_child_rss_kib(auth->child));
	msg_set_str(msg, "last_exit", last_exit);
	return msg;
}
