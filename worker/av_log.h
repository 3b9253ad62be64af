/*
 * FFmpeg's log and error codes in our words.
 */
#ifndef CAMHUB_WORKER_AV_LOG_H
#define CAMHUB_WORKER_AV_LOG_H

#include "publish/wrk_input.h"

/* From now on what FFmpeg says goes to shared/log at debug level, whole lines, redacted there. */
void av_log_route(void);

/* What an error of a source means. is_open: it had been opened. A text for people, static or in
 * buf. */
enum wrk_class av_error_classify(int averror, bool is_open, const char **text, char *buf,
				 size_t len);

/* on_line is called in this thread after each line of it, with arg; NULL: no more. */
void av_log_watch(void (*on_line)(void *arg), void *arg);

/* Whether FFmpeg complained in this thread, since the last call, that a host name is not known. */
bool av_log_take_resolve_failure(void);

#endif
