/*
 * Between the files of the SDP parser: slices of the text, what was collected of one media
 * section, its parameters.
 */
#ifndef CAMHUB_MEDIA_SDP_INT_H
#define CAMHUB_MEDIA_SDP_INT_H

#include "media/sdp.h"

#define SDP_MAX_ATTRIBUTES                                                                         \
	64 /* rtpmap or fmtp lines of one media; further ones are passed over                      \
	    */

/* Bytes of the description; borrowed, not terminated. */
struct sdp_text {
	const char *s;
	size_t len;
};

enum sdp_direction { SDP_BOTH, SDP_SENDONLY, SDP_RECVONLY };

/* One m-line and what came after it. */
struct sdp_section {
	struct sdp_text protocol;
	struct sdp_text payload_types; /* the rest of the m-line */
	struct sdp_text rtpmaps[SDP_MAX_ATTRIBUTES], fmtps[SDP_MAX_ATTRIBUTES];
	size_t n_rtpmaps, n_fmtps;
	bool has_direction;
	enum sdp_direction direction;
};

/* The fmtp lines that hold for one payload type. */
struct sdp_fmtp {
	const struct sdp_section *section;
	int payload_type; /* -1: whatever number they have */
};

bool sdp_is_space(char c); /* blank or tab */
/* Without blanks and tabs at both ends. */
struct sdp_text sdp_trim(struct sdp_text text);
/* What is before the first of `separators`, trimmed; *rest is what is behind it. */
struct sdp_text sdp_cut(struct sdp_text text, const char *separators, struct sdp_text *rest);
/* Whether they are the same but for upper and lower case. */
bool sdp_is(struct sdp_text text, const char *word);
bool sdp_starts_with(struct sdp_text text, const char *prefix);
/* The decimal number that the text begins with, at most max; -1: none. *rest (or NULL) is behind
 * it. */
int64_t sdp_number(struct sdp_text text, int64_t max, struct sdp_text *rest);
/* As much as fits, what is not printable ASCII as '?'. */
void sdp_copy_words(struct sdp_text text, char *out, size_t size);

/* The value of a parameter, without quotes and blanks around it; empty (len 0): it is not there or
 * has none. Names are compared without case. */
struct sdp_text sdp_fmtp_value(const struct sdp_fmtp *fmtp, const char *name);
/* The parameter as a number of 0..max, or `absent`. */
uint32_t sdp_fmtp_number(const struct sdp_fmtp *fmtp, const char *name, uint32_t max,
			 uint32_t absent);

/* format->config of H.264 and H.265: the parameter sets that can be read. */
void sdp_parameter_sets(const struct sdp_fmtp *fmtp, struct rtp_format *format);
/* AU headers, constant size and AudioSpecificConfig of MPEG4-GENERIC. clock_rate 0 and channels 0
 * are set from the configuration. Returns false and why (as sdp_media.why) if it is not AAC in a
 * mode that can be read. */
bool sdp_aac(const struct sdp_fmtp *fmtp, struct rtp_format *format, char why[96]);

/* What the section offers: format, encoding, why of media, whose kind is set. */
void sdp_media_choose(const struct sdp_section *section, struct sdp_media *media);

#endif
