/* differentiate: reverse mode on indexed equations.
 * In: a term and the arrays to differentiate by. Out: adjoint arrays in the same graph.
 * The idea: first every shared term and every reduction of the arrays on the way becomes an array of its own, so that the terms
 * are trees; then arrays are taken readers first, and each read sends a contribution to the array that it reads. A contribution
 * is a sum over the indices around the read, with the bracket [position = p] solved for an index where that is possible. Arrays
 * that read each other get adjoints that read each other: recurrences need no rule of their own. */
#include "differentiate.h"
#include "demand.h"
#include "ops.h"
#include "rewrite.h"
#include <stdlib.h>
#include <string.h>

typedef struct Contribution {
    ArrayRef to;
    const Ref *position;
    Scope around;   /* indices to sum over, with their ranges and all conditions */
    Ref ct;
    Span at;
} Contribution;

typedef struct State {
    Graph *g;
    Scope context;         /* e's indices */
    int nby;
    const ArrayRef *by;
    bool *active;          /* by array: its value leads from e to some `by` */
    int nactive;
    VEC(int8_t) leads;     /* by node: 0 not known, 1 no, 2 yes: a differentiable path to an active array */
    VEC(Contribution) sent;
    Adjoint *adjoint;      /* by array */
    const Ref *wanted;     /* by array: the condition under which e needs it, or 0; its adjoint is zero elsewhere */
    bool *done;
    Span at;
} State;

static bool is_by(const State *s, ArrayRef a) {
    for (int k = 0; k < s->nby; k++) {
        if (s->by[k] == a) {
            return true;
        }
    }
    return false;
}

/* ---- what leads to what ---------------------------------------------------------------------------------------------- */

/* Is the k-th argument of a node on a differentiable path? Positions, conditions and integers are not. */
static bool smooth_argument(const Graph *g, Ref r, int k) {
    const Node *n = NODE(g, r);
    if (n->type < VALUE_FLOAT || n->op == OP_READ) {
        return false;
    }
    if (n->op == OP_SELECT) {
        return k > 0;
    }
    if (n->op == OP_REDUCE) {
        return k == 2;
    }
    if (n->op >= OP_FIRST_SCALAR && op_info[n->op].flat) {
        return false;
    }
    return NODE(g, ARG(g, r, k))->type >= VALUE_FLOAT;
}

static bool leads(State *s, Ref r) {
    Graph *g = s->g;
    while (s->leads.n <= (int)r) {
        VEC_PUSH(g->arena, s->leads, 0);
    }
    if (s->leads.at[r]) {
        return s->leads.at[r] == 2;
    }
    const Node *n = NODE(g, r);
    bool yes = n->op == OP_READ && (int)n->aux < s->nactive && s->active[n->aux];
    for (int k = 0; k < n->nargs && !yes; k++) {
        yes = smooth_argument(g, r, k) && leads(s, ARG(g, r, k));
    }
    s->leads.at[r] = yes ? 2 : 1;
    return yes;
}

/* Arrays read on differentiable paths of a term. */
static void smooth_reads(Graph *g, Ref term, ArrayRef *out, int *n, bool *listed) {
    VEC(Ref) stack = {0};
    VEC_PUSH(g->arena, stack, term);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        if (!graph_walk_first(g, r)) {
            continue;
        }
        if (NODE(g, r)->op == OP_READ) {
            if (!listed[NODE(g, r)->aux]) {
                listed[NODE(g, r)->aux] = true;
                out[(*n)++] = NODE(g, r)->aux;
            }
            continue;
        }
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            if (smooth_argument(g, r, k)) {
                VEC_PUSH(g->arena, stack, ARG(g, r, k));
            }
        }
    }
}

/* Marks the arrays that lie on a differentiable path from `root` to some `by`; definitions of `by` are not followed. */
static void find_active(State *s, ArrayRef root) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n;
    bool *met = arena_alloc(g->arena, all * sizeof *met);
    ArrayRef *list = arena_alloc(g->arena, all * sizeof *list);
    ArrayRef **reads = arena_alloc(g->arena, all * sizeof *reads);
    int *nreads = arena_alloc(g->arena, all * sizeof *nreads), n = 0;
    list[n++] = root, met[root] = true;
    for (int k = 0; k < n; k++) {
        ArrayRef a = list[k], *out = arena_alloc(g->arena, all * sizeof *out);
        bool *listed = arena_alloc(g->arena, all * sizeof *listed);
        if (is_by(s, a)) {
            continue;
        }
        graph_walk_start(g);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            smooth_reads(g, ARRAY(g, a)->pieces.at[q].body, out, &nreads[a], listed);
        }
        reads[a] = out;
        for (int q = 0; q < nreads[a]; q++) {
            if (!met[out[q]]) {
                met[out[q]] = true;
                list[n++] = out[q];
            }
        }
    }
    s->active = arena_alloc(g->arena, all * sizeof *s->active);
    s->nactive = (int)all;
    for (int k = 0; k < s->nby; k++) {
        s->active[s->by[k]] = met[s->by[k]];
    }
    for (bool again = true; again;) { /* backwards over the list until nothing changes: circles need a few rounds */
        again = false;
        for (int k = n - 1; k >= 0; k--) {
            ArrayRef a = list[k];
            for (int q = 0; q < nreads[a] && !s->active[a]; q++) {
                if (s->active[reads[a][q]]) {
                    s->active[a] = again = true;
                }
            }
        }
    }
}

