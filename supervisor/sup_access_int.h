/*
 * What the files of sup_access share; nobody else includes this.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_ACCESS_INT_H
#define CAMHUB_SUPERVISOR_SUP_ACCESS_INT_H

#include "shared/token.h"
#include "supervisor/sup_int.h"

#define ACCESS_HASHES_MAX      256
#define ACCESS_HASH_MAX        256
#define ACCESS_LONGEST_S       (10LL * 366 * 86400)
#define ACCESS_GENERATIONS_MAX 256

struct access_hash {
	char user[TOKEN_USER_MAX + 1];
	char hash[ACCESS_HASH_MAX + 1];
};

struct access_revoked {
	char id[TOKEN_ID_CHARS + 1];
	int64_t expires_s;
	char user[TOKEN_USER_MAX + 1]; /* whose session it was; "": a token of another kind */
};

enum access_file { ACCESS_KEYS, ACCESS_HASHES, ACCESS_ENDS, ACCESS_FILES };

/* Which logins of a user hold; who is not listed: 1. */
struct access_generation {
	char user[TOKEN_USER_MAX + 1];
	int64_t number;
};

/* What is done at once, and then no more often than each every_ms. */
struct access_pace {
	struct sup_access *access;
	int64_t every_ms;
	void (*act)(struct sup_access *access);
	struct clock_timer timer; /* set: it was done a moment ago */
	bool again;               /* when that moment is over */
};

struct sup_access {
	struct sup *sup;
	bool loaded;            /* keys and the list are those of the files, or as good as can be */
	struct token_keys keys; /* without the list */
	struct access_revoked revoked[TOKEN_REVOKED_MAX];
	size_t n_revoked;
	struct access_hash hashes[ACCESS_HASHES_MAX];
	size_t n_hashes;
	struct access_generation generations[ACCESS_GENERATIONS_MAX];
	size_t n_generations;
	int64_t since_s, since_ns; /* the start, by the wall clock and the other */
	struct access_pace telling, saving;
	bool has_ends; /* that are not written yet */
	/* Files that could not be written, and why. */
	bool unsaved[ACCESS_FILES];
	int unsaved_rc;
};

/* sup_access_files.c: each logs what fails. */
void access_load_keys(struct sup_access *access); /* makes new ones when there are none */
/* A list that cannot be read would let in who was shut out: new keys are made. */
void access_load_revoked(struct sup_access *access);
void access_load_hashes(struct sup_access *access);
/* 0 or negative errno: then it is tried again each second. */
int access_save(struct sup_access *access, enum access_file file);
/* Those that could not be written. */
void access_save_rest(struct sup_access *access);
void access_random(void *bytes, size_t len);

/* sup_access.c */
void access_tell_fronts(struct sup *sup);
int64_t access_now_s(struct sup *sup);

/* sup_access_ends.c */
void access_ends_init(struct sup_access *access);
/* The end of all: what is not written yet is. */
void access_ends_finish(struct sup_access *access);
/* Tell and write. 0 or negative errno. */
int access_ends_now(struct sup_access *access);
/* Files that could not be written are tried again soon. */
void access_save_again(struct sup_access *access);
int64_t access_generation(const struct sup_access *access, const char *user);
/* All sessions of this user end, and what else a login of his opened. Neither told nor written. */
void access_end_logins(struct sup_access *access, const char *user);
/* Tokens of the key before hold on, or all end. Told and written: 0 or negative errno. */
int access_new_keys(struct sup_access *access, bool keep_previous);

#endif
