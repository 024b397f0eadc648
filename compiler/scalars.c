/* scalars: arrays of a few entries become names.
 * In: a graph, about to be planned. Out: the same, where an array with short axes of fixed length
 * (a vector of 3 for each point) is one array for each entry of these axes. A loop of 3 turns
 * around one statement is then 3 statements, conditions like i == j are decided, what is 0 is gone,
 * and all of them can stand in the one loop over the points. It is not done where an array must lie
 * together: outputs, matrices that a recurrence goes along, factors of matrix products, what a
 * kernel takes, what is read at places that are known at run time only. */
#include "gen.h"
#include "kernel.h"
#include "zeros.h"
#include <string.h>

enum {
    MOST_TURNS = 4,    /* of an axis */
    MOST_ENTRIES = 16, /* of an array */
    MOST_STATE = 4,    /* of one in a recurrence: a vector, and no matrix */
    MOST_BESIDE = 9,   /* of one beside it: what turns such a vector */
    MOST_NODES = 2048  /* of all equations that an array becomes */
};

typedef enum Near { NEAR_NOTHING, NEAR_BESIDE, NEAR_STATE } Near;

typedef struct Scalars {
    Graph *g;
    size_t arrays;    /* so many there were */
    uint32_t *axes;   /* by array: those that go; 0: it stays */
    Near *near;       /* by array */
    bool *filled;     /* by array: its entries have their pieces */
    ArrayRef **entry; /* by array: by entry, row-major over these axes; 0: none, it is 0 */
} Scalars;

static bool small_extent(const Poly *p, int64_t *n) {
    return poly_is_int(p, n) && *n >= 1 && *n <= MOST_TURNS;
}

static bool is_split(const Scalars *s, ArrayRef a) {
    return a < s->arrays && s->axes[a];
}

static bool is_small(const Scalars *s, ArrayRef a, int axis) {
    return s->axes[a] >> axis & 1;
}

/* ---- which arrays */

static bool is_long(const Poly *p) {
    int64_t n;
    return !poly_is_int(p, &n) || n >= LEAST_SIDE;
}

/* A product of matrices, and not one along a shorter side than any that the runtime is asked for.
 * In turns of a recurrence no side of it is shorter: some rows of a vector of 3 are sums in its
 * loop. */
static bool is_product(const Scalars *s, ArrayRef a, Ref body) {
    const Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    bool left = s->near[a] == NEAR_NOTHING, right = left;
    if (x->rank < 2 || !term_is_contraction(g, body) || !is_long(EXTENT(g, ARG(g, body, 0)))) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        bool in[2] = {graph_has_index(g, ARG(g, ARG(g, body, 2), 0), x->axis[k]),
                      graph_has_index(g, ARG(g, ARG(g, body, 2), 1), x->axis[k])};
        left = left || (is_long(x->extent[k]) && in[0] && !in[1]);
        right = right || (is_long(x->extent[k]) && in[1] && !in[0]);
    }
    return left && right;
}

/* Counts the nodes of a term; sums over long or open ranges want their arrays whole. */
static int term_size(Scalars *s, Ref term, bool *long_sum) {
    Graph *g = s->g;
    int size = 0;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        int64_t n;
        size++;
        *long_sum = *long_sum ||
                    (NODE(g, r)->op == OP_REDUCE && !small_extent(EXTENT(g, ARG(g, r, 0)), &n)) ||
                    NODE(g, r)->op == OP_KERNEL;
        walk_into(walk, r);
    }
    return size;
}

static uint32_t small_axes(Scalars *s, ArrayRef a, int64_t *entries) {
    const Array *x = ARRAY(s->g, a);
    uint32_t axes = 0;
    *entries = 1;
    for (int k = 0; k < x->rank && k < 32; k++) {
        int64_t n;
        if (small_extent(x->extent[k], &n)) {
            axes |= 1u << k;
            *entries *= n;
        }
    }
    return axes;
}

