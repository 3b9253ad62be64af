#!/usr/bin/env bash
# The programs of this build tree carry the hardening that configure chose: position independent,
# read-only relocations bound at start, no executable stack, stack protector.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
for program in supervisor/camhub-supervisor supervisor/camhub-resolve event/camhub-event worker/camhub-worker worker/camhub-worker-av \
  transcode/camhub-transcode http/camhub-http http/camhub-certificate auth/camhub-auth ctl/camctl; do
  headers=$(readelf -hlW "$program")
  dynamic=$(readelf -dW "$program")
  symbols=$(readelf --dyn-syms -W "$program")
  complain() { echo "$program: $1"; status=1; }
  grep -q 'Type: *DYN' <<< "$headers" || complain "is not position independent"
  grep -q 'GNU_RELRO' <<< "$headers" || complain "has no RELRO"
  grep -Eq 'BIND_NOW|NOW' <<< "$dynamic" || complain "binds lazily"
  grep -E 'GNU_STACK' <<< "$headers" | grep -q 'RWE' && complain "has an executable stack"
  grep -q '__stack_chk_fail' <<< "$symbols" || complain "has no stack protector"
done
exit $status
