/*
 * Who gets in: the hashes of passwords, the keys of tokens and the list of those that hold no
 * longer. They are kept in the state directory, and the fronts are told all but the hashes.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_ACCESS_H
#define CAMHUB_SUPERVISOR_SUP_ACCESS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define SUP_ACCESS_TEXT_MAX 2048

struct sup;
struct sup_access;

struct sup_access *sup_access_new(struct sup *sup);
void sup_access_free(struct sup_access **access); /* NULL-safe; wiped */

/*
 * sup->conf is a new one. The files are read when there are users, and never touched when there are
 * none. What fails is logged: streams go on, and who cannot be checked does not get in. All fronts
 * that run are told.
 */
void sup_access_apply(struct sup *sup);

/* The message access-keys for a front. */
json_t *sup_access_message(struct sup *sup);

/* Of a user that is configured and has a password, borrowed; else NULL. */
const char *sup_access_hash(const struct sup *sup, const char *user);

/*
 * Commands of camctl: 0 or 1 (refused), and a text for people, or what was asked for, in text
 * (SUP_ACCESS_TEXT_MAX).
 */
/* hash NULL: none from now on. */
int sup_access_set_hash(struct sup *sup, const char *user, const char *hash, char *text);
/* May this user be given a password? */
int sup_access_may_have(struct sup *sup, const char *user, char *text);
/* The message token. text: the token and its id, a line each. */
int sup_access_token(struct sup *sup, const json_t *msg, char *text);
/* The message revoke. */
int sup_access_revoke(struct sup *sup, const json_t *msg, char *text);

/* NULL: all that was changed is written; else why not. It is tried again until it is. */
const char *sup_access_unsaved(const struct sup *sup);

/* A front ended a session: the message access-revoke. */
void sup_access_on_revoke(struct sup *sup, const json_t *msg);

#endif
