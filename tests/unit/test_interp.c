/* Unit test of interp: graphs made by hand, values known by hand. Then each operation's derivative
 * as the interpreter has it, against differences of the operation's value. */
#include "../../compiler/interp.h"
#include "../../compiler/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition) check((condition), #condition, __LINE__)
static void check(bool ok, const char *text, int line) {
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: %s\n", __FILE__, line, text);
}

static bool near(double x, double y) {
    return x == y || fabs(x - y) <= 1e-12 * (1 + fabs(y));
}

/* ---- making graphs ---- */

static Context *cx;
static Graph *g;
static Interp *in;
static Number out;

static void start(void) {
    if (cx) context_free(cx);
    cx = context_new();
    g = graph_new(cx, "m", VALUE_DOUBLE);
}

static const Poly *size(int64_t n) {
    return poly_int(g->arena, n);
}

static ArrayRef array(const char *name, ValueType type, int rank, int64_t n, int64_t m) {
    const Poly *extent[2] = {size(n), size(m)};
    static const char *const axes[] = {"i", "j"};
    return graph_array(g, name, type, rank, extent, axes);
}

static ArrayRef input(const char *name, ValueType type, int rank, int64_t n) {
    ArrayRef a = array(name, type, rank, n, 0);
    ARRAY(g, a)->role = ARRAY_INPUT;
    return a;
}

static Ref axis(ArrayRef a, int k) {
    return ARRAY(g, a)->axis[k];
}

static Ref read(ArrayRef a, Ref position) {
    return graph_read(g, a, &position);
}

static Ref plus(Ref x, int64_t k) {
    return graph_op2(g, OP_add, x, graph_int(g, k));
}

static ArrayRef number(const char *name, Ref body) {
    ArrayRef a = array(name, (ValueType)NODE(g, body)->type, 0, 0, 0);
    graph_piece(g, a, NULL, NULL, body, (Span){0});
    return a;
}

static void piece(ArrayRef a, int64_t lo, int64_t hi, Ref body) {
    const Poly *low = size(lo), *high = size(hi);
    graph_piece(g, a, &low, &high, body, (Span){0});
}

static Ref real(double v) {
    return graph_real(g, VALUE_DOUBLE, v);
}

static Ref reduce(Reduction kind, ArrayRef x, int64_t n) {
    Ref i = graph_index(g, "k", size(n));
    return graph_reduce(g, kind, i, graph_bool(g, true), read(x, i));
}

static double value(ArrayRef a) {
    return interp_entry(in, a, 0, &out) ? out.v : NAN;
}

/* ---- tests ---- */

static void test_sum(void) {
    const double data[] = {1, -2, 3, 0.5};
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 1, 4);
    Ref i = graph_index(g, "k", size(4)), xi = read(x, i);
    ArrayRef s =
        number("s", graph_reduce(g, RED_SUM, i, graph_bool(g, true), graph_op2(g, OP_mul, xi, xi)));
    in = interp_new(g, NULL);
    CHECK(!interp_entry(in, s, 0, &out) && interp_status(in) == INTERP_NO_DATA);
    interp_bind_real(in, x, data);
    CHECK(value(s) == 14.25 && out.d[0] == 0);
    interp_reset(in);
    interp_seed(in, x, 1, 0);
    interp_seed(in, x, 3, 2);
    CHECK(value(s) == 14.25 && out.d[0] == -4 && out.d[1] == 0 && out.d[2] == 1);
    interp_reset(in);
    CHECK(value(s) == 14.25 && out.d[0] == 0 && out.d[2] == 0);
    CHECK(!interp_entry(in, x, 4, &out) && interp_status(in) == INTERP_BROKEN);
    interp_free(in);
}

