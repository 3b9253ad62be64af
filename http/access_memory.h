/*
 * Passwords that were found right a moment ago, so that a script that sends one with each request
 * costs one check a minute. What is kept is a hash under a key that dies with the process, never
 * the password.
 */
#ifndef CAMHUB_HTTP_ACCESS_MEMORY_H
#define CAMHUB_HTTP_ACCESS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define ACCESS_MEMORY_S       60
#define ACCESS_MEMORY_ENTRIES 64

struct access_memory;

struct access_memory *access_memory_new(void);
void access_memory_free(struct access_memory **memory); /* NULL-safe; wiped */

void access_memory_add(struct access_memory *memory, const char *user, const char *password,
		       int64_t now_ns);
bool access_memory_has(const struct access_memory *memory, const char *user, const char *password,
		       int64_t now_ns);
/* Passwords may have changed. */
void access_memory_clear(struct access_memory *memory);

#endif
