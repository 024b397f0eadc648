/* emit: prints a plan as C.
 * In: the loop trees of the entry functions. Out: a header and a source, C99 that is also C++,
 * readable: the names of the source, each nest under its equation. Public functions check what they
 * are given, lay out the workspace and call static workers, whose `restrict` parameters C compilers
 * honour. */
#include "cname.h"
#include "describe.h"
#include "kernel.h"
#include "ops.h"
#include "passes.h"
#include "plan.h"
#include "print.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- names
 * ----------------------------------------------------------------------------------------------------------
 */

typedef struct Name {
    Symbol name, hint; /* hint: what it was made of */
} Name;

typedef struct Parameter {
    const char *name;
    const char *declare; /* in the worker */
    const char *pass;    /* from the public function */
} Parameter;

typedef struct SumsName {
    const Threads *loop;
    ArrayRef array;
    const char *name;
} SumsName;

typedef struct Emit {
    const Plan *plan;
    Graph *g;
    const EmitOptions *o;
    Arena *arena;
    const Function *f; /* whose worker is printed */
    Text *out;
    int depth;
    VEC(Name)
    names;         /* in use where we are; those of inner blocks are dropped when the block ends */
    VEC(int) used; /* by Symbol: how many of `names` are this one */
    VEC(int) numbered;       /* by Symbol: how many of `names` are this one with a number */
    const char **array_name; /* by array, in this worker */
    const char **state_name; /* by array: of the states that are kept of it */
    const char **end_name;   /* by array: of its last entries, kept while backward runs */
    const char *fresh_name[MOST_CHECKPOINTS]; /* by checkpoint */
    const char **out_name;   /* by array: the caller's, of an output that is computed elsewhere */
    const char **local_name; /* by local */
    const char **place_name; /* by local: the place in a row that stands for it, see put_rows */
    VEC(Ref) loop;           /* indices of the loops around, with their names */
    VEC(const char *) loop_name;
    Ref block;                /* index of a loop that goes by blocks; 0: none */
    const char *block_name;   /* of the first turn in the block */
    const char *width_name;   /* how many turns the block has */
    const char *lane_name;    /* of the turn's number in the block */
    bool in_lanes;            /* within a turn of the block; else at its first */
    int loops_of_turns;       /* how many of the loops around, the outer ones, are recurrences */
    bool calls;               /* operations outside of loops are calls, see put_calls */
    bool called[2][OP_COUNT]; /* float, double: the operations of which some are */
    bool *dim_used;           /* by dimension: the worker at hand reads it */
    bool *row_used;           /* likewise, by length of rows with room behind them */
    const char **row_name;    /* of those */
    Text *parts;              /* functions for parts of loops, which stand before the worker */
    VEC(Parameter) given;     /* to the worker at hand */
    VEC(SumsName) sums_name;  /* of what parts of a loop sum up */
    const char *kept_name[VALUE_DOUBLE + 1]; /* of the arrays of kept numbers, in this worker */
    const char *slot_name[VALUE_DOUBLE + 1]; /* of those that go from part to part */
} Emit;

static Symbol name_symbol(Emit *e, const char *name) {
    Symbol s = symbol_of(e->g->cx, name);
    while ((uint32_t)e->used.n <= s) {
        VEC_PUSH(e->arena, e->used, 0);
        VEC_PUSH(e->arena, e->numbered, 0);
    }
    return s;
}

static bool is_used(Emit *e, const char *name) {
    Symbol s = name_symbol(e, name); /* first: it may move the table */
    return e->used.at[s] || cname_is_word(name);
}

static void name_add(Emit *e, const char *name, const char *hint) {
    Name n = {name_symbol(e, name), name_symbol(e, hint)};
    e->used.at[n.name]++;
    e->numbered.at[n.hint]++;
    VEC_PUSH(e->arena, e->names, n);
}

static void names_drop(Emit *e, int n) {
    while (e->names.n > n) {
        Name last = e->names.at[--e->names.n];
        e->used.at[last.name]--;
        e->numbered.at[last.hint]--;
    }
}

static const char *new_name(Emit *e, const char *hint, bool numbered) {
    const char *name = hint;
    Symbol of = name_symbol(e, hint); /* first: it may move the table */
    for (int k = 1 + e->numbered.at[of]; numbered || is_used(e, name); k++) {
        name = arena_format(e->arena, numbered ? "%s%d" : "%s_%d", hint, k);
        if (!is_used(e, name)) {
            break;
        }
    }
    name_add(e, name, hint);
    return name;
}

/* ---- types and numbers
 * ----------------------------------------------------------------------------------------------------
 */

static const char *value_type_text(ValueType t) {
    static const char *const names[] = {"int", "int64_t", "float", "double"};
    return names[t];
}

/* What an entry of an array is in memory. */
static const char *entry_type_text(const Graph *g, ArrayRef a) {
    return array_is_narrow(g, a)             ? "int32_t"
           : ARRAY(g, a)->type == VALUE_BOOL ? "uint8_t"
                                             : value_type_text(ARRAY(g, a)->type);
}

static void put_real(Text *t, ValueType type, double v) {
    const char *f = type == VALUE_FLOAT ? "f" : "";
    if (type == VALUE_FLOAT) {
        v = (double)(float)v; /* 1e300 is infinite there */
    }
    if (isinf(v) || isnan(v)) {
        text_add(t, "%s%s%s", v < 0 ? "-" : "",
                 isnan(v)              ? "NAN"
                 : type == VALUE_FLOAT ? "HUGE_VALF"
                                       : "HUGE_VAL",
                 "");
        return;
    }
    size_t from = t->n;
    if (type == VALUE_FLOAT) {
        text_float(t, (float)v);
    } else {
        text_real(t, v);
    }
    if (!strpbrk(text_string(t) + from, ".e")) {
        text_raw(t, ".0");
    }
    text_raw(t, f);
}

/* ---- expressions
 * -------------------------------------------------------------------------------------------------------------
 */

enum { PREC_ATOM = 100, PREC_UNARY = 90, PREC_CHOICE = 20, PREC_LOWEST = 0 };

static int precedence_of(const Emit *e, const Expr *x) {
    switch (x->kind) {
    case EXPR_CONST: {
        const Node *n = NODE(e->g, x->ref);
        bool negative = n->type >= VALUE_FLOAT ? signbit(n->value.real) : n->value.integer < 0;
        return negative ? PREC_UNARY : PREC_ATOM;
    }
    case EXPR_OP: return op_info[x->op].precedence;
    case EXPR_SELECT: return PREC_CHOICE;
    case EXPR_CAST: return PREC_UNARY;
    case EXPR_IDIV: return 80;
    default: return PREC_ATOM;
    }
}

static void put_expr(Emit *e, const Expr *x, int least);

static void put_index(Emit *e, Ref index) {
    if (index == e->block && !e->in_lanes) {
        text_raw(e->out, e->block_name);
        return;
    }
    for (int k = e->loop.n - 1; k >= 0; k--) {
        if (e->loop.at[k] == index) {
            text_raw(e->out, e->loop_name.at[k]);
            return;
        }
    }
    bug("the index '%s' is used outside its loop", e->g->indices.at[NODE(e->g, index)->aux].name);
}

static bool is_zero(const Graph *g, const Expr *x) {
    int64_t v;
    return x->kind == EXPR_CONST && graph_is_int(g, x->ref, &v) && v == 0;
}

static void put_poly(Emit *e, const Poly *p, int least);

/* How an array lies in memory, in the function at hand. */
static const Store *store_of(const Emit *e, ArrayRef a) {
    const Function *f = e->f;
    return f && f->store ? f->store[a] : NULL;
}

static const char *name_local(Emit *e, int local);

static void put_position(Emit *e, const Store *s, int axis, const Expr *at, int least) {
    if (s && s->window[axis] < 0) {
        text_char(e->out, '(');
        put_expr(e, at, 80);
        text_add(e->out, " & (%s - 1))", name_local(e, e->f->span[s->checkpoint->number]));
    } else if (s && s->window[axis] == LANES && at->kind == EXPR_INDEX && at->ref == e->block) {
        text_raw(e->out, e->in_lanes ? e->lane_name : "0");
    } else if (s && s->window[axis]) {
        text_char(e->out, '(');
        put_expr(e, at, 80);
        text_add(e->out, " & %lld)", (long long)s->window[axis] - 1);
    } else {
        put_expr(e, at, least);
    }
}

/* x[i, j, k] as (i * J + j) * K + k, without what is 0. */
static void put_place(Emit *e, ArrayRef a, Expr *const *position) {
    Graph *g = e->g;
    const Store *s = store_of(e, a);
    int n = store_axes(g, s, a), first = 0;
    while (first < n - 1 && is_zero(g, position[store_axis(s, first)])) {
        first++;
    }
    if (n == 0) {
        text_char(e->out, '0');
        return;
    }
    for (int k = first; k < n - 2; k++) {
        text_char(e->out, '(');
    }
    int axis = store_axis(s, first);
    put_position(e, s, axis, position[axis], first == n - 1 ? PREC_LOWEST : 80);
    for (int k = first + 1; k < n; k++) {
        axis = store_axis(s, k);
        text_raw(e->out, " * ");
        put_poly(e, store_room(g, s, a, axis), 81);
        if (!is_zero(g, position[axis])) {
            text_raw(e->out, " + ");
            put_position(e, s, axis, position[axis], 71);
        }
        if (k < n - 1) {
            text_char(e->out, ')');
        }
    }
}

/* An int from data is 32 bits wide in memory; arithmetic is in 64. */
static bool is_narrow(const Emit *e, const Expr *x) {
    return x->kind == EXPR_LOAD && x->type == VALUE_INT &&
           !strcmp(entry_type_text(e->g, x->array), "int32_t");
}

enum {
    MOST_COPIED = 32, /* elementary functions outside of the loops of one worker */
    MOST_LISTED = 24, /* parameters of a worker, with a line for each */
    LEAST_SHARED = 3, /* arrays of one size, for that to have a name */
    MOST_SIZES = 32   /* that are looked at for it */
};

/* Does the runtime define it as a function that C compilers copy to where it is called? */

static bool is_copied(const Expr *x) {
    const OpInfo *info = &op_info[x->op];
    return x->kind == EXPR_OP && x->type >= VALUE_FLOAT && info->precedence == 100 &&
           !info->cheap && info->c[1] && !strncmp(info->c[1], "gradc_", 6) &&
           strchr(info->c[1], '(');
}

/* Begins the C text of an operation that stands alone; returns what is left of the text. */
static const char *put_alone(Text *out, const OpInfo *info, const char *text, bool is_float) {
    if (!info->alone || strncmp(text, "gradc_", 6) != 0) {
        return text;
    }
    text_add(out, "gradc_%s_alone%s", info->name, is_float ? "f" : "");
    return strchr(text, '(');
}

static void put_op(Emit *e, const Expr *x) {
    const OpInfo *info = &op_info[x->op];
    if (x->op == OP_trunc) {
        text_add(e->out, "gradc_int%s(", x->arg[0]->type == VALUE_FLOAT ? "f" : "");
        put_expr(e, x->arg[0], PREC_LOWEST);
        text_raw(e->out, ", &status)");
        return;
    }
    if (x->checked && x->op == OP_abs) {
        text_raw(e->out, "gradc_int_abs(");
        put_expr(e, x->arg[0], PREC_LOWEST);
        text_raw(e->out, ", &status)");
        return;
    }
    if (x->checked) {
        text_add(e->out, "gradc_int_%s(",
                 x->op == OP_add   ? "add"
                 : x->op == OP_mul ? "mul"
                                   : "sub");
        for (int k = 0; k < 2; k++) {
            if (x->n == 1 && k == 0) {
                text_char(e->out, '0'); /* -x is 0 - x */
            } else {
                put_expr(e, x->arg[x->n == 1 ? 0 : k], PREC_LOWEST);
            }
            text_raw(e->out, ", ");
        }
        text_raw(e->out, "&status)");
        return;
    }
    bool is_float = false; /* an argument may be an int, as the exponent of powi: it says nothing */
    for (int k = 0; k < x->n; k++) {
        is_float = is_float || x->arg[k]->type == VALUE_FLOAT;
    }
    const char *text = x->type == VALUE_INT && info->typing == TYPING_NUMBER
                           ? info->c_int
                           : info->c[is_float ? 0 : 1];
    if (!text) {
        text = info->c[1];
    }
    bool call = info->precedence == 100;
    if (e->calls && e->loop.n == 0 && is_copied(x)) {
        e->called[!is_float][x->op] = true;
        text_add(e->out, "%s_", e->o->prefix);
        text += strlen("gradc_");
    }
    if (e->loop.n == e->loops_of_turns) {
        text = put_alone(e->out, info, text, is_float);
    }
    for (const char *s = text; *s; s++) {
        if (*s != '$') {
            text_char(e->out, *s);
            continue;
        }
        int k = *++s - '0';
        bool bare = call && strchr(text, '(') && text[0] != '(';
        int least = bare   ? PREC_LOWEST
                    : call ? PREC_ATOM
                           : info->precedence + (k > 0 || x->n == 1 ? 1 : 0);
        if ((x->op == OP_add || x->op == OP_mul) && k == 1 && x->type == VALUE_INT) {
            least = info->precedence;
        }
        if (x->op == OP_and ||
            x->op == OP_or) { /* && inside || is clearer in parentheses, and some compilers warn */
            least = x->arg[k]->kind == EXPR_OP && x->arg[k]->op == x->op ? info->precedence : 50;
        }
        if (x->n == 1 && info->precedence == 90) {
            least = PREC_ATOM;
        }
        if (x->type == VALUE_INT && is_narrow(e, x->arg[k])) {
            text_raw(e->out, "(int64_t)");
        }
        put_expr(e, x->arg[k], least);
    }
}

/* A size as an argument of type size_t. */
static void put_size_t(Emit *e, const Poly *p) {
    text_raw(e->out, poly_is_int(p, NULL) ? "" : "(size_t)");
    put_poly(e, p, PREC_ATOM);
}

/* A pointer to the entry at these positions. */
static void put_start(Emit *e, ArrayRef a, Expr *const *position) {
    bool first = true;
    for (int k = 0; k < ARRAY(e->g, a)->rank; k++) {
        const Store *s = store_of(e, a);
        bool at_block = s && s->window[k] == LANES && position[k]->kind == EXPR_INDEX &&
                        position[k]->ref == e->block;
        first = first && (at_block || is_zero(e->g, position[k]));
    }
    text_raw(e->out, e->array_name[a]);
    if (!first) {
        text_raw(e->out, " + ");
        put_place(e, a, position);
    }
}

static void put_call(Emit *e, const KernelCall *call) {
    Graph *g = e->g;
    ValueType type = ARRAY(g, call->array[call->array[0] ? 0 : 1])->type;
    text_add(e->out, "gradc_%s%s(", kernel_info[call->kind].name, type == VALUE_FLOAT ? "f" : "");
    put_size_t(e, call->n);
    if (call->m) {
        text_raw(e->out, ", ");
        put_size_t(e, call->m);
    }
    for (int k = 0; k < 2; k++) {
        if (call->array[k]) {
            text_raw(e->out, ", ");
            put_start(e, call->array[k], call->position[k]);
        }
    }
    text_char(e->out, ')');
}

static const char *text_of_local(Emit *e, int local) {
    return e->place_name[local] ? e->place_name[local]
           : e->f->locals.at[local].lanes
               ? arena_format(e->arena, "%s[%s]", e->local_name[local], e->lane_name)
               : e->local_name[local];
}

static void put_expr(Emit *e, const Expr *x, int least) {
    Graph *g = e->g;
    Text *t = e->out;
    bool paren = precedence_of(e, x) < least;
    if (paren) {
        text_char(t, '(');
    }
    switch (x->kind) {
    case EXPR_CONST:
        if (x->type >= VALUE_FLOAT) {
            put_real(t, x->type, NODE(g, x->ref)->value.real);
        } else {
            text_add(t, "%lld", (long long)NODE(g, x->ref)->value.integer);
        }
        break;
    case EXPR_DIM: text_raw(t, c_name(e->arena, g->dims.at[NODE(g, x->ref)->aux].name)); break;
    case EXPR_INDEX: put_index(e, x->ref); break;
    case EXPR_LOCAL: text_raw(t, text_of_local(e, x->local)); break;
    case EXPR_LOAD:
        text_raw(t, e->array_name[x->array]);
        if (ARRAY(g, x->array)->rank) {
            text_char(t, '[');
            put_place(e, x->array, x->arg);
            text_char(t, ']');
        }
        break;
    case EXPR_OP: put_op(e, x); break;
    case EXPR_SELECT:
        text_raw(t, x->guessed ? "GRADC_GUESS(" : "");
        put_expr(e, x->arg[0], x->guessed ? PREC_LOWEST : 30);
        text_raw(t, x->guessed ? ") ? " : " ? ");
        put_expr(e, x->arg[1], PREC_CHOICE + 1);
        text_raw(t, " : ");
        put_expr(e, x->arg[2], PREC_CHOICE + 1);
        break;
    case EXPR_CAST:
        text_add(t, "(%s)", value_type_text(x->type));
        put_expr(e, x->arg[0], PREC_UNARY);
        break;
    case EXPR_CHECKED:
        text_raw(t, "gradc_position(");
        for (int k = 0; k < 3; k++) {
            put_expr(e, x->arg[k], PREC_LOWEST);
            text_raw(t, ", ");
        }
        text_raw(t, "&status)");
        break;
    case EXPR_NONEMPTY:
        text_raw(t, "gradc_nonempty(");
        put_expr(e, x->arg[0], PREC_LOWEST);
        text_raw(t, ", &status)");
        break;
    case EXPR_EXTERN:
        text_add(t, "%s%s(", x->type == VALUE_BOOL ? "(" : "",
                 g->externs.at[NODE(g, x->ref)->aux].c_name);
        for (int k = 0; k < x->n; k++) {
            text_raw(t, k ? ", " : "");
            put_expr(e, x->arg[k], PREC_LOWEST);
        }
        text_raw(t, x->type == VALUE_BOOL ? ") != 0)" : ")");
        break;
    case EXPR_KERNEL: put_call(e, x->call); break;
    case EXPR_FOLD:
        text_add(t, "gradc_fold%s(%s, ", x->type == VALUE_FLOAT ? "f" : "",
                 e->local_name[x->local]);
        if (x->checked) {
            text_add(t, "%d)", LANES);
        } else {
            text_add(t, "%s)", e->width_name);
        }
        break;
    case EXPR_IDIV:
        put_expr(e, x->arg[0], 80);
        text_raw(t, " / ");
        put_expr(e, x->arg[1], 81);
        break;
    }
    if (paren) {
        text_char(t, ')');
    }
}

