/* along: what goes along with an iteration until a condition.
 * In: an iteration, and arrays that are computed behind it, as far as it went. Out: those of them
 * that its own loop may compute, turn by turn, so that nobody needs their history: rates of change
 * along a direction are such. What asks the iteration for its number of turns, for entries of later
 * turns, or for all of them, stays behind it. So does what somebody reads the history of: there it
 * is vector code. The same entries are computed, in the same order. */
#include "gen.h"
#include "kernel.h"

typedef struct Search {
    Graph *g;
    const Along *given;
    bool *in;          /* by array: goes along */
    int *axis;         /* by array, of these and of the iteration: that of its turns; -1: none */
    const Poly **last; /* by array: its last turn, over its axes */
} Search;

static bool is_number(const Poly *p) {
    int64_t num, den;
    return poly_is_number(p, &num, &den) && den == 1 && num >= -LAG_MOST / 4 && num <= LAG_MOST / 4;
}

/* Along which axis does it go as far as the iteration, by its guards or by what is live? */
static void find_turns(Search *s, ArrayRef a, bool guard) {
    Graph *g = s->g;
    const Array x = *ARRAY(g, a);
    for (int q = 0; q < x.pieces.n; q++) {
        const Piece *p = &x.pieces.at[q];
        Ref condition = guard ? p->guard : p->live,
            c = condition ? graph_part_with_count(g, condition, s->given->count, true) : 0;
        for (int k = 0; k < x.rank && c && s->axis[a] < 0; k++) {
            const Poly *last = NODE(g, c)->op == OP_and ? NULL : lag_last(g, c, x.axis[k]);
            if (last) {
                s->axis[a] = k, s->last[a] = last;
            }
        }
    }
    for (int q = 0; q < x.pieces.n && s->axis[a] >= 0; q++) {
        const Piece *p = &x.pieces.at[q];
        int axis = s->axis[a];
        Ref condition = guard ? p->guard : p->live,
            c = condition ? graph_part_with_count(g, condition, s->given->count, true) : 0;
        const Poly *last = c && NODE(g, c)->op != OP_and ? lag_last(g, c, x.axis[axis]) : NULL;
        bool first = !c && poly_equal(p->lo[axis], p->hi[axis]) &&
                     poly_equal(p->lo[axis], poly_int(g->arena, 0));
        if (!first && (!last || !poly_equal(last, s->last[a]))) {
            s->axis[a] = -1;
        }
    }
}

/* The last turn of what is read, where it is read. */
static const Poly *last_there(const Search *s, const Lag *l) {
    Graph *g = s->g;
    const Array *of = ARRAY(g, l->of);
    Ref last = graph_of_poly(g, s->last[l->of]);
    Ref *at = arena_alloc(g->arena, (size_t)(of->rank + 1) * sizeof *at);
    for (int k = 0; k < of->rank; k++) {
        at[k] = ARG(g, l->read, k);
    }
    return graph_poly(g, graph_subst(g, last, of->rank, ARRAY(g, l->of)->axis, at));
}

/* Entries of the same iteration, at a fixed distance? */
static bool in_step(const Search *s, const Lag *l) {
    return s->axis[l->by] >= 0 && s->axis[l->of] >= 0 &&
           lag_in_step(s->g, l, s->axis[l->by], s->axis[l->of]) &&
           is_number(poly_sub(s->g->arena, last_there(s, l), s->last[l->by]));
}

/* At the last turns? */
static bool at_end(const Search *s, const Lag *l) {
    const Poly *at = graph_poly(s->g, ARG(s->g, l->read, s->axis[l->of]));
    return is_number(poly_sub(s->g->arena, last_there(s, l), at));
}

static bool may_go(Search *s, ArrayRef a) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    if (x->role != ARRAY_INTERNAL || x->counts || kernel_is(g, a) || s->given->asked[a] ||
        s->given->ring[a]) {
        return false;
    }
    find_turns(s, a, true);
    for (int q = 0; q < ARRAY(g, a)->pieces.n && s->axis[a] >= 0; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        if (graph_reads(g, p.body, s->given->count) ||
            (p.live && graph_reads(g, p.live, s->given->count))) {
            return false;
        }
    }
    return s->axis[a] >= 0;
}

bool *along_find(Graph *g, const Along *given) {
    size_t all = (size_t)g->arrays.n;
    Search s = {.g = g, .given = given};
    bool some = false;
    s.in = arena_alloc(g->arena, all), s.axis = arena_alloc(g->arena, all * sizeof *s.axis);
    s.last = arena_alloc(g->arena, all * sizeof *s.last);
    for (size_t k = 0; k < all; k++) {
        s.axis[k] = -1;
    }
    for (int k = 0; k < given->n; k++) {
        ArrayRef a = given->candidate[k];
        s.in[a] = given->late[a] && may_go(&s, a);
        some = some || s.in[a];
    }
    if (!some) {
        return NULL;
    }
    Lags read = {0}; /* of those that may go, by anybody */
    for (ArrayRef by = 1; by < (ArrayRef)all; by++) {
        if (given->ring[by]) {
            find_turns(&s, by, false);
        }
        if (given->computed[by]) {
            lags_find(g, s.in, by, &read);
        }
    }
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < given->lags->n; k++) {
            const Lag *l = &given->lags->at[k];
            if (!s.in[l->by] || l->of == given->count) {
                continue;
            }
            bool good = given->ring[l->of] || s.in[l->of] ? in_step(&s, l) : !given->late[l->of];
            s.in[l->by] = good;
            more = more || !good;
        }
        for (int k = 0; k < read.n; k++) {
            const Lag *l = &read.at[k];
            if (s.in[l->of] && !(s.in[l->by] ? in_step(&s, l) : at_end(&s, l))) {
                s.in[l->of] = false;
                more = true;
            }
        }
    }
    for (size_t a = 0; a < all; a++) {
        if (s.in[a]) {
            return s.in;
        }
    }
    return NULL;
}

void along_move(Graph *g, Function *f, ArrayRef count, const bool *in) {
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        for (int q = 0; q < ARRAY(g, a)->pieces.n && in[a]; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            Ref mine = p.guard ? graph_part_with_count(g, p.guard, count, true) : 0;
            if (mine) {
                Ref guard = graph_part_with_count(g, p.guard, count, false),
                    live = graph_both(g, p.live, mine);
                VEC_PUSH(g->arena, f->moved, ((Moved){a, q, p.guard, p.live}));
                ARRAY(g, a)->pieces.at[q].guard = guard, ARRAY(g, a)->pieces.at[q].live = live;
            }
        }
    }
}

void along_back(Graph *g, Function *f, int from) {
    while (f->moved.n > from) {
        const Moved *m = &f->moved.at[--f->moved.n];
        ARRAY(g, m->array)->pieces.at[m->piece].guard = m->guard;
        ARRAY(g, m->array)->pieces.at[m->piece].live = m->live;
    }
}
