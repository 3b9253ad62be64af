/*
 * What check_media_sdp reads: descriptions as cameras write them, most of them cut down to what
 * matters, and what is to be found in them.
 */
#ifndef CAMHUB_TESTS_CHECK_MEDIA_SDP_ROWS_H
#define CAMHUB_TESTS_CHECK_MEDIA_SDP_ROWS_H

/* Parameter sets of two cameras, in base64, and with start codes in hex. */
#define SPS      "Z00AH5WoFAFuQA=="
#define SPS_HEX  "00000001674d001f95a814016e40"
#define PPS      "aO48gA=="
#define PPS_HEX  "0000000168ee3c80"
#define VPS5     "QAEMAf//AWAAAAMAsAAAAwAAAwB7rAwAAAMABAAAAwBmqA=="
#define VPS5_HEX "0000000140010c01ffff016000000300b0000003000003007bac0c00000300040000030066a8"
#define SPS5     "QgEBAWAAAAMAsAAAAwAAAwB7oAPAgBDlja7ky/NwEBAQQAAAAwBAAAAGaEA="
#define SPS5_HEX                                                                                   \
	"00000001420101016000000300b0000003000003007ba003c08010e58daee4cbf3701010104000000300400"  \
	"000066840"
#define PPS5     "RAHA8rA7NA=="
#define PPS5_HEX "000000014401c0f2b03b34"

#define V        "v=0\r\n"
#define VIDEO    V "m=video 0 RTP/AVP 96\r\n"
#define H264     VIDEO "a=rtpmap:96 H264/90000\r\n"
#define H265     VIDEO "a=rtpmap:96 H265/90000\r\n"
#define AUDIO    V "m=audio 0 RTP/AVP 97\r\n"
#define AAC      AUDIO "a=rtpmap:97 MPEG4-GENERIC/16000/1\r\n"
#define FMTP264  "a=fmtp:96 packetization-mode=1;profile-level-id=4D001F;sprop-parameter-sets="
#define IS_H264  "video H264: h264/90000 pt=96"
#define IS_H265  "video H265: h265/90000 pt=96"
#define IS_SETS  " config=" SPS_HEX PPS_HEX "\n"
#define IS_AAC   "audio MPEG4-GENERIC: aac/16000/1 pt=97 au=13,3,3,0 config="
#define HBR      "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"

