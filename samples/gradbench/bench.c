/* bench: see bench.h. In: a tree of JSON. Out: dense arrays for the emitted functions, or what is
 * wrong with the tree, by its path; and dense arrays as JSON. */
#include "bench.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AXES = 3, MOST_NAME = 64 };

void bench_fail(Bench *b, const char *format, ...) {
    if (b->error[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->error, sizeof b->error, format, arguments);
    va_end(arguments);
}

/* ---- memory */

struct Piece {
    struct Piece *next;
};

/* bytes, or, if there are no more or something went wrong before, as few as the callers can stand. */
static void *piece(Bench *b, size_t bytes, size_t least) {
    enum { HEAD = 64 }; /* the alignment of a workspace */
    struct Piece *p = NULL;
    if (!b->error[0] && bytes <= SIZE_MAX - 2 * HEAD) {
        p = aligned_alloc(HEAD, HEAD + (bytes + HEAD - 1) / HEAD * HEAD);
        if (!p) bench_fail(b, "no memory for %zu bytes", bytes);
    }
    if (!p) {
        p = aligned_alloc(HEAD, HEAD + (least + HEAD - 1) / HEAD * HEAD);
        if (!p) abort();
    }
    p->next = b->memory;
    b->memory = p;
    return (char *)p + HEAD;
}

void *bench_workspace(Bench *b, size_t bytes) {
    return piece(b, bytes, 0);
}

void *bench_alloc(Bench *b, int64_t n, size_t size) {
    const size_t count = n > 0 ? (size_t)n : 1;
    if (count > SIZE_MAX / 2 / size) bench_fail(b, "no memory for %" PRId64 " times %zu bytes", n, size);
    void *all = piece(b, count * size, size);
    return memset(all, 0, b->error[0] ? size : count * size);
}

double *bench_result(Bench *b, int64_t n) {
    double *x = bench_alloc(b, n, sizeof *x);
    if (b->error[0]) return x;
    for (int64_t i = 0; i < n; i++) x[i] = NAN;
    return x;
}

void bench_free(Bench *b) {
    while (b->memory) {
        struct Piece *p = b->memory;
        b->memory = p->next;
        free(p);
    }
}

/* ---- input */

const json_t *bench_find(const Bench *b, const char *path) {
    const json_t *at = b->input;
    while (at && *path) {
        char name[MOST_NAME];
        size_t n = strcspn(path, ".");
        if (n >= sizeof name) return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        at = json_object_get(at, name);
        path += n + (path[n] == '.');
    }
    return at;
}

static const json_t *wanted(Bench *b, const char *path) {
    const json_t *j = bench_find(b, path);
    if (!j && *path) bench_fail(b, "the input has no %s", path);
    if (!j && !*path) bench_fail(b, "there is no input");
    return j;
}

double bench_number(Bench *b, const char *path) {
    const json_t *j = wanted(b, path);
    if (j && !json_is_number(j)) bench_fail(b, "%s is no number", *path ? path : "the input");
    return json_number_value(j);
}

/* 3 or 3.0, in range */
static bool integer(const json_t *j, int64_t least, int64_t most, int64_t *value) {
    if (json_is_integer(j)) {
        *value = json_integer_value(j);
    } else {
        double x = json_is_real(j) ? json_real_value(j) : NAN;
        if (!(fabs(x) < 9e15) || x != floor(x)) return false;
        *value = (int64_t)x;
    }
    return *value >= least && *value <= most;
}

int64_t bench_integer(Bench *b, const char *path, int64_t least, int64_t most) {
    const json_t *j = wanted(b, path);
    int64_t value = 0;
    if (j && !integer(j, least, most, &value)) {
        bench_fail(b, "%s is no integer from %" PRId64 " to %" PRId64, path, least, most);
        value = 0;
    }
    return value;
}

typedef struct Array {
    const char *path;
    int rank;
    int64_t *shape, at[MOST_AXES];
    double *real;
    int32_t *whole; /* one of the two */
} Array;

/* "x[3][2]": the place at the first n axes */
static const char *place(const Array *a, int n, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", a->path);
    for (int k = 0; k < n && used < size; k++) {
        used += (size_t)snprintf(text + used, size - used, "[%" PRId64 "]", a->at[k]);
    }
    return text;
}

/* All rows have the lengths of the shape: looked at before memory is taken for them. */
static void check(Bench *b, Array *a, const json_t *j, int axis) {
    char text[128];
    int64_t n = a->shape[axis];
    if (!json_is_array(j) || (int64_t)json_array_size(j) != n) {
        bench_fail(b, "%s is no array of %" PRId64, place(a, axis, text, sizeof text), n);
        return;
    }
    for (int64_t i = 0; axis + 1 < a->rank && axis + 1 < MOST_AXES && i < n && !b->error[0]; i++) {
        a->at[axis] = i;
        check(b, a, json_array_get(j, (size_t)i), axis + 1);
    }
}

static void fill(Bench *b, Array *a, const json_t *j, int axis, int64_t base) {
    char text[128];
    const bool inner = axis + 1 < a->rank && axis + 1 < MOST_AXES;
    for (int64_t i = 0; i < a->shape[axis] && !b->error[0]; i++) {
        const json_t *e = json_array_get(j, (size_t)i);
        int64_t value;
        a->at[axis] = i;
        if (inner) {
            fill(b, a, e, axis + 1, (base + i) * a->shape[axis + 1]);
        } else if (a->whole) {
            if (integer(e, INT32_MIN, INT32_MAX, &value)) a->whole[base + i] = (int32_t)value;
            else bench_fail(b, "%s is no integer of 32 bits", place(a, a->rank, text, sizeof text));
        } else if (json_is_number(e)) {
            a->real[base + i] = json_number_value(e);
        } else {
            bench_fail(b, "%s is no number", place(a, a->rank, text, sizeof text));
        }
    }
}

static void *array(Bench *b, const char *path, int rank, int64_t *shape, bool whole) {
    Array a = {.path = path, .rank = rank, .shape = shape};
    const json_t *j = wanted(b, path), *first = j;
    int64_t n = 1;
    for (int k = 0; k < rank; k++) {
        int64_t length = (int64_t)json_array_size(first); /* 0 of what is no array */
        if (length == 0 && shape[k] == 0 && json_is_array(first)) bench_fail(b, "%s has no entries", path);
        if (shape[k] <= 0) shape[k] = length;
        first = json_array_get(first, 0);
    }
    if (j) check(b, &a, j, 0);
    for (int k = 0; k < rank; k++) n *= b->error[0] ? 0 : shape[k];
    void *entries = bench_alloc(b, n, whole ? sizeof(int32_t) : sizeof(double));
    if (whole) a.whole = entries;
    else a.real = entries;
    if (!b->error[0]) fill(b, &a, j, 0, 0);
    return entries;
}

double *bench_numbers(Bench *b, const char *path, int rank, int64_t *shape) {
    return array(b, path, rank, shape, false);
}

int32_t *bench_integers(Bench *b, const char *path, int rank, int64_t *shape) {
    return array(b, path, rank, shape, true);
}

/* ---- output */

void print_number(FILE *out, double x) {
    if (isfinite(x)) fprintf(out, "%.17g", x);
    else fputs("null", out);
}

void print_numbers(FILE *out, const double *x, int rank, const int64_t *shape) {
    if (rank == 0) {
        print_number(out, *x);
        return;
    }
    int64_t step = 1;
    for (int k = 1; k < rank; k++) step *= shape[k];
    putc('[', out);
    for (int64_t i = 0; i < shape[0]; i++) {
        if (i > 0) putc(',', out);
        print_numbers(out, x + i * step, rank - 1, shape + 1);
    }
    putc(']', out);
}

void print_integers(FILE *out, const int64_t *x, int64_t n) {
    putc('[', out);
    for (int64_t i = 0; i < n; i++) fprintf(out, i > 0 ? ",%" PRId64 : "%" PRId64, x[i]);
    putc(']', out);
}
