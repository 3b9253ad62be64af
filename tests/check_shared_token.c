/*
 * Tokens: what is signed comes back, and nothing else does: every bit changed, every length, other
 * keys, other times, payloads that are signed but wrong.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/base64url.h"
#include "shared/token.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000LL

static const struct token_keys keys = {
	.current = { 1, 2, 3 },
	.previous = { 4, 5, 6 },
	.has_previous = true,
};

static const struct token_claims door = {
	.kind = TOKEN_LINK,
	.role = TOKEN_VIEWER,
	.id = "AAECAwQFBgcICQoLDA0ODw",
	.cameras = { "door" },
	.n_cameras = 1,
	.expires_s = NOW + 60,
	.viewers = 3,
};

static char text[TOKEN_MAX_BYTES];

static int
verify(const char *token, int64_t now_s, struct token_claims *claims)
{
	/* Behind the end of what it is given nobody looks. */
	size_t len = strlen(token);
	char *exact = xmalloc(len + 1);
	int rc;

	memcpy(exact, token, len);
	exact[len] = '.';
	rc = token_verify(&keys, exact, len, now_s, claims);
	free(exact);
	return rc;
}

/* payload, signed with the current key. */
static const char *
signed_payload(const char *payload)
{
	unsigned char mac[32];
	unsigned mac_len = sizeof(mac);
	size_t n;

	strcpy(text, "v1.");
	n = 3 + base64url_encode(payload, strlen(payload), text + 3);
	HMAC(EVP_sha256(), keys.current, 32, (unsigned char *)text, n, mac, &mac_len);
	text[n++] = '.';
	base64url_encode(mac, 32, text + n);
	return text;
}

START_TEST(test_base64url)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		/* RFC 4648, section 10, without padding */
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "-_-_" },
	};
	static const char *const wrong[] = { "Z",      "Zh",   "Zm9",   "Zg==", "Zm 8",
					     "Zm9v\n", "+/+/", "Zm9vY", "Zm8=", "\xc3\xa9zz" };
	char out[16];
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = strlen(rows[i].bytes);
		ck_assert_uint_eq(base64url_encode(rows[i].bytes, len, out), strlen(rows[i].text));
		ck_assert_str_eq(out, rows[i].text);
		ck_assert_uint_eq(BASE64URL_CHARS(len), strlen(rows[i].text));
		ck_assert_int_eq(
		    base64url_decode(rows[i].text, strlen(rows[i].text), out, 16, &len), 0);
		ck_assert_uint_eq(len, strlen(rows[i].bytes));
		ck_assert_mem_eq(out, rows[i].bytes, len);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(base64url_decode(wrong[i], strlen(wrong[i]), out, 16, &len) ==
				  -EBADMSG,
			      "%s", wrong[i]);
	ck_assert_int_eq(base64url_decode("Zm9vYmFy", 8, out, 5, &len), -EMSGSIZE);
}
END_TEST

START_TEST(test_glob)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{ "*", "door", true },
		{ "*", "", true },
		{ "door", "door", true },
		{ "door", "doors", false },
		{ "doors", "door", false },
		{ "yard*", "yard", true },
		{ "yard*", "yard-2", true },
		{ "yard*", "backyard", false },
		{ "*yard", "backyard", true },
		{ "*yard", "backyards", false },
		{ "b*k*d", "backyard", true },
		{ "b*x*d", "backyard", false },
		{ "d??r", "door", true },
		{ "d?r", "door", false },
		{ "?", "", false },
		{ "", "", true },
		{ "", "door", false },
		{ "**r", "door", true },
		{ "*o?", "door", true },
		{ "a*b*c", "abcabcab", false },
	};
	char pattern[GLOB_BYTES + 2], name[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(glob_matches(rows[i].pattern, rows[i].name) == rows[i].matches,
			      "%s %s", rows[i].pattern, rows[i].name);
	/* What makes others take for ever ends at once. */
	for (size_t i = 0; i < GLOB_BYTES; i++)
		pattern[i] = i % 2 == 0 ? 'a' : '*';
	strcpy(pattern + GLOB_BYTES - 1, "b");
	memset(name, 'a', 63);
	name[63] = '\0';
	ck_assert(!glob_matches(pattern, name));
	ck_assert(glob_is_valid("yard*") && glob_is_valid("?") && glob_is_valid(pattern));
	strcat(pattern, "b");
	ck_assert(!glob_is_valid(pattern) && !glob_is_valid("") && !glob_is_valid("a b") &&
		  !glob_is_valid("A") && !glob_is_valid("a/b") && !glob_is_valid("[a]"));
}
END_TEST

