/* rewrite: instantiates the templates that rulec made of ops.rules, and matches rules against terms
 * as they are built. In: an operation and its arguments. Out: another term, or 0. What the rules
 * cannot say, since it asks for the value of a constant, is in canonical_*: signs stand outside of
 * products and sums, a quotient by a power of two is a product. */
#include "rewrite.h"
#include <float.h>
#include <math.h>

enum { MOST_STEPS = 24, MOST_VARS = 8 };

static ValueType type_of(const Graph *g, Ref r) {
    return (ValueType)NODE(g, r)->type;
}

static bool is_constant(const Graph *g, Ref r) {
    return NODE(g, r)->op == OP_CONST;
}

/* ---- templates
 * -------------------------------------------------------------------------------------------------------
 */

/* A constant step takes the type of its neighbour: n - 1 is an int where n is one. */
static Ref constant_for(Graph *g, double value, int op, int k, const Ref *args, ValueType type) {
    bool whole = value == floor(value) && fabs(value) < 1e15;
    if (op != OP_SELECT && op_info[op].whole >> k & 1) {
        type = VALUE_INT;
    } else if (whole && (op == OP_SELECT || op_info[op].typing == TYPING_NUMBER ||
                         op_info[op].typing == TYPING_COMPARE)) {
        for (int j = op == OP_SELECT; j < (op == OP_SELECT ? 3 : op_info[op].arity); j++) {
            type = args[j] && type_of(g, args[j]) == VALUE_INT ? VALUE_INT : type;
        }
    }
    return type == VALUE_INT ? graph_int(g, (int64_t)value) : graph_real(g, type, value);
}

/* Does a constant that a rule computed fit? It may be 0 only where no product or quotient
 * underflowed to it. */
static bool constant_fits(const Graph *g, Op op, Ref r) {
    double v;
    if (!graph_is_real(g, r, &v)) {
        return false;
    }
    bool scaled = op == OP_mul || op == OP_div;
    return type_of(g, r) == VALUE_INT || (!scaled && v == 0) ||
           fabs(v) >= (type_of(g, r) == VALUE_FLOAT ? FLT_MIN : DBL_MIN);
}

/* The term that t describes. In the right side of a rule, what is made of constants alone must
 * fold; else 0. */
static Ref instantiate(Graph *g, const Template *t, const Ref *bound, Ref result, ValueType type,
                       bool must_fold) {
    Ref made[MOST_STEPS] = {0};
    if (t->n > MOST_STEPS) {
        bug("a template of %d steps", t->n);
    }
    if (t->n == 0) {
        return t->root == TEMPLATE_RESULT ? result : bound[TEMPLATE_ARG(t->root)];
    }
    for (int s = 0; s < t->n; s++) {
        const TemplateStep *step = &t->step[s];
        Ref args[3] = {0};
        int n = step->op == OP_CONST ? 0 : step->op == OP_SELECT ? 3 : op_info[step->op].arity;
        bool constant = true;
        for (int k = 0; k < n; k++) {
            int a = step->arg[k];
            args[k] = a == TEMPLATE_RESULT ? result : a < 0 ? bound[TEMPLATE_ARG(a)] : made[a];
        }
        for (int k = 0; k < n; k++) {
            if (!args[k]) {
                args[k] = constant_for(g, t->step[step->arg[k]].value, step->op, k, args, type);
            }
            constant = constant && is_constant(g, args[k]);
        }
        if (n == 0) {
            continue; /* a constant: made where it is used */
        }
        made[s] = step->op == OP_SELECT ? graph_select(g, args[0], args[1], args[2])
                                        : graph_op(g, (Op)step->op, args);
        if (must_fold && constant && !constant_fits(g, (Op)step->op, made[s])) {
            return 0;
        }
    }
    const TemplateStep *last = &t->step[t->n - 1];
    return last->op != OP_CONST ? made[t->n - 1]
           : type == VALUE_INT  ? graph_int(g, (int64_t)last->value)
                                : graph_real(g, type, last->value);
}

Ref ops_partial(Graph *g, Op op, int k, const Ref *args, Ref result) {
    const OpInfo *info = &op_info[op];
    if (!info->partial || (info->whole >> k & 1)) {
        return 0;
    }
    return instantiate(g, &info->partial[k], args, result, type_of(g, result), false);
}

/* ---- matching
 * --------------------------------------------------------------------------------------------------------
 */

typedef struct Match {
    Graph *g;
    const Rule *rule;
    uint32_t swapped; /* bit s: step s of the pattern takes its two arguments in the other order */
    Ref bound[MOST_VARS];
} Match;

static bool match_term(Match *m, int place, Ref r);

