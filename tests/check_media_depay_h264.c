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

START_TEST(each_packet_format)
{
	depay_rig_expect(RTP_CODEC_H264, formats[_i].packets, formats[_i].units);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, each_packet_format, 0, sizeof(formats) / sizeof(formats[0]));
}

int
main(void)
{
	return data_run("media depay h264", add);
}
