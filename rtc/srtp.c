/*
 * SRTP by libre, in the caller's memory. libre keeps state for each SSRC it hears of and has room
 * for few, before it knows whether a packet is authentic: so a new SSRC is tried on a copy first,
 * and what is forged takes no room.
 */
#include "config.h"

#include <re.h> /* before everything that could include sys/queue.h: it has a LIST_FOREACH of its own */

#include "rtc/srtp.h"
#include "rtc/srtp_profile.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define RTP_MIN_BYTES  12u
#define RTCP_MIN_BYTES 8u
#define PACKET_MAX     2048u /* of what comes in */
#define RTP_SSRC_AT    8u
#define RTCP_SSRC_AT   4u
#define IS_ENCRYPTED   0x80000000u /* the E bit of the SRTCP index */
#define WINDOW         64u

struct source {
	uint32_t ssrc;
	/* SRTCP: which indices came (RFC 3711 3.3.2). Bit n: highest - n */
	bool has_index;
	uint32_t highest;
	uint64_t came;
};

struct rtc_srtp {
	struct srtp *srtp;
	enum rtc_srtp_profile profile;
	uint8_t key[RTC_SRTP_KEY_BYTES_MAX];
	size_t key_len;
	struct source sources[RTC_SRTP_SSRCS_MAX];
	unsigned n_sources;
};

/* What differs between RTP and RTCP. */
struct kind {
	int (*call)(struct srtp *srtp, struct mbuf *mbuf);
	size_t min_bytes, ssrc_at;
};

static const struct kind encrypt_rtp = { srtp_encrypt, RTP_MIN_BYTES, RTP_SSRC_AT };
static const struct kind encrypt_rtcp = { srtcp_encrypt, RTCP_MIN_BYTES, RTCP_SSRC_AT };
static const struct kind decrypt_rtp = { srtp_decrypt, RTP_MIN_BYTES, RTP_SSRC_AT };
static const struct kind decrypt_rtcp = { srtcp_decrypt, RTCP_MIN_BYTES, RTCP_SSRC_AT };

static int
translate(int err)
{
	switch (err) {
	case 0:
		return 0;
	case ENOMEM:
		return -ENOMEM;
	case EAUTH:
		return -EACCES;
	case EALREADY:
		return -EALREADY;
	case ENOSR:
		return -ENOSPC;
	case EBADMSG:
	case EINVAL:
		return -EPROTO;
	default:
		return -EIO;
	}
}

static int
alloc_context(enum rtc_srtp_profile profile, const uint8_t *key, size_t len, struct srtp **srtp)
{
	enum srtp_suite suite =
	    profile == RTC_SRTP_AEAD_AES_128_GCM ? SRTP_AES_128_GCM : SRTP_AES_CM_128_HMAC_SHA1_80;

	return translate(srtp_alloc(srtp, suite, key, len, 0));
}

int
rtc_srtp_new_with_key(enum rtc_srtp_profile profile, const uint8_t *key, size_t len,
		      struct rtc_srtp **srtp)
{
	struct rtc_srtp *made;
	int err;

	if (profile == RTC_SRTP_NONE || len != rtc_srtp_export_bytes(profile) / 2)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	made->profile = profile;
	made->key_len = len;
	memcpy(made->key, key, len);
	err = alloc_context(profile, key, len, &made->srtp);
	if (err < 0) {
		rtc_srtp_free(&made);
		return err;
	}
	*srtp = made;
	return 0;
}

int
rtc_srtp_new(enum rtc_srtp_profile profile, const uint8_t *exported, bool is_clients,
	     struct rtc_srtp **srtp)
{
	uint8_t key[RTC_SRTP_KEY_BYTES_MAX];
	int err;

	if (profile == RTC_SRTP_NONE)
		return -EINVAL;
	err = rtc_srtp_new_with_key(profile, key,
				    rtc_srtp_key_of(profile, exported, is_clients, key), srtp);
	OPENSSL_cleanse(key, sizeof(key));
	return err;
}

void
rtc_srtp_free(struct rtc_srtp **srtp)
{
	if (*srtp == NULL)
		return;
	mem_deref((*srtp)->srtp);
	OPENSSL_cleanse(*srtp, sizeof(**srtp));
	free(*srtp);
	*srtp = NULL;
}

static uint32_t
read_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static struct source *
find_source(struct rtc_srtp *srtp, uint32_t ssrc)
{
	for (unsigned i = 0; i < srtp->n_sources; i++) {
		if (srtp->sources[i].ssrc == ssrc)
			return &srtp->sources[i];
	}
	return NULL;
}

/* libre counts SSRCs of RTP and RTCP together; so do we. */
static int
remember(struct rtc_srtp *srtp, uint32_t ssrc)
{
	if (find_source(srtp, ssrc) != NULL)
		return 0;
	if (srtp->n_sources == RTC_SRTP_SSRCS_MAX)
		return -ENOSPC;
	srtp->sources[srtp->n_sources++] = (struct source){ .ssrc = ssrc };
	return 0;
}

