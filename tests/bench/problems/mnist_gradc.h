static void SET(ARGS *a) {
    a->B = B, a->x = x, a->y = y;
    a->V = theta, a->bV = a->V + H * D, a->W = a->bV + H, a->bW = a->W + C * H;
    a->loss = out, a->f = NULL, a->guess = NULL;
    a->V_grad = out + 1, a->bV_grad = a->V_grad + H * D, a->W_grad = a->bV_grad + H, a->bW_grad = a->W_grad + C * H;
}
