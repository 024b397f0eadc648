/* Bones first, with the derivatives of those below each joint as a list, so that the zero blocks of the tree are
 * never formed; the turn of the whole hand is multiplied into them. Points in blocks of 32 lanes: only the three
 * vertices that each one reads are moved, and weights times positions serve all columns. */
#include "../hand.h"
enum { LANES = 32, MB = 32, NP = 20, ME = NP * MB };
static size_t ht_ws(int nb) {
    return (size_t)LANES * (3 * 4 + 3 * (size_t)nb + 4 * (size_t)nb + 9 + 3 * NP + 2 + 3 + 28 * 3) +
           12 * (size_t)(2 * nb + ME) + 16 * (size_t)nb * 4 + 256;
}
#define FOR SIMD for (int b = 0; b < LANES; b++)
/* column-major 4x4 */
static void mm(const double *a, const double *b, double *o) {
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
            double s = 0;
            for (int k = 0; k < 4; k++) s += a[k * 4 + i] * b[j * 4 + k];
            o[j * 4 + i] = s;
        }
}
static void rot(double tx, double tz, int d, double *o) { /* Rz Rx; d=1 d/dtx, d=2 d/dtz */
    double cx = cos(tx), sx = sin(tx), cz = cos(tz), sz = sin(tz);
    double X[9] = {1, 0, 0, 0, cx, sx, 0, -sx, cx}, Zm[9] = {cz, sz, 0, -sz, cz, 0, 0, 0, 1};
    if (d == 1) {
        double t[9] = {0, 0, 0, 0, -sx, cx, 0, -cx, -sx};
        memcpy(X, t, sizeof X);
    }
    if (d == 2) {
        double t[9] = {-sz, cz, 0, -cz, -sz, 0, 0, 0, 0};
        memcpy(Zm, t, sizeof Zm);
    }
    for (int j = 0; j < 16; j++) o[j] = 0;
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++) {
            double s = 0;
            for (int k = 0; k < 3; k++) s += Zm[k * 3 + i] * X[j * 3 + k];
            o[j * 4 + i] = s;
        }
    o[15] = d ? 0 : 1;
}
static void whole(const double *th, double R[9], double dR[3][9]) { /* column-major */
    double q = th[0] * th[0] + th[1] * th[1] + th[2] * th[2], n = sqrt(q);
    for (int i = 0; i < 27; i++) dR[i / 9][i % 9] = 0;
    for (int i = 0; i < 9; i++) R[i] = i % 4 == 0;
    if (n < .0001) return;
    double w[3] = {th[0] / n, th[1] / n, th[2] / n}, s = sin(n), c = cos(n);
    for (int m = -1; m < 3; m++) {
        double dw[3] = {0}, ds = 0, dc = 0;
        if (m >= 0) {
            for (int i = 0; i < 3; i++) dw[i] = ((i == m) - w[i] * w[m]) / n;
            ds = c * w[m];
            dc = -s * w[m];
        }
        double *o = m < 0 ? R : dR[m];
        static const int nx[3] = {1, 2, 0};
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double v =
                    m < 0 ? w[i] * w[j] * (1 - c) : (dw[i] * w[j] + w[i] * dw[j]) * (1 - c) - w[i] * w[j] * dc;
                if (i == j) v += m < 0 ? c : dc;
                else {
                    int k = 3 - i - j;
                    double sg = nx[i] == j ? -1 : 1;
                    v += sg * (m < 0 ? w[k] * s : dw[k] * s + w[k] * ds);
                }
                o[j * 3 + i] = v;
            }
    }
}
static void lmul(const double R[9], const double *m, double *o) {
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 3; i++)
            o[j * 3 + i] = R[i] * m[j * 4] + R[3 + i] * m[j * 4 + 1] + R[6 + i] * m[j * 4 + 2];
}
AI void run(int nb, int c, const double *restrict th, const double *restrict us, const int *restrict parents,
            const double *restrict brel, const double *restrict iba, const double *restrict pos,
            const double *restrict wts, const int *restrict tri, const int *restrict cor,
            const double *restrict pts, double *restrict err, double *restrict Jo, double *restrict ws, int jac) {
    double *restrict P = ws, *restrict W = P + 12 * LANES, *restrict Q = W + 3 * nb * LANES,
                     *restrict V = Q + 4 * nb * LANES, *restrict Dk = V + 9 * LANES,
                     *restrict U = Dk + 3 * NP * LANES, *restrict PT = U + 2 * LANES, *restrict O = PT + 3 * LANES,
                     *T = O + 28 * 3 * LANES, *E = T + 12 * nb, *ab = E + 12 * ME, *rel = ab + 16 * nb,
                     *da = rel + 16 * nb;
    int ek[ME], eb[ME], ne = 0;
    double R[9], dR[3][9];
    whole(th, R, dR);
    for (int i = 0; i < nb; i++) {
        double tr[16], tx = 0, tz = 0;
        if (i >= 2 && (i - 2) % 4 < 3 && (i - 2) / 4 < 5) {
            int f = (i - 2) / 4, j = (i - 2) % 4;
            tx = th[6 + 4 * f + (j ? j + 1 : 0)];
            if (!j) tz = th[7 + 4 * f];
        }
        rot(tx, tz, 0, tr);
        mm(brel + 16 * i, tr, rel + 16 * i);
        if (parents[i] < 0) memcpy(ab + 16 * i, rel + 16 * i, 128);
        else mm(ab + 16 * parents[i], rel + 16 * i, ab + 16 * i);
        double t[16];
        mm(ab + 16 * i, iba + 16 * i, t);
        for (int j = 0; j < 4; j++)
            for (int r = 0; r < 3; r++) T[12 * i + 3 * j + r] = t[4 * j + r];
    }
    if (jac)
        for (int k = 0; k < NP; k++) {
            int f = k / 4, j = k % 4, bn = 2 + 4 * f + (j > 1 ? j - 1 : 0);
            double tx = th[6 + 4 * f + (j > 1 ? j : 0)], tz = j < 2 ? th[7 + 4 * f] : 0, tr[16], t[16];
            char on[MB] = {0};
            for (int i = bn; i < nb; i++) {
                if (i == bn) {
                    rot(tx, tz, j == 1 ? 2 : 1, tr);
                    mm(brel + 16 * i, tr, t);
                    if (parents[i] < 0) memcpy(da + 16 * i, t, 128);
                    else mm(ab + 16 * parents[i], t, da + 16 * i);
                } else if (parents[i] >= 0 && on[parents[i]]) mm(da + 16 * parents[i], rel + 16 * i, da + 16 * i);
                else continue;
                on[i] = 1;
                mm(da + 16 * i, iba + 16 * i, t);
                lmul(R, t, E + 12 * ne);
                ek[ne] = k;
                eb[ne] = i;
                ne++;
            }
        }

    for (int i0 = 0; i0 < c; i0 += LANES) {
        int n = c - i0 < LANES ? c - i0 : LANES;
        NOVEC for (int b = 0; b < LANES; b++) {
            int i = i0 + (b < n ? b : n - 1);
            for (int a = 0; a < 3; a++) {
                size_t v = (size_t)tri[3 * cor[i] + a];
                const double *p = pos + 4 * v, *w = wts + (size_t)nb * v;
                for (int e = 0; e < 4; e++) P[(a * 4 + e) * LANES + b] = p[e];
                for (int k = 0; k < nb; k++) W[(a * nb + k) * LANES + b] = w[k];
            }
            U[b] = us[2 * i];
            U[LANES + b] = us[2 * i + 1];
            for (int e = 0; e < 3; e++) PT[e * LANES + b] = pts[3 * i + e];
        }
        for (int k = 0; k < 9 * LANES; k++) V[k] = 0;
        for (int k = 0; k < nb; k++) {
            const double *t = T + 12 * k;
            double t0 = t[0], t1 = t[1], t2 = t[2], t3 = t[3], t4 = t[4], t5 = t[5], t6 = t[6], t7 = t[7],
                   t8 = t[8], t9 = t[9], ta = t[10], tb = t[11];
            const double *w = W + k * LANES;
            double *q = Q + 4 * k * LANES;
            const int nl = nb * LANES;
            FOR {
                double u0 = U[b], u1 = U[LANES + b], u2 = 1 - u0 - u1, q0 = 0, q1 = 0, q2 = 0, q3 = 0;
#define VX(a, ua)                                                                                     \
    {                                                                                                 \
        double s = w[a * nl + b], x = P[(4 * a) * LANES + b] * s, y = P[(4 * a + 1) * LANES + b] * s, \
               z = P[(4 * a + 2) * LANES + b] * s, h = P[(4 * a + 3) * LANES + b] * s;                \
        V[(3 * a) * LANES + b] += (t0 * x + t3 * y) + (t6 * z + t9 * h);                              \
        V[(3 * a + 1) * LANES + b] += (t1 * x + t4 * y) + (t7 * z + ta * h);                          \
        V[(3 * a + 2) * LANES + b] += (t2 * x + t5 * y) + (t8 * z + tb * h);                          \
        q0 += ua * x;                                                                                 \
        q1 += ua * y;                                                                                 \
        q2 += ua * z;                                                                                 \
        q3 += ua * h;                                                                                 \
    }
                VX(0, u0) VX(1, u1) VX(2, u2) q[b] = q0;
                q[LANES + b] = q1;
                q[2 * LANES + b] = q2;
                q[3 * LANES + b] = q3;
            }
        }
        if (jac) {
            for (int k = 0; k < 3 * NP * LANES; k++) Dk[k] = 0;
            for (int e = 0; e < ne; e++) {
                const double *t = E + 12 * e;
                double t0 = t[0], t1 = t[1], t2 = t[2], t3 = t[3], t4 = t[4], t5 = t[5], t6 = t[6], t7 = t[7],
                       t8 = t[8], t9 = t[9], ta = t[10], tb = t[11];
                const double *q = Q + 4 * eb[e] * LANES;
                double *d = Dk + 3 * ek[e] * LANES;
                FOR {
                    double x = q[b], y = q[LANES + b], z = q[2 * LANES + b], h = q[3 * LANES + b];
                    d[b] -= (t0 * x + t3 * y) + (t6 * z + t9 * h);
                    d[LANES + b] -= (t1 * x + t4 * y) + (t7 * z + ta * h);
                    d[2 * LANES + b] -= (t2 * x + t5 * y) + (t8 * z + tb * h);
                }
            }
        }
        FOR {
            double u0 = U[b], u1 = U[LANES + b], u2 = 1 - u0 - u1,
                   x = u0 * V[b] + u1 * V[3 * LANES + b] + u2 * V[6 * LANES + b],
                   y = u0 * V[LANES + b] + u1 * V[4 * LANES + b] + u2 * V[7 * LANES + b],
                   z = u0 * V[2 * LANES + b] + u1 * V[5 * LANES + b] + u2 * V[8 * LANES + b];
#define R0(r) O[r * LANES + b] = PT[r * LANES + b] - (R[r] * x + R[3 + r] * y + R[6 + r] * z + th[3 + r]);
            R0(0) R0(1) R0(2) if (jac) {
                double a = V[b] - V[6 * LANES + b], e = V[LANES + b] - V[7 * LANES + b],
                       f = V[2 * LANES + b] - V[8 * LANES + b], g = V[3 * LANES + b] - V[6 * LANES + b],
                       h = V[4 * LANES + b] - V[7 * LANES + b], m = V[5 * LANES + b] - V[8 * LANES + b];
#define R1(r)                                                                        \
    O[(3 + r) * LANES + b] = -(R[r] * a + R[3 + r] * e + R[6 + r] * f);              \
    O[(6 + r) * LANES + b] = -(R[r] * g + R[3 + r] * h + R[6 + r] * m);              \
    O[(9 + r) * LANES + b] = -(dR[0][r] * x + dR[0][3 + r] * y + dR[0][6 + r] * z);  \
    O[(12 + r) * LANES + b] = -(dR[1][r] * x + dR[1][3 + r] * y + dR[1][6 + r] * z); \
    O[(15 + r) * LANES + b] = -(dR[2][r] * x + dR[2][3 + r] * y + dR[2][6 + r] * z);
                R1(0) R1(1) R1(2)
            }
        }
#define OUT(src, dst)                          \
    {                                          \
        const double *s_ = src;                \
        double *d_ = (dst) + 3 * (size_t)i0;   \
        NOVEC for (int b = 0; b < n; b++) {    \
            d_[3 * b] = s_[b];                 \
            d_[3 * b + 1] = s_[LANES + b];     \
            d_[3 * b + 2] = s_[2 * LANES + b]; \
        }                                      \
    }
        OUT(O, err)
        if (jac) { /* rows of 28: a transposed copy, and ones on a diagonal */
            const double *from[COLUMNS];
            for (int k = 0; k < 2; k++) from[k] = O + (3 + 3 * k) * LANES;
            for (int k = 0; k < 3; k++) from[2 + k] = O + (9 + 3 * k) * LANES, from[5 + k] = O;
            for (int k = 0; k < NP; k++) from[8 + k] = Dk + 3 * k * LANES;
            NOVEC for (int b = 0; b < n; b++) {
                for (int r = 0; r < 3; r++) {
                    double *row = Jo + (3 * (size_t)(i0 + b) + (size_t)r) * COLUMNS;
                    for (int k = 0; k < COLUMNS; k++) row[k] = from[k][r * LANES + b];
                    for (int k = 0; k < 3; k++) row[5 + k] = k == r ? -1 : 0;
                }
            }
        }
    }
}
static double base_columns[16 * BONES], inverse_columns[16 * BONES];
static size_t hand_space(void) {
    for (int b = 0; b < BONES; b++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                base_columns[16 * b + 4 * j + i] = base[16 * b + 4 * i + j];
                inverse_columns[16 * b + 4 * j + i] = inverse_base[16 * b + 4 * i + j];
            }
    return ht_ws(BONES);
}
static void hand_value(double *to, double *space) {
    run(BONES, C, theta, us, parent, base_columns, inverse_columns, position, weight, corner, which, measured, to,
        0, space, 0);
}
static void hand_derived(double *to, double *space) {
    run(BONES, C, theta, us, parent, base_columns, inverse_columns, position, weight, corner, which, measured, to,
        to + 3 * C, space, 1);
}
