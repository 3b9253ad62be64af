/*
 * Sessions by what their datagrams and requests carry: our half of the STUN user name, the address
 * that they come from, the id of the session resource.
 */
#ifndef CAMHUB_RTC_TABLE_H
#define CAMHUB_RTC_TABLE_H

#include "rtc/session.h"

struct rtc_table;

struct rtc_table *rtc_table_new(void);
void rtc_table_free(struct rtc_table **table); /* NULL-safe; it must be empty */

/* id, ufrag and password are made here: random. */
void rtc_table_add(struct rtc_table *table, struct rtc_session *session);
/* With all its addresses. */
void rtc_table_remove(struct rtc_table *table, struct rtc_session *session);

struct rtc_session *rtc_table_by_id(const struct rtc_table *table, const char *id);
struct rtc_session *rtc_table_by_ufrag(const struct rtc_table *table, const char *ufrag,
				       size_t len);
struct rtc_session *rtc_table_by_peer(const struct rtc_table *table, const struct rtc_udp *udp,
				      const union rtc_address *address);
/* A check came from there: the session's newest addresses are kept. false: it is where another
 * session is sent to. */
bool rtc_table_set_peer(struct rtc_table *table, struct rtc_session *session, struct rtc_udp *udp,
			const union rtc_address *address);

#endif
