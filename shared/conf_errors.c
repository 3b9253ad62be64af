/*
 * The list of what is wrong with a configuration: bounded, in order of file and line, printable.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/xalloc.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#define MAX_ERRORS     200
#define MAX_WORD_BYTES 40

bool
conf_errors_full(const struct conf_errors *errors)
{
	return errors->n >= MAX_ERRORS;
}

/* Behind the last error of the same file that is not further down; a new file goes to the end. */
static size_t
place_for(const struct conf_errors *errors, const char *file, unsigned line)
{
	size_t place = errors->n;

	for (size_t i = errors->n; i > 0; i--) {
		const struct conf_error *error = &errors->list[i - 1];

		if (strcmp(error->file, file) != 0)
			continue;
		if (error->line <= line)
			return i;
		place = i - 1;
	}
	return place;
}

void
conf_error_add(struct conf_errors *errors, const char *file, unsigned line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	size_t place;

	if (conf_errors_full(errors)) {
		errors->more++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	place = place_for(errors, file, line);
	errors->list = xreallocarray(errors->list, errors->n + 1, sizeof(*errors->list));
	memmove(&errors->list[place + 1], &errors->list[place],
		(errors->n - place) * sizeof(*errors->list));
	errors->list[place] = (struct conf_error){ xstrdup(file), line, xstrdup(text) };
	errors->n++;
}

void
conf_errors_free(struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		free(errors->list[i].file);
		free(errors->list[i].text);
	}
	free(errors->list);
	*errors = (struct conf_errors){ 0 };
}

static void
print_more(const struct conf_errors *errors, FILE *file)
{
	/* How many is not known: nobody looks any further once the list is full. */
	if (errors->n > 0 && conf_errors_full(errors))
		fprintf(file, "%s:%u: too many mistakes to show the rest, expected none\n",
			errors->list[errors->n - 1].file, errors->list[errors->n - 1].line);
}

void
conf_errors_print(const struct conf_errors *errors, FILE *file)
{
	for (size_t i = 0; i < errors->n; i++)
		fprintf(file, "%s:%u: %s\n", errors->list[i].file, errors->list[i].line,
			errors->list[i].text);
	print_more(errors, file);
}

char *
conf_errors_text(const struct conf_errors *errors, size_t max_bytes)
{
	char *text = NULL, *end;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	if (file == NULL)
		xalloc_die();
	conf_errors_print(errors, file);
	if (fclose(file) != 0)
		xalloc_die();
	if (max_bytes > 0 && len > max_bytes) {
		text[max_bytes] = '\0';
		end = strrchr(text, '\n');
		text[end != NULL ? (size_t)(end - text) : max_bytes - 1] = '\0';
	} else if (len > 0) {
		text[len - 1] = '\0';
	}
	return text;
}

const char *
conf_show(const char *value, char *buf)
{
	size_t len = 0, shown = 0;

	buf[len++] = '"';
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if (shown++ >= MAX_WORD_BYTES || len + 8 >= CONF_SHOW_BYTES) {
			len += (size_t)sprintf(buf + len, "...");
			break;
		}
		if (*p < 0x20 || *p >= 0x7f)
			len += (size_t)sprintf(buf + len, "\\x%02x", *p);
		else
			buf[len++] = (char)*p;
	}
	buf[len++] = '"';
	buf[len] = '\0';
	return buf;
}

/* Typing mistakes (insert, delete, replace) between two words; more than 9 counts as 9. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[MAX_WORD_BYTES + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > MAX_WORD_BYTES || b_len > MAX_WORD_BYTES)
		return 9;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = diagonal + (tolower((unsigned char)a[i - 1]) !=
						    tolower((unsigned char)b[j - 1]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *
conf_did_you_mean(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 3;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(word, candidates[i]);

		if (d < best_distance && d < strlen(candidates[i])) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
