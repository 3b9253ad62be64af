/*
 * Reading, sealing, handing over.
 */
#include "config.h"

#include "supervisor/sup_tls.h"

#include "shared/log.h"
#include "shared/sealed.h"
#include "supervisor/sup_front.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	rc = sealed_new("tls", pem, len, fd);
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
		if (front->child != NULL && !front->is_rtc)
			sup_tls_send(front);
}
