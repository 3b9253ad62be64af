/*
 * Whether the two directories that camhub writes into can be written. Nobody waits for them: when
 * one is full or read-only everything that runs goes on, and status says what is not possible
 * meanwhile.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_DISK_H
#define CAMHUB_SUPERVISOR_SUP_DISK_H

#include <jansson.h>

struct sup;

#define SUP_DISK_TEXT_MAX 512

/* NULL: dir can be written, as far as the file system says; else why not, static or in strerror()'s
 * words. */
const char *sup_disk_trouble(const char *dir);

/* What is wrong now, a text for people each; an empty list: nothing. */
json_t *sup_disk_troubles(struct sup *sup);

#endif
