/* The same text as naive.c, differentiated by ADOL-C: recorded once, then the tape is replayed. */
#include DATA_H
#include <adolc/adolc.h>
#include <cmath>
#define REAL adouble
static adouble *new_reals(int n) {
    return new adouble[(size_t)n];
}
static void free_reals(adouble *p) {
    delete[] p;
}
#include NAIVE_H
static double *out_;
static void trace(int size) {
    open_data(size);
    out_ = bench_array((size_t)n_theta + 1);
    trace_on(1);
    adouble *p = new adouble[(size_t)n_theta];
    for (int i = 0; i < n_theta; i++) p[i] <<= theta[i];
    adouble f = naive_value(p);
    f >>= out_[0];
    delete[] p;
    trace_off();
}
static void value(void) {
    function(1, 1, n_theta, theta, out_);
}
static void value_and_gradient(void) {
    value();
    gradient(1, n_theta, theta, out_ + 1);
}
static size_t result(const double **to) {
    *to = out_;
    return (size_t)n_theta + 1;
}
static void close_all(void) {
    free(out_);
    close_data();
}
BENCH_EXPORT = {trace, value, value_and_gradient, result, close_all, SIZES, size_names};
