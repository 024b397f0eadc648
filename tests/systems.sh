#!/bin/sh
# docs/systems.md: every row is there, with files that exist and a figure; every sample has a row; what it says about the form
# of equations and of the C is so; and every sample can be differentiated three times.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}"
page=docs/systems.md
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
log=$work/log
. tests/counting

# ---- rows ---------------------------------------------------------------------------------------------------------------
# rows FILE: of each row of its tables "ROW<tab>FILES<tab>FIGURE<tab>WITHIN"; the table ends where a line is no row of it.
rows() {
    awk -F ' *[|] *' '/^\| [A-F][0-9]* / || /^\| D [a-z]+ / { print $2 "\t" $4 "\t" $5 "\t" $6 }' "$1"
}
rows $page >"$work/rows"
cut -f 1 "$work/rows" >"$work/ids"
numbers() { i=1; while [ $i -le "$2" ]; do echo "$1$i"; i=$((i + 1)); done; }
{
    numbers A 10
    numbers B 12
    numbers C 11
    for eval in hello ba det gmm ht kmeans llsq lse lstm ode particle saddle; do
        echo "D $eval"
    done
    numbers E 3
    numbers F 5
} >"$work/wanted"
while read -r id; do
    ok "$page has a row $id" grep -qx "$id" "$work/ids"
done <"$work/wanted"
ok "no row twice" sh -c 'test -z "$(sort "$1" | uniq -d)"' sh "$work/ids"
list=../shared/systems.md # what was asked for, where it is at hand
if [ -f $list ]; then
    sed -n 's/^| \([A-Z][0-9]*\) |.*/\1/p; /^## D/,$s/[^`]*`\([a-z ]*\)`.*/\1/p' $list | tr ' ' '\n' | grep . >"$work/list"
    ok "the list can be read" grep -qx lstm "$work/list"
    while read -r id; do
        ok "$page has a row for $id of the list" grep -qxE "(D )?$id" "$work/ids"
    done <"$work/list"
else
    skipped=$((skipped + 1))
fi
tab=$(printf '\t')
while IFS=$tab read -r id files figure within; do
    printf '%s\n' "$files" | grep -o '](\.\./[^)#]*)' | sed 's,](../\(.*\)),\1,' >"$work/files"
    ok "$id names a file" test -s "$work/files"
    ok "$id says what it was checked with" test ${#figure} -ge 10
    ok "$id says within what" test -n "$within"
    while read -r file; do
        ok "$id: there is $file" test -s "$file"
        case $file in
        samples/*.c) # a program beside its model, which compares
            if [ "$(dirname "$file")" = samples ]; then
                ok "$id: $file has a model" test -s "${file%.c}.grad"
                ok "$id: $file compares" grep -qE 'sample_(near|near_all|within|true)\(' "$file"
            fi ;;
        esac
    done <"$work/files"
done <"$work/rows"
# Nothing is left out.
for file in samples/*.grad samples/gradbench/*.grad samples/robot/*.grad; do
    base=$(basename "$file" .grad)
    case $file in
    samples/*/chain.grad | samples/gradbench/lib*) continue ;; # functions that others use
    esac
    ok "$file has a row" grep -qE "/$base\.(grad|c)\)" $page
done

# ---- the form of equations ---------------------------------------------------------------------------------------------------
graph() { "$GRADC" --emit=graph "samples/$1.grad" >"$work/graph" 2>"$work/log"; }
gradient() { "$GRADC" --emit=gradient "samples/$1.grad" >"$work/graph" 2>"$work/log"; }
says() { # says TEXT LINE ...: each is a line of the graph, but for space around it
    text=$1
    shift
    for line in "$@"; do
        ok "$text: $line" sh -c 'sed "s/^ *//" "$1" | grep -qxF -- "$2" || { cat "$1"; exit 1; }' sh "$work/graph" "$line"
    done
}
count() { grep -oF -- "$1" "$work/graph" | wc -l; }

graph a01_chain
says "A1 keeps y" 'y = x * x + 3;' 'y_bar = 4 * powi(y, 3);' 'x_bar = 2 * (y_bar * x);'
ok "A1: x is squared once, and no polynomial of it" test "$(count 'x * x')" = 1

# A2: y is computed once forward, and each factor of its derivative once backward.
graph a02_paths
ok "A2: one sine" test "$(count 'sin(')" = 1
ok "A2: one cosine" test "$(count 'cos(')" = 1

# A3: six operations, and six more.
operations() { # operations OUTPUTS
    sed "s/^ *d[23] = .*//; s/^ *d1 = .*/$2/; s/output .*/output $1;/" samples/a03_swell.grad >"$work/swell.grad"
    "$GRADC" --emit=json -o "$work/swell.json" "$work/swell.grad" && grep -c '"args"' "$work/swell.json"
}
ok "A3: six operations" test "$(operations f '')" = 6
ok "A3: and six for the gradient" test "$(operations 'f, d1' 'd1 = grad(f, x);')" = 12

graph b02_links
says "B2: prediction - observation" 'squared_error_sum_sub[n: K] = b[n] - yg[n];' 'dg[k: K] = squared_error_sum_sub[k];' \
    'bernoulli_cost_v_bar[k: K] = sigmoid(b[k]) - (yb[k] ? 1 : 0);' 'db[k: K] = bernoulli_cost_v_bar[k];' \
    'cross_entropy_v_bar[i: K] = weight(b[i], cross_entropy_lse) - (i == yc ? 1 : 0);' 'dc[k: K] = cross_entropy_v_bar[k];'

