/*
 * The tap: a supervisor among fake children, and fake analysers that behave, or do not.
 */
#include "config.h"

#include "tests/check_sup_tap_rig.h"

#include "shared/xalloc.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DOOR                                                                                       \
	"  - {name: door, title: Front door, group: yard, "                                        \
	"url: \"rtsp://192.0.2.10/h264?token=s3cr3t\"}\n"
#define GATE "  - {name: gate, url: \"rtsp://192.0.2.11/pass%77ord\", on_demand: true}\n"

static void
want(struct peer *peer, uint32_t id, bool on)
{
	peer_send_msg(
	    peer, json_pack("{s:s, s:i, s:b}", "type", "tap-want", "id", (int)id, "on", on), -1);
}

static void
say_format(struct fake_child *worker, double fps)
{
	fake_say(worker,
		 json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:i, s:i, s:i, s:i, s:i, "
			   "s:i, s:i, s:i, s:b, s:i, s:i, s:i}",
			   "type", "worker-status", "codec", "h264", "codec_string", "avc1.64001F",
			   "profile", "High", "audio", "aac", "width", 1280, "height", 720, "fps",
			   fps, "bitrate_bps", 1, "gop_frames", 2, "frames", 3, "bytes", 4,
			   "corrupt", 0, "published", 0, "subscribers", 0, "gop_cache_bytes", 0,
			   "gop_cached", 1, "b_frames", 0, "last_frame_ms", 1, "config_version", 1),
		 -1);
}

