/*
 * The head of one message: start line and headers.
 */
#ifndef CAMHUB_WORKER_RTSP_HEAD_H
#define CAMHUB_WORKER_RTSP_HEAD_H

#include "worker/rtsp_msg.h"

#define RTSP_LINE_MAX 4096 /* a start line, with its end */

struct rtsp_head {
	struct rtsp_item item; /* all but the body */
	struct rtsp_header headers[RTSP_HEADERS_MAX];
	size_t content_len; /* 0: none is said */
};

/* Whether a start line may begin so. False for a part of a line is false for the whole of it. */
bool rtsp_head_may_begin(const char *text, size_t len);

/* A start line without its end. Returns 0 and what is of it in *item, -EPROTO. */
int rtsp_head_parse_line(struct rtsp_text line, struct rtsp_item *item);

/*
 * A whole head up to its empty line. Folded lines are joined in place; *head points into text.
 * Lines without a colon are passed over. Returns 0, -EPROTO: no start line, or a Content-Length
 * that is no number, above RTSP_BODY_MAX, or told twice and differently.
 */
int rtsp_head_parse(char *text, size_t len, struct rtsp_head *head);

#endif
