static void SET(ARGS *a) {
    a->start = theta[0], a->w = out;
}