/* ---- lifting: shared terms and reductions become arrays ------------------------------------------------------------------ */

static const char *lift_suffix(const Node *n) {
    static const char *const reductions[RED_COUNT] = {"sum", "prod", "max", "min", "argmax", "argmin", "lse"};
    return n->op == OP_REDUCE ? reductions[n->aux] : n->op >= OP_FIRST_SCALAR ? op_info[n->op].name : "part";
}

typedef struct Region { /* the nodes of one term down to reads and reductions, users before arguments */
    VEC(Ref) node;
    VEC(Ref) need;  /* the condition under which each is wanted; 0: always */
    VEC(int) users;
} Region;

static int region_place(const Region *x, Ref r) { /* nodes descend by Ref */
    int lo = 0, hi = x->node.n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (x->node.at[mid] > r) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < x->node.n && x->node.at[lo] == r ? lo : -1;
}

static int falling(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static Region region_of(State *s, Ref root, Ref guard) {
    Graph *g = s->g;
    Region x = {0};
    VEC(Ref) stack = {0};
    graph_walk_start(g);
    VEC_PUSH(g->arena, stack, root);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        if (!graph_walk_first(g, r) || !leads(s, r)) {
            continue;
        }
        VEC_PUSH(g->arena, x.node, r);
        if (NODE(g, r)->op == OP_REDUCE || NODE(g, r)->op == OP_READ) {
            continue;
        }
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            if (smooth_argument(g, r, k)) {
                VEC_PUSH(g->arena, stack, ARG(g, r, k));
            }
        }
    }
    qsort(x.node.at, (size_t)x.node.n, sizeof *x.node.at, falling);
    bool *wanted = arena_alloc(g->arena, (size_t)x.node.n * sizeof *wanted + 1);
    for (int k = 0; k < x.node.n; k++) {
        VEC_PUSH(g->arena, x.need, k == 0 ? guard : 0);
        VEC_PUSH(g->arena, x.users, k == 0 ? 1 : 0);
    }
    wanted[0] = true;
    for (int k = 0; k < x.node.n; k++) {
        Ref r = x.node.at[k];
        if (NODE(g, r)->op == OP_REDUCE || NODE(g, r)->op == OP_READ) {
            continue;
        }
        for (int q = 0; q < NODE(g, r)->nargs; q++) {
            int p = smooth_argument(g, r, q) ? region_place(&x, ARG(g, r, q)) : -1;
            if (p < 0) {
                continue;
            }
            Ref need = x.need.at[k];
            if (NODE(g, r)->op == OP_SELECT) {
                Ref c = q == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
                need = need ? graph_and(g, need, c) : c;
            }
            x.users.at[p]++;
            if (!wanted[p]) {
                x.need.at[p] = need;
            } else if (x.need.at[p]) {
                x.need.at[p] = need ? graph_op2(g, OP_or, x.need.at[p], need) : 0;
                if (x.need.at[p] && graph_is_true(g, x.need.at[p])) {
                    x.need.at[p] = 0;
                }
            }
            wanted[p] = true;
        }
    }
    return x;
}

static bool worth_lifting(const Graph *g, Ref r, int users) {
    const Node *n = NODE(g, r);
    if (n->op == OP_REDUCE) {
        return true;
    }
    return users > 1 && n->op != OP_READ && n->op != OP_CAST && n->op != OP_neg;
}

