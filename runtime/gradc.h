/* gradc.h: what emitted C may call. Included by emitted .c files; knows nothing of the compiler.
 *
 * Everything is `static inline`, in C99 that is also C++, without allocation, without globals that change, reentrant. Small
 * numbers are passed by value, arrays by pointer and strides counted in entries; `double` has no suffix, `float` has the suffix
 * f and computes in float alone. How exact each function is stands in docs/accuracy.md.
 *
 * The text consists of parts. A part begins with a line that names it and the parts that it needs, and ends with a line
 * of its own; `gradc --standalone` copies the parts that a model uses, and what they need, into the emitted file. */
#ifndef GRADC_H
#define GRADC_H

/* @part base needs */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* -infinity, NaN and -0 are values here, and sums keep their order: -ffast-math and its parts would break that in silence. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0) || defined(__ASSOCIATIVE_MATH__) || \
    defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "code from gradc needs IEEE arithmetic: compile it without -ffast-math, -Ofast and their parts"
#endif

/* GRADC_FN: an ordinary helper. GRADC_INLINE: one that must be inlined for the loop around it to become vector code. */
#if defined(__GNUC__)
#define GRADC_FN static inline __attribute__((unused))
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define GRADC_INLINE static inline __attribute__((unused, always_inline))
#else
#define GRADC_INLINE GRADC_FN
#endif
#else
#define GRADC_FN static inline
#define GRADC_INLINE static inline
#endif

/* gradc_restrict: as in C99; C++ has no such word, but its compilers have. */
#if !defined(__cplusplus)
#define gradc_restrict restrict
#elif defined(__GNUC__) || defined(_MSC_VER)
#define gradc_restrict __restrict
#else
#define gradc_restrict
#endif
/* @end */

/* @part lanes needs base */
/* Loops over lanes. One of these stands right before a `for`:
 *   GRADC_LANES       the iterations are independent of each other: none reads or writes what another one writes
 *   GRADC_SUM(acc)    they are, but for `acc += ...`; the order of that sum is the compiler's
 *   GRADC_MAX(acc)    they are, but for `acc = x > acc ? x : acc`; GRADC_MIN likewise
 *   GRADC_NOVECTOR    a loop with short rows or scattered stores that vector code would slow down
 * gcc obeys when called with -fopenmp-simd (or -fopenmp), which is advised; else its own analysis decides, or, with
 * -DGRADC_IVDEP, it is told of the independence, which helps at -O3. clang obeys always. g++ before version 13 cannot be kept
 * silent about a pragma that it does not know, so in C++ gcc is told only with -DGRADC_SIMD. */
#define GRADC_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* a wish, not an assertion: -Os and -O1 may decline */
#define GRADC_LANES GRADC_PRAGMA(clang loop vectorize(assume_safety) unroll(disable))
#define GRADC_SUM(acc) GRADC_PRAGMA(clang loop vectorize(enable))
#define GRADC_MAX(acc)
#define GRADC_MIN(acc)
#define GRADC_NOVECTOR GRADC_PRAGMA(clang loop vectorize(disable) interleave(disable))
#elif defined(__GNUC__) && defined(GRADC_IVDEP)
#define GRADC_LANES GRADC_PRAGMA(GCC ivdep)
#define GRADC_SUM(acc)
#define GRADC_MAX(acc)
#define GRADC_MIN(acc)
#define GRADC_NOVECTOR
#elif defined(__GNUC__) && (!defined(__cplusplus) || defined(GRADC_SIMD))
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* without -fopenmp-simd these are comments */
#define GRADC_LANES GRADC_PRAGMA(omp simd)
#define GRADC_SUM(acc) GRADC_PRAGMA(omp simd reduction(+ : acc))
#define GRADC_MAX(acc) GRADC_PRAGMA(omp simd reduction(max : acc))
#define GRADC_MIN(acc) GRADC_PRAGMA(omp simd reduction(min : acc))
#define GRADC_NOVECTOR
#else
#define GRADC_LANES
#define GRADC_SUM(acc)
#define GRADC_MAX(acc)
#define GRADC_MIN(acc)
#define GRADC_NOVECTOR
#endif
/* @end */

