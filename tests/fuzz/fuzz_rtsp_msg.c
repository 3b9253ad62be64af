/*
 * Any bytes as what a camera sends. Whole and cut at random they must give the same items. The
 * first four bytes choose the cuts.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/rtsp_feed.h"

#include <string.h>

#define SEED_BYTES 4

/* Mostly small pieces, now and then a large one. */
static size_t
random_piece(void *arg)
{
	uint32_t *state = arg;

	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % 8 == 0 ? 1 + *state / 8 % 4096 : 1 + *state / 8 % 7;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t seed;
	struct rtsp_feed whole = { 0 }, cut = { .piece = random_piece, .arg = &seed };
	char *first, *second;

	if (size < SEED_BYTES)
		return 0;
	memcpy(&seed, data, SEED_BYTES);
	seed |= 1;
	first = rtsp_feed(&whole, data + SEED_BYTES, size - SEED_BYTES);
	second = rtsp_feed(&cut, data + SEED_BYTES, size - SEED_BYTES);
	FUZZ_CHECK(strcmp(first, second) == 0);
	free(first);
	free(second);
	return 0;
}
