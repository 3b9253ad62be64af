/*
 * passwd, keys and revoked in the state directory: text <-> what they mean.
 *
 *   passwd    NAME:HASH
 *   keys      current HEX, previous HEX
 *   revoked   token ID EXPIRES [USER], generation USER NUMBER
 */
#include "config.h"

#include "supervisor/sup_access.h"
#include "supervisor/sup_access_int.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_store.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char passwd_file[] = "passwd", keys_file[] = "keys", revoked_file[] = "revoked";

void
access_random(void *bytes, size_t len)
{
	/* Up to 256 bytes come whole; before the kernel has any, nothing may be signed. */
	while (getrandom(bytes, len, 0) != (ssize_t)len)
		if (errno != EINTR)
			xalloc_die();
}

static const char *
reason_of(int rc)
{
	return rc == -EPERM    ? "others may read it, it must be of mode 0600 and the service's own"
	       : rc == -EINVAL ? "it is not as camhub writes it"
			       : strerror(-rc);
}

/* 0 and *text, the caller's to wipe; -ENOENT in silence; else logged. */
static int
read_file(const struct sup_access *access, const char *name, const char *then, char **text)
{
	const char *dir = access->sup->options.state_dir;
	int rc = sup_store_read(dir, name, text);

	if (rc < 0 && rc != -ENOENT)
		log_err("access: %s/%s: %s; %s", dir, name, reason_of(rc), then);
	return rc;
}

static int
write_file(const struct sup_access *access, const char *name, const char *text)
{
	int rc = sup_store_open(access->sup->options.state_dir);

	return rc < 0 ? rc : sup_store_write(access->sup->options.state_dir, name, text);
}