static void put_size(Emit *e, const Poly *p, int least, const char *prefix);

/* A dimension, the length of rows with room behind them, or the index of a loop around. */
static void put_variable(Emit *e, Ref var, const char *prefix) {
    for (int k = 0; k < e->g->rows.n; k++) {
        const RowRoom *r = &e->g->rows.at[k];
        if (r->room == var && prefix[0]) {
            text_raw(e->out, "gradc_row(");
            put_size(e, r->of, 0, prefix);
            text_add(e->out, ", %d)", r->multiple);
            return;
        }
        if (r->room == var) {
            text_raw(e->out, e->row_name[k]);
            return;
        }
    }
    if (NODE(e->g, var)->op == OP_INDEX) {
        put_index(e, var);
        return;
    }
    text_add(e->out, "%s%s", prefix, c_name(e->arena, e->g->dims.at[NODE(e->g, var)->aux].name));
}

/* A size, over dimensions; `prefix` stands before each ("a->"). */
static void put_size(Emit *e, const Poly *p, int least, const char *prefix) {
    int64_t v, scale = 1;
    if (poly_is_int(p, &v)) {
        text_add(e->out, "%lld", (long long)v);
        return;
    }
    for (int k = 0; k < p->n; k++) {
        scale = scale % p->term[k].den ? scale * p->term[k].den : scale;
    }
    bool sum = p->n > 1, paren = (scale != 1                                    ? 80
                                  : sum                                         ? 70
                                  : p->term[0].nvars > 1 || p->term[0].num != 1 ? 80
                                                                                : 100) < least;
    text_raw(e->out, paren ? "(" : "");
    text_raw(e->out, scale != 1 && sum ? "(" : "");
    for (int k = 0; k < p->n; k++) {
        int64_t c = p->term[k].num * (scale / p->term[k].den);
        text_raw(e->out, k == 0 ? (c < 0 ? "-" : "") : c < 0 ? " - " : " + ");
        c = c < 0 ? -c : c;
        if (c != 1 || p->term[k].nvars == 0) {
            text_add(e->out, "%lld%s", (long long)c, p->term[k].nvars ? " * " : "");
        }
        for (int q = 0; q < p->term[k].nvars; q++) {
            text_raw(e->out, q ? " * " : "");
            put_variable(e, p->term[k].var[q], prefix);
        }
    }
    text_raw(e->out, scale != 1 && sum ? ")" : "");
    if (scale != 1) {
        text_add(e->out, " / %lld", (long long)scale);
    }
    text_raw(e->out, paren ? ")" : "");
}

static void put_poly(Emit *e, const Poly *p, int least) {
    put_size(e, p, least, "");
}

static bool has_word(const char *text, const char *word) {
    size_t n = strlen(word);
    for (const char *s = strstr(text, word); s; s = strstr(s + 1, word)) {
        bool before = s != text && (isalnum((unsigned char)s[-1]) || s[-1] == '_');
        if (!before && !isalnum((unsigned char)s[n]) && s[n] != '_') {
            return true;
        }
    }
    return false;
}

/* The same text without its comments. */
static const char *code_alone(Arena *arena, const char *text) {
    char *copy = arena_text(arena, text, strlen(text)), *to = copy;
    for (const char *s = text; *s;) {
        const char *end = s[0] == '/' && s[1] == '*' ? strstr(s + 2, "*/") : NULL;
        if (end) {
            s = end + 2;
        } else {
            *to++ = *s++;
        }
    }
    *to = 0;
    return copy;
}

/* ---- statements
 * ----------------------------------------------------------------------------------------------------------------
 */

static void put_block(Emit *e, const Block *b);

static void line_start(Emit *e) {
    text_indent(e->out, e->depth);
}

static void put_comment(Emit *e, ArrayRef a) {
    Text t = text_new(e->arena);
    graph_array_text(e->g, a, 110, &t);
    const char *s = text_string(&t);
    size_t n = strlen(s);
    while (n && s[n - 1] == '\n') {
        n--;
    }
    bool opens =
        e->in_lanes || e->out->n < 2 || !strcmp(text_string(e->out) + e->out->n - 2, "{\n");
    text_raw(e->out, opens ? "" : "\n");
    line_start(e);
    text_raw(e->out, "/* ");
    for (size_t k = 0; k < n; k++) {
        if (s[k] == '*' && s[k + 1] == '/') {
            text_raw(e->out, "* ");
            continue;
        }
        text_char(e->out, s[k]);
        if (s[k] == '\n') {
            line_start(e);
            text_raw(e->out, "   ");
        }
    }
    text_raw(e->out, " */\n");
}

static void put_body(Emit *e, const Block *b) {
    int names = e->names.n;
    e->depth++;
    put_block(e, b);
    e->depth--;
    names_drop(e, names);
}

/* How far apart neighbours along an axis lie. */
static const Poly *stride_of(const Emit *e, ArrayRef a, int axis) {
    Graph *g = e->g;
    const Store *s = store_of(e, a);
    const Poly *p = poly_int(g->arena, 1);
    for (int k = store_axes(g, s, a) - 1; k >= 0 && store_axis(s, k) != axis; k--) {
        p = poly_mul(g->arena, p, store_room(g, s, a, store_axis(s, k)));
    }
    return p;
}

static void put_matmul(Emit *e, const Matmul *m) {
    Graph *g = e->g;
    text_add(e->out, "gradc_matmul%s(", ARRAY(g, m->array[2])->type == VALUE_FLOAT ? "f" : "");
    const Poly *sizes[3] = {m->m, m->n, m->k};
    for (int k = 0; k < 3; k++) {
        if (sizes[k]) {
            put_size_t(e, sizes[k]);
        } else if (e->block) {
            text_add(e->out, "(size_t)%s", e->width_name);
        } else { /* it does not go by blocks after all */
            text_char(e->out, '1');
        }
        text_raw(e->out, ", ");
    }
    for (int k = 0; k < 3; k++) {
        put_start(e, m->array[k], m->position[k]);
        text_raw(e->out, ", ");
        put_size_t(e, stride_of(e, m->array[k], m->row[k]));
        text_raw(e->out, ", ");
        put_size_t(e, stride_of(e, m->array[k], m->column[k]));
        text_raw(e->out, ", ");
    }
    text_add(e->out, "%d);\n", m->accumulate ? 1 : 0);
}

static void put_count(Emit *e, ArrayRef a) {
    const Store *s = store_of(e, a);
    int n = store_axes(e->g, s, a);
    text_raw(e->out, n == 0 ? "1" : "");
    for (int k = 0; k < n; k++) {
        text_raw(e->out, k ? " * " : "");
        put_poly(e, store_room(e->g, s, a, store_axis(s, k)), n > 1 ? 81 : PREC_LOWEST);
    }
}

static const char *out_name(Emit *e, ArrayRef a) {
    return e->out_name[a];
}

/* Sets a number: by a C operator where C has one. */
static void put_assign(Emit *e, char op, const Expr *value, const char *cast) {
    text_add(e->out, " %s ", op == '+' ? "+=" : op == '*' ? "*=" : "=");
    if (cast) {
        text_add(e->out, "(%s)", cast);
    }
    put_expr(e, value, cast ? PREC_UNARY : PREC_LOWEST);
    text_raw(e->out, ";\n");
}

