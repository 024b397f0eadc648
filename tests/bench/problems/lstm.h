/* lstm: loss of a diagonal LSTM that predicts the next character (GradBench).
 * theta: w[L, 2, 4, B], ends[3, B]. */
#include "../bench.h"
#define SIZES 2
static const char *const size_names[SIZES] = {"l2 c1024", "l4 c1024"};
static int L, T, B, n_theta;
static size_t n_value, n_result;
static double *theta, *x, *start;
static void open_data(int size) {
    uint64_t s = 31337;
    L = size == 0 ? 2 : 4, T = 1024, B = 14, n_theta = L * 8 * B + 3 * B;
    n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_draw(&s, (size_t)n_theta, 0, 1);
    start = bench_draw(&s, (size_t)(L * 2 * B), 0, 1);
    x = bench_array((size_t)(T * B));
    for (int i = 0; i < T * B; i++) x[i] = bench_uniform(&s) < 0.5 ? 0 : 1;
}
static void close_data(void) {
    free(theta), free(x), free(start);
}
/* Five elementary functions and twelve operations a cell; back, forty. */
static Work least_work(int derived) {
    Work w;
    const double cells = (double)(T - 1) * L * B, ends = (double)(T - 1) * B;
    const double forward = cells * (5 * ELEMENTARY + 12) + ends * (ELEMENTARY + 7);
    w.operations = forward + (derived ? 40 * cells + 8 * ends : 0);
    w.bytes = 8.0 * (T * B + n_theta + (derived ? n_theta : 0));
    return w;
}
