/*
 * The real camctl against a fake supervisor on a real socket: what it asks, what it prints, what it
 * exits with; and a supervisor that is absent, mute, slow, full, rude or gone.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "ctl/ctl.h"
#include "shared/chan.h"
#include "tests/ctl_messages.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 20000

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* camctl --runtime-dir TMPDIR a b c */
static struct program *
start(struct loop *loop, const char *a, const char *b, const char *c)
{
	const char *argv[] = { "camctl", "--runtime-dir", harness_tmpdir(), a, b, c, NULL };

	return program_start(loop, &(struct program_options){ .path = CAMCTL, .argv = argv });
}

static struct peer *
listen_as_supervisor(struct loop *loop)
{
	return peer_listen_chan(loop, harness_tmpfile("ctl.sock"), MSG_FROM_CTL, "supervisor");
}

static void
answer_status(struct peer *peer, const char *state)
{
	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_msg(peer, ctl_message_supervisor(now_ms() - 5000), -1);
	peer_send_msg(peer, ctl_message_process("up", now_ms() - 5000), -1);
	peer_send_msg(peer, ctl_message_camera("door", "up", now_ms() - 5000), -1);
	peer_send_msg(peer, ctl_message_camera("yard", state, now_ms() - 5000), -1);
	peer_send_msg(peer, ctl_message_done(0, ""), -1);
	peer_expect_close(peer);
}

START_ASYNC_TEST(test_status, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;

	answer_status(peer, _i == 0 ? "up" : "down");
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), _i == 0 ? CTL_OK : CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "CAMERA  STATE"));
	ck_assert_ptr_nonnull(strstr(program_output(program), "front http: up since"));
	/* A pipe is no terminal. */
	ck_assert_ptr_null(strchr(program_output(program), '\033'));
	peer_run(peer, DEADLINE_MS);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_status_json, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;
	json_t *json, *camera;

	answer_status(peer, "off");
	program = start(loop, "status", "--json", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	json = json_loads(program_output(program), 0, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "cameras")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "processes")), 1);
	camera = json_array_get(json_object_get(json, "cameras"), 1);
	ck_assert_str_eq(msg_str(camera, "name"), "yard");
	ck_assert_str_eq(msg_str(camera, "state"), "off");
	ck_assert_ptr_null(json_object_get(camera, "type"));
	ck_assert_int_eq(msg_int(json_object_get(json, "supervisor"), "pid", 0), 4700);
	/* Put the type back: it is the message as the schema has it, every field of it. */
	msg_set_str(camera, "type", "camera");
	ctl_message_check(camera);
	json_decref(json);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_status_of_one, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;

	peer_expect_msg(peer, MSG_CTL_STATUS, json_pack("{s:s}", "camera", "door"));
	peer_send_msg(peer, ctl_message_supervisor(now_ms()), -1);
	peer_send_msg(peer, ctl_message_camera("door", "up", now_ms()), -1);
	peer_send_msg(peer, ctl_message_done(0, ""), -1);
	program = start(loop, "status", "door", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	ck_assert_ptr_nonnull(strstr(program_output(program), "video:         h264 High"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_such_camera, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;

	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_msg(peer, ctl_message_supervisor(now_ms()), -1);
	peer_send_msg(peer, ctl_message_done(1, "there is no such camera"), -1);
	program = start(loop, "status", "nobody", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_USAGE);
	ck_assert_str_eq(program_output(program), "camctl: there is no such camera\n");
	async_complete(loop);
}
END_ASYNC_TEST

/* Commands: what is sent, what comes back, what is printed and the exit status. */
static const struct {
	const char *command, *argument;
	enum msg_type type;
	const char *field;
	int code;
	const char *text, *output;
	int exit;
} commands[] = {
	{ "reload", NULL, MSG_CTL_RELOAD, NULL, 0, "1 camera changed\nrestart camhub",
	  "1 camera changed\nrestart camhub\n", CTL_OK },
	{ "reload", NULL, MSG_CTL_RELOAD, NULL, 0, "", "reloaded\n", CTL_OK },
	{ "reload", NULL, MSG_CTL_RELOAD, NULL, 1, "f:3: wrong\x1b[2J", "f:3: wrong\\x1b[2J\n",
	  CTL_DOWN },
	{ "restart", "door", MSG_CTL_RESTART, "what", 0, "", "restarted\n", CTL_OK },
	{ "restart", "nobody", MSG_CTL_RESTART, "what", 1, "there is no such camera",
	  "there is no such camera\n", CTL_DOWN },
	{ "log-level", "debug", MSG_CTL_LOG_LEVEL, "level", 0, "", "log level set\n", CTL_OK },
	{ "version", NULL, MSG_CTL_VERSION, NULL, 0, PACKAGE_VERSION,
	  "camctl " PACKAGE_VERSION "\nsupervisor " PACKAGE_VERSION "\n", CTL_OK },
};
#define N_COMMANDS ((int)(sizeof(commands) / sizeof(commands[0])))

START_ASYNC_TEST(test_commands, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;
	const char *field = commands[_i].field;

	peer_expect_msg(peer, commands[_i].type,
			field != NULL ? json_pack("{s:s}", field, commands[_i].argument) : NULL);
	peer_send_msg(peer, ctl_message_done(commands[_i].code, commands[_i].text), -1);
	program = start(loop, commands[_i].command, commands[_i].argument, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), commands[_i].exit);
	ck_assert_str_eq(program_output(program), commands[_i].output);
	peer_run(peer, DEADLINE_MS);
	async_complete(loop);
}
END_ASYNC_TEST

static const char *const wrong_usage[][3] = {
	{ NULL },
	{ "nonsense" },
	{ "status", "--nonsense" },
	{ "status", "a", "b" },
	{ "status", "" },
	{ "status", "a-name-that-is-longer-than-any-stream-can-be" },
	{ "check" },
	{ "check", "a", "b" },
	{ "reload", "x" },
	{ "restart" },
	{ "restart", "a", "b" },
	{ "log-level" },
	{ "log-level", "loud" },
	{ "version", "x" },
	{ "probe" },
	{ "probe", "rtsp://h/", "x" },
	{ "probe", "exec:ls" },
	{ "probe", "--transport=quic", "rtsp://h/" },
	{ "support", "x" },
	{ "--nonsense" },
};

/* Nothing is asked: nobody listens, and the answer is still "usage". */
START_ASYNC_TEST(test_usage, .real_clock = true)
{
	struct program *program =
	    start(loop, wrong_usage[_i][0], wrong_usage[_i][1], wrong_usage[_i][2]);

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_USAGE);
	ck_assert_str_ne(program_output(program), "");
	async_complete(loop);
}
END_ASYNC_TEST

