/*
 * Reading a configuration file whole: regular, of bounded size, and kept from others when it is
 * secret.
 */
#include "config.h"

#include "shared/conf_internal.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check_secret(const char *path, const struct stat *st, struct conf_errors *errors)
{
	/* systemd gives the service its copy by an access list, whose mask shows as group bits. */
	mode_t refused = conf_credentials_are_frozen(path) ? 0037 : 0077;

	if ((st->st_mode & refused) != 0) {
		conf_error_add(
		    errors, path, 1,
		    "mode %04o lets others at the credentials, expected 0600 (chmod 600)",
		    st->st_mode & 07777);
		return -EINVAL;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		conf_error_add(
		    errors, path, 1,
		    "the file belongs to user %lu, expected root or the user of this process",
		    (unsigned long)st->st_uid);
		return -EINVAL;
	}
	return 0;
}

static int
check_file(const char *path, int fd, bool secret, struct stat *st, struct conf_errors *errors)
{
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		conf_error_add(errors, path, 1, "not a file, expected a readable regular file");
		return -EINVAL;
	}
	if (st->st_size > CONF_MAX_FILE_BYTES) {
		conf_error_add(errors, path, 1, "file of %lld bytes, expected at most %u (1 MiB)",
			       (long long)st->st_size, CONF_MAX_FILE_BYTES);
		return -EFBIG;
	}
	return secret ? check_secret(path, st, errors) : 0;
}

/* The file may change meanwhile: the bound holds for what is read, not for what stat said. */
static ssize_t
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int
conf_file_read(const char *path, bool secret, char **text, size_t *len, struct conf_errors *errors)
{
	struct stat st;
	char *buf = NULL;
	ssize_t n;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		rc = -errno;
		conf_error_add(errors, path, 1, "cannot be read: %s, expected a readable file",
			       strerror(-rc));
		return rc;
	}
	rc = check_file(path, fd, secret, &st, errors);
	if (rc < 0)
		goto out;
	buf = xmalloc(CONF_MAX_FILE_BYTES + 2);
	n = read_all(fd, buf, CONF_MAX_FILE_BYTES + 1);
	if (n < 0 || n > (ssize_t)CONF_MAX_FILE_BYTES) {
		rc = n < 0 ? (int)n : -EFBIG;
		conf_error_add(errors, path, 1,
			       "cannot be read: %s, expected a file of at most 1 MiB",
			       strerror(-rc));
		goto out;
	}
	buf[n] = '\0';
	*len = (size_t)n;
	*text = buf;
	buf = NULL;
out:
	free(buf);
	close(fd);
	return rc;
}
