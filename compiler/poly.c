/* poly: polynomials with rational coefficients, and proofs that one is never negative.
 *
 * A polynomial is a list of monomials in one order, so equality is comparison and a sum is a merge.
 * Coefficients are 64-bit fractions, computed in 128 bits: what does not fit makes the polynomial
 * *unknown* (n < 0). Unknown spreads through all arithmetic, equals nothing, is no number and is
 * never proved: a size that is too large is refused, never wrong.
 *
 * A proof of p >= 0 removes one variable v after another. Where p rises with v (its step p(v + 1) -
 * p(v) is proved non-negative between the bound and v), p is at least its value at a lower bound of
 * v; where it falls, at an upper one. The other facts about v survive as its bounds taken in pairs
 * (Fourier-Motzkin). Before that, some points that satisfy all facts are tried: most of what is
 * false is refuted there, at once. The work is bounded; beyond it the answer is no. */
#include "poly.h"
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TERMS = 2048, /* of a polynomial; more is unknown */
    MOST_DEGREE = 32,
    MOST_PAIRS = 65536, /* of terms in one product */
    PROOF_WORK = 20000, /* terms of the goals looked at in one proof */
    GOAL_TERMS = 200,   /* a goal with more is not tried */
    GOAL_DEGREE = 8,
    PROOF_DEPTH = 14,
    MOST_FACTS = 64, /* kept at once in a proof */
    MOST_PROOF_VARS = 24,
    POINTS = 48,      /* tried to refute a goal */
    INNER_POINTS = 12 /* and each goal on the way */
};

__extension__ typedef __int128 Wide;

static const Poly zero = {0, NULL};
static const Poly unknown = {-1, NULL};

bool poly_is_known(const Poly *x) {
    return x->n >= 0;
}

/* ---- fractions
 * --------------------------------------------------------------------------------------------- */

typedef struct Fraction {
    int64_t num, den;
    bool fits;
} Fraction;

static Fraction fraction(Wide num, Wide den) {
    if (den < 0) {
        num = -num;
        den = -den;
    }
    Wide a = num < 0 ? -num : num, b = den;
    while (b) {
        Wide r = a % b;
        a = b;
        b = r;
    }
    if (a > 1) {
        num /= a;
        den /= a;
    }
    /* The most negative number is left out: so every coefficient can be negated. */
    if (num > INT64_MAX || num < -INT64_MAX || den > INT64_MAX) return (Fraction){0, 1, false};
    return (Fraction){(int64_t)num, (int64_t)den, true};
}

static Fraction fraction_add(const Monomial *x, const Monomial *y) {
    return fraction((Wide)x->num * y->den + (Wide)y->num * x->den, (Wide)x->den * y->den);
}

/* ---- monomials and making polynomials
 * ---------------------------------------------------------------------- */

static int monomial_compare(const Monomial *x, const Monomial *y) {
    if (x->nvars != y->nvars) return x->nvars > y->nvars ? -1 : 1;
    for (int k = 0; k < x->nvars; k++)
        if (x->var[k] != y->var[k]) return x->var[k] < y->var[k] ? -1 : 1;
    return 0;
}

static int monomial_order(const void *x, const void *y) {
    return monomial_compare(x, y);
}

static const Poly *poly_of_terms(Arena *a, int n, const Monomial *term) {
    if (n == 0) return &zero;
    if (n > MOST_TERMS) return &unknown;
    Poly *p = arena_alloc(a, sizeof *p);
    p->n = n;
    p->term = term;
    return p;
}

/* Sorts and gathers terms in any order; the array becomes the polynomial's. */
static const Poly *poly_gather(Arena *a, int n, Monomial *term) {
    if (n > 1) qsort(term, (size_t)n, sizeof *term, monomial_order);
    int kept = 0;
    for (int k = 0; k < n;) {
        Monomial m = term[k++];
        while (k < n && monomial_compare(&m, &term[k]) == 0) {
            Fraction f = fraction_add(&m, &term[k++]);
            if (!f.fits) return &unknown;
            m.num = f.num;
            m.den = f.den;
        }
        if (m.num) term[kept++] = m;
    }
    return poly_of_terms(a, kept, term);
}