static void put_line(Emit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_hint(Emit *e, const Stmt *s) {
    if (s->hint == HINT_LANES || s->hint == HINT_TURNED) {
        line_start(e);
        text_add(e->out, "GRADC_%s\n", s->hint == HINT_LANES ? "LANES" : "TURNED");
    } else if (s->hint == HINT_MAX && s->lanes) { /* see best.c */
        line_start(e);
        text_add(e->out, "GRADC_ANY(%s)\n", e->local_name[s->hint_local]);
    } else if (s->in_steps) {
        put_line(e, "GRADC_STEPS");
    }
}

/* The turns of a loop in parts are those of the part. */
static void put_bound(Emit *e, const Stmt *s, const Expr *bound, int least) {
    if (s->room && bound == s->other) {
        put_poly(e, s->room, least);
    } else if (s->threads) {
        text_raw(e->out, name_local(e, bound == s->value ? s->threads->from : s->threads->to));
    } else {
        put_expr(e, bound, least);
    }
}

/* The name of a loop's index. */
static const char *new_index(Emit *e, Ref index, const char *end) {
    const char *name = c_name(e->arena, e->g->indices.at[NODE(e->g, index)->aux].name);
    return new_name(e, *end ? arena_format(e->arena, "%s%s", name, end) : name, false);
}

/* By blocks: for (n0 ...) { w turns from n0 on; and in its body for (l < w) { n = n0 + l; ... } }
 */
static void put_blocks(Emit *e, const Stmt *s) {
    int names = e->names.n;
    e->block = s->index;
    e->block_name = new_index(e, s->index, "0");
    e->width_name = new_name(e, "width", false);
    e->lane_name = new_name(e, "lane", false);
    line_start(e);
    text_add(e->out, "for (int64_t %s = ", e->block_name);
    put_bound(e, s, s->value, PREC_LOWEST);
    text_add(e->out, "; %s < ", e->block_name);
    put_bound(e, s, s->other, 61);
    text_add(e->out, "; %s += %d) {\n", e->block_name, s->step);
    e->depth++;
    line_start(e);
    text_add(e->out, "const int64_t %s = gradc_width(", e->width_name);
    put_bound(e, s, s->other, 70);
    text_add(e->out, " - %s);\n", e->block_name);
    e->depth--;
    put_body(e, &s->body);
    e->block = 0;
    names_drop(e, names);
    line_start(e);
    text_raw(e->out, "}\n");
}

/* `jam`: the loop around, JAM turns of which the run makes together; NULL: none. */
static void put_lanes(Emit *e, const Stmt *s, const Stmt *jam) {
    Text body = text_new(e->arena), *out = e->out;
    int names = e->names.n;
    const char *name = new_index(e, s->index, "");
    put_hint(e, s);
    VEC_PUSH(e->arena, e->loop, s->index);
    VEC_PUSH(e->arena, e->loop_name, name);
    e->out = &body;
    e->in_lanes = true;
    for (int k = 0; k < (jam ? JAM : 1); k++) {
        const char *turn = jam ? e->loop_name.at[e->loop.n - 2] : NULL;
        if (jam) {
            e->depth++;
            line_start(e);
            text_raw(e->out, "{\n");
            e->loop_name.at[e->loop.n - 2] =
                k ? arena_format(e->arena, "(%s + %d)", turn, k) : turn;
        }
        put_body(e, &s->body);
        if (jam) {
            e->loop_name.at[e->loop.n - 2] = turn;
            line_start(e);
            text_raw(e->out, "}\n");
            e->depth--;
        }
    }
    e->in_lanes = false;
    e->out = out;
    e->loop.n--;
    e->loop_name.n--;
    names_drop(e, names);
    line_start(e);
    text_add(out, "for (int64_t %s = 0; %s < %s; %s++) {\n", e->lane_name, e->lane_name,
             e->width_name, e->lane_name);
    if (has_word(code_alone(e->arena, text_string(&body)), name)) {
        e->depth++;
        line_start(e);
        text_add(out, "const int64_t %s = %s + %s;\n", name, e->block_name, e->lane_name);
        e->depth--;
    }
    text_raw(out, text_string(&body));
    line_start(e);
    text_raw(out, "}\n");
}

/* A loop whose body is there for so many turns of the loop around. */
static void put_row(Emit *e, const Stmt *s, int turns) {
    int names = e->names.n, around = e->loop.n - 1;
    const char *turn = e->loop_name.at[around], *name = new_index(e, s->index, "");
    put_hint(e, s);
    line_start(e);
    text_add(e->out, "for (int64_t %s = ", name);
    put_expr(e, s->value, PREC_LOWEST);
    text_add(e->out, "; %s < ", name);
    put_bound(e, s, s->other, 61);
    text_add(e->out, "; %s++) {\n", name);
    VEC_PUSH(e->arena, e->loop, s->index);
    VEC_PUSH(e->arena, e->loop_name, name);
    for (int k = 0; k < turns; k++) {
        e->loop_name.at[around] = k ? arena_format(e->arena, "(%s + %d)", turn, k) : turn;
        put_body(e, &s->body);
    }
    e->loop_name.at[around] = turn;
    e->loop.n--;
    e->loop_name.n--;
    names_drop(e, names);
    line_start(e);
    text_raw(e->out, "}\n");
}

/* A loop from 0 whose body is one run: JAM turns at a time, then those that are left. */
static void put_jam(Emit *e, const Stmt *s) {
    int64_t n = -1;
    bool fixed = s->other->kind == EXPR_CONST && graph_is_int(e->g, s->other->ref, &n);
    for (int left = 0; left < 2; left++) {
        if (fixed && (left ? n % JAM == 0 : n < JAM)) {
            continue;
        }
        int names = e->names.n;
        const char *name = new_index(e, s->index, "");
        line_start(e);
        text_add(e->out, "for (int64_t %s = ", name);
        if (left && fixed) {
            text_add(e->out, "%lld", (long long)(n / JAM * JAM));
        } else if (left) {
            put_expr(e, s->other, 81);
            text_add(e->out, " / %d * %d", JAM, JAM);
        } else {
            text_raw(e->out, "0");
        }
        if (left) {
            text_add(e->out, "; %s < ", name);
        } else {
            text_add(e->out, "; %s + %d < ", name, JAM - 1);
        }
        put_expr(e, s->other, 61);
        if (left) {
            text_add(e->out, "; %s++) {\n", name);
        } else {
            text_add(e->out, "; %s += %d) {\n", name, JAM);
        }
        VEC_PUSH(e->arena, e->loop, s->index);
        VEC_PUSH(e->arena, e->loop_name, name);
        e->depth++;
        if (s->body.first->lanes) {
            put_lanes(e, s->body.first, left ? NULL : s);
        } else {
            put_row(e, s->body.first, left ? 1 : JAM);
        }
        e->depth--;
        e->loop.n--;
        e->loop_name.n--;
        names_drop(e, names);
        line_start(e);
        text_raw(e->out, "}\n");
    }
}

/* `jump` turns at a time; then those that are left. */
static void put_jump(Emit *e, const Stmt *s) {
    Arena *arena = e->arena;
    const Poly *lo = plan_poly(e->g, s->value), *hi = plan_poly(e->g, s->other),
               *one = poly_int(arena, 1), *n = poly_sub(arena, hi, lo);
    n = s->down ? poly_add(arena, n, one) : n;
    bool from_zero = poly_equal(lo, poly_int(arena, 0)) && !s->down;
    int64_t turns;
    bool whole = poly_is_int(n, &turns) && turns % s->jump == 0;
    for (int left = 0; left < (whole ? 1 : 2); left++) {
        int names = e->names.n;
        const char *name = new_index(e, s->index, "");
        line_start(e);
        text_add(e->out, "for (int64_t %s = ", name);
        if (!left || !from_zero) {
            put_poly(e, s->down ? hi : lo, left ? 70 : PREC_LOWEST);
        }
        if (left) {
            text_raw(e->out, from_zero ? "" : s->down ? " - " : " + ");
            put_poly(e, n, 81);
            text_add(e->out, " / %d * %d", s->jump, s->jump);
        }
        text_add(e->out, "; %s", name);
        if (!left) {
            text_add(e->out, " %c %d", s->down ? '-' : '+', s->jump - 1);
        }
        text_raw(e->out, s->down ? " >= " : " < ");
        put_poly(e, s->down ? lo : hi, 61);
        if (left) {
            text_add(e->out, "; %s%s) {\n", name, s->down ? "--" : "++");
        } else {
            text_add(e->out, "; %s %c= %d) {\n", name, s->down ? '-' : '+', s->jump);
        }
        VEC_PUSH(arena, e->loop, s->index);
        VEC_PUSH(arena, e->loop_name, name);
        put_body(e, left ? &s->body : &s->otherwise);
        e->loop.n--;
        e->loop_name.n--;
        names_drop(e, names);
        line_start(e);
        text_raw(e->out, "}\n");
    }
}

/* The body of a loop, and its end. */
static void put_turn(Emit *e, const Stmt *s, const char *name) {
    bool turns = s->turns && s->hint == HINT_NONE && e->loop.n == e->loops_of_turns;
    VEC_PUSH(e->arena, e->loop, s->index);
    VEC_PUSH(e->arena, e->loop_name, name);
    e->loops_of_turns += turns;
    put_body(e, &s->body);
    e->loops_of_turns -= turns;
    e->loop.n--;
    e->loop_name.n--;
    line_start(e);
    text_raw(e->out, "}\n");
}

/* Where the whole rows of a loop end. */
static void put_rows_end(Emit *e, const Stmt *s, int width, int least) {
    bool from_0 = !s->threads && is_zero(e->g, s->value);
    bool enclosed = !from_0 && least > 70;
    text_raw(e->out, enclosed ? "(" : "");
    if (!from_0) {
        put_bound(e, s, s->value, 70);
        text_raw(e->out, " + (");
    }
    put_bound(e, s, s->other, from_0 ? 80 : 70);
    if (!from_0) {
        text_raw(e->out, " - ");
        put_bound(e, s, s->value, 71);
        text_char(e->out, ')');
    }
    text_add(e->out, " / %d * %d%s", width, width, enclosed ? ")" : "");
}

/* A sum, a maximum or a minimum goes by rows of 64 bytes: each place of the row has one of its own,
 * then these are put together in a fixed order, then comes what does not fill a row. */
static bool put_rows(Emit *e, const Stmt *s) {
    ValueType type = e->f->locals.at[s->hint_local].type;
    int names = e->names.n, width = type == VALUE_FLOAT ? 16 : 8;
    int64_t lo, hi;
    bool fixed = !s->threads && s->value->kind == EXPR_CONST && s->other->kind == EXPR_CONST &&
                 graph_is_int(e->g, s->value->ref, &lo) && graph_is_int(e->g, s->other->ref, &hi);
    if (s->down || (fixed && hi - lo < width)) {
        return false;
    }
    const char *c = type == VALUE_FLOAT ? "float" : "double", *f = type == VALUE_FLOAT ? "f" : "";
    int n = 1 + s->nsums, *local = arena_alloc(e->arena, sizeof *local * (size_t)n);
    const char **acc = arena_alloc(e->arena, sizeof *acc * (size_t)n),
               **row = arena_alloc(e->arena, sizeof *row * (size_t)n);
    for (int k = 0; k < n; k++) {
        local[k] = k ? s->sums[k - 1] : s->hint_local;
        acc[k] = text_of_local(e, local[k]);
        row[k] = new_name(e, arena_format(e->arena, "%s_row", e->local_name[local[k]]), false);
        put_line(e, s->hint == HINT_SUM ? "%s %s[%d] = {0};" : "%s %s[%d];", c, row[k], width);
    }
    int inside = e->names.n;
    if (s->hint != HINT_SUM) {
        const char *place = new_name(e, "place", false);
        put_line(e, "for (int %s = 0; %s < %d; %s++) {", place, place, width, place);
        e->depth++;
        put_line(e, "%s[%s] = %s;", row[0], place, acc[0]);
        e->depth--;
        put_line(e, "}");
        names_drop(e, inside);
    }
    const char *first = new_index(e, s->index, "0");
    line_start(e);
    text_add(e->out, "for (int64_t %s = ", first);
    put_bound(e, s, s->value, PREC_LOWEST);
    text_add(e->out, "; %s < ", first);
    if (fixed) {
        text_add(e->out, "%lld", (long long)(lo + (hi - lo) / width * width));
    } else {
        put_rows_end(e, s, width, 61);
    }
    text_add(e->out, "; %s += %d) {\n", first, width);
    e->depth++;
    put_line(e, "GRADC_ROW");
    const char *place = new_name(e, "place", false), *name = new_index(e, s->index, "");
    bool few = fixed && hi - lo < 3 * width; /* of them C compilers make straight text */
    put_line(e,
             few ? "for (int %s = 0; %s < %d; %s++) {"
                 : "for (int %s = 0; %s < gradc_places(%d); %s++) {",
             place, place, width, place);
    e->depth++;
    put_line(e, "const int64_t %s = %s + %s;", name, first, place);
    e->depth--;
    for (int k = 0; k < n; k++) {
        e->place_name[local[k]] = arena_format(e->arena, "%s[%s]", row[k], place);
    }
    put_turn(e, s, name);
    for (int k = 0; k < n; k++) {
        e->place_name[local[k]] = NULL;
    }
    names_drop(e, inside);
    e->depth--;
    put_line(e, "}");
    for (int k = 0; k < n && s->hint == HINT_SUM; k++) {
        put_line(e, "%s += gradc_sum_row%s(%s);", acc[k], f, row[k]);
    }
    if (s->hint != HINT_SUM) {
        place = new_name(e, "place", false);
        put_line(e, "for (int %s = 0; %s < %d; %s++) {", place, place, width, place);
        e->depth++;
        put_line(e, "%s = gradc_%s%s(%s, %s[%s]);", acc[0], s->hint == HINT_MAX ? "max" : "min", f,
                 acc[0], row[0], place);
        e->depth--;
        put_line(e, "}");
        names_drop(e, inside);
    }
    if (!fixed || (hi - lo) % width) {
        name = new_index(e, s->index, "");
        line_start(e);
        text_add(e->out, "for (int64_t %s = ", name);
        if (fixed) {
            text_add(e->out, "%lld", (long long)(lo + (hi - lo) / width * width));
        } else {
            put_rows_end(e, s, width, PREC_LOWEST);
        }
        text_add(e->out, "; %s < ", name);
        put_bound(e, s, s->other, 61);
        text_add(e->out, "; %s++) {\n", name);
        put_turn(e, s, name);
    }
    names_drop(e, names);
    return true;
}

static void put_loop(Emit *e, const Stmt *s) {
    if (s->jump) {
        put_jump(e, s);
        return;
    }
    if (s->step) {
        put_blocks(e, s);
        return;
    }
    if (s->lanes) {
        put_lanes(e, s, NULL);
        return;
    }
    if (s->jam) {
        put_jam(e, s);
        return;
    }
    if (s->hint > HINT_LANES && put_rows(e, s)) {
        return;
    }
    put_hint(e, s);
    int names = e->names.n;
    const char *name = new_index(e, s->index, "");
    line_start(e);
    if (s->down) {
        text_add(e->out, "for (int64_t %s = ", name);
        put_expr(e, s->other, PREC_LOWEST);
        text_add(e->out, "; %s >= ", name);
        put_expr(e, s->value, 61);
        text_add(e->out, "; %s--) {\n", name);
    } else {
        text_add(e->out, "for (int64_t %s = ", name);
        put_bound(e, s, s->value, PREC_LOWEST);
        text_add(e->out, "; %s < ", name);
        put_bound(e, s, s->other, 61);
        text_add(e->out, "; %s++) {\n", name);
    }
    put_turn(e, s, name);
    names_drop(e, names);
}

static const char *name_local(Emit *e, int local) {
    const Local *l = &e->f->locals.at[local];
    if (!e->local_name[local] && l->back) {
        const char *of = c_name(e->arena, ARRAY(e->g, l->part_of)->name);
        of = l->back == 1 ? arena_format(e->arena, "%s_before", of)
                          : arena_format(e->arena, "%s_before_%d", of, l->back);
        e->local_name[local] = new_name(e, of, false);
    }
    if (!e->local_name[local]) {
        e->local_name[local] =
            l->array ? new_name(e, c_name(e->arena, ARRAY(e->g, l->array)->name), false)
                     : new_name(e, l->hint, true);
    }
    return e->local_name[local];
}

enum {
    WIDTH = 100
}; /* of the emitted text: longer statements are broken where they are nested least */

static const char *function_name(Emit *e, const Function *f);
static bool *parts_dims(Emit *e, const Threads *t);
static const char *parts_name(Emit *e, const Threads *t);

/* ---- loops in parts: each part is a function, with what it takes of the worker's as parameters */

static void put_parts_call(Emit *e, const Threads *t, const char *prefix) {
    const bool *used = parts_dims(e, t);
    int n = 0;
    text_add(e->out, "%s(", parts_name(e, t));
    for (int k = 1; k < e->g->dims.n; k++) {
        if (used[k]) {
            text_add(e->out, "%s%s%s", n++ ? ", " : "", prefix,
                     c_name(e->arena, e->g->dims.at[k].name));
        }
    }
    text_char(e->out, ')');
}

static ArrayRef array_of_name(const Emit *e, int n, const ArrayRef *arrays, const char *name) {
    for (int k = 0; k < n; k++) {
        if (!strcmp(e->array_name[arrays[k]], name)) {
            return arrays[k];
        }
    }
    return 0;
}

static const char *sums_name_of(const Emit *e, const Threads *t, ArrayRef a) {
    for (int k = 0; k < e->sums_name.n; k++) {
        if (e->sums_name.at[k].loop == t && e->sums_name.at[k].array == a) {
            return e->sums_name.at[k].name;
        }
    }
    bug("parts of '%s' have no place", ARRAY(e->g, a)->name);
}

static const char *count_text(Emit *e, ArrayRef a) {
    Text t = text_new(e->arena), *was = e->out;
    e->out = &t;
    put_count(e, a);
    e->out = was;
    return text_string(&t);
}

/* The text of a part's statements, which stand in a function of their own. */
static const char *part_text(Emit *e, const Block *b) {
    Text body = text_new(e->arena), *was = e->out;
    int depth = e->depth;
    e->out = &body;
    e->depth = 0;
    put_body(e, b);
    e->out = was;
    e->depth = depth;
    return text_string(&body);
}

static const char *expr_text(Emit *e, const Expr *x) {
    Text t = text_new(e->arena), *was = e->out;
    e->out = &t;
    put_expr(e, x, PREC_LOWEST);
    e->out = was;
    return text_string(&t);
}

typedef struct PartArgument {
    const char *name;    /* in the worker */
    const char *declare; /* as a parameter */
    const char *pass;    /* from the loop to a part; NULL: parts do not get it */
} PartArgument;
typedef VEC(PartArgument) PartArguments;

static void add_argument(Emit *e, PartArguments *list, const char *type, const char *name,
                         const char *pass) {
    VEC_PUSH(e->arena, *list,
             ((PartArgument){name, arena_format(e->arena, "%s%s", type, name), pass}));
}

static const char *local_type(const Emit *e, int local) {
    return arena_format(e->arena, "%s ", value_type_text(e->f->locals.at[local].type));
}

/* What a part takes of the worker's. */
static PartArguments part_arguments(Emit *e, const Threads *t, const char *code, const char *slot) {
    Graph *g = e->g;
    PartArguments list = {0};
    for (int k = 0; k < e->given.n; k++) {
        const Parameter *p = &e->given.at[k];
        if (!has_word(code, p->name)) {
            continue;
        }
        ArrayRef own = array_of_name(e, t->own.n, t->own.at, p->name),
                 summed = array_of_name(e, t->summed.n, t->summed.at, p->name);
        const char *pass = p->name;
        if (own) {
            pass = arena_format(e->arena, "%s + %s * (%s)", pass, slot, count_text(e, own));
        } else if (summed) {
            pass = new_name(e, arena_format(e->arena, "%s_part", p->name), false);
        }
        VEC_PUSH(e->arena, list, ((PartArgument){p->name, p->declare, pass}));
        if (summed) {
            add_argument(e, &list,
                         arena_format(e->arena, "%s *gradc_restrict ", entry_type_text(g, summed)),
                         sums_name_of(e, t, summed), NULL);
        }
    }
    for (int k = 0; k < e->loop.n; k++) {
        const char *name = e->loop_name.at[k];
        if (has_word(code, name)) {
            add_argument(e, &list, "int64_t ", name, name);
        }
    }
    for (int k = 0; k < t->takes.n; k++) {
        const char *name = name_local(e, t->takes.at[k]);
        add_argument(e, &list, local_type(e, t->takes.at[k]), name, name);
    }
    for (int k = 0; k < e->f->checkpoints.n; k++) { /* in places within windows */
        const Checkpoint *c = e->f->checkpoints.at[k];
        const char *name = checkpoint_span(c) < 0 ? name_local(e, e->f->span[c->number]) : "";
        if (*name && has_word(code, name)) {
            add_argument(e, &list, "int64_t ", name, name);
        }
    }
    for (int k = 0; k < t->gathered.n; k++) { /* an extreme goes on from what there is */
        int local = t->gathered.at[k].local;
        if (t->gathered.at[k].how != '+') {
            add_argument(e, &list, local_type(e, local), name_local(e, local),
                         name_local(e, local));
        }
    }
    return list;
}

/* `name`(a, b, c) with what a part or a loop takes, or the head of that function. */
static void put_arguments(const PartArguments *list, bool part, bool declare, Text *out) {
    for (int k = 0; k < list->n; k++) {
        const PartArgument *a = &list->at[k];
        if (part && !a->pass) {
            continue;
        }
        text_add(out, declare ? ",\n        %s" : ", %s",
                 declare ? a->declare
                 : part  ? a->pass
                         : a->name);
    }
}

/* What a part does, in a function of its own. */
static void put_part(Emit *e, const Threads *t, const char *name, const char *text, bool fails,
                     const PartArguments *list, const char *part, const char *parts,
                     const char *sums) {
    text_add(e->parts,
             "/* Part `%s` of `%s` of the loop over %s. */\nGRADC_OUTLINE %s %s(\n        int64_t "
             "%s,\n        int64_t %s",
             part, parts, e->g->indices.at[NODE(e->g, t->index)->aux].name, fails ? "int" : "void",
             name, part, parts);
    put_arguments(list, true, true, e->parts);
    if (sums) {
        text_add(e->parts, ",\n        double *gradc_restrict %s", sums);
    }
    text_raw(e->parts, fails ? ") {\n    int status = GRADC_OK;\n" : ") {\n");
    text_raw(e->parts, text);
    text_raw(e->parts, fails ? "    return status;\n}\n\n" : "}\n\n");
}

/* All parts: one after the other, or each by a thread. It is no part of the worker, whose text is
 * compiled the same with and without threads. */
static void put_all_parts(Emit *e, const Threads *t, const char *name, const char *of, bool fails,
                          const PartArguments *list, const char *part, const char *parts,
                          const char *sums, const char *slot) {
    Graph *g = e->g;
    Text *was = e->out;
    int depth = e->depth, names = e->names.n;
    e->out = e->parts;
    text_add(e->out, "GRADC_OUTLINE %s %s(\n        int64_t %s", fails ? "int" : "void", name,
             parts);
    put_arguments(list, false, true, e->out);
    if (sums) {
        text_add(e->out, ",\n        double *gradc_restrict %s", sums);
    }
    text_raw(e->out, ") {\n");
    e->depth = 1;
    const char *turn = new_name(e, "turn", false), *failed = new_name(e, "failed", false);
    if (fails) {
        put_line(e, "int status = GRADC_OK, %s[%d];", failed, THREADS_PARTS);
    }
    put_line(e, "GRADC_PARALLEL(%s > 1)", parts);
    put_line(e, "for (int64_t %s = 0; %s < %s; %s++) {", turn, turn, parts, turn);
    e->depth++;
    put_line(e, "const int64_t %s = GRADC_PART(%s, %s);", part, turn, parts);
    if (t->own.n) {
        put_line(e, "const int64_t %s = GRADC_SLOT;", slot);
    }
    for (int k = 0; k < t->summed.n; k++) {
        ArrayRef a = t->summed.at[k];
        const char *to = e->array_name[a], *place = to;
        for (int q = 0; q < list->n; q++) {
            place = !strcmp(list->at[q].name, to) ? list->at[q].pass : place;
        }
        bool may_lack = e->f->place[a] == PLACE_OUTPUT;
        put_line(e, "%s *const %s = %s == 0%s%s%s ? %s : %s + (%s - 1) * (%s);",
                 entry_type_text(g, a), place, part, may_lack ? " || " : "", may_lack ? to : "",
                 may_lack ? " == NULL" : "", to, sums_name_of(e, t, a), part, count_text(e, a));
    }
    Text call = text_new(e->arena);
    text_add(&call, "%*s", 4 * e->depth, "");
    if (fails) {
        text_add(&call, "%s[%s] = ", failed, part);
    }
    text_add(&call, "%s(%s, %s", of, part, parts);
    put_arguments(list, true, false, &call);
    if (t->gathered.n) {
        text_add(&call, t->gathered.n > 1 ? ", %s + %s * %d" : ", %s + %s", sums, part,
                 t->gathered.n);
    }
    text_raw(&call, ");\n");
    text_wrap(e->out, text_string(&call), WIDTH, 4 * e->depth + 8);
    e->depth--;
    put_line(e, "}");
    if (fails) {
        put_line(e, "for (int64_t %s = 0; %s < %s; %s++) {", part, part, parts, part);
        put_line(e, "    gradc_fail(&status, %s[%s]);", failed, part);
        put_line(e, "}");
    }
    for (int k = 0; k < t->summed.n; k++) {
        ArrayRef a = t->summed.at[k];
        bool may_lack = e->f->place[a] == PLACE_OUTPUT;
        if (may_lack) {
            put_line(e, "if (%s != NULL) {", e->array_name[a]);
        }
        put_line(e, "%sgradc_add_parts%s(%s, %s, %s, (size_t)(%s));", may_lack ? "    " : "",
                 ARRAY(g, a)->type == VALUE_FLOAT ? "f" : "", e->array_name[a],
                 sums_name_of(e, t, a), parts, count_text(e, a));
        if (may_lack) {
            put_line(e, "}");
        }
    }
    text_raw(e->out, fails ? "    return status;\n}\n\n" : "}\n\n");
    names_drop(e, names);
    e->depth = depth;
    e->out = was;
}

static void put_threads(Emit *e, const Stmt *s) {
    const Threads *t = s->threads;
    int n = t->gathered.n, names;
    const char *function = function_name(e, e->f),
               *part_name = arena_format(e->arena, "%s_turns%d", function, t->number),
               *loop_name = arena_format(e->arena, "%s_loop%d", function, t->number),
               *parts = new_name(e, "parts", true), *sums = n ? new_name(e, "sums", true) : NULL;
    for (int k = 0; k < n; k++) {
        name_local(e, t->gathered.at[k].local);
    }
    names = e->names.n;
    const char *part = new_name(e, "part", false), *from = name_local(e, t->from),
               *to = name_local(e, t->to), *lo = expr_text(e, t->lo), *hi = expr_text(e, t->hi),
               *body = part_text(e, &s->body);
    Text whole = text_new(e->arena);
    text_add(&whole, "    const int64_t %s = gradc_part(%s, %s, %s, %s, %d);\n", from, part, parts,
             lo, hi, t->step);
    text_add(&whole, "    const int64_t %s = gradc_part(%s + 1, %s, %s, %s, %d);\n", to, part,
             parts, lo, hi, t->step);
    for (int k = 0; k < n; k++) {
        int local = t->gathered.at[k].local;
        if (t->gathered.at[k].how == '+') {
            text_add(&whole, "    %s%s = 0.0%s;\n", local_type(e, local), e->local_name[local],
                     e->f->locals.at[local].type == VALUE_FLOAT ? "f" : "");
        }
    }
    for (int k = 0; k < t->summed.n; k++) {
        const char *name = e->array_name[t->summed.at[k]];
        text_add(&whole, "    if (%s > 0 && %s != NULL) {\n", part, name);
        text_add(&whole, "        memset(%s, 0, (size_t)(%s) * sizeof(%s));\n    }\n", name,
                 count_text(e, t->summed.at[k]), entry_type_text(e->g, t->summed.at[k]));
    }
    text_raw(&whole, body);
    for (int k = 0; k < n; k++) {
        int local = t->gathered.at[k].local;
        text_add(&whole, "    %s[%d] = %s%s;\n", sums, k,
                 e->f->locals.at[local].type == VALUE_FLOAT ? "(double)" : "",
                 e->local_name[local]);
    }
    const char *code = code_alone(e->arena, text_string(&whole));
    bool fails = has_word(code, "status");
    const char *slot = new_name(e, "slot", false);
    PartArguments list = part_arguments(e, t, code, slot);
    put_part(e, t, part_name, text_string(&whole), fails, &list, part, parts, sums);
    put_all_parts(e, t, loop_name, part_name, fails, &list, part, parts, sums, slot);

    Text line = text_new(e->arena), *was = e->out;
    text_add(&line, "%*sconst int64_t %s = ", 4 * e->depth, "", parts);
    e->out = &line;
    put_parts_call(e, t, "");
    e->out = was;
    text_raw(&line, ";\n");
    text_wrap(was, text_string(&line), WIDTH, 4 * e->depth + 8);
    if (n) {
        put_line(e, "double %s[%d];", sums, THREADS_PARTS * n);
    }
    line = text_new(e->arena);
    text_add(&line, "%*s%s%s(%s", 4 * e->depth, "", fails ? "gradc_fail(&status, " : "", loop_name,
             parts);
    put_arguments(&list, false, false, &line);
    text_add(&line, "%s%s%s);\n", n ? ", " : "", n ? sums : "", fails ? ")" : "");
    text_wrap(was, text_string(&line), WIDTH, 4 * e->depth + 8);
    if (fails && t->leaves) {
        put_line(e, "if (status != GRADC_OK) {");
        put_line(e, "    return status;");
        put_line(e, "}");
    }
    if (n) {
        put_line(e, "for (int64_t %s = 0; %s < %s; %s++) {", part, part, parts, part);
        for (int k = 0; k < n; k++) {
            const Gathered *of = &t->gathered.at[k];
            const char *name = e->local_name[of->local],
                       *at = n == 1 ? part : arena_format(e->arena, "%d * %s + %d", n, part, k);
            bool is_float = e->f->locals.at[of->local].type == VALUE_FLOAT;
            const char *value =
                arena_format(e->arena, "%s%s[%s]", is_float ? "(float)" : "", sums, at);
            if (of->how == '+') {
                put_line(e, "    %s += %s;", name, value);
            } else {
                put_line(e, "    %s = gradc_%s%s(%s, %s);", name, of->how == '>' ? "max" : "min",
                         is_float ? "f" : "", name, value);
            }
        }
        put_line(e, "}");
    }
    names_drop(e, names);
}

/* ---- checkpoints */

static const Poly *turns_of(Graph *g, const Checkpoint *c) {
    return poly_sub(g->arena, c->end, c->first);
}

static void put_span(Emit *e, const Checkpoint *c, const char *prefix) {
    text_raw(e->out, "gradc_span(");
    put_size(e, turns_of(e->g, c), PREC_LOWEST, prefix);
    text_add(e->out, ", %d, %lld)", c->reach, (long long)c->least);
}

/* From one state to the next, where that is fixed. */
static void put_block_length(Emit *e, const Checkpoint *c, const char *span) {
    int64_t known = checkpoint_span(c);
    if (c->kind == CHECKPOINT_EVERY) {
        text_add(e->out, "%lld", (long long)c->count);
    } else if (known > 0) {
        text_add(e->out, "%lld", (long long)known - c->reach);
    } else if (c->reach) {
        text_add(e->out, "(%s - %d)", span, c->reach);
    } else {
        text_raw(e->out, span);
    }
}

/* How many states there are. */
static void put_states(Emit *e, const Checkpoint *c, const char *prefix, const char *span) {
    if (c->kind == CHECKPOINT_BINOMIAL) {
        text_add(e->out, "%lld", (long long)c->count);
        return;
    }
    text_raw(e->out, "gradc_states(");
    put_size(e, turns_of(e->g, c), PREC_LOWEST, prefix);
    text_raw(e->out, ", ");
    put_block_length(e, c, span);
    text_char(e->out, ')');
}

static const char *span_name(Emit *e, const Checkpoint *c) {
    return checkpoint_span(c) < 0 ? name_local(e, e->f->span[c->number]) : "";
}

static const char *poly_code(Emit *e, const Poly *p) {
    Text t = text_new(e->arena), *was = e->out;
    e->out = &t;
    put_size(e, p, 70, "");
    e->out = was;
    return text_string(&t);
}

static void put_line(Emit *e, const char *format, ...) {
    char line[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_wrap(e->out, arena_format(e->arena, "%*s%s\n", 4 * e->depth, "", line), WIDTH,
              4 * e->depth + 8);
}

/* Copies the entries of an array before one of its places to (or from) their place among what is
 * kept of them. `before` and `off`: the entry's number is before - off. */
static void put_entries(Emit *e, const Checkpoint *c, const State *state, const char *kept,
                        const char *number, const char *before, int off, bool back) {
    Graph *g = e->g;
    ArrayRef a = state->array;
    const Store *s = store_of(e, a);
    if (!s) { /* all of it is there */
        return;
    }
    Text rest = text_new(e->arena), *was = e->out;
    e->out = &rest;
    for (int q = 1; q < s->n; q++) {
        text_raw(&rest, " * ");
        put_poly(e, store_room(g, s, a, store_axis(s, q)), 81);
    }
    e->out = was;
    int64_t window = s->window[c->axis[a]];
    const char *mask = window < 0 ? arena_format(e->arena, "(%s - 1)", span_name(e, c))
                                  : arena_format(e->arena, "%lld", (long long)window - 1),
               *size = s->n > 1 ? arena_format(e->arena, "(size_t)(%s) * ", text_string(&rest) + 3)
                                : "";
    for (int i = 0; i < state->turns; i++) {
        int past = 1 + i + off;
        const char *at = state->turns == 1 ? number
                         : !number[0]
                             ? arena_format(e->arena, "%d", i)
                             : arena_format(e->arena, "(%s * %d + %d)", number, state->turns, i);
        const char *there =
            at[0] ? arena_format(e->arena, "%s + %s%s", kept, at, text_string(&rest)) : kept;
        const char *here =
            arena_format(e->arena, "%s + ((%s %c %d) & %s)%s", e->array_name[a], before,
                         past < 0 ? '+' : '-', past < 0 ? -past : past, mask, text_string(&rest));
        put_line(e, "memcpy(%s, %s, %ssizeof(%s));", back ? here : there, back ? there : here, size,
                 entry_type_text(g, a));
    }
}

/* The state before a turn. */
static void put_state(Emit *e, const Checkpoint *c, const char *number, const char *turn,
                      bool back) {
    for (int k = 0; k < c->states.n; k++) {
        ArrayRef a = c->states.at[k].array;
        put_entries(e, c, &c->states.at[k], e->state_name[a], number, turn, c->off[a], back);
    }
}

/* The state behind the last turn, which a block overwrites: who calls backward twice finds it
 * twice. */
static void put_ends(Emit *e, const Checkpoint *c, bool back) {
    for (int k = 0; k < c->ends.n; k++) {
        ArrayRef a = c->ends.at[k].array;
        Text extent = text_new(e->arena), *was = e->out;
        e->out = &extent;
        put_size(e, ARRAY(e->g, a)->extent[c->axis[a]], 70, "");
        e->out = was;
        put_entries(e, c, &c->ends.at[k], e->end_name[a], "", text_string(&extent), 0, back);
    }
}

static void put_states_start(Emit *e, const Stmt *s) {
    put_line(e, "/* Backward begins at states of %s, and computes the turns behind them again. */",
             ARRAY(e->g, s->checkpoint->states.n ? s->checkpoint->states.at[0].array
                                                 : s->checkpoint->seed)
                 ->name);
    put_line(e, "int64_t %s = 0, %s = %s;", name_local(e, s->locals[REPLAY_STATE]),
             name_local(e, s->locals[REPLAY_AT]), poly_code(e, s->checkpoint->first));
    if (s->checkpoint->kind == CHECKPOINT_BINOMIAL) {
        put_line(e, "%s[0] = 1;", e->fresh_name[s->checkpoint->number]);
    }
}

static void put_state_kept(Emit *e, const Stmt *s) {
    const Checkpoint *c = s->checkpoint;
    const char *state = name_local(e, s->locals[REPLAY_STATE]),
               *next = name_local(e, s->locals[REPLAY_AT]), *turn = e->loop_name.at[e->loop.n - 1];
    put_line(e, "if (%s == %s) {", turn, next);
    e->depth++;
    put_state(e, c, state, turn, false);
    if (c->kind == CHECKPOINT_BINOMIAL) {
        put_line(e, "%s += gradc_split(%s - %s, %lld - %s);", next, poly_code(e, c->end), next,
                 (long long)c->count, state);
    } else {
        line_start(e);
        text_add(e->out, "%s += ", next);
        put_block_length(e, c, span_name(e, c));
        text_raw(e->out, ";\n");
    }
    put_line(e, "%s++;", state);
    e->depth--;
    put_line(e, "}");
}

static void put_replay(Emit *e, const Stmt *s) {
    const Checkpoint *c = s->checkpoint;
    const char *name[REPLAY_LOCALS], *first = poly_code(e, c->first), *end = poly_code(e, c->end);
    int names = 0, least = s->local;
    bool binomial = c->kind == CHECKPOINT_BINOMIAL;
    static const int order[] = {REPLAY_DONE, REPLAY_STATE, REPLAY_AT, REPLAY_START, /* outside */
                                REPLAY_FROM, REPLAY_TO,    REPLAY_LO, REPLAY_HI};
    for (int k = 0; k < REPLAY_LOCALS; k++) {
        names = k == 3 ? e->names.n : names;
        name[order[k]] =
            order[k] == REPLAY_AT && !binomial ? "" : name_local(e, s->locals[order[k]]);
    }
    const char *state = name[REPLAY_STATE], *at = name[REPLAY_AT], *from = name[REPLAY_FROM],
               *to = name[REPLAY_TO], *done = name[REPLAY_DONE], *start = name[REPLAY_START];
    long long count = (long long)c->count;
    put_line(e,
             "/* Blocks of turns, the last one first: computed again from a state, then used. */");
    put_line(e, "int64_t %s = %s;", done, end);
    if (binomial) {
        put_line(e, "int64_t %s = 0, %s[%lld] = {%s};", state, at, count, first);
        put_line(e,
                 "/* Behind a call of backward, the first state alone is as forward left it. */");
        put_line(e, "while (%s[0] && %s < %lld && %s - %s[%s] > 1) {", e->fresh_name[c->number],
                 state, count - 1, done, at, state);
        put_line(e, "    %s[%s + 1] = %s[%s] + gradc_split(%s - %s[%s], %lld - %s);", at, state, at,
                 state, done, at, state, count, state);
        put_line(e, "    %s++;", state);
        put_line(e, "}");
        put_line(e, "%s[0] = 0;", e->fresh_name[c->number]);
    } else {
        line_start(e);
        text_add(e->out, "int64_t %s = ", state);
        put_states(e, c, "", span_name(e, c));
        text_raw(e->out, " - 1;\n");
    }
    put_ends(e, c, false);
    put_line(e, "while (%s >= 0) {", state);
    e->depth++;
    if (binomial) {
        put_line(e, "const int64_t %s = %s[%s];", from, at, state);
    } else {
        line_start(e);
        bool zero = !strcmp(first, "0");
        text_add(e->out, "const int64_t %s = %s%s%s * ", from, zero ? "" : first, zero ? "" : " + ",
                 state);
        put_block_length(e, c, span_name(e, c));
        text_raw(e->out, ";\n");
    }
    if (c->reach) {
        put_line(e, "int64_t %s = %s + %d < %s ? %s + %d : %s;", to, done, c->reach, end, done,
                 c->reach, end);
    } else {
        put_line(e, "%sint64_t %s = %s;", binomial ? "" : "const ", to, done);
    }
    if (binomial) {
        put_line(e, "const int64_t %s = %s - 1 > %s ? %s - 1 : %s;", start, done, from, done, from);
        put_line(e, "if (%s < %lld && %s - %s > 1) {", state, count - 1, done, from);
        put_line(e, "    %s = %s + gradc_split(%s - %s, %lld - %s);", to, from, done, from, count,
                 state);
        put_line(e, "}");
    } else {
        put_line(e, "const int64_t %s = %s;", start, from);
    }
    put_state(e, c, state, from, true);
    e->depth--;
    put_body(e, &s->body);
    e->depth++;
    if (binomial) {
        put_line(e, "if (%s < %s) {", to, done);
        e->depth++;
        put_line(e, "%s++;", state);
        put_line(e, "%s[%s] = %s;", at, state, to);
        put_state(e, c, state, to, false);
        put_line(e, "continue;");
        e->depth--;
        put_line(e, "}");
    }
    Text bound = text_new(e->arena), *was = e->out;
    e->out = &bound;
    put_expr(e, s->value, PREC_CHOICE + 1);
    e->out = was;
    const char *begin = text_string(&bound);
    Text last = text_new(e->arena);
    e->out = &last;
    put_expr(e, s->other, 71);
    e->out = was;
    char sign = least > 0 ? '-' : '+';
    int by = least > 0 ? least : -least;
    /* The loop that uses the block may have fewer turns at its ends. */
    const char *above = "", *below = "";
    if (s->n & REPLAY_STARTS_LATE) {
        below = arena_format(e->arena, " || %s %c %d < %s", start, sign, by, begin);
    }
    if (s->n & REPLAY_ENDS_EARLY) {
        above = arena_format(e->arena, " || %s %c %d > %s", done, sign, by, text_string(&last));
    }
    put_line(e, "const int64_t %s = %s == %s%s ? %s : %s %c %d;", name[REPLAY_LO], start, first,
             below, begin, start, sign, by);
    put_line(e, "const int64_t %s = (%s == %s%s ? %s : %s %c %d) - 1;", name[REPLAY_HI], done, end,
             above, text_string(&last), done, sign, by);
    e->depth--;
    put_body(e, &s->otherwise);
    e->depth++;
    put_line(e, "%s = %s;", done, start);
    put_line(e, binomial ? "%s -= %s == %s ? 1 : 0;" : "%s--;", state, start, from);
    e->depth--;
    put_line(e, "}");
    put_ends(e, c, true);
    names_drop(e, names);
}

static void put_stmt(Emit *e, const Stmt *s) {
    Graph *g = e->g;
    Text *t = e->out;
    switch (s->kind) {
    case STMT_COMMENT:
        if (s->text) {
            line_start(e);
            text_add(t, "/* %s */\n", s->text);
        } else {
            put_comment(e, s->array);
        }
        return;
    case STMT_LOOP: put_loop(e, s); return;
    case STMT_IF:
        line_start(e);
        if (s->array) {
            text_add(t, "if (%s != NULL) {\n", e->array_name[s->array]);
        } else {
            text_raw(t, "if (");
            put_expr(e, s->value, PREC_LOWEST);
            text_raw(t, ") {\n");
        }
        put_body(e, &s->body);
        line_start(e);
        if (s->otherwise.first) {
            text_raw(t, "} else {\n");
            put_body(e, &s->otherwise);
            line_start(e);
        }
        text_raw(t, "}\n");
        return;
    case STMT_LET: {
        const Local *l = &e->f->locals.at[s->local];
        line_start(e);
        text_add(t, "const %s %s = ", value_type_text(l->type), name_local(e, s->local));
        put_expr(e, s->value, PREC_LOWEST);
        text_raw(t, ";\n");
        return;
    }
    case STMT_VAR: {
        const Local *l = &e->f->locals.at[s->local];
        line_start(e);
        text_add(t, "%s %s", value_type_text(l->type), name_local(e, s->local));
        if (l->lanes) {
            text_add(t, s->value ? "[%d] = {0};\n" : "[%d];\n", LANES);
            return;
        }
        if (s->value) {
            text_raw(t, " = ");
            put_expr(e, s->value, PREC_LOWEST);
        }
        text_raw(t, ";\n");
        return;
    }
    case STMT_SET:
        line_start(e);
        text_raw(e->out, text_of_local(e, s->local));
        if (s->checked) {
            text_add(t, " = gradc_int_%s(%s, ", s->op == '*' ? "mul" : "add",
                     e->local_name[s->local]);
            put_expr(e, s->value, PREC_LOWEST);
            text_raw(t, ", &status);\n");
            return;
        }
        put_assign(e, s->op, s->value, NULL);
        return;
    case STMT_STORE: {
        const char *entry = entry_type_text(g, s->array);
        line_start(e);
        text_add(t, "%s[", e->array_name[s->array]);
        put_place(e, s->array, s->position);
        text_char(t, ']');
        put_assign(e, s->op, s->value,
                   strcmp(entry, value_type_text(ARRAY(g, s->array)->type)) ? entry : NULL);
        return;
    }
    case STMT_ZERO:
        line_start(e);
        text_add(t, "memset(%s, 0, (size_t)(", e->array_name[s->array]);
        put_count(e, s->array);
        text_add(t, ") * sizeof(%s));\n", entry_type_text(g, s->array));
        return;
    case STMT_MATMUL:
        line_start(e);
        put_matmul(e, s->matmul);
        return;
    case STMT_KERNEL:
        line_start(e);
        text_raw(t, kernel_info[s->call->kind].fails ? "gradc_fail(&status, " : "");
        put_call(e, s->call);
        text_raw(t, kernel_info[s->call->kind].fails ? ");\n" : ";\n");
        return;
    case STMT_COPY: {
        const char *entry = entry_type_text(g, s->array);
        line_start(e);
        text_add(t, "if (%s != NULL) {\n", out_name(e, s->array));
        e->depth++;
        line_start(e);
        if (ARRAY(g, s->array)->rank == 0) {
            bool cast = strcmp(entry, value_type_text(ARRAY(g, s->array)->type)) != 0;
            text_add(t, "*%s = %s%s%s%s;\n", out_name(e, s->array), cast ? "(" : "",
                     cast ? entry : "", cast ? ")" : "", e->array_name[s->array]);
        } else {
            text_add(t, "memcpy(%s, %s, (size_t)(", out_name(e, s->array), e->array_name[s->array]);
            put_count(e, s->array);
            text_add(t, ") * sizeof(%s));\n", entry);
        }
        e->depth--;
        line_start(e);
        text_raw(t, "}\n");
        return;
    }
    case STMT_BREAK:
        line_start(e);
        text_raw(t, "break;\n");
        return;
    case STMT_RETURN:
        line_start(e);
        if (s->op == '?') {
            text_raw(t, "if (status != GRADC_OK) {\n");
            text_indent(t, e->depth + 1);
        }
        text_raw(t, "return status;\n");
        if (s->op == '?') {
            line_start(e);
            text_raw(t, "}\n");
        }
        return;
    case STMT_SPAN:
        line_start(e);
        text_add(t, "const int64_t %s = ", name_local(e, s->local));
        put_span(e, s->checkpoint, "");
        text_raw(t, ";\n");
        return;
    case STMT_STATES: put_states_start(e, s); return;
    case STMT_STATE: put_state_kept(e, s); return;
    case STMT_REPLAY: put_replay(e, s); return;
    case STMT_THREADS: put_threads(e, s); return;
    case STMT_FAIL:
        line_start(e);
        text_add(t, "gradc_fail(&status, %s);\n", s->text);
        return;
    }
}

static void put_stmts(Emit *e, const Stmt *s, const Stmt *end) {
    for (; s != end; s = s->next) {
        if (s->kind == STMT_COMMENT || s->kind == STMT_LOOP || s->kind == STMT_IF ||
            s->kind == STMT_COPY || s->kind == STMT_RETURN || s->kind == STMT_STATES ||
            s->kind == STMT_STATE || s->kind == STMT_REPLAY || s->kind == STMT_THREADS) {
            put_stmt(e, s);
            continue;
        }
        Text line = text_new(e->arena), *out = e->out;
        e->out = &line;
        put_stmt(e, s);
        e->out = out;
        text_wrap(out, text_string(&line), WIDTH, 4 * e->depth + 8);
    }
}

static void put_block(Emit *e, const Block *b) {
    put_stmts(e, b->first, NULL);
}

/* ---- functions
 * --------------------------------------------------------------------------------------------------------------------
 */

static bool is_in(const ArrayRef *list, int n, ArrayRef a) {
    for (int k = 0; k < n; k++) {
        if (list[k] == a) {
            return true;
        }
    }
    return false;
}

/* "mnist" for the only gradient or vjp, "mnist_hvp" for another only one of its kind, else
 * "mnist_gradient_loss". */
static const char *stem(Emit *e, int request) {
    Graph *g = e->g;
    int same = 0;
    if (request < 0) {
        return e->o->prefix;
    }
    const Request *r = &g->requests.at[request];
    for (int k = 0; k < g->requests.n; k++) {
        same += g->requests.at[k].kind == r->kind;
    }
    if (same == 1 && (r->kind == REQUEST_GRADIENT || r->kind == REQUEST_VJP)) {
        return e->o->prefix;
    }
    const char *kind = arena_format(e->arena, "%s_%s", e->o->prefix, request_names[r->kind]);
    return same == 1 ? kind : arena_format(e->arena, "%s_%s", kind, ARRAY(g, r->of)->name);
}

/* What the size of a function's workspace is asked by, less "_workspace". */
static const char *layout_stem(Emit *e, int layout) {
    return stem(e, e->plan->layouts.at[layout].request);
}

/* One function says how large a workspace is to be for all layouts of a stem. */
static bool same_workspace(Emit *e, int layout, int other) {
    return !strcmp(layout_stem(e, layout), layout_stem(e, other));
}

static bool shares_stem(Emit *e, int layout) {
    bool shares = false;
    for (int k = 0; k < e->plan->layouts.n; k++) {
        shares = shares || (k != layout && same_workspace(e, layout, k));
    }
    return shares;
}

static const char *layout_word(Emit *e, int layout) {
    return layout == 0 ? "_value" : e->plan->layouts.at[layout].joint ? "_value_and_gradient" : "";
}

/* Each layout has its function: the value's is smaller than a gradient's. */
static const char *layout_name(Emit *e, int layout) {
    return arena_format(e->arena, "%s%s_layout", layout_stem(e, layout), layout_word(e, layout));
}

static const char *function_name(Emit *e, const Function *f) {
    const char *s = stem(e, f->request);
    bool whole = f->kind == FN_DERIVATIVE || (f->kind == FN_VJP && strcmp(s, e->o->prefix));
    return whole ? s : arena_format(e->arena, "%s_%s", s, function_word(f->kind));
}

static const char *field_name(Emit *e, ArrayRef a) {
    return c_name(e->arena, ARRAY(e->g, a)->name);
}

static const char *table_name(Emit *e, ArrayRef a) {
    const char *seen = ARRAY(e->g, a)->table_name;
    return seen ? arena_format(e->arena, "%s_%s", e->o->prefix, seen)
                : arena_format(e->arena, "%s_table_%s", e->o->prefix, ARRAY(e->g, a)->name);
}

static const Layout *layout_of(const Plan *p, const Function *f) {
    return &p->layouts.at[f->layout];
}

static int count_of_type(const Graph *g, int n, const ArrayRef *array, ValueType type) {
    int count = 0;
    for (int k = 0; k < n; k++) {
        count += ARRAY(g, array[k])->type == type;
    }
    return count;
}

/* Numbers that forward keeps for backward lie in one array for each type, behind the buffers. */
static int kept_count(const Graph *g, const Layout *l, ValueType type) {
    return count_of_type(g, l->kept.n, l->kept.at, type);
}

/* How many types stand before this one. */
static int kept_place(const Graph *g, const Layout *l, int type) {
    int n = 0;
    for (int t = VALUE_BOOL; t < type; t++) {
        n += kept_count(g, l, (ValueType)t) > 0;
    }
    return n;
}

/* Where the slots of a type are, for numbers that go from one part of a function to another. */
static int slots_place(const Graph *g, const Layout *l, int type) {
    int n = l->buffers.n + kept_place(g, l, VALUE_DOUBLE + 1);
    for (int t = VALUE_BOOL; t < type; t++) {
        n += l->slots[t] > 0;
    }
    return n;
}

static int layout_entries(const Graph *g, const Layout *l) {
    return slots_place(g, l, VALUE_DOUBLE + 1);
}

/* Slots of kept numbers, by array: each type counts for itself. */
static const int *kept_slots(Emit *e, const Layout *l) {
    int *slot = arena_alloc(e->arena, (size_t)(e->g->arrays.n + 1) * sizeof *slot),
        next[VALUE_DOUBLE + 1] = {0};
    for (int k = 0; k < l->kept.n; k++) {
        slot[l->kept.at[k]] = next[ARRAY(e->g, l->kept.at[k])->type]++;
    }
    return slot;
}

/* Does forward come before it? */
static bool comes_after(const Function *f) {
    return f->kind == FN_BACKWARD || f->kind == FN_VJP;
}

/* Names of a worker's parameters, in scope for its whole text. */
static void parameters(Emit *e, const Function *f) {
    Graph *g = e->g;
    e->given.n = e->sums_name.n = 0;
    e->loop.n = e->loop_name.n = 0;
    names_drop(e, 0);
    for (int k = 0; k < g->externs.n; k++) { /* nothing else in the worker is named like them */
        name_add(e, g->externs.at[k].c_name, g->externs.at[k].c_name);
    }
    e->f = f;
    e->array_name = arena_alloc(e->arena, (size_t)(g->arrays.n + 1) * sizeof *e->array_name);
    e->out_name = arena_alloc(e->arena, (size_t)(g->arrays.n + 1) * sizeof *e->out_name);
    e->state_name = arena_alloc(e->arena, (size_t)(g->arrays.n + 1) * sizeof *e->state_name);
    e->end_name = arena_alloc(e->arena, (size_t)(g->arrays.n + 1) * sizeof *e->end_name);
    e->local_name = arena_alloc(e->arena, (size_t)(f->locals.n + 1) * sizeof *e->local_name);
    e->place_name = arena_alloc(e->arena, (size_t)(f->locals.n + 1) * sizeof *e->place_name);
    for (int k = 1; k < g->dims.n; k++) {
        const char *name = c_name(e->arena, g->dims.at[k].name);
        name_add(e, name, name);
        if (!e->dim_used || e->dim_used[k]) {
            VEC_PUSH(e->arena, e->given,
                     (Parameter){name, arena_format(e->arena, "int64_t %s", name),
                                 arena_format(e->arena, "a->%s", name)});
        }
    }
    e->row_name = arena_alloc(e->arena, (size_t)(g->rows.n + 1) * sizeof *e->row_name);
    for (int k = 0; k < g->rows.n; k++) {
        const RowRoom *r = &g->rows.at[k];
        const char *name = e->row_name[k] =
            new_name(e, c_name(e->arena, g->indices.at[NODE(g, r->room)->aux].name), false);
        if (!e->row_used || e->row_used[k]) {
            Text room = text_new(e->arena), *was = e->out;
            e->out = &room;
            put_variable(e, r->room, "a->");
            e->out = was;
            VEC_PUSH(
                e->arena, e->given,
                (Parameter){name, arena_format(e->arena, "int64_t %s", name), text_string(&room)});
        }
    }
    for (int k = 0; k < f->reads.n; k++) {
        ArrayRef a = f->reads.at[k];
        e->array_name[a] = new_name(e, field_name(e, a), false);
        const char *entry = entry_type_text(g, a);
        const char *d =
            ARRAY(g, a)->rank
                ? arena_format(e->arena, "const %s *gradc_restrict %s", entry, e->array_name[a])
                : arena_format(e->arena, "%s %s", entry, e->array_name[a]);
        VEC_PUSH(
            e->arena, e->given,
            (Parameter){e->array_name[a], d, arena_format(e->arena, "a->%s", field_name(e, a))});
    }
    const Layout *l = layout_of(e->plan, f);
    const int *place = f->buffers.n ? layout_places(g, l, f) : NULL;
    for (int k = 0; k < f->buffers.n; k++) {
        ArrayRef a = f->buffers.at[k];
        e->array_name[a] = new_name(e, field_name(e, a), false);
        const char *entry = entry_type_text(g, a);
        VEC_PUSH(
            e->arena, e->given,
            (Parameter){e->array_name[a],
                        arena_format(e->arena, "%s *gradc_restrict %s", entry, e->array_name[a]),
                        arena_format(e->arena, "(%s *)(void *)(w + at[%d])", entry, place[a])});
    }
    for (int k = 0; k < l->buffers.n && f->checkpoints.n; k++) {
        const Buffer *b = &l->buffers.at[k];
        ArrayRef a = b->array;
        if (!b->states || (b->part == PART_ENDS && f->kind == FN_FORWARD)) {
            continue;
        }
        static const char *const words[] = {"states", "end", "fresh"};
        const char *entry = b->part == PART_FRESH ? "int64_t" : entry_type_text(g, a),
                   *name = new_name(
                       e, arena_format(e->arena, "%s_%s", field_name(e, a), words[b->part]), false);
        *(b->part == PART_STATES ? &e->state_name[a]
          : b->part == PART_ENDS ? &e->end_name[a]
                                 : &e->fresh_name[b->states->number]) = name;
        VEC_PUSH(e->arena, e->given,
                 (Parameter){name, arena_format(e->arena, "%s *gradc_restrict %s", entry, name),
                             arena_format(e->arena, "(%s *)(void *)(w + at[%d])", entry, k)});
    }
    for (int k = 0; k < l->buffers.n; k++) {
        const Buffer *b = &l->buffers.at[k];
        if (b->sums && &e->plan->functions.at[b->sums->function] == f) {
            const char *entry = entry_type_text(g, b->array),
                       *name = new_name(
                           e, arena_format(e->arena, "%s_parts", field_name(e, b->array)), false);
            VEC_PUSH(e->arena, e->sums_name, ((SumsName){b->sums, b->array, name}));
            VEC_PUSH(e->arena, e->given,
                     (Parameter){name, arena_format(e->arena, "%s *gradc_restrict %s", entry, name),
                                 arena_format(e->arena, "(%s *)(void *)(w + at[%d])", entry, k)});
        }
    }
    for (int k = 0; k < f->locals.n; k++) {
        if (f->locals.at[k].array) {
            e->array_name[f->locals.at[k].array] = name_local(e, k);
        }
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        e->kept_name[type] = NULL;
        if (count_of_type(g, f->saved.n, f->saved.at, (ValueType)type)) {
            e->kept_name[type] = new_name(e, "kept", false);
            VEC_PUSH(e->arena, e->given,
                     (Parameter){e->kept_name[type],
                                 arena_format(e->arena, "%s *gradc_restrict %s",
                                              value_type_text((ValueType)type), e->kept_name[type]),
                                 arena_format(e->arena, "(%s *)(void *)(w + at[%d])",
                                              value_type_text((ValueType)type),
                                              l->buffers.n + kept_place(g, l, type))});
        }
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        const char *entry = value_type_text((ValueType)type);
        if (f->slots[type]) {
            e->slot_name[type] = new_name(e, "slot", false);
            VEC_PUSH(e->arena, e->given,
                     (Parameter){
                         e->slot_name[type],
                         arena_format(e->arena, "%s *gradc_restrict %s", entry, e->slot_name[type]),
                         arena_format(e->arena, "(%s *)(void *)(w + at[%d])", entry,
                                      slots_place(g, l, type))});
        }
    }
    for (int k = 0; k < f->writes.n; k++) {
        ArrayRef a = f->writes.at[k];
        bool direct = f->place[a] == PLACE_OUTPUT;
        if (direct) {
            e->array_name[a] = new_name(e, field_name(e, a), false);
        }
        const char *name =
            direct ? e->array_name[a]
                   : new_name(e, arena_format(e->arena, "%s_out", e->array_name[a]), false);
        e->out_name[a] = name;
        VEC_PUSH(e->arena, e->given,
                 (Parameter){
                     name,
                     arena_format(e->arena, "%s *gradc_restrict %s", entry_type_text(g, a), name),
                     arena_format(e->arena, "a->%s", field_name(e, a))});
    }
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        if (f->place[a] == PLACE_TABLE) {
            e->array_name[a] = table_name(e, a);
        }
    }
}

static int count_copied(const Expr *x) {
    int n = is_copied(x);
    for (int k = 0; k < x->n; k++) {
        n += count_copied(x->arg[k]);
    }
    return n;
}

static int count_copies(const Block *b) { /* outside of loops */
    int n = 0;
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_LOOP) {
            n += (s->value ? count_copied(s->value) : 0) + count_copies(&s->body) +
                 count_copies(&s->otherwise);
        }
    }
    return n;
}

