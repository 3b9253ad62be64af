/*
 * From JSON to a struct.
 */
#include "config.h"

#include "publish/wrk_config.h"

#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <string.h>
#include <unistd.h>

#define PIN_PREFIX         "sha256:"
#define PIN_HEX_DIGITS     64
#define REORDER_DEFAULT_MS 60

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

static bool
is_tls(const char *tls)
{
	const char *hex = tls + sizeof(PIN_PREFIX) - 1;

	if (strcmp(tls, "verify") == 0 || strcmp(tls, "insecure") == 0)
		return true;
	return strncmp(tls, PIN_PREFIX, sizeof(PIN_PREFIX) - 1) == 0 &&
	       strlen(hex) == PIN_HEX_DIGITS &&
	       strspn(hex, "0123456789abcdefABCDEF") == PIN_HEX_DIGITS;
}

static const char *
wrong_field(const struct wrk_config *config, enum log_level *level)
{
	if (!is_transport(config->transport))
		return "transport";
	if (!is_tls(config->tls))
		return "tls";
	return log_level_from_name(msg_str(config->msg, "log_level"), level) < 0 ? "log_level"
										 : NULL;
}

static void
read_fields(struct wrk_config *config, int64_t stalled_after_max_ms)
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
	config->stalled_after_ms =
	    config->stall_ms < stalled_after_max_ms ? config->stall_ms : stalled_after_max_ms;
	config->tls = msg_str(msg, "tls")[0] != '\0' ? msg_str(msg, "tls") : "verify";
	config->keep_vui = msg_bool(msg, "keep_vui", false);
	config->reorder_ms = msg_int(msg, "reorder_ms", REORDER_DEFAULT_MS);
	config->challenge = json_string_value(json_object_get(msg, "challenge"));
	config->source_bus = json_string_value(json_object_get(msg, "source_bus"));
	config->source_id = (uint32_t)msg_int(msg, "source_id", 0);
	config->subscriber = (uint32_t)msg_int(msg, "subscriber", 0);
	config->is_probe = msg_bool(msg, "probe", false);
}

const char *
wrk_config_read(const json_t *msg, int fd, int64_t stalled_after_max_ms, struct wrk_config *config)
{
	struct wrk_config new_config = { .msg = json_deep_copy(msg), .fd = fd };
	enum log_level level;
	const char *wrong;

	if (new_config.msg == NULL)
		xalloc_die();
	read_fields(&new_config, stalled_after_max_ms);
	add_secrets(&new_config);
	wrong = wrong_field(&new_config, &level);
	if (wrong != NULL) {
		wrk_config_clear(&new_config);
		return wrong;
	}
	log_set_level(level);
	*config = new_config;
	return NULL;
}

void
wrk_config_clear(struct wrk_config *config)
{
	if (config->fd >= 0)
		close(config->fd);
	json_decref(config->msg);
	*config = (struct wrk_config){ .fd = -1 };
}
