#!/bin/sh
# Dependencies point one way. Each row: a module, and the modules whose headers its files may include.
set -u
cd "$(dirname "$0")/.." || exit 2
rows='
arena
text            arena
source          arena
syntax          arena source
library         arena source
poly            arena
json            arena source text
program         arena source syntax poly
cname           arena text
check           arena source syntax poly program check kernel ops cname library
check_expr      arena source syntax poly program check kernel ops library
check_order     arena source syntax poly program check
check_ranges    arena source syntax poly program check kernel
graph           arena source poly graph kernel ops rewrite
kernel          arena source poly graph ops kernel
ops             arena source poly graph ops rewrite
rewrite         arena source poly graph ops rewrite
print           arena source poly graph kernel ops text print
passes          arena source syntax poly program graph text
outline         arena source syntax poly program passes
paths           arena source poly graph kernel ops paths
sparse          arena source poly graph kernel ops paths sparse
share           arena source poly graph kernel ops share
sizes           arena source poly graph ops sizes
zeros           arena source poly graph kernel ops zeros
inverse         arena source poly graph ops inverse
likes           arena source poly graph ops likes
contract        arena source poly graph kernel ops sizes contract
axes            arena source poly graph kernel ops axes
compose         arena source poly graph kernel ops sizes compose
pattern         arena source poly graph kernel ops sizes pattern
pick            arena source poly graph kernel ops sizes pick
gather          arena source poly graph kernel ops gather
series          arena source poly graph ops series
differentiate   arena source poly graph kernel ops rewrite share demand paths differentiate
tangent         arena source poly graph kernel ops rewrite share paths differentiate
lower           arena source syntax poly program graph kernel ops compose contract differentiate paths passes text cname sparse
demand          arena source poly graph kernel ops demand
simplify        arena source poly graph ops axes contract gather inverse likes pattern pick series share zeros demand paths passes text
gen             graph plan gen
scalars         gen kernel zeros
turned          gen kernel
fuse            gen kernel ops
keep            gen kernel ops
cut             gen kernel sizes
budget          gen print sizes text
value           gen kernel ops
nest            gen kernel ops
lag             gen
along           gen kernel
within          gen kernel
circle          gen kernel ops text
carry           gen
stream          gen kernel
group           gen kernel sizes
weave           gen
best            gen
steps           gen
pair            gen
wide            gen
jam             gen
lanes           gen
pad             gen ops
threads         gen ops text
split           gen ops
storage         gen
checkpoint      gen print text
plan            graph gen passes plan
interp          arena source poly graph kernel ops interp
describe        arena source poly graph text describe
report          arena source poly graph kernel ops plan passes print text report
emit            arena source poly graph kernel ops plan passes text print describe emit cname
verify          arena source poly graph ops interp json text print
draw            arena source poly graph kernel ops print text
output          arena
options         arena source poly program graph text library passes
main            arena source syntax poly program graph text passes report print draw verify output options
rulec           arena source syntax
librarian       arena source syntax library
embed
'
passed=0 failed=0
check() { # check FILE MODULE "ALLOWED ..."
    bad=
    for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$1"); do
        base=$(basename "$header" .h)
        case " $2 $3 ops.gen lang.tab " in *" $base "*) ;; *) bad="$bad $header" ;; esac
    done
    if [ -n "$bad" ]; then
        echo "$1 must not include$bad"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
}
for file in compiler/*.c compiler/*.h; do
    module=$(basename "${file%.*}")
    row=$(printf '%s\n' "$rows" | sed -n "s/^$module\( .*\)\{0,1\}\$/=\1/p")
    if [ -z "$row" ]; then
        echo "$file: no row for it in tests/layers.sh"
        failed=$((failed + 1))
        continue
    fi
    check "$file" "$module" "${row#=}"
done
for file in grammar/*.y grammar/*.l; do check "$file" lang "syntax"; done
for file in runtime/*.c runtime/*.h; do check "$file" gradc ""; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
