/*
 * A secret from whoever sits there, or from a file: never from the command line.
 */
#ifndef CAMHUB_CTL_SECRET_LINE_H
#define CAMHUB_CTL_SECRET_LINE_H

#include <stddef.h>

/*
 * One line of stdin without its end into line. When stdin is a terminal, prompt is shown and what
 * is typed is not. 0; -EMSGSIZE: it does not fit; -ENODATA: there is none; other negative errno.
 */
int secret_line(const char *prompt, char *line, size_t size);

#endif
