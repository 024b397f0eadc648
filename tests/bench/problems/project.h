/* Where a camera sees a point: turned about its centre (Rodrigues), projected, distorted, scaled, moved. */
static void project(const REAL *cam, const REAL *X, REAL *p) {
    REAL d[3], P[3], k[3], cross[3], t2 = 0, kd = 0;
    for (int i = 0; i < 3; i++) {
        d[i] = X[i] - cam[3 + i];
        t2 += cam[i] * cam[i];
    }
    if (t2 > 0) {
        const REAL t = sqrt(t2), c = cos(t), s = sin(t);
        for (int i = 0; i < 3; i++) {
            k[i] = cam[i] / t;
            kd += k[i] * d[i];
        }
        for (int i = 0; i < 3; i++) cross[i] = k[(i + 1) % 3] * d[(i + 2) % 3] - k[(i + 2) % 3] * d[(i + 1) % 3];
        for (int i = 0; i < 3; i++) P[i] = d[i] * c + cross[i] * s + k[i] * (kd * (1 - c));
    } else {
        for (int i = 0; i < 3; i++)
            P[i] = d[i] + cam[(i + 1) % 3] * d[(i + 2) % 3] - cam[(i + 2) % 3] * d[(i + 1) % 3];
    }
    const REAL x = P[0] / P[2], y = P[1] / P[2], q = x * x + y * y, scale = 1 + cam[9] * q + cam[10] * q * q;
    p[0] = x * scale * cam[6] + cam[7];
    p[1] = y * scale * cam[6] + cam[8];
}
