/*
 * Cutting access units into RTP payloads. NAL units wait in a small list while they fit together
 * into one aggregation packet; what does not fit into any payload goes out in fragments.
 */
#include "config.h"

#include "media/rtp_pack.h"

#include "media/codec.h"
#include "media/h264.h"
#include "media/h265.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define H264_STAP_A        24u
#define H264_FU_A          28u
#define H265_AP            48u
#define H265_FU            49u
#define FU_START           0x80u
#define FU_END             0x40u
#define PAYLOAD_MAX        65000u
#define TOGETHER_MAX       16u
#define G711_PAYLOAD_BYTES 160u /* 20 ms */

/* What the two codecs differ in. */
struct form {
	size_t nal_header;      /* bytes */
	size_t fragment_header; /* of a fragment: in place of the NAL header */
	size_t together_header; /* of an aggregation packet */
};

static const struct form forms[] = {
	[NAL_H264] = { 1, 2, 1 },
	[NAL_H265] = { 2, 3, 2 },
};

struct packer {
	enum nal_codec codec;
	const struct form *form;
	size_t max_payload;
	struct rtp_packed *out;
	struct nal_unit together[TOGETHER_MAX];
	size_t n_together, together_bytes; /* what it would be as an aggregation packet */
};

void
rtp_packed_clear(struct rtp_packed *packed)
{
	if (packed == NULL)
		return;
	free(packed->data);
	free(packed->payloads);
	*packed = (struct rtp_packed){ 0 };
}

static int
make_room(struct rtp_packed *out, size_t bytes)
{
	if (out->cap - out->len < bytes) {
		size_t cap = out->cap * 2 > out->len + bytes ? out->cap * 2 : out->len + bytes;
		uint8_t *data = realloc(out->data, cap);

		if (data == NULL)
			return -ENOMEM;
		out->data = data;
		out->cap = cap;
	}
	if (out->count == out->room) {
		size_t room = out->room > 0 ? out->room * 2 : 16;
		struct rtp_payload *payloads = realloc(out->payloads, room * sizeof(*payloads));

		if (payloads == NULL)
			return -ENOMEM;
		out->payloads = payloads;
		out->room = room;
	}
	return 0;
}

/* A payload of len bytes that the caller fills in at *at. */
static int
add_payload(struct rtp_packed *out, size_t len, uint8_t **at)
{
	int err;

	if (out->count == RTP_PACK_PAYLOADS_MAX || out->len + len > UINT32_MAX)
		return -EMSGSIZE;
	err = make_room(out, len);
	if (err < 0)
		return err;
	out->payloads[out->count++] =
	    (struct rtp_payload){ .offset = (uint32_t)out->len, .len = (uint16_t)len };
	*at = out->data + out->len;
	out->len += len;
	return 0;
}

static int
add_single(struct packer *packer, const struct nal_unit *nal)
{
	uint8_t *at;
	int err = add_payload(packer->out, nal->len, &at);

	if (err == 0)
		memcpy(at, nal->data, nal->len);
	return err;
}

/* RFC 6184 5.8 FU-A, RFC 7798 4.4.3. */
static void
write_fragment_header(enum nal_codec codec, const uint8_t *nal, unsigned flags, uint8_t *at)
{
	if (codec == NAL_H264) {
		at[0] = (uint8_t)((nal[0] & 0xe0u) | H264_FU_A);
		at[1] = (uint8_t)(flags | (nal[0] & 0x1fu));
	} else {
		at[0] = (uint8_t)((nal[0] & 0x81u) | H265_FU << 1);
		at[1] = nal[1];
		at[2] = (uint8_t)(flags | (nal[0] >> 1 & 0x3fu));
	}
}

static int
add_fragments(struct packer *packer, const struct nal_unit *nal)
{
	size_t header = packer->form->fragment_header, room = packer->max_payload - header;
	size_t done = packer->form->nal_header;
	unsigned flags = FU_START;

	while (done < nal->len) {
		size_t left = nal->len - done, part = left < room ? left : room;
		uint8_t *at;
		int err = add_payload(packer->out, header + part, &at);

		if (err < 0)
			return err;
		write_fragment_header(packer->codec, nal->data, flags | (part == left ? FU_END : 0),
				      at);
		memcpy(at + header, nal->data + done, part);
		done += part;
		flags = 0;
	}
	return 0;
}

/* RFC 6184 5.7.1: the highest of their priorities. */
static void
write_stap_header(const struct packer *packer, uint8_t *at)
{
	unsigned bits = 0, priority = 0;

	for (size_t i = 0; i < packer->n_together; i++) {
		unsigned first = packer->together[i].data[0];

		bits |= first & 0x80u;
		priority = (first & 0x60u) > priority ? first & 0x60u : priority;
	}
	at[0] = (uint8_t)(bits | priority | H264_STAP_A);
}

/* RFC 7798 4.4.2: the lowest of their layers and sub-layers. */
static void
write_ap_header(const struct packer *packer, uint8_t *at)
{
	unsigned bits = 0, layer = 0x3f, temporal = 7;

	for (size_t i = 0; i < packer->n_together; i++) {
		const uint8_t *nal = packer->together[i].data;
		unsigned its_layer = (nal[0] & 1u) << 5 | nal[1] >> 3, its_temporal = nal[1] & 7u;

		bits |= nal[0] & 0x80u;
		layer = its_layer < layer ? its_layer : layer;
		temporal = its_temporal < temporal ? its_temporal : temporal;
	}
	at[0] = (uint8_t)(bits | H265_AP << 1 | layer >> 5);
	at[1] = (uint8_t)((layer & 0x1fu) << 3 | temporal);
}

