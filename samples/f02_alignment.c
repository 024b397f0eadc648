/* F2: edit distance as probability (the stochastic transducer of Ristad and Yianilos, 1998). A pair
 * of words is written by swaps of a letter for one, by gaps on one side, and an end, each with its
 * probability; that of the pair is the sum over all alignments. The gradient by the costs is how
 * often each is expected to be used.
 *
 * It learns a writer who often hits a key beside the right one, from words and what became of them
 * (made here, with seed 51, from the words of a text), and then finds the words that were meant. */
#include "f02_alignment.h"
#include "common/letters.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { K = 26, SIZE = K * K + 2, MOST = 16, WORDS = 600, LEARN = 800, TEST = 150 };

typedef struct Word {
    int32_t letter[MOST];
    int n;
} Word;

static Word words[WORDS];
static int known;
static struct { Word meant, written; } pairs[LEARN];

static f02_alignment_args a = {.K = K};
static Flat flat;

/* ---- the writer ------------------------------------------------------------------------------ */

static Word write_down(Rng *rng, const Word *w) {
    Word out = {.n = 0};
    for (int i = 0; i < w->n; i++) {
        double what = rng_uniform(rng, 0, 1);
        if (what < 0.05) continue;
        if (what < 0.1 && out.n < MOST - 1) out.letter[out.n++] = (int32_t)rng_below(rng, K);
        out.letter[out.n++] = what > 0.8 ? letters_beside(rng, w->letter[i] + 1) - 1 : w->letter[i];
        if (out.n == MOST) break;
    }
    if (!out.n) out = *w;
    return out;
}

static void read_words(int argc, char **argv) {
    static int32_t text[40000];
    int64_t n = letters_read(argc, argv, text, 40000);
    Word w = {.n = 0};
    for (int64_t i = 0; i < n && known < WORDS; i++) {
        if (text[i]) {
            if (w.n < MOST) w.letter[w.n++] = text[i] - 1;
            continue;
        }
        int old = w.n < 4 || w.n > 12;
        for (int k = 0; k < known && !old; k++) {
            old = words[k].n == w.n &&
                  !memcmp(words[k].letter, w.letter, (size_t)w.n * sizeof *w.letter);
        }
        if (!old) words[known++] = w;
        w.n = 0;
    }
}

/* ---- the model ------------------------------------------------------------------------------- */

static double pair(const Word *from, const Word *to, const double *x, double *g) {
    a.M = from->n, a.N = to->n, a.a = from->letter, a.b = to->letter;
    return flat_call(&flat, x, g);
}

/* All pairs, for liblbfgs. The prior is as if each way to write had been seen a tenth of a time. */
static double all(void *unused, const double *x, double *g, int n, double step) {
    double sum = 0, one[SIZE];
    (void)unused, (void)step;
    memset(g, 0, (size_t)n * sizeof *g);
    a.prior = 0.1 / LEARN;
    for (int p = 0; p < LEARN; p++) {
        sum += pair(&pairs[p].meant, &pairs[p].written, x, one);
        for (int i = 0; i < n; i++) g[i] += one[i];
    }
    a.prior = 0;
    return sum;
}

/* ---- by hand --------------------------------------------------------------------------------- */

static double h_swap[K][K], h_gap, h_stop, h_swaps[K][K], h_gaps;
static int used[2 * MOST], uses;

/* All alignments of what is left from i and j, one after another: the sum of their probabilities,
 * each counted in h_swaps and h_gaps. */
static double alignments(const Word *from, const Word *to, int i, int j, double p) {
    double sum = 0;
    if (i == from->n && j == to->n) {
        p *= exp(-h_stop);
        for (int k = 0; k < uses; k++) {
            if (used[k] < 0) h_gaps += p;
            else (&h_swaps[0][0])[used[k]] += p;
        }
        return p;
    }
    if (i < from->n && j < to->n) {
        int k = from->letter[i], l = to->letter[j];
        used[uses++] = k * K + l;
        sum += alignments(from, to, i + 1, j + 1, p * exp(-h_swap[k][l]));
        uses--;
    }
    used[uses++] = -1;
    if (i < from->n) sum += alignments(from, to, i + 1, j, p * exp(-h_gap));
    if (j < to->n) sum += alignments(from, to, i, j + 1, p * exp(-h_gap));
    uses--;
    return sum;
}

