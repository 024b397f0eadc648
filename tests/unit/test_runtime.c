/* test_runtime: runtime/gradc.h by itself. Special values of every function, errors in units in the
 * last place against MPFR (with -DHAVE_MPFR, -lmpfr -lgmp), matrix products against the plain sum,
 * integer and size arithmetic, status texts.
 *
 * usage: test_runtime [samples]     a sample count per range other than the default also prints the
 * table of docs/accuracy.md */
#include "gradc.h"
#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_MPFR
#include <mpfr.h>
#endif

static int passed, failed;

static int check_at(int good, const char *what, int line) {
    if (good) passed++;
    else {
        failed++;
        printf("test_runtime.c:%d: failed: %s\n", line, what);
    }
    return good;
}
#define CHECK(condition) check_at((condition), #condition, __LINE__)

/* xorshift64*: the same samples everywhere */
static uint64_t random_state = 0x9e3779b97f4a7c15u;
static uint64_t random_bits(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}
static double random_unit(void) {
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static int same(double x, double y) {
    if (x != x || y != y) return x != x && y != y;
    return x == y && (x != 0 || (1 / x > 0) == (1 / y > 0));
}
static int samef(float x, float y) {
    return same((double)x, (double)y);
}

/* ---- values that are known exactly, infinities, NaN, signed zeros; in double and float, alone and
 * in a loop of lanes */

typedef double Fn(double);
typedef float Fnf(float);
typedef struct Row {
    const char *name;
    Fn *f;
    Fnf *g;
    void (*loop)(size_t n, const double *x, double *y);
    void (*loopf)(size_t n, const float *x, float *y);
} Row;

#define FUNCTIONS(F)                                                                               \
    F(exp)                                                                                         \
    F(expm1) F(exp2) F(log) F(log1p) F(log2) F(log10) F(sqrt) F(cbrt) F(sin) F(cos) F(tan) F(asin) \
        F(acos) F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) F(erf) F(erfc)          \
            F(sigmoid) F(softplus) F(log1mexp) F(lgamma) F(digamma) F(abs) F(sign) F(relu)         \
                F(floor) F(ceil) F(round)

#define DEFINE(name)                                                                               \
    static double one_##name(double x) {                                                           \
        return gradc_##name(x);                                                                    \
    }                                                                                              \
    static float one_##name##f(float x) {                                                          \
        return gradc_##name##f(x);                                                                 \
    }                                                                                              \
    static void loop_##name(size_t n, const double *gradc_restrict x, double *gradc_restrict y) {  \
        size_t i;                                                                                  \
        GRADC_LANES                                                                                \
        for (i = 0; i < n; i++) y[i] = gradc_##name(x[i]);                                         \
    }                                                                                              \
    static void loop_##name##f(size_t n, const float *gradc_restrict x, float *gradc_restrict y) { \
        size_t i;                                                                                  \
        GRADC_LANES                                                                                \
        for (i = 0; i < n; i++) y[i] = gradc_##name##f(x[i]);                                      \
    }
FUNCTIONS(DEFINE)
#define ENTRY(name) {#name, one_##name, one_##name##f, loop_##name, loop_##name##f},
static const Row rows[] = {FUNCTIONS(ENTRY)};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const Row *row(const char *name) {
    int k;
    for (k = 0; k < ROWS; k++)
        if (strcmp(rows[k].name, name) == 0) return &rows[k];
    printf("no function %s\n", name);
    exit(2);
}

/* Every way to compute gradc_name(x) gives `want`; as a float too where x and want are floats. */
static void value(const char *name, double x, double want, int line) {
    const Row *r = row(name);
    double in[19], out[19];
    float inf[19], outf[19];
    int k, good;
    for (k = 0; k < 19; k++) {
        in[k] = k % 3 == 1 ? x : 0.25; /* between ordinary lanes */
        inf[k] = (float)in[k];
    }
    r->loop(19, in, out);
    good = same(r->f(x), want) && same(out[1], want) && same(out[16], want) &&
           same(out[0], out[3]) && same(out[0], out[18]);
    if (!good) printf("%s(%a): %a, in a loop %a, expected %a\n", name, x, r->f(x), out[1], want);
    check_at(good, name, line);
    if (!same((double)(float)x, x) || !same((double)(float)want, want)) return;
    r->loopf(19, inf, outf);
    good = samef(r->g((float)x), (float)want) && samef(outf[1], (float)want) &&
           samef(outf[16], (float)want);
    if (!good)
        printf("%sf(%a): %a, in a loop %a, expected %a\n", name, x, (double)r->g((float)x),
               (double)outf[1], want);
    check_at(good, name, line);
}
#define VALUE(name, x, want) value(#name, (x), (want), __LINE__)

/* Functions of two arguments at all pairs of these, alone and in a loop: zeros, infinities, NaN and units have to be what the
 * C library gives; other values may differ by two units in the last place. */
static const double odd_ones[] = {
    0.0,  -0.0, 1.0,    -1.0,    2.0,   -2.0,  3.0,   -3.0,  0.5,     -0.5,    2.5,
    -7.0, 1e30, -1e30,  1e-30,   -1e30, 1e300, -1e300, 1e-310, -1e-310, DBL_MAX, -DBL_MAX,
    4.9406564584124654e-324, -4.9406564584124654e-324, 9007199254740991.0, -9007199254740991.0,
    4503599627370497.5, 8388607.5, 16777215.0, -16777215.0, 1.0000000000000002, 0.99999999999999989};
