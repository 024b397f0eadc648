#!/bin/sh
# Emitted C against numbers that other tools published, where those lie beside the checkout: tests/emitted/cases.py says more.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
: "${GRADC:=$BUILD/compiler/gradc}"
shared=../shared
if [ ! -d $shared/cases/gradbench ] || [ ! -d $shared/language/programs ] || ! command -v python3 >/dev/null 2>&1; then
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
python3 tests/emitted/cases.py "$GRADC" runtime "$work" $shared/language/programs $shared/cases
