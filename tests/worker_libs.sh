#!/usr/bin/env bash
# What reads RTSP links no FFmpeg; runs where the build tree's tests/ is. The program that does link it shows that the
# look is not blind.
set -uo pipefail
av_libs() { ldd "$1" | grep -oE 'lib(av|sw|postproc)[a-z]*\.so[.0-9]*'; }

native=../worker/camhub-worker
[ -x "$native" ] || { echo "no $native"; exit 1; }
libs=$(av_libs "$native")
[ -z "$libs" ] || { echo "$native links FFmpeg: $libs"; exit 1; }
[ -n "$(av_libs ../worker/camhub-worker-av)" ] || { echo "this test sees no FFmpeg where it is"; exit 1; }
