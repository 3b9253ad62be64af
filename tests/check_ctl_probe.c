/*
 * camctl probe with a worker of ours: what it makes of each answer, and that the lines to paste are
 * right.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "ctl/ctl.h"
#include "ctl/probe.h"
#include "shared/conf.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 40000

/* A libexec directory whose worker is the fake one. */
static const char *
libexec(void)
{
	if (symlink(FAKE_WORKER, harness_tmpfile("camhub-worker-av")) < 0 ||
	    symlink(FAKE_WORKER, harness_tmpfile("camhub-worker")) < 0)
		ck_assert_int_eq(errno, EEXIST);
	return harness_tmpdir();
}

static struct program *
probe(struct loop *loop, const char *a, const char *b, const char *c)
{
	const char *argv[] = { "camctl", "--libexec-dir", libexec(), "probe", a, b, c, NULL };

	return program_start(loop, &(struct program_options){ .path = CAMCTL, .argv = argv });
}

static void
write_creds(const char *text)
{
	FILE *file = fopen(harness_tmpfile("creds"), "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(harness_tmpfile("creds"), 0600), 0);
}

/* What is to be pasted, put where it belongs, is a configuration. */
static void
check_yaml(const char *output, const char *creds)
{
	const char *begin = strstr(output, "  - name:"), *end;
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	char *yaml;

	ck_assert_ptr_nonnull(begin);
	end = strstr(begin, "\n\n");
	yaml = xasprintf("cameras:\n%.*s\n", (int)(end != NULL ? end - begin : (long)strlen(begin)),
			 begin);
	if (conf_load_text("pasted", yaml, strlen(yaml), creds, &conf, &errors) < 0)
		ck_abort_msg("%s\n%s", conf_errors_text(&errors, 0), yaml);
	ck_assert_uint_eq(conf->n_cameras, 1);
	conf_free(&conf);
	free(yaml);
}

START_ASYNC_TEST(test_up, .real_clock = true)
{
	struct program *program = probe(loop, "http://192.0.2.10/it's/up", NULL, NULL);
	const char *output;

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	output = program_output(program);
	ck_assert_ptr_nonnull(strstr(output, "video:     h264 High\\x1b[31m\n"));
	ck_assert_ptr_nonnull(strstr(output, "size:      1920x1080\n"));
	ck_assert_ptr_nonnull(strstr(output, "rate:      15.0 frames/s, 4.0 Mb/s\n"));
	ck_assert_ptr_nonnull(strstr(output, "GOP:       150 frames (10.0 s)\n"));
	ck_assert_ptr_nonnull(strstr(output, "audio:     aac\n"));
	ck_assert_ptr_nonnull(strstr(output, "a key frame every 1 or 2 s"));
	ck_assert_ptr_nonnull(strstr(output, "  - name: cam-192-0-2-10\n"
					     "    url: 'http://192.0.2.10/it''s/up'\n"));
	ck_assert_ptr_null(strstr(output, "credentials"));
	ck_assert_ptr_null(strchr(output, '\033'));
	check_yaml(output, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_credentials, .real_clock = true)
{
	char *file = xasprintf("--credentials=%s", harness_tmpfile("creds"));
	struct program *program;

	log_forbid("ge:heim");
	/* Nobody: the answer says what to give. */
	program = probe(loop, "http://h/auth", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "auth: 401 Unauthorized"));
	ck_assert_ptr_nonnull(strstr(program_output(program), "--user NAME"));
	/* In the URL: it works, and is not repeated. */
	program = probe(loop, "http://admin:ge%3Aheim@h/auth", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	ck_assert_ptr_nonnull(strstr(program_output(program), "url: 'http://h/auth'"));
	ck_assert_ptr_nonnull(strstr(program_output(program), "mycamera:USER:PASSWORD"));
	/* From the file, which has one line or is told which. */
	write_creds("door:admin:ge:heim\n");
	program = probe(loop, file, "http://h/auth", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	write_creds("yard:admin:wrong\ndoor:admin:ge:heim\n");
	program = probe(loop, file, "http://h/auth", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_USAGE);
	program = probe(loop, file, "--name=yard", "http://h/auth");
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "wants another user or password"));
	program = probe(loop, file, "--name=door", "http://h/auth");
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	ck_assert_ptr_nonnull(strstr(program_output(program), "credentials: door\n"));
	check_yaml(program_output(program), harness_tmpfile("creds"));
	free(file);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_failures, .real_clock = true)
{
	struct program *program = probe(loop, "http://h/gone", NULL, NULL);

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(
	    strstr(program_output(program), "unreachable: connection refused\\x1b[2J\n"));
	ck_assert_ptr_nonnull(strstr(program_output(program), "nothing answers there"));
	program = probe(loop, "http://h/certificate", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "give --tls sha256:HEX"));
	program = probe(loop, "http://h/crash", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "SIGKILL"));
	program = probe(loop, "http://h/rubbish", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_int_eq(unlink(harness_tmpfile("camhub-worker-av")), 0);
	ck_assert_int_eq(symlink("/nonexistent", harness_tmpfile("camhub-worker-av")), 0);
	program = probe(loop, "http://h/up", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "cannot start"));
	async_complete(loop);
}
END_ASYNC_TEST

