/*
 * Text for people: durations, rates, names from cameras that cannot spoil a terminal, tables.
 */
#ifndef CAMHUB_CTL_TEXT_H
#define CAMHUB_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Control characters, what is not UTF-8 and what turns the direction of writing become \xNN; cut at
 * size. Returns buf. */
const char *text_escape(const char *text, char *buf, size_t size);

/* "0 s", "42 s", "5 min", "3 h 12 min", "2 d 4 h"; negative counts as 0. */
const char *text_duration(int64_t ms, char *buf, size_t size);
/* "2.9 Mb/s", "850 kb/s", "0" */
const char *text_bitrate(int64_t bps, char *buf, size_t size);
/* "512 KiB", "16.0 MiB" */
const char *text_bytes(int64_t bytes, char *buf, size_t size);
/* A process's memory in KiB as text_bytes(), or in words that it is not known (0). */
const char *text_memory(int64_t kib, char *buf, size_t size);

/* Columns that text takes on a terminal. */
size_t text_width(const char *text);

enum text_colour { TEXT_PLAIN, TEXT_GOOD, TEXT_WARN, TEXT_BAD, TEXT_DIM, TEXT_BOLD };

/* How to write: what a terminal can. */
struct text_style {
	bool colour;
	int width; /* columns; 0: do not cut */
	int rows;  /* 0: do not cut */
};
/* Of a stream: colour on a terminal unless $NO_COLOR is set or $TERM is dumb. */
struct text_style text_style_of(FILE *file);
/* The bytes that begin and end a colour, "" without colour. */
const char *text_colour_on(const struct text_style *style, enum text_colour colour);
const char *text_colour_off(const struct text_style *style, enum text_colour colour);

#define TABLE_COLUMNS 14
struct text_column {
	const char *title;
	bool right; /* numbers */
	int keep;   /* columns with a lower number go first when the terminal is narrow */
};
struct text_cell {
	char text[256]; /* escaped */
	enum text_colour colour;
};
struct text_table {
	const struct text_column *columns;
	size_t n_columns;
	struct text_cell (*rows)[TABLE_COLUMNS];
	size_t n_rows;
};
/* An empty row behind the last. */
struct text_cell *text_table_add(struct text_table *table);
/* The last column is cut to the width, the others are dropped (by keep) until it fits. */
void text_table_print(const struct text_table *table, const struct text_style *style, FILE *file);
void text_table_clear(struct text_table *table);

#endif
