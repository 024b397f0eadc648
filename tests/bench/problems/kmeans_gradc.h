static void SET(ARGS *a) {
    a->N = N, a->K = K, a->D = D, a->x = x, a->c = theta, a->cost = out;
#ifdef DERIVATIVE
    a->gradient = out + 1, a->diagonal = out + 1 + n_theta;
#endif
}
