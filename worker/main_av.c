/*
 * camhub-worker-av: one source that libavformat reads, or a test picture.
 */
#include "config.h"

#include "publish/wrk_run_ev.h"
#include "worker/av_input.h"

int
main(int argc, char **argv)
{
	av_input_init();
	return wrk_run("camhub-worker-av", argc, argv, &av_input_ops, NULL);
}
