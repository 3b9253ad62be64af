/*
 * Snapshots: who asks, what is under way, what is known already.
 */
#include "config.h"

#include "http/snapshot.h"

#include "http/snapshot_gop.h"
#include "http/stream.h"
#include "media/jpeg.h"
#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARGIN_MS      250  /* who has the job, and gives it up in time, says why */
#define JOB_LOST_TIMES 3    /* as long as a job may take: after that another one is tried */
#define LINGER_MS      3000 /* who polls finds the stream still flowing */
#define ASKS_MAX       256
#define JPEG_BYTES_MAX (16 << 20)
#define TOO_LARGE                                                                                  \
	"since the last key frame came more than a snapshot is made of (64 MiB): a shorter key "   \
	"frame interval in the camera helps"

struct shot;

struct snapshot_ask {
	LIST_ENTRY(snapshot_ask) entry;
	struct shot *shot;
	snapshot_cb *cb;
	void *arg;
	struct clock_timer deadline;
};

/* One per stream that was asked for lately. */
struct shot {
	LIST_ENTRY(shot) entry;
	struct snapshots *snapshots;
	struct stream *stream;
	LIST_HEAD(ask_list, snapshot_ask) asks;
	long long job; /* request under way, 0 none */
	uint64_t job_epoch, job_seq;
	struct clock_timer job_lost, linger;
	uint64_t epoch, seq; /* of the picture below */
	uint8_t *jpeg;
	size_t jpeg_len;
};

struct snapshots {
	struct front *front;
	LIST_HEAD(shot_list, shot) shots;
	unsigned n_asks;
	long long last_request;
};

struct snapshots *
snapshots_new(struct front *front)
{
	struct snapshots *snapshots = xcalloc(1, sizeof(*snapshots));

	snapshots->front = front;
	return snapshots;
}

static void
ask_free(struct snapshot_ask *ask)
{
	struct shot *shot = ask->shot;

	LIST_REMOVE(ask, entry);
	shot->snapshots->n_asks--;
	clock_timer_cancel(&ask->deadline);
	free(ask);
	if (LIST_EMPTY(&shot->asks))
		clock_timer_set_ms(&shot->linger, LINGER_MS);
}

static void
ask_answer(struct snapshot_ask *ask, int status, const char *error, const void *jpeg, size_t len)
{
	snapshot_cb *cb = ask->cb;
	void *arg = ask->arg;

	ask_free(ask);
	cb(arg, status, error, jpeg, len);
}

static void
shot_free(struct shot *shot)
{
	struct stream *stream = shot->stream;

	while (!LIST_EMPTY(&shot->asks))
		ask_answer(LIST_FIRST(&shot->asks), 503, "the stream is gone", NULL, 0);
	LIST_REMOVE(shot, entry);
	clock_timer_cancel(&shot->job_lost);
	clock_timer_cancel(&shot->linger);
	free(shot->jpeg);
	free(shot);
	stream->interest--;
	stream_update_want(stream);
}

void
snapshots_free(struct snapshots **snapshots)
{
	struct shot *shot;

	if (*snapshots == NULL)
		return;
	while ((shot = LIST_FIRST(&(*snapshots)->shots)) != NULL) {
		while (!LIST_EMPTY(&shot->asks))
			ask_free(LIST_FIRST(&shot->asks));
		shot_free(shot);
	}
	free(*snapshots);
	*snapshots = NULL;
}

static struct shot *
find_shot(const struct stream *stream)
{
	struct shot *shot;

	for (shot = LIST_FIRST(&stream->front->snapshots->shots); shot != NULL;
	     shot = LIST_NEXT(shot, entry))
		if (shot->stream == stream)
			return shot;
	return NULL;
}

static void
on_linger_over(struct clock_timer *timer, void *arg)
{
	struct shot *shot = arg;

	(void)timer;
	if (LIST_EMPTY(&shot->asks))
		shot_free(shot);
}

static void
answer_all(struct shot *shot, int status, const char *error, const void *jpeg, size_t len)
{
	while (!LIST_EMPTY(&shot->asks))
		ask_answer(LIST_FIRST(&shot->asks), status, error, jpeg, len);
}

static void
on_job_lost(struct clock_timer *timer, void *arg)
{
	struct shot *shot = arg;

	(void)timer;
	log_warn("stream=%s: no answer to a snapshot", shot->stream->name);
	shot->job = 0;
}

/* No job: all who wait are told why. */
static void
refuse_job(struct shot *shot, int rc)
{
	if (rc == -EFBIG) {
		answer_all(shot, 503, TOO_LARGE, NULL, 0);
		return;
	}
	log_warn("stream=%s: no memory for a snapshot: %s", shot->stream->name, strerror(-rc));
	answer_all(shot, 503, "no memory for a snapshot", NULL, 0);
}

static void
start_job(struct shot *shot, const struct frame *newest)
{
	struct front *front = shot->snapshots->front;
	json_t *msg;
	int fd, rc;

	rc = snapshot_gop_memfd(shot->stream->hub, &fd);
	if (rc < 0) {
		refuse_job(shot, rc);
		return;
	}
	shot->job = ++shot->snapshots->last_request;
	shot->job_epoch = newest->epoch;
	shot->job_seq = newest->seq;
	clock_timer_set_ms(&shot->job_lost, JOB_LOST_TIMES * front->config.snapshot_timeout_ms);
	msg = msg_new(MSG_SNAPSHOT);
	msg_set_int(msg, "request", shot->job);
	msg_set_int(msg, "id", shot->stream->id);
	front_send(front, msg, fd);
}

static bool
delivers(const struct stream *stream)
{
	return strcmp(stream->state, "stalled") != 0 && strcmp(stream->state, "down") != 0 &&
	       strcmp(stream->state, "refused") != 0;
}

