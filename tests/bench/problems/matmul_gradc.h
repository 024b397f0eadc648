static void SET(ARGS *a) {
    a->M = N, a->K = N, a->N = N, a->A = theta, a->B = theta + N * N, a->C = out;
}
