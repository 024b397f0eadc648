#!/bin/sh
# Emitted C computes what the interpreter computes: every model at hand, through tests/emitted/emitted.c, which says more;
# some of them again under the sanitizers of gcc and clang.
#
#   tests/emitted.sh [--thorough]
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
options=
[ "${1:-}" != --thorough ] || options=--thorough
work=$BUILD/emitted
rm -rf "$work"
mkdir -p "$work" || exit 2
passed=0 failed=0 skipped=0

# Programs elsewhere are counted as skipped where they are not; the same text is not compiled twice.
models=
seen=
for file in tests/emitted/*.grad tests/models/*.grad samples/*.grad samples/mnist/*.grad samples/gradbench/*.grad samples/robot/*.grad tests/bench/problems/*.grad tests/library/*_use.grad tests/golden/right/*.grad ../shared/language/programs/*.grad; do
    [ -f "$file" ] || { skipped=$((skipped + 1)); continue; }
    sum=$(sed '2,$s,//.*,,' "$file" | tr -d ' \t\n' | cksum) # but for comments; the first may hold options
    case $seen in *"<$sum>"*) continue ;; esac
    seen="$seen<$sum>"
    models="$models $file"
done

run() { # run PROGRAM ARGUMENT ...: adds its sum to ours
    "$@" >"$work/log" 2>&1
    status=$?
    sed '$d' "$work/log"
    # shellcheck disable=SC2046
    set -- $(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$work/log")
    if [ $# = 3 ] && { [ "$status" = 0 ] || [ "$2" != 0 ]; }; then
        passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    else
        tail -n 1 "$work/log"
        echo "ended with status $status"
        failed=$((failed + 1))
    fi
}
# shellcheck disable=SC2086
run "$BUILD/tests/emitted" $options --jobs "${JOBS:-2}" --runtime runtime --work "$work" $models

some=
for name in a09_kinks a05_operations b02_links b07_acyclic b11_convolution c03_tables c05_hmm c08_mean_field d06_gmm d07_lstm f01_control f02_alignment f04_mixed; do
    for file in samples/$name.grad ../shared/language/programs/$name.grad; do
        [ ! -f "$file" ] || { some="$some $file"; break; }
    done
done
ASAN_OPTIONS=detect_leaks=0 # the program is not freed at the end of a test that failed
export ASAN_OPTIONS
for pair in gcc:libasan.so clang:libclang_rt.asan-x86_64.so; do
    library=$("${pair%%:*}" -print-file-name="${pair#*:}" 2>/dev/null)
    case $library in
    # shellcheck disable=SC2086
    /*) run env LD_PRELOAD="$library" "$BUILD/tests/emitted" --sanitize --jobs "${JOBS:-2}" --config "by ${pair%%:*}" --runtime runtime --work "$work" $some ;;
    *) skipped=$((skipped + 1)) ;;
    esac
done
rm -rf "$work"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
