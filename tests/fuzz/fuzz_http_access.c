/*
 * What a request says of its sender, a line each: cookies, Authorization, the forwarded addresses,
 * the query's token and ticket, whose addresses are used. Whoever does not know the keys is not let
 * in, whatever he says; and what is read of the lines lies within them.
 */
#include "config.h"

#include "http/access_address.h"
#include "http/gate.h"
#include "tests/fuzz/fuzz.h"

#include <openssl/rand.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 4096
#define N_LINES  6

static struct clock *fake_clock;
static struct gate *gate;
static char session[TOKEN_MAX_BYTES];

/* Keys that no input can know. */
static void
start(void)
{
	unsigned char random[TOKEN_KEY_BYTES];
	char key[2 * TOKEN_KEY_BYTES + 1];
	json_t *msg;

	FUZZ_CHECK(RAND_bytes(random, sizeof(random)) == 1);
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(key + 2 * i, 3, "%02x", random[i]);
	fake_clock = clock_new_fake(NS_PER_S);
	gate = gate_new(fake_clock);
	msg = json_pack("{s:s, s:b, s:s, s:[], s:[s, s]}", "type", "access-keys", "required", 1,
			"current", key, "revoked", "users", "ann viewer door", "root operator *");
	FUZZ_CHECK(gate_set_keys(gate, msg) == 0);
	json_decref(msg);
	FUZZ_CHECK(gate_make_session(gate, "root", session) == 0);
}

static void
check_cookie(const char *header)
{
	size_t len = 0, name_len = strlen(GATE_COOKIE);
	const char *value = access_find_cookie(header, GATE_COOKIE, &len);
	char longer[TEXT_MAX + TOKEN_MAX_BYTES + 64];

	if (value != NULL) {
		FUZZ_CHECK(value >= header + name_len + 1 &&
			   value + len <= header + strlen(header));
		FUZZ_CHECK(strncmp(value - name_len - 1, GATE_COOKIE "=", name_len + 1) == 0);
		FUZZ_CHECK(memchr(value, ';', len) == NULL);
	}
	/* One more of the same name makes it nobody's. */
	(void)snprintf(longer, sizeof(longer), "%s; " GATE_COOKIE "=%s", header, session);
	if (value != NULL)
		FUZZ_CHECK(access_find_cookie(longer, GATE_COOKIE, &len) == NULL);
}

static void
check_authorization(const char *header)
{
	struct access_password password = { .user = "untouched" };
	const char *bearer = access_read_bearer(header);

	FUZZ_CHECK(bearer == NULL || (bearer >= header + 7 && bearer <= header + strlen(header)));
	if (access_read_basic(header, &password) < 0) {
		FUZZ_CHECK(strcmp(password.user, "untouched") == 0);
		return;
	}
	FUZZ_CHECK(strlen(password.user) <= ACCESS_USER_MAX &&
		   strlen(password.password) <= ACCESS_PASSWORD_MAX);
	FUZZ_CHECK(strchr(password.user, ':') == NULL);
	access_password_wipe(&password);
}

static void
check_address(const char *forwarded)
{
	static char nets[][16] = { "127.0.0.0/8", "10.1.0.0/16", "2001:db8::/32" };
	char *const trusted[] = { nets[0], nets[1], nets[2], NULL };
	char address[ACCESS_ADDRESS_BYTES], same[ACCESS_ADDRESS_BYTES];

	access_address_of("10.1.2.3", trusted, forwarded, address);
	/* It is an address in its one form. */
	access_address_of(address, NULL, NULL, same);
	FUZZ_CHECK(strcmp(address, same) == 0);
	access_address_of("192.0.2.1", trusted, forwarded, address);
	FUZZ_CHECK(strcmp(address, "192.0.2.1") == 0);
}

static void
check_gate(char *const lines[N_LINES], unsigned bits)
{
	struct gate_facts facts = {
		.address = "192.0.2.1",
		.cookies = lines[0],
		.authorization = lines[1],
		.token = lines[3],
		.ticket = lines[4],
		.scope = lines[5],
		.origin = (enum gate_origin)(bits % 3),
		.is_upgrade = (bits & 4) != 0,
		.is_change = (bits & 8) != 0,
		.is_cross_site = (bits & 16) != 0,
	};
	struct gate_answer answer;

	for (int right = GATE_VIEW_CAMERA; right <= GATE_OPERATE; right++) {
		gate_decide(gate, &facts, (enum gate_right)right, "door", &answer);
		FUZZ_CHECK(answer.verdict == GATE_LOGIN || answer.verdict == GATE_ASK);
		access_password_wipe(&answer.password);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1], *next = text, *lines[N_LINES] = { NULL };
	char camera[33];

	if (gate == NULL)
		start();
	if (size == 0 || size > TEXT_MAX)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	/* An empty line: it is not there. */
	for (size_t i = 0; i < N_LINES && next != NULL; i++) {
		lines[i] = strsep(&next, "\n");
		if (lines[i][0] == '\0')
			lines[i] = NULL;
	}
	if (lines[0] != NULL)
		check_cookie(lines[0]);
	if (lines[1] != NULL)
		check_authorization(lines[1]);
	if (lines[2] != NULL)
		check_address(lines[2]);
	if (lines[5] != NULL) {
		access_camera_of(lines[5], camera, sizeof(camera));
		FUZZ_CHECK(strchr(camera, '.') == NULL);
		FUZZ_CHECK(!access_is_local_path(lines[5]) || lines[5][0] != '/');
	}
	check_gate(lines, data[0]);
	return 0;
}
