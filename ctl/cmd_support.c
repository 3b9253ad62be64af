/*
 * camctl support: one text with all that a bug report needs. Everything passes through
 * hide_secrets() and through redact_text() with the passwords that could be read, at the very end.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/hide.h"
#include "ctl/status.h"
#include "shared/conf_creds.h"
#include "shared/redact.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1u << 20)

static void
begin(FILE *out, const char *title)
{
	fprintf(out, "\n== %s\n", title);
}

static void
add_file(FILE *out, const char *path)
{
	char chunk[4096];
	size_t n, sum = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		fprintf(out, "%s: %s\n", path, strerror(errno));
		return;
	}
	while (sum < FILE_MAX_BYTES && (n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		for (size_t i = 0; i < n; i++)
			fputc(chunk[i] == '\0' ? '?' : chunk[i], out);
		sum += n;
	}
	fclose(file);
}

static void
add_command(FILE *out, const char *command)
{
	char line[512];
	FILE *pipe = popen(command, "re");

	if (pipe == NULL)
		return;
	while (fgets(line, sizeof(line), pipe) != NULL)
		fputs(line, out);
	pclose(pipe);
}

static void
add_system(FILE *out)
{
	struct utsname name;
	time_t now = time(NULL);
	char date[64];

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", gmtime(&now));
	begin(out, "camhub");
	fprintf(out, "camctl %s\ntime %s\n", PACKAGE_VERSION, date);
	begin(out, "system");
	if (uname(&name) == 0)
		fprintf(out, "%s %s %s %s\n", name.sysname, name.release, name.version,
			name.machine);
	add_file(out, "/etc/os-release");
	add_file(out, "/proc/loadavg");
	begin(out, "packages");
	add_command(out, "dpkg-query -W -f '${Package} ${Version}\\n' 'camhub*' 'libnng*' "
			 "'libevent-core*' 'libevent-extra*' 'libjansson*' 'libyaml-0*' "
			 "'libavformat*' 'libavcodec*' 'libwslay*' 'libssl3*' systemd 2>/dev/null");
}

static void
add_limits(FILE *out, const json_t *supervisor)
{
	char path[64];

	begin(out, "limits of the supervisor");
	snprintf(path, sizeof(path), "/proc/%lld/limits", msg_int(supervisor, "pid", 0));
	add_file(out, path);
}

static void
add_status(FILE *out, const struct ctl_options *options, char **config)
{
	const struct text_style plain = { 0 };
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX];
	int rc = ctl_request(options->runtime_dir, status_request(NULL), &reply, err);

	begin(out, "status");
	if (rc != CTL_OK) {
		fprintf(out, "%s (%d)\n", err, rc);
		return;
	}
	status_print_table(&reply, status_now_ms(), &plain, out);
	begin(out, "status of each camera");
	status_print_pages(&reply, status_now_ms(), &plain, out);
	begin(out, "status as JSON");
	status_print_json(&reply, out);
	if (reply.supervisor != NULL) {
		add_limits(out, reply.supervisor);
		if (*config == NULL)
			*config = xstrdup(msg_str(reply.supervisor, "config"));
	}
	ctl_reply_clear(&reply);
}

static void
add_config(FILE *out, const char *config, const char *credentials)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	char *text;

	begin(out, config);
	add_file(out, config);
	begin(out, "mistakes in it");
	conf_load(config, credentials, &conf, &errors);
	text = conf_errors_text(&errors, 0);
	fprintf(out, "%s\n", text[0] != '\0' ? text : "none");
	free(text);
	conf_errors_free(&errors);
	conf_free(&conf);
}

/* text (taken) without users, passwords and "user:password" as Basic carries it. */
static char *
redact_known(char *text, const char *credentials)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	char **secrets, *result;
	size_t n = 0;

	conf_creds_load(credentials, &creds, &errors);
	conf_errors_free(&errors);
	if (creds == NULL)
		return text;
	secrets = xcalloc(2 * creds->n + 1, sizeof(*secrets));
	for (size_t i = 0; i < creds->n; i++) {
		secrets[n++] = xasprintf("%s:%s", creds->list[i].user, creds->list[i].password);
		secrets[n++] = xstrdup(creds->list[i].password);
	}
	result = redact_text(text, (const char *const *)secrets, n);
	for (size_t i = 0; i < n; i++) {
		explicit_bzero(secrets[i], strlen(secrets[i]));
		free(secrets[i]);
	}
	free(secrets);
	free(text);
	conf_creds_free(&creds);
	return result;
}

static char *
make_bundle(const struct ctl_options *options, const char *config_given, const char *credentials)
{
	char *config = config_given != NULL ? xstrdup(config_given) : NULL, *text = NULL, *safe;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		xalloc_die();
	add_system(out);
	add_status(out, options, &config);
	if (config == NULL || config[0] == '\0') {
		free(config);
		config = xstrdup(CAMHUB_SYSCONF_DIR "/camhub.yaml");
	}
	add_config(out, config, credentials);
	if (fclose(out) != 0)
		xalloc_die();
	free(config);
	safe = hide_secrets(text);
	free(text);
	return redact_known(safe, credentials);
}

static int
write_bundle(const char *text, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool failed;

	if (file == NULL) {
		ctl_complain("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return CTL_DOWN;
	}
	failed = fputs(text, file) < 0;
	failed |= fclose(file) != 0;
	if (failed)
		ctl_complain("%s: %s", path, strerror(errno));
	else
		printf("%s is written; read it before you send it\n", path);
	return failed ? CTL_DOWN : CTL_OK;
}

int
cmd_support(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "config", required_argument, NULL, 'f' },
		{ "credentials", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	const char *output = NULL, *config = NULL;
	const char *credentials = CAMHUB_SYSCONF_DIR "/cameras.cred";
	char *text;
	int c, rc = CTL_OK;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c == 'o')
			output = optarg;
		else if (c == 'f')
			config = optarg;
		else if (c == 'c')
			credentials = optarg;
		else
			return ctl_usage(argv[0]);
	}
	if (!ctl_has_words(argc, 0, 0, argv[0]))
		return CTL_USAGE;
	text = make_bundle(options, config, credentials);
	if (output != NULL)
		rc = write_bundle(text, output);
	else
		fputs(text, stdout);
	free(text);
	return rc;
}
