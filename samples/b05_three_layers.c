/* B5: three layers of weights, the squared error averaged over N examples, with tanh, sigmoid and
 * relu. First the deltas of backpropagation, computed layer by layer; then gradient descent, where
 * the risk must go down. */
#include "b05_three_layers.h"
#include "common/rng.h"
#include "common/sample.h"

enum { N = 20, I = 3, J = 8, K = 6, L = 2, STEPS = 300 };

static double x[N][I], t[N][L], U[J][I], V[K][J], W[L][K];
static double dU[J][I], dV[K][J], dW[L][K], delta_k[N][K];

static void fill(Rng *rng, double *a, int n, double spread) {
    for (int i = 0; i < n; i++) a[i] = spread * rng_normal(rng);
}

static void descend(double *a, const double *gradient, int n, double rate) {
    for (int i = 0; i < n; i++) a[i] -= rate * gradient[i];
}

static double g(double a, int kind) {
    return kind == 0 ? tanh(a) : kind == 1 ? 1 / (1 + exp(-a)) : fmax(a, 0);
}

/* Its derivative, by its value. */
static double g_slope(double z, int kind) {
    return kind == 0 ? 1 - z * z : kind == 1 ? z * (1 - z) : z > 0;
}

static void compare(double risk, int kind) {
    double want = 0, tU[J][I] = {{0}}, tV[K][J] = {{0}}, tW[L][K] = {{0}}, tk[N][K];
    for (int n = 0; n < N; n++) {
        double zj[J], zk[K], delta_l[L];
        for (int j = 0; j < J; j++) {
            double sum = 0;
            for (int i = 0; i < I; i++) sum += U[j][i] * x[n][i];
            zj[j] = g(sum, kind);
        }
        for (int k = 0; k < K; k++) {
            double sum = 0;
            for (int j = 0; j < J; j++) sum += V[k][j] * zj[j];
            zk[k] = g(sum, kind);
        }
        for (int l = 0; l < L; l++) {
            double sum = 0;
            for (int k = 0; k < K; k++) sum += W[l][k] * zk[k];
            want += (sum - t[n][l]) * (sum - t[n][l]) / 2 / N;
            delta_l[l] = (sum - t[n][l]) / N;
            for (int k = 0; k < K; k++) tW[l][k] += delta_l[l] * zk[k];
        }
        for (int k = 0; k < K; k++) {
            tk[n][k] = 0;
            for (int l = 0; l < L; l++) tk[n][k] += W[l][k] * delta_l[l];
            tk[n][k] *= g_slope(zk[k], kind);
            for (int j = 0; j < J; j++) tV[k][j] += tk[n][k] * zj[j];
        }
        for (int j = 0; j < J; j++) {
            double delta_j = 0;
            for (int k = 0; k < K; k++) delta_j += V[k][j] * tk[n][k];
            delta_j *= g_slope(zj[j], kind);
            for (int i = 0; i < I; i++) tU[j][i] += delta_j * x[n][i];
        }
    }
    sample_near("risk", risk, want);
    sample_near_all("delta_k = g' * W' delta_l", N * K, &delta_k[0][0], &tk[0][0]);
    sample_near_all("by W: sum of delta_l z_k'", L * K, &dW[0][0], &tW[0][0]);
    sample_near_all("by V: sum of delta_k z_j'", K * J, &dV[0][0], &tV[0][0]);
    sample_near_all("by U: sum of delta_j x'", J * I, &dU[0][0], &tU[0][0]);
}

/* One kind of g, with steps of this rate. */
static void three_layers(int kind, double rate) {
    Rng rng = {15};
    fill(&rng, &x[0][0], N * I, 1);
    fill(&rng, &U[0][0], J * I, 0.6);
    fill(&rng, &V[0][0], K * J, 0.4);
    fill(&rng, &W[0][0], L * K, 0.4);
    for (int n = 0; n < N; n++) { /* two functions to learn */
        t[n][0] = sin(2 * x[n][0]) * x[n][1];
        t[n][1] = fabs(x[n][2]) - 1;
    }
    double risk;
    b05_three_layers_args a = {.N = N,
                               .I = I,
                               .J = J,
                               .K = K,
                               .L = L,
                               .kind = kind,
                               .x = &x[0][0],
                               .t = &t[0][0],
                               .U = &U[0][0],
                               .V = &V[0][0],
                               .W = &W[0][0],
                               .risk = &risk,
                               .delta_k = &delta_k[0][0],
                               .U_grad = &dU[0][0],
                               .V_grad = &dV[0][0],
                               .W_grad = &dW[0][0]};
    void *work = sample_workspace(b05_three_layers_workspace(&a));
    sample_must("b05_three_layers", b05_three_layers_value_and_gradient(&a, work));
    compare(risk, kind);

    double first = risk, before = risk;
    int rises = 0;
    for (int step = 0; step < STEPS; step++) {
        descend(&U[0][0], &dU[0][0], J * I, rate);
        descend(&V[0][0], &dV[0][0], K * J, rate);
        descend(&W[0][0], &dW[0][0], L * K, rate);
        sample_must("b05_three_layers", b05_three_layers_value_and_gradient(&a, work));
        rises += !(risk < before);
        before = risk;
    }
    printf("  after %d steps of gradient descent the risk is %.4f, it was %.4f\n", STEPS, risk,
           first);
    sample_true("the risk went down in every step", rises == 0);
    sample_true("and in all to less than 60 %", risk < 0.6 * first);
    free(work);
}

int main(void) {
    static const char *const name[] = {"tanh", "sigmoid", "relu"};
    for (int kind = 0; kind < 3; kind++) {
        printf("  %s\n", name[kind]);
        three_layers(kind, kind == 1 ? 0.3 : 0.1);
    }
    return sample_end();
}
