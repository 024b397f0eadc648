static void SET(ARGS *a) {
    a->L = L, a->T = T, a->B = B, a->x = x, a->start = start, a->w = theta, a->ends = theta + L * 8 * B;
    a->loss = out, a->w_grad = out + 1, a->ends_grad = out + 1 + L * 8 * B;
}
