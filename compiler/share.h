/* share: what is computed twice becomes one array. Arrays that are equal, alone or as circles of
 * arrays that read each other, are merged; copies are read through; pieces that lie side by side
 * with one body are joined. */
#ifndef GRADC_SHARE_H
#define GRADC_SHARE_H
#include "graph.h"

typedef struct Sharing Sharing;
/* Looks at all arrays that the roots read, and changes their equations in place. An array for which
 * `fixed` says yes is not read through and not replaced by another; what it reads may be. */
Sharing *share_arrays(Graph *g, int n, const ArrayRef *roots,
                      bool (*fixed)(const Graph *g, ArrayRef a));
/* A term from outside, with its reads led to what is left. */
Ref share_term(Sharing *s, Ref term);
/* Between orders of differentiation: only what differentiation made may go. */
void share_derived(Graph *g, ArrayRef root);

/* When all derivatives are made: terms that were lifted out of equations, and are read at one
 * place, go back; sums only if they are all of a piece, or were lifted from `first_new` on. */
void share_put_back(Graph *g, int n, const ArrayRef *roots,
                    bool (*fixed)(const Graph *g, ArrayRef a), ArrayRef first_new);

/* A sum over an index, scaled or chosen perhaps: a loop nest of its own, which is not added to
 * other terms. */
bool share_is_nest(const Graph *g, Ref term);
#endif
