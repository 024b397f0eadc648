/* plan: from the graph to loops.
 * In: the simplified graph. Out: for each entry function a tree of loops and statements, and the layout of its workspace.
 * The idea: small arrays that are read once, or cost nothing, are computed where they are read; every other array is stored and
 * computed by a nest of its own, readers after what they read. Inside a nest a value is computed in the outermost loop that
 * binds all its indices, except under a condition. Arrays that read each other share the loop that their lags allow. */
#include "plan.h"
#include "ops.h"
#include "passes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Frame {
    Block *block;
    Ref index;               /* bound by the loop that this is the body of; 0: none */
    bool guard;              /* nothing from inside may be computed outside */
    bool expression;         /* one C expression: nothing is named */
    bool narrowed;           /* conditions narrow the range of this loop: its body may need them to read safely */
    const bool *writes;      /* by array: changed inside this loop; NULL: nothing that is read here */
    uint32_t serial;
} Frame;

typedef struct Gen {
    Plan *plan;
    Graph *g;
    Function *f;
    VEC(Frame) frames;
    int top;
    uint32_t serials;
    VEC(Expr *) known;       /* by node: its value, if the frame that holds it is still open */
    VEC(uint32_t) known_in;  /* serial of that frame */
    VEC(int) known_level;
    VEC(int) uses;           /* by node, in the term at work */
} Gen;

static const char *const function_words[] = {"value", "forward", "backward", "value_and_gradient", "vjp", ""};
const char *function_word(FunctionKind kind) {
    return function_words[kind];
}

/* ---- which arrays need no memory: they are computed where they are read ------------------------------------------------ */

typedef struct Fuse {
    Graph *g;
    bool *into;   /* by array: computed where it is read */
    int *readers; /* by array: how many terms read it, at different places */
    bool *loose;  /* by array: some read is inside more loops than its own */
} Fuse;

static int cost_of(const Graph *g, Ref r, int budget) {
    const Node *n = NODE(g, r);
    int cost = n->op == OP_REDUCE ? 1000 : n->type == VALUE_INT || n->op < OP_FIRST_SCALAR ? 0 : n->op == OP_div ? 4 : op_info[n->op].cheap ? 1 : 20;
    if (n->op == OP_CHECKED || n->op == OP_trunc) {
        cost = 4;
    }
    for (int k = 0; k < n->nargs && cost <= budget; k++) {
        cost += cost_of(g, ARG(g, r, k), budget - cost);
    }
    return cost;
}

static bool has_reduction(const Graph *g, Ref r) {
    if (NODE(g, r)->depth) {
        return true;
    }
    return false;
}

/* Every read in the term with the indices in force around it: does its place name them all? */
static void note_reads(Fuse *f, Ref root, int rank, const Ref *axis) {
    Graph *g = f->g;
    VEC(Ref) stack = {0}, around = {0}; /* pairs: a node, and how many of `bound` are in force */
    VEC(Ref) bound = {0};
    (void)around;
    graph_walk_start(g);
    for (int k = 0; k < rank; k++) {
        VEC_PUSH(g->arena, bound, axis[k]);
    }
    VEC_PUSH(g->arena, stack, root);
    VEC(int) level = {0};
    VEC_PUSH(g->arena, level, bound.n);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        int nbound = level.at[--level.n];
        const Node n = *NODE(g, r);
        if (!graph_walk_first(g, r)) {
            continue;
        }
        bound.n = nbound;
        if (n.op == OP_READ) {
            f->readers[n.aux]++;
            for (int b = 0; b < nbound; b++) {
                bool placed = false;
                for (int k = 0; k < n.nargs; k++) {
                    placed = placed || graph_has_index(g, ARG(g, r, k), bound.at[b]);
                }
                if (!placed) {
                    f->loose[n.aux] = true;
                }
            }
        }
        if (n.op == OP_REDUCE) {
            bound.n = nbound;
            VEC_PUSH(g->arena, bound, ARG(g, r, 0));
            /* The body is walked at once, before others change `bound`. */
            Ref parts[2] = {ARG(g, r, 1), ARG(g, r, 2)};
            for (int k = 0; k < 2; k++) {
                VEC_PUSH(g->arena, stack, parts[k]);
                VEC_PUSH(g->arena, level, nbound + 1);
            }
            continue;
        }
        for (int k = 0; k < n.nargs; k++) {
            VEC_PUSH(g->arena, stack, ARG(g, r, k));
            VEC_PUSH(g->arena, level, nbound);
        }
    }
}

static bool is_result(const Graph *g, ArrayRef a) {
    if (ARRAY(g, a)->is_output || ARRAY(g, a)->role != ARRAY_INTERNAL) {
        return true;
    }
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            if (g->requests.at[k].result.at[q] == a) {
                return true;
            }
        }
    }
    return false;
}

static bool whole_box(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    if (x->pieces.n != 1) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        const Poly *end = poly_sub(g->arena, x->extent[k], poly_int(g->arena, 1));
        if (!poly_equal(x->pieces.at[0].lo[k], poly_int(g->arena, 0)) || !poly_equal(x->pieces.at[0].hi[k], end)) {
            return false;
        }
    }
    return true;
}

/* Is a one box of its extent, so that no read falls outside? (back[t + 1] starts at 1 and is never read at 0.) */
static bool one_piece(const Graph *g, ArrayRef a) {
    return ARRAY(g, a)->pieces.n == 1;
}

static bool is_contraction(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op != OP_REDUCE || n->aux != RED_SUM || NODE(g, ARG(g, r, 2))->op != OP_mul) {
        return false;
    }
    Ref body = ARG(g, r, 2);
    return NODE(g, ARG(g, body, 0))->op == OP_READ && NODE(g, ARG(g, body, 1))->op == OP_READ;
}

static Ref fuse_read(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Fuse *f = user;
    if (!f->into[a]) {
        return 0;
    }
    const Array *x = ARRAY(g, a);
    return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
}

static void fuse_arrays(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Fuse f = {.g = g};
    f.into = arena_alloc(g->arena, all * sizeof *f.into);
    f.readers = arena_alloc(g->arena, all * sizeof *f.readers);
    f.loose = arena_alloc(g->arena, all * sizeof *f.loose);
    bool *keep_shape = arena_alloc(g->arena, all * sizeof *keep_shape);
    for (int k = 0; k < order.n; k++) {
        const Array *x = ARRAY(g, order.array[k]);
        for (int q = 0; q < x->pieces.n; q++) {
            note_reads(&f, ARRAY(g, order.array[k])->pieces.at[q].body, x->rank, ARRAY(g, order.array[k])->axis);
            if (ARRAY(g, order.array[k])->pieces.at[q].guard) {
                note_reads(&f, ARRAY(g, order.array[k])->pieces.at[q].guard, 0, NULL);
            }
            Ref body = ARRAY(g, order.array[k])->pieces.at[q].body;
            if (is_contraction(g, body) && ARRAY(g, order.array[k])->rank > 1) { /* its factors must stay reads */
                Ref product = ARG(g, body, 2);
                keep_shape[NODE(g, ARG(g, product, 0))->aux] = keep_shape[NODE(g, ARG(g, product, 1))->aux] = true;
            }
        }
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        bool circle = (k > 0 && order.component[k - 1] == order.component[k]) ||
                      (k + 1 < order.n && order.component[k + 1] == order.component[k]) || graph_reads_itself(g, a);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, fuse_read, &f);
            Ref guard = ARRAY(g, a)->pieces.at[q].guard;
            guard = guard ? graph_rewrite_reads(g, guard, fuse_read, &f) : 0;
            ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
            ARRAY(g, a)->pieces.at[q].guard = guard && !graph_is_true(g, guard) ? guard : 0;
        }
        if (circle || is_result(g, a) || !one_piece(g, a) || ARRAY(g, a)->rank == 0) {
            continue;
        }
        Ref body = ARRAY(g, a)->pieces.at[0].body;
        int cost = cost_of(g, body, 64);
        if (cost == 0 && whole_box(g, a)) {
            f.into[a] = true;
        } else if (!keep_shape[a] && !has_reduction(g, body) && (cost <= 3 || (f.readers[a] == 1 && !f.loose[a]))) {
            f.into[a] = true;
        }
    }
}

/* ---- small builders ---------------------------------------------------------------------------------------------------------- */

static Expr *expr_new(Gen *x, ExprKind kind, ValueType type, int n) {
    Expr *e = arena_alloc(x->g->arena, sizeof *e);
    e->kind = kind, e->type = type, e->n = n;
    e->arg = arena_alloc(x->g->arena, (size_t)(n + 1) * sizeof *e->arg);
    return e;
}

static Expr *expr_local(Gen *x, int local) {
    Expr *e = expr_new(x, EXPR_LOCAL, x->f->locals.at[local].type, 0);
    e->local = local;
    return e;
}

static int local_new(Gen *x, const char *hint, ValueType type, bool changes) {
    VEC_PUSH(x->g->arena, x->f->locals, (Local){.hint = hint, .type = type, .changes = changes});
    return x->f->locals.n - 1;
}

static Stmt *stmt_new(Gen *x, StmtKind kind) {
    Stmt *s = arena_alloc(x->g->arena, sizeof *s);
    s->kind = kind, s->op = '=';
    return s;
}

static void block_add(Block *b, Stmt *s) {
    if (b->last) {
        b->last->next = s;
    } else {
        b->first = s;
    }
    b->last = s;
}

static void add(Gen *x, Stmt *s) {
    block_add(x->frames.at[x->top].block, s);
}

static void push(Gen *x, Block *block, Ref index, bool guard, const bool *writes) {
    x->frames.n = x->top + 1;
    VEC_PUSH(x->g->arena, x->frames, (Frame){block, index, guard, false, false, writes, ++x->serials});
    x->top = x->frames.n - 1;
}

static void pop(Gen *x) {
    x->top--;
    x->frames.n = x->top + 1;
}

static void remember(Gen *x, Ref r, Expr *e) {
    while (x->known.n <= (int)r) {
        VEC_PUSH(x->g->arena, x->known, NULL);
        VEC_PUSH(x->g->arena, x->known_in, 0);
        VEC_PUSH(x->g->arena, x->known_level, 0);
    }
    x->known.at[r] = e;
    x->known_in.at[r] = x->frames.at[x->top].serial;
    x->known_level.at[r] = x->top;
}

static Expr *recall(const Gen *x, Ref r) {
    if ((int)r >= x->known.n || !x->known.at[r] || x->known_level.at[r] > x->top ||
        x->frames.at[x->known_level.at[r]].serial != x->known_in.at[r]) {
        return NULL;
    }
    return x->known.at[r];
}

