/*
 * The test picture: its clock can be read in every size.
 */
#include "config.h"

#include "worker/av_draw.h"

#include "shared/clock.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"

#define NOON_NS (INT64_C(1780000000) * NS_PER_S)

/* The first frame at this time; the luma comes back, the caller frees it. */
static uint8_t *
draw_luma(int width, int height, int64_t realtime_ns)
{
	struct draw *draw = draw_new(width, height, "door");
	size_t size = (size_t)width * (size_t)height;
	uint8_t *luma = xcalloc(1, size), *chroma = xcalloc(1, size / 2);
	struct draw_picture picture = {
		.plane = { luma, chroma, chroma + size / 4 },
		.stride = { width, width / 2, width / 2 },
	};

	draw_background(draw, &picture);
	draw_frame(draw, &picture, 0, realtime_ns);
	draw_free(&draw);
	free(chroma);
	return luma;
}

/* All else in two pictures of the same number is the same. */
static void
check_differ(int width, int height, int64_t later_ns)
{
	uint8_t *one = draw_luma(width, height, NOON_NS);
	uint8_t *other = draw_luma(width, height, NOON_NS + later_ns);
	uint8_t *again = draw_luma(width, height, NOON_NS);
	size_t size = (size_t)width * (size_t)height;

	ck_assert_mem_eq(one, again, size);
	ck_assert_msg(memcmp(one, other, size) != 0, "%dx%d: %d ms later it shows the same time",
		      width, height, (int)(later_ns / NS_PER_MS));
	free(one);
	free(other);
	free(again);
}

START_TEST(test_every_millisecond_digit_is_drawn)
{
	for (int width = 74; width <= 1280; width += 2) {
		int height = width * 9 / 32 * 2;

		check_differ(width, height < DRAW_SIZE_MIN ? DRAW_SIZE_MIN : height, NS_PER_MS);
	}
	check_differ(1920, 1080, NS_PER_MS);
	check_differ(3840, 2160, NS_PER_MS);
	check_differ(2000, DRAW_SIZE_MIN, NS_PER_MS);
	check_differ(74, 2000, NS_PER_MS);
}
END_TEST

START_TEST(test_a_small_clock_has_seconds)
{
	for (int width = DRAW_SIZE_MIN; width < 74; width += 2)
		check_differ(width, DRAW_SIZE_MIN, NS_PER_S);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_draw");
	TCase *clock = tcase_create("clock");

	tcase_set_timeout(clock, 60);
	tcase_add_test(clock, test_every_millisecond_digit_is_drawn);
	tcase_add_test(clock, test_a_small_clock_has_seconds);
	suite_add_tcase(s, clock);
	return s;
}

HARNESS_MAIN(suite)
