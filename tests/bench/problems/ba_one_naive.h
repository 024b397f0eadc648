#include "project.h"
static void naive_value(const REAL *p, REAL *err) {
    REAL at[2];
    project(p, p + CAMERA, at);
    for (int e = 0; e < 2; e++) err[e] = p[CAMERA + 3] * (at[e] - feat[e]);
}
