/* bench: what every contender of a problem offers. Each is a shared object of its own, made from one
 * C file by one compiler with one set of flags, so that all can be timed side by side in one
 * process. All of a problem draw the same data (see PROBLEM.h), and their results are compared
 * before anything is timed. */
#ifndef BENCH_H
#define BENCH_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct Bench {
    void (*open)(int size);  /* draws the data of size 0, 1 .. */
    void (*value)(void);     /* the function alone */
    void (*gradient)(void);  /* the function and its derivative; NULL: has none */
    size_t (*result)(const double **to); /* of the last call: the value, then the derivative */
    void (*close)(void);
    int sizes;
    const char *const *size_name;
} Bench;

#ifdef __cplusplus
#define BENCH_EXPORT extern "C" __attribute__((visibility("default"))) const Bench bench
#else
#define BENCH_EXPORT __attribute__((visibility("default"))) const Bench bench
#endif

/* xorshift64*: the same numbers for every contender */
static inline uint64_t bench_bits(uint64_t *s) {
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545F4914F6CDD1Dull;
}
static inline double bench_uniform(uint64_t *s) {
    return (double)(bench_bits(s) >> 11) * 0x1p-53;
}
static inline double *bench_array(size_t n) { /* 64-byte aligned, zero */
    size_t bytes = (n * sizeof(double) + 127) / 64 * 64;
    double *p = (double *)aligned_alloc(64, bytes);
    for (size_t i = 0; i < bytes / sizeof(double); i++) p[i] = 0;
    return p;
}
static inline double *bench_draw(uint64_t *s, size_t n, double from, double to) {
    double *p = bench_array(n);
    for (size_t i = 0; i < n; i++) p[i] = from + (to - from) * bench_uniform(s);
    return p;
}
#endif
