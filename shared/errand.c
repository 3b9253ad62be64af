/*
 * What programs of one errand do alike.
 */
#include "config.h"

#include "shared/errand.h"

#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define QUESTION_WAIT_MS 5000

int
errand_enter(const char *program)
{
	const struct rlimit no_core = { 0, 0 };
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(ERRAND_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "%s is started by camhub-supervisor, not by hand\n", program);
		return -ENOTSOCK;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	log_open(program, NULL);
	return 0;
}

/* The text, the caller's; NULL: none came. */
static char *
read_question(int fd, size_t max_bytes, size_t *len)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char *question;
	ssize_t n;

	if (poll(&wait, 1, QUESTION_WAIT_MS) != 1)
		return NULL;
	question = xmalloc(max_bytes + 1); /* one more: what is longer is seen to be */
	n = recv(fd, question, max_bytes + 1, MSG_DONTWAIT);
	if (n <= 0) {
		free(question);
		return NULL;
	}
	*len = (size_t)n;
	return question;
}

int
errand_run(int fd, size_t max_bytes, errand_answer_fn *answer)
{
	size_t len = 0;
	char *question = read_question(fd, max_bytes, &len), *text;
	int status;

	if (question == NULL)
		return ERRAND_EXIT_RETRY;
	text = answer(question, len);
	status = send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? ERRAND_EXIT_RETRY : 0;
	free(text);
	free(question);
	return status;
}
