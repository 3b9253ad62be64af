/*
 * What a client says it can decode: codec strings as in MSE ("avc1.640029,hvc1.1.6.L93.B0").
 */
#ifndef CAMHUB_HTTP_CODECS_H
#define CAMHUB_HTTP_CODECS_H

#include "media/nal.h"

#include <string.h>

#define CODECS_H264 (1u << 0)
#define CODECS_H265 (1u << 1)

/* Which codecs are named in a list, in whatever form it is written. */
static inline unsigned
codecs_of_list(const char *list)
{
	unsigned codecs = 0;

	if (strstr(list, "avc1") != NULL)
		codecs |= CODECS_H264;
	/* H.265 has two names. */
	if (strstr(list, "hvc1") != NULL || strstr(list, "hev1") != NULL)
		codecs |= CODECS_H265;
	return codecs;
}

static inline unsigned
codecs_of_nal(enum nal_codec codec)
{
	return codec == NAL_H264 ? CODECS_H264 : CODECS_H265;
}

#endif
