/* kmeans: the Newton step of clustering, gradient over the diagonal of the Hessian (GradBench).
 * theta: the centroids c[K, D]; the derivative is the step. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"k100 n10000 d8"};
static int N, K, D, n_theta;
static size_t n_value, n_result;
static double *theta, *x;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = 10000, K = 100, D = 8, n_theta = K * D;
    x = bench_draw(&s, (size_t)N * (size_t)D, 0, 1);
    n_value = 1, n_result = 1 + 2 * (size_t)n_theta;
    theta = bench_array((size_t)n_theta);
    for (int i = 0; i < n_theta; i++) theta[i] = x[(N - K) * D + i];
}
static void close_data(void) {
    free(theta), free(x);
}
/* Every distance, with its minimum; the derivative adds a sum for each point. */
static Work least_work(int derived) {
    Work w;
    w.operations = (double)N * K * (3 * D + 1) + (derived ? (double)N * D : 0);
    w.bytes = 8.0 * (N * D + K * D + (derived ? 2 * K * D : 0));
    return w;
}
