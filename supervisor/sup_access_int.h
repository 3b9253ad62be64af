/*
 * What the files of sup_access share; nobody else includes this.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_ACCESS_INT_H
#define CAMHUB_SUPERVISOR_SUP_ACCESS_INT_H

#include "shared/token.h"
#include "supervisor/sup_int.h"

#define ACCESS_HASHES_MAX 256
#define ACCESS_HASH_MAX   256
#define ACCESS_LONGEST_S  (10LL * 366 * 86400)

struct access_hash {
	char user[TOKEN_USER_MAX + 1];
	char hash[ACCESS_HASH_MAX + 1];
};

struct access_revoked {
	char id[TOKEN_ID_CHARS + 1];
	int64_t expires_s; /* then it is forgotten */
	bool by_ctl;       /* else somebody logged out: these make room */
};

struct sup_access {
	struct sup *sup;
	bool loaded;            /* keys and the list are those of the files, or as good as can be */
	struct token_keys keys; /* without the list */
	struct access_revoked revoked[TOKEN_REVOKED_MAX];
	size_t n_revoked;
	struct access_hash hashes[ACCESS_HASHES_MAX];
	size_t n_hashes;
	struct clock_timer logouts; /* to be written and told soon, several at once */
};

/* sup_access_files.c: each logs what fails. */
void access_load_keys(struct sup_access *access); /* makes new ones when there are none */
/* A list that cannot be read would let in who was shut out: new keys are made. */
void access_load_revoked(struct sup_access *access);
void access_load_hashes(struct sup_access *access);
/* 0 or negative errno. */
int access_save_keys(const struct sup_access *access);
int access_save_revoked(const struct sup_access *access);
int access_save_hashes(const struct sup_access *access);
void access_random(void *bytes, size_t len);

/* sup_access.c */
void access_tell_fronts(struct sup *sup);
/* sup_access_tokens.c: of the timer. */
void access_on_logouts(struct clock_timer *timer, void *arg);
int64_t access_now_s(struct sup *sup);

#endif
