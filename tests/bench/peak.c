/* peak: what this machine's core can do at most: multiply-adds a second in double and float, and bytes read a
 * second from arrays of several sizes. Lines go out, with tabs between:
 *
 *   machine  multiply-add  double|float  GF (a multiplication and an addition are two)
 *   machine  read  KiB  GB/s
 *
 * Compile with -O2 -march=native: vectors are as wide as the machine has them. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
enum { WIDTH = 64, CHAINS = 16 };
#elif defined(__AVX__)
enum { WIDTH = 32, CHAINS = 10 };
#else
enum { WIDTH = 16, CHAINS = 10 };
#endif
enum { TRIES = 9 };
typedef double doubles __attribute__((vector_size(WIDTH)));
typedef float floats __attribute__((vector_size(WIDTH)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* CHAINS sums that do not wait for each other; the factors are hidden from the compiler. */
#define PEAK(name, vector, number)                                                        \
    static double name(void) {                                                            \
        double best = 0;                                                                  \
        const long turns = 400000;                                                        \
        for (int try = 0; try < TRIES; try++) {                                           \
            vector a[CHAINS], b = {0}, c = {0};                                           \
            b += (number)0.999999, c += (number)1e-9;                                     \
            __asm__ volatile("" : "+x"(b), "+x"(c));                                      \
            for (int i = 0; i < CHAINS; i++) a[i] = c * (number)i;                        \
            double t = now();                                                             \
            for (long k = 0; k < turns; k++) {                                            \
                _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) a[i] = a[i] * b + c; \
            }                                                                             \
            t = now() - t;                                                                \
            for (int i = 1; i < CHAINS; i++) a[0] += a[i];                                \
            __asm__ volatile("" : : "x"(a[0]));                                           \
            const double gf = 2e-9 * (double)turns * CHAINS * (WIDTH / sizeof(number)) / t; \
            if (gf > best) best = gf;                                                     \
        }                                                                                 \
        return best;                                                                      \
    }
PEAK(peak_double, doubles, double)
PEAK(peak_float, floats, float)

static double read_speed(size_t bytes) {
    const size_t n = bytes / sizeof(doubles);
    const long turns = (long)(100000000 / bytes) + 1;
    doubles *p = aligned_alloc(64, bytes);
    double best = 0;
    if (!p) abort();
    memset(p, 0, bytes);
    for (int try = 0; try < TRIES; try++) {
        double t = now();
        for (long k = 0; k < turns; k++) {
            doubles a = {0}, b = a, c = a, d = a;
            for (size_t i = 0; i + 4 <= n; i += 4) a += p[i], b += p[i + 1], c += p[i + 2], d += p[i + 3];
            a += b + (c + d);
            __asm__ volatile("" : : "x"(a) : "memory");
        }
        t = now() - t;
        const double speed = 1e-9 * (double)turns * (double)bytes / t;
        if (speed > best) best = speed;
    }
    free(p);
    return best;
}

int main(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    printf("machine\tmultiply-add\tdouble\t%.1f\n", peak_double());
    printf("machine\tmultiply-add\tfloat\t%.1f\n", peak_float());
    for (size_t kib = 16; kib <= 65536; kib *= 8) printf("machine\tread\t%zu\t%.1f\n", kib, read_speed(kib * 1024));
    return 0;
}
