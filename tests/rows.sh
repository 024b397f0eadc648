#!/bin/sh
# What always holds of emitted C, one part for each promise that has no suite of its own; programs and models are in tests/rows.
#
#   stable    functions stay finite and right where their formulas overflow or cancel, in float and double
#   lazy      the side of a condition that is not taken reaches no derivative; shifted: nor does it read outside of arrays;
#             unread: nor do entries that nobody reads
#   kinks     what the derivative is at kinks, ties and zeros
#   identity  equal arrays are still two to differentiate by; mixed: float and double in one model
#   steps     recurrences in stages are what they are when they go in one
#   orders    how equations grow with the order of the derivative
#   sizes     loops stay loops: the text does not know how long they are
#   bare      no state, no allocation, no recursion, a bounded stack, nothing but the mathematics of the C library
#   float     a model in float has no double
#   names     names of the source in the C, and above each loop its equation
#   bytes     the same bytes from anywhere
#   fast      -ffast-math is refused
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}"
GCC=${GCC:-gcc}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
log=$work/log
LC_ALL=C
export LC_ALL
. tests/counting

# ---- programs that compare with closed forms ----------------------------------------------------------------------------
# program NAME REAL FLAGS [MODEL ...]: compiles the model, or those of the file, and tests/rows/NAME.c, runs it, and adds what it
# counted
program() {
    folder=$work/$1.$2
    mkdir -p "$folder"
    name=$1 real_of=$2 flags=$3
    shift 3
    texts=
    for model in "${@:-$name}"; do
        one=${1:+--model=$model}
        # shellcheck disable=SC2086
        [ -f "$folder/$model.c" ] || ok "$model compiles in $real_of" "$GRADC" --real="$real_of" $one -Werror -o "$folder/$model.c" "tests/rows/$name.grad" ||
            return
        texts="$texts $folder/$model.c"
    done
    set -- "$name" "$real_of" "$flags"
    # shellcheck disable=SC2086
    ok "$1 in $2 is C ($3)" "$GCC" -std=c11 -Wall -Wextra -Werror $3 -DREAL="$2" -Iruntime -I"$folder" -o "$folder/run" "tests/rows/$1.c" $texts -lm ||
        return
    "$folder/run" >"$log" 2>&1
    status=$?
    # shellcheck disable=SC2046
    set -- "$1 in $2 ($3)" $(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    if [ $# = 3 ] && [ "$3" = 0 ] && [ $status = 0 ] && [ "$2" -gt 0 ] && ! grep -q 'runtime error' "$log"; then
        passed=$((passed + $2))
    else
        echo "rows: $1, status $status"
        head -n 40 "$log"
        passed=$((passed + ${2:-0})) failed=$((failed + ${3:-0}))
        [ "${3:-0}" != 0 ] || failed=$((failed + 1))
    fi
}
careful='-O0 -fsanitize=address,undefined,float-divide-by-zero -fno-sanitize-recover=all'
quick='-O2 -march=native -fopenmp-simd'
"$GCC" -march=native -E -x c /dev/null >/dev/null 2>&1 || quick='-O2 -fopenmp-simd'
for real in float double; do
    program stable $real "-O1"
    program stable $real "$quick"
done
program lazy double "$careful" # no division by zero is even tried
program lazy double "$quick"
program shifted double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
program unread double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
program unread double "$quick"
program kinks double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
program kinks double "$quick"
program identity double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
program identity double "$quick"
program mixed double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
program mixed double "$quick"

# ---- steps: linear recurrences in stages, which go in one stage -----------------------------------------------------------
all=
for m in chain spring back wave wall held; do
    all="$all $m ${m}_slow"
    for which in $m ${m}_slow; do
        ok "$which is a graph" "$GRADC" --model=$which --emit=graph tests/rows/steps.grad
        grep -c '^ *\(real \)\{0,1\}[a-z][_a-z0-9]*\[\(t: \)\{0,1\}T' "$log" >"$work/$which" # arrays of all turns
    done
    case $m in
    held) ok "held stays" cmp "$work/held" "$work/held_slow" ;;
    *) ok "$m: fewer arrays are made in each turn" test "$(cat "$work/$m")" -lt "$(cat "$work/${m}_slow")" ;;
    esac
