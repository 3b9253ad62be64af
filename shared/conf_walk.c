/*
 * The document against the schema table: every mapping, key and value, and every mistake in them
 * with its line.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static unsigned
line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

static const char *
text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool
has_nul(const yaml_node_t *node)
{
	return strlen(text_of(node)) != node->data.scalar.length;
}

static bool
is_plain(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* "key:" with nothing behind it, ~ or null. */
static bool
is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && is_plain(node) &&
	       (node->data.scalar.length == 0 || strcmp(text_of(node), "~") == 0 ||
		strcmp(text_of(node), "null") == 0);
}

static const char *
shape_of(const yaml_node_t *node)
{
	if (is_null(node))
		return "no value";
	return node->type == YAML_SCALAR_NODE     ? "a single value"
	       : node->type == YAML_SEQUENCE_NODE ? "a list"
						  : "a section";
}

static void
add_wrong_shape(struct conf_loader *loader, unsigned line, const struct conf_key *key,
		const yaml_node_t *node)
{
	char expect[URL_ERROR_MAX];

	if (key->check != NULL && key->kind == CONF_STRING)
		snprintf(expect, sizeof(expect), "text");
	else
		conf_expect(key, expect);
	conf_error_add(loader->errors, loader->path, line, "%s: %s, expected %s", key->name,
		       shape_of(node), expect);
}

static void
set_scalar(struct conf_loader *loader, const struct conf_key *key, const yaml_node_t *node,
	   unsigned key_line, void *base)
{
	char err[URL_ERROR_MAX], expect[URL_ERROR_MAX];

	if (node->type != YAML_SCALAR_NODE || is_null(node)) {
		add_wrong_shape(loader, key_line, key, node);
		return;
	}
	if (has_nul(node)) {
		conf_error_add(loader->errors, loader->path, line_of(node),
			       "%s: NUL byte in the text, expected text", key->name);
		return;
	}
	if (!is_plain(node) && (key->kind == CONF_BOOL || key->kind == CONF_INT)) {
		conf_error_add(loader->errors, loader->path, line_of(node),
			       "%s: text in quotes, expected %s without quotes", key->name,
			       conf_expect(key, expect));
		return;
	}
	if (conf_value_set(key, text_of(node), base, err) < 0)
		conf_error_add(loader->errors, loader->path, line_of(node), "%s: %s", key->name,
			       err);
}

static void
clear_strings(struct conf_strings *strings)
{
	while (strings->n > 0)
		free(strings->list[--strings->n]);
}

static void
set_strings(struct conf_loader *loader, const struct conf_key *key, yaml_node_t *node,
	    unsigned key_line, void *base)
{
	struct conf_strings *strings = (struct conf_strings *)((char *)base + key->offset);
	char err[URL_ERROR_MAX];

	if (node->type != YAML_SEQUENCE_NODE ||
	    node->data.sequence.items.top - node->data.sequence.items.start > key->max) {
		add_wrong_shape(loader, key_line, key, node);
		return;
	}
	clear_strings(strings);
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		yaml_node_t *value = yaml_document_get_node(loader->doc, *item);

		if (value->type != YAML_SCALAR_NODE || is_null(value) || has_nul(value))
			conf_error_add(loader->errors, loader->path, line_of(value),
				       "%s: %s in the list, expected text", key->name,
				       shape_of(value));
		else if (key->check != NULL && key->check(text_of(value), err) < 0)
			conf_error_add(loader->errors, loader->path, line_of(value), "%s: %s",
				       key->name, err);
		else
			conf_strings_add(strings, text_of(value), line_of(value));
	}
}

static bool
is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

static void
add_unknown(struct conf_loader *loader, const yaml_node_t *node, const char *where,
	    const char *const *known, size_t n)
{
	static const char *const secrets[] = { "password", "passwd",   "pass",
					       "user",     "username", "login" };
	char shown[CONF_SHOW_BYTES], all[512] = "";
	const char *name = text_of(node), *nearest = conf_did_you_mean(name, known, n);
	size_t len = 0;
	bool is_access = strstr(where, "access") != NULL;

	/* A URL or credentials in the wrong place are not repeated. */
	conf_show(strpbrk(name, "@:") == NULL ? name : "...", shown);
	if (is_access && strncmp(name, "pass", 4) == 0) {
		conf_error_add(loader->errors, loader->path, line_of(node),
			       "unknown key %s%s, expected no password here: camctl passwd NAME",
			       shown, where);
		return;
	}
	if (!is_access && is_one_of(name, secrets, sizeof(secrets) / sizeof(secrets[0]))) {
		conf_error_add(
		    loader->errors, loader->path, line_of(node),
		    "unknown key %s%s, expected credentials: NAME and a line NAME:USER:PASSWORD in "
		    "the credentials file",
		    shown, where);
		return;
	}
	if (nearest != NULL) {
		conf_error_add(loader->errors, loader->path, line_of(node),
			       "unknown key %s%s, expected \"%s\" (did you mean that?)", shown,
			       where, nearest);
		return;
	}
	for (size_t i = 0; i < n && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", known[i]);
	conf_error_add(loader->errors, loader->path, line_of(node),
		       "unknown key %s%s, expected one of%s", shown, where, all);
}

static bool
is_usable_key(struct conf_loader *loader, const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE && !has_nul(node))
		return true;
	conf_error_add(loader->errors, loader->path, line_of(node),
		       "a key that is no word, expected NAME: VALUE");
	return false;
}

