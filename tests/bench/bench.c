/* bench: times contenders of one problem side by side.
 *
 *   bench [-r ROUNDS] [-t MS] [-s SIZE] PROBLEM LABEL=FILE.so ...
 *
 * All are loaded, their results compared with those of the first one that has a derivative (exit status 1
 * when one is off), then timed in turns: ROUNDS rounds, in each of them a batch of every contender, at least
 * MS milliseconds long. The clock is the thread's processor time, so other processes on the core do not count,
 * but for what they take of the caches. For each size, label and function a line goes out, with tabs between:
 *
 *   problem  size  label  value|derived  us: median, first and third quartile, least  operations  bytes  real
 */
#define _GNU_SOURCE
#include "bench.h"
#include <dlfcn.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_ROUNDS = 101, MANY = 32 };

typedef struct Contender {
    const char *label;
    const Bench *bench;
    long turns[2];
    double time[2][MOST_ROUNDS];
} Contender;

static Contender contender[MANY];
static int contenders, rounds = 11;
static double batch_s = 4e-3;
static int wall; /* contenders have threads: time on the wall, on all cores */

static double now(void) {
    struct timespec t;
    clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int has(const Bench *b, int derived) {
    return (derived ? b->derived : b->value) != NULL;
}

/* Microseconds for one call. */
static double batch(const Contender *c, int derived) {
    const long turns = c->turns[derived];
    double seconds;
    if (c->bench->batch) {
        seconds = c->bench->batch(derived, turns);
    } else {
        void (*f)(void) = derived ? c->bench->derived : c->bench->value;
        const double from = now();
        for (long k = 0; k < turns; k++) f();
        seconds = now() - from;
    }
    return seconds / (double)turns * 1e6;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Largest difference among n numbers, relative to the largest of them. */
static double difference(const double *a, const double *b, size_t n) {
    double most = 1e-300, off = 0;
    for (size_t k = 0; k < n; k++) {
        const double d = fabs(a[k] - b[k]);
        most = fmax(most, fabs(a[k]));
        if (d > off || isnan(d)) off = d;
        if (isnan(off)) return off;
    }
    return off / most;
}

/* Whether the results of all are near those of the first that has a derivative. */
static int agree(const char *problem, int size) {
    double *all[MANY];
    size_t count[MANY];
    int first = 0, good = 1;
    for (int k = 0; k < contenders; k++) {
        const Bench *b = contender[k].bench;
        if (has(b, 0)) b->value();
        if (has(b, 1)) b->derived();
        all[k] = malloc((size_t)1 << 26);
        if (!all[k]) abort();
        count[k] = b->result(all[k]);
        if (count[k] > count[first]) first = k;
    }
    size_t value = count[first];
    for (int k = 0; k < contenders; k++) value = count[k] < value ? count[k] : value;
    for (int k = 0; k < contenders; k++) {
        double off = difference(all[first], all[k], value);
        if (count[k] > value) {
            const double d = difference(all[first] + value, all[k] + value, count[k] - value);
            if (!(d <= off)) off = d;
        }
        if (!(off <= contender[k].bench->tolerance)) {
            fprintf(stderr, "bench: %s, %s: %s is off by %.1e\n", problem, contender[k].bench->size_name[size],
                    contender[k].label, off);
            good = 0;
        }
    }
    for (int k = 0; k < contenders; k++) free(all[k]);
    return good;
}

static void time_all(void) {
    for (int k = 0; k < contenders; k++) {
        Contender *c = &contender[k];
        for (int q = 0; q < 2; q++) {
            c->turns[q] = 1;
            while (has(c->bench, q) && batch(c, q) * 1e-6 * (double)c->turns[q] < batch_s) c->turns[q] *= 2;
        }
    }
    for (int round = 0; round < rounds; round++) {
        for (int k = 0; k < contenders; k++) {
            for (int q = 0; q < 2; q++) {
                if (has(contender[k].bench, q)) contender[k].time[q][round] = batch(&contender[k], q);
            }
        }
    }
}

static void print_all(const char *problem, int size) {
    for (int k = 0; k < contenders; k++) {
        const Bench *b = contender[k].bench;
        for (int q = 0; q < 2; q++) {
            double *t = contender[k].time[q];
            if (!has(b, q)) continue;
            const Work w = b->work(q);
            qsort(t, (size_t)rounds, sizeof *t, rising);
            printf("%s\t%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.0f\t%.0f\t%s\n", problem, b->size_name[size],
                   contender[k].label, q ? "derived" : "value", t[rounds / 2], t[rounds / 4],
                   t[rounds - 1 - rounds / 4], t[0], w.operations, w.bytes, b->single ? "float" : "double");
        }
    }
    fflush(stdout);
}

static void usage(void) {
    fprintf(stderr, "usage: bench [-r ROUNDS] [-t MS] [-s SIZE] PROBLEM LABEL=FILE.so ...\n");
    exit(2);
}

static long number(const char *text, long least, long most) {
    char *end;
    const long n = text ? strtol(text, &end, 10) : -1;
    if (!text || *end || n < least || n > most) usage();
    return n;
}

int main(int argc, char **argv) {
    int good = 1, k = 1, only = -1;
    for (; k < argc && argv[k][0] == '-'; k += 2) {
        if (strcmp(argv[k], "-r") == 0) rounds = (int)number(argv[k + 1], 1, MOST_ROUNDS);
        else if (strcmp(argv[k], "-t") == 0) batch_s = 1e-3 * (double)number(argv[k + 1], 1, 10000);
        else if (strcmp(argv[k], "-w") == 0) wall = (int)number(argv[k + 1], 0, 1);
        else if (strcmp(argv[k], "-s") == 0) only = (int)number(argv[k + 1], 0, 100);
        else usage();
    }
    if (argc - k < 2 || argc - k - 1 > MANY) usage();
    const char *problem = argv[k++];
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    if (!wall) sched_setaffinity(0, sizeof one, &one);
    for (; k < argc; k++) {
        char *file = strchr(argv[k], '=');
        if (!file) usage();
        *file++ = 0;
        void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
        const Bench *b = library ? dlsym(library, "bench") : NULL;
        if (!b) {
            fprintf(stderr, "bench: %s\n", dlerror());
            return 2;
        }
        contender[contenders++] = (Contender){.label = argv[k], .bench = b};
    }
    for (int size = 0; size < contender[0].bench->sizes; size++) {
        if (only >= 0 && size != only) continue;
        for (k = 0; k < contenders; k++) contender[k].bench->open(size);
        if (agree(problem, size)) {
            time_all();
            print_all(problem, size);
        } else {
            good = 0;
        }
        for (k = 0; k < contenders; k++) contender[k].bench->close();
    }
    return good ? 0 : 1;
}
