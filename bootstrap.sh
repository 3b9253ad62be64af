#!/usr/bin/env bash
# The two commands of camhub, and what they stand on:
#   ./bootstrap.sh              install the packages needed to build, generate configure
#   ./bootstrap.sh demo [URL…]  build, then show a wall of cameras until ^C
#   ./bootstrap.sh check        install what the tests need, build, run every test
set -euo pipefail
umask 022

BUILD_PACKAGES="build-essential autoconf automake libtool pkg-config libevent-dev libnng-dev
  libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libswresample-dev libavdevice-dev libjansson-dev
  libyaml-dev libre-dev libwslay-dev libssl-dev libcrypt-dev libseccomp-dev"
TEST_PACKAGES="check mandoc ffmpeg chromium firefox-esr python3 python3-websockets
  libgstrtspserver-1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
  gstreamer1.0-tools gstreamer1.0-nice python3-gi gir1.2-gst-plugins-bad-1.0 iproute2 procps
  util-linux systemd shellcheck glib-networking openssl"
# For programs that look at the pictures; OpenCV is the large one (85 MB to fetch, with what it needs).
ANALYSE_PACKAGES="python3-opencv python3-numpy python3-av python3-venv python3-pip"
TEST_PACKAGES="$TEST_PACKAGES $ANALYSE_PACKAGES"
TURN_LIBRARIES="libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libevent-pthreads-2.1-7
  libhiredis0.14 libmariadb3 libpq5 libsqlite3-0 libsystemd0"

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() {
  cat <<'EOF'
usage: ./bootstrap.sh                         install packages, generate configure
       ./bootstrap.sh demo [OPTION…] [URL…]   build and show a wall: synthetic cameras, or these
       ./bootstrap.sh check                   install what the tests need, build, run all tests
demo options:
  --listen ADDR:PORT   where the wall is served (default 127.0.0.1:8080)
  --analyse people     find people in the pictures (or --analyse motion) and draw boxes around them; without
                       URLs the cameras are clips of two drawn figures, so that there is somebody to find
  --insecure           allow an address that others can reach: anybody there sees the cameras
EOF
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "not root and no sudo: as root, run: $*"; fi
}

# install_packages PACKAGE…: installs what is missing, and says so before it does.
install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here; please install: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# Build in the clone itself; an earlier build is continued.
build() {
  # shellcheck disable=SC2086 # lists of words
  install_packages $BUILD_PACKAGES "$@"
  if [ ! -x configure ] || [ configure.ac -nt configure ]; then
    say "autoreconf"
    autoreconf -fi >&2
  fi
}

configure_and_make() {
  [ -f config.status ] || { say "configure"; ./configure --quiet >&2; }
  # Configured while the packages of the tests were not there, it would leave the tests out.
  if [ "${1-}" = with_tests ] && grep -Eq '^S\["HAVE_(CHECK|GSTRTSP)_TRUE"\]="#"' config.status; then
    say "configure, with the tests"
    ./config.status --recheck --quiet >&2
    ./config.status --quiet >&2
  fi
  say "make"
  make -s -j "$(nproc)" >&2
}

