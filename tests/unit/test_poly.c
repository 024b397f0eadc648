/* Unit test of poly: exact identities, text, wholeness, overflow, and proofs: those that the
 * language needs (packed triangles, padded convolutions), those that must fail, and random ones
 * held against all points of a small box. */
#include "../../compiler/poly.h"
#include <stdio.h>
#include <string.h>

static int passed, failed;
static Arena *a;

#define CHECK(condition) check((condition), #condition, __LINE__)
static void check(bool ok, const char *text, int line) {
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: %s\n", __FILE__, line, text);
}

/* Variables are letters; capitals are sizes. */
static const char *name_of(const void *user, uint32_t var) {
    static char text[256][2];
    (void)user;
    text[var & 255][0] = (char)var;
    return text[var & 255];
}
static bool is_index(const void *user, uint32_t var) {
    (void)user;
    return var >= 'a';
}

/* A tiny reader: sums of products of powers, letters, numbers, parentheses, / by a number. */
static const char *at;
static const Poly *sum(void);
static const Poly *atom(void) {
    while (*at == ' ') at++;
    const Poly *p;
    if (*at == '(') {
        at++;
        p = sum();
        at++; /* ')' */
    } else if (*at >= '0' && *at <= '9') {
        int64_t n = 0;
        while (*at >= '0' && *at <= '9') n = n * 10 + (*at++ - '0');
        p = poly_int(a, n);
    } else {
        p = poly_var(a, (uint32_t)*at++);
    }
    while (*at == ' ') at++;
    if (*at == '^') {
        int n = at[1] - '0';
        const Poly *base = p;
        for (at += 2; n > 1; n--) p = poly_mul(a, p, base);
    }
    while (*at == ' ') at++;
    return p;
}
static const Poly *product(void) {
    const Poly *p = atom();
    while (*at == '*' || *at == '/')
        if (*at++ == '*') {
            p = poly_mul(a, p, atom());
        } else {
            int64_t n;
            if (poly_is_int(atom(), &n)) p = poly_scale(a, p, 1, n);
        }
    return p;
}
static const Poly *sum(void) {
    while (*at == ' ') at++;
    const Poly *p;
    if (*at == '-') {
        at++;
        p = poly_neg(a, product());
    } else {
        p = product();
    }
    while (*at == '+' || *at == '-')
        p = *at++ == '+' ? poly_add(a, p, product()) : poly_sub(a, p, product());
    return p;
}
static const Poly *P(const char *text) {
    at = text;
    return sum();
}

static bool is(const char *x, const char *y) {
    return poly_equal(P(x), P(y)) && poly_compare(P(x), P(y)) == 0;
}
static bool prints(const char *x, const char *want) {
    const char *got = poly_text(a, P(x), name_of, NULL);
    if (strcmp(got, want)) printf("    %s is printed as %s\n", x, got);
    return strcmp(got, want) == 0;
}
/* Is p >= 0, with facts separated by ';'? */
static bool proved(const char *p, const char *facts) {
    const Poly *fact[16];
    int n = 0;
    const Poly *goal = P(p);
    for (at = facts; *at;) {
        fact[n++] = sum();
        if (*at == ';') at++;
    }
    return poly_prove(a, goal, fact, n, is_index, NULL);
}