const Poly *poly_int(Arena *a, int64_t value) {
    if (value == 0) return &zero;
    if (value < -INT64_MAX) return &unknown;
    Monomial *m = arena_alloc(a, sizeof *m);
    m->num = value;
    m->den = 1;
    return poly_of_terms(a, 1, m);
}

const Poly *poly_var(Arena *a, uint32_t var) {
    Monomial *m = arena_alloc(a, sizeof *m);
    uint32_t *v = arena_alloc(a, sizeof *v);
    *v = var;
    *m = (Monomial){1, 1, v, 1};
    return poly_of_terms(a, 1, m);
}

const Poly *poly_add(Arena *a, const Poly *x, const Poly *y) {
    if (x->n < 0 || y->n < 0) return &unknown;
    if (x->n == 0) return y;
    if (y->n == 0) return x;
    Monomial *term = arena_alloc(a, (size_t)(x->n + y->n) * sizeof *term);
    int i = 0, j = 0, n = 0;
    while (i < x->n || j < y->n) {
        int order = i == x->n ? 1 : j == y->n ? -1 : monomial_compare(&x->term[i], &y->term[j]);
        if (order < 0) {
            term[n++] = x->term[i++];
        } else if (order > 0) {
            term[n++] = y->term[j++];
        } else {
            Fraction f = fraction_add(&x->term[i], &y->term[j]);
            if (!f.fits) return &unknown;
            term[n] = x->term[i++];
            j++;
            term[n].num = f.num;
            term[n].den = f.den;
            if (f.num) n++;
        }
    }
    return poly_of_terms(a, n, term);
}

const Poly *poly_scale(Arena *a, const Poly *x, int64_t num, int64_t den) {
    if (den == 0) bug("a polynomial divided by zero");
    if (x->n < 0) return &unknown;
    if (num == 0 || x->n == 0) return &zero;
    if (num == 1 && den == 1) return x;
    Monomial *term = arena_alloc(a, (size_t)x->n * sizeof *term);
    for (int k = 0; k < x->n; k++) {
        /* First each side against the other's divisor, so that the products cannot exceed 126 bits.
         */
        Fraction f = fraction(num, den);
        if (f.fits) f = fraction((Wide)x->term[k].num * f.num, (Wide)x->term[k].den * f.den);
        if (!f.fits) return &unknown;
        term[k] = x->term[k];
        term[k].num = f.num;
        term[k].den = f.den;
    }
    return poly_of_terms(a, x->n, term);
}

const Poly *poly_neg(Arena *a, const Poly *x) {
    return poly_scale(a, x, -1, 1);
}

const Poly *poly_sub(Arena *a, const Poly *x, const Poly *y) {
    return poly_add(a, x, poly_neg(a, y));
}

const Poly *poly_mul(Arena *a, const Poly *x, const Poly *y) {
    if (x->n < 0 || y->n < 0) return &unknown;
    if (x->n == 0 || y->n == 0) return &zero;
    if (x->n > MOST_PAIRS / y->n || x->term[0].nvars + y->term[0].nvars > MOST_DEGREE)
        return &unknown;
    Monomial *term = arena_alloc(a, (size_t)(x->n * y->n) * sizeof *term);
    int n = 0;
    for (int i = 0; i < x->n; i++)
        for (int j = 0; j < y->n; j++) {
            const Monomial *s = &x->term[i], *t = &y->term[j];
            Fraction f = fraction((Wide)s->num * t->num, (Wide)s->den * t->den);
            if (!f.fits) return &unknown;
            Monomial *m = &term[n++];
            *m = (Monomial){f.num, f.den, NULL, s->nvars + t->nvars};
            if (s->nvars == 0 || t->nvars == 0) {
                m->var = s->nvars ? s->var : t->var;
                continue;
            }
            uint32_t *var = arena_alloc(a, (size_t)m->nvars * sizeof *var);
            for (int k = 0, p = 0, q = 0; k < m->nvars; k++)
                var[k] = q == t->nvars || (p < s->nvars && s->var[p] <= t->var[q]) ? s->var[p++]
                                                                                   : t->var[q++];
            m->var = var;
        }
    return poly_gather(a, n, term);
}

