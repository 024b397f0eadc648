static void SET(ARGS *a) {
    const double *p = theta;
    double *grad = out + 1;
    a->N = N, a->K = K, a->D = D, a->x = x, a->m = m_, a->gamma = gamma_;
    a->alpha = p, a->mu = p + K, a->q = p + K + K * D, a->l = p + K + 2 * K * D;
    a->F = out;
    a->alpha_grad = grad, a->mu_grad = grad + K, a->q_grad = grad + K + K * D;
    a->l_grad = grad + K + 2 * K * D;
}
