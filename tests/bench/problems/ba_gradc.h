static void SET(ARGS *a) {
    a->N = N, a->M = M, a->P = P, a->cam = cam, a->X = X, a->w = w, a->feat = feat;
    a->c = camera, a->x = point, a->err = out, a->werr = out + 2 * P;
#ifdef DERIVATIVE
    a->J = out + 3 * P, a->Jw = out + 3 * P + 2 * ROW * P;
#define AFTERWARDS write_pattern();
#endif
}