done
# shellcheck disable=SC2086
program steps double "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all" $all

# ---- orders: how equations grow ------------------------------------------------------------------------------------------
# Derivatives along a direction v, order 1 to 5, as a Taylor series has them: each order adds as many arrays as the others do, and
# the k-th derivative of a product has k + 1 terms, so that order k adds at most k - 1 times the terms that the second one adds.
hmm='dim T, S; input real v[T, S], e[T, S], A[S, S];
  a[0, s] = e[0, s]; a[t + 1, s] = e[t + 1, s] + logsumexp[r](a[t, r] + A[r, s]); f = logsumexp[s](a[T - 1, s]);'
rnn='dim T, S; input real v[T, S], e[T, S], W[S, S]; real h[T + 1, S];
  h[0, s] = 0; h[t + 1, s] = tanh(sum[r](W[s, r] * h[t, r]) + e[t, s]); f = sum[s](h[T, s]);'
lstm='dim T, S; input real v[T, S], e[T, S], W[S, S], U[S, S]; real c[T + 1, S], h[T + 1, S];
  h[0, s] = 0; c[0, s] = 0;
  open[t, s] = sigmoid(sum[r](W[s, r] * h[t, r]) + e[t, s]); new[t, s] = tanh(sum[r](U[s, r] * h[t, r]) + e[t, s]);
  c[t + 1, s] = open[t, s] * c[t, s] + (1 - open[t, s]) * new[t, s]; h[t + 1, s] = open[t, s] * tanh(c[t + 1, s]);
  f = sum[s](h[T, s]);'
attention='dim T, S; input real v[T, S], e[T, S], k[T, S], x[T, S];
  z[i, j] = sum[c](e[i, c] * k[j, c]); p[i, j] = exp(z[i, j] - logsumexp[u](z[i, u]));
  o[i, c] = sum[j](p[i, j] * x[j, c]); f = sum[i, c](o[i, c]^2);'
swell='input real e, v; f = exp(exp(e) + exp(e)^2) + sin(exp(e) + exp(e)^2);'
net='dim N, T, S; input real v[S, T], x[N, T], y[N], w[S]; param real e[S, T];
  h[n, j] = tanh(sum[i](e[j, i] * x[n, i])); z[n] = sum[j](w[j] * h[n, j]); f = sum[n](softplus(z[n]) - y[n] * z[n]);'
count() { # count NAME N BODY: arrays and terms of the model whose output is dN
    printf 'model m { %s output d%d; }\n' "$3" "$2" >"$work/order.grad"
    ok "$1: order $2 compiles" "$GRADC" -Wno-unused-local -o "$work/order.c" "$work/order.grad" || return
    ok "$1: order $2 as data" "$GRADC" -Wno-unused-local --emit=json -o "$work/order.json" "$work/order.grad" || return
    terms=$(grep -c '"op"' "$work/order.json")
    arrays=$(sed -n '/^"arrays"/,/^\]/p' "$work/order.json" | grep -c '^{')
}
linear() { # linear NAME ORDERS BODY
    for n in 1 2 3 4 5; do
        [ $n -le "$2" ] || break
        count "$1" $n "$3" || return
        case $n in
        1) first=$arrays ;;
        2) rise=$((terms - terms_before)) ;;
        esac
        if [ $n -gt 1 ]; then
            ok "$1: order $n adds $((arrays - arrays_before)) arrays, to $first of the first" test $((arrays - arrays_before)) -le "$first"
            ok "$1: order $n adds $((terms - terms_before)) terms, the second added $rise" \
                test $((terms - terms_before)) -le $((rise * (n - 1)))
        fi
        terms_before=$terms arrays_before=$arrays
    done
}
forward='d1 = dir(f, e, v); d2 = dir(d1, e, v); d3 = dir(d2, e, v); d4 = dir(d3, e, v); d5 = dir(d4, e, v);'
over='d1[t, s] = grad(f, e)[t, s]; d2[t, s] = dir(d1[t, s], e, v); d3[t, s] = dir(d2[t, s], e, v);
  d4[t, s] = dir(d3[t, s], e, v); d5[t, s] = dir(d4[t, s], e, v);'
