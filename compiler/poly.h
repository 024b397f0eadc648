/* poly: polynomials with rational coefficients over numbered variables, and proofs that one is
 * never negative. Sizes, ranges and positions are such polynomials. Immutable, canonical: equal
 * polynomials have equal terms in the same order. The checker numbers variables by Symbol, the
 * graph by the Ref of an index or a dimension; poly does not care. */
#ifndef GRADC_POLY_H
#define GRADC_POLY_H
#include "arena.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct Monomial {
    int64_t num, den;    /* coefficient, den > 0, lowest terms, num != 0 */
    const uint32_t *var; /* ascending, repeated for powers */
    int nvars;
} Monomial;
typedef struct Poly {
    int n;
    const Monomial *term; /* by falling degree, then by variables */
} Poly;

/* Arithmetic that leaves 64-bit fractions, or grows past all use, gives an unknown polynomial; it
 * spreads, equals nothing, is no number and proves nothing. Ask where a user's size comes in. */
bool poly_is_known(const Poly *x);
const Poly *poly_int(Arena *a, int64_t value);
const Poly *poly_var(Arena *a, uint32_t var);
const Poly *poly_add(Arena *a, const Poly *x, const Poly *y);
const Poly *poly_sub(Arena *a, const Poly *x, const Poly *y);
const Poly *poly_neg(Arena *a, const Poly *x);
const Poly *poly_mul(Arena *a, const Poly *x, const Poly *y);
const Poly *poly_scale(Arena *a, const Poly *x, int64_t num, int64_t den);
const Poly *poly_subst(Arena *a, const Poly *x, uint32_t var, const Poly *by);
/* All at once: variable var[k] becomes by[k]. */
const Poly *poly_subst_all(Arena *a, const Poly *x, int n, const uint32_t *var,
                           const Poly *const *by);
bool poly_equal(const Poly *x, const Poly *y);
int poly_compare(const Poly *x, const Poly *y);  /* a total order */
uint32_t poly_hash(const Poly *x);               /* equal ones have the same */
bool poly_is_int(const Poly *x, int64_t *value); /* a whole number? (value may be NULL) */
bool poly_is_number(const Poly *x, int64_t *num, int64_t *den);
bool poly_has(const Poly *x, uint32_t var);
int poly_vars(Arena *a, const Poly *x,
              const uint32_t **vars); /* ascending, each once; returns how many */
/* x = (num/den) var + rest with rest free of var? */
bool poly_linear(Arena *a, const Poly *x, uint32_t var, int64_t *num, int64_t *den,
                 const Poly **rest);
bool poly_whole(Arena *a, const Poly *x); /* an integer at every integer point? */
typedef const char *PolyName(const void *user, uint32_t var);
const char *poly_text(Arena *a, const Poly *x, PolyName *name,
                      const void *user); /* "1/2 * D * D - 1" */

/* Is p >= 0 at all integers that satisfy the facts (each a polynomial >= 0)? Variables for which
 * is_index says no are sizes, known to be >= 1. */
typedef bool PolyIsIndex(const void *user, uint32_t var);
bool poly_prove(Arena *a, const Poly *p, const Poly *const *facts, int nfacts,
                PolyIsIndex *is_index, const void *user);
#endif
