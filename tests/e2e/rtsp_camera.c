/*
 * A camera for tests: a real RTSP server on 127.0.0.1. It says "PORT n" on stdout and obeys words
 * on stdin: "quit", "drop" (close every connection), "hang" (no more media, connections stay),
 * "resume", "count" (answers "CLIENTS n"), "connections" (answers "CONNECTIONS n": ever). The end
 * of stdin is "quit".
 *
 * Mounts: /h264 /h264-audio /mjpeg /h265 (a live test pattern), /clip (a recorded Annex B file
 * with access unit delimiters, looped; a cheap pipeline) and those of --feed (camera_feed.h). Each
 * live picture carries the wall clock as a bar code, so that a test can tell how old a picture is:
 * see barcode_paint(). Each viewer has a pipeline of its own: when two come to a shared one in the
 * same moment, the server sometimes answers 503 to one of them for ever, or crashes.
 */
#include "config.h"

#include "tests/e2e/camera_feed.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BARCODE_BITS   32
#define BARCODE_HEIGHT 16

struct clip {
	guint8 *data;
	gsize len;
	GArray *starts; /* gsize: where each access unit begins; one more entry: len */
};

struct camera {
	GMainLoop *loop;
	GstRTSPServer *server;
	struct clip clip;
	gint hanging; /* atomic: streaming threads read it */
	guint connections;

	/* options */
	gint port, fps, gop, kbps, width, height;
	gchar *size, *user, *password, *clip_path, *certificate_path;
	gchar **feeds;
	gboolean digest;
};

struct clip_player {
	struct camera *camera;
	guint64 frame;
};

/* --- the live test pattern --------------------------------------------------------------- */

/*
 * 32 squares along the top: the low 32 bits of the wall clock in milliseconds, most significant
 * first, white is 1. As wide as the picture divided by 32.
 */
static void
barcode_paint(guint8 *luma, gint width, gint height)
{
	guint32 now_ms = (guint32)(g_get_real_time() / 1000);
	gint cell = width / BARCODE_BITS;

	for (gint y = 0; y < BARCODE_HEIGHT && y < height; y++)
		for (gint bit = 0; bit < BARCODE_BITS; bit++)
			memset(luma + (gsize)y * (gsize)GST_ROUND_UP_4(width) + (gsize)(bit * cell),
			       now_ms >> (BARCODE_BITS - 1 - bit) & 1 ? 235 : 16, (gsize)cell);
}

