/* minimise: a model in the hands of L-BFGS, as liblbfgs has it (Okazaki, after Nocedal). */
#ifndef SAMPLES_MINIMISE_H
#define SAMPLES_MINIMISE_H
#include "flat.h"

#include <lbfgs.h>

static inline lbfgsfloatval_t minimise_call(void *flat, const lbfgsfloatval_t *x,
                                            lbfgsfloatval_t *g, int n, lbfgsfloatval_t step) {
    (void)n, (void)step;
    return flat_call(flat, x, g);
}

/* From p, which becomes the place that is found, until |gradient| is below `epsilon` max(1, |p|).
 * The value there; `*status` is 0 when it got so far. */
static inline double minimise(Flat *flat, double *p, double epsilon, int *status) {
    lbfgs_parameter_t how;
    lbfgsfloatval_t value, *x = lbfgs_malloc((int)flat->n); /* aligned as liblbfgs wants it */
    if (!x) exit(1);
    lbfgs_parameter_init(&how);
    how.epsilon = epsilon;
    how.max_linesearch = 60;
    memcpy(x, p, (size_t)flat->n * sizeof *p);
    flat->calls = 0;
    *status = lbfgs((int)flat->n, x, &value, minimise_call, NULL, flat, &how);
    memcpy(p, x, (size_t)flat->n * sizeof *p);
    lbfgs_free(x);
    return value;
}
#endif
