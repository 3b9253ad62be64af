/*
 * camhub-auth: a child on fd 3 that hashes passwords for the supervisor and knows nothing else: no
 * users, no keys, no file, no network.
 */
#ifndef CAMHUB_AUTH_AUTH_EV_H
#define CAMHUB_AUTH_AUTH_EV_H

/* Others come first. Before child_enter(): later the files in /proc are not ours. */
void auth_be_nice(void);

/* The whole program: a loop on CHILD_FD until stopped. Returns the exit code. */
int auth_run(void);

#endif
