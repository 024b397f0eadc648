#!/bin/sh
# The command line: exit statuses, what is written and when, dependency files, standard input, the same bytes everywhere.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${GRADC:=$(pwd)/build/compiler/gradc}"
work=$(mktemp -d) || exit 2
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
log=$work/.log
. tests/counting
cd "$work" || exit 2
unset NO_COLOR

# gradc STATUS ARGUMENT ...: runs it, with its output in $work/.out and .err, and tells whether it ended as it should
gradc() {
    want=$1
    shift
    "$GRADC" "$@" >"$work/.out" 2>"$work/.err" </dev/null
    got=$?
    [ $got = "$want" ] || { echo "status $got, not $want"; cat "$work/.err"; return 1; }
}
says() { grep -qF -- "$1" "$work/.err" || { echo "not said: $1"; cat "$work/.err"; return 1; }; }
prints() { grep -qF -- "$1" "$work/.out" || { echo "not printed: $1"; cat "$work/.out"; return 1; }; }
quiet() { [ ! -s "$work/.out" ] && [ ! -s "$work/.err" ]; }
stamp() { stat -c %Y.%i "$1" 2>/dev/null || stat -f %m.%i "$1"; }
same_stamp() { [ "$(stamp "$1")" = "$2" ]; }
not() { if "$@"; then return 1; fi; }

mkdir lib sub
cat >lib/half.grad <<'END'
fn half(real x) -> real y { y = x / 2; }
END
cat >good.grad <<'END'
use "lib/half.grad";
model good {
  dim N;
  input real x[N];
  f = sum[i](half(x[i]) * x[i]);
  output f;
  derive gradient(f; x);
}
END
cat >bad.grad <<'END'
model bad {
  dim N;
  input real x[N];
  f = sum[i](x[i] * y[i]);
  output f;
}
END
cat >two.grad <<'END'
model first  { input real x; f = x * x; output f; }
model second { input real x; f = x + x; output f; }
END

# ---- help and wrong use
ok "--help" gradc 0 --help
ok "--help names every option" prints "--standalone"
ok "--help fits in 100 columns" not grep -q '.\{101\}' .out
ok "--version" gradc 0 --version
ok "--version prints it" prints "gradc "
ok "no file" gradc 2
ok "no file says so" says "no model file"
ok "unknown option" gradc 2 --emmit=c good.grad
ok "unknown option is guessed" says "did you mean '--emit'?"
ok "unknown value" gradc 2 --emit=grph good.grad
ok "unknown value is guessed" says "did you mean 'graph'?"
ok "missing value" gradc 2 good.grad -o
ok "bad size" gradc 2 -D N=0 good.grad
ok "bad size says so" says "at least 1"
ok "unknown dimension" not gradc 0 -D M=3 -o - good.grad
ok "missing file" gradc 2 missing.grad
ok "missing file is named" says "cannot read 'missing.grad'"
ok "unknown warning" gradc 2 -Wno-nothing good.grad
ok "two files" gradc 2 good.grad two.grad
ok "several models" gradc 2 two.grad
ok "several models are listed" says "first, second"
ok "a model that is not there" gradc 2 --model=secnd two.grad
ok "it is guessed" says "did you mean 'second'?"
ok "one of several" gradc 0 --model second -o - two.grad
ok "bad prefix" gradc 2 --prefix=1a good.grad
ok "-o on the model itself" gradc 2 --emit=graph -o good.grad good.grad
ok "-o on a header" gradc 2 -o good.h good.grad
ok "nothing was written" not test -e good.c

# ---- outputs
ok "compiles" gradc 0 good.grad
ok "in silence" quiet
ok "writes both files" test -s good.c -a -s good.h
ok "no temporary is left" test -z "$(find . -name 'good.?.*')"
before_c=$(stamp good.c) before_h=$(stamp good.h)
sleep 1
ok "compiles again" gradc 0 good.grad
ok "same bytes keep the C file's time" same_stamp good.c "$before_c"
ok "same bytes keep the header's time" same_stamp good.h "$before_h"
ok "other options" gradc 0 --prefix=other good.grad
ok "other bytes replace the file" not same_stamp good.c "$before_c"
ok "and again" gradc 0 good.grad
cp good.c keep.c; cp good.h keep.h
cp bad.grad fails.grad; cp good.c fails.c; cp good.h fails.h
ok "a mistake in the source" gradc 1 fails.grad
ok "a mistake leaves the outputs alone" cmp good.c fails.c
ok "and the header" cmp good.h fails.h
ok "the message has a place" says "fails.grad:4:21: error:"
ok "to another folder" gradc 0 -o sub/x.c good.grad
ok "the header is beside it" test -s sub/x.h
ok "the C file includes it" grep -q '#include "x.h"' sub/x.c
ok "no such folder" gradc 2 -o none/x.c good.grad
ok "says which" says "cannot write 'none/x.c'"
ok "a folder as output" gradc 2 -o sub good.grad
mkdir blocked.h
ok "a header that cannot be written" gradc 2 -o blocked.c good.grad
ok "then no C file either" not test -e blocked.c
ok "to standard output" gradc 0 -o - good.grad
ok "prints C" prints "good_"
if [ -w /dev/full ]; then
    ok "a full disk" sh -c '"$1" -o - good.grad >/dev/full 2>.err; test $? = 2' sh "$GRADC"
    ok "is said" says "cannot write"
    ok "a full device as output" gradc 2 -o /dev/full good.grad
