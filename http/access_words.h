/*
 * What a request says of its sender, read from its headers. Pure; every length is bounded.
 */
#ifndef CAMHUB_HTTP_ACCESS_WORDS_H
#define CAMHUB_HTTP_ACCESS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define ACCESS_USER_MAX     64
#define ACCESS_PASSWORD_MAX 256

struct access_password {
	char user[ACCESS_USER_MAX + 1];
	char password[ACCESS_PASSWORD_MAX + 1];
};

/* An Authorization header, "Basic" and RFC 4648's base64 (RFC 7617). 0; -EINVAL: it is of another
 * scheme; -EBADMSG: malformed, too long, with control characters. */
int access_read_basic(const char *header, struct access_password *password);
void access_password_wipe(struct access_password *password);
/* What follows "Bearer "; NULL: another scheme. Points into header. */
const char *access_read_bearer(const char *header);

/*
 * The value of a cookie in a Cookie header (RFC 6265, 4.2). Points into the header, *len bytes.
 * NULL: it is not there, or twice: then somebody tries to slip in a second one.
 */
const char *access_find_cookie(const char *header, const char *name, size_t *len);

/* Whether text is the address of a page of ours, from our root: letters, digits and "_-./?=&,", no
 * "/" at its beginning, "//" and ".." nowhere. "" is our root. */
bool access_is_local_path(const char *text);

/* The camera that a stream's name stands for: what is before the first dot. Cut at size. */
void access_camera_of(const char *stream, char *camera, size_t size);

#endif
