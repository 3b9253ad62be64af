/*
 * The rules that the table cannot say: names and URLs, names that must be unique or exist
 * elsewhere, addresses, and keys that depend on each other.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

static int refuse(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
refuse(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, URL_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

bool
conf_name_is_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(name);

	return len >= 1 && len <= CONF_CAMERA_NAME_BYTES && strchr(first, name[0]) != NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* A camera's page is /NAME: these addresses are taken, or will be; and http and rtc are fronts. */
static bool
is_reserved_name(const char *name)
{
	static const char *const reserved[] = { "api", "healthz", "http",  "metrics",
						"rtc", "ws",      "login", "logout" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(name, reserved[i]) == 0)
			return true;
	return false;
}

int
conf_check_name(const char *value, char *err)
{
	char shown[CONF_SHOW_BYTES];

	if (is_reserved_name(value))
		return refuse(err,
			      "bad name \"%s\", expected one that is no address of camhub itself",
			      value);
	if (conf_name_is_valid(value))
		return 0;
	return refuse(
	    err, "bad name %s, expected 1 to %d of a-z 0-9 _ - that begin with a letter or digit",
	    conf_show(strpbrk(value, "@:") == NULL ? value : "...", shown), CONF_CAMERA_NAME_BYTES);
}

int
conf_check_url(const char *value, char *err)
{
	struct url url;
	int rc = url_parse(value, &url, err);

	if (rc < 0)
		return rc;
	if (url.has_userinfo)
		rc = refuse(err, "user or password in the URL, expected credentials: NAME and a "
				 "line NAME:USER:PASSWORD in the credentials file");
	url_clear(&url);
	return rc;
}

int
conf_check_text(const char *value, char *err)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return refuse(err, "control character in the text, expected plain text");
	return 0;
}

int
conf_check_listen(const char *value, char *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	char shown[CONF_SHOW_BYTES];

	if (conf_address_parse(value, &addr, &len) == 0)
		return 0;
	return refuse(
	    err, "wrong address %s, expected \"127.0.0.1:8080\" or \"[::1]:8080\", port 1 to 65535",
	    conf_show(value, shown));
}

int
conf_check_origin(const char *value, char *err)
{
	struct url url;
	char reason[URL_ERROR_MAX];
	const char *rest = strstr(value, "://");
	bool right = rest != NULL && strpbrk(rest + 3, "/?#@") == NULL &&
		     url_parse(value, &url, reason) == 0;

	if (right) {
		right =
		    strcmp(url.scheme->name, "http") == 0 || strcmp(url.scheme->name, "https") == 0;
		url_clear(&url);
	}
	return right ? 0
		     : refuse(err, "wrong origin, expected scheme, host and port only, such as "
				   "https://example.net");
}

int
conf_check_event_url(const char *value, char *err)
{
	struct url url;
	int rc = url_parse(value, &url, err);

	if (rc < 0)
		return rc;
	/* It is sent as a part of a request's first line. */
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			rc = -EINVAL;
	if (rc < 0 || url.has_userinfo ||
	    (strcmp(url.scheme->name, "http") != 0 && strcmp(url.scheme->name, "https") != 0))
		rc = refuse(err,
			    "wrong URL, expected http:// or https:// without user and password");
	url_clear(&url);
	return rc;
}

int
conf_check_group(const char *value, char *err)
{
	char shown[CONF_SHOW_BYTES];

	if (getgrnam(value) != NULL)
		return 0;
	return refuse(err, "no group %s on this system, expected an existing one",
		      conf_show(value, shown));
}

bool
conf_tls_is_valid(const char *tls)
{
	static const char pin[] = "sha256:";
	const char *digits = tls + sizeof(pin) - 1;

	if (strcmp(tls, "verify") == 0 || strcmp(tls, "insecure") == 0)
		return true;
	return strncmp(tls, pin, sizeof(pin) - 1) == 0 && strlen(digits) == 64 &&
	       strspn(digits, "0123456789abcdefABCDEF") == 64;
}

