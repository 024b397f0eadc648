/* ode: classical Runge-Kutta on y_0' = x_0, y_i' = x_i y_i-1 (GradBench), at places where the
 * gradient of the last component is not zero. theta: x[N]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"n200 s100"};
static int N, S, n_theta;
static size_t n_value, n_result;
static double *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = n_theta = 200, S = 100;
    n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_array((size_t)N);
    for (int i = 0; i < N; i++) theta[i] = (i + 1) / 2.0 * (0.9 + 0.2 * bench_uniform(&s));
}
static void close_data(void) {
    free(theta);
}
/* With the stages written into one another a step reads five neighbours; back, ten operations more for the coefficients. */
static Work least_work(int derived) {
    Work w;
    w.operations = 8.0 * N * S + (derived ? 16.0 * N * S : 0);
    w.bytes = 8.0 * N * (derived ? 2 : 1);
    return w;
}