static void test_arithmetic(void) {
    CHECK(is("(x + y)^2", "x^2 + 2 * x * y + y^2"));
    CHECK(is("(x + y) * (x - y)", "x^2 - y^2"));
    CHECK(is("(x - y)^3", "x^3 - 3*x^2*y + 3*x*y^2 - y^3"));
    CHECK(is("x * y", "y * x"));
    CHECK(is("x - x", "0"));
    CHECK(is("(x + 1) - 1", "x"));
    CHECK(is("D * (D - 1) / 2 + D", "D * (D + 1) / 2"));
    CHECK(is("x / 3 + x / 6", "x / 2"));
    CHECK(!is("x", "y"));
    CHECK(!is("x / 2", "x / 3"));
    CHECK(is("(a+b+c)^5 - (a+b+c)^4 * (a+b+c)", "0"));

    uint32_t var[2] = {'x', 'y'};
    const Poly *swap[2] = {P("y"), P("x")};
    CHECK(poly_equal(poly_subst_all(a, P("x^2 + 3 * y"), 2, var, swap), P("y^2 + 3 * x")));
    CHECK(poly_equal(poly_subst(a, P("x^2 - x"), 'x', P("x + 1")), P("x^2 + x")));
    CHECK(poly_equal(poly_subst(a, P("x^2 * z - x"), 'y', P("7")), P("x^2 * z - x")));
    CHECK(poly_equal(poly_subst(a, P("x^3"), 'x', P("0")), P("0")));

    int64_t num, den;
    const Poly *rest;
    CHECK(poly_is_int(P("7 - 9"), &num) && num == -2);
    CHECK(!poly_is_int(P("1 / 2"), NULL));
    CHECK(poly_is_number(P("4 / 6"), &num, &den) && num == 2 && den == 3);
    CHECK(!poly_is_number(P("x"), NULL, NULL));
    CHECK(poly_linear(a, P("3 * x / 2 + y^2 - 1"), 'x', &num, &den, &rest) && num == 3 &&
          den == 2 && poly_equal(rest, P("y^2 - 1")));
    CHECK(poly_linear(a, P("y"), 'x', &num, &den, &rest) && num == 0 && den == 1 &&
          poly_equal(rest, P("y")));
    CHECK(!poly_linear(a, P("x * y"), 'x', &num, &den, &rest));
    CHECK(!poly_linear(a, P("x^2 + x"), 'x', &num, &den, &rest));
    const uint32_t *vars;
    CHECK(poly_vars(a, P("z * x^2 + y - 1"), &vars) == 3 && vars[0] == 'x' && vars[1] == 'y' &&
          vars[2] == 'z');
    CHECK(poly_has(P("x * y + z"), 'y') && !poly_has(P("x * y + z"), 'w'));
    /* Any order of making gives the same polynomial, and the order is total. */
    const char *some[] = {"0",     "1",   "-1",    "1/2",   "x",     "y",     "x + 1",
                          "x * y", "x^2", "2 * x", "x / 2", "x + y", "x - y", "x^2 + y"};
    int n = (int)(sizeof some / sizeof *some);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int order = poly_compare(P(some[i]), P(some[j]));
            CHECK(order == -poly_compare(P(some[j]), P(some[i])));
            CHECK((order == 0) == (i == j));
            for (int k = 0; k < n; k++)
                if (order < 0 && poly_compare(P(some[j]), P(some[k])) < 0)
                    CHECK(poly_compare(P(some[i]), P(some[k])) < 0);
        }
}

static void test_text(void) {
    CHECK(prints("0", "0"));
    CHECK(prints("3 - 5", "-2"));
    CHECK(prints("D * D / 2 - 1", "1/2 * D * D - 1"));
    CHECK(prints("N - K + 1", "-K + N + 1"));
    CHECK(prints("K + N - 2", "K + N - 2"));
    CHECK(prints("-x * y + 2 * y * y * x", "2 * x * y * y - x * y"));
    CHECK(prints("1 - x", "-x + 1"));
}

static void test_whole(void) {
    CHECK(poly_whole(a, P("x")));
    CHECK(poly_whole(a, P("0")));
    CHECK(!poly_whole(a, P("1 / 2")));
    CHECK(!poly_whole(a, P("x / 2")));
    CHECK(poly_whole(a, P("(x * x - x) / 2")));
    CHECK(poly_whole(a, P("x * (x + 1) * (x + 2) / 6")));
    CHECK(!poly_whole(a, P("x * (x + 1) * (x + 2) / 4")));
    CHECK(poly_whole(a, P("x * y * (x + y) / 2")));
    CHECK(!poly_whole(a, P("x * y * (x + y + 1) / 2")));
    CHECK(poly_whole(a, P("k * (2 * D - k - 1) / 2 + i - k - 1")));
    CHECK(!poly_whole(a, P("x / 2 + y / 2")));
    CHECK(poly_whole(a, P("x^4 / 4 - x^3 / 2 + x^2 / 4")));
}

