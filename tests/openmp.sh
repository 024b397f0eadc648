#!/bin/sh
# Loops in parts, for several threads (--openmp): any number of threads gives the same bits, and so do builds without
# threads and parts that are taken the last one first; what comes out is near to what the text without parts computes,
# and the status is the same. tests/openmp/bits.c is the program; tests/emitted --openmp compares with the interpreter.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${GRADC:=$BUILD/compiler/gradc}"
work=$BUILD/openmp
rm -rf "$work"
mkdir -p "$work" || exit 2
passed=0 failed=0 skipped=0
OMP_WAIT_POLICY=passive # the cores may be busy with other tests
export OMP_WAIT_POLICY

check() { # check WHAT COMMAND ...
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        echo "$what"
        sed 's/^/    /' "$work/log" | head -20
        failed=$((failed + 1))
    fi
}

has_threads() { # has_threads CC: can it link -fopenmp?
    printf 'int main(void) { return 0; }\n' >"$work/try.c"
    $1 -fopenmp -o "$work/try" "$work/try.c" >/dev/null 2>&1 && "$work/try"
}

strict='-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Werror'
build() { # build CC FLAGS NAME: the model in $work/NAME
    $1 $strict $2 -Iruntime -c -o "$work/$3/shared.o" "$work/$3/shared.c" &&
        $1 -std=c11 $2 -Iruntime -I"$work/$3" -DDIGEST -o "$work/$3/bits" tests/openmp/bits.c "$work/$3/shared.o" "$work/$3/alone.o" -lm
}
same() { # same WHAT FIRST SECOND: the digests
    check "$1" cmp "$2" "$3"
}

model() { # model NAME FILE "OPTIONS" SIZE ...
    name=$1 file=$2 options=$3
    shift 3
    mkdir -p "$work/$name"
    # shellcheck disable=SC2086
    check "$name: gradc --openmp" "$GRADC" $options --openmp --prefix shared -o "$work/$name/shared.c" "$file"
    # shellcheck disable=SC2086
    check "$name: gradc" "$GRADC" $options --prefix alone -o "$work/$name/alone.c" "$file"
    grep -q GRADC_PARALLEL "$work/$name/shared.c" || { echo "$name: no loop goes in parts"; failed=$((failed + 1)); }
    if grep -q GRADC_PARALLEL "$work/$name/alone.c"; then
        echo "$name: parts that nobody asked for"
        failed=$((failed + 1))
    fi
    "${CC:-cc}" -std=c99 -O1 -Iruntime -c -o "$work/$name/alone.o" "$work/$name/alone.c"
    case $name in kinds | fails) clang=clang ;; *) clang=no-clang ;; esac # the others: gcc alone
    for config in "gcc|-O2 -fopenmp" "gcc|-O2 -fopenmp-simd -DGRADC_PARTS_BACKWARDS" "$clang|-O2 -fopenmp" "$clang|-O2 -DGRADC_PARTS_BACKWARDS"; do
        cc=${config%%|*} flags=${config#*|}
        [ "$cc" != no-clang ] || continue
        case $flags in *-fopenmp-simd*) threads= ;; *-fopenmp*) threads=yes ;; *) threads= ;; esac
        if ! command -v "$cc" >/dev/null || { [ "$threads" ] && ! has_threads "$cc"; }; then
            skipped=$((skipped + 1))
            continue
        fi
        check "$name: $cc $flags" build "$cc" "$flags" "$name"
        check "$name: $cc $flags: $*" "$work/$name/bits" "$@"
        cp "$work/log" "$work/$name/digest"
        if [ "$threads" ]; then
            mv "$work/$name/digest" "$work/$name/first_$cc"
        elif [ -f "$work/$name/first_$cc" ]; then
            same "$name: $cc: other bits without threads" "$work/$name/first_$cc" "$work/$name/digest"
        fi
    done
}

# The thread sanitizer sees all that orders the threads of tests/openmp/team.c. It must find what is wrong where each
# part leaves its sums at the same place.
races() { # races NAME SIZE ...
    name=$1
    shift
    at=$work/$name
    flags="-std=c11 -O1 -g -fopenmp -fsanitize=thread -DGRADC_PARTS_FEWEST=3 -Iruntime -I$at"
    printf 'int main(void) { return 0; }\n' >"$work/try.c"
    if ! gcc -fsanitize=thread -o "$work/try" "$work/try.c" >/dev/null 2>&1 || ! "$work/try" >/dev/null 2>&1; then
        skipped=$((skipped + 2))
        return
    fi
    sed 's/\(sums[0-9]*\) + part\([,)]\)/\1\2/' "$at/shared.c" >"$at/broken.c"
    # shellcheck disable=SC2086
    for text in shared broken; do
        gcc $flags -c -o "$at/$text.o" "$at/$text.c" && gcc $flags -c -o "$at/test.o" tests/openmp/bits.c &&
            gcc -std=c11 -g -fsanitize=thread -c -o "$at/team.o" tests/openmp/team.c &&
            gcc -fsanitize=thread -o "$at/$text" "$at/test.o" "$at/$text.o" "$at/alone.o" "$at/team.o" -lm || {
            echo "$name: the thread sanitizer's build"
            failed=$((failed + 1))
            return
        }
    done
    check "$name: races" "$at/shared" "$@"
    if "$at/broken" "$@" >"$work/log" 2>&1 || ! grep -q 'data race' "$work/log"; then
        echo "$name: the thread sanitizer is blind"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}

model kinds tests/openmp/kinds.grad "" N=3000 K=12 D=9 T=20 below=12
races kinds N=300 K=5 D=4 T=6 below=5
model kinds_float tests/openmp/kinds.grad "--real=float" N=2500 K=7 D=5 T=9 below=7
model fails tests/openmp/fails.grad "" N=20000 M=22499
for seed in 1 3; do # status 3 and status 4
    check "fails: seed $seed" "$work/fails/bits" N=20000 M=22499 seed=$seed
    grep 'status' "$work/log" | sed 's/.*status \([0-9]*\).*/\1/' >>"$work/statuses"
done
check "fails: both statuses" sh -c "sort -u '$work/statuses' | tr '\n' ' ' | grep -q '3 4'"
model order tests/openmp/order.grad "" N=40 K=230
model gmm samples/gradbench/gmm.grad "" N=600 K=25 D=10

# Products that threads share: any number of them, and none.
for config in "gcc|-O2 -mavx2 -mfma" "gcc|-O1"; do
    cc=${config%%|*} flags=${config#*|}
    # shellcheck disable=SC2086
    if ! has_threads "$cc" || ! $cc $flags -fopenmp-simd -Iruntime -o "$work/products" tests/openmp/products.c -lm 2>"$work/log"; then
        skipped=$((skipped + 1))
        continue
    fi
    "$work/products" >"$work/products.alone" || skipped=$((skipped + 1))
    # shellcheck disable=SC2086
    check "products: $config" $cc $flags -Wall -Wextra -Wconversion -Werror -fopenmp -DGRADC_THREADS -Iruntime -o "$work/products" tests/openmp/products.c -lm
    for threads in 1 2 3 7; do
        OMP_NUM_THREADS=$threads "$work/products" >"$work/products.shared"
        check "products: $config: other bits with $threads threads" cmp "$work/products.alone" "$work/products.shared"
    done
done

mkdir -p "$work/emitted"
check "the interpreter" "$BUILD/tests/emitted" --openmp --runtime runtime --work "$work/emitted" tests/openmp/fails.grad tests/emitted/reads.grad

rm -rf "$work"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
