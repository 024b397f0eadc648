/* value: statements for the value of a term.
 * In: a term, and the loops that are open. Out: an expression, and before it the statements that it
 * needs. A value that is used twice is named; one that does not change in a loop is computed
 * outside, unless a condition stands between, for what is not looked at under a condition may not
 * be computed at all. */
#include "gen.h"
#include "ops.h"
#include <math.h>

/* ---- small builders
 * ----------------------------------------------------------------------------------------------------------
 */

Expr *gen_expr(Gen *x, ExprKind kind, ValueType type, int n) {
    Expr *e = arena_alloc(x->g->arena, sizeof *e);
    e->kind = kind, e->type = type, e->n = n;
    e->arg = arena_alloc(x->g->arena, (size_t)(n + 1) * sizeof *e->arg);
    return e;
}

Expr *gen_local_expr(Gen *x, int local) {
    Expr *e = gen_expr(x, EXPR_LOCAL, x->f->locals.at[local].type, 0);
    e->local = local;
    return e;
}

int gen_local(Gen *x, const char *hint, ValueType type, bool changes) {
    VEC_PUSH(x->g->arena, x->f->locals, (Local){.hint = hint, .type = type, .changes = changes});
    return x->f->locals.n - 1;
}

Stmt *gen_stmt(Gen *x, StmtKind kind) {
    Stmt *s = arena_alloc(x->g->arena, sizeof *s);
    s->kind = kind, s->op = '=';
    return s;
}

void gen_append(Block *b, Stmt *s) {
    if (b->last) {
        b->last->next = s;
    } else {
        b->first = s;
    }
    b->last = s;
}

void gen_add(Gen *x, Stmt *s) {
    gen_append(x->frames.at[x->top].block, s);
}

void gen_push(Gen *x, Block *block, Ref index, bool guard, const bool *writes) {
    x->frames.n = x->top + 1;
    VEC_PUSH(x->g->arena, x->frames,
             (Frame){block, index, guard, false, false, writes, ++x->serials});
    x->top = x->frames.n - 1;
}

void gen_pop(Gen *x) {
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

void gen_count_uses(Gen *x, Ref root) {
    Graph *g = x->g;
    Walk walk = walk_start(g, root);
    while (x->uses.n < g->nodes.n) {
        VEC_PUSH(g->arena, x->uses, 0);
    }
    for (Ref r; (r = walk_next(walk));) {
        x->uses.at[r] = 0;
        walk_into(walk, r);
    }
    x->uses.at[root] = 1;
    walk = walk_start(g, root);
    for (Ref r; (r = walk_next(walk));) {
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            x->uses.at[ARG(g, r, k)]++;
        }
        walk_into(walk, r);
    }
}

/* ---- values
 * --------------------------------------------------------------------------------------------------------------------
 */

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

/* Can r be computed whatever conditions hold? Every read of it stands at places that are inside for
 * all values of the indices. */
