/*
 * The pages and what belongs to them: a fixed table of files, read once. No name that a client
 * sends ever reaches the file system.
 */
#ifndef CAMHUB_HTTP_PAGES_H
#define CAMHUB_HTTP_PAGES_H

#include "http/route.h"

struct assets;

/*
 * Reads every plain file of dir whose name is made of [a-z0-9._-] and ends in a known way, at most
 * 2 MiB each. In pages "@ASSETS@" becomes "assets/VERSION", a folder in which everything has a name
 * that changes with any content, so that browsers need not ask again (RFC 8246). Returns the table
 * (perhaps empty, which is logged). Free with assets_free().
 */
struct assets *assets_load(const char *dir);
void assets_free(struct assets **assets); /* NULL-safe */
size_t assets_count(const struct assets *assets);

void pages_wall(struct request *request);
/* An asset, by its name or in the folder of its version, or the page of a camera; 404 for the rest.
 */
void pages_other(struct request *request);

#endif
