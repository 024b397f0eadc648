/* Derivatives through functions of C against differences of the compiled values, and of the
 * compiled gradients for the second ones. Compiled with REAL as float, results are only compared
 * with those of double, which the script does: it prints them all. */
#include "sled.h"
#include "springs.model.h"
#include <gradc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef REAL
#define REAL double
#endif
extern
#ifdef __cplusplus
"C"
#endif
int bends;
enum { T = 7, N = 5, L = 3 };
static int failed;
static const int is_float = sizeof(REAL) == sizeof(float);

static void same(const char *what, double got, double want, double scale) {
    printf("%s %.4g\n", what, got);
    if (is_float || fabs(got - want) <= 1e-7 * (1 + fabs(scale))) return;
    fprintf(stderr, "%s is %.12g, differences say %.12g\n", what, got, want);
    failed = 1;
}

static void good(int status) {
    if (status == GRADC_OK) return;
    fprintf(stderr, "status %d: %s\n", status, gradc_status_text(status));
    exit(1);
}

static void *room(size_t bytes) {
    void *p = NULL;
    if (bytes == SIZE_MAX || posix_memalign(&p, 64, bytes + 64)) exit(2);
    memset(p, 0xA5, bytes);
    return p;
}

static REAL push[T], v[T + 1], push_grad[T], v_bar[T + 1], push_bar[T], push_d[T], push_hd[T];
static REAL loss, mu_grad, v_d[T + 1], mu_hd;

static sled_args sled(void) {
    sled_args a;
    memset(&a, 0, sizeof a);
    a.T = T, a.push = push, a.c = (REAL)0.3, a.mu = (REAL)0.7;
    a.loss = &loss, a.v = v, a.mu_grad = &mu_grad, a.push_grad = push_grad;
    a.v_bar = v_bar, a.push_bar = push_bar, a.v_d = v_d;
    a.mu_d = 1, a.push_d = push_d, a.mu_hd = &mu_hd, a.push_hd = push_hd;
    return a;
}

static void *sled_room;
/* loss, and its gradient by mu and push, at the point moved by h in one coordinate (0: mu) */
static void sled_at(int coordinate, double h, double *f, double *g) {
    sled_args a = sled();
    REAL moved[T];
    memcpy(moved, push, sizeof moved);
    a.push = moved;
    if (coordinate == 0) a.mu += (REAL)h;
    else if (coordinate > 0) moved[coordinate - 1] += (REAL)h;
    good(sled_value_and_gradient(&a, sled_room));
    *f = (double)loss;
    g[0] = (double)mu_grad;
    for (int t = 0; t < T; t++) g[1 + t] = (double)push_grad[t];
}

static void test_sled(void) {
    sled_args a = sled();
    double up, down, g[T + 1], gu[T + 1], gd[T + 1], H[T + 1][T + 1], vu[T + 1], vd[T + 1];
    const double h = 1e-5;
    for (int t = 0; t < T; t++) push[t] = (REAL)(1 + 0.25 * t), push_d[t] = (REAL)(0.5 - 0.125 * t);
    for (int t = 0; t <= T; t++) v_bar[t] = (REAL)(0.25 * t - 1);
    sled_room = room(sled_workspace(&a));
    sled_at(-1, 0, &up, g);
    for (int k = 0; k <= T; k++) {
        sled_at(k, h, &up, gu);
        for (int t = 0; t <= T; t++) vu[t] = (double)v[t];
        sled_at(k, -h, &down, gd);
        for (int t = 0; t <= T; t++) vd[t] = (double)v[t];
        same("sled gradient", g[k], (up - down) / (2 * h), 1);
        for (int i = 0; i <= T; i++) H[i][k] = (gu[i] - gd[i]) / (2 * h);
        if (k == 0) {
            void *w = room(sled_jvp_workspace(&a));
            good(sled_jvp(&a, w));
            for (int t = 0; t <= T; t++) same("sled jvp", (double)v_d[t], (vu[t] - vd[t]) / (2 * h), 1);
            free(w);
        } else {
            void *w = room(sled_workspace(&a));
            double want = 0;
            good(sled_forward(&a, w));
            good(sled_vjp(&a, w));
            for (int t = 0; t <= T; t++) want += (double)v_bar[t] * (vu[t] - vd[t]) / (2 * h);
            same("sled vjp", (double)push_bar[k - 1], want, 1);
            free(w);
        }
    }
    void *w = room(sled_hvp_workspace(&a));
    good(sled_hvp(&a, w));
    for (int i = 0; i <= T; i++) {
        double want = H[i][0];
        for (int k = 1; k <= T; k++) want += H[i][k] * (double)push_d[k - 1];
        same("sled hvp", (double)(i == 0 ? mu_hd : push_hd[i - 1]), want, 1);
    }
    free(w);
    free(sled_room);
}

