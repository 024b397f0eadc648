/* A7: f = (sum w_i^2) (prod cos w_i). Its gradient has N entries and costs a bounded multiple of f,
 * whatever N is; finite differences would cost N times f. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "a07_reverse.h"
#include "common/rng.h"
#include "common/sample.h"

#include <time.h>

enum { MOST = 1 << 18, TRIES = 5 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least time of some tries of a call that is repeated until it has had a millisecond. */
static double cost(int (*call)(const a07_reverse_args *, void *), const a07_reverse_args *a,
                   void *work) {
    double least = 1e9;
    for (int i = 0; i < TRIES; i++) {
        int turns = 0;
        double begin = seconds(), now;
        do {
            sample_must("a07_reverse", call(a, work));
            turns++;
            now = seconds();
        } while (now - begin < 1e-3);
        if ((now - begin) / turns < least) least = (now - begin) / turns;
    }
    return least;
}

int main(void) {
    static double w[MOST], gradient[MOST], want[MOST];
    double f, worst = 0;
    Rng rng = {7};
    for (int i = 0; i < MOST; i++) w[i] = rng_uniform(&rng, -0.002, 0.002);
    a07_reverse_args a = {.N = MOST, .w = w, .f = &f, .w_grad = gradient};
    void *work = sample_workspace(a07_reverse_workspace(&a));

    for (int n = 1 << 6; n <= MOST; n <<= 6) {
        double squares = 0, product = 1;
        for (int i = 0; i < n; i++) squares += w[i] * w[i], product *= cos(w[i]);
        for (int i = 0; i < n; i++) want[i] = product * (2 * w[i] - squares * tan(w[i]));
        a.N = n;
        sample_must("a07_reverse_value_and_gradient", a07_reverse_value_and_gradient(&a, work));
        printf("  N = %d\n", n);
        sample_near("f", f, squares * product);
        sample_near_all("gradient", n, gradient, want);
        double value = cost(a07_reverse_value, &a, work);
        double both = cost(a07_reverse_value_and_gradient, &a, work);
        printf("  value %.2e s, with gradient %.2e s: %.1f times\n", value, both, both / value);
        if (both / value > worst) worst = both / value;
    }
    printf("  at most %.1f times the cost of f, for any number of parameters\n", worst);

    /* The same as a product of a number with the derivative (vjp): f_bar times the gradient. */
    a.N = 64, a.f_bar = -2.5, a.w_bar = gradient;
    free(work);
    work = sample_workspace(a07_reverse_workspace(&a));
    sample_must("a07_reverse_forward",
                a07_reverse_forward(&a, work)); /* as backward, it reads what forward kept */
    sample_must("a07_reverse_vjp", a07_reverse_vjp(&a, work));
    double squares = 0, product = 1;
    for (int i = 0; i < 64; i++) squares += w[i] * w[i], product *= cos(w[i]);
    for (int i = 0; i < 64; i++) want[i] = -2.5 * product * (2 * w[i] - squares * tan(w[i]));
    sample_near_all("f_bar df/dw", 64, gradient, want);
    free(work);
    return sample_end();
}
