/*
 * camhub-transcode: the newest picture of a stream as a JPEG, or a live stream as H.264.
 */
#include "config.h"

#include "transcode/tc_run_ev.h"

int
main(int argc, char **argv)
{
	return tc_run(argc, argv);
}
