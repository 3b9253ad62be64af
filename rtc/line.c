/*
 * Stamps.
 */
#include "config.h"

#include "rtc/line.h"

#include "http/stream.h"
#include "shared/xalloc.h"

#include <openssl/rand.h>

#define TICKS_PER_S 90000
#define STEP        RTC_LINE_MARKS /* between pictures of a burst: 0.7 ms */

static uint32_t
random_offset(void)
{
	uint32_t offset;

	if (RAND_bytes((unsigned char *)&offset, sizeof(offset)) != 1)
		xalloc_die();
	return offset;
}

/* So that the newest picture lies where it would have, had its stream been shown all the time. */
static void
tie(struct rtc_line *line, uint32_t newest, uint32_t pictures, int64_t now_ns)
{
	uint32_t passed;

	if (line->last_ns == 0) {
		line->offset = random_offset();
		line->last = newest + line->offset - pictures * STEP - 1;
	} else {
		passed = (uint32_t)((now_ns - line->last_ns) / 1000 * TICKS_PER_S / 1000000);
		line->offset = line->last + passed + pictures - newest;
	}
	line->is_tied = true;
}

void
rtc_line_untie(struct rtc_session *session)
{
	session->line.is_tied = false;
}

void
rtc_line_join(struct rtc_session *session)
{
	const struct cursor *cursor = &session->cursor;
	struct hub *hub = cursor->stream->hub;
	const struct hub_entry *newest = hub_at(hub, cursor->burst_end - 1);
	uint32_t n = (uint32_t)(cursor->burst_end - cursor->pos), end;
	struct rtc_line *line = &session->line;
	uint32_t ticks = (uint32_t)newest->stamp.decode_time;

	if (!line->is_tied)
		tie(line, ticks, n, clock_now_ns(session->rtc->front->clock));
	end = ticks + line->offset;
	line->burst_pos = cursor->pos;
	/* Or there is no room, because its newest picture was sent before: all find a place behind
	 * that, most often before the next one's. */
	line->burst_first = (int32_t)(end - line->last) > (int32_t)(n * STEP) ? end - (n - 1) * STEP
									      : line->last + STEP;
}

static uint32_t
mark_of(const struct frame *frame)
{
	int64_t ms = frame->arrived_realtime_ns / NS_PER_MS;

	return ms > 0 ? 1 + (uint32_t)(ms / RTC_LINE_MARK_MS % (RTC_LINE_MARKS - 1)) : 0;
}

/* The last one before stamp that ends in mark; without a mark, when that was before. */
static uint32_t
put_mark(const struct rtc_line *line, uint32_t stamp, uint32_t mark)
{
	uint32_t last = line->last_ns != 0 ? line->last : stamp - RTC_LINE_MARKS;
	uint32_t marked = stamp - (stamp - mark) % RTC_LINE_MARKS;

	if ((int32_t)(marked - last) > 0)
		return marked;
	return last - last % RTC_LINE_MARKS + RTC_LINE_MARKS;
}

/* As the picture that goes by at this moment has it. */
static void
note(struct rtc_session *session, const struct hub_entry *entry, uint32_t stamp)
{
	struct rtc_line *line = &session->line;

	line->last = stamp;
	line->last_ns = clock_now_ns(session->rtc->front->clock);
	line->newest_ticks = entry->stamp.decode_time;
	line->arrived_ns = entry->msg->frame.arrived_realtime_ns;
}

uint32_t
rtc_line_stamp(struct rtc_session *session, const struct hub_entry *entry, uint64_t pos)
{
	struct rtc_line *line = &session->line;
	uint32_t stamp = (uint32_t)entry->stamp.decode_time + line->offset;
	uint32_t mark = mark_of(&entry->msg->frame);

	if (pos < session->cursor.burst_end && pos >= line->burst_pos) {
		stamp = line->burst_first + (uint32_t)(pos - line->burst_pos) * STEP;
		if (pos + 1 < session->cursor.burst_end)
			mark = 0;
	}
	stamp = put_mark(line, stamp, mark);
	note(session, entry, stamp);
	return stamp;
}

void
rtc_line_pass(struct rtc_session *session, const struct hub_entry *entry)
{
	note(session, entry, (uint32_t)entry->stamp.decode_time + session->line.offset);
}

bool
rtc_line_at(const struct rtc_session *session, int64_t realtime_ns, uint32_t *timestamp)
{
	const struct rtc_line *line = &session->line;
	int64_t passed = realtime_ns - line->arrived_ns;

	if (line->last_ns == 0 || line->arrived_ns == 0)
		return false;
	*timestamp = line->last + (uint32_t)(passed / 1000 * 9 / 100);
	return true;
}
