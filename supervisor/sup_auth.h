/*
 * camhub-auth, kept running while there are users, and the passwords that it looks at: the fronts'
 * questions and camctl's new ones. Whatever happens to it, every question is answered.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_AUTH_H
#define CAMHUB_SUPERVISOR_SUP_AUTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define SUP_AUTH_JOBS_MAX  66 /* two at once, 64 that wait; then "busy" */
#define SUP_AUTH_JOBS_KEPT 2  /* of these for camctl, whatever comes from outside */

struct sup;
struct sup_auth;
struct sup_auth_job;

enum sup_auth_answer { SUP_AUTH_NO, SUP_AUTH_YES, SUP_AUTH_BUSY };

struct sup_auth *sup_auth_new(struct sup *sup);
void sup_auth_free(struct sup_auth **auth); /* NULL-safe; nobody is answered any more */

/* Whether it should run. */
void sup_auth_want(struct sup *sup, bool wanted);
void sup_auth_stop(struct sup *sup); /* the supervisor leaves: it is not started again */

/* A front's message auth-check. Answered with auth-result, if that front still lives. */
void sup_auth_check(struct sup *sup, uint32_t subscriber, const json_t *msg);

/* A hash of password; fn is called once, later. NULL: too many wait, or it does not run. */
typedef void sup_auth_fn(void *arg, const char *hash); /* NULL: it could not be made */
struct sup_auth_job *sup_auth_make(struct sup *sup, const char *password, sup_auth_fn *fn,
				   void *arg);
void sup_auth_cancel(struct sup_auth_job **job); /* fn is not called any more; NULL-safe */

bool sup_auth_is_wanted(const struct sup *sup);
json_t *sup_auth_status(const struct sup *sup); /* the message process */

#endif
