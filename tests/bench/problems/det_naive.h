static REAL expansion(const REAL *A, int n) {
    if (n == 1) return A[0];
    REAL *M = new_reals((n - 1) * (n - 1)), d = 0;
    for (int j = 0; j < n; j++) {
        for (int r = 1; r < n; r++) {
            for (int c = 0; c < n - 1; c++) M[(r - 1) * (n - 1) + c] = A[r * n + (c < j ? c : c + 1)];
        }
        const REAL term = A[j] * expansion(M, n - 1);
        if (j % 2 == 0) d += term;
        else d -= term;
    }
    free_reals(M);
    return d;
}
static void naive_value(const REAL *p, REAL *value) {
    value[0] = expansion(p, L);
}