START_ASYNC_TEST(test_an_analyser_is_told_what_there_is)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE);
	struct peer *peer;
	const json_t *msg;

	fake_up(fake_worker(fake, "door"));
	say_format(fake_worker(fake, "door"), 25);
	loop_settle(loop);
	peer = tap_greeted(fake, "people", NULL, NULL);
	msg = peer_get_msg(peer, MSG_TAP_STREAM, 0);
	ck_assert_str_eq(msg_str(msg, "name"), "door");
	ck_assert_str_eq(msg_str(msg, "title"), "Front door");
	ck_assert_str_eq(msg_str(msg, "group"), "yard");
	ck_assert_str_eq(msg_str(msg, "state"), "up");
	ck_assert_str_eq(msg_str(msg, "codec"), "h264");
	ck_assert_int_eq(msg_int(msg, "width", 0), 1280);
	ck_assert_int_gt(msg_int(msg, "epoch", 0), 0);
	ck_assert_int_eq(strncmp(msg_str(msg, "endpoint"), "door-", 5), 0);
	ck_assert_ptr_null(strchr(msg_str(msg, "endpoint"), '/'));
	msg = peer_get_msg(peer, MSG_TAP_STREAM, 0);
	ck_assert_str_eq(msg_str(msg, "name"), "gate");
	ck_assert_str_eq(msg_str(msg, "endpoint"), "");
	peer_get_msg(peer, MSG_TAP_SYNCED, 0);
	/* A trembling frame rate is no news, another one is. */
	say_format(fake_worker(fake, "door"), 25.4);
	loop_settle(loop);
	peer_assert_no_msg(peer);
	say_format(fake_worker(fake, "door"), 12);
	ck_assert_int_eq((int)msg_real(peer_get_msg(peer, MSG_TAP_STREAM, 0), "fps", 0), 12);
	fake_crash(fake_worker(fake, "door"));
	msg = peer_get_msg(peer, MSG_TAP_STREAM, 0);
	ck_assert_str_eq(msg_str(msg, "endpoint"), "");
	ck_assert_int_eq(msg_int(msg, "epoch", -1), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_list_has_everything_but_secrets)
{
	struct fake *fake = fake_run_with_login(
	    loop, "cameras:\n" DOOR GATE
		  "  - {name: yard, url: \"rtsp://192.0.2.12/a?user=u1&pwd=letmein\", "
		  "credentials: c1}\n");
	const char *secrets[] = { "hunter2", "s3cr3t", "192.0.2", "letmein", "u1", "rtsp:",
				  "token",   "admin",  "ord",     "c1",      "pwd" };
	json_t *list;
	char *text;
	struct stat st;

	fake_up(fake_worker(fake, "door"));
	list = tap_read_list(fake);
	ck_assert_int_eq(msg_int(list, "version", 0), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(list, "streams")), 3);
	ck_assert_str_eq(msg_str(tap_listed(list, "door"), "state"), "up");
	ck_assert_ptr_null(json_object_get(tap_listed(list, "door"), "type"));
	text = json_dumps(list, 0);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		ck_assert_msg(strstr(text, secrets[i]) == NULL, "%s is in %s", secrets[i], text);
	free(text);
	json_decref(list);
	ck_assert_int_eq(lstat(tap_path(fake, "streams.json"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(lstat(tap_path(fake, "bus/streams.json"), &st), 0);
	ck_assert_int_eq((int)st.st_mode, S_IFREG | 0600); /* as the sockets */
	ck_assert_int_eq(access(tap_path(fake, "bus/.streams.json.new"), F_OK), -1);
	/* Another incarnation is in it as soon as it is there. */
	fake_crash(fake_worker(fake, "door"));
	list = tap_read_list(fake);
	ck_assert_str_eq(msg_str(tap_listed(list, "door"), "endpoint"), "");
	json_decref(list);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wants_count_like_a_fronts)
{
	struct fake *fake = fake_run(loop, "cameras:\n" GATE);
	struct peer *one, *other;
	uint32_t id = fake_id_of(fake, "gate");

	one = tap_greeted(fake, "one", NULL, NULL);
	other = tap_greeted(fake, "other", NULL, NULL);
	ck_assert_ptr_null(fake_find(fake, FAKE_ANY_WORKER, "gate"));
	want(one, id, true);
	loop_settle(loop);
	fake_up(fake_worker(fake, "gate"));
	peer_expect_msg(fake_worker(fake, "gate")->peer, MSG_WORKER_CONFIG, NULL);
	peer_expect_msg(fake_worker(fake, "gate")->peer, MSG_DEMAND, json_pack("{s:b}", "on", 1));
	want(other, id, true);
	peer_send_msg(other, json_pack("{s:s, s:i}", "type", "tap-replay", "id", (int)id), -1);
	peer_expect_msg(fake_worker(fake, "gate")->peer, MSG_REPLAY, NULL);
	peer_run(fake_worker(fake, "gate")->peer, 0);
	want(one, id, false);
	loop_settle(loop);
	peer_assert_no_msg(fake_worker(fake, "gate")->peer);
	/* Gone without a word. */
	peer_close(other);
	peer_expect_msg(fake_worker(fake, "gate")->peer, MSG_DEMAND, json_pack("{s:b}", "on", 0));
	peer_run(fake_worker(fake, "gate")->peer, 0);
	/* What is not there is no reason to die. */
	want(one, 4711, true);
	loop_settle(loop);
	ck_assert(peer_fd(one) >= 0);
	async_complete(loop);
}
END_ASYNC_TEST

static json_t *
told(const char *const *names, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	return json_pack("{s:s, s:o}", "name", "people", "streams", list);
}

START_ASYNC_TEST(test_fronts_are_told_who_publishes_what)
{
	static const char *const names[] = { "door", "gate" };
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE);
	struct fake_child *front = fake_synced_front(fake);
	int results = tap_listen_for_results(fake, "analyser-people-12.sock");
	const struct sup_tap_client *client;
	struct peer *peer, *ctl = fake_ctl(fake);
	const json_t *msg;
	int id;

	peer = tap_greeted(fake, "people", "do*", NULL);
	loop_settle(loop);
	ck_assert_uint_eq(peer_msg_count(front->peer, MSG_ANALYSER), 0);
	peer_send_msg(peer, tap_hello("people", "do*", "analyser-people-12.sock"), -1);
	peer_await_msg(front->peer, MSG_ANALYSER, told(names, 1));
	peer_run(front->peer, 0);
	msg = peer_last_msg(front->peer);
	id = (int)msg_int(msg, "id", 0);
	ck_assert_str_eq(msg_str(msg, "endpoint"),
			 tap_path(fake, "bus/results/analyser-people-12.sock"));
	/* What it wants it may speak of, also later. */
	want(peer, fake_id_of(fake, "gate"), true);
	peer_await_msg(front->peer, MSG_ANALYSER, told(names, 2));
	want(peer, fake_id_of(fake, "gate"), false);
	peer_run(front->peer, 0);
	fake_say(front,
		 json_pack("{s:s, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "type",
			   "front-analyser", "id", id, "connected", 1, "results", 9, "malformed", 1,
			   "too_large", 2, "too_many", 3, "foreign", 4, "unknown_frame", 5, "late",
			   6, "lag_p95_us", 7000, "last_error", "no object"),
		 -1);
	loop_settle(loop);
	client = TAILQ_FIRST(sup_tap_clients(fake->sup));
	ck_assert_int_eq(sup_tap_count(client, "malformed"), 1);
	ck_assert_str_eq(msg_str(sup_tap_report(client), "last_error"), "no object");
	peer_send_msg(ctl, msg_new(MSG_CTL_ANALYSERS), -1);
	peer_expect_msg(ctl, MSG_CTL_ANALYSER,
			json_pack("{s:i, s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:s}", "id", id, "name",
				  "people", "connected", 1, "results", 9, "late", 6, "slow_viewers",
				  0, "watches", 0, "lag_p95_us", 7000, "last_error", "no object"));
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 0));
	peer_run(ctl, 0);
	/* The next front hears of it as well. */
	fake_crash(front);
	ck_assert_int_eq(sup_tap_count(client, "malformed"), 0);
	fake_wait_ms(fake, 1000);
	front = fake_front(fake);
	peer_await_msg(front->peer, MSG_ANALYSER, told(names, 2));
	peer_close(peer);
	peer_await_msg(front->peer, MSG_ANALYSER_GONE, json_pack("{s:i}", "id", id));
	peer_run(front->peer, 0);
	ck_assert_int_eq(access(tap_path(fake, "bus/results/analyser-people-12.sock"), F_OK), -1);
	close(results);
	async_complete(loop);
}
END_ASYNC_TEST

