/* print: graphs as text. In: a graph. Out: equations as one would write them, one array after
 * another, dependencies first. A term is a DAG; what is shared is written out again while it is
 * short, and gets a name in a `where` line when it is long or deep. So the text grows with the
 * graph and not with its unfolding, and printing never recurses deeper than CUT_DEPTH levels of
 * terms between two such names. */
#include "print.h"
#include "kernel.h"
#include "ops.h"
#include <string.h>

enum {
    SHARE_SIZE = 12, /* a shared term of more nodes than this gets a name */
    CUT_DEPTH = 40,  /* and so does a term this deep, shared or not */
    WIDTH = 100,
    TABLE_SHOWN = 12 /* values of a constant table that are printed */
};

/* How tightly an operator binds, as in the grammar; 100 is an atom. */
enum {
    BIND_ANY = 0,
    BIND_SELECT = 20,
    BIND_COMPARE = 60,
    BIND_SUM = 70,
    BIND_PRODUCT = 80,
    BIND_PREFIX = 90,
    BIND_POWER = 95,
    BIND_ATOM = 100
};

typedef struct Info { /* of a node that occurs in the equation at hand */
    Ref ref;
    int uses;
    int size, depth; /* of its text: nodes, and levels down to the next name */
    bool named;      /* it is written as a name; `name` once it was met */
    const char *name;
} Info;

typedef struct Binding { /* an index in force, and how it is written */
    Ref index;
    const char *name;
    const Poly *fixed; /* a case at one place: the place stands for the index */
} Binding;

typedef struct Printer {
    Graph *g;
    Text *out;
    VEC(Info) infos; /* arguments before users */
    uint32_t *slots; /* hash table: Ref to 1 + place in infos */
    uint32_t nslots;
    VEC(Binding) scope;
    VEC(Ref) where; /* named terms in the order in which they were met */
    int named;
} Printer;

const char *const graph_reduction_text[RED_COUNT] = {
    [RED_SUM] = "sum",
    [RED_PROD] = "prod",
    [RED_MAX] = "max",
    [RED_MIN] = "min",
    [RED_ARGMAX] = "argmax",
    [RED_ARGMIN] = "argmin",
    [RED_LOGSUMEXP] = "logsumexp",
    [RED_FIRST] = "first",
};

static void put(Printer *p, Ref r, int bind);

/* ---- what occurs in an equation
 * ----------------------------------------------------------------------------------- */

static uint32_t info_slot(const Printer *p, Ref r) {
    uint32_t h = (r * 0x9E3779B1u) & (p->nslots - 1);
    while (p->slots[h] && p->infos.at[p->slots[h] - 1].ref != r) h = (h + 1) & (p->nslots - 1);
    return h;
}

static Info *info_of(const Printer *p, Ref r) {
    uint32_t at = p->nslots ? p->slots[info_slot(p, r)] : 0;
    return at ? &p->infos.at[at - 1] : NULL;
}

static void info_add(Printer *p, Ref r) {
    if ((uint32_t)p->infos.n * 2 >= p->nslots) {
        p->nslots = p->nslots ? p->nslots * 2 : 64;
        p->slots = arena_alloc(p->g->arena, p->nslots * sizeof *p->slots);
        for (int k = 0; k < p->infos.n; k++)
            p->slots[info_slot(p, p->infos.at[k].ref)] = (uint32_t)k + 1;
    }
    VEC_PUSH(p->g->arena, p->infos, (Info){.ref = r});
    p->slots[info_slot(p, r)] = (uint32_t)p->infos.n;
}

/* An integer that is a sum or a product is written through its polynomial, so its parts are the
 * variables of that. */
static const Poly *as_poly(Graph *g, Ref r) {
    if (NODE(g, r)->type != VALUE_INT || NODE(g, r)->nargs == 0) return NULL;
    const Poly *p = graph_poly(g, r);
    bool itself = p->n == 1 && p->term[0].nvars == 1 && p->term[0].var[0] == r &&
                  p->term[0].num == 1 && p->term[0].den == 1;
    return p->n < 0 || itself ? NULL : p;
}

typedef VEC(Ref) Refs;

