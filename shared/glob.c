/*
 * Patterns without recursion: only the latest "*" is ever tried again.
 */
#include "config.h"

#include "shared/glob.h"

#include <stddef.h>
#include <string.h>

bool
glob_is_valid(const char *pattern)
{
	size_t len = strlen(pattern);

	return len >= 1 && len <= GLOB_BYTES &&
	       strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789_-*?") == len;
}

bool
glob_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
