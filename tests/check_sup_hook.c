/*
 * Events: what is told, what is not, and a receiver that is slow, gone or does not want them.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_hook.h"
#include "supervisor/sup_int.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define URL   "https://hooks.example/T0/very-secret?x=1"
#define HOOK  "on_event: {url: \"" URL "\"}\n"
#define DOOR  "cameras:\n  - {name: door, title: Front door, url: \"rtsp://192.0.2.10/\"}\n"
#define TIMES 200

static json_t *order;

static void
forget_order(void *arg)
{
	(void)arg;
	json_decref(order);
	order = NULL;
}

static struct fake_child *
courier(struct fake *fake)
{
	return fake_find(fake, SUP_HOOK_PROGRAM, "event");
}

/* What the process that delivers is told: the URL is checked, the event is returned (borrowed). */
static const json_t *
read_order(struct fake_child *child)
{
	char text[8192] = "";
	char *body;

	ck_assert_ptr_nonnull(child);
	ck_assert_int_gt(recv(child->raw_fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	body = strchr(text, '\n');
	ck_assert_ptr_nonnull(body);
	*body++ = '\0';
	ck_assert_str_eq(text, URL);
	json_decref(order);
	order = json_loads(body, 0, NULL);
	ck_assert_ptr_nonnull(order);
	return order;
}

static const char *
field(const char *name)
{
	return json_string_value(json_object_get(order, name));
}

static void
answer(struct fake_child *child, const char *text)
{
	fake_say_bytes(child, text, strlen(text));
	loop_settle(child->fake->loop);
}

/* It says that camhub has started. */
static struct fake *
start(struct loop *loop, const char *config)
{
	struct fake *fake;

	log_forbid("very-secret");
	harness_defer(forget_order, NULL);
	fake = fake_run(loop, config);
	read_order(courier(fake));
	ck_assert_str_eq(field("event"), "started");
	ck_assert_int_eq(json_integer_value(json_object_get(order, "number")), 1);
	answer(courier(fake), "ok 204");
	ck_assert_ptr_null(courier(fake));
	return fake;
}

static void
assert_camera(struct fake *fake, const char *state, const char *was)
{
	read_order(courier(fake));
	ck_assert_str_eq(field("event"), "camera");
	ck_assert_str_eq(field("camera"), "door");
	ck_assert_str_eq(field("stream"), "door");
	ck_assert_str_eq(field("title"), "Front door");
	ck_assert_str_eq(field("state"), state);
	ck_assert_str_eq(field("was"), was);
	ck_assert_int_gt(json_integer_value(json_object_get(order, "time_ms")), 0);
	ck_assert_int_gt(json_integer_value(json_object_get(order, "since_ms")), 0);
}

START_ASYNC_TEST(test_down_and_up_are_told_when_they_last)
{
	struct fake *fake = start(loop, HOOK DOOR);

	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, SUP_HOOK_PROGRAM, NULL), 1);
	fake->network = FAKE_REFUSES;
	fake_fail(fake_worker(fake, "door"), "eof", "the camera hung up");
	fake_wait_ms(fake, 4999);
	ck_assert_ptr_null(courier(fake));
	fake_wait_ms(fake, 1);
	assert_camera(fake, "down", "up");
	ck_assert_ptr_nonnull(field("reason"));
	answer(courier(fake), "ok 200");
	fake_wait_ms(fake, 60000);
	ck_assert_ptr_null(courier(fake));
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 5000);
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	assert_camera(fake, "up", "down");
	ck_assert_int_eq(json_integer_value(json_object_get(order, "number")), 3);
	answer(courier(fake), "ok 200");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_over_soon_is_not_told)
{
	struct fake *fake = start(loop, HOOK DOOR);

	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	for (int i = 0; i < 5; i++) {
		fake_input(fake_worker(fake, "door"), "stalled", "timeout", "no data");
		fake_wait_ms(fake, 4000);
		fake_input(fake_worker(fake, "door"), "up", "none", NULL);
		fake_wait_ms(fake, 1000);
	}
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, SUP_HOOK_PROGRAM, NULL), 1);
	fake_input(fake_worker(fake, "door"), "stalled", "timeout", "no data");
	fake_wait_ms(fake, 5000);
	assert_camera(fake, "stalled", "up");
	ck_assert_str_eq(field("reason"), "no data");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_refused_password_is_told_after_a_start)
{
	struct fake *fake = start(loop, HOOK DOOR);

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	fake_wait_ms(fake, 5000);
	assert_camera(fake, "refused", "up");
	async_complete(loop);
}
END_ASYNC_TEST

