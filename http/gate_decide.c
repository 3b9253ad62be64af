/*
 * Who asks, and whether he may.
 *
 * A request can carry several ways of showing who its sender is. They are tried in the order of a
 * table; the first that allows what is asked decides, and if none does, the one that came furthest.
 * What a browser sends along unasked (cookies, a password that it remembers, what a proxy adds)
 * counts only when the request is of our own pages, or of no page at all.
 */
#include "config.h"

#include "http/gate_int.h"

#include <errno.h>
#include <string.h>

/* Users: what they may do is looked up each time. */
static void
become_user(struct token_claims *claims, const struct access_user *user)
{
	claims->role = user->role;
	strcpy(claims->user, user->name);
	claims->n_cameras = user->n_cameras;
	memcpy(claims->cameras, user->cameras, sizeof(claims->cameras));
}

/* A token may outlive what its user was allowed when it was made. */
static bool
user_covers(const struct gate *gate, const char *name, const char *camera)
{
	const struct access_user *user = access_users_find(&gate->users, name);
	struct token_claims claims = { .kind = TOKEN_SESSION };

	if (user == NULL)
		return false;
	become_user(&claims, user);
	return token_covers(&claims, camera);
}

bool
gate_may_see(const struct gate *gate, const struct gate_identity *who, const char *camera)
{
	if (!gate->required)
		return true;
	if (who->way == GATE_WAY_NONE || who->way == GATE_WAY_OPEN)
		return false;
	return token_covers(&who->claims, camera) &&
	       (who->claims.user[0] == '\0' || user_covers(gate, who->claims.user, camera));
}

static int
identify_user(const struct gate *gate, const char *name, enum gate_way way,
	      struct gate_identity *who)
{
	const struct access_user *user = access_users_find(&gate->users, name);

	if (user == NULL)
		return -ENOENT;
	*who = (struct gate_identity){ .way = way };
	become_user(&who->claims, user);
	/* A password that is changed ends what it opened. */
	if (way == GATE_WAY_BASIC)
		who->claims.generation = user->generation;
	return 0;
}

/*
 * A token that names a user is worth no more than he is now, and nothing when he is gone. Its own
 * patterns, if it has any, narrow what he may see: gate_may_see() looks at both.
 */
static int
identify_token(struct gate *gate, const char *text, size_t len, enum token_kind kind,
	       enum gate_way way, struct gate_identity *who)
{
	struct gate_identity found = { .way = way };
	const struct access_user *user;
	int rc = token_verify(&gate->keys, text, len, gate_now_s(gate), &found.claims);

	if (rc < 0)
		return rc;
	if (found.claims.kind != kind)
		return -EBADMSG;
	if (found.claims.user[0] != '\0') {
		user = access_users_find(&gate->users, found.claims.user);
		if (user == NULL)
			return -ENOENT;
		if (found.claims.generation != 0 && found.claims.generation != user->generation)
			return -EKEYREVOKED;
		if (found.claims.role > user->role)
			found.claims.role = user->role;
		if (found.claims.n_cameras == 0)
			become_user(&found.claims, user);
	}
	*who = found;
	return 0;
}

/* The ways. 0 and *who; -ENOENT etc.: nobody that way; -EINPROGRESS: the password is to be checked.
 */

static int
by_basic(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	struct access_password *password = &answer->password;
	int64_t now = clock_now_ns(gate->clock);
	int rc = access_read_basic(facts->authorization, password);

	if (rc < 0)
		return rc == -EINVAL ? -ENODATA : rc;
	if (access_memory_has(gate->memory, password->user, password->password, now))
		rc = identify_user(gate, password->user, GATE_WAY_BASIC, &answer->who);
	else
		rc = -EINPROGRESS;
	if (rc != -EINPROGRESS)
		access_password_wipe(password);
	return rc;
}

static int
by_bearer(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	const char *text = access_read_bearer(facts->authorization);
	int rc;

	if (text == NULL)
		return -ENODATA;
	rc = identify_token(gate, text, strlen(text), TOKEN_BEARER, GATE_WAY_BEARER, &answer->who);
	/* A script of a foreign page shows its link so, for a ticket. */
	if (rc == -EBADMSG)
		rc = identify_token(gate, text, strlen(text), TOKEN_LINK, GATE_WAY_LINK,
				    &answer->who);
	return rc;
}

