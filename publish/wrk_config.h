/*
 * What a worker is told, once: the worker-config message, read and checked.
 */
#ifndef CAMHUB_PUBLISH_WRK_CONFIG_H
#define CAMHUB_PUBLISH_WRK_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wrk_config {
	json_t *msg; /* owns the texts */
	const char *stream, *url, *transport, *bus;
	const char *user, *password; /* both NULL when there are none */
	uint32_t stream_id;
	uint64_t epoch;
	unsigned bus_mode;
	size_t gop_cache_bytes;
	int64_t open_timeout_ms;
	int64_t stalled_after_ms; /* silence is told after this long */
	int64_t stall_ms;         /* and then ends the source after this long */
	bool is_probe;
	int fd;          /* connected to the source; -1: none came. Owned until the input has it */
	const char *tls; /* verify | insecure | sha256:HEX */
	bool keep_vui;
	int64_t reorder_ms;
	const char *source_bus; /* NULL: not another stream of ours */
	uint32_t source_id, subscriber;
	const char *challenge; /* that the connection before was ended with; NULL: none */
};

/*
 * Reads a message that has passed msg_check(); registers its secrets with shared/log and sets the
 * log level. fd: what came with it, -1 none; taken over. stalled_after_max_ms: silence is told by
 * then, whatever stall_ms says. Returns NULL, or the name of the field that is wrong (then *config
 * is untouched and fd closed).
 */
const char *wrk_config_read(const json_t *msg, int fd, int64_t stalled_after_max_ms,
			    struct wrk_config *config);
void wrk_config_clear(struct wrk_config *config);

#endif