else
    skipped=$((skipped + 3))
fi
if [ "$(id -u)" != 0 ]; then
    chmod a-w sub
    ok "a folder without permission" gradc 2 -o sub/y.c good.grad
    chmod u+w sub
else
    skipped=$((skipped + 1))
fi
ln -s ../keep.c sub/link.c
ok "through a symbolic link" gradc 0 --prefix=linked -o sub/link.c good.grad
ok "it stays a link" test -L sub/link.c
ok "and its file is new" grep -q linked_ keep.c

# ---- standard input
ok "standard input" sh -c '"$1" - <good.grad >.out 2>.err' sh "$GRADC"
ok "gives C" prints "good_"
ok "with a mistake" sh -c '"$1" - <bad.grad >.out 2>.err; test $? = 1' sh "$GRADC"

# ---- dependency files
ok "-MD" gradc 0 -MD -o sub/d.c good.grad
printf 'sub/d.c sub/d.h: \\\n  good.grad \\\n  lib/half.grad\n' >want.d
ok "its rule" diff want.d sub/d.d
ok "-MF -MT -MP" gradc 0 -MD -MF x.d -MT 'a b' -MP -o sub/d.c good.grad
printf 'a b: \\\n  good.grad \\\n  lib/half.grad\n\nlib/half.grad:\n' >want.d
ok "its rule and the empty ones" diff want.d x.d
ok "-MQ" gradc 0 -MD -MF x.d -MQ 'a $b' -o sub/d.c good.grad
ok "is quoted" grep -qF 'a\ $$b:' x.d
rm x.d
ok "a mistake" gradc 1 -MD -MF x.d bad.grad
ok "writes no dependency file" not test -e x.d

# ---- kinds
for kind in graph gradient dot json; do
    ok "--emit=$kind" gradc 0 --emit=$kind good.grad
    ok "--emit=$kind prints" test -s .out
    cp .out "$kind.first"
    ok "--emit $kind -o" gradc 0 --emit $kind -o "x.$kind" good.grad
    ok "is the same" cmp "$kind.first" "x.$kind"
done
if command -v dot >/dev/null 2>&1; then
    ok "--emit=svg" gradc 0 --emit=svg -o x.svg good.grad
    ok "is a drawing" grep -q '</svg>' x.svg
else
    skipped=$((skipped + 2))
fi
ok "--emit=svg without graphviz" sh -c 'PATH=/nonexistent "$1" --emit=svg good.grad >.out 2>.err; test $? = 2' sh "$GRADC"
ok "says what is missing" says "'dot' is not installed"
for pass in parse check lower simplify plan; do
    ok "--dump=$pass" gradc 0 --dump=$pass good.grad
    ok "--dump=$pass prints" test -s .out
done
ok "--real=float" gradc 0 --real=float -o - good.grad
ok "is float" prints "float"
ok "-D" gradc 0 -DN=5 -o - good.grad
ok "--standalone" gradc 0 --standalone -o s.c good.grad
ok "includes no runtime" not grep -q 'gradc\.h' s.c
ok "-I" sh -c 'cd sub && "$1" -I .. -o - ../good.grad >/dev/null' sh "$GRADC"

# ---- diagnostics
json_tool=
if command -v python3 >/dev/null 2>&1 && python3 -c '' 2>/dev/null; then json_tool="python3 -m json.tool"
elif command -v node >/dev/null 2>&1; then json_tool="node -e JSON.parse(require('fs').readFileSync(0,'utf8'))"; fi
gradc 1 --diagnostics=json bad.grad >/dev/null
cp .err messages.json
if [ -n "$json_tool" ]; then
    ok "--diagnostics=json is JSON" sh -c "$(printf '%s' "$json_tool" | sed "s/-e \(.*\)/-e '\1'/") <messages.json"
    ok "--emit=json is JSON" sh -c "$(printf '%s' "$json_tool" | sed "s/-e \(.*\)/-e '\1'/") <x.json"
else
    skipped=$((skipped + 2))
fi
esc=$(printf '\033')
gradc 1 --color=always bad.grad >/dev/null
ok "--color=always" says "${esc}["
gradc 1 --color=never bad.grad >/dev/null
ok "--color=never" not says "${esc}["
gradc 1 bad.grad >/dev/null
ok "--color=auto into a file" not says "${esc}["

# ---- the same bytes from anywhere, at any time
mkdir -p elsewhere/deep
cp -r good.grad lib elsewhere/deep
ok "from another folder" sh -c 'cd elsewhere/deep && LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$1" -o good.c good.grad' sh "$GRADC"
ok "by an absolute path" "$GRADC" -o elsewhere/good.c "$work/elsewhere/deep/good.grad"
gradc 0 -o good.c good.grad >/dev/null
ok "gives the same C" cmp good.c elsewhere/deep/good.c
ok "and the same header" cmp good.h elsewhere/deep/good.h
ok "and so does the absolute path" cmp good.c elsewhere/good.c

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
