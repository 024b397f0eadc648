static void SET(ARGS *a) {
    a->N = N, a->M = M, a->x = theta, a->f = out, a->x_grad = out + 1;
}