/* Nobody there, one for people, one for programs. */
static const struct {
	const char *command, *option;
	enum msg_type ask;
	bool is_there;
	const char *output;
} lists[] = {
	{ "viewers", NULL, MSG_CTL_VIEWERS, false, "nobody watches\n" },
	{ "viewers", "--json", MSG_CTL_VIEWERS, false, "[]\n" },
	{ "viewers", NULL, MSG_CTL_VIEWERS, true, "192.0.2.7" },
	{ "viewers", "--json", MSG_CTL_VIEWERS, true, "\"address\": \"192.0.2.7\"" },
	{ "analysers", NULL, MSG_CTL_ANALYSERS, false, "no program looks at the cameras\n" },
	{ "analysers", "--json", MSG_CTL_ANALYSERS, false, "[]\n" },
};

START_ASYNC_TEST(test_lists, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program = start(loop, lists[_i].command, lists[_i].option, NULL);

	peer_expect_msg(peer, lists[_i].ask, NULL);
	if (lists[_i].is_there)
		peer_send_msg(peer,
			      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "type",
					"viewer", "id", "7", "camera", "door", "user", "ann", "way",
					"session", "address", "192.0.2.7", "transport", "wall",
					"since_ms", (json_int_t)now_ms()),
			      -1);
	peer_send_msg(peer, ctl_message_done(0, ""), -1);
	peer_expect_close(peer);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	if (lists[_i].is_there)
		ck_assert_ptr_nonnull(strstr(program_output(program), lists[_i].output));
	else
		ck_assert_str_eq(program_output(program), lists[_i].output);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_not_running, .real_clock = true)
{
	static const char *const words[] = { "status", "reload", "version" };
	struct program *program;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	/* No socket at all. */
	for (size_t i = 0; i < 3; i++) {
		program = start(loop, words[i], NULL, NULL);
		ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_NOT_RUNNING);
		ck_assert_ptr_nonnull(strstr(program_output(program), "not running"));
	}
	/* What a killed supervisor leaves: a socket that nobody listens on. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strcpy(addr.sun_path, harness_tmpfile("ctl.sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_NOT_RUNNING);
	async_complete(loop);
}
END_ASYNC_TEST

/* As with SIGSTOP: the kernel takes the connection and the request, and nothing comes back. */
START_ASYNC_TEST(test_no_answer, .real_clock = true)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), filler = -1;
	int64_t begin = now_ms();
	struct program *program;

	strcpy(addr.sun_path, harness_tmpfile("ctl.sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	if (_i == 1) {
		/* The queue of connections is full as well. */
		filler = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(filler, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_NO_ANSWER);
	ck_assert_ptr_nonnull(strstr(program_output(program), "no answer"));
	/* It waited, it did not give up at once. */
	ck_assert_int_ge(now_ms() - begin, 1900);
	if (filler >= 0)
		close(filler);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

/* An answer that stops in the middle. */
START_ASYNC_TEST(test_half_an_answer, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;

	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_msg(peer, ctl_message_supervisor(now_ms()), -1);
	if (_i == 0)
		peer_close(peer);
	else
		peer_expect_close(peer);
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), _i == 0 ? CTL_DOWN : CTL_NO_ANSWER);
	ck_assert_ptr_null(strstr(program_output(program), "supervisor " PACKAGE_VERSION));
	peer_run(peer, DEADLINE_MS);
	async_complete(loop);
}
END_ASYNC_TEST