static void add_parts(Graph *g, Ref r, Refs *parts) {
    const Node *n = NODE(g, r);
    const Poly *poly = as_poly(g, r);
    if (poly) {
        const uint32_t *vars;
        int nvars = poly_vars(g->arena, poly, &vars);
        for (int k = 0; k < nvars; k++) VEC_PUSH(g->arena, *parts, vars[k]);
        return;
    }
    for (int k = n->op == OP_REDUCE ? 1 : 0; k < n->nargs; k++)
        VEC_PUSH(g->arena, *parts, ARG(g, r, k));
}

/* Lists the nodes of a term in p->infos, parts first, counts their uses and decides which of them
 * get a name. */
static void survey(Printer *p, Ref root) {
    Graph *g = p->g;
    Refs stack = {0}, parts = {0};
    VEC_PUSH(g->arena, stack, root);
    while (stack.n) {
        Ref r = stack.at[stack.n - 1];
        bool ready = true;
        parts.n = 0;
        if (!info_of(p, r)) add_parts(g, r, &parts);
        for (int k = parts.n - 1; k >= 0; k--) {
            if (info_of(p, parts.at[k])) continue;
            VEC_PUSH(g->arena, stack, parts.at[k]);
            ready = false;
        }
        if (!ready) continue;
        stack.n--;
        if (info_of(p, r)) continue;
        info_add(p, r);
        for (int k = 0; k < parts.n; k++) info_of(p, parts.at[k])->uses++;
    }
    for (int k = 0; k < p->infos.n; k++) {
        Info *i = &p->infos.at[k];
        parts.n = 0;
        add_parts(g, i->ref, &parts);
        i->size = 1, i->depth = 1;
        for (int q = 0; q < parts.n; q++) {
            const Info *part = info_of(p, parts.at[q]);
            i->size += part->named ? 1 : part->size;
            if (!part->named && part->depth >= i->depth) i->depth = part->depth + 1;
        }
        i->named =
            i->ref != root && ((i->uses > 1 && i->size > SHARE_SIZE) || i->depth > CUT_DEPTH);
    }
}

/* ---- names of indices
 * --------------------------------------------------------------------------------------------- */

static const Binding *binding_of(const Printer *p, Ref index) {
    for (int k = p->scope.n - 1; k >= 0; k--) {
        if (p->scope.at[k].index == index) return &p->scope.at[k];
    }
    return NULL;
}

static bool is_taken(const Printer *p, const char *name) {
    for (int k = 0; k < p->scope.n; k++) {
        if (!strcmp(p->scope.at[k].name, name)) return true;
    }
    for (int k = 1; k < p->g->dims.n; k++) {
        if (!strcmp(p->g->dims.at[k].name, name)) return true;
    }
    Symbol s = symbol_of(p->g->cx, name);
    return s < (Symbol)p->g->taken.n && p->g->taken.at[s];
}

static const char *bind(Printer *p, Ref index, const Poly *fixed) {
    const char *base = p->g->indices.at[NODE(p->g, index)->aux].name, *name = base;
    for (int k = 2; is_taken(p, name); k++) name = arena_format(p->g->arena, "%s%d", base, k);
    VEC_PUSH(p->g->arena, p->scope, (Binding){index, name, fixed});
    return name;
}

/* ---- polynomials
 * --------------------------------------------------------------------------------------------------
 */

/* Places that stand for indices, put in. */
static const Poly *poly_in_scope(Printer *p, const Poly *x) {
    for (int k = 0; k < p->scope.n; k++) {
        const Binding *b = &p->scope.at[k];
        if (b->fixed && poly_has(x, b->index)) x = poly_subst(p->g->arena, x, b->index, b->fixed);
    }
    return x;
}

static void put_monomial(Printer *p, const Monomial *m, int64_t factor) {
    bool first = factor == 1 && m->nvars > 0;
    if (!first) text_add(p->out, "%lld", (long long)factor);
    for (int k = 0; k < m->nvars; k++) {
        if (!first) text_raw(p->out, " * ");
        first = false;
        put(p, m->var[k], BIND_PRODUCT + 1);
    }
}

static int64_t magnitude(const Monomial *m, int64_t scale) {
    int64_t k = m->num * (scale / m->den);
    return k < 0 ? -k : k;
}

