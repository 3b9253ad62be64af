/*
 * Host and Origin headers.
 */
#include "config.h"

#include "http/names.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 253

/* Host: the name without port, brackets and last dot. false: malformed. */
static bool
read_host(const char *host, char name[NAME_MAX_BYTES + 1])
{
	bool has_brackets = host[0] == '[';
	size_t len = has_brackets ? strcspn(++host, "]") : strcspn(host, ":");
	const char *rest = host + len;

	if (has_brackets && *rest++ != ']')
		return false;
	if (*rest == ':')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest != '\0' || len == 0 || len > NAME_MAX_BYTES)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	return true;
}

static bool
is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool
is_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       strlen(name);
}

static bool
ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcasecmp(name + len - end_len, end) == 0;
}

/* No page of the public internet can have such a name. */
static bool
is_private(const char *name)
{
	static const char *const ends[] = { ".localhost", ".local",   ".lan",     ".home.arpa",
					    ".internal",  ".test",    ".example", ".invalid",
					    ".home",      ".intranet" };

	if (strchr(name, '.') == NULL)
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}

static bool
is_listed(const char *text, char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcasecmp(text, *list) == 0)
			return true;
	return false;
}

static bool
is_loopback(const char *name)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, name, bytes) == 1)
		return bytes[0] == 127;
	if (inet_pton(AF_INET6, name, bytes) == 1)
		return memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16) == 0;
	return strcasecmp(name, "localhost") == 0 || ends_with(name, ".localhost");
}

bool
names_is_loopback(const char *authority)
{
	char name[NAME_MAX_BYTES + 1];

	return read_host(authority, name) && (is_address(name) || is_name(name)) &&
	       is_loopback(name);
}

bool
names_host_is_allowed(const char *host, char *const *names, bool is_local)
{
	char name[NAME_MAX_BYTES + 1];

	if (host == NULL)
		return true;
	if (!read_host(host, name))
		return false;
	if (!is_address(name) && !is_name(name))
		return false;
	if (is_listed(name, names))
		return true;
	return is_local ? is_loopback(name) : is_address(name) || is_private(name);
}

/* Origins */

static const char *
skip_scheme(const char *origin, bool is_https, const char **default_port)
{
	if (!is_https && strncasecmp(origin, "http://", 7) == 0) {
		*default_port = ":80";
		return origin + 7;
	}
	if (is_https && strncasecmp(origin, "https://", 8) == 0) {
		*default_port = ":443";
		return origin + 8;
	}
	return NULL;
}

static size_t
len_without(const char *authority, const char *default_port)
{
	size_t len = strlen(authority), port = strlen(default_port);

	if (len > port && strcmp(authority + len - port, default_port) == 0)
		return len - port;
	return len;
}

static bool
is_same_host(const char *origin, const struct names_origins *known)
{
	const char *port, *authority = skip_scheme(origin, known->is_https, &port);
	size_t a, b;

	if (authority == NULL || known->host == NULL || authority[0] == '\0')
		return false;
	a = len_without(authority, port);
	b = len_without(known->host, port);
	return a == b && strncasecmp(authority, known->host, a) == 0;
}

enum names_origin
names_origin_of(const char *origin, const struct names_origins *known)
{
	if (origin == NULL)
		return NAMES_NO_ORIGIN;
	if (is_same_host(origin, known) || is_listed(origin, known->own))
		return NAMES_OWN_ORIGIN;
	return is_listed(origin, known->embed) ? NAMES_LISTED_ORIGIN : NAMES_FOREIGN_ORIGIN;
}
