/* draw: a graph for other programs: a drawing for graphviz, and JSON with everything that is in it.
 */
#ifndef GRADC_DRAW_H
#define GRADC_DRAW_H
#include "graph.h"
#include "text.h"

void draw_dot(Graph *g, Text *out);  /* one node per array, forward and gradient apart */
void draw_json(Graph *g, Text *out); /* see docs/json.md */
#endif
