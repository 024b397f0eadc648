/* Entries that nobody reads have no derivative: unread.grad where their own are infinite, against closed forms. */
#include "unread.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 5 };
static int passed, failed;

static void near(const char *what, int at, double got, double want) {
    if (fabs(got - want) <= 1e-14 * fabs(want)) {
        passed++;
    } else {
        failed++;
        printf("  %s, %d: %.17g, but should be %.17g\n", what, at, got, want);
    }
}

static void good(const char *what, int status) {
    if (status) {
        failed++;
        printf("  %s: status %d\n", what, status);
    }
}

int main(void) {
    /* by case: 0 at the last place; at the first and last; in the middle, for the ends alone */
    static const double xs[3][N] = {{2, 0.5, -1, 4, 0}, {0, 0.5, 1, 4, 0}, {2, 0, 0, 4, 0}}, w[N] = {1, -2, 3, 0.5, 7},
                        x_d[N] = {1, -1, 2, 3, 4};
    for (int c = 0; c < 3; c++) {
        const double *x = xs[c];
        double tail, tail_2[N][N], named, inner, back, ends, last, tail_x[N], named_x[N], inner_x[N], inner_w[N], back_x[N], ends_x[N],
            last_x[N], x_hd[N];
        unread_args a = {.N = N, .x = x, .w = w, .x_d = x_d, .tail = &tail, .tail_2 = tail_2[0], .named = &named, .inner = &inner,
            .back = &back, .ends = &ends, .last = &last, .x_tail_grad = tail_x, .x_named_grad = named_x, .x_inner_grad = inner_x,
            .w_inner_grad = inner_w, .x_back_grad = back_x, .x_ends_grad = ends_x, .x_last_grad = last_x, .x_hd = x_hd};
        size_t sizes[] = {unread_workspace(&a), unread_gradient_tail_workspace(&a), unread_gradient_named_workspace(&a),
            unread_gradient_inner_workspace(&a), unread_gradient_back_workspace(&a), unread_gradient_ends_workspace(&a),
            unread_gradient_last_workspace(&a), unread_hvp_workspace(&a)};
        size_t most = 64;
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) most = sizes[k] > most ? sizes[k] : most;
        void *workspace = aligned_alloc(64, most);
        double *fill = workspace;
        for (size_t k = 0; k < most / sizeof *fill; k++) fill[k] = NAN;
        good("value", unread_value(&a, workspace));
        good("gradient of tail", unread_gradient_tail_value_and_gradient(&a, workspace));
        good("gradient of named", unread_gradient_named_value_and_gradient(&a, workspace));
        good("gradient of inner", unread_gradient_inner_value_and_gradient(&a, workspace));
        good("gradient of back", unread_gradient_back_value_and_gradient(&a, workspace));
        good("gradient of ends", unread_gradient_ends_value_and_gradient(&a, workspace));
        good("gradient of last", unread_gradient_last_value_and_gradient(&a, workspace));
        good("hvp", unread_hvp(&a, workspace));
        free(workspace);
        for (int i = 0; i < N; i++) {
            double u = x[i];
            int out = i == N - 1;
            if (c == 0) {
                double all = x[0] / (x[1] * x[2] * x[3]);
                near("tail", i, tail_x[i], out ? 0 : -1 / (u * u));
                near("named", i, named_x[i], out ? 0 : -1 / (u * u));
                near("back", i, back_x[i], out ? 0 : -1 / (u * u));
                near("last", i, last_x[i], out ? 0 : i == 0 ? all / u : -all / u);
                near("hvp", i, x_hd[i], out ? 0 : 2 * x_d[i] / (u * u * u));
                for (int j = 0; j < N; j++) near("tail_2", i * N + j, tail_2[i][j], out || i != j ? 0 : 2 / (u * u * u));
            }
            if (c == 1) {
                near("inner", i, inner_x[i], i == 0 || out ? 0 : 0.5 / sqrt(u) * w[i - 1]);
                near("inner by w", i, inner_w[i], i < N - 2 ? sqrt(x[i + 1]) : 0);
            }
            if (c != 1) near("ends", i, ends_x[i], i == 0 || i == N - 2 ? -1 / (u * u) : 0);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
