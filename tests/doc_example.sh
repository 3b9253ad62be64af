#!/bin/sh
# docs/testing.md shows check_example.c as it is, from "The code under test" on.
set -eu
top=$(cd "${srcdir:-$(dirname "$0")}/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -n '/^\/\* The code under test/,$p' "$top/tests/check_example.c" >"$tmp/compiled"
# shellcheck disable=SC2016 # the quotes hold backquotes of Markdown
sed -n '/^```c$/,/^```$/{/^```/d;p}' "$top/docs/testing.md" | sed -n '/^\/\* The code under test/,$p' >"$tmp/shown"
test -s "$tmp/shown"
diff -u "$tmp/shown" "$tmp/compiled"
