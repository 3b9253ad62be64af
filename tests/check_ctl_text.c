/*
 * camctl's words: durations, escaping, tables that fit, status in its three forms, secrets that are
 * hidden.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "ctl/hide.h"
#include "ctl/status.h"
#include "tests/ctl_messages.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))
#define NOW_MS      1767225600000LL

static const struct {
	int64_t ms;
	const char *text;
} durations[] = {
	{ -5, "0 s" },
	{ 0, "0 s" },
	{ 999, "0 s" },
	{ 1000, "1 s" },
	{ 59999, "59 s" },
	{ 60000, "1 min" },
	{ 3599999, "59 min" },
	{ 3600000, "1 h 0 min" },
	{ 86399999, "23 h 59 min" },
	{ 86400000, "1 d 0 h" },
	{ 400 * 86400000LL, "400 d 0 h" },
};

START_TEST(test_duration)
{
	char text[32];

	ck_assert_str_eq(text_duration(durations[_i].ms, text, sizeof(text)), durations[_i].text);
}
END_TEST

START_TEST(test_units)
{
	char text[32];

	ck_assert_str_eq(text_bitrate(0, text, sizeof(text)), "0");
	ck_assert_str_eq(text_bitrate(850400, text, sizeof(text)), "850 kb/s");
	ck_assert_str_eq(text_bitrate(2949000, text, sizeof(text)), "2.9 Mb/s");
	ck_assert_str_eq(text_bytes(1, text, sizeof(text)), "1 KiB");
	ck_assert_str_eq(text_bytes(3 << 20, text, sizeof(text)), "3.0 MiB");
}
END_TEST

static const struct {
	const char *text, *shown;
} escapes[] = {
	{ "plain", "plain" },
	{ "Haustür 😀", "Haustür 😀" },
	{ "\x1b[2J", "\\x1b[2J" },
	{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
	{ "\x7f", "\\x7f" },
	/* the 8-bit form of ESC [ */
	{ "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m" },
	/* not UTF-8: alone, too long for its value, a surrogate, cut */
	{ "\xff", "\\xff" },
	{ "\xc0\xaf", "\\xc0\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "a\xe2\x82", "a\\xe2\\x82" },
	/* writing from right to left */
	{ "\xe2\x80\xae"
	  "a",
	  "\\xe2\\x80\\xaea" },
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
};

START_TEST(test_escape)
{
	char shown[128];

	ck_assert_str_eq(text_escape(escapes[_i].text, shown, sizeof(shown)), escapes[_i].shown);
	/* Cut anywhere: never over the end, never within a character. */
	for (size_t size = 1; size < sizeof(shown); size++) {
		char *small = malloc(size), again[128];

		text_escape(escapes[_i].text, small, size);
		ck_assert_uint_lt(strlen(small), size);
		ck_assert_str_eq(text_escape(small, again, sizeof(again)), small);
		free(small);
	}
}
END_TEST

static char *
table(int width, bool colour)
{
	static const struct text_column columns[] = {
		{ "NAME", false, 9 }, { "A", true, 1 }, { "BBBB", true, 2 }, { "TEXT", false, 9 }
	};
	struct text_table t = { .columns = columns, .n_columns = 4 };
	struct text_style style = { .width = width, .colour = colour };
	struct text_cell *row = text_table_add(&t);
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	strcpy(row[0].text, "tür");
	strcpy(row[1].text, "123");
	row[1].colour = TEXT_BAD;
	strcpy(row[2].text, "4");
	strcpy(row[3].text, "what is wrong, in many words");
	text_table_print(&t, &style, file);
	fclose(file);
	text_table_clear(&t);
	return text;
}