static void count_uses(Gen *x, Ref root) {
    Graph *g = x->g;
    VEC(Ref) stack = {0};
    graph_walk_start(g);
    while (x->uses.n < g->nodes.n) {
        VEC_PUSH(g->arena, x->uses, 0);
    }
    VEC_PUSH(g->arena, stack, root);
    x->uses.at[root] = 1;
    graph_walk_first(g, root);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            Ref a = ARG(g, r, k);
            if (graph_walk_first(g, a)) {
                x->uses.at[a] = 0;
                VEC_PUSH(g->arena, stack, a);
            }
            x->uses.at[a]++;
        }
    }
}

/* ---- values -------------------------------------------------------------------------------------------------------------------- */

static bool reads_written(const Gen *x, Ref r, const bool *writes) {
    const Node *n = NODE(x->g, r);
    if (n->op == OP_READ && writes[n->aux]) {
        return true;
    }
    for (int k = 0; k < n->nargs; k++) {
        if (reads_written(x, ARG(x->g, r, k), writes)) {
            return true;
        }
    }
    return false;
}

/* Can r be computed whatever conditions hold? Every read of it stands at places that are inside for all values of the indices. */
static bool safe_anywhere(Gen *x, Ref r) {
    Graph *g = x->g;
    const Node n = *NODE(g, r);
    if (n.fails) {
        return false;
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k);
        if (n.op == OP_READ) {
            const Poly *p = graph_poly(g, a), *above = poly_sub(g->arena, poly_sub(g->arena, ARRAY(g, n.aux)->extent[k], p), poly_int(g->arena, 1));
            if (!graph_prove(g, p, 0, NULL) || !graph_prove(g, above, 0, NULL)) {
                return false;
            }
        }
        if (!safe_anywhere(x, a)) {
            return false;
        }
    }
    return true;
}

/* The outermost frame in which r can be computed. */
static int level_of(Gen *x, Ref r) {
    const Ref *free;
    int n = graph_free(x->g, r, &free), level = x->top;
    for (; level > 0; level--) {
        const Frame *f = &x->frames.at[level];
        if (f->guard || ((f->narrowed || NODE(x->g, r)->fails) && !safe_anywhere(x, r))) {
            break;
        }
        if (f->index) {
            bool bound = false;
            for (int k = 0; k < n && !bound; k++) {
                bound = free[k] == f->index;
            }
            if (bound || (f->writes && reads_written(x, r, f->writes))) {
                break;
            }
        }
    }
    return level;
}

static bool worth_naming(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op == OP_CONST || n->op == OP_DIM || n->op == OP_INDEX || n->op == OP_READ || n->op == OP_CAST) {
        return false;
    }
    return n->op == OP_CHECKED || n->op == OP_NONEMPTY || n->op == OP_REDUCE || n->op == OP_trunc || n->type >= VALUE_FLOAT || n->type == VALUE_BOOL;
}

static Expr *value(Gen *x, Ref r);
static Expr *reduce(Gen *x, Ref r);

static Expr *name_value(Gen *x, Expr *e, const char *hint) {
    Stmt *s = stmt_new(x, STMT_LET);
    s->local = local_new(x, hint, e->type, false);
    s->value = e;
    add(x, s);
    return expr_local(x, s->local);
}

/* Can this side of a choice be one C expression, without names of its own? */
static bool is_simple(const Gen *x, Ref r, int *budget) {
    const Node *n = NODE(x->g, r);
    if (recall(x, r) || n->nargs == 0) {
        return true;
    }
    if (n->op == OP_REDUCE || (*budget)-- <= 0 || (x->uses.at[r] > 1 && worth_naming(x->g, r) && cost_of(x->g, r, 8) > 4)) {
        return false;
    }
    for (int k = 0; k < n->nargs; k++) {
        if (!is_simple(x, ARG(x->g, r, k), budget)) {
            return false;
        }
    }
    return true;
}

/* A term inside one side of a choice: nothing may be computed outside, and nothing is named. */
static Expr *value_in_place(Gen *x, Ref r) {
    Block none = {0};
    push(x, &none, 0, true, NULL);
    x->frames.at[x->top].expression = true;
    Expr *e = value(x, r);
    pop(x);
    if (none.first) {
        bug("a side of a choice made statements");
    }
    return e;
}

static Expr *choose(Gen *x, Ref r) {
    Graph *g = x->g;
    Ref c = ARG(g, r, 0), side[2] = {ARG(g, r, 1), ARG(g, r, 2)};
    int budget = 40;
    Expr *condition = value(x, c);
    if (is_simple(x, side[0], &budget) && is_simple(x, side[1], &budget)) {
        Expr *e = expr_new(x, EXPR_SELECT, (ValueType)NODE(g, r)->type, 3);
        e->arg[0] = condition;
        e->arg[1] = value_in_place(x, side[0]);
        e->arg[2] = value_in_place(x, side[1]);
        return e;
    }
    int local = local_new(x, "t", (ValueType)NODE(g, r)->type, true);
    Stmt *var = stmt_new(x, STMT_VAR), *s = stmt_new(x, STMT_IF);
    var->local = local;
    add(x, var);
    s->value = condition;
    for (int k = 0; k < 2; k++) {
        push(x, k == 0 ? &s->body : &s->otherwise, 0, true, NULL);
        Stmt *set = stmt_new(x, STMT_SET);
        set->local = local;
        set->value = value(x, side[k]);
        add(x, set);
        pop(x);
    }
    add(x, s);
    return expr_local(x, local);
}

static Expr *build(Gen *x, Ref r) {
    Graph *g = x->g;
    const Node n = *NODE(g, r);
    Expr *e;
    switch (n.op) {
    case OP_CONST: e = expr_new(x, EXPR_CONST, (ValueType)n.type, 0); break;
    case OP_DIM: e = expr_new(x, EXPR_DIM, VALUE_INT, 0); break;
    case OP_INDEX: e = expr_new(x, EXPR_INDEX, VALUE_INT, 0); break;
    case OP_READ:
        if (x->f->place[n.aux] == PLACE_LOCAL) {
            return expr_local(x, x->f->local[n.aux]);
        }
        e = expr_new(x, EXPR_LOAD, (ValueType)n.type, n.nargs);
        e->array = n.aux;
        break;
    case OP_REDUCE: return reduce(x, r);
    case OP_SELECT: return choose(x, r);
    case OP_CAST: e = expr_new(x, EXPR_CAST, (ValueType)n.type, 1); break;
    case OP_CHECKED: e = expr_new(x, EXPR_CHECKED, VALUE_INT, 3); break;
    case OP_NONEMPTY: e = expr_new(x, EXPR_NONEMPTY, VALUE_INT, 1); break;
    case OP_IDIV: e = expr_new(x, EXPR_IDIV, VALUE_INT, 2); break;
    default: e = expr_new(x, EXPR_OP, (ValueType)n.type, n.nargs); break;
    }
    e->op = (Op)n.op;
    e->ref = r;
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k);
        bool lazy = (n.op == OP_and || n.op == OP_or) && k == 1;
        int budget = 40;
        if (lazy && is_simple(x, a, &budget)) {
            e->arg[k] = value_in_place(x, a);
        } else if (lazy) { /* what stands behind a condition needs statements: they go under it */
            Ref none = graph_bool(g, n.op == OP_or);
            int local = local_new(x, "t", VALUE_BOOL, true);
            Stmt *var = stmt_new(x, STMT_VAR), *s = stmt_new(x, STMT_IF), *set = stmt_new(x, STMT_SET);
            var->local = set->local = local;
            var->value = value(x, none);
            add(x, var);
            Expr *c = e->arg[0];
            if (n.op == OP_or) {
                Expr *not = expr_new(x, EXPR_OP, VALUE_BOOL, 1);
                not->op = OP_not;
                not->arg[0] = c;
                c = not;
            }
            s->value = c;
            push(x, &s->body, 0, true, NULL);
            set->value = value(x, a);
            add(x, set);
            pop(x);
            add(x, s);
            return expr_local(x, local);
        } else {
            e->arg[k] = value(x, a);
        }
    }
    return e;
}

/* The C value of a term: computed here, or named in the outermost loop where it can be. */
static Expr *value(Gen *x, Ref r) {
    Graph *g = x->g;
    Expr *known = recall(x, r);
    if (known) {
        return known;
    }
    while (x->uses.n < g->nodes.n) {
        VEC_PUSH(g->arena, x->uses, 1);
    }
    if (!worth_naming(g, r)) {
        return build(x, r);
    }
    int top = x->top, level = level_of(x, r);
    bool here = level == top, reduction = NODE(g, r)->op == OP_REDUCE;
    bool hoist = !here && NODE(g, r)->type != VALUE_BOOL && NODE(g, r)->op != OP_neg;
    bool name = here && x->uses.at[r] > 1 && cost_of(g, r, 8) > 0 && !x->frames.at[top].expression;
    if (!hoist && !name && !reduction) {
        return build(x, r);
    }
    /* Frames above stay open: they are added to theirs only when complete, so what is added now stands before them. */
    VEC(Frame) above = {0};
    for (int k = level + 1; k <= top; k++) {
        VEC_PUSH(g->arena, above, x->frames.at[k]);
    }
    x->top = level;
    Expr *e = build(x, r);
    if (!reduction) {
        e = name_value(x, e, "t");
    }
    remember(x, r, e);
    x->frames.n = level + 1;
    for (int k = 0; k < above.n; k++) {
        VEC_PUSH(g->arena, x->frames, above.at[k]);
    }
    x->top = top;
    return e;
}

/* ---- loops ------------------------------------------------------------------------------------------------------------------------ */

/* Takes from the conditions the bounds that they set to an index; what is left comes back. */
typedef struct Range {
    VEC(Ref) lo, hi; /* both ends included; all must hold */
} Range;

