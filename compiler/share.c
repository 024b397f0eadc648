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
#include "kernel.h"
#include "ops.h"
#include <string.h>

typedef struct Key {
    ArrayRef array;
    const Ref *part;         /* its equation over common axes; per piece: body, guard, live */
    const struct Form *form; /* or, of one piece, over common indices */
} Key;

typedef struct Circle { /* arrays that read each other */
    int n;
    const ArrayRef *member;
    uint32_t shape; /* a hash of what equal circles have in common */
} Circle;

typedef VEC(Circle) Circles;

struct Sharing {
    Graph *g;
    bool (*fixed)(const Graph *g, ArrayRef a);
    bool *through;     /* by array: reads inside of its only box become its term */
    ArrayRef *same_as; /* by array: an equal one, or 0 */
    Key *keys;         /* a hash table */
    uint32_t nkeys;
    Circles circles, iterations; /* the latter with what says how far they go */
    const Poly *facts[48];       /* of the piece at work */
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

/* A copy, entry by entry, on a box outside of which what it copies is 0 too. */
static bool copies_all(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    const Piece p = x->pieces.at[0];
    if (p.guard || p.live || NODE(g, p.body)->op != OP_READ) {
        return false;
    }
    ArrayRef of = NODE(g, p.body)->aux;
    const Array *y = ARRAY(g, of);
    if (y->role != ARRAY_INTERNAL || y->rank != x->rank || y->type != x->type || kernel_is(g, of)) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        if (ARG(g, p.body, k) != x->axis[k] || !poly_equal(x->extent[k], y->extent[k])) {
            return false;
        }
        for (int q = 0; q < y->pieces.n; q++) {
            const Piece *o = &y->pieces.at[q];
            if (!graph_prove(g, poly_sub(g->arena, o->lo[k], p.lo[k]), 0, NULL) ||
                !graph_prove(g, poly_sub(g->arena, p.hi[k], o->hi[k]), 0, NULL)) {
                return false;
            }
        }
    }
    return true;
}

