/*
 * What a worker says about itself: the worker-status message and the pulse on the bus.
 */
#ifndef CAMHUB_PUBLISH_WRK_STATUS_H
#define CAMHUB_PUBLISH_WRK_STATUS_H

#include "publish/wrk_fsm.h"
#include "publish/wrk_input.h"

#include <jansson.h>
#include <stdint.h>

struct wrk_pub;

/* A whole worker-status message (shared/msg.c). subscribers: on the bus now. */
json_t *wrk_status_message(struct wrk_pub *pub, int64_t now_ns, int subscribers);

/* Adds what the input says about its source; nothing where it does not apply. */
void wrk_status_add_report(json_t *msg, const struct wrk_input_report *report);

/* Adds what people should change about the source, by what was seen of it. */
void wrk_status_add_advice(json_t *msg, struct wrk_pub *pub, const struct wrk_input_report *report,
			   int64_t now_ns);

/* An input message; reason NULL: none. detail: the location of a redirect, the challenge of a
 * source that hung up behind it; of no other class. */
json_t *wrk_status_input(enum wrk_state state, enum wrk_class class, const char *reason,
			 const char *detail);

/* The payload of the pulse, malloc'd (docs/protocol.md, "Status"). */
char *wrk_status_pulse(struct wrk_pub *pub, const char *stream, enum wrk_state state,
		       const struct wrk_input_report *report, int64_t now_ns);

#endif
