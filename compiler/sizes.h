/* sizes: how long an axis probably is, where that is open. Guessed from the role of dimensions, so
 * that the same model with another length is the same text. */
#ifndef GRADC_SIZES_H
#define GRADC_SIZES_H
#include "graph.h"

typedef struct Sizes Sizes;
const Sizes *sizes_of(Graph *g);                        /* as inputs and parameters are now */
double sizes_guess(const Sizes *s, const Poly *extent); /* at least 1 */
/* The same of sizes that are fixed, or assumed by --assume, themselves. */
double sizes_best(const Sizes *s, const Poly *extent);
/* Operations of a term; *dear: some of them take many instructions, or are not known. */
double sizes_work(const Sizes *s, Ref term, bool *dear);
/* Is it known, by what is fixed and assumed? */
bool sizes_assumed(Graph *g, const Poly *extent, int64_t *value);
#endif