static Ref take_bounds(Gen *x, Ref condition, Ref index, Range *range, const Ref *later, int nlater) {
    Graph *g = x->g;
    if (!condition) {
        return 0;
    }
    const Node n = *NODE(g, condition);
    if (n.op == OP_and) {
        Ref c0 = ARG(g, condition, 0), c1 = ARG(g, condition, 1);
        Ref a = take_bounds(x, c0, index, range, later, nlater), b = take_bounds(x, c1, index, range, later, nlater);
        return a && b ? graph_and(g, a, b) : a ? a : b;
    }
    if ((n.op != OP_lt && n.op != OP_le && n.op != OP_gt && n.op != OP_ge && n.op != OP_eq) || NODE(g, ARG(g, condition, 0))->type != VALUE_INT) {
        return condition;
    }
    const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, condition, 1)), graph_poly(g, ARG(g, condition, 0))), *rest;
    if (n.op == OP_gt || n.op == OP_ge) {
        d = poly_neg(g->arena, d);
    }
    if (n.op == OP_lt || n.op == OP_gt) {
        d = poly_sub(g->arena, d, poly_int(g->arena, 1));
    }
    int64_t num, den;
    if (!poly_linear(g->arena, d, index, &num, &den, &rest) || den != 1 || (num != 1 && num != -1)) {
        return condition;
    }
    Ref bound = graph_of_poly(g, num == 1 ? poly_neg(g->arena, rest) : rest);
    bool ready = !graph_has_index(g, bound, index);
    for (int k = 0; k < nlater; k++) {
        ready = ready && !graph_has_index(g, bound, later[k]);
    }
    if (!ready) {
        return condition;
    }
    if (num == 1 || n.op == OP_eq) {
        VEC_PUSH(g->arena, range->lo, bound);
    }
    if (num == -1 || n.op == OP_eq) {
        VEC_PUSH(g->arena, range->hi, bound);
    }
    return 0;
}

/* The largest (or smallest) of the bounds, leaving out what is proved to be weaker. */
static Ref tightest(Gen *x, Ref start, const Ref *bound, int n, bool largest) {
    Graph *g = x->g;
    Ref best = start;
    for (int k = 0; k < n; k++) {
        const Poly *d = poly_sub(g->arena, graph_poly(g, bound[k]), graph_poly(g, best));
        d = largest ? d : poly_neg(g->arena, d);
        if (graph_prove(g, d, 0, NULL)) {
            best = bound[k];
        } else if (!graph_prove(g, poly_neg(g->arena, d), 0, NULL)) {
            best = graph_op2(g, largest ? OP_max : OP_min, best, bound[k]);
        }
    }
    return best;
}

static bool is_place(const Graph *g, Ref r) { /* cheap enough for the head of a loop */
    const Node *n = NODE(g, r);
    return n->op == OP_CONST || n->op == OP_DIM || n->op == OP_INDEX ||
           ((n->op == OP_add || n->op == OP_sub || n->op == OP_mul || n->op == OP_IDIV) && is_place(g, ARG(g, r, 0)) && is_place(g, ARG(g, r, 1)));
}

static Expr *bound_value(Gen *x, Ref r) {
    Expr *e = value(x, r);
    return is_place(x->g, r) || e->kind == EXPR_LOCAL ? e : name_value(x, e, "end");
}

/* Opens a loop; the conditions' bounds narrow it. Returns the statement, which is added when it is closed. */
static Stmt *loop_open(Gen *x, Ref index, const Poly *lo, const Poly *hi, Ref *condition, const Ref *later, int nlater, const bool *writes) {
    Graph *g = x->g;
    Range range = {0};
    *condition = take_bounds(x, *condition, index, &range, later, nlater);
    Stmt *s = stmt_new(x, STMT_LOOP);
    s->index = index;
    s->value = bound_value(x, tightest(x, graph_of_poly(g, lo), range.lo.at, range.lo.n, true));
    Ref last = tightest(x, graph_of_poly(g, hi), range.hi.at, range.hi.n, false);
    s->other = bound_value(x, graph_op2(g, OP_add, last, graph_int(g, 1)));
    push(x, &s->body, index, false, writes);
    x->frames.at[x->top].narrowed = range.lo.n + range.hi.n > 0;
    return s;
}

static void loop_close(Gen *x, Stmt *s) {
    pop(x);
    add(x, s);
}

static Stmt *if_open(Gen *x, Ref condition) {
    if (!condition || graph_is_true(x->g, condition)) {
        return NULL;
    }
    count_uses(x, condition);
    Stmt *s = stmt_new(x, STMT_IF);
    s->value = value(x, condition);
    push(x, &s->body, 0, true, NULL);
    return s;
}

static void if_close(Gen *x, Stmt *s) {
    if (s) {
        pop(x);
        add(x, s);
    }
}

/* Only names and one last statement: nothing that keeps a loop from lanes. */
static bool is_straight(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_LET && s->next) {
            return false;
        }
        if (s->kind == STMT_LOOP || s->kind == STMT_IF || s->kind == STMT_MATMUL || s->kind == STMT_COMMENT) {
            return false;
        }
    }
    return true;
}

static bool expr_may_fail(const Expr *e) {
    if (e->kind == EXPR_CHECKED || e->kind == EXPR_NONEMPTY) {
        return true;
    }
    for (int k = 0; k < e->n; k++) {
        if (expr_may_fail(e->arg[k])) {
            return true;
        }
    }
    return false;
}

static bool block_may_fail(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->value && expr_may_fail(s->value))) {
            return true;
        }
        for (int k = 0; k < s->n; k++) {
            if (expr_may_fail(s->position[k])) {
                return true;
            }
        }
    }
    return false;
}

static Stmt *set_new(Gen *x, int local, char op, Expr *e) {
    Stmt *s = stmt_new(x, STMT_SET);
    s->local = local, s->op = op, s->value = e;
    return s;
}

static Expr *constant(Gen *x, ValueType type, double v) {
    return value(x, type == VALUE_INT ? graph_int(x->g, (int64_t)v) : graph_real(x->g, type, v));
}

static int var_new(Gen *x, const char *hint, ValueType type, Expr *start) {
    Stmt *s = stmt_new(x, STMT_VAR);
    s->local = local_new(x, hint, type, true);
    s->value = start;
    add(x, s);
    return s->local;
}

static Expr *op_expr(Gen *x, Op op, ValueType type, Expr *a, Expr *b) {
    Expr *e = expr_new(x, EXPR_OP, type, b ? 2 : 1);
    e->op = op;
    e->arg[0] = a;
    if (b) {
        e->arg[1] = b;
    }
    return e;
}

/* acc op= body over the index; returns the loop. */
static Stmt *accumulate(Gen *x, Ref index, Ref condition, Ref body, int acc, char op, Expr *shift) {
    Graph *g = x->g;
    const Poly *one = poly_int(g->arena, 1);
    Ref rest = graph_is_true(g, condition) ? 0 : condition;
    Stmt *loop = loop_open(x, index, poly_int(g->arena, 0), poly_sub(g->arena, EXTENT(g, index), one), &rest, NULL, 0, NULL);
    Stmt *under = if_open(x, rest);
    count_uses(x, body);
    Expr *v = value(x, body);
    if (shift) { /* exp(v - shift) */
        v = op_expr(x, OP_exp, v->type, op_expr(x, OP_sub, v->type, v, shift), NULL);
    }
    if (op == '>' || op == '<') {
        v = op_expr(x, op == '>' ? OP_max : OP_min, v->type, expr_local(x, acc), v);
        add(x, set_new(x, acc, '=', v));
    } else {
        add(x, set_new(x, acc, op, v));
    }
    if_close(x, under);
    if (!under && is_straight(&loop->body) && !block_may_fail(&loop->body) && x->f->locals.at[acc].type >= VALUE_FLOAT) {
        loop->hint = op == '+' ? HINT_SUM : op == '>' ? HINT_MAX : op == '<' ? HINT_MIN : HINT_NONE;
        loop->hint_local = acc;
    }
    loop_close(x, loop);
    return loop;
}

static Expr *reduce_extreme(Gen *x, Ref r, Ref index, Ref condition, Ref body) {
    Graph *g = x->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    ValueType type = (ValueType)NODE(g, body)->type;
    bool place = kind == RED_ARGMAX || kind == RED_ARGMIN, largest = kind == RED_MAX || kind == RED_ARGMAX;
    bool never_empty = graph_is_true(g, condition) && graph_prove(g, poly_sub(g->arena, EXTENT(g, index), poly_int(g->arena, 1)), 0, NULL);
    const Poly *one = poly_int(g->arena, 1);
    if (!place && never_empty && type >= VALUE_FLOAT) {
        int best = var_new(x, largest ? "most" : "least", type, constant(x, type, largest ? -INFINITY : INFINITY));
        accumulate(x, index, condition, body, best, largest ? '>' : '<', NULL);
        return expr_local(x, best);
    }
    int best = var_new(x, largest ? "most" : "least", type, constant(x, type, 0));
    int at = var_new(x, "at", VALUE_INT, constant(x, VALUE_INT, -1));
    Ref rest = graph_is_true(g, condition) ? 0 : condition;
    Stmt *loop = loop_open(x, index, poly_int(g->arena, 0), poly_sub(g->arena, EXTENT(g, index), one), &rest, NULL, 0, NULL);
    Stmt *under = if_open(x, rest);
    count_uses(x, body);
    Expr *v = value(x, body);
    if (v->kind != EXPR_LOCAL && v->kind != EXPR_CONST) {
        v = name_value(x, v, "v");
    }
    Stmt *better = stmt_new(x, STMT_IF);
    Expr *none = op_expr(x, OP_lt, VALUE_BOOL, expr_local(x, at), constant(x, VALUE_INT, 0));
    better->value = op_expr(x, OP_or, VALUE_BOOL, none, op_expr(x, largest ? OP_gt : OP_lt, VALUE_BOOL, v, expr_local(x, best)));
    block_add(&better->body, set_new(x, best, '=', v));
    block_add(&better->body, set_new(x, at, '=', value(x, index)));
    add(x, better);
    if_close(x, under);
    loop_close(x, loop);
    if (!never_empty) {
        Stmt *empty = stmt_new(x, STMT_IF), *fail = stmt_new(x, STMT_FAIL);
        empty->value = op_expr(x, OP_lt, VALUE_BOOL, expr_local(x, at), constant(x, VALUE_INT, 0));
        fail->text = "GRADC_EMPTY";
        block_add(&empty->body, fail);
        if (place) { /* a place that is inside, whatever happens */
            block_add(&empty->body, set_new(x, at, '=', constant(x, VALUE_INT, 0)));
        }
        add(x, empty);
    }
    return expr_local(x, place ? at : best);
}

