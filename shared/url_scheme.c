/*
 * The table of source schemes. What is not in it is not opened; nothing in it runs a program.
 */
#include "config.h"

#include "shared/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_number(const char *value, long min, long max)
{
	size_t len = strlen(value);

	if (len == 0 || len > 6 || strspn(value, "0123456789") != len)
		return false;
	return atol(value) >= min && atol(value) <= max;
}

static bool
is_size(const char *value)
{
	unsigned width, height;
	char rest;

	if (strspn(value, "0123456789x") != strlen(value) || strlen(value) > 9)
		return false;
	if (sscanf(value, "%5ux%5u%c", &width, &height, &rest) != 2)
		return false;
	return width >= 64 && width <= 3840 && height >= 64 && height <= 2160 && width % 2 == 0 &&
	       height % 2 == 0;
}

static bool
is_fps(const char *value)
{
	return is_number(value, 1, 60);
}

static bool
is_gop(const char *value)
{
	return is_number(value, 1, 1000);
}

static bool
is_codec(const char *value)
{
	return strcmp(value, "h264") == 0 || strcmp(value, "mjpeg") == 0;
}

static bool
is_flag(const char *value)
{
	return strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
}

#define SIZE_PARAM                                                                                 \
	{                                                                                          \
		"size", "WIDTHxHEIGHT, even, from 64x64 to 3840x2160", is_size                     \
	}
#define FPS_PARAM                                                                                  \
	{                                                                                          \
		"fps", "a whole number from 1 to 60", is_fps                                       \
	}

static const struct url_param test_params[] = {
	SIZE_PARAM,
	FPS_PARAM,
	{ "gop", "a whole number from 1 to 1000", is_gop },
	{ "codec", "h264 or mjpeg", is_codec },
	{ NULL, NULL, NULL },
};
static const struct url_param v4l2_params[] = {
	SIZE_PARAM,
	FPS_PARAM,
	{ "codec", "h264 or mjpeg", is_codec },
	{ NULL, NULL, NULL },
};
static const struct url_param file_params[] = {
	{ "loop", "0 or 1", is_flag },
	{ NULL, NULL, NULL },
};

#define HTTP_PROTOCOLS "http,https,tls,tcp"
#define HLS_PROTOCOLS  "http,https,tls,tcp,crypto"
#define OURS           "camhub-worker"
#define AV             "camhub-worker-av"

/* clang-format off */
static const struct url_scheme schemes[] = {
	{ "rtsp", URL_NETWORK, 554, "rtsp", "rtsp", "rtp,tcp,udp", OURS, NULL, NULL },
	{ "rtsps", URL_NETWORK, 322, "rtsps", "rtsp", "tls,tcp", OURS, NULL, NULL },
	{ "http", URL_NETWORK, 80, "http", NULL, HTTP_PROTOCOLS, AV, NULL, NULL },
	{ "https", URL_NETWORK, 443, "https", NULL, "https,tls,tcp", AV, NULL, NULL },
	{ "rtmp", URL_NETWORK, 1935, "rtmp", "flv", "rtmp,tcp", AV, NULL, NULL },
	{ "hls", URL_NETWORK, 80, "http", "hls", HLS_PROTOCOLS, AV, NULL, NULL },
	{ "hls+http", URL_NETWORK, 80, "http", "hls", HLS_PROTOCOLS, AV, NULL, NULL },
	{ "hls+https", URL_NETWORK, 443, "https", "hls", "https,tls,tcp,crypto", AV, NULL, NULL },
	{ "v4l2", URL_PATH, 0, NULL, "v4l2", "", AV, "/dev/", v4l2_params },
	{ "file", URL_PATH, 0, "file", NULL, "file", AV, "/", file_params },
	{ "test", URL_PATTERN, 0, NULL, NULL, "", AV, "clock", test_params },
};
/* clang-format on */

const struct url_program *
url_program_find(const char *name)
{
	/* libavformat opens its own sockets. */
	static const struct url_program programs[] = { { OURS, true }, { AV, false } };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

const struct url_scheme *
url_scheme_at(size_t index)
{
	return index < sizeof(schemes) / sizeof(schemes[0]) ? &schemes[index] : NULL;
}

const struct url_scheme *
url_scheme_find(const char *name)
{
	const struct url_scheme *scheme;

	for (size_t i = 0; (scheme = url_scheme_at(i)) != NULL; i++)
		if (strcmp(scheme->name, name) == 0)
			return scheme;
	return NULL;
}

const char *
url_schemes_text(void)
{
	static char text[URL_ERROR_MAX];
	const struct url_scheme *scheme;
	size_t len = 0;

	if (text[0] != '\0')
		return text;
	for (size_t i = 0; (scheme = url_scheme_at(i)) != NULL && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s", i > 0 ? " " : "",
					scheme->name, scheme->shape == URL_NETWORK ? "://" : ":");
	return text;
}