/* The loopback address by name, where the machine knows one (/etc/hosts). */
static const char *
loopback_name(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;

	if (getaddrinfo("localhost", NULL, &hints, &found) != 0)
		return "127.0.0.1";
	freeaddrinfo(found);
	return "localhost";
}

/* Programs that open no connection by themselves are given one. */
START_ASYNC_TEST(test_connected_by_camctl, .real_clock = true)
{
	struct program *program;
	uint16_t port;
	char *url;

	(void)peer_listen_tcp(loop, "camera", &port);
	url = xasprintf("rtsp://%s:%u/up", loopback_name(), port);
	program = probe(loop, url, NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	check_yaml(program_output(program), NULL);
	free(url);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_to_connect_to, .real_clock = true)
{
	struct program *program = probe(loop, "--json", "rtsp://127.0.0.1:1/up", NULL);
	json_t *json;

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	json = json_loads(program_output(program), 0, NULL);
	ck_assert_str_eq(msg_str(json, "class"), "unreachable");
	ck_assert_str_eq(msg_str(json, "reason"), "no answer from 127.0.0.1:1: Connection refused");
	json_decref(json);
	program = probe(loop, "rtsp://host.invalid/up", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(
	    strstr(program_output(program), "unreachable: cannot find host.invalid: "));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_redirected, .real_clock = true)
{
	struct program *program = probe(loop, "http://h/moved", NULL, NULL);

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(
	    strstr(program_output(program), "  rtsp://192.0.2.99/it's\\x1b[2J\n"));
	program = probe(loop, "--tls=insecure", "http://h/pinned", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	program = probe(loop, "--tls=sha256:1", "http://h/pinned", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_USAGE);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_hung_up_on, .real_clock = true)
{
	struct program *program = probe(loop, "http://h/asks-once", NULL, NULL);

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	check_yaml(program_output(program), NULL);
	program = probe(loop, "http://h/asks-always", NULL, NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	ck_assert_ptr_nonnull(strstr(program_output(program), "  challenge: it hung up\n"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_json, .real_clock = true)
{
	struct program *program = probe(loop, "--json", "http://h/up", NULL);
	json_t *json;

	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_OK);
	json = json_loads(program_output(program), 0, NULL);
	ck_assert(msg_bool(json, "well", false));
	ck_assert_int_eq(msg_int(json_object_get(json, "status"), "width", 0), 1920);
	json_decref(json);
	program = probe(loop, "--json", "http://h/gone", NULL);
	ck_assert_int_eq(program_wait(program, DEADLINE_MS), CTL_DOWN);
	json = json_loads(program_output(program), 0, NULL);
	ck_assert(!msg_bool(json, "well", true));
	ck_assert_str_eq(msg_str(json, "class"), "unreachable");
	json_decref(json);
	async_complete(loop);
}
END_ASYNC_TEST

/* A worker that neither answers nor leaves: the probe ends at its deadline, and so does the worker.
 */
START_TEST(test_deadline)
{
	struct probe asked = { .url = "http://h/stubborn", .transport = "tcp" };
	char err[256];

	ck_assert_int_eq(url_parse(asked.url, &asked.parts, err), 0);
	ck_assert_int_eq(probe_run(&asked, libexec(), 100, err), 0);
	ck_assert(!probe_is_well(&asked));
	ck_assert_str_eq(asked.class, "timeout");
	ck_assert_str_eq(asked.worker_end, "killed by SIGKILL");
	url_clear(&asked.parts);
}
END_TEST

static Suite *
probe_suite(void)
{
	Suite *suite = suite_create("ctl_probe");
	TCase *tcase = tcase_create("ctl_probe");

	tcase_set_timeout(tcase, 240);
	tcase_add_test(tcase, test_up);
	tcase_add_test(tcase, test_credentials);
	tcase_add_test(tcase, test_failures);
	tcase_add_test(tcase, test_connected_by_camctl);
	tcase_add_test(tcase, test_nothing_to_connect_to);
	tcase_add_test(tcase, test_redirected);
	tcase_add_test(tcase, test_hung_up_on);
	tcase_add_test(tcase, test_json);
	tcase_add_test(tcase, test_deadline);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(probe_suite)
