/*
 * What tests of passwords, keys and tokens share: the files of a fake supervisor's state directory,
 * commands of camctl, and camhub-auth.
 */
#ifndef CAMHUB_TESTS_CHECK_SUP_ACCESS_RIG_H
#define CAMHUB_TESTS_CHECK_SUP_ACCESS_RIG_H

#include "tests/sup_fake.h"

#include "shared/token.h"

#include <sys/types.h>

#define DOOR "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define USERS                                                                                      \
	"access:\n  users:\n    - {name: ann, cameras: [door, \"yard*\"]}\n"                       \
	"    - {name: bob, role: operator}\n" DOOR
#define HASH "$y$j9T$abc$def"

/* Static. */
const char *rig_state_file(const struct fake *fake, const char *name);
void rig_write_state(const struct fake *fake, const char *name, const char *text, mode_t mode);
/* Static; "" when there is none. It must be of mode 0600. */
const char *rig_read_state(const struct fake *fake, const char *name);

/* A command of camctl (msg is stolen): its "done", borrowed. */
const json_t *rig_ask(struct fake *fake, json_t *msg);
void rig_assert_answer(const json_t *done, long long code, const char *part);

struct fake_child *rig_auth(struct fake *fake);
/* A front asks whether a password is right. */
void rig_check_password(struct fake_child *front, int id, const char *user, const char *password);
/* camhub-auth answers. hash: NULL for none. */
void rig_answer_job(struct fake_child *auth, long long id, bool ok, const char *hash);

/* The next message access-keys of the front, borrowed, and what tokens are checked with. */
const json_t *rig_access(struct fake *fake, struct token_keys *keys);

#endif
