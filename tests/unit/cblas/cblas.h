/* cblas.h of the tests: the four functions that runtime/gradc.h calls with -DGRADC_CBLAS, by their definition, and how often each was
 * called. What a BLAS would refuse is a failed assertion. */
#ifndef GRADC_TEST_CBLAS_H
#define GRADC_TEST_CBLAS_H
#include <stddef.h>
#include <stdlib.h>

enum CBLAS_ORDER { CblasRowMajor = 101, CblasColMajor = 102 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 };
static int cblas_gemm_calls, cblas_gemv_calls;

static inline void cblas_require(int good) {
    if (!good) abort();
}
#define CBLAS(T, p)                                                                                \
    static inline void cblas_##p##gemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta,            \
                                       enum CBLAS_TRANSPOSE tb, int m, int n, int k, T alpha,      \
                                       const T *a, int lda, const T *b, int ldb, T beta, T *c,     \
                                       int ldc) {                                                  \
        int i, j, q;                                                                               \
        cblas_require(order == CblasRowMajor && m >= 0 && n >= 0 && k >= 0);                       \
        cblas_require(lda >= (ta == CblasNoTrans ? k : m) && lda > 0);                             \
        cblas_require(ldb >= (tb == CblasNoTrans ? n : k) && ldb > 0 && ldc >= n && ldc > 0);      \
        cblas_gemm_calls++;                                                                        \
        for (i = 0; i < m; i++)                                                                    \
            for (j = 0; j < n; j++) {                                                              \
                T *to = c + (size_t)i * (size_t)ldc + j, sum = 0;                                  \
                for (q = 0; q < k; q++)                                                            \
                    sum += (ta == CblasNoTrans ? a[(size_t)i * (size_t)lda + (size_t)q]            \
                                               : a[(size_t)q * (size_t)lda + (size_t)i]) *         \
                           (tb == CblasNoTrans ? b[(size_t)q * (size_t)ldb + (size_t)j]            \
                                               : b[(size_t)j * (size_t)ldb + (size_t)q]);          \
                *to = alpha * sum + (beta != 0 ? beta * *to : 0);                                  \
            }                                                                                      \
    }                                                                                              \
    static inline void cblas_##p##gemv(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, int m,     \
                                       int n, T alpha, const T *a, int lda, const T *x, int incx,  \
                                       T beta, T *y, int incy) {                                   \
        const int rows = ta == CblasNoTrans ? m : n, cols = ta == CblasNoTrans ? n : m;            \
        int i, q;                                                                                  \
        cblas_require(order == CblasRowMajor && m >= 0 && n >= 0 && lda >= n && lda > 0);          \
        cblas_require(incx != 0 && incy != 0);                                                     \
        cblas_gemv_calls++;                                                                        \
        for (i = 0; i < rows; i++) {                                                               \
            T *to = y + (size_t)i * (size_t)incy, sum = 0;                                         \
            for (q = 0; q < cols; q++)                                                             \
                sum += (ta == CblasNoTrans ? a[(size_t)i * (size_t)lda + (size_t)q]                \
                                           : a[(size_t)q * (size_t)lda + (size_t)i]) *             \
                       x[(size_t)q * (size_t)incx];                                                \
            *to = alpha * sum + (beta != 0 ? beta * *to : 0);                                      \
        }                                                                                          \
    }
CBLAS(double, d)
CBLAS(float, s)
#endif
