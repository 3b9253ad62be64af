/*
 * From parameter sets on the bus to an init segment.
 */
#include "config.h"

#include "http/hub_config.h"

#include "media/bytes.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static char *
base64_of(const struct byte_writer *bytes)
{
	char *text = xcalloc((bytes->len + 2) / 3 * 4 + 1, 1);

	EVP_EncodeBlock((unsigned char *)text, bytes->data, (int)bytes->len);
	return text;
}

static struct fmp4_track
picture_track(const struct hub_config *config, const struct codec_video_info *info)
{
	return (struct fmp4_track){
		.id = 1,
		.codec = config->nal == NAL_H264 ? FMP4_H264 : FMP4_H265,
		.timescale = FMP4_VIDEO_TIMESCALE,
		.width = (uint16_t)info->width,
		.height = (uint16_t)info->height,
		.sar_num = info->sar_num,
		.sar_den = info->sar_den,
	};
}

/* sound: NULL for none. record: where the decoder configuration record goes, or NULL. */
static int
write_init(const struct hub_config *config, const struct codec_video_info *info,
	   const struct hub_audio_config *sound, char **record, struct byte_writer *out)
{
	struct fmp4_track tracks[2] = { picture_track(config, info) };
	const struct bus_msg *msg = config->msg;
	uint8_t room[FLAC_STREAMINFO_BYTES];
	struct byte_writer extradata;
	int rc;

	byte_writer_init(&extradata, FMP4_INIT_BYTES_MAX);
	rc = codec_write_extradata(config->nal, msg->payload, msg->frame.payload_len, &extradata);
	tracks[0].config = extradata.data;
	tracks[0].config_len = extradata.len;
	if (sound != NULL)
		audio_track(&sound->format, HUB_AUDIO_TRACK, sound->msg->payload,
			    sound->msg->frame.payload_len, room, &tracks[1]);
	if (rc == 0)
		rc = fmp4_init_segment(tracks, sound != NULL ? 2 : 1, out);
	if (rc == 0 && record != NULL)
		*record = base64_of(&extradata);
	byte_writer_free(&extradata);
	return rc;
}

int
hub_config_new(struct bus_msg *msg, struct hub_config **config)
{
	struct hub_config *made;
	struct codec_video_info info;
	struct byte_writer init;
	int rc;

	if (msg->frame.codec != FRAME_CODEC_H264 && msg->frame.codec != FRAME_CODEC_H265)
		return -EPROTO;
	made = xcalloc(1, sizeof(*made));
	made->refs = 1;
	made->msg = bus_msg_ref(msg);
	made->nal = msg->frame.codec == FRAME_CODEC_H264 ? NAL_H264 : NAL_H265;
	byte_writer_init(&init, FMP4_INIT_BYTES_MAX);
	rc = codec_video_describe(made->nal, msg->payload, msg->frame.payload_len, &info);
	if (rc == 0 && (info.width > UINT16_MAX || info.height > UINT16_MAX))
		rc = -EPROTO;
	if (rc == 0)
		rc = write_init(made, &info, NULL, &made->record_base64, &init);
	if (rc == 0) {
		memcpy(made->codec, info.codec, sizeof(made->codec));
		made->width = (uint16_t)info.width;
		made->height = (uint16_t)info.height;
		made->init = wire_from_bytes(init.data, init.len);
		made->init_base64 = base64_of(&init);
		*config = made;
	} else {
		hub_config_unref(&made);
	}
	byte_writer_free(&init);
	return rc;
}

static void
make_sound_init(struct hub_config *config, struct hub_audio_config *sound)
{
	const struct bus_msg *msg = config->msg;
	struct codec_video_info info;
	struct byte_writer init;

	/* Each was written before, alone, within that bound: both fit into twice as much. */
	byte_writer_init(&init, 2 * (size_t)FMP4_INIT_BYTES_MAX);
	if (codec_video_describe(config->nal, msg->payload, msg->frame.payload_len, &info) < 0 ||
	    write_init(config, &info, sound, NULL, &init) < 0)
		xalloc_die();
	config->sound = hub_audio_config_ref(sound);
	config->sound_init = wire_from_bytes(init.data, init.len);
	config->sound_init_base64 = base64_of(&init);
	byte_writer_free(&init);
}

static void
forget_sound(struct hub_config *config)
{
	hub_audio_config_unref(&config->sound);
	wire_unref(&config->sound_init);
	free(config->sound_init_base64);
	config->sound_init_base64 = NULL;
}

struct wire *
hub_config_init(struct hub_config *config, struct hub_audio_config *sound)
{
	if (sound == NULL)
		return config->init;
	if (config->sound != sound) {
		forget_sound(config);
		make_sound_init(config, sound);
	}
	return config->sound_init;
}

const char *
hub_config_init_base64(struct hub_config *config, struct hub_audio_config *sound)
{
	(void)hub_config_init(config, sound);
	return sound != NULL ? config->sound_init_base64 : config->init_base64;
}

bool
hub_config_is(const struct hub_config *config, const struct bus_msg *msg)
{
	const struct frame *a, *b = &msg->frame;

	if (config == NULL)
		return false;
	a = &config->msg->frame;
	return a->epoch == b->epoch && a->config_version == b->config_version &&
	       a->codec == b->codec && a->payload_len == b->payload_len &&
	       memcmp(config->msg->payload, msg->payload, b->payload_len) == 0;
}

bool
hub_config_is_same_decoder(const struct hub_config *a, const struct hub_config *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->init->len == b->init->len &&
	       memcmp(a->init->piece[0].iov_base, b->init->piece[0].iov_base, a->init->len) == 0;
}

struct hub_config *
hub_config_ref(struct hub_config *config)
{
	config->refs++;
	return config;
}

void
hub_config_unref(struct hub_config **config)
{
	struct hub_config *old = *config;

	*config = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	bus_msg_unref(&old->msg);
	wire_unref(&old->init);
	free(old->init_base64);
	free(old->record_base64);
	forget_sound(old);
	free(old);
}
