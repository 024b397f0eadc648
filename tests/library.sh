#!/bin/sh
# The library: every function against figures of another making, its derivatives against differences, and how `use` finds it.
#
#   tests/library/FILE.grad   a model for each function of compiler/library/FILE.grad, with the gradient by all its arguments
#                             and how it changes along a direction;
#                             a line "// check: OPTIONS" above a model is for `gradc check`
#   tests/library/FILE.txt    what these must give, in float and in double: see tests/library/figures.py, which makes both,
#                             and tests/library/figures.c, which compares
#   tests/library/*_use.grad  several functions together, as one writes them; tests/emitted.sh runs these
#   tests/library/uses.txt    what some of them must give
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd) again=${1:-}
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}" "${CC:=cc}"
passed=0 failed=0 skipped=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
log=$work/log
LC_ALL=C
export LC_ALL

good() { passed=$((passed + 1)); }
bad() { # bad TEXT [FILE TO SHOW]
    echo "library: $1"
    [ $# -lt 2 ] || head -n 40 "$2"
    failed=$((failed + 1))
}
ok() { # ok TEXT COMMAND ...
    text=$1
    shift
    if "$@" >"$log" 2>&1; then good; else
        bad "$text" "$log"
        return 1
    fi
}

# ---- complete: each function has a model and at least one case -----------------------------------------------------------
"$GRADC" --library | sed -n 's/^use "gradc\/\(.*\)\.grad";.*/\1/p' >"$work/files"
ok "there are files" test -s "$work/files"
while read -r file; do
    "$GRADC" --library="$file" | sed -n 's/^fn \([A-Za-z_0-9]*\)(.*/\1/p' >"$work/functions"
    sed -n 's/^model \([A-Za-z_0-9]*\) {/\1/p' "tests/library/$file.grad" >"$work/modelled"
    ok "$file: the models are those of its functions" diff "$work/functions" "$work/modelled"
    awk '/^model/ { name = $2; print name > "/dev/stderr" } /^= / { if (!seen[name]++) print name }' "tests/library/$file.txt" >"$work/tested" 2>/dev/null
    ok "$file: each function has figures" diff "$work/functions" "$work/tested"
done <"$work/files"

# ---- figures: in float and in double -----------------------------------------------------------------------------------------
: >"$work/list"
echo '#include "gradc_model.h"' >"$work/models.h"
translate() { # translate NAME FILE: in both precisions
    for real in float double; do
        prefix=t_$1_$real
        if "$GRADC" --real=$real -Werror --model="$1" --prefix="$prefix" -o "$work/$prefix.c" "$2" >"$log" 2>&1; then
            good
            echo "$prefix" >>"$work/list"
            echo "extern const gradc_model ${prefix}_model;" >>"$work/models.h"
        else
            bad "$1 compiles in $real" "$log"
        fi
    done
}
texts=tests/library/uses.txt
while read -r name; do
    translate "$name" "tests/library/${name}_use.grad"
done <<END
$(sed -n 's/^model //p' tests/library/uses.txt)
END
while read -r file; do
    texts="$texts tests/library/$file.txt"
    while read -r name; do
        translate "$name" "tests/library/$file.grad"
    done <<END
$(sed -n 's/^model \([A-Za-z_0-9]*\) {/\1/p' "tests/library/$file.grad")
END
done <"$work/files"
{
    echo 'static const struct { const char *name; int single; const gradc_model *model; } models[] = {'
    sed 's/t_\(.*\)_\(float\|double\)$/    {"\1", \2, \&&_model},/; s/, float,/, 1,/; s/, double,/, 0,/' "$work/list"
    echo '    {0, 0, 0}};'
} >>"$work/models.h"
# Many models in one unit: they are so small that most of the time would go to the header and to the functions of the runtime that they
# share. One model in four is made fast, in either precision.
awk -v work="$work" '{
    level = (NR - 1) % 8 < 2 ? "-O1" : "-Og"
    unit = work "/unit" level "." int(n[level] / 24) ".c"
    n[level]++
    print "#include \"" $0 ".c\"" >unit
}' "$work/list"
compile_all() {
    for unit in "$work"/unit*.c; do
        level=${unit##*/unit}
        "$CC" -std=c99 "${level%%.*}" -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror -Iruntime -c -o "${unit%c}o" "$unit" ||
            tr -d '\n' <"$unit" >>"$work/refused"
    done
}
ok "all are C without a warning" sh -c : && compile_all >"$log" 2>&1
if [ -f "$work/refused" ]; then bad "C with warnings, of these: $(sed 's/#include / /g' "$work/refused")" "$log"; fi
# shellcheck disable=SC2086
if ok "the figures link" "$CC" -std=c11 -O1 -Iruntime -I"$work" -o "$work/figures" tests/library/figures.c "$work"/unit*.o -lm; then
    "$work/figures" $texts >"$log" 2>&1
    # shellcheck disable=SC2046
    set -- $(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log")
    if [ $# = 2 ] && [ "$1" -gt 1000 ]; then
        passed=$((passed + $1)) failed=$((failed + $2))
        [ "$2" = 0 ] || cat "$log"
    else
        bad "the figures ended early" "$log"
    fi
fi

# ---- derivatives: against dual numbers and differences -------------------------------------------------------------------------
while read -r file; do
    while read -r name; do
        options=$(awk -v name="$name" '/^\/\/ check: / { o = substr($0, 11) } /^model / { if ($2 == name) print o; o = "" }' "tests/library/$file.grad")
        # shellcheck disable=SC2086
        ok "gradc check $name" "$GRADC" check --model="$name" $options "tests/library/$file.grad"
    done <<END
$(sed -n 's/^model \([A-Za-z_0-9]*\) {/\1/p' "tests/library/$file.grad")
END
done <"$work/files"
for file in tests/library/*_use.grad; do
    [ ! -f "$file" ] || ok "gradc check $file" "$GRADC" check "$file"
done

# ---- how it is found -----------------------------------------------------------------------------------------------------------
mkdir -p "$work/far/gradc"
cp "$GRADC" "$work/far/gradc.copy"
cd "$work/far" || exit 2
echo 'fn softmax(real v[K]) -> real p[K] { p[k] = v[k]; }' >gradc/losses.grad
cp gradc/losses.grad mine.grad
echo 'use "gradc/losses.grad"; use "gradc/losses.grad"; model m { input real v[2]; p[k] = softmax(v)[k]; output p; }' >m.grad
says() { grep -qF -- "$1" "$log.err" || { echo "not said: $1"; cat "$log.err"; return 1; }; }
refused() { ! ./gradc.copy -o - x.grad >/dev/null 2>"$log.err"; }
ok "a copy of the compiler has it" ./gradc.copy --emit=graph -o m.graph m.grad
ok "and not a file of that name" grep -q exp m.graph
ok "dependency files leave it out" sh -c './gradc.copy -MD -o m.c m.grad && ! grep gradc/ m.d'
sed 's,"gradc/losses,"./gradc/losses,g' m.grad >x.grad
ok "with ./ it is the file" sh -c './gradc.copy --emit=graph -o x.graph x.grad && ! grep -q exp x.graph'
sed 's/losses/loses/g' m.grad >x.grad
ok "a file that is not there" refused
ok "is guessed" says "did you mean 'gradc/losses.grad'?"
sed 's/use [^;]*;//g; s/p\[k\] =/p[k: 2] =/' m.grad >x.grad
ok "a function that was not taken in" refused
ok "is pointed to" says 'the library has it: use "gradc/losses.grad";'
{ cat m.grad; cat mine.grad; } >x.grad
ok "a name that the library has" refused
line=$("$GRADC" --library=losses | grep -n '^fn softmax' | sed 's/:.*//')
ok "is shown there, with its line" says "gradc/losses.grad:$line:4: note: first here"
ok "and its text" says "fn softmax(real v[K])"
ok "--library lists" sh -c './gradc.copy --library | grep -qx "  softmax(real v\[K\]) -> real p\[K\]"'
ok "--library=FUNCTION" sh -c './gradc.copy --library=softmax | grep -q "^// formula: exp"'
cd "$top" || exit 2
while read -r file; do
    "$GRADC" --library="gradc/$file.grad" >"$work/x"
    ok "--library=gradc/$file.grad is the file" cmp "$work/x" "compiler/library/$file.grad"
done <"$work/files"

# ---- the figures themselves: made again where mpmath is ------------------------------------------------------------------------
if [ "$again" = --figures ] && python3 -c 'import mpmath' 2>/dev/null; then
    mkdir "$work/again"
    # shellcheck disable=SC2046
    ok "figures.py runs" python3 tests/library/figures.py compiler/library "$work/again" uses $(cat "$work/files")
    for file in "$work"/again/*; do ok "$(basename "$file") is what figures.py makes" cmp "$file" "tests/library/$(basename "$file")"; done
else
    skipped=$((skipped + 1))
fi

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
