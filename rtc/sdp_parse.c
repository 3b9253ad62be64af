/*
 * An offer line by line: what belongs to the session or to a medium as a whole. Formats are read in
 * sdp_format.c. Several media may say the same of the transport; the first one counts, because all
 * that we use are bundled.
 */
#include "config.h"

#include "rtc/sdp_int.h"

#include <errno.h>
#include <string.h>

#define UFRAG_MIN    4u
#define PASSWORD_MIN 22u
#define URI_PLAYOUT  "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
#define URI_TWCC     "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

int
rtc_sdp_fail(struct rtc_sdp_reading *reading, int err, const char *why)
{
	reading->why = why;
	return err;
}

static bool
is_ice_text(struct rtc_text text, size_t least)
{
	if (text.len < least || text.len >= RTC_SDP_UFRAG_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '+' || c == '/' || c == '-' || c == '_' || c == '='))
			return false;
	}
	return true;
}

static int
on_ufrag(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	if (!is_ice_text(value, UFRAG_MIN))
		return rtc_sdp_fail(reading, -EPROTO, "a=ice-ufrag is not one");
	if (reading->offer->ufrag[0] == '\0')
		(void)rtc_text_copy(value, reading->offer->ufrag, sizeof(reading->offer->ufrag));
	return 0;
}

static int
on_password(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	if (!is_ice_text(value, PASSWORD_MIN))
		return rtc_sdp_fail(reading, -EPROTO, "a=ice-pwd is not one");
	if (reading->offer->password[0] == '\0')
		(void)rtc_text_copy(value, reading->offer->password,
				    sizeof(reading->offer->password));
	return 0;
}

static int
on_ice_lite(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	reading->is_lite = true;
	return 0;
}

/* SHA-1 and older are not believed: then there is no fingerprint. */
static size_t
hash_bytes(struct rtc_text name)
{
	if (rtc_text_is_nocase(name, "sha-256"))
		return 32;
	if (rtc_text_is_nocase(name, "sha-384"))
		return 48;
	return rtc_text_is_nocase(name, "sha-512") ? 64 : 0;
}

/* RFC 8122 5: hash SP 2HEX *(":" 2HEX). The first that we believe is taken. */
static int
on_fingerprint(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_sdp_offer *offer = reading->offer;
	struct rtc_text name = rtc_text_take(&value, ' ');
	size_t bytes = hash_bytes(name);

	if (bytes == 0 || offer->fingerprint_len > 0)
		return 0;
	for (size_t i = 0; i < bytes; i++) {
		if (!rtc_text_hex(rtc_text_take(&value, ':'), &offer->fingerprint[i], 1))
			return rtc_sdp_fail(reading, -EPROTO, "a=fingerprint is not one");
	}
	if (value.len > 0)
		return rtc_sdp_fail(reading, -EPROTO, "a=fingerprint is too long");
	(void)rtc_text_copy(name, offer->hash, sizeof(offer->hash));
	for (char *c = offer->hash; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	offer->fingerprint_len = bytes;
	return 0;
}

static int
on_setup(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	if (rtc_text_is(value, "actpass") || rtc_text_is(value, "active"))
		return 0;
	return rtc_sdp_fail(reading, -ENOTSUP,
			    "a=setup must be actpass or active: this side waits");
}

static int
on_group(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_text semantics = rtc_text_take(&value, ' ');

	if (reading->media == NULL && rtc_text_is(semantics, "BUNDLE") && !reading->has_bundle) {
		reading->bundle = value;
		reading->has_bundle = true;
	}
	return 0;
}

/* token of RFC 8866 9. */
static bool
is_token(struct rtc_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]", c) != NULL)
			return false;
	}
	return text.len > 0;
}

static int
on_mid(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_sdp_offer *offer = reading->offer;

	if (reading->media == NULL)
		return 0;
	if (!is_token(value) || value.len >= sizeof(reading->media->mid))
		return rtc_sdp_fail(reading, -EPROTO, "a=mid is not a short token");
	for (unsigned i = 0; i < offer->n_media; i++) {
		if (rtc_text_is(value, offer->media[i].mid))
			return rtc_sdp_fail(reading, -EPROTO, "two media have the same a=mid");
	}
	(void)rtc_text_copy(value, reading->media->mid, sizeof(reading->media->mid));
	return 0;
}

static int
set_can_receive(struct rtc_sdp_reading *reading, bool can)
{
	if (reading->media != NULL)
		reading->media->can_receive = can;
	else
		reading->session_can_receive = can;
	return 0;
}

static int
on_receives(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	return set_can_receive(reading, true);
}

static int
on_receives_not(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	return set_can_receive(reading, false);
}

static int
on_rtcp_mux(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	if (reading->media != NULL)
		reading->media->has_rtcp_mux = true;
	return 0;
}

static int
on_rtcp_rsize(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	if (reading->media != NULL)
		reading->media->has_rtcp_rsize = true;
	return 0;
}

static int
on_bundle_only(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	if (reading->media != NULL)
		reading->media->is_refused = false;
	return 0;
}

/* RFC 8285 8: id[/direction] URI. Ids above 14 need the two-byte form, which we do not write. */
static int
on_extmap(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	struct rtc_text whole = rtc_text_take(&value, ' '), uri = rtc_text_take(&value, ' ');
	struct rtc_text number = rtc_text_take(&whole, '/');
	uint32_t id;

	if (reading->media == NULL || !rtc_text_number(number, 14, &id) || id == 0 ||
	    rtc_text_is(whole, "sendonly") || rtc_text_is(whole, "inactive"))
		return 0;
	if (rtc_text_is(uri, URI_PLAYOUT))
		reading->media->playout_delay_id = (uint8_t)id;
	else if (rtc_text_is(uri, URI_TWCC))
		reading->media->twcc_id = (uint8_t)id;
	return 0;
}

