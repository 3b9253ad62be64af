/*
 * Requests of the client: which one belongs to which state, and what it carries.
 */
#include "config.h"

#include "worker/rtsp_client_int.h"

#include <errno.h>
#include <stdlib.h>

bool
rtsp_client_has_session(const struct rtsp_client *client)
{
	return client->session[0] != '\0' || client->media[0].is_set_up;
}

/* A request of which the other side has heard nothing: its answer comes late, or never. */
static void
note_pending(struct rtsp_client *client, enum rtsp_method method, unsigned challenges)
{
	client->pending = (struct rtsp_pending){ .is_waiting = true,
						 .method = method,
						 .cseq = ++client->cseq,
						 .challenges = challenges };
}

static const char *
uri_of(const struct rtsp_client *client, enum rtsp_method method)
{
	if (method == RTSP_SETUP)
		return client->media[client->current].url;
	if (method == RTSP_DESCRIBE || client->play_url == NULL)
		return client->url;
	return client->play_url;
}

static int
send_request(struct rtsp_client *client, const struct rtsp_request *request)
{
	size_t len = 0;
	char *text = rtsp_request_write(request, &len);
	int rc;

	if (text == NULL)
		return -ENOMEM;
	rc = rtsp_conn_send(client->conn, text, len);
	free(text);
	return rc;
}

static int
ask_for(struct rtsp_client *client, enum rtsp_method method, unsigned challenges)
{
	struct rtsp_request request = { .method = method, .uri = uri_of(client, method) };
	char *authorization, *transport = NULL;
	int rc = -EIO;

	if (method == RTSP_SETUP) {
		transport = rtsp_client_transport(client);
		if (transport == NULL)
			return -EIO;
	}
	note_pending(client, method, challenges);
	authorization = rtsp_auth_header(client->auth, rtsp_method_name(method), request.uri);
	request.cseq = client->pending.cseq;
	request.session = client->session[0] != '\0' ? client->session : NULL;
	request.authorization = authorization;
	request.transport = transport;
	/* from now on; after a PAUSE: from where it stands, which is now, too */
	request.range = method == RTSP_PLAY && !client->was_revived ? "npt=0.000-" : NULL;
	if (client->conn != NULL)
		rc = send_request(client, &request);
	free(authorization);
	free(transport);
	if (rc < 0)
		rtsp_client_blame(client, WRK_CLASS_UNREACHABLE,
				  "the camera does not take our requests");
	return rc;
}

int
rtsp_client_ask(struct rtsp_client *client)
{
	static const enum rtsp_method methods[RTSP_STATE_COUNT] = {
		[RTSP_STATE_OPTIONS] = RTSP_OPTIONS, [RTSP_STATE_DESCRIBE] = RTSP_DESCRIBE,
		[RTSP_STATE_SETUP] = RTSP_SETUP,     [RTSP_STATE_PLAY] = RTSP_PLAY,
		[RTSP_STATE_PAUSE] = RTSP_PAUSE,     [RTSP_STATE_TEARDOWN] = RTSP_TEARDOWN,
	};

	return ask_for(client, methods[client->state], 0);
}

int
rtsp_client_ask_again(struct rtsp_client *client)
{
	return ask_for(client, client->pending.method, client->pending.challenges + 1);
}

int
rtsp_client_keep_alive(struct rtsp_client *client)
{
	return ask_for(client, client->can_get_parameter ? RTSP_GET_PARAMETER : RTSP_OPTIONS, 0);
}
