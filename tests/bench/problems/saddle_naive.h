static REAL height(const REAL *x, const REAL *y) {
    return x[0] * x[0] + x[1] * x[1] - y[0] * y[0] - y[1] * y[1];
}
static REAL length(const REAL *v) {
    return sqrt(v[0] * v[0] + v[1] * v[1]);
}
/* One step of a descent (way -1) or an ascent (1): whether f went the right way decides. */
typedef struct Stepper {
    REAL eta, step;
    int good;
} Stepper;
static int arrived(Stepper *s, const REAL *slope) {
    s->step = s->good == 10 ? 2 * s->eta : s->eta;
    return length(slope) <= 1e-5 || s->step * length(slope) <= 1e-5;
}
static void stepped(Stepper *s, int better) {
    s->eta = better ? s->step : s->step / 2;
    s->good = !better ? 0 : s->good == 10 ? 1 : s->good + 1;
}
static REAL highest(const REAL *x, const REAL *start, REAL *y) {
    Stepper s = {1e-5, 0, 0};
    y[0] = start[0], y[1] = start[1];
    for (;;) {
        const REAL slope[2] = {-2 * y[0], -2 * y[1]};
        if (arrived(&s, slope)) return height(x, y);
        const REAL next[2] = {y[0] + s.step * slope[0], y[1] + s.step * slope[1]};
        const int better = height(x, next) > height(x, y);
        if (better) y[0] = next[0], y[1] = next[1];
        stepped(&s, better);
    }
}
static void naive_value(const REAL *start, REAL *xy) {
    Stepper s = {1e-5, 0, 0};
    REAL x[2] = {start[0], start[1]}, y[2], top = highest(x, start, y);
    for (;;) {
        const REAL slope[2] = {2 * x[0], 2 * x[1]}; /* where y is does not depend on x */
        if (arrived(&s, slope)) break;
        const REAL next[2] = {x[0] - s.step * slope[0], x[1] - s.step * slope[1]};
        const REAL lower = highest(next, start, y);
        const int better = lower < top;
        if (better) x[0] = next[0], x[1] = next[1], top = lower;
        stepped(&s, better);
    }
    highest(x, start, y);
    xy[0] = x[0], xy[1] = x[1], xy[2] = y[0], xy[3] = y[1];
}
