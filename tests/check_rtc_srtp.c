/*
 * SRTP and SRTCP against a reference of the test's own, which is first held against the vectors of
 * RFC 3711 B.3 and RFC 7714 16.1.1; then what must be refused.
 */
#include "config.h"

#include "rtc/srtp.h"
#include "rtc/srtp_profile.h"
#include "tests/media_data.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define SSRC 0xcafebabeu
#define ROOM 1500u

/* The reference. */
static void
aes_ctr(const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t len)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n;

	ck_assert_int_eq(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, iv), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(context, data, &n, data, (int)len), 1);
	EVP_CIPHER_CTX_free(context);
}

/* RFC 3711 4.3.1, rate 0. */
static void
derive(const uint8_t *key, const uint8_t *salt, size_t salt_len, uint8_t label, uint8_t *out,
       size_t len)
{
	uint8_t iv[16] = { 0 };

	memcpy(iv, salt, salt_len);
	iv[7] ^= label;
	memset(out, 0, len);
	aes_ctr(key, iv, out, len);
}

/* RFC 7714 8.1 and 9.1: nonce is 12 bytes, made by the caller; aad_len bytes stay as they are. */
static size_t
gcm(const uint8_t *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *text,
    size_t len)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n;

	ck_assert_int_eq(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(context, NULL, &n, aad, (int)aad_len), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(context, text, &n, text, (int)len), 1);
	ck_assert_int_eq(EVP_EncryptFinal_ex(context, text + len, &n), 1);
	ck_assert_int_eq(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, text + len), 1);
	EVP_CIPHER_CTX_free(context);
	return len + 16;
}

static void
gcm_nonce(const uint8_t *salt, uint32_t ssrc, uint32_t roc, unsigned low, bool is_rtcp,
	  uint8_t nonce[12])
{
	uint8_t plain[12] = { 0 };

	for (unsigned i = 0; i < 4; i++) {
		plain[2 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
		if (is_rtcp)
			plain[8 + i] = (uint8_t)(low >> (24 - 8 * i));
		else
			plain[6 + i] = (uint8_t)(roc >> (24 - 8 * i));
	}
	if (!is_rtcp) {
		plain[10] = (uint8_t)(low >> 8);
		plain[11] = (uint8_t)low;
	}
	for (unsigned i = 0; i < 12; i++)
		nonce[i] = plain[i] ^ salt[i];
}

static size_t
from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; *hex != '\0'; hex += 2, n++) {
		ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
		out[n] = (uint8_t)byte;
	}
	return n;
}

static void
expect_hex(const uint8_t *data, size_t len, const char *hex)
{
	uint8_t expected[256];

	ck_assert_uint_eq(from_hex(hex, expected), len);
	ck_assert_mem_eq(data, expected, len);
}

