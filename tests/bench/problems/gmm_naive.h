static void naive_value(const REAL *p, REAL *value) {
    const REAL *alpha = p, *mu = p + K, *q = mu + K * D, *l = q + K * D;
    REAL *beta = new_reals(K), *xc = new_reals(D), *y = new_reals(D), *Q = new_reals(K * D), *sum_q = new_reals(K);
    REAL f = -N * D * 0.5 * log(2 * M_PI), wishart = 0, most, sum, norm;
    for (int k = 0; k < K; k++) {
        sum_q[k] = 0;
        for (int d = 0; d < D; d++) {
            Q[k * D + d] = exp(q[k * D + d]);
            sum_q[k] += q[k * D + d];
        }
    }
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < K; k++) {
            const REAL *lk = l + k * T;
            for (int d = 0; d < D; d++) xc[d] = x[i * D + d] - mu[k * D + d];
            for (int r = 0; r < D; r++) y[r] = Q[k * D + r] * xc[r];
            for (int c = 0; c < D; c++) { /* what is below the diagonal lies in columns */
                for (int r = c + 1; r < D; r++) y[r] += *lk++ * xc[c];
            }
            norm = 0;
            for (int r = 0; r < D; r++) norm += y[r] * y[r];
            beta[k] = alpha[k] + sum_q[k] - 0.5 * norm;
        }
        most = beta[0];
        for (int k = 1; k < K; k++)
            if (beta[k] > most) most = beta[k];
        sum = 0;
        for (int k = 0; k < K; k++) sum += exp(beta[k] - most);
        f += most + log(sum);
    }
    most = alpha[0];
    for (int k = 1; k < K; k++)
        if (alpha[k] > most) most = alpha[k];
    sum = 0;
    for (int k = 0; k < K; k++) sum += exp(alpha[k] - most);
    f -= N * (most + log(sum));
    for (int k = 0; k < K; k++) {
        norm = 0;
        for (int d = 0; d < D; d++) norm += Q[k * D + d] * Q[k * D + d];
        for (int t = 0; t < T; t++) norm += l[k * T + t] * l[k * T + t];
        wishart += m_ * sum_q[k] - 0.5 * gamma_ * gamma_ * norm;
    }
    const int nu = D + m_ + 1;
    double c = nu * D * (log(gamma_) - 0.5 * log(2.0)) - D * (D - 1) / 4.0 * log(M_PI);
    for (int j = 0; j < D; j++) c -= lgamma((nu - j) / 2.0);
    f += wishart + K * c;
    free_reals(beta), free_reals(xc), free_reals(y), free_reals(Q), free_reals(sum_q);
    value[0] = f;
}
