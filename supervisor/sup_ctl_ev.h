/*
 * The control socket, for camctl: SOCK_SEQPACKET, the messages of shared/msg.h. A client that
 * breaks the rules is closed; nothing that a client does ends the supervisor.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_CTL_EV_H
#define CAMHUB_SUPERVISOR_SUP_CTL_EV_H

#include <stddef.h>

#define SUP_CTL_CLIENTS_MAX       16
#define SUP_CTL_REQUEST_MAX_BYTES 4096
#define SUP_CTL_IDLE_MS           2000
#define SUP_CTL_MODE              0660

struct sup;
struct sup_ctl;

/* Listen at sup->dirs.ctl. 0, or negative errno and why in err. */
int sup_ctl_new(struct sup *sup, struct sup_ctl **ctl, char *err, size_t err_len);
void sup_ctl_free(struct sup_ctl **ctl); /* NULL-safe; clients are closed */

#endif
