/*
 * All that is known of one camera, a line each.
 */
#include "config.h"

#include "ctl/status.h"

#include <stdarg.h>
#include <string.h>

static void line(FILE *file, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
line(FILE *file, const char *name, const char *fmt, ...)
{
	char text[2048], shown[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(file, "%-14s %s\n", name, text_escape(text, shown, sizeof(shown)));
}

static void
print_state(const json_t *camera, int64_t now_ms, const struct text_style *style, FILE *file)
{
	enum text_colour colour = status_camera_is_well(camera) ? TEXT_GOOD : TEXT_BAD;
	char duration[32], text[1200], state[64];

	fprintf(file, "%-14s %s%s%s since %s\n", "state:", text_colour_on(style, colour),
		text_escape(msg_str(camera, "state"), state, sizeof(state)),
		text_colour_off(style, colour),
		text_duration(now_ms - msg_int(camera, "since_ms", now_ms), duration,
			      sizeof(duration)));
	status_error_text(camera, now_ms, text, sizeof(text));
	if (text[0] != '\0')
		line(file, status_camera_is_well(camera) ? "last error:" : "reason:", "%s", text);
	if (!status_camera_is_well(camera) && msg_str(camera, "class")[0] != '\0')
		line(file, "class:", "%s", msg_str(camera, "class"));
}

static void
print_picture(const json_t *camera, FILE *file)
{
	double fps = msg_real(camera, "fps", 0);
	long long gop = msg_int(camera, "gop_frames", 0);
	char rate[32];

	if (msg_int(camera, "width", 0) == 0)
		return;
	line(file, "video:", "%s %s (%s), %lldx%lld", msg_str(camera, "codec"),
	     msg_str(camera, "profile"), msg_str(camera, "codec_string"),
	     msg_int(camera, "width", 0), msg_int(camera, "height", 0));
	line(file, "rate:", "%.1f frames/s, %s", fps,
	     text_bitrate(msg_int(camera, "bitrate_bps", 0), rate, sizeof(rate)));
	if (gop > 0 && fps > 0)
		line(file, "GOP:", "%lld frames, %.1f s, %s", gop, (double)gop / fps,
		     msg_bool(camera, "gop_cached", false) ? "kept for viewers that join"
							   : "too large to be kept");
	line(file, "B-frames:", "%s", msg_int(camera, "b_frames", 0) != 0 ? "yes" : "no");
	line(file, "audio:", "%s",
	     msg_str(camera, "audio")[0] != '\0' ? msg_str(camera, "audio") : "none");
	if (msg_int(camera, "last_frame_ms", -1) >= 0)
		line(file, "last frame:", "%lld ms ago", msg_int(camera, "last_frame_ms", 0));
}

static const struct {
	const char *word, *text;
} markers[] = {
	{ "never", "marks no end: a picture is known to be whole only when the next begins" },
	{ "each-slice",
	  "marks each slice: a picture is known to be whole only when the next begins" },
};
static const struct {
	const char *word, *text;
} clocks[] = {
	{ "none", "it tells no time" },
	{ "unsynced", "not set: it differs from ours" },
	{ "synced", "set" },
};

/* How the camera sends, as far as its program knows. */
static void
print_transport(const json_t *camera, FILE *file)
{
	const char *transport = msg_str(camera, "transport");
	const char *marker = msg_str(camera, "marker"), *clock = msg_str(camera, "camera_clock");

	if (transport[0] == '\0')
		return;
	line(file, "transport:", "%s, %lld packets, %lld lost, %lld out of order", transport,
	     msg_int(camera, "packets", 0), msg_int(camera, "lost", 0),
	     msg_int(camera, "reordered", 0));
	for (size_t i = 0; i < sizeof(markers) / sizeof(markers[0]); i++)
		if (strcmp(markers[i].word, marker) == 0)
			line(file, "pictures:", "%s", markers[i].text);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (strcmp(clocks[i].word, clock) == 0)
			line(file, "its clock:", "%s", clocks[i].text);
}

/* As the viewers' players tell it; not all of them can. */
static void
print_delay(const json_t *camera, FILE *file)
{
	long long viewers = msg_int(camera, "viewers", 0);
	long long reporting = msg_int(camera, "delay_viewers", 0);

	if (reporting > 0)
		line(file, "delay:", "half of the frames within %lld ms, 95 %% within %lld ms",
		     msg_int(camera, "delay_p50_ms", 0), msg_int(camera, "delay_p95_ms", 0));
	else if (viewers > 0)
		line(file, "delay:", "not reported");
	if (reporting > 0)
		line(file, "worst viewer:", "number %lld (%s), 95 %% within %lld ms",
		     msg_int(camera, "delay_worst_viewer", 0),
		     msg_str(camera, "delay_worst_transport"),
		     msg_int(camera, "delay_worst_ms", 0));
	if (reporting > 0 && reporting < viewers)
		line(file, "not reported:", "the delay of %lld of %lld viewers",
		     viewers - reporting, viewers);
	if (msg_int(camera, "shown", 0) > 0 || msg_int(camera, "dropped", 0) > 0)
		line(file, "on screens:", "%lld frames shown, %lld received and not shown",
		     msg_int(camera, "shown", 0), msg_int(camera, "dropped", 0));
}

static void
print_counters(const json_t *camera, FILE *file)
{
	char ring[32], lag[32], rss[32];

	line(file, "frames:", "%lld, %lld of them damaged", msg_int(camera, "frames", 0),
	     msg_int(camera, "corrupt", 0));
	if (msg_int(camera, "left_out", 0) > 0)
		line(file, "left out:", "%lld frames, because the machine is too slow",
		     msg_int(camera, "left_out", 0));
	if (msg_int(camera, "withheld", 0) > 0 || msg_int(camera, "passed_damaged", 0) > 0)
		line(file, "after losses:", "%lld frames kept from viewers, %lld shown damaged",
		     msg_int(camera, "withheld", 0), msg_int(camera, "passed_damaged", 0));
	line(file, "viewers:", "%lld", msg_int(camera, "viewers", 0));
	print_delay(camera, file);
	line(file, "skipped:", "%lld frames for slow viewers, %lld holes on the bus",
	     msg_int(camera, "skipped", 0), msg_int(camera, "holes", 0));
	line(file, "high water:", "ring %s, slowest viewer %s behind",
	     text_bytes(msg_int(camera, "ring_bytes_high", 0), ring, sizeof(ring)),
	     text_bytes(msg_int(camera, "lag_bytes_high", 0), lag, sizeof(lag)));
	if (msg_int(camera, "pid", 0) <= 0)
		line(file, "process:", "%s, not running, %lld restarts", msg_str(camera, "program"),
		     msg_int(camera, "restarts", 0));
	else
		line(file, "process:", "%s, pid %lld, %s, %lld restarts",
		     msg_str(camera, "program"), msg_int(camera, "pid", 0),
		     text_memory(msg_int(camera, "rss_kib", 0), rss, sizeof(rss)),
		     msg_int(camera, "restarts", 0));
	if (msg_str(camera, "sandbox")[0] != '\0')
		line(file, "sandbox:", "%s", msg_str(camera, "sandbox"));
	if (msg_int(camera, "violations", 0) > 0)
		line(file, "violations:", "%lld processes killed for a forbidden system call",
		     msg_int(camera, "violations", 0));
}

static void
print_page(const json_t *camera, int64_t now_ms, const struct text_style *style, FILE *file)
{
	const json_t *item;
	size_t i;

	line(file, "name:", "%s", msg_str(camera, "name"));
	line(file, "title:", "%s", msg_str(camera, "title"));
	line(file, "url:", "%s", msg_str(camera, "url"));
	if (msg_str(camera, "redirected_to")[0] != '\0')
		line(file, "redirected to:", "%s", msg_str(camera, "redirected_to"));
	print_state(camera, now_ms, style, file);
	line(file, "on demand:", "%s", msg_bool(camera, "on_demand", false) ? "yes" : "no");
	print_picture(camera, file);
	print_transport(camera, file);
	print_counters(camera, file);
	json_array_foreach (json_object_get(camera, "advice"), i, item)
		line(file, "advice:", "%s", json_string_value(item));
}

void
status_print_pages(const struct ctl_reply *reply, int64_t now_ms, const struct text_style *style,
		   FILE *file)
{
	const json_t *item;
	size_t i;

	json_array_foreach (reply->cameras, i, item) {
		if (i > 0)
			fputc('\n', file);
		print_page(item, now_ms, style, file);
	}
}
