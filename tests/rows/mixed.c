/* mixed.grad: the types of what comes in, of what is kept and of what goes out, and the derivative by each in its own type. */
#include "mixed.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int passed, failed;

static void near(const char *what, int i, double got, double want, double precision) {
    if (fabs(got - want) <= precision * fmax(1, fabs(want))) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d: %.17g, but should be %.17g\n", what, i, got, want);
    }
}

enum { N = 7 };
static const float x[N] = {0, 2.5f, -1.25f, 0, 3, 0.1f, -4};
static const uint8_t off[N] = {0, 0, 0, 0, 1, 0, 0};

/* f by hand; `at` moves one number of x, or decay where it is N */
static double by_hand(double decay, int at, double step, double *s) {
    double f = 0;
    for (int i = 0; i < N; i++) {
        double u = x[i] + (i == at ? step : 0), d = decay + (at == N ? step : 0), before = i ? s[i - 1] : 0.5;
        int live = !off[i] && x[i] != 0;
        s[i] = !live ? before : i ? d * before + (1 - d) * u : u;
        f += live ? s[i] / 8 : 0;
    }
    return f;
}

int main(void) {
    double f, s[N], decay_grad, want[N];
    float x_grad[N], single, sum = 0;
    uint8_t live[N];
    mixed_args a = {.N = N, .x = x, .off = off, .decay = 0.7, .f = &f, .s = s, .live = live, .single = &single,
                    .decay_grad = &decay_grad, .x_grad = x_grad};
    size_t bytes = mixed_workspace(&a);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    near("status", 0, mixed_value_and_gradient(&a, workspace), 0, 0);
    near("f", 0, f, by_hand(0.7, -1, 0, want), 1e-15);
    for (int i = 0; i < N; i++) {
        near("s", i, s[i], want[i], 1e-15);
        near("live", i, live[i], !off[i] && x[i] != 0, 0);
        sum += x[i] * x[i];
    }
    near("a sum of floats", 0, single, sum, 1e-6);
    for (int i = 0; i <= N; i++) { /* f is linear in x, and a polynomial of low degree in decay */
        double h = i < N ? 0.5 : 1e-4, up = by_hand(0.7, i, h, want), down = by_hand(0.7, i, -h, want);
        int live_here = i < N && !off[i] && x[i] != 0;
        if (i < N) near("by x", i, x_grad[i], live_here ? (up - down) / (2 * h) : 0, 1e-7);
        else near("by decay", 0, decay_grad, (up - down) / (2 * h), 1e-7);
    }
    free(workspace);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
