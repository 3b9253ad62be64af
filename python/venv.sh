#!/usr/bin/env bash
# venv.sh DIR: a virtual environment in DIR with what requirements.txt names and Debian's own modules (numpy, PyAV,
# OpenCV where they are installed). One that is there and newer stays. Exit 1, and why, when it cannot be made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
[ "$venv/.complete" -nt "$here/requirements.txt" ] && exit 0
rm -rf "$venv"
# pip of the system installs into it, so that nothing but the lock is fetched.
/usr/bin/python3 -m venv --system-site-packages --without-pip "$venv"
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
/usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
  --only-binary :all: --require-hashes --target "$site" -r "$here/requirements.txt"
touch "$venv/.complete"