START_TEST(test_table)
{
	static const struct {
		int width;
		const char *text;
	} widths[] = {
		{ 0, "NAME    A  BBBB  TEXT\ntür   123     4  what is wrong, in many words\n" },
		{ 80, "NAME    A  BBBB  TEXT\ntür   123     4  what is wrong, in many words\n" },
		{ 40, "NAME    A  BBBB  TEXT\ntür   123     4  what is wrong, in ma...\n" },
		{ 30, "NAME  BBBB  TEXT\ntür      4  what is wrong, ...\n" },
		{ 24, "NAME  TEXT\ntür   what is wrong, ...\n" },
		{ 10, "NAME  TEXT\ntür   w...\n" },
		{ 2, "NAME  \ntür   \n" },
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	for (int i = 0; i < COUNT(widths); i++) {
		char *text = table(widths[i].width, false);

		ck_assert_str_eq(text, widths[i].text);
		free(text);
	}
	char *text = table(0, true);
	ck_assert_ptr_nonnull(strstr(text, "\033[1;31m123\033[0m"));
	free(text);
}
END_TEST

/* Takes the messages; NULL-ended by type. */
static void
add(struct ctl_reply *reply, json_t *msg)
{
	const char *type = msg_str(msg, "type");

	if (reply->cameras == NULL) {
		reply->cameras = json_array();
		reply->processes = json_array();
	}
	if (strcmp(type, "camera") == 0)
		json_array_append_new(reply->cameras, msg);
	else if (strcmp(type, "process") == 0)
		json_array_append_new(reply->processes, msg);
	else
		reply->supervisor = msg;
	json_object_del(msg, "type");
}

static char *
print(status_print_fn *fn, struct ctl_reply *reply, const struct text_style *style)
{
	static char *text;
	static size_t len;
	FILE *file = open_memstream(&text, &len);

	fn(reply, NOW_MS, style, file);
	fclose(file);
	ctl_reply_clear(reply);
	return text;
}

static const struct text_style plain = { 0 };

static json_t *
refused_camera(void)
{
	json_t *msg = ctl_message_camera("yard", "refused", NOW_MS - 40000);

	msg_set_str(msg, "reason", "401: wrong user or password");
	msg_set_str(msg, "last_error", "something older");
	msg_set_str(msg, "class", "auth");
	msg_set_int(msg, "retry_in_ms", 19001);
	msg_set_str(msg, "codec", "");
	msg_set_int(msg, "pid", 0);
	for (int i = 0; i < 4; i++)
		msg_set_int(msg,
			    ((const char *[]){ "width", "height", "bitrate_bps", "gop_frames" })[i],
			    0);
	msg_set_real(msg, "fps", 0);
	ctl_message_check(msg);
	return msg;
}

/* Two of its three viewers report. */
static void
set_delay(json_t *camera)
{
	json_object_update_new(camera, json_pack("{s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:i}",
						 "delay_viewers", 2, "delay_p50_ms", 24,
						 "delay_p95_ms", 41, "delay_worst_ms", 63,
						 "delay_worst_viewer", 7, "delay_worst_transport",
						 "mse", "shown", 5000, "dropped", 12));
	ctl_message_check(camera);
}

START_TEST(test_status_table)
{
	static const char want[] =
	    "CAMERA  STATE    SINCE      CODEC  SIZE       FPS   BITRATE  GOP  VIEWERS     DELAY  "
	    "RESTARTS  LAST ERROR\n"
	    "door    up       2 h 0 min  h264   1280x720  25.0  2.9 Mb/s   50        3  24/41 ms  "
	    "       2  5 min ago: no answer\n"
	    "yard    refused  40 s       -      -            -         -    -        3         -  "
	    "       2  401: wrong user or password; next try in 20 s\n"
	    "\n"
	    "front http: up since 3 h 0 min, pid 4710, 8.0 MiB, 0 restarts\n"
	    "supervisor " PACKAGE_VERSION ": since 1 d 0 h, pid 4700, /etc/camhub/camhub.yaml, "
	    "http://127.0.0.1:8080/\n";
	struct ctl_reply reply = { 0 };
	json_t *door = ctl_message_camera("door", "up", NOW_MS - 7200000);
	char *text;

	msg_set_str(door, "last_error", "no answer");
	msg_set_int(door, "last_error_ms", NOW_MS - 300000);
	set_delay(door);
	add(&reply, door);
	add(&reply, refused_camera());
	add(&reply, ctl_message_process("up", NOW_MS - 10800000));
	add(&reply, ctl_message_supervisor(NOW_MS - 86400000));
	ck_assert_int_eq(status_exit(&reply), CTL_DOWN);
	text = print(status_print_table, &reply, &plain);
	ck_assert_str_eq(text, want);
	free(text);
}
END_TEST

START_TEST(test_status_config_error)
{
	struct ctl_reply reply = { 0 };
	json_t *supervisor = ctl_message_supervisor(NOW_MS);
	char *text;

	msg_set_str(supervisor, "config_error", "f:1: wrong, expected right\nf:2: \x1b[31m");
	add(&reply, json_incref(supervisor));
	add(&reply, ctl_message_process("up", NOW_MS));
	ck_assert_int_eq(status_exit(&reply), CTL_DOWN);
	text = print(status_print_table, &reply, &plain);
	ck_assert_ptr_nonnull(strstr(text, "no cameras\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "the last reload was refused, the configuration before it runs\n"
			 "  f:1: wrong, expected right\n  f:2: \\x1b[31m\n"));
	free(text);
	msg_set_bool(supervisor, "degraded", true);
	add(&reply, supervisor);
	text = print(status_print_table, &reply, &plain);
	ck_assert_ptr_nonnull(
	    strstr(text, "not serving: the configuration is wrong\n  f:1: wrong"));
	free(text);
}
END_TEST

/* A disk that is full: all serves, but it is not well. */
START_TEST(test_status_trouble)
{
	struct ctl_reply reply = { 0 };
	json_t *supervisor = ctl_message_supervisor(NOW_MS);
	char *text;

	json_object_set_new(supervisor, "trouble", json_array());
	add(&reply, supervisor);
	add(&reply, ctl_message_process("up", NOW_MS));
	ck_assert_int_eq(status_exit(&reply), CTL_OK);
	json_object_set_new(supervisor, "trouble", json_pack("[s]", "/run: it is full\x1b: so"));
	ck_assert_int_eq(status_exit(&reply), CTL_DOWN);
	text = print(status_print_table, &reply, &plain);
	ck_assert_ptr_nonnull(strstr(text, "\ndegraded: /run: it is full\\x1b: so\n"));
	free(text);
}
END_TEST

/* Whatever a camera calls itself: no byte of it reaches the terminal as a command. */
START_TEST(test_status_hostile_text)
{
	static const char hostile[] = "\x1b]0;x\x07\x1b[2J\r\n\xc2\x9b"
				      "1m";
	static const char *const fields[] = { "reason",  "last_error", "codec_string",
					      "profile", "title",      "url" };
	static status_print_fn *const forms[] = { status_print_table, status_print_pages };
	const struct text_style styles[] = { { 0 }, { .width = 60, .rows = 20 } };

	for (int i = 0; i < 4; i++) {
		struct ctl_reply reply = { 0 };
		json_t *camera = ctl_message_camera("door", "down", NOW_MS);
		char *text;

		for (int f = 0; f < COUNT(fields); f++)
			msg_set_str(camera, fields[f], hostile);
		json_array_append_new(json_object_get(camera, "advice"), json_string(hostile));
		ctl_message_check(camera);
		add(&reply, camera);
		text = print(forms[i / 2], &reply, &styles[i % 2]);
		ck_assert_ptr_null(strpbrk(text, "\x1b\x07\r"));
		ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
		ck_assert_ptr_nonnull(strstr(text, "\\x1b"));
		free(text);
	}
}
END_TEST

START_TEST(test_status_page)
{
	static const char want[] =
	    "name:          door\n"
	    "title:         Front door\n"
	    "url:           rtsp://192.0.2.10:554/stream1\n"
	    "state:         up since 1 min\n"
	    "on demand:     no\n"
	    "video:         h264 High (avc1.64001F), 1280x720\n"
	    "rate:          25.0 frames/s, 2.9 Mb/s\n"
	    "GOP:           50 frames, 2.0 s, kept for viewers that join\n"
	    "B-frames:      no\n"
	    "audio:         none\n"
	    "last frame:    12 ms ago\n"
	    "frames:        123456, 0 of them damaged\n"
	    "viewers:       3\n"
	    "delay:         not reported\n"
	    "skipped:       0 frames for slow viewers, 0 holes on the bus\n"
	    "high water:    ring 3.0 MiB, slowest viewer 2 KiB behind\n"
	    "process:       camhub-worker-av, pid 4711, 20.0 MiB, 2 restarts\n"
	    "advice:        do this\n";
	struct ctl_reply reply = { 0 };
	json_t *camera = ctl_message_camera("door", "up", NOW_MS - 60000);
	char *text;

	json_array_append_new(json_object_get(camera, "advice"), json_string("do this"));
	add(&reply, camera);
	text = print(status_print_pages, &reply, &plain);
	ck_assert_str_eq(text, want);
	free(text);
	add(&reply, refused_camera());
	text = print(status_print_pages, &reply, &plain);
	ck_assert_ptr_nonnull(strstr(text,
				     "state:         refused since 40 s\n"
				     "reason:        401: wrong user or password; next try in "
				     "20 s\n"
				     "class:         auth\n"));
	ck_assert_ptr_nonnull(strstr(text, "process:       camhub-worker-av, not running, "));
	ck_assert_ptr_null(strstr(text, "video:"));
	free(text);
}
END_TEST

START_TEST(test_status_page_of_what_the_network_does)
{
	static const char *const want[] = {
		"\nredirected to: rtsp://192.0.2.11/live\n",
		"\ntransport:     udp, 5000 packets, 12 lost, 3 out of order\n",
		"\npictures:      marks no end: a picture is known to be whole only when the next",
		"\nits clock:     not set: it differs from ours\n",
		"\nafter losses:  40 frames kept from viewers, 7 shown damaged\n",
	};
	struct ctl_reply reply = { 0 };
	json_t *camera = ctl_message_camera("door", "up", NOW_MS - 60000);
	char *text;

	json_object_update_new(camera, json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:i, s:i}",
						 "redirected_to", "rtsp://192.0.2.11/live",
						 "transport", "udp", "packets", 5000, "lost", 12,
						 "reordered", 3, "marker", "never", "camera_clock",
						 "unsynced", "withheld", 40, "passed_damaged", 7));
	ctl_message_check(camera);
	add(&reply, camera);
	text = print(status_print_pages, &reply, &plain);
	for (int i = 0; i < COUNT(want); i++)
		ck_assert_msg(strstr(text, want[i]) != NULL, "%s not in:\n%s", want[i], text);
	free(text);
}
END_TEST

