/* C6: a directed Gaussian network, x_i = mu_i + sum_{j < i} W_ij (x_j - mu_j) + s_i z_i, and the dense
 * Gaussian that it equals. Three routes to one log density: link by link; by the covariance matrix
 * S = (1 - W)^-1 diag(s^2) (1 - W)^-T with `solve` and `logdet`; by its Cholesky factor and two
 * triangular solves. All three have the gradients z_i d_j / s_i by W_ij, (z_i^2 - 1) / s_i by s_i, and
 * S^-1 (x - mu) by mu, which `v` is too. In the end a matrix that is singular gives a status. */
#include "c06_gaussian.h"
#include "common/rng.h"
#include "common/sample.h"
#include <gradc.h>

enum { N = 6 };

int main(void) {
    Rng rng = {6};
    double x[N], mu[N], W[N][N], s[N], lp, dense, again, v[N];
    double mu_1[N], W_1[N][N], s_1[N], mu_2[N], W_2[N][N], s_2[N], mu_3[N], W_3[N][N], s_3[N];
    for (int i = 0; i < N; i++) {
        x[i] = 2 * rng_normal(&rng);
        mu[i] = rng_normal(&rng);
        s[i] = rng_uniform(&rng, 0.5, 1.5);
        for (int j = 0; j < N; j++) W[i][j] = 0.6 * rng_normal(&rng); /* used below the diagonal */
    }
    c06_gaussian_args a = {.N = N,
                           .x = x,
                           .mu = mu,
                           .W = &W[0][0],
                           .s = s,
                           .lp = &lp,
                           .dense = &dense,
                           .again = &again,
                           .v = v,
                           .mu_lp_grad = mu_1,
                           .W_lp_grad = &W_1[0][0],
                           .s_lp_grad = s_1,
                           .mu_dense_grad = mu_2,
                           .W_dense_grad = &W_2[0][0],
                           .s_dense_grad = s_2,
                           .mu_again_grad = mu_3,
                           .W_again_grad = &W_3[0][0],
                           .s_again_grad = s_3};
    size_t size = c06_gaussian_gradient_lp_workspace(&a);
    size_t more = c06_gaussian_gradient_dense_workspace(&a);
    size_t most = c06_gaussian_gradient_again_workspace(&a);
    size = more > size ? more : size;
    void *work = sample_workspace(most > size ? most : size);
    sample_must("lp", c06_gaussian_gradient_lp_value_and_gradient(&a, work));
    sample_must("dense", c06_gaussian_gradient_dense_value_and_gradient(&a, work));
    sample_must("again", c06_gaussian_gradient_again_value_and_gradient(&a, work));

    double z[N], want = 0, by_mu[N], by_W[N][N] = {{0}}, by_s[N];
    for (int i = 0; i < N; i++) {
        z[i] = x[i] - mu[i];
        for (int j = 0; j < i; j++) z[i] -= W[i][j] * (x[j] - mu[j]);
        z[i] /= s[i];
        want -= z[i] * z[i] / 2 + log(s[i]) + log(2 * acos(-1)) / 2;
    }
    for (int i = 0; i < N; i++) {
        by_mu[i] = z[i] / s[i];
        by_s[i] = (z[i] * z[i] - 1) / s[i];
        for (int k = i + 1; k < N; k++) by_mu[i] -= z[k] * W[k][i] / s[k];
        for (int j = 0; j < i; j++) by_W[i][j] = z[i] * (x[j] - mu[j]) / s[i];
    }
    sample_near("log density, link by link", lp, want);
    sample_near("by solve and logdet", dense, want);
    sample_near("by cholesky", again, want);
    sample_near_all("S^-1 (x - mu)", N, v, by_mu);
    sample_near_all("by mu, link by link", N, mu_1, by_mu);
    sample_near_all("by W", N * N, &W_1[0][0], &by_W[0][0]);
    sample_near_all("by s", N, s_1, by_s);
    sample_near_all("by mu, through solve and logdet", N, mu_2, by_mu);
    sample_near_all("by W", N * N, &W_2[0][0], &by_W[0][0]);
    sample_near_all("by s", N, s_2, by_s);
    sample_near_all("by mu, through cholesky", N, mu_3, by_mu);
    sample_near_all("by W", N * N, &W_3[0][0], &by_W[0][0]);
    sample_near_all("by s", N, s_3, by_s);

    for (int i = 0; i < N; i++) s[i] = 0; /* then S has no inverse */
    int status = c06_gaussian_value(&a, work);
    printf("  with s = 0: %s\n", gradc_status_text(status));
    sample_true("that is a status", status == GRADC_SINGULAR);
    free(work);
    return sample_end();
}
