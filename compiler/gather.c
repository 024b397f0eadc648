/* gather: a combination of products is made factor by factor.
 * In: arrays with all derivatives made. Out: the same values.
 *
 * The adjoint of a rotation R(q) is a small matrix of products, R_bar[i, t, k, l] =
 * sum[j](x[i, j, t, k] * y[j, t, l]), and of its nine entries the angle's adjoint wants one
 * combination, q_bar[i, t] = c[t] * R_bar[i, t, 0, 0] + s[t] * R_bar[i, t, 0, 1] + ... Taken by x,
 * that is a sum of x[i, j, t, 0] * (c[t] * y[j, t, 0] + s[t] * y[j, t, 1]) + ..: what is in
 * parentheses knows nothing of i, so it is an array of its own, and the matrix is never made. It is
 * done where each factor has several products, and an index that their other sides lack.
 *
 * The matrix may be a sum of several, in pieces; each is an array that nobody else reads. Only sums
 * without a condition are taken apart. As with other orders of a product, last bits differ. */
#include "gather.h"
#include "kernel.h"
#include "ops.h"

enum { MOST_TERMS = 96, MOST_DEEP = 40, MOST_AXES = 8 };

typedef struct Product { /* coefficient * sum[index](x * y), or without the sum: index 0 */
    bool minus;
    Ref coefficient; /* 0: 1 */
    Ref index, x, y;
    ArrayRef from; /* the array that it is an entry of */
    int group;     /* number + 1 of the x that it goes with */
} Product;

typedef struct Gather {
    Graph *g;
    int all;       /* arrays there were at first */
    bool *through; /* by those: one other array reads it, and it may be taken apart */
    ArrayRef at;
    int nfacts;
    const Poly *fact[2 * MOST_AXES]; /* of the piece at hand */
    int n;
    Product product[MOST_TERMS];
} Gather;

static Ref times(Graph *g, Ref x, Ref y) {
    return x ? graph_op2(g, OP_mul, x, y) : y;
}

static Ref plus(Graph *g, Ref sum, Ref term, bool minus) {
    return sum     ? graph_op2(g, minus ? OP_sub : OP_add, sum, term)
           : minus ? graph_op1(g, OP_neg, term)
                   : term;
}

static bool is_through(const Gather *x, ArrayRef a) {
    return (int)a < x->all && x->through[a];
}

/* Has a term such entries as terms or factors, or sums? Those of one array alone, if that is said. */
static bool is_made_of(const Gather *x, Ref term, ArrayRef only, int depth) {
    const Node *n = NODE(x->g, term);
    bool is = false;
    if (n->op == OP_READ) {
        return only ? n->aux == only : is_through(x, n->aux);
    }
    if (n->op == OP_REDUCE) {
        return !only;
    }
    if (n->op != OP_add && n->op != OP_sub && n->op != OP_neg && n->op != OP_mul) {
        return false;
    }
    for (int k = 0; k < n->nargs && depth < MOST_DEEP && !is; k++) {
        is = is_made_of(x, ARG(x->g, term, k), only, depth + 1);
    }
    return is;
}

/* ---- what the combination is of */

typedef struct Linear {
    ArrayRef of; /* 0: none met yet */
    int n;
    bool minus[MOST_TERMS];
    Ref coefficient[MOST_TERMS], read[MOST_TERMS];
    Ref rest; /* 0: none */
} Linear;

