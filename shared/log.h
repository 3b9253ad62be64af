/*
 * Logging: one line per record on stderr, for people and for the journal.
 *
 * Format: "<N>program[object]: message" where <N> (the syslog priority) is written only when
 * stderr goes to the journal. Object first, reason, what happens next (docs/architecture.md).
 * Control bytes and invalid UTF-8 are escaped as \xNN, so that nobody can forge a line; secrets
 * that were registered never appear. Logging never blocks: what nobody reads is dropped and
 * counted. Not thread safe except log_msg(), which may be called from any thread.
 */
#ifndef CAMHUB_SHARED_LOG_H
#define CAMHUB_SHARED_LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Levels are syslog's numbers. */
enum log_level {
	LOG_LEVEL_ERR = 3,    /* needs a human */
	LOG_LEVEL_WARN = 4,   /* degraded */
	LOG_LEVEL_NOTICE = 5, /* change of state */
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Name the process once, at start: log_open("camhub-worker-av", "door"). Strings are copied. */
void log_open(const char *program, const char *object);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "err" "warn" "notice" "info" "debug" <-> level; from_name returns -EINVAL for other words. */
const char *log_level_name(enum log_level level);
int log_level_from_name(const char *name, enum log_level *level);

/* Whoever registers a sink gets each finished line (escaped, redacted, no newline) instead of
 * stderr. NULL restores stderr. For tests and tools. */
typedef void log_sink_fn(enum log_level level, const char *line, void *arg);
void log_set_sink(log_sink_fn *sink, void *arg);

/* A literal that must never be written: it and its %-encoded and base64 forms become "[secret]".
 * Strings shorter than 3 bytes are ignored (they would redact everything). */
void log_add_secret(const char *secret);
void log_clear_secrets(void);

/* Lines lost because stderr would have blocked. */
uint64_t log_dropped(void);

/*
 * From now on a line is lost rather than waited for, also when others write to the same stderr: who
 * asks whether there is room and writes then may wait for ever, because another process took it.
 * Programs call it once, before anything is written; it may open one descriptor.
 */
void log_never_wait(void);

void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vmsg(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* For programs that read the journal: a name of A-Z 0-9 _, and what it is; escaped, redacted. */
struct log_field {
	const char *name, *value;
};
/*
 * As log_msg(); under systemd the record has these fields too, n of them, and is sent to the
 * journal's own socket. Where that does not work it is a line as any other.
 */
void log_msg_fields(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
/* Where the journal listens, if elsewhere than LOG_JOURNAL. For tests. */
#define LOG_JOURNAL "/run/systemd/journal/socket"
void log_set_journal(const char *path);

#define log_err(...)    log_msg(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)   log_msg(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)   log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)  log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
