/* series: sums of powers, and of products that grow by one factor from entry to entry. */
#ifndef GRADC_SERIES_H
#define GRADC_SERIES_H
#include "graph.h"

/* x^(j + c) over an index j becomes the entry j + c of an array of powers, each of them the one
 * before times x. */
void series_powers(Graph *g, int n, const ArrayRef *roots);
/* A sum of products with such an array becomes nested products, w[0] + x * (w[1] + x * ...), where
 * then nobody reads the array, in the function or in what derivatives compute. `asked`: arrays that
 * are read from outside. */
void series_nest(Graph *g, int n, const ArrayRef *roots, bool (*asked)(const Graph *g, ArrayRef a));
/* A chain that is read by sums alone, all of them with one weight, starts as that weight. False
 * where nothing changed. */
bool series_carry(Graph *g, int n, const ArrayRef *roots,
                  bool (*asked)(const Graph *g, ArrayRef a));
/* What derivatives read of a recurrence at its end alone becomes an array of its own, so that its
 * history is not kept for them. */
void series_ends(Graph *g, int n, const ArrayRef *roots);
#endif