START_TEST(reference_is_right)
{
	uint8_t key[16], salt[14], out[20], packet[128], nonce[12];
	size_t len;

	/* RFC 3711 B.3 */
	from_hex("e1f97a0d3e018be0d64fa32c06de4139", key);
	from_hex("0ec675ad498afeebb6960b3aabe6", salt);
	derive(key, salt, 14, 0, out, 16);
	expect_hex(out, 16, "c61e7a93744f39ee10734afe3ff7a087");
	derive(key, salt, 14, 2, out, 14);
	expect_hex(out, 14, "30cbbc08863d8c85d49db34a9ae1");
	derive(key, salt, 14, 1, out, 20);
	expect_hex(out, 20, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
	/* RFC 7714 16.1.1 */
	from_hex("000102030405060708090a0b0c0d0e0f", key);
	from_hex("517569642070726f2071756f", salt);
	len =
	    from_hex("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e"
		     "207061727465732074726573",
		     packet);
	gcm_nonce(salt, 0x5501a0b2, 0, 0xf17b, false, nonce);
	len = 12 + gcm(key, nonce, packet, 12, packet + 12, len - 12);
	expect_hex(
	    packet, len,
	    "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
	    "51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce");
}
END_TEST

static const enum rtc_srtp_profile profiles[] = { RTC_SRTP_AEAD_AES_128_GCM,
						  RTC_SRTP_AES128_CM_SHA1_80 };

static const uint8_t master[30] = { 0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f,
				    0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39, 0x0e, 0xc6, 0x75, 0xad,
				    0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6 };

static struct rtc_srtp *
new_srtp(enum rtc_srtp_profile profile)
{
	struct rtc_srtp *srtp = NULL;

	ck_assert_int_eq(
	    rtc_srtp_new_with_key(profile, master, rtc_srtp_export_bytes(profile) / 2, &srtp), 0);
	return srtp;
}

/* A packet with a header extension of one word, whose payload says its number. */
static size_t
make_rtp(uint32_t ssrc, unsigned seq, size_t payload, uint8_t out[ROOM])
{
	static const uint8_t extension[] = { 0xbe, 0xde, 0, 1, 0x52, 0, 0, 0 };

	memset(out, 0, 12);
	out[0] = 0x90;
	out[1] = 0xe0;
	out[2] = (uint8_t)(seq >> 8);
	out[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		out[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	memcpy(out + 12, extension, sizeof(extension));
	for (size_t i = 0; i < payload; i++)
		out[20 + i] = (uint8_t)(seq + i);
	return 20 + payload;
}

static size_t
make_rr(uint32_t ssrc, unsigned number, uint8_t out[ROOM])
{
	memset(out, 0, 32);
	out[0] = 0x81;
	out[1] = 201;
	out[3] = 7;
	for (unsigned i = 0; i < 4; i++)
		out[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	out[31] = (uint8_t)number;
	return 32;
}

static size_t
reference_rtp_gcm(uint8_t *packet, size_t len, uint32_t roc)
{
	uint8_t key[16], salt[12], nonce[12];

	derive(master, master + 16, 12, 0, key, 16);
	derive(master, master + 16, 12, 2, salt, 12);
	gcm_nonce(salt, SSRC, roc, (unsigned)packet[2] << 8 | packet[3], false, nonce);
	return 20 + gcm(key, nonce, packet, 20, packet + 20, len - 20);
}

/* RFC 3711 4.1.1 and 4.2. */
static size_t
reference_rtp_cm(uint8_t *packet, size_t len, uint32_t roc)
{
	uint8_t key[16], salt[14], auth[20], iv[16] = { 0 }, mac[20], over[ROOM + 4];
	unsigned mac_len;

	derive(master, master + 16, 14, 0, key, 16);
	derive(master, master + 16, 14, 1, auth, 20);
	derive(master, master + 16, 14, 2, salt, 14);
	memcpy(iv, salt, 14);
	for (unsigned i = 0; i < 4; i++) {
		iv[4 + i] ^= packet[8 + i];
		iv[8 + i] ^= (uint8_t)(roc >> (24 - 8 * i));
	}
	iv[12] ^= packet[2];
	iv[13] ^= packet[3];
	aes_ctr(key, iv, packet + 20, len - 20);
	memcpy(over, packet, len);
	for (unsigned i = 0; i < 4; i++)
		over[len + i] = (uint8_t)(roc >> (24 - 8 * i));
	ck_assert_ptr_nonnull(HMAC(EVP_sha1(), auth, 20, over, len + 4, mac, &mac_len));
	memcpy(packet + len, mac, 10);
	return len + 10;
}

START_TEST(rtp_is_as_the_rfcs_say)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *srtp = new_srtp(profile);
	uint8_t ours[ROOM], theirs[ROOM];
	uint32_t roc = 0;

	/* Through the wrap of the sequence number, three times. */
	for (uint32_t n = 65000; n<65000 + 131072 + 1000; n += n % 65536> 65500 ? 1 : 37) {
		size_t len = make_rtp(SSRC, n & 0xffff, n % 1200, ours), expected;

		roc = n >> 16;
		memcpy(theirs, ours, len);
		expected = profile == RTC_SRTP_AEAD_AES_128_GCM
			       ? reference_rtp_gcm(theirs, len, roc)
			       : reference_rtp_cm(theirs, len, roc);
		ck_assert_int_eq(rtc_srtp_protect(srtp, ours, sizeof(ours), &len), 0);
		ck_assert_uint_eq(len, expected);
		ck_assert_mem_eq(ours, theirs, len);
		ck_assert_uint_eq(len, 20 + n % 1200 + rtc_srtp_overhead(profile));
	}
	ck_assert_uint_eq(roc, 3);
	rtc_srtp_free(&srtp);
	ck_assert_ptr_null(srtp);
}
END_TEST

/* RFC 7714 9: the index, with its bit that it is encrypted, is authenticated and behind the tag. */
START_TEST(rtcp_gcm_is_as_the_rfc_says)
{
	struct rtc_srtp *srtp = new_srtp(RTC_SRTP_AEAD_AES_128_GCM);
	uint8_t ours[ROOM], theirs[ROOM], key[16], salt[12], nonce[12], aad[12];

	derive(master, master + 16, 12, 3, key, 16);
	derive(master, master + 16, 12, 5, salt, 12);
	for (unsigned n = 0; n < 3; n++) {
		size_t len = make_rr(SSRC, n, ours);
		unsigned index = n + 1; /* libre begins with 1 */

		memcpy(theirs, ours, len);
		ck_assert_int_eq(rtc_srtcp_protect(srtp, ours, sizeof(ours), &len), 0);
		ck_assert_uint_eq(len, 32 + 16 + 4);
		ck_assert_uint_eq(ours[len - 4], 0x80);
		index = ours[len - 1];
		gcm_nonce(salt, SSRC, 0, index, true, nonce);
		memcpy(aad, theirs, 8);
		memcpy(aad + 8, ours + len - 4, 4);
		(void)gcm(key, nonce, aad, 12, theirs + 8, 24);
		ck_assert_mem_eq(ours, theirs, len - 4);
	}
	rtc_srtp_free(&srtp);
}
END_TEST

START_TEST(there_and_back)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *to = new_srtp(profile), *from = new_srtp(profile);
	uint8_t packet[ROOM], plain[ROOM];

	for (unsigned n = 65530; n < 65550; n++) {
		for (uint32_t ssrc = 1; ssrc <= 3; ssrc++) {
			size_t len = make_rtp(ssrc, n & 0xffff, 100 + ssrc, packet), was = len;

			memcpy(plain, packet, len);
			ck_assert_int_eq(rtc_srtp_protect(to, packet, sizeof(packet), &len), 0);
			ck_assert_mem_ne(packet + 20, plain + 20, 100);
			ck_assert_int_eq(rtc_srtp_unprotect(from, packet, &len), 0);
			ck_assert_uint_eq(len, was);
			ck_assert_mem_eq(packet, plain, len);
			len = was = make_rr(ssrc, n, packet);
			memcpy(plain, packet, len);
			ck_assert_int_eq(rtc_srtcp_protect(to, packet, sizeof(packet), &len), 0);
			ck_assert_int_eq(rtc_srtcp_unprotect(from, packet, &len), 0);
			ck_assert_uint_eq(len, was);
			ck_assert_mem_eq(packet, plain, len);
		}
	}
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}
END_TEST

START_TEST(replays_are_refused)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *to = new_srtp(profile), *from = new_srtp(profile);
	uint8_t packets[200][64], copy[64];
	size_t lens[200], len;

	for (unsigned n = 0; n < 200; n++) {
		uint8_t packet[ROOM];

		lens[n] = make_rr(SSRC, n, packet);
		ck_assert_int_eq(rtc_srtcp_protect(to, packet, sizeof(packet), &lens[n]), 0);
		memcpy(packets[n], packet, lens[n]);
	}
	/* 0, 2, 4, ... 198: then the odd ones are late, those that are too old too late. */
	for (unsigned n = 0; n < 200; n += 2) {
		for (unsigned again = 0; again < 2; again++) {
			len = lens[n];
			memcpy(copy, packets[n], len);
			ck_assert_int_eq(rtc_srtcp_unprotect(from, copy, &len),
					 again ? -EALREADY : 0);
		}
	}
	for (unsigned n = 1; n < 200; n += 2) {
		len = lens[n];
		memcpy(copy, packets[n], len);
		ck_assert_int_eq(rtc_srtcp_unprotect(from, copy, &len),
				 n < 198 - 63 ? -EALREADY : 0);
		len = lens[n];
		memcpy(copy, packets[n], len);
		ck_assert_int_eq(rtc_srtcp_unprotect(from, copy, &len), -EALREADY);
	}
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}
END_TEST

START_TEST(replayed_media_is_refused)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *to = new_srtp(profile), *from = new_srtp(profile);
	uint8_t packet[ROOM], again[ROOM];

	for (unsigned n = 0; n < 5; n++) {
		size_t len = make_rtp(SSRC, n, 50, packet), again_len;

		ck_assert_int_eq(rtc_srtp_protect(to, packet, sizeof(packet), &len), 0);
		memcpy(again, packet, len);
		again_len = len;
		ck_assert_int_eq(rtc_srtp_unprotect(from, packet, &len), 0);
		ck_assert_int_eq(rtc_srtp_unprotect(from, again, &again_len), -EALREADY);
	}
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}
END_TEST

