/*
 * camhub-certificate, run by camctl certificate: makes a certificate or takes one over, tries it as
 * a front would, and puts it where the service can read it.
 */
#include "config.h"

#include "http/cert.h"
#include "http/tls.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_BAD_USAGE 2
#define DAYS           "397"
#define CERTIFICATE    "camhub.crt"
#define KEY            "camhub.key"

struct wish {
	struct cert_wish cert;
	char *found[CERT_NAMES_MAX]; /* names that were not given but found */
	const char *certificate, *key, *directory;
};

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "camctl: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

static int
usage(FILE *file)
{
	fputs("usage: camctl certificate [--name NAME]... [--days N] DIR\n"
	      "       camctl certificate --certificate FILE --key FILE DIR\n",
	      file);
	return file == stdout ? EXIT_SUCCESS : EXIT_BAD_USAGE;
}

/* The names of this machine */

static void
add_found(struct wish *wish, const char *name, const char *suffix)
{
	char *text = xasprintf("%s%s", name, suffix);
	size_t n = wish->cert.n_names;
	bool is_new = n < CERT_NAMES_MAX && cert_name_is_valid(text);

	for (size_t i = 0; i < n && is_new; i++)
		is_new = strcmp(wish->cert.names[i], text) != 0;
	if (!is_new) {
		free(text);
		return;
	}
	wish->found[n] = text;
	wish->cert.names[wish->cert.n_names++] = text;
}

static void
add_addresses(struct wish *wish)
{
	struct ifaddrs *all = NULL;
	char host[NI_MAXHOST];

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		int family = one->ifa_addr != NULL ? one->ifa_addr->sa_family : AF_UNSPEC;
		socklen_t len =
		    family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		if ((family == AF_INET || family == AF_INET6) &&
		    getnameinfo(one->ifa_addr, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST) ==
			0)
			add_found(wish, host, "");
	}
	freeifaddrs(all);
}

static void
find_names(struct wish *wish)
{
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0') {
		add_found(wish, host, "");
		if (strchr(host, '.') == NULL)
			add_found(wish, host, ".local");
	}
	add_found(wish, "localhost", "");
	add_addresses(wish);
}

/* Files */

/* A certificate that somebody else made; small files of the one who calls. */
static int
read_file(const char *path, char **text, size_t *len)
{
	FILE *file = fopen(path, "re");
	int rc = 0;

	if (file == NULL)
		return -errno;
	*text = xmalloc(TLS_BYTES_MAX + 1);
	*len = fread(*text, 1, TLS_BYTES_MAX, file);
	(*text)[*len] = '\0';
	if (ferror(file) || !feof(file))
		rc = -EFBIG;
	fclose(file);
	return rc;
}

/* With the owner of the directory, which is the service's, and under its name only when whole. */
static int
write_file(int directory, const char *name, mode_t mode, const char *text, size_t len)
{
	char fresh[64];
	struct stat st;
	ssize_t n;
	int fd, rc = 0;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	unlinkat(directory, fresh, 0);
	fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0 || (size_t)n != len)
		rc = n < 0 ? -errno : -ENOSPC;
	else if (fstat(directory, &st) < 0 ||
		 (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0) || fchmod(fd, mode) < 0 ||
		 fsync(fd) < 0 || renameat(directory, fresh, directory, name) < 0)
		rc = -errno;
	close(fd);
	if (rc < 0)
		unlinkat(directory, fresh, 0);
	return rc;
}

static int
write_pair(const char *path, const struct cert_pair *pair)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (directory < 0)
		return -errno;
	/* The key first: who reads in between gets a pair that does not fit, and keeps the old. */
	rc = write_file(directory, KEY, 0600, pair->key, pair->key_len);
	if (rc == 0)
		rc = write_file(directory, CERTIFICATE, 0644, pair->certificate,
				pair->certificate_len);
	close(directory);
	return rc;
}

/* What a front would say to it. */
static int
try_pair(const struct cert_pair *pair, char *text, size_t size)
{
	char why[TLS_TEXT_MAX], *pem;
	struct tls *tls = NULL;
	size_t len;
	int rc;

	pem = xasprintf("%s\n%s", pair->certificate, pair->key);
	len = strlen(pem);
	rc = tls_new(pem, len, &tls, why);
	OPENSSL_cleanse(pem, len);
	free(pem);
	snprintf(text, size, "%s", rc == 0 ? tls_text(tls) : why);
	tls_free(&tls);
	return rc;
}

static int
get_pair(struct wish *wish, struct cert_pair *pair)
{
	int rc;

	if (wish->certificate == NULL) {
		if (wish->cert.n_names == 0)
			find_names(wish);
		rc = cert_make(&wish->cert, pair);
		return rc < 0 ? complain("certificate", strerror(-rc)) : 0;
	}
	rc = read_file(wish->certificate, &pair->certificate, &pair->certificate_len);
	if (rc < 0)
		return complain(wish->certificate, strerror(-rc));
	rc = read_file(wish->key, &pair->key, &pair->key_len);
	return rc < 0 ? complain(wish->key, strerror(-rc)) : 0;
}

static int
run(struct wish *wish)
{
	char text[TLS_TEXT_MAX], print[CERT_TEXT_MAX] = "";
	struct cert_pair pair = { .key = NULL };
	int rc = get_pair(wish, &pair);

	if (rc == 0 && try_pair(&pair, text, sizeof(text)) < 0)
		rc = complain("certificate", text);
	if (rc == 0 && (rc = write_pair(wish->directory, &pair)) < 0)
		rc = complain(wish->directory, strerror(-rc));
	if (rc == 0) {
		cert_fingerprint(pair.certificate, pair.certificate_len, print);
		printf("%s\nSHA-256 %s\n\nin camhub.yaml:\ntls:\n  certificate: %s/" CERTIFICATE
		       "\n  key: %s/" KEY "\nthen: camctl reload\n",
		       text, print, wish->directory, wish->directory);
	}
	cert_pair_clear(&pair);
	for (size_t i = 0; i < CERT_NAMES_MAX; i++)
		free(wish->found[i]);
	return rc;
}

static bool
add_name(struct wish *wish, const char *name)
{
	if (wish->cert.n_names == CERT_NAMES_MAX || !cert_name_is_valid(name))
		return false;
	wish->cert.names[wish->cert.n_names++] = name;
	return true;
}

static bool
set_days(struct wish *wish, const char *text)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	wish->cert.days = (unsigned)days;
	return text[0] >= '1' && text[0] <= '9' && *end == '\0' && days <= CERT_DAYS_MAX;
}

static bool
set_option(struct wish *wish, int option, const char *value)
{
	switch (option) {
	case 'n':
		return add_name(wish, value);
	case 'd':
		return set_days(wish, value);
	case 'c':
		wish->certificate = value;
		return true;
	case 'k':
		wish->key = value;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "days", required_argument, NULL, 'd' },
		{ "certificate", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct wish wish = { .certificate = NULL };
	int c;

	set_days(&wish, DAYS);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'h')
			return usage(stdout);
		if (!set_option(&wish, c, optarg))
			return usage(stderr);
	}
	if (argc - optind != 1 || (wish.certificate == NULL) != (wish.key == NULL) ||
	    (wish.certificate != NULL && wish.cert.n_names > 0))
		return usage(stderr);
	wish.directory = argv[optind];
	return run(&wish);
}