static void test_dims(void) {
    const double data[] = {1, 2, 3, 4, 5, 6};
    const int64_t sizes[] = {0, 6}, small[] = {0, 1};
    start();
    Ref n = graph_dim(g, "N", 1);
    const Poly *p = poly_var(g->arena, n), *less = poly_sub(g->arena, p, size(2));
    static const char *const axes[] = {"i"};
    ArrayRef x = graph_array(g, "x", VALUE_DOUBLE, 1, &p, axes),
             y = graph_array(g, "y", VALUE_DOUBLE, 1, &less, axes);
    ARRAY(g, x)->role = ARRAY_INPUT;
    graph_piece(g, y, NULL, NULL,
                graph_op2(g, OP_mul, read(x, plus(axis(y, 0), 2)), graph_cast(g, VALUE_DOUBLE, n)),
                (Span){0});
    const Poly *half =
        poly_scale(g->arena, poly_mul(g->arena, p, poly_sub(g->arena, p, size(1))), 1, 2);
    int64_t many;
    in = interp_new(g, sizes);
    interp_bind_real(in, x, data);
    CHECK(interp_entries(in, y) == 4 && interp_extent(in, x, 0) == 6 &&
          interp_size(in, half, &many) && many == 15);
    const int64_t at = 3;
    CHECK(interp_value(in, y, &at, &out) && out.v == 36);
    interp_free(in);
    in = interp_new(g, small);
    CHECK(interp_entries(in, y) == -1 && interp_status(in) == INTERP_SIZE);
    CHECK(!interp_entry(in, y, 0, &out) && interp_status(in) == INTERP_SIZE);
    interp_free(in);
}

static void test_pieces(void) {
    start();
    ArrayRef a = array("a", VALUE_DOUBLE, 1, 6, 0), z = array("z", VALUE_DOUBLE, 1, 6, 0),
             w = array("w", VALUE_INT, 1, 6, 0);
    piece(a, 0, 0, real(1));
    piece(a, 1, 5, graph_op2(g, OP_mul, real(3), read(a, plus(axis(a, 0), -1))));
    piece(z, 1, 3, real(10));
    piece(z, 2, 4, graph_cast(g, VALUE_DOUBLE, axis(z, 0)));
    piece(w, 0, 3, axis(w, 0));
    piece(w, 3, 4, axis(w, 0));
    in = interp_new(g, NULL);
    CHECK(interp_entry(in, a, 5, &out) && out.v == 243);
    static const double expect[] = {0, 10, 12, 13, 4, 0};
    for (int k = 0; k < 6; k++) CHECK(interp_entry(in, z, k, &out) && out.v == expect[k]);
    CHECK(interp_entry(in, w, 2, &out) && out.i == 2);
    CHECK(interp_entry(in, w, 5, &out) && out.i == 0);
    CHECK(!interp_entry(in, w, 3, &out) && interp_status(in) == INTERP_BROKEN);
    CHECK(interp_entry(in, w, 4, &out) && out.i == 4);
    interp_free(in);
}

static void test_long_recurrence(void) {
    enum { N = 100000 };
    start();
    /* a[t + 1] = 0.999 a[t] + b[t], b[t] = 0.001 a[t]: both stay at a[0]. Backwards too: c[t - 1] =
     * c[t] + 1. */
    ArrayRef x = input("x", VALUE_DOUBLE, 0, 0), a = array("a", VALUE_DOUBLE, 1, N + 1, 0),
             b = array("b", VALUE_DOUBLE, 1, N, 0);
    ArrayRef c = array("c", VALUE_INT, 1, N + 1, 0);
    piece(a, 0, 0, graph_read(g, x, NULL));
    Ref before = plus(axis(a, 0), -1);
    piece(
        a, 1, N,
        graph_op2(g, OP_add, graph_op2(g, OP_mul, real(0.999), read(a, before)), read(b, before)));
    graph_piece(g, b, NULL, NULL, graph_op2(g, OP_mul, real(0.001), read(a, axis(b, 0))),
                (Span){0});
    piece(c, N, N, graph_int(g, 7));
    piece(c, 0, N - 1, plus(read(c, plus(axis(c, 0), 1)), 1));
    const double data = 2;
    in = interp_new(g, NULL);
    interp_bind_real(in, x, &data);
    interp_seed(in, x, 0, 0);
    CHECK(interp_entry(in, a, N, &out) && fabs(out.v - 2) < 1e-9 && fabs(out.d[0] - 1) < 1e-9);
    CHECK(interp_steps(in) < 30 * (int64_t)N);
    CHECK(interp_entry(in, c, 0, &out) && out.i == N + 7);
    interp_free(in);
}