/* What says that it is not encrypted is not taken at its word. */
START_TEST(plain_is_refused)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *from = new_srtp(profile);
	uint8_t packet[ROOM];

	for (size_t more = 0; more < 40; more++) {
		size_t len = make_rr(SSRC, 1, packet);

		memset(packet + len, 0, more);
		len += more;
		ck_assert_int_lt(rtc_srtcp_unprotect(from, packet, &len), 0);
	}
	rtc_srtp_free(&from);
}
END_TEST

/* Every byte of it counts, and every length. */
START_TEST(forgeries_are_refused)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *to = new_srtp(profile), *from = new_srtp(profile);
	uint8_t good[ROOM];
	size_t good_len = make_rr(SSRC, 1, good), len;

	ck_assert_int_eq(rtc_srtcp_protect(to, good, sizeof(good), &good_len), 0);
	for (size_t i = 0; i < good_len; i++) {
		uint8_t *copy = data_copy(good, good_len), *cut = data_copy(good, i);

		copy[i] ^= 1;
		len = good_len;
		ck_assert_int_lt(rtc_srtcp_unprotect(from, copy, &len), 0);
		len = i;
		ck_assert_int_lt(rtc_srtcp_unprotect(from, cut, &len), 0);
		ck_assert_uint_eq(len, i);
		free(copy);
		free(cut);
	}
	len = good_len;
	ck_assert_int_eq(rtc_srtcp_unprotect(from, good, &len), 0);
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}
END_TEST