/* @part status needs base */
/* What an emitted function returns. The first thing that goes wrong is reported; outputs are then unspecified, but no entry
 * outside the arrays was read or written. */
enum gradc_status {
    GRADC_OK = 0,
    GRADC_BAD_SIZE = 1,              /* a dimension is below its least */
    GRADC_OVERFLOW = 2,              /* a size or an integer does not fit */
    GRADC_BAD_INDEX = 3,             /* an integer from data lies outside the array that it points into */
    GRADC_EMPTY = 4,                 /* max, min, argmax, argmin or mean over nothing */
    GRADC_NOT_POSITIVE_DEFINITE = 5, /* cholesky, spd_solve, logdet */
    GRADC_SINGULAR = 6,              /* solve, inverse, triangular solves */
    GRADC_NO_END = 7,                /* the condition of an `until` was never true */
    GRADC_NULL = 8,                  /* a pointer that is needed is NULL */
    GRADC_WORKSPACE = 9              /* the workspace is needed and NULL, or not aligned */
};
/* @end */

/* @part status_text needs status */
/* A status in words, without a full stop; never NULL. */
GRADC_FN const char *gradc_status_text(int status)
{
    switch (status) {
    case GRADC_OK: return "no error";
    case GRADC_BAD_SIZE: return "a dimension is too small";
    case GRADC_OVERFLOW: return "a size or an integer overflows";
    case GRADC_BAD_INDEX: return "an index from data is out of range";
    case GRADC_EMPTY: return "a maximum, minimum or mean over nothing";
    case GRADC_NOT_POSITIVE_DEFINITE: return "a matrix is not positive definite";
    case GRADC_SINGULAR: return "a matrix is singular";
    case GRADC_NO_END: return "an iteration did not end within its limit";
    case GRADC_NULL: return "a pointer that is needed is NULL";
    case GRADC_WORKSPACE: return "the workspace is NULL or not aligned";
    default: return "unknown status";
    }
}
/* @end */

/* @part fail needs status */
/* Notes a failure; the first one stays. */
GRADC_FN void gradc_fail(int *status, int code)
{
    if (*status == GRADC_OK)
        *status = code;
}
/* @end */

/* @part position needs fail */
/* p if lo <= p < hi; otherwise lo, and GRADC_BAD_INDEX is noted. lo is a valid position, so that the read may go on. */
GRADC_INLINE int64_t gradc_position(int64_t p, int64_t lo, int64_t hi, int *status)
{
    int good = (lo <= p) & (p < hi);
    if (!good)
        gradc_fail(status, GRADC_BAD_INDEX);
    return good ? p : lo;
}
/* @end */

/* @part nonempty needs fail */
/* n, or 1 where n is 0, and GRADC_EMPTY is noted: the divisor of a mean. */
GRADC_INLINE int64_t gradc_nonempty(int64_t n, int *status)
{
    if (n == 0)
        gradc_fail(status, GRADC_EMPTY);
    return n == 0 ? 1 : n;
}
/* @end */

/* @part size needs base */
/* Sizes in bytes or entries. What does not fit becomes SIZE_MAX and stays so; test for that once, at the end. */
GRADC_FN size_t gradc_size_add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}
GRADC_FN size_t gradc_size_mul(size_t a, size_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a > SIZE_MAX / b ? SIZE_MAX : a * b;
}
/* An integer of the model as a size: negative ones, and what does not fit, are SIZE_MAX. */
GRADC_FN size_t gradc_size(int64_t n)
{
    return n < 0 || (uint64_t)n > (uint64_t)SIZE_MAX ? SIZE_MAX : (size_t)n;
}
/* @end */

/* @part align needs base */
/* Arrays in the workspace, and the workspace itself, start at multiples of GRADC_ALIGN bytes. gradc_align gives the least such
 * multiple that holds `bytes`, SIZE_MAX if there is none. */
