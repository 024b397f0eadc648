/* gmm: log posterior of a Gaussian mixture with a Wishart prior (GradBench).
 * theta: alpha[K], mu[K, D], q[K, D], l[K, T]. */
#include "../bench.h"
#define SIZES 2
static const char *const size_names[SIZES] = {"d10 k25 n1000", "d32 k50 n1000"};
static int D, K, N, T, n_theta;
static size_t n_value, n_result;
static double *x, *theta;
static const double gamma_ = 1;
static const int m_ = 0;
static void open_data(int size) {
    static const int sizes[SIZES][3] = {{10, 25, 1000}, {32, 50, 1000}};
    uint64_t s = 31337;
    D = sizes[size][0], K = sizes[size][1], N = sizes[size][2], T = D * (D - 1) / 2;
    n_theta = K * (1 + 2 * D + T);
    n_value = 1, n_result = 1 + (size_t)n_theta;
    x = bench_draw(&s, (size_t)N * (size_t)D, -1.7, 1.7);
    theta = bench_draw(&s, (size_t)n_theta, -1, 1);
}
static void close_data(void) {
    free(x), free(theta);
}
/* A triangle times a vector and the square of that for each point and component, with an exponential; the
 * gradient takes two more such products. */
static Work least_work(int derived) {
    Work w;
    const double pairs = (double)N * K, triangle = D * (D - 1.0);
    const double forward = pairs * (triangle + 5 * D + ELEMENTARY);
    w.operations = forward + (derived ? pairs * (2 * triangle + 6 * D) : 0);
    w.bytes = 8.0 * (N * D + n_theta + (derived ? n_theta : 0));
    return w;
}
