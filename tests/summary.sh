#!/bin/sh
# summary.sh DIR: what the test programs in DIR said of themselves, after "make check": the lines of
# check and unittest, the reasons of those that were skipped, the end of the log of those that failed, and one closing line.
set -eu
cd "$1"
passed=0 failed=0 skipped=0
for trs in *.trs */*.trs; do
  [ -f "$trs" ] || continue
  log=${trs%.trs}.log
  result=$(sed -n 's/^:global-test-result: //p' "$trs")
  case $result in
    PASS) passed=$((passed + 1)) ;;
    SKIP) skipped=$((skipped + 1)) ;;
    *)
      failed=$((failed + 1))
      echo "== the end of what ${trs%.trs} said:"
      tail -n 60 "$log"
      ;;
  esac
  grep -hE '^[0-9]+%: Checks: |^Ran [0-9]+ tests? in ' "$log" | sed "s|^|${trs%.trs}: |" || true
  grep -h '^SKIP: ' "$log" | sed "s|^SKIP|${trs%.trs}: SKIP|" || true
done
echo "$passed passed, $failed failed, $skipped skipped"