START_TEST(test_status_page_of_what_is_on_screens)
{
	struct ctl_reply reply = { 0 };
	json_t *camera = ctl_message_camera("door", "up", NOW_MS - 60000);
	char *text;

	set_delay(camera);
	add(&reply, json_deep_copy(camera));
	text = print(status_print_pages, &reply, &plain);
	ck_assert_ptr_nonnull(
	    strstr(text, "\nviewers:       3\n"
			 "delay:         half of the frames within 24 ms, 95 % within 41 ms\n"
			 "worst viewer:  number 7 (mse), 95 % within 63 ms\n"
			 "not reported:  the delay of 1 of 3 viewers\n"
			 "on screens:    5000 frames shown, 12 received and not shown\n"
			 "skipped: "));
	free(text);
	msg_set_int(camera, "viewers", 2);
	add(&reply, json_deep_copy(camera));
	text = print(status_print_pages, &reply, &plain);
	ck_assert_ptr_nonnull(strstr(text, "delay:"));
	ck_assert_ptr_null(strstr(text, "not reported"));
	free(text);
	/* Nobody watches: nothing to be said. */
	msg_set_int(camera, "viewers", 0);
	json_object_del(camera, "delay_viewers");
	add(&reply, camera);
	text = print(status_print_pages, &reply, &plain);
	ck_assert_ptr_nonnull(strstr(text, "viewers:       0\n"));
	ck_assert_ptr_null(strstr(text, "delay"));
	free(text);
}
END_TEST

