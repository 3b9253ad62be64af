#!/usr/bin/env bash
# The linters, from the root of the source tree: lint.sh. Each finding fails it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
status=0
step() { printf 'lint: %s\n' "$1"; shift; "$@" || { printf 'lint: FAILED: %s\n' "$*" | cut -c1-200; status=1; }; }
mapfile -t c_files < <(git ls-files '*.c' '*.h')
mapfile -t sh_files < <(git ls-files '*.sh' .ci/run)
mapfile -t man_files < <(git ls-files 'docs/man/*.in')
step clang-format clang-format-14 --dry-run -Werror "${c_files[@]}"
step cppcheck cppcheck -q --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
  --suppress=missingIncludeSystem --suppress=unknownMacro -DHAVE_CONFIG_H -j "$(nproc)" -I. \
  shared media publish supervisor event worker transcode http rtc ctl lib examples bench
step shellcheck shellcheck "${sh_files[@]}"
for man in "${man_files[@]}"; do
  step "mandoc $man" mandoc -Tlint -Wwarning "$man"
done
exit $status
