/* bench: times contenders of one problem side by side.
 *
 *   bench PROBLEM LABEL=FILE.so ...
 *
 * All are loaded, their results compared with the first one that has a derivative (exit 1 when one
 * is off), then timed in turns: ROUNDS rounds, in each of them a batch of every contender, at least
 * BATCH_MS long. For each size, label and function one line goes out:
 *
 *   problem <tab> size <tab> label <tab> value|gradient <tab> median us <tab> quartiles us us
 */
#define _GNU_SOURCE
#include "bench.h"
#include <dlfcn.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, MANY = 32 };
static const double batch_s = 4e-3;

typedef struct Contender {
    const char *label;
    const Bench *bench;
    long turns[2];
    double time[2][ROUNDS];
} Contender;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double batch(void (*f)(void), long turns) {
    double t = now();
    for (long k = 0; k < turns; k++) f();
    return now() - t;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Largest difference, relative to the largest entry; the value apart from the derivative. */
static double difference(const double *a, const double *b, size_t n) {
    double worst = fabs(a[0] - b[0]) / fmax(fabs(a[0]), 1e-300), most = 0, off = 0;
    for (size_t k = 1; k < n; k++) {
        double d = fabs(a[k] - b[k]);
        most = fmax(most, fabs(a[k]));
        off = d > off || isnan(d) ? d : off;
    }
    off = most > 0 ? off / most : off;
    return off > worst || isnan(off) ? off : worst;
}

int main(int argc, char **argv) {
    Contender c[MANY];
    int n = 0, bad = 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    if (argc < 3 || argc - 2 > MANY) {
        fprintf(stderr, "usage: bench PROBLEM LABEL=FILE.so ...\n");
        return 2;
    }
    for (int k = 2; k < argc; k++) {
        char *file = strchr(argv[k], '=');
        if (!file) return fprintf(stderr, "bench: %s: LABEL=FILE is wanted\n", argv[k]), 2;
        *file++ = 0;
        void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
        const Bench *b = library ? dlsym(library, "bench") : NULL;
        if (!b) return fprintf(stderr, "bench: %s\n", dlerror()), 2;
        c[n++] = (Contender){.label = argv[k], .bench = b};
    }
    for (int size = 0; size < c[0].bench->sizes; size++) {
        double *reference = NULL;
        size_t nref = 0;
        for (int k = 0; k < n; k++) c[k].bench->open(size);
        for (int turn = 0; turn < 2; turn++) { /* first those with a derivative */
            for (int k = 0; k < n; k++) {
                const Bench *b = c[k].bench;
                const double *r;
                if (!b->gradient != (turn == 1)) continue;
                if (b->gradient) b->gradient();
                else b->value();
                size_t m = b->result(&r);
                if (!reference) {
                    reference = malloc(m * sizeof *r);
                    memcpy(reference, r, m * sizeof *r);
                    nref = m;
                }
                double off = difference(reference, r, m < nref ? m : nref);
                if (!(off < 1e-9)) {
                    fprintf(stderr, "bench: %s, %s: %s is off by %.1e\n", argv[1], b->size_name[size], c[k].label, off);
                    bad = 1;
                }
            }
        }
        for (int k = 0; k < n; k++) {
            for (int q = 0; q < 2; q++) {
                void (*f)(void) = q ? c[k].bench->gradient : c[k].bench->value;
                if (!f) continue;
                c[k].turns[q] = 1;
                for (double t = batch(f, 1); t < batch_s; t = batch(f, c[k].turns[q])) c[k].turns[q] *= 2;
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (int k = 0; k < n; k++) {
                for (int q = 0; q < 2; q++) {
                    void (*f)(void) = q ? c[k].bench->gradient : c[k].bench->value;
                    if (f) c[k].time[q][round] = batch(f, c[k].turns[q]) / (double)c[k].turns[q] * 1e6;
                }
            }
        }
        for (int k = 0; k < n; k++) {
            for (int q = 0; q < 2; q++) {
                double *t = c[k].time[q];
                if (!(q ? c[k].bench->gradient : c[k].bench->value)) continue;
                qsort(t, ROUNDS, sizeof *t, rising);
                printf("%s\t%s\t%s\t%s\t%.3f\t%.3f\t%.3f\n", argv[1], c[k].bench->size_name[size], c[k].label,
                       q ? "gradient" : "value", t[ROUNDS / 2], t[ROUNDS / 4], t[ROUNDS - 1 - ROUNDS / 4]);
            }
            c[k].bench->close();
        }
        free(reference);
    }
    return bad;
}
