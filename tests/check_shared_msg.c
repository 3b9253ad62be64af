/*
 * The schema of the control messages: for every type and every field of the table, what must be
 * taken and what must be refused is made from the table itself.
 */
#include "config.h"

#include "shared/msg.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define DIRECTIONS 12

static char err[MSG_ERROR_MAX];

static json_t *
text_of(long long len)
{
	char *text = malloc((size_t)len + 1);
	json_t *json;

	memset(text, 'x', (size_t)len);
	text[len] = '\0';
	json = json_string(text);
	free(text);
	return json;
}

static json_t *
strings_of(long long n)
{
	json_t *array = json_array();

	for (long long i = 0; i < n; i++)
		json_array_append_new(array, json_string("x"));
	return array;
}

/* The smallest (largest) value that fits. */
static json_t *
value_at(const struct msg_field *field, bool largest)
{
	switch (field->kind) {
	case MSG_STR:
	case MSG_ASCII:
		return text_of(largest ? field->max : field->min);
	case MSG_INT:
		return json_integer(largest ? field->max : field->min);
	case MSG_REAL:
		return json_real((double)(largest ? field->max : field->min));
	case MSG_BOOL:
		return json_boolean(largest);
	case MSG_STRS:
		return strings_of(largest ? field->max : 0);
	}
	return NULL;
}

static json_t *
message(enum msg_type type, bool largest, bool with_optional)
{
	json_t *msg = msg_new(type);

	for (const struct msg_field *f = msg_schema(type)->fields; f->name != NULL; f++)
		if (!f->optional || with_optional)
			json_object_set_new(msg, f->name, value_at(f, largest));
	return msg;
}

static enum msg_to
first_direction(enum msg_type type)
{
	return (enum msg_to)(msg_schema(type)->to & -msg_schema(type)->to);
}

static bool
needs_fd(enum msg_type type)
{
	return msg_schema(type)->fd == MSG_FD_REQUIRED;
}

static void
assert_taken(json_t *msg, enum msg_type type, enum msg_to to, bool has_fd)
{
	enum msg_type got = MSG_TYPE_COUNT;

	ck_assert_msg(msg_check(msg, to, has_fd, &got, err) == 0, "%s to %#x: %s",
		      msg_schema(type)->name, to, err);
	ck_assert_int_eq(got, type);
}

static void
assert_refused(json_t *msg, enum msg_to to, bool has_fd, const char *what)
{
	enum msg_type got = MSG_TYPE_COUNT;

	err[0] = '\0';
	ck_assert_msg(msg_check(msg, to, has_fd, &got, err) == -EPROTO, "taken: %s", what);
	ck_assert_int_eq(got, MSG_TYPE_COUNT);
	ck_assert_int_ne(err[0], '\0');
}

START_TEST(test_valid_messages_are_taken)
{
	for (int n = 0; n < 4; n++) {
		json_t *msg = message(_i, n & 1, n & 2);

		for (int bit = 0; bit < DIRECTIONS; bit++)
			if (msg_schema(_i)->to & (1u << bit))
				assert_taken(msg, _i, 1u << bit, needs_fd(_i));
		json_decref(msg);
	}
}
END_TEST

START_TEST(test_wrong_direction_is_refused)
{
	json_t *msg = message(_i, false, true);

	for (int bit = 0; bit < DIRECTIONS; bit++)
		if (!(msg_schema(_i)->to & (1u << bit)))
			assert_refused(msg, 1u << bit, needs_fd(_i), msg_schema(_i)->name);
	json_decref(msg);
}
END_TEST

START_TEST(test_descriptor_as_the_table_says)
{
	const struct msg_schema *schema = msg_schema(_i);
	json_t *msg = message(_i, false, false);

	if (schema->fd == MSG_FD_NONE)
		assert_refused(msg, first_direction(_i), true, "a descriptor too many");
	else
		assert_taken(msg, _i, first_direction(_i), true);
	if (schema->fd == MSG_FD_REQUIRED)
		assert_refused(msg, first_direction(_i), false, "a descriptor missing");
	else
		assert_taken(msg, _i, first_direction(_i), false);
	json_decref(msg);
}
END_TEST

