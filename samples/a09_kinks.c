/* A9: conditions, relu at 0, argmax, a row of a table chosen by int(u), a random draw as an input.
 * What the derivative is at a kink is a convention, written down in the language and checked here.
 */
#include "a09_kinks.h"
#include "common/sample.h"

enum { N = 7, K = 4 };

int main(void) {
    /* two zeros, the greatest entry twice, the least entry twice */
    const double x[N] = {0, 2.25, -1.5, 0, 2.25, 0.25, -1.5};
    const double table[K] = {1, -2, 4, 8}, slope[K] = {0.5, 3, -1, 2}, at[] = {1.75, -2.5, 0.25, 9};
    const double mu = 0.3, s = 1.5, eps = -0.8;
    double f, dx[N], du, dmu, ds, dtable[K], dslope[K];
    a09_kinks_args a = {.N = N,
                        .K = K,
                        .x = x,
                        .eps = eps,
                        .mu = mu,
                        .s = s,
                        .table = table,
                        .slope = slope,
                        .f = &f,
                        .x_grad = dx,
                        .u_grad = &du,
                        .mu_grad = &dmu,
                        .s_grad = &ds,
                        .table_grad = dtable,
                        .slope_grad = dslope};
    void *work = sample_workspace(a09_kinks_workspace(&a));

    for (int i = 0; i < 4; i++) {
        double u = a.u = at[i];
        int cell = (int)u < 0 ? 0 : (int)u > K - 1 ? K - 1 : (int)u;
        sample_must("a09_kinks_value_and_gradient", a09_kinks_value_and_gradient(&a, work));

        double value = 2.25 - -1.5 + table[cell] + slope[cell] * (u - cell) + mu + s * eps;
        double by_x[N], by_table[K] = {0}, by_slope[K] = {0};
        for (int n = 0; n < N; n++) {
            value += x[n] > 0 ? sqrt(x[n]) + x[n] : 0;
            by_x[n] = x[n] > 0 ? 0.5 / sqrt(x[n]) + 1 : 0; /* at 0: no infinity, and relu'(0) = 0 */
        }
        by_x[1] += 1; /* the first of the greatest */
        by_x[2] -= 1; /* the first of the least */
        by_table[cell] = 1;
        by_slope[cell] = u - cell;
        printf("  u = %g, row %d of the table\n", u, cell);
        sample_near("f", f, value);
        sample_near_all("by x, with zeros and ties", N, dx, by_x);
        sample_near("by u: the slope, int(u) counts for 0", du, slope[cell]);
        sample_near_all("by the table", K, dtable, by_table);
        sample_near_all("by the slopes", K, dslope, by_slope);
        sample_near("by mu", dmu, 1);
        sample_near("by s: the draw", ds, eps);
    }
    free(work);
    return sample_end();
}