/* Over one denominator, a positive term first: "N - 1", "(D * D + D) / 2". */
static void put_poly(Printer *p, const Poly *given, int bind) {
    const Poly *x = poly_in_scope(p, given);
    int64_t scale = 1;
    int lead = 0;
    if (x->n == 0) {
        text_char(p->out, '0');
        return;
    }
    for (int k = x->n - 1; k >= 0; k--) {
        int64_t a = scale, b = x->term[k].den;
        while (b) {
            int64_t rest = a % b;
            a = b, b = rest;
        }
        scale = scale / a * x->term[k].den;
        if (x->term[k].num > 0) lead = k;
    }
    bool whole = scale == 1, sum = x->n > 1, minus = x->term[lead].num < 0;
    int64_t top = magnitude(&x->term[lead], scale);
    int own = !whole                              ? BIND_PRODUCT
              : sum                               ? BIND_SUM
              : minus                             ? BIND_PREFIX
              : x->term[0].nvars + (top != 1) > 1 ? BIND_PRODUCT
                                                  : BIND_ATOM;
    if (whole && !sum && !minus && top == 1 && x->term[0].nvars == 1) {
        put(p, x->term[0].var[0], bind);
        return;
    }
    if (own < bind) text_char(p->out, '(');
    if (!whole && sum) text_char(p->out, '(');
    if (minus) text_char(p->out, '-');
    put_monomial(p, &x->term[lead], top);
    for (int k = 0; k < x->n; k++) {
        if (k == lead) continue;
        text_raw(p->out, x->term[k].num < 0 ? " - " : " + ");
        put_monomial(p, &x->term[k], magnitude(&x->term[k], scale));
    }
    if (!whole && sum) text_char(p->out, ')');
    if (!whole) text_add(p->out, " / %lld", (long long)scale);
    if (own < bind) text_char(p->out, ')');
}

/* ---- terms
 * --------------------------------------------------------------------------------------------------------
 */

const char *graph_type_text(const Graph *g, ValueType type) {
    switch (type) {
    case VALUE_BOOL: return "bool";
    case VALUE_INT: return "int";
    default: return type == g->real ? "real" : type == VALUE_FLOAT ? "float" : "double";
    }
}

static void put_constant(Printer *p, const Node *n, int bind) {
    if (n->type == VALUE_BOOL) {
        text_raw(p->out, n->value.integer ? "true" : "false");
        return;
    }
    bool minus = n->type == VALUE_INT ? n->value.integer < 0 : n->value.real < 0;
    bool bracket = minus && bind > BIND_PREFIX;
    if (bracket) text_char(p->out, '(');
    if (n->type == VALUE_INT) text_add(p->out, "%lld", (long long)n->value.integer);
    else if (n->type == VALUE_FLOAT) text_float(p->out, (float)n->value.real);
    else text_real(p->out, n->value.real);
    if (bracket) text_char(p->out, ')');
}

static void put_list(Printer *p, Ref r, char open, char close) {
    text_char(p->out, open);
    for (int k = 0; k < NODE(p->g, r)->nargs; k++) {
        if (k) text_raw(p->out, ", ");
        put(p, ARG(p->g, r, k), BIND_ANY);
    }
    text_char(p->out, close);
}

static void put_reduce(Printer *p, Ref r) {
    Ref index = ARG(p->g, r, 0), condition = ARG(p->g, r, 1);
    const Poly *extent = EXTENT(p->g, index);
    int outer = p->scope.n;
    /* The range stands outside the scope of the index, the condition inside. */
    text_add(p->out, "%s[", graph_reduction_text[NODE(p->g, r)->aux]);
    const char *name = bind(p, index, NULL);
    text_add(p->out, "%s: ", name);
    put_poly(p, extent, BIND_ANY);
    if (!graph_is_true(p->g, condition)) {
        text_raw(p->out, " if ");
        put(p, condition, BIND_ANY);
    }
    text_raw(p->out, "](");
    put(p, ARG(p->g, r, 2), BIND_ANY);
    text_char(p->out, ')');
    p->scope.n = outer;
}

