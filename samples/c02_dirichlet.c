/* C2: naive Bayes with Dirichlet priors. The most probable parameters have a closed form,
 *     p_k = (count_k + a_k - 1) / (N + sum a - K),
 * and L-BFGS (liblbfgs) finds them from the gradient. The data are drawn with seed 32. */
#include "c02_dirichlet.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { N = 300, K = 3, V = 5 };

static const double a[K] = {2, 1.5, 4}, b[V] = {1.2, 2, 2, 3, 1.5};

/* Derivative of lgamma: up to 8 by psi(x) = psi(x + 1) - 1/x, there by the asymptotic series
 * (Abramowitz and Stegun 6.3.18). */
static double psi(double x) {
    double sum = 0, r;
    for (; x < 8; x++) sum -= 1 / x;
    r = 1 / (x * x);
    return sum + log(x) - 1 / (2 * x) -
           r * (1. / 12 -
                r * (1. / 120 - r * (1. / 252 - r * (1. / 240 - r * (1. / 132 - r * (691. / 32760 -
                                                                                     r / 12))))));
}

static void softmax(int n, const double *s, double *p) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += p[i] = exp(s[i]);
    for (int i = 0; i < n; i++) p[i] /= sum;
}

int main(void) {
    Rng rng = {32};
    int32_t y[N], x[N];
    double count[K] = {0}, pair[K][V] = {{0}};
    for (int n = 0; n < N; n++) { /* class k is more frequent with k, and so is feature v = k */
        y[n] = (int32_t)(rng_below(&rng, K) | rng_below(&rng, 2)) % K;
        x[n] = (int32_t)(rng_below(&rng, 2) ? (uint32_t)y[n] : rng_below(&rng, V));
        count[y[n]]++, pair[y[n]][x[n]]++;
    }
    double s[K], u[K][V], logp[K], logq[K][V], prior, da[K], db[V], hessian[K][K];
    c02_dirichlet_args args = {
        .N = N, .K = K, .V = V, .y = y, .x = x, .a = a, .b = b, .s = s, .u = &u[0][0]};

    /* By the priors' parameters: log p_k + psi(sum a) - psi(a_k). */
    for (int k = 0; k < K; k++) s[k] = rng_normal(&rng);
    for (int i = 0; i < K * V; i++) u[i / V][i % V] = rng_normal(&rng);
    args.prior = &prior, args.a_prior_grad = da, args.b_prior_grad = db;
    void *work = sample_workspace(c02_dirichlet_gradient_prior_workspace(&args));
    sample_must("prior", c02_dirichlet_gradient_prior_value_and_gradient(&args, work));
    free(work);
    args.prior = NULL;
    double p[K], q[V], A = 0, B = 0, t_prior = 0, ta[K], tb[V];
    softmax(K, s, p);
    for (int k = 0; k < K; k++) A += a[k], logp[k] = log(p[k]);
    for (int v = 0; v < V; v++) B += b[v], tb[v] = 0;
    t_prior = lgamma(A) + K * lgamma(B);
    for (int k = 0; k < K; k++) {
        ta[k] = logp[k] + psi(A) - psi(a[k]);
        t_prior += (a[k] - 1) * logp[k] - lgamma(a[k]);
        softmax(V, u[k], q);
        for (int v = 0; v < V; v++) {
            logq[k][v] = log(q[v]);
            tb[v] += logq[k][v] + psi(B) - psi(b[v]);
            t_prior += (b[v] - 1) * logq[k][v] - lgamma(b[v]);
        }
    }
    sample_near("log prior", prior, t_prior);
    sample_near_all("by a: digamma", K, da, ta);
    sample_near_all("by b: digamma", V, db, tb);

    /* The most probable parameters. */
    Flat flat = flat_new(&c02_dirichlet_model, &args, "cost");
    double z[K + K * V];
    int status;
    for (int i = 0; i < K + K * V; i++) z[i] = rng_normal(&rng);
    double cost = minimise(&flat, z, 1e-7, &status);
    printf("  L-BFGS: %lld evaluations, cost %.6f, %s\n", (long long)flat.calls, cost,
           status ? "until no step was lower" : "until the gradient was small");
    double found[K], map[K], found_q[K][V], map_q[K][V], t_cost = -lgamma(A) - K * lgamma(B);
    softmax(K, z, found);
    for (int k = 0; k < K; k++) {
        map[k] = (count[k] + a[k] - 1) / (N + A - K);
        t_cost += lgamma(a[k]) - (count[k] + a[k] - 1) * log(map[k]);
        softmax(V, z + K + k * V, found_q[k]);
        for (int v = 0; v < V; v++) {
            map_q[k][v] = (pair[k][v] + b[v] - 1) / (count[k] + B - V);
            t_cost += lgamma(b[v]) - (pair[k][v] + b[v] - 1) * log(map_q[k][v]);
        }
    }
    sample_within(1e-6, "p: the closed form", K, found, map);
    sample_within(1e-6, "q: the closed form", K * V, &found_q[0][0], &map_q[0][0]);
    sample_near("cost there", cost, t_cost);

    /* The Hessian by s, where the gradient is 0 and elsewhere: (N + sum a - K)(diag p - p p'). */
    args.cost_s_s = &hessian[0][0], args.s = z;
    work = sample_workspace(c02_dirichlet_hessian_workspace(&args));
    sample_must("hessian", c02_dirichlet_hessian(&args, work));
    double t_hessian[K][K];
    for (int k = 0; k < K; k++) {
        for (int l = 0; l < K; l++) {
            t_hessian[k][l] = (N + A - K) * found[k] * ((k == l) - found[l]);
        }
    }
    sample_near_all("its Hessian by s", K * K, &hessian[0][0], &t_hessian[0][0]);
    free(work);
    flat_free(&flat);
    return sample_end();
}