/* Slow, but never silent for 2 s: more than 2 s in all are no reason to give up. */
START_ASYNC_TEST(test_slow_answer, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;
	int64_t begin = now_ms();

	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	for (int i = 0; i < 5; i++) {
		peer_send_msg(peer, ctl_message_camera("door", "up", now_ms()), -1);
		peer_stall(peer, 500);
	}
	peer_send_msg(peer, ctl_message_done(0, ""), -1);
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	ck_assert_int_ge(now_ms() - begin, 2400);
	async_complete(loop);
}
END_ASYNC_TEST

/* Rubbish, of another version, or rude: an error in words, no crash, nothing of it on the terminal.
 */
static const char *const rubbish[] = {
	"rubbish",
	"{}",
	"[]",
	"{\"type\":\"camera\"}",
	"{\"type\":\"no-such-message\"}",
	"{\"type\":\"done\",\"code\":0,\"text\":\"\",\"more\":1}",
	"{\"type\":\"done\",\"code\":256,\"text\":\"\"}",
	"{\"type\":\"done\",\"code\":0,\"text\":\"a\\u0000b\"}",
	"\x1b[2J",
	"\x00",
	"{\"type\":\"done\",\"type\":\"done\",\"code\":0,\"text\":\"\"}",
};
#define N_RUBBISH ((int)(sizeof(rubbish) / sizeof(rubbish[0])))

START_ASYNC_TEST(test_rubbish, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	size_t len = strlen(rubbish[_i]);
	struct program *program;

	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_datagram(peer, rubbish[_i], len > 0 ? len : 1);
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "cannot be understood"));
	ck_assert_ptr_null(strchr(program_output(program), '\033'));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_answer_with_descriptor, .real_clock = true)
{
	struct peer *peer = listen_as_supervisor(loop);
	struct program *program;

	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_msg(peer, ctl_message_done(0, ""), dup(STDERR_FILENO));
	program = start(loop, "status", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	async_complete(loop);
}
END_ASYNC_TEST

/* --watch goes on when the supervisor goes, sees it come back, and leaves when asked. */
START_ASYNC_TEST(test_watch, .real_clock = true)
{
	struct program *program = start(loop, "status", "--watch", NULL);
	struct peer *peer;

	program_wait_output(program, "not running", DEADLINE_MS);
	peer = listen_as_supervisor(loop);
	answer_status(peer, "up");
	program_wait_output(program, "CAMERA  STATE", DEADLINE_MS);
	peer_run(peer, DEADLINE_MS);
	program_signal(program, SIGINT);
	ck_assert_int_ge(program_wait(program, DEADLINE_MS), 0);
	ck_assert_ptr_null(strchr(program_output(program), '\033'));
	async_complete(loop);
}
END_ASYNC_TEST

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

START_ASYNC_TEST(test_check, .real_clock = true)
{
	const char *path = harness_tmpfile("c.yaml");
	struct program *program = start(loop, "check", SOURCE_DIR "/etc/camhub.yaml", NULL);

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	ck_assert_str_eq(program_output(program),
			 SOURCE_DIR "/etc/camhub.yaml: right, 0 cameras\n");
	write_text(path, "cameras:\n  - name: Door\n    url: exec:ls\n");
	program = start(loop, "check", path, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), 78);
	ck_assert_ptr_nonnull(strstr(program_output(program), "c.yaml:2: name: bad name"));
	ck_assert_ptr_nonnull(strstr(program_output(program), "c.yaml:3: url: unknown scheme"));
	async_complete(loop);
}
END_ASYNC_TEST