static Expr *reduce(Gen *x, Ref r) {
    Graph *g = x->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    ValueType type = (ValueType)NODE(g, r)->type;
    Ref condition, body, index = graph_open(g, r, &condition, &body);
    if (kind == RED_SUM || kind == RED_PROD) {
        int acc = var_new(x, kind == RED_SUM ? "sum" : "prod", type, constant(x, type, kind == RED_SUM ? 0 : 1));
        accumulate(x, index, condition, body, acc, kind == RED_SUM ? '+' : '*', NULL);
        return expr_local(x, acc);
    }
    if (kind == RED_LOGSUMEXP) {
        int most = var_new(x, "most", type, constant(x, type, -INFINITY));
        accumulate(x, index, condition, body, most, '>', NULL);
        Expr *m = expr_local(x, most);
        /* Nothing but -infinity, or +infinity somewhere: there is nothing to scale by. */
        Expr *finite = op_expr(x, OP_and, VALUE_BOOL, op_expr(x, OP_gt, VALUE_BOOL, m, constant(x, type, -INFINITY)),
                               op_expr(x, OP_lt, VALUE_BOOL, m, constant(x, type, INFINITY)));
        Expr *base = expr_new(x, EXPR_SELECT, type, 3);
        base->arg[0] = finite, base->arg[1] = m, base->arg[2] = constant(x, type, 0);
        base = name_value(x, base, "base");
        int acc = var_new(x, "sum", type, constant(x, type, 0));
        Ref again_condition, again, again_index = graph_open(g, r, &again_condition, &again);
        accumulate(x, again_index, again_condition, again, acc, '+', base);
        Expr *e = op_expr(x, OP_add, type, base, op_expr(x, OP_log, type, expr_local(x, acc), NULL));
        return name_value(x, e, "lse");
    }
    return reduce_extreme(x, r, index, condition, body);
}

/* ---- one array ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Fixed { /* axes of an array that loops around have fixed already */
    Ref *at;           /* by axis: 0, or the place, over indices in force */
    const bool *writes;
    bool zeroed;       /* all of the array was set to 0 before these loops */
} Fixed;

static Ref place_axes(Graph *g, ArrayRef a, Ref term, const Fixed *fixed) {
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (fixed->at[k]) {
            VEC_PUSH(g->arena, from, ARRAY(g, a)->axis[k]);
            VEC_PUSH(g->arena, to, fixed->at[k]);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

static void store(Gen *x, ArrayRef a, const Ref *position, char op, Expr *e) {
    Graph *g = x->g;
    if (x->f->place[a] == PLACE_LOCAL) {
        add(x, set_new(x, x->f->local[a], op, e));
        return;
    }
    Stmt *s = stmt_new(x, STMT_STORE);
    s->array = a, s->op = op, s->value = e, s->n = ARRAY(g, a)->rank;
    s->position = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *s->position);
    for (int k = 0; k < s->n; k++) {
        s->position[k] = value(x, position[k]);
    }
    add(x, s);
}

/* ---- matrix products */

static const Poly *stride_of(Graph *g, ArrayRef a, int axis) {
    const Poly *p = poly_int(g->arena, 1);
    for (int k = axis + 1; k < ARRAY(g, a)->rank; k++) {
        p = poly_mul(g->arena, p, ARRAY(g, a)->extent[k]);
    }
    return p;
}

static int axis_at(Graph *g, Ref read, Ref index) { /* where the index stands alone; -1: nowhere, -2: otherwise */
    int at = -1;
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        if (ARG(g, read, k) == index) {
            at = at == -1 ? k : -2;
        } else if (graph_has_index(g, ARG(g, read, k), index)) {
            return -2;
        }
    }
    return at;
}

static bool is_small(const Poly *p) {
    int64_t n;
    return poly_is_int(p, &n) && n < 4;
}

static Expr *offset_of(Gen *x, Ref read, Ref row, Ref column) {
    Graph *g = x->g;
    Ref sum = graph_int(g, 0), zero = sum;
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        Ref p = ARG(g, read, k);
        if (p == row || p == column) {
            continue;
        }
        sum = graph_op2(g, OP_add, sum, graph_op2(g, OP_mul, p, graph_of_poly(g, stride_of(g, NODE(g, read)->aux, k))));
    }
    return sum == zero ? NULL : value(x, sum);
}

/* a[..., i, ..., j] (+)= sum[p](X * Y) with i in X alone and j in Y alone: a matrix product inside loops over the other axes. */
static bool try_matmul(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, bool add_to) {
    Graph *g = x->g;
    Ref body = place_axes(g, a, p->body, fixed);
    int rank = ARRAY(g, a)->rank, best_i = -1, best_j = -1;
    if (rank < 2 || p->guard || !is_contraction(g, body) || !graph_is_true(g, ARG(g, body, 1)) || ARRAY(g, a)->type < VALUE_FLOAT ||
        (x->f->place[a] != PLACE_BUFFER && x->f->place[a] != PLACE_OUTPUT)) {
        return false;
    }
    Ref condition, term, sum = graph_open(g, body, &condition, &term), side[2] = {ARG(g, term, 0), ARG(g, term, 1)};
    if (NODE(g, term)->op != OP_mul || NODE(g, side[0])->op != OP_READ || NODE(g, side[1])->op != OP_READ) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        ArrayRef s = NODE(g, side[k])->aux;
        Place at = x->f->place[s];
        if (axis_at(g, side[k], sum) < 0 || s == a || ARRAY(g, s)->type != ARRAY(g, a)->type ||
            (at != PLACE_INPUT && at != PLACE_BUFFER && at != PLACE_OUTPUT) || (fixed->writes && fixed->writes[s] && s == a)) {
            return false;
        }
    }
    for (int k = 0; k < rank; k++) {
        Ref i = ARRAY(g, a)->axis[k];
        if (fixed->at[k] || poly_equal(p->lo[k], p->hi[k]) || !poly_equal(p->lo[k], poly_int(g->arena, 0))) {
            continue;
        }
        int in0 = axis_at(g, side[0], i), in1 = axis_at(g, side[1], i);
        if (in0 >= 0 && in1 == -1 && !is_small(EXTENT(g, i))) {
            best_i = k;
        } else if (in1 >= 0 && in0 == -1 && !is_small(EXTENT(g, i))) {
            best_j = k;
        }
    }
    if (best_i < 0 || best_j < 0 || is_small(EXTENT(g, sum))) {
        return false;
    }
    int first = best_i, second = best_j; /* rows of c are the earlier axis */
    Ref left = side[0], right = side[1];
    if (first > second) {
        first = best_j, second = best_i, left = side[1], right = side[0];
    }
    Ref i = ARRAY(g, a)->axis[first], j = ARRAY(g, a)->axis[second];
    VEC(Stmt *) loops = {0};
    Ref none = 0, positions[16];
    if (rank > 16) {
        return false;
    }
    for (int k = 0; k < rank; k++) {
        positions[k] = fixed->at[k] ? fixed->at[k] : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k]) : ARRAY(g, a)->axis[k];
        if (k != first && k != second && positions[k] == ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, loops, loop_open(x, positions[k], p->lo[k], p->hi[k], &none, NULL, 0, fixed->writes));
        }
    }
    Matmul *m = arena_alloc(g->arena, sizeof *m);
    Ref target = graph_read(g, a, positions);
    m->array[0] = NODE(g, left)->aux, m->array[1] = NODE(g, right)->aux, m->array[2] = a;
    m->offset[0] = offset_of(x, left, i, sum), m->offset[1] = offset_of(x, right, sum, j), m->offset[2] = offset_of(x, target, i, j);
    m->row[0] = stride_of(g, m->array[0], axis_at(g, left, i)), m->column[0] = stride_of(g, m->array[0], axis_at(g, left, sum));
    m->row[1] = stride_of(g, m->array[1], axis_at(g, right, sum)), m->column[1] = stride_of(g, m->array[1], axis_at(g, right, j));
    m->row[2] = stride_of(g, a, first), m->column[2] = stride_of(g, a, second);
    m->m = poly_add(g->arena, p->hi[first], poly_int(g->arena, 1)), m->n = poly_add(g->arena, p->hi[second], poly_int(g->arena, 1));
    m->k = EXTENT(g, sum);
    m->accumulate = add_to;
    Stmt *s = stmt_new(x, STMT_MATMUL);
    s->matmul = m;
    add(x, s);
    while (loops.n) {
        loop_close(x, loops.at[--loops.n]);
    }
    return true;
}

/* ---- sums that are added where data says, or along the contiguous axis */

typedef struct Scatter {
    VEC(Ref) index;   /* summed over */
    Ref condition;    /* 0: none */
    Ref term;
} Scatter;

/* body = factor * sum[..](sum[..](term)): opens the sums, the factor inside. false: no sum at the root. */
static bool open_sums(Graph *g, Ref body, Scatter *s) {
    Ref factor = 0;
    bool negative = false, found = false;
    for (;;) {
        const Node n = *NODE(g, body);
        if (n.op == OP_REDUCE && n.aux == RED_SUM && n.type >= VALUE_FLOAT) {
            Ref c, b, i = graph_open(g, body, &c, &b);
            VEC_PUSH(g->arena, s->index, i);
            if (!graph_is_true(g, c)) {
                s->condition = s->condition ? graph_and(g, s->condition, c) : c;
            }
            body = b;
            found = true;
        } else if (found) {
            break;
        } else if (n.op == OP_neg) {
            negative = !negative;
            body = ARG(g, body, 0);
        } else if (n.op == OP_mul && NODE(g, ARG(g, body, 1))->op == OP_REDUCE) {
            factor = factor ? graph_op2(g, OP_mul, factor, ARG(g, body, 0)) : ARG(g, body, 0);
            body = ARG(g, body, 1);
        } else if (n.op == OP_mul && NODE(g, ARG(g, body, 0))->op == OP_REDUCE) {
            factor = factor ? graph_op2(g, OP_mul, factor, ARG(g, body, 1)) : ARG(g, body, 1);
            body = ARG(g, body, 0);
        } else {
            return false;
        }
    }
    s->term = factor ? graph_op2(g, OP_mul, factor, body) : body;
    s->term = negative ? graph_op1(g, OP_neg, s->term) : s->term;
    return true;
}

/* A conjunct axis == e, e over the summed indices: returns e; the rest of the condition in *rest. */
static Ref scatter_place(Graph *g, Ref condition, Ref axis, Ref *rest) {
    const Node n = *NODE(g, condition);
    if (n.op == OP_and) {
        Ref c0 = ARG(g, condition, 0), c1 = ARG(g, condition, 1), r = 0, e = scatter_place(g, c0, axis, &r);
        if (e) {
            *rest = r ? graph_and(g, r, c1) : c1;
            return e;
        }
        e = scatter_place(g, c1, axis, &r);
        *rest = r ? graph_and(g, c0, r) : c0;
        return e;
    }
    if (n.op != OP_eq || NODE(g, ARG(g, condition, 0))->type != VALUE_INT) {
        return 0;
    }
    for (int k = 0; k < 2; k++) {
        Ref e = ARG(g, condition, 1 - k);
        if (ARG(g, condition, k) == axis && !graph_has_index(g, e, axis)) {
            *rest = 0;
            return e;
        }
    }
    return 0;
}

