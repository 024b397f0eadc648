static void naive_value(const REAL *c, REAL *value) {
    REAL f = 0, best, d2, d;
    for (int i = 0; i < N; i++) {
        best = INFINITY;
        for (int k = 0; k < K; k++) {
            d2 = 0;
            for (int j = 0; j < D; j++) {
                d = x[i * D + j] - c[k * D + j];
                d2 += d * d;
            }
            best = d2 < best ? d2 : best;
        }
        f += best;
    }
    value[0] = f;
}
