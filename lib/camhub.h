/*
 * libcamhub: a program that looks at the pictures which people see, without a connection of its own
 *to any camera, and that says what it found in them.
 *
 *	struct camhub *hub;
 *	struct camhub_sub *door;
 *	struct camhub_frame *frame;
 *
 *	camhub_open(NULL, "example", &hub);
 *	camhub_subscribe(hub, "door", &door);
 *	while (camhub_next(door, 1000, &frame) == 0) {
 *		look_at(frame->data, frame->len);
 *		camhub_frame_free(&frame);
 *	}
 *
 * Functions that return int return 0 or a negative errno; out-parameters come last and are
 *untouched on failure. Times are nanoseconds since 1970 unless they say otherwise; durations in
 *arguments are milliseconds, -1 stands for any time.
 *
 * Threads: one hub, and all that was made of it, is used by one thread at a time, and always by the
 * same one. Two hubs in two threads are independent. The library starts threads of its own (those
 *of nng), so a child made by fork() must not use it before exec. Signals are not touched. When no
 *memory is left the process ends with a message.
 *
 * Restarts of camhub or of its workers, and frames that were lost, are handled inside: frames go on
 * with the next key frame, and stats count what was missed.
 */
#ifndef CAMHUB_H
#define CAMHUB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

struct camhub;
struct camhub_sub;

/* What there is to see. More members may follow in later versions. */
struct camhub_stream {
	uint32_t id;              /* while camhub runs */
	const char *name;         /* "door", "door.sub" */
	const char *camera;       /* "door" */
	const char *title;        /* for people */
	const char *group;        /* on the wall, "" for none */
	const char *state;        /* off connecting up stalled down refused */
	int64_t since_ms;         /* since when, milliseconds since 1970 */
	const char *codec;        /* h264 h265 mjpeg jpeg-rtp; none or "" while unknown */
	const char *codec_string; /* RFC 6381, "" while unknown */
	const char *audio;        /* name of the codec, "none", or "" while unknown */
	unsigned width, height;   /* 0 while unknown */
	double fps;               /* measured, 0 while unknown */
};

enum camhub_codec {
	CAMHUB_H264 = 1,     /* Annex B: NAL units behind start codes */
	CAMHUB_H265 = 3,     /* the same */
	CAMHUB_MJPEG = 4,    /* one whole JPEG */
	CAMHUB_JPEG_RTP = 9, /* the same */
};

#define CAMHUB_KEY           (1u << 0) /* decoding can start here; its parameter sets are in data */
#define CAMHUB_DISCONTINUITY (1u << 1) /* time or content jumps before it */
#define CAMHUB_DISPOSABLE    (1u << 3) /* nothing refers to it */
#define CAMHUB_CORRUPT       (1u << 4) /* parts were lost between camera and camhub */
#define CAMHUB_UNSYNCED      (1u << 5) /* captured_ns is of a clock that nobody has set */
#define CAMHUB_REPLAY        (1u << 6) /* an older frame, to begin decoding with */
#define CAMHUB_FIRST                                                                               \
	(1u << 16) /* frames are missing before it, or it is the first: a key                      \
		      frame, a decoder begins afresh */

/* One picture as it came from the camera. More members may follow in later versions. */
struct camhub_frame {
	const char *stream;           /* its name; while the subscription lives */
	uint64_t epoch, seq;          /* which one it is, for results */
	uint32_t flags;               /* CAMHUB_KEY and so on */
	uint32_t codec;               /* enum camhub_codec */
	uint16_t width, height;       /* after cropping, 0 unknown */
	uint32_t duration_us;         /* until the next one, predicted; 0 unknown */
	int64_t pts_ns, dts_ns;       /* the stream's own clock, anew with each epoch */
	int64_t arrived_ns;           /* when its last packet arrived at camhub */
	int64_t arrived_monotonic_ns; /* the same on CLOCK_MONOTONIC of that machine */
	int64_t captured_ns;          /* when the camera took it, by its clock; 0 unknown */
	size_t behind;                /* frames that wait behind it: 0, it is the newest */
	const uint8_t *data;          /* len bytes, until camhub_frame_free() */
	size_t len;
};

