#!/bin/sh
# The documents are tests: README.md, docs/*.md and samples/README.md. Blocks of a document are taken in order, in one folder:
#
#   ```grad [file=NAME]       a whole file: compiled with -Werror, and its C checked by the C compiler; with a name it stays for later
#   ```grad fragment          the body of a model: `model fragment { ... }` is put around it, and what it defines made output
#   ```grad error | warning   is refused, or warned about, with exactly the ```text block that follows
#   ```console                each line "$ COMMAND" is run; what it prints must stand below it
#   ```c file=NAME            is written to that file
#   ```c $ COMMAND            is what COMMAND prints
#
# Other blocks are not looked at. docs/operations.md and docs/library.md must be the pages that the build generates, and links must lead somewhere.
#
#   ACCEPT=yes sh tests/docs.sh     rewrites what is printed, and these two; review with `git diff`
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}" "${CC:=cc}" "${ACCEPT:=no}"
[ -x "$GRADC" ] || { echo "docs: there is no compiler $GRADC"; exit 2; }
PATH=$(cd "$(dirname "$GRADC")" && pwd):$PATH
C_INCLUDE_PATH=$top/runtime NO_COLOR=1 LC_ALL=C
export PATH C_INCLUDE_PATH NO_COLOR LC_ALL
passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

