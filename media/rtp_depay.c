/*
 * What all depacketisers share: which codec is read by which file, and the unit in progress from
 * begin() to end().
 */
#include "config.h"

#include "media/rtp_depay_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct rtp_depay_codec *const codecs[] = {
	[RTP_CODEC_H264] = &rtp_depay_h264,  [RTP_CODEC_H265] = &rtp_depay_h265,
	[RTP_CODEC_JPEG] = &rtp_depay_jpeg,  [RTP_CODEC_AAC] = &rtp_depay_aac,
	[RTP_CODEC_PCMU] = &rtp_depay_plain, [RTP_CODEC_PCMA] = &rtp_depay_plain,
	[RTP_CODEC_G726] = &rtp_depay_plain, [RTP_CODEC_L16] = &rtp_depay_plain,
	[RTP_CODEC_OPUS] = &rtp_depay_plain,
};

static const struct rtp_depay_codec *
find_codec(enum rtp_codec codec)
{
	size_t i = (size_t)codec;

	return i < sizeof(codecs) / sizeof(codecs[0]) ? codecs[i] : NULL;
}

/* The description's bytes outlive the description. */
static int
copy_format(struct rtp_depay *depay, const struct rtp_format *format)
{
	depay->format = *format;
	depay->format.config = NULL;
	depay->format.config_len = 0;
	if (format->config == NULL || format->config_len == 0)
		return 0;
	depay->format.config = malloc(format->config_len);
	if (depay->format.config == NULL)
		return -ENOMEM;
	memcpy(depay->format.config, format->config, format->config_len);
	depay->format.config_len = format->config_len;
	return 0;
}

static int
init_codec(struct rtp_depay *depay)
{
	depay->state = calloc(1, depay->codec->state_bytes > 0 ? depay->codec->state_bytes : 1);
	if (depay->state == NULL)
		return -ENOMEM;
	return depay->codec->init != NULL ? depay->codec->init(depay, depay->state) : 0;
}

struct rtp_depay *
rtp_depay_new(const struct rtp_format *format, const struct rtp_depay_ops *ops, void *arg)
{
	const struct rtp_depay_codec *codec = find_codec(format->codec);
	struct rtp_depay *depay = codec != NULL ? calloc(1, sizeof(*depay)) : NULL;

	if (depay == NULL)
		return NULL;
	depay->ops = *ops;
	depay->arg = arg;
	depay->codec = codec;
	if (copy_format(depay, format) != 0 || init_codec(depay) != 0)
		rtp_depay_free(&depay);
	return depay;
}

void
rtp_depay_free(struct rtp_depay **depay)
{
	struct rtp_depay *it = *depay;

	if (it == NULL)
		return;
	if (it->state != NULL && it->codec->clear != NULL)
		it->codec->clear(it, it->state);
	free(it->state);
	free(it->format.config);
	free(it);
	*depay = NULL;
}

void
rtp_depay_push(struct rtp_depay *depay, const struct rtp_packet *packet, uint32_t lost,
	       int64_t arrived_ns)
{
	if (lost > 0)
		depay->has_loss = true;
	depay->codec->push(depay, depay->state, packet, lost, arrived_ns);
}

void
rtp_depay_flush(struct rtp_depay *depay)
{
	if (depay->codec->flush != NULL)
		depay->codec->flush(depay, depay->state);
	if (depay->out != NULL)
		rtp_depay_drop(depay);
}

const struct rtp_depay_stats *
rtp_depay_stats(const struct rtp_depay *depay)
{
	return &depay->stats;
}

struct byte_writer *
rtp_depay_begin(struct rtp_depay *depay, uint32_t timestamp)
{
	if (depay->out != NULL)
		return depay->out;
	if (depay->spare == NULL)
		depay->spare = depay->ops.begin(depay->arg);
	if (depay->spare == NULL) {
		depay->has_loss = true;
		return NULL;
	}
	depay->out = depay->spare;
	depay->unit = (struct rtp_unit){
		.timestamp = timestamp,
		.is_after_loss = depay->has_loss,
	};
	return depay->out;
}

void
rtp_depay_drop(struct rtp_depay *depay)
{
	if (depay->out != NULL)
		byte_writer_truncate(depay->out, 0);
	depay->out = NULL;
	depay->has_loss = true;
}

void
rtp_depay_end(struct rtp_depay *depay, int64_t arrived_ns)
{
	if (depay->out == NULL)
		return;
	if (depay->out->err != 0 || depay->out->len == 0) {
		if (depay->out->err == -EMSGSIZE)
			depay->stats.too_large++;
		rtp_depay_drop(depay);
		return;
	}
	depay->unit.arrived_ns = arrived_ns;
	depay->stats.units++;
	if (depay->unit.is_damaged)
		depay->stats.damaged++;
	depay->out = NULL;
	depay->spare = NULL;
	depay->has_loss = false;
	depay->ops.end(depay->arg, &depay->unit);
}
