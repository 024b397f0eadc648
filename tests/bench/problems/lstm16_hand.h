/* The half of the product that belongs to the inputs is one product over all steps before the recurrence; the
 * weights' gradient is one product over all steps after it. */
#include "../hand.h"
typedef double v8 __attribute__((vector_size(64)));
typedef double v8u __attribute__((vector_size(64), aligned(8)));
#define LD(p) (*(const v8u *)(p))
#define ST(p, x) (*(v8u *)(p) = (x))
enum { BOTH = 32 };
static size_t lstm16_ws(size_t steps) {
    return steps * (G * 2 + BOTH + 3 * H + G) + G * H + 256;
}
/* BOTH[MR][8*NB] = init + sum_k A(i,k) B[k][..] */
#define KERNEL(name, MR, NB)                                                                                      \
    AI void name(size_t K, const double *restrict A, size_t ai, size_t ak, const double *restrict B, size_t bk,   \
                 double *Cc, size_t ci, const double *init) {                                                     \
        v8 c[MR][NB];                                                                                             \
        _Pragma("GCC unroll 8") for (int i = 0; i < MR; i++) _Pragma("GCC unroll 8") for (int j = 0; j < NB; j++) \
            c[i][j] = init ? LD(init + 8 * j) : (v8){0};                                                          \
        for (size_t k = 0; k < K; k++) {                                                                          \
            v8 b[NB];                                                                                             \
            _Pragma("GCC unroll 8") for (int j = 0; j < NB; j++) b[j] = LD(B + k * bk + 8 * (size_t)j);           \
            _Pragma("GCC unroll 8") for (int i = 0; i < MR; i++) {                                                \
                double a = A[(size_t)i * ai + k * ak];                                                            \
                _Pragma("GCC unroll 8") for (int j = 0; j < NB; j++) c[i][j] += a * b[j];                         \
            }                                                                                                     \
        }                                                                                                         \
        _Pragma("GCC unroll 8") for (int i = 0; i < MR; i++) _Pragma("GCC unroll 8") for (int j = 0; j < NB; j++) \
            ST(Cc + (size_t)i * ci + 8 * (size_t)j, c[i][j]);                                                     \
    }