static void choose(Scalars *s, ArrayRef a) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    int64_t entries, lo, hi;
    uint32_t axes = small_axes(s, a, &entries);
    int most = s->near[a] == NEAR_STATE    ? MOST_STATE
               : s->near[a] == NEAR_BESIDE ? MOST_BESIDE
                                           : MOST_ENTRIES;
    if (!axes || entries > most || fuse_is_result(g, a) || x->counts || x->turn ||
        kernel_is(g, a)) {
        return;
    }
    int size = 0;
    bool long_sum = false, narrow = s->near[a] != NEAR_NOTHING;
    for (int q = 0; q < x->pieces.n; q++) {
        const Piece p = x->pieces.at[q];
        for (int k = 0; k < x->rank; k++) {
            if (axes >> k & 1 && (!poly_is_int(p.lo[k], &lo) || !poly_is_int(p.hi[k], &hi))) {
                return;
            }
        }
        size += term_size(s, p.body, &long_sum);
        narrow = narrow && term_is_contraction(g, p.body) && !is_product(s, a, p.body);
        size += p.guard ? term_size(s, p.guard, &long_sum) : 0;
    }
    if ((!long_sum || narrow) && size * entries <= MOST_NODES) {
        s->axes[a] = axes;
    }
}

/* Is another turn read, along an axis that is not short? */
static bool reads_other_turn(Scalars *s, ArrayRef by, Ref read) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, NODE(g, read)->aux), *a = ARRAY(g, by);
    for (int k = 0; k < x->rank; k++) {
        int64_t n;
        bool own = false;
        for (int i = 0; i < a->rank; i++) {
            own = own || ARG(g, read, k) == a->axis[i];
        }
        if (!own && !small_extent(x->extent[k], &n)) {
            return true;
        }
    }
    return false;
}

/* Is there no order for arrays that need each other but one along short axes? So it is where they
 * need each other without what is read of other turns. */
static bool needs_short_turns(Scalars *s, const Order *order, int lo, int hi, const bool *in) {
    Graph *g = s->g;
    typedef VEC(int) Readers;
    Readers *readers = arena_alloc(g->arena, (size_t)(hi - lo) * sizeof *readers);
    int *place = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *place),
        *left = arena_alloc(g->arena, (size_t)(hi - lo) * sizeof *left);
    VEC(int) ready = {0};
    for (int k = lo; k < hi; k++) {
        place[order->array[k]] = k - lo;
    }
    for (int k = lo; k < hi; k++) {
        Walk walk = walk_start(g, 0);
        for (int q = 0; q < ARRAY(g, order->array[k])->pieces.n; q++) {
            const Piece *p = &ARRAY(g, order->array[k])->pieces.at[q];
            walk_add(walk, p->body);
            if (p->guard) {
                walk_add(walk, p->guard);
            }
        }
        for (Ref r; (r = walk_next(walk));) {
            if (NODE(g, r)->op == OP_READ && in[NODE(g, r)->aux] &&
                !reads_other_turn(s, order->array[k], r)) {
                VEC_PUSH(g->arena, readers[place[NODE(g, r)->aux]], k - lo);
                left[k - lo]++;
            }
            walk_into(walk, r);
        }
    }
    for (int k = 0; k < hi - lo; k++) {
        if (!left[k]) {
            VEC_PUSH(g->arena, ready, k);
        }
    }
    int done = 0;
    while (ready.n) {
        Readers of = readers[ready.at[--ready.n]];
        done++;
        for (int k = 0; k < of.n; k++) {
            if (--left[of.at[k]] == 0) {
                VEC_PUSH(g->arena, ready, of.at[k]);
            }
        }
    }
    return done < hi - lo;
}

/* Do arrays that need each other go turn by turn along short axes, too? Then some entry is found
 * from one at another place, or an iteration ends there. */
