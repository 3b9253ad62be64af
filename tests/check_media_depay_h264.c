/*
 * H.264 packets to access units. In the tables a P picture begins with 419a, its second slice with
 * 4140; a key frame with 6588 and 6540; SPS 6742, PPS 68ce, SEI 0605, delimiter 09f0.
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
	{ "single NAL units", "0 6742; 0 68ce; 0M 6588; 3600M 419a",
	  "0:|6742|68ce|6588;3600:|419a;" },
	{ "several slices", "0 6588; 0 6540; 0M 6520; 3600 419a; 3600M 4140",
	  "0:|6588|6540|6520;3600:|419a|4140;" },
	{ "STAP-A with the picture", "0M 780002674200036588ee", "0:|6742|6588ee;" },
	{ "STAP-A before the picture", "0 7800026742000268ce; 0M 6588", "0:|6742|68ce|6588;" },
	{ "FU-A in three", "0 7c85881122; 0 7c053344; 0M 7c4555",
	  "0:|658811223344"
	  "55;" },
	{ "FU-A in one", "0M 7cc58811", "0:|658811;" },
	{ "FU-A takes NRI from the indicator", "0 1c819a; 0M 1c4101", "0:|019a01;" },
	{ "FU-A with an empty fragment", "0 7c8588; 0 7c05; 0M 7c4501", "0:|658801;" },
	{ "key frame in fragments behind its sets",
	  "9 6742; 9 68ce; 9 7c858801; 9M 7c4502; 10M 419a", "9:|6742|68ce|65880102;10:|419a;" },
	{ "delimiter and SEI stay", "0 09f0; 0 0605; 0M 419a", "0:|09f0|0605|419a;" },
	{ "filler is dropped", "0 419a; 0 0cffff; 0M 4140; 5 0cff; 5M 419a",
	  "0:|419a|4140;5:|419a;" },
	{ "filler in fragments", "0 419a; 0 7c8cff; 0 7c4cff; 0M 4140", "0:|419a|4140;" },
	{ "end of sequence behind slices only", "0 0a; 0 419a; 0M 0a; 5M 0b; 6M 419a",
	  "0:|419a|0a;6:|419a;" },
	{ "data partitions", "0 429a; 0 4340; 0M 4480; 5M 429a", "0:|429a|4340|4480;5:|429a;" },
	{ "prefix and layers stay", "0 6e01; 0 419a; 0 6e01; 0 4140; 0M 7401; 5 7401; 5M 419a",
	  "0:|6e01|419a|6e01|4140|7401;5:|419a;" },
	{ "the timestamp wraps", "4294967295M 419a; 0M 419a; 1 419a", "4294967295:|419a;0:|419a;" },
};

static const struct replay ends[] = {
	{ "no marker ever", "0 6588; 10 419a; 20 419a; 30 419a", "0t:|6588;10t:|419a;20t:|419a;" },
	{ "a marker on each slice", "0M 6588; 0M 6540; 10M 419a; 10M 4140; 10M 4120; 20M 419a",
	  "0:|6588;0!t:|6540;10t:|419a|4140|4120;" },
	{ "a marker on each packet",
	  "0M 7c8588; 0M 7c0501; 0M 7c4502; 10M 7c819a; 10M 7c4102; 20M 419a",
	  "0:|6588;10+t:|619a02;" },
	{ "a marker on each packet, SEI in fragments too",
	  "0M 7c8605; 0M 7c0606; 0M 7c4607; 0M 6588; 1M 419a", "0:|66050607|6588;1:|419a;" },
	{ "sets and key frame in fragments without end", "0 7c87420000016588; 0M 7c07aa; 1M 419a",
	  "0t:|6742|6588aa;1:|419a;" },
	{ "one marker is missing", "0M 6588; 10 419a; 20M 419b", "0:|6588;10t:|419a;20:|419b;" },
	{ "the marker stands on an empty packet", "0 6588; 0M ; 10M 419a", "0:|6588;10:|419a;" },
	{ "an empty packet has a time of its own", "0M 6588; 10 419a; 99 ; 10M 4140; 55; 20M 419a",
	  "0:|6588;10:|419a|4140;20:|419a;" },
	{ "markers on parameter sets", "0M 6742; 0M 68ce; 0M 0605; 0M 6588; 9M 419a",
	  "0:|6742|68ce|0605|6588;9:|419a;" },
	{ "sets with the time of the picture before", "0M 419a; 0 6742; 0 68ce; 10M 6588; 20M 419a",
	  "0:|419a;10:|6742|68ce|6588;20:|419a;" },
	{ "the same with markers", "0M 419a; 0M 6742; 0M 68ce; 10M 6588",
	  "0:|419a;10:|6742|68ce|6588;" },
	{ "the same, no marker ever", "0 419a; 10 419a; 10 6742; 10 68ce; 20 6588; 30 419a",
	  "0t:|419a;10t:|419a;20t:|6742|68ce|6588;" },
	{ "sets with times of their own", "5 6742; 6 68ce; 10M 6588; 11 0605; 12M 419a",
	  "10:|6742|68ce|6588;12:|0605|419a;" },
	{ "a set with a time of its own, several slices", "5 6742; 10 6588; 10M 6540; 20M 419a",
	  "10:|6742|6588|6540;20:|419a;" },
	{ "times repeat, markers", "0M 6588; 0M 419a; 0M 419b; 0 419c; 0M 4140",
	  "0:|6588;0:|419a;0:|419b;0:|419c|4140;" },
	{ "times repeat, no marker", "0 6588; 0 419a; 0 419b; 0 4140; 5 419c",
	  "0t:|6588;0t:|419a;0t:|419b|4140;" },
	{ "times repeat, a delimiter says so",
	  "0 09f0; 0 6588; 0 09f0; 0 419a; 0 0605; 0 419b; 7 419c",
	  "0t:|09f0|6588;0t:|09f0|419a;0t:|0605|419b;" },
	{ "two fields are one unit", "0M 6588; 10 419a; 10M 419b; 20M 419a",
	  "0:|6588;10:|419a|419b;20:|419a;" },
	{ "three pictures are not", "0M 6588; 10 419a; 10 419b; 10M 419c",
	  "0:|6588;10t:|419a|419b;10:|419c;" },
	{ "SEI between slices", "0M 6588; 10 419a; 10 0605; 10M 4140",
	  "0:|6588;10:|419a|0605|4140;" },
	{ "the end is told once", "0M 6588; 0M ; 0M 0c; 0M 1e; 10M 419a", "0:|6588;10:|419a;" },
	{ "at the end of the stream: whole", "0 6588; 10 419a; !; 20 419a; !",
	  "0t:|6588;10t:|419a;20t:|419a;" },
	{ "at the end of the stream: the marker is missing", "0M 6588; 10 419a; !; 20M 419a",
	  "0:|6588;20+:|419a;" },
	{ "at the end of the stream: in fragments", "0 6588; 10 7c819a; !; 20 419a; !",
	  "0t:|6588;20+t:|419a;" },
	{ "at the end of the stream: damaged", "0 6588; 1 419a; -1 2 419a; -1 2 4140; !",
	  "0t:|6588;1!t:|419a;" },
	{ "behind the end of the stream: the rest", "0M 6588; 10 419a; !; 10M 4140; 11M 419a",
	  "0:|6588;10!+:|4140;11:|419a;" },
	{ "at the end of the stream: only sets", "0 6742; !; 20M 6588", "20+:|6588;" },
	{ "at the end of the stream: nothing", "!; 0M 6588; !; 20M 419a", "0:|6588;20:|419a;" },
};

static const struct replay losses[] = {
	{ "whole units", "0M 6588; -3 10M 419a; 20M 419a", "0:|6588;10+:|419a;20:|419a;" },
	{ "the sender began anew", "0M 6588; -? 77 6742; 77M 6588", "0:|6588;77+:|6742|6588;" },
	{ "the same with the time of before", "5M 6588; -? 5M 6540; 6M 419a",
	  "5:|6588;5!+:|6540;6:|419a;" },
	{ "the first slice", "0M 6588; -1 10M 4140; 20M 419a", "0:|6588;10!+:|4140;20:|419a;" },
	{ "a loss counts once", "0M 419a; -1 1M 419a; 2M 4140", "0:|419a;1+:|419a;2:|4140;" },
	{ "the end of a picture, another of that time", "0M 6588; -1 10 7c0101; 10M 419a; 20M 419a",
	  "0:|6588;10+:|419a;20:|419a;" },
	{ "a slice in the middle", "0 6588; -1 0M 6520; 10M 419a", "0!:|6588|6520;10:|419a;" },
	{ "the last slice", "0M 6588; 10 419a; -1 20M 419a", "0:|6588;10!t:|419a;20+:|419a;" },
	{ "the last slice and the first", "0M 6588; 10 419a; -9 20 4140; 20M 4120; 30M 419a",
	  "0:|6588;10!t:|419a;20!+:|4140|4120;30:|419a;" },
	{ "the first fragment", "0M 6588; -1 10 7c0101; 10M 7c4102; 20M 419a",
	  "0:|6588;20+:|419a;" },
	{ "the first fragment, other slices",
	  "0M 6588; -1 10 7c0101; 10 7c4102; 10M 4140; 20M 419a", "0:|6588;10!+:|4140;20:|419a;" },
	{ "a fragment in the middle", "0 7c858801; -1 0 7c0503; 0M 7c4504; 10M 419a",
	  "0!:|658801;10:|419a;" },
	{ "a fragment, more slices", "0 7c858801; -1 0 7c0503; 0 7c4504; 0M 6520; 10M 419a",
	  "0!:|658801|6520;10:|419a;" },
	{ "the last fragment", "0 7c858801; -1 10M 419a", "0!t:|658801;10+:|419a;" },
	{ "from fragment to fragment", "0 7c858801; -5 10 7c0102; 10M 7c4103; 20M 419a",
	  "0!t:|658801;20+:|419a;" },
	{ "a parameter set", "0 6742; -1 0M 6588", "0!:|6742|6588;" },
	{ "all parameter sets", "0M 419a; -2 10M 6588", "0:|419a;10+:|6588;" },
	{ "between sets and picture of another time", "0 6742; -1 10M 6588; 20M 419a",
	  "10+:|6588;20:|419a;" },
	{ "the same, and its first slice", "0 6742; -1 10M 6540", "10!+:|6540;" },
	{ "half a parameter set", "0 6742; 0 7c88ce; -1 0 7c48bb; 0M 6588", "0!:|6742|6588;" },
	{ "half a parameter set, then the picture", "0 7c87ce; -1 0M 6588", "0!:|6588;" },
	{ "the end of a set", "0M 419a; -1 10 7c47bb; 10M 6588", "0:|419a;10+:|6588;" },
	{ "in an empty packet", "0 6588; -1 0M ; 10M 419a", "0!:|6588;10:|419a;" },
	{ "after the sets, the rest too", "0M 419a; 5 6742; -1 5 7c0501; 5M 7c4502; 6M 419a",
	  "0:|419a;6+:|419a;" },
	{ "no marker ever", "0 6588; 10 419a; 20 419a; -1 30 419a; 40 419a",
	  "0t:|6588;10t:|419a;20!t:|419a;30+t:|419a;" },
	{ "marker on each slice",
	  "0M 6588; 0M 6540; 10M 419a; -1 10M 4120; 20M 419a; -1 30M 419b; 40M 419c",
	  "0:|6588;0!t:|6540;10!t:|419a|4120;20!t:|419a;30+t:|419b;" },
	{ "a lost packet does not make markers lie", "0M 6588; -1 0M 6540; 10M 419a",
	  "0:|6588;0!+:|6540;10:|419a;" },
	{ "the stream begins in a picture", "0M 4140; 10M 419a", "0!:|4140;10:|419a;" },
	{ "the stream begins in fragments", "0 7c0501; 0M 7c4502; 10M 419a", "10+:|419a;" },
};

static const struct replay faults[] = {
	{ "a start code before", "0M 000000016588; 10M 0000000001419a", "0:|6588;10:|419a;" },
	{ "a short one", "0M 0000016588", "0:|6588;" },
	{ "several units in one payload", "0M 00000001674200000168ce000000016588aa",
	  "0:|6742|68ce|6588aa;" },
	{ "the same without the first start code", "0M 674200000168ce00000000016588aa",
	  "0:|6742|68ce|6588aa;" },
	{ "delimiter and slices", "0M 09f000000001419a000000014140; 10M 419a",
	  "0:|09f0|419a|4140;10:|419a;" },
	{ "slices one behind the other stay as they are", "0M 6588000000016540; 10M 419a",
	  "0:|6588|6540;10:|419a;" },
	{ "in STAP-A", "0M 78000600000001674200036588ee", "0:|6742|6588ee;" },
	{ "fragments of a buffer with its start code", "0 1c80000001658801; 0M 1c4002",
	  "0:|65880102;" },
	{ "with a short start code", "0 1c800001658801; 0M 1c4002", "0:|65880102;" },
	{ "with the right type", "0 7c8500000001658801; 0M 7c4502", "0:|65880102;" },
	{ "sets and key frame in fragments of the set",
	  "0 7c87420000000168ce000000016588; 0 7c07aa; 0M 7c47bb; 10M 419a",
	  "0:|6742|68ce|6588aabb;10:|419a;" },
	{ "nothing but a start code", "0 00000001; 0 000001; 0M 419a", "0:|419a;" },
	{ "fragments of nothing but a start code", "0 1c80000001; 0M 1c4002; 10M 419a",
	  "10:|419a;" },
	{ "zero bytes", "0 00; 0 0000; 0 000000; 0M 419a", "0:|419a;" },
	{ "types that nobody knows", "0 1001; 0 1601; 0 1e01; 0 1f02; 0M 419a", "0:|419a;" },
	{ "in fragments", "0 7c9e01; 0 7c1e02; 0 7c5e03; 0 7c1f01; 0M 419a", "0:|419a;" },
	{ "a packet type in STAP-A", "0M 78000278010002419a", "0:|419a;" },
	{ "slices without a byte", "0 41; 0 65; 0M 419a", "0:|419a;" },
	{ "a unit of length 0", "0M 7800000002419a0000", "0:|419a;" },
	{ "STAP-A with nothing in it", "0 78; 0M 419a", "0:|419a;" },
	{ "STAP-A that is cut off", "0 09f0; 0 780002419a000541; 0M 4140; 10M 419a",
	  "0!:|09f0|419a|4140;10:|419a;" },
	{ "half a length", "0M 780002419a00; 10M 419a", "0!:|419a;10:|419a;" },
	{ "the sender says it is broken", "0M 6588; 10 419a; 10M c140; 20M 419a",
	  "0:|6588;10!:|419a;20:|419a;" },
	{ "broken and the only one", "0M 6588; 10M c19a; 20M 419a", "0:|6588;20+:|419a;" },
	{ "a broken set", "0M 6588; 10 e742; 10 6742; 10M 6588; 20M 419a",
	  "0:|6588;10:|6742|6588;20:|419a;" },
	{ "broken in fragments", "0M 6588; 10 fc819a; 10 fc0101; 10M fc4102; 20M 419a",
	  "0:|6588;20+:|419a;" },
	{ "fragments without end",
	  "0 7c858801; 0M 6540; 10 7c819a; 10M 7c0101; 20 7c819a; 30M 419a",
	  "0:|658801|6540;10:|619a01;20t:|619a;30:|419a;" },
	{ "fragments that begin twice", "0 7c8588; 0 7c8540; 0M 7c4501", "0:|6588|654001;" },
	{ "fragments interrupted", "0M 419a; 5 7c858801; 5 0605; 5M 7c4502; 6M 419a",
	  "0:|419a;5!:|658801|0605;6:|419a;" },
	{ "fragments that go on behind their end",
	  "0M 419a; 5 7c8588; 5 7c4501; 5M 7c4502; 6M 419a", "0:|419a;5!:|658801;6:|419a;" },
	{ "filler in fragments without a beginning", "0M 419a; 1 419a; 1 7c4cff; 1M 4140",
	  "0:|419a;1:|419a|4140;" },
	{ "a set in fragments that go on", "0M 419a; 5 7c8742; 5 7c4701; 5 7c4702; 5M 6588",
	  "0:|419a;5!:|674201|6588;" },
	{ "half a fragment header", "0M 6588; 10 419a; 10M 7c; 20M 419a",
	  "0:|6588;10!:|419a;20:|419a;" },
	{ "the interleaved mode", "0M 6588; 10 419a; 10 7900; 10 7a00; 10 7b00; 10M 7d00; 20M 419a",
	  "0:|6588;10!:|419a;20:|419a;" },
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

		depay_rig_expect(RTP_CODEC_H264, replay->what, replay->packets, replay->units);
	}
}
END_TEST

/* Each packet of each replay, cut at each of its bytes: nothing is read beyond (a sanitizer sees
 * it), and what comes out is a unit. */
