/*
 * Mock peers: making them, writing their scripts, their end.
 */
#include "config.h"

#include "tests/harness/peer.h"

#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"
#include "tests/harness/peer_internal.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const step_names[STEP_KIND_COUNT] = {
	[STEP_EXPECT] = "expect",
	[STEP_EXPECT_BYTES] = "expect bytes",
	[STEP_EXPECT_UNTIL] = "expect until",
	[STEP_EXPECT_CLOSE] = "expect close",
	[STEP_DRAIN] = "drain until close",
	[STEP_SEND] = "send",
	[STEP_STALL] = "stall",
	[STEP_CLOSE] = "close",
	[STEP_RESET] = "reset",
	[STEP_SHUTDOWN] = "shutdown",
	[STEP_CALL] = "call",
	[STEP_EXPECT_MSG] = "expect message",
	[STEP_AWAIT_MSG] = "await message",
	[STEP_SEND_MSG] = "send message",
	[STEP_SEND_DATAGRAM] = "send datagram",
};

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	peer_play(arg);
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	peer_play(arg);
}

void
peer_set_fd(struct peer *peer, int fd)
{
	peer->fd = fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	peer->read_ev = event_new(peer->loop->base, fd, EV_READ, on_io, peer);
	peer->write_ev = event_new(peer->loop->base, fd, EV_WRITE, on_io, peer);
}

struct peer *
peer_make(struct loop *loop, int fd, const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->loop = loop;
	peer->name = xstrdup(name);
	peer->fd = peer->listen_fd = peer->last_fd = -1;
	peer->kick_ev = event_new(loop->base, -1, 0, on_io, peer);
	clock_timer_init(&peer->timer, loop->clock, on_timer, peer);
	textbuf_add(&peer->in, "%s", "");
	LIST_INSERT_HEAD(&loop->peers, peer, entry);
	if (fd >= 0)
		peer_set_fd(peer, fd);
	return peer;
}

struct peer *
peer_new(struct loop *loop, int fd, const char *name)
{
	return peer_make(loop, fd, name);
}

void
peer_close_fd(struct peer *peer)
{
	if (peer->fd < 0)
		return;
	event_free(peer->read_ev);
	event_free(peer->write_ev);
	peer->read_ev = peer->write_ev = NULL;
	close(peer->fd);
	peer->fd = -1;
}

int
peer_fd(const struct peer *peer)
{
	return peer->fd;
}

/* The script */

struct step *
peer_add_step(struct peer *peer, enum step_kind kind)
{
	struct step *step;

	if (peer->n > 0 && peer->steps[peer->n - 1].kind == STEP_STALL &&
	    peer->steps[peer->n - 1].ms == PEER_FOREVER)
		ck_abort_msg("peer %s: a step behind a stall for ever", peer->name);
	peer->steps = xreallocarray(peer->steps, peer->n + 1, sizeof(*peer->steps));
	step = &peer->steps[peer->n++];
	*step = (struct step){ .kind = kind, .fd = -1 };
	event_active(peer->kick_ev, EV_TIMEOUT, 1);
	return step;
}

static struct step *
add_bytes_step(struct peer *peer, enum step_kind kind, const void *bytes, size_t len)
{
	struct step *step = peer_add_step(peer, kind);

	step->bytes = xmalloc(len + 1);
	memcpy(step->bytes, bytes, len);
	step->bytes[len] = '\0';
	step->len = len;
	return step;
}

void
peer_expect(struct peer *peer, const void *bytes, size_t len)
{
	add_bytes_step(peer, STEP_EXPECT, bytes, len);
}

void
peer_expect_text(struct peer *peer, const char *text)
{
	peer_expect(peer, text, strlen(text));
}

void
peer_expect_bytes(struct peer *peer, size_t len)
{
	peer_add_step(peer, STEP_EXPECT_BYTES)->len = len;
}

void
peer_expect_until(struct peer *peer, const char *end, const char *part)
{
	struct step *step = add_bytes_step(peer, STEP_EXPECT_UNTIL, end, strlen(end));

	step->part = xstrdup(part != NULL ? part : "");
}

void
peer_expect_close(struct peer *peer)
{
	peer_add_step(peer, STEP_EXPECT_CLOSE);
}

void
peer_drain_until_close(struct peer *peer)
{
	peer_add_step(peer, STEP_DRAIN);
}

void
peer_send(struct peer *peer, const void *bytes, size_t len)
{
	add_bytes_step(peer, STEP_SEND, bytes, len);
}

void
peer_send_text(struct peer *peer, const char *text)
{
	peer_send(peer, text, strlen(text));
}

void
peer_send_pieces(struct peer *peer, const void *bytes, size_t len, size_t piece_len,
		 int64_t pause_ms)
{
	struct step *step = add_bytes_step(peer, STEP_SEND, bytes, len);

	step->piece_len = piece_len;
	step->ms = pause_ms;
}

