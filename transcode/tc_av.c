/*
 * Its log and its memory.
 */
#include "config.h"

#include "transcode/tc_av.h"

#include "shared/log.h"

#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <string.h>

#define ALLOC_MAX_BYTES (192u << 20)

static void
on_log(void *avcl, int level, const char *fmt, va_list ap)
{
	int print_prefix = 1;
	char line[512];

	if (level > AV_LOG_WARNING)
		return;
	av_log_format_line(avcl, level, fmt, ap, line, sizeof(line), &print_prefix);
	line[strcspn(line, "\n")] = '\0';
	log_debug("ffmpeg: %s", line);
}

void
tc_av_init(void)
{
	av_log_set_callback(on_log);
	av_max_alloc(ALLOC_MAX_BYTES);
}
