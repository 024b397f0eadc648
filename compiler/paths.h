/* paths: the arrays on differentiable paths from a term to the arrays that it is differentiated by,
 * and what is common to forward and reverse mode. */
#ifndef GRADC_PATHS_H
#define GRADC_PATHS_H
#include "graph.h"

typedef struct Paths {
    Graph *g;
    int nby;
    const ArrayRef *by;
    bool *is_by; /* by array, made when it is first asked */
    int nis_by;
    bool *active; /* by array: its value leads from e to some `by` */
    int nactive;
    int dear_from; /* equations of this order on have their operations of many instructions lifted,
                      so that equal ones are found */
    VEC(int8_t)
    leads; /* by node: 0 not known, 1 no, 2 yes: a differentiable path to an active array */
} Paths;

bool paths_is_by(Paths *s, ArrayRef a);
/* Marks the arrays that lie on a differentiable path from `root` to some `by`; definitions of `by`
 * are not followed. */
void paths_find(Paths *s, ArrayRef root);
/* Is the k-th argument of a node on a differentiable path? Positions, conditions and integers are
 * not. */
bool paths_smooth(const Graph *g, Ref r, int k);
void paths_into(Walk walk, Ref r); /* walk_into along such arguments alone */
bool paths_lead(Paths *s, Ref term);
/* Replaces shared terms and reductions below the root of each piece by reads of new arrays, to be
 * lifted in their turn. */
void paths_lift(Paths *s, ArrayRef a);

/* The box in which an array has rules: that of its pieces, where they agree on an axis. A call
 * inside of a recurrence has no value, and so no derivative, where the equation that calls does not
 * hold. */
void paths_rule_box(Graph *g, ArrayRef a, const Poly **lo, const Poly **hi);
/* Where a derivative arrives at a call of a C function: what passes it goes by the rules of the
 * array that holds it, so here it is one by an argument that has none. Says so; false for other
 * nodes. */
bool paths_refuse(Paths *s, Ref r, Span at);

/* x op y is added to the condition `all` (0: none yet), unless op is <= and what is there proves
 * it. */
void paths_require(Graph *g, Ref *all, Op op, const Poly *x, const Poly *y);
/* How many leading axes of a circle's members are the same in every read inside it; its arrays are
 * order[lo .. hi - 1]. */
int paths_steady_axes(Graph *g, const Order *order, int lo, int hi);
/* Where a rule of one's own stands for the derivative of a body, the body's arrays are made from
 * held arguments. What a derivative says in terms of them is to be differentiated again, by the
 * arguments too: it reads their twins. */
Ref paths_release(Graph *g, Ref term);
void paths_release_arrays(Graph *g, ArrayRef first); /* all that were made from there on */
/* Of prod[i if condition](body), i the last index of the scope: the product of all entries but the
 * i-th. */
Ref paths_others(Graph *g, const Scope *all, Ref condition, Ref body, Span at);
/* Of max or min[index if condition](body): where the first extreme entry is, a read of an array, so
 * that it is found once. `all`: the indices around, and what holds there; NULL: not known, no
 * array. */
Ref paths_extreme(Graph *g, const Scope *all, Reduction kind, Ref index, Ref condition, Ref body,
                  Span at);
#endif
