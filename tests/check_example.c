/*
 * The example of docs/testing.md: a program asks a camera for its name, with a timeout.
 */
#include "config.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "tests/harness/harness.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The code under test. It gives up after 5 s. */
struct asker {
	int fd;
	struct event *event;
	struct clock_timer timeout;
	void (*on_name)(const char *name, void *arg); /* NULL: no answer */
	void *arg;
};

static void
asker_free(void *arg)
{
	struct asker *asker = arg;

	clock_timer_cancel(&asker->timeout);
	event_free(asker->event);
	close(asker->fd);
	free(asker);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct asker *asker = arg;
	char name[64] = "";

	(void)what;
	clock_timer_cancel(&asker->timeout);
	asker->on_name(read(fd, name, sizeof(name) - 1) > 0 ? name : NULL, asker->arg);
}

static void
on_timeout(struct clock_timer *timer, void *arg)
{
	struct asker *asker = arg;

	(void)timer;
	event_del(asker->event);
	log_warn("cam=door: no answer in 5 s");
	asker->on_name(NULL, asker->arg);
}

static struct asker *
asker_new(struct loop *loop, int fd, void (*on_name)(const char *, void *), void *arg)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	*asker = (struct asker){ .fd = fd, .on_name = on_name, .arg = arg };
	asker->event = event_new(loop_base(loop), fd, EV_READ, on_readable, asker);
	event_add(asker->event, NULL);
	clock_timer_init(&asker->timeout, loop_clock(loop), on_timeout, asker);
	clock_timer_set_ms(&asker->timeout, 5000);
	(void)!write(fd, "NAME?\n", 6);
	return asker;
}

/* The tests. */
static void
expect_door(const char *name, void *arg)
{
	ck_assert_pstr_eq(name, "door");
	async_complete(arg); /* without this the test fails */
}

START_ASYNC_TEST(test_name_comes_late)
{
	int fds[2];
	struct peer *camera;

	loop_pair(loop, SOCK_STREAM, fds);
	camera = peer_new(loop, fds[0], "camera");
	peer_expect_text(camera, "NAME?\n");
	peer_stall(camera, 4999); /* of fake time: the test takes none */
	peer_send_text(camera, "door");
	harness_defer(asker_free, asker_new(loop, fds[1], expect_door, loop));
}
END_ASYNC_TEST

static void
expect_nothing(const char *name, void *arg)
{
	ck_assert_ptr_null(name);
	*(bool *)arg = true;
}

START_ASYNC_TEST(test_camera_that_stalls)
{
	bool done = false;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	peer_stall(peer_new(loop, fds[0], "camera"), PEER_FOREVER);
	harness_defer(asker_free, asker_new(loop, fds[1], expect_nothing, &done));
	loop_run_until(loop, &done, 0);
	ck_assert_int_eq(loop_elapsed_ms(loop), 5000);
	expect_log("cam=door: no answer in 5 s");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("example");
	TCase *tcase = tcase_create("asker");

	tcase_add_test(tcase, test_name_comes_late);
	tcase_add_test(tcase, test_camera_that_stalls);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
