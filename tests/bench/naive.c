/* The value by hand, as one writes it from the formula; where a person would write the derivative too in the
 * same way, that (NAIVE_DERIVED). */
#include "contender.h"
#include <math.h>
#define REAL NUMBER
static REAL *new_reals(int n) {
    return (REAL *)malloc((size_t)n * sizeof(REAL));
}
#define free_reals free
#include NAIVE_H
static void value(void) {
    naive_value(theta, out);
}
#ifdef NAIVE_DERIVED
static void derived(void) {
    naive_derived(theta, out);
}
BENCH(open_out, value, derived, NULL, all_results, close_out);
#else
BENCH(open_out, value, NULL, NULL, value_alone, close_out);
#endif
