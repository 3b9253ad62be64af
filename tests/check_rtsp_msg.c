/*
 * The reader of RTSP: what comes out of a stream, however it is cut.
 */
#include "config.h"

#include "worker/rtsp_msg.h"

#include "tests/harness/harness.h"
#include "tests/rtsp_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRLF       "\r\n"
#define BYTES(...) __VA_ARGS__, sizeof(__VA_ARGS__) - 1
#define OK_1       "reply 200 'OK' v10 cseq 1 [CSeq=1]\n"
#define SENT_1     "RTSP/1.0 200 OK" CRLF "CSeq: 1" CRLF CRLF

/* $ channel, 16 bits of length; the bytes of RTP begin with 0x80. */
#define PACKET_0 "$\0\0\3\x80\x60\x01"
#define PACKET_7 "$\7\0\2\x80\x61"
#define DATA_0   "data 0 806001\n"
#define DATA_7   "data 7 8061\n"

struct row {
	const char *bytes;
	size_t len;
	const char *want;
};

static const struct row messages[] = {
	{ BYTES(SENT_1), OK_1 },
	{ BYTES(SENT_1 SENT_1), OK_1 OK_1 },
	{ BYTES("RTSP/1.0 200 OK\nCSeq: 1\n\n"), OK_1 },
	{ BYTES("RTSP/1.0 200 OK\nCSeq: 1\r\n\n" SENT_1), OK_1 OK_1 },
	{ BYTES("RTSP/1.0 200 OK\r\r\nCSeq: 1\r\r\n\r\r\n"), OK_1 },
	/* Start lines. */
	{ BYTES("RTSP/1.0 200" CRLF CRLF), "reply 200 '' v10 cseq -1\n" },
	{ BYTES("RTSP/1.0 200 " CRLF CRLF), "reply 200 '' v10 cseq -1\n" },
	{ BYTES("RTSP/1.0  200 OK" CRLF CRLF), "reply 200 'OK' v10 cseq -1\n" },
	{ BYTES("RTSP/1.0\t200\tOK" CRLF CRLF), "reply 200 'OK' v10 cseq -1\n" },
	{ BYTES("RTSP/1.0 404  Stream  Not Found " CRLF CRLF),
	  "reply 404 'Stream  Not Found' v10 cseq -1\n" },
	{ BYTES("RTSP/2.0 999 x" CRLF CRLF), "reply 999 'x' v20 cseq -1\n" },
	{ BYTES("RTSP/1 100 x" CRLF CRLF), "reply 100 'x' v10 cseq -1\n" },
	{ BYTES("rtsp/1.0 200 ok" CRLF CRLF), "reply 200 'ok' v10 cseq -1\n" },
	{ BYTES("HTTP/1.1 401 Unauthorized" CRLF "cseq:7" CRLF CRLF),
	  "reply 401 'Unauthorized' v10 cseq 7 [cseq=7]\n" },
	{ BYTES("OPTIONS * RTSP/1.0" CRLF "CSeq: 5" CRLF CRLF),
	  "request OPTIONS '*' v10 cseq 5 [CSeq=5]\n" },
	{ BYTES("SET_PARAMETER  rtsp://camera/a?b=1  RTSP/1.0" CRLF "CSeq: 5" CRLF
		"Content-Length: 3" CRLF CRLF "a:b" SENT_1),
	  "request SET_PARAMETER 'rtsp://camera/a?b=1' v10 cseq 5 [CSeq=5] [Content-Length=3] "
	  "body 'a:b'\n" OK_1 },
	/* Headers. */
	{ BYTES("RTSP/1.0 200 OK" CRLF "cSEQ \t:  1 " CRLF "X:" CRLF "Y: a:b" CRLF "no colon" CRLF
		": no name" CRLF CRLF),
	  "reply 200 'OK' v10 cseq 1 [cSEQ=1] [X=] [Y=a:b]\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Public: OPTIONS," CRLF " \tDESCRIBE," CRLF "\tPLAY" CRLF
		"CSeq:" CRLF "  1" CRLF CRLF),
	  "reply 200 'OK' v10 cseq 1 [Public=OPTIONS,   \\09DESCRIBE,  \\09PLAY] [CSeq=1]\n" },
	{ BYTES("RTSP/1.0 200 OK\nPublic: OPTIONS,\n DESCRIBE\n\n"),
	  "reply 200 'OK' v10 cseq -1 [Public=OPTIONS,  DESCRIBE]\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "CSeq: 1x" CRLF "CSeq: 2" CRLF "CSeq: 3" CRLF CRLF),
	  "reply 200 'OK' v10 cseq 2 [CSeq=1x] [CSeq=2] [CSeq=3]\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "CSeq: -1" CRLF CRLF),
	  "reply 200 'OK' v10 cseq -1 [CSeq=-1]\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "CSeq: 9223372036854775807" CRLF CRLF),
	  "reply 200 'OK' v10 cseq 9223372036854775807 [CSeq=9223372036854775807]\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "CSeq: 9223372036854775808" CRLF CRLF),
	  "reply 200 'OK' v10 cseq -1 [CSeq=9223372036854775808]\n" },
	/* Bodies. */
	{ BYTES("RTSP/1.0 200 OK" CRLF "CONTENT-LENGTH :  5 " CRLF CRLF "v=0" CRLF SENT_1),
	  "reply 200 'OK' v10 cseq -1 [CONTENT-LENGTH=5] body 'v=0\\0d\\0a'\n" OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 0" CRLF CRLF SENT_1),
	  "reply 200 'OK' v10 cseq -1 [Content-Length=0]\n" OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 2" CRLF "content-length: 02" CRLF CRLF
		"\n\0" SENT_1),
	  "reply 200 'OK' v10 cseq -1 [Content-Length=2] [content-length=02] body "
	  "'\\0a\\00'\n" OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 3" CRLF CRLF "v="), "" },
	/* Incomplete. */
	{ BYTES("RTSP/1.0 200 OK" CRLF "CSeq: 1" CRLF), "" },
	{ BYTES("RTSP/1.0 200 OK"), "" },
	{ BYTES("R"), "" },
	{ BYTES(""), "" },
};

