/* within: which derivatives nobody reads but where they are something.
 * In: a graph, about to be planned. Out: a mark on such arrays.
 *
 * A derivative is 0 where no piece of it says more, and may be read there. So its memory is set to
 * 0 before its pieces are added, and its term may not stand for a read of it. But most derivatives
 * in a part of a row, J[c, f + 2] = dir(err[c], theta, unit[f]), are made for 2 <= f of arrays for
 * 2 <= f, and so on: where every read is proved to be in the box that holds all pieces, and these
 * leave nothing out, an array is like those of the source, which have no entries but those that
 * an equation gives. A piece under a condition is there for readers under it. */
#include "gen.h"
#include "kernel.h"

typedef struct Box {
    const Poly **lo, **hi;
} Box;

/* The numbers that the pieces lie between, or one box for all of them. */
static bool hull_of(Graph *g, ArrayRef a, Box *box, bool *same) {
    const Array *x = ARRAY(g, a);
    *same = true;
    box->lo = arena_alloc(g->arena, (size_t)(x->rank + 1) * sizeof *box->lo);
    box->hi = arena_alloc(g->arena, (size_t)(x->rank + 1) * sizeof *box->hi);
    for (int k = 0; k < x->rank; k++) {
        box->lo[k] = x->pieces.at[0].lo[k], box->hi[k] = x->pieces.at[0].hi[k];
        for (int q = 1; q < x->pieces.n; q++) {
            const Piece *p = &x->pieces.at[q];
            int64_t lo, hi, least, most;
            if (poly_equal(p->lo[k], box->lo[k]) && poly_equal(p->hi[k], box->hi[k])) {
                continue;
            }
            *same = false;
            if (!poly_is_int(p->lo[k], &lo) || !poly_is_int(p->hi[k], &hi) ||
                !poly_is_int(box->lo[k], &least) || !poly_is_int(box->hi[k], &most)) {
                return false;
            }
            box->lo[k] = lo < least ? p->lo[k] : box->lo[k];
            box->hi[k] = hi > most ? p->hi[k] : box->hi[k];
        }
    }
    return true;
}

static const Poly *volume(Graph *g, int rank, const Poly *const *lo, const Poly *const *hi) {
    const Poly *one = poly_int(g->arena, 1), *all = one;
    for (int k = 0; k < rank; k++) {
        all = poly_mul(g->arena, all, poly_add(g->arena, poly_sub(g->arena, hi[k], lo[k]), one));
    }
    return all;
}

/* Do pieces that lie apart leave nothing of the box out? */
static bool fills(Graph *g, ArrayRef a, const Box *box) {
    const Array *x = ARRAY(g, a);
    const bool *meet = graph_pieces_meet(g, a);
    const Poly *sum = poly_int(g->arena, 0);
    for (int q = 0; q < x->pieces.n; q++) {
        const Piece *p = &x->pieces.at[q];
        if (meet[q]) {
            return false;
        }
        sum = poly_add(g->arena, sum, volume(g, x->rank, p->lo, p->hi));
    }
    return poly_equal(
        sum, volume(g, x->rank, (const Poly *const *)box->lo, (const Poly *const *)box->hi));
}

/* Which may be marked: those that a derivative's zeros matter for. */
static bool may_be(Graph *g, ArrayRef a, Box *box) {
    const Array *x = ARRAY(g, a);
    bool whole = true, same;
    for (int k = 0; k < x->rank; k++) {
        whole = whole && graph_is_whole(g, a, k);
    }
    if (x->order == 0 || x->type < VALUE_FLOAT || whole || x->pieces.n == 0 || x->counts ||
        x->turn || fuse_is_result(g, a) || kernel_is(g, a)) {
        return false;
    }
    for (int q = 0; q < x->pieces.n; q++) {
        if (x->pieces.at[q].live) {
            return false;
        }
    }
    return hull_of(g, a, box, &same) && (same || fills(g, a, box));
}

static bool is_inside(Graph *g, const Lag *l, const Box *box) {
    for (int k = 0; k < ARRAY(g, l->of)->rank; k++) {
        const Poly *at = graph_poly(g, ARG(g, l->read, k)),
                   *end = poly_sub(g->arena, ARRAY(g, l->of)->extent[k], poly_int(g->arena, 1));
        if ((!poly_equal(box->lo[k], poly_int(g->arena, 0)) &&
             !lag_prove(g, l, poly_sub(g->arena, at, box->lo[k]))) ||
            (!poly_equal(box->hi[k], end) &&
             !lag_prove(g, l, poly_sub(g->arena, box->hi[k], at)))) {
            return false;
        }
    }
    return true;
}

/* Is a piece there only where the reader asks for it? */
static bool is_asked(Graph *g, const Lag *l) {
    const Array of = *ARRAY(g, l->of);
    Ref *at = arena_alloc(g->arena, (size_t)(of.rank + 1) * sizeof *at);
    for (int k = 0; k < of.rank; k++) {
        at[k] = ARG(g, l->read, k);
    }
    for (int q = 0; q < of.pieces.n; q++) {
        Ref guard = of.pieces.at[q].guard;
        if (guard && (!l->condition || graph_given(g, graph_subst(g, guard, of.rank, of.axis, at),
                                                   l->condition) != 0)) {
            return false;
        }
    }
    return true;
}

static bool reads_some(Graph *g, const bool *of, const Piece *p) {
    Walk walk = walk_start(g, p->body);
    if (p->guard) {
        walk_add(walk, p->guard);
    }
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && of[NODE(g, r)->aux]) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

void within_mark(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order_needs(g, n, roots);
    bool *may = arena_alloc(g->arena, (size_t)g->arrays.n + 1), some = false;
    Box *box = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *box);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        may[a] = may_be(g, a, &box[a]);
        some = some || may[a];
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef by = order.array[k];
        for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
            Lags lags = {0};
            if (reads_some(g, may, &ARRAY(g, by)->pieces.at[q])) {
                lags_find_piece(g, may, by, q, &lags);
            }
            for (int i = 0; i < lags.n; i++) {
                const Lag *l = &lags.at[i];
                may[l->of] = may[l->of] && is_inside(g, l, &box[l->of]) && is_asked(g, l);
            }
        }
    }
    for (int k = 0; k < order.n; k++) {
        ARRAY(g, order.array[k])->within = may[order.array[k]];
    }
}
