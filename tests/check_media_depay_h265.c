/*
 * H.265 packets to access units. In the tables a picture begins with 020180, its second slice with
 * 020140; a key frame with 260180 and 260140; VPS 4001, SPS 4201, PPS 4401, delimiter 4601, SEI
 * 4e01 and 5001.
 */
#include "config.h"

#include "media/rtp_depay.h"
#include "tests/depay_rig.h"
#include "tests/media_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
	const char *what, *packets, *units;
};

static const struct replay formats[] = {
	{ "single NAL units", "0 4001aa; 0 4201bb; 0 4401cc; 0M 260180; 9M 020180",
	  "0:|4001aa|4201bb|4401cc|260180;9:|020180;" },
	{ "several slices", "0 260180; 0 260140; 0M 260120; 9M 020180",
	  "0:|260180|260140|260120;9:|020180;" },
	{ "aggregation", "0 600100034001aa00034201bb00034401cc; 0M 260180",
	  "0:|4001aa|4201bb|4401cc|260180;" },
	{ "aggregation with the picture", "0M 600100034001aa0004260180ee", "0:|4001aa|260180ee;" },
	{ "fragments", "0 6201938001; 0 62011302; 0M 62015303", "0:|260180010203;" },
	{ "all in one fragment", "0M 6201d38001", "0:|26018001;" },
	{ "the header keeps the temporal id", "0 6202818001; 0M 62024102", "0:|0202800102;" },
	{ "key frame in fragments behind its sets",
	  "0 4001; 0 4201; 0 4401; 0 62019380; 0M 620153ff", "0:|4001|4201|4401|260180ff;" },
	{ "delimiter and SEI stay", "0 4601; 0 4e01; 0 020180; 0M 5001aa; 1M 020180",
	  "0:|4601|4e01|020180|5001aa;1:|020180;" },
	{ "what stands behind slices, behind a marker",
	  "0M 020180; 0 5001aa; 0 4801; 0M 4a01; 1M 020180", "0:|020180;1:|020180;" },
	{ "end of sequence", "0 020180; 0M 4801; 1M 260180", "0:|020180|4801;1:|260180;" },
	{ "filler is dropped", "0 020180; 0 4c01ff; 0 6201a6ff; 0 620166ff; 0M 020140",
	  "0:|020180|020140;" },
	{ "all types of slices",
	  "0M 000180; 1M 040180; 2M 060180; 3M 080180; 4M 0a0180; 5M 0c0180; 6M 0e0180; 7M 100180;"
	  "8M 120180; 9M 200180; 10M 220180; 11M 240180; 12M 280180; 13M 2a0180",
	  "0:|000180;1:|040180;2:|060180;3:|080180;4:|0a0180;5:|0c0180;6:|0e0180;7:|100180;"
	  "8:|120180;9:|200180;10:|220180;11:|240180;12:|280180;13:|2a0180;" },
	{ "other layers end nothing",
	  "0M 260180; 1 020180; 1 020980; 1M 030180; 1 420901; 2M 020180",
	  "0:|260180;1:|020180|020980|030180;2:|420901|020180;" },
	{ "other layers in fragments", "0M 260180; 1 020180; 1M 6301c18001; 2M 020180",
	  "0:|260180;1:|020180|03018001;2:|020180;" },
	{ "slices of other layers alone", "0M 020980; 1M 020180", "1:|020180;" },
};

