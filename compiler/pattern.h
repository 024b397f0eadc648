/* pattern: sums leave out what is 0 by its form, as data decide. */
#ifndef GRADC_PATTERN_H
#define GRADC_PATTERN_H
#include "graph.h"

/* True where something has changed. */
bool pattern_sums(Graph *g, int n, const ArrayRef *roots);
#endif
