/*
 * The table: one line for each stream, then the processes and the supervisor.
 */
#include "config.h"

#include "ctl/status.h"

#include <string.h>

static const struct text_column columns[] = {
	{ "CAMERA", false, 99 }, { "STATE", false, 98 },   { "SINCE", false, 60 },
	{ "CODEC", false, 30 },  { "SIZE", false, 50 },    { "FPS", true, 55 },
	{ "BITRATE", true, 45 }, { "GOP", true, 20 },      { "VIEWERS", true, 40 },
	{ "DELAY", true, 52 },   { "RESTARTS", true, 10 }, { "LAST ERROR", false, 99 },
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
_Static_assert(N_COLUMNS <= TABLE_COLUMNS, "TABLE_COLUMNS is too small");

static const struct {
	const char *state;
	enum text_colour colour;
} colours[] = {
	{ "up", TEXT_GOOD },     { "off", TEXT_DIM },  { "connecting", TEXT_WARN },
	{ "stalled", TEXT_BAD }, { "down", TEXT_BAD }, { "refused", TEXT_BAD },
};

static enum text_colour
colour_of(const char *state)
{
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return TEXT_WARN;
}

bool
status_camera_is_well(const json_t *camera)
{
	const char *state = msg_str(camera, "state");

	return strcmp(state, "up") == 0 ||
	       (strcmp(state, "off") == 0 && msg_bool(camera, "on_demand", false));
}

/* It serves, or another one does in its place. */
static bool
is_process_well(const json_t *process)
{
	static const char *const well[] = { "up", "draining", "replacing" };

	for (size_t i = 0; i < sizeof(well) / sizeof(well[0]); i++)
		if (strcmp(msg_str(process, "state"), well[i]) == 0)
			return true;
	return false;
}

int
status_exit(const struct ctl_reply *reply)
{
	const json_t *item;
	size_t i;

	if (reply->supervisor != NULL &&
	    (msg_bool(reply->supervisor, "degraded", false) ||
	     msg_str(reply->supervisor, "config_error")[0] != '\0' ||
	     json_array_size(json_object_get(reply->supervisor, "trouble")) > 0))
		return CTL_DOWN;
	json_array_foreach (reply->cameras, i, item)
		if (!status_camera_is_well(item))
			return CTL_DOWN;
	json_array_foreach (reply->processes, i, item)
		if (!is_process_well(item))
			return CTL_DOWN;
	return CTL_OK;
}

const char *
status_error_text(const json_t *camera, int64_t now_ms, char *buf, size_t size)
{
	const char *reason = msg_str(camera, "reason"), *last = msg_str(camera, "last_error");
	bool well = status_camera_is_well(camera);
	long long retry_ms = msg_int(camera, "retry_in_ms", -1);
	char shown[1024], duration[32];

	buf[0] = '\0';
	if (!well && (reason[0] != '\0' || last[0] != '\0'))
		snprintf(buf, size, "%s",
			 text_escape(reason[0] != '\0' ? reason : last, shown, sizeof(shown)));
	else if (last[0] != '\0')
		snprintf(buf, size, "%s ago: %s",
			 text_duration(now_ms - msg_int(camera, "last_error_ms", now_ms), duration,
				       sizeof(duration)),
			 text_escape(last, shown, sizeof(shown)));
	if (!well && retry_ms >= 0) {
		size_t used = strlen(buf);

		/* A wait that is not over does not show as none. */
		snprintf(buf + used, size - used, "%snext try in %s", used > 0 ? "; " : "",
			 text_duration(retry_ms + 999, duration, sizeof(duration)));
	}
	return buf;
}

static void
set_cell(struct text_cell *cell, const char *text)
{
	/* Escaped already: this only cuts, between two characters. */
	text_escape(text, cell->text, sizeof(cell->text));
}

static void
set_number(struct text_cell *cell, long long value)
{
	snprintf(cell->text, sizeof(cell->text), "%lld", value);
}

static void
add_picture(struct text_cell *row, const json_t *camera)
{
	char text[64];

	for (size_t c = 3; c <= 7; c++)
		set_cell(&row[c], "-");
	if (msg_str(camera, "codec")[0] != '\0' && strcmp(msg_str(camera, "codec"), "none") != 0)
		set_cell(&row[3], text_escape(msg_str(camera, "codec"), text, sizeof(text)));
	if (msg_int(camera, "width", 0) > 0)
		snprintf(row[4].text, sizeof(row[4].text), "%lldx%lld", msg_int(camera, "width", 0),
			 msg_int(camera, "height", 0));
	if (msg_real(camera, "fps", 0) > 0)
		snprintf(row[5].text, sizeof(row[5].text), "%.1f", msg_real(camera, "fps", 0));
	if (msg_int(camera, "bitrate_bps", 0) > 0)
		set_cell(&row[6],
			 text_bitrate(msg_int(camera, "bitrate_bps", 0), text, sizeof(text)));
	if (msg_int(camera, "gop_frames", 0) > 0)
		set_number(&row[7], msg_int(camera, "gop_frames", 0));
}

/* Half of the frames, and 95 % of them, were at most so old on the screens. */
static void
add_delay(struct text_cell *cell, const json_t *camera)
{
	if (json_object_get(camera, "delay_p95_ms") == NULL)
		set_cell(cell, "-");
	else
		snprintf(cell->text, sizeof(cell->text), "%lld/%lld ms",
			 msg_int(camera, "delay_p50_ms", 0), msg_int(camera, "delay_p95_ms", 0));
}

static void
add_camera(struct text_table *table, const json_t *camera, int64_t now_ms)
{
	struct text_cell *row = text_table_add(table);
	const char *state = msg_str(camera, "state");
	char text[600];

	set_cell(&row[0], text_escape(msg_str(camera, "name"), text, sizeof(text)));
	set_cell(&row[1], text_escape(state, text, sizeof(text)));
	row[1].colour = colour_of(state);
	set_cell(&row[2],
		 text_duration(now_ms - msg_int(camera, "since_ms", now_ms), text, sizeof(text)));
	add_picture(row, camera);
	set_number(&row[8], msg_int(camera, "viewers", 0));
	add_delay(&row[9], camera);
	set_number(&row[10], msg_int(camera, "restarts", 0));
	status_error_text(camera, now_ms, text, sizeof(text));
	set_cell(&row[11], text);
	row[11].colour = status_camera_is_well(camera) ? TEXT_DIM : TEXT_PLAIN;
}

static void
print_process(const json_t *process, int64_t now_ms, const struct text_style *style, FILE *file)
{
	const char *state = msg_str(process, "state"), *last = msg_str(process, "last_exit");
	enum text_colour colour = strcmp(state, "up") == 0   ? TEXT_GOOD
				  : is_process_well(process) ? TEXT_DIM
							     : TEXT_BAD;
	char shown[640], duration[32], rss[32];

	fprintf(file, "front %s: ", text_escape(msg_str(process, "name"), shown, sizeof(shown)));
	fprintf(file, "%s%s%s since ", text_colour_on(style, colour),
		text_escape(state, shown, sizeof(shown)), text_colour_off(style, colour));
	fprintf(file, "%s, pid %lld, %s, %lld restarts",
		text_duration(now_ms - msg_int(process, "since_ms", now_ms), duration,
			      sizeof(duration)),
		msg_int(process, "pid", 0),
		text_memory(msg_int(process, "rss_kib", 0), rss, sizeof(rss)),
		msg_int(process, "restarts", 0));
	if (json_object_get(process, "viewers") != NULL)
		fprintf(file, ", %lld viewers", msg_int(process, "viewers", 0));
	if (last[0] != '\0')
		fprintf(file, " (the last: %s)", text_escape(last, shown, sizeof(shown)));
	if (msg_str(process, "tls")[0] != '\0')
		fprintf(file, ", %s", text_escape(msg_str(process, "tls"), shown, sizeof(shown)));
	fputc('\n', file);
}

static void
print_listen(const json_t *supervisor, FILE *file)
{
	const json_t *item;
	char shown[256];
	size_t i;

	json_array_foreach (json_object_get(supervisor, "listen"), i, item)
		fprintf(file, "%s http%s://%s/", i == 0 ? "," : "",
			msg_bool(supervisor, "tls", false) ? "s" : "",
			text_escape(json_string_value(item), shown, sizeof(shown)));
}

static void
print_config_error(const json_t *supervisor, const struct text_style *style, FILE *file)
{
	const char *error = msg_str(supervisor, "config_error");
	bool degraded = msg_bool(supervisor, "degraded", false);
	char line[1024], shown[4096];

	if (degraded)
		fprintf(file, "%snot serving: the configuration is wrong%s\n",
			text_colour_on(style, TEXT_BAD), text_colour_off(style, TEXT_BAD));
	else if (error[0] != '\0')
		fprintf(file, "%sthe last reload was refused, the configuration before it runs%s\n",
			text_colour_on(style, TEXT_BAD), text_colour_off(style, TEXT_BAD));
	while (error[0] != '\0') {
		size_t len = strcspn(error, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, error);
		fprintf(file, "  %s\n", text_escape(line, shown, sizeof(shown)));
		error += len + (error[len] == '\n');
	}
}

static void
print_trouble(const json_t *supervisor, const struct text_style *style, FILE *file)
{
	const json_t *item;
	char shown[4096];
	size_t i;

	json_array_foreach (json_object_get(supervisor, "trouble"), i, item)
		fprintf(file, "%sdegraded: %s%s\n", text_colour_on(style, TEXT_BAD),
			text_escape(json_string_value(item), shown, sizeof(shown)),
			text_colour_off(style, TEXT_BAD));
}

static void
print_supervisor(const json_t *supervisor, int64_t now_ms, const struct text_style *style,
		 FILE *file)
{
	char shown[4096], duration[32];

	if (supervisor == NULL)
		return;
	fprintf(file, "supervisor %s: ",
		text_escape(msg_str(supervisor, "version"), shown, sizeof(shown)));
	fprintf(file, "since %s, pid %lld, %s",
		text_duration(now_ms - msg_int(supervisor, "since_ms", now_ms), duration,
			      sizeof(duration)),
		msg_int(supervisor, "pid", 0),
		text_escape(msg_str(supervisor, "config"), shown, sizeof(shown)));
	print_listen(supervisor, file);
	fputc('\n', file);
	if (msg_int(supervisor, "log_lost", 0) > 0)
		fprintf(file,
			"%slines of the log that were lost: %lld (is the disk full, does nobody "
			"read it?)%s\n",
			text_colour_on(style, TEXT_BAD), msg_int(supervisor, "log_lost", 0),
			text_colour_off(style, TEXT_BAD));
	if (msg_int(supervisor, "violations", 0) > 0)
		fprintf(file, "%s%lld processes killed for a forbidden system call%s\n",
			text_colour_on(style, TEXT_BAD), msg_int(supervisor, "violations", 0),
			text_colour_off(style, TEXT_BAD));
	print_trouble(supervisor, style, file);
	print_config_error(supervisor, style, file);
}

void
status_print_table(const struct ctl_reply *reply, int64_t now_ms, const struct text_style *style,
		   FILE *file)
{
	struct text_table table = { .columns = columns, .n_columns = N_COLUMNS };
	const json_t *item;
	size_t i;

	json_array_foreach (reply->cameras, i, item)
		add_camera(&table, item, now_ms);
	if (table.n_rows > 0)
		text_table_print(&table, style, file);
	else
		fputs("no cameras\n", file);
	fputc('\n', file);
	json_array_foreach (reply->processes, i, item)
		print_process(item, now_ms, style, file);
	print_supervisor(reply->supervisor, now_ms, style, file);
	text_table_clear(&table);
}

void
status_print_json(const struct ctl_reply *reply, FILE *file)
{
	json_t *all = json_object();

	json_object_set(all, "supervisor",
			reply->supervisor != NULL ? reply->supervisor : json_null());
	json_object_set(all, "cameras", reply->cameras);
	json_object_set(all, "processes", reply->processes);
	json_dumpf(all, file, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
	fputc('\n', file);
	json_decref(all);
}
