/*
 * Capture of the log of one test: all lines at level debug, kept in memory, shown when it fails.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/log.h"
#include "shared/redact.h"
#include "shared/xalloc.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LINES_MAX     20000
#define FORBIDDEN_MAX 32

static struct {
	pthread_mutex_t lock; /* lines may come from any thread */
	char **lines;
	size_t n, size, lost;
	char *forbidden[FORBIDDEN_MAX];
	size_t n_forbidden;
	enum log_level level_before;
	bool active;
} capture = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
on_line(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	pthread_mutex_lock(&capture.lock);
	if (capture.n >= LINES_MAX) {
		capture.lost++;
		goto out;
	}
	if (capture.n == capture.size) {
		capture.size = capture.size > 0 ? 2 * capture.size : 64;
		capture.lines = xreallocarray(capture.lines, capture.size, sizeof(char *));
	}
	capture.lines[capture.n++] = xasprintf("%-6s %s", log_level_name(level), line);
out:
	pthread_mutex_unlock(&capture.lock);
}

void
log_capture_begin(void)
{
	capture.level_before = log_get_level();
	capture.active = true;
	log_set_level(LOG_LEVEL_DEBUG);
	log_set_sink(on_line, NULL);
}

void
log_forget(void)
{
	pthread_mutex_lock(&capture.lock);
	for (size_t i = 0; i < capture.n; i++)
		free(capture.lines[i]);
	free(capture.lines);
	capture.lines = NULL;
	capture.n = capture.size = capture.lost = 0;
	pthread_mutex_unlock(&capture.lock);
}

void
log_capture_end(void)
{
	if (!capture.active)
		return;
	capture.active = false;
	log_set_sink(NULL, NULL);
	log_set_level(capture.level_before);
	log_clear_secrets();
	log_forget();
	while (capture.n_forbidden > 0)
		free(capture.forbidden[--capture.n_forbidden]);
}

void
log_capture_print(void)
{
	pthread_mutex_lock(&capture.lock);
	if (capture.n > 0)
		fprintf(stderr, "---- log of %s\n", fixture_test_name());
	for (size_t i = 0; i < capture.n; i++)
		fprintf(stderr, "%s\n", capture.lines[i]);
	if (capture.lost > 0)
		fprintf(stderr, "(%zu more lines)\n", capture.lost);
	if (capture.n > 0)
		fprintf(stderr, "---- end of the log\n");
	pthread_mutex_unlock(&capture.lock);
}

size_t
log_count(const char *part)
{
	size_t n = 0;

	pthread_mutex_lock(&capture.lock);
	for (size_t i = 0; i < capture.n; i++)
		n += strstr(capture.lines[i], part) != NULL;
	pthread_mutex_unlock(&capture.lock);
	return n;
}

void
expect_log(const char *part)
{
	if (log_count(part) == 0)
		ck_abort_msg("no line of the log contains '%s' (%zu lines)", part, log_count(""));
}

void
expect_no_log(const char *part)
{
	if (log_count(part) > 0)
		ck_abort_msg("%zu lines of the log contain '%s'", log_count(part), part);
}

void
log_forbid(const char *word)
{
	ck_assert_uint_lt(capture.n_forbidden, FORBIDDEN_MAX);
	ck_assert_msg(strlen(word) >= 3, "log_forbid: '%s' is too short to look for", word);
	capture.forbidden[capture.n_forbidden++] = xstrdup(word);
}

void
log_forbidden_in(const char *text, const char *where, struct textbuf *problems)
{
	for (size_t i = 0; i < capture.n_forbidden; i++) {
		const char *word = capture.forbidden[i];
		char *without = redact_text(text, &word, 1);

		if (strcmp(without, text) != 0)
			textbuf_add(problems, "the forbidden word '%s' is in the %s: %.200s\n",
				    word, where, text);
		free(without);
	}
}

void
log_capture_check(struct textbuf *problems)
{
	pthread_mutex_lock(&capture.lock);
	for (size_t i = 0; i < capture.n; i++)
		log_forbidden_in(capture.lines[i], "log", problems);
	pthread_mutex_unlock(&capture.lock);
}
