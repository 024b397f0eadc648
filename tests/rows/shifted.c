/* shifted.grad: no entry outside of x is looked at, and nothing undefined reaches a derivative. */
#include "shifted.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int passed, failed;

static void near(const char *what, int n, int at, double got, double want) {
    if (fabs(got - want) <= 1e-13 * fmax(1, fabs(want))) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d of %d: %.17g, but should be %.17g\n", what, at, n, got, want);
    }
}

int main(void) {
    static const double data[] = {0.25, 4, 9, 0, 2, 0, 0, 16, 1, 3};
    for (int n = 1; n <= 10; n++) {
        size_t bytes = (size_t)n * sizeof(double);
        double *x = malloc(bytes), *by_f = malloc(bytes), *by_g = malloc(bytes), *by_h = malloc(bytes), *by_hh = malloc(bytes * (size_t)n), f, g, h;
        for (int i = 0; i < n; i++) x[i] = data[i];
        shifted_args a = {.N = n, .x = x, .f = &f, .g = &g, .h = &h, .x_f_grad = by_f, .x_g_grad = by_g, .x_h_grad = by_h, .h_x_x = by_hh};
        size_t most = shifted_workspace(&a), sizes[] = {shifted_gradient_f_workspace(&a), shifted_gradient_g_workspace(&a),
            shifted_gradient_h_workspace(&a), shifted_hessian_workspace(&a)};
        for (int k = 0; k < 4; k++) most = sizes[k] > most ? sizes[k] : most;
        void *workspace = aligned_alloc(64, most + 64 - most % 64);
        near("status", n, 0, shifted_gradient_f_value_and_gradient(&a, workspace) + shifted_gradient_g_value_and_gradient(&a, workspace) +
             shifted_gradient_h_value_and_gradient(&a, workspace) + shifted_hessian(&a, workspace) + shifted_value(&a, workspace), 0);
        double want_f = 0, want_g = 0, want_h = 1;
        for (int i = 0; i < n; i++) {
            double u = x[i];
            int next = i + 1 < n && x[i + 1] > 0;
            want_f += next ? sqrt(u) : 0;
            want_g += u > 1 ? (n - 1 - i) / u : 0;
            want_h += u > 1 ? sqrt(u) * log(u) : 0;
            if (u > 0) near("f by x", n, i, by_f[i], next ? 0.5 / sqrt(u) : 0);
            else if (!next) near("f by x = 0, not wanted", n, i, by_f[i], 0);
            near("g by x", n, i, by_g[i], u > 1 ? -(n - 1 - i) / (u * u) : 0);
            near("h by x", n, i, by_h[i], u > 1 ? (log(u) / 2 + 1) / sqrt(u) : 0);
            for (int j = 0; j < n; j++) near("h twice", n, i * n + j, by_hh[i * n + j], i == j && u > 1 ? -log(u) / 4 / (u * sqrt(u)) : 0);
        }
        near("f", n, 0, f, want_f), near("g", n, 0, g, want_g), near("h", n, 0, h, want_h);
        free(x), free(by_f), free(by_g), free(by_h), free(by_hh), free(workspace);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