#define GRADC_ALIGN 64
GRADC_FN size_t gradc_align(size_t bytes)
{
    const size_t mask = GRADC_ALIGN - 1;
    return bytes > SIZE_MAX - mask ? SIZE_MAX : (bytes + mask) & ~mask;
}
/* Is this pointer such a start? */
GRADC_FN int gradc_aligned(const void *p)
{
    return ((uintptr_t)p & (GRADC_ALIGN - 1)) == 0;
}
/* @end */

/* @part integers needs fail */
/* Integer arithmetic of the model: in int64_t; where the result does not fit, 0, and GRADC_OVERFLOW is noted. */
GRADC_FN int64_t gradc_int_add(int64_t a, int64_t b, int *status)
{
    if ((b > 0 && a > INT64_MAX - b) || (b < 0 && a < INT64_MIN - b)) {
        gradc_fail(status, GRADC_OVERFLOW);
        return 0;
    }
    return a + b;
}
GRADC_FN int64_t gradc_int_sub(int64_t a, int64_t b, int *status)
{
    if ((b < 0 && a > INT64_MAX + b) || (b > 0 && a < INT64_MIN + b)) {
        gradc_fail(status, GRADC_OVERFLOW);
        return 0;
    }
    return a - b;
}
GRADC_FN int64_t gradc_int_mul(int64_t a, int64_t b, int *status)
{
#if defined(__GNUC__)
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product))
        return product;
#else
    if (a == 0 || b == 0)
        return 0;
    if (!(a == -1 && b == INT64_MIN) && !(b == -1 && a == INT64_MIN)) {
        if ((a > 0) == (b > 0) ? (a > 0 ? a <= INT64_MAX / b : a >= INT64_MAX / b)
                               : (a > 0 ? b >= INT64_MIN / a : a >= INT64_MIN / b))
            return a * b;
    }
#endif
    gradc_fail(status, GRADC_OVERFLOW);
    return 0;
}
/* base to the power n >= 0; a negative n is an overflow too, since the result is no integer. */
GRADC_FN int64_t gradc_int_pow(int64_t base, int64_t n, int *status)
{
    int64_t result = 1;
    if (n < 0) {
        gradc_fail(status, GRADC_OVERFLOW);
        return 0;
    }
    for (;;) {
        if (n & 1)
            result = gradc_int_mul(result, base, status);
        n >>= 1;
        if (n == 0 || *status != GRADC_OK)
            return result;
        if (base == 0 || base == 1)
            return base == 0 ? 0 : result;
        if (base == -1)
            return result;
        base = gradc_int_mul(base, base, status);
    }
}
/* @end */

/* @part int needs fail */
/* A real as an integer, cut towards zero; NaN, infinity and what lies outside int64_t give 0, and GRADC_OVERFLOW is noted. */
GRADC_FN int64_t gradc_int(double x, int *status)
{
    if (x >= -9223372036854775808.0 && x < 9223372036854775808.0)
        return (int64_t)x;
    gradc_fail(status, GRADC_OVERFLOW);
    return 0;
}
/* @end */

/* @part intf needs fail */
GRADC_FN int64_t gradc_intf(float x, int *status)
{
    if (x >= -9223372036854775808.0f && x < 9223372036854775808.0f)
        return (int64_t)x;
    gradc_fail(status, GRADC_OVERFLOW);
    return 0;
}
/* @end */

/* @part trunc needs base */
/* The same without a status: INT64_MIN or INT64_MAX where x lies beyond them, 0 for NaN. */
GRADC_FN int64_t gradc_trunc(double x)
{
    if (x >= 9223372036854775808.0)
        return INT64_MAX;
    return x >= -9223372036854775808.0 ? (int64_t)x : x < 0 ? INT64_MIN : 0;
}
/* @end */

/* @part truncf needs base */
GRADC_FN int64_t gradc_truncf(float x)
{
    if (x >= 9223372036854775808.0f)
        return INT64_MAX;
    return x >= -9223372036854775808.0f ? (int64_t)x : x < 0 ? INT64_MIN : 0;
}
/* @end */

