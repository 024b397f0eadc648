#!/bin/sh
# The samples: each is compiled, run, and ends well; samples/mnist learns a small set that is made here, writes its files, and
# says what is wrong with a damaged one. samples/run does the work, with the compiler in $GRADC; its results stay in
# $BUILD/tested, so that those of a user in $BUILD/samples are not touched.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
: "${BUILD:=$top/build}" "${GRADC:=$BUILD/compiler/gradc}"
GRADC_BUILD=$BUILD/tested
export GRADC GRADC_BUILD
unset MNIST_DIR
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir -p "$GRADC_BUILD" || exit 2
log=$work/log
. tests/counting

# ---- the small ones: half of them beside the other half, if nothing else goes on --------------------------------------
# One in five, and all of mnist, with the options that users get; the others with less: tests/emitted.sh has the models
# again, and here it is the programs that are new. The build makes gradbench fast, and tests/gradbench.sh runs that.
run_small() { # run_small NAME ...: a log for each, and a file .good
    for name in "$@"; do
        case $name in gradbench) level=-O0 ;; a?5* | b?1* | c?2* | d?3* | f?4*) level= ;; *) level=-O1 ;; esac
        if OPTIMISE=$level sh samples/run "$name" >"$work/$name.log" 2>&1; then : >"$work/$name.good"; fi
    done
}
names=$(sh samples/run --list | grep -v '^mnist$')
ok "lists at least twenty" test "$(printf '%s\n' "$names" | wc -l)" -ge 20
even=$(printf '%s\n' "$names" | sed -n 'n;p') odd=$(printf '%s\n' "$names" | sed -n 'p;n')
# shellcheck disable=SC2086
if [ "${JOBS:-2}" = 1 ]; then run_small $names; else { run_small $even & run_small $odd; wait; }; fi
for name in $names; do
    # What it prints is looked at as well: it compared something, and nothing was off.
    if [ -f "$work/$name.good" ] && grep -q '^1 passed, 0 failed' "$work/$name.log" && grep -qE 'off by|yes$' "$work/$name.log" &&
        ! grep -q WRONG "$work/$name.log" && ! grep -q 'warning:' "$work/$name.log"; then
        passed=$((passed + 1))
    elif [ -f "$work/$name.good" ] && grep -q '^0 passed, 0 failed, 1 skipped' "$work/$name.log"; then
        grep "skipped" "$work/$name.log" | head -n 1
        skipped=$((skipped + 1))
    else
        cat "$work/$name.log"
        echo "samples: $name failed"
        failed=$((failed + 1))
    fi
done
ok "a sample that is not there is an error" sh -c '! sh samples/run no_such_sample 2>"$1" && grep -q "there is no sample" "$1"' sh "$work/err"

