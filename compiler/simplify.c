/* simplify: what needs a view of whole arrays. (Terms are simplified as they are made, see graph and rewrite.)
 * In: the graph with all derivatives expanded, so that the identity of arrays no longer matters. Out: the same arrays, where
 * copies are read through, equal arrays are one, and an equation whose every read stands under a condition has that condition. */
#include "ops.h"
#include "passes.h"
#include <stdlib.h>
#include <string.h>

typedef struct Simplify {
    Graph *g;
    bool *through;       /* by array: reads become its term */
    ArrayRef *same_as;   /* by array: an equal one, or 0 */
} Simplify;

/* The arrays that somebody outside asks for. */
static int wanted(Graph *g, ArrayRef **out) {
    VEC(ArrayRef) roots = {0};
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < g->requests.n; k++) {
        VEC_PUSH(g->arena, roots, g->requests.at[k].of);
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            VEC_PUSH(g->arena, roots, g->requests.at[k].result.at[q]);
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        VEC_PUSH(g->arena, roots, g->gradients.at[k].result);
    }
    *out = roots.at;
    return roots.n;
}

static bool is_asked_for(const Graph *g, ArrayRef a) {
    if (ARRAY(g, a)->is_output || ARRAY(g, a)->role != ARRAY_INTERNAL) {
        return true;
    }
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            if (g->requests.at[k].result.at[q] == a) {
                return true;
            }
        }
        for (int q = 0; q < g->requests.at[k].by.n; q++) {
            if (g->requests.at[k].by.at[q] == a) {
                return true;
            }
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        if (g->gradients.at[k].result == a || g->gradients.at[k].by == a) {
            return true;
        }
    }
    return false;
}

/* No work of its own: a number, a place, a read, or one of these with another sign, type or scale. */
static bool is_plain(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->type == VALUE_INT && n->op != OP_REDUCE && n->op != OP_SELECT && n->op != OP_CHECKED && n->op != OP_trunc) {
        for (int k = 0; k < n->nargs && n->op != OP_READ; k++) {
            if (!is_plain(g, ARG(g, r, k))) {
                return false;
            }
        }
        return true;
    }
    if (n->op == OP_READ || n->op == OP_CONST || n->op == OP_DIM || n->op == OP_INDEX) {
        return true;
    }
    if (n->op == OP_neg || n->op == OP_CAST) {
        return is_plain(g, ARG(g, r, 0));
    }
    return n->op == OP_mul && NODE(g, ARG(g, r, 0))->op == OP_CONST && is_plain(g, ARG(g, r, 1));
}

static bool covers_all(Graph *g, ArrayRef a) {
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

static Ref read_through(Graph *g, void *user, ArrayRef array, const Ref *positions) {
    const Simplify *s = user;
    ArrayRef a = s->same_as[array] ? s->same_as[array] : array;
    if (s->through[a]) {
        const Array *x = ARRAY(g, a);
        return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
    }
    return a == array ? 0 : graph_read(g, a, positions);
}

static void rewrite_array(Simplify *s, ArrayRef a) {
    Graph *g = s->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, read_through, s);
        Ref guard = ARRAY(g, a)->pieces.at[q].guard;
        guard = guard ? graph_rewrite_reads(g, guard, read_through, s) : 0;
        Piece *p = &ARRAY(g, a)->pieces.at[q];
        p->body = graph_cast(g, ARRAY(g, a)->type, body);
        p->guard = guard && !graph_is_true(g, guard) ? guard : 0;
    }
}

/* ---- equal arrays ---------------------------------------------------------------------------------------------------- */

typedef struct Key {
    ArrayRef array;
    const Ref *body; /* over common axes */
} Key;

static const Ref *key_of(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    int n = x->pieces.n, rank = x->rank;
    Ref *axes = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axes), *key = arena_alloc(g->arena, (size_t)(2 * n + 1) * sizeof *key);
    for (int k = 0; k < rank; k++) {
        axes[k] = graph_axis(g, k, x->extent[k]);
    }
    for (int q = 0; q < n; q++) {
        Ref body = ARRAY(g, a)->pieces.at[q].body, guard = ARRAY(g, a)->pieces.at[q].guard;
        key[2 * q] = graph_subst(g, body, rank, ARRAY(g, a)->axis, axes);
        key[2 * q + 1] = guard ? graph_subst(g, guard, rank, ARRAY(g, a)->axis, axes) : 0;
    }
    return key;
}

