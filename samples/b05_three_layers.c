/* B5: three layers of weights, the squared error averaged over N examples. First the deltas of
 * backpropagation, computed layer by layer; then gradient descent, where the risk must go down. */
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

static void compare(double risk) {
    double want = 0, tU[J][I] = {{0}}, tV[K][J] = {{0}}, tW[L][K] = {{0}}, tk[N][K];
    for (int n = 0; n < N; n++) {
        double zj[J], zk[K], delta_l[L];
        for (int j = 0; j < J; j++) {
            double sum = 0;
            for (int i = 0; i < I; i++) sum += U[j][i] * x[n][i];
            zj[j] = tanh(sum);
        }
        for (int k = 0; k < K; k++) {
            double sum = 0;
            for (int j = 0; j < J; j++) sum += V[k][j] * zj[j];
            zk[k] = tanh(sum);
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
            tk[n][k] *= 1 - zk[k] * zk[k];
            for (int j = 0; j < J; j++) tV[k][j] += tk[n][k] * zj[j];
        }
        for (int j = 0; j < J; j++) {
            double delta_j = 0;
            for (int k = 0; k < K; k++) delta_j += V[k][j] * tk[n][k];
            delta_j *= 1 - zj[j] * zj[j];
            for (int i = 0; i < I; i++) tU[j][i] += delta_j * x[n][i];
        }
    }
    sample_near("risk", risk, want);
    sample_near_all("delta_k = g' * W' delta_l", N * K, &delta_k[0][0], &tk[0][0]);
    sample_near_all("by W: sum of delta_l z_k'", L * K, &dW[0][0], &tW[0][0]);
    sample_near_all("by V: sum of delta_k z_j'", K * J, &dV[0][0], &tV[0][0]);
    sample_near_all("by U: sum of delta_j x'", J * I, &dU[0][0], &tU[0][0]);
}

int main(void) {
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
    compare(risk);

    double first = risk, before = risk;
    int rises = 0;
    for (int step = 0; step < STEPS; step++) {
        descend(&U[0][0], &dU[0][0], J * I, 0.1);
        descend(&V[0][0], &dV[0][0], K * J, 0.1);
        descend(&W[0][0], &dW[0][0], L * K, 0.1);
        sample_must("b05_three_layers", b05_three_layers_value_and_gradient(&a, work));
        rises += !(risk < before);
        before = risk;
    }
    printf("  after %d steps of gradient descent the risk is %.4f, it was %.4f\n", STEPS, risk,
           first);
    sample_true("the risk went down in every step", rises == 0);
    sample_true("and in all to less than half", risk < first / 2);
    free(work);
    return sample_end();
}
