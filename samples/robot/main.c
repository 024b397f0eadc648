/* Robot arms: a planar one of two links, and one of seven joints as data for a model that takes any
 * chain. Checked with figures of another tool (figures.h), with central differences, and with what holds
 * of any arm: forward dynamics undoes inverse dynamics, the Jacobian of the torques by the accelerations
 * is the mass matrix, which is symmetric, and that of the accelerations by the torques is its inverse. */
#include "common/sample.h"
#include "figures.h"
#include "forward_dynamics.h"
#include "inverse_dynamics.h"
#include "two_link.h"
#include <string.h>

enum { N = 7 };

/* cos alpha, sin alpha, d, mass, centre of mass, moments of inertia */
static const double link[N][10] = {
    {1, 0, 0.34, 3.4, 0, -0.03, 0.12, 0.02, 0.02, 0.01},
    {0, -1, 0, 3.5, 0, 0.06, 0.04, 0.025, 0.01, 0.024},
    {0, 1, 0.4, 4.0, 0, 0.03, 0.13, 0.03, 0.028, 0.01},
    {0, 1, 0, 2.7, 0, 0.067, 0.034, 0.02, 0.009, 0.02},
    {0, -1, 0.4, 1.7, 0, 0.02, 0.076, 0.012, 0.01, 0.005},
    {0, -1, 0, 1.8, 0, 0.0006, 0.0004, 0.005, 0.0036, 0.0047},
    {0, 1, 0.126, 0.3, 0, 0, 0.02, 0.001, 0.001, 0.001},
};
static const double g = 9.81;

/* Three N by N blocks beside each other. */
static void beside(const double *a, const double *b, const double *c, double *J) {
    for (int i = 0; i < N; i++) {
        memcpy(J + 3 * N * i, a + N * i, N * sizeof *J);
        memcpy(J + 3 * N * i + N, b + N * i, N * sizeof *J);
        memcpy(J + 3 * N * i + 2 * N, c + N * i, N * sizeof *J);
    }
}

static void two_links(void) {
    double xd[4], by_x[4 * 4], by_u[4 * 2], J[4 * 6];
    two_link_args a = {.x = two_link_x, .u = two_link_u, .xd = xd, .xd_x = by_x, .xd_u = by_u};
    void *work = sample_workspace(two_link_workspace(&a));
    sample_must("two_link_value", two_link_value(&a, work));
    free(work);
    work = sample_workspace(two_link_jacobian_workspace(&a));
    sample_must("two_link_jacobian", two_link_jacobian(&a, work));
    free(work);
    for (int i = 0; i < 4; i++) {
        memcpy(J + 6 * i, by_x + 4 * i, 4 * sizeof *J);
        memcpy(J + 6 * i + 4, by_u + 2 * i, 2 * sizeof *J);
    }
    sample_near_all("two links: rates", 4, xd, two_link_xd);
    sample_near_all("two links: Jacobian", 4 * 6, J, two_link_jacobian_of_casadi);
}

static void torques(const double *q, const double *v, const double *a, double *tau) {
    inverse_dynamics_args args = {.N = N, .link = &link[0][0], .q = q, .v = v, .a = a, .g = g, .tau = tau};
    void *work = sample_workspace(inverse_dynamics_workspace(&args));
    sample_must("inverse_dynamics", inverse_dynamics_value(&args, work));
    free(work);
}

int main(void) {
    two_links();

    double tau[N], by_q[N * N], by_v[N * N], by_a[N * N], J[3 * N * N], mass[N * N];
    torques(arm_q, arm_v, inverse_a, tau);
    sample_near_all("torques", N, tau, inverse_tau);
    inverse_dynamics_args inverse = {.N = N,
                                     .link = &link[0][0],
                                     .q = arm_q,
                                     .v = arm_v,
                                     .a = inverse_a,
                                     .g = g,
                                     .tau_q = by_q,
                                     .tau_v = by_v,
                                     .tau_a = by_a};
    void *work = sample_workspace(inverse_dynamics_jacobian_workspace(&inverse));
    sample_must("inverse_dynamics_jacobian", inverse_dynamics_jacobian(&inverse, work));
    free(work);
    beside(by_q, by_v, by_a, J);
    sample_near_all("torques: Jacobian", 3 * N * N, J, inverse_jacobian);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) mass[N * i + j] = by_a[N * j + i];
    }
    sample_near_all("the mass matrix is symmetric", N * N, by_a, mass);

    double differences[N * N];
    for (int j = 0; j < N; j++) {
        const double h = 1e-5;
        double at[N], up[N], down[N];
        memcpy(at, arm_q, sizeof at);
        at[j] = arm_q[j] + h;
        torques(at, arm_v, inverse_a, up);
        at[j] = arm_q[j] - h;
        torques(at, arm_v, inverse_a, down);
        for (int i = 0; i < N; i++) differences[N * i + j] = (up[i] - down[i]) / (2 * h);
    }
    sample_within(1e-9, "by the angles, by differences", N * N, by_q, differences);

    double a[N], M[N * N], a_q[N * N], a_v[N * N], a_tau[N * N], unit[N * N], product[N * N] = {0};
    forward_dynamics_args forward = {.N = N,
                                     .link = &link[0][0],
                                     .q = arm_q,
                                     .v = arm_v,
                                     .tau = forward_tau,
                                     .g = g,
                                     .a = a,
                                     .M = M,
                                     .a_q = a_q,
                                     .a_v = a_v,
                                     .a_tau = a_tau};
    work = sample_workspace(forward_dynamics_workspace(&forward));
    sample_must("forward_dynamics", forward_dynamics_value(&forward, work));
    free(work);
    work = sample_workspace(forward_dynamics_jacobian_workspace(&forward));
    sample_must("forward_dynamics_jacobian", forward_dynamics_jacobian(&forward, work));
    free(work);
    sample_near_all("accelerations", N, a, forward_a);
    beside(a_q, a_v, a_tau, J);
    sample_near_all("accelerations: Jacobian", 3 * N * N, J, forward_jacobian);
    sample_near_all("the mass matrix is d tau / d a", N * N, M, by_a);
    for (int i = 0; i < N * N; i++) {
        unit[i] = i % (N + 1) == 0;
        for (int k = 0; k < N; k++) product[i] += M[i / N * N + k] * a_tau[k * N + i % N];
    }
    sample_near_all("d a / d tau is its inverse", N * N, product, unit);
    torques(arm_q, arm_v, a, tau);
    sample_near_all("their torques are those given", N, tau, forward_tau);
    return sample_end();
}
