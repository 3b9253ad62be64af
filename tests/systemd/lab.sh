#!/usr/bin/env bash
# A private systemd: Debian's own as process 1 of new namespaces over a throw-away copy of /, with a
# network of its own. Nothing of the host is started, written or killed.
#
#   lab.sh ROOT SECONDS        ROOT/ is laid over / in the lab; ROOT/lab/drive is what runs in it
#
# Needs root and a pty as stdin (run it under: script -qefc "lab.sh …" /dev/null). What ROOT/lab/drive
# prints is on stdout. cgroups: the unified hierarchy.
set -euo pipefail
root=$1
seconds=$2
here=$(cd "$(dirname "$0")" && pwd)
lab=$(mktemp -d)
name=camhub-lab-$$

# Where this process is in the unified hierarchy; on a hybrid host that is mounted in a place of its own.
mount_of() { awk -v want="$1" '$0 ~ " - cgroup2 " && !found { print $5; found = 1 }' /proc/self/mountinfo; }
own() { sed -n 's/^0:://p' /proc/self/cgroup; }
base=$(mount_of cgroup2)
[ -n "$base" ] || { echo "lab: no cgroup2 hierarchy is mounted"; exit 77; }
cgroup=$base$(own)
cgroup=${cgroup%/}/$name
mkdir -p "$cgroup"

# The named hierarchy too, where there is one: process 1 takes it for its own.
named=$(awk '$0 ~ /name=systemd/ { print $5; exit }' /proc/self/mountinfo)
named_cgroup=
if [ -n "$named" ]; then
  named_cgroup=$named$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup)
  named_cgroup=${named_cgroup%/}/$name
  mkdir -p "$named_cgroup"
fi

# shellcheck disable=SC2317 # the trap calls it
clean() {
  local dir
  for dir in $cgroup $named_cgroup; do
    # A process that dies keeps its cgroup busy for a moment.
    for _ in $(seq 100); do
      find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$dir" ] || break
      sleep 0.1
    done
  done
  rmdir "$lab" 2>/dev/null || true
}
trap clean EXIT

status=0
(
  for dir in $cgroup $named_cgroup; do echo "$BASHPID" > "$dir/cgroup.procs"; done
  export LAB=$lab ROOT=$root
  exec timeout --foreground --signal=KILL "$seconds" unshare --mount --pid --fork --cgroup --uts --ipc --net \
    --kill-child bash "$here/lab-inner.sh"
) || status=$?
exit $status