static int
by_cookie(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	size_t len;
	const char *text = access_find_cookie(facts->cookies, GATE_COOKIE, &len);

	if (text == NULL)
		return -ENODATA;
	return identify_token(gate, text, len, TOKEN_SESSION, GATE_WAY_SESSION, &answer->who);
}

static int
by_proxy(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	if (facts->proxy_user == NULL)
		return -ENODATA;
	return identify_user(gate, facts->proxy_user, GATE_WAY_PROXY, &answer->who);
}

static int
by_link_cookie(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	size_t len;
	const char *text = access_find_cookie(facts->cookies, GATE_LINK_COOKIE, &len);

	if (text == NULL || facts->scope == NULL)
		return -ENODATA;
	return identify_token(gate, text, len, TOKEN_LINK, GATE_WAY_LINK, &answer->who);
}

static int
by_query(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	int rc;

	if (facts->token == NULL)
		return -ENODATA;
	rc = identify_token(gate, facts->token, strlen(facts->token), TOKEN_LINK, GATE_WAY_LINK,
			    &answer->who);
	if (rc == 0)
		answer->who.is_from_url = true;
	return rc;
}

/* It is used up only by a request that it allows: see decide(). */
static int
by_ticket(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	if (facts->ticket == NULL)
		return -ENODATA;
	return identify_token(gate, facts->ticket, strlen(facts->ticket), TOKEN_TICKET,
			      GATE_WAY_TICKET, &answer->who);
}

/* What a browser may send along unasked. */
enum ambient { SHOWN, AMBIENT, AMBIENT_COOKIE };

