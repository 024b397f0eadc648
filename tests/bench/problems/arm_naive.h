static void cross_of(const REAL *a, const REAL *b, REAL *c) {
    c[0] = a[1] * b[2] - a[2] * b[1], c[1] = a[2] * b[0] - a[0] * b[2], c[2] = a[0] * b[1] - a[1] * b[0];
}
static void rotation(const double *l, REAL q, REAL *R) { /* from the frame of a link to that before it */
    const REAL c = cos(q), s = sin(q);
    R[0] = c, R[1] = -s, R[2] = 0;
    R[3] = s * l[0], R[4] = c * l[0], R[5] = -l[1];
    R[6] = s * l[1], R[7] = c * l[1], R[8] = l[0];
}
static void outwards(const REAL *R, const REAL *v, REAL *w) {
    for (int k = 0; k < 3; k++) w[k] = R[k] * v[0] + R[3 + k] * v[1] + R[6 + k] * v[2];
}
static void inwards(const REAL *R, const REAL *v, REAL *w) {
    for (int k = 0; k < 3; k++) w[k] = R[3 * k] * v[0] + R[3 * k + 1] * v[1] + R[3 * k + 2] * v[2];
}
/* Torques of a movement: recursive Newton-Euler. */
static void torques(const REAL R[N][9], const REAL *v, const REAL *a, double gravity, REAL *tau) {
    REAL w[3], wd[3], vd[3], F[N][3], M[N][3], p[N][3], t[3], u[3], rise[3];
    for (int k = 0; k < 3; k++) w[k] = 0, wd[k] = 0, vd[k] = k == 2 ? gravity : 0;
    for (int i = 0; i < N; i++) {
        const double *l = link_of[i];
        REAL c[3] = {l[4], l[5], l[6]}, Rw[3], spin[3], Iw[3];
        p[i][0] = 0, p[i][1] = -l[1] * l[2], p[i][2] = l[0] * l[2];
        cross_of(w, p[i], t);
        cross_of(w, t, u);
        cross_of(wd, p[i], t);
        for (int k = 0; k < 3; k++) rise[k] = t[k] + u[k] + vd[k];
        outwards(R[i], w, Rw);
        outwards(R[i], wd, t);
        spin[0] = 0, spin[1] = 0, spin[2] = v[i];
        cross_of(Rw, spin, u);
        for (int k = 0; k < 3; k++) {
            w[k] = Rw[k] + spin[k];
            wd[k] = t[k] + u[k];
        }
        wd[2] += a[i];
        outwards(R[i], rise, vd);
        cross_of(w, c, t);
        cross_of(w, t, u);
        cross_of(wd, c, t);
        for (int k = 0; k < 3; k++) {
            F[i][k] = l[3] * (t[k] + u[k] + vd[k]);
            Iw[k] = l[7 + k] * w[k];
        }
        cross_of(w, Iw, t);
        cross_of(c, F[i], u);
        for (int k = 0; k < 3; k++) M[i][k] = l[7 + k] * wd[k] + t[k] + u[k];
    }
    for (int i = N - 1; i >= 0; i--) {
        tau[i] = M[i][2];
        if (i == 0) break;
        REAL Rf[3], Rn[3];
        inwards(R[i], F[i], Rf);
        inwards(R[i], M[i], Rn);
        cross_of(p[i], Rf, t);
        for (int k = 0; k < 3; k++) {
            F[i - 1][k] += Rf[k];
            M[i - 1][k] += Rn[k] + t[k];
        }
    }
}
static void naive_value(const REAL *theta_, REAL *a) {
    const REAL *q = theta_, *v = theta_ + N, *tau = theta_ + 2 * N;
    REAL R[N][9], zero[N], unit[N], rest[N], M[N][N];
    for (int i = 0; i < N; i++) {
        rotation(link_of[i], q[i], R[i]);
        zero[i] = 0, unit[i] = 0;
    }
    torques(R, v, zero, g, rest);
    for (int j = 0; j < N; j++) {
        REAL column[N];
        unit[j] = 1;
        torques(R, zero, unit, 0, column);
        unit[j] = 0;
        for (int i = 0; i < N; i++) M[i][j] = column[i];
    }
    for (int i = 0; i < N; i++) { /* Cholesky, and two triangles */
        for (int j = 0; j <= i; j++) {
            for (int k = 0; k < j; k++) M[i][j] -= M[i][k] * M[j][k];
            if (i == j) M[i][i] = sqrt(M[i][i]);
            else M[i][j] /= M[j][j];
        }
    }
    for (int i = 0; i < N; i++) {
        a[i] = tau[i] - rest[i];
        for (int k = 0; k < i; k++) a[i] -= M[i][k] * a[k];
        a[i] /= M[i][i];
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int k = i + 1; k < N; k++) a[i] -= M[k][i] * a[k];
        a[i] /= M[i][i];
    }
}
