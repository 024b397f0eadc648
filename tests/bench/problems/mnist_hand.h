/* Kernels that keep blocks of the products in registers; a batch of one has its own way through. The softmax and
 * its derivative are one pass over the scores, and the derivative by the hidden units takes their place. */
#include "../hand.h"
enum { DI = D, CP = 16, HP = 80 };
typedef float v16 __attribute__((vector_size(64)));
typedef float v16u __attribute__((vector_size(64), aligned(4)));
#define LD(p) (*(const v16u *)(p))
#define ST(p, x) (*(v16u *)(p) = (x))
static size_t mnist_ws(size_t B) {
    size_t Bp = (B + 15) & ~(size_t)15;
    return DI * Bp + 2 * HP * Bp + 2 * CP * Bp + 2 * Bp + (size_t)DI * HP + 256;
}
#define UN _Pragma("GCC unroll 16")
/* C[i][0..16*NB) (+)= sum_k A[i][k] B[k][16*NB], A element (i,k) at A[i*ai+k*ak]; MR rows by NB vectors in
 * registers */
#define KERNEL(name, MR, NB)                                                                                  \
    AI void name(size_t K, const float *restrict A, size_t ai, size_t ak, const float *restrict B, size_t bk, \
                 float *restrict Cc, size_t ci, int add) {                                                    \
        v16 c[MR][NB];                                                                                        \
        UN for (int i = 0; i < MR; i++) UN for (int j = 0; j < NB; j++) c[i][j] =                             \
            add ? LD(Cc + (size_t)i * ci + 16 * (size_t)j) : (v16){0};                                        \
        for (size_t k = 0; k < K; k++) {                                                                      \
            v16 b[NB];                                                                                        \
            UN for (int j = 0; j < NB; j++) b[j] = LD(B + k * bk + 16 * (size_t)j);                           \
            UN for (int i = 0; i < MR; i++) {                                                                 \
                float a = A[(size_t)i * ai + k * ak];                                                         \
                UN for (int j = 0; j < NB; j++) c[i][j] += a * b[j];                                          \
            }                                                                                                 \
        }                                                                                                     \
        UN for (int i = 0; i < MR; i++) UN for (int j = 0; j < NB; j++)                                       \
            ST(Cc + (size_t)i * ci + 16 * (size_t)j, c[i][j]);                                                \
    }
KERNEL(k8x1, 8, 1)
KERNEL(k12x2, 12, 2) KERNEL(k10x1, 10, 1) KERNEL(k1x1, 1, 1) typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
AI float hsum(v16 x) { /* shufflevector, not memcpy: an accumulator whose address is taken stays in memory (gcc: 100
                          against 38 us) */
    v8 a = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    v4 c = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    return (c[0] + c[1]) + (c[2] + c[3]);
}
/* o[i][j] = sum_k a[i][k] b[j][k]: both rows contiguous in k, k is the lane axis, MR x NR accumulators, one
 * horizontal sum each: no transposed copy */
#define DOT(name, MR, NR)                                                                               \
    AI void name(size_t K, const float *restrict a, size_t as, const float *restrict b, size_t bs,      \
                 float *restrict o, size_t os) {                                                        \
        v16 c[MR][NR];                                                                                  \
        UN for (int i = 0; i < MR; i++) UN for (int j = 0; j < NR; j++) c[i][j] = (v16){0};             \
        for (size_t k = 0; k < K; k += 16) {                                                            \
            v16 y[NR];                                                                                  \
            UN for (int j = 0; j < NR; j++) y[j] = LD(b + (size_t)j * bs + k);                          \
            UN for (int i = 0; i < MR; i++) {                                                           \
                v16 x = LD(a + (size_t)i * as + k);                                                     \
                UN for (int j = 0; j < NR; j++) c[i][j] += x * y[j];                                    \
            }                                                                                           \
        }                                                                                               \
        UN for (int i = 0; i < MR; i++) UN for (int j = 0; j < NR; j++) o[(size_t)i * os + (size_t)j] = \
            hsum(c[i][j]);                                                                              \
    }
