/*
 * One result: what is one, what is not, and what is made of it; the frames it may be of; the bytes
 * it comes in. Tables.
 */
#include "config.h"

#include "http/result.h"
#include "http/sp_reader.h"
#include "http/stamps.h"
#include "shared/clock.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OF_DOOR   "\"stream\":\"door\",\"epoch\":7,\"seq\":9"
#define OBJECT(x) "{" OF_DOOR ",\"objects\":[{" x "}]}"
#define BOX       "\"box\":[0,0,1,1]"
#define C64       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* What comes of it, NULL: it is none. */
static const struct {
	const char *text, *written;
} rows[] = {
	{ "{" OF_DOOR "}", "\"seq\":9,\"arrived_us\":5,\"objects\":[]}" },
	{ "{\"stream\":\"door.sub\",\"arrived\":1}", "\"objects\":[]}" },
	{ "{\"stream\":\"door.h264\",\"captured\":1}", "\"objects\":[]}" },
	{ "{\"type\":\"result\"," OF_DOOR "}", "\"objects\":[]}" },
	{ "{\"type\":\"other\"," OF_DOOR "}", NULL },
	{ "{\"type\":1," OF_DOOR "}", NULL },
	{ "{\"strange\":1," OF_DOOR "}", NULL },
	{ "{\"stream\":\"door\"}", NULL },
	{ "{\"stream\":\"door\",\"seq\":9}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":9}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":7,\"seq\":0}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":7,\"seq\":-1}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":7,\"seq\":1.5}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":7,\"seq\":\"1\"}", NULL },
	{ "{\"stream\":\"door\",\"epoch\":7,\"seq\":9223372036854775808}", NULL },
	{ "{\"stream\":\"door\",\"arrived\":1,\"captured\":1}", NULL },
	{ "{\"stream\":\"door\",\"arrived\":0}", NULL },
	{ "{\"stream\":\"DOOR\",\"arrived\":1}", NULL },
	{ "{\"stream\":7,\"arrived\":1}", NULL },
	{ "{" OF_DOOR "} ", "\"objects\":[]}" },
	{ "{" OF_DOOR "}x", NULL },
	{ "{" OF_DOOR "," OF_DOOR "}", NULL },
	/* Boxes */
	{ OBJECT(BOX), "\"objects\":[{\"box\":[0.0,0.0,1.0,1.0]}]}" },
	{ OBJECT("\"box\":[0.1234567,0,0.5,1]"), "\"objects\":[{\"box\":[0.12346,0.0,0.5,1.0]}]}" },
	{ OBJECT("\"box\":[-1,0.5,1.5,2]"), "\"objects\":[{\"box\":[0.0,0.5,0.5,0.5]}]}" },
	{ OBJECT("\"box\":[1.5,0,0.5,1]"), "\"objects\":[]}" },
	{ OBJECT("\"box\":[0,0,0,0]"), "\"objects\":[]}" },
	{ OBJECT("\"box\":[0,0,-0.1,1]"), NULL },
	{ OBJECT("\"box\":[0,0,2.1,1]"), NULL },
	{ OBJECT("\"box\":[0,0,1]"), NULL },
	{ OBJECT("\"box\":[0,0,1,1,1]"), NULL },
	{ OBJECT("\"box\":[0,0,1,\"1\"]"), NULL },
	{ OBJECT("\"box\":{}"), NULL },
	{ OBJECT("\"label\":\"x\""), NULL },
	{ OBJECT(BOX ",\"x\":1"), NULL },
	{ "{" OF_DOOR ",\"objects\":[1]}", NULL },
	{ "{" OF_DOOR ",\"objects\":{}}", NULL },
	/* What is in them */
	{ OBJECT(BOX ",\"label\":\"<b>\\\"&\\u0301\""), "\"label\":\"<b>\\\"&\xcc\x81\"}]}" },
	{ OBJECT(BOX ",\"label\":\"" C64 "\""), "\"label\":\"" C64 "\"}]}" },
	{ OBJECT(BOX ",\"label\":\"" C64 "x\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\nb\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\u0000b\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\u001bb\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\u009bb\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\u202eb\""), NULL },
	{ OBJECT(BOX ",\"label\":\"a\\u2066b\""), NULL },
	{ OBJECT(BOX ",\"label\":\"\xf0\x9f\x9a\xb6\""), "\"label\":\"\xf0\x9f\x9a\xb6\"}]}" },
	{ OBJECT(BOX ",\"label\":7"), NULL },
	{ OBJECT(BOX ",\"score\":0.25,\"track\":0"), "\"score\":0.25,\"track\":0}]}" },
	{ OBJECT(BOX ",\"score\":1.01"), NULL },
	{ OBJECT(BOX ",\"score\":-0.1"), NULL },
	{ OBJECT(BOX ",\"score\":\"1\""), NULL },
	{ OBJECT(BOX ",\"track\":-1"), NULL },
	{ OBJECT(BOX ",\"track\":9007199254740991"), "\"track\":9007199254740991}]}" },
	{ OBJECT(BOX ",\"track\":9007199254740992"), NULL },
	{ OBJECT(BOX ",\"track\":1.5"), NULL },
	{ OBJECT(BOX ",\"attributes\":{\"a\":true,\"b\":\"c\",\"d\":-1,\"e\":2.5}"),
	  "\"attributes\":{\"a\":true,\"b\":\"c\",\"d\":-1,\"e\":2.5}}]}" },
	{ OBJECT(BOX ",\"attributes\":{\"a\":null}"), NULL },
	{ OBJECT(BOX ",\"attributes\":{\"a\":{}}"), NULL },
	{ OBJECT(BOX ",\"attributes\":{\"\":1}"), NULL },
	{ OBJECT(BOX ",\"attributes\":{\"a\\tb\":1}"), NULL },
	{ OBJECT(BOX ",\"attributes\":[]"), NULL },
	/* Of the whole picture */
	{ "{" OF_DOOR ",\"counts\":{\"people\":3,\"\xc3\xa9\":0}}",
	  "\"counts\":{\"people\":3,\"\xc3\xa9\":0}}" },
	{ "{" OF_DOOR ",\"counts\":{\"people\":-1}}", NULL },
	{ "{" OF_DOOR ",\"counts\":{\"people\":1000000001}}", NULL },
	{ "{" OF_DOOR ",\"counts\":{\"people\":1.0}}", NULL },
	{ "{" OF_DOOR ",\"counts\":[]}", NULL },
	{ "{" OF_DOOR ",\"counts\":{\"" C64 "\":1}}", NULL },
	{ "{" OF_DOOR ",\"note\":\"" C64 C64 C64 C64 "\"}", C64 "\"}" },
	{ "{" OF_DOOR ",\"note\":\"" C64 C64 C64 C64 "x\"}", NULL },
	{ "{" OF_DOOR ",\"note\":null}", NULL },
	/* The parser's */
	{ "{" OF_DOOR ",\"note\":\"\xed\xa0\x80\"}", NULL },
	{ "{" OF_DOOR ",\"note\":[[[[[[[[]]]]]]]]}", NULL },
	{ "{" OF_DOOR ",\"note\":\"[[[[[[[[\\\"[[[[\"}", "\"note\":\"[[[[[[[[\\\"[[[[\"}" },
	{ "{" OF_DOOR ",\"objects\":[{\"box\":[NaN,0,1,1]}]}", NULL },
};

