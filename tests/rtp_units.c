#include "config.h"

#include "tests/rtp_units.h"

#include "tests/media_data.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct byte_writer *
on_begin(void *arg)
{
	struct units *units = arg;

	if (units->has_no_memory)
		return NULL;
	units->begun++;
	byte_writer_init(&units->writer, units->limit);
	return &units->writer;
}

static void
on_end(void *arg, const struct rtp_unit *unit)
{
	struct units *units = arg;
	size_t len = 0;

	ck_assert_uint_lt(units->n, UNITS_MAX);
	units->list[units->n].unit = *unit;
	units->list[units->n].bytes = byte_writer_take(&units->writer, &len);
	units->list[units->n].len = len;
	units->n++;
	byte_writer_free(&units->writer);
}

struct units *
units_new(const struct rtp_format *format, size_t limit)
{
	static const struct rtp_depay_ops ops = { .begin = on_begin, .end = on_end };
	struct units *units = calloc(1, sizeof(*units));

	ck_assert_ptr_nonnull(units);
	units->limit = limit;
	units->now_ns = 1000;
	units->depay = rtp_depay_new(format, &ops, units);
	ck_assert_ptr_nonnull(units->depay);
	return units;
}

void
units_free(struct units *units)
{
	size_t i;

	rtp_depay_free(&units->depay);
	byte_writer_free(&units->writer);
	for (i = 0; i < units->n; i++)
		free(units->list[i].bytes);
	free(units);
}

void
units_push(struct units *units, uint32_t timestamp, bool marker, const uint8_t *payload, size_t len)
{
	uint8_t *copy = data_copy(payload, len);
	struct rtp_packet packet = {
		.timestamp = timestamp, .marker = marker, .payload = copy, .len = len
	};

	rtp_depay_push(units->depay, &packet, units->lost, units->now_ns++);
	units->lost = 0;
	free(copy);
}

void
units_expect(const struct units *units, size_t i, const uint8_t *bytes, size_t len)
{
	ck_assert_uint_lt(i, units->n);
	ck_assert_uint_eq(units->list[i].len, len);
	ck_assert_mem_eq(units->list[i].bytes, bytes, len);
}
