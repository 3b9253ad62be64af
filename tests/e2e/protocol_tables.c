/*
 * Prints the tables of control messages as docs/protocol.md has them, out of the schema itself, so
 * that the document and the code cannot drift apart (test_protocol.py compares them).
 */
#include "config.h"

#include "shared/msg.h"

#include <limits.h>
#include <stdio.h>

static const struct {
	unsigned to;
	const char *title;
} groups[] = {
	{ MSG_TO_WORKER, "Supervisor to worker" },
	{ MSG_FROM_WORKER, "Worker to supervisor" },
	{ MSG_TO_FRONT, "Supervisor to front" },
	{ MSG_FROM_FRONT, "Front to supervisor" },
	{ MSG_TO_RTC, "Supervisor to rtc front" },
	{ MSG_FROM_RTC, "Rtc front to supervisor" },
	{ MSG_TO_TRANSCODE, "Supervisor to transcoder" },
	{ MSG_FROM_TRANSCODE, "Transcoder to supervisor" },
	{ MSG_TO_AUTH, "Supervisor to camhub-auth" },
	{ MSG_FROM_AUTH, "camhub-auth to supervisor" },
	{ MSG_FROM_CTL, "camctl to supervisor" },
	{ MSG_TO_CTL, "Supervisor to camctl" },
	{ MSG_FROM_TAP, "Analyser to supervisor" },
	{ MSG_TO_TAP, "Supervisor to analyser" },
};

static void
print_range(const struct msg_field *field)
{
	switch (field->kind) {
	case MSG_STR:
		printf("string of at most %lld bytes", field->max);
		return;
	case MSG_ASCII:
		printf("printable ASCII string of at most %lld bytes", field->max);
		return;
	case MSG_STRS:
		printf("list of at most %lld strings", field->max);
		return;
	case MSG_BOOL:
		printf("boolean");
		return;
	case MSG_INT:
	case MSG_REAL:
		printf("%s, %lld", field->kind == MSG_INT ? "integer" : "number", field->min);
		if (field->max == LLONG_MAX)
			printf(" or more");
		else
			printf(" to %lld", field->max);
	}
}

static void
print_message(const struct msg_schema *schema)
{
	static const char *const fd[] = {
		[MSG_FD_NONE] = "",
		[MSG_FD_REQUIRED] = ", with a descriptor",
		[MSG_FD_OPTIONAL] = ", a descriptor may come with it",
	};

	printf("\n`%s`%s%s\n\n", schema->name, fd[schema->fd],
	       schema->fields->name == NULL ? ": no fields" : "");
	if (schema->fields->name == NULL)
		return;
	printf("| field | value |\n|---|---|\n");
	for (const struct msg_field *field = schema->fields; field->name != NULL; field++) {
		printf("| `%s` | ", field->name);
		print_range(field);
		printf("%s |\n", field->optional ? " (optional)" : "");
	}
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		printf("\n#### %s\n", groups[i].title);
		for (int type = 0; type < MSG_TYPE_COUNT; type++)
			if (msg_schema(type)->to & groups[i].to)
				print_message(msg_schema(type));
	}
	return 0;
}
