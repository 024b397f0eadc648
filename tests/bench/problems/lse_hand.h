/* Maximum and sum as one reduction over blocks; the gradient keeps the exponentials in its own place, and scales
 * them once. */
#include "../hand.h"
enum { BLOCK = 512 };
static size_t lse_ws(size_t n) {
    return (n + BLOCK - 1) / BLOCK + 64;
}
/* block maximum and sum; e may be 0 */
AI void block(size_t nb, const double *restrict x, double *restrict e, double *mo, double *so, int grad) {
    double mv[32], sv[32];
    size_t i = 0;
    double m = x[0], s = 0;
    for (int v = 0; v < 32; v++) {
        mv[v] = x[0];
        sv[v] = 0;
    }
    for (; i + 32 <= nb; i += 32) {
        SIMD for (int v = 0; v < 32; v++) {
            double a = x[i + (size_t)v], b = mv[v];
            mv[v] = a > b ? a : b;
        }
    }
    for (; i < nb; i++) m = x[i] > m ? x[i] : m;
    for (int v = 0; v < 32; v++) m = mv[v] > m ? mv[v] : m;
    for (i = 0; i + 32 <= nb; i += 32) {
        SIMD for (int v = 0; v < 32; v++) {
            double a = vm_exp(x[i + (size_t)v] - m);
            if (grad) e[i + (size_t)v] = a;
            sv[v] += a;
        }
    }
    for (; i < nb; i++) {
        double a = vm_exp(x[i] - m);
        if (grad) e[i] = a;
        s += a;
    }
    for (int v = 0; v < 16; v++) sv[v] += sv[v + 16];
    for (int v = 0; v < 8; v++) sv[v] += sv[v + 8];
    for (int v = 0; v < 8; v++) s += sv[v];
    *mo = m;
    *so = s;
}
AI double run(size_t n, const double *restrict x, double *restrict g, double *restrict ws, int grad) {
    double M = -INFINITY, S = 0;
    size_t nk = 0;
    for (size_t p = 0; p < n; p += BLOCK, nk++) {
        size_t nb = n - p < BLOCK ? n - p : BLOCK;
        double m, s;
        block(nb, x + p, grad ? g + p : 0, &m, &s, grad);
        if (grad) ws[nk] = m;
        if (m > M) {
            S = S * vm_exp(M - m) + s;
            M = m;
        } else S += s * vm_exp(m - M);
    }
    double r = M + log(S);
    if (grad) {
        double is = 1 / S;
        nk = 0;
        for (size_t p = 0; p < n; p += BLOCK, nk++) {
            size_t nb = n - p < BLOCK ? n - p : BLOCK;
            double f = vm_exp(ws[nk] - M) * is;
            double *q = g + p;
            SIMD for (size_t i = 0; i < nb; i++) q[i] *= f;
        }
    }
    return r;
}
static double lse_value(size_t n, const double *x, double *ws) {
    return run(n, x, 0, ws, 0);
}
static double lse_grad(size_t n, const double *x, double *g, double *ws) {
    return run(n, x, g, ws, 1);
}
static size_t hand_space(void) {
    return lse_ws((size_t)N);
}
static void hand_value(double *to, double *space) {
    to[0] = lse_value((size_t)N, theta, space);
}
static void hand_derived(double *to, double *space) {
    to[0] = lse_grad((size_t)N, theta, to + 1, space);
}
