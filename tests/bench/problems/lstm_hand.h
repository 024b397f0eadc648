/* Time and layer are skewed: wave s does layer i at time s - i, so the lanes of all layers are one loop, and the
 * latency of a cell hides behind the others. Rows are padded to eight. Six values of a cell are kept. */
#include "../hand.h"
AI size_t pad8(size_t b) {
    return (b + 7) & ~(size_t)7;
}
static size_t lstm_ws(int l, int c, int b) {
    size_t bp = pad8((size_t)b), n = bp * ((size_t)l + 1);
    return 16 * n + 3 * bp + 8 * bp + 6 * n + ((size_t)(c + l)) * 6 * n + (size_t)c * bp + 2 * (size_t)c + 64;
}
AI void wave(size_t n, size_t j0, size_t j1, size_t bp, const double *restrict W, const double *restrict hp,
             const double *restrict cp, double *restrict R, double *restrict h) {
    const double *restrict u = hp - bp;
    double *restrict F = R, *restrict I = R + n, *restrict O = R + 2 * n, *restrict G = R + 3 * n,
                     *restrict C = R + 4 * n, *restrict TC = R + 5 * n;
    SIMD for (size_t j = j0; j < j1; j++) {
        double f = vm_sigmoid(u[j] * W[j] + W[4 * n + j]), o = vm_sigmoid(u[j] * W[2 * n + j] + W[6 * n + j]);
        double i = vm_sigmoid(hp[j] * W[n + j] + W[5 * n + j]), g = vm_tanh(hp[j] * W[3 * n + j] + W[7 * n + j]);
        F[j] = f;
        I[j] = i;
        O[j] = o;
        G[j] = g;
        C[j] = cp[j] * f + i * g;
    }
    SIMD for (size_t j = j0; j < j1; j++) {
        double t = vm_tanh(C[j]);
        TC[j] = t;
        h[j] = O[j] * t;
    }
}
AI void wave_back(size_t n, size_t j0, size_t j1, size_t bp, const double *restrict W, const double *restrict R,
                  const double *restrict Rp, const double *restrict dU, double *restrict dUn, double *restrict dh,
                  double *restrict dc, double *restrict gW) {
    SIMD for (size_t j = j0; j < j1; j++) {
        double f = R[j], i = R[n + j], o = R[2 * n + j], g = R[3 * n + j], tc = R[5 * n + j];
        double hp = Rp[2 * n + j] * Rp[5 * n + j], u = Rp[2 * n + j - bp] * Rp[5 * n + j - bp];
        double dhj = dh[j] + dU[j], dcj = dc[j] + dhj * o * (1 - tc * tc);
        double zo = dhj * tc * (o - o * o), zf = dcj * Rp[4 * n + j] * (f - f * f), zi = dcj * g * (i - i * i),
               zg = dcj * i * (1 - g * g);
        dc[j] = dcj * f;
        dh[j] = zi * W[n + j] + zg * W[3 * n + j];
        dUn[j] = zf * W[j] + zo * W[2 * n + j];
        gW[j] += zf * u;
        gW[n + j] += zi * hp;
        gW[2 * n + j] += zo * u;
        gW[3 * n + j] += zg * hp;
        gW[4 * n + j] += zf;
        gW[5 * n + j] += zi;
        gW[6 * n + j] += zo;
        gW[7 * n + j] += zg;
    }
}
AI double lstm(int l_, int c_, int b_, const double *restrict mp, const double *restrict ep,
               const double *restrict st, const double *restrict seq, double *restrict grad, double *restrict ws,
               int keep) {
    const size_t l = (size_t)l_, b = (size_t)b_, T = (size_t)c_ - 1, bp = pad8(b),
                 n = bp * (l + 1); /* lanes [0,bp): the input, as a layer -1 */
    double *W = ws, *gW = W + 8 * n, *E = gW + 8 * n, *gE = E + 3 * bp, *Q = gE + 3 * bp, *Y = Q + bp, *h0 = Y + bp,
           *h1 = h0 + n, *dh = h1 + n, *dc = dh + n, *u0 = dc + n, *u1 = u0 + n, *tape = u1 + n,
           *P = tape + (T + l + 1) * 6 * n, *sum = P + (T + 1) * bp, *gs = sum + T + 1;
    for (size_t k = 0; k < 16 * n; k++) W[k] = 0;
    for (size_t i = 0; i < l; i++)
        for (size_t g = 0; g < 8; g++)
            for (size_t j = 0; j < b; j++) W[g * n + (i + 1) * bp + j] = mp[(i * 8 + g) * b + j];
    for (size_t r = 0; r < 3; r++)
        for (size_t j = 0; j < bp; j++) {
            E[r * bp + j] = j < b ? ep[r * b + j] : 0;
            gE[r * bp + j] = 0;
        }
    for (size_t j = 0; j < 6 * n; j++) h0[j] = 0; /* h0 h1 dh dc u0 u1 */
    for (size_t j = 0; j < bp; j++) Y[j] = 0;
    const size_t rec = 6 * n; /* record of wave s at slot s+1 (slots alternate when nothing is kept) */
#define SLOT(s) (tape + (keep ? (s) : ((s) % (l + 1))) * rec)
    for (size_t i = 0; i < l; i++) {
        double *r = SLOT(i);
        for (size_t j = 0; j < bp; j++) {
            size_t q = (i + 1) * bp + j;
            double h = j < b ? st[2 * i * b + j] : 0, c = j < b ? st[(2 * i + 1) * b + j] : 0;
            h0[q] = h1[q] = h;
            r[4 * n + q] = c;
            r[2 * n + q] = h;
            r[5 * n + q] = 1;
        }
    }
    for (size_t s = 0; s < T + l - 1; s++) {
        const size_t lo = s < T ? 0 : s - T + 1, hi = s < l ? s + 1 : l;
        double *hp = s & 1 ? h1 : h0, *h = s & 1 ? h0 : h1;
        double *Rp = SLOT(s), *R = SLOT(s + 1);
        if (s < T) {
            const double *x = seq + s * b;
            double *o = Rp + 2 * n, *tc = Rp + 5 * n;
            SIMD for (size_t j = 0; j < bp; j++) {
                double v = j < b ? x[j] : 0;
                o[j] = v;
                tc[j] = E[j];
                hp[j] = v * E[j];
            }
        }
        wave(n, (lo + 1) * bp, (hi + 1) * bp, bp, W, hp, Rp + 4 * n, R, h);
        if (s + 1 >= l) {
            const size_t t = s + 1 - l;
            const double *u = h + l * bp, *x = seq + (t + 1) * b;
            double *p = P + (keep ? t * bp : 0);
            double a = 0, q = 0;
            double s8[8] = {0}, g8[8] = {0};
            SIMD for (size_t j = 0; j < bp; j++) {
                double y = u[j] * E[bp + j] + E[2 * bp + j], e = vm_exp(y), v = j < b ? x[j] : 0;
                p[j] = j < b ? e : 0;
                Q[j] = v;
                Y[j] += v * y;
            }
            for (size_t k = 0; k < bp; k += 8) {
                SIMD for (size_t j = 0; j < 8; j++) {
                    s8[j] += p[k + j];
                    g8[j] += Q[k + j];
                }
            }
            for (size_t j = 0; j < 8; j++) {
                a += s8[j];
                q += g8[j];
            }
            sum[t] = a + 2;
            gs[t] = q;
        }
    }
    double total = 0;
    for (size_t j = 0; j < bp; j++) total += Y[j];
    {
        double ac[8] = {0};
        size_t t = 0;
        for (; t + 8 <= T; t += 8) {
            SIMD for (size_t j = 0; j < 8; j++) ac[j] += gs[t + j] * vm_log(sum[t + j]);
        }
        for (; t < T; t++) total -= gs[t] * vm_log(sum[t]);
        for (size_t j = 0; j < 8; j++) total -= ac[j];
    }
    const double sc = -1.0 / ((double)T * (double)b);
    if (!keep) return total * sc;
    for (size_t t = 0; t < T; t++) sum[t] = -sc * gs[t] / sum[t];
    for (size_t s = T + l - 1; s-- > 0;) {
        const size_t lo = s < T ? 0 : s - T + 1, hi = s < l ? s + 1 : l;
        double *dU = s & 1 ? u1 : u0, *dN = s & 1 ? u0 : u1;
        const double *R = SLOT(s + 1), *Rp = SLOT(s);
        if (s + 1 >= l) {
            const size_t t = s + 1 - l;
            const double *x = seq + (t + 1) * b, *p = P + t * bp, *o = R + 2 * n + l * bp, *tc = R + 5 * n + l * bp;
            const double k = sum[t];
            SIMD for (size_t j = 0; j < bp; j++) {
                double v = j < b ? x[j] : 0, dy = sc * v + k * p[j];
                gE[2 * bp + j] += dy;
                gE[bp + j] += dy * (o[j] * tc[j]);
                dU[l * bp + j] = dy * E[bp + j];
            }
        } else
            for (size_t j = 0; j < bp; j++) dU[l * bp + j] = 0;
        wave_back(n, (lo + 1) * bp, (hi + 1) * bp, bp, W, R, Rp, dU, dN - bp, dh, dc, gW);
        if (s < T) {
            const double *x = Rp + 2 * n;
            SIMD for (size_t j = 0; j < bp; j++) gE[j] += dN[j] * x[j];
        }
    }
    for (size_t i = 0; i < l; i++)
        for (size_t g = 0; g < 8; g++)
            for (size_t j = 0; j < b; j++) grad[(i * 8 + g) * b + j] = gW[g * n + (i + 1) * bp + j];
    for (size_t r = 0; r < 3; r++)
        for (size_t j = 0; j < b; j++) grad[8 * l * b + r * b + j] = gE[r * bp + j];
    return total * sc;
}
static double lstm_value(int l, int c, int b, const double *mp, const double *ep, const double *st,
                         const double *seq, double *ws) {
    return lstm(l, c, b, mp, ep, st, seq, 0, ws, 0);
}
static double lstm_grad(int l, int c, int b, const double *mp, const double *ep, const double *st,
                        const double *seq, double *grad, double *ws) {
    return lstm(l, c, b, mp, ep, st, seq, grad, ws, 1);
}
static size_t hand_space(void) {
    return lstm_ws(L, T, B);
}
static void hand_value(double *to, double *space) {
    to[0] = lstm_value(L, T, B, theta, theta + L * 8 * B, start, x, space);
}
static void hand_derived(double *to, double *space) {
    to[0] = lstm_grad(L, T, B, theta, theta + L * 8 * B, start, x, to + 1, space);
}
