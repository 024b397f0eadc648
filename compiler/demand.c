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

static void demand_read(Graph *g, Demand *demand, Ref read, Ref need) {
    const Array *x = ARRAY(g, NODE(g, read)->aux);
    Demand *d = &demand[NODE(g, read)->aux];
    const Ref *free;
    if (!need) {
        d->always = true;
    }
    if (d->always) {
        return;
    }
    Ref at[16];
    int n = graph_free(g, need, &free);
    if (x->rank > 16) {
        d->always = true;
        return;
    }
    /* Axes read at a plain index carry the condition over; what stands at the other axes does not matter: more than is read
     * may be wanted, never less. */
    Ref from[16], to[16];
    int placed_axes = 0;
    for (int k = 0; k < x->rank; k++) {
        at[k] = ARG(g, read, k);
        bool twice = NODE(g, at[k])->op != OP_INDEX;
        for (int j = 0; j < placed_axes; j++) {
            twice = twice || from[j] == at[k];
        }
        if (!twice) {
            from[placed_axes] = at[k];
            to[placed_axes++] = x->axis[k];
        }
    }
    for (int f = 0; f < n && !d->always; f++) {
        bool placed = false;
        for (int k = 0; k < placed_axes; k++) {
            placed = placed || from[k] == free[f];
        }
        d->always = !placed;
    }
    if (d->always || d->sides >= MANY_CONDITIONS) {
        d->always = true;
        return;
    }
    Ref c = graph_subst(g, need, placed_axes, from, to);
    d->guard = d->guard ? graph_op2(g, OP_or, d->guard, c) : c;
    d->sides++;
    d->always = graph_is_true(g, d->guard);
}

/* Adds what the piece of a reader asks for. Nodes are met users first, so a node's condition is complete when it is met. */
static void demand_term(Graph *g, Work *w, Demand *demand, Ref root, Ref guard) {
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
            demand_read(g, demand, r, how[r] == UNDER ? need[r] : 0);
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
            demand_term(g, &work, demand, p.body, under);
            if (under) {
                demand_term(g, &work, demand, under, 0);
            }
        }
    }
    return guard;
}
