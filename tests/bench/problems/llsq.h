/* llsq: least squares by a polynomial through the signs of N places (GradBench). theta: x[M]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"n1024 m128"};
static int N, M, n_theta;
static size_t n_value, n_result;
static double *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = 1024, M = n_theta = 128;
    n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_draw(&s, (size_t)M, 0, 1);
}
static void close_data(void) {
    free(theta);
}
/* Horner forward, a power and a sum for each coefficient back. */
static Work least_work(int derived) {
    Work w;
    w.operations = 2.0 * N * M * (derived ? 2 : 1);
    w.bytes = 8.0 * (M + (derived ? M : 0));
    return w;
}