/* How many loads and stores walk along memory when this index is the innermost. */
static int contiguous(Graph *g, Ref term, Ref index) {
    const Node n = *NODE(g, term);
    if (!graph_has_index(g, term, index)) {
        return 0;
    }
    if (n.op == OP_READ) {
        for (int k = 0; k + 1 < n.nargs; k++) {
            if (graph_has_index(g, ARG(g, term, k), index)) {
                return -2;
            }
        }
        return 2;
    }
    int sum = 0;
    for (int k = 0; k < n.nargs; k++) {
        sum += contiguous(g, ARG(g, term, k), index);
    }
    return sum;
}

static bool has_read(const Graph *g, Ref r) {
    bool found = NODE(g, r)->op == OP_READ;
    for (int k = 0; k < NODE(g, r)->nargs && !found; k++) {
        found = has_read(g, ARG(g, r, k));
    }
    return found;
}

/* Adds the opened sum entry by entry: into places that data chooses, or along the array's own last axis. The array holds
 * something already. false, and nothing is done: no place is chosen by data, and the last axis is not better than the sum. */
static bool add_entries(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, Scatter s) {
    Graph *g = x->g;
    int rank = ARRAY(g, a)->rank;
    Ref position[16], guard = p->guard ? place_axes(g, a, p->guard, fixed) : 0;
    bool by_data = false;
    for (int k = 0; k < rank; k++) {
        Ref axis = ARRAY(g, a)->axis[k], rest = 0;
        position[k] = fixed->at[k] ? fixed->at[k] : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k]) : axis;
        Ref e = position[k] == axis && s.condition ? scatter_place(g, s.condition, axis, &rest) : 0;
        if (!e) {
            continue;
        }
        s.condition = rest;
        by_data = true;
        position[k] = e;
        for (int q = 0; q < rank; q++) {
            position[q] = q == k ? e : q < k ? graph_subst(g, position[q], 1, &axis, &e) : position[q];
        }
        s.condition = s.condition ? graph_subst(g, s.condition, 1, &axis, &e) : 0;
        s.term = graph_subst(g, s.term, 1, &axis, &e);
        guard = guard ? graph_subst(g, guard, 1, &axis, &e) : 0;
        /* The box of the piece is in force for the chosen place too. */
        const Poly *zero = poly_int(g->arena, 0);
        if (!poly_equal(p->lo[k], zero)) {
            Ref c = graph_op2(g, OP_le, graph_of_poly(g, p->lo[k]), e);
            s.condition = s.condition ? graph_and(g, s.condition, c) : c;
        }
        if (!poly_equal(poly_add(g->arena, p->hi[k], poly_int(g->arena, 1)), ARRAY(g, a)->extent[k])) {
            Ref c = graph_op2(g, OP_le, e, graph_of_poly(g, p->hi[k]));
            s.condition = s.condition ? graph_and(g, s.condition, c) : c;
        }
    }
    /* A range of places that data bounds (first[n] <= e && e < first[n + 1]) is cheaper walked from the sum's side too. */
    for (int k = 0; k < rank && s.condition && !by_data; k++) {
        Range bounds = {0};
        if (position[k] == ARRAY(g, a)->axis[k]) {
            take_bounds(x, s.condition, position[k], &bounds, NULL, 0);
        }
        for (int q = 0; q < bounds.lo.n + bounds.hi.n && !by_data; q++) {
            by_data = has_read(g, q < bounds.lo.n ? bounds.lo.at[q] : bounds.hi.at[q - bounds.lo.n]);
        }
    }
    Ref last = ARRAY(g, a)->axis[rank - 1];
    if (!by_data) { /* worth it only if the axis walks along memory and the sum does not */
        if (s.index.n == 0 || position[rank - 1] != last || s.condition || guard ||
            contiguous(g, s.term, last) + 2 <= contiguous(g, s.term, s.index.at[s.index.n - 1])) {
            return false;
        }
    }
    Ref condition = s.condition;
    if (guard) {
        condition = condition ? graph_and(g, condition, guard) : guard;
    }
    VEC(Ref) order = {0};
    VEC(int) axis_of = {0};
    for (int k = 0; k < s.index.n && by_data; k++) {
        VEC_PUSH(g->arena, order, s.index.at[k]);
        VEC_PUSH(g->arena, axis_of, -1);
    }
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k] && (by_data || k + 1 < rank)) {
            VEC_PUSH(g->arena, order, position[k]);
            VEC_PUSH(g->arena, axis_of, k);
        }
    }
    for (int k = 0; k < s.index.n && !by_data; k++) {
        VEC_PUSH(g->arena, order, s.index.at[k]);
        VEC_PUSH(g->arena, axis_of, -1);
    }
    if (!by_data) {
        VEC_PUSH(g->arena, order, last);
        VEC_PUSH(g->arena, axis_of, rank - 1);
    }
    VEC(Stmt *) loops = {0};
    const Poly *one = poly_int(g->arena, 1);
    for (int k = 0; k < order.n; k++) {
        const Poly *lo = axis_of.at[k] < 0 ? poly_int(g->arena, 0) : p->lo[axis_of.at[k]];
        const Poly *hi = axis_of.at[k] < 0 ? poly_sub(g->arena, EXTENT(g, order.at[k]), one) : p->hi[axis_of.at[k]];
        VEC_PUSH(g->arena, loops, loop_open(x, order.at[k], lo, hi, &condition, order.at + k + 1, order.n - k - 1, fixed->writes));
    }
    Stmt *under = if_open(x, condition);
    count_uses(x, s.term);
    store(x, a, position, '+', value(x, s.term));
    if_close(x, under);
    if (!by_data && !under && is_straight(&loops.at[loops.n - 1]->body) && !block_may_fail(&loops.at[loops.n - 1]->body)) {
        loops.at[loops.n - 1]->hint = HINT_LANES;
    }
    while (loops.n) {
        loop_close(x, loops.at[--loops.n]);
    }
    return true;
}

static bool try_scatter(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    Scatter s = {0};
    if (ARRAY(g, a)->rank == 0 || ARRAY(g, a)->rank > 16 || ARRAY(g, a)->type < VALUE_FLOAT ||
        !open_sums(g, place_axes(g, a, p->body, fixed), &s)) {
        return false;
    }
    return add_entries(x, a, p, fixed, s);
}

/* ---- a piece entry by entry */

/* Does some read in the term reach an entry of a that the innermost loop writes in another turn? Loops around that stand at
 * another place of a fixed axis keep the two apart. */
static bool reads_own_row(Graph *g, Ref term, ArrayRef a, const Fixed *fixed) {
    const Node n = *NODE(g, term);
    if (n.op == OP_READ && n.aux == a) {
        bool apart = false;
        for (int k = 0; k < n.nargs && !apart; k++) {
            int64_t num, den;
            if (fixed->at[k]) {
                const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, term, k)), graph_poly(g, fixed->at[k]));
                apart = poly_is_number(d, &num, &den) && num != 0;
            }
        }
        if (!apart) {
            return true;
        }
    }
    for (int k = 0; k < n.nargs; k++) {
        if (reads_own_row(g, ARG(g, term, k), a, fixed)) {
            return true;
        }
    }
    return false;
}

static void plain_piece(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, char op) {
    Graph *g = x->g;
    int rank = ARRAY(g, a)->rank;
    Ref body = place_axes(g, a, p->body, fixed), condition = p->guard ? place_axes(g, a, p->guard, fixed) : 0, position[16];
    VEC(Stmt *) loops = {0};
    VEC(Ref) from = {0}, to = {0}, later = {0};
    double zero;
    if (rank > 16) {
        error_at(g->cx, ARRAY(g, a)->at, "'%s' would need an array with %d axes; at most 16 are possible", ARRAY(g, a)->name, rank);
        return;
    }
    for (int k = 0; k < rank; k++) {
        position[k] = fixed->at[k] ? fixed->at[k] : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k]) : ARRAY(g, a)->axis[k];
        if (!fixed->at[k] && position[k] != ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, from, ARRAY(g, a)->axis[k]);
            VEC_PUSH(g->arena, to, position[k]);
        }
    }
    if (from.n) {
        body = graph_subst(g, body, from.n, from.at, to.at);
        condition = condition ? graph_subst(g, condition, from.n, from.at, to.at) : 0;
    }
    if (op == '+' && NODE(g, body)->op == OP_SELECT && graph_is_real(g, ARG(g, body, 2), &zero) && zero == 0) {
        Ref c = ARG(g, body, 0); /* nothing is added where it does not hold */
        condition = condition ? graph_and(g, condition, c) : c;
        body = ARG(g, body, 1);
    }
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, later, position[k]);
        }
    }
    int done = 0;
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k]) {
            done++;
            VEC_PUSH(g->arena, loops, loop_open(x, position[k], p->lo[k], p->hi[k], &condition, later.at + done, later.n - done, fixed->writes));
        }
    }
    Stmt *under = if_open(x, condition);
    count_uses(x, body);
    store(x, a, position, op, value(x, body));
    if_close(x, under);
    if (loops.n) {
        Stmt *inner = loops.at[loops.n - 1];
        /* Lanes, unless an entry is read that this loop writes, or anything may fail. */
        if (!under && is_straight(&inner->body) && !block_may_fail(&inner->body) && position[rank - 1] == inner->index &&
            (!fixed->writes || !reads_own_row(g, body, a, fixed))) {
            inner->hint = HINT_LANES;
        }
    }
    while (loops.n) {
        loop_close(x, loops.at[--loops.n]);
    }
}

static bool boxes_apart(Graph *g, const Piece *p, const Piece *q, int rank) {
    const Poly *one = poly_int(g->arena, 1);
    for (int k = 0; k < rank; k++) {
        if (graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, p->lo[k], q->hi[k]), one), 0, NULL) ||
            graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, q->lo[k], p->hi[k]), one), 0, NULL)) {
            return true;
        }
    }
    return false;
}

static bool piece_is_whole(Graph *g, ArrayRef a, const Piece *p) {
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        const Poly *end = poly_sub(g->arena, ARRAY(g, a)->extent[k], poly_int(g->arena, 1));
        if (!poly_equal(p->lo[k], poly_int(g->arena, 0)) || !poly_equal(p->hi[k], end)) {
            return false;
        }
    }
    return p->guard == 0;
}

