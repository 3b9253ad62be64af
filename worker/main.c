/*
 * camhub-worker: one RTSP camera, read by our own client. There is one of these per stream, so
 * what it takes counts: nothing is initialised that is not needed.
 */
#include "config.h"

#include "publish/wrk_run_ev.h"
#include "worker/rtsp_input.h"

#include <malloc.h>

#define TRIM_BYTES (512 << 10) /* free memory at the end of the heap beyond this goes back */

int
main(int argc, char **argv)
{
	/* nng's threads would each get an arena of their own */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	return wrk_run("camhub-worker", argc, argv, &rtsp_input_ops, NULL);
}