struct camhub_stats {
	uint64_t frames;    /* given to the program */
	uint64_t skipped;   /* that waited too long, or that camhub_newest() left out */
	uint64_t gaps;      /* how often frames were lost on the way here */
	uint64_t replays;   /* groups of pictures asked for */
	uint64_t epochs;    /* incarnations of the worker */
	uint64_t malformed; /* messages that were not what they should be */
};

/*
 * Connect. dir: the bus directory of camhub, or its runtime directory; NULL: $CAMHUB_DIR, or the
 * directory of this installation. name: whose, a-z 0-9 _ - and 32 bytes at most, shown in camhub's
 * status. -ENOENT, -ECONNREFUSED: camhub does not run there; -EACCES: not in the group (bus: group:
 * of camhub.yaml); -EINVAL: the name, or camhub refused it; -ENAMETOOLONG; -ETIMEDOUT.
 * Once open it stays so, also while camhub is away.
 */
int camhub_open(const char *dir, const char *name, struct camhub **hub);

/* Everything made of it ends, frames that are held excepted. NULL-safe, nulls the pointer. */
void camhub_close(struct camhub **hub);

/*
 * For an event loop: polls readable when one of the functions below has something to do; then call
 * camhub_next() or camhub_newest() with timeout 0 for each subscription until -EAGAIN. The
 * library's, stays the same.
 */
int camhub_fd(const struct camhub *hub);

/*
 * What there is now. *streams: an array of *n pointers, in the order in which they became known;
 * all of it until the next call of camhub_streams() or camhub_close(). The list follows the
 * configuration while any function of this library is called. 0.
 */
int camhub_streams(struct camhub *hub, const struct camhub_stream *const **streams, size_t *n);

/*
 * Pictures of one stream ("door", "door.sub"). The first frame is the key frame of the newest group
 * of pictures. -ENOENT: there is none of that name. -EEXIST: the hub has that one already.
 */
int camhub_subscribe(struct camhub *hub, const char *stream, struct camhub_sub **sub);

/* NULL-safe, nulls the pointer. */
void camhub_unsubscribe(struct camhub_sub **sub);

/*
 * The next frame, in decoding order. The caller's, camhub_frame_free(). -EAGAIN: none came in time.
 * -EINVAL: camhub refuses this program again and again (told once for each refusal from the third
 * in a row on; it is tried again all the same).
 * 256 of them wait for a program that is slow; then it goes on with the newest key frame of those.
 */
int camhub_next(struct camhub_sub *sub, int timeout_ms, struct camhub_frame **frame);

/*
 * The same for programs slower than the camera: what is older than the newest key frame that waits
 * is left out (of JPEGs all but the newest). Where key frames are rare, decode until frame->behind
 * is 0 and look at that one.
 */
int camhub_newest(struct camhub_sub *sub, int timeout_ms, struct camhub_frame **frame);

/* NULL-safe, nulls the pointer. Also after the subscription or the hub has ended, in its thread. */
void camhub_frame_free(struct camhub_frame **frame);

/* size: sizeof(*stats) of the caller; members that this version does not know are 0. */
void camhub_stats(const struct camhub_sub *sub, struct camhub_stats *stats, size_t size);

/*
 * Say what was found: one JSON object as docs/protocol.md has it ("Analysers"), at most 65536
 * bytes, of a stream that this hub has subscribed to. Never blocks; the first call makes the
 * endpoint that camhub reads, what is said before it reads is lost. -EINVAL: no JSON object;
 * -EMSGSIZE; -EBUSY: more than 60 of a stream in a second; -EACCES and others: the endpoint cannot
 * be made.
 */
int camhub_publish(struct camhub *hub, const char *json, size_t len);

/* Words for an error of this library, negative or not. Never NULL; static. */
const char *camhub_strerror(int error);

/* "0.1.0": of the library that runs. */
const char *camhub_version(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
