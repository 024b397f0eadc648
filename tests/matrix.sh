#!/bin/sh
# Emitted C is C99 and C++ without a warning: every model at hand is read by gcc, clang, g++ and clang++, and one of the four, in turn,
# makes code of it, with changing options (tests/emitted.sh makes code of every model by both, and takes no warning either);
# five of them with all of: float or double, runtime header or --standalone; as C also -O0 -O2 -Os, with and without -fopenmp-simd. Then what
# only whole programs show: standalone files of several models linked together, and the refusal of -ffast-math.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
: "${GRADC:=$BUILD/compiler/gradc}"
work=$BUILD/matrix
rm -rf "$work"
mkdir -p "$work" || exit 2
passed=0 failed=0 skipped=0
warn="-Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror"
commands=$work/commands

# The four texts of a model: $work/NAME.REAL.HOW.c with HOW header or alone.
texts() { # texts FILE MODEL
    for real in double float; do
        for how in header alone; do
            option=$(sed -n '1s,^// gradc: ,,p' "$1") # sizes that may not be open
            [ $how = header ] || option="$option --standalone"
            # shellcheck disable=SC2086
            "$GRADC" --model="$2" --real=$real $option -o "$work/$2.$real.$how.c" "$1" 2>"$work/log" || return 1
        done
    done
}

compile() { # compile COMPILER LANGUAGE OPTIONS TEXT: one command
    case $2 in
    c) set -- "$1" "-std=c99 -Wmissing-prototypes" "$3" "$4" ;;
    *) set -- "$1" "-x c++ -std=$2" "$3" "$4" ;;
    esac
    echo "$1 $2 $warn $3 -Iruntime -c -o /dev/null $work/$4.c" >>"$commands"
}

# one_by COMPILER LANGUAGE TEXT: of four that follow another, one makes code, and the next time at the next level
one_by() {
    at='-O0 -fsyntax-only'
    if [ $((turn % 4)) = $((model_turn % 4)) ]; then
        case $((model_turn / 4 % 8)) in
        0) at=-O2 ;; 1) at="-O3 -fopenmp-simd" ;; 2) at=-O1 ;; 3) at="-Os -fopenmp-simd" ;;
        4) at="-O2 -fopenmp-simd" ;; 5) at="-O0 -fopenmp-simd" ;; 6) at="-O1 -fopenmp-simd" ;; 7) at=-Os ;;
        esac
    fi
    turn=$((turn + 1))
    compile "$1" "$2" "$at" "$model.$3"
}

seen=
turn=0 model_turn=0
whole=" a09_kinks c03_tables integers mixed one_number "
for file in tests/emitted/*.grad tests/models/*.grad samples/*.grad samples/mnist/*.grad samples/gradbench/*.grad samples/robot/*.grad tests/golden/right/*.grad ../shared/language/programs/*.grad; do
    [ -f "$file" ] || { skipped=$((skipped + 1)); continue; }
    sum=$(sed '2,$s,//.*,,' "$file" | tr -d ' \t\n' | cksum) # but for comments; the first may hold options
    case $seen in *"<$sum>"*) continue ;; esac
    seen="$seen<$sum>"
    for model in $(sed -n 's/^ *model  *\([A-Za-z_0-9]*\).*/\1/p' "$file"); do
        if ! texts "$file" "$model"; then
            if grep -q 'not yet' "$work/log"; then
                skipped=$((skipped + 1))
            else
                echo "$file: $model"
                cat "$work/log"
                failed=$((failed + 1))
            fi
            continue
        fi
        case $whole in
        *" $model "*)
            for text in $model.double.header $model.double.alone $model.float.header $model.float.alone; do
                for optimise in -O0 -O2 -Os; do
                    compile gcc c "$optimise -fopenmp-simd" $text
                    [ $optimise = -O0 ] || compile gcc c "$optimise" $text
                    compile clang c "$optimise" $text # its loops have pragmas of its own
                done
                compile g++ c++11 "-O2 -fopenmp-simd" $text # C++ is another language, but not another optimiser
                compile g++ c++11 -Os $text
                compile clang++ c++17 "-O2 -fopenmp-simd" $text
            done ;;
        *)
            if [ $(((model_turn / 4 + model_turn / 32) % 2)) = 0 ]; then one=double.header two=float.alone; else one=float.header two=double.alone; fi
            one_by gcc c $one; one_by clang c $two; one_by g++ c++17 $two; one_by clang++ c++11 $one
            model_turn=$((model_turn + 1)) ;;
    esac
    done
done

# Two at a time; a command that fails leaves its line and what the compiler said.
cat >"$work/one" <<'ONE'
out=$(sh -c "$1" 2>&1) && { echo good; exit; }
echo "bad: $1"
printf '%s\n' "$out" | head -n 20
ONE
tr '\n' '\0' <"$commands" | xargs -0 -n 1 -P "${JOBS:-2}" sh "$work/one" >"$work/out"
passed=$((passed + $(grep -c '^good$' "$work/out")))
failed=$((failed + $(grep -c '^bad: ' "$work/out")))
grep -v '^good$' "$work/out"

try() { # try WHAT COMMAND ...
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then passed=$((passed + 1)); else
        echo "matrix: $what"
        head -n 20 "$work/log"
        failed=$((failed + 1))
    fi
}

# Several standalone models in one program, and all their headers in one file.
set -- a09_kinks b02_links
{
    for model; do echo "#include \"$model.double.alone.h\""; done
    echo "int main(void) {"
    for model; do echo "    static ${model}_args a_$model;"; done
    for model; do echo "    if (${model}_value(&a_$model, 0) != 1) return 1;"; done # every size is 0
    echo "    return 0;"
    echo "}"
} >"$work/main.c"
for compiler in "gcc -std=c99" "clang -std=c99" "g++ -x c++ -std=c++11" "clang++ -x c++ -std=c++17"; do
    # shellcheck disable=SC2086
    try "$compiler: two standalone models in one program" $compiler $warn -I"$work" -Iruntime -o "$work/main" "$work/main.c" "$work/$1.double.alone.c" "$work/$2.double.alone.c" -lm &&
        try "$compiler: two standalone models in one program run" "$work/main"
done

# What would break in silence is refused, by an #error that says why.
refuses() {
    ! "$@" >"$work/said" 2>&1 && grep -q 'needs IEEE arithmetic' "$work/said"
}
for text in a09_kinks.double.header a09_kinks.float.alone; do
    for compiler in "gcc -std=c99" "clang -std=c99" "g++ -x c++" "clang++ -x c++"; do
        for option in -ffast-math -Ofast -ffinite-math-only; do
            # shellcheck disable=SC2086
            try "$compiler $option: accepted" refuses $compiler -O2 $option -Iruntime -c -o /dev/null "$work/$text.c"
        done
    done
    for option in -fassociative-math -freciprocal-math -fno-signed-zeros; do # gcc alone tells of these in its macros
        try "gcc $option: accepted" refuses gcc -std=c99 -O2 -fno-trapping-math -fno-signed-zeros $option -Iruntime -c -o /dev/null "$work/$text.c"
    done
done

rm -rf "$work"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
