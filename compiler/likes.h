#ifndef GRADC_LIKES_H
#define GRADC_LIKES_H
#include "graph.h"

/* likes: like terms of sums become one, in all derivatives that the roots need. */
void likes_collect(Graph *g, int n, const ArrayRef *roots);
#endif
