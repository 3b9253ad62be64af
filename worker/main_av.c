/*
 * camhub-worker-av: one source that libavformat reads, or a test picture.
 */
#include "config.h"

#include "worker/av_input.h"
#include "worker/wrk_run_ev.h"

int
main(int argc, char **argv)
{
	av_input_init();
	return wrk_run("camhub-worker-av", argc, argv, &av_input_ops, NULL);
}
