/*
 * Reads packets and makes units of them: the first video stream that browsers and recorders
 * understand, and the first audio stream. Streams may appear at any packet.
 */
#include "config.h"

#include "worker/av_demux.h"

#include "media/audio.h"
#include "media/bytes.h"
#include "media/codec.h"
#include "media/opus.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "worker/av_audio.h"
#include "worker/av_jpeg.h"
#include "worker/av_open.h"

#include <errno.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <string.h>

#define BEHIND_NS (1 * NS_PER_S)  /* later than this: time stood still here, go on from now */
#define WAITED_NS (5 * NS_PER_MS) /* a read that took longer: nothing more was there */

struct chosen {
	int index; /* of the AVStream, -1: none yet */
	enum frame_codec codec;
	unsigned length_size; /* of the NAL units; 0: Annex B */
};

struct av_demux {
	struct av_reader *reader;
	AVFormatContext *ctx;
	AVPacket *packet;
	AVBSFContext *jpeg_filter;
	struct chosen tracks[FRAME_TRACK_AUDIO + 1];
	unsigned streams_seen;
	int64_t pace_ns;
	int64_t paced_from_ns; /* CLOCK_MONOTONIC of stream time 0; 0: not yet */
	bool loops, has_units;
	bool has_waited; /* for the source, since the last picture */
	bool is_untimed; /* live without timestamps: when a unit arrives is all there is */
};

static const struct {
	enum AVCodecID id;
	uint8_t track;
	enum frame_codec codec;
} codecs[] = {
	{ AV_CODEC_ID_H264, FRAME_TRACK_VIDEO, FRAME_CODEC_H264 },
	{ AV_CODEC_ID_HEVC, FRAME_TRACK_VIDEO, FRAME_CODEC_H265 },
	{ AV_CODEC_ID_MJPEG, FRAME_TRACK_VIDEO, FRAME_CODEC_MJPEG },
	{ AV_CODEC_ID_AAC, FRAME_TRACK_AUDIO, FRAME_CODEC_AAC },
	{ AV_CODEC_ID_OPUS, FRAME_TRACK_AUDIO, FRAME_CODEC_OPUS },
	{ AV_CODEC_ID_PCM_ALAW, FRAME_TRACK_AUDIO, FRAME_CODEC_PCMA },
	{ AV_CODEC_ID_PCM_MULAW, FRAME_TRACK_AUDIO, FRAME_CODEC_PCMU },
	{ AV_CODEC_ID_PCM_S16BE, FRAME_TRACK_AUDIO, FRAME_CODEC_L16 },
};

/* Which stream of ours a packet's is, -1: none of them. */
static int
track_of(const struct av_demux *demux, int index)
{
	for (int i = 0; i <= FRAME_TRACK_AUDIO; i++)
		if (demux->tracks[i].index == index)
			return i;
	return -1;
}

static int
push_config(struct av_demux *demux, uint8_t track, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);
	struct wrk_unit unit = {
		.kind = FRAME_KIND_CONFIG,
		.track = track,
		.codec = demux->tracks[track].codec,
		.data = copy,
		.len = len,
	};

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, data, len);
	return av_reader_push(demux->reader, &unit, free, copy);
}

static void
take_video_extradata(struct av_demux *demux, const uint8_t *extradata, size_t len)
{
	struct chosen *video = &demux->tracks[FRAME_TRACK_VIDEO];
	enum nal_codec codec = video->codec == FRAME_CODEC_H265 ? NAL_H265 : NAL_H264;
	struct byte_writer annexb;
	unsigned length_size;

	byte_writer_init(&annexb, CODEC_PARAMETER_SETS_MAX);
	if (codec_extradata_to_annexb(codec, extradata, len, &annexb, &length_size) == 0) {
		video->length_size = length_size;
		if (annexb.len > 0)
			(void)push_config(demux, FRAME_TRACK_VIDEO, annexb.data, annexb.len);
	}
	byte_writer_free(&annexb);
}

