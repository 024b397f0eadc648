/* simplify: what needs a view of whole arrays. (Terms are simplified as they are made, see graph
 * and rewrite.) In: the graph with all derivatives expanded, so that the identity of arrays no
 * longer matters. Out: the same arrays, where copies are read through, equal arrays are one, and an
 * equation whose every read stands under a condition has that condition. */
#include "demand.h"
#include "ops.h"
#include "passes.h"
#include <string.h>

typedef struct Simplify {
    Graph *g;
    bool *through;     /* by array: reads become its term */
    ArrayRef *same_as; /* by array: an equal one, or 0 */
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
        const Gradient *d = &g->gradients.at[k];
        bool moves = false;
        for (int q = 0; q < d->along.n; q++) {
            moves = moves || d->along.at[q].of == a;
        }
        if (d->result == a || d->by == a || moves) {
            return true;
        }
    }
    return false;
}

/* No work of its own: a number, a place, a read, or one of these with another sign, type or scale.
 */
static bool is_plain(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->type == VALUE_INT && n->op != OP_REDUCE && n->op != OP_SELECT && n->op != OP_CHECKED &&
        n->op != OP_trunc) {
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
        if (!poly_equal(x->pieces.at[0].lo[k], poly_int(g->arena, 0)) ||
            !poly_equal(x->pieces.at[0].hi[k], end)) {
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

/* ---- equal arrays
 * ----------------------------------------------------------------------------------------------------
 */

typedef struct Key {
    ArrayRef array;
    const Ref *body; /* over common axes */
} Key;

static const Ref *key_of(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    int n = x->pieces.n, rank = x->rank;
    Ref *axes = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axes),
        *key = arena_alloc(g->arena, (size_t)(2 * n + 1) * sizeof *key);
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
            if (!poly_equal(x->pieces.at[q].lo[k], y->pieces.at[q].lo[k]) ||
                !poly_equal(x->pieces.at[q].hi[k], y->pieces.at[q].hi[k])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- conditions under which an array is read: then it is computed under them
 * ---------------------------------------------- */

/* A term where a condition is known to hold. */
static Ref under(Graph *g, Ref term, Ref guard) {
    const Node n = *NODE(g, guard);
    if (n.op == OP_and) {
        Ref x = ARG(g, guard, 0), y = ARG(g, guard, 1);
        return under(g, under(g, term, x), y);
    }
    Ref from = n.op == OP_not ? ARG(g, guard, 0) : guard, to = graph_bool(g, n.op != OP_not);
    return graph_subst(g, term, 1, &from, &to);
}

static void set_guards(Graph *g, const Order *order) {
    const Ref *guard = demand_find(g, order, is_asked_for);
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && guard[a]; q++) {
            Ref body = under(g, ARRAY(g, a)->pieces.at[q].body, guard[a]);
            ARRAY(g, a)->pieces.at[q].guard = guard[a];
            ARRAY(g, a)->pieces.at[q].body = body;
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
    for (int k = 0; k < order.n;
         k++) { /* what is read comes first, so one round reaches everything */
        ArrayRef a = order.array[k];
        bool circle = (k > 0 && order.component[k - 1] == order.component[k]) ||
                      (k + 1 < order.n && order.component[k + 1] == order.component[k]) ||
                      graph_reads_itself(g, a);
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
    for (int k = 0; k < order.n;
         k++) { /* circles read arrays that were merged after them in the order: once more */
        rewrite_array(&s, order.array[k]);
    }
    for (int k = 0; k < g->gradients.n; k++) {
        Gradient *d = &g->gradients.at[k];
        d->of = graph_rewrite_reads(g, d->of, read_through, &s);
        for (int q = 0; q < d->along.n; q++) {
            d->along.at[q].value = graph_rewrite_reads(g, d->along.at[q].value, read_through, &s);
        }
    }
    order = graph_order(g, n, roots);
    set_guards(g, &order);
}
