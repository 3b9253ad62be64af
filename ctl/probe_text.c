/*
 * A probe's result in words, as JSON, and as configuration to paste.
 */
#include "config.h"

#include "ctl/probe.h"

#include "ctl/text.h"
#include "shared/conf.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *class, *advice;
} advices[] = {
	{ "unreachable",
	  "nothing answers there: is the address right, the camera on and in the same "
	  "network, the port open?" },
	{ "auth", "it answers, but wants another user or password (or that user may not see this "
		  "stream)" },
	{ "not-found", "it answers, but knows no such stream: look up the path in its manual" },
	{ "timeout",
	  "it takes the connection but sends no picture in time: is the path right, are too "
	  "many viewers connected to the camera? try --transport" },
	{ "protocol", "what it says is not understood: is it the right port and scheme?" },
	{ "unsupported",
	  "it works, but camhub cannot show this kind of stream: set the camera to H.264" },
	{ "eof", "it ends the connection: are too many viewers connected to the camera?" },
	{ "redirect", "the stream is elsewhere: give the URL that it names" },
	{ "internal", "the worker failed; its message is above" },
};

/* How the worker begins what it says of one. */
static const char certificate[] = "TLS: the certificate ";

const char *
probe_advice(const struct probe *probe)
{
	if (strcmp(probe->class, "auth") == 0 && probe->user == NULL)
		return "it answers, but wants a user and a password: give --user NAME or "
		       "--credentials FILE";
	if (strncmp(probe->reason, certificate, sizeof(certificate) - 1) == 0)
		return "it answers; if the certificate is this camera's, give --tls sha256:HEX (or "
		       "--tls "
		       "insecure: whoever is on the line learns the password)";
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (strcmp(advices[i].class, probe->class) == 0)
			return advices[i].advice;
	return "";
}

bool
probe_is_well(const struct probe *probe)
{
	return probe->was_up && probe->status != NULL;
}

static void
print_url(const struct probe *probe, FILE *file)
{
	char shown[URL_MAX_BYTES + 1];

	fprintf(file, "%s\n", text_escape(probe->url, shown, sizeof(shown)));
}

static void
print_value(FILE *file, const char *name, const char *value)
{
	char shown[256];

	fprintf(file, "  %-10s %s\n", name, text_escape(value, shown, sizeof(shown)));
}

static void
print_found(const struct probe *probe, FILE *file)
{
	const json_t *status = probe->status;
	double fps = msg_real(status, "fps", 0);
	long long gop = msg_int(status, "gop_frames", 0);
	char text[128], rate[32];

	snprintf(text, sizeof(text), "%s %s", msg_str(status, "codec"), msg_str(status, "profile"));
	print_value(file, "video:", text);
	snprintf(text, sizeof(text), "%lldx%lld", msg_int(status, "width", 0),
		 msg_int(status, "height", 0));
	print_value(file, "size:", text);
	snprintf(text, sizeof(text), "%.1f frames/s, %s", fps,
		 text_bitrate(msg_int(status, "bitrate_bps", 0), rate, sizeof(rate)));
	print_value(file, "rate:", text);
	if (gop > 0 && fps > 0)
		snprintf(text, sizeof(text), "%lld frames (%.1f s)", gop, (double)gop / fps);
	else
		snprintf(text, sizeof(text), "longer than the probe looked");
	if (strcmp(msg_str(status, "codec"), "mjpeg") != 0 &&
	    strcmp(msg_str(status, "codec"), "jpeg") != 0)
		print_value(file, "GOP:", text);
	print_value(file, "audio:",
		    msg_str(status, "audio")[0] != '\0' ? msg_str(status, "audio") : "none");
	if (strcmp(msg_str(status, "codec"), "h265") == 0)
		print_value(file, "advice:", "many browsers cannot show H.265: set it to H.264");
	if (msg_int(status, "b_frames", 0) != 0)
		print_value(file, "advice:", "B-frames delay the picture: turn them off");
	if (gop > 0 && fps > 0 && (double)gop / fps > 4)
		print_value(file,
			    "advice:", "a key frame every 1 or 2 s makes viewers join faster");
}

/* A name made of the host: "cam-192-0-2-10". */
static void
make_name(const struct probe *probe, char name[CONF_CAMERA_NAME_BYTES + 1])
{
	const char *from =
	    probe->parts.host[0] != '\0' ? probe->parts.host : probe->parts.scheme->name;
	size_t len = (size_t)snprintf(name, CONF_CAMERA_NAME_BYTES + 1, "cam-");

	for (; *from != '\0' && len < CONF_CAMERA_NAME_BYTES; from++)
		name[len++] =
		    isalnum((unsigned char)*from) ? (char)tolower((unsigned char)*from) : '-';
	name[len] = '\0';
}

void
probe_print_yaml(const struct probe *probe, FILE *file)
{
	char name[CONF_CAMERA_NAME_BYTES + 1];

	make_name(probe, name);
	fprintf(file, "  - name: %s\n    url: '", name);
	for (const char *p = probe->url; *p != '\0'; p++)
		fprintf(file, *p == '\'' ? "''" : "%c", *p);
	fputs("'\n", file);
	if (probe->credentials != NULL)
		fprintf(file, "    credentials: %s\n", probe->credentials);
	if (strcmp(probe->transport, "tcp") != 0)
		fprintf(file, "    transport: %s\n", probe->transport);
	if (probe->tls != NULL && strcmp(probe->parts.scheme->name, "rtsps") == 0)
		fprintf(file, "    tls: %s\n", probe->tls);
}

void
probe_print_text(const struct probe *probe, FILE *file)
{
	char shown[1024];

	print_url(probe, file);
	if (!probe_is_well(probe)) {
		fprintf(file, "  %s: %s\n", probe->class[0] != '\0' ? probe->class : "failed",
			text_escape(probe->reason[0] != '\0' ? probe->reason : probe->worker_end,
				    shown, sizeof(shown)));
		if (probe_advice(probe)[0] != '\0')
			fprintf(file, "  %s\n", probe_advice(probe));
		if (probe->location[0] != '\0')
			fprintf(file, "  %s\n", text_escape(probe->location, shown, sizeof(shown)));
		return;
	}
	print_found(probe, file);
	fputs("\nBelow cameras: in camhub.yaml:\n\n", file);
	probe_print_yaml(probe, file);
	if (probe->credentials != NULL)
		fprintf(
		    file,
		    "\nIn the credentials file (cameras.cred, mode 0600), with the real ones:\n\n"
		    "%s:USER:PASSWORD\n",
		    probe->credentials);
}

void
probe_print_json(const struct probe *probe, FILE *file)
{
	json_t *all = json_object();

	msg_set_str(all, "url", probe->url);
	msg_set_bool(all, "well", probe_is_well(probe));
	msg_set_str(all, "class", probe->was_up ? "none" : probe->class);
	msg_set_str(all, "reason", probe->was_up ? "" : probe->reason);
	msg_set_str(all, "advice", probe->was_up ? "" : probe_advice(probe));
	if (probe->location[0] != '\0')
		msg_set_str(all, "location", probe->location);
	if (probe->status != NULL) {
		json_object_del(probe->status, "type");
		json_object_set(all, "status", probe->status);
	}
	json_dumpf(all, file, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', file);
	json_decref(all);
}
