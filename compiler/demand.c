/* demand: lazy by need. An array whose every read stands under a condition is wanted only where the condition holds: it need not
 * be computed elsewhere, and its adjoint is zero there, whatever 0 times infinity would give.
 * In: arrays in order. Out: for each the condition over its axes, or 0. */
#include "demand.h"
#include "ops.h"
#include <stdlib.h>

enum { MANY_CONDITIONS = 4 };

typedef struct Demand {
    bool always;
    int sides;  /* how many conditions were joined */
    Ref guard;  /* over the array's axes */
} Demand;

enum { NEVER, ALWAYS, UNDER };
typedef struct Work { /* by node; reset for the nodes of each term */
    VEC(uint8_t) how;
    VEC(Ref) need;    /* the condition of UNDER */
} Work;

static int falling(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The index that a position holds with the factor 1 or -1, beside sizes alone; else 0. Then index = *of, over the axis. */
static Ref only_index(Graph *g, Ref position, Ref axis, const Poly **of) {
    const Ref *free;
    const Poly *rest;
    int64_t num, den;
    if (graph_free(g, position, &free) != 1 || !poly_linear(g->arena, graph_poly(g, position), free[0], &num, &den, &rest) || den != 1 ||
        num * num != 1) {
        return 0;
    }
    Ref index = free[0]; /* `free` may move */
    const Ref *others;
    if (graph_free(g, graph_of_poly(g, rest), &others) != 0) {
        return 0;
    }
    *of = poly_scale(g->arena, poly_sub(g->arena, poly_var(g->arena, axis), rest), num, 1);
    return index;
}

/* `bounds && p >= 0`, unless p is never negative; p holds the axis with the factor 1 or -1. */
static Ref and_not_negative(Graph *g, Ref bounds, const Poly *p, Ref axis) {
    const Poly *rest;
    int64_t num, den;
    if (graph_prove(g, p, 0, NULL) || !poly_linear(g->arena, p, axis, &num, &den, &rest)) {
        return bounds;
    }
    Ref inside = num > 0 ? graph_op2(g, OP_le, graph_of_poly(g, poly_neg(g->arena, rest)), axis) : graph_op2(g, OP_le, axis, graph_of_poly(g, rest));
    return bounds ? graph_and(g, bounds, inside) : inside;
}

/* Is `condition` one of those that `joined` joins by ||, the last one added at the right? */
static bool holds_one(const Graph *g, Ref joined, Ref condition) {
    while (joined != condition && NODE(g, joined)->op == OP_or && ARG(g, joined, 1) != condition) {
        joined = ARG(g, joined, 0);
    }
    return joined == condition || NODE(g, joined)->op == OP_or;
}

/* A read under the condition `need`, in a piece of the array `reader`. */
static void demand_read(Graph *g, Demand *demand, ArrayRef reader, const Piece *piece, Ref read, Ref need) {
    ArrayRef array = NODE(g, read)->aux;
    Demand *d = &demand[array];
    if (!need) {
        d->always = true;
    }
    int rank = ARRAY(g, array)->rank;
    d->always = d->always || rank > 16;
    if (d->always) {
        return;
    }
    /* Axes read at an index and a distance carry the condition over; what stands at the other axes does not matter: more than is
     * read may be wanted, never less. */
    Ref from[16], to[16], axis[16];
    const Poly *of[16];
    int placed_axes = 0;
    for (int k = 0; k < rank; k++) {
        axis[placed_axes] = ARRAY(g, array)->axis[k];
        Ref index = only_index(g, ARG(g, read, k), axis[placed_axes], &of[placed_axes]);
        bool twice = !index;
        for (int j = 0; j < placed_axes; j++) {
            twice = twice || from[j] == index;
        }
        if (!twice) {
            from[placed_axes] = index;
            to[placed_axes] = graph_of_poly(g, of[placed_axes]);
            placed_axes++;
        }
    }
    Ref bounds = 0;
    const Ref *free;
    int n = graph_free(g, need, &free);
    Ref used[16]; /* `free` may move */
    d->always = n > 16;
    for (int f = 0; f < n && !d->always; f++) {
        used[f] = free[f];
    }
    for (int f = 0; f < n && !d->always; f++) {
        int at = 0;
        while (at < placed_axes && from[at] != used[f]) {
            at++;
        }
        if (at == placed_axes) {
            d->always = true;
            break;
        }
        /* The condition means something only where its index is in its range: beyond, it may read outside of arrays. */
        const Poly *lo = poly_int(g->arena, 0), *hi = poly_sub(g->arena, EXTENT(g, used[f]), poly_int(g->arena, 1));
        for (int k = 0; k < ARRAY(g, reader)->rank; k++) {
            if (ARRAY(g, reader)->axis[k] == used[f]) {
                lo = piece->lo[k], hi = piece->hi[k];
            }
        }
        bounds = and_not_negative(g, bounds, poly_sub(g->arena, of[at], lo), axis[at]);
        bounds = and_not_negative(g, bounds, poly_sub(g->arena, hi, of[at]), axis[at]);
    }
    if (d->always) {
        return;
    }
    Ref c = graph_subst(g, need, placed_axes, from, to);
    c = bounds ? graph_and(g, bounds, c) : c;
    if (d->guard && holds_one(g, d->guard, c)) {
        return;
    }
    d->always = d->sides++ == MANY_CONDITIONS;
    d->guard = d->guard ? graph_op2(g, OP_or, d->guard, c) : c;
    d->always = d->always || graph_is_true(g, d->guard);
}

/* Adds what the piece of a reader asks for. Nodes are met users first, so a node's condition is complete when it is met. */
static void demand_term(Graph *g, Work *w, Demand *demand, ArrayRef reader, const Piece *piece, Ref root, Ref guard) {
    while (w->how.n <= (int)root) {
        VEC_PUSH(g->arena, w->how, NEVER);
        VEC_PUSH(g->arena, w->need, 0);
    }
    VEC(Ref) nodes = {0}, stack = {0};
    graph_walk_start(g);
    VEC_PUSH(g->arena, stack, root);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        if (graph_walk_first(g, r)) {
            VEC_PUSH(g->arena, nodes, r);
            for (int k = 0; k < NODE(g, r)->nargs; k++) {
                VEC_PUSH(g->arena, stack, ARG(g, r, k));
            }
        }
    }
    qsort(nodes.at, (size_t)nodes.n, sizeof *nodes.at, falling);
    uint8_t *how = w->how.at;
    Ref *need = w->need.at;
    for (int i = 0; i < nodes.n; i++) {
        how[nodes.at[i]] = NEVER;
    }
    how[root] = guard ? UNDER : ALWAYS;
    need[root] = guard;
    for (int i = 0; i < nodes.n; i++) {
        Ref r = nodes.at[i];
        int op = NODE(g, r)->op;
        if (op == OP_READ) {
            demand_read(g, demand, reader, piece, r, how[r] == UNDER ? need[r] : 0);
        }
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            Ref x = ARG(g, r, k), c = 0;
            if (op == OP_SELECT && k > 0) {
                c = k == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
            } else if (op == OP_REDUCE && k == 2 && !graph_is_true(g, ARG(g, r, 1))) {
                c = ARG(g, r, 1);
            } else if ((op == OP_and || op == OP_or) && k == 1) {
                c = op == OP_and ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
            }
            Ref under = how[r] == UNDER ? (c ? graph_and(g, need[r], c) : need[r]) : c;
            if (how[x] == NEVER) {
                how[x] = under ? UNDER : ALWAYS;
                need[x] = under;
            } else if (how[x] == UNDER) {
                need[x] = under ? graph_op2(g, OP_or, need[x], under) : 0;
                how[x] = need[x] && !graph_is_true(g, need[x]) ? UNDER : ALWAYS;
            }
        }
    }
}

const Ref *demand_find(Graph *g, const Order *order, bool (*asked)(const Graph *g, ArrayRef a)) {
    Demand *demand = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *demand);
    Ref *guard = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *guard);
    Work work = {0};
    for (int k = order->n - 1; k >= 0; k--) { /* readers first */
        ArrayRef a = order->array[k];
        bool circle = (k > 0 && order->component[k - 1] == order->component[k]) ||
                      (k + 1 < order->n && order->component[k + 1] == order->component[k]) || graph_reads_itself(g, a);
        const Demand *d = &demand[a];
        if (ARRAY(g, a)->role == ARRAY_INTERNAL && !asked(g, a) && !circle && !d->always) {
            guard[a] = d->guard;
        }
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            Ref under = guard[a] ? guard[a] : p.guard;
            demand_term(g, &work, demand, a, &p, p.body, under);
            if (under) {
                demand_term(g, &work, demand, a, &p, under, 0);
            }
        }
    }
    return guard;
}
