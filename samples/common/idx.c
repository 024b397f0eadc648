/* idx: in: a folder and the name of a set; out: its images and labels, checked. An IDX file is a
 * magic number (type of the entries, number of axes), the sizes, all of them four bytes with the
 * highest first, and then the entries. zlib's gzread reads gzipped and plain files alike. */
#include "idx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 10 * 1000 * 1000 }; /* a header that asks for more examples is taken for damaged */

static gzFile open_either(const char *dir, const char *set, const char *kind, char *path,
                          size_t n) {
    const char *ending[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, n, "%s/%s-%s-ubyte%s", dir, set, kind, ending[i]);
        gzFile f = gzopen(path, "rb");
        if (f) return f;
    }
    fprintf(stderr, "%s/%s-%s-ubyte: no such file, nor with .gz behind\n", dir, set, kind);
    return NULL;
}

static bool read_bytes(gzFile f, const char *path, void *to, size_t n, const char *what) {
    size_t have = 0;
    while (have < n) {
        unsigned ask = n - have < (1u << 20) ? (unsigned)(n - have) : 1u << 20;
        int got = gzread(f, (char *)to + have, ask);
        if (got <= 0) {
            int code = Z_OK;
            const char *text = gzerror(f, &code);
            if (code != Z_OK && code != Z_BUF_ERROR) {
                fprintf(stderr, "%s\n", text); /* it begins with the path */
            } else {
                fprintf(stderr, "%s: truncated: %zu of %zu bytes of its %s\n", path, have, n, what);
            }
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

static bool at_end(gzFile f, const char *path) {
    char more;
    int got = gzread(f, &more, 1); /* this also makes zlib compare the check sum */
    if (got == 0) return true;
    if (got > 0) fprintf(stderr, "%s: bytes left over behind the last entry\n", path);
    else fprintf(stderr, "%s: damaged: the check sum differs\n", path);
    return false;
}

/* Opens a file with `axes` axes, the last of them 28 x 28 if there are three; returns its bytes. */
static uint8_t *read_file(const char *dir, const char *set, const char *kind, int axes, int *n) {
    char path[4096];
    gzFile f = open_either(dir, set, kind, path, sizeof path);
    if (!f) return NULL;
    uint8_t head[16], *bytes = NULL;
    uint32_t word[4] = {0};
    if (!read_bytes(f, path, head, 4 * (1 + (size_t)axes), "header")) goto done;
    for (int i = 0; i <= axes; i++) {
        for (int b = 0; b < 4; b++) word[i] = word[i] << 8 | head[4 * i + b];
    }
    if (word[0] != 0x0800u + (uint32_t)axes) {
        fprintf(stderr, "%s: not an IDX file of %s: magic number %lu, expected %d\n", path,
                axes == 3 ? "images" : "labels", (unsigned long)word[0], 0x0800 + axes);
    } else if (word[1] == 0 || word[1] > MOST) {
        fprintf(stderr, "%s: %lu entries, expected 1 to %d\n", path, (unsigned long)word[1], MOST);
    } else if (axes == 3 && (word[2] != IDX_SIDE || word[3] != IDX_SIDE)) {
        fprintf(stderr, "%s: images of %lu x %lu pixels, expected 28 x 28\n", path,
                (unsigned long)word[2], (unsigned long)word[3]);
    } else {
        size_t size = (size_t)word[1] * (axes == 3 ? IDX_PIXELS : 1);
        bytes = malloc(size);
        if (!bytes) fprintf(stderr, "%s: no memory for %zu bytes\n", path, size);
        if (bytes && !(read_bytes(f, path, bytes, size, "entries") && at_end(f, path))) {
            free(bytes);
            bytes = NULL;
        }
        *n = (int)word[1];
    }
done:
    gzclose(f);
    return bytes;
}

bool idx_read(const char *dir, const char *set, Examples *e) {
    int images = 0, labels = 0;
    e->image = read_file(dir, set, "images-idx3", 3, &images);
    e->label = e->image ? read_file(dir, set, "labels-idx1", 1, &labels) : NULL;
    e->n = images;
    bool good = e->image && e->label;
    if (good && images != labels) {
        fprintf(stderr, "%s: %d images of the set %s, but %d labels\n", dir, images, set, labels);
        good = false;
    }
    for (int i = 0; good && i < labels; i++) {
        if (e->label[i] >= IDX_CLASSES) {
            fprintf(stderr, "%s: label %d of the set %s is %d, expected 0 to 9\n", dir, i, set,
                    e->label[i]);
            good = false;
        }
    }
    if (!good) idx_free(e);
    return good;
}

void idx_free(Examples *e) {
    free(e->image);
    free(e->label);
    memset(e, 0, sizeof *e);
}
