/*
 * What a decoder must know of sound, as it came on the bus.
 */
#include "config.h"

#include "http/hub_audio_int.h"

#include "media/bytes.h"
#include "shared/xalloc.h"

#include <string.h>

static bool
audio_codec_of(enum frame_codec codec, enum audio_codec *audio)
{
	static const struct {
		enum frame_codec codec;
		enum audio_codec audio;
	} codecs[] = {
		{ FRAME_CODEC_AAC, AUDIO_AAC },   { FRAME_CODEC_OPUS, AUDIO_OPUS },
		{ FRAME_CODEC_PCMA, AUDIO_PCMA }, { FRAME_CODEC_PCMU, AUDIO_PCMU },
		{ FRAME_CODEC_G726, AUDIO_G726 }, { FRAME_CODEC_L16, AUDIO_L16 },
	};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (codecs[i].codec == codec) {
			*audio = codecs[i].audio;
			return true;
		}
	return false;
}

static bool
can_be_written(const struct audio_format *format, const struct bus_msg *msg)
{
	uint8_t room[FLAC_STREAMINFO_BYTES];
	struct byte_writer init;
	struct fmp4_track track;
	int rc;

	byte_writer_init(&init, FMP4_INIT_BYTES_MAX);
	audio_track(format, HUB_AUDIO_TRACK, msg->payload, msg->frame.payload_len, room, &track);
	rc = fmp4_init_segment(&track, 1, &init);
	byte_writer_free(&init);
	return rc == 0;
}

struct hub_audio_config *
hub_audio_config_new(struct bus_msg *msg)
{
	struct hub_audio_config *config;
	struct audio_format format;
	enum audio_codec codec;

	if (!audio_codec_of(msg->frame.codec, &codec) ||
	    audio_parse_config(codec, msg->payload, msg->frame.payload_len, &format) < 0 ||
	    !can_be_written(&format, msg))
		return NULL;
	config = xcalloc(1, sizeof(*config));
	config->refs = 1;
	config->msg = bus_msg_ref(msg);
	config->format = format;
	return config;
}

bool
hub_audio_config_is(const struct hub_audio_config *config, const struct bus_msg *msg)
{
	return config != NULL && config->msg->frame.codec == msg->frame.codec &&
	       config->msg->frame.payload_len == msg->frame.payload_len &&
	       memcmp(config->msg->payload, msg->payload, msg->frame.payload_len) == 0;
}

struct hub_audio_config *
hub_audio_config_ref(struct hub_audio_config *config)
{
	config->refs++;
	return config;
}

void
hub_audio_config_unref(struct hub_audio_config **config)
{
	struct hub_audio_config *old = *config;

	*config = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	bus_msg_unref(&old->msg);
	free(old);
}
