/* group: arrays that share a loop although no recurrence makes them.
 * In: the arrays of a function in order, and those that recurrences have taken. Out: more groups.
 * An axis is one thing through all arrays that are read along it: main[n, k], lse[n] and x[n, d]
 * have one axis n. Along such an axis, arrays that read each other at the same turn (a[n] =
 * f(b[n])) share a loop over it, and sums over it (s = sum[n](a[n])) are added turn by turn. So
 * what only the turn reads needs no memory for other turns. What is read at another place (b[0],
 * b[c[n]], a sum) was computed in an earlier loop: each such read begins a new level, and one level
 * is one loop. */
#include "gen.h"
#include "kernel.h"
#include "sizes.h"
#include <stdlib.h>
#include <string.h>

enum {
    FEW = 8, /* a loop with fewer turns is not worth sharing */
    CACHE_ENTRIES = 32768,
    SMALL_PRODUCT = 512 /* multiplications: fewer are better done beside other turns */
};

typedef struct Product { /* c[.., i, j] = sum[p](a[.., i, p] * b[.., p, j]) */
    bool is;
    uint32_t batch;    /* axes of c that both factors have */
    double inner, all; /* entries along p; multiplications for one place of the batch */
} Product;

typedef struct AxisGroup {
    Graph *g;
    const Order *order;
    const bool *computed;
    const bool *whole; /* by array: asked for by others */
    int *owner;        /* by array: the number of its group + 1 */
    LoopGroups *groups;
    const ArrayRef **read; /* by array */
    int *nread;
    int *first;        /* by array: number of its first axis, among all axes */
    int *link;         /* by axis: another one that is the same; itself: none */
    bool *fixed_shape; /* by array: a kernel or a matrix product wants it as it lies */
    /* the class of axes at work */
    int *axis;     /* by array: its axis in the class, if it is computed along it; else -1 */
    bool *sum;     /* by array: summed over the class */
    int *level;    /* by array */
    bool *freed;   /* by array: nobody reads it but at its own turn */
    bool *dropped; /* by array: better computed alone */
    Lags *lags;    /* by array: its reads of computed arrays, by array */
    bool *has_lags;
    bool *in, *now; /* by array: of those that the array at work reads; else false */
    const Sizes *sizes;
    Product *product; /* by array */
} AxisGroup;

static int find_axis(const AxisGroup *s, int axis) {
    while (s->link[axis] != axis) {
        s->link[axis] = s->link[s->link[axis]];
        axis = s->link[axis];
    }
    return axis;
}

static void join_axes(AxisGroup *s, int one, int other) {
    one = find_axis(s, one), other = find_axis(s, other);
    s->link[one > other ? one : other] = one > other ? other : one;
}

static int find_index(const AxisGroup *s, ArrayRef a, Ref position) {
    for (int k = 0; k < ARRAY(s->g, a)->rank; k++) {
        if (ARRAY(s->g, a)->axis[k] == position) {
            return k;
        }
    }
    return -1;
}

static bool is_open(const AxisGroup *s, ArrayRef a) {
    return s->computed[a] && ARRAY(s->g, a)->role == ARRAY_INTERNAL && !s->owner[a] &&
           !kernel_is(s->g, a) && !graph_reads_itself(s->g, a);
}

/* Axes that are one: an array's axis, and the axis of what it reads there. */
static void link_axes(AxisGroup *s) {
    Graph *g = s->g;
    bool *all = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < s->order->n; k++) {
        all[s->order->array[k]] = true;
    }
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        Lags lags = {0};
        if (!is_open(s, a)) {
            continue;
        }
        lags_find(g, all, a, &lags);
        for (int i = 0; i < lags.n; i++) {
            for (int q = 0; q < NODE(g, lags.at[i].read)->nargs; q++) {
                int own = find_index(s, a, ARG(g, lags.at[i].read, q));
                ArrayRef of = lags.at[i].of;
                if (own >= 0 && poly_equal(ARRAY(g, a)->extent[own], ARRAY(g, of)->extent[q])) {
                    join_axes(s, s->first[a] + own, s->first[of] + q);
                }
            }
        }
    }
}

/* Does data choose the entry along the axis that a term of a sum goes to, as in
 * sum[e if from[e] == i](...)? Then it is added where it goes; to look for it once for each entry
 * is that many times the work. */
