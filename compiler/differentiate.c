/* differentiate: reverse mode on indexed equations.
 * In: a term and the arrays to differentiate by. Out: adjoint arrays in the same graph.
 * The idea: first every shared term and every reduction of the arrays on the way becomes an array
 * of its own, so that the terms are trees; then arrays are taken readers first, and each read sends
 * a contribution to the array that it reads. A contribution is a sum over the indices around the
 * read, with the bracket [position = p] solved for an index where that is possible. Arrays that
 * read each other get adjoints that read each other: recurrences need no rule of their own. */
#include "differentiate.h"
#include "demand.h"
#include "kernel.h"
#include "ops.h"
#include "paths.h"
#include "rewrite.h"
#include "share.h"
#include <string.h>

typedef struct Contribution {
    ArrayRef to;
    const Ref *position;
    Scope around; /* indices to sum over, with their ranges and all conditions */
    Ref ct;
    Span at;
    int next; /* to the same array, 1 + its place in State.sent; 0: the last */
} Contribution;

typedef struct Visited { /* a piece of a member of a circle, and what was sent from it */
    ArrayRef a;
    const Poly **lo, **hi;
    Ref *place;
    int from, to;
} Visited;

typedef struct Hull {        /* of the boxes of an adjoint */
    const Poly **from, **to; /* by axis, both ends included */
    bool covered;            /* every place between is in some box */
    int serial;              /* as of State.hulls */
} Hull;

typedef struct State {
    Graph *g;
    Scope context;        /* e's indices */
    VEC(Visited) visited; /* in the circle at work */
    Paths paths;
    VEC(Contribution) sent;
    int *first, *last; /* by array: what was sent to it, 1 + places in `sent`; 0: nothing */
    Adjoint *adjoint;  /* by array */
    Hull *hull;        /* by array, of its adjoint; hulls: how often adjoints became others */
    int hulls;
    const Ref *wanted; /* by array: the condition under which e needs it, or 0; its adjoint is zero
                          elsewhere */
    Span at;
} State;

/* ---- contributions
 * ------------------------------------------------------------------------------------------------------------
 */

static void sent_add(State *s, Contribution c) {
    VEC_PUSH(s->g->arena, s->sent, c);
    if (s->last[c.to]) {
        s->sent.at[s->last[c.to] - 1].next = s->sent.n;
    } else {
        s->first[c.to] = s->sent.n;
    }
    s->last[c.to] = s->sent.n;
}

static void send(State *s, ArrayRef to, Ref read, const Scope *around, Ref ct) {
    Graph *g = s->g;
    Contribution c = {.to = to, .ct = ct, .at = s->at, .around = scope_copy(g, around)};
    Ref *position = arena_alloc(g->arena, (size_t)(NODE(g, read)->nargs + 1) * sizeof *position);
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        position[k] = ARG(g, read, k);
    }
    c.position = position;
    sent_add(s, c);
}

static void visit(State *s, Ref r, Ref ct, const Scope *around, Ref result);