static void zero_array(Gen *x, ArrayRef a, const Fixed *fixed) {
    Graph *g = x->g;
    bool some = false;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        some = some || fixed->at[k];
    }
    if (!some && x->f->place[a] != PLACE_LOCAL) {
        Stmt *s = stmt_new(x, STMT_ZERO);
        s->array = a;
        add(x, s);
        return;
    }
    Piece all = {0};
    all.lo = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof *all.lo);
    all.hi = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof *all.hi);
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        all.lo[k] = poly_int(g->arena, 0);
        all.hi[k] = poly_sub(g->arena, ARRAY(g, a)->extent[k], poly_int(g->arena, 1));
    }
    all.body = graph_real(g, ARRAY(g, a)->type, 0);
    plain_piece(x, a, &all, fixed, '=');
}

/* Would the piece become this? Tried on a copy of everything. */
static bool would(Gen *x, bool matmul, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Gen trial = *x;
    int locals = x->f->locals.n;
    Block none = {0};
    memset(&trial.frames, 0, sizeof trial.frames);
    memset(&trial.known, 0, sizeof trial.known);
    memset(&trial.known_in, 0, sizeof trial.known_in);
    memset(&trial.known_level, 0, sizeof trial.known_level);
    memset(&trial.uses, 0, sizeof trial.uses);
    trial.top = -1;
    push(&trial, &none, 0, false, NULL);
    bool yes = matmul ? try_matmul(&trial, a, p, fixed, false) : try_scatter(&trial, a, p, fixed);
    x->f->locals.n = locals;
    return yes;
}

static void comment(Gen *x, ArrayRef a) {
    Stmt *s = stmt_new(x, STMT_COMMENT);
    s->array = a;
    add(x, s);
}

/* The turns of the loops around in which a piece is due: what is not proved is tested. */
static Stmt *due_open(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    Ref due = 0;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (fixed->at[k]) {
            Ref c = graph_and(g, graph_op2(g, OP_le, graph_of_poly(g, p->lo[k]), fixed->at[k]),
                              graph_op2(g, OP_le, fixed->at[k], graph_of_poly(g, p->hi[k])));
            due = due ? graph_and(g, due, c) : c;
        }
    }
    return if_open(x, due);
}

/* Do boxes that lie apart hold every entry? Their volumes say so. */
static bool boxes_cover(Graph *g, ArrayRef a) {
    const Poly *one = poly_int(g->arena, 1), *all = one, *sum = poly_int(g->arena, 0);
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        all = poly_mul(g->arena, all, ARRAY(g, a)->extent[k]);
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        const Poly *volume = one;
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            volume = poly_mul(g->arena, volume, poly_add(g->arena, poly_sub(g->arena, p->hi[k], p->lo[k]), one));
        }
        sum = poly_add(g->arena, sum, volume);
        if (p->guard) {
            return false;
        }
    }
    return poly_equal(sum, all);
}

static void one_piece_of(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, char op) {
    Stmt *due = due_open(x, a, p, fixed);
    if (!try_matmul(x, a, p, fixed, op == '+') && (op == '=' || !try_scatter(x, a, p, fixed))) {
        plain_piece(x, a, p, fixed, op);
    }
    if_close(x, due);
}

/* All pieces (or those of `take`) at the places that loops around have fixed. Where every entry has one piece it is set;
 * otherwise, or where a sum is better added up, the array starts at 0, or with a piece that sets all of it, and pieces are added. */
static void array_pieces(Gen *x, ArrayRef a, const Fixed *fixed, const bool *take) {
    Graph *g = x->g;
    VEC(Piece) pieces = {0};
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        if (!take || take[q]) {
            VEC_PUSH(g->arena, pieces, ARRAY(g, a)->pieces.at[q]);
        }
    }
    bool single = ARRAY(g, a)->type < VALUE_FLOAT || ARRAY(g, a)->adjoint_of == 0 || boxes_cover(g, a);
    for (int q = 1; q < pieces.n && single; q++) {
        for (int k = 0; k < q; k++) {
            single = single && boxes_apart(g, &pieces.at[q], &pieces.at[k], ARRAY(g, a)->rank);
        }
    }
    int first = 0;
    bool adding = !single || take;
    if (single && !take && pieces.n == 1 && !fixed->writes && would(x, false, a, &pieces.at[0], fixed)) {
        adding = !would(x, true, a, &pieces.at[0], fixed);
    }
    if (adding && !fixed->zeroed) {
        if (pieces.n && piece_is_whole(g, a, &pieces.at[0]) &&
            (would(x, true, a, &pieces.at[0], fixed) || !would(x, false, a, &pieces.at[0], fixed))) {
            one_piece_of(x, a, &pieces.at[first++], fixed, '=');
        } else {
            zero_array(x, a, fixed);
        }
    }
    for (int q = first; q < pieces.n; q++) {
        one_piece_of(x, a, &pieces.at[q], fixed, adding ? '+' : '=');
    }
}

static void one_array(Gen *x, ArrayRef a) {
    Graph *g = x->g;
    Fixed fixed = {.at = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof(Ref))};
    if (x->f->place[a] == PLACE_LOCAL) {
        comment(x, a);
        Array *array = ARRAY(g, a);
        if (array->pieces.n == 1 && !array->pieces.at[0].guard) {
            count_uses(x, array->pieces.at[0].body);
            Expr *e = value(x, array->pieces.at[0].body);
            Stmt *s = stmt_new(x, STMT_LET);
            s->local = x->f->local[a], s->value = e;
            x->f->locals.at[s->local].changes = false;
            add(x, s);
            return;
        }
        Stmt *s = stmt_new(x, STMT_VAR);
        s->local = x->f->local[a];
        s->value = value(x, array->type == VALUE_BOOL ? graph_bool(g, false) : array->type == VALUE_INT ? graph_int(g, 0) : graph_real(g, array->type, 0));
        add(x, s);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            plain_piece(x, a, &p, &fixed, ARRAY(g, a)->type >= VALUE_FLOAT ? '+' : '=');
        }
        return;
    }
    Stmt *optional = NULL;
    comment(x, a);
    if (x->f->place[a] == PLACE_OUTPUT) { /* a caller that passes NULL does not want it */
        optional = stmt_new(x, STMT_IF);
        optional->array = a;
        push(x, &optional->body, 0, true, NULL);
    }
    array_pieces(x, a, &fixed, NULL);
    if_close(x, optional);
}

/* ---- arrays that read each other: one loop, as their lags allow ------------------------------------------------------------------ */

typedef struct Lag { /* a read inside a circle */
    ArrayRef by, of;
    int piece;
    Ref read;          /* over by's axes and opened indices */
    Ref condition;     /* what holds there; 0: nothing */
} Lag;

typedef struct Circle {
    VEC(ArrayRef) members;
    VEC(Lag) lags;
} Circle;

static void find_lags(Gen *x, Circle *c, const bool *in, ArrayRef by, int piece, Ref r, Ref condition) {
    Graph *g = x->g;
    const Node n = *NODE(g, r);
    if (n.op == OP_READ && in[n.aux]) {
        VEC_PUSH(g->arena, c->lags, (Lag){by, n.aux, piece, r, condition});
    }
    if (n.op == OP_REDUCE) {
        Ref under, body;
        graph_open(g, r, &under, &body);
        find_lags(x, c, in, by, piece, under, condition);
        find_lags(x, c, in, by, piece, body, graph_is_true(g, under) ? condition : condition ? graph_and(g, condition, under) : under);
        return;
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k), also = condition;
        if (n.op == OP_SELECT && k > 0) {
            Ref s = k == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
            also = condition ? graph_and(g, condition, s) : s;
        }
        find_lags(x, c, in, by, piece, a, also);
    }
}

/* The largest k in 4..-3 with place - read >= k wherever the read happens; -100: none is proved. */
static int prove_lag(Gen *x, const Lag *l, int axis_by, int axis_of, int sign) {
    Graph *g = x->g;
    Ref at = ARG(g, l->read, axis_of);
    const Poly *facts[48];
    int n = l->condition ? graph_facts(g, l->condition, true, facts, 32) : 0;
    const Piece *p = &ARRAY(g, l->by)->pieces.at[l->piece];
    for (int k = 0; k < ARRAY(g, l->by)->rank && n + 2 <= 48; k++) {
        const Poly *i = poly_var(g->arena, ARRAY(g, l->by)->axis[k]);
        facts[n++] = poly_sub(g->arena, i, p->lo[k]);
        facts[n++] = poly_sub(g->arena, p->hi[k], i);
    }
    const Poly *d = poly_sub(g->arena, poly_var(g->arena, ARRAY(g, l->by)->axis[axis_by]), graph_poly(g, at));
    d = sign > 0 ? d : poly_neg(g->arena, d);
    for (int k = 4; k >= -3; k--) {
        if (graph_prove(g, poly_sub(g->arena, d, poly_int(g->arena, k)), n, facts)) {
            return k;
        }
    }
    return -100;
}

static bool match_axes(Gen *x, const Circle *c, ArrayRef seed, int axis, int *axis_of, const uint32_t *used) {
    Graph *g = x->g;
    for (int k = 0; k < c->members.n; k++) {
        axis_of[c->members.at[k]] = -1;
    }
    axis_of[seed] = axis;
    for (int round = 0; round < c->members.n; round++) {
        for (int k = 0; k < c->lags.n; k++) {
            const Lag *l = &c->lags.at[k];
            if (axis_of[l->by] >= 0 && axis_of[l->of] < 0) {
                Ref i = ARRAY(g, l->by)->axis[axis_of[l->by]];
                for (int q = 0; q < ARRAY(g, l->of)->rank && axis_of[l->of] < 0; q++) {
                    if (!(used[l->of] >> q & 1) && graph_has_index(g, ARG(g, l->read, q), i)) {
                        axis_of[l->of] = q;
                    }
                }
            } else if (axis_of[l->of] >= 0 && axis_of[l->by] < 0) {
                Ref at = ARG(g, l->read, axis_of[l->of]);
                for (int q = 0; q < ARRAY(g, l->by)->rank && axis_of[l->by] < 0; q++) {
                    if (!(used[l->by] >> q & 1) && graph_has_index(g, at, ARRAY(g, l->by)->axis[q])) {
                        axis_of[l->by] = q;
                    }
                }
            }
        }
    }
    for (int k = 0; k < c->members.n; k++) {
        if (axis_of[c->members.at[k]] < 0) {
            return false;
        }
    }
    return true;
}