void
peer_send_datagram(struct peer *peer, const void *bytes, size_t len)
{
	add_bytes_step(peer, STEP_SEND_DATAGRAM, bytes, len);
}

void
peer_stall(struct peer *peer, int64_t ms)
{
	peer_add_step(peer, STEP_STALL)->ms = ms;
}

void
peer_close(struct peer *peer)
{
	peer_add_step(peer, STEP_CLOSE);
}

void
peer_reset(struct peer *peer)
{
	peer_add_step(peer, STEP_RESET);
}

void
peer_shutdown(struct peer *peer)
{
	peer_add_step(peer, STEP_SHUTDOWN);
}

void
peer_call(struct peer *peer, void (*fn)(void *arg), void *arg)
{
	struct step *step = peer_add_step(peer, STEP_CALL);

	step->fn = fn;
	step->arg = arg;
}

static void
complete(void *arg)
{
	async_complete(arg);
}

void
peer_complete(struct peer *peer)
{
	peer_call(peer, complete, peer->loop);
}

bool
peer_is_done(const struct peer *peer)
{
	return peer->at == peer->n ||
	       (peer->at == peer->n - 1 && peer->steps[peer->at].kind == STEP_STALL &&
		peer->steps[peer->at].ms == PEER_FOREVER);
}

static bool
is_done(void *arg)
{
	return peer_is_done(arg);
}

void
peer_run(struct peer *peer, int deadline_ms)
{
	char what[128];

	snprintf(what, sizeof(what), "the end of the script of peer %s", peer->name);
	loop_run_until_true(peer->loop, is_done, peer, what, deadline_ms);
}

const char *
peer_last(const struct peer *peer, size_t *len)
{
	if (len != NULL)
		*len = peer->in.len;
	return peer->in.text;
}

/* Messages and the end */

static void
describe(const struct peer *peer, struct textbuf *out)
{
	const struct step *step = &peer->steps[peer->at];

	textbuf_add(out, "peer %s, step %zu of %zu (%s", peer->name, peer->at + 1, peer->n,
		    step_names[step->kind]);
	if (step->kind == STEP_EXPECT_MSG || step->kind == STEP_AWAIT_MSG)
		textbuf_add(out, " %s", msg_schema(step->type)->name);
	if (step->len > 0)
		textbuf_add(out, " %zu bytes", step->len);
	if (step->kind == STEP_EXPECT_UNTIL && step->part[0] != '\0')
		textbuf_add(out, " with '%s'", step->part);
	textbuf_add(out, ")");
	if (peer->fd < 0 && peer->listen_fd >= 0)
		textbuf_add(out, ", nobody has connected");
}

static void
describe_open_step(struct peer *peer, struct textbuf *out)
{
	const struct step *step = &peer->steps[peer->at];

	describe(peer, out);
	textbuf_add(out, ": not played to its end\n");
	if (step->kind == STEP_EXPECT)
		hex_diff(out, step->bytes, step->len, peer->in.text, peer->in.len);
	else if (step->kind == STEP_EXPECT_BYTES || step->kind == STEP_EXPECT_UNTIL)
		hex_dump(out, peer->in.text, peer->in.len, 256);
}

void
peer_fail(struct peer *peer, const char *what, const char *detail)
{
	struct textbuf out = { 0 };
	char text[3500];

	describe(peer, &out);
	textbuf_add(&out, ": %s\n%s", what, detail != NULL ? detail : "");
	snprintf(text, sizeof(text), "%s", out.text);
	textbuf_free(&out);
	ck_abort_msg("%s", text);
	abort(); /* not reached: tells the compiler */
}

void
peers_describe(struct loop *loop, struct textbuf *out)
{
	struct peer *peer;

	LIST_FOREACH (peer, &loop->peers, entry)
		if (!peer_is_done(peer))
			describe_open_step(peer, out);
}

void
peers_check(struct loop *loop, struct textbuf *problems)
{
	peers_describe(loop, problems);
}

static void
free_steps(struct peer *peer)
{
	for (size_t i = 0; i < peer->n; i++) {
		free(peer->steps[i].bytes);
		free(peer->steps[i].part);
		json_decref(peer->steps[i].json);
		if (peer->steps[i].fd >= 0)
			close(peer->steps[i].fd);
	}
	free(peer->steps);
}

void
peers_free(struct loop *loop)
{
	struct peer *peer;

	while ((peer = LIST_FIRST(&loop->peers)) != NULL) {
		LIST_REMOVE(peer, entry);
		peer_close_fd(peer);
		if (peer->accept_ev != NULL)
			event_free(peer->accept_ev);
		if (peer->listen_fd >= 0)
			close(peer->listen_fd);
		if (peer->path != NULL)
			unlink(peer->path);
		event_free(peer->kick_ev);
		clock_timer_cancel(&peer->timer);
		if (peer->last_fd >= 0)
			close(peer->last_fd);
		json_decref(peer->last_msg);
		free_steps(peer);
		textbuf_free(&peer->in);
		free(peer->path);
		free(peer->name);
		free(peer);
	}
}
