/*
 * The credentials file: lines "name:user:password" (camhub.yaml(5), "The credentials file").
 */
#ifndef CAMHUB_SHARED_CONF_CREDS_H
#define CAMHUB_SHARED_CONF_CREDS_H

#include "shared/conf.h"

#define CREDS_MAX_ENTRIES 4096
#define CREDS_FIELD_BYTES 256 /* user, password: each */

struct conf_cred {
	char *name, *user, *password;
	unsigned line;
};
struct conf_creds {
	struct conf_cred *list;
	size_t n;
};

/*
 * Read the file; its mode must keep others out (0600; in $CREDENTIALS_DIRECTORY also 0440, as
 * systemd makes it) and root or this user must own it. 0 and *creds (owned); also -EINVAL may give
 * *creds, with the lines that were right, when the file could be read at all. Errors never quote
 * the file.
 */
int conf_creds_load(const char *path, struct conf_creds **creds, struct conf_errors *errors);
void conf_creds_free(struct conf_creds **creds); /* NULL-safe, wipes */
const struct conf_cred *conf_creds_find(const struct conf_creds *creds, const char *name);

#endif
