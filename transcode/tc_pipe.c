/*
 * One lock for both queues.
 */
#include "config.h"

#include "transcode/tc_pipe.h"

#include "shared/clock.h"
#include "shared/xalloc.h"
#include "transcode/tc_feed.h"
#include "transcode/tc_live.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

struct job {
	TAILQ_ENTRY(job) entry;
	AVPacket *packet;
	struct tc_stamp stamp;
	bool is_start;
};
TAILQ_HEAD(jobs, job);

struct entry {
	struct tc_result result; /* first: a result is freed by its own address */
	TAILQ_ENTRY(entry) entry;
};
TAILQ_HEAD(entries, entry);

struct tc_pipe {
	pthread_t thread;
	int fd;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct jobs jobs;
	size_t n_jobs, n_live, bytes; /* n_live: without those that are behind */
	struct entries results;
	bool is_stopped;
	bool is_jump_due; /* of what was thrown away */
	uint64_t thrown_away, left_out;
};

static void
free_job(struct job *job)
{
	av_packet_free(&job->packet);
	free(job);
}

/* With the lock. */
static struct job *
take_job(struct tc_pipe *pipe)
{
	struct job *job = TAILQ_FIRST(&pipe->jobs);

	if (job == NULL)
		return NULL;
	TAILQ_REMOVE(&pipe->jobs, job, entry);
	pipe->n_jobs--;
	pipe->n_live -= !job->stamp.is_behind;
	pipe->bytes -= (size_t)job->packet->size;
	return job;
}

/* With the lock. The next one jumps where any of them did. */
static void
throw_away(struct tc_pipe *pipe)
{
	struct job *job;

	while ((job = take_job(pipe)) != NULL) {
		pipe->is_jump_due |= job->stamp.is_jump;
		pipe->thrown_away += !job->stamp.is_behind;
		free_job(job);
	}
}

static void
tell(struct tc_pipe *pipe, struct entry *entry)
{
	pthread_mutex_lock(&pipe->lock);
	TAILQ_INSERT_TAIL(&pipe->results, entry, entry);
	eventfd_write(pipe->fd, 1);
	pthread_mutex_unlock(&pipe->lock);
}

static struct entry *
new_entry(enum tc_result_kind kind)
{
	struct entry *entry = xcalloc(1, sizeof(*entry));

	entry->result.kind = kind;
	return entry;
}

/* The thread. */

static void
on_unit(void *arg, AVPacket *packet, const struct tc_stamp *stamp)
{
	struct entry *entry = new_entry(TC_RESULT_UNIT);

	entry->result.packet = packet;
	entry->result.stamp = *stamp;
	tell(arg, entry);
}

static int64_t
now_ns(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void
fail(struct tc_pipe *pipe, int rc)
{
	struct entry *entry = new_entry(TC_RESULT_FAILED);

	snprintf(entry->result.reason, sizeof(entry->result.reason), "cannot make H.264 of it: %s",
		 av_err2str(rc));
	tell(pipe, entry);
}

/* NULL: stopped. */
static struct job *
wait_for_job(struct tc_pipe *pipe, size_t *n_waiting)
{
	struct job *job = NULL;

	pthread_mutex_lock(&pipe->lock);
	while (!pipe->is_stopped && TAILQ_EMPTY(&pipe->jobs))
		pthread_cond_wait(&pipe->changed, &pipe->lock);
	if (!pipe->is_stopped)
		job = take_job(pipe);
	*n_waiting = pipe->n_jobs;
	pthread_mutex_unlock(&pipe->lock);
	return job;
}

static int
work(struct tc_pipe *pipe, struct tc_live *live)
{
	size_t n_waiting;
	struct job *job;
	int rc = 0;

	while (rc >= 0 && (job = wait_for_job(pipe, &n_waiting)) != NULL) {
		rc = tc_live_push(live, job->packet, &job->stamp, job->is_start, n_waiting);
		free_job(job);
		pthread_mutex_lock(&pipe->lock);
		pipe->left_out = tc_live_dropped(live);
		pthread_mutex_unlock(&pipe->lock);
	}
	return rc;
}

static void *
run(void *arg)
{
	static const struct tc_live_ops ops = { .unit = on_unit, .now_ns = now_ns };
	struct tc_pipe *pipe = arg;
	struct tc_live *live = NULL;
	int rc;

	rc = tc_live_new(&ops, pipe, &live);
	if (rc == 0)
		rc = work(pipe, live);
	if (rc < 0)
		fail(pipe, rc);
	tc_live_free(&live);
	tell(pipe, new_entry(TC_RESULT_CLOSED));
	return NULL;
}

/* The loop. */

/* Signals are the main thread's. */
static int
start_thread(struct tc_pipe *pipe)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&pipe->thread, NULL, run, pipe);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

static void
release(struct tc_pipe *pipe)
{
	struct tc_result *result;

	throw_away(pipe);
	while ((result = tc_pipe_pop(pipe)) != NULL)
		tc_result_free(&result);
	pthread_cond_destroy(&pipe->changed);
	pthread_mutex_destroy(&pipe->lock);
	close(pipe->fd);
	free(pipe);
}

