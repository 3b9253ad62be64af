/*
 * camctl(1): one process, one command, one request to the supervisor.
 */
#ifndef CAMHUB_CTL_CTL_H
#define CAMHUB_CTL_CTL_H

#include <stdbool.h>

enum ctl_exit {
	CTL_OK = 0,
	CTL_DOWN = 1, /* a camera is down, or the request failed */
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_NO_ANSWER = 4,
	CTL_WRONG_CONFIG = 78,
};

/* What was given before the command. */
struct ctl_options {
	const char *runtime_dir;
	const char *libexec_dir;
};

struct ctl_command {
	const char *name;
	const char *usage; /* arguments */
	const char *help;
	/* argv[0] is the command's name. Returns what camctl exits with. */
	int (*run)(const struct ctl_options *options, int argc, char **argv);
};

/* The index-th command, NULL behind the last. */
const struct ctl_command *ctl_command(unsigned index);

int ctl_main(int argc, char **argv);

/* "camctl: ..." on stderr. */
void ctl_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The command's usage on stderr; returns CTL_USAGE. */
int ctl_usage(const char *command);
/* argv holds exactly so many words behind options that getopt_long took; else usage is printed. */
bool ctl_has_words(int argc, int min, int max, const char *command);

#endif