static void test_overflow(void) {
    const Poly *big = poly_int(a, INT64_MAX), *x = poly_var(a, 'x');
    CHECK(poly_is_known(big));
    CHECK(!poly_is_known(poly_add(a, big, poly_int(a, 1))));
    CHECK(!poly_is_known(poly_mul(a, big, big)));
    CHECK(!poly_is_known(poly_int(a, INT64_MIN)));
    CHECK(!poly_is_known(poly_scale(a, big, 2, 1)));
    CHECK(poly_equal(poly_scale(a, poly_scale(a, big, 1, 3), 3, 1), big));
    const Poly *lost = poly_mul(a, poly_add(a, x, big), big);
    CHECK(!poly_is_known(lost));
    CHECK(!poly_equal(lost, lost));
    CHECK(!poly_is_number(lost, NULL, NULL));
    CHECK(!poly_is_known(poly_add(a, lost, x)) && !poly_is_known(poly_sub(a, lost, lost)) &&
          !poly_is_known(poly_mul(a, x, lost)));
    CHECK(!poly_prove(a, lost, NULL, 0, is_index, NULL));
    CHECK(!poly_whole(a, lost));
    const Poly *p = poly_add(a, P("a + b + c + d + e + f"), P("g + h + i + j + k + 1"));
    for (int k = 0; k < 5; k++)
        p = poly_mul(a, p, p); /* the 32nd power of 12 terms: too large, and said quickly */
    CHECK(!poly_is_known(p));
}

static void test_proofs(void) {
    /* One index in an axis, shifts, conditions. */
    CHECK(proved("N - 1 - i", "i; N - 1 - i"));
    CHECK(!proved("N - 2 - i", "i; N - 1 - i"));
    CHECK(proved("N - 2 - i", "i; N - 1 - i; N - 1 - (i + 1)"));
    CHECK(proved("N - 1", ""));
    CHECK(!proved("N - 2", ""));
    CHECK(proved("N - 2", "i - 1; N - 1 - i")); /* some i lies in 1..N-1 */
    CHECK(proved("N * M - 1", ""));
    CHECK(proved("0", ""));
    CHECK(!proved("0 - 1", ""));
    CHECK(proved("i^2", "i"));
    CHECK(proved("N - 1 - j", "i; N - 1 - i; j; i - j"));
    CHECK(proved("N - 1 - k", "i - k; j - i; N - 1 - j"));
    /* Convolutions: valid, and padded by guards. */
    CHECK(proved("N - 1 - (i + k)", "i; N - K - i; k; K - 1 - k"));
    CHECK(!proved("N - 1 - (i + k)", "i; N - 1 - i; k; K - 1 - k"));
    CHECK(proved("i + k - P", "i; N - 1 - i; k; K - 1 - k; i + k - P; N - 1 - i - k + P"));
    CHECK(proved("N - 1 - (s * 2 + k)", "s; (N - K) / 2 - s; k; K - 1 - k"));
    /* Row-major boxes and packed triangles. */
    CHECK(proved("H * W - 1 - (i * W + j)", "i; H - 1 - i; j; W - 1 - j"));
    CHECK(!proved("H * W - 1 - (i * H + j)", "i; H - 1 - i; j; W - 1 - j"));
    CHECK(proved("A * B * C - 1 - ((i * B + j) * C + k)",
                 "i; A - 1 - i; j; B - 1 - j; k; C - 1 - k"));
    CHECK(proved("D * (D + 1) / 2 - 1 - (i * (i + 1) / 2 + j)", "i; D - 1 - i; j; i - j"));
    CHECK(!proved("D * (D - 1) / 2 - 1 - (i * (i - 1) / 2 + j)", "i; D - 1 - i; j; i - j"));
    CHECK(proved("D * (D - 1) / 2 - 1 - (i * (i - 1) / 2 + j)", "i; D - 1 - i; j; i - 1 - j"));
    CHECK(proved("D * (D - 1) / 2 - 1 - (k * (2 * D - k - 1) / 2 + i - k - 1)",
                 "i; D - 1 - i; k; D - 1 - k; i - k - 1"));
    CHECK(proved("k * (2 * D - k - 1) / 2 + i - k - 1", "i; D - 1 - i; k; D - 1 - k; i - k - 1"));
    CHECK(proved(
        "A * B * C * D * E * F - 1 - (((((a * B + b) * C + c) * D + d) * E + e) * F + f)",
        "a; A - 1 - a; b; B - 1 - b; c; C - 1 - c; d; D - 1 - d; e; E - 1 - e; f; F - 1 - f"));
    CHECK(
        proved("D * (D + 1) * (D + 2) / 6 - 1 - (i * (i + 1) * (i + 2) / 6 + j * (j + 1) / 2 + k)",
               "i; D - 1 - i; j; i - j; k; j - k"));
    /* A lower fact must not be stepped over: (v - 5)^2 - 1 rises from 5 on and is 24 at 0, but -1
     * at 5. */
    CHECK(!proved("(v - 5)^2 - 1", "v; v - 5"));
    CHECK(proved("(v - 5)^2", "v - 5"));
    /* Halves. */
    CHECK(proved("N - 1 - 2 * i", "i; N - 1 - 2 * i"));
    CHECK(proved("N - 2 * i - 2 + 1", "i; (N - 2) / 2 - i"));
    /* Excluded altogether. */
    CHECK(proved("0 - 5", "i - 3; 2 - i"));
    /* A hard goal ends quickly without an answer. */
    CHECK(!proved("(a + b + c + d - e - f - g)^4 - A * B * C * D * a * b * c * d - 1",
                  "a; b; c; d; e; f; g; A - a; B - b; C - c; D - d; A - e; B - f; C - g"));
}

