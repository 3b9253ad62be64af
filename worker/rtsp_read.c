/*
 * Takes apart what a camera sends: replies, requests and interleaved data, from a stream that may
 * be cut anywhere. What is told depends on the bytes alone, never on how they were cut. Text is
 * copied as it comes; packets and start lines stay in the caller's buffer until they are whole.
 */
#include "config.h"

#include "worker/rtsp_head.h"
#include "worker/rtsp_text.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DATA_HEADER_LEN 4
#define SYNC_LEN        5 /* "RTSP/", or a packet's header and first byte */
#define TEXT_CAP_MIN    1024

enum reader_state { BETWEEN, HEAD, BODY };

struct rtsp_reader {
	enum reader_state state;
	bool is_lost;       /* between messages, among stray bytes */
	bool at_line_start; /* of a head or body */
	bool is_told;       /* the message that is here was given out */
	int err;
	size_t passed; /* bytes passed over since the last item */
	uint8_t known[256 / 8];
	char *text;
	size_t text_len, text_cap;
	size_t line_at; /* in text: the line under way */
	char *body;
	size_t body_len;
	struct rtsp_head head;
};

/* What is left of the caller's buffer. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* Beside item (1) and negative errnos: */
enum { NEED_MORE = 0, GO_ON = 2 };

struct rtsp_reader *
rtsp_reader_new(void)
{
	return xcalloc(1, sizeof(struct rtsp_reader));
}

void
rtsp_reader_free(struct rtsp_reader **reader)
{
	if (*reader == NULL)
		return;
	free((*reader)->text);
	free((*reader)->body);
	free(*reader);
	*reader = NULL;
}

void
rtsp_reader_know_channel(struct rtsp_reader *reader, uint8_t channel)
{
	reader->known[channel / 8] |= (uint8_t)(1u << channel % 8);
}

static bool
is_known(const struct rtsp_reader *reader, uint8_t channel)
{
	return (reader->known[channel / 8] >> channel % 8 & 1) != 0;
}

static void
advance(struct input *in, size_t len)
{
	in->at += len;
	in->left -= len;
}

static int
pass_over(struct rtsp_reader *reader, struct input *in, size_t len)
{
	advance(in, len);
	reader->passed += len;
	return reader->passed > RTSP_GARBAGE_MAX ? -EPROTO : GO_ON;
}

static size_t
data_len(const struct input *in)
{
	return (size_t)in->at[2] << 8 | in->at[3];
}

/* '$', channel, 16 bits of length (RFC 2326 10.12). */
static int
take_data(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	size_t len;

	if (in->left < DATA_HEADER_LEN || in->left < DATA_HEADER_LEN + data_len(in))
		return NEED_MORE;
	len = data_len(in);
	*item = (struct rtsp_item){ .kind = RTSP_ITEM_DATA,
				    .channel = in->at[1],
				    .data = in->at + DATA_HEADER_LEN,
				    .len = len,
				    .cseq = -1 };
	rtsp_reader_know_channel(reader, in->at[1]);
	reader->is_lost = false;
	reader->passed = 0;
	advance(in, DATA_HEADER_LEN + len);
	return 1;
}

static int
grow_text(struct rtsp_reader *reader, size_t len)
{
	size_t cap = reader->text_cap > 0 ? reader->text_cap : TEXT_CAP_MIN;
	char *text;

	if (reader->text_len + len > RTSP_HEADER_MAX)
		return -EPROTO;
	while (cap < reader->text_len + len)
		cap *= 2;
	if (cap == reader->text_cap)
		return 0;
	text = realloc(reader->text, cap);
	if (text == NULL)
		return -ENOMEM;
	reader->text = text;
	reader->text_cap = cap;
	return 0;
}

static int
copy_text(struct rtsp_reader *reader, struct input *in, size_t len)
{
	int err = memchr(in->at, '\0', len) != NULL ? -EPROTO : grow_text(reader, len);

	if (err < 0)
		return err;
	memcpy(reader->text + reader->text_len, in->at, len);
	reader->text_len += len;
	advance(in, len);
	return 0;
}

/* Up to the end of the line, that included, or as much of it as is there. */
static size_t
line_len(const struct input *in, size_t max)
{
	size_t len = in->left < max ? in->left : max;
	const uint8_t *end = memchr(in->at, '\n', len);

	return end != NULL ? (size_t)(end - in->at) + 1 : len;
}

static int
be_lost(struct rtsp_reader *reader, struct input *in)
{
	reader->is_lost = true;
	return pass_over(reader, in, 1);
}

/* A start line stays where it is until all of it is seen to be one. */
static int
take_start_line(struct rtsp_reader *reader, struct input *in)
{
	const char *text = (const char *)in->at;
	size_t len = line_len(in, RTSP_LINE_MAX);
	struct rtsp_item ignored;
	int err;

	if (text[len - 1] != '\n' && len < RTSP_LINE_MAX && rtsp_head_may_begin(text, len))
		return NEED_MORE;
	if (text[len - 1] != '\n' ||
	    rtsp_head_parse_line((struct rtsp_text){ text, len }, &ignored) < 0)
		return be_lost(reader, in);
	err = copy_text(reader, in, len);
	if (err < 0)
		return err;
	reader->state = HEAD;
	reader->at_line_start = true;
	reader->line_at = reader->text_len;
	return GO_ON;
}

