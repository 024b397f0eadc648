/* F3: the best path through a sequence (Viterbi), and what the derivative of its score says: where
 * the path is, and which steps it takes. The gradient of the loss, the best score less that of the
 * path that is right, moves scores from one path to the other: Collins' perceptron (2002).
 *
 * It learns to read a text (common/letters.h) by somebody who hits the key beside the right one
 * four times of ten, made here with seed 52; what comes after the learned part is the test. */
#include "f03_viterbi.h"
#include "common/flat.h"
#include "common/letters.h"
#include "common/rng.h"

/* ---- against all paths of a short sequence --------------------------------------------------- */

enum { T = 6, S = 4, V = 3 };

static void brute_force(Rng *rng, double size) {
    int32_t seen[T], y[T];
    double A[S][S], B[S][V], on[T][S], steps[S][S], best, loss;
    for (int i = 0; i < S * S; i++) (&A[0][0])[i] = size * rng_normal(rng);
    for (int i = 0; i < S * V; i++) (&B[0][0])[i] = size * rng_normal(rng);
    for (int t = 0; t < T; t++)
        seen[t] = (int32_t)rng_below(rng, V), y[t] = (int32_t)rng_below(rng, S);
    int32_t path[T];
    double gA[S][S], gB[S][V];
    f03_viterbi_args a = {.T = T,
                          .S = S,
                          .V = V,
                          .seen = seen,
                          .y = y,
                          .A = &A[0][0],
                          .B = &B[0][0],
                          .best = &best,
                          .z = path,
                          .loss = &loss,
                          .on = &on[0][0],
                          .steps = &steps[0][0],
                          .A_grad = &gA[0][0],
                          .B_grad = &gB[0][0]};
    void *work = sample_workspace(f03_viterbi_workspace(&a));
    sample_must("f03_viterbi", f03_viterbi_value_and_gradient(&a, work));

    double most = -INFINITY, said = 0, t_on[T][S] = {{0}}, t_steps[S][S] = {{0}}, tA[S][S],
           tB[S][V];
    int way[T], first[T], same = 1;
    for (int code = 0; code < 4096; code++) { /* S^T; the first of them are all 0 */
        double sum = 0;
        for (int t = T - 1, rest = code; t >= 0; t--, rest /= S) way[t] = rest % S;
        for (int t = 0; t < T; t++) sum += B[way[t]][seen[t]] + (t ? A[way[t - 1]][way[t]] : 0);
        if (sum > most) most = sum, memcpy(first, way, sizeof first);
    }
    memset(tB, 0, sizeof tB);
    for (int t = 0; t < T; t++) {
        same = same && path[t] == first[t];
        t_on[t][first[t]] = 1;
        tB[first[t]][seen[t]] += 1;
        tB[y[t]][seen[t]] -= 1;
        if (t) t_steps[first[t - 1]][first[t]] += 1;
        said += B[y[t]][seen[t]] + (t ? A[y[t - 1]][y[t]] : 0);
    }
    memcpy(tA, t_steps, sizeof tA);
    for (int t = 1; t < T; t++) tA[y[t - 1]][y[t]] -= 1;
    sample_near("best score of 4096", best, most);
    sample_true("its path", same);
    sample_near("less the score of what is right", loss, most - said);
    sample_near_all("derivative by u: where it is", T * S, &on[0][0], &t_on[0][0]);
    sample_near_all("derivative by A: its steps", S * S, &steps[0][0], &t_steps[0][0]);
    sample_near_all("gradient of the loss by A", S * S, &gA[0][0], &tA[0][0]);
    sample_near_all("gradient of the loss by B", S * V, &gB[0][0], &tB[0][0]);
    double whole = 0; /* a score is linear in the scores it adds */
    for (int t = 0; t < T; t++)
        for (int s = 0; s < S; s++) whole += on[t][s] * B[s][seen[t]];
    for (int i = 0; i < S * S; i++) whole += (&steps[0][0])[i] * (&A[0][0])[i];
    sample_near("score = derivatives times scores", whole, best);
    free(work);
}

