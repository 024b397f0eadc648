#!/bin/sh
# runtime_warnings.sh: runtime/gradc.h compiles without a warning, as C99 at four levels of optimisation, as C++17 at one, with
# gcc and clang, with or without -fopenmp-simd (as C99 at -O2 both); all of it in one file, and each part alone with only the parts
# that it says it needs, as `gradc --standalone` cuts them out. It refuses -ffast-math, and its loops become vector code.
#
# usage: runtime_warnings.sh     (from anywhere; compilers that are not installed are left out)
set -u
here=$(cd "$(dirname "$0")" && pwd)
header=$here/../../runtime/gradc.h
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wunknown-pragmas -Werror"

check() { # check WHAT COMMAND...: it succeeds and prints nothing
    what=$1
    shift
    if "$@" >"$work/log" 2>&1 && [ ! -s "$work/log" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $what: $*"
        head -n 20 "$work/log"
    fi
}

# The parts, and for each of them a file with what it needs in the order of the header. Then all of them are called.
awk -v dir="$work" '
    /^\/\* @part / { name = $3; order[++n] = name; need[name] = $0; sub(/.* needs ?/, "", need[name]); sub(/ ?\*\/.*/, "", need[name]); next }
    /^\/\* @end \*\// { name = ""; next }
    name != "" { text[name] = text[name] $0 "\n" }
    function mark(part, words, count, i) {
        if (part in wanted) return
        if (!(part in text)) { print "unknown part " part > "/dev/stderr"; exit 1 }
        wanted[part] = 1
        count = split(need[part], words, " ")
        for (i = 1; i <= count; i++) mark(words[i])
    }
    END {
        for (i = 1; i <= n; i++) {
            split("", wanted)
            mark(order[i])
            file = dir "/part_" order[i] ".c"
            for (j = 1; j <= n; j++) if (order[j] in wanted) printf "%s", text[order[j]] > file
            print "extern int part_is_not_empty;" > file
            close(file)
        }
    }' "$header" || exit 2

cat >"$work/use.c" <<'EOF'
#include "gradc.h"
#define EACH(F) F(exp) F(expm1) F(exp2) F(log) F(log1p) F(log2) F(log10) F(sqrt) F(cbrt) F(sin) F(cos) F(tan) F(asin) F(acos) \
    F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) F(erf) F(erfc) F(sigmoid) F(softplus) F(log1mexp) F(lgamma) \
    F(digamma) F(abs) F(sign) F(relu) F(floor) F(ceil) F(round)
#define EACH2(F) F(pow) F(atan2) F(hypot) F(mod) F(min) F(max) F(weight) F(logaddexp)
#ifdef __cplusplus
extern "C" {
#endif
void use(size_t n, const double *gradc_restrict x, const float *gradc_restrict u, double *gradc_restrict y, float *gradc_restrict v,
    const int64_t *gradc_restrict at, int *status);
void use(size_t n, const double *gradc_restrict x, const float *gradc_restrict u, double *gradc_restrict y, float *gradc_restrict v,
    const int64_t *gradc_restrict at, int *status)
{
    size_t i;
    double sum = 0.0, row[8] = {0};
    float rowf[16] = {0};
#define ONE(name) \
    GRADC_LANES \
    for (i = 0; i < n; i++) { \
        y[i] += gradc_##name(x[i]); \
        v[i] += gradc_##name##f(u[i]); \
    }
#define TWO(name) \
    GRADC_LANES \
    for (i = 0; i < n; i++) { \
        y[i] += gradc_##name(x[i], x[0]); \
        v[i] += gradc_##name##f(u[i], u[0]); \
    }
    EACH(ONE)
    EACH2(TWO)
    for (i = 0; i + 8 <= n; i += 8) {
        GRADC_ROW
        for (int lane = 0; lane < gradc_places(8); lane++) {
            row[lane] += x[i + (size_t)lane];
            rowf[lane] += u[i + (size_t)lane];
        }
    }
    sum += gradc_sum_row(row) + (double)gradc_sum_rowf(rowf);
    GRADC_TURNED
    for (i = 0; i < 8; i++)
        row[i] = x[3 * i];
    GRADC_STEPS
    for (i = 0; i < n; i++)
        y[gradc_size(gradc_position(at[i], 0, 9, status))] += sum;
    y[0] += gradc_powi(x[0], at[0]) + gradc_polygamma(at[0], x[0]) + (double)gradc_nonempty(at[0], status);
    y[0] = GRADC_GUESS(y[0] > sum) ? sum : y[0];
    v[0] += gradc_powif(u[0], at[0]) + gradc_polygammaf(at[0], u[0]) + (float)gradc_int_pow(gradc_int(x[0], status), 3, status);
    y[1] += (double)gradc_int_add(at[0], at[1], status) + (double)gradc_int_sub(at[0], gradc_intf(u[0], status), status);
    y[2] += (double)gradc_trunc(x[0]) + (double)gradc_truncf(u[0]) + (double)gradc_align(gradc_size_add(n, gradc_size_mul(n, n)));
    y[3] += (double)gradc_status_text(*status)[0] + gradc_aligned(x);
    gradc_matmul(n, n, n, x, n, 1, x, n, 1, y, n, 1, 0);
    gradc_matmulf(n, n, n, u, n, 1, u, n, 1, v, n, 1, 1);
}
#ifdef __cplusplus
}
#endif
int part_is_not_empty;
EOF
cp "$work/use.c" "$work/use.cc"
cp "$here/../../runtime/status.c" "$work/status.c"
include="-I $here/../../runtime"

