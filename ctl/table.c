/*
 * A table as wide as its terminal: what matters least goes first, the last column takes the rest.
 */
#include "config.h"

#include "ctl/text.h"

#include "shared/xalloc.h"

#include <string.h>

#define GAP      2
#define LAST_MIN 16 /* columns that the last one should have */

struct text_cell *
text_table_add(struct text_table *table)
{
	struct text_cell *row;

	table->rows = xreallocarray(table->rows, table->n_rows + 1, sizeof(*table->rows));
	row = table->rows[table->n_rows++];
	memset(row, 0, sizeof(*table->rows));
	return row;
}

void
text_table_clear(struct text_table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->n_rows = 0;
}

static void
measure(const struct text_table *table, size_t widths[TABLE_COLUMNS])
{
	for (size_t c = 0; c < table->n_columns; c++) {
		widths[c] = text_width(table->columns[c].title);
		for (size_t r = 0; r < table->n_rows; r++) {
			size_t width = text_width(table->rows[r][c].text);

			if (width > widths[c])
				widths[c] = width;
		}
	}
}

static size_t
total(const struct text_table *table, const size_t widths[TABLE_COLUMNS],
      const bool hidden[TABLE_COLUMNS])
{
	size_t last = table->n_columns - 1, sum = 0;

	for (size_t c = 0; c < last; c++)
		if (!hidden[c])
			sum += widths[c] + GAP;
	return sum + (widths[last] < LAST_MIN ? widths[last] : LAST_MIN);
}

static void
choose(const struct text_table *table, const size_t widths[TABLE_COLUMNS], size_t width,
       bool hidden[TABLE_COLUMNS])
{
	while (total(table, widths, hidden) > width) {
		size_t least = table->n_columns;

		/* The first and the last column always stay. */
		for (size_t c = 1; c + 1 < table->n_columns; c++)
			if (!hidden[c] && (least == table->n_columns ||
					   table->columns[c].keep < table->columns[least].keep))
				least = c;
		if (least == table->n_columns)
			return;
		hidden[least] = true;
	}
}

/* Prints at most room columns of text; the rest is replaced by "...". Returns the columns used. */
static size_t
print_cut(const char *text, size_t room, FILE *file)
{
	size_t width = text_width(text), used = 0;
	size_t limit = width > room ? (room > 3 ? room - 3 : 0) : width;
	char piece[8];

	while (*text != '\0') {
		size_t len = 1, next;

		while (len < sizeof(piece) - 1 && (text[len] & 0xc0) == 0x80)
			len++;
		memcpy(piece, text, len);
		piece[len] = '\0';
		next = used + text_width(piece);
		if (next > limit)
			break;
		fputs(piece, file);
		used = next;
		text += len;
	}
	if (width > room && room > 3) {
		fputs("...", file);
		used += 3;
	}
	return used;
}

static void
print_cell(const struct text_column *column, const struct text_cell *cell, size_t width,
	   bool is_last, const struct text_style *style, FILE *file)
{
	size_t pad = width - (text_width(cell->text) < width ? text_width(cell->text) : width);

	if (column->right && !is_last)
		fprintf(file, "%*s", (int)pad, "");
	fputs(text_colour_on(style, cell->colour), file);
	print_cut(cell->text, width, file);
	fputs(text_colour_off(style, cell->colour), file);
	if (!is_last)
		fprintf(file, "%*s", (int)(column->right ? 0 : pad) + GAP, "");
}

static void
print_row(const struct text_table *table, const struct text_cell *row, const size_t *widths,
	  const bool *hidden, const struct text_style *style, FILE *file)
{
	size_t used = 0;

	for (size_t c = 0; c < table->n_columns; c++) {
		bool is_last = c + 1 == table->n_columns;
		size_t width = widths[c];

		if (hidden[c])
			continue;
		if (is_last && style->width > 0)
			width = (size_t)style->width > used ? (size_t)style->width - used : 0;
		print_cell(&table->columns[c], &row[c], width, is_last, style, file);
		used += widths[c] + GAP;
	}
	fputc('\n', file);
}

void
text_table_print(const struct text_table *table, const struct text_style *style, FILE *file)
{
	size_t widths[TABLE_COLUMNS];
	bool hidden[TABLE_COLUMNS] = { false };
	struct text_cell titles[TABLE_COLUMNS] = { 0 };

	measure(table, widths);
	if (style->width > 0)
		choose(table, widths, (size_t)style->width, hidden);
	for (size_t c = 0; c < table->n_columns; c++) {
		snprintf(titles[c].text, sizeof(titles[c].text), "%s", table->columns[c].title);
		titles[c].colour = TEXT_BOLD;
	}
	print_row(table, titles, widths, hidden, style, file);
	for (size_t r = 0; r < table->n_rows; r++)
		print_row(table, table->rows[r], widths, hidden, style, file);
}
