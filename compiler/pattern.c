/* pattern: sums leave out what is 0 by its form, as data decide.
 * In: arrays with all derivatives made, before conditions of demand are put on them. Out: the same
 * values.
 *
 * A[b] = parent[b] < 0 ? R[b] : A[parent[b]] * R[b] is a tree, and of the derivatives of A[b] along
 * the angle of each joint only those by joints above b are not 0. Which these are, data say; that
 * they are 0 says the form of the equations: A_dot[f, b] is made of A_dot[f, parent[b]] and
 * R_dot[f, b], and that is a choice between something and 0. So there is an equation of truth
 * values beside each such array, its *pattern*: A_some[f, b] = R_some[f, b] || (parent[b] >= 0 &&
 * A_some[f, parent[b]]). It has the axes of fixed length that are neither very short nor very long.
 * A sum over b of products with A_dot[f, b] for each of many points is then one over those b where
 * A_some[f, b] holds.
 *
 * First it is found which arrays have a pattern that says something: all are taken to have one, and
 * those have none that are made of something without, until no more are found. Patterns are made
 * for those that a sum wants. A condition on numbers (not on integers) says nothing: both sides may
 * be. */
#include "pattern.h"
#include "kernel.h"
#include "ops.h"
#include "sizes.h"

enum {
    SHORT = 4, /* an axis that a pattern has not: it holds where it does for some entry */
    LONGEST = 256,
    MOST_ENTRIES = 4096, /* of a pattern */
    LEAST_TURNS = 16,    /* for which one is asked */
    LEAST_WORK = 48,     /* operations that one truth value may spare */
    MOST_AXES = 15,
    MOST_DEPTH = 200, /* of terms that are looked into */
    MOST_ROUNDS = 32,
    MOST_SIZE_HERE = 400 /* of the term of a pattern */
};

typedef struct Patterns {
    Graph *g;
    int all;
    bool *has;            /* by array: a pattern, as far as is known */
    ArrayRef *made;       /* by array: it */
    VEC(ArrayRef) wanted; /* made, and without an equation so far */
    VEC(int8_t) says;     /* by node, in this round: 0 not known, 1 nothing, 2 something */
    VEC(Ref) some;        /* by node: where it is not 0 */
    bool deep;
} Patterns;

static bool is_kept(const Poly *extent) {
    int64_t n;
    return poly_is_int(extent, &n) && n > SHORT && n <= LONGEST;
}

/* Are all indices in it those of axes of fixed length, and nothing in it numbers that are not
 * whole? */
static bool is_of_short(Graph *g, Ref term) {
    int64_t n;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node node = *NODE(g, r);
        if (node.type >= VALUE_FLOAT || node.op == OP_REDUCE || node.op == OP_EXTERN ||
            (node.op == OP_INDEX && (!poly_is_int(EXTENT(g, r), &n) || n > LONGEST)) ||
            (node.op == OP_READ && ARRAY(g, node.aux)->role == ARRAY_INTERNAL)) {
            return false;
        }
        walk_into(walk, r);
    }
    return true;
}

/* ---- which arrays have one */

static bool says_node(Patterns *p, Ref r, int depth);

static bool says(Patterns *p, Ref r, int depth) {
    while (p->says.n < p->g->nodes.n) {
        VEC_PUSH(p->g->arena, p->says, 0);
    }
    if (!p->says.at[r]) {
        bool yes = depth < MOST_DEPTH && says_node(p, r, depth + 1);
        p->says.at[r] = yes ? 2 : 1;
    }
    return p->says.at[r] == 2;
}