/* libre's buffer around the caller's memory: as long as it does not have to grow, it stays there.
 */
static int
call_in_place(struct srtp *srtp, const struct kind *kind, uint8_t *data, size_t cap, size_t *len)
{
	struct mbuf mbuf = { .buf = data, .size = cap, .pos = 0, .end = *len };
	int err = translate(kind->call(srtp, &mbuf));

	if (err == 0)
		*len = mbuf.end;
	return err;
}

static int
protect(struct rtc_srtp *srtp, const struct kind *kind, uint8_t *data, size_t cap, size_t *len)
{
	int err;

	if (*len < kind->min_bytes || data[0] >> 6 != 2)
		return -EPROTO;
	if (cap < *len || cap - *len < RTC_SRTP_TAIL_BYTES)
		return -EMSGSIZE;
	err = remember(srtp, read_u32(data + kind->ssrc_at));
	if (err < 0)
		return err;
	return call_in_place(srtp->srtp, kind, data, cap, len);
}

/* Whether a packet of an SSRC that was not heard of is authentic: tried on a copy, with a context
 * that is thrown away. */
static int
try_stranger(const struct rtc_srtp *srtp, const struct kind *kind, const uint8_t *data, size_t len)
{
	uint8_t copy[PACKET_MAX];
	struct srtp *context = NULL;
	int err = alloc_context(srtp->profile, srtp->key, srtp->key_len, &context);

	if (err < 0)
		return err;
	memcpy(copy, data, len);
	err = call_in_place(context, kind, copy, sizeof(copy), &len);
	mem_deref(context);
	return err;
}

static int
unprotect(struct rtc_srtp *srtp, const struct kind *kind, uint8_t *data, size_t *len)
{
	uint32_t ssrc;
	int err;

	if (*len < kind->min_bytes || *len > PACKET_MAX || data[0] >> 6 != 2)
		return -EPROTO;
	ssrc = read_u32(data + kind->ssrc_at);
	if (find_source(srtp, ssrc) == NULL) {
		err = try_stranger(srtp, kind, data, *len);
		if (err == 0)
			err = remember(srtp, ssrc);
		if (err < 0)
			return err;
	}
	return call_in_place(srtp->srtp, kind, data, *len, len);
}

static bool
has_come(const struct source *source, uint32_t index)
{
	if (!source->has_index || index > source->highest)
		return false;
	return source->highest - index >= WINDOW || (source->came >> (source->highest - index) & 1);
}

static void
note_come(struct source *source, uint32_t index)
{
	uint32_t ahead = index - source->highest;

	if (source->has_index && index <= source->highest) {
		source->came |= UINT64_C(1) << (source->highest - index);
		return;
	}
	source->came = source->has_index && ahead < WINDOW ? source->came << ahead | 1 : 1;
	source->highest = index;
	source->has_index = true;
}

/* RFC 3711 3.4, RFC 7714 9.2: the index stands before the tag, with GCM behind it. */
static int
read_index(const struct rtc_srtp *srtp, const uint8_t *data, size_t len, uint32_t *index)
{
	bool is_gcm = srtp->profile == RTC_SRTP_AEAD_AES_128_GCM;
	size_t behind = is_gcm ? 4 : 4 + rtc_srtp_overhead(srtp->profile);
	uint32_t word;

	if (len < RTCP_MIN_BYTES + 4 + rtc_srtp_overhead(srtp->profile))
		return -EPROTO;
	word = read_u32(data + len - behind);
	if ((word & IS_ENCRYPTED) == 0)
		return -EACCES;
	*index = word & ~IS_ENCRYPTED;
	return 0;
}

int
rtc_srtp_protect(struct rtc_srtp *srtp, uint8_t *data, size_t cap, size_t *len)
{
	return protect(srtp, &encrypt_rtp, data, cap, len);
}

int
rtc_srtcp_protect(struct rtc_srtp *srtp, uint8_t *data, size_t cap, size_t *len)
{
	return protect(srtp, &encrypt_rtcp, data, cap, len);
}

int
rtc_srtp_unprotect(struct rtc_srtp *srtp, uint8_t *data, size_t *len)
{
	return unprotect(srtp, &decrypt_rtp, data, len);
}

int
rtc_srtcp_unprotect(struct rtc_srtp *srtp, uint8_t *data, size_t *len)
{
	struct source *source;
	uint32_t ssrc, index;
	int err = read_index(srtp, data, *len, &index);

	if (err < 0)
		return err;
	ssrc = read_u32(data + RTCP_SSRC_AT);
	source = find_source(srtp, ssrc);
	if (source != NULL && has_come(source, index))
		return -EALREADY;
	err = unprotect(srtp, &decrypt_rtcp, data, len);
	source = err == 0 ? find_source(srtp, ssrc) : NULL;
	if (source != NULL)
		note_come(source, index);
	return err;
}
