/*
 * Transport: what SETUP asks for, and what cameras make of it.
 */
#include "config.h"

#include "worker/rtsp_transport.h"

#include "shared/xalloc.h"
#include "worker/rtsp_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

char *
rtsp_transport_write(const struct rtsp_transport *transport)
{
	if (transport->is_tcp)
		return xasprintf("RTP/AVP/TCP;unicast;interleaved=%u-%u", transport->channel[0],
				 transport->channel[1]);
	return xasprintf("RTP/AVP;unicast;client_port=%u-%u", transport->client_port[0],
			 transport->client_port[1]);
}

/* "a-b", "a" (b is the next), "b-a" (cameras that count down mean the lower one for RTP). */
static int
parse_range(struct rtsp_text value, unsigned max, unsigned range[2])
{
	uint64_t first, second;

	if (rtsp_text_number(&value, 10, max, &first) < 0)
		return -EPROTO;
	second = first + 1;
	value = rtsp_text_trim(value);
	if (value.len > 0 && value.at[0] == '-') {
		value = rtsp_text_trim((struct rtsp_text){ value.at + 1, value.len - 1 });
		if (value.len > 0 && rtsp_text_number(&value, 10, max, &second) < 0)
			return -EPROTO;
	}
	if (second == first)
		second = first + 1;
	if (second > max)
		return -EPROTO;
	range[0] = (unsigned)(first < second ? first : second);
	range[1] = (unsigned)(first < second ? second : first);
	return 0;
}

static int
on_interleaved(struct rtsp_transport *transport, struct rtsp_text value)
{
	unsigned range[2];

	if (parse_range(value, UINT8_MAX, range) < 0)
		return -EPROTO;
	transport->channel[0] = (uint8_t)range[0];
	transport->channel[1] = (uint8_t)range[1];
	transport->has_channels = true;
	return 0;
}

/* "0-0" and what is no number are none: ours are known, and without the camera's nothing is sent
 * there. */
static int
parse_ports(struct rtsp_text value, uint16_t port[2])
{
	unsigned range[2];

	if (parse_range(value, UINT16_MAX, range) < 0 || range[0] == 0)
		return 0;
	port[0] = (uint16_t)range[0];
	port[1] = (uint16_t)range[1];
	return 0;
}

static int
on_client_port(struct rtsp_transport *transport, struct rtsp_text value)
{
	return parse_ports(value, transport->client_port);
}

static int
on_server_port(struct rtsp_transport *transport, struct rtsp_text value)
{
	return parse_ports(value, transport->server_port);
}

/* Eight hexadecimal digits; cameras write "0x", leave zeros out, or send what is no such number at
 * all: the packets tell, too. */
static int
on_ssrc(struct rtsp_transport *transport, struct rtsp_text value)
{
	uint64_t ssrc;

	if (value.len > 2 && strncasecmp(value.at, "0x", 2) == 0)
		value = (struct rtsp_text){ value.at + 2, value.len - 2 };
	if (rtsp_text_number(&value, 16, UINT32_MAX, &ssrc) < 0 || value.len > 0)
		return 0;
	transport->ssrc = (uint32_t)ssrc;
	transport->has_ssrc = true;
	return 0;
}

/* Names are not looked up: the address of the connection is as good. */
static int
on_source(struct rtsp_transport *transport, struct rtsp_text value)
{
	char source[sizeof(transport->source)];
	struct in6_addr address;

	if (value.len > 2 && value.at[0] == '[' && value.at[value.len - 1] == ']')
		value = (struct rtsp_text){ value.at + 1, value.len - 2 };
	if (value.len >= sizeof(source))
		return 0;
	if (value.len > 0)
		memcpy(source, value.at, value.len);
	source[value.len] = '\0';
	if (inet_pton(AF_INET, source, &address) == 1 || inet_pton(AF_INET6, source, &address) == 1)
		memcpy(transport->source, source, value.len + 1);
	return 0;
}

static int
on_multicast(struct rtsp_transport *transport, struct rtsp_text value)
{
	(void)value;
	transport->is_multicast = true;
	return 0;
}

static const struct {
	const char *name;
	int (*on_value)(struct rtsp_transport *transport, struct rtsp_text value);
} params[] = {
	{ "interleaved", on_interleaved }, { "client_port", on_client_port },
	{ "server_port", on_server_port }, { "ssrc", on_ssrc },
	{ "source", on_source },           { "multicast", on_multicast },
};

static int
parse_param(struct rtsp_transport *transport, struct rtsp_text param)
{
	struct rtsp_text name, value;
	size_t i;

	rtsp_text_split(param, &name, &value);
	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (rtsp_text_is(&name, params[i].name))
			return params[i].on_value(transport, value);
	return 0;
}

static bool
begins_with(const struct rtsp_text *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text->len >= len && strncasecmp(text->at, prefix, len) == 0;
}

/* "RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP" */
static int
parse_protocol(const struct rtsp_text *word, struct rtsp_transport *transport)
{
	transport->is_tcp = rtsp_text_is(word, "RTP/AVP/TCP");
	if (transport->is_tcp || rtsp_text_is(word, "RTP/AVP") || rtsp_text_is(word, "RTP/AVP/UDP"))
		return 0;
	return -EPROTO;
}

/* Some cameras write a comma between parameters: only behind it stands no further transport. */
static int
parse_params(struct rtsp_text rest, struct rtsp_transport *transport)
{
	struct rtsp_text part, param;
	int err;

	while (rtsp_text_next(&rest, ',', &part)) {
		if (begins_with(&part, "RTP/"))
			return 0;
		while (rtsp_text_next(&part, ';', &param)) {
			err = parse_param(transport, param);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

int
rtsp_transport_parse(const struct rtsp_text *value, struct rtsp_transport *transport)
{
	struct rtsp_transport parsed = { 0 };
	struct rtsp_text rest = rtsp_text_trim(*value), word;
	size_t len;
	int err;

	for (len = 0; len < rest.len && rest.at[len] != ';' && rest.at[len] != ','; len++)
		;
	word = rtsp_text_trim((struct rtsp_text){ rest.at, len });
	rest = (struct rtsp_text){ rest.at + len, rest.len - len };
	err = parse_protocol(&word, &parsed);
	if (err == 0)
		err = parse_params(rest, &parsed);
	if (err < 0)
		return err;
	if (parsed.has_channels && parsed.server_port[0] == 0)
		parsed.is_tcp = true; /* says so by its channels, whatever the name */
	*transport = parsed;
	return 0;
}
