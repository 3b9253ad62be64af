/*
 * Offers for the tests of rtc/sdp.h.
 */
#include "config.h"

#include "tests/rtc_sdp_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
rig_load(const char *name, size_t *len)
{
	char path[512], *text = malloc(RTC_SDP_OFFER_MAX + 1);
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", RTC_DATA_DIR, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL && text != NULL, "%s is not there", path);
	*len = fread(text, 1, RTC_SDP_OFFER_MAX, file);
	text[*len] = '\0';
	(void)fclose(file);
	return text;
}

struct rtc_sdp_offer *
offer_of_lines(const char *text)
{
	struct rtc_sdp_offer *offer = malloc(sizeof(*offer));
	uint8_t *copy = data_copy((const uint8_t *)text, strlen(text));
	const char *why = "";
	int err = rtc_sdp_parse((const char *)copy, strlen(text), offer, &why);

	free(copy);
	ck_assert_msg(err == 0, "%s", why);
	return offer;
}

struct rtc_sdp_offer *
offer_of_file(const char *name)
{
	size_t len;
	char *text = rig_load(name, &len);
	struct rtc_sdp_offer *offer = offer_of_lines(text);

	free(text);
	return offer;
}

const struct rtc_sdp_codec *
offer_codec(const struct rtc_sdp_media *media, unsigned payload_type)
{
	for (unsigned i = 0; i < media->n_codecs; i++) {
		if (media->codecs[i].payload_type == payload_type)
			return &media->codecs[i];
	}
	ck_abort_msg("payload type %u is not there", payload_type);
	return NULL;
}
