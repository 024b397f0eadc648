/* describe: the descriptor of a model, see runtime/gradc_model.h. */
#ifndef GRADC_DESCRIBE_H
#define GRADC_DESCRIBE_H
#include "graph.h"
#include "text.h"

typedef struct DescribedFunction {
    const char *name;      /* in C */
    const char *workspace; /* its workspace function, in C */
} DescribedFunction;

typedef struct Description {
    const char *prefix;
    int nfunctions;
    const DescribedFunction *functions;
    const char *(*dim)(const void *user, int k); /* the C name of a dimension in the args struct */
    const char *(*field)(const void *user, ArrayRef a); /* of an array */
    const char *(*entry)(const void *user, ArrayRef a); /* the C type of its entries */
    void (*size)(void *user, const Poly *p,
                 Text *out); /* an extent, with "a->" before dimensions */
    void *user;
} Description;

void describe_header(const Graph *g, const Description *d, Text *out);
void describe_source(Graph *g, const Description *d, Text *out);
extern const char
    *const model_types_lines[]; /* the lines of runtime/gradc_model.h (model_types.gen.c) */
#endif
