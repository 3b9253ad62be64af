/*
 * The rig of the tests of the reorder window.
 */
#include "config.h"

#include "tests/rtp_reorder_rig.h"

#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY 65536u

/* The allocations of the code under test, by the linker's --wrap. */
bool rig_is_inside;
unsigned rig_allocated;
unsigned rig_allocations_left = UINT_MAX;
size_t rig_peak_bytes;
static size_t held_bytes;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

static bool
may_allocate(void)
{
	if (!rig_is_inside)
		return true;
	rig_allocated++;
	if (rig_allocations_left == 0)
		return false;
	if (rig_allocations_left != UINT_MAX)
		rig_allocations_left--;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	void *memory = may_allocate() ? __real_malloc(size) : NULL;

	if (rig_is_inside && memory != NULL) {
		held_bytes += malloc_usable_size(memory);
		if (held_bytes > rig_peak_bytes)
			rig_peak_bytes = held_bytes;
	}
	return memory;
}

void
__wrap_free(void *memory)
{
	if (rig_is_inside && memory != NULL)
		held_bytes -= malloc_usable_size(memory);
	__real_free(memory);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

char rig_history[HISTORY];
struct rtp_reorder *rig_reorder;
int64_t rig_last_arrived_ns;
uint8_t rig_delivered_fill;
size_t rig_delivered_len;
const uint8_t *rig_delivered;

void
rig_on_packet(void *arg, const struct rtp_packet *packet, uint32_t lost, int64_t arrived_ns)
{
	size_t len = strlen(rig_history);
	char before[16] = "";
	bool was_inside = rig_is_inside;

	rig_is_inside = false;
	ck_assert_ptr_eq(arg, rig_history);
	if (lost == RTP_LOST_UNKNOWN)
		(void)snprintf(before, sizeof(before), "*:");
	else if (lost > 0)
		(void)snprintf(before, sizeof(before), "+%u:", (unsigned)lost);
	(void)snprintf(rig_history + len, HISTORY - len, "%s%s%u", len > 0 ? " " : "", before,
		       packet->seq);
	/* The payload says again who it is, at its beginning and its end. */
	ck_assert_uint_ge(packet->len, 4);
	ck_assert_uint_eq((unsigned)packet->payload[0] << 8 | packet->payload[1], packet->seq);
	ck_assert_uint_eq(packet->payload[packet->len - 1], packet->seq & 0xff);
	rig_delivered_fill = packet->payload[2];
	rig_delivered_len = packet->len;
	rig_delivered = packet->payload;
	rig_last_arrived_ns = arrived_ns;
	rig_is_inside = was_inside;
}

void
rig_setup(int64_t wait_ns)
{
	rig_history[0] = '\0';
	held_bytes = 0;
	rig_peak_bytes = 0;
	rig_reorder = rtp_reorder_new(wait_ns, rig_on_packet, rig_history);
	ck_assert_ptr_nonnull(rig_reorder);
}

void
rig_push_sized(uint32_t ssrc, uint16_t seq, int64_t arrived_ns, size_t len)
{
	uint8_t *bytes = calloc(1, len);
	int err;

	bytes[0] = 0x80;
	bytes[1] = 96;
	bytes[2] = (uint8_t)(seq >> 8);
	bytes[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		bytes[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	memset(bytes + 12, 0x77, len - 12);
	bytes[12] = bytes[2];
	bytes[13] = bytes[3];
	bytes[len - 1] = (uint8_t)seq;
	rig_is_inside = true;
	err = rtp_reorder_push(rig_reorder, bytes, len, arrived_ns);
	rig_is_inside = false;
	ck_assert_int_eq(err, 0);
	/* What was borrowed may change at once. */
	memset(bytes, 0xee, len);
	free(bytes);
}

void
rig_push(uint16_t seq, int64_t arrived_ms)
{
	rig_push_sized(SSRC, seq, arrived_ms * MS, PACKET);
}

void
rig_push_all(size_t n, ...)
{
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++)
		rig_push((uint16_t)va_arg(args, int), 0);
	va_end(args);
}

void
rig_flush(void)
{
	rig_is_inside = true;
	rtp_reorder_flush(rig_reorder);
	rig_is_inside = false;
}

void
rig_expect(const char *expected)
{
	ck_assert_str_eq(rig_history, expected);
	rig_history[0] = '\0';
}
