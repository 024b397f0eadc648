#!/bin/sh
# samples/gradbench beside figures that other ways and other tools computed (tests/gradbench/suite.c), and
# its protocol and command line with what is wrong in every way.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
: "${GRADC:=$BUILD/compiler/gradc}"
program=$BUILD/samples/gradbench/gradbench
suite=$BUILD/tests/gradbench_suite
shared=../shared/cases/gradbench
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "$*"; }

if [ ! -x "$program" ] || [ ! -x "$suite" ]; then
    echo "$program is not built: it wants Jansson (libjansson-dev) when the build is set up"
    echo "0 passed, 1 failed"
    exit 1
fi

# ---- figures
cases=
if [ -d $shared ]; then
    "$program" --list | cut -d : -f 1 >"$work/evals"
    for file in $shared/*/*.json; do
        if grep -q -x "$(basename "$(dirname "$file")")" "$work/evals"; then cases="$cases $file"; else
            skipped=$((skipped + 1))
        fi
    done
else
    skipped=1
fi
# shellcheck disable=SC2086 # a list of paths without spaces
"$suite" "$program" "$work" $cases >"$work/log"
sed '$d' "$work/log"
set -- $(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/log")
passed=$((passed + ${1:-0})) failed=$((failed + ${2:-1}))

# ---- det as a recursion, for some sizes
for size in 1 2 5 7; do
    if "$GRADC" -D L=$size -o "$work/det_minors.c" samples/gradbench/det_minors.grad >"$work/log" 2>&1 &&
        "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -DSIZE=$size -I"$work" -Iruntime -o "$work/minors" \
            tests/gradbench/minors.c "$work/det_minors.c" -lm >>"$work/log" 2>&1 &&
        "$work/minors" >>"$work/log" 2>&1; then ok; else
        bad "det_minors of size $size: $(cat "$work/log")"
    fi
done

# ---- the protocol
dialogue() { # dialogue NAME: messages on standard input, one answer for each line
    cat >"$work/in"
    "$program" <"$work/in" >"$work/out" 2>"$work/err" || bad "$1: exit status $?"
    [ ! -s "$work/err" ] || bad "$1: $(head -n 1 "$work/err")"
    sed 's/"nanoseconds":[0-9]*/"nanoseconds":T/g' "$work/out" >"$work/got"
}
same() { # same NAME: what dialogue left, and what standard input says
    cat >"$work/want"
    if diff "$work/want" "$work/got" >"$work/diff"; then ok; else
        bad "$1:"
        cat "$work/diff"
    fi
}

dialogue "a dialogue" <<'IN'
{"id": 0, "kind": "start", "eval": "hello"}
{"id": 1, "kind": "define", "module": "hello"}
{"id": 2, "kind": "evaluate", "module": "hello", "function": "square", "input": 3}

{"id": 3, "kind": "analysis", "of": 2, "valid": true}
{"id": 4, "kind": "evaluate", "module": "hello", "function": "double", "input": -0.1, "description": "a number"}
{"id": 5, "kind": "define", "module": "llsq"}
{"id": 6, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [0, 1], "n": 3, "min_runs": 3, "min_seconds": 0}}
{"id": 7, "kind": "something new"}
IN
same "a dialogue" <<'OUT'
{"id":0,"tool":"gradc"}
{"id":1,"success":true}
{"id":2,"success":true,"output":9,"timings":[{"name":"evaluate","nanoseconds":T}]}
{"id":3}
{"id":4,"success":true,"output":-0.20000000000000001,"timings":[{"name":"evaluate","nanoseconds":T}]}
{"id":5,"success":true}
{"id":6,"success":true,"output":0,"timings":[{"name":"evaluate","nanoseconds":T},{"name":"evaluate","nanoseconds":T},{"name":"evaluate","nanoseconds":T}]}
{"id":7}
OUT