static void
walk_pair(struct conf_loader *loader, const char *section, const yaml_node_t *key_node,
	  yaml_node_t *value, void *base, struct conf_lines *lines)
{
	const char *known[CONF_MAX_KEYS];
	char where[32];
	size_t n = 0;

	for (size_t i = 0; conf_key(i) != NULL; i++) {
		const struct conf_key *key = conf_key(i);

		if (strcmp(key->section, section) != 0)
			continue;
		known[n++] = key->name;
		if (strcmp(key->name, text_of(key_node)) != 0)
			continue;
		if (lines->line[i] != 0) {
			conf_error_add(loader->errors, loader->path, line_of(key_node),
				       "%s: is there twice (first in line %u), expected once",
				       key->name, lines->line[i]);
			return;
		}
		lines->line[i] = line_of(key_node);
		if (key->kind == CONF_STRINGS)
			set_strings(loader, key, value, line_of(key_node), base);
		else
			set_scalar(loader, key, value, line_of(key_node), base);
		return;
	}
	snprintf(where, sizeof(where), " in %s:", section);
	add_unknown(loader, key_node, where, known, n);
}

static void
walk_mapping(struct conf_loader *loader, const char *section, yaml_node_t *node, void *base,
	     struct conf_lines *lines)
{
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && !conf_errors_full(loader->errors); pair++) {
		yaml_node_t *key = yaml_document_get_node(loader->doc, pair->key);

		if (is_usable_key(loader, key))
			walk_pair(loader, section, key,
				  yaml_document_get_node(loader->doc, pair->value), base, lines);
	}
}

/* A list of sections with the same keys each. */
struct item_list {
	const char *section, *name, *item; /* of the keys; as messages call it and one of it */
	const char *expect;                /* what begins an item */
	size_t max, item_size, line_offset;
};

static const struct item_list camera_list = {
	.section = "cameras",
	.name = "cameras",
	.item = "camera",
	.expect = "\"- name: NAME\" and \"url: URL\" below it",
	.max = CONF_MAX_CAMERAS,
	.item_size = sizeof(struct conf_camera),
	.line_offset = offsetof(struct conf_camera, line),
};
static const struct item_list user_list = {
	.section = "access.users",
	.name = "users",
	.item = "user",
	.expect = "\"- name: NAME\"",
	.max = CONF_MAX_USERS,
	.item_size = sizeof(struct conf_user),
	.line_offset = offsetof(struct conf_user, line),
};

static void
walk_item(struct conf_loader *loader, const struct item_list *list, yaml_node_t *node, void *base,
	  struct conf_lines *lines)
{
	const struct conf_key *key;

	*(unsigned *)((char *)base + list->line_offset) = line_of(node);
	conf_set_defaults(base, list->section);
	if (node->type != YAML_MAPPING_NODE) {
		conf_error_add(loader->errors, loader->path, line_of(node),
			       "%s: %s in the list, expected %s", list->name, shape_of(node),
			       list->expect);
		return;
	}
	walk_mapping(loader, list->section, node, base, lines);
	for (size_t i = 0; (key = conf_key(i)) != NULL; i++)
		if (key->required && strcmp(key->section, list->section) == 0 &&
		    lines->line[i] == 0 && !conf_errors_full(loader->errors))
			conf_error_add(loader->errors, loader->path, line_of(node),
				       "%s without %s:, expected it", list->item, key->name);
}

/* How many items the list has, at most list->max; the rest is complained about. */
static size_t
count_items(struct conf_loader *loader, const struct item_list *list, const yaml_node_t *node,
	    unsigned key_line)
{
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t n;

	if (is_null(node))
		return 0;
	if (node->type != YAML_SEQUENCE_NODE) {
		conf_error_add(loader->errors, loader->path, key_line,
			       "%s: %s, expected a list (each begins with \"- name:\")", list->name,
			       shape_of(node));
		return 0;
	}
	n = (size_t)(node->data.sequence.items.top - items);
	if (n <= list->max)
		return n;
	conf_error_add(loader->errors, loader->path,
		       line_of(yaml_document_get_node(loader->doc, items[list->max])),
		       "%s: %zu of them, expected at most %zu", list->name, n, list->max);
	return list->max;
}