# ---- samples/mnist ----------------------------------------------------------------------------------------------------
finish() {
    if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
    [ "$failed" = 0 ]
    exit
}
set_of() { # set_of FOLDER: a fresh copy of the data, to be damaged
    mkdir -p "$work/$1" && cp "$work/data"/*-ubyte "$work/$1/"
}
put() { # put FILE OFFSET OCTAL ...: these bytes there
    file=$1 at=$2
    shift 2
    for byte in "$@"; do
        # shellcheck disable=SC2059
        printf "\\$byte" | dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
        at=$((at + 1))
    done
}

mkdir "$work/data" "$work/out"
ok "the maker of data compiles" "${CC:-cc}" -std=c99 -O2 -Wall -Wextra -Werror -o "$work/digits" tests/rows/digits.c -lm || finish
ok "makes data" "$work/digits" "$work/data" 600 100 || finish
ok "mnist trains" sh samples/run --data "$work/data" mnist || finish
cp "$log" "$work/mnist.log"
accuracy=$(sed -n 's/^test accuracy: \([0-9]*\)\..*/\1/p' "$work/mnist.log")
ok "its accuracy, ${accuracy:-none} %, is far above chance" test "${accuracy:-0}" -ge 80
ok "it took them for what they are" grep -q '^an unknown set of 28 x 28 images: 600 examples to train with, 100 to test' "$work/mnist.log"
ok "it read the parameters back" grep -q 'read back from mnist.npz: [0-9]* of 100 right, as before' "$work/mnist.log"
for word in warning: nan inf; do
    ok "it said no '$word'" sh -c '! grep -iw "$1" "$2"' sh "$word" "$work/mnist.log"
done

made=$GRADC_BUILD/samples/mnist
bytes() { od -An -v -tx1 -N "$2" -j "$3" "$1" | tr -d ' \n'; }
for picture in hidden_units digits; do
    file=$made/$picture.png
    ok "$picture.png is written" test -s "$file" || continue
    ok "$picture.png is a PNG" test "$(bytes "$file" 8 0)" = 89504e470d0a1a0a
    ok "$picture.png starts with its header" test "$(bytes "$file" 8 8)" = 0000000d49484452
    ok "$picture.png is complete" test "$(tail -c 8 "$file" | od -An -v -tx1 | tr -d ' \n')" = 49454e44ae426082
done
ok "mnist.npz is written" test -s "$made/mnist.npz"
if command -v python3 >/dev/null 2>&1; then
    cat >"$work/npz.py" <<'PY'
import ast, struct, sys, zipfile
want = {'V': (72, 784), 'bV': (72,), 'W': (10, 72), 'bW': (10,)}
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    assert sorted(z.namelist()) == sorted(n + '.npy' for n in want), z.namelist()
    for name, shape in want.items():
        b = z.read(name + '.npy')
        assert b[:8] == b'\x93NUMPY\x01\x00'
        size = struct.unpack('<H', b[8:10])[0]
        head = ast.literal_eval(b[10:10 + size].decode())
        assert (10 + size) % 64 == 0 and head == {'descr': '<f4', 'fortran_order': False, 'shape': shape}, head
        n = 1
        for s in shape: n *= s
        data = struct.unpack('<%df' % n, b[10 + size:])
        assert all(abs(v) < 100 for v in data) and any(v != 0 for v in data), name
PY
    ok "mnist.npz is what NumPy writes" python3 "$work/npz.py" "$made/mnist.npz"
else
    skipped=$((skipped + 1))
fi

# ---- and what is wrong with a damaged one -------------------------------------------------------------------------------
# refused TEXT FOLDER MESSAGE: the program ends with 1, says MESSAGE and the file, and writes nothing
refused() {
    rm -rf "$work/out"
    mkdir "$work/out"
    "$made/mnist" "$2" "$work/out" >"$work/o" 2>"$work/e"
    status=$?
    if [ $status = 1 ] && [ "$(wc -l <"$work/e")" = 1 ] && grep -qF -- "$3" "$work/e" && grep -qF -- "$2" "$work/e" &&
        [ ! -s "$work/o" ] && [ -z "$(ls "$work/out")" ]; then
        passed=$((passed + 1))
    else
        echo "samples: mnist, $1: status $status, said:"
        cat "$work/o" "$work/e"
        failed=$((failed + 1))
    fi
}
images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte
refused "a folder that is not there" "$work/none" "train-images-idx3-ubyte: no such file"
set_of no_labels && rm "$work/no_labels/t10k-labels-idx1-ubyte"
refused "a file that is not there" "$work/no_labels" "t10k-labels-idx1-ubyte: no such file"
set_of short && head -c 100000 "$work/data/$images" >"$work/short/$images"
refused "half of the images" "$work/short" "$images: truncated: 99984 of 470400 bytes of its entries"
set_of stub && head -c 10 "$work/data/$images" >"$work/stub/$images"
refused "half of a header" "$work/stub" "$images: truncated: 10 of 16 bytes of its header"
set_of empty && : >"$work/empty/$labels"
refused "an empty file" "$work/empty" "$labels: truncated: 0 of 8 bytes of its header"
set_of magic && put "$work/magic/$images" 2 015
refused "another type of entries" "$work/magic" "$images: not an IDX file of images: magic number 3331, expected 2051"
set_of swapped && cp "$work/data/$labels" "$work/swapped/$images"
refused "labels for images" "$work/swapped" "$images: not an IDX file of images: magic number 2049, expected 2051"
set_of label && put "$work/label/$labels" 13 012
refused "a label that is too large" "$work/label" "label 5 of the set train is 10, expected 0 to 9"
set_of size && put "$work/size/$images" 11 040
refused "images of another size" "$work/size" "$images: images of 32 x 28 pixels, expected 28 x 28"
set_of count && put "$work/count/$images" 4 177 377 377 377
refused "a count that cannot be" "$work/count" "$images: 2147483647 entries, expected 1 to"
set_of none && put "$work/none/$labels" 4 000 000 000 000
refused "no entry at all" "$work/none" "$labels: 0 entries, expected 1 to"
set_of longer && printf x >>"$work/longer/$images"
refused "a byte too much" "$work/longer" "$images: bytes left over behind the last entry"
set_of fewer && { head -c 4 "$work/data/$labels"; printf '\000\000\002\000'; tail -c +9 "$work/data/$labels" | head -c 512; } >"$work/fewer/$labels"
refused "fewer labels than images" "$work/fewer" "600 images of the set train, but 512 labels"
ok "samples/run refuses a folder that is not there" sh -c '! sh samples/run --data "$1" mnist 2>"$2" && grep -q "there is no folder" "$2"' sh "$work/nowhere" "$work/err"
ok "and one without the files" sh -c '! sh samples/run --data "$1" mnist 2>"$2" && grep -q "lacks some of" "$2"' sh "$work/out" "$work/err"

# ---- results that cannot be written, and gzipped data -------------------------------------------------------------------
if command -v gzip >/dev/null 2>&1; then
    set_of packed && gzip -n "$work"/packed/*
    ok "mnist reads gzipped data" sh -c '"$1" "$2" "$3" >"$4" && sed -n "s/^test acc/&/p" "$4" | cmp - "$5"' sh "$made/mnist" "$work/packed" "$work/out" \
        "$work/o" "$(grep '^test accuracy' "$work/mnist.log" >"$work/accuracy"; echo "$work/accuracy")"
    head -c 60000 "$work/packed/$images.gz" >"$work/x" && mv "$work/x" "$work/packed/$images.gz"
    refused "half of a gzipped file" "$work/packed" "$images.gz: "
else
    skipped=$((skipped + 2))
fi
ok "a folder for results that is not there is said" sh -c '! "$1" "$2" "$3" >/dev/null 2>"$4" && grep -qF "$3" "$4"' sh "$made/mnist" "$work/data" "$work/no/such" "$work/err"
finish
