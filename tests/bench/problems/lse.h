/* lse: log of a sum of exponentials (GradBench). theta: x[N]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"n40000"};
static int N, n_theta;
static size_t n_value, n_result;
static double *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = n_theta = 40000;
    n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_draw(&s, (size_t)N, 0, 1);
}
static void close_data(void) {
    free(theta);
}
/* A maximum, a difference, an exponential and a sum; back, a factor. */
static Work least_work(int derived) {
    Work w;
    w.operations = N * (3.0 + ELEMENTARY + (derived ? 1 : 0));
    w.bytes = 8.0 * N * (derived ? 2 : 1);
    return w;
}
