/*
 * SRTP opened with AES-GCM.
 */
#include "config.h"

#include "bench/rtc/open.h"

#include "media/rtp.h"

#include <openssl/evp.h>
#include <string.h>

#define TAG_BYTES  16u
#define LABEL_KEY  0
#define LABEL_SALT 2

/* RFC 3711 4.3.1 with a salt of 12 bytes. */
static void
derive(const uint8_t *master, uint8_t label, uint8_t *out, size_t len)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int n;

	memcpy(iv, master + 16, 12);
	iv[7] ^= label;
	memset(out, 0, len);
	(void)EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, master, iv);
	(void)EVP_EncryptUpdate(context, out, &n, out, (int)len);
	EVP_CIPHER_CTX_free(context);
}

void
bench_open_init(struct bench_open *open, const uint8_t master[OPEN_KEY_BYTES])
{
	uint8_t key[16];

	memset(open, 0, sizeof(*open));
	derive(master, LABEL_KEY, key, sizeof(key));
	derive(master, LABEL_SALT, open->salt, sizeof(open->salt));
	open->cipher = EVP_CIPHER_CTX_new();
	(void)EVP_DecryptInit_ex(open->cipher, EVP_aes_128_gcm(), NULL, key, NULL);
}

void
bench_open_clear(struct bench_open *open)
{
	EVP_CIPHER_CTX_free(open->cipher);
	open->cipher = NULL;
}

/* Which rollover the packet is of, and the source; RFC 3711 3.3.1. -1: too many sources. */
static int
find_source(struct bench_open *open, uint32_t ssrc, uint16_t seq, uint32_t *roc)
{
	unsigned i = 0;

	while (i < open->n_sources && open->sources[i].ssrc != ssrc)
		i++;
	if (i == OPEN_SSRCS)
		return -1;
	if (i == open->n_sources) {
		open->sources[i].ssrc = ssrc;
		open->sources[i].highest = seq;
		open->n_sources++;
	}
	*roc = open->sources[i].roc;
	if (rtp_seq_diff(seq, open->sources[i].highest) > 0)
		*roc += seq < open->sources[i].highest;
	else
		*roc -= seq > open->sources[i].highest;
	return (int)i;
}

static void
make_nonce(const struct bench_open *open, const uint8_t *data, uint32_t roc, uint8_t nonce[12])
{
	memcpy(nonce, open->salt, 12);
	for (unsigned i = 0; i < 4; i++) {
		nonce[2 + i] ^= data[8 + i];
		nonce[6 + i] ^= (uint8_t)(roc >> (24 - 8 * i));
	}
	nonce[10] ^= data[2];
	nonce[11] ^= data[3];
}

static bool
decrypt(struct bench_open *open, const uint8_t *nonce, uint8_t *data, size_t head, size_t len)
{
	int n;

	return EVP_DecryptInit_ex(open->cipher, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_CIPHER_CTX_ctrl(open->cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, data + len) ==
		   1 &&
	       EVP_DecryptUpdate(open->cipher, NULL, &n, data, (int)head) == 1 &&
	       EVP_DecryptUpdate(open->cipher, data + head, &n, data + head, (int)(len - head)) ==
		   1 &&
	       EVP_DecryptFinal_ex(open->cipher, data + len, &n) == 1;
}

bool
bench_open_rtp(struct bench_open *open, uint8_t *data, size_t *len)
{
	struct rtp_packet packet;
	uint8_t nonce[12];
	uint32_t roc;
	int source;

	if (*len < 12 + TAG_BYTES || rtp_parse(data, *len, &packet) < 0)
		return false;
	source = find_source(open, packet.ssrc, packet.seq, &roc);
	if (source < 0)
		return false;
	make_nonce(open, data, roc, nonce);
	if (!decrypt(open, nonce, data, (size_t)(packet.payload - data), *len - TAG_BYTES))
		return false;
	if (rtp_seq_diff(packet.seq, open->sources[source].highest) > 0) {
		open->sources[source].highest = packet.seq;
		open->sources[source].roc = roc;
	}
	*len -= TAG_BYTES;
	return true;
}
