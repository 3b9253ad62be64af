/*
 * The front of a baseline JPEG (ITU-T T.81, JFIF 1.1) whose entropy-coded data comes without one:
 * RFC 2435, appendices A and B.
 */
#ifndef CAMHUB_MEDIA_JFIF_H
#define CAMHUB_MEDIA_JFIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

#define JFIF_TABLE_VALUES      64
#define JFIF_TABLES_BYTES_MAX  256 /* luma and chroma, 16 bits a value */
#define JFIF_QUALITY_MAX       99
#define JFIF_TABLES_8BIT_BYTES (2 * JFIF_TABLE_VALUES)

struct jfif_header {
	uint16_t width, height;    /* never 0 */
	bool is_420;               /* chroma halved in both directions; else 4:2:2 */
	uint16_t restart_interval; /* MCUs; 0 none */
	const uint8_t *tables;     /* quantisation, zigzag order, as in DQT; one after the other */
	unsigned n_tables;         /* 1: for all components; 2: luma, chroma */
	bool is_16bit[2];          /* values of that table have two bytes */
};

/* Luma and chroma tables of an 8-bit Q factor of 1..99. */
void jfif_quality_tables(unsigned q, uint8_t tables[JFIF_TABLES_8BIT_BYTES]);

/* Appends SOI up to and with SOS, with the Huffman tables of T.81 annex K; coded data and EOI are
 * to follow. */
void jfif_write_header(const struct jfif_header *header, struct byte_writer *out);

#endif
