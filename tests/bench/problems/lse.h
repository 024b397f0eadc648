/* lse: log of a sum of exponentials (GradBench). theta: x[N]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"n40000"};
static int N, n_theta;
static double *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = n_theta = 40000;
    theta = bench_draw(&s, (size_t)N, 0, 1);
}
static void close_data(void) {
    free(theta);
}
