/* identity.grad: whose derivative it is, is said by names, and what is equal is shared only after that. */
#include "identity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int passed, failed;

static void near(const char *what, int i, double got, double want) {
    if (fabs(got - want) <= 1e-14 * fmax(1, fabs(want))) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d: %.17g, but should be %.17g\n", what, i, got, want);
    }
}

int main(void) {
    enum { N = 4 };
    const double x[N] = {0.5, -2, 0, 3};
    double f, one[N], both[N], whole[N], own[N], along, mixed[N][N], twice[N], x_grad[N], want_f = 0;
    identity_args a = {.N = N, .x = x, .f = &f, .one = one, .both = both, .whole = whole, .own = own, .along = &along,
                       .mixed = &mixed[0][0], .twice = twice, .x_grad = x_grad};
    size_t bytes = identity_workspace(&a);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    near("status", 0, identity_value_and_gradient(&a, workspace), 0);
    for (int i = 0; i < N; i++) {
        double b = x[i] * x[i];
        want_f += b * b;
        near("one", i, one[i], b);
        near("both", i, both[i], 2 * b);
        near("whole", i, whole[i], 4 * b * x[i]);
        near("the gradient", i, x_grad[i], 4 * b * x[i]);
        near("own", i, own[i], x[i]);
        near("twice", i, twice[i], 2 * x[i]);
        for (int j = 0; j < N; j++) near("mixed", i * N + j, mixed[i][j], i == j);
    }
    near("f", 0, f, want_f);
    near("along", 0, along, want_f);
    free(workspace);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
