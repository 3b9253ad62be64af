/*
 * A list for each front. A viewer's id is its front's number of this incarnation, a dot, and its
 * own number there, so that no id ever means two.
 */
#include "config.h"

#include "supervisor/sup_viewers.h"

#include "shared/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES 48

struct sup_viewer {
	TAILQ_ENTRY(sup_viewer) entry;
	long long id;
	json_t *told; /* the message watcher */
};

static struct sup_viewer *
find(struct sup_front *front, long long id)
{
	struct sup_viewer *viewer;

	for (viewer = TAILQ_FIRST(&front->viewers); viewer != NULL;
	     viewer = TAILQ_NEXT(viewer, entry))
		if (viewer->id == id)
			return viewer;
	return NULL;
}

static void
drop(struct sup_front *front, struct sup_viewer *viewer)
{
	TAILQ_REMOVE(&front->viewers, viewer, entry);
	front->n_viewers--;
	json_decref(viewer->told);
	free(viewer);
}

void
sup_viewers_add(struct sup_front *front, const json_t *msg)
{
	struct sup_viewer *viewer;

	if (front->n_viewers >= SUP_VIEWERS_MAX)
		return;
	viewer = xcalloc(1, sizeof(*viewer));
	viewer->id = msg_int(msg, "id", 0);
	viewer->told = json_deep_copy(msg);
	/* Those that leave are mostly those that came last. */
	TAILQ_INSERT_HEAD(&front->viewers, viewer, entry);
	front->n_viewers++;
}

void
sup_viewers_remove(struct sup_front *front, const json_t *msg)
{
	struct sup_viewer *viewer = find(front, msg_int(msg, "id", 0));

	if (viewer != NULL)
		drop(front, viewer);
}

void
sup_viewers_forget(struct sup_front *front)
{
	struct sup_viewer *viewer;

	while ((viewer = TAILQ_FIRST(&front->viewers)) != NULL)
		drop(front, viewer);
}

static void
make_id(const struct sup_front *front, const struct sup_viewer *viewer, char id[ID_BYTES])
{
	snprintf(id, ID_BYTES, "%u.%lld", front->subscriber, viewer->id);
}

static json_t *
describe(const struct sup_front *front, const struct sup_viewer *viewer)
{
	static const char *const texts[] = { "camera", "user", "way", "address", "transport" };
	json_t *msg = msg_new(MSG_CTL_VIEWER);
	char id[ID_BYTES];

	make_id(front, viewer, id);
	msg_set_str(msg, "id", id);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		msg_set_str(msg, texts[i], msg_str(viewer->told, texts[i]));
	msg_set_int(msg, "since_ms", msg_int(viewer->told, "since_ms", 0));
	return msg;
}

void
sup_viewers_each(struct sup *sup, void (*fn)(json_t *msg, void *arg), void *arg)
{
	const struct sup_viewer *viewer;
	struct sup_front *front;
	unsigned n = 0;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		for (viewer = TAILQ_LAST(&front->viewers, sup_viewers);
		     viewer != NULL && n < SUP_VIEWERS_MAX;
		     viewer = TAILQ_PREV(viewer, sup_viewers, entry), n++)
			fn(describe(front, viewer), arg);
}

static bool
is_meant(const struct sup_front *front, const struct sup_viewer *viewer, const char *what)
{
	char id[ID_BYTES];

	make_id(front, viewer, id);
	return strcmp(id, what) == 0 || strcmp(msg_str(viewer->told, "user"), what) == 0 ||
	       strcmp(msg_str(viewer->told, "address"), what) == 0;
}

unsigned
sup_viewers_kick(struct sup *sup, const char *what)
{
	const struct sup_viewer *viewer;
	struct sup_front *front;
	unsigned n = 0;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL && what[0] != '\0';
	     front = TAILQ_NEXT(front, entry))
		for (viewer = TAILQ_FIRST(&front->viewers); viewer != NULL;
		     viewer = TAILQ_NEXT(viewer, entry)) {
			json_t *msg;

			if (!is_meant(front, viewer, what) || front->child == NULL)
				continue;
			msg = msg_new(MSG_KICK);
			msg_set_int(msg, "id", viewer->id);
			sup_child_send(front->child, msg, -1);
			n++;
		}
	return n;
}
