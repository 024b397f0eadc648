static void set_args(ARGS *a, double *f, double *grad) {
    const double *p = theta;
    a->N = N, a->K = K, a->D = D, a->x = x, a->m = m_, a->gamma = gamma_;
    a->alpha = p, a->mu = p + K, a->q = p + K + K * D, a->l = p + K + 2 * K * D;
    a->F = f;
    a->alpha_grad = grad, a->mu_grad = grad + K, a->q_grad = grad + K + K * D;
    a->l_grad = grad + K + 2 * K * D;
}
