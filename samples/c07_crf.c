/* C7: a conditional random field over a sequence, on top of a network. Its marginals, which are
 * derivatives of log Z, are compared with sums over all labellings of a short sequence.
 *
 * Then it learns from a text (common/letters.h) whose gaps were taken out to find where words end:
 * network and field at once, by L-BFGS (liblbfgs). What comes after the learned part is the test.
 */
#include "c07_crf.h"
#include "common/letters.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { R = 2, W = 2 * R + 1, V = LETTERS };

/* ---- against brute force --------------------------------------------------------------------- */

enum { T = 7, S = 3, H = 4, FEW = 5, SMALL = W * FEW * H + H + S * H + S * S };

static void brute_force(Rng *rng) {
    int32_t letter[T + 2 * R], label[T];
    double p[SMALL], g[SMALL], u[T][S], node[T][S], pair[T - 1][S][S], logZ, score;
    for (int t = 0; t < T + 2 * R; t++) letter[t] = (int32_t)rng_below(rng, FEW);
    for (int t = 0; t < T; t++) label[t] = (int32_t)rng_below(rng, S);
    for (int i = 0; i < SMALL; i++) p[i] = rng_normal(rng);
    const double *A = p + SMALL - S * S, *A_grad = g + SMALL - S * S;
    c07_crf_args a = {.T = T,
                      .H = H,
                      .S = S,
                      .V = FEW,
                      .letter = letter,
                      .label = label,
                      .decay = 0.01,
                      .u = &u[0][0],
                      .logZ = &logZ,
                      .score = &score,
                      .node = &node[0][0],
                      .pair = &pair[0][0][0]};
    Flat flat = flat_new(&c07_crf_model, &a, "loss");
    flat_call(&flat, p, g);

    double Z = 0, t_node[T][S] = {{0}}, t_pair[T - 1][S][S] = {{{0}}}, t_score = 0,
           tA[S][S] = {{0}};
    int all = 1;
    for (int t = 0; t < T; t++) all *= S;
    for (int code = 0; code < all; code++) { /* each way to label the sequence */
        int way[T];
        double sum = 0;
        for (int t = 0, rest = code; t < T; t++, rest /= S) way[t] = rest % S;
        for (int t = 0; t < T; t++) sum += u[t][way[t]] + (t ? A[way[t - 1] * S + way[t]] : 0);
        Z += exp(sum);
        for (int t = 0; t < T; t++) {
            t_node[t][way[t]] += exp(sum);
            if (t) t_pair[t - 1][way[t - 1]][way[t]] += exp(sum);
        }
    }
    for (int t = 0; t < T; t++) {
        t_score += u[t][label[t]] + (t ? A[label[t - 1] * S + label[t]] : 0);
        if (t) tA[label[t - 1]][label[t]] -= 1. / T;
        for (int s = 0; s < S; s++) {
            t_node[t][s] /= Z;
            for (int r = 0; t && r < S; r++) {
                t_pair[t - 1][r][s] /= Z;
                tA[r][s] += t_pair[t - 1][r][s] / T;
            }
        }
    }
    sample_near("log Z: all labellings", logZ, log(Z));
    sample_near("score", score, t_score);
    sample_near_all("p(y_t)", T * S, &node[0][0], &t_node[0][0]);
    sample_near_all("p(y_t, y_t+1)", (T - 1) * S * S, &pair[0][0][0], &t_pair[0][0][0]);
    sample_near_all("by A: expected less observed", S * S, A_grad, &tA[0][0]);

    double difference[SMALL];
    for (int i = 0; i < SMALL; i++) { /* and by all parameters, through the network */
        double keep = p[i], up;
        p[i] = keep + 1e-5, up = flat_call(&flat, p, NULL);
        p[i] = keep - 1e-5, difference[i] = (up - flat_call(&flat, p, NULL)) / 2e-5;
        p[i] = keep;
    }
    sample_within(1e-8, "by all, by differences", SMALL, g, difference);
    flat_free(&flat);
}

/* ---- where words end ------------------------------------------------------------------------- */

enum {
    MOST = 40000,
    TRAIN = 14000,
    TEST = 3000,
    UNITS = 16,
    LABELS = 2,
    SIZE = W * V * UNITS + UNITS + LABELS * UNITS + LABELS * LABELS
};

static int32_t text[MOST], letter[MOST + 2 * R], label[MOST];

static void words(Rng *rng, int argc, char **argv) {
    static double p[SIZE], node[TEST][LABELS];
    int64_t all = letters_read(argc, argv, text, MOST), n = 0;
    for (int64_t i = 0; i < all; i++) {
        if (text[i]) letter[R + n] = text[i], label[n] = i + 1 < all && !text[i + 1], n++;
    }
    sample_true("a text of 17000 letters or more", n >= TRAIN + TEST);
    if (n < TRAIN + TEST) return;
    for (int i = 0; i < SIZE; i++) p[i] = 0.3 * rng_normal(rng);
    c07_crf_args a = {.T = TRAIN,
                      .H = UNITS,
                      .S = LABELS,
                      .V = V,
                      .letter = letter,
                      .label = label,
                      .decay = 1e-4};
    Flat flat = flat_new(&c07_crf_model, &a, "loss");
    int status;
    double before = flat_call(&flat, p, NULL), after = minimise(&flat, p, 1e-3, &status);
    printf("  L-BFGS: loss per letter %.4f, after %lld evaluations %.4f\n", before,
           (long long)flat.calls, after);
    sample_true("L-BFGS came to the end", status == 0);

    a.T = TEST, a.letter = letter + TRAIN, a.label = label + TRAIN, a.node = &node[0][0];
    double test = flat_call(&flat, p, NULL);
    int right = 0, ends = 0, found = 0, hit = 0;
    for (int t = 0; t < TEST; t++) {
        int guess = node[t][1] > 0.5, is = label[TRAIN + t];
        right += guess == is, ends += is, found += guess, hit += guess && is;
    }
    double f1 = 2.0 * hit / (ends + found);
    printf("  test: loss %.4f, %.2f %% right (%.2f %% by always saying no), F1 %.3f\n    ", test,
           100.0 * right / TEST, 100.0 * (TEST - ends) / TEST, f1);
    for (int t = 0; t < 70; t++) {
        printf("%c%s", 'a' - 1 + letter[R + TRAIN + t], node[t][1] > 0.5 ? " " : "");
    }
    printf("\n");
    sample_true("more than 92 % right", right > 0.92 * TEST);
    sample_true("F1 of word ends above 0.8", f1 > 0.8);
    flat_free(&flat);
}

int main(int argc, char **argv) {
    Rng rng = {37};
    brute_force(&rng);
    words(&rng, argc, argv);
    return sample_end();
}