# What is wrong is answered, and nothing of the dialogue is lost by it.
dialogue "mistakes" <<'IN'
{"id": 0, "kind": "start"}
this is no JSON
[1, 2]
{"kind": "define", "module": "hello"}
{"id": 1, "kind": "define", "module": "chess"}
{"id": 2, "kind": "define"}
{"id": 3, "kind": "evaluate", "module": "chess", "function": "square", "input": 3}
{"id": 4, "kind": "evaluate", "module": "hello", "function": "cube", "input": 3}
{"id": 5, "kind": "evaluate", "module": "hello", "function": "square"}
{"id": 6, "kind": "evaluate", "module": "hello", "function": "square", "input": "3"}
{"id": 7, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [0, "1"], "n": 3}}
{"id": 8, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [], "n": 3}}
{"id": 9, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1], "n": 2.5}}
{"id": 10, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1], "n": 0}}
{"id": 11, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1]}}
{"id": 12, "kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [1], "n": 3, "min_runs": 0}}
{"id": 13, "kind": "evaluate", "module": "kmeans", "function": "cost", "input": {"points": [[1, 2], [3]], "centroids": [[1, 2]]}}
{"id": 14, "kind": "evaluate", "module": "kmeans", "function": "cost", "input": {"points": [[1, 2], [3, 4]], "centroids": [[1]]}}
{"id": 15, "kind": "evaluate", "module": "det", "function": "primal", "input": {"A": [1, 2, 3], "ell": 2}}
{"id": 16, "kind": "evaluate", "module": "det", "function": "primal", "input": {"A": [1], "ell": 4000000000}}
{"id": 17, "kind": "evaluate", "module": "gmm", "function": "objective", "input": {"d": 30000, "k": 2000000000, "n": 2000000000, "x": [[1]]}}
{"id": 18, "kind": "evaluate", "module": "hello", "function": "square", "input": 1e400}
{"id": 19, "id": 20, "kind": "start"}
{"id": 21, "kind": "evaluate", "module": "hello", "function": "square", "input": 1e200}
{"id": 22, "kind": "evaluate", "module": "particle", "function": "rr", "input": {"w": -0.75}}
{"id": 23, "kind": "evaluate", "module": "saddle", "function": "fr", "input": {"start": [1, 2, 3]}}
{"id": 24, "kind": "evaluate", "module": "hello", "function": "square", "input": 2}
IN
same "mistakes" <<'OUT'
{"id":0,"tool":"gradc"}
{"id":null,"success":false,"error":"no JSON: '[' or '{' expected near 'this' at column 4"}
{"id":null,"success":false,"error":"a message is a JSON object"}
{"id":null,"success":false,"error":"the message has no id"}
{"id":1,"success":false,"error":"there is no module chess"}
{"id":2,"success":false,"error":"the message names no module"}
{"id":3,"success":false,"error":"there is no module chess"}
{"id":4,"success":false,"error":"hello has no function cube"}
{"id":5,"success":false,"error":"there is no input"}
{"id":6,"success":false,"error":"the input is no number"}
{"id":7,"success":false,"error":"x[1] is no number"}
{"id":8,"success":false,"error":"x has no entries"}
{"id":9,"success":false,"error":"n is no integer from 1 to 2147483647"}
{"id":10,"success":false,"error":"n is no integer from 1 to 2147483647"}
{"id":11,"success":false,"error":"the input has no n"}
{"id":12,"success":false,"error":"min_runs is no integer from 1 to 1000000000"}
{"id":13,"success":false,"error":"points[1] is no array of 2"}
{"id":14,"success":false,"error":"centroids[0] is no array of 2"}
{"id":15,"success":false,"error":"A is no array of 4"}
{"id":16,"success":false,"error":"ell is no integer from 1 to 20"}
{"id":17,"success":false,"error":"x is no array of 2000000000"}
{"id":null,"success":false,"error":"no JSON: real number overflow near '1e400' at column 86"}
{"id":null,"success":false,"error":"no JSON: duplicate object key near '\"id\"' at column 15"}
{"id":21,"success":true,"output":null,"timings":[{"name":"evaluate","nanoseconds":T}]}
{"id":22,"success":false,"error":"particle_rr_value: an iteration did not end within its limit"}
{"id":23,"success":false,"error":"start is no array of 2"}
{"id":24,"success":true,"output":4,"timings":[{"name":"evaluate","nanoseconds":T}]}
OUT

# ---- modes
# In the equations of a model an adjoint is NAME_bar and a derivative along a direction NAME_dot. The one inside of the
# other is NAME_bar_dot or NAME_dot_bar, or both kinds are there.
modes() { # modes MODEL FILE: what is in its equations
    "$GRADC" --model="$1" --emit=graph "samples/gradbench/$2.grad" >"$work/graph" 2>"$work/err" || echo refused
    for kind in bar dot; do
        if grep -q "[a-z]_$kind\\(_\\|\\>\\)" "$work/graph"; then printf '%s ' $kind; fi
    done
}
for model in particle flight; do
    for pair in "rr bar " "ff dot " "fr bar dot " "rf bar dot "; do
        got=$(modes "${model}_${pair%% *}" particle)
        [ "$got" = "${pair#* }" ] && ok || bad "${model}_${pair%% *} has $got"
    done
done
# The derivatives are 2 x and -2 y: of one along unit vectors nothing is left to be named.
for pair in "rr bar " "ff " "fr " "rf bar "; do
    got=$(modes "saddle_${pair%% *}" saddle)
    [ "$got" = "${pair#* }" ] && ok || bad "saddle_${pair%% *} has $got"
done

# ---- the command line
fails() { # fails STATUS TEXT ARGUMENT ...: nothing is printed but the reason
    status=$1 text=$2
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got = "$status" ] && grep -q -- "$text" "$work/err" && [ ! -s "$work/out" ]; then ok; else
        bad "gradbench $*: exit status $got: $(cat "$work/err")"
    fi
}
works() { # works FIRST-LINE ARGUMENT ...: that, and times
    want=$1
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got = 0 ] && [ "$(head -n 1 "$work/out")" = "$want" ] && [ ! -s "$work/err" ] &&
        [ "$(sed 1d "$work/out" | grep -c -v '^[0-9][0-9]*$')" = 0 ] && [ "$(wc -l <"$work/out")" -gt 1 ]; then ok; else
        bad "gradbench $*: exit status $got: $(cat "$work/out" "$work/err")"
    fi
}
echo 3 >"$work/three.json"
echo '{"eval": "llsq", "case": "small", "input": {"x": [0, 1], "n": 3, "min_runs": 2}}' >"$work/small.json"
echo '{"x": [0, 1], "n": 3}' >"$work/bare.json"
echo '{"x": [0, 1, "n": 3}' >"$work/broken.json"
works 9 hello "$work/three.json" square
works 0 llsq "$work/small.json" primal
[ "$(wc -l <"$work/out")" = 3 ] && ok || bad "min_runs of 2 gives $(($(wc -l <"$work/out") - 1)) runs"
works 0 llsq "$work/bare.json" primal
echo '{"x": [0, 1], "n": 3, "min_seconds": 0.05}' >"$work/long.json"
works 0 llsq "$work/long.json" primal
[ "$(sed 1d "$work/out" | awk '{ s += $1 } END { print (s >= 5e7) }')" = 1 ] && ok || bad "min_seconds is not honoured"
fails 2 "there is no eval chess" chess "$work/three.json" square
fails 2 "no such function of this eval: cube" hello "$work/three.json" cube
fails 2 "EVAL FILE FUNCTION" hello
fails 1 "No such file" hello "$work/none.json" square
fails 1 "broken.json:1:" llsq "$work/broken.json" primal
fails 1 "small.json is a case of llsq" lse "$work/small.json" primal
fails 1 "the input has no x" lse "$work/three.json" primal
[ "$("$program" --list | cut -d : -f 1 | tr '\n' ' ')" = "hello ba det gmm ht kmeans llsq lse lstm ode particle saddle " ] && ok || bad "--list"

if [ -e /dev/full ]; then
    if "$program" hello "$work/three.json" square >/dev/full 2>"$work/err"; then bad "a full device is not noticed"; else ok; fi
fi

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed = 0 ] && [ $passed -gt 0 ]
