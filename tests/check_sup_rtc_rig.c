/*
 * A supervisor with a rtc front.
 */
#include "config.h"

#include "tests/check_sup_rtc_rig.h"

#include "shared/xalloc.h"
#include "supervisor/sup_int.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fake_child *
find_rtc(struct fake *fake)
{
	return fake_find(fake, "camhub-rtc", "rtc");
}

void
install_rtc(struct fake *fake)
{
	char *path = xasprintf("%s/camhub-rtc", fake->options.libexec_dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	ck_assert_int_ge(fd, 0);
	close(fd);
	free(path);
}

uint16_t
free_port(int *held)
{
	for (;;) {
		struct sockaddr_in addr = { .sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof(addr);
		int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool is_free;

		ck_assert_int_eq(bind(udp, (struct sockaddr *)&addr, len), 0);
		ck_assert_int_eq(getsockname(udp, (struct sockaddr *)&addr, &len), 0);
		is_free = bind(tcp, (struct sockaddr *)&addr, len) == 0;
		close(tcp);
		if (held != NULL && is_free)
			*held = udp;
		else
			close(udp);
		if (is_free)
			return ntohs(addr.sin_port);
	}
}

void
configure_rtc(struct fake *fake, uint16_t port, const char *more)
{
	char *text = xasprintf("%srtc: {port: %u%s}\n" DOOR,
			       strstr(more, "listen") != NULL ? OPEN : "", port, more);

	fake_config(fake, text);
	free(text);
}

struct fake *
prepare_rtc(struct loop *loop)
{
	struct fake *fake = fake_new(loop);

	fake->options.libexec_dir = harness_tmpfile("libexec");
	ck_assert_int_eq(mkdir(fake->options.libexec_dir, 0700), 0);
	return fake;
}

struct fake *
start_rtc(struct loop *loop, const char *more)
{
	struct fake *fake = prepare_rtc(loop);

	install_rtc(fake);
	configure_rtc(fake, free_port(NULL), more);
	fake_start(fake);
	return fake;
}

struct fake_child *
synced_rtc(struct fake *fake)
{
	struct fake_child *rtc = fake_get(fake, "camhub-rtc", "rtc");

	peer_await_msg(rtc->peer, MSG_STREAMS_SYNCED, NULL);
	peer_run(rtc->peer, 0);
	peer_ignore_msg(rtc->peer, MSG_STREAM);
	peer_ignore_msg(rtc->peer, MSG_ACCESS_KEYS);
	fake_ready(rtc);
	return rtc;
}

struct fake_child *
synced_http(struct fake *fake, const char *object)
{
	struct fake_child *front = fake_get(fake, "camhub-http", object);

	peer_await_msg(front->peer, MSG_STREAMS_SYNCED, NULL);
	peer_run(front->peer, 0);
	peer_ignore_msg(front->peer, MSG_STREAM);
	peer_ignore_msg(front->peer, MSG_ACCESS_KEYS);
	peer_ignore_msg(front->peer, MSG_RTC_STATE);
	fake_ready(front);
	return front;
}

json_t *
make_offer(int request)
{
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:[]}", "type", "rtc-offer",
			 "request", request, "id", 1, "sdp", "v=0", "address", "192.0.2.7", "way",
			 "open", "user", "", "role", "operator", "cameras");
}

void
offer(struct fake_child *front, int request)
{
	fake_say(front, make_offer(request), -1);
}

long long
expect_offer(struct fake_child *rtc)
{
	return msg_int(peer_get_msg(rtc->peer, MSG_RTC_OFFER, 0), "request", 0);
}

void
answer(struct fake_child *rtc, long long request, int code, const char *session)
{
	json_t *msg = json_pack("{s:s, s:I, s:i}", "type", "rtc-answer", "request",
				(json_int_t)request, "code", code);

	if (code == 201)
		msg_set_str(msg, "sdp", "v=0 answer");
	msg_set_str(msg, "session", session);
	fake_say(rtc, msg, -1);
}

const char *
expect_answer(struct fake_child *front, int request, int code)
{
	peer_expect_msg(front->peer, MSG_RTC_ANSWER,
			json_pack("{s:i, s:i}", "request", request, "code", code));
	peer_run(front->peer, 0);
	return msg_str(peer_last_msg(front->peer), "error");
}

void
reload(struct fake *fake)
{
	char *text = NULL;

	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	loop_settle(fake->loop);
}

struct sockaddr_in own_address = { .sin_family = AF_INET };

int
getifaddrs(struct ifaddrs **list)
{
	static struct ifaddrs one;
	static char name[] = "eth0";

	one = (struct ifaddrs){ .ifa_name = name,
				.ifa_flags = IFF_UP | IFF_RUNNING,
				.ifa_addr = (struct sockaddr *)&own_address };
	*list = &one;
	return 0;
}

void
freeifaddrs(struct ifaddrs *list)
{
	(void)list;
}

void
assert_bound(int fd, int type, uint16_t *port)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr), type_len = sizeof(int);
	int got;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	ck_assert_uint_eq(ntohl(addr.sin_addr.s_addr), INADDR_LOOPBACK);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_TYPE, &got, &type_len), 0);
	ck_assert_int_eq(got, type);
	*port = ntohs(addr.sin_port);
}

int
take_socket(struct fake_child *rtc, const char *kind)
{
	peer_await_msg(rtc->peer, MSG_RTC_LISTENER, json_pack("{s:s}", "kind", kind));
	peer_run(rtc->peer, 0);
	return peer_take_fd(rtc->peer);
}
