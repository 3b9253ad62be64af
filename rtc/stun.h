/*
 * STUN (RFC 8489) as an ICE-lite agent needs it (RFC 8445 2.5, 7.3): Binding requests in, answers
 * out. In two steps, so that what comes from anywhere costs next to nothing: rtc_stun_peek() finds
 * out without memory and without a key whose session it would be for, rtc_stun_check() believes it
 * only when it was made with that session's password. Nothing is ever answered to what was not
 * checked. And one kind of request of ours, which asks nothing but whether it came.
 */
#ifndef CAMHUB_RTC_STUN_H
#define CAMHUB_RTC_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RTC_STUN_UFRAG_MAX   256u /* RFC 8839 5.4 */
#define RTC_STUN_REQUEST_MAX 1200u
#define RTC_STUN_ANSWER_MAX                                                                        \
	128u /* bytes of any answer: never more than the shortest request x 2                      \
	      */
#define RTC_STUN_ID_BYTES 12u

/* Whether a datagram's first byte is that of STUN (RFC 7983 7: 0..3). */
bool rtc_stun_is(const uint8_t *data, size_t len);

struct rtc_stun_peek {
	const char *ufrag; /* the part of USERNAME before the colon: ours; into the datagram */
	size_t ufrag_len;  /* 4..RTC_STUN_UFRAG_MAX, of ice-char only (RFC 8839 5.4) */
};

/*
 * Whether this is a Binding request of an ICE agent: header, lengths and cookie are right, every
 * attribute lies inside, USERNAME is of the form a:b, MESSAGE-INTEGRITY and behind it a right
 * FINGERPRINT end it. No allocation, one pass and a CRC. Returns 0, or -EPROTO with *peek
 * untouched.
 */
int rtc_stun_peek(const uint8_t *data, size_t len, struct rtc_stun_peek *peek);

struct rtc_stun_binding {
	uint8_t id[RTC_STUN_ID_BYTES]; /* transaction */
	bool use_candidate;            /* nominated: this path is the one */
	bool is_controlling;           /* false: an agent that thinks that we control */
	uint32_t priority;             /* 0: not there */
	bool has_unknown;              /* something it must be refused for: answer 420 */
	uint16_t unknown[8];
	unsigned n_unknown;
};

/*
 * Whether a request that rtc_stun_peek() took was made with password (ours, the one of the SDP
 * answer). Returns 0, -EACCES when not, -EPROTO; *binding is untouched on failure.
 */
int rtc_stun_check(const uint8_t *data, size_t len, const char *password,
		   struct rtc_stun_binding *binding);

/*
 * The answer to a request that was checked: success with XOR-MAPPED-ADDRESS of where it came from
 * (AF_INET or AF_INET6; v4-mapped ones are told as IPv4), or 420 when it has_unknown. With
 * MESSAGE-INTEGRITY and FINGERPRINT. Returns its bytes, 0 when it cannot be made.
 */
size_t rtc_stun_answer(const struct rtc_stun_binding *binding, const struct sockaddr *from,
		       const char *password, uint8_t out[RTC_STUN_ANSWER_MAX]);

/*
 * A request of ours, as the controlled agent (RFC 8445 7.1.1, 7.2.2): whoever gets it answers at
 * once. ufrag, password: his, of the offer; own_ufrag: ours; id: random, the caller's. Returns its
 * bytes, 0 when it cannot be made.
 */
#define RTC_STUN_PROBE_MAX 640u
size_t rtc_stun_probe(const char *ufrag, const char *password, const char *own_ufrag,
		      const uint8_t id[RTC_STUN_ID_BYTES], uint8_t out[RTC_STUN_PROBE_MAX]);
/* Whether it answers the request with that id, be it with success. Only who got that knows the id,
 * and nothing else is believed of it. */
bool rtc_stun_is_answer(const uint8_t *data, size_t len, const uint8_t id[RTC_STUN_ID_BYTES]);

#endif
