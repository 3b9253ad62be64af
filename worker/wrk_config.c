/*
 * From JSON to a struct.
 */
#include "config.h"

#include "worker/wrk_config.h"

#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"
#include "worker/wrk.h"

#include <string.h>

/* Also the form in which HTTP and RTSP send them. */
static void
add_secrets(const struct wrk_config *config)
{
	char *pair;

	if (config->password == NULL || config->password[0] == '\0')
		return;
	pair = xasprintf("%s:%s", config->user, config->password);
	log_add_secret(pair);
	log_add_secret(config->password);
	free(pair);
}

static bool
is_transport(const char *transport)
{
	return strcmp(transport, "tcp") == 0 || strcmp(transport, "udp") == 0 ||
	       strcmp(transport, "auto") == 0;
}

static void
read_fields(struct wrk_config *config)
{
	const json_t *msg = config->msg;
	bool has_login = msg_str(msg, "user")[0] != '\0' || msg_str(msg, "password")[0] != '\0';

	config->stream = msg_str(msg, "stream");
	config->url = msg_str(msg, "url");
	config->transport = msg_str(msg, "transport");
	config->bus = msg_str(msg, "bus");
	config->user = has_login ? msg_str(msg, "user") : NULL;
	config->password = has_login ? msg_str(msg, "password") : NULL;
	config->stream_id = (uint32_t)msg_int(msg, "stream_id", 0);
	config->epoch = (uint64_t)msg_int(msg, "epoch", 0);
	config->bus_mode = (unsigned)msg_int(msg, "bus_mode", 0600);
	config->gop_cache_bytes = (size_t)msg_int(msg, "gop_cache_bytes", 0);
	config->open_timeout_ms = msg_int(msg, "open_timeout_ms", 0);
	config->stall_ms = msg_int(msg, "stall_ms", 0);
	config->stalled_after_ms = config->stall_ms < WRK_STALLED_AFTER_MAX_MS
				       ? config->stall_ms
				       : WRK_STALLED_AFTER_MAX_MS;
	config->is_probe = msg_bool(msg, "probe", false);
}

const char *
wrk_config_read(const json_t *msg, struct wrk_config *config)
{
	struct wrk_config new_config = { .msg = json_deep_copy(msg) };
	enum log_level level;

	if (new_config.msg == NULL)
		xalloc_die();
	read_fields(&new_config);
	add_secrets(&new_config);
	if (!is_transport(new_config.transport) ||
	    log_level_from_name(msg_str(msg, "log_level"), &level) < 0) {
		wrk_config_clear(&new_config);
		return is_transport(msg_str(msg, "transport")) ? "log_level" : "transport";
	}
	log_set_level(level);
	*config = new_config;
	return NULL;
}

void
wrk_config_clear(struct wrk_config *config)
{
	json_decref(config->msg);
	*config = (struct wrk_config){ .msg = NULL };
}