static bool match_args(Match *m, const TemplateStep *step, int s, const Ref *args, int n) {
    bool swap = m->swapped >> s & 1;
    for (int k = 0; k < n; k++) {
        if (!match_term(m, step->arg[swap ? 1 - k : k], args[k])) {
            return false;
        }
    }
    return true;
}

/* As deep as the pattern. */
static bool match_term(Match *m, int place, Ref r) {
    Graph *g = m->g;
    if (place < 0) {
        int v = TEMPLATE_ARG(place);
        if (m->bound[v]) {
            return m->bound[v] == r;
        }
        bool number = graph_is_real(g, r, NULL);
        if (m->rule->constant >> v & 1 ? !number : m->rule->constant && number) {
            return false;
        }
        m->bound[v] = r;
        return true;
    }
    const TemplateStep *step = &m->rule->from.step[place];
    double value;
    if (step->op == OP_CONST) {
        return graph_is_real(g, r, &value) && value == step->value;
    }
    const Node *n = NODE(g, r);
    return n->op == step->op && match_args(m, step, place, &g->args.at[n->first], n->nargs);
}

/* Which steps may be swapped with effect: the commutative ones, but for x * x. */
static uint32_t commutative_steps(const Template *t) {
    uint32_t set = 0;
    for (int s = 0; s < t->n; s++) {
        const TemplateStep *step = &t->step[s];
        if (step->op >= OP_FIRST_SCALAR && op_info[step->op].commutative &&
            step->arg[0] != step->arg[1]) {
            set |= 1u << s;
        }
    }
    return set;
}

static Ref apply(Graph *g, const Rule *rule, const Ref *args, int nargs, ValueType type,
                 bool swap_root) {
    const Template *from = &rule->from;
    uint32_t may = commutative_steps(from), swapped = 0, root = 1u << (from->n - 1);
    if (swap_root && !(may & root)) {
        return 0;
    }
    may &= ~root;
    do { /* all subsets of `may` */
        Match m = {.g = g, .rule = rule, .swapped = swap_root ? swapped | root : swapped};
        if (match_args(&m, &from->step[from->n - 1], from->n - 1, args, nargs)) {
            return instantiate(g, &rule->to, m.bound, 0, type, rule->constant != 0);
        }
        swapped = (swapped - may) & may;
    } while (swapped);
    return 0;
}

/* ---- what asks for the value of a constant
 * ----------------------------------------------------------------------------- */

static Ref negative(Graph *g, Ref r) {
    return graph_op1(g, OP_neg, r);
}

/* 1 / v is exact, and so is x / v as a product. */
static bool power_of_two(double v, ValueType type) {
    int e;
    return frexp(fabs(v), &e) == 0.5 && e * e < (type == VALUE_FLOAT ? 120 * 120 : 1000 * 1000);
}

static Ref canonical_arithmetic(Graph *g, Op op, const Ref *args) {
    double v;
    ValueType type = type_of(g, args[0]);
    for (int k = 0; k < 2; k++) {
        Ref other = args[1 - k];
        if (!graph_is_real(g, args[k], &v) || !(v < 0 || (op == OP_div && k == 1))) {
            continue;
        }
        Ref positive = graph_real(g, type, -v);
        if (op == OP_mul) {
            return negative(g, graph_op2(g, OP_mul, positive, other));
        }
        if (op == OP_add) {
            return graph_op2(g, OP_sub, other, positive);
        }
        if (op == OP_sub) {
            return k == 1 ? graph_op2(g, OP_add, other, positive)
                          : negative(g, graph_op2(g, OP_add, positive, other));
        }
        if (v < 0) {
            return negative(g, k == 0 ? graph_op2(g, OP_div, positive, other)
                                      : graph_op2(g, OP_div, other, positive));
        }
        if (power_of_two(v, type)) {
            return graph_op2(g, OP_mul, graph_real(g, type, 1 / v), other);
        }
    }
    return 0;
}

static Ref canonical_choice(Graph *g, const Ref *args) {
    double yes, no;
    ValueType type = type_of(g, args[1]);
    if (!graph_is_real(g, args[1], &yes) || !graph_is_real(g, args[2], &no)) {
        return 0;
    }
    if ((yes < 0 && no == 0) || (yes == 0 && no < 0)) { /* 0 - 0 is the same 0 to every sum */
        return negative(g, graph_select(g, args[0], graph_real(g, type, fabs(yes)),
                                        graph_real(g, type, fabs(no))));
    }
    return 0;
}

