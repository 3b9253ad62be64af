/*
 * The end of tokens: a list of ids, and for each user which of his logins hold. An id stays in the
 * list until its token has expired for sure. The list is bounded: when it is full, all logins of
 * the user who has most of it end at once, which needs no list.
 */
#include "config.h"

#include "supervisor/sup_access.h"

#include "shared/log.h"
#include "supervisor/sup_access_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Fronts are told, and the file is written, at once and then no more often than this. */
#define TELL_EVERY_MS 200
#define SAVE_EVERY_MS 1000
#define EXPIRED_FOR_S 86400 /* before it is forgotten: the clock may have been wrong */

/* The list */

static void
drop(struct sup_access *access, size_t index)
{
	access->n_revoked--;
	memmove(&access->revoked[index], &access->revoked[index + 1],
		(access->n_revoked - index) * sizeof(access->revoked[0]));
}

/*
 * The wall clock, but no further than time has gone on since the start: a clock that is set forward
 * and back again must not make anybody forget.
 */
static int64_t
trusted_now_s(const struct sup_access *access)
{
	int64_t now_s = access_now_s(access->sup);
	int64_t passed_s = (sup_now_ns(access->sup) - access->since_ns) / NS_PER_S;

	return now_s < access->since_s + passed_s ? now_s : access->since_s + passed_s;
}

static void
drop_expired(struct sup_access *access)
{
	int64_t now_s = trusted_now_s(access);

	for (size_t i = access->n_revoked; i-- > 0;)
		if (access->revoked[i].expires_s + EXPIRED_FOR_S <= now_s)
			drop(access, i);
}

static size_t
count_of(const struct sup_access *access, const char *user)
{
	size_t n = 0;

	for (size_t i = 0; i < access->n_revoked; i++)
		n += strcmp(access->revoked[i].user, user) == 0;
	return n;
}

/* Who has most of the list; NULL: nobody has any of it. */
static const char *
find_crowder(const struct sup_access *access)
{
	const char *crowder = NULL;
	size_t most = 0;

	for (size_t i = 0; i < access->n_revoked; i++) {
		const char *user = access->revoked[i].user;
		size_t n = user[0] != '\0' ? count_of(access, user) : 0;

		if (n > most) {
			most = n;
			crowder = user;
		}
	}
	return crowder;
}

/* Room for one more, without anything holding again. */
static bool
make_room(struct sup_access *access)
{
	const char *crowder;
	char user[TOKEN_USER_MAX + 1];

	if (access->n_revoked < TOKEN_REVOKED_MAX)
		return true;
	drop_expired(access);
	if (access->n_revoked < TOKEN_REVOKED_MAX)
		return true;
	crowder = find_crowder(access);
	if (crowder == NULL)
		return false;
	snprintf(user, sizeof(user), "%s", crowder);
	log_notice("access: the list of ended sessions is full: all that is in the name of %s "
		   "ends, who has most of it",
		   user);
	access_end_logins(access, user);
	return true;
}

static struct access_revoked *
find(struct sup_access *access, const char *id)
{
	for (size_t i = 0; i < access->n_revoked; i++)
		if (strcmp(access->revoked[i].id, id) == 0)
			return &access->revoked[i];
	return NULL;
}

/* user: whose session it is; "": a token of another kind. */
static int
add(struct sup_access *access, const char *id, int64_t expires_s, const char *user)
{
	struct access_revoked *entry = find(access, id);

	if (entry != NULL) {
		/* Of two words on one token the one that lasts. */
		if (expires_s > entry->expires_s)
			entry->expires_s = expires_s;
		if (user[0] == '\0')
			entry->user[0] = '\0';
		return 0;
	}
	if (!make_room(access))
		return -ENOSPC;
	entry = &access->revoked[access->n_revoked++];
	*entry = (struct access_revoked){ .expires_s = expires_s };
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	snprintf(entry->user, sizeof(entry->user), "%s", user);
	return 0;
}

/* Generations */

static struct access_generation *
find_generation(const struct sup_access *access, const char *user)
{
	for (size_t i = 0; i < access->n_generations; i++)
		if (strcmp(access->generations[i].user, user) == 0)
			return (struct access_generation *)&access->generations[i];
	return NULL;
}

int64_t
access_generation(const struct sup_access *access, const char *user)
{
	const struct access_generation *found = find_generation(access, user);

	return found != NULL ? found->number : 1;
}

/* Users come and go, and their sessions may come back with them. */
static void
forget_generations(struct sup_access *access)
{
	log_notice("access: %d users had their sessions ended: new keys, all tokens end",
		   ACCESS_GENERATIONS_MAX);
	access->n_generations = 0;
	access_new_keys(access, false);
}

void
access_end_logins(struct sup_access *access, const char *user)
{
	struct access_generation *found = find_generation(access, user);
	int64_t now_ms = sup_realtime_ms(access->sup);

	if (found == NULL && access->n_generations == ACCESS_GENERATIONS_MAX)
		forget_generations(access);
	if (found == NULL) {
		found = &access->generations[access->n_generations++];
		snprintf(found->user, sizeof(found->user), "%s", user);
		found->number = 1;
	}
	/* Not one more than the last: that one may never have been written. */
	found->number = now_ms > found->number ? now_ms : found->number + 1;
	for (size_t i = access->n_revoked; i-- > 0;)
		if (strcmp(access->revoked[i].user, user) == 0)
			drop(access, i);
}

/* Telling and writing, not too often */

