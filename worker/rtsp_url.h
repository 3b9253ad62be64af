/*
 * Addresses within a session: control URLs, redirects.
 */
#ifndef CAMHUB_WORKER_RTSP_URL_H
#define CAMHUB_WORKER_RTSP_URL_H

#include "worker/rtsp_msg.h"

/*
 * What SETUP (or PLAY) names, malloc'd, without userinfo. base: Content-Base, Content-Location or
 * the request's URL, in this order; control: of the media, of the session, "*" or "" (the base
 * itself). An absolute control keeps host and port of `request` when the camera names an address of
 * its own that is not where we reach it (NAT). NULL: nothing that can be used (another scheme, too
 * long).
 */
char *rtsp_url_control(const char *request, const char *base, const char *control);

/*
 * Whether a redirect may be followed: rtsp -> rtsp or rtsps, rtsps -> rtsps. Location may be
 * relative. malloc'd, without userinfo; NULL: must not be followed.
 */
char *rtsp_url_redirect(const char *from, const struct rtsp_text *location);

#endif