static int near(double x, double want, double unit) {
    if (want != want || want == 0 || fabs(want) > DBL_MAX || fabs(want) == 1) return same(x, want);
    return fabs(x - want) <= 2 * unit * fabs(want) || fabs(x - want) <= DBL_MIN * unit;
}
static int nearf(float x, float want) {
    if (want != want || want == 0 || fabsf(want) > FLT_MAX || fabsf(want) == 1) return samef(x, want);
    return fabsf(x - want) <= 2 * FLT_EPSILON * fabsf(want) || fabsf(x - want) <= FLT_MIN * FLT_EPSILON;
}
#define PAIRS(name)                                                                                \
    for (i = 0; i < count; i++) {                                                                  \
        GRADC_LANES                                                                                \
        for (k = 0; k < count; k++) {                                                              \
            out[k] = gradc_##name(v[i], v[k]);                                                     \
            outf[k] = gradc_##name##f(u[i], u[k]);                                                 \
        }                                                                                          \
        for (k = 0; k < count; k++) {                                                              \
            int good = near(out[k], name(v[i], v[k]), DBL_EPSILON) &&                              \
                       near(gradc_##name(v[i], v[k]), name(v[i], v[k]), DBL_EPSILON);              \
            int goodf = nearf(outf[k], name##f(u[i], u[k])) &&                                     \
                        nearf(gradc_##name##f(u[i], u[k]), name##f(u[i], u[k]));                   \
            if (!good) printf("%s(%a, %a): %a, C %a\n", #name, v[i], v[k], out[k], name(v[i], v[k])); \
            if (!goodf)                                                                            \
                printf("%sf(%a, %a): %a, C %a\n", #name, (double)u[i], (double)u[k],               \
                       (double)outf[k], (double)name##f(u[i], u[k]));                              \
            CHECK(good);                                                                           \
            CHECK(goodf);                                                                          \
        }                                                                                          \
    }
static void pairs(void) {
    enum { count = sizeof odd_ones / sizeof odd_ones[0] + 4 };
    double v[count], out[count];
    float u[count], outf[count];
    int i, k;
    memcpy(v, odd_ones, sizeof odd_ones);
    v[count - 4] = HUGE_VAL;
    v[count - 3] = -HUGE_VAL;
    v[count - 2] = HUGE_VAL - HUGE_VAL;
    v[count - 1] = -v[count - 2];
    for (k = 0; k < count; k++) u[k] = (float)v[k];
    PAIRS(pow)
    PAIRS(atan2)
    PAIRS(hypot)
}

static void special_values(void) {
    const double inf = HUGE_VAL, nan = inf - inf, tiny = 4.9406564584124654e-324,
                 tinyf = 1.40129846432481707e-45;
    const double least = DBL_MIN, most = DBL_MAX, mostf = (double)FLT_MAX;
    int k;
    for (k = 0; k < ROWS; k++) { /* NaN stays, of either sign; -0 and tiny numbers where the
                                    function is like x at 0 */
        value(rows[k].name, nan, nan, __LINE__);
        value(rows[k].name, -nan, nan, __LINE__);
    }
    {
        static const char *const odd[] = {"expm1", "log1p", "sin",   "tan",   "asin",
                                          "atan",  "sinh",  "tanh",  "asinh", "atanh",
                                          "cbrt",  "sqrt",  "floor", "round", "sign"};
        for (k = 0; k < (int)(sizeof odd / sizeof odd[0]); k++) {
            value(odd[k], 0.0, 0.0, __LINE__);
            value(odd[k], -0.0, -0.0, __LINE__);
            if (k < 10) {
                value(odd[k], tiny, tiny, __LINE__);
                value(odd[k], -tiny, -tiny, __LINE__);
                value(odd[k], tinyf, tinyf, __LINE__);
                value(odd[k], -3 * tinyf, -3 * tinyf, __LINE__);
                value(odd[k], least, least, __LINE__);
                value(odd[k], -(double)FLT_MIN, -(double)FLT_MIN, __LINE__);
            }
        }
    }
    VALUE(exp, 0.0, 1.0), VALUE(exp, -0.0, 1.0), VALUE(exp, inf, inf), VALUE(exp, -inf, 0.0),
        VALUE(exp, most, inf);
    VALUE(exp, -most, 0.0), VALUE(exp, mostf, inf), VALUE(exp, -mostf, 0.0),
        VALUE(exp, 709.7827128933841, inf);
    VALUE(exp, 710.5, inf), VALUE(exp, 1e5, inf), VALUE(exp, -745.1332191019412, 0.0),
        VALUE(exp, -746, 0.0), VALUE(exp, -1400, 0.0);
    VALUE(exp, -3000, 0.0), VALUE(exp, tiny, 1.0), VALUE(exp, -1e300, 0.0);
    CHECK(gradc_exp(709.78271289338397) > 1.797e308 && gradc_exp(709.78271289338397) < inf);
    CHECK(gradc_exp(-745.13321910194110) == tiny);
    CHECK(gradc_expf(88.72283f) > 3.4e38f && (double)gradc_expf(88.72283f) < inf &&
          (double)gradc_expf(88.7229f) == inf);
    CHECK((double)gradc_expf(-103.97f) == tinyf && gradc_expf(-103.98f) == 0.0f);
    VALUE(expm1, inf, inf), VALUE(expm1, -inf, -1.0), VALUE(expm1, -50.0, -1.0),
        VALUE(expm1, most, inf), VALUE(expm1, -mostf, -1.0), VALUE(expm1, 709.7827128933841, inf);
    VALUE(exp2, 0.0, 1.0), VALUE(exp2, -0.0, 1.0), VALUE(exp2, 10.0, 1024.0),
        VALUE(exp2, -1074.0, tiny), VALUE(exp2, -149.0, tinyf), VALUE(exp2, -1022.0, least);
    VALUE(exp2, 1023.0, 0x1p1023), VALUE(exp2, 1024.0, inf), VALUE(exp2, 127.0, 0x1p127),
        VALUE(exp2, inf, inf), VALUE(exp2, -inf, 0.0), VALUE(exp2, most, inf),
        VALUE(exp2, -most, 0.0);
    VALUE(log, 1.0, 0.0), VALUE(log, 0.0, -inf), VALUE(log, -0.0, -inf), VALUE(log, -1.0, nan),
        VALUE(log, -tiny, nan), VALUE(log, inf, inf), VALUE(log, -inf, nan);
    VALUE(log2, 1.0, 0.0), VALUE(log2, 8.0, 3.0), VALUE(log2, tiny, -1074.0),
        VALUE(log2, tinyf, -149.0), VALUE(log2, 0x1p1023, 1023.0), VALUE(log2, 0.0, -inf),
        VALUE(log2, -2.0, nan), VALUE(log2, inf, inf);
    VALUE(log10, 1.0, 0.0), VALUE(log10, 1000.0, 3.0), VALUE(log10, 1e22, 22.0),
        VALUE(log10, 0.0, -inf), VALUE(log10, -2.0, nan), VALUE(log10, inf, inf);
    VALUE(log1p, -1.0, -inf), VALUE(log1p, -1.5, nan), VALUE(log1p, inf, inf),
        VALUE(log1p, -inf, nan);
    VALUE(sqrt, 4.0, 2.0), VALUE(sqrt, -1.0, nan), VALUE(sqrt, inf, inf), VALUE(cbrt, -inf, -inf);
    VALUE(tanh, inf, 1.0), VALUE(tanh, -inf, -1.0), VALUE(tanh, 30.0, 1.0),
        VALUE(tanh, -mostf, -1.0), VALUE(tanh, most, 1.0);
    VALUE(sinh, inf, inf), VALUE(cosh, -inf, inf), VALUE(cosh, 0.0, 1.0),
        VALUE(atan, inf, 1.5707963267948966), VALUE(acosh, 1.0, 0.0), VALUE(atanh, 1.0, inf),
        VALUE(acos, 1.0, 0.0), VALUE(cos, 0.0, 1.0), VALUE(sin, inf, nan), VALUE(cos, -inf, nan);
    /* beyond 2^53 (2^24 in float) there is no telling: NaN */
    VALUE(sin, 1.0000000000000002e16, nan), VALUE(cos, -1e300, nan), VALUE(tan, most, nan);
    CHECK(gradc_sinf(16777218.0f) != gradc_sinf(16777218.0f) && gradc_cosf(-1e30f) != gradc_cosf(-1e30f));
    CHECK(fabs(gradc_sin(9007199254740992.0) - sin(9007199254740992.0)) < 1e-15 &&
          fabsf(gradc_sinf(-16777216.0f) - sinf(-16777216.0f)) < 1e-7f);
    VALUE(asin, 1.0000000000000002, nan), VALUE(acos, -1.0000000000000002, nan), VALUE(asin, inf, nan),
        VALUE(acosh, 0.9999999999999999, nan), VALUE(acosh, -3.0, nan), VALUE(acosh, -1.0, nan),
        VALUE(acosh, inf, inf), VALUE(acosh, -inf, nan), VALUE(atanh, -1.0, -inf),
        VALUE(atanh, 1.5, nan), VALUE(atanh, -inf, nan), VALUE(asinh, inf, inf),
        VALUE(asinh, -inf, -inf), VALUE(acos, -1.0, 3.141592653589793),
        VALUE(acos, 0.0, 1.5707963267948966), VALUE(asin, 1.0, 1.5707963267948966),
        VALUE(asin, -1.0, -1.5707963267948966), VALUE(atan, -inf, -1.5707963267948966),
        VALUE(sinh, -inf, -inf), VALUE(cosh, inf, inf), VALUE(sinh, 800.0, inf),
        VALUE(sinh, -most, -inf), VALUE(cosh, -mostf, inf), VALUE(cbrt, inf, inf),
        VALUE(cbrt, 27.0, 3.0), VALUE(cbrt, -0.125, -0.5), VALUE(cbrt, 0x1p-1074, 0x1p-358),
        VALUE(cbrt, 0x1p-147, 0x1p-49), VALUE(cbrt, 0x1p1023, 0x1p341);
    VALUE(sigmoid, 0.0, 0.5), VALUE(sigmoid, -0.0, 0.5), VALUE(sigmoid, inf, 1.0),
        VALUE(sigmoid, -inf, 0.0), VALUE(sigmoid, 800.0, 1.0), VALUE(sigmoid, -800.0, 0.0),
        VALUE(sigmoid, most, 1.0), VALUE(sigmoid, -most, 0.0);
    VALUE(softplus, inf, inf), VALUE(softplus, -inf, 0.0), VALUE(softplus, 1000.0, 1000.0),
        VALUE(softplus, -1000.0, 0.0), VALUE(softplus, most, most), VALUE(softplus, -most, 0.0);
    VALUE(log1mexp, 0.0, -inf), VALUE(log1mexp, -0.0, -inf), VALUE(log1mexp, 1.0, nan),
        VALUE(log1mexp, tiny, nan), VALUE(log1mexp, 1000.0, nan), VALUE(log1mexp, inf, nan),
        VALUE(log1mexp, most, nan);
    CHECK(gradc_log1mexp(-inf) == 0 && gradc_log1mexp(-most) == 0 && gradc_log1mexp(-800) == 0 &&
          gradc_log1mexp(-745) == -tiny);
    VALUE(erf, inf, 1.0), VALUE(erf, 0.0, 0.0), VALUE(erfc, -inf, 2.0), VALUE(erfc, inf, 0.0);
    VALUE(lgamma, 1.0, 0.0), VALUE(lgamma, 2.0, 0.0), VALUE(lgamma, 0.0, inf),
        VALUE(lgamma, -0.0, inf), VALUE(lgamma, -3.0, inf), VALUE(lgamma, inf, inf),
        VALUE(lgamma, -inf, inf), VALUE(lgamma, most, inf);
    VALUE(digamma, 0.0, -inf), VALUE(digamma, -0.0, inf), VALUE(digamma, -2.0, nan),
        VALUE(digamma, inf, inf), VALUE(digamma, -inf, nan);
    VALUE(abs, -0.0, 0.0), VALUE(abs, -3.0, 3.0), VALUE(abs, -inf, inf);
    VALUE(sign, -3.0, -1.0), VALUE(sign, tiny, 1.0), VALUE(sign, inf, 1.0), VALUE(sign, -inf, -1.0),
        VALUE(sign, -tinyf, -1.0);
    VALUE(relu, -3.0, 0.0), VALUE(relu, -0.0, 0.0), VALUE(relu, 3.0, 3.0), VALUE(relu, inf, inf),
        VALUE(relu, -inf, 0.0);
    VALUE(floor, -2.5, -3.0), VALUE(ceil, -2.5, -2.0), VALUE(ceil, -0.5, -0.0),
        VALUE(round, 2.5, 3.0), VALUE(round, -2.5, -3.0), VALUE(round, 0.49999999999999994, 0.0),
        VALUE(floor, 1e300, 1e300);
    {
        static const double xs[] = {0.0, 0.3, 0.5, 0.7, 1.0, 1.5, 2.5, 3.5, 1e6 + 0.5, 8388607.5, 8388609.0, 2147483648.5,
                                    4503599627370495.5, 4503599627370497.0, 9007199254740993.0, 1e22, 5e-324, HUGE_VAL};
        for (k = 0; k < (int)(sizeof xs / sizeof xs[0]); k++) {
            const double x = xs[k];
            value("floor", x, floor(x), __LINE__), value("floor", -x, floor(-x), __LINE__);
            value("ceil", x, ceil(x), __LINE__), value("ceil", -x, ceil(-x), __LINE__);
            value("round", x, round(x), __LINE__), value("round", -x, round(-x), __LINE__);
        }
    }

    /* of two arguments */
#define BOTH(name, x, y, want)                                                                     \
    (CHECK(same(gradc_##name((x), (y)), (want))),                                                  \
     CHECK(samef(gradc_##name##f((float)(x), (float)(y)), (float)(want))))
    BOTH(min, 1.0, 2.0, 1.0), BOTH(min, 2.0, 1.0, 1.0), BOTH(min, nan, 1.0, nan),
        BOTH(min, 1.0, nan, nan), BOTH(min, 0.0, -0.0, 0.0), BOTH(min, -0.0, 0.0, -0.0);
    BOTH(max, 1.0, 2.0, 2.0), BOTH(max, 2.0, 1.0, 2.0), BOTH(max, nan, 1.0, nan),
        BOTH(max, 1.0, nan, nan), BOTH(max, 0.0, -0.0, 0.0), BOTH(max, -0.0, 0.0, -0.0);
    BOTH(max, -inf, inf, inf), BOTH(min, -inf, inf, -inf);
    BOTH(mod, 7.0, 3.0, 1.0), BOTH(mod, -7.0, 3.0, 2.0), BOTH(mod, 7.0, -3.0, -2.0),
        BOTH(mod, -7.0, -3.0, -1.0), BOTH(mod, 6.0, 3.0, 0.0), BOTH(mod, 1.0, 0.0, nan);
    BOTH(weight, -inf, -inf, 0.0), BOTH(weight, -inf, 0.0, 0.0), BOTH(weight, -inf, inf, 0.0),
        BOTH(weight, 3.0, 3.0, 1.0), BOTH(weight, nan, 0.0, nan), BOTH(weight, 0.0, nan, nan),
        BOTH(weight, 0.0, 2000.0, 0.0), BOTH(weight, -mostf, 0.0, 0.0);
    BOTH(logaddexp, -inf, -inf, -inf), BOTH(logaddexp, inf, inf, inf),
        BOTH(logaddexp, inf, -inf, inf), BOTH(logaddexp, -inf, inf, inf),
        BOTH(logaddexp, -inf, 3.0, 3.0), BOTH(logaddexp, 3.0, -inf, 3.0);
    BOTH(logaddexp, nan, 1.0, nan), BOTH(logaddexp, 1.0, nan, nan), BOTH(logaddexp, nan, nan, nan),
        BOTH(logaddexp, nan, inf, nan), BOTH(logaddexp, -inf, nan, nan),
        BOTH(logaddexp, 1000.0, 0.0, 1000.0), BOTH(logaddexp, 0.0, 1000.0, 1000.0),
        BOTH(logaddexp, mostf, -mostf, mostf);
    CHECK(gradc_logaddexp(0.0, -0.0) == 0.6931471805599453 &&
          gradc_logaddexp(1.0, 1.0) == 1.6931471805599454);
    BOTH(hypot, 3.0, 4.0, 5.0), BOTH(hypot, inf, nan, inf), BOTH(atan2, 0.0, 1.0, 0.0),
        BOTH(pow, 2.0, 10.0, 1024.0), BOTH(pow, 0.0, 0.0, 1.0);
    BOTH(hypot, 0x1.8p127, 0.0, 0x1.8p127);

    pairs();

    /* whole powers */
    {
        static const double xs[] = {2.0, -2.0, 1.0, -1.0, 0.5, -0.5};
        int n, i;
        for (i = 0; i < 6; i++)
            for (n = -40; n <= 40; n++) {
                CHECK(same(gradc_powi(xs[i], n), pow(xs[i], n)));
                CHECK(samef(gradc_powif((float)xs[i], n), (float)pow(xs[i], n)));
            }
    }
    CHECK(same(gradc_powi(-0.0, -3), -inf) && same(gradc_powi(0.0, -2), inf) &&
          same(gradc_powi(nan, 0), 1.0) && same(gradc_powi(-0.0, 11), -0.0));
    CHECK(same(gradc_powi(-1.0, INT64_MAX), -1.0) && same(gradc_powi(-1.0, INT64_MIN), 1.0) &&
          same(gradc_powif(-1.0f, 16777217) == -1.0f, 1.0));
    CHECK(same(gradc_powi(-2.0, INT64_MAX), -inf) && same(gradc_powi(-2.0, -INT64_MAX), -0.0) &&
          same(gradc_powi(1e-155, -2), 1e-155 > 0 ? 1 / 1e-155 * (1 / 1e-155) : 0));
    CHECK(same(gradc_polygamma(1, 0.0), inf) && same(gradc_polygamma(2, -1.0), nan) &&
          same(gradc_polygamma(1, nan), nan) && same(gradc_polygamma(3, inf), 0.0));
    CHECK(samef(gradc_polygammaf(1, 0.0f), HUGE_VALF) && same(gradc_polygamma(1, -2.0), inf) &&
          same(gradc_polygamma(1000000, 1.0), -inf) && same(gradc_polygamma(999999, 1.0), inf) &&
          same(gradc_polygamma(1000001, 1.0), nan) && same(gradc_polygamma(-1, 1.0), nan));
}

/* ---- integers, sizes, statuses */

/* One wrong index, at the ends and in the middle, of lengths around the blocks that it looks at. */
static void indices(void) {
    enum { MOST = 3 * 4096 };
    static int32_t x[MOST];
    const int64_t lengths[] = {1, 15, 4095, 4096, 4097, MOST};
    CHECK(gradc_indices(x, 0, 0) && !gradc_indices(x, 1, 0) && gradc_indices(x, MOST, 1));
    for (int k = 0; k < 6; k++) {
        const int64_t n = lengths[k], places[] = {0, n / 2, n - 1};
        for (int q = 0; q < 3; q++) {
            x[places[q]] = 7;
            CHECK(gradc_indices(x, n, 8) && !gradc_indices(x, n, 7));
            x[places[q]] = INT32_MAX;
            CHECK(gradc_indices(x, n, (int64_t)INT32_MAX + 1) && !gradc_indices(x, n, INT32_MAX));
            CHECK(gradc_indices(x, n, INT64_MAX));
            x[places[q]] = -1;
            CHECK(!gradc_indices(x, n, INT64_MAX) && !gradc_indices(x, n, 8) && !gradc_indices(x, n, 0));
            x[places[q]] = INT32_MIN;
            CHECK(!gradc_indices(x, n, (int64_t)INT32_MAX + 1));
            x[places[q]] = 0;
        }
    }
}

static void integers(void) {
    const int64_t big = INT64_MAX, low = INT64_MIN;
    const double inf = HUGE_VAL;
    int s = GRADC_OK, code;
    CHECK(gradc_position(3, 0, 4, &s) == 3 && s == GRADC_OK);
    CHECK(gradc_position(4, 0, 4, &s) == 0 && s == GRADC_BAD_INDEX);
    s = 0, CHECK(gradc_position(-1, 2, 4, &s) == 2 && s == GRADC_BAD_INDEX);
    s = GRADC_EMPTY,
    CHECK(gradc_position(low, 0, 4, &s) == 0 && s == GRADC_EMPTY); /* the first failure stays */
    s = 0,
    CHECK(gradc_nonempty(5, &s) == 5 && s == 0 && gradc_nonempty(0, &s) == 1 && s == GRADC_EMPTY);
#define FITS(e, want) (s = 0, CHECK((e) == (want) && s == 0))
#define DOES_NOT(e) (s = 0, CHECK((e) == 0 && s == GRADC_OVERFLOW))
    FITS(gradc_int_add(big, low, &s), -1), FITS(gradc_int_add(big - 1, 1, &s), big),
        FITS(gradc_int_add(low, 0, &s), low);
    DOES_NOT(gradc_int_add(big, 1, &s)), DOES_NOT(gradc_int_add(low, -1, &s));
    FITS(gradc_int_sub(-1, low, &s), big), FITS(gradc_int_sub(low, low, &s), 0),
        DOES_NOT(gradc_int_sub(0, low, &s)), DOES_NOT(gradc_int_sub(low, 1, &s)),
        DOES_NOT(gradc_int_sub(big, -1, &s));
    FITS(gradc_int_mul(3037000499, 3037000499, &s), 9223372030926249001),
        DOES_NOT(gradc_int_mul(3037000500, 3037000500, &s));
    DOES_NOT(gradc_int_mul(low, -1, &s)), DOES_NOT(gradc_int_mul(-1, low, &s)),
        FITS(gradc_int_mul(low, 1, &s), low), FITS(gradc_int_mul(0, low, &s), 0),
        FITS(gradc_int_mul(low / 2, 2, &s), low), DOES_NOT(gradc_int_mul(big, 2, &s)),
        DOES_NOT(gradc_int_mul(-3, big, &s));
    FITS(gradc_int_pow(2, 62, &s), (int64_t)1 << 62), DOES_NOT(gradc_int_pow(2, 63, &s)),
        FITS(gradc_int_pow(-2, 63, &s), low), FITS(gradc_int_pow(0, 0, &s), 1),
        FITS(gradc_int_pow(0, 5, &s), 0), FITS(gradc_int_pow(-1, big, &s), -1),
        FITS(gradc_int_pow(-1, big - 1, &s), 1), FITS(gradc_int_pow(1, big, &s), 1),
        FITS(gradc_int_pow(7, 3, &s), 343), FITS(gradc_int_pow(10, 18, &s), 1000000000000000000),
        DOES_NOT(gradc_int_pow(10, 19, &s)), DOES_NOT(gradc_int_pow(2, -1, &s));
    FITS(gradc_int_abs(low + 1, &s), big), FITS(gradc_int_abs(7, &s), 7),
        DOES_NOT(gradc_int_abs(low, &s)), FITS(gradc_int_min(big, low), low),
        FITS(gradc_int_max(-1, low), -1), FITS(gradc_int_magnitude(-4), 4);
    FITS(gradc_int(-2.9, &s), -2), FITS(gradc_int(-0x1p63, &s), low),
        FITS(gradc_int(0x1.fffffffffffffp62, &s), 9223372036854774784),
        FITS(gradc_intf(2.9f, &s), 2);
    DOES_NOT(gradc_int(0x1p63, &s)), DOES_NOT(gradc_int(inf, &s)), DOES_NOT(gradc_int(-inf, &s)),
        DOES_NOT(gradc_int(inf - inf, &s)), DOES_NOT(gradc_intf(0x1p63f, &s)),
        DOES_NOT(gradc_int(-1e19, &s)), DOES_NOT(gradc_intf((float)(inf - inf), &s));
    CHECK(gradc_trunc(inf) == big && gradc_trunc(-inf) == low && gradc_trunc(inf - inf) == 0 &&
          gradc_trunc(-7.5) == -7 && gradc_truncf(7.5f) == 7 && gradc_truncf(-HUGE_VALF) == low);
    CHECK(gradc_size_add(SIZE_MAX - 1, 1) == SIZE_MAX && gradc_size_add(SIZE_MAX, 1) == SIZE_MAX &&
          gradc_size_add(2, 3) == 5);
    CHECK(gradc_size_mul(SIZE_MAX, 0) == 0 && gradc_size_mul(SIZE_MAX / 2, 2) == SIZE_MAX - 1 &&
          gradc_size_mul(SIZE_MAX / 2 + 1, 2) == SIZE_MAX && gradc_size_mul(6, 7) == 42);
    CHECK(gradc_size(-1) == SIZE_MAX && gradc_size(5) == 5);
    CHECK(gradc_align(0) == 0 && gradc_align(1) == 64 && gradc_align(64) == 64 &&
          gradc_align(65) == 128 && gradc_align(SIZE_MAX - 10) == SIZE_MAX &&
          gradc_align(SIZE_MAX) == SIZE_MAX);
    CHECK(gradc_aligned((const void *)(uintptr_t)128) &&
          !gradc_aligned((const void *)(uintptr_t)96));
    for (code = -1; code <= GRADC_WORKSPACE + 1; code++) {
        const char *text = gradc_status_text(code);
        int other;
        CHECK(text != NULL && strlen(text) > 5 && text[strlen(text) - 1] != '.');
        for (other = 0; other < code; other++) CHECK(strcmp(text, gradc_status_text(other)) != 0);
    }
    CHECK(strcmp(gradc_status_text(99), "unknown status") == 0);
}

/* ---- matrix products */

#define PRODUCTS(T, F, EPS)                                                                        \
    static void products##F(void) {                                                                \
        static const size_t sizes[] = {1,  2,  3,  4,  5,  7,  8,  9,  12, 13,  15,  16,  17, 24,  \
                                       25, 31, 33, 40, 48, 63, 65, 72, 97, 130, 200, 257, 300};    \
        enum { COUNT = sizeof sizes / sizeof sizes[0] };                                           \
        int trial;                                                                                 \
        for (trial = 0; trial < 700; trial++) {                                                    \
            size_t range = trial < 500 ? 17 : COUNT;                                               \
            size_t m = sizes[random_bits() % range], n = sizes[random_bits() % range],             \
                   k = sizes[random_bits() % range];                                               \
            if (trial == 650 || trial == 662) /* few of both, and p along memory in both */        \
                m = 10, n = 10, k = 64;                                                            \
            size_t ga = trial % 7 == 3 ? 2 : 1, gb = trial % 5 == 3 ? 3 : 1,                       \
                   gc = trial % 11 == 3 ? 2 : 1, i, j, p;                                          \
            int ta = trial & 1, tb = (trial >> 1) & 1, tc = (trial >> 2) % 5 == 1,                 \
                accumulate = (trial >> 3) % 4 == 2 ? -1 : (trial >> 3) & 1;                        \
            size_t pad = random_bits() % 3;                                                        \
            size_t ar = ta ? ga : (k + pad) * ga, ac = ta ? (m + pad) * ga : ga;                   \
            size_t br = tb ? gb : (n + pad) * gb, bc = tb ? (k + pad) * gb : gb;                   \
            size_t cr = tc ? gc : (n + pad) * gc, cc = tc ? (m + pad) * gc : gc;                   \
            size_t na = (m + pad) * (k + pad) * ga, nb = (k + pad) * (n + pad) * gb,               \
                   nc = (m + pad) * (n + pad) * gc;                                                \
            T *a = (T *)malloc(na * sizeof(T)), *b = (T *)malloc(nb * sizeof(T)),                  \
              *c = (T *)malloc(nc * sizeof(T)), *d = (T *)malloc(nc * sizeof(T));                  \
            double worst = 0;                                                                      \
            int good = 1;                                                                          \
            for (i = 0; i < na; i++) a[i] = (T)(random_unit() - 0.5);                              \
            for (i = 0; i < nb; i++) b[i] = (T)(random_unit() - 0.5);                              \
            for (i = 0; i < nc; i++)                                                               \
                c[i] = d[i] = accumulate || i % 2 ? (T)(random_unit() - 0.5)                       \
                                                  : (T)HUGE_VAL; /* overwritten means not read */  \
            if (trial == 600) k = 0;                                                               \
            gradc_matmul##F(m, n, k, a, ar, ac, b, br, bc, c, cr, cc, accumulate);                 \
            for (i = 0; i < m; i++)                                                                \
                for (j = 0; j < n; j++) {                                                          \
                    double s = accumulate ? (double)d[i * cr + j * cc] : 0, e;                     \
                    const double sign = accumulate < 0 ? -1 : 1;                                   \
                    for (p = 0; p < k; p++)                                                        \
                        s += sign * (double)a[i * ar + p * ac] * (double)b[p * br + j * bc];       \
                    e = fabs(s - (double)c[i * cr + j * cc]);                                      \
                    worst = e > worst || e != e ? e : worst;                                       \
                    d[i * cr + j * cc] = c[i * cr + j * cc];                                       \
                }                                                                                  \
            for (i = 0; i < nc; i++) /* nothing else was written */                                \
                good = good && memcmp(&c[i], &d[i], sizeof(T)) == 0;                               \
            if (!CHECK(good && worst <= (EPS) * (double)(k + 8)))                                  \
                printf("  matmul" #F " %zu x %zu x %zu, worst %g, ta %d tb %d tc %d gaps %zu %zu " \
                                     "%zu accumulate %d\n",                                        \
                       m, n, k, worst, ta, tb, tc, ga, gb, gc, accumulate);                        \
            gradc_matmul##F(m, n, k, a, ar, ac, b, br, bc, c, cr, cc, 0);                          \
            memcpy(d, c, nc * sizeof(T));                                                          \
            gradc_matmul##F(m, n, k, a, ar, ac, b, br, bc, c, cr, cc, 0);                          \
            CHECK(memcmp(c, d, nc * sizeof(T)) == 0); /* the same bits each time */                \
            free(a), free(b), free(c), free(d);                                                    \
        }                                                                                          \
    }
PRODUCTS(double, , 4e-17)
PRODUCTS(float, f, 2e-8)

/* ---- sums of rows: halves first, whatever is left out at the end */

#define FOLDS(T, F)                                                                                \
    static void folds##F(void) {                                                                   \
        for (int n = 0; n <= 64; n++) {                                                            \
            T row[64], sum[64];                                                                    \
            for (int k = 0; k < 64; k++) row[k] = (T)(random_unit() - 0.5);                        \
            for (int k = 0; k < 64; k++) sum[k] = k < n ? row[k] : 0;                              \
            for (int half = 32; half > 0; half /= 2)                                               \
                for (int k = 0; k < half; k++) sum[k] += sum[k + half];                            \
            const T got = gradc_fold##F(row, n);                                                   \
            CHECK(memcmp(&got, &sum[0], sizeof got) == 0);                                         \
        }                                                                                          \
    }
FOLDS(double, )
FOLDS(float, f)

/* ---- systems of linear equations: the residual of what is solved, in units of what rounding makes of it */

#define SYSTEMS(T, F, EPS)                                                                         \
    static void rest##F(size_t n, size_t m, const T *a, size_t ar, size_t ac, int lower, int unit, \
                        const T *x, const T *b, const char *what) {                                \
        size_t i, k, r; /* lower: 1, upper: -1, 0: all of a */                                     \
        int good = 1;                                                                              \
        for (r = 0; r < m; r++)                                                                    \
            for (i = 0; i < n; i++) {                                                              \
                double s = (double)b[r * n + i], size = fabs(s);                                   \
                for (k = 0; k < n; k++) {                                                          \
                    double e = (double)a[i * ar + k * ac] * (double)x[r * n + k];                  \
                    if ((lower > 0 && k > i) || (lower < 0 && k < i)) continue;                    \
                    if (unit && i == k) e = (double)x[r * n + k];                                  \
                    s -= e;                                                                        \
                    size += fabs(e);                                                               \
                }                                                                                  \
                good = good && fabs(s) <= (EPS) * (double)(n + 8) * size;                          \
            }                                                                                      \
        if (!CHECK(good)) printf("  %s" #F ", %zu unknowns, %zu right sides\n", what, n, m);       \
    }                                                                                              \
    static void near##F##_solved(size_t n, size_t m, const T *a, size_t ar, size_t ac, const T *x, \
                                 const T *b, const char *what) {                                   \
        size_t i, k, r; /* the largest of |b - A x| beside norms: what partial pivoting promises */  \
        for (r = 0; r < m; r++) {                                                                  \
            double most = 0, size = 0, wide = 0;                                                   \
            for (k = 0; k < n; k++)                                                                \
                if (fabs((double)x[r * n + k]) > wide) wide = fabs((double)x[r * n + k]);          \
            for (i = 0; i < n; i++) {                                                              \
                double s = (double)b[r * n + i], t = 0;                                            \
                for (k = 0; k < n; k++) {                                                          \
                    s -= (double)a[i * ar + k * ac] * (double)x[r * n + k];                        \
                    t += fabs((double)a[i * ar + k * ac]) * wide;                                  \
                }                                                                                  \
                most = fabs(s) > most || s != s ? fabs(s) : most;                                  \
                size = t > size ? t : size;                                                        \
            }                                                                                      \
            if (!CHECK(most <= (EPS) * 2 * (double)(n + 8) * size))                               \
                printf("  %s" #F ", %zu unknowns, %zu right sides: %g of %g\n", what, n, m, most, size); \
        }                                                                                          \
    }                                                                                              \
    static void systems##F(void) {                                                                 \
        static const size_t ns[] = {1, 2, 3, 5, 8, 15, 16, 17, 23, 24, 31, 33, 64, 65, 79, 81, 130, 150}; \
        static const size_t ms[] = {1, 2, 3, 7, 8, 9, 16, 21};                                     \
        size_t which, i, j, k;                                                                     \
        for (which = 0; which < sizeof ns / sizeof ns[0] * 4; which++) {                           \
            const size_t n = ns[which / 4], m = ms[(which * 3 + which / 8) % 8];                   \
            const size_t all = (n + 1) * n;                                                        \
            T *a = (T *)malloc(all * sizeof(T)), *l = (T *)malloc(all * sizeof(T)),                \
              *b = (T *)malloc(m * n * sizeof(T)), *x = (T *)malloc((m * n + all) * sizeof(T));    \
            int good = 1;                                                                          \
            for (i = 0; i < n * n; i++) a[i] = (T)(random_unit() - 0.5);                           \
            for (i = 0; i < n; i++) a[i * n + i] += (T)(0.2 * (double)n + 1);                      \
            for (i = 0; i < m * n; i++) b[i] = (T)(random_unit() - 0.5);                           \
            CHECK((memcpy(x, b, m * n * sizeof(T)), gradc_lower_solve##F(n, m, a, x)) == GRADC_OK);  \
            rest##F(n, m, a, n, 1, 1, 0, x, b, "lower_solve");                                     \
            CHECK((memcpy(x, b, m * n * sizeof(T)), gradc_lower_solve_t##F(n, m, a, x)) == GRADC_OK); \
            rest##F(n, m, a, 1, n, -1, 0, x, b, "lower_solve_t");                                  \
            CHECK((memcpy(x, b, m * n * sizeof(T)), gradc_upper_solve##F(n, m, a, x)) == GRADC_OK);  \
            rest##F(n, m, a, n, 1, -1, 0, x, b, "upper_solve");                                    \
            CHECK((memcpy(x, b, m * n * sizeof(T)), gradc_upper_solve_t##F(n, m, a, x)) == GRADC_OK); \
            rest##F(n, m, a, 1, n, 1, 0, x, b, "upper_solve_t");                                   \
            /* pivots wander: a row of small numbers, the diagonal moved */                        \
            for (j = 0; j < n; j++) a[j] *= (T)1e-3;                                               \
            for (i = 0; n > 2 && i < n; i++) {                                                     \
                const T t = a[i * n + i];                                                          \
                a[i * n + i] = a[i * n + (i * 7 + 3) % n];                                         \
                a[i * n + (i * 7 + 3) % n] = t;                                                    \
            }                                                                                      \
            memcpy(l, a, n * n * sizeof(T));                                                       \
            if (gradc_lu##F(n, l) == GRADC_OK) {                                                   \
                for (i = 0; i < n; i++) good = good && l[n * n + i] >= (T)i && l[n * n + i] < (T)n;  \
                for (i = 0; i < n; i++) /* partial pivoting: no factor above 1 */                  \
                    for (j = 0; j < i; j++) good = good && l[i * n + j] <= 1 && l[i * n + j] >= -1;  \
                CHECK(good);                                                                       \
                /* L U, its rows put back in their order, is A */                                  \
                good = 1;                                                                          \
                for (i = 0; i < n; i++)                                                            \
                    for (j = 0; j < n; j++) {                                                      \
                        T s = 0;                                                                   \
                        for (k = 0; k <= i && k <= j; k++)                                         \
                            s += (k == i ? 1 : l[i * n + k]) * l[k * n + j];                       \
                        x[m * n + i * n + j] = s;                                                  \
                    }                                                                              \
                for (i = n; i-- > 0;)                                                              \
                    for (j = 0; j < n; j++) {                                                      \
                        T *one = x + m * n + i * n + j, *two = x + m * n + (size_t)l[n * n + i] * n + j, t = *one; \
                        *one = *two;                                                               \
                        *two = t;                                                                  \
                    }                                                                              \
                for (i = 0; i < n * n; i++)                                                        \
                    good = good && fabs((double)(x[m * n + i] - a[i])) <= (EPS) * 40 * (double)(n * n + 8); \
                CHECK(good);                                                                       \
                memcpy(x, b, m * n * sizeof(T));                                                   \
                gradc_lu_solve##F(n, m, l, x);                                                     \
                near##F##_solved(n, m, a, n, 1, x, b, "lu_solve");                                 \
                memcpy(x, b, m * n * sizeof(T));                                                   \
                gradc_lu_solve_t##F(n, m, l, x);                                                   \
                near##F##_solved(n, m, a, 1, n, x, b, "lu_solve_t");                               \
                gradc_lu_inverse##F(n, l, x + m * n); /* its rows solve A' x = unit vectors */     \
                for (i = 0; i < n; i++) {                                                          \
                    for (j = 0; j < n; j++) b[j] = (T)(i == j);                                    \
                    near##F##_solved(n, 1, a, 1, n, x + m * n + i * n, b, "lu_inverse");           \
                }                                                                                  \
            } else CHECK(n <= 2); /* a number of ours is singular only by chance */                \
            /* A A' + 1 is positive definite */                                                    \
            for (i = 0; i < n; i++)                                                                \
                for (j = 0; j < n; j++) {                                                          \
                    double s = i == j;                                                             \
                    for (k = 0; k < n; k++) s += (double)a[i * n + k] * (double)a[j * n + k];      \
                    l[i * n + j] = j > i ? (T)HUGE_VAL : (T)s; /* above the diagonal is not read */  \
                    x[m * n + i * n + j] = (T)s;                                                   \
                }                                                                                  \
            good = gradc_cholesky##F(n, l) == GRADC_OK;                                            \
            for (i = 0; i < n; i++)                                                                \
                for (j = 0; j < n; j++) {                                                          \
                    double s = 0, size = 0;                                                        \
                    for (k = 0; k <= i && k <= j; k++) {                                           \
                        s += (double)l[i * n + k] * (double)l[j * n + k];                          \
                        size += fabs((double)l[i * n + k] * (double)l[j * n + k]);                 \
                    }                                                                              \
                    good = good && fabs(s - (double)x[m * n + i * n + j]) <= (EPS) * (double)(n + 8) * size; \
                    good = good && (j <= i || !(fabs((double)l[i * n + j]) > 0));                  \
                }                                                                                  \
            if (!CHECK(good)) printf("  cholesky" #F " of %zu\n", n);                              \
            i = n / 2, x[m * n + i * n + i] = (T)-1;                                               \
            CHECK(gradc_cholesky##F(n, x + m * n) == GRADC_NOT_POSITIVE_DEFINITE);                 \
            for (i = 0; i < n; i++) a[i * n + n / 2] = 0;                                          \
            CHECK(gradc_lu##F(n, a) == GRADC_SINGULAR || n > 33); /* where nothing was rounded */  \
            free(a), free(l), free(b), free(x);                                                    \
        }                                                                                          \
    }
SYSTEMS(double, , 2.3e-16)
SYSTEMS(float, f, 1.3e-7)

/* ---- what stands alone is the same as in a loop, to the last bit */

static void alone_is_same(double x) {
    const float y = (float)x;
    CHECK(same(gradc_sin_alone(x), gradc_sin(x)) && same(gradc_cos_alone(x), gradc_cos(x)) &&
          same(gradc_tan_alone(x), gradc_tan(x)));
    CHECK(same(gradc_sin_alonef(y), gradc_sinf(y)) && same(gradc_cos_alonef(y), gradc_cosf(y)) &&
          same(gradc_tan_alonef(y), gradc_tanf(y)));
}

static void alone(void) {
    static const double at[] = {0.0,    0x1p-1074, 0x1p-149,           1e-20,  0.785,  0.7850000262260437, 0.7853981633974483, 0.7853982,
                                0.7853983, 1.0,    1.5707963267948966, 0x1p24, 0x1p53, 0x1p54,             (double)INFINITY,   (double)NAN};
    int k;
    for (k = 0; k < (int)(sizeof at / sizeof *at); k++) alone_is_same(at[k]), alone_is_same(-at[k]);
    for (k = 0; k < 3000; k++) alone_is_same((random_unit() - 0.5) * (k % 3 ? 3.2 : 1e6));
}

/* ---- errors in units in the last place */
#ifdef HAVE_MPFR

typedef void Exact(mpfr_t y, const mpfr_t x);
enum { BITS = 320 };
#define FROM(name, body)                                                                           \
    static void exact_##name(mpfr_t y, const mpfr_t x) {                                           \
        body;                                                                                      \
    }
#define LIBRARY(name) FROM(name, mpfr_##name(y, x, MPFR_RNDN))
LIBRARY(exp)
LIBRARY(expm1) LIBRARY(exp2) LIBRARY(log) LIBRARY(log1p) LIBRARY(log2) LIBRARY(log10) LIBRARY(sqrt)
    LIBRARY(cbrt) LIBRARY(sin) LIBRARY(cos) LIBRARY(tan) LIBRARY(asin) LIBRARY(acos) LIBRARY(atan)
        LIBRARY(sinh) LIBRARY(cosh) LIBRARY(tanh) LIBRARY(asinh) LIBRARY(acosh) LIBRARY(atanh)
            LIBRARY(erf) LIBRARY(erfc) LIBRARY(digamma) FROM(lgamma, int sign;
                                                             mpfr_lgamma(y, &sign, x, MPFR_RNDN))
                FROM(sigmoid, mpfr_neg(y, x, MPFR_RNDN); mpfr_exp(y, y, MPFR_RNDN);
                     mpfr_add_ui(y, y, 1, MPFR_RNDN); mpfr_ui_div(y, 1, y, MPFR_RNDN))
                    FROM(
                        softplus, if (mpfr_cmp_d(x, 1000.0) > 0) mpfr_set(y, x, MPFR_RNDN); else {
                            mpfr_exp(y, x, MPFR_RNDN);
                            mpfr_log1p(y, y, MPFR_RNDN);
                        })
                        FROM(
                            log1mexp, mpfr_expm1(y, x, MPFR_RNDN); mpfr_neg(y, y, MPFR_RNDN);
                            if (mpfr_cmp_d(x, -1.0) > 0) mpfr_log(y, y, MPFR_RNDN); else {
                                mpfr_exp(y, x, MPFR_RNDN);
                                mpfr_neg(y, y, MPFR_RNDN);
                                mpfr_log1p(y, y, MPFR_RNDN);
                            })

    /* How many units in the last place of the format (bits, least exponent) separate got from
     * exact; at_least: the error is taken relative to numbers of that size where the exact value is
     * smaller. */
    static double ulps(double got, const mpfr_t exact, int bits, long lowest, double most,
                       double at_least) {
    mpfr_t d;
    double e;
    long unit = mpfr_regular_p(exact) ? mpfr_get_exp(exact) - bits : lowest;
    if (mpfr_nan_p(exact) || got != got) return mpfr_nan_p(exact) && got != got ? 0 : HUGE_VAL;
    if (mpfr_inf_p(exact)) return mpfr_get_d(exact, MPFR_RNDN) == got ? 0 : HUGE_VAL;
    if (at_least > 0 && mpfr_cmpabs(exact, exact) == 0) {
        int e2;
        frexp(at_least, &e2);
        if (unit < e2 - bits) unit = e2 - bits;
    }
    if (unit < lowest) unit = lowest;
    mpfr_init2(d, BITS);
    if (got > most || got < -most) { /* infinity is the number after the largest */
        mpfr_set_d(d, got > 0 ? most : -most, MPFR_RNDN);
        if (mpfr_cmpabs(exact, d) > 0) {
            mpfr_clear(d);
            return 0.5;
        }
        mpfr_sub(d, d, exact, MPFR_RNDN);
        e = mpfr_get_d(d, MPFR_RNDN) == 0 ? 1
                                          : 1 + fabs(ldexp(mpfr_get_d(d, MPFR_RNDN), (int)-unit));
    } else {
        mpfr_set_d(d, got, MPFR_RNDN);
        mpfr_sub(d, d, exact, MPFR_RNDN);
        mpfr_mul_2si(d, d, -unit, MPFR_RNDN);
        e = fabs(mpfr_get_d(d, MPFR_RNDN));
    }
    mpfr_clear(d);
    return e;
}
static double ulps_double(double got, const mpfr_t exact, double at_least) {
    return ulps(got, exact, 53, -1074, DBL_MAX, at_least);
}
static double ulps_float(float got, const mpfr_t exact, double at_least) {
    return ulps((double)got, exact, 24, -149, (double)FLT_MAX, at_least);
}

/* A number in [lo, hi]: alternately evenly spread over the numbers of the format, evenly over the
 * interval, and near the ends. */
static double sample(double lo, double hi, int k, int is_float) {
    double x;
    do {
        if (k % 4 == 0 && lo > -1e30 && hi < 1e30) x = lo + (hi - lo) * random_unit();
        else if (k % 16 == 1) x = lo + fabs(lo) * ldexp(random_unit(), -(int)(random_bits() % 60));
        else if (k % 16 == 3) x = hi - fabs(hi) * ldexp(random_unit(), -(int)(random_bits() % 60));
        else if (is_float) x = (double)gradc_of_bitsf((uint32_t)random_bits());
        else x = gradc_of_bits(random_bits());
        if (is_float) x = (double)(float)x;
        k++;
    } while (!(x >= lo && x <= hi));
    return x;
}

static int with_table;
static void line(const char *name, const char *range, double f, double at_f, double d, double at_d,
                 double limit_f, double limit_d) {
    char text[64];
    snprintf(text, sizeof text, "%s", name);
    if (with_table) printf("| %s | %s | %.2f | %.2f |\n", name, range, f, d);
    if (!check_at(f <= limit_f, text, __LINE__))
        printf("  %sf in %s: %.3f ulp at %.9g, limit %.2f\n", name, range, f, at_f, limit_f);
    if (!check_at(d <= limit_d, text, __LINE__))
        printf("  %s in %s: %.3f ulp at %.17g, limit %.2f\n", name, range, d, at_d, limit_d);
}

static double float_reach = (double)FLT_MAX; /* floats are measured up to this size */
static void measure(const char *name, Exact *exact, double lo, double hi, double at_least,
                    double limit_f, double limit_d, int samples) {
    const Row *r = row(name);
    double worst[2] = {0, 0}, at[2] = {0, 0};
    char range[80];
    int k;
    mpfr_t x, y;
    mpfr_inits2(BITS, x, y, (mpfr_ptr)0);
    for (k = 0; k < 2 * samples; k++) {
        int is_float = k & 1;
        double flo = lo < -float_reach ? -float_reach : lo, fhi = hi > float_reach ? float_reach : hi;
        double v = is_float ? sample(flo, fhi, k / 2, 1) : sample(lo, hi, k / 2, 0), e;
        mpfr_set_d(x, v, MPFR_RNDN);
        exact(y, x);
        e = is_float ? ulps_float(r->g((float)v), y, at_least) : ulps_double(r->f(v), y, at_least);
        if (e > worst[is_float] || e != e) {
            worst[is_float] = e;
            at[is_float] = v;
        }
    }
    if (lo == -DBL_MAX && hi == DBL_MAX) snprintf(range, sizeof range, "all");
    else if (hi == DBL_MAX) snprintf(range, sizeof range, "x >= %g", lo);
    else if (lo == -DBL_MAX) snprintf(range, sizeof range, "x <= %g", hi);
    else snprintf(range, sizeof range, "%g .. %g", lo, hi);
    if (at_least > 0) strcat(range, " (of 1)");
    line(name, range, worst[1], at[1], worst[0], at[0], limit_f, limit_d);
    mpfr_clears(x, y, (mpfr_ptr)0);
}

/* sin, cos and tan at the numbers nearest to multiples of pi/2, where a reduction of the angle has most to do. */
static void measure_multiples(const char *name, Exact *exact, double limit_f, double limit_d, int samples) {
    const Row *r = row(name);
    double worst[2] = {0, 0}, at[2] = {0, 0};
    int k;
    mpfr_t x, y;
    mpfr_inits2(BITS, x, y, (mpfr_ptr)0);
    for (k = 0; k < 2 * samples; k++) {
        int is_float = k & 1;
        double v, e;
        mpfr_const_pi(x, MPFR_RNDN);
        mpfr_mul_d(x, x, (double)(random_bits() >> (12 + random_bits() % 52)), MPFR_RNDN);
        mpfr_div_2ui(x, x, 1, MPFR_RNDN);
        v = is_float ? (double)mpfr_get_flt(x, MPFR_RNDN) : mpfr_get_d(x, MPFR_RNDN);
        if (v == 0 || v > (is_float ? 0x1p24 : 0x1p53)) continue;
        mpfr_set_d(x, v, MPFR_RNDN);
        exact(y, x);
        e = is_float ? ulps_float(r->g((float)v), y, 0) : ulps_double(r->f(v), y, 0);
        if (e > worst[is_float] || e != e) {
            worst[is_float] = e;
            at[is_float] = v;
        }
    }
    line(name, "nearest to multiples of pi/2", worst[1], at[1], worst[0], at[0], limit_f, limit_d);
    mpfr_clears(x, y, (mpfr_ptr)0);
}

/* Functions of two arguments: x in [lo, hi], y in [ylo, yhi]. */
static void exact_two(const char *name, mpfr_t r, const mpfr_t x, const mpfr_t y) {
    if (strcmp(name, "pow") == 0) mpfr_pow(r, x, y, MPFR_RNDN);
    else if (strcmp(name, "atan2") == 0) mpfr_atan2(r, x, y, MPFR_RNDN);
    else if (strcmp(name, "hypot") == 0) mpfr_hypot(r, x, y, MPFR_RNDN);
    else if (strcmp(name, "weight") == 0) {
        mpfr_sub(r, x, y, MPFR_RNDN);
        mpfr_exp(r, r, MPFR_RNDN);
    } else if (strcmp(name, "mod") == 0) {
        mpfr_fmod(r, x, y, MPFR_RNDN);
        if (!mpfr_zero_p(r) && (mpfr_sgn(r) < 0) != (mpfr_sgn(y) < 0)) mpfr_add(r, r, y, MPFR_RNDN);
    } else { /* logaddexp */
        const int x_is_less = mpfr_cmp(x, y) < 0;
        mpfr_sub(r, x_is_less ? x : y, x_is_less ? y : x, MPFR_RNDN);
        mpfr_exp(r, r, MPFR_RNDN);
        mpfr_log1p(r, r, MPFR_RNDN);
        mpfr_add(r, r, x_is_less ? y : x, MPFR_RNDN);
    }
}
#define TWO(F) F(pow) F(atan2) F(hypot) F(weight) F(mod) F(logaddexp)
static double two(const char *name, double x, double y) {
#define CASE(known)                                                                                \
    if (strcmp(name, #known) == 0) return gradc_##known(x, y);
    TWO(CASE)
    return 0;
}
static float twof(const char *name, float x, float y) {
#define CASEF(known)                                                                               \
    if (strcmp(name, #known) == 0) return gradc_##known##f(x, y);
    TWO(CASEF)
    return 0;
}
static void measure_two(const char *name, double lo, double hi, double ylo, double yhi,
                        double at_least, double limit_f, double limit_d, int samples) {
    double worst[2] = {0, 0}, at[2] = {0, 0};
    char range[100];
    int k;
    mpfr_t x, y, z;
    mpfr_inits2(BITS, x, y, z, (mpfr_ptr)0);
    for (k = 0; k < 2 * samples; k++) {
        int is_float = k & 1;
        double u = sample(lo, hi, k / 2, is_float), v = sample(ylo, yhi, k / 2 * 3, is_float), e;
        if (strcmp(name, "weight") == 0) /* the difference is rounded: choose it exact */
            v = 0;
        mpfr_set_d(x, u, MPFR_RNDN);
        mpfr_set_d(y, v, MPFR_RNDN);
        exact_two(name, z, x, y);
        e = is_float ? ulps_float(twof(name, (float)u, (float)v), z, at_least)
                     : ulps_double(two(name, u, v), z, at_least);
        if (e > worst[is_float] || e != e) {
            worst[is_float] = e;
            at[is_float] = u;
        }
    }
    snprintf(range, sizeof range, "%g .. %g, %g .. %g%s", lo, hi, ylo, yhi,
             at_least > 0 ? " (of 1)" : "");
    line(name, range, worst[1], at[1], worst[0], at[0], limit_f, limit_d);
    mpfr_clears(x, y, z, (mpfr_ptr)0);
}

/* n-th derivative of digamma from its series, shifted by 80 and completed by Euler and Maclaurin
 * with MPFR's zeta values: B(2k) / (2k)! = (-1)^(k + 1) 2 zeta(2k) / (2 pi)^(2k). */
static void exact_polygamma(mpfr_t r, long n, double x) {
    mpfr_t t, u, p, q;
    long k;
    mpfr_inits2(BITS, t, u, p, q, (mpfr_ptr)0);
    mpfr_set_zero(r, 1);
    for (k = 0; k < 80; k++) {
        mpfr_set_d(t, x, MPFR_RNDN);
        mpfr_add_si(t, t, k, MPFR_RNDN);
        mpfr_pow_si(t, t, -(n + 1), MPFR_RNDN);
        mpfr_add(r, r, t, MPFR_RNDN);
    }
    mpfr_set_d(u, x, MPFR_RNDN);
    mpfr_add_si(u, u, 80, MPFR_RNDN);
    mpfr_pow_si(t, u, -n, MPFR_RNDN);
    mpfr_div_si(p, t, n, MPFR_RNDN);
    mpfr_add(r, r, p, MPFR_RNDN);
    mpfr_div(t, t, u, MPFR_RNDN);
    mpfr_div_si(p, t, 2, MPFR_RNDN);
    mpfr_add(r, r, p, MPFR_RNDN);
    mpfr_div(t, t, u, MPFR_RNDN);
    mpfr_mul_si(t, t, n + 1, MPFR_RNDN); /* n + 1 ... n + 2k - 1 over u^(n + 2k) */
    for (k = 1; k <= 30; k++) {
        mpfr_zeta_ui(p, (unsigned long)(2 * k), MPFR_RNDN);
        mpfr_const_pi(q, MPFR_RNDN);
        mpfr_mul_si(q, q, 2, MPFR_RNDN);
        mpfr_pow_si(q, q, 2 * k, MPFR_RNDN);
        mpfr_div(p, p, q, MPFR_RNDN);
        mpfr_mul_si(p, p, k % 2 ? 2 : -2, MPFR_RNDN);
        mpfr_mul(p, p, t, MPFR_RNDN);
        mpfr_add(r, r, p, MPFR_RNDN);
        mpfr_mul_si(t, t, (n + 2 * k) * (n + 2 * k + 1), MPFR_RNDN);
        mpfr_div(t, t, u, MPFR_RNDN);
        mpfr_div(t, t, u, MPFR_RNDN);
    }
    mpfr_fac_ui(p, (unsigned long)n, MPFR_RNDN);
    mpfr_mul(r, r, p, MPFR_RNDN);
    if (n % 2 == 0) mpfr_neg(r, r, MPFR_RNDN);
    mpfr_clears(t, u, p, q, (mpfr_ptr)0);
}
static void measure_polygamma(long n, double lo, double hi, double at_least, double limit_f,
                              double limit_d, int samples) {
    double worst[2] = {0, 0}, at[2] = {0, 0};
    char range[100];
    int k;
    mpfr_t z;
    mpfr_init2(z, BITS);
    for (k = 0; k < samples; k++) {
        int is_float = k & 1;
        double v = sample(lo, hi, k / 2, is_float), e;
        if (v == floor(v) && v <= 0) continue;
        exact_polygamma(z, n, v);
        e = is_float ? ulps_float(gradc_polygammaf(n, (float)v), z, at_least)
                     : ulps_double(gradc_polygamma(n, v), z, at_least);
        if (e > worst[is_float] || e != e) {
            worst[is_float] = e;
            at[is_float] = v;
        }
    }
    snprintf(range, sizeof range, "n = %ld, x in %g .. %g%s", n, lo, hi,
             at_least > 0 ? " (of 1)" : "");
    line("polygamma", range, worst[1], at[1], worst[0], at[0], limit_f, limit_d);
    mpfr_clear(z);
}
static void measure_powi(long n, double lo, double hi, double limit_f, double limit_d,
                         int samples) {
    double worst[2] = {0, 0}, at[2] = {0, 0};
    char range[100];
    int k;
    mpfr_t z;
    mpfr_init2(z, BITS);
    for (k = 0; k < samples; k++) {
        int is_float = k & 1;
        double v = sample(lo, hi, k / 2, is_float), e;
        mpfr_set_d(z, v, MPFR_RNDN);
        mpfr_pow_si(z, z, n, MPFR_RNDN);
        e = is_float ? ulps_float(gradc_powif((float)v, n), z, 0)
                     : ulps_double(gradc_powi(v, n), z, 0);
        if (e > worst[is_float] || e != e) {
            worst[is_float] = e;
            at[is_float] = v;
        }
    }
    snprintf(range, sizeof range, "n = %ld, x in %g .. %g", n, lo, hi);
    line("powi", range, worst[1], at[1], worst[0], at[0], limit_f, limit_d);
    mpfr_clear(z);
}

static void accuracy(int samples) {
    const double all = DBL_MAX;
    if (with_table) printf("| function | range | float | double |\n|---|---|---:|---:|\n");
#define M(name, lo, hi, limit_f, limit_d)                                                          \
    measure(#name, exact_##name, lo, hi, 0, limit_f, limit_d, samples)
    M(exp, -all, all, 1.1, 1.1), M(exp, -1, 1, 1.1, 1.1), M(exp, -110, 89, 1.1, 1.1),
        M(exp, -746, 710, 1.1, 1.1);
    M(expm1, -all, all, 2, 2), M(expm1, -1, 1, 2, 2), M(expm1, -20, 89, 2, 2);
    M(exp2, -all, all, 1.2, 1.2), M(exp2, -150, 128, 1.2, 1.2), M(exp2, -1075, 1024, 1.2, 1.2);
    M(log, 0, all, 1, 1), M(log, 0.5, 2, 1, 1), M(log, 0.99, 1.01, 1, 1);
    M(log1p, -1, all, 1.5, 1.5), M(log1p, -0.5, 1, 1.5, 1.5), M(log1p, -1, -0.9, 1, 1);
    M(log2, 0, all, 1, 1), M(log2, 0.5, 2, 1, 1), M(log10, 0, all, 1, 1), M(log10, 0.5, 2, 1, 1);
    M(sqrt, 0, all, 0.5, 0.5), M(cbrt, -all, all, 1, 4);
    float_reach = 0x1p24; /* beyond, neighbouring floats are two radians and more apart */
    M(sin, -0x1p53, 0x1p53, 1, 1), M(sin, -10, 10, 1, 1), M(cos, -0x1p53, 0x1p53, 1, 1),
        M(cos, -10, 10, 1, 1), M(tan, -0x1p53, 0x1p53, 2.5, 2.5), M(tan, -10, 10, 2.5, 2.5);
    measure_multiples("sin", exact_sin, 1, 1, samples), measure_multiples("cos", exact_cos, 1, 1, samples),
        measure_multiples("tan", exact_tan, 2.5, 2.5, samples);
    float_reach = (double)FLT_MAX;
    M(asin, -1, 1, 1.5, 1.5), M(acos, -1, 1, 1.5, 1.5), M(atan, -all, all, 1.5, 1.5),
        M(atan, 0.4, 2.2, 1.5, 1.5);
    M(sinh, -all, all, 2, 2.5), M(sinh, -10, 10, 2, 2.5), M(cosh, -all, all, 2, 2.5),
        M(cosh, -10, 10, 2, 2.5), M(tanh, -all, all, 2.5, 2.5), M(tanh, -1, 1, 2.5, 2.5),
        M(tanh, -20, 20, 2.5, 2.5);
    M(asinh, -all, all, 2, 2), M(asinh, -10, 10, 2, 2), M(acosh, 1, all, 2, 2),
        M(acosh, 1, 10, 2, 2.5), M(atanh, -1, 1, 2, 2);
    M(erf, -all, all, 1.5, 1.5), M(erf, -6, 6, 1.5, 1.5), M(erfc, -all, all, 4, 4),
        M(erfc, -7, 28, 4, 4), M(erfc, -1, 2, 4, 4), M(erfc, 2, 10.5, 4, 4);
    M(sigmoid, -all, all, 2.5, 2.5), M(sigmoid, -20, 20, 2.5, 2.5), M(sigmoid, -746, 50, 2.5, 2.5);
    M(softplus, -all, all, 2, 2), M(softplus, -20, 20, 2, 2), M(softplus, -746, 50, 2, 2);
    M(log1mexp, -all, 0, 2.5, 2.5), M(log1mexp, -2, 0, 2.5, 2.5), M(log1mexp, -746, -0.5, 2.5, 2.5);
    M(lgamma, 0, all, 3, 3), M(lgamma, 0, 10, 4, 4);
    measure("lgamma", exact_lgamma, -20.5, -1e-30, 1, 6, 6, samples / 4);
    M(digamma, 1e-30, 1e30, 4, 4), M(digamma, 1e-3, 12, 4, 4);
    measure("digamma", exact_digamma, -20.5, -1e-3, 1, 8, 8, samples / 4);
    measure_two("pow", 0, 1e30, -30, 30, 0, 1.3, 1.3, samples);
    measure_two("pow", 0.9, 1.1, -5000, 5000, 0, 1.3, 1.3, samples);
    measure_two("pow", 0, 20, -300, 300, 0, 1.3, 1.3, samples);
    measure_two("atan2", -1e10, 1e10, -1e10, 1e10, 0, 1.5, 1.5, samples);
    measure_two("hypot", -1e30, 1e30, -1e30, 1e30, 0, 1, 1, samples);
    measure_two("mod", -1e6, 1e6, -1e3, 1e3, 0, 0.5, 0.5, samples);
    measure_two("weight", -800, 0, 0, 0, 0, 1.1, 1.1, samples);
    measure_two("logaddexp", -100, 100, -100, 100, 1, 2, 2, samples);
    measure_two("logaddexp", 0, 1, 0, 1, 0, 2, 2, samples);
    {
        static const int ns[] = {2, 3, 5, 8, 11, -1, -2, -3, -9};
        int k;
        for (k = 0; k < (int)(sizeof ns / sizeof ns[0]); k++)
            measure_powi(ns[k], -100, 100, 7, 7, samples);
    }
    measure_polygamma(1, 1e-3, 1e3, 0, 5, 5, samples / 4),
        measure_polygamma(2, 1e-3, 1e3, 0, 6, 6, samples / 4),
        measure_polygamma(5, 1e-3, 1e3, 0, 8, 8, samples / 4);
    measure_polygamma(30, 0.1, 100, 0, 40, 40, samples / 4);
    measure_polygamma(1, -10.3, -0.001, 0, 10, 10, samples / 4);
}
#endif

int main(int argc, char **argv) {
    int samples = argc > 1 ? atoi(argv[1]) : 2000;
    special_values();
    alone();
    indices();
    integers();
    products();
    folds(), foldsf();
    productsf();
    systems();
    systemsf();
#ifdef HAVE_MPFR
    with_table = argc > 1;
    accuracy(samples);
#else
    (void)samples;
#endif
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