/* A function of many statements would get a copy of sine for each that it takes, and C compilers
 * need more time for one large function than for many small ones. There they are called. */
static void put_calls(Emit *e, Text *t) {
    for (int real = 0; real < 2; real++) {
        for (int op = 0; op < OP_COUNT; op++) {
            const char *type = real ? "double" : "float",
                       *text = op_info[op].c[real] ? op_info[op].c[real] : op_info[op].c[1];
            if (!e->called[real][op]) {
                continue;
            }
            size_t n = strcspn(text, "(");
            text_add(t, "GRADC_OUTLINE %s %s_%.*s(", type, e->o->prefix, (int)n - 6, text + 6);
            for (int k = 0; k < op_info[op].arity; k++) {
                bool whole = op_info[op].whole >> k & 1;
                text_add(t, "%s%s %c", k ? ", " : "", whole ? "int64_t" : type, "xyz"[k]);
            }
            text_raw(t, ") {\n    return ");
            for (const char *s = put_alone(t, &op_info[op], text, !real); *s; s++) {
                if (*s == '$') {
                    text_char(t, "xyz"[*++s - '0']);
                } else {
                    text_char(t, *s);
                }
            }
            text_raw(t, ";\n}\n\n");
        }
    }
}

/* ---- functions of very many statements: a C function for each part, and one that calls them */

