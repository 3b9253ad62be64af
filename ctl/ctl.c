/*
 * The table of commands and the options before them.
 */
#include "config.h"

#include "ctl/ctl.h"

#include "ctl/commands.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_command commands[] = {
	{ "status", "[CAMERA] [--json] [--watch]", "what runs, and how well", cmd_status },
	{ "check", "FILE [--credentials FILE]", "look for mistakes in a configuration", cmd_check },
	{ "reload", "", "read the configuration again", cmd_reload },
	{ "restart", "CAMERA", "start a camera's worker anew", cmd_restart },
	{ "log-level", "err|warn|notice|info|debug", "log more or less, from now on",
	  cmd_log_level },
	{ "version", "", "versions of camctl and of what runs", cmd_version },
	{ "certificate", "[--name NAME]... [--days N] | --certificate FILE --key FILE   DIR",
	  "make or take over a certificate for TLS", cmd_certificate },
	{ "probe",
	  "URL [--user NAME | --credentials FILE [--name NAME]] [--transport tcp|udp|auto] [--tls "
	  "verify|insecure|sha256:HEX] "
	  "[--json]",
	  "try a camera and print its configuration", cmd_probe },
	{ "passwd", "USER [--delete]", "set a user's password, asked for or read from stdin",
	  cmd_passwd },
	{ "link", "CAMERA [--hours N] [--viewers N] [--base URL]",
	  "a link to one camera, for who has no password", cmd_link },
	{ "token", "USER [--hours N] [--camera PATTERN]", "a token for a script", cmd_token },
	{ "revoke", "ID | - | --all | --rotate", "end a link or token, or all of them",
	  cmd_revoke },
	{ "viewers", "[--json]", "who watches which camera, from where", cmd_viewers },
	{ "kick", "ID | USER | ADDRESS", "send viewers away; their session or link is over too",
	  cmd_kick },
	{ "analysers", "[--json]", "programs that look at cameras, and what came of their results",
	  cmd_analysers },
	{ "support", "[-o FILE] [--config FILE] [--credentials FILE]",
	  "all that a bug report needs, without secrets", cmd_support },
	{ NULL, NULL, NULL, NULL },
};

const struct ctl_command *
ctl_command(unsigned index)
{
	return index < sizeof(commands) / sizeof(commands[0]) - 1 ? &commands[index] : NULL;
}

static const struct ctl_command *
find(const char *name)
{
	const struct ctl_command *command;

	for (unsigned i = 0; (command = ctl_command(i)) != NULL; i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

void
ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("camctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
ctl_usage(const char *name)
{
	const struct ctl_command *command = find(name);

	fprintf(stderr, "usage: camctl %s %s\n", command->name, command->usage);
	return CTL_USAGE;
}

bool
ctl_has_words(int argc, int min, int max, const char *command)
{
	if (argc - optind >= min && argc - optind <= max)
		return true;
	ctl_usage(command);
	return false;
}

static void
print_help(FILE *file)
{
	const struct ctl_command *command;

	fputs("usage: camctl [--runtime-dir DIR] [--libexec-dir DIR] COMMAND ...\n\n", file);
	for (unsigned i = 0; (command = ctl_command(i)) != NULL; i++)
		fprintf(file, "  %-11s %s\n              %s\n", command->name, command->help,
			command->usage);
	fputs("\nexit status: 0 all well, 1 something is down, 2 usage, 3 not running, "
	      "4 no answer\n",
	      file);
}

static const char *
first_of(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* -1: go on with the command at optind; else the exit status. */
static int
read_options(int argc, char **argv, struct ctl_options *options)
{
	static const struct option longs[] = {
		{ "runtime-dir", required_argument, NULL, 'r' },
		{ "libexec-dir", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+hV", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			options->runtime_dir = optarg;
			break;
		case 'l':
			options->libexec_dir = optarg;
			break;
		case 'V':
			printf("camctl %s\n", PACKAGE_VERSION);
			return CTL_OK;
		case 'h':
			print_help(stdout);
			return CTL_OK;
		default:
			print_help(stderr);
			return CTL_USAGE;
		}
	}
	if (optind < argc)
		return -1;
	print_help(stderr);
	return CTL_USAGE;
}

int
ctl_main(int argc, char **argv)
{
	struct ctl_options options = {
		.runtime_dir = first_of("CAMHUB_RUNTIME_DIR", CAMHUB_RUNTIME_DIR),
		.libexec_dir = first_of("CAMHUB_LIBEXEC_DIR", CAMHUB_LIBEXEC_DIR),
	};
	const struct ctl_command *command;
	int rc, first;

	/* Only for the width of characters; numbers stay as they are. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_DFL);
	rc = read_options(argc, argv, &options);
	if (rc >= 0)
		return rc;
	command = find(argv[optind]);
	if (command == NULL) {
		ctl_complain("there is no such command");
		print_help(stderr);
		return CTL_USAGE;
	}
	first = optind;
	optind = 0; /* getopt begins anew */
	rc = command->run(&options, argc - first, argv + first);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = CTL_DOWN;
	return rc;
}