static bool take_linear(Gather *x, Linear *l, Ref term, Ref coefficient, bool minus, int depth) {
    Graph *g = x->g;
    const Node n = *NODE(g, term);
    if (depth == MOST_DEEP || l->n == MOST_TERMS) {
        return false;
    }
    if (!is_made_of(x, term, l->of, 0)) {
        l->rest = plus(g, l->rest, times(g, coefficient, term), minus);
        return true;
    }
    if (n.op == OP_add || n.op == OP_sub) {
        return take_linear(x, l, ARG(g, term, 0), coefficient, minus, depth + 1) &&
               take_linear(x, l, ARG(g, term, 1), coefficient, minus ^ (n.op == OP_sub), depth + 1);
    }
    if (n.op == OP_neg) {
        return take_linear(x, l, ARG(g, term, 0), coefficient, !minus, depth + 1);
    }
    if (n.op == OP_mul) {
        int side = is_made_of(x, ARG(g, term, 0), l->of, 0) ? 0 : 1;
        if (is_made_of(x, ARG(g, term, 1 - side), l->of, 0)) {
            return false;
        }
        return take_linear(x, l, ARG(g, term, side), times(g, coefficient, ARG(g, term, 1 - side)),
                           minus, depth + 1);
    }
    if (n.op != OP_READ || n.fails) {
        return false;
    }
    l->of = n.aux;
    l->minus[l->n] = minus, l->coefficient[l->n] = coefficient, l->read[l->n++] = term;
    return true;
}

enum { MOST_TRIED = 8 };

/* The arrays that a term has entries of, outside of sums, which may be taken apart. */
static int candidates(const Gather *x, Ref term, ArrayRef *found) {
    int n = 0;
    Walk walk = walk_start(x->g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node *node = NODE(x->g, r);
        if (node->op == OP_READ && is_through(x, node->aux)) {
            bool known = false;
            for (int k = 0; k < n; k++) {
                known = known || found[k] == node->aux;
            }
            if (!known && n < MOST_TRIED) {
                found[n++] = node->aux;
            }
        } else if (node->op != OP_READ && node->op != OP_REDUCE) {
            walk_into(walk, r);
        }
    }
    return n;
}

/* ---- down to products */

static bool is_inside(const Gather *x, Ref read, const Piece *p) {
    Graph *g = x->g;
    bool inside = true;
    for (int k = 0; k < NODE(g, read)->nargs && inside; k++) {
        const Poly *at = graph_poly(g, ARG(g, read, k));
        inside = graph_prove(g, poly_sub(g->arena, at, p->lo[k]), x->nfacts, x->fact) &&
                 graph_prove(g, poly_sub(g->arena, p->hi[k], at), x->nfacts, x->fact);
    }
    return inside;
}

static Ref at_read(Graph *g, Ref read, Ref body) {
    Ref to[MOST_AXES];
    int n = NODE(g, read)->nargs;
    for (int k = 0; k < n; k++) {
        to[k] = ARG(g, read, k);
    }
    return graph_subst(g, body, n, ARRAY(g, NODE(g, read)->aux)->axis, to);
}

static bool is_plain_read(Graph *g, Ref r, ValueType type) {
    const Node *n = NODE(g, r);
    return n->op == OP_READ && !n->fails && (ValueType)n->type == type;
}

static bool take_products(Gather *x, Ref term, Ref coefficient, bool minus, ArrayRef from,
                          int depth) {
    Graph *g = x->g;
    const Node n = *NODE(g, term);
    ValueType type = ARRAY(g, x->at)->type;
    Ref condition = 0, product = term, index = 0;
    if (depth == MOST_DEEP || x->n == MOST_TERMS || (ValueType)n.type != type) {
        return false;
    }
    if (n.op == OP_add || n.op == OP_sub) {
        return take_products(x, ARG(g, term, 0), coefficient, minus, from, depth + 1) &&
               take_products(x, ARG(g, term, 1), coefficient, minus ^ (n.op == OP_sub), from,
                             depth + 1);
    }
    if (n.op == OP_neg) {
        return take_products(x, ARG(g, term, 0), coefficient, !minus, from, depth + 1);
    }
    if (n.op == OP_READ) {
        const Array *of = ARRAY(g, n.aux);
        return is_through(x, n.aux) && of->pieces.n == 1 && is_inside(x, term, &of->pieces.at[0]) &&
               take_products(x, at_read(g, term, of->pieces.at[0].body), coefficient, minus, n.aux,
                             depth + 1);
    }
    if (n.op == OP_mul) {
        for (int k = 0, before = x->n; k < 2; k++, x->n = before) {
            Ref side = ARG(g, term, k), other = ARG(g, term, 1 - k);
            if (is_made_of(x, side, 0, 0) && !is_made_of(x, other, 0, 0) &&
                take_products(x, side, times(g, coefficient, other), minus, from, depth + 1)) {
                return true;
            }
        }
    } else if (n.op == OP_REDUCE && n.aux == RED_SUM && !n.fails) {
        index = graph_open(g, term, &condition, &product);
        if (!graph_is_true(g, condition)) {
            return false;
        }
        for (int k = 0; k < x->n; k++) { /* all sums of one length have one index */
            Ref same = x->product[k].index;
            if (same && poly_equal(EXTENT(g, same), EXTENT(g, index))) {
                product = graph_subst(g, product, 1, &index, &same);
                index = same;
                break;
            }
        }
    }
    if (NODE(g, product)->op != OP_mul || !is_plain_read(g, ARG(g, product, 0), type) ||
        !is_plain_read(g, ARG(g, product, 1), type)) {
        return false;
    }
    x->product[x->n++] =
        (Product){minus, coefficient, index, ARG(g, product, 0), ARG(g, product, 1), from, 0};
    return true;
}

