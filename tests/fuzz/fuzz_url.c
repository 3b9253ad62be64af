/*
 * Any text as a source URL and as text with URLs in it.
 */
#include "config.h"

#include "ctl/hide.h"
#include "shared/redact.h"
#include "shared/url.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_url(const char *text)
{
	char err[URL_ERROR_MAX] = "", *open, *bare, *user, *password;
	struct url url, again;

	if (url_parse(text, &url, err) < 0) {
		FUZZ_CHECK(strstr(err, ", expected ") != NULL);
		return;
	}
	FUZZ_CHECK((url.host[0] != '\0') == (url.scheme->shape == URL_NETWORK));
	FUZZ_CHECK(url.scheme->shape != URL_NETWORK || (url.port >= 1 && url.port <= 65535));
	open = url_for_open(text, &url, "user", "pass");
	free(open);
	/* Without its userinfo it is the same place, and has none. */
	if (url_split_userinfo(text, &bare, &user, &password) == 0) {
		FUZZ_CHECK(url_parse(bare, &again, err) == 0);
		FUZZ_CHECK(!again.has_userinfo && (user != NULL) == url.has_userinfo);
		FUZZ_CHECK(strcmp(again.host, url.host) == 0 && again.port == url.port);
		url_clear(&again);
		free(bare);
		free(user);
		free(password);
	}
	url_clear(&url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *once, *shorter;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_url(text);
	once = hide_secrets(text);
	shorter = redact_url(text);
	FUZZ_CHECK(strlen(shorter) <= strlen(text));
	free(shorter);
	free(once);
	free(text);
	return 0;
}
