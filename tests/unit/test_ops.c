/* Unit test of the rows of ops.rules.
 *   partials   central differences against the formula, and the formula in C against its template
 *   float      the float evaluator against the double one
 *   rules      both sides at moderate points, and at infinities, NaN, zeros and the ends of the
 * range: there an `exact` rule keeps every bit, and no rule makes a NaN or an infinity of a number
 *   graph      random terms, simplified as they are built, against the same terms computed step by
 * step; the canonical links */
#include "test_ops.h"
#include "rewrite.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static int passed, failed;

static void check(bool ok, const char *what, const char *detail) {
    if (ok) {
        passed++;
    } else if (failed++ < 50) {
        printf("%s: %s\n", what, detail);
    }
}

static uint64_t state = 1;
static uint32_t draw(uint32_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}
static double uniform(double lo, double hi) {
    return lo + (hi - lo) * (draw(1u << 30) + 0.5) / (1u << 30);
}

static bool close_to(double x, double y, double tolerance) {
    return x == y || (isnan(x) && isnan(y)) ||
           fabs(x - y) <= tolerance * (1 + fmax(fabs(x), fabs(y)));
}

static bool same_bits(double x, double y) {
    return (isnan(x) && isnan(y)) || (x == y && !signbit(x) == !signbit(y));
}

static double template_value(const Template *t, const double *a, double r) {
    double made[32];
    if (t->n == 0) {
        return t->root == TEMPLATE_RESULT ? r : a[TEMPLATE_ARG(t->root)];
    }
    for (int s = 0; s < t->n; s++) {
        const TemplateStep *step = &t->step[s];
        double x[3];
        for (int k = 0; k < 3; k++) {
            int g = step->arg[k];
            x[k] = g == TEMPLATE_RESULT ? r : g < 0 ? a[TEMPLATE_ARG(g)] : g < s ? made[g] : 0;
        }
        made[s] = step->op == OP_CONST    ? step->value
                  : step->op == OP_SELECT ? (x[0] != 0 ? x[1] : x[2])
                                          : op_eval((Op)step->op, x);
    }
    return made[t->n - 1];
}

/* ---- rows
 * ----------------------------------------------------------------------------------------------------------
 */

static void draw_args(const OpInfo *info, double *x) {
    for (int k = 0; k < info->arity; k++) {
        x[k] = uniform(info->test[k][0], info->test[k][1]);
        if (info->whole >> k & 1) {
            x[k] = floor(uniform(info->test[k][0], info->test[k][1] + 1));
        }
    }
}

static double slope(Op op, const double *x, int k, double h) {
    double up[3] = {x[0], x[1], x[2]}, down[3] = {x[0], x[1], x[2]};
    up[k] += h, down[k] -= h;
    return (op_eval(op, up) - op_eval(op, down)) / (up[k] - down[k]);
}

static void test_partials(void) {
    for (int i = 0; i < partial_test_count; i++) {
        const PartialTest *t = &partial_tests[i];
        const OpInfo *info = &op_info[t->op];
        for (int n = 0; n < 100; n++) {
            double x[3] = {0};
            draw_args(info, x);
            double r = op_eval(t->op, x), d = t->d(x, r), h = 2e-3;
            double seen = (4 * slope(t->op, x, t->k, h / 2) - slope(t->op, x, t->k, h)) / 3;
            char text[200];
            snprintf(text, sizeof text,
                     "argument %d at (%.17g, %.17g): formula %.17g, difference %.17g", t->k, x[0],
                     x[1], d, seen);
            check(close_to(d, seen, 1e-8), info->name, text);
            check(close_to(d, template_value(&info->partial[t->k], x, r), 1e-14), info->name,
                  "the template is not the formula");
        }
    }
}

