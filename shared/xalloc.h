/*
 * Allocation that ends the process when memory is out: for small things of ours. What a peer sized
 * is allocated with malloc() and answered with -ENOMEM.
 */
#ifndef CAMHUB_SHARED_XALLOC_H
#define CAMHUB_SHARED_XALLOC_H

#include <stddef.h>
#include <stdlib.h>

#define XALLOC_EXIT 71 /* how the process ends then; sysexits EX_OSERR */

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *xreallocarray(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
void xalloc_die(void) __attribute__((noreturn));

#endif
