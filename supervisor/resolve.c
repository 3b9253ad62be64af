/*
 * The blocking lookup, in a process of its own.
 */
#include "config.h"

#include "supervisor/resolve.h"

#include "shared/errand.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_MAX      255
#define ANSWER_MAX    1024
#define ADDRESSES_MAX 8

static char *
describe_list(const struct addrinfo *list)
{
	char text[ANSWER_MAX] = "ok", host[INET6_ADDRSTRLEN + 32];
	size_t len = 2;
	int n = 0;

	for (; list != NULL && n < ADDRESSES_MAX; list = list->ai_next) {
		/* A scope ("%eth0") is not for the supervisor's strict reading. */
		if (getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host), NULL, 0,
				NI_NUMERICHOST) != 0 ||
		    strchr(host, '%') != NULL || len + strlen(host) + 2 > sizeof(text))
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", host);
		n++;
	}
	return xstrdup(n > 0 ? text : "error no usable address");
}

char *
resolve_answer(const char *request, size_t len)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char host[HOST_MAX + 1], *answer;
	int rc;

	if (len == 0 || len > HOST_MAX || memchr(request, '\0', len) != NULL)
		return xstrdup("error not a host name");
	memcpy(host, request, len);
	host[len] = '\0';
	rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc != 0)
		return xasprintf("error %s", rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	answer = describe_list(list);
	freeaddrinfo(list);
	return answer;
}

int
resolve_run(int fd)
{
	return errand_run(fd, HOST_MAX, resolve_answer);
}