static void
take_extradata(struct av_demux *demux, int track, const uint8_t *extradata, size_t len)
{
	enum frame_codec codec = demux->tracks[track].codec;

	if (extradata == NULL || len == 0 || codec == FRAME_CODEC_MJPEG)
		return;
	if (track == FRAME_TRACK_VIDEO)
		take_video_extradata(demux, extradata, len);
	else if (codec == FRAME_CODEC_AAC || codec == FRAME_CODEC_OPUS)
		(void)push_config(demux, FRAME_TRACK_AUDIO, extradata, len);
}

/* Sound that has no extradata: media/audio.h says what to tell of it. */
static void
describe_sound(struct av_demux *demux, const AVCodecParameters *par)
{
	enum frame_codec codec = demux->tracks[FRAME_TRACK_AUDIO].codec;
	int channels = par->ch_layout.nb_channels;
	uint8_t pcm[AUDIO_PCM_CONFIG_BYTES], head[OPUS_HEAD_BYTES];

	if (codec == FRAME_CODEC_OPUS && par->extradata_size == 0) {
		opus_write_head(channels == 1 ? 1 : 2, head);
		(void)push_config(demux, FRAME_TRACK_AUDIO, head, sizeof(head));
	} else if (codec != FRAME_CODEC_AAC && codec != FRAME_CODEC_OPUS && channels > 0 &&
		   channels <= UINT8_MAX && par->sample_rate > 0) {
		audio_write_pcm_config((uint32_t)par->sample_rate, (uint8_t)channels,
				       codec == FRAME_CODEC_L16 ? 16 : 8, pcm);
		(void)push_config(demux, FRAME_TRACK_AUDIO, pcm, sizeof(pcm));
	}
}

static void
choose_stream(struct av_demux *demux, unsigned index)
{
	AVStream *stream = demux->ctx->streams[index];
	const AVCodecParameters *par = stream->codecpar;

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct chosen *track = &demux->tracks[codecs[i].track];

		if (codecs[i].id != par->codec_id || track->index >= 0)
			continue;
		track->index = (int)index;
		track->codec = codecs[i].codec;
		take_extradata(demux, codecs[i].track, par->extradata, (size_t)par->extradata_size);
		if (codecs[i].track == FRAME_TRACK_AUDIO)
			describe_sound(demux, par);
		return;
	}
	stream->discard = AVDISCARD_ALL;
	log_debug("stream %u (%s) is not used", index, avcodec_get_name(par->codec_id));
}

