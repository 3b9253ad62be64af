/*
 * What stands still is drawn once into a picture of our own; a frame takes back the places that
 * moved from there and draws them anew.
 */
#include "config.h"

#include "worker/av_draw.h"

#include "shared/clock.h"
#include "shared/xalloc.h"
#include "worker/av_font.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLOCK_CHARS     12 /* HH:MM:SS.mmm */
#define CLOCK_CHARS_MIN 8  /* where that does not fit */
#define CELL_WIDTH      (FONT_WIDTH + 1)
#define CELL_HEIGHT     (FONT_HEIGHT + 2)
#define NAME_MAX_CHARS  36

struct colour {
	uint8_t yuv[3];
};

struct rect {
	int x, y, width, height; /* even, all of them */
};

struct draw {
	int width, height;
	struct draw_picture still; /* the background */
	struct rect clock, box;    /* box: where it was drawn last; width 0: not yet */
	int scale, clock_chars;
	uint32_t noise;
};

/* BT.601, 75 % bars. */
static const struct colour bars[] = {
	{ { 180, 128, 128 } }, { { 162, 44, 142 } }, { { 131, 156, 44 } }, { { 112, 72, 58 } },
	{ { 84, 184, 198 } },  { { 65, 100, 212 } }, { { 35, 212, 114 } },
};
static const struct colour black = { { 16, 128, 128 } };
static const struct colour white = { { 235, 128, 128 } };

#define BARS ((int)(sizeof(bars) / sizeof(bars[0])))

static void
fill(const struct draw_picture *to, struct rect rect, struct colour colour)
{
	for (int p = 0; p < 3; p++) {
		int shift = p > 0 ? 1 : 0;

		for (int y = rect.y >> shift; y < (rect.y + rect.height) >> shift; y++)
			memset(to->plane[p] + (size_t)y * (size_t)to->stride[p] + (rect.x >> shift),
			       colour.yuv[p], (size_t)(rect.width >> shift));
	}
}

static void
copy(const struct draw_picture *to, const struct draw_picture *from, struct rect rect)
{
	for (int p = 0; p < 3; p++) {
		int shift = p > 0 ? 1 : 0;
		size_t x = (size_t)(rect.x >> shift);

		for (int y = rect.y >> shift; y < (rect.y + rect.height) >> shift; y++)
			memcpy(to->plane[p] + (size_t)y * (size_t)to->stride[p] + x,
			       from->plane[p] + (size_t)y * (size_t)from->stride[p] + x,
			       (size_t)(rect.width >> shift));
	}
}

/* Luma only: text is white or grey on a ground without colour. */
static void
draw_glyph(const struct draw_picture *to, int x, int y, int scale, char c)
{
	const uint8_t *rows = font_glyph(c);

	for (int row = 0; row < FONT_HEIGHT * scale; row++) {
		uint8_t *line = to->plane[0] + (size_t)(y + row) * (size_t)to->stride[0] + x;

		for (int column = 0; column < FONT_WIDTH; column++)
			if (rows[row / scale] & (0x10 >> column))
				memset(line + column * scale, white.yuv[0], (size_t)scale);
	}
}

static void
draw_text(const struct draw_picture *to, int x, int y, int scale, const char *text)
{
	for (; *text != '\0'; text++, x += CELL_WIDTH * scale)
		draw_glyph(to, x, y, scale, *text);
}

static int
even(int value)
{
	return value & ~1;
}

static struct rect
text_rect(const struct draw *draw, int chars, int scale, int y)
{
	struct rect rect = { .width = even(chars * CELL_WIDTH * scale + scale),
			     .height = even(CELL_HEIGHT * scale),
			     .y = even(y) };

	rect.x = even((draw->width - rect.width) / 2);
	return rect;
}

static void
draw_bars(struct draw *draw)
{
	int step = even(draw->width / BARS);

	for (int i = 0; i < BARS; i++) {
		struct rect bar = { i * step, 0, i == BARS - 1 ? draw->width - i * step : step,
				    draw->height };

		fill(&draw->still, bar, bars[i]);
	}
}

