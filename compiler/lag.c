/* lag: how far reads look back.
 * In: an array and the arrays of interest. Out: every read of them in its pieces, with what holds
 * there, and proofs of how the place of the read lies to the place that is computed. */
#include "gen.h"

static void find(Graph *g, const bool *of, ArrayRef by, int piece, Ref r, Ref condition,
                 Lags *lags) {
    const Node n = *NODE(g, r);
    if (n.op == OP_READ && of[n.aux]) {
        VEC_PUSH(g->arena, *lags, ((Lag){by, n.aux, piece, r, condition, 0, 0}));
    }
    if (n.op == OP_REDUCE) {
        Ref under, body;
        graph_open(g, r, &under, &body);
        find(g, of, by, piece, under, condition, lags);
        find(g, of, by, piece, body,
             graph_is_true(g, under) ? condition
             : condition             ? graph_and(g, condition, under)
                                     : under,
             lags);
        return;
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k), also = condition;
        if (n.op == OP_SELECT && k > 0) {
            Ref s = k == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
            also = condition ? graph_and(g, condition, s) : s;
        }
        find(g, of, by, piece, a, also, lags);
    }
}

void lags_find(Graph *g, const bool *of, ArrayRef by, Lags *lags) {
    for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
        lags_find_piece(g, of, by, q, lags);
    }
}

void lags_find_piece(Graph *g, const bool *of, ArrayRef by, int piece, Lags *lags) {
    Piece p = ARRAY(g, by)->pieces.at[piece];
    Ref body = ARRAY(g, by)->turn ? ARRAY(g, by)->ends : p.body;
    find(g, of, by, piece, body, graph_both(g, p.guard, p.live), lags);
    if (p.guard) {
        find(g, of, by, piece, p.guard, 0, lags);
    }
}

void lags_find_in(Graph *g, const bool *of, ArrayRef by, int piece, Ref term, Ref condition,
                  Lags *lags) {
    find(g, of, by, piece, term, condition, lags);
    if (condition) {
        find(g, of, by, piece, condition, 0, lags);
    }
}

bool lag_prove(Graph *g, const Lag *l, const Poly *p) {
    const Poly *facts[48];
    if (poly_is_number(p, &(int64_t){0}, &(int64_t){0})) {
        return graph_prove(g, p, 0, NULL);
    }
    int n = l->condition ? graph_facts(g, l->condition, true, facts, 32) : 0;
    const Piece *piece = &ARRAY(g, l->by)->pieces.at[l->piece];
    for (int k = 0; k < ARRAY(g, l->by)->rank && n + 2 <= 48; k++) {
        const Poly *i = poly_var(g->arena, ARRAY(g, l->by)->axis[k]);
        facts[n++] = poly_sub(g->arena, i, piece->lo[k]);
        facts[n++] = poly_sub(g->arena, piece->hi[k], i);
    }
    return graph_prove(g, p, n, facts);
}

int turn_axes(const Graph *g, ArrayRef a) {
    return ARRAY(g, a)->rank + (ARRAY(g, a)->turn != 0);
}

Ref turn_axis(const Graph *g, ArrayRef a, int axis) {
    return axis < ARRAY(g, a)->rank ? ARRAY(g, a)->axis[axis] : ARRAY(g, a)->turn;
}

Ref lag_place(const Graph *g, const Lag *l, int axis) {
    return axis < ARRAY(g, l->of)->rank ? ARG(g, l->read, axis) : l->live;
}

/* Or i <= T + c: then T + c. */
const Poly *lag_last(Graph *g, Ref condition, Ref axis) {
    const Poly *fact[2], *rest;
    int64_t num, den;
    if (NODE(g, condition)->op == OP_and) {
        const Poly *last = lag_last(g, ARG(g, condition, 0), axis);
        return last ? last : lag_last(g, ARG(g, condition, 1), axis);
    }
    if (!graph_reads_count(g, condition) || graph_facts(g, condition, true, fact, 2) != 1 ||
        !poly_linear(g->arena, fact[0], axis, &num, &den, &rest) || num != -1 || den != 1) {
        return NULL;
    }
    return rest;
}

static const Poly *last_live(Graph *g, const Lag *l, int axis) {
    const Array of = *ARRAY(g, l->of);
    Ref *at = arena_alloc(g->arena, (size_t)(of.rank + 1) * sizeof *at);
    const Poly *last = NULL;
    for (int k = 0; k < of.rank; k++) {
        at[k] = ARG(g, l->read, k);
    }
    for (int q = 0; q < of.pieces.n; q++) {
        const Piece p = of.pieces.at[q];
        const Poly *end = p.live ? lag_last(g, p.live, of.axis[axis]) : NULL;
        if (!end && poly_equal(p.lo[axis], p.hi[axis])) {
            continue; /* a first entry, which is there in any case */
        }
        if (!end || (last && !poly_equal(last, end))) {
            return NULL;
        }
        last = end;
    }
    if (!last) {
        return NULL;
    }
    Ref r = graph_of_poly(g, last);
    return graph_poly(g, graph_subst(g, r, of.rank, of.axis, at));
}

static const Poly *distance(Graph *g, const Lag *l, int axis_by, int axis_of, int sign) {
    const Poly *d = poly_sub(g->arena, poly_var(g->arena, turn_axis(g, l->by, axis_by)),
                             graph_poly(g, lag_place(g, l, axis_of)));
    return sign > 0 ? d : poly_neg(g->arena, d);
}

int lag_least(Graph *g, const Lag *l, int axis_by, int axis_of, int sign) {
    if (!lag_place(g, l, axis_of)) {
        return LAG_UNKNOWN;
    }
    const Poly *d = distance(g, l, axis_by, axis_of, sign);
    for (int k = 4; k >= -3; k--) {
        if (lag_prove(g, l, poly_sub(g->arena, d, poly_int(g->arena, k)))) {
            return k;
        }
    }
    return LAG_UNKNOWN;
}

static const Poly *entries_behind(Graph *g, const Lag *l, int axis_of, int sign) {
    const Poly *at = graph_poly(g, ARG(g, l->read, axis_of)), *last = last_live(g, l, axis_of);
    if (!last) {
        last = poly_sub(g->arena, ARRAY(g, l->of)->extent[axis_of], poly_int(g->arena, 1));
    }
    return sign > 0 ? poly_sub(g->arena, last, at) : at;
}

bool lag_at_end(Graph *g, const Lag *l, int axis_of, int sign, int64_t entries) {
    const Poly *behind = entries_behind(g, l, axis_of, sign);
    return lag_prove(g, l, poly_sub(g->arena, poly_int(g->arena, entries - 1), behind));
}

static bool is_small(const Poly *p) {
    int64_t num, den;
    return poly_is_number(p, &num, &den) && den == 1 && num >= -LAG_MOST / 4 && num <= LAG_MOST / 4;
}

bool lag_is_end(Graph *g, const Lag *l, int axis_of, int sign) {
    return is_small(entries_behind(g, l, axis_of, sign));
}

bool lag_in_step(Graph *g, const Lag *l, int axis_by, int axis_of) {
    const Piece *p = &ARRAY(g, l->by)->pieces.at[l->piece];
    const Poly *d = distance(g, l, axis_by, axis_of, 1);
    if (poly_equal(p->lo[axis_by], p->hi[axis_by])) {
        d = poly_subst(g->arena, d, ARRAY(g, l->by)->axis[axis_by], p->lo[axis_by]);
    }
    return is_small(d);
}
