/* The stages written into one another: a step is linear, with coefficients that do not depend on time and are
 * made once; back, sums over time for each coefficient, and one chain to x. */
#include "../hand.h"
AI size_t row(size_t n) {
    return ((n + 7) & ~(size_t)7) + 16;
}
static size_t ode_ws(size_t n, size_t s) {
    return row(n) * (s + 16) + 64;
}
AI void run(size_t n, const double *restrict xin, size_t s, double *restrict yf, double *restrict g,
            double *restrict ws, int grad) {
    const size_t R = row(n);
    const double h = 2.0 / (double)s, a2 = h * h / 2, a3 = h * h * h / 6, a4 = h * h * h * h / 24;
    double *restrict x = ws + 8, *restrict c1 = x + R, *restrict c2 = c1 + R, *restrict c3 = c2 + R,
                     *restrict c4 = c3 + R, *restrict b1 = c4 + R, *restrict b2 = b1 + R, *restrict b3 = b2 + R,
                     *restrict b4 = b3 + R, *ya = b4 + R, *yb_ = ya + R, *xb = yb_ + R, *Y = xb + R;
    for (size_t i = 0; i < 12 * R; i++) ws[i] = 0;
    for (size_t k = 0; k < (grad ? s + 1 : 2); k++) {
        double *y = Y + k * R;
        y[-4] = y[-3] = y[-2] = 0;
        y[-1] = 1;
    }
    for (size_t i = 0; i < n; i++) {
        Y[i] = 0;
        x[i] = xin[i];
    }
    SIMD for (size_t i = 0; i < n; i++) {
        double p = x[i] * x[i - 1], q = p * x[i - 2];
        c1[i] = h * x[i];
        c2[i] = a2 * p;
        c3[i] = a3 * q;
        c4[i] = a4 * (q * x[i - 3]);
    }
    for (size_t k = 0; k < s; k++) {
        const double *restrict y = Y + (grad ? k : k & 1) * R;
        double *restrict yn = Y + (grad ? k + 1 : (k + 1) & 1) * R;
        SIMD for (size_t i = 0; i < n; i++) yn[i] =
            (y[i] + c1[i] * y[i - 1] + c2[i] * y[i - 2]) + (c3[i] * y[i - 3] + c4[i] * y[i - 4]);
    }
    {
        const double *y = Y + (grad ? s : s & 1) * R;
        for (size_t i = 0; i < n; i++) yf[i] = y[i];
    }
    if (!grad) return;
    ya[n - 1] = 1;
    for (size_t k = s; k-- > 0;) {
        const double *restrict y = Y + k * R;
        const double *restrict w = (s - 1 - k) & 1 ? yb_ : ya;
        double *restrict v = (s - 1 - k) & 1 ? ya : yb_; /* w[n..n+3] = 0 */
        SIMD for (size_t i = 0; i < n; i++) {
            double t = w[i];
            b1[i] += y[i - 1] * t;
            b2[i] += y[i - 2] * t;
            b3[i] += y[i - 3] * t;
            b4[i] += y[i - 4] * t;
            v[i] =
                (t + c1[i + 1] * w[i + 1] + c2[i + 2] * w[i + 2]) + (c3[i + 3] * w[i + 3] + c4[i + 4] * w[i + 4]);
        }
    }
    SIMD for (size_t i = 0; i < n; i++) {
        double x1 = x[i - 1], x2 = x[i - 2], x3 = x[i - 3];
        xb[i] = h * b1[i] + x1 * (a2 * b2[i] + x2 * (a3 * b3[i] + x3 * (a4 * b4[i])));
    }
    SIMD for (size_t i = 0; i < n; i++) xb[i] +=
        x[i + 1] * (a2 * b2[i + 1] + x[i - 1] * (a3 * b3[i + 1] + x[i - 2] * (a4 * b4[i + 1])));
    SIMD for (size_t i = 0; i < n; i++) xb[i] +=
        x[i + 2] * x[i + 1] * (a3 * b3[i + 2] + x[i - 1] * (a4 * b4[i + 2]));
    SIMD for (size_t i = 0; i < n; i++) xb[i] += x[i + 3] * x[i + 2] * x[i + 1] * (a4 * b4[i + 3]);
    for (size_t i = 0; i < n; i++) g[i] = xb[i];
}
static void ode_value(size_t n, const double *x, size_t s, double *y, double *ws) {
    run(n, x, s, y, 0, ws, 0);
}
static void ode_grad(size_t n, const double *x, size_t s, double *y, double *g, double *ws) {
    run(n, x, s, y, g, ws, 1);
}
static double end_[1024];
static size_t hand_space(void) {
    return ode_ws((size_t)N, (size_t)S);
}
static void hand_value(double *to, double *space) {
    ode_value((size_t)N, theta, (size_t)S, end_, space);
    to[0] = end_[N - 1];
}
static void hand_derived(double *to, double *space) {
    ode_grad((size_t)N, theta, (size_t)S, end_, to + 1, space);
    to[0] = end_[N - 1];
}
