/*
 * The handlers of the route table that are not pages. Each answers its request, or takes its
 * connection.
 */
#ifndef CAMHUB_HTTP_HANDLERS_H
#define CAMHUB_HTTP_HANDLERS_H

#include "http/route.h"

void api_info(struct request *request);
void api_streams(struct request *request);
void api_analysers(struct request *request);
void api_health(struct request *request);
void api_metrics(struct request *request);

void login_page(struct request *request); /* also takes the form */
void login_end(struct request *request);
void login_ticket(struct request *request);

void view_ws(struct request *request);
void view_wall(struct request *request);
void view_mp4(struct request *request);
void view_mjpeg(struct request *request);
void view_frame(struct request *request);

#endif
