/* B12: a recurrent network reads a text (common/letters.h) letter by letter and says what comes
 * next.
 *
 * It is trained with Adam (Kingma and Ba, 2015) on pieces of 100 letters, each of which goes on
 * from the state in which the piece before ended. The measure are bits per letter on the end of the
 * text, which it has not seen; tables of counts of single letters and of pairs are what it has to
 * beat. A smaller one is trained by L-BFGS (liblbfgs), through thousands of steps at once. */
#include "b12_recurrent.h"
#include "common/letters.h"
#include "common/minimise.h"
#include "common/rng.h"

enum {
    C = LETTERS,
    H = 64,
    MOST = 40000,
    PIECE = 100,
    ROUNDS = 8,
    TEST = 4000,
    AT_LEAST = 10000,
    SIZE = C * H + H * H + C * H + C
};

static int32_t text[MOST];
static double p[SIZE], g[SIZE], m[SIZE], v[SIZE];

/* ---- backpropagation through time, by hand --------------------------------------------------- */

enum { T = 40, TINY = 5, SMALL = C * TINY + TINY * TINY + C * TINY + C };

static double by_hand(const int32_t *x, const double *h0, const double *q, double *d) {
    const double *U = q, *R = U + C * TINY, *V = R + TINY * TINY, *b = V + C * TINY;
    double *dU = d, *dR = dU + C * TINY, *dV = dR + TINY * TINY, *db = dV + C * TINY;
    double h[T + 1][TINY], bar[T][C], back[TINY] = {0}, loss = 0;
    memset(d, 0, SMALL * sizeof *d);
    memcpy(h[0], h0, sizeof h[0]);
    for (int t = 0; t < T; t++) {
        double total = 0;
        for (int j = 0; j < TINY; j++) {
            double sum = U[x[t] * TINY + j];
            for (int k = 0; k < TINY; k++) sum += R[j * TINY + k] * h[t][k];
            h[t + 1][j] = tanh(sum);
        }
        for (int c = 0; c < C; c++) {
            double sum = b[c];
            for (int j = 0; j < TINY; j++) sum += V[c * TINY + j] * h[t + 1][j];
            total += bar[t][c] = exp(sum);
        }
        loss -= log(bar[t][x[t + 1]] / total) / T;
        for (int c = 0; c < C; c++) bar[t][c] = (bar[t][c] / total - (c == x[t + 1])) / T;
    }
    for (int t = T - 1; t >= 0; t--) {
        double now[TINY], before[TINY] = {0};
        for (int j = 0; j < TINY; j++) {
            double sum = back[j];
            for (int c = 0; c < C; c++) sum += bar[t][c] * V[c * TINY + j];
            now[j] = sum * (1 - h[t + 1][j] * h[t + 1][j]);
        }
        for (int c = 0; c < C; c++) {
            for (int j = 0; j < TINY; j++) dV[c * TINY + j] += bar[t][c] * h[t + 1][j];
            db[c] += bar[t][c];
        }
        for (int j = 0; j < TINY; j++) {
            dU[x[t] * TINY + j] += now[j];
            for (int k = 0; k < TINY; k++) {
                dR[j * TINY + k] += now[j] * h[t][k];
                before[k] += now[j] * R[j * TINY + k];
            }
        }
        memcpy(back, before, sizeof back);
    }
    return loss;
}

/* ---- training -------------------------------------------------------------------------------- */

/* Bits per letter of the last TEST letters, by counts of letters, and of letters after letters, in
 * the part before; one is added to each count. */
static void tables(int64_t train, double *single, double *pairs) {
    double one[C], two[C][C], sum[C];
    *single = *pairs = 0;
    for (int i = 0; i < C; i++) {
        one[i] = 1, sum[i] = C;
        for (int k = 0; k < C; k++) two[i][k] = 1;
    }
    for (int64_t t = 0; t < train; t++) {
        one[text[t + 1]]++, two[text[t]][text[t + 1]]++, sum[text[t]]++;
    }
    for (int64_t t = train; t < train + TEST; t++) {
        *single -= log2(one[text[t + 1]] / (double)(train + C)) / TEST;
        *pairs -= log2(two[text[t]][text[t + 1]] / sum[text[t]]) / TEST;
    }
}