static bool says_node(Patterns *p, Ref r, int depth) {
    Graph *g = p->g;
    const Node n = *NODE(g, r);
    double value;
    switch (n.op) {
    case OP_CONST: return graph_is_real(g, r, &value) && value == 0;
    case OP_READ:
        if ((int)n.aux >= p->all || !p->has[n.aux]) {
            return false;
        }
        for (int k = 0; k < n.nargs; k++) {
            if (is_kept(ARRAY(g, n.aux)->extent[k]) && !is_of_short(g, ARG(g, r, k))) {
                return false;
            }
        }
        return true;
    case OP_neg: return says(p, ARG(g, r, 0), depth);
    case OP_div: return n.type >= VALUE_FLOAT && says(p, ARG(g, r, 0), depth);
    case OP_CAST: return NODE(g, ARG(g, r, 0))->type != VALUE_BOOL && says(p, ARG(g, r, 0), depth);
    case OP_add:
    case OP_sub: return says(p, ARG(g, r, 0), depth) && says(p, ARG(g, r, 1), depth);
    case OP_mul: return says(p, ARG(g, r, 0), depth) || says(p, ARG(g, r, 1), depth);
    case OP_SELECT: {
        bool yes = says(p, ARG(g, r, 1), depth), no = says(p, ARG(g, r, 2), depth);
        return (yes && no) || ((yes || no) && is_of_short(g, ARG(g, r, 0)));
    }
    case OP_REDUCE: {
        int64_t turns;
        return n.aux == RED_SUM && poly_is_int(EXTENT(g, ARG(g, r, 0)), &turns) && turns <= SHORT &&
               says(p, ARG(g, r, 2), depth);
    }
    default: return false;
    }
}

static bool may_have(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    double entries = 1;
    int64_t n;
    if (x->role != ARRAY_INTERNAL || x->type == VALUE_BOOL || x->counts || x->target ||
        x->rank == 0 || x->rank > MOST_AXES || kernel_is(g, a)) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        entries *= is_kept(x->extent[k]) && poly_is_int(x->extent[k], &n) ? (double)n : 1;
    }
    for (int q = 0; q < x->pieces.n; q++) {
        if (x->pieces.at[q].live || NODE(g, x->pieces.at[q].body)->op == OP_KERNEL) {
            return false;
        }
    }
    return entries > 1 && entries <= MOST_ENTRIES;
}

static void find_says(Patterns *p, const Order *order) {
    bool again = true;
    for (int rounds = 0; again; rounds++) {
        again = false;
        for (int k = 0; k < p->says.n; k++) {
            p->says.at[k] = 0;
        }
        for (int k = 0; k < order->n; k++) {
            ArrayRef a = order->array[k];
            for (int q = 0; q < ARRAY(p->g, a)->pieces.n && p->has[a]; q++) {
                if (rounds == MOST_ROUNDS || !says(p, ARRAY(p->g, a)->pieces.at[q].body, 0)) {
                    p->has[a] = false;
                    again = true;
                }
            }
        }
    }
}

/* May a term be 0 by its form somewhere? Circles that only pass on what they are given may not. */
static bool may_lack(Patterns *p, Ref r, const bool *lacks, int depth) {
    Graph *g = p->g;
    const Node n = *NODE(g, r);
    if (depth == MOST_DEPTH || !says(p, r, 0)) {
        return false;
    }
    switch (n.op) {
    case OP_CONST: return true;
    case OP_READ: return lacks[n.aux];
    case OP_neg:
    case OP_div:
    case OP_CAST: return may_lack(p, ARG(g, r, 0), lacks, depth + 1);
    case OP_add:
    case OP_sub:
        return may_lack(p, ARG(g, r, 0), lacks, depth + 1) &&
               may_lack(p, ARG(g, r, 1), lacks, depth + 1);
    case OP_mul:
        return may_lack(p, ARG(g, r, 0), lacks, depth + 1) ||
               may_lack(p, ARG(g, r, 1), lacks, depth + 1);
    case OP_SELECT:
        return may_lack(p, ARG(g, r, 1), lacks, depth + 1) ||
               may_lack(p, ARG(g, r, 2), lacks, depth + 1);
    case OP_REDUCE: return may_lack(p, ARG(g, r, 2), lacks, depth + 1);
    default: return false;
    }
}

static void drop_full(Patterns *p, const Order *order) {
    bool *lacks = arena_alloc(p->g->arena, (size_t)p->all + 1);
    for (bool again = true; again;) {
        again = false;
        for (int k = 0; k < order->n; k++) {
            ArrayRef a = order->array[k];
            for (int q = 0; q < ARRAY(p->g, a)->pieces.n && p->has[a] && !lacks[a]; q++) {
                lacks[a] = may_lack(p, ARRAY(p->g, a)->pieces.at[q].body, lacks, 0);
                again = again || lacks[a];
            }
        }
    }
    for (int k = 0; k < order->n; k++) {
        p->has[order->array[k]] = p->has[order->array[k]] && lacks[order->array[k]];
    }
}

/* ---- what they say */

static bool is_part(Graph *g, Ref any, Ref x) {
    while (any != x && NODE(g, any)->op == OP_or) {
        if (ARG(g, any, 1) == x) {
            return true;
        }
        any = ARG(g, any, 0);
    }
    return any == x;
}

