/*
 * Once in a row, or a camera that always hangs up would be sent the password without end.
 */
#include "config.h"

#include "supervisor/sup_challenge.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <stdlib.h>

int
sup_challenge_follow(struct sup_stream *stream, const char *text)
{
	struct sup_challenge *challenge = &stream->challenge;

	if (challenge->was_handed || text[0] == '\0') {
		sup_stream_trouble(stream, "auth",
				   "the camera closes the connection after asking for a password");
		return -EPERM;
	}
	log_debug("cam=%s: asks for a password and closes the connection, answering on another",
		  stream->name);
	free(challenge->text);
	challenge->text = xstrdup(text);
	return 0;
}

char *
sup_challenge_take(struct sup_stream *stream)
{
	char *text = stream->challenge.text;

	stream->challenge.text = NULL;
	stream->challenge.was_handed = text != NULL;
	return text;
}

bool
sup_challenge_is_due(const struct sup_stream *stream)
{
	return stream->challenge.text != NULL;
}

void
sup_challenge_clear(struct sup_challenge *challenge)
{
	free(challenge->text);
	*challenge = (struct sup_challenge){ 0 };
}