START_TEST(test_there_and_back)
{
	struct token_claims claims;

	ck_assert_int_eq(token_make(&keys, &door, text, sizeof(text)), 0);
	ck_assert_int_eq(verify(text, NOW, &claims), 0);
	ck_assert_mem_eq(&claims, &door, sizeof(door));
	ck_assert(token_covers(&claims, "door"));
	ck_assert(!token_covers(&claims, "yard"));
}
END_TEST

START_TEST(test_longest)
{
	struct token_claims claims = { .kind = TOKEN_SESSION,
				       .generation = TOKEN_GENERATION_MAX,
				       .role = TOKEN_OPERATOR,
				       .id = "AAECAwQFBgcICQoLDA0ODw",
				       .n_cameras = TOKEN_CAMERAS_MAX,
				       .expires_s = TOKEN_EXPIRY_MAX,
				       .viewers = TOKEN_VIEWERS_MAX },
			    read;

	memset(claims.user, 'x', TOKEN_USER_MAX);
	for (size_t i = 0; i < TOKEN_CAMERAS_MAX; i++)
		memset(claims.cameras[i], 'a' + (int)i, GLOB_BYTES);
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	ck_assert_int_eq(verify(text, NOW, &read), 0);
	ck_assert_mem_eq(&read, &claims, sizeof(read));
	ck_assert_int_eq(token_make(&keys, &claims, text, strlen(text)), -ENOSPC);
}
END_TEST

/* Each bit of each character, whatever it makes of it. */
START_TEST(test_every_bit)
{
	struct token_claims claims;
	size_t len;

	ck_assert_int_eq(token_make(&keys, &door, text, sizeof(text)), 0);
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			int rc;

			text[i] ^= (char)(1 << bit);
			rc = token_verify(&keys, text, len, NOW, &claims);
			ck_assert_msg(rc == -EBADMSG || rc == -EKEYREJECTED, "%zu/%d: %d", i, bit,
				      rc);
			text[i] ^= (char)(1 << bit);
		}
	ck_assert_int_eq(token_verify(&keys, text, len, NOW, &claims), 0);
}
END_TEST

START_TEST(test_every_length)
{
	struct token_claims claims;
	size_t len;

	ck_assert_int_eq(token_make(&keys, &door, text, sizeof(text)), 0);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		char *cut = xmalloc(i + 1);
		int rc;

		memcpy(cut, text, i);
		rc = token_verify(&keys, cut, i, NOW, &claims);
		ck_assert_msg(rc == -EBADMSG || rc == -EKEYREJECTED, "%zu: %d", i, rc);
		free(cut);
	}
	strcat(text, ".");
	ck_assert_int_eq(verify(text, NOW, &claims), -EBADMSG);
	memset(text, 'A', sizeof(text) - 1);
	memcpy(text, "v1.", 3);
	ck_assert_int_lt(verify(text, NOW, &claims), 0);
	ck_assert_int_eq(token_verify(&keys, "", 0, NOW, &claims), -EBADMSG);
}
END_TEST

START_TEST(test_expiry)
{
	struct token_claims claims;

	ck_assert_int_eq(token_make(&keys, &door, text, sizeof(text)), 0);
	ck_assert_int_eq(verify(text, NOW + 59, &claims), 0);
	memset(&claims, 7, sizeof(claims));
	ck_assert_int_eq(verify(text, NOW + 60, &claims), -ETIME);
	ck_assert_int_eq(claims.id[0], 7);
	ck_assert_int_eq(verify(text, INT64_MAX, &claims), -ETIME);
	/* A clock that was set back to nothing does not make them last. */
	ck_assert_int_eq(verify(text, 0, &claims), 0);
}
END_TEST

START_TEST(test_keys)
{
	struct token_keys rotated = { .has_previous = true }, other = { .current = { 9 } };
	struct token_claims claims;
	size_t len;

	ck_assert_int_eq(token_make(&keys, &door, text, sizeof(text)), 0);
	len = strlen(text);
	memcpy(rotated.current, other.current, TOKEN_KEY_BYTES);
	memcpy(rotated.previous, keys.current, TOKEN_KEY_BYTES);
	ck_assert_int_eq(token_verify(&rotated, text, len, NOW, &claims), 0);
	rotated.has_previous = false;
	ck_assert_int_eq(token_verify(&rotated, text, len, NOW, &claims), -EKEYREJECTED);
	ck_assert_int_eq(token_verify(&other, text, len, NOW, &claims), -EKEYREJECTED);
	/* Without a previous key the zeros in its place sign nothing. */
	ck_assert_int_eq(
	    token_make(&(struct token_keys){ .current = { 0 } }, &door, text, sizeof(text)), 0);
	ck_assert_int_eq(token_verify(&other, text, strlen(text), NOW, &claims), -EKEYREJECTED);
}
END_TEST

