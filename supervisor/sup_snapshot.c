/*
 * Jobs: waiting, running (max_snapshots at once), each with those who asked.
 */
#include "config.h"

#include "supervisor/sup_snapshot.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JPEG_QUALITY 3    /* of libavcodec's scale, 1 (best) to 31 */
#define LEAVE_MS     1000 /* after its result a transcoder has so long to go */

struct asker {
	uint32_t subscriber;
	int64_t request;
};

struct sup_snapshot {
	TAILQ_ENTRY(sup_snapshot) entry;
	struct sup *sup;
	uint32_t id; /* of the stream */
	char *name;
	int fd;                  /* the group of pictures; -1 once handed over */
	struct sup_child *child; /* NULL: waiting */
	bool done;               /* answered; the process is only leaving */
	struct clock_timer deadline;
	struct asker *askers;
	size_t n_askers;
};

static void start_waiting(struct sup *sup);

static void
release(struct sup_snapshot *job)
{
	TAILQ_REMOVE(&job->sup->snapshots, job, entry);
	clock_timer_cancel(&job->deadline);
	if (job->fd >= 0)
		close(job->fd);
	free(job->askers);
	free(job->name);
	free(job);
}

static void
answer_one(struct sup *sup, const struct asker *asker, const char *error, const json_t *result,
	   int fd)
{
	struct sup_front *front = sup_front_by_subscriber(sup, asker->subscriber);
	int copy = -1;
	json_t *msg;

	if (front == NULL)
		return;
	if (fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			error = "no descriptors left";
	}
	msg = msg_new(MSG_SNAPSHOT_DONE);
	msg_set_int(msg, "request", asker->request);
	if (error != NULL) {
		msg_set_str(msg, "error", error);
	} else {
		if (json_object_get(result, "width") != NULL)
			msg_set_int(msg, "width", msg_int(result, "width", 1));
		if (json_object_get(result, "height") != NULL)
			msg_set_int(msg, "height", msg_int(result, "height", 1));
	}
	sup_child_send(front->child, msg, copy);
}

/* Everybody who asked gets the same; once. */
static void
answer(struct sup_snapshot *job, const char *error, const json_t *result, int fd)
{
	if (job->done)
		return;
	job->done = true;
	if (error != NULL)
		log_info("cam=%s: no snapshot: %s", job->name, error);
	for (size_t i = 0; i < job->n_askers; i++)
		answer_one(job->sup, &job->askers[i], error, result, fd);
	job->n_askers = 0;
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_snapshot *job = arg;
	const char *error = msg_str(msg, "error");

	if (type == MSG_SNAPSHOT_RESULT) {
		if (error[0] == '\0' && fd < 0)
			error = "the transcoder gave no picture";
		answer(job, error[0] != '\0' ? error : NULL, msg, error[0] != '\0' ? -1 : fd);
		sup_child_stop(job->child);
		clock_timer_set_ms(&job->deadline, LEAVE_MS);
	}
	if (fd >= 0)
		close(fd);
}

static void
on_ready(void *arg)
{
	(void)arg; /* it has its job already */
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_snapshot *job = arg;
	struct sup *sup = job->sup;
	char text[SUP_CHILD_TEXT_MAX + 32];

	job->child = NULL;
	snprintf(text, sizeof(text), "the transcoder failed: %s", end->text);
	answer(job, text, NULL, -1);
	release(job);
	start_waiting(sup);
}

static void
on_deadline(struct clock_timer *timer, void *arg)
{
	struct sup_snapshot *job = arg;
	char text[96];

	(void)timer;
	snprintf(text, sizeof(text), "no picture after %.3g s",
		 (double)sup_settings(job->sup)->snapshot_timeout_ms / 1000);
	answer(job, text, NULL, -1);
	sup_child_kill_now(job->child);
}

static json_t *
make_job(const struct sup_snapshot *job)
{
	json_t *msg = msg_new(MSG_SNAPSHOT_JOB);

	msg_set_str(msg, "stream", job->name);
	msg_set_int(msg, "quality", JPEG_QUALITY);
	msg_set_int(msg, "deadline_ms", sup_settings(job->sup)->snapshot_timeout_ms);
	return msg;
}

