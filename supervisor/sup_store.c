/*
 * Files that are there whole or not at all.
 */
#include "config.h"

#include "supervisor/sup_store.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
sup_store_open(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (stat(dir, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int
check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((st.st_mode & 077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		return -EPERM;
	return st.st_size <= SUP_STORE_MAX_BYTES ? 0 : -EFBIG;
}

/* The file may grow meanwhile: the bound holds for what is read. */
static int
read_all(int fd, char *buf)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, buf + len, SUP_STORE_MAX_BYTES + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len > SUP_STORE_MAX_BYTES)
			return -EFBIG;
		if (n == 0)
			break;
	}
	buf[len] = '\0';
	return strlen(buf) == len ? 0 : -EINVAL;
}

int
sup_store_read(const char *dir, const char *name, char **text)
{
	char *path = xasprintf("%s/%s", dir, name), *buf;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW), rc;

	rc = fd < 0 ? -errno : check(fd);
	free(path);
	if (rc == 0) {
		buf = xmalloc(SUP_STORE_MAX_BYTES + 2);
		rc = read_all(fd, buf);
		if (rc == 0)
			*text = buf;
		else
			free(buf);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* A new name is on the disk when the directory is. */
static void
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int
sup_store_write(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name), *new_path = xasprintf("%s.new", path);
	int fd, rc;

	/* What a killed supervisor left half written. */
	(void)unlink(new_path);
	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd < 0 ? -errno : write_all(fd, text);
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(new_path, path) < 0)
		rc = -errno;
	if (rc == 0)
		sync_dir(dir);
	else if (fd >= 0)
		(void)unlink(new_path);
	free(new_path);
	free(path);
	return rc;
}
