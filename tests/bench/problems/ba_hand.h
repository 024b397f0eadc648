/* What depends on the camera alone is computed for cameras; observations in blocks of 16 lanes: gathered, one body
 * for the value and both rows, which share their subexpressions, and a transposed store. */
#include "../hand.h"
enum { LANES = 16 };
static size_t ba_ws(int n) {
    return 16 * (size_t)n + 16 * LANES + 3 * LANES + 3 * LANES + 32 * LANES + 64;
}
#define FOR SIMD for (int b = 0; b < LANES; b++)
AI void cameras(int n, const double *restrict cams, double *restrict K) {
    for (int i = 0; i < n; i++) {
        const double *c = cams + 11 * (size_t)i;
        double *k = K + 16 * (size_t)i;
        double q = c[0] * c[0] + c[1] * c[1] + c[2] * c[2];
        double ct = 1, a = 1, bb = 0, ad = 0, bd = 0;
        if (q != 0) {
            double th = sqrt(q), s, iq = 1 / q;
            vm_sincos(th, &s, &ct);
            a = s / th;
            bb = (1 - ct) * iq;
            ad = (ct - a) * iq;
            bd = (a - 2 * bb) * iq;
        }
        for (int j = 0; j < 11; j++) k[j] = c[j];
        k[11] = ct;
        k[12] = a;
        k[13] = bb;
        k[14] = ad;
        k[15] = bd;
    }
}
AI void run(int n, int p, const double *restrict cams, const double *restrict X, const double *restrict w,
            const int *restrict obs, const double *restrict feats, double *restrict err, double *restrict werr,
            double *restrict vals, double *restrict ws, int jac) {
    double *restrict K = ws, *restrict A = K + 16 * (size_t)n, *restrict XX = A + 16 * LANES,
                     *restrict Y = XX + 3 * LANES, *restrict J = Y + 3 * LANES;
    cameras(n, cams, K);
    for (int i0 = 0; i0 < p; i0 += LANES) {
        int nb = p - i0 < LANES ? p - i0 : LANES;
        NOVEC for (int b = 0; b < LANES; b++) {
            int i = i0 + (b < nb ? b : nb - 1);
            const double *k = K + 16 * (size_t)obs[2 * i], *x = X + 3 * (size_t)obs[2 * i + 1];
            for (int q = 0; q < 16; q++) A[q * LANES + b] = k[q];
            XX[b] = x[0];
            XX[LANES + b] = x[1];
            XX[2 * LANES + b] = x[2];
            Y[b] = w[i];
            Y[LANES + b] = feats[2 * i];
            Y[2 * LANES + b] = feats[2 * i + 1];
        }
        FOR {
            double r0 = A[b], r1 = A[LANES + b], r2 = A[2 * LANES + b], f = A[6 * LANES + b], k1 = A[9 * LANES + b],
                   k2 = A[10 * LANES + b], ct = A[11 * LANES + b], a = A[12 * LANES + b], bb = A[13 * LANES + b],
                   ad = A[14 * LANES + b], bd = A[15 * LANES + b];
            double x0 = XX[b] - A[3 * LANES + b], x1 = XX[LANES + b] - A[4 * LANES + b],
                   x2 = XX[2 * LANES + b] - A[5 * LANES + b], wt = Y[b];
            double t = r0 * x0 + r1 * x1 + r2 * x2, bt = bb * t;
            double P0 = ct * x0 + a * (r1 * x2 - r2 * x1) + bt * r0,
                   P1 = ct * x1 + a * (r2 * x0 - r0 * x2) + bt * r1,
                   P2 = ct * x2 + a * (r0 * x1 - r1 * x0) + bt * r2;
            double iz = 1 / P2, x = P0 * iz, y = P1 * iz, rs = x * x + y * y, Lr = 1 + rs * (k1 + k2 * rs),
                   px = x * Lr, py = y * Lr;
            double e0 = px * f + A[7 * LANES + b] - Y[LANES + b], e1 = py * f + A[8 * LANES + b] - Y[2 * LANES + b];
            J[30 * LANES + b] = wt * e0;
            J[31 * LANES + b] = wt * e1;
            if (jac) {
                double e = wt * f, dl = 2 * (k1 + 2 * k2 * rs), ex = e * x * dl;
                J[6 * LANES + b] = wt * px;
                J[7 * LANES + b] = wt;
                J[8 * LANES + b] = 0;
                J[9 * LANES + b] = e * x * rs;
                J[10 * LANES + b] = e * x * rs * rs;
                J[14 * LANES + b] = e0;
                J[21 * LANES + b] = wt * py;
                J[22 * LANES + b] = 0;
                J[23 * LANES + b] = wt;
                J[24 * LANES + b] = e * y * rs;
                J[25 * LANES + b] = e * y * rs * rs;
                J[29 * LANES + b] = e1;
#define ROW(o, DX, DY)                                                                                             \
    {                                                                                                              \
        double dx = DX, dy = DY, q0 = dx * iz, q1 = dy * iz, q2 = -(dx * x + dy * y) * iz;                         \
        double m0 = x1 * q2 - x2 * q1, m1 = x2 * q0 - x0 * q2, m2 = x0 * q1 - x1 * q0,                             \
               qr = q0 * r0 + q1 * r1 + q2 * r2, bq = bb * qr;                                                     \
        double u = -a * (q0 * x0 + q1 * x1 + q2 * x2) + ad * (r0 * m0 + r1 * m1 + r2 * m2) + bd * t * qr;          \
        J[(o)*LANES + b] = r0 * u + a * m0 + bq * x0 + bt * q0;                                                    \
        J[(o + 1) * LANES + b] = r1 * u + a * m1 + bq * x1 + bt * q1;                                              \
        J[(o + 2) * LANES + b] = r2 * u + a * m2 + bq * x2 + bt * q2;                                              \
        double X0 = ct * q0 + a * (q1 * r2 - q2 * r1) + bq * r0, X1 = ct * q1 + a * (q2 * r0 - q0 * r2) + bq * r1, \
               X2 = ct * q2 + a * (q0 * r1 - q1 * r0) + bq * r2;                                                   \
        J[(o + 3) * LANES + b] = -X0;                                                                              \
        J[(o + 4) * LANES + b] = -X1;                                                                              \
        J[(o + 5) * LANES + b] = -X2;                                                                              \
        J[(o + 11) * LANES + b] = X0;                                                                              \
        J[(o + 12) * LANES + b] = X1;                                                                              \
        J[(o + 13) * LANES + b] = X2;                                                                              \
    }
                ROW(0, e * Lr + ex * x, ex * y) ROW(15, ex * y, e * Lr + e * y * dl * y)
            }
        }
        for (int b = 0; b < nb; b++) {
            err[2 * (i0 + b)] = J[30 * LANES + b];
            err[2 * (i0 + b) + 1] = J[31 * LANES + b];
        }
        if (jac) {
            double *v = vals + 30 * (size_t)i0;
            NOVEC for (int b = 0; b < nb; b++, v += 30) for (int q = 0; q < 30; q++) v[q] = J[q * LANES + b];
        }
    }
    double *v = vals + 30 * (size_t)p;
    SIMD for (int i = 0; i < p; i++) werr[i] = 1 - w[i] * w[i];
    if (jac) {
        SIMD for (int i = 0; i < p; i++) v[i] = -2 * w[i];
    }
}
static void ba_value(int n, int p, const double *cams, const double *X, const double *w, const int *obs,
                     const double *feats, double *err, double *werr, double *ws) {
    run(n, p, cams, X, w, obs, feats, err, werr, 0, ws, 0);
}
static void ba_grad(int n, int p, const double *cams, const double *X, const double *w, const int *obs,
                    const double *feats, double *err, double *werr, double *vals, double *ws) {
    run(n, p, cams, X, w, obs, feats, err, werr, vals, ws, 1);
}
static void ba_pattern(int n, int m, int p, const int *restrict obs, int *restrict rows, int *restrict cols) {
    const int X0 = 11 * n, W0 = 11 * n + 3 * m;
    SIMD for (int i = 0; i <= 2 * p; i++) rows[i] = 15 * i;
    SIMD for (int i = 1; i <= p; i++) rows[2 * p + i] = 30 * p + i;
    NOVEC for (int i = 0; i < p; i++) {
        int *c = cols + 30 * (size_t)i;
        const int a = 11 * obs[2 * i], x = X0 + 3 * obs[2 * i + 1];
        for (int r = 0; r < 30; r += 15) {
            for (int q = 0; q < 11; q++) c[r + q] = a + q;
            c[r + 11] = x;
            c[r + 12] = x + 1;
            c[r + 13] = x + 2;
            c[r + 14] = W0 + i;
        }
    }
    int *c = cols + 30 * (size_t)p;
    SIMD for (int i = 0; i < p; i++) c[i] = W0 + i;
}
static int32_t *pairs;
static size_t hand_space(void) {
    pairs = (int32_t *)bench_bytes(2 * P * sizeof *pairs);
    for (int i = 0; i < P; i++) {
        pairs[2 * i] = camera[i];
        pairs[2 * i + 1] = point[i];
    }
    return ba_ws(N);
}
static void hand_value(double *to, double *space) {
    ba_value(N, P, cam, X, w, pairs, feat, to, to + 2 * P, space);
}
static void hand_derived(double *to, double *space) {
    ba_grad(N, P, cam, X, w, pairs, feat, to, to + 2 * P, to + 3 * P, space);
    ba_pattern(N, M, P, pairs, rows, cols);
}