graph b06_messages
says "B6: messages are nodes" 'V1[i: H1] = M1_bar[i];' 'M1_bar[i: H1] = (1 - tanh(M1[i]) * tanh(M1[i])) * sum[j: H2](M2_bar_3[j] * W2[j, i]);'

# B7 scatters: a place that data chooses is added to in the C. B11 gathers: it never is.
"$GRADC" -o "$work/b07.c" samples/b07_acyclic.grad
scatters() { grep -E '^ *[a-z_]*(_bar|_grad)\[[^]]*from\[[^=]*\+=' "$1"; }
ok "B7: scatter-add" scatters "$work/b07.c"
gradient b11_convolution
ok "B11: gathers alone" sh -c 'grep -E "^ *(k|x)_grad\[" "$1" && ! grep -E "^ *(k|x)_grad\[[^]]*[-+]" "$1"' sh "$work/graph"

# Loops stay loops: the same text for 36 and for 10,004 steps, but for the numbers (sums by rows of 8 have more than two rows and a
# rest of 4 in each).
for name in b12_recurrent c04_markov c05_hmm c07_crf c08_mean_field c10_neural_hmm f01_control f03_viterbi; do
    for n in 36 100 10004; do
        "$GRADC" -D T=$n -o - samples/$name.grad 2>"$work/log" | tr -s ' \n' '  ' | sed 's/[0-9][0-9]*/#/g; s/#e-#/#/g; s,/\* \|\*/,,g; s/ //g' >"$work/text.$n"
    done
    ok "$name: there is a text" test "$(wc -c <"$work/text.36")" -gt 5000
    ok "$name: for 36 and 100 the same text" cmp "$work/text.36" "$work/text.100"
    ok "$name: for 36 and 10004 the same text" cmp "$work/text.36" "$work/text.10004"
done

# ---- A4: any order, on any system here --------------------------------------------------------------------------------------
# For each name that a sample asks a gradient by, the third derivative: the gradient of the second derivative along a direction that
# is one more input. `gradc check` compares it with dual numbers and with differences.
third() { # third FILE FOLDER: writes FOLDER/NAME.grad for each NAME
    awk -v to="$2" '
        { sub(/\/\/.*/, "") }
        /^model / { inside = 1 }
        inside { model = model $0 "\n"; next }
        { head = head $0 "\n" }
        function shapes(list,   i, c, depth, word) { # "x[N, D], w" into shape["x"] = "[N, D]", shape["w"] = ""
            for (i = 1; i <= length(list) + 1; i++) {
                c = substr(list, i, 1)
                if (i > length(list) || (c == "," && !depth)) {
                    gsub(/[ \n]/, "", word)
                    match(word, /^[A-Za-z_0-9]*/)
                    shape[substr(word, 1, RLENGTH)] = type substr(word, RLENGTH + 1)
                    word = ""
                } else {
                    word = word c
                    depth += (c == "[") - (c == "]")
                }
            }
        }
        END {
            n = split(model, statement, ";")
            for (k = 1; k <= n; k++) {
                text = statement[k]
                gsub(/^[ \n]+/, "", text)
                sub(/^model [A-Za-z_0-9]* \{[ \n]*/, "", text)
                if (match(text, /^(input|param) +(real|float|double) /)) {
                    split(text, word, / +/)
                    type = word[2] " "
                    shapes(substr(text, RLENGTH + 1))
                }
                if (text ~ /^derive gradient\(/ && !of) {
                    of = text
                    sub(/^derive gradient\(/, "", of)
                    sub(/,.*/, "", of)
                    by = statement[k + 1]
                    gsub(/[ \n)]/, "", by)
                }
                if (text ~ /^derive /) k++ # what stands behind the semicolon in it
                else if (k < n) body = body statement[k] ";"
            }
            n = of ? split(by, name, ",") : 0
            for (k = 1; k <= n; k++) {
                x = name[k]
                if (!(x in shape)) exit 1
                type = dims = shape[x]
                sub(/ .*/, "", type)
                sub(/^[a-z]* /, "", dims)
                at = ""
                if (dims) {
                    at = "[order_i0"
                    for (q = 1; q < split(dims, ignore, ","); q++) at = at ", order_i" q
                    at = at "]"
                }
                printf "%s%s\n  input %s order_v%s;\n  order_1 = dir(%s, %s, order_v);\n  order_2 = dir(order_1, %s, order_v);\n  order_3%s = grad(order_2, %s)%s;\n  output order_2, order_3;\n}\n",
                    head, body, type, dims, of, x, x, at, x, at >(to "/" x ".grad")
            }
        }' "$1"
}
agrees() { # something was compared of the third derivative, and all agrees
    "$GRADC" check --seed=3 -I samples "$1" >"$work/said" 2>&1 && grep -q '^  all agree$' "$work/said" &&
        grep -A2 'grad(order_2, ' "$work/said" | grep -qE '^    [A-Za-z_0-9]+(\[.*\])? +[0-9]+ +[1-9]' && return
    cat "$work/said"
    return 1
}
orders=0
for file in samples/*.grad; do
    name=$(basename "$file" .grad)
    mkdir "$work/$name"
    ok "$name: a gradient can be read" third "$file" "$work/$name"
    for model in "$work/$name"/*.grad; do
        [ -f "$model" ] || continue
        ok "$name: third derivative by $(basename "$model" .grad)" agrees "$model"
        orders=$((orders + 1))
    done
done
ok "third derivatives of many: $orders" test "$orders" -ge 80

if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
