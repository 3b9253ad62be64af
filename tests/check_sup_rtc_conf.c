/*
 * The rtc front and the configuration: whether there is one, its ports and addresses, while they
 * change.
 */
#include "config.h"

#include "tests/check_sup_rtc_rig.h"

#include "supervisor/sup_front.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_rtc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_ASYNC_TEST(test_not_installed)
{
	struct fake *fake = prepare_rtc(loop);
	struct fake_child *front;

	configure_rtc(fake, free_port(NULL), "");
	fake_start(fake);
	front = synced_http(fake, "http");
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 0);
	offer(front, 1);
	ck_assert_str_eq(expect_answer(front, 1, 503), "camhub-rtc is not installed");
	install_rtc(fake);
	reload(fake);
	ck_assert_ptr_nonnull(find_rtc(fake));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_on_and_off)
{
	struct fake *fake = start_rtc(loop, ", enabled: false");
	struct fake_child *front = synced_http(fake, "http"), *rtc;
	uint16_t port = (uint16_t)sup_settings(fake->sup)->rtc_port;

	ck_assert_ptr_null(find_rtc(fake));
	offer(front, 1);
	ck_assert_str_eq(expect_answer(front, 1, 404), "WebRTC is switched off");
	configure_rtc(fake, port, "");
	reload(fake);
	rtc = synced_rtc(fake);
	offer(front, 2);
	expect_offer(rtc);
	configure_rtc(fake, port, ", enabled: false");
	reload(fake);
	expect_answer(front, 2, 503);
	offer(front, 3);
	expect_answer(front, 3, 404);
	peer_await_msg(rtc->peer, MSG_STOP, NULL);
	peer_run(rtc->peer, 0);
	fake_exit(rtc, 0);
	fake_wait_ms(fake, 5000);
	ck_assert_ptr_null(find_rtc(fake));
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_another_port)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake);
	uint16_t port = free_port(NULL), udp;
	int fd;

	/* What needs no new process is only told. */
	configure_rtc(fake, (uint16_t)sup_settings(fake->sup)->rtc_port, ", max_per_address: 5");
	reload(fake);
	peer_expect_msg(rtc->peer, MSG_RTC_CONFIG, json_pack("{s:i}", "max_per_address", 5));
	peer_run(rtc->peer, 0);
	peer_assert_no_msg(rtc->peer);
	configure_rtc(fake, port, "");
	reload(fake);
	peer_get_msg(rtc->peer, MSG_STOP, 0);
	fake_exit(rtc, 0);
	rtc = fake_get(fake, "camhub-rtc", "rtc");
	fd = take_socket(rtc, "udp");
	assert_bound(fd, SOCK_DGRAM, &udp);
	close(fd);
	ck_assert_uint_eq(udp, port);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_port_that_is_taken)
{
	struct fake *fake = prepare_rtc(loop);
	struct fake_child *front;
	int held;

	install_rtc(fake);
	configure_rtc(fake, free_port(&held), "");
	/* Everything else goes on. */
	fake_start(fake);
	front = synced_http(fake, "http");
	ck_assert_ptr_null(find_rtc(fake));
	offer(front, 1);
	ck_assert_ptr_nonnull(strstr(expect_answer(front, 1, 503), "Address already in use"));
	fake_wait_ms(fake, SUP_RTC_BIND_RETRY_MS + 100);
	ck_assert_ptr_null(find_rtc(fake));
	close(held);
	fake_wait_ms(fake, SUP_RTC_BIND_RETRY_MS);
	ck_assert_ptr_nonnull(find_rtc(fake));
	async_complete(loop);
}
END_ASYNC_TEST

/* DHCP, a VPN: what it is handed follows. */
START_ASYNC_TEST(test_the_machine_moves)
{
	struct fake *fake;
	struct fake_child *rtc;

	own_address.sin_addr.s_addr = inet_addr("192.0.2.5");
	fake = start_rtc(loop, "");
	rtc = synced_rtc(fake);
	fake_wait_ms(fake, 3 * SUP_RTC_LOOK_MS);
	peer_assert_no_msg(rtc->peer);
	own_address.sin_addr.s_addr = inet_addr("192.0.2.6");
	fake_wait_ms(fake, SUP_RTC_LOOK_MS + 10);
	peer_expect_msg(rtc->peer, MSG_RTC_CONFIG, json_pack("{s:[s]}", "own", "192.0.2.6"));
	peer_run(rtc->peer, 0);
	peer_assert_no_msg(rtc->peer);
	async_complete(loop);
}
END_ASYNC_TEST