static const struct {
	const char *name, *text, *want;
} rows[] = {
	{ "as it should be",
	  V "o=- 1 1 IN IP4 0.0.0.0\r\ns=Media Server\r\nc=IN IP4 0.0.0.0\r\nt=0 "
	    "0\r\na=control:*\r\na=range:npt=now-\r\n"
	    "m=video 0 RTP/AVP 96\r\na=control:trackID=0\r\na=framerate:15.000000\r\na=rtpmap:96 "
	    "H264/90000\r\n" FMTP264 SPS "," PPS "\r\na=recvonly\r\n"
	    "m=audio 0 RTP/AVP 97\r\na=control:trackID=1\r\na=rtpmap:97 "
	    "MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;profile-level-id=1;" HBR
	    "config=1408\r\na=recvonly\r\n",
	  "session <*>\n"
	  "video <trackID=0> H264: h264/90000 pt=96 config=" SPS_HEX PPS_HEX " fps=15\n"
	  "audio <trackID=1> MPEG4-GENERIC: aac/16000/1 pt=97 au=13,3,3,0 config=1408\n" },
	{ "only the media, no session lines",
	  "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n",
	  "video <trackID=0> H264: h264/90000 pt=96\n" },
	{ "lines that are cut off or broken",
	  V "o=- 1001 1 "
	    "IN\r\no=[-2208991488\r\nc=IN\r\n\r\ngarbage\r\nx\r\n=\r\nb=AS:RR\r\na=\r\na\r\nt="
	    "\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 '&\xef\xbf\r\na=rtpmap:96 H264/90000\r\n",
	  IS_H264 "\n" },
	{ "bytes that are no text",
	  "\xef\xbb\xbfv=0\r\ns=\xc9\xe3\xcf\xf1\xcd\xb7\r\ni=\x01\x02\xff\r\nm=video 0 RTP/AVP "
	  "96\r\na=rtpmap:96 H264/90000\r\n\xff\xfe\r\n",
	  IS_H264 "\n" },
	{ "blanks and tabs everywhere",
	  " v=0 \r\nm = video\t0  RTP/AVP\t 96 \r\n a = rtpmap : 96  H264 / 90000 \r\n\ta=control: "
	  "track1 \r\na=fmtp: 96 packetization-mode = 1 ; sprop-parameter-sets = " SPS " , " PPS
	  " ; \r\n",
	  "video <track1> H264: h264/90000 pt=96" IS_SETS },
	{ "names in another case",
	  V "m=VIDEO 0 RTP/AVP 96\r\na=RTPMAP:96 h264/90000\r\na=Control:x\r\na=FMTP:96 "
	    "Sprop-Parameter-Sets=" SPS "," PPS "\r\n",
	  "video <x> h264: h264/90000 pt=96" IS_SETS },
	{ "ports that are none",
	  V "m=video -1353744643 RTP/AVP 26\r\nm=video 99999 RTP/AVP 26\r\nm=video 5004/2 RTP/AVP "
	    "26\r\nm=video x RTP/AVP 26\r\n",
	  "video JPEG: jpeg/90000 pt=26\n"
	  "video JPEG: jpeg/90000 pt=26\n"
	  "video JPEG: jpeg/90000 pt=26 port=5004\n"
	  "video JPEG: jpeg/90000 pt=26\n" },
	{ "no port and protocol in the m-line", V "m=video\r\na=rtpmap:96 H264/90000\r\n",
	  IS_H264 "\n" },
	{ "several videos",
	  V "m=video 0 RTP/AVP 96\r\na=control:trackID=1\r\na=rtpmap:96 H264/90000\r\nm=video 0 "
	    "RTP/AVP 97\r\na=control:trackID=2\r\na=rtpmap:97 H264/90000\r\n",
	  "video <trackID=1> H264: h264/90000 pt=96\n"
	  "video <trackID=2> H264: h264/90000 pt=97\n" },
	{ "encrypted", V "m=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n",
	  "video [encrypted RTP (SRTP) cannot be read]\n" },
	{ "no control", H264, IS_H264 "\n" },
	{ "control is a whole address",
	  V "a=control:rtsp://192.168.254.19:554/streaming/channels/101/\r\nm=video 0 RTP/AVP "
	    "96\r\na=rtpmap:96 "
	    "H264/90000\r\na=control:rtsp://192.168.254.19:554/streaming/channels/101/"
	    "trackID=1?a=b\r\n",
	  "session <rtsp://192.168.254.19:554/streaming/channels/101/>\n"
	  "video <rtsp://192.168.254.19:554/streaming/channels/101/trackID=1?a=b> H264: h264/90000 "
	  "pt=96\n" },
	{ "control is a star", H264 "a=control:*\r\n", "video <*> H264: h264/90000 pt=96\n" },
	{ "control twice",
	  V "a=control:*\r\na=control:rtsp://c/\r\na=control:rtsp://d/\r\nm=video 0 RTP/AVP "
	    "96\r\na=rtpmap:96 "
	    "H264/90000\r\na=control:track1\r\na=control:track2\r\na=control:track1\r\n",
	  "session <rtsp://c/>\n"
	  "video <track1> H264: h264/90000 pt=96\n" },
	{ "the session's control behind the media",
	  V "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\na=control:*\r\n",
	  "video <track1> H264: h264/90000 pt=96\n" },
	{ "control with a blank inside",
	  H264 "a=control:tr\x01k\r\na=control:tr\x7fk\r\na=control:\r\na=control:track 1\r\n",
	  "video <track 1> H264: h264/90000 pt=96\n" },
	{ "static types without rtpmap",
	  V "m=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 26\r\nm=audio 0 "
	    "RTP/AVP 2\r\nm=audio 0 RTP/AVP 10\r\nm=audio 0 RTP/AVP 11\r\n",
	  "audio PCMU: pcmu/8000/1 pt=0\n"
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "video JPEG: jpeg/90000 pt=26\n"
	  "audio G726-32: g726/8000/1 pt=2 bits=4\n"
	  "audio L16: l16/44100/2 pt=10\n"
	  "audio L16: l16/44100/1 pt=11\n" },
	{ "static types that cannot be read",
	  V "m=audio 0 RTP/AVP 14\r\nm=video 0 RTP/AVP 34\r\nm=audio 0 RTP/AVP 9\r\n",
	  "audio MPA: [MPA is not supported]\n"
	  "video H263: [H263 is not supported]\n"
	  "audio G722: [G722 is not supported]\n" },
	{ "G.711 at 16 kHz under its static type",
	  V "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n", "audio PCMA: pcma/16000/1 pt=8\n" },
	{ "a static type with a broken rtpmap",
	  V "m=audio 0 RTP/AVP 8\r\na=rtpmap:8\r\nm=audio 0 RTP/AVP 0\r\na=rtpmap:0 "
	    "PCMU/0\r\nm=video 0 RTP/AVP 26\r\na=rtpmap:26 ?\r\n",
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio PCMU: pcmu/8000/1 pt=0\n"
	  "video JPEG: jpeg/90000 pt=26\n" },
	{ "rtpmap without a clock rate",
	  V "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 "
	    "PCMA\r\nm=audio 0 RTP/AVP 98\r\na=rtpmap:98 opus\r\n",
	  IS_H264 "\n"
		  "audio PCMA: pcma/8000/1 pt=97\n"
		  "audio opus: opus/48000/2 pt=98\n" },
	{ "a clock rate of nothing or nonsense",
	  V "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 "
	    "H264/25\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/99999999999\r\nm=video 0 RTP/AVP "
	    "96\r\na=rtpmap:96 H264/x\r\n",
	  IS_H264 "\n" IS_H264 "\n" IS_H264 "\n" IS_H264 "\n" },
	{ "rtpmap of another number", VIDEO "a=rtpmap:98 H265/90000\r\n", IS_H265 "\n" },
	{ "rtpmap without number or blank",
	  VIDEO "a=rtpmap:H264/90000\r\n"
		"m=video 0 RTP/AVP 97\r\na=rtpmap:97H264/90000\r\n",
	  IS_H264 "\n"
		  "video H264: h264/90000 pt=97\n" },
	{ "no rtpmap, but parameters that tell",
	  VIDEO FMTP264 SPS "," PPS "\r\nm=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-sps=" SPS5 "\r\n",
	  IS_H264 IS_SETS IS_H265 " config=" SPS5_HEX "\n" },
	{ "nothing says what it is", VIDEO "m=application 42508 RTP/AVP 107\r\nb=AS:8\r\n",
	  "video [the camera does not say what it is]\n"
	  "application [the camera does not say what it is] port=42508\n" },
	{ "no payload type at all",
	  V "m=video 0 RTP/AVP\r\nm=application/tp-link 0 RTP/AVP "
	    "smart/0/25000\r\na=control:track3\r\n",
	  "video [no payload type]\n"
	  "application <track3> [no payload type]\n" },
	{ "a payload type that is no number",
	  V "m=application/tp-link 0 RTP/AVP smart/0/25000\r\na=rtpmap:95 "
	    "tp-link/25000\r\na=control:track3\r\n",
	  "application <track3> tp-link: [tp-link is not supported]\n" },
	{ "several payload types, the first unknown",
	  V "m=audio 0 RTP/AVP 116 97 0\r\na=rtpmap:116 G723/8000\r\na=rtpmap:97 G726-32/8000\r\n",
	  "audio G726-32: g726/8000/1 pt=97 bits=4\n" },
	{ "several payload types, none of use", V "m=audio 0 RTP/AVP 3 4 130 18\r\n",
	  "audio GSM: [GSM is not supported]\n" },
	{ "a codec in a track of another kind",
	  AUDIO "a=rtpmap:97 H264/90000\r\nm=application 0 RTP/AVP 26\r\n",
	  "audio H264: [H264 in a track of another kind]\n"
	  "application JPEG: [JPEG in a track of another kind]\n" },
	{ "ONVIF metadata",
	  V "m=application 0 RTP/AVP 107\r\na=control:trackID=4\r\na=rtpmap:107 "
	    "vnd.onvif.metadata/90000\r\na=fmtp:107 DecoderTag=h3c-v3 RTCP=0\r\na=recvonly\r\n",
	  "application <trackID=4> vnd.onvif.metadata: [metadata, not pictures or sound]\n" },
	{ "no parameter sets", H264 "a=fmtp:96 profile-level-id=4D0014;packetization-mode=0\r\n",
	  IS_H264 "\n" },
	{ "an empty list of parameter sets", H264 FMTP264 "\r\n", IS_H264 "\n" },
	{ "SPS without PPS, and a comma", H264 FMTP264 SPS ",\r\n",
	  IS_H264 " config=" SPS_HEX "\n" },
	{ "a comma before the sets", H264 FMTP264 "," SPS ",," PPS ",\r\n", IS_H264 IS_SETS },
	{ "base64 without padding", H264 FMTP264 "Z00AH5WoFAFuQA,aO48gA\r\n", IS_H264 IS_SETS },
	{ "base64 with blanks inside", H264 FMTP264 "Z00A H5Wo FAFu QA== , aO48 gA==; x=1\r\n",
	  IS_H264 IS_SETS },
	{ "base64 of URLs",
	  H265 "a=fmtp:96 sprop-vps=QAEMAf__AWAAAAMAsAAAAwAAAwB7rAwAAAMABAAAAwBmqA==\r\n",
	  IS_H265 " config=" VPS5_HEX "\n" },
	{ "start codes inside of base64",
	  H264 "a=fmtp:96 "
	       "packetization-mode=1;profile-level-id=000001;sprop-parameter-sets=AAAAAWdNAB+"
	       "VqBQBbkA=,AAAAAWjuPIA=\r\n",
	  IS_H264 IS_SETS },
	{ "all sets in one, with start codes", H264 FMTP264 "AAAAAWdNAB+VqBQBbkAAAAABaO48gA==\r\n",
	  IS_H264 IS_SETS },
	{ "zeros behind a set", H264 FMTP264 "Z00AH5WoFAFuQAAA,aO48gAAAAA==\r\n", IS_H264 IS_SETS },
	{ "sets that are none",
	  H264 FMTP264 "6QEC," PPS ",ZwE=,Z00AHw==,!!!!,AA==,BgUB," SPS "\r\n",
	  IS_H264 " config=" PPS_HEX SPS_HEX "\n" },
	{ "sets that others stumble over",
	  H264 FMTP264
	  "Z2QAM6wVFKCgPZA=,J00AKedAPAET8s1AQEB8AAADAAQAAAMAoNGADqYAFfl//wKA,aP48gAA=,KO48gA==\r\n",
	  IS_H264 " config=0000000167640033ac1514a0a03d90"
		  "00000001274d0029e7403c0113f2cd4040407c00000300040000"
		  "0300a0d1800ea60015f97fff0280"
		  "0000000168fe3c80"
		  "0000000128ee3c80\n" },
	{ "more sets than two",
	  H264 FMTP264 "Z2QAKawTMUB4BEfeA+oCAgPgAAADACAAAAZSgA==,aPqPLA==,aF6jzAMA\r\n",
	  IS_H264 " config=0000000167640029ac133140780447de03ea020203e00000030020000006"
		  "5280"
		  "0000000168fa8f2c"
		  "00000001685ea3cc03\n" },
	{ "quotes", H264 "a=fmtp:96 sprop-parameter-sets=\"" SPS "," PPS "\"\r\n",
	  IS_H264 IS_SETS },
	{ "blanks instead of semicolons",
	  H264 "a=fmtp:96 packetization-mode=1 sprop-parameter-sets=Z00AH5WoFAFuQA,aO48gA "
	       "profile-level-id=4D001F\r\n",
	  IS_H264 IS_SETS },
	{ "fmtp twice",
	  H264 "a=fmtp:96 packetization-mode=1\r\na=fmtp:96 sprop-parameter-sets=\r\na=fmtp:96 "
	       "sprop-parameter-sets=" SPS "," PPS "\r\n",
	  IS_H264 IS_SETS },
	{ "fmtp of another number", H264 "a=fmtp:97 sprop-parameter-sets=" SPS "," PPS "\r\n",
	  IS_H264 IS_SETS },
	{ "fmtp without a number",
	  H264 "a=fmtp:packetization-mode=1;sprop-parameter-sets=" SPS "," PPS "\r\n",
	  IS_H264 IS_SETS },
	{ "fmtp of another number that is offered",
	  V "m=video 0 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 "
	    "H264/90000\r\na=fmtp:97 sprop-parameter-sets=" SPS "," PPS "\r\n",
	  IS_H264 "\n" },
	{ "interleaved packets", H264 "a=fmtp:96 packetization-mode=2\r\n",
	  "video H264: [H.264 in interleaved packets (packetization-mode 2) cannot be read]\n" },
	{ "H.265 with its sets",
	  H265 "a=fmtp:96 profile-id=1;sprop-vps=" VPS5 ";sprop-sps=" SPS5 ";sprop-pps=" PPS5
	       "\r\n",
	  IS_H265 " config=" VPS5_HEX SPS5_HEX PPS5_HEX "\n" },
	{ "H.265 sets in another order",
	  H265 "a=fmtp:96 profile-id=010101;sprop-pps=" PPS5 ";sprop-sps=" SPS5 ";sprop-vps=" VPS5
	       ";sprop-sei=TgHlBMbLAACA;\r\n",
	  IS_H265 " config=" VPS5_HEX SPS5_HEX PPS5_HEX "\n" },
	{ "H.265 without VPS", H265 "a=fmtp:96 sprop-sps=" SPS5 "; sprop-pps=" PPS5 "\r\n",
	  IS_H265 " config=" SPS5_HEX PPS5_HEX "\n" },
	{ "H.265 sets under the name of H.264's",
	  H265 "a=fmtp:96 sprop-parameter-sets=" VPS5 "," SPS5 "," PPS5 "\r\n",
	  IS_H265 " config=" VPS5_HEX SPS5_HEX PPS5_HEX "\n" },
	{ "H.265 by its other name", VIDEO "a=rtpmap:96 HEVC/90000\r\n",
	  "video HEVC: h265/90000 pt=96\n" },
	{ "H.265 with decoding order numbers",
	  H265 "a=fmtp:96 sprop-max-don-diff=2\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 "
	       "H265/90000\r\na=fmtp:97 sprop-max-don-diff=0\r\n",
	  "video H265: h265/90000 pt=96 donl\n"
	  "video H265: h265/90000 pt=97\n" },
	{ "AAC without config",
	  AUDIO "a=rtpmap:97 MPEG4-GENERIC/16000\r\na=fmtp:97 " HBR
		"\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\n",
	  IS_AAC "1408\n"
		 "audio MPEG4-GENERIC: aac/48000/2 pt=97 au=13,3,3,0 config=1190\n" },
	{ "AAC with the parameters of another number",
	  V "m=audio 0 RTP/AVP 104\r\na=rtpmap:104 MPEG4-GENERIC/16000\r\na=fmtp:97 " HBR
	    "config=1210\r\n",
	  "audio MPEG4-GENERIC: aac/16000/2 pt=104 au=13,3,3,0 config=1210\n" },
	{ "AAC config with an odd digit",
	  AAC "a=fmtp:97 " HBR "config=140\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 "
	      "MPEG4-GENERIC/16000/1\r\na=fmtp:97 config=14085\r\n",
	  IS_AAC "1408\n" IS_AAC "1408\n" },
	{ "AAC config in quotes, with 0x, that is none",
	  AAC "a=fmtp:97 config=\"0x1408\"\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 "
	      "MPEG4-GENERIC/16000/1\r\na=fmtp:97 config=zz\r\n",
	  IS_AAC "1408\n" IS_AAC "1408\n" },
	{ "AAC config without channels",
	  AUDIO "a=rtpmap:97 MPEG4-GENERIC/16000/2\r\na=fmtp:97 config=1400\r\nm=audio 0 RTP/AVP "
		"97\r\na=rtpmap:97 MPEG4-GENERIC/16000\r\na=fmtp:97 config=1400\r\n",
	  "audio MPEG4-GENERIC: aac/16000/2 pt=97 au=13,3,3,0 config=1400\n" IS_AAC "1400\n" },
	{ "AAC without a clock rate",
	  AUDIO "a=rtpmap:97 mpeg4-generic\r\na=fmtp:97 config=1210\r\nm=audio 0 RTP/AVP "
		"97\r\na=rtpmap:97 mpeg4-generic\r\n",
	  "audio mpeg4-generic: aac/44100/2 pt=97 au=13,3,3,0 config=1210\n"
	  "audio mpeg4-generic: [AAC without configuration and clock rate]\n" },
	{ "AAC at an unusual rate", AUDIO "a=rtpmap:97 MPEG4-GENERIC/11000\r\n",
	  "audio MPEG4-GENERIC: aac/11000/1 pt=97 au=13,3,3,0 config=1780157c08\n" },
	{ "AAC modes in any case",
	  AAC "a=fmtp:97 mode=aac-HBR;config=1408\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 "
	      "MPEG4-GENERIC/16000/1\r\na=fmtp:97 mode=AAC-LBR;config=1408\r\n",
	  IS_AAC "1408\n"
		 "audio MPEG4-GENERIC: aac/16000/1 pt=97 au=6,2,2,0 config=1408\n" },
	{ "AAC without the length of the index",
	  AAC
	  "a=fmtp: 97 streamtype=3;profile-level-id=14;mode=AAC-hbr;config=1408;sizeLength=13\r\n",
	  "audio MPEG4-GENERIC: aac/16000/1 pt=97 au=13,0,0,0 config=1408\n" },
	{ "AAC of one size", AAC "a=fmtp:97 mode=generic;constantSize=256;config=1408\r\n",
	  "audio MPEG4-GENERIC: aac/16000/1 pt=97 au=0,0,0,256 config=1408\n" },
	{ "MPEG-4 audio that is not AAC", AAC "a=fmtp:97 mode=CELP-vbr;config=1408\r\n",
	  "audio MPEG4-GENERIC: [MPEG-4 audio in the mode CELP-vbr, not AAC]\n" },
	{ "AAC in LATM form",
	  AUDIO "a=rtpmap:97 MP4A-LATM/16000/1\r\na=fmtp:40 "
		"profile-level-id=1709392648;cpresent=0;config=\r\n",
	  "audio MP4A-LATM: [AAC in LATM form (RFC 6416) cannot be read]\n" },
	{ "G.726 by its names",
	  V "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 G726-16/8000\r\nm=audio 0 RTP/AVP "
	    "97\r\na=rtpmap:97 g726-24/8000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 "
	    "G726-40/8000/1\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 AAL2-G726-32/8000\r\n",
	  "audio G726-16: g726/8000/1 pt=97 bits=2\n"
	  "audio g726-24: g726/8000/1 pt=97 bits=3\n"
	  "audio G726-40: g726/8000/1 pt=97 bits=5\n"
	  "audio AAL2-G726-32: [G.726 in AAL2 packing cannot be read]\n" },
	{ "L16 and what it needs",
	  V "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/48000/2\r\nm=audio 0 RTP/AVP "
	    "97\r\na=rtpmap:97 L16/16000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16\r\n",
	  "audio L16: l16/48000/2 pt=97\n"
	  "audio L16: l16/16000/1 pt=97\n"
	  "audio L16: [samples without a clock rate]\n" },
	{ "Opus",
	  V "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\nm=audio 0 RTP/AVP "
	    "97\r\na=rtpmap:97 OPUS/48000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/16000/1\r\n",
	  "audio opus: opus/48000/2 pt=97\n"
	  "audio OPUS: opus/48000/2 pt=97\n"
	  "audio opus: opus/16000/1 pt=97\n" },
	{ "channels that are none",
	  V "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000/0\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 "
	    "PCMA/8000/99\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000/1\r\n",
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio PCMA: pcma/8000/1 pt=8\n" },
	{ "a backchannel",
	  V "m=video 0 RTP/AVP 26\r\na=recvonly\r\nm=audio 0 RTP/AVP 8\r\na=recvonly\r\nm=audio 0 "
	    "RTP/AVP 0 8\r\na=control:trackID=5\r\na=sendonly\r\n",
	  "video JPEG: jpeg/90000 pt=26\n"
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio <trackID=5> PCMU: pcmu/8000/1 pt=0 backchannel\n" },
	{ "directions as the camera sees them",
	  V "m=video 0 RTP/AVP 26\r\na=sendonly\r\nm=audio 0 RTP/AVP 8\r\na=sendonly\r\nm=audio 0 "
	    "RTP/AVP 0\r\na=recvonly\r\n",
	  "video JPEG: jpeg/90000 pt=26\n"
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio PCMU: pcmu/8000/1 pt=0 backchannel\n" },
	{ "one direction for all",
	  V "a=recvonly\r\nm=video 0 RTP/AVP 26\r\nm=audio 0 RTP/AVP 8\r\nm=audio 0 RTP/AVP "
	    "0\r\na=sendrecv\r\n",
	  "video JPEG: jpeg/90000 pt=26\n"
	  "audio PCMA: pcma/8000/1 pt=8\n"
	  "audio PCMU: pcmu/8000/1 pt=0\n" },
	{ "sendonly for all", V "a=sendonly\r\nm=video 0 RTP/AVP 26\r\nm=audio 0 RTP/AVP 8\r\n",
	  "video JPEG: jpeg/90000 pt=26\n"
	  "audio PCMA: pcma/8000/1 pt=8\n" },
	{ "frame rates",
	  V "m=video 0 RTP/AVP 26\r\na=framerate:0S\r\na=framerate:25\r\nm=video 0 RTP/AVP "
	    "26\r\na=framerate:12,5\r\nm=video 0 RTP/AVP 26\r\na=framerate=29.97 fps\r\nm=video 0 "
	    "RTP/AVP 26\r\na=x-framerate: 30\r\na=framerate:15\r\nm=video 0 RTP/AVP "
	    "26\r\na=framerate:-5\r\na=framerate:x\r\na=framerate:1000.5\r\na=framerate:"
	    "99999999999999999999\r\na=framerate:\r\n",
	  "video JPEG: jpeg/90000 pt=26 fps=25\n"
	  "video JPEG: jpeg/90000 pt=26 fps=12.5\n"
	  "video JPEG: jpeg/90000 pt=26 fps=29.97\n"
	  "video JPEG: jpeg/90000 pt=26 fps=30\n"
	  "video JPEG: jpeg/90000 pt=26\n" },
	{ "sizes",
	  V "m=video 0 RTP/AVP 26\r\na=x-dimensions:3840,2160\r\nm=video 0 RTP/AVP "
	    "26\r\na=framesize:26 2592-1944\r\nm=video 0 RTP/AVP "
	    "26\r\na=framesize:1280x720\r\nm=video 0 RTP/AVP 26\r\na=x-dimensions: 640, "
	    "480\r\nm=video 0 RTP/AVP "
	    "26\r\na=x-dimensions:0,0\r\na=x-dimensions:70000,9\r\na=x-dimensions:x\r\n",
	  "video JPEG: jpeg/90000 pt=26 3840x2160 size=3840x2160\n"
	  "video JPEG: jpeg/90000 pt=26 2592x1944 size=2592x1944\n"
	  "video JPEG: jpeg/90000 pt=26 1280x720 size=1280x720\n"
	  "video JPEG: jpeg/90000 pt=26 640x480 size=640x480\n"
	  "video JPEG: jpeg/90000 pt=26\n" },
};

#endif
