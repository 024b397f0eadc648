/* verify: `gradc check`. Every derivative that a graph holds is compared, at drawn points, with
 * dual numbers on the undifferentiated arrays and with differences, both by the interpreter. */
#ifndef GRADC_VERIFY_H
#define GRADC_VERIFY_H
#include "graph.h"

typedef struct VerifyOptions {
    uint64_t seed;    /* of our own generator: the same seed, the same points, anywhere */
    int points;       /* how many points are drawn; 0: as many as there are by default */
    double tolerance; /* against dual numbers, relative to the largest entry of an array; 0: 1e-9 */
    const char
        *data; /* a JSON file: an object of inputs, params and sizes by name; NULL: all is drawn */
    int nsets;
    const char *const *set; /* "x=uniform(a,b)", "x=normal(m,s)", "x=1.5"; of a dimension "N=5" */
} VerifyOptions;

enum { VERIFY_AGREES = 0, VERIFY_DIFFERS = 1, VERIFY_WRONG_USE = 2 };

/* Prints a table on `out`. VERIFY_DIFFERS also where a point cannot be found; mistakes in data and
 * options are in g->cx. */
int verify_run(Graph *g, const VerifyOptions *o, FILE *out);
#endif