static void test_circles(void) {
    enum { N = 20000 };
    static int64_t next[N];
    start();
    ArrayRef n = input("next", VALUE_INT, 1, N), a = array("a", VALUE_DOUBLE, 1, N, 0);
    ARRAY(g, n)->target = size(N);
    graph_piece(g, a, NULL, NULL, graph_op2(g, OP_add, read(a, read(n, axis(a, 0))), real(1)),
                (Span){0});
    for (int k = 0; k < N; k++) next[k] = (k + 1) % N;
    in = interp_new(g, NULL);
    interp_bind_int(in, n, next);
    CHECK(!interp_entry(in, a, 5, &out) && interp_status(in) == INTERP_CIRCLE);
    CHECK(!interp_entry(in, a, 5, &out) &&
          interp_status(in) == INTERP_CIRCLE); /* the failure left no trace */
    next[3] = 3;
    interp_reset(in);
    CHECK(!interp_entry(in, a, 2, &out) && interp_status(in) == INTERP_CIRCLE &&
          strstr(interp_message(in), "a[3]"));
    interp_free(in);
}

static void test_lazy(void) {
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 0, 0), u = input("u", VALUE_INT, 0, 0),
             t = input("t", VALUE_DOUBLE, 1, 3);
    Ref xr = graph_read(g, x, NULL), ur = graph_read(g, u, NULL);
    Ref inside = graph_op2(g, OP_le, graph_int(g, 0), ur);
    Ref at = read(t, graph_checked(g, ur, graph_int(g, 0), graph_int(g, 3)));
    ArrayRef s = number("s", graph_select(g, inside, at, graph_op1(g, OP_exp, xr)));
    ArrayRef both = number("both", graph_op2(g, OP_and, inside, graph_op2(g, OP_gt, at, real(0))));
    ArrayRef either = number(
        "either", graph_op2(g, OP_or, graph_not(g, inside), graph_op2(g, OP_gt, at, real(0))));
    const double xd = 0.5, td[] = {-1, 2, 3};
    int64_t ud = -1;
    in = interp_new(g, NULL);
    interp_bind_real(in, x, &xd);
    interp_bind_real(in, t, td);
    interp_bind_int(in, u, &ud);
    interp_seed(in, x, 0, 0);
    interp_seed(in, t, 1, 1);
    CHECK(value(s) == exp(0.5) && near(out.d[0], exp(0.5)) && out.d[1] == 0);
    CHECK(interp_entry(in, both, 0, &out) && out.i == 0);
    CHECK(interp_entry(in, either, 0, &out) && out.i == 1);
    ud = 1;
    interp_reset(in);
    interp_seed(in, t, 1, 1);
    CHECK(value(s) == 2 && out.d[0] == 0 && out.d[1] == 1);
    CHECK(interp_entry(in, both, 0, &out) && out.i == 1);
    ud = 3;
    interp_reset(in);
    CHECK(!interp_entry(in, s, 0, &out) && interp_status(in) == INTERP_RANGE &&
          strstr(interp_message(in), "0..2"));
    ud = 0;
    interp_reset(in);
    CHECK(value(s) == -1);
    CHECK(interp_entry(in, both, 0, &out) && out.i == 0);
    interp_free(in);
}

