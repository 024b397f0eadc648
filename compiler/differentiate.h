/* differentiate: derivatives as new arrays of the same graph. One rule: a read T[e] with cotangent
 * ct gives T_bar[p] += sum over the indices around the read of [e = p] ct, with the bracket solved
 * for an index wherever e is affine in it. */
#ifndef GRADC_DIFFERENTIATE_H
#define GRADC_DIFFERENTIATE_H
#include "graph.h"

/* The adjoint of one array with respect to one term e. Where every use of the array stands at the
 * same place chosen by e's own indices (cam[c[p]] in grad(err[p], cam)), that place is pinned:
 * entries elsewhere are zero and are not stored. */
typedef struct Adjoint {
    ArrayRef of;
    ArrayRef array; /* 0: nothing reaches `of`, or `value` says it all */
    Ref value; /* not stored: the adjoint of entry [axes of `of`], over e's indices and of's axes */
    int ncontext; /* leading axes of `array` */
    Ref *context; /* e's indices that it depends on */
    Ref *pin;     /* per axis of `of`: 0, or the place */
} Adjoint;

/* Reverse mode: d e / d by[k], for a term e over the indices of the scope. */
void differentiate(Graph *g, Ref e, const Scope *scope, int n, const ArrayRef *by, Adjoint *result);
/* Entry [position] of an adjoint, as a term over e's indices. */
Ref adjoint_at(Graph *g, const Adjoint *a, const Ref *position);
/* The whole adjoint as an array with the axes context ..., axes of `of` ...; `name` may be NULL.
 * context lists e's indices in order. */
ArrayRef adjoint_array(Graph *g, const Adjoint *a, const Scope *context, const char *name, Span at);

/* Forward mode: the derivative of e, a term over the indices of the scope, as the arrays move
 * together; 0 where none is reached. */
Ref differentiate_along(Graph *g, Ref e, const Scope *scope, int n, const Motion *along);
#endif
