/* Is what stable.grad computes finite and right where its formulas, as they are written, are neither? Compared with closed forms
 * in long double. REAL is float or double, as the model was compiled. */
#include "stable.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef REAL
#define REAL double
#endif

typedef long double Wide;
enum { N = 13, M = 9, K = 3 };
static int passed, failed;
static const Wide eps = sizeof(REAL) == 4 ? FLT_EPSILON : DBL_EPSILON, least = sizeof(REAL) == 4 ? 0x1p-149L : 0x1p-1074L;

/* Within `ulps` units of the last place of `want`; or `absolute` away, where two numbers of that size are subtracted. */
static void near(const char *what, int row, int entry, REAL got, Wide want, Wide ulps, Wide absolute) {
    REAL rounded = (REAL)want;
    int good = isinf(rounded) ? got == rounded : fabsl((Wide)got - want) <= ulps * eps * fabsl(want) + absolute * eps + 2 * least;
    if (good) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d, %d: %.9g, but should be %.9Lg\n", what, row, entry, (double)got, want);
    }
}

static void within(const char *what, int row, REAL got, REAL lo, REAL hi) {
    if (lo <= got && got <= hi) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d: %.9g is not in %g .. %g\n", what, row, (double)got, (double)lo, (double)hi);
    }
}

static Wide sigmoid(Wide x) {
    return 1 / (1 + expl(-x));
}