Ref ops_rewrite(Graph *g, Op op, const Ref *args, int nargs) {
    ValueType type = VALUE_BOOL;
    Ref r = 0;
    for (int k = 0; k < nargs; k++) {
        type = type_of(g, args[k]) > type ? type_of(g, args[k]) : type;
    }
    if (type < VALUE_FLOAT) {
        return 0; /* ints and conditions are the graph's own affair */
    }
    if (op == OP_add || op == OP_sub || op == OP_mul || op == OP_div) {
        r = canonical_arithmetic(g, op, args);
    } else if (op == OP_SELECT) {
        r = canonical_choice(g, args);
    }
    for (int swap = 0; swap < 2; swap++) { /* first as they stand, so that x * y does not turn into
                                              y * x where it need not */
        for (int k = op_rule_range[op].first; !r && k < op_rule_range[op].end; k++) {
            r = apply(g, &op_rules[k], args, nargs, type, swap == 1);
        }
    }
    return r;
}

/* ---- folding
 * -----------------------------------------------------------------------------------------------------------
 */

static Ref fold_int(Graph *g, Op op, int64_t x, int64_t y) {
    int64_t v;
    bool over;
    switch ((int)op) {
    case OP_add: over = __builtin_add_overflow(x, y, &v); break;
    case OP_sub: over = __builtin_sub_overflow(x, y, &v); break;
    case OP_mul: over = __builtin_mul_overflow(x, y, &v); break;
    case OP_neg: over = __builtin_sub_overflow(0, x, &v); break;
    case OP_abs: over = x == INT64_MIN, v = over ? 0 : x < 0 ? -x : x; break;
    case OP_min: over = false, v = y < x ? y : x; break;
    case OP_max: over = false, v = y > x ? y : x; break;
    case OP_lt: return graph_bool(g, x < y);
    case OP_le: return graph_bool(g, x <= y);
    case OP_gt: return graph_bool(g, x > y);
    case OP_ge: return graph_bool(g, x >= y);
    case OP_eq: return graph_bool(g, x == y);
    case OP_ne: return graph_bool(g, x != y);
    default: return 0;
    }
    return over ? 0 : graph_int(g, v);
}

/* x^n by squaring; each product rounds to the type. NaN where that would be inexact or leave the
 * range. */
static double whole_power(double x, int64_t n, ValueType type) {
    double power = 1;
    if (n < -64 || n > 64) {
        return NAN;
    }
    for (uint64_t k = n < 0 ? 0 - (uint64_t)n : (uint64_t)n; k; k >>= 1) {
        power = k & 1 ? power * x : power;
        x = x * x;
        if (type == VALUE_FLOAT) {
            power = (float)power, x = (float)x;
        }
    }
    return n >= 0                                                     ? power
           : fabs(power) <= (type == VALUE_FLOAT ? FLT_MAX : DBL_MAX) ? 1 / power
                                                                      : NAN;
}

static Ref fold_real(Graph *g, Op op, double x, double y, int64_t n, ValueType type) {
    double v;
    switch ((int)op) {
    case OP_add: v = x + y; break;
    case OP_sub: v = x - y; break;
    case OP_mul: v = x * y; break;
    case OP_div: v = x / y; break;
    case OP_neg: v = -x; break;
    case OP_abs: v = fabs(x); break;
    case OP_sqrt: v = sqrt(x); break;
    case OP_min: v = y < x ? y : x; break;
    case OP_max: v = y > x ? y : x; break;
    case OP_powi: v = whole_power(x, n, type); break;
    case OP_lt: return graph_bool(g, x < y);
    case OP_le: return graph_bool(g, x <= y);
    case OP_gt: return graph_bool(g, x > y);
    case OP_ge: return graph_bool(g, x >= y);
    case OP_eq: return graph_bool(g, x == y);
    case OP_ne: return graph_bool(g, x != y);
    default: return 0;
    }
    if (type == VALUE_FLOAT) {
        v = fabs(v) <= FLT_MAX
                ? (float)v
                : NAN; /* a double result of floats rounds to float as if computed in float */
    }
    return isfinite(v) ? graph_real(g, type, v) : 0;
}

Ref ops_fold(Graph *g, Op op, const Ref *args, int nargs) {
    double x[3] = {0};
    int64_t n[3] = {0};
    for (int k = 0; k < nargs; k++) {
        if (!graph_is_real(g, args[k], &x[k]) || !isfinite(x[k])) {
            return 0; /* conditions are folded in the graph */
        }
        graph_is_int(g, args[k], &n[k]);
    }
    return nargs > 2 ? 0
           : type_of(g, args[0]) == VALUE_INT
               ? fold_int(g, op, n[0], n[1])
               : fold_real(g, op, x[0], x[1], n[1], type_of(g, args[0]));
}
