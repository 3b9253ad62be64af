/*
 * Passwords and their hashes: yescrypt as libxcrypt makes it, at the cost that it takes by default
 * (16 MiB and some hundredths of a second each). Slow on purpose; thread safe.
 */
#ifndef CAMHUB_AUTH_AUTH_HASH_H
#define CAMHUB_AUTH_AUTH_HASH_H

#include <stdbool.h>
#include <stddef.h>

#define AUTH_HASH_BYTES     256 /* of a hash, without its NUL */
#define AUTH_PASSWORD_BYTES 256

/* "$y$..." with a salt of its own into hash (AUTH_HASH_BYTES + 1). 0 or negative errno. */
int auth_hash_make(const char *password, char *hash);

/*
 * Whether password gives hash, compared in constant time. hash NULL, or one that cannot be read:
 * no, after as much work as for a user who exists.
 */
bool auth_hash_check(const char *password, const char *hash);

#endif
