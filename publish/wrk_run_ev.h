/*
 * A worker as a process.
 */
#ifndef CAMHUB_PUBLISH_WRK_RUN_EV_H
#define CAMHUB_PUBLISH_WRK_RUN_EV_H

struct wrk_input_ops;

/*
 * The life of a worker program: argv is [program, stream], fd 3 the control channel. Does not come
 * back from the loop (nng: _exit); returns an exit code when it cannot begin.
 */
int wrk_run(const char *program, int argc, char **argv, const struct wrk_input_ops *input,
	    void *input_arg);

#endif
