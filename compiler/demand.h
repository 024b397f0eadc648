/* demand: the condition under which each array is read at all. */
#ifndef GRADC_DEMAND_H
#define GRADC_DEMAND_H
#include "graph.h"

/* By array, over its axes: where some array of the order reads it; 0: everywhere, or too much to
 * say. `asked`: read from outside. */
const Ref *demand_find(Graph *g, const Order *order, bool (*asked)(const Graph *g, ArrayRef a));

/* Both conditions, either of which may be 0: what demand_find says may be weaker than the guard
 * that an array has already, and other arrays are read there only where that guard holds. */
Ref demand_narrow(Graph *g, Ref wanted, Ref guard);
#endif
