/*
 * The commands of camctl; see struct ctl_command.
 */
#ifndef CAMHUB_CTL_COMMANDS_H
#define CAMHUB_CTL_COMMANDS_H

#include "ctl/ctl.h"

int cmd_status(const struct ctl_options *options, int argc, char **argv);
int cmd_check(const struct ctl_options *options, int argc, char **argv);
int cmd_reload(const struct ctl_options *options, int argc, char **argv);
int cmd_restart(const struct ctl_options *options, int argc, char **argv);
int cmd_log_level(const struct ctl_options *options, int argc, char **argv);
int cmd_version(const struct ctl_options *options, int argc, char **argv);
int cmd_certificate(const struct ctl_options *options, int argc, char **argv);
int cmd_probe(const struct ctl_options *options, int argc, char **argv);
int cmd_passwd(const struct ctl_options *options, int argc, char **argv);
int cmd_link(const struct ctl_options *options, int argc, char **argv);
int cmd_token(const struct ctl_options *options, int argc, char **argv);
int cmd_revoke(const struct ctl_options *options, int argc, char **argv);
int cmd_viewers(const struct ctl_options *options, int argc, char **argv);
int cmd_analysers(const struct ctl_options *options, int argc, char **argv);
int cmd_kick(const struct ctl_options *options, int argc, char **argv);
int cmd_support(const struct ctl_options *options, int argc, char **argv);

#endif
