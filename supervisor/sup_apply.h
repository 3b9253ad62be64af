/*
 * The configuration takes effect: at the start, and later only where it differs.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_APPLY_H
#define CAMHUB_SUPERVISOR_SUP_APPLY_H

struct conf;
struct sup;

/* Read the files. 0 and *conf (owned), or -EINVAL and *errors: "file:line: text" lines, malloc'd.
 */
int sup_apply_load(const struct sup *sup, struct conf **conf, char **errors);

/*
 * The first good configuration: bind, make the bus directory, start everything. Takes conf. 0; or
 * negative errno (see sup_listen_open()), sup->config_error says why, and nothing was started.
 */
int sup_apply_first(struct sup *sup, struct conf *conf);

#endif