/* ---- up again, factor by factor */

/* Has x an axis of the array that neither y nor the coefficient has? */
static bool goes_further(const Gather *x, Ref term, Ref other, Ref coefficient) {
    const Array *a = ARRAY(x->g, x->at);
    for (int k = 0; k < a->rank; k++) {
        if (graph_has_index(x->g, term, a->axis[k]) && !graph_has_index(x->g, other, a->axis[k]) &&
            !(coefficient && graph_has_index(x->g, coefficient, a->axis[k]))) {
            return true;
        }
    }
    return false;
}

/* Which products have a factor in common; false: too few. */
static bool group(Gather *x) {
    int groups = 0;
    for (int k = 0; k < x->n; k++) {
        Product *p = &x->product[k];
        if (!goes_further(x, p->x, p->y, p->coefficient)) {
            Ref swap = p->x;
            p->x = p->y, p->y = swap;
            if (!goes_further(x, p->x, p->y, p->coefficient)) {
                return false;
            }
        }
        for (int q = 0; q < k && !p->group; q++) {
            const Product *o = &x->product[q];
            p->group = o->x == p->x && o->index == p->index && o->from == p->from ? o->group : 0;
        }
        p->group = p->group ? p->group : ++groups;
    }
    return groups > 0 && 2 * groups <= x->n;
}

static ArrayRef make(Gather *x, const Scope *scope, Ref of, const char *what, Ref term, Ref *read) {
    Graph *g = x->g;
    Scope part = scope_part(g, scope, 1, &term);
    const char *name =
        arena_format(g->arena, "%s_%s", ARRAY(g, NODE(g, of)->aux)->name, what);
    ArrayRef made = graph_array_over(g, name, &part, term, ARRAY(g, x->at)->at, read);
    ARRAY(g, made)->order = ARRAY(g, x->at)->order;
    ARRAY(g, made)->derived = true;
    return made;
}

static Ref rebuild(Gather *x, const Scope *scope) {
    Graph *g = x->g;
    Ref whole = 0;
    for (int first = 0; first < x->n; first++) {
        const Product *p = &x->product[first];
        Scope inside = scope_copy(g, scope);
        Ref all = 0;
        bool done = false;
        for (int k = 0; k < first && !done; k++) { /* those of one array, and one sum, together */
            done = x->product[k].from == p->from && x->product[k].index == p->index;
        }
        if (done) {
            continue;
        }
        if (p->index) {
            scope_add(g, &inside, p->index, NULL, NULL);
        }
        for (int k = first; k < x->n; k++) {
            const Product *one = &x->product[k];
            Ref by = 0, read;
            done = one->from != p->from || one->index != p->index;
            for (int q = first; q < k && !done; q++) {
                done = x->product[q].group == one->group;
            }
            if (done) {
                continue;
            }
            for (int q = k; q < x->n; q++) {
                const Product *o = &x->product[q];
                if (o->group == one->group) {
                    by = plus(g, by, times(g, o->coefficient, o->y), o->minus);
                }
            }
            make(x, &inside, one->y, "mixed", by, &read);
            all = plus(g, all, graph_op2(g, OP_mul, one->x, read), false);
        }
        if (p->index) {
            all = graph_reduce(g, RED_SUM, p->index, graph_bool(g, true), all);
            make(x, scope, p->x, "sum", all, &all);
        }
        whole = plus(g, whole, all, false);
    }
    return whole;
}