static void test_rows(void) {
    for (int op = OP_FIRST_SCALAR; op < OP_COUNT; op++) {
        const OpInfo *info = &op_info[op];
        check(info->name && info->doc && info->c[0] && info->c[1] && info->arity >= 1 &&
                  info->arity <= 3,
              "row", info->name);
        check((info->typing == TYPING_NUMBER) == (info->c_int != NULL), info->name,
              "text for ints");
        check(info->flat == (info->partial == NULL), info->name, "flat or differentiable");
        check(info->user ? op_find(info->name) == (Op)op : op_find(info->name) == OP_NONE,
              info->name, "found by name");
        check(!info->infix || op_symbol(info->infix, info->arity) == (Op)op, info->name,
              "found by symbol");
        for (int n = 0; n < 50; n++) {
            double x[3] = {0};
            float f[3] = {0};
            draw_args(info, x);
            for (int k = 0; k < 3; k++) {
                f[k] = (float)x[k], x[k] = f[k];
            }
            char text[160];
            double wide = op_eval((Op)op, x), narrow = op_eval_float((Op)op, f);
            snprintf(text, sizeof text, "at (%.9g, %.9g): double %.9g, float %.9g", x[0], x[1],
                     wide, narrow);
            check(close_to(wide, narrow, 2e-6), info->name, text);
        }
    }
    check(op_find("nothing") == OP_NONE && op_symbol("%", 2) == OP_NONE, "lookup",
          "an unknown name");
    check(op_symbol("-", 1) == OP_neg && op_symbol("-", 2) == OP_sub, "lookup", "-");
}

/* ---- rules
 * ------------------------------------------------------------------------------------------------------------
 */

static const double extremes[] = {0,      -0.0,  1,      -1,     INFINITY, -INFINITY,
                                  NAN,    1e300, -1e300, 800,    -800,     1e-300,
                                  5e-324, 40,    -40,    0.6931, -3,       1e-9};
static const double constants[] = {2, -3, 0.5, 10, 0.1, 1};

static const Rule *rule_of(const char *text) {
    for (int k = 0; k < op_rule_count; k++) {
        if (!strcmp(op_rules[k].text, text)) {
            return &op_rules[k];
        }
    }
    return NULL;
}

static void point_text(char *text, size_t n, const RuleTest *t, const double *a, double from,
                       double to) {
    int at = snprintf(text, n, "at");
    for (int k = 0; t->vars[k]; k++) {
        at += snprintf(text + at, n - (size_t)at, " %.17g", a[k]);
    }
    snprintf(text + at, n - (size_t)at, ": %.17g becomes %.17g", from, to);
}

static void test_rule(const RuleTest *t) {
    const Rule *rule = rule_of(t->text);
    check(rule != NULL, t->text, "is in the table");
    int n = (int)strlen(t->vars), turns = 1;
    char text[400];
    double a[8] = {0};
    for (int i = 0; rule && i < 300; i++) {
        for (int k = 0; k < n; k++) {
            a[k] = t->vars[k] == 'c'   ? draw(2)
                   : t->vars[k] == 'w' ? (int)draw(7) - 3
                   : t->vars[k] == 'K' ? constants[draw(6)]
                                       : uniform(-3, 3);
        }
        double from = t->from(a), to = t->to(a);
        point_text(text, sizeof text, t, a, from, to);
        check(rule->mark == RULE_EXACT ? same_bits(from, to) : close_to(from, to, 1e-10), t->text,
              text);
        check(same_bits(from, template_value(&rule->from, a, 0)) &&
                  same_bits(to, template_value(&rule->to, a, 0)),
              t->text, "templates");
    }
    for (int k = 0; k < n; k++) {
        turns *= t->vars[k] == 'c'   ? 2
                 : t->vars[k] == 'w' ? 7
                 : t->vars[k] == 'K' ? COUNT(constants)
                                     : COUNT(extremes);
    }
    for (int i = 0; rule && i < turns; i++) {
        for (int k = 0, rest = i; k < n; k++) {
            int room = t->vars[k] == 'c'   ? 2
                       : t->vars[k] == 'w' ? 7
                       : t->vars[k] == 'K' ? COUNT(constants)
                                           : COUNT(extremes);
            a[k] = t->vars[k] == 'c'   ? rest % 2
                   : t->vars[k] == 'w' ? rest % 7 - 3
                   : t->vars[k] == 'K' ? constants[rest % room]
                                       : extremes[rest % room];
            rest /= room;
        }
        double from = t->from(a), to = t->to(a),
               scale = 1; /* what `loses` is measured against: the parts */
        for (int k = 0; k < n && rule->mark == RULE_LOSES; k++) {
            scale = isfinite(a[k]) ? fmax(scale, fabs(a[k])) : scale;
        }
        bool same = isfinite(from)
                        ? isfinite(to) && fabs(from - to) <= 1e-8 * fmax(scale, fabs(from))
                        : isnan(from) || !isnan(to);
        bool ok = rule->mark == RULE_EXACT ? same_bits(from, to) : same;
        point_text(text, sizeof text, t, a, from, to);
        check(ok, t->text, text);
    }
}