START_TEST(packets_are_cut_at_every_byte)
{
	size_t i;

	for (i = 0; i < tables[_i].n; i++)
		depay_rig_cut(RTP_CODEC_H264, tables[_i].replays[i].packets);
}
END_TEST

static struct rtp_format
make_format(void)
{
	return (struct rtp_format){ .codec = RTP_CODEC_H264, .clock_rate = 90000 };
}

static const struct {
	const char *packets, *set_hex;
	int result;
	const char *sets, *units;
} sets[] = {
	{ "0 6742; 0 68ce; 0 0605; 0M 6588", NULL, 0, "|6742|68ce", "0:|6742ff|68ceff|0605|6588;" },
	{ "0M 78000267420003658801", NULL, 0, "|6742", "0:|6742ff|658801;" },
	{ "0 7c8742; 0 7c0701; 0 7c4702; 0M 6588", NULL, 0, "|67420102", "0:|67420102ff|6588;" },
	{ "0 7cc742; 0M 6588", NULL, 0, "|6742", "0:|6742ff|6588;" },
	{ "0 7c8742; 0 7c8588; 0M 7c4501", NULL, 0, "|6742", "0:|6742ff|658801;" },
	{ "0M 674200000168ce0000016588", NULL, 0, "|6742|68ce", "0:|6742ff|68ceff|6588;" },
	{ "0 7c87420000000168ce000000016588; 0M 7c4701", NULL, 0, "|6742|68ce",
	  "0:|6742ff|68ceff|658801;" },
	{ "0 6742; 0M 6588", "aabbcc", 0, "|6742", "0:|aabbcc|6588;" },
	{ "0 6742; 0M 6588", "aabbcc", -1, "|6742", "0:|6742|6588;" },
	{ "0 6742; 0M 6588", "", 0, "|6742", "0:|6588;" },
	{ "0 6d42; 0 6f42; 0 0605; 0M 6588", NULL, 0, "", "0:|6d42|6f42|0605|6588;" },
};