bool gen_safe_anywhere(Gen *x, Ref r) {
    Graph *g = x->g;
    const Node n = *NODE(g, r);
    if (n.fails) {
        return false;
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k);
        if (n.op == OP_READ) {
            const Poly *p = graph_poly(g, a),
                       *above =
                           poly_sub(g->arena, poly_sub(g->arena, ARRAY(g, n.aux)->extent[k], p),
                                    poly_int(g->arena, 1));
            if (!graph_prove(g, p, 0, NULL) || !graph_prove(g, above, 0, NULL)) {
                return false;
            }
        }
        if (!gen_safe_anywhere(x, a)) {
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
        if (f->guard || ((f->narrowed || NODE(x->g, r)->fails) && !gen_safe_anywhere(x, r))) {
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
    if (n->op == OP_CONST || n->op == OP_DIM || n->op == OP_INDEX || n->op == OP_READ ||
        n->op == OP_CAST) {
        return false;
    }
    return n->op == OP_CHECKED || n->op == OP_NONEMPTY || n->op == OP_REDUCE || n->op == OP_trunc ||
           n->op == OP_EXTERN || n->type >= VALUE_FLOAT || n->type == VALUE_BOOL;
}

static Expr *reduce(Gen *x, Ref r);

Expr *gen_name(Gen *x, Expr *e, const char *hint) {
    Stmt *s = gen_stmt(x, STMT_LET);
    s->local = gen_local(x, hint, e->type, false);
    s->value = e;
    gen_add(x, s);
    return gen_local_expr(x, s->local);
}

/* Can this side of a choice be one C expression, without names of its own? */
static bool is_simple(const Gen *x, Ref r, int *budget) {
    const Node *n = NODE(x->g, r);
    if (recall(x, r) || n->nargs == 0) {
        return true;
    }
    if (n->op == OP_REDUCE || (*budget)-- <= 0 ||
        (x->uses.at[r] > 1 && worth_naming(x->g, r) && term_cost(x->g, r, 8) > 4)) {
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
    gen_push(x, &none, 0, true, NULL);
    x->frames.at[x->top].expression = true;
    Expr *e = gen_value(x, r);
    gen_pop(x);
    if (none.first) {
        bug("a side of a choice made statements");
    }
    return e;
}

bool gen_is_choice(const Gen *x, Ref r) {
    const Node *n = NODE(x->g, r);
    int budget = 40;
    return n->op == OP_SELECT && is_simple(x, ARG(x->g, r, 1), &budget) &&
           is_simple(x, ARG(x->g, r, 2), &budget);
}

static Expr *choose(Gen *x, Ref r) {
    Graph *g = x->g;
    Ref c = ARG(g, r, 0), side[2] = {ARG(g, r, 1), ARG(g, r, 2)};
    Expr *condition = gen_value(x, c);
    if (gen_is_choice(x, r)) {
        Expr *e = gen_expr(x, EXPR_SELECT, (ValueType)NODE(g, r)->type, 3);
        e->arg[0] = condition;
        e->arg[1] = value_in_place(x, side[0]);
        e->arg[2] = value_in_place(x, side[1]);
        return e;
    }
    int local = gen_local(x, "t", (ValueType)NODE(g, r)->type, true);
    Stmt *var = gen_stmt(x, STMT_VAR), *s = gen_stmt(x, STMT_IF);
    var->local = local;
    gen_add(x, var);
    s->value = condition;
    for (int k = 0; k < 2; k++) {
        gen_push(x, k == 0 ? &s->body : &s->otherwise, 0, true, NULL);
        Stmt *set = gen_stmt(x, STMT_SET);
        set->local = local;
        set->value = gen_value(x, side[k]);
        gen_add(x, set);
        gen_pop(x);
    }
    gen_add(x, s);
    return gen_local_expr(x, local);
}

static Expr *build(Gen *x, Ref r) {
    Graph *g = x->g;
    const Node n = *NODE(g, r);
    Expr *e;
    switch (n.op) {
    case OP_CONST: e = gen_expr(x, EXPR_CONST, (ValueType)n.type, 0); break;
    case OP_DIM: e = gen_expr(x, EXPR_DIM, VALUE_INT, 0); break;
    case OP_INDEX: e = gen_expr(x, EXPR_INDEX, VALUE_INT, 0); break;
    case OP_READ:
        if (x->f->place[n.aux] == PLACE_LOCAL) {
            return gen_local_expr(x, x->f->local[n.aux]);
        }
        e = gen_expr(x, EXPR_LOAD, (ValueType)n.type, n.nargs);
        e->array = n.aux;
        break;
    case OP_REDUCE: return reduce(x, r);
    case OP_KERNEL: return nest_kernel_value(x, r);
    case OP_SELECT: return choose(x, r);
    case OP_CAST: e = gen_expr(x, EXPR_CAST, (ValueType)n.type, 1); break;
    case OP_CHECKED: e = gen_expr(x, EXPR_CHECKED, VALUE_INT, 3); break;
    case OP_NONEMPTY: e = gen_expr(x, EXPR_NONEMPTY, VALUE_INT, 1); break;
    case OP_IDIV: e = gen_expr(x, EXPR_IDIV, VALUE_INT, 2); break;
    case OP_EXTERN: e = gen_expr(x, EXPR_EXTERN, (ValueType)n.type, n.nargs); break;
    default: e = gen_expr(x, EXPR_OP, (ValueType)n.type, n.nargs); break;
    }
    e->op = (Op)n.op;
    e->ref = r;
    e->checked =
        n.fails && n.wide &&
        (n.op == OP_add || n.op == OP_sub || n.op == OP_mul || n.op == OP_neg || n.op == OP_abs);
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k);
        bool lazy = (n.op == OP_and || n.op == OP_or) && k == 1;
        int budget = 40;
        if (lazy && is_simple(x, a, &budget)) {
            e->arg[k] = value_in_place(x, a);
        } else if (lazy) { /* what stands behind a condition needs statements: they go under it */
            Ref none = graph_bool(g, n.op == OP_or);
            int local = gen_local(x, "t", VALUE_BOOL, true);
            Stmt *var = gen_stmt(x, STMT_VAR), *s = gen_stmt(x, STMT_IF),
                 *set = gen_stmt(x, STMT_SET);
            var->local = set->local = local;
            var->value = gen_value(x, none);
            gen_add(x, var);
            Expr *c = e->arg[0];
            if (n.op == OP_or) {
                Expr *not = gen_expr(x, EXPR_OP, VALUE_BOOL, 1);
                not ->op = OP_not;
                not ->arg[0] = c;
                c = not ;
            }
            s->value = c;
            gen_push(x, &s->body, 0, true, NULL);
            set->value = gen_value(x, a);
            gen_add(x, set);
            gen_pop(x);
            gen_add(x, s);
            return gen_local_expr(x, local);
        } else {
            e->arg[k] = gen_value(x, a);
        }
    }
    return e;
}

/* The C value of a term: computed here, or named in the outermost loop where it can be. */
Expr *gen_value(Gen *x, Ref r) {
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
    bool name =
        here && x->uses.at[r] > 1 && term_cost(g, r, 8) > 0 && !x->frames.at[top].expression;
    if (!hoist && !name && !reduction) {
        return build(x, r);
    }
    /* Frames above stay open: they are added to theirs only when complete, so what is added now
     * stands before them. */
    VEC(Frame) above = {0};
    for (int k = level + 1; k <= top; k++) {
        VEC_PUSH(g->arena, above, x->frames.at[k]);
    }
    x->top = level;
    Expr *e = build(x, r);
    if (!reduction) {
        e = gen_name(x, e, "t");
    }
    remember(x, r, e);
    x->frames.n = level + 1;
    for (int k = 0; k < above.n; k++) {
        VEC_PUSH(g->arena, x->frames, above.at[k]);
    }
    x->top = top;
    return e;
}

/* ---- loops
 * ------------------------------------------------------------------------------------------------------------------------
 */

/* Takes from the conditions the bounds that they set to an index; what is left comes back. */
Ref gen_take_bounds(Gen *x, Ref condition, Ref index, Range *range, const Ref *later, int nlater) {
    Graph *g = x->g;
    if (!condition) {
        return 0;
    }
    const Node n = *NODE(g, condition);
    if (n.op == OP_and) {
        Ref c0 = ARG(g, condition, 0), c1 = ARG(g, condition, 1);
        Ref a = gen_take_bounds(x, c0, index, range, later, nlater),
            b = gen_take_bounds(x, c1, index, range, later, nlater);
        return a && b ? graph_and(g, a, b) : a ? a : b;
    }
    if ((n.op != OP_lt && n.op != OP_le && n.op != OP_gt && n.op != OP_ge && n.op != OP_eq) ||
        NODE(g, ARG(g, condition, 0))->type != VALUE_INT) {
        return condition;
    }
    const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, condition, 1)),
                             graph_poly(g, ARG(g, condition, 0))),
               *rest;
    if (n.op == OP_gt || n.op == OP_ge) {
        d = poly_neg(g->arena, d);
    }
    if (n.op == OP_lt || n.op == OP_gt) {
        d = poly_sub(g->arena, d, poly_int(g->arena, 1));
    }
    int64_t num, den;
    if (!poly_linear(g->arena, d, index, &num, &den, &rest) || den != 1 ||
        (num != 1 && num != -1)) {
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

static bool is_beyond(Graph *g, Ref x, Ref y, bool largest) { /* is x at least (at most) y? */
    const Poly *d = poly_sub(g->arena, graph_poly(g, x), graph_poly(g, y));
    return x == y || graph_prove(g, largest ? d : poly_neg(g->arena, d), 0, NULL);
}

/* The largest (or smallest) of the bounds, leaving out what is proved to be weaker. */
Ref gen_tightest(Gen *x, Ref start, const Ref *bound, int n, bool largest) {
    Graph *g = x->g;
    VEC(Ref) kept = {0};
    VEC_PUSH(g->arena, kept, start);
    for (int k = 0; k < n; k++) {
        bool weaker = false;
        for (int q = 0; q < kept.n && !weaker; q++) {
            weaker = is_beyond(g, kept.at[q], bound[k], largest);
        }
        if (weaker) {
            continue;
        }
        int left = 0;
        for (int q = 0; q < kept.n; q++) {
            if (!is_beyond(g, bound[k], kept.at[q], largest)) {
                kept.at[left++] = kept.at[q];
            }
        }
        kept.n = left;
        VEC_PUSH(g->arena, kept, bound[k]);
    }
    Ref best = kept.at[0];
    for (int k = 1; k < kept.n; k++) {
        best = graph_op2(g, largest ? OP_max : OP_min, best, kept.at[k]);
    }
    return best;
}

static bool is_place(const Graph *g, Ref r) { /* cheap enough for the head of a loop */
    const Node *n = NODE(g, r);
    return n->op == OP_CONST || n->op == OP_DIM || n->op == OP_INDEX ||
           ((n->op == OP_add || n->op == OP_sub || n->op == OP_mul || n->op == OP_IDIV) &&
            is_place(g, ARG(g, r, 0)) && is_place(g, ARG(g, r, 1)));
}

Expr *gen_bound(Gen *x, Ref r) {
    Expr *e = gen_value(x, r);
    return is_place(x->g, r) || e->kind == EXPR_LOCAL ? e : gen_name(x, e, "end");
}

/* Opens a loop; the conditions' bounds narrow it. Returns the statement, which is added when it is
 * closed. */
Stmt *gen_loop_open(Gen *x, Ref index, const Poly *lo, const Poly *hi, Ref *condition,
                    const Ref *later, int nlater, const bool *writes) {
    Graph *g = x->g;
    Range range = {0};
    *condition = gen_take_bounds(x, *condition, index, &range, later, nlater);
    Stmt *s = gen_stmt(x, STMT_LOOP);
    s->index = index;
    s->value = gen_bound(x, gen_tightest(x, graph_of_poly(g, lo), range.lo.at, range.lo.n, true));
    Ref last = gen_tightest(x, graph_of_poly(g, hi), range.hi.at, range.hi.n, false);
    s->other = gen_bound(x, graph_op2(g, OP_add, last, graph_int(g, 1)));
    gen_push(x, &s->body, index, false, writes);
    x->frames.at[x->top].narrowed = range.lo.n + range.hi.n > 0;
    return s;
}

void gen_loop_close(Gen *x, Stmt *s) {
    gen_pop(x);
    gen_add(x, s);
}

Stmt *gen_if_open(Gen *x, Ref condition) {
    if (!condition || graph_is_true(x->g, condition)) {
        return NULL;
    }
    gen_count_uses(x, condition);
    Stmt *s = gen_stmt(x, STMT_IF);
    s->value = gen_value(x, condition);
    gen_push(x, &s->body, 0, true, NULL);
    return s;
}

void gen_if_close(Gen *x, Stmt *s) {
    if (s) {
        gen_pop(x);
        gen_add(x, s);
    }
}

/* What can be asked before the loops over `later`: conjuncts that know nothing of them, are safe
 * whatever the others say, and read nothing that these loops write. Those about a turn of a block
 * stay inside: there they are choices. */
Ref gen_take_ready(Gen *x, Ref *condition, const Ref *later, int nlater, const bool *writes) {
    Graph *g = x->g;
    Ref c = *condition, ready, other;
    if (!c || !nlater) {
        return 0;
    }
    if (NODE(g, c)->op == OP_and) {
        Ref first = ARG(g, c, 0), second = ARG(g, c, 1);
        ready = gen_take_ready(x, &first, later, nlater, writes);
        other = gen_take_ready(x, &second, later, nlater, writes);
        if (ready || other) {
            *condition = graph_both(g, first, second);
        }
        return graph_both(g, ready, other);
    }
    bool is = !(x->turn && graph_has_index(g, c, x->turn)) && gen_safe_anywhere(x, c) &&
              !(writes && reads_written(x, c, writes));
    for (int k = 0; k < nlater && is; k++) {
        is = !graph_has_index(g, c, later[k]);
    }
    *condition = is ? 0 : c;
    return is ? c : 0;
}

/* Only names and one last statement: nothing that keeps a loop from lanes. */
bool gen_is_straight(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_LET && s->next) {
            return false;
        }
        if (s->kind == STMT_LOOP || s->kind == STMT_IF || s->kind == STMT_MATMUL ||
            s->kind == STMT_KERNEL || (s->value && s->value->kind == EXPR_KERNEL) ||
            s->kind == STMT_COMMENT || s->kind == STMT_BREAK || s->kind == STMT_RETURN) {
            return false;
        }
    }
    return true;
}

