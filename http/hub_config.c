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

/* The decoder configuration record, and the init segment that has it inside. */
static int
write_init(struct hub_config *config, const struct codec_video_info *info, struct byte_writer *out)
{
	const struct bus_msg *msg = config->msg;
	struct byte_writer extradata;
	struct fmp4_track track = {
		.id = 1,
		.codec = config->nal == NAL_H264 ? FMP4_H264 : FMP4_H265,
		.timescale = FMP4_VIDEO_TIMESCALE,
		.width = (uint16_t)info->width,
		.height = (uint16_t)info->height,
		.sar_num = info->sar_num,
		.sar_den = info->sar_den,
	};
	int rc;

	byte_writer_init(&extradata, FMP4_INIT_BYTES_MAX);
	rc = codec_write_extradata(config->nal, msg->payload, msg->frame.payload_len, &extradata);
	track.config = extradata.data;
	track.config_len = extradata.len;
	if (rc == 0)
		rc = fmp4_init_segment(&track, 1, out);
	if (rc == 0)
		config->record_base64 = base64_of(&extradata);
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
		rc = write_init(made, &info, &init);
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
	free(old);
}
