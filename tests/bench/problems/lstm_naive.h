static REAL naive_sigmoid(REAL v) {
    return 1 / (1 + exp(-v));
}
static void naive_value(const REAL *p, REAL *value) {
    const REAL *ends = p + L * 8 * B;
    REAL *h = new_reals(L * B), *c = new_reals(L * B), *u = new_reals(B), loss = 0, sum;
    for (int l = 0; l < L; l++)
        for (int i = 0; i < B; i++) h[l * B + i] = start[(2 * l) * B + i], c[l * B + i] = start[(2 * l + 1) * B + i];
    for (int t = 0; t < T - 1; t++) {
        for (int i = 0; i < B; i++) u[i] = x[t * B + i] * ends[i];
        for (int l = 0; l < L; l++) {
            const REAL *w = p + l * 8 * B, *b = w + 4 * B;
            for (int i = 0; i < B; i++) {
                REAL forget = naive_sigmoid(u[i] * w[i] + b[i]), enter = naive_sigmoid(h[l * B + i] * w[B + i] + b[B + i]),
                     leave = naive_sigmoid(u[i] * w[2 * B + i] + b[2 * B + i]),
                     change = tanh(h[l * B + i] * w[3 * B + i] + b[3 * B + i]);
                c[l * B + i] = c[l * B + i] * forget + enter * change;
                h[l * B + i] = leave * tanh(c[l * B + i]);
                u[i] = h[l * B + i];
            }
        }
        sum = 2;
        for (int i = 0; i < B; i++) {
            u[i] = u[i] * ends[B + i] + ends[2 * B + i];
            sum += exp(u[i]);
        }
        sum = log(sum);
        for (int i = 0; i < B; i++) loss -= x[(t + 1) * B + i] * (u[i] - sum);
    }
    free_reals(h), free_reals(c), free_reals(u);
    value[0] = loss / ((T - 1) * B);
}