/* Replaces shared terms and reductions below the root of one piece by reads of new arrays, which are lifted in their turn. */
static void lift_array(State *s, ArrayRef a) {
    Graph *g = s->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Piece p = ARRAY(g, a)->pieces.at[q];
        if (!leads(s, p.body)) {
            continue;
        }
        Scope scope = scope_of_piece(g, a, &p);
        Ref index[8], condition[8], term = p.body;
        Reduction kind[8];
        int opened = 0;
        do { /* the reduction at the root stays, and so do sums right inside a sum */
            if (NODE(g, term)->op != OP_REDUCE) {
                break;
            }
            kind[opened] = (Reduction)NODE(g, term)->aux;
            index[opened] = graph_open(g, term, &condition[opened], &term);
            scope_add(g, &scope, index[opened], NULL, NULL);
            scope_guard(g, &scope, condition[opened]);
            opened++;
        } while (opened < 8 && kind[opened - 1] == RED_SUM && NODE(g, term)->op == OP_REDUCE && NODE(g, term)->aux == RED_SUM);
        Region x = region_of(s, term, scope.guard);
        VEC(Ref) from = {0}, to = {0};
        for (int k = x.node.n - 1; k >= (opened ? 0 : 1); k--) { /* arguments first; the root of a piece stays */
            Ref r = x.node.at[k];
            if (!worth_lifting(g, r, x.users.at[k])) {
                continue;
            }
            Ref body = from.n ? graph_subst(g, r, from.n, from.at, to.at) : r, read;
            Scope around = scope_copy(g, &scope);
            around.guard = x.need.at[k];
            Scope part = scope_part(g, &around, 1, &body);
            const char *name = arena_format(g->arena, "%s_%s", ARRAY(g, a)->name, lift_suffix(NODE(g, r)));
            ArrayRef made = graph_array_over(g, name, &part, body, p.at, &read);
            ARRAY(g, made)->order = ARRAY(g, a)->order;
            if (made >= (ArrayRef)s->nactive) {
                bool *grown = arena_alloc(g->arena, (size_t)made * 2);
                memcpy(grown, s->active, (size_t)s->nactive);
                s->active = grown, s->nactive = (int)made * 2;
            }
            s->active[made] = true;
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to, read);
        }
        if (from.n) {
            term = graph_subst(g, term, from.n, from.at, to.at);
            while (opened > 0) {
                opened--;
                term = graph_reduce(g, kind[opened], index[opened], condition[opened], term);
            }
            ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, term);
        }
    }
}

/* ---- contributions ------------------------------------------------------------------------------------------------------------ */

static void send(State *s, ArrayRef to, Ref read, const Scope *around, Ref ct) {
    Graph *g = s->g;
    Contribution c = {.to = to, .ct = ct, .at = s->at, .around = scope_copy(g, around)};
    Ref *position = arena_alloc(g->arena, (size_t)(NODE(g, read)->nargs + 1) * sizeof *position);
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        position[k] = ARG(g, read, k);
    }
    c.position = position;
    VEC_PUSH(g->arena, s->sent, c);
}

static void visit(State *s, Ref r, Ref ct, const Scope *around, Ref result);

/* prod[i](y): dy_i gets the product of all the others, as prefix times suffix, so that zeros do no harm. */
static void visit_product(State *s, Ref r, Ref ct, const Scope *around) {
    Graph *g = s->g;
    Ref condition, body, index = graph_open(g, r, &condition, &body);
    const Poly *extent = EXTENT(g, index), *one = poly_int(g->arena, 1), *zero = poly_int(g->arena, 0);
    ValueType type = (ValueType)NODE(g, r)->type;
    Ref y = graph_select(g, condition, body, graph_real(g, type, 1));
    Scope all = scope_copy(g, around);
    scope_add(g, &all, index, NULL, NULL);
    Scope part = scope_part(g, &all, 2, (Ref[]){y, index});
    int last = part.n - 1;
    Ref side[2];
    for (int up = 0; up < 2; up++) { /* 0: the product of those before, 1: of those behind */
        Ref at;
        Scope first = scope_copy(g, &part);
        const Poly *end = poly_sub(g->arena, extent, one);
        first.lo[last] = first.hi[last] = up ? end : zero;
        ArrayRef a = graph_array_over(g, up ? "behind" : "before", &first, graph_real(g, type, 1), s->at, &at);
        Array *array = ARRAY(g, a);
        Ref *positions = arena_alloc(g->arena, (size_t)part.n * sizeof *positions);
        memcpy(positions, array->axis, (size_t)part.n * sizeof *positions);
        Ref beside = graph_op2(g, up ? OP_add : OP_sub, array->axis[last], graph_int(g, 1));
        positions[last] = beside;
        Ref body_there = graph_op2(g, OP_mul, graph_read(g, a, positions), graph_subst(g, y, part.n, part.index, positions));
        const Poly **lo = arena_alloc(g->arena, (size_t)part.n * sizeof *lo), **hi = arena_alloc(g->arena, (size_t)part.n * sizeof *hi);
        for (int k = 0; k < part.n; k++) {
            lo[k] = part.lo[k], hi[k] = part.hi[k];
        }
        lo[last] = up ? zero : one;
        hi[last] = up ? poly_sub(g->arena, end, one) : end;
        graph_piece(g, a, lo, hi, body_there, s->at);
        Piece *pieces = ARRAY(g, a)->pieces.at;
        pieces[1].guard = pieces[0].guard;
        side[up] = at;
    }
    Ref others = graph_op2(g, OP_mul, side[0], side[1]);
    scope_guard(g, &all, condition);
    visit(s, body, graph_op2(g, OP_mul, ct, others), &all, 0);
}