/* One of two conditions; what both say is said once. */
static Ref either(Graph *g, Ref x, Ref y) {
    VEC(Ref) parts = {0};
    if (graph_is_false(g, y) || graph_is_true(g, x) || graph_is_true(g, y) ||
        graph_is_false(g, x)) {
        return graph_is_false(g, y) || graph_is_true(g, x) ? x : y;
    }
    while (NODE(g, y)->op == OP_or) {
        VEC_PUSH(g->arena, parts, ARG(g, y, 1));
        y = ARG(g, y, 0);
    }
    VEC_PUSH(g->arena, parts, y);
    for (int k = parts.n - 1; k >= 0; k--) {
        x = is_part(g, x, parts.at[k]) ? x : graph_op2(g, OP_or, x, parts.at[k]);
    }
    return x;
}

/* For some value of the index, which has few. */
static Ref for_some(Patterns *p, Ref index, int64_t first, int64_t last, Ref some) {
    Graph *g = p->g;
    Ref any = 0;
    if (!graph_has_index(g, some, index)) {
        return some;
    }
    for (int64_t k = first; k <= last; k++) {
        Ref at = graph_int(g, k), here = graph_subst(g, some, 1, &index, &at);
        any = any ? either(g, any, here) : here;
        p->deep = p->deep || NODE(g, any)->size > MOST_SIZE_HERE;
        if (p->deep) {
            return graph_bool(g, true);
        }
    }
    return any ? any : graph_bool(g, false);
}

static ArrayRef pattern_of(Patterns *p, ArrayRef a) {
    Graph *g = p->g;
    const Array x = *ARRAY(g, a);
    const Poly *extent[MOST_AXES];
    const char *names[MOST_AXES];
    int n = 0;
    if (p->made[a]) {
        return p->made[a];
    }
    for (int k = 0; k < x.rank; k++) {
        if (is_kept(x.extent[k])) {
            extent[n] = x.extent[k];
            names[n++] = g->indices.at[NODE(g, x.axis[k])->aux].name;
        }
    }
    ArrayRef made =
        graph_array(g, arena_format(g->arena, "%s_some", x.name), VALUE_BOOL, n, extent, names);
    ARRAY(g, made)->order = x.order;
    ARRAY(g, made)->derived = true;
    p->made[a] = made;
    VEC_PUSH(g->arena, p->wanted, a);
    return made;
}

static Ref some_node(Patterns *p, Ref r);

/* Where a term is not 0, a condition. */
static Ref some_of(Patterns *p, Ref r) {
    while (p->some.n < p->g->nodes.n) {
        VEC_PUSH(p->g->arena, p->some, 0);
    }
    if (!p->some.at[r]) {
        Ref some = says(p, r, 0) ? some_node(p, r) : graph_bool(p->g, true);
        p->some.at[r] = some;
        p->deep = p->deep || NODE(p->g, some)->size > MOST_SIZE_HERE;
    }
    return p->deep ? graph_bool(p->g, true) : p->some.at[r];
}

static Ref some_node(Patterns *p, Ref r) {
    Graph *g = p->g;
    const Node n = *NODE(g, r);
    Ref at[MOST_AXES];
    switch (n.op) {
    case OP_CONST: return graph_bool(g, false);
    case OP_READ: {
        ArrayRef made = pattern_of(p, n.aux);
        int rank = 0;
        for (int k = 0; k < n.nargs; k++) {
            if (is_kept(ARRAY(g, n.aux)->extent[k])) {
                at[rank++] = ARG(g, r, k);
            }
        }
        return graph_read(g, made, at);
    }
    case OP_neg:
    case OP_div:
    case OP_CAST: return some_of(p, ARG(g, r, 0));
    case OP_add:
    case OP_sub: {
        Ref x = some_of(p, ARG(g, r, 0)), y = some_of(p, ARG(g, r, 1));
        return either(g, x, y);
    }
    case OP_mul: {
        Ref x = some_of(p, ARG(g, r, 0)), y = some_of(p, ARG(g, r, 1));
        return graph_and(g, x, y);
    }
    case OP_SELECT: {
        Ref yes = some_of(p, ARG(g, r, 1)), no = some_of(p, ARG(g, r, 2));
        return is_of_short(g, ARG(g, r, 0)) ? graph_select(g, ARG(g, r, 0), yes, no)
                                            : either(g, yes, no);
    }
    case OP_REDUCE: {
        Ref condition, body, index = graph_open(g, r, &condition, &body);
        int64_t turns = 0;
        poly_is_int(EXTENT(g, index), &turns);
        return for_some(p, index, 0, turns - 1, some_of(p, body));
    }
    default: bug("a term has a pattern that cannot have one");
    }
}

