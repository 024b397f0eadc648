#!/bin/sh
# Sparse Jacobians and Hessians: against the dense ones of the same models in C (tests/sparse/compare.c), against differences and
# dual numbers by `gradc check`; how many sweeps they take; and the size of the text.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/sparse
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/sparse/* "$work"
cd "$work" || exit 2
log=$(pwd)/log
. "$top/tests/counting"
strict="-Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror -I$top/runtime -I."
c99="-std=c99 -D_POSIX_C_SOURCE=200112L -Wmissing-prototypes"
# pair MODEL OPTION ...: sparse.c and dense.c
pair() {
    model=$1
    shift
    sed 's/derive sparse /derive /' "$model.grad" >dense.grad
    "$GRADC" "$@" --prefix=sparse -o sparse.c "$model.grad" && "$GRADC" "$@" --prefix=dense -o dense.c dense.grad
}
program() { # program COMPILER OPTION ...
    rm -f ./*.o
    for file in compare sparse dense; do "$@" $strict -c $file.c -o $file.o || return 1; done
    case $1 in *++) ${CXX:-c++} ./*.o -o compare -lm ;; *) $1 ./*.o -o compare -lm ;; esac
}
same() { ./compare >found; status=$?; cat found; [ $status = 0 ]; }
counts() { # counts NAME ENTRIES SWEEPS
    grep -q "^$1 $2 of .*, $3 sweeps\$" found || { grep "^$1 " found; return 1; }
}

ok "the models compile" pair shapes
for flags in -O0 "-O3 -march=native"; do
    ok "cc $flags" program ${CC:-cc} $c99 $flags && ok "sparse is dense, $flags" same
done
if command -v clang >/dev/null; then
    ok "clang" program clang $c99 -O2 && ok "sparse is dense, clang" same
fi
asan() { ${CC:-cc} $c99 -g -fsanitize=address,undefined $strict compare.c sparse.c dense.c -o compare -lm; }
ok "with the address sanitizer" asan && ok "sparse is dense, sanitized" same
cpp() {
    for file in sparse dense; do ${CXX:-c++} -std=c++11 -O1 $strict -x c++ -c $file.c -o $file.o || return 1; done
    ${CC:-cc} $c99 $strict -c compare.c -o compare.o && ${CXX:-c++} compare.o sparse.o dense.o -o compare -lm
}
ok "C++" cpp && ok "sparse is dense, C++" same

# Entries counted by hand; sweeps that are known to be the least.
ok "three diagonals" counts band_x 34 3
ok "a ring" counts ring_x 24 2
ok "a dense row is had by rows" counts roof_x 23 2
ok "a triangle has no short cut" counts walk_x 78 12
ok "blocks" counts block_u 36 3
ok "tridiagonal Hessian" counts chain_x_x 23 3
ok "an arrow is a star" counts arrow_x_x 23 2
ok "blocks of a Hessian" counts mass_u_u 24 3
ok "two variables, x and x" counts both_x_x 17 3
ok "two variables, x and z" counts both_x_z 10 3
ok "two variables, z and z" counts both_z_z 5 3
ok "two variables apart" counts apart_x_z 1 3
agree() { "$GRADC" check "$@" >said && grep -q '^  all agree$' said || { cat said; return 1; }; }
ok "duals and differences" agree shapes.grad

# In a band of 200, and of 2000: three sweeps, and the same text but for tables and sizes.
ok "a line of 200 compiles" pair line -D N=200
ok "a line" program ${CC:-cc} $c99 -O2 && ok "sparse is dense on a line" same
ok "598 entries in 3 sweeps" counts pull_x 598 3
ok "399 entries in 3 sweeps" counts energy_x_x 399 3
ok "duals and differences on a line" agree -D N=30 line.grad
text() { "$GRADC" -D N="$1" -o - line.grad | grep -v '^    [0-9][0-9, ]*$' | sed 's/[0-9][0-9]*/0/g'; }
text 200 >short
text 2000 >long
ok "the text does not grow" cmp short long
ok "there is a text" test "$(wc -l <short)" -gt 200

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
