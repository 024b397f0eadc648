/* det: a determinant by expansion by minors (GradBench). The naive program computes every minor whenever it
 * meets it; the model computes equal minors once, by the tables of subsets. theta: A[L, L]. */
#include "../bench.h"
#define SIZES 1
static const char *const size_names[SIZES] = {"8 x 8"};
enum { L = 8, SUBSETS = 1 << L };
static const int n_theta = L * L;
static size_t n_value, n_result;
static double *theta;
static int32_t set_size[SUBSETS], col[SUBSETS * L], less[SUBSETS * L];
static void open_data(int size) {
    uint64_t s = 31337;
    (void)size;
    n_value = 1, n_result = 1 + L * L;
    theta = bench_draw(&s, L * L, -1, 1);
    for (int set = 0; set < SUBSETS; set++) {
        set_size[set] = 0;
        for (int c = 0; c < L; c++) {
            if (!(set >> c & 1)) continue;
            col[set * L + set_size[set]] = c;
            less[set * L + set_size[set]++] = set & ~(1 << c);
        }
    }
}
static void close_data(void) {
    free(theta);
}
/* Each subset takes each of its members once, forward; back, twice. */
static Work least_work(int derived) {
    const Work w = {SUBSETS * L / 2 * (derived ? 6 : 2), 8 * L * L * (derived ? 2 : 1)};
    return w;
}
