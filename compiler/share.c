/* share: what is computed twice becomes one array.
 * In: arrays and the arrays that they read. Out: the same values, with equal arrays merged and
 * copies read through. The idea: arrays are taken in the order in which they are computed, so that
 * what they read is settled, and equal equations are equal nodes. A circle of arrays that read each
 * other is compared as a whole: two of them are equal if a walk over both at once, which pairs
 * their members as it meets them, finds no difference.
 *
 * The k-th derivative makes most of its arrays out of those of the derivatives before it: tangents
 * of adjoints are adjoints of tangents. Without this pass each order would make them anew, and
 * equations would grow exponentially with the order. */
#include "share.h"
#include "ops.h"
#include <string.h>

typedef struct Key { /* an array's equation over common axes */
    ArrayRef array;
    const Ref *part; /* per piece: body, guard */
} Key;

typedef struct Circle { /* arrays that read each other */
    int n;
    const ArrayRef *member;
    uint32_t shape; /* a hash of what equal circles have in common */
} Circle;

struct Sharing {
    Graph *g;
    bool (*fixed)(const Graph *g, ArrayRef a);
    bool *through;     /* by array: reads inside of its only box become its term */
    ArrayRef *same_as; /* by array: an equal one, or 0 */
    Key *keys;         /* a hash table */
    uint32_t nkeys;
    VEC(Circle) circles;
    const Poly *facts[48]; /* of the piece at work */
    int nfacts;
};

/* ---- reading what is left
 * ------------------------------------------------------------------------------------------ */

static bool covers_all(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    for (int k = 0; k < x->rank; k++) {
        const Poly *end = poly_sub(g->arena, x->extent[k], poly_int(g->arena, 1));
        if (!poly_equal(x->pieces.at[0].lo[k], poly_int(g->arena, 0)) ||
            !poly_equal(x->pieces.at[0].hi[k], end)) {
            return false;
        }
    }
    return true;
}

/* Is the place inside of the only piece's box, by what is known where it is read? */
static bool inside_box(const Sharing *s, ArrayRef a, const Ref *positions) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    const Piece *p = &x->pieces.at[0];
    for (int k = 0; k < x->rank; k++) {
        const Poly *at = graph_poly(g, positions[k]);
        bool from_first = poly_equal(p->lo[k], poly_int(g->arena, 0)),
             to_last =
                 poly_equal(poly_add(g->arena, p->hi[k], poly_int(g->arena, 1)), x->extent[k]);
        if ((!from_first &&
             !graph_prove(g, poly_sub(g->arena, at, p->lo[k]), s->nfacts, s->facts)) ||
            (!to_last && !graph_prove(g, poly_sub(g->arena, p->hi[k], at), s->nfacts, s->facts))) {
            return false;
        }
    }
    return true;
}

static Ref read_left(Graph *g, void *user, ArrayRef array, const Ref *positions) {
    const Sharing *s = user;
    ArrayRef a = s->same_as[array] ? s->same_as[array] : array;
    if (s->through[a] && (covers_all(g, a) || inside_box(s, a, positions))) {
        const Array *x = ARRAY(g, a);
        return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
    }
    return a == array ? 0 : graph_read(g, a, positions);
}

static void facts_of_piece(Sharing *s, ArrayRef a, const Piece *p) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    s->nfacts = 0;
    for (int k = 0; k < x->rank && k < 16; k++) {
        const Poly *axis = poly_var(g->arena, x->axis[k]);
        s->facts[s->nfacts++] = poly_sub(g->arena, axis, p->lo[k]);
        s->facts[s->nfacts++] = poly_sub(g->arena, p->hi[k], axis);
    }
}

static void rewrite_array(Sharing *s, ArrayRef a) {
    Graph *g = s->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Piece p = ARRAY(g, a)->pieces.at[q];
        facts_of_piece(s, a, &p);
        Ref body = graph_rewrite_reads(g, p.body, read_left, s),
            guard = p.guard ? graph_rewrite_reads(g, p.guard, read_left, s) : 0;
        p.body = graph_cast(g, ARRAY(g, a)->type, body);
        p.guard = guard && !graph_is_true(g, guard) ? guard : 0;
        ARRAY(g, a)->pieces.at[q] = p;
    }
    s->nfacts = 0;
}

