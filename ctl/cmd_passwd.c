/*
 * camctl passwd: the password goes from the terminal to the supervisor, and only its hash further.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/request.h"
#include "ctl/secret_line.h"
#include "ctl/text.h"
#include "shared/token.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_MIN 8
#define PASSWORD_MAX 256
#define ANSWER_MS    15000 /* hashing is slow on purpose, and others may be first */

/* As the network would carry it: UTF-8 without control characters. */
static bool
is_usable(const char *password)
{
	json_t *string = json_string(password);

	json_decref(string);
	for (const unsigned char *p = (const unsigned char *)password; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return string != NULL;
}

/* password: PASSWORD_MAX + 2 bytes. */
static int
read_password(const char *user, char *password)
{
	char prompt[128], again[PASSWORD_MAX + 2];
	int rc;

	snprintf(prompt, sizeof(prompt), "New password for %s: ", user);
	rc = secret_line(prompt, password, PASSWORD_MAX + 2);
	if (rc == 0 && isatty(STDIN_FILENO)) {
		rc = secret_line("Once more: ", again, sizeof(again));
		if (rc == 0 && strcmp(again, password) != 0)
			rc = -EKEYREJECTED;
		explicit_bzero(again, sizeof(again));
	}
	if (rc == -EKEYREJECTED)
		ctl_complain("the two differ, nothing was changed");
	else if (rc == -ENODATA)
		ctl_complain("no password was given, nothing was changed");
	else if (rc == -EMSGSIZE || (rc == 0 && strlen(password) > PASSWORD_MAX))
		ctl_complain("too long, at most %d bytes", PASSWORD_MAX);
	else if (rc < 0)
		ctl_complain("stdin: %s", strerror(-rc));
	else if (strlen(password) < PASSWORD_MIN)
		ctl_complain("too short, at least %d bytes", PASSWORD_MIN);
	else if (!is_usable(password))
		ctl_complain("not UTF-8, or a control character in it");
	else
		return CTL_OK;
	return CTL_USAGE;
}

/* Takes msg. */
static int
ask(const struct ctl_options *options, json_t *msg)
{
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX], shown[4096];
	int rc = ctl_request_within(options->runtime_dir, msg, ANSWER_MS, &reply, err);

	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	text_escape(reply.text, shown, sizeof(shown));
	rc = reply.code == 0 ? CTL_OK : CTL_DOWN;
	if (rc == CTL_OK)
		printf("%s\n", shown);
	else
		ctl_complain("%s", shown);
	ctl_reply_clear(&reply);
	return rc;
}

static json_t *
make_request(const char *user, bool delete)
{
	char password[PASSWORD_MAX + 2];
	json_t *msg;

	if (!delete &&read_password(user, password) != CTL_OK)
		return NULL;
	msg = msg_new(MSG_CTL_PASSWD);
	msg_set_str(msg, "user", user);
	if (!delete)
		msg_set_str(msg, "password", password);
	explicit_bzero(password, sizeof(password));
	return msg;
}

int
cmd_passwd(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = { { "delete", no_argument, NULL, 'd' },
					       { NULL, 0, NULL, 0 } };
	bool delete = false;
	json_t *msg;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'd')
			return ctl_usage(argv[0]);
		delete = true;
	}
	if (!ctl_has_words(argc, 1, 1, argv[0]))
		return CTL_USAGE;
	if (!token_user_is_valid(argv[optind])) {
		ctl_complain("not a user's name");
		return CTL_USAGE;
	}
	msg = make_request(argv[optind], delete);
	return msg != NULL ? ask(options, msg) : CTL_USAGE;
}
