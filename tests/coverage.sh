#!/usr/bin/env bash
# coverage.sh MIN: runs the tests of what reads cameras in a build made with --enable-coverage (from its
# top), prints the lines of each file that they ran, and fails when one is below MIN per cent.
set -euo pipefail
min=$1
mapfile -t tests < <(make -s -C tests print-coverage-tests)
make -s -C tests check TESTS="${tests[*]}" > coverage.log 2>&1 || { tail -n 40 coverage.log; exit 1; }
below=0
for file in media/rtp*.c media/rtcp.c media/sdp*.c media/bit_writer.c media/*_rewrite.c media/h26[45]_sps.c media/jpeg.c \
  worker/rtsp_*.c; do
  object=$(find "${file%/*}" -name "*${file##*/}" -prune -o -name "*-$(basename "$file" .c).gcda" -print -o -name "$(basename "$file" .c).gcda" -print | head -n 1)
  [ -n "$object" ] || { echo "  0.00 $file: no test ran it"; below=1; continue; }
  percent=$(gcov -n -o "$object" "$file" 2> /dev/null | awk -v file="$file" '
    /^File / { mine = index($0, file) } mine && /^Lines executed/ { split($0, a, /[:%]/); print a[2]; exit }')
  printf '%6.2f %s\n' "$percent" "$file"
  awk -v p="$percent" -v min="$min" 'BEGIN { exit !(p < min) }' && below=1
done
[ "$below" = 0 ] || { echo "below $min %"; exit 1; }
