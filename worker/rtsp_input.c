/*
 * The RTSP client as an input of the worker.
 */
#include "config.h"

#include "worker/rtsp_input.h"

#include "worker/rtsp_client_int.h"

/* The configuration decides: some cameras send a picture a minute. */
#define SILENCE_MAX_MS 600000

static int
rtsp_input_start(void *arg, struct wrk *wrk, const struct wrk_input_config *config, void **input)
{
	struct rtsp_client *client;
	int rc = rtsp_client_new(wrk, config, &client);

	(void)arg;
	if (rc == 0)
		*input = client;
	return rc;
}

static void
rtsp_input_stop(void *input)
{
	rtsp_client_stop(input);
}

static void
rtsp_input_free(void *input)
{
	struct rtsp_client *client = input;

	rtsp_client_free(&client);
}

static void
rtsp_input_report(void *input, struct wrk_input_report *report)
{
	rtsp_client_report(input, report);
}

const struct wrk_input_ops rtsp_input_ops = {
	.stalled_after_max_ms = SILENCE_MAX_MS,
	.start = rtsp_input_start,
	.stop = rtsp_input_stop,
	.free = rtsp_input_free,
	.report = rtsp_input_report,
};
