#include <cblas.h>
#define VALUE_ALONE
static size_t hand_space(void) {
    openblas_set_num_threads(1);
    return 1;
}
static void hand_value(float *to, float *space) {
    (void)space;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, theta, N, theta + N * N, N, 0, to, N);
}
