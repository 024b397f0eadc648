static void SET(ARGS *a) {
    a->N = N, a->link = &link_of[0][0], a->q = theta, a->v = theta + N, a->tau = theta + 2 * N, a->g = g;
    a->a = out, a->M = NULL;
    a->a_q = out + N, a->a_v = out + N + N * N, a->a_tau = out + N + 2 * N * N;
}
