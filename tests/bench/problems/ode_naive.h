static void slope(const REAL *p, const REAL *y, REAL *v) {
    v[0] = p[0];
    for (int i = 1; i < N; i++) v[i] = p[i] * y[i - 1];
}
static void naive_value(const REAL *p, REAL *value) {
    const double h = 2.0 / S;
    REAL *y = new_reals(N), *z = new_reals(N), *k1 = new_reals(N), *k2 = new_reals(N), *k3 = new_reals(N),
         *k4 = new_reals(N);
    for (int i = 0; i < N; i++) y[i] = 0;
    for (int t = 0; t < S; t++) {
        slope(p, y, k1);
        for (int i = 0; i < N; i++) z[i] = y[i] + h * k1[i] / 2;
        slope(p, z, k2);
        for (int i = 0; i < N; i++) z[i] = y[i] + h * k2[i] / 2;
        slope(p, z, k3);
        for (int i = 0; i < N; i++) z[i] = y[i] + h * k3[i];
        slope(p, z, k4);
        for (int i = 0; i < N; i++) y[i] += h * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6;
    }
    REAL last = y[N - 1];
    free_reals(y), free_reals(z), free_reals(k1), free_reals(k2), free_reals(k3), free_reals(k4);
    value[0] = last;
}
