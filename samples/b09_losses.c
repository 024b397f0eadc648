/* B9: a regularised cross entropy (L2 and L1), the mean squared error and the Kullback-Leibler
 * divergence of one linear layer; each with its gradient, and the first one also at scores of
 * +-1000, where exp alone would overflow. */
#include "b09_losses.h"
#include "common/rng.h"
#include "common/sample.h"

enum { N = 6, D = 4, K = 3 };

static double x[N][D], t[N][K], W[K][D];
static int32_t y[N];

/* All three by hand; logs of sums with the greatest score taken out. */
static void by_hand(double l2, double l1, double *value, double (*gradient)[K][D]) {
    for (int m = 0; m < 3; m++) {
        value[m] = 0;
        for (int i = 0; i < K * D; i++) gradient[m][i / D][i % D] = 0;
    }
    for (int n = 0; n < N; n++) {
        double f[K], p[K], most = -INFINITY, total = 0, mass = 0;
        for (int k = 0; k < K; k++) {
            f[k] = 0;
            for (int d = 0; d < D; d++) f[k] += W[k][d] * x[n][d];
            most = fmax(most, f[k]);
        }
        for (int k = 0; k < K; k++) total += exp(f[k] - most), mass += t[n][k];
        double lse = most + log(total);
        value[0] += (lse - f[y[n]]) / N;
        for (int k = 0; k < K; k++) {
            p[k] = exp(f[k] - lse);
            value[1] += (f[k] - t[n][k]) * (f[k] - t[n][k]) / 2 / N;
            value[2] += t[n][k] > 0 ? t[n][k] * (log(t[n][k]) - (f[k] - lse)) / N : 0;
            for (int d = 0; d < D; d++) {
                gradient[0][k][d] += (p[k] - (k == y[n])) * x[n][d] / N;
                gradient[1][k][d] += (f[k] - t[n][k]) * x[n][d] / N;
                gradient[2][k][d] += (mass * p[k] - t[n][k]) * x[n][d] / N;
            }
        }
    }
    for (int i = 0; i < K * D; i++) {
        double w = W[i / D][i % D], sign = w > 0 ? 1 : w < 0 ? -1 : 0;
        value[0] += l2 / 2 * w * w + l1 * fabs(w);
        gradient[0][i / D][i % D] += l2 * w + l1 * sign;
    }
}

int main(void) {
    Rng rng = {19};
    for (int i = 0; i < N * D; i++) x[i / D][i % D] = rng_normal(&rng);
    for (int i = 0; i < K * D; i++)
        W[i / D][i % D] = i == 5 ? 0 : rng_normal(&rng); /* abs'(0) = 0 */
    for (int n = 0; n < N; n++) {
        double total = 0;
        for (int k = 0; k < K; k++) total += t[n][k] = n == k ? 0 : rng_uniform(&rng, 0.1, 1);
        for (int k = 0; k < K; k++) t[n][k] /= total;
        y[n] = (int32_t)rng_below(&rng, K);
    }
    double risk, mse, divergence, d_risk[K * D], d_mse[K * D], d_div[K * D];
    b09_losses_args a = {.N = N,
                         .D = D,
                         .K = K,
                         .x = &x[0][0],
                         .t = &t[0][0],
                         .y = y,
                         .l2 = 0.3,
                         .l1 = 0.05,
                         .W = &W[0][0],
                         .risk = &risk,
                         .mse = &mse,
                         .div = &divergence,
                         .W_risk_grad = d_risk,
                         .W_mse_grad = d_mse,
                         .W_div_grad = d_div};
    double value[3], gradient[3][K][D];
    by_hand(a.l2, a.l1, value, gradient);

    void *work = sample_workspace(b09_losses_gradient_mse_workspace(&a));
    sample_must("mse", b09_losses_gradient_mse_value_and_gradient(&a, work));
    free(work);
    work = sample_workspace(b09_losses_gradient_div_workspace(&a));
    sample_must("div", b09_losses_gradient_div_value_and_gradient(&a, work));
    free(work);
    work = sample_workspace(b09_losses_gradient_risk_workspace(&a));
    sample_must("risk", b09_losses_gradient_risk_value_and_gradient(&a, work));
    sample_near("cross entropy with L2 and L1", risk, value[0]);
    sample_near_all("its gradient", K * D, d_risk, &gradient[0][0][0]);
    sample_near("mean squared error", mse, value[1]);
    sample_near_all("its gradient", K * D, d_mse, &gradient[1][0][0]);
    sample_near("Kullback-Leibler divergence", divergence, value[2]);
    sample_near_all("its gradient", K * D, d_div, &gradient[2][0][0]);

    for (int i = 0; i < K * D; i++) W[i / D][i % D] *= 1000;
    by_hand(a.l2, a.l1, value, gradient);
    a.mse = a.div = NULL; /* an output that nobody wants */
    sample_must("risk", b09_losses_gradient_risk_value_and_gradient(&a, work));
    printf("  at scores around +-1000\n");
    sample_near("cross entropy with L2 and L1", risk, value[0]);
    sample_near_all("its gradient", K * D, d_risk, &gradient[0][0][0]);
    free(work);
    return sample_end();
}