static void visit_product(State *s, Ref r, Ref ct, const Scope *around) {
    Graph *g = s->g;
    Ref condition, body, index = graph_open(g, r, &condition, &body);
    Scope all = scope_copy(g, &s->context); /* pinned axes stand at e's indices */
    for (int k = 0; k < around->n; k++) {
        scope_add(g, &all, around->index[k], around->lo[k], around->hi[k]);
    }
    all.guard = around->guard;
    scope_add(g, &all, index, NULL, NULL);
    Ref others = paths_others(g, &all, condition, body, s->at);
    Scope inside = scope_copy(g, around);
    scope_add(g, &inside, index, NULL, NULL);
    scope_guard(g, &inside, condition);
    visit(s, body, graph_op2(g, OP_mul, ct, others), &inside, 0);
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
        Scope all = scope_copy(g, &s->context);
        for (int k = 0; k < around->n; k++) {
            scope_add(g, &all, around->index[k], around->lo[k], around->hi[k]);
        }
        all.guard = graph_both(g, all.guard, around->guard);
        Ref best = paths_extreme(g, &all, kind, index, condition, body, s->at);
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

/* Sends ct times the derivative of term r to all that r reads. `result`: a read that has r's value
 * already, or 0. */
static void visit(State *s, Ref r, Ref ct, const Scope *around, Ref result) {
    Graph *g = s->g;
    double zero;
    if (!paths_lead(&s->paths, r) || (graph_is_real(g, ct, &zero) && zero == 0)) {
        return;
    }
    const Node n = *NODE(g, r);
    ct = graph_cast(g, (ValueType)n.type, ct);
    switch (n.op) {
    case OP_READ: send(s, n.aux, r, around, ct); return;
    case OP_CAST:
        visit(s, ARG(g, r, 0), graph_cast(g, (ValueType)NODE(g, ARG(g, r, 0))->type, ct), around,
              0);
        return;
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
    if (paths_refuse(&s->paths, r, s->at)) {
        return;
    }
    if (n.op < OP_FIRST_SCALAR) {
        bug("no derivative of a node of kind %d", n.op);
    }
    Ref args[3];
    for (int k = 0; k < n.nargs; k++) {
        args[k] = ARG(g, r, k);
    }
    for (int k = 0; k < n.nargs; k++) {
        if (!paths_smooth(g, r, k) || !paths_lead(&s->paths, args[k])) {
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

/* ---- collecting what was sent to one array
 * -------------------------------------------------------------------------------------- */

typedef struct Term { /* one contribution, solved: a box, and a term over the adjoint's axes */
    const Poly **lo, **hi;
    Ref body;
    Span at;
} Term;

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
static bool box_narrow(Graph *g, const Poly **lo, const Poly **hi, const Poly *from,
                       const Poly *to) {
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

/* Solves the bracket of one contribution. axis: the adjoint's own indices for the unpinned axes of
 * the target. alive: a condition over them that need not be asked. */
static Term solve(State *s, const Contribution *c, const Adjoint *adj, const Ref *axis, Ref alive) {
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
    /* Axes whose position is the plainest go first, so that i is solved from [i] and not from [i +
     * j]. */
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < rank; k++) {
            if (adj->pin[k] || !e[k]) {
                continue;
            }
            const Poly *p = graph_poly(g, e[k]), *rest, *best_rest = NULL;
            int best = -1;
            int64_t num, den, best_num = 0;
            for (int i = 0; i < n && best < 0; i++) {
                if (solved[i] || !poly_linear(g->arena, p, c->around.index[i], &num, &den, &rest) ||
                    den != 1 || (num != 1 && num != -1) ||
                    graph_has_index(g, graph_of_poly(g, rest), c->around.index[i])) {
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
                    const Poly *from = best_num == 1 ? poly_add(g->arena, lo, best_rest)
                                                     : poly_sub(g->arena, best_rest, hi);
                    const Poly *to = best_num == 1 ? poly_add(g->arena, hi, best_rest)
                                                   : poly_sub(g->arena, best_rest, lo);
                    if (box_narrow(g, &t.lo[k], &t.hi[k], from, to)) {
                        continue;
                    }
                }
                paths_require(g, &condition, OP_le, lo, value);
                paths_require(g, &condition, OP_le, value, hi);
            } else if (only_sizes(g, g->arena, p)) {
                t.lo[k] = t.hi[k] = p;
                e[k] = 0;
            } else if (round == 2) {
                paths_require(g, &condition, OP_eq, poly_var(g->arena, axis[k]), p);
                e[k] = 0;
            }
        }
    }
    /* The indices that are left are summed over; all conditions guard the finished product. */
    condition = graph_given(g, condition, alive);
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
            paths_require(g, &range, OP_le, c->around.lo[i], x);
        }
        if (!poly_equal(c->around.hi[i], poly_sub(g->arena, EXTENT(g, index), one))) {
            paths_require(g, &range, OP_le, x, c->around.hi[i]);
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
        return (NODE(g, ARG(g, r, 0))->op == OP_CONST && plain(g, ARG(g, r, 1))) ||
               (NODE(g, ARG(g, r, 1))->op == OP_CAST && plain(g, ARG(g, r, 0)));
    }
    return false;
}

/* A choice between something cheap and 0 by an entry of data, as derivatives of least and greatest
 * entries are: better a condition of what it is passed on to than an array of zeros. */
static bool one_hot(const Graph *g, Ref r) {
    double zero;
    if (NODE(g, r)->op != OP_SELECT || !graph_is_real(g, ARG(g, r, 2), &zero) || zero != 0) {
        return false;
    }
    Ref c = ARG(g, r, 0), yes = ARG(g, r, 1);
    if (NODE(g, c)->op != OP_eq ||
        (NODE(g, ARG(g, c, 0))->op != OP_READ && NODE(g, ARG(g, c, 1))->op != OP_READ)) {
        return false;
    }
    for (int k = 0; k < 4 && !plain(g, yes); k++) {
        const Node *n = NODE(g, yes);
        if (n->op == OP_neg) {
            yes = ARG(g, yes, 0);
        } else if (n->op == OP_mul && plain(g, ARG(g, yes, 0))) {
            yes = ARG(g, yes, 1);
        } else if (n->op == OP_mul && plain(g, ARG(g, yes, 1))) {
            yes = ARG(g, yes, 0);
        } else {
            return false;
        }
    }
    return plain(g, yes);
}

static bool box_equal(const Term *x, const Term *y, int rank) {
    for (int k = 0; k < rank; k++) {
        if (!poly_equal(x->lo[k], y->lo[k]) || !poly_equal(x->hi[k], y->hi[k])) {
            return false;
        }
    }
    return true;
}

/* Which term takes what is added on a box: a hash table of 1 + places among the terms. */
typedef struct Open {
    int *slot;
    uint32_t *hash;
    uint32_t n, room;
} Open;

/* The term on the box of t that is open, or where its place is to be put; 0: none yet. */
static int *open_slot(Graph *g, Open *o, const Term *t, const Term *terms, int rank) {
    if (o->n * 2 >= o->room) {
        Open more = {.room = o->room ? 2 * o->room : 8};
        more.slot = arena_alloc(g->arena, more.room * sizeof *more.slot);
        more.hash = arena_alloc(g->arena, more.room * sizeof *more.hash);
        for (uint32_t k = 0; k < o->room; k++) {
            uint32_t h = o->hash[k] & (more.room - 1);
            if (!o->slot[k]) continue;
            while (more.slot[h]) h = (h + 1) & (more.room - 1);
            more.slot[h] = o->slot[k], more.hash[h] = o->hash[k], more.n++;
        }
        *o = more;
    }
    uint32_t hash = 1;
    for (int k = 0; k < rank; k++) {
        hash = (hash ^ poly_hash(t->lo[k])) * 0x9E3779B1u;
        hash = (hash ^ poly_hash(t->hi[k])) * 0x85EBCA6Bu;
    }
    uint32_t h = hash & (o->room - 1);
    for (; o->slot[h]; h = (h + 1) & (o->room - 1)) {
        if (o->hash[h] == hash && box_equal(t, &terms[o->slot[h] - 1], rank)) {
            return &o->slot[h];
        }
    }
    o->hash[h] = hash, o->n++;
    return &o->slot[h];
}

/* The leading axes that every read inside a circle leaves as they are keep to one place if all that
 * comes from outside stands there. By axis: the place, or 0. */
static Ref *circle_pins(State *s, const Order *order, int lo, int hi) {
    Graph *g = s->g;
    int steady = paths_steady_axes(g, order, lo, hi), most = 0;
    for (int k = lo; k < hi; k++) {
        int rank = ARRAY(g, order->array[k])->rank;
        most = rank > most ? rank : most;
        steady = ARRAY(g, order->array[k])->rules.n ? 0 : steady;
    }
    Ref *pins = arena_alloc(g->arena, (size_t)(most + 1) * sizeof *pins);
    for (int axis = 0; axis < steady && axis < most; axis++) {
        Ref pin = 0;
        bool same = true;
        for (int k = lo; k < hi; k++) {
            for (int c = s->first[order->array[k]]; c; c = s->sent.at[c - 1].next) {
                const Contribution *x = &s->sent.at[c - 1];
                pin = pin ? pin : x->position[axis];
                same = same && x->position[axis] == pin;
                for (int i = 0; i < x->around.n; i++) {
                    same = same && !graph_has_index(g, pin, x->around.index[i]);
                }
            }
        }
        const Ref *free;
        pins[axis] = pin && same && graph_free(g, pin, &free) > 0 ? pin : 0;
    }
    return pins;
}

/* Prepares the adjoint of a: which axes are pinned, which of e's indices it depends on. `pinnable`:
 * not in a circle. pins: for a circle, the pins that it may have. */
static void adjoint_start(State *s, ArrayRef a, bool pinnable, const Ref *pins) {
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
        for (int c = s->first[a]; c; c = s->sent.at[c - 1].next) {
            const Contribution *x = &s->sent.at[c - 1];
            pin = first ? x->position[k] : pin;
            same = same && x->position[k] == pin;
            first = false;
            for (int i = 0; i < x->around.n; i++) {
                same = same && !graph_has_index(g, pin, x->around.index[i]);
            }
        }
        const Ref *free;
        adj->pin[k] = !first && same && graph_free(g, pin, &free) > 0 ? pin : 0;
        adj->pin[k] = pins ? pins[k] : adj->pin[k];
    }
    /* In a circle every member may pass on what any other was sent. */
    for (int c = pinnable ? s->first[a] : s->sent.n; c;
         c = pinnable ? s->sent.at[c - 1].next : c - 1) {
        const Contribution *x = &s->sent.at[c - 1];
        VEC_PUSH(g->arena, terms, x->ct);
        if (x->around.guard) {
            VEC_PUSH(g->arena, terms, x->around.guard);
        }
        for (int k = 0; k < ARRAY(g, x->to)->rank && s->context.n; k++) {
            VEC_PUSH(g->arena, terms, x->position[k]);
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
    const Poly **extent =
        arena_alloc(g->arena, (size_t)(adj->ncontext + rank + 1) * sizeof *extent);
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
    ARRAY(g, adj->array)->derived = true;
    ARRAY(g, adj->array)->adjoint_of = a;
    ARRAY(g, adj->array)->order = ARRAY(g, a)->order + 1;
    ARRAY(g, adj->array)->at = ARRAY(g, a)->at;
}

/* What holds, of the ends of iterations, wherever an entry of a is computed: over its axes; 0:
 * nothing. The adjoint is looked at nowhere else. */
static Ref alive_of(State *s, ArrayRef a) {
    Graph *g = s->g;
    const Array x = *ARRAY(g, a);
    Ref all = 0;
    for (int q = 0; q < x.pieces.n; q++) {
        Ref c = graph_both(g, x.pieces.at[q].guard, x.pieces.at[q].live);
        all = graph_both(g, all, graph_part_with_count(g, c, 0, true));
    }
    for (int q = 0; q < x.pieces.n && all; q++) { /* of all conjuncts those that are common */
        const Piece p = x.pieces.at[q];
        Ref known = graph_both(g, p.guard, p.live), common = 0, rest = all;
        while (rest) {
            Ref part = NODE(g, rest)->op == OP_and ? ARG(g, rest, 1) : rest, here = part;
            rest = NODE(g, rest)->op == OP_and ? ARG(g, rest, 0) : 0;
            for (int k = 0; k < x.rank; k++) {
                if (poly_equal(p.lo[k], p.hi[k])) {
                    Ref place = graph_of_poly(g, p.lo[k]);
                    here = graph_subst(g, here, 1, &x.axis[k], &place);
                }
            }
            if (graph_is_true(g, here) || (known && !graph_given(g, here, known))) {
                common = graph_both(g, part, common);
            }
        }
        all = common;
    }
    return all;
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
    Ref alive = paths_is_by(&s->paths, a) ? 0 : alive_of(s, a);
    if (alive) {
        Ref *place = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *place);
        for (int k = 0; k < rank; k++) {
            place[k] = adj->pin[k] ? adj->pin[k] : axis[k];
        }
        alive = graph_subst(g, alive, rank, ARRAY(g, a)->axis, place);
    }
    VEC(Term) terms = {0};
    Open open = {0};
    for (int next = s->first[a]; next; next = s->sent.at[next - 1].next) {
        /* The range of e's own indices is in force too. */
        Term t = solve(s, &s->sent.at[next - 1], adj, axis, alive);
        bool nest = share_is_nest(g, t.body);
        int *at = nest ? NULL : open_slot(g, &open, &t, terms.at, rank);
        Ref sum = at && *at ? terms.at[*at - 1].body : 0;
        if (sum && NODE(g, sum)->height < MOST_HEIGHT && !share_is_nest(g, sum)) {
            terms.at[*at - 1].body = graph_op2(g, OP_add, sum, t.body);
        } else {
            VEC_PUSH(g->arena, terms, t);
            if (at) *at = terms.n;
        }
    }
    nterms = terms.n;
    if (nterms == 0) {
        return;
    }
    if (may_stay_term && nterms == 1 &&
        (plain(g, terms.at[0].body) || one_hot(g, terms.at[0].body))) {
        bool whole = true;
        for (int k = 0; k < rank; k++) {
            whole =
                whole && (adj->pin[k] ||
                          (poly_equal(terms.at[0].lo[k], poly_int(g->arena, 0)) &&
                           poly_equal(poly_add(g->arena, terms.at[0].hi[k], poly_int(g->arena, 1)),
                                      ARRAY(g, a)->extent[k])));
        }
        if (whole) {
            adj->value = terms.at[0].body;
            return;
        }
    }
    if (!adj->array) {
        adjoint_make(s, a);
    }
    Ref guard = graph_both(g, s->context.guard, graph_given(g, alive, s->context.guard));
    Array *bar = ARRAY(g, adj->array);
    const Poly **lo = arena_alloc(g->arena, (size_t)(bar->rank + 1) * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)(bar->rank + 1) * sizeof *hi);
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
        if (graph_piece(g, adj->array, lo, hi,
                        graph_subst(g, terms.at[t].body, from.n, from.at, to.at), terms.at[t].at) &&
            guard) {
            Ref over = graph_subst(g, guard, from.n, from.at, to.at);
            const Array *bar_now = ARRAY(g, adj->array);
            over = graph_part_over(g, over, bar_now->rank, bar_now->axis);
            ARRAY(g, adj->array)->pieces.at[ARRAY(g, adj->array)->pieces.n - 1].guard = over;
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

ArrayRef adjoint_array(Graph *g, const Adjoint *adj, const Scope *context, const char *name,
                       Span at) {
    const Array *of = ARRAY(g, adj->of);
    Scope s = scope_copy(g, context);
    Ref *fresh = arena_alloc(g->arena, (size_t)(of->rank + 1) * sizeof *fresh);
    for (int k = 0; k < of->rank; k++) {
        fresh[k] = graph_index(g, g->indices.at[NODE(g, of->axis[k])->aux].name, of->extent[k]);
        scope_add(g, &s, fresh[k], NULL, NULL);
    }
    Ref body = adjoint_at(g, adj, fresh);
    ArrayRef a = graph_array_over(g, name ? name : arena_format(g->arena, "%s_bar", of->name), &s,
                                  body, at, NULL);
    ARRAY(g, a)->adjoint_of = adj->of;
    ARRAY(g, a)->order = of->order + 1;
    return a;
}

/* Where in a box of array a its adjoint is looked at: pinned axes at their pins, others at fresh
 * indices, which are added to `around` with all conditions. Of a kernel array these are its leading
 * axes alone. NULL where nothing is left. */
static Ref *enter(State *s, ArrayRef a, const Poly **lo, const Poly **hi, Ref guard,
                  Scope *around) {
    Graph *g = s->g;
    const Adjoint *adj = &s->adjoint[a];
    int rank = kernel_is(g, a) ? kernel_batch(g, a) : ARRAY(g, a)->rank;
    Ref *place = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof *place);
    for (int k = 0; k < rank; k++) {
        Ref axis = ARRAY(g, a)->axis[k];
        if (adj->pin[k]) {
            place[k] = adj->pin[k];
            Ref inside = 0;
            paths_require(g, &inside, OP_le, lo[k], graph_poly(g, adj->pin[k]));
            paths_require(g, &inside, OP_le, graph_poly(g, adj->pin[k]), hi[k]);
            if (inside) {
                scope_guard(g, around, inside);
            }
        } else if (poly_equal(lo[k], hi[k])) { /* one place: no index is left to sum over */
            place[k] = graph_of_poly(g, lo[k]);
        } else {
            /* A fresh index for each visit: the adjoint of a recurrence reads the array's own axes.
             */
            place[k] = graph_index(g, g->indices.at[NODE(g, axis)->aux].name, EXTENT(g, axis));
            scope_add(g, around, place[k], lo[k], hi[k]);
        }
    }
    if (around->guard && graph_is_false(g, around->guard)) {
        return NULL;
    }
    if (guard) {
        Ref c = graph_subst(g, guard, rank, ARRAY(g, a)->axis, place);
        Ref rest = graph_given(g, graph_part_with_count(g, c, 0, true), s->context.guard);
        rest = graph_both(g, rest, graph_part_with_count(g, c, 0, false));
        if (rest) { /* that e itself lies before the end of an iteration is known */
            scope_guard(g, around, rest);
        }
    }
    return place;
}

/* A rule of one's own: what the array passes on to one argument. */
static void visit_rule(State *s, ArrayRef a, const ArrayRule *rule, Ref guard) {
    Graph *g = s->g;
    int rank = ARRAY(g, a)->rank, own = ARRAY(g, rule->by)->rank - rule->nlead;
    const Poly **lo = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *hi);
    Scope around = {0};
    paths_rule_box(g, a, lo, hi);
    Ref *place = enter(s, a, lo, hi, guard, &around);
    if (!place) {
        return;
    }
    Ref *position = arena_alloc(g->arena, (size_t)(rule->nlead + own + 1) * sizeof *position);
    for (int k = 0; k < rule->nlead; k++) {
        position[k] = graph_subst(g, rule->lead[k], rank, ARRAY(g, a)->axis, place);
    }
    for (int k = 0; k < own; k++) {
        Ref fresh = graph_index(g, g->indices.at[NODE(g, rule->index[k])->aux].name,
                                EXTENT(g, rule->index[k]));
        position[rule->nlead + k] = fresh;
        scope_add(g, &around, fresh, NULL, NULL);
    }
    Ref value = graph_subst(g, graph_subst(g, rule->value, rank, ARRAY(g, a)->axis, place), own,
                            rule->index, position + rule->nlead);
    Ref ct = graph_op2(g, OP_mul, adjoint_at(g, &s->adjoint[a], place), value);
    send(s, rule->by, graph_read(g, rule->by, position), &around,
         graph_cast(g, ARRAY(g, rule->by)->type, ct));
}

/* ---- rules of kernels
 * ----------------------------------------------------------------------------------------------------
 */

typedef struct Inside { /* a kernel array x, at one place of its batch */
    State *s;
    ArrayRef a;
    const Ref *place; /* of the batch axes */
    int batch;
    Scope around; /* these, to sum over */
    Scope all;    /* and e's own indices */
    const Poly *n;
    Span at;
} Inside;

typedef struct Entries { /* a kernel array, or another, made for a rule: a matrix or a vector */
    ArrayRef array;
    int nlead;
    const Ref *lead;
} Entries;

static Ref entry(const Inside *x, const Entries *e, Ref i, Ref j) {
    return kernel_entry(x->s->g, e->array, e->nlead, e->lead, (Ref[]){i, j});
}

static Ref *inside_place(const Inside *x, Ref i, Ref j) {
    Graph *g = x->s->g;
    Ref *p = arena_alloc(g->arena, (size_t)(x->batch + 3) * sizeof *p);
    memcpy(p, x->place, (size_t)x->batch * sizeof *p);
    p[x->batch] = i, p[x->batch + 1] = j;
    return p;
}

/* Entries of x, and of its adjoint. */
static Ref inside_value(const Inside *x, Ref i, Ref j) {
    return graph_read(x->s->g, x->a, inside_place(x, i, j));
}
static Ref inside_bar(const Inside *x, Ref i, Ref j) {
    return adjoint_at(x->s->g, &x->s->adjoint[x->a], inside_place(x, i, j));
}

static Entries inside_kernel(const Inside *x, KernelKind kind, Ref matrix, Ref given) {
    Entries e;
    e.array = kernel_array(x->s->g, &x->all, kind, matrix, given, x->at, &e.nlead, &e.lead);
    ARRAY(x->s->g, e.array)->order = ARRAY(x->s->g, x->a)->order + 1;
    ARRAY(x->s->g, e.array)->derived = true;
    return e;
}

static Ref inside_index(const Inside *x, const char *name) {
    return graph_index(x->s->g, name, x->n);
}

/* A matrix of its own: body over i and j. */
static Entries inside_matrix(const Inside *x, const char *word, Ref i, Ref j, Ref body) {
    Graph *g = x->s->g;
    Entries e;
    Scope s = scope_part(g, &x->all, 1, &body);
    e.nlead = s.n, e.lead = s.index;
    Scope over = scope_copy(g, &s);
    scope_add(g, &over, i, NULL, NULL);
    scope_add(g, &over, j, NULL, NULL);
    e.array = graph_array_over(g, arena_format(g->arena, "%s_%s", ARRAY(g, x->a)->name, word),
                               &over, body, x->at, NULL);
    ARRAY(g, e.array)->order = ARRAY(g, x->a)->order + 1;
    ARRAY(g, e.array)->derived = true;
    return e;
}

/* Sends ct, over slots, to what the argument `term`, over slots, reads. */
static void inside_send(const Inside *x, Ref term, int rank, Ref ct, Ref under) {
    Graph *g = x->s->g;
    Scope around = scope_copy(g, &x->around);
    Ref slot[2], index[2];
    for (int k = 0; k < rank; k++) {
        slot[k] = graph_slot(g, k, x->n);
        index[k] = inside_index(x, k ? "j" : "i");
        scope_add(g, &around, index[k], NULL, NULL);
    }
    if (under) {
        scope_guard(g, &around, graph_subst(g, under, rank, slot, index));
    }
    visit(x->s, graph_subst(g, term, rank, slot, index), graph_subst(g, ct, rank, slot, index),
          &around, 0);
}

/* The matrix S of d f = sum of S[i, j] dA[i, j], with dA symmetric and A = L L': from L_bar, as
 * L'^-1 P L^-1, where P is L' L_bar below the diagonal and half of it on it (Murray,
 * "Differentiation of the Cholesky decomposition", 2016, section 3.1). Two triangular solves, N
 * right sides each. */
static Entries cholesky_bar(const Inside *x) {
    Graph *g = x->s->g;
    ValueType type = ARRAY(g, x->a)->type;
    Ref r = graph_slot(g, 0, x->n), c = graph_slot(g, 1, x->n), zero = graph_real(g, type, 0);
    Ref i = inside_index(x, "i"), j = inside_index(x, "j"), k = inside_index(x, "k");
    Ref product = graph_op2(g, OP_mul, inside_value(x, k, i), inside_bar(x, k, j));
    Ref p = graph_reduce(g, RED_SUM, k, graph_op2(g, OP_le, i, k), product);
    Ref half = graph_op2(g, OP_mul, graph_real(g, type, 0.5), p);
    p = graph_select(g, graph_op2(g, OP_lt, j, i), p,
                     graph_select(g, graph_op2(g, OP_eq, i, j), half, zero));
    Entries phi = inside_matrix(x, "phi", i, j, p);
    Ref matrix = inside_value(x, r, c);
    /* Row c of the first result is column c of L'^-1 P; row i of the second is row i of S. */
    Inside rows = *x;
    Ref column = inside_index(x, "c"), row = inside_index(x, "r");
    rows.all = scope_copy(g, &x->all);
    scope_add(g, &rows.all, column, NULL, NULL);
    Entries left = inside_kernel(&rows, KERNEL_LOWER_SOLVE_T, matrix, entry(x, &phi, r, column));
    rows.all = scope_copy(g, &x->all);
    scope_add(g, &rows.all, row, NULL, NULL);
    Ref *lead = arena_alloc(g->arena, (size_t)(left.nlead + 1) * sizeof *lead);
    for (int q = 0; q < left.nlead; q++) {
        lead[q] = left.lead[q] == column ? r : left.lead[q];
    }
    Ref given = kernel_entry(g, left.array, left.nlead, lead, &row);
    Entries both = inside_kernel(&rows, KERNEL_LOWER_SOLVE_T, matrix, given);
    lead = arena_alloc(g->arena, (size_t)(both.nlead + 1) * sizeof *lead);
    for (int q = 0; q < both.nlead; q++) {
        lead[q] = both.lead[q] == row ? i : both.lead[q];
    }
    return inside_matrix(x, "sym", i, j, kernel_entry(g, both.array, both.nlead, lead, &j));
}

/* What a kernel array passes on. Each rule sends to the matrix itself, never to its factor. */
static void visit_kernel(State *s, ArrayRef a, const Piece *p, Ref guard) {
    Graph *g = s->g;
    KernelKind kind = (KernelKind)NODE(g, p->body)->aux;
    if (!s->first[a]) {
        return; /* a factor: those that read it send past it */
    }
    Inside x = {
        .s = s, .a = a, .batch = kernel_batch(g, a), .n = kernel_size(g, p->body, a), .at = p->at};
    const Ref *place = enter(s, a, p->lo, p->hi, guard, &x.around);
    if (!place) {
        return;
    }
    x.place = place;
    Ref body = graph_subst(g, p->body, x.batch, ARRAY(g, a)->axis, place);
    x.all = scope_copy(g, &s->context);
    for (int k = 0; k < x.around.n; k++) {
        scope_add(g, &x.all, x.around.index[k], x.around.lo[k], x.around.hi[k]);
    }
    if (x.around.guard) {
        scope_guard(g, &x.all, x.around.guard);
    }
    Ref i = graph_slot(g, 0, x.n), j = graph_slot(g, 1, x.n), matrix = kernel_matrix(g, body),
        given = kernel_given(g, body), source = matrix ? kernel_source(g, body) : 0;
    bool to_matrix = source && paths_lead(&s->paths, source);
    switch (kind) {
    case KERNEL_LU: bug("something is sent to a factor");
    case KERNEL_LU_LOGDET:
    case KERNEL_LU_INVERSE: {
        if (!to_matrix) {
            return;
        }
        if (kind == KERNEL_LU_LOGDET) { /* A_bar = x_bar A^-T */
            Entries r = inside_kernel(&x, KERNEL_LU_INVERSE, matrix, 0);
            inside_send(&x, source, 2,
                        graph_op2(g, OP_mul, inside_bar(&x, 0, 0), entry(&x, &r, j, i)), 0);
            return;
        }
        /* A_bar = -x' x_bar x' */
        Ref u = inside_index(&x, "i"), v = inside_index(&x, "j"), k = inside_index(&x, "k"),
            all = graph_bool(g, true);
        Entries left = inside_matrix(
            &x, "left", u, v,
            graph_reduce(g, RED_SUM, k, all,
                         graph_op2(g, OP_mul, inside_value(&x, k, u), inside_bar(&x, k, v))));
        Entries both = inside_matrix(
            &x, "both", u, v,
            graph_reduce(g, RED_SUM, k, all,
                         graph_op2(g, OP_mul, entry(&x, &left, u, k), inside_value(&x, v, k))));
        inside_send(&x, source, 2, graph_op1(g, OP_neg, entry(&x, &both, i, j)), 0);
        return;
    }
    case KERNEL_CHOLESKY: {
        Entries sym = cholesky_bar(&x);
        Ref below = graph_op2(g, OP_add, entry(&x, &sym, i, j), entry(&x, &sym, j, i));
        inside_send(&x, given, 2,
                    graph_select(g, graph_op2(g, OP_eq, i, j), entry(&x, &sym, i, j), below), 0);
        return;
    }
    default: break;
    }
    /* Solves: w solves with the transposed matrix and the right side x_bar; b_bar = w, and of A x =
     * b A_bar = -w x', of A' x = b A_bar = -x w'. */
    static const KernelKind transposed[KERNEL_COUNT] = {
        [KERNEL_LU_SOLVE] = KERNEL_LU_SOLVE_T,
        [KERNEL_LU_SOLVE_T] = KERNEL_LU_SOLVE,
        [KERNEL_CHOLESKY_SOLVE] = KERNEL_CHOLESKY_SOLVE,
        [KERNEL_LOWER_SOLVE] = KERNEL_LOWER_SOLVE_T,
        [KERNEL_LOWER_SOLVE_T] = KERNEL_LOWER_SOLVE,
        [KERNEL_UPPER_SOLVE] = KERNEL_UPPER_SOLVE_T,
        [KERNEL_UPPER_SOLVE_T] = KERNEL_UPPER_SOLVE,
    };
    Entries w = inside_kernel(&x, transposed[kind], matrix, inside_bar(&x, i, 0));
    inside_send(&x, given, 1, entry(&x, &w, i, 0), 0);
    if (!to_matrix) {
        return;
    }
    bool turned =
        kind == KERNEL_LU_SOLVE_T || kind == KERNEL_LOWER_SOLVE_T || kind == KERNEL_UPPER_SOLVE_T;
    Ref under =
        kind == KERNEL_LOWER_SOLVE || kind == KERNEL_LOWER_SOLVE_T   ? graph_op2(g, OP_le, j, i)
        : kind == KERNEL_UPPER_SOLVE || kind == KERNEL_UPPER_SOLVE_T ? graph_op2(g, OP_le, i, j)
                                                                     : 0;
    Ref left = turned ? inside_value(&x, i, 0) : entry(&x, &w, i, 0),
        right = turned ? entry(&x, &w, j, 0) : inside_value(&x, j, 0);
    Ref ct = graph_op2(g, OP_mul, left, right);
    if (kind == KERNEL_CHOLESKY_SOLVE) { /* an entry below the diagonal stands for two */
        Ref other = graph_op2(g, OP_mul, entry(&x, &w, j, 0), inside_value(&x, i, 0));
        ct = graph_select(g, graph_op2(g, OP_eq, i, j), ct, graph_op2(g, OP_add, ct, other));
    }
    inside_send(&x, source, 2, graph_op1(g, OP_neg, ct), under);
}

/* Is an entry of the box in some piece of the adjoint, whichever it is? Boxes that differ along one
 * axis, one behind the other. */
static bool pieces_cover(Graph *g, const Array *bar, const Poly *const *lo, const Poly *const *hi) {
    int along = -1;
    for (int k = 0; k < bar->rank; k++) {
        for (int q = 0; q < bar->pieces.n; q++) {
            const Piece *p = &bar->pieces.at[q];
            if (!poly_equal(p->lo[k], lo[k]) || !poly_equal(p->hi[k], hi[k])) {
                if (along >= 0 && along != k) {
                    return false;
                }
                along = k;
            }
        }
    }
    if (along < 0) {
        return true;
    }
    const Poly *from = lo[along], *before = NULL; /* all before `from` is covered */
    for (int turn = 0; turn < bar->pieces.n && from != before; turn++) {
        before = from;
        for (int k = 0; k < bar->pieces.n; k++) { /* back and forth: adjoints come last first */
            const Piece *p = &bar->pieces.at[turn % 2 ? k : bar->pieces.n - 1 - k];
            const Poly *gap = poly_sub(g->arena, from, p->lo[along]);
            int64_t known;
            if ((poly_is_int(gap, &known) && known < 0) || !graph_prove(g, gap, 0, NULL)) {
                continue;
            }
            const Poly *next = poly_add(g->arena, p->hi[along], poly_int(g->arena, 1));
            if (!poly_equal(next, from) &&
                graph_prove(g, poly_sub(g->arena, next, from), 0, NULL)) {
                from = next;
            }
        }
    }
    return graph_prove(
        g, poly_sub(g->arena, poly_sub(g->arena, from, hi[along]), poly_int(g->arena, 1)), 0, NULL);
}

/* The least place of all boxes along an axis, or the last one; that of the array where it is not
 * known. */
static const Poly *hull_end(Graph *g, const Array *bar, int axis, bool last) {
    const Poly *most = bar->pieces.n ? NULL
                       : last        ? poly_sub(g->arena, bar->extent[axis], poly_int(g->arena, 1))
                                     : poly_int(g->arena, 0);
    for (int round = 0; round < 2; round++) { /* found, if there is one; then compared with all */
        for (int q = 0; q < bar->pieces.n; q++) {
            const Piece *p = &bar->pieces.at[q];
            const Poly *x = last ? p->hi[axis] : p->lo[axis];
            most = most ? most : x;
            const Poly *beyond = last ? poly_sub(g->arena, most, x) : poly_sub(g->arena, x, most);
            if (x == most || graph_prove(g, beyond, 0, NULL)) {
                continue;
            }
            if (round == 1) {
                return last ? poly_sub(g->arena, bar->extent[axis], poly_int(g->arena, 1))
                            : poly_int(g->arena, 0);
            }
            most = x;
        }
    }
    return most;
}

/* Where the adjoint of a has no piece it is zero, and nothing is passed on: the product with a
 * partial derivative could be 0 times infinity. Narrows the box, or adds a condition. */
static void within_adjoint(State *s, ArrayRef a, const Poly **lo, const Poly **hi, Scope *around,
                           Ref *place) {
    Graph *g = s->g;
    const Adjoint *adj = &s->adjoint[a];
    const Array *bar = ARRAY(g, adj->array);
    int rank = ARRAY(g, a)->rank, n = bar->rank, first = bar->rank;
    const Poly **from = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *from),
               **to = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *to);
    Hull *h = &s->hull[a];
    if (h->serial != s->hulls) {
        h->from = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *from);
        h->to = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *to);
        for (int k = 0; k < n; k++) {
            h->from[k] = hull_end(g, bar, k, false);
            h->to[k] = hull_end(g, bar, k, true);
        }
        h->covered = pieces_cover(g, bar, h->from, h->to);
        h->serial = s->hulls;
    }
    memcpy(from, h->from, (size_t)n * sizeof *from);
    memcpy(to, h->to, (size_t)n * sizeof *to);
    Ref some = 0;
    if (!h->covered) {
        if (bar->pieces.n > 4) {
            return;
        }
        for (int q = 0; q < bar->pieces.n && place; q++) {
            Ref in = 0;
            int at = adj->ncontext;
            for (int k = 0; k < rank; k++) {
                if (!adj->pin[k]) {
                    const Poly *x = graph_poly(g, place[k]);
                    paths_require(g, &in, OP_le, bar->pieces.at[q].lo[at], x);
                    paths_require(g, &in, OP_le, x, bar->pieces.at[q].hi[at]);
                    at++;
                }
            }
            in = in ? in : graph_bool(g, true);
            some = some ? graph_op2(g, OP_or, some, in) : in;
        }
    }
    for (int k = rank - 1; k >= 0; k--) {
        if (!adj->pin[k]) {
            first--;
            if (!place) {
                box_narrow(g, &lo[k], &hi[k], from[first], to[first]);
            } else {
                Ref in = 0;
                const Poly *x = graph_poly(g, place[k]);
                if (!graph_prove(g, poly_sub(g->arena, lo[k], from[first]), 0, NULL)) {
                    paths_require(g, &in, OP_le, from[first], x);
                }
                if (!graph_prove(g, poly_sub(g->arena, to[first], hi[k]), 0, NULL)) {
                    paths_require(g, &in, OP_le, x, to[first]);
                }
                if (in) {
                    scope_guard(g, around, in);
                }
            }
        }
    }
    if (some) {
        scope_guard(g, around, some);
    }
}