/* @part exp needs base */
GRADC_INLINE double gradc_exp(double x)
{
    return exp(x);
}
/* @end */

/* @part expf needs base */
GRADC_INLINE float gradc_expf(float x)
{
    return expf(x);
}
/* @end */

/* @part expm1 needs base */
GRADC_INLINE double gradc_expm1(double x)
{
    return expm1(x);
}
/* @end */

/* @part expm1f needs base */
GRADC_INLINE float gradc_expm1f(float x)
{
    return expm1f(x);
}
/* @end */

/* @part exp2 needs base */
GRADC_INLINE double gradc_exp2(double x)
{
    return exp2(x);
}
/* @end */

/* @part exp2f needs base */
GRADC_INLINE float gradc_exp2f(float x)
{
    return exp2f(x);
}
/* @end */

/* @part log needs base */
GRADC_INLINE double gradc_log(double x)
{
    return log(x);
}
/* @end */

/* @part logf needs base */
GRADC_INLINE float gradc_logf(float x)
{
    return logf(x);
}
/* @end */

/* @part log1p needs base */
GRADC_INLINE double gradc_log1p(double x)
{
    return log1p(x);
}
/* @end */

/* @part log1pf needs base */
GRADC_INLINE float gradc_log1pf(float x)
{
    return log1pf(x);
}
/* @end */

/* @part log2 needs base */
GRADC_INLINE double gradc_log2(double x)
{
    return log2(x);
}
/* @end */

/* @part log2f needs base */
GRADC_INLINE float gradc_log2f(float x)
{
    return log2f(x);
}
/* @end */

/* @part log10 needs base */
GRADC_INLINE double gradc_log10(double x)
{
    return log10(x);
}
/* @end */

/* @part log10f needs base */
GRADC_INLINE float gradc_log10f(float x)
{
    return log10f(x);
}
/* @end */

/* @part sqrt needs base */
GRADC_INLINE double gradc_sqrt(double x)
{
    return sqrt(x);
}
/* @end */

/* @part sqrtf needs base */
GRADC_INLINE float gradc_sqrtf(float x)
{
    return sqrtf(x);
}
/* @end */

/* @part cbrt needs base */
GRADC_INLINE double gradc_cbrt(double x)
{
    return cbrt(x);
}
/* @end */

/* @part cbrtf needs base */
GRADC_INLINE float gradc_cbrtf(float x)
{
    return cbrtf(x);
}
/* @end */

/* @part sin needs base */
GRADC_INLINE double gradc_sin(double x)
{
    return sin(x);
}
/* @end */

/* @part sinf needs base */
GRADC_INLINE float gradc_sinf(float x)
{
    return sinf(x);
}
/* @end */

/* @part cos needs base */
GRADC_INLINE double gradc_cos(double x)
{
    return cos(x);
}
/* @end */

/* @part cosf needs base */
GRADC_INLINE float gradc_cosf(float x)
{
    return cosf(x);
}
/* @end */

/* @part tan needs base */
GRADC_INLINE double gradc_tan(double x)
{
    return tan(x);
}
/* @end */

/* @part tanf needs base */
GRADC_INLINE float gradc_tanf(float x)
{
    return tanf(x);
}
/* @end */

/* @part asin needs base */
GRADC_INLINE double gradc_asin(double x)
{
    return asin(x);
}
/* @end */

/* @part asinf needs base */
GRADC_INLINE float gradc_asinf(float x)
{
    return asinf(x);
}
/* @end */

/* @part acos needs base */
GRADC_INLINE double gradc_acos(double x)
{
    return acos(x);
}
/* @end */

/* @part acosf needs base */
GRADC_INLINE float gradc_acosf(float x)
{
    return acosf(x);
}
/* @end */

/* @part atan needs base */
GRADC_INLINE double gradc_atan(double x)
{
    return atan(x);
}
/* @end */

/* @part atanf needs base */
GRADC_INLINE float gradc_atanf(float x)
{
    return atanf(x);
}
/* @end */

/* @part sinh needs base */
GRADC_INLINE double gradc_sinh(double x)
{
    return sinh(x);
}
/* @end */