static void test_reductions(void) {
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 1, 3), e = input("e", VALUE_DOUBLE, 1, 3);
    ArrayRef lse = number("lse", reduce(RED_LOGSUMEXP, x, 3)),
             prod = number("prod", reduce(RED_PROD, e, 3));
    ArrayRef max = number("max", reduce(RED_MAX, e, 3)), min = number("min", reduce(RED_MIN, e, 3));
    ArrayRef first = number("first", reduce(RED_ARGMAX, e, 3)),
             last = number("last", reduce(RED_ARGMIN, e, 3));
    Ref i = graph_index(g, "k", size(3)), above = graph_op2(g, OP_gt, read(e, i), real(100));
    ArrayRef none = number("none", graph_reduce(g, RED_MAX, i, above, read(e, i)));
    Ref j = graph_index(g, "k", size(3)), above_j = graph_op2(g, OP_gt, read(e, j), real(100));
    ArrayRef empty = number("empty", graph_reduce(g, RED_LOGSUMEXP, j, above_j, read(e, j)));
    Ref count = graph_index(g, "k", size(3)),
        above_k = graph_op2(g, OP_gt, read(e, count), real(100));
    ArrayRef some = number(
        "some", graph_nonempty(g, graph_reduce(g, RED_SUM, count, above_k, graph_int(g, 1))));
    double xd[] = {0, 1000, 1}, ed[] = {4, 0, 4};
    in = interp_new(g, NULL);
    interp_bind_real(in, x, xd);
    interp_bind_real(in, e, ed);
    for (int k = 0; k < 3; k++) interp_seed(in, x, k, k);
    CHECK(value(lse) == 1000 && out.d[0] == 0 && out.d[1] == 1 && out.d[2] == 0);
    xd[0] = xd[1] = log(2), xd[2] = log(4);
    interp_reset(in);
    for (int k = 0; k < 3; k++) interp_seed(in, x, k, k);
    CHECK(near(value(lse), log(8)) && near(out.d[0], 0.25) && near(out.d[1], 0.25) &&
          near(out.d[2], 0.5));
    xd[0] = xd[1] = xd[2] = -INFINITY;
    interp_reset(in);
    interp_seed(in, x, 0, 0);
    CHECK(value(lse) == -INFINITY && out.d[0] == 0);
    xd[1] = INFINITY;
    interp_reset(in);
    CHECK(value(lse) == INFINITY);
    CHECK(value(empty) == -INFINITY);
    interp_reset(in);
    for (int k = 0; k < 3; k++) interp_seed(in, e, k, k);
    CHECK(value(prod) == 0 && out.d[0] == 0 && out.d[1] == 16 && out.d[2] == 0);
    CHECK(value(max) == 4 && out.d[0] == 1 && out.d[2] == 0);
    CHECK(value(min) == 0 && out.d[1] == 1 && out.d[0] == 0);
    CHECK(interp_entry(in, first, 0, &out) && out.i == 0);
    CHECK(interp_entry(in, last, 0, &out) && out.i == 1);
    CHECK(!interp_entry(in, none, 0, &out) && interp_status(in) == INTERP_EMPTY);
    CHECK(!interp_entry(in, some, 0, &out) && interp_status(in) == INTERP_EMPTY);
    interp_free(in);
}

/* sum over i < 4 of sum over j <= i of (x[i] - x[j])^2, with the inner sum used twice. */
static void test_nested(void) {
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 1, 4);
    Ref i = graph_index(g, "i", size(4)), j = graph_index(g, "j", size(4));
    Ref d = graph_op2(g, OP_sub, read(x, i), read(x, j));
    Ref inner = graph_reduce(g, RED_SUM, j, graph_op2(g, OP_le, j, i), graph_op2(g, OP_mul, d, d));
    Ref term = graph_op2(g, OP_mul, inner, graph_op1(g, OP_sin, inner));
    ArrayRef s = number("s", graph_reduce(g, RED_SUM, i, graph_bool(g, true), term));
    const double data[] = {0.1, 0.7, -0.4, 1.2};
    double expect = 0, slope = 0;
    for (int p = 0; p < 4; p++) {
        double q = 0, dq = 0;
        for (int r = 0; r <= p; r++) {
            q += (data[p] - data[r]) * (data[p] - data[r]);
            dq += 2 * (data[p] - data[r]) * ((p == 2) - (r == 2));
        }
        expect += q * sin(q);
        slope += dq * (sin(q) + q * cos(q));
    }
    in = interp_new(g, NULL);
    interp_bind_real(in, x, data);
    interp_seed(in, x, 2, 3);
    CHECK(near(value(s), expect) && near(out.d[3], slope));
    /* The same as a term with a free index. */
    Ref free = graph_index(g, "p", size(4)), at = graph_subst(g, term, 1, &i, &free);
    interp_free(in);
    in = interp_new(g, NULL);
    interp_bind_real(in, x, data);
    double sum = 0;
    for (int64_t p = 0; p < 4; p++) sum += interp_term(in, at, 1, &free, &p, &out) ? out.v : NAN;
    CHECK(near(sum, expect));
    interp_free(in);
}