static int
add_together(struct packer *packer)
{
	uint8_t *at;
	int err = add_payload(packer->out, packer->together_bytes, &at);

	if (err < 0)
		return err;
	if (packer->codec == NAL_H264)
		write_stap_header(packer, at);
	else
		write_ap_header(packer, at);
	at += packer->form->together_header;
	for (size_t i = 0; i < packer->n_together; i++) {
		const struct nal_unit *nal = &packer->together[i];

		at[0] = (uint8_t)(nal->len >> 8);
		at[1] = (uint8_t)nal->len;
		memcpy(at + 2, nal->data, nal->len);
		at += 2 + nal->len;
	}
	return 0;
}

/* What waits goes out. */
static int
flush(struct packer *packer)
{
	int err = 0;

	if (packer->n_together == 1)
		err = add_single(packer, &packer->together[0]);
	else if (packer->n_together > 1)
		err = add_together(packer);
	packer->n_together = 0;
	packer->together_bytes = packer->form->together_header;
	return err;
}

static int
pack_nal(struct packer *packer, const struct nal_unit *nal)
{
	int err;

	if (nal->len <= packer->form->nal_header)
		return 0; /* a header alone: nothing to decode */
	if (packer->n_together == TOGETHER_MAX ||
	    packer->together_bytes + 2 + nal->len > packer->max_payload) {
		err = flush(packer);
		if (err < 0)
			return err;
	}
	if (nal->len > packer->max_payload)
		return add_fragments(packer, nal);
	/* It may fill a payload alone: then it is the last that waits. */
	packer->together[packer->n_together++] = *nal;
	packer->together_bytes += 2 + nal->len;
	return 0;
}

/* Delimiters, filler and ends say nothing here that the marker does not; a session that goes on
 * must not hear that it ended. */
static bool
is_left_out(enum nal_codec codec, unsigned type)
{
	if (nal_is_parameter_set(codec, type))
		return false;
	if (codec == NAL_H264)
		return type == 0 || (type >= H264_NAL_AUD && type <= H264_NAL_FILLER) || type >= 24;
	return (type >= H265_NAL_AUD && type <= H265_NAL_FILLER) || type >= 48;
}

static int
pack_units(struct packer *packer, const uint8_t *annexb, size_t len, bool parameter_sets_only)
{
	struct nal_iter iter;
	struct nal_unit nal;
	int err = 0;

	nal_iter_annexb(&iter, annexb, len);
	while (err == 0 && nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(packer->codec, &nal);

		if (parameter_sets_only ? !nal_is_parameter_set(packer->codec, type)
					: is_left_out(packer->codec, type))
			continue;
		err = pack_nal(packer, &nal);
	}
	return err;
}

static bool
has_parameter_sets(enum nal_codec codec, const uint8_t *annexb, size_t len)
{
	struct codec_unit unit;

	codec_classify(codec, annexb, len, NULL, &unit);
	return unit.has_parameter_sets;
}

/* What was packed is what is there; the last payload ends it. */
static int
finish(struct rtp_packed *packed, int err, bool marker)
{
	if (err == 0 && packed->count == 0)
		err = -ENODATA;
	if (err < 0) {
		packed->count = packed->len = 0;
		return err;
	}
	packed->payloads[packed->count - 1].marker = marker;
	return 0;
}

int
rtp_pack_video(enum nal_codec codec, const uint8_t *annexb, size_t len, bool is_key,
	       const uint8_t *config, size_t config_len, size_t max_payload,
	       struct rtp_packed *packed)
{
	struct packer packer = {
		.codec = codec, .form = &forms[codec], .max_payload = max_payload, .out = packed
	};
	int err = 0;

	packed->count = packed->len = 0;
	if (max_payload < RTP_PACK_PAYLOAD_MIN || max_payload > PAYLOAD_MAX)
		return -EMSGSIZE;
	packer.together_bytes = packer.form->together_header;
	if (is_key && config != NULL && !has_parameter_sets(codec, annexb, len))
		err = pack_units(&packer, config, config_len, true);
	if (err == 0)
		err = pack_units(&packer, annexb, len, false);
	if (err == 0)
		err = flush(&packer);
	return finish(packed, err, true);
}

int
rtp_pack_audio(enum rtp_codec codec, const uint8_t *frame, size_t len, size_t max_payload,
	       struct rtp_packed *packed)
{
	size_t most = codec == RTP_CODEC_OPUS ? max_payload : G711_PAYLOAD_BYTES;
	int err = 0;

	packed->count = packed->len = 0;
	if (codec != RTP_CODEC_OPUS && codec != RTP_CODEC_PCMU && codec != RTP_CODEC_PCMA)
		return -ENOTSUP;
	if (most > max_payload)
		most = max_payload;
	if (most == 0 || most > PAYLOAD_MAX || (codec == RTP_CODEC_OPUS && len > most))
		return -EMSGSIZE;
	for (size_t done = 0; err == 0 && done < len;) {
		size_t part = len - done < most ? len - done : most;
		uint8_t *at;

		err = add_payload(packed, part, &at);
		if (err == 0)
			memcpy(at, frame + done, part);
		done += part;
	}
	return finish(packed, err, false);
}
