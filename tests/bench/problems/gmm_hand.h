/* Points in blocks of 32 lanes; what goes back is computed again and not kept; the product by the triangle is
 * taken out of the sum over points. */
#include "../hand.h"
enum { B = 32 };
/* xc = x - m, and qx = the triangle with diagonal D and L below it, by columns, times xc */
AI void by_triangle(int d, const double *restrict xT, const double *restrict m, const double *restrict D,
                    const double *restrict L, double *restrict xc, double *restrict qx) {
    for (int j = 0; j < d; j++) {
        double mj = m[j], Dj = D[j];
        for (int b = 0; b < B; b++) {
            double t = xT[j * B + b] - mj;
            xc[j * B + b] = t;
            qx[j * B + b] = Dj * t;
        }
    }
    for (int i = 0; i < d; i++)
        for (int j = i + 1; j < d; j++) {
            double c = *L++;
            for (int b = 0; b < B; b++) qx[j * B + b] += c * xc[i * B + b];
        }
}
AI void gmm(int d, int k, int n, const double *al, const double *mu, const double *q, const double *l,
            const double *x, double wg, int wm, double *err, double *ald, double *mud, double *qd, double *ld,
            double *ws, int with) {
    int lsz = d * (d - 1) / 2;
    double *Qd = ws, *sq = Qd + k * d, *xT = sq + k, *xc = xT + d * B, *qx = xc + d * B, *w = qx + d * B,
           *s = w + (size_t)k * B;
    for (int i = 0; i < k * d; i++) Qd[i] = exp(q[i]);
    for (int a = 0; a < k; a++) {
        sq[a] = 0;
        for (int j = 0; j < d; j++) sq[a] += q[a * d + j];
    }
    if (with) {
        memset(ald, 0, 8 * (size_t)k);
        memset(mud, 0, 8 * (size_t)(k * d));
        memset(qd, 0, 8 * (size_t)(k * d));
        memset(ld, 0, 8 * (size_t)k * (size_t)lsz);
    }
    double slse = 0;
    for (int p0 = 0; p0 < n; p0 += B) {
        int nb = n - p0 < B ? n - p0 : B;
        for (int j = 0; j < d; j++)
            for (int b = 0; b < B; b++) xT[j * B + b] = b < nb ? x[(size_t)(p0 + b) * d + j] : 0;
        for (int a = 0; a < k; a++) {
            const double *L = l + (size_t)a * lsz, *m = mu + a * d, *D = Qd + a * d;
            by_triangle(d, xT, m, D, L, xc, qx);
            double acc[B];
            for (int b = 0; b < B; b++) acc[b] = 0;
            for (int j = 0; j < d; j++)
                for (int b = 0; b < B; b++) acc[b] += qx[j * B + b] * qx[j * B + b];
            double c0 = al[a] + sq[a];
            for (int b = 0; b < B; b++) w[a * B + b] = c0 - 0.5 * acc[b];
        }
        double mx[B], se[B];
        for (int b = 0; b < B; b++) {
            mx[b] = w[b];
            se[b] = 0;
        }
        for (int a = 1; a < k; a++)
            for (int b = 0; b < B; b++) mx[b] = w[a * B + b] > mx[b] ? w[a * B + b] : mx[b];
        for (int a = 0; a < k; a++) {
#pragma omp simd
            for (int b = 0; b < B; b++) {
                double e = vm_exp(w[a * B + b] - mx[b]);
                w[a * B + b] = e;
                se[b] += e;
            }
        }
        for (int b = 0; b < nb; b++) slse += log(se[b]) + mx[b];
        for (int b = 0; b < B; b++) se[b] = b < nb ? 1.0 / se[b] : 0;
        if (with)
            for (int a = 0; a < k; a++) {
                const double *L = l + (size_t)a * lsz, *m = mu + a * d, *D = Qd + a * d;
                double *Ld = ld + (size_t)a * lsz;
                double *wa = w + a * B;
                double sw = 0;
#pragma omp simd reduction(+ : sw)
                for (int b = 0; b < B; b++) {
                    wa[b] *= se[b];
                    sw += wa[b];
                }
                ald[a] += sw;
                by_triangle(d, xT, m, D, L, xc, qx);
                for (int j = 0; j < d; j++) {
                    double t = 0, u = 0;
#pragma omp simd reduction(+ : t, u)
                    for (int b = 0; b < B; b++) {
                        double v = qx[j * B + b] * wa[b];
                        qx[j * B + b] = v;
                        t += v;
                        u += v * xc[j * B + b];
                    }
                    s[j] = t;
                    qd[a * d + j] += sw - D[j] * u;
                }
                int id = 0;
                for (int i = 0; i < d; i++) {
                    double t = D[i] * s[i];
                    for (int j = i + 1; j < d; j++) {
                        double g = 0;
#pragma omp simd reduction(+ : g)
                        for (int b = 0; b < B; b++) g += xc[i * B + b] * qx[j * B + b];
                        t += L[id] * s[j];
                        Ld[id++] -= g;
                    }
                    mud[a * d + i] += t;
                }
            }
    }
    double M = al[0], S = 0;
    for (int a = 1; a < k; a++)
        if (al[a] > M) M = al[a];
    for (int a = 0; a < k; a++) S += exp(al[a] - M);
    double wishart = 0;
    for (int a = 0; a < k; a++) {
        double t = 0;
        for (int j = 0; j < d; j++) t += Qd[a * d + j] * Qd[a * d + j];
        for (int i = 0; i < lsz; i++) t += l[(size_t)a * lsz + i] * l[(size_t)a * lsz + i];
        wishart += wm * sq[a] - 0.5 * wg * wg * t;
    }
    if (with)
        for (int a = 0; a < k; a++) {
            ald[a] -= n * exp(al[a] - M) / S;
            for (int j = 0; j < d; j++) qd[a * d + j] -= wg * wg * Qd[a * d + j] * Qd[a * d + j] - wm;
            for (int i = 0; i < lsz; i++) ld[(size_t)a * lsz + i] -= wg * wg * l[(size_t)a * lsz + i];
        }
    *err = slse - n * (log(S) + M) + wishart;
}
static size_t hand_space(void) {
    return (size_t)(K * D + K + 3 * D * 32 + K * 32 + D);
}
static void run(double *to, double *space, int with) {
    const double *p = theta;
    double *g = to + 1;
    gmm(D, K, N, p, p + K, p + K + K * D, p + K + 2 * K * D, x, gamma_, m_, to, g, g + K, g + K + K * D,
        g + K + 2 * K * D, space, with);
    const int nu = D + m_ + 1;
    double c =
        nu * D * (log(gamma_) - 0.5 * log(2.0)) - D * (D - 1) / 4.0 * log(M_PI) - N * D * 0.5 * log(2 * M_PI) / K;
    for (int j = 0; j < D; j++) c -= lgamma((nu - j) / 2.0);
    to[0] += K * c;
}
static void hand_value(double *to, double *space) {
    run(to, space, 0);
}
static void hand_derived(double *to, double *space) {
    run(to, space, 1);
}