/* ---- the graph
 * -----------------------------------------------------------------------------------------------------------
 */

enum { NAMES = 4 };
static Context *cx;
static Graph *g;
static Ref name[NAMES]; /* x y z u */
static double value[NAMES];

static void graph_open_names(ValueType real) {
    static const char *const names[] = {"x", "y", "z", "u"};
    cx = context_new();
    g = graph_new(cx, "test", real);
    for (int k = 0; k < NAMES; k++) {
        name[k] = graph_read(g, graph_array(g, names[k], real, 0, NULL, NULL), NULL);
    }
}

static double term_value(Ref r) {
    const Node n = *NODE(g, r);
    double x[3] = {0};
    if (n.op == OP_CONST) {
        return n.type <= VALUE_INT ? (double)n.value.integer : n.value.real;
    }
    for (int k = 0; k < NAMES; k++) {
        if (r == name[k]) {
            return value[k];
        }
    }
    for (int k = 0; k < n.nargs; k++) {
        x[k] = term_value(ARG(g, r, k));
    }
    return n.op == OP_CAST     ? x[0]
           : n.op == OP_SELECT ? (x[0] != 0 ? x[1] : x[2])
                               : op_eval((Op)n.op, x);
}

typedef struct Pair {
    Ref term;
    double value;  /* computed step by step */
    double spread; /* the largest value on the way: what the difference may be measured against */
} Pair;

static Pair random_term(int depth) {
    static const Op ops[] = {OP_add,      OP_add,   OP_sub,  OP_sub,  OP_mul,    OP_mul,
                             OP_div,      OP_neg,   OP_neg,  OP_exp,  OP_log,    OP_sigmoid,
                             OP_softplus, OP_abs,   OP_max,  OP_min,  OP_cos,    OP_tanh,
                             OP_log1p,    OP_expm1, OP_relu, OP_sqrt, OP_SELECT, OP_SELECT};
    Pair p;
    uint32_t pick = draw(8);
    if (depth == 0 || pick == 0) {
        if (draw(3) == 0) {
            static const double few[] = {0, 1, -1, 2, 0.5, -3, 4};
            double v = few[draw(7)];
            return (Pair){graph_real(g, g->real, v), v, fabs(v)};
        }
        uint32_t k = draw(NAMES);
        return (Pair){name[k], value[k], fabs(value[k])};
    }
    Op op = ops[draw(COUNT(ops))];
    Pair a = random_term(depth - 1), b = random_term(depth - 1);
    Ref args[3] = {a.term, b.term};
    double x[3] = {a.value, b.value};
    p.spread = fmax(a.spread, b.spread);
    if (op == OP_SELECT) {
        uint32_t i = draw(NAMES), j = draw(NAMES);
        p.term = graph_select(g, graph_op2(g, OP_lt, name[i], name[j]), a.term, b.term);
        p.value = value[i] < value[j] ? a.value : b.value;
    } else {
        p.term = graph_op(g, op, args);
        p.value = op_eval(op, x);
    }
    p.spread = fmax(p.spread, fabs(p.value));
    return p;
}

/* What cancels or stands near a pole is left out: there the forms differ by more than any
 * tolerance, rightly. */
