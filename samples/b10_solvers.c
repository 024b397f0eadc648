/* B10: functions made by gradc in the hands of GSL (multimin, multifit) and NLopt. The problem is
 * Misra1a of the Statistical Reference Datasets of NIST: 14 measured points, two parameters, two
 * starts, and a solution that NIST certifies to 11 digits. */
#include "b10_solvers.h"
#include "common/sample.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_multimin.h>
#include <nlopt.h>

enum { N = 14, P = 2 };

static const double y[N] = {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                            44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};
static const double x[N] = {77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                            378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
static const double starts[2][P] = {{5, 1}, {2.5, 5}}; /* 500 and 0.0001, 250 and 0.0005 */
static const double certified[P] = {2.3894212918, 5.5015643181};
static const double certified_squares = 1.2455138894e-01;

static void *work; /* large enough for all of the functions */

/* What is the same in every call; copied, and completed with what one call reads and writes. */
static const b10_solvers_args given = {.N = N, .x = x, .y = y};

/* ---- for GSL: vectors, and `params` for the caller's own ------------------------------------- */

static void squares_both(const gsl_vector *b, void *params, double *value, gsl_vector *g) {
    b10_solvers_args a = given;
    (void)params;
    a.b = b->data, a.squares = value, a.b_squares_grad = g->data; /* their stride is 1 */
    sample_must("squares", b10_solvers_gradient_squares_value_and_gradient(&a, work));
}

static void squares_gradient(const gsl_vector *b, void *params, gsl_vector *g) {
    double value;
    squares_both(b, params, &value, g);
}

static double squares(const gsl_vector *b, void *params) {
    b10_solvers_args a = given;
    double value;
    (void)params;
    a.b = b->data, a.squares = &value; /* what stays NULL is not written */
    sample_must("value", b10_solvers_value(&a, work));
    return value;
}

static int rest(const gsl_vector *b, void *params, gsl_vector *r) {
    b10_solvers_args a = given;
    (void)params;
    a.b = b->data, a.rest = r->data;
    return b10_solvers_value(&a, work) ? GSL_FAILURE : GSL_SUCCESS;
}

static int rest_jacobian(const gsl_vector *b, void *params, gsl_matrix *J) {
    b10_solvers_args a = given;
    (void)params;
    a.b = b->data, a.rest_b = J->data; /* row-major, as GSL's; J->tda is P */
    return b10_solvers_jacobian(&a, work) ? GSL_FAILURE : GSL_SUCCESS;
}

/* ---- for NLopt: arrays; the gradient is NULL where it is not wanted -------------------------- */

static double nlopt_squares(unsigned n, const double *b, double *g, void *data) {
    b10_solvers_args a = given;
    double value;
    (void)n, (void)data;
    a.b = b, a.squares = &value, a.b_squares_grad = g;
    sample_must("squares", b10_solvers_gradient_squares_value_and_gradient(&a, work));
    return value;
}

static double nlopt_slope(unsigned n, const double *b, double *g, void *most) {
    b10_solvers_args a = given;
    double value;
    (void)n;
    a.b = b, a.slope = &value, a.b_slope_grad = g;
    sample_must("slope", b10_solvers_gradient_slope_value_and_gradient(&a, work));
    return value - *(double *)most;
}

static void solved(const char *by, int turns, const double *b, double digits) {
    double value = nlopt_squares(P, b, NULL, NULL);
    printf("  %s: %d steps\n", by, turns);
    sample_within(digits, "height and rate", P, b, certified);
    sample_within(digits, "sum of squares", 1, &value, &certified_squares);
}

int main(void) {
    size_t size = b10_solvers_workspace(&given),
           more[] = {b10_solvers_gradient_squares_workspace(&given),
                     b10_solvers_gradient_slope_workspace(&given),
                     b10_solvers_jacobian_workspace(&given)};
    for (int i = 0; i < 3; i++) size = more[i] > size ? more[i] : size;
    work = sample_workspace(size);

    for (int s = 0; s < 2; s++) {
        printf("  from %g and %g\n", starts[s][0], starts[s][1]);
        gsl_vector *b = gsl_vector_alloc(P);

        /* Minimisers with the gradient. */
        const gsl_multimin_fdfminimizer_type *const ways[] = {
            gsl_multimin_fdfminimizer_vector_bfgs2, gsl_multimin_fdfminimizer_conjugate_pr};
        for (int i = 0; i < 2; i++) {
            gsl_multimin_function_fdf f = {squares, squares_gradient, squares_both, P, NULL};
            gsl_multimin_fdfminimizer *m = gsl_multimin_fdfminimizer_alloc(ways[i], P);
            int turns = 0;
            for (int k = 0; k < P; k++) gsl_vector_set(b, k, starts[s][k]);
            gsl_multimin_fdfminimizer_set(m, &f, b, 0.01, 0.1);
            while (turns < 10000 && gsl_multimin_fdfminimizer_iterate(m) == GSL_SUCCESS) {
                turns++;
                if (gsl_multimin_test_gradient(m->gradient, 1e-11) == GSL_SUCCESS) break;
            }
            solved(gsl_multimin_fdfminimizer_name(m), turns, m->x->data, 1e-7);
            gsl_multimin_fdfminimizer_free(m);
        }

        /* Levenberg and Marquardt's way, with the Jacobian. */
        gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
        gsl_multifit_nlinear_fdf f = {
            .f = rest, .df = rest_jacobian, .n = N, .p = P}; /* no second derivatives */
        gsl_multifit_nlinear_workspace *w =
            gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, N, P);
        int info;
        for (int k = 0; k < P; k++) gsl_vector_set(b, k, starts[s][k]);
        gsl_multifit_nlinear_init(b, &f, w);
        sample_must("multifit",
                    gsl_multifit_nlinear_driver(200, 1e-12, 1e-12, 0, NULL, NULL, &info, w));
        solved("trust region", (int)gsl_multifit_nlinear_niter(w),
               gsl_multifit_nlinear_position(w)->data, 1e-10);
        gsl_multifit_nlinear_free(w);
        gsl_vector_free(b);

        /* NLopt: one interface, several algorithms. */
        const nlopt_algorithm algorithms[] = {NLOPT_LD_LBFGS, NLOPT_LD_SLSQP, NLOPT_LD_TNEWTON};
        for (int i = 0; i < 3; i++) {
            nlopt_opt o = nlopt_create(algorithms[i], P);
            double q[P] = {starts[s][0], starts[s][1]}, least;
            const double low[P] = {0.01, 0.1};
            nlopt_set_min_objective(o, nlopt_squares, NULL);
            nlopt_set_lower_bounds(o, low);
            nlopt_set_xtol_rel(o, 1e-14);
            nlopt_set_maxeval(o, 10000);
            nlopt_result status = nlopt_optimize(o, q, &least);
            if (status < 0 && status != NLOPT_ROUNDOFF_LIMITED) {
                printf("  NLopt: %s\n", nlopt_result_to_string(status));
            }
            solved(nlopt_algorithm_name(algorithms[i]), nlopt_get_numevals(o), q, 1e-8);
            nlopt_destroy(o);
        }
    }

    /* With a condition on another output: the curve may not rise faster than 0.13 at first. Where
     * it is least then, the two gradients point against each other. */
    double most = 0.13, q[P] = {2.5, 5}, least, slope, g[P], c[P];
    nlopt_opt o = nlopt_create(NLOPT_LD_SLSQP, P);
    nlopt_set_min_objective(o, nlopt_squares, NULL);
    nlopt_add_inequality_constraint(o, nlopt_slope, &most, 1e-12);
    nlopt_set_xtol_rel(o, 1e-14);
    nlopt_set_maxeval(o, 1000);
    nlopt_result status = nlopt_optimize(o, q, &least);
    nlopt_squares(P, q, g, NULL);
    slope = most + nlopt_slope(P, q, c, &most);
    printf("  with slope <= 0.13: %s, height %.4f, rate %.4f\n", nlopt_result_to_string(status),
           q[0], q[1]);
    sample_within(1e-10, "the slope is as large as it may be", 1, &slope, &most);
    sample_true("more than without", least > certified_squares);
    double cosine = (g[0] * c[0] + g[1] * c[1]) / hypot(g[0], g[1]) / hypot(c[0], c[1]);
    sample_within(1e-8, "cosine between the gradients", 1, &cosine, &(double){-1});
    nlopt_destroy(o);
    free(work);
    return sample_end();
}
