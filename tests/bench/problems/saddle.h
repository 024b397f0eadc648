/* saddle: min over x of max over y of |x|^2 - |y|^2, both by gradient descent, one inside of the other
 * (GradBench). */
#define RESULTS 4
#define BYTES 48
#include "descent.h"
static const int n_theta = 2;
static const double theta[2] = {1, 1};
