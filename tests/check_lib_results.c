/*
 * What analysers say, by libcamhub: where, how much, again after a restart, and not where nobody
 * wants it.
 */
#include "config.h"

#include "lib/camhub.h"
#include "shared/bus.h"
#include "tests/check_lib_rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Analysers */

/* talker DIR: what can be said, and what cannot. */
HARNESS_CHILD(talker)
{
	static const char good[] = "{\"stream\":\"door\",\"seq\":1}";
	char *large = calloc(1, 70000);
	struct camhub *hub;
	int rc = 0, n = 0;

	if (camhub_open(argv[1], "talker", &hub) < 0)
		return 3;
	memset(large, ' ', 70000);
	lib_say("large", camhub_publish(hub, large, 70000));
	lib_say("rubbish", camhub_publish(hub, "[1]", 3));
	lib_say("cut", camhub_publish(hub, good, sizeof(good) - 3));
	/* Until somebody listens. */
	while (access(argv[2], F_OK) < 0) {
		(void)camhub_publish(hub, good, sizeof(good) - 1);
		poll(NULL, 0, 20);
	}
	while (rc == 0 && n++ < 1000)
		rc = camhub_publish(hub, good, sizeof(good) - 1);
	lib_say("flood", rc);
	free(large);
	camhub_close(&hub);
	return 0;
}

/* narrator DIR: says something again and again, whoever listens, until it is killed. */
HARNESS_CHILD(narrator)
{
	static const char text[] = "{\"stream\":\"door\",\"note\":\"still here\"}";
	struct camhub *hub;

	if (camhub_open(argv[1], "narrator", &hub) < 0)
		return 3;
	for (;;) {
		(void)camhub_publish(hub, text, sizeof(text) - 1);
		poll(NULL, 0, 20);
	}
}

/* unwanted DIR STREAM: says something, and looks until it is told that nobody wants it. */
HARNESS_CHILD(unwanted)
{
	static const char text[] = "{\"stream\":\"door\"}";
	struct camhub *hub;
	struct camhub_sub *sub;
	struct camhub_frame *frame;

	if (camhub_open(argv[1], "unwanted", &hub) < 0 ||
	    camhub_publish(hub, text, sizeof(text) - 1) < 0 ||
	    camhub_subscribe(hub, argv[2], &sub) < 0)
		return 3;
	return lib_say("next", camhub_next(sub, -1, &frame));
}

START_ISOLATED_TEST(test_results_go_out, .real_clock = true)
{
	static struct bus_sub *sub;
	struct peer *supervisor = lib_supervise(loop);
	struct program *talker;
	struct bus_msg *msg;
	char path[256];
	const char *name;
	struct stat st;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	lib_welcome(supervisor);
	lib_synced(supervisor);
	talker =
	    program_start_self(loop, 0, "talker", harness_tmpdir(), harness_tmpfile("go"), NULL);
	/* Named when there is something to say. */
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "talker"));
	peer_run(supervisor, 0);
	name = msg_str(peer_last_msg(supervisor), "results");
	ck_assert_int_eq(strncmp(name, "analyser-talker-", 16), 0);
	snprintf(path, sizeof(path), "%s/%s", harness_tmpfile("results"), name);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0666);
	ck_assert_int_eq(bus_sub_open_plain(path, 65536, 64, &sub), 0);
	while (bus_sub_recv_plain(sub, &msg) == -EAGAIN)
		loop_run_for_ms(loop, 5);
	ck_assert_uint_eq(msg->frame.payload_len, 25);
	ck_assert_int_eq(memcmp(msg->payload, "{\"stream\":\"door\",\"seq\":1}", 25), 0);
	bus_msg_unref(&msg);
	close(open(harness_tmpfile("go"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(program_wait(talker, 0), 0);
	program_wait_output(talker, "large: more than 65536 bytes", 0);
	program_wait_output(talker, "rubbish: not as it should be", 0);
	program_wait_output(talker, "cut: not as it should be", 0);
	program_wait_output(talker, "flood: more than 60 results of a stream", 0);
	ck_assert_int_eq(stat(path, &st), -1);
	peer_expect_close(supervisor);
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

/* Reads the endpoint that the hello names; its name. */
static const char *
hear_at(struct loop *loop, struct peer *supervisor)
{
	static char path[256];
	const char *name = msg_str(peer_last_msg(supervisor), "results");
	struct bus_sub *sub;
	struct bus_msg *msg;

	ck_assert_int_eq(strncmp(name, "analyser-narrator-", 18), 0);
	snprintf(path, sizeof(path), "%s/%s", harness_tmpfile("results"), name);
	ck_assert_int_eq(bus_sub_open_plain(path, 65536, 64, &sub), 0);
	while (bus_sub_recv_plain(sub, &msg) == -EAGAIN)
		loop_run_for_ms(loop, 5);
	bus_msg_unref(&msg);
	return path;
}

START_ISOLATED_TEST(test_results_go_on_after_a_restart, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	char first[256];
	const char *second;
	struct stat st;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	lib_welcome(supervisor);
	lib_synced(supervisor);
	program_start_self(loop, 0, "narrator", harness_tmpdir(), NULL);
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "narrator"));
	peer_run(supervisor, 0);
	snprintf(first, sizeof(first), "%s", hear_at(loop, supervisor));
	peer_close(supervisor);
	peer_run(supervisor, 0);
	/* As the supervisor does when a connection ends. */
	unlink(first);
	unlink(harness_tmpfile("tap.sock"));
	supervisor = lib_supervise(loop);
	lib_welcome(supervisor);
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "narrator"));
	peer_run(supervisor, 0);
	second = hear_at(loop, supervisor);
	ck_assert_str_ne(first, second);
	ck_assert_int_eq(stat(second, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0666);
	async_complete(loop);
}
END_ISOLATED_TEST

static unsigned
count_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Sent away three times, it made no other endpoint, and its program is told. */
START_ISOLATED_TEST(test_refused_again_and_again, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *unwanted;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	lib_welcome(supervisor);
	peer_send_msg(supervisor, lib_stream(1, "door", 0, ""), -1);
	lib_synced(supervisor);
	unwanted = program_start_self(loop, 0, "unwanted", harness_tmpdir(), "door", NULL);
	peer_await_msg(supervisor, MSG_TAP_WANT, NULL);
	peer_run(supervisor, 0);
	for (int i = 0; i < 3; i++) {
		peer_close(supervisor);
		peer_run(supervisor, 0);
		unlink(harness_tmpfile("tap.sock"));
		supervisor = lib_supervise(loop);
		peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "unwanted"));
		peer_send_msg(supervisor,
			      json_pack("{s:s, s:s}", "type", "tap-refused", "text", "no"), -1);
		peer_run(supervisor, 0);
		ck_assert_str_eq(msg_str(peer_last_msg(supervisor), "results"), "");
	}
	program_wait_output(unwanted, "next: not as it should be, or camhub refused it", 0);
	ck_assert_uint_eq(count_files(harness_tmpfile("results")), 1);
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("lib_results");
	TCase *tcase = tcase_create("results");

	tcase_add_test(tcase, test_results_go_out);
	tcase_add_test(tcase, test_results_go_on_after_a_restart);
	tcase_add_test(tcase, test_refused_again_and_again);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