/* The worker's parameters by name, to find those that a part uses in one walk over its text. */
typedef struct Wanted {
    VEC(int) of;     /* by symbol: the parameter's number + 1, 0: it is none */
    int *met;        /* by parameter: the part that named it last */
    VEC(int) number; /* of the part at hand, in order */
    bool fails;      /* it names a status */
} Wanted;

static Wanted wanted_new(Emit *e) {
    Wanted w = {.met = arena_alloc(e->arena, ((size_t)e->given.n + 1) * sizeof(int))};
    for (int k = 0; k < e->given.n; k++) {
        Symbol name = name_symbol(e, e->given.at[k].name);
        while ((uint32_t)w.of.n <= name) {
            VEC_PUSH(e->arena, w.of, 0);
        }
        w.of.at[name] = k + 1;
    }
    return w;
}

static int compare_numbers(const void *a, const void *b) {
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static void find_wanted(Emit *e, Wanted *w, int part, const char *code) {
    Symbol status = symbol_of(e->g->cx, "status");
    w->number.n = 0, w->fails = false;
    for (const char *s = code; *s;) {
        const char *from = s;
        while (isalnum((unsigned char)*s) || *s == '_') {
            s++;
        }
        if (s == from) {
            s++;
            continue;
        }
        Symbol word = symbol(e->g->cx, from, (size_t)(s - from));
        int number = (uint32_t)w->of.n > word ? w->of.at[word] - 1 : -1;
        w->fails = w->fails || word == status;
        if (number >= 0 && w->met[number] != part) {
            w->met[number] = part;
            VEC_PUSH(e->arena, w->number, number);
        }
    }
    if (w->number.n) {
        qsort(w->number.at, (size_t)w->number.n, sizeof *w->number.at, compare_numbers);
    }
}

/* Where a number is that goes from part to part: "slot[3]", or with those kept for backward. */
static const char *home_of(Emit *e, const int *kept, int local) {
    const Local *l = &e->f->locals.at[local];
    if (kept[local]) {
        return arena_format(e->arena, "%s[%d]", e->kept_name[l->type], kept[local] - 1);
    }
    return arena_format(e->arena, "%s[%d]", e->slot_name[l->type], e->f->slot[local]);
}

/* "v3 to v17": the equations of a part, the first and the last one. */
static const char *part_equations(Emit *e, const FunctionPart *p) {
    ArrayRef first = 0, last = 0;
    for (const Stmt *s = p->first; s != p->last->next; s = s->next) {
        if (s->kind == STMT_COMMENT && s->array) {
            first = first ? first : s->array;
            last = s->array;
        }
    }
    if (!first) {
        return "";
    }
    const char *from = ARRAY(e->g, first)->name, *to = ARRAY(e->g, last)->name;
    return first == last ? arena_format(e->arena, ": %s", from)
                         : arena_format(e->arena, ": %s to %s", from, to);
}

static void put_run(Emit *e, const FunctionPart *p, const int *kept) {
    int taken = 0, left = 0;
    for (const Stmt *s = p->first; s != p->last->next; s = s->next) {
        for (; taken < p->takes.n && p->takes.at[taken].at == s; taken++) {
            const Handed *h = &p->takes.at[taken];
            line_start(e);
            text_add(e->out, "%s%s %s = %s;\n", h->changes ? "" : "const ",
                     value_type_text(e->f->locals.at[h->local].type), name_local(e, h->local),
                     home_of(e, kept, h->local));
        }
        put_stmts(e, s, s->next);
        for (; left < p->leaves.n && p->leaves.at[left].at == s; left++) {
            int local = p->leaves.at[left].local;
            line_start(e);
            text_add(e->out, "%s = %s;\n", home_of(e, kept, local), name_local(e, local));
        }
    }
}

/* Calls of the parts; they themselves stand before the worker. */
static void put_runs(Emit *e, const Function *f) {
    Text *calls = e->out, *t = e->parts;
    int *kept = arena_alloc(e->arena, (size_t)(f->locals.n + 1) * sizeof *kept);
    const int *slot = f->saved.n ? kept_slots(e, layout_of(e->plan, f)) : NULL;
    for (int k = 0; k < f->saved.n; k++) {
        kept[f->local[f->saved.at[k]]] = slot[f->saved.at[k]] + 1;
    }
    Wanted wanted = wanted_new(e);
    for (int k = 0; k < f->parts.n; k++) {
        const FunctionPart *p = &f->parts.at[k];
        Text body = text_new(e->arena), head = text_new(e->arena), call = text_new(e->arena);
        if (p->outside) {
            line_start(e);
            text_raw(calls, "{\n");
            e->depth++;
            put_run(e, p, kept);
            e->depth--;
            line_start(e);
            text_raw(calls, "}\n");
            continue;
        }
        e->out = &body;
        put_run(e, p, kept);
        e->out = calls;
        find_wanted(e, &wanted, k + 1, code_alone(e->arena, text_string(&body)));
        bool fails = wanted.fails;
        const char *name = arena_format(e->arena, "%s_run%d", function_name(e, f), k + 1);
        text_add(t, "/* Part %d of %d of %s%s. */\n", k + 1, f->parts.n, function_name(e, f),
                 part_equations(e, p));
        text_add(&head, "GRADC_OUTLINE %s %s(", fails ? "int" : "void", name);
        text_add(&call, "    %s%s(", fails ? "gradc_fail(&status, " : "", name);
        int n = 0;
        for (; n < wanted.number.n; n++) {
            const Parameter *g = &e->given.at[wanted.number.at[n]];
            text_add(&head, "%s%s", n ? ", " : "", g->declare);
            text_add(&call, "%s%s", n ? ", " : "", g->name);
        }
        text_raw(&head, n ? ") {\n" : "void) {\n");
        text_raw(&call, fails ? "));\n" : ");\n");
        text_wrap(t, text_string(&head), WIDTH, 8);
        text_raw(t, fails ? "    int status = GRADC_OK;\n" : "");
        text_raw(t, text_string(&body));
        text_raw(t, fails ? "    return status;\n}\n\n" : "}\n\n");
        text_wrap(calls, text_string(&call), WIDTH, 12);
    }
}

static void put_worker(Emit *e, const Function *f) {
    Text *t = e->out, body = text_new(e->arena), parts = text_new(e->arena);
    Graph *g = e->g;
    e->dim_used = e->row_used = NULL;
    e->parts = &parts;
    parameters(e, f);
    e->out = &body;
    e->depth = 1;
    const int *slot = f->saved.n ? kept_slots(e, layout_of(e->plan, f)) : NULL;
    int saved = f->parts.n ? 0 : f->saved.n; /* parts take and leave what they know of */
    for (int k = 0; k < saved && comes_after(f); k++) {
        ArrayRef a = f->saved.at[k];
        ValueType type = ARRAY(g, a)->type;
        text_add(&body, "    const %s %s = %s[%d];\n", value_type_text(type), e->array_name[a],
                 e->kept_name[type], slot[a]);
    }
    e->calls = count_copies(&f->body) > MOST_COPIED;
    if (f->parts.n) {
        put_runs(e, f);
    } else {
        put_block(e, &f->body);
    }
    e->calls = false;
    for (int k = 0; k < saved && !comes_after(f); k++) {
        ArrayRef a = f->saved.at[k];
        text_add(&body, "    %s[%d] = %s;\n", e->kept_name[ARRAY(g, a)->type], slot[a],
                 e->array_name[a]);
    }
    const char *code = code_alone(e->arena, text_string(&body));
    bool *used = arena_alloc(e->arena, (size_t)g->dims.n + 1);
    for (int k = 1; k < g->dims.n; k++) {
        used[k] = has_word(code, c_name(e->arena, g->dims.at[k].name));
    }
    e->dim_used = used;
    e->row_used = arena_alloc(e->arena, (size_t)g->rows.n + 1);
    for (int k = 0; k < g->rows.n; k++) {
        e->row_used[k] = has_word(code, e->row_name[k]);
    }
    e->out = t;
    parameters(e, f);
    text_raw(t, text_string(&parts));
    /* Not inlined: where the promises of `restrict` come from a function that was inlined, gcc 12
     * at -O3 moves loads over stores. */
    Text head = text_new(e->arena);
    bool many = e->given.n > MOST_LISTED;
    text_add(&head, "GRADC_OUTLINE int %s_worker(", function_name(e, f));
    for (int k = 0; k < e->given.n; k++) {
        text_add(&head, "%s%s%s", k ? "," : "",
                 !many ? "\n        "
                 : k   ? " "
                       : "",
                 e->given.at[k].declare);
    }
    text_raw(&head, e->given.n ? ") {\n" : "void) {\n");
    if (many) {
        text_wrap(t, text_string(&head), WIDTH, 8);
    } else {
        text_raw(t, text_string(&head));
    }
    bool fails = has_word(code, "status");
    text_raw(t, fails ? "    int status = GRADC_OK;\n" : "");
    text_raw(t, text_string(&body));
    text_add(t, "    return %s;\n}\n\n", fails ? "status" : "GRADC_OK");
}

static void put_public(Emit *e, const Function *f) {
    Text *t = e->out;
    Graph *g = e->g;
    const Layout *l = layout_of(e->plan, f);
    if (f->kind == FN_VALUE_AND_GRADIENT && !l->joint) {
        text_add(t,
                 "int %s(const %s_args *a, void *workspace) {\n    const int status = "
                 "%s_forward(a, workspace);\n",
                 function_name(e, f), e->o->prefix, stem(e, f->request));
        text_add(t, "    return status != GRADC_OK ? status : %s_backward(a, workspace);\n}\n\n",
                 stem(e, f->request));
        return;
    }
    parameters(e, f);
    bool uses_workspace = f->buffers.n + f->saved.n + e->sums_name.n > 0;
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        uses_workspace = uses_workspace || f->slots[type] > 0;
    }
    text_add(t, "int %s(const %s_args *a, void *workspace) {\n", function_name(e, f), e->o->prefix);
    text_raw(t, "    int status;\n");
    if (uses_workspace) {
        text_add(t,
                 "    size_t at[%d], bytes;\n    char nothing[1];\n    char *const w = workspace "
                 "!= NULL ? (char *)workspace : nothing;\n",
                 layout_entries(g, l));
    }
    text_add(t,
             "    if (a == NULL) {\n        return GRADC_NULL;\n    }\n    status = "
             "%s_check_sizes(a);\n",
             e->o->prefix);
    text_raw(t, "    if (status != GRADC_OK) {\n        return status;\n    }\n");
    if (uses_workspace) {
        text_add(t,
                 "    bytes = %s(a, at);\n    if (bytes == SIZE_MAX) {\n        return "
                 "GRADC_OVERFLOW;\n    }\n",
                 layout_name(e, f->layout));
        text_raw(t, "    if (bytes > 0 && (workspace == NULL || !gradc_aligned(workspace))) {\n    "
                    "    return GRADC_WORKSPACE;\n    }\n");
    } else {
        text_raw(t, "    (void)workspace;\n");
    }
    int pointers = 0;
    for (int k = 0; k < f->reads.n; k++) {
        ArrayRef a = f->reads.at[k];
        if (ARRAY(g, a)->rank) {
            text_add(t, "%sa->%s == NULL", pointers++ ? " || " : "    if (", field_name(e, a));
        }
    }
    text_raw(t, pointers ? ") {\n        return GRADC_NULL;\n    }\n" : "");
    for (int k = 0; k < f->reads.n; k++) {
        ArrayRef a = f->reads.at[k];
        const Array *x = ARRAY(g, a);
        if (!x->target) {
            continue;
        }
        const char *name = field_name(e, a);
        e->depth = 1;
        if (x->rank == 0) {
            text_add(t, "    if (a->%s < 0 || a->%s >= ", name, name);
            put_size(e, x->target, 61, "a->");
            text_raw(t, ") {\n        return GRADC_BAD_INDEX;\n    }\n");
            continue;
        }
        text_add(t, "    if (!gradc_indices(a->%s, ", name);
        for (int q = 0; q < x->rank; q++) {
            text_raw(t, q ? " * " : "");
            put_size(e, x->extent[q], 81, "a->");
        }
        text_raw(t, ", ");
        put_size(e, x->target, 61, "a->");
        text_raw(t, ")) {\n        return GRADC_BAD_INDEX;\n    }\n");
    }
    Text call = text_new(e->arena);
    text_add(&call, "    return %s_worker(", function_name(e, f));
    for (int k = 0; k < e->given.n; k++) {
        text_add(&call, "%s%s", k ? ", " : "", e->given.at[k].pass);
    }
    text_raw(&call, ");");
    text_wrap(t, text_string(&call), WIDTH, 12);
    text_raw(t, "\n}\n\n");
}

