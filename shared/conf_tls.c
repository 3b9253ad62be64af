/*
 * The certificate and the key that tls: names, as one text. Whether they fit together is for whom
 * they are given to.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>

static int
check_content(const char *path, const char *text, const char *wanted, const char *name,
	      struct conf_errors *errors)
{
	if (strstr(text, wanted) != NULL)
		return 0;
	conf_error_add(errors, path, 1, "there is no %s in it, expected one in PEM form", name);
	return -EINVAL;
}

static void
wipe(char **text, size_t len)
{
	if (*text == NULL)
		return;
	explicit_bzero(*text, len);
	free(*text);
	*text = NULL;
}

int
conf_tls_read(const struct conf *conf, char **pem, size_t *len, struct conf_errors *errors)
{
	char *certificate = NULL, *key = NULL;
	size_t certificate_len = 0, key_len = 0;
	int rc, rc_key;

	rc = conf_file_read(conf->tls_certificate, false, &certificate, &certificate_len, errors);
	if (rc == 0)
		rc = check_content(conf->tls_certificate, certificate,
				   "-----BEGIN CERTIFICATE-----", "certificate", errors);
	rc_key = conf_file_read(conf->tls_key, true, &key, &key_len, errors);
	if (rc_key == 0)
		rc_key = check_content(conf->tls_key, key, " KEY-----", "private key", errors);
	if (rc == 0)
		rc = rc_key;
	if (rc == 0) {
		*len = certificate_len + 1 + key_len;
		*pem = xmalloc(*len + 1);
		memcpy(*pem, certificate, certificate_len);
		(*pem)[certificate_len] = '\n';
		memcpy(*pem + certificate_len + 1, key, key_len);
		(*pem)[*len] = '\0';
	}
	free(certificate);
	wipe(&key, key_len);
	return rc;
}

static unsigned
line_of(const struct conf_loader *loader, const char *name)
{
	return loader->lines.line[conf_key_index("tls", name)];
}

void
conf_apply_tls(struct conf_loader *loader)
{
	const struct conf *conf = loader->conf;

	/* One that was refused has been told already. */
	if (conf->tls_certificate != NULL && line_of(loader, "key") == 0)
		conf_error_add(loader->errors, loader->path, line_of(loader, "certificate"),
			       "certificate: without key:, expected both or none");
	if (line_of(loader, "certificate") == 0 && conf->tls_key != NULL)
		conf_error_add(loader->errors, loader->path, line_of(loader, "key"),
			       "key: without certificate:, expected both or none");
	if (conf->tls_hsts && line_of(loader, "certificate") == 0)
		conf_error_add(loader->errors, loader->path, line_of(loader, "hsts"),
			       "hsts: without certificate:, expected TLS");
}

int
conf_check_path(const char *value, char *err)
{
	char shown[CONF_SHOW_BYTES];

	if (value[0] == '/')
		return 0;
	snprintf(err, URL_ERROR_MAX, "%s is no absolute path, expected one that begins with /",
		 conf_show(value, shown));
	return -EINVAL;
}

int
conf_check_host(const char *value, char *err)
{
	static const char chars[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char shown[CONF_SHOW_BYTES];

	if (value[0] != '.' && strspn(value, chars) == strlen(value))
		return 0;
	snprintf(
	    err, URL_ERROR_MAX,
	    "wrong name %s, expected a host's without scheme and port, such as cams.example.net",
	    conf_show(value, shown));
	return -EINVAL;
}