static void
report(struct fake_child *front, uint32_t id, int results, int late, int slow, int p95, double rate)
{
	fake_say(front,
		 json_pack("{s:s, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f}",
			   "type", "front-analyser", "id", (int)id, "connected", 1, "results",
			   results, "malformed", 0, "too_large", 0, "too_many", 0, "foreign", 0,
			   "unknown_frame", 0, "late", late, "slow_viewers", slow, "lag_p50_us", 1,
			   "lag_p95_us", p95, "rate", rate),
		 -1);
}

/* Both read the same results; who is too slow for them is a viewer of one. */
START_ASYNC_TEST(test_two_fronts_read_the_same_results)
{
	struct fake *fake = fake_run(loop, "http: {fronts: 2}\ncameras:\n" DOOR);
	struct fake_child *first = fake_synced_front(fake), *second;
	struct peer *ctl = fake_ctl(fake), *peer = tap_greeted(fake, "people", "do*", NULL);
	const struct sup_tap_client *client;

	second = fake_get(fake, "camhub-http", "http.2");
	fake_ready(second);
	loop_settle(loop);
	client = TAILQ_FIRST(sup_tap_clients(fake->sup));
	ck_assert_ptr_nonnull(client);
	report(first, client->id, 100, 2, 5, 30000, 9.5);
	report(second, client->id, 90, 3, 7, 40000, 10.5);
	loop_settle(loop);
	peer_send_msg(ctl, msg_new(MSG_CTL_ANALYSERS), -1);
	peer_expect_msg(ctl, MSG_CTL_ANALYSER,
			json_pack("{s:i, s:i, s:i, s:i, s:f}", "results", 100, "late", 3,
				  "slow_viewers", 12, "lag_p95_us", 40000, "rate", 10.5));
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 0));
	peer_run(ctl, 0);
	peer_close(peer);
	peer_run(peer, 0);
	peer_send_msg(ctl, msg_new(MSG_CTL_ANALYSERS), -1);
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 0));
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static const struct {
	const char *name, *pattern, *results;
} bad_hellos[] = {
	{ "", NULL, NULL },
	{ "_x", NULL, NULL },
	{ "Big", NULL, NULL },
	{ "a/b", NULL, NULL },
	{ "people", "../*", NULL },
	{ "people", "", NULL },
	{ "people", NULL, "analyser-people-99.sock" }, /* not there */
	{ "people", NULL, "analyser-people-7.sock" },  /* no socket */
	{ "people", NULL, "analyser-people-8.sock" },  /* a link to somebody's socket */
	{ "people", NULL, "analyser-other-12.sock" },
	{ "people", NULL, "analyser-people-.sock" },
	{ "people", NULL, "analyser-people-1x.sock" },
	{ "people", NULL, "../tap.sock" },
	{ "people", NULL, "analyser-people-12345678901.sock" },
};

