/* particle: a charge flies past two fixed ones; found is the place of one of them for which it ends at the
 * origin, by gradient descent through the flight, whose force is a derivative (GradBench). */
#define RESULTS 1
#define BYTES 16
#include "descent.h"
static const int n_theta = 1;
static const double theta[1] = {0};
