/*
 * STUN with a key: who proved to have the password is read and answered. libre does the reading and
 * writing; it sees only messages whose integrity was right, because it allocates for each
 * attribute.
 */
#include "config.h"

#include <re.h> /* before everything that could include sys/queue.h: it has a LIST_FOREACH of its own */

#include "rtc/stun.h"
#include "rtc/stun_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define LENGTH_AT    2u
#define CODE_UNKNOWN 420
/* RFC 8445 5.1.2.1, of a peer-reflexive candidate: it has to be there, nobody goes by it. */
#define PROBE_PRIORITY (110u << 24 | 65535u << 8 | 255u)

/* RFC 8489 14.5: over what is before it, with a length as if the message ended with it. */
static bool
is_integrity_right(const uint8_t *data, size_t at, const char *password)
{
	uint8_t head[RTC_STUN_REQUEST_MAX], mac[EVP_MAX_MD_SIZE];
	size_t as_if = at + 4 + STUN_INTEGRITY_BYTES - STUN_HEADER_BYTES;
	unsigned mac_len = 0;

	memcpy(head, data, at);
	head[LENGTH_AT] = (uint8_t)(as_if >> 8);
	head[LENGTH_AT + 1] = (uint8_t)as_if;
	if (HMAC(EVP_sha1(), password, (int)strlen(password), head, at, mac, &mac_len) == NULL ||
	    mac_len != STUN_INTEGRITY_BYTES)
		return false;
	return CRYPTO_memcmp(mac, data + at + 4, STUN_INTEGRITY_BYTES) == 0;
}

static void
fill_binding(const struct stun_msg *msg, const struct stun_unknown_attr *unknown,
	     struct rtc_stun_binding *binding)
{
	const struct stun_attr *priority = stun_msg_attr(msg, STUN_ATTR_PRIORITY);

	*binding = (struct rtc_stun_binding){
		.use_candidate = stun_msg_attr(msg, STUN_ATTR_USE_CAND) != NULL,
		.is_controlling = stun_msg_attr(msg, STUN_ATTR_CONTROLLED) == NULL,
		.priority = priority != NULL ? priority->v.priority : 0,
		.has_unknown = unknown->typec > 0,
	};
	memcpy(binding->id, stun_msg_tid(msg), sizeof(binding->id));
	for (uint32_t i = 0; i < unknown->typec && i < 8; i++)
		binding->unknown[binding->n_unknown++] = unknown->typev[i];
}

/* data is what rtc_stun_check() believes. */
static int
decode(const uint8_t *data, size_t len, struct rtc_stun_binding *binding)
{
	struct stun_unknown_attr unknown = { .typec = 0 };
	struct mbuf *mbuf = mbuf_alloc(len);
	struct stun_msg *msg = NULL;
	int err = -ENOMEM;

	if (mbuf == NULL)
		return err;
	err = -mbuf_write_mem(mbuf, data, len);
	mbuf->pos = 0;
	if (err == 0 && stun_msg_decode(&msg, mbuf, &unknown) != 0)
		err = -EPROTO;
	if (err == 0)
		fill_binding(msg, &unknown, binding);
	mem_deref(msg);
	mem_deref(mbuf);
	return err;
}

int
rtc_stun_check(const uint8_t *data, size_t len, const char *password,
	       struct rtc_stun_binding *binding)
{
	struct rtc_stun_peek peek;
	size_t integrity_at;
	int err = rtc_stun_walk(data, len, &peek, &integrity_at);

	if (err < 0)
		return err;
	if (!is_integrity_right(data, integrity_at, password))
		return -EACCES;
	return decode(data, len, binding);
}

/* v4-mapped addresses are what an IPv6 socket shows of IPv4. */
static bool
set_address(struct sa *sa, const struct sockaddr *from)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6;

	if (from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		return sa_set_sa(sa, (const struct sockaddr *)&v4) == 0;
	}
	if (from->sa_family != AF_INET6)
		return false;
	memcpy(&v6, from, sizeof(v6));
	if (memcmp(&v6.sin6_addr, mapped, sizeof(mapped)) != 0)
		return sa_set_sa(sa, (const struct sockaddr *)&v6) == 0;
	v4.sin_port = v6.sin6_port;
	memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + sizeof(mapped), sizeof(v4.sin_addr));
	return sa_set_sa(sa, (const struct sockaddr *)&v4) == 0;
}

static int
encode_refusal(struct mbuf *mbuf, const struct rtc_stun_binding *binding, const char *password)
{
	static char reason[] = "Unknown";
	struct stun_errcode code = { .code = CODE_UNKNOWN, .reason = reason };
	struct stun_unknown_attr unknown = { .typec = binding->n_unknown };

	memcpy(unknown.typev, binding->unknown, sizeof(unknown.typev));
	return stun_msg_encode(mbuf, STUN_METHOD_BINDING, STUN_CLASS_ERROR_RESP, binding->id, &code,
			       (const uint8_t *)password, strlen(password), true, 0, 1,
			       STUN_ATTR_UNKNOWN_ATTR, &unknown);
}

static int
encode_success(struct mbuf *mbuf, const struct rtc_stun_binding *binding, const struct sa *sa,
	       const char *password)
{
	return stun_msg_encode(mbuf, STUN_METHOD_BINDING, STUN_CLASS_SUCCESS_RESP, binding->id,
			       NULL, (const uint8_t *)password, strlen(password), true, 0, 1,
			       STUN_ATTR_XOR_MAPPED_ADDR, sa);
}

size_t
rtc_stun_answer(const struct rtc_stun_binding *binding, const struct sockaddr *from,
		const char *password, uint8_t out[RTC_STUN_ANSWER_MAX])
{
	struct mbuf *mbuf = mbuf_alloc(RTC_STUN_ANSWER_MAX);
	size_t len = 0;
	struct sa sa;
	int err;

	if (mbuf == NULL)
		return 0;
	if (binding->has_unknown)
		err = encode_refusal(mbuf, binding, password);
	else if (set_address(&sa, from))
		err = encode_success(mbuf, binding, &sa, password);
	else
		err = EAFNOSUPPORT;
	if (err == 0 && mbuf->end <= RTC_STUN_ANSWER_MAX) {
		len = mbuf->end;
		memcpy(out, mbuf->buf, len);
	}
	mem_deref(mbuf);
	return len;
}

size_t
rtc_stun_probe(const char *ufrag, const char *password, const char *own_ufrag,
	       const uint8_t id[RTC_STUN_ID_BYTES], uint8_t out[RTC_STUN_PROBE_MAX])
{
	char username[2 * RTC_STUN_UFRAG_MAX + 2];
	struct mbuf *mbuf = mbuf_alloc(RTC_STUN_PROBE_MAX);
	uint32_t priority = PROBE_PRIORITY;
	uint64_t tie_breaker = 0; /* there is no doubt who controls: RFC 8445 6.1.1 */
	size_t len = 0;
	int err;

	if (mbuf == NULL)
		return 0;
	snprintf(username, sizeof(username), "%s:%s", ufrag, own_ufrag);
	err = stun_msg_encode(mbuf, STUN_METHOD_BINDING, STUN_CLASS_REQUEST, id, NULL,
			      (const uint8_t *)password, strlen(password), true, 0, 3,
			      STUN_ATTR_USERNAME, username, STUN_ATTR_PRIORITY, &priority,
			      STUN_ATTR_CONTROLLED, &tie_breaker);
	if (err == 0 && mbuf->end <= RTC_STUN_PROBE_MAX) {
		len = mbuf->end;
		memcpy(out, mbuf->buf, len);
	}
	mem_deref(mbuf);
	return len;
}
