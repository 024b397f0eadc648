/* o = a b, matrices by columns: a has n rows and k columns, b has m columns. As from a library: for any sizes. */
static __attribute__((noipa)) void product(int n, int k, int m, const REAL *a, const REAL *b, REAL *o) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < m; j++) {
            o[j * n + i] = a[i] * b[j * k];
            for (int l = 1; l < k; l++) o[j * n + i] += a[l * n + i] * b[j * k + l];
        }
    }
}
static void by_columns(const double *rows, REAL *o) {
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) o[4 * j + i] = rows[4 * i + j];
    }
}
/* Rz Rx, as a frame */
static void bend(REAL x, REAL z, REAL *o) {
    for (int k = 0; k < 16; k++) o[k] = 0;
    o[0] = cos(z), o[4] = -sin(z) * cos(x), o[8] = sin(z) * sin(x);
    o[1] = sin(z), o[5] = cos(z) * cos(x), o[9] = -cos(z) * sin(x);
    o[6] = sin(x), o[10] = cos(x), o[15] = 1;
}
static void turn(const REAL *r, REAL *R) {
    const REAL t = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
    for (int i = 0; i < 9; i++) R[i] = i % 4 == 0;
    if (t < 1e-4) return;
    const REAL x = r[0] / t, y = r[1] / t, z = r[2] / t, s = sin(t), c = cos(t), u = 1 - c;
    R[0] = x * x * u + c, R[3] = x * y * u - z * s, R[6] = x * z * u + y * s;
    R[1] = x * y * u + z * s, R[4] = y * y * u + c, R[7] = y * z * u - x * s;
    R[2] = x * z * u - y * s, R[5] = y * z * u + x * s, R[8] = z * z * u + c;
}
static void naive_value(const REAL *p, REAL *err) {
    REAL *at = new_reals(3 * V), *moved = new_reals(4 * V), *frame = new_reals(16 * BONES), R[9];
    for (int b = 0; b < BONES; b++) {
        const int finger = (b - 2) / 4, joint = (b - 2) % 4;
        REAL E[16], own[16], B[16];
        if (b < 2 || joint == 3) bend(0, 0, E);
        else if (joint == 0) bend(p[6 + 4 * finger], p[7 + 4 * finger], E);
        else bend(p[7 + 4 * finger + joint], 0, E);
        by_columns(base + 16 * b, B);
        product(4, 4, 4, B, E, own);
        if (parent[b] < 0) {
            for (int k = 0; k < 16; k++) frame[k] = own[k];
        } else {
            product(4, 4, 4, frame + 16 * parent[b], own, frame + 16 * b);
        }
    }
    for (int v = 0; v < 3 * V; v++) at[v] = 0;
    for (int b = 0; b < BONES; b++) {
        REAL B[16], G[16];
        by_columns(inverse_base + 16 * b, B);
        product(4, 4, 4, frame + 16 * b, B, G);
        product(4, 4, V, G, position, moved);
        for (int v = 0; v < V; v++) {
            for (int i = 0; i < 3; i++) at[3 * v + i] += moved[4 * v + i] * weight[v * BONES + b];
        }
    }
    turn(p, R);
    product(3, 3, V, R, at, moved);
    for (int v = 0; v < V; v++) {
        for (int i = 0; i < 3; i++) at[3 * v + i] = moved[3 * v + i] + p[3 + i];
    }
    for (int c = 0; c < C; c++) {
        const int32_t *v = corner + 3 * which[c];
        const double u0 = us[2 * c], u1 = us[2 * c + 1];
        for (int i = 0; i < 3; i++) {
            err[3 * c + i] = measured[3 * c + i] -
                             (u0 * at[3 * v[0] + i] + u1 * at[3 * v[1] + i] + (1 - u0 - u1) * at[3 * v[2] + i]);
        }
    }
    free_reals(at), free_reals(moved), free_reals(frame);
}