static int32_t n[N] = {1, 2, 3, 4, 5};
static uint8_t stiff[N] = {0, 1, 0, 1, 1};
static REAL table[L] = {10, 20, 30}, x[N] = {(REAL)-0.5, (REAL)0.4, (REAL)0.9, (REAL)-1.5, (REAL)2};
static REAL y[N], w[N], f, x_grad[N], k_grad, y_x[N * N], f_x_x[N * N], f_x_k[N], f_k_k;

static springs_args springs(void) {
    springs_args a;
    memset(&a, 0, sizeof a);
    a.N = N, a.L = L, a.n = n, a.stiff = stiff, a.table = table, a.k = (REAL)1.5, a.x = x;
    a.y = y, a.f = &f, a.w = w, a.x_grad = x_grad, a.k_grad = &k_grad, a.y_x = y_x;
    a.f_x_x = f_x_x, a.f_x_k = f_x_k, a.f_k_k = &f_k_k;
    return a;
}

static void springs_at(int coordinate, double h, double *value, double *g, double *at) {
    springs_args a = springs();
    REAL moved[N];
    void *space = room(springs_workspace(&a));
    memcpy(moved, x, sizeof moved);
    a.x = moved;
    if (coordinate == N) a.k += (REAL)h;
    else if (coordinate >= 0) moved[coordinate] += (REAL)h;
    good(springs_value_and_gradient(&a, space));
    *value = (double)f;
    for (int i = 0; i < N; i++) g[i] = (double)x_grad[i], at[i] = (double)y[i];
    g[N] = (double)k_grad;
    free(space);
}

static void test_springs(void) {
    springs_args a = springs();
    double value, up, down, g[N + 1], gu[N + 1], gd[N + 1], y0[N], yu[N], yd[N];
    /* f is of degree 2 in k, so differences are exact there at any step; a float is among the
     * arguments, which wants a large one */
    void *space = room(springs_workspace(&a));
    bends = 0;
    good(springs_value(&a, space));
    free(space);
    if (bends != N) { /* two equal calls are one */
        fprintf(stderr, "bend is called %d times for %d entries\n", bends, N);
        failed = 1;
    }
    space = room(springs_jacobian_workspace(&a));
    good(springs_jacobian(&a, space));
    free(space);
    space = room(springs_hessian_workspace(&a));
    good(springs_hessian(&a, space));
    free(space);
    springs_at(-1, 0, &value, g, y0);
    for (int i = 0; i < N; i++) {
        REAL want[N] = {10, 20, 20, 10, 30};
        same("springs w", (double)w[i], (double)want[i], 1);
    }
    for (int k = 0; k <= N; k++) {
        const double h = k == N ? 1 : 1e-5;
        springs_at(k, h, &up, gu, yu);
        springs_at(k, -h, &down, gd, yd);
        same("springs gradient", g[k], (up - down) / (2 * h), 20);
        for (int i = 0; i < N; i++) {
            double second = (gu[i] - gd[i]) / (2 * h);
            same("springs hessian", (double)(k == N ? f_x_k[i] : f_x_x[i * N + k]), second, 20);
            if (k < N)
                same("springs jacobian", (double)y_x[i * N + k], (yu[i] - yd[i]) / (2 * h), 20);
        }
        if (k == N) same("springs hessian", (double)f_k_k, (gu[N] - gd[N]) / (2 * h), 20);
    }
    /* what a function of C gives is a position only after a test */
    a.L = 2;
    space = room(springs_workspace(&a));
    if (springs_value(&a, space) != GRADC_BAD_INDEX) {
        fprintf(stderr, "a position out of range is not noticed\n");
        failed = 1;
    }
    free(space);
}

int main(void) {
    test_sled();
    test_springs();
    return failed;
}
