/*
 * camctl link, token and revoke: access for those who have no password.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/request.h"
#include "ctl/secret_line.h"
#include "ctl/text.h"
#include "shared/conf.h"
#include "shared/token.h"
#include "shared/xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOURS_DEFAULT 24
#define HOURS_MAX     (10 * 366 * 24)
#define SHOWN_MAX     4096

struct arguments {
	long hours, viewers;
	const char *base, *camera, *word;
};

static bool
parse_number(const char *text, long max, long *value)
{
	size_t len = strlen(text);

	if (len == 0 || len > 6 || strspn(text, "0123456789") != len)
		return false;
	*value = strtol(text, NULL, 10);
	return *value >= 1 && *value <= max;
}

/* longs decides which options there are; one word behind them. */
static bool
parse(int argc, char **argv, const struct option *longs, struct arguments *args)
{
	bool good = true;
	int c;

	args->hours = HOURS_DEFAULT;
	while (good && (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'h')
			good = parse_number(optarg, HOURS_MAX, &args->hours);
		else if (c == 'v')
			good = parse_number(optarg, TOKEN_VIEWERS_MAX, &args->viewers);
		else if (c == 'b')
			args->base = optarg;
		else if (c == 'c')
			args->camera = optarg;
		else
			good = false;
	}
	if (!good || argc - optind != 1) {
		ctl_usage(argv[0]);
		return false;
	}
	args->word = argv[optind];
	return true;
}

/* Takes msg. CTL_OK: *reply is the caller's. */
static int
request(const struct ctl_options *options, json_t *msg, struct ctl_reply *reply)
{
	char err[CTL_ERROR_MAX], shown[SHOWN_MAX];
	int rc = ctl_request(options->runtime_dir, msg, reply, err);

	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	if (reply->code == 0)
		return CTL_OK;
	ctl_complain("%s", text_escape(reply->text, shown, sizeof(shown)));
	ctl_reply_clear(reply);
	return CTL_DOWN;
}

/* "http://HOST:PORT" (or https) of the first listener; one that is on all addresses has this
 * machine's name.
 */
static char *
guess_base(const struct ctl_reply *reply)
{
	const json_t *listen = json_object_get(reply->supervisor, "listen");
	const char *address = json_string_value(json_array_get(listen, 0)), *port;
	const char *scheme = msg_bool(reply->supervisor, "tls", false) ? "https" : "http";
	char host[256] = "localhost";

	if (address == NULL)
		return xasprintf("%s://localhost", scheme);
	port = strrchr(address, ':');
	if (port == NULL ||
	    (strncmp(address, "0.0.0.0:", 8) != 0 && strncmp(address, "[::]:", 5) != 0))
		return xasprintf("%s://%s", scheme, address);
	if (gethostname(host, sizeof(host) - 1) < 0)
		snprintf(host, sizeof(host), "localhost");
	return xasprintf("%s://%s%s", scheme, host, port);
}

static void
print_token(const char *prefix, const struct ctl_reply *reply)
{
	char shown[SHOWN_MAX];
	size_t len = strcspn(reply->text, "\n");
	const char *id = reply->text + len + (reply->text[len] == '\n');

	printf("%s%.*s\n", prefix, (int)len, reply->text);
	fflush(stdout);
	fprintf(stderr, "it ends earlier with: camctl revoke %s\n",
		text_escape(id, shown, sizeof(shown)));
}

int
cmd_link(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = { { "hours", required_argument, NULL, 'h' },
					       { "viewers", required_argument, NULL, 'v' },
					       { "base", required_argument, NULL, 'b' },
					       { NULL, 0, NULL, 0 } };
	struct arguments args = { 0 };
	struct ctl_reply reply = { 0 };
	json_t *msg;
	char *base, *prefix;
	int rc;

	if (!parse(argc, argv, longs, &args))
		return CTL_USAGE;
	if (!conf_name_is_valid(args.word)) {
		ctl_complain("there is no such camera");
		return CTL_USAGE;
	}
	msg = msg_new(MSG_CTL_TOKEN);
	msg_set_str(msg, "kind", "link");
	msg_set_str(msg, "camera", args.word);
	msg_set_int(msg, "seconds", args.hours * 3600);
	msg_set_int(msg, "viewers", args.viewers);
	rc = request(options, msg, &reply);
	if (rc != CTL_OK)
		return rc;
	base = args.base != NULL ? xstrdup(args.base) : guess_base(&reply);
	if (base[0] != '\0' && base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	prefix = xasprintf("%s/%s?token=", base, args.word);
	print_token(prefix, &reply);
	free(prefix);
	free(base);
	ctl_reply_clear(&reply);
	return CTL_OK;
}

int
cmd_token(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = { { "hours", required_argument, NULL, 'h' },
					       { "camera", required_argument, NULL, 'c' },
					       { NULL, 0, NULL, 0 } };
	struct arguments args = { 0 };
	struct ctl_reply reply = { 0 };
	json_t *msg;
	int rc;

	if (!parse(argc, argv, longs, &args))
		return CTL_USAGE;
	if (!token_user_is_valid(args.word) ||
	    (args.camera != NULL && !glob_is_valid(args.camera))) {
		ctl_complain("not a user's name, or not a pattern of cameras");
		return CTL_USAGE;
	}
	msg = msg_new(MSG_CTL_TOKEN);
	msg_set_str(msg, "kind", "bearer");
	msg_set_str(msg, "user", args.word);
	msg_set_str(msg, "camera", args.camera);
	msg_set_int(msg, "seconds", args.hours * 3600);
	rc = request(options, msg, &reply);
	if (rc != CTL_OK)
		return rc;
	print_token("", &reply);
	ctl_reply_clear(&reply);
	return CTL_OK;
}

/* An id, or, from stdin, a token or the link that has it. */
static int
read_what(const char *word, char *what, size_t size)
{
	char line[4096], *token;

	if (strcmp(word, "-") != 0) {
		snprintf(what, size, "%s", word);
		return CTL_OK;
	}
	if (secret_line("Token or link: ", line, sizeof(line)) < 0)
		return CTL_USAGE;
	token = strstr(line, "token=");
	token = token != NULL ? token + 6 : line;
	snprintf(what, size, "%.*s", (int)strcspn(token, "&# \t\r"), token);
	explicit_bzero(line, sizeof(line));
	return CTL_OK;
}

static int
end_tokens(const struct ctl_options *options, const char *what)
{
	struct ctl_reply reply = { 0 };
	json_t *msg = msg_new(MSG_CTL_REVOKE);
	int rc;

	msg_set_str(msg, "id", what);
	rc = request(options, msg, &reply);
	if (rc != CTL_OK)
		return rc;
	puts("revoked");
	ctl_reply_clear(&reply);
	return CTL_OK;
}

int
cmd_revoke(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = { { "all", no_argument, NULL, 'a' },
					       { "rotate", no_argument, NULL, 'r' },
					       { NULL, 0, NULL, 0 } };
	const char *whole = NULL;
	char what[TOKEN_MAX_BYTES];
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == '?' || whole != NULL)
			return ctl_usage(argv[0]);
		whole = c == 'a' ? "all" : "rotate";
	}
	if (!ctl_has_words(argc, whole == NULL, whole == NULL, argv[0]))
		return CTL_USAGE;
	if (whole != NULL)
		return end_tokens(options, whole);
	if (read_what(argv[optind], what, sizeof(what)) != CTL_OK ||
	    (!token_id_is_valid(what) && strncmp(what, "v1.", 3) != 0)) {
		ctl_complain("neither the id of a token nor a token");
		return CTL_USAGE;
	}
	return end_tokens(options, what);
}
