/*
 * Host names for libavformat. It looks a name up for each connection, and a source of many small
 * files makes many; but a process that is locked in opens no file of the resolver any more. So what
 * was found while the source was opened is remembered, and is all that there is from then on.
 *
 * The program's getaddrinfo() stands before libc's, for the libraries too.
 */
#ifndef CAMHUB_WORKER_AV_NAMES_H
#define CAMHUB_WORKER_AV_NAMES_H

#define AV_NAMES_MAX 16 /* names that are remembered */

/* From now on only what is remembered. Called by the thread that looks names up. */
void av_names_freeze(void);
/* For tests: ask again, remember nothing. */
void av_names_reset(void);

#endif
