/*
 * The real camhub-worker-av on fd 3 of a fake supervisor, and a real subscriber on its bus.
 */
#ifndef CAMHUB_TESTS_CHECK_WORKER_AV_RIG_H
#define CAMHUB_TESTS_CHECK_WORKER_AV_RIG_H

#include "shared/bus.h"
#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"

#define PASSWORD  "hunter2 & co"
#define CLOCK_URL "test:clock?size=320x240&fps=25&gop=10"

struct rig {
	struct loop *loop;
	struct program *program;
	struct peer *supervisor;
	char bus[256];
	struct bus_sub *sub;
	struct bus_msg *msgs[1024];
	size_t n;
	size_t wanted;
	uint32_t wanted_for;
};

/* A worker-config to be changed and sent. */
json_t *config(const char *url);
/* Start the program, send it msg (stolen), take READY. */
struct rig rig_start(struct loop *loop, json_t *msg);
/* Let input messages pass until this state; another end fails the test. */
const json_t *await_input(struct rig *rig, const char *state);
/* The source ends with this class, the program leaves with 75. */
void await_ended(struct rig *rig, const char *class);
void demand(struct rig *rig, bool on);
void ask_replay(struct rig *rig, uint32_t subscriber);
/* Asked, it leaves with 0. */
void stop(struct rig *rig);
/* Remove its bus, which must be there, as the supervisor does: who is locked in removes no file. */
void take_socket_away(const struct rig *rig);

/* The subscriber (isolated tests only: nng). */
void subscribe(struct rig *rig);
bool is_connected(void *rig);
void receive(struct rig *rig);
void await_live(struct rig *rig, size_t wanted);
void await_replay(struct rig *rig, uint32_t subscriber);
size_t count_live(const struct rig *rig);
void forget(struct rig *rig);
/* No holes, times that go up, key frames that say so. subscriber 0: the live ones. Returns how many
 * pictures. */
size_t check_order(const struct rig *rig, uint32_t subscriber);

/* A camera that speaks HTTP, and has been asked for /video; then: it sends a few pictures and no
 * more. */
struct rig start_http(struct loop *loop, struct peer **camera, int stall_ms);
void send_parts(struct peer *camera);
/* The same in single steps: the head of the answer, one picture. */
void send_parts_head(struct peer *camera);
void send_part(struct peer *camera);

#endif