/* Where axes are pinned, boxes are conditions over e's indices: of an adjoint that is a choice
 * between something and 0, and asks for no data, the condition for something; else 0. */
static Ref within_choice(State *s, ArrayRef a, const Ref *place) {
    Graph *g = s->g;
    const Adjoint *adj = &s->adjoint[a];
    const Array *bar = ARRAY(g, adj->array);
    double zero;
    int n = 0;
    if (bar->pieces.n != 1 || bar->rank == adj->ncontext + ARRAY(g, a)->rank) {
        return 0;
    }
    Ref r = bar->pieces.at[0].body;
    r = NODE(g, r)->op == OP_neg ? ARG(g, r, 0) : r;
    if (NODE(g, r)->op != OP_SELECT || !graph_is_real(g, ARG(g, r, 2), &zero) || zero != 0) {
        return 0;
    }
    Ref c = ARG(g, r, 0);
    Walk walk = walk_start(g, c);
    for (Ref t; (t = walk_next(walk));) {
        if (NODE(g, t)->op == OP_READ || NODE(g, t)->op == OP_REDUCE) {
            return 0;
        }
        walk_into(walk, t);
    }
    Ref *to = arena_alloc(g->arena, (size_t)(bar->rank + 1) * sizeof *to);
    for (int k = 0; k < adj->ncontext; k++) {
        to[n++] = adj->context[k];
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!adj->pin[k]) {
            to[n++] = place[k];
        }
    }
    return graph_subst(g, c, n, bar->axis, to);
}