static void visit_reduce(State *s, Ref r, Ref ct, const Scope *around, Ref result) {
    Graph *g = s->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    Ref condition, body, index;
    if (kind == RED_PROD) {
        visit_product(s, r, ct, around);
        return;
    }
    index = graph_open(g, r, &condition, &body);
    if (kind == RED_MAX || kind == RED_MIN) { /* the whole derivative to the first extreme entry */
        Ref best = graph_reduce(g, kind == RED_MAX ? RED_ARGMAX : RED_ARGMIN, index, condition, body);
        visit(s, graph_subst(g, body, 1, &index, &best), ct, around, 0);
        return;
    }
    if (kind != RED_SUM && kind != RED_LOGSUMEXP) {
        bug("a derivative of argmax or argmin");
    }
    Scope inside = scope_copy(g, around);
    scope_add(g, &inside, index, NULL, NULL);
    scope_guard(g, &inside, condition);
    if (kind == RED_LOGSUMEXP) {
        ct = graph_op2(g, OP_mul, ct, graph_op2(g, OP_weight, body, result ? result : r));
    }
    visit(s, body, ct, &inside, 0);
}

/* Sends ct times the derivative of term r to all that r reads. `result`: a read that has r's value already, or 0. */
static void visit(State *s, Ref r, Ref ct, const Scope *around, Ref result) {
    Graph *g = s->g;
    double zero;
    if (!leads(s, r) || (graph_is_real(g, ct, &zero) && zero == 0)) {
        return;
    }
    const Node n = *NODE(g, r);
    ct = graph_cast(g, (ValueType)n.type, ct);
    switch (n.op) {
    case OP_READ: send(s, n.aux, r, around, ct); return;
    case OP_CAST: visit(s, ARG(g, r, 0), graph_cast(g, (ValueType)NODE(g, ARG(g, r, 0))->type, ct), around, 0); return;
    case OP_REDUCE: visit_reduce(s, r, ct, around, result); return;
    case OP_SELECT:
        for (int k = 1; k < 3; k++) {
            Scope side = scope_copy(g, around);
            scope_guard(g, &side, k == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0)));
            visit(s, ARG(g, r, k), ct, &side, 0);
        }
        return;
    default: break;
    }
    if (n.op < OP_FIRST_SCALAR) {
        bug("no derivative of a node of kind %d", n.op);
    }
    Ref args[3];
    for (int k = 0; k < n.nargs; k++) {
        args[k] = ARG(g, r, k);
    }
    for (int k = 0; k < n.nargs; k++) {
        if (!smooth_argument(g, r, k) || !leads(s, args[k])) {
            continue;
        }
        Ref next;
        if (n.op == OP_div && k == 0) {
            next = graph_op2(g, OP_div, ct, args[1]);
        } else {
            next = graph_op2(g, OP_mul, ct, ops_partial(g, (Op)n.op, k, args, result ? result : r));
        }
        visit(s, args[k], next, around, 0);
    }
}

/* ---- collecting what was sent to one array -------------------------------------------------------------------------------------- */

typedef struct Term { /* one contribution, solved: a box, and a term over the adjoint's axes */
    const Poly **lo, **hi;
    Ref body;
    Span at;
} Term;

static void condition_add(Graph *g, Ref *all, Op op, const Poly *x, const Poly *y) {
    const Poly *d = poly_sub(g->arena, y, x);
    const Poly *facts[32];
    int n = *all ? graph_facts(g, *all, true, facts, 32) : 0;
    if (op == OP_le && graph_prove(g, d, n, facts)) {
        return;
    }
    Ref c = graph_op2(g, op, graph_of_poly(g, x), graph_of_poly(g, y));
    *all = *all ? graph_and(g, *all, c) : c;
}

