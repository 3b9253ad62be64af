/*
 * The rules of rtc: that the table cannot say: addresses, servers of ICE, and their password.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define PORT_CHARS "0123456789"
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Without a port: "192.0.2.7", "2001:db8::7". */
int
conf_ip_parse(const char *text, uint16_t port, struct sockaddr_storage *addr, socklen_t *addr_len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memset(addr, 0, sizeof(*addr));
		memcpy(addr, &in, sizeof(in));
		*addr_len = sizeof(in);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
		memset(addr, 0, sizeof(*addr));
		memcpy(addr, &in6, sizeof(in6));
		*addr_len = sizeof(in6);
		return 0;
	}
	return -EINVAL;
}

int
conf_check_ip(const char *value, char *err)
{
	struct sockaddr_storage addr;
	char shown[CONF_SHOW_BYTES];
	socklen_t len;

	if (conf_ip_parse(value, 0, &addr, &len) == 0)
		return 0;
	snprintf(err, URL_ERROR_MAX,
		 "wrong address %s, expected one without port, such as 192.0.2.7 or 2001:db8::7",
		 conf_show(value, shown));
	return -EINVAL;
}

/* "192.0.2.1", "[2001:db8::1]", "turn.example.net" and perhaps ":3478"; what follows, or NULL. */
static const char *
skip_host(const char *text)
{
	size_t len;

	if (*text == '[') {
		len = strspn(text + 1, "0123456789abcdefABCDEF:.");
		if (len == 0 || text[1 + len] != ']')
			return NULL;
		text += len + 2;
	} else {
		len = strspn(text, HOST_CHARS);
		if (len == 0)
			return NULL;
		text += len;
	}
	if (*text != ':')
		return text;
	len = strspn(text + 1, PORT_CHARS);
	return len >= 1 && len <= 5 ? text + 1 + len : NULL;
}

static bool
is_turn(const char *server)
{
	return strncmp(server, "turn", 4) == 0;
}

/* RFC 7064, RFC 7065. */
int
conf_check_ice_server(const char *value, char *err)
{
	static const char *const schemes[] = { "stun:", "stuns:", "turn:", "turns:" };
	const char *rest = NULL;
	char shown[CONF_SHOW_BYTES];

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(value, schemes[i], strlen(schemes[i])) == 0)
			rest = skip_host(value + strlen(schemes[i]));
	if (rest != NULL &&
	    (*rest == '\0' || (is_turn(value) && (strcmp(rest, "?transport=udp") == 0 ||
						  strcmp(rest, "?transport=tcp") == 0))))
		return 0;
	snprintf(err, URL_ERROR_MAX,
		 "wrong server %s, expected stun:HOST:PORT or turn:HOST:PORT, for turn perhaps "
		 "with ?transport=udp or tcp",
		 conf_show(value, shown));
	return -EINVAL;
}

static unsigned
line_of(const struct conf_loader *loader, const char *name)
{
	unsigned line = loader->lines.line[conf_key_index("rtc", name)];

	return line != 0 ? line : 1;
}

/* The same rule as for the listeners of http. */
static void
check_listen(struct conf_loader *loader)
{
	const struct conf *conf = loader->conf;
	struct sockaddr_storage addr;
	socklen_t len;

	if (conf->insecure || conf->n_users > 0)
		return;
	for (size_t i = 0; i < conf->rtc_listen.n; i++) {
		const char *text = conf->rtc_listen.list[i];

		if (conf_ip_parse(text, 0, &addr, &len) < 0 ||
		    conf_address_is_loopback((const struct sockaddr *)&addr))
			continue;
		conf_error_add(loader->errors, loader->path, conf->rtc_listen.lines[i],
			       "listen: \"%s\" can be reached from other machines and there are no "
			       "users, expected a loopback address, access: users: or http: "
			       "insecure: true",
			       text);
	}
}

static bool
has_turn(const struct conf *conf)
{
	for (size_t i = 0; i < conf->ice_servers.n; i++)
		if (is_turn(conf->ice_servers.list[i]))
			return true;
	return false;
}

static void
apply_credentials(struct conf_loader *loader)
{
	struct conf *conf = loader->conf;
	const struct conf_cred *cred;

	if (conf->ice_credentials == NULL) {
		if (has_turn(conf))
			conf_error_add(loader->errors, loader->path, line_of(loader, "ice_servers"),
				       "ice_servers: a turn: server wants a password, expected "
				       "ice_credentials:");
		return;
	}
	cred = loader->creds != NULL ? conf_creds_find(loader->creds, conf->ice_credentials) : NULL;
	if (cred != NULL) {
		conf->ice_user = xstrdup(cred->user);
		conf->ice_password = xstrdup(cred->password);
	} else if (loader->creds_readable) {
		conf_error_add(loader->errors, loader->path, line_of(loader, "ice_credentials"),
			       "ice_credentials: not a name in the credentials file, expected that "
			       "of a line NAME:USER:PASSWORD there");
	}
}

void
conf_apply_rtc(struct conf_loader *loader)
{
	check_listen(loader);
	apply_credentials(loader);
}