const Poly *poly_subst_all(Arena *a, const Poly *x, int n, const uint32_t *var,
                           const Poly *const *by) {
    if (x->n < 0) return &unknown;
    bool touched = false;
    for (int k = 0; k < n && !touched; k++) touched = poly_has(x, var[k]);
    if (!touched) return x;
    const Poly *sum = &zero;
    for (int i = 0; i < x->n; i++) {
        const Monomial *m = &x->term[i];
        uint32_t *stay = arena_alloc(a, (size_t)(m->nvars ? m->nvars : 1) * sizeof *stay);
        Monomial *rest = arena_alloc(a, sizeof *rest);
        *rest = (Monomial){m->num, m->den, stay, 0};
        const Poly *product = NULL;
        for (int k = 0; k < m->nvars; k++) {
            int j = 0;
            while (j < n && var[j] != m->var[k]) j++;
            if (j == n) stay[rest->nvars++] = m->var[k];
            else product = product ? poly_mul(a, product, by[j]) : by[j];
        }
        const Poly *kept = poly_of_terms(a, 1, rest);
        sum = poly_add(a, sum, product ? poly_mul(a, product, kept) : kept);
    }
    return sum;
}

const Poly *poly_subst(Arena *a, const Poly *x, uint32_t var, const Poly *by) {
    return poly_subst_all(a, x, 1, &var, &by);
}

/* ---- looking at polynomials
 * -------------------------------------------------------------------------------- */

int poly_compare(const Poly *x, const Poly *y) {
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    for (int k = 0; k < x->n; k++) {
        const Monomial *s = &x->term[k], *t = &y->term[k];
        int order = monomial_compare(s, t);
        if (order) return order;
        if (s->num != t->num || s->den != t->den)
            return (Wide)s->num * t->den < (Wide)t->num * s->den ? -1 : 1;
    }
    return 0;
}

bool poly_equal(const Poly *x, const Poly *y) {
    return x->n >= 0 && poly_compare(x, y) == 0;
}

uint32_t poly_hash(const Poly *x) {
    uint32_t h = (uint32_t)x->n + 0x9E3779B9u;
    for (int t = 0; t < x->n; t++) {
        const Monomial *m = &x->term[t];
        h = (h ^ (uint32_t)m->num ^ (uint32_t)((uint64_t)m->num >> 32)) * 0x85EBCA6Bu;
        h = (h ^ (uint32_t)m->den ^ h >> 15) * 0x9E3779B1u;
        for (int k = 0; k < m->nvars; k++) h = (h ^ m->var[k] ^ h >> 13) * 0x85EBCA6Bu;
    }
    return h ^ h >> 16;
}

bool poly_is_number(const Poly *x, int64_t *num, int64_t *den) {
    if (x->n < 0 || x->n > 1 || (x->n == 1 && x->term[0].nvars)) return false;
    if (num) *num = x->n ? x->term[0].num : 0;
    if (den) *den = x->n ? x->term[0].den : 1;
    return true;
}

bool poly_is_int(const Poly *x, int64_t *value) {
    int64_t num, den;
    if (!poly_is_number(x, &num, &den) || den != 1) return false;
    if (value) *value = num;
    return true;
}

bool poly_has(const Poly *x, uint32_t var) {
    for (int i = 0; i < x->n; i++)
        for (int k = 0; k < x->term[i].nvars; k++)
            if (x->term[i].var[k] == var) return true;
    return false;
}

static int var_order(const void *x, const void *y) {
    uint32_t s = *(const uint32_t *)x, t = *(const uint32_t *)y;
    return s < t ? -1 : s > t;
}

