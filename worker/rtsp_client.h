/*
 * One RTSP session with one camera over one connection, from OPTIONS to TEARDOWN. The table of
 * rtsp_fsm.h decides; this applies.
 */
#ifndef CAMHUB_WORKER_RTSP_CLIENT_H
#define CAMHUB_WORKER_RTSP_CLIENT_H

#include "publish/wrk_input.h"
#include "worker/rtsp_fsm.h"
#include "worker/rtsp_track.h"

#define RTSP_SILENCE_MS        3000 /* without a packet of video: PAUSE and PLAY once more */
#define RTSP_BEFORE_WORKER_MS  250  /* so long before the worker's own end of patience */
#define RTSP_TEARDOWN_MS       300
#define RTSP_REPORT_MS         5000 /* receiver reports */
#define RTSP_SESSION_DEFAULT_S 60   /* RFC 2326 12.37 */

struct rtsp_client;

/* config->fd: connected or connecting, non-blocking; becomes the client's, on failure too. Calls of
 * wrk_input.h follow, from the loop. 0, -EINVAL: the URL is not for it, -ENOTCONN: no socket came.
 */
int rtsp_client_new(struct wrk *wrk, const struct wrk_input_config *config,
		    struct rtsp_client **client);
void rtsp_client_stop(struct rtsp_client *client);
void rtsp_client_free(struct rtsp_client **client); /* only after wrk_input_closed(); NULL-safe */
enum rtsp_state rtsp_client_state(const struct rtsp_client *client);

#endif
