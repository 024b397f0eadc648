/* bench: what every contender of a problem offers. Each is a shared object of its own, made from one
 * C file by one compiler with one set of flags, so that all can be timed side by side in one
 * process. All of a problem draw the same data (see problems/NAME.h), and their results are compared
 * before anything is timed. */
#ifndef BENCH_H
#define BENCH_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What a problem takes at least, by the best way that we know: operations (a multiplication and an addition
 * are two; exp, log, tanh and their like are as many as the polynomials of a runtime take, ELEMENTARY), and
 * the bytes that go in and come out. */
typedef struct Work {
    double operations, bytes;
} Work;
enum { ELEMENTARY = 30 };

typedef struct Bench {
    void (*open)(int size);   /* draws the data of size 0, 1 .. */
    void (*value)(void);      /* the function alone; NULL: cannot */
    void (*derived)(void);    /* the function and its derivative in one call; NULL: cannot */
    double (*batch)(int derived, long turns); /* seconds for so many calls, by its own clock; NULL: by ours */
    size_t (*result)(double *to); /* of all calls so far: the value, then the derivative; their number */
    void (*close)(void);
    int sizes;
    const char *const *size_name;
    Work (*work)(int derived); /* after open */
    double tolerance;          /* by which results may differ, in units of the largest entry */
    int single;                /* numbers are float */
} Bench;

/* A problem's header may say that its numbers are float. */
#ifndef NUMBER
#define NUMBER double
#endif
#ifndef TOLERANCE
#define TOLERANCE 1e-9
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
static inline void *bench_bytes(size_t bytes) { /* 64-byte aligned, zero */
    bytes = (bytes + 127) / 64 * 64;
    char *p = (char *)aligned_alloc(64, bytes);
    if (!p) abort();
    for (size_t i = 0; i < bytes; i++) p[i] = 0;
    return p;
}
static inline NUMBER *bench_array(size_t n) {
    return (NUMBER *)bench_bytes(n * sizeof(NUMBER));
}
static inline NUMBER *bench_draw(uint64_t *s, size_t n, double from, double to) {
    NUMBER *p = bench_array(n);
    for (size_t i = 0; i < n; i++) p[i] = (NUMBER)(from + (to - from) * bench_uniform(s));
    return p;
}
static inline int32_t *bench_indices(uint64_t *s, size_t n, int below) {
    int32_t *p = (int32_t *)bench_bytes(n * sizeof(int32_t));
    for (size_t i = 0; i < n; i++) p[i] = (int32_t)(bench_bits(s) % (uint64_t)below);
    return p;
}
#endif
