/* print: a graph as text, in the notation of the language. graph_term_text, graph_print and
 * graph_print_arrays are declared in graph.h; here is what the drawing and the driver need besides.
 */
#ifndef GRADC_PRINT_H
#define GRADC_PRINT_H
#include "graph.h"
#include "text.h"

/* The graph in two parts. Forward: what the outputs need. Gradient: what the requests need besides.
 */
typedef enum GraphPart { PART_FORWARD, PART_GRADIENT } GraphPart;
typedef struct Parts {
    Order order;   /* the arrays of both, dependencies first */
    GraphPart *of; /* by ArrayRef */
    bool *kept;    /* by ArrayRef: computed forward and read by the gradient */
} Parts;
Parts graph_parts(Graph *g);

void graph_part_text(
    Graph *g, GraphPart part,
    Text *out); /* arrays of the other part that are read: their declaration alone */
void graph_array_text(Graph *g, ArrayRef a, int width,
                      Text *out); /* its equations, or its declaration where it is given */
void graph_shape_text(Graph *g, ArrayRef a, Text *out); /* "[B, 784]"; nothing for a number */
const char *
graph_poly_text(Graph *g, const Poly *x); /* over dimensions; an index has the name of the source */
const char *graph_type_text(const Graph *g,
                            ValueType type); /* "real" for the type of the model's reals */
extern const char *const graph_reduction_text[RED_COUNT];
#endif
