/*
 * Patterns that name cameras: "*" stands for any text, also none, "?" for one character.
 */
#ifndef CAMHUB_SHARED_GLOB_H
#define CAMHUB_SHARED_GLOB_H

#include <stdbool.h>

#define GLOB_BYTES 32 /* of a pattern, without its NUL */

/* 1 to GLOB_BYTES of a-z 0-9 _ - * ? */
bool glob_is_valid(const char *pattern);
/* The whole of name; takes at most strlen(pattern) * strlen(name) steps whatever they are. */
bool glob_matches(const char *pattern, const char *name);

#endif
