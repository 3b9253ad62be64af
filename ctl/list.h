/*
 * Commands that show one list of the supervisor's: a table for people, JSON for programs.
 */
#ifndef CAMHUB_CTL_LIST_H
#define CAMHUB_CTL_LIST_H

#include "ctl/request.h"

#include <stddef.h>

struct ctl_list {
	enum msg_type ask;
	size_t rows;      /* offsetof(struct ctl_reply, ...): an array */
	const char *none; /* what is said when it is empty */
	void (*print)(const json_t *rows);
};

/* The whole command, with its option --json and no words: an exit code. */
int ctl_list(const struct ctl_options *options, int argc, char **argv, const struct ctl_list *list);

#endif