int
conf_check_tls(const char *value, char *err)
{
	if (conf_tls_is_valid(value))
		return 0;
	return refuse(err, "wrong value, expected verify, insecure or sha256: and the 64 "
			   "hexadecimal digits of the certificate's SHA-256");
}

static unsigned
line_of_key(const struct conf_lines *lines, const char *section, const char *name)
{
	unsigned line = lines->line[conf_key_index(section, name)];

	return line != 0 ? line : 1;
}

static bool
is_given(const struct conf_lines *lines, const char *section, const char *name)
{
	return lines->line[conf_key_index(section, name)] != 0;
}

static void
apply_listen(struct conf_loader *loader)
{
	struct conf *conf = loader->conf;

	conf->n_listen = 0;
	conf->listen = xcalloc(conf->listen_text.n + 1, sizeof(*conf->listen));
	for (size_t i = 0; i < conf->listen_text.n; i++) {
		struct conf_listen *listen = &conf->listen[i];
		unsigned line = conf->listen_text.lines[i];

		listen->text = conf->listen_text.list[i];
		if (conf_address_parse(listen->text, &listen->addr, &listen->addr_len) < 0)
			continue;
		conf->n_listen++;
		for (size_t j = 0; j < i; j++)
			if (strcmp(conf->listen[j].text, listen->text) == 0)
				conf_error_add(loader->errors, loader->path, line,
					       "listen: \"%s\" is there twice, expected once",
					       listen->text);
		if (!conf->insecure && conf->n_users == 0 &&
		    !conf_address_is_loopback((const struct sockaddr *)&listen->addr))
			conf_error_add(
			    loader->errors, loader->path, line,
			    "listen: \"%s\" can be reached from other machines and there are no "
			    "users, expected a loopback address, access: users: or insecure: true",
			    listen->text);
	}
	if (conf->n_listen == 0 && is_given(&loader->lines, "http", "listen") &&
	    loader->errors->n == 0)
		conf_error_add(loader->errors, loader->path,
			       line_of_key(&loader->lines, "http", "listen"),
			       "listen: an empty list, expected at least one address");
}

static void
apply_bus(struct conf_loader *loader)
{
	struct conf *conf = loader->conf;
	const struct group *group;

	conf->bus_gid = (gid_t)-1;
	if (conf->bus_group == NULL)
		return;
	group = getgrnam(conf->bus_group);
	if (group != NULL)
		conf->bus_gid = group->gr_gid;
	if (!is_given(&loader->lines, "bus", "mode"))
		conf->bus_mode = 0660;
	else if (conf->bus_mode != 0660)
		conf_error_add(loader->errors, loader->path,
			       line_of_key(&loader->lines, "bus", "mode"),
			       "mode: 0600 keeps the group out, expected 0660 with group:");
}

static void
check_order(struct conf_loader *loader, const char *section, const char *small_name, int64_t small,
	    const char *large_name, int64_t large)
{
	unsigned line;

	if (small <= large)
		return;
	line = is_given(&loader->lines, section, small_name)
		   ? line_of_key(&loader->lines, section, small_name)
		   : line_of_key(&loader->lines, section, large_name);
	conf_error_add(loader->errors, loader->path, line,
		       "%s: more than %s:, expected at most that", small_name, large_name);
}

static void
apply_numbers(struct conf_loader *loader)
{
	struct conf *conf = loader->conf;

	conf->restart_front.good_ms = backoff_front.good_ms;
	conf->restart_front.jitter_percent = conf->restart_worker.jitter_percent;
	check_order(loader, "restart", "first", conf->restart_worker.first_ms, "max",
		    conf->restart_worker.max_ms);
	check_order(loader, "restart", "front_first", conf->restart_front.first_ms, "front_max",
		    conf->restart_front.max_ms);
	check_order(loader, "limits", "viewer_lag", conf->viewer_lag_bytes, "ring",
		    conf->ring_bytes);
}