/* Does p depend only on dimensions? */
static bool only_sizes(const Graph *g, Arena *arena, const Poly *p) {
    const uint32_t *vars;
    int n = poly_vars(arena, p, &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    return true;
}

/* Narrows lo..hi by the range from..to; false where neither can be proved to be the inner one. */
static bool box_narrow(Graph *g, const Poly **lo, const Poly **hi, const Poly *from, const Poly *to) {
    bool ok = true;
    if (graph_prove(g, poly_sub(g->arena, from, *lo), 0, NULL)) {
        *lo = from;
    } else {
        ok = graph_prove(g, poly_sub(g->arena, *lo, from), 0, NULL);
    }
    if (graph_prove(g, poly_sub(g->arena, *hi, to), 0, NULL)) {
        *hi = to;
    } else {
        ok = graph_prove(g, poly_sub(g->arena, to, *hi), 0, NULL) && ok;
    }
    return ok;
}

/* Solves the bracket of one contribution. axis: the adjoint's own indices for the unpinned axes of the target. */
static Term solve(State *s, const Contribution *c, const Adjoint *adj, const Ref *axis) {
    Graph *g = s->g;
    const Array *target = ARRAY(g, c->to);
    int rank = target->rank, n = c->around.n;
    Term t = {.at = c->at};
    Ref ct = c->ct, condition = c->around.guard;
    Ref *e = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *e);
    bool *solved = arena_alloc(g->arena, (size_t)n + 1);
    t.lo = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *t.lo);
    t.hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *t.hi);
    for (int k = 0; k < rank; k++) {
        e[k] = c->position[k];
        t.lo[k] = poly_int(g->arena, 0);
        t.hi[k] = poly_sub(g->arena, target->extent[k], poly_int(g->arena, 1));
    }
    /* Axes whose position is the plainest go first, so that i is solved from [i] and not from [i + j]. */
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < rank; k++) {
            if (adj->pin[k] || !e[k]) {
                continue;
            }
            const Poly *p = graph_poly(g, e[k]), *rest, *best_rest = NULL;
            int best = -1;
            int64_t num, den, best_num = 0;
            for (int i = 0; i < n && best < 0; i++) {
                if (solved[i] || !poly_linear(g->arena, p, c->around.index[i], &num, &den, &rest) || den != 1 ||
                    (num != 1 && num != -1) || graph_has_index(g, graph_of_poly(g, rest), c->around.index[i])) {
                    continue;
                }
                if (round > 0 || only_sizes(g, g->arena, rest)) {
                    best = i, best_num = num, best_rest = rest;
                }
            }
            if (best >= 0) {
                const Poly *value = poly_sub(g->arena, poly_var(g->arena, axis[k]), best_rest);
                value = best_num == 1 ? value : poly_neg(g->arena, value);
                const Poly *lo = c->around.lo[best], *hi = c->around.hi[best];
                Ref i = c->around.index[best], by = graph_of_poly(g, value);
                solved[best] = true;
                e[k] = 0;
                for (int q = 0; q < rank; q++) {
                    e[q] = e[q] ? graph_subst(g, e[q], 1, &i, &by) : 0;
                }
                ct = graph_subst(g, ct, 1, &i, &by);
                condition = condition ? graph_subst(g, condition, 1, &i, &by) : 0;
                if (only_sizes(g, g->arena, best_rest)) {
                    const Poly *from = best_num == 1 ? poly_add(g->arena, lo, best_rest) : poly_sub(g->arena, best_rest, hi);
                    const Poly *to = best_num == 1 ? poly_add(g->arena, hi, best_rest) : poly_sub(g->arena, best_rest, lo);
                    if (box_narrow(g, &t.lo[k], &t.hi[k], from, to)) {
                        continue;
                    }
                }
                condition_add(g, &condition, OP_le, lo, value);
                condition_add(g, &condition, OP_le, value, hi);
            } else if (only_sizes(g, g->arena, p)) {
                t.lo[k] = t.hi[k] = p;
                e[k] = 0;
            } else if (round == 2) {
                condition_add(g, &condition, OP_eq, poly_var(g->arena, axis[k]), p);
                e[k] = 0;
            }
        }
    }
    /* The indices that are left are summed over; all conditions guard the finished product. */
    Ref all = condition ? condition : graph_bool(g, true), body = ct;
    bool summed = false;
    for (int i = n - 1; i >= 0; i--) {
        if (solved[i]) {
            continue;
        }
        Ref index = c->around.index[i];
        const Poly *x = poly_var(g->arena, index), *one = poly_int(g->arena, 1);
        Ref range = 0;
        if (!poly_equal(c->around.lo[i], poly_int(g->arena, 0))) {
            condition_add(g, &range, OP_le, c->around.lo[i], x);
        }
        if (!poly_equal(c->around.hi[i], poly_sub(g->arena, EXTENT(g, index), one))) {
            condition_add(g, &range, OP_le, x, c->around.hi[i]);
        }
        Ref under = summed ? graph_bool(g, true) : all;
        body = graph_reduce(g, RED_SUM, index, range ? graph_and(g, range, under) : under, body);
        summed = true;
    }
    if (!summed) {
        body = graph_select(g, all, body, graph_real(g, (ValueType)NODE(g, body)->type, 0));
    }
    t.body = body;
    return t;
}

static bool rooted_in_reduction(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op == OP_REDUCE) {
        return true;
    }
    return (n->op == OP_mul || n->op == OP_div || n->op == OP_neg || n->op == OP_SELECT) &&
           (rooted_in_reduction(g, ARG(g, r, 0)) || (n->nargs > 1 && rooted_in_reduction(g, ARG(g, r, n->nargs - 1))));
}

/* Not worth an array of its own: a number, a read, or a read times a number. */
static bool plain(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op == OP_READ || n->op == OP_CONST || n->op == OP_INDEX || n->op == OP_DIM) {
        return true;
    }
    if (n->op == OP_neg || n->op == OP_CAST) {
        return plain(g, ARG(g, r, 0));
    }
    if (n->op == OP_mul || n->op == OP_div) {
        return (NODE(g, ARG(g, r, 0))->op == OP_CONST && plain(g, ARG(g, r, 1))) || (NODE(g, ARG(g, r, 1))->op == OP_CAST && plain(g, ARG(g, r, 0)));
    }
    return false;
}

static bool box_equal(const Term *x, const Term *y, int rank) {
    for (int k = 0; k < rank; k++) {
        if (!poly_equal(x->lo[k], y->lo[k]) || !poly_equal(x->hi[k], y->hi[k])) {
            return false;
        }
    }
    return true;
}