static GstPadProbeReturn
on_raw_picture(GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
	struct camera *camera = arg;
	GstMapInfo map;

	(void)pad;
	info->data = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
	if (gst_buffer_map(info->data, &map, GST_MAP_WRITE)) {
		barcode_paint(map.data, camera->width, camera->height);
		gst_buffer_unmap(info->data, &map);
	}
	return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_packet(GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
	struct camera *camera = arg;

	(void)pad;
	(void)info;
	return g_atomic_int_get(&camera->hanging) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void
add_probe(GstElement *bin, const gchar *name, GstPadProbeType type, GstPadProbeCallback cb,
	  struct camera *camera)
{
	GstElement *element = gst_bin_get_by_name_recurse_up(GST_BIN(bin), name);
	GstPad *pad;

	if (element == NULL)
		return;
	pad = gst_element_get_static_pad(element, "src");
	gst_pad_add_probe(pad, type, cb, camera, NULL);
	gst_object_unref(pad);
	gst_object_unref(element);
}

static void
on_media(GstRTSPMediaFactory *factory, GstRTSPMedia *media, struct camera *camera)
{
	GstElement *bin = gst_rtsp_media_get_element(media);
	GstPadProbeType packets = GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST;

	(void)factory;
	add_probe(bin, "paint", GST_PAD_PROBE_TYPE_BUFFER, on_raw_picture, camera);
	add_probe(bin, "pay0", packets, on_packet, camera);
	add_probe(bin, "pay1", packets, on_packet, camera);
	gst_object_unref(bin);
}

/* --- the recorded clip ------------------------------------------------------------------- */

/* Each access unit begins with a delimiter, NAL unit type 9. */
static void
clip_find_units(struct clip *clip)
{
	static const guint8 delimiter[] = { 0, 0, 0, 1, 9 };

	clip->starts = g_array_new(FALSE, FALSE, sizeof(gsize));
	for (gsize i = 0; i + sizeof(delimiter) < clip->len; i++)
		if (memcmp(clip->data + i, delimiter, sizeof(delimiter)) == 0)
			g_array_append_val(clip->starts, i);
	g_array_append_val(clip->starts, clip->len);
}

static void
clip_load(struct clip *clip, const gchar *path)
{
	GError *error = NULL;

	if (!g_file_get_contents(path, (gchar **)&clip->data, &clip->len, &error))
		g_error("%s", error->message);
	clip_find_units(clip);
	if (clip->starts->len < 2)
		g_error("%s: no access unit delimiters", path);
}

/* In the appsrc's own thread; the sink's clock makes it as slow as the frame rate. */
static void
on_need_data(GstElement *appsrc, guint len, struct clip_player *player)
{
	const struct clip *clip = &player->camera->clip;
	guint unit = (guint)(player->frame % (clip->starts->len - 1));
	gsize start = g_array_index(clip->starts, gsize, unit);
	gsize end = g_array_index(clip->starts, gsize, unit + 1);
	GstBuffer *buffer = gst_buffer_new_wrapped_full(
	    GST_MEMORY_FLAG_READONLY, clip->data + start, end - start, 0, end - start, NULL, NULL);

	(void)len;
	GST_BUFFER_DURATION(buffer) = GST_SECOND / (guint64)player->camera->fps;
	GST_BUFFER_PTS(buffer) = player->frame * GST_BUFFER_DURATION(buffer);
	GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer);
	player->frame++;
	gst_app_src_push_buffer(GST_APP_SRC(appsrc), buffer);
}

static void
on_clip_media(GstRTSPMediaFactory *factory, GstRTSPMedia *media, struct camera *camera)
{
	GstElement *bin = gst_rtsp_media_get_element(media);
	GstElement *appsrc = gst_bin_get_by_name_recurse_up(GST_BIN(bin), "clip");
	struct clip_player *player = g_new0(struct clip_player, 1);

	player->camera = camera;
	g_object_set_data_full(G_OBJECT(media), "player", player, g_free);
	g_signal_connect(appsrc, "need-data", G_CALLBACK(on_need_data), player);
	gst_object_unref(appsrc);
	gst_object_unref(bin);
	on_media(factory, media, camera);
}

/* --- known units ------------------------------------------------------------------------- */

static void
on_feed_media(GstRTSPMediaFactory *factory, GstRTSPMedia *media, struct camera *camera)
{
	camera_feed_start(g_object_get_data(G_OBJECT(factory), "feed"), media);
	on_media(factory, media, camera);
}

/* --- mounts ------------------------------------------------------------------------------ */

static GstRTSPMediaFactory *
mount(struct camera *camera, const gchar *path, gchar *launch, GCallback on_configure)
{
	GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(camera->server);
	GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();

	gst_rtsp_media_factory_set_launch(factory, launch);
	gst_rtsp_media_factory_set_shared(factory, FALSE);
	if (camera->user != NULL || camera->certificate_path != NULL)
		gst_rtsp_media_factory_add_role(
		    factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
		    GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
	g_signal_connect(factory, "media-configure", on_configure, camera);
	gst_rtsp_mount_points_add_factory(mounts, path, factory);
	g_object_unref(mounts);
	g_free(launch);
	return factory;
}

static gboolean
has_element(const gchar *name)
{
	GstElementFactory *found = gst_element_factory_find(name);

	if (found != NULL)
		gst_object_unref(found);
	return found != NULL;
}

static void
mount_live(struct camera *camera)
{
	gchar *video =
	    g_strdup_printf("( videotestsrc is-live=true pattern=smpte horizontal-speed=4 ! "
			    "video/x-raw,format=I420,width=%d,height=%d,framerate=%d/1 ! "
			    "identity name=paint",
			    camera->width, camera->height, camera->fps);
	gchar *h264 =
	    g_strdup_printf("%s ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 "
			    "key-int-max=%d bitrate=%d ! h264parse ! "
			    "rtph264pay name=pay0 pt=96 config-interval=-1",
			    video, camera->gop, camera->kbps);

	mount(camera, "/h264", g_strdup_printf("%s )", h264), G_CALLBACK(on_media));
	if (has_element("avenc_aac"))
		mount(camera, "/h264-audio",
		      g_strdup_printf(
			  "%s audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=1 ! "
			  "avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97 )",
			  h264),
		      G_CALLBACK(on_media));
	if (has_element("alawenc"))
		mount(camera, "/h264-pcma",
		      g_strdup_printf(
			  "%s audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! "
			  "alawenc ! rtppcmapay name=pay1 pt=8 )",
			  h264),
		      G_CALLBACK(on_media));
	mount(camera, "/mjpeg",
	      g_strdup_printf("%s ! jpegenc quality=80 ! rtpjpegpay name=pay0 pt=26 )", video),
	      G_CALLBACK(on_media));
	if (has_element("x265enc"))
		mount(
		    camera, "/h265",
		    g_strdup_printf(
			"%s ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=%d "
			"bitrate=%d ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1 )",
			video, camera->gop, camera->kbps),
		    G_CALLBACK(on_media));
	g_free(video);
	g_free(h264);
}

static void
mount_clip(struct camera *camera)
{
	mount(camera, "/clip",
	      g_strdup_printf(
		  "( appsrc name=clip is-live=true format=time max-bytes=1 "
		  "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate=%d/1 ! "
		  "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
		  camera->fps),
	      G_CALLBACK(on_clip_media));
}

static void
mount_feed(struct camera *camera, const gchar *spec)
{
	struct camera_feed *feed = camera_feed_new(spec);
	gchar *path = camera_feed_path(feed);
	GstRTSPMediaFactory *factory =
	    mount(camera, path, camera_feed_launch(feed), G_CALLBACK(on_feed_media));

	g_object_set_data(G_OBJECT(factory), "feed", feed);
	g_free(path);
}

/* --- the server -------------------------------------------------------------------------- */

static void
use_tls(struct camera *camera, GstRTSPAuth *auth)
{
	GError *error = NULL;
	GTlsCertificate *certificate =
	    g_tls_certificate_new_from_file(camera->certificate_path, &error);

	if (certificate == NULL)
		g_error("%s: %s", camera->certificate_path, error->message);
	gst_rtsp_auth_set_tls_certificate(auth, certificate);
	g_object_unref(certificate);
}

static void
protect(struct camera *camera)
{
	GstRTSPAuth *auth = gst_rtsp_auth_new();
	GstRTSPToken *token =
	    gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);

	if (camera->certificate_path != NULL)
		use_tls(camera, auth);
	if (camera->user == NULL) {
		gst_rtsp_auth_set_default_token(auth, token);
	} else if (camera->digest) {
		gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
		gst_rtsp_auth_add_digest(auth, camera->user, camera->password, token);
	} else {
		gchar *basic = gst_rtsp_auth_make_basic(camera->user, camera->password);

		gst_rtsp_auth_add_basic(auth, basic, token);
		g_free(basic);
	}
	gst_rtsp_server_set_auth(camera->server, auth);
	gst_rtsp_token_unref(token);
	g_object_unref(auth);
}

static GstRTSPFilterResult
close_client(GstRTSPServer *server, GstRTSPClient *client, gpointer arg)
{
	(void)server;
	(void)client;
	(void)arg;
	return GST_RTSP_FILTER_REMOVE;
}

static void
on_client(GstRTSPServer *server, GstRTSPClient *client, struct camera *camera)
{
	(void)server;
	(void)client;
	camera->connections++;
}

static void
obey(struct camera *camera, const gchar *word)
{
	if (strcmp(word, "quit") == 0) {
		g_main_loop_quit(camera->loop);
	} else if (strcmp(word, "drop") == 0) {
		g_list_free(gst_rtsp_server_client_filter(camera->server, close_client, NULL));
		printf("DROPPED\n");
	} else if (strcmp(word, "hang") == 0 || strcmp(word, "resume") == 0) {
		g_atomic_int_set(&camera->hanging, word[0] == 'h');
		printf("%s\n", word[0] == 'h' ? "HANGING" : "RESUMED");
	} else if (strcmp(word, "count") == 0) {
		GList *clients = gst_rtsp_server_client_filter(camera->server, NULL, NULL);

		printf("CLIENTS %u\n", g_list_length(clients));
		g_list_free_full(clients, g_object_unref);
	} else if (strcmp(word, "connections") == 0) {
		printf("CONNECTIONS %u\n", camera->connections);
	} else {
		printf("UNKNOWN %s\n", word);
	}
	fflush(stdout);
}

static gboolean
on_stdin(GIOChannel *channel, GIOCondition condition, gpointer arg)
{
	struct camera *camera = arg;
	gchar *line = NULL;

	(void)condition;
	if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(camera->loop);
		return G_SOURCE_REMOVE;
	}
	obey(camera, g_strstrip(line));
	g_free(line);
	return G_SOURCE_CONTINUE;
}

