#!/bin/sh
# Every form of derivative: `gradc check` on the models of tests/models, and one model's C functions against known numbers.
set -u
cd "$(dirname "$0")/models" || exit 2
: "${GRADC:=$(cd ../.. && pwd)/build/compiler/gradc}"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

for file in *.grad; do
    for model in $(sed -n 's/^model  *\([A-Za-z0-9_]*\).*/\1/p' "$file"); do
        for seed in 1 2; do
            if "$GRADC" check --seed=$seed --model="$model" "$file" >"$work/log" 2>&1; then passed=$((passed + 1)); else
                echo "forms: $model of $file with seed $seed"
                cat "$work/log"
                failed=$((failed + 1))
            fi
        done
    done
done

for program in *.c; do
    name=$(basename "$program" .c)
    for compiler in "gcc -O2" "clang -O2" "gcc -O1 -fsanitize=address,undefined -fno-sanitize-recover"; do
        if "$GRADC" --standalone -o "$work/$name.c" "$name.grad" >"$work/log" 2>&1 &&
            $compiler -std=c11 -Wall -Wextra -Werror -I"$work" -o "$work/$name" "$program" "$work/$name.c" -lm >>"$work/log" 2>&1 &&
            "$work/$name" >>"$work/log" 2>&1; then
            sum=$(tail -n 1 "$work/log")
            passed=$((passed + ${sum%% passed*}))
        else
            echo "forms: $program with $compiler"
            cat "$work/log"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
