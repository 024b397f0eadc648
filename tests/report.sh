#!/bin/sh
# What --report says of memory is what the C asks for, and what it says of work is what a count by hand gives.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
log=$work/log
. tests/counting

# workspace MODEL OPTIONS: the largest of each name in the report against the C function of that name
workspace() {
    # shellcheck disable=SC2086
    "$GRADC" $2 --prefix=m -o "$work/m.c" "$1" && "$GRADC" --report --prefix=m $2 "$1" >"$work/report" || return 1
    sed -n 's/^  workspace: \([0-9]*\) bytes, \(.*\)$/\2 \1/p' "$work/report" | sort -k 1,1 -k 2,2nr | sort -u -k 1,1 >"$work/said"
    [ -s "$work/said" ] || return 1
    {
        printf '#include "m.h"\n#include <stdio.h>\n'
        echo 'int main(void) { m_args a; int bad = 0;'
        while read -r name bytes; do
            echo "{ size_t n = $name(&a); if (n != $bytes) { printf(\"$name: %zu, reported $bytes; \", n); bad = 1; } }"
        done <"$work/said"
        echo 'return bad; }'
    } >"$work/main.c"
    cc -w -Iruntime -I"$work" -o "$work/run" "$work/main.c" "$work/m.c" -lm && "$work/run"
}
ok "workspace of a chain of sums" workspace tests/report/layers.grad "-D N=100 -D D=7"
ok "workspace of a recurrence" workspace tests/report/steps.grad "-D T=1000"
ok "workspace in float" workspace tests/report/layers.grad "-D N=65 -D D=3 --real=float"

# says MODEL OPTIONS LINE: the report has this line
says() {
    # shellcheck disable=SC2086
    "$GRADC" --report $2 "$1" >"$work/report" && grep -qxF -- "$3" "$work/report" || { cat "$work/report"; return 1; }
}
# by hand: N * D products and N * D sums of a row, N * D entries of 8 bytes twice, N results
ok "operations of a product" says tests/report/product.grad "" \
    "      2 * N * D operations; reads 16 * N * D bytes; writes 8 * N bytes"
ok "and in numbers" says tests/report/product.grad "-D N=10 -D D=20" \
    "      400 operations; reads 3200 bytes; writes 80 bytes"
# 1 + 2 + ... + N of the triangle
ok "a triangle is half" says tests/report/triangle.grad "-D N=10" \
    "      55 operations; reads 440 bytes; writes 80 bytes"
# The whole of it, as text and as JSON, for a few models; ACCEPT=yes writes what is expected
golden() { # golden NAME MODEL OPTION ...
    name=$1 model=$2
    shift 2
    "$GRADC" --report "$@" "$model" >"$work/$name.txt" 2>"$work/err" &&
        "$GRADC" --report=json "$@" "$model" >"$work/$name.json" 2>"$work/err" || { cat "$work/err"; return 1; }
    if [ "${ACCEPT:-no}" = yes ]; then cp "$work/$name.txt" "$work/$name.json" tests/report; fi
    diff -u "tests/report/$name.txt" "$work/$name.txt" && diff -u "tests/report/$name.json" "$work/$name.json"
}
ok "report of lse" golden lse samples/gradbench/lse.grad
ok "report of a chain of sums" golden layers tests/report/layers.grad
ok "report within a bound" golden gates tests/budget/gates.grad --max-workspace=20000 --assume T=200 --assume n=8
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
