static REAL naive_sigmoid(REAL v) {
    return 1 / (1 + exp(-v));
}
static void naive_value(const REAL *p, REAL *loss) {
    const REAL *b = p + (I + H) * G;
    REAL h[H], c[H], z[G], sum = 0;
    for (int i = 0; i < H; i++) h[i] = start[i], c[i] = start[H + i];
    for (int t = 0; t < T; t++) {
        for (int g = 0; g < G; g++) {
            z[g] = b[g];
            for (int i = 0; i < I; i++) z[g] += p[i * G + g] * x[t * I + i];
            for (int i = 0; i < H; i++) z[g] += p[(I + i) * G + g] * h[i];
        }
        for (int i = 0; i < H; i++) {
            c[i] = naive_sigmoid(z[H + i]) * c[i] + naive_sigmoid(z[i]) * tanh(z[3 * H + i]);
            h[i] = naive_sigmoid(z[2 * H + i]) * tanh(c[i]);
            sum += (h[i] - y[t * H + i]) * (h[i] - y[t * H + i]);
        }
    }
    loss[0] = sum;
}