static const struct way {
	enum ambient ambient;
	bool is_in_url; /* a link: for its pictures and pages, not for what lasts */
	int (*identify)(struct gate *, const struct gate_facts *, struct gate_answer *);
} ways[] = {
	{ SHOWN, false, by_bearer },
	{ AMBIENT, false, by_basic },
	{ AMBIENT_COOKIE, false, by_cookie },
	{ AMBIENT_COOKIE, false, by_proxy },
	{ AMBIENT_COOKIE, false, by_link_cookie },
	{ SHOWN, true, by_query },
	{ SHOWN, false, by_ticket },
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static bool
may_use(const struct way *way, const struct gate_facts *facts)
{
	/* A WebSocket outlives the address bar, but not the logs of proxies. */
	if (way->is_in_url && facts->is_upgrade)
		return false;
	if (way->ambient == SHOWN)
		return true;
	if (facts->origin == GATE_ORIGIN_FOREIGN || facts->is_cross_site)
		return false;
	/* Browsers name the origin of each of these; what names none has no business with cookies.
	 */
	return way->ambient == AMBIENT || facts->origin == GATE_ORIGIN_OURS ||
	       !(facts->is_upgrade || facts->is_change);
}

static bool
is_for_one_camera(const struct gate_identity *who)
{
	return who->way == GATE_WAY_LINK || who->way == GATE_WAY_TICKET;
}

/* NULL: it may; else why not. */
static const char *
may_do(const struct gate *gate, const struct gate_identity *who, const struct gate_facts *facts,
       const struct way *way, enum gate_right right, const char *camera)
{
	if (facts->scope != NULL && !gate_may_see(gate, who, facts->scope))
		return "not this camera";
	if (right == GATE_VIEW_CAMERA && camera[0] != '\0' && !gate_may_see(gate, who, camera))
		return "not this camera";
	if (right == GATE_OPERATE && (who->claims.role != TOKEN_OPERATOR || is_for_one_camera(who)))
		return "operators only";
	/* What a link's address opens is one camera: its pictures, and its own pages. */
	if (way->is_in_url && (right != GATE_VIEW_CAMERA || camera[0] == '\0'))
		return "a link shows its camera, and nothing else";
	return NULL;
}

static void
refuse(struct gate_answer *answer, enum gate_verdict verdict, const char *reason)
{
	answer->verdict = verdict;
	answer->reason = reason;
	answer->who = (struct gate_identity){ .way = GATE_WAY_NONE };
}

static const char *
reason_of(int rc)
{
	switch (rc) {
	case -ETIME:
		return "it has expired: log in again";
	case -EKEYREVOKED:
		return "it is not good any more";
	case -ENOENT:
		return "there is no such user any more";
	default:
		return "that is no valid proof of who you are";
	}
}

/* A password that nobody has looked at yet. */
static void
ask_password(struct gate *gate, const struct gate_facts *facts, struct gate_answer *answer)
{
	unsigned wait_s = 0;

	answer->verdict = GATE_ASK;
	answer->reason = "the password is being checked";
	if (!gate_may_try(gate, facts->address, &wait_s)) {
		access_password_wipe(&answer->password);
		refuse(answer, GATE_SLOW, "too many wrong passwords from this address");
		answer->wait_s = wait_s;
	}
}

/* true: that is the answer. */
static bool
try_way(struct gate *gate, const struct gate_facts *facts, const struct way *way,
	enum gate_right right, const char *camera, struct gate_answer *answer)
{
	const char *why;
	int rc = way->identify(gate, facts, answer);

	if (rc == -ENODATA)
		return false;
	if (rc == -EINPROGRESS) {
		ask_password(gate, facts, answer);
		return true;
	}
	if (rc < 0) {
		if (answer->verdict != GATE_FORBID)
			refuse(answer, GATE_LOGIN, reason_of(rc));
		return false;
	}
	why = may_do(gate, &answer->who, facts, way, right, camera);
	if (why == NULL && answer->who.way == GATE_WAY_TICKET &&
	    access_tickets_use(gate->tickets, &answer->who.claims, gate_now_s(gate)) < 0) {
		refuse(answer, GATE_LOGIN, "this ticket was used before");
		return false;
	}
	if (why != NULL) {
		refuse(answer, GATE_FORBID, why);
		return false;
	}
	answer->verdict = GATE_ALLOW;
	/* Who came by what the previous key signed goes with that key. */
	answer->who.era = gate->era - answer->who.claims.by_previous;
	return true;
}

/* Whether nobody needs to be known; then the answer stands. */
static bool
is_settled(const struct gate *gate, enum gate_right right, struct gate_answer *answer)
{
	refuse(answer, GATE_LOGIN, "log in first");
	if (right <= GATE_CLOSED || right >= GATE_RIGHTS)
		refuse(answer, GATE_FORBID, "closed");
	else if (right == GATE_PUBLIC)
		answer->verdict = GATE_ALLOW;
	else if (gate->required && !gate->has_keys)
		refuse(answer, GATE_WAIT, "starting");
	else if (!gate->required)
		*answer = (struct gate_answer){ .verdict = GATE_ALLOW,
						.who = { .way = GATE_WAY_OPEN,
							 .claims = { .role = TOKEN_OPERATOR } } };
	else
		return false;
	return true;
}

void
gate_decide(struct gate *gate, const struct gate_facts *facts, enum gate_right right,
	    const char *camera, struct gate_answer *answer)
{
	*answer = (struct gate_answer){ .verdict = GATE_LOGIN };
	if (is_settled(gate, right, answer))
		return;
	for (size_t i = 0; i < N_WAYS; i++)
		if (may_use(&ways[i], facts) &&
		    try_way(gate, facts, &ways[i], right, camera, answer))
			return;
}

bool
gate_still_holds(const struct gate *gate, const struct gate_identity *who)
{
	const struct token_claims *claims = &who->claims;
	const struct access_user *user;

	if (!gate->required)
		return true;
	if (who->way == GATE_WAY_NONE || who->way == GATE_WAY_OPEN)
		return false;
	if (claims->expires_s > 0 && claims->expires_s <= gate_now_s(gate))
		return false;
	/* All tokens were ended. Who came by a password shows it again. */
	if (gate->era - who->era > 1)
		return false;
	if (claims->id[0] != '\0' && token_keys_is_revoked(&gate->keys, claims->id))
		return false;
	if (claims->user[0] == '\0')
		return true;
	user = access_users_find(&gate->users, claims->user);
	return user != NULL && claims->role <= user->role &&
	       (claims->generation == 0 || claims->generation == user->generation);
}
