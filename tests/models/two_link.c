/* All derivative forms of one small model, as C functions: the jacobian against CasADi's, the others against the jacobian and
 * against differences of the gradient. */
#include "two_link.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static void near(const char *what, double got, double want, double tolerance) {
    if (fabs(got - want) <= tolerance * (1 + fabs(want))) {
        passed++;
    } else {
        failed++;
        printf("%s is %.17g, not %.17g\n", what, got, want);
    }
}

/* Calls a function with a workspace of the size that it asks for. */
typedef int Function(const two_link_args *a, void *workspace);
typedef size_t Size(const two_link_args *a);
static void call(Function *f, Size *size, const two_link_args *a) {
    size_t n = (size(a) + 64) / 64 * 64;
    void *workspace = aligned_alloc(64, n);
    memset(workspace, 0xFF, n);
    if (f(a, workspace)) {
        failed++;
        printf("a function fails\n");
    }
    free(workspace);
}

int main(void) {
    /* By CasADi (scalar graph, its own evaluator) at x = (0.3, -0.4, 0.5, 0.1), u = (1, 0.5); x = (a1, a2, v1, v2), u = two torques. */
    static const double xd_want[4] = {0.5, 0.1, -11.032339780260395, 13.30176639902394};
    static const double want[4][6] = {
        {0.0, 0.0, 1.0, 0.0, 0.0, 0.0},
        {0.0, 0.0, 0.0, 1.0, 0.0, 0.0},
        {7.3212516988018015, -3.5352560341278165, -0.7352988032468258, -0.33995091488873475, 1.4549516460599068, -3.485404993553954},
        {-19.022289856906472, 13.145484579668944, 2.3514706046351654, 0.8143683809184441, -3.485404993553954, 11.379754369107626}};
    static const double d[6] = {0.7, -0.2, 0.4, 1.1, -0.6, 0.3}, bar[4] = {0.3, -1.2, 0.8, 0.5};
    double z[6] = {0.3, -0.4, 0.5, 0.1, 1.0, 0.5};
    double xd[4], energy, xd_x[16], xd_u[8], xd_d[4], x_bar[4], u_bar[2], x_grad[4], u_grad[2], x_hd[4], u_hd[2];
    double e_x_x[16], e_x_u[8], e_u_u[4], hessian[6][6];
    two_link_args a = {.x = z, .u = z + 4, .xd = xd, .energy = &energy, .x_d = d, .u_d = d + 4, .xd_bar = bar,
                       .xd_x = xd_x, .xd_u = xd_u, .xd_d = xd_d, .x_bar = x_bar, .u_bar = u_bar, .x_grad = x_grad, .u_grad = u_grad,
                       .x_hd = x_hd, .u_hd = u_hd, .energy_x_x = e_x_x, .energy_x_u = e_x_u, .energy_u_u = e_u_u};
    call(two_link_value, two_link_workspace, &a);
    call(two_link_jacobian, two_link_jacobian_workspace, &a);
    call(two_link_jvp, two_link_jvp_workspace, &a);
    double at_energy = xd_want[2] * xd_want[2] + xd_want[3] * xd_want[3];
    near("energy", energy, at_energy, 1e-14);
    for (int i = 0; i < 4; i++) {
        double along = 0;
        near("xd", xd[i], xd_want[i], 1e-14);
        for (int j = 0; j < 6; j++) {
            near("jacobian", j < 4 ? xd_x[i * 4 + j] : xd_u[i * 2 + j - 4], want[i][j], 1e-13);
            along += want[i][j] * d[j];
        }
        near("jvp", xd_d[i], along, 1e-13);
    }
    /* One forward call serves backward and vjp, in the same workspace. */
    size_t n = (two_link_workspace(&a) + 64) / 64 * 64;
    void *workspace = aligned_alloc(64, n);
    if (two_link_forward(&a, workspace) || two_link_vjp(&a, workspace) || two_link_backward(&a, workspace)) {
        failed++;
        printf("forward, vjp or backward fails\n");
    }
    for (int j = 0; j < 6; j++) {
        double sum = 0, slope = 0;
        for (int i = 0; i < 4; i++) {
            sum += bar[i] * want[i][j];
            slope += i >= 2 ? 2 * xd_want[i] * want[i][j] : 0;
        }
        near("vjp", j < 4 ? x_bar[j] : u_bar[j - 4], sum, 1e-13);
        near("gradient", j < 4 ? x_grad[j] : u_grad[j - 4], slope, 1e-13);
    }
    free(workspace);
    call(two_link_hessian, two_link_hessian_workspace, &a);
    call(two_link_hvp, two_link_hvp_workspace, &a);
    for (int i = 0; i < 6; i++) {
        double times = 0;
        for (int j = 0; j < 6; j++) {
            hessian[i][j] = i < 4 && j < 4 ? e_x_x[i * 4 + j] : i < 4 ? e_x_u[i * 2 + j - 4] : j < 4 ? e_x_u[j * 2 + i - 4] : e_u_u[(i - 4) * 2 + j - 4];
            times += hessian[i][j] * d[j];
        }
        near("hvp", i < 4 ? x_hd[i] : u_hd[i - 4], times, 1e-12);
    }
    for (int j = 0; j < 6; j++) {
        double high[6], low[6], was = z[j], h = 1e-5;
        for (int side = 0; side < 2; side++) {
            z[j] = side ? was - h : was + h;
            call(two_link_value_and_gradient, two_link_workspace, &a);
            memcpy(side ? low : high, x_grad, sizeof x_grad);
            memcpy((side ? low : high) + 4, u_grad, sizeof u_grad);
        }
        z[j] = was;
        for (int i = 0; i < 6; i++) {
            near("hessian", hessian[i][j], (high[i] - low[i]) / (2 * h), 1e-6);
            near("symmetry", hessian[i][j], hessian[j][i], 1e-12);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
