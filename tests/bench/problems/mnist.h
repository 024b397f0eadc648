/* mnist: one step of training a net of 784, 72 (tanh) and 10 units with the multiclass logistic loss, in float:
 * the loss of a batch and its gradient. theta: V[H, D], bV[H], W[C, H], bW[C]. */
#define NUMBER float
#define TOLERANCE 2e-5
#include "../bench.h"
#define SIZES 3
static const char *const size_names[SIZES] = {"batch 1", "batch 64", "batch 256"};
enum { D = 784, H = 72, C = 10 };
static const int n_theta = H * D + H + C * H + C;
static size_t n_value, n_result;
static int B;
static float *theta, *x;
static int32_t *y;
static void open_data(int size) {
    static const int batch[SIZES] = {1, 64, 256};
    uint64_t s = 31337;
    B = batch[size], n_value = 1, n_result = 1 + (size_t)n_theta;
    theta = bench_draw(&s, (size_t)n_theta, -0.05, 0.05);
    x = bench_draw(&s, (size_t)(B * D), 0, 1);
    y = bench_indices(&s, (size_t)B, C);
}
static void close_data(void) {
    free(theta), free(x), free(y);
}
/* Two products forward, three back. */
static Work least_work(int derived) {
    const double first = 2.0 * B * H * D, second = 2.0 * B * H * C;
    const Work w = {first + second + ELEMENTARY * B * (H + C) + (derived ? first + 2 * second : 0),
                    4.0 * (B * D + n_theta + (derived ? n_theta : 0))};
    return w;
}
