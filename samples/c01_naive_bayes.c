/* C1: naive Bayes with plates over N examples and over their features: J categorical ones with V
 * values, B yes-no ones, G Gaussian ones. At its parameters the log joint has the gradients prior:
 * count - N pi;  theta: count - (class count) softmax;  beta: sum of (x - sigmoid); mu: sum of (x -
 * mu) / s^2;  s: sum of (x - mu)^2 / s^3 - 1 / s,   sums over the class' examples. */
#include "c01_naive_bayes.h"
#include "common/rng.h"
#include "common/sample.h"

enum { N = 25, C = 3, J = 2, V = 4, B = 3, G = 2 };

static double log_normalised(const double *v, int n, int which) {
    double total = 0;
    for (int i = 0; i < n; i++) total += exp(v[i]);
    return v[which] - log(total);
}

int main(void) {
    Rng rng = {31};
    int32_t y[N], xc[N][J];
    uint8_t xb[N][B];
    double xg[N][G], prior[C], theta[C][J][V], beta[C][B], mu[C][G], s[C][G];
    for (int c = 0; c < C; c++) {
        prior[c] = rng_normal(&rng);
        for (int i = 0; i < J * V; i++) theta[c][i / V][i % V] = rng_normal(&rng);
        for (int b = 0; b < B; b++) beta[c][b] = rng_normal(&rng);
        for (int g = 0; g < G; g++)
            mu[c][g] = rng_normal(&rng), s[c][g] = rng_uniform(&rng, 0.5, 2);
    }
    for (int n = 0; n < N; n++) {
        y[n] = (int32_t)rng_below(&rng, C);
        for (int j = 0; j < J; j++) xc[n][j] = (int32_t)rng_below(&rng, V);
        for (int b = 0; b < B; b++) xb[n][b] = (uint8_t)rng_below(&rng, 2);
        for (int g = 0; g < G; g++) xg[n][g] = rng_normal(&rng);
    }
    double ll, marginal[N], posterior[N][C];
    double d_prior[C], d_theta[C][J][V], d_beta[C][B], d_mu[C][G], d_s[C][G];
    c01_naive_bayes_args a = {
        .N = N,
        .C = C,
        .J = J,
        .V = V,
        .B = B,
        .G = G,
        .y = y,
        .xc = &xc[0][0],
        .xb = &xb[0][0],
        .xg = &xg[0][0],
        .prior = prior,
        .theta = &theta[0][0][0],
        .beta = &beta[0][0],
        .mu = &mu[0][0],
        .s = &s[0][0],
        .ll = &ll,
        .marginal = marginal,
        .posterior = &posterior[0][0],
        .prior_grad = d_prior,
        .theta_grad = &d_theta[0][0][0],
        .beta_grad = &d_beta[0][0],
        .mu_grad = &d_mu[0][0],
        .s_grad = &d_s[0][0],
    };
    void *work = sample_workspace(c01_naive_bayes_workspace(&a));
    sample_must("c01_naive_bayes", c01_naive_bayes_value_and_gradient(&a, work));

    double want = 0, t_marginal[N], t_posterior[N][C], sums = 0;
    double t_prior[C], t_theta[C][J][V] = {{{0}}}, t_beta[C][B] = {{0}}, t_mu[C][G] = {{0}},
                       t_s[C][G] = {{0}};
    for (int c = 0; c < C; c++) t_prior[c] = -N * exp(log_normalised(prior, C, c));
    for (int n = 0; n < N; n++) {
        double p[C], total = 0; /* Bayes' rule with plain probabilities */
        for (int c = 0; c < C; c++) {
            p[c] = exp(log_normalised(prior, C, c));
            for (int j = 0; j < J; j++) p[c] *= exp(log_normalised(theta[c][j], V, xc[n][j]));
            for (int b = 0; b < B; b++) p[c] *= 1 / (1 + exp(xb[n][b] ? -beta[c][b] : beta[c][b]));
            for (int g = 0; g < G; g++) {
                double u = (xg[n][g] - mu[c][g]) / s[c][g];
                p[c] *= exp(-u * u / 2) / s[c][g] / sqrt(2 * acos(-1));
            }
            total += p[c];
        }
        t_marginal[n] = log(total);
        for (int c = 0; c < C; c++) t_posterior[n][c] = p[c] / total, sums += posterior[n][c] / N;

        int c = y[n];
        want += log(p[c]);
        t_prior[c] += 1;
        for (int j = 0; j < J; j++) {
            for (int v = 0; v < V; v++) {
                t_theta[c][j][v] += (v == xc[n][j]) - exp(log_normalised(theta[c][j], V, v));
            }
        }
        for (int b = 0; b < B; b++) t_beta[c][b] += xb[n][b] - 1 / (1 + exp(-beta[c][b]));
        for (int g = 0; g < G; g++) {
            double u = (xg[n][g] - mu[c][g]) / s[c][g];
            t_mu[c][g] += u / s[c][g];
            t_s[c][g] += (u * u - 1) / s[c][g];
        }
    }
    sample_near("log joint of the observed classes", ll, want);
    sample_near_all("log p(x)", N, marginal, t_marginal);
    sample_near_all("p(y | x) by Bayes' rule", N * C, &posterior[0][0], &t_posterior[0][0]);
    sample_near("mean sum of p(y | x)", sums, 1);
    sample_near_all("by the prior", C, d_prior, t_prior);
    sample_near_all("by theta (categorical)", C * J * V, &d_theta[0][0][0], &t_theta[0][0][0]);
    sample_near_all("by beta (Bernoulli)", C * B, &d_beta[0][0], &t_beta[0][0]);
    sample_near_all("by mu (Gaussian)", C * G, &d_mu[0][0], &t_mu[0][0]);
    sample_near_all("by s (Gaussian)", C * G, &d_s[0][0], &t_s[0][0]);
    free(work);
    return sample_end();
}
