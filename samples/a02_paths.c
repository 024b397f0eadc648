/* A2: z depends on x through y_1 .. y_N: dz/dx is the sum over all paths of dz/dy_i dy_i/dx. In the
 * second round a_3 is 0, and so is one factor of the product: dz/da_3 must not be lost with it. */
#include "a02_paths.h"
#include "common/sample.h"

enum { N = 6 };

int main(void) {
    const double x = 0.7;
    double a[N] = {1.5, -0.4, 2.25, 1.2, 3.1, 0.9}, z, sum_of_paths, dx, da[N];
    a02_paths_args args = {.N = N,
                           .x = x,
                           .a = a,
                           .z = &z,
                           .sum_of_paths = &sum_of_paths,
                           .x_grad = &dx,
                           .a_grad = da};
    void *work = sample_workspace(a02_paths_workspace(&args));

    for (int round = 0; round < 2; round++) {
        if (round) a[3] = 0;
        sample_must("a02_paths_value_and_gradient", a02_paths_value_and_gradient(&args, work));
        double product = 1, by_x = 0, by_a[N];
        for (int i = 0; i < N; i++) {
            double others = 1; /* the product of all other factors */
            for (int j = 0; j < N; j++) others *= j == i ? 1 : sin(a[j] * x);
            product *= sin(a[i] * x);
            by_x += others * cos(a[i] * x) * a[i];
            by_a[i] = others * cos(a[i] * x) * x;
        }
        printf("  a_3 = %g\n", a[3]);
        sample_near("z", z, product);
        sample_near("dz/dx, reverse mode", dx, by_x);
        sample_near("dz/dx, summed over the paths", sum_of_paths, by_x);
        sample_near_all("dz/da", N, da, by_a);
    }
    free(work);
    return sample_end();
}
