/* zeros: arrays that are 0 everywhere by the form of their equations. */
#ifndef GRADC_ZEROS_H
#define GRADC_ZEROS_H
#include "graph.h"

/* They are read no more, and neither are products that they are a factor of. */
void zeros_drop(Graph *g, int n, const ArrayRef *roots, bool (*asked)(const Graph *g, ArrayRef a));
#endif
