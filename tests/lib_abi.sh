#!/bin/sh
# libcamhub.so.1 shows what lib_abi.txt says and nothing else. A line that is new there is a new version
# of the library; a line that changes or goes is another SONAME.
set -eu
: "${srcdir:=.}"
build=$(dirname "$0")
[ -x helpers/lib_layout ] && build=.
lib=$build/../lib/libcamhub.so.1.0.0
case $(uname -m) in x86_64 | aarch64) ;; *) echo "SKIP: lib_abi: the list is that of 64-bit machines"; exit 77 ;; esac
now=$(mktemp)
trap 'rm -f "$now"' EXIT
{
  objdump -p "$lib" | sed -n 's/^ *SONAME *//p'
  nm -D --defined-only "$lib" | awk '$2 == "T" { print $3 }' | sed 's/@@/ /' | LC_ALL=C sort
  "$build/helpers/lib_layout"
} > "$now"
functions=$(grep -c CAMHUB_1 "$now")
[ "$functions" -le 15 ] || { echo "more than 15 functions: $functions" >&2; exit 1; }
diff -u "$srcdir/lib_abi.txt" "$now" || { echo "the ABI of libcamhub has changed (tests/lib_abi.sh)" >&2; exit 1; }
