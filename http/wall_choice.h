/*
 * Which of a camera's streams a subscription gets, and in which form: its own choice of quality if
 * the client can decode that, else what else there is of the camera. Pure.
 */
#ifndef CAMHUB_HTTP_WALL_CHOICE_H
#define CAMHUB_HTTP_WALL_CHOICE_H

#include "http/wall_request.h"

#define WALL_AUTO_PIXELS 960u /* WALL_AUTO: fewer get the second stream */

struct wall_choice {
	struct stream *stream;
	enum wall_form form; /* a guess while the stream's codec is not known */
};

/*
 * Returns 0; -ENOENT: there is no such stream; -ENOTSUP: none that is there fits. A stream whose
 * codec is not known yet may fit.
 */
int wall_choose(const struct front *front, const struct wall_want *want,
		struct wall_choice *choice);

/* The form for an entry of the ring. false: none fits. */
bool wall_form_for(const struct wall_want *want, const struct hub_entry *entry,
		   enum wall_form *form);

#endif
