/*
 * Any bytes as a control message, for each of its receivers in turn, with a descriptor and without.
 * What is accepted is a message of the table, and only that.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/msg.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_RECEIVERS 10

static void
check_field(const json_t *msg, const struct msg_field *field)
{
	const json_t *value = json_object_get(msg, field->name);

	FUZZ_CHECK(value != NULL || field->optional);
	if (value == NULL)
		return;
	switch (field->kind) {
	case MSG_STR:
	case MSG_ASCII:
		FUZZ_CHECK((long long)strlen(msg_str(msg, field->name)) <= field->max);
		FUZZ_CHECK(strlen(msg_str(msg, field->name)) == json_string_length(value));
		break;
	case MSG_INT:
		FUZZ_CHECK(msg_int(msg, field->name, -99) >= field->min &&
			   msg_int(msg, field->name, -99) <= field->max);
		break;
	case MSG_REAL:
		FUZZ_CHECK(msg_real(msg, field->name, -99) >= (double)field->min &&
			   msg_real(msg, field->name, -99) <= (double)field->max);
		break;
	case MSG_BOOL:
		FUZZ_CHECK(msg_bool(msg, field->name, false) == json_is_true(value));
		break;
	case MSG_STRS:
		FUZZ_CHECK((long long)json_array_size(value) <= field->max);
		break;
	}
}

static void
check_accepted(const json_t *msg, enum msg_type type, enum msg_to to, bool has_fd)
{
	const struct msg_schema *schema;
	size_t n = 1;

	FUZZ_CHECK((unsigned)type < MSG_TYPE_COUNT);
	schema = msg_schema(type);
	FUZZ_CHECK((schema->to & to) != 0 && strcmp(schema->name, msg_str(msg, "type")) == 0);
	FUZZ_CHECK(schema->fd == MSG_FD_OPTIONAL || (schema->fd == MSG_FD_REQUIRED) == has_fd);
	for (const struct msg_field *field = schema->fields; field->name != NULL; field++) {
		check_field(msg, field);
		n += json_object_get(msg, field->name) != NULL;
	}
	FUZZ_CHECK(json_object_size(msg) == n);
}

static void
check_all(const json_t *msg)
{
	for (unsigned i = 0; i < 2 * N_RECEIVERS; i++) {
		enum msg_to to = (enum msg_to)(1u << i / 2);
		enum msg_type type = MSG_TYPE_COUNT;
		char err[MSG_ERROR_MAX] = "";

		if (msg_check(msg, to, i % 2 != 0, &type, err) == 0)
			check_accepted(msg, type, to, i % 2 != 0);
		else
			FUZZ_CHECK(type == MSG_TYPE_COUNT && memchr(err, 0, sizeof(err)) != NULL &&
				   err[0] != '\0');
	}
}

/* As it comes: one datagram over a channel. */
static void
receive(const uint8_t *data, size_t size, enum msg_to to)
{
	enum msg_type type = MSG_TYPE_COUNT;
	char err[MSG_ERROR_MAX] = "";
	json_t *msg = NULL;
	int fds[2], passed = -1, rc;

	FUZZ_CHECK(chan_pair(fds) == 0);
	if (send(fds[1], data, size, MSG_NOSIGNAL) == (ssize_t)size) {
		rc = chan_recv(fds[0], to, &msg, &type, &passed, err);
		FUZZ_CHECK(rc == 0 || rc == -EPROTO || (rc == -EPIPE && size == 0));
		FUZZ_CHECK((rc == 0) == (msg != NULL) && passed == -1);
		if (rc == 0)
			check_accepted(msg, type, to, false);
	}
	json_decref(msg);
	close(fds[0]);
	close(fds[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *msg;

	if (size == 0 || size > 2 * MSG_MAX_BYTES)
		return 0;
	receive(data + 1, size - 1, (enum msg_to)(1u << data[0] % N_RECEIVERS));
	msg = json_loadb((const char *)data + 1, size - 1, 0, NULL);
	if (msg != NULL)
		check_all(msg);
	json_decref(msg);
	return 0;
}
