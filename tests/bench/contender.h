/* contender: what all contenders have in common, made of a problem's header (DATA_H), which sets
 *
 *   SIZES, size_names        its sizes
 *   open_data, close_data    its inputs; also n_value and n_result: how many numbers the value has, and the
 *                            value with its derivative
 *   theta, n_theta           what a function of one vector is differentiated by
 *   least_work               see Work
 *
 * Results go to `out`: the value, then the derivative. */
#ifndef CONTENDER_H
#define CONTENDER_H
#include DATA_H
static NUMBER *out;
static void open_out(int size) {
    open_data(size);
    out = bench_array(n_result);
}
static void close_out(void) {
    free(out);
    close_data();
}
static size_t all_results(double *to) {
    for (size_t i = 0; i < n_result; i++) to[i] = out[i];
    return n_result;
}
static size_t value_alone(double *to) {
    for (size_t i = 0; i < n_value; i++) to[i] = out[i];
    return n_value;
}

#ifdef __cplusplus
#define BENCH_OF_C extern "C"
#else
#define BENCH_OF_C extern
#endif
BENCH_OF_C __attribute__((visibility("default"))) const Bench bench;

/* BENCH(open, value, derived, batch, result, close) */
#define BENCH(...) \
    const Bench bench = {__VA_ARGS__, SIZES, size_names, least_work, TOLERANCE, sizeof(NUMBER) == sizeof(float)}
#endif
