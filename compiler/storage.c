/* storage: how much of each array is kept in memory.
 * In: a function whose loops are made. Out: for each array and axis whether memory holds all
 * entries, a window of the last ones, or no axis at all.
 *
 * Only axes along which a loop of a recurrence runs can be less than whole. There a read looks back
 * by some number of turns, or it stands behind the loop. Let w entries be kept, entry t at place
 * t mod w. Entry p is overwritten by p + w first, so
 * - a read in the same loop is served if it is fewer than w turns behind;
 * - a read behind the loop, and also one that comes in a later turn of a loop around, is served if
 *   it asks for one of the last w entries.
 * A loop inside is judged by the reads of its own turn of the loops around, where they look back by
 * 0 turns, and as a loop that has ended by all others. The least w that serves every read is taken,
 * rounded up to a power of two, so that the place is one "and". */
#include "gen.h"

enum { MOST_WINDOW = 64, MOST_LOOPS = 16 };

typedef struct Chain { /* the loops around an array's entries, from outside */
    int n;
    const LoopPlace *at[MOST_LOOPS];
} Chain;

/* Numbers of things by array, in their order. */
typedef struct Listed {
    int *first, *next; /* by array, by thing: a number + 1, 0: none */
} Listed;

static Listed listed_new(const Graph *g, int things) {
    Listed l = {arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *l.first),
                arena_alloc(g->arena, (size_t)(things + 1) * sizeof *l.next)};
    return l;
}

static Listed places_listed(const Graph *g, const Function *f) {
    Listed l = listed_new(g, f->places.n);
    for (int k = f->places.n - 1; k >= 0; k--) {
        l.next[k] = l.first[f->places.at[k].array];
        l.first[f->places.at[k].array] = k + 1;
    }
    return l;
}

/* by: of an array that reads; else of one that is read. */
static Chain chain_of(const Graph *g, const Function *f, const Listed *places, ArrayRef a,
                      bool by) {
    Chain c = {0};
    for (int k = places->first[a]; k && c.n < MOST_LOOPS; k = places->next[k - 1]) {
        if (by || f->places.at[k - 1].axis < ARRAY(g, a)->rank) {
            c.at[c.n++] = &f->places.at[k - 1];
        }
    }
    return c;
}

/* The least window above `least` that holds a distance of d; 0: none of them is proved to. */
static int64_t window_for(Graph *g, const Lag *l, const Poly *d, int64_t least) {
    if (least == 0) {
        return 0;
    }
    for (int64_t w = least; w <= MOST_WINDOW; w *= 2) {
        if (lag_prove(g, l, poly_sub(g->arena, poly_int(g->arena, w - 1), d))) {
            return w;
        }
    }
    return 0;
}

/* How many turns of this loop the read looks back. `by`: the loop as the reader sees it; NULL: it
 * is read by what a turn adds. */
static const Poly *turns_back(Graph *g, const Lag *l, const LoopPlace *by, const LoopPlace *of) {
    const Poly *now = l->turn
                          ? poly_var(g->arena, l->turn)
                          : poly_add(g->arena, poly_var(g->arena, turn_axis(g, l->by, by->axis)),
                                     poly_int(g->arena, by->off)),
               *then = poly_add(g->arena, graph_poly(g, ARG(g, l->read, of->axis)),
                                poly_int(g->arena, of->off)),
               *d = poly_sub(g->arena, now, then);
    return of->down ? poly_neg(g->arena, d) : d;
}

/* Behind the loop: how many entries back. */
static int64_t window_at_end(Graph *g, const Lag *l, const LoopPlace *of, int64_t least) {
    for (int64_t w = least; w && w <= MOST_WINDOW; w *= 2) {
        if (lag_at_end(g, l, of->axis, of->down ? -1 : 1, w)) {
            return w;
        }
    }
    return 0;
}

