/* gather: a combination of products is made factor by factor. */
#ifndef GRADC_GATHER_H
#define GRADC_GATHER_H
#include "graph.h"

/* `asked`: arrays that are read from outside. True where something has changed. */
bool gather_factors(Graph *g, int n, const ArrayRef *roots,
                    bool (*asked)(const Graph *g, ArrayRef a));
#endif
