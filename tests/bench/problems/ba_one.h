/* ba_one: the reprojection error of one observation, and its two rows of 15 derivatives.
 * theta: the camera, the point, the weight. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"one observation"};
enum { CAMERA = 11 };
static const int n_theta = CAMERA + 3 + 1;
static size_t n_value, n_result;
static double theta[CAMERA + 3 + 1] = {.1, -.2, .3, .5, -.4, -8, 500, 1, -1, .05, -.003, .3, .7, -.9, .8};
static const double feat[2] = {12, -7};
static void open_data(int size) {
    (void)size;
    n_value = 2, n_result = n_value + 2 * (CAMERA + 3 + 1);
}
static void close_data(void) {
}
static Work least_work(int derived) {
    const Work w = {3 * ELEMENTARY + (derived ? 260 : 60), 8 * (derived ? 49 : 19)};
    return w;
}
