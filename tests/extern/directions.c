/* Jacobian and Hessian times K directions: against differences, and with a count of how often the
 * functions below the derivatives are evaluated. */
#include "directions.h"
#include <gradc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double wave(double x);
double ripple(double x);
static int waves, ripples;
double wave(double x) { waves++; return sin(x); }
double ripple(double x) { ripples++; return cos(x); }

enum { N = 4, M = 3, K = 6 };
static double x[N] = {0.3, -0.2, 0.9, 0.5}, W[M * N], V[K * N], JV[K * M], HV[K * N], f;

/* y, and the gradient of the sum of squares, by hand */
static void by_hand(const double *at, double *y, double *g) {
    double a[M];
    for (int m = 0; m < M; m++) {
        a[m] = 0;
        for (int n = 0; n < N; n++) a[m] += W[m * N + n] * at[n];
        y[m] = sin(a[m]);
    }
    for (int n = 0; n < N; n++) {
        g[n] = 0;
        for (int m = 0; m < M; m++) g[n] += 2 * sin(a[m]) * cos(a[m]) * W[m * N + n];
    }
}

int main(void) {
    directions_args a = {N, M, K, x, W, V, &f, JV, HV};
    void *w = NULL;
    int failed = 0;
    for (int i = 0; i < M * N; i++) W[i] = sin(1.0 + i);
    for (int i = 0; i < K * N; i++) V[i] = cos(0.7 * i);
    if (posix_memalign(&w, 64, directions_workspace(&a) + 64)) return 2;
    if (directions_value(&a, w) != GRADC_OK) return 3;
    if (waves != M || ripples != M) {
        printf("%d and %d calls for %d entries and %d directions\n", waves, ripples, M, K);
        failed = 1;
    }
    for (int k = 0; k < K; k++) {
        double up[N], down[N], yu[M], yd[M], gu[N], gd[N], h = 1e-5;
        for (int n = 0; n < N; n++) up[n] = x[n] + h * V[k * N + n], down[n] = x[n] - h * V[k * N + n];
        by_hand(up, yu, gu);
        by_hand(down, yd, gd);
        for (int m = 0; m < M; m++)
            failed |= !(fabs(JV[k * M + m] - (yu[m] - yd[m]) / (2 * h)) < 1e-8);
        for (int n = 0; n < N; n++)
            failed |= !(fabs(HV[k * N + n] - (gu[n] - gd[n]) / (2 * h)) < 1e-8);
    }
    free(w);
    return failed;
}
