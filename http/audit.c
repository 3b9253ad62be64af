/*
 * Lines for the log. Names come from the configuration or were checked; jansson and the log escape
 * the rest.
 */
#include "config.h"

#include "http/audit.h"

#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <stdlib.h>

#define PICTURE_EVERY_S 60
#define LINES_MAX       20  /* in a second, of what anybody can provoke */
#define WATCH_LINES_MAX 200 /* the same, of who watches: a wall is one for each camera */

/* true: this one is only counted. */
static bool
is_too_much(struct front *front, struct rate_window *pace, unsigned max, const char *of)
{
	unsigned lost;
	bool is_fine = rate_may_log(pace, max, NS_PER_S, clock_now_ns(front->clock), &lost);

	if (lost > 0)
		log_notice("audit: {\"event\":\"suppressed\",\"of\":\"%s\",\"lines\":%u}", of,
			   lost);
	return !is_fine;
}

static json_t *
begin(const char *event, const struct gate_identity *who, const char *address)
{
	json_t *line = json_object();

	if (line == NULL)
		xalloc_die();
	msg_set_str(line, "event", event);
	if (who != NULL && who->way != GATE_WAY_NONE) {
		msg_set_str(line, "user", who->claims.user);
		msg_set_str(line, "way", gate_way_name(who->way));
		msg_set_str(line, "token", who->claims.id);
	}
	msg_set_str(line, "address", address);
	return line;
}

static void
finish(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	if (text == NULL)
		xalloc_die();
	log_notice("audit: %s", text);
	free(text);
	json_decref(line);
}

void
audit_watch(const struct watch *watch, bool begins)
{
	const struct pass *pass = watch->pass;
	json_t *line;

	if (gate_is_open(pass->front->gate) ||
	    is_too_much(pass->front, &pass->front->audit_watches, WATCH_LINES_MAX, "watch"))
		return;
	line = begin(begins ? "watch" : "watched", &pass->who, pass->address);
	msg_set_str(line, "camera", watch->stream);
	msg_set_str(line, "transport", watch->transport);
	msg_set_int(line, "watch", watch->id);
	msg_set_int(line, "from_ms", watch->since_ms);
	if (!begins)
		msg_set_int(line, "to_ms", front_now_ms(pass->front));
	finish(line);
}

void
audit_kick(const struct pass *pass)
{
	finish(begin("kicked", &pass->who, pass->address));
}

/* FNV-1a */
static uint64_t
mix(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return (hash ^ 0xff) * 0x100000001b3ull;
}

void
audit_picture(struct front *front, const struct gate_identity *who, const char *address,
	      const char *camera)
{
	uint64_t whose =
	    mix(mix(mix(mix(0xcbf29ce484222325ull, who->claims.user), who->claims.id), address),
		camera);
	int64_t now = clock_now_ns(front->clock);
	size_t i = whose % (sizeof(front->pictures) / sizeof(front->pictures[0]));

	if (front->pictures[i].whose == whose &&
	    now - front->pictures[i].told_ns < PICTURE_EVERY_S * NS_PER_S)
		return;
	front->pictures[i].whose = whose;
	front->pictures[i].told_ns = now;
	audit_event(front, "picture", who, "", address, camera);
}

void
audit_event(struct front *front, const char *event, const struct gate_identity *who,
	    const char *user, const char *address, const char *camera)
{
	json_t *line;

	if (gate_is_open(front->gate) ||
	    is_too_much(front, &front->audit_other, LINES_MAX, "other"))
		return;
	line = begin(event, who, address);
	if (user[0] != '\0')
		msg_set_str(line, "user", user);
	if (camera[0] != '\0')
		msg_set_str(line, "camera", camera);
	finish(line);
}
