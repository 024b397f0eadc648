static void SET(ARGS *a) {
    a->V = V, a->T = T, a->C = C, a->theta = theta, a->us = us, a->parent = parent, a->base = base;
    a->inverse_base = inverse_base, a->position = position, a->weight = weight, a->point = measured;
    a->mirrored = 0, a->corner = corner, a->which = which, a->err = out;
#ifdef DERIVATIVE
    a->J = out + 3 * C;
#endif
}
