/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_gate_rig.h"

#include <stdio.h>
#include <string.h>

struct clock *fake_clock;
struct gate *gate;
struct token_keys keys;

json_t *
keys_message(const char *revoked)
{
	json_t *msg =
	    json_pack("{s:s, s:b, s:s, s:[], s:[s, s, s, s]}", "type", "access-keys", "required", 1,
		      "current", KEY, "revoked", "users", "ann viewer door", "bob viewer *",
		      "olga operator door", "root operator *");

	if (revoked != NULL)
		json_array_append_new(json_object_get(msg, "revoked"), json_string(revoked));
	return msg;
}

void
set_keys(json_t *msg)
{
	ck_assert_int_eq(gate_set_keys(gate, msg), 0);
	json_decref(msg);
}

void
gate_setup(void)
{
	json_t *msg = keys_message(NULL);

	fake_clock = clock_new_fake(NS_PER_S);
	gate = gate_new(fake_clock);
	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	set_keys(msg);
}

void
gate_teardown(void)
{
	gate_free(&gate);
	token_keys_clear(&keys);
	clock_free(&fake_clock);
}

const char *
make_token(enum token_kind kind, const char *user, const char *camera, int seconds)
{
	static char texts[4][TOKEN_MAX_BYTES];
	static unsigned next;
	char *text = texts[next++ % 4];
	struct token_claims claims = { .kind = kind,
				       .id = LINK_ID,
				       .expires_s = gate_now_s(gate) + seconds };

	strcpy(claims.user, user);
	claims.generation = kind == TOKEN_SESSION;
	if (camera != NULL) {
		strcpy(claims.cameras[0], camera);
		claims.n_cameras = 1;
	}
	ck_assert_int_eq(token_make(&keys, &claims, text, TOKEN_MAX_BYTES), 0);
	return text;
}

const char *
make_cookie(const char *name, const char *value)
{
	static char texts[4][TOKEN_MAX_BYTES + 32];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), "theme=dark; %s=%s", name, value);
	return text;
}

enum gate_verdict
decide(const struct gate_facts *facts, enum gate_right right, const char *camera)
{
	struct gate_answer answer;
	struct gate_facts whole = *facts;

	whole.address = "192.0.2.7";
	gate_decide(gate, &whole, right, camera, &answer);
	access_password_wipe(&answer.password);
	return answer.verdict;
}

static const char *
forged(void)
{
	struct token_keys ours = keys;
	const char *text;

	keys.current[0] ^= 1;
	text = make_token(TOKEN_SESSION, "root", NULL, 60);
	keys = ours;
	return text;
}

struct gate_facts
facts_of(enum who who)
{
	static char bearer[TOKEN_MAX_BYTES + 16];
	static const char *const users[] = {
		[ANN] = "ann", [BOB] = "bob", [OLGA] = "olga", [ROOT] = "root"
	};
	struct gate_facts facts = { .origin = GATE_ORIGIN_OURS };

	switch (who) {
	case NOBODY:
	case WHO_COUNT:
		break;
	case ANN:
	case BOB:
	case OLGA:
	case ROOT:
		facts.cookies =
		    make_cookie(GATE_COOKIE, make_token(TOKEN_SESSION, users[who], NULL, 60));
		break;
	case LINK_URL:
		facts.token = make_token(TOKEN_LINK, "", "door", 60);
		break;
	case LINK_COOKIE:
		facts.cookies =
		    make_cookie(GATE_LINK_COOKIE, make_token(TOKEN_LINK, "", "door", 60));
		facts.scope = "door";
		break;
	case TICKET: {
		struct gate_identity link = { .way = GATE_WAY_LINK,
					      .claims = { .kind = TOKEN_LINK, .id = LINK_ID } };
		static char text[TOKEN_MAX_BYTES];

		link.claims.expires_s = gate_now_s(gate) + 60;
		ck_assert_int_eq(gate_make_ticket(gate, &link, "door", text), 0);
		facts.ticket = text;
		break;
	}
	case BEARER:
		snprintf(bearer, sizeof(bearer), "Bearer %s",
			 make_token(TOKEN_BEARER, "", "door", 60));
		facts.authorization = bearer;
		break;
	case FORGED:
		facts.cookies = make_cookie(GATE_COOKIE, forged());
		break;
	}
	return facts;
}
