/*
 * camctl status --watch: on a terminal the alternate screen, which is left whatever ends the watch.
 */
#include "config.h"

#include "ctl/status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define PERIOD_MS    1000
#define ENTER_SCREEN "\033[?1049h\033[?25l"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"

/* Signals become readable, so that none falls between two looks. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* True when it is time to leave; a change of the window's size only ends the wait. */
static bool
wait_or_leave(int signals)
{
	struct pollfd pfd = { .fd = signals, .events = POLLIN };
	struct signalfd_siginfo info;

	if (poll(&pfd, 1, PERIOD_MS) <= 0)
		return false;
	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGWINCH)
			return true;
	return false;
}

static int
look(const char *runtime_dir, const char *camera, status_print_fn *print,
     const struct text_style *style, FILE *file)
{
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX], shown[256];
	int rc = ctl_request(runtime_dir, status_request(camera), &reply, err);

	if (rc != CTL_OK) {
		fprintf(file, "%s%s%s\n", text_colour_on(style, TEXT_BAD), err,
			text_colour_off(style, TEXT_BAD));
		return rc;
	}
	if (reply.code != 0) {
		fprintf(file, "%s\n", text_escape(reply.text, shown, sizeof(shown)));
		rc = camera != NULL ? CTL_USAGE : CTL_DOWN;
	} else {
		print(&reply, status_now_ms(), style, file);
		rc = status_exit(&reply);
	}
	ctl_reply_clear(&reply);
	return rc;
}

/* As many lines as there are rows; what was there before is overwritten, not cleared first. */
static void
draw(const char *text, const struct text_style *style)
{
	int rows = 1;

	fputs("\033[H", stdout);
	for (; *text != '\0' && rows < style->rows; rows++) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
	fputs(*text != '\0' ? "(more below)\033[K\033[J" : "\033[J", stdout);
}

int
status_watch(const char *runtime_dir, const char *camera, status_print_fn *print)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	int signals = open_signals(), rc;

	if (signals < 0) {
		ctl_complain("signalfd: %s", strerror(errno));
		return CTL_DOWN;
	}
	if (is_terminal)
		fputs(ENTER_SCREEN, stdout);
	do {
		struct text_style style = text_style_of(stdout);
		char *text = NULL;
		size_t len = 0;
		FILE *file = open_memstream(&text, &len);

		if (file == NULL) {
			rc = CTL_DOWN;
			break;
		}
		rc = look(runtime_dir, camera, print, &style, file);
		fclose(file);
		if (is_terminal)
			draw(text, &style);
		else
			printf("%s\n", text);
		free(text);
		/* A reader that has gone ends the watch. */
		if (fflush(stdout) != 0)
			break;
	} while (!wait_or_leave(signals));
	if (is_terminal)
		fputs(LEAVE_SCREEN, stdout);
	fflush(stdout);
	close(signals);
	return rc;
}
