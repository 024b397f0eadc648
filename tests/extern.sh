#!/bin/sh
# Functions of C in models: compiled with a user's C, by several compilers and as C++, in double and float, with and
# without --standalone; derivatives against differences (tests/extern/main.c). And what gradc says where it cannot call them.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/extern
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/extern/* "$work"
cd "$work" || exit 2
log=$(pwd)/log
. "$top/tests/counting"
strict="-Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror -I$top/runtime -I."
models() { # models OPTION ...
    "$GRADC" "$@" sled.grad -o sled.c && "$GRADC" "$@" springs.grad -o springs.model.c
}
# program NAME COMPILER OPTION ...: the user's part is always C
program() {
    name=$1
    shift
    rm -f ./*.o
    ${CC:-cc} -std=c99 -O1 $strict -Wmissing-prototypes -c user.c &&
        "$@" $strict -c main.c -o main.o &&
        "$@" $strict -c sled.c -o sled.o &&
        "$@" $strict -c springs.model.c -o springs.o &&
        ${CC:-cc} -c "$top/runtime/status.c" -I"$top/runtime" -o status.o &&
        case $* in *++*) ${CXX:-c++} ./*.o -o "$name" -lm ;; *) ${CC:-cc} ./*.o -o "$name" -lm ;; esac
}
c99="-std=c99 -D_POSIX_C_SOURCE=200112L -Wmissing-prototypes"
run() { ./"$1" >"$1.out"; }

ok "models compile" models
for flags in -O0 -O2 "-O3 -march=native"; do
    ok "cc $flags" program plain ${CC:-cc} $c99 $flags && ok "differences, $flags" run plain
done
if command -v clang >/dev/null; then
    ok "clang" program clang clang $c99 -O2 && ok "differences, clang" run clang
fi
ok "C++" program cpp ${CXX:-c++} -std=c++11 -O2 -x c++ && ok "differences, C++" run cpp
ok "standalone models compile" models --standalone
ok "standalone" program alone ${CC:-cc} $c99 -O2 && ok "differences, standalone" run alone
ok "the same with and without the runtime beside it" cmp plain.out alone.out
ok "float models compile" models --real=float
ok "float" program single ${CC:-cc} $c99 -O2 -DREAL=float && ok "float runs" run single
near() { # the same names, and numbers that agree as floats do
    awk 'NR == FNR { name[FNR] = $1 " " $2; value[FNR] = $NF; n = FNR; next }
        { d = $NF - value[FNR]; if (d < 0) d = -d; s = value[FNR] < 0 ? -value[FNR] : value[FNR]
          if (name[FNR] != $1 " " $2 || d > 2e-3 * (1 + s)) { print FNR ": " $0 " and " value[FNR]; bad = 1 } }
        END { exit bad || FNR != n || n < 90 }' "$1" "$2"
}
ok "float agrees with double" near plain.out single.out

# Several directions share what does not depend on them.
directions() {
    "$GRADC" directions.grad -o directions.model.c && sed -i 's/directions\.h/directions.model.h/' directions.c &&
        ${CC:-cc} $c99 -O1 $strict directions.c directions.model.c -o directions -lm && ./directions
}
ok "many directions, one primal" directions

# Nothing is called in a loop of lanes, and one text serves all sizes.
no_lanes() { "$GRADC" springs.grad -o - | awk '/GRADC_LANES|GRADC_ROW/ { near = 3 } near-- > 0 && /(bend|bend_dx|root|wave|bessel)\(/ { bad = 1 } END { exit bad }'; }
ok "no lanes around a call" no_lanes

# What cannot be called here is said, and the rest is compared.
cat >partly.grad <<'END'
extern fn outside(real x) -> real y { partial(y; x) = y; }
model partly {
  dim N;
  input real x[N];
  a = sum[i](x[i]^3);
  b = sum[i](outside(x[i]));
  output a, b;
  derive gradient(a, b; x);
}
END
says() { "$GRADC" check partly.grad >said && grep -q "$1" said || { cat said; return 1; }; }
ok "check compares what it can" says '^  all others agree$'
ok "check says what it leaves out" says '^  not compared: what calls outside: here is no C to call; '
ok "one row is left out" says '^    x\[N\]                        -        0  calls a function of C: not compared$'
lines() { [ "$(grep -c '^    .*not compared' said)" = 1 ]; }
ok "and no more" lines

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
