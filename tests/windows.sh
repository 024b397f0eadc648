#!/bin/sh
# What is kept of a recurrence: values that need no history keep none, --checkpoint gives the same bits in less memory, and the
# text does not depend on the number of steps.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/windows
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/windows/* "$work"
cd "$work" || exit 2
log=$(pwd)/log
. "$top/tests/counting"
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
# 8 numbers are 64 bytes. s has 1001 entries of 8, and 1 in the value, in place; backward needs 2 of s_bar; a row of x stands where
# there is room for whole vectors, in the value and for both passes (not with checkpoints)
ok "every:10" memory every:10 "T=1000 n=8" 128 $((1001 * 64 + 256)) $((101 * 64 + 16 * 64 + 128))
ok "every:16" memory every:16 "T=1000 n=8" 128 $((1001 * 64 + 256)) $((63 * 64 + 16 * 64 + 128))
ok "sqrt" memory sqrt "T=1000 n=8" 128 $((1001 * 64 + 256)) $((32 * 64 + 32 * 64 + 128))
ok "binomial:10" memory binomial:10 "T=1000 n=8" 128 $((1001 * 64 + 256)) $((10 * 64 + 2 * 64 + 64 + 128))
ok "binomial:10, longer: the same" memory binomial:10 "T=30000 n=8" 128 $((30001 * 64 + 256)) $((10 * 64 + 2 * 64 + 64 + 128))
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

# A value of which only the last entries of a recurrence are used: its memory is the same for 20 steps and for 20,000, whatever
# derivatives there are beside it.
value() { # value FILE SIZES-BEHIND-T STEPS ...: prints the bytes of value, by steps
    model first "$1" && model second "$1" && link both || return 1
    sizes=$2
    shift 2
    for T in "$@"; do ./both "T=$T" $sizes only=value || return 1; done >bytes
}
steady() { value "$1" "$2" 20 20000 && [ "$(uniq bytes | wc -l)" = 1 ] && cut -d' ' -f1 bytes >found && [ "$(head -1 found)" -le "$3" ]; }
ok "states: no history in a value" steady states "n=5" 2048
ok "long: no history beside gradient, Hessian and their products" steady long "n=5" 1024
ok "cells: no history of several states" steady cells "L=2 B=3" 4096
ok "walk: no history of a vector" steady walk "n=5" 128
cat >count.grad <<'END'
model count {
  dim T;
  param real p, x[T];
  s[0] = p;
  s[t + 1] = sin(s[t]) * p + x[t];
  f = s[T];
  output f;
  derive gradient(f; p, x);
  derive hvp(f; p, x);
}
END
ok "count: no history of a number" steady count "" 64
# And where all of it is used: as an output, read backwards, read at places that data chooses, each 8 bytes a step.
cat >whole.grad <<'END'
model whole {
  dim T;
  param real p;
  s[0] = p;
  s[t + 1: T] = sin(s[t]);
  WHAT
  output f;
  derive gradient(f; p);
}
END
whole() { # whole EQUATIONS STEPS: so many bytes a step, from 64 to 6400 steps
    sed "s/WHAT/$1/" whole.grad >all.grad
    value all "" 64 6400 && [ "$(awk 'NR == 1 { a = $1 } NR == 2 { print $1 - a }' bytes)" = $((6336 * $2)) ] || { cat bytes; return 1; }
}
sed -i 's/s\[t + 1: T\]/real s[T]; s[t + 1]/' whole.grad
ok "an output is kept" whole 'f = s[T - 1]; output s;' 8
ok "read from its end" whole 'f = sum[t: T](s[t] * s[T - 1 - t]);' 8
ok "read at a place from data" whole 'input index at : T; f = s[at];' 8
ok "only the last" whole 'f = s[T - 1];' 0

# One text for any number of steps: but for numbers the same for 36 and 10,036, forward, backward and second derivatives. (Sums
# go by rows of 8 and a rest: sizes that differ by a multiple of 8 both have one. One or two rows are told to the C compiler, and
# up to 16 may be copied as a whole.)
words() { tr -d ' \n' <"$1"; }
as_few() { # 10020 to 10049 become 20 to 49
    sed -e 's/\b100\([234][0-9]\)\b/\1/g'
}
same_text() { # same_text FILE OPTION ...
    file=$1
    shift
    "$GRADC" "$@" -D T=36 "$file.grad" -o few.c --prefix=m 2>err && "$GRADC" "$@" -D T=10036 "$file.grad" -o many.c --prefix=m 2>err &&
        sed 's/many\.h/few.h/' many.c | as_few >less.c && words few.c >few && words less.c >less && cmp few less || return 1
    [ "$(wc -c <few)" -gt 4000 ] && [ "$(wc -c <many.c)" -le $(($(wc -c <few.c) * 105 / 100)) ]
}
for file in long states filter paths count; do
    ok "$file: the same text" same_text $file
done
for fixed in "long n" "states n" "paths S"; do
    ok "$fixed fixed too: the same text" same_text ${fixed% *} -D ${fixed#* }=3
done
ok "states: the same text with checkpoints" same_text states --checkpoint=binomial:7
[ $failed = 0 ] || exit_status=1
echo "$passed passed, $failed failed"
exit ${exit_status:-0}
