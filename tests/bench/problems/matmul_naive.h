static void naive_value(const REAL *p, REAL *c) {
    const REAL *a = p, *b = p + N * N;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) c[i * N + j] = 0;
        for (int k = 0; k < N; k++) {
            for (int j = 0; j < N; j++) c[i * N + j] += a[i * N + k] * b[k * N + j];
        }
    }
}
