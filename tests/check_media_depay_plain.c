/*
 * Sound that needs no more than its length: a packet is a unit.
 */
#include "config.h"

#include "tests/media_data.h"
#include "tests/rtp_units.h"

#define LIMIT (1u << 20)

static uint8_t samples[4096]; /* anything */

static void
fill_samples(void)
{
	for (size_t i = 0; i < sizeof(samples); i++)
		samples[i] = (uint8_t)(i * 7 % 127);
}

static const struct {
	struct rtp_format format;
	size_t len, want_len;
	uint32_t duration;
} plain[] = {
	{ { .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 }, 160, 160, 160 },
	{ { .codec = RTP_CODEC_PCMA, .clock_rate = 16000, .channels = 1 }, 320, 320, 320 },
	{ { .codec = RTP_CODEC_PCMA, .clock_rate = 8000, .channels = 2 }, 320, 320, 160 },
	{ { .codec = RTP_CODEC_PCMA, .clock_rate = 8000, .channels = 0 }, 320, 320, 320 },
	{ { .codec = RTP_CODEC_G726, .clock_rate = 8000, .channels = 1, .bits_per_sample = 2 },
	  40,
	  40,
	  160 },
	{ { .codec = RTP_CODEC_G726, .clock_rate = 8000, .channels = 1, .bits_per_sample = 3 },
	  60,
	  60,
	  160 },
	{ { .codec = RTP_CODEC_G726, .clock_rate = 8000, .channels = 1, .bits_per_sample = 4 },
	  80,
	  80,
	  160 },
	{ { .codec = RTP_CODEC_G726, .clock_rate = 8000, .channels = 1, .bits_per_sample = 5 },
	  100,
	  100,
	  160 },
	{ { .codec = RTP_CODEC_L16, .clock_rate = 44100, .channels = 2 }, 400, 400, 100 },
	{ { .codec = RTP_CODEC_L16, .clock_rate = 16000, .channels = 1 }, 401, 400, 200 },
	{ { .codec = RTP_CODEC_L16, .clock_rate = 44100, .channels = 2 }, 3, 0, 0 },
	{ { .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 }, 0, 0, 0 },
	{ { .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 }, 4096, 4096, 4096 },
};

START_TEST(a_packet_is_a_unit)
{
	struct units *units = units_new(&plain[_i].format, LIMIT);

	fill_samples();
	units->lost = 3;
	units_push(units, 77, false, samples, plain[_i].len);
	ck_assert_uint_eq(units->n, plain[_i].want_len > 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, plain[_i].want_len == 0);
	if (units->n > 0) {
		units_expect(units, 0, samples, plain[_i].want_len);
		ck_assert_uint_eq(units->list[0].unit.timestamp, 77);
		ck_assert_uint_eq(units->list[0].unit.duration, plain[_i].duration);
		ck_assert_int_eq(units->list[0].unit.arrived_ns, 1000);
		ck_assert(units->list[0].unit.is_after_loss);
	}
	units_free(units);
}
END_TEST

/* RFC 6716 table 2: configuration, code and count to samples at 48 kHz. */
static const struct {
	uint8_t bytes[2];
	size_t len;
	uint32_t clock_rate, duration;
} opus[] = {
	{ { 0 << 3 | 0 }, 1, 48000, 480 },      /* SILK 10 ms */
	{ { 1 << 3 | 0 }, 1, 48000, 960 },      /* 20 */
	{ { 7 << 3 | 0 }, 1, 48000, 2880 },     /* 60 */
	{ { 10 << 3 | 1 }, 1, 48000, 3840 },    /* two of 40 */
	{ { 12 << 3 | 0 }, 1, 48000, 480 },     /* hybrid 10 */
	{ { 15 << 3 | 2 }, 1, 48000, 1920 },    /* two of 20 */
	{ { 16 << 3 | 0 }, 1, 48000, 120 },     /* CELT 2.5 */
	{ { 31 << 3 | 0 }, 1, 48000, 960 },     /* 20 */
	{ { 31 << 3 | 3, 3 }, 2, 48000, 2880 }, /* three of 20 */
	{ { 31 << 3 | 3, 0xc6 }, 2, 48000, 5760 },
	{ { 31 << 3 | 3, 7 }, 2, 48000, 0 }, /* 140 ms are not allowed */
	{ { 31 << 3 | 3 }, 1, 48000, 0 },    /* the count is missing */
	{ { 31 << 3 | 0 }, 1, 16000, 320 },  /* a clock that RFC 7587 does not have */
};

START_TEST(how_long_opus_lasts)
{
	struct rtp_format format = { .codec = RTP_CODEC_OPUS,
				     .clock_rate = opus[_i].clock_rate,
				     .channels = 2 };
	struct units *units = units_new(&format, LIMIT);

	units_push(units, 0, true, opus[_i].bytes, opus[_i].len);
	units_expect(units, 0, opus[_i].bytes, opus[_i].len);
	ck_assert_uint_eq(units->list[0].unit.duration, opus[_i].duration);
	units_free(units);
}
END_TEST

#define N_OF(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_packet_is_a_unit, 0, N_OF(plain));
	tcase_add_loop_test(tcase, how_long_opus_lasts, 0, N_OF(opus));
}

int
main(void)
{
	return data_run("media depay plain", add);
}