/* The equation of the pattern of a. */
static void fill(Patterns *p, ArrayRef a) {
    Graph *g = p->g;
    const Array x = *ARRAY(g, a);
    Ref axis[MOST_AXES], any = graph_bool(g, false);
    const Poly *lo[MOST_AXES], *hi[MOST_AXES];
    bool one_box = x.pieces.n > 0;
    int n = 0;
    p->deep = false;
    for (int k = 0; k < x.rank; k++) {
        axis[k] = x.axis[k];
        if (!is_kept(x.extent[k])) {
            continue;
        }
        for (int q = 1; q < x.pieces.n && one_box; q++) {
            one_box = poly_equal(x.pieces.at[q].lo[k], x.pieces.at[0].lo[k]) &&
                      poly_equal(x.pieces.at[q].hi[k], x.pieces.at[0].hi[k]);
        }
        if (one_box) {
            lo[n] = x.pieces.at[0].lo[k], hi[n] = x.pieces.at[0].hi[k];
        }
        axis[k] = ARRAY(g, p->made[a])->axis[n++];
    }
    for (int q = 0; q < x.pieces.n; q++) {
        const Piece piece = x.pieces.at[q];
        Ref some = some_of(p, piece.body), inside = graph_bool(g, true);
        for (int k = 0; k < x.rank; k++) {
            int64_t first, last;
            bool fixed = poly_is_int(piece.lo[k], &first) && poly_is_int(piece.hi[k], &last);
            if (!is_kept(x.extent[k]) && graph_has_index(g, some, x.axis[k])) {
                some = fixed && last - first < SHORT ? for_some(p, x.axis[k], first, last, some)
                                                     : graph_bool(g, true);
            } else if (is_kept(x.extent[k]) && !one_box && !graph_is_whole(g, a, k)) {
                Ref least = graph_op2(g, OP_le, graph_of_poly(g, piece.lo[k]), x.axis[k]),
                    most = graph_op2(g, OP_le, x.axis[k], graph_of_poly(g, piece.hi[k]));
                inside = graph_and(g, inside, graph_and(g, least, most));
            }
        }
        some =
            graph_is_true(g, inside) ? some : graph_select(g, inside, some, graph_bool(g, false));
        any = either(g, any, some);
    }
    any = p->deep ? graph_bool(g, true) : graph_subst(g, any, x.rank, x.axis, axis);
    graph_piece(g, p->made[a], one_box ? lo : NULL, one_box ? hi : NULL, any, x.at);
}

typedef struct Full { /* patterns that hold everywhere, by array; and one that is taken to */
    const bool *known;
    ArrayRef self;
} Full;

static Ref read_full(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Full *f = user;
    (void)positions;
    return a == f->self || f->known[a] ? graph_bool(g, true) : 0;
}

/* Patterns that say nothing: a recurrence that holds everywhere if it did at the turns before does
 * so. */
static void find_full(Patterns *p) {
    Graph *g = p->g;
    bool *known = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (bool again = true; again;) {
        again = false;
        for (int k = 0; k < p->wanted.n; k++) {
            ArrayRef made = p->made[p->wanted.at[k]];
            Full full = {known, made};
            Ref body = ARRAY(g, made)->pieces.at[0].body;
            if (!known[made] && graph_is_true(g, graph_rewrite_reads(g, body, read_full, &full))) {
                ARRAY(g, made)->pieces.at[0].body = graph_bool(g, true);
                known[made] = again = true;
            }
        }
    }
}

/* ---- sums */

/* Does it leave out one thing here and another there, and are there many turns around that it does
 * not know of? */
static bool is_for_many(Graph *g, ArrayRef by, Ref some) {
    int64_t n;
    bool differs = false;
    for (int k = 0; k < ARRAY(g, by)->rank; k++) {
        differs = differs || graph_has_index(g, some, ARRAY(g, by)->axis[k]);
    }
    if (!differs) {
        return false;
    }
    for (int k = 0; k < ARRAY(g, by)->rank; k++) {
        if (!graph_has_index(g, some, ARRAY(g, by)->axis[k]) &&
            (!poly_is_int(ARRAY(g, by)->extent[k], &n) || n >= LEAST_TURNS)) {
            return true;
        }
    }
    return false;
}