/* Prepares the adjoint of a: which axes are pinned, which of e's indices it depends on. `pinnable`: not in a circle. */
static void adjoint_start(State *s, ArrayRef a, bool pinnable) {
    Graph *g = s->g;
    Adjoint *adj = &s->adjoint[a];
    int rank = ARRAY(g, a)->rank;
    adj->of = a;
    adj->pin = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *adj->pin);
    VEC(Ref) context = {0};
    VEC(Ref) terms = {0};
    for (int k = 0; k < rank; k++) {
        Ref pin = 0;
        bool first = true, same = pinnable;
        for (int c = 0; c < s->sent.n; c++) {
            if (s->sent.at[c].to == a) {
                pin = first ? s->sent.at[c].position[k] : pin;
                same = same && s->sent.at[c].position[k] == pin;
                first = false;
                for (int i = 0; i < s->sent.at[c].around.n; i++) {
                    same = same && !graph_has_index(g, pin, s->sent.at[c].around.index[i]);
                }
            }
        }
        const Ref *free;
        adj->pin[k] = !first && same && graph_free(g, pin, &free) > 0 ? pin : 0;
    }
    for (int c = 0; c < s->sent.n; c++) {
        if (s->sent.at[c].to == a || !pinnable) { /* in a circle every member may pass on what any other was sent */
            VEC_PUSH(g->arena, terms, s->sent.at[c].ct);
            if (s->sent.at[c].around.guard) {
                VEC_PUSH(g->arena, terms, s->sent.at[c].around.guard);
            }
            for (int k = 0; k < ARRAY(g, s->sent.at[c].to)->rank; k++) {
                VEC_PUSH(g->arena, terms, s->sent.at[c].position[k]);
            }
        }
    }
    for (int i = 0; i < s->context.n; i++) {
        bool used = false;
        for (int t = 0; t < terms.n && !used; t++) {
            used = graph_has_index(g, terms.at[t], s->context.index[i]);
        }
        if (used) {
            VEC_PUSH(g->arena, context, s->context.index[i]);
        }
    }
    adj->context = context.at, adj->ncontext = context.n;
}

/* The array of an adjoint, without pieces: axes context ..., unpinned axes. */
static void adjoint_make(State *s, ArrayRef a) {
    Graph *g = s->g;
    Adjoint *adj = &s->adjoint[a];
    int rank = ARRAY(g, a)->rank, n = 0;
    const Poly **extent = arena_alloc(g->arena, (size_t)(adj->ncontext + rank + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(adj->ncontext + rank + 1) * sizeof *names);
    for (int k = 0; k < adj->ncontext; k++) {
        extent[n] = EXTENT(g, adj->context[k]);
        names[n++] = g->indices.at[NODE(g, adj->context[k])->aux].name;
    }
    for (int k = 0; k < rank; k++) {
        if (!adj->pin[k]) {
            extent[n] = ARRAY(g, a)->extent[k];
            names[n++] = g->indices.at[NODE(g, ARRAY(g, a)->axis[k])->aux].name;
        }
    }
    const char *name = arena_format(g->arena, "%s_bar", ARRAY(g, a)->name);
    adj->array = graph_array(g, name, ARRAY(g, a)->type, n, extent, names);
    ARRAY(g, adj->array)->adjoint_of = a;
    ARRAY(g, adj->array)->order = ARRAY(g, a)->order + 1;
    ARRAY(g, adj->array)->at = ARRAY(g, a)->at;
}

/* Solves all that was sent to a and makes the pieces of its adjoint. */
static void adjoint_finish(State *s, ArrayRef a, bool may_stay_term) {
    Graph *g = s->g;
    Adjoint *adj = &s->adjoint[a];
    int rank = ARRAY(g, a)->rank, nterms = 0, first_axis = adj->ncontext;
    Ref *axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axis);
    if (!adj->array) {
        memcpy(axis, ARRAY(g, a)->axis, (size_t)rank * sizeof *axis);
    } else {
        for (int k = 0, n = first_axis; k < rank; k++) {
            axis[k] = adj->pin[k] ? 0 : ARRAY(g, adj->array)->axis[n++];
        }
    }
    VEC(Term) terms = {0};
    for (int c = 0; c < s->sent.n; c++) {
        if (s->sent.at[c].to != a) {
            continue;
        }
        /* The range of e's own indices is in force too. */
        Term t = solve(s, &s->sent.at[c], adj, axis);
        bool merged = false;
        for (int k = 0; k < terms.n && !merged; k++) {
            if (box_equal(&t, &terms.at[k], rank) && rooted_in_reduction(g, t.body) == rooted_in_reduction(g, terms.at[k].body) &&
                !rooted_in_reduction(g, t.body)) {
                terms.at[k].body = graph_op2(g, OP_add, terms.at[k].body, t.body);
                merged = true;
            }
        }
        if (!merged) {
            VEC_PUSH(g->arena, terms, t);
        }
    }
    nterms = terms.n;
    if (nterms == 0) {
        return;
    }
    if (may_stay_term && nterms == 1 && plain(g, terms.at[0].body)) {
        bool whole = true;
        for (int k = 0; k < rank; k++) {
            whole = whole && (adj->pin[k] || (poly_equal(terms.at[0].lo[k], poly_int(g->arena, 0)) &&
                              poly_equal(poly_add(g->arena, terms.at[0].hi[k], poly_int(g->arena, 1)), ARRAY(g, a)->extent[k])));
        }
        if (whole) {
            adj->value = terms.at[0].body;
            return;
        }
    }
    if (!adj->array) {
        adjoint_make(s, a);
    }
    Array *bar = ARRAY(g, adj->array);
    const Poly **lo = arena_alloc(g->arena, (size_t)(bar->rank + 1) * sizeof *lo), **hi = arena_alloc(g->arena, (size_t)(bar->rank + 1) * sizeof *hi);
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < adj->ncontext; k++) {
        VEC_PUSH(g->arena, from, adj->context[k]);
        VEC_PUSH(g->arena, to, bar->axis[k]);
        for (int i = 0; i < s->context.n; i++) {
            if (s->context.index[i] == adj->context[k]) {
                lo[k] = s->context.lo[i], hi[k] = s->context.hi[i];
            }
        }
    }
    for (int k = 0, n = first_axis; k < rank; k++) {
        if (!adj->pin[k]) {
            VEC_PUSH(g->arena, from, axis[k]);
            VEC_PUSH(g->arena, to, ARRAY(g, adj->array)->axis[n++]);
        }
    }
    for (int t = 0; t < nterms; t++) {
        for (int k = 0, n = first_axis; k < rank; k++) {
            if (!adj->pin[k]) {
                lo[n] = terms.at[t].lo[k], hi[n++] = terms.at[t].hi[k];
            }
        }
        graph_piece(g, adj->array, lo, hi, graph_subst(g, terms.at[t].body, from.n, from.at, to.at), terms.at[t].at);
        if (s->context.guard) {
            Piece *p = &ARRAY(g, adj->array)->pieces.at[ARRAY(g, adj->array)->pieces.n - 1];
            Ref guard = graph_subst(g, s->context.guard, from.n, from.at, to.at);
            const Ref *free;
            bool inside = true;
            int nfree = graph_free(g, guard, &free);
            for (int f = 0; f < nfree; f++) {
                bool own = false;
                for (int k = 0; k < ARRAY(g, adj->array)->rank; k++) {
                    own = own || free[f] == ARRAY(g, adj->array)->axis[k];
                }
                inside = inside && own;
            }
            p->guard = inside ? guard : 0;
        }
    }
}

