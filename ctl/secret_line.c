/*
 * Reading without an echo.
 */
#include "config.h"

#include "ctl/secret_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Byte by byte: what is behind the line is the next reader's. */
static int
read_line(char *line, size_t size)
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && len == 0)
			return -ENODATA;
		if (n == 0 || c == '\n')
			break;
		if (len + 1 == size)
			return -EMSGSIZE;
		line[len++] = c;
	}
	line[len] = '\0';
	return 0;
}

int
secret_line(const char *prompt, char *line, size_t size)
{
	struct termios before, quiet;
	int rc;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return read_line(line, size);
	quiet = before;
	/* Without ISIG nobody is left with a terminal that shows nothing. */
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	fprintf(stderr, "%s", prompt);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	rc = read_line(line, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return rc;
}
