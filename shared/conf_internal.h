/*
 * What the parts of the configuration loader (conf*.c) share; nobody else includes this.
 */
#ifndef CAMHUB_SHARED_CONF_INTERNAL_H
#define CAMHUB_SHARED_CONF_INTERNAL_H

#include "shared/conf.h"
#include "shared/conf_creds.h"

#include <yaml.h>

/* Line of each key of one mapping, by its index in the table; 0 when it is not there. */
struct conf_lines {
	unsigned line[CONF_MAX_KEYS];
};

/* One load under way. */
struct conf_loader {
	const char *path;
	struct conf_errors *errors;
	struct conf *conf;
	const struct conf_creds *creds; /* NULL: there is no credentials file */
	bool creds_readable;            /* false: said once; do not complain about each name */
	yaml_document_t *doc;
	struct conf_lines lines;         /* of the sections */
	struct conf_lines *camera_lines; /* of each camera */
	struct conf_lines *user_lines;
};

/* conf_errors.c */
void conf_error_add(struct conf_errors *errors, const char *file, unsigned line, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
bool conf_errors_full(const struct conf_errors *errors);
/* value in quotes, cut and escaped so that it cannot spoil a terminal; buf: CONF_SHOW_BYTES. */
#define CONF_SHOW_BYTES 96
const char *conf_show(const char *value, char *buf);
/* The nearest of the candidates within two typing mistakes, or NULL. */
const char *conf_did_you_mean(const char *word, const char *const *candidates, size_t n);

/* conf_file.c: a whole regular file of at most CONF_MAX_FILE_BYTES. 0 and *text (malloc'd, NUL
 * behind it), *len; or negative errno and *errors. secret: mode and owner must be safe. */
int conf_file_read(const char *path, bool secret, char **text, size_t *len,
		   struct conf_errors *errors);

/* conf_yaml.c: text -> *doc (the caller's to delete). -EINVAL and *errors when there is nothing to
 * go on with; 0 possibly with errors added. */
int conf_yaml_load(const char *path, const char *text, size_t len, yaml_document_t *doc,
		   struct conf_errors *errors);

/* conf_schema.c */
bool conf_has_section(const char *name);
const char *conf_section_at(size_t index);                    /* NULL behind the last */
size_t conf_key_index(const char *section, const char *name); /* asserts that it exists */
void conf_set_defaults(void *base, const char *section);
/* True for sections whose keys belong to each item of a list, not to struct conf. */
bool conf_is_item_section(const char *section);
/* The fields of one such item or, section NULL, all of struct conf. */
void conf_free_keys(void *base, const char *section);
bool conf_key_equal(const struct conf_key *key, const void *a, const void *b);

/* conf_value.c: text -> the key's field in base. 0 or -EINVAL and why in err (URL_ERROR_MAX). */
int conf_value_set(const struct conf_key *key, const char *text, void *base, char *err);
void conf_strings_add(struct conf_strings *strings, const char *text, unsigned line);
/* "a duration from 100ms to 10m, such as 5s": what the key takes. buf: URL_ERROR_MAX. */
const char *conf_expect(const struct conf_key *key, char *buf);

/* conf_walk.c: the document into loader->conf; errors are added. */
void conf_walk(struct conf_loader *loader);

/* conf_rules.c: what the table cannot say: names, URLs, credentials, addresses, pairs of keys. */
void conf_apply_rules(struct conf_loader *loader);
int conf_check_name(const char *value, char *err);
int conf_check_url(const char *value, char *err);
int conf_check_text(const char *value, char *err);
int conf_check_listen(const char *value, char *err);
int conf_check_event_url(const char *value, char *err);
int conf_check_origin(const char *value, char *err);
int conf_check_group(const char *value, char *err);
int conf_check_tls(const char *value, char *err);

/* conf_tls.c: the same for tls:, and for the names of http:. */
void conf_apply_tls(struct conf_loader *loader);
int conf_check_path(const char *value, char *err);
int conf_check_host(const char *value, char *err);

/* conf_rtc.c: the same for rtc:. */
void conf_apply_rtc(struct conf_loader *loader);
int conf_check_ip(const char *value, char *err);
int conf_check_ice_server(const char *value, char *err);

/* conf_access.c: the same for access:. */
void conf_apply_access(struct conf_loader *loader);
int conf_check_user(const char *value, char *err);
int conf_check_glob(const char *value, char *err);
int conf_check_network(const char *value, char *err);
int conf_check_header(const char *value, char *err);
bool conf_users_equal(const struct conf *a, const struct conf *b);
void conf_free_users(struct conf *conf);

#endif
