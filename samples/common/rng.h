/* rng: random numbers for the samples, the same on every machine. The generator is splitmix64
 * (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
#ifndef SAMPLES_RNG_H
#define SAMPLES_RNG_H
#include <math.h>
#include <stdint.h>

typedef struct Rng {
    uint64_t state; /* the seed; any number will do */
} Rng;

static inline uint64_t rng_next(Rng *r) {
    uint64_t z = (r->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A number in [low, high). */
static inline double rng_uniform(Rng *r, double low, double high) {
    return low + (high - low) * ((double)(rng_next(r) >> 11) * 0x1p-53);
}

/* An integer in 0..n-1. The multiplication favours some of them by less than n / 2^32. */
static inline uint32_t rng_below(Rng *r, uint32_t n) {
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* A number with the standard normal distribution (Box and Muller, one of the pair). */
static inline double rng_normal(Rng *r) {
    double radius = sqrt(-2 * log(1 - rng_uniform(r, 0, 1)));
    return radius * cos(6.283185307179586 * rng_uniform(r, 0, 1));
}
#endif
