/*
 * SRTP opened with AEAD_AES_128_GCM (RFC 7714), without a replay window: like browsers, whose
 * window is large, it takes packets however late they are.
 */
#ifndef CAMHUB_BENCH_RTC_OPEN_H
#define CAMHUB_BENCH_RTC_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPEN_KEY_BYTES 28u /* master key and salt */
#define OPEN_SSRCS     8u

struct bench_open {
	void *cipher; /* EVP_CIPHER_CTX */
	uint8_t salt[12];
	struct {
		uint32_t ssrc, roc;
		uint16_t highest;
	} sources[OPEN_SSRCS];
	unsigned n_sources;
};

void bench_open_init(struct bench_open *open, const uint8_t master[OPEN_KEY_BYTES]);
void bench_open_clear(struct bench_open *open);
/* In place; *len without the tag after it. false: not authentic. */
bool bench_open_rtp(struct bench_open *open, uint8_t *data, size_t *len);

#endif
