/*
 * camctl status: ask once, or every second.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/status.h"
#include "shared/conf.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

struct arguments {
	const char *camera;
	bool json, watch;
};

json_t *
status_request(const char *camera)
{
	json_t *msg = msg_new(MSG_CTL_STATUS);

	msg_set_str(msg, "camera", camera);
	return msg;
}

int64_t
status_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
print_json(const struct ctl_reply *reply, int64_t now_ms, const struct text_style *style,
	   FILE *file)
{
	(void)now_ms;
	(void)style;
	status_print_json(reply, file);
}

static int
show_once(const struct ctl_options *options, const char *camera, status_print_fn *print)
{
	struct text_style style = text_style_of(stdout);
	struct ctl_reply reply = { 0 };
	char err[CTL_ERROR_MAX], shown[256];
	int rc = ctl_request(options->runtime_dir, status_request(camera), &reply, err);

	if (rc != CTL_OK) {
		ctl_complain("%s", err);
		return rc;
	}
	if (reply.code != 0) {
		ctl_complain("%s", text_escape(reply.text, shown, sizeof(shown)));
		rc = camera != NULL ? CTL_USAGE : CTL_DOWN;
	} else {
		print(&reply, status_now_ms(), &style, stdout);
		rc = status_exit(&reply);
	}
	ctl_reply_clear(&reply);
	return rc;
}

int
cmd_status(const struct ctl_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct arguments args = { 0 };
	status_print_fn *print;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c != 'j' && c != 'w')
			return ctl_usage(argv[0]);
		args.json |= c == 'j';
		args.watch |= c == 'w';
	}
	if (!ctl_has_words(argc, 0, 1, argv[0]))
		return CTL_USAGE;
	args.camera = argv[optind];
	if (args.camera != NULL &&
	    (args.camera[0] == '\0' || strlen(args.camera) > CONF_STREAM_NAME_BYTES)) {
		ctl_complain("there is no such camera");
		return CTL_USAGE;
	}
	print = args.json             ? print_json
		: args.camera != NULL ? status_print_pages
				      : status_print_table;
	return args.watch ? status_watch(options->runtime_dir, args.camera, print)
			  : show_once(options, args.camera, print);
}