static void circle_level(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take);

/* A piece of a circle that adds what one turn computes to places that data chooses: it is done at the end of that turn. */
typedef struct Push {
    ArrayRef to;
    Piece piece;
    Scatter sum;
    Ref source;    /* the summed index that is the turn */
    int off;       /* turn - sign * off is the place */
} Push;

/* All circle reads in the term stand at this summed index on their loop axis, with one offset? */
static bool push_reads(Gen *x, Ref term, const bool *in, const int *axis_of, const int *off, Push *p) {
    Graph *g = x->g;
    const Node n = *NODE(g, term);
    if (n.op == OP_READ && in[n.aux]) {
        Ref at = ARG(g, term, axis_of[n.aux]);
        bool summed = false;
        for (int k = 0; k < p->sum.index.n; k++) {
            summed = summed || p->sum.index.at[k] == at;
        }
        if (!summed || (p->source && (p->source != at || p->off != off[n.aux]))) {
            return false;
        }
        p->source = at, p->off = off[n.aux];
    }
    for (int k = 0; k < n.nargs; k++) {
        if (!push_reads(x, ARG(g, term, k), in, axis_of, off, p)) {
            return false;
        }
    }
    return true;
}

static bool push_form(Gen *x, ArrayRef a, const Piece *piece, const bool *in, const int *axis_of, const int *off, Push *p) {
    Graph *g = x->g;
    Ref axis = ARRAY(g, a)->axis[axis_of[a]], rest;
    *p = (Push){.to = a, .piece = *piece};
    return ARRAY(g, a)->type >= VALUE_FLOAT && open_sums(g, piece->body, &p->sum) && p->sum.condition &&
           scatter_place(g, p->sum.condition, axis, &rest) && push_reads(x, p->sum.term, in, axis_of, off, p) &&
           push_reads(x, p->sum.condition, in, axis_of, off, p) && p->source;
}

static void push_now(Gen *x, const Push *p, Ref turn, int sign, const Fixed *inside) {
    Graph *g = x->g;
    Ref at = graph_op2(g, OP_sub, turn, graph_int(g, sign * p->off));
    const Poly *place = graph_poly(g, at), *extent = EXTENT(g, p->source);
    Scatter s = {.term = graph_subst(g, p->sum.term, 1, &p->source, &at), .condition = graph_subst(g, p->sum.condition, 1, &p->source, &at)};
    for (int k = 0; k < p->sum.index.n; k++) {
        if (p->sum.index.at[k] != p->source) {
            VEC_PUSH(g->arena, s.index, p->sum.index.at[k]);
        }
    }
    if (!graph_prove(g, place, 0, NULL)) {
        s.condition = graph_and(g, graph_op2(g, OP_le, graph_int(g, 0), at), s.condition);
    }
    if (!graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, extent, place), poly_int(g->arena, 1)), 0, NULL)) {
        s.condition = graph_and(g, graph_op2(g, OP_lt, at, graph_of_poly(g, extent)), s.condition);
    }
    Fixed free = {.at = arena_alloc(g->arena, (size_t)(ARRAY(g, p->to)->rank + 1) * sizeof(Ref)), .writes = inside->writes, .zeroed = true};
    if (!add_entries(x, p->to, &p->piece, &free, s)) {
        bug("a push without a place");
    }
}

/* Members of one loop turn: those that need each other at the same turn go deeper, the others follow in order. */
static void circle_turn(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take) {
    Graph *g = x->g;
    int n = c->members.n, *number = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *number);
    bool *done = arena_alloc(g->arena, (size_t)n + 1), *reach = arena_alloc(g->arena, (size_t)(n * n) + 1);
    for (int k = 0; k < n; k++) {
        number[c->members.at[k]] = k;
    }
    for (int k = 0; k < c->lags.n; k++) {
        reach[number[c->lags.at[k].by] * n + number[c->lags.at[k].of]] = true;
    }
    for (int m = 0; m < n; m++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n && reach[i * n + m]; j++) {
                reach[i * n + j] = reach[i * n + j] || reach[m * n + j];
            }
        }
    }
    for (int left = n; left > 0;) {
        int before = left;
        for (int i = 0; i < n; i++) {
            bool ready = !done[i];
            for (int j = 0; j < n && ready; j++) {
                ready = !reach[i * n + j] || done[j] || (reach[j * n + i] && reach[i * n + j]);
            }
            if (!ready) {
                continue;
            }
            Circle inner = {0};
            for (int j = 0; j < n; j++) {
                if (j == i || (reach[i * n + j] && reach[j * n + i])) {
                    VEC_PUSH(g->arena, inner.members, c->members.at[j]);
                    done[j] = true;
                    left--;
                }
            }
            for (int k = 0; k < c->lags.n; k++) {
                int by = number[c->lags.at[k].by], of = number[c->lags.at[k].of];
                bool in_by = by == i || (reach[i * n + by] && reach[by * n + i]), in_of = of == i || (reach[i * n + of] && reach[of * n + i]);
                if (in_by && in_of) {
                    VEC_PUSH(g->arena, inner.lags, c->lags.at[k]);
                }
            }
            if (inner.lags.n) {
                circle_level(x, &inner, fixed, used, take);
            } else {
                for (int j = 0; j < inner.members.n; j++) {
                    array_pieces(x, inner.members.at[j], &fixed[inner.members.at[j]], take[inner.members.at[j]]);
                }
            }
        }
        if (left == before) {
            bug("no order inside a loop");
        }
    }
}

static void circle_level(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take) {
    Graph *g = x->g;
    int all = g->arrays.n;
    ArrayRef seed = c->members.at[0];
    int *axis_of = arena_alloc(g->arena, (size_t)all * sizeof *axis_of), *off = arena_alloc(g->arena, (size_t)all * sizeof *off);
    int *lag = arena_alloc(g->arena, (size_t)(c->lags.n + 1) * sizeof *lag);
    for (int axis = 0; axis < ARRAY(g, seed)->rank; axis++) {
        if ((used[seed] >> axis & 1) || !match_axes(x, c, seed, axis, axis_of, used)) {
            continue;
        }
        for (int sign = 1; sign >= -1; sign -= 2) {
            bool ok = true, moves = false;
            for (int k = 0; k < c->lags.n && ok; k++) {
                const Lag *l = &c->lags.at[k];
                lag[k] = prove_lag(x, l, axis_of[l->by], axis_of[l->of], sign);
                ok = lag[k] > -100;
            }
            if (!ok) {
                continue;
            }
            for (int k = 0; k < c->members.n; k++) {
                off[c->members.at[k]] = 0;
            }
            for (int round = 0; round <= c->members.n; round++) {
                for (int k = 0; k < c->lags.n; k++) {
                    const Lag *l = &c->lags.at[k];
                    if (off[l->by] + lag[k] < off[l->of]) {
                        off[l->of] = off[l->by] + lag[k];
                    }
                }
            }
            Circle inner = {.members = {c->members.at, c->members.n, c->members.n}};
            for (int k = 0; k < c->lags.n; k++) {
                const Lag *l = &c->lags.at[k];
                int final = lag[k] + off[l->by] - off[l->of];
                ok = ok && final >= 0;
                moves = moves || final > 0;
                if (final == 0) {
                    VEC_PUSH(g->arena, inner.lags, *l);
                }
            }
            if (!ok || !moves) {
                continue;
            }
            /* One loop over turns; member m computes place turn - sign * off[m]. */
            VEC(Ref) lo = {0}, hi = {0};
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                const Poly *shift = poly_int(g->arena, sign * off[a]);
                for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                    const Piece *p = &ARRAY(g, a)->pieces.at[q];
                    VEC_PUSH(g->arena, lo, graph_of_poly(g, poly_add(g->arena, p->lo[axis_of[a]], shift)));
                    VEC_PUSH(g->arena, hi, graph_of_poly(g, poly_add(g->arena, p->hi[axis_of[a]], shift)));
                }
            }
            bool *writes = arena_alloc(g->arena, (size_t)all * sizeof *writes);
            for (int k = 0; k < c->members.n; k++) {
                writes[c->members.at[k]] = true;
            }
            const char *name = g->indices.at[NODE(g, ARRAY(g, seed)->axis[axis])->aux].name;
            Ref first = tightest(x, lo.at[0], lo.at + 1, lo.n - 1, false), end = tightest(x, hi.at[0], hi.at + 1, hi.n - 1, true);
            end = graph_op2(g, OP_add, end, graph_int(g, 1));
            Ref turn = graph_index(g, name, ARRAY(g, seed)->extent[axis]);
            if (off[seed] == 0 && hi.n > 1) { /* places of the seed are its turns; only then is the range known to proofs */
                turn = graph_index(g, name, graph_poly(g, end));
            }
            VEC(Push) pushes = {0};
            bool *in = arena_alloc(g->arena, (size_t)all * sizeof *in), outermost = true;
            for (int k = 0; k < c->members.n; k++) {
                in[c->members.at[k]] = true;
                outermost = outermost && used[c->members.at[k]] == 0;
            }
            for (int k = 0; k < c->members.n && outermost; k++) {
                ArrayRef a = c->members.at[k];
                for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                    Push p;
                    if (!push_form(x, a, &ARRAY(g, a)->pieces.at[q], in, axis_of, off, &p)) {
                        continue;
                    }
                    if (!take[a]) {
                        take[a] = arena_alloc(g->arena, (size_t)ARRAY(g, a)->pieces.n + 1);
                        memset(take[a], 1, (size_t)ARRAY(g, a)->pieces.n);
                        zero_array(x, a, &fixed[a]);
                        fixed[a].zeroed = true;
                    }
                    take[a][q] = false;
                    VEC_PUSH(g->arena, pushes, p);
                }
            }
            Text about = text_new(g->arena);
            text_add(&about, "One loop, %s over %s:", sign > 0 ? "forward" : "backward", name);
            for (int k = 0; k < c->members.n; k++) {
                int o = sign * off[c->members.at[k]];
                text_add(&about, "%s %s", k ? "," : "", ARRAY(g, c->members.at[k])->name);
                if (o) {
                    text_add(&about, "[%s %c %d]", name, o > 0 ? '-' : '+', o > 0 ? o : -o);
                }
            }
            Stmt *say = stmt_new(x, STMT_COMMENT);
            say->text = text_string(&about);
            add(x, say);
            Stmt *loop = stmt_new(x, STMT_LOOP);
            loop->index = turn;
            loop->value = bound_value(x, first);
            loop->other = bound_value(x, end);
            loop->down = sign < 0;
            push(x, &loop->body, turn, false, writes);
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                used[a] |= 1u << axis_of[a];
                fixed[a].at[axis_of[a]] = graph_op2(g, OP_sub, turn, graph_int(g, sign * off[a]));
                fixed[a].writes = writes;
            }
            circle_turn(x, &inner, fixed, used, take);
            for (int k = 0; k < pushes.n; k++) {
                push_now(x, &pushes.at[k], turn, sign, &fixed[pushes.at[k].to]);
            }
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                used[a] &= ~(1u << axis_of[a]);
                fixed[a].at[axis_of[a]] = 0;
            }
            loop_close(x, loop);
            return;
        }
    }
    error_at(g->cx, ARRAY(g, seed)->at, "no order of loops computes '%s' and what it needs", ARRAY(g, seed)->name);
}