/* An argument over slots: "A[n]" where it is whole rows of an array, else "[i: N, j: N](term)". */
static void put_argument(Printer *p, Ref r, int slots) {
    Graph *g = p->g;
    const Node *n = NODE(g, r);
    bool whole = n->op == OP_READ && n->nargs >= slots;
    int outer = p->scope.n;
    for (int k = 0; whole && k < n->nargs; k++) {
        Ref at = ARG(g, r, k);
        int slot = k - (n->nargs - slots);
        whole = slot < 0 || (graph_is_slot(g, at) && at == graph_slot(g, slot, EXTENT(g, at)));
    }
    if (whole) {
        text_raw(p->out, ARRAY(g, n->aux)->name);
        for (int k = 0; k < n->nargs - slots; k++) {
            text_raw(p->out, k ? ", " : "[");
            put(p, ARG(g, r, k), BIND_ANY);
        }
        text_raw(p->out, n->nargs > slots ? "]" : "");
        return;
    }
    const Ref *free;
    int nfree = graph_free(g, r, &free), shown = 0;
    for (int k = 0; k < nfree; k++) {
        if (graph_is_slot(g, free[k])) {
            text_add(p->out, "%s%s: ", shown++ ? ", " : "[", bind(p, free[k], NULL));
            put_poly(p, EXTENT(g, free[k]), BIND_ANY);
        }
    }
    text_raw(p->out, shown ? "](" : "(");
    put(p, r, BIND_ANY);
    text_char(p->out, ')');
    p->scope.n = outer;
}

static void put_kernel(Printer *p, Ref r) {
    const KernelInfo *info = &kernel_info[NODE(p->g, r)->aux];
    text_add(p->out, "%s(", info->name);
    if (info->matrix) put_argument(p, kernel_matrix(p->g, r), 2);
    if (info->given) {
        text_raw(p->out, info->matrix ? ", " : "");
        put_argument(p, kernel_given(p->g, r), info->given);
    }
    text_char(p->out, ')');
    for (int k = 0; k < info->result; k++) {
        text_raw(p->out, k ? ", " : "[");
        put(p, ARG(p->g, r, k), BIND_ANY);
    }
    text_raw(p->out, info->result ? "]" : "");
}

static void put_operation(Printer *p, Ref r, int bind) {
    const Node *n = NODE(p->g, r);
    const OpInfo *info = &op_info[n->op];
    if (!info->infix) {
        text_raw(p->out, info->name);
        put_list(p, r, '(', ')');
        return;
    }
    bool power = !strcmp(info->infix, "^");
    int own = n->nargs == 1                    ? BIND_PREFIX
              : power                          ? BIND_POWER
              : info->typing == TYPING_COMPARE ? BIND_COMPARE
                                               : info->precedence;
    if (own < bind) text_char(p->out, '(');
    if (n->nargs == 1) {
        text_raw(p->out, info->infix);
        put(p, ARG(p->g, r, 0), own + 1);
    } else {
        Ref left = ARG(p->g, r, 0), right = ARG(p->g, r, 1);
        double value;
        put(p, left, power || own == BIND_COMPARE ? own + 1 : own);
        if (n->op == OP_add && NODE(p->g, right)->type >= VALUE_FLOAT &&
            graph_is_real(p->g, right, &value) && value < 0) {
            text_raw(p->out, " - ");
            if (NODE(p->g, right)->type == VALUE_FLOAT) text_float(p->out, (float)-value);
            else text_real(p->out, -value);
        } else {
            text_add(p->out, power ? "%s" : " %s ", info->infix);
            put(p, right, power ? BIND_PREFIX : own + 1);
        }
    }
    if (own < bind) text_char(p->out, ')');
}

/* A named term depends on the indices bound around it: they are its positions. */
static void put_name(Printer *p, Info *i) {
    const Ref *free;
    int n = graph_free(p->g, i->ref, &free), shown = 0;
    if (!i->name) {
        do i->name = arena_format(p->g->arena, "_%d", ++p->named);
        while (is_taken(p, i->name));
        VEC_PUSH(p->g->arena, p->where, i->ref);
    }
    text_raw(p->out, i->name);
    for (int k = 0; k < n; k++) {
        if (!p->g->indices.at[NODE(p->g, free[k])->aux].number) continue;
        text_raw(p->out, shown++ ? ", " : "[");
        put(p, free[k], BIND_ANY);
    }
    if (shown) text_char(p->out, ']');
}