static void
try_answer(struct shot *shot)
{
	const struct hub *hub = shot->stream->hub;
	const struct hub_entry *newest;
	uint64_t pos;

	if (LIST_EMPTY(&shot->asks) || !delivers(shot->stream) || !hub_join(hub, &pos))
		return;
	newest = hub_at(hub, hub_tail(hub) - 1);
	if (newest->config == NULL) {
		struct bus_msg *msg = bus_msg_ref(newest->msg);

		answer_all(shot, 200, NULL, msg->payload, msg->frame.payload_len);
		bus_msg_unref(&msg);
	} else if (shot->jpeg != NULL && shot->epoch == newest->msg->frame.epoch &&
		   shot->seq == newest->msg->frame.seq) {
		answer_all(shot, 200, NULL, shot->jpeg, shot->jpeg_len);
	} else if (shot->job == 0) {
		start_job(shot, &newest->msg->frame);
	}
}

static void
on_deadline(struct clock_timer *timer, void *arg)
{
	struct snapshot_ask *ask = arg;

	(void)timer;
	if (ask->shot->job != 0)
		ask_answer(ask, 504, "the picture was not decoded in time", NULL, 0);
	else
		ask_answer(ask, 503, "the camera delivers no pictures now", NULL, 0);
}

static struct shot *
shot_new(struct stream *stream)
{
	struct snapshots *snapshots = stream->front->snapshots;
	struct shot *shot = xcalloc(1, sizeof(*shot));

	shot->snapshots = snapshots;
	shot->stream = stream;
	LIST_INIT(&shot->asks);
	clock_timer_init(&shot->job_lost, stream->front->clock, on_job_lost, shot);
	clock_timer_init(&shot->linger, stream->front->clock, on_linger_over, shot);
	LIST_INSERT_HEAD(&snapshots->shots, shot, entry);
	stream->interest++;
	stream_update_want(stream);
	return shot;
}

struct snapshot_ask *
snapshot_ask(struct stream *stream, snapshot_cb *cb, void *arg)
{
	struct snapshots *snapshots = stream->front->snapshots;
	struct snapshot_ask *ask;
	struct shot *shot;

	if (strcmp(stream->state, "down") == 0 || strcmp(stream->state, "refused") == 0) {
		cb(arg, 503, "the camera is down", NULL, 0);
		return NULL;
	}
	if (snapshots->n_asks >= ASKS_MAX) {
		cb(arg, 503, "too many snapshots are under way", NULL, 0);
		return NULL;
	}
	shot = find_shot(stream);
	if (shot == NULL)
		shot = shot_new(stream);
	clock_timer_cancel(&shot->linger);
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct snapshot_ask){ .shot = shot, .cb = cb, .arg = arg };
	clock_timer_init(&ask->deadline, stream->front->clock, on_deadline, ask);
	clock_timer_set_ms(&ask->deadline, stream->front->config.snapshot_timeout_ms + MARGIN_MS);
	LIST_INSERT_HEAD(&shot->asks, ask, entry);
	snapshots->n_asks++;
	try_answer(shot);
	return LIST_EMPTY(&shot->asks) ? NULL : ask;
}

void
snapshot_cancel(struct snapshot_ask **ask)
{
	struct snapshot_ask *old = *ask;

	*ask = NULL;
	if (old != NULL)
		ask_free(old);
}

void
snapshot_on_frames(struct stream *stream)
{
	struct shot *shot = find_shot(stream);

	if (shot != NULL)
		try_answer(shot);
}

void
snapshot_stream_gone(struct stream *stream)
{
	struct shot *shot = find_shot(stream);

	if (shot != NULL)
		shot_free(shot);
}

/* The transcoder read a camera's bytes: its file is looked at before anybody gets it. */
static int
read_jpeg(int fd, uint8_t **jpeg, size_t *len)
{
	struct jpeg_info info;
	struct stat st;
	uint8_t *bytes;
	int rc;

	if (fd < 0)
		return -EBADF;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > JPEG_BYTES_MAX)
		return -EPROTO;
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL)
		return -ENOMEM;
	rc = pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size
		 ? jpeg_parse(bytes, (size_t)st.st_size, &info)
		 : -EIO;
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	*jpeg = bytes;
	*len = (size_t)st.st_size;
	return 0;
}

static void
take_result(struct shot *shot, const json_t *msg, int fd)
{
	const char *error = msg_str(msg, "error");
	uint8_t *jpeg = NULL;
	size_t len = 0;
	int rc;

	shot->job = 0;
	clock_timer_cancel(&shot->job_lost);
	if (error[0] != '\0') {
		answer_all(shot, 503, error, NULL, 0);
		return;
	}
	rc = read_jpeg(fd, &jpeg, &len);
	if (rc < 0) {
		log_warn("stream=%s: a snapshot is no JPEG: %s", shot->stream->name, strerror(-rc));
		answer_all(shot, 503, "the picture could not be decoded", NULL, 0);
		return;
	}
	free(shot->jpeg);
	shot->jpeg = jpeg;
	shot->jpeg_len = len;
	shot->epoch = shot->job_epoch;
	shot->seq = shot->job_seq;
	answer_all(shot, 200, NULL, jpeg, len);
}

void
snapshot_done(struct front *front, const json_t *msg, int fd)
{
	long long request = msg_int(msg, "request", 0);
	struct shot *shot;

	/* One that nobody waits for any more is no fault. */
	for (shot = LIST_FIRST(&front->snapshots->shots); shot != NULL;
	     shot = LIST_NEXT(shot, entry)) {
		if (shot->job == request) {
			take_result(shot, msg, fd);
			break;
		}
	}
	if (fd >= 0)
		close(fd);
}
