/*
 * What analysers are told about streams: pushed to those that are connected, and in streams.json
 * for whoever looks.
 */
#include "config.h"

#include "supervisor/sup_tap_int.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_NAME    "streams.json"
#define LIST_MODE    0640 /* at most: who may connect may read it */
#define LIST_VERSION 1
/* The measured frame rate trembles: told anew when it is off by more than one of so many. */
#define FPS_PART 10

static struct sup_tap_stream *
find(struct sup_tap *tap, uint32_t id)
{
	struct sup_tap_stream *entry;

	for (entry = TAILQ_FIRST(&tap->streams); entry != NULL; entry = TAILQ_NEXT(entry, entry))
		if (entry->id == id)
			return entry;
	return NULL;
}

static void
drop(struct sup_tap *tap, struct sup_tap_stream *entry)
{
	TAILQ_REMOVE(&tap->streams, entry, entry);
	json_decref(entry->told);
	free(entry);
}

/* In the words of its worker; before there are any, nothing. */
static void
add_format(json_t *msg, const json_t *status)
{
	static const char *const texts[] = { "codec", "codec_string", "audio" };
	static const char *const sizes[] = { "width", "height" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		msg_set_str(msg, texts[i], status != NULL ? msg_str(status, texts[i]) : "");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		msg_set_int(msg, sizes[i], status != NULL ? msg_int(status, sizes[i], 0) : 0);
}

static double
calm_fps(const json_t *status, const json_t *told)
{
	double fps = status != NULL ? msg_real(status, "fps", 0) : 0;
	double before = told != NULL ? msg_real(told, "fps", 0) : 0;
	double off = fps > before ? fps - before : before - fps;

	return before > 0 && off <= before / FPS_PART ? before : fps;
}

static json_t *
make_stream(const struct sup_stream *stream, const json_t *told)
{
	const struct conf_camera *camera = stream->conf->camera;
	const char *name = strrchr(stream->bus, '/');
	json_t *msg = msg_new(MSG_TAP_STREAM);

	msg_set_int(msg, "id", stream->id);
	msg_set_str(msg, "name", stream->name);
	msg_set_str(msg, "camera", camera->name);
	msg_set_str(msg, "title", camera->title);
	msg_set_str(msg, "group", camera->group != NULL ? camera->group : "");
	msg_set_str(msg, "state", stream->told.state != NULL ? stream->told.state : "off");
	msg_set_int(msg, "since_ms", stream->told.since_ms);
	msg_set_int(msg, "epoch", stream->ready ? stream->epoch : 0);
	msg_set_str(msg, "endpoint", stream->ready && name != NULL ? name + 1 : "");
	add_format(msg, stream->status);
	msg_set_real(msg, "fps", calm_fps(stream->status, told));
	return msg;
}

void
sup_tap_on_stream(struct sup *sup, const struct sup_stream *stream)
{
	struct sup_tap *tap = sup->tap;
	struct sup_tap_client *client;
	struct sup_tap_stream *entry;
	bool is_new;
	json_t *msg;

	if (stream->conf == NULL || sup->stopping)
		return;
	entry = find(tap, stream->id);
	is_new = entry == NULL;
	msg = make_stream(stream, is_new ? NULL : entry->told);
	if (!is_new && json_equal(msg, entry->told)) {
		json_decref(msg);
		return;
	}
	if (is_new) {
		entry = xcalloc(1, sizeof(*entry));
		entry->id = stream->id;
		TAILQ_INSERT_TAIL(&tap->streams, entry, entry);
	}
	json_decref(entry->told);
	entry->told = msg;
	for (client = TAILQ_FIRST(&tap->clients); client != NULL;
	     client = TAILQ_NEXT(client, entry)) {
		if (!client->is_known)
			continue;
		sup_tap_send(client, json_incref(msg));
		if (is_new)
			sup_tap_review(client);
	}
	sup_tap_list_soon(tap);
}

void
sup_tap_on_gone(struct sup *sup, uint32_t id)
{
	struct sup_tap *tap = sup->tap;
	struct sup_tap_stream *entry = find(tap, id);
	struct sup_tap_client *client;

	if (entry == NULL)
		return;
	drop(tap, entry);
	for (client = TAILQ_FIRST(&tap->clients); client != NULL;
	     client = TAILQ_NEXT(client, entry)) {
		json_t *msg = msg_new(MSG_TAP_GONE);

		msg_set_int(msg, "id", id);
		if (client->is_known)
			sup_tap_send(client, msg);
		else
			json_decref(msg);
		sup_tap_forget_want(client, id);
		sup_tap_review(client);
	}
	sup_tap_list_soon(tap);
}

void
sup_tap_list_send(struct sup_tap_client *client)
{
	struct sup_tap *tap = client->tap;
	struct sup_tap_stream *entry;

	for (entry = TAILQ_FIRST(&tap->streams); entry != NULL; entry = TAILQ_NEXT(entry, entry))
		sup_tap_send(client, json_incref(entry->told));
	sup_tap_send(client, msg_new(MSG_TAP_SYNCED));
}

/* The file, in the order of the configuration. */
static json_t *
make_list(struct sup_tap *tap)
{
	json_t *list = json_array();
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&tap->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry)) {
		struct sup_tap_stream *entry = find(tap, stream->id);
		json_t *item;

		if (entry == NULL)
			continue;
		item = json_copy(entry->told);
		json_object_del(item, "type");
		json_array_append_new(list, item);
	}
	return json_pack("{s:i, s:o}", "version", LIST_VERSION, "streams", list);
}

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* As the sockets beside it: for us, and for the group of the bus where there is one. */
static int
let_in(const struct conf *conf, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (conf->bus_gid != (gid_t)-1 && st.st_gid != conf->bus_gid &&
	    fchown(fd, (uid_t)-1, conf->bus_gid) < 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, (mode_t)conf->bus_mode & LIST_MODE) < 0 ? -errno : 0;
}