int poly_vars(Arena *a, const Poly *x, const uint32_t **vars) {
    size_t room = 1;
    for (int i = 0; i < x->n; i++) room += (size_t)x->term[i].nvars;
    uint32_t *all = arena_alloc(a, room * sizeof *all);
    size_t n = 0;
    for (int i = 0; i < x->n; i++)
        for (int k = 0; k < x->term[i].nvars; k++) all[n++] = x->term[i].var[k];
    qsort(all, n, sizeof *all, var_order);
    int kept = 0;
    for (size_t k = 0; k < n; k++)
        if (kept == 0 || all[kept - 1] != all[k]) all[kept++] = all[k];
    *vars = all;
    return kept;
}

bool poly_linear(Arena *a, const Poly *x, uint32_t var, int64_t *num, int64_t *den,
                 const Poly **rest) {
    if (x->n < 0) return false;
    *num = 0;
    *den = 1;
    int at = -1;
    for (int i = 0; i < x->n; i++)
        for (int k = 0; k < x->term[i].nvars; k++)
            if (x->term[i].var[k] == var) {
                if (x->term[i].nvars > 1) return false;
                at = i;
            }
    *rest = x;
    if (at < 0) return true;
    *num = x->term[at].num;
    *den = x->term[at].den;
    Monomial *term = arena_alloc(a, (size_t)x->n * sizeof *term);
    for (int i = 0, n = 0; i < x->n; i++)
        if (i != at) term[n++] = x->term[i];
    *rest = poly_of_terms(a, x->n - 1, term);
    return true;
}

/* p is whole everywhere exactly if it is at v = 0 and its step in v is: induction upwards and
 * downwards. */
static bool whole_within(Arena *a, const Poly *x, int *work) {
    uint32_t var = 0;
    bool fractions = false, found = false;
    for (int i = 0; i < x->n; i++)
        if (x->term[i].den != 1) {
            if (x->term[i].nvars == 0) continue;
            fractions = true;
            if (!found) var = x->term[i].var[0];
            found = true;
        }
    if (!fractions) return x->n >= 0 && (x->n == 0 || x->term[x->n - 1].den == 1);
    if (--*work < 0) return false;
    const Poly *next = poly_subst(a, x, var, poly_add(a, poly_var(a, var), poly_int(a, 1)));
    const Poly *step = poly_sub(a, next, x);
    return whole_within(a, poly_subst(a, x, var, &zero), work) && whole_within(a, step, work);
}

bool poly_whole(Arena *a, const Poly *x) {
    int work = 400;
    return whole_within(a, x, &work);
}

/* ---- as text
 * -----------------------------------------------------------------------------------------------
 */

/* Printed by falling degree, then alphabetically: the numbers of variables say nothing to a reader.
 */
typedef struct Printed {
    const Monomial *m;
    const char **name; /* in order */
} Printed;