/* Bits per letter of the first n by the best table of pairs that there is: of the same n. */
static double best_pairs(int n) {
    double two[C][C] = {{0}}, sum[C] = {0}, bits = 0;
    for (int t = 0; t < n; t++) two[text[t]][text[t + 1]]++, sum[text[t]]++;
    for (int t = 0; t < n; t++) bits -= log2(two[text[t]][text[t + 1]] / sum[text[t]]) / n;
    return bits;
}

int main(int argc, char **argv) {
    static double d[SMALL];
    Rng rng = {212};
    double h0[H] = {0}, last[H];
    int64_t letters = letters_read(argc, argv, text, MOST), train = letters - 1 - TEST;
    sample_true("a text of 14000 letters or more", train >= AT_LEAST);
    if (train < AT_LEAST) return sample_end();

    b12_recurrent_args a = {.T = T, .H = TINY, .C = C, .x = text, .h0 = h0};
    Flat small = flat_new(&b12_recurrent_model, &a, "loss");
    for (int i = 0; i < SMALL; i++) p[i] = 0.5 * rng_normal(&rng);
    for (int j = 0; j < TINY; j++) h0[j] = rng_uniform(&rng, -1, 1);
    double loss = flat_call(&small, p, g);
    sample_near("loss", loss, by_hand(text, h0, p, d));
    sample_near_all("gradient through 40 steps", SMALL, g, d);
    flat_free(&small);

    /* The loop stays a loop: one text of C for any length; only the states that are kept grow. */
    a.H = H;
    for (int64_t t = 10; t <= 10000; t *= 1000) {
        a.T = t;
        printf("  workspace for %lld steps: %zu bytes\n", (long long)t,
               b12_recurrent_workspace(&a));
    }

    a.T = TEST; /* the longest piece */
    Flat flat = flat_new(&b12_recurrent_model, &a, "loss");
    for (int i = 0; i < SIZE; i++) {
        int recurrent = i >= C * H && i < C * H + H * H;
        p[i] = i < SIZE - C ? rng_normal(&rng) * (recurrent ? 0.8 / sqrt(H) : 0.1) : 0;
    }
    a.last = last;
    int64_t step = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
        int64_t pieces = train / PIECE;
        memset(h0, 0, sizeof h0);
        a.T = PIECE;
        for (int64_t k = 0; k < pieces; k++) {
            a.x = text + k * PIECE;
            sum += flat_call(&flat, p, g);
            memcpy(h0, last, sizeof h0);
            step++;
            double rate = 0.004 * (1 - (double)step / (double)(ROUNDS * pieces)),
                   fade1 = 1 - pow(0.9, (double)step), fade2 = 1 - pow(0.999, (double)step);
            for (int i = 0; i < SIZE; i++) {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                p[i] -= rate * m[i] / fade1 / (sqrt(v[i] / fade2) + 1e-8);
            }
        }
        if (round % 3 == 0 || round + 1 == ROUNDS) {
            printf("  round %d: %.3f bits per letter\n", round + 1, sum / (double)pieces / log(2));
        }
    }
    double single, pairs;
    tables(train, &single, &pairs);
    a.T = TEST, a.x = text + train;
    double bits = flat_call(&flat, p, NULL) / log(2);
    printf("  test: %.3f bits per letter; by counts of letters %.3f, of pairs %.3f\n", bits, single,
           pairs);
    sample_true("a third of a bit better than pairs", bits < pairs - 0.3);
    flat_free(&flat);

    /* A smaller one by L-BFGS, which wants all of the text at once: back through LONG steps. */
    enum { LONG = 4000, H2 = 16, SIZE2 = C * H2 + H2 * H2 + C * H2 + C };
    a.H = H2, a.T = LONG, a.x = text;
    memset(h0, 0, sizeof h0);
    flat = flat_new(&b12_recurrent_model, &a, "loss");
    sample_true("the parameters are one vector", flat.n == SIZE2);
    for (int i = 0; i < SIZE2; i++) p[i] = i < SIZE2 - C ? 0.2 * rng_normal(&rng) : 0;
    int status;
    double before = flat_call(&flat, p, NULL), after = minimise(&flat, p, 3e-3, &status);
    printf(
        "  L-BFGS: %.3f bits per letter of %d, after %lld evaluations %.3f; pairs at best %.3f\n",
        before / log(2), (int)LONG, (long long)flat.calls, after / log(2), best_pairs(LONG));
    sample_true("L-BFGS came to the end", status == 0);
    sample_true("below what pairs can do at best", after / log(2) < best_pairs(LONG));
    flat_free(&flat);
    return sample_end();
}