START_TEST(test_missing_field_is_refused)
{
	for (const struct msg_field *f = msg_schema(_i)->fields; f->name != NULL; f++) {
		json_t *msg = message(_i, false, true);

		json_object_del(msg, f->name);
		if (f->optional)
			assert_taken(msg, _i, first_direction(_i), needs_fd(_i));
		else
			assert_refused(msg, first_direction(_i), needs_fd(_i), f->name);
		json_decref(msg);
	}
}
END_TEST

/* Values of every JSON kind; which kinds a field takes. */
static bool
kind_fits(enum msg_field_kind kind, const json_t *value)
{
	switch (kind) {
	case MSG_STR:
	case MSG_ASCII:
		return json_is_string(value);
	case MSG_INT:
		return json_is_integer(value);
	case MSG_REAL:
		return json_is_number(value);
	case MSG_BOOL:
		return json_is_boolean(value);
	case MSG_STRS:
		return json_is_array(value);
	}
	return false;
}

START_TEST(test_wrong_kind_is_refused)
{
	for (const struct msg_field *f = msg_schema(_i)->fields; f->name != NULL; f++) {
		json_t *values =
		    json_pack("[n, b, s, f, i, {}, [i], [[]], [n]]", 1, "1", 1.5, 1, 1);
		json_t *value;
		size_t at;

		json_array_foreach (values, at, value) {
			json_t *msg = message(_i, false, true);

			json_object_set(msg, f->name, value);
			if (!kind_fits(f->kind, value) || f->kind == MSG_STRS)
				assert_refused(msg, first_direction(_i), needs_fd(_i), f->name);
			json_decref(msg);
		}
		json_decref(values);
	}
}
END_TEST

static void
assert_value_refused(enum msg_type type, const struct msg_field *field, json_t *value)
{
	json_t *msg = message(type, false, true);

	json_object_set_new(msg, field->name, value);
	assert_refused(msg, first_direction(type), needs_fd(type), field->name);
	json_decref(msg);
}

START_TEST(test_out_of_range_is_refused)
{
	for (const struct msg_field *f = msg_schema(_i)->fields; f->name != NULL; f++) {
		switch (f->kind) {
		case MSG_ASCII:
			assert_value_refused(_i, f, json_string("a\nb"));
			assert_value_refused(_i, f, json_string("a\x7f"));
			assert_value_refused(_i, f, json_string("\xc3\xa4"));
			/* fall through */
		case MSG_STR:
			assert_value_refused(_i, f, text_of(f->max + 1));
			if (f->min > 0)
				assert_value_refused(_i, f, text_of(f->min - 1));
			assert_value_refused(_i, f, json_stringn("a\0b", 3));
			break;
		case MSG_INT:
			if (f->min > INT64_MIN)
				assert_value_refused(_i, f, json_integer(f->min - 1));
			if (f->max < INT64_MAX)
				assert_value_refused(_i, f, json_integer(f->max + 1));
			break;
		case MSG_REAL:
			assert_value_refused(_i, f, json_real((double)f->min - 0.5));
			assert_value_refused(_i, f, json_real((double)f->max + 0.5));
			break;
		case MSG_STRS:
			assert_value_refused(_i, f, strings_of(f->max + 1));
			assert_value_refused(_i, f, json_pack("[o]", text_of(1025)));
			break;
		case MSG_BOOL:
			break;
		}
	}
}
END_TEST

START_TEST(test_unknown_field_is_refused)
{
	json_t *msg = message(_i, false, true);

	json_object_set_new(msg, "surplus", json_true());
	assert_refused(msg, first_direction(_i), needs_fd(_i), "surplus");
	json_decref(msg);
}
END_TEST

START_TEST(test_reasons_name_fields_not_values)
{
	json_t *msg = message(MSG_DEMAND, false, true);

	json_object_set_new(msg, "on", json_string("hunter2"));
	assert_refused(msg, MSG_TO_WORKER, false, "a value");
	ck_assert_ptr_nonnull(strstr(err, "on"));
	ck_assert_ptr_null(strstr(err, "hunter2"));
	json_decref(msg);
}
END_TEST

