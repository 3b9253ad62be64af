/*
 * camctl certificate: a program of its own does it, so that camctl needs no cryptography.
 */
#include "config.h"

#include "ctl/commands.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
cmd_certificate(const struct ctl_options *options, int argc, char **argv)
{
	char *path = xasprintf("%s/camhub-certificate", options->libexec_dir);

	(void)argc;
	execv(path, argv);
	ctl_complain("%s: %s", path, strerror(errno));
	free(path);
	return CTL_DOWN;
}
