/* C9: several labels for each example. A network gives a score u to each label, and a learned
 * symmetric matrix Q says how labels go together: f = u + Q y, with the others' observed labels
 * (the pseudo-likelihood, Besag 1975). Q is (C + C') / 2 without its diagonal, so C's gradient is
 * symmetric too.
 *
 * The data are drawn here, with seed 39, by p(y | x) ~ exp(sum u_k y_k + sum over pairs Q_kl y_k
 * y_l) with a Q that is known. L-BFGS (liblbfgs) finds it again, and where single labels are hidden
 * in new data, knowing the others tells more about them than the features alone. */
#include "c09_labels.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { N = 3000, D = 4, H = 3, K = 5, ALL = 1 << K, SIZE = H * D + K * H + K * K, FEW = 15 };

static double x[N][D], Q[K][K];
static uint8_t y[N][K];

/* What the network computes with its matrices in one vector, and the score f with all others known.
 */
static void scores(const double *p, const double *at, double *u) {
    const double *U = p, *V = p + H * D;
    double h[H];
    for (int j = 0; j < H; j++) {
        h[j] = 0;
        for (int d = 0; d < D; d++) h[j] += U[j * D + d] * at[d];
        h[j] = tanh(h[j]);
    }
    for (int k = 0; k < K; k++) {
        u[k] = 0;
        for (int j = 0; j < H; j++) u[k] += V[k * H + j] * h[j];
    }
}

/* The probability of each set of labels, times a number. */
static void weights(const double *u, double *weight) {
    for (int code = 0; code < ALL; code++) {
        double s = 0;
        for (int k = 0; k < K; k++) {
            for (int l = 0; l <= k; l++) {
                if (code >> k & code >> l & 1) s += k == l ? u[k] : Q[k][l];
            }
        }
        weight[code] = exp(s);
    }
}

static void draw(Rng *rng, const double *p) {
    for (int n = 0; n < N; n++) {
        double u[K], weight[ALL], sum = 0;
        for (int d = 0; d < D; d++) x[n][d] = rng_normal(rng);
        scores(p, x[n], u);
        weights(u, weight);
        for (int code = 0; code < ALL; code++) sum += weight[code];
        double rest = rng_uniform(rng, 0, sum);
        int code = 0;
        while (code < ALL - 1 && rest >= weight[code]) rest -= weight[code++];
        for (int k = 0; k < K; k++) y[n][k] = code >> k & 1;
    }
}

/* The loss of the first examples and its gradient, layer by layer. */
static double by_hand(const double *p, int examples, double *g) {
    const double *V = p + H * D, *C = V + K * H;
    double *gU = g, *gV = g + H * D, *gC = gV + K * H, loss = 0;
    memset(g, 0, SIZE * sizeof *g);
    for (int n = 0; n < examples; n++) {
        double h[H], u[K], bar[K]; /* bar: the derivative by f[n, k], sigmoid(f) - y, over N */
        scores(p, x[n], u);
        for (int j = 0; j < H; j++) {
            double sum = 0;
            for (int d = 0; d < D; d++) sum += p[j * D + d] * x[n][d];
            h[j] = tanh(sum);
        }
        for (int k = 0; k < K; k++) {
            double f = u[k];
            for (int l = 0; l < K; l++) {
                if (l != k && y[n][l]) f += (C[k * K + l] + C[l * K + k]) / 2;
            }
            loss += log1p(exp(y[n][k] ? -f : f)) / examples;
            bar[k] = (1 / (1 + exp(-f)) - y[n][k]) / examples;
            for (int j = 0; j < H; j++) gV[k * H + j] += bar[k] * h[j];
            for (int l = 0; l < K; l++) {
                if (l == k || !y[n][l]) continue;
                gC[k * K + l] += bar[k] / 2;
                gC[l * K + k] += bar[k] / 2;
            }
        }
        for (int j = 0; j < H; j++) {
            double sum = 0;
            for (int k = 0; k < K; k++) sum += bar[k] * V[k * H + j];
            for (int d = 0; d < D; d++) gU[j * D + d] += sum * (1 - h[j] * h[j]) * x[n][d];
        }
    }
    return loss;
}

int main(void) {
    Rng rng = {39};
    double truth[SIZE], p[SIZE], g[SIZE], want[SIZE], found[K * K], drawn[K * K];
    for (int i = 0; i < SIZE; i++) truth[i] = rng_normal(&rng);
    for (int k = 0; k < K; k++) {
        for (int l = 0; l < k; l++) Q[k][l] = Q[l][k] = 1.5 * rng_normal(&rng);
    }
    memcpy(truth + SIZE - K * K, Q, sizeof Q);
    draw(&rng, truth);
    c09_labels_args a = {.N = N, .D = D, .H = H, .K = K, .x = &x[0][0], .y = &y[0][0]};
    Flat flat = flat_new(&c09_labels_model, &a, "loss");
    sample_true("the parameters are one vector", flat.n == SIZE);

    a.N = FEW;
    for (int i = 0; i < SIZE; i++) p[i] = rng_normal(&rng);
    double loss = flat_call(&flat, p, g);
    sample_near("loss", loss, by_hand(p, FEW, want));
    sample_near_all("gradient; by C symmetric", SIZE, g, want);
    a.N = N;

    /* Learning from the data, from small weights. */
    int status;
    for (int i = 0; i < SIZE; i++) p[i] = i < SIZE - K * K ? 0.5 * rng_normal(&rng) : 0;
    double before = flat_call(&flat, p, NULL), after = minimise(&flat, p, 1e-4, &status);
    printf("  L-BFGS: loss %.4f, after %lld evaluations %.4f; at what the data came from %.4f\n",
           before, (long long)flat.calls, after, by_hand(truth, N, want));
    sample_true("L-BFGS came to the end", status == 0);
    double worst = 0;
    for (int k = 0; k < K; k++) {
        for (int l = 0; l < K; l++) {
            const double *C = p + SIZE - K * K;
            found[k * K + l] = k == l ? 0 : (C[k * K + l] + C[l * K + k]) / 2;
            drawn[k * K + l] = Q[k][l];
            worst = fmax(worst, fabs(found[k * K + l] - Q[k][l]));
        }
    }
    for (int k = 1; k < K; k++) {
        printf("    ");
        for (int l = 0; l < k; l++) printf("%6.2f (%5.2f)", found[k * K + l], drawn[k * K + l]);
        printf("\n");
    }
    sample_true("each within 0.3 of what it was", worst < 0.3);

    /* New data, of each example one label hidden: guessed from the others by what was learned, and
     * from the features alone by what the data came from, as well as that can be done. */
    int with = 0, without = 0;
    draw(&rng, truth);
    for (int n = 0; n < N; n++) {
        int k = n % K;
        double u[K], weight[ALL], sum[2] = {0, 0};
        scores(p, x[n], u);
        for (int l = 0; l < K; l++) u[k] += y[n][l] ? found[k * K + l] : 0;
        with += (u[k] > 0) == y[n][k];
        scores(truth, x[n], u);
        weights(u, weight);
        for (int code = 0; code < ALL; code++) sum[code >> k & 1] += weight[code];
        without += (sum[1] > sum[0]) == y[n][k];
    }
    printf("  hidden labels: %.1f %% right with the others known, %.1f %% at best without\n",
           100.0 * with / N, 100.0 * without / N);
    sample_true("the others tell more", with > without + N / 50);
    flat_free(&flat);
    return sample_end();
}
