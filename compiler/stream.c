/* stream: what joins the loop of a recurrence, so that nobody needs its history.
 * In: the arrays of a function in order. Out: groups, one for each loop. A group begins as arrays
 * that read each other. Then join
 * - readers at fixed distances (z[t] = log(a[t + 1])), other recurrences among them: they are
 *   computed in step;
 * - sums over the turns (loss = sum[t](...)): each turn adds its part;
 * - arrays that only the group reads, at fixed distances: each turn computes its entries.
 * A reader stays only if some array is then free of readers that need its history. What joins
 * depends on the equations alone and not on what is kept for others: so a sum has the same order,
 * and the same bits, in all functions. */
#include "gen.h"
#include "kernel.h"

typedef struct Component { /* arrays order[from .. to - 1] need each other */
    int from, to;
    bool circle;
} Component;

typedef struct Stream {
    Graph *g;
    bool products; /* of turns are made behind the loop */
    const Order *order;
    const bool *computed; /* by array: by this function */
    const bool *whole;    /* by array: copied to the caller */
    int *owner;           /* by array */
    const ArrayRef **read;
    int *nread;
    VEC(Component) parts;
    /* the group at work */
    bool *in, *sum;  /* by array */
    bool *after;     /* by array: needs something of the group */
    bool *base;      /* by array: of the circle that it began with */
    int *axis, *off; /* by array: entry p is computed in turn p + off */
    int sign;
} Stream;

static ArrayRef first_of(const Stream *s, const Component *c) {
    return s->order->array[c->from];
}

/* Which arrays need the group, if other groups are computed at once. */
static void find_after(Stream *s) {
    size_t all = (size_t)s->g->arrays.n;
    for (size_t k = 0; k < all; k++) {
        s->after[k] = s->in[k] || s->sum[k];
    }
    bool *owned = arena_alloc(s->g->arena, all + 1); /* by group: some member needs it */
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < s->order->n; k++) {
            ArrayRef a = s->order->array[k];
            bool is = s->after[a] || (s->owner[a] && owned[s->owner[a]]);
            for (int q = 0; q < s->nread[a] && !is; q++) {
                is = s->computed[a] && s->after[s->read[a][q]];
            }
            if (is && !s->after[a]) {
                s->after[a] = more = true;
            }
            if (is && s->owner[a] && !owned[s->owner[a]]) {
                owned[s->owner[a]] = more = true;
            }
        }
    }
}

static bool is_open(const Stream *s, const Component *c) { /* in no group yet */
    ArrayRef a = first_of(s, c);
    return s->computed[a] && ARRAY(s->g, a)->role == ARRAY_INTERNAL && !s->owner[a];
}

static bool is_free(const Stream *s, const Component *c) {
    return is_open(s, c) && !s->in[first_of(s, c)] && !s->sum[first_of(s, c)];
}

static bool is_part(const Stream *s, const Component *c, ArrayRef a) {
    for (int k = c->from; k < c->to; k++) {
        if (s->order->array[k] == a) {
            return true;
        }
    }
    return false;
}

/* Does the component ask of the group, and of what needs the group, only what the loop computes? */
static bool reads_loop_only(const Stream *s, const Component *c) {
    bool some = false;
    for (int k = c->from; k < c->to; k++) {
        ArrayRef a = s->order->array[k];
        for (int q = 0; q < s->nread[a]; q++) {
            ArrayRef r = s->read[a][q];
            if (!is_part(s, c, r) && s->after[r] && !s->in[r]) {
                return false;
            }
            some = some || s->in[r];
        }
    }
    return some;
}

/* Reads of the loop's arrays by a reader at this axis: the offset that it needs at least, in the
 * direction of the loop. */
static bool reader_fits(Stream *s, ArrayRef a, int axis, int *least) {
    Lags lags = {0};
    lags_find(s->g, s->in, a, &lags);
    for (int k = 0; k < lags.n; k++) {
        const Lag *l = &lags.at[k];
        int lag = lag_least(s->g, l, axis, s->axis[l->of], s->sign);
        if (lag == LAG_UNKNOWN || !lag_in_step(s->g, l, axis, s->axis[l->of])) {
            return false;
        }
        int at = s->sign * s->off[l->of] - lag;
        *least = at > *least ? at : *least;
    }
    return true;
}

/* The axes along which an array may be computed turn by turn: what a kernel makes at once is not.
 */
static int turning_axes(const Graph *g, ArrayRef a) {
    return kernel_is(g, a) ? kernel_batch(g, a) : ARRAY(g, a)->rank;
}

