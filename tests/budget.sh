#!/bin/sh
# --max-workspace: what fits is honoured by the C, with the same values; what does not is refused with the least that would do,
# and with that it fits. --assume decides, and changes nothing that holds for all sizes.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${GRADC:=$top/build/compiler/gradc}" "${BUILD:=$top/build}"
work=$BUILD/budget
rm -rf "$work"
mkdir -p "$work" || exit 2
cp tests/budget/* tests/windows/compare.c "$work"
cd "$work" || exit 2
log=$(pwd)/log
. "$top/tests/counting"
strict="-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wmissing-prototypes -Werror -I$top/runtime"
says() { grep -qF -- "$1" err || { echo "not said: $1"; cat err; return 1; }; }
status() { # status N OPTION ...
    want=$1
    shift
    "$GRADC" -o out.c "$@" 2>err
    found=$?
    [ "$found" = "$want" ] || { echo "status $found"; cat err; return 1; }
}
model() { # model NAME FILE OPTION ...
    name=$1 file=$2
    shift 2
    "$GRADC" "$@" "$file.grad" --prefix="$name" -o "$name.c" 2>err && ${CC:-cc} $strict -O1 -ffp-contract=off -c "$name.c"
}
# The bytes of value, forward, and of both together of the second model
within() { # within SIZES BYTES
    ${CC:-cc} compare.o first.o second.o -o both -lm && ./both $1 >bytes || { cat bytes; return 1; }
    read -r _ _ value forward <bytes
    [ "$value" -le "$2" ] && [ "$forward" -le "$2" ] || { echo "more than $2:"; cat bytes; return 1; }
}
all_within() { # as the report has it, which says for fixed sizes what the C says: see tests/report.sh
    most=$1
    shift
    "$GRADC" --report --max-workspace="$most" "$@" 2>err | sed -n 's/^  workspace: \([0-9]*\) bytes, .*/\1/p' >said
    [ "$(wc -l <said)" -ge 2 ] || { echo "no workspaces said"; return 1; }
    while read -r n; do [ "$n" -le "$most" ] || { cat said; return 1; }; done <said
}
least() { "$GRADC" -o out.c --max-workspace=0 "$@" 2>&1 | sed -n 's/.*at least \([0-9]*\) bytes, and --max-workspace.*/\1/p' | sort -n | tail -n 1; }
ok "compare.c" ${CC:-cc} -std=c11 -O1 -Wall -Wextra -Werror -I"$top/runtime" -c compare.c

# tight FILE SIZES HOW BYTES ...: from what is fastest to the least, the same bits, or with HOW
tight() {
    file=$1 sizes=$2 how=$3 fixed= assumed=
    shift 3
    for s in $sizes; do fixed="$fixed -D $s" assumed="$assumed --assume $s"; done
    ok "$file compiles" model first "$file" || return
    # shellcheck disable=SC2086
    low=$(least $assumed "$file.grad")
    ok "$file: there is a least" test "${low:-0}" -gt 0 || return
    # shellcheck disable=SC2086
    ok "$file: one byte less is refused" status 1 --max-workspace=$((low - 1)) $assumed "$file.grad"
    # shellcheck disable=SC2086
    ok "$file: the same least for fixed sizes" test "$(least $fixed "$file.grad")" = "$low"
    for bytes in "$@" "$low"; do
        # shellcheck disable=SC2086
        ok "$file within $bytes" model second "$file" --max-workspace="$bytes" $assumed &&
            ok "$file within $bytes: the same bits" within "$sizes $how" "$bytes"
        # shellcheck disable=SC2086
        ok "$file within $bytes: all functions" all_within "$bytes" $fixed "$file.grad"
    done
}
tight softmax "N=2000 K=6" sums=any 1000000 400000 200000
tight gates "T=200 n=8" "" 100000 60000 40000 20000 5000

# What is refused, and how
ok "open sizes" status 1 --max-workspace=1000 gates.grad
ok "open sizes: the polynomial" says "gates_forward needs a workspace of about "
ok "open sizes: what to say" says "say what the sizes are, with -D or --assume"
ok "where it goes" says " bytes of it for h[T + 1, n]"
ok "nothing is written" test ! -e gates.c
ok "no dimension" status 2 --assume M=3 gates.grad
ok "no dimension: said" says "'M' is no open dimension of model 'gates'"
ok "a fixed one is not open" status 2 -D T=5 --assume T=5 gates.grad
ok "no number" status 2 --assume T=0 gates.grad
ok "no bytes" status 2 --max-workspace=much gates.grad
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
