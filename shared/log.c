/*
 * One line per record, escaped, redacted, never blocking.
 */
#include "config.h"

#include "shared/log.h"

#include "shared/redact.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: written whole or not at all */
#define SECRETS_MAX    1024

static struct {
	char *program, *object;
	enum log_level level;
	bool journal; /* stderr goes to the journal, which reads "<N>" */
	log_sink_fn *sink;
	void *sink_arg;
	char *secrets[SECRETS_MAX];
	size_t n_secrets;
	uint64_t dropped, told_dropped;
	int own_fd;     /* stderr once more, that never waits; -1: none */
	bool is_socket; /* stderr is, and each write says itself that it does not wait */
	const char *journal_path;
	int journal_fd; /* a socket for records with fields, -1: not yet */
	pthread_mutex_t lock;
} state = { .level = LOG_LEVEL_INFO,
	    .own_fd = -1,
	    .journal_path = LOG_JOURNAL,
	    .journal_fd = -1,
	    .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct {
	enum log_level level;
	const char *name;
} levels[] = {
	{ LOG_LEVEL_ERR, "err" },   { LOG_LEVEL_WARN, "warn" },   { LOG_LEVEL_NOTICE, "notice" },
	{ LOG_LEVEL_INFO, "info" }, { LOG_LEVEL_DEBUG, "debug" },
};

void
log_open(const char *program, const char *object)
{
	const char *journal = getenv("JOURNAL_STREAM");

	free(state.program);
	free(state.object);
	state.program = xstrdup(program);
	state.object = object != NULL ? xstrdup(object) : NULL;
	state.journal = journal != NULL && journal[0] != '\0';
}

void
log_never_wait(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	state.is_socket = S_ISSOCK(st.st_mode);
	/* O_NONBLOCK belongs to what was opened, which all who have this stderr share: so it is
	 * opened anew. A regular file does not wait, and its place in the file is shared as well.
	 */
	if (state.own_fd < 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		state.own_fd =
		    open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

const char *
log_level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "unknown";
}

int
log_level_from_name(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0) {
			*level = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

void
log_set_sink(log_sink_fn *sink, void *arg)
{
	pthread_mutex_lock(&state.lock);
	state.sink = sink;
	state.sink_arg = arg;
	pthread_mutex_unlock(&state.lock);
}

void
log_add_secret(const char *secret)
{
	pthread_mutex_lock(&state.lock);
	for (size_t i = 0; i < state.n_secrets; i++)
		if (strcmp(state.secrets[i], secret) == 0)
			goto out;
	if (state.n_secrets < SECRETS_MAX)
		state.secrets[state.n_secrets++] = xstrdup(secret);
out:
	pthread_mutex_unlock(&state.lock);
}

void
log_clear_secrets(void)
{
	pthread_mutex_lock(&state.lock);
	while (state.n_secrets > 0)
		free(state.secrets[--state.n_secrets]);
	pthread_mutex_unlock(&state.lock);
}

uint64_t
log_dropped(void)
{
	return state.dropped;
}

/* Length of the valid UTF-8 sequence at s (at most n bytes), 0 if there is none. */
static size_t
utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF; C1 controls reach terminals. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ||
	    (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	return len;
}

static void
escape(const char *text, char *out, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t left = strlen(text), used = 0;

	while (left > 0) {
		size_t len = utf8_len(s, left);
		bool plain = len > 1 || (len == 1 && s[0] >= 0x20 && s[0] != 0x7f);

		if (used + 5 > size)
			break;
		if (plain) {
			memcpy(out + used, s, len);
			used += len;
		} else {
			used += (size_t)snprintf(out + used, 5, "\\x%02x", s[0]);
			len = 1;
		}
		s += len;
		left -= len;
	}
	out[used] = '\0';
}

static bool
is_stderr_writable(void)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0;
}

/* Whole, and without waiting for whoever should read it; or not at all. */
static bool
put(const char *bytes, size_t len)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (state.is_socket)
		n = sendmsg(STDERR_FILENO, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (state.own_fd >= 0)
		n = write(state.own_fd, bytes, len);
	else if (!is_stderr_writable()) /* else a pipe has PIPE_BUF free: more than a line */
		return false;
	else
		n = write(STDERR_FILENO, bytes, len);
	return n == (ssize_t)len;
}

static bool
put_line(enum log_level level, const char *line)
{
	char buf[LINE_MAX_BYTES];
	int n = 0;

	if (state.journal)
		n = snprintf(buf, sizeof(buf), "<%d>", level);
	n += snprintf(buf + n, sizeof(buf) - (size_t)n, "%s\n", line);
	if (n >= (int)sizeof(buf)) {
		n = sizeof(buf);
		buf[n - 1] = '\n';
	}
	return put(buf, (size_t)n);
}

/* The first line that gets through says how many did not. */
static void
tell_dropped(void)
{
	char line[160];

	snprintf(
	    line, sizeof(line), "%s: lines of the log that were lost, nobody took them: %" PRIu64,
	    state.program != NULL ? state.program : "camhub", state.dropped - state.told_dropped);
	if (put_line(LOG_LEVEL_WARN, line))
		state.told_dropped = state.dropped;
}

static void
write_line(enum log_level level, const char *line)
{
	if (state.told_dropped != state.dropped)
		tell_dropped();
	if (!put_line(level, line))
		state.dropped++;
}

void
log_set_journal(const char *path)
{
	state.journal_path = path;
}

/* systemd's native protocol (systemd.journal-fields(7)): "NAME=value" lines in one datagram. */
static bool
put_record(enum log_level level, const char *line, const struct log_field *fields, size_t n)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char record[2 * LINE_MAX_BYTES], value[LINE_MAX_BYTES / 4], *clean;
	struct iovec iov = { .iov_base = record };
	struct msghdr msg = {
		.msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1
	};
	size_t len;

	if (state.journal_fd < 0)
		state.journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", state.journal_path);
	len = (size_t)snprintf(record, sizeof(record),
			       "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", line, level,
			       state.program != NULL ? state.program : "camhub");
	for (size_t i = 0; i < n && len < sizeof(record); i++) {
		clean = redact_text(fields[i].value, (const char *const *)state.secrets,
				    state.n_secrets);
		escape(clean, value, sizeof(value));
		free(clean);
		len += (size_t)snprintf(record + len, sizeof(record) - len, "%s=%s\n",
					fields[i].name, value);
	}
	iov.iov_len = len;
	return len < sizeof(record) && state.journal_fd >= 0 &&
	       sendmsg(state.journal_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

static void log_record(enum log_level level, const struct log_field *fields, size_t n,
		       const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void
log_record(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
	   va_list ap)
{
	char escaped[LINE_MAX_BYTES - 16];
	int saved_errno = errno;
	char *text = NULL, *line, *clean;

	if (level > state.level)
		return;
	if (vasprintf(&text, fmt, ap) < 0)
		return;
	pthread_mutex_lock(&state.lock);
	/* Redact before escaping, else an escaped byte inside a secret would hide it. */
	clean = redact_text(text, (const char *const *)state.secrets, state.n_secrets);
	line = xasprintf("%s%s%s%s: %s", state.program != NULL ? state.program : "camhub",
			 state.object != NULL ? "[" : "", state.object != NULL ? state.object : "",
			 state.object != NULL ? "]" : "", clean);
	escape(line, escaped, sizeof(escaped));
	if (state.sink != NULL)
		state.sink(level, escaped, state.sink_arg);
	else if (n == 0 || !state.journal || !put_record(level, escaped, fields, n))
		write_line(level, escaped);
	pthread_mutex_unlock(&state.lock);
	free(text);
	free(clean);
	free(line);
	errno = saved_errno;
}

void
log_vmsg(enum log_level level, const char *fmt, va_list ap)
{
	log_record(level, NULL, 0, fmt, ap);
}

void
log_msg_fields(enum log_level level, const struct log_field *fields, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_record(level, fields, n, fmt, ap);
	va_end(ap);
}

void
log_msg(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, fmt, ap);
	va_end(ap);
}
