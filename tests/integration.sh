#!/bin/sh
# gradc inside other people's builds: installed below a folder and found by pkg-config (Meson, make) and by CMake, and as a
# Meson subproject. Each compiles two models into one program; a change in a file that a model uses must rebuild it.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}"
work=$BUILD/integration
rm -rf "$work"
mkdir -p "$work" || exit 2
log=$work/log
. tests/counting
prints() { [ "$("$1")" = "$2" ] || { echo "$1 prints '$("$1")', not '$2'"; return 1; }; }
same_time() { [ "$(stat -c %Y.%i "$1")" = "$2" ]; }

# Residuals at a = 2, b = 1 are 0, 0, -1: the loss is 1, its gradient -4 and -2; the bump's slope at 1/2 is -exp(-1/4).
before="1 -4 -2 -0.778801"
after="2 -8 -4 -0.778801" # with twice the square

# A project in its own folder: project NAME, then its files beside the models.
project() {
    mkdir -p "$work/$1"
    cp -R tests/integration/"$2"/. tests/integration/models tests/integration/main.c "$work/$1/"
    mkdir -p "$work/$1/models"
    [ -f "$work/$1/models/line.grad" ] || cp -R tests/integration/models/. "$work/$1/models/"
}
double_it() { echo 'fn square(real x) -> real y { y = 2 * x * x; }' >"$1/models/lib/square.grad"; }

# steps NAME PROGRAM COMMAND ...: build, run, build again for nothing, change what a model uses, build and run.
# With lazy=no the same C may be compiled anew: CMake's makefiles touch every output of a command.
lazy=yes
steps() {
    name=$1 program=$2
    shift 2
    ok "$name: builds" "$@" || return
    ok "$name: runs" prints "$program" "$before"
    object=$(stat -c %Y.%i "$program")
    sleep 1
    ok "$name: builds again" "$@"
    ok "$name: without linking anew" same_time "$program" "$object"
    touch "$work/$name/models/line.grad"
    ok "$name: builds after a touch" "$@"
    [ $lazy = no ] || ok "$name: without compiling the same C anew" same_time "$program" "$object"
    sleep 1 # clocks of file systems are coarse
    double_it "$work/$name"
    ok "$name: builds after a change in a file that is used" "$@"
    ok "$name: runs with the change" prints "$program" "$after"
}

ok "installs" env DESTDIR="$work/root" meson install -C "$BUILD" --no-rebuild --quiet
prefix=$work/root$(meson introspect --buildoptions "$BUILD" | tr '{' '\n' | sed -n 's/.*"name": "prefix", "value": "\([^"]*\)".*/\1/p')
pc=$(find "$prefix" -name gradc.pc)
ok "has a pkg-config file" test -f "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
ok "pkg-config finds the compiler" test -x "$(pkg-config --variable=gradc gradc)"
ok "pkg-config finds the header" test -f "$(pkg-config --variable=includedir gradc)/gradc.h"

project meson meson
ok "meson: set up" meson setup "$work/meson/out" "$work/meson" --wrap-mode=nofallback &&
    steps meson "$work/meson/out/user" ninja -C "$work/meson/out"
project make make
steps make "$work/make/user" make -C "$work/make"
project cmake cmake
for generator in Ninja "Unix Makefiles"; do
    [ "$generator" = Ninja ] || lazy=no
    rm -rf "$work/cmake/out"
    cp tests/integration/models/lib/square.grad "$work/cmake/models/lib/"
    ok "cmake, $generator: set up" cmake -G "$generator" -S "$work/cmake" -B "$work/cmake/out" -DCMAKE_PREFIX_PATH="$prefix" &&
        steps cmake "$work/cmake/out/user" cmake --build "$work/cmake/out"
done

lazy=yes

# As a subproject nothing is installed or found outside.
unset PKG_CONFIG_PATH
project subproject meson
ln -s "$top" "$work/subproject/subprojects/gradc"
ok "subproject: set up" meson setup "$work/subproject/out" "$work/subproject" --force-fallback-for=gradc &&
    steps subproject "$work/subproject/out/user" ninja -C "$work/subproject/out"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