static const struct {
	const char *camera, *process;
	bool on_demand;
	int code;
} exits[] = {
	{ "up", "up", false, CTL_OK },         { "off", "up", true, CTL_OK },
	{ "off", "up", false, CTL_DOWN },      { "connecting", "up", false, CTL_DOWN },
	{ "stalled", "up", false, CTL_DOWN },  { "down", "up", true, CTL_DOWN },
	{ "refused", "up", false, CTL_DOWN },  { "no-such-state", "up", false, CTL_DOWN },
	{ "up", "starting", false, CTL_DOWN }, { "up", "down", false, CTL_DOWN },
};

START_TEST(test_exit)
{
	struct ctl_reply reply = { 0 };
	json_t *camera = ctl_message_camera("a", exits[_i].camera, NOW_MS);

	msg_set_bool(camera, "on_demand", exits[_i].on_demand);
	add(&reply, camera);
	add(&reply, ctl_message_camera("b", "up", NOW_MS));
	add(&reply, ctl_message_process(exits[_i].process, NOW_MS));
	add(&reply, ctl_message_supervisor(NOW_MS));
	ck_assert_int_eq(status_exit(&reply), exits[_i].code);
	ctl_reply_clear(&reply);
}
END_TEST

#define H "[hidden]"
static const struct {
	const char *text, *shown;
} secrets[] = {
	{ "nothing here: 1 = 2\n\n x", "nothing here: 1 = 2\n\n x" },
	{ "url: rtsp://h:554/stream1\n", "url: rtsp://h:554/stream1\n" },
	{ "rtsp://admin:geheim@h/a", "rtsp://" H "@h/a" },
	{ "rtsp://admin@h/a", "rtsp://" H "@h/a" },
	{ "rtsp://admin:ge@heim@h/a", "rtsp://" H "@h/a" },
	{ "rtsp://admin:ge/heim@h/a", "rtsp://" H "@h/a" },
	{ "rtsp://admin:ge?heim@h/a", "rtsp://" H "@h/a" },
	{ "rtsp://admin:ge\"heim@h/a", "rtsp://" H "@h/a" },
	{ "x: 'rtsp://a:geheim@h', y: \"http://a:geheim@i\"",
	  "x: 'rtsp://" H "@h', y: \"http://" H "@i\"" },
	{ "http://h/a?user=geheim&x=geheim&geheim&y=\" z",
	  "http://h/a?user=" H "&x=" H "&" H "&y=" H "\" z" },
	{ "rtsp://h/user=geheim_password=geheim_channel=1/x", "rtsp://h/user=" H "/x" },
	{ "rtsp://h/cam?a&PASSWORD=geheim", "rtsp://h/cam?" H "&PASSWORD=" H },
	{ "http://h/Token=geheim;b", "http://h/Token=" H ";b" },
	{ "  password: geheim\n  a: b", "  password: " H "\n  a: b" },
	{ "  - Passwd : geheim\n", "  - Passwd : " H "\n" },
	{ "#pass=geheim", "#pass= " H },
	{ "    credentials: door\n", "    credentials: door\n" },
	{ "    credentials: admin:geheim\n", "    credentials: " H "\n" },
	{ "\"token\": \"geheim\",", "\"token\": " H },
};

START_TEST(test_hide)
{
	char *shown = hide_secrets(secrets[_i].text);

	ck_assert_str_eq(shown, secrets[_i].shown);
	free(shown);
}
END_TEST

static Suite *
text_suite(void)
{
	Suite *suite = suite_create("ctl_text");
	TCase *tcase = tcase_create("ctl_text");

	tcase_add_loop_test(tcase, test_duration, 0, COUNT(durations));
	tcase_add_test(tcase, test_units);
	tcase_add_loop_test(tcase, test_escape, 0, COUNT(escapes));
	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_status_table);
	tcase_add_test(tcase, test_status_config_error);
	tcase_add_test(tcase, test_status_trouble);
	tcase_add_test(tcase, test_status_hostile_text);
	tcase_add_test(tcase, test_status_page);
	tcase_add_test(tcase, test_status_page_of_what_the_network_does);
	tcase_add_test(tcase, test_status_page_of_what_is_on_screens);
	tcase_add_loop_test(tcase, test_exit, 0, COUNT(exits));
	tcase_add_loop_test(tcase, test_hide, 0, COUNT(secrets));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(text_suite)
