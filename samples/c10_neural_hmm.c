/* C10: a hidden Markov model whose transitions and emissions are networks, trained end to end.
 *
 * The data are made here, with seed 310. A machine has three states; at each time it sees a point
 * of the plane, drawn from the standard normal distribution. Where the product of its coordinates
 * is positive the machine goes on to the next state with probability 0.9, otherwise it stays with
 * probability 0.9. (No linear function of the point tells the two apart, so a network is needed.)
 * What one sees of a state is one of six letters, two of them likely in each state. 3000 steps to
 * learn from, 3000 to test. The machine's own probabilities tell what is possible at best. */
#include "c10_neural_hmm.h"
#include "common/minimise.h"
#include "common/rng.h"

enum {
    T = 3000,
    S = 3,
    V = 6,
    D = 2,
    H = 6,
    STARTS = 4,
    SIZE = S + S * H + V * H + H * D + H + S * S * H + S * S
};

typedef struct Run {
    double x[T][D];
    int32_t state[T], seen[T];
} Run;

static Run learn, test;
static double emit[T][S], move[T - 1][S][S], node[T][S], pair[T - 1][S][S];
static double t_node[T][S], t_pair[T - 1][S][S];

static double to_state(const double *x, int r, int s) { /* of the machine */
    return s == (r + (x[0] * x[1] > 0)) % S ? 0.9 : 0.05;
}
static double to_letter(int s, int v) {
    return v / 2 == s ? 0.4 : 0.05;
}

static int drawn(Rng *rng, int n, const double *p) {
    double u = rng_uniform(rng, 0, 1);
    int i = 0;
    while (i + 1 < n && (u -= p[i]) >= 0) i++;
    return i;
}

static void make(Rng *rng, Run *run) {
    for (int t = 0; t < T; t++) {
        double p[V];
        for (int d = 0; d < D; d++)
            run->x[t][d] = (rng_below(rng, 2) ? 1 : -1) + 0.3 * rng_normal(rng);
        for (int s = 0; s < S; s++) p[s] = t ? to_state(run->x[t], run->state[t - 1], s) : 1. / S;
        run->state[t] = drawn(rng, S, p);
        for (int v = 0; v < V; v++) p[v] = to_letter(run->state[t], v);
        run->seen[t] = drawn(rng, V, p);
    }
}

/* Forward-backward by hand, with scaled probabilities, for the logarithms in emit and move and
 * equal chances at the start, or those in `start`. Fills t_node and t_pair. */
static double forward_backward(const double *start) {
    static double f[T][S], b[T][S], scale[T];
    double logZ = 0, total = 0;
    for (int s = 0; s < S; s++) total += start ? exp(start[s]) : 1;
    for (int t = 0; t < T; t++) {
        scale[t] = 0;
        for (int s = 0; s < S; s++) {
            double in = t ? 0 : (start ? exp(start[s]) : 1) / total;
            for (int r = 0; t && r < S; r++) in += f[t - 1][r] * exp(move[t - 1][r][s]);
            scale[t] += f[t][s] = in * exp(emit[t][s]);
        }
        for (int s = 0; s < S; s++) f[t][s] /= scale[t];
        logZ += log(scale[t]);
    }
    for (int t = T - 1; t >= 0; t--) {
        for (int r = 0; r < S; r++) {
            b[t][r] = t == T - 1;
            for (int s = 0; t + 1 < T && s < S; s++) {
                double step = exp(move[t][r][s] + emit[t + 1][s]) * b[t + 1][s] / scale[t + 1];
                b[t][r] += step;
                t_pair[t][r][s] = f[t][r] * step;
            }
            t_node[t][r] = f[t][r] * b[t][r];
        }
    }
    return logZ;
}

/* How often the most probable state is the machine's, where `name` renames the states. */
static double percent(double p[T][S], const int *name) {
    int right = 0;
    for (int t = 0; t < T; t++) {
        int best = 0;
        for (int s = 1; s < S; s++) best = p[t][s] > p[t][best] ? s : best;
        right += name[best] == test.state[t];
    }
    return 100.0 * right / T;
}

int main(void) {
    static double p[SIZE], best[SIZE], g[SIZE], difference[SIZE];
    Rng rng = {310};
    make(&rng, &learn);
    make(&rng, &test);
    double logZ;
    c10_neural_hmm_args a = {.T = T,
                             .S = S,
                             .V = V,
                             .D = D,
                             .H = H,
                             .seen = learn.seen,
                             .x = &learn.x[0][0],
                             .decay = 1e-3};
    Flat flat = flat_new(&c10_neural_hmm_model, &a, "loss");
    sample_true("the parameters are one vector", flat.n == SIZE);

    /* The marginals are forward-backward's. */
    for (int i = 0; i < SIZE; i++) p[i] = rng_normal(&rng);
    a.logZ = &logZ, a.emit = &emit[0][0], a.move = &move[0][0][0];
    a.node = &node[0][0], a.pair = &pair[0][0][0];
    flat_call(&flat, p, g);
    a.logZ = a.emit = a.move = a.node = a.pair = NULL;
    sample_near("log Z", logZ, forward_backward(p)); /* the parameters begin with start */
    sample_within(1e-10, "p(state | all)", T * S, &node[0][0], &t_node[0][0]);
    sample_within(1e-10, "p(two states | all)", (T - 1) * S * S, &pair[0][0][0], &t_pair[0][0][0]);
    a.T = 100;
    flat_call(&flat, p, g);
    for (int i = 0; i < SIZE; i++) {
        double keep = p[i], up;
        p[i] = keep + 1e-5, up = flat_call(&flat, p, NULL);
        p[i] = keep - 1e-5, difference[i] = (up - flat_call(&flat, p, NULL)) / 2e-5;
        p[i] = keep;
    }
    a.T = T;
    sample_within(1e-7, "gradient of the loss, by differences", SIZE, g, difference);

    /* Learning, from a few starts. */
    double least = INFINITY;
    for (int k = 0; k < STARTS; k++) {
        int status;
        for (int i = 0; i < SIZE; i++) p[i] = 0.5 * rng_normal(&rng);
        double loss = minimise(&flat, p, 1e-4, &status);
        printf("  L-BFGS: loss %.4f after %lld evaluations\n", loss, (long long)flat.calls);
        if (loss < least) least = loss, memcpy(best, p, sizeof best);
    }

    /* On the other run, beside the machine itself. */
    a.seen = test.seen, a.x = &test.x[0][0], a.logZ = &logZ, a.node = &node[0][0];
    flat_call(&flat, best, NULL);
    for (int t = 0; t < T; t++) {
        for (int s = 0; s < S; s++) {
            emit[t][s] = log(to_letter(s, test.seen[t]));
            for (int r = 0; t && r < S; r++) {
                move[t - 1][r][s] = log(to_state(test.x[t], r, s));
            }
        }
    }
    double truth = forward_backward(NULL), right = 0;
    static const int names[6][S] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int k = 0; k < 6; k++) right = fmax(right, percent(node, names[k]));
    double most = percent(t_node, names[0]);
    printf("  test, bits per letter: %.4f, the machine itself %.4f; without a model %.4f\n",
           -logZ / T / log(2), -truth / T / log(2), log(V) / log(2));
    printf("  states that are right: %.1f %%, by the machine itself %.1f %%\n", right, most);
    sample_true("within 0.03 bits of the machine", (truth - logZ) / T / log(2) < 0.03);
    sample_true("states within 2 points of the machine", right > most - 2);
    flat_free(&flat);
    return sample_end();
}