static void
read_options(struct camera *camera, int *argc, char ***argv)
{
	GOptionEntry entries[] = {
		{ "port", 0, 0, G_OPTION_ARG_INT, &camera->port, "port (default: any)", "N" },
		{ "size", 0, 0, G_OPTION_ARG_STRING, &camera->size, "size, default 640x360",
		  "WxH" },
		{ "fps", 0, 0, G_OPTION_ARG_INT, &camera->fps, "frames a second, default 15", "N" },
		{ "gop", 0, 0, G_OPTION_ARG_INT, &camera->gop, "frames to a key frame, default 15",
		  "N" },
		{ "bitrate", 0, 0, G_OPTION_ARG_INT, &camera->kbps, "kb/s, default 800", "N" },
		{ "user", 0, 0, G_OPTION_ARG_STRING, &camera->user, "ask for this user", "NAME" },
		{ "password", 0, 0, G_OPTION_ARG_STRING, &camera->password, "and password",
		  "WORD" },
		{ "digest", 0, 0, G_OPTION_ARG_NONE, &camera->digest, "by Digest, not Basic",
		  NULL },
		{ "clip", 0, 0, G_OPTION_ARG_STRING, &camera->clip_path, "replay at /clip",
		  "FILE" },
		{ "feed", 0, 0, G_OPTION_ARG_STRING_ARRAY, &camera->feeds,
		  "known units at a mount of their own", "MOUNT:CODEC:FILE[:CODEC:FILE]" },
		{ "certificate", 0, 0, G_OPTION_ARG_STRING, &camera->certificate_path,
		  "TLS only, with this certificate and key", "FILE" },
		{ NULL },
	};
	GOptionContext *context = g_option_context_new("- an RTSP camera for tests");
	GError *error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_group(context, gst_init_get_option_group());
	if (!g_option_context_parse(context, argc, argv, &error))
		g_error("%s", error->message);
	g_option_context_free(context);
	if (camera->size != NULL &&
	    sscanf(camera->size, "%dx%d", &camera->width, &camera->height) != 2)
		g_error("size: want WxH");
	if ((camera->user == NULL) != (camera->password == NULL))
		g_error("user and password go together");
}

