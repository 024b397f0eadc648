static void SET(ARGS *a) {
    a->N = N, a->S = S, a->x = theta, a->last = out, a->x_grad = out + 1;
}