/* How much work it is: 1 an addition, 20 a function, as term_cost has it. Places cost nothing. */
int gen_expr_cost(const Expr *e) {
    int cost = e->kind == EXPR_EXTERN || e->kind == EXPR_KERNEL || e->kind == EXPR_FOLD ? 1000
               : e->kind != EXPR_OP || e->type == VALUE_INT                             ? 0
               : e->op == OP_div                                                        ? 4
               : op_info[e->op].cheap                                                   ? 1
                                                                                        : 20;
    for (int k = 0; k < e->n && e->kind != EXPR_LOAD; k++) {
        cost += gen_expr_cost(e->arg[k]);
    }
    return cost;
}

bool gen_expr_same(const Expr *a, const Expr *b) {
    if (a->kind != b->kind || a->op != b->op || a->type != b->type || a->array != b->array ||
        a->local != b->local || a->n != b->n || a->checked != b->checked ||
        (a->ref != b->ref && a->kind != EXPR_LOAD)) {
        return false;
    }
    for (int k = 0; k < a->n; k++) {
        if (!gen_expr_same(a->arg[k], b->arg[k])) {
            return false;
        }
    }
    return true;
}

bool gen_expr_reads(const Expr *e, ArrayRef a) {
    bool reads = e->kind == EXPR_LOAD && e->array == a;
    for (int k = 0; k < e->n && !reads; k++) {
        reads = gen_expr_reads(e->arg[k], a);
    }
    return reads;
}