for language in c c++; do
    for compiler in gcc clang; do
        program=$compiler
        std="-std=c99 -Wmissing-prototypes"
        suffix=c
        if [ $language = c++ ]; then
            std="-x c++ -std=c++17"
            suffix=cc
            if [ $compiler = gcc ]; then program=g++; else program=clang++; fi
        fi
        command -v $program >/dev/null 2>&1 || continue
        levels="-O0 -O2 -O3 -Os"
        [ $language = c ] || levels=-O2 # the text that C++ reads is the same: the language alone is new
        for level in $levels; do
            for simd in "" -fopenmp-simd; do
                case $language$level$simd in c-O0-fopenmp-simd | c-O3 | c-Os-fopenmp-simd | c++-O2) continue ;; esac # as C at -O2 both
                check "all of gradc.h" $program $std $warnings $level $simd $include -c "$work/use.$suffix" -o "$work/use.o"
            done
        done
        [ $language != c ] || check "with wide vectors" $program $std $warnings -O2 -mavx512f $include -c "$work/use.$suffix" -o "$work/use.o"
        case $program in
        gcc | clang++)
            for part in "$work"/part_*.c; do # math.h in C++17 is longer than all of the runtime
                check "the part alone" $program $(echo "$std" | sed s/17/11/) $warnings -O0 -fsyntax-only "$part"
            done ;;
        esac
        if [ $language = c ]; then
            check "status.c" $program $std $warnings -O2 $include -c "$work/status.c" -o "$work/status.o"
        fi
        for fast in -ffast-math -Ofast -ffinite-math-only; do
            if $program $std $fast $include -fsyntax-only "$work/use.$suffix" >"$work/log" 2>&1; then
                failed=$((failed + 1))
                echo "failed: $program $fast was accepted"
            else
                passed=$((passed + 1))
            fi
        done
    done
done

# Loops of lanes become vector code at -O2, for a target as old as SSE2 too: one loop a line, and one remark for each.
echo '#include "gradc.h"' >"$work/loop.c"
count=0
for name in exp expm1 exp2 log log1p log2 log10 tanh sigmoid softplus log1mexp erf erfc sqrt abs relu sign \
    cbrt sin cos tan asin acos atan sinh cosh asinh acosh atanh floor ceil round pow atan2 hypot min max weight logaddexp; do
    for real in double float; do
        f=
        [ $real = float ] && f=f
        value="x[i]"
        case $name in pow | atan2 | hypot | min | max | weight | logaddexp) value="x[i], z[i]" ;; esac
        arguments="(size_t n, const $real *gradc_restrict x, const $real *gradc_restrict z, $real *gradc_restrict y)"
        echo "void loop_$name$f$arguments; void loop_$name$f$arguments { size_t i; GRADC_LANES for (i = 0; i < n; i++) y[i] = gradc_$name$f($value); }" >>"$work/loop.c"
        count=$((count + 1))
    done
done
remarks() { # remarks COMPILER FLAGS...: lines of loop.c with a vector loop
    "$@" $include -c "$work/loop.c" -o "$work/loop.o" 2>&1 | grep -E 'loop vectorized|vectorized loop' | sed -n 's/.*loop\.c:\([0-9]*\):.*/\1/p' | sort -u | wc -l
}
for target in "" -mavx2 -mavx512f; do
    expected=$count
    [ -n "$target" ] || expected=$((count - 2)) # pow calls the C library there
    if command -v gcc >/dev/null 2>&1; then
        check "vector loops of gcc $target" test "$(remarks gcc -std=c99 -O2 $target -fopenmp-simd -fopt-info-vec-optimized)" -eq $expected
    fi
    if command -v clang >/dev/null 2>&1; then
        check "vector loops of clang $target" test "$(remarks clang -std=c99 -O2 $target -Rpass=loop-vectorize)" -eq $expected
    fi
done

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
