/*
 * Feeds a reader as a connection does: unread bytes are shown again with more behind them.
 */
#include "config.h"

#include "tests/rtsp_feed.h"

#include "worker/rtsp_msg.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
put_text(FILE *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (isprint((unsigned char)text[i]))
			fputc(text[i], out);
		else
			fprintf(out, "\\%02x", (unsigned char)text[i]);
	}
}

static void
put_message(FILE *out, const struct rtsp_item *item)
{
	size_t i;

	if (item->kind == RTSP_ITEM_REPLY) {
		fprintf(out, "reply %u '", item->status);
		put_text(out, item->phrase.at, item->phrase.len);
	} else {
		fputs("request ", out);
		put_text(out, item->method.at, item->method.len);
		fputs(" '", out);
		put_text(out, item->uri.at, item->uri.len);
	}
	fprintf(out, "' v%u cseq %" PRId64, item->version, item->cseq);
	for (i = 0; i < item->n_headers; i++) {
		fputs(" [", out);
		put_text(out, item->headers[i].name.at, item->headers[i].name.len);
		fputc('=', out);
		put_text(out, item->headers[i].value.at, item->headers[i].value.len);
		fputc(']', out);
	}
	if (item->body_len > 0) {
		fputs(" body '", out);
		put_text(out, item->body, item->body_len);
		fputc('\'', out);
	}
	fputc('\n', out);
}

static void
put_item(FILE *out, const struct rtsp_item *item)
{
	size_t i;

	if (item->kind != RTSP_ITEM_DATA) {
		put_message(out, item);
		return;
	}
	fprintf(out, "data %u ", item->channel);
	for (i = 0; i < item->len; i++)
		fprintf(out, "%02x", item->data[i]);
	fputc('\n', out);
}

/* Takes all items that are in the bytes up to len; false after an error. */
static int
take_items(struct rtsp_reader *reader, const uint8_t *data, size_t len, size_t *done, FILE *out)
{
	struct rtsp_item item;
	uint8_t *copy;
	size_t used;
	int result;

	do {
		copy = malloc(len - *done + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, data + *done, len - *done);
		used = 0;
		result = rtsp_reader_next(reader, copy, len - *done, &used, &item);
		if (result == 1)
			put_item(out, &item);
		free(copy);
		*done += used;
	} while (result == 1);
	return result;
}

char *
rtsp_feed(struct rtsp_feed *feed, const void *data, size_t len)
{
	struct rtsp_reader *reader = rtsp_reader_new();
	size_t shown = 0, done = 0, text_len, piece;
	int result = 0;
	char *text;
	FILE *out = open_memstream(&text, &text_len);

	rtsp_reader_know_channel(reader, 0);
	rtsp_reader_know_channel(reader, 1);
	feed->most_unread = 0;
	while (shown < len && result == 0) {
		piece = feed->piece != NULL ? feed->piece(feed->arg) : len;
		shown += piece < len - shown ? piece : len - shown;
		result = take_items(reader, data, shown, &done, out);
		if (shown - done > feed->most_unread)
			feed->most_unread = shown - done;
	}
	if (result < 0)
		fprintf(out, "error %s\n", strerrorname_np(-result));
	fclose(out);
	rtsp_reader_free(&reader);
	return text;
}
