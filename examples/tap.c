/*
 * What a camera sends, frame by frame: stamps and sizes, one line each. The least that a program on
 * libcamhub can do.
 *
 *	cc -o tap tap.c $(pkg-config --cflags --libs camhub)
 *	./tap                        what there is to see
 *	./tap door [FRAMES]          frames of that stream, until ^C
 *	CAMHUB_DIR=/run/camhub/bus   where camhub is, if elsewhere
 */
#include <camhub.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int
fail(const char *what, int error)
{
	fprintf(stderr, "tap: %s: %s\n", what, camhub_strerror(error));
	return 1;
}

static int
list_streams(struct camhub *hub)
{
	const struct camhub_stream *const *streams;
	size_t n;
	int rc = camhub_streams(hub, &streams, &n);

	if (rc < 0)
		return fail("streams", rc);
	for (size_t i = 0; i < n; i++)
		printf("%-20s %-10s %-8s %ux%u %.1f fps  %s\n", streams[i]->name, streams[i]->state,
		       streams[i]->codec, streams[i]->width, streams[i]->height, streams[i]->fps,
		       streams[i]->title);
	return 0;
}

/* How old it is here, counted from its arrival at camhub. */
static double
age_ms(const struct camhub_frame *frame)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec * INT64_C(1000000000) + now.tv_nsec - frame->arrived_ns) / 1e6;
}

static void
print_frame(const struct camhub_frame *frame)
{
	printf("seq %llu %s%s%s %ux%u %zu bytes, pts %.3f s, %.2f ms old, %zu behind\n",
	       (unsigned long long)frame->seq, frame->flags & CAMHUB_KEY ? "key" : "-",
	       frame->flags & CAMHUB_FIRST ? " first" : "",
	       frame->flags & CAMHUB_REPLAY ? " replay" : "", frame->width, frame->height,
	       frame->len, (double)frame->pts_ns / 1e9, age_ms(frame), frame->behind);
	fflush(stdout);
}

static int
watch(struct camhub *hub, const char *name, long frames)
{
	struct camhub_frame *frame;
	struct camhub_sub *sub;
	int rc = camhub_subscribe(hub, name, &sub);

	if (rc < 0)
		return fail(name, rc);
	while (frames != 0) {
		rc = camhub_next(sub, 5000, &frame);
		if (rc < 0) {
			fail(name, rc);
			continue;
		}
		print_frame(frame);
		camhub_frame_free(&frame);
		if (frames > 0)
			frames--;
	}
	camhub_unsubscribe(&sub);
	return 0;
}

int
main(int argc, char **argv)
{
	struct camhub *hub;
	int rc = camhub_open(NULL, "tap", &hub);

	if (rc < 0)
		return fail("camhub", rc);
	rc = argc < 2 ? list_streams(hub)
		      : watch(hub, argv[1], argc > 2 ? strtol(argv[2], NULL, 10) : -1);
	camhub_close(&hub);
	return rc;
}