static const struct row packets[] = {
	{ BYTES(PACKET_0), DATA_0 },
	{ BYTES(PACKET_7 PACKET_0), DATA_7 DATA_0 },
	{ BYTES(PACKET_0 SENT_1 PACKET_7 PACKET_7 SENT_1), DATA_0 OK_1 DATA_7 DATA_7 OK_1 },
	{ BYTES("$\0\0\0" SENT_1 "$\xff\0\0$\0\0\1R"), "data 0 \n" OK_1 "data 255 \ndata 0 52\n" },
	/* A packet that holds what looks like a reply. */
	{ BYTES("$\0\0\x1aRTSP/1.0 200 OK\r\nCSeq: 1\r\n" PACKET_7),
	  "data 0 525453502f312e3020323030204f4b0d0a435365713a20310d0a\n" DATA_7 },
	/* In a head, where a line begins. */
	{ BYTES("RTSP/1.0 200 OK" CRLF PACKET_0 "CSeq: 1" CRLF PACKET_7 PACKET_0 CRLF),
	  DATA_0 DATA_7 DATA_0 OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "$\0\0\2\n\nCSeq: 1" CRLF "$\0\0\0" CRLF),
	  "data 0 0a0a\ndata 0 \n" OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "X: a" CRLF PACKET_0 " b" CRLF CRLF),
	  DATA_0 "reply 200 'OK' v10 cseq -1 [X=a   b]\n" },
	/* Nowhere else. */
	{ BYTES("RTSP/1.0 200 $OK" CRLF "CSeq: 1" CRLF " $1" CRLF CRLF),
	  "reply 200 '$OK' v10 cseq -1 [CSeq=1   $1]\n" },
	/* In a description. */
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 10" CRLF CRLF PACKET_7 "v=0" CRLF PACKET_0
		"s=-" PACKET_0 CRLF),
	  DATA_7 DATA_0 "reply 200 'OK' v10 cseq -1 [Content-Length=10] body "
			"'v=0\\0d\\0as=-$\\00'\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 8" CRLF CRLF "v=0\n" PACKET_0 "$\0\0\0"
		"s=-\n" PACKET_7),
	  DATA_0 "data 0 \nreply 200 'OK' v10 cseq -1 [Content-Length=8] body "
		 "'v=0\\0as=-\\0a'\n" DATA_7 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 12" CRLF CRLF "$9.50\n$1\n$\n\nX" PACKET_7),
	  "reply 200 'OK' v10 cseq -1 [Content-Length=12] body "
	  "'$9.50\\0a$1\\0a$\\0a\\0a'\n" },
};

