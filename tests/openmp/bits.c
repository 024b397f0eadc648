/* bits: are the results of loops in parts the same for any number of threads?
 *
 *   bits [NAME=SIZE ...] [below=N] [seed=N]
 *
 * Linked with the C of one model, made twice: with --openmp under the prefix `shared`, and without
 * it under the prefix `alone`. The dimensions are set as given; numbers are drawn, whole ones below
 * N. Every function of the model is called again and again by 1, 2, 3 and 7 threads: status and bits
 * must not change. They must be near those of the text that knows no parts; and with -DSAME they are
 * to be the very same. With -DDIGEST it prints what it found, so that builds can be compared. */
#include "shared.h"
#include "alone.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(_OPENMP)
#include <omp.h>
#endif

enum { MOST_TENSORS = 64, REPEATS = 3 };

static const size_t type_size[] = {4, 8, 4, 8, 1};
static uint64_t state;
static long below = 2;
static uint64_t seed = 1;
static int wrong;

static uint64_t draw(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

typedef struct Run {
    const gradc_model *m;
    char *args;
    void *data[MOST_TENSORS];
    size_t count[MOST_TENSORS], bytes[MOST_TENSORS];
} Run;

static void *room(size_t bytes) {
    void *at = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (at == NULL) {
        exit(2);
    }
    memset(at, 0xA5, bytes);
    return at;
}

static int is_given(const gradc_tensor *t) {
    return t->role == GRADC_ROLE_INPUT || t->role == GRADC_ROLE_PARAM || t->role == GRADC_ROLE_SEED;
}

static void draw_into(const gradc_tensor *t, void *to, size_t n) {
    for (size_t k = 0; k < n; k++) {
        const double unit = (double)(draw() >> 11) * 0x1p-53;
        const long whole = (long)(draw() % (uint64_t)below);
        switch (t->type) {
        case GRADC_TYPE_FLOAT: ((float *)to)[k] = (float)(2 * unit - 0.75); break;
        case GRADC_TYPE_DOUBLE: ((double *)to)[k] = 2 * unit - 0.75; break;
        case GRADC_TYPE_INT32: ((int32_t *)to)[k] = (int32_t)whole; break;
        case GRADC_TYPE_INT64: ((int64_t *)to)[k] = whole; break;
        default: ((uint8_t *)to)[k] = (uint8_t)(whole & 1); break;
        }
    }
}

static Run start(const gradc_model *m, int n, char **sizes) {
    Run r = {.m = m};
    r.args = calloc(1, m->args_size);
    state = seed;
    for (int k = 0; k < m->ndims; k++) {
        int64_t size = m->dims[k].least > 1 ? m->dims[k].least : 1;
        for (int q = 0; q < n; q++) {
            const size_t length = strlen(m->dims[k].name);
            if (!strncmp(sizes[q], m->dims[k].name, length) && sizes[q][length] == '=') {
                size = strtol(sizes[q] + length + 1, NULL, 10);
            }
        }
        memcpy(r.args + m->dims[k].field, &size, sizeof size);
    }
    for (int k = 0; k < m->ntensors; k++) {
        const gradc_tensor *t = &m->tensors[k];
        r.count[k] = 1;
        for (int axis = 0; axis < t->rank; axis++) {
            r.count[k] *= (size_t)m->extent(r.args, k, axis);
        }
        r.bytes[k] = r.count[k] * type_size[t->type];
        r.data[k] = t->by_value ? r.args + t->field : room(r.bytes[k]);
        if (is_given(t)) {
            draw_into(t, r.data[k], r.count[k]);
        }
        if (!t->by_value) {
            memcpy(r.args + t->field, &r.data[k], sizeof r.data[k]);
        }
    }
    return r;
}

/* A function; backward has its forward come before it. What it leaves in the workspace of forward
 * is passed on. */
static int call(const Run *r, int f, int before) {
    const gradc_function *at = &r->m->functions[f];
    const size_t bytes = at->workspace(r->args);
    void *workspace = room(bytes);
    int status = before >= 0 ? r->m->functions[before].call(r->args, workspace) : 0;
    status = status ? status : at->call(r->args, workspace);
    free(workspace);
    return status;
}

static int forward_of(const gradc_model *m, int f) {
    const char *name = m->functions[f].name;
    const size_t n = strlen(name);
    if ((n < 8 || strcmp(name + n - 8, "backward")) && strcmp(name, "vjp")) {
        return -1;
    }
    for (int k = f - 1; k >= 0; k--) {
        const size_t length = strlen(m->functions[k].name);
        if (length >= 7 && !strcmp(m->functions[k].name + length - 7, "forward")) {
            return k;
        }
    }
    return -1;
}

static void clear(const Run *r) {
    for (int k = 0; k < r->m->ntensors; k++) {
        if (!is_given(&r->m->tensors[k])) {
            memset(r->data[k], 0xA5, r->bytes[k]);
        }
    }
}

static double number(const gradc_tensor *t, const void *data, size_t k) {
    return t->type == GRADC_TYPE_FLOAT ? (double)((const float *)data)[k] : ((const double *)data)[k];
}

/* How far the results are from those of the text without parts, relative to the largest entry. */
static void compare(const Run *r, const Run *s, const char *function) {
    for (int k = 0; k < r->m->ntensors; k++) {
        const gradc_tensor *t = &r->m->tensors[k];
        double most = 0, off = 0;
        if (is_given(t) || (t->type != GRADC_TYPE_FLOAT && t->type != GRADC_TYPE_DOUBLE)) {
            continue;
        }
#if defined(SAME)
        if (memcmp(r->data[k], s->data[k], r->bytes[k])) {
            printf("%s: %s has other bits than without parts\n", function, t->name);
            wrong++;
        }
#endif
        for (size_t i = 0; i < r->count[k]; i++) {
            const double x = number(t, r->data[k], i), y = number(t, s->data[k], i);
            if (isnan(x) != isnan(y) || isinf(x) != isinf(y)) {
                off = HUGE_VAL;
            } else if (isfinite(x)) {
                most = fabs(y) > most ? fabs(y) : most;
                off = fabs(x - y) > off ? fabs(x - y) : off;
            }
        }
        if (off > (t->type == GRADC_TYPE_FLOAT ? 2e-4 : 1e-11) * (most > 1 ? most : 1)) {
            printf("%s: %s is off by %g of %g\n", function, t->name, off, most);
            wrong++;
        }
    }
}

static uint64_t digest(const Run *r) {
    uint64_t sum = 14695981039346656037u;
    for (int k = 0; k < r->m->ntensors; k++) {
        for (size_t i = 0; i < r->bytes[k] && !is_given(&r->m->tensors[k]); i++) {
            sum = (sum ^ ((const unsigned char *)r->data[k])[i]) * 1099511628211u;
        }
    }
    return sum;
}

int main(int argc, char **argv) {
    static const int threads[] = {1, 2, 3, 7};
    for (int k = 1; k < argc; k++) {
        below = !strncmp(argv[k], "below=", 6) ? strtol(argv[k] + 6, NULL, 10) : below;
        seed = !strncmp(argv[k], "seed=", 5) ? (uint64_t)strtol(argv[k] + 5, NULL, 10) : seed;
    }
    Run r = start(&shared_model, argc - 1, argv + 1), s = start(&alone_model, argc - 1, argv + 1);
    for (int f = 0; f < r.m->nfunctions; f++) {
        const char *name = r.m->functions[f].name;
        uint64_t first = 0;
        clear(&s);
        const int expected = call(&s, f, forward_of(s.m, f));
        for (int t = 0; t < 4 * REPEATS; t++) {
#if defined(_OPENMP)
            omp_set_num_threads(threads[t / REPEATS]);
#endif
            clear(&r);
            const int status = call(&r, f, forward_of(r.m, f));
            if (status != expected) {
                printf("%s with %d threads: status %d, not %d\n", name, threads[t / REPEATS], status,
                       expected);
                wrong++;
            }
            if (status != 0) {
                continue;
            }
            if (t == 0) {
                first = digest(&r);
                compare(&r, &s, name);
            } else if (digest(&r) != first) {
                printf("%s has other bits with %d threads\n", name, threads[t / REPEATS]);
                wrong++;
            }
        }
#if defined(DIGEST)
        printf("%s: status %d, %016llx\n", name, expected, (unsigned long long)first);
#endif
    }
    return wrong != 0;
}
