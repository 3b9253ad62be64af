/*
 * Any text as Session, Transport, control attribute, Content-Base and Location. What goes out again
 * must be a word that ends no line of ours.
 */
#include "config.h"

#include "shared/url.h"
#include "tests/fuzz/fuzz.h"
#include "worker/rtsp_transport.h"
#include "worker/rtsp_url.h"

#include <string.h>

static void
check_word(const char *word)
{
	for (; *word != '\0'; word++)
		FUZZ_CHECK((unsigned char)*word > ' ' && *word != 0x7f);
}

static void
check_session(const struct rtsp_text *text)
{
	unsigned timeout_s = 60;
	char id[32] = "";

	if (rtsp_session_parse(text, id, sizeof(id), &timeout_s) == 0)
		FUZZ_CHECK(id[0] != '\0');
	check_word(id);
	FUZZ_CHECK(timeout_s >= 1 && timeout_s <= 3600);
}

static void
check_transport(const struct rtsp_text *text)
{
	struct rtsp_transport transport;

	if (rtsp_transport_parse(text, &transport) < 0)
		return;
	FUZZ_CHECK(!transport.has_channels || transport.channel[0] < transport.channel[1]);
	FUZZ_CHECK(transport.server_port[0] == 0 ||
		   transport.server_port[0] < transport.server_port[1]);
	FUZZ_CHECK(transport.client_port[0] == 0 ||
		   transport.client_port[0] < transport.client_port[1]);
	FUZZ_CHECK(strlen(transport.source) < sizeof(transport.source));
}

static void
check_control(const char *base, const char *control)
{
	static const char request[] = "rtsp://camera:554/a?b=1";
	char *url = rtsp_url_control(request, base, control);

	if (url == NULL)
		return;
	check_word(url);
	FUZZ_CHECK(strncmp(url, "rtsp://camera:554", 17) == 0 && strlen(url) <= URL_MAX_BYTES);
	FUZZ_CHECK(url[17] == '\0' || strchr("/?#", url[17]) != NULL);
	free(url);
}

static void
check_redirect(const char *from, const struct rtsp_text *text, const char *scheme)
{
	char *url = rtsp_url_redirect(from, text), err[URL_ERROR_MAX];
	struct url parsed;

	if (url == NULL)
		return;
	check_word(url);
	FUZZ_CHECK(strncmp(url, scheme, strlen(scheme)) == 0);
	FUZZ_CHECK(url_parse(url, &parsed, err) == 0);
	FUZZ_CHECK(!parsed.has_userinfo);
	url_clear(&parsed);
	free(url);
}

/* Up to the first line end a control or a header, behind it the base of the control. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *base;
	struct rtsp_text header;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	header = (struct rtsp_text){ text, strlen(text) };
	check_session(&header);
	check_transport(&header);
	check_redirect("rtsp://camera:554/a/b?c=1", &header, "rtsp");
	check_redirect("rtsps://camera/a", &header, "rtsps:");
	check_control(NULL, text);
	check_control(text, "trackID=1");
	base = strchr(text, '\n');
	if (base != NULL) {
		*base = '\0';
		check_control(base + 1, text);
	}
	free(text);
	return 0;
}