/* One that does not answer, one that crashes, one that answers 500: again, later and later. */
START_ASYNC_TEST(test_what_was_not_delivered_is_tried_again)
{
	static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct fake *fake = start(loop, HOOK DOOR);
	struct fake_child *child;

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	fake_wait_ms(fake, 5000);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		child = courier(fake);
		assert_camera(fake, "refused", "up");
		if (i == 0) {
			fake_wait_ms(fake, 11000);
			ck_assert(child->killed);
		} else if (i == 1) {
			fake_crash(child);
		} else if (i == 2) {
			answer(child, "ok 503");
		} else {
			answer(child, "error hooks.example: cannot connect: Connection refused");
		}
		ck_assert_ptr_null(courier(fake));
		fake_wait_ms(fake, waits[i] - 1);
		ck_assert_ptr_null(courier(fake));
		fake_wait_ms(fake, 1);
	}
	ck_assert_uint_eq(log_count("on_event: not delivered"), 1);
	answer(courier(fake), "ok 200");
	expect_log("on_event: delivered, after 8 failures");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_refusal_is_final)
{
	struct fake *fake = start(loop, HOOK DOOR);

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	fake_wait_ms(fake, 5000);
	answer(courier(fake), "ok 410");
	expect_log("the receiver refuses an event (410)");
	fake_wait_ms(fake, 50000);
	ck_assert_ptr_null(courier(fake));
	async_complete(loop);
}
END_ASYNC_TEST

/* The newest are kept; the one under way, too. */
START_ASYNC_TEST(test_the_queue_is_bounded)
{
	struct fake *fake = start(loop, "on_event: {url: \"" URL "\", debounce: 0, timeout: 1m}\n"
					"restart: {hang_timeout: 10m}\n" DOOR);
	struct fake_child *worker = fake_worker(fake, "door"), *first;
	long long number;

	fake_up(worker);
	fake_input(worker, "stalled", "timeout", "no data");
	fake_wait_ms(fake, 0);
	first = courier(fake);
	assert_camera(fake, "stalled", "up");
	for (int i = 0; i < TIMES; i++) {
		fake_input(worker, i % 2 == 0 ? "up" : "stalled", "none", NULL);
		fake_wait_ms(fake, 30);
	}
	ck_assert_ptr_eq(courier(fake), first);
	answer(first, "ok 200");
	expect_log("on_event: more than 64 events wait");
	expect_log("on_event: events that were lost: 137");
	read_order(courier(fake));
	number = json_integer_value(json_object_get(order, "number"));
	/* started, the one under way, 200 behind it of which the last 63 are kept. */
	ck_assert_int_eq(number, 2 + TIMES - 63 + 1);
	for (int i = 1; i < 63; i++) {
		answer(courier(fake), "ok 200");
		read_order(courier(fake));
		ck_assert_int_eq(json_integer_value(json_object_get(order, "number")), ++number);
	}
	answer(courier(fake), "ok 200");
	ck_assert_ptr_null(courier(fake));
	async_complete(loop);
}
END_ASYNC_TEST

static void
reload(struct fake *fake, const char *config)
{
	char *text;

	fake_config(fake, config);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	ck_assert_ptr_null(strstr(text, "very-secret"));
	free(text);
	loop_settle(fake->loop);
}

START_ASYNC_TEST(test_nobody_is_told_without_a_url)
{
	struct fake *fake;

	log_forbid("very-secret");
	harness_defer(forget_order, NULL);
	fake = fake_run(loop, DOOR);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	fake_wait_ms(fake, 10000);
	ck_assert_uint_eq(fake_count(fake, SUP_HOOK_PROGRAM, NULL), 0);
	/* From now on, what is so already, too. */
	reload(fake, HOOK DOOR);
	fake_wait_ms(fake, 5000);
	assert_camera(fake, "refused", "up");
	fake_crash(courier(fake));
	reload(fake, DOOR);
	fake_wait_ms(fake, 30000);
	ck_assert_uint_eq(fake_count(fake, SUP_HOOK_PROGRAM, NULL), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_camera_that_leaves_takes_its_event_along)
{
	struct fake *fake = start(loop, HOOK DOOR);

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	reload(fake, HOOK "cameras:\n  - {name: yard, url: \"rtsp://192.0.2.11/\"}\n");
	fake_up(fake_worker(fake, "yard"));
	fake_wait_ms(fake, 30000);
	ck_assert_ptr_null(courier(fake));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stopping_waits_for_no_receiver)
{
	struct fake *fake = start(loop, HOOK DOOR);
	struct fake_child *child;

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	fake_wait_ms(fake, 5000);
	child = courier(fake);
	ck_assert_ptr_nonnull(child);
	sup_stop(fake->sup);
	loop_settle(loop);
	ck_assert(child->killed);
	fake_exit(fake_front(fake), 0);
	fake_wait_ms(fake, 1);
	ck_assert(fake->stopped);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_hook");
	TCase *told = tcase_create("told"), *delivered = tcase_create("delivered");

	tcase_add_test(told, test_down_and_up_are_told_when_they_last);
	tcase_add_test(told, test_what_is_over_soon_is_not_told);
	tcase_add_test(told, test_a_refused_password_is_told_after_a_start);
	tcase_add_test(told, test_nobody_is_told_without_a_url);
	tcase_add_test(told, test_a_camera_that_leaves_takes_its_event_along);
	suite_add_tcase(suite, told);
	tcase_add_test(delivered, test_what_was_not_delivered_is_tried_again);
	tcase_add_test(delivered, test_a_refusal_is_final);
	tcase_add_test(delivered, test_the_queue_is_bounded);
	tcase_add_test(delivered, test_stopping_waits_for_no_receiver);
	suite_add_tcase(suite, delivered);
	return suite;
}

HARNESS_MAIN(make_suite)
