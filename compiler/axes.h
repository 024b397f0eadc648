/* axes: no equation has more entries than it has values. */
#ifndef GRADC_AXES_H
#define GRADC_AXES_H
#include "graph.h"

/* Axes that an array does not depend on are dropped. What depends on an axis by data alone, as
 * f(table[chosen[p]]) does, is computed for the table, if that is less work: see docs/why.md.
 * `asked`: arrays that are read from outside. True where something has
 * changed. */
bool axes_lessen(Graph *g, int n, const ArrayRef *roots, bool (*asked)(const Graph *g, ArrayRef a));
#endif