START_ASYNC_TEST(test_a_bad_hello_is_refused)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *peer = tap_analyser(fake);

	close(open(tap_path(fake, "bus/results/analyser-people-7.sock"),
		   O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(
	    symlink("../tap.sock", tap_path(fake, "bus/results/analyser-people-8.sock")), 0);
	peer_send_msg(
	    peer, tap_hello(bad_hellos[_i].name, bad_hellos[_i].pattern, bad_hellos[_i].results),
	    -1);
	ck_assert(tap_was_cut_off(peer));
	ck_assert_uint_eq(peer_msg_count(peer, MSG_TAP_WELCOME), 0);
	unlink(tap_path(fake, "bus/results/analyser-people-7.sock"));
	unlink(tap_path(fake, "bus/results/analyser-people-8.sock"));
	async_complete(loop);
}
END_ASYNC_TEST

/* Fronts connect as the user of camhub: nobody may send them to what is not his. */
START_ASYNC_TEST(test_an_endpoint_belongs_to_its_analyser)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct fake_child *front = fake_synced_front(fake);
	int results = tap_listen_for_results(fake, "analyser-people-12.sock");
	const char *path = tap_path(fake, "bus/results/analyser-people-12.sock");
	struct peer *peer;

	/* Only root can make one that belongs to another. */
	if (geteuid() == 0) {
		ck_assert_int_eq(lchown(path, 65534, (gid_t)-1), 0);
		peer = tap_analyser(fake);
		peer_send_msg(peer, tap_hello("people", "do*", "analyser-people-12.sock"), -1);
		ck_assert(tap_was_cut_off(peer));
		expect_log("belongs to somebody else");
		ck_assert_uint_eq(peer_msg_count(front->peer, MSG_ANALYSER), 0);
		ck_assert_int_eq(access(path, F_OK), 0);
		ck_assert_int_eq(lchown(path, 0, (gid_t)-1), 0);
	}
	peer = tap_greeted(fake, "people", "do*", "analyser-people-12.sock");
	peer_await_msg(front->peer, MSG_ANALYSER,
		       json_pack("{s:s, s:I}", "name", "people", "uid", (json_int_t)geteuid()));
	peer_run(front->peer, 0);
	close(results);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_two_have_one_endpoint)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	int results = tap_listen_for_results(fake, "analyser-people-12.sock");
	struct peer *first = tap_greeted(fake, "people", NULL, "analyser-people-12.sock");
	struct peer *second = tap_analyser(fake);

	peer_send_msg(second, tap_hello("people", NULL, "analyser-people-12.sock"), -1);
	ck_assert(tap_was_cut_off(second));
	ck_assert_int_eq(access(tap_path(fake, "bus/results/analyser-people-12.sock"), F_OK), 0);
	/* Nor another name. */
	peer_send_msg(first, tap_hello("cars", NULL, NULL), -1);
	ck_assert(tap_was_cut_off(first));
	close(results);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_who_says_nothing_is_sent_away)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *silent = tap_analyser(fake), *early = tap_analyser(fake);

	want(early, 1, true);
	ck_assert(tap_was_cut_off(early));
	ck_assert(peer_fd(silent) >= 0);
	fake_wait_ms(fake, SUP_TAP_HELLO_MS + 100);
	ck_assert(tap_was_cut_off(silent));
	async_complete(loop);
}
END_ASYNC_TEST