Ref adjoint_at(Graph *g, const Adjoint *adj, const Ref *position) {
    const Array *of = ARRAY(g, adj->of);
    Ref here = graph_bool(g, true), value;
    ValueType type = of->type;
    for (int k = 0; k < of->rank; k++) {
        if (adj->pin && adj->pin[k]) {
            here = graph_and(g, here, graph_op2(g, OP_eq, position[k], adj->pin[k]));
        }
    }
    if (adj->value) {
        value = graph_subst(g, adj->value, of->rank, of->axis, position);
    } else if (adj->array) {
        Ref *p = arena_alloc(g->arena, (size_t)(adj->ncontext + of->rank + 1) * sizeof *p);
        int n = 0;
        for (int k = 0; k < adj->ncontext; k++) {
            p[n++] = adj->context[k];
        }
        for (int k = 0; k < of->rank; k++) {
            if (!adj->pin[k]) {
                p[n++] = position[k];
            }
        }
        value = graph_read(g, adj->array, p);
    } else {
        return graph_real(g, type, 0);
    }
    return graph_select(g, here, value, graph_real(g, type, 0));
}

ArrayRef adjoint_array(Graph *g, const Adjoint *adj, const Scope *context, const char *name, Span at) {
    const Array *of = ARRAY(g, adj->of);
    Scope s = scope_copy(g, context);
    Ref *fresh = arena_alloc(g->arena, (size_t)(of->rank + 1) * sizeof *fresh);
    for (int k = 0; k < of->rank; k++) {
        fresh[k] = graph_index(g, g->indices.at[NODE(g, of->axis[k])->aux].name, of->extent[k]);
        scope_add(g, &s, fresh[k], NULL, NULL);
    }
    Ref body = adjoint_at(g, adj, fresh);
    ArrayRef a = graph_array_over(g, name ? name : arena_format(g->arena, "%s_bar", of->name), &s, body, at, NULL);
    ARRAY(g, a)->adjoint_of = adj->of;
    ARRAY(g, a)->order = of->order + 1;
    return a;
}

