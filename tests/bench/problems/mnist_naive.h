static void naive_value(const REAL *p, REAL *loss) {
    const REAL *b = p + H * D, *W = b + H, *b2 = W + C * H;
    REAL h[H], f[C], sum = 0;
    for (int n = 0; n < B; n++) {
        for (int j = 0; j < H; j++) {
            REAL s = b[j];
            for (int i = 0; i < D; i++) s += p[j * D + i] * x[n * D + i];
            h[j] = tanhf(s);
        }
        REAL most = -INFINITY, total = 0;
        for (int c = 0; c < C; c++) {
            f[c] = b2[c];
            for (int j = 0; j < H; j++) f[c] += W[c * H + j] * h[j];
            if (f[c] > most) most = f[c];
        }
        for (int c = 0; c < C; c++) total += expf(f[c] - most);
        sum += most + logf(total) - f[y[n]];
    }
    loss[0] = sum / (REAL)B;
}