linear "exp(u) + sin(u), forward" 5 "$swell $forward"
linear "a hidden Markov model, forward" 5 "$hmm $forward"
linear "a recurrent net, forward" 5 "$rnn $forward"
linear "a recurrent net with a memory, forward" 5 "$lstm $forward"
linear "attention, forward" 5 "$attention $forward"
linear "a net, forward" 5 "$net $forward"
linear "a hidden Markov model, forward over reverse" 4 "$hmm $over"
linear "a recurrent net, forward over reverse" 5 "$rnn $over"
linear "a recurrent net with a memory, forward over reverse" 5 "$lstm $over"
linear "attention, forward over reverse" 5 "$attention $over"
linear "a net, forward over reverse" 5 "$net $(echo "$over" | sed 's/\[t, s\]/[s, t]/g')"
# Reverse over reverse: docs/why.md says what is not found equal. At most three times the terms of the order before.
nested() { # nested NAME BODY
    for n in 1 2 3 4; do
        count "$1" $n "$2" || return
        [ $n = 1 ] || ok "$1: order $n has $terms terms, the one before $terms_before" test "$terms" -le $((3 * terms_before))
        terms_before=$terms
    done
}
along='d1[t, s] = grad(f, e)[t, s];
  g1 = sum[t, s](d1[t, s] * e[t, s]); d2[t, s] = grad(g1, e)[t, s];
  g2 = sum[t, s](d2[t, s] * e[t, s]); d3[t, s] = grad(g2, e)[t, s];
  g3 = sum[t, s](d3[t, s] * e[t, s]); d4[t, s] = grad(g3, e)[t, s];'
nested "exp(u) + sin(u)" "$swell d1 = grad(f, e); d2 = grad(d1, e); d3 = grad(d2, e); d4 = grad(d3, e);"
nested "a hidden Markov model" "$hmm $along"
nested "a recurrent net" "$rnn $along"
nested "a recurrent net with a memory" "$lstm $along"
nested "attention" "$attention $along"

# ---- sizes: the text for 36 and for 100 is the same but for the numbers; for 10004 other arrays may find room in a block ------
cat >"$work/flat.grad" <<'END'
model flat {
  dim N, K;
  input real x[N, K], y[N];
  param real w[K], c[K];
  h[n, k] = tanh(w[k] * x[n, k] + c[k]);
  p[n]    = sum[k](h[n, k] * w[k]) + logsumexp[k](x[n, k]);
  f       = mean[n]((p[n] - y[n])^2) + sum[n if n + 1 < N](p[n] * p[n + 1]);
  output f;
  derive gradient(f; w, c);
  derive hessian(f; w);
  derive jvp(p; w);
}
END
cat >"$work/chain.grad" <<'END'
model chain {
  dim N, K;
  input real e[N, K];
  param real A[K, K];
  a[0, s]     = e[0, s];
  a[t + 1, s] = e[t + 1, s] + logsumexp[r](a[t, r] + A[r, s]);
  f = logsumexp[s](a[N - 1, s]);
  output f;
  derive gradient(f; A, e);
  derive hvp(f; A);
}
END
for model in flat chain; do
    for n in 36 100 10004; do # sums by four turns leave no rest, those by rows of 8 do, and there are more than two rows; lines are broken elsewhere when numbers are longer
        "$GRADC" -D N=$n -D K=8 -o - "$work/$model.grad" >"$work/$model.$n.c" 2>"$log"
        tr -s ' \n' '  ' <"$work/$model.$n.c" | sed 's/[0-9][0-9]*/#/g; s/#e-#/#/g; s,/\* \|\*/,,g; s/ //g' >"$work/$model.$n"
    done
    ok "$model: for 36 and 100 the same text" cmp "$work/$model.36" "$work/$model.100"
    few=$(wc -c <"$work/$model.36") many=$(wc -c <"$work/$model.10004")
    ok "$model: for 10004 not longer than for 36, but for numbers" test "$many" -le "$few"
    ok "$model: there is a text" test "$(wc -c <"$work/$model.36")" -gt 5000
    "$GRADC" -o - "$work/$model.grad" >"$work/$model.open.c" 2>"$log"
    ok "$model: for an open size it is not longer by half" test "$(wc -c <"$work/$model.open.c")" -lt $(($(wc -c <"$work/$model.36.c") * 3 / 2))