static bool is_scattered_along(Graph *g, ArrayRef a, int axis) {
    Walk walk = walk_start(g, 0);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        walk_add(walk, ARRAY(g, a)->pieces.at[q].body);
    }
    for (Ref r; (r = walk_next(walk));) {
        Ref rest;
        const Node n = *NODE(g, r);
        if (n.op == OP_REDUCE && n.aux == RED_SUM &&
            nest_scatter_place(g, ARG(g, r, 1), ARRAY(g, a)->axis[axis], &rest)) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

static bool reads_at_turn(const AxisGroup *s, const Lag *l) {
    return ARG(s->g, l->read, s->axis[l->of]) == ARRAY(s->g, l->by)->axis[s->axis[l->by]];
}

/* Is all that the array reads of these one sum over their turns, in each piece that reads them? */
static bool is_sum_of(const AxisGroup *s, ArrayRef a, const bool *in, const int *off) {
    Graph *g = s->g;
    bool some = false;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Push p;
        Lags lags = {0};
        Piece piece = ARRAY(g, a)->pieces.at[q];
        lags_find_in(g, in, a, q, piece.body, piece.guard, &lags);
        if (lags.n && (!circle_push(g, a, q, in, s->axis, off, 1, &p) || p.shift != 0)) {
            return false;
        }
        some = some || lags.n;
    }
    return some;
}

static int by_array_read(const void *a, const void *b) {
    const Lag *x = a, *y = b;
    return x->of < y->of ? -1 : x->of > y->of;
}

/* The reads of r in a. All reads of an array are found once: a sum may have thousands. */
static Lags lags_of(AxisGroup *s, ArrayRef a, ArrayRef r) {
    Lags *all = &s->lags[a], some = {0};
    if (!s->has_lags[a]) {
        lags_find(s->g, s->computed, a, all);
        if (all->n) {
            qsort(all->at, (size_t)all->n, sizeof *all->at, by_array_read);
        }
        s->has_lags[a] = true;
    }
    int lo = 0, hi = all->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (all->at[mid].of < r) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    some.at = all->at + lo;
    while (lo + some.n < all->n && some.at[some.n].of == r) {
        some.n++;
    }
    some.room = some.n;
    return some;
}

/* ---- how large things are: a guess */

static double guess_size(const AxisGroup *s, const Poly *p) {
    return sizes_guess(s->sizes, p);
}

/* How many entries go no further than the cache: a block of turns stays in memory, and is to fit.
 */
static double guess_saved(const AxisGroup *s, ArrayRef a) {
    double turns = guess_size(s, ARRAY(s->g, a)->extent[s->axis[a]]), row = 1;
    for (int k = 0; k < ARRAY(s->g, a)->rank; k++) {
        row *= k == s->axis[a] ? 1 : guess_size(s, ARRAY(s->g, a)->extent[k]);
    }
    double gone = turns > 2 * LANES ? turns - LANES : turns / LANES;
    return row * LANES <= CACHE_ENTRIES ? row * gone : row * gone / 1024;
}

/* Is an array a product of matrices, as it stands? */
static Product find_product(const AxisGroup *s, ArrayRef a) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    Product p = {.all = 1};
    for (int q = 0; q < x->pieces.n && !p.is; q++) {
        Ref body = x->pieces.at[q].body, condition, term;
        if (!term_is_contraction(g, body) || x->pieces.at[q].guard || x->rank > 16) {
            continue;
        }
        Ref sum = graph_open(g, body, &condition, &term);
        bool left = false, right = false;
        p = (Product){.inner = guess_size(s, EXTENT(g, sum))};
        p.all = p.inner;
        for (int k = 0; k < x->rank; k++) {
            bool in0 = graph_has_index(g, ARG(g, term, 0), x->axis[k]),
                 in1 = graph_has_index(g, ARG(g, term, 1), x->axis[k]);
            bool wide = guess_size(s, x->extent[k]) >= LEAST_SIDE;
            left = left || (in0 && !in1 && wide);
            right = right || (in1 && !in0 && wide);
            p.batch |= in0 && in1 ? 1u << k : 0;
            p.all *= in0 && in1 ? 1 : guess_size(s, x->extent[k]);
        }
        p.is = left && right && p.inner >= LEAST_SIDE && graph_is_true(g, condition);
    }
    return p;
}

