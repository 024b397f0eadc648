/* B2: one hidden layer, a = V x, z = tanh(a), b = W z, and three costs, each with its canonical
 * link: Gaussian and identity, Bernoulli and sigmoid, categorical and softmax. In all three the
 * derivative by b is "prediction - observation"; what lies below is the same for all: dJ/dW =
 * delta_w z',  delta_v = g'(a) * W' delta_w,  dJ/dV = delta_v x'. */
#include "b02_links.h"
#include "common/rng.h"
#include "common/sample.h"

enum { D = 6, H = 4, K = 3 };

static double x[D], V[H][D], W[K][H], z[H], b[K];

/* What is the same for all three: from delta_w to the two gradients. */
static void compare(const char *name, const double *delta_w, const double *db, const double *dV,
                    const double *dW) {
    double tV[H][D], tW[K][H];
    for (int h = 0; h < H; h++) {
        double delta_v = 0;
        for (int k = 0; k < K; k++) {
            delta_v += W[k][h] * delta_w[k];
            tW[k][h] = delta_w[k] * z[h];
        }
        for (int d = 0; d < D; d++) tV[h][d] = (1 - z[h] * z[h]) * delta_v * x[d];
    }
    printf("  %s\n", name);
    sample_near_all("dJ/db = prediction - observation", K, db, delta_w);
    sample_near_all("dJ/dW = delta_w z'", K * H, dW, &tW[0][0]);
    sample_near_all("dJ/dV = delta_v x'", H * D, dV, &tV[0][0]);
}

int main(void) {
    Rng rng = {12};
    const double yg[K] = {0.5, -1, 2};
    const uint8_t yb[K] = {1, 0, 1};
    const int32_t yc = 1;
    for (int d = 0; d < D; d++) x[d] = rng_normal(&rng);
    for (int i = 0; i < H * D; i++) V[i / D][i % D] = rng_normal(&rng) / 2;
    for (int i = 0; i < K * H; i++) W[i / H][i % H] = rng_normal(&rng);
    for (int h = 0; h < H; h++) {
        double sum = 0;
        for (int d = 0; d < D; d++) sum += V[h][d] * x[d];
        z[h] = tanh(sum);
    }
    double total = 0;
    for (int k = 0; k < K; k++) {
        b[k] = 0;
        for (int h = 0; h < H; h++) b[k] += W[k][h] * z[h];
        total += exp(b[k]);
    }

    double gaussian, bernoulli, categorical, dg[K], db[K], dc[K], dV[H * D], dW[K * H], delta[K];
    b02_links_args a = {.D = D,
                        .H = H,
                        .K = K,
                        .x = x,
                        .yg = yg,
                        .yb = yb,
                        .yc = yc,
                        .V = &V[0][0],
                        .W = &W[0][0],
                        .gaussian = &gaussian,
                        .bernoulli = &bernoulli,
                        .categorical = &categorical,
                        .dg = dg,
                        .db = db,
                        .dc = dc};
    a.V_gaussian_grad = a.V_bernoulli_grad = a.V_categorical_grad = dV;
    a.W_gaussian_grad = a.W_bernoulli_grad = a.W_categorical_grad = dW;

    double cost = 0;
    void *work = sample_workspace(b02_links_workspace(&a));
    sample_must("b02_links_value", b02_links_value(&a, work));
    free(work);
    for (int k = 0; k < K; k++) cost += (b[k] - yg[k]) * (b[k] - yg[k]) / 2;
    sample_near("Gaussian cost", gaussian, cost);
    cost = 0;
    for (int k = 0; k < K; k++) cost += log1p(exp(yb[k] ? -b[k] : b[k]));
    sample_near("Bernoulli cost", bernoulli, cost);
    sample_near("categorical cost", categorical, log(total) - b[yc]);

    work = sample_workspace(b02_links_gradient_gaussian_workspace(&a));
    sample_must("Gaussian", b02_links_gradient_gaussian_value_and_gradient(&a, work));
    free(work);
    for (int k = 0; k < K; k++) delta[k] = b[k] - yg[k];
    compare("Gaussian, identity", delta, dg, dV, dW);

    work = sample_workspace(b02_links_gradient_bernoulli_workspace(&a));
    sample_must("Bernoulli", b02_links_gradient_bernoulli_value_and_gradient(&a, work));
    free(work);
    for (int k = 0; k < K; k++) delta[k] = 1 / (1 + exp(-b[k])) - yb[k];
    compare("Bernoulli, sigmoid", delta, db, dV, dW);

    work = sample_workspace(b02_links_gradient_categorical_workspace(&a));
    sample_must("categorical", b02_links_gradient_categorical_value_and_gradient(&a, work));
    free(work);
    for (int k = 0; k < K; k++) delta[k] = exp(b[k]) / total - (k == yc);
    compare("categorical, softmax", delta, dc, dV, dW);
    return sample_end();
}
