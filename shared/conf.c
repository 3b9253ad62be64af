/*
 * Loading: files to text, text to document, document to snapshot, snapshot against the rules.
 */
#include "config.h"

#include "shared/conf.h"

#include "shared/conf_internal.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>

static struct conf *
conf_new(const char *path, const char *creds_path)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));

	conf->path = xstrdup(path);
	conf->creds_path = creds_path != NULL ? xstrdup(creds_path) : conf_default_credentials();
	for (size_t i = 0; conf_section_at(i) != NULL; i++)
		if (strcmp(conf_section_at(i), "cameras") != 0)
			conf_set_defaults(conf, conf_section_at(i));
	conf_set_defaults(conf, "access.proxy");
	return conf;
}

static void
free_camera(struct conf_camera *camera)
{
	conf_free_keys(camera, "cameras");
	if (camera->user != NULL)
		explicit_bzero(camera->user, strlen(camera->user));
	if (camera->password != NULL)
		explicit_bzero(camera->password, strlen(camera->password));
	free(camera->user);
	free(camera->password);
}

static void
free_ice(struct conf *conf)
{
	if (conf->ice_password != NULL)
		explicit_bzero(conf->ice_password, strlen(conf->ice_password));
	free(conf->ice_user);
	free(conf->ice_password);
}

void
conf_free(struct conf **conf)
{
	struct conf *old;

	if (conf == NULL || *conf == NULL)
		return;
	old = *conf;
	*conf = NULL;
	for (size_t i = 0; i < old->n_streams; i++)
		free(old->streams[i].name);
	free(old->streams);
	for (size_t i = 0; i < old->n_cameras; i++)
		free_camera(&old->cameras[i]);
	free(old->cameras);
	conf_free_users(old);
	free_ice(old);
	conf_free_keys(old, NULL);
	free(old->listen);
	free(old->creds_path);
	free(old->path);
	free(old);
}

static void
add_stream(struct conf *conf, size_t index, bool is_sub)
{
	const struct conf_camera *camera = &conf->cameras[index];

	conf->streams[conf->n_streams++] = (struct conf_stream){
		.name = xasprintf("%s%s", camera->name, is_sub ? ".sub" : ""),
		.is_sub = is_sub,
		.order = (unsigned)index,
		.camera = camera,
		.url = is_sub ? camera->sub : camera->url,
	};
}

static void
add_streams(struct conf *conf)
{
	conf->streams = xcalloc(2 * conf->n_cameras + 1, sizeof(*conf->streams));
	for (size_t i = 0; i < conf->n_cameras; i++) {
		add_stream(conf, i, false);
		if (conf->cameras[i].sub != NULL)
			add_stream(conf, i, true);
	}
}

int
conf_load_text(const char *path, const char *text, size_t len, const char *creds_path,
	       struct conf **conf, struct conf_errors *errors)
{
	size_t before = errors->n + errors->more;
	struct conf_creds *creds = NULL;
	yaml_document_t doc;
	struct conf_loader loader = {
		.path = path,
		.errors = errors,
		.conf = conf_new(path, creds_path),
		.creds_readable = true,
		.doc = &doc,
	};

	if (loader.conf->creds_path != NULL) {
		conf_creds_load(loader.conf->creds_path, &creds, errors);
		loader.creds_readable = creds != NULL;
		loader.creds = creds;
	}
	if (len > CONF_MAX_FILE_BYTES) {
		conf_error_add(errors, path, 1, "more than 1 MiB of text, expected less");
	} else if (conf_yaml_load(path, text, len, &doc, errors) == 0) {
		conf_walk(&loader);
		conf_apply_rules(&loader);
		yaml_document_delete(&doc);
	}
	free(loader.camera_lines);
	free(loader.user_lines);
	conf_creds_free(&creds);
	if (errors->n + errors->more > before) {
		conf_free(&loader.conf);
		return -EINVAL;
	}
	add_streams(loader.conf);
	*conf = loader.conf;
	return 0;
}

int
conf_load(const char *path, const char *creds_path, struct conf **conf, struct conf_errors *errors)
{
	struct conf_creds *creds = NULL;
	char *text = NULL, *default_path = NULL;
	size_t len = 0;
	int rc;

	if (conf_file_read(path, false, &text, &len, errors) == 0) {
		rc = conf_load_text(path, text, len, creds_path, conf, errors);
		free(text);
		return rc;
	}
	/* The other file's mistakes are told as well. */
	default_path = creds_path == NULL ? conf_default_credentials() : NULL;
	if (creds_path != NULL || default_path != NULL)
		conf_creds_load(creds_path != NULL ? creds_path : default_path, &creds, errors);
	conf_creds_free(&creds);
	free(default_path);
	return -EINVAL;
}

struct conf *
conf_defaults(void)
{
	struct conf_errors errors = { 0 };
	struct conf_loader loader = { .path = "", .errors = &errors };

	loader.conf = conf_new("", NULL);
	conf_apply_rules(&loader);
	add_streams(loader.conf);
	conf_errors_free(&errors);
	return loader.conf;
}

const struct conf_stream *
conf_find_stream(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_streams; i++)
		if (strcmp(conf->streams[i].name, name) == 0)
			return &conf->streams[i];
	return NULL;
}

const char *
conf_transport_name(int transport)
{
	const struct conf_word *word = conf_key(conf_key_index("cameras", "transport"))->words;

	for (; word->name != NULL; word++)
		if (word->value == transport)
			return word->name;
	return "?";
}