static bool arrays_equal(const Graph *g, ArrayRef a, const Ref *ka, ArrayRef b, const Ref *kb) {
    const Array *x = ARRAY(g, a), *y = ARRAY(g, b);
    if (x->rank != y->rank || x->pieces.n != y->pieces.n || x->type != y->type ||
        memcmp(ka, kb, (size_t)x->pieces.n * 2 * sizeof *ka)) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        if (!poly_equal(x->extent[k], y->extent[k])) {
            return false;
        }
        for (int q = 0; q < x->pieces.n; q++) {
            if (!poly_equal(x->pieces.at[q].lo[k], y->pieces.at[q].lo[k]) || !poly_equal(x->pieces.at[q].hi[k], y->pieces.at[q].hi[k])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- conditions under which an array is read ----------------------------------------------------------------------------- */

enum { MANY_CONDITIONS = 4 };

typedef struct Demand {
    bool always;
    int sides;  /* how many conditions were joined */
    Ref guard;  /* over the array's axes */
} Demand;

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
    for (int k = 0; k < x->rank; k++) {
        at[k] = ARG(g, read, k);
        d->always = d->always || NODE(g, at[k])->op != OP_INDEX;
        for (int j = 0; j < k; j++) {
            d->always = d->always || at[j] == at[k];
        }
    }
    for (int f = 0; f < n && !d->always; f++) {
        bool placed = false;
        for (int k = 0; k < x->rank; k++) {
            placed = placed || at[k] == free[f];
        }
        d->always = !placed;
    }
    if (d->always || d->sides >= MANY_CONDITIONS) {
        d->always = true;
        return;
    }
    Ref c = graph_subst(g, need, x->rank, at, x->axis);
    d->guard = d->guard ? graph_op2(g, OP_or, d->guard, c) : c;
    d->sides++;
    d->always = graph_is_true(g, d->guard);
}

/* Adds what the piece of a reader asks for. Nodes are met users first, so a node's condition is complete when it is met. */
static void demand_term(Graph *g, Demand *demand, Ref root, Ref guard) {
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
    enum { NEVER, ALWAYS, UNDER };
    uint8_t *how = arena_alloc(g->arena, (size_t)root + 1);
    Ref *need = arena_alloc(g->arena, ((size_t)root + 1) * sizeof *need);
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

static void find_guards(Graph *g, const Order *order) {
    Demand *demand = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *demand);
    for (int k = order->n - 1; k >= 0; k--) { /* readers first */
        ArrayRef a = order->array[k];
        bool circle = (k > 0 && order->component[k - 1] == order->component[k]) ||
                      (k + 1 < order->n && order->component[k + 1] == order->component[k]) || graph_reads_itself(g, a);
        Demand *d = &demand[a];
        bool free = ARRAY(g, a)->role == ARRAY_INTERNAL && !is_asked_for(g, a) && !circle && !d->always && d->guard;
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            if (free) {
                ARRAY(g, a)->pieces.at[q].guard = d->guard;
            }
            Piece p = ARRAY(g, a)->pieces.at[q];
            demand_term(g, demand, p.body, p.guard);
            if (p.guard) {
                demand_term(g, demand, p.guard, 0);
            }
        }
    }
}

void simplify_graph(Graph *g) {
    ArrayRef *roots;
    int n = wanted(g, &roots);
    Order order = graph_order(g, n, roots);
    Simplify s = {.g = g};
    size_t all = (size_t)g->arrays.n + 1;
    s.through = arena_alloc(g->arena, all * sizeof *s.through);
    s.same_as = arena_alloc(g->arena, all * sizeof *s.same_as);
    uint32_t room = 64;
    while (room < all * 2) {
        room *= 2;
    }
    Key *keys = arena_alloc(g->arena, room * sizeof *keys);
    for (int k = 0; k < order.n; k++) { /* what is read comes first, so one round reaches everything */
        ArrayRef a = order.array[k];
        bool circle = (k > 0 && order.component[k - 1] == order.component[k]) ||
                      (k + 1 < order.n && order.component[k + 1] == order.component[k]) || graph_reads_itself(g, a);
        rewrite_array(&s, a);
        if (circle || is_asked_for(g, a)) {
            continue;
        }
        if (covers_all(g, a) && is_plain(g, ARRAY(g, a)->pieces.at[0].body)) {
            s.through[a] = true;
            continue;
        }
        const Ref *key = key_of(g, a);
        uint32_t h = ARRAY(g, a)->pieces.n ? (key[0] * 0x9E3779B1u) & (room - 1) : 0;
        while (keys[h].array && !arrays_equal(g, a, key, keys[h].array, keys[h].body)) {
            h = (h + 1) & (room - 1);
        }
        if (keys[h].array) {
            s.same_as[a] = keys[h].array;
        } else {
            keys[h] = (Key){a, key};
        }
    }
    for (int k = 0; k < order.n; k++) { /* circles read arrays that were merged after them in the order: once more */
        rewrite_array(&s, order.array[k]);
    }
    for (int k = 0; k < g->gradients.n; k++) {
        g->gradients.at[k].of = graph_rewrite_reads(g, g->gradients.at[k].of, read_through, &s);
    }
    order = graph_order(g, n, roots);
    find_guards(g, &order);
}