/* A secret stands wherever one can: in the file, in its URL, in the status, in the credentials. */
START_ASYNC_TEST(test_support, .real_clock = true)
{
	const char *config = harness_tmpfile("camhub.yaml"), *creds = harness_tmpfile("creds");
	const char *output = harness_tmpfile("report");
	const char *argv[] = { CAMCTL,
			       "--runtime-dir",
			       harness_tmpdir(),
			       "support",
			       "--config",
			       config,
			       "--credentials",
			       creds,
			       "-o",
			       output,
			       NULL };
	struct peer *peer = listen_as_supervisor(loop);
	json_t *camera = ctl_message_camera("door", "down", now_ms());
	static char text[1 << 18];
	struct stat st;
	FILE *file;

	write_text(config, "cameras:\n  - name: door\n    url: rtsp://admin:Geheimnis1@h/\n"
			   "    password: Geheimnis2\n    sub: http://h/?token=Geheimnis3\n"
			   "    # it is Geheimnis4, also R2VoZWltbmlzNA==\n");
	write_text(creds, "door:admin:Geheimnis4\n");
	msg_set_str(camera, "reason", "refused with Geheimnis4");
	msg_set_str(camera, "url", "rtsp://h/x?auth=Geheimnis5");
	peer_expect_msg(peer, MSG_CTL_STATUS, NULL);
	peer_send_msg(peer, ctl_message_supervisor(now_ms()), -1);
	peer_send_msg(peer, camera, -1);
	peer_send_msg(peer, ctl_message_done(0, ""), -1);
	log_forbid("Geheimnis");
	ck_assert_int_eq(program_run(loop, argv, NULL), CTL_OK);
	file = fopen(output, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	ck_assert_msg(strstr(text, "Geheimnis") == NULL, "%s", text);
	ck_assert_msg(strstr(text, "R2VoZWltbmlzNA") == NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "== status\nCAMERA"));
	ck_assert_ptr_nonnull(strstr(text, "Debian"));
	ck_assert_ptr_nonnull(strstr(text, "rtsp://[hidden]@h/"));
	ck_assert_ptr_nonnull(strstr(text, "camhub.yaml:3: url: user or password in the URL"));
	async_complete(loop);
}
END_ASYNC_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

static Suite *
ctl_suite(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tcase = tcase_create("ctl");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_status, 0, 2);
	tcase_add_test(tcase, test_status_json);
	tcase_add_test(tcase, test_status_of_one);
	tcase_add_test(tcase, test_no_such_camera);
	tcase_add_loop_test(tcase, test_commands, 0, N_COMMANDS);
	tcase_add_loop_test(tcase, test_usage, 0, COUNT(wrong_usage));
	tcase_add_loop_test(tcase, test_lists, 0, COUNT(lists));
	tcase_add_test(tcase, test_not_running);
	tcase_add_loop_test(tcase, test_no_answer, 0, 2);
	tcase_add_loop_test(tcase, test_half_an_answer, 0, 2);
	tcase_add_test(tcase, test_slow_answer);
	tcase_add_loop_test(tcase, test_rubbish, 0, N_RUBBISH);
	tcase_add_test(tcase, test_answer_with_descriptor);
	tcase_add_test(tcase, test_watch);
	tcase_add_test(tcase, test_check);
	tcase_add_test(tcase, test_support);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(ctl_suite)
