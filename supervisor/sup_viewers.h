/*
 * Who watches what through which front, as the fronts tell it, for camctl viewers and camctl kick.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_VIEWERS_H
#define CAMHUB_SUPERVISOR_SUP_VIEWERS_H

#include "supervisor/sup_front.h"

#define SUP_VIEWERS_MAX 2048 /* of a front; those beyond are not listed */

/* The messages watcher and watcher-gone of a front; it is gone itself. */
void sup_viewers_add(struct sup_front *front, const json_t *msg);
void sup_viewers_remove(struct sup_front *front, const json_t *msg);
void sup_viewers_forget(struct sup_front *front);

/* Calls fn with the message viewer (fn's to keep) for each; no more than SUP_VIEWERS_MAX. */
void sup_viewers_each(struct sup *sup, void (*fn)(json_t *msg, void *arg), void *arg);
/*
 * Have all ended that are meant: the id of one viewer ("7.12"), a user, or an address. Returns how
 * many those are.
 */
unsigned sup_viewers_kick(struct sup *sup, const char *what);

#endif