good() { passed=$((passed + 1)); }
bad() { # bad WHERE WHAT [FILE TO SHOW]
    echo "docs: $1: $2"
    [ $# -lt 3 ] || cat "$3"
    failed=$((failed + 1))
}

# Each block as N.info (line number, then what stands behind the fence) and N.text.
split() {
    awk -v to="$2" '
        /^```/ && !inside { inside = 1; n++; name = sprintf("%s/%03d", to, n); print NR, substr($0, 4) > (name ".info")
                            printf "" > (name ".text"); next }
        /^```/ { inside = 0; close(name ".info"); close(name ".text"); next }
        inside { print > (name ".text") }' "$1"
}

# Puts N.new back into the document for each block that has one.
join() {
    awk -v from="$2" '
        /^```/ && !inside { inside = 1; n++; name = sprintf("%s/%03d.new", from, n); print
                            replaced = 0; while ((getline line < name) > 0) { print line; replaced = 1 } close(name); next }
        /^```/ { inside = 0; replaced = 0 }
        !(inside && replaced)' "$1" >"$2/document" && cat "$2/document" >"$1"
}

# The files and headings that links in the prose name.
links() {
    awk '/^ *```/ { inside = !inside }
        !inside {
            gsub(/`[^`]*`/, "")
            while (match($0, /\]\([^)]*\)/)) {
                link = substr($0, RSTART + 2, RLENGTH - 3)
                $0 = substr($0, RSTART + RLENGTH)
                if (link != "" && link !~ /:/) print link
            }
        }' "$1"
}

# What a link may name behind #: the headings, in the form that they get on the web.
headings() {
    awk '/^ *```/ { inside = !inside }
        !inside && sub(/^#+ /, "") { $0 = tolower($0); gsub(/[^a-z0-9_ -]/, ""); gsub(/ /, "-"); print }' "$1"
}
leads() { # leads DOCUMENT LINK
    file=${2%%#*} heading=
    case $2 in *'#'*) heading=${2#*#} ;; esac
    if [ "$file" ]; then file=$(dirname "$1")/$file; else file=$1; fi
    [ -e "$file" ] && { [ -z "$heading" ] || headings "$file" | grep -qx -e "$heading"; }
}

compiles() { # compiles FILE: and is C without a warning
    gradc -Werror -o compiled.c "$1" && "$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only compiled.c
}

fragment() { # the body on standard input
    awk '{ body = body "  " $0 "\n" }
        match($0, /^[A-Za-z_][A-Za-z_0-9]*/) {
            name = substr($0, 1, RLENGTH); rest = substr($0, RLENGTH + 1)
            if (rest ~ /^ *(\[[^=]*\])? *=[^=]/ && !seen[name]++) list = list (list ? ", " : "") name
        }
        END { printf "model fragment {\n%s%s}\n", body, list ? "  output " list ";\n" : "" }'
}

compare() { # compare WHERE EXPECTED FOUND NEW: the same, or accepted as new
    if cmp -s "$2" "$3"; then good
    elif [ "$ACCEPT" = yes ]; then cp "$3" "$4"; good
    else diff -u --label "$1" --label found "$2" "$3" >"$work/diff"; bad "$1" "prints something else" "$work/diff"
    fi
}

blocks() { # blocks DOCUMENT FOLDER
    block='' pending=''
    for info in "$2"/*.info; do
        [ -f "$info" ] || return
        block=${info%.info}
        read -r line kind more <"$info"
        where=$1:$line
        if [ "$pending" ] && [ "$kind" != text ]; then bad "$where" "the message of the block before is missing"; fi
        case "$kind $more" in
        "text "*)
            [ -z "$pending" ] || compare "$where" "$block.text" "$pending" "$block.new" ;;
        "grad error" | "grad warning")
            cp "$block.text" model.grad
            gradc -o compiled.c model.grad >"$block.out" 2>&1
            status=$?
            case $more.$status in
            error.1 | warning.0)
                pending=$block.out
                continue ;;
            esac
            bad "$where" "exit status $status" "$block.out" ;;
        "grad fragment")
            fragment <"$block.text" >fragment.grad
            if compiles fragment.grad >"$block.out" 2>&1; then good; else bad "$where" "does not compile" "$block.out"; fi ;;
        "grad " | "grad file="*)
            file=${more#file=}
            cp "$block.text" "${file:=model.grad}"
            if ! grep -q '^model ' "$file"; then
                if gradc --dump=check "$file" >"$block.out" 2>&1; then good; else bad "$where" "is refused" "$block.out"; fi
            elif compiles "$file" >"$block.out" 2>&1; then good; else bad "$where" "does not compile" "$block.out"; fi ;;
        "c file="*)
            cp "$block.text" "${more#file=}"
            good ;;
        "c \$ "*)
            sh -c "${more#\$ }" >"$block.out" 2>&1 </dev/null
            compare "$where" "$block.text" "$block.out" "$block.new" ;;
        "console "*)
            : >"$block.out"
            sed -n 's/^\$ //p' "$block.text" >"$block.commands"
            while IFS= read -r command; do
                printf '$ %s\n' "$command" >>"$block.out"
                sh -c "$command" >>"$block.out" 2>&1 </dev/null
            done <"$block.commands"
            compare "$where" "$block.text" "$block.out" "$block.new" ;;
        "grad "* | "c "?*)
            bad "$where" "what is a block '$kind $more'?" ;;
        esac
        pending=''
    done
    [ -z "$pending" ] || bad "$where" "its message is missing"
}

for document in README.md docs/*.md samples/README.md; do
    folder=$work/$(printf %s "${document%.md}" | tr / _)
    mkdir -p "$folder/blocks"
    split "$document" "$folder/blocks"
    cd "$folder" || exit 2
    blocks "$document" "$folder/blocks"
    cd "$top" || exit 2
    [ "$ACCEPT" != yes ] || join "$document" "$folder/blocks"
    links "$document" >"$work/links"
    while IFS= read -r link; do
        if leads "$document" "$link"; then good; else bad "$document" "the link $link leads nowhere"; fi
    done <"$work/links"
done

for page in operations library; do
    generated=$(dirname "$GRADC")/$page.md
    if [ "$ACCEPT" = yes ]; then cp "$generated" docs/$page.md; fi
    if diff -u docs/$page.md "$generated" >"$work/diff" 2>&1; then good
    else bad docs/$page.md "is not what the build generates; ACCEPT=yes sh tests/docs.sh takes that" "$work/diff"
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
