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

/* GRADC_FN: an ordinary helper. GRADC_INLINE: one that must be inlined for the loop around it to become vector code.
 * GRADC_OUTLINE: one that is large, and stays a function. */
#if defined(__GNUC__)
#define GRADC_FN static inline __attribute__((unused))
#define GRADC_OUTLINE static __attribute__((unused, noinline))
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define GRADC_INLINE static inline __attribute__((unused, always_inline))
#else
#define GRADC_INLINE GRADC_FN
#endif
#else
#define GRADC_FN static inline
#define GRADC_OUTLINE static inline
#define GRADC_INLINE static inline
#endif

/* GRADC_LIKELY(c): c, which is true nearly always. GRADC_GUESS(c): c, which is known late in a chain of turns, and had better be
 * guessed than waited for: gcc makes a jump of it by itself, clang if it is told that c is nearly always true. */
#if defined(__GNUC__)
#define GRADC_LIKELY(c) __builtin_expect((c), 1)
#else
#define GRADC_LIKELY(c) (c)
#endif
#if defined(__clang__)
#define GRADC_GUESS(c) GRADC_LIKELY(c)
#else
#define GRADC_GUESS(c) (c)
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
 *   GRADC_ROW         so are these: the places of one row of 64 bytes, of which there are gradc_places
 *   GRADC_ANY(acc)    they are, but for `acc = gradc_int_max(acc, x > y ? 1 : 0)`: an integer, whose order does not matter
 *   GRADC_TURNED      so are these, each of which copies to a row what lies apart in a block: gcc, if told, would gather
 *   GRADC_STEPS       nothing of the kind: one turn after the other, with a jump or two in each; clang is not to unroll them
 * gcc obeys when called with -fopenmp-simd (or -fopenmp), which is advised; else its own analysis decides, or, with
 * -DGRADC_IVDEP, it is told of the independence, which helps at -O3. clang obeys always. g++ before version 13 cannot be kept
 * silent about a pragma that it does not know, so in C++ gcc is told only with -DGRADC_SIMD. */
#define GRADC_PRAGMA(...) _Pragma(#__VA_ARGS__)
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* a wish, not an assertion: -Os and -O1 may decline */
#define GRADC_LANES GRADC_PRAGMA(clang loop vectorize(assume_safety) unroll(disable))
#define GRADC_ROW GRADC_PRAGMA(clang loop vectorize(assume_safety))
#define GRADC_ANY(acc)
#define GRADC_TURNED GRADC_LANES
#define GRADC_STEPS GRADC_PRAGMA(clang loop vectorize(disable) unroll(disable))
#elif defined(__GNUC__) && defined(GRADC_IVDEP)
#define GRADC_LANES GRADC_PRAGMA(GCC ivdep)
#define GRADC_ROW GRADC_PRAGMA(GCC ivdep)
#define GRADC_STEPS
#define GRADC_ANY(acc)
#define GRADC_TURNED
#elif defined(__GNUC__) && (!defined(__cplusplus) || defined(GRADC_SIMD))
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* without -fopenmp-simd these are comments */
#define GRADC_LANES GRADC_PRAGMA(omp simd)
#define GRADC_ROW GRADC_PRAGMA(omp simd)
#define GRADC_STEPS
#define GRADC_ANY(acc) GRADC_PRAGMA(omp simd reduction(max : acc))
#define GRADC_TURNED
#else
#define GRADC_LANES
#define GRADC_ROW
#define GRADC_STEPS
#define GRADC_ANY(acc)
#define GRADC_TURNED
#endif
/* n places. A row is in registers if its loop becomes vector operations and vanishes. clang unrolls loops of known length before it
 * looks for vectors, and then finds hardly any; if told not to, it keeps a loop of one turn. So it learns the length between the
 * two: there it decides that the size of an object that it knows nothing of is unknown, which is not 0. */
#if defined(__clang__)
GRADC_INLINE int gradc_places(int n)
{
    return __builtin_object_size((const void *)(uintptr_t)n, 0) == 0 ? 0 : n;
}
#else
#define gradc_places(n) (n)
#endif
/* @end */

/* @part width needs base */
/* Loops that go by blocks of 64 turns: how many the next block has, of so many that are left. */
GRADC_INLINE int64_t gradc_width(int64_t left)
{
    return left < 64 ? left : 64;
}
/* @end */

/* @part row needs base */
/* Rows of n numbers that have room for whole vectors. */
GRADC_INLINE int64_t gradc_row(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}
/* @end */

/* @part parts needs lanes */
/* Loops that go in parts, which threads take: GRADC_PARALLEL(worth) stands right before a `for` over parts. It is nothing unless
 * the file is compiled with -fopenmp. For tests: with -DGRADC_PARTS_BACKWARDS the last part is the first, and nothing may change; with
 * -DGRADC_PARTS_FEWEST=n each loop has n parts at least, however short it is. */
#if defined(_OPENMP)
#include <omp.h>
#define GRADC_PARALLEL(worth) GRADC_PRAGMA(omp parallel for schedule(static, 1) if (worth))
#define GRADC_SLOT omp_get_thread_num() /* below the number of parts: they go round the threads */
#else
#define GRADC_PARALLEL(worth)
#define GRADC_SLOT 0
#endif
#if defined(GRADC_PARTS_BACKWARDS)
#define GRADC_PART(turn, parts) ((parts) - 1 - (turn))
#else
#define GRADC_PART(turn, parts) (turn)
#endif
#if !defined(GRADC_PARTS_FEWEST)
#define GRADC_PARTS_FEWEST 1
#endif
/* How many parts a loop has, at most 64: it depends on sizes alone, so that results are the same for any number of threads. A part is
 * worth some microseconds of `work`, has a block of `step` turns at least, and what parts sum up (weight entries each) is not
 * larger altogether than what is read (data) and some. */
GRADC_FN int64_t gradc_parts(double turns, int step, double work, double data, double weight)
{
    const double most = (data + 65536.0) / (weight > 1.0 ? weight : 1.0);
    double n = work / 32768.0;
    n = turns / step < n ? turns / step : n;
    n = weight > 0.0 && most < n ? most : n;
    return n >= 64.0 ? 64 : n >= GRADC_PARTS_FEWEST + 1.0 ? (int64_t)n : GRADC_PARTS_FEWEST;
}
GRADC_FN int64_t gradc_more(int64_t x, int64_t y)
{
    return x > y ? x : y;
}
/* The first turn of part `part`, and behind the last part the end: whole blocks of `step` turns, as many for each as can be. */
GRADC_FN int64_t gradc_part(int64_t part, int64_t parts, int64_t lo, int64_t hi, int64_t step)
{
    const int64_t blocks = hi > lo ? (hi - lo - 1) / step + 1 : 0;
    return part == parts ? hi : lo + step * (blocks * part / parts);
}
/* @end */

/* @part add_parts needs parts */
/* What the parts of a loop summed up, n entries each, is added to what the first one has, in their order. */
GRADC_FN void gradc_add_parts(double *gradc_restrict to, const double *gradc_restrict from, int64_t parts, size_t n)
{
    const int64_t blocks = parts > 1 ? (int64_t)((n + 255) / 256) : 0;
    GRADC_PARALLEL(blocks > 64)
    for (int64_t block = 0; block < blocks; block++) {
        const size_t first = (size_t)block * 256, end = n - first < 256 ? n : first + 256;
        for (int64_t part = 1; part < parts; part++) {
            const double *const add = from + (size_t)(part - 1) * n;
            GRADC_LANES
            for (size_t k = first; k < end; k++)
                to[k] += add[k];
        }
    }
}
/* @end */

/* @part add_partsf needs parts */
GRADC_FN void gradc_add_partsf(float *gradc_restrict to, const float *gradc_restrict from, int64_t parts, size_t n)
{
    const int64_t blocks = parts > 1 ? (int64_t)((n + 255) / 256) : 0;
    GRADC_PARALLEL(blocks > 64)
    for (int64_t block = 0; block < blocks; block++) {
        const size_t first = (size_t)block * 256, end = n - first < 256 ? n : first + 256;
        for (int64_t part = 1; part < parts; part++) {
            const float *const add = from + (size_t)(part - 1) * n;
            GRADC_LANES
            for (size_t k = first; k < end; k++)
                to[k] += add[k];
        }
    }
}
/* @end */

/* @part sum_row needs lanes */
/* What the places of a row have summed up, put together: halves first, the same order everywhere. */
GRADC_INLINE double gradc_sum_row(const double *row)
{
    return ((row[0] + row[4]) + (row[2] + row[6])) + ((row[1] + row[5]) + (row[3] + row[7]));
}
/* @end */

/* @part sum_rowf needs lanes */
GRADC_INLINE float gradc_sum_rowf(const float *row)
{
    return (((row[0] + row[8]) + (row[4] + row[12])) + ((row[2] + row[10]) + (row[6] + row[14]))) +
           (((row[1] + row[9]) + (row[5] + row[13])) + ((row[3] + row[11]) + (row[7] + row[15])));
}
/* @end */

/* @part fold needs sum_row */
/* The sum of the first n <= 64 of a row: halves first, the same order everywhere. */
GRADC_FN double gradc_fold(const double *row, int64_t n)
{
    double sum[8], all[64];
    int k;
    if (n < 64) {
        for (k = 0; k < 64; k++)
            all[k] = k < n ? row[k] : 0;
        row = all;
    }
    GRADC_ROW
    for (k = 0; k < 8; k++)
        sum[k] = ((row[k] + row[k + 32]) + (row[k + 16] + row[k + 48])) +
                 ((row[k + 8] + row[k + 40]) + (row[k + 24] + row[k + 56]));
    return gradc_sum_row(sum);
}
/* @end */

/* @part foldf needs sum_rowf */
GRADC_FN float gradc_foldf(const float *row, int64_t n)
{
    float sum[16], all[64];
    int k;
    if (n < 64) {
        for (k = 0; k < 64; k++)
            all[k] = k < n ? row[k] : 0;
        row = all;
    }
    GRADC_ROW
    for (k = 0; k < 16; k++)
        sum[k] = (row[k] + row[k + 32]) + (row[k + 16] + row[k + 48]);
    return gradc_sum_rowf(sum);
}
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
    GRADC_NOT_POSITIVE_DEFINITE = 5, /* cholesky, spd_solve */
    GRADC_SINGULAR = 6,              /* solve, inverse, logdet, triangular solves */
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
    if (GRADC_LIKELY(lo <= p && p < hi))
        return p;
    gradc_fail(status, GRADC_BAD_INDEX);
    return lo;
}
/* @end */

/* @part indices needs lanes */
/* Are all of n indices in 0 .. end - 1? As unsigned numbers, negative ones are the largest. No turn of the loop asks another one,
 * so that it becomes vector code; what is wrong is seen after each 4096. */
