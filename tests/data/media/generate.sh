#!/bin/sh
# generate.sh DIR: how the streams in this folder were made, once, with Debian 12's ffmpeg 5.1
# (libx264 164, libx265 3.5). The tests use the files as they are and never run this.
set -eu
cd "$1"

encode() { # NAME SOURCE FRAMES ENCODER OPTIONS...
  name=$1 source=$2 frames=$3
  shift 3
  ffmpeg -hide_banner -loglevel error -y -f lavfi -i "$source" -frames:v "$frames" "$@" "$name"
}

x264() { # NAME SOURCE FRAMES X264-OPTIONS OPTIONS...
  name=$1 source=$2 frames=$3 options=$4
  shift 4
  encode "$name" "$source" "$frames" -c:v libx264 -threads 1 -crf 45 -pix_fmt yuv420p \
    -x264-params "$options" "$@" -f h264
}

x265() {
  name=$1 source=$2 frames=$3 options=$4
  shift 4
  encode "$name" "$source" "$frames" -c:v libx265 -crf 45 -pix_fmt yuv420p \
    -x265-params "log-level=error:pools=1:frame-threads=1:$options" "$@" -f hevc
}

x264 high_1080p_b.h264 'color=teal:s=1920x1080:r=25' 6 keyint=6:bframes=2:b-adapt=0 -profile:v high -level 4.1
x264 baseline_360p.h264 'testsrc=s=640x360:r=15' 8 keyint=4:scenecut=0:slices=2 -profile:v baseline
x264 main_interlaced_576i.h264 'color=teal:s=720x576:r=25' 3 keyint=3:bframes=0:tff=1 -profile:v main -vf setsar=16/11
x264 high_crop_322x182.h264 'color=teal:s=322x182:r=30000/1001' 3 keyint=3:bframes=0:repeat-headers=1:aud=1:slices=4
x264 high_open_gop.h264 'testsrc=s=160x96:r=25' 12 keyint=4:min-keyint=4:scenecut=0:open-gop=1:bframes=2:b-adapt=0
x264 high_intra_refresh.h264 'testsrc=s=160x96:r=25' 10 keyint=5:intra-refresh=1:bframes=0
x264 high444.h264 'color=teal:s=162x98:r=10' 2 keyint=2:bframes=0 -pix_fmt yuv444p
x264 high_hrd.h264 'color=teal:s=320x240:r=10' 2 keyint=2:bframes=0:nal-hrd=cbr:vbv-maxrate=100:vbv-bufsize=100:bitrate=100
x264 high_scaling_lists.h264 'color=teal:s=320x240:r=10' 2 keyint=2:bframes=0:cqm=jvt

x265 main_1080p_b.h265 'color=teal:s=1920x1080:r=25' 6 keyint=6:bframes=2:b-adapt=0:repeat-headers=1
x265 main_360p.h265 'testsrc=s=640x360:r=15' 6 keyint=3:scenecut=0:bframes=0:repeat-headers=1:aud=1
x265 main10_322x182.h265 'color=teal:s=322x182:r=30000/1001' 3 keyint=3:bframes=0:repeat-headers=1 -pix_fmt yuv420p10le -vf setsar=4/3
x265 main_open_gop.h265 'testsrc=s=160x96:r=25' 12 keyint=4:min-keyint=4:scenecut=0:open-gop=1:bframes=3:b-adapt=0:repeat-headers=1
x265 main_temporal_layers.h265 'testsrc=s=160x96:r=25' 8 keyint=8:temporal-layers=1:bframes=3:b-adapt=0:repeat-headers=1
x265 main_scaling_lists.h265 'color=teal:s=160x96:r=25' 2 keyint=2:bframes=0:scaling-list=default:hrd=1:vbv-maxrate=100:vbv-bufsize=100:bitrate=100:repeat-headers=1

encode colour_160x96.jpg 'testsrc=s=160x96' 1 -c:v mjpeg -q:v 20 -f image2 -update 1
encode odd_33x17.jpg 'testsrc=s=33x17' 1 -c:v mjpeg -q:v 20 -f image2 -update 1
ffmpeg -hide_banner -loglevel error -y -f lavfi -i sine=r=16000 -t 0.3 -ac 1 -c:a aac -b:a 16k mono_16k.adts
ffmpeg -hide_banner -loglevel error -y -f lavfi -i sine=r=44100 -t 0.1 -ac 2 -c:a aac -b:a 32k stereo_44k.adts
# One frame of silence: everything behind the metadata is one FLAC frame.
ffmpeg -hide_banner -loglevel error -y -f lavfi -i anullsrc=r=48000:cl=mono -af atrim=end_sample=1024 \
  -c:a flac -frame_size 1024 silence_48k.flac
# libjpeg's layout and tables, which a receiver of RFC 2435 makes anew.
gst-launch-1.0 -q videotestsrc num-buffers=1 pattern=smpte ! video/x-raw,format=I420,width=160,height=96 ! \
  jpegenc quality=50 ! filesink location=libjpeg_160x96_q50.jpg
gst-launch-1.0 -q videotestsrc num-buffers=1 pattern=smpte ! video/x-raw,format=Y42B,width=64,height=32 ! \
  jpegenc quality=12 ! filesink location=libjpeg_64x32_q12.jpg