static bool turns_are_short(Scalars *s, const Order *order, int lo, int hi) {
    Graph *g = s->g;
    bool *in = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = lo; k < hi; k++) {
        in[order->array[k]] = true;
    }
    if (needs_short_turns(s, order, lo, hi, in)) {
        return true;
    }
    for (int k = lo; k < hi; k++) {
        const Array *a = ARRAY(g, order->array[k]);
        int64_t n;
        Walk walk = walk_start(g, 0);
        for (int q = 0; q < a->pieces.n; q++) {
            const Piece *p = &a->pieces.at[q];
            for (int i = 0; i < a->rank && p->live; i++) {
                if (small_extent(a->extent[i], &n) && graph_has_index(g, p->live, a->axis[i])) {
                    return true;
                }
            }
            walk_add(walk, p->body);
            if (p->guard) {
                walk_add(walk, p->guard);
            }
        }
        for (Ref r; (r = walk_next(walk));) {
            if (NODE(g, r)->op == OP_REDUCE && NODE(g, r)->aux == RED_FIRST &&
                small_extent(EXTENT(g, ARG(g, r, 0)), &n)) {
                return true;
            }
            for (int i = 0; i < NODE(g, r)->nargs; i++) {
                Ref at = ARG(g, r, i);
                walk_add(walk, at);
                if (NODE(g, r)->op == OP_READ && in[NODE(g, r)->aux] &&
                    small_extent(ARRAY(g, NODE(g, r)->aux)->extent[i], &n) &&
                    NODE(g, at)->op != OP_INDEX && !poly_is_int(graph_poly(g, at), &n)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* So many entries of an array that may be split; 0: none. */
static int64_t entries_of(Scalars *s, ArrayRef a) {
    int64_t entries;
    return !fuse_is_result(s->g, a) && small_axes(s, a, &entries) ? entries : 0;
}

/* Has a recurrence a matrix as its state, or one beside it, that stays one? Then its vectors do. */
static bool has_matrix(Scalars *s, const Order *order, int lo, int hi) {
    for (int k = lo; k < hi; k++) {
        const ArrayRef *reads;
        int n = graph_array_reads(s->g, order->array[k], &reads);
        if (entries_of(s, order->array[k]) > MOST_STATE) {
            return true;
        }
        for (int q = 0; q < n; q++) {
            if (entries_of(s, reads[q]) > MOST_BESIDE) {
                return true;
            }
        }
    }
    return false;
}

/* Recurrences, and what they read or are read by: that is computed turn by turn with them, so it
 * takes part as they do. Vectors of theirs are arithmetic between a few numbers, in iterations
 * until a condition matrices too; but what goes turn by turn along a short axis stays. */
static void find_near(Scalars *s, const Order *order, bool *stays) {
    Graph *g = s->g;
    bool *in = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int lo = 0, hi; lo < order->n; lo = hi) {
        bool counts = false;
        for (hi = lo; hi < order->n && order->component[hi] == order->component[lo]; hi++) {
            counts = counts || ARRAY(g, order->array[hi])->counts;
        }
        if (hi - lo == 1 && !graph_reads_itself(g, order->array[lo])) {
            continue;
        }
        bool whole = turns_are_short(s, order, lo, hi) || (!counts && has_matrix(s, order, lo, hi));
        for (int k = lo; k < hi; k++) {
            in[order->array[k]] = stays[order->array[k]] = whole;
            s->near[order->array[k]] = counts ? NEAR_NOTHING : NEAR_STATE;
        }
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        const ArrayRef *reads;
        int n = graph_array_reads(g, a, &reads);
        for (int q = 0; q < n; q++) {
            ArrayRef r = reads[q];
            stays[a] = stays[a] || in[r];
            stays[r] = stays[r] || in[a];
            if (s->near[r] == NEAR_STATE && s->near[a] == NEAR_NOTHING) {
                s->near[a] = NEAR_BESIDE;
            } else if (s->near[a] == NEAR_STATE && s->near[r] == NEAR_NOTHING) {
                s->near[r] = NEAR_BESIDE;
            }
        }
    }
}

/* The index that a place of a short axis stands for, 0: it is a number. False: neither. */
static bool place_index(Graph *g, Ref place, Ref *index) {
    const Ref *free;
    int n = graph_free(g, place, &free);
    const Poly *p = graph_poly(g, place);
    int64_t fixed;
    *index = 0;
    if (poly_is_int(p, &fixed)) {
        return true;
    }
    if (n != 1) {
        return false;
    }
    *index = free[0];
    return poly_is_int(poly_sub(g->arena, p, poly_var(g->arena, free[0])), &fixed);
}

/* All reads of arrays that may be split, in a term. */
typedef VEC(Ref) Reads;
static void find_reads(Scalars *s, Ref term, Reads *reads, Reads *reduces) {
    Graph *g = s->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ && is_split(s, n.aux)) {
            VEC_PUSH(g->arena, *reads, r);
        }
        if (n.op == OP_REDUCE && reduces) {
            VEC_PUSH(g->arena, *reduces, r);
        }
        walk_into(walk, r);
    }
}

static bool stands_at(Scalars *s, Ref read, Ref index) {
    Graph *g = s->g;
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        if (is_small(s, NODE(g, read)->aux, k) && graph_has_index(g, ARG(g, read, k), index)) {
            return true;
        }
    }
    return false;
}

