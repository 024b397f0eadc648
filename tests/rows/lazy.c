/* The side of a condition that is not taken never reaches a derivative: lazy.grad at places where it would be infinite or NaN. */
#include "lazy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 6 };
static int passed, failed;

static void near(const char *what, int at, double got, double want, double tolerance) {
    if (fabs(got - want) <= tolerance * fmax(1, fabs(want)) && (want != 0 || tolerance > 1e-10 || got == 0)) {
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

/* r x v, and v turned by |r| about r: Rodrigues' formula. */
static void turn(const double *r, const double *v, double *z) {
    double t = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]), dot = r[0] * v[0] + r[1] * v[1] + r[2] * v[2];
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        z[i] = v[i] * cos(t) + (r[j] * v[k] - r[k] * v[j]) * sin(t) / t + r[i] * dot * (1 - cos(t)) / (t * t);
    }
}

int main(void) {
    static const double x[N] = {0, 0.25, -1, 2, 0, -0.0}, w[N] = {1, -2, 3, 0.5, 0, 7}, v[3] = {0.5, -1, 2}, x_d[N] = {1, 1, -1, 2, 3, 4},
                        r_d[3] = {1, 2, -1};
    static const double rs[2][3] = {{0, 0, 0}, {0.3, -0.2, 0.6}};
    double f, f_1[N], f_2[N][N], f_3[N], moved[N], by_w[N], mixed[N], total, total_1[N], total_2[N], cut, cut_1[N], cut_2[N], deep, deep_1[N],
        deep_2[N], called, called_1[N], called_2[N], both, both_1[N], last, last_1[N], last_2[N][N], z[3], z_1[3][3], z_2[3][3][3], size;
    double x_f_grad[N], w_f_grad[N], x_last_grad[N], r_size_grad[3], v_size_grad[3], f_x_x[N][N], x_hd[N], z_d[3], z_r[3][3];

    for (int turned = 0; turned < 2; turned++) {
        const double *r = rs[turned];
        lazy_args a = {.N = N, .x = x, .w = w, .r = r, .v = v, .x_d = x_d, .r_d = r_d, .f = &f, .f_1 = f_1, .f_2 = f_2[0], .f_3 = f_3,
            .moved = moved, .by_w = by_w, .mixed = mixed, .total = &total, .total_1 = total_1, .total_2 = total_2, .cut = &cut,
            .cut_1 = cut_1, .cut_2 = cut_2, .deep = &deep, .deep_1 = deep_1, .deep_2 = deep_2, .called = &called, .called_1 = called_1,
            .called_2 = called_2, .both = &both, .both_1 = both_1, .last = &last, .last_1 = last_1, .last_2 = last_2[0], .z = z,
            .z_1 = z_1[0], .z_2 = z_2[0][0], .size = &size, .x_f_grad = x_f_grad, .w_f_grad = w_f_grad, .x_last_grad = x_last_grad,
            .r_size_grad = r_size_grad, .v_size_grad = v_size_grad, .f_x_x = f_x_x[0], .x_hd = x_hd, .z_d = z_d, .z_r = z_r[0]};
        size_t sizes[] = {lazy_workspace(&a), lazy_gradient_f_workspace(&a), lazy_gradient_last_workspace(&a), lazy_gradient_size_workspace(&a),
            lazy_hessian_workspace(&a), lazy_hvp_workspace(&a), lazy_jvp_workspace(&a), lazy_jacobian_workspace(&a)};
        size_t most = 64;
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) most = sizes[k] > most ? sizes[k] : most;
        void *workspace = aligned_alloc(64, most);
        double *fill = workspace;
        for (size_t k = 0; k < most / sizeof *fill; k++) fill[k] = NAN; /* what is never computed must never be read */
        good("value", lazy_value(&a, workspace));
        good("gradient of f", lazy_gradient_f_value_and_gradient(&a, workspace));
        good("gradient of last", lazy_gradient_last_value_and_gradient(&a, workspace));
        good("gradient of size", lazy_gradient_size_value_and_gradient(&a, workspace));
        good("hessian", lazy_hessian(&a, workspace));
        good("hvp", lazy_hvp(&a, workspace));
        good("jvp", lazy_jvp(&a, workspace));
        good("jacobian", lazy_jacobian(&a, workspace));
        free(workspace);

        const double e = 1e-12;
        double want_f = 0, want_total = 0, want_cut = 0, want_deep = 0, want_called = 0, want_both = 0, want_last = 1;
        for (int i = 0; i < N; i++) {
            double u = x[i], l = u > 0 ? log(u) : 0, q = u > 0 ? sqrt(u) : 0;
            int p = u > 0;
            /* -w x log(x) / 2 */
            want_f += -w[i] * (p ? u * l : 0) / 2;
            double d1 = p ? -w[i] * (l + 1) / 2 : 0, d2 = p ? -w[i] / (2 * u) : 0;
            near("f_1", i, f_1[i], d1, e);
            near("gradient of f", i, x_f_grad[i], d1, e);
            near("f_3", i, f_3[i], p ? w[i] / (2 * u * u) : 0, e);
            near("dir of f_1", i, moved[i], d2 * w[i], e);
            near("by w", i, by_w[i], p ? -u * l / 2 : 0, e);
            near("gradient by w", i, w_f_grad[i], p ? -u * l / 2 : 0, e);
            near("mixed", i, mixed[i], p ? -(l + 1) / 2 : 0, e);
            for (int j = 0; j < N; j++) {
                near("f_2", i * N + j, f_2[i][j], i == j ? d2 : 0, e);
                near("hessian of f", i * N + j, f_x_x[i][j], i == j ? d2 : 0, e);
            }
            /* 1 / sqrt(x) */
            want_total += p ? 1 / q : 0;
            near("total_1", i, total_1[i], p ? -0.5 / (u * q) : 0, e);
            near("total_2", i, total_2[i], p ? 0.75 / (u * u * q) : 0, e);
            /* sin(x) / x */
            want_cut += u == 0 ? w[i] : sin(u) / u;
            near("cut_1", i, cut_1[i], u == 0 ? 0 : cos(u) / u - sin(u) / (u * u), e);
            near("cut_2", i, cut_2[i], u == 0 ? 0 : -sin(u) / u - 2 * cos(u) / (u * u) + 2 * sin(u) / (u * u * u), e);
            /* x sqrt(x), or log(-x) */
            want_deep += p ? u * q : u == 0 ? 0 : log(-u);
            near("deep_1", i, deep_1[i], p ? 1.5 * q : u == 0 ? 0 : 1 / u, e);
            near("deep_2", i, deep_2[i], p ? 0.75 / q : u == 0 ? 0 : -1 / (u * u), e);
            want_called += p ? l : -1;
            near("called_1", i, called_1[i], p ? 1 / u : 0, e);
            near("called_2", i, called_2[i], p ? -1 / (u * u) : 0, e);
            want_both += p && l > 0 ? sqrt(l) : 0;
            near("both_1", i, both_1[i], p && l > 0 ? 0.5 / (sqrt(l) * u) : 0, e);
            want_last *= p ? q * l : 1;
        }
        near("f", 0, f, want_f, e);
        near("total", 0, total, want_total, e);
        near("cut", 0, cut, want_cut, e);
        near("deep", 0, deep, want_deep, e);
        near("called", 0, called, want_called, e);
        near("both", 0, both, want_both, e);

        /* the product of sqrt(x) log(x) over the positive ones */
        near("last", 0, last, want_last, e);
        double hd[N] = {0};
        for (int i = 0; i < N; i++) {
            double gi = x[i] > 0 ? 0.5 / x[i] + 1 / (x[i] * log(x[i])) : 0; /* the logarithm's derivative */
            near("last_1", i, last_1[i], want_last * gi, e);
            near("gradient of last", i, x_last_grad[i], want_last * gi, e);
            for (int j = 0; j < N; j++) {
                double gj = x[j] > 0 ? 0.5 / x[j] + 1 / (x[j] * log(x[j])) : 0, l = x[i] > 0 ? log(x[i]) : 1;
                double own = i == j && x[i] > 0 ? -0.5 / (x[i] * x[i]) - (l + 1) / (x[i] * x[i] * l * l) : 0;
                double h = want_last * (gi * gj + own);
                near("last_2", i * N + j, last_2[i][j], h, e);
                hd[i] += h * x_d[j];
            }
            near("hvp of last", i, x_hd[i], hd[i], e);
        }

        /* z = v + r x v near r = 0; else central differences of Rodrigues' formula */
        double jacobian[3][3], second[3][3][3] = {{{0}}}, tolerance = turned ? 1e-8 : 0, tolerance2 = turned ? 1e-5 : 0, h = 1e-5, h2 = 1e-3;
        for (int j = 0; j < 3; j++) {
            for (int i = 0; i < 3; i++) {
                int k = 3 - i - j;
                jacobian[i][j] = i == j ? 0 : (j == (i + 1) % 3 ? v[k] : -v[k]);
            }
            if (!turned) continue;
            double up[3], down[3], p[3] = {r[0], r[1], r[2]};
            p[j] = r[j] + h, turn(p, v, up), p[j] = r[j] - h, turn(p, v, down);
            for (int i = 0; i < 3; i++) jacobian[i][j] = (up[i] - down[i]) / (2 * h);
            for (int k = 0; k < 3; k++) {
                double s[4][3];
                for (int c = 0; c < 4; c++) {
                    double at[3] = {r[0], r[1], r[2]};
                    at[j] += c & 1 ? h2 : -h2, at[k] += c & 2 ? h2 : -h2;
                    turn(at, v, s[c]);
                }
                for (int i = 0; i < 3; i++) second[i][j][k] = (s[3][i] - s[2][i] - s[1][i] + s[0][i]) / (4 * h2 * h2);
            }
        }
        for (int i = 0; i < 3; i++) {
            double along = 0, want[3] = {v[0], v[1], v[2]};
            if (turned) turn(r, v, want);
            near("z", i, z[i], want[i], turned ? 1e-14 : 0);
            for (int j = 0; j < 3; j++) {
                near("z_1", 3 * i + j, z_1[i][j], jacobian[i][j], tolerance);
                near("jacobian of z", 3 * i + j, z_r[i][j], jacobian[i][j], tolerance);
                for (int k = 0; k < 3; k++) near("z_2", 9 * i + 3 * j + k, z_2[i][j][k], second[i][j][k], tolerance2);
                along += jacobian[i][j] * r_d[j];
            }
            near("z along", i, z_d[i], along, turned ? 1e-8 : 0);
            near("size by r", i, r_size_grad[i], 0, 1e-9); /* a rotation keeps lengths */
            near("size by v", i, v_size_grad[i], v[i], 1e-12);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