static bool join_reader(Stream *s, const Component *c) {
    Graph *g = s->g;
    int least = -LAG_MOST;
    if (!c->circle) {
        ArrayRef a = first_of(s, c);
        for (int axis = 0; axis < turning_axes(g, a); axis++) {
            least = -LAG_MOST;
            if (reader_fits(s, a, axis, &least)) {
                s->axis[a] = axis, s->off[a] = s->sign * least, s->in[a] = true;
                return true;
            }
        }
        return false;
    }
    int sign, *axis = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *axis),
              *off = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *off);
    int n = c->to - c->from, shift = -LAG_MOST;
    const ArrayRef *members = s->order->array + c->from;
    if (!circle_axes(g, n, members, axis, off, &sign) || sign != s->sign) {
        return false;
    }
    for (int k = 0; k < n; k++) {
        least = -LAG_MOST;
        if (!reader_fits(s, members[k], axis[members[k]], &least)) {
            return false;
        }
        least -= sign * off[members[k]];
        shift = least > shift ? least : shift;
    }
    for (int k = 0; k < n; k++) {
        ArrayRef a = members[k];
        s->axis[a] = axis[a], s->off[a] = off[a] + sign * shift, s->in[a] = true;
    }
    return true;
}

static bool stands_alone(Graph *g, Ref read, Ref index) { /* at one place, and in no other */
    int at = 0;
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        Ref p = ARG(g, read, k);
        at += p == index ? 1 : graph_has_index(g, p, index) ? 2 : 0;
    }
    return at == 1;
}

/* A sum over turns of x[t, i] * y[t, j]: a turn has to add to all of [i, j], while behind the loop
 * it is a product of matrices, for which one of the two is to be kept. The other one has its turns
 * in memory anyway; if it had not, this would be the one thing that keeps something of each turn.
 */
static bool is_outer_product(const Stream *s, ArrayRef a, const Piece *p) {
    Graph *g = s->g;
    Ref condition, term, sum, side[2];
    bool wide[2] = {false, false}, kept = false, of_loop = false;
    if (ARRAY(g, a)->rank < 2 || p->guard || !term_is_contraction(g, p->body)) {
        return false;
    }
    sum = graph_open(g, p->body, &condition, &term);
    for (int k = 0; k < 2; k++) {
        side[k] = ARG(g, term, k);
        if (NODE(g, side[k])->op != OP_READ || !stands_alone(g, side[k], sum)) {
            return false;
        }
        kept = kept || !s->in[NODE(g, side[k])->aux];
        of_loop = of_loop || s->in[NODE(g, side[k])->aux];
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        Ref axis = ARRAY(g, a)->axis[k];
        int64_t size;
        bool in[2] = {graph_has_index(g, side[0], axis), graph_has_index(g, side[1], axis)},
             is = !(poly_is_int(ARRAY(g, a)->extent[k], &size) && size < LEAST_SIDE) &&
                  poly_equal(p->lo[k], poly_int(g->arena, 0));
        wide[0] = wide[0] || (is && in[0] && !in[1] && stands_alone(g, side[0], axis));
        wide[1] = wide[1] || (is && in[1] && !in[0] && stands_alone(g, side[1], axis));
    }
    return wide[0] && wide[1] && kept && of_loop && graph_is_true(g, condition);
}

/* Is every piece that asks something of the loop a sum over turns? */
static bool join_sum(Stream *s, ArrayRef a) {
    Graph *g = s->g;
    if (s->products && ARRAY(g, a)->pieces.n == 1 &&
        is_outer_product(s, a, &ARRAY(g, a)->pieces.at[0])) {
        return false;
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Push p;
        Lags lags = {0};
        Piece piece = ARRAY(g, a)->pieces.at[q];
        lags_find_in(g, s->in, a, q, piece.body, piece.guard, &lags);
        if (lags.n && !circle_push(g, a, q, s->in, s->axis, s->off, s->sign, &p)) {
            return false;
        }
    }
    return s->sum[a] = true;
}