START_TEST(test_results)
{
	const char *fault = NULL, *text = rows[_i].text;
	struct result *result = result_parse(text, strlen(text), &fault);
	char *written;
	size_t len;

	if (rows[_i].written == NULL) {
		ck_assert_msg(result == NULL, "taken: %s", text);
		ck_assert_ptr_nonnull(fault);
		return;
	}
	ck_assert_msg(result != NULL, "%s: %s", text, fault);
	written = result_write(result, "me", 9, 5);
	len = strlen(rows[_i].written);
	ck_assert_uint_ge(strlen(written), len);
	ck_assert_str_eq(written + strlen(written) - len, rows[_i].written);
	ck_assert_int_eq(strncmp(written, "\"analyser\":\"me\",", 16), 0);
	free(written);
	result_free(&result);
}
END_TEST

/* As many as there may be, and one more: objects, attributes, counts. */
static const struct {
	const char *before, *one, *after;
	unsigned max;
} many[] = {
	{ "{" OF_DOOR ",\"objects\":[", "{" BOX "}", "]}", RESULT_OBJECTS_MAX },
	{ "{" OF_DOOR ",\"objects\":[{" BOX ",\"attributes\":{", "\"a%u\":1", "}}]}",
	  RESULT_ATTRIBUTES_MAX },
	{ "{" OF_DOOR ",\"counts\":{", "\"a%u\":1", "}}", RESULT_COUNTS_MAX },
};

