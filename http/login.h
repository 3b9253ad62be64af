/*
 * How people come in: the login page, links, tickets. The handlers stand in handlers.h.
 */
#ifndef CAMHUB_HTTP_LOGIN_H
#define CAMHUB_HTTP_LOGIN_H

#include "http/route.h"

/* The page of the camera that request->path names. Whoever came by a link's address gets its
 * cookie, for the addresses below that page, and is sent there. */
void login_camera_page(struct request *request);

#endif
