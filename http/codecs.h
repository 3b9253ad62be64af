/*
 * What a client says it can decode: codec strings as in MSE ("avc1.640029,hvc1.1.6.L93.B0").
 */
#ifndef CAMHUB_HTTP_CODECS_H
#define CAMHUB_HTTP_CODECS_H

#include "media/nal.h"

#include <string.h>

#define CODECS_H264      (1u << 0)
#define CODECS_H265      (1u << 1)
#define CODECS_VIDEO     (CODECS_H264 | CODECS_H265)
#define CODECS_AAC_LC    (1u << 2)
#define CODECS_AAC_HE    (1u << 3)
#define CODECS_AAC_PS    (1u << 4)
#define CODECS_OPUS      (1u << 5)
#define CODECS_FLAC      (1u << 6)
#define CODECS_SOUND_ANY (1u << 7) /* whatever there is */

/* Of a sound's codec string: those of which one must be among the client's. */
static inline unsigned
codecs_of_sound(const char *name)
{
	static const struct {
		const char *name;
		unsigned codec;
	} sounds[] = {
		{ "mp4a.40.2", CODECS_AAC_LC },  { "mp4a.40.5", CODECS_AAC_HE },
		{ "mp4a.40.29", CODECS_AAC_PS }, { "opus", CODECS_OPUS },
		{ "flac", CODECS_FLAC },
	};

	for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++)
		if (strcmp(name, sounds[i].name) == 0)
			return sounds[i].codec | CODECS_SOUND_ANY;
	return CODECS_SOUND_ANY;
}

/* Sounds have exact names: mp4a.40.29 is not mp4a.40.2. */
static inline unsigned
sounds_of_list(const char *list)
{
	unsigned codecs = 0;
	char name[16];

	while (*list != '\0') {
		size_t len = strcspn(list, ", ");

		if (len < sizeof(name)) {
			memcpy(name, list, len);
			name[len] = '\0';
			codecs |= codecs_of_sound(name);
		}
		list += len + strspn(list + len, ", ");
		if (len == 0 && *list == '\0')
			break;
	}
	return codecs & ~CODECS_SOUND_ANY;
}

/* Which codecs are named in a list, in whatever form it is written. */
static inline unsigned
codecs_of_list(const char *list)
{
	unsigned codecs = sounds_of_list(list);

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