/* One more address that cannot be had costs nothing of what there is. */
START_ASYNC_TEST(test_an_address_that_is_wrong)
{
	struct fake *fake = start_rtc(loop, ", listen: [127.0.0.1]");
	struct fake_child *rtc = synced_rtc(fake);
	uint16_t port = (uint16_t)sup_settings(fake->sup)->rtc_port;

	peer_ignore_msg(rtc->peer, MSG_RTC_CONFIG);
	configure_rtc(fake, port, ", listen: [127.0.0.1, 192.0.2.77]");
	reload(fake);
	fake_wait_ms(fake, 3 * SUP_RTC_BIND_RETRY_MS);
	peer_assert_no_msg(rtc->peer);
	ck_assert(!rtc->ended);
	ck_assert_uint_eq(log_count("cannot listen on 192.0.2.77"), 1);
	configure_rtc(fake, port, ", listen: [127.0.0.1, 127.0.0.2]");
	reload(fake);
	peer_get_msg(rtc->peer, MSG_STOP, 0);
	fake_exit(rtc, 0);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 2);
	async_complete(loop);
}
END_ASYNC_TEST

/* All addresses instead of one: the old one has to go first. */
START_ASYNC_TEST(test_all_addresses)
{
	struct fake *fake = start_rtc(loop, ", listen: [127.0.0.1]");
	struct fake_child *rtc = synced_rtc(fake);
	uint16_t port = (uint16_t)sup_settings(fake->sup)->rtc_port;
	struct sockaddr_in bound;
	socklen_t len = sizeof(bound);
	int fd;

	configure_rtc(fake, port, ", listen: [0.0.0.0]");
	reload(fake);
	peer_get_msg(rtc->peer, MSG_STOP, 0);
	fake_exit(rtc, 0);
	fake_wait_ms(fake, SUP_RTC_BIND_AGAIN_MS + 10);
	rtc = fake_get(fake, "camhub-rtc", "rtc");
	fd = take_socket(rtc, "udp");
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
	close(fd);
	ck_assert_uint_eq(bound.sin_addr.s_addr, htonl(INADDR_ANY));
	ck_assert_uint_eq(ntohs(bound.sin_port), port);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_operator_restarts_it)
{
	struct fake *fake = start_rtc(loop, "");
	struct fake_child *rtc = synced_rtc(fake), *front = synced_http(fake, "http");
	struct peer *ctl = fake_ctl(fake);

	peer_send_msg(ctl, json_pack("{s:s, s:s}", "type", "restart", "what", "rtc"), -1);
	ck_assert_int_eq(msg_int(peer_get_msg(ctl, MSG_CTL_DONE, 0), "code", -1), 0);
	peer_get_msg(rtc->peer, MSG_STOP, 0);
	fake_exit(rtc, 0);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 2);
	/* "http" means the others. */
	peer_send_msg(ctl, json_pack("{s:s, s:s}", "type", "restart", "what", "http"), -1);
	peer_get_msg(ctl, MSG_CTL_DONE, 0);
	loop_settle(loop);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 2);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", NULL), 2);
	ck_assert(!front->ended);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_wrong_configuration_is_not_tried_again)
{
	struct fake *fake = start_rtc(loop, "");

	fake_exit(synced_rtc(fake), 78);
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 1);
	reload(fake);
	ck_assert_uint_eq(fake_count(fake, "camhub-rtc", NULL), 2);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_rtc_conf");
	TCase *conf = tcase_create("conf");

	tcase_add_test(conf, test_not_installed);
	tcase_add_test(conf, test_on_and_off);
	tcase_add_test(conf, test_another_port);
	tcase_add_test(conf, test_a_port_that_is_taken);
	tcase_add_test(conf, test_an_address_that_is_wrong);
	tcase_add_test(conf, test_all_addresses);
	tcase_add_test(conf, test_the_machine_moves);
	tcase_add_test(conf, test_the_operator_restarts_it);
	tcase_add_test(conf, test_a_wrong_configuration_is_not_tried_again);
	suite_add_tcase(suite, conf);
	return suite;
}

HARNESS_MAIN(make_suite)
