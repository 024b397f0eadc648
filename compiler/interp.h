/* interp: the value of any entry of any array of a graph, by demand, in double, and its derivatives
 * in a few directions by dual numbers. It follows the definitions and nothing else: no plan, no
 * rewriting, and the derivative of an operation is written here by hand, not taken from its row. So
 * it is the oracle for `gradc check` and for emitted code. */
#ifndef GRADC_INTERP_H
#define GRADC_INTERP_H
#include "graph.h"

enum { INTERP_WIDTH = 4 }; /* directions at once */

typedef struct Number {
    double v;               /* of a real */
    int64_t i;              /* of an int; of a bool, 0 or 1 */
    double d[INTERP_WIDTH]; /* of a real: derivatives in the seeded directions */
} Number;

typedef enum InterpStatus {
    INTERP_OK,
    /* What data can cause, as in emitted code: */
    INTERP_RANGE,                 /* a position or a conversion out of range */
    INTERP_EMPTY,                 /* max, min, argmax, argmin or mean over nothing */
    INTERP_OVERFLOW,              /* of an integer */
    INTERP_NOT_POSITIVE_DEFINITE, /* cholesky, spd_solve */
    INTERP_SINGULAR,              /* solve, inverse, logdet, triangular solves */
    INTERP_NO_END,                /* the condition of an iteration held nowhere */
    INTERP_TOO_FEW, /* turns of an iteration, for the places at which its arrays are read */
    INTERP_SIZE,    /* a negative extent, or one too large to be evaluated here */
    /* What a correct caller and a correct graph never cause: */
    INTERP_NO_DATA, /* an input that was not bound */
    INTERP_CIRCLE,  /* an entry that needs itself */
    INTERP_DEEP,    /* a term nested too deeply */
    INTERP_GUARDED, /* an entry is read for which the guard of its piece does not hold */
    INTERP_BROKEN   /* a read outside its array, two pieces for one entry of integers ... */
} InterpStatus;

typedef struct Interp Interp;

/* dims[k] is the size of Graph.dims[k]; may be NULL when no dimension is open. The graph must not
 * grow afterwards. */
Interp *interp_new(Graph *g, const int64_t *dims);
void interp_free(Interp *in);

/* Sizes; -1 with the status set where one is negative or too large. */
int64_t interp_extent(Interp *in, ArrayRef a, int axis);
int64_t interp_entries(Interp *in, ArrayRef a);
bool interp_size(Interp *in, const Poly *over_dims, int64_t *value);

/* Gives an array its entries, row-major; they are not copied. What defines the array is then not
 * looked at: its entries are variables. NULL undoes that. Ints and bools take `int`, reals `real`.
 */
void interp_bind_real(Interp *in, ArrayRef a, const double *data);
void interp_bind_int(Interp *in, ArrayRef a, const int64_t *data);

/* The entry (row-major) of a bound array gets derivative 1 in direction k < INTERP_WIDTH. */
void interp_seed(Interp *in, ArrayRef a, int64_t entry, int k);
/* The entries of a bound array have these derivatives in direction 0, which is then theirs and
 * other arrays' so moved alone. They are not copied; after interp_reset, which keeps them, it has
 * to be said again. NULL undoes it. */
void interp_move(Interp *in, ArrayRef a, const double *by);
/* Forgets all values and seeds: to be called after data changed. Bound data stay bound. */
void interp_reset(Interp *in);

/* False, with status and message set, where there is no value. A failed evaluation spoils nothing.
 */
bool interp_value(Interp *in, ArrayRef a, const int64_t *position, Number *out);
bool interp_entry(Interp *in, ArrayRef a, int64_t entry, Number *out);
/* A term whose free indices are among index[0 .. n - 1], at those values. */
bool interp_term(Interp *in, Ref term, int n, const Ref *index, const int64_t *value, Number *out);

InterpStatus interp_status(const Interp *in); /* of the last call that failed */
const char *interp_message(const Interp *in); /* what happened, and in which entry */
int64_t interp_steps(const Interp *in); /* nodes evaluated since interp_new: a measure of time */
#endif
