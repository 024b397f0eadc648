/* C9: several labels per example. A network gives a score u to each label, and a learned symmetric
 * matrix Q says how labels go together: f = u + Q y, with the others' observed labels (the
 * pseudo-likelihood). Q is (C + C') / 2 without its diagonal, so C's gradient is symmetric too. */
#include "c09_labels.h"
#include "common/rng.h"
#include "common/sample.h"

enum { N = 15, D = 4, H = 5, K = 4 };

static double x[N][D], U[H][D], V[K][H], C[K][K], dU[H][D], dV[K][H], dC[K][K];
static uint8_t y[N][K];

static double by_hand(double tU[H][D], double tV[K][H], double tC[K][K]) {
    double loss = 0;
    for (int n = 0; n < N; n++) {
        double h[H], bar[K]; /* bar: the derivative by f[n, k], sigmoid(f) - y, over N */
        for (int j = 0; j < H; j++) {
            double sum = 0;
            for (int d = 0; d < D; d++) sum += U[j][d] * x[n][d];
            h[j] = tanh(sum);
        }
        for (int k = 0; k < K; k++) {
            double f = 0;
            for (int j = 0; j < H; j++) f += V[k][j] * h[j];
            for (int l = 0; l < K; l++) f += l != k && y[n][l] ? (C[k][l] + C[l][k]) / 2 : 0;
            loss += log1p(exp(y[n][k] ? -f : f)) / N;
            bar[k] = (1 / (1 + exp(-f)) - y[n][k]) / N;
            for (int j = 0; j < H; j++) tV[k][j] += bar[k] * h[j];
            for (int l = 0; l < K; l++) {
                if (l != k && y[n][l]) tC[k][l] += bar[k] / 2, tC[l][k] += bar[k] / 2;
            }
        }
        for (int j = 0; j < H; j++) {
            double sum = 0;
            for (int k = 0; k < K; k++) sum += bar[k] * V[k][j];
            for (int d = 0; d < D; d++) tU[j][d] += sum * (1 - h[j] * h[j]) * x[n][d];
        }
    }
    return loss;
}

int main(void) {
    Rng rng = {39};
    for (int i = 0; i < N * D; i++) x[i / D][i % D] = rng_normal(&rng);
    for (int i = 0; i < N * K; i++) y[i / K][i % K] = (uint8_t)rng_below(&rng, 2);
    for (int i = 0; i < H * D; i++) U[i / D][i % D] = rng_normal(&rng);
    for (int i = 0; i < K * H; i++) V[i / H][i % H] = rng_normal(&rng);
    for (int i = 0; i < K * K; i++) C[i / K][i % K] = rng_normal(&rng);
    double loss, tU[H][D] = {{0}}, tV[K][H] = {{0}}, tC[K][K] = {{0}};
    c09_labels_args a = {.N = N,
                         .D = D,
                         .H = H,
                         .K = K,
                         .x = &x[0][0],
                         .y = &y[0][0],
                         .U = &U[0][0],
                         .V = &V[0][0],
                         .C = &C[0][0],
                         .loss = &loss,
                         .U_grad = &dU[0][0],
                         .V_grad = &dV[0][0],
                         .C_grad = &dC[0][0]};
    void *work = sample_workspace(c09_labels_workspace(&a));
    sample_must("c09_labels", c09_labels_value_and_gradient(&a, work));
    sample_near("loss", loss, by_hand(tU, tV, tC));
    sample_near_all("by U", H * D, &dU[0][0], &tU[0][0]);
    sample_near_all("by V", K * H, &dV[0][0], &tV[0][0]);
    sample_near_all("by C: symmetric, diagonal 0", K * K, &dC[0][0], &tC[0][0]);

    /* Ordinary descent learns which labels go together. */
    double before = loss;
    for (int step = 0; step < 100; step++) {
        for (int i = 0; i < K * K; i++) C[i / K][i % K] -= 0.3 * dC[i / K][i % K];
        sample_must("c09_labels", c09_labels_value_and_gradient(&a, work));
    }
    printf("  the loss before learning C is %.4f, after it %.4f\n", before, loss);
    sample_true("learning C lowers the loss", loss < before);
    free(work);
    return sample_end();
}
