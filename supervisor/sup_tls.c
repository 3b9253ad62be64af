/*
 * Reading, sealing, handing over.
 */
#include "config.h"

#include "supervisor/sup_tls.h"

#include "shared/log.h"
#include "supervisor/sup_front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
to_memfd(const char *text, size_t len, int *fd)
{
	int file = memfd_create("tls", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (file < 0)
		return -errno;
	rc = write_all(file, text, len);
	if (rc == 0 &&
	    fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		rc = -errno;
	if (rc < 0)
		close(file);
	else
		*fd = file;
	return rc;
}

int
sup_tls_load(const struct conf *conf, int *fd, char *err, size_t err_len)
{
	struct conf_errors errors = { .n = 0 };
	char *pem = NULL, *text;
	size_t len = 0;
	int rc;

	*fd = -1;
	if (conf->tls_certificate == NULL)
		return 0;
	rc = conf_tls_read(conf, &pem, &len, &errors);
	if (rc < 0) {
		text = conf_errors_text(&errors, err_len);
		snprintf(err, err_len, "%s", text);
		free(text);
		conf_errors_free(&errors);
		return rc;
	}
	rc = to_memfd(pem, len, fd);
	explicit_bzero(pem, len);
	free(pem);
	if (rc < 0)
		snprintf(err, err_len, "tls: %s", strerror(-rc));
	return rc;
}

void
sup_tls_set(struct sup *sup, int fd)
{
	if (sup->tls_fd >= 0)
		close(sup->tls_fd);
	sup->tls_fd = fd;
}

void
sup_tls_send(struct sup_front *front)
{
	int fd;

	if (front->sup->tls_fd < 0)
		return;
	fd = fcntl(front->sup->tls_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		log_err("front=%s: cannot hand over the certificate, no descriptors left",
			front->object);
		return;
	}
	sup_child_send(front->child, msg_new(MSG_TLS_IDENTITY), fd);
}

void
sup_tls_renew(struct sup *sup, const struct conf *before)
{
	bool had = before->tls_certificate != NULL, has = sup->conf->tls_certificate != NULL;
	struct sup_front *front;

	if (had != has) {
		(void)sup_front_restart(sup, SUP_FRONT_NAME);
		return;
	}
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->child != NULL)
			sup_tls_send(front);
}
