/*
 * What a camera's marker bit is worth, found out by watching it. RFC 6184 5.1 and RFC 7798 4.1: it
 * stands on the last packet of an access unit. Cameras that never set it, or set it on every slice,
 * are told by the timestamp instead, which costs one frame interval. Pure.
 */
#ifndef CAMHUB_MEDIA_RTP_AU_END_H
#define CAMHUB_MEDIA_RTP_AU_END_H

#include "media/rtp_depay.h"

struct rtp_au_watch {
	enum rtp_au_end how; /* as it is now; a zeroed struct is the start */
	unsigned run;        /* units in a row that speak for another answer */
	unsigned needed;     /* EACH_SLICE: how long a run takes back the distrust */
};

/* A unit ended, all of its packets were there. markers: on how many packets with or behind its
 * first slice the bit was set; is_last_marked: on the last packet of all; slices: how many it
 * has. */
void rtp_au_watch_unit(struct rtp_au_watch *watch, unsigned markers, bool is_last_marked,
		       unsigned slices);
/* A unit went on after a marker. */
void rtp_au_watch_went_on(struct rtp_au_watch *watch);

#endif
