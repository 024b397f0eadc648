/* turned: what a recurrence computes in one turn lies together in memory.
 * In: a graph, about to be planned. Out: the same, with the axes of some arrays in another order.
 *
 * An array is laid out as its axes are written, the last one innermost. In y[b, t], found from
 * y[b, t - 1], the entries of one turn lie T apart, though the loop over the turns is the outer one
 * and that over b is the one that could be vector code. So the axis that the turns go along comes
 * first, where it was the last. What is read or made at the same places, as the terms of an adjoint
 * are, follows. Of the other axes one that readers sum over, as in sum[j](y[i, j, t] * x[j]), comes
 * next: so sums for all i are vector code, and none is a sum of a vector's places.
 * What callers see stays as it is, and so does what a kernel takes as a whole. */
#include "gen.h"
#include "kernel.h"

typedef struct Turned {
    Graph *g;
    size_t arrays;  /* so many there were */
    bool *may;      /* by array: its order is ours */
    bool *goes;     /* by array: turns go along its last axis */
    bool *summed;   /* by array: and readers sum over the one before that */
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

/* ---- sums over what lies innermost then */

static bool is_axis_of(Graph *g, ArrayRef a, Ref r) {
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (ARRAY(g, a)->axis[k] == r) {
            return true;
        }
    }
    return false;
}

/* Marks what a sum reads at each of its turns, for each entry of an axis of `by`. */
static void find_summed_in(Turned *t, ArrayRef by, Ref sum) {
    Graph *g = t->g;
    Walk walk = walk_start(g, ARG(g, sum, 2));
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ && is_turned(t, n.aux) && n.nargs > 2 &&
            ARG(g, r, n.nargs - 2) == ARG(g, sum, 0)) {
            for (int k = 0; k < n.nargs - 2; k++) {
                t->summed[n.aux] = t->summed[n.aux] || is_axis_of(g, by, ARG(g, r, k));
            }
        }
        walk_into(walk, r);
    }
}

static void find_summed(Turned *t, ArrayRef by, Ref term) {
    Graph *g = t->g;
    VEC(Ref) sums = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_REDUCE && NODE(g, r)->aux == RED_SUM) {
            VEC_PUSH(g->arena, sums, r);
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < sums.n; k++) {
        find_summed_in(t, by, sums.at[k]);
    }
}

/* Arrays that are read at the very entry that is made lie as that does. */
static bool same_order(Turned *t, ArrayRef by, Ref term) {
    Graph *g = t->g;
    bool more = false;
    int rank = ARRAY(g, by)->rank;
    Walk walk = walk_start(g, term);
    for (Ref r; is_turned(t, by) && (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        bool same = n.op == OP_READ && is_turned(t, n.aux) && n.nargs == rank &&
                    t->summed[n.aux] != t->summed[by];
        for (int k = 0; k + 1 < rank && same; k++) {
            same = ARG(g, r, k) == ARRAY(g, by)->axis[k];
        }
        if (same) {
            t->summed[n.aux] = t->summed[by] = more = true;
        }
        walk_into(walk, r);
    }
    return more;
}

static void find_orders(Turned *t, const Order *order) {
    Graph *g = t->g;
    bool first = true;
    for (bool more = true; more; first = false) {
        more = first;
        for (int k = 0; k < order->n; k++) {
            ArrayRef a = order->array[k];
            for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                Ref body = ARRAY(g, a)->pieces.at[q].body;
                if (first) {
                    find_summed(t, a, body);
                } else {
                    more = same_order(t, a, body) || more;
                }
            }
        }
    }
}

/* Which of its axes is the k-th of what stands for it? */
static int axis_from(const Turned *t, ArrayRef a, int k) {
    int rank = ARRAY(t->g, a)->rank;
    int first = t->summed[a] ? 2 : 1; /* so many come from the end */
    return k < first ? rank - 1 - k : k - first;
}

static Ref read_turned(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Turned *t = user;
    Ref at[32];
    if (!is_turned(t, a)) {
        return 0;
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        at[k] = positions[axis_from(t, a, k)];
    }
    return graph_read(g, t->made[a], at);
}

static void make_turned(Turned *t, ArrayRef a) {
    Graph *g = t->g;
    const Array x = *ARRAY(g, a);
    const Poly *extent[32];
    const char *names[32];
    for (int k = 0; k < x.rank; k++) {
        int from = axis_from(t, a, k);
        extent[k] = x.extent[from];
        names[k] = g->indices.at[NODE(g, x.axis[from])->aux].name;
    }
    t->made[a] = graph_array(g, x.name, x.type, x.rank, extent, names);
    Array *new = ARRAY(g, t->made[a]);
    const char *own = new->name;
    new->name = x.name; /* the one that is left behind takes the other */
    ARRAY(g, a)->name = own;
    new->at = x.at, new->order = x.order, new->derived = x.derived;
    new->adjoint_of = x.adjoint_of, new->within = x.within;
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
        at[axis_from(t, a, k)] = ARRAY(g, to)->axis[k];
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
            lo[k] = p->lo[axis_from(t, a, k)], hi[k] = p->hi[axis_from(t, a, k)];
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
    t.summed = arena_alloc(g->arena, all);
    t.made = arena_alloc(g->arena, all * sizeof *t.made);
    find_movable(&t, &order);
    find_circles(&t, &order);
    find_followers(&t, &order);
    find_orders(&t, &order);
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
