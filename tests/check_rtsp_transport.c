/*
 * Transport, as asked and as answered.
 */
#include "config.h"

#include "worker/rtsp_transport.h"

#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static const struct {
	struct rtsp_transport transport;
	const char *want;
} asked[] = {
	{ { .is_tcp = true, .channel = { 0, 1 } }, "RTP/AVP/TCP;unicast;interleaved=0-1" },
	{ { .is_tcp = true, .channel = { 254, 255 } }, "RTP/AVP/TCP;unicast;interleaved=254-255" },
	{ { .client_port = { 50000, 50001 } }, "RTP/AVP;unicast;client_port=50000-50001" },
};

START_TEST(what_is_asked_is_written)
{
	char *text = rtsp_transport_write(&asked[_i].transport);

	ck_assert_str_eq(text, asked[_i].want);
	free(text);
}
END_TEST

/* "tcp|udp channels client-ports server-ports ssrc source", with "-" for what is not there. */
static void
describe(const struct rtsp_transport *transport, char *out)
{
	out += sprintf(out, "%s%s", transport->is_tcp ? "tcp" : "udp",
		       transport->is_multicast ? "*" : "");
	if (transport->has_channels)
		out +=
		    sprintf(out, " channels %u-%u", transport->channel[0], transport->channel[1]);
	if (transport->client_port[0] != 0 || transport->client_port[1] != 0)
		out += sprintf(out, " client %u-%u", transport->client_port[0],
			       transport->client_port[1]);
	if (transport->server_port[0] != 0 || transport->server_port[1] != 0)
		out += sprintf(out, " server %u-%u", transport->server_port[0],
			       transport->server_port[1]);
	if (transport->has_ssrc)
		out += sprintf(out, " ssrc %08x", transport->ssrc);
	if (transport->source[0] != '\0')
		sprintf(out, " source %s", transport->source);
}

