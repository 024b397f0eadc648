static void set_args(ARGS *a, double *f, double *grad) {
    a->N = N, a->S = S, a->x = theta, a->end = NULL, a->last = f, a->x_grad = grad;
}