/* `loop`: the one of l->turn. */
static void serve(Graph *g, const Function *f, const Listed *places, const Lag *l, int loop,
                  const Chain *of, int64_t *window) {
    Chain by = chain_of(g, f, places, l->by, true);
    bool ended = false;
    for (int k = 0; k < of->n; k++) {
        const LoopPlace *p = of->at[k], *same = k < by.n && !l->turn ? by.at[k] : NULL;
        bool inside = l->turn ? k == 0 && p->loop == loop : same && same->loop == p->loop;
        if (ended || !inside) {
            ended = true;
            window[k] = window_at_end(g, l, p, window[k]);
            continue;
        }
        const Poly *d = turns_back(g, l, same, p);
        window[k] = window_for(g, l, d, window[k]);
        if (poly_equal(d, poly_int(g->arena, 0)) || lag_prove(g, l, poly_neg(g->arena, d))) {
            continue;
        }
        ended = true;
        if (!lag_prove(g, l, poly_sub(g->arena, d, poly_int(g->arena, 1)))) {
            for (int q = k + 1; q < of->n; q++) { /* it may be of this turn or of another one */
                window[q] = 0;
            }
            return;
        }
    }
}

/* Does memory hold one entry at a time? An entry is made of the one before and of no other, one
 * place of the other axes after another, so it may lie where that lay; nobody else looks back. Each
 * is made by one piece, in one go: nothing is filled with zeros first, or added to. */
static bool in_place(Graph *g, const Function *f, const Listed *places, const Lags *lags,
                     const Listed *asked, ArrayRef a, const Chain *c) {
    const Array *x = ARRAY(g, a);
    if (c->n != 1 || x->counts || x->turn || x->pieces.n != 2) {
        return false;
    }
    int axis = c->at[0]->axis;
    for (int k = 0; k < x->pieces.n; k++) { /* whole but for the loop's axis */
        const Piece *p = &x->pieces.at[k];
        if (p->guard || p->live || NODE(g, p->body)->op == OP_KERNEL || NODE(g, p->body)->depth) {
            return false;
        }
        for (int q = 0; q < x->rank; q++) {
            const Poly *last = poly_sub(g->arena, x->extent[q], poly_int(g->arena, 1));
            if (q != axis &&
                (!poly_equal(p->lo[q], poly_int(g->arena, 0)) || !poly_equal(p->hi[q], last))) {
                return false;
            }
        }
    }
    const Piece *p = &x->pieces.at[0], *o = &x->pieces.at[1];
    if (!poly_equal(p->lo[axis], poly_int(g->arena, 0))) {
        p = o, o = &x->pieces.at[0];
    }
    if (!poly_equal(p->lo[axis], poly_int(g->arena, 0)) ||
        !poly_equal(poly_add(g->arena, p->hi[axis], poly_int(g->arena, 1)), o->lo[axis]) ||
        !poly_equal(poly_add(g->arena, o->hi[axis], poly_int(g->arena, 1)), x->extent[axis])) {
        return false;
    }
    for (int k = asked->first[a]; k; k = asked->next[k - 1]) {
        const Lag *l = &lags->at[k - 1];
        if (l->by != a) {
            int64_t window[1] = {1};
            serve(g, f, places, l, -1, c, window);
            if (window[0] != 1 || l->turn) {
                return false;
            }
            continue;
        }
        for (int q = 0; q < x->rank; q++) {
            int64_t back;
            const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, l->read, q)),
                                     poly_var(g->arena, x->axis[q]));
            if (!poly_is_int(d, &back) || back != (q != axis ? 0 : c->at[0]->down ? 1 : -1)) {
                return false;
            }
        }
    }
    return true;
}

static const Store *store_of(Graph *g, ArrayRef a, const Chain *c, const int64_t *window) {
    int rank = ARRAY(g, a)->rank;
    int64_t *by_axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *by_axis), size;
    int *axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axis);
    Store *s = arena_alloc(g->arena, sizeof *s);
    bool some = false;
    for (int k = 0; k < c->n; k++) {
        const Poly *extent = ARRAY(g, a)->extent[c->at[k]->axis];
        if (window[k] && !(poly_is_int(extent, &size) && size <= window[k])) {
            by_axis[c->at[k]->axis] = window[k];
            some = true;
        }
    }
    for (int k = 0; k < c->n; k++) { /* windows lie outside, so that what is whole is contiguous */
        if (by_axis[c->at[k]->axis] > 1) {
            axis[s->n++] = c->at[k]->axis;
        }
    }
    for (int k = 0; k < rank; k++) {
        if (by_axis[k] == 0) {
            axis[s->n++] = k;
        }
    }
    s->window = by_axis, s->axis = axis;
    return some ? s : NULL;
}

