/* hand: elementary functions that any C compiler turns into vector code, by polynomials and selections and
 * without calls, and the marks of loops, for what is written by hand (NAME_hand.h). Coefficients of log, sin and
 * cos are those of fdlibm. */
#ifndef HAND_LOOPS_H
#define HAND_LOOPS_H
#include <math.h>
#include <stdint.h>
#include <stddef.h>
#include <string.h>
#if defined(__clang__)
#define SIMD _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#elif defined(USE_IVDEP) /* gcc without -fopenmp-simd: needs -O3 */
#define SIMD _Pragma("GCC ivdep")
#else
#define SIMD _Pragma("omp simd")
#endif
#if defined(__clang__) /* a loop whose rows are long: without this clang -O3 unrolls the inner loop and turns the \
                          outer one into scatters */
#define NOVEC _Pragma("clang loop vectorize(disable) interleave(disable)")
#else
#define NOVEC
#endif
#define AI static inline __attribute__((always_inline))
AI double vm_d(uint64_t u) {
    double d;
    memcpy(&d, &u, 8);
    return d;
}
AI uint64_t vm_u(double d) {
    uint64_t u;
    memcpy(&u, &d, 8);
    return u;
}
AI float vm_df(uint32_t u) {
    float d;
    memcpy(&d, &u, 4);
    return d;
}
AI uint32_t vm_uf(float d) {
    uint32_t u;
    memcpy(&u, &d, 4);
    return u;
}
/* 2^n from the magic-number sum t = n + 1.5*2^52 (n in -1022..1023) */
AI double vm_pow2(double t) {
    return vm_d((vm_u(t) + 1023u) << 52);
}
AI double vm_expm1_poly(double r) { /* (e^r-1), |r|<=ln2/2, Estrin */
    double r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    double a = 0.50000000000000011 + r * 0.16666666666666669, b = 0.041666666666624164 + r * 0.008333333333330065,
           c = 0.0013888888917196719 + r * 0.00019841269863040545,
           d = 2.4801521322368692e-05 + r * 2.7557268480310024e-06,
           e = 2.7620075879983367e-07 + r * 2.5100375832561234e-08;
    double p = (a + r2 * b) + r4 * (c + r2 * d) + r8 * e;
    return r + r2 * p;
}
#define VM_MAGIC 6755399441055744.0
/* clamp through integer min/max of the bits: `x > c ? c : x` is jump-threaded by gcc (the constant path is folded,
   the rest becomes masked operations: exp 0.47 against 0.36 ns).  hi and lo are the bits of the bounds; a NaN must
   be put back at the end. */
AI double vm_clamp(double x, uint64_t hi, uint64_t lo) {
    int64_t i = (int64_t)vm_u(x), h = (int64_t)hi;
    i = i < h ? i : h;
    uint64_t u = (uint64_t)i;
    u = u < lo ? u : lo;
    return vm_d(u);
}
AI float vm_clampf(float x, uint32_t hi, uint32_t lo) {
    int32_t i = (int32_t)vm_uf(x), h = (int32_t)hi;
    i = i < h ? i : h;
    uint32_t u = (uint32_t)i;
    u = u < lo ? u : lo;
    return vm_df(u);
}
AI double vm_exp(double x0) {
    double x = vm_clamp(x0, 0x4086280000000000u, 0xC086200000000000u);
    double t = x * 1.4426950408889634 + VM_MAGIC, n = t - VM_MAGIC;
    double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    double s = vm_pow2(t), e = s + s * vm_expm1_poly(r);
    return x0 != x0 ? x0 : e;
}
AI double vm_sigmoid(double x) {
    return 1.0 / (1.0 + vm_exp(-x));
}
AI double vm_tanh(double x) {
    double y = vm_clamp(2.0 * x, 0x4044000000000000u, 0xC044000000000000u);
    double t = y * 1.4426950408889634 + VM_MAGIC, n = t - VM_MAGIC;
    double r = (y - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    double s = vm_pow2(t), m = (s - 1.0) + s * vm_expm1_poly(r), e = m / (m + 2.0);
    return x != x ? x : e;
}
AI double vm_log(double x) {                      /* x>0, normal */
    uint64_t u = vm_u(x) - 0x3fe6a09e667f3bcdull; /* relative to sqrt(1/2) */
    uint64_t e = u >> 52;
    e = (e ^ 0x800u); /* biased, as unsigned */
    double n = vm_d(e | 0x4330000000000000ull) - (4503599627370496.0 + 2048.0);
    double m = vm_d((u & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdull);
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, w = z * z;
    double t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double t2 =
        z * (6.666666666666735130e-01 +
             w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double R = t1 + t2, h = 0.5 * f * f;
    return n * 6.93147180369123816490e-01 - ((h - (s * (h + R) + n * 1.90821492927058770002e-10)) - f);
}
AI void vm_sincos(double x, double *sn, double *cs) { /* |x| < 1e5 */
    double t = x * 0.63661977236758134308 + VM_MAGIC, n = t - VM_MAGIC;
    uint64_t q = vm_u(t);
    double r =
        ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) - n * 2.02226624879595063154e-21;
    double z = r * r;
    double s = r + r * z *
                       (-1.66666666666666324348e-01 +
                        z * (8.33333333332248946124e-03 +
                             z * (-1.98412698298579493134e-04 +
                                  z * (2.75573137070700676789e-06 +
                                       z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
    double c = 1.0 - 0.5 * z +
               z * z *
                   (4.16666666666666019037e-02 +
                    z * (-1.38888888888741095749e-03 +
                         z * (2.48015872894767294178e-05 +
                              z * (-2.75573143513906633035e-07 +
                                   z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    double a = (q & 1) ? c : s, b = (q & 1) ? s : c;
    *sn = vm_d(vm_u(a) ^ ((q & 2) << 62));
    *cs = vm_d(vm_u(b) ^ (((q + 1) & 2) << 62));
}
/* float */
AI float vm_expm1f_poly(float r) {
    float r2 = r * r;
    return r + r2 * ((0.5f + r * 0.16666577f) + r2 * ((0.0416665547f + r * 0.00836317307f) + r2 * 0.00139261761f));
}
AI float vm_expf(float x0) {
    float x = vm_clampf(x0, 0x42b00000u, 0xc2ae0000u);
    float t = x * 1.44269504f + 12582912.0f, n = t - 12582912.0f, r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    float s = vm_df((vm_uf(t) + 127u) << 23), e = s + s * vm_expm1f_poly(r);
    return x0 != x0 ? x0 : e;
}
AI float vm_tanhf(float x) {
    float y = vm_clampf(2.0f * x, 0x41a00000u, 0xc1a00000u);
    float t = y * 1.44269504f + 12582912.0f, n = t - 12582912.0f, r = (y - n * 0.693145752f) - n * 1.42860677e-6f;
    float s = vm_df((vm_uf(t) + 127u) << 23), m = (s - 1.0f) + s * vm_expm1f_poly(r), e = m / (m + 2.0f);
    return x != x ? x : e;
}
#endif
