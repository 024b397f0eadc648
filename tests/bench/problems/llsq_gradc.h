static void set_args(ARGS *a, double *f, double *grad) {
    a->N = N, a->M = M, a->x = theta, a->f = f, a->x_grad = grad;
}
