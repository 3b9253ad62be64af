/*
 * See the header.
 */
#include "config.h"

#include "shared/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int
sealed_open(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

int
sealed_end(int file, int rc, int *fd)
{
	if (rc == 0 && fcntl(file, F_ADD_SEALS, ALL_SEALS) < 0)
		rc = -errno;
	if (rc < 0) {
		close(file);
		return rc;
	}
	*fd = file;
	return 0;
}

static int
write_all(int fd, const char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int
sealed_new(const char *name, const void *bytes, size_t len, int *fd)
{
	int file = sealed_open(name);

	return file < 0 ? file : sealed_end(file, write_all(file, bytes, len), fd);
}

int
sealed_read(int fd, void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)bytes + done, len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}
