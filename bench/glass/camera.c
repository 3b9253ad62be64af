/*
 * The camera of the benches that measure what people see: a moving picture with a clock in it
 * (barcode.h), encoded without delay, over RTSP for camhub and over a WebSocket straight to a page,
 * beside which camhub is measured. Both get the very same bytes at the same moment.
 *
 *	glass_camera [--gop=N] [--fps=N] [--kbps=N] [--cabac] [--reports] [--log=FILE]
 *
 * Streams: h264 and jpeg (1280x720), sub (640x360 at 15 pictures a second, H.264); see
 * rtsp_service.h and ws_service.h. What nobody plays is not encoded. --reports: RTP sender reports
 * tell the time at which each picture was drawn. --log: a line for each picture, "stream number
 * drawn_us encoded_us sent_us bytes key", times of the wall clock: when it was drawn, encoded, and
 * written into all sockets. Prints "PORTS rtsp ws" when it listens; ends with its standard input.
 */
#include "config.h"

#include "bench/glass/conn.h"
#include "bench/glass/rtsp_service.h"
#include "bench/glass/ws_service.h"
#include "media/bytes.h"
#include "media/h264.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S     INT64_C(1000000000)
#define JPEG_QUALITY 6
#define SUB_FPS      15
#define SUB_KBPS     500
#define MAIN_KBPS    3000
#define MAIN_FPS     25
#define MAIN_GOP     50
#define IDLE_NS      NS_PER_S

static struct stream streams[] = {
	{ .name = "h264",
	  .options = { .width = 1280,
		       .height = 720,
		       .fps = MAIN_FPS,
		       .gop = MAIN_GOP,
		       .kbps = MAIN_KBPS } },
	{ .name = "sub",
	  .options = { .width = 640,
		       .height = 360,
		       .fps = SUB_FPS,
		       .gop = 2 * SUB_FPS,
		       .kbps = SUB_KBPS } },
	{ .name = "jpeg",
	  .options = { .is_jpeg = true,
		       .width = 1280,
		       .height = 720,
		       .fps = MAIN_FPS,
		       .quality = JPEG_QUALITY } },
};
#define N_STREAMS (sizeof(streams) / sizeof(streams[0]))

struct options {
	bool has_reports;
	const char *log_path;
};

struct stream *
stream_find(const char *path)
{
	for (size_t i = 0; i < N_STREAMS; i++)
		if (strncmp(path, streams[i].name, strlen(streams[i].name)) == 0)
			return &streams[i];
	return NULL;
}

static int64_t
wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static unsigned
number(const char *text)
{
	unsigned long value = strtoul(text, NULL, 10);

	if (value == 0 || value > 100000) {
		fprintf(stderr, "glass_camera: %s: a number is wanted\n", text);
		exit(2);
	}
	return (unsigned)value;
}

static void
set_main(int option, const char *value)
{
	struct encoder_options *h264 = &streams[0].options, *jpeg = &streams[2].options;

	if (option == 'g')
		h264->gop = number(value);
	else if (option == 'f')
		h264->fps = jpeg->fps = number(value);
	else if (option == 'k')
		h264->kbps = number(value);
	else
		h264->has_cabac = true;
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "gop", required_argument, NULL, 'g' },
		{ "fps", required_argument, NULL, 'f' },
		{ "kbps", required_argument, NULL, 'k' },
		{ "cabac", no_argument, NULL, 'c' },
		{ "reports", no_argument, NULL, 'r' },
		{ "log", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == '?')
			exit(2);
		if (option == 'r')
			options.has_reports = true;
		else if (option == 'l')
			options.log_path = optarg;
		else
			set_main(option, optarg);
	}
	return options;
}

/* A first picture, which nobody sees: the parameter sets are taken from it. */
static void
open_stream(struct stream *stream)
{
	struct encoded picture;
	struct byte_writer avcc;

	stream->encoder = encoder_new(&stream->options);
	encoder_next(stream->encoder, true, &picture);
	if (stream->options.is_jpeg)
		return;
	byte_writer_init_fixed(&avcc, stream->avcc, sizeof(stream->avcc));
	if (h264_write_avcc(picture.data, picture.len, &avcc) < 0) {
		fprintf(stderr, "glass_camera: x264 gives no parameter sets\n");
		exit(1);
	}
	stream->avcc_len = avcc.len;
}

static void
take_picture(struct stream *stream, FILE *log)
{
	bool wants_key = stream->wants_key;
	struct encoded picture;
	int64_t encoded_us;

	stream->wants_key = false;
	encoder_next(stream->encoder, wants_key, &picture);
	picture.slot = stream->slot;
	encoded_us = wall_us();
	conn_send_all(stream, &picture);
	if (log != NULL)
		fprintf(log, "%s %u %" PRId64 " %" PRId64 " %" PRId64 " %zu %d\n", stream->name,
			picture.number, picture.drawn_us, encoded_us, wall_us(), picture.len,
			picture.is_key);
}

/* In step with the rate; a machine that was too slow leaves pictures out, and does not hurry. */
static void
schedule_next(struct stream *stream)
{
	int64_t interval = NS_PER_S / stream->options.fps, now = conn_now_ns();

	do {
		stream->next_ns += interval;
		stream->slot++;
	} while (stream->next_ns <= now);
}

/* Takes the pictures that are due; returns when the next one is. */
static int64_t
take_due(FILE *log)
{
	int64_t next = conn_now_ns() + IDLE_NS;

	for (size_t i = 0; i < N_STREAMS; i++) {
		struct stream *stream = &streams[i];

		if (stream->watchers == 0)
			stream->next_ns = 0;
		if (stream->next_ns == 0)
			continue;
		if (stream->next_ns <= conn_now_ns()) {
			take_picture(stream, log);
			schedule_next(stream);
		}
		if (stream->next_ns != 0 && stream->next_ns < next)
			next = stream->next_ns;
	}
	return next;
}

int
main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	FILE *log = options.log_path != NULL ? fopen(options.log_path, "we") : NULL;
	unsigned rtsp_port, ws_port;

	if (options.log_path != NULL && log == NULL) {
		perror(options.log_path);
		return 1;
	}
	for (size_t i = 0; i < N_STREAMS; i++)
		open_stream(&streams[i]);
	rtsp_port = conn_listen(rtsp_service(options.has_reports));
	ws_port = conn_listen(ws_service());
	printf("PORTS %u %u\n", rtsp_port, ws_port);
	fflush(stdout);
	while (conn_wait(take_due(log)))
		;
	for (size_t i = 0; i < N_STREAMS; i++)
		encoder_free(&streams[i].encoder);
	if (log != NULL)
		fclose(log);
	return 0;
}
