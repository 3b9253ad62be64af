/*
 * Host names, looked up by the program camhub-resolve, because getaddrinfo() blocks and runs other
 * people's code. At most SUP_LOOKUP_AT_ONCE at a time, the rest wait.
 *
 * Its protocol on fd 3: one datagram with the name goes there; one comes back, either
 * "ok ADDRESS [ADDRESS...]" with numeric addresses, or "error TEXT"; then it exits.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_LOOKUP_H
#define CAMHUB_SUPERVISOR_SUP_LOOKUP_H

#include <stddef.h>
#include <sys/socket.h>

#define SUP_LOOKUP_AT_ONCE    4
#define SUP_LOOKUP_TIMEOUT_MS 10000
#define SUP_ADDRESSES_MAX     8

struct sup;
struct sup_lookup;

struct sup_addresses {
	size_t n;
	struct sockaddr_storage list[SUP_ADDRESSES_MAX]; /* with the port */
};

/* addresses NULL: it failed, why in words. Called from the loop, once. */
typedef void sup_lookup_fn(void *arg, const struct sup_addresses *addresses, const char *why);

struct sup_lookup *sup_lookup_start(struct sup *sup, const char *host, unsigned port,
				    const char *object, sup_lookup_fn *fn, void *arg);
/* NULL-safe; fn is not called any more. */
void sup_lookup_cancel(struct sup_lookup **lookup);
/* For sup_free(): all that there are. */
void sup_lookup_free_all(struct sup *sup);

/* The size of one, for any family; 0 for an unknown family. */
socklen_t sup_address_len(const struct sockaddr_storage *address);
/* Numeric text with a port to an address: 0 or -EINVAL. */
int sup_address_parse(const char *host, unsigned port, struct sockaddr_storage *address);
/* camhub-resolve's answer: 0, or -EPROTO / -ENOENT (it said "error") and why (256 bytes). */
int sup_lookup_parse(const char *bytes, size_t len, unsigned port, struct sup_addresses *addresses,
		     char *why);

#endif