/* Where the entries of sparse results stand, for callers; the functions read these tables too. */
static void put_pattern(Emit *e, const char *name, const char *what, int64_t n,
                        const int32_t *values) {
    Text line = text_new(e->arena);
    text_add(e->out, "const int32_t %s_%s_%s[%lld] = {\n", e->o->prefix, name, what, (long long)n);
    for (int64_t k = 0; k < n; k++) {
        text_add(&line, "%ld%s", (long)values[k], k + 1 < n ? "," : "");
        if (line.n > 90 || k + 1 == n) {
            text_add(e->out, "    %s\n", text_string(&line));
            line = text_new(e->arena);
        } else {
            text_char(&line, ' ');
        }
    }
    text_raw(e->out, "};\n\n");
}

static void put_patterns(Emit *e) {
    Graph *g = e->g;
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        for (int q = 0; q < r->compressed.n; q++) {
            const Compressed *c = &r->compressed.at[q];
            const char *name = ARRAY(g, r->result.at[q])->name;
            int32_t *start = arena_alloc(e->arena, (size_t)(c->rows + 1) * sizeof *start);
            for (int64_t i = 0; i < c->entries; i++) {
                start[c->row[i] + 1] = (int32_t)i + 1;
            }
            for (int64_t i = 0; i < c->rows; i++) {
                start[i + 1] = start[i + 1] ? start[i + 1] : start[i];
            }
            put_pattern(e, name, "row", c->entries, c->row);
            put_pattern(e, name, "column", c->entries, c->column);
            put_pattern(e, name, "start", c->rows + 1, start);
        }
    }
}

static void put_pattern_header(Emit *e, Text *t) {
    Graph *g = e->g;
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        for (int q = 0; q < r->compressed.n; q++) {
            const Compressed *c = &r->compressed.at[q];
            const char *p = e->o->prefix, *name = ARRAY(g, r->result.at[q])->name;
            bool half = c->half;
            text_add(
                t,
                "\n/* Entry e of %s is that of row %s_%s_row[e], column %s_%s_column[e] of %lld "
                "x %lld%s. Row i begins at entry\n * %s_%s_start[i]. It takes %d %s. */\n",
                name, p, name, p, name, (long long)c->rows, (long long)c->columns,
                half ? ", on and below the diagonal" : "", p, name, r->colours,
                r->kind == REQUEST_HESSIAN || r->forward ? "forward sweeps" : "backward sweeps");
            text_add(t, "extern const int32_t %s_%s_row[%lld];\n", p, name, (long long)c->entries);
            text_add(t, "extern const int32_t %s_%s_column[%lld];\n", p, name,
                     (long long)c->entries);
            text_add(t, "extern const int32_t %s_%s_start[%lld];\n", p, name,
                     (long long)(c->rows + 1));
        }
    }
}

static void put_tables(Emit *e) {
    Graph *g = e->g;
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        const Array *x = ARRAY(g, a);
        bool used = false;
        for (int k = 0; k < e->plan->functions.n; k++) {
            const Function *f = &e->plan->functions.at[k];
            used = used || (f->place && (int)a < f->arrays && f->place[a] == PLACE_TABLE);
        }
        if (x->role != ARRAY_CONST || !used || x->table_name) {
            continue;
        }
        int64_t n = 1, one = 0;
        for (int k = 0; k < x->rank; k++) {
            if (!poly_is_int(x->extent[k], &one)) {
                bug("a table of open size");
            }
            n *= one;
        }
        Text line = text_new(e->arena);
        text_add(e->out, "static const %s %s[%lld] = {\n", entry_type_text(g, a), table_name(e, a),
                 (long long)n);
        for (int64_t k = 0; k < n; k++) {
            size_t from = line.n;
            if (x->type >= VALUE_FLOAT) {
                put_real(&line, x->type, x->table[k]);
            } else {
                text_add(&line, "%lld", (long long)x->table[k]);
            }
            text_raw(&line, k + 1 < n ? "," : "");
            if (line.n > 90 || k + 1 == n) {
                text_add(e->out, "    %s\n", text_string(&line));
                line = text_new(e->arena);
            } else {
                text_char(&line, ' ');
            }
            (void)from;
        }
        text_raw(e->out, "};\n\n");
    }
}

static void put_checks(Emit *e) {
    Graph *g = e->g;
    Text *t = e->out;
    text_add(t, "static int %s_check_sizes(const %s_args *a) {\n    (void)a;\n", e->o->prefix,
             e->o->prefix);
    for (int k = 1; k < g->dims.n; k++) {
        const char *name = c_name(e->arena, g->dims.at[k].name);
        text_add(t, "    if (a->%s < %lld) {\n        return GRADC_BAD_SIZE;\n    }\n", name,
                 (long long)(g->dims.at[k].least > 1 ? g->dims.at[k].least : 1));
        text_add(t, "    if (a->%s > INT32_MAX) {\n        return GRADC_OVERFLOW;\n    }\n", name);
    }
    for (int k = 0; k < g->demands.n; k++) {
        text_raw(t, "    if (");
        put_size(e, g->demands.at[k], 61, "a->");
        text_raw(t, " < 0) {\n        return GRADC_BAD_SIZE;\n    }\n");
    }
    VEC(const Poly *) done = {0};
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            const Poly *p = ARRAY(g, a)->extent[k];
            bool known = graph_prove(g, p, 0, NULL);
            for (int q = 0; q < done.n && !known; q++) {
                known = poly_equal(done.at[q], p);
            }
            bool sizes = true;
            const uint32_t *vars;
            int n = poly_vars(g->arena, p, &vars);
            for (int q = 0; q < n; q++) {
                sizes = sizes && NODE(g, vars[q])->op == OP_DIM;
            }
            if (known || !sizes) {
                continue;
            }
            VEC_PUSH(g->arena, done, p);
            text_raw(t, "    if (");
            put_size(e, p, 61, "a->");
            text_raw(t, " < 0) {\n        return GRADC_BAD_SIZE;\n    }\n");
        }
    }
    text_raw(t, "    return GRADC_OK;\n}\n\n");
}

