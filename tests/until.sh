#!/bin/sh
# Iterations until a condition, counted by a function of C (tests/until/main.c): turns, statuses, memory. And the text: it is
# as long for ten turns as for a hundred thousand.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/until
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/until/* "$work"
cd "$work" || exit 2
log=$(pwd)/log
. "$top/tests/counting"
models() {
    for name in count last_alone rows; do
        "$GRADC" --model=$name count.grad -o $name.c || return 1
    done
}
program() { # program NAME COMPILER OPTION ...
    name=$1
    shift
    "$@" -std=c99 -D_POSIX_C_SOURCE=200112L -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow \
        -Wmissing-prototypes -Werror -I"$top/runtime" -I. main.c count.c last_alone.c rows.c -o "$name" -lm
}
same_length() { # of the text, whatever the most is
    for most in 10 100000; do
        sed "s/dim most;//; s/x\[t\] >= end, most/x[t] >= end, $most/" count.grad >few.grad
        "$GRADC" --model=count few.grad -o few.c || return 1
        wc -l <few.c >lines.$most
    done
    cmp lines.10 lines.100000
}
ok "models compile" models
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    for flags in -O0 -O3; do
        ok "$compiler $flags" program plain $compiler $flags && ok "turns, $compiler $flags" ./plain
    done
    ok "$compiler, undefined behaviour" program plain $compiler -O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error &&
        ok "turns, $compiler, undefined behaviour" ./plain
done
ok "the text does not grow with the turns" same_length
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