/* enter, but only where the adjoint is not zero by its boxes; these are known. */
static Ref *enter_within(State *s, ArrayRef a, const Poly **lo, const Poly **hi, Ref guard,
                         Scope *around) {
    Graph *g = s->g;
    bool stored = s->adjoint[a].array != 0;
    if (stored) {
        within_adjoint(s, a, lo, hi, NULL, NULL);
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            const Poly *over = poly_sub(g->arena, lo[k], hi[k]);
            if (graph_prove(g, poly_sub(g->arena, over, poly_int(g->arena, 1)), 0, NULL)) {
                return NULL; /* an empty box */
            }
        }
    }
    Ref *place = enter(s, a, lo, hi, guard, around);
    if (stored && place) {
        within_adjoint(s, a, lo, hi, around, place);
        Ref chosen = within_choice(s, a, place);
        if (chosen) {
            scope_guard(g, around, chosen);
        }
    }
    return place;
}

/* The same for a circle, when the boxes of its adjoints are known: narrower ranges for what was
 * sent before, and no conditions, which would stand in its loops. True where adjoints of its own
 * members change by that. */
static bool circle_within(State *s) {
    Graph *g = s->g;
    bool inside = false;
    for (int k = 0; k < s->visited.n; k++) {
        const Visited v = s->visited.at[k];
        int rank = ARRAY(g, v.a)->rank;
        const Poly **lo = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *lo),
                   **hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *hi);
        memcpy(lo, v.lo, (size_t)rank * sizeof *lo);
        memcpy(hi, v.hi, (size_t)rank * sizeof *hi);
        within_adjoint(s, v.a, lo, hi, NULL, NULL);
        bool less = false;
        for (int q = 0; q < rank; q++) {
            less = less || !poly_equal(lo[q], v.lo[q]) || !poly_equal(hi[q], v.hi[q]);
        }
        for (int c = v.from; c < v.to && less; c++) {
            Contribution *x = &s->sent.at[c];
            x->around = scope_copy(g, &x->around);
            for (int i = 0; i < x->around.n; i++) {
                for (int q = 0; q < rank; q++) {
                    if (x->around.index[i] == v.place[q]) {
                        x->around.lo[i] = lo[q], x->around.hi[i] = hi[q];
                    }
                }
            }
            for (int m = 0; m < s->visited.n; m++) {
                inside = inside || s->visited.at[m].a == x->to;
            }
        }
    }
    s->visited.n = 0;
    return inside;
}

