/* layouts.c: with -DGRADC_CBLAS a product in each of the layouts that emitted code uses is one call of a BLAS, in both precisions;
 * what a BLAS does not know stays in gradc.h. Numbers are whole, so results are exact. */
#include "gradc.h"
#include <stdio.h>

static int passed, failed;
#define LAYOUTS(T, F)                                                                              \
    static void layouts##F(void) {                                                                 \
        static const size_t shapes[][3] = {{9, 7, 5}, {1, 9, 20}, {9, 1, 20}, {30, 40, 50}};       \
        T a[50 * 50], b[50 * 50], c[100 * 50];                                                     \
        size_t shape, i, j, p;                                                                     \
        int layout, add;                                                                           \
        for (shape = 0; shape < 4; shape++)                                                        \
            for (layout = 0; layout < 16; layout++)                                                \
                for (add = -1; add <= 1; add++) {                                                  \
                    const size_t m = shapes[shape][0], n = shapes[shape][1], k = shapes[shape][2]; \
                    const size_t ar = layout & 1 ? 1 : k, ac = layout & 1 ? m : 1;                 \
                    const size_t br = layout & 2 ? 1 : n, bc = layout & 2 ? k : 1;                 \
                    const size_t gap = layout & 8 ? 2 : 1; /* of c: no BLAS knows it */            \
                    const size_t cr = (layout & 4 ? 1 : n) * gap, cc = (layout & 4 ? m : 1) * gap; \
                    const int before = cblas_gemm_calls + cblas_gemv_calls;                        \
                    int calls, good = 1;                                                           \
                    for (i = 0; i < 50 * 50; i++) a[i] = (T)(i * 7 % 11) - 5, b[i] = (T)(i * 5 % 13) - 6; \
                    for (i = 0; i < 100 * 50; i++) c[i] = 3;                                       \
                    gradc_matmul##F(m, n, k, a, ar, ac, b, br, bc, c, cr, cc, add);                \
                    calls = cblas_gemm_calls + cblas_gemv_calls - before;                          \
                    for (i = 0; i < m; i++)                                                        \
                        for (j = 0; j < n; j++) {                                                  \
                            T s = 0;                                                               \
                            for (p = 0; p < k; p++) s += a[i * ar + p * ac] * b[p * br + j * bc];  \
                            s = add == 0 ? s : add < 0 ? 3 - s : 3 + s;                            \
                            good = good && c[i * cr + j * cc] == s;                                \
                        }                                                                          \
                    good = good && (gap == 2 && m > 1 && n > 1 ? calls == 0 : calls == 1);         \
                    if (good) passed++;                                                            \
                    else {                                                                         \
                        failed++;                                                                  \
                        printf("layouts.c: matmul" #F " %zu %zu %zu layout %d add %d: %d calls\n", m, n, k, \
                               layout, add, calls);                                                \
                    }                                                                              \
                }                                                                                  \
    }
LAYOUTS(double, )
LAYOUTS(float, f)

int main(void) {
    layouts();
    layoutsf();
    if (cblas_gemm_calls == 0 || cblas_gemv_calls == 0) failed++;
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
