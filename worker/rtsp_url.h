/*
 * Addresses within a session: control URLs, redirects.
 */
#ifndef CAMHUB_WORKER_RTSP_URL_H
#define CAMHUB_WORKER_RTSP_URL_H

#include "worker/rtsp_msg.h"

/*
 * What SETUP (or PLAY) names, malloc'd, without userinfo. base: Content-Base, Content-Location or
 * the request's URL, in this order ("" or NULL: the request's); control: of the media, of the
 * session, "*" or "" (the base itself). A relative one is put behind all of the base, its query
 * included, with one slash between ("rtsp://h/a?x=1" and "trackID=1": "rtsp://h/a?x=1/trackID=1"):
 * not what RFC 2326 C.1.1 asks for, but what FFmpeg and live555 do and cameras are tested with.
 * Scheme, host and port are always those of `request`: cameras name addresses of their own that are
 * not where we reach them (NAT, TLS). NULL: nothing that can be used (another scheme, control
 * bytes, longer than URL_MAX_BYTES).
 */
char *rtsp_url_control(const char *request, const char *base, const char *control);

/*
 * Whether a redirect may be followed: rtsp -> rtsp or rtsps, rtsps -> rtsps. Location may be
 * relative (RFC 3986). malloc'd, without userinfo and fragment; NULL: must not be followed.
 */
char *rtsp_url_redirect(const char *from, const struct rtsp_text *location);

#endif
