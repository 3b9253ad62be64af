/*
 * One request to the supervisor and the whole answer to it.
 */
#ifndef CAMHUB_CTL_REQUEST_H
#define CAMHUB_CTL_REQUEST_H

#include "ctl/ctl.h"
#include "shared/msg.h"

#define REQUEST_SILENCE_MS 2000 /* without a message for so long: no answer */

struct ctl_reply {
	json_t *supervisor; /* object or NULL */
	json_t *cameras;    /* array of "camera" messages, without their type */
	json_t *processes;
	json_t *viewers;
	json_t *analysers;
	int code; /* of "done" */
	char *text;
};

/*
 * Send msg (taken) to RUNTIME_DIR/ctl.sock and collect the answer. CTL_OK and *reply (contents
 * owned: ctl_reply_clear()), whatever its code; CTL_NOT_RUNNING, CTL_NO_ANSWER or CTL_DOWN
 * (refused, not understood) and the reason in words in err (CTL_ERROR_MAX bytes).
 */
#define CTL_ERROR_MAX 512
int ctl_request(const char *runtime_dir, json_t *msg, struct ctl_reply *reply, char *err);
/* The same for what takes its time: an answer is due after silence_ms, at most 20 s. */
int ctl_request_within(const char *runtime_dir, json_t *msg, int silence_ms,
		       struct ctl_reply *reply, char *err);
void ctl_reply_clear(struct ctl_reply *reply);

#endif