START_TEST(test_revoked)
{
	struct token_keys some = keys;
	struct token_claims claims, second = door;
	const char *ids[] = { "zzzzzzzzzzzzzzzzzzzzzw", "AAECAwQFBgcICQoLDA0ODw",
			      "MMMMMMMMMMMMMMMMMMMMMQ" };

	some.revoked = xcalloc(3, sizeof(some.revoked[0]));
	some.n_revoked = 3;
	for (size_t i = 0; i < 3; i++)
		strcpy(some.revoked[i], ids[i]);
	token_keys_sort(&some);
	ck_assert_int_eq(token_make(&some, &door, text, sizeof(text)), 0);
	ck_assert_int_eq(token_verify(&some, text, strlen(text), NOW, &claims), -EKEYREVOKED);
	/* Who looks at it when it is over learns only that. */
	ck_assert_int_eq(token_verify(&some, text, strlen(text), NOW + 99, &claims), -ETIME);
	strcpy(second.id, "AAECAwQFBgcICQoLDA0ODA");
	ck_assert_int_eq(token_make(&some, &second, text, sizeof(text)), 0);
	ck_assert_int_eq(token_verify(&some, text, strlen(text), NOW, &claims), 0);
	token_keys_clear(&some);
	ck_assert_uint_eq(some.n_revoked, 0);
	ck_assert_int_eq(some.current[0], 0);
}
END_TEST

#define PAYLOAD(k, id, u, c, r, exp, n)                                                            \
	"{\"k\":" k ",\"id\":" id ",\"u\":" u ",\"c\":" c ",\"r\":" r ",\"exp\":" exp ",\"n\":" n  \
	"}"
#define ID "\"AAECAwQFBgcICQoLDA0ODw\""

/* What our own key signed must be right all the same: an older or a newer program wrote it. */
START_TEST(test_signed_but_wrong)
{
	static const char *const good[] = {
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"session\"", ID, "\"ann\"", "[]", "\"operator\"", "1800000060",
			"0,\"g\":1"),
		PAYLOAD("\"ticket\"", ID, "\"ann\"", "[]", "\"viewer\"", "1800000060",
			"0,\"g\":7,\"p\":" ID),
		PAYLOAD("\"bearer\"", ID, "\"a.b@c-d\"", "[]", "\"viewer\"", "1800000060", "0"),
	};
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"null",
		"1",
		"\"v1\"",
		"{\"k\":\"link\"}",
		PAYLOAD("\"admin\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("1", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", "\"x\"", "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", "null", "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"a b\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"a\\nb\"", "[\"door\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"root\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"../x\"]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[7]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "\"door\"", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "\"1800000060\"", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060.5", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "-1", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "253402300800", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "-1"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060", "1001"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060",
			"4294967296"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060",
			"0,\"x\":1"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060",
			"0,\"n\":0"),
		/* a login without a generation, or with none that there is; one where no login is
		 */
		PAYLOAD("\"session\"", ID, "\"ann\"", "[]", "\"operator\"", "1800000060", "0"),
		PAYLOAD("\"session\"", ID, "\"ann\"", "[]", "\"viewer\"", "1800000060",
			"0,\"g\":0"),
		PAYLOAD("\"session\"", ID, "\"ann\"", "[]", "\"viewer\"", "1800000060",
			"0,\"g\":\"1\""),
		PAYLOAD("\"session\"", ID, "\"ann\"", "[]", "\"viewer\"", "1800000060",
			"0,\"g\":-1"),
		PAYLOAD("\"link\"", ID, "\"ann\"", "[\"door\"]", "\"viewer\"", "1800000060",
			"0,\"g\":1"),
		PAYLOAD("\"ticket\"", ID, "\"\"", "[\"door\"]", "\"viewer\"", "1800000060",
			"0,\"g\":1"),
		/* nobody, and all cameras or more than to look */
		PAYLOAD("\"link\"", ID, "\"\"", "[]", "\"viewer\"", "1800000060", "0"),
		PAYLOAD("\"link\"", ID, "\"\"", "[\"door\"]", "\"operator\"", "1800000060", "0"),
	};
	struct token_claims claims;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(verify(signed_payload(good[i]), NOW, &claims) == 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(verify(signed_payload(wrong[i]), NOW, &claims) == -EBADMSG, "%s",
			      wrong[i]);
}
END_TEST

START_TEST(test_claims_that_are_not_made)
{
	struct token_claims claims = door;

	claims.kind = TOKEN_KINDS;
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	claims = door;
	claims.expires_s = 0;
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	claims = door;
	claims.n_cameras = 0;
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	claims = door;
	claims.n_cameras = TOKEN_CAMERAS_MAX + 1;
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	claims = door;
	strcpy(claims.user, "a\"b");
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	claims = door;
	claims.id[3] = '\0';
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), -EINVAL);
	ck_assert_int_eq(token_make(&keys, &door, text, 40), -ENOSPC);
}
END_TEST

