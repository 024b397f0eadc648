static void set_args(ARGS *a, double *f, double *grad) {
    a->L = L, a->T = T, a->B = B, a->x = x, a->start = start, a->w = theta, a->ends = theta + L * 8 * B;
    a->loss = f, a->w_grad = grad, a->ends_grad = grad + L * 8 * B;
}
