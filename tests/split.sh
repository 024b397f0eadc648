#!/bin/sh
# Models of very many equations: their functions are printed as parts, no part is large, the numbers are those of the evaluator,
# and they are the same to the last bit as in one function.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/split
rm -rf "$work"
mkdir -p "$work/em" || exit 2
log=$work/log
LC_ALL=C
export LC_ALL
. "$top/tests/counting"
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wmissing-prototypes -Werror -I$top/runtime"

model() { # model FORM N: a model of tests/bench/scale.awk, and its C
    awk -v form="$1" -v n="$2" -f tests/bench/scale.awk /dev/null >"$work/$1.grad" &&
        "$GRADC" -o "$work/$1.c" "$work/$1.grad"
}
# parts FORM LEAST MOST: there are so many parts, and the longest has so many statements at most
parts() {
    awk -v least="$2" -v most="$3" '
        /^\/\* Part [0-9]+ of [0-9]+ of / { parts++; inside = 1; n = 0 }
        inside && /;$/ { n++; longest = n > longest ? n : longest }
        /^}/ { inside = 0 }
        END {
            print parts " parts, the longest of " longest " statements"
            exit !(parts >= least && longest > 10 && longest <= most)
        }' "$work/$1.c"
}
same_numbers() { "$BUILD/tests/emitted" --runtime runtime --work "$work/em" --config 'gcc -O2' --only "$2" "$work/$1.grad"; }
room() { # room FORM FUNCTION SIZE_FUNCTION: the report says how much workspace there is
    said=$("$GRADC" --report "$work/$1.grad" | sed -n "/^$2:/,/^\$/s/^  workspace: \\([0-9]*\\) bytes.*/\\1/p")
    printf '#include "%s.h"\n#include <stdio.h>\nint main(void) { m_args a = {0}; printf("%%zu\\n", %s(&a)); return 0; }\n' \
        "$1" "$3" >"$work/room.c"
    ${CC:-cc} $strict -I"$work" "$work/room.c" "$work/$1.c" -lm -o "$work/room" || return
    is=$("$work/room")
    echo "reported $said, is $is"
    [ -n "$said" ] && [ "$said" = "$is" ]
}

# chain: forward and backward are small enough for one function each, value and gradient at once are not
if ok "chain" model chain 500; then
    ok "parts of a chain" parts chain 12 350
    ok "the report names them" sh -c "'$GRADC' --report '$work/chain.grad' | grep -q '^  [0-9]* parts, each a C function; [1-9][0-9]* slots'"
    ok "the workspace of parts" room chain m_value_and_gradient m_value_and_gradient_workspace
    cat >"$work/bits.c" <<'END'
#include "chain.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    double b, u, y[2] = {0}, g[2][2] = {{0}};
    m_args a;
    memset(&a, 0, sizeof a);
    void *w = aligned_alloc(64, (m_workspace(&a) + 63) / 64 * 64);
    for (u = -1.5; u < 1.6; u += 0.3) {
        for (b = 0.1; b < 2; b += 0.6) {
            a.a = u, a.b = b;
            a.y = &y[0], a.a_grad = &g[0][0], a.b_grad = &g[0][1];
            if (m_value_and_gradient(&a, w)) return 2;
            a.y = &y[1], a.a_grad = &g[1][0], a.b_grad = &g[1][1];
            if (m_forward(&a, w) || m_backward(&a, w)) return 2;
            if (memcmp(&y[0], &y[1], sizeof y[0]) || memcmp(g[0], g[1], sizeof g[0])) {
                printf("a = %g, b = %g: %a %a %a, %a %a %a\n", u, b, y[0], g[0][0], g[0][1], y[1], g[1][0], g[1][1]);
                return 1;
            }
        }
    }
    free(w);
    return 0;
}
END
    one() { ! grep -q 'm_backward_run' "$work/chain.c" && grep -q 'm_value_and_gradient_run' "$work/chain.c"; }
    ok "one of the two is in parts" one
    for cc in "gcc -O1" "clang -O2"; do
        ok "parts keep the bits: $cc" sh -c "$cc -std=c11 -ffp-contract=off -I$top/runtime -I$work $work/bits.c $work/chain.c -lm -o $work/bits && $work/bits"
    done
fi
# mixed: loops between long runs of equations; --openmp has parts of loops besides
awk 'BEGIN {
    print "model m {\n dim N;\n input real x[N];\n param real a, b, w[N];\n v0 = a * b;"
    for (k = 1; k <= 500; k++) printf " v%d = sin(v%d) * a + b;\n", k, k - 1
    print " r[n] = tanh(x[n] * w[n] + v500);\n s = sum[n](r[n] * w[n]);\n u0 = s;"
    for (k = 1; k <= 200; k++) printf " u%d = tanh(u%d * v%d) + s;\n", k, k - 1, k
    print " y = u200;\n z[n] = r[n] * u100;\n output y, z;\n derive gradient(y; a, b, w);\n}" }' >"$work/mixed.grad"
if ok "mixed" "$GRADC" -o "$work/mixed.c" "$work/mixed.grad"; then
    ok "parts of mixed" parts mixed 12 500
    ok "mixed by the evaluator" same_numbers mixed m
    ok "mixed in threads" "$GRADC" --openmp -o "$work/mixed.c" "$work/mixed.grad"
    ok "mixed in threads is C" ${CC:-cc} $strict -O0 -fopenmp -fsyntax-only "$work/mixed.c"
fi
# vector: results entry by entry; small: long sums under a test for NULL; conditions: choices; tree: one large expression
for form in "vector 350 12" "small 70 12" "conditions 350 12" "tree 3000 20"; do
    set -- $form
    ok "$1" model "$1" "$2" || continue
    ok "parts of $1" parts "$1" "$3" 500
    ok "$1 by the evaluator" same_numbers "$1" m
    ok "$1 in parts is C" ${CC:-cc} $strict -O0 -fsyntax-only "$work/$1.c"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
