/*
 * From the ring to a sealed file in memory.
 */
#include "config.h"

#include "http/snapshot_gop.h"

#include "http/hub.h"
#include "shared/sealed.h"

#include <errno.h>
#include <sys/uio.h>

#define LENGTH_BYTES 4

static int
write_message(int fd, const struct bus_msg *msg)
{
	uint8_t head[LENGTH_BYTES + FRAME_HEADER_BYTES];
	uint32_t len = FRAME_HEADER_BYTES + msg->frame.payload_len;
	struct iovec iov[2] = {
		{ head, sizeof(head) },
		{ (void *)msg->payload, msg->frame.payload_len },
	};
	ssize_t n;

	for (int i = 0; i < LENGTH_BYTES; i++)
		head[i] = (uint8_t)(len >> (8 * i));
	frame_encode(&msg->frame, head + LENGTH_BYTES);
	n = writev(fd, iov, 2);
	if (n < 0)
		return -errno;
	return (size_t)n == LENGTH_BYTES + (size_t)len ? 0 : -ENOSPC;
}

/* All of it, the configuration included. */
static size_t
job_bytes(const struct hub *hub, uint64_t pos, const struct hub_config *config)
{
	uint64_t n = 1 + hub_tail(hub) - pos;

	return n * (LENGTH_BYTES + FRAME_HEADER_BYTES) + config->msg->frame.payload_len +
	       hub_bytes_from(hub, pos);
}

int
snapshot_gop_memfd(const struct hub *hub, int *fd)
{
	const struct hub_config *config;
	uint64_t pos;
	int file, rc;

	if (!hub_join(hub, &pos))
		return -ENODATA;
	config = hub_at(hub, pos)->config;
	if (config == NULL)
		return -ENODATA;
	if (job_bytes(hub, pos, config) > FRAME_JOB_MAX_BYTES)
		return -EFBIG;
	file = sealed_open("gop");
	if (file < 0)
		return file;
	rc = write_message(file, config->msg);
	for (; rc == 0 && pos < hub_tail(hub); pos++)
		rc = write_message(file, hub_at(hub, pos)->msg);
	return sealed_end(file, rc, fd);
}
