#!/usr/bin/env bash
# Inside the new namespaces: put together the root that process 1 will see, and become process 1.
set -euo pipefail
mount --make-rprivate /
mount -t tmpfs tmpfs "$LAB"
mkdir "$LAB/upper" "$LAB/work" "$LAB/root"
cp -a "$ROOT/." "$LAB/upper/"
chmod 755 "$LAB/upper" # it is the lab's /
R=$LAB/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$LAB/upper,workdir=$LAB/work" "$R"

mount -t proc proc "$R/proc"
# Never let systemd-sysctl or anything else touch the host's kernel settings.
mount --bind "$R/proc/sys" "$R/proc/sys"
mount -o remount,ro,bind "$R/proc/sys"
mount -t sysfs -o ro sysfs "$R/sys"
mount -t tmpfs -o mode=755 tmpfs "$R/run"
mount -t tmpfs -o mode=1777 tmpfs "$R/tmp"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m666 "$R/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m666 "$R/dev/tty" c 5 0
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
mount -t tmpfs tmpfs "$R/dev/shm"
ln -s /proc/self/fd "$R/dev/fd"
# Process 1 logs to /dev/console: here that is our pty, not a serial port.
touch "$R/dev/console"
mount --bind "$(tty)" "$R/dev/console"
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"

mount -t tmpfs -o mode=755 tmpfs "$R/etc/systemd/system"
cp -a "$R/lab/units/." "$R/etc/systemd/system/"
echo 0123456789abcdef0123456789abcdef > "$R/etc/machine-id"
ip link set lo up

mkdir -p "$R/oldroot"
cd "$R"
pivot_root . oldroot
umount -l /oldroot
mount --make-rshared / # LoadCredential= needs shared propagation
exec env -i container=camhub-lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=lab.target --log-target=console --log-level=notice --show-status=false
