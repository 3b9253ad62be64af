/*
 * Pieces of headers: what the parsers of RTSP's headers share.
 */
#ifndef CAMHUB_WORKER_RTSP_TEXT_H
#define CAMHUB_WORKER_RTSP_TEXT_H

#include "worker/rtsp_msg.h"

/* Without blanks (space, tab, CR, LF) around it. */
struct rtsp_text rtsp_text_trim(struct rtsp_text text);

/*
 * The part before the first separator that is not within quotes, trimmed; *rest is what comes
 * behind it. false: nothing was left. "a;;b" has an empty part.
 */
bool rtsp_text_next(struct rtsp_text *rest, char separator, struct rtsp_text *part);

/* "name=value" taken apart and trimmed, quotes around the value taken off (escapes stay). Without
 * '=' the value is empty. */
void rtsp_text_split(struct rtsp_text text, struct rtsp_text *name, struct rtsp_text *value);

/* Takes the digits (of base 10 or 16) at the beginning of *rest off. 0 and *value, -EPROTO: there
 * are none, or it is above max; *rest is then untouched. */
int rtsp_text_number(struct rtsp_text *rest, unsigned base, uint64_t max, uint64_t *value);

#endif