/* Passes the adjoint of a on to what a reads. */
static void visit_array(State *s, ArrayRef a) {
    Graph *g = s->g;
    Adjoint *adj = &s->adjoint[a];
    if (!adj->array && !adj->value) {
        return;
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        int rank = ARRAY(g, a)->rank;
        Scope around = {0};
        Ref *place = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *place), body = p.body;
        VEC(Ref) from = {0}, to = {0};
        s->at = p.at;
        for (int k = 0; k < rank; k++) {
            Ref axis = ARRAY(g, a)->axis[k];
            if (adj->pin[k]) {
                place[k] = adj->pin[k];
                VEC_PUSH(g->arena, from, axis);
                VEC_PUSH(g->arena, to, adj->pin[k]);
                Ref inside = 0;
                condition_add(g, &inside, OP_le, p.lo[k], graph_poly(g, adj->pin[k]));
                condition_add(g, &inside, OP_le, graph_poly(g, adj->pin[k]), p.hi[k]);
                if (inside) {
                    scope_guard(g, &around, inside);
                }
            } else if (poly_equal(p.lo[k], p.hi[k])) { /* one place: no index is left to sum over */
                place[k] = graph_of_poly(g, p.lo[k]);
                VEC_PUSH(g->arena, from, axis);
                VEC_PUSH(g->arena, to, place[k]);
            } else {
                /* A fresh index for each visit: the adjoint of a recurrence reads the array's own axes. */
                Ref fresh = graph_index(g, g->indices.at[NODE(g, axis)->aux].name, EXTENT(g, axis));
                place[k] = fresh;
                VEC_PUSH(g->arena, from, axis);
                VEC_PUSH(g->arena, to, fresh);
                scope_add(g, &around, fresh, p.lo[k], p.hi[k]);
            }
        }
        if (around.guard && graph_is_false(g, around.guard)) {
            continue;
        }
        Ref guard = s->wanted[a] ? s->wanted[a] : p.guard;
        if (guard) {
            scope_guard(g, &around, graph_subst(g, guard, from.n, from.at, to.at));
        }
        body = graph_subst(g, body, from.n, from.at, to.at);
        /* Cases of an equation are disjoint, so the array has the value of this piece; contributions overlap. */
        bool own = ARRAY(g, a)->pieces.n == 1 || ARRAY(g, a)->order == 0;
        visit(s, body, adjoint_at(g, adj, place), &around, own ? graph_read(g, a, place) : 0);
    }
}

static bool is_nothing(const Graph *g, ArrayRef a) {
    (void)g;
    (void)a;
    return false;
}

void differentiate(Graph *g, Ref e, const Scope *scope, int n, const ArrayRef *by, Adjoint *result) {
    State *s = arena_alloc(g->arena, sizeof *s);
    s->g = g, s->nby = n, s->by = by;
    s->context = scope_part(g, scope, 1, &e);
    /* e itself as an array over its indices. */
    Ref read;
    Span at = {0};
    ArrayRef root = graph_array_over(g, "e", &s->context, e, at, &read);
    find_active(s, root);
    if (s->active[root]) {
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) { /* arrays made meanwhile are lifted in their turn */
            if ((int)a < s->nactive && s->active[a] && !is_by(s, a)) {
                lift_array(s, a);
            }
        }
    }
    Order order = graph_order(g, 1, &root);
    int all = g->arrays.n; /* adjoints made from here on have no adjoints themselves */
    s->wanted = demand_find(g, &order, is_nothing);
    s->adjoint = arena_alloc(g->arena, (size_t)(all + 1) * sizeof *s->adjoint);
    for (int k = 0; k < n; k++) {
        s->adjoint[by[k]].of = by[k];
    }
    Contribution seed = {.to = root, .ct = graph_real(g, ARRAY(g, root)->type, 1), .position = s->context.index};
    seed.around.guard = s->context.guard;
    VEC_PUSH(g->arena, s->sent, seed);
    for (int hi = order.n; hi > 0;) {
        int lo = hi - 1;
        while (lo > 0 && order.component[lo - 1] == order.component[hi - 1]) {
            lo--;
        }
        bool circle = hi - lo > 1 || graph_reads_itself(g, order.array[lo]);
        for (int k = lo; k < hi; k++) { /* readers come last in the order */
            ArrayRef a = order.array[k];
            if (!s->active[a]) {
                continue;
            }
            if (is_by(s, a)) {
                adjoint_start(s, a, true);
                continue;
            }
            adjoint_start(s, a, !circle);
            if (circle) {
                adjoint_make(s, a);
            } else {
                adjoint_finish(s, a, true);
                visit_array(s, a);
            }
        }
        if (circle) {
            for (int k = lo; k < hi; k++) {
                if (s->active[order.array[k]] && !is_by(s, order.array[k])) {
                    visit_array(s, order.array[k]);
                }
            }
            for (int k = lo; k < hi; k++) {
                if (s->active[order.array[k]] && !is_by(s, order.array[k])) {
                    adjoint_finish(s, order.array[k], false);
                }
            }
        }
        hi = lo;
    }
    for (int k = 0; k < n; k++) {
        if (s->active[by[k]]) {
            adjoint_start(s, by[k], true);
            adjoint_finish(s, by[k], true);
        }
        result[k] = s->adjoint[by[k]];
        result[k].of = by[k];
        if (!result[k].pin) {
            result[k].pin = arena_alloc(g->arena, (size_t)(ARRAY(g, by[k])->rank + 1) * sizeof(Ref));
        }
    }
}
