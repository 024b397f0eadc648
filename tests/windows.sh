#!/bin/sh
# What is kept of a recurrence: values that need no history keep none, --checkpoint gives the same bits in less memory, and the
# text does not depend on the number of steps.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/windows
passed=0 failed=0
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/windows/* "$work"
cd "$work" || exit 2

ok() { # ok TEXT COMMAND ...
    text=$1
    shift
    if "$@" >log 2>&1; then passed=$((passed + 1)); else
        echo "windows: $text"
        head -30 log
        failed=$((failed + 1))
        return 1
    fi
}
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wmissing-prototypes -Werror -I$top/runtime"
flags="-O1 -ffp-contract=off"
says() { grep -qF -- "$1" err || { echo "not said: $1"; cat err; return 1; }; }
refused() { "$GRADC" "$@" 2>err; [ $? = 2 ]; }

# model NUMBER FILE OPTION ...: compiled under one of the two names that compare knows
model() {
    name=$1 file=$2
    shift 2
    "$GRADC" "$@" "$file.grad" --prefix="$name" -o "$name.c" && ${CC:-cc} $strict $flags -c "$name.c"
}
link() { ${CC:-cc} compare.o first.o second.o -o "$1" -lm; }
compare() { # compare PROGRAM SIZES: the bytes of value and forward of both go to `bytes`
    ./"$1" $2 >bytes || { echo "with $2:"; cat bytes; return 1; }
}
ok "compare.c" ${CC:-cc} -std=c11 -O1 -Wall -Wextra -Werror -I"$top/runtime" -c compare.c

# Checkpoints: the same bits, at the first sizes where something may go wrong and at others.
replays() { grep -q 'Blocks of turns, the last one first' second.c; }
same() { # same FILE SIZES-BEHIND-T: T runs
    ok "$1 compiles" model first "$1" || return
    for how in every:1 every:2 every:5 every:1000 sqrt binomial:1 binomial:2 binomial:3 binomial:40; do
        ok "$1, --checkpoint=$how" model second "$1" --checkpoint=$how && ok "$1, $how: used" replays &&
            ok "$1, $how: links" link both || continue
        for T in ${3:-1 2 3 4 5 6 7 10 16 17 61}; do
            ok "$1, $how, T=$T" compare both "T=$T $2"
        done
    done
}
same states "n=3"
same paths "S=3"
same filter ""
same cells "L=2 B=3" "2 3 4 5 9 33"

# The memory of each way, in bytes: what the note says, each array rounded up to 64.
cat >walk.grad <<'END'
model walk {
  dim T, n;
  param real x[T, n];
  real s[T + 1, n];
  s[0, i] = 1;
  s[t + 1, i] = sin(s[t, i]) + x[t, i];
  f = sum[i](s[T, i]);
  output f;
  derive gradient(f; x);
}
END
memory() { # memory HOW SIZES VALUE WITHOUT WITH
    model second walk --checkpoint="$1" && link both && compare both "$2" || return 1
    echo "$3 $4 $3 $5" | cmp -s - bytes || { echo "$1 with $2: $3 $4 $3 $5, found"; cat bytes; return 1; }
}
ok "walk compiles" model first walk
# 8 numbers are 64 bytes. s has 1001 entries of 8, and 2 in the value; backward needs 2 of s_bar
ok "every:10" memory every:10 "T=1000 n=8" 128 $((1001 * 64 + 128)) $((101 * 64 + 16 * 64 + 128))
ok "every:16" memory every:16 "T=1000 n=8" 128 $((1001 * 64 + 128)) $((63 * 64 + 16 * 64 + 128))
ok "sqrt" memory sqrt "T=1000 n=8" 128 $((1001 * 64 + 128)) $((32 * 64 + 32 * 64 + 128))
ok "binomial:10" memory binomial:10 "T=1000 n=8" 128 $((1001 * 64 + 128)) $((10 * 64 + 2 * 64 + 64 + 128))
ok "binomial:10, longer: the same" memory binomial:10 "T=30000 n=8" 128 $((30001 * 64 + 128)) $((10 * 64 + 2 * 64 + 64 + 128))
note() { "$GRADC" walk.grad -o walk.c "$@" 2>err && says "note: checkpoints of s: $want"; }
want='8 * n * states + 128 * n bytes in place of 8 * T * n + 8 * n; states: (T + 1) / 10, rounded up'
ok "note of every:10" note --checkpoint=every:10
ok "and in the header" grep -qF 'Checkpoints of s: 8 * n * states + 128 * n bytes' walk.h
want='4096 bytes in place of 64064'
ok "note of sqrt, with sizes" note --checkpoint=sqrt -D T=1000 -D n=8

# What is no way to keep states, and where there is nothing to keep.
for how in 5 every every: every:0 every:-1 every:5x sqrt:3 binomial binomial:0 binomial:1001 none ''; do
    ok "--checkpoint=$how is refused" refused --checkpoint="$how" walk.grad -o walk.c && ok "--checkpoint=$how: why" says "wanted is every:K"
done
cat >still.grad <<'END'
model still {
  dim N;
  param real x[N];
  f = sum[i](sin(x[i]));
  output f;
  derive gradient(f; x);
}
END
still() { "$GRADC" --checkpoint=sqrt still.grad -o - "$@" >still.out 2>err; }
ok "nothing to do" still
ok "nothing to do: a warning" says "warning: --checkpoint changes nothing here"
silent() { still -Wno-checkpoint && [ ! -s err ]; }
ok "a warning that can be left out" silent

[ $failed = 0 ] || exit_status=1
echo "$passed passed, $failed failed"
exit ${exit_status:-0}
