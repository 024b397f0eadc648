#!/bin/sh
# The golden tests again, with a compiler that is built with the address and undefined-behaviour sanitizers.
cd "$(dirname "$0")/.." || exit 2
GRADC=$(pwd)/build-san/compiler/gradc UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 exec sh tests/golden.sh
