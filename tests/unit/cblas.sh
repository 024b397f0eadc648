#!/bin/sh
# cblas.sh: products that go to a BLAS. With the cblas.h of this folder, which counts its calls: every layout in both precisions, and a
# model's value and gradient, whose C is the same text. Then with the BLAS that is installed, if there is one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
runtime=$here/../../runtime
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
good() { # good WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $what"
        tail -n 5 "$work/log"
    fi
}
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror"
cat >"$work/net.grad" <<'END'
model net {
  dim N, D, H, C;
  input real x[N, D];
  param real V[H, D], W[C, H];
  h[n, j] = tanh(sum[i](V[j, i] * x[n, i]));
  z[n, c] = sum[j](W[c, j] * h[n, j]);
  loss    = sum[n, c](z[n, c]^2);
  output loss;
  derive gradient(loss; V, W);
}
END
cat >"$work/main.c" <<'END'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#ifdef SINGLE
typedef float T;
#else
typedef double T;
#endif
static T x[13 * 37], V[19 * 37], W[11 * 19], gV[19 * 37], gW[11 * 19];
int main(void) {
    T loss;
    net_args a = {0};
    void *workspace;
    int i;
    for (i = 0; i < 13 * 37; i++) x[i] = (T)(i * 7 % 23) / 23 - (T)0.5;
    for (i = 0; i < 19 * 37; i++) V[i] = (T)(i * 5 % 29) / 29 - (T)0.5;
    for (i = 0; i < 11 * 19; i++) W[i] = (T)(i * 3 % 31) / 31 - (T)0.5;
    a.N = 13, a.D = 37, a.H = 19, a.C = 11, a.x = x, a.V = V, a.W = W, a.loss = &loss, a.V_grad = gV, a.W_grad = gW;
    workspace = aligned_alloc(64, net_workspace(&a));
    if (net_forward(&a, workspace) != 0) return 1;
#ifdef COUNT /* the emitted C is in this file too */
    i = cblas_gemm_calls + cblas_gemv_calls;
#endif
    if (net_backward(&a, workspace) != 0) return 1;
#ifdef COUNT
    fprintf(stderr, "%d", i > 0 && cblas_gemm_calls + cblas_gemv_calls > i);
#endif
    printf("%.4g\n", (double)loss);
    for (i = 0; i < 19 * 37; i++) printf("%.3f\n", (double)gV[i] + 1e-7);
    for (i = 0; i < 11 * 19; i++) printf("%.3f\n", (double)gW[i] + 1e-7);
    free(workspace);
    return 0;
}
END
for compiler in gcc clang; do
    command -v $compiler >/dev/null 2>&1 || continue
    good "layouts, $compiler" sh -c "$compiler $strict -O2 -DGRADC_CBLAS -I $here/cblas -I $runtime $here/cblas/layouts.c -o $work/layouts -lm && $work/layouts"
done
for real in double float; do
    single=
    [ $real = float ] && single=-DSINGLE
    good "compile net" "${GRADC:-build/compiler/gradc}" --real=$real "$work/net.grad" -o "$work/net.c"
    good "plain" sh -c "cc -O2 $single -I $runtime -I $work $work/main.c $work/net.c -o $work/plain -lm && $work/plain >$work/plain.out"
    good "counted" sh -c "cc -O2 $single -DGRADC_CBLAS -I $here/cblas -I $runtime -I $work -include $work/net.c -DCOUNT $work/main.c -o $work/counted -lm && $work/counted >$work/counted.out 2>$work/calls"
    good "forward and backward both call the BLAS, $real" test "$(cat "$work/calls")" = 1
    good "the same numbers" cmp "$work/plain.out" "$work/counted.out"
done
for library in openblas cblas blas; do
    printf '#include <cblas.h>\nint main(void) { return cblas_dasum(0, 0, 1) > 0; }\n' >"$work/try.c"
    cc "$work/try.c" -o "$work/try" -l$library >/dev/null 2>&1 || continue
    good "unit tests with lib$library" sh -c "cc -O2 -DGRADC_CBLAS -I $runtime $here/test_runtime.c -o $work/unit -l$library -lm && OPENBLAS_NUM_THREADS=1 $work/unit"
    break
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