/* An array that only the group reads, at fixed distances. */
static bool join_source(Stream *s, ArrayRef a, const bool *of_a, int nreaders,
                        const ArrayRef *readers) {
    Graph *g = s->g;
    for (int axis = 0; axis < turning_axes(g, a); axis++) {
        int most = LAG_MOST;
        bool fits = true;
        for (int r = 0; r < nreaders && fits; r++) {
            ArrayRef by = readers[r];
            Lags lags = {0};
            lags_find(g, of_a, by, &lags);
            for (int k = 0; k < lags.n && fits && !s->sum[by]; k++) {
                const Lag *l = &lags.at[k];
                int lag = lag_least(g, l, s->axis[by], axis, s->sign),
                    at = s->sign * s->off[by] + lag;
                fits = lag != LAG_UNKNOWN && lag_in_step(g, l, s->axis[by], axis);
                most = at < most ? at : most;
            }
        }
        if (!fits) {
            continue;
        }
        s->axis[a] = axis, s->off[a] = s->sign * (most == LAG_MOST ? 0 : most), s->in[a] = true;
        for (int r = 0; r < nreaders && fits; r++) { /* sums must find the turn in every read */
            for (int q = 0; q < ARRAY(g, readers[r])->pieces.n && fits && s->sum[readers[r]]; q++) {
                Push p;
                Lags lags = {0};
                Piece piece = ARRAY(g, readers[r])->pieces.at[q];
                lags_find_in(g, s->in, readers[r], q, piece.body, piece.guard, &lags);
                fits = lags.n == 0 ||
                       circle_push(g, readers[r], q, s->in, s->axis, s->off, s->sign, &p);
            }
        }
        if (fits) {
            return true;
        }
        s->in[a] = false;
    }
    return false;
}

/* What a turn adds to places of the circle that data choose asks only for that turn. */
static bool is_pushed(Stream *s, const Lag *l) {
    Push p;
    return s->base[l->by] &&
           circle_push_by_data(s->g, l->by, l->piece, s->in, s->axis, s->off, s->sign, &p);
}

/* Is nobody left who needs more than the last entries of this array? */
static bool is_streamed(Stream *s, ArrayRef a, const bool *of_a) {
    Graph *g = s->g;
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef by = s->order->array[k];
        bool reads = false;
        for (int q = 0; q < s->nread[by] && s->computed[by]; q++) {
            reads = reads || s->read[by][q] == a;
        }
        if (!reads || s->sum[by] || (s->in[by] && !s->base[by])) {
            continue;
        }
        Lags lags = {0};
        lags_find(g, of_a, by, &lags);
        for (int q = 0; q < lags.n; q++) {
            if (s->in[by] ? !lag_in_step(g, &lags.at[q], s->axis[by], s->axis[a]) &&
                                !is_pushed(s, &lags.at[q])
                          : !lag_is_end(g, &lags.at[q], s->axis[a], s->sign)) {
                return false;
            }
        }
    }
    return !s->whole[a];
}

/* Readers that free nobody of history leave again. */
static void drop_readers(Stream *s) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n;
    for (bool more = true; more;) {
        bool *free = arena_alloc(g->arena, all), *of = arena_alloc(g->arena, all);
        more = false;
        for (int k = 0; k < s->order->n; k++) {
            ArrayRef a = s->order->array[k];
            if (s->in[a]) {
                of[a] = true;
                free[a] = is_streamed(s, a, of);
                of[a] = false;
            }
        }
        for (int k = 0; k < s->parts.n; k++) {
            const Component *c = &s->parts.at[k];
            ArrayRef first = first_of(s, c);
            bool useful = false;
            if ((!s->in[first] && !s->sum[first]) || s->base[first]) {
                continue;
            }
            for (int i = c->from; i < c->to; i++) {
                ArrayRef a = s->order->array[i];
                for (int q = 0; q < s->nread[a]; q++) {
                    ArrayRef r = s->read[a][q];
                    useful = useful || (!is_part(s, c, r) && s->in[r] && free[r]);
                }
            }
            for (int i = c->from; i < c->to && !useful; i++) {
                s->in[s->order->array[i]] = s->sum[s->order->array[i]] = false;
                more = true;
            }
        }
        for (int k = 0; k < s->parts.n && more; k++) { /* what asks them goes too */
            const Component *c = &s->parts.at[k];
            ArrayRef first = first_of(s, c);
            if ((s->in[first] || s->sum[first]) && !s->base[first] && !reads_loop_only(s, c)) {
                for (int i = c->from; i < c->to; i++) {
                    s->in[s->order->array[i]] = s->sum[s->order->array[i]] = false;
                }
            }
        }
    }
}

/* Is this, when it is computed for all turns at once, a product of matrices? It then begins at the
 * first entries of all axes. */
static bool is_product(Graph *g, ArrayRef a, const Piece *p) {
    bool whole = !g->lean && ARRAY(g, a)->rank >= 2 && !p->guard && term_is_contraction(g, p->body);
    for (int k = 0; k < ARRAY(g, a)->rank && whole; k++) {
        whole = poly_equal(p->lo[k], poly_int(g->arena, 0));
    }
    return whole;
}