/* Nobody ever sees half of it. */
static int
replace_list(struct sup_tap *tap, const char *text)
{
	int fd = open(tap->list_new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = let_in(sup_settings(tap->sup), fd);
	if (rc == 0)
		rc = write_all(fd, text, strlen(text));
	close(fd);
	if (rc == 0 && rename(tap->list_new, tap->list) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(tap->list_new);
	return rc;
}

static void
on_list_timer(struct clock_timer *timer, void *arg)
{
	struct sup_tap *tap = arg;
	json_t *list = make_list(tap);
	char *text = json_dumps(list, JSON_COMPACT);
	int rc;

	(void)timer;
	if (text == NULL)
		xalloc_die();
	rc = replace_list(tap, text);
	if (rc < 0 && !tap->list_failed)
		log_err("tap: %s cannot be written: %s", tap->list, strerror(-rc));
	tap->list_failed = rc < 0;
	if (rc < 0)
		clock_timer_set_ms(&tap->list_timer, SUP_TAP_LIST_AGAIN_MS);
	free(text);
	json_decref(list);
}

void
sup_tap_list_soon(struct sup_tap *tap)
{
	if (tap->fd >= 0 && !clock_timer_is_set(&tap->list_timer))
		clock_timer_set_ms(&tap->list_timer, SUP_TAP_LIST_PAUSE_MS);
}

void
sup_tap_list_init(struct sup_tap *tap)
{
	TAILQ_INIT(&tap->streams);
	clock_timer_init(&tap->list_timer, tap->sup->deps.clock, on_list_timer, tap);
}

int
sup_tap_list_open(struct sup_tap *tap)
{
	const struct sup_dirs *dirs = &tap->sup->dirs;

	if (tap->list == NULL) {
		tap->list = xasprintf("%s/" LIST_NAME, dirs->bus);
		tap->list_new = xasprintf("%s/." LIST_NAME ".new", dirs->bus);
	}
	/* The documented path; who mounts the bus directory alone does not see it. */
	if (symlink("bus/" LIST_NAME, dirs->list_link) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

void
sup_tap_list_free(struct sup_tap *tap)
{
	clock_timer_cancel(&tap->list_timer);
	while (!TAILQ_EMPTY(&tap->streams))
		drop(tap, TAILQ_FIRST(&tap->streams));
	free(tap->list);
	free(tap->list_new);
}
