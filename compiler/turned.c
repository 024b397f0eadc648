/* turned: what a recurrence computes in one turn lies together in memory.
 * In: a graph, about to be planned. Out: the same, with the axes of some arrays in another order.
 *
 * An array is laid out as its axes are written, the last one innermost. In y[b, t], found from
 * y[b, t - 1], the entries of one turn lie T apart, though the loop over the turns is the outer one
 * and that over b is the one that could be vector code. So the axis that the turns go along comes
 * first, where it was the last. What is read or made at the same places, as the terms of an adjoint
 * are, follows. What callers see stays as it is, and so does what a kernel takes as a whole. */
#include "gen.h"
#include "kernel.h"

typedef struct Turned {
    Graph *g;
    size_t arrays;  /* so many there were */
    bool *may;      /* by array: its order is ours */
    bool *goes;     /* by array: turns go along its last axis */
    ArrayRef *made; /* by array: what stands for it; 0: it stays */
} Turned;

static bool is_turned(const Turned *t, ArrayRef a) {
    return a < t->arrays && t->goes[a];
}

/* What kernels read is copied as they want it, unless it is an array that lies so already. */
static void find_movable(Turned *t, const Order *order) {
    Graph *g = t->g;
    for (int k = 0; k < order->n; k++) {
        const Array *a = ARRAY(g, order->array[k]);
        t->may[order->array[k]] = a->rank >= 2 && a->rank < 32 && a->type >= VALUE_FLOAT &&
                                  !fuse_is_result(g, order->array[k]) && !a->counts && !a->turn &&
                                  !a->target && !kernel_is(g, order->array[k]);
    }
    for (int k = 0; k < order->n; k++) {
        const ArrayRef *reads;
        int n = kernel_is(g, order->array[k]) ? graph_array_reads(g, order->array[k], &reads) : 0;
        for (int q = 0; q < n; q++) {
            t->may[reads[q]] = false;
        }
    }
}

/* Recurrences whose turns go along last axes. */
static void find_circles(Turned *t, const Order *order) {
    Graph *g = t->g;
    size_t all = (size_t)g->arrays.n + 1;
    int sign, *axis = arena_alloc(g->arena, all * sizeof *axis),
              *off = arena_alloc(g->arena, all * sizeof *off);
    for (int lo = 0, hi; lo < order->n; lo = hi) {
        for (hi = lo + 1; hi < order->n && order->component[hi] == order->component[lo];) {
            hi++;
        }
        bool circle = hi - lo > 1 || graph_reads_itself(g, order->array[lo]);
        if (circle && circle_axes(g, hi - lo, order->array + lo, axis, off, &sign)) {
            for (int k = lo; k < hi; k++) {
                ArrayRef a = order->array[k];
                t->goes[a] = t->may[a] && axis[a] == ARRAY(g, a)->rank - 1;
            }
        }
    }
}

/* Is the place the index itself, or a fixed distance from it? */
static bool in_step(Graph *g, Ref place, Ref index) {
    int64_t distance;
    return graph_has_index(g, place, index) &&
           poly_is_int(poly_sub(g->arena, graph_poly(g, place), poly_var(g->arena, index)),
                       &distance);
}

/* Follows reads both ways through a term of `by`. True: an array more. */
static bool follow(Turned *t, ArrayRef by, Ref term) {
    Graph *g = t->g;
    Ref index = ARRAY(g, by)->axis[ARRAY(g, by)->rank - 1];
    bool more = false;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ && n.nargs && t->may[n.aux] && t->goes[n.aux] != t->goes[by] &&
            in_step(g, ARG(g, r, n.nargs - 1), index)) {
            t->goes[n.aux] = t->goes[by] = more = true;
        }
        walk_into(walk, r);
    }
    return more;
}

static void find_followers(Turned *t, const Order *order) {
    Graph *g = t->g;
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < order->n; k++) {
            const Array *a = ARRAY(g, order->array[k]);
            for (int q = 0; q < a->pieces.n && t->may[order->array[k]]; q++) {
                more = follow(t, order->array[k], a->pieces.at[q].body) || more;
            }
        }
    }
}

static Ref read_turned(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Turned *t = user;
    Ref at[32];
    if (!is_turned(t, a)) {
        return 0;
    }
    int n = ARRAY(g, a)->rank;
    at[0] = positions[n - 1];
    for (int k = 1; k < n; k++) {
        at[k] = positions[k - 1];
    }
    return graph_read(g, t->made[a], at);
}

static void make_turned(Turned *t, ArrayRef a) {
    Graph *g = t->g;
    const Array x = *ARRAY(g, a);
    const Poly *extent[32];
    const char *names[32];
    for (int k = 0; k < x.rank; k++) {
        int from = k == 0 ? x.rank - 1 : k - 1;
        extent[k] = x.extent[from];
        names[k] = g->indices.at[NODE(g, x.axis[from])->aux].name;
    }
    t->made[a] = graph_array(g, x.name, x.type, x.rank, extent, names);
    Array *new = ARRAY(g, t->made[a]);
    const char *own = new->name;
    new->name = x.name; /* the one that is left behind takes the other */
    ARRAY(g, a)->name = own;
    new->at = x.at, new->order = x.order, new->derived = x.derived;
    new->adjoint_of = x.adjoint_of;
}

static Ref in_order(Turned *t, Ref term) {
    return term ? graph_rewrite_reads(t->g, term, read_turned, t) : 0;
}

/* The pieces of a, in what stands for it. */
static void fill(Turned *t, ArrayRef a) {
    Graph *g = t->g;
    const Array x = *ARRAY(g, a);
    ArrayRef to = t->made[a] ? t->made[a] : a;
    Ref at[32];
    for (int k = 0; k < x.rank && t->made[a]; k++) {
        at[k] = ARRAY(g, to)->axis[(k + 1) % x.rank];
    }
    for (int q = 0; q < x.pieces.n; q++) {
        const Piece *p = &x.pieces.at[q];
        Ref body = in_order(t, p->body), guard = in_order(t, p->guard), live = in_order(t, p->live);
        if (to == a) {
            Piece *same = &ARRAY(g, a)->pieces.at[q];
            same->body = body, same->guard = guard, same->live = live;
            continue;
        }
        const Poly *lo[32], *hi[32];
        for (int k = 0; k < x.rank; k++) {
            lo[(k + 1) % x.rank] = p->lo[k], hi[(k + 1) % x.rank] = p->hi[k];
        }
        body = graph_subst(g, body, x.rank, x.axis, at);
        if (graph_piece(g, to, lo, hi, body, p->at)) {
            Piece *new = &ARRAY(g, to)->pieces.at[ARRAY(g, to)->pieces.n - 1];
            new->guard = guard ? graph_subst(g, guard, x.rank, x.axis, at) : 0;
            new->live = live ? graph_subst(g, live, x.rank, x.axis, at) : 0;
        }
    }
}

void turned_make(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order_needs(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Turned t = {.g = g, .arrays = (size_t)g->arrays.n};
    bool some = false;
    t.may = arena_alloc(g->arena, all);
    t.goes = arena_alloc(g->arena, all);
    t.made = arena_alloc(g->arena, all * sizeof *t.made);
    find_movable(&t, &order);
    find_circles(&t, &order);
    find_followers(&t, &order);
    for (int k = 0; k < order.n; k++) {
        if (t.goes[order.array[k]]) {
            make_turned(&t, order.array[k]);
            some = true;
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        fill(&t, order.array[k]);
    }
}
