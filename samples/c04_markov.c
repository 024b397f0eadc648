/* C4: Markov chains of first and second order. The log-likelihood has the gradient
 *     count(r, s) - count(r) p(s | r)
 * by the logits, so it is greatest where p is the table of relative counts, and there L-BFGS
 * (liblbfgs) comes to. */
#include "c04_markov.h"
#include "common/minimise.h"
#include "common/rng.h"

enum { T = 1000, S = 3 };

static double start[S], A[S][S], A2[S][S][S];
static double count[S][S], count2[S][S][S];

/* want[s] = counts[s] - (sum of counts) softmax(logits)[s] */
static void by_counts(const double *logits, const double *counts, double *want) {
    double total = 0, all = 0;
    for (int s = 0; s < S; s++) total += exp(logits[s]), all += counts[s];
    for (int s = 0; s < S; s++) want[s] = counts[s] - all * exp(logits[s]) / total;
}

static double log_p(const double *logits, int s) {
    double total = 0;
    for (int r = 0; r < S; r++) total += exp(logits[r]);
    return logits[s] - log(total);
}

static void *work1, *work2; /* for the gradients of the first and of the second order */

/* For liblbfgs, which minimises: the log-likelihood of first order by A, negated. */
static double minus_first(void *args, const double *logits, double *g, int n, double step) {
    c04_markov_args a = *(const c04_markov_args *)args;
    double first;
    (void)step;
    a.A = logits, a.A_first_grad = g, a.start_first_grad = NULL, a.first = &first;
    sample_must("first", c04_markov_gradient_first_value_and_gradient(&a, work1));
    for (int i = 0; i < n; i++) g[i] = -g[i];
    return -first;
}

int main(void) {
    Rng rng = {34};
    int32_t z[T];
    for (int t = 0; t < T; t++) { /* a chain that tends to go on to the next state */
        z[t] =
            t && rng_uniform(&rng, 0, 1) < 0.5 ? (z[t - 1] + 1) % S : (int32_t)rng_below(&rng, S);
        if (t > 0) count[z[t - 1]][z[t]]++;
        if (t > 1) count2[z[t - 2]][z[t - 1]][z[t]]++;
    }
    for (int i = 0; i < S; i++) start[i] = rng_normal(&rng);
    for (int i = 0; i < S * S; i++) A[i / S][i % S] = rng_normal(&rng);
    for (int i = 0; i < S * S * S; i++) A2[i / S / S][i / S % S][i % S] = rng_normal(&rng);

    double first, second, d_start[S], dA[S][S], dA2[S][S][S];
    c04_markov_args a = {.T = T,
                         .S = S,
                         .z = z,
                         .start = start,
                         .A = &A[0][0],
                         .A2 = &A2[0][0][0],
                         .first = &first,
                         .second = &second,
                         .start_first_grad = d_start,
                         .A_first_grad = &dA[0][0],
                         .A2_second_grad = &dA2[0][0][0]};
    work1 = sample_workspace(c04_markov_gradient_first_workspace(&a));
    work2 = sample_workspace(c04_markov_gradient_second_workspace(&a));
    double best1 = 0, best2 = 0;

    for (int round = 0; round < 2; round++) {
        if (round) {
            printf("  the logits are the logarithms of the counts\n");
            for (int i = 0; i < S * S; i++) A[i / S][i % S] = log(count[i / S][i % S]);
            for (int i = 0; i < S * S * S; i++) {
                A2[i / S / S][i / S % S][i % S] = log(count2[i / S / S][i / S % S][i % S]);
            }
        }
        double t_first = log_p(start, z[0]), t_second = 0, one[S] = {0}, t_start[S], tA[S][S],
               tA2[S][S][S];
        one[z[0]] = 1;
        by_counts(start, one, t_start);
        for (int r = 0; r < S; r++) {
            by_counts(A[r], count[r], tA[r]);
            for (int q = 0; q < S; q++) by_counts(A2[q][r], count2[q][r], tA2[q][r]);
            for (int s = 0; s < S; s++) {
                t_first += count[r][s] * log_p(A[r], s);
                for (int q = 0; q < S; q++) t_second += count2[q][r][s] * log_p(A2[q][r], s);
            }
        }
        sample_must("first", c04_markov_gradient_first_value_and_gradient(&a, work1));
        sample_must("second", c04_markov_gradient_second_value_and_gradient(&a, work2));
        sample_near("first order", first, t_first);
        sample_near_all("by the start", S, d_start, t_start);
        if (round == 0) {
            sample_near_all("by A: count - expected", S * S, &dA[0][0], &tA[0][0]);
            sample_near("second order", second, t_second);
            sample_near_all("by A2: count - expected", S * S * S, &dA2[0][0][0], &tA2[0][0][0]);
            best1 = first, best2 = second;
        } else {
            double zero[S * S * S] = {0};
            sample_within(1e-8, "gradient by A is 0", S * S, &dA[0][0], zero);
            sample_near("second order", second, t_second);
            sample_within(1e-8, "gradient by A2 is 0", S * S * S, &dA2[0][0][0], zero);
            sample_true("both are greater than before", first > best1 && second > best2);
            best1 = first, best2 = second;
        }
    }
    /* No step from there leads up. */
    int above = 0;
    for (int i = 0; i < 20; i++) {
        double keep[S][S];
        memcpy(keep, A, sizeof keep);
        for (int k = 0; k < S * S; k++) A[k / S][k % S] += 0.1 * rng_normal(&rng);
        sample_must("first", c04_markov_value(&a, work1));
        above += first > best1;
        memcpy(A, keep, sizeof keep);
    }
    sample_true("20 steps from the counts lead down", above == 0);
    /* And from anywhere L-BFGS comes to them: relative counts, which the logits only have but for a
     * number that is the same in each row. */
    double *p = lbfgs_malloc(S * S), least, shares[S][S], found[S][S];
    lbfgs_parameter_t how;
    if (!p) return 1;
    for (int i = 0; i < S * S; i++) p[i] = 0;
    lbfgs_parameter_init(&how);
    how.epsilon = 1e-5;
    a.A = p;
    int status = lbfgs(S * S, p, &least, minus_first, NULL, &a, &how);
    printf("  L-BFGS: log-likelihood %.6f, of the counts %.6f\n", -least, best1);
    sample_true("L-BFGS came to the end", status == 0);
    for (int r = 0; r < S; r++) {
        double all = 0;
        for (int s = 0; s < S; s++) all += count[r][s];
        for (int s = 0; s < S; s++) {
            shares[r][s] = count[r][s] / all;
            found[r][s] = exp(log_p(p + r * S, s));
        }
    }
    sample_within(1e-6, "it found the relative counts", S * S, &found[0][0], &shares[0][0]);
    lbfgs_free(p);
    free(work1), free(work2);
    return sample_end();
}