static void add_sources(Stream *s, const bool *from_history) {
    Graph *g = s->g;
    bool *of = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (int k = s->parts.n - 1; k >= 0; k--) {
        const Component *c = &s->parts.at[k];
        ArrayRef a = first_of(s, c);
        VEC(ArrayRef) readers = {0};
        bool only = true;
        if (c->circle || !is_free(s, c) || s->after[a] || ARRAY(g, a)->rank == 0 || s->whole[a]) {
            continue;
        }
        for (int i = 0; i < s->order->n && only; i++) {
            ArrayRef by = s->order->array[i];
            for (int q = 0; q < s->nread[by] && s->computed[by]; q++) {
                if (s->read[by][q] == a) {
                    only = s->in[by] || s->sum[by];
                    VEC_PUSH(g->arena, readers, by);
                    break;
                }
            }
        }
        for (int q = 0; q < ARRAY(g, a)->pieces.n && only && !from_history[a]; q++) {
            only = !is_product(g, a, &ARRAY(g, a)->pieces.at[q]);
        }
        of[a] = true;
        if (only && readers.n) {
            join_source(s, a, of, readers.n, readers.at);
        }
        of[a] = false;
    }
}

static bool is_circle(Graph *g, const Order *o, int from, int to) {
    return to - from > 1 || graph_reads_itself(g, o->array[from]);
}

static void group_of(Stream *s, const Component *circle, const bool *from_history,
                     LoopGroups *groups) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n;
    LoopGroup group = {0};
    s->in = arena_alloc(g->arena, all), s->sum = arena_alloc(g->arena, all);
    s->base = arena_alloc(g->arena, all);
    s->axis = arena_alloc(g->arena, all * sizeof *s->axis);
    s->off = arena_alloc(g->arena, all * sizeof *s->off);
    int n = circle->to - circle->from;
    const ArrayRef *members = s->order->array + circle->from;
    bool known = circle_axes(g, n, members, s->axis, s->off, &s->sign);
    for (int k = 0; k < n; k++) {
        s->in[members[k]] = s->base[members[k]] = true;
    }
    if (known) {
        find_after(s);
        for (int k = 0; k < s->parts.n; k++) {
            const Component *c = &s->parts.at[k];
            if (is_free(s, c) && s->after[first_of(s, c)] && reads_loop_only(s, c) &&
                !join_reader(s, c) && !c->circle) {
                join_sum(s, first_of(s, c));
            }
        }
        drop_readers(s);
        find_after(s);
        add_sources(s, from_history);
        group.axis = s->axis, group.sign = s->sign;
    }
    for (int k = 0; k < s->order->n; k++) {
        ArrayRef a = s->order->array[k];
        if (s->in[a]) {
            VEC_PUSH(g->arena, group.member, a);
        } else if (s->sum[a]) {
            VEC_PUSH(g->arena, group.sum, a);
        }
        if (s->in[a] || s->sum[a]) {
            s->owner[a] = groups->n + 1;
        }
    }
    VEC_PUSH(g->arena, *groups, group);
}

int *stream_groups(Graph *g, const Order *order, const bool *computed, const bool *whole,
                   const bool *history, bool products, LoopGroups *groups) {
    size_t all = (size_t)g->arrays.n;
    Stream s = {.g = g, .products = products, .order = order, .computed = computed, .whole = whole};
    s.owner = arena_alloc(g->arena, all * sizeof *s.owner);
    s.read = arena_alloc(g->arena, all * sizeof *s.read);
    s.nread = arena_alloc(g->arena, all * sizeof *s.nread);
    s.after = arena_alloc(g->arena, all);
    bool *from_history = arena_alloc(g->arena, all);
    for (int k = 0; k < order->n;) {
        int end = k + 1;
        while (end < order->n && order->component[end] == order->component[k]) {
            end++;
        }
        VEC_PUSH(g->arena, s.parts, ((Component){k, end, is_circle(g, order, k, end)}));
        k = end;
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        s.nread[a] = graph_array_reads(g, a, &s.read[a]);
        from_history[a] = history[a];
        for (int q = 0; q < s.nread[a] && computed[a]; q++) {
            from_history[a] = from_history[a] || from_history[s.read[a][q]];
        }
    }
    for (int k = 0; k < s.parts.n; k++) {
        const Component *c = &s.parts.at[k];
        if (c->circle && is_open(&s, c)) {
            group_of(&s, c, from_history, groups);
        }
    }
    return s.owner;
}