static bool
is_taken(const char *text)
{
	const char *fault;
	struct result *result = result_parse(text, strlen(text), &fault);
	bool taken = result != NULL;

	result_free(&result);
	return taken;
}

START_TEST(test_how_many)
{
	static char text[RESULT_BYTES_MAX + 1];
	char *at = text;

	at += sprintf(at, "%s", many[_i].before);
	for (unsigned i = 0; i <= many[_i].max; i++) {
		char *mark = at;

		if (i > 0)
			*at++ = ',';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		at += sprintf(at, many[_i].one, i);
#pragma GCC diagnostic pop
		strcpy(at, many[_i].after);
		ck_assert_msg(is_taken(text) == (i < many[_i].max), "%u of them", i + 1);
		ck_assert_ptr_ne(mark, at);
	}
}
END_TEST

/* Cut anywhere it is none, and nothing is read behind its end. */
START_TEST(test_cut_anywhere)
{
	static const char text[] = OBJECT(
	    BOX
	    ",\"label\":\"\xc3\xa9\\u00e9\",\"score\":0.5,\"track\":3,\"attributes\":{\"a\":1}");
	const char *fault;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = xmalloc(len + 1);
		struct result *result;

		memcpy(copy, text, len);
		result = result_parse(copy, len, &fault);
		ck_assert_ptr_null(result);
		free(copy);
	}
	ck_assert(is_taken(text));
}
END_TEST

/* Stamps */

static void
add(struct stamps *stamps, uint64_t epoch, uint64_t seq, int64_t arrived, int64_t captured)
{
	struct frame frame = { .epoch = epoch,
			       .seq = seq,
			       .arrived_realtime_ns = arrived,
			       .captured_realtime_ns = captured };

	stamps_add(stamps, &frame, 1);
}

START_TEST(test_stamps)
{
	static struct stamps stamps;

	ck_assert_ptr_null(stamps_newest(&stamps));
	ck_assert_ptr_null(stamps_by_seq(&stamps, 1, 1));
	add(&stamps, 1, 1, 100 * NS_PER_MS, 0);
	add(&stamps, 1, 2, 140 * NS_PER_MS, 90 * NS_PER_MS);
	add(&stamps, 2, 1, 180 * NS_PER_MS, INT64_MAX);
	ck_assert_int_eq(stamps_by_seq(&stamps, 1, 1)->arrived_ns, 100 * NS_PER_MS);
	ck_assert_int_eq(stamps_by_seq(&stamps, 2, 1)->arrived_ns, 180 * NS_PER_MS);
	ck_assert_ptr_null(stamps_by_seq(&stamps, 2, 2));
	ck_assert_uint_eq(stamps_by_arrived(&stamps, 140 * NS_PER_MS + 999999)->seq, 2);
	ck_assert_ptr_null(stamps_by_arrived(&stamps, 140 * NS_PER_MS + 1000001));
	ck_assert_uint_eq(stamps_by_captured(&stamps, 90 * NS_PER_MS)->seq, 2);
	/* 0 is no time. */
	ck_assert_ptr_null(stamps_by_captured(&stamps, 1));
	for (unsigned i = 0; i < STAMPS_KEPT; i++)
		add(&stamps, 3, i + 1, NS_PER_S + i, 0);
	ck_assert_ptr_null(stamps_by_seq(&stamps, 2, 1));
	ck_assert_ptr_nonnull(stamps_by_seq(&stamps, 3, 1));
	ck_assert_uint_eq(stamps_newest(&stamps)->seq, STAMPS_KEPT);
	/* The nearest of several. */
	ck_assert_uint_eq(stamps_by_arrived(&stamps, NS_PER_S + 7)->seq, 8);
}
END_TEST