DOT(dot44, 4, 4)
DOT(dot14, 1, 4)
/* batch of one (or few): rows of V dotted with x, 16 partial sums; gradient an outer product */
static float one(const float *restrict x, int32_t y, const float *restrict V, const float *restrict bV,
                 const float *restrict W, const float *restrict bW, float *restrict gV, float *restrict gbV,
                 float *restrict gW, float *restrict gbW) {
    float h[HP], z[CP], dh[HP];
    for (int j = 0; j < HP; j++) h[j] = dh[j] = 0;
    for (int j = 0; j < H; j += 4) {
        v16 s[4] = {{0}, {0}, {0}, {0}}, r[4] = {{0}, {0}, {0}, {0}};
        const float *v = V + (size_t)j * DI;
        size_t i = 0;
        for (; i + 32 <= DI; i += 32) {
            v16 a = LD(x + i), b = LD(x + i + 16);
            UN for (int q = 0; q < 4; q++) {
                s[q] += a * LD(v + (size_t)q * DI + i);
                r[q] += b * LD(v + (size_t)q * DI + i + 16);
            }
        }
        {
            v16 a = LD(x + i);
            UN for (int q = 0; q < 4; q++) s[q] += a * LD(v + (size_t)q * DI + i);
        }
        UN for (int q = 0; q < 4; q++) {
            v16 t = s[q] + r[q];
            float u[16];
            ST(u, t);
            float e = 0;
            for (int p = 0; p < 8; p++) u[p] += u[p + 8];
            for (int p = 0; p < 4; p++) u[p] += u[p + 4];
            e = (u[0] + u[2]) + (u[1] + u[3]);
            h[j + q] = e + bV[j + q];
        }
    }
    SIMD for (int j = 0; j < HP; j++) h[j] = vm_tanhf(h[j]);
    for (int c = 0; c < CP; c++) z[c] = -1e30f;
    float m = -1e30f;
    for (int c = 0; c < C; c++) {
        float u[8] = {0};
        for (int j = 0; j < H; j += 8) {
            SIMD for (int v = 0; v < 8; v++) u[v] += W[c * H + j + v] * h[j + v];
        }
        float t = ((u[0] + u[1]) + (u[2] + u[3])) + ((u[4] + u[5]) + (u[6] + u[7]));
        t += bW[c];
        z[c] = t;
        m = t > m ? t : m;
    }
    float zy = z[y];
    SIMD for (int c = 0; c < CP; c++) z[c] = vm_expf(z[c] - m);
    float s = 0;
    for (int c = 0; c < C; c++) s += z[c];
    float loss = m + logf(s) - zy;
    if (!gV) return loss;
    float is = 1 / s;
    for (int c = 0; c < C; c++) z[c] *= is;
    z[y] -= 1;
    for (int c = 0; c < C; c++) gbW[c] = z[c];
    for (int c = 0; c < C; c++) {
        float d = z[c];
        SIMD for (int j = 0; j < H; j++) {
            dh[j] += d * W[c * H + j];
            gW[c * H + j] = d * h[j];
        }
    }
    for (int j = 0; j < H; j++) {
        float d = dh[j] * (1 - h[j] * h[j]);
        float *g = gV + (size_t)j * DI;
        gbV[j] = d;
        SIMD for (int i = 0; i < DI; i++) g[i] = d * x[i];
    }
    return loss;
}
AI float batch(size_t B, const float *restrict x, const int32_t *restrict y, const float *restrict V,
               const float *restrict bV, const float *restrict W, const float *restrict bW, float *restrict gV,
               float *restrict gbV, float *restrict gW, float *restrict gbW, float *restrict ws, int grad) {
    float *h = ws, *z = h + HP * B + 64;
    float bp[HP];
    for (int j = 0; j < HP; j++) bp[j] = j < H ? bV[j] : 0;

    {
        size_t n = 0;
        for (; n + 4 <= B; n += 4)
            for (size_t j = 0; j < H; j += 4) dot44(DI, x + n * DI, DI, V + j * DI, DI, h + n * HP + j, HP);
        for (; n < B; n++)
            for (size_t j = 0; j < H; j += 4) dot14(DI, x + n * DI, DI, V + j * DI, DI, h + n * HP + j, HP);
        for (n = 0; n < B; n++)
            for (int j = H; j < HP; j++) h[n * HP + (size_t)j] = 0;
    }

    for (size_t n = 0; n < B; n++) {
        float *p = h + n * HP;
        SIMD for (int j = 0; j < HP; j++) p[j] = vm_tanhf(p[j] + bp[j]);
    }
    float WT[H * CP];
    for (int c = 0; c < CP; c++)
        for (int j = 0; j < H; j++) WT[j * CP + c] = c < C ? W[c * H + j] : 0;
    {
        size_t n = 0;
        for (; n + 8 <= B; n += 8) k8x1(H, h + n * HP, HP, 1, WT, CP, z + n * CP, CP, 0);
        for (; n < B; n++) k1x1(H, h + n * HP, HP, 1, WT, CP, z + n * CP, CP, 0);
    }
    float loss = 0, sc = 1.0f / (float)B;
    double tot = 0;
    float WP[C * HP];
    for (int c = 0; c < C; c++)
        for (int j = 0; j < HP; j++) WP[c * HP + j] = j < H ? W[c * H + j] : 0;
    for (size_t n = 0; n < B; n++) {
        float *q = z + n * CP;
        for (int c = 0; c < C; c++) q[c] += bW[c];
        float m = q[0];
        for (int c = 1; c < C; c++) m = q[c] > m ? q[c] : m;
        float zy = q[y[n]], e[CP];
        SIMD for (int c = 0; c < CP; c++) e[c] = vm_expf(q[c] - m);
        float s = 0;
        for (int c = 0; c < C; c++) s += e[c];
        tot += (double)(m + logf(s) - zy);
        if (grad) {
            float is = sc / s;
            for (int c = 0; c < CP; c++) q[c] = c < C ? e[c] * is : 0;
            q[y[n]] -= sc;
        }
    }
    loss = (float)(tot * (double)sc);
    if (!grad) return loss;
    /* gW[c][j] = sum_n z[n][c] h[n][j] */
    {
        float t[C * HP];
        for (int j = 0; j < HP; j += 16) k10x1(B, z, 1, CP, h + j, HP, t + j, HP, 0);
        for (int c = 0; c < C; c++)
            for (int j = 0; j < H; j++) gW[c * H + j] = t[c * HP + j];
    }
    {
        float s[CP] = {0};
        for (size_t n = 0; n < B; n++) {
            const float *q = z + n * CP;
            SIMD for (int c = 0; c < CP; c++) s[c] += q[c];
        }
        for (int c = 0; c < C; c++) gbW[c] = s[c];
    }
    /* dh in h's place */
    for (size_t n = 0; n < B; n++) {
        const float *q = z + n * CP;
        float *p = h + n * HP;
        SIMD for (int j = 0; j < HP; j++) {
            float d = q[0] * WP[j] + q[1] * WP[HP + j] + q[2] * WP[2 * HP + j] + q[3] * WP[3 * HP + j] +
                      q[4] * WP[4 * HP + j] + q[5] * WP[5 * HP + j] + q[6] * WP[6 * HP + j] +
                      q[7] * WP[7 * HP + j] + q[8] * WP[8 * HP + j] + q[9] * WP[9 * HP + j];
            p[j] = d * (1 - p[j] * p[j]);
        }
    }
    {
        float s[HP] = {0};
        for (size_t n = 0; n < B; n++) {
            const float *p = h + n * HP;
            SIMD for (int j = 0; j < HP; j++) s[j] += p[j];
        }
        for (int j = 0; j < H; j++) gbV[j] = s[j];
    }
    /* gV[j][i] = sum_n dh[n][j] x[n][i]: 12 rows by 2 vectors, n in chunks of 64 so that the panel of x stays in L1
     */
    for (size_t n0 = 0; n0 < B; n0 += 64) {
        size_t nk = B - n0 < 64 ? B - n0 : 64;
        size_t i = 0;
        for (; i + 32 <= DI; i += 32)
            for (size_t j = 0; j < H; j += 12)
                k12x2(nk, h + n0 * HP + j, 1, HP, x + n0 * DI + i, DI, gV + j * DI + i, DI, n0 != 0);
        for (size_t j = 0; j < H; j += 8)
            k8x1(nk, h + n0 * HP + j, 1, HP, x + n0 * DI + i, DI, gV + j * DI + i, DI, n0 != 0);
    }
    return loss;
}
static size_t hand_space(void) {
    return mnist_ws((size_t)B);
}
static const float *V_(int k) {
    static const int at[4] = {0, H * D, H * D + H, H * D + H + C * H};
    return theta + at[k];
}
static void run(float *to, float *space, int with) {
    float *g = to + 1;
    const float *bV = V_(1), *W = V_(2), *bW = V_(3);
    to[0] = B == 1
                ? one(x, y[0], theta, bV, W, bW, with ? g : NULL, g + H * D, g + H * D + H, g + H * D + H + C * H)
                : batch((size_t)B, x, y, theta, bV, W, bW, g, g + H * D, g + H * D + H, g + H * D + H + C * H,
                        space, with);
}
static void hand_value(float *to, float *space) {
    run(to, space, 0);
}
static void hand_derived(float *to, float *space) {
    run(to, space, 1);
}