static void put_term(Printer *p, Ref r, int bind) {
    Graph *g = p->g;
    const Node *n = NODE(g, r);
    const Poly *poly = as_poly(g, r);
    if (poly) {
        put_poly(p, poly, bind);
        return;
    }
    switch (n->op) {
    case OP_CONST: put_constant(p, n, bind); break;
    case OP_DIM: text_raw(p->out, g->dims.at[n->aux].name); break;
    case OP_INDEX: {
        const Binding *b = binding_of(p, r);
        if (b && b->fixed) put_poly(p, b->fixed, bind);
        else text_raw(p->out, b ? b->name : g->indices.at[n->aux].name);
        break;
    }
    case OP_READ:
        text_raw(p->out, ARRAY(g, n->aux)->name);
        if (n->nargs) put_list(p, r, '[', ']');
        break;
    case OP_REDUCE: put_reduce(p, r); break;
    case OP_KERNEL: put_kernel(p, r); break;
    case OP_SELECT:
        if (bind > BIND_SELECT) text_char(p->out, '(');
        put(p, ARG(g, r, 0), BIND_SELECT + 1);
        text_raw(p->out, " ? ");
        put(p, ARG(g, r, 1), BIND_SELECT + 1);
        text_raw(p->out, " : ");
        put(p, ARG(g, r, 2), BIND_SELECT);
        if (bind > BIND_SELECT) text_char(p->out, ')');
        break;
    case OP_CAST:
        text_raw(p->out, graph_type_text(g, (ValueType)n->type));
        put_list(p, r, '(', ')');
        break;
    case OP_CHECKED:
        text_raw(p->out, "checked");
        put_list(p, r, '(', ')');
        break;
    case OP_NONEMPTY:
        text_raw(p->out, "nonempty");
        put_list(p, r, '(', ')');
        break;
    case OP_IDIV:
        if (bind > BIND_PRODUCT) text_char(p->out, '(');
        put(p, ARG(g, r, 0), BIND_PRODUCT);
        text_raw(p->out, " / ");
        put(p, ARG(g, r, 1), BIND_PRODUCT + 1);
        if (bind > BIND_PRODUCT) text_char(p->out, ')');
        break;
    case OP_EXTERN:
        text_raw(p->out, g->externs.at[n->aux].name);
        put_list(p, r, '(', ')');
        break;
    default: put_operation(p, r, bind);
    }
}

static void put(Printer *p, Ref r, int bind) {
    Info *i = info_of(p, r);
    if (i && i->named) put_name(p, i);
    else put_term(p, r, bind);
}

/* ---- equations
 * ----------------------------------------------------------------------------------------------------
 */

static Printer printer_new(Graph *g, Text *out) {
    return (Printer){.g = g, .out = out};
}

/* One line, wrapped, at this depth. */
static void add_line(Text *out, const Text *line, int width, int indent) {
    text_add(out, "%*s", indent, "");
    text_wrap(out, text_string(line), width - indent, indent + 4);
    text_char(out, '\n');
}

/* The names that the term needed. Each line may bring more of them. */
static void put_where(Printer *p, Text *out, int width, int indent) {
    for (int k = 0; k < p->where.n; k++) {
        Text line = text_new(p->g->arena);
        Ref r = p->where.at[k];
        const Ref *free;
        int n = graph_free(p->g, r, &free), outer = p->scope.n, shown = 0;
        p->out = &line;
        text_add(&line, "where %s", info_of(p, r)->name);
        for (int q = 0; q < n; q++) {
            if (!p->g->indices.at[NODE(p->g, free[q])->aux].number) continue;
            text_add(&line, "%s%s: ", shown++ ? ", " : "[", bind(p, free[q], NULL));
            put_poly(p, EXTENT(p->g, free[q]), BIND_ANY);
        }
        text_raw(&line, shown ? "] = " : " = ");
        put_term(p, r, BIND_ANY);
        add_line(out, &line, width, indent);
        p->scope.n = outer;
    }
}

static const Poly *last_of(Graph *g, const Poly *extent) {
    return poly_sub(g->arena, extent, poly_int(g->arena, 1));
}

static bool piece_is_whole(Graph *g, const Array *a, const Piece *q) {
    for (int k = 0; k < a->rank; k++) {
        int64_t lo;
        if (!poly_is_int(q->lo[k], &lo) || lo != 0 ||
            !poly_equal(q->hi[k], last_of(g, a->extent[k])))
            return false;
    }
    return true;
}

