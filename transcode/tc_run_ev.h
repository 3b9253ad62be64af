/*
 * camhub-transcode as a process: a snapshot (one job, one answer), or a live stream for as long as
 * it is wanted.
 */
#ifndef CAMHUB_TRANSCODE_TC_RUN_EV_H
#define CAMHUB_TRANSCODE_TC_RUN_EV_H

/* argv is [program, stream] for a snapshot, [program, stream, "h264"] for H.264 of it; fd 3 the
 * control channel. Returns the exit code. */
int tc_run(int argc, char **argv);

#endif
