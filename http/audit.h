/*
 * Who did what, for the log: one line each, "audit: " and a JSON object. Only where people have to
 * log in; what is written is bounded however much is tried, the rest is counted.
 */
#ifndef CAMHUB_HTTP_AUDIT_H
#define CAMHUB_HTTP_AUDIT_H

#include "http/pass.h"

/* Somebody begins to watch, or ends. Neither crowds out the other events, nor they these. */
void audit_watch(const struct watch *watch, bool begins);
/* The operator sent somebody away. */
void audit_kick(const struct pass *pass);
/* A single picture, at most once a minute for the same sender and camera. */
void audit_picture(struct front *front, const struct gate_identity *who, const char *address,
		   const char *camera);
/* event: "login", "logout", "login-failed", "denied", "link". user, camera: "" for none. */
void audit_event(struct front *front, const char *event, const struct gate_identity *who,
		 const char *user, const char *address, const char *camera);

#endif
