/*
 * A session description: what is read of it is within its bounds, and a depacketiser can be made
 * of each format.
 */
#include "config.h"

#include "media/nal.h"
#include "media/rtp_depay.h"
#include "media/sdp.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static void
check_text(const char *text, size_t size)
{
	size_t i, len = strnlen(text, size);

	FUZZ_CHECK(len < size);
	for (i = 0; i < len; i++)
		FUZZ_CHECK(text[i] >= ' ' && text[i] <= '~');
}

static void
check_control(const char *control)
{
	size_t i, len = strnlen(control, SDP_CONTROL_MAX);

	FUZZ_CHECK(len < SDP_CONTROL_MAX);
	for (i = 0; i < len; i++)
		FUZZ_CHECK((uint8_t)control[i] >= ' ' && control[i] != 0x7f);
}

static void
check_format(const struct rtp_format *format)
{
	static const struct rtp_depay_ops ops = { 0 };
	struct rtp_depay *depay = rtp_depay_new(format, &ops, NULL);

	FUZZ_CHECK(depay != NULL);
	rtp_depay_free(&depay);
	FUZZ_CHECK(format->clock_rate >= 1 && format->clock_rate <= 1000000);
	FUZZ_CHECK(format->payload_type <= 127);
	FUZZ_CHECK(format->config_len <= RTP_CONFIG_MAX);
	FUZZ_CHECK((format->config == NULL) == (format->config_len == 0));
	FUZZ_CHECK(rtp_codec_is_video(format->codec) == (format->channels == 0));
	if (format->codec == RTP_CODEC_H264 || format->codec == RTP_CODEC_H265)
		FUZZ_CHECK(format->config_len == 0 ||
			   (format->config_len > 5 && memcmp(format->config, "\0\0\0\1", 4) == 0));
	if (format->codec == RTP_CODEC_AAC)
		FUZZ_CHECK(format->config_len >= 2 && format->size_length <= 32 &&
			   format->index_length <= 32 && format->index_delta_length <= 32);
}

static void
check_media(const struct sdp_media *media)
{
	check_control(media->control);
	check_text(media->encoding, sizeof(media->encoding));
	check_text(media->why, sizeof(media->why));
	FUZZ_CHECK((media->format.codec == RTP_CODEC_NONE) == (media->why[0] != 0));
	FUZZ_CHECK(media->framerate >= 0 && media->framerate <= 1000);
	FUZZ_CHECK((media->width == 0) == (media->height == 0));
	if (media->format.codec != RTP_CODEC_NONE)
		check_format(&media->format);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[SDP_ERROR_MAX] = "";
	struct sdp *sdp = NULL;
	int result = sdp_parse((const char *)data, size, &sdp, err);
	int i;

	if (result != 0) {
		FUZZ_CHECK(result == -EPROTO || result == -EMSGSIZE);
		FUZZ_CHECK(sdp == NULL);
		check_text(err, sizeof(err));
		return 0;
	}
	check_control(sdp->control);
	FUZZ_CHECK(sdp->n_media >= 1 && sdp->n_media <= SDP_MAX_MEDIA);
	for (i = 0; i < (int)sdp->n_media; i++)
		check_media(&sdp->media[i]);
	for (i = SDP_VIDEO; i <= SDP_OTHER; i++)
		FUZZ_CHECK(sdp_find(sdp, (enum sdp_kind)i) < (int)sdp->n_media);
	sdp_free(&sdp);
	return 0;
}