/* false: it could not, and the job is gone. */
static bool
start(struct sup_snapshot *job)
{
	static const struct sup_child_ops ops = { .on_ready = on_ready,
						  .on_msg = on_msg,
						  .on_exit = on_exit_ };
	const struct sup_child_spec spec = { .program = "camhub-transcode",
					     .object = job->name,
					     .receive = MSG_FROM_TRANSCODE };
	char text[160];
	int rc;

	rc = sup_child_start(job->sup, &spec, &ops, job, &job->child);
	if (rc < 0) {
		snprintf(text, sizeof(text), "cannot start camhub-transcode: %s", strerror(-rc));
		answer(job, text, NULL, -1);
		release(job);
		return false;
	}
	sup_child_send(job->child, make_job(job), job->fd);
	job->fd = -1;
	clock_timer_set_ms(&job->deadline, sup_settings(job->sup)->snapshot_timeout_ms);
	return true;
}

static void
start_waiting(struct sup *sup)
{
	struct sup_snapshot *job, *next;
	int64_t running = 0;

	if (sup->stopping)
		return;
	for (job = TAILQ_FIRST(&sup->snapshots); job != NULL; job = TAILQ_NEXT(job, entry))
		running += job->child != NULL;
	for (job = TAILQ_FIRST(&sup->snapshots);
	     job != NULL && running < sup_settings(sup)->max_snapshots; job = next) {
		next = TAILQ_NEXT(job, entry);
		if (job->child == NULL)
			running += start(job);
	}
}

static struct sup_snapshot *
find_open(struct sup *sup, uint32_t id, size_t *waiting)
{
	struct sup_snapshot *job, *found = NULL;

	*waiting = 0;
	for (job = TAILQ_FIRST(&sup->snapshots); job != NULL; job = TAILQ_NEXT(job, entry)) {
		if (job->id == id && !job->done)
			found = job;
		*waiting += job->child == NULL;
	}
	return found;
}

/* Who joins brings a later group of pictures: a job that only waits takes that one. */
static void
take_newer(struct sup_snapshot *job, int fd)
{
	if (job->fd < 0) {
		close(fd);
		return;
	}
	close(job->fd);
	job->fd = fd;
}

static void
add_asker(struct sup_snapshot *job, const struct asker *asker)
{
	job->askers = xreallocarray(job->askers, job->n_askers + 1, sizeof(*job->askers));
	job->askers[job->n_askers++] = *asker;
}

void
sup_snapshot_request(struct sup *sup, uint32_t subscriber, int64_t request, uint32_t id, int fd)
{
	const struct asker asker = { .subscriber = subscriber, .request = request };
	const struct sup_stream *stream = sup_stream_by_id(sup, id);
	const char *error = NULL;
	struct sup_snapshot *job;
	size_t waiting;

	job = find_open(sup, id, &waiting);
	if (stream == NULL || sup->stopping)
		error = "there is no such stream";
	else if (job != NULL && job->n_askers >= SUP_SNAPSHOT_ASKERS_MAX)
		error = "too many wait for this picture already";
	else if (job == NULL && waiting >= SUP_SNAPSHOT_WAITING_MAX)
		error = "too many snapshots are being made already";
	if (error != NULL) {
		close(fd);
		answer_one(sup, &asker, error, NULL, -1);
		return;
	}
	if (job != NULL) {
		take_newer(job, fd);
		add_asker(job, &asker);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->sup = sup;
	job->id = id;
	job->name = xstrdup(stream->name);
	job->fd = fd;
	clock_timer_init(&job->deadline, sup->deps.clock, on_deadline, job);
	TAILQ_INSERT_TAIL(&sup->snapshots, job, entry);
	add_asker(job, &asker);
	start_waiting(sup);
}

static void
forget_askers(struct sup_snapshot *job, uint32_t subscriber)
{
	size_t kept = 0;

	for (size_t i = 0; i < job->n_askers; i++)
		if (job->askers[i].subscriber != subscriber)
			job->askers[kept++] = job->askers[i];
	job->n_askers = kept;
}

void
sup_snapshot_forget(struct sup *sup, uint32_t subscriber)
{
	struct sup_snapshot *job, *next;

	for (job = TAILQ_FIRST(&sup->snapshots); job != NULL; job = next) {
		next = TAILQ_NEXT(job, entry);
		forget_askers(job, subscriber);
		if (job->n_askers > 0 || job->done)
			continue;
		job->done = true;
		if (job->child != NULL)
			sup_child_kill_now(job->child);
		else
			release(job);
	}
}

void
sup_snapshot_free_all(struct sup *sup)
{
	struct sup_snapshot *job;

	while ((job = TAILQ_FIRST(&sup->snapshots)) != NULL) {
		sup_child_free(&job->child);
		release(job);
	}
}
