/*
 * Control messages: made, read, and checked against the table (msg_table.c) by one function.
 */
#include "config.h"

#include "shared/msg.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static void
wipe_and_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void
msg_wipe_freed(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

static int
refuse(char *err, const char *what, const char *name)
{
	snprintf(err, MSG_ERROR_MAX, "%s%s%s", what, name ? " " : "", name ? name : "");
	return -EPROTO;
}

static bool
string_fits(const json_t *value, long long min, long long max)
{
	size_t len = json_string_length(value);

	return (long long)len >= min && (long long)len <= max &&
	       memchr(json_string_value(value), '\0', len) == NULL;
}

static bool
is_printable(const json_t *value)
{
	const char *text = json_string_value(value);

	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static bool
field_fits(const struct msg_field *field, const json_t *value)
{
	const json_t *item;
	double real;
	size_t i;

	switch (field->kind) {
	case MSG_STR:
		return json_is_string(value) && string_fits(value, field->min, field->max);
	case MSG_ASCII:
		return json_is_string(value) && string_fits(value, field->min, field->max) &&
		       is_printable(value);
	case MSG_INT:
		return json_is_integer(value) && json_integer_value(value) >= field->min &&
		       json_integer_value(value) <= field->max;
	case MSG_REAL:
		real = json_number_value(value);
		return json_is_number(value) && real >= (double)field->min &&
		       real <= (double)field->max;
	case MSG_BOOL:
		return json_is_boolean(value);
	case MSG_STRS:
		if (!json_is_array(value) || (long long)json_array_size(value) > field->max)
			return false;
		json_array_foreach (value, i, item)
			if (!json_is_string(item) || !string_fits(item, 0, 1024))
				return false;
		return true;
	}
	return false;
}

static int
check_fields(const json_t *msg, const struct msg_field *fields, char *err)
{
	size_t known = 1; /* "type" */

	for (const struct msg_field *field = fields; field->name != NULL; field++) {
		const json_t *value = json_object_get(msg, field->name);

		if (value == NULL && field->optional)
			continue;
		if (value == NULL)
			return refuse(err, "missing field", field->name);
		if (!field_fits(field, value))
			return refuse(err, "wrong kind or range:", field->name);
		known++;
	}
	if (json_object_size(msg) != known)
		return refuse(err, "unknown field", NULL);
	return 0;
}

int
msg_check(const json_t *msg, enum msg_to to, bool has_fd, enum msg_type *type, char *err)
{
	const char *name = json_string_value(json_object_get(msg, "type"));

	if (name == NULL)
		return refuse(err, "no type", NULL);
	for (int i = 0; i < MSG_TYPE_COUNT; i++) {
		const struct msg_schema *schema = msg_schema((enum msg_type)i);

		if (!(schema->to & to) || strcmp(schema->name, name) != 0)
			continue;
		if (has_fd && schema->fd == MSG_FD_NONE)
			return refuse(err, "unexpected descriptor with", schema->name);
		if (!has_fd && schema->fd == MSG_FD_REQUIRED)
			return refuse(err, "no descriptor with", schema->name);
		if (check_fields(msg, schema->fields, err) < 0)
			return -EPROTO;
		*type = i;
		return 0;
	}
	return refuse(err, "unknown type, or not for this receiver", NULL);
}

json_t *
msg_new(enum msg_type type)
{
	json_t *msg = json_object();

	if (msg == NULL)
		xalloc_die();
	msg_set_str(msg, "type", msg_schema(type)->name);
	return msg;
}

const char *
msg_str(const json_t *msg, const char *name)
{
	const char *value = json_string_value(json_object_get(msg, name));

	return value != NULL ? value : "";
}

long long
msg_int(const json_t *msg, const char *name, long long absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_integer_value(value) : absent;
}

double
msg_real(const json_t *msg, const char *name, double absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_number_value(value) : absent;
}

bool
msg_bool(const json_t *msg, const char *name, bool absent)
{
	const json_t *value = json_object_get(msg, name);

	return value != NULL ? json_is_true(value) : absent;
}

static void
set_new(json_t *msg, const char *name, json_t *value)
{
	if (value == NULL || json_object_set_new(msg, name, value) < 0)
		xalloc_die();
}

void
msg_set_str(json_t *msg, const char *name, const char *value)
{
	if (value == NULL)
		return;
	/* Text may come from a camera or a file: what is not UTF-8 becomes '?'. */
	json_t *string = json_string(value);
	if (string == NULL) {
		char *ascii = xstrdup(value);

		for (char *p = ascii; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		string = json_string(ascii);
		free(ascii);
	}
	set_new(msg, name, string);
}

void
msg_set_int(json_t *msg, const char *name, long long value)
{
	set_new(msg, name, json_integer(value));
}

void
msg_set_real(json_t *msg, const char *name, double value)
{
	set_new(msg, name, json_real(value));
}

void
msg_set_bool(json_t *msg, const char *name, bool value)
{
	set_new(msg, name, json_boolean(value));
}