static void costs(const double *x) {
    double z = 2 * K * exp(x[K * K]) + exp(x[K * K + 1]);
    for (int i = 0; i < K * K; i++) z += exp(x[i]);
    for (int i = 0; i < K * K; i++) (&h_swap[0][0])[i] = log(z) - x[i];
    h_gap = log(z) - x[K * K], h_stop = log(z) - x[K * K + 1];
}

/* The number of edits at least (Levenshtein). */
static int edits(const Word *from, const Word *to) {
    int d[MOST + 1][MOST + 1];
    for (int i = 0; i <= from->n; i++) {
        for (int j = 0; j <= to->n; j++) {
            d[i][j] = i > j ? i : j;
            if (!i || !j) continue;
            d[i][j] = d[i - 1][j - 1] + (from->letter[i - 1] != to->letter[j - 1]);
            if (d[i - 1][j] + 1 < d[i][j]) d[i][j] = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < d[i][j]) d[i][j] = d[i][j - 1] + 1;
        }
    }
    return d[from->n][to->n];
}

int main(int argc, char **argv) {
    enum { LONG = 900, SHORT = 700 };
    static int32_t from[LONG], to[SHORT];
    static double x[SIZE], g[SIZE], swaps[K][K], want[SIZE];
    double gaps;
    Rng rng = {51};
    read_words(argc, argv);
    sample_true("600 words of four letters or more", known == WORDS);
    for (int i = 0; i < LONG; i++) from[i] = (int32_t)rng_below(&rng, K);
    for (int i = 0; i < SHORT; i++) to[i] = (int32_t)rng_below(&rng, K);
    a.M = LONG, a.N = SHORT, a.a = from, a.b = to;
    flat = flat_new(&f02_alignment_model, &a, "e");
    a.swaps = &swaps[0][0], a.gaps = &gaps;

    /* Where all are as probable, alignments need only be counted: with k swaps there are
     * (M + N - k)! / k! / (M - k)! / (N - k)!. The longest such sums do not underflow. */
    double e = flat_call(&flat, x, g), top = -INFINITY, sum = 0, term[SHORT + 1];
    for (int k = 0; k <= SHORT; k++) {
        term[k] = lgamma(LONG + SHORT - k + 1) - lgamma(k + 1) - lgamma(LONG - k + 1) -
                  lgamma(SHORT - k + 1) - (LONG + SHORT - k + 1) * log(K * K + 2 * K + 1);
        top = fmax(top, term[k]);
    }
    for (int k = 0; k <= SHORT; k++) sum += exp(term[k] - top);
    sample_near("all alignments alike: -log p", e, -top - log(sum));

    /* With any costs, each letter is in a swap or in a gap. */
    for (int i = 0; i < SIZE; i++) x[i] = rng_normal(&rng);
    flat_call(&flat, x, g);
    sum = gaps;
    for (int i = 0; i < K * K; i++) sum += 2 * (&swaps[0][0])[i];
    sample_near("2 swaps + gaps: all letters", sum, LONG + SHORT);

    /* Two short words, against all 1683 alignments one by one. */
    const Word shop = {{18, 7, 14, 15, 18}, 5}, hops = {{7, 14, 15, 18, 18}, 5};
    e = pair(&shop, &hops, x, g);
    costs(x);
    double p = alignments(&shop, &hops, 0, 0, 1);
    for (int i = 0; i < K * K; i++) (&h_swaps[0][0])[i] /= p;
    h_gaps /= p;
    sample_near("-log p, one by one", e, -log(p));
    sample_near_all("swaps expected", K * K, &swaps[0][0], &h_swaps[0][0]);
    sample_near("gaps expected", gaps, h_gaps);
    for (int i = 0; i < SIZE; i++)
        want[i] = 0; /* by the scores: what is used less what is expected */
    sum = h_gaps + 1;
    for (int i = 0; i < K * K; i++) sum += (&h_swaps[0][0])[i];
    for (int i = 0; i < K * K; i++) want[i] = sum * exp(-(&h_swap[0][0])[i]) - (&h_swaps[0][0])[i];
    want[K * K] = sum * 2 * K * exp(-h_gap) - h_gaps, want[K * K + 1] = sum * exp(-h_stop) - 1;
    sample_near_all("gradient by the scores", SIZE, g, want);

    /* Learning, from words and what became of them. */
    for (int i = 0; i < LEARN; i++) {
        pairs[i].meant = words[rng_below(&rng, WORDS)];
        pairs[i].written = write_down(&rng, &pairs[i].meant);
    }
    double *q = lbfgs_malloc(SIZE), before, after, count[SIZE] = {0};
    lbfgs_parameter_t how;
    if (!q) return 1;
    for (int i = 0; i < SIZE; i++) q[i] = i < K * K && i % (K + 1) == 0 ? 3 : 0;
    before = all(NULL, q, g, SIZE, 0);
    lbfgs_parameter_init(&how);
    how.epsilon = 1e-4;
    flat.calls = 0;
    int status = lbfgs(SIZE, q, &after, all, NULL, NULL, &how);
    printf("  L-BFGS: %.3f nats for a pair, before %.3f; %lld evaluations of all pairs\n",
           after / LEARN, before / LEARN, (long long)flat.calls / LEARN);
    sample_true("L-BFGS came to the end", status == 0);

    /* There, probabilities are shares of the expected counts: one more round of expectation and
     * maximisation would change nothing. */
    costs(q);
    a.prior = 0.1 / LEARN;
    sum = 0;
    for (int i = 0; i < LEARN; i++) {
        pair(&pairs[i].meant, &pairs[i].written, q, NULL);
        for (int k = 0; k < K * K; k++) count[k] += (&swaps[0][0])[k];
        count[K * K] += gaps, count[K * K + 1] += 1 + a.prior;
    }
    a.prior = 0;
    for (int i = 0; i < SIZE; i++) sum += count[i];
    for (int i = 0; i < SIZE; i++) count[i] /= sum;
    for (int i = 0; i < K * K; i++) want[i] = exp(-(&h_swap[0][0])[i]);
    want[K * K] = 2 * K * exp(-h_gap), want[K * K + 1] = exp(-h_stop);
    sample_within(1e-4, "probabilities are shares", SIZE, want, count);

    /* New mistakes: which word was meant? */
    a.swaps = NULL, a.gaps = NULL; /* not wanted any more, so not computed */
    int right = 0, by_edits = 0;
    for (int i = 0; i < TEST; i++) {
        int meant = (int)rng_below(&rng, WORDS), best = 0, nearest = 0;
        Word seen = write_down(&rng, &words[meant]);
        double least = INFINITY;
        for (int k = 0; k < WORDS; k++) {
            double now = pair(&words[k], &seen, q, NULL);
            if (now < least) least = now, best = k;
            if (edits(&words[k], &seen) < edits(&words[nearest], &seen)) nearest = k;
        }
        right += best == meant, by_edits += nearest == meant;
        if (i < 6) {
            const Word *shown[] = {&words[meant], &seen, &words[best]};
            const char *const label[] = {"meant", "written", "read"};
            for (int k = 0; k < 3; k++) {
                printf("   %s ", label[k]);
                for (int l = 0; l < MOST; l++)
                    putchar(l < shown[k]->n ? 'a' + shown[k]->letter[l] : ' ');
            }
            printf("\n");
        }
    }
    printf("  of %d words %d are read right, by the number of edits %d\n", TEST, right, by_edits);
    sample_true("better than by the number of edits", right > by_edits);
    sample_true("17 of 20 are right", 20 * right > 17 * TEST);
    lbfgs_free(q);
    flat_free(&flat);
    return sample_end();
}