static const struct replay ends[] = {
	{ "no marker ever", "0 260180; 9 020180; 18 020180", "0t:|260180;9t:|020180;" },
	{ "a marker on each slice",
	  "0M 260180; 0M 260140; 9M 020180; 9M 020140; 18M 020180; 18M 020140; 27M 020180",
	  "0:|260180;0!t:|260140;9t:|020180|020140;18t:|020180|020140;" },
	{ "a marker on each packet",
	  "0M 62019380; 0M 62015301; 9M 62018180; 9M 62014102; 18M 020180",
	  "0:|260180;9+t:|02018002;" },
	{ "markers on parameter sets", "0M 4001; 0M 4201; 0M 4401; 0M 260180",
	  "0:|4001|4201|4401|260180;" },
	{ "sets with the time of the picture before",
	  "0M 020180; 0 4001; 0 4201; 0 4401; 9M 260180; 18M 020180",
	  "0:|020180;9:|4001|4201|4401|260180;18:|020180;" },
	{ "times repeat, markers", "0M 260180; 0M 020180; 0M 0201c0",
	  "0:|260180;0:|020180;0:|0201c0;" },
	{ "times repeat, one marker is missing", "0M 260180; 9 020180; 9M 0201c0",
	  "0:|260180;9t:|020180;9:|0201c0;" },
	{ "times repeat, no marker", "0 260180; 0 4e01; 0 020180; 0 020140; 9 020180",
	  "0t:|260180;0t:|4e01|020180|020140;" },
};

static const struct replay losses[] = {
	{ "whole units", "0M 260180; -3 9M 020180; 18M 020180",
	  "0:|260180;9+:|020180;18:|020180;" },
	{ "the first slice", "0M 260180; -1 9M 020140; 18M 020180",
	  "0:|260180;9!+:|020140;18:|020180;" },
	{ "the last slice", "0M 260180; 9 020180; -1 18M 020180",
	  "0:|260180;9!t:|020180;18+:|020180;" },
	{ "the first fragment", "0M 260180; -1 9 62010101; 9M 62014102; 18M 020180",
	  "0:|260180;18+:|020180;" },
	{ "a fragment in the middle", "0 6201938001; -1 0 62011303; 0M 62015304; 9M 020180",
	  "0!:|26018001;9:|020180;" },
	{ "the last fragment", "0 6201938001; -1 9M 020180", "0!t:|26018001;9+:|020180;" },
	{ "half a parameter set", "0 4001; 0 6201a1ce; -1 0 620161bb; 0M 260180",
	  "0!:|4001|260180;" },
};

static const struct replay faults[] = {
	{ "a start code before", "0M 00000001260180; 9M 000001020180", "0:|260180;9:|020180;" },
	{ "several units in one payload", "0M 40010000000142010000014401000000000126018077",
	  "0:|4001|4201|4401|26018077;" },
	{ "fragments of a buffer with its start code", "0 62008000012601800a; 0M 6200400b",
	  "0:|2601800a0b;" },
	{ "with a short start code", "0 620080012601800a; 0M 6200400b", "0:|2601800a0b;" },
	{ "with the right type", "0 620193000000012601800a; 0M 6201530b", "0:|2601800a0b;" },
	{ "sets and key frame in fragments of the set",
	  "0 6201a0aa000000014201bb00000001260180; 0 62012011; 0M 62016022; 9M 020180",
	  "0:|4001aa|4201bb|2601801122;9:|020180;" },
	{ "temporal id 0, reserved and unknown types",
	  "0 020080; 0 140180; 0 2c0180; 0 3e0180; 0 5201; 0 7e01; 0 6601; 0M 020180",
	  "0:|020180;" },
	{ "too short", "0 02; 0 0201; 0 6001; 0M 020180", "0:|020180;" },
	{ "aggregation that is cut off", "0 60010003020180000502; 0M 020140; 9M 020180",
	  "0!:|020180|020140;9:|020180;" },
	{ "units of length 0", "0M 6001000000030201800000", "0:|020180;" },
	{ "packet types in an aggregation", "0M 600100036201930003020180", "0:|020180;" },
	{ "the sender says it is broken", "0M 260180; 9 020180; 9M 820140; 18M 020180",
	  "0:|260180;9!:|020180;18:|020180;" },
	{ "a broken set", "0 c001; 0M 020180", "0:|020180;" },
	{ "PACI is passed over", "0M 260180; 9 020180; 9M 640102000000; 18M 020180",
	  "0:|260180;9!:|020180;18:|020180;" },
	{ "half a fragment header", "0M 260180; 9 020180; 9M 6201; 18M 020180",
	  "0:|260180;9!:|020180;18:|020180;" },
	{ "fragments interrupted", "0M 260180; 9 6201818001; 9 4e01; 9M 62014102; 18M 020180",
	  "0:|260180;9!:|02018001|4e01;18:|020180;" },
};