static Ref read_left(Graph *g, void *user, ArrayRef array, const Ref *positions) {
    const Sharing *s = user;
    ArrayRef a = array;
    while (s->same_as[a]) {
        a = s->same_as[a];
    }
    if (s->through[a] && (covers_all(g, a) || inside_box(s, a, positions) || copies_all(g, a))) {
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
        p.live = p.live ? graph_rewrite_reads(g, p.live, read_left, s) : 0;
        p.body = graph_cast(g, ARRAY(g, a)->type, body);
        guard = guard && !graph_is_true(g, guard) ? guard : 0;
        p.guard = graph_beside(g, guard, s->nfacts, s->facts);
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

/* The same, or a read of a sum that was lifted and may go back. */
static bool reads_nest(const Graph *g, Ref r) {
    r = NODE(g, r)->op == OP_neg ? ARG(g, r, 0) : r;
    if (NODE(g, r)->op != OP_READ) {
        return share_is_nest(g, r);
    }
    const Array *x = ARRAY(g, NODE(g, r)->aux);
    return x->derived && !x->adjoint_of && x->pieces.n == 1 &&
           share_is_nest(g, x->pieces.at[0].body);
}

/* Can it take no term more? */
static bool is_full(const Graph *g, Ref body) {
    return NODE(g, body)->height >= MOST_HEIGHT || reads_nest(g, body);
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
    if (p->guard != q->guard || p->live != q->live) {
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
        if (is_full(g, p->body) || is_full(g, q->body)) {
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
    if (first ? body_there(g, a, p, q, other) != p->body
              : body_there(g, a, q, p, other) != q->body) {
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

/* Pieces by where they begin or end along an axis, with what else they must have in common to lie
 * side by side; those on one box are found so too. A hash table with chains, each ascending. */
typedef struct Ends {
    int per;        /* entries of a piece */
    int *head;      /* 1 + the first entry */
    int *next;      /* by entry: 1 + the next one */
    uint32_t *hash; /* by entry */
    bool *full;     /* by piece */
    uint32_t room;
} Ends;

static uint32_t end_hash(const Array *x, const Piece *p, int axis, const Poly *at, bool end) {
    uint32_t h = p->guard * 31u + p->live * 17u + (uint32_t)axis * 2u + end;
    for (int k = 0; k < x->rank; k++) {
        if (k != axis) {
            h = (h ^ poly_hash(p->lo[k])) * 0x9E3779B1u;
            h = (h ^ poly_hash(p->hi[k])) * 0x85EBCA6Bu;
        }
    }
    h = at ? (h ^ poly_hash(at)) * 0x9E3779B1u : h;
    return h ^ h >> 16;
}

static Ends ends_of(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    Ends e = {.per = x->rank ? 2 * x->rank : 1, .room = 16};
    size_t all = (size_t)x->pieces.n * (size_t)e.per;
    while (e.room < all) {
        e.room *= 2;
    }
    e.head = arena_alloc(g->arena, e.room * sizeof *e.head);
    e.next = arena_alloc(g->arena, all * sizeof *e.next);
    e.hash = arena_alloc(g->arena, all * sizeof *e.hash);
    e.full = arena_alloc(g->arena, (size_t)x->pieces.n);
    for (int q = x->pieces.n - 1; q >= 0; q--) {
        e.full[q] = is_full(g, x->pieces.at[q].body);
        for (int k = 0; k < e.per; k++) {
            const Piece *p = &x->pieces.at[q];
            const Poly *at = !x->rank ? NULL : k % 2 ? p->hi[k / 2] : p->lo[k / 2];
            int entry = q * e.per + k;
            uint32_t h = e.hash[entry] = end_hash(x, p, k / 2, at, k % 2);
            e.next[entry] = e.head[h & (e.room - 1)];
            e.head[h & (e.room - 1)] = entry + 1;
        }
    }
    return e;
}

/* The first piece behind q that joins it, which has it then; 0: none. */
static int join_next(Graph *g, const Ends *e, ArrayRef a, int q, const bool *gone) {
    const Array x = *ARRAY(g, a);
    const Piece p = x.pieces.at[q];
    const Poly *one = poly_int(g->arena, 1);
    const bool full = is_full(g, p.body);
    VEC(int) found = {0};
    for (int k = 0; k < 3 * x.rank + (x.rank == 0); k++) {
        int axis = k / 3, side = k % 3;
        if (side == 0 && full) {
            continue;
        }
        const Poly *at = !x.rank     ? NULL
                         : side == 0 ? p.lo[axis]
                         : side == 1 ? poly_add(g->arena, p.hi[axis], one)
                                     : poly_sub(g->arena, p.lo[axis], one);
        uint32_t hash = end_hash(&x, &p, axis, at, side == 2);
        for (int entry = e->head[hash & (e->room - 1)]; entry; entry = e->next[entry - 1]) {
            int r = (entry - 1) / e->per, place = found.n;
            if (e->hash[entry - 1] != hash || r <= q || gone[r] || (side == 0 && e->full[r])) {
                continue;
            }
            VEC_PUSH(g->arena, found, r);
            for (; place > 0 && found.at[place - 1] > r; place--) {
                found.at[place] = found.at[place - 1];
            }
            found.at[place] = r;
        }
    }
    for (int k = 0; k < found.n; k++) {
        Piece joined = p, other = x.pieces.at[found.at[k]];
        if ((k == 0 || found.at[k] != found.at[k - 1]) && join(g, a, &joined, &other)) {
            ARRAY(g, a)->pieces.at[q] = joined;
            return found.at[k];
        }
    }
    return 0;
}

static void join_pieces(Graph *g, ArrayRef a) {
    for (bool joined = ARRAY(g, a)->pieces.n > 1; joined;) {
        joined = false;
        int n = ARRAY(g, a)->pieces.n, left = 0;
        Ends ends = ends_of(g, a);
        bool *gone = arena_alloc(g->arena, (size_t)n);
        for (int q = 0; q < n; q++) {
            if (gone[q]) {
                continue;
            }
            for (int r; (r = join_next(g, &ends, a, q, gone)) != 0;) {
                gone[r] = joined = true;
            }
            ARRAY(g, a)->pieces.at[left++] = ARRAY(g, a)->pieces.at[q];
        }
        ARRAY(g, a)->pieces.n = left;
    }
}

/* ---- equal arrays
 * ----------------------------------------------------------------------------------------------------
 */

/* Of an array with one piece: its term over common indices v. They are numbered as they are met,
 * and v is what stands at the first place where its axis is met, so that x[t + 1] and x[t - 1] are
 * both x[v]. */
typedef struct Form {
    int n;
    uint8_t axis[16]; /* by v: the axis that it belongs to */
    int8_t sign[16];  /* v = sign * axis + shift */
    const Poly **shift;
    Ref body, guard, live; /* the last two: 0 where there is none */
} Form;

/* The axis becomes what stands at a position of a read, where that is the axis, a sign and sizes.
 */
static void form_meet(Graph *g, ArrayRef a, Form *f, Ref axis, const Poly *at) {
    const Array *x = ARRAY(g, a);
    int number = 0;
    while (number < x->rank && x->axis[number] != axis) {
        number++;
    }
    if (number == x->rank) {
        return; /* bound inside */
    }
    for (int k = 0; k < f->n; k++) {
        if (f->axis[k] == number) {
            return;
        }
    }
    if (!f->shift) {
        f->shift = arena_alloc(g->arena, (size_t)x->rank * sizeof *f->shift);
    }
    f->axis[f->n] = (uint8_t)number;
    graph_place(g, at, axis, &f->sign[f->n], &f->shift[f->n]);
    f->n++;
}

static Form form_of(Graph *g, ArrayRef a) {
    const Piece p = ARRAY(g, a)->pieces.at[0];
    Form f = {0};
    const Poly *extent[16];
    Walk walk = walk_start(g, p.body);
    for (Ref r; (r = walk_next(walk));) {
        int known = f.n;
        const Node n = *NODE(g, r);
        for (int k = 0; k < n.nargs && n.op == OP_READ; k++) {
            const Ref *free;
            Ref at = ARG(g, r, k);
            int nfree = graph_free(g, at, &free);
            for (int q = 0; q < nfree; q++) {
                form_meet(g, a, &f, free[q], graph_poly(g, at));
            }
            for (; known < f.n; known++) {
                bool moved = f.sign[known] != 1 || f.shift[known]->n;
                extent[known] =
                    moved ? ARRAY(g, n.aux)->extent[k] : ARRAY(g, a)->extent[f.axis[known]];
            }
        }
        if (n.op == OP_INDEX) {
            form_meet(g, a, &f, r, NULL);
            for (; known < f.n; known++) {
                extent[known] = ARRAY(g, a)->extent[f.axis[known]];
            }
        }
        for (int k = n.nargs - 1; k >= 0; k--) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    Ref from[16], to[16];
    for (int k = 0; k < f.n; k++) {
        const Poly *v =
            poly_sub(g->arena, poly_var(g->arena, graph_axis(g, k, extent[k])), f.shift[k]);
        from[k] = ARRAY(g, a)->axis[f.axis[k]];
        to[k] = graph_of_poly(g, f.sign[k] > 0 ? v : poly_neg(g->arena, v));
    }
    f.body = graph_subst(g, p.body, f.n, from, to);
    f.guard = p.guard ? graph_subst(g, p.guard, f.n, from, to) : 0;
    f.live = p.live ? graph_subst(g, p.live, f.n, from, to) : 0;
    return f;
}

/* Array a, whose term is that of b, becomes a copy of b on a's box; false where b's box is too
 * small. */
static bool become_copy(Sharing *s, ArrayRef a, const Form *f, ArrayRef b, const Form *of) {
    Graph *g = s->g;
    Piece p = ARRAY(g, a)->pieces.at[0];
    if (ARRAY(g, a)->type != ARRAY(g, b)->type || f->n != of->n || ARRAY(g, b)->rank != of->n ||
        graph_given(g, of->guard, f->guard) ||
        graph_given(g, of->live, graph_both(g, f->guard, f->live))) {
        return false;
    }
    Ref position[16];
    for (int k = 0; k < f->n; k++) { /* v, from a's axis; then b's axis, from v */
        const Poly *axis = poly_var(g->arena, ARRAY(g, a)->axis[f->axis[k]]);
        const Poly *v =
            poly_add(g->arena, f->sign[k] > 0 ? axis : poly_neg(g->arena, axis), f->shift[k]);
        const Poly *there = poly_sub(g->arena, v, of->shift[k]);
        position[of->axis[k]] =
            graph_of_poly(g, of->sign[k] > 0 ? there : poly_neg(g->arena, there));
    }
    facts_of_piece(s, a, &p);
    bool inside = inside_box(s, b, position);
    for (int k = 0; k < f->n && inside; k++) { /* a's box may lie outside of b altogether */
        const Poly *at = graph_poly(g, position[k]),
                   *end = poly_sub(g->arena, ARRAY(g, b)->extent[k], poly_int(g->arena, 1));
        inside = graph_prove(g, at, s->nfacts, s->facts) &&
                 graph_prove(g, poly_sub(g->arena, end, at), s->nfacts, s->facts);
    }
    s->nfacts = 0;
    if (!inside) {
        return false;
    }
    p.body = graph_read(g, b, position);
    ARRAY(g, a)->pieces.at[0] = p;
    return true;
}

static const Ref *key_of(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    int n = x->pieces.n, rank = x->rank;
    Ref *axes = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axes),
        *key = arena_alloc(g->arena, (size_t)(3 * n + 1) * sizeof *key);
    for (int k = 0; k < rank; k++) {
        axes[k] = graph_axis(g, k, x->extent[k]);
    }
    for (int q = 0; q < n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        const Ref *axis = ARRAY(g, a)->axis;
        key[3 * q] = graph_subst(g, p.body, rank, axis, axes);
        key[3 * q + 1] = p.guard ? graph_subst(g, p.guard, rank, axis, axes) : 0;
        key[3 * q + 2] = p.live ? graph_subst(g, p.live, rank, axis, axes) : 0;
    }
    return key;
}

/* The same shape and the same boxes? */
static bool frames_equal(const Graph *g, ArrayRef a, ArrayRef b) {
    const Array *x = ARRAY(g, a), *y = ARRAY(g, b);
    if (x->rank != y->rank || x->pieces.n != y->pieces.n || x->type != y->type ||
        x->counts != y->counts || x->least != y->least) {
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

/* Arrays to come may be equal to this one, which has one piece. */
static void keep_form(Sharing *s, ArrayRef a) {
    if (ARRAY(s->g, a)->rank > 16 || ARRAY(s->g, a)->pieces.at[0].live) {
        return;
    }
    Form *f = arena_alloc(s->g->arena, sizeof *f);
    *f = form_of(s->g, a);
    uint32_t mask = s->nkeys - 1, h = (f->body * 0x9E3779B1u) & mask;
    while (s->keys[h].array) {
        if (s->keys[h].array == a && s->keys[h].form && s->keys[h].form->body == f->body) {
            return;
        }
        h = (h + 1) & mask;
    }
    s->keys[h] = (Key){a, NULL, f};
}

/* Looks for an equal array. True where this one need not be any more. */
static bool share_array(Sharing *s, ArrayRef a) {
    Graph *g = s->g;
    int n = ARRAY(g, a)->pieces.n;
    if (ARRAY(g, a)->counts) { /* with what it is found from, or not at all */
        return false;
    }
    Ref body = n ? ARRAY(g, a)->pieces.at[0].body : 0;
    if (n == 1 && NODE(g, body)->height < MOST_HEIGHT && is_plain(g, body)) {
        s->through[a] = true;
        return true;
    }
    Form *f = arena_alloc(g->arena, sizeof *f);
    const Ref *part = NULL;
    bool one = n == 1 && ARRAY(g, a)->rank <= 16;
    if (one) {
        *f = form_of(g, a);
    } else {
        part = key_of(g, a);
    }
    uint32_t mask = s->nkeys - 1, h = n ? ((one ? f->body : part[0]) * 0x9E3779B1u) & mask : 0;
    for (; s->keys[h].array; h = (h + 1) & mask) {
        const Key *k = &s->keys[h];
        if (one && k->array == a && k->form && k->form->body == f->body) {
            return false; /* as it was the last time */
        }
        if (one ? k->form && k->form->body == f->body && k->array != a &&
                      become_copy(s, a, f, k->array, k->form)
                : !k->form && frames_equal(g, a, k->array) &&
                      !memcmp(part, k->part, (size_t)n * 3 * sizeof *part)) {
            s->through[a] = one;
            s->same_as[a] = one ? 0 : k->array;
            return true;
        }
    }
    s->keys[h] = (Key){a, part, one ? f : NULL};
    return false;
}

/* ---- equal circles
 * -----------------------------------------------------------------------------------------------------
 */

enum { MOST_COMPARISONS = 20000 };
typedef struct Pairing { /* members of a circle, and those of another that they are taken to equal
                          */
    Graph *g;
    const Circle *x, *y; /* one circle twice: then some of its members, to others before them */
    ArrayRef *partner;   /* by place in x */
    int *met;            /* places in x, in the order in which they were paired */
    int nmet;
    int left;             /* comparisons */
    const Ref *from, *to; /* axes of the two members at work */
    int rank;
    Sharing *s;
    ArrayRef at[2]; /* these two, and their pieces */
    int piece;
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
    if (a == b && p->x == p->y) {
        return true;
    }
    int at = place_in(p->x, a), to = place_in(p->y, b);
    if (a == b && at < 0) {
        return true;
    }
    if (at < 0 || to < 0) {
        return false;
    }
    if (p->x == p->y && at < to) { /* the one behind is to be the one before */
        ArrayRef before = a;
        a = b, b = before, at = to;
    }
    if (p->partner[at]) {
        return p->partner[at] == b;
    }
    p->partner[at] = b;
    p->met[p->nmet++] = at;
    return true;
}

static bool terms_pair(Pairing *p, Ref x, Ref y);

enum { MOST_PARTS = 64 };
typedef struct PartList { /* what a sum or a product is made of; minus: subtracted */
    int n;
    Ref at[MOST_PARTS];
    bool minus[MOST_PARTS];
} PartList;

static bool list_parts(const Graph *g, PartList *l, Ref r, bool product, bool minus) {
    for (;;) {
        const Node *n = NODE(g, r);
        if (product ? n->op == OP_mul : n->op == OP_add || n->op == OP_sub) {
            if (!list_parts(g, l, ARG(g, r, 0), product, minus)) {
                return false;
            }
            minus = n->op == OP_sub ? !minus : minus, r = ARG(g, r, 1);
        } else if (!product && n->op == OP_neg) {
            minus = !minus, r = ARG(g, r, 0);
        } else {
            break;
        }
    }
    if (l->n == MOST_PARTS) {
        return false;
    }
    l->at[l->n] = r, l->minus[l->n++] = minus;
    return true;
}

static void forget_pairs(Pairing *p, int met) {
    while (p->nmet > met) {
        p->partner[p->met[--p->nmet]] = 0;
    }
}

/* Sums and products, in whatever order. */
static bool parts_pair(Pairing *p, Ref x, Ref y, bool product) {
    PartList a = {0}, b = {0};
    if (!list_parts(p->g, &a, x, product, false) || !list_parts(p->g, &b, y, product, false) ||
        a.n != b.n) {
        return false;
    }
    for (int k = 0; k < a.n; k++) {
        bool found = false;
        for (int q = k; q < b.n && !found; q++) {
            int met = p->nmet;
            found = a.minus[k] == b.minus[q] && terms_pair(p, a.at[k], b.at[q]);
            if (found) {
                Ref r = b.at[q];
                bool minus = b.minus[q];
                b.at[q] = b.at[k], b.minus[q] = b.minus[k];
                b.at[k] = r, b.minus[k] = minus;
            } else {
                forget_pairs(p, met);
            }
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* What an array of the circle says, where the other side says it in place: one of the two was
 * lifted out of an equation that has a derivative more. 0: it is no such read. */
static Ref say_in_place(Pairing *p, Ref r, int side) {
    Graph *g = p->g;
    ArrayRef a = NODE(g, r)->aux;
    const Array *x = ARRAY(g, a);
    if (x->role != ARRAY_INTERNAL || x->pieces.n != 1 || x->counts ||
        NODE(g, x->pieces.at[0].body)->op == OP_READ || place_in(side ? p->y : p->x, a) < 0) {
        return 0;
    }
    const Piece at = ARRAY(g, p->at[side])->pieces.at[p->piece];
    const Ref *positions = &ARG(g, r, 0);
    facts_of_piece(p->s, p->at[side], &at);
    bool inside = covers_all(g, a) || inside_box(p->s, a, positions);
    p->s->nfacts = 0;
    x = ARRAY(g, a);
    return inside ? graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, &ARG(g, r, 0)) : 0;
}

static bool terms_pair(Pairing *p, Ref x, Ref y) {
    Graph *g = p->g;
    const Node *m = NODE(g, x), *n = NODE(g, y);
    if (--p->left < 0) {
        return false;
    }
    if ((m->op == OP_READ) != (n->op == OP_READ)) {
        bool side = n->op == OP_READ;
        Ref said = m->nargs + n->nargs ? say_in_place(p, side ? y : x, side) : 0;
        return said && terms_pair(p, side ? x : said, side ? said : y);
    }
    for (int k = 0; k < p->rank; k++) {
        if (p->from[k] == x) {
            return p->to[k] == y;
        }
    }
    if (m->nargs == 0 && m->op != OP_READ) {
        return x == y;
    }
    bool sums = (m->op == OP_add || m->op == OP_sub || m->op == OP_neg) &&
                (n->op == OP_add || n->op == OP_sub || n->op == OP_neg) && m->op != n->op;
    if (sums && m->type >= VALUE_FLOAT) {
        return m->type == n->type && parts_pair(p, x, y, false);
    }
    if (m->op != n->op || m->type != n->type || m->nargs != n->nargs ||
        (m->op == OP_READ ? !pair(p, m->aux, n->aux) : m->aux != n->aux)) {
        return false;
    }
    int met = p->nmet, nargs = m->nargs;
    bool sum = m->op == OP_add || m->op == OP_sub || m->op == OP_neg, product = m->op == OP_mul;
    bool swap = m->op >= OP_FIRST_SCALAR && op_info[m->op].commutative && !sum && !product;
    for (int turn = 0; turn <= swap; turn++) {
        bool equal = true;
        forget_pairs(p, met);
        for (int k = 0; k < nargs && equal; k++) {
            equal = terms_pair(p, ARG(g, x, k), ARG(g, y, turn ? 1 - k : k));
        }
        if (equal) {
            return true;
        }
    }
    forget_pairs(p, met);
    return m->type >= VALUE_FLOAT && (sum || product) && parts_pair(p, x, y, product);
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
        p->at[0] = x, p->at[1] = y;
        for (int q = 0; q < ARRAY(g, x)->pieces.n; q++) {
            const Piece m = ARRAY(g, x)->pieces.at[q], n = ARRAY(g, y)->pieces.at[q];
            p->piece = q;
            if (!m.guard != !n.guard || !m.live != !n.live || !terms_pair(p, m.body, n.body) ||
                (m.guard && !terms_pair(p, m.guard, n.guard)) ||
                (m.live && !terms_pair(p, m.live, n.live))) {
                return false;
            }
        }
    }
    return p->nmet == p->x->n || p->x == p->y;
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

/* A circle that equals one of those before is that one. */
static void merge_circle(Sharing *s, int n, const ArrayRef *member, bool iteration) {
    Graph *g = s->g;
    Circles *known = iteration ? &s->iterations : &s->circles;
    Circle c = {n, member, circle_shape(g, member, n)};
    Pairing p = {.g = g, .s = s, .x = &c};
    p.partner = arena_alloc(g->arena, (size_t)n * sizeof *p.partner);
    p.met = arena_alloc(g->arena, (size_t)n * sizeof *p.met);
    for (int k = 0; k < known->n; k++) {
        const Circle *d = &known->at[k];
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
    VEC_PUSH(g->arena, *known, c);
    for (int k = 0; k < n; k++) { /* what reads the circle from outside may say the same again */
        if (ARRAY(g, member[k])->pieces.n == 1) {
            keep_form(s, member[k]);
        }
    }
}

/* A circle may hold another one twice, as an outer recurrence does that asks for two results of one
 * inside of it: members that are equal, if they are taken to be, are one. By induction over the
 * entries as they are computed that is so: each says the same of entries before it. */
static int merge_parts(Sharing *s, int n, const ArrayRef *member) {
    Graph *g = s->g;
    int merged = 0;
    Circle c = {n, member, 0};
    Pairing p = {.g = g, .s = s, .x = &c, .y = &c, .left = MOST_COMPARISONS};
    uint32_t *shape = arena_alloc(g->arena, (size_t)n * sizeof *shape);
    p.partner = arena_alloc(g->arena, (size_t)n * sizeof *p.partner);
    p.met = arena_alloc(g->arena, (size_t)n * sizeof *p.met);
    for (int k = 0; k < n; k++) {
        shape[k] = circle_shape(g, &member[k], 1);
    }
    for (int k = 0; k < n; k++) {
        bool found = false;
        for (int q = 0; q < k && !found && p.left > 0; q++) {
            if (shape[q] != shape[k] || s->same_as[member[k]] || s->same_as[member[q]] ||
                s->through[member[k]] || s->through[member[q]] || s->fixed(g, member[k])) {
                continue;
            }
            p.left--;
            found = circles_pair(&p, member[k], member[q]);
            for (int m = 0; m < p.nmet && found; m++) {
                ArrayRef a = member[p.met[m]];
                if (!s->fixed(g, a) && !s->same_as[a]) {
                    s->same_as[a] = p.partner[p.met[m]];
                    merged++;
                }
            }
        }
        for (int m = 0; m < n && found; m++) {
            rewrite_array(s, member[m]);
        }
    }
    return merged;
}

/* A copy that is still read inside of its circle, outside of its box, stays a member. How many? */
static int keep_what_is_read(Sharing *s, int n, const ArrayRef *member) {
    Graph *g = s->g;
    int kept = 0;
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < n; k++) {
            const ArrayRef *reads;
            int nreads = s->through[member[k]] ? 0 : graph_array_reads(g, member[k], &reads);
            for (int q = 0; q < nreads; q++) {
                for (int m = 0; m < n && s->through[reads[q]]; m++) {
                    if (member[m] == reads[q]) {
                        s->through[reads[q]] = false;
                        kept++, more = true;
                    }
                }
            }
        }
    }
    return kept;
}

enum { MOST_ROUNDS = 3 };

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
    }
    nleft += keep_what_is_read(s, n, member);
    nleft -= merge_parts(s, n, member);
    bool again = true;
    for (int round = 0; round < MOST_ROUNDS && again; round++) { /* members read later ones, too */
        again = false;
        for (int k = 0; k < n && nleft > 1; k++) {
            ArrayRef a = member[k];
            if (!s->through[a] && !s->same_as[a] && !s->fixed(g, a) && ARRAY(g, a)->pieces.n == 1 &&
                share_array(s, a)) {
                nleft--;
                again = true;
                for (int q = 0; q < n; q++) {
                    rewrite_array(s, member[q]);
                }
            }
        }
    }
    for (int k = 0; k < n; k++) {
        if (!s->through[member[k]] && !s->same_as[member[k]]) {
            VEC_PUSH(g->arena, left, member[k]);
        }
    }
    merge_circle(s, left.n, left.at, false);
}

static void share_component(Sharing *s, int n, const ArrayRef *member) {
    Graph *g = s->g;
    if (n > 1 || graph_reads_itself(g, member[0])) {
        share_circle(s, n, member);
        return;
    }
    rewrite_array(s, member[0]);
    if (ARRAY(g, member[0])->order > 0) {
        join_pieces(g, member[0]);
    }
    if (!s->fixed(g, member[0])) {
        share_array(s, member[0]);
    }
}

/* An iteration with what says how far it goes. Its members are taken one by one first. */
static void share_iteration(Sharing *s, int n, const ArrayRef *member) {
    Graph *g = s->g;
    Order order = graph_order(g, n, member);
    bool *in = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *in);
    VEC(ArrayRef) left = {0};
    for (int k = 0; k < n; k++) {
        in[member[k]] = true;
    }
    for (int lo = 0, hi; lo < order.n; lo = hi) {
        VEC(ArrayRef) part = {0};
        for (hi = lo; hi < order.n && order.component[hi] == order.component[lo]; hi++) {
            if (in[order.array[hi]]) {
                VEC_PUSH(g->arena, part, order.array[hi]);
            }
        }
        if (part.n) {
            share_component(s, part.n, part.at);
        }
    }
    for (int k = 0; k < n; k++) { /* how far they go was not known in this order */
        rewrite_array(s, member[k]);
        ArrayRef a = member[k];
        bool copy = s->through[a] && (covers_all(g, a) || copies_all(g, a));
        if (!copy && !s->same_as[member[k]]) {
            VEC_PUSH(g->arena, left, member[k]);
        }
    }
    merge_circle(s, left.n, left.at, true);
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------
 */

Sharing *share_arrays(Graph *g, int n, const ArrayRef *roots,
                      bool (*fixed)(const Graph *g, ArrayRef a)) {
    Sharing *s = arena_alloc(g->arena, sizeof *s);
    Order order = graph_order_needs(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    s->g = g, s->fixed = fixed;
    s->through = arena_alloc(g->arena, all * sizeof *s->through);
    s->same_as = arena_alloc(g->arena, all * sizeof *s->same_as);
    s->nkeys = 64;
    while (s->nkeys < all * 2 * (MOST_ROUNDS + 1)) {
        s->nkeys *= 2;
    }
    s->keys = arena_alloc(g->arena, s->nkeys * sizeof *s->keys);
    for (int lo = 0, hi; lo < order.n; lo = hi) { /* what is read comes first */
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        bool iteration = false;
        for (int k = lo; k < hi; k++) {
            iteration = iteration || (hi - lo > 1 && ARRAY(g, order.array[k])->counts);
        }
        if (iteration) {
            share_iteration(s, hi - lo, &order.array[lo]);
        } else {
            share_component(s, hi - lo, &order.array[lo]);
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
    share_arrays(g, 1, &root, is_named); /* what reads the end of a circle that is another now */
}

/* ---- what was lifted and is read once goes back
 * -------------------------------------------------------------------------- */

typedef struct Back {
    Sharing *s;
    ArrayRef first_new;
    int *reads;  /* by array */
    bool *loose; /* by array: some read is inside of more loops than the array has axes */
    bool *into;  /* by array: goes back to where it is read */
} Back;

static bool is_lifted(const Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->derived && !x->adjoint_of && !is_named(g, a) && x->pieces.n == 1 && !kernel_is(g, a);
}

static void count_reads(Back *b, ArrayRef a, Ref root, bool guard) {
    Graph *g = b->s->g;
    Walk walk = walk_start(g, root);
    for (Ref r; (r = walk_next(walk));) { /* first what stands outside of reductions */
        const Node n = *NODE(g, r);
        bool deep = guard || walk_is_late(walk);
        if (n.op == OP_READ) {
            b->reads[n.aux]++;
            for (int k = 0; k < ARRAY(g, a)->rank && !deep; k++) {
                b->loose[n.aux] = b->loose[n.aux] || !graph_has_index(g, r, ARRAY(g, a)->axis[k]);
            }
            b->loose[n.aux] = b->loose[n.aux] || deep;
        }
        for (int k = 0; k < n.nargs; k++) {
            if (n.op == OP_REDUCE) {
                walk_later(walk, ARG(g, r, k));
            } else {
                walk_add(walk, ARG(g, r, k));
            }
        }
    }
}

/* Is the piece apart from all others of its array? */
static bool stands_apart(Graph *g, ArrayRef a, int q) {
    const Array *x = ARRAY(g, a);
    const Poly *one = poly_int(g->arena, 1);
    for (int r = 0; r < x->pieces.n; r++) {
        bool apart = r == q || x->order == 0;
        for (int k = 0; k < x->rank && !apart; k++) {
            const Piece *p = &x->pieces.at[q], *o = &x->pieces.at[r];
            apart = graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, o->lo[k], p->hi[k]), one),
                                0, NULL) ||
                    graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, p->lo[k], o->hi[k]), one),
                                0, NULL);
        }
        if (!apart) {
            return false;
        }
    }
    return true;
}

/* What is lifted out of a piece that says nothing else, and read elsewhere too, is the array of
 * that piece. */
static bool trade_places(Sharing *s, ArrayRef a, int q) {
    Graph *g = s->g;
    Ref r = ARRAY(g, a)->pieces.at[q].body;
    if (NODE(g, r)->op != OP_READ || s->fixed(g, a)) {
        return false;
    }
    ArrayRef l = NODE(g, r)->aux;
    const Array *x = ARRAY(g, a), *y = ARRAY(g, l);
    if (!is_lifted(g, l) || x->rank != y->rank || x->type != y->type || s->fixed(g, l) ||
        y->pieces.at[0].guard || x->pieces.at[q].guard ||
        NODE(g, y->pieces.at[0].body)->op == OP_READ) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        if (ARG(g, r, k) != x->axis[k] ||
            !poly_equal(x->pieces.at[q].lo[k], y->pieces.at[0].lo[k]) ||
            !poly_equal(x->pieces.at[q].hi[k], y->pieces.at[0].hi[k])) {
            return false;
        }
    }
    if (!stands_apart(g, a, q)) {
        return false;
    }
    Ref live =
        y->pieces.at[0].live ? graph_subst(g, y->pieces.at[0].live, y->rank, y->axis, x->axis) : 0;
    if (live != ARRAY(g, a)->pieces.at[q].live) {
        return false;
    }
    x = ARRAY(g, a), y = ARRAY(g, l);
    Ref body = graph_subst(g, y->pieces.at[0].body, y->rank, y->axis, x->axis);
    Ref read = graph_read(g, a, ARRAY(g, l)->axis);
    ARRAY(g, a)->pieces.at[q].body = body;
    ARRAY(g, l)->pieces.at[0].body = read;
    s->through[l] = true;
    return true;
}

static Ref read_back(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Back *b = user;
    if (!b->into[a] || NODE(g, ARRAY(g, a)->pieces.at[0].body)->size >= MOST_SIZE ||
        !(covers_all(g, a) || inside_box(b->s, a, positions))) {
        return 0;
    }
    const Array *x = ARRAY(g, a);
    return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
}

static void put_back(Back *b, ArrayRef a) {
    Graph *g = b->s->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Piece p = ARRAY(g, a)->pieces.at[q];
        facts_of_piece(b->s, a, &p);
        Ref body = graph_rewrite_reads(g, p.body, read_back, b);
        ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
    }
    b->s->nfacts = 0;
}

void share_put_back(Graph *g, int n, const ArrayRef *roots,
                    bool (*fixed)(const Graph *g, ArrayRef a), ArrayRef first_new) {
    Sharing *s = arena_alloc(g->arena, sizeof *s);
    size_t all = (size_t)g->arrays.n + 1;
    s->g = g, s->fixed = fixed;
    s->through = arena_alloc(g->arena, all * sizeof *s->through);
    s->same_as = arena_alloc(g->arena, all * sizeof *s->same_as);
    Back b = {.s = s, .first_new = first_new};
    b.reads = arena_alloc(g->arena, all * sizeof *b.reads);
    b.loose = arena_alloc(g->arena, all * sizeof *b.loose);
    b.into = arena_alloc(g->arena, all * sizeof *b.into);
    Order order = graph_order(g, n, roots);
    bool traded = false;
    for (int k = 0; k < order.n; k++) {
        for (int q = 0; q < ARRAY(g, order.array[k])->pieces.n; q++) {
            traded = trade_places(s, order.array[k], q) || traded;
        }
    }
    for (int k = 0; k < order.n && traded; k++) {
        if (!s->through[order.array[k]]) {
            rewrite_array(s, order.array[k]);
        }
    }
    order = graph_order(g, n, roots);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            count_reads(&b, a, ARRAY(g, a)->pieces.at[q].body, false);
            if (ARRAY(g, a)->pieces.at[q].guard) {
                count_reads(&b, a, ARRAY(g, a)->pieces.at[q].guard, true);
            }
        }
    }
    for (int k = 0; k < order.n; k++) { /* a sum that is all of a piece is a loop nest of it */
        ArrayRef a = order.array[k];
        bool sum = is_lifted(g, a) && share_is_nest(g, ARRAY(g, a)->pieces.at[0].body);
        b.into[a] = is_lifted(g, a) && b.reads[a] == 1 && !b.loose[a] && (a >= first_new || !sum);
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && ARRAY(g, a)->pieces.n > 1; q++) {
            Ref r = ARRAY(g, a)->pieces.at[q].body;
            r = NODE(g, r)->op == OP_neg ? ARG(g, r, 0) : r;
            ArrayRef l = NODE(g, r)->op == OP_READ ? NODE(g, r)->aux : 0;
            b.into[l] = b.into[l] || (l && is_lifted(g, l) && b.reads[l] == 1 && !b.loose[l]);
        }
    }
    for (int lo = 0, hi; lo < order.n; lo = hi) { /* what is read comes first, but for circles */
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        for (int turn = 0; turn < hi - lo && turn < 3; turn++) {
            for (int k = lo; k < hi; k++) {
                put_back(&b, order.array[k]);
            }
        }
    }
}