/* Passes the adjoint of a on to what a reads. `finished`: its pieces are known. */
static void visit_array(State *s, ArrayRef a, bool finished) {
    Graph *g = s->g;
    Adjoint *adj = &s->adjoint[a];
    if (!adj->array && !adj->value) {
        return;
    }
    if (kernel_is(g, a)) {
        const Piece p = ARRAY(g, a)->pieces.at[0];
        s->at = p.at;
        visit_kernel(s, a, &p, graph_both(g, demand_narrow(g, s->wanted[a], p.guard), p.live));
        return;
    }
    int rank = ARRAY(g, a)->rank;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        Scope around = {0};
        const Poly **lo = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *lo),
                   **hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *hi);
        memcpy(lo, p.lo, (size_t)rank * sizeof *lo);
        memcpy(hi, p.hi, (size_t)rank * sizeof *hi);
        s->at = p.at;
        Ref guard = graph_both(g, demand_narrow(g, s->wanted[a], p.guard), p.live);
        Ref *place = finished ? enter_within(s, a, lo, hi, guard, &around)
                              : enter(s, a, lo, hi, guard, &around);
        if (!place) {
            continue;
        }
        Ref body = graph_subst(g, p.body, ARRAY(g, a)->rank, ARRAY(g, a)->axis, place);
        /* Cases of an equation are disjoint, so the array has the value of this piece;
         * contributions overlap. */
        bool own = ARRAY(g, a)->pieces.n == 1 || ARRAY(g, a)->order == 0;
        int from = s->sent.n;
        Ref ct = adjoint_at(g, adj, place);
        if (finished && adj->value && one_hot(g, ct)) {
            scope_guard(g, &around, ARG(g, ct, 0));
            ct = ARG(g, ct, 1);
        }
        visit(s, body, ct, &around, own ? graph_read(g, a, place) : 0);
        if (!finished && ARRAY(g, a)->order == 0) { /* what that makes of these has its boxes */
            VEC_PUSH(g->arena, s->visited, ((Visited){a, lo, hi, place, from, s->sent.n}));
        }
    }
    for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
        const ArrayRule rule = ARRAY(g, a)->rules.at[q];
        s->at = ARRAY(g, a)->at;
        if (s->paths.active[rule.by]) {
            const Piece p = ARRAY(g, a)->pieces.at[0];
            visit_rule(s, a, &rule, graph_both(g, demand_narrow(g, s->wanted[a], p.guard), p.live));
        }
    }
}