/* @part sinhf needs base */
GRADC_INLINE float gradc_sinhf(float x)
{
    return sinhf(x);
}
/* @end */

/* @part cosh needs base */
GRADC_INLINE double gradc_cosh(double x)
{
    return cosh(x);
}
/* @end */

/* @part coshf needs base */
GRADC_INLINE float gradc_coshf(float x)
{
    return coshf(x);
}
/* @end */

/* @part tanh needs base */
GRADC_INLINE double gradc_tanh(double x)
{
    return tanh(x);
}
/* @end */

/* @part tanhf needs base */
GRADC_INLINE float gradc_tanhf(float x)
{
    return tanhf(x);
}
/* @end */

/* @part asinh needs base */
GRADC_INLINE double gradc_asinh(double x)
{
    return asinh(x);
}
/* @end */

/* @part asinhf needs base */
GRADC_INLINE float gradc_asinhf(float x)
{
    return asinhf(x);
}
/* @end */

/* @part acosh needs base */
GRADC_INLINE double gradc_acosh(double x)
{
    return acosh(x);
}
/* @end */

/* @part acoshf needs base */
GRADC_INLINE float gradc_acoshf(float x)
{
    return acoshf(x);
}
/* @end */

/* @part atanh needs base */
GRADC_INLINE double gradc_atanh(double x)
{
    return atanh(x);
}
/* @end */

/* @part atanhf needs base */
GRADC_INLINE float gradc_atanhf(float x)
{
    return atanhf(x);
}
/* @end */

/* @part floor needs base */
GRADC_INLINE double gradc_floor(double x)
{
    return floor(x);
}
/* @end */

/* @part floorf needs base */
GRADC_INLINE float gradc_floorf(float x)
{
    return floorf(x);
}
/* @end */

/* @part ceil needs base */
GRADC_INLINE double gradc_ceil(double x)
{
    return ceil(x);
}
/* @end */

/* @part ceilf needs base */
GRADC_INLINE float gradc_ceilf(float x)
{
    return ceilf(x);
}
/* @end */

/* @part round needs base */
GRADC_INLINE double gradc_round(double x)
{
    return round(x);
}
/* @end */

/* @part roundf needs base */
GRADC_INLINE float gradc_roundf(float x)
{
    return roundf(x);
}
/* @end */

/* @part erf needs base */
GRADC_INLINE double gradc_erf(double x)
{
    return erf(x);
}
/* @end */

/* @part erff needs base */
GRADC_INLINE float gradc_erff(float x)
{
    return erff(x);
}
/* @end */

/* @part erfc needs base */
GRADC_INLINE double gradc_erfc(double x)
{
    return erfc(x);
}
/* @end */

/* @part erfcf needs base */
GRADC_INLINE float gradc_erfcf(float x)
{
    return erfcf(x);
}
/* @end */

/* @part pow needs base */
GRADC_INLINE double gradc_pow(double x, double y)
{
    return pow(x, y);
}
/* @end */

/* @part powf needs base */
GRADC_INLINE float gradc_powf(float x, float y)
{
    return powf(x, y);
}
/* @end */

/* @part atan2 needs base */
GRADC_INLINE double gradc_atan2(double x, double y)
{
    return atan2(x, y);
}
/* @end */

/* @part atan2f needs base */
GRADC_INLINE float gradc_atan2f(float x, float y)
{
    return atan2f(x, y);
}
/* @end */

/* @part hypot needs base */
GRADC_INLINE double gradc_hypot(double x, double y)
{
    return hypot(x, y);
}
/* @end */

/* @part hypotf needs base */
GRADC_INLINE float gradc_hypotf(float x, float y)
{
    return hypotf(x, y);
}
/* @end */

/* @part abs needs base */
GRADC_INLINE double gradc_abs(double x)
{
    return fabs(x);
}
/* @end */

/* @part absf needs base */
GRADC_INLINE float gradc_absf(float x)
{
    return fabsf(x);
}
/* @end */

/* @part sign needs base */
GRADC_INLINE double gradc_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}
/* @end */

