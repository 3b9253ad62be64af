/*
 * WHEP as the player: an offer posted, the answer taken apart, the session deleted. Blocking: one
 * exchange takes a millisecond.
 */
#ifndef CAMHUB_BENCH_RTC_WHEP_H
#define CAMHUB_BENCH_RTC_WHEP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct whep_answer {
	char location[256], ufrag[64], password[64];
	struct sockaddr_storage server; /* the first candidate of the kind that was asked for */
	socklen_t server_len;
	uint8_t video_type, rtx_type; /* payload types; 0 none */
	uint8_t twcc_id;
};

struct whep_options {
	const char *host, *port, *path; /* "/door/whep" */
	bool use_tcp, has_twcc, has_rtx;
};

/* ufrag, password: ours. 0, the status that was answered, or negative errno. */
int whep_post(const struct whep_options *options, const char *ufrag, const char *password,
	      struct whep_answer *answer);
void whep_delete(const struct whep_options *options, const struct whep_answer *answer);

#endif
