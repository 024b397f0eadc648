/* matmul: a product of two square matrices in float. theta: A[N, N], B[N, N]. */
#define NUMBER float
#define TOLERANCE 1e-5
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"768 cubed"};
enum { N = 768 };
static const int n_theta = 2 * N * N;
static size_t n_value, n_result;
static float *theta;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = n_result = N * N;
    theta = bench_draw(&s, (size_t)n_theta, -1, 1);
}
static void close_data(void) {
    free(theta);
}
static Work least_work(int derived) {
    const Work w = {2.0 * N * N * N, 4.0 * 3 * N * N};
    (void)derived;
    return w;
}