/* @part signf needs base */
GRADC_INLINE float gradc_signf(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}
/* @end */

/* @part min needs base */
GRADC_INLINE double gradc_min(double x, double y)
{
    return y < x || y != y ? y : x;
}
/* @end */

/* @part minf needs base */
GRADC_INLINE float gradc_minf(float x, float y)
{
    return y < x || y != y ? y : x;
}
/* @end */

/* @part max needs base */
GRADC_INLINE double gradc_max(double x, double y)
{
    return y > x || y != y ? y : x;
}
/* @end */

/* @part maxf needs base */
GRADC_INLINE float gradc_maxf(float x, float y)
{
    return y > x || y != y ? y : x;
}
/* @end */

/* @part relu needs base */
GRADC_INLINE double gradc_relu(double x)
{
    return x <= 0.0 ? 0.0 : x;
}
/* @end */

/* @part reluf needs base */
GRADC_INLINE float gradc_reluf(float x)
{
    return x <= 0.0f ? 0.0f : x;
}
/* @end */

/* @part mod needs base */
GRADC_INLINE double gradc_mod(double x, double y)
{
    double r = fmod(x, y);
    return r != 0.0 && (r < 0.0) != (y < 0.0) ? r + y : r;
}
/* @end */

/* @part modf needs base */
GRADC_INLINE float gradc_modf(float x, float y)
{
    float r = fmodf(x, y);
    return r != 0.0f && (r < 0.0f) != (y < 0.0f) ? r + y : r;
}
/* @end */

/* @part powi needs base */
GRADC_INLINE double gradc_powi(double x, int64_t n)
{
    return pow(x, (double)n);
}
/* @end */

/* @part powif needs base */
GRADC_INLINE float gradc_powif(float x, int64_t n)
{
    return powf(x, (float)n);
}
/* @end */

/* @part sigmoid needs base exp */
GRADC_INLINE double gradc_sigmoid(double x)
{
    double e = gradc_exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
/* @end */

/* @part sigmoidf needs base expf */
GRADC_INLINE float gradc_sigmoidf(float x)
{
    float e = gradc_expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}
/* @end */

/* @part softplus needs base exp log1p */
GRADC_INLINE double gradc_softplus(double x)
{
    return (x <= 0.0 ? 0.0 : x) + gradc_log1p(gradc_exp(-fabs(x)));
}
/* @end */

/* @part softplusf needs base expf log1pf */
GRADC_INLINE float gradc_softplusf(float x)
{
    return (x <= 0.0f ? 0.0f : x) + gradc_log1pf(gradc_expf(-fabsf(x)));
}
/* @end */

/* @part log1mexp needs base exp log log1p expm1 */
GRADC_INLINE double gradc_log1mexp(double x)
{
    return x > -0.6931471805599453 ? gradc_log(-gradc_expm1(x)) : gradc_log1p(-gradc_exp(x));
}
/* @end */

/* @part log1mexpf needs base expf logf log1pf expm1f */
GRADC_INLINE float gradc_log1mexpf(float x)
{
    return x > -0.6931471805599453f ? gradc_logf(-gradc_expm1f(x)) : gradc_log1pf(-gradc_expf(x));
}
/* @end */

/* @part logaddexp needs base exp log1p */
GRADC_INLINE double gradc_logaddexp(double x, double y)
{
    double d = x == y ? 0.0 : -fabs(x - y);
    return (x < y ? y : x) + gradc_log1p(gradc_exp(d));
}
/* @end */

/* @part logaddexpf needs base expf log1pf */
GRADC_INLINE float gradc_logaddexpf(float x, float y)
{
    float d = x == y ? 0.0f : -fabsf(x - y);
    return (x < y ? y : x) + gradc_log1pf(gradc_expf(d));
}
/* @end */

/* @part weight needs base exp */
GRADC_INLINE double gradc_weight(double x, double m)
{
    return x < -DBL_MAX ? 0.0 : gradc_exp(x - m);
}
/* @end */

/* @part weightf needs base expf */
GRADC_INLINE float gradc_weightf(float x, float m)
{
    return x < -FLT_MAX ? 0.0f : gradc_expf(x - m);
}
/* @end */

/* @part lgamma needs base */
GRADC_INLINE double gradc_lgamma(double x)
{
    return lgamma(x);
}
/* @end */

/* @part lgammaf needs base */
GRADC_INLINE float gradc_lgammaf(float x)
{
    return lgammaf(x);
}
/* @end */

/* @part digamma needs base */
GRADC_FN double gradc_digamma(double x)
{
    double s = 0.0, z;
    for (; x < 10.0; x += 1.0)
        s -= 1.0 / x;
    z = 1.0 / (x * x);
    return s + log(x) - 0.5 / x - z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * (1.0 / 252.0 - z * (1.0 / 240.0 - z / 132.0))));
}
/* @end */