done

# ---- the samples, in float and in double: bare, float, names, bytes ------------------------------------------------------------
library=' acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp exp2 fabs floor fma fmax fmin fmod hypot log pow round sin sincos sinh sqrt tan trunc '
only_mathematics() { # of the undefined symbols of an object
    nm -u "$1" | sed 's/.* U //' | while read -r symbol; do
        case $symbol in memcpy | memset | memmove) continue ;; esac
        case $library in *" $symbol "* | *" ${symbol%f} "*) continue ;; esac
        echo "needs $symbol"
    done | { ! grep .; }
}
no_state() { ! nm "$1" | grep -E ' [bBcCdDsSgG] '; }
bounded_stack() { # bounded_stack FILE.su: no frame that depends on data, and none above 16 KiB
    awk -F '\t' '$3 !~ /static|bounded/ || $2 > 16384 { print; bad = 1 } END { exit bad || NR == 0 }' "$1"
}
no_recursion() { # of the calls in the disassembly, none leads back to its own function, alone or by way of others
    objdump -dr "$1" | awk '
        /^[0-9a-f]+ <.*>:$/ { f = $2; gsub(/[<>:]/, "", f); names[++n] = f; next }
        /R_X86_64_PLT32|R_X86_64_PC32|call/ { # a relocation, or a call inside of the text; <f+0x..> is a place whose relocation follows
            t = $NF; gsub(/[<>]/, "", t); sub(/-0x[0-9a-f]+$/, "", t)
            if (t != "" && t !~ /\+0x/) calls[f] = calls[f] " " t
        }
        END {
            for (i = 1; i <= n; i++) { # everything that can be reached from it
                split("", seen); todo = calls[names[i]]
                while (todo != "") {
                    next_ones = ""; m = split(todo, part, " ")
                    for (k = 1; k <= m; k++) if (!(part[k] in seen)) { seen[part[k]] = 1; next_ones = next_ones " " calls[part[k]] }
                    gsub(/^ +/, "", next_ones); todo = next_ones
                }
                if (names[i] in seen) { print names[i] " calls itself"; bad = 1 }
            }
            exit bad
        }'
}
single_only() { ! objdump -d "$1" | grep -E 'cvtss2sd|cvtsd2ss|cvtps2pd|cvtpd2ps|[[:space:]]v?(add|sub|mul|div|sqrt|max|min|f?n?m(add|sub)[0-9]*)[sp]d[[:space:]]'; }
# Each paragraph of a worker that has a loop opens with its equation.
equations() {
    awk '/^GRADC_OUTLINE int .*_worker/ { inside = 1; comment = 0 }
        inside && /^}/ { inside = 0 }
        inside && /^ *$/ { comment = 0 }
        inside && /^ *\/\* .* = / { comment = 1; found++ }
        inside && /^ *\/\* [^=]*$/ { comment = 1 }
        inside && /^    (for|while) \(/ && !comment { print FILENAME ": " FNR ": " $0; bad = 1 }
        END { exit bad || !found }' "$1"
}
# What is declared is a field of the header; of what equations define, the better part is a word of the C: the rest was put into
# the equations that read it, which stand there with it.
names() { # names FILE.grad FILE (without .c)
    sed -n '/^model /,/^}/p' "$1" | sed 's,//.*,,' | tr '\n' ' ' | tr ';' '\n' >"$work/statements"
    sed -n 's/^ *\(input\|param\) [a-z]* //p; s/^ *output //p' "$work/statements" | sed 's/:.*//; s/\[[^]]*\]//g' | tr -s ', ' '\n\n' | grep . | while read -r name; do
        grep -qE "^    .*[ *]$name;" "$2.h" || echo "$name is no field"
    done >"$work/missing"
    sed -n 's/^ *\([A-Za-z_][A-Za-z_0-9]*\) *\(\[[^=]*\]\)\{0,1\} *=[^=].*/\1/p' "$work/statements" | sort -u >"$work/local"
    while read -r name; do grep -qw -- "$name" "$2.c" && echo "$name"; done <"$work/local" >"$work/there"
    [ $(($(wc -l <"$work/there") * 2)) -ge "$(wc -l <"$work/local")" ] || { echo "half of these are not in the C:"; cat "$work/local"; return 1; }
    cat "$work/missing"
    [ ! -s "$work/missing" ]
}
x86=no
case $("$GCC" -dumpmachine) in x86_64*) ! command -v objdump >/dev/null 2>&1 || x86=yes ;; esac
mkdir "$work/c" "$work/far"
turn=0 # of four texts one is made fast, with functions of vectors where a compiler would call some
cp -R samples "$work/far/samples"
for source in samples/*.grad samples/mnist/mnist.grad; do
    sample=$(basename "$source" .grad)
    for real in float double; do
        file=$work/c/$sample.$real
        ok "$sample, $real: compiles" "$GRADC" --real=$real -o "$file.c" "$source" || continue
        wide=
        [ $real = double ] || wide='-Wdouble-promotion -Wunsuffixed-float-constants'
        level=-O1
        [ $((turn % 8)) != 0 ] && [ $((turn % 8)) != 3 ] || level='-O2 -fopenmp-simd'
        turn=$((turn + 1))
        # shellcheck disable=SC2086
        ok "$sample, $real: is C" "$GCC" -std=c99 $level -fno-pie -Werror $wide -isystem runtime -fstack-usage -c -o "$file.o" "$file.c" || continue
        ok "$sample, $real: no state" no_state "$file.o"
        ok "$sample, $real: needs only mathematics" only_mathematics "$file.o"
        ok "$sample, $real: a bounded stack" bounded_stack "$file.su"
        ok "$sample, $real: equations above loops" equations "$file.c"
        if [ $x86 = yes ]; then
            ok "$sample, $real: no recursion" no_recursion "$file.o"
            [ $real = double ] || ok "$sample: no double in float" single_only "$file.o"
        else
            skipped=$((skipped + 1))
        fi
    done
    ok "$sample: the names of the source are there" names "$source" "$work/c/$sample.double"
    # Elsewhere, at another time of day, with other memory: the same.
    (cd "$work/far" && env -i PATH=/nowhere LC_ALL=tr_TR.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Kolkata MALLOC_PERTURB_=165 "$GRADC" -o "$sample.double.c" "$source") >"$log" 2>&1
    ok "$sample: the same bytes elsewhere" cmp "$work/c/$sample.double.c" "$work/far/$sample.double.c"
    ok "$sample: no place of this machine in them" sh -c '! grep -nF -e "$2" -e "$3" "$1" "${1%.c}.h"' sh "$work/c/$sample.double.c" "$top" "$work"
done
not() { if "$@"; then return 1; fi; }
ok "what is wrong compiles" "$GCC" -std=c99 -O1 -fno-pie -fno-optimize-sibling-calls -fstack-usage -c -o "$work/wrong.o" tests/rows/wrong.c
for check in no_state only_mathematics; do ok "$check sees it" not $check "$work/wrong.o"; done
ok "bounded_stack sees it" not bounded_stack "$work/wrong.su"
if [ $x86 = yes ]; then
    ok "single_only sees it" not single_only "$work/wrong.o"
    no_recursion "$work/wrong.o" >"$work/circles"
    for name in there back again; do ok "no_recursion sees '$name'" grep -q "^$name calls itself" "$work/circles"; done
fi

# ---- fast: refused --------------------------------------------------------------------------------------------------------------
for flag in -ffast-math -Ofast -ffinite-math-only; do
    for form in "" --standalone; do
        # shellcheck disable=SC2086
        "$GRADC" $form -o "$work/fast.c" samples/a03_swell.grad
        ok "$flag is refused${form:+ ($form)}" sh -c '! "$1" $2 -Iruntime -fsyntax-only "$3" 2>"$4" && grep -q "#error" "$4"' sh "$GCC" $flag "$work/fast.c" "$work/err"
    done
done

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
