/*
 * Commands that are one request and one answer.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/request.h"
#include "ctl/text.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option no_options[] = { { NULL, 0, NULL, 0 } };

/* Each line of an answer, escaped. */
static void
print_lines(const char *text, FILE *file)
{
	char *copy = xstrdup(text), *next = copy, *line;

	while ((line = strsep(&next, "\n")) != NULL) {
		size_t size = 4 * strlen(line) + 1;
		char *shown = xmalloc(size);

		fprintf(file, "%s\n", text_escape(line, shown, size));
		free(shown);
	}
	free(copy);
}

/* Takes msg. */
static int
ask(const struct ctl_options *options, json_t *msg, const char *well)
{
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX];
	int rc = ctl_request(options->runtime_dir, msg, &reply, err);

	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	rc = reply.code == 0 ? CTL_OK : reply.code == CTL_USAGE ? CTL_USAGE : CTL_DOWN;
	if (reply.text[0] != '\0')
		print_lines(reply.text, rc == CTL_OK ? stdout : stderr);
	else
		fprintf(rc == CTL_OK ? stdout : stderr, "%s\n", rc == CTL_OK ? well : "refused");
	ctl_reply_clear(&reply);
	return rc;
}

/* Words behind the command's name; no command here has options. */
static bool
has_words(int argc, char **argv, int n)
{
	if (getopt_long(argc, argv, "", no_options, NULL) != -1) {
		ctl_usage(argv[0]);
		return false;
	}
	return ctl_has_words(argc, n, n, argv[0]);
}

int
cmd_reload(const struct ctl_options *options, int argc, char **argv)
{
	if (!has_words(argc, argv, 0))
		return CTL_USAGE;
	return ask(options, msg_new(MSG_CTL_RELOAD), "reloaded");
}

int
cmd_restart(const struct ctl_options *options, int argc, char **argv)
{
	json_t *msg;

	if (!has_words(argc, argv, 1))
		return CTL_USAGE;
	if (strlen(argv[optind]) > CONF_STREAM_NAME_BYTES) {
		ctl_complain("there is no such camera");
		return CTL_USAGE;
	}
	msg = msg_new(MSG_CTL_RESTART);
	msg_set_str(msg, "what", argv[optind]);
	return ask(options, msg, "restarted");
}

int
cmd_log_level(const struct ctl_options *options, int argc, char **argv)
{
	enum log_level level;
	json_t *msg;

	if (!has_words(argc, argv, 1) || log_level_from_name(argv[optind], &level) < 0)
		return ctl_usage(argv[0]);
	msg = msg_new(MSG_CTL_LOG_LEVEL);
	msg_set_str(msg, "level", argv[optind]);
	return ask(options, msg, "log level set");
}

int
cmd_version(const struct ctl_options *options, int argc, char **argv)
{
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX], shown[64];
	int rc;

	if (!has_words(argc, argv, 0))
		return CTL_USAGE;
	printf("camctl %s\n", PACKAGE_VERSION);
	rc = ctl_request(options->runtime_dir, msg_new(MSG_CTL_VERSION), &reply, err);
	if (rc != CTL_OK) {
		fflush(stdout);
		ctl_complain("%s", err);
		return rc;
	}
	printf("supervisor %s\n", text_escape(reply.text, shown, sizeof(shown)));
	if (strcmp(reply.text, PACKAGE_VERSION) != 0)
		ctl_complain("the versions differ: restart camhub to run the installed one");
	ctl_reply_clear(&reply);
	return CTL_OK;
}
