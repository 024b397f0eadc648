/* A6: forward mode for y = tanh(t W x) and f = sum y^2. The derivative of all of y along one
 * direction costs about as much as y; so does that by the one number t; and the Hessian of f times
 * a direction costs about as much as the gradient of f, where the Hessian itself would be N times
 * that. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "a06_forward.h"
#include "common/rng.h"
#include "common/sample.h"

#include <time.h>

enum { N = 300, M = 500, TRIES = 7 };

static double W[M][N], x[N], v[N], y[M], f, Jv[M], yt[M], Hv[N], gradient[N];
static double tJv[M], tyt[M], tHv[N], H[N][N];

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least time of some tries of ten calls, per call. */
static double cost(int (*call)(const a06_forward_args *, void *), a06_forward_args a, void *work) {
    double least = INFINITY;
    for (int i = 0; i < TRIES; i++) {
        double begin = seconds();
        for (int k = 0; k < 10; k++) sample_must("a06_forward", call(&a, work));
        least = fmin(least, (seconds() - begin) / 10);
    }
    return least;
}

static void *grown(void *work, size_t *size, size_t bytes) {
    if (bytes <= *size) return work;
    free(work);
    *size = bytes;
    return sample_workspace(bytes);
}

int main(void) {
    Rng rng = {16};
    const double t = 0.8;
    for (int n = 0; n < N; n++) x[n] = rng_normal(&rng), v[n] = rng_normal(&rng);
    for (int i = 0; i < M * N; i++) W[i / N][i % N] = rng_normal(&rng) / sqrt(N);

    /* By hand: with s = 1 - y^2, y' = s t W, dy/dt = s u, and f'' = 2 t^2 W' diag(s^2 - 2 y^2 s) W.
     */
    double ty[M], tf = 0, tg[N] = {0};
    for (int m = 0; m < M; m++) {
        double u = 0, uv = 0;
        for (int n = 0; n < N; n++) u += W[m][n] * x[n], uv += W[m][n] * v[n];
        ty[m] = tanh(t * u);
        double s = 1 - ty[m] * ty[m], bend = 2 * t * t * (s * s - 2 * ty[m] * ty[m] * s);
        tf += ty[m] * ty[m];
        tJv[m] = s * t * uv;
        tyt[m] = s * u;
        for (int n = 0; n < N; n++) {
            tg[n] += 2 * ty[m] * s * t * W[m][n];
            for (int k = 0; k < N; k++) H[n][k] += bend * W[m][n] * W[m][k];
        }
    }
    for (int n = 0; n < N; n++) {
        for (int k = 0; k < N; k++) tHv[n] += H[n][k] * v[k];
    }

    /* As values. */
    const a06_forward_args given = {.N = N, .M = M, .t = t, .x = x, .W = &W[0][0], .v = v};
    a06_forward_args a = given;
    size_t size = 0;
    void *work = grown(NULL, &size, a06_forward_workspace(&a) + 1);
    a.y = y, a.f = &f, a.Jv = Jv, a.yt = yt, a.Hv = Hv;
    sample_must("a06_forward_value", a06_forward_value(&a, work));
    sample_near_all("y", M, y, ty);
    sample_near("f", f, tf);
    sample_near_all("J v", M, Jv, tJv);
    sample_near_all("dy/dt, all of it in one sweep", M, yt, tyt);
    sample_near_all("H v, without H", N, Hv, tHv);

    /* As functions. What is NULL in the arguments is not computed, so these can be timed alone. */
    a06_forward_args value = given, jvp = given, both = given, hvp = given, along = given;
    value.y = y;
    jvp.x_d = v, jvp.y_d = Jv;
    both.f = &f, both.x_grad = gradient;
    hvp.x_d = v, hvp.x_hd = Hv;
    along.yt = yt;
    work = grown(work, &size, a06_forward_jvp_workspace(&jvp));
    work = grown(work, &size, a06_forward_hvp_workspace(&hvp));
    for (int n = 0; n < N; n++) Hv[n] = 0;
    for (int m = 0; m < M; m++) Jv[m] = yt[m] = 0;
    double value_cost = cost(a06_forward_value, value, work);
    double t_cost = cost(a06_forward_value, along, work);
    double jvp_cost = cost(a06_forward_jvp, jvp, work);
    double both_cost = cost(a06_forward_value_and_gradient, both, work);
    double hvp_cost = cost(a06_forward_hvp, hvp, work);
    sample_near_all("jvp: J v", M, Jv, tJv);
    sample_near_all("dy/dt alone", M, yt, tyt);
    sample_near_all("gradient", N, gradient, tg);
    sample_near_all("hvp: H v", N, Hv, tHv);
    printf("  times for N = %d, M = %d: y %.1e s, dy/dt %.1f times that, J v %.1f times,\n", N, M,
           value_cost, t_cost / value_cost, jvp_cost / value_cost);
    printf("  f and gradient %.1f times, H v %.1f times\n", both_cost / value_cost,
           hvp_cost / value_cost);
    sample_true("dy/dt: below 5 times y, not M times", t_cost < 5 * value_cost);
    sample_true("J v: below 5 times y, not N times", jvp_cost < 5 * value_cost);
    sample_true("H v: below 12 times y, not N times", hvp_cost < 12 * value_cost);
    free(work);
    return sample_end();
}
