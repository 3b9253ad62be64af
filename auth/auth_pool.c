/*
 * The threads and their queues.
 */
#include "config.h"

#include "auth/auth_pool.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

TAILQ_HEAD(jobs, auth_job);

struct auth_pool {
	pthread_t threads[AUTH_THREADS];
	unsigned n_threads;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	struct jobs waiting, done;
	unsigned n_waiting;
	bool stop;
	int done_fd;
	void (*work)(struct auth_job *job);
};

void
auth_job_run(struct auth_job *job)
{
	if (job->make)
		job->ok = auth_hash_make(job->password, job->hash) == 0;
	else
		job->ok = auth_hash_check(job->password, job->has_hash ? job->hash : NULL);
}

void
auth_job_free(struct auth_job **job)
{
	if (*job != NULL)
		OPENSSL_cleanse(*job, sizeof(**job));
	free(*job);
	*job = NULL;
}

/* With the lock held. NULL: the pool ends. */
static struct auth_job *
wait_for_job(struct auth_pool *pool)
{
	struct auth_job *job;

	while (!pool->stop && TAILQ_EMPTY(&pool->waiting))
		pthread_cond_wait(&pool->more, &pool->lock);
	if (pool->stop)
		return NULL;
	job = TAILQ_FIRST(&pool->waiting);
	TAILQ_REMOVE(&pool->waiting, job, entry);
	pool->n_waiting--;
	return job;
}

static void *
run_thread(void *arg)
{
	static const uint64_t one = 1;
	struct auth_pool *pool = arg;
	struct auth_job *job;

	pthread_mutex_lock(&pool->lock);
	while ((job = wait_for_job(pool)) != NULL) {
		pthread_mutex_unlock(&pool->lock);
		pool->work(job);
		pthread_mutex_lock(&pool->lock);
		TAILQ_INSERT_TAIL(&pool->done, job, entry);
		/* The counter cannot be full: it is reset whenever jobs are taken. */
		(void)!write(pool->done_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int
start_threads(struct auth_pool *pool)
{
	sigset_t all, old;
	int rc = 0;

	/* Signals are the loop's. */
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (rc == 0 && pool->n_threads < AUTH_THREADS) {
		rc = pthread_create(&pool->threads[pool->n_threads], NULL, run_thread, pool);
		pool->n_threads += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

int
auth_pool_new(void (*work)(struct auth_job *job), struct auth_pool **pool)
{
	struct auth_pool *made = xcalloc(1, sizeof(*made));
	int rc;

	TAILQ_INIT(&made->waiting);
	TAILQ_INIT(&made->done);
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->more, NULL);
	made->work = work != NULL ? work : auth_job_run;
	made->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = made->done_fd < 0 ? -errno : start_threads(made);
	if (rc < 0) {
		auth_pool_free(&made);
		return rc;
	}
	*pool = made;
	return 0;
}

int
auth_pool_add(struct auth_pool *pool, struct auth_job *job)
{
	int rc = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->n_waiting >= AUTH_QUEUE_MAX) {
		rc = -EBUSY;
	} else {
		TAILQ_INSERT_TAIL(&pool->waiting, job, entry);
		pool->n_waiting++;
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	return rc;
}

int
auth_pool_fd(const struct auth_pool *pool)
{
	return pool->done_fd;
}

struct auth_job *
auth_pool_take(struct auth_pool *pool)
{
	struct auth_job *job;
	uint64_t count;

	pthread_mutex_lock(&pool->lock);
	job = TAILQ_FIRST(&pool->done);
	if (job != NULL)
		TAILQ_REMOVE(&pool->done, job, entry);
	else
		(void)!read(pool->done_fd, &count, sizeof(count));
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void
free_jobs(struct jobs *jobs)
{
	struct auth_job *job;

	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, job, entry);
		auth_job_free(&job);
	}
}

void
auth_pool_free(struct auth_pool **pool)
{
	struct auth_pool *old = *pool;

	*pool = NULL;
	if (old == NULL)
		return;
	pthread_mutex_lock(&old->lock);
	old->stop = true;
	pthread_cond_broadcast(&old->more);
	pthread_mutex_unlock(&old->lock);
	while (old->n_threads > 0)
		pthread_join(old->threads[--old->n_threads], NULL);
	free_jobs(&old->waiting);
	free_jobs(&old->done);
	if (old->done_fd >= 0)
		close(old->done_fd);
	pthread_cond_destroy(&old->more);
	pthread_mutex_destroy(&old->lock);
	free(old);
}
