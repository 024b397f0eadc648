/* compose: steps of a linear recurrence that are made in stages, in one stage. */
#ifndef GRADC_COMPOSE_H
#define GRADC_COMPOSE_H
#include "graph.h"

/* Before derivatives are made, so that these go the same way back. `stays`, by array: derivatives
 * are asked for by it, so that its readers have to go on reading it. */
void compose_steps(Graph *g, int n, const ArrayRef *roots, const bool *stays);
#endif
