/*
 * RTSP on the wire (RFC 2326, RFC 7826): what a camera sends, taken apart as it arrives, and
 * requests and replies written. Pure: bytes in, bytes out.
 */
#ifndef CAMHUB_WORKER_RTSP_MSG_H
#define CAMHUB_WORKER_RTSP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTSP_HEADER_MAX  16384 /* start line and headers of one message */
#define RTSP_BODY_MAX    65536
#define RTSP_HEADERS_MAX 64 /* further ones are passed over */
#define RTSP_DATA_MAX    65535
#define RTSP_GARBAGE_MAX 65536 /* passed over between two items */

enum rtsp_item_kind {
	RTSP_ITEM_REPLY,
	RTSP_ITEM_REQUEST, /* from the camera: OPTIONS, ANNOUNCE, REDIRECT, SET_PARAMETER, ... */
	RTSP_ITEM_DATA,    /* interleaved (RFC 2326 10.12) */
};

struct rtsp_text { /* borrowed, not zero-terminated; no NUL in it */
	const char *at;
	size_t len;
};

struct rtsp_header {
	struct rtsp_text name, value; /* value without white space around it */
};

struct rtsp_item {
	enum rtsp_item_kind kind;
	/* DATA */
	uint8_t channel;
	const uint8_t *data; /* into the buffer given to rtsp_reader_next() */
	size_t len;
	/* REPLY and REQUEST; valid until the next call */
	unsigned status;              /* REPLY: 100..999 */
	struct rtsp_text phrase;      /* REPLY */
	struct rtsp_text method, uri; /* REQUEST */
	unsigned version;             /* 10 for RTSP/1.0, 20 */
	int64_t cseq;                 /* -1: absent or no number */
	const struct rtsp_header *headers;
	size_t n_headers;
	const char *body;
	size_t body_len;
};

struct rtsp_reader;
struct rtsp_reader *rtsp_reader_new(void);
void rtsp_reader_free(struct rtsp_reader **reader); /* NULL-safe */

/*
 * Interleaved data may come on this channel: it is found again behind stray bytes. The reader knows
 * those on which data came; say the ones of a Transport header.
 */
void rtsp_reader_know_channel(struct rtsp_reader *reader, uint8_t channel);

/*
 * The next whole item in buf. Returns 1: *item is it, and *used bytes are done with (drop them from
 * the buffer after handling the item). 0: more bytes are needed; *used may be above 0 (what the
 * reader has copied for itself, or passed over). -EPROTO: this is no RTSP, or a length is beyond
 * the limits; -ENOMEM; both stay. DATA is never copied. Interleaved data that a camera puts in the
 * middle of a message (at the beginning of a line of its headers, or of a description) comes out
 * first, as DATA. Empty lines and NULs between messages and messages that end their lines with LF
 * alone are borne. Stray bytes are passed over, RTSP_GARBAGE_MAX at most, up to the next "RTSP/" of
 * a reply or packet on a known channel. Bytes that were not used must be shown again.
 */
int rtsp_reader_next(struct rtsp_reader *reader, const uint8_t *buf, size_t len, size_t *used,
		     struct rtsp_item *item);

/* The first header of that name, any case; NULL: absent. The n-th one: rtsp_item_header_at(item,
 * name, n). */
const struct rtsp_text *rtsp_item_header(const struct rtsp_item *item, const char *name);
const struct rtsp_text *rtsp_item_header_at(const struct rtsp_item *item, const char *name,
					    size_t n);
bool rtsp_text_is(const struct rtsp_text *text, const char *word); /* any case */
char *rtsp_text_dup(const struct rtsp_text *text);                 /* malloc'd */
/* Whether a comma-separated list (Public, Require) holds the word, any case. */
bool rtsp_text_lists(const struct rtsp_text *text, const char *word);

/* Session: "id;timeout=60" (RFC 2326 12.37). id: size bytes. Returns 0, -EPROTO (empty, too long,
 * bytes that must not be there). *timeout_s is untouched when absent or absurd (< 1, > 3600). */
int rtsp_session_parse(const struct rtsp_text *value, char *id, size_t size, unsigned *timeout_s);

enum rtsp_method {
	RTSP_OPTIONS,
	RTSP_DESCRIBE,
	RTSP_SETUP,
	RTSP_PLAY,
	RTSP_PAUSE,
	RTSP_GET_PARAMETER,
	RTSP_TEARDOWN,
	RTSP_METHOD_COUNT
};
const char *rtsp_method_name(enum rtsp_method method);

struct rtsp_request {
	enum rtsp_method method;
	const char *uri;
	unsigned cseq;
	const char *session;       /* NULL: none yet */
	const char *authorization; /* the header's value; NULL: none */
	const char *transport;     /* SETUP */
	const char *range;         /* PLAY, NULL: none */
};
/* malloc'd, *len bytes. DESCRIBE carries Accept: application/sdp; all carry User-Agent. */
char *rtsp_request_write(const struct rtsp_request *request, size_t *len);
/* The answer to a camera's request: 200, 501, ... with its CSeq (-1: left out). malloc'd. */
char *rtsp_reply_write(unsigned status, int64_t cseq, const char *session, size_t *len);

#endif