/* There is room for few SSRCs: who has no key cannot take it. */
START_TEST(strangers_take_no_room)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *to = new_srtp(profile), *from = new_srtp(profile);
	uint8_t packet[ROOM];
	size_t len;

	for (uint32_t ssrc = 100; ssrc < 200; ssrc++) {
		len = make_rr(ssrc, 1, packet);
		memset(packet + len, 0x80, 20);
		len += 20;
		ck_assert_int_eq(rtc_srtcp_unprotect(from, packet, &len), -EACCES);
	}
	for (uint32_t ssrc = 0; ssrc < RTC_SRTP_SSRCS_MAX; ssrc++) {
		len = make_rr(ssrc, 1, packet);
		ck_assert_int_eq(rtc_srtcp_protect(to, packet, sizeof(packet), &len), 0);
		ck_assert_int_eq(rtc_srtcp_unprotect(from, packet, &len), 0);
	}
	len = make_rr(77, 1, packet);
	ck_assert_int_eq(rtc_srtcp_protect(to, packet, sizeof(packet), &len), -ENOSPC);
	rtc_srtp_free(&to);
	rtc_srtp_free(&from);
}
END_TEST

START_TEST(bounds)
{
	enum rtc_srtp_profile profile = profiles[_i];
	struct rtc_srtp *srtp = new_srtp(profile);
	uint8_t packet[ROOM];
	size_t len = make_rtp(SSRC, 1, 100, packet), was = len;

	ck_assert_int_eq(rtc_srtp_protect(srtp, packet, len + RTC_SRTP_TAIL_BYTES - 1, &len),
			 -EMSGSIZE);
	ck_assert_uint_eq(len, was);
	ck_assert_int_eq(rtc_srtp_protect(srtp, packet, len + RTC_SRTP_TAIL_BYTES, &len), 0);
	len = 11;
	ck_assert_int_eq(rtc_srtp_protect(srtp, packet, sizeof(packet), &len), -EPROTO);
	packet[0] = 0x40;
	len = 100;
	ck_assert_int_eq(rtc_srtp_protect(srtp, packet, sizeof(packet), &len), -EPROTO);
	ck_assert_int_eq(rtc_srtp_unprotect(srtp, packet, &len), -EPROTO);
	rtc_srtp_free(&srtp);
	rtc_srtp_free(&srtp);
}
END_TEST

