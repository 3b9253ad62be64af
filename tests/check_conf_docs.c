/*
 * The schema table, the manual page and the example say the same: every key is in all three, with
 * its default, and none has a key that is not in the table.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/conf.h"
#include "shared/url.h"
#include "shared/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *
read_source(const char *name)
{
	char *path = xasprintf("%s/%s", SOURCE_DIR, name), *text;
	FILE *file = fopen(path, "re");
	size_t len;

	ck_assert_msg(file != NULL, "%s", path);
	text = xcalloc(1, 1 << 20);
	len = fread(text, 1, (1 << 20) - 1, file);
	ck_assert_uint_gt(len, 0);
	fclose(file);
	free(path);
	return text;
}

static const struct conf_key *
find(const char *section, const char *name)
{
	const struct conf_key *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++)
		if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

/* A line of the man page, roff's marks taken out: ".Li 10s ;" gives "10s". */
static const char *
literal(char *line)
{
	char *end;

	if (strncmp(line, ".Li ", 4) != 0)
		return NULL;
	line += 4;
	end = line + strcspn(line, " ");
	if (strncmp(end, " ;", 2) == 0 || strncmp(end, " .", 2) == 0 || strncmp(end, " ,", 2) == 0)
		*end = '\0';
	return line;
}

START_TEST(test_manual_page)
{
	char *text = read_source("docs/man/camhub.yaml.5.in"), *next = text, *line;
	char section[32] = "", missing[1024] = "";
	const struct conf_key *key = NULL;
	bool seen[CONF_MAX_KEYS] = { false }, has_default[CONF_MAX_KEYS] = { false };
	bool after_default = false;

	while ((line = strsep(&next, "\n")) != NULL) {
		if (strncmp(line, ".Ss ", 4) == 0) {
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 4, ":"),
				 line + 4);
			key = NULL;
		} else if (strncmp(line, ".It Cm ", 7) == 0) {
			key = find(section, line + 7);
			ck_assert_msg(key != NULL, "%s in \"%s\" is no key", line + 7, section);
			for (size_t i = 0; conf_key(i) != NULL; i++)
				if (conf_key(i) == key)
					seen[i] = true;
		}
		if (key != NULL && after_default && key->default_text != NULL) {
			const char *value = literal(line);

			ck_assert_msg(value != NULL && strcmp(value, key->default_text) == 0,
				      "%s.%s: default %s, but the page has %s", key->section,
				      key->name, key->default_text, line);
			for (size_t i = 0; conf_key(i) != NULL; i++)
				has_default[i] |= conf_key(i) == key;
		}
		after_default = strcmp(line, "Default:") == 0;
	}
	for (size_t i = 0; (key = conf_key(i)) != NULL; i++)
		if (!seen[i] || (key->default_text != NULL && !has_default[i]))
			sprintf(missing + strlen(missing), " %s.%s", key->section, key->name);
	ck_assert_msg(missing[0] == '\0', "not in camhub.yaml(5), or not with its default:%s",
		      missing);
	free(text);
}
END_TEST

/* The sources that the page names are taken, and each scheme is named. */
START_TEST(test_manual_page_sources)
{
	char *text = read_source("docs/man/camhub.yaml.5.in");
	const struct url_scheme *scheme;
	char word[64];

	for (size_t i = 0; (scheme = url_scheme_at(i)) != NULL; i++) {
		snprintf(word, sizeof(word), "Ql %s:", scheme->name);
		ck_assert_msg(strstr(text, word) != NULL, "%s", word);
	}
	free(text);
}
END_TEST

static bool
is_key_char(char c)
{
	return islower((unsigned char)c) || c == '_';
}

/* The example with every "#key:" made a "key:". */
static char *
uncommented(const char *text)
{
	char *out = xmalloc(strlen(text) + 1), *p = out;
	bool at_start = true;

	for (; *text != '\0'; text++) {
		const char *word = text + 1 + (strncmp(text, "#- ", 3) == 0 ? 2 : 0);
		size_t len = 0;

		while (is_key_char(word[len]))
			len++;
		if (*text == '#' && at_start && len > 0 && word[len] == ':')
			continue;
		at_start = *text == '\n' || (at_start && *text == ' ');
		*p++ = *text;
	}
	*p = '\0';
	return out;
}

static struct conf *
load(const char *text)
{
	const char *creds = harness_tmpfile("creds");
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	FILE *file = fopen(creds, "we");

	fputs("door:user:password\n", file);
	fclose(file);
	ck_assert_int_eq(chmod(creds, 0600), 0);
	if (conf_load_text("camhub.yaml", text, strlen(text), creds, &conf, &errors) < 0)
		ck_abort_msg("%s\nin:\n%s", conf_errors_text(&errors, 0), text);
	return conf;
}

static void
no_difference(const char *key, enum conf_reload reload, void *arg)
{
	(void)reload;
	(void)arg;
	/* Shown as one would write them, not as they are by default. */
	if (strcmp(key, "bus.mode") != 0 && strcmp(key, "bus.group") != 0 &&
	    strcmp(key, "on_event.url") != 0 && strcmp(key, "access.users") != 0 &&
	    strcmp(key, "access.proxy.from") != 0 && strcmp(key, "access.proxy.user_header") != 0 &&
	    strcmp(key, "tls.certificate") != 0 && strcmp(key, "tls.key") != 0 &&
	    strcmp(key, "rtc.ice_credentials") != 0)
		ck_abort_msg("%s: the example does not show the default", key);
}

START_TEST(test_example)
{
	char *text = read_source("etc/camhub.yaml"), *all = uncommented(text), word[64];
	struct conf *conf = load(text), *full = load(all), *defaults = conf_defaults();
	const struct conf_key *key;

	ck_assert_uint_eq(conf->n_cameras, 0);
	conf_diff_keys(defaults, conf, no_difference, NULL);
	conf_diff_keys(defaults, full, no_difference, NULL);
	ck_assert_uint_eq(conf->n_users, 0);
	ck_assert_uint_eq(full->n_users, 2);
	ck_assert_uint_eq(full->n_cameras, 1);
	ck_assert_uint_eq(full->n_streams, 2);
	ck_assert_str_eq(full->cameras[0].user, "user");
	ck_assert(!full->cameras[0].on_demand);
	ck_assert_int_eq(full->cameras[0].open_timeout_ms, 5000);
	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		snprintf(word, sizeof(word), " %s:", key->name);
		ck_assert_msg(strstr(all, word) != NULL, "%s is not in the example", key->name);
	}
	conf_free(&defaults);
	conf_free(&full);
	conf_free(&conf);
	free(all);
	free(text);
}
END_TEST

/* The table itself. */
START_TEST(test_table)
{
	const struct conf_key *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		ck_assert_ptr_eq(find(key->section, key->name), key);
		ck_assert_msg(key->help != NULL && key->help[0] != '\0', "%s", key->name);
		ck_assert_int_le(key->min, key->max);
		ck_assert_msg(key->required || key->default_text != NULL ||
				  key->kind == CONF_STRING || key->kind == CONF_STRINGS,
			      "%s.%s has no default", key->section, key->name);
	}
}
END_TEST

static Suite *
docs_suite(void)
{
	Suite *suite = suite_create("conf_docs");
	TCase *tcase = tcase_create("conf_docs");

	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_manual_page);
	tcase_add_test(tcase, test_manual_page_sources);
	tcase_add_test(tcase, test_example);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(docs_suite)
