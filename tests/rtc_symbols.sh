#!/usr/bin/env bash
# libre exports common words (list_append, mem_alloc): a function of ours of the same name would be called in the place of
# its own. Runs where the build tree's tests/ is.
set -uo pipefail
program=../rtc/camhub-rtc
library=$(ldd "$program" | awk '$1 ~ /^libre\.so/ { print $3 }')
[ -n "$library" ] || { echo "$program does not link libre, or this test does not see it"; exit 1; }

ours() { nm --defined-only --extern-only --format=posix "$1" | awk '{ print $1 }' | sort -u; }
theirs() { nm --dynamic --defined-only --extern-only --format=posix "$library" | awk '{ sub(/@.*/, "", $1); print $1 }' | sort -u; }
clashes() { comm -12 - <(theirs | grep -vxE '_init|_fini|__bss_start|_edata|_end'); }

[ "$( (ours "$program"; echo mem_alloc) | sort | clashes)" != "$(ours "$program" | clashes)" ] ||
  { echo "this test would not see mem_alloc"; exit 1; }
found=$(ours "$program" | clashes)
[ -z "$found" ] || { printf 'libre has functions of these names, too:\n%s\n' "$found"; exit 1; }