static void count_in_expr(const Expr *e, int *n) {
    if (e->kind == EXPR_LOAD) {
        n[e->array]++;
    }
    for (int k = 0; k < 2 && e->kind == EXPR_KERNEL; k++) {
        n[e->call->array[k]]++;
    }
    for (int k = 0; k < e->n; k++) {
        count_in_expr(e->arg[k], n);
    }
}

void gen_count_arrays(const Block *b, int *n) {
    for (const Stmt *s = b->first; s; s = s->next) {
        n[s->array] += s->kind != STMT_COMMENT;
        if (s->value) {
            count_in_expr(s->value, n);
        }
        if (s->other) {
            count_in_expr(s->other, n);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            count_in_expr(s->position[k], n);
        }
        for (int k = 0; k < 3 && s->matmul; k++) {
            n[s->matmul->array[k]]++;
        }
        for (int k = 0; k < 2 && s->call; k++) {
            n[s->call->array[k]]++;
        }
        gen_count_arrays(&s->body, n);
        gen_count_arrays(&s->otherwise, n);
    }
}

bool gen_expr_has_load(const Expr *e) {
    bool has = e->kind == EXPR_LOAD || e->kind == EXPR_KERNEL || e->kind == EXPR_EXTERN;
    for (int k = 0; k < e->n && !has; k++) {
        has = gen_expr_has_load(e->arg[k]);
    }
    return has;
}

