/*
 * Shared bytes for viewers. An access unit is not copied: its pieces point at the NAL units inside
 * the bus message, and at the lengths between them, which lie behind the piece table; small units
 * are copied there too.
 */
#include "config.h"

#include "http/wire.h"

#include "media/bytes.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>

/* Units with more NAL units than this are copied into one piece. */
#define UNITS_MAX 32
/* NAL units up to this are copied: delimiters, SEI. */
#define COPIED_MAX 512

static struct wire *
wire_new(unsigned pieces, size_t extra)
{
	struct wire *wire = malloc(sizeof(*wire) + pieces * sizeof(wire->piece[0]) + extra);

	if (wire == NULL)
		return NULL;
	*wire = (struct wire){ .refs = 1, .pieces = pieces };
	return wire;
}

static uint8_t *
wire_extra(struct wire *wire)
{
	return (uint8_t *)&wire->piece[wire->pieces];
}

struct wire *
wire_from_bytes(const void *bytes, size_t len)
{
	struct wire *wire = wire_new(1, len);

	if (wire == NULL)
		xalloc_die();
	if (len > 0)
		memcpy(wire_extra(wire), bytes, len);
	wire->piece[0] = (struct iovec){ wire_extra(wire), len };
	wire->len = len;
	return wire;
}

struct wire *
wire_from_msg(struct bus_msg *msg)
{
	struct wire *wire = wire_new(1, 0);

	if (wire == NULL)
		xalloc_die();
	wire->msg = bus_msg_ref(msg);
	wire->piece[0] = (struct iovec){ (void *)msg->payload, msg->frame.payload_len };
	wire->len = msg->frame.payload_len;
	return wire;
}

static int
copy_unit(const struct bus_msg *msg, enum nal_codec codec, struct wire **wire)
{
	struct byte_writer out;
	int rc;

	byte_writer_init(&out, 2 * (size_t)FRAME_PAYLOAD_MAX);
	rc = nal_annexb_to_sample(codec, msg->payload, msg->frame.payload_len, &out);
	if (rc == 0)
		*wire = wire_from_bytes(out.data, out.len);
	byte_writer_free(&out);
	return rc;
}

/* Whether a NAL unit is copied behind its length: the kernel takes few large pieces faster. */
static bool
is_small(const struct iovec *nal)
{
	return nal->iov_len <= COPIED_MAX;
}

/* Bytes of the lengths, and of the units that are copied. */
static size_t
copied_bytes(const struct iovec *iov, size_t units)
{
	size_t bytes = 4 * units;

	for (size_t i = 0; i < units; i++)
		if (is_small(&iov[2 * i + 1]))
			bytes += iov[2 * i + 1].iov_len;
	return bytes;
}

/* One piece for each run of what is copied, one for each large unit. iov: length, unit, ... */
static void
join_pieces(struct wire *wire, const struct iovec *iov, size_t units, uint8_t *at)
{
	struct iovec *piece = wire->piece;

	*piece = (struct iovec){ at, 0 };
	for (size_t i = 0; i < 2 * units; i++) {
		if (i % 2 == 1 && !is_small(&iov[i])) {
			*++piece = iov[i];
			*++piece = (struct iovec){ at, 0 };
			continue;
		}
		memcpy(at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
		piece->iov_len += iov[i].iov_len;
	}
	wire->pieces = (unsigned)(piece - wire->piece) + (piece->iov_len > 0);
}

int
wire_from_unit(struct bus_msg *msg, enum nal_codec codec, struct wire **wire)
{
	struct iovec iov[2 * UNITS_MAX];
	uint8_t lengths[UNITS_MAX][4];
	size_t units, total;
	struct wire *new_wire;
	int rc;

	rc = nal_annexb_to_iov(codec, msg->payload, msg->frame.payload_len, iov, lengths, UNITS_MAX,
			       &units, &total);
	if (rc == -E2BIG)
		return copy_unit(msg, codec, wire);
	if (rc < 0)
		return rc;
	new_wire = wire_new((unsigned)(2 * units + 1), copied_bytes(iov, units));
	if (new_wire == NULL)
		return -ENOMEM;
	join_pieces(new_wire, iov, units, wire_extra(new_wire));
	new_wire->msg = bus_msg_ref(msg);
	new_wire->len = total;
	*wire = new_wire;
	return 0;
}

struct wire *
wire_ref(struct wire *wire)
{
	wire->refs++;
	return wire;
}

void
wire_unref(struct wire **wire)
{
	struct wire *old = *wire;

	*wire = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	bus_msg_unref(&old->msg);
	free(old);
}