START_TEST(test_names)
{
	static const char *const bad[] = { "", ".x", "-x", "@x", "a b", "a:b", "a/b", "\xc3\xa9" };
	enum token_role role;
	char longest[TOKEN_USER_MAX + 2], id[TOKEN_ID_CHARS + 1];
	unsigned char bytes[16] = { 0xff, 0xee };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!token_user_is_valid(bad[i]), "%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[TOKEN_USER_MAX] = '\0';
	ck_assert(token_user_is_valid(longest) && token_user_is_valid("Ann.B@example-1.net"));
	longest[TOKEN_USER_MAX] = 'a';
	longest[TOKEN_USER_MAX + 1] = '\0';
	ck_assert(!token_user_is_valid(longest));
	ck_assert_int_eq(token_role_from_name("operator", &role), 0);
	ck_assert_int_eq(role, TOKEN_OPERATOR);
	ck_assert_int_eq(token_role_from_name("admin", &role), -EINVAL);
	ck_assert_str_eq(token_kind_name(TOKEN_TICKET), "ticket");
	ck_assert_str_eq(token_role_name(TOKEN_VIEWER), "viewer");
	token_id_from(bytes, id);
	ck_assert_uint_eq(strlen(id), TOKEN_ID_CHARS);
	ck_assert(token_id_is_valid(id));
	ck_assert(!token_id_is_valid("") && !token_id_is_valid("AAECAwQFBgcICQoLDA0ODwA") &&
		  !token_id_is_valid("AAECAwQFBgcICQoLDA0ODx"));
}
END_TEST

START_TEST(test_keys_in_a_message)
{
	struct token_keys some = keys, read = { 0 };
	json_t *msg = json_object();

	some.revoked = xcalloc(2, sizeof(some.revoked[0]));
	some.n_revoked = 2;
	strcpy(some.revoked[0], "zzzzzzzzzzzzzzzzzzzzzw");
	strcpy(some.revoked[1], "AAECAwQFBgcICQoLDA0ODw");
	token_keys_to_msg(&some, msg);
	ck_assert_int_eq(token_keys_from_msg(msg, &read), 0);
	ck_assert_mem_eq(read.current, keys.current, TOKEN_KEY_BYTES);
	ck_assert_mem_eq(read.previous, keys.previous, TOKEN_KEY_BYTES);
	ck_assert(read.has_previous);
	ck_assert(token_keys_is_revoked(&read, "AAECAwQFBgcICQoLDA0ODw"));
	ck_assert(!token_keys_is_revoked(&read, "AAECAwQFBgcICQoLDA0ODA"));
	/* What is wrong changes nothing. */
	json_array_append_new(json_object_get(msg, "revoked"), json_string("x"));
	ck_assert_int_eq(token_keys_from_msg(msg, &read), -EINVAL);
	json_object_del(msg, "revoked");
	json_object_set_new(msg, "current", json_string("00"));
	ck_assert_int_eq(token_keys_from_msg(msg, &read), -EINVAL);
	ck_assert_uint_eq(read.n_revoked, 2);
	json_object_set_new(msg, "current", json_object_get(msg, "previous"));
	json_incref(json_object_get(msg, "previous"));
	json_object_set_new(msg, "previous", json_null());
	ck_assert_int_eq(token_keys_from_msg(msg, &read), -EINVAL);
	json_object_del(msg, "previous");
	ck_assert_int_eq(token_keys_from_msg(msg, &read), 0);
	ck_assert(!read.has_previous && read.n_revoked == 0);
	ck_assert_mem_eq(read.current, keys.previous, TOKEN_KEY_BYTES);
	token_keys_clear(&read);
	token_keys_clear(&some);
	json_decref(msg);
}
END_TEST

static Suite *
token_suite(void)
{
	Suite *suite = suite_create("shared_token");
	TCase *tcase = tcase_create("token");

	tcase_add_test(tcase, test_base64url);
	tcase_add_test(tcase, test_glob);
	tcase_add_test(tcase, test_there_and_back);
	tcase_add_test(tcase, test_longest);
	tcase_add_test(tcase, test_every_bit);
	tcase_add_test(tcase, test_every_length);
	tcase_add_test(tcase, test_expiry);
	tcase_add_test(tcase, test_keys);
	tcase_add_test(tcase, test_revoked);
	tcase_add_test(tcase, test_signed_but_wrong);
	tcase_add_test(tcase, test_claims_that_are_not_made);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_keys_in_a_message);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(token_suite)