static void
apply_credentials(struct conf_loader *loader, struct conf_camera *camera, unsigned line)
{
	const struct conf_cred *cred;

	if (!conf_name_is_valid(camera->credentials)) {
		conf_error_add(loader->errors, loader->path, line,
			       "credentials: not a name, expected the NAME of a line "
			       "NAME:USER:PASSWORD in the "
			       "credentials file");
		return;
	}
	if (loader->creds == NULL) {
		if (loader->creds_readable)
			conf_error_add(loader->errors, loader->path, line,
				       "credentials: there is no credentials file, expected "
				       "--credentials FILE "
				       "or $CREDENTIALS_DIRECTORY/cameras");
		return;
	}
	cred = conf_creds_find(loader->creds, camera->credentials);
	if (cred == NULL) {
		conf_error_add(
		    loader->errors, loader->path, line,
		    "credentials: no \"%s\" in %s, expected a line %s:USER:PASSWORD there",
		    camera->credentials, loader->conf->creds_path, camera->credentials);
		return;
	}
	camera->user = xstrdup(cred->user);
	camera->password = xstrdup(cred->password);
}

static void
check_unique(struct conf_loader *loader, size_t index)
{
	const struct conf_camera *cameras = loader->conf->cameras;
	const char *name = cameras[index].name;

	for (size_t i = 0; i < index; i++) {
		if (cameras[i].name == NULL || strcmp(cameras[i].name, name) != 0)
			continue;
		conf_error_add(loader->errors, loader->path,
			       line_of_key(&loader->camera_lines[index], "cameras", "name"),
			       "name: \"%s\" is already a camera (line %u), expected another name",
			       name, line_of_key(&loader->camera_lines[i], "cameras", "name"));
		return;
	}
}

static bool
has_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return url != NULL && strncasecmp(url, scheme, len) == 0 && url[len] == ':';
}

static void
check_transport(struct conf_loader *loader, const struct conf_camera *camera,
		const struct conf_lines *lines)
{
	const char *const urls[] = { camera->url, camera->sub };

	if (camera->transport != CONF_TRANSPORT_UDP)
		return;
	for (size_t i = 0; i < 2; i++)
		if (has_scheme(urls[i], "rtsps")) {
			conf_error_add(loader->errors, loader->path,
				       line_of_key(lines, "cameras", "transport"),
				       "transport: rtsps:// has no udp, expected tcp or auto");
			return;
		}
}

static void
check_tls(struct conf_loader *loader, const struct conf_camera *camera,
	  const struct conf_lines *lines)
{
	if (!is_given(lines, "cameras", "tls") || camera->url == NULL)
		return;
	if (!has_scheme(camera->url, "rtsps") && !has_scheme(camera->sub, "rtsps"))
		conf_error_add(loader->errors, loader->path, line_of_key(lines, "cameras", "tls"),
			       "tls: for rtsps:// alone, expected that scheme or no tls:");
	else if (camera->ingest == CONF_INGEST_AV && strcmp(camera->tls, "insecure") != 0)
		conf_error_add(loader->errors, loader->path, line_of_key(lines, "cameras", "tls"),
			       "tls: ingest: av checks no certificate, expected ingest: auto or "
			       "tls: insecure");
}

static void
apply_camera(struct conf_loader *loader, size_t index)
{
	struct conf_camera *camera = &loader->conf->cameras[index];
	const struct conf_lines *lines = &loader->camera_lines[index];

	if (camera->name != NULL) {
		check_unique(loader, index);
		if (camera->title == NULL)
			camera->title = xstrdup(camera->name);
	}
	if (camera->credentials != NULL)
		apply_credentials(loader, camera, line_of_key(lines, "cameras", "credentials"));
	check_transport(loader, camera, lines);
	check_tls(loader, camera, lines);
}

void
conf_apply_rules(struct conf_loader *loader)
{
	apply_listen(loader);
	apply_bus(loader);
	apply_numbers(loader);
	conf_apply_access(loader);
	conf_apply_tls(loader);
	conf_apply_rtc(loader);
	for (size_t i = 0; i < loader->conf->n_cameras; i++)
		apply_camera(loader, i);
}