static Wide softplus(Wide x) {
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static Wide log_sum(const REAL *v) {
    Wide most = -INFINITY, sum = 0;
    for (int k = 0; k < K; k++) most = fmaxl(most, v[k]);
    if (isinf(most)) return most;
    for (int k = 0; k < K; k++) sum += expl(v[k] - most);
    return most + logl(sum);
}

int main(void) {
    static const REAL x[N] = {-INFINITY, -1000, -100, -20, -1, (REAL)-1e-8, 0, (REAL)1e-8, 1, 20, 100, 1000, INFINITY};
    static const REAL v[M][K] = {{0, 1000, 1}, {-1000, -1000, -1000}, {1000, 1000, 1000}, {1000, -1000, -INFINITY}, {-INFINITY, 0, 1},
                                 {(REAL)1e-8, 0, (REAL)-1e-8}, {-INFINITY, -INFINITY, -1000}, {-INFINITY, -INFINITY, -INFINITY}, {0, INFINITY, 1}};
    static const REAL t[M][K] = {{1, 2, 3}, {1, 2, 3}, {-1, 2, 0}, {4, 5, 6}, {1, 1, 1}, {1, 2, 4}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}};
    static const REAL a[M][K] = {{0.5f, 0.5f, 0}, {1, 0, 0}, {0.25f, 0.25f, 0.5f}, {(REAL)1e-30, 1, 0}, {0, 0, 1}, {0.125f, 0.5f, 0.375f},
                                 {0, 1, 0}, {1, 0, 0}, {0, 0, 0}};
    static const REAL b[M][K] = {{0.5f, 0.25f, 0.25f}, {1, 0, 0}, {0.25f, 0.25f, 0.5f}, {0.5f, 0.5f, 0}, {0, 0, 1}, {(REAL)1e-15, 0.5f, 0.5f},
                                 {0.5f, 0.5f, 0}, {(REAL)1e-15, 1, 0}, {1, 0, 0}};
    static const int32_t y[M] = {1, 0, 2, 1, 1, 0, 2, 0, 1};
    static REAL logsig[N], logsig_1[N], logsig_2[N], logone[N], logone_1[N], logone_2[N], lognot[N], lognot_1[N], soft[N], soft_1[N],
        soft_2[N], logistic[N], logistic_1[N], cost[N], cost_1[N], cost_2[N], mass[N], mass_1[N];
    static REAL lse[M], lse_1[M][K], lse_2[M][K][K], naive[M], share[M][K], share_1[M][K], logshare[M][K], logshare_1[M][K], cross[M],
        cross_1[M][K], divergence[M], by_a[M][K], by_b[M][K];

    for (int outcome = 0; outcome < 2; outcome++) {
        uint8_t seen[N];
        for (int i = 0; i < N; i++) seen[i] = (uint8_t)outcome;
        stable_args args = {.N = N, .M = M, .K = K, .x = x, .v = v[0], .t = t[0], .a = a[0], .b = b[0], .seen = seen, .y = y,
            .logsig = logsig, .logsig_1 = logsig_1, .logsig_2 = logsig_2, .logone = logone, .logone_1 = logone_1, .logone_2 = logone_2,
            .lognot = lognot, .lognot_1 = lognot_1, .soft = soft, .soft_1 = soft_1, .soft_2 = soft_2, .logistic = logistic,
            .logistic_1 = logistic_1, .cost = cost, .cost_1 = cost_1, .cost_2 = cost_2, .mass = mass, .mass_1 = mass_1, .lse = lse,
            .lse_1 = lse_1[0], .lse_2 = lse_2[0][0], .naive = naive, .share = share[0], .share_1 = share_1[0], .logshare = logshare[0],
            .logshare_1 = logshare_1[0], .cross = cross, .cross_1 = cross_1[0], .divergence = divergence, .by_a = by_a[0], .by_b = by_b[0]};
        size_t bytes = stable_workspace(&args);
        void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
        int status = stable_value(&args, workspace);
        free(workspace);
        if (status != 0) {
            printf("  status %d\n", status);
            return 1;
        }

        for (int i = 0; i < N; i++) {
            Wide u = x[i], p = sigmoid(u), q = sigmoid(-u), pq = p * q, sign = outcome ? -1 : 1;
            near("log sigmoid", i, 0, logsig[i], -softplus(-u), 4, 0);
            near("its derivative", i, 0, logsig_1[i], q, 4, 0);
            near("its second derivative", i, 0, logsig_2[i], -pq, 4, 1);
            near("log(1 + exp)", i, 0, logone[i], softplus(u), 4, 0);
            near("its derivative", i, 0, logone_1[i], p, 4, 0);
            near("its second derivative", i, 0, logone_2[i], pq, 4, 1);
            near("log(1 - sigmoid)", i, 0, lognot[i], -softplus(u), 4, 0);
            near("its derivative", i, 0, lognot_1[i], -p, 4, 0);
            near("softplus", i, 0, soft[i], softplus(u), 4, 0);
            near("its derivative", i, 0, soft_1[i], p, 4, 0);
            near("its second derivative, forward", i, 0, soft_2[i], pq, 4, 1);
            near("1 / (1 + exp(-x))", i, 0, logistic[i], p, 4, 0);
            near("its derivative", i, 0, logistic_1[i], pq, 4, 1);
            near("Bernoulli cost", i, outcome, cost[i], softplus(sign * u), 4, 0);
            near("its derivative", i, outcome, cost_1[i], sign * sigmoid(sign * u), 4, 1);
            near("its second derivative", i, outcome, cost_2[i], pq, 4, 1);
            near("Bernoulli's logarithm", i, outcome, mass[i], -softplus(sign * u), 4, 0);
            near("its derivative", i, outcome, mass_1[i], -sign * sigmoid(sign * u), 4, 1);
            within("derivative of log sigmoid", i, logsig_1[i], 0, 1);
            within("derivative of log(1 + exp)", i, logone_1[i], 0, 1);
            within("derivative of softplus", i, soft_1[i], 0, 1);
            within("derivative of the Bernoulli cost", i, cost_1[i], outcome ? -1 : 0, outcome ? 0 : 1);
            within("second derivative of softplus", i, soft_2[i], 0, (REAL)0.25);
            within("second derivative of the Bernoulli cost", i, cost_2[i], 0, (REAL)0.25);
        }
    }

    for (int m = 0; m < M; m++) {
        Wide l = log_sum(v[m]), p[K], mean = 0, distance = 0;
        int none = isinf(l) && l < 0, most = isinf(l) && l > 0;
        near("logsumexp", m, 0, lse[m], l, 4, 1);
        for (int k = 0; k < K; k++) {
            p[k] = none ? 0 : expl(v[m][k] - l); /* of nothing but -infinity all weights are 0 */
            mean += p[k] * t[m][k];
        }
        for (int k = 0; k < K && !most; k++) { /* beside infinity the weights are not defined */
            /* v - lse is rounded before exp sees it */
            Wide ulps = 4 + (none ? 0 : fabsl(l));
            near("weight", m, k, lse_1[m][k], p[k], ulps, 0);
            within("weight", m, lse_1[m][k], 0, 1 + (REAL)(1100 * eps));
            for (int j = 0; j < K; j++) near("second derivative of logsumexp", m, j, lse_2[m][k][j], p[k] * ((j == k) - p[j]), ulps, ulps);
            if (none) continue; /* 0 / 0 */
            Wide seen = k == y[m];
            near("share", m, k, share[m][k], p[k], ulps, 0);
            near("derivative of shares", m, k, share_1[m][k], p[k] * (t[m][k] - mean), ulps, 8 * ulps);
            near("log of a share", m, k, logshare[m][k], v[m][k] - l, 4, fabsl(l) + 1);
            near("derivative of the log of a share", m, k, logshare_1[m][k], seen - p[k], ulps, ulps);
            near("derivative of cross entropy", m, k, cross_1[m][k], p[k] - seen, ulps, ulps);
        }
        if (!none && !most) {
            near("the same, by exp and log", m, 0, naive[m], l, 4, 1);
            near("cross entropy", m, 0, cross[m], l - v[m][y[m]], 4, fabsl(l) + 1);
        }
        for (int k = 0; k < K; k++) {
            Wide r = a[m][k] > 0 ? logl((Wide)a[m][k] / b[m][k]) : 0;
            distance += a[m][k] > 0 ? a[m][k] * r : 0;
            near("derivative of the divergence, by p", m, k, by_a[m][k], a[m][k] > 0 ? r + 1 : 0, 8, 8);
            near("derivative of the divergence, by q", m, k, by_b[m][k], a[m][k] > 0 ? -(Wide)a[m][k] / b[m][k] : 0, 8, 0);
        }
        near("divergence", m, 0, divergence[m], distance, 8, 8);
    }
    /* The case that a table of other tools' mistakes has. */
    within("logsumexp(0, 1000, 1)", 0, lse[0], 1000, 1000);
    within("its first weight", 0, lse_1[0][0], 0, 0);
    within("its second weight", 0, lse_1[0][1], 1, 1);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
