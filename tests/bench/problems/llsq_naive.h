static void naive_value(const REAL *c, REAL *value) {
    REAL f = 0;
    for (int i = 0; i < N; i++) {
        const double t = -1 + 2.0 * i / (N - 1);
        REAL y = t > 0 ? 1 : t < 0 ? -1 : 0;
        double power = 1;
        for (int j = 0; j < M; j++) {
            y -= c[j] * power;
            power *= t;
        }
        f += y * y;
    }
    value[0] = f / 2;
}
