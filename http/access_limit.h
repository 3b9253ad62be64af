/*
 * How often an address may try something, passwords for one: a bucket of tries that fills up again
 * with time. Pure but for the time that it is told; as large as it ever gets from the start, so
 * that no flood of addresses makes it grow.
 */
#ifndef CAMHUB_HTTP_ACCESS_LIMIT_H
#define CAMHUB_HTTP_ACCESS_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCESS_LIMIT_TRIES     10 /* at once */
#define ACCESS_LIMIT_REFILL_S  6  /* for each further one */
#define ACCESS_LIMIT_ADDRESSES 1024

struct access_limit;

/* For passwords; for anything, so many at once and so long for each further one. */
struct access_limit *access_limit_new(void);
struct access_limit *access_limit_new_of(unsigned tries, int64_t refill_ns);
void access_limit_free(struct access_limit **limit); /* NULL-safe */

/* Whether another try has to wait, and for how many seconds (*wait_s, may be NULL). IPv6 addresses
 * are counted by their /64; what is no address is one of its own. */
bool access_limit_is_spent(const struct access_limit *limit, const char *address, int64_t now_ns,
			   unsigned *wait_s);
/* A try begins. */
void access_limit_take(struct access_limit *limit, const char *address, int64_t now_ns);
/* It was the right password: the try is given back. */
void access_limit_give_back(struct access_limit *limit, const char *address, int64_t now_ns);

#endif
