/*
 * What goes to viewers, made once per frame and shared by all of them: counted references to
 * immutable bytes, most of which lie in the bus message itself.
 */
#ifndef CAMHUB_HTTP_WIRE_H
#define CAMHUB_HTTP_WIRE_H

#include "shared/bus.h"

#include "media/nal.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct wire {
	int refs;
	size_t len;          /* bytes in all pieces */
	struct bus_msg *msg; /* what the pieces point into, besides this object itself; or NULL */
	unsigned pieces;
	struct iovec piece[];
};

/* A copy of len bytes. Never NULL. */
struct wire *wire_from_bytes(const void *bytes, size_t len);

/* The payload of msg as it is (a JPEG); keeps a reference to msg. */
struct wire *wire_from_msg(struct bus_msg *msg);

/*
 * The access unit of msg (Annex B) as an fMP4 sample: every NAL unit behind its 4-byte length,
 * without parameter sets. Returns 0, -ENODATA when nothing is left of it, or -ENOMEM.
 */
int wire_from_unit(struct bus_msg *msg, enum nal_codec codec, struct wire **wire);

struct wire *wire_ref(struct wire *wire);
void wire_unref(struct wire **wire); /* NULL-safe, nulls the pointer */

#endif