static void
serve(struct camera *camera)
{
	GIOChannel *channel = g_io_channel_unix_new(0);
	gchar *service = g_strdup_printf("%d", camera->port);

	camera->server = gst_rtsp_server_new();
	gst_rtsp_server_set_address(camera->server, "127.0.0.1");
	gst_rtsp_server_set_service(camera->server, service);
	g_signal_connect(camera->server, "client-connected", G_CALLBACK(on_client), camera);
	if (camera->user != NULL || camera->certificate_path != NULL)
		protect(camera);
	mount_live(camera);
	for (gchar **feed = camera->feeds; feed != NULL && *feed != NULL; feed++)
		mount_feed(camera, *feed);
	if (camera->clip_path != NULL) {
		clip_load(&camera->clip, camera->clip_path);
		mount_clip(camera);
	}
	if (gst_rtsp_server_attach(camera->server, NULL) == 0)
		g_error("cannot listen on 127.0.0.1:%s", service);
	printf("PORT %d\n", gst_rtsp_server_get_bound_port(camera->server));
	fflush(stdout);
	g_io_add_watch(channel, G_IO_IN | G_IO_HUP, on_stdin, camera);
	g_main_loop_run(camera->loop);
	g_free(service);
}

int
main(int argc, char **argv)
{
	struct camera camera = { .fps = 15, .gop = 15, .kbps = 800, .width = 640, .height = 360 };

	read_options(&camera, &argc, &argv);
	camera.loop = g_main_loop_new(NULL, FALSE);
	serve(&camera);
	/* Streaming threads may still run: leave without taking the pipelines down one by one. */
	_exit(0);
}