static int
on_extmap_mixed(struct rtc_sdp_reading *reading, struct rtc_text value)
{
	(void)value;
	if (reading->media != NULL)
		reading->media->has_extmap_mixed = true;
	else
		reading->offer->is_extmap_mixed = true;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct rtc_sdp_reading *reading, struct rtc_text value);
} attributes[] = {
	{ "bundle-only", on_bundle_only },
	{ "extmap", on_extmap },
	{ "extmap-allow-mixed", on_extmap_mixed },
	{ "fingerprint", on_fingerprint },
	{ "fmtp", rtc_sdp_fmtp },
	{ "group", on_group },
	{ "ice-lite", on_ice_lite },
	{ "ice-pwd", on_password },
	{ "ice-ufrag", on_ufrag },
	{ "inactive", on_receives_not },
	{ "mid", on_mid },
	{ "recvonly", on_receives },
	{ "rtcp-fb", rtc_sdp_rtcp_fb },
	{ "rtcp-mux", on_rtcp_mux },
	{ "rtcp-rsize", on_rtcp_rsize },
	{ "rtpmap", rtc_sdp_rtpmap },
	{ "sendonly", on_receives_not },
	{ "sendrecv", on_receives },
	{ "setup", on_setup },
};

int
rtc_sdp_attribute(struct rtc_sdp_reading *reading, struct rtc_text line)
{
	struct rtc_text name = rtc_text_take(&line, ':');

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (rtc_text_is(name, attributes[i].name))
			return attributes[i].read(reading, line);
	}
	return 0;
}

/* Lines end with CR LF, or LF alone; what is not ASCII or a control has no business in what we
 * read. */
static int
take_line(struct rtc_text *rest, struct rtc_text *line)
{
	*line = rtc_text_take(rest, '\n');
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	for (size_t i = 0; i < line->len; i++) {
		if ((unsigned char)line->at[i] < ' ' || line->at[i] == 0x7f)
			return -EPROTO;
	}
	return 0;
}

static int
read_line(struct rtc_sdp_reading *reading, struct rtc_text line)
{
	struct rtc_text type = rtc_text_take(&line, '=');

	if (type.len != 1)
		return rtc_sdp_fail(reading, -EPROTO,
				    "a line of the offer is not of the form x=...");
	if (type.at[0] == 'a')
		return rtc_sdp_attribute(reading, line);
	if (type.at[0] != 'm')
		return 0;
	rtc_sdp_media_end(reading);
	return rtc_sdp_media_begin(reading, line);
}

static int
read_lines(struct rtc_sdp_reading *reading, struct rtc_text rest)
{
	bool is_first = true;
	struct rtc_text line;
	int err = 0;

	while (err == 0 && rest.len > 0) {
		if (take_line(&rest, &line) < 0)
			return rtc_sdp_fail(reading, -EPROTO, "the offer has control characters");
		if (is_first && !rtc_text_is(line, "v=0"))
			return rtc_sdp_fail(reading, -EPROTO, "the offer does not begin with v=0");
		is_first = false;
		if (line.len > 0)
			err = read_line(reading, line);
	}
	rtc_sdp_media_end(reading);
	return err;
}

static void
mark_bundled(struct rtc_sdp_reading *reading)
{
	struct rtc_sdp_offer *offer = reading->offer;
	struct rtc_text mids = reading->bundle;

	offer->tagged = -1;
	while (mids.len > 0) {
		struct rtc_text mid = rtc_text_take(&mids, ' ');

		for (unsigned i = 0; i < offer->n_media; i++) {
			if (mid.len == 0 || !rtc_text_is(mid, offer->media[i].mid))
				continue;
			offer->media[i].is_bundled = true;
			if (offer->tagged < 0)
				offer->tagged = (int)i;
		}
	}
}

static int
check_whole(struct rtc_sdp_reading *reading)
{
	const struct rtc_sdp_offer *offer = reading->offer;

	if (offer->n_media == 0)
		return rtc_sdp_fail(reading, -EPROTO, "the offer has no m= line");
	if (reading->is_lite)
		return rtc_sdp_fail(reading, -ENOTSUP,
				    "both sides are ice-lite: nobody would begin");
	if (offer->ufrag[0] == '\0' || offer->password[0] == '\0')
		return rtc_sdp_fail(reading, -ENOTSUP,
				    "the offer has no a=ice-ufrag and a=ice-pwd");
	if (offer->fingerprint_len == 0)
		return rtc_sdp_fail(reading, -ENOTSUP,
				    "the offer has no a=fingerprint of SHA-256 or better");
	return 0;
}

int
rtc_sdp_parse(const char *text, size_t len, struct rtc_sdp_offer *offer, const char **why)
{
	struct rtc_sdp_reading reading = { .offer = offer, .session_can_receive = true };
	int err;

	memset(offer, 0, sizeof(*offer));
	if (len > RTC_SDP_OFFER_MAX)
		err = rtc_sdp_fail(&reading, -EMSGSIZE, "the offer is too long");
	else
		err = read_lines(&reading, (struct rtc_text){ text, len });
	if (err == 0)
		err = check_whole(&reading);
	if (err < 0) {
		*why = reading.why;
		return err;
	}
	mark_bundled(&reading);
	return 0;
}
