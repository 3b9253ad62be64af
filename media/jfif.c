/*
 * Writes what stands before the coded data of a JPEG. The tables are those of ITU-T T.81 annex K.
 */
#include "config.h"

#include "media/jfif.h"

#include "media/bytes.h"

#include <string.h>

enum {
	SOF0 = 0xffc0,
	DHT = 0xffc4,
	SOI = 0xffd8,
	SOS = 0xffda,
	DQT = 0xffdb,
	DRI = 0xffdd,
	APP0 = 0xffe0,
};

/* Tables K.1 and K.2, in zigzag order. */
static const uint8_t luma_quantisation[JFIF_TABLE_VALUES] = {
	16, 11, 12,  14,  12,  10, 16, 14,  13,  14,  18,  17,  16, 19,  24,  40,
	26, 24, 22,  22,  24,  49, 35, 37,  29,  40,  58,  51,  61, 60,  57,  51,
	56, 55, 64,  72,  92,  78, 64, 68,  87,  69,  55,  56,  80, 109, 81,  87,
	95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
};
static const uint8_t chroma_quantisation[JFIF_TABLE_VALUES] = {
	17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
};

/* Tables K.3 to K.6: how many codes of each length, then the symbols. */
static const uint8_t dc_luma_lengths[16] = { 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t dc_chroma_lengths[16] = { 0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0 };
static const uint8_t dc_symbols[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
static const uint8_t ac_luma_lengths[16] = { 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d };
static const uint8_t ac_luma_symbols[162] = {
	0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
	0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
	0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
	0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
	0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
	0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
	0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
	0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
	0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
	0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
	0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
};
static const uint8_t ac_chroma_lengths[16] = { 0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77 };
static const uint8_t ac_chroma_symbols[162] = {
	0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
	0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33,
	0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18,
	0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
	0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63,
	0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
	0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
	0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4,
	0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca,
	0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
	0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
};

static const struct {
	uint8_t class_and_id;
	const uint8_t *lengths, *symbols;
	uint8_t n_symbols;
} huffman_tables[] = {
	{ 0x00, dc_luma_lengths, dc_symbols, sizeof(dc_symbols) },
	{ 0x10, ac_luma_lengths, ac_luma_symbols, sizeof(ac_luma_symbols) },
	{ 0x01, dc_chroma_lengths, dc_symbols, sizeof(dc_symbols) },
	{ 0x11, ac_chroma_lengths, ac_chroma_symbols, sizeof(ac_chroma_symbols) },
};

void
jfif_quality_tables(unsigned q, uint8_t tables[JFIF_TABLES_8BIT_BYTES])
{
	unsigned scale = q < 50 ? 5000 / q : 200 - 2 * q, i;

	for (i = 0; i < JFIF_TABLES_8BIT_BYTES; i++) {
		unsigned value = i < JFIF_TABLE_VALUES ? luma_quantisation[i]
						       : chroma_quantisation[i - JFIF_TABLE_VALUES];

		value = (value * scale + 50) / 100;
		tables[i] = (uint8_t)(value < 1 ? 1 : value > 255 ? 255 : value);
	}
}

static void
write_app0(struct byte_writer *out)
{
	/* version 1.1, square pixels, no thumbnail */
	static const uint8_t body[] = { 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0 };

	byte_writer_u16(out, APP0);
	byte_writer_u16(out, 2 + sizeof(body));
	byte_writer_bytes(out, body, sizeof(body));
}

static void
write_quantisation(const struct jfif_header *header, struct byte_writer *out)
{
	const uint8_t *table = header->tables;
	unsigned i;

	for (i = 0; i < header->n_tables; i++) {
		uint16_t len = (uint16_t)(JFIF_TABLE_VALUES * (header->is_16bit[i] ? 2 : 1));

		byte_writer_u16(out, DQT);
		byte_writer_u16(out, (uint16_t)(3 + len));
		byte_writer_u8(out, (uint8_t)((header->is_16bit[i] ? 0x10 : 0) | i));
		byte_writer_bytes(out, table, len);
		table += len;
	}
}

static void
write_restart_interval(const struct jfif_header *header, struct byte_writer *out)
{
	if (header->restart_interval == 0)
		return;
	byte_writer_u16(out, DRI);
	byte_writer_u16(out, 4);
	byte_writer_u16(out, header->restart_interval);
}

static void
write_frame(const struct jfif_header *header, struct byte_writer *out)
{
	uint8_t chroma_table = header->n_tables > 1 ? 1 : 0, i;

	byte_writer_u16(out, SOF0);
	byte_writer_u16(out, 17);
	byte_writer_u8(out, 8); /* bits a sample */
	byte_writer_u16(out, header->height);
	byte_writer_u16(out, header->width);
	byte_writer_u8(out, 3);
	for (i = 1; i <= 3; i++) {
		byte_writer_u8(out, i);
		byte_writer_u8(out, i > 1 ? 0x11 : header->is_420 ? 0x22 : 0x21);
		byte_writer_u8(out, i > 1 ? chroma_table : 0);
	}
}

static void
write_huffman(struct byte_writer *out)
{
	size_t i;

	for (i = 0; i < sizeof(huffman_tables) / sizeof(huffman_tables[0]); i++) {
		byte_writer_u16(out, DHT);
		byte_writer_u16(out, (uint16_t)(2 + 1 + 16 + huffman_tables[i].n_symbols));
		byte_writer_u8(out, huffman_tables[i].class_and_id);
		byte_writer_bytes(out, huffman_tables[i].lengths, 16);
		byte_writer_bytes(out, huffman_tables[i].symbols, huffman_tables[i].n_symbols);
	}
}

static void
write_scan(struct byte_writer *out)
{
	/* 3 components with their tables; the whole spectrum */
	static const uint8_t body[] = { 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0 };

	byte_writer_u16(out, SOS);
	byte_writer_u16(out, 2 + sizeof(body));
	byte_writer_bytes(out, body, sizeof(body));
}

void
jfif_write_header(const struct jfif_header *header, struct byte_writer *out)
{
	byte_writer_u16(out, SOI);
	write_app0(out);
	write_quantisation(header, out);
	write_restart_interval(header, out);
	write_frame(header, out);
	write_huffman(out);
	write_scan(out);
}