static Ref narrow_sums(Patterns *p, ArrayRef by, Ref term) {
    Graph *g = p->g;
    VEC(Ref) sums = {0}, from = {0}, to = {0};
    if (!NODE(g, term)->depth) {
        return term;
    }
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_REDUCE) {
            VEC_PUSH(g->arena, sums, r);
            continue;
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < sums.n; k++) {
        Ref r = sums.at[k], condition, body;
        if (NODE(g, r)->aux != RED_SUM || NODE(g, r)->type < VALUE_FLOAT || NODE(g, r)->fails ||
            !is_kept(EXTENT(g, ARG(g, r, 0)))) {
            continue;
        }
        Ref index = graph_open(g, r, &condition, &body);
        p->deep = false;
        if (!says(p, body, 0)) {
            continue;
        }
        Ref some = some_of(p, body);
        if (!p->deep && !graph_is_true(g, some) && !NODE(g, some)->fails &&
            graph_has_index(g, some, index) && is_for_many(g, by, some)) {
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to,
                     graph_reduce(g, RED_SUM, index, graph_and(g, condition, some), body));
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

/* ---- what is 0 is not computed */

/* The operations of all entries that one truth value of the pattern of a speaks for. */
static double work_of(const Sizes *sizes, Graph *g, ArrayRef a) {
    double work = 0;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        bool dear = false;
        double entries = 1;
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            const Poly *last = poly_sub(g->arena, p->hi[k], p->lo[k]);
            entries *= is_kept(ARRAY(g, a)->extent[k])
                           ? 1
                           : sizes_guess(sizes, poly_add(g->arena, last, poly_int(g->arena, 1)));
        }
        work += entries * sizes_work(sizes, p->body, &dear);
    }
    return work;
}

/* Entries that are 0 by their form are left out where that saves more than it takes to ask. */
static bool guard_array(Patterns *p, const Sizes *sizes, ArrayRef a) {
    Graph *g = p->g;
    Ref at[MOST_AXES];
    int n = 0;
    const Array *x = ARRAY(g, a);
    if (x->type < VALUE_FLOAT || graph_is_true(g, ARRAY(g, p->made[a])->pieces.at[0].body) ||
        work_of(sizes, g, a) < LEAST_WORK) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        if (is_kept(x->extent[k])) {
            at[n++] = x->axis[k];
        }
    }
    Ref some = graph_read(g, p->made[a], at);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Ref body = ARRAY(g, a)->pieces.at[q].body;
        Ref zero = graph_real(g, NODE(g, body)->type, 0);
        ARRAY(g, a)->pieces.at[q].body = graph_select(g, some, body, zero);
    }
    return true;
}

bool pattern_sums(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order(g, n, roots);
    Patterns p = {.g = g, .all = g->arrays.n};
    size_t all = (size_t)g->arrays.n + 1;
    bool changed = false, some = false;
    p.has = arena_alloc(g->arena, all);
    p.made = arena_alloc(g->arena, all * sizeof *p.made);
    for (int k = 0; k < order.n; k++) {
        p.has[order.array[k]] = may_have(g, order.array[k]);
    }
    find_says(&p, &order);
    drop_full(&p, &order);
    find_says(&p, &order);
    for (int k = 0; k < order.n; k++) {
        some = some || p.has[order.array[k]];
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef by = order.array[k];
        for (int q = 0; q < ARRAY(g, by)->pieces.n && !ARRAY(g, by)->counts; q++) {
            Ref body = ARRAY(g, by)->pieces.at[q].body;
            Ref new = NODE(g, body)->op == OP_KERNEL ? body : narrow_sums(&p, by, body);
            changed = changed || new != body;
            ARRAY(g, by)->pieces.at[q].body = new;
        }
    }
    for (int k = 0; k < p.wanted.n; k++) {
        fill(&p, p.wanted.at[k]);
    }
    find_full(&p);
    const Sizes *sizes = sizes_of(g);
    for (int k = 0; k < p.wanted.n; k++) {
        changed = guard_array(&p, sizes, p.wanted.at[k]) || changed;
    }
    return changed;
}