/* adds: its entries may be others' too. Cases are written with =, contributions that add up with
 * +=. */
static void piece_text(Graph *g, ArrayRef ref, int which, bool alone, bool adds, int width,
                       int indent, Text *out) {
    const Array a = *ARRAY(g, ref);
    const Piece q = a.pieces.at[which];
    Text line = text_new(g->arena);
    Printer p = printer_new(g, &line);
    int ranges = 0;
    survey(&p, q.body);
    if (alone && a.type != g->real) text_add(&line, "%s ", graph_type_text(g, a.type));
    text_raw(&line, a.name);
    for (int k = 0; k < a.rank; k++) {
        bool fixed = !alone && poly_equal(q.lo[k], q.hi[k]);
        const char *name = bind(&p, a.axis[k], fixed ? q.lo[k] : NULL);
        text_raw(&line, k ? ", " : "[");
        if (fixed) put_poly(&p, q.lo[k], BIND_ANY);
        else text_raw(&line, name);
        if (!alone) continue;
        text_raw(&line, ": ");
        put_poly(&p, a.extent[k], BIND_ANY);
    }
    text_raw(&line, a.rank ? "]" : "");
    text_raw(&line, adds ? " += " : " = ");
    put_term(&p, q.body, BIND_ANY);
    for (int k = 0; k < a.rank && !alone; k++) {
        int64_t lo;
        bool from = !poly_is_int(q.lo[k], &lo) || lo != 0,
             to = !poly_equal(q.hi[k], last_of(g, a.extent[k]));
        if (poly_equal(q.lo[k], q.hi[k]) || !(from || to)) continue;
        text_raw(&line, ranges++ ? " && " : " for ");
        if (from) put_poly(&p, q.lo[k], BIND_COMPARE + 1), text_raw(&line, " <= ");
        text_raw(&line, p.scope.at[k].name);
        if (to) text_raw(&line, " <= "), put_poly(&p, q.hi[k], BIND_COMPARE + 1);
    }
    if (q.guard && !graph_is_true(g, q.guard)) {
        text_raw(&line, " if ");
        put_term(&p, q.guard, BIND_ANY);
    }
    if (q.live) {
        text_raw(&line, " while ");
        put_term(&p, q.live, BIND_ANY);
    }
    text_char(&line, ';');
    add_line(out, &line, width, indent);
    put_where(&p, out, width, indent + 4);
}

const char *graph_poly_text(Graph *g, const Poly *x) {
    Text text = text_new(g->arena);
    Printer p = printer_new(g, &text);
    put_poly(&p, x, BIND_ANY);
    return text_string(&text);
}

void graph_shape_text(Graph *g, ArrayRef a, Text *out) {
    Printer p = printer_new(g, out);
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        text_raw(out, k ? ", " : "[");
        put_poly(&p, ARRAY(g, a)->extent[k], BIND_ANY);
    }
    if (ARRAY(g, a)->rank) text_char(out, ']');
}

static void table_text(Graph *g, const Array *a, Text *out) {
    int64_t n = 1, extent;
    for (int k = 0; k < a->rank; k++) n *= poly_is_int(a->extent[k], &extent) ? extent : 1;
    text_raw(out, a->rank ? " = { " : " = ");
    for (int64_t k = 0; k < n && k < TABLE_SHOWN; k++) {
        if (k) text_raw(out, ", ");
        if (a->type == VALUE_FLOAT) text_float(out, (float)a->table[k]);
        else text_real(out, a->table[k]);
    }
    if (n > TABLE_SHOWN) text_add(out, ", ... %lld in all", (long long)n);
    if (a->rank) text_raw(out, " }");
    (void)g;
}

/* "input index y[B] : 10;" */
static void declaration_text(Graph *g, ArrayRef ref, const char *word, int indent, Text *out) {
    const Array *a = ARRAY(g, ref);
    Text line = text_new(g->arena);
    Printer p = printer_new(g, &line);
    text_add(&line, "%s%s %s", word, a->target ? "index" : graph_type_text(g, a->type), a->name);
    graph_shape_text(g, ref, &line);
    if (a->target) text_raw(&line, " : "), put_poly(&p, a->target, BIND_ANY);
    if (a->role == ARRAY_CONST && a->table) table_text(g, a, &line);
    text_char(&line, ';');
    add_line(out, &line, WIDTH, indent);
}

