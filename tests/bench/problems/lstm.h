/* lstm: loss of a diagonal LSTM that predicts the next character (GradBench).
 * theta: w[L, 2, 4, B], ends[3, B]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"l2 c1024 b14"};
static int L, T, B, n_theta;
static double *theta, *x, *start;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    L = 2, T = 1024, B = 14, n_theta = L * 8 * B + 3 * B;
    theta = bench_draw(&s, (size_t)n_theta, 0, 1);
    start = bench_draw(&s, (size_t)(L * 2 * B), 0, 1);
    x = bench_array((size_t)(T * B));
    for (int i = 0; i < T * B; i++) x[i] = bench_uniform(&s) < 0.5 ? 0 : 1;
}
static void close_data(void) {
    free(theta), free(x), free(start);
}