static bool is_nothing(const Graph *g, ArrayRef a) {
    (void)g;
    (void)a;
    return false;
}

void differentiate(Graph *g, Ref e, const Scope *scope, int n, const ArrayRef *by,
                   Adjoint *result) {
    State *s = arena_alloc(g->arena, sizeof *s);
    s->g = g, s->paths = (Paths){.g = g, .nby = n, .by = by, .dear_from = 1};
    s->context = scope_part(g, scope, 1, &e);
    /* e itself as an array over its indices. */
    Ref read;
    Span at = {0};
    ArrayRef root = graph_array_over(g, "e", &s->context, e, at, &read);
    share_derived(g, root);
    paths_find(&s->paths, root);
    bool lifted = s->paths.active[root];
    if (lifted) {
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n;
             a++) { /* arrays made meanwhile are lifted in their turn */
            if ((int)a < s->paths.nactive && s->paths.active[a] && !paths_is_by(&s->paths, a)) {
                paths_lift(&s->paths, a);
            }
        }
    }
    if (lifted) { /* what was lifted out of several equations may be equal */
        share_derived(g, root);
        s->paths = (Paths){.g = g, .nby = n, .by = by, .dear_from = 1};
        paths_find(&s->paths, root);
    }
    Order order = graph_order_of_rules(g, 1, &root);
    int all = g->arrays.n; /* adjoints made from here on have no adjoints themselves */
    s->wanted = demand_find(g, &order, is_nothing);
    s->adjoint = arena_alloc(g->arena, (size_t)(all + 1) * sizeof *s->adjoint);
    for (int k = 0; k < n; k++) {
        s->adjoint[by[k]].of = by[k];
    }
    Contribution seed = {
        .to = root, .ct = graph_real(g, ARRAY(g, root)->type, 1), .position = s->context.index};
    seed.around.guard = s->context.guard;
    s->hull = arena_alloc(g->arena, (size_t)(all + 1) * sizeof *s->hull);
    s->hulls = 1;
    s->first = arena_alloc(g->arena, (size_t)(all + 1) * sizeof *s->first);
    s->last = arena_alloc(g->arena, (size_t)(all + 1) * sizeof *s->last);
    sent_add(s, seed);
    for (int hi = order.n; hi > 0;) {
        int lo = hi - 1;
        while (lo > 0 && order.component[lo - 1] == order.component[hi - 1]) {
            lo--;
        }
        bool circle = hi - lo > 1 || graph_reads_itself(g, order.array[lo]);
        const Ref *pins = circle ? circle_pins(s, &order, lo, hi) : NULL;
        for (int k = lo; k < hi; k++) { /* readers come last in the order */
            ArrayRef a = order.array[k];
            if (!s->paths.active[a]) {
                continue;
            }
            if (paths_is_by(&s->paths, a)) {
                adjoint_start(s, a, true, NULL);
                continue;
            }
            adjoint_start(s, a, !circle, pins);
            if (circle) {
                adjoint_make(s, a);
            } else {
                adjoint_finish(s, a, true);
                visit_array(s, a, true);
            }
        }
        if (circle) {
            for (int k = lo; k < hi; k++) {
                if (s->paths.active[order.array[k]] && !paths_is_by(&s->paths, order.array[k])) {
                    visit_array(s, order.array[k], false);
                }
            }
            for (bool again = true; again;) {
                for (int k = lo; k < hi; k++) {
                    ArrayRef a = order.array[k];
                    if (s->paths.active[a] && !paths_is_by(&s->paths, a)) {
                        ARRAY(g, s->adjoint[a].array)->pieces.n = 0;
                        s->hulls++;
                        adjoint_finish(s, a, false);
                    }
                }
                again = circle_within(s);
            }
        }
        hi = lo;
    }
    for (int k = 0; k < n; k++) {
        if (s->paths.active[by[k]]) {
            adjoint_start(s, by[k], true, NULL);
            adjoint_finish(s, by[k], true);
        }
        result[k] = s->adjoint[by[k]];
        result[k].of = by[k];
        if (!result[k].pin) {
            result[k].pin =
                arena_alloc(g->arena, (size_t)(ARRAY(g, by[k])->rank + 1) * sizeof(Ref));
        }
    }
    paths_release_arrays(g, (ArrayRef)all);
    for (int k = 0; k < n; k++) {
        result[k].value = result[k].value ? paths_release(g, result[k].value) : 0;
    }
}
