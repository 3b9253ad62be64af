/*
 * camctl viewers, kick: who watches, and no longer.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/list.h"
#include "ctl/request.h"
#include "ctl/status.h"
#include "ctl/text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define WHAT_MAX 64

static const struct text_column columns[] = {
	{ "ID", false, 99 },        { "CAMERA", false, 98 }, { "USER", false, 97 },
	{ "ADDRESS", false, 96 },   { "SINCE", false, 60 },  { "BY", false, 50 },
	{ "TRANSPORT", false, 40 },
};

static void
set_cell(struct text_cell *cell, const json_t *viewer, const char *name)
{
	const char *text = msg_str(viewer, name);

	text_escape(text[0] != '\0' ? text : "-", cell->text, sizeof(cell->text));
}

static void
print_table(const json_t *viewers)
{
	struct text_style style = text_style_of(stdout);
	struct text_table table = { .columns = columns,
				    .n_columns = sizeof(columns) / sizeof(columns[0]) };
	const json_t *viewer;
	size_t i;

	json_array_foreach (viewers, i, viewer) {
		struct text_cell *row = text_table_add(&table);

		set_cell(&row[0], viewer, "id");
		set_cell(&row[1], viewer, "camera");
		set_cell(&row[2], viewer, "user");
		set_cell(&row[3], viewer, "address");
		text_duration(status_now_ms() - msg_int(viewer, "since_ms", 0), row[4].text,
			      sizeof(row[4].text));
		set_cell(&row[5], viewer, "way");
		set_cell(&row[6], viewer, "transport");
	}
	text_table_print(&table, &style, stdout);
	text_table_clear(&table);
}

int
cmd_viewers(const struct ctl_options *options, int argc, char **argv)
{
	static const struct ctl_list list = { .ask = MSG_CTL_VIEWERS,
					      .rows = offsetof(struct ctl_reply, viewers),
					      .none = "nobody watches",
					      .print = print_table };

	return ctl_list(options, argc, argv, &list);
}

int
cmd_kick(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX], shown[256];
	json_t *msg;
	int rc;

	if (getopt_long(argc, argv, "", none, NULL) != -1)
		return ctl_usage(argv[0]);
	if (!ctl_has_words(argc, 1, 1, argv[0]))
		return CTL_USAGE;
	if (argv[optind][0] == '\0' || strlen(argv[optind]) > WHAT_MAX) {
		ctl_complain("that is no id, user or address: camctl viewers shows them");
		return CTL_USAGE;
	}
	msg = msg_new(MSG_CTL_KICK);
	msg_set_str(msg, "what", argv[optind]);
	rc = ctl_request(options->runtime_dir, msg, &reply, err);
	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	rc = reply.code == 0 ? CTL_OK : CTL_DOWN;
	fprintf(rc == CTL_OK ? stdout : stderr, "%s\n",
		text_escape(reply.text, shown, sizeof(shown)));
	ctl_reply_clear(&reply);
	return rc;
}