KERNEL(k5x4, 5, 4)
KERNEL(k1x8, 1, 8) KERNEL(k4x4, 4, 4) KERNEL(k1x4, 1, 4) AI
    double run(size_t steps, const double *restrict W, const double *restrict bias, const double *restrict X,
               const double *restrict Y, const double *restrict s0, double *restrict gW, double *restrict gb,
               double *restrict ws, int grad) {
    double *pre = ws, *z = pre + steps * G, *in = z + steps * G, *c = in + steps * BOTH, *tc = c + (steps + 1) * H,
           *WT = tc + steps * H;
    double loss[8] = {0};
    size_t t = 0;
    for (; t + 5 <= steps; t += 5)
        for (int g = 0; g < G; g += 32) k5x4(I, X + t * I, I, 1, W + g, G, pre + t * G + g, G, bias + g);
    for (; t < steps; t++)
        for (int g = 0; g < G; g += 32) k1x4(I, X + t * I, I, 1, W + g, G, pre + t * G + g, G, bias + g);
    double h[H];
    for (int i = 0; i < H; i++) {
        h[i] = s0[i];
        c[i] = s0[H + i];
    }
    for (t = 0; t < steps; t++) {
        double *a = pre + t * G, *q = z + t * G, *cp = c + t * H, *cn = cp + H, *tn = tc + t * H,
               *ii = in + t * BOTH;
        const double *y = Y + t * H;
        for (int i = 0; i < I; i++) ii[i] = X[t * I + (size_t)i];
        for (int i = 0; i < H; i++) ii[I + i] = h[i];
        k1x8(H, h, 0, 1, W + I * G, G, a, G, a);
        SIMD for (int g = 0; g < 3 * H; g++) q[g] = vm_sigmoid(a[g]);
        SIMD for (int i = 0; i < H; i++) {
            double gg = vm_tanh(a[3 * H + i]);
            q[3 * H + i] = gg;
            cn[i] = q[H + i] * cp[i] + q[i] * gg;
        }
        SIMD for (int i = 0; i < H; i++) {
            double e = vm_tanh(cn[i]);
            tn[i] = e;
            h[i] = q[2 * H + i] * e;
        }
        for (int k = 0; k < H; k += 8) {
            SIMD for (int v = 0; v < 8; v++) {
                double e = h[k + v] - y[k + v];
                loss[v] += e * e;
            }
        }
    }
    double L = ((loss[0] + loss[1]) + (loss[2] + loss[3])) + ((loss[4] + loss[5]) + (loss[6] + loss[7]));
    if (!grad) return L;
    for (int g = 0; g < G; g++)
        for (int i = 0; i < H; i++) WT[g * H + i] = W[(I + i) * G + g];
    double dh[H] = {0}, dc[H] = {0};
    for (t = steps; t-- > 0;) {
        const double *q = z + t * G, *cp = c + t * H, *tn = tc + t * H, *y = Y + t * H;
        double *a = pre + t * G; /* the pre-activations are dead: their adjoints take the place */
        SIMD for (int i = 0; i < H; i++) {
            double e = tn[i], o = q[2 * H + i], ig = q[i], f = q[H + i], g = q[3 * H + i],
                   d = dh[i] + 2 * (o * e - y[i]), s = dc[i] + d * o * (1 - e * e);
            a[i] = s * g * (ig - ig * ig);
            a[H + i] = s * cp[i] * (f - f * f);
            a[2 * H + i] = d * e * (o - o * o);
            a[3 * H + i] = s * ig * (1 - g * g);
            dc[i] = s * f;
        }
        if (t) {
            v8 s[8] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}}; /* dh = WT' a: four partial sums a half */
            for (int g = 0; g < G; g += 4) {
                _Pragma("GCC unroll 4") for (int u = 0; u < 4; u++) {
                    double w = a[g + u];
                    s[2 * u] += w * LD(WT + (g + u) * H);
                    s[2 * u + 1] += w * LD(WT + (g + u) * H + 8);
                }
            }
            ST(dh, (s[0] + s[2]) + (s[4] + s[6]));
            ST(dh + 8, (s[1] + s[3]) + (s[5] + s[7]));
        }
    }
    for (int j = 0; j < BOTH; j += 4)
        for (int g = 0; g < G; g += 32) k4x4(steps, in + j, 1, BOTH, pre + g, G, gW + j * G + g, G, 0);
    double ac[G];
    for (int g = 0; g < G; g++) ac[g] = 0;
    for (t = 0; t < steps; t++) {
        const double *a = pre + t * G;
        SIMD for (int g = 0; g < G; g++) ac[g] += a[g];
    }
    for (int g = 0; g < G; g++) gb[g] = ac[g];
    return L;
}
static double lstm16_value(size_t steps, const double *W, const double *b, const double *X, const double *Y,
                           const double *s0, double *ws) {
    return run(steps, W, b, X, Y, s0, 0, 0, ws, 0);
}
static double lstm16_grad(size_t steps, const double *W, const double *b, const double *X, const double *Y,
                          const double *s0, double *gW, double *gb, double *ws) {
    return run(steps, W, b, X, Y, s0, gW, gb, ws, 1);
}
static size_t hand_space(void) {
    return lstm16_ws(T);
}
static void hand_value(double *to, double *space) {
    to[0] = lstm16_value(T, theta, theta + (I + H) * G, x, y, start, space);
}
static void hand_derived(double *to, double *space) {
    to[0] = lstm16_grad(T, theta, theta + (I + H) * G, x, y, start, to + 1, to + 1 + (I + H) * G, space);
}
