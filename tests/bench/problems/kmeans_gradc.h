#define OUTPUTS_ARE_DERIVATIVES
static void set_args(ARGS *a, double *f, double *step) {
    a->N = N, a->K = K, a->D = D, a->x = x, a->c = theta, a->cost = f, a->step = step;
}
