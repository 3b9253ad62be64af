/*
 * camctl probe: whose password, and what to do with the result.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/probe.h"
#include "shared/conf_creds.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct arguments {
	const char *user, *credentials, *name, *transport, *tls;
	bool json;
};

struct secrets {
	char *url, *user, *password; /* owned */
};

static void
wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* One line of stdin; from a terminal without echo. NULL when there is none. */
static char *
read_password(void)
{
	struct termios before, silent;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (is_terminal) {
		fputs("Password: ", stderr);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	len = getline(&line, &size, stdin);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (len < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static int
from_file(const struct arguments *args, struct secrets *secrets)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	const struct conf_cred *cred = NULL;
	int rc = conf_creds_load(args->credentials, &creds, &errors);

	conf_errors_print(&errors, stderr);
	conf_errors_free(&errors);
	if (creds != NULL && args->name != NULL)
		cred = conf_creds_find(creds, args->name);
	else if (creds != NULL && creds->n == 1)
		cred = &creds->list[0];
	if (rc == 0 && cred == NULL) {
		ctl_complain(args->name != NULL ? "no line with that name in %s"
						: "say which line of %s with --name NAME",
			     args->credentials);
		rc = -ENOENT;
	}
	if (rc == 0) {
		secrets->user = xstrdup(cred->user);
		secrets->password = xstrdup(cred->password);
	}
	conf_creds_free(&creds);
	return rc;
}

/* url is an element of argv: a password in it is wiped there, so that ps does not go on showing it.
 */
static int
gather(const struct arguments *args, char *url, struct secrets *secrets)
{
	if (url_split_userinfo(url, &secrets->url, &secrets->user, &secrets->password) < 0) {
		ctl_complain("the user or the password in the URL cannot be read");
		return -EINVAL;
	}
	if (secrets->user != NULL) {
		explicit_bzero(url, strlen(url));
		ctl_complain("a password on the command line is seen by others and kept in the "
			     "shell's history; --user NAME asks for it");
	}
	if (args->credentials == NULL && args->user == NULL)
		return 0;
	wipe(&secrets->user);
	wipe(&secrets->password);
	if (args->credentials != NULL)
		return from_file(args, secrets);
	secrets->user = xstrdup(args->user);
	secrets->password = read_password();
	if (secrets->password != NULL)
		return 0;
	ctl_complain("no password on standard input");
	return -EINVAL;
}

static int
run(const struct ctl_options *options, const struct arguments *args, const struct secrets *secrets)
{
	struct probe probe = {
		.url = secrets->url,
		.user = secrets->user,
		.password = secrets->password,
		.transport = args->transport,
		.tls = args->tls,
	};
	char err[256];
	int rc;

	if (secrets->user != NULL)
		probe.credentials = args->name != NULL ? args->name : "mycamera";
	if (url_parse(probe.url, &probe.parts, err) < 0) {
		ctl_complain("%s", err);
		return CTL_USAGE;
	}
	rc = probe_run(&probe, options->libexec_dir, PROBE_DEADLINE_MS, err);
	if (rc < 0) {
		ctl_complain("%s", err);
		rc = CTL_DOWN;
	} else {
		if (args->json)
			probe_print_json(&probe, stdout);
		else
			probe_print_text(&probe, stdout);
		rc = probe_is_well(&probe) ? CTL_OK : CTL_DOWN;
	}
	json_decref(probe.status);
	url_clear(&probe.parts);
	return rc;
}

static bool
read_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option longs[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "credentials", required_argument, NULL, 'c' },
		{ "name", required_argument, NULL, 'n' },
		{ "transport", required_argument, NULL, 't' },
		{ "tls", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'u':
			args->user = optarg;
			break;
		case 'c':
			args->credentials = optarg;
			break;
		case 'n':
			args->name = optarg;
			break;
		case 't':
			args->transport = optarg;
			break;
		case 's':
			args->tls = optarg;
			break;
		case 'j':
			args->json = true;
			break;
		default:
			return false;
		}
	}
	return argc - optind == 1 && (args->user == NULL || args->credentials == NULL) &&
	       (args->name == NULL || conf_name_is_valid(args->name)) &&
	       (args->tls == NULL || conf_tls_is_valid(args->tls)) &&
	       (strcmp(args->transport, "tcp") == 0 || strcmp(args->transport, "udp") == 0 ||
		strcmp(args->transport, "auto") == 0);
}

int
cmd_probe(const struct ctl_options *options, int argc, char **argv)
{
	struct arguments args = { .transport = "tcp" };
	struct secrets secrets = { 0 };
	int rc = CTL_USAGE;

	if (!read_arguments(argc, argv, &args))
		return ctl_usage(argv[0]);
	if (gather(&args, argv[optind], &secrets) == 0)
		rc = run(options, &args, &secrets);
	wipe(&secrets.user);
	wipe(&secrets.password);
	free(secrets.url);
	return rc;
}
