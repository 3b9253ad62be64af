#!/usr/bin/env bash
# The programs of this build tree carry the hardening that configure chose: position independent,
# read-only relocations bound at start, no executable stack, stack protector. The unit of the service
# is exposed to 1.0 at most, and systemd has nothing to say against it.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
for program in supervisor/camhub-supervisor supervisor/camhub-resolve event/camhub-event worker/camhub-worker worker/camhub-worker-av \
  transcode/camhub-transcode http/camhub-http http/camhub-certificate rtc/camhub-rtc auth/camhub-auth ctl/camctl; do
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

units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT
for unit in camhub.service camhub.socket; do # systemd looks whether the programs are there; they need not be installed for that
  sed -E 's#^Exec(Start|Reload)=[^ ]*#Exec\1=/bin/true#' "systemd/$unit" > "$units/$unit"
done
complaints=$(systemd-analyze verify --man=no "$units/camhub.service" "$units/camhub.socket" 2>&1 | grep -F camhub || true)
[ -z "$complaints" ] || { echo "$complaints"; status=1; }
systemd-analyze security --offline=true --threshold=10 "$units/camhub.service" > "$units/exposure" || { grep '^✗' "$units/exposure"; status=1; }
tail -n 1 "$units/exposure"
exit $status