static void test_random(ValueType type, double tolerance) {
    int compared = 0;
    for (int i = 0; i < 40000; i++) {
        if (i % 2000 == 0) {
            if (cx) {
                context_free(cx);
            }
            graph_open_names(type);
        }
        for (int k = 0; k < NAMES; k++) {
            value[k] = uniform(-2, 2);
        }
        uint64_t seed = state;
        Pair p = random_term(2 + (int)draw(4)), near;
        uint64_t after = state;
        double keep[NAMES];
        memcpy(keep, value, sizeof keep);
        for (int k = 0; k < NAMES; k++) {
            value[k] *= 1 + 1e-13; /* how much does rounding of the inputs move it? */
        }
        state = seed;
        near = random_term(2 + (int)draw(4));
        memcpy(value, keep, sizeof keep);
        state = after;
        if (!isfinite(p.value) || !isfinite(near.value) || p.spread > 1e6 ||
            fabs(p.value - near.value) > 1e-10) {
            continue;
        }
        char text[1200];
        double v = term_value(p.term);
        compared++;
        snprintf(text, sizeof text, "%.17g instead of %.17g: %.1000s", v, p.value,
                 graph_term_text(g, p.term));
        check(fabs(v - p.value) <= tolerance * fmax(1, p.spread), "random term", text);
    }
    check(compared > 20000, "random terms", "too few were compared");
}

static void expect(Ref r, const char *want) {
    const char *text = graph_term_text(g, r);
    char detail[600];
    snprintf(detail, sizeof detail, "expected %s", want);
    check(!strcmp(text, want), text, detail);
}

static Ref op1(Op op, Ref x) {
    return graph_op1(g, op, x);
}
static Ref op2(Op op, Ref x, Ref y) {
    return graph_op2(g, op, x, y);
}
static Ref real(double v) {
    return graph_real(g, g->real, v);
}
static Ref partial(Op op, int k, Ref a, Ref b) {
    Ref args[3] = {a, b};
    return ops_partial(g, op, k, args, graph_op(g, op, args));
}

