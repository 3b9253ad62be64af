/*
 * Mock peers: playing the script, step by step, as far as the socket allows.
 */
#include "config.h"

#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"
#include "tests/harness/peer_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DIFF_READ_MAX 256

/* Reads up to len more bytes into peer->in. >0: read; 0: closed; -EAGAIN: an event will go on. */
static ssize_t
take(struct peer *peer, size_t len)
{
	char bytes[16384];
	ssize_t n;

	do
		n = read(peer->fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		event_add(peer->read_ev, NULL);
		return -EAGAIN;
	}
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		peer_fail(peer, "read failed", strerror(errno));
	textbuf_add_bytes(&peer->in, bytes, (size_t)n);
	return n;
}

static void
fail_diff(struct peer *peer, const struct step *step, const char *what)
{
	struct textbuf out = { 0 };

	hex_diff(&out, step->bytes, step->len, peer->in.text, peer->in.len);
	peer_fail(peer, what, out.text);
}

static bool
play_expect(struct peer *peer, struct step *step)
{
	while (peer->in.len < step->len) {
		ssize_t n = take(peer, step->len - peer->in.len);

		if (n == -EAGAIN)
			return false;
		if (n == 0)
			fail_diff(peer, step, "closed before the whole had come");
		if (memcmp(peer->in.text, step->bytes, peer->in.len) != 0) {
			/* What else is there makes the diff easier to read. */
			take(peer, DIFF_READ_MAX);
			fail_diff(peer, step, "not what was expected");
		}
	}
	return true;
}

static bool
play_expect_bytes(struct peer *peer, struct step *step)
{
	while (peer->in.len < step->len) {
		ssize_t n = take(peer, step->len - peer->in.len);

		if (n == -EAGAIN)
			return false;
		if (n == 0)
			peer_fail(peer, "closed before the whole had come", NULL);
	}
	return true;
}

/* How many bytes of the end are already there: at least the rest is still to come. */
static size_t
matched(const struct peer *peer, const struct step *step)
{
	for (size_t k = step->len < peer->in.len ? step->len : peer->in.len; k > 0; k--)
		if (memcmp(peer->in.text + peer->in.len - k, step->bytes, k) == 0)
			return k;
	return 0;
}

static bool
play_expect_until(struct peer *peer, struct step *step)
{
	struct textbuf out = { 0 };
	size_t k;

	while ((k = matched(peer, step)) < step->len) {
		ssize_t n = take(peer, step->len - k);

		if (n == -EAGAIN)
			return false;
		if (n == 0) {
			hex_dump(&out, peer->in.text, peer->in.len, DIFF_READ_MAX);
			peer_fail(peer, "closed before the end had come", out.text);
		}
	}
	if (memmem(peer->in.text, peer->in.len, step->part, strlen(step->part)) == NULL) {
		hex_dump(&out, peer->in.text, peer->in.len, 2 * DIFF_READ_MAX);
		peer_fail(peer, "the text is not in it", out.text);
	}
	return true;
}

static bool
play_expect_close(struct peer *peer, struct step *step)
{
	struct textbuf out = { 0 };
	ssize_t n;

	if (peer->is_chan)
		return peer_expect_chan_close(peer, step);
	for (;;) {
		n = take(peer, DIFF_READ_MAX);
		if (n == -EAGAIN)
			return false;
		if (n == 0)
			return true;
		if (step->kind == STEP_EXPECT_CLOSE) {
			hex_dump(&out, peer->in.text, peer->in.len, DIFF_READ_MAX);
			peer_fail(peer, "bytes came instead", out.text);
		}
		peer->in.len = 0;
	}
}

static ssize_t
put(struct peer *peer, const uint8_t *bytes, size_t len)
{
	ssize_t n = send(peer->fd, bytes, len, MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(peer->fd, bytes, len);
	return n;
}

static bool
play_send(struct peer *peer, struct step *step)
{
	if (step->waiting && clock_timer_is_set(&peer->timer))
		return false;
	step->waiting = false;
	while (step->done < step->len) {
		size_t left = step->len - step->done;
		ssize_t n;

		if (step->piece_len > 0 && left > step->piece_len)
			left = step->piece_len;
		n = put(peer, step->bytes + step->done, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_add(peer->write_ev, NULL);
			return false;
		}
		if (n < 0)
			peer_fail(peer, "the other side does not take it", strerror(errno));
		step->done += (size_t)n;
		if (step->piece_len > 0 && step->done < step->len) {
			step->waiting = true;
			clock_timer_set_ms(&peer->timer, step->ms);
			return false;
		}
	}
	return true;
}

static bool
play_stall(struct peer *peer, struct step *step)
{
	if (step->ms == PEER_FOREVER)
		return false;
	if (!step->waiting) {
		step->waiting = true;
		clock_timer_set_ms(&peer->timer, step->ms);
	}
	return !clock_timer_is_set(&peer->timer);
}

static bool
play_step(struct peer *peer, struct step *step)
{
	const struct linger hard = { .l_onoff = 1 };

	switch (step->kind) {
	case STEP_EXPECT:
		return play_expect(peer, step);
	case STEP_EXPECT_BYTES:
		return play_expect_bytes(peer, step);
	case STEP_EXPECT_UNTIL:
		return play_expect_until(peer, step);
	case STEP_EXPECT_CLOSE:
	case STEP_DRAIN:
		return play_expect_close(peer, step);
	case STEP_SEND:
		return play_send(peer, step);
	case STEP_STALL:
		return play_stall(peer, step);
	case STEP_RESET:
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		peer_close_fd(peer);
		return true;
	case STEP_CLOSE:
		peer_close_fd(peer);
		return true;
	case STEP_SHUTDOWN:
		shutdown(peer->fd, SHUT_WR);
		return true;
	default:
		return peer_play_chan(peer, step);
	}
}

static bool
is_expectation(const struct step *step)
{
	return step->kind <= STEP_DRAIN || step->kind == STEP_EXPECT_MSG ||
	       step->kind == STEP_AWAIT_MSG;
}

void
peer_play(struct peer *peer)
{
	while (peer->at < peer->n) {
		struct step *step = &peer->steps[peer->at];

		if (step->kind == STEP_CALL) {
			/* It may add steps: the array may move. */
			peer->at++;
			step->fn(step->arg);
			continue;
		}
		if (peer->fd < 0 && peer->listen_fd >= 0)
			return;
		if (peer->fd < 0)
			peer_fail(peer, "the script has closed the socket before", NULL);
		/* Each expectation begins with nothing; until then peer_last() has the last. */
		if (is_expectation(step) && !step->is_begun) {
			step->is_begun = true;
			peer->in.len = 0;
			if (peer->in.text != NULL)
				peer->in.text[0] = '\0';
		}
		if (!play_step(peer, step))
			return;
		peer->at++;
	}
}