/* Is a product better left to the runtime as it stands? In a loop over its batch it would be no
 * product of matrices any more; and one that has no batch is one large call, which costs so much
 * more than the memory of its result that nothing is won by a block. Small ones are not worth a
 * call. axis: of the result, along the loop; -1: the turns are what it sums over. */
static bool is_left_alone(const AxisGroup *s, ArrayRef a, int axis) {
    const Product *p = &s->product[a];
    if (!p->is || s->g->lean || (p->batch && (axis < 0 || !(p->batch >> axis & 1)))) {
        return false;
    }
    double turns = axis < 0        ? p->inner
                   : p->batch != 0 ? 1
                                   : guess_size(s, ARRAY(s->g, a)->extent[axis]);
    return p->all / turns > SMALL_PRODUCT;
}

/* ---- levels */

static void raise_to(int *level, int least) {
    *level = least > *level ? least : *level;
}

/* The level of an array, by what it reads; true: it is higher now. */
static bool find_level(AxisGroup *s, ArrayRef a, const int *off) {
    Graph *g = s->g;
    int level = s->level[a], most = 0;
    bool *in = s->in;
    for (int q = 0; q < s->nread[a]; q++) {
        ArrayRef r = s->read[a][q];
        if (r != a && s->computed[r]) {
            in[r] = s->axis[r] >= 0;
            raise_to(&level, s->level[r] + s->sum[r]);
            if (in[r]) {
                raise_to(&most, s->level[r]);
            }
        }
    }
    if (s->axis[a] >= 0) {
        Lags lags = {0};
        lags_find(g, in, a, &lags);
        for (int k = 0; k < lags.n; k++) {
            raise_to(&level, s->level[lags.at[k].of] + !reads_at_turn(s, &lags.at[k]));
        }
    } else {
        bool *now = s->now;
        for (int q = 0; q < s->nread[a]; q++) {
            ArrayRef r = s->read[a][q];
            now[r] = in[r] && s->level[r] == level;
        }
        s->sum[a] =
            is_open(s, a) && level == most && !is_left_alone(s, a, -1) && is_sum_of(s, a, now, off);
        for (int q = 0; q < s->nread[a] && !s->sum[a]; q++) {
            if (in[s->read[a][q]]) {
                raise_to(&level, s->level[s->read[a][q]] + 1);
            }
        }
    }
    for (int q = 0; q < s->nread[a]; q++) {
        in[s->read[a][q]] = s->now[s->read[a][q]] = false;
    }
    bool higher = level > s->level[a];
    s->level[a] = level;
    return higher;
}

static void find_levels(AxisGroup *s) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n + 1;
    const int *off = arena_alloc(g->arena, all * sizeof *off);
    int *of_group = arena_alloc(g->arena, ((size_t)s->groups->n + 1) * sizeof *of_group);
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < s->order->n; k++) {
            ArrayRef a = s->order->array[k];
            if (!s->computed[a]) {
                continue;
            }
            if (s->owner[a]) { /* computed with its group, when all of it can be */
                raise_to(&s->level[a], of_group[s->owner[a]]);
            }
            more = find_level(s, a, off) || more;
            if (s->owner[a] && s->level[a] > of_group[s->owner[a]]) {
                of_group[s->owner[a]] = s->level[a];
                more = true;
            }
        }
    }
}

