static void SET(ARGS *a) {
    a->cam = theta, a->X = theta + CAMERA, a->w = theta[CAMERA + 3], a->feat = feat, a->err = out;
#ifdef DERIVATIVE
    a->J = out + 2;
#endif
}