/* What a checkpoint holds a block of: the loop's axis is a window, all others are whole. */
static const Store *store_of_block(Graph *g, ArrayRef a, const Checkpoint *c) {
    int rank = ARRAY(g, a)->rank;
    int64_t *by_axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *by_axis);
    int *axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axis);
    Store *s = arena_alloc(g->arena, sizeof *s);
    by_axis[c->axis[a]] = checkpoint_span(c);
    axis[s->n++] = c->axis[a];
    for (int k = 0; k < rank; k++) {
        if (k != c->axis[a]) {
            axis[s->n++] = k;
        }
    }
    s->window = by_axis, s->axis = axis, s->checkpoint = c;
    return s;
}

void storage_decide(Graph *g, Function *f, const bool *computed, const bool *carried) {
    size_t all = (size_t)g->arrays.n + 1 + MOST_COPIES;
    bool *of = arena_alloc(g->arena, all), some = false;
    f->store = arena_alloc(g->arena, all * sizeof *f->store);
    const bool **again = arena_alloc(g->arena, (size_t)(f->checkpoints.n + 1) * sizeof *again);
    for (int k = 0; k < f->checkpoints.n; k++) {
        const Checkpoint *c = f->checkpoints.at[k];
        again[k] = c->again;
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            if (f->place[a] == PLACE_BUFFER && c->again[a]) {
                f->store[a] = c->window[a] ? store_of_block(g, a, c) : c->store[a];
            }
        }
    }
    bool *copied = arena_alloc(g->arena, all), *adds = arena_alloc(g->arena, all);
    for (int q = 0; q < f->writes.n; q++) { /* all of it goes to the caller */
        copied[f->writes.at[q]] = true;
    }
    for (int k = 0; k < f->pushed.n; k++) {
        adds[f->pushed.at[k].to] = true;
    }
    for (int k = 0; k < f->places.n; k++) {
        ArrayRef a = f->places.at[k].array;
        of[a] = f->place[a] == PLACE_BUFFER && !carried[a] && !f->scattered[a] && !copied[a];
        for (int q = 0; q < f->checkpoints.n; q++) {
            of[a] = of[a] && !again[q][a];
        }
        some = some || of[a];
    }
    if (!some) {
        return;
    }
    Lags lags = {0};
    VEC(int) loop = {0}; /* of those that a turn adds */
    for (int k = 0; k < f->pushed.n; k++) {
        const Pushed *p = &f->pushed.at[k];
        lags_find_in(g, of, p->to, p->piece, p->term, p->condition, &lags);
        while (loop.n < lags.n) {
            lags.at[loop.n].turn = p->turn;
            VEC_PUSH(g->arena, loop, p->loop);
        }
    }
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        for (int q = 0; q < ARRAY(g, a)->pieces.n && computed[a]; q++) {
            bool pushed = false;
            for (int k = 0; k < f->pushed.n && adds[a]; k++) {
                pushed = pushed || (f->pushed.at[k].to == a && f->pushed.at[k].piece == q);
            }
            if (!pushed) {
                lags_find_piece(g, of, a, q, &lags);
            }
        }
    }
    while (loop.n < lags.n) {
        VEC_PUSH(g->arena, loop, -1);
    }
    Listed places = places_listed(g, f), asked = listed_new(g, lags.n);
    for (int k = lags.n - 1; k >= 0; k--) {
        asked.next[k] = asked.first[lags.at[k].of];
        asked.first[lags.at[k].of] = k + 1;
    }
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        if (!of[a]) {
            continue;
        }
        Chain c = chain_of(g, f, &places, a, false);
        int64_t window[MOST_LOOPS];
        for (int k = 0; k < c.n; k++) {
            window[k] = 1;
        }
        for (int k = asked.first[a]; k; k = asked.next[k - 1]) {
            serve(g, f, &places, &lags.at[k - 1], loop.at[k - 1], &c, window);
        }
        if (c.n == 1 && window[0] == 2 && in_place(g, f, &places, &lags, &asked, a, &c)) {
            window[0] = 1;
        }
        f->store[a] = store_of(g, a, &c, window);
    }
}