/* ---- an array */

/* The part of the array's box where an entry of that piece is read: an axis alone, or shifted. 1:
 * found, 0: nowhere, -1: it cannot be told. */
static int box_of(Gather *x, const Piece *own, Ref read, const Piece *p, const Poly **lo,
                  const Poly **hi) {
    Graph *g = x->g;
    const Array *a = ARRAY(g, x->at);
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        const Poly *at = graph_poly(g, ARG(g, read, k)), *low = poly_sub(g->arena, at, p->lo[k]),
                   *high = poly_sub(g->arena, p->hi[k], at);
        int64_t below, above;
        if (poly_is_int(low, &below) && poly_is_int(high, &above) && (below < 0 || above < 0)) {
            return 0;
        }
        for (int d = 0; d < a->rank; d++) {
            const Poly *axis = poly_var(g->arena, a->axis[d]), *shift = poly_sub(g->arena, at, axis);
            if (graph_prove(g, low, x->nfacts, x->fact) &&
                graph_prove(g, high, x->nfacts, x->fact)) {
                break;
            }
            if (poly_is_int(shift, &below)) { /* the larger of the two ends, and the smaller */
                const Poly *from = poly_sub(g->arena, p->lo[k], shift),
                           *to = poly_sub(g->arena, p->hi[k], shift);
                lo[d] = graph_prove(g, poly_sub(g->arena, from, own->lo[d]), 0, NULL) ? from : lo[d];
                hi[d] = graph_prove(g, poly_sub(g->arena, own->hi[d], to), 0, NULL) ? to : hi[d];
                if (!graph_prove(g, poly_sub(g->arena, lo[d], from), 0, NULL) ||
                    !graph_prove(g, poly_sub(g->arena, to, hi[d]), 0, NULL)) {
                    return -1;
                }
                low = high = poly_int(g->arena, 0);
            }
        }
        if (!graph_prove(g, low, x->nfacts, x->fact) || !graph_prove(g, high, x->nfacts, x->fact)) {
            return -1;
        }
    }
    return 1;
}

static void set_facts(Gather *x, const Poly *const *lo, const Poly *const *hi) {
    Graph *g = x->g;
    x->nfacts = 0;
    for (int k = 0; k < ARRAY(g, x->at)->rank; k++) {
        const Poly *axis = poly_var(g->arena, ARRAY(g, x->at)->axis[k]);
        x->fact[x->nfacts++] = poly_sub(g->arena, axis, lo[k]);
        x->fact[x->nfacts++] = poly_sub(g->arena, hi[k], axis);
    }
}

/* What a piece of that array gives to the combination, as a piece of this one. */
static int gather_piece(Gather *x, const Piece *own, const Linear *l, const Piece *p, Piece *made) {
    Graph *g = x->g;
    const Array *a = ARRAY(g, x->at);
    size_t room = (size_t)(a->rank + 1) * sizeof *made->lo;
    int found = 0;
    *made = *own;
    x->n = 0;
    for (int k = 0; k < l->n; k++) {
        const Poly **lo = arena_alloc(g->arena, room), **hi = arena_alloc(g->arena, room);
        for (int d = 0; d < a->rank; d++) {
            lo[d] = own->lo[d], hi[d] = own->hi[d];
        }
        set_facts(x, lo, hi);
        int is = box_of(x, own, l->read[k], p, lo, hi);
        if (is < 0) {
            return -1;
        }
        for (int d = 0; d < a->rank && is && found; d++) {
            if (!poly_equal(lo[d], made->lo[d]) || !poly_equal(hi[d], made->hi[d])) {
                return -1;
            }
        }
        if (is) {
            made->lo = lo, made->hi = hi, found = 1;
            set_facts(x, lo, hi);
            if (!take_products(x, at_read(g, l->read[k], p->body), l->coefficient[k], l->minus[k],
                               l->of, 0)) {
                return -1;
            }
        }
    }
    return !found ? 0 : group(x) ? 1 : -1;
}