static void circle(Gen *x, int n, const ArrayRef *members) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n;
    Circle c = {0};
    bool *in = arena_alloc(g->arena, all * sizeof *in), **take = arena_alloc(g->arena, all * sizeof *take);
    Fixed *fixed = arena_alloc(g->arena, all * sizeof *fixed);
    uint32_t *used = arena_alloc(g->arena, all * sizeof *used);
    for (int k = 0; k < n; k++) {
        VEC_PUSH(g->arena, c.members, members[k]);
        in[members[k]] = true;
        fixed[members[k]].at = arena_alloc(g->arena, (size_t)(ARRAY(g, members[k])->rank + 1) * sizeof(Ref));
        comment(x, members[k]);
    }
    for (int k = 0; k < n; k++) {
        for (int q = 0; q < ARRAY(g, members[k])->pieces.n; q++) {
            Piece p = ARRAY(g, members[k])->pieces.at[q];
            find_lags(x, &c, in, members[k], q, p.body, p.guard);
        }
    }
    circle_level(x, &c, fixed, used, take);
}

/* ---- functions ---------------------------------------------------------------------------------------------------------------------- */

static void mark(Graph *g, int n, const ArrayRef *roots, bool *in) {
    Order o = graph_order(g, n, roots);
    for (int k = 0; k < o.n; k++) {
        in[o.array[k]] = true;
    }
}

static bool is_listed(const ArrayRef *list, int n, ArrayRef a) {
    for (int k = 0; k < n; k++) {
        if (list[k] == a) {
            return true;
        }
    }
    return false;
}

/* Which arrays a function computes, reads from the workspace, or is given. */
static void function_plan(Plan *plan, Layout *layout, FunctionKind kind, int request, const bool *value_needs, const bool *gradient_needs) {
    Graph *g = plan->g;
    size_t all = (size_t)g->arrays.n;
    Function f = {.kind = kind, .request = request, .layout = plan->layouts.n};
    bool after = kind == FN_BACKWARD || kind == FN_VJP; /* forward came before, and kept what both need */
    f.place = arena_alloc(g->arena, (all + 64) * sizeof *f.place);
    f.local = arena_alloc(g->arena, (all + 64) * sizeof *f.local);
    const Request *r = request >= 0 ? &g->requests.at[request] : NULL;
    VEC(ArrayRef) roots = {0};
    if (!after && kind != FN_DERIVATIVE) {
        for (int k = 0; k < g->outputs.n; k++) {
            VEC_PUSH(g->arena, roots, g->outputs.at[k]);
        }
    }
    if (after || kind == FN_DERIVATIVE) {
        for (int k = 0; k < r->result.n; k++) {
            VEC_PUSH(g->arena, roots, r->result.at[k]);
        }
    }
    /* What the workspace keeps is not looked behind: backward is not given what only forward needs. */
    bool *met = arena_alloc(g->arena, all);
    VEC(ArrayRef) todo = {0};
    for (int k = 0; k < roots.n; k++) {
        VEC_PUSH(g->arena, todo, roots.at[k]);
    }
    while (todo.n) {
        ArrayRef a = todo.at[--todo.n];
        const ArrayRef *reads;
        if (met[a]) {
            continue;
        }
        met[a] = true;
        if (after && value_needs[a] && gradient_needs[a]) {
            continue;
        }
        int n = graph_array_reads(g, a, &reads);
        for (int q = 0; q < n; q++) {
            VEC_PUSH(g->arena, todo, reads[q]);
        }
    }
    Order order = graph_order(g, roots.n, roots.at);
    int kept = 0;
    for (int k = 0; k < order.n; k++) {
        if (met[order.array[k]]) {
            order.array[kept] = order.array[k];
            order.component[kept++] = order.component[k];
        }
    }
    order.n = kept;
    /* An output that others read is computed in a buffer and copied: the caller's array may be NULL, and backward never reads it. */
    int *readers = arena_alloc(g->arena, all * sizeof *readers);
    for (int k = 0; k < order.n; k++) {
        const ArrayRef *reads;
        int n = graph_array_reads(g, order.array[k], &reads);
        for (int q = 0; q < n; q++) {
            readers[reads[q]]++;
        }
    }
    bool *computed = arena_alloc(g->arena, all * sizeof *computed);
    Gen x = {.plan = plan, .g = g, .f = &f, .top = -1};
    push(&x, &f.body, 0, false, NULL);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        const Array *array = ARRAY(g, a);
        bool asked = (array->is_output && kind != FN_DERIVATIVE) || (r && is_listed(r->result.at, r->result.n, a));
        if (array->role == ARRAY_INPUT || array->role == ARRAY_PARAM) {
            f.place[a] = PLACE_INPUT;
            VEC_PUSH(g->arena, f.reads, a);
            continue;
        }
        if (array->role == ARRAY_CONST) {
            f.place[a] = PLACE_TABLE;
            continue;
        }
        bool stays = value_needs[a] && gradient_needs && gradient_needs[a];
        computed[a] = !(after && stays);
        if (array->rank == 0) {
            f.place[a] = PLACE_LOCAL;
            f.local[a] = local_new(&x, array->name, array->type, true);
            f.locals.at[f.local[a]].array = a;
            if (stays && kind != FN_VALUE) {
                VEC_PUSH(g->arena, f.saved, a);
            }
        } else if (asked && computed[a] && !readers[a] && !(stays && kind == FN_FORWARD)) {
            f.place[a] = PLACE_OUTPUT;
        } else {
            f.place[a] = PLACE_BUFFER;
            VEC_PUSH(g->arena, f.buffers, a);
        }
        if (asked && computed[a]) {
            VEC_PUSH(g->arena, f.writes, a);
        }
        if (f.place[a] == PLACE_BUFFER && !is_listed(layout->buffers.at, layout->buffers.n, a)) {
            VEC_PUSH(g->arena, layout->buffers, a);
        }
        if (stays && array->rank == 0 && kind == FN_FORWARD) {
            VEC_PUSH(g->arena, layout->kept, a);
        }
    }
    for (int k = 0; k < order.n;) {
        int end = k + 1;
        while (end < order.n && order.component[end] == order.component[k]) {
            end++;
        }
        ArrayRef a = order.array[k];
        if (ARRAY(g, a)->role == ARRAY_INTERNAL && computed[a]) {
            if (end - k > 1 || graph_reads_itself(g, a)) {
                circle(&x, end - k, order.array + k);
            } else {
                one_array(&x, a);
            }
        }
        k = end;
    }
    for (int k = 0; k < f.writes.n; k++) {
        if (f.place[f.writes.at[k]] != PLACE_OUTPUT) {
            Stmt *s = stmt_new(&x, STMT_COPY);
            s->array = f.writes.at[k];
            add(&x, s);
        }
    }
    VEC_PUSH(g->arena, plan->functions, f);
}

/* The request of a kind, if it is the only one; else -1. */
static int only_request(const Graph *g, RequestKind kind) {
    int found = -1, n = 0;
    for (int k = 0; k < g->requests.n; k++) {
        if (g->requests.at[k].kind == kind) {
            found = k;
            n++;
        }
    }
    return n == 1 ? found : -1;
}

Plan *plan_graph(Graph *g, const PlanOptions *o) {
    (void)o;
    Plan *plan = arena_alloc(g->arena, sizeof *plan);
    plan->g = g;
    VEC(ArrayRef) roots = {0};
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            VEC_PUSH(g->arena, roots, g->requests.at[k].result.at[q]);
        }
    }
    fuse_arrays(g, roots.n, roots.at);
    size_t all = (size_t)g->arrays.n + 64;
    bool *value_needs = arena_alloc(g->arena, all);
    mark(g, g->outputs.n, g->outputs.at, value_needs);
    Layout alone = {.request = -1};
    function_plan(plan, &alone, FN_VALUE, -1, value_needs, NULL);
    VEC_PUSH(g->arena, plan->layouts, alone);
    /* One gradient and one vjp have the same forward function, which keeps what either needs. */
    int gradient = only_request(g, REQUEST_GRADIENT), vjp = only_request(g, REQUEST_VJP);
    for (int k = 0; k < g->requests.n; k++) {
        RequestKind kind = g->requests.at[k].kind;
        int also = k == gradient ? vjp : -1;
        if (k == vjp && gradient >= 0) {
            continue;
        }
        bool *gradient_needs = arena_alloc(g->arena, all);
        mark(g, g->requests.at[k].result.n, g->requests.at[k].result.at, gradient_needs);
        Layout layout = {.request = k};
        if (kind != REQUEST_GRADIENT && kind != REQUEST_VJP) {
            function_plan(plan, &layout, FN_DERIVATIVE, k, value_needs, NULL);
            VEC_PUSH(g->arena, plan->layouts, layout);
            continue;
        }
        if (also >= 0) {
            mark(g, g->requests.at[also].result.n, g->requests.at[also].result.at, gradient_needs);
        }
        function_plan(plan, &layout, FN_FORWARD, k, value_needs, gradient_needs);
        function_plan(plan, &layout, kind == REQUEST_VJP ? FN_VJP : FN_BACKWARD, k, value_needs, gradient_needs);
        if (kind == REQUEST_GRADIENT) {
            VEC_PUSH(g->arena, plan->functions, (Function){.kind = FN_VALUE_AND_GRADIENT, .request = k, .layout = plan->layouts.n});
        }
        if (also >= 0) {
            function_plan(plan, &layout, FN_VJP, also, value_needs, gradient_needs);
        }
        VEC_PUSH(g->arena, plan->layouts, layout);
    }
    return g->cx->errors ? NULL : plan;
}