/* The array must stay if some read of it says so. Here: those of a term in a piece. */
static bool look_at_term(Scalars *s, ArrayRef by, const Piece *p, Ref term, bool whole) {
    Graph *g = s->g;
    Reads reads = {0}, reduces = {0};
    bool left = false;
    find_reads(s, term, &reads, &reduces);
    for (int k = 0; k < reads.n; k++) {
        ArrayRef a = NODE(g, reads.at[k])->aux;
        bool fits = s->axes[a] && !whole;
        for (int q = 0; q < NODE(g, reads.at[k])->nargs && fits; q++) {
            Ref index;
            int64_t lo, hi, n;
            if (!is_small(s, a, q)) {
                continue;
            }
            fits = place_index(g, ARG(g, reads.at[k], q), &index);
            int axis = -1;
            for (int i = 0; i < ARRAY(g, by)->rank; i++) {
                axis = ARRAY(g, by)->axis[i] == index ? i : axis;
            }
            if (fits && axis >= 0) {
                fits = poly_is_int(p->lo[axis], &lo) && poly_is_int(p->hi[axis], &hi) &&
                       hi - lo < MOST_TURNS;
            } else if (fits && index) {
                fits = small_extent(EXTENT(g, index), &n);
                for (int i = 0; i < reduces.n && fits; i++) {
                    Ref r = reduces.at[i];
                    fits = ARG(g, r, 0) != index || NODE(g, r)->aux == RED_SUM ||
                           NODE(g, r)->aux == RED_PROD;
                }
            }
        }
        if (s->axes[a] && !fits) {
            s->axes[a] = 0;
            left = true;
        }
    }
    return left;
}

/* True: an array left. */
static bool look_at(Scalars *s, ArrayRef a) {
    Graph *g = s->g;
    bool left = false;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        bool whole = is_product(s, a, p.body) || NODE(g, p.body)->op == OP_KERNEL;
        left = look_at_term(s, a, &p, p.body, whole) || left;
        left = (p.guard && look_at_term(s, a, &p, p.guard, whole)) || left;
        left = (p.live && look_at_term(s, a, &p, p.live, true)) || left;
    }
    return left;
}

/* ---- what they become */

/* The constant that all of an array is; 0: none. */
static Ref constant_of(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    bool whole = x->pieces.n == 1 && !x->pieces.at[0].guard && !x->pieces.at[0].live &&
                 NODE(g, x->pieces.at[0].body)->op == OP_CONST;
    for (int k = 0; k < x->rank && whole; k++) {
        whole = graph_is_whole(g, a, k);
    }
    return whole ? x->pieces.at[0].body : 0;
}

static Ref read_entry(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Scalars *s = user;
    int64_t at = 0, n, place;
    Ref rest[32];
    int left = 0;
    if (!is_split(s, a)) {
        return 0;
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!is_small(s, a, k)) {
            rest[left++] = positions[k];
            continue;
        }
        if (!poly_is_int(graph_poly(g, positions[k]), &place) ||
            !poly_is_int(ARRAY(g, a)->extent[k], &n)) {
            bug("an array was split that is read at %s", graph_term_text(g, positions[k]));
        }
        if (place < 0 || place >= n) { /* where a condition does not let it come */
            return nest_zero_of(g, ARRAY(g, a)->type);
        }
        at = at * n + place;
    }
    ArrayRef e = s->entry[a][at];
    bool none = s->filled[a] && ARRAY(g, e)->pieces.n == 0;
    Ref constant = none ? nest_zero_of(g, ARRAY(g, a)->type) : constant_of(g, e);
    double value;
    int64_t whole;
    bool zero = !none && constant &&
                ((graph_is_real(g, constant, &value) && value == 0) ||
                 (graph_is_int(g, constant, &whole) && whole == 0));
    return constant && !zero ? constant : graph_read(g, e, rest); /* by its form: it goes later */
}

static Ref open_sums(Scalars *s, Ref term);

