/*
 * camctl probe: one worker is started to look at a source once; its answer is told in words.
 */
#ifndef CAMHUB_CTL_PROBE_H
#define CAMHUB_CTL_PROBE_H

#include "shared/msg.h"
#include "shared/url.h"

#include <stdio.h>

#define PROBE_DEADLINE_MS 15000

struct probe {
	/* asked */
	const char *url; /* without userinfo */
	struct url parts;
	const char *user, *password; /* or NULL */
	const char *transport;
	const char *tls;         /* as in camhub.yaml; NULL: verify */
	const char *credentials; /* the name for the YAML; NULL without a user */
	/* answered */
	bool was_up;
	char state[17], class[17], reason[513];
	char location[URL_MAX_BYTES + 1]; /* class redirect: where it is; else "" */
	char
	    challenge[MSG_CHALLENGE_MAX + 1]; /* class challenge: for another connection; else "" */
	json_t *status;                       /* the newest worker-status or NULL */
	char worker_end[160];                 /* how the worker ended */
};

/* Start LIBEXEC_DIR/<program of the scheme>, with a connection if it takes one, configure it,
 * collect until it ends or the deadline; once more for a source that closes the connection after
 * asking for a password. A source that does not answer is a result, not a failure.
 * 0; or negative errno when it could not be started (err: in words, 256 bytes). */
int probe_run(struct probe *probe, const char *libexec_dir, int deadline_ms, char *err);

bool probe_is_well(const struct probe *probe);
void probe_print_text(const struct probe *probe, FILE *file);
void probe_print_json(const struct probe *probe, FILE *file);
/* The lines for camhub.yaml. */
void probe_print_yaml(const struct probe *probe, FILE *file);
/* What to do about a class of failure, in words. */
const char *probe_advice(const struct probe *probe);

#endif
