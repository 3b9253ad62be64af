/*
 * The credentials file. Its errors name the line and never what stands in it.
 */
#include "config.h"

#include "shared/conf_creds.h"

#include "shared/conf_internal.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

static void
wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void
conf_creds_free(struct conf_creds **creds)
{
	if (creds == NULL || *creds == NULL)
		return;
	for (size_t i = 0; i < (*creds)->n; i++) {
		free((*creds)->list[i].name);
		wipe(&(*creds)->list[i].user);
		wipe(&(*creds)->list[i].password);
	}
	free((*creds)->list);
	free(*creds);
	*creds = NULL;
}

const struct conf_cred *
conf_creds_find(const struct conf_creds *creds, const char *name)
{
	for (size_t i = 0; creds != NULL && i < creds->n; i++)
		if (strcmp(creds->list[i].name, name) == 0)
			return &creds->list[i];
	return NULL;
}

/* What a control message can carry: UTF-8 of bounded length without control bytes. */
static bool
is_sendable(const char *text)
{
	json_t *string = json_string(text);

	if (string == NULL)
		return false;
	json_decref(string);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return strlen(text) <= CREDS_FIELD_BYTES;
}

static const char *
mistake_in(const struct conf_creds *creds, const char *name, const char *user, const char *password)
{
	if (user == NULL || password == NULL)
		return "not three fields, expected NAME:USER:PASSWORD";
	if (!conf_name_is_valid(name))
		return "bad name in the first field, expected a-z 0-9 _ - (at most 32)";
	if (user[0] == '\0')
		return "empty user, expected NAME:USER:PASSWORD";
	if (!is_sendable(user) || !is_sendable(password))
		return "user or password not usable, expected UTF-8 without control characters, "
		       "each "
		       "at most 256 bytes";
	if (conf_creds_find(creds, name) != NULL)
		return "this name was there before, expected each once";
	if (creds->n >= CREDS_MAX_ENTRIES)
		return "too many lines, expected at most 4096";
	return NULL;
}

/* text is ours to write into; it has no line end. */
static void
add_line(struct conf_creds *creds, char *text, const char *path, unsigned line,
	 struct conf_errors *errors)
{
	char *rest = text, *name, *user;
	const char *mistake;

	if (text[strspn(text, " \t")] == '\0' || text[strspn(text, " \t")] == '#')
		return;
	name = strsep(&rest, ":");
	user = strsep(&rest, ":");
	mistake = mistake_in(creds, name, user, rest);
	if (mistake != NULL) {
		conf_error_add(errors, path, line, "%s", mistake);
		return;
	}
	creds->list = xreallocarray(creds->list, creds->n + 1, sizeof(*creds->list));
	creds->list[creds->n++] =
	    (struct conf_cred){ xstrdup(name), xstrdup(user), xstrdup(rest), line };
}

static void
add_lines(struct conf_creds *creds, char *text, size_t len, const char *path,
	  struct conf_errors *errors)
{
	char *end = text + len;
	unsigned line = 1;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (; text < end; line++) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *stop = newline != NULL ? newline : end;
		char *next = newline != NULL ? newline + 1 : end;

		if (stop > text && stop[-1] == '\r')
			stop--;
		*stop = '\0';
		if (strlen(text) != (size_t)(stop - text))
			conf_error_add(errors, path, line, "NUL byte in the line, expected text");
		else
			add_line(creds, text, path, line, errors);
		text = next;
	}
}

int
conf_creds_load(const char *path, struct conf_creds **creds, struct conf_errors *errors)
{
	char *text = NULL;
	size_t len = 0, before = errors->n + errors->more;
	int rc = conf_file_read(path, true, &text, &len, errors);

	if (rc < 0)
		return rc;
	*creds = xcalloc(1, sizeof(**creds));
	add_lines(*creds, text, len, path, errors);
	explicit_bzero(text, len);
	free(text);
	return errors->n + errors->more > before ? -EINVAL : 0;
}

char *
conf_default_credentials(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct stat st;
	char *path;

	if (dir == NULL || dir[0] != '/')
		return NULL;
	path = xasprintf("%s/cameras", dir);
	if (stat(path, &st) == 0)
		return path;
	free(path);
	return NULL;
}

bool
conf_credentials_are_frozen(const char *creds_path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len = dir != NULL ? strlen(dir) : 0;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return creds_path != NULL && len > 1 && strncmp(creds_path, dir, len) == 0 &&
	       creds_path[len] == '/' && strstr(creds_path + len, "/..") == NULL;
}

bool
conf_credentials_may_be_stale(const char *creds_path, const char *source)
{
	struct stat copy, original;

	if (!conf_credentials_are_frozen(creds_path) || stat(creds_path, &copy) < 0)
		return false;
	if (stat(source != NULL ? source : CAMHUB_SYSCONF_DIR "/cameras.cred", &original) < 0)
		return errno != ENOENT;
	return original.st_mtim.tv_sec > copy.st_mtim.tv_sec ||
	       (original.st_mtim.tv_sec == copy.st_mtim.tv_sec &&
		original.st_mtim.tv_nsec > copy.st_mtim.tv_nsec);
}
