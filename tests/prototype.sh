#!/bin/sh
# Emitted C against the evaluator of the language's prototype, where that lies beside the checkout: tests/emitted/prototype.py
# says more.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
: "${GRADC:=$BUILD/compiler/gradc}"
prototype=../shared/language/prototype
if [ ! -d $prototype ] || ! command -v python3 >/dev/null 2>&1; then
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# Its parser is built from flex and bison, in a copy.
cp -r $prototype "$work/prototype" && make -s -C "$work/prototype" >"$work/log" 2>&1 || {
    cat "$work/log"
    echo "0 passed, 1 failed"
    exit 1
}
PYTHONDONTWRITEBYTECODE=1 python3 tests/emitted/prototype.py "$GRADC" runtime "$work" ../shared/language/programs "$work/prototype"
