/*
 * Known units through appsrc and GStreamer's payloaders. Packets are small, so that most pictures
 * need several.
 */
#include "config.h"

#include "tests/e2e/camera_feed.h"

#include <gst/app/gstappsrc.h>

#include <string.h>

#define TRACKS_MAX 2
#define MTU        500

struct kind {
	const gchar *codec, *caps, *payloader;
	guint64 duration_ns; /* of a unit */
};

/* clang-format off */
static const struct kind kinds[] = {
	{ "h264", "video/x-h264,stream-format=byte-stream,alignment=au,framerate=50/1",
	  "rtph264pay pt=96 aggregate-mode=zero-latency", 20 * GST_MSECOND },
	{ "h265", "video/x-h265,stream-format=byte-stream,alignment=au,framerate=50/1",
	  "rtph265pay pt=96 aggregate-mode=zero-latency", 20 * GST_MSECOND },
	{ "jpeg", "image/jpeg,framerate=50/1,width=176,height=144", "rtpjpegpay pt=26",
	  20 * GST_MSECOND },
	{ "aac", "audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,channels=1,"
	  "codec_data=(buffer)1188", "rtpmp4gpay pt=97", 1024 * GST_SECOND / 48000 },
	{ "pcma", "audio/x-alaw,rate=8000,channels=1", "rtppcmapay pt=8", 20 * GST_MSECOND },
	{ "pcmu", "audio/x-mulaw,rate=8000,channels=1", "rtppcmupay pt=0", 20 * GST_MSECOND },
	{ "opus", "audio/x-opus,rate=48000,channels=2,channel-mapping-family=0",
	  "rtpopuspay pt=98", 20 * GST_MSECOND },
};
/* clang-format on */

struct track {
	const struct kind *kind;
	guint8 *data;
	gsize len;
	GArray *units; /* struct piece */
};

struct piece {
	gsize start, len;
};

struct camera_feed {
	gchar *mount;
	guint count;
	struct track tracks[TRACKS_MAX];
};

struct feeder {
	const struct track *track;
	guint64 next;
};

static const struct kind *
find_kind(const gchar *codec)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strcmp(kinds[i].codec, codec) == 0)
			return &kinds[i];
	g_error("feed: no codec %s", codec);
	return NULL;
}

static void
load(struct track *track, const gchar *codec, const gchar *path)
{
	GError *error = NULL;
	struct piece piece = { 0 };
	gsize at = 0;

	track->kind = find_kind(codec);
	track->units = g_array_new(FALSE, FALSE, sizeof(struct piece));
	if (!g_file_get_contents(path, (gchar **)&track->data, &track->len, &error))
		g_error("%s", error->message);
	while (track->len - at > 4) {
		const guint8 *len = (const guint8 *)track->data + at;

		/* byte by byte: GStreamer's macro reads whole words, aligned or not */
		piece.len = (gsize)len[0] << 24 | (gsize)len[1] << 16 | (gsize)len[2] << 8 | len[3];
		piece.start = at + 4;
		if (piece.len == 0 || piece.len > track->len - piece.start)
			break;
		g_array_append_val(track->units, piece);
		at = piece.start + piece.len;
	}
	if (at != track->len || at == 0)
		g_error("%s: not a file of units", path);
}

struct camera_feed *
camera_feed_new(const gchar *spec)
{
	struct camera_feed *feed = g_new0(struct camera_feed, 1);
	gchar **words = g_strsplit(spec, ":", -1);
	guint count = g_strv_length(words);

	if (count != 3 && count != 5)
		g_error("feed: want MOUNT:CODEC:FILE[:CODEC:FILE]");
	feed->mount = g_strdup(words[0]);
	feed->count = count / 2;
	for (guint i = 0; i < feed->count; i++)
		load(&feed->tracks[i], words[1 + 2 * i], words[2 + 2 * i]);
	g_strfreev(words);
	return feed;
}

gchar *
camera_feed_path(const struct camera_feed *feed)
{
	return g_strdup_printf("/%s", feed->mount);
}

gchar *
camera_feed_launch(const struct camera_feed *feed)
{
	GString *text = g_string_new("(");

	for (guint i = 0; i < feed->count; i++)
		g_string_append_printf(text,
				       " appsrc name=feed%u is-live=true format=time max-bytes=1 "
				       "caps=\"%s\" ! %s name=pay%u mtu=%d",
				       i, feed->tracks[i].kind->caps,
				       feed->tracks[i].kind->payloader, i, MTU);
	g_string_append(text, " )");
	return g_string_free(text, FALSE);
}

/* In the appsrc's own thread; the sink's clock makes it as slow as the units are long. */
static void
on_need_data(GstElement *appsrc, guint len, struct feeder *feeder)
{
	const struct track *track = feeder->track;
	guint number = (guint)(feeder->next % track->units->len);
	struct piece piece = g_array_index(track->units, struct piece, number);
	GstBuffer *buffer = gst_buffer_new_memdup(track->data + piece.start, piece.len);

	(void)len;
	GST_BUFFER_DURATION(buffer) = track->kind->duration_ns;
	GST_BUFFER_PTS(buffer) = feeder->next * track->kind->duration_ns;
	GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer);
	feeder->next++;
	gst_app_src_push_buffer(GST_APP_SRC(appsrc), buffer);
}

void
camera_feed_start(const struct camera_feed *feed, GstRTSPMedia *media)
{
	GstElement *bin = gst_rtsp_media_get_element(media);

	for (guint i = 0; i < feed->count; i++) {
		gchar *name = g_strdup_printf("feed%u", i);
		GstElement *appsrc = gst_bin_get_by_name_recurse_up(GST_BIN(bin), name);
		struct feeder *feeder = g_new0(struct feeder, 1);

		feeder->track = &feed->tracks[i];
		g_object_set_data_full(G_OBJECT(media), name, feeder, g_free);
		g_signal_connect(appsrc, "need-data", G_CALLBACK(on_need_data), feeder);
		gst_object_unref(appsrc);
		g_free(name);
	}
	gst_object_unref(bin);
}