static const struct row strays[] = {
	/* What is passed over in silence. */
	{ BYTES("\r\n\r\n\n \t" SENT_1 "\0\0" SENT_1 "\0\r\n" PACKET_7), OK_1 OK_1 DATA_7 },
	/* A description without its Content-Length, a sender's string that is longer than told. */
	{ BYTES(SENT_1 "v=0" CRLF "o=- 0 0 IN IP4 0.0.0.0" CRLF "a=control:rtsp://h/a" CRLF SENT_1),
	  OK_1 OK_1 },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 3" CRLF CRLF "v=0s=RTS" SENT_1 PACKET_7),
	  "reply 200 'OK' v10 cseq -1 [Content-Length=3] body 'v=0'\n" OK_1 DATA_7 },
	/* Packets with bytes between them. */
	{ BYTES(PACKET_0 "\xde\xad\xbe\xef" PACKET_0), DATA_0 DATA_0 },
	{ BYTES(PACKET_7 "\xde\xad" PACKET_7 PACKET_0), DATA_7 DATA_7 DATA_0 },
	{ BYTES("\xde\xad" PACKET_0 PACKET_7), DATA_0 DATA_7 },
	/* Not on a channel that nobody knows, not without bytes, not of another version. */
	{ BYTES("\xde\xad" PACKET_7 PACKET_0 PACKET_7), DATA_0 DATA_7 },
	{ BYTES("\xde\xad$\0\0\0" PACKET_0), DATA_0 },
	{ BYTES("\xde\xad$\0\0\0\x80" PACKET_0), DATA_0 },
	{ BYTES("\xde\xad$\0\x40\0\x40$\1\0\2\xc0\x61" PACKET_0), DATA_0 },
	{ BYTES("\xde$$$\0\0\3\x80\x60\x01"), DATA_0 },
	/* What only looks like a beginning. */
	{ BYTES("RTSP/1.0 OK" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/1.0 99 x" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/1.0 1000 x" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/1.x 200 OK" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/x.0 200 OK" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/1.0 200 \1" CRLF SENT_1), OK_1 },
	{ BYTES("OPTIONS *" CRLF SENT_1), OK_1 },
	{ BYTES("OPTIONS RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("OPTIONS * RTSP/1.0x" CRLF SENT_1), OK_1 },
	{ BYTES("OPTIONS\t* RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("OPTIONS\t * RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("Options * RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("AVERYLONGWORDOFMANYLETTERSINCAPITALS * RTSP/1.0" CRLF SENT_1), OK_1 },
	{ BYTES("RTSP/RTSP/1.0 200 OK" CRLF "CSeq: 1" CRLF CRLF), OK_1 },
	{ BYTES("XRTSP/1.0 200 OK" CRLF "CSeq: 1" CRLF CRLF), OK_1 },
	{ BYTES("X RTSP" PACKET_0 SENT_1), DATA_0 OK_1 },
};

static const struct row errors[] = {
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: -1" CRLF CRLF), "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length:" CRLF CRLF), "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 0x10" CRLF CRLF), "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 65537" CRLF CRLF), "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 18446744073709551617" CRLF CRLF),
	  "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "Content-Length: 3" CRLF "Content-Length: 4" CRLF CRLF),
	  "error EPROTO\n" },
	{ BYTES("RTSP/1.0 200 OK" CRLF "X: a\0b" CRLF CRLF SENT_1), "error EPROTO\n" },
	{ BYTES(SENT_1 PACKET_7 "RTSP/1.0 200 OK" CRLF "\0"), OK_1 DATA_7 "error EPROTO\n" },
};

static size_t
one_byte(void *arg)
{
	(void)arg;
	return 1;
}

/* First so many, then the rest. */
static size_t
cut_at(void *arg)
{
	size_t *at = arg, piece = *at;

	*at = SIZE_MAX;
	return piece;
}

static void
check_feed(const struct row *row, struct rtsp_feed feed)
{
	char *found = rtsp_feed(&feed, row->bytes, row->len);

	ck_assert_msg(strcmp(found, row->want) == 0, "of %s\ncame\n%s\ninstead of\n%s", row->bytes,
		      found, row->want);
	free(found);
}

static void
check_row(const struct row *row)
{
	size_t i, at;

	check_feed(row, (struct rtsp_feed){ 0 });
	check_feed(row, (struct rtsp_feed){ .piece = one_byte });
	for (i = 1; i < row->len; i++) {
		at = i;
		check_feed(row, (struct rtsp_feed){ .piece = cut_at, .arg = &at });
	}
}

START_TEST(messages_are_told)
{
	check_row(&messages[_i]);
}
END_TEST

START_TEST(packets_are_told_wherever_they_stand)
{
	check_row(&packets[_i]);
}
END_TEST

START_TEST(stray_bytes_are_passed_over)
{
	check_row(&strays[_i]);
}
END_TEST

START_TEST(what_is_no_rtsp_is_an_error)
{
	check_row(&errors[_i]);
}
END_TEST

/* before, n times unit, after; fed whole and byte by byte. */
static char *
feed_repeated(const char *before, const char *unit, size_t n, const char *after, size_t *unread)
{
	struct rtsp_feed whole = { 0 }, bytes = { .piece = one_byte };
	size_t len = strlen(before) + n * strlen(unit) + strlen(after);
	char *stream = malloc(len + 1), *to, *first, *second;

	ck_assert_ptr_nonnull(stream);
	to = stpcpy(stream, before);
	while (n-- > 0)
		to = stpcpy(to, unit);
	strcpy(to, after);
	first = rtsp_feed(&whole, stream, len);
	second = rtsp_feed(&bytes, stream, len);
	ck_assert_str_eq(first, second);
	*unread = bytes.most_unread;
	free(stream);
	free(second);
	return first;
}

static const struct {
	const char *before, *unit;
	size_t most; /* repetitions that are borne */
	const char *after, *want, *beyond;
	size_t unread; /* may wait in the caller's buffer while nothing is told */
} limits[] = {
	/* 16384 bytes of head: 17 + 8 are the rest. */
	{ "RTSP/1.0 200 OK\r\n", " ", 16384 - 25, "X: a\r\n\r\n", "reply 200 'OK", "error EPROTO\n",
	  18 },
	{ "RTSP/1.0 200 OK\r\nX:", "a", 16384 - 23, "\r\n\r\n", "reply 200 'OK'", "error EPROTO\n",
	  18 },
	/* 4096 bytes of start line. */
	{ "RTSP/1.0 200 ", "a", 4096 - 15, "\r\n\r\n" SENT_1, "reply 200 'aaa", OK_1, 4096 },
	{ "OPTIONS rtsp://", "a", 4096 - 26, " RTSP/1.0\r\n\r\n", "request OPTIONS", "", 4096 },
	/* 65536 bytes that are nothing. */
	{ "", "\n", 65536, SENT_1, OK_1, "error EPROTO\n", 18 },
	{ "", "x", 65536, SENT_1, OK_1, "error EPROTO\n", 18 },
	{ SENT_1, "x", 65536, SENT_1, OK_1 OK_1, OK_1 "error EPROTO\n", 18 },
	{ "", "RTSP", 16384, SENT_1, OK_1, "error EPROTO\n", 33 },
};

START_TEST(limits_hold)
{
	size_t unread;
	char *found = feed_repeated(limits[_i].before, limits[_i].unit, limits[_i].most,
				    limits[_i].after, &unread);

	ck_assert_msg(strncmp(found, limits[_i].want, strlen(limits[_i].want)) == 0, "came %.200s",
		      found);
	ck_assert_uint_le(unread, limits[_i].unread);
	free(found);
	found = feed_repeated(limits[_i].before, limits[_i].unit, limits[_i].most + 1,
			      limits[_i].after, &unread);
	ck_assert_msg(strcmp(found, limits[_i].beyond) == 0, "came %.200s", found);
	free(found);
}
END_TEST

/* What is passed over between two items is counted from the last one. */
START_TEST(stray_bytes_are_counted_anew_behind_each_item)
{
	size_t len = 4 * 40000, i, at;
	char *stream = malloc(len), *found;
	struct rtsp_feed feed = { 0 };

	memset(stream, 'x', len);
	for (i = 0; i < 4; i++) {
		at = i * 40000 + 39000;
		memcpy(stream + at, i % 2 ? SENT_1 : PACKET_0,
		       i % 2 ? strlen(SENT_1) : sizeof(PACKET_0) - 1);
	}
	found = rtsp_feed(&feed, stream, len);
	ck_assert_str_eq(found, DATA_0 OK_1 DATA_0 OK_1);
	free(found);
	free(stream);
}
END_TEST

/* The reader copies text as it comes, so that a body of 64 KiB in single bytes is no work. */
START_TEST(a_body_of_the_greatest_size_does_not_wait_in_the_buffer)
{
	size_t unread;
	char *found = feed_repeated("RTSP/1.0 200 OK\r\nContent-Length: 65536\r\n\r\n", "a\n$\n",
				    16384, SENT_1, &unread);

	ck_assert_uint_le(unread, 18);
	ck_assert_ptr_nonnull(strstr(found, "a\\0a$\\0a'\n" OK_1));
	free(found);
}
END_TEST

START_TEST(a_packet_of_the_greatest_size_is_told)
{
	static uint8_t stream[4 + 65535 + 8] = { '$', 1, 0xff, 0xff };
	struct rtsp_feed feed = { .piece = one_byte };
	char *found;

	memset(stream + 4, 0xab, 65535);
	memcpy(stream + 4 + 65535, PACKET_0, sizeof(PACKET_0) - 1);
	found = rtsp_feed(&feed, stream, 4 + 65535 + sizeof(PACKET_0) - 1);
	ck_assert_uint_eq(strlen(found), strlen("data 1 ") + 2 * 65535 + 1 + strlen(DATA_0));
	ck_assert_str_eq(found + strlen(found) - strlen(DATA_0), DATA_0);
	free(found);
}
END_TEST

/* Data is shown where it arrived, and the unread bytes behind it stay. */
START_TEST(packets_are_not_copied)
{
	static const uint8_t buf[] = PACKET_0 SENT_1;
	struct rtsp_reader *reader = rtsp_reader_new();
	struct rtsp_item item;
	size_t used = 0;

	ck_assert_int_eq(rtsp_reader_next(reader, buf, sizeof(buf) - 1, &used, &item), 1);
	ck_assert_ptr_eq(item.data, buf + 4);
	ck_assert_uint_eq(item.len, 3);
	ck_assert_uint_eq(used, sizeof(PACKET_0) - 1);
	ck_assert_int_eq(item.kind, RTSP_ITEM_DATA);
	ck_assert_uint_eq(item.channel, 0);
	ck_assert_uint_eq(item.n_headers, 0);
	rtsp_reader_free(&reader);
	ck_assert_ptr_null(reader);
	rtsp_reader_free(&reader);
}
END_TEST

START_TEST(an_error_stays)
{
	static const char bad[] = "RTSP/1.0 200 OK\r\n\0";
	struct rtsp_reader *reader = rtsp_reader_new();
	struct rtsp_item item;
	size_t used = 77;

	ck_assert_int_eq(
	    rtsp_reader_next(reader, (const uint8_t *)bad, sizeof(bad) - 1, &used, &item), -EPROTO);
	ck_assert_int_eq(
	    rtsp_reader_next(reader, (const uint8_t *)SENT_1, strlen(SENT_1), &used, &item),
	    -EPROTO);
	ck_assert_uint_eq(used, 77);
	rtsp_reader_free(&reader);
}
END_TEST

/* 64 headers are told; what the reader needs is heard behind them, too. */
START_TEST(too_many_headers_are_passed_over)
{
	char stream[4096] = "RTSP/1.0 200 OK\r\n", *to = stream + strlen(stream);
	struct rtsp_reader *reader = rtsp_reader_new();
	struct rtsp_item item;
	size_t used = 0;
	int i;

	for (i = 0; i < 70; i++)
		to += sprintf(to, "X%d: %d\r\n", i % 7, i);
	strcpy(to, "CSeq: 9\r\nContent-Length: 2\r\n\r\nab");
	ck_assert_int_eq(
	    rtsp_reader_next(reader, (const uint8_t *)stream, strlen(stream), &used, &item), 1);
	ck_assert_uint_eq(used, strlen(stream));
	ck_assert_uint_eq(item.n_headers, RTSP_HEADERS_MAX);
	ck_assert_int_eq(item.cseq, 9);
	ck_assert_uint_eq(item.body_len, 2);
	ck_assert(rtsp_text_is(rtsp_item_header(&item, "x3"), "3"));
	ck_assert(rtsp_text_is(rtsp_item_header_at(&item, "X3", 0), "3"));
	ck_assert(rtsp_text_is(rtsp_item_header_at(&item, "X3", 8), "59"));
	ck_assert_ptr_null(rtsp_item_header_at(&item, "X3", 9));
	ck_assert_ptr_null(rtsp_item_header(&item, "X"));
	rtsp_reader_free(&reader);
}
END_TEST

static const struct {
	const char *text, *word;
	bool is, lists;
} words[] = {
	{ "OPTIONS", "options", true, true },
	{ "OPTIONS", "OPTION", false, false },
	{ "OPTIONS, DESCRIBE", "DESCRIBE", false, true },
	{ " OPTIONS ,describe\t,, PLAY", "DESCRIBE", false, true },
	{ " OPTIONS ,describe\t,, PLAY", "PLAY", false, true },
	{ "GET_PARAMETERS", "GET_PARAMETER", false, false },
	{ "SET GET_PARAMETER", "GET_PARAMETER", false, false },
	{ "\"a,PLAY,b\"", "PLAY", false, false },
	{ "\"a\\\"\",PLAY", "PLAY", false, true },
	{ "\"a,PLAY", "PLAY", false, false },
	{ "", "PLAY", false, false },
};

START_TEST(words_are_found)
{
	struct rtsp_text text = { words[_i].text, strlen(words[_i].text) };
	char *copy = rtsp_text_dup(&text);

	ck_assert_str_eq(copy, words[_i].text);
	ck_assert_int_eq(rtsp_text_is(&text, words[_i].word), words[_i].is);
	ck_assert_int_eq(rtsp_text_lists(&text, words[_i].word), words[_i].lists);
	free(copy);
}
END_TEST

static const struct {
	const char *text;
	int err;
	const char *id;
	unsigned timeout_s; /* 0: as before */
} sessions[] = {
	{ "12345678", 0, "12345678", 0 },
	{ "12345678;timeout=60", 0, "12345678", 60 },
	{ " a+b/c==-._$ ; x=y ;TimeOut = \"30\" ", 0, "a+b/c==-._$", 30 },
	{ "1;timeout=30s", 0, "1", 30 },
	{ "1;;=;timeout=30;", 0, "1", 30 },
	{ "1;timeout=1", 0, "1", 1 },
	{ "1;timeout=3600", 0, "1", 3600 },
	{ "1;timeout=3601", 0, "1", 0 },
	{ "1;timeout=0", 0, "1", 0 },
	{ "1;timeout=-5", 0, "1", 0 },
	{ "1;timeout=", 0, "1", 0 },
	{ "1;timeout", 0, "1", 0 },
	{ "1;timeout=99999999999999999999", 0, "1", 0 },
	{ "123456789012345", 0, "123456789012345", 0 },
	{ "1234567890123456", -EPROTO, "?", 0 },
	{ "", -EPROTO, "?", 0 },
	{ " ", -EPROTO, "?", 0 },
	{ ";timeout=60", -EPROTO, "?", 0 },
	{ "a b", -EPROTO, "?", 0 },
	{ "a\rX: y", -EPROTO, "?", 0 },
	{ "\xc3\xa4", -EPROTO, "?", 0 },
	{ "a\x7f", -EPROTO, "?", 0 },
};

START_TEST(sessions_are_read)
{
	struct rtsp_text text = { sessions[_i].text, strlen(sessions[_i].text) };
	char id[16] = "?";
	unsigned timeout_s = 77;

	ck_assert_int_eq(rtsp_session_parse(&text, id, sizeof(id), &timeout_s), sessions[_i].err);
	ck_assert_str_eq(id, sessions[_i].id);
	ck_assert_uint_eq(timeout_s, sessions[_i].timeout_s > 0 ? sessions[_i].timeout_s : 77);
}
END_TEST

#define AGENT "User-Agent: camhub/" PACKAGE_VERSION CRLF

static const struct {
	struct rtsp_request request;
	const char *want;
} requests[] = {
	{ { .method = RTSP_OPTIONS, .uri = "rtsp://h/a", .cseq = 1 },
	  "OPTIONS rtsp://h/a RTSP/1.0" CRLF "CSeq: 1" CRLF AGENT CRLF },
	{ { .method = RTSP_DESCRIBE,
	    .uri = "rtsp://h/a",
	    .cseq = 2,
	    .authorization = "Basic YTpi" },
	  "DESCRIBE rtsp://h/a RTSP/1.0" CRLF "CSeq: 2" CRLF "Authorization: Basic YTpi" CRLF AGENT
	  "Accept: application/sdp" CRLF CRLF },
	{ { .method = RTSP_SETUP,
	    .uri = "rtsp://h/a/1",
	    .cseq = 3,
	    .transport = "RTP/AVP/TCP;unicast;interleaved=0-1" },
	  "SETUP rtsp://h/a/1 RTSP/1.0" CRLF "CSeq: 3" CRLF AGENT
	  "Transport: RTP/AVP/TCP;unicast;interleaved=0-1" CRLF CRLF },
	{ { .method = RTSP_PLAY,
	    .uri = "*",
	    .cseq = 4294967295,
	    .session = "x",
	    .range = "npt=0-" },
	  "PLAY * RTSP/1.0" CRLF "CSeq: 4294967295" CRLF AGENT "Session: x" CRLF
	  "Range: npt=0-" CRLF CRLF },
	{ { .method = RTSP_PAUSE, .uri = "*" }, "PAUSE * RTSP/1.0" CRLF "CSeq: 0" CRLF AGENT CRLF },
	{ { .method = RTSP_GET_PARAMETER, .uri = "*" },
	  "GET_PARAMETER * RTSP/1.0" CRLF "CSeq: 0" CRLF AGENT CRLF },
	{ { .method = RTSP_TEARDOWN, .uri = "*" },
	  "TEARDOWN * RTSP/1.0" CRLF "CSeq: 0" CRLF AGENT CRLF },
	/* No part can end its line. */
	{ { .method = RTSP_PLAY,
	    .uri = "rtsp://h/a b\r\nX: y\x7f",
	    .session = "x\r\nX: y",
	    .authorization = "z\n\nX: y\x7f" },
	  "PLAY rtsp://h/abX:y RTSP/1.0" CRLF "CSeq: 0" CRLF "Authorization: zX: y" CRLF AGENT
	  "Session: xX: y" CRLF CRLF },
};

START_TEST(requests_are_written)
{
	size_t len;
	char *text = rtsp_request_write(&requests[_i].request, &len);

	ck_assert_str_eq(text, requests[_i].want);
	ck_assert_uint_eq(len, strlen(text));
	free(text);
}
END_TEST

static const struct {
	unsigned status;
	int64_t cseq;
	const char *session, *want;
} replies[] = {
	{ 200, 5, NULL, "RTSP/1.0 200 OK" CRLF "CSeq: 5" CRLF CRLF },
	{ 200, -1, "a\r\nb", "RTSP/1.0 200 OK" CRLF "Session: ab" CRLF CRLF },
	{ 501, INT64_MAX, NULL,
	  "RTSP/1.0 501 Not Implemented" CRLF "CSeq: 9223372036854775807" CRLF CRLF },
	{ 299, -1, NULL, "RTSP/1.0 299 OK" CRLF CRLF },
	{ 499, -1, NULL, "RTSP/1.0 499 Error" CRLF CRLF },
};

START_TEST(replies_are_written)
{
	size_t len;
	char *text =
	    rtsp_reply_write(replies[_i].status, replies[_i].cseq, replies[_i].session, &len);

	ck_assert_str_eq(text, replies[_i].want);
	ck_assert_uint_eq(len, strlen(text));
	free(text);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_msg");
	TCase *tcase = tcase_create("reader");

	tcase_add_loop_test(tcase, messages_are_told, 0, ROWS(messages));
	tcase_add_loop_test(tcase, packets_are_told_wherever_they_stand, 0, ROWS(packets));
	tcase_add_loop_test(tcase, stray_bytes_are_passed_over, 0, ROWS(strays));
	tcase_add_loop_test(tcase, what_is_no_rtsp_is_an_error, 0, ROWS(errors));
	tcase_add_loop_test(tcase, limits_hold, 0, ROWS(limits));
	tcase_add_test(tcase, stray_bytes_are_counted_anew_behind_each_item);
	tcase_add_test(tcase, a_body_of_the_greatest_size_does_not_wait_in_the_buffer);
	tcase_add_test(tcase, a_packet_of_the_greatest_size_is_told);
	tcase_add_test(tcase, packets_are_not_copied);
	tcase_add_test(tcase, an_error_stays);
	tcase_add_test(tcase, too_many_headers_are_passed_over);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("text");
	tcase_add_loop_test(tcase, words_are_found, 0, ROWS(words));
	tcase_add_loop_test(tcase, sessions_are_read, 0, ROWS(sessions));
	tcase_add_loop_test(tcase, requests_are_written, 0, ROWS(requests));
	tcase_add_loop_test(tcase, replies_are_written, 0, ROWS(replies));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
