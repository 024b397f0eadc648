/* inverse: one division in place of several by the same number. */
#ifndef GRADC_INVERSE_H
#define GRADC_INVERSE_H
#include "graph.h"

void inverse_share(Graph *g, int n, const ArrayRef *roots);
#endif
