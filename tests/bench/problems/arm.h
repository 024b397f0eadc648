/* arm: how an arm of seven joints moves under given torques, and the Jacobian of that by angles, rates and
 * torques, 7 x 21. theta: q, v, tau. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"7 joints, 7 x 21"};
enum { N = 7 };
static const int n_theta = 3 * N;
static size_t n_value, n_result;
static double *theta;
static const double g = 9.81;
#define PLACE(i, j) ((j) / N * N * N + (i) * N + (j) % N) /* of d a[i] / d theta[j] */
/* cos alpha, sin alpha, d, mass, centre of mass, moments of inertia */
static const double link_of[N][10] = {
    {1, 0, 0.34, 3.4, 0, -0.03, 0.12, 0.02, 0.02, 0.01},   {0, -1, 0, 3.5, 0, 0.06, 0.04, 0.025, 0.01, 0.024},
    {0, 1, 0.4, 4.0, 0, 0.03, 0.13, 0.03, 0.028, 0.01},    {0, 1, 0, 2.7, 0, 0.067, 0.034, 0.02, 0.009, 0.02},
    {0, -1, 0.4, 1.7, 0, 0.02, 0.076, 0.012, 0.01, 0.005}, {0, -1, 0, 1.8, 0, 0.0006, 0.0004, 0.005, 0.0036, 0.0047},
    {0, 1, 0.126, 0.3, 0, 0, 0.02, 0.001, 0.001, 0.001},
};
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = N, n_result = N + 3 * N * N;
    theta = bench_draw(&s, 3 * N, -1, 1);
}
static void close_data(void) {
    free(theta);
}
/* Newton and Euler for a link take some 250 operations; eight of them make the value, as the model is written,
 * with a factorisation. Back, seven of twice that, by angles and by rates. */
static Work least_work(int derived) {
    const double link = 250, factor = N * N * N / 3.0 + 2 * N * N;
    const Work w = {N * (8 * link + 2 * ELEMENTARY) + factor + (derived ? 2 * N * N * link + 4.0 * N * N * N : 0),
                    8 * (10 * N + 3 * N + N + (derived ? 3 * N * N : 0))};
    return w;
}