static void
send_rubbish(struct fake *fake, const char *bytes, size_t len)
{
	struct peer *peer = tap_greeted(fake, "rubbish", NULL, NULL);

	peer_send_datagram(peer, bytes, len);
	peer_drain_until_close(peer);
	peer_run(peer, 0);
}

START_ASYNC_TEST(test_rubbish_ends_a_connection_and_nothing_else)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *good = tap_greeted(fake, "good", NULL, NULL);
	static const char want_text[] = "{\"type\":\"tap-want\",\"id\":1,\"on\":true}";
	char *large = calloc(1, 5000);

	memset(large, ' ', 5000);
	memcpy(large, want_text, strlen(want_text));
	send_rubbish(fake, "{", 1);
	send_rubbish(fake, "\0\0\0\0", 4);
	send_rubbish(fake, "{\"type\":\"reload\"}", 17);
	send_rubbish(fake, "{\"type\":\"tap-want\",\"id\":-1,\"on\":true}", 38);
	send_rubbish(fake, large, 5000);
	free(large);
	want(good, 1, true);
	loop_settle(loop);
	ck_assert(fake->sup->tap != NULL && sup_tap_wants(fake->sup, 1));
	ck_assert(peer_fd(good) >= 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_flood_ends_itself)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *peer = tap_greeted(fake, "flood", NULL, NULL);

	for (int i = 0; i <= SUP_TAP_MESSAGES; i++)
		want(peer, 1, i % 2 == 0);
	ck_assert(tap_was_cut_off(peer));
	ck_assert(!sup_tap_wants(fake->sup, 1));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_who_never_reads_is_cut_off)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	int fd = tap_connect_to(fake, "tap.sock");
	static const char text[] = "{\"type\":\"tap-hello\",\"name\":\"deaf\",\"version\":\"1\","
				   "\"streams\":[]}";
	const struct sup_tap_clients *clients = sup_tap_clients(fake->sup);

	ck_assert_int_eq(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	loop_settle(loop);
	ck_assert(!TAILQ_EMPTY(clients));
	fake_up(fake_worker(fake, "door"));
	/* The socket takes some hundred as well. */
	for (int i = 0; i < SUP_TAP_QUEUE_MAX + 1000 && !TAILQ_EMPTY(clients); i++) {
		say_format(fake_worker(fake, "door"), i % 2 == 0 ? 10 : 20);
		loop_settle(loop);
	}
	ck_assert(TAILQ_EMPTY(clients));
	expect_log("it does not read");
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_more_than_so_many_are_not_let_in)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *peers[SUP_TAP_CLIENTS_MAX], *late;

	for (size_t i = 0; i < SUP_TAP_CLIENTS_MAX; i++)
		peers[i] = tap_greeted(fake, "many", NULL, NULL);
	late = tap_analyser(fake);
	peer_drain_until_close(late);
	peer_run(late, 0);
	peer_close(peers[3]);
	peer_run(peers[3], 0);
	loop_settle(loop);
	tap_greeted(fake, "again", NULL, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_streams_come_and_go)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *peer = tap_greeted(fake, "people", NULL, NULL);
	json_t *list;
	char *text = NULL;

	peer_get_msg(peer, MSG_TAP_SYNCED, 0);
	fake_config(fake, "cameras:\n" GATE);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	peer_await_msg(peer, MSG_TAP_GONE, NULL);
	peer_run(peer, 0);
	ck_assert_str_eq(msg_str(peer_get_msg(peer, MSG_TAP_STREAM, 0), "name"), "gate");
	list = tap_read_list(fake);
	ck_assert_uint_eq(json_array_size(json_object_get(list, "streams")), 1);
	tap_listed(list, "gate");
	json_decref(list);
	async_complete(loop);
}
END_ASYNC_TEST

