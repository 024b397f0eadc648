/* Points in blocks of 64 lanes, coordinates unrolled by eight (padded with zeros), two centroids a pass; the
 * sums over the points of a centroid give the gradient, and their number the Hessian. */
#include "../hand.h"
enum { LANES = 64 };
static size_t kmeans_ws(int n, int k, int d) {
    (void)n;
    size_t dp = ((size_t)d + 7) & ~(size_t)7;
    return dp * LANES + 2 * LANES + 2 * LANES + ((size_t)k + 1) * dp + (size_t)k * (size_t)d + (size_t)k + 128;
}
static void transpose(int n, int d, size_t dp, int p0, const double *restrict P, double *restrict x) {
    int nb = n - p0 < LANES ? n - p0 : LANES;
    for (size_t l = 0; l < dp; l++) {
        if (l < (size_t)d) {
            for (int b = 0; b < nb; b++) x[l * LANES + (size_t)b] = P[(size_t)(p0 + b) * (size_t)d + l];
            for (int b = nb; b < LANES; b++) x[l * LANES + (size_t)b] = x[l * LANES];
        } else
            for (int b = 0; b < LANES; b++) x[l * LANES + (size_t)b] = 0;
    }
}
#define T8(c) \
    double c##0 = c[0], c##1 = c[1], c##2 = c[2], c##3 = c[3], c##4 = c[4], c##5 = c[5], c##6 = c[6], c##7 = c[7]
#define DIST(c)                                                  \
    ((((x0 - c##0) * (x0 - c##0) + (x1 - c##1) * (x1 - c##1)) +  \
      ((x2 - c##2) * (x2 - c##2) + (x3 - c##3) * (x3 - c##3))) + \
     (((x4 - c##4) * (x4 - c##4) + (x5 - c##5) * (x5 - c##5)) +  \
      ((x6 - c##6) * (x6 - c##6) + (x7 - c##7) * (x7 - c##7))))
#define LOADX                                                                                                 \
    double x0 = x[b], x1 = x[LANES + b], x2 = x[2 * LANES + b], x3 = x[3 * LANES + b], x4 = x[4 * LANES + b], \
           x5 = x[5 * LANES + b], x6 = x[6 * LANES + b], x7 = x[7 * LANES + b]
/* keeps the smaller of what there is and of two distances, and whose it is where that is asked for */
#define NEARER(first, second)                              \
    SIMD for (int b = 0; b < LANES; b++) {                 \
        LOADX;                                             \
        double s = first, t = second, q = m[b], i = id[b]; \
        i = s < q ? j0 : i;                                \
        q = s < q ? s : q;                                 \
        i = t < q ? j1 : i;                                \
        q = t < q ? t : q;                                 \
        m[b] = q;                                          \
        if (arg) id[b] = i;                                \
    }
/* nearest two-at-a-time over centroids; a0,a1 partial sums when d > 8 */
AI void nearest(int k, size_t dp, const double *restrict C, const double *restrict x_, double *restrict m,
                double *restrict id, double *restrict a0, double *restrict a1, int arg) {
    for (int b = 0; b < LANES; b++) {
        m[b] = INFINITY;
        id[b] = 0;
    }
    for (int j = 0; j < k; j += 2) {
        const double *cj = C + (size_t)j * dp;
        double j0 = j, j1 = j + 1; /* row k is all infinity: never nearest */
        size_t l = 0;
        const double *x = x_;
        if (dp > 8) {
            for (int b = 0; b < LANES; b++) a0[b] = a1[b] = 0;
            for (; l + 8 < dp; l += 8, x += 8 * LANES) {
                const double *u = cj + l, *v = cj + dp + l;
                T8(u);
                T8(v);
                SIMD for (int b = 0; b < LANES; b++) {
                    LOADX;
                    a0[b] += DIST(u);
                    a1[b] += DIST(v);
                }
            }
        }
        const double *u = cj + l, *v = cj + dp + l;
        T8(u);
        T8(v);
        if (dp > 8) NEARER(a0[b] + DIST(u), a1[b] + DIST(v))
        else NEARER(DIST(u), DIST(v))
    }
}
AI double run(int n, int k, int d, const double *restrict P, const double *restrict Cn, double *restrict g,
              double *restrict h, double *restrict ws, int arg) {
    size_t dp = ((size_t)d + 7) & ~(size_t)7;
    double *x = ws, *m = x + dp * LANES, *id = m + LANES, *a0 = id + LANES, *a1 = a0 + LANES, *C = a1 + LANES,
           *S = C + ((size_t)k + 1) * dp, *cnt = S + (size_t)k * (size_t)d;
    for (size_t j = 0; j < (size_t)k; j++)
        for (size_t l = 0; l < dp; l++) C[j * dp + l] = l < (size_t)d ? Cn[j * (size_t)d + l] : 0;
    for (size_t l = 0; l < dp; l++) C[(size_t)k * dp + l] = INFINITY;
    if (arg) {
        for (int j = 0; j < k * d; j++) S[j] = 0;
        for (int j = 0; j < k; j++) cnt[j] = 0;
    }
    double acc[8] = {0};
    for (int p0 = 0; p0 < n; p0 += LANES) {
        int nb = n - p0 < LANES ? n - p0 : LANES;
        transpose(n, d, dp, p0, P, x);
        nearest(k, dp, C, x, m, id, a0, a1, arg);
        for (int b = nb; b < LANES; b++) m[b] = 0;
        for (int b = 0; b < LANES; b += 8)
            for (int v = 0; v < 8; v++) acc[v] += m[b + v];
        if (arg)
            for (int b = 0; b < nb; b++) {
                size_t a = (size_t)id[b];
                cnt[a] += 1;
                double *s = S + a * (size_t)d;
                const double *p = P + (size_t)(p0 + b) * (size_t)d;
                SIMD for (int l = 0; l < d; l++) s[l] += p[l];
            }
    }
    if (arg)
        for (int j = 0; j < k; j++)
            for (int l = 0; l < d; l++) {
                g[j * d + l] = 2 * (cnt[j] * Cn[j * d + l] - S[j * d + l]);
                h[j * d + l] = 2 * cnt[j];
            }
    return ((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7]));
}
static double kmeans_value(int n, int k, int d, const double *P, const double *C, double *ws) {
    return run(n, k, d, P, C, 0, 0, ws, 0);
}
static double kmeans_grad(int n, int k, int d, const double *P, const double *C, double *g, double *h, double *ws) {
    return run(n, k, d, P, C, g, h, ws, 1);
}
static size_t hand_space(void) {
    return kmeans_ws(N, K, D);
}
static void hand_value(double *to, double *space) {
    to[0] = kmeans_value(N, K, D, x, theta, space);
}
static void hand_derived(double *to, double *space) {
    to[0] = kmeans_grad(N, K, D, x, theta, to + 1, to + 1 + n_theta, space);
}
