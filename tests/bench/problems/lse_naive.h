static void naive_value(const REAL *v, REAL *value) {
    REAL most = v[0], sum = 0;
    for (int i = 1; i < N; i++) most = most < v[i] ? v[i] : most;
    for (int i = 0; i < N; i++) sum += exp(v[i] - most);
    value[0] = most + log(sum);
}
