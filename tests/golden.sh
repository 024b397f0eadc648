#!/bin/sh
# Golden tests: tests/golden/TOPIC/NAME.grad with what gradc must say about it. Which file lies beside it chooses the stage:
#   .err       all diagnostics; the exit status must be 1 where there is an error, else 0
#   .parse .check .lower .plan     --dump of that pass
#   .graph .gradient .dot .json    --emit of that kind
#   .c         the emitted C with its header
# A first line "// gradc: OPTIONS" gives further options. Paths in messages are relative: gradc runs in the folder.
# With ACCEPT=yes the files that exist are rewritten: those whose path holds $CASES. Where $CASES is a pattern for whole paths,
# such as wrong/sizes.err or 'wrong/*.err', they are made where they do not exist.
set -u
cd "$(dirname "$0")/golden" || exit 2
: "${GRADC:=$(cd ../.. && pwd)/build/compiler/gradc}"
: "${ACCEPT:=no}" "${CASES:=}"
passed=0 failed=0
got=$(mktemp) && messages=$(mktemp) || exit 2
trap 'rm -f "$got" "$messages"' EXIT

# stage KIND NAME OPTIONS: the text in $got and gradc's exit status in $status
stage() {
    kind=$1 name=$2 options=$3
    # shellcheck disable=SC2086
    case $kind in
    err) "$GRADC" $options --color=never -o - "$name.grad" 2>"$got" >/dev/null ;;
    parse | check | lower | plan) "$GRADC" $options --color=never --dump="$kind" "$name.grad" >"$got" 2>"$messages" ;;
    *) "$GRADC" $options --color=never --emit="$kind" -o - "$name.grad" >"$got" 2>"$messages" ;;
    esac
    status=$?
}

for program in */*.grad; do
    topic=${program%/*} name=$(basename "$program" .grad) found=no
    options=$(sed -n '1s,^// gradc: ,,p' "$program")
    for kind in err parse check lower plan graph gradient dot json c; do
        want=$topic/$name.$kind
        chosen=no
        # shellcheck disable=SC2254
        case $want in
        $CASES) chosen=$ACCEPT ;; # a pattern: it makes new files
        esac
        [ -f "$want" ] || [ $chosen = yes ] || continue
        found=yes
        [ $chosen = yes ] || case $want in *"$CASES"*) ;; *) continue ;; esac
        cd "$topic" || exit 2
        stage "$kind" "$name" "$options"
        cd .. || exit 2
        expected=0
        if [ "$kind" = err ] && grep -q ': error: ' "$got"; then expected=1; fi
        if [ "$status" != "$expected" ]; then
            echo "golden/$want: gradc ended with status $status, not $expected"
            if [ "$kind" = err ]; then cat "$got"; else cat "$messages"; fi
            failed=$((failed + 1))
        elif [ "$ACCEPT" = yes ]; then
            cmp -s "$want" "$got" || { cat "$got" >"$want"; echo "accepted golden/$want"; }
            passed=$((passed + 1))
        elif diff -u --label "golden/$want" --label "gradc's" "$want" "$got"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
    done
    if [ $found = no ] && [ -z "$CASES" ]; then
        echo "golden/$program: no expected file lies beside it"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
