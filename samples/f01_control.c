/* F1: optimal control. A car parks sideways: from rest to rest, two metres to the left, in ten
 * seconds. NLopt finds the 80 controls, with bounds on each. The gradient through the recurrence of
 * the states is the recurrence of the costates backwards (Pontryagin), and the Hessian times a
 * direction makes Newton's method of it, without the Hessian: conjugate gradients solve for the
 * step. */
#include "f01_control.h"
#include "common/flat.h"
#include "common/rng.h"

#include <nlopt.h>

enum { T = 40, N = 2 * T };

static const double start[4] = {0, 0, 0, 0}, goal[4] = {0, 2, 0, 0}, h = 0.25, r = 0.02;
static const double most[2] = {1.5, 0.6}; /* acceleration; the angle of the wheels */

/* States and costates by hand: l[T] is the gradient of the cost by the last state, and
 * l[t] = A' l[t + 1] with the Jacobian A of a step by its state; g has the step's by its controls.
 */
static double by_hand(const double *u, double x[T + 1][4], double *g) {
    double l[4], cost = 0;
    memcpy(x[0], start, sizeof start);
    for (int t = 0; t < T; t++) {
        const double *s = x[t];
        x[t + 1][0] = s[0] + h * s[3] * cos(s[2]);
        x[t + 1][1] = s[1] + h * s[3] * sin(s[2]);
        x[t + 1][2] = s[2] + h * s[3] * tan(u[2 * t + 1]);
        x[t + 1][3] = s[3] + h * u[2 * t];
        cost += r * (u[2 * t] * u[2 * t] + u[2 * t + 1] * u[2 * t + 1]);
    }
    for (int i = 0; i < 4; i++) l[i] = 2 * (x[T][i] - goal[i]), cost += l[i] * l[i] / 4;
    for (int t = T - 1; t >= 0; t--) {
        const double *s = x[t];
        const double c = cos(u[2 * t + 1]);
        g[2 * t] = h * l[3] + 2 * r * u[2 * t];
        g[2 * t + 1] = h * s[3] / (c * c) * l[2] + 2 * r * u[2 * t + 1];
        l[3] += h * (cos(s[2]) * l[0] + sin(s[2]) * l[1] + tan(u[2 * t + 1]) * l[2]);
        l[2] += h * s[3] * (cos(s[2]) * l[1] - sin(s[2]) * l[0]);
    }
    return cost;
}

static double nlopt_cost(unsigned n, const double *u, double *g, void *flat) {
    (void)n;
    return flat_call(flat, u, g);
}

static double dot(const double *a, const double *b) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += a[i] * b[i];
    return sum;
}

/* H v of the cost at the controls of `a`. */
static void hessian_times(f01_control_args a, void *work, const double *v, double *Hv) {
    a.u_d = v, a.u_hd = Hv;
    sample_must("hvp", f01_control_hvp(&a, work));
}

/* One step of Newton's method among the controls that are not at their bounds. */
static void newton(const f01_control_args *a, void *work, const int *at_bound, const double *g,
                   double *u) {
    double d[N] = {0}, rest[N], p[N], Hp[N], size = 0;
    for (int i = 0; i < N; i++) p[i] = rest[i] = at_bound[i] ? 0 : -g[i];
    size = dot(rest, rest);
    for (int turn = 0; turn < 4 * N && size > 1e-30; turn++) {
        hessian_times(*a, work, p, Hp);
        for (int i = 0; i < N; i++) Hp[i] = at_bound[i] ? 0 : Hp[i];
        double step = size / dot(p, Hp), before = size;
        for (int i = 0; i < N; i++) d[i] += step * p[i], rest[i] -= step * Hp[i];
        size = dot(rest, rest);
        for (int i = 0; i < N; i++) p[i] = rest[i] + size / before * p[i];
    }
    for (int i = 0; i < N; i++) u[i] += d[i];
}

