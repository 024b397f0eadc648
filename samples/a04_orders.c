/* A4: a chain of springs in a periodic field: force, stiffness and the third derivative of its
 * energy sum k_i cos(x_i) + sum (x_{i+1} - x_i)^4, each the gradient of the one before. */
#include "a04_orders.h"
#include "common/rng.h"
#include "common/sample.h"

#include <string.h>

enum { N = 7 };

int main(void) {
    Rng rng = {4};
    double x[N], k[N], energy, force[N], stiffness[N][N], third[N][N][N];
    for (int i = 0; i < N; i++) {
        x[i] = rng_uniform(&rng, -2, 2);
        k[i] = rng_uniform(&rng, 0.5, 2);
    }
    a04_orders_args a = {.N = N,
                         .x = x,
                         .k = k,
                         .energy = &energy,
                         .force = force,
                         .stiffness = &stiffness[0][0],
                         .third = &third[0][0][0]};
    void *work = sample_workspace(a04_orders_workspace(&a));
    sample_must("a04_orders_value", a04_orders_value(&a, work));

    /* The same by hand. force and stiffness are -d energy/dx and -d force/dx; third is d
     * stiffness/dx. */
    double e = 0, f[N], s[N][N], t[N][N][N];
    memset(s, 0, sizeof s), memset(t, 0, sizeof t);
    for (int i = 0; i < N; i++) {
        e += k[i] * cos(x[i]);
        f[i] = k[i] * sin(x[i]);
        s[i][i] = -k[i] * cos(x[i]);
        t[i][i][i] = k[i] * sin(x[i]);
    }
    for (int m = 0; m + 1 < N; m++) { /* the spring between m and m + 1 */
        double d = x[m + 1] - x[m];
        const double sign[2] = {-1, 1}; /* of d by its two ends */
        e += d * d * d * d;
        for (int p = 0; p < 2; p++) {
            f[m + p] -= 4 * d * d * d * sign[p];
            for (int q = 0; q < 2; q++) {
                s[m + p][m + q] += 12 * d * d * sign[p] * sign[q];
                for (int r = 0; r < 2; r++) {
                    t[m + p][m + q][m + r] += 24 * d * sign[p] * sign[q] * sign[r];
                }
            }
        }
    }
    sample_near("energy", energy, e);
    sample_near_all("force", N, force, f);
    sample_near_all("stiffness", N * N, &stiffness[0][0], &s[0][0]);
    sample_near_all("third derivative", N * N * N, &third[0][0][0], &t[0][0][0]);
    free(work);
    return sample_end();
}
