/* A8: a derivative checked by finite differences, one-sided and central, per parameter. `gradc
 * check a08_check.grad` does this for any model without a line of C. */
#include "a08_check.h"
#include "common/rng.h"
#include "common/sample.h"

enum { N = 12, D = 5, C = 4 };

int main(void) {
    Rng rng = {8};
    double x[N * D], W[C * D], L, gradient[C * D], central[C * D], one_sided[C * D];
    int32_t y[N];
    for (int i = 0; i < N * D; i++) x[i] = rng_normal(&rng);
    for (int i = 0; i < C * D; i++) W[i] = rng_normal(&rng);
    for (int i = 0; i < N; i++) y[i] = (int32_t)rng_below(&rng, C);

    a08_check_args a = {
        .N = N, .D = D, .C = C, .x = x, .y = y, .W = W, .L = &L, .W_grad = gradient};
    void *work = sample_workspace(a08_check_workspace(&a));
    sample_must("a08_check_value_and_gradient", a08_check_value_and_gradient(&a, work));

    /* The errors: e L'' / 2 one-sided, e^2 L''' / 6 central; and rounding, 1e-16 L / e. */
    const double at = L, e1 = 1e-8, e2 = 1e-5;
    for (int i = 0; i < C * D; i++) {
        double keep = W[i], up, down;
        W[i] = keep + e1;
        sample_must("a08_check_value", a08_check_value(&a, work));
        one_sided[i] = (L - at) / e1;
        W[i] = keep + e2;
        sample_must("a08_check_value", a08_check_value(&a, work));
        up = L;
        W[i] = keep - e2;
        sample_must("a08_check_value", a08_check_value(&a, work));
        down = L;
        W[i] = keep;
        central[i] = (up - down) / (2 * e2);
    }
    sample_within(1e-6, "gradient, one-sided differences", C * D, gradient, one_sided);
    sample_within(1e-9, "gradient, central differences", C * D, gradient, central);

    /* And by hand: the mean over the examples of (softmax - observed) x'. */
    double want[C * D] = {0}, loss = 0;
    for (int n = 0; n < N; n++) {
        double f[C], total = 0;
        for (int c = 0; c < C; c++) {
            f[c] = 0;
            for (int d = 0; d < D; d++) f[c] += W[c * D + d] * x[n * D + d];
            total += exp(f[c]);
        }
        loss += (log(total) - f[y[n]]) / N;
        for (int c = 0; c < C; c++) {
            for (int d = 0; d < D; d++) {
                want[c * D + d] += (exp(f[c]) / total - (c == y[n])) * x[n * D + d] / N;
            }
        }
    }
    sample_near("loss", at, loss);
    sample_near_all("gradient, closed form", C * D, gradient, want);
    free(work);
    return sample_end();
}
