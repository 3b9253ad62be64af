/*
 * Mounts of the test camera that are fed with units known before: what comes out at the other end
 * can be compared with the file.
 */
#ifndef CAMHUB_TESTS_E2E_CAMERA_FEED_H
#define CAMHUB_TESTS_E2E_CAMERA_FEED_H

#include <gst/rtsp-server/rtsp-server.h>

struct camera_feed; /* one mount */

/*
 * "MOUNT:CODEC:FILE[:CODEC:FILE]". CODEC: h264, h265 (Annex B), jpeg, aac (48 kHz mono), pcma,
 * pcmu, opus. FILE: units one after the other, each with its length before it in 4 bytes,
 * big-endian; it is repeated without end. Ends the program with a message when something is wrong
 * with it.
 */
struct camera_feed *camera_feed_new(const gchar *spec);
gchar *camera_feed_path(const struct camera_feed *feed);   /* "/MOUNT"; the caller frees */
gchar *camera_feed_launch(const struct camera_feed *feed); /* the caller frees */
/* Every viewer is fed from the first unit on. */
void camera_feed_start(const struct camera_feed *feed, GstRTSPMedia *media);

#endif
