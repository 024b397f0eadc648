/* pick: what is read at a few places only is computed for these places. */
#ifndef GRADC_PICK_H
#define GRADC_PICK_H
#include "graph.h"

/* `asked`: arrays that are read from outside. True where something has changed. */
bool pick_entries(Graph *g, int n, const ArrayRef *roots,
                  bool (*asked)(const Graph *g, ArrayRef a));
#endif