static void test_sharing(void) {
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 1, 3);
    Ref i = graph_index(g, "i", size(3)), t = read(x, i);
    for (int k = 0; k < 60; k++)
        t = graph_op2(g, OP_mul, graph_op1(g, OP_sin, t), graph_op1(g, OP_cos, t));
    ArrayRef s = number("s", graph_reduce(g, RED_SUM, i, graph_bool(g, true), t));
    const double data[] = {0.5, 0.25, 0.125};
    double expect = 0;
    for (int k = 0; k < 3; k++) {
        double v = data[k];
        for (int n = 0; n < 60; n++) v = sin(v) * cos(v);
        expect += v;
    }
    in = interp_new(g, NULL);
    interp_bind_real(in, x, data);
    CHECK(near(value(s), expect) && interp_steps(in) < 1000);
    interp_free(in);
}

static void test_integers(void) {
    start();
    ArrayRef u = input("u", VALUE_INT, 0, 0), v = input("v", VALUE_INT, 0, 0);
    Ref ur = graph_read(g, u, NULL), vr = graph_read(g, v, NULL);
    ArrayRef sum = number("sum", graph_op2(g, OP_add, ur, vr)),
             most = number("most", graph_op2(g, OP_max, ur, vr));
    ArrayRef less = number("less", graph_op2(g, OP_lt, ur, vr)),
             back = number("back", graph_op1(g, OP_neg, ur));
    int64_t ud = INT64_MAX, vd = -1;
    in = interp_new(g, NULL);
    interp_bind_int(in, u, &ud);
    interp_bind_int(in, v, &vd);
    CHECK(interp_entry(in, sum, 0, &out) && out.i == INT64_MAX - 1);
    CHECK(interp_entry(in, most, 0, &out) && out.i == INT64_MAX);
    CHECK(interp_entry(in, less, 0, &out) && out.i == 0);
    vd = 1;
    interp_reset(in);
    CHECK(!interp_entry(in, sum, 0, &out) && interp_status(in) == INTERP_OVERFLOW);
    ud = INT64_MIN;
    interp_reset(in);
    CHECK(!interp_entry(in, back, 0, &out) && interp_status(in) == INTERP_OVERFLOW);
    CHECK(interp_entry(in, less, 0, &out) && out.i == 1);
    interp_free(in);
    start();
    ArrayRef x = input("x", VALUE_DOUBLE, 0, 0),
             n = number("n", graph_op1(g, OP_trunc, graph_read(g, x, NULL)));
    double xd = -2.75;
    in = interp_new(g, NULL);
    interp_bind_real(in, x, &xd);
    CHECK(interp_entry(in, n, 0, &out) && out.i == -2);
    xd = 1e30;
    interp_reset(in);
    CHECK(!interp_entry(in, n, 0, &out) && interp_status(in) == INTERP_RANGE);
    xd = NAN;
    interp_reset(in);
    CHECK(!interp_entry(in, n, 0, &out) && interp_status(in) == INTERP_RANGE);
    interp_free(in);
}

static void test_held(void) {
    start();
    /* b = 2 x, e = b^2 x: with b held, de/db = 2 b x and de/dx = b^2. */
    ArrayRef x = input("x", VALUE_DOUBLE, 0, 0),
             b = number("b", graph_op2(g, OP_mul, real(2), graph_read(g, x, NULL)));
    Ref br = graph_read(g, b, NULL);
    ArrayRef e =
        number("e", graph_op2(g, OP_mul, graph_op2(g, OP_mul, br, br), graph_read(g, x, NULL)));
    const double xd = 3, bd = 6;
    in = interp_new(g, NULL);
    interp_bind_real(in, x, &xd);
    interp_seed(in, x, 0, 0);
    CHECK(value(e) == 108 && near(out.d[0], 108));
    interp_bind_real(in, b, &bd);
    interp_reset(in);
    interp_seed(in, x, 0, 0);
    interp_seed(in, b, 0, 1);
    CHECK(value(e) == 108 && near(out.d[0], 36) && near(out.d[1], 36));
    interp_bind_real(in, b, NULL);
    interp_reset(in);
    CHECK(value(e) == 108);
    interp_free(in);
}