/* What is not stored whole: ", the last 2 of T" */
static void put_store(Graph *g, ArrayRef a, const Store *s, Text *t) {
    for (int k = 0; s && k < ARRAY(g, a)->rank; k++) {
        if (s->window[k] == 1) {
            text_add(t, ", one of %s", graph_poly_text(g, ARRAY(g, a)->extent[k]));
        } else if (s->window[k] < 0) {
            text_add(t, ", a block of %s", graph_poly_text(g, ARRAY(g, a)->extent[k]));
        } else if (s->window[k]) {
            text_add(t, ", the last %lld of %s", (long long)s->window[k],
                     graph_poly_text(g, ARRAY(g, a)->extent[k]));
        }
    }
    if (s && s->row) {
        text_add(t, ", rows by %d", s->row);
    }
}

/* A size as a double: no product overflows. */
static void put_double(Emit *e, const Poly *p) {
    Graph *g = e->g;
    if (p->n == 0) {
        text_raw(e->out, "0.0");
    }
    for (int k = 0; k < p->n; k++) {
        double c = (double)p->term[k].num / (double)p->term[k].den;
        text_raw(e->out, k == 0 ? (c < 0 ? "-" : "") : c < 0 ? " - " : " + ");
        c = c < 0 ? -c : c;
        if (c != 1 || p->term[k].nvars == 0) {
            put_real(e->out, VALUE_DOUBLE, c);
        }
        for (int q = 0; q < p->term[k].nvars; q++) {
            text_add(e->out, "%s(double)%s", q || c != 1 ? " * " : "",
                     c_name(e->arena, g->dims.at[NODE(g, p->term[k].var[q])->aux].name));
        }
    }
}

/* Which sizes say how many parts a loop has. */
static bool *parts_dims(Emit *e, const Threads *t) {
    bool *used = arena_alloc(e->arena, (size_t)e->g->dims.n + 1);
    const Poly *const of[] = {t->turns, t->work, t->data, t->weight};
    for (int k = 0; k < 4; k++) {
        const uint32_t *vars;
        int n = poly_vars(e->arena, of[k], &vars);
        for (int q = 0; q < n; q++) {
            used[NODE(e->g, vars[q])->aux] = true;
        }
    }
    return used;
}

static const char *parts_name(Emit *e, const Threads *t) {
    return arena_format(e->arena, "%s_parts%d",
                        function_name(e, &e->plan->functions.at[t->function]), t->number);
}

static void put_parts(Emit *e, const Threads *t) {
    Text *out = e->out, line = text_new(e->arena);
    const bool *used = parts_dims(e, t);
    int n = 0;
    text_add(out, "/* Into how many parts %s takes its loop over %s. */\nstatic int64_t %s(",
             function_name(e, &e->plan->functions.at[t->function]),
             e->g->indices.at[NODE(e->g, t->index)->aux].name, parts_name(e, t));
    for (int k = 1; k < e->g->dims.n; k++) {
        if (used[k]) {
            text_add(out, "%sint64_t %s", n++ ? ", " : "", c_name(e->arena, e->g->dims.at[k].name));
        }
    }
    text_raw(out, n ? ") {\n" : "void) {\n");
    e->out = &line;
    text_raw(&line, "    return gradc_parts(");
    put_double(e, t->turns);
    text_add(&line, ", %d, ", t->step);
    put_double(e, t->work);
    text_raw(&line, ", ");
    put_double(e, t->data);
    text_raw(&line, ", ");
    put_double(e, t->weight);
    text_raw(&line, ");\n");
    e->out = out;
    text_wrap(out, text_string(&line), WIDTH, 12);
    text_raw(out, "}\n\n");
}

/* How many bytes an array of the workspace takes. */
static const char *buffer_size(Emit *e, const Buffer *b) {
    Graph *g = e->g;
    ArrayRef a = b->array;
    const Store *s = b->store;
    const Checkpoint *c = b->states;
    KeptPart part = b->part;
    Text size = text_new(e->arena), *was = e->out;
    text_add(&size, "sizeof(%s)", entry_type_text(g, a));
    if (c) {
        int turns = b->turns;
        size.n = 0;
        if (turns > 1) {
            text_add(&size, "%d * ", turns);
        }
        text_add(&size, "sizeof(%s)", entry_type_text(g, a));
    }
    if (c && part == PART_STATES) {
        Text next = text_new(e->arena);
        text_add(&next, "gradc_size_mul(%s, gradc_size(", text_string(&size));
        e->out = &next;
        put_states(e, c, "a->", arena_format(e->arena, "span%d", c->number + 1));
        text_raw(&next, "))");
        size = next;
    }
    for (int q = c ? 1 : 0; q < store_axes(g, s, a); q++) {
        Text next = text_new(e->arena);
        text_add(&next, "gradc_size_mul(%s, gradc_size(", text_string(&size));
        e->out = &next;
        if (s && s->window[store_axis(s, q)] < 0) {
            text_add(&next, "span%d", s->checkpoint->number + 1);
        } else {
            put_size(e, store_room(g, s, a, store_axis(s, q)), 0, "a->");
        }
        text_raw(&next, "))");
        size = next;
    }
    if (b->sums || b->own.n) {
        Text next = text_new(e->arena);
        text_add(&next, "gradc_size_mul(%s, gradc_size(", text_string(&size));
        e->out = &next;
        if (b->sums) {
            put_parts_call(e, b->sums, "a->");
            text_raw(&next, " - 1");
        }
        for (int q = 0; q < b->own.n; q++) {
            text_raw(&next, q + 1 < b->own.n ? "gradc_more(" : "");
            put_parts_call(e, b->own.at[q], "a->");
            text_raw(&next, q + 1 < b->own.n ? ", " : "");
        }
        for (int q = 1; q < b->own.n; q++) {
            text_char(&next, ')');
        }
        text_raw(&next, "))");
        size = next;
    }
    e->out = was;
    return text_string(&size);
}

/* Sizes of several arrays have names. */
typedef struct NamedSizes {
    int n;
    const char *size[MOST_SIZES];
    int uses[MOST_SIZES], name[MOST_SIZES];
} NamedSizes;

static void name_sizes(Emit *e, const Layout *l, const char **size, NamedSizes *named) {
    int names = 0;
    for (int k = 0; k < l->buffers.n; k++) {
        int q = 0;
        while (q < named->n && strcmp(named->size[q], size[k]) != 0) {
            q++;
        }
        if (q < named->n) {
            named->uses[q]++;
        } else if (q < MOST_SIZES) {
            named->size[named->n] = size[k];
            named->uses[named->n++] = 1;
        }
    }
    for (int q = 0; q < named->n; q++) {
        if (named->uses[q] >= LEAST_SHARED) {
            Text line = text_new(e->arena);
            named->name[q] = ++names;
            text_add(&line, "    const size_t bytes%d = gradc_align(%s);\n", names, named->size[q]);
            text_wrap(e->out, text_string(&line), WIDTH, 12);
        }
    }
}

static int named_size(const NamedSizes *named, const char *size) { /* 0: it has no name */
    for (int q = 0; q < named->n; q++) {
        if (strcmp(named->size[q], size) == 0) {
            return named->name[q];
        }
    }
    return 0;
}

static void put_layout(Emit *e, int layout) {
    Graph *g = e->g;
    const Layout *l = &e->plan->layouts.at[layout];
    Text *t = e->out;
    if (!layout_entries(g, l)) {
        return;
    }
    text_add(t, "/* Where the arrays of the workspace start; returns its size in bytes, SIZE_MAX "
                "when that overflows. */\n");
    text_add(t,
             "static size_t %s(const %s_args *a, size_t *at) {\n    size_t n = 0;\n    (void)a;\n",
             layout_name(e, layout), e->o->prefix);
    for (int k = 0, done = 0; k < l->buffers.n; k++) {
        const Store *s = l->buffers.at[k].store;
        const Checkpoint *c = s && s->checkpoint ? s->checkpoint : l->buffers.at[k].states;
        if (c && checkpoint_span(c) < 0 && !(done >> c->number & 1)) {
            done |= 1 << c->number;
            text_add(t, "    const int64_t span%d = ", c->number + 1);
            put_span(e, c, "a->");
            text_raw(t, ";\n");
        }
    }
    const char **size = arena_alloc(e->arena, (size_t)(l->buffers.n + 1) * sizeof *size);
    for (int k = 0; k < l->buffers.n; k++) {
        size[k] = buffer_size(e, &l->buffers.at[k]);
    }
    NamedSizes named = {0};
    name_sizes(e, l, size, &named);
    for (int k = 0; k < l->buffers.n; k++) {
        ArrayRef a = l->buffers.at[k].array;
        const Store *s = l->buffers.at[k].store;
        const Checkpoint *c = l->buffers.at[k].states;
        const Buffer *b = &l->buffers.at[k];
        KeptPart part = l->buffers.at[k].part;
        bool fresh = c && part == PART_FRESH;
        int name = fresh ? 0 : named_size(&named, size[k]);
        text_add(t, "    at[%d] = ", k);
        text_raw(t, name ? arena_format(e->arena, "gradc_place(&n, bytes%d)", name) : "n");
        text_add(t, "; /* %s", ARRAY(g, a)->name);
        if (fresh) {
            text_raw(t, ": are the states as forward left them? */\n"
                        "    n = gradc_size_add(n, gradc_align(sizeof(int64_t)));\n");
            continue;
        }
        if (c) {
            text_raw(t, part == PART_STATES ? " in states" : " at its end");
        } else {
            graph_shape_text(g, a, t);
            put_store(g, a, s, t);
            text_raw(t, b->sums    ? ", for each part but the first"
                        : b->own.n ? ", for each part"
                                   : "");
        }
        text_raw(t, " */\n");
        if (name) {
            continue;
        }
        Text line = text_new(e->arena);
        text_add(&line, "    n = gradc_size_add(n, gradc_align(%s));\n", size[k]);
        text_wrap(t, text_string(&line), WIDTH, 12);
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        int count = kept_count(g, l, (ValueType)type);
        if (count) {
            text_add(t, "    at[%d] = n; /* numbers kept for backward */\n",
                     l->buffers.n + kept_place(g, l, type));
            text_add(t, "    n = gradc_size_add(n, gradc_align(%d * sizeof(%s)));\n", count,
                     value_type_text((ValueType)type));
        }
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        if (l->slots[type]) {
            text_add(t, "    at[%d] = n; /* numbers that go from one part to another */\n",
                     slots_place(g, l, type));
            text_add(t, "    n = gradc_size_add(n, gradc_align(%d * sizeof(%s)));\n",
                     l->slots[type], value_type_text((ValueType)type));
        }
    }
    text_raw(t, "    return n;\n}\n\n");
}

/* Under the bare name of a stem: enough for each of its functions. The value alone, and value and
 * gradient at once, can do with less, and say so under names of their own. */
static const char *workspace_name(Emit *e, int layout) {
    return arena_format(e->arena, "%s%s_workspace", layout_stem(e, layout),
                        shares_stem(e, layout) ? layout_word(e, layout) : "");
}

static void put_workspace(Emit *e, const char *name, int lo, int hi) {
    Text *t = e->out;
    int n = 0;
    text_add(t, "size_t %s(const %s_args *a) {\n", name, e->o->prefix);
    for (int k = lo; k < hi; k++) {
        int entries = layout_entries(e->g, &e->plan->layouts.at[k]);
        n = same_workspace(e, lo, k) && entries > n ? entries : n;
    }
    if (!n) {
        text_add(t, "    return a == NULL || %s_check_sizes(a) != GRADC_OK ? SIZE_MAX : 0;\n}\n\n",
                 e->o->prefix);
        return;
    }
    text_add(t, "    size_t at[%d], n, most = 0;\n", n);
    text_add(
        t,
        "    if (a == NULL || %s_check_sizes(a) != GRADC_OK) {\n        return SIZE_MAX;\n    }\n",
        e->o->prefix);
    for (int k = lo; k < hi; k++) {
        if (same_workspace(e, lo, k) && layout_entries(e->g, &e->plan->layouts.at[k])) {
            text_add(t, "    n = %s(a, at);\n    most = n > most ? n : most;\n", layout_name(e, k));
        }
    }
    text_raw(t, "    return most;\n}\n\n");
}

static void put_workspaces(Emit *e) {
    for (int k = 0; k < e->plan->layouts.n; k++) {
        const char *name = workspace_name(e, k);
        bool first = true;
        for (int q = 0; q < k; q++) {
            first = first && !same_workspace(e, k, q);
        }
        if (first) {
            put_workspace(e, arena_format(e->arena, "%s_workspace", layout_stem(e, k)), k,
                          e->plan->layouts.n);
        }
        if (shares_stem(e, k) && *layout_word(e, k)) {
            put_workspace(e, name, k, k + 1);
        }
    }
}

/* ---- the description ---- */

static const char *described_dim(const void *user, int k) {
    return c_name(((const Emit *)user)->arena, ((const Emit *)user)->g->dims.at[k].name);
}

static const char *described_field(const void *user, ArrayRef a) {
    return c_name(((const Emit *)user)->arena, ARRAY(((const Emit *)user)->g, a)->name);
}

static const char *described_entry(const void *user, ArrayRef a) {
    return entry_type_text(((const Emit *)user)->g, a);
}

static void described_size(void *user, const Poly *p, Text *out) {
    Emit *e = user;
    Text *was = e->out;
    e->out = out;
    put_size(e, p, PREC_LOWEST, "a->");
    e->out = was;
}

static Description description(Emit *e) {
    VEC(DescribedFunction) list = {0};
    for (int k = 0; k < e->plan->functions.n; k++) {
        const Function *f = &e->plan->functions.at[k];
        const char *workspace = workspace_name(e, f->layout);
        VEC_PUSH(e->arena, list, (DescribedFunction){function_name(e, f), workspace});
    }
    return (Description){e->o->prefix,    list.n,          list.at,        described_dim,
                         described_field, described_entry, described_size, e};
}

/* ---- the header
 * --------------------------------------------------------------------------------------------------------------------
 */

static void put_field(Emit *e, Text *t, ArrayRef a, const char *what, bool constant) {
    Graph *g = e->g;
    const Array *x = ARRAY(g, a);
    size_t from = t->n;
    text_add(t, "    %s%s %s%s;", constant && x->rank ? "const " : "", entry_type_text(g, a),
             constant && x->rank == 0 ? "" : "*", field_name(e, a));
    for (size_t n = t->n - from; n < 32; n++) {
        text_char(t, ' ');
    }
    text_raw(t, " /* ");
    graph_shape_text(g, a, t);
    text_add(t, "%s%s", x->rank ? " " : "", what);
    if (x->target) {
        text_add(t, ", 0 <= %s < %s", x->name, graph_poly_text(g, x->target));
    }
    text_raw(t, " */\n");
}

static const char *upper(Emit *e, const char *s) {
    char *u = arena_text(e->arena, s, strlen(s));
    for (char *c = u; *c; c++) {
        *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    }
    return u;
}

static const char *names_of(Emit *e, int n, const ArrayRef *arrays) {
    Text t = text_new(e->arena);
    for (int k = 0; k < n; k++) {
        text_add(&t, "%s%s",
                 k == 0      ? ""
                 : k + 1 < n ? ", "
                             : " and ",
                 ARRAY(e->g, arrays[k])->name);
    }
    return text_string(&t);
}

/* What a function of a request does, in words. */
static const char *purpose(Emit *e, const Function *f) {
    Graph *g = e->g;
    const Request *r = f->request >= 0 ? &g->requests.at[f->request] : NULL;
    const char *y = r ? ARRAY(g, r->of)->name : "", *x = r ? names_of(e, r->by.n, r->by.at) : "";
    switch (f->kind) {
    case FN_VALUE: return "The outputs alone.";
    case FN_FORWARD:
        return r->kind == REQUEST_VJP ? "The outputs; the workspace keeps what vjp reads."
                                      : "The outputs; the workspace keeps what backward reads.";
    case FN_BACKWARD:
        return "The gradient. The same arguments and workspace as forward, which came before; "
               "reads no output.";
    case FN_VALUE_AND_GRADIENT: return "The outputs and the gradient at once.";
    case FN_VJP:
        return arena_format(e->arena,
                            "The derivatives of the sum of %s %s by %s. The same arguments and "
                            "workspace as forward, which came before.",
                            ARRAY(g, r->seed.at[0])->name, y, x);
    case FN_DERIVATIVE: break;
    }
    switch (r->kind) {
    case REQUEST_JACOBIAN:
        return arena_format(e->arena, "The derivatives of %s by %s, in %s mode; no outputs.", y, x,
                            r->forward ? "forward" : "reverse");
    case REQUEST_HESSIAN:
        return arena_format(e->arena,
                            "The second derivatives of %s by %s, forward over reverse; no outputs.",
                            y, x);
    case REQUEST_JVP:
        return arena_format(
            e->arena, "The derivative of %s as %s move%s along %s, in forward mode; no outputs.", y,
            x, r->by.n > 1 ? "" : "s", names_of(e, r->seed.n, r->seed.at));
    default:
        return arena_format(
            e->arena, "The second derivative of %s times %s, forward over reverse; no outputs.", y,
            names_of(e, r->seed.n, r->seed.at));
    }
}

