/*
 * One scalar of the file to one field of the snapshot, by the kind that the schema table names; and
 * in words what would have been right.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "GiB", 1LL << 30 }, { "MiB", 1LL << 20 }, { "KiB", 1LL << 10 }, { "B", 1 }, { NULL, 0 },
};

static bool
parse_int(const char *text, int64_t *value)
{
	size_t len = strlen(text), digits = strspn(text + (text[0] == '-'), "0123456789");

	if (digits == 0 || digits > 15 || digits + (text[0] == '-') != len)
		return false;
	*value = strtoll(text, NULL, 10);
	return true;
}

/* "2.5s": digits, perhaps up to three decimals, a unit. A bare 0 needs no unit. */
static bool
parse_units(const char *text, const struct unit *units, int64_t *value)
{
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	int64_t thousandths;

	if (strcmp(text, "0") == 0) {
		*value = 0;
		return true;
	}
	if (digits == 0 || digits > 9)
		return false;
	thousandths = strtoll(text, NULL, 10) * 1000;
	text += digits;
	if (*text == '.') {
		int64_t weight = 100;

		decimals = strspn(++text, "0123456789");
		if (decimals == 0 || decimals > 3)
			return false;
		for (size_t i = 0; i < decimals; i++, weight /= 10)
			thousandths += (*text++ - '0') * weight;
	}
	for (const struct unit *unit = units; unit->name != NULL; unit++)
		if (strcmp(unit->name, text) == 0) {
			*value = thousandths * unit->factor / 1000;
			return thousandths * unit->factor % 1000 == 0;
		}
	return false;
}

static const char *
format_units(int64_t value, const struct unit *units, char *buf, size_t size)
{
	const struct unit *unit = units;

	while (unit[1].name != NULL && (value == 0 || value % unit->factor != 0))
		unit++;
	if (value == 0)
		snprintf(buf, size, "0");
	else
		snprintf(buf, size, "%lld%s", (long long)(value / unit->factor), unit->name);
	return buf;
}

static const char *
expect_words(const struct conf_key *key, char *buf)
{
	size_t len = 0;

	buf[0] = '\0';
	for (const struct conf_word *word = key->words; word->name != NULL; word++)
		len += (size_t)snprintf(buf + len, URL_ERROR_MAX - len, "%s%s",
					word == key->words     ? ""
					: word[1].name == NULL ? " or "
							       : ", ",
					word->name);
	return buf;
}

const char *
conf_expect(const struct conf_key *key, char *buf)
{
	char min[24], max[24];

	switch (key->kind) {
	case CONF_BOOL:
		snprintf(buf, URL_ERROR_MAX, "true or false");
		break;
	case CONF_INT:
		snprintf(buf, URL_ERROR_MAX, "a whole number from %lld to %lld",
			 (long long)key->min, (long long)key->max);
		break;
	case CONF_PERCENT:
		snprintf(buf, URL_ERROR_MAX, "a percentage from %lld%% to %lld%%",
			 (long long)key->min, (long long)key->max);
		break;
	case CONF_DURATION:
		snprintf(buf, URL_ERROR_MAX, "a duration from %s to %s, such as %s",
			 format_units(key->min, durations, min, sizeof(min)),
			 format_units(key->max, durations, max, sizeof(max)), key->default_text);
		break;
	case CONF_SIZE:
		snprintf(buf, URL_ERROR_MAX, "a size from %s to %s, such as %s",
			 format_units(key->min, sizes, min, sizeof(min)),
			 format_units(key->max, sizes, max, sizeof(max)), key->default_text);
		break;
	case CONF_WORD:
		return expect_words(key, buf);
	case CONF_STRING:
		snprintf(buf, URL_ERROR_MAX, "text of %lld to %lld bytes", (long long)key->min,
			 (long long)key->max);
		break;
	case CONF_STRINGS:
		snprintf(buf, URL_ERROR_MAX, "a list of at most %lld, such as [ \"%s\" ]",
			 (long long)key->max,
			 key->default_text != NULL ? key->default_text : "https://example.net");
		break;
	}
	return buf;
}

static int
refuse(const struct conf_key *key, const char *what, char *err)
{
	char expect[URL_ERROR_MAX];

	snprintf(err, URL_ERROR_MAX, "%s, expected %s", what, conf_expect(key, expect));
	return -EINVAL;
}

static int
set_number(const struct conf_key *key, const char *text, void *field, char *err)
{
	char digits[24];
	size_t len = strlen(text);
	int64_t value = 0;
	bool right = false;

	switch (key->kind) {
	case CONF_DURATION:
		right = parse_units(text, durations, &value);
		break;
	case CONF_SIZE:
		right = parse_units(text, sizes, &value);
		break;
	case CONF_PERCENT:
		if (len > 1 && len < sizeof(digits) && text[len - 1] == '%') {
			snprintf(digits, sizeof(digits), "%.*s", (int)len - 1, text);
			right = parse_int(digits, &value);
		}
		break;
	default:
		right = parse_int(text, &value);
		break;
	}
	if (!right)
		return refuse(key, "wrong value", err);
	if (value < key->min || value > key->max)
		return refuse(key, "out of range", err);
	if (key->kind == CONF_PERCENT)
		*(int *)field = (int)value;
	else
		*(int64_t *)field = value;
	return 0;
}

static int
set_word(const struct conf_key *key, const char *text, int *field, char *err)
{
	for (const struct conf_word *word = key->words; word->name != NULL; word++)
		if (strcmp(word->name, text) == 0) {
			*field = word->value;
			return 0;
		}
	return refuse(key, "wrong value", err);
}

static int
set_string(const struct conf_key *key, const char *text, char **field, char *err)
{
	size_t len = strlen(text);

	if ((int64_t)len < key->min || (int64_t)len > key->max)
		return refuse(key, len == 0 ? "empty text" : "text of wrong length", err);
	if (key->check != NULL && key->check(text, err) < 0)
		return -EINVAL;
	free(*field);
	*field = xstrdup(text);
	return 0;
}

void
conf_strings_add(struct conf_strings *strings, const char *text, unsigned line)
{
	strings->list = xreallocarray(strings->list, strings->n + 1, sizeof(*strings->list));
	strings->lines = xreallocarray(strings->lines, strings->n + 1, sizeof(*strings->lines));
	strings->list[strings->n] = xstrdup(text);
	strings->lines[strings->n++] = line;
}

int
conf_value_set(const struct conf_key *key, const char *text, void *base, char *err)
{
	void *field = (char *)base + key->offset;

	switch (key->kind) {
	case CONF_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return refuse(key, "wrong value", err);
		*(bool *)field = text[0] == 't';
		return 0;
	case CONF_INT:
	case CONF_PERCENT:
	case CONF_DURATION:
	case CONF_SIZE:
		return set_number(key, text, field, err);
	case CONF_WORD:
		return set_word(key, text, field, err);
	case CONF_STRING:
		return set_string(key, text, field, err);
	case CONF_STRINGS:
		if (key->check != NULL && key->check(text, err) < 0)
			return -EINVAL;
		conf_strings_add(field, text, 0);
		return 0;
	}
	return -EINVAL;
}
