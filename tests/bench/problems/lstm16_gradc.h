static void SET(ARGS *a) {
    a->T = T, a->I = I, a->H = H, a->x = x, a->y = y, a->start = start;
    a->W = theta, a->U = a->W + I * G, a->b = a->U + H * G, a->loss = out;
    a->W_grad = out + 1, a->U_grad = a->W_grad + I * G, a->b_grad = a->U_grad + H * G;
}
