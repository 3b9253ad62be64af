/*
 * The protection profiles of DTLS-SRTP that we speak, as a table.
 */
#include "config.h"

#include "rtc/srtp_profile.h"

#include <string.h>

/* RFC 5764 4.1.2, RFC 7714 14.2; in the order of enum rtc_srtp_profile. */
static const struct rtc_srtp_parameters profiles[] = {
	{ "none", 0, 0, 0, 0 },
	{ "AES128_CM_SHA1_80", 0x0001, 16, 14, 10 },
	{ "AEAD_AES_128_GCM", 0x0007, 16, 12, 16 },
};

#define N_PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const struct rtc_srtp_parameters *
rtc_srtp_parameters(enum rtc_srtp_profile profile)
{
	return &profiles[(size_t)profile < N_PROFILES ? (size_t)profile : 0];
}

enum rtc_srtp_profile
rtc_srtp_profile_of_id(unsigned long id)
{
	for (size_t i = 1; i < N_PROFILES; i++) {
		if (profiles[i].id == id)
			return (enum rtc_srtp_profile)i;
	}
	return RTC_SRTP_NONE;
}

const char *
rtc_srtp_profile_name(enum rtc_srtp_profile profile)
{
	return rtc_srtp_parameters(profile)->name;
}

size_t
rtc_srtp_export_bytes(enum rtc_srtp_profile profile)
{
	const struct rtc_srtp_parameters *parameters = rtc_srtp_parameters(profile);

	return 2 * (parameters->key_bytes + parameters->salt_bytes);
}

size_t
rtc_srtp_overhead(enum rtc_srtp_profile profile)
{
	return rtc_srtp_parameters(profile)->tag_bytes;
}

size_t
rtc_srtp_key_of(enum rtc_srtp_profile profile, const uint8_t *exported, bool is_clients,
		uint8_t key[RTC_SRTP_KEY_BYTES_MAX])
{
	const struct rtc_srtp_parameters *parameters = rtc_srtp_parameters(profile);
	size_t key_bytes = parameters->key_bytes, salt_bytes = parameters->salt_bytes;
	size_t which = is_clients ? 0 : 1;

	/* client key, server key, client salt, server salt (RFC 5764 4.2) */
	memcpy(key, exported + which * key_bytes, key_bytes);
	memcpy(key + key_bytes, exported + 2 * key_bytes + which * salt_bytes, salt_bytes);
	return key_bytes + salt_bytes;
}
