/*
 * Bytes in and out, bounded, big-endian, each with a sticky error: a cursor over received bytes
 * and a writer into memory that grows up to a limit (or into the caller's fixed memory).
 */
#ifndef CAMHUB_MEDIA_BYTES_H
#define CAMHUB_MEDIA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_reader {
	const uint8_t *data; /* borrowed */
	size_t len, pos;
	int err; /* 0 or -EPROTO, stays */
};

void byte_reader_init(struct byte_reader *reader, const uint8_t *data, size_t len);

/* 0 past the end, and the error is set. */
uint8_t byte_reader_u8(struct byte_reader *reader);
uint16_t byte_reader_u16(struct byte_reader *reader);
uint32_t byte_reader_u32(struct byte_reader *reader);

/* len bytes at the cursor, which moves past them; NULL and the error when there are fewer. */
const uint8_t *byte_reader_bytes(struct byte_reader *reader, size_t len);

/*
 * The writer. On any failure `err` is set, everything later does nothing, and what had been
 * written stays. Check `err` once, at the end.
 */
/* Makes memory of somebody else's larger: at least `need` bytes, with what is in *data kept.
 * Returns 0 and the new place and size, or -ENOMEM with both untouched. */
typedef int byte_writer_grow_fn(void *arg, size_t need, uint8_t **data, size_t *cap);

struct byte_writer {
	uint8_t *data;
	size_t len;                /* bytes written */
	size_t cap;                /* bytes at data */
	size_t limit;              /* never grows beyond */
	bool is_fixed;             /* data belongs to the caller */
	byte_writer_grow_fn *grow; /* data belongs to grow_arg, which makes it larger; or NULL */
	void *grow_arg;
	int err; /* 0, -ENOMEM (no memory), -EMSGSIZE (limit reached) or what a writer of boxes says
		  */
};

/* An empty writer that allocates as it goes, up to limit bytes. Free with byte_writer_free(). */
void byte_writer_init(struct byte_writer *writer, size_t limit);

/* Writes into `data`, `cap` bytes; never allocates. */
void byte_writer_init_fixed(struct byte_writer *writer, uint8_t *data, size_t cap);

/* Writes into memory that belongs to something else and grows there (a message of the bus). data
 * may be NULL with cap 0. */
void byte_writer_init_growing(struct byte_writer *writer, uint8_t *data, size_t cap, size_t limit,
			      byte_writer_grow_fn *grow, void *grow_arg);

/* Takes back what was written behind the first len bytes (len <= writer->len) and the error. */
void byte_writer_truncate(struct byte_writer *writer, size_t len);

/* Forgets what was written and the error, keeps the memory. */
void byte_writer_reset(struct byte_writer *writer);

/* Frees what the writer allocated; NULL-safe for a zeroed struct; leaves it empty. */
void byte_writer_free(struct byte_writer *writer);

/* Gives the memory (free() it) to the caller, or NULL when nothing was written; the writer is empty
 * after it. */
uint8_t *byte_writer_take(struct byte_writer *writer, size_t *len);

/* Room for `more` bytes in one step. Returns 0 or the sticky error. */
int byte_writer_reserve(struct byte_writer *writer, size_t more);

void byte_writer_u8(struct byte_writer *writer, uint8_t value);
void byte_writer_u16(struct byte_writer *writer, uint16_t value);
void byte_writer_u24(struct byte_writer *writer, uint32_t value);
void byte_writer_u32(struct byte_writer *writer, uint32_t value);
void byte_writer_u64(struct byte_writer *writer, uint64_t value);
void byte_writer_zeros(struct byte_writer *writer, size_t n);
void byte_writer_bytes(struct byte_writer *writer, const void *data, size_t len);

/* Overwrites 4 bytes at `pos`, which must have been written. */
void byte_writer_patch_u32(struct byte_writer *writer, size_t pos, uint32_t value);

/* Sets the error unless one is set already. */
void byte_writer_fail(struct byte_writer *writer, int err);

#endif
