/*
 * The supervisor starts, or says why it cannot; what it tells systemd; the runtime directory.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_refuse_ev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define GOOD  "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define WRONG "cameras:\n  - {name: DOOR, url: \"rtsp://192.0.2.10/\"}\n"

static struct peer *
browser(struct fake *fake)
{
	return peer_connect_tcp(fake->loop, "browser", fake->port);
}

static void
expect_503(struct fake *fake, const char *request)
{
	struct peer *peer = browser(fake);

	peer_send_text(peer, request);
	peer_expect_until(peer, "\r\n\r\n", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: ");
	peer_drain_until_close(peer);
	peer_run(peer, 0);
}

START_ASYNC_TEST(test_by_hand_a_wrong_file_is_78)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, WRONG);
	ck_assert_int_eq(fake_try_start(fake), 78);
	ck_assert_uint_eq(fake->n_children, 0);
	ck_assert_int_eq(access(fake->options.runtime_dir, F_OK), -1);
	fake->options.config = harness_tmpfile("not-there.yaml");
	ck_assert_int_eq(fake_try_start(fake), 78);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_under_systemd_a_wrong_file_means_503_until_it_is_good)
{
	struct fake *fake = fake_new(loop);
	char *text;

	fake->deps.under_systemd = true;
	fake_config(fake, WRONG);
	fake_start(fake);
	ck_assert_uint_eq(fake->n_children, 0);
	ck_assert_ptr_nonnull(strstr(fake->notified, "READY=1\nSTATUS=not serving: "));
	ck_assert_ptr_nonnull(strstr(fake->notified, "camhub.yaml:2: "));
	expect_503(fake, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	expect_503(fake, "rubbish");
	expect_503(fake, "");
	/* Still wrong. */
	ck_assert_int_eq(sup_reload(fake->sup, &text), -EINVAL);
	free(text);
	expect_503(fake, "GET / HTTP/1.1\r\n\r\n");
	fake_config(fake, GOOD);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	fake_up(fake_worker(fake, "door"));
	fake_ready(fake_front(fake));
	fake_assert_state(fake, "door", "up");
	ck_assert_ptr_null(fake->sup->refuse);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_503_is_bounded)
{
	struct fake *fake = fake_new(loop);
	const unsigned clients = SUP_REFUSE_AT_ONCE + 8;
	unsigned before;

	fake->deps.under_systemd = true;
	fake_config(fake, WRONG);
	fake_start(fake);
	before = harness_count_fds(0);
	for (unsigned i = 0; i < clients; i++) {
		struct peer *peer = browser(fake);

		peer_expect_until(peer, "\r\n\r\n", "503");
		peer_run(peer, 0);
	}
	/* The oldest were closed for the newest; the rest in time. */
	ck_assert_uint_eq(harness_count_fds(0), before + clients + SUP_REFUSE_AT_ONCE);
	fake_wait_ms(fake, SUP_REFUSE_LINGER_MS);
	ck_assert_uint_eq(harness_count_fds(0), before + clients);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_inherited_listeners_obey_the_address_rule)
{
	struct fake *fake = fake_new(loop);
	char *text;

	fake_inherit(fake, true);
	fake_config(fake, GOOD);
	ck_assert_int_eq(fake_try_start(fake), 78);
	fake_config(fake, "http: {insecure: true}\n" GOOD);
	fake_start(fake);
	fake_worker(fake, "door");
	/* Users are as good. */
	fake_config(fake, "access: {users: [{name: ann}]}\n" GOOD);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	expect_log("passwords and links can be read on the way");
	/* And again on reload. */
	fake_config(fake, GOOD);
	ck_assert_int_eq(sup_reload(fake->sup, &text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "can be reached from other machines"));
	free(text);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_listener_of_our_own_obeys_the_address_rule_on_reload)
{
	struct fake *fake = fake_new(loop);
	char config[512], *text;
	int port = fake->port;

	fake_inherit_none(fake);
	snprintf(config, sizeof(config), "http: {insecure: true, listen: [\"0.0.0.0:%d\"]}\n" GOOD,
		 port);
	fake_config(fake, config);
	fake_start(fake);
	/* It stays open until a restart, whatever listen: says. */
	snprintf(config, sizeof(config), "http: {listen: [\"127.0.0.1:%d\"]}\n" GOOD, port);
	fake_config(fake, config);
	ck_assert_int_eq(sup_reload(fake->sup, &text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "can be reached from other machines"));
	free(text);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_under_systemd_a_forbidden_listener_serves_503)
{
	struct fake *fake = fake_new(loop);

	fake->deps.under_systemd = true;
	fake_inherit(fake, true);
	fake_config(fake, GOOD);
	fake_start(fake);
	ck_assert_uint_eq(fake->n_children, 0);
	ck_assert_ptr_nonnull(strstr(fake->notified, "can be reached from other machines"));
	expect_503(fake, "GET / HTTP/1.1\r\n\r\n");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_port_in_use)
{
	struct fake *fake = fake_new(loop);
	char config[512];
	int port = fake->port;

	/* Our own listener stays open, but is not handed over. */
	snprintf(config, sizeof(config), "http: {listen: [\"127.0.0.1:%d\"]}\n" GOOD, port);
	fake_config(fake, config);
	fake->deps.n_inherited = 0;
	ck_assert_int_eq(sup_start(&fake->options, &fake->deps, &fake->sup), 1);
	ck_assert_int_eq(access(fake->options.runtime_dir, F_OK), -1);
	/* Under systemd it is tried again. */
	fake->deps.under_systemd = true;
	ck_assert_int_eq(sup_start(&fake->options, &fake->deps, &fake->sup), 0);
	ck_assert_ptr_nonnull(strstr(fake->notified, "the port is in use by another program"));
	fake_inherit_none(fake);
	fake_wait_ms(fake, 5000);
	fake_ready(fake_front(fake));
	peer_get_msg(fake_front(fake)->peer, MSG_LISTENER, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_configured_listeners_are_bound_with_names_that_tell)
{
	struct fake *fake = fake_new(loop);
	char config[512], address[64];
	struct peer *ctl;
	int port = fake->port;

	fake_inherit_none(fake);
	snprintf(config, sizeof(config), "http: {listen: [\"127.0.0.1:%d\"]}\n" GOOD, port);
	fake_config(fake, config);
	fake_start(fake);
	ctl = fake_ctl(fake);
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	snprintf(address, sizeof(address), "127.0.0.1:%d", port);
	peer_await_msg(ctl, MSG_CTL_SUPERVISOR, json_pack("{s:[s]}", "listen", address));
	peer_run(ctl, 0);
	peer_connect_tcp(loop, "browser", (uint16_t)port);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_inherited_but_no_listener_is_dropped)
{
	struct fake *fake = fake_new(loop);
	int fds[3];

	fake_config(fake, GOOD);
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[1] = fcntl(fake->listener, F_DUPFD_CLOEXEC, 0);
	fds[2] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fake->deps.inherited = fds;
	fake->deps.n_inherited = 3;
	ck_assert_int_eq(sup_start(&fake->options, &fake->deps, &fake->sup), 0);
	ck_assert_uint_eq(fake->sup->listeners.n, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_supervisor_per_runtime_directory)
{
	struct fake *first = fake_new(loop), *second = fake_new(loop);

	fake_config(first, GOOD);
	fake_start(first);
	second->options.runtime_dir = first->options.runtime_dir;
	second->options.config = first->options.config;
	ck_assert_int_eq(fake_try_start(second), 1);
	ck_assert_uint_eq(second->n_children, 0);
	/* The first one has lost nothing. */
	fake_up(fake_worker(first, "door"));
	fake_assert_state(first, "door", "up");
	sup_stop(first->sup);
	sup_stop(first->sup);
	loop_settle(loop);
	ck_assert(first->stopped);
	fake_start(second);
	fake_worker(second, "door");
	async_complete(loop);
}
END_ASYNC_TEST

static void
bind_stale(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

START_ASYNC_TEST(test_leftovers_of_a_killed_supervisor_are_cleared)
{
	struct fake *fake = fake_new(loop);
	int fd;

	mkdir(fake->options.runtime_dir, 0750);
	mkdir(harness_tmpfile("run/bus"), 0777);
	bind_stale(harness_tmpfile("run/ctl.sock"));
	bind_stale(harness_tmpfile("run/bus/door-1.sock"));
	fd = open(harness_tmpfile("run/lock"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	fd = open(harness_tmpfile("run/bus/not-ours"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	fake_config(fake, GOOD);
	fake_start(fake);
	ck_assert_int_eq(access(harness_tmpfile("run/bus/door-1.sock"), F_OK), -1);
	ck_assert_int_eq(access(harness_tmpfile("run/bus/not-ours"), F_OK), 0);
	fake_assert_state(fake, "door", "connecting");
	async_complete(loop);
}
END_ASYNC_TEST

/* As RestrictSUIDSGID= and a system call filter without @chown do. */
static int
forbid_chown_and_setgid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fchown, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fchmod, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISGID, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 ? -errno : 0;
}

/* argv[1]: the runtime directory. */
HARNESS_CHILD(in_a_sandbox)
{
	struct sup_dirs dirs;
	char err[512] = "";
	struct stat st;

	if (forbid_chown_and_setgid() < 0)
		return 77;
	if (sup_dirs_open(argv[1], &dirs, err, sizeof(err)) < 0 ||
	    sup_dirs_bus(&dirs, getegid(), err, sizeof(err)) < 0 || stat(dirs.bus, &st) < 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	sup_dirs_close(&dirs);
	return (st.st_mode & 07777) == 0750 && st.st_gid == getegid() ? 0 : 2;
}

START_ASYNC_TEST(test_a_bus_of_our_own_group_needs_no_privilege, .real_clock = true)
{
	struct program *program =
	    program_start_self(loop, 0, "in_a_sandbox", harness_tmpfile("run"), (char *)NULL);

	ck_assert_int_eq(program_wait(program, 0), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_runtime_directory_with_too_long_a_name)
{
	struct fake *fake = fake_new(loop);
	char path[512];

	snprintf(path, sizeof(path), "%s/%0100d", harness_tmpdir(), 7);
	fake->options.runtime_dir = path;
	fake_config(fake, GOOD);
	ck_assert_int_eq(fake_try_start(fake), 1);
	ck_assert_int_eq(access(path, F_OK), -1);
	async_complete(loop);
}
END_ASYNC_TEST

/* A runtime directory in which "ctl.sock" fits, and "bus/gate-<epoch>.sock" by so many bytes not.
 */
static struct fake *
fake_with_long_path(struct loop *loop, size_t too_many)
{
	struct fake *fake = fake_new(loop);
	static char path[108];
	size_t len = strlen(harness_tmpdir());
	size_t fits = 107 - strlen("/bus/gate-1700000000000.sock");

	memset(path, 'r', sizeof(path));
	memcpy(path, harness_tmpdir(), len);
	path[len] = '/';
	path[fits + too_many] = '\0';
	fake->options.runtime_dir = path;
	return fake;
}

START_ASYNC_TEST(test_a_runtime_directory_that_is_too_long_for_the_bus)
{
	struct fake *fake = fake_with_long_path(loop, 1);
	char *text = NULL;

	fake_config(fake, "cameras: [ {name: gate, url: \"test:clock\"} ]\n");
	ck_assert_int_eq(fake_try_start(fake), 1);
	ck_assert_uint_eq(fake->n_children, 0);
	ck_assert_int_eq(access(fake->options.runtime_dir, F_OK), -1);
	/* A shorter name fits; a reload that brings a longer one changes nothing. */
	fake_config(fake, "cameras: [ {name: gat, url: \"test:clock\"} ]\n");
	fake_start(fake);
	fake_up(fake_worker(fake, "gat"));
	fake_config(fake, "cameras: [ {name: gate, url: \"test:clock\"} ]\n");
	ck_assert_int_lt(sup_reload(fake->sup, &text), 0);
	ck_assert_ptr_nonnull(
	    strstr(text, "the path of the runtime directory is too long for the bus socket of "
			 "gate in it: choose one that is shorter by 1 bytes"));
	free(text);
	fake_assert_state(fake, "gat", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_runtime_directory_that_just_fits)
{
	struct fake *fake = fake_with_long_path(loop, 0);

	fake_config(fake, "cameras: [ {name: gate, url: \"test:clock\"} ]\n");
	fake_start(fake);
	fake_up(fake_worker(fake, "gate"));
	fake_assert_state(fake, "gate", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_systemd_is_told)
{
	struct fake *fake = fake_new(loop);

	fake->deps.under_systemd = true;
	fake->deps.watchdog_ms = 5000;
	fake_config(fake, GOOD);
	fake_start(fake);
	ck_assert_ptr_eq(strstr(fake->notified, "READY=1\nSTATUS="), fake->notified);
	fake->notified[0] = '\0';
	fake_ready(fake_front(fake));
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 1000);
	ck_assert_ptr_nonnull(strstr(fake->notified, "STATUS=streams: 1 of 1 well\n"));
	fake->notified[0] = '\0';
	fake_wait_ms(fake, 20000);
	ck_assert_str_eq(fake->notified, "WATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1\n");
	fake->notified[0] = '\0';
	fake_fail(fake_worker(fake, "door"), "auth", "401");
	fake_wait_ms(fake, 1000);
	ck_assert_ptr_nonnull(
	    strstr(fake->notified, "STATUS=streams: 0 of 1 well; door: refused: 401"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_systemd_is_told_of_a_front_that_is_down)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, GOOD);
	fake_start(fake);
	fake_ready(fake_front(fake));
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 1000);
	fake->notified[0] = '\0';
	fake_crash(fake_front(fake));
	fake_wait_ms(fake, 1000);
	ck_assert_ptr_nonnull(strstr(fake->notified, "streams: 1 of 1 well; http: "));
	ck_assert_ptr_nonnull(strstr(fake->notified, ": killed by SIGSEGV\n"));
	fake->notified[0] = '\0';
	fake_ready(fake_front(fake));
	fake_wait_ms(fake, 1000);
	ck_assert_str_eq(fake->notified, "STATUS=streams: 1 of 1 well\n");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_camera_cannot_talk_to_systemd)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, GOOD);
	fake_start(fake);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401\nWATCHDOG=trigger\rMAINPID=1\x7f");
	fake->notified[0] = '\0';
	fake_wait_ms(fake, 1000);
	ck_assert_ptr_nonnull(strstr(fake->notified, "401 WATCHDOG=trigger MAINPID=1 "));
	for (const char *p = fake->notified; *p != '\0'; p = strchr(p, '\n') + 1)
		ck_assert_msg(strncmp(p, "STATUS=", 7) == 0, "%s", fake->notified);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_ready_is_not_said_before_listening)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, WRONG);
	ck_assert_int_eq(fake_try_start(fake), 78);
	ck_assert_str_eq(fake->notified, "");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_start");
	TCase *config = tcase_create("config"), *listen = tcase_create("listen");
	TCase *dirs = tcase_create("dirs");

	tcase_add_test(config, test_by_hand_a_wrong_file_is_78);
	tcase_add_test(config, test_under_systemd_a_wrong_file_means_503_until_it_is_good);
	tcase_add_test(config, test_503_is_bounded);
	tcase_add_test(config, test_systemd_is_told);
	tcase_add_test(config, test_systemd_is_told_of_a_front_that_is_down);
	tcase_add_test(config, test_a_camera_cannot_talk_to_systemd);
	tcase_add_test(config, test_ready_is_not_said_before_listening);
	suite_add_tcase(suite, config);
	tcase_add_test(listen, test_inherited_listeners_obey_the_address_rule);
	tcase_add_test(listen, test_a_listener_of_our_own_obeys_the_address_rule_on_reload);
	tcase_add_test(listen, test_under_systemd_a_forbidden_listener_serves_503);
	tcase_add_test(listen, test_a_port_in_use);
	tcase_add_test(listen, test_configured_listeners_are_bound_with_names_that_tell);
	tcase_add_test(listen, test_what_is_inherited_but_no_listener_is_dropped);
	suite_add_tcase(suite, listen);
	tcase_add_test(dirs, test_one_supervisor_per_runtime_directory);
	tcase_add_test(dirs, test_leftovers_of_a_killed_supervisor_are_cleared);
	tcase_add_test(dirs, test_a_bus_of_our_own_group_needs_no_privilege);
	tcase_add_test(dirs, test_a_runtime_directory_with_too_long_a_name);
	tcase_add_test(dirs, test_a_runtime_directory_that_is_too_long_for_the_bus);
	tcase_add_test(dirs, test_a_runtime_directory_that_just_fits);
	suite_add_tcase(suite, dirs);
	return suite;
}

HARNESS_MAIN(make_suite)
