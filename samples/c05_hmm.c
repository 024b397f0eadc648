/* C5: a hidden Markov model. log Z comes from the forward algorithm in logarithms; its gradient by
 * the log-potentials is compared with forward-backward as Rabiner has it ("A tutorial on hidden
 * Markov models", 1989), with scaled probabilities.
 *
 * By the tables the gradient is the expected counts, so Baum and Welch's algorithm is: set each row
 * of a table to its row of the gradient, normalised. With two states on the letters of an English
 * text (common/letters.h) it finds what vowels and consonants are. */
#include "c05_hmm.h"
#include "common/letters.h"
#include "common/rng.h"
#include "common/sample.h"

enum { MOST = 20000, S = 2, V = LETTERS, SHORT = 500, ROUNDS = 200 };

static int32_t seen[MOST];
static double start[S], A[S][S], B[S][V]; /* logarithms of probabilities */
static double d_start[S], dA[S][S], dB[S][V];
static double node[SHORT][S], pair[SHORT - 1][S][S];

/* ---- forward-backward by hand ---------------------------------------------------------------- */

static double t_node[SHORT][S], t_pair[SHORT - 1][S][S], t_start[S], tA[S][S], tB[S][V];

static double forward_backward(void) {
    static double f[SHORT][S], b[SHORT][S], scale[SHORT];
    double logZ = 0;
    for (int t = 0; t < SHORT; t++) {
        for (int s = 0; s < S; s++) {
            double in = t ? 0 : exp(start[s]);
            for (int r = 0; t && r < S; r++) in += f[t - 1][r] * exp(A[r][s]);
            scale[t] += f[t][s] = in * exp(B[s][seen[t]]);
        }
        for (int s = 0; s < S; s++) f[t][s] /= scale[t];
        logZ += log(scale[t]);
    }
    for (int t = SHORT - 1; t >= 0; t--) {
        for (int r = 0; r < S; r++) {
            b[t][r] = t == SHORT - 1;
            for (int s = 0; t + 1 < SHORT && s < S; s++) {
                double step = exp(A[r][s] + B[s][seen[t + 1]]) * b[t + 1][s] / scale[t + 1];
                b[t][r] += step;
                t_pair[t][r][s] = f[t][r] * step;
                tA[r][s] += t_pair[t][r][s];
            }
            t_node[t][r] = f[t][r] * b[t][r];
            tB[r][seen[t]] += t_node[t][r];
            if (t == 0) t_start[r] = t_node[t][r];
        }
    }
    return logZ;
}

/* to = log(from / sum of from) */
static void log_of_row(int n, const double *from, double *to) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += from[i];
    for (int i = 0; i < n; i++) to[i] = log(from[i] / sum);
}

int main(int argc, char **argv) {
    Rng rng = {35};
    int64_t letters = letters_read(argc, argv, seen, MOST);
    sample_true("a text of 500 letters or more", letters >= SHORT);
    if (letters < SHORT) return sample_end();
    for (int i = 0; i < S + S * S + S * V; i++) { /* nearly uniform */
        double p = 1 + rng_uniform(&rng, 0, 0.2);
        if (i < S) start[i] = p;
        else if (i < S + S * S) A[(i - S) / S][(i - S) % S] = p;
        else B[(i - S - S * S) / V][(i - S - S * S) % V] = p;
    }
    log_of_row(S, start, start);
    for (int s = 0; s < S; s++) log_of_row(S, A[s], A[s]), log_of_row(V, B[s], B[s]);

    double logZ;
    c05_hmm_args a = {.T = letters,
                      .S = S,
                      .V = V,
                      .seen = seen,
                      .start = start,
                      .A = &A[0][0],
                      .B = &B[0][0],
                      .logZ = &logZ,
                      .start_grad = d_start,
                      .A_grad = &dA[0][0],
                      .B_grad = &dB[0][0]};
    void *work = sample_workspace(c05_hmm_workspace(&a)); /* for the whole text, so for less too */

    a.T = SHORT, a.node = &node[0][0], a.pair = &pair[0][0][0];
    sample_must("c05_hmm", c05_hmm_value_and_gradient(&a, work));
    a.T = letters, a.node = a.pair = NULL; /* these would be computed in each round below */
    sample_near("log Z", logZ, forward_backward());
    sample_near_all("p(state | text)", SHORT * S, &node[0][0], &t_node[0][0]);
    sample_near_all("p(two states | text)", (SHORT - 1) * S * S, &pair[0][0][0], &t_pair[0][0][0]);
    sample_near_all("by start", S, d_start, t_start);
    sample_near_all("by A: expected moves", S * S, &dA[0][0], &tA[0][0]);
    sample_near_all("by B: expected letters", S * V, &dB[0][0], &tB[0][0]);

    /* Baum and Welch. */
    int falls = 0;
    double first = 0, before = -INFINITY;
    for (int round = 0; round <= ROUNDS; round++) {
        sample_must("c05_hmm", c05_hmm_value_and_gradient(&a, work));
        if (round == 0) first = logZ;
        falls += logZ < before - 1e-9 * fabs(logZ);
        before = logZ;
        log_of_row(S, d_start, start);
        for (int s = 0; s < S; s++) log_of_row(S, dA[s], A[s]), log_of_row(V, dB[s], B[s]);
    }
    printf("  %lld letters; bits per letter %.4f, after %d rounds %.4f\n", (long long)letters,
           -first / (double)letters / log(2), ROUNDS, -logZ / (double)letters / log(2));
    sample_true("log Z never falls", falls == 0 && logZ > first);

    /* Which letters each state stands for; more than half of a letter's expected count decides. */
    char of[S][V + 1] = {"", ""};
    for (int s = 0; s < S; s++) {
        int n = 0;
        for (int v = 0; v < V; v++) {
            if (dB[s][v] > dB[1 - s][v]) of[s][n++] = v ? (char)('a' - 1 + v) : '_';
        }
        printf("  state %d: %s\n", s, of[s]);
    }
    int vowels = dB[1][5] > dB[0][5]; /* where e is */
    int together = 1;
    for (const char *c = "aeio_"; *c; c++) {
        int v = *c == '_' ? 0 : *c - 'a' + 1;
        together &= dB[vowels][v] > 9 * dB[1 - vowels][v];
    }
    for (const char *c = "bcdfglmnrstv"; *c; c++) {
        int v = *c - 'a' + 1;
        together &= dB[1 - vowels][v] > 4 * dB[vowels][v];
    }
    sample_true("one is vowels and gaps, one consonants", together);
    free(work);
    return sample_end();
}
