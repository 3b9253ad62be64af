/*
 * Lists of the supervisor's.
 */
#include "config.h"

#include "ctl/list.h"

#include <getopt.h>
#include <stdio.h>

int
ctl_list(const struct ctl_options *options, int argc, char **argv, const struct ctl_list *list)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
					       { NULL, 0, NULL, 0 } };
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX];
	const json_t *rows;
	bool json = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'j')
			return ctl_usage(argv[0]);
		json = true;
	}
	if (!ctl_has_words(argc, 0, 0, argv[0]))
		return CTL_USAGE;
	rc = ctl_request(options->runtime_dir, msg_new(list->ask), &reply, err);
	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	rows = *(json_t *const *)((const char *)&reply + list->rows);
	if (json) {
		json_dumpf(rows, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_array_size(rows) == 0) {
		puts(list->none);
	} else {
		list->print(rows);
	}
	ctl_reply_clear(&reply);
	return CTL_OK;
}
