/*
 * Any text as challenges: a line for each 401, "+" for an accepted request with the rest of the
 * line as its Authentication-Info. The first two lines are user and password.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "worker/rtsp_auth.h"

#include <string.h>

static void
check_header(struct rtsp_auth *auth)
{
	char *header = rtsp_auth_header(auth, "DESCRIBE", "rtsp://camera/a\"b"), *at;
	bool is_quoted = false;

	if (header == NULL)
		return;
	FUZZ_CHECK(strncmp(header, "Digest username=\"", 17) == 0 ||
		   strncmp(header, "Basic ", 6) == 0);
	for (at = header; *at != '\0'; at++) {
		FUZZ_CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
		if (is_quoted && *at == '\\')
			at++;
		else if (*at == '"')
			is_quoted = !is_quoted;
	}
	FUZZ_CHECK(!is_quoted);
	FUZZ_CHECK(strncmp(header, "Basic ", 6) == 0 || strstr(header, ", response=\"") != NULL);
	free(header);
}

static struct rtsp_item
make_reply(const char *name, const char *value, struct rtsp_header *header)
{
	header->name = (struct rtsp_text){ name, strlen(name) };
	header->value = (struct rtsp_text){ value, strlen(value) };
	return (struct rtsp_item){ .kind = RTSP_ITEM_REPLY, .headers = header, .n_headers = 1 };
}

static void
play(struct rtsp_auth *auth, char *text)
{
	struct rtsp_header header;
	struct rtsp_item reply;
	unsigned answers = 0;
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '+') {
			reply = make_reply("Authentication-Info", line + 1, &header);
			rtsp_auth_on_accepted(auth, &reply);
			answers = 0;
		} else {
			reply = make_reply("WWW-Authenticate", line, &header);
			answers += rtsp_auth_on_challenge(auth, &reply) == RTSP_AUTH_OK;
		}
		FUZZ_CHECK(answers <= RTSP_AUTH_ATTEMPTS);
		check_header(auth);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *user, *password;
	struct rtsp_auth *auth;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	user = strsep(&rest, "\n");
	password = strsep(&rest, "\n");
	auth = rtsp_auth_new(user, password, size % 2 == 0);
	if (rest != NULL)
		play(auth, rest);
	rtsp_auth_free(&auth);
	free(text);
	return 0;
}