static void
act_soon(struct access_pace *pace)
{
	if (clock_timer_is_set(&pace->timer)) {
		pace->again = true;
		return;
	}
	clock_timer_set_ms(&pace->timer, pace->every_ms);
	pace->act(pace->access);
}

static void
on_pace(struct clock_timer *timer, void *arg)
{
	struct access_pace *pace = arg;

	(void)timer;
	if (!pace->again)
		return;
	pace->again = false;
	act_soon(pace);
}

static void
pace_init(struct access_pace *pace, struct sup_access *access, int64_t every_ms,
	  void (*act)(struct sup_access *access))
{
	*pace = (struct access_pace){ .access = access, .every_ms = every_ms, .act = act };
	clock_timer_init(&pace->timer, access->sup->deps.clock, on_pace, pace);
}

static void
tell(struct sup_access *access)
{
	access_tell_fronts(access->sup);
}

static void
save(struct sup_access *access)
{
	bool was_unsaved = sup_access_unsaved(access->sup) != NULL;
	int rc = 0;

	if (access->has_ends)
		rc = access_save(access, ACCESS_ENDS);
	access->has_ends = false;
	access_save_rest(access);
	if (rc < 0 && !was_unsaved)
		log_err("access: sessions that were ended hold again when camhub is restarted: %s; "
			"tried again until it works",
			strerror(-rc));
}

void
access_save_again(struct sup_access *access)
{
	access->saving.again = true;
	if (!clock_timer_is_set(&access->saving.timer))
		clock_timer_set_ms(&access->saving.timer, access->saving.every_ms);
}

void
access_ends_init(struct sup_access *access)
{
	access->since_s = access_now_s(access->sup);
	access->since_ns = sup_now_ns(access->sup);
	pace_init(&access->telling, access, TELL_EVERY_MS, tell);
	pace_init(&access->saving, access, SAVE_EVERY_MS, save);
}

void
access_ends_finish(struct sup_access *access)
{
	if (access->saving.again)
		save(access);
	/* Behind that: what fails is tried again by a timer. */
	clock_timer_cancel(&access->telling.timer);
	clock_timer_cancel(&access->saving.timer);
}

/* What an operator did is told and written at once; he hears what went wrong. */
int
access_ends_now(struct sup_access *access)
{
	access_tell_fronts(access->sup);
	access->telling.again = access->has_ends = false;
	return access_save(access, ACCESS_ENDS);
}

/* Commands and messages */

int
access_new_keys(struct sup_access *access, bool keep_previous)
{
	if (keep_previous)
		memcpy(access->keys.previous, access->keys.current, TOKEN_KEY_BYTES);
	access->keys.has_previous = keep_previous;
	access_random(access->keys.current, TOKEN_KEY_BYTES);
	access_tell_fronts(access->sup);
	return access_save(access, ACCESS_KEYS);
}

static int
revoke_one(struct sup_access *access, const char *what)
{
	int64_t now_s = access_now_s(access->sup);
	struct token_claims claims = { .expires_s = now_s + ACCESS_LONGEST_S };
	int rc;

	if (token_id_is_valid(what))
		snprintf(claims.id, sizeof(claims.id), "%s", what);
	else if (token_verify(&access->keys, what, strlen(what), now_s, &claims) < 0)
		return -EINVAL;
	rc = add(access, claims.id, claims.expires_s, "");
	return rc < 0 ? rc : access_ends_now(access);
}

static int
refuse(char *text, const char *why)
{
	snprintf(text, SUP_ACCESS_TEXT_MAX, "%s", why);
	return 1;
}

int
sup_access_revoke(struct sup *sup, const json_t *msg, char *text)
{
	const char *what = msg_str(msg, "id");
	int rc;

	if (sup->conf == NULL || sup->conf->n_users == 0)
		return refuse(text, "there are no users, so there are no tokens either");
	if (strcmp(what, "all") == 0 || strcmp(what, "rotate") == 0)
		rc = access_new_keys(sup->access, what[0] == 'r');
	else
		rc = revoke_one(sup->access, what);
	if (rc == -EINVAL)
		return refuse(text, "neither the id of a token nor a token that holds");
	if (rc == -ENOSPC)
		return refuse(text, "the list is full: camctl revoke --all ends all tokens");
	if (rc < 0) {
		snprintf(text, SUP_ACCESS_TEXT_MAX, "it is so, but only until camhub ends: %s: %s",
			 sup->options.state_dir, strerror(-rc));
		return 1;
	}
	text[0] = '\0';
	return 0;
}

void
sup_access_on_revoke(struct sup *sup, const json_t *msg)
{
	const char *id = msg_str(msg, "id"), *user = msg_str(msg, "user");
	int64_t expires_s = msg_int(msg, "expires_s", 0), now_s = access_now_s(sup);

	if (sup->conf == NULL || sup->conf->n_users == 0 || !token_id_is_valid(id) ||
	    expires_s <= now_s)
		return;
	if (expires_s > now_s + ACCESS_LONGEST_S)
		expires_s = now_s + ACCESS_LONGEST_S;
	if (conf_find_user(sup->conf, user) == NULL)
		user = "";
	if (add(sup->access, id, expires_s, user) < 0) {
		log_err("access: a token could not be ended, the list is full: camctl revoke --all "
			"ends all");
		return;
	}
	sup->access->has_ends = true;
	act_soon(&sup->access->telling);
	act_soon(&sup->access->saving);
}
