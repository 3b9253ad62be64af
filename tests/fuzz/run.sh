#!/usr/bin/env bash
# run.sh DIR SECONDS: each libFuzzer target built in DIR, for so long, starting from its corpus; what
# it finds anew goes to a temporary directory, and a crash fails the run.
set -euo pipefail
dir=$(cd "$1" && pwd)
seconds=$2
corpora=$(cd "$(dirname "$0")/corpus" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=0
for target in "$dir"/fuzz_*; do
  if [ ! -x "$target" ] || [ ! -f "$target" ]; then continue; fi
  case ${target##*/} in *.*|*_replay) continue ;; esac
  name=${target##*/}
  found=$((found + 1))
  mkdir "$work/$name"
  corpus=()
  [ -d "$corpora/$name" ] && corpus=("$corpora/$name")
  "$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$work/" "$work/$name" "${corpus[@]}" > "$work/log" 2>&1 || {
    tail -n 60 "$work/log"
    echo "$name: FAILED"
    exit 1
  }
  echo "$name: $(grep -m1 'stat::number_of_executed_units' "$work/log" | tr -s ' ')"
done
[ "$found" -gt 0 ] || { echo "no fuzz target in $dir"; exit 1; }
