/*
 * Two threads that hash, so that the loop goes on, and a bounded queue before them. All functions
 * are called from one thread, the loop's.
 */
#ifndef CAMHUB_AUTH_AUTH_POOL_H
#define CAMHUB_AUTH_AUTH_POOL_H

#include "auth/auth_hash.h"

#include <stdint.h>
#include <sys/queue.h>

#define AUTH_THREADS   2
#define AUTH_QUEUE_MAX 64

struct auth_pool;

struct auth_job {
	TAILQ_ENTRY(auth_job) entry; /* the pool's */
	int64_t id;
	bool make; /* a hash, else check one */
	bool has_hash;
	char password[AUTH_PASSWORD_BYTES + 1];
	char hash[AUTH_HASH_BYTES + 1]; /* given, or made */
	bool ok;                        /* the answer */
};

/* work: what is done with a job, in one of the threads; NULL: auth_job_run(). */
int auth_pool_new(void (*work)(struct auth_job *job), struct auth_pool **pool);
/* Takes job, unless the queue is full: -EBUSY. */
int auth_pool_add(struct auth_pool *pool, struct auth_job *job);
/* Readable while there may be jobs that are done. */
int auth_pool_fd(const struct auth_pool *pool);
/* A job that is done, the caller's from now on; NULL: none. */
struct auth_job *auth_pool_take(struct auth_pool *pool);
/* Waits for the threads; what was queued is dropped. NULL-safe. */
void auth_pool_free(struct auth_pool **pool);

void auth_job_run(struct auth_job *job);
/* Wiped; NULL-safe. */
void auth_job_free(struct auth_job **job);

#endif
