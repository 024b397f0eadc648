/* contract: sums of products of several factors, taken two at a time in a good order. */
#ifndef GRADC_CONTRACT_H
#define GRADC_CONTRACT_H
#include "graph.h"

/* A sum of the source, before derivatives are made: these go the same way back. */
Ref contract_order(Graph *g, Ref sum);
/* All arrays that the roots read, with all derivatives made; factors that are arrays of nobody else
 * are looked through, and sums inside of sums become arrays where they are the same for several
 * turns around them. False where nothing changed. `asked`: an array for somebody outside. */
bool contract_arrays(Graph *g, int n, const ArrayRef *roots,
                     bool (*asked)(const Graph *g, ArrayRef a));
#endif
