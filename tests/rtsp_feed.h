/*
 * A stream fed to the reader of RTSP in pieces, and what came out as text.
 */
#ifndef CAMHUB_TESTS_RTSP_FEED_H
#define CAMHUB_TESTS_RTSP_FEED_H

#include <stddef.h>
#include <stdint.h>

struct rtsp_feed {
	size_t (*piece)(void *arg); /* how many bytes come next, > 0; NULL: all at once */
	void *arg;
	size_t most_unread; /* told: bytes that the reader left with the caller, at most */
};

/*
 * One line for each item, an "error ..." line at the end; malloc'd. The reader knows channels 0 and
 * 1. Every call sees its bytes in memory of just their size.
 */
char *rtsp_feed(struct rtsp_feed *feed, const void *data, size_t len);

#endif
