/* rewrite: rows of ops.rules at work on the graph: partial derivatives, constants folded, terms
 * made simpler. Each function returns a term that stands for the operation asked about, or 0 where
 * it has nothing to say. graph_op and graph_select call ops_fold and ops_rewrite for every term
 * that they build. */
#ifndef GRADC_REWRITE_H
#define GRADC_REWRITE_H
#include "ops.h"

/* The derivative of op(args), whose node is `result`, by its argument k; 0 where it is zero by
 * nature. Constants have the type of result. */
Ref ops_partial(Graph *g, Op op, int k, const Ref *args, Ref result);

/* args: simplified, and of one type. Only what gives the same bits on every machine is folded: + -
 * * / sqrt, whole powers, comparisons and the like; never exp or log, and never to NaN, to infinity
 * or over the range of int64_t. */
Ref ops_fold(Graph *g, Op op, const Ref *args, int nargs);
Ref ops_rewrite(Graph *g, Op op, const Ref *args, int nargs); /* OP_SELECT too */
#endif
