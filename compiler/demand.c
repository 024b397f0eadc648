/* demand: lazy by need. An array whose every read stands under a condition is wanted only where the
 * condition holds: it need not be computed elsewhere, and its adjoint is zero there, whatever 0
 * times infinity would give. In: arrays in order. Out: for each the condition over its axes, or 0.
 */
#include "demand.h"
#include "kernel.h"
#include "ops.h"
#include <stdlib.h>

enum { MANY_CONDITIONS = 4 };

typedef struct Demand {
    bool always;
    int sides; /* how many conditions were joined */
    Ref guard; /* over the array's axes */
} Demand;

enum { NEVER, ALWAYS, UNDER };
typedef struct Work { /* by node; reset for the nodes of each term */
    VEC(uint8_t) how;
    VEC(Ref) need; /* the condition of UNDER */
} Work;

static int falling(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The index that a position holds with the factor 1 or -1, beside sizes alone; else 0. Then index =
 * *of, over the axis. */
static Ref only_index(Graph *g, Ref position, Ref axis, const Poly **of) {
    const Ref *free;
    const Poly *rest;
    int64_t num, den;
    if (graph_free(g, position, &free) != 1 ||
        !poly_linear(g->arena, graph_poly(g, position), free[0], &num, &den, &rest) || den != 1 ||
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
    Ref inside = num > 0 ? graph_op2(g, OP_le, graph_of_poly(g, poly_neg(g->arena, rest)), axis)
                         : graph_op2(g, OP_le, axis, graph_of_poly(g, rest));
    return bounds ? graph_and(g, bounds, inside) : inside;
}

/* ---- conditions as sets of what must hold
 * ----------------------------------------------------------------------------- */

enum { MANY_PARTS = 24 };
typedef struct Parts {
    int n;
    Ref at[MANY_PARTS];
} Parts;

static bool parts_hold(const Parts *s, Ref c) {
    for (int k = 0; k < s->n; k++) {
        if (s->at[k] == c) {
            return true;
        }
    }
    return false;
}

/* Adds what `condition` joins by &&, in order, each once. False where that is too much. */
static bool parts_add(const Graph *g, Parts *s, Ref condition) {
    Ref stack[MANY_PARTS];
    int n = 0;
    stack[n++] = condition;
    while (n) {
        Ref c = stack[--n];
        if (NODE(g, c)->op == OP_and) {
            if (n + 2 > MANY_PARTS) {
                return false;
            }
            stack[n++] = ARG(g, c, 1);
            stack[n++] = ARG(g, c, 0);
        } else if (!parts_hold(s, c)) {
            if (s->n == MANY_PARTS) {
                return false;
            }
            s->at[s->n++] = c;
        }
    }
    return true;
}

static Ref parts_join(Graph *g, const Parts *s) {
    Ref c = s->n ? s->at[0] : graph_bool(g, true);
    for (int k = 1; k < s->n; k++) {
        c = graph_and(g, c, s->at[k]);
    }
    return c;
}

static Ref both(Graph *g, Ref x, Ref y) {
    Parts s = {0};
    return parts_add(g, &s, x) && parts_add(g, &s, y) ? parts_join(g, &s) : graph_and(g, x, y);
}

/* Whether x cannot hold without c. */
static bool implies(const Graph *g, Ref x, Ref c) {
    Parts s = {0};
    if (!parts_add(g, &s, x)) {
        return false;
    }
    for (int k = 0; k < s.n; k++) {
        Ref part = s.at[k];
        Parts left = {0}, right = {0};
        if (part == c || (NODE(g, part)->op == OP_or && parts_add(g, &left, ARG(g, part, 0)) &&
                          parts_add(g, &right, ARG(g, part, 1)) && parts_hold(&left, c) &&
                          parts_hold(&right, c))) {
            return true;
        }
    }
    return false;
}

Ref demand_narrow(Graph *g, Ref wanted, Ref guard) {
    if (!wanted || !guard) {
        return wanted ? wanted : guard;
    }
    Parts s = {0};
    if (!parts_add(g, &s, wanted)) {
        return graph_and(g, guard, wanted);
    }
    Ref c = guard;
    for (int k = 0; k < s.n; k++) {
        if (!implies(g, guard, s.at[k])) {
            c = both(g, c, s.at[k]);
        }
    }
    return c;
}

typedef struct Look {
    bool reads; /* anything at all */
    bool safe;  /* all reads stay inside of their arrays, whatever the indices are */
} Look;

static Look look_at(Graph *g, const Parts *s) {
    Look look = {false, true};
    Walk walk = walk_start(g, 0);
    for (int k = 0; k < s->n; k++) {
        walk_add(walk, s->at[k]);
    }
    for (Ref r; (r = walk_next(walk));) {
        look.safe = look.safe && !NODE(g, r)->fails;
        walk_into(walk, r);
        if (NODE(g, r)->op == OP_READ) {
            look.reads = true;
            for (int k = 0; k < NODE(g, r)->nargs && look.safe; k++) {
                const Poly *at = graph_poly(g, ARG(g, r, k)),
                           *end = ARRAY(g, NODE(g, r)->aux)->extent[k];
                const Poly *room =
                    poly_sub(g->arena, poly_sub(g->arena, end, at), poly_int(g->arena, 1));
                look.safe = graph_prove(g, at, 0, NULL) && graph_prove(g, room, 0, NULL);
            }
        }
    }
    return look;
}

/* x || y, or something weaker that is simpler: what is common to both, if the rest tells indices
 * apart and nothing else. */
static Ref either(Graph *g, Ref x, Ref y) {
    Parts a = {0}, b = {0}, common = {0}, rest_a = {0}, rest_b = {0}, rest = {0};
    if (!parts_add(g, &a, x) || !parts_add(g, &b, y)) {
        return graph_op2(g, OP_or, x, y);
    }
    for (int k = 0; k < a.n; k++) {
        Parts *to = parts_hold(&b, a.at[k]) ? &common : &rest_a;
        to->at[to->n++] = a.at[k];
    }
    for (int k = 0; k < b.n; k++) {
        if (!parts_hold(&a, b.at[k])) {
            rest_b.at[rest_b.n++] = b.at[k];
        }
    }
    if (rest_a.n == 0 || rest_b.n == 0) {
        return rest_a.n == 0 ? x : y; /* the weaker one */
    }
    if (common.n == 0 || !look_at(g, &common).safe) {
        return graph_op2(g, OP_or, x, y);
    }
    if (look_at(g, &rest_a).reads || look_at(g, &rest_b).reads) {
        rest.at[rest.n++] = graph_op2(g, OP_or, parts_join(g, &rest_a), parts_join(g, &rest_b));
        return both(g, parts_join(g, &common), parts_join(g, &rest));
    }
    return parts_join(g, &common);
}

/* What `need` says of these indices alone; 0: nothing that can be asked by itself. */
static Ref demand_of_batch(Graph *g, Ref need, int n, const Ref *index) {
    Parts all = {0}, kept = {0};
    if (!parts_add(g, &all, need)) {
        return 0;
    }
    for (int k = 0; k < all.n; k++) {
        const Ref *free;
        int nfree = graph_free(g, all.at[k], &free);
        bool within = true;
        for (int f = 0; f < nfree; f++) {
            bool known = false;
            for (int q = 0; q < n; q++) {
                known = known || index[q] == free[f];
            }
            within = within && known;
        }
        if (within) {
            kept.at[kept.n++] = all.at[k];
        }
    }
    if (kept.n == 0 || (kept.n < all.n && !look_at(g, &kept).safe)) {
        return 0;
    }
    return parts_join(g, &kept);
}

/* A read under the condition `need`, in a piece of the array `reader`. */
static void demand_read(Graph *g, Demand *demand, ArrayRef reader, const Piece *piece, Ref read,
                        Ref need) {
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
    /* Axes read at an index and a distance carry the condition over; what stands at the other axes
     * does not matter: more than is read may be wanted, never less. */
    Ref from[16], to[16], axis[16];
    const Poly *of[16];
    int placed_axes = 0;
    bool kernel = kernel_is(g, array);
    for (int k = 0; k < (kernel ? kernel_batch(g, array) : rank); k++) {
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
    if (kernel) { /* wanted whole or not at all: what the condition says of entries is left out */
        need = demand_of_batch(g, need, placed_axes, from);
        if (!need) {
            d->always = true;
            return;
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
        /* The condition means something only where its index is in its range: beyond, it may read
         * outside of arrays. */
        const Poly *lo = poly_int(g->arena, 0),
                   *hi = poly_sub(g->arena, EXTENT(g, used[f]), poly_int(g->arena, 1));
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
    c = bounds ? both(g, bounds, c) : c;
    Ref old = d->guard;
    d->guard = old ? either(g, old, c) : c;
    d->sides += d->guard != old;
    d->always = d->sides > MANY_CONDITIONS || graph_is_true(g, d->guard);
}

/* Adds what the piece of a reader asks for. Nodes are met users first, so a node's condition is
 * complete when it is met. */
static void demand_term(Graph *g, Work *w, Demand *demand, ArrayRef reader, const Piece *piece,
                        Ref root, Ref guard) {
    while (w->how.n <= (int)root) {
        VEC_PUSH(g->arena, w->how, NEVER);
        VEC_PUSH(g->arena, w->need, 0);
    }
    VEC(Ref) nodes = {0};
    Walk walk = walk_start(g, root);
    for (Ref r; (r = walk_next(walk));) {
        VEC_PUSH(g->arena, nodes, r);
        walk_into(walk, r);
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
            Ref under = how[r] == UNDER ? (c ? both(g, need[r], c) : need[r]) : c;
            if (how[x] == NEVER) {
                how[x] = under ? UNDER : ALWAYS;
                need[x] = under;
            } else if (how[x] == UNDER) {
                need[x] = under ? either(g, need[x], under) : 0;
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
                      (k + 1 < order->n && order->component[k + 1] == order->component[k]) ||
                      graph_reads_itself(g, a);
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
