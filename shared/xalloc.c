/*
 * Allocation that aborts: small things of ours, where carrying on without them makes no sense.
 */
#include "config.h"

#include "shared/xalloc.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
xalloc_die(void)
{
	static const char text[] = "out of memory\n";
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0 &&
	    write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
		/* Nobody is left to tell. */
	}
	_exit(XALLOC_EXIT);
}

void *
xmalloc(size_t size)
{
	void *ptr = malloc(size > 0 ? size : 1);

	if (ptr == NULL)
		xalloc_die();
	return ptr;
}

void *
xcalloc(size_t n, size_t size)
{
	void *ptr = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (ptr == NULL)
		xalloc_die();
	return ptr;
}

void *
xreallocarray(void *ptr, size_t n, size_t size)
{
	void *grown = reallocarray(ptr, n > 0 ? n : 1, size > 0 ? size : 1);

	if (grown == NULL)
		xalloc_die();
	return grown;
}

char *
xstrdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(xmalloc(len), s, len);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		xalloc_die();
	va_end(ap);
	return s;
}
