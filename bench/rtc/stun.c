/*
 * STUN as the side that asks.
 */
#include "config.h"

#include "bench/rtc/stun.h"

#include "media/bytes.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define COOKIE          0x2112a442u
#define REQUEST         0x0001
#define SUCCESS         0x0101
#define USERNAME        0x0006
#define INTEGRITY       0x0008
#define PRIORITY        0x0024
#define USE_CANDIDATE   0x0025
#define FINGERPRINT     0x8028
#define CONTROLLING     0x802a
#define OUR_PRIORITY    0x6e7f00ffu
#define HEADER_BYTES    20u
#define INTEGRITY_BYTES 24u /* with its header */

static void
set_length(uint8_t *message, size_t len)
{
	message[2] = (uint8_t)((len - HEADER_BYTES) >> 8);
	message[3] = (uint8_t)(len - HEADER_BYTES);
}

static uint32_t
crc_of(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc ^ 0x5354554eu;
}

static void
seal(struct byte_writer *writer, const char *password)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;

	set_length(writer->data, writer->len + INTEGRITY_BYTES);
	(void)HMAC(EVP_sha1(), password, (int)strlen(password), writer->data, writer->len, mac,
		   &mac_len);
	byte_writer_u16(writer, INTEGRITY);
	byte_writer_u16(writer, 20);
	byte_writer_bytes(writer, mac, 20);
	set_length(writer->data, writer->len + 8);
	{
		uint32_t crc = crc_of(writer->data, writer->len);

		byte_writer_u16(writer, FINGERPRINT);
		byte_writer_u16(writer, 4);
		byte_writer_u32(writer, crc);
	}
}

size_t
bench_stun_request(const char *username, const char *password, uint64_t transaction,
		   uint8_t out[STUN_REQUEST_MAX])
{
	size_t len = strlen(username);
	struct byte_writer writer;

	byte_writer_init_fixed(&writer, out, STUN_REQUEST_MAX);
	byte_writer_u16(&writer, REQUEST);
	byte_writer_u16(&writer, 0);
	byte_writer_u32(&writer, COOKIE);
	byte_writer_u32(&writer, 0x62656e63);
	byte_writer_u64(&writer, transaction);
	byte_writer_u16(&writer, USERNAME);
	byte_writer_u16(&writer, (uint16_t)len);
	byte_writer_bytes(&writer, username, len);
	byte_writer_zeros(&writer, (4 - len % 4) % 4);
	byte_writer_u16(&writer, PRIORITY);
	byte_writer_u16(&writer, 4);
	byte_writer_u32(&writer, OUR_PRIORITY);
	byte_writer_u16(&writer, CONTROLLING);
	byte_writer_u16(&writer, 8);
	byte_writer_u64(&writer, 1);
	byte_writer_u16(&writer, USE_CANDIDATE);
	byte_writer_u16(&writer, 0);
	seal(&writer, password);
	return writer.err == 0 ? writer.len : 0;
}

bool
bench_stun_is_success(const uint8_t *data, size_t len, const char *password, uint64_t transaction)
{
	uint8_t copy[512], mac[EVP_MAX_MD_SIZE];
	struct byte_reader reader;
	unsigned mac_len;
	size_t at;

	byte_reader_init(&reader, data, len);
	if (byte_reader_u16(&reader) != SUCCESS || byte_reader_u16(&reader) != len - HEADER_BYTES ||
	    byte_reader_u32(&reader) != COOKIE || byte_reader_u32(&reader) != 0x62656e63)
		return false;
	if (((uint64_t)byte_reader_u32(&reader) << 32 | byte_reader_u32(&reader)) != transaction ||
	    reader.err < 0 || len > sizeof(copy) || len < HEADER_BYTES + INTEGRITY_BYTES + 8)
		return false;
	at = len - 8 - INTEGRITY_BYTES;
	memcpy(copy, data, at);
	set_length(copy, at + INTEGRITY_BYTES);
	(void)HMAC(EVP_sha1(), password, (int)strlen(password), copy, at, mac, &mac_len);
	return memcmp(mac, data + at + 4, 20) == 0;
}

size_t
bench_stun_answer(const uint8_t *data, size_t len, uint8_t out[STUN_ANSWER_BYTES])
{
	struct byte_reader reader;

	byte_reader_init(&reader, data, len);
	if (len < STUN_ANSWER_BYTES || byte_reader_u16(&reader) != REQUEST)
		return 0;
	memcpy(out, data, STUN_ANSWER_BYTES);
	out[0] = SUCCESS >> 8;
	out[1] = SUCCESS & 0xff;
	out[2] = out[3] = 0;
	return STUN_ANSWER_BYTES;
}