/* Random goals and facts: what is proved holds at every point of a box. */
static uint32_t state = 1;
static int draw(int n) {
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 16) % (uint32_t)n);
}
static const Poly *random_poly(int degree) {
    static const char letters[] = "ijNM";
    const Poly *p = poly_int(a, draw(9) - 4);
    for (int k = 1 + draw(3); k > 0; k--) {
        const Poly *m = poly_int(a, draw(7) - 3);
        for (int d = 1 + draw(degree); d > 0; d--)
            m = poly_mul(a, m, poly_var(a, (uint32_t)letters[draw(4)]));
        p = poly_add(a, p, m);
    }
    return p;
}
static int64_t value(const Poly *p, const int *at_point) {
    int64_t v = 0;
    for (int i = 0; i < p->n; i++) {
        int64_t m = p->term[i].num * (12 / p->term[i].den);
        for (int k = 0; k < p->term[i].nvars; k++)
            m *= at_point[p->term[i].var[k] == 'i'   ? 0
                          : p->term[i].var[k] == 'j' ? 1
                          : p->term[i].var[k] == 'N' ? 2
                                                     : 3];
        v += m;
    }
    return v;
}
static void test_random(void) {
    int yes = 0, missed = 0;
    for (int trial = 0; trial < 4000; trial++) {
        const Poly *goal = random_poly(2), *fact[4] = {P("i"), P("N - 1 - i"), P("j"), NULL};
        fact[3] = random_poly(1 + trial % 2);
        if (trial % 3 == 0) fact[2] = random_poly(1);
        bool answer = poly_prove(a, goal, fact, 4, is_index, NULL), truth = true;
        for (int i = -5; i < 8 && truth; i++)
            for (int j = -5; j < 8 && truth; j++)
                for (int n = 1; n < 7 && truth; n++)
                    for (int m = 1; m < 7 && truth; m++) {
                        int point[4] = {i, j, n, m};
                        bool holds = true;
                        for (int k = 0; k < 4 && holds; k++) holds = value(fact[k], point) >= 0;
                        if (holds && value(goal, point) < 0) truth = false;
                    }
        yes += answer;
        missed += truth && !answer;
        if (answer && !truth) {
            printf("    proved, but false: %s", poly_text(a, goal, name_of, NULL));
            for (int k = 0; k < 4; k++) printf("; %s", poly_text(a, fact[k], name_of, NULL));
            printf("\n");
        }
        CHECK(!answer || truth);
    }
    CHECK(yes > 500);
    if (missed > yes)
        printf("    random goals: %d proved, %d true in the box but not proved\n", yes, missed);
}

int main(void) {
    a = arena_new();
    test_arithmetic();
    test_text();
    test_whole();
    test_overflow();
    test_proofs();
    test_random();
    arena_free(a);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