/* The items into an array of their own, and the lines of each. Returns how many. */
static size_t
walk_items(struct conf_loader *loader, const struct item_list *list, yaml_node_t *node,
	   unsigned key_line, void **array, struct conf_lines **lines)
{
	size_t max = count_items(loader, list, node, key_line), n;

	*array = xcalloc(max + 1, list->item_size);
	*lines = xcalloc(max + 1, sizeof(**lines));
	for (n = 0; n < max && !conf_errors_full(loader->errors); n++)
		walk_item(loader, list,
			  yaml_document_get_node(loader->doc, node->data.sequence.items.start[n]),
			  (char *)*array + n * list->item_size, &(*lines)[n]);
	return n;
}

static void
walk_cameras(struct conf_loader *loader, yaml_node_t *node, unsigned key_line)
{
	void *cameras;

	loader->conf->n_cameras =
	    walk_items(loader, &camera_list, node, key_line, &cameras, &loader->camera_lines);
	loader->conf->cameras = cameras;
}

static void
walk_users(struct conf_loader *loader, yaml_node_t *node, unsigned key_line)
{
	void *users;

	loader->conf->n_users =
	    walk_items(loader, &user_list, node, key_line, &users, &loader->user_lines);
	loader->conf->users = users;
}

static void
walk_proxy(struct conf_loader *loader, yaml_node_t *node, unsigned key_line)
{
	if (node->type == YAML_MAPPING_NODE)
		walk_mapping(loader, "access.proxy", node, loader->conf, &loader->lines);
	else if (!is_null(node))
		conf_error_add(loader->errors, loader->path, key_line,
			       "proxy: %s, expected keys below it", shape_of(node));
}

/* The one section that has sections below it. */
static void
walk_access(struct conf_loader *loader, yaml_node_t *node)
{
	static const char *const known[] = { "users", "proxy" };
	unsigned seen[2] = { 0 };

	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && !conf_errors_full(loader->errors); pair++) {
		yaml_node_t *key = yaml_document_get_node(loader->doc, pair->key),
			    *value = yaml_document_get_node(loader->doc, pair->value);
		size_t i = 0;

		if (!is_usable_key(loader, key))
			continue;
		while (i < 2 && strcmp(known[i], text_of(key)) != 0)
			i++;
		if (i == 2)
			add_unknown(loader, key, " in access:", known, 2);
		else if (seen[i] != 0)
			conf_error_add(loader->errors, loader->path, line_of(key),
				       "%s: is there twice (first in line %u), expected once",
				       known[i], seen[i]);
		else if (i == 0)
			walk_users(loader, value, line_of(key));
		else
			walk_proxy(loader, value, line_of(key));
		if (i < 2 && seen[i] == 0)
			seen[i] = line_of(key);
	}
}

static void
walk_section(struct conf_loader *loader, const char *name, yaml_node_t *node, unsigned key_line)
{
	if (strcmp(name, "cameras") == 0)
		walk_cameras(loader, node, key_line);
	else if (node->type != YAML_MAPPING_NODE && !is_null(node))
		conf_error_add(loader->errors, loader->path, key_line,
			       "%s: %s, expected keys below it", name, shape_of(node));
	else if (node->type == YAML_MAPPING_NODE && strcmp(name, "access") == 0)
		walk_access(loader, node);
	else if (node->type == YAML_MAPPING_NODE)
		walk_mapping(loader, name, node, loader->conf, &loader->lines);
}

/* The sections that are there, by their place in the table. */
struct seen {
	unsigned line[16];
};

static void
walk_root_pair(struct conf_loader *loader, yaml_node_t *key, yaml_node_t *value, struct seen *seen)
{
	const char *known[16], *name;
	size_t n = 0;

	for (; (name = conf_section_at(n)) != NULL; n++) {
		known[n] = name;
		if (strcmp(name, text_of(key)) != 0)
			continue;
		if (seen->line[n] != 0) {
			conf_error_add(loader->errors, loader->path, line_of(key),
				       "%s: is there twice (first in line %u), expected once", name,
				       seen->line[n]);
			return;
		}
		seen->line[n] = line_of(key);
		walk_section(loader, name, value, line_of(key));
		return;
	}
	add_unknown(loader, key, "", known, n);
}

void
conf_walk(struct conf_loader *loader)
{
	yaml_node_t *root = yaml_document_get_root_node(loader->doc);
	struct seen seen = { 0 };

	if (is_null(root)) {
		conf_error_add(loader->errors, loader->path, line_of(root),
			       "the file is empty, expected at least \"cameras:\"");
		return;
	}
	if (root->type != YAML_MAPPING_NODE) {
		conf_error_add(loader->errors, loader->path, line_of(root),
			       "%s, expected sections such as \"cameras:\"", shape_of(root));
		return;
	}
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top && !conf_errors_full(loader->errors); pair++) {
		yaml_node_t *key = yaml_document_get_node(loader->doc, pair->key);

		if (is_usable_key(loader, key))
			walk_root_pair(loader, key,
				       yaml_document_get_node(loader->doc, pair->value), &seen);
	}
}
