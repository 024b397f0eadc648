/* C11: a mixture of Gaussians. The derivative of the log-likelihood by the log density of a part is
 * the part's responsibility r; all other gradients are sums of r times the component's own: v: sum
 * of r - N pi;  mu: sum of r (x - mu) / s^2;  log s: sum of r ((x - mu)^2 / s^2 - 1). Where these
 * sums vanish is a step of the EM algorithm, which is run at the end, and comes to where L-BFGS
 * (liblbfgs) comes to from the same start. */
#include "c11_mixture.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { N = 60, K = 3, D = 2, ROUNDS = 1000, SIZE = K + 2 * K * D };

static double x[N][D], v[K], mu[K][D], logs[K][D], duty[N][K];
static void *work;

/* For liblbfgs, which minimises: -ll, with v, mu and log s one behind the other. */
static double minus_ll(void *args, const double *p, double *g, int n, double step) {
    c11_mixture_args a = *(const c11_mixture_args *)args;
    double ll;
    (void)step;
    a.v = p, a.mu = p + K, a.logs = p + K + K * D;
    a.v_grad = g, a.mu_grad = g + K, a.logs_grad = g + K + K * D;
    a.ll = &ll, a.duty = NULL;
    sample_must("c11_mixture", c11_mixture_value_and_gradient(&a, work));
    for (int i = 0; i < n; i++) g[i] = -g[i];
    return -ll;
}

int main(void) {
    Rng rng = {41};
    const double centre[K][D] = {{-2, 0}, {2, 1}, {0, 4}};
    for (int i = 0; i < N * D; i++) x[i / D][i % D] = centre[i / D % K][i % D] + rng_normal(&rng);
    for (int i = 0; i < K * D; i++) {
        v[i / D] = 0.3 * (i / D);
        mu[i / D][i % D] = centre[i / D][i % D] + 0.8 * rng_normal(&rng);
        logs[i / D][i % D] = 0.4 * rng_normal(&rng);
    }
    double ll, dv[K], dmu[K][D], dlogs[K][D];
    c11_mixture_args a = {.N = N,
                          .K = K,
                          .D = D,
                          .x = &x[0][0],
                          .v = v,
                          .mu = &mu[0][0],
                          .logs = &logs[0][0],
                          .ll = &ll,
                          .duty = &duty[0][0],
                          .v_grad = dv,
                          .mu_grad = &dmu[0][0],
                          .logs_grad = &dlogs[0][0]};
    work = sample_workspace(c11_mixture_workspace(&a));
    sample_must("c11_mixture", c11_mixture_value_and_gradient(&a, work));

    double total = 0, want = 0, r[N][K], tv[K], tmu[K][D] = {{0}}, tlogs[K][D] = {{0}};
    for (int k = 0; k < K; k++) total += exp(v[k]);
    for (int k = 0; k < K; k++) tv[k] = -N * exp(v[k]) / total;
    for (int n = 0; n < N; n++) {
        double p = 0;
        for (int k = 0; k < K; k++) {
            r[n][k] = exp(v[k]) / total;
            for (int d = 0; d < D; d++) {
                double s = exp(logs[k][d]), u = (x[n][d] - mu[k][d]) / s;
                r[n][k] *= exp(-u * u / 2) / s / sqrt(2 * acos(-1));
            }
            p += r[n][k];
        }
        want += log(p);
        for (int k = 0; k < K; k++) {
            r[n][k] /= p;
            tv[k] += r[n][k];
            for (int d = 0; d < D; d++) {
                double s = exp(logs[k][d]), u = (x[n][d] - mu[k][d]) / s;
                tmu[k][d] += r[n][k] * u / s;
                tlogs[k][d] += r[n][k] * (u * u - 1);
            }
        }
    }
    sample_near("log-likelihood", ll, want);
    sample_near_all("responsibilities", N * K, &duty[0][0], &r[0][0]);
    sample_near_all("by v", K, dv, tv);
    sample_near_all("by mu", K * D, &dmu[0][0], &tmu[0][0]);
    sample_near_all("by log s", K * D, &dlogs[0][0], &tlogs[0][0]);

    /* By L-BFGS. */
    double *p = lbfgs_malloc(SIZE), least;
    lbfgs_parameter_t how;
    if (!p) return 1;
    memcpy(p, v, sizeof v);
    memcpy(p + K, mu, sizeof mu);
    memcpy(p + K + K * D, logs, sizeof logs);
    lbfgs_parameter_init(&how);
    how.epsilon = 1e-7;
    int status = lbfgs(SIZE, p, &least, minus_ll, NULL, &a, &how);
    sample_true("L-BFGS came to the end", status == 0);

    /* EM: with the responsibilities held, the parameters at which the gradient is 0. */
    int falls = 0;
    double before = ll, first = ll;
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < K; k++) {
            double mass = 0;
            for (int n = 0; n < N; n++) mass += duty[n][k];
            v[k] = log(mass / N);
            for (int d = 0; d < D; d++) {
                double m = 0, square = 0;
                for (int n = 0; n < N; n++) m += duty[n][k] * x[n][d] / mass;
                for (int n = 0; n < N; n++) {
                    square += duty[n][k] * (x[n][d] - m) * (x[n][d] - m) / mass;
                }
                mu[k][d] = m;
                logs[k][d] = log(square) / 2;
            }
        }
        sample_must("c11_mixture", c11_mixture_value(&a, work));
        falls += ll < before - 1e-9;
        before = ll;
    }
    printf("  log-likelihood %.4f, after %d rounds of EM %.4f\n", first, ROUNDS, ll);
    sample_true("no round of EM lowers it", falls == 0 && ll > first);
    sample_within(1e-9, "L-BFGS: the same likelihood", 1, &(double){-least}, &ll);
    sample_within(1e-6, "the same means", K * D, p + K, &mu[0][0]);
    sample_within(1e-6, "the same deviations", K * D, p + K + K * D, &logs[0][0]);
    lbfgs_free(p);
    free(work);
    return sample_end();
}
