#!/bin/sh
# The unit tests, each plain and under the sanitizers; and the scripts among them.
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
for test in "${BUILD:-build}"/tests/test_* build-san/tests/test_* tests/unit/*.sh; do
    [ -f "$test" ] || continue
    case $test in
    *.p) continue ;;
    *.sh) out=$(sh "$test" 2>&1) ;;
    *) out=$("$test" 2>&1) ;;
    esac
    status=$?
    sum=$(printf '%s\n' "$out" | tail -n 1)
    # shellcheck disable=SC2046
    set -- $(printf '%s\n' "$sum" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*$/\1 \2/p')
    if [ $# -lt 2 ]; then
        printf '%s\n%s: no sum at its end (exit status %s)\n' "$out" "$test" "$status"
        failed=$((failed + 1))
        continue
    fi
    passed=$((passed + $1)) failed=$((failed + $2))
    if [ "$2" != 0 ] || [ "$status" != 0 ]; then
        printf '%s\n%s: failed (exit status %s)\n' "$out" "$test" "$status"
        [ "$2" != 0 ] || failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
