/*
 * camhub-transcode as a process: one job, one answer.
 */
#ifndef CAMHUB_TRANSCODE_TC_RUN_EV_H
#define CAMHUB_TRANSCODE_TC_RUN_EV_H

/* argv is [program, stream], fd 3 the control channel. Returns the exit code. */
int tc_run(int argc, char **argv);

#endif