/* At ties and corners: section 8 of the language. */
static void test_kinks(void) {
    static const struct {
        Op op;
        double x, y, dx, dy;
    } rows[] = {
        {OP_relu, 0, 0, 0, 0}, {OP_abs, 0, 0, 0, 0},  {OP_max, 2, 2, 1, 0},
        {OP_min, 2, 2, 1, 0},  {OP_sign, 0, 0, 0, 0}, {OP_pow, 0, 2, 0, 0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        start();
        ArrayRef x = input("x", VALUE_DOUBLE, 0, 0), y = input("y", VALUE_DOUBLE, 0, 0);
        Ref args[2] = {graph_read(g, x, NULL), graph_read(g, y, NULL)};
        ArrayRef f = number("f", graph_op(g, rows[k].op, args));
        in = interp_new(g, NULL);
        interp_bind_real(in, x, &rows[k].x);
        interp_bind_real(in, y, &rows[k].y);
        interp_seed(in, x, 0, 0);
        interp_seed(in, y, 0, 1);
        (void)value(f);
        CHECK(out.d[0] == rows[k].dx && out.d[1] == rows[k].dy);
        interp_free(in);
    }
}

static bool takes_whole(Op op, int k) {
    return (!strcmp(op_info[op].name, "powi") && k == 1) ||
           (!strcmp(op_info[op].name, "polygamma") && k == 0);
}

static double slope(Op op, const double *x, int k) { /* Richardson, one step */
    double at[3] = {x[0], x[1], x[2]}, d[2];
    for (int n = 0; n < 2; n++) {
        double h = (n ? 0.5e-3 : 1e-3) * fmax(0.5, fabs(x[k]));
        volatile double up = x[k] + h, down = x[k] - h;
        at[k] = up;
        double high = op_eval(op, at);
        at[k] = down;
        d[n] = (high - op_eval(op, at)) / (up - down);
    }
    return d[1] + (d[1] - d[0]) / 3;
}

static void test_operations(void) {
    for (int op = OP_FIRST_SCALAR; op < OP_COUNT; op++) {
        const OpInfo *info = &op_info[op];
        if ((info->typing != TYPING_REAL && info->typing != TYPING_NUMBER) || info->flat) continue;
        for (int n = 0; n < 5; n++) {
            double x[3] = {0, 0, 0};
            Ref args[3];
            ArrayRef given[3] = {0, 0, 0};
            start();
            for (int k = 0; k < info->arity; k++) {
                static const double shares[3][5] = {{0.1, 0.35, 0.62, 0.8, 0.93},
                                                    {0.77, 0.15, 0.55, 0.29, 0.9},
                                                    {0.5, 0.3, 0.8, 0.2, 0.6}};
                x[k] = info->test[k][0] + shares[k][n] * (info->test[k][1] - info->test[k][0]);
                static const char *const names[] = {"x", "y", "z"};
                if (takes_whole((Op)op, k)) {
                    x[k] = floor(x[k]);
                    args[k] = graph_int(g, (int64_t)x[k]);
                } else {
                    given[k] = input(names[k], VALUE_DOUBLE, 0, 0);
                    args[k] = graph_read(g, given[k], NULL);
                }
            }
            ArrayRef f = number("f", graph_op(g, (Op)op, args));
            in = interp_new(g, NULL);
            for (int k = 0; k < info->arity; k++) {
                if (!given[k]) continue;
                interp_bind_real(in, given[k], &x[k]);
                interp_seed(in, given[k], 0, k);
            }
            double v = value(f), exact = op_eval((Op)op, x);
            bool good = near(v, exact);
            for (int k = 0; k < info->arity; k++) {
                double expect = given[k] ? slope((Op)op, x, k) : 0;
                good = good && fabs(out.d[k] - expect) <= 1e-7 * (1 + fabs(expect));
            }
            if (!good)
                printf("%s(%g, %g): %.17g, expected %.17g; slopes %.12g %.12g, expected %.12g\n",
                       info->name, x[0], x[1], v, exact, out.d[0], out.d[1],
                       given[0] ? slope((Op)op, x, 0) : 0);
            CHECK(good);
            interp_free(in);
        }
    }
}

int main(void) {
    test_sum();
    test_dims();
    test_pieces();
    test_long_recurrence();
    test_circles();
    test_lazy();
    test_reductions();
    test_nested();
    test_sharing();
    test_integers();
    test_held();
    test_kinks();
    test_operations();
    context_free(cx);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
