/* saddle: min over x of max over y of |x|^2 - |y|^2, both by gradient descent, one inside of the other
 * (GradBench). */
#include "../bench.h"
#define SIZES 1
#ifndef MODES
#define MODES ""
#endif
static const char *const size_names[SIZES] = {MODES};
static size_t n_value, n_result;
static const int n_theta = 2;
static const double theta[2] = {1, 1};
static void open_data(int size) {
    (void)size;
    n_value = n_result = 4;
}
static void close_data(void) {
}
static Work least_work(int derived) { /* not known before: the descents end when they do */
    const Work w = {0, 8 * 6};
    (void)derived;
    return w;
}