/* SP */

START_TEST(test_sp_in_any_portions)
{
	static const uint8_t stream[] = "\0SP\0\0\x20\0\0"
					"\1\0\0\0\0\0\0\0\3abc"
					"\1\0\0\0\0\0\0\0\0"
					"\1\0\0\0\0\0\0\0\4defg";
	static const char *const expected[] = { "abc", "", "defg" };
	const size_t len = sizeof(stream) - 1;

	for (size_t step = 1; step <= len; step++) {
		struct sp_reader reader;
		const uint8_t *msg;
		size_t n = 0, msg_len;

		sp_reader_init(&reader, 4);
		for (size_t i = 0; i < len; i += step) {
			const uint8_t *at = stream + i;
			const uint8_t *end = stream + (i + step < len ? i + step : len);

			while (sp_reader_take(&reader, &at, end, &msg, &msg_len) == 1) {
				ck_assert_uint_lt(n, 3);
				ck_assert_uint_eq(msg_len, strlen(expected[n]));
				ck_assert(memcmp(msg, expected[n], msg_len) == 0);
				n++;
			}
			ck_assert_ptr_eq(at, end);
		}
		ck_assert_uint_eq(n, 3);
		sp_reader_clear(&reader);
	}
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	int rc;
} bad[] = {
	{ "GET / HTTP/1.1\r\n", 16, -EPROTO },
	{ "\0SP\0\0\x21\0\0", 8, -EPROTO },
	{ "\0SP\1\0\x20\0\0", 8, -EPROTO },
	{ "\0SP\0\0\x20\0\1", 8, -EPROTO },
	{ "\0SP\0\0\x20\0\0\0\0\0\0\0\0\0\0\1", 17, -EPROTO },
	{ "\0SP\0\0\x20\0\0\1\0\0\0\0\0\0\0\5", 17, -EMSGSIZE },
	{ "\0SP\0\0\x20\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff", 17, -EMSGSIZE },
};

START_TEST(test_sp_that_is_none)
{
	const uint8_t *at = (const uint8_t *)bad[_i].bytes, *msg;
	struct sp_reader reader;
	size_t len;

	sp_reader_init(&reader, 4);
	ck_assert_int_eq(sp_reader_take(&reader, &at, at + bad[_i].len, &msg, &len), bad[_i].rc);
	ck_assert_int_eq(sp_reader_take(&reader, &at, at, &msg, &len), -EPROTO);
	ck_assert_ptr_null(reader.buf);
	sp_reader_clear(&reader);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_result");
	TCase *results = tcase_create("results"), *sp = tcase_create("sp");

	tcase_add_loop_test(results, test_results, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(results, test_how_many, 0, (int)(sizeof(many) / sizeof(many[0])));
	tcase_add_test(results, test_cut_anywhere);
	tcase_add_test(results, test_stamps);
	suite_add_tcase(suite, results);
	tcase_add_test(sp, test_sp_in_any_portions);
	tcase_add_loop_test(sp, test_sp_that_is_none, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	suite_add_tcase(suite, sp);
	return suite;
}

HARNESS_MAIN(make_suite)
