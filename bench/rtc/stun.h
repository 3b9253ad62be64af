/*
 * STUN as the side that asks: made by hand, so that it does not share the mistakes of the server's.
 */
#ifndef CAMHUB_BENCH_RTC_STUN_H
#define CAMHUB_BENCH_RTC_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUN_REQUEST_MAX  256u
#define STUN_ANSWER_BYTES 20u

/* A Binding request that nominates (RFC 8445 7.2). username: "theirs:ours". Returns its bytes. */
size_t bench_stun_request(const char *username, const char *password, uint64_t transaction,
			  uint8_t out[STUN_REQUEST_MAX]);
/* Whether this is a success for that transaction, sealed with the password. */
bool bench_stun_is_success(const uint8_t *data, size_t len, const char *password,
			   uint64_t transaction);

/* The answer to a request of the other side: so much of it as that looks at. 0: it is none. */
size_t bench_stun_answer(const uint8_t *data, size_t len, uint8_t out[STUN_ANSWER_BYTES]);

#endif
