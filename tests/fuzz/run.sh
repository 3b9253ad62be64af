#!/usr/bin/env bash
# run.sh DIR SECONDS: each libFuzzer target built in DIR, for so long, starting from its corpus, as many
# at once as there are cores; what it finds anew goes to a temporary directory, and a crash fails the run.
set -euo pipefail
dir=$(cd "$1" && pwd)
seconds=$2
corpora=$(cd "$(dirname "$0")/corpus" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_target() { # TARGET
  local name=${1##*/} corpus=()
  mkdir "$work/$name"
  [ -d "$corpora/$name" ] && corpus=("$corpora/$name")
  "$1" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$work/$name." "$work/$name" "${corpus[@]}" > "$work/$name.log" 2>&1 || {
    tail -n 60 "$work/$name.log"
    echo "$name: FAILED"
    return 1
  }
  echo "$name: $(grep -m1 'stat::number_of_executed_units' "$work/$name.log" | tr -s ' ')"
}
export -f run_target
export work corpora seconds

targets=()
for target in "$dir"/fuzz_*; do
  if [ ! -x "$target" ] || [ ! -f "$target" ]; then continue; fi
  case ${target##*/} in *.*|*_replay) continue ;; esac
  targets+=("$target")
done
[ "${#targets[@]}" -gt 0 ] || { echo "no fuzz target in $dir"; exit 1; }
# shellcheck disable=SC2016 # the inner shell is to expand it
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'run_target "$0"'
