static void SET(ARGS *a) {
    a->start = theta, a->x = out, a->y = out + 2;
}
