/*
 * What waits for one viewer of the results of analysers, and when a result becomes text.
 */
#include "config.h"

#include "http/overlay.h"
#include "http/wall.h"
#include "tests/check_http_results_rig.h"

#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct overlay_item
item_of(uint32_t analyser, const struct result *result)
{
	return (struct overlay_item){
		.analyser = analyser, .result = result, .name = "people", .seq = 2
	};
}

/* What is put into the overlay says `note`; whether something more waits now. */
static bool
put(struct overlay *overlay, struct link *link, uint32_t analyser, const char *note)
{
	char *text = xasprintf("{\"stream\":\"door\",\"epoch\":1,\"seq\":2,\"note\":\"%s\"}", note);
	const char *fault;
	struct result *result = result_parse(text, strlen(text), &fault);
	struct overlay_item item = item_of(analyser, result);
	bool is_put = overlay_put(overlay, link->front, link, &item);

	ck_assert_int_eq(item.wire != NULL, is_put);
	wire_unref(&item.wire);
	result_free(&result);
	free(text);
	return is_put;
}

static void
expect_note(struct overlay *overlay, const char *note)
{
	struct wire *wire = overlay_take(overlay);
	char *text = xasprintf("\"note\":\"%s\"", note);

	ck_assert_ptr_nonnull(wire);
	ck_assert_ptr_nonnull(
	    memmem(wire->piece[0].iov_base, wire->piece[0].iov_len, text, strlen(text)));
	wire_unref(&wire);
	free(text);
}

START_ASYNC_TEST(test_the_latest_wins, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst people = analyst_new(rig, 5, "people", door());
	struct analyst motion = analyst_new(rig, 6, "motion", door());
	struct overlay overlay = { .on = false };
	struct link *link;

	(void)open_wall(rig);
	link = &LIST_FIRST(&rig->front->walls)->link;
	ck_assert(!put(&overlay, link, 5, "nobody asked"));
	overlay_set(&overlay, true);
	ck_assert_ptr_null(overlay_take(&overlay));
	ck_assert(put(&overlay, link, 5, "first"));
	ck_assert(put(&overlay, link, 6, "of another"));
	ck_assert(put(&overlay, link, 5, "second"));
	ck_assert_uint_eq(analyst_counted(&people)->drops[RESULTS_SLOW], 1);
	ck_assert_uint_eq(analyst_counted(&motion)->drops[RESULTS_SLOW], 0);
	expect_note(&overlay, "of another");
	expect_note(&overlay, "second");
	ck_assert_ptr_null(overlay_take(&overlay));
	/* Of too many analysers the one that waited longest loses. */
	for (uint32_t id = 6; id <= 6 + OVERLAY_SLOTS; id++)
		ck_assert(put(&overlay, link, id, id == 7 ? "seventh" : "x"));
	ck_assert_uint_eq(overlay.n, OVERLAY_SLOTS);
	ck_assert_uint_eq(analyst_counted(&motion)->drops[RESULTS_SLOW], 1);
	expect_note(&overlay, "seventh");
	overlay_set(&overlay, false);
	ck_assert_uint_eq(overlay.n, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* A result becomes text when the first viewer wants it, and once. */
START_ASYNC_TEST(test_written_once_for_those_who_want_it, .hold_time = true)
{
	static const char text[] = "{\"stream\":\"door\",\"epoch\":1,\"seq\":2}";
	struct rig *rig = wall_start(loop, NULL);
	struct overlay off = { .on = false }, one = { .on = true }, two = { .on = true };
	const char *fault;
	struct result *result = result_parse(text, sizeof(text) - 1, &fault);
	struct overlay_item item = item_of(5, result);
	struct link *link;

	(void)open_wall(rig);
	link = &LIST_FIRST(&rig->front->walls)->link;
	ck_assert(!overlay_put(&off, rig->front, link, &item));
	ck_assert_ptr_null(item.wire);
	ck_assert(overlay_put(&one, rig->front, link, &item));
	ck_assert(overlay_put(&two, rig->front, link, &item));
	ck_assert_ptr_eq(one.waiting[0].wire, item.wire);
	ck_assert_ptr_eq(two.waiting[0].wire, item.wire);
	overlay_set(&one, false);
	overlay_set(&two, false);
	wire_unref(&item.wire);
	result_free(&result);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_overlay");
	TCase *tcase = tcase_create("overlay");

	tcase_add_test(tcase, test_the_latest_wins);
	tcase_add_test(tcase, test_written_once_for_those_who_want_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