/* Is that possible for all pieces, and of use? */
static bool can_gather(Gather *x, const Piece *own, const Linear *l) {
    bool can = true;
    for (int k = 0; k < ARRAY(x->g, l->of)->pieces.n && can; k++) {
        Piece one;
        can = gather_piece(x, own, l, &ARRAY(x->g, l->of)->pieces.at[k], &one) >= 0;
    }
    return can;
}

static bool gather(Gather *x, ArrayRef a) {
    Graph *g = x->g;
    VEC(Piece) pieces = {0};
    bool some = false;
    x->at = a;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece own = ARRAY(g, a)->pieces.at[q];
        ArrayRef tried[MOST_TRIED];
        int ntried = own.guard || own.live ? 0 : candidates(x, own.body, tried);
        VEC(Piece) made = {0};
        Linear l = {0};
        for (int k = 0; k < ntried && !made.n; k++) {
            l = (Linear){.of = tried[k]};
            if (!take_linear(x, &l, own.body, 0, false, 0) || l.n < 2 || !can_gather(x, &own, &l)) {
                continue;
            }
            for (int part = 0; part < ARRAY(g, l.of)->pieces.n; part++) {
                const Piece p = ARRAY(g, l.of)->pieces.at[part];
                Piece one;
                if (gather_piece(x, &own, &l, &p, &one) > 0) {
                    Scope scope = scope_of_piece(g, a, &one);
                    one.body = rebuild(x, &scope);
                    VEC_PUSH(g->arena, made, one);
                }
            }
        }
        if (!made.n) {
            VEC_PUSH(g->arena, pieces, own);
            continue;
        }
        some = true;
        if (l.rest) {
            VEC_PUSH(g->arena, pieces, own);
            pieces.at[pieces.n - 1].body = l.rest;
        }
        for (int k = 0; k < made.n; k++) {
            VEC_PUSH(g->arena, pieces, made.at[k]);
        }
    }
    if (some) {
        ARRAY(g, a)->pieces.n = 0;
        for (int k = 0; k < pieces.n; k++) {
            VEC_PUSH(g->arena, ARRAY(g, a)->pieces, pieces.at[k]);
        }
    }
    return some;
}

/* Which arrays one other array reads, and nobody else. */
static void find_through(Gather *x, const Order *order, bool (*asked)(const Graph *g, ArrayRef a)) {
    Graph *g = x->g;
    ArrayRef *reader = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *reader);
    x->all = g->arrays.n;
    x->through = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < order->n; k++) {
        const ArrayRef *reads, a = order->array[k];
        int n = graph_array_reads(g, a, &reads);
        for (int q = 0; q < n; q++) {
            ArrayRef *r = &reader[reads[q]];
            x->through[reads[q]] = *r == 0 || *r == a;
            *r = *r ? *r : a;
        }
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        const Array *of = ARRAY(g, a);
        bool may = x->through[a] && of->role == ARRAY_INTERNAL && of->type >= VALUE_FLOAT &&
                   !of->counts && of->order > 0 && of->rank > 0 && of->rank <= MOST_AXES &&
                   reader[a] != a && !kernel_is(g, a) && !asked(g, a) && !graph_reads_itself(g, a);
        for (int q = 0; q < of->pieces.n && may; q++) {
            may = !of->pieces.at[q].guard && !of->pieces.at[q].live;
        }
        x->through[a] = may;
    }
}

bool gather_factors(Graph *g, int n, const ArrayRef *roots,
                    bool (*asked)(const Graph *g, ArrayRef a)) {
    Gather x = {.g = g};
    Order order = graph_order(g, n, roots);
    bool some = false;
    find_through(&x, &order, asked);
    for (int k = order.n - 1; k >= 0; k--) { /* readers first */
        const Array *a = ARRAY(g, order.array[k]);
        if (a->type >= VALUE_FLOAT && a->order > 0 && !a->counts && a->rank > 0 &&
            a->rank <= MOST_AXES && !kernel_is(g, order.array[k])) {
            some = gather(&x, order.array[k]) || some;
        }
    }
    return some;
}