/* A reduction, opened: turn by turn where its index is a place of a short axis. */
static Ref open_sum(Scalars *s, Ref reduce) {
    Graph *g = s->g;
    Reduction kind = (Reduction)NODE(g, reduce)->aux;
    Reads reads = {0};
    Ref condition, body, index = graph_open(g, reduce, &condition, &body);
    bool turns = false;
    int64_t n = 0;
    find_reads(s, body, &reads, NULL);
    if (condition) {
        find_reads(s, condition, &reads, NULL);
    }
    for (int k = 0; k < reads.n; k++) {
        turns = turns || stands_at(s, reads.at[k], index);
    }
    if (reads.n == 0) {
        return reduce;
    }
    if (!turns) {
        return graph_reduce(g, kind, index, condition ? open_sums(s, condition) : 0,
                            open_sums(s, body));
    }
    if (!small_extent(EXTENT(g, index), &n)) {
        bug("a long sum over entries that were split");
    }
    ValueType type = (ValueType)NODE(g, body)->type;
    Ref none = kind == RED_SUM     ? nest_zero_of(g, type)
               : type == VALUE_INT ? graph_int(g, 1)
                                   : graph_real(g, type, 1),
        all = 0;
    for (int64_t k = 0; k < n; k++) {
        Ref turn = graph_int(g, k), term = open_sums(s, graph_subst(g, body, 1, &index, &turn));
        if (condition) {
            Ref c = open_sums(s, graph_subst(g, condition, 1, &index, &turn));
            term = graph_select(g, c, term, none);
        }
        all = !all ? term : graph_op2(g, kind == RED_SUM ? OP_add : OP_mul, all, term);
    }
    return all;
}

/* Reductions over places of short axes, written out. */
static Ref open_sums(Scalars *s, Ref term) {
    Graph *g = s->g;
    Reads outer = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_REDUCE) {
            VEC_PUSH(g->arena, outer, r);
            continue;
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < outer.n; k++) {
        Ref to = open_sum(s, outer.at[k]);
        if (to != outer.at[k]) {
            term = graph_subst(g, term, 1, &outer.at[k], &to);
        }
    }
    return term;
}

static Ref in_entries(Scalars *s, Ref term) {
    return term ? graph_rewrite_reads(s->g, open_sums(s, term), read_entry, s) : 0;
}

/* A piece of a, as `to` has it: a itself, or what holds its entry at `place` on the short axes.
 * Axes that choose entries of other arrays are taken place by place. */
static void put_piece(Scalars *s, ArrayRef a, const Piece *p, ArrayRef to, const int64_t *place) {
    Graph *g = s->g;
    const Array x = *ARRAY(g, a);
    Reads reads = {0};
    Ref at[32];
    const Poly *lo[32], *hi[32];
    int chosen[32], into[32], n = 0, left = 0; /* axes that choose; where they are in `to` */
    int64_t first[32], last[32], now[32];
    find_reads(s, p->body, &reads, NULL);
    if (p->guard) {
        find_reads(s, p->guard, &reads, NULL);
    }
    for (int k = 0; k < x.rank; k++) {
        bool chooses = false;
        if (to != a && is_small(s, a, k)) {
            int64_t least, most;
            if (!poly_is_int(p->lo[k], &least) || !poly_is_int(p->hi[k], &most) ||
                place[k] < least || place[k] > most) {
                return;
            }
            at[k] = graph_int(g, place[k]);
            continue;
        }
        lo[left] = p->lo[k], hi[left] = p->hi[k];
        at[k] = ARRAY(g, to)->axis[left];
        for (int q = 0; q < reads.n; q++) {
            chooses = chooses || stands_at(s, reads.at[q], x.axis[k]);
        }
        if (chooses && poly_is_int(p->lo[k], &first[n]) && poly_is_int(p->hi[k], &last[n])) {
            chosen[n] = k, into[n] = left, now[n] = first[n];
            n++;
        }
        left++;
    }
    for (bool more = true; more;) {
        for (int k = 0; k < n; k++) {
            at[chosen[k]] = graph_int(g, now[k]);
            lo[into[k]] = hi[into[k]] = poly_int(g->arena, now[k]);
        }
        Ref body = in_entries(s, graph_subst(g, p->body, x.rank, x.axis, at)),
            guard = p->guard ? in_entries(s, graph_subst(g, p->guard, x.rank, x.axis, at)) : 0,
            live = p->live ? graph_subst(g, p->live, x.rank, x.axis, at) : 0;
        if (!(guard && graph_is_false(g, guard)) && graph_piece(g, to, lo, hi, body, p->at)) {
            Piece *new = &ARRAY(g, to)->pieces.at[ARRAY(g, to)->pieces.n - 1];
            new->guard = guard && !graph_is_true(g, guard) ? guard : 0;
            new->live = live;
        }
        more = false;
        for (int k = n - 1; k >= 0 && !more; k--) {
            more = ++now[k] <= last[k];
            now[k] = more ? now[k] : first[k];
        }
    }
}

