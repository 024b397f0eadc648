/* Points in blocks of 64 lanes; Horner forward, and back the power of a point times its residual as a running
 * product, four coefficients a pass, each in eight lanes. */
#include "../hand.h"
enum { LANES = 64 };
static size_t llsq_ws(size_t n, size_t m) {
    (void)n;
    size_t mp = (m + 7) & ~(size_t)7;
    return 2 * LANES + mp * 9 + 64;
}
AI double run(size_t n, size_t m, const double *restrict xin, double *restrict g, double *restrict ws, int grad) {
    size_t mp = (m + 7) & ~(size_t)7;
    double *t = ws, *w = t + LANES, *x = w + LANES, *G = x + mp;
    double acc[8] = {0};
    for (size_t j = 0; j < mp; j++) x[j] = j < m ? xin[j] : 0;
    if (grad)
        for (size_t j = 0; j < 8 * mp; j++) G[j] = 0;
    const double nm = (double)n - 1;
    for (size_t p = 0; p < n; p += LANES) {
        const double p0 = (double)p, left = (double)(n - p);
        SIMD for (int b = 0; b < LANES; b++) {
            t[b] = -1 + (p0 + b) * 2 / nm;
            w[b] = 0;
        }
        for (size_t j = mp; j > 0; j -= 8) {
            const double *c = x + j - 8;
            double c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], c4 = c[4], c5 = c[5], c6 = c[6], c7 = c[7];
            SIMD for (int b = 0; b < LANES; b++) {
                double u = t[b], a = w[b];
                a = a * u + c7;
                a = a * u + c6;
                a = a * u + c5;
                a = a * u + c4;
                a = a * u + c3;
                a = a * u + c2;
                a = a * u + c1;
                a = a * u + c0;
                w[b] = a;
            }
        }
        SIMD for (int b = 0; b < LANES; b++) {
            double u = t[b], s = (u > 0 ? 1.0 : 0.0) - (u < 0 ? 1.0 : 0.0), r = s - w[b];
            w[b] = b < left ? r : 0;
        }
        for (int b = 0; b < LANES; b += 8) {
            SIMD for (int v = 0; v < 8; v++) acc[v] += w[b + v] * w[b + v];
        }
        if (grad)
            for (size_t j = 0; j < mp; j += 4) {
                double *a = G + 8 * j;
                SIMD for (int v = 0; v < 8; v++) {
                    double q0 = 0, q1 = 0, q2 = 0, q3 = 0, r, u;
#define S(k)          \
    r = w[8 * k + v]; \
    u = t[8 * k + v]; \
    q0 += r;          \
    r *= u;           \
    q1 += r;          \
    r *= u;           \
    q2 += r;          \
    r *= u;           \
    q3 += r;          \
    r *= u;           \
    w[8 * k + v] = r;
                    S(0) S(1) S(2) S(3) S(4) S(5) S(6) S(7) a[v] += q0;
                    a[8 + v] += q1;
                    a[16 + v] += q2;
                    a[24 + v] += q3;
                }
            }
    }
    if (grad)
        for (size_t j = 0; j < m; j++) {
            const double *a = G + 8 * j;
            g[j] = -(((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7])));
        }
    return 0.5 * (((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7])));
}
static double llsq_value(size_t n, size_t m, const double *x, double *ws) {
    return run(n, m, x, 0, ws, 0);
}
static double llsq_grad(size_t n, size_t m, const double *x, double *g, double *ws) {
    return run(n, m, x, g, ws, 1);
}
static size_t hand_space(void) {
    return llsq_ws((size_t)N, (size_t)M);
}
static void hand_value(double *to, double *space) {
    to[0] = llsq_value((size_t)N, (size_t)M, theta, space);
}
static void hand_derived(double *to, double *space) {
    to[0] = llsq_grad((size_t)N, (size_t)M, theta, to + 1, space);
}
