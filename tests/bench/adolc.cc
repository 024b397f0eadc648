/* The same text as naive.c, differentiated by ADOL-C: recorded once, then the tape is replayed. */
#include "contender.h"
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
#ifndef PLACE /* where the derivative of number i by theta[j] stands */
#define PLACE(i, j) ((i) * n_theta + (j))
#endif
static double **rows; /* of the Jacobian */
static void trace(int size) {
    open_out(size);
    const int m = (int)n_value, n = (int)n_theta;
    trace_on(1);
    adouble *p = new adouble[(size_t)n], *f = new adouble[(size_t)m];
    for (int i = 0; i < n; i++) p[i] <<= theta[i];
    naive_value(p, f);
    for (int i = 0; i < m; i++) f[i] >>= out[i];
    delete[] p;
    delete[] f;
    trace_off();
    rows = new double *[(size_t)m];
    for (int i = 0; i < m; i++) rows[i] = new double[(size_t)n];
}
static void value(void) {
    function(1, (int)n_value, n_theta, theta, out);
}
static void derived(void) {
    value();
    if (n_value == 1) gradient(1, n_theta, theta, rows[0]);
    else jacobian(1, (int)n_value, n_theta, theta, rows);
}
static size_t result(double *to) {
    for (int i = 0; i < (int)n_value; i++) {
        to[i] = out[i];
        for (int j = 0; j < n_theta; j++) to[(int)n_value + PLACE(i, j)] = rows[i][j];
    }
    return n_result;
}
static void close_all(void) {
    for (int i = 0; i < (int)n_value; i++) delete[] rows[i];
    delete[] rows;
    close_out();
}
BENCH(trace, value, derived, NULL, result, close_all);
