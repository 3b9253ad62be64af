#!/usr/bin/env bash
# Who may include what (docs/architecture.md): include_rule.sh [ROOT]. Prints each breach as file:line: why.
# Before it looks at the real tree it looks at a tree that breaks every rule: a check that cannot fail is none.
set -uo pipefail
root=${1:-$(cd "${srcdir:-$(dirname "$0")}/.." && pwd)}
folders=(shared media publish supervisor event worker transcode http rtc ctl lib auth bench)

# Folders of the tree that a file may include from.
allowed_folders() {
  case $1 in
  shared/digit.h) ;; # media/ includes it: as pure as that, and on its own
  shared/*) echo shared ;;
  media/*) echo media ;;
  publish/* | worker/* | transcode/*) echo "shared media publish ${1%%/*}" ;;
  bench/rtc/*) echo "shared media rtc bench" ;;
  rtc/*) echo "shared media http rtc" ;; # a front of another kind: what fronts share is in http/
  *) echo "shared media ${1%%/*}" ;;
  esac
}

# Why this file must not include this system header; nothing when it may.
forbidden_header() {
  case $2 in
  event2/http*) [[ $1 == http/* || $1 == bench/* ]] || echo 'evhttp only in http/' ;;
  event2/* | event.h) [[ $1 == *_ev.[ch] || $1 == http/* || $1 == bench/* || ( $1 == rtc/* && $1 != rtc/@(estimate|rtcp|sdp|srtp|stun)*.[ch] ) ]] ||
    echo 'libevent only in *_ev files, http/, and rtc/ but for its codecs' ;;
  nng/*) [[ $1 == shared/bus.c ]] || echo 'nng only in shared/bus.c' ;;
  libav* | libsw*) [[ $1 == worker/av_*.[ch] || $1 == transcode/*.[ch] || $1 == bench/* ]] || echo 'FFmpeg only in worker/av_* and transcode/' ;;
  wslay/*) [[ $1 == http/* ]] || echo 'wslay only in http/' ;;
  re.h | re_*.h | re/*) [[ $1 == rtc/stun.c || $1 == rtc/srtp.c ]] || echo 'libre only in rtc/stun.c and rtc/srtp.c' ;;
  seccomp.h) [[ $1 == shared/sandbox*.[ch] ]] || echo 'libseccomp only in shared/sandbox*' ;;
  yaml.h) [[ $1 == shared/conf*.[ch] ]] || echo 'libyaml only in shared/conf*' ;;
  openssl/*) [[ $1 == shared/token*.c || ( $1 != shared/* && $1 != ctl/* ) ]] || echo 'OpenSSL not in ctl/, and of shared/ only in token*' ;;
  check.h) echo 'check only in tests/' ;;
  assert.h | ctype.h | errno.h | inttypes.h | limits.h | math.h | stdarg.h | stdbool.h | stddef.h | stdint.h | stdio.h | stdlib.h | string.h | sys/uio.h) ;;
  *) [[ $1 != media/* && $1 != shared/digit.h ]] || echo 'media/ is pure: the C library only, no I/O' ;;
  esac
}

check_line() { # FILE LINE INCLUDE
  local file=$1 line=$2 include=$3 name=${3:1:-1} folder why
  if [[ $include == '<'* ]]; then
    why=$(forbidden_header "$file" "$name")
    [[ -z $why ]] || echo "$file:$line: $include: $why"
    return
  fi
  [[ $name != config.h ]] || return
  [[ $file != media/* || $name != shared/digit.h ]] || return
  [[ $name == */* ]] || { echo "$file:$line: $include: paths begin at the root of the tree"; return; }
  for folder in $(allowed_folders "$file"); do
    [[ $name != "$folder"/* ]] || return
  done
  echo "$file:$line: $include: ${file%%/*}/ may include $(allowed_folders "$file" | tr ' ' ,) only"
}

check_tree() ( # ROOT
  cd "$1" || exit
  dirs=()
  for folder in "${folders[@]}"; do
    [[ ! -d $folder ]] || dirs+=("$folder")
  done
  grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "${dirs[@]}" |
    sed -nE 's/^([^:]+):([0-9]+):[[:space:]]*#[[:space:]]*include[[:space:]]*(<[^>]+>|"[^"]+").*/\1 \2 \3/p' |
    while read -r file line include; do
      check_line "$file" "$line" "$include"
    done
  # Timers go through shared/clock, which a test can stop.
  grep -rnE --include='*.[ch]' '\b(evtimer_(new|add|assign)|timerfd_create|setitimer|event_base_once)\b' "${dirs[@]}" |
    grep -vE '^(shared/clock_ev|lib/poller)\.c:' | sed -E 's/^([^:]+:[0-9]+):.*/\1: a timer that is not of shared\/clock/'
  # The test program must not be able to forget its loop: bases come from the harness.
  [[ ! -d tests ]] || grep -nE '\bevent_base_(dispatch|loop)\b' tests/check_*.c /dev/null |
    sed -E 's/^([^:]+:[0-9]+):.*/\1: a loop of its own: use the harness/'
)

broken=$(mktemp -d)
trap 'rm -rf "$broken"' EXIT
expected=0
breach() { # FILE TEXT
  mkdir -p "$broken/${1%/*}"
  printf '%s\n' "$2" >>"$broken/$1"
  expected=$((expected + 1))
}
breach shared/log.c '#include "http/hub.h"'
breach shared/log.c '#include "media/nal.h"'
breach shared/chan.c '#include <event2/event.h>'
breach shared/chan_ev.c '#include <event2/http.h>'
breach shared/log.h '#  include <nng/nng.h>'
breach shared/log.c '#include <openssl/evp.h>'
breach media/nal.c '#include "shared/log.h"'
breach media/nal.c '#include <unistd.h>'
breach shared/digit.h '#include <unistd.h>'
breach shared/digit.h '#include "shared/xalloc.h"'
breach supervisor/sup.c '#include "publish/wrk.h"'
breach supervisor/sup.c '#include <nng/nng.h>'
breach supervisor/sup_ev.c '#include <libavformat/avformat.h>'
breach publish/wrk.c '#include <libavcodec/avcodec.h>'
breach publish/wrk.c '#include "wrk.h"'
breach publish/wrk.c '#include "worker/av_input.h"'
breach http/hub.c '#include "ctl/ctl.h"'
breach http/hub.c '#include <libswscale/swscale.h>'
breach ctl/ctl.c '#include <yaml.h>'
breach worker/main.c '#include <seccomp.h>'
breach ctl/ctl.c '#include <check.h>'
breach transcode/tc.c '#include <wslay/wslay.h>'
breach http/hub.c '#include "rtc/stun.h"'
breach rtc/peer.c '#include <re.h>'
breach rtc/sdp_parse.c '#include <event2/event.h>'
breach rtc/peer.c '#include "worker/av_input.h"'
breach publish/wrk_ev.c 'evtimer_new(base, cb, arg);'
breach tests/check_x.c '	event_base_dispatch(base);'
found=$(check_tree "$broken")
if [[ $(grep -c . <<<"$found") != "$expected" ]]; then
  echo "include_rule: the rules find not exactly the $expected breaches that were made, but:"
  echo "$found"
  exit 1
fi

breaches=$(check_tree "$root")
[[ -z $breaches ]] || { echo "$breaches"; exit 1; }
