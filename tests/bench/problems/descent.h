/* What particle and saddle have in common: one size, named by the modes of their derivatives, and no count of their
 * operations, since a descent ends when it does. Before it: the number of results as RESULTS, and BYTES in and out. */
#include "../bench.h"
#define SIZES 1
#ifndef MODES
#define MODES ""
#endif
static const char *const size_names[SIZES] = {MODES};
static size_t n_value, n_result;
static void open_data(int size) {
    (void)size;
    n_value = n_result = RESULTS;
}
static void close_data(void) {
}
static Work least_work(int derived) {
    const Work w = {0, BYTES};
    (void)derived;
    return w;
}