static mode_t
mode_of(struct fake *fake, const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(tap_path(fake, name), &st), 0);
	return st.st_mode & 07777;
}

/* The directory says who gets in, the sockets in it who may ask. */
START_ASYNC_TEST(test_a_group_gets_in)
{
	const struct group *own = getgrgid(getegid()), *other = getgrnam("nogroup");
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	char *config, *text = NULL;
	struct stat st;

	ck_assert_uint_eq(mode_of(fake, "bus"), 0700);
	ck_assert_uint_eq(mode_of(fake, "bus/results"), 0700);
	ck_assert_uint_eq(mode_of(fake, "bus/tap.sock"), 0600);
	config = xasprintf("bus: {group: %s}\ncameras:\n" DOOR, own->gr_name);
	fake_config(fake, config);
	free(config);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	ck_assert_uint_eq(mode_of(fake, "bus"), 0750);
	ck_assert_uint_eq(mode_of(fake, "bus/results"), 01770);
	ck_assert_uint_eq(mode_of(fake, "bus/tap.sock"), 0660);
	if (geteuid() == 0 && other != NULL) {
		fake_config(fake, "bus: {group: nogroup}\ncameras:\n" DOOR);
		ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
		free(text);
		ck_assert_uint_eq(mode_of(fake, "bus"), 02750);
		ck_assert_uint_eq(mode_of(fake, "bus/results"), 03770);
		ck_assert_int_eq(stat(tap_path(fake, "bus/tap.sock"), &st), 0);
		ck_assert_uint_eq(st.st_gid, getgrnam("nogroup")->gr_gid);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_is_left)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);

	close(tap_listen_for_results(fake, "analyser-people-12.sock"));
	json_decref(tap_read_list(fake));
	sup_free(&fake->sup);
	ck_assert_int_eq(access(tap_path(fake, "streams.json"), F_OK), -1);
	ck_assert_int_eq(access(tap_path(fake, "bus"), F_OK), -1);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_tap");
	TCase *tcase = tcase_create("tap");

	tcase_add_test(tcase, test_an_analyser_is_told_what_there_is);
	tcase_add_test(tcase, test_the_list_has_everything_but_secrets);
	tcase_add_test(tcase, test_wants_count_like_a_fronts);
	tcase_add_test(tcase, test_fronts_are_told_who_publishes_what);
	tcase_add_test(tcase, test_two_fronts_read_the_same_results);
	tcase_add_loop_test(tcase, test_a_bad_hello_is_refused, 0,
			    sizeof(bad_hellos) / sizeof(bad_hellos[0]));
	tcase_add_test(tcase, test_an_endpoint_belongs_to_its_analyser);
	tcase_add_test(tcase, test_no_two_have_one_endpoint);
	tcase_add_test(tcase, test_who_says_nothing_is_sent_away);
	tcase_add_test(tcase, test_rubbish_ends_a_connection_and_nothing_else);
	tcase_add_test(tcase, test_a_flood_ends_itself);
	tcase_add_test(tcase, test_who_never_reads_is_cut_off);
	tcase_add_test(tcase, test_more_than_so_many_are_not_let_in);
	tcase_add_test(tcase, test_streams_come_and_go);
	tcase_add_test(tcase, test_a_group_gets_in);
	tcase_add_test(tcase, test_nothing_is_left);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