START_TEST(keys_of_an_export)
{
	enum rtc_srtp_profile profile = profiles[_i];
	size_t bytes = rtc_srtp_export_bytes(profile), salt = bytes / 2 - 16;
	uint8_t exported[RTC_SRTP_EXPORT_BYTES_MAX], key[RTC_SRTP_KEY_BYTES_MAX], packet[ROOM];
	struct rtc_srtp *client = NULL, *server = NULL, *wrong = NULL;
	size_t len;

	for (size_t i = 0; i < bytes; i++)
		exported[i] = (uint8_t)i;
	ck_assert_uint_eq(rtc_srtp_key_of(profile, exported, true, key), 16 + salt);
	ck_assert_uint_eq(key[0], 0);
	ck_assert_uint_eq(key[16], 32);
	ck_assert_uint_eq(rtc_srtp_key_of(profile, exported, false, key), 16 + salt);
	ck_assert_uint_eq(key[0], 16);
	ck_assert_uint_eq(key[16], 32 + salt);
	ck_assert_int_eq(rtc_srtp_new(profile, exported, true, &client), 0);
	ck_assert_int_eq(rtc_srtp_new(profile, exported, true, &server), 0);
	ck_assert_int_eq(rtc_srtp_new(profile, exported, false, &wrong), 0);
	len = make_rr(SSRC, 1, packet);
	ck_assert_int_eq(rtc_srtcp_protect(client, packet, sizeof(packet), &len), 0);
	ck_assert_int_eq(rtc_srtcp_unprotect(wrong, packet, &len), -EACCES);
	len = make_rr(SSRC, 1, packet);
	ck_assert_int_eq(rtc_srtcp_protect(client, packet, sizeof(packet), &len), 0);
	ck_assert_int_eq(rtc_srtcp_unprotect(server, packet, &len), 0);
	rtc_srtp_free(&client);
	rtc_srtp_free(&server);
	rtc_srtp_free(&wrong);
}
END_TEST

START_TEST(names_of_profiles)
{
	struct rtc_srtp *srtp = NULL;

	ck_assert_int_eq(rtc_srtp_profile_of_id(7), RTC_SRTP_AEAD_AES_128_GCM);
	ck_assert_int_eq(rtc_srtp_profile_of_id(1), RTC_SRTP_AES128_CM_SHA1_80);
	ck_assert_int_eq(rtc_srtp_profile_of_id(0), RTC_SRTP_NONE);
	ck_assert_int_eq(rtc_srtp_profile_of_id(2), RTC_SRTP_NONE);
	ck_assert_str_eq(rtc_srtp_profile_name(RTC_SRTP_AEAD_AES_128_GCM), "AEAD_AES_128_GCM");
	ck_assert_uint_eq(rtc_srtp_export_bytes(RTC_SRTP_AEAD_AES_128_GCM), 56);
	ck_assert_uint_eq(rtc_srtp_export_bytes(RTC_SRTP_AES128_CM_SHA1_80), 60);
	ck_assert_int_eq(rtc_srtp_new_with_key(RTC_SRTP_NONE, master, 0, &srtp), -EINVAL);
	ck_assert_int_eq(rtc_srtp_new_with_key(RTC_SRTP_AEAD_AES_128_GCM, master, 30, &srtp),
			 -EINVAL);
	ck_assert_ptr_null(srtp);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, reference_is_right);
	tcase_add_loop_test(tcase, rtp_is_as_the_rfcs_say, 0, 2);
	tcase_add_test(tcase, rtcp_gcm_is_as_the_rfc_says);
	tcase_add_loop_test(tcase, there_and_back, 0, 2);
	tcase_add_loop_test(tcase, replays_are_refused, 0, 2);
	tcase_add_loop_test(tcase, replayed_media_is_refused, 0, 2);
	tcase_add_loop_test(tcase, plain_is_refused, 0, 2);
	tcase_add_loop_test(tcase, forgeries_are_refused, 0, 2);
	tcase_add_loop_test(tcase, strangers_take_no_room, 0, 2);
	tcase_add_loop_test(tcase, bounds, 0, 2);
	tcase_add_loop_test(tcase, keys_of_an_export, 0, 2);
	tcase_add_test(tcase, names_of_profiles);
}

int
main(void)
{
	return data_run("rtc_srtp", add_tests);
}
