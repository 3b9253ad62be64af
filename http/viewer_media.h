/*
 * What a viewer's queue gets next: the protocol of each kind of viewer, on top of its cursor.
 */
#ifndef CAMHUB_HTTP_VIEWER_MEDIA_H
#define CAMHUB_HTTP_VIEWER_MEDIA_H

#include "http/viewer.h"

/* Fill the empty queue with the next that is due; nothing when there is nothing. */
void viewer_fill(struct viewer *viewer);

/* A text message of the client's WebSocket. */
void viewer_on_text(struct viewer *viewer, const char *text, size_t len);
/* Its stream went away for good: say so, and end. */
void viewer_on_stream_gone(struct viewer *viewer);

/* Queue {"type": type, "value": value} (a new reference; NULL: no value). */
void viewer_say(struct viewer *viewer, const char *type, json_t *value);
void viewer_say_error(struct viewer *viewer, const char *about, const char *what);

/* A message about WebRTC (viewer_rtc.c): its type, which begins so, and value. The viewer has a
 * stream. */
void viewer_on_webrtc(struct viewer *viewer, const char *type, const json_t *value);

/* An HTTP viewer's answer begins. */
void viewer_send_head(struct viewer *viewer, const char *content_type);
/* An HTTP viewer whose answer has not begun: answer with an error instead, then close. */
void viewer_refuse(struct viewer *viewer, int code, const char *reason, const char *error);

/* Queue the media that is next, in this viewer's framing. */
void viewer_fill_fragments(struct viewer *viewer);
void viewer_fill_pictures(struct viewer *viewer);

#endif
