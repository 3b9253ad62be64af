/*
 * A viewer's queue and its writev().
 */
#include "config.h"

#include "http/outq.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define IOV_BATCH   128
#define BATCH_BYTES (1u << 20)
#define KEPT_ITEMS  8 /* an empty queue keeps no more room: most hold one frame at a time */

struct gather {
	struct iovec iov[IOV_BATCH];
	size_t n, bytes, skip;
};

void
outq_init(struct outq *q)
{
	*q = (struct outq){ .cap = 0 };
}

static struct outq_item *
item_at(const struct outq *q, size_t i)
{
	return &q->items[(q->first + i) & (q->cap - 1)];
}

static size_t
item_len(const struct outq_item *item)
{
	return item->prefix_len + (item->wire != NULL ? item->wire->len : 0) +
	       (item->suffix != NULL ? strlen(item->suffix) : 0);
}

static void
drop_first(struct outq *q)
{
	wire_unref(&item_at(q, 0)->wire);
	q->first = (q->first + 1) & (q->cap - 1);
	q->count--;
	q->offset = 0;
	if (q->count == 0 && q->cap > KEPT_ITEMS) {
		free(q->items);
		q->items = NULL;
		q->cap = q->first = 0;
	}
}

void
outq_clear(struct outq *q)
{
	while (q->count > 0)
		drop_first(q);
	free(q->items);
	outq_init(q);
}

static void
grow(struct outq *q)
{
	size_t cap = q->cap > 0 ? q->cap * 2 : 4;
	struct outq_item *items = xcalloc(cap, sizeof(*items));

	for (size_t i = 0; i < q->count; i++)
		items[i] = *item_at(q, i);
	free(q->items);
	q->items = items;
	q->cap = cap;
	q->first = 0;
}

void
outq_add(struct outq *q, const void *prefix, size_t prefix_len, struct wire *wire,
	 const char *suffix)
{
	struct outq_item *item;

	if (q->count == q->cap)
		grow(q);
	item = item_at(q, q->count);
	item->wire = wire != NULL ? wire_ref(wire) : NULL;
	item->suffix = suffix;
	item->prefix_len = (uint8_t)prefix_len;
	if (prefix_len > 0)
		memcpy(item->prefix, prefix, prefix_len);
	q->count++;
	q->bytes += item_len(item);
}

/* false: the batch is full. */
static bool
gather_piece(struct gather *g, const void *base, size_t len)
{
	if (len <= g->skip) {
		g->skip -= len;
		return true;
	}
	if (g->n == IOV_BATCH || g->bytes >= BATCH_BYTES)
		return false;
	g->iov[g->n].iov_base = (uint8_t *)base + g->skip;
	g->iov[g->n].iov_len = len - g->skip;
	g->bytes += len - g->skip;
	g->n++;
	g->skip = 0;
	return true;
}

static bool
gather_item(struct gather *g, const struct outq_item *item)
{
	if (!gather_piece(g, item->prefix, item->prefix_len))
		return false;
	for (unsigned i = 0; item->wire != NULL && i < item->wire->pieces; i++)
		if (!gather_piece(g, item->wire->piece[i].iov_base, item->wire->piece[i].iov_len))
			return false;
	return item->suffix == NULL || gather_piece(g, item->suffix, strlen(item->suffix));
}

void
outq_consume(struct outq *q, size_t n)
{
	q->bytes -= n;
	n += q->offset;
	while (q->count > 0 && n >= item_len(item_at(q, 0))) {
		n -= item_len(item_at(q, 0));
		drop_first(q);
	}
	q->offset = n;
}

size_t
outq_peek(const struct outq *q, void *to, size_t size)
{
	struct gather g = { .skip = q->offset };
	size_t done = 0;

	for (size_t i = 0; i < q->count && gather_item(&g, item_at(q, i)); i++)
		if (g.bytes >= size)
			break;
	for (size_t i = 0; i < g.n && done < size; i++) {
		size_t n = g.iov[i].iov_len < size - done ? g.iov[i].iov_len : size - done;

		memcpy((uint8_t *)to + done, g.iov[i].iov_base, n);
		done += n;
	}
	return done;
}

int
outq_write(struct outq *q, int fd, uint64_t *written)
{
	while (q->count > 0) {
		struct gather g = { .skip = q->offset };
		struct msghdr msg = { .msg_iov = g.iov };
		ssize_t n;

		for (size_t i = 0; i < q->count && gather_item(&g, item_at(q, i)); i++)
			;
		msg.msg_iovlen = g.n;
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		*written += (uint64_t)n;
		outq_consume(q, (size_t)n);
		/* A short write means full: asking again would only cost a call. */
		if ((size_t)n < g.bytes)
			return -EAGAIN;
	}
	return 0;
}