int main(void) {
    double u[N], g[N], x[T + 1][4], tx[T + 1][4], tg[N], low[N], high[N];
    Rng rng = {50};
    for (int i = 0; i < N; i++) {
        u[i] = 0.1 * rng_normal(&rng); /* at 0 nothing says whether to begin with left or right */
        high[i] = most[i % 2], low[i] = -high[i];
    }
    f01_control_args a = {.T = T, .x0 = start, .goal = goal, .h = h, .r = r, .x = &x[0][0], .u = u};
    Flat flat = flat_new(&f01_control_model, &a, "cost");
    void *work = sample_workspace(f01_control_hvp_workspace(&a));

    double cost = flat_call(&flat, u, g), want = by_hand(u, tx, tg);
    sample_near("cost", cost, want);
    sample_near_all("states", 4 * (T + 1), &x[0][0], &tx[0][0]);
    sample_near_all("gradient, by costates", N, g, tg);

    /* The Hessian: symmetric, and what differences of the gradient say. */
    double v[N], w[N], Hv[N], Hw[N], moved[N], up[N], down[N];
    for (int i = 0; i < N; i++) v[i] = rng_normal(&rng), w[i] = rng_normal(&rng);
    hessian_times(a, work, v, Hv);
    hessian_times(a, work, w, Hw);
    sample_near("w . H v = v . H w", dot(w, Hv), dot(v, Hw));
    for (int i = 0; i < N; i++) moved[i] = u[i] + 1e-5 * v[i];
    by_hand(moved, tx, up);
    for (int i = 0; i < N; i++) moved[i] = u[i] - 1e-5 * v[i];
    by_hand(moved, tx, down);
    for (int i = 0; i < N; i++) up[i] = (up[i] - down[i]) / 2e-5;
    sample_within(1e-8, "H v, by differences", N, Hv, up);

    /* The plan. */
    double least = 0;
    nlopt_opt o = nlopt_create(NLOPT_LD_LBFGS, N);
    nlopt_set_min_objective(o, nlopt_cost, &flat);
    nlopt_set_lower_bounds(o, low);
    nlopt_set_upper_bounds(o, high);
    nlopt_set_ftol_rel(o, 1e-9);
    nlopt_set_maxeval(o, 5000);
    nlopt_result status = nlopt_optimize(o, u, &least);
    printf("  NLopt: %s after %d evaluations, cost %.4f, before %.4f\n",
           nlopt_result_to_string(status), nlopt_get_numevals(o), least, cost);
    nlopt_destroy(o);
    sample_true("NLopt came to the end", status > 0 && status != NLOPT_MAXEVAL_REACHED);

    /* Where it is least, the gradient is 0, or points out of the bound where the control is. */
    int at_bound[N], held = 0, outwards = 1;
    for (int i = 0; i < N; i++) held += at_bound[i] = u[i] == low[i] || u[i] == high[i];
    for (int step = 0;; step++) {
        double worst = 0;
        flat_call(&flat, u, g);
        a.u = u; /* flat_call has set it to the same */
        for (int i = 0; i < N; i++) {
            if (at_bound[i]) outwards = outwards && g[i] * u[i] < 0;
            else worst = fmax(worst, fabs(g[i]));
        }
        printf("  after %d steps of Newton's method: gradient %.1e\n", step, worst);
        if (step == 4) {
            sample_true("the gradient is 0 between the bounds", worst < 1e-12);
            break;
        }
        newton(&a, work, at_bound, g, u);
    }
    printf("  %d of %d controls are at their bounds\n", held, N);
    sample_true("and leads out of the bounds", outwards && held > 0);
    double near[N] = {0};
    for (int i = 0; i < 4; i++) near[i] = x[T][i] - goal[i];
    printf("  the car stands at %.3f, %.3f; heading %.3f, speed %.3f\n", x[T][0], x[T][1], x[T][2],
           x[T][3]);
    sample_true("parked", dot(near, near) < 0.05);
    free(work);
    flat_free(&flat);
    return sample_end();
}