Ref share_term(Sharing *s, Ref term) {
    s->nfacts = 0;
    return graph_rewrite_reads(s->g, term, read_left, s);
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

/* ---- pieces
 * ---------------------------------------------------------------------------------------------------------
 */

bool share_is_nest(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op == OP_REDUCE) {
        return true;
    }
    return (n->op == OP_mul || n->op == OP_div || n->op == OP_neg || n->op == OP_SELECT) &&
           (share_is_nest(g, ARG(g, r, 0)) ||
            (n->nargs > 1 && share_is_nest(g, ARG(g, r, n->nargs - 1))));
}

static bool is_range(Graph *g, const Piece *p, int k) { /* never less than empty */
    return graph_prove(
        g, poly_add(g->arena, poly_sub(g->arena, p->hi[k], p->lo[k]), poly_int(g->arena, 1)), 0,
        NULL);
}

/* The body of q where axis k is at p's only place there, or q's body itself. */
static Ref body_there(Graph *g, ArrayRef a, const Piece *p, const Piece *q, int k) {
    if (!poly_equal(p->lo[k], p->hi[k])) {
        return q->body;
    }
    Ref axis = ARRAY(g, a)->axis[k], place = graph_of_poly(g, p->lo[k]);
    return graph_subst(g, q->body, 1, &axis, &place);
}

/* Two pieces as one, where they lie side by side with one body, or on the same box: in *p. */
static bool join(Graph *g, ArrayRef a, Piece *p, const Piece *q) {
    const Poly *one = poly_int(g->arena, 1);
    int rank = ARRAY(g, a)->rank, other = -1;
    if (p->guard != q->guard) {
        return false;
    }
    for (int k = 0; k < rank; k++) {
        if (!poly_equal(p->lo[k], q->lo[k]) || !poly_equal(p->hi[k], q->hi[k])) {
            if (other >= 0) {
                return false;
            }
            other = k;
        }
    }
    if (other < 0) {
        if (share_is_nest(g, p->body) || share_is_nest(g, q->body)) {
            return false;
        }
        p->body = graph_op2(g, OP_add, p->body, q->body);
        return true;
    }
    if (!is_range(g, p, other) || !is_range(g, q, other)) {
        return false;
    }
    bool behind = poly_equal(poly_add(g->arena, p->hi[other], one), q->lo[other]);
    if (!behind && !poly_equal(poly_add(g->arena, q->hi[other], one), p->lo[other])) {
        return false;
    }
    bool first = poly_equal(p->lo[other], p->hi[other]); /* its body may have lost the axis */
    if (first ? body_there(g, a, p, q, other) != p->body : body_there(g, a, q, p, other) != q->body) {
        return false;
    }
    const Poly **lo = arena_alloc(g->arena, (size_t)rank * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)rank * sizeof *hi);
    for (int k = 0; k < rank; k++) {
        lo[k] = k == other && !behind ? q->lo[k] : p->lo[k];
        hi[k] = k == other && behind ? q->hi[k] : p->hi[k];
    }
    p->body = first ? q->body : p->body;
    p->lo = lo, p->hi = hi;
    return true;
}

static void join_pieces(Graph *g, ArrayRef a) {
    bool joined = true;
    while (joined) {
        joined = false;
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !joined; q++) {
            for (int r = q + 1; r < ARRAY(g, a)->pieces.n && !joined; r++) {
                Piece p = ARRAY(g, a)->pieces.at[q], other = ARRAY(g, a)->pieces.at[r];
                joined = join(g, a, &p, &other);
                if (joined) {
                    Array *x = ARRAY(g, a);
                    x->pieces.at[q] = p;
                    x->pieces.n--;
                    memmove(&x->pieces.at[r], &x->pieces.at[r + 1],
                            (size_t)(x->pieces.n - r) * sizeof p);
                }
            }
        }
    }
}

/* ---- equal arrays
 * ----------------------------------------------------------------------------------------------------
 */

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