bool gen_expr_has_index(const Expr *e, Ref index) {
    bool has = e->kind == EXPR_INDEX && e->ref == index;
    for (int k = 0; k < e->n && !has; k++) {
        has = gen_expr_has_index(e->arg[k], index);
    }
    return has;
}

void gen_append_all(Block *to, const Block *b) {
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        gen_append(to, s);
    }
}

bool gen_expr_may_fail(const Expr *e) {
    if (e->kind == EXPR_CHECKED || e->kind == EXPR_NONEMPTY || e->kind == EXPR_EXTERN ||
        e->checked || (e->kind == EXPR_OP && e->op == OP_trunc)) {
        return true;
    }
    for (int k = 0; k < e->n; k++) {
        if (gen_expr_may_fail(e->arg[k])) {
            return true;
        }
    }
    return false;
}

bool gen_may_fail(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->value && gen_expr_may_fail(s->value))) {
            return true;
        }
        for (int k = 0; k < s->n; k++) {
            if (gen_expr_may_fail(s->position[k])) {
                return true;
            }
        }
    }
    return false;
}

Stmt *gen_set(Gen *x, int local, char op, Expr *e) {
    Stmt *s = gen_stmt(x, STMT_SET);
    s->local = local, s->op = op, s->value = e;
    return s;
}

