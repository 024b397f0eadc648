/* llsq: least squares by a polynomial through the signs of N places (GradBench). theta: x[M]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"n1024 m128"};
static int N, M, n_theta;
static double *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = 1024, M = n_theta = 128;
    theta = bench_draw(&s, (size_t)M, 0, 1);
}
static void close_data(void) {
    free(theta);
}