GRADC_FN int gradc_indices(const int32_t *x, int64_t n, int64_t end)
{
    const uint32_t bound = end <= 0 ? 0 : end > INT32_MAX ? (uint32_t)INT32_MAX + 1 : (uint32_t)end;
    for (int64_t from = 0; from < n; from += 4096) {
        const int64_t to = n - from < 4096 ? n : from + 4096;
        uint32_t wrong = 0, row[16] = {0};
        int64_t k = from;
        for (; k + 16 <= to; k += 16) {
            GRADC_ROW
            for (int place = 0; place < gradc_places(16); place++)
                row[place] |= (uint32_t)((uint32_t)x[k + place] >= bound);
        }
        for (int place = 0; place < 16; place++)
            wrong |= row[place];
        for (; k < to; k++)
            wrong |= (uint32_t)((uint32_t)x[k] >= bound);
        if (wrong > 0)
            return 0;
    }
    return 1;
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
/* Where the next array of a workspace starts. */
GRADC_FN size_t gradc_place(size_t *end, size_t bytes)
{
    const size_t at = *end;
    *end = gradc_size_add(at, bytes);
    return at;
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

/* @part checkpoint needs base */
/* Checkpoints: how many states there are where one is kept every `block` of n turns. */
GRADC_FN int64_t gradc_states(int64_t n, int64_t block)
{
    return n <= block ? 1 : 1 + (n - 1) / block;
}
/* The least power of two w from `least` on with blocks of w - reach turns, such that there are not more states than turns in a
 * block. */
GRADC_FN int64_t gradc_span(int64_t n, int64_t reach, int64_t least)
{
    int64_t w = 2;
    while (w < least || w <= reach || (w - reach) * (w - reach) < n)
        w *= 2;
    return w;
}
/* n turns are to be reversed with s states, the one before the first turn among them: how many turns ahead is the next one kept?
 * (A. Griewank, A. Walther: Algorithm 799, revolve, ACM TOMS 26, 2000: n <= C(s + r, s) turns are done at most r times.) */
GRADC_FN int64_t gradc_split(int64_t n, int64_t s)
{
    int64_t reps = 0, all = 1, fewer = 1, rest = 1;
    if (n <= 1 || s <= 1)
        return n;
    while (all < n) {
        reps++;
        fewer = all; /* C(s + reps - 1, s) */
        all = all * (s + reps) / reps;
    }
    for (int64_t k = 1; k < reps; k++) /* C(s + reps - 2, s - 1) */
        rest = rest * (s - 1 + k) / k;
    return fewer < n - rest ? fewer : n - rest;
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
GRADC_FN int64_t gradc_int_abs(int64_t a, int *status)
{
    return a < 0 ? gradc_int_sub(0, a, status) : a;
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

/* @part int_order needs base */
GRADC_INLINE int64_t gradc_int_min(int64_t a, int64_t b)
{
    return b < a ? b : a;
}
GRADC_INLINE int64_t gradc_int_max(int64_t a, int64_t b)
{
    return b > a ? b : a;
}
/* For an integer that the sizes bound, as i - j: there is nothing that could overflow. */
GRADC_INLINE int64_t gradc_int_magnitude(int64_t a)
{
    return a < 0 ? -a : a;
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

/* @part bits needs base */
/* Choice without branches. A branch, even one that compilers usually turn into a select, can keep gcc from making vector code
 * (it moves the arithmetic of one side behind the test), so choices are made on the bits: a mask is all ones where a comparison
 * holds. gcc before SSE4.2 cannot compare two doubles into 64-bit masks in vector code; there a mask is the sign of a
 * difference, which says nothing about NaN, and gradc_keep_nan puts NaN back. Elsewhere a comparison with NaN is false. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__SSE2__) && !defined(__SSE4_2__)
#define GRADC_SIGN_MASKS 1
#else
#define GRADC_SIGN_MASKS 0
#endif
GRADC_INLINE uint64_t gradc_bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
GRADC_INLINE double gradc_of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}
/* x < y; x and y are not infinities of one sign. */
GRADC_INLINE uint64_t gradc_below(double x, double y)
{
#if GRADC_SIGN_MASKS
    return 0 - (gradc_bits(x - y) >> 63);
#else
    return 0 - (uint64_t)(x < y);
#endif
}
/* x is 0 or -0. */
GRADC_INLINE uint64_t gradc_is_zero(double x)
{
    return 0 - (((gradc_bits(x) & 0x7fffffffffffffffu) - 1) >> 63);
}
GRADC_INLINE uint64_t gradc_is_nan(double x)
{
    return 0 - ((0x7ff0000000000000u - (gradc_bits(x) & 0x7fffffffffffffffu)) >> 63);
}
GRADC_INLINE double gradc_pick(uint64_t mask, double yes, double no)
{
    return gradc_of_bits((gradc_bits(yes) & mask) | (gradc_bits(no) & ~mask));
}
/* y, or NaN where x is; for functions whose arithmetic passes NaN on, but for the masks. */
GRADC_INLINE double gradc_keep_nan(double x, double y)
{
#if GRADC_SIGN_MASKS
    return gradc_of_bits(gradc_bits(y) | gradc_is_nan(x));
#else
    (void)x;
    return y;
#endif
}
GRADC_INLINE double gradc_magnitude(double x)
{
    return gradc_of_bits(gradc_bits(x) & 0x7fffffffffffffffu);
}
/* y with x's sign bit set, where x has one; y >= 0, or its sign is already right. */
GRADC_INLINE double gradc_add_sign(double x, double y)
{
    return gradc_of_bits(gradc_bits(y) | (gradc_bits(x) & 0x8000000000000000u));
}
/* @end */

/* @part bitsf needs base */
/* The same on 32 bits, where every compiler can compare. */
GRADC_INLINE uint32_t gradc_bitsf(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
GRADC_INLINE float gradc_of_bitsf(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
GRADC_INLINE uint32_t gradc_belowf(float x, float y)
{
    return 0 - (uint32_t)(x < y);
}
GRADC_INLINE uint32_t gradc_is_zerof(float x)
{
    return 0 - (((gradc_bitsf(x) & 0x7fffffffu) - 1) >> 31);
}
GRADC_INLINE uint32_t gradc_is_nanf(float x)
{
    return 0 - ((0x7f800000u - (gradc_bitsf(x) & 0x7fffffffu)) >> 31);
}
GRADC_INLINE float gradc_pickf(uint32_t mask, float yes, float no)
{
    return gradc_of_bitsf((gradc_bitsf(yes) & mask) | (gradc_bitsf(no) & ~mask));
}
GRADC_INLINE float gradc_magnitudef(float x)
{
    return gradc_of_bitsf(gradc_bitsf(x) & 0x7fffffffu);
}
GRADC_INLINE float gradc_add_signf(float x, float y)
{
    return gradc_of_bitsf(gradc_bitsf(y) | (gradc_bitsf(x) & 0x80000000u));
}
/* @end */

/* @part exp_poly needs base */
/* exp(r) - 1 for |r| <= 0.35: the first terms are Taylor's, the others a minimax fit, relative error 2^-59. */
GRADC_INLINE double gradc_exp_poly(double r)
{
    double r2 = r * r, r4 = r2 * r2;
    double a = 0.5 + r * 0.16666666666666674, b = 0.041666666666666644 + r * 0.008333333333323882;
    double c = 0.001388888888890737 + r * 0.0001984126987980507, d = 2.4801587261245812e-05 + r * 2.7557251134294123e-06;
    double e = 2.75573413253015e-07 + r * 2.51064509889249e-08;
    return r + r2 * ((a + r2 * b) + r4 * ((c + r2 * d) + r4 * (e + r2 * 2.0890270082236196e-09)));
}
/* @end */

/* @part exp_polyf needs base */
/* relative error 2^-26 */
GRADC_INLINE float gradc_exp_polyf(float r)
{
    float r2 = r * r;
    return r + r2 * ((0.5f + r * 0.1666652f) + r2 * ((0.041666605f + r * 0.0083695855f) + r2 * 0.0013919094f));
}
/* @end */

/* @part exp_core needs bits exp_poly */
/* exp(x) for -1400 < x < 710.1, overflow, subnormal results and 0 included; NaN gives NaN; elsewhere any number.
 * x = n ln 2 + r, n found by adding 1.5 * 2^52, which leaves n in the low bits: with 2046 added, half of them is the exponent
 * of 2^(n/2). The power comes in two factors so that neither overflows and a subnormal result is rounded once. */
GRADC_INLINE double gradc_exp_core(double x)
{
    const double shift = 6755399441055744.0 + 2046.0;
    double t = x * 1.4426950408889634 + shift, n = t - shift;
    double r = (x - n * 0.6931471805598903) - n * 5.497923018708371e-14;
    uint64_t u = gradc_bits(t), half = u >> 1;
    return (1.0 + gradc_exp_poly(r)) * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
}
/* @end */

/* @part exp_coref needs bitsf exp_polyf */
GRADC_INLINE float gradc_exp_coref(float x)
{
    const float shift = 12582912.0f + 254.0f;
    float t = x * 1.442695f + shift, n = t - shift;
    float r = (x - n * 0.69314575f) - n * 1.4286068e-06f;
    uint32_t u = gradc_bitsf(t), half = u >> 1;
    return (1.0f + gradc_exp_polyf(r)) * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
}
/* @end */

/* @part expm1_core needs bits exp_poly */
/* exp(x) - 1 for -40 <= x < 710.1; halved inside, so that it overflows only where the result does. */
GRADC_INLINE double gradc_expm1_core(double x)
{
    const double shift = 6755399441055744.0 + 1022.0;
    double t = x * 1.4426950408889634 + shift, n = t - shift;
    double r = (x - n * 0.6931471805598903) - n * 5.497923018708371e-14;
    double half = gradc_of_bits(gradc_bits(t) << 52);
    return 2.0 * ((half - 0.5) + half * gradc_exp_poly(r));
}
/* @end */

/* @part expm1_coref needs bitsf exp_polyf */
GRADC_INLINE float gradc_expm1_coref(float x)
{
    const float shift = 12582912.0f + 126.0f;
    float t = x * 1.442695f + shift, n = t - shift;
    float r = (x - n * 0.69314575f) - n * 1.4286068e-06f;
    float half = gradc_of_bitsf(gradc_bitsf(t) << 23);
    return 2.0f * ((half - 0.5f) + half * gradc_exp_polyf(r));
}
/* @end */

/* @part exp needs exp_core */
/* e^x. */
GRADC_INLINE double gradc_exp(double x)
{
    double y = gradc_exp_core(x);
    y = gradc_pick(gradc_below(710.0, x), HUGE_VAL, y);
    y = gradc_pick(gradc_below(x, -750.0), 0.0, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part expf needs exp_coref */
GRADC_INLINE float gradc_expf(float x)
{
    float y = gradc_exp_coref(x);
    y = gradc_pickf(gradc_belowf(89.0f, x), HUGE_VALF, y);
    y = gradc_pickf(gradc_belowf(x, -105.0f), 0.0f, y);
    return y;
}
/* @end */

/* @part exp2 needs bits */
/* 2^x; 2^r - 1 for |r| <= 1/2 is r times a minimax polynomial, relative error 2^-57. */
GRADC_INLINE double gradc_exp2(double x)
{
    const double shift = 6755399441055744.0 + 2046.0;
    double t = x + shift, r = x - (t - shift), r2 = r * r, r4 = r2 * r2;
    double a = 0.2402265069591015 + r * 0.05550410866482406, b = 0.009618129107586224 + r * 0.0013333558145774526;
    double c = 0.00015403530467355406 + r * 1.5252734480820674e-05, d = 1.3215430106745943e-06 + r * 1.0177781136990317e-07;
    double e = 7.074676316304145e-09 + r * 4.4984497234941435e-10;
    double p = r * 0.6931471805599453 + r2 * ((a + r2 * b) + r4 * ((c + r2 * d) + r4 * e));
    uint64_t u = gradc_bits(t), half = u >> 1;
    double y = (1.0 + p) * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
    y = gradc_pick(gradc_below(1024.4, x), HUGE_VAL, y);
    y = gradc_pick(gradc_below(x, -1080.0), 0.0, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part exp2f needs bitsf */
/* relative error 2^-31 */
GRADC_INLINE float gradc_exp2f(float x)
{
    const float shift = 12582912.0f + 254.0f;
    float t = x + shift, r = x - (t - shift), r2 = r * r;
    float a = 0.2402265f + r * 0.05550406f, b = 0.009618087f + r * 0.0013336772f, c = 0.00015452175f + r * 1.46494895e-05f;
    float p = r * 0.6931472f + r2 * (a + r2 * (b + r2 * c));
    uint32_t u = gradc_bitsf(t), half = u >> 1;
    float y = (1.0f + p) * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
    y = gradc_pickf(gradc_belowf(128.4f, x), HUGE_VALF, y);
    y = gradc_pickf(gradc_belowf(x, -152.0f), 0.0f, y);
    return y;
}
/* @end */

/* @part expm1 needs expm1_core */
/* e^x - 1, accurate upper 0, where it is x. */
GRADC_INLINE double gradc_expm1(double x)
{
    double y = gradc_expm1_core(x);
    y = gradc_pick(gradc_below(710.0, x), HUGE_VAL, y);
    y = gradc_pick(gradc_below(x, -40.0), -1.0, y);
    y = gradc_pick(gradc_below(gradc_magnitude(x), 1e-17), x, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part expm1f needs expm1_coref */
GRADC_INLINE float gradc_expm1f(float x)
{
    float y = gradc_expm1_coref(x);
    y = gradc_pickf(gradc_belowf(89.0f, x), HUGE_VALF, y);
    y = gradc_pickf(gradc_belowf(x, -18.0f), -1.0f, y);
    y = gradc_pickf(gradc_belowf(gradc_magnitudef(x), 1e-9f), x, y);
    return y;
}
/* @end */

/* @part tanh needs bits exp_poly */
/* Hyperbolic tangent: with e = exp(-2|x|) it is (1 - e) / (1 + e), for larger x written 1 - 2e / (1 + e), and x's sign. */
GRADC_INLINE double gradc_tanh(double x)
{
    const double shift = 6755399441055744.0 + 1023.0;
    double a = gradc_magnitude(x), z = -2.0 * a;
    double t = z * 1.4426950408889634 + shift, n = t - shift;
    double r = (z - n * 0.6931471805598903) - n * 5.497923018708371e-14;
    double s = gradc_of_bits(gradc_bits(t) << 52), q = s * gradc_exp_poly(r), e = s + q;
    uint64_t large = gradc_below(0.55, a);
    double y = gradc_of_bits(gradc_bits(1.0) & large) + gradc_pick(large, -2.0 * e, (1.0 - s) - q) / (1.0 + e);
    y = gradc_pick(gradc_below(20.0, a), 1.0, y);
    return gradc_keep_nan(x, gradc_add_sign(x, y));
}
/* @end */

/* @part tanhf needs bitsf exp_polyf */
GRADC_INLINE float gradc_tanhf(float x)
{
    const float shift = 12582912.0f + 127.0f;
    float a = gradc_magnitudef(x), z = -2.0f * a;
    float t = z * 1.442695f + shift, n = t - shift;
    float r = (z - n * 0.69314575f) - n * 1.4286068e-06f;
    float s = gradc_of_bitsf(gradc_bitsf(t) << 23), q = s * gradc_exp_polyf(r), e = s + q;
    uint32_t large = gradc_belowf(0.55f, a);
    float y = gradc_of_bitsf(gradc_bitsf(1.0f) & large) + gradc_pickf(large, -2.0f * e, (1.0f - s) - q) / (1.0f + e);
    y = gradc_pickf(gradc_belowf(10.0f, a), 1.0f, y);
    return gradc_add_signf(x, y);
}
/* @end */

/* @part sigmoid needs exp_core */
/* 1 / (1 + e^-x); for negative x written as e^x / (1 + e^x). */
GRADC_INLINE double gradc_sigmoid(double x)
{
    double a = gradc_magnitude(x), e = gradc_exp_core(-a);
    e = gradc_pick(gradc_below(750.0, a), 0.0, e);
    return gradc_keep_nan(x, gradc_pick(gradc_below(x, 0.0), e, 1.0) / (1.0 + e));
}
/* @end */

/* @part sigmoidf needs exp_coref */
GRADC_INLINE float gradc_sigmoidf(float x)
{
    float a = gradc_magnitudef(x), e = gradc_exp_coref(-a);
    e = gradc_pickf(gradc_belowf(105.0f, a), 0.0f, e);
    return gradc_pickf(gradc_belowf(x, 0.0f), e, 1.0f) / (1.0f + e);
}
/* @end */

/* @part log_poly needs base */
/* n ln 2 + log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1, n whole. With s = f / (2 + f),
 * log(1 + f) = f - f^2/2 + s (f^2/2 + R), where R is a minimax polynomial in s^2, relative error 2^-58
 * (the form is that of fdlibm, Sun Microsystems 1993). */
GRADC_INLINE double gradc_log_poly(double f, double n)
{
    double s = f / (2.0 + f), z = s * s, z2 = z * z, h = 0.5 * f * f;
    double odd = 0.6666666666666711 + z2 * (0.2857142872072356 + z2 * (0.18183477705304846 + z2 * 0.14778013790780425));
    double even = 0.3999999999953371 + z2 * (0.22222200472432263 + z2 * 0.15316030908017184);
    double r = z * odd + z2 * even;
    return n * 0.6931471805598903 - ((h - (s * (h + r) + n * 5.497923018708371e-14)) - f);
}
/* @end */

/* @part log_polyf needs base */
/* In float a division costs more than it saves: log(1 + f) = f - f^2/2 + f^3 P(f), relative error 2^-27. */
GRADC_INLINE float gradc_log_polyf(float f, float n)
{
    float f2 = f * f, h = 0.5f * f2, f4 = f2 * f2;
    float a = 0.3333332f - f * 0.25000867f, b = 0.20002072f - f * 0.16622499f, c = 0.14185026f - f * 0.13152207f;
    float d = 0.1286294f - f * 0.077735804f;
    float r = f2 * f * ((a + f2 * b) + f4 * (c + f2 * d));
    return n * 0.69314575f - ((h - (r + n * 1.4286068e-06f)) - f);
}
/* @end */

/* @part log_split needs bits */
/* x = 2^n (1 + f) for 0 < x < infinity, subnormal ones included; f from sqrt(1/2) - 1 to sqrt(2) - 1. */
GRADC_INLINE double gradc_log_split(double x, double *n)
{
    uint64_t tiny = gradc_below(x, DBL_MIN);
    uint64_t u = gradc_bits(gradc_pick(tiny, x * 18014398509481984.0, x)) - 0x3fe6a09e667f3bcdu;
    uint64_t e = ((u >> 52) ^ 0x800u) | 0x4330000000000000u; /* 2^52 + 2048 + n, as a double */
    *n = (gradc_of_bits(e) - (4503599627370496.0 + 2048.0)) - gradc_of_bits(tiny & 0x404b000000000000u); /* - 54 */
    return gradc_of_bits((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
}
/* y where 0 < x < infinity, and what a logarithm is elsewhere: -infinity at 0, NaN below, infinity at infinity. */
GRADC_INLINE double gradc_log_edges(double x, double y)
{
    double edge = gradc_pick(gradc_is_zero(x), -HUGE_VAL, gradc_of_bits(0x7ff8000000000000u));
    y = gradc_pick(gradc_below(0.0, x), y, edge);
    y = gradc_pick(gradc_below(DBL_MAX, x), x, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part log_splitf needs bitsf */
GRADC_INLINE float gradc_log_splitf(float x, float *n)
{
    uint32_t tiny = gradc_belowf(x, FLT_MIN);
    uint32_t u = gradc_bitsf(gradc_pickf(tiny, x * 33554432.0f, x)) - 0x3f3504f3u;
    uint32_t e = ((u >> 23) ^ 0x100u) | 0x4b000000u; /* 2^23 + 256 + n, as a float */
    *n = (gradc_of_bitsf(e) - (8388608.0f + 256.0f)) - gradc_of_bitsf(tiny & 0x41c80000u); /* - 25 */
    return gradc_of_bitsf((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
}
/* y where 0 < x < infinity, and what a logarithm is elsewhere: -infinity at 0, NaN below, infinity at infinity. */
GRADC_INLINE float gradc_log_edgesf(float x, float y)
{
    float edge = gradc_pickf(gradc_is_zerof(x), -HUGE_VALF, gradc_of_bitsf(0x7fc00000u));
    y = gradc_pickf(gradc_belowf(0.0f, x), y, edge);
    y = gradc_pickf(gradc_belowf(FLT_MAX, x), x, y);
    return y;
}
/* @end */

/* @part log needs log_split log_poly */
/* Natural logarithm. */
GRADC_INLINE double gradc_log(double x)
{
    double n, f = gradc_log_split(x, &n);
    return gradc_log_edges(x, gradc_log_poly(f, n));
}
/* @end */

/* @part logf needs log_splitf log_polyf */
GRADC_INLINE float gradc_logf(float x)
{
    float n, f = gradc_log_splitf(x, &n);
    return gradc_log_edgesf(x, gradc_log_polyf(f, n));
}
/* @end */

/* @part log_parts needs bits */
/* log(1 + f) as high + low, where high has 21 bits, so that its product with a constant of 32 bits is exact. */
GRADC_INLINE double gradc_log_parts(double f, double *low)
{
    double s = f / (2.0 + f), z = s * s, z2 = z * z, h = 0.5 * f * f;
    double odd = 0.6666666666666711 + z2 * (0.2857142872072356 + z2 * (0.18183477705304846 + z2 * 0.14778013790780425));
    double even = 0.3999999999953371 + z2 * (0.22222200472432263 + z2 * 0.15316030908017184);
    double r = z * odd + z2 * even, high = gradc_of_bits(gradc_bits(f - h) & 0xffffffff00000000u);
    *low = ((f - high) - h) + s * (h + r);
    return high;
}
/* @end */

/* @part log_partsf needs bitsf */
/* high has 12 bits */
GRADC_INLINE float gradc_log_partsf(float f, float *low)
{
    float f2 = f * f, h = 0.5f * f2, f4 = f2 * f2;
    float a = 0.3333332f - f * 0.25000867f, b = 0.20002072f - f * 0.16622499f, c = 0.14185026f - f * 0.13152207f;
    float d = 0.1286294f - f * 0.077735804f;
    float r = f2 * f * ((a + f2 * b) + f4 * (c + f2 * d)), high = gradc_of_bitsf(gradc_bitsf(f - h) & 0xfffff000u);
    *low = ((f - high) - h) + r;
    return high;
}
/* @end */

/* @part log2 needs log_split log_parts */
/* Logarithm to base 2; exact for powers of 2. */
GRADC_INLINE double gradc_log2(double x)
{
    double n, f = gradc_log_split(x, &n), low, high = gradc_log_parts(f, &low);
    double p = high * 1.4426950407214463, sum = n + p;
    double rest = (low + high) * 1.6751713164886512e-10 + low * 1.4426950407214463 + ((n - sum) + p);
    return gradc_log_edges(x, sum + rest);
}
/* @end */

/* @part log2f needs log_splitf log_partsf */
GRADC_INLINE float gradc_log2f(float x)
{
    float n, f = gradc_log_splitf(x, &n), low, high = gradc_log_partsf(f, &low);
    float p = high * 1.4423828f, sum = n + p;
    float rest = (low + high) * 0.0003122284f + low * 1.4423828f + ((n - sum) + p);
    return gradc_log_edgesf(x, sum + rest);
}
/* @end */

/* @part log10 needs log_split log_parts */
/* Logarithm to base 10. */
GRADC_INLINE double gradc_log10(double x)
{
    double n, f = gradc_log_split(x, &n), low, high = gradc_log_parts(f, &low);
    double p = high * 0.4342944818781689, q = n * 0.30102999566395283, sum = q + p;
    double rest = n * 2.8363394551044964e-14 +
        ((low + high) * 2.5082946711645275e-11 + low * 0.4342944818781689) + ((q - sum) + p);
    return gradc_log_edges(x, sum + rest);
}
/* @end */

/* @part log10f needs log_splitf log_partsf */
GRADC_INLINE float gradc_log10f(float x)
{
    float n, f = gradc_log_splitf(x, &n), low, high = gradc_log_partsf(f, &low);
    float p = high * 0.4342041f, q = n * 0.3010254f, sum = q + p;
    float rest = n * 4.605039e-06f + ((low + high) * 9.038034e-05f + low * 0.4342041f) + ((q - sum) + p);
    return gradc_log_edgesf(x, sum + rest);
}
/* @end */

/* @part log1p_core needs bits log_poly */
/* log(u + v), where u is the rounded sum 1 + something and v what was lost; 2^-53 <= u < infinity. */
GRADC_INLINE double gradc_log1p_core(double u, double v)
{
    uint64_t w = gradc_bits(u) - 0x3fe6a09e667f3bcdu;
    uint64_t e = (w >> 52) ^ 0x800u; /* 2048 + n */
    double n = gradc_of_bits(e | 0x4330000000000000u) - (4503599627370496.0 + 2048.0);
    double f = gradc_of_bits((w & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double scale = gradc_of_bits((0x400u + 0x800u - e) << 52); /* 2^(1 - n) */
    return gradc_log_poly(f + v * (0.5 * scale), n);
}
/* What is lost when u = 1 + x is rounded (Knuth's two-sum). */
GRADC_INLINE double gradc_log1p_rest(double u, double x)
{
    double part = u - 1.0;
    return (1.0 - (u - part)) + (x - part);
}
/* @end */

/* @part log1p_coref needs bitsf log_polyf */
/* log(u + v), where u is the rounded sum 1 + something and v what was lost; 2^-53 <= u < infinity. */
GRADC_INLINE float gradc_log1p_coref(float u, float v)
{
    uint32_t w = gradc_bitsf(u) - 0x3f3504f3u;
    uint32_t e = (w >> 23) ^ 0x100u; /* 2048 + n */
    float n = gradc_of_bitsf(e | 0x4b000000u) - (8388608.0f + 256.0f);
    float f = gradc_of_bitsf((w & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float scale = gradc_of_bitsf((0x80u + 0x100u - e) << 23); /* 2^(1 - n) */
    return gradc_log_polyf(f + v * (0.5f * scale), n);
}
/* What is lost when u = 1 + x is rounded (Knuth's two-sum). */
GRADC_INLINE float gradc_log1p_restf(float u, float x)
{
    float part = u - 1.0f;
    return (1.0f - (u - part)) + (x - part);
}
/* @end */

/* @part log1p needs log1p_core log_split */
/* log(1 + x), accurate upper 0, where it is x. */
GRADC_INLINE double gradc_log1p(double x)
{
    double u = 1.0 + x, y = gradc_log1p_core(u, gradc_log1p_rest(u, x));
    y = gradc_log_edges(u, y);
    return gradc_keep_nan(x, gradc_add_sign(x, y));
}
/* @end */

/* @part log1pf needs log1p_coref log_splitf */
GRADC_INLINE float gradc_log1pf(float x)
{
    float u = 1.0f + x, y = gradc_log1p_coref(u, gradc_log1p_restf(u, x));
    y = gradc_log_edgesf(u, y);
    return gradc_add_signf(x, y);
}
/* @end */

/* @part softplus needs exp_core log1p_core */
/* log(1 + e^x), as max(x, 0) + log(1 + e^-|x|). */
GRADC_INLINE double gradc_softplus(double x)
{
    double a = gradc_magnitude(x), e = gradc_exp_core(-a), u, y;
    e = gradc_pick(gradc_below(750.0, a), 0.0, e);
    u = 1.0 + e;
    y = gradc_log1p_core(u, gradc_log1p_rest(u, e));
    return gradc_keep_nan(x, gradc_of_bits(gradc_bits(x) & gradc_below(0.0, x)) + y);
}
/* @end */

/* @part softplusf needs exp_coref log1p_coref */
GRADC_INLINE float gradc_softplusf(float x)
{
    float a = gradc_magnitudef(x), e = gradc_exp_coref(-a), u, y;
    e = gradc_pickf(gradc_belowf(105.0f, a), 0.0f, e);
    u = 1.0f + e;
    y = gradc_log1p_coref(u, gradc_log1p_restf(u, e));
    return gradc_of_bitsf(gradc_bitsf(x) & gradc_belowf(0.0f, x)) + y;
}
/* @end */

/* @part logaddexp needs exp_core log1p_core */
/* log(e^x + e^y), as max(x, y) + log(1 + e^-|x - y|); -infinity if both are. */
GRADC_INLINE double gradc_logaddexp(double x, double y)
{
    double d = x - y, a = gradc_magnitude(d), e, u, z;
    double m = gradc_pick(gradc_below(d, 0.0), y, x);
    uint64_t same = gradc_bits(x) ^ gradc_bits(y); /* two equal infinities have no difference */
    same = ((same | (0 - same)) >> 63) - 1;
    a = gradc_of_bits(gradc_bits(a) & ~same);
    e = gradc_exp_core(-a);
    e = gradc_pick(gradc_below(750.0, a), 0.0, e);
    u = 1.0 + e;
    z = gradc_log1p_core(u, gradc_log1p_rest(u, e));
    return gradc_keep_nan(x, gradc_keep_nan(y, m + z));
}
/* @end */

/* @part logaddexpf needs exp_coref log1p_coref */
GRADC_INLINE float gradc_logaddexpf(float x, float y)
{
    float d = x - y, a = gradc_magnitudef(d), e, u, z;
    float m = gradc_pickf(gradc_belowf(d, 0.0f), y, x);
    uint32_t same = gradc_bitsf(x) ^ gradc_bitsf(y); /* two equal infinities have no difference */
    same = ((same | (0 - same)) >> 31) - 1;
    a = gradc_of_bitsf(gradc_bitsf(a) & ~same);
    e = gradc_exp_coref(-a);
    e = gradc_pickf(gradc_belowf(105.0f, a), 0.0f, e);
    u = 1.0f + e;
    z = gradc_log1p_coref(u, gradc_log1p_restf(u, e));
    return m + z;
}
/* @end */

/* @part log1mexp needs bits exp_poly log1p_core log_split */
/* log(1 - e^x), x < 0: the logarithm of -(e^x - 1) where e^x > 1/2, and of 1 + (-e^x) below. */
GRADC_INLINE double gradc_log1mexp(double x)
{
    const double shift = 6755399441055744.0 + 2046.0;
    double t = x * 1.4426950408889634 + shift, n = t - shift;
    double r = (x - n * 0.6931471805598903) - n * 5.497923018708371e-14, q = gradc_exp_poly(r);
    uint64_t bits = gradc_bits(t), half = bits >> 1, upper = gradc_below(-0.6931471805599453, x);
    double first = gradc_of_bits(half << 52), second = gradc_of_bits((bits - half) << 52), s = first * second;
    double e = gradc_pick(gradc_below(x, -750.0), 0.0, (1.0 + q) * first * second);
    double lower = 1.0 - e, u = gradc_pick(upper, (1.0 - s) - s * q, lower), v = gradc_log1p_rest(lower, -e), f;
    f = gradc_log_split(u, &n);
    v = gradc_pick(upper, 0.0, v) * (1.0 - n); /* lower, n is 0 or -1, and 1 - n is 2^-n */
    return gradc_keep_nan(x, gradc_log_edges(gradc_pick(gradc_below(0.0, x), -1.0, u), gradc_log_poly(f + v, n)));
}
/* @end */

/* @part log1mexpf needs bitsf exp_polyf log1p_coref log_splitf */
GRADC_INLINE float gradc_log1mexpf(float x)
{
    const float shift = 12582912.0f + 254.0f;
    float t = x * 1.442695f + shift, n = t - shift;
    float r = (x - n * 0.69314575f) - n * 1.4286068e-06f, q = gradc_exp_polyf(r);
    uint32_t bits = gradc_bitsf(t), half = bits >> 1, upper = gradc_belowf(-0.6931472f, x);
    float first = gradc_of_bitsf(half << 23), second = gradc_of_bitsf((bits - half) << 23), s = first * second;
    float e = gradc_pickf(gradc_belowf(x, -105.0f), 0.0f, (1.0f + q) * first * second);
    float lower = 1.0f - e, u = gradc_pickf(upper, (1.0f - s) - s * q, lower), v = gradc_log1p_restf(lower, -e), f;
    f = gradc_log_splitf(u, &n);
    v = gradc_pickf(upper, 0.0f, v) * (1.0f - n); /* lower, n is 0 or -1, and 1 - n is 2^-n */
    return gradc_log_edgesf(gradc_pickf(gradc_belowf(0.0f, x), -1.0f, u), gradc_log_polyf(f + v, n));
}
/* @end */

/* @part weight needs exp */
/* e^(x - m), and 0 where x is -infinity, whatever m is: the share of x in a sum of exponentials with logarithm m. */
GRADC_INLINE double gradc_weight(double x, double m)
{
    double y = gradc_pick(gradc_below(x, -DBL_MAX), 0.0, gradc_exp(x - m));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part weightf needs expf */
GRADC_INLINE float gradc_weightf(float x, float m)
{
    float y = gradc_pickf(gradc_belowf(x, -FLT_MAX), 0.0f, gradc_expf(x - m));
    return y;
}
/* @end */

/* @part erfc_core needs bits exp_poly */
/* erfc(a) for 0 <= a <= 28.2: exp(-a^2) Q(q) / (1 + 2a) with q = (a - 4) / (a + 4), Q a minimax polynomial, relative error
 * 2^-54. The square is taken in two parts, since exp doubles its error a^2 times. */
GRADC_INLINE double gradc_erfc_core(double a)
{
    const double shift = 6755399441055744.0 + 2046.0;
    double h = gradc_of_bits(gradc_bits(a) & 0xfffffffff8000000u), square = h * h, rest = (a - h) * (a + h); /* square is exact */
    double t = shift - square * 1.4426950408889634, n = t - shift;
    double r = ((-square - n * 0.6931471805598903) - n * 5.497923018708371e-14) - rest;
    double q = (a - 4.0) / (a + 4.0), q2 = q * q;
    double even = 0.2329951186255525 + q2 * (0.015379652102619611 + q2 * (-0.10103906603629707 + q2 * (-0.06633036581237452 + q2
        * (-0.016197734056048903 + q2 * (-0.0007577733002037854 + q2 * (0.0001506217266790425 + q2 *
        (-1.1222188003110028e-05 + q2 * (2.941607477684315e-07 + q2 * (7.412185855941592e-08 + q2 *
        (-1.749309928048616e-08 + q2 * 1.6883621705913114e-09))))))))));
    double odd = -0.13962111684056253 + q2 * (0.06809705425469531 + q2 * (0.09373283499825713 + q2 * (0.03716751553895437 + q2
        * (0.005031969965183373 + q2 * (-0.00019925662767559808 + q2 * (-2.4399433039263327e-05 + q2 *
        (5.710173015503595e-06 + q2 * (-8.25930695075436e-07 + q2 * (1.1030556959683982e-07 + q2 *
        (-1.4065172599920426e-08 + q2 * 1.2012627789184407e-09))))))))));
    uint64_t u = gradc_bits(t), half = u >> 1;
    double y = (1.0 + gradc_exp_poly(r)) * (1.0 + (even + q * odd)) / (1.0 + 2.0 * a);
    return y * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
}
/* @end */

/* @part erfc_coref needs bitsf exp_polyf */
GRADC_INLINE float gradc_erfc_coref(float a)
{
    const float shift = 12582912.0f + 254.0f;
    float h = gradc_of_bitsf(gradc_bitsf(a) & 0xfffff000u), square = h * h, rest = (a - h) * (a + h); /* square is exact */
    float t = shift - square * 1.442695f, n = t - shift;
    float r = ((-square - n * 0.69314575f) - n * 1.4286068e-06f) - rest;
    float q = (a - 3.0f) / (a + 3.0f), q2 = q * q;
    float even = 0.25300807f + q2 * (-0.047562476f + q2 * (-0.119269684f + q2 * (-0.023804424f + q2 * (0.0020116519f - q2 *
        0.00026155205f))));
    float odd = -0.13562115f + q2 * (0.12964652f + q2 * (0.06829591f + q2 * (0.0025610842f - q2 * 0.0007607989f)));
    uint32_t u = gradc_bitsf(t), half = u >> 1;
    float y = (1.0f + gradc_exp_polyf(r)) * (1.0f + (even + q * odd)) / (1.0f + 2.0f * a);
    return y * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
}
/* @end */

/* @part erf_small needs base */
/* erf(x) for |x| <= 0.85, minimax, relative error 2^-55. */
GRADC_INLINE double gradc_erf_small(double x)
{
    double z = x * x;
    return x + x * (0.12837916709551256 + z * (-0.37612638903183254 + z * (0.11283791670928194 + z * (-0.026866170639444364 + z *
        (0.005223977563685571 + z * (-0.0008548323100053701 + z * (0.00012055177084924699 + z *
        (-1.4921654737718315e-05 + z * (1.6395879016059373e-06 + z * (-1.5675313271810485e-07 + z *
        1.0613501774717271e-08))))))))));
}
/* @end */

/* @part erf_smallf needs base */
GRADC_INLINE float gradc_erf_smallf(float x)
{
    float z = x * x;
    return x + x * (0.12837917f + z * (-0.37612587f + z * (0.11282813f + z * (-0.026805034f + z * (0.0050537908f - z *
        0.00063250074f)))));
}
/* @end */

/* @part erf needs erfc_core erf_small */
/* Error function. */
GRADC_INLINE double gradc_erf(double x)
{
    double a = gradc_magnitude(x), y = 1.0 - gradc_erfc_core(a);
    y = gradc_pick(gradc_below(6.0, a), 1.0, y);
    y = gradc_pick(gradc_below(a, 0.85), gradc_erf_small(x), gradc_add_sign(x, y));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part erff needs erfc_coref erf_smallf */
GRADC_INLINE float gradc_erff(float x)
{
    float a = gradc_magnitudef(x), y = 1.0f - gradc_erfc_coref(a);
    y = gradc_pickf(gradc_belowf(4.0f, a), 1.0f, y);
    y = gradc_pickf(gradc_belowf(a, 0.85f), gradc_erf_smallf(x), gradc_add_signf(x, y));
    return y;
}
/* @end */

/* @part erfc needs erfc_core erf_small */
/* 1 - erf(x), accurate for large x. */
GRADC_INLINE double gradc_erfc(double x)
{
    double a = gradc_magnitude(x), y = gradc_erfc_core(a);
    y = gradc_pick(gradc_below(28.2, a), 0.0, y);
    y = gradc_pick(gradc_below(x, 0.0), 2.0 - y, y);
    y = gradc_pick(gradc_below(-0.85, x) & gradc_below(x, 0.25), 1.0 - gradc_erf_small(x), y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part erfcf needs erfc_coref erf_smallf */
GRADC_INLINE float gradc_erfcf(float x)
{
    float a = gradc_magnitudef(x), y = gradc_erfc_coref(a);
    y = gradc_pickf(gradc_belowf(10.8f, a), 0.0f, y);
    y = gradc_pickf(gradc_belowf(x, 0.0f), 2.0f - y, y);
    y = gradc_pickf(gradc_belowf(-0.85f, x) & gradc_belowf(x, 0.25f), 1.0f - gradc_erf_smallf(x), y);
    return y;
}
/* @end */

/* @part sqrt needs base */
/* Square root, rounded correctly; NaN below 0. Declared without side effects, since the `errno` of the C library would keep
 * loops that contain it from becoming vector code. */
#if defined(__GNUC__) && !defined(__cplusplus)
extern double sqrt(double) __attribute__((const));
extern float sqrtf(float) __attribute__((const));
#elif defined(__GNUC__) && defined(__GLIBC__) && __cplusplus >= 201103L
extern "C" double sqrt(double) noexcept(true) __attribute__((const));
extern "C" float sqrtf(float) noexcept(true) __attribute__((const));
#endif
GRADC_INLINE double gradc_sqrt(double x)
{
    return sqrt(x);
}
/* @end */

/* @part sqrtf needs sqrt */
GRADC_INLINE float gradc_sqrtf(float x)
{
    return sqrtf(x);
}
/* @end */

/* @part head needs bits */
/* x without its lower half: products of two heads are exact. */
GRADC_INLINE double gradc_head(double x)
{
    return gradc_of_bits(gradc_bits(x) & 0xfffffffff8000000u);
}
/* @end */

/* @part headf needs bitsf */
/* x without its lower half: products of two heads are exact. */
GRADC_INLINE float gradc_headf(float x)
{
    return gradc_of_bitsf(gradc_bitsf(x) & 0xfffff000u);
}
/* @end */

/* @part log_wide needs head log_split */
/* log a for 0 < a < infinity as high + low, relative error 2^-66. With a = 2^n m, f = m - 1 and s = f / (2 + f) it is
 * n ln 2 + 2 s + 2/3 s^3 + s^5 Q(s^2); the first three in two parts, by products of heads. */
GRADC_INLINE double gradc_log_wide(double a, double *low)
{
    double n, f = gradc_log_split(a, &n), inverse = 1.0 / (2.0 + f), dh = gradc_head(2.0 + f), dl = f - (dh - 2.0);
    double s = f * inverse, sh = gradc_head(s), sl = ((f - sh * dh) - sh * dl) * inverse;
    double square = sh * sh, more = (s + sh) * sl, z = square + more, zh = gradc_head(z), zl = (square - zh) + more;
    double c = sh * zh, cl = sh * zl + sl * z, cube = c + cl, ch = gradc_head(c);
    double th = ch * 0.6666666567325592, tl = ((c - ch) + cl) * 0.6666666567325592 + cube * 9.9341074625651e-09;
    double q = 0.4 + z * (0.28571428571426205 + z * (0.2222222222283422 + z * (0.18181818143045161 + z * (0.1538461102983546 + z *
        (0.1333408715936765 + z * (0.11722537687429894 + z * 0.11575144554423072))))));
    double first = n * 0.6931471805598903, s1 = first + 2.0 * sh, s2 = s1 + th;
    double rest = (((first - s1) + 2.0 * sh) + ((s1 - s2) + th)) + ((2.0 * sl + (tl + cube * z * q)) + n * 5.497923018708371e-14);
    double high = s2 + rest;
    *low = (s2 - high) + rest;
    return high;
}
/* @end */

/* @part log_widef needs headf log_splitf */
/* log a for 0 < a < infinity as high + low, relative error 2^-33. With a = 2^n m, f = m - 1 and s = f / (2 + f) it is
 * n ln 2 + 2 s + 2/3 s^3 + s^5 Q(s^2); the first three in two parts, by products of heads. */
GRADC_INLINE float gradc_log_widef(float a, float *low)
{
    float n, f = gradc_log_splitf(a, &n), inverse = 1.0f / (2.0f + f), dh = gradc_headf(2.0f + f), dl = f - (dh - 2.0f);
    float s = f * inverse, sh = gradc_headf(s), sl = ((f - sh * dh) - sh * dl) * inverse;
    float square = sh * sh, more = (s + sh) * sl, z = square + more, zh = gradc_headf(z), zl = (square - zh) + more;
    float c = sh * zh, cl = sh * zl + sl * z, cube = c + cl, ch = gradc_headf(c);
    float th = ch * 0.66650391f, tl = ((c - ch) + cl) * 0.66650391f + cube * 1.6276042e-04f;
    float q = 0.40000015f + z * (0.28562173f + z * 0.23049985f);
    float first = n * 0.69314575f, s1 = first + 2.0f * sh, s2 = s1 + th;
    float rest = (((first - s1) + 2.0f * sh) + ((s1 - s2) + th)) + ((2.0f * sl + (tl + cube * z * q)) + n * 1.4286068e-06f);
    float high = s2 + rest;
    *low = (s2 - high) + rest;
    return high;
}
/* @end */

/* @part cbrt needs log_split */
/* Cube root, of any x. |x| = 2^(3k) M with 1/3 < M < 3; a polynomial gives the root of M to 17 bits, so that its cube is exact,
 * and the series of (1 + d)^(1/3) the rest. */
GRADC_INLINE double gradc_cbrt(double x)
{
    const double shift = 6755399441055744.0 + 1023.0;
    double a = gradc_magnitude(x), n, f = gradc_log_split(a, &n), t = n * 0.3333333333333333 + shift, k = t - shift,
        j = n - 3.0 * k;
    uint64_t up = gradc_below(0.5, j), down = gradc_below(j, -0.5);
    double m = (1.0 + f) * gradc_pick(up, 2.0, gradc_pick(down, 0.5, 1.0)), y, cube, d;
    y = 0.9999990130535343 + f * (0.333320313008730 + f * (-0.11096408193392830 + f * (0.062287667888378341 + f *
        (-0.044782458414603425 +
        f * 0.026955183646053670))));
    y *= gradc_pick(up, 1.2599210498948732, gradc_pick(down, 0.7937005259840998, 1.0));
    y = gradc_of_bits((gradc_bits(y) + 0x800000000u) & 0xfffffff000000000u);
    cube = y * y * y;
    d = (m - cube) / cube;
    y = (y + y * (d * (0.3333333333333333 - d * (0.1111111111111111 - d * 0.06172839506172839)))) * gradc_of_bits(gradc_bits(t) << 52);
    y = gradc_pick(gradc_is_zero(x) | gradc_is_nan(x) | gradc_below(DBL_MAX, a), a, y);
    return gradc_add_sign(x, y);
}
/* @end */

/* @part cbrtf needs log_splitf */
/* Cube root, of any x. |x| = 2^(3k) M with 1/3 < M < 3; a polynomial gives the root of M to 8 bits, so that its cube is exact,
 * and the series of (1 + d)^(1/3) the rest. */
GRADC_INLINE float gradc_cbrtf(float x)
{
    const float shift = 12582912.0f + 127.0f;
    float a = gradc_magnitudef(x), n, f = gradc_log_splitf(a, &n), t = n * 0.33333334f + shift, k = t - shift, j = n - 3.0f * k;
    uint32_t up = gradc_belowf(0.5f, j), down = gradc_belowf(j, -0.5f);
    float m = (1.0f + f) * gradc_pickf(up, 2.0f, gradc_pickf(down, 0.5f, 1.0f)), y, cube, d;
    y = 1.0000043f + f * (0.33321735f + f * (-0.1115484f + f * (0.06578365f - f * 0.037779596f)));
    y *= gradc_pickf(up, 1.2599211f, gradc_pickf(down, 0.7937005f, 1.0f));
    y = gradc_of_bitsf((gradc_bitsf(y) + 0x8000u) & 0xffff0000u);
    cube = y * y * y;
    d = (m - cube) / cube;
    y = (y + y * (d * (0.33333334f - d * (0.11111111f - d * 0.061728396f)))) * gradc_of_bitsf(gradc_bitsf(t) << 23);
    y = gradc_pickf(gradc_is_zerof(x) | gradc_is_nanf(x) | gradc_belowf(FLT_MAX, a), a, y);
    return gradc_add_signf(x, y);
}
/* @end */

/* @part pow needs log_wide exp_poly */
/* x to the power y, as in C: of negative x for whole y; y = 0 and x = 1 give 1 even for NaN. It is e^(y log x), the product in two
 * parts. */
GRADC_INLINE uint64_t gradc_whole(double y) /* y >= 0 is a whole number */
{
    double t = y + 4503599627370496.0, w = t - 4503599627370496.0;
    return gradc_is_zero(w - y) | gradc_below(4503599627370495.5, y);
}
GRADC_INLINE double gradc_pow(double x, double y)
{
#if defined(__SSE2__) && !defined(__AVX__) /* vectors of 16 bytes take twice the time of the C library's */
    return pow(x, y);
#else
    const double shift = 6755399441055744.0 + 2046.0, limit = 36893488147419103232.0, nan = gradc_of_bits(0x7ff8000000000000u);
    const uint64_t sign = 0x8000000000000000u;
    double a = gradc_magnitude(x), v = gradc_magnitude(y), w = gradc_add_sign(y, gradc_pick(gradc_below(limit, v), limit, v));
    double low, high = gradc_log_wide(a, &low), wh = gradc_head(w), hh = gradc_head(high), wl = w - wh, hl = high - hh;
    double p = w * high, e = ((wh * hh - p) + (wh * hl + wl * hh)) + (wl * hl + w * low);
    double t = p * 1.4426950408889634 + shift, n = t - shift, r = ((p - n * 0.6931471805598903) - n * 5.497923018708371e-14) + e;
    uint64_t u = gradc_bits(t), half = u >> 1, whole = gradc_whole(v), odd = whole & ~gradc_whole(0.5 * v);
    uint64_t zero = gradc_is_zero(x), wide = gradc_below(DBL_MAX, a), minus = 0 - (gradc_bits(x) >> 63);
    double z = (1.0 + gradc_exp_poly(r)) * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
    z = gradc_pick(gradc_below(710.0, p), HUGE_VAL, z);
    z = gradc_pick(gradc_below(p, -750.0), 0.0, z);
    z = gradc_pick(zero | wide, gradc_pick(zero ^ gradc_below(y, 0.0), 0.0, HUGE_VAL), z);
    z = gradc_of_bits(gradc_bits(z) ^ (minus & odd & sign));
    z = gradc_pick(minus & ~whole & ~zero & ~wide, nan, z);
    z = gradc_pick(gradc_is_nan(x) | gradc_is_nan(y), nan, z);
    return gradc_pick(gradc_is_zero(y) | gradc_is_zero(x - 1.0), 1.0, z);
#endif
}
/* @end */

/* @part powf needs log_widef exp_polyf */
/* x to the power y, as in C: of negative x for whole y; y = 0 and x = 1 give 1 even for NaN. It is e^(y log x), the product in two
 * parts. */
GRADC_INLINE uint32_t gradc_wholef(float y) /* y >= 0 is a whole number */
{
    float t = y + 8388608.0f, w = t - 8388608.0f;
    return gradc_is_zerof(w - y) | gradc_belowf(8388607.5f, y);
}
GRADC_INLINE float gradc_powf(float x, float y)
{
#if defined(__SSE2__) && !defined(__AVX__) /* vectors of 16 bytes take twice the time of the C library's */
    return powf(x, y);
#else
    const float shift = 12582912.0f + 254.0f, limit = 1099511627776.0f, nan = gradc_of_bitsf(0x7fc00000u);
    const uint32_t sign = 0x80000000u;
    float a = gradc_magnitudef(x), v = gradc_magnitudef(y), w = gradc_add_signf(y, gradc_pickf(gradc_belowf(limit, v), limit, v));
    float low, high = gradc_log_widef(a, &low), wh = gradc_headf(w), hh = gradc_headf(high), wl = w - wh, hl = high - hh;
    float p = w * high, e = ((wh * hh - p) + (wh * hl + wl * hh)) + (wl * hl + w * low);
    float t = p * 1.442695f + shift, n = t - shift, r = ((p - n * 0.69314575f) - n * 1.4286068e-06f) + e;
    uint32_t u = gradc_bitsf(t), half = u >> 1, whole = gradc_wholef(v), odd = whole & ~gradc_wholef(0.5f * v);
    uint32_t zero = gradc_is_zerof(x), wide = gradc_belowf(FLT_MAX, a), minus = 0 - (gradc_bitsf(x) >> 31);
    float z = (1.0f + gradc_exp_polyf(r)) * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
    z = gradc_pickf(gradc_belowf(89.0f, p), HUGE_VALF, z);
    z = gradc_pickf(gradc_belowf(p, -105.0f), 0.0f, z);
    z = gradc_pickf(zero | wide, gradc_pickf(zero ^ gradc_belowf(y, 0.0f), 0.0f, HUGE_VALF), z);
    z = gradc_of_bitsf(gradc_bitsf(z) ^ (minus & odd & sign));
    z = gradc_pickf(minus & ~whole & ~zero & ~wide, nan, z);
    z = gradc_pickf(gradc_is_nanf(x) | gradc_is_nanf(y), nan, z);
    return gradc_pickf(gradc_is_zerof(y) | gradc_is_zerof(x - 1.0f), 1.0f, z);
#endif
}
/* @end */

/* @part powi needs pow */
/* x to a whole power: short products for small n (they vanish into the caller where n is a constant), pow for others. Any x. */
GRADC_INLINE double gradc_powi(double x, int64_t n)
{
    double y, whole;
    if (x == -1.0)
        return (n & 1) != 0 ? -1.0 : 1.0; /* all that is left of (-1)^n */
    switch (n) {
    case -4: x = 1.0 / x; return x * x * (x * x);
    case -3: x = 1.0 / x; return x * x * x;
    case -2: x = 1.0 / x; return x * x;
    case -1: return 1.0 / x;
    case 0: return 1.0;
    case 1: return x;
    case 2: return x * x;
    case 3: return x * x * x;
    case 4: y = x * x; return y * y;
    case 5: y = x * x; return y * y * x;
    case 6: y = x * x; return y * y * y;
    case 7: y = x * x; return y * y * (y * x);
    case 8: y = x * x; y *= y; return y * y;
    default:
        whole = (double)n;
        y = gradc_pow(fabs(x), whole);
        if (n > -9007199254740992 && n < 9007199254740992)
            return (n & 1) != 0 ? copysign(y, x) : y;
        /* n is not a double: the rest of it is a factor of its own */
        if (whole < 9.2e18 && y > 0.0 && y <= DBL_MAX)
            y *= gradc_pow(fabs(x), (double)(n - (int64_t)whole));
        return (n & 1) != 0 ? copysign(y, x) : y;
    }
}
/* @end */

/* @part powif needs powf */
GRADC_INLINE float gradc_powif(float x, int64_t n)
{
    float y, whole;
    if (x == -1.0f)
        return (n & 1) != 0 ? -1.0f : 1.0f;
    switch (n) {
    case -4: x = 1.0f / x; return x * x * (x * x);
    case -3: x = 1.0f / x; return x * x * x;
    case -2: x = 1.0f / x; return x * x;
    case -1: return 1.0f / x;
    case 0: return 1.0f;
    case 1: return x;
    case 2: return x * x;
    case 3: return x * x * x;
    case 4: y = x * x; return y * y;
    case 5: y = x * x; return y * y * x;
    case 6: y = x * x; return y * y * y;
    case 7: y = x * x; return y * y * (y * x);
    case 8: y = x * x; y *= y; return y * y;
    default:
        whole = (float)n;
        y = gradc_powf(fabsf(x), whole);
        if (n > -16777216 && n < 16777216)
            return (n & 1) != 0 ? copysignf(y, x) : y;
        /* n is not a float: the rest of it is a factor of its own */
        if (whole < 9.2e18f && y > 0.0f && y <= FLT_MAX)
            y *= gradc_powf(fabsf(x), (float)(n - (int64_t)whole));
        return (n & 1) != 0 ? copysignf(y, x) : y;
    }
}
/* @end */

/* @part angle needs bits */
/* x = q pi/2 + r - low with |r| <= pi/4 and q modulo 4, for |x| <= 2^53; beyond, where neighbouring numbers are 2 and more
 * radians apart, r is NaN. Without a branch, so that loops become vector code; it is W. J. Cody and W. Waite's reduction (Software
 * Manual for the Elementary Functions, 1980) done twice: by multiples m of 2^26 and by the n below. pi/2 comes in parts of 26
 * bits, so all products but the last two are exact, and so are the differences up to v. */
GRADC_INLINE uint64_t gradc_angle(double x, double *r, double *low)
{
    const double coarse = 453347182355485940514816.0, fine = 6755399441055744.0; /* 1.5 * 2^78, 1.5 * 2^52 */
    double far = x * 0.6366197723675814 + coarse, m = far - coarse, u = (x - m * 1.5707963109016418) - m * 1.5893254712295857e-08;
    double t = (u - m * 6.123233601181349e-17) * 0.6366197723675814 + fine, n = t - fine, a = n * 6.123233601181349e-17,
        b = m * 3.945554081778929e-24, v, w, rest;
    u = ((u - n * 1.5707963109016418) - n * 1.5893254712295857e-08) - m * 6.123233601181349e-17;
    v = u - a;
    w = v - b;
    rest = ((a - (u - v)) + (b - (v - w))) + (n * 3.945554081778929e-24 + m * 8.478427566216846e-32);
    v = w - rest;
    *low = (rest - (w - v)) + (n * 8.478427566216846e-32 + m * 9.415205388303925e-40);
    *r = gradc_of_bits(gradc_bits(v) | (gradc_below(9007199254740992.0, gradc_magnitude(x)) & 0x7ff8000000000000u));
    return gradc_bits(t) & 3;
}
/* The same, for one angle alone: small ones, and nobody need wait for the rest. */
GRADC_INLINE uint64_t gradc_angle_alone(double x, double *r, double *low)
{
    *r = x, *low = 0.0;
    return gradc_magnitude(x) <= 0.785 ? 0 : gradc_angle(x, r, low);
}
/* sin(r - low) and cos(r - low), |r| <= pi/4: minimax, relative error 2^-57 and 2^-63. */
GRADC_INLINE double gradc_sin_near(double r, double low)
{
    double z = r * r, p = 0.1666666666666663 - z * (0.00833333333332192 - z * (0.00019841269829464961 - z *
        (2.755731358502397e-06 - z *
        (2.5050742812777328e-08 - z * 1.5895974919456187e-10))));
    return r - (r * z * p + low);
}
GRADC_INLINE double gradc_cos_near(double r, double low)
{
    double z = r * r, half = 0.5 * z, w = 1.0 - half, p = 0.041666666666666595 - z * (0.0013888888888873348 - z *
        (2.480158728900809e-05 - z *
        (2.7557314219054802e-07 - z * (2.0875705688551778e-09 - z * 1.1358764799839055e-11))));
    return w + (((1.0 - w) - half) + (z * z * p + r * low));
}
/* @end */

/* @part anglef needs bitsf */
/* x = q pi/2 + r - low with |r| <= pi/4 and q modulo 4, for |x| <= 2^24; beyond, where neighbouring numbers are 2 and more
 * radians apart, r is NaN. Without a branch, so that loops become vector code; it is W. J. Cody and W. Waite's reduction (Software
 * Manual for the Elementary Functions, 1980) done twice: by multiples m of 2^12 and by the n below. pi/2 comes in parts of 12
 * bits, so all products but the last two are exact, and so are the differences up to v. */
GRADC_INLINE uint32_t gradc_anglef(float x, float *r, float *low)
{
    const float coarse = 51539607552.0f, fine = 12582912.0f; /* 1.5 * 2^35, 1.5 * 2^23 */
    float far = x * 0.63661975f + coarse, m = far - coarse, u = (x - m * 1.5703125f) - m * 0.0004837513f;
    float t = (u - m * 7.5495336e-08f) * 0.63661975f + fine, n = t - fine, a = n * 7.5495336e-08f, b = m * 2.5579538e-12f, v,
        w, rest;
    u = ((u - n * 1.5703125f) - n * 0.0004837513f) - m * 7.5495336e-08f;
    v = u - a;
    w = v - b;
    rest = ((a - (u - v)) + (b - (v - w))) + (n * 2.5579538e-12f + m * 5.389786e-15f);
    v = w - rest;
    *low = (rest - (w - v)) + (n * 5.389786e-15f + m * 5.170183e-19f);
    *r = gradc_of_bitsf(gradc_bitsf(v) | (gradc_belowf(16777216.0f, gradc_magnitudef(x)) & 0x7fc00000u));
    return gradc_bitsf(t) & 3;
}
/* The same, for one angle alone: small ones, and nobody need wait for the rest. */
GRADC_INLINE uint32_t gradc_angle_alonef(float x, float *r, float *low)
{
    *r = x, *low = 0.0f;
    return gradc_magnitudef(x) <= 0.785f ? 0 : gradc_anglef(x, r, low);
}
/* sin(r - low) and cos(r - low), |r| <= pi/4: minimax, relative error 2^-27 and 2^-32. */
GRADC_INLINE float gradc_sin_nearf(float r, float low)
{
    float z = r * r, p = 0.16666667f - z * (0.008333372f - z * (0.00019849911f - z * 2.800547e-06f));
    return r - (r * z * p + low);
}
GRADC_INLINE float gradc_cos_nearf(float r, float low)
{
    float z = r * r, half = 0.5f * z, w = 1.0f - half, p = 0.041666646f - z * (0.001388731f - z * 2.4432567e-05f);
    return w + (((1.0f - w) - half) + (z * z * p + r * low));
}
/* @end */

/* @part sin_at needs angle */
/* The sine of q pi/2 + r - low. */
GRADC_INLINE double gradc_sin_at(uint64_t q, double r, double low)
{
    double y = gradc_pick(0 - (q & 1), gradc_cos_near(r, low), gradc_sin_near(r, low));
    return gradc_of_bits(gradc_bits(y) ^ ((q & 2) << 62));
}
/* @end */

/* @part sin needs sin_at */
/* Sine; NaN beyond 2^53, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE double gradc_sin(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return sin(x);
#else
    double r, low;
    uint64_t q = gradc_angle(x, &r, &low);
    return gradc_sin_at(q, r, low);
#endif
}
/* @end */

/* @part sin_alone needs sin_at */
/* The same as gradc_sin, bit for bit, where it stands alone. */
GRADC_INLINE double gradc_sin_alone(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return sin(x);
#else
    double r, low;
    uint64_t q = gradc_angle_alone(x, &r, &low);
    return gradc_sin_at(q, r, low);
#endif
}
/* @end */

/* @part sin_atf needs anglef */
/* The sine of q pi/2 + r - low. */
GRADC_INLINE float gradc_sin_atf(uint32_t q, float r, float low)
{
    float y = gradc_pickf(0 - (q & 1), gradc_cos_nearf(r, low), gradc_sin_nearf(r, low));
    return gradc_of_bitsf(gradc_bitsf(y) ^ ((q & 2) << 30));
}
/* @end */

/* @part sinf needs sin_atf */
/* Sine; NaN beyond 2^24, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE float gradc_sinf(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return sinf(x);
#else
    float r, low;
    uint32_t q = gradc_anglef(x, &r, &low);
    return gradc_sin_atf(q, r, low);
#endif
}
/* @end */

/* @part sin_alonef needs sin_atf */
/* The same as gradc_sinf, bit for bit, where it stands alone. */
GRADC_INLINE float gradc_sin_alonef(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return sinf(x);
#else
    float r, low;
    uint32_t q = gradc_angle_alonef(x, &r, &low);
    return gradc_sin_atf(q, r, low);
#endif
}
/* @end */

/* @part cos_at needs angle */
/* The cosine of q pi/2 + r - low. */
GRADC_INLINE double gradc_cos_at(uint64_t q, double r, double low)
{
    double y = gradc_pick(0 - (q & 1), gradc_sin_near(r, low), gradc_cos_near(r, low));
    return gradc_of_bits(gradc_bits(y) ^ (((q + 1) & 2) << 62));
}
/* @end */

/* @part cos needs cos_at */
/* Cosine; NaN beyond 2^53, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE double gradc_cos(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return cos(x);
#else
    double r, low;
    uint64_t q = gradc_angle(x, &r, &low);
    return gradc_cos_at(q, r, low);
#endif
}
/* @end */

/* @part cos_alone needs cos_at */
/* The same as gradc_cos, bit for bit, where it stands alone. */
GRADC_INLINE double gradc_cos_alone(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return cos(x);
#else
    double r, low;
    uint64_t q = gradc_angle_alone(x, &r, &low);
    return gradc_cos_at(q, r, low);
#endif
}
/* @end */

/* @part cos_atf needs anglef */
/* The cosine of q pi/2 + r - low. */
GRADC_INLINE float gradc_cos_atf(uint32_t q, float r, float low)
{
    float y = gradc_pickf(0 - (q & 1), gradc_sin_nearf(r, low), gradc_cos_nearf(r, low));
    return gradc_of_bitsf(gradc_bitsf(y) ^ (((q + 1) & 2) << 30));
}
/* @end */

/* @part cosf needs cos_atf */
/* Cosine; NaN beyond 2^24, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE float gradc_cosf(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return cosf(x);
#else
    float r, low;
    uint32_t q = gradc_anglef(x, &r, &low);
    return gradc_cos_atf(q, r, low);
#endif
}
/* @end */

/* @part cos_alonef needs cos_atf */
/* The same as gradc_cosf, bit for bit, where it stands alone. */
GRADC_INLINE float gradc_cos_alonef(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return cosf(x);
#else
    float r, low;
    uint32_t q = gradc_angle_alonef(x, &r, &low);
    return gradc_cos_atf(q, r, low);
#endif
}
/* @end */

/* @part tan_at needs angle */
/* The tangent of q pi/2 + r - low. */
GRADC_INLINE double gradc_tan_at(uint64_t q, double r, double low)
{
    uint64_t odd = 0 - (q & 1);
    double s = gradc_sin_near(r, low), c = gradc_cos_near(r, low), y = gradc_pick(odd, c, s) / gradc_pick(odd, s, c);
    return gradc_of_bits(gradc_bits(y) ^ ((q & 1) << 63));
}
/* @end */

/* @part tan needs tan_at */
/* Tangent; NaN beyond 2^53, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE double gradc_tan(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return tan(x);
#else
    double r, low;
    uint64_t q = gradc_angle(x, &r, &low);
    return gradc_tan_at(q, r, low);
#endif
}
/* @end */

/* @part tan_alone needs tan_at */
/* The same as gradc_tan, bit for bit, where it stands alone. */
GRADC_INLINE double gradc_tan_alone(double x)
{
#if defined(GRADC_ANY_ANGLE)
    return tan(x);
#else
    double r, low;
    uint64_t q = gradc_angle_alone(x, &r, &low);
    return gradc_tan_at(q, r, low);
#endif
}
/* @end */

/* @part tan_atf needs anglef */
/* The tangent of q pi/2 + r - low. */
GRADC_INLINE float gradc_tan_atf(uint32_t q, float r, float low)
{
    uint32_t odd = 0 - (q & 1);
    float s = gradc_sin_nearf(r, low), c = gradc_cos_nearf(r, low), y = gradc_pickf(odd, c, s) / gradc_pickf(odd, s, c);
    return gradc_of_bitsf(gradc_bitsf(y) ^ ((q & 1) << 31));
}
/* @end */

/* @part tanf needs tan_atf */
/* Tangent; NaN beyond 2^24, or with -DGRADC_ANY_ANGLE the C library's. */
GRADC_INLINE float gradc_tanf(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return tanf(x);
#else
    float r, low;
    uint32_t q = gradc_anglef(x, &r, &low);
    return gradc_tan_atf(q, r, low);
#endif
}
/* @end */

/* @part tan_alonef needs tan_atf */
/* The same as gradc_tanf, bit for bit, where it stands alone. */
GRADC_INLINE float gradc_tan_alonef(float x)
{
#if defined(GRADC_ANY_ANGLE)
    return tanf(x);
#else
    float r, low;
    uint32_t q = gradc_angle_alonef(x, &r, &low);
    return gradc_tan_atf(q, r, low);
#endif
}
/* @end */

/* @part asin_poly needs base */
/* (asin(t) - t) / t for t^2 = z <= 1/4: minimax, relative error 2^-56. */
GRADC_INLINE double gradc_asin_poly(double z)
{
    double z2 = z * z, z4 = z2 * z2;
    double a = (0.16666666666665403 + z * 0.07500000000338587) + z2 * (0.04464285682694487 + z * 0.03038195919689557);
    double b = (0.022371756554889374 + z * 0.017359728094251556) + z2 * (0.013884998107242162 + z * 0.01217081162798041);
    double c = (0.006520888452884873 + z * 0.01954808922706280) + z2 * (-0.01625600046950415 + z * 0.03193444965775611);
    return z * (a + z4 * (b + z4 * c));
}
/* @end */

/* @part asin_polyf needs base */
/* (asin(t) - t) / t for t^2 = z <= 1/4: minimax, relative error 2^-27. */
GRADC_INLINE float gradc_asin_polyf(float z)
{
    return z * (0.16666752f + z * (0.07495307f + z * (0.045469638f + z * (0.024181534f + z * 0.042165037f))));
}
/* @end */

/* @part asin needs sqrt bits asin_poly */
/* The angle in [-pi/2, pi/2] with sine x; NaN beyond [-1, 1]. Above 1/2 by pi/2 - 2 asin(sqrt((1 - |x|) / 2)). */
GRADC_INLINE double gradc_asin(double x)
{
    double a = gradc_magnitude(x), z, t, scale, base, y;
    uint64_t large = gradc_below(0.5, a);
    z = gradc_pick(large, 0.5 * (1.0 - a), a * a);
    t = gradc_pick(large, sqrt(z), a);
    scale = gradc_pick(large, -2.0, 1.0);
    base = gradc_of_bits(large & gradc_bits(1.5707963267948966));
    t *= scale;
    y = base + t;
    y += ((base - y) + t) + (t * gradc_asin_poly(z) + gradc_of_bits(large & gradc_bits(6.123233995736766e-17)));
    return gradc_keep_nan(x, gradc_add_sign(x, y));
}
/* @end */

/* @part asinf needs sqrt bitsf asin_polyf */
/* The angle in [-pi/2, pi/2] with sine x; NaN beyond [-1, 1]. Above 1/2 by pi/2 - 2 asin(sqrt((1 - |x|) / 2)). */
GRADC_INLINE float gradc_asinf(float x)
{
    float a = gradc_magnitudef(x), z, t, scale, base, y;
    uint32_t large = gradc_belowf(0.5f, a);
    z = gradc_pickf(large, 0.5f * (1.0f - a), a * a);
    t = gradc_pickf(large, sqrtf(z), a);
    scale = gradc_pickf(large, -2.0f, 1.0f);
    base = gradc_of_bitsf(large & gradc_bitsf(1.5707964f));
    t *= scale;
    y = base + t;
    y += ((base - y) + t) + (t * gradc_asin_polyf(z) + gradc_of_bitsf(large & gradc_bitsf(-4.371139e-08f)));
    return gradc_add_signf(x, y);
}
/* @end */

/* @part acos needs sqrt bits asin_poly */
/* The angle in [0, pi] with cosine x; NaN beyond [-1, 1]. */
GRADC_INLINE double gradc_acos(double x)
{
    double a = gradc_magnitude(x), z, t, base, rest, y;
    uint64_t large = gradc_below(0.5, a), minus = 0 - (gradc_bits(x) >> 63);
    z = gradc_pick(large, 0.5 * (1.0 - a), a * a);
    t = gradc_pick(large, 2.0 * sqrt(z), -a);
    t = gradc_of_bits(gradc_bits(t) ^ (minus & 0x8000000000000000u));
    base = gradc_pick(large, gradc_of_bits(minus & gradc_bits(3.141592653589793)), 1.5707963267948966);
    rest = base * 3.8981718325193755e-17; /* what pi lacks, by pi */
    y = base + t;
    y += ((base - y) + t) + (t * gradc_asin_poly(z) + rest);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part acosf needs sqrt bitsf asin_polyf */
/* The angle in [0, pi] with cosine x; NaN beyond [-1, 1]. */
GRADC_INLINE float gradc_acosf(float x)
{
    float a = gradc_magnitudef(x), z, t, base, rest, y;
    uint32_t large = gradc_belowf(0.5f, a), minus = 0 - (gradc_bitsf(x) >> 31);
    z = gradc_pickf(large, 0.5f * (1.0f - a), a * a);
    t = gradc_pickf(large, 2.0f * sqrtf(z), -a);
    t = gradc_of_bitsf(gradc_bitsf(t) ^ (minus & 0x80000000u));
    base = gradc_pickf(large, gradc_of_bitsf(minus & gradc_bitsf(3.1415927f)), 1.5707964f);
    rest = base * -2.7827534e-08f; /* what pi lacks, by pi */
    y = base + t;
    y += ((base - y) + t) + (t * gradc_asin_polyf(z) + rest);
    return y;
}
/* @end */

/* @part atan_core needs bits */
/* The angle in [0, pi/2] whose tangent is y / x; y and x >= 0, not both 0 or infinite. By that of y / x, (y - x) / (y + x) or
 * -x / y, whichever is at most 1/2; minimax, relative error 2^-57. */
GRADC_INLINE double gradc_atan_core(double y, double x)
{
    uint64_t low = gradc_below(y + y, x), high = gradc_below(x + x, y);
    double t = gradc_pick(low, y, gradc_pick(high, -x, y - x)) / gradc_pick(low, x, gradc_pick(high, y, y + x)), z = t * t;
    double z2 = z * z, z4 = z2 * z2;
    double a = (-0.3333333333333298 + z * 0.1999999999990301) + z2 * (-0.14285714276372308 + z * 0.11111110658916221);
    double b = (-0.09090896224426553 + z * 0.0769207356834868) + z2 * (-0.06663806897777237 + z * 0.05858272666220098);
    double c = (-0.05121885220474205 + z * 0.0418615694726097) + z2 * (-0.027429248952224385 + z * 0.010112782074047904);
    double p = a + z4 * (b + z4 * c);
    double base = gradc_pick(high, 1.5707963267948966, 0.7853981633974483), sum;
    base = gradc_of_bits(gradc_bits(base) & ~low);
    sum = base + t;
    return sum + (((base - sum) + t) + (t * z * p + base * 3.8981718325193755e-17));
}
/* @end */

/* @part atan_coref needs bitsf */
/* The angle in [0, pi/2] whose tangent is y / x; y and x >= 0, not both 0 or infinite. By that of y / x, (y - x) / (y + x) or
 * -x / y, whichever is at most 1/2; minimax, relative error 2^-27. */
GRADC_INLINE float gradc_atan_coref(float y, float x)
{
    uint32_t low = gradc_belowf(y + y, x), high = gradc_belowf(x + x, y);
    float t = gradc_pickf(low, y, gradc_pickf(high, -x, y - x)) / gradc_pickf(low, x, gradc_pickf(high, y, y + x)), z = t * t;
    float p = -0.33333233f + z * (0.19994183f + z * (-0.14174521f + z * (0.101577766f - z * 0.051289938f)));
    float base = gradc_pickf(high, 1.5707964f, 0.7853982f), sum;
    base = gradc_of_bitsf(gradc_bitsf(base) & ~low);
    sum = base + t;
    return sum + (((base - sum) + t) + (t * z * p + base * -2.7827534e-08f));
}
/* @end */

/* @part atan needs atan_core */
/* The angle in [-pi/2, pi/2] with tangent x. */
GRADC_INLINE double gradc_atan(double x)
{
    double y = gradc_add_sign(x, gradc_atan_core(gradc_magnitude(x), 1.0));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part atanf needs atan_coref */
/* The angle in [-pi/2, pi/2] with tangent x. */
GRADC_INLINE float gradc_atanf(float x)
{
    float y = gradc_add_signf(x, gradc_atan_coref(gradc_magnitudef(x), 1.0f));
    return y;
}
/* @end */

/* @part atan2 needs atan_core */
/* The angle of the point (x, y), in [-pi, pi]; zeros, their signs and infinities as in C. */
GRADC_INLINE double gradc_atan2(double y, double x)
{
    double a = gradc_magnitude(y), b = gradc_magnitude(x), z;
    uint64_t edge = (gradc_below(DBL_MAX, a) & gradc_below(DBL_MAX, b)), none = gradc_is_zero(y) & gradc_is_zero(x);
    uint64_t left = 0 - (gradc_bits(x) >> 63), large = gradc_below(1e300, a) | gradc_below(1e300, b);
    double scale = gradc_pick(large, 0.25, 1.0); /* no sum overflows */
    a = gradc_pick(edge, 1.0, scale * a);
    b = gradc_pick(edge | none, 1.0, scale * b);
    z = gradc_atan_core(a, b);
    z = gradc_pick(left, 3.141592653589793 - (z - 1.2246467991473532e-16), z);
    z = gradc_add_sign(y, z);
    return gradc_keep_nan(x, gradc_keep_nan(y, z));
}
/* @end */

/* @part atan2f needs atan_coref */
/* The angle of the point (x, y), in [-pi, pi]; zeros, their signs and infinities as in C. */
GRADC_INLINE float gradc_atan2f(float y, float x)
{
    float a = gradc_magnitudef(y), b = gradc_magnitudef(x), z;
    uint32_t edge = (gradc_belowf(FLT_MAX, a) & gradc_belowf(FLT_MAX, b)), none = gradc_is_zerof(y) & gradc_is_zerof(x);
    uint32_t left = 0 - (gradc_bitsf(x) >> 31), large = gradc_belowf(1e37f, a) | gradc_belowf(1e37f, b);
    float scale = gradc_pickf(large, 0.25f, 1.0f); /* no sum overflows */
    a = gradc_pickf(edge, 1.0f, scale * a);
    b = gradc_pickf(edge | none, 1.0f, scale * b);
    z = gradc_atan_coref(a, b);
    z = gradc_pickf(left, 3.1415927f - (z - -8.742278e-08f), z);
    z = gradc_add_signf(y, z);
    return z;
}
/* @end */

/* @part sinh_core needs bits */
/* sinh(r) - r and cosh(r) - 1 for a = n ln 2 + r >= 0; n - 1 with the exponent's bias twice, and 4^-n. */
GRADC_INLINE uint64_t gradc_sinh_core(double a, double *r, double *sinh_r, double *cosh_r, double *w)
{
    const double shift = 6755399441055744.0 + 2045.0;
    double t = a * 1.4426950408889634 + shift, n = t - shift, s = (a - n * 0.6931471805598903) - n * 5.497923018708371e-14,
        z = s * s;
    uint64_t u = gradc_bits(t);
    *r = s;
    *sinh_r = s * z * (0.16666666666666677 + z * (0.00833333333332146 + z * (0.00019841269886499587 + z *
        (2.7557243874766673e-06 + z *
        2.5109143237563532e-08))));
    *cosh_r = z * (0.5 + z * (0.041666666666666685 + z * (0.0013888888888873327 + z * (2.4801587349040452e-05 + z *
        (2.7557252011995163e-07 + z * 2.0921696268362126e-09)))));
    *w = gradc_of_bits(gradc_below(a, 100.0) & ((5113 - 2 * u) << 52));
    return u;
}
/* @end */

/* @part sinh_coref needs bitsf */
/* sinh(r) - r and cosh(r) - 1 for a = n ln 2 + r >= 0; n - 1 with the exponent's bias twice, and 4^-n. */
GRADC_INLINE uint32_t gradc_sinh_coref(float a, float *r, float *sinh_r, float *cosh_r, float *w)
{
    const float shift = 12582912.0f + 253.0f;
    float t = a * 1.442695f + shift, n = t - shift, s = (a - n * 0.69314575f) - n * 1.4286068e-06f, z = s * s;
    uint32_t u = gradc_bitsf(t);
    *r = s;
    *sinh_r = s * z * (0.16666667f + z * (0.008333192f + z * 0.00019958476f));
    *cosh_r = z * (0.5f + z * (0.041666456f + z * 0.001393576f));
    *w = gradc_of_bitsf(gradc_belowf(a, 40.0f) & ((633 - 2 * u) << 23));
    return u;
}
/* @end */

/* @part sinh needs sinh_core */
/* Hyperbolic sine: 2^(n - 1) ((1 + 4^-n) sinh r + (1 - 4^-n) cosh r). */
GRADC_INLINE double gradc_sinh(double x)
{
    double a = gradc_magnitude(x), r, s, c, w, y;
    uint64_t u = gradc_sinh_core(a, &r, &s, &c, &w), half = u >> 1;
    y = (1.0 - w) + (((1.0 - w) * c + (1.0 + w) * s) + (1.0 + w) * r);
    y = y * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
    y = gradc_add_sign(x, gradc_pick(gradc_below(711.0, a), HUGE_VAL, y));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part sinhf needs sinh_coref */
/* Hyperbolic sine: 2^(n - 1) ((1 + 4^-n) sinh r + (1 - 4^-n) cosh r). */
GRADC_INLINE float gradc_sinhf(float x)
{
    float a = gradc_magnitudef(x), r, s, c, w, y;
    uint32_t u = gradc_sinh_coref(a, &r, &s, &c, &w), half = u >> 1;
    y = (1.0f - w) + (((1.0f - w) * c + (1.0f + w) * s) + (1.0f + w) * r);
    y = y * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
    y = gradc_add_signf(x, gradc_pickf(gradc_belowf(90.0f, a), HUGE_VALF, y));
    return y;
}
/* @end */

/* @part cosh needs sinh_core */
/* Hyperbolic cosine. */
GRADC_INLINE double gradc_cosh(double x)
{
    double a = gradc_magnitude(x), r, s, c, w, y;
    uint64_t u = gradc_sinh_core(a, &r, &s, &c, &w), half = u >> 1;
    y = (1.0 + w) + (((1.0 + w) * c + (1.0 - w) * s) + (1.0 - w) * r);
    y = y * gradc_of_bits(half << 52) * gradc_of_bits((u - half) << 52);
    y = gradc_pick(gradc_below(711.0, a), HUGE_VAL, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part coshf needs sinh_coref */
/* Hyperbolic cosine. */
GRADC_INLINE float gradc_coshf(float x)
{
    float a = gradc_magnitudef(x), r, s, c, w, y;
    uint32_t u = gradc_sinh_coref(a, &r, &s, &c, &w), half = u >> 1;
    y = (1.0f + w) + (((1.0f + w) * c + (1.0f - w) * s) + (1.0f - w) * r);
    y = y * gradc_of_bitsf(half << 23) * gradc_of_bitsf((u - half) << 23);
    y = gradc_pickf(gradc_belowf(90.0f, a), HUGE_VALF, y);
    return y;
}
/* @end */

/* @part asinh needs sqrt log1p_core */
/* Inverse of sinh: log(1 + t) with t = |x| + x^2 / (1 + sqrt(1 + x^2)), and log(2 |x|) where x^2 no longer counts. */
GRADC_INLINE double gradc_asinh(double x)
{
    double a = gradc_magnitude(x), square = a * a, t = a + square / (1.0 + sqrt(1.0 + square)), u = 1.0 + t, y;
    uint64_t large = gradc_below(268435456.0, a);
    double v = gradc_of_bits(gradc_bits(gradc_log1p_rest(u, t)) & ~large);
    y = gradc_log1p_core(gradc_pick(large, a, u), v) + gradc_of_bits(large & gradc_bits(0.6931471805599453));
    y = gradc_add_sign(x, gradc_pick(gradc_below(DBL_MAX, a), a, y));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part asinhf needs sqrt log1p_coref */
/* Inverse of sinh: log(1 + t) with t = |x| + x^2 / (1 + sqrt(1 + x^2)), and log(2 |x|) where x^2 no longer counts. */
GRADC_INLINE float gradc_asinhf(float x)
{
    float a = gradc_magnitudef(x), square = a * a, t = a + square / (1.0f + sqrtf(1.0f + square)), u = 1.0f + t, y;
    uint32_t large = gradc_belowf(8192.0f, a);
    float v = gradc_of_bitsf(gradc_bitsf(gradc_log1p_restf(u, t)) & ~large);
    y = gradc_log1p_coref(gradc_pickf(large, a, u), v) + gradc_of_bitsf(large & gradc_bitsf(0.6931472f));
    y = gradc_add_signf(x, gradc_pickf(gradc_belowf(FLT_MAX, a), a, y));
    return y;
}
/* @end */

/* @part acosh needs sqrt log1p_core */
/* Inverse of cosh; NaN below 1. log(1 + t) with d = x - 1 and t = d + sqrt(2 d + d^2), and log(2 x) for large x. */
GRADC_INLINE double gradc_acosh(double x)
{
    double d = x - 1.0, t = d + sqrt(d + d + d * d), u = 1.0 + t, y;
    uint64_t large = gradc_below(268435456.0, x);
    double v = gradc_of_bits(gradc_bits(gradc_log1p_rest(u, t)) & ~large);
    y = gradc_log1p_core(gradc_pick(large, x, u), v) + gradc_of_bits(large & gradc_bits(0.6931471805599453));
    y = gradc_pick(gradc_below(DBL_MAX, x), x, y);
    y = gradc_pick(gradc_below(x, 1.0), gradc_of_bits(0x7ff8000000000000u), y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part acoshf needs sqrt log1p_coref */
/* Inverse of cosh; NaN below 1. log(1 + t) with d = x - 1 and t = d + sqrt(2 d + d^2), and log(2 x) for large x. */
GRADC_INLINE float gradc_acoshf(float x)
{
    float d = x - 1.0f, t = d + sqrtf(d + d + d * d), u = 1.0f + t, y;
    uint32_t large = gradc_belowf(8192.0f, x);
    float v = gradc_of_bitsf(gradc_bitsf(gradc_log1p_restf(u, t)) & ~large);
    y = gradc_log1p_coref(gradc_pickf(large, x, u), v) + gradc_of_bitsf(large & gradc_bitsf(0.6931472f));
    y = gradc_pickf(gradc_belowf(FLT_MAX, x), x, y);
    y = gradc_pickf(gradc_belowf(x, 1.0f), gradc_of_bitsf(0x7fc00000u), y);
    return y;
}
/* @end */

/* @part atanh needs log1p_core */
/* Inverse of tanh; infinite at -1 and 1, NaN beyond. log(1 + t) / 2 with t = 2 |x| / (1 - |x|). */
GRADC_INLINE double gradc_atanh(double x)
{
    double a = gradc_magnitude(x), b = a + a, t = b + b * a / (1.0 - a), u, y;
    t = gradc_pick(gradc_below(0.5, a), b / (1.0 - a), t);
    u = 1.0 + t;
    y = 0.5 * gradc_log1p_core(u, gradc_log1p_rest(u, t));
    y = gradc_pick(gradc_is_zero(1.0 - a), HUGE_VAL, y);
    y = gradc_pick(gradc_below(1.0, a), gradc_of_bits(0x7ff8000000000000u), y);
    y = gradc_add_sign(x, y);
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part atanhf needs log1p_coref */
/* Inverse of tanh; infinite at -1 and 1, NaN beyond. log(1 + t) / 2 with t = 2 |x| / (1 - |x|). */
GRADC_INLINE float gradc_atanhf(float x)
{
    float a = gradc_magnitudef(x), b = a + a, t = b + b * a / (1.0f - a), u, y;
    t = gradc_pickf(gradc_belowf(0.5f, a), b / (1.0f - a), t);
    u = 1.0f + t;
    y = 0.5f * gradc_log1p_coref(u, gradc_log1p_restf(u, t));
    y = gradc_pickf(gradc_is_zerof(1.0f - a), HUGE_VALF, y);
    y = gradc_pickf(gradc_belowf(1.0f, a), gradc_of_bitsf(0x7fc00000u), y);
    y = gradc_add_signf(x, y);
    return y;
}
/* @end */

/* @part hypot needs sqrt head */
/* sqrt(x^2 + y^2), without overflow inside; infinite where one of them is, even if the other is NaN. */
GRADC_INLINE double gradc_hypot(double x, double y)
{
    double a = gradc_magnitude(x), b = gradc_magnitude(y), most, least, scale, back, h, z;
    uint64_t swap = gradc_below(a, b), large, small, edge = gradc_below(DBL_MAX, a) | gradc_below(DBL_MAX, b);
    most = gradc_pick(swap, b, a);
    least = gradc_pick(swap, a, b);
    large = gradc_below(1e150, most);
    small = gradc_below(most, 1e-135);
    scale = gradc_pick(large, 2.409919865102884e-181, gradc_pick(small, 4.149515568880993e+180, 1.0));
    back = gradc_pick(large, 4.149515568880993e+180, gradc_pick(small, 2.409919865102884e-181, 1.0));
    most *= scale;
    least *= scale;
    h = gradc_head(most);
    z = back * sqrt(h * h + ((most - h) * (most + h) + least * least));
    z = gradc_keep_nan(x, gradc_keep_nan(y, z));
    edge &= ~gradc_is_nan(x) | (gradc_below(DBL_MAX, b) & ~gradc_is_nan(y));
    return gradc_pick(edge, HUGE_VAL, z);
}
/* @end */

/* @part hypotf needs sqrt headf */
/* sqrt(x^2 + y^2), without overflow inside; infinite where one of them is, even if the other is NaN. */
GRADC_INLINE float gradc_hypotf(float x, float y)
{
    float a = gradc_magnitudef(x), b = gradc_magnitudef(y), most, least, scale, back, h, z;
    uint32_t swap = gradc_belowf(a, b), large, small, edge = gradc_belowf(FLT_MAX, a) | gradc_belowf(FLT_MAX, b);
    most = gradc_pickf(swap, b, a);
    least = gradc_pickf(swap, a, b);
    large = gradc_belowf(1e18f, most);
    small = gradc_belowf(most, 1e-15f);
    scale = gradc_pickf(large, 8.470329472543003e-22f, gradc_pickf(small, 1.2089258196146292e+24f, 1.0f));
    back = gradc_pickf(large, 1.1805916207174113e+21f, gradc_pickf(small, 8.271806125530277e-25f, 1.0f));
    most *= scale;
    least *= scale;
    h = gradc_headf(most);
    z = back * sqrtf(h * h + ((most - h) * (most + h) + least * least));
    return gradc_pickf(edge, HUGE_VALF, z);
}
/* @end */

/* @part whole_part needs bits */
/* Where a loop of floor would stay a loop of calls (x86 before SSE4.1, and gcc on all of them, which minds a flag that floor could
 * raise), a number is rounded by adding 2^52. */
#if defined(__SSE2__) && !(defined(__SSE4_1__) && defined(__clang__))
#define GRADC_OWN_FLOOR 1
#else
#define GRADC_OWN_FLOOR 0
#endif
GRADC_INLINE double gradc_nearest(double a) /* 0 <= a < 2^52 */
{
    const double shift = 4503599627370496.0;
    double t = a + shift;
    return t - shift;
}
/* @end */

/* @part whole_partf needs bitsf */
/* Where a loop of floor would stay a loop of calls (x86 before SSE4.1, and gcc on all of them, which minds a flag that floor could
 * raise), a number is rounded by adding 2^23. */
#if defined(__SSE2__) && !(defined(__SSE4_1__) && defined(__clang__))
#define GRADC_OWN_FLOOR_F 1
#else
#define GRADC_OWN_FLOOR_F 0
#endif
GRADC_INLINE float gradc_nearestf(float a) /* 0 <= a < 2^23 */
{
    const float shift = 8388608.0f;
    float t = a + shift;
    return t - shift;
}
/* @end */

/* @part floor needs whole_part */
/* Largest whole number <= x. */
GRADC_INLINE double gradc_floor(double x)
{
#if GRADC_OWN_FLOOR
    double a = gradc_magnitude(x), y = gradc_add_sign(x, gradc_nearest(a));
    y -= gradc_of_bits(gradc_below(x, y) & gradc_bits(1.0));
    return gradc_pick(gradc_below(a, 4503599627370496.0), y, x);
#else
    return floor(x);
#endif
}
/* @end */

/* @part floorf needs whole_partf */
/* Largest whole number <= x. */
GRADC_INLINE float gradc_floorf(float x)
{
#if GRADC_OWN_FLOOR_F
    float a = gradc_magnitudef(x), y = gradc_add_signf(x, gradc_nearestf(a));
    y -= gradc_of_bitsf(gradc_belowf(x, y) & gradc_bitsf(1.0f));
    return gradc_pickf(gradc_belowf(a, 8388608.0f), y, x);
#else
    return floorf(x);
#endif
}
/* @end */

/* @part ceil needs whole_part */
/* Smallest whole number >= x. */
GRADC_INLINE double gradc_ceil(double x)
{
#if GRADC_OWN_FLOOR
    double a = gradc_magnitude(x), y = gradc_add_sign(x, gradc_nearest(a));
    y += gradc_of_bits(gradc_below(y, x) & gradc_bits(1.0));
    return gradc_pick(gradc_below(a, 4503599627370496.0), gradc_add_sign(x, y), x);
#else
    return ceil(x);
#endif
}
/* @end */

/* @part ceilf needs whole_partf */
/* Smallest whole number >= x. */
GRADC_INLINE float gradc_ceilf(float x)
{
#if GRADC_OWN_FLOOR_F
    float a = gradc_magnitudef(x), y = gradc_add_signf(x, gradc_nearestf(a));
    y += gradc_of_bitsf(gradc_belowf(y, x) & gradc_bitsf(1.0f));
    return gradc_pickf(gradc_belowf(a, 8388608.0f), gradc_add_signf(x, y), x);
#else
    return ceilf(x);
#endif
}
/* @end */

/* @part round needs whole_part */
/* Nearest whole number; halves away from 0. */
GRADC_INLINE double gradc_round(double x)
{
#if defined(__SSE2__)
    double a = gradc_magnitude(x), t = a + 0.49999999999999994, y = gradc_nearest(t);
    y -= gradc_of_bits(gradc_below(t, y) & gradc_bits(1.0));
    return gradc_pick(gradc_below(a, 4503599627370496.0), gradc_add_sign(x, y), x);
#else
    return round(x);
#endif
}
/* @end */

/* @part roundf needs whole_partf */
/* Nearest whole number; halves away from 0. */
GRADC_INLINE float gradc_roundf(float x)
{
#if defined(__SSE2__)
    float a = gradc_magnitudef(x), t = a + 0.49999997f, y = gradc_nearestf(t);
    y -= gradc_of_bitsf(gradc_belowf(t, y) & gradc_bitsf(1.0f));
    return gradc_pickf(gradc_belowf(a, 8388608.0f), gradc_add_signf(x, y), x);
#else
    return roundf(x);
#endif
}
/* @end */

/* @part abs needs base */
/* Absolute value. */
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

/* @part sign needs bits */
/* -1, 0 or 1; x where it is 0, -0 or NaN. */
GRADC_INLINE double gradc_sign(double x)
{
    double y = gradc_pick(gradc_below(0.0, x), 1.0, gradc_pick(gradc_below(0.0, -x), -1.0, x));
    return gradc_keep_nan(x, y);
}
/* @end */

/* @part signf needs bitsf */
GRADC_INLINE float gradc_signf(float x)
{
    float y = gradc_pickf(gradc_belowf(0.0f, x), 1.0f, gradc_pickf(gradc_belowf(0.0f, -x), -1.0f, x));
    return y;
}
/* @end */

/* @part min needs base */
/* The smaller; x at a tie; NaN if either is. */
GRADC_INLINE double gradc_min(double x, double y)
{
    return ((y < x) | (y != y)) ? y : x;
}
/* @end */

/* @part minf needs base */
GRADC_INLINE float gradc_minf(float x, float y)
{
    return ((y < x) | (y != y)) ? y : x;
}
/* @end */

/* @part max needs base */
/* The larger; x at a tie; NaN if either is. */
GRADC_INLINE double gradc_max(double x, double y)
{
    return ((y > x) | (y != y)) ? y : x;
}
/* @end */

/* @part maxf needs base */
GRADC_INLINE float gradc_maxf(float x, float y)
{
    return ((y > x) | (y != y)) ? y : x;
}
/* @end */

/* @part relu needs base */
/* max(x, 0); NaN stays. */
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
/* x - y floor(x / y), with the sign of y; the remainder is exact, but for one addition where the signs differ. NaN for y = 0. */
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

/* @part horner needs base */
/* c[0] + c[1] t + ... + c[n - 1] t^(n - 1). */
GRADC_FN double gradc_horner(const double *c, int n, double t)
{
    double y = c[n - 1];
    int i;
    for (i = n - 2; i >= 0; i--)
        y = y * t + c[i];
    return y;
}
/* @end */

/* @part hornerf needs base */
GRADC_FN float gradc_hornerf(const float *c, int n, float t)
{
    float y = c[n - 1];
    int i;
    for (i = n - 2; i >= 0; i--)
        y = y * t + c[i];
    return y;
}
/* @end */

/* @part lgamma needs horner */
/* Logarithm of |gamma(x)|; infinite at 0, -1, -2 ... (C's lgamma would write the global signgam). Up to 1.5 polynomials, then
 * gamma(x) = (x - 1) gamma(x - 1) or Stirling's series, below 0 the reflection, whose error near the zeros is absolute. */
GRADC_FN double gradc_lgamma_right(double x)
{
    /* lgamma(2 + t) / t for |t| <= 1/2, and lgamma(1 + t) / t for -1/4 <= t <= 1/2: minimax */
    static const double at_2[] = {
        0.42278433509846713, 0.3224670334241133, -0.06735230105319576, 0.02058080842776598,
        -0.007385551028925161, 0.0028905103318406355, -0.0011927539013300752, 0.0005096694951347799,
        -0.0002231549722540822, 9.945794393156803e-05, -4.492377198711579e-05, 2.0503545701304192e-05,
        -9.456078606949863e-06, 4.393513904117142e-06, -1.9748271961436776e-06, 8.999169106557832e-07,
        -5.806114507302572e-07, 2.9769202161753227e-07};
    static const double at_1[] = {
        -0.5772156649015329, 0.822467033424113, -0.40068563438654436, 0.2705808084279623, -0.2073855510252981,
        0.16955717696039033, -0.14404989707514554, 0.12550967304271812, -0.11133425523019705,
        0.10009928365964293, -0.09095402520756293, 0.08335841036347964, -0.07694157289489446,
        0.07137585154261511, -0.06643267956800152, 0.06261722407844925, -0.061041299575731255,
        0.05943775601642465, -0.04950928944254146, 0.02797546358167176, -0.007502320348158443};
    const int n_2 = (int)(sizeof at_2 / sizeof at_2[0]), n_1 = (int)(sizeof at_1 / sizeof at_1[0]);
    double z, p;
    if (x < 0.5)
        return x * gradc_horner(at_2, n_2, x) - log(x + x * x);
    if (x < 0.75)
        return (x - 1.0) * gradc_horner(at_2, n_2, x - 1.0) - log(x);
    if (x < 1.5)
        return (x - 1.0) * gradc_horner(at_1, n_1, x - 1.0) + 0.0; /* no -0 */
    if (x < 8.0) {
        for (p = 1.0; x > 2.5; p *= x)
            x -= 1.0;
        return (x - 2.0) * gradc_horner(at_2, n_2, x - 2.0) + log(p);
    }
    z = 1.0 / x;
    p = z * z;
    z *= 0.08333333333333333 + p * (-0.002777777777777778 + p * (0.0007936507936507937 + p * (-0.0005952380952380953 +
        p * (0.0008417508417508417 + p * (-0.0019175269175269176 + p * (0.00641025641025641 + p * -0.029550653594771242))))));
    return (x - 0.5) * (log(x) - 1.0) + (0.4189385332046727 + z);
}
GRADC_FN double gradc_lgamma(double x)
{
    double a = fabs(x), r;
    if (x > 0.0)
        return a > 1e300 ? x * (log(x) - 1.0) : gradc_lgamma_right(x);
    if (x != x)
        return x;
    r = fabs(x - round(x)); /* exact */
    if (r == 0.0 || a > 1e300)
        return HUGE_VAL;
    if (a < 1e-20)
        return -log(a);
    return log(3.141592653589793 / (a * sin(3.141592653589793 * r))) - gradc_lgamma_right(a);
}
/* @end */

/* @part lgammaf needs hornerf */
GRADC_FN float gradc_lgamma_rightf(float x)
{
    /* lgamma(2 + t) / t for |t| <= 1/2, and lgamma(1 + t) / t for -1/4 <= t <= 1/2: minimax */
    static const float at_2[] = {
        0.42278433f, 0.32246697f, -0.06735323f, 0.020583564f, -0.007366772f, 0.002863379f, -0.001311635f,
        0.0006056179f};
    static const float at_1[] = {
        -0.5772157f, 0.8224671f, -0.40068734f, 0.2705771f, -0.20727071f, 0.16946545f, -0.14644058f, 0.1316598f,
        -0.10143711f, 0.041853976f};
    const int n_2 = (int)(sizeof at_2 / sizeof at_2[0]), n_1 = (int)(sizeof at_1 / sizeof at_1[0]);
    float z, p;
    if (x < 0.5f)
        return x * gradc_hornerf(at_2, n_2, x) - logf(x + x * x);
    if (x < 0.75f)
        return (x - 1.0f) * gradc_hornerf(at_2, n_2, x - 1.0f) - logf(x);
    if (x < 1.5f)
        return (x - 1.0f) * gradc_hornerf(at_1, n_1, x - 1.0f) + 0.0f; /* no -0 */
    if (x < 8.0f) {
        for (p = 1.0f; x > 2.5f; p *= x)
            x -= 1.0f;
        return (x - 2.0f) * gradc_hornerf(at_2, n_2, x - 2.0f) + logf(p);
    }
    z = 1.0f / x;
    p = z * z;
    z *= 0.083333333f + p * (-0.0027777778f + p * 0.00079365079f);
    return (x - 0.5f) * (logf(x) - 1.0f) + (0.41893855f + z);
}
GRADC_FN float gradc_lgammaf(float x)
{
    float a = fabsf(x), r;
    if (x > 0.0f)
        return a > 1e36f ? x * (logf(x) - 1.0f) : gradc_lgamma_rightf(x);
    if (x != x)
        return x;
    r = fabsf(x - roundf(x)); /* exact */
    if (r == 0.0f || a > 1e36f)
        return HUGE_VALF;
    if (a < 1e-9f)
        return -logf(a);
    return logf(3.1415927f / (a * sinf(3.1415927f * r))) - gradc_lgamma_rightf(a);
}
/* @end */

/* @part digamma needs horner */
/* Derivative of lgamma. -infinity at 0, infinity at -0, NaN at -1, -2 ...; near its negative zeros the error is absolute. */
GRADC_FN double gradc_digamma(double x)
{
    /* digamma(x) / (x - x0) for 1 <= x <= 2, by powers of x - 1.5, x0 the positive zero: minimax */
    static const double c[] = {
        0.951055876031833, -0.4236274212814606, 0.24054248424077396, -0.1484049230538902, 0.09498872445497708,
        -0.06192213327468678, 0.04076083381057618, -0.026975796691557436, 0.01790725248758472,
        -0.011908219413802051, 0.007926943925353848, -0.0052799463195547115, 0.0035190129743752053,
        -0.0023454203464332115, 0.001556594677597269, -0.0010368440095612278, 0.0007234529317614695,
        -0.0004847254934710821, 0.0002269949704502483, -0.00014698447758416166, 0.00025987569895370244,
        -0.0001765590873391525};
    double s = 0.0, z, r;
    if (x <= 0.0) {
        r = x - round(x); /* exact */
        if (!(fabs(r) > 0.0))
            return x < 0.0 ? (x - x) / (x - x) : -1.0 / x;
        s = fabs(r) == 0.5 ? 0.0 : -3.141592653589793 / tan(3.141592653589793 * r);
        x = 1.0 - x;
    }
    if (x < 1.0) {
        s -= 1.0 / x;
        x += 1.0;
    }
    if (x < 10.0) {
        for (z = 0.0; x > 2.0; z += 1.0 / x)
            x -= 1.0;
        r = gradc_horner(c, (int)(sizeof c / sizeof c[0]), x - 1.5);
        return s + (z + ((x - 1.4616321449683622) - 9.549995429965697e-17) * r);
    }
    z = 1.0 / (x * x);
    z *= 0.08333333333333333 - z * (0.008333333333333333 - z * (0.003968253968253968 - z * (0.004166666666666667 -
        z * (0.007575757575757576 - z * (0.021092796092796094 - z * 0.08333333333333333)))));
    return s + ((log(x) - 0.5 / x) - z);
}
/* @end */

/* @part digammaf needs hornerf */
GRADC_FN float gradc_digammaf(float x)
{
    /* digamma(x) / (x - x0) for 1 <= x <= 2, by powers of x - 1.5f, x0 the positive zero: minimax */
    static const float c[] = {
        0.9510559f, -0.4236275f, 0.24054262f, -0.14839877f, 0.094982095f, -0.062057234f, 0.040879272f,
        -0.025780164f, 0.01698057f, -0.016385613f, 0.011118563f};
    float s = 0.0f, z, r;
    if (x <= 0.0f) {
        r = x - roundf(x); /* exact */
        if (!(fabsf(r) > 0.0f))
            return x < 0.0f ? (x - x) / (x - x) : -1.0f / x;
        s = fabsf(r) == 0.5f ? 0.0f : -3.1415927f / tanf(3.1415927f * r);
        x = 1.0f - x;
    }
    if (x < 1.0f) {
        s -= 1.0f / x;
        x += 1.0f;
    }
    if (x < 7.0f) {
        for (z = 0.0f; x > 2.0f; z += 1.0f / x)
            x -= 1.0f;
        r = gradc_hornerf(c, (int)(sizeof c / sizeof c[0]), x - 1.5f);
        return s + (z + ((x - 1.4616321f) - 1.243815e-08f) * r);
    }
    z = 1.0f / (x * x);
    z *= 0.083333333f - z * (0.0083333333f - z * 0.0039682540f);
    return s + ((logf(x) - 0.5f / x) - z);
}
/* @end */

/* @part polygamma needs lgamma digamma */
/* n-th derivative of digamma, n >= 1: (-1)^(n + 1) n! times the sum of 1 / (x + k)^(n + 1), k = 0, 1 ..., by Euler and Maclaurin.
 * Infinite at 0, -1, -2 ... for odd n, NaN there for even n; n = 0 is digamma; NaN for n < 0 and n > 1000000. */
GRADC_FN double gradc_polygamma_right(int64_t n, double x)
{
    /* B(2k) / (2k)!, the coefficients of Euler and Maclaurin */
    static const double bernoulli[] = {
        0.08333333333333333, -0.001388888888888889, 3.306878306878307e-05, -8.267195767195768e-07,
        2.08767569878681e-08, -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
        8.586062056277845e-15, -2.174868698558062e-16, 5.5090028283602295e-18, -1.3954464685812522e-19};
    double m = (double)n, sum = 0.0, first = 0.0, term, tail, ratio, y = x;
    int64_t k;
    int i;
    if (x > DBL_MAX)
        return 0.0;
    for (;;) { /* few turns: where x is small beside n, the terms shrink fast */
        term = pow(x / y, m + 1.0); /* relative to the first, n! / x^(n + 1), which is added last */
        if (y >= 0.5 * m + 12.0) {
            tail = y / m + 0.5;
            ratio = (m + 1.0) / y;
            for (i = 0; i < 12; i++) {
                tail += bernoulli[i] * ratio;
                ratio *= ((m + 2.0 * (double)i + 2.0) / y) * ((m + 2.0 * (double)i + 3.0) / y);
            }
            sum += term * tail;
            break;
        }
        if (y > x)
            sum += term;
        else
            first = 1.0;
        if (term < 1e-17)
            break;
        y += 1.0;
    }
    sum += first;
    if (n > 200)
        return sum * exp(gradc_lgamma(m + 1.0) - (m + 1.0) * log(x));
    sum /= x;
    for (k = 1; k <= n; k++)
        sum *= (double)k / x;
    return sum;
}
GRADC_FN double gradc_polygamma(int64_t n, double x)
{
    double sign = (n & 1) != 0 ? 1.0 : -1.0, r;
    if (n == 0)
        return gradc_digamma(x);
    if (n < 0 || n > 1000000)
        return HUGE_VAL - HUGE_VAL;
    if (x > 0.0)
        return sign * gradc_polygamma_right(n, x);
    r = x - round(x); /* exact */
    if (!(fabs(r) > 0.0)) /* a pole, or NaN */
        return (n & 1) != 0 && r == r ? HUGE_VAL : (x - x) / (x - x);
    /* the terms 1 / (x + k)^(n + 1) with x + k < 0, which are finitely many, and the others */
    return gradc_polygamma_right(n, r > 0.0 ? 1.0 - r : -r) - gradc_polygamma_right(n, 1.0 - x) +
        sign * gradc_polygamma_right(n, r > 0.0 ? r : 1.0 + r);
}
/* @end */

/* @part polygammaf needs lgammaf digammaf */
GRADC_FN float gradc_polygamma_rightf(int64_t n, float x)
{
    /* B(2k) / (2k)!, the coefficients of Euler and Maclaurin */
    static const float bernoulli[] = {
        0.0833333333f, -0.00138888889f, 3.30687831e-05f, -8.26719577e-07f, 2.0876757e-08f};
    float m = (float)n, sum = 0.0f, first = 0.0f, term, tail, ratio, y = x;
    int64_t k;
    int i;
    if (x > FLT_MAX)
        return 0.0f;
    for (;;) { /* few turns: where x is small beside n, the terms shrink fast */
        term = powf(x / y, m + 1.0f); /* relative to the first, n! / x^(n + 1), which is added last */
        if (y >= 0.5f * m + 6.0f) {
            tail = y / m + 0.5f;
            ratio = (m + 1.0f) / y;
            for (i = 0; i < 5; i++) {
                tail += bernoulli[i] * ratio;
                ratio *= ((m + 2.0f * (float)i + 2.0f) / y) * ((m + 2.0f * (float)i + 3.0f) / y);
            }
            sum += term * tail;
            break;
        }
        if (y > x)
            sum += term;
        else
            first = 1.0f;
        if (term < 1e-9f)
            break;
        y += 1.0f;
    }
    sum += first;
    if (n > 60)
        return sum * expf(gradc_lgammaf(m + 1.0f) - (m + 1.0f) * logf(x));
    sum /= x;
    for (k = 1; k <= n; k++)
        sum *= (float)k / x;
    return sum;
}
GRADC_FN float gradc_polygammaf(int64_t n, float x)
{
    float sign = (n & 1) != 0 ? 1.0f : -1.0f, r;
    if (n == 0)
        return gradc_digammaf(x);
    if (n < 0 || n > 1000000)
        return HUGE_VALF - HUGE_VALF;
    if (x > 0.0f)
        return sign * gradc_polygamma_rightf(n, x);
    r = x - roundf(x); /* exact */
    if (!(fabsf(r) > 0.0f)) /* a pole, or NaN */
        return (n & 1) != 0 && r == r ? HUGE_VALF : (x - x) / (x - x);
    /* the terms 1 / (x + k)^(n + 1) with x + k < 0, which are finitely many, and the others */
    return gradc_polygamma_rightf(n, r > 0.0f ? 1.0f - r : -r) - gradc_polygamma_rightf(n, 1.0f - x) +
        sign * gradc_polygamma_rightf(n, r > 0.0f ? r : 1.0f + r);
}
/* @end */

/* @part vector needs base */
/* How wide the vectors are that the target computes with, and how many of them a product keeps in registers: ROWS x VECS in
 * general, MANY, FEW, 2 or 1 x VECS for the last rows, 1 x WIDE for a single row, DOT_ROWS x DOT_COLS where the lanes run along the
 * sum.
 * Without vectors (0 bytes, and with -DGRADC_NO_VECTORS, and where numbers are wider in registers, as in the 387) plain numbers
 * stand in their place. */
#if defined(GRADC_NO_VECTORS) || !defined(__GNUC__) || \
    (defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2))
#define GRADC_VECTOR_BYTES 0
#define GRADC_ROWS 4
#define GRADC_MANY 3
#define GRADC_FEW 2
#define GRADC_WIDE 4
#define GRADC_DOT_ROWS 2
#elif defined(__AVX512F__)
#define GRADC_VECTOR_BYTES 64
#define GRADC_ROWS 12
#define GRADC_MANY 8
#define GRADC_FEW 4
#define GRADC_WIDE 8
#define GRADC_DOT_ROWS 4
#elif defined(__AVX__)
#define GRADC_VECTOR_BYTES 32
#define GRADC_ROWS 6
#define GRADC_MANY 4
#define GRADC_FEW 3
#define GRADC_WIDE 6
#define GRADC_DOT_ROWS 2
#elif defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__) || defined(__wasm_simd128__)
#define GRADC_VECTOR_BYTES 16
#define GRADC_ROWS 6
#define GRADC_MANY 4
#define GRADC_FEW 3
#define GRADC_WIDE 6
#define GRADC_DOT_ROWS 2
#else
#define GRADC_VECTOR_BYTES 0
#define GRADC_ROWS 4
#define GRADC_MANY 3
#define GRADC_FEW 2
#define GRADC_WIDE 4
#define GRADC_DOT_ROWS 2
#endif
#define GRADC_VECS 2
#define GRADC_DOT_COLS 4
/* Loops of a constant, small number of turns over registers: all turns are written out, at -O2 too. */
#if defined(__clang__)
#define GRADC_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define GRADC_UNROLL _Pragma("GCC unroll 16")
#else
#define GRADC_UNROLL
#endif
/* gcc would load a vector again for each product that it is used in, and be bound by loads: hold it in a register. */
#if GRADC_VECTOR_BYTES == 64 && !defined(__clang__)
#define GRADC_HOLD(x) __asm__("" : "+v"(x))
#elif GRADC_VECTOR_BYTES == 32 && !defined(__clang__)
#define GRADC_HOLD(x) __asm__("" : "+x"(x))
#else
#define GRADC_HOLD(x) (void)0
#endif
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define GRADC_CAN_SHUFFLE 1
#else
#define GRADC_CAN_SHUFFLE 0
#endif
/* c is far when a tile begins, and is wanted when it ends. */
#if defined(__GNUC__)
#define GRADC_SOON(x) __builtin_prefetch(x, 1)
#else
#define GRADC_SOON(x) (void)(x)
#endif
/* rows x vecs vectors of c (+)= a b, or c -= a b where accumulate < 0; b's rows are contiguous. A
 * macro, not an inline function, because clang unrolls loops
 * before it inlines. */
#define GRADC_TILE(name, real, vector, vector_at, rows, vecs) \
    GRADC_OUTLINE void name(size_t k, const real *gradc_restrict a, size_t a_row, size_t a_col, const real *gradc_restrict b, \
        size_t b_row, real *gradc_restrict c, size_t c_row, int accumulate) \
    { \
        const size_t lanes = sizeof(vector) / sizeof(real); \
        const vector zero = {0}; \
        vector sum[rows][vecs], y[vecs]; \
        size_t p; \
        int i, j; \
        GRADC_UNROLL \
        for (i = 0; i < (rows); i++) { \
            GRADC_UNROLL \
            for (j = 0; j < (vecs); j++) \
                sum[i][j] = zero; \
            if (k > 16) \
                GRADC_SOON(c + (size_t)i * c_row); \
            if ((vecs) > 1 && k > 16) \
                GRADC_SOON(c + (size_t)i * c_row + ((vecs)-1) * lanes); \
        } \
        for (p = 0; p < k; p++) { \
            GRADC_UNROLL \
            for (j = 0; j < (vecs); j++) \
                y[j] = *(const vector_at *)(const void *)(b + p * b_row + (size_t)j * lanes); \
            GRADC_UNROLL \
            for (i = 0; i < (rows); i++) { \
                const real x = a[(size_t)i * a_row + p * a_col]; \
                GRADC_UNROLL \
                for (j = 0; j < (vecs); j++) \
                    sum[i][j] += x * y[j]; \
            } \
        } \
        if (accumulate < 0) { \
            GRADC_UNROLL \
            for (i = 0; i < (rows); i++) { \
                GRADC_UNROLL \
                for (j = 0; j < (vecs); j++) \
                    sum[i][j] = *(const vector_at *)(const void *)(c + (size_t)i * c_row + (size_t)j * lanes) - sum[i][j]; \
            } \
        } else if (accumulate) { \
            GRADC_UNROLL \
            for (i = 0; i < (rows); i++) { \
                GRADC_UNROLL \
                for (j = 0; j < (vecs); j++) \
                    sum[i][j] += *(const vector_at *)(const void *)(c + (size_t)i * c_row + (size_t)j * lanes); \
            } \
        } \
        GRADC_UNROLL \
        for (i = 0; i < (rows); i++) { \
            GRADC_UNROLL \
            for (j = 0; j < (vecs); j++) \
                *(vector_at *)(void *)(c + (size_t)i * c_row + (size_t)j * lanes) = sum[i][j]; \
        } \
    }
/* c[i, j] for i < rows, j < cols, where a's rows and b's columns are contiguous. */
#define GRADC_DOT(name, real, vector, vector_at, lane_sum, rows, cols) \
    GRADC_OUTLINE void name(size_t k, const real *gradc_restrict a, size_t a_row, const real *gradc_restrict b, size_t b_col, \
        real *gradc_restrict c, size_t c_row, size_t c_col, int accumulate) \
    { \
        const size_t lanes = sizeof(vector) / sizeof(real); \
        const vector zero = {0}; \
        vector sum[rows][cols], y[cols]; \
        real s[rows][cols]; \
        size_t p; \
        int i, j; \
        GRADC_UNROLL \
        for (i = 0; i < (rows); i++) { \
            GRADC_UNROLL \
            for (j = 0; j < (cols); j++) \
                sum[i][j] = zero; \
        } \
        for (p = 0; p + lanes <= k; p += lanes) { \
            GRADC_UNROLL \
            for (j = 0; j < (cols); j++) { \
                y[j] = *(const vector_at *)(const void *)(b + (size_t)j * b_col + p); \
                GRADC_HOLD(y[j]); \
            } \
            GRADC_UNROLL \
            for (i = 0; i < (rows); i++) { \
                vector x = *(const vector_at *)(const void *)(a + (size_t)i * a_row + p); \
                GRADC_HOLD(x); \
                GRADC_UNROLL \
                for (j = 0; j < (cols); j++) \
                    sum[i][j] += x * y[j]; \
            } \
        } \
        GRADC_UNROLL \
        for (i = 0; i < (rows); i++) { \
            GRADC_UNROLL \
            for (j = 0; j < (cols); j++) \
                s[i][j] = lane_sum(sum[i][j]); \
        } \
        for (; p < k; p++) { \
            GRADC_UNROLL \
            for (i = 0; i < (rows); i++) { \
                GRADC_UNROLL \
                for (j = 0; j < (cols); j++) \
                    s[i][j] += a[(size_t)i * a_row + p] * b[(size_t)j * b_col + p]; \
            } \
        } \
        GRADC_UNROLL \
        for (i = 0; i < (rows); i++) { \
            GRADC_UNROLL \
            for (j = 0; j < (cols); j++) { \
                real *entry = c + (size_t)i * c_row + (size_t)j * c_col; \
                *entry = accumulate < 0 ? *entry - s[i][j] : accumulate ? *entry + s[i][j] : s[i][j]; \
            } \
        } \
    }
/* @end */

/* @part pieces needs base */
/* In a text made with --openmp, and with -fopenmp, threads share large products: each has some columns or rows of the result. What
 * an entry is made of stays what it is, so its bits do too. */
#if defined(GRADC_THREADS) && defined(_OPENMP)
#include <omp.h>
/* How many threads a product is worth, and from where to where piece `piece` goes: whole tiles. */
GRADC_FN int gradc_pieces(size_t m, size_t n, size_t k)
{
    return (double)m * (double)n * (double)k < 524288.0 || omp_in_parallel() ? 1 : omp_get_max_threads();
}
GRADC_FN size_t gradc_piece(size_t n, size_t tile, int piece, int pieces)
{
    const size_t at = ((n + tile - 1) / tile * (size_t)piece + (size_t)pieces - 1) / (size_t)pieces * tile;
    return at < n ? at : n;
}
#endif
/* @end */

/* @part cblas needs base */
/* With -DGRADC_CBLAS the products below go to a BLAS that is linked, in all layouts that it knows (one of the strides of a matrix is
 * 1); others, and what a BLAS has no use for, stay here. */
#if defined(GRADC_CBLAS)
#include <cblas.h>
/* Does it know the matrix [rows, cols] with these strides? Then its leading dimension, else 0. */
GRADC_FN int gradc_cblas_lead(size_t rows, size_t cols, size_t row, size_t col, int *transposed)
{
    const size_t most = 2147483647;
    size_t lead;
    *transposed = !(col == 1 || cols == 1) || (rows == 1 && row == 1 && col != 1);
    if (*transposed ? row != 1 && rows != 1 : col != 1 && cols != 1)
        return 0;
    lead = *transposed ? (cols == 1 ? rows : col) : (rows == 1 ? cols : row);
    return rows > most || cols > most || lead > most || lead < (*transposed ? rows : cols) ? 0 : (int)lead;
}
#define GRADC_TO_CBLAS(name, real, gemm, gemv) \
    GRADC_FN int name(size_t m, size_t n, size_t k, const real *a, size_t a_row, size_t a_col, const real *b, size_t b_row, \
        size_t b_col, real *c, size_t c_row, size_t c_col, int accumulate) \
    { \
        const real alpha = accumulate < 0 ? -1 : 1, beta = accumulate != 0; \
        int ta, tb, tc, la = gradc_cblas_lead(m, k, a_row, a_col, &ta), lb = gradc_cblas_lead(k, n, b_row, b_col, &tb); \
        int lc = gradc_cblas_lead(m, n, c_row, c_col, &tc); \
        if (k == 0 || lb == 0) \
            return 0; \
        if (m == 1 && a_col > 0 && a_col < 2147483647 && c_col > 0 && c_col < 2147483647) { \
            gemv(CblasRowMajor, tb ? CblasNoTrans : CblasTrans, (int)(tb ? n : k), (int)(tb ? k : n), alpha, b, lb, a, (int)a_col, \
                beta, c, (int)c_col); \
            return 1; \
        } \
        if (la == 0 || lc == 0 || tc) \
            return 0; \
        gemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a, la, \
            b, lb, beta, c, lc); \
        return 1; \
    }
#endif
/* @end */

/* @part matmul needs lanes vector cblas */
/* c[i, j] (+)= sum over p of a[i, p] b[p, j], for i < m, j < n, p < k.
 *
 * Entry i, j of a matrix X lies at X[i * X_row + j * X_col], so that a transposed matrix is the same one with its strides
 * exchanged. c is overwritten, or added to where `accumulate` is 1, or the product is
 * taken off it where that is -1; it overlaps neither a nor b; k may be 0. At least one of
 * the strides of each matrix should be 1. The order of the sum depends on the shape and the target, on nothing else.
 *
 * Three forms. Both operands contiguous along p and few rows, of which a few more where the columns are few and do not fill
 * vectors: sums of products with p in the lanes (`gradc_matmul_dot`).
 * Otherwise tiles of c stay in registers while p runs: the lanes are columns, entries of a are broadcast, and b is read where it
 * lies, if its rows are contiguous and few rows of c use them, or from a copy of 256 rows of a panel, which is
 * 512 vectors: 32 KiB with AVX-512, 16 with AVX, 8 with SSE2 and NEON. */
#if GRADC_VECTOR_BYTES
typedef double gradc_vector __attribute__((vector_size(GRADC_VECTOR_BYTES)));
typedef double gradc_vector_at __attribute__((vector_size(GRADC_VECTOR_BYTES), aligned(8), may_alias)); /* anywhere in an array */
#define GRADC_LANES_OF (GRADC_VECTOR_BYTES / 8)
#else
typedef double gradc_vector;
typedef double gradc_vector_at;
#define GRADC_LANES_OF 1
#endif
#define GRADC_PANEL (GRADC_VECS * GRADC_LANES_OF) /* columns of c that a tile holds */
#define GRADC_DEPTH 256 /* p that a copy of b holds */

/* The sum of the lanes, halves first. */
GRADC_INLINE double gradc_lane_sum(gradc_vector x)
{
#if GRADC_VECTOR_BYTES == 0
    return x;
#elif GRADC_CAN_SHUFFLE
#if GRADC_LANES_OF == 8
    x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
    x += __builtin_shufflevector(x, x, 2, 3, 4, 5, 6, 7, 0, 1);
    x += __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 0);
#elif GRADC_LANES_OF == 4
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1);
    x += __builtin_shufflevector(x, x, 1, 2, 3, 0);
#elif GRADC_LANES_OF == 2
    x += __builtin_shufflevector(x, x, 1, 0);
#endif
    return x[0];
#else
    double s[GRADC_LANES_OF];
    size_t half, i;
    memcpy(s, &x, sizeof s);
    for (half = GRADC_LANES_OF / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
#endif
}

GRADC_TILE(gradc_tile_full, double, gradc_vector, gradc_vector_at, GRADC_ROWS, GRADC_VECS)
GRADC_TILE(gradc_tile_many, double, gradc_vector, gradc_vector_at, GRADC_MANY, GRADC_VECS)
GRADC_TILE(gradc_tile_few, double, gradc_vector, gradc_vector_at, GRADC_FEW, GRADC_VECS)
GRADC_TILE(gradc_tile_two, double, gradc_vector, gradc_vector_at, 2, GRADC_VECS)
GRADC_TILE(gradc_tile_one, double, gradc_vector, gradc_vector_at, 1, GRADC_VECS)
GRADC_TILE(gradc_tile_full_1, double, gradc_vector, gradc_vector_at, GRADC_ROWS, 1)
GRADC_TILE(gradc_tile_many_1, double, gradc_vector, gradc_vector_at, GRADC_MANY, 1)
GRADC_TILE(gradc_tile_few_1, double, gradc_vector, gradc_vector_at, GRADC_FEW, 1)
GRADC_TILE(gradc_tile_two_1, double, gradc_vector, gradc_vector_at, 2, 1)
GRADC_TILE(gradc_tile_one_1, double, gradc_vector, gradc_vector_at, 1, 1)
GRADC_TILE(gradc_tile_wide, double, gradc_vector, gradc_vector_at, 1, GRADC_WIDE)

/* The same for `rows` rows and vecs vectors of which `columns` numbers are columns of c; to c if all are and c's rows are
 * contiguous, else through a small copy. */
GRADC_OUTLINE void gradc_tile_rows(size_t rows, int vecs, size_t columns, size_t k, const double *a, size_t a_row, size_t a_col,
    const double *b, size_t b_row, double *c, size_t c_row, size_t c_col, int accumulate)
{
    double copy[GRADC_ROWS * GRADC_PANEL];
    size_t width = (size_t)vecs * GRADC_LANES_OF, i, j, step;
    int direct = columns == width && c_col == 1, add = direct ? accumulate : 0;
    for (; rows > 0; rows -= step, a += step * a_row, c += step * c_row) {
        double *to = direct ? c : copy;
        size_t to_row = direct ? c_row : width;
        if (rows >= GRADC_ROWS) {
            step = GRADC_ROWS;
            (vecs == 1 ? gradc_tile_full_1 : gradc_tile_full)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= GRADC_MANY) {
            step = GRADC_MANY;
            (vecs == 1 ? gradc_tile_many_1 : gradc_tile_many)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= GRADC_FEW) {
            step = GRADC_FEW;
            (vecs == 1 ? gradc_tile_few_1 : gradc_tile_few)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= 2) {
            step = 2;
            (vecs == 1 ? gradc_tile_two_1 : gradc_tile_two)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else {
            step = 1;
            (vecs == 1 ? gradc_tile_one_1 : gradc_tile_one)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        }
        if (!direct)
            for (i = 0; i < step; i++)
                for (j = 0; j < columns; j++) {
                    double *entry = c + i * c_row + j * c_col, value = copy[i * width + j];
                    *entry = accumulate < 0 ? *entry - value : accumulate ? *entry + value : value;
                }
    }
}

/* rows p of `columns` entries of b into `copy`, width entries apart, the rest of a row zero. */
GRADC_OUTLINE void gradc_copy_panel(size_t k, size_t columns, size_t width, const double *gradc_restrict b, size_t b_row,
    size_t b_col, double *gradc_restrict copy)
{
    size_t p, j;
    for (p = 0; p < k && columns < width; p++)
        for (j = columns; j < width; j++)
            copy[p * width + j] = 0.0;
    if (b_col == 1 && columns == GRADC_PANEL) {
        for (p = 0; p < k; p++)
            for (j = 0; j < GRADC_PANEL; j += GRADC_LANES_OF)
                *(gradc_vector_at *)(void *)(copy + p * GRADC_PANEL + j) =
                    *(const gradc_vector_at *)(const void *)(b + p * b_row + j);
    } else if (b_col == 1) {
        for (p = 0; p < k; p++)
            for (j = 0; j < columns; j++)
                copy[p * width + j] = b[p * b_row + j];
    } else {
        for (j = 0; j + 4 <= columns; j += 4)
            for (p = 0; p < k; p++) {
                const double *from = b + p * b_row + j * b_col;
                double *to = copy + p * width + j;
                double b0 = from[0], b1 = from[b_col], b2 = from[2 * b_col], b3 = from[3 * b_col];
                to[0] = b0, to[1] = b1, to[2] = b2, to[3] = b3;
            }
        for (; j < columns; j++)
            for (p = 0; p < k; p++)
                copy[p * width + j] = b[p * b_row + j * b_col];
    }
}

GRADC_DOT(gradc_dot_full, double, gradc_vector, gradc_vector_at, gradc_lane_sum, GRADC_DOT_ROWS, GRADC_DOT_COLS)
GRADC_DOT(gradc_dot_row, double, gradc_vector, gradc_vector_at, gradc_lane_sum, 1, GRADC_DOT_COLS)
GRADC_DOT(gradc_dot_column, double, gradc_vector, gradc_vector_at, gradc_lane_sum, GRADC_DOT_ROWS, 1)
GRADC_DOT(gradc_dot_one, double, gradc_vector, gradc_vector_at, gradc_lane_sum, 1, 1)

GRADC_OUTLINE void gradc_matmul_dot(size_t m, size_t n, size_t k, const double *a, size_t a_row, const double *b, size_t b_col,
    double *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t rows, cols, step;
    for (rows = m; rows > 0; rows -= step, a += step * a_row, c += step * c_row) {
        const double *y = b;
        double *z = c;
        step = rows >= GRADC_DOT_ROWS ? GRADC_DOT_ROWS : 1;
        for (cols = n; cols >= GRADC_DOT_COLS; cols -= GRADC_DOT_COLS, y += GRADC_DOT_COLS * b_col, z += GRADC_DOT_COLS * c_col)
            (step == 1 ? gradc_dot_row : gradc_dot_full)(k, a, a_row, y, b_col, z, c_row, c_col, accumulate);
        for (; cols > 0; cols--, y += b_col, z += c_col)
            (step == 1 ? gradc_dot_one : gradc_dot_column)(k, a, a_row, y, b_col, z, c_row, c_col, accumulate);
    }
}

/* k is 1 or 2: c is written once, row by row, which is all that such a product costs. */
GRADC_OUTLINE void gradc_matmul_outer(size_t m, size_t n, size_t k, const double *gradc_restrict a, size_t a_row, size_t a_col,
    const double *gradc_restrict b, size_t b_row, double *gradc_restrict c, size_t c_row, int accumulate)
{
    size_t i, j;
    const double *gradc_restrict b1 = b + (k > 1 ? b_row : 0);
    for (i = 0; i < m; i++, a += a_row, c += c_row) {
        const double s = accumulate < 0 ? -1.0 : 1.0, x = s * a[0], y = k > 1 ? s * a[a_col] : 0.0;
        if (accumulate) {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] += x * b[j];
        } else {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] = x * b[j];
        }
        if (k > 1) {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] += y * b1[j];
        }
    }
}

#if defined(GRADC_CBLAS)
GRADC_TO_CBLAS(gradc_to_cblas, double, cblas_dgemm, cblas_dgemv)
#endif
/* By tiles. */
GRADC_OUTLINE void gradc_matmul_tiles(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
    size_t b_row, size_t b_col, double *c, size_t c_row, size_t c_col, int accumulate)
{
    double copy[GRADC_DEPTH * GRADC_PANEL];
    size_t i, j, p, depth, columns, width, copy_row;
    const double *panel;
    p = 0;
    do {
        depth = k - p < GRADC_DEPTH ? k - p : GRADC_DEPTH;
        j = 0;
        if (b_col == 1 && c_col == 1 && m < GRADC_FEW) {
            for (; j + GRADC_WIDE * GRADC_LANES_OF <= n; j += GRADC_WIDE * GRADC_LANES_OF)
                for (i = 0; i < m; i++)
                    gradc_tile_wide(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        }
        for (; j < n; j += columns) {
            int vecs = n - j > GRADC_LANES_OF ? GRADC_VECS : 1;
            width = (size_t)vecs * GRADC_LANES_OF;
            columns = n - j < width ? n - j : width;
            panel = b + j * b_col;
            copy_row = b_row;
            if (b_col != 1 || columns < width || m >= 4 * GRADC_ROWS) {
                gradc_copy_panel(depth, columns, width, panel, b_row, b_col, copy);
                panel = copy;
                copy_row = width;
            }
            gradc_tile_rows(m, vecs, columns, depth, a, a_row, a_col, panel, copy_row, c + j * c_col, c_row, c_col, accumulate);
        }
        p += depth;
        a += depth * a_col;
        b += depth * b_row;
        accumulate = accumulate < 0 ? -1 : 1;
    } while (p < k);
}

GRADC_OUTLINE void gradc_matmul(size_t m, size_t n, size_t k, const double *a, size_t a_row, size_t a_col, const double *b,
    size_t b_row, size_t b_col, double *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t i, j, p;
    if (m == 0 || n == 0)
        return;
    if (m * n * k <= 64 && m <= 64 && n <= 64) { /* a few numbers: no tile */
        for (i = 0; i < m; i++)
            for (j = 0; j < n; j++) {
                double *entry = c + i * c_row + j * c_col, sum = 0.0;
                for (p = 0; p < k; p++)
                    sum += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
                *entry = accumulate < 0 ? *entry - sum : accumulate ? *entry + sum : sum;
            }
        return;
    }
    if ((c_col != 1 && c_row == 1) || (n == 1 && m > 1)) { /* the transposed product has the better rows */
        const double *t = a;
        size_t u;
        a = b, b = t;
        u = m, m = n, n = u;
        u = a_row, a_row = b_col, b_col = u;
        u = a_col, a_col = b_row, b_row = u;
        u = c_row, c_row = c_col, c_col = u;
    }
#if defined(GRADC_CBLAS)
    if (gradc_to_cblas(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate))
        return;
#endif
    if (k <= 2 && k > 0 && b_col == 1 && c_col == 1) {
        gradc_matmul_outer(m, n, k, a, a_row, a_col, b, b_row, c, c_row, accumulate);
        return;
    }
    if (a_col == 1 && b_row == 1 && k > 0 && (b_col != 1 || n == 1) &&
        (m <= k / 8 + 1 || (m <= k / 4 && n < 16 && n % GRADC_LANES_OF != 0))) {
#if defined(GRADC_THREADS) && defined(_OPENMP)
        const int pieces = gradc_pieces(m, n, k);
        if (pieces > 1) {
            int piece;
#pragma omp parallel for schedule(static)
            for (piece = 0; piece < pieces; piece++) {
                const size_t from = gradc_piece(n, GRADC_DOT_COLS, piece, pieces);
                gradc_matmul_dot(m, gradc_piece(n, GRADC_DOT_COLS, piece + 1, pieces) - from, k, a, a_row, b + from * b_col, b_col,
                    c + from * c_col, c_row, c_col, accumulate);
            }
            return;
        }
#endif
        gradc_matmul_dot(m, n, k, a, a_row, b, b_col, c, c_row, c_col, accumulate);
        return;
    }
#if defined(GRADC_THREADS) && defined(_OPENMP)
    const int pieces = gradc_pieces(m, n, k);
    if (pieces > 1) {
        const int by_columns = n / GRADC_PANEL >= m / GRADC_ROWS || n / GRADC_PANEL >= 4 * (size_t)pieces;
        int piece;
#pragma omp parallel for schedule(static)
        for (piece = 0; piece < pieces; piece++) {
            const size_t row = by_columns ? 0 : gradc_piece(m, GRADC_ROWS, piece, pieces);
            const size_t column = by_columns ? gradc_piece(n, GRADC_PANEL, piece, pieces) : 0;
            const size_t rows = by_columns ? m : gradc_piece(m, GRADC_ROWS, piece + 1, pieces) - row;
            const size_t columns = by_columns ? gradc_piece(n, GRADC_PANEL, piece + 1, pieces) - column : n;
            if (rows > 0 && columns > 0)
                gradc_matmul_tiles(rows, columns, k, a + row * a_row, a_row, a_col, b + column * b_col, b_row, b_col,
                    c + row * c_row + column * c_col, c_row, c_col, accumulate);
        }
        return;
    }
#endif
    gradc_matmul_tiles(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate);
}
/* @end */

/* @part matmulf needs lanes vector cblas */
/* The same in float. */
#if GRADC_VECTOR_BYTES
typedef float gradc_vectorf __attribute__((vector_size(GRADC_VECTOR_BYTES)));
typedef float gradc_vector_atf __attribute__((vector_size(GRADC_VECTOR_BYTES), aligned(4), may_alias)); /* anywhere in an array */
#define GRADC_LANES_OF_F (GRADC_VECTOR_BYTES / 4)
#else
typedef float gradc_vectorf;
typedef float gradc_vector_atf;
#define GRADC_LANES_OF_F 1
#endif
#define GRADC_PANEL_F (GRADC_VECS * GRADC_LANES_OF_F) /* columns of c that a tile holds */
#define GRADC_DEPTH_F 256 /* p that a copy of b holds */

/* The sum of the lanes, halves first. */
GRADC_INLINE float gradc_lane_sumf(gradc_vectorf x)
{
#if GRADC_VECTOR_BYTES == 0
    return x;
#elif GRADC_CAN_SHUFFLE
#if GRADC_LANES_OF_F == 16
    x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
    x += __builtin_shufflevector(x, x, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1);
    x += __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
#elif GRADC_LANES_OF_F == 8
    x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
    x += __builtin_shufflevector(x, x, 2, 3, 4, 5, 6, 7, 0, 1);
    x += __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 0);
#elif GRADC_LANES_OF_F == 4
    x += __builtin_shufflevector(x, x, 2, 3, 0, 1);
    x += __builtin_shufflevector(x, x, 1, 2, 3, 0);
#elif GRADC_LANES_OF_F == 2
    x += __builtin_shufflevector(x, x, 1, 0);
#endif
    return x[0];
#else
    float s[GRADC_LANES_OF_F];
    size_t half, i;
    memcpy(s, &x, sizeof s);
    for (half = GRADC_LANES_OF_F / 2; half > 0; half /= 2)
        for (i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
#endif
}

GRADC_TILE(gradc_tile_fullf, float, gradc_vectorf, gradc_vector_atf, GRADC_ROWS, GRADC_VECS)
GRADC_TILE(gradc_tile_manyf, float, gradc_vectorf, gradc_vector_atf, GRADC_MANY, GRADC_VECS)
GRADC_TILE(gradc_tile_fewf, float, gradc_vectorf, gradc_vector_atf, GRADC_FEW, GRADC_VECS)
GRADC_TILE(gradc_tile_twof, float, gradc_vectorf, gradc_vector_atf, 2, GRADC_VECS)
GRADC_TILE(gradc_tile_onef, float, gradc_vectorf, gradc_vector_atf, 1, GRADC_VECS)
GRADC_TILE(gradc_tile_full_1f, float, gradc_vectorf, gradc_vector_atf, GRADC_ROWS, 1)
GRADC_TILE(gradc_tile_many_1f, float, gradc_vectorf, gradc_vector_atf, GRADC_MANY, 1)
GRADC_TILE(gradc_tile_few_1f, float, gradc_vectorf, gradc_vector_atf, GRADC_FEW, 1)
GRADC_TILE(gradc_tile_two_1f, float, gradc_vectorf, gradc_vector_atf, 2, 1)
GRADC_TILE(gradc_tile_one_1f, float, gradc_vectorf, gradc_vector_atf, 1, 1)
GRADC_TILE(gradc_tile_widef, float, gradc_vectorf, gradc_vector_atf, 1, GRADC_WIDE)

/* The same for `rows` rows and vecs vectors of which `columns` numbers are columns of c; to c if all are and c's rows are
 * contiguous, else through a small copy. */
GRADC_OUTLINE void gradc_tile_rowsf(size_t rows, int vecs, size_t columns, size_t k, const float *a, size_t a_row, size_t a_col,
    const float *b, size_t b_row, float *c, size_t c_row, size_t c_col, int accumulate)
{
    float copy[GRADC_ROWS * GRADC_PANEL_F];
    size_t width = (size_t)vecs * GRADC_LANES_OF_F, i, j, step;
    int direct = columns == width && c_col == 1, add = direct ? accumulate : 0;
    for (; rows > 0; rows -= step, a += step * a_row, c += step * c_row) {
        float *to = direct ? c : copy;
        size_t to_row = direct ? c_row : width;
        if (rows >= GRADC_ROWS) {
            step = GRADC_ROWS;
            (vecs == 1 ? gradc_tile_full_1f : gradc_tile_fullf)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= GRADC_MANY) {
            step = GRADC_MANY;
            (vecs == 1 ? gradc_tile_many_1f : gradc_tile_manyf)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= GRADC_FEW) {
            step = GRADC_FEW;
            (vecs == 1 ? gradc_tile_few_1f : gradc_tile_fewf)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else if (rows >= 2) {
            step = 2;
            (vecs == 1 ? gradc_tile_two_1f : gradc_tile_twof)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        } else {
            step = 1;
            (vecs == 1 ? gradc_tile_one_1f : gradc_tile_onef)(k, a, a_row, a_col, b, b_row, to, to_row, add);
        }
        if (!direct)
            for (i = 0; i < step; i++)
                for (j = 0; j < columns; j++) {
                    float *entry = c + i * c_row + j * c_col, value = copy[i * width + j];
                    *entry = accumulate < 0 ? *entry - value : accumulate ? *entry + value : value;
                }
    }
}

/* rows p of `columns` entries of b into `copy`, width entries apart, the rest of a row zero. */
GRADC_OUTLINE void gradc_copy_panelf(size_t k, size_t columns, size_t width, const float *gradc_restrict b, size_t b_row,
    size_t b_col, float *gradc_restrict copy)
{
    size_t p, j;
    for (p = 0; p < k && columns < width; p++)
        for (j = columns; j < width; j++)
            copy[p * width + j] = 0.0f;
    if (b_col == 1 && columns == GRADC_PANEL_F) {
        for (p = 0; p < k; p++)
            for (j = 0; j < GRADC_PANEL_F; j += GRADC_LANES_OF_F)
                *(gradc_vector_atf *)(void *)(copy + p * GRADC_PANEL_F + j) =
                    *(const gradc_vector_atf *)(const void *)(b + p * b_row + j);
    } else if (b_col == 1) {
        for (p = 0; p < k; p++)
            for (j = 0; j < columns; j++)
                copy[p * width + j] = b[p * b_row + j];
    } else {
        for (j = 0; j + 4 <= columns; j += 4)
            for (p = 0; p < k; p++) {
                const float *from = b + p * b_row + j * b_col;
                float *to = copy + p * width + j;
                float b0 = from[0], b1 = from[b_col], b2 = from[2 * b_col], b3 = from[3 * b_col];
                to[0] = b0, to[1] = b1, to[2] = b2, to[3] = b3;
            }
        for (; j < columns; j++)
            for (p = 0; p < k; p++)
                copy[p * width + j] = b[p * b_row + j * b_col];
    }
}

GRADC_DOT(gradc_dot_fullf, float, gradc_vectorf, gradc_vector_atf, gradc_lane_sumf, GRADC_DOT_ROWS, GRADC_DOT_COLS)
GRADC_DOT(gradc_dot_rowf, float, gradc_vectorf, gradc_vector_atf, gradc_lane_sumf, 1, GRADC_DOT_COLS)
GRADC_DOT(gradc_dot_columnf, float, gradc_vectorf, gradc_vector_atf, gradc_lane_sumf, GRADC_DOT_ROWS, 1)
GRADC_DOT(gradc_dot_onef, float, gradc_vectorf, gradc_vector_atf, gradc_lane_sumf, 1, 1)

GRADC_OUTLINE void gradc_matmul_dotf(size_t m, size_t n, size_t k, const float *a, size_t a_row, const float *b, size_t b_col,
    float *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t rows, cols, step;
    for (rows = m; rows > 0; rows -= step, a += step * a_row, c += step * c_row) {
        const float *y = b;
        float *z = c;
        step = rows >= GRADC_DOT_ROWS ? GRADC_DOT_ROWS : 1;
        for (cols = n; cols >= GRADC_DOT_COLS; cols -= GRADC_DOT_COLS, y += GRADC_DOT_COLS * b_col, z += GRADC_DOT_COLS * c_col)
            (step == 1 ? gradc_dot_rowf : gradc_dot_fullf)(k, a, a_row, y, b_col, z, c_row, c_col, accumulate);
        for (; cols > 0; cols--, y += b_col, z += c_col)
            (step == 1 ? gradc_dot_onef : gradc_dot_columnf)(k, a, a_row, y, b_col, z, c_row, c_col, accumulate);
    }
}

/* k is 1 or 2: c is written once, row by row, which is all that such a product costs. */
GRADC_OUTLINE void gradc_matmul_outerf(size_t m, size_t n, size_t k, const float *gradc_restrict a, size_t a_row, size_t a_col,
    const float *gradc_restrict b, size_t b_row, float *gradc_restrict c, size_t c_row, int accumulate)
{
    size_t i, j;
    const float *gradc_restrict b1 = b + (k > 1 ? b_row : 0);
    for (i = 0; i < m; i++, a += a_row, c += c_row) {
        const float s = accumulate < 0 ? -1.0f : 1.0f, x = s * a[0], y = k > 1 ? s * a[a_col] : 0.0f;
        if (accumulate) {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] += x * b[j];
        } else {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] = x * b[j];
        }
        if (k > 1) {
            GRADC_LANES
            for (j = 0; j < n; j++)
                c[j] += y * b1[j];
        }
    }
}

#if defined(GRADC_CBLAS)
GRADC_TO_CBLAS(gradc_to_cblasf, float, cblas_sgemm, cblas_sgemv)
#endif
/* By tiles. */
GRADC_OUTLINE void gradc_matmul_tilesf(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
    size_t b_row, size_t b_col, float *c, size_t c_row, size_t c_col, int accumulate)
{
    float copy[GRADC_DEPTH_F * GRADC_PANEL_F];
    size_t i, j, p, depth, columns, width, copy_row;
    const float *panel;
    p = 0;
    do {
        depth = k - p < GRADC_DEPTH_F ? k - p : GRADC_DEPTH_F;
        j = 0;
        if (b_col == 1 && c_col == 1 && m < GRADC_FEW) {
            for (; j + GRADC_WIDE * GRADC_LANES_OF_F <= n; j += GRADC_WIDE * GRADC_LANES_OF_F)
                for (i = 0; i < m; i++)
                    gradc_tile_widef(depth, a + i * a_row, a_row, a_col, b + j, b_row, c + i * c_row + j, c_row, accumulate);
        }
        for (; j < n; j += columns) {
            int vecs = n - j > GRADC_LANES_OF_F ? GRADC_VECS : 1;
            width = (size_t)vecs * GRADC_LANES_OF_F;
            columns = n - j < width ? n - j : width;
            panel = b + j * b_col;
            copy_row = b_row;
            if (b_col != 1 || columns < width || m >= 4 * GRADC_ROWS) {
                gradc_copy_panelf(depth, columns, width, panel, b_row, b_col, copy);
                panel = copy;
                copy_row = width;
            }
            gradc_tile_rowsf(m, vecs, columns, depth, a, a_row, a_col, panel, copy_row, c + j * c_col, c_row, c_col, accumulate);
        }
        p += depth;
        a += depth * a_col;
        b += depth * b_row;
        accumulate = accumulate < 0 ? -1 : 1;
    } while (p < k);
}

GRADC_OUTLINE void gradc_matmulf(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_col, const float *b,
    size_t b_row, size_t b_col, float *c, size_t c_row, size_t c_col, int accumulate)
{
    size_t i, j, p;
    if (m == 0 || n == 0)
        return;
    if (m * n * k <= 64 && m <= 64 && n <= 64) { /* a few numbers: no tile */
        for (i = 0; i < m; i++)
            for (j = 0; j < n; j++) {
                float *entry = c + i * c_row + j * c_col, sum = 0.0f;
                for (p = 0; p < k; p++)
                    sum += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
                *entry = accumulate < 0 ? *entry - sum : accumulate ? *entry + sum : sum;
            }
        return;
    }
    if ((c_col != 1 && c_row == 1) || (n == 1 && m > 1)) { /* the transposed product has the better rows */
        const float *t = a;
        size_t u;
        a = b, b = t;
        u = m, m = n, n = u;
        u = a_row, a_row = b_col, b_col = u;
        u = a_col, a_col = b_row, b_row = u;
        u = c_row, c_row = c_col, c_col = u;
    }
#if defined(GRADC_CBLAS)
    if (gradc_to_cblasf(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate))
        return;
#endif
    if (k <= 2 && k > 0 && b_col == 1 && c_col == 1) {
        gradc_matmul_outerf(m, n, k, a, a_row, a_col, b, b_row, c, c_row, accumulate);
        return;
    }
    if (a_col == 1 && b_row == 1 && k > 0 && (b_col != 1 || n == 1) &&
        (m <= k / 8 + 1 || (m <= k / 4 && n < 16 && n % GRADC_LANES_OF_F != 0))) {
#if defined(GRADC_THREADS) && defined(_OPENMP)
        const int pieces = gradc_pieces(m, n, k);
        if (pieces > 1) {
            int piece;
#pragma omp parallel for schedule(static)
            for (piece = 0; piece < pieces; piece++) {
                const size_t from = gradc_piece(n, GRADC_DOT_COLS, piece, pieces);
                gradc_matmul_dotf(m, gradc_piece(n, GRADC_DOT_COLS, piece + 1, pieces) - from, k, a, a_row, b + from * b_col, b_col,
                    c + from * c_col, c_row, c_col, accumulate);
            }
            return;
        }
#endif
        gradc_matmul_dotf(m, n, k, a, a_row, b, b_col, c, c_row, c_col, accumulate);
        return;
    }
#if defined(GRADC_THREADS) && defined(_OPENMP)
    const int pieces = gradc_pieces(m, n, k);
    if (pieces > 1) {
        const int by_columns = n / GRADC_PANEL_F >= m / GRADC_ROWS || n / GRADC_PANEL_F >= 4 * (size_t)pieces;
        int piece;
#pragma omp parallel for schedule(static)
        for (piece = 0; piece < pieces; piece++) {
            const size_t row = by_columns ? 0 : gradc_piece(m, GRADC_ROWS, piece, pieces);
            const size_t column = by_columns ? gradc_piece(n, GRADC_PANEL_F, piece, pieces) : 0;
            const size_t rows = by_columns ? m : gradc_piece(m, GRADC_ROWS, piece + 1, pieces) - row;
            const size_t columns = by_columns ? gradc_piece(n, GRADC_PANEL_F, piece + 1, pieces) - column : n;
            if (rows > 0 && columns > 0)
                gradc_matmul_tilesf(rows, columns, k, a + row * a_row, a_row, a_col, b + column * b_col, b_row, b_col,
                    c + row * c_row + column * c_col, c_row, c_col, accumulate);
        }
        return;
    }
#endif
    gradc_matmul_tilesf(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate);
}
/* @end */

/* @part triangle needs matmul lanes status */
/* Triangular systems T x = b with m right sides in the rows of x, which become the solutions. Entry i, k of T lies at
 * a[i * a_row + k * a_col], so that the strides exchanged are T'; `unit`: the diagonal counts as 1. The order of each sum is fixed.
 * In blocks of 16 unknowns: what is known is taken off a block by a product of matrices (or off all others, as soon as it is known),
 * and the rest is solved for a few right sides at a time, which are the lanes. */
#define GRADC_BLOCK 16
#define GRADC_SIDES 8
GRADC_OUTLINE void gradc_triangle_block(size_t n, size_t m, const double *a, size_t a_row, size_t a_col, double *x, size_t x_row, int back,
    int unit)
{
    double t[GRADC_BLOCK][GRADC_SIDES];
    size_t i, k, q, r, some;
    for (; m > 0; m -= some, x += some * x_row) {
        some = m < GRADC_SIDES ? m : GRADC_SIDES;
        if (some < GRADC_SIDES / 4) { /* too few for lanes */
            for (r = 0; r < some; r++) {
                double *y = x + r * x_row;
                for (q = 0; q < n; q++) {
                    i = back ? n - 1 - q : q;
                    double sum = y[i];
                    for (k = back ? i + 1 : 0; k < (back ? n : i); k++)
                        sum -= a[i * a_row + k * a_col] * y[k];
                    y[i] = unit ? sum : sum / a[i * a_row + i * a_col];
                }
            }
            continue;
        }
        for (i = 0; i < n; i++) {
            for (r = 0; r < some; r++)
                t[i][r] = x[r * x_row + i];
            for (; r < GRADC_SIDES; r++)
                t[i][r] = 0.0;
        }
        for (q = 0; q < n; q++) {
            const size_t at = back ? n - 1 - q : q;
            const double d = unit ? 1.0 : a[at * a_row + at * a_col];
            double sum[GRADC_SIDES];
            for (r = 0; r < GRADC_SIDES; r++)
                sum[r] = t[at][r];
            for (k = back ? at + 1 : 0; k < (back ? n : at); k++) {
                const double f = a[at * a_row + k * a_col];
                GRADC_LANES
                for (r = 0; r < GRADC_SIDES; r++)
                    sum[r] -= f * t[k][r];
            }
            GRADC_LANES
            for (r = 0; r < GRADC_SIDES; r++)
                t[at][r] = sum[r] / d;
        }
        for (i = 0; i < n; i++)
            for (r = 0; r < some; r++)
                x[r * x_row + i] = t[i][r];
    }
}
GRADC_OUTLINE void gradc_triangle(size_t n, size_t m, const double *a, size_t a_row, size_t a_col, double *x, size_t x_row, int back,
    int unit)
{
    const int ahead = a_row == 1 && m < 8; /* so that whole rows of a are read */
    size_t done, some, at;
    for (done = 0; done < n; done += some) {
        some = n - done < GRADC_BLOCK ? n - done : GRADC_BLOCK;
        at = back ? n - done - some : done;
        if (done > 0 && !ahead) {
            const size_t from = back ? n - done : 0;
            gradc_matmul(m, some, done, x + from, x_row, 1, a + at * a_row + from * a_col, a_col, a_row, x + at, x_row, 1, -1);
        }
        gradc_triangle_block(some, m, a + at * (a_row + a_col), a_row, a_col, x + at, x_row, back, unit);
        if (ahead) {
            const size_t to = back ? 0 : done + some;
            gradc_matmul(m, n - done - some, some, x + at, x_row, 1, a + at * a_col + to * a_row, a_col, a_row, x + to, x_row, 1, -1);
        }
    }
}
GRADC_FN void gradc_lower(size_t n, size_t m, const double *a, double *x, int unit) /* L x = b */
{
    gradc_triangle(n, m, a, n, 1, x, n, 0, unit);
}
GRADC_FN void gradc_lower_t(size_t n, size_t m, const double *a, double *x, int unit) /* L' x = b */
{
    gradc_triangle(n, m, a, 1, n, x, n, 1, unit);
}
GRADC_FN void gradc_upper(size_t n, size_t m, const double *a, double *x) /* U x = b */
{
    gradc_triangle(n, m, a, n, 1, x, n, 1, 0);
}
GRADC_FN void gradc_upper_t(size_t n, size_t m, const double *a, double *x) /* U' x = b */
{
    gradc_triangle(n, m, a, 1, n, x, n, 0, 0);
}
GRADC_FN int gradc_diagonal(size_t n, const double *a) /* GRADC_SINGULAR if there is a 0 on it */
{
    size_t i;
    for (i = 0; i < n; i++)
        if (a[i * n + i] >= 0.0 && a[i * n + i] <= 0.0)
            return GRADC_SINGULAR;
    return GRADC_OK;
}
/* @end */

/* @part lu needs matmul lanes fail */
/* a [n + 1, n]: the matrix in the first n rows becomes L, whose diagonal of ones is not stored, and U, with L U = A but for the
 * order of its rows; the last row says which row each was exchanged with. GRADC_SINGULAR: a pivot is 0. NaN spreads. Columns are
 * done in blocks of 16 in blocks of 64, each taken off what is right of it by a product of matrices. */
GRADC_FN void gradc_lu_rows(size_t n, size_t m, size_t from, size_t to, double *x, const double *a) /* U's rows in m columns at x */
{
    size_t c;
    for (c = from + 1; c < to; c++)
        gradc_matmul(1, m, c - from, a + c * n + from, n, 1, x + from * n, n, 1, x + c * n, n, 1, -1);
}
GRADC_OUTLINE int gradc_lu(size_t n, double *a)
{
    double *order = a + n * n;
    size_t b, c, i, j, k, end, right;
    int status = GRADC_OK;
    for (k = 0; k < n; k = right) {
        right = n - k < 80 ? n : k + 64;
        for (b = k; b < right; b = end) {
            end = right - b < 24 ? right : b + 16;
            for (c = b; c < end; c++) {
                size_t best = c;
                double most = fabs(a[c * n + c]);
                for (i = c + 1; i < n; i++)
                    if (fabs(a[i * n + c]) > most) {
                        most = fabs(a[i * n + c]);
                        best = i;
                    }
                order[c] = (double)best;
                for (j = 0; best != c && j < n; j++) {
                    const double t = a[c * n + j];
                    a[c * n + j] = a[best * n + j];
                    a[best * n + j] = t;
                }
                if (most <= 0.0) {
                    status = GRADC_SINGULAR;
                    continue;
                }
                for (i = c + 1; i < n; i++) {
                    const double f = a[i * n + c] / a[c * n + c], *pivot = a + c * n;
                    double *other = a + i * n;
                    other[c] = f;
                    GRADC_LANES
                    for (j = c + 1; j < end; j++)
                        other[j] -= f * pivot[j];
                }
            }
            gradc_lu_rows(n, right - end, b, end, a + end, a);
            gradc_matmul(n - end, right - end, end - b, a + end * n + b, n, 1, a + b * n + end, n, 1, a + end * n + end, n, 1, -1);
        }
        for (b = k; b < right; b = end) {
            end = right - b < 16 ? right : b + 16;
            gradc_matmul(end - b, n - right, b - k, a + b * n + k, n, 1, a + k * n + right, n, 1, a + b * n + right, n, 1, -1);
            gradc_lu_rows(n, n - right, b, end, a + right, a);
        }
        gradc_matmul(n - right, n - right, right - k, a + right * n + k, n, 1, a + k * n + right, n, 1, a + right * n + right, n,
            1, -1);
    }
    return status;
}
/* @end */

/* @part lu_solve needs triangle */
GRADC_OUTLINE void gradc_lu_solve(size_t n, size_t m, const double *a, double *x) /* A x = b */
{
    size_t k, r;
    for (r = 0; r < m; r++)
        for (k = 0; k < n; k++) {
            const size_t other = (size_t)a[n * n + k];
            const double t = x[r * n + k];
            x[r * n + k] = x[r * n + other];
            x[r * n + other] = t;
        }
    gradc_lower(n, m, a, x, 1);
    gradc_upper(n, m, a, x);
}
/* @end */

/* @part lu_solve_t needs triangle */
GRADC_OUTLINE void gradc_lu_solve_t(size_t n, size_t m, const double *a, double *x) /* A' x = b */
{
    size_t k, r;
    gradc_upper_t(n, m, a, x);
    gradc_lower_t(n, m, a, x, 1);
    for (r = 0; r < m; r++)
        for (k = n; k-- > 0;) {
            const size_t other = (size_t)a[n * n + k];
            const double t = x[r * n + k];
            x[r * n + k] = x[r * n + other];
            x[r * n + other] = t;
        }
}
/* @end */

/* @part lu_inverse needs lu_solve_t */
GRADC_FN void gradc_lu_inverse(size_t n, const double *a, double *x) /* row by row: x A = 1 */
{
    size_t i;
    memset(x, 0, n * n * sizeof(double));
    for (i = 0; i < n; i++)
        x[i * n + i] = 1.0;
    gradc_lu_solve_t(n, n, a, x);
}
/* @end */

/* @part lu_logdet needs base */
GRADC_FN double gradc_lu_logdet(size_t n, const double *a) /* log |det A| */
{
    double sum = 0.0;
    size_t i;
    for (i = 0; i < n; i++)
        sum += log(fabs(a[i * n + i]));
    return sum;
}
/* @end */

/* @part cholesky needs triangle fail */
/* a [n, n]: the lower triangle of a symmetric matrix becomes L with L L' = A, what is above the diagonal 0; until then it is scratch.
 * GRADC_NOT_POSITIVE_DEFINITE: a pivot is not above 0, or is NaN. Columns are done in blocks of 16, and each block of rows takes the
 * columns before it off by a product of matrices. */
GRADC_OUTLINE int gradc_cholesky(size_t n, double *a)
{
    size_t c, i, j, k, end, rows;
    for (k = 0; k < n; k = end) {
        end = n - k < GRADC_BLOCK ? n : k + GRADC_BLOCK;
        for (c = k; c < end; c++) {
            const double d = sqrt(a[c * n + c]);
            if (!(a[c * n + c] > 0.0))
                return GRADC_NOT_POSITIVE_DEFINITE;
            a[c * n + c] = d;
            for (i = c + 1; i < end; i++) {
                const double f = a[i * n + c] / d;
                a[i * n + c] = f;
                for (j = c + 1; j <= i; j++)
                    a[i * n + j] -= f * a[j * n + c];
            }
        }
        gradc_triangle(end - k, n - end, a + k * n + k, n, 1, a + end * n + k, n, 0, 0);
        for (i = end; i < n; i += rows) {
            rows = n - i < 4 * GRADC_BLOCK ? n - i : 4 * GRADC_BLOCK;
            gradc_matmul(rows, i + rows - end, end - k, a + i * n + k, n, 1, a + end * n + k, 1, n, a + i * n + end, n, 1, -1);
        }
    }
    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++)
            a[i * n + j] = 0.0;
    return GRADC_OK;
}
/* @end */

/* @part cholesky_solve needs triangle */
GRADC_OUTLINE void gradc_cholesky_solve(size_t n, size_t m, const double *a, double *x)
{
    gradc_lower(n, m, a, x, 0);
    gradc_lower_t(n, m, a, x, 0);
}
/* @end */

/* @part lower_solve needs triangle fail */
GRADC_OUTLINE int gradc_lower_solve(size_t n, size_t m, const double *a, double *x)
{
    const int status = gradc_diagonal(n, a);
    if (status == GRADC_OK)
        gradc_lower(n, m, a, x, 0);
    return status;
}
/* @end */

/* @part lower_solve_t needs triangle fail */
GRADC_OUTLINE int gradc_lower_solve_t(size_t n, size_t m, const double *a, double *x)
{
    const int status = gradc_diagonal(n, a);
    if (status == GRADC_OK)
        gradc_lower_t(n, m, a, x, 0);
    return status;
}
/* @end */

/* @part upper_solve needs triangle fail */
GRADC_OUTLINE int gradc_upper_solve(size_t n, size_t m, const double *a, double *x)
{
    const int status = gradc_diagonal(n, a);
    if (status == GRADC_OK)
        gradc_upper(n, m, a, x);
    return status;
}
/* @end */

/* @part upper_solve_t needs triangle fail */
GRADC_OUTLINE int gradc_upper_solve_t(size_t n, size_t m, const double *a, double *x)
{
    const int status = gradc_diagonal(n, a);
    if (status == GRADC_OK)
        gradc_upper_t(n, m, a, x);
    return status;
}
/* @end */

/* @part trianglef needs matmulf lanes status */
/* Triangular systems T x = b with m right sides in the rows of x, which become the solutions. Entry i, k of T lies at
 * a[i * a_row + k * a_col], so that the strides exchanged are T'; `unit`: the diagonal counts as 1. The order of each sum is fixed.
 * In blocks of 16 unknowns: what is known is taken off a block by a product of matrices (or off all others, as soon as it is known),
 * and the rest is solved for a few right sides at a time, which are the lanes. */
#define GRADC_BLOCK_F 16
#define GRADC_SIDES_F 16
GRADC_OUTLINE void gradc_triangle_blockf(size_t n, size_t m, const float *a, size_t a_row, size_t a_col, float *x, size_t x_row, int back,
    int unit)
{
    float t[GRADC_BLOCK_F][GRADC_SIDES_F];
    size_t i, k, q, r, some;
    for (; m > 0; m -= some, x += some * x_row) {
        some = m < GRADC_SIDES_F ? m : GRADC_SIDES_F;
        if (some < GRADC_SIDES_F / 4) { /* too few for lanes */
            for (r = 0; r < some; r++) {
                float *y = x + r * x_row;
                for (q = 0; q < n; q++) {
                    i = back ? n - 1 - q : q;
                    float sum = y[i];
                    for (k = back ? i + 1 : 0; k < (back ? n : i); k++)
                        sum -= a[i * a_row + k * a_col] * y[k];
                    y[i] = unit ? sum : sum / a[i * a_row + i * a_col];
                }
            }
            continue;
        }
        for (i = 0; i < n; i++) {
            for (r = 0; r < some; r++)
                t[i][r] = x[r * x_row + i];
            for (; r < GRADC_SIDES_F; r++)
                t[i][r] = 0.0f;
        }
        for (q = 0; q < n; q++) {
            const size_t at = back ? n - 1 - q : q;
            const float d = unit ? 1.0f : a[at * a_row + at * a_col];
            float sum[GRADC_SIDES_F];
            for (r = 0; r < GRADC_SIDES_F; r++)
                sum[r] = t[at][r];
            for (k = back ? at + 1 : 0; k < (back ? n : at); k++) {
                const float f = a[at * a_row + k * a_col];
                GRADC_LANES
                for (r = 0; r < GRADC_SIDES_F; r++)
                    sum[r] -= f * t[k][r];
            }
            GRADC_LANES
            for (r = 0; r < GRADC_SIDES_F; r++)
                t[at][r] = sum[r] / d;
        }
        for (i = 0; i < n; i++)
            for (r = 0; r < some; r++)
                x[r * x_row + i] = t[i][r];
    }
}
GRADC_OUTLINE void gradc_trianglef(size_t n, size_t m, const float *a, size_t a_row, size_t a_col, float *x, size_t x_row, int back,
    int unit)
{
    const int ahead = a_row == 1 && m < 8; /* so that whole rows of a are read */
    size_t done, some, at;
    for (done = 0; done < n; done += some) {
        some = n - done < GRADC_BLOCK_F ? n - done : GRADC_BLOCK_F;
        at = back ? n - done - some : done;
        if (done > 0 && !ahead) {
            const size_t from = back ? n - done : 0;
            gradc_matmulf(m, some, done, x + from, x_row, 1, a + at * a_row + from * a_col, a_col, a_row, x + at, x_row, 1, -1);
        }
        gradc_triangle_blockf(some, m, a + at * (a_row + a_col), a_row, a_col, x + at, x_row, back, unit);
        if (ahead) {
            const size_t to = back ? 0 : done + some;
            gradc_matmulf(m, n - done - some, some, x + at, x_row, 1, a + at * a_col + to * a_row, a_col, a_row, x + to, x_row, 1, -1);
        }
    }
}
GRADC_FN void gradc_lowerf(size_t n, size_t m, const float *a, float *x, int unit) /* L x = b */
{
    gradc_trianglef(n, m, a, n, 1, x, n, 0, unit);
}
GRADC_FN void gradc_lower_tf(size_t n, size_t m, const float *a, float *x, int unit) /* L' x = b */
{
    gradc_trianglef(n, m, a, 1, n, x, n, 1, unit);
}
GRADC_FN void gradc_upperf(size_t n, size_t m, const float *a, float *x) /* U x = b */
{
    gradc_trianglef(n, m, a, n, 1, x, n, 1, 0);
}
GRADC_FN void gradc_upper_tf(size_t n, size_t m, const float *a, float *x) /* U' x = b */
{
    gradc_trianglef(n, m, a, 1, n, x, n, 0, 0);
}
GRADC_FN int gradc_diagonalf(size_t n, const float *a) /* GRADC_SINGULAR if there is a 0 on it */
{
    size_t i;
    for (i = 0; i < n; i++)
        if (a[i * n + i] >= 0.0f && a[i * n + i] <= 0.0f)
            return GRADC_SINGULAR;
    return GRADC_OK;
}
/* @end */

/* @part luf needs matmulf lanes fail */
GRADC_FN void gradc_lu_rowsf(size_t n, size_t m, size_t from, size_t to, float *x, const float *a) /* U's rows in m columns at x */
{
    size_t c;
    for (c = from + 1; c < to; c++)
        gradc_matmulf(1, m, c - from, a + c * n + from, n, 1, x + from * n, n, 1, x + c * n, n, 1, -1);
}
GRADC_OUTLINE int gradc_luf(size_t n, float *a)
{
    float *order = a + n * n;
    size_t b, c, i, j, k, end, right;
    int status = GRADC_OK;
    for (k = 0; k < n; k = right) {
        right = n - k < 80 ? n : k + 64;
        for (b = k; b < right; b = end) {
            end = right - b < 24 ? right : b + 16;
            for (c = b; c < end; c++) {
                size_t best = c;
                float most = fabsf(a[c * n + c]);
                for (i = c + 1; i < n; i++)
                    if (fabsf(a[i * n + c]) > most) {
                        most = fabsf(a[i * n + c]);
                        best = i;
                    }
                order[c] = (float)best;
                for (j = 0; best != c && j < n; j++) {
                    const float t = a[c * n + j];
                    a[c * n + j] = a[best * n + j];
                    a[best * n + j] = t;
                }
                if (most <= 0.0f) {
                    status = GRADC_SINGULAR;
                    continue;
                }
                for (i = c + 1; i < n; i++) {
                    const float f = a[i * n + c] / a[c * n + c], *pivot = a + c * n;
                    float *other = a + i * n;
                    other[c] = f;
                    GRADC_LANES
                    for (j = c + 1; j < end; j++)
                        other[j] -= f * pivot[j];
                }
            }
            gradc_lu_rowsf(n, right - end, b, end, a + end, a);
            gradc_matmulf(n - end, right - end, end - b, a + end * n + b, n, 1, a + b * n + end, n, 1, a + end * n + end, n, 1, -1);
        }
        for (b = k; b < right; b = end) {
            end = right - b < 16 ? right : b + 16;
            gradc_matmulf(end - b, n - right, b - k, a + b * n + k, n, 1, a + k * n + right, n, 1, a + b * n + right, n, 1, -1);
            gradc_lu_rowsf(n, n - right, b, end, a + right, a);
        }
        gradc_matmulf(n - right, n - right, right - k, a + right * n + k, n, 1, a + k * n + right, n, 1, a + right * n + right, n,
            1, -1);
    }
    return status;
}
/* @end */

/* @part lu_solvef needs trianglef */
GRADC_OUTLINE void gradc_lu_solvef(size_t n, size_t m, const float *a, float *x) /* A x = b */
{
    size_t k, r;
    for (r = 0; r < m; r++)
        for (k = 0; k < n; k++) {
            const size_t other = (size_t)a[n * n + k];
            const float t = x[r * n + k];
            x[r * n + k] = x[r * n + other];
            x[r * n + other] = t;
        }
    gradc_lowerf(n, m, a, x, 1);
    gradc_upperf(n, m, a, x);
}
/* @end */

/* @part lu_solve_tf needs trianglef */
GRADC_OUTLINE void gradc_lu_solve_tf(size_t n, size_t m, const float *a, float *x) /* A' x = b */
{
    size_t k, r;
    gradc_upper_tf(n, m, a, x);
    gradc_lower_tf(n, m, a, x, 1);
    for (r = 0; r < m; r++)
        for (k = n; k-- > 0;) {
            const size_t other = (size_t)a[n * n + k];
            const float t = x[r * n + k];
            x[r * n + k] = x[r * n + other];
            x[r * n + other] = t;
        }
}
/* @end */

/* @part lu_inversef needs lu_solve_tf */
GRADC_FN void gradc_lu_inversef(size_t n, const float *a, float *x) /* row by row: x A = 1 */
{
    size_t i;
    memset(x, 0, n * n * sizeof(float));
    for (i = 0; i < n; i++)
        x[i * n + i] = 1.0f;
    gradc_lu_solve_tf(n, n, a, x);
}
/* @end */

/* @part lu_logdetf needs base */
GRADC_FN float gradc_lu_logdetf(size_t n, const float *a) /* log |det A| */
{
    float sum = 0.0f;
    size_t i;
    for (i = 0; i < n; i++)
        sum += logf(fabsf(a[i * n + i]));
    return sum;
}
/* @end */

/* @part choleskyf needs trianglef fail */
GRADC_OUTLINE int gradc_choleskyf(size_t n, float *a)
{
    size_t c, i, j, k, end, rows;
    for (k = 0; k < n; k = end) {
        end = n - k < GRADC_BLOCK_F ? n : k + GRADC_BLOCK_F;
        for (c = k; c < end; c++) {
            const float d = sqrtf(a[c * n + c]);
            if (!(a[c * n + c] > 0.0f))
                return GRADC_NOT_POSITIVE_DEFINITE;
            a[c * n + c] = d;
            for (i = c + 1; i < end; i++) {
                const float f = a[i * n + c] / d;
                a[i * n + c] = f;
                for (j = c + 1; j <= i; j++)
                    a[i * n + j] -= f * a[j * n + c];
            }
        }
        gradc_trianglef(end - k, n - end, a + k * n + k, n, 1, a + end * n + k, n, 0, 0);
        for (i = end; i < n; i += rows) {
            rows = n - i < 4 * GRADC_BLOCK_F ? n - i : 4 * GRADC_BLOCK_F;
            gradc_matmulf(rows, i + rows - end, end - k, a + i * n + k, n, 1, a + end * n + k, 1, n, a + i * n + end, n, 1, -1);
        }
    }
    for (i = 0; i < n; i++)
        for (j = i + 1; j < n; j++)
            a[i * n + j] = 0.0f;
    return GRADC_OK;
}
/* @end */

/* @part cholesky_solvef needs trianglef */
GRADC_OUTLINE void gradc_cholesky_solvef(size_t n, size_t m, const float *a, float *x)
{
    gradc_lowerf(n, m, a, x, 0);
    gradc_lower_tf(n, m, a, x, 0);
}
/* @end */

/* @part lower_solvef needs trianglef fail */
GRADC_OUTLINE int gradc_lower_solvef(size_t n, size_t m, const float *a, float *x)
{
    const int status = gradc_diagonalf(n, a);
    if (status == GRADC_OK)
        gradc_lowerf(n, m, a, x, 0);
    return status;
}
/* @end */

/* @part lower_solve_tf needs trianglef fail */
GRADC_OUTLINE int gradc_lower_solve_tf(size_t n, size_t m, const float *a, float *x)
{
    const int status = gradc_diagonalf(n, a);
    if (status == GRADC_OK)
        gradc_lower_tf(n, m, a, x, 0);
    return status;
}
/* @end */

/* @part upper_solvef needs trianglef fail */
GRADC_OUTLINE int gradc_upper_solvef(size_t n, size_t m, const float *a, float *x)
{
    const int status = gradc_diagonalf(n, a);
    if (status == GRADC_OK)
        gradc_upperf(n, m, a, x);
    return status;
}
/* @end */

/* @part upper_solve_tf needs trianglef fail */
GRADC_OUTLINE int gradc_upper_solve_tf(size_t n, size_t m, const float *a, float *x)
{
    const int status = gradc_diagonalf(n, a);
    if (status == GRADC_OK)
        gradc_upper_tf(n, m, a, x);
    return status;
}
/* @end */

#endif