static Expr *constant(Gen *x, ValueType type, double v) {
    return gen_value(x,
                     type == VALUE_INT ? graph_int(x->g, (int64_t)v) : graph_real(x->g, type, v));
}

static int var_new(Gen *x, const char *hint, ValueType type, Expr *start) {
    Stmt *s = gen_stmt(x, STMT_VAR);
    s->local = gen_local(x, hint, type, true);
    s->value = start;
    gen_add(x, s);
    return s->local;
}

static Expr *gen_op(Gen *x, Op op, ValueType type, Expr *a, Expr *b) {
    Expr *e = gen_expr(x, EXPR_OP, type, b ? 2 : 1);
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
    Stmt *loop = gen_loop_open(x, index, poly_int(g->arena, 0),
                               poly_sub(g->arena, EXTENT(g, index), one), &rest, NULL, 0, NULL);
    Stmt *under = gen_if_open(x, rest);
    gen_count_uses(x, body);
    Expr *v = gen_value(x, body);
    if (shift) { /* exp(v - shift) */
        v = gen_op(x, OP_exp, v->type, gen_op(x, OP_sub, v->type, v, shift), NULL);
    }
    if (op == '>' || op == '<') {
        v = gen_op(x, op == '>' ? OP_max : OP_min, v->type, gen_local_expr(x, acc), v);
        gen_add(x, gen_set(x, acc, '=', v));
    } else {
        Stmt *set = gen_set(x, acc, op, v);
        set->checked = v->type == VALUE_INT && (op == '*' || NODE(g, body)->wide);
        gen_add(x, set);
    }
    gen_if_close(x, under);
    if (!under && gen_is_straight(&loop->body) && !gen_may_fail(&loop->body) &&
        x->f->locals.at[acc].type >= VALUE_FLOAT) {
        loop->hint = op == '+' ? HINT_SUM : op == '>' ? HINT_MAX : op == '<' ? HINT_MIN : HINT_NONE;
        loop->hint_local = acc;
    }
    gen_loop_close(x, loop);
    return loop;
}

static Expr *reduce_extreme(Gen *x, Ref r, Ref index, Ref condition, Ref body) {
    Graph *g = x->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    ValueType type = (ValueType)NODE(g, body)->type;
    bool place = kind == RED_ARGMAX || kind == RED_ARGMIN,
         largest = kind == RED_MAX || kind == RED_ARGMAX;
    bool never_empty =
        graph_is_true(g, condition) &&
        graph_prove(g, poly_sub(g->arena, EXTENT(g, index), poly_int(g->arena, 1)), 0, NULL);
    const Poly *one = poly_int(g->arena, 1);
    if (!place && never_empty && type >= VALUE_FLOAT) {
        int best = var_new(x, largest ? "most" : "least", type,
                           constant(x, type, largest ? -INFINITY : INFINITY));
        accumulate(x, index, condition, body, best, largest ? '>' : '<', NULL);
        return gen_local_expr(x, best);
    }
    int best = var_new(x, largest ? "most" : "least", type, constant(x, type, 0));
    int at = var_new(x, "at", VALUE_INT, constant(x, VALUE_INT, -1));
    Ref rest = graph_is_true(g, condition) ? 0 : condition;
    Stmt *loop = gen_loop_open(x, index, poly_int(g->arena, 0),
                               poly_sub(g->arena, EXTENT(g, index), one), &rest, NULL, 0, NULL);
    Stmt *under = gen_if_open(x, rest);
    gen_count_uses(x, body);
    Expr *v = gen_value(x, body);
    if (v->kind != EXPR_LOCAL && v->kind != EXPR_CONST) {
        v = gen_name(x, v, "v");
    }
    Stmt *better = gen_stmt(x, STMT_IF);
    Expr *none = gen_op(x, OP_lt, VALUE_BOOL, gen_local_expr(x, at), constant(x, VALUE_INT, 0));
    better->value =
        gen_op(x, OP_or, VALUE_BOOL, none,
               gen_op(x, largest ? OP_gt : OP_lt, VALUE_BOOL, v, gen_local_expr(x, best)));
    gen_append(&better->body, gen_set(x, best, '=', v));
    gen_append(&better->body, gen_set(x, at, '=', gen_value(x, index)));
    gen_add(x, better);
    gen_if_close(x, under);
    gen_loop_close(x, loop);
    if (!never_empty) {
        Stmt *empty = gen_stmt(x, STMT_IF), *fail = gen_stmt(x, STMT_FAIL);
        empty->value =
            gen_op(x, OP_lt, VALUE_BOOL, gen_local_expr(x, at), constant(x, VALUE_INT, 0));
        fail->text = "GRADC_EMPTY";
        gen_append(&empty->body, fail);
        if (place) { /* a place that is inside, whatever happens */
            gen_append(&empty->body, gen_set(x, at, '=', constant(x, VALUE_INT, 0)));
        }
        gen_add(x, empty);
    }
    return gen_local_expr(x, place ? at : best);
}