percent_decode() {
  local text=${1//\\/\\\\}
  printf '%b' "${text//%/\\x}"
}

yaml_quote() { printf "'%s'" "${1//\'/\'\'}"; }

# camera_yaml NUMBER URL: a camera's lines; userinfo goes to the credentials file instead.
camera_yaml() {
  local name="cam$1" url=$2 scheme rest userinfo
  scheme=${url%%://*}
  rest=${url#*://}
  printf '  - name: %s\n' "$name"
  if [[ "$url" == *://*@* && "${rest%%/*}" == *@* ]]; then
    userinfo=${rest%%/*}
    userinfo=${userinfo%@*}
    rest=${rest#"$userinfo"@}
    [[ "$userinfo" == *:* ]] || userinfo+=: # a user without a password
    printf '%s:%s:%s\n' "$name" "$(percent_decode "${userinfo%%:*}")" "$(percent_decode "${userinfo#*:}")" \
      >> "$demo_dir/cameras.cred"
    printf '    credentials: %s\n' "$name"
    url="$scheme://$rest"
  fi
  printf '    title: %s\n' "$(yaml_quote "Camera $1")"
  printf '    url: %s\n' "$(yaml_quote "$url")"
}

demo_yaml() {
  local number=0 url
  printf 'http:\n  listen: [ %s ]\n' "$(yaml_quote "$listen")"
  [ -z "$insecure" ] || printf '  insecure: true\n'
  printf 'cameras:\n'
  if [ $# -eq 0 ] && [ -n "$analyse" ]; then
    cat <<EOF
  - name: door
    title: Front door (drawn)
    url: $(yaml_quote "file:$demo_dir/door.mp4?loop=1")
  - name: yard
    title: Yard (drawn)
    url: $(yaml_quote "file:$demo_dir/yard.mp4?loop=1")
EOF
    return
  fi
  if [ $# -eq 0 ]; then
    cat <<'EOF'
  - name: door
    title: Front door
    url: test:clock?size=1280x720&fps=25&gop=50&codec=h264
  - name: yard
    title: Yard
    url: test:clock?size=1280x720&fps=25&gop=250&codec=h264
  - name: till
    title: Till (MJPEG)
    url: test:clock?size=640x360&fps=10&codec=mjpeg
EOF
    return
  fi
  for url in "$@"; do
    number=$((number + 1))
    camera_yaml "$number" "$url"
  done
}

# The programs of the build tree under the names and in the one place of an installation.
assemble_libexec() {
  mkdir "$demo_dir/libexec"
  local program
  for program in worker/camhub-worker worker/camhub-worker-av transcode/camhub-transcode http/camhub-http rtc/camhub-rtc supervisor/camhub-resolve event/camhub-event auth/camhub-auth; do
    ln -s "$PWD/$program" "$demo_dir/libexec/${program##*/}"
  done
}

wait_until_it_answers() {
  local host=${listen%:*} port=${listen##*:}
  host=${host#[}
  host=${host%]}
  case $host in 0.0.0.0) host=127.0.0.1 ;; ::) host=::1 ;; esac
  while kill -0 "$supervisor" 2>/dev/null; do
    if (exec 3<>"/dev/tcp/$host/$port" && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 &&
      read -r -t 2 _ code _ <&3 && [ "$code" = 200 ]) 2>/dev/null; then
      return 0
    fi
    sleep 0.2
  done
  return 1
}

# What it takes to analyse: Debian's modules, and those of python/requirements.txt.
prepare_analysis() {
  # shellcheck disable=SC2086 # a list of words
  install_packages $ANALYSE_PACKAGES
  python/venv.sh python/.venv >&2 || die "what the program needs could not be fetched from PyPI (see above)"
}

# Figures to be found, when no camera was named.
draw_clips() {
  say "drawing people: two clips of 8 s"
  python/.venv/bin/python -B examples/walkers.py "$demo_dir/door.mp4" 0
  python/.venv/bin/python -B examples/walkers.py "$demo_dir/yard.mp4" 1
}

# In the background, until the supervisor has ended.
start_analyser() {
  local cameras=(door yard)
  [ "$1" -eq 0 ] || mapfile -t cameras < <(seq -f 'cam%g' "$1")
  PYTHONPATH=python python/.venv/bin/python -B "examples/$analyse.py" --directory "$demo_dir/run/bus" "${cameras[@]}" &
  analyser=$!
}

demo() {
  local listen=127.0.0.1:8080 insecure='' analyse='' analyser='' urls=() status=0
  while [ $# -gt 0 ]; do
    case $1 in
      --listen) [ $# -ge 2 ] || die "--listen needs ADDR:PORT"; listen=$2; shift ;;
      --listen=*) listen=${1#*=} ;;
      --insecure) insecure=yes ;;
      --analyse) [ $# -ge 2 ] || die "--analyse needs people or motion"; analyse=$2; shift ;;
      --analyse=*) analyse=${1#*=} ;;
      -*) usage >&2; exit 2 ;;
      *) urls+=("$1") ;;
    esac
    shift
  done
  [[ "$listen" =~ ^.+:[0-9]+$ ]] || die "--listen: expected ADDR:PORT, got '$listen'"
  case $listen in
    127.*|localhost:*|"[::1]":*) ;;
    *) [ -n "$insecure" ] || die "$listen can be reached by others, and anybody there would see the cameras: add --insecure if that is wanted" ;;
  esac
  case $analyse in ''|people|motion) ;; *) die "--analyse: expected people or motion, got '$analyse'" ;; esac
  build
  configure_and_make
  [ -z "$analyse" ] || prepare_analysis

  demo_dir=$(mktemp -d /tmp/camhub-demo.XXXXXX)
  supervisor=
  trap 'rm -rf "$demo_dir"' EXIT
  [ -z "$analyse" ] || [ ${#urls[@]} -gt 0 ] || draw_clips
  (umask 077; : > "$demo_dir/cameras.cred"; demo_yaml "${urls[@]}" > "$demo_dir/camhub.yaml")
  mkdir -m 0750 "$demo_dir/run"
  assemble_libexec
  # shellcheck disable=SC2086 # what runs of them
  trap 'trap "" INT TERM; kill -TERM $analyser $supervisor 2>/dev/null || true' INT TERM
  supervisor/camhub-supervisor --config "$demo_dir/camhub.yaml" --credentials "$demo_dir/cameras.cred" \
    --runtime-dir "$demo_dir/run" --libexec-dir "$demo_dir/libexec" --web-dir "$PWD/web" &
  supervisor=$!
  if wait_until_it_answers; then
    [ -z "$analyse" ] || start_analyser ${#urls[@]}
    printf '\n  The wall: http://%s/\n  Its state: ctl/camctl --runtime-dir %s status\n  ^C stops it.\n\n' \
      "$listen" "$demo_dir/run"
  fi
  # The trap interrupts the first wait; the second one then gets the exit status.
  wait "$supervisor" || status=$?
  if kill -0 "$supervisor" 2>/dev/null; then
    status=0
    wait "$supervisor" || status=$?
  fi
  if [ -n "$analyser" ]; then
    kill -TERM "$analyser" 2>/dev/null || true
    wait "$analyser" || true
  fi
  return "$status"
}

# What the tests take from npm, exactly as in the lock file; without it they are skipped, and say so.
install_from_npm() {
  [ ! tests/node_modules/.package-lock.json -nt tests/package-lock.json ] || return 0
  command -v npm >/dev/null || install_packages npm
  say "npm ci, in tests/"
  npm ci --prefix tests --ignore-scripts --no-audit --no-fund >&2 ||
    say "that failed: the tests of accessibility will be skipped"
}

# The same from PyPI.
install_from_pypi() {
  local modules=tests/python_modules
  [ ! $modules/.complete -nt tests/requirements.txt ] || return 0
  [ -e /usr/lib/python3/dist-packages/pip ] || install_packages python3-pip
  say "pip install, into $modules"
  rm -rf $modules
  if /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
    --ignore-requires-python --only-binary :all: --require-hashes --target $modules -r tests/requirements.txt >&2
  then touch $modules/.complete
  else say "that failed: the test of go2rtc-client will be skipped"; fi
}

# A TURN server for one test. As a package it would be a service that others reach; its program is taken alone.
unpack_turn_server() {
  local to=tests/coturn
  if command -v turnserver >/dev/null || [ -x $to/usr/bin/turnserver ]; then return 0; fi
  say "coturn, unpacked into $to"
  # shellcheck disable=SC2086 # a list of words
  install_packages $TURN_LIBRARIES
  rm -rf $to
  mkdir $to
  if (cd $to && { apt-get download -q coturn || { as_root apt-get update -q && apt-get download -q coturn; }; } &&
    dpkg-deb -x coturn_*.deb .) >&2
  then return 0; fi
  rm -rf $to
  say "that failed: the test of a TURN server will be skipped"
}

check() {
  # shellcheck disable=SC2086 # a list of words
  build $TEST_PACKAGES
  install_from_npm
  install_from_pypi
  unpack_turn_server
  python/venv.sh python/.venv >&2 || say "that failed: the tests of the Python package will be skipped"
  configure_and_make with_tests
  local status=0
  make check || status=$?
  tests/summary.sh tests
  return "$status"
}

cd "$(dirname "$0")"
case ${1-} in
  '') build; say "now: ./configure && make check" ;;
  demo) shift; demo "$@" ;;
  check) [ $# -eq 1 ] || { usage >&2; exit 2; }; check ;;
  -h|--help|help) usage ;;
  *) usage >&2; exit 2 ;;
esac
