/*
 * A worker's life: configuration, the end, and probes.
 */
#include "config.h"

#include "tests/check_worker_rig.h"

#include "publish/wrk_config.h"
#include "shared/child_ev.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Start and end */

START_ASYNC_TEST(test_start)
{
	rig_new(loop);
	configure(config());
	ck_assert_str_eq(rig->path, "/run/x/bus/door-77.sock");
	ck_assert_uint_eq(rig->mode, 0660);
	ck_assert_int_eq(rig->starts, 1);
	ck_assert_str_eq(rig->user, "admin");
	ck_assert_str_eq(rig->password, "hunter22");
	log_forbid("hunter22");
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	ck_assert_uint_gt(peer_msg_count(rig->supervisor, MSG_READY), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_beats_while_the_input_is_silent)
{
	rig_new(loop);
	configure(config());
	loop_run_for_ms(loop, 3000);
	send_stop();
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_BEAT), 5);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_leaves_with_0)
{
	rig_new(loop);
	go_up();
	demand(true);
	send_stop();
	ck_assert_int_eq(rig->stops, 1);
	ck_assert(rig->has_exited && rig->is_unlinked);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.kind, FRAME_KIND_END);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.seq, 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_supervisor_gone)
{
	rig_new(loop);
	go_up();
	peer_close(rig->supervisor);
	loop_settle(loop);
	ck_assert(rig->has_exited && rig->is_unlinked);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_before_config)
{
	rig_new(loop);
	send_stop();
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_too_long)
{
	rig_new(loop);
	rig->open_rc = -ENAMETOOLONG;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_in_use)
{
	rig_new(loop);
	rig->open_rc = -EADDRINUSE;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_url_of_nobody)
{
	rig_new(loop);
	rig->start_rc = -EINVAL;
	configure(config());
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "unsupported");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_transport)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_str(msg, "transport", "smoke");
	peer_send_msg(rig->supervisor, msg, -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

/* What the input is given */

static int
any_fd(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	close(fds[1]);
	return fds[0];
}

START_ASYNC_TEST(test_the_input_gets_the_socket)
{
	rig_new(loop);
	peer_send_msg(rig->supervisor, config(), any_fd());
	expect_input("connecting");
	ck_assert_int_ge(rig->fd, 0);
	/* Of a second configuration it is closed, as each that comes with anything. */
	peer_send_msg(rig->supervisor, config(), any_fd());
	loop_settle(loop);
	ck_assert_int_eq(rig->starts, 1);
	expect_log("second configuration is ignored");
	wrk_free(&rig->wrk);
	ck_assert_int_ne(fcntl(rig->fd, F_GETFD), -1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_socket_that_nobody_takes_is_closed)
{
	rig_new(loop);
	rig->open_rc = -EADDRINUSE;
	peer_send_msg(rig->supervisor, config(), any_fd());
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_lt(rig->fd, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_socket_that_comes_too_late_is_closed)
{
	rig_new(loop);
	send_stop();
	peer_send_msg(rig->supervisor, config(), any_fd());
	loop_settle(loop);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_not_said_is_strict)
{
	rig_new(loop);
	configure(config());
	ck_assert_int_lt(rig->fd, 0);
	ck_assert_str_eq(rig->tls, "verify");
	ck_assert(!rig->keep_vui);
	ck_assert_int_eq(rig->reorder_ms, 60);
	async_complete(loop);
}
END_ASYNC_TEST

#define PIN "sha256:0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344"

START_ASYNC_TEST(test_what_is_said_is_passed_on)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_str(msg, "tls", PIN);
	msg_set_bool(msg, "keep_vui", true);
	msg_set_int(msg, "reorder_ms", 0);
	configure(msg);
	ck_assert_str_eq(rig->tls, PIN);
	ck_assert(rig->keep_vui);
	ck_assert_int_eq(rig->reorder_ms, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_tls)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_str(msg, "tls", "sha256:00");
	peer_send_msg(rig->supervisor, msg, any_fd());
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	ck_assert_int_eq(rig->starts, 0);
	expect_log("wrong configuration: tls");
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(test_forms_of_tls)
{
	static const struct {
		const char *tls, *wrong;
	} rows[] = {
		{ "verify", NULL },
		{ "insecure", NULL },
		{ PIN, NULL },
		{ "Verify", "tls" },
		{ "none", "tls" },
		{ "sha256:", "tls" },
		{ "sha256:00", "tls" },
		{ PIN "0", "tls" },
		{ PIN "g", "tls" },
		{ "sha1:00", "tls" },
		{ "sha256:g123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344",
		  "tls" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wrk_config read = { .fd = -1 };
		json_t *msg = config();

		msg_set_str(msg, "tls", rows[i].tls);
		ck_assert_pstr_eq(wrk_config_read(msg, any_fd(), 3000, &read), rows[i].wrong);
		if (rows[i].wrong == NULL)
			ck_assert_str_eq(read.tls, rows[i].tls);
		wrk_config_clear(&read);
		json_decref(msg);
	}
}
END_TEST

static const json_t *
next_status(void)
{
	loop_run_for_ms(rig->loop, WRK_STATUS_MS);
	return peer_get_msg(rig->supervisor, MSG_WORKER_STATUS, 0);
}

START_ASYNC_TEST(test_what_the_input_reports_is_told)
{
	const json_t *msg;

	rig_new_with_status(loop);
	configure(config());
	msg = next_status();
	ck_assert_ptr_null(json_object_get(msg, "transport"));
	ck_assert_ptr_null(json_object_get(msg, "packets"));
	ck_assert_ptr_null(json_object_get(msg, "camera_clock"));
	rig->report =
	    (struct wrk_input_report){ "udp", 1000, 7, 3, WRK_MARKER_NEVER, WRK_CLOCK_UNSYNCED };
	msg = next_status();
	ck_assert_str_eq(msg_str(msg, "transport"), "udp");
	ck_assert_int_eq(msg_int(msg, "packets", 0), 1000);
	ck_assert_int_eq(msg_int(msg, "lost", 0), 7);
	ck_assert_int_eq(msg_int(msg, "reordered", 0), 3);
	ck_assert_str_eq(msg_str(msg, "marker"), "never");
	ck_assert_str_eq(msg_str(msg, "camera_clock"), "unsynced");
	rig->report.marker = WRK_MARKER_NONE;
	rig->report.clock = WRK_CLOCK_SYNCED;
	msg = next_status();
	ck_assert_ptr_null(json_object_get(msg, "marker"));
	ck_assert_str_eq(msg_str(msg, "camera_clock"), "synced");
	async_complete(loop);
}
END_ASYNC_TEST

/* Probing */

static void
configure_probe(void)
{
	json_t *msg = config();

	msg_set_bool(msg, "probe", true);
	msg_set_str(msg, "bus", "");
	configure(msg);
	ck_assert(!rig->is_listening);
	wrk_input_opened(rig->wrk);
}

START_ASYNC_TEST(test_probe)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	expect_input("up");
	loop_run_for_ms(loop, WRK_PROBE_MS + 10);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_uint_eq(rig->n_sent, 0);
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_of_a_short_file)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	expect_input("up");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert(rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_fails)
{
	rig_new(loop);
	configure_probe();
	wrk_input_failed(rig->wrk, WRK_CLASS_NOT_FOUND, "no such path");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "not-found");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_without_key_frame)
{
	rig_new(loop);
	configure_probe();
	for (int i = 1; i < 100 && !rig->has_exited; i++) {
		deliver_frames(i, i + 1, 1000);
		loop_run_for_ms(loop, 100);
	}
	expect_input("connecting");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_lib");
	TCase *tc = tcase_create("life"), *probe = tcase_create("probing");

	tcase_add_test(tc, test_start);
	tcase_add_test(tc, test_beats_while_the_input_is_silent);
	tcase_add_test(tc, test_stop_leaves_with_0);
	tcase_add_test(tc, test_supervisor_gone);
	tcase_add_test(tc, test_stop_before_config);
	tcase_add_test(tc, test_bus_path_too_long);
	tcase_add_test(tc, test_bus_path_in_use);
	tcase_add_test(tc, test_url_of_nobody);
	tcase_add_test(tc, test_wrong_transport);
	tcase_add_test(tc, test_the_input_gets_the_socket);
	tcase_add_test(tc, test_a_socket_that_nobody_takes_is_closed);
	tcase_add_test(tc, test_a_socket_that_comes_too_late_is_closed);
	tcase_add_test(tc, test_what_is_not_said_is_strict);
	tcase_add_test(tc, test_what_is_said_is_passed_on);
	tcase_add_test(tc, test_wrong_tls);
	tcase_add_test(tc, test_forms_of_tls);
	tcase_add_test(tc, test_what_the_input_reports_is_told);
	suite_add_tcase(s, tc);
	tcase_add_test(probe, test_probe);
	tcase_add_test(probe, test_probe_of_a_short_file);
	tcase_add_test(probe, test_probe_fails);
	tcase_add_test(probe, test_probe_without_key_frame);
	suite_add_tcase(s, probe);
	return s;
}

HARNESS_MAIN(suite)
