/*
 * camctl check: the supervisor's own loader, nothing started.
 */
#include "config.h"

#include "ctl/commands.h"
#include "shared/conf.h"

#include <getopt.h>
#include <stdio.h>

static void
print_counts(const struct conf *conf, const char *path)
{
	size_t subs = conf->n_streams - conf->n_cameras;

	printf("%s: right, %zu camera%s", path, conf->n_cameras, conf->n_cameras == 1 ? "" : "s");
	if (subs > 0)
		printf(" and %zu sub stream%s", subs, subs == 1 ? "" : "s");
	putchar('\n');
}

int
cmd_check(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "credentials", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct conf_errors errors = { 0 };
	const char *credentials = NULL;
	struct conf *conf = NULL;
	int c, rc;

	(void)options;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'c')
			return ctl_usage(argv[0]);
		credentials = optarg;
	}
	if (!ctl_has_words(argc, 1, 1, argv[0]))
		return CTL_USAGE;
	rc = conf_load(argv[optind], credentials, &conf, &errors);
	if (rc < 0)
		conf_errors_print(&errors, stderr);
	else
		print_counts(conf, argv[optind]);
	conf_errors_free(&errors);
	conf_free(&conf);
	return rc < 0 ? CTL_WRONG_CONFIG : CTL_OK;
}