/* An array that asks nothing of its level goes up to the level of its readers. */
static void raise_sources(AxisGroup *s) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n + 1;
    int *least = arena_alloc(g->arena, all * sizeof *least);
    bool *one = arena_alloc(g->arena, all);
    const int *off = arena_alloc(g->arena, all * sizeof *off);
    for (size_t k = 0; k < all; k++) {
        least[k] = -1;
    }
    for (int k = s->order->n - 1; k >= 0; k--) {
        ArrayRef a = s->order->array[k];
        if (!s->computed[a]) {
            continue;
        }
        bool free = s->axis[a] >= 0 && least[a] > s->level[a];
        for (int q = 0; q < s->nread[a] && free; q++) {
            ArrayRef r = s->read[a][q];
            free = !s->computed[r] || s->axis[r] < 0 || s->level[r] != s->level[a];
        }
        if (free) {
            s->level[a] = least[a];
        }
        for (int q = 0; q < s->nread[a]; q++) {
            ArrayRef r = s->read[a][q];
            int most = s->level[a];
            if (!s->computed[r]) {
                continue;
            }
            one[r] = true;
            if (s->axis[r] >= 0) {
                Lags lags = lags_of(s, a, r);
                bool same = s->axis[a] >= 0 || (s->sum[a] && is_sum_of(s, a, one, off));
                for (int i = 0; i < lags.n && same && s->axis[a] >= 0; i++) {
                    same = reads_at_turn(s, &lags.at[i]);
                }
                most -= !same;
            }
            one[r] = false;
            least[r] = least[r] < 0 || most < least[r] ? most : least[r];
        }
    }
}

static bool extent_is_worth(const Poly *p) {
    int64_t n;
    return !poly_is_int(p, &n) || n >= FEW;
}

/* The arrays that are computed along the class. */
static void choose_class(AxisGroup *s, int class) {
    Graph *g = s->g;
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        s->axis[a] = -1, s->level[a] = 0, s->sum[a] = false;
    }
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        if (!is_open(s, a) || s->fixed_shape[a] || s->dropped[a]) {
            continue;
        }
        for (int q = 0; q < ARRAY(g, a)->rank && s->axis[a] < 0; q++) {
            if (find_axis(s, s->first[a] + q) == class && ARRAY(g, a)->pieces.n &&
                graph_is_whole(g, a, q) && extent_is_worth(ARRAY(g, a)->extent[q]) &&
                !is_left_alone(s, a, q) && !is_scattered_along(g, a, q)) {
                s->axis[a] = q;
            }
        }
    }
}

/* What needs no memory for other turns, if these share loops; returns how much that is worth. */
static double find_freed(AxisGroup *s) {
    Graph *g = s->g;
    double worth = 0;
    bool *one = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    const int *off = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *off);
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        s->freed[a] = s->axis[a] >= 0 && !s->whole[a];
    }
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        for (int q = 0; q < s->nread[a] && s->computed[a]; q++) {
            ArrayRef r = s->read[a][q];
            if (r == a || !s->freed[r]) {
                continue;
            }
            bool same = s->level[r] == s->level[a] && (s->axis[a] >= 0 || s->sum[a]);
            one[r] = true;
            Lags lags = lags_of(s, a, r);
            for (int i = 0; i < lags.n && same && s->axis[a] >= 0; i++) {
                same = reads_at_turn(s, &lags.at[i]);
            }
            same = same && (!s->sum[a] || is_sum_of(s, a, one, off));
            one[r] = false;
            s->freed[r] = same;
        }
    }
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        worth += s->freed[a] ? guess_saved(s, a) : 0;
    }
    return worth;
}

/* What frees nobody, and would be computed better alone, goes; true: something did. */
static bool drop_useless(AxisGroup *s) {
    bool some = false;
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        bool useful = false;
        if (s->axis[a] < 0 || s->freed[a]) {
            continue;
        }
        for (int q = 0; q < s->nread[a]; q++) {
            useful = useful || s->freed[s->read[a][q]];
        }
        if (!useful) {
            s->dropped[a] = some = true;
        }
    }
    return some;
}

/* The best that a class can do. */
static double try_class(AxisGroup *s, int class) {
    Graph *g = s->g;
    double worth;
    memset(s->dropped, 0, (size_t)g->arrays.n + 1);
    do {
        choose_class(s, class);
        find_levels(s);
        raise_sources(s);
        worth = find_freed(s);
    } while (worth > 0 && drop_useless(s));
    return worth;
}

