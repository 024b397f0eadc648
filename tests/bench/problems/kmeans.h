/* kmeans: the Newton step of clustering, gradient over the diagonal of the Hessian (GradBench).
 * theta: the centroids c[K, D]; the derivative is the step. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"k100 n10000 d8"};
static int N, K, D, n_theta;
static double *theta, *x;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    N = 10000, K = 100, D = 8, n_theta = K * D;
    x = bench_draw(&s, (size_t)N * (size_t)D, 0, 1);
    theta = bench_array((size_t)n_theta);
    for (int i = 0; i < n_theta; i++) theta[i] = x[(N - K) * D + i];
}
static void close_data(void) {
    free(theta), free(x);
}
