/*
 * FFmpeg in this process.
 */
#ifndef CAMHUB_TRANSCODE_TC_AV_H
#define CAMHUB_TRANSCODE_TC_AV_H

/* Once, first: its log goes to ours, its allocations are bounded. */
void tc_av_init(void);

#endif
