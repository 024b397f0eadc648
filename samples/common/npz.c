/* npz: a zip file is a row of entries, each with a header of its own, then a directory that repeats
 * the headers with the place of each entry, then a record that tells where the directory starts.
 * An entry here is a .npy file: a magic word, a line of text with the type and the shape, padded
 * to a multiple of 64 bytes, and the numbers. Everything is little-endian, written byte by byte.
 * Formats: PKWARE's APPNOTE and numpy.lib.format. Only what npz_write writes is read back: no
 * compression, no zip64. */
#include "npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h> /* crc32 */

typedef struct Bytes {
    uint8_t *at;
    size_t n, room;
} Bytes;

static void put(Bytes *b, const void *what, size_t n) {
    if (b->n + n > b->room) {
        b->room = 2 * (b->n + n);
        b->at = realloc(b->at, b->room);
        if (!b->at) {
            fprintf(stderr, "npz: out of memory\n");
            exit(1);
        }
    }
    memcpy(b->at + b->n, what, n);
    b->n += n;
}

static void put_number(Bytes *b, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++) put(b, &(uint8_t){(uint8_t)(x >> 8 * i)}, 1);
}

static uint64_t number(const uint8_t *at, int bytes) {
    uint64_t x = 0;
    while (bytes-- > 0) x = x << 8 | at[bytes];
    return x;
}

static size_t count(const Tensor *t) {
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= (size_t)t->shape[i];
    return n;
}

/* The .npy header: the same text is written and, when reading, compared. */
static void put_npy_header(Bytes *b, const Tensor *t) {
    char text[192];
    int n = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < t->rank; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n,
                      i == 0 && t->rank > 1 ? "%lld"
                      : i == 0              ? "%lld,"
                                            : ", %lld",
                      (long long)t->shape[i]);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "), }");
    while ((10 + n + 1) % 64) text[n++] = ' ';
    text[n++] = '\n';
    put(b, "\x93NUMPY\x01\x00", 8);
    put_number(b, (uint64_t)n, 2);
    put(b, text, (size_t)n);
}

static void put_npy(Bytes *b, const Tensor *t) {
    put_npy_header(b, t);
    for (size_t i = 0; i < count(t); i++) {
        uint32_t bits;
        memcpy(&bits, &t->data[i], 4);
        put_number(b, bits, 4);
    }
}

/* What the header of an entry and its line in the directory have in common. */
static void put_entry(Bytes *b, uint32_t crc, size_t size, const char *name) {
    put_number(b, 20, 2);         /* version 2.0 reads it */
    put_number(b, 0, 2);          /* no flags */
    put_number(b, 0, 2);          /* stored, not compressed */
    put_number(b, 0, 2);          /* midnight */
    put_number(b, 1 << 5 | 1, 2); /* of 1980-01-01: the same bytes in every run */
    put_number(b, crc, 4);
    put_number(b, size, 4);
    put_number(b, size, 4);
    put_number(b, strlen(name), 2);
    put_number(b, 0, 2); /* no extra field */
}

bool npz_write(const char *path, int n, const Tensor *tensor) {
    Bytes file = {0}, directory = {0};
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.npy", tensor[i].name);
        Bytes npy = {0};
        put_npy(&npy, &tensor[i]);
        uint32_t crc = (uint32_t)crc32(0, npy.at, (uInt)npy.n);
        size_t start = file.n;
        put(&file, "PK\x03\x04", 4);
        put_entry(&file, crc, npy.n, name);
        put(&file, name, strlen(name));
        put(&file, npy.at, npy.n);
        put(&directory, "PK\x01\x02", 4);
        put_number(&directory, 20, 2); /* version 2.0 wrote it */
        put_entry(&directory, crc, npy.n, name);
        put_number(&directory, 0, 6); /* no comment, disk 0, a binary file */
        put_number(&directory, 0, 4); /* no attributes of the system */
        put_number(&directory, start, 4);
        put(&directory, name, strlen(name));
        free(npy.at);
    }
    size_t start = file.n;
    put(&file, directory.at, directory.n);
    put(&file, "PK\x05\x06", 4);
    put_number(&file, 0, 4); /* one disk */
    put_number(&file, (uint64_t)n, 2);
    put_number(&file, (uint64_t)n, 2);
    put_number(&file, directory.n, 4);
    put_number(&file, start, 4);
    put_number(&file, 0, 2); /* no comment */
    FILE *f = fopen(path, "wb");
    bool good = f && fwrite(file.at, 1, file.n, f) == file.n;
    if (f && fclose(f)) good = false;
    if (!good) perror(path);
    free(file.at);
    free(directory.at);
    return good;
}

static bool read_all(const char *path, Bytes *b) {
    uint8_t part[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    while ((n = fread(part, 1, sizeof part, f)) > 0) put(b, part, n);
    bool good = !ferror(f);
    if (!good) perror(path);
    fclose(f);
    return good;
}

/* The tensor's entry, found by its name in the directory; NULL after a message. */
static const uint8_t *find(const char *path, const Bytes *b, const Tensor *t, size_t *size) {
    char name[64];
    snprintf(name, sizeof name, "%s.npy", t->name);
    if (b->n < 22 || memcmp(b->at + b->n - 22, "PK\x05\x06", 4)) {
        fprintf(stderr, "%s: no zip file, or truncated\n", path);
        return NULL;
    }
    const uint8_t *end = b->at + b->n - 22;
    uint64_t entries = number(end + 10, 2), at = number(end + 16, 4), limit = b->n - 22;
    for (uint64_t i = 0; i < entries; i++) {
        if (at + 46 > limit || memcmp(b->at + at, "PK\x01\x02", 4)) break;
        const uint8_t *line = b->at + at;
        uint64_t length = number(line + 28, 2), start = number(line + 42, 4);
        uint64_t bytes = number(line + 24, 4);
        at += 46 + length + number(line + 30, 2) + number(line + 32, 2);
        if (at > limit || start + 30 > limit) break;
        if (length != strlen(name) || memcmp(line + 46, name, length)) continue;
        uint64_t data = start + 30 + number(b->at + start + 26, 2) + number(b->at + start + 28, 2);
        if (number(line + 10, 2) != 0) {
            fprintf(stderr, "%s: %s is compressed\n", path, name);
            return NULL;
        }
        if (data + bytes > limit) break;
        if (crc32(0, b->at + data, (uInt)bytes) != number(line + 16, 4)) {
            fprintf(stderr, "%s: %s is damaged: the check sum differs\n", path, name);
            return NULL;
        }
        *size = (size_t)bytes;
        return b->at + data;
    }
    fprintf(stderr, "%s: has no %s\n", path, name);
    return NULL;
}

bool npz_read(const char *path, int n, const Tensor *tensor) {
    Bytes file = {0};
    bool good = read_all(path, &file);
    for (int i = 0; good && i < n; i++) {
        const Tensor *t = &tensor[i];
        size_t size = 0;
        const uint8_t *npy = find(path, &file, t, &size);
        Bytes head = {0};
        put_npy_header(&head, t);
        good = npy != NULL;
        if (good && (size != head.n + 4 * count(t) || memcmp(npy, head.at, head.n))) {
            fprintf(stderr, "%s: %s has another shape or type\n", path, t->name);
            good = false;
        }
        for (size_t k = 0; good && k < count(t); k++) {
            uint32_t bits = (uint32_t)number(npy + head.n + 4 * k, 4);
            memcpy(&t->data[k], &bits, 4);
        }
        free(head.at);
    }
    free(file.at);
    return good;
}