static const struct {
	const char *value, *want; /* NULL: -EPROTO */
} answers[] = {
	{ "RTP/AVP/TCP;unicast;interleaved=0-1", "tcp channels 0-1" },
	{ "RTP/AVP/TCP;unicast;interleaved=8-9;ssrc=2A27A3FB", "tcp channels 8-9 ssrc 2a27a3fb" },
	{ "RTP/AVP/TCP;ssrc=22345684;interleaved=0-1", "tcp channels 0-1 ssrc 22345684" },
	{ " rtp/avp/tcp ; UNICAST ; Interleaved = 2 - 3 ; mode=\"PLAY\" ;", "tcp channels 2-3" },
	{ "RTP/AVP/TCP;unicast;destination=10.0.0.2;source=10.0.0.1;interleaved=4-5;mode=\"PLAY\"",
	  "tcp channels 4-5 source 10.0.0.1" },
	{ "RTP/AVP/TCP;unicast", "tcp" },
	{ "RTP/AVP/TCP", "tcp" },
	{ "RTP/AVP/TCP;unicast;interleaved=\"6-7\"", "tcp channels 6-7" },
	/* One channel alone, the same twice, two far apart, counted down. */
	{ "RTP/AVP/TCP;interleaved=4", "tcp channels 4-5" },
	{ "RTP/AVP/TCP;interleaved=4-", "tcp channels 4-5" },
	{ "RTP/AVP/TCP;interleaved=0-0", "tcp channels 0-1" },
	{ "RTP/AVP/TCP;interleaved=1-2", "tcp channels 1-2" },
	{ "RTP/AVP/TCP;interleaved=0-4", "tcp channels 0-4" },
	{ "RTP/AVP/TCP;interleaved=3-2", "tcp channels 2-3" },
	{ "RTP/AVP/TCP;interleaved=254-255", "tcp channels 254-255" },
	{ "RTP/AVP/TCP;interleaved=255-254", "tcp channels 254-255" },
	{ "RTP/AVP/TCP;interleaved=255", NULL },
	{ "RTP/AVP/TCP;interleaved=255-255", NULL },
	{ "RTP/AVP/TCP;interleaved=255-256", NULL },
	{ "RTP/AVP/TCP;interleaved=256-257", NULL },
	{ "RTP/AVP/TCP;interleaved=-1", NULL },
	{ "RTP/AVP/TCP;interleaved=0-x", NULL },
	{ "RTP/AVP/TCP;interleaved=", NULL },
	{ "RTP/AVP/TCP;interleaved=99999999999999999999", NULL },
	/* Its channels say that it is TCP. */
	{ "RTP/AVP;unicast;interleaved=0-1", "tcp channels 0-1" },
	{ "RTP/AVP/UDP;unicast;interleaved=0-1", "tcp channels 0-1" },
	/* UDP, also as the silent refusal of TCP. */
	{ "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001",
	  "udp client 5000-5001 server 6000-6001" },
	{ "RTP/AVP/UDP;unicast;client_port=5000-5001;server_port=50024-50025;ssrc=937239728",
	  "udp client 5000-5001 server 50024-50025" },
	{ "RTP/AVP;ssrc=22345685;unicast;client_port=54060-54061;server_port=49152-49153",
	  "udp client 54060-54061 server 49152-49153 ssrc 22345685" },
	{ "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;interleaved=0-1",
	  "udp channels 0-1 client 5000-5001 server 6000-6001" },
	{ "RTP/AVP;unicast", "udp" },
	{ "RTP/AVP;;=;unicast;", "udp" },
	{ "RTP/AVP;unicast;client_port=5000-5001", "udp client 5000-5001" },
	{ "RTP/AVP;unicast;client_port=5000;server_port=6000",
	  "udp client 5000-5001 server 6000-6001" },
	{ "RTP/AVP;unicast;client_port=5001-5000;server_port=6001-6000",
	  "udp client 5000-5001 server 6000-6001" },
	{ "RTP/AVP;unicast;client_port=5000-5001;server_port=0-0", "udp client 5000-5001" },
	{ "RTP/AVP;unicast;server_port=0", "udp" },
	{ "RTP/AVP;unicast;server_port=65534", "udp server 65534-65535" },
	/* Ports that are none do not matter. */
	{ "RTP/AVP;unicast;server_port=65535", "udp" },
	{ "RTP/AVP;unicast;server_port=65536-65537", "udp" },
	{ "RTP/AVP;unicast;client_port=x;server_port=6000-6001", "udp server 6000-6001" },
	{ "RTP/AVP/TCP;unicast;client_port=-1--1;interleaved=0-1", "tcp channels 0-1" },
	{ "RTP/AVP/TCP;unicast;interleaved=0-1;server_port=", "tcp channels 0-1" },
	{ "RTP/AVP;multicast;destination=239.0.0.1;port=5000-5001;ttl=16", "udp*" },
	/* A comma between parameters, and one before another transport. */
	{ "RTP/AVP;unicast;client_port=5000-5001;server_port=40000-40001,ssrc=FFFFCCCC",
	  "udp client 5000-5001 server 40000-40001 ssrc ffffcccc" },
	{ "RTP/AVP/TCP;interleaved=0-1,RTP/AVP;unicast;client_port=5000-5001", "tcp channels 0-1" },
	{ "RTP/AVP/TCP,RTP/AVP;multicast", "tcp" },
	{ "RTP/AVP/TCP;mode=\"PLAY,RECORD\";interleaved=2-3", "tcp channels 2-3" },
	/* Numbers of sources: printed with spaces, zeros left out, with 0x, or no such number. */
	{ "RTP/AVP/TCP;ssrc=  4C1B6B;interleaved=0-1", "tcp channels 0-1 ssrc 004c1b6b" },
	{ "RTP/AVP/TCP;ssrc=4317f", "tcp ssrc 0004317f" },
	{ "RTP/AVP/TCP;ssrc=0x6f7c", "tcp ssrc 00006f7c" },
	{ "RTP/AVP/TCP;ssrc=0X6F7C", "tcp ssrc 00006f7c" },
	{ "RTP/AVP/TCP;ssrc=0", "tcp ssrc 00000000" },
	{ "RTP/AVP/TCP;ssrc=ffffffff", "tcp ssrc ffffffff" },
	{ "RTP/AVP/TCP;ssrc=100000000", "tcp" },
	{ "RTP/AVP/TCP;ssrc=12345678/9abcdef0", "tcp" },
	{ "RTP/AVP/TCP;ssrc=-1", "tcp" },
	{ "RTP/AVP/TCP;ssrc=0x", "tcp" },
	{ "RTP/AVP/TCP;ssrc=", "tcp" },
	{ "RTP/AVP/TCP;ssrc", "tcp" },
	/* Where it comes from: numeric or nothing. */
	{ "RTP/AVP;source=192.168.1.10", "udp source 192.168.1.10" },
	{ "RTP/AVP;source=fe80::1", "udp source fe80::1" },
	{ "RTP/AVP;source=[2001:db8::1]", "udp source 2001:db8::1" },
	{ "RTP/AVP;source=camera.local", "udp" },
	{ "RTP/AVP;source=1.2.3.4.5", "udp" },
	{ "RTP/AVP;source=[]", "udp" },
	{ "RTP/AVP;source=", "udp" },
	{ "RTP/AVP;source=1.2.3.4                                                            x",
	  "udp" },
	{ "RTP/AVP;source=11111111111111111111111111111111111111111111111111111111111111111111111",
	  "udp" },
	/* Not for us. */
	{ "RTP/SAVP;unicast;client_port=5000-5001", NULL },
	{ "RAW/RAW/UDP;unicast", NULL },
	{ "unicast;interleaved=0-1", NULL },
	{ "RTP/AVP/TC", NULL },
	{ ";;", NULL },
	{ "", NULL },
};

START_TEST(answers_are_read)
{
	struct rtsp_transport transport = { .ssrc = 77 };
	char found[256], *copy = strdup(answers[_i].value);
	struct rtsp_text text = { copy, strlen(copy) };
	int err = rtsp_transport_parse(&text, &transport);

	if (answers[_i].want == NULL) {
		ck_assert_int_eq(err, -EPROTO);
		ck_assert_uint_eq(transport.ssrc, 77);
	} else {
		ck_assert_int_eq(err, 0);
		describe(&transport, found);
		ck_assert_str_eq(found, answers[_i].want);
	}
	free(copy);
}
END_TEST

/* Any part of an answer is an answer, or none: nothing behind its end is looked at. */
START_TEST(cut_answers_are_borne)
{
	static const char whole[] =
	    "RTP/AVP/TCP;unicast;source=[fe80::1];interleaved=10-11;ssrc=\"0x1\",RTP/AVP";
	struct rtsp_transport transport;
	struct rtsp_text text;
	size_t len;
	char *copy;

	for (len = 0; len < sizeof(whole); len++) {
		copy = malloc(len + 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole, len);
		text = (struct rtsp_text){ copy, len };
		if (rtsp_transport_parse(&text, &transport) == 0)
			ck_assert(!transport.has_channels || transport.channel[0] == 10 ||
				  transport.channel[0] == 1);
		free(copy);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_transport");
	TCase *tcase = tcase_create("transport");

	tcase_add_loop_test(tcase, what_is_asked_is_written, 0, ROWS(asked));
	tcase_add_loop_test(tcase, answers_are_read, 0, ROWS(answers));
	tcase_add_test(tcase, cut_answers_are_borne);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
