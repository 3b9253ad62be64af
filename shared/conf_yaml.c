/*
 * Text to a YAML document. A first pass over the events refuses what the configuration has no use
 * for and an attacker has (aliases, depth), so that the second, which builds the document, stays
 * small.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include <errno.h>
#include <string.h>

#define MAX_DEPTH  8
#define MAX_EVENTS 100000

static unsigned
line_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}

/* True when the line that mark stands on is indented with a tab. */
static bool
has_tab(const char *text, size_t len, size_t line)
{
	const char *p = text, *end = text + len;

	for (; line > 0 && p != NULL; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p != NULL)
			p++;
	}
	if (p == NULL)
		return false;
	for (; p < end && (*p == ' ' || *p == '\t'); p++)
		if (*p == '\t')
			return true;
	return false;
}

static void
add_syntax_error(const char *path, const char *text, size_t len, const yaml_parser_t *parser,
		 struct conf_errors *errors)
{
	unsigned line = line_of(&parser->problem_mark);

	if (parser->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < parser->problem_offset && i < len; i++)
			line += text[i] == '\n';
		conf_error_add(errors, path, line, "not YAML: %s, expected UTF-8 text",
			       parser->problem);
		return;
	}
	if (has_tab(text, len, parser->problem_mark.line)) {
		conf_error_add(errors, path, line, "indented with a tab, expected spaces");
		return;
	}
	conf_error_add(errors, path, line, "not YAML: %s%s%s, expected YAML as in camhub.yaml(5)",
		       parser->context != NULL ? parser->context : "",
		       parser->context != NULL ? ": " : "",
		       parser->problem != NULL ? parser->problem : "broken");
}

struct guard {
	const char *path;
	struct conf_errors *errors;
	unsigned depth, events, documents;
	bool fatal;
};

static void
guard_refuse(struct guard *guard, const yaml_event_t *event, const char *text)
{
	conf_error_add(guard->errors, guard->path, line_of(&event->start_mark), "%s", text);
}

static void
guard_node(struct guard *guard, const yaml_event_t *event, const yaml_char_t *anchor,
	   const yaml_char_t *tag)
{
	if (anchor != NULL)
		guard_refuse(guard, event, "anchor (&), expected the value written out");
	if (tag != NULL)
		guard_refuse(guard, event, "tag (!), expected a plain value");
}

static void
guard_deeper(struct guard *guard, const yaml_event_t *event)
{
	if (++guard->depth <= MAX_DEPTH)
		return;
	guard_refuse(guard, event,
		     "nested too deep, expected sections and lists as in camhub.yaml(5)");
	guard->fatal = true;
}

static void
guard_event(struct guard *guard, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		guard_refuse(guard, event, "alias (*), expected the value written out");
		guard->fatal = true;
		break;
	case YAML_SCALAR_EVENT:
		guard_node(guard, event, event->data.scalar.anchor, event->data.scalar.tag);
		break;
	case YAML_SEQUENCE_START_EVENT:
		guard_node(guard, event, event->data.sequence_start.anchor,
			   event->data.sequence_start.tag);
		guard_deeper(guard, event);
		break;
	case YAML_MAPPING_START_EVENT:
		guard_node(guard, event, event->data.mapping_start.anchor,
			   event->data.mapping_start.tag);
		guard_deeper(guard, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		guard->depth--;
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (++guard->documents > 1)
			guard_refuse(guard, event, "second document (---), expected one");
		break;
	default:
		break;
	}
	if (++guard->events > MAX_EVENTS && !guard->fatal) {
		guard_refuse(guard, event, "too many values, expected fewer than 100000");
		guard->fatal = true;
	}
}

static int
check_events(const char *path, const char *text, size_t len, struct conf_errors *errors)
{
	struct guard guard = { .path = path, .errors = errors };
	yaml_parser_t parser;
	yaml_event_t event;
	bool done = false;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!done) {
		if (!yaml_parser_parse(&parser, &event)) {
			add_syntax_error(path, text, len, &parser, errors);
			guard.fatal = true;
			break;
		}
		guard_event(&guard, &event);
		done = event.type == YAML_STREAM_END_EVENT || guard.depth > MAX_DEPTH ||
		       guard.events > MAX_EVENTS || conf_errors_full(errors);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return guard.fatal ? -EINVAL : 0;
}

int
conf_yaml_load(const char *path, const char *text, size_t len, yaml_document_t *doc,
	       struct conf_errors *errors)
{
	yaml_parser_t parser;
	int rc = check_events(path, text, len, errors);

	if (rc < 0)
		return rc;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, doc)) {
		add_syntax_error(path, text, len, &parser, errors);
		rc = -EINVAL;
	} else if (yaml_document_get_root_node(doc) == NULL) {
		conf_error_add(errors, path, 1,
			       "the file is empty, expected at least \"cameras:\"");
		yaml_document_delete(doc);
		rc = -EINVAL;
	}
	yaml_parser_delete(&parser);
	return rc;
}