static void test_forms(void) {
    Ref x = name[0], y = name[1], z = name[2], zero = real(0), one = real(1);
    Ref c = op2(OP_lt, y, z), s = op1(OP_sigmoid, x), minus = op1(OP_neg, x),
        exp_x = op1(OP_exp, x);
    /* The Bernoulli cost c ? softplus(-x) : softplus(x), its two sides differentiated, masked,
     * added. */
    Ref yes = op2(OP_mul, partial(OP_softplus, 0, minus, 0), partial(OP_neg, 0, x, 0)),
        no = partial(OP_softplus, 0, x, 0);
    Ref link = op2(OP_add, graph_select(g, c, yes, zero), graph_select(g, c, zero, no));
    expect(link, "sigmoid(x) - (y < z ? 1 : 0)");
    Ref tenth = real(0.1), scaled = op2(OP_add, graph_select(g, c, op2(OP_mul, tenth, yes), zero),
                                        graph_select(g, c, zero, op2(OP_mul, tenth, no)));
    expect(scaled, "0.1 * (sigmoid(x) - (y < z ? 1 : 0))");
    Ref u = name[3];
    scaled = op2(OP_add, graph_select(g, c, op2(OP_mul, u, yes), zero),
                 graph_select(g, c, zero, op2(OP_mul, u, no)));
    expect(scaled, "u * (sigmoid(x) - (y < z ? 1 : 0))");
    scaled = op2(OP_sub, op2(OP_mul, u, s), graph_select(g, c, u, zero));
    expect(scaled, "u * (sigmoid(x) - (y < z ? 1 : 0))");
    /* A real target. */
    Ref rest = op2(OP_sub, one, y);
    link = op2(OP_add, op2(OP_mul, y, yes), op2(OP_mul, rest, no));
    expect(link, "sigmoid(x) - y");
    /* Half the squared error, by x. */
    Ref d = op2(OP_sub, x, y), half = real(0.5);
    link = op2(OP_add, op2(OP_mul, half, d), op2(OP_mul, half, d));
    expect(link, "x - y");
    expect(op2(OP_div, d, real(2)), "0.5 * (x - y)");
    /* Stable forms. */
    expect(op1(OP_log, op2(OP_add, one, exp_x)), "softplus(x)");
    expect(op1(OP_log, op2(OP_add, exp_x, one)), "softplus(x)");
    expect(op1(OP_log, s), "-softplus(-x)");
    expect(op1(OP_log, op2(OP_sub, one, s)), "-softplus(x)");
    expect(op2(OP_div, one, op2(OP_add, one, op1(OP_exp, minus))), "sigmoid(x)");
    expect(op2(OP_div, exp_x, op2(OP_add, one, exp_x)), "sigmoid(x)");
    expect(op1(OP_log, op2(OP_sub, one, op1(OP_exp, minus))), "log1mexp(-x)");
    expect(op1(OP_log, op2(OP_add, exp_x, op1(OP_exp, y))), "logaddexp(x, y)");
    expect(op2(OP_sub, exp_x, one), "expm1(x)");
    expect(op1(OP_log, op2(OP_add, x, one)), "log1p(x)");
    /* Signs and constants. */
    expect(op2(OP_mul, real(-1), x), "-x");
    expect(op2(OP_sub, x, op1(OP_neg, y)), "x + y");
    expect(op2(OP_add, minus, y), "y - x");
    expect(op2(OP_mul, real(2), op2(OP_mul, op2(OP_mul, real(3), x), y)), "6 * (x * y)");
    expect(op2(OP_mul, minus, op1(OP_neg, y)), "x * y");
    expect(op2(OP_div, x, real(3)), "x / 3");
    expect(op2(OP_mul, real(1e300), op2(OP_mul, real(1e300), x)), "1e+300 * (1e+300 * x)");
    expect(op2(OP_mul, zero, x), "0 * x");
    expect(op2(OP_sub, x, x), "x - x");
    /* Folding: never what would differ between machines, nor to infinity or NaN. */
    expect(op1(OP_sqrt, real(2)), "1.4142135623730951");
    expect(op1(OP_sqrt, real(-2)), "sqrt(-2)");
    expect(op1(OP_log, real(2)), "log(2)");
    expect(op2(OP_div, one, zero), "1 / 0");
    expect(op2(OP_powi, real(3), graph_int(g, -2)), "0.1111111111111111");
    /* Partials: whole exponents, and values at edges. */
    expect(partial(OP_powi, 0, x, graph_int(g, 3)), "3 * (x * x)");
    expect(partial(OP_polygamma, 1, graph_int(g, 1), x), "polygamma(2, x)");
    expect(partial(OP_sigmoid, 0, x, 0), "sigmoid(x) * (1 - sigmoid(x))");
    check(ops_partial(g, OP_sign, 0, &x, x) == 0, "sign", "has no derivative");
    static const struct {
        Op op;
        int k;
        double x[2], d;
    } edges[] = {
        {OP_abs, 0, {0, 0}, 0},
        {OP_relu, 0, {0, 0}, 0},
        {OP_max, 0, {1, 1}, 1},
        {OP_max, 1, {1, 1}, 0},
        {OP_min, 0, {1, 1}, 1},
        {OP_min, 1, {1, 1}, 0},
        {OP_pow, 1, {0, 2}, 0},
        {OP_pow, 0, {0, 0}, 0},
        {OP_powi, 0, {0, 0}, 0},
        {OP_hypot, 0, {0, 0}, 0},
        {OP_atan2, 0, {0, 0}, 0},
        {OP_atan2, 1, {0, 0}, 0},
        {OP_sigmoid, 0, {-900, 0}, 0},
        {OP_softplus, 0, {900, 0}, 1},
        {OP_softplus, 0, {-900, 0}, 0},
        {OP_logaddexp, 0, {-INFINITY, -INFINITY}, 0},
        {OP_tanh, 0, {900, 0}, 0},
        {OP_atan2, 0, {1e-200, 1e200}, 1e-200},
        {OP_log1mexp, 0, {-900, 0}, -0.0},
        {OP_weight, 1, {-INFINITY, -INFINITY}, -0.0},
    };
    for (int i = 0; i < COUNT(edges); i++) {
        const OpInfo *info = &op_info[edges[i].op];
        double got = template_value(&info->partial[edges[i].k], edges[i].x,
                                    op_eval(edges[i].op, edges[i].x));
        char text[160];
        snprintf(text, sizeof text, "at (%g, %g) by argument %d: %.17g", edges[i].x[0],
                 edges[i].x[1], edges[i].k, got);
        check(got == edges[i].d, info->name, text);
    }
}

int main(void) {
    test_rows();
    test_partials();
    for (int i = 0; i < rule_test_count; i++) {
        test_rule(&rule_tests[i]);
    }
    test_random(VALUE_DOUBLE, 1e-10);
    test_random(VALUE_FLOAT, 1e-5);
    context_free(cx);
    graph_open_names(VALUE_DOUBLE);
    test_forms();
    context_free(cx);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
