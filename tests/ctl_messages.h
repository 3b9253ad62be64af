/*
 * What a supervisor tells camctl, whole and right, for tests to change and send.
 */
#ifndef CAMHUB_TESTS_CTL_MESSAGES_H
#define CAMHUB_TESTS_CTL_MESSAGES_H

#include "shared/msg.h"

#include <stdint.h>

/* since_ms etc. are ago_ms before now. New references; checked against the schema when sent. */
json_t *ctl_message_camera(const char *name, const char *state, int64_t since_ms);
json_t *ctl_message_supervisor(int64_t since_ms);
json_t *ctl_message_process(const char *state, int64_t since_ms);
json_t *ctl_message_done(int code, const char *text);
/* Fails the test when msg is not what the supervisor may send. */
void ctl_message_check(const json_t *msg);

#endif