static void
wipe(char **text)
{
	if (*text != NULL)
		OPENSSL_cleanse(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* As much as there is, whole in memory first. */
static int
write_printed(const struct sup_access *access, const char *name,
	      void (*print)(const struct sup_access *access, FILE *file))
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	int rc;

	if (file == NULL)
		xalloc_die();
	print(access, file);
	if (fclose(file) != 0)
		xalloc_die();
	rc = write_file(access, name, text);
	wipe(&text);
	return rc;
}

/* passwd */

static bool
parse_hash(struct sup_access *access, char *line)
{
	struct access_hash *hash = &access->hashes[access->n_hashes];
	char *colon = strchr(line, ':');

	if (colon == NULL || access->n_hashes == ACCESS_HASHES_MAX ||
	    strlen(colon + 1) > ACCESS_HASH_MAX || colon[1] == '\0')
		return false;
	*colon = '\0';
	if (!token_user_is_valid(line))
		return false;
	strcpy(hash->user, line);
	strcpy(hash->hash, colon + 1);
	access->n_hashes++;
	return true;
}

void
access_load_hashes(struct sup_access *access)
{
	char *text = NULL, *next, *line;
	unsigned number = 0;
	int rc = read_file(access, passwd_file, "the passwords known so far hold", &text);

	if (rc < 0 && rc != -ENOENT)
		return;
	OPENSSL_cleanse(access->hashes, sizeof(access->hashes));
	access->n_hashes = 0;
	next = text;
	while (next != NULL && (line = strsep(&next, "\n")) != NULL) {
		number++;
		if (line[0] != '\0' && !parse_hash(access, line))
			log_err("access: %s/%s:%u: not NAME:HASH, left out",
				access->sup->options.state_dir, passwd_file, number);
	}
	free(text);
}

static void
print_hashes(const struct sup_access *access, FILE *file)
{
	for (size_t i = 0; i < access->n_hashes; i++)
		fprintf(file, "%s:%s\n", access->hashes[i].user, access->hashes[i].hash);
}

static int
save_hashes(const struct sup_access *access)
{
	return write_printed(access, passwd_file, print_hashes);
}

/* keys: the form of the message is read and written by those who know it. */

static int
parse_keys(char *text, struct token_keys *keys)
{
	json_t *msg = json_object();
	char *next = text, *line;
	int rc = 0;

	while ((line = strsep(&next, "\n")) != NULL) {
		char *value = strchr(line, ' ');

		if (line[0] == '\0')
			continue;
		if (value == NULL) {
			rc = -EINVAL;
			break;
		}
		*value++ = '\0';
		json_object_set_new(msg, line, json_string(value));
	}
	if (rc == 0)
		rc = token_keys_from_msg(msg, keys);
	json_decref(msg);
	return rc;
}

static int
save_keys(const struct sup_access *access)
{
	json_t *msg = json_object();
	const char *previous;
	char *text;
	int rc;

	token_keys_to_msg(&access->keys, msg);
	previous = json_string_value(json_object_get(msg, "previous"));
	text = xasprintf("current %s\n%s%s%s", json_string_value(json_object_get(msg, "current")),
			 previous != NULL ? "previous " : "", previous != NULL ? previous : "",
			 previous != NULL ? "\n" : "");
	json_decref(msg);
	rc = write_file(access, keys_file, text);
	wipe(&text);
	return rc;
}

static void
make_keys(struct sup_access *access)
{
	int rc;

	access_random(access->keys.current, TOKEN_KEY_BYTES);
	access->keys.has_previous = false;
	rc = access_save(access, ACCESS_KEYS);
	if (rc < 0)
		log_err("access: %s/%s: cannot be written: %s; sessions and links end when camhub "
			"does",
			access->sup->options.state_dir, keys_file, strerror(-rc));
}

void
access_load_keys(struct sup_access *access)
{
	char *text = NULL;
	int rc =
	    read_file(access, keys_file, "new ones are made, old sessions and links end", &text);

	if (rc == 0) {
		rc = parse_keys(text, &access->keys);
		if (rc < 0)
			log_err("access: %s/%s: %s; new ones are made, old sessions and links end",
				access->sup->options.state_dir, keys_file, reason_of(rc));
		/* strsep() has cut it: the whole buffer. */
		OPENSSL_cleanse(text, SUP_STORE_MAX_BYTES);
		free(text);
	}
	if (rc < 0)
		make_keys(access);
}

/* revoked */

static bool
parse_token(struct sup_access *access, const char *line)
{
	struct access_revoked *entry = &access->revoked[access->n_revoked];
	char id[64], user[128] = "";
	long long expires_s;

	if (access->n_revoked == TOKEN_REVOKED_MAX ||
	    sscanf(line, "%63s %lld %127s", id, &expires_s, user) < 2 || !token_id_is_valid(id) ||
	    (user[0] != '\0' && !token_user_is_valid(user)))
		return false;
	strcpy(entry->id, id);
	strcpy(entry->user, user);
	/* Expired or not: who knows whether the clock is right by now. */
	entry->expires_s = expires_s;
	access->n_revoked++;
	return true;
}

static bool
parse_generation(struct sup_access *access, const char *line)
{
	struct access_generation *entry = &access->generations[access->n_generations];
	long long number;
	char user[128];

	if (access->n_generations == ACCESS_GENERATIONS_MAX ||
	    sscanf(line, "%127s %lld", user, &number) != 2 || !token_user_is_valid(user) ||
	    number < 1 || number > TOKEN_GENERATION_MAX)
		return false;
	strcpy(entry->user, user);
	entry->number = number;
	access->n_generations++;
	return true;
}

static bool
parse_end(struct sup_access *access, const char *line)
{
	if (strncmp(line, "token ", 6) == 0)
		return parse_token(access, line + 6);
	return strncmp(line, "generation ", 11) == 0 && parse_generation(access, line + 11);
}

void
access_load_revoked(struct sup_access *access)
{
	char *text = NULL, *next, *line;
	int rc = read_file(access, revoked_file, "all sessions and links end", &text);

	access->n_revoked = access->n_generations = 0;
	next = rc == 0 ? text : NULL;
	while (next != NULL && (line = strsep(&next, "\n")) != NULL)
		if (line[0] != '\0' && !parse_end(access, line))
			rc = -EINVAL;
	free(text);
	if (rc == 0 || rc == -ENOENT)
		return;
	if (rc == -EINVAL)
		log_err("access: %s/%s: not as camhub writes it; all sessions and links end",
			access->sup->options.state_dir, revoked_file);
	make_keys(access);
}

static void
print_ends(const struct sup_access *access, FILE *file)
{
	for (size_t i = 0; i < access->n_revoked; i++)
		fprintf(file, "token %s %lld %s\n", access->revoked[i].id,
			(long long)access->revoked[i].expires_s, access->revoked[i].user);
	for (size_t i = 0; i < access->n_generations; i++)
		fprintf(file, "generation %s %lld\n", access->generations[i].user,
			(long long)access->generations[i].number);
}

static int
save_revoked(const struct sup_access *access)
{
	return write_printed(access, revoked_file, print_ends);
}

/* All */

static int (*const savers[ACCESS_FILES])(const struct sup_access *access) = {
	[ACCESS_KEYS] = save_keys,
	[ACCESS_HASHES] = save_hashes,
	[ACCESS_ENDS] = save_revoked,
};

int
access_save(struct sup_access *access, enum access_file file)
{
	int rc = savers[file](access);

	access->unsaved[file] = rc < 0;
	if (rc < 0) {
		access->unsaved_rc = rc;
		access_save_again(access);
	}
	return rc;
}

void
access_save_rest(struct sup_access *access)
{
	bool was_unsaved = false, is_unsaved = false;

	for (int file = 0; file < ACCESS_FILES; file++) {
		was_unsaved |= access->unsaved[file];
		if (access->unsaved[file])
			(void)access_save(access, file);
		is_unsaved |= access->unsaved[file];
	}
	if (was_unsaved && !is_unsaved)
		log_notice("access: what could not be written is written now");
}

const char *
sup_access_unsaved(const struct sup *sup)
{
	for (int file = 0; file < ACCESS_FILES; file++)
		if (sup->access->unsaved[file])
			return strerror(-sup->access->unsaved_rc);
	return NULL;
}