static void
draw_name(struct draw *draw, const char *name)
{
	int chars = (int)strnlen(name, NAME_MAX_CHARS);
	int scale = (draw->scale + 1) / 2;
	char text[NAME_MAX_CHARS + 1];
	struct rect rect;

	while (scale > 1 && (chars * CELL_WIDTH + 1) * scale > draw->width)
		scale--;
	while (chars > 0 && (chars * CELL_WIDTH + 1) * scale > draw->width)
		chars--;
	snprintf(text, sizeof(text), "%.*s", chars, name);
	rect = text_rect(draw, chars, scale, draw->height / 12);
	fill(&draw->still, rect, black);
	draw_text(&draw->still, rect.x + scale, rect.y + scale, scale, text);
}

static void
alloc_picture(struct draw_picture *picture, int width, int height)
{
	for (int p = 0; p < 3; p++) {
		picture->stride[p] = p > 0 ? width / 2 : width;
		picture->plane[p] =
		    xmalloc((size_t)picture->stride[p] * (size_t)(p > 0 ? height / 2 : height));
	}
}

struct draw *
draw_new(int width, int height, const char *name)
{
	struct draw *draw = xcalloc(1, sizeof(*draw));

	draw->width = width;
	draw->height = height;
	draw->noise = 0x9e3779b9u;
	draw->scale = width * 8 / 10 / (CLOCK_CHARS * CELL_WIDTH);
	if (draw->scale < 1)
		draw->scale = 1;
	while (draw->scale > 1 && CELL_HEIGHT * draw->scale > height / 3)
		draw->scale--;
	draw->clock_chars = width >= CLOCK_CHARS * CELL_WIDTH + 1 ? CLOCK_CHARS : CLOCK_CHARS_MIN;
	draw->clock = text_rect(draw, draw->clock_chars, draw->scale, height / 3);
	alloc_picture(&draw->still, width, height);
	draw_bars(draw);
	draw_name(draw, name);
	fill(&draw->still, draw->clock, black);
	return draw;
}

void
draw_free(struct draw **draw)
{
	if (*draw == NULL)
		return;
	for (int p = 0; p < 3; p++)
		free((*draw)->still.plane[p]);
	free(*draw);
	*draw = NULL;
}

void
draw_background(const struct draw *draw, const struct draw_picture *to)
{
	copy(to, &draw->still, (struct rect){ 0, 0, draw->width, draw->height });
}

/* Back and forth between 0 and max, `speed` points a frame. */
static int
bounce(uint64_t n, int speed, int max)
{
	int at;

	if (max <= 0)
		return 0;
	at = (int)(n * (uint64_t)speed % (uint64_t)(2 * max));
	return even(at < max ? at : 2 * max - at);
}

static uint32_t
next_noise(struct draw *draw)
{
	draw->noise ^= draw->noise << 13;
	draw->noise ^= draw->noise >> 17;
	draw->noise ^= draw->noise << 5;
	return draw->noise;
}

/* White, with a coarse grain that changes: an encoder has something to do, as with a real picture.
 */
static void
draw_box(struct draw *draw, const struct draw_picture *to)
{
	fill(to, draw->box, white);
	for (int y = 0; y < draw->box.height; y += 4)
		for (int x = 0; x + 4 <= draw->box.width; x += 4) {
			uint32_t noise = next_noise(draw);

			for (int row = y; row < y + 4 && row < draw->box.height; row++)
				memset(to->plane[0] +
					   (size_t)(draw->box.y + row) * (size_t)to->stride[0] +
					   draw->box.x + x,
				       96 + (int)(noise & 127), 4);
		}
}

static void
draw_clock(const struct draw *draw, const struct draw_picture *to, int64_t realtime_ns)
{
	time_t seconds = realtime_ns / NS_PER_S;
	char text[CLOCK_CHARS + 16];
	struct tm tm;

	localtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(realtime_ns % NS_PER_S / NS_PER_MS));
	text[draw->clock_chars] = '\0';
	fill(to, draw->clock, black);
	draw_text(to, draw->clock.x + draw->scale, draw->clock.y + draw->scale, draw->scale, text);
}

void
draw_frame(struct draw *draw, const struct draw_picture *to, uint64_t n, int64_t realtime_ns)
{
	int floor = draw->clock.y + draw->clock.height, size = even(draw->height / 6);
	int speed = draw->width / 160 + 2;

	if (draw->box.width > 0)
		copy(to, &draw->still, draw->box);
	draw->box = (struct rect){ bounce(n, speed, draw->width - size),
				   even(floor) +
				       bounce(n, speed / 2 + 1, draw->height - even(floor) - size),
				   size, size };
	draw_box(draw, to);
	draw_clock(draw, to, realtime_ns);
}
