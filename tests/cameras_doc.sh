#!/usr/bin/env bash
# Each row of docs/cameras.md names a test that exists, as `program: name`. cameras_doc.sh [ROOT]
# shellcheck disable=SC2016 # the backquotes are Markdown's
set -uo pipefail
root=${1:-$(cd "${srcdir:-$(dirname "$0")}/.." && pwd)}

# Prints what is wrong with the rows on stdin, as they stand in the tree.
check_rows() { # ROOT
  local row reference program name files
  while IFS= read -r row; do
    [[ $row == '| '* && $row != '| quirk '* ]] || continue
    reference=$(sed -nE 's/^.*\| `([a-z0-9_]+: [^`]+)` \|$/\1/p' <<<"$row")
    if [[ -z $reference ]]; then
      echo "no test: $row"
      continue
    fi
    program=${reference%%: *} name=${reference#*: }
    files=("$1/tests/$program.c")
    [[ ! -f $1/tests/${program}_rows.h ]] || files+=("$1/tests/${program}_rows.h")
    if [[ ! -f ${files[0]} ]]; then
      echo "no such program: $reference"
    elif ! grep -qF -e "TEST($name" -e "{ \"$name\"" "${files[@]}"; then
      echo "no such test: $reference"
    fi
  done
}

# A check that cannot fail is none.
made=$(printf '%s\n' '| quirk | seen at | does | test |' '|---|---|---|---|' '| x | - | y | none |' \
  '| x | - | y | `check_nothing: x` |' '| x | - | y | `check_media_sdp: no such row` |' \
  '| x | - | y | `check_media_sdp: no control` |' | check_rows "$root" | grep -c .)
if [[ $made != 3 ]]; then
  echo "cameras_doc: found $made of 3 faults that were made"
  exit 1
fi

faults=$(check_rows "$root" <"$root/docs/cameras.md")
rows=$(grep -c '^| ' "$root/docs/cameras.md")
[[ $rows -gt 50 ]] || faults+="only $rows rows"
[[ -z $faults ]] || { echo "$faults"; exit 1; }