static int text_order(const void *x, const void *y) {
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int printed_order(const void *x, const void *y) {
    const Printed *s = x, *t = y;
    if (s->m->nvars != t->m->nvars) return s->m->nvars > t->m->nvars ? -1 : 1;
    for (int k = 0; k < s->m->nvars; k++) {
        int order = strcmp(s->name[k], t->name[k]);
        if (order) return order;
    }
    return monomial_compare(s->m, t->m);
}

const char *poly_text(Arena *a, const Poly *x, PolyName *name, const void *user) {
    if (x->n < 0) return "(too large)";
    if (x->n == 0) return "0";
    Printed *p = arena_alloc(a, (size_t)x->n * sizeof *p);
    for (int i = 0; i < x->n; i++) {
        const Monomial *m = p[i].m = &x->term[i];
        p[i].name = arena_alloc(a, (size_t)(m->nvars + 1) * sizeof *p[i].name);
        for (int k = 0; k < m->nvars; k++) p[i].name[k] = name(user, m->var[k]);
        qsort(p[i].name, (size_t)m->nvars, sizeof *p[i].name, text_order);
    }
    qsort(p, (size_t)x->n, sizeof *p, printed_order);
    VEC(char) out = {0};
    for (int i = 0; i < x->n; i++) {
        const Monomial *m = p[i].m;
        const char *sign = m->num < 0 ? (i ? " - " : "-") : i ? " + " : "";
        long long size = m->num < 0 ? -m->num : m->num;
        const char *number = m->den != 1 ? arena_format(a, "%lld/%lld", size, (long long)m->den)
                                         : arena_format(a, "%lld", size);
        bool one = size == 1 && m->den == 1 && m->nvars > 0;
        const char *piece = arena_format(a, "%s%s", sign, one ? "" : number);
        for (const char *s = piece; *s; s++) VEC_PUSH(a, out, *s);
        for (int k = 0; k < m->nvars; k++) {
            const char *before = k || !one ? " * " : "";
            for (const char *s = before; *s; s++) VEC_PUSH(a, out, *s);
            for (const char *s = p[i].name[k]; *s; s++) VEC_PUSH(a, out, *s);
        }
    }
    VEC_PUSH(a, out, '\0');
    return out.at;
}

/* ---- proofs
 * ------------------------------------------------------------------------------------------------
 */

typedef struct Proof {
    Arena *a; /* of this proof alone */
    PolyIsIndex *is_index;
    const void *user;
    int work;
} Proof;

typedef struct Facts {
    int n;
    const Poly *at[MOST_FACTS];
} Facts;

static void facts_add(Facts *facts, const Poly *f) {
    if (f->n <= 0 || facts->n == MOST_FACTS ||
        (f->n == 1 && f->term[0].nvars == 0 && f->term[0].num > 0))
        return;
    for (int k = 0; k < facts->n; k++)
        if (poly_equal(facts->at[k], f)) return;
    facts->at[facts->n++] = f;
}

static double value_at(const Poly *p, int n, const uint32_t *var, const double *at) {
    double sum = 0;
    for (int i = 0; i < p->n; i++) {
        double product = (double)p->term[i].num / (double)p->term[i].den;
        for (int k = 0; k < p->term[i].nvars; k++)
            for (int j = 0; j < n; j++)
                if (var[j] == p->term[i].var[k]) {
                    product *= at[j];
                    break;
                }
        sum += product;
    }
    return sum;
}

/* The bounds that facts over the variables 0..k (those before k have values) set to variable k. */
static void bounds_at(const Facts *facts, int k, const uint32_t *var, double *at, double *low,
                      double *high) {
    for (int j = 0; j < facts->n; j++) {
        const Poly *f = facts->at[j];
        bool ready = poly_has(f, var[k]);
        for (int i = 0; i < f->n && ready; i++)
            for (int v = 0; v < f->term[i].nvars && ready; v++) {
                int w = 0;
                while (w <= k && var[w] != f->term[i].var[v]) w++;
                ready = w <= k;
            }
        if (!ready) continue;
        at[k] = 0;
        double rest = value_at(f, k + 1, var, at);
        at[k] = 1;
        double slope = value_at(f, k + 1, var, at) - rest;
        at[k] = 2;
        if (value_at(f, k + 1, var, at) - rest != 2 * slope || slope == 0) continue;
        double bound = -rest / slope;
        if (slope > 0 && bound > *low) *low = bound;
        if (slope < 0 && bound < *high) *high = bound;
    }
}

/* A point that satisfies every fact and makes p negative? Sizes get values first, then each index
 * one within its bounds. */
static bool refuted(Proof *proof, const Poly *p, const Facts *facts, int points) {
    Facts all = *facts;
    uint32_t var[MOST_PROOF_VARS];
    int n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int j = -1; j < facts->n; j++) {
            const uint32_t *vars;
            int count = poly_vars(proof->a, j < 0 ? p : facts->at[j], &vars);
            for (int k = 0; k < count; k++) {
                if (proof->is_index(proof->user, vars[k]) != (pass == 1)) continue;
                int known = 0;
                while (known < n && var[known] != vars[k]) known++;
                if (known < n) continue;
                if (n == MOST_PROOF_VARS) return false;
                var[n++] = vars[k];
            }
        }
    uint32_t random = 12345;
    for (int point = 0; point < points; point++) {
        double at[MOST_PROOF_VARS] = {0};
        bool holds = true;
        for (int k = 0; k < n && holds; k++) {
            random = random * 1664525u + 1013904223u;
            uint32_t draw = random >> 16;
            bool size = !proof->is_index(proof->user, var[k]);
            double low = size ? 1 : -4, high = size ? 40 : 4;
            bounds_at(&all, k, var, at, &low, &high);
            low = (double)(int64_t)(low < -1e6  ? -1e6
                                    : low > 1e6 ? 1e6
                                                : low) +
                  (low > (double)(int64_t)low ? 1 : 0);
            if (size && high > low + 6) high = low + 6;
            int64_t room = high >= low ? (int64_t)(high - low > 1e6 ? 1e6 : high - low) : -1;
            if (room < 0) holds = false;
            else if (draw % 4 == 0) at[k] = low;
            else if (draw % 4 == 1) at[k] = low + (double)room;
            else at[k] = low + (double)((int64_t)(draw / 4) % (room + 1));
        }
        for (int j = 0; j < facts->n && holds; j++) holds = value_at(facts->at[j], n, var, at) >= 0;
        if (holds && value_at(p, n, var, at) < -1e-6) return true;
    }
    return false;
}