/* @part digammaf needs base */
GRADC_FN float gradc_digammaf(float x)
{
    float s = 0.0f, z;
    for (; x < 10.0f; x += 1.0f)
        s -= 1.0f / x;
    z = 1.0f / (x * x);
    return s + logf(x) - 0.5f / x - z * (1.0f / 12.0f - z * (1.0f / 120.0f - z * (1.0f / 252.0f - z * (1.0f / 240.0f - z / 132.0f))));
}
/* @end */

/* @part polygamma needs base */
GRADC_FN double gradc_polygamma(int64_t n, double x)
{
    double s = 0.0, f = 1.0, m = (double)n;
    int64_t k;
    for (k = 2; k <= n; k++)
        f *= (double)k;
    for (; x < 15.0; x += 1.0)
        s += pow(x, -(m + 1.0));
    s += pow(x, -m) / m + 0.5 * pow(x, -m - 1.0) + (m + 1.0) / 12.0 * pow(x, -m - 2.0) - (m + 1.0) * (m + 2.0) * (m + 3.0) / 720.0 * pow(x, -m - 4.0);
    return (n & 1 ? f : -f) * s;
}
/* @end */

/* @part polygammaf needs base */
GRADC_FN float gradc_polygammaf(int64_t n, float x)
{
    float s = 0.0f, f = 1.0f, m = (float)n;
    int64_t k;
    for (k = 2; k <= n; k++)
        f *= (float)k;
    for (; x < 15.0f; x += 1.0f)
        s += powf(x, -(m + 1.0f));
    s += powf(x, -m) / m + 0.5f * powf(x, -m - 1.0f) + (m + 1.0f) / 12.0f * powf(x, -m - 2.0f) - (m + 1.0f) * (m + 2.0f) * (m + 3.0f) / 720.0f * powf(x, -m - 4.0f);
    return (n & 1 ? f : -f) * s;
}
/* @end */

/* @part matmul needs base */
/* c[i, j] (+)= sum over p of a[i, p] * b[p, j], for i < m, j < n, p < k. X_row and X_col: how many entries apart neighbours in a
 * column and in a row of X are. c is overwritten, or added to if `accumulate`; it overlaps neither a nor b. */
GRADC_FN void gradc_matmul(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b, size_t b_row,
                           size_t b_col, double *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t i, j, p;
    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            double s = accumulate ? c[i * c_row + j * c_col] : 0.0;
            for (p = 0; p < k; p++)
                s += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
            c[i * c_row + j * c_col] = s;
        }
}
/* @end */

/* @part matmulf needs base */
/* c[i, j] (+)= sum over p of a[i, p] * b[p, j], for i < m, j < n, p < k. X_row and X_col: how many entries apart neighbours in a
 * column and in a row of X are. c is overwritten, or added to if `accumulate`; it overlaps neither a nor b. */
GRADC_FN void gradc_matmulf(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b, size_t b_row,
                           size_t b_col, float *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t i, j, p;
    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++) {
            float s = accumulate ? c[i * c_row + j * c_col] : 0.0f;
            for (p = 0; p < k; p++)
                s += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
            c[i * c_row + j * c_col] = s;
        }
}
/* @end */

#endif
