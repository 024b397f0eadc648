#include "project.h"
static void naive_value(const REAL *p, REAL *err) {
    (void)p;
    for (int i = 0; i < P; i++) {
        REAL at[2];
        project(cam + CAMERA * camera[i], X + 3 * point[i], at);
        for (int e = 0; e < 2; e++) err[2 * i + e] = w[i] * (at[e] - feat[2 * i + e]);
    }
    for (int i = 0; i < P; i++) err[2 * P + i] = 1 - w[i] * w[i];
}