static void make_entries(Scalars *s, ArrayRef a) {
    Graph *g = s->g;
    int64_t entries;
    small_axes(s, a, &entries);
    ArrayRef *entry = s->entry[a] = arena_alloc(g->arena, (size_t)entries * sizeof *entry);
    for (int64_t e = 0; e < entries; e++) {
        const Array x = *ARRAY(g, a);
        const Poly *extent[32];
        const char *names[32], *name = x.name;
        int64_t place[32], rest = e, n;
        int left = 0;
        for (int k = x.rank - 1; k >= 0; k--) {
            if (is_small(s, a, k) && poly_is_int(x.extent[k], &n)) {
                place[k] = rest % n;
                rest /= n;
            }
        }
        for (int k = 0; k < x.rank; k++) {
            if (is_small(s, a, k)) {
                name =
                    arena_format(g->arena, "%s_%s%lld", name,
                                 g->indices.at[NODE(g, x.axis[k])->aux].name, (long long)place[k]);
            } else {
                extent[left] = x.extent[k];
                names[left++] = g->indices.at[NODE(g, x.axis[k])->aux].name;
            }
        }
        entry[e] = graph_array(g, name, x.type, left, extent, names);
        Array *new = ARRAY(g, entry[e]);
        new->at = x.at, new->order = x.order, new->derived = x.derived;
        new->adjoint_of = x.adjoint_of; /* it is 0 where no piece says more */
    }
}

static void fill_entries(Scalars *s, ArrayRef a) {
    Graph *g = s->g;
    int64_t entries;
    small_axes(s, a, &entries);
    for (int64_t e = 0; e < entries; e++) {
        int64_t place[32] = {0}, rest = e, n;
        for (int k = ARRAY(g, a)->rank - 1; k >= 0; k--) {
            if (is_small(s, a, k) && poly_is_int(ARRAY(g, a)->extent[k], &n)) {
                place[k] = rest % n;
                rest /= n;
            }
        }
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            put_piece(s, a, &p, s->entry[a][e], place);
        }
    }
}

static void rewrite_array(Scalars *s, ArrayRef a) {
    Graph *g = s->g;
    const Array x = *ARRAY(g, a);
    bool some = false;
    for (int q = 0; q < x.pieces.n; q++) {
        Reads reads = {0};
        find_reads(s, x.pieces.at[q].body, &reads, NULL);
        if (x.pieces.at[q].guard) {
            find_reads(s, x.pieces.at[q].guard, &reads, NULL);
        }
        some = some || reads.n;
    }
    if (!some) {
        return;
    }
    memset(&ARRAY(g, a)->pieces, 0, sizeof ARRAY(g, a)->pieces);
    for (int q = 0; q < x.pieces.n; q++) {
        put_piece(s, a, &x.pieces.at[q], a, NULL);
    }
}

void scalars_make(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order_needs(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Scalars s = {.g = g, .arrays = (size_t)g->arrays.n};
    bool some = false;
    s.axes = arena_alloc(g->arena, all * sizeof *s.axes);
    s.entry = arena_alloc(g->arena, all * sizeof *s.entry);
    s.filled = arena_alloc(g->arena, all);
    s.near = arena_alloc(g->arena, all * sizeof *s.near);
    bool *stays = arena_alloc(g->arena, all);
    find_near(&s, &order, stays);
    for (int k = 0; k < order.n; k++) {
        if (!stays[order.array[k]]) {
            choose(&s, order.array[k]);
        }
    }
    for (bool left = true; left;) {
        left = false;
        for (int k = 0; k < order.n; k++) {
            left = look_at(&s, order.array[k]) || left;
        }
    }
    for (int k = 0; k < order.n; k++) {
        some = some || s.axes[order.array[k]];
        if (s.axes[order.array[k]]) {
            make_entries(&s, order.array[k]);
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        if (s.axes[order.array[k]]) {
            fill_entries(&s, order.array[k]);
            s.filled[order.array[k]] = true;
        } else {
            rewrite_array(&s, order.array[k]);
        }
    }
    if (some) {
        zeros_drop(g, n, roots, fuse_is_result);
    }
}