START_TEST(parameter_sets_are_shown_and_replaced)
{
	struct rtp_format format = make_format();
	struct depay_rig rig;

	depay_rig_init(&rig, &format, true);
	rig.set_hex = sets[_i].set_hex;
	rig.set_result = sets[_i].result;
	depay_rig_play(&rig, sets[_i].packets);
	ck_assert_str_eq(rig.sets, sets[_i].sets);
	ck_assert_str_eq(depay_rig_units(&rig), sets[_i].units);
	depay_rig_free(&rig);
}
END_TEST

static const struct {
	const char *packets;
	unsigned ignored;
} ignored[] = {
	{ "0 6742; 0 0cff; 0M 6588; 0 0a", 0 }, /* understood, and left out */
	{ "0 00; 0 1e01; 0 1f02; 0 1601; 0 ; 0M 419a", 5 },
	{ "0 41; 0 7c; 0 780001; 0 7800000000", 5 },
	{ "0 7900; 0 7a00; 0 7b00; 0 7d00", 4 },
	{ "0 c19a; 0 8742; 0 7c9e; 0 7c1e; 0 7c5e; 0 7c1e", 4 }, /* fragments once */
};

START_TEST(what_is_not_understood_is_counted)
{
	struct rtp_format format = make_format();
	struct depay_rig rig;

	depay_rig_init(&rig, &format, false);
	depay_rig_play(&rig, ignored[_i].packets);
	ck_assert_uint_eq(rtp_depay_stats(rig.depay)->ignored, ignored[_i].ignored);
	depay_rig_free(&rig);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, each_replay_gives_its_units, 0, 4);
	tcase_add_loop_test(tcase, packets_are_cut_at_every_byte, 0, 4);
	tcase_add_loop_test(tcase, parameter_sets_are_shown_and_replaced, 0,
			    sizeof(sets) / sizeof(sets[0]));
	tcase_add_loop_test(tcase, what_is_not_understood_is_counted, 0,
			    sizeof(ignored) / sizeof(ignored[0]));
}

int
main(void)
{
	return data_run("media depay h264", add);
}