typedef struct Bounds { /* of one variable, from the facts that are linear in it */
    int nlow, nhigh;
    const Poly *low[MOST_FACTS + 1], *high[MOST_FACTS + 1];
    Facts rest;    /* the facts without it */
    Facts implied; /* rest, and each low <= each high */
} Bounds;

static void bounds_find(Proof *proof, const Facts *facts, uint32_t var, Bounds *b) {
    Arena *a = proof->a;
    b->nlow = b->nhigh = b->rest.n = 0;
    for (int j = 0; j < facts->n; j++) {
        const Poly *f = facts->at[j], *rest;
        int64_t num, den;
        if (!poly_linear(a, f, var, &num, &den, &rest)) continue;
        if (num == 0) facts_add(&b->rest, f);
        else if (num > 0) b->low[b->nlow++] = poly_scale(a, rest, -den, num);
        else b->high[b->nhigh++] = poly_scale(a, rest, den, -num);
    }
    if (!proof->is_index(proof->user, var)) b->low[b->nlow++] = poly_int(a, 1);
    b->implied = b->rest;
    for (int i = 0; i < b->nlow; i++)
        for (int j = 0; j < b->nhigh; j++)
            facts_add(&b->implied, poly_sub(a, b->high[j], b->low[i]));
}

static bool prove(Proof *proof, const Poly *p, const Facts *facts, int depth);

/* p at least p(v = bound), by monotony between bound and v, and that non-negative? The step is
 * needed only where v' lies between the bound and v (at its lower end): facts that bound v on the
 * side of the bound may fail there, so only `bound` itself is used of them; those on the other side
 * hold, one tighter. */
static bool prove_from(Proof *proof, const Poly *p, uint32_t var, const Bounds *b, bool low,
                       int which, int depth) {
    Arena *a = proof->a;
    const Poly *bound = low ? b->low[which] : b->high[which];
    const Poly *v = poly_var(a, var), *one = poly_int(a, 1);
    int64_t num;
    const Poly *step = poly_sub(a, poly_subst(a, p, var, poly_add(a, v, one)), p);
    if (!low) step = poly_neg(a, step);
    if (!poly_is_known(step) || !poly_is_known(bound)) return false;
    if (poly_is_number(step, &num, NULL)) {
        if (num < 0) return false;
    } else if (!poly_has(step, var)) { /* a straight line: the bound need not be whole, the slope is
                                          the same everywhere */
        if (!prove(proof, step, &b->implied, depth + 3)) return false;
    } else {
        if (!poly_whole(a, bound)) return false; /* steps of one must lead from it to v */
        Facts *between = arena_alloc(a, sizeof *between);
        *between = b->rest;
        facts_add(between, low ? poly_sub(a, v, bound) : poly_sub(a, poly_sub(a, bound, v), one));
        for (int k = 0; k < (low ? b->nhigh : b->nlow); k++)
            facts_add(between, low ? poly_sub(a, poly_sub(a, b->high[k], v), one)
                                   : poly_sub(a, v, b->low[k]));
        if (!prove(proof, step, between, depth + 3)) return false;
    }
    return prove(proof, poly_subst(a, p, var, bound), &b->implied, depth + 1);
}

