/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_whep_rig.h"

#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

struct rig *
whep_start(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);

	rig_stream(rig, 1, "door", "up", "");
	rig_stream(rig, 2, "yard.sub", "up", "");
	rig_synced(rig);
	return rig;
}

void
whep_ask(struct peer *browser, const char *method, const char *path, const char *lines,
	 const char *body)
{
	char *text =
	    xasprintf("%s %s HTTP/1.1\r\nHost: cam.example\r\n%sContent-Length: %zu\r\n\r\n%s",
		      method, path, lines, strlen(body), body);

	peer_send_text(browser, text);
	peer_run(browser, 0);
	free(text);
}

void
whep_offer(struct peer *browser, const char *path, const char *lines)
{
	char *all = xasprintf("Content-Type: application/sdp\r\n%s", lines);

	whep_ask(browser, "POST", path, all, SDP);
	free(all);
}

const char *
whep_head(struct peer *browser, int status)
{
	const char *head;

	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 ");
	peer_run(browser, 0);
	head = peer_last(browser, NULL);
	ck_assert_msg(atoi(head + 9) == status, "%d expected: %s", status, head);
	return head;
}

void
whep_answer(struct rig *rig, long long request, int code, const char *sdp, const char *session,
	    const char *error)
{
	json_t *msg = json_pack("{s:s, s:I, s:i}", "type", "rtc-answer", "request",
				(json_int_t)request, "code", code);

	msg_set_str(msg, "sdp", sdp);
	msg_set_str(msg, "session", session);
	msg_set_str(msg, "error", error);
	peer_send_msg(rig->sup, msg, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

long long
whep_expect(struct rig *rig, enum msg_type type, json_t *fields)
{
	peer_expect_msg(rig->sup, type, fields);
	peer_run(rig->sup, 0);
	return msg_int(peer_last_msg(rig->sup), "request", 0);
}