static const struct {
	const struct replay *replays;
	size_t n;
} tables[] = {
	{ formats, sizeof(formats) / sizeof(formats[0]) },
	{ ends, sizeof(ends) / sizeof(ends[0]) },
	{ losses, sizeof(losses) / sizeof(losses[0]) },
	{ faults, sizeof(faults) / sizeof(faults[0]) },
};

START_TEST(each_replay_gives_its_units)
{
	size_t i;

	for (i = 0; i < tables[_i].n; i++) {
		const struct replay *replay = &tables[_i].replays[i];

		depay_rig_expect(RTP_CODEC_H265, replay->what, replay->packets, replay->units);
	}
}
END_TEST

START_TEST(packets_are_cut_at_every_byte)
{
	size_t i;

	for (i = 0; i < tables[_i].n; i++)
		depay_rig_cut(RTP_CODEC_H265, tables[_i].replays[i].packets);
}
END_TEST

/* Decoding order numbers (ddNN below) where the description says so: passed over. */
static const struct replay orders[] = {
	{ "single", "0 4001dd00aa; 0 4201dd01bb; 0M 2601dd0280; 9M 0201dd0380; 18M 0201dd0440",
	  "0:|4001aa|4201bb|260180;9:|020180;18:|020140;" },
	{ "aggregation", "0M 6001dd0000034001aadd00034201bbdd0004260180ee",
	  "0:|4001aa|4201bb|260180ee;" },
	{ "fragments", "0 620193dd008001; 0 62011302; 0M 62015303", "0:|260180010203;" },
	{ "all in one fragment", "0M 6201d3dd008001", "0:|26018001;" },
	{ "too short", "0 0201dd; 0 6001dd; 0 6001dd0000; 0 6201d3dd; 0M 0201dd00; 9M 0201dd0080",
	  "9+:|020180;" },
};

START_TEST(decoding_order_numbers_are_passed_over)
{
	struct rtp_format format = { .codec = RTP_CODEC_H265,
				     .clock_rate = 90000,
				     .has_donl = true };
	const char *got;
	struct depay_rig rig;

	depay_rig_init(&rig, &format, false);
	depay_rig_play(&rig, orders[_i].packets);
	got = depay_rig_units(&rig);
	ck_assert_msg(strcmp(got, orders[_i].units) == 0, "%s: got %s, want %s", orders[_i].what,
		      got, orders[_i].units);
	depay_rig_free(&rig);
}
END_TEST

START_TEST(parameter_sets_are_shown_and_replaced)
{
	static const char packets[] = "0 4001aa; 0 60010003420"
				      "1bb; 0 6201a2cc; 0 620162dd; 0 4209ee; 0 4601; 0M 260180";
	struct rtp_format format = { .codec = RTP_CODEC_H265, .clock_rate = 90000 };
	struct depay_rig rig;

	depay_rig_init(&rig, &format, true);
	depay_rig_play(&rig, packets);
	ck_assert_str_eq(rig.sets, "|4001aa|4201bb|4401ccdd");
	ck_assert_str_eq(depay_rig_units(&rig),
			 "0:|4001aaff|4201bbff|4401ccddff|4209ee|4601|260180;");
	depay_rig_free(&rig);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, each_replay_gives_its_units, 0, 4);
	tcase_add_loop_test(tcase, packets_are_cut_at_every_byte, 0, 4);
	tcase_add_loop_test(tcase, decoding_order_numbers_are_passed_over, 0,
			    sizeof(orders) / sizeof(orders[0]));
	tcase_add_test(tcase, parameter_sets_are_shown_and_replaced);
}

int
main(void)
{
	return data_run("media depay h265", add);
}
