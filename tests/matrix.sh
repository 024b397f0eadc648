#!/bin/sh
# Emitted C is C99 and C++ without a warning: every model at hand is read by gcc, g++ and clang++, and gcc makes code of one in four, with
# changing options. (clang reads each as C in tests/emitted.sh, with the same warnings, which makes code of every model by both.) Five of
# them with all of: float or double, runtime header or --standalone; two of these texts also as C with -O0 -O2 -Os, with and without
# -fopenmp-simd. Then what only whole programs show: standalone files of several models linked together, and the refusal of -ffast-math.
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

# Texts of a model: $work/NAME.REAL.HOW.c with HOW header or alone.
texts() { # texts FILE MODEL REAL.HOW ...
    file=$1 model=$2
    shift 2
    option=$(sed -n '1s,^// gradc: ,,p' "$file") # sizes that may not be open
    for text; do
        case $text in *.alone) how=--standalone ;; *) how= ;; esac
        # shellcheck disable=SC2086
        "$GRADC" --model="$model" --real="${text%.*}" $option $how -o "$work/$model.$text.c" "$file" 2>"$work/log" || return 1
    done
}

compile() { # compile COMPILER LANGUAGE OPTIONS TEXT: one command
    case $2 in
    c) set -- "$1" "-std=c99 -Wmissing-prototypes" "$3" "$4" ;;
    *) set -- "$1" "-x c++ -std=$2" "$3" "$4" ;;
    esac
    echo "$1 $2 $warn $3 -Iruntime -c -o /dev/null $work/$4.c" >>"$commands"
}

# options_of TURN: one in four makes code, each at the next level
options_of() {
    at='-O0 -fsyntax-only'
    [ $(($1 % 4)) = 0 ] || return 0
    case $(($1 / 4 % 8)) in
    0) at=-O2 ;; 1) at="-O3 -fopenmp-simd" ;; 2) at=-O1 ;; 3) at="-Os -fopenmp-simd" ;;
    4) at="-O2 -fopenmp-simd" ;; 5) at="-O0 -fopenmp-simd" ;; 6) at="-O1 -fopenmp-simd" ;; 7) at=-Os ;;
    esac
}

seen=
model_turn=0
whole=" a09_kinks c03_tables integers mixed one_number "
for file in tests/emitted/*.grad tests/models/*.grad samples/*.grad samples/mnist/*.grad samples/gradbench/*.grad samples/robot/*.grad tests/golden/right/*.grad ../shared/language/programs/*.grad; do
    [ -f "$file" ] || { skipped=$((skipped + 1)); continue; }
    sum=$(sed '2,$s,//.*,,' "$file" | tr -d ' \t\n' | cksum) # but for comments; the first may hold options
    case $seen in *"<$sum>"*) continue ;; esac
    seen="$seen<$sum>"
    for model in $(sed -n 's/^ *model  *\([A-Za-z_0-9]*\).*/\1/p' "$file"); do
        case $whole in
        *" $model "*) forms="double.header double.alone float.header float.alone" ;;
        *) if [ $(((model_turn / 4 + model_turn / 32) % 2)) = 0 ]; then forms="double.header float.alone"; else forms="float.header double.alone"; fi ;;
        esac
        # shellcheck disable=SC2086
        if ! texts "$file" "$model" $forms; then
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
            for text in $model.double.header $model.float.alone; do
                for optimise in -O0 -O2 -Os; do
                    compile gcc c "$optimise -fopenmp-simd" $text
                    [ $optimise = -O0 ] || compile gcc c "$optimise" $text
                    compile clang c "$optimise" $text # its loops have pragmas of its own
                done
                compile g++ c++11 "-O2 -fopenmp-simd" $text # C++ is another language, but not another optimiser
                compile g++ c++11 -Os $text
                compile clang++ c++17 "-O2 -fopenmp-simd" $text
            done
            for text in $model.float.header $model.double.alone; do
                compile gcc c "-O2 -fopenmp-simd" $text
                compile clang c -O2 $text
                compile g++ c++17 "-O2 -fopenmp-simd" $text
                compile clang++ c++11 -O2 $text
            done ;;
        *)
            options_of $model_turn
            compile gcc c "$at" "$model.${forms% *}"
            # math.h in C++17 takes longer to read than most of these: every eighth by each of the two
            std_g=c++11 std_clang=c++11
            case $((model_turn % 8)) in 3) std_g=c++17 ;; 7) std_clang=c++17 ;; esac
            compile g++ $std_g "-O0 -fsyntax-only" "$model.${forms#* }"
            compile clang++ $std_clang "-O0 -fsyntax-only" "$model.${forms% *}"
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
for model; do texts "samples/$model.grad" "$model" double.alone; done
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