static void put_prototype(Emit *e, Text *t, const Function *f) {
    text_add(t, "/* %s */\nint %s(const %s_args *a, void *workspace);\n", purpose(e, f),
             function_name(e, f), e->o->prefix);
}

/* The fields that requests add: what their functions take, and what they give. */
static void put_request_fields(Emit *e, Text *t) {
    Graph *g = e->g;
    for (int k = 0; k < g->seeds.n; k++) {
        const char *like = "", *what = "";
        for (int q = 0; q < g->requests.n; q++) {
            const Request *r = &g->requests.at[q];
            for (int i = 0; i < r->seed.n; i++) {
                if (r->seed.at[i] == g->seeds.at[k]) {
                    what = r->kind == REQUEST_VJP ? "cotangent" : "direction";
                    like = ARRAY(g, r->kind == REQUEST_VJP ? r->of : r->by.at[i])->name;
                }
            }
        }
        put_field(e, t, g->seeds.at[k], arena_format(e->arena, "%s of %s", what, like), true);
    }
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        const char *y = ARRAY(g, r->of)->name;
        for (int q = 0, i = 0, j = 0; q < r->result.n; q++) {
            const char *what = "";
            switch (r->kind) {
            case REQUEST_GRADIENT:
            case REQUEST_JACOBIAN:
                what = arena_format(e->arena, "d %s / d %s", y, ARRAY(g, r->by.at[q])->name);
                break;
            case REQUEST_VJP:
                what = arena_format(e->arena, "d %s %s / d %s", ARRAY(g, r->seed.at[0])->name, y,
                                    ARRAY(g, r->by.at[q])->name);
                break;
            case REQUEST_JVP:
                what =
                    arena_format(e->arena, "d %s along %s", y, names_of(e, r->seed.n, r->seed.at));
                break;
            case REQUEST_HVP:
                what =
                    arena_format(e->arena, "d2 %s / d %s along %s", y, ARRAY(g, r->by.at[q])->name,
                                 names_of(e, r->seed.n, r->seed.at));
                break;
            case REQUEST_HESSIAN:
                what = arena_format(e->arena, "d2 %s / d %s d %s", y, ARRAY(g, r->by.at[i])->name,
                                    ARRAY(g, r->by.at[j])->name);
                j = j + 1 < r->by.n ? j + 1 : ++i;
                break;
            }
            if (r->colours) {
                what = arena_format(e->arena, "%s, its entries as %s_%s_row tells", what,
                                    e->o->prefix, ARRAY(g, r->result.at[q])->name);
            }
            put_field(e, t, r->result.at[q], what, false);
        }
    }
}

static void put_header(Emit *e, Text *t) {
    Graph *g = e->g;
    const char *m = e->o->prefix, *guard = upper(e, arena_format(e->arena, "gradc_model_%s_h", m));
    text_add(t, "/* %s: made by gradc from %s. It may be used without any condition. */\n", m,
             e->o->source_name);
    text_add(t, "#ifndef %s\n#define %s\n#include <stddef.h>\n#include <stdint.h>\n\n", guard,
             guard);
    text_raw(t, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    text_add(t,
             "/* Set by name; what is not used may stay 0. Arrays are row-major and may not "
             "overlap what is written.\n"
             " * An output that is NULL is not written. Functions return 0, or what went wrong:\n"
             " * 1 a dimension is too small, 2 a size overflows, 3 an index from data is out of "
             "range, 4 a maximum, minimum or mean over\n"
             " * nothing, 8 an input is NULL, 9 the workspace is NULL or not aligned to 64 bytes. "
             "Outputs are unspecified then. */\n");
    text_add(t, "typedef struct %s_args {\n", m);
    for (int k = 1; k < g->dims.n; k++) {
        const char *name = c_name(e->arena, g->dims.at[k].name);
        size_t from = t->n;
        text_add(t, "    int64_t %s;", name);
        for (size_t n = t->n - from; n < 32; n++) {
            text_char(t, ' ');
        }
        text_add(t, " /* dimension, at least %lld */\n",
                 (long long)(g->dims.at[k].least > 1 ? g->dims.at[k].least : 1));
    }
    for (int k = 0; k < g->inputs.n; k++) {
        put_field(e, t, g->inputs.at[k],
                  ARRAY(g, g->inputs.at[k])->role == ARRAY_PARAM ? "param" : "input", true);
    }
    for (int k = 0; k < g->outputs.n; k++) {
        put_field(e, t, g->outputs.at[k], "output", false);
    }
    put_request_fields(e, t);
    if (g->dims.n == 1 && g->inputs.n + g->outputs.n + g->requests.n == 0) {
        text_raw(t, "    int nothing;\n");
    }
    text_add(t, "} %s_args;\n\n", m);
    int shown = 0;
    Text served = text_new(e->arena);
    bool every = true;
    for (int k = 0; k < e->plan->functions.n; k++) {
        const Function *f = &e->plan->functions.at[k];
        bool by_main = same_workspace(e, f->layout, 0);
        every = every && by_main;
        if (by_main) {
            text_add(&served, "%s%s", shown++ ? ", " : "", function_name(e, f));
        }
    }
    text_add(t,
             "/* Bytes of workspace that %s needs, given the dimensions; SIZE_MAX when they are "
             "not possible. It starts at a multiple of\n"
             " * 64 bytes, and 0 bytes may be NULL. */\nsize_t %s_workspace(const %s_args *a);\n",
             every && shown > 1 ? "each function"
             : shown > 1        ? arena_format(e->arena, "each of %s", text_string(&served))
                                : text_string(&served),
             m, m);
    for (int k = 0, last = 0; k < e->plan->functions.n; k++) {
        const Function *f = &e->plan->functions.at[k];
        if (!same_workspace(e, f->layout, last)) {
            text_add(t, "\n/* The workspace of %s%s. */\nsize_t %s_workspace(const %s_args *a);\n",
                     function_name(e, f), f->kind == FN_FORWARD ? " and of those after it" : "",
                     layout_stem(e, f->layout), m);
        }
        if (strcmp(workspace_name(e, f->layout),
                   arena_format(e->arena, "%s_workspace", layout_stem(e, f->layout)))) {
            text_add(t, "/* The workspace of %s alone. */\nsize_t %s(const %s_args *a);\n",
                     function_name(e, f), workspace_name(e, f->layout), m);
        }
        last = f->layout;
        for (int q = 0; q < e->plan->notes.n && f->kind == FN_FORWARD; q++) {
            if (e->plan->notes.at[q].layout == f->layout) {
                const char *text = e->plan->notes.at[q].text;
                text_wrap(t, arena_format(e->arena, "/* Checkpoints of %s. */\n", text), 120, 3);
            }
        }
        put_prototype(e, t, f);
    }
    put_pattern_header(e, t);
    Description d = description(e);
    describe_header(g, &d, t);
    text_raw(t, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* ---- --standalone: the parts of the runtime that the text uses
 * ---------------------------------------------------------------------- */

typedef struct Part {
    const char *name, *needs;
    int from, to; /* lines */
    bool used;
} Part;

static bool word_at(const char *s, const char **end) {
    if (strncmp(s, "gradc_", 6) && strncmp(s, "GRADC_", 6)) {
        return false;
    }
    const char *q = s;
    while (isalnum((unsigned char)*q) || *q == '_') {
        q++;
    }
    *end = q;
    return true;
}

static void standalone(Emit *e, const Text *code, Text *out) {
    VEC(Part) parts = {0};
    for (int k = 0; runtime_lines[k]; k++) {
        const char *line = runtime_lines[k];
        if (!strncmp(line, "/* @part ", 9)) {
            size_t n = strcspn(line + 9, " ");
            const char *needs = strstr(line, " needs");
            size_t length = strcspn(needs + 6, "*");
            VEC_PUSH(e->arena, parts,
                     (Part){arena_text(e->arena, line + 9, n),
                            arena_text(e->arena, needs + 6, length), k + 1, k + 1, false});
        } else if (!strncmp(line, "/* @end", 7) && parts.n) {
            parts.at[parts.n - 1].to = k;
        }
    }
    /* A name belongs to the first part in which it stands outside a comment. */
    Context *cx = e->g->cx;
    VEC(int) owner = {0};
    for (int p = 0; p < parts.n; p++) {
        bool inside = false;
        for (int k = parts.at[p].from; k < parts.at[p].to; k++) {
            for (const char *s = runtime_lines[k]; *s;) {
                const char *end;
                if (!strncmp(s, "/*", 2) || !strncmp(s, "*/", 2)) {
                    inside = *s == '/';
                    s += 2;
                } else if (!inside && word_at(s, &end)) {
                    Symbol name = symbol(cx, s, (size_t)(end - s));
                    while ((uint32_t)owner.n <= name) {
                        VEC_PUSH(e->arena, owner, 0);
                    }
                    owner.at[name] = owner.at[name] ? owner.at[name] : p + 1;
                    s = end;
                } else {
                    s++;
                }
            }
        }
    }
    for (const char *s = text_string(code); *s;) {
        const char *end;
        bool inner = s != text_string(code) && (isalnum((unsigned char)s[-1]) || s[-1] == '_');
        if (!inner && word_at(s, &end)) {
            Symbol name = symbol(cx, s, (size_t)(end - s));
            if ((uint32_t)owner.n > name && owner.at[name]) {
                parts.at[owner.at[name] - 1].used = true;
            }
            s = end;
        } else {
            s++;
        }
    }
    for (int p = parts.n - 1; p >= 0; p--) { /* what a part needs stands before it */
        for (const char *s = parts.at[p].needs; parts.at[p].used && *s;) {
            size_t blank = strspn(s, " "), n = strcspn(s + blank, " ");
            for (int q = 0; q < p; q++) {
                if (strlen(parts.at[q].name) == n && !strncmp(parts.at[q].name, s + blank, n)) {
                    parts.at[q].used = true;
                }
            }
            s += blank + n;
        }
    }
    text_raw(out,
             "/* ---- from the gradc runtime, which may be used without any condition ---- */\n");
    text_raw(out, "#ifndef GRADC_H\n");
    for (int p = 0; p < parts.n; p++) {
        for (int k = parts.at[p].from; parts.at[p].used && k < parts.at[p].to; k++) {
            text_add(out, "%s\n", runtime_lines[k]);
        }
    }
    text_raw(out, "#endif\n/* ---- the model ---- */\n\n");
}

/* ---- functions of C
 * ---------------------------------------------------------------------- */

/* Those that some output or derivative calls. */
static const bool *called_externs(Graph *g) {
    VEC(ArrayRef) roots = {0};
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            VEC_PUSH(g->arena, roots, g->requests.at[k].result.at[q]);
        }
    }
    return graph_calls(g, roots.n, roots.at);
}

/* Is this the name of something at file scope? */
static bool is_file_name(Emit *e, const char *header, const char *name) {
    bool clash = has_word(code_alone(e->arena, header), name) ||
                 !strcmp(name, arena_format(e->arena, "%s_check_sizes", e->o->prefix));
    for (int k = 0; k < e->plan->functions.n; k++) {
        const char *f = function_name(e, &e->plan->functions.at[k]);
        clash = clash || !strcmp(name, arena_format(e->arena, "%s_worker", f));
        for (int q = 0; q < e->plan->functions.at[k].parts.n; q++) {
            clash = clash || !strcmp(name, arena_format(e->arena, "%s_run%d", f, q + 1));
        }
    }
    for (int k = 0; k < e->plan->layouts.n; k++) {
        clash = clash || !strcmp(name, layout_name(e, k));
    }
    for (ArrayRef a = 1; a < (ArrayRef)e->g->arrays.n; a++) {
        clash = clash || (ARRAY(e->g, a)->role == ARRAY_CONST && !strcmp(name, table_name(e, a)));
    }
    return clash;
}

/* Their headers, or where they have none their prototypes. */
static void put_externs(Emit *e, const char *header, Text *out) {
    Graph *g = e->g;
    const bool *called = called_externs(g);
    int prototypes = 0, headers = 0;
    for (int k = 0; k < g->externs.n; k++) {
        const Extern *x = &g->externs.at[k];
        if (!called[k]) {
            continue;
        }
        if (is_file_name(e, header, x->c_name)) {
            error_at(g->cx, x->at, "'%s' is a name that the C of this model has for itself%s",
                     x->c_name, "; --prefix gives its names another beginning");
        }
        bool again = !x->header;
        for (int q = 0; q < k && !again; q++) {
            const char *other = g->externs.at[q].header;
            again = called[q] && other && !strcmp(other, x->header);
        }
        if (!again) {
            text_add(out, "#include \"%s\"\n", x->header);
            headers++;
        }
        prototypes += !x->header;
    }
    if (prototypes) {
        text_raw(out, headers ? "\n" : "");
        text_raw(out, "/* To be linked. */\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    }
    for (int k = 0; k < g->externs.n; k++) {
        const Extern *x = &g->externs.at[k];
        if (!called[k] || x->header) {
            continue;
        }
        text_add(out, "%s %s(", value_type_text(x->type), x->c_name);
        for (int q = 0; q < x->n; q++) {
            text_add(out, "%s%s %s", q ? ", " : "", value_type_text(x->arg[q]),
                     c_name(e->arena, x->arg_name[q]));
        }
        text_raw(out, ");\n");
    }
    text_raw(out, prototypes ? "#ifdef __cplusplus\n}\n#endif\n" : "");
    text_raw(out, prototypes || headers ? "\n" : "");
}

void emit_c(const Plan *plan, const EmitOptions *o, Text *header, Text *source) {
    Graph *g = plan->g;
    Emit *e = arena_alloc(g->arena, sizeof *e);
    Text code = text_new(g->arena);
    e->plan = plan, e->g = g, e->o = o, e->arena = g->arena;
    put_header(e, header);
    e->out = &code;
    put_patterns(e);
    put_tables(e);
    put_checks(e);
    for (int k = 0; k < plan->functions.n; k++) {
        for (int q = 0; q < plan->functions.at[k].threads.n; q++) {
            put_parts(e, plan->functions.at[k].threads.at[q]);
        }
    }
    for (int k = 0; k < plan->layouts.n; k++) {
        put_layout(e, k);
    }
    put_workspaces(e);
    Text functions = text_new(g->arena);
    e->out = &functions;
    for (int k = 0; k < plan->functions.n; k++) {
        const Function *f = &plan->functions.at[k];
        if (f->kind != FN_VALUE_AND_GRADIENT || layout_of(plan, f)->joint) {
            edits_show(g, f->edits, true);
            put_worker(e, f);
            edits_show(g, f->edits, false);
        }
        put_public(e, f);
    }
    put_calls(e, &code);
    text_raw(&code, text_string(&functions));
    Description d = description(e);
    describe_source(g, &d, &code);
    text_add(source,
             "/* %s: made by gradc from %s. This text, and what it takes from the gradc runtime, "
             "may be used without any condition. */\n",
             o->prefix, o->source_name);
    if (o->header_name) {
        text_add(source, "#include \"%s\"\n", o->header_name);
    } else {
        text_raw(source, text_string(header));
    }
    if (plan->in_threads) {
        text_raw(source,
                 "#define GRADC_THREADS /* with -fopenmp, large products of matrices too */\n");
    }
    if (o->standalone) {
        text_raw(source, "\n");
        standalone(e, &code, source);
    } else {
        text_raw(source, "#include <gradc.h>\n\n");
    }
    put_externs(e, text_string(header), source);
    text_raw(source, text_string(&code));
}

void plan_print(const Plan *p, FILE *out) {
    Graph *g = p->g;
    Emit *e = arena_alloc(g->arena, sizeof *e);
    static const char *const places[] = {"",         "given",     "table",
                                         "variable", "workspace", "caller's array"};
    EmitOptions o = {.prefix = g->name, .source_name = "", .header_name = NULL};
    e->plan = p, e->g = g, e->o = &o, e->arena = g->arena;
    for (int k = 0; k < p->functions.n; k++) {
        const Function *f = &p->functions.at[k];
        Text t = text_new(g->arena);
        fprintf(out, "%s\n", function_name(e, f));
        if (!f->place) {
            fprintf(out, "  forward, then backward\n\n");
            continue;
        }
        for (ArrayRef a = 1; a < (ArrayRef)f->arrays; a++) {
            if (f->place[a]) {
                Text shape = text_new(g->arena);
                graph_shape_text(g, a, &shape);
                text_add(&shape, ": %s", places[f->place[a]]);
                put_store(g, a, f->store[a], &shape);
                fprintf(out, "  %s%s%s\n", ARRAY(g, a)->name, text_string(&shape),
                        is_in(f->saved.at, f->saved.n, a) ? ", kept for backward" : "");
            }
        }
        Text parts = text_new(g->arena);
        e->parts = &parts;
        parameters(e, f);
        e->out = &t;
        e->depth = 1;
        edits_show(g, f->edits, true);
        put_block(e, &f->body);
        edits_show(g, f->edits, false);
        fprintf(out, "%s%s\n", text_string(&parts), text_string(&t));
    }
}

static Emit *emit_names(const Plan *p, const char *prefix) {
    EmitOptions *o = arena_alloc(p->g->arena, sizeof *o);
    *o = (EmitOptions){.prefix = prefix, .source_name = "", .header_name = NULL};
    Emit *e = arena_alloc(p->g->arena, sizeof *e);
    e->plan = p, e->g = p->g, e->o = o, e->arena = p->g->arena;
    return e;
}

const char *plan_function_name(const Plan *p, const Function *f, const char *prefix) {
    return function_name(emit_names(p, prefix), f);
}

const char *plan_workspace_name(const Plan *p, const Function *f, const char *prefix) {
    return workspace_name(emit_names(p, prefix), f->layout);
}