/* The same shape and the same boxes? */
static bool frames_equal(const Graph *g, ArrayRef a, ArrayRef b) {
    const Array *x = ARRAY(g, a), *y = ARRAY(g, b);
    if (x->rank != y->rank || x->pieces.n != y->pieces.n || x->type != y->type) {
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

static void share_array(Sharing *s, ArrayRef a) {
    Graph *g = s->g;
    if (ARRAY(g, a)->pieces.n == 1 && is_plain(g, ARRAY(g, a)->pieces.at[0].body)) {
        s->through[a] = true;
        if (covers_all(g, a)) {
            return;
        }
    }
    const Ref *part = key_of(g, a);
    int n = ARRAY(g, a)->pieces.n;
    uint32_t mask = s->nkeys - 1, h = n ? (part[0] * 0x9E3779B1u) & mask : 0;
    for (; s->keys[h].array; h = (h + 1) & mask) {
        const Key *k = &s->keys[h];
        if (frames_equal(g, a, k->array) &&
            !memcmp(part, k->part, (size_t)n * 2 * sizeof *part)) {
            s->same_as[a] = k->array;
            return;
        }
    }
    s->keys[h] = (Key){a, part};
}

/* ---- equal circles
 * -----------------------------------------------------------------------------------------------------
 */

enum { MOST_COMPARISONS = 20000 };
typedef struct Pairing { /* members of a circle, and those of another that they are taken to equal */
    Graph *g;
    const Circle *x, *y;
    ArrayRef *partner; /* by place in x */
    int *met;          /* places in x, in the order in which they were paired */
    int nmet;
    int left; /* comparisons */
    const Ref *from, *to; /* axes of the two members at work */
    int rank;
} Pairing;

static int place_in(const Circle *c, ArrayRef a) {
    for (int k = 0; k < c->n; k++) {
        if (c->member[k] == a) {
            return k;
        }
    }
    return -1;
}

static bool pair(Pairing *p, ArrayRef a, ArrayRef b) {
    int at = place_in(p->x, a);
    if (a == b && at < 0) {
        return true;
    }
    if (at < 0 || place_in(p->y, b) < 0) {
        return false;
    }
    if (p->partner[at]) {
        return p->partner[at] == b;
    }
    p->partner[at] = b;
    p->met[p->nmet++] = at;
    return true;
}

static bool terms_pair(Pairing *p, Ref x, Ref y) {
    Graph *g = p->g;
    const Node *m = NODE(g, x), *n = NODE(g, y);
    if (--p->left < 0) {
        return false;
    }
    for (int k = 0; k < p->rank; k++) {
        if (p->from[k] == x) {
            return p->to[k] == y;
        }
    }
    if (m->nargs == 0 && m->op != OP_READ) {
        return x == y;
    }
    if (m->op != n->op || m->type != n->type || m->nargs != n->nargs ||
        (m->op == OP_READ ? !pair(p, m->aux, n->aux) : m->aux != n->aux)) {
        return false;
    }
    bool swap = m->op >= OP_FIRST_SCALAR && op_info[m->op].commutative;
    for (int turn = 0; turn <= swap; turn++) {
        int met = p->nmet;
        bool equal = true;
        for (int k = 0; k < m->nargs && equal; k++) {
            equal = terms_pair(p, ARG(g, x, k), ARG(g, y, turn ? 1 - k : k));
            m = NODE(g, x);
        }
        if (equal) {
            return true;
        }
        while (p->nmet > met) {
            p->partner[p->met[--p->nmet]] = 0;
        }
    }
    return false;
}

/* Are the circles equal if a is b? Then p->partner says who is who. */
static bool circles_pair(Pairing *p, ArrayRef a, ArrayRef b) {
    Graph *g = p->g;
    memset(p->partner, 0, (size_t)p->x->n * sizeof *p->partner);
    p->nmet = 0;
    pair(p, a, b);
    for (int k = 0; k < p->nmet; k++) { /* grows meanwhile */
        ArrayRef x = p->x->member[p->met[k]], y = p->partner[p->met[k]];
        if (!frames_equal(g, x, y)) {
            return false;
        }
        p->from = ARRAY(g, x)->axis, p->to = ARRAY(g, y)->axis, p->rank = ARRAY(g, x)->rank;
        for (int q = 0; q < ARRAY(g, x)->pieces.n; q++) {
            const Piece *m = &ARRAY(g, x)->pieces.at[q], *n = &ARRAY(g, y)->pieces.at[q];
            if (!m->guard != !n->guard || !terms_pair(p, m->body, n->body) ||
                (m->guard && !terms_pair(p, m->guard, n->guard))) {
                return false;
            }
        }
    }
    return p->nmet == p->x->n;
}

static uint32_t circle_shape(const Graph *g, const ArrayRef *member, int n) {
    uint32_t sum = (uint32_t)n;
    for (int k = 0; k < n; k++) {
        const Array *x = ARRAY(g, member[k]);
        uint32_t h = (uint32_t)x->rank * 31u + (uint32_t)x->pieces.n;
        for (int q = 0; q < x->pieces.n; q++) {
            h = h * 0x9E3779B1u + NODE(g, x->pieces.at[q].body)->op;
        }
        sum += h * 0x85EBCA6Bu;
    }
    return sum;
}

static void share_circle(Sharing *s, int n, const ArrayRef *member) {
    Graph *g = s->g;
    VEC(ArrayRef) left = {0};
    /* Copies inside of the circle are read through, but for the last that is left. */
    int nleft = n;
    for (int k = 0; k < n; k++) {
        ArrayRef a = member[k];
        rewrite_array(s, a);
        if (nleft > 1 && !s->fixed(g, a) && ARRAY(g, a)->pieces.n == 1 &&
            is_plain(g, ARRAY(g, a)->pieces.at[0].body) && !graph_reads_itself(g, a)) {
            s->through[a] = true;
            nleft--;
            for (int q = 0; q < k; q++) {
                rewrite_array(s, member[q]);
            }
        }
    }
    for (int k = 0; k < n; k++) {
        rewrite_array(s, member[k]);
        join_pieces(g, member[k]);
        if (!s->through[member[k]]) {
            VEC_PUSH(g->arena, left, member[k]);
        }
    }
    Circle c = {left.n, left.at, circle_shape(g, left.at, left.n)};
    Pairing p = {.g = g, .x = &c};
    p.partner = arena_alloc(g->arena, (size_t)n * sizeof *p.partner);
    p.met = arena_alloc(g->arena, (size_t)n * sizeof *p.met);
    for (int k = 0; k < s->circles.n; k++) {
        const Circle *d = &s->circles.at[k];
        if (d->n != c.n || d->shape != c.shape) {
            continue;
        }
        p.y = d;
        for (int q = 0; q < d->n; q++) {
            p.left = MOST_COMPARISONS;
            if (circles_pair(&p, c.member[0], d->member[q])) {
                for (int m = 0; m < c.n; m++) {
                    s->same_as[c.member[m]] = s->fixed(g, c.member[m]) ? 0 : p.partner[m];
                }
                for (int m = 0; m < c.n; m++) {
                    rewrite_array(s, c.member[m]);
                }
                return;
            }
        }
    }
    VEC_PUSH(g->arena, s->circles, c);
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------
 */

Sharing *share_arrays(Graph *g, int n, const ArrayRef *roots,
                      bool (*fixed)(const Graph *g, ArrayRef a)) {
    Sharing *s = arena_alloc(g->arena, sizeof *s);
    Order order = graph_order(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    s->g = g, s->fixed = fixed;
    s->through = arena_alloc(g->arena, all * sizeof *s->through);
    s->same_as = arena_alloc(g->arena, all * sizeof *s->same_as);
    s->nkeys = 64;
    while (s->nkeys < all * 2) {
        s->nkeys *= 2;
    }
    s->keys = arena_alloc(g->arena, s->nkeys * sizeof *s->keys);
    for (int lo = 0, hi; lo < order.n; lo = hi) { /* what is read comes first */
        ArrayRef a = order.array[lo];
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        if (hi - lo > 1 || graph_reads_itself(g, a)) {
            share_circle(s, hi - lo, &order.array[lo]);
            continue;
        }
        rewrite_array(s, a);
        if (ARRAY(g, a)->order > 0) {
            join_pieces(g, a);
        }
        if (!fixed(g, a)) {
            share_array(s, a);
        }
    }
    return s;
}

static bool is_named(const Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return !x->derived || x->keep || x->role != ARRAY_INTERNAL || x->rules.n || x->twin ||
           x->copy_of;
}

void share_derived(Graph *g, ArrayRef root) {
    share_arrays(g, 1, &root, is_named);
}