/* `if (condition) { status = text; return status; }` */
void gen_stop_if(Gen *x, Expr *condition, const char *text) {
    Stmt *s = gen_stmt(x, STMT_IF), *fail = gen_stmt(x, STMT_FAIL),
         *leave = gen_stmt(x, STMT_RETURN);
    s->value = condition;
    fail->text = text;
    gen_append(&s->body, fail);
    gen_append(&s->body, leave);
    gen_add(x, s);
}

Expr *gen_below(Gen *x, int local, int64_t bound) {
    return gen_op(x, OP_lt, VALUE_BOOL, gen_local_expr(x, local),
                  constant(x, VALUE_INT, (double)bound));
}

/* The first index at which the body holds; what comes after it is not looked at. */
static Expr *reduce_first(Gen *x, Ref index, Ref body) {
    Graph *g = x->g;
    const Poly *one = poly_int(g->arena, 1);
    int at = var_new(x, "at", VALUE_INT, constant(x, VALUE_INT, -1));
    Ref none = 0;
    Stmt *loop = gen_loop_open(x, index, poly_int(g->arena, 0),
                               poly_sub(g->arena, EXTENT(g, index), one), &none, NULL, 0, NULL);
    gen_count_uses(x, body);
    Stmt *found = gen_stmt(x, STMT_IF);
    found->value = gen_value(x, body);
    gen_append(&found->body, gen_set(x, at, '=', gen_value(x, index)));
    gen_append(&found->body, gen_stmt(x, STMT_BREAK));
    gen_add(x, found);
    gen_loop_close(x, loop);
    gen_stop_if(x, gen_below(x, at, 0), "GRADC_NO_END");
    return gen_local_expr(x, at);
}

static Expr *reduce(Gen *x, Ref r) {
    Graph *g = x->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    ValueType type = (ValueType)NODE(g, r)->type;
    Ref condition, body, index = graph_open(g, r, &condition, &body);
    if (kind == RED_FIRST) {
        return reduce_first(x, index, body);
    }
    if (kind == RED_SUM || kind == RED_PROD) {
        int acc = var_new(x, kind == RED_SUM ? "sum" : "prod", type,
                          constant(x, type, kind == RED_SUM ? 0 : 1));
        accumulate(x, index, condition, body, acc, kind == RED_SUM ? '+' : '*', NULL);
        return gen_local_expr(x, acc);
    }
    if (kind == RED_LOGSUMEXP) {
        int most = var_new(x, "most", type, constant(x, type, -INFINITY));
        accumulate(x, index, condition, body, most, '>', NULL);
        Expr *m = gen_local_expr(x, most);
        /* Nothing but -infinity, or +infinity somewhere: there is nothing to scale by. */
        Expr *finite = gen_op(x, OP_and, VALUE_BOOL,
                              gen_op(x, OP_gt, VALUE_BOOL, m, constant(x, type, -INFINITY)),
                              gen_op(x, OP_lt, VALUE_BOOL, m, constant(x, type, INFINITY)));
        Expr *base = gen_expr(x, EXPR_SELECT, type, 3);
        base->arg[0] = finite, base->arg[1] = m, base->arg[2] = constant(x, type, 0);
        base = gen_name(x, base, "base");
        int acc = var_new(x, "sum", type, constant(x, type, 0));
        Ref again_condition, again, again_index = graph_open(g, r, &again_condition, &again);
        accumulate(x, again_index, again_condition, again, acc, '+', base);
        Expr *e =
            gen_op(x, OP_add, type, base, gen_op(x, OP_log, type, gen_local_expr(x, acc), NULL));
        return gen_name(x, e, "lse");
    }
    return reduce_extreme(x, r, index, condition, body);
}
