/* lstm16: the squared error of an LSTM of 16 units on 16 inputs, full matrices, over 50 steps, in double.
 * theta: W[I + H, 4, H], the inputs' rows before those of the last state; b[4, H]. Gates: in, forget, out,
 * change. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"16/16, 50 steps"};
enum { I = 16, H = 16, T = 50, G = 4 * H };
static const int n_theta = (I + H) * G + G;
static size_t n_value, n_result;
static double *theta, *x, *y, *start;
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_draw(&s, (size_t)n_theta, -0.5, 0.5);
    x = bench_draw(&s, T * I, -1, 1);
    y = bench_draw(&s, T * H, -1, 1);
    start = bench_draw(&s, 2 * H, -0.5, 0.5);
}
static void close_data(void) {
    free(theta), free(x), free(y), free(start);
}
/* A matrix of 32 by 64 times a vector in each step; back, half of it transposed, and as an outer product. */
static Work least_work(int derived) {
    const double matrix = 2.0 * (I + H) * G;
    const Work w = {T * (matrix + H * (5 * ELEMENTARY + 8)) + (derived ? T * (1.5 * matrix + 40 * H) : 0),
                    8.0 * (n_theta + T * (I + H) + (derived ? n_theta : 0))};
    return w;
}
