/*
 * What is told about everything: to camctl, and in a line to systemd.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_STATUS_H
#define CAMHUB_SUPERVISOR_SUP_STATUS_H

#include "shared/msg.h"

struct sup;
struct sup_front;
struct sup_stream;

/* Messages for camctl; the caller's. */
json_t *sup_status_camera(struct sup *sup, const struct sup_stream *stream);
json_t *sup_status_front(const struct sup_front *front);
json_t *sup_status_supervisor(struct sup *sup);
/* "3 of 4 cameras up; door: down" into text. */
void sup_status_line(struct sup *sup, char *text, size_t len);

#endif