static const char *
first_video_codec(const AVFormatContext *ctx)
{
	for (unsigned i = 0; i < ctx->nb_streams; i++)
		if (ctx->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
			return avcodec_get_name(ctx->streams[i]->codecpar->codec_id);
	return NULL;
}

static int
choose_streams(struct av_demux *demux)
{
	const char *name;

	while (demux->streams_seen < demux->ctx->nb_streams)
		choose_stream(demux, demux->streams_seen++);
	if (demux->tracks[FRAME_TRACK_VIDEO].index >= 0)
		return 0;
	name = first_video_codec(demux->ctx);
	if (name != NULL)
		return av_reader_fail(
		    demux->reader, WRK_CLASS_UNSUPPORTED,
		    "video codec %s is not supported, expected H.264, H.265 or MJPEG", name);
	if (demux->ctx->ctx_flags & AVFMTCTX_NOHEADER)
		return 0; /* it may come yet */
	return av_reader_fail(demux->reader, WRK_CLASS_UNSUPPORTED, "the source has no video");
}

static void
demux_close(void *source)
{
	struct av_demux *demux = source;

	av_packet_free(&demux->packet);
	av_bsf_free(&demux->jpeg_filter);
	avformat_close_input(&demux->ctx);
	free(demux);
}

/* libavformat makes times up for these, as if all cameras had 25 frames a second. */
static bool
is_untimed(const struct av_demux *demux)
{
	const AVInputFormat *format = demux->ctx->iformat;

	return strcmp(demux->reader->url.scheme->name, "file") != 0 &&
	       (strcmp(format->name, "mpjpeg") == 0 || (format->flags & AVFMT_NOTIMESTAMPS) != 0);
}

static int
demux_open(struct av_reader *reader, void **source)
{
	struct av_demux *demux = xcalloc(1, sizeof(*demux));
	char *loops = url_param(&reader->url, "loop");

	demux->reader = reader;
	demux->pace_ns = av_open_pace_ns(reader);
	demux->loops = strcmp(reader->url.scheme->name, "file") == 0 && loops != NULL &&
		       strcmp(loops, "1") == 0;
	free(loops);
	for (int i = 0; i <= FRAME_TRACK_AUDIO; i++)
		demux->tracks[i].index = -1;
	demux->packet = av_packet_alloc();
	if (demux->packet == NULL)
		xalloc_die();
	if (av_open(reader, &demux->ctx) < 0 || choose_streams(demux) < 0) {
		demux_close(demux);
		return -EIO;
	}
	demux->is_untimed = is_untimed(demux);
	if (demux->is_untimed)
		demux->pace_ns = AV_PACE_NEVER;
	*source = demux;
	return 0;
}

static int64_t
to_ns(int64_t value, AVRational time_base)
{
	if (value == AV_NOPTS_VALUE)
		return WRK_TIME_NONE;
	return av_rescale_q(value, time_base, (AVRational){ 1, 1000000000 });
}

/* A live source may run ahead, and what it sends last has just happened: with a fast clock it would
 * use its lead up, and from then on be read later and later. */
static bool
is_ahead_and_live(const struct av_demux *demux, int64_t due_ns, int64_t now_ns)
{
	return demux->pace_ns > 0 && demux->has_waited && due_ns > now_ns;
}

/* Wait until a picture is due, for what comes faster than it happens. False: stopped. */
static bool
pace(struct av_demux *demux, int64_t dts_ns)
{
	int64_t now_ns = av_now_ns(), due_ns;

	if (demux->pace_ns == AV_PACE_NEVER)
		return true;
	due_ns = demux->paced_from_ns + dts_ns;
	if (demux->paced_from_ns == 0 || due_ns < now_ns - BEHIND_NS ||
	    is_ahead_and_live(demux, due_ns, now_ns)) {
		demux->paced_from_ns = now_ns - dts_ns;
		due_ns = now_ns;
	}
	demux->has_waited = false;
	if (due_ns - demux->pace_ns <= now_ns)
		return true;
	return av_queue_wait_until(demux->reader->queue, due_ns - demux->pace_ns);
}

static void
release_packet(void *owner)
{
	AVPacket *packet = owner;

	av_packet_free(&packet);
}

/* Length-prefixed units become Annex B in memory of their own; others leave as they came. */
static int
push_video(struct av_demux *demux, struct wrk_unit *unit)
{
	unsigned length_size = demux->tracks[FRAME_TRACK_VIDEO].length_size;
	struct byte_writer annexb;
	AVPacket *packet;
	int rc;

	if (length_size == 0 || unit->kind == FRAME_KIND_JPEG) {
		packet = av_packet_alloc();
		if (packet == NULL)
			return -ENOMEM;
		av_packet_move_ref(packet, demux->packet);
		return av_reader_push(demux->reader, unit, release_packet, packet);
	}
	byte_writer_init(&annexb, 2 * (size_t)FRAME_PAYLOAD_MAX);
	rc = nal_prefixed_to_annexb(unit->data, unit->len, length_size, &annexb);
	if (rc < 0) {
		log_debug("a unit is cut off: %s", strerror(-rc));
		unit->flags |= FRAME_CORRUPT;
	}
	unit->data = byte_writer_take(&annexb, &unit->len);
	if (unit->data == NULL)
		return 0;
	return av_reader_push(demux->reader, unit, free, (void *)(uintptr_t)unit->data);
}

static void
describe(struct av_demux *demux, int track, struct wrk_unit *unit)
{
	const AVPacket *packet = demux->packet;
	const AVStream *stream = demux->ctx->streams[packet->stream_index];
	AVRational rate = stream->avg_frame_rate;
	int64_t usual_ns =
	    rate.num > 0 && rate.den > 0 ? NS_PER_S * rate.den / rate.num : 40 * NS_PER_MS;
	int64_t duration_ns = packet->duration > 0 ? to_ns(packet->duration, stream->time_base) : 0;

	*unit = (struct wrk_unit){
		.kind = track == FRAME_TRACK_AUDIO                        ? FRAME_KIND_AUDIO
			: demux->tracks[track].codec == FRAME_CODEC_MJPEG ? FRAME_KIND_JPEG
									  : FRAME_KIND_VIDEO,
		.track = (uint8_t)track,
		.codec = demux->tracks[track].codec,
		.data = packet->data,
		.len = (size_t)packet->size,
		.pts_ns = to_ns(packet->pts, stream->time_base),
		.dts_ns = to_ns(packet->dts, stream->time_base),
		.duration_us = duration_ns > 0 && duration_ns < 100 * NS_PER_S
				   ? (uint32_t)(duration_ns / 1000)
				   : 0,
		.flags = packet->flags & AV_PKT_FLAG_CORRUPT ? FRAME_CORRUPT : 0,
	};
	if (demux->is_untimed) {
		unit->arrived_monotonic_ns = av_now_ns();
		unit->pts_ns = unit->dts_ns = unit->arrived_monotonic_ns;
		unit->duration_us = 0;
	}
	if (wrk_time_fix(&demux->reader->time, unit->track,
			 duration_ns > 0 ? duration_ns : usual_ns, &unit->pts_ns, &unit->dts_ns))
		unit->flags |= FRAME_DISCONTINUITY;
}

static int
take_packet(struct av_demux *demux)
{
	int track = track_of(demux, demux->packet->stream_index);
	size_t side_len = 0;
	const uint8_t *side;
	struct wrk_unit unit;

	if (track < 0 || demux->packet->size <= 0)
		return 0;
	if (demux->tracks[track].codec == FRAME_CODEC_MJPEG &&
	    av_jpeg_complete(&demux->jpeg_filter, demux->packet) < 0)
		log_debug("a picture without tables stays so");
	side = av_packet_get_side_data(demux->packet, AV_PKT_DATA_NEW_EXTRADATA, &side_len);
	take_extradata(demux, track, side, side_len);
	describe(demux, track, &unit);
	/* Sound lies between the pictures, and its clock may be another one. */
	if (track == FRAME_TRACK_VIDEO && !pace(demux, unit.dts_ns))
		return -ECANCELED;
	if (unit.arrived_monotonic_ns == 0)
		unit.arrived_monotonic_ns = av_now_ns();
	unit.arrived_realtime_ns = av_realtime_ns();
	demux->has_units = true;
	if (track == FRAME_TRACK_AUDIO)
		return av_audio_push(demux->reader, &unit);
	return push_video(demux, &unit);
}

static int
rewind_file(struct av_demux *demux)
{
	int rc = avformat_seek_file(demux->ctx, -1, INT64_MIN, 0, 0, AVSEEK_FLAG_BACKWARD);

	if (rc < 0)
		rc = avformat_seek_file(demux->ctx, -1, INT64_MIN, 0, 0, AVSEEK_FLAG_BYTE);
	if (rc < 0)
		return av_open_fail(demux->reader, rc, true);
	wrk_time_restart(&demux->reader->time);
	demux->has_units = false;
	return 0;
}

static int
demux_read(void *source)
{
	struct av_demux *demux = source;
	int64_t since_ns = av_now_ns();
	int rc = av_read_frame(demux->ctx, demux->packet);

	if (av_now_ns() - since_ns > WAITED_NS)
		demux->has_waited = true;
	if (rc == AVERROR(EAGAIN))
		return 0;
	/* A file without a single unit would spin. */
	if (rc == AVERROR_EOF && demux->loops && demux->has_units)
		return rewind_file(demux);
	if (rc < 0)
		return av_open_fail(demux->reader, rc, true);
	rc = demux->streams_seen < demux->ctx->nb_streams ? choose_streams(demux) : 0;
	if (rc == 0)
		rc = take_packet(demux);
	av_packet_unref(demux->packet);
	return rc;
}

const struct av_source_ops av_demux_ops = {
	.open = demux_open,
	.read = demux_read,
	.close = demux_close,
};