/* ---- a damaged text -------------------------------------------------------------------------- */

enum { LEARN = 240, TEST = 60, LONG = 80, L = LETTERS, ROUNDS = 6 };

static int32_t text[(LEARN + TEST) * LONG], shown[(LEARN + TEST) * LONG], found[LONG];

static double percent(Flat *flat, f03_viterbi_args *a, const double *p) {
    int right = 0;
    a->z = found;
    for (int part = LEARN; part < LEARN + TEST; part++) {
        a->seen = shown + part * LONG, a->y = text + part * LONG;
        flat_call(flat, p, NULL);
        for (int t = 0; t < LONG; t++) right += found[t] == a->y[t];
    }
    a->z = NULL;
    return 100.0 * right / (TEST * LONG);
}

static void print(const char *label, const int32_t *letter) {
    printf("  %-6s ", label);
    for (int t = 0; t < LONG; t++) putchar(letter[t] ? 'a' + letter[t] - 1 : ' ');
    printf("\n");
}

int main(int argc, char **argv) {
    enum { ALL = (LEARN + TEST) * LONG, SIZE = L * L + L * L };
    static double p[SIZE], sum[SIZE], g[SIZE], counted[SIZE];
    Rng rng = {52};
    brute_force(&rng, 1);
    brute_force(&rng, 0); /* all paths are as good; the first one counts */

    sample_true("a text of 24000 letters", letters_read(argc, argv, text, ALL) == ALL);
    int kept = 0;
    for (int i = 0; i < ALL; i++) {
        shown[i] = rng_below(&rng, 10) < 4 ? letters_beside(&rng, text[i]) : text[i];
        kept += i >= LEARN * LONG && shown[i] == text[i];
    }
    f03_viterbi_args a = {.T = LONG, .S = L, .V = L, .seen = shown, .y = text};
    Flat flat = flat_new(&f03_viterbi_model, &a, "loss");

    /* The perceptron; what it uses in the end is the mean of all that it came by. */
    double turns = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        double loss = 0;
        for (int part = 0; part < LEARN; part++) {
            a.seen = shown + part * LONG, a.y = text + part * LONG;
            loss += flat_call(&flat, p, g);
            for (int i = 0; i < SIZE; i++) p[i] -= g[i], sum[i] += p[i];
            turns++;
        }
        printf("  round %d: loss %.2f\n", round, loss / LEARN);
    }
    for (int i = 0; i < SIZE; i++) sum[i] /= turns;
    double learned = percent(&flat, &a, sum), before = 100.0 * kept / (TEST * LONG);

    /* The same from probabilities, by counting: of a letter after another, and of what is shown for
     * it, with a tenth of a time for each beforehand. */
    for (int i = 0; i < SIZE; i++) counted[i] = 0.1;
    for (int i = 0; i < LEARN * LONG; i++) {
        if (i % LONG) counted[text[i - 1] * L + text[i]]++;
        counted[L * L + text[i] * L + shown[i]]++;
    }
    for (int r = 0; r < 2 * L; r++) {
        double all = 0;
        for (int s = 0; s < L; s++) all += counted[r * L + s];
        for (int s = 0; s < L; s++) counted[r * L + s] = log(counted[r * L + s] / all);
    }
    double probable = percent(&flat, &a, counted);
    a.seen = shown + LEARN * LONG, a.y = text + LEARN * LONG, a.z = found;
    flat_call(&flat, sum, NULL);
    print("text", a.y), print("shown", a.seen), print("read", found);
    printf("  right: %.1f %% as shown, %.1f %% as read; by the most probable path %.1f %%\n",
           before, learned, probable);
    sample_true("reads better than is shown", learned > before + 10);
    sample_true("within 3 points of the probable path", learned > probable - 3);
    flat_free(&flat);
    return sample_end();
}