static void array_text(Graph *g, ArrayRef ref, int width, int indent, Text *out) {
    const Array *a = ARRAY(g, ref);
    switch (a->role) {
    case ARRAY_INPUT: declaration_text(g, ref, "input ", indent, out); return;
    case ARRAY_PARAM: declaration_text(g, ref, "param ", indent, out); return;
    case ARRAY_CONST: declaration_text(g, ref, "const ", indent, out); return;
    case ARRAY_INTERNAL: break;
    }
    if (a->pieces.n == 1 && piece_is_whole(g, a, &a->pieces.at[0])) {
        piece_text(g, ref, 0, true, false, width, indent, out);
        return;
    }
    declaration_text(g, ref, "", indent, out);
    const bool *adds = graph_pieces_meet(g, ref);
    for (int k = 0; k < a->pieces.n; k++)
        piece_text(g, ref, k, false, adds[k], width, indent + 2, out);
}

void graph_array_text(Graph *g, ArrayRef a, int width, Text *out) {
    array_text(g, a, width, 0, out);
}

const char *graph_term_text(Graph *g, Ref term) {
    Text line = text_new(g->arena), all = text_new(g->arena);
    Printer p = printer_new(g, &line);
    const Ref *free;
    int n = graph_free(g, term, &free);
    for (int k = 0; k < n; k++) bind(&p, free[k], NULL);
    survey(&p, term);
    put_term(&p, term, BIND_ANY);
    text_raw(&all, text_string(&line));
    if (p.where.n) text_char(&all, '\n');
    put_where(&p, &all, WIDTH, 4);
    if (p.where.n) all.at[--all.n] = 0; /* no newline at the end */
    return text_string(&all);
}

/* ---- whole graphs
 * -------------------------------------------------------------------------------------------------
 */

typedef VEC(ArrayRef) ArrayList;

static void add_results(Graph *g, ArrayList *roots) {
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++)
            VEC_PUSH(g->arena, *roots, g->requests.at[k].result.at[q]);
    }
}

Parts graph_parts(Graph *g) {
    Parts p = {0};
    ArrayList roots = {0};
    p.of = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *p.of);
    p.kept = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *p.kept);
    for (int k = 1; k < g->arrays.n; k++) p.of[k] = PART_GRADIENT;
    for (int k = 0; k < g->inputs.n; k++) VEC_PUSH(g->arena, roots, g->inputs.at[k]);
    for (int k = 0; k < g->outputs.n; k++) VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    for (int k = 0; k < g->requests.n; k++) VEC_PUSH(g->arena, roots, g->requests.at[k].of);
    Order forward = graph_order(g, roots.n, roots.at);
    for (int k = 0; k < forward.n; k++) p.of[forward.array[k]] = PART_FORWARD;
    add_results(g, &roots);
    p.order = graph_order(g, roots.n, roots.at);
    for (int k = 0; k < p.order.n; k++) {
        const ArrayRef *reads;
        if (p.of[p.order.array[k]] == PART_FORWARD) continue;
        int n = graph_array_reads(g, p.order.array[k], &reads);
        for (int q = 0; q < n; q++)
            p.kept[reads[q]] =
                p.of[reads[q]] == PART_FORWARD && ARRAY(g, reads[q])->role == ARRAY_INTERNAL;
    }
    return p;
}

void graph_print_arrays(Graph *g, int n, const ArrayRef *arrays, FILE *out) {
    Order order = graph_order(g, n, arrays);
    bool *wanted = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *wanted);
    for (int k = 0; k < n; k++) wanted[arrays[k]] = true;
    for (int k = 0; k < order.n; k++) {
        Text text = text_new(g->arena);
        if (!wanted[order.array[k]]) continue;
        array_text(g, order.array[k], WIDTH, 0, &text);
        fputs(text_string(&text), out);
    }
}

static void names_text(Graph *g, Text *out, int n, const ArrayRef *arrays) {
    for (int k = 0; k < n; k++) text_add(out, "%s%s", k ? ", " : "", ARRAY(g, arrays[k])->name);
}

