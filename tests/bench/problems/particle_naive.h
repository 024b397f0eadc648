/* One flight, and by how much it misses; d: the derivative of that by w, carried along. */
static REAL naive_flight(REAL w, REAL *d, int with) {
    REAL x = 0, y = 8, u = 0.75, v = 0, dx = 0, dy = 0, du = 0, dv = 0;
    REAL x0 = x, y0 = y, u0 = u, v0 = v, dx0 = dx, dy0 = dy, du0 = du, dv0 = dv;
    while (y > 0) {
        x0 = x, y0 = y, u0 = u, v0 = v;
        const REAL a = x - 10, b = y - 10 + w, p = a * a + b * b, q = a * a + y * y;
        const REAL p3 = 1 / (p * sqrt(p)), q3 = 1 / (q * sqrt(q));
        if (with) {
            dx0 = dx, dy0 = dy, du0 = du, dv0 = dv;
            const REAL db = dy0 + 1, dp = -3 * p3 / p * (a * dx0 + b * db), dq = -3 * q3 / q * (a * dx0 + y * dy0);
            dx = dx0 + 0.1 * du0;
            dy = dy0 + 0.1 * dv0;
            du = du0 + 0.1 * ((p3 + q3) * dx0 + a * (dp + dq));
            dv = dv0 + 0.1 * (p3 * db + b * dp + q3 * dy0 + y * dq);
        }
        x = x0 + 0.1 * u0;
        y = y0 + 0.1 * v0;
        u = u0 + 0.1 * a * (p3 + q3);
        v = v0 + 0.1 * (b * p3 + y0 * q3);
    }
    const REAL s = -y0 / v0, miss = x0 + s * u0;
    if (with) {
        const REAL ds = -(dy0 + s * dv0) / v0;
        *d = 2 * miss * (dx0 + ds * u0 + s * du0);
    }
    return miss * miss;
}
static void naive_value(const REAL *start, REAL *value) {
    REAL w = start[0], none = 0, slope = 0, f = naive_flight(w, &none, 0), eta = 1e-5;
    int down = 0, fresh = 1;
    for (;;) {
        if (fresh) naive_flight(w, &slope, 1);
        const REAL step = down == 10 ? 2 * eta : eta;
        if (fabs(slope) <= 1e-5 || fabs(step * slope) <= 1e-5) break;
        const REAL next = w - step * slope, lower = naive_flight(next, &none, 0);
        fresh = lower < f;
        if (fresh) {
            w = next;
            f = lower;
            eta = step;
            down = down == 10 ? 1 : down + 1;
        } else {
            eta = step / 2;
            down = 0;
        }
    }
    value[0] = w;
}
