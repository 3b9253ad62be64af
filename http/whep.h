/*
 * WebRTC by HTTP: WHEP (draft-ietf-wish-whep: POST an offer to /NAME/whep, get an answer and a
 * session at /NAME/whep/SESSION that takes PATCH and DELETE), and /api/webrtc?src=NAME as go2rtc's
 * players use it. What an offer says is the rtc front's matter: here it is text.
 */
#ifndef CAMHUB_HTTP_WHEP_H
#define CAMHUB_HTTP_WHEP_H

#include "http/route.h"

/* Handlers of routes; also for OPTIONS. */
void whep_endpoint(struct request *request);
void whep_session(struct request *request);
void whep_api(struct request *request);
/* OPTIONS as browsers ask it before a request of another site's page; nobody is known yet. */
void whep_preflight(struct request *request, const char *methods);

/*
 * "/NAME/whep" or "/NAME/whep/SESSION" (undecoded). false: neither. name has STREAM_NAME_MAX + 1
 * bytes; *session is borrowed from path, NULL: the endpoint.
 */
bool whep_parse_path(const char *path, char *name, const char **session);

/* The servers that players are told, as RTCPeerConnection takes them: [{urls, ...}]. */
json_t *whep_ice_servers(const struct front *front);

#endif
