static void SET(ARGS *a) {
    a->L = L, a->S = SUBSETS, a->A = theta, a->size = set_size, a->col = col, a->less = less;
    a->d = out, a->A_grad = out + 1;
}
