static void set_args(ARGS *a, double *f, double *grad) {
    a->N = N, a->x = theta, a->f = f, a->x_grad = grad;
}
