/* functions.c: the time of the runtime's elementary functions for each value of an array in the first cache, beside the C library's,
 * and their largest error over these values in units in the last place, by the C library's long double. Compiled twice by
 * tests/bench/functions: as it is, the loops of gradc.h; with -DLIBM, those of the C library (and of libmvec, where -ffast-math
 * lets gcc call it). Prints a line for each function: name, nanoseconds in double and float, errors. */
#ifndef LIBM
#include "gradc.h"
#else
#include <math.h>
#include <stddef.h>
#endif
#include <stdio.h>
#include <time.h>

enum { COUNT = 1024, TRIALS = 15 };
static double x[COUNT], z[COUNT], y[COUNT];
static float u[COUNT], w[COUNT], v[COUNT];

/* name, range of the first argument, range of the second, the same in the C library, as a long double */
#define ONE(F)                                                                                     \
    F(exp, -20, 20) F(expm1, -5, 5) F(exp2, -20, 20) F(log, 1e-3, 1e3) F(log1p, -0.9, 10)          \
    F(log2, 1e-3, 1e3) F(log10, 1e-3, 1e3) F(sqrt, 0, 100) F(cbrt, -100, 100) F(sin, -10, 10)      \
    F(cos, -10, 10) F(tan, -10, 10) F(asin, -1, 1) F(acos, -1, 1) F(atan, -10, 10) F(sinh, -5, 5)  \
    F(cosh, -5, 5) F(tanh, -5, 5) F(asinh, -10, 10) F(acosh, 1, 10) F(atanh, -1, 1) F(erf, -3, 3)  \
    F(erfc, -3, 3) F(floor, -10, 10) F(ceil, -10, 10) F(round, -10, 10)
#define TWO(F) F(pow, 0, 10, -10, 10) F(atan2, -10, 10, -10, 10) F(hypot, -10, 10, -10, 10)

#ifndef LIBM
#define CALL(name) gradc_##name
#define CALLF(name) gradc_##name##f
#define LANES GRADC_LANES
#else
#define CALL(name) name
#define CALLF(name) name##f
#define LANES
#endif

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void fill(double *to, float *tof, double lo, double hi, int seed) {
    int i;
    for (i = 0; i < COUNT; i++) {
        tof[i] = (float)(lo + (hi - lo) * ((double)((i * 7919 + seed) % COUNT) + 0.37) / COUNT);
        to[i] = (double)tof[i] * (1 + 1e-10);
    }
}
static double ulp(long double got, long double want, int bits) {
    int e;
    if (want == 0) return got == 0 ? 0 : 1;
    frexpl(want, &e);
    return (double)fabsl(ldexpl(got - want, bits - e));
}

#define LOOP(name, value, valuef)                                                                  \
    static void loop_##name(void) {                                                                \
        size_t i;                                                                                  \
        LANES                                                                                      \
        for (i = 0; i < COUNT; i++) y[i] = value;                                                  \
    }                                                                                              \
    static void loopf_##name(void) {                                                               \
        size_t i;                                                                                  \
        LANES                                                                                      \
        for (i = 0; i < COUNT; i++) v[i] = valuef;                                                 \
    }
#define LOOP1(name, lo, hi) LOOP(name, CALL(name)(x[i]), CALLF(name)(u[i]))
#define LOOP2(name, lo, hi, from, to) LOOP(name, CALL(name)(x[i], z[i]), CALLF(name)(u[i], w[i]))
ONE(LOOP1)
TWO(LOOP2)

static double least(void (*f)(void)) {
    double best = 1e9;
    int trial, k;
    for (trial = 0; trial < TRIALS; trial++) {
        double t = seconds();
        for (k = 0; k < 30; k++) {
            f();
            __asm__ volatile("" : : : "memory");
        }
        t = (seconds() - t) / 30 / COUNT * 1e9;
        if (t < best) best = t;
    }
    return best;
}
static void report(const char *name, void (*f)(void), void (*g)(void), double worst, double worstf) {
    printf("%s %.3f %.3f %.2f %.2f\n", name, least(f), least(g), worst, worstf);
}

int main(void) {
#define MEASURE(name, lo, hi, from, to, exact, exactf)                                             \
    {                                                                                              \
        double worst = 0, worstf = 0, e;                                                           \
        int i;                                                                                     \
        fill(x, u, lo, hi, 1);                                                                     \
        fill(z, w, from, to, 500);                                                                 \
        loop_##name();                                                                             \
        loopf_##name();                                                                            \
        for (i = 0; i < COUNT; i++) {                                                              \
            if ((e = ulp((long double)y[i], exact, 53)) > worst) worst = e;                        \
            if ((e = ulp((long double)v[i], exactf, 24)) > worstf) worstf = e;                     \
        }                                                                                          \
        report(#name, loop_##name, loopf_##name, worst, worstf);                                   \
    }
#define MEASURE1(name, lo, hi)                                                                     \
    MEASURE(name, lo, hi, 0, 1, name##l((long double)x[i]), name##l((long double)u[i]))
#define MEASURE2(name, lo, hi, from, to)                                                           \
    MEASURE(name, lo, hi, from, to, name##l((long double)x[i], (long double)z[i]),                 \
            name##l((long double)u[i], (long double)w[i]))
    ONE(MEASURE1)
    TWO(MEASURE2)
    return 0;
}
