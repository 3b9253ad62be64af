/*
 * Hashes of passwords, and the threads that make them: nothing is lost, nothing is done twice, and
 * no more is taken on than fits.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "auth/auth_hash.h"
#include "auth/auth_pool.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

START_TEST(test_hash)
{
	char hash[AUTH_HASH_BYTES + 1], again[AUTH_HASH_BYTES + 1];

	ck_assert_int_eq(auth_hash_make("correct horse", hash), 0);
	ck_assert_int_eq(strncmp(hash, "$y$j9T$", 7), 0);
	ck_assert(auth_hash_check("correct horse", hash));
	ck_assert(!auth_hash_check("correct hors", hash));
	ck_assert(!auth_hash_check("", hash));
	/* Each has a salt of its own. */
	ck_assert_int_eq(auth_hash_make("correct horse", again), 0);
	ck_assert_str_ne(hash, again);
}
END_TEST

/* What cannot be a hash, or is one of a weaker kind, lets nobody in. */
START_TEST(test_hashes_that_are_none)
{
	static const char *const bad[] = {
		"",
		"x",
		"*",
		"*0",
		"$y$",
		"$y$j9T$",
		/* DES, MD5 and SHA-512 of "x" */
		"abiQ6Ep3EYTHc",
		"$1$ab$e2KlfqG5YBMTjSz7XF.Eu1",
		"$6$ab$jnZj29NS/hK2GaouP6AGMIBwD6owZFRejcn9QRdlwSjZaVr.fR9dH2TXrKL/"
		"PaacUXwtGfI.4O9zxvy2k6fbE1",
	};

	ck_assert(!auth_hash_check("x", NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!auth_hash_check("x", bad[i]) && !auth_hash_check("", bad[i]), "%s",
			      bad[i]);
}
END_TEST

/* Longest, and bytes that are no ASCII. */
START_TEST(test_long_passwords)
{
	char password[AUTH_PASSWORD_BYTES + 1], hash[AUTH_HASH_BYTES + 1];

	memset(password, 0xe9, AUTH_PASSWORD_BYTES);
	password[AUTH_PASSWORD_BYTES] = '\0';
	ck_assert_int_eq(auth_hash_make(password, hash), 0);
	ck_assert(auth_hash_check(password, hash));
	password[AUTH_PASSWORD_BYTES - 1] = 'x';
	ck_assert(!auth_hash_check(password, hash));
}
END_TEST

/* The work of the tests: waits until it is let go; counts how many are at it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int at_work, most_at_work, may_finish;

static void
held_work(struct auth_job *job)
{
	pthread_mutex_lock(&lock);
	at_work++;
	if (at_work > most_at_work)
		most_at_work = at_work;
	pthread_cond_broadcast(&changed);
	while (may_finish == 0)
		pthread_cond_wait(&changed, &lock);
	may_finish--;
	at_work--;
	pthread_mutex_unlock(&lock);
	job->ok = true;
}

static void
let_finish(int n)
{
	pthread_mutex_lock(&lock);
	may_finish += n;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
wait_for_work(int n)
{
	pthread_mutex_lock(&lock);
	while (at_work < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static int
add(struct auth_pool *pool, int64_t id)
{
	struct auth_job *job = xcalloc(1, sizeof(*job));
	int rc;

	job->id = id;
	rc = auth_pool_add(pool, job);
	if (rc < 0)
		auth_job_free(&job);
	return rc;
}

/* The next that is done. */
static int64_t
take(struct auth_pool *pool)
{
	struct pollfd ready = { .fd = auth_pool_fd(pool), .events = POLLIN };
	struct auth_job *job;
	int64_t id;

	while ((job = auth_pool_take(pool)) == NULL)
		ck_assert_int_eq(poll(&ready, 1, -1), 1);
	ck_assert(job->ok);
	id = job->id;
	auth_job_free(&job);
	return id;
}

START_TEST(test_two_at_once_and_no_more_than_fit)
{
	struct auth_pool *pool = NULL;
	bool seen[AUTH_THREADS + AUTH_QUEUE_MAX] = { false };

	ck_assert_int_eq(auth_pool_new(held_work, &pool), 0);
	ck_assert_ptr_null(auth_pool_take(pool));
	for (int64_t i = 0; i < AUTH_THREADS; i++)
		ck_assert_int_eq(add(pool, i), 0);
	wait_for_work(AUTH_THREADS);
	for (int64_t i = 0; i < AUTH_QUEUE_MAX; i++)
		ck_assert_int_eq(add(pool, AUTH_THREADS + i), 0);
	ck_assert_int_eq(add(pool, 1000), -EBUSY);
	ck_assert_ptr_null(auth_pool_take(pool));
	let_finish(AUTH_THREADS + AUTH_QUEUE_MAX);
	for (size_t i = 0; i < sizeof(seen); i++) {
		int64_t id = take(pool);

		ck_assert_msg(id >= 0 && id < (int64_t)sizeof(seen) && !seen[id], "%lld",
			      (long long)id);
		seen[id] = true;
	}
	ck_assert_ptr_null(auth_pool_take(pool));
	ck_assert_int_eq(most_at_work, AUTH_THREADS);
	auth_pool_free(&pool);
}
END_TEST

/* The end waits for what is under way, and for nothing else. */
START_TEST(test_end_with_a_full_queue)
{
	struct auth_pool *pool = NULL;

	ck_assert_int_eq(auth_pool_new(held_work, &pool), 0);
	for (int64_t i = 0; i < 10; i++)
		ck_assert_int_eq(add(pool, i), 0);
	wait_for_work(AUTH_THREADS);
	let_finish(AUTH_THREADS);
	/* One that finished goes for the next until it sees the end: let that one go, too. */
	let_finish(8);
	auth_pool_free(&pool);
	ck_assert_ptr_null(pool);
	auth_pool_free(&pool);
}
END_TEST

static Suite *
auth_suite(void)
{
	Suite *suite = suite_create("auth");
	TCase *tcase = tcase_create("auth");

	tcase_add_test(tcase, test_hash);
	tcase_add_test(tcase, test_hashes_that_are_none);
	tcase_add_test(tcase, test_long_passwords);
	tcase_add_test(tcase, test_two_at_once_and_no_more_than_fit);
	tcase_add_test(tcase, test_end_with_a_full_queue);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(auth_suite)