/* Among stray bytes a packet is one of RTP's version 2 on a known channel. */
static bool
is_sync_data(const struct rtsp_reader *reader, const struct input *in)
{
	return in->at[0] == '$' && is_known(reader, in->at[1]) && data_len(in) > 0 &&
	       in->at[DATA_HEADER_LEN] >> 6 == 2;
}

static int
find_sync(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	size_t skip = 0;

	while (skip < in->left && in->at[skip] != '$' && in->at[skip] != 'R')
		skip++;
	if (skip > 0)
		return pass_over(reader, in, skip);
	if (in->left < SYNC_LEN)
		return NEED_MORE;
	if (is_sync_data(reader, in))
		return take_data(reader, in, item);
	if (memcmp(in->at, "RTSP/", SYNC_LEN) == 0)
		return take_start_line(reader, in);
	return pass_over(reader, in, 1);
}

/* Line ends, and the NUL that some cameras send with their strings. */
static bool
is_filler(uint8_t byte)
{
	return byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t' || byte == '\0';
}

static int
step_between(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	size_t skip = 0;

	if (reader->is_lost)
		return find_sync(reader, in, item);
	while (skip < in->left && is_filler(in->at[skip]))
		skip++;
	if (skip > 0)
		return pass_over(reader, in, skip);
	if (in->at[0] == '$')
		return take_data(reader, in, item);
	return take_start_line(reader, in);
}

static int
give_message(struct rtsp_reader *reader, struct rtsp_item *item)
{
	reader->state = BETWEEN;
	reader->is_lost = false;
	reader->passed = 0;
	reader->is_told = true;
	*item = reader->head.item;
	item->body = reader->body;
	item->body_len = reader->body_len;
	return 1;
}

static int
end_head(struct rtsp_reader *reader, struct rtsp_item *item)
{
	int err = rtsp_head_parse(reader->text, reader->text_len, &reader->head);

	if (err < 0)
		return err;
	if (reader->head.content_len == 0)
		return give_message(reader, item);
	reader->body = malloc(reader->head.content_len);
	if (reader->body == NULL)
		return -ENOMEM;
	reader->state = BODY;
	return GO_ON;
}

static bool
is_empty_line(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	return len == 0;
}

static int
step_head(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	const char *line;
	size_t len;
	int err;

	if (reader->at_line_start && in->at[0] == '$')
		return take_data(reader, in, item);
	err = copy_text(reader, in, line_len(in, in->left));
	if (err < 0)
		return err;
	reader->at_line_start = reader->text[reader->text_len - 1] == '\n';
	if (!reader->at_line_start)
		return GO_ON;
	line = reader->text + reader->line_at;
	len = reader->text_len - reader->line_at;
	reader->line_at = reader->text_len;
	return is_empty_line(line, len) ? end_head(reader, item) : GO_ON;
}

/* Text may begin a line with '$', but goes on otherwise than a packet does. 1, 0, NEED_MORE as -1.
 */
static int
is_data_in_body(const struct input *in)
{
	if (in->left < DATA_HEADER_LEN)
		return -1;
	if (data_len(in) == 0)
		return 1;
	if (in->left < SYNC_LEN)
		return -1;
	return in->at[DATA_HEADER_LEN] >> 6 == 2;
}

static int
step_body(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	size_t len;
	int is_data;

	if (reader->at_line_start && in->at[0] == '$') {
		is_data = is_data_in_body(in);
		if (is_data < 0)
			return NEED_MORE;
		if (is_data > 0)
			return take_data(reader, in, item);
	}
	len = line_len(in, reader->head.content_len - reader->body_len);
	memcpy(reader->body + reader->body_len, in->at, len);
	reader->body_len += len;
	reader->at_line_start = reader->body[reader->body_len - 1] == '\n';
	advance(in, len);
	return reader->body_len == reader->head.content_len ? give_message(reader, item) : GO_ON;
}

static void
forget_message(struct rtsp_reader *reader)
{
	reader->is_told = false;
	reader->text_len = 0;
	reader->body_len = 0;
	free(reader->body);
	reader->body = NULL;
}

static int
step(struct rtsp_reader *reader, struct input *in, struct rtsp_item *item)
{
	static int (*const steps[])(struct rtsp_reader *, struct input *, struct rtsp_item *) = {
		[BETWEEN] = step_between,
		[HEAD] = step_head,
		[BODY] = step_body,
	};

	return in->left > 0 ? steps[reader->state](reader, in, item) : NEED_MORE;
}

int
rtsp_reader_next(struct rtsp_reader *reader, const uint8_t *buf, size_t len, size_t *used,
		 struct rtsp_item *item)
{
	struct input in = { buf, len };
	int result;

	if (reader->err < 0)
		return reader->err;
	if (reader->is_told)
		forget_message(reader);
	do
		result = step(reader, &in, item);
	while (result == GO_ON);
	if (result < 0)
		reader->err = result;
	else
		*used = len - in.left;
	return result;
}