int
tc_pipe_new(struct tc_pipe **pipe)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), rc;
	struct tc_pipe *new_pipe;

	if (fd < 0)
		return -errno;
	new_pipe = xcalloc(1, sizeof(*new_pipe));
	new_pipe->fd = fd;
	TAILQ_INIT(&new_pipe->jobs);
	TAILQ_INIT(&new_pipe->results);
	pthread_mutex_init(&new_pipe->lock, NULL);
	pthread_cond_init(&new_pipe->changed, NULL);
	rc = start_thread(new_pipe);
	if (rc < 0) {
		release(new_pipe);
		return rc;
	}
	*pipe = new_pipe;
	return 0;
}

void
tc_pipe_stop(struct tc_pipe *pipe)
{
	pthread_mutex_lock(&pipe->lock);
	pipe->is_stopped = true;
	pthread_cond_broadcast(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
}

void
tc_pipe_free(struct tc_pipe **pipe)
{
	if (*pipe == NULL)
		return;
	tc_pipe_stop(*pipe);
	pthread_join((*pipe)->thread, NULL);
	release(*pipe);
	*pipe = NULL;
}

static struct tc_stamp
stamp_of(const struct tc_unit *unit)
{
	const struct frame *frame = &unit->msg->frame;

	return (struct tc_stamp){
		.pts_ns = frame->pts_ns,
		.arrived_realtime_ns = frame->arrived_realtime_ns,
		.arrived_monotonic_ns = frame->arrived_monotonic_ns,
		.captured_realtime_ns = frame->captured_realtime_ns,
		.duration_us = frame->duration_us,
		.is_key = (frame->flags & FRAME_KEY) != 0,
		.is_behind = unit->is_behind,
		.is_broken = unit->is_broken,
		.is_jump = unit->is_jump,
		.is_unsynced = (frame->flags & FRAME_CLOCK_UNSYNCED) != 0,
	};
}

static struct job *
make_job(const struct tc_unit *unit)
{
	size_t before = unit->config != NULL ? unit->config->frame.payload_len : 0;
	size_t len = unit->msg->frame.payload_len;
	struct job *job = xcalloc(1, sizeof(*job));

	job->packet = av_packet_alloc();
	if (job->packet == NULL || av_new_packet(job->packet, (int)(before + len)) < 0) {
		free_job(job);
		return NULL;
	}
	if (before > 0)
		memcpy(job->packet->data, unit->config->payload, before);
	memcpy(job->packet->data + before, unit->msg->payload, len);
	job->stamp = stamp_of(unit);
	job->is_start = unit->is_start;
	return job;
}

static bool
is_full(const struct tc_pipe *pipe, const struct job *job)
{
	return (pipe->n_live >= TC_PIPE_MAX_UNITS && !job->stamp.is_behind) ||
	       pipe->bytes + (size_t)job->packet->size > TC_PIPE_MAX_BYTES;
}

/* With the lock. The job is taken over when it is 0. */
static int
add_job(struct tc_pipe *pipe, struct job *job)
{
	if (job->stamp.is_key && pipe->n_jobs >= TC_PIPE_LATE_UNITS) {
		throw_away(pipe);
		job->is_start = true;
	}
	if (is_full(pipe, job)) {
		throw_away(pipe);
		return -EBUSY;
	}
	job->stamp.is_jump |= pipe->is_jump_due;
	pipe->is_jump_due = false;
	TAILQ_INSERT_TAIL(&pipe->jobs, job, entry);
	pipe->n_jobs++;
	pipe->n_live += !job->stamp.is_behind;
	pipe->bytes += (size_t)job->packet->size;
	pthread_cond_signal(&pipe->changed);
	return 0;
}

int
tc_pipe_push(struct tc_pipe *pipe, const struct tc_unit *unit)
{
	struct job *job = make_job(unit);
	int rc;

	pthread_mutex_lock(&pipe->lock);
	rc = job != NULL ? add_job(pipe, job) : -ENOMEM;
	if (rc < 0)
		pipe->is_jump_due |= unit->is_jump;
	pthread_mutex_unlock(&pipe->lock);
	if (rc < 0 && job != NULL)
		free_job(job);
	return rc;
}

int
tc_pipe_fd(const struct tc_pipe *pipe)
{
	return pipe->fd;
}

struct tc_result *
tc_pipe_pop(struct tc_pipe *pipe)
{
	struct entry *entry;
	eventfd_t count;

	pthread_mutex_lock(&pipe->lock);
	entry = TAILQ_FIRST(&pipe->results);
	if (entry != NULL)
		TAILQ_REMOVE(&pipe->results, entry, entry);
	if (TAILQ_EMPTY(&pipe->results))
		(void)eventfd_read(pipe->fd, &count);
	pthread_mutex_unlock(&pipe->lock);
	return entry != NULL ? &entry->result : NULL;
}

void
tc_result_free(struct tc_result **result)
{
	if (*result == NULL)
		return;
	av_packet_free(&(*result)->packet);
	free(*result);
	*result = NULL;
}

uint64_t
tc_pipe_dropped(struct tc_pipe *pipe)
{
	uint64_t n;

	pthread_mutex_lock(&pipe->lock);
	n = pipe->thrown_away + pipe->left_out;
	pthread_mutex_unlock(&pipe->lock);
	return n;
}