static void head_text(Graph *g, Text *out) {
    Text line = text_new(g->arena);
    text_add(out, "model %s {\n", g->name);
    for (int k = 1; k < g->dims.n; k++)
        text_add(&line, "%s%s", k == 1 ? "dim " : ", ", g->dims.at[k].name);
    if (g->dims.n == 1) return;
    text_char(&line, ';');
    add_line(out, &line, WIDTH, 2);
    for (int k = 1; k < g->dims.n; k++) {
        const GraphDim *d = &g->dims.at[k];
        if (d->least > 1) text_add(out, "  // %s >= %lld\n", d->name, (long long)d->least);
    }
}

static void outputs_text(Graph *g, Text *out) {
    Text line = text_new(g->arena);
    if (!g->outputs.n) return;
    text_raw(&line, "output ");
    names_text(g, &line, g->outputs.n, g->outputs.at);
    text_char(&line, ';');
    add_line(out, &line, WIDTH, 2);
}

static void requests_text(Graph *g, Text *out) {
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        Text line = text_new(g->arena);
        text_add(&line, "derive %s%s(%s; ", r->colours ? "sparse " : "", request_names[r->kind],
                 ARRAY(g, r->of)->name);
        names_text(g, &line, r->by.n, r->by.at);
        text_raw(&line, ") = ");
        names_text(g, &line, r->result.n, r->result.at);
        text_char(&line, ';');
        add_line(out, &line, WIDTH, 2);
    }
}

static bool is_given(const Array *a) {
    return a->role == ARRAY_INPUT || a->role == ARRAY_PARAM;
}

static void equations_text(Graph *g, const Parts *parts, bool forward, bool gradient, Text *out) {
    for (int k = 0; k < parts->order.n; k++) {
        ArrayRef a = parts->order.array[k];
        bool mine = parts->of[a] == PART_FORWARD ? forward : gradient;
        if (mine && !is_given(ARRAY(g, a))) array_text(g, a, WIDTH, 2, out);
    }
}

static void inputs_text(Graph *g, const bool *wanted, Text *out) {
    for (int k = 0; k < g->inputs.n; k++) {
        if (!wanted || wanted[g->inputs.at[k]]) array_text(g, g->inputs.at[k], WIDTH, 2, out);
    }
    for (int k = 0; k < g->seeds.n; k++) { /* of requests alone */
        if (!wanted || wanted[g->seeds.at[k]]) array_text(g, g->seeds.at[k], WIDTH, 2, out);
    }
}

/* What the gradient reads of the forward part is declared, as if it were given. */
static void borrowed_text(Graph *g, const Parts *parts, Text *out) {
    bool *read = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *read);
    for (int k = 0; k < parts->order.n; k++) {
        const ArrayRef *reads;
        if (parts->of[parts->order.array[k]] == PART_FORWARD) continue;
        int n = graph_array_reads(g, parts->order.array[k], &reads);
        for (int q = 0; q < n; q++) read[reads[q]] = true;
    }
    inputs_text(g, read, out);
    for (int k = 0; k < parts->order.n; k++) {
        ArrayRef a = parts->order.array[k];
        if (parts->kept[a]) declaration_text(g, a, "kept ", 2, out);
        else if (read[a] && parts->of[a] == PART_FORWARD && ARRAY(g, a)->role == ARRAY_CONST)
            array_text(g, a, WIDTH, 2, out);
    }
}

void graph_part_text(Graph *g, GraphPart part, Text *out) {
    Parts parts = graph_parts(g);
    head_text(g, out);
    if (part == PART_FORWARD) {
        inputs_text(g, NULL, out);
        equations_text(g, &parts, true, false, out);
        outputs_text(g, out);
    } else {
        borrowed_text(g, &parts, out);
        equations_text(g, &parts, false, true, out);
        requests_text(g, out);
    }
    text_raw(out, "}\n");
}

void graph_print(Graph *g, FILE *out) {
    Parts parts = graph_parts(g);
    Text text = text_new(g->arena);
    head_text(g, &text);
    inputs_text(g, NULL, &text);
    equations_text(g, &parts, true, true, &text);
    outputs_text(g, &text);
    requests_text(g, &text);
    text_raw(&text, "}\n");
    fputs(text_string(&text), out);
}
