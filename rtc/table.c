/*
 * Three hash tables of fixed size.
 */
#include "config.h"

#include "rtc/table.h"

#include "shared/base64url.h"
#include "shared/xalloc.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define BUCKETS 1024u

LIST_HEAD(bucket, rtc_session);
LIST_HEAD(peer_bucket, rtc_peer);

struct rtc_table {
	uint64_t key;
	struct bucket ids[BUCKETS], ufrags[BUCKETS];
	struct peer_bucket peers[BUCKETS];
};

static void
fill_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		xalloc_die();
}

struct rtc_table *
rtc_table_new(void)
{
	struct rtc_table *table = xcalloc(1, sizeof(*table));

	fill_random(&table->key, sizeof(table->key));
	return table;
}

void
rtc_table_free(struct rtc_table **table)
{
	free(*table);
	*table = NULL;
}

static unsigned
hash_text(const struct rtc_table *table, const char *text, size_t len)
{
	uint64_t hash = table->key;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return (unsigned)(hash >> 20) % BUCKETS;
}

static unsigned
hash_address(const struct rtc_table *table, const union rtc_address *address)
{
	return rtc_address_hash(address, table->key) % BUCKETS;
}

static void
make_names(struct rtc_session *session)
{
	uint8_t id[16], ufrag[6], password[18];

	fill_random(id, sizeof(id));
	fill_random(ufrag, sizeof(ufrag));
	fill_random(password, sizeof(password));
	base64url_encode(id, sizeof(id), session->id);
	base64url_encode(ufrag, sizeof(ufrag), session->ufrag);
	base64url_encode(password, sizeof(password), session->password);
	/* ice-char has + and / where base64url has others (RFC 8839 5.4). */
	for (char *c = session->ufrag; *c != '\0'; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	for (char *c = session->password; *c != '\0'; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	OPENSSL_cleanse(password, sizeof(password));
}

void
rtc_table_add(struct rtc_table *table, struct rtc_session *session)
{
	do
		make_names(session);
	while (rtc_table_by_id(table, session->id) != NULL ||
	       rtc_table_by_ufrag(table, session->ufrag, strlen(session->ufrag)) != NULL);
	LIST_INSERT_HEAD(&table->ids[hash_text(table, session->id, strlen(session->id))], session,
			 in_ids);
	LIST_INSERT_HEAD(&table->ufrags[hash_text(table, session->ufrag, strlen(session->ufrag))],
			 session, in_ufrags);
}

static void
forget_peer(struct rtc_peer *peer)
{
	if (peer->session == NULL)
		return;
	LIST_REMOVE(peer, in_bucket);
	peer->session = NULL;
}

void
rtc_table_remove(struct rtc_table *table, struct rtc_session *session)
{
	(void)table;
	LIST_REMOVE(session, in_ids);
	LIST_REMOVE(session, in_ufrags);
	for (unsigned i = 0; i < RTC_PEERS_MAX; i++)
		forget_peer(&session->peers[i]);
}

struct rtc_session *
rtc_table_by_id(const struct rtc_table *table, const char *id)
{
	struct rtc_session *session = LIST_FIRST(&table->ids[hash_text(table, id, strlen(id))]);

	while (session != NULL && strcmp(session->id, id) != 0)
		session = LIST_NEXT(session, in_ids);
	return session;
}

struct rtc_session *
rtc_table_by_ufrag(const struct rtc_table *table, const char *ufrag, size_t len)
{
	struct rtc_session *session;

	if (len != RTC_UFRAG_CHARS)
		return NULL;
	session = LIST_FIRST(&table->ufrags[hash_text(table, ufrag, len)]);
	while (session != NULL && memcmp(session->ufrag, ufrag, len) != 0)
		session = LIST_NEXT(session, in_ufrags);
	return session;
}

static struct rtc_peer *
find_peer(const struct rtc_table *table, const struct rtc_udp *udp,
	  const union rtc_address *address)
{
	struct rtc_peer *peer = LIST_FIRST(&table->peers[hash_address(table, address)]);

	while (peer != NULL && (peer->udp != udp || !rtc_address_is_same(&peer->address, address)))
		peer = LIST_NEXT(peer, in_bucket);
	return peer;
}

struct rtc_session *
rtc_table_by_peer(const struct rtc_table *table, const struct rtc_udp *udp,
		  const union rtc_address *address)
{
	const struct rtc_peer *peer = find_peer(table, udp, address);

	return peer != NULL ? peer->session : NULL;
}

/* Whether pictures flow there, to somebody who said of late that he is there. */
static bool
is_held(const struct rtc_peer *peer)
{
	const struct rtc_session *session = peer->session;
	const struct rtc_place *place = &session->place;

	return session->state == RTC_UP && place->now.udp == peer->udp &&
	       rtc_address_is_same(&place->now.peer, &peer->address) &&
	       clock_now_ns(session->rtc->front->clock) - place->checked_ns <
		   RTC_SILENT_MS * NS_PER_MS;
}

/* Room for one more of his addresses: the oldest, but not where he is. */
static struct rtc_peer *
next_peer(struct rtc_session *session)
{
	struct rtc_peer *peer = &session->peers[session->next_peer++ % RTC_PEERS_MAX];

	if (peer->session != NULL && is_held(peer))
		peer = &session->peers[session->next_peer++ % RTC_PEERS_MAX];
	return peer;
}

bool
rtc_table_set_peer(struct rtc_table *table, struct rtc_session *session, struct rtc_udp *udp,
		   const union rtc_address *address)
{
	struct rtc_peer *peer = find_peer(table, udp, address);

	if (peer != NULL && peer->session == session)
		return true;
	/* A browser that came again from the same port has it, but nobody in its name. */
	if (peer != NULL && is_held(peer))
		return false;
	if (peer != NULL)
		forget_peer(peer);
	peer = next_peer(session);
	forget_peer(peer);
	*peer = (struct rtc_peer){ .session = session, .udp = udp, .address = *address };
	LIST_INSERT_HEAD(&table->peers[hash_address(table, address)], peer, in_bucket);
	return true;
}