static bool no_minus(const Poly *p) {
    for (int i = 0; i < p->n; i++)
        if (p->term[i].num < 0) return false;
    return true;
}

/* Written in variables that start at 0 (a size less 1, an index that a fact says is >= 0), has p no
 * minus? */
static bool plainly(Proof *proof, const Poly *p, const Facts *facts) {
    Arena *a = proof->a;
    const uint32_t *vars;
    int n = poly_vars(a, p, &vars), sizes = 0;
    if (n > MOST_PROOF_VARS || p->n > 24 || (p->n && p->term[0].nvars > 6)) return false;
    uint32_t size[MOST_PROOF_VARS];
    const Poly *above[MOST_PROOF_VARS];
    for (int k = 0; k < n; k++) {
        const Poly *v = poly_var(a, vars[k]);
        if (!proof->is_index(proof->user, vars[k])) {
            above[sizes] = poly_add(a, v, poly_int(a, 1));
            size[sizes++] = vars[k];
            continue;
        }
        bool known = false;
        for (int j = 0; j < facts->n && !known; j++) known = poly_equal(facts->at[j], v);
        if (!known) return false;
    }
    return no_minus(p) || no_minus(poly_subst_all(a, p, sizes, size, above));
}

static bool prove(Proof *proof, const Poly *p, const Facts *facts, int depth) {
    Arena *a = proof->a;
    int64_t num;
    if (!poly_is_known(p) || p->n > GOAL_TERMS || (p->n && p->term[0].nvars > GOAL_DEGREE))
        return false;
    proof->work -= 1 + p->n;
    if (proof->work < 0) return false;
    if (poly_is_number(p, &num, NULL) && num >= 0) return true;
    for (int k = 0; k < facts->n; k++) {
        if (poly_is_number(facts->at[k], &num, NULL) && num < 0)
            return true; /* never reached: the facts exclude each other */
        if (poly_is_number(poly_sub(a, p, facts->at[k]), &num, NULL) && num >= 0) return true;
    }
    if (plainly(proof, p, facts)) return true;
    if (depth > PROOF_DEPTH || (depth && refuted(proof, p, facts, INNER_POINTS))) return false;
    const uint32_t *vars;
    int n = poly_vars(a, p, &vars);
    Bounds *b = arena_alloc(a, sizeof *b);
    for (int pass = 0; pass < 2; pass++) /* indices before sizes: these bound those */
        for (int k = 0; k < n; k++) {
            if (proof->is_index(proof->user, vars[k]) != (pass == 0)) continue;
            bounds_find(proof, facts, vars[k], b);
            for (int i = 0; i < b->nlow; i++)
                if (prove_from(proof, p, vars[k], b, true, i, depth)) return true;
            for (int i = 0; i < b->nhigh; i++)
                if (prove_from(proof, p, vars[k], b, false, i, depth)) return true;
        }
    /* What facts about another variable say about those of p: that variable removed. */
    for (int j = facts->n - 1; j >= 0; j--) {
        const uint32_t *other;
        int count = poly_vars(a, facts->at[j], &other);
        for (int k = count - 1; k >= 0; k--) {
            if (poly_has(p, other[k]) || !proof->is_index(proof->user, other[k])) continue;
            bounds_find(proof, facts, other[k], b);
            return prove(proof, p, &b->implied, depth + 1);
        }
    }
    return false;
}

bool poly_prove(Arena *a, const Poly *p, const Poly *const *facts, int nfacts,
                PolyIsIndex *is_index, const void *user) {
    (void)a;
    int64_t num;
    if (!poly_is_known(p)) return false;
    if (poly_is_number(p, &num, NULL) && (num >= 0 || nfacts == 0)) return num >= 0;
    Proof proof = {arena_new(), is_index, user, PROOF_WORK};
    Facts *all = arena_alloc(proof.a, sizeof *all);
    for (int k = 0; k < nfacts; k++)
        if (poly_is_known(facts[k])) facts_add(all, facts[k]);
    bool proved = !refuted(&proof, p, all, POINTS) && prove(&proof, p, all, 0);
    arena_free(proof.a);
    return proved;
}