START_TEST(test_what_is_no_message)
{
	json_t *cases =
	    json_pack("[{}, [], s, i, n, {s:i}, {s:n}, {s:s}, {s:s}, {s:s}]", "stop", 1, "type", 1,
		      "type", "type", "", "type", "no-such-type", "Type", "stop");
	json_t *msg;
	size_t i;

	ck_assert_ptr_nonnull(cases);
	json_array_foreach (cases, i, msg)
		for (int bit = 0; bit < DIRECTIONS; bit++)
			assert_refused(msg, 1u << bit, false, "no message");
	json_decref(cases);
}
END_TEST

/* One name may stand for two things only in two directions. */
START_TEST(test_the_table_is_unambiguous)
{
	for (int a = 0; a < MSG_TYPE_COUNT; a++) {
		ck_assert_ptr_nonnull(msg_schema(a)->name);
		ck_assert_uint_ne(msg_schema(a)->to, 0);
		for (int b = a + 1; b < MSG_TYPE_COUNT; b++)
			ck_assert_msg(!(msg_schema(a)->to & msg_schema(b)->to) ||
					  strcmp(msg_schema(a)->name, msg_schema(b)->name) != 0,
				      "%s", msg_schema(a)->name);
	}
}
END_TEST

START_TEST(test_largest_message_fits_a_datagram)
{
	/* Each type at all its upper bounds, in ASCII. */
	json_t *msg = message(_i, true, true);
	size_t bytes = json_dumpb(msg, NULL, 0, JSON_COMPACT);

	ck_assert_msg(bytes <= MSG_MAX_BYTES, "%s: %zu bytes", msg_schema(_i)->name, bytes);
	json_decref(msg);
}
END_TEST

START_TEST(test_getters_and_setters)
{
	json_t *msg = msg_new(MSG_STREAM);

	ck_assert_str_eq(msg_str(msg, "name"), "");
	ck_assert_int_eq(msg_int(msg, "id", -7), -7);
	ck_assert(msg_bool(msg, "on_demand", true));
	ck_assert_double_eq(msg_real(msg, "fps", 2.5), 2.5);
	msg_set_str(msg, "name", "door");
	msg_set_str(msg, "reason", NULL);
	msg_set_str(msg, "title", "caf\xe9 \xff");
	msg_set_int(msg, "id", 1);
	msg_set_int(msg, "id", 4294967295LL);
	msg_set_bool(msg, "on_demand", false);
	msg_set_real(msg, "fps", 25);
	ck_assert_str_eq(msg_str(msg, "type"), "stream");
	ck_assert_str_eq(msg_str(msg, "name"), "door");
	ck_assert_ptr_null(json_object_get(msg, "reason"));
	ck_assert_str_eq(msg_str(msg, "title"), "caf? ?"); /* bytes that are no UTF-8 */
	ck_assert_int_eq(msg_int(msg, "id", 0), 4294967295LL);
	ck_assert(!msg_bool(msg, "on_demand", true));
	ck_assert_double_eq(msg_real(msg, "fps", 0), 25);
	json_decref(msg);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-msg");
	TCase *tcase = tcase_create("table");

	tcase_add_loop_test(tcase, test_valid_messages_are_taken, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_wrong_direction_is_refused, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_descriptor_as_the_table_says, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_missing_field_is_refused, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_wrong_kind_is_refused, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_out_of_range_is_refused, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_unknown_field_is_refused, 0, MSG_TYPE_COUNT);
	tcase_add_loop_test(tcase, test_largest_message_fits_a_datagram, 0, MSG_TYPE_COUNT);
	tcase_add_test(tcase, test_the_table_is_unambiguous);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("messages");
	tcase_add_test(tcase, test_reasons_name_fields_not_values);
	tcase_add_test(tcase, test_what_is_no_message);
	tcase_add_test(tcase, test_getters_and_setters);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
