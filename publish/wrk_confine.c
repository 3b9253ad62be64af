/*
 * From a worker's configuration to the facts that its sandbox is built from.
 */
#include "config.h"

#include "publish/wrk_confine.h"

#include "publish/wrk_config.h"
#include "shared/child_ev.h"
#include "shared/url.h"
#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PORT_HTTP  80
#define PORT_HTTPS 443

static bool
is_scheme(const struct url *url, const char *const *names)
{
	while (*names != NULL)
		if (strcmp(url->scheme->name, *names++) == 0)
			return true;
	return false;
}

/* OpenSSL reads its configuration for whatever it does, MD5 for a password included. */
static void
add_worker(const struct wrk_config *config, const struct url *url, struct sandbox_facts *facts)
{
	static const char *const with_tls[] = { "rtsps", NULL };

	facts->has_certificates = is_scheme(url, with_tls) || config->user != NULL;
}

/* One that redirects is followed to the usual ports only. */
static void
add_network(const struct url *url, struct sandbox_facts *facts)
{
	static const char *const web[] = { "http", "https", "hls", "hls+http", "hls+https", NULL };

	facts->has_names = !url->host_is_numeric;
	facts->has_certificates = true;
	facts->ports[0] = (uint16_t)url->port;
	if (!is_scheme(url, web))
		return;
	facts->ports[1] = PORT_HTTP;
	facts->ports[2] = PORT_HTTPS;
}

static void
add_worker_av(const struct url *url, struct sandbox_facts *facts)
{
	static const char *const devices[] = { "v4l2", NULL };

	if (url->scheme->shape == URL_NETWORK)
		add_network(url, facts);
	else if (url->scheme->shape == URL_PATH)
		facts->paths[0] = url->path;
	if (!is_scheme(url, devices))
		return;
	/* libavdevice is loaded then, with all that it stands on. */
	facts->has_device = true;
	facts->has_names = true;
}

static const char *
enter(enum sandbox_program program, enum sandbox_stage stage, const struct wrk_config *config)
{
	static struct sandbox_report report;
	struct sandbox_facts facts = { .object = config->stream, .report_fd = CHILD_FD };
	char *bus = xstrdup(config->bus), *name = strrchr(bus, '/'), err[URL_ERROR_MAX];
	struct url url = { .scheme = NULL };
	bool has_url = program != SANDBOX_TRANSCODE && url_parse(config->url, &url, err) == 0;

	if (name != NULL)
		*name = '\0';
	facts.socket_dir = name != NULL ? bus : NULL;
	if (has_url && program == SANDBOX_WORKER)
		add_worker(config, &url, &facts);
	else if (has_url)
		add_worker_av(&url, &facts);
	(void)sandbox_enter(program, stage, &facts, &report);
	if (has_url)
		url_clear(&url);
	free(bus);
	return report.text;
}

static const char *
confine_worker(enum sandbox_stage stage, const struct wrk_config *config)
{
	return enter(SANDBOX_WORKER, stage, config);
}

static const char *
confine_worker_av(enum sandbox_stage stage, const struct wrk_config *config)
{
	return enter(SANDBOX_WORKER_AV, stage, config);
}

static const char *
confine_transcode(enum sandbox_stage stage, const struct wrk_config *config)
{
	return enter(SANDBOX_TRANSCODE, stage, config);
}

static const struct {
	const char *program;
	wrk_confine_fn *confine;
} programs[] = {
	{ "camhub-worker", confine_worker },
	{ "camhub-worker-av", confine_worker_av },
	{ "camhub-transcode", confine_transcode },
};

wrk_confine_fn *
wrk_confine_of(const char *program)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].program, program) == 0)
			return programs[i].confine;
	return NULL;
}
