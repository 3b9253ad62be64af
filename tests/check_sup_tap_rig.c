/*
 * See the header.
 */
#include "config.h"

#include "tests/check_sup_tap_rig.h"

#include "supervisor/sup_tap.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *
tap_path(struct fake *fake, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", fake->options.runtime_dir, name);
	return path;
}

static bool
has_list(void *arg)
{
	return access(arg, F_OK) == 0;
}

json_t *
tap_read_list(struct fake *fake)
{
	char path[256];
	json_t *list;

	fake_wait_ms(fake, 2 * SUP_TAP_LIST_PAUSE_MS);
	snprintf(path, sizeof(path), "%s", tap_path(fake, "streams.json"));
	loop_run_until_true(fake->loop, has_list, path, "the list", 0);
	list = json_load_file(path, 0, NULL);
	ck_assert_ptr_nonnull(list);
	return list;
}

const json_t *
tap_listed(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(list, "streams"), i, item)
		if (strcmp(msg_str(item, "name"), name) == 0)
			return item;
	ck_abort_msg("%s is not in the list", name);
}

int
tap_connect_to(struct fake *fake, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/bus/%s", fake->options.runtime_dir,
		 name);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

struct peer *
tap_analyser(struct fake *fake)
{
	return peer_new_chan(fake->loop, tap_connect_to(fake, "tap.sock"), MSG_TO_TAP, "analyser");
}

json_t *
tap_hello(const char *name, const char *pattern, const char *results)
{
	json_t *msg = json_pack("{s:s, s:s, s:s, s:[]}", "type", "tap-hello", "name", name,
				"version", "1", "streams");

	if (pattern != NULL)
		json_array_append_new(json_object_get(msg, "streams"), json_string(pattern));
	if (results != NULL)
		msg_set_str(msg, "results", results);
	return msg;
}

struct peer *
tap_greeted(struct fake *fake, const char *name, const char *pattern, const char *results)
{
	struct peer *peer = tap_analyser(fake);

	peer_send_msg(peer, tap_hello(name, pattern, results), -1);
	peer_get_msg(peer, MSG_TAP_WELCOME, 0);
	return peer;
}

/* A socket in results/, as an analyser makes it. */
int
tap_listen_for_results(struct fake *fake, const char *file)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/bus/results/%s",
		 fake->options.runtime_dir, file);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

bool
tap_was_cut_off(struct peer *peer)
{
	const json_t *msg = peer_get_msg(peer, MSG_TAP_REFUSED, 0);

	peer_expect_close(peer);
	peer_run(peer, 0);
	return msg != NULL;
}