static void make_groups(AxisGroup *s) {
    Graph *g = s->g;
    int top = 0;
    for (int k = 0; k < s->order->n; k++) {
        top = s->level[s->order->array[k]] > top ? s->level[s->order->array[k]] : top;
    }
    bool *useful = arena_alloc(g->arena, (size_t)top + 1); /* by level: something is freed there */
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        useful[s->level[a]] = useful[s->level[a]] || s->freed[a];
    }
    for (int level = 0; level <= top; level++) {
        LoopGroup group = {.sign = 1, .map = true};
        int shared = 0;
        if (!useful[level]) {
            continue;
        }
        group.axis = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *group.axis);
        for (int k = 0; k < s->order->n; k++) {
            ArrayRef a = s->order->array[k];
            bool here = s->level[a] == level && is_open(s, a);
            group.axis[a] = s->axis[a];
            if (here && s->axis[a] >= 0) {
                VEC_PUSH(g->arena, group.member, a);
            } else if (here && s->sum[a]) {
                VEC_PUSH(g->arena, group.sum, a);
            } else {
                continue;
            }
            shared += s->freed[a];
        }
        if (!shared) {
            continue;
        }
        VEC_PUSH(g->arena, *s->groups, group);
        for (int k = 0; k < group.member.n; k++) {
            s->owner[group.member.at[k]] = s->groups->n;
        }
        for (int k = 0; k < group.sum.n; k++) {
            s->owner[group.sum.at[k]] = s->groups->n;
        }
    }
}

/* Arrays that something wants whole and as they lie. */
static void mark_shapes(AxisGroup *s) {
    Graph *g = s->g;
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        for (int q = 0; q < s->nread[a] && s->computed[a]; q++) {
            if (kernel_is(g, a)) {
                s->fixed_shape[s->read[a][q]] = true;
            }
        }
    }
}

void group_arrays(Graph *g, const Order *order, const bool *computed, const bool *whole, int *owner,
                  LoopGroups *groups) {
    size_t all = (size_t)g->arrays.n + 1;
    AxisGroup s = {.g = g,
                   .order = order,
                   .computed = computed,
                   .whole = whole,
                   .owner = owner,
                   .groups = groups};
    int axes = 0;
    s.read = arena_alloc(g->arena, all * sizeof *s.read);
    s.nread = arena_alloc(g->arena, all * sizeof *s.nread);
    s.first = arena_alloc(g->arena, all * sizeof *s.first);
    s.axis = arena_alloc(g->arena, all * sizeof *s.axis);
    s.sum = arena_alloc(g->arena, all);
    s.level = arena_alloc(g->arena, all * sizeof *s.level);
    s.fixed_shape = arena_alloc(g->arena, all);
    s.freed = arena_alloc(g->arena, all);
    s.dropped = arena_alloc(g->arena, all);
    s.lags = arena_alloc(g->arena, all * sizeof *s.lags);
    s.has_lags = arena_alloc(g->arena, all);
    s.in = arena_alloc(g->arena, all);
    s.now = arena_alloc(g->arena, all);
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        s.first[a] = axes;
        axes += ARRAY(g, a)->rank;
        s.nread[a] = graph_array_reads(g, a, &s.read[a]);
    }
    s.link = arena_alloc(g->arena, (size_t)(axes + 1) * sizeof *s.link);
    bool *done = arena_alloc(g->arena, (size_t)axes + 1);
    for (int k = 0; k < axes; k++) {
        s.link[k] = k;
    }
    s.product = arena_alloc(g->arena, all * sizeof *s.product);
    s.sizes = sizes_of(g);
    for (int k = 0; k < order->n; k++) {
        s.product[order->array[k]] = find_product(&s, order->array[k]);
    }
    mark_shapes(&s);
    link_axes(&s);
    for (int k = 0; k < axes; k++) {
        done[k] = true;
    }
    for (int k = 0; k < order->n; k++) { /* a class has an axis that is worth a loop, or is none */
        ArrayRef a = order->array[k];
        for (int q = 0; q < ARRAY(g, a)->rank && computed[a]; q++) {
            if (extent_is_worth(ARRAY(g, a)->extent[q])) {
                done[find_axis(&s, s.first[a] + q)] = false;
            }
        }
    }
    for (;;) {
        int best = -1;
        double most = 0;
        for (int k = 0; k < axes; k++) {
            if (find_axis(&s, k) == k && !done[k]) {
                double worth = try_class(&s, k);
                done[k] = worth <= 0;
                if (worth > most) {
                    best = k, most = worth;
                }
            }
        }
        if (best < 0) {
            return;
        }
        try_class(&s, best);
        make_groups(&s);
        done[best] = true;
    }
}
