/* circle: arrays that read each other share a loop.
 * In: the arrays of a recurrence. Out: one loop over an axis on which every read looks back (or
 * every read ahead), as found from the lags; what still needs each other within a turn goes into a
 * loop inside. What one turn adds to places that data chooses is pushed at its end. */
#include "gen.h"
#include "kernel.h"
#include "ops.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* ---- arrays that read each other: one loop, as their lags allow
 * ------------------------------------------------------------------ */

typedef struct Circle {
    VEC(ArrayRef) members;
    Lags lags;
    const bool *outside; /* by array: it is read by others too; NULL: not known */
} Circle;

/* How a loop may run: the axis of each member, and how its entries lie to the turns. */
typedef struct Level {
    int sign; /* 0: every entry stands alone */
    int *axis, *off;
    Circle inner; /* the reads within a turn */
} Level;

static bool match_axes(Graph *g, const Circle *c, ArrayRef seed, int axis, int *axis_of,
                       const uint32_t *used) {
    for (int k = 0; k < c->members.n; k++) {
        axis_of[c->members.at[k]] = -1;
    }
    axis_of[seed] = axis;
    for (int round = 0; round < c->members.n; round++) {
        for (int k = 0; k < c->lags.n; k++) {
            const Lag *l = &c->lags.at[k];
            if (axis_of[l->by] >= 0 && axis_of[l->of] < 0) {
                Ref i = turn_axis(g, l->by, axis_of[l->by]);
                for (int q = 0; q < 2 * turn_axes(g, l->of) && axis_of[l->of] < 0; q++) {
                    int axis_there = q % turn_axes(g, l->of); /* plain places first */
                    Ref at = lag_place(g, l, axis_there);
                    bool plain = q < turn_axes(g, l->of);
                    if (!(used[l->of] >> axis_there & 1) && at &&
                        (plain ? poly_has(graph_poly(g, at), i) : graph_has_index(g, at, i))) {
                        axis_of[l->of] = axis_there;
                    }
                }
            } else if (axis_of[l->of] >= 0 && axis_of[l->by] < 0) {
                Ref at = lag_place(g, l, axis_of[l->of]);
                for (int q = 0; q < turn_axes(g, l->by) && axis_of[l->by] < 0 && at; q++) {
                    if (!(used[l->by] >> q & 1) && graph_has_index(g, at, turn_axis(g, l->by, q))) {
                        axis_of[l->by] = q;
                    }
                }
            }
        }
    }
    /* Where a range has one place, the place stands instead of the index: then the axis is one that
     * no index of the other side goes to. */
    for (int round = 0; round < c->members.n; round++) {
        for (int k = 0; k < c->lags.n; k++) {
            const Lag *l = &c->lags.at[k];
            if (axis_of[l->by] >= 0 && axis_of[l->of] < 0) {
                for (int turn = 0; turn < ARRAY(g, l->of)->rank && axis_of[l->of] < 0; turn++) {
                    const Ref *free;
                    int q = (axis_of[l->by] + turn) %
                            ARRAY(g, l->of)->rank; /* the same axis, if it can be */
                    if (!(used[l->of] >> q & 1) && graph_free(g, ARG(g, l->read, q), &free) == 0) {
                        axis_of[l->of] = q;
                    }
                }
            } else if (axis_of[l->of] >= 0 && axis_of[l->by] < 0) {
                for (int turn = 0; turn < ARRAY(g, l->by)->rank && axis_of[l->by] < 0; turn++) {
                    int q = (axis_of[l->of] + turn) % ARRAY(g, l->by)->rank;
                    if (!(used[l->by] >> q & 1) &&
                        !graph_has_index(g, l->read, ARRAY(g, l->by)->axis[q])) {
                        axis_of[l->by] = q;
                    }
                }
            }
        }
    }
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        if (axis_of[a] < 0 || (kernel_is(g, a) && axis_of[a] >= kernel_batch(g, a))) {
            return false; /* what a kernel makes at once is not one turn after another */
        }
    }
    return true;
}

static void circle_again(Gen *x, const Checkpoint *p, Stmt *replay);
static void circle_level(Gen *x, const Circle *c, const LoopGroup *group, Fixed *fixed,
                         uint32_t *used, bool **take);

/* What one turn adds to a sum, over the other axes and indices, and what must hold. */
static void push_term(Graph *g, const Push *p, Ref turn, Ref *term, Ref *condition) {
    Ref at = graph_op2(g, OP_sub, turn, graph_int(g, p->shift));
    const Poly *place = graph_poly(g, at), *extent = EXTENT(g, p->source),
               *left = poly_sub(g->arena, poly_sub(g->arena, extent, place), poly_int(g->arena, 1));
    *term = graph_subst(g, p->sum.term, 1, &p->source, &at);
    Ref c = p->sum.condition ? graph_subst(g, p->sum.condition, 1, &p->source, &at) : 0;
    if (!graph_prove(g, left, 0, NULL)) {
        Ref inside = graph_op2(g, OP_lt, at, graph_of_poly(g, extent));
        c = c ? graph_and(g, inside, c) : inside;
    }
    if (!graph_prove(g, place, 0, NULL)) {
        Ref inside = graph_op2(g, OP_le, graph_int(g, 0), at);
        c = c ? graph_and(g, inside, c) : inside;
    }
    *condition = c;
}

/* Do all reads of the loop's arrays in the sum stand at this summed index, or at a fixed distance
 * from it? Then p->shift is that of the turn that has computed them all. */
static bool push_reads(Graph *g, const bool *in, const int *axis, const int *off, int sign,
                       bool same, Push *p) {
    Lags lags = {0};
    lags_find_in(g, in, p->to, p->piece, p->sum.term, p->sum.condition, &lags);
    for (int k = 0; k < lags.n; k++) {
        ArrayRef of = lags.at[k].of;
        int64_t num, den;
        const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, lags.at[k].read, axis[of])),
                                 poly_var(g->arena, p->source));
        if (!poly_is_number(d, &num, &den) || den != 1 || num > LAG_MOST / 4 ||
            num < -LAG_MOST / 4) {
            return false;
        }
        int shift = (int)num + off[of];
        if (same && (num != 0 || (k > 0 && shift != p->shift))) {
            return false;
        }
        bool later = sign > 0 ? shift > p->shift : shift < p->shift;
        p->shift = k == 0 || later ? shift : p->shift;
    }
    return lags.n > 0;
}

static bool push_find(Graph *g, bool same, const bool *in, const int *axis, const int *off,
                      int sign, Push *p) {
    for (int k = 0; k < p->sum.index.n; k++) {
        p->source = p->sum.index.at[k];
        if (push_reads(g, in, axis, off, sign, same, p)) {
            return true;
        }
    }
    return false;
}

bool circle_push(Graph *g, ArrayRef to, int piece, const bool *in, const int *axis, const int *off,
                 int sign, Push *p) {
    *p = (Push){.to = to, .piece = piece};
    const Piece *of = &ARRAY(g, to)->pieces.at[piece];
    return ARRAY(g, to)->type >= VALUE_FLOAT && !of->guard &&
           nest_open_sums(g, of->body, &p->sum) && push_find(g, false, in, axis, off, sign, p);
}

/* The same for an array of the circle itself, to whose places that data chooses each turn adds. */
bool circle_push_by_data(Graph *g, ArrayRef to, int piece, const bool *in, const int *axis,
                         const int *off, int sign, Push *p) {
    Ref rest;
    *p = (Push){.to = to, .piece = piece};
    return ARRAY(g, to)->type >= VALUE_FLOAT &&
           nest_open_sums(g, ARRAY(g, to)->pieces.at[piece].body, &p->sum) && p->sum.condition &&
           nest_scatter_place(g, p->sum.condition, ARRAY(g, to)->axis[axis[to]], &rest) &&
           push_find(g, true, in, axis, off, sign, p);
}

static Fixed nothing_fixed(Graph *g, ArrayRef a, const bool *writes) {
    return (Fixed){.at = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof(Ref)),
                   .writes = writes,
                   .zeroed = true};
}

/* Takes from a condition what the turn alone decides. */
static Ref take_of_turn(Graph *g, const Push *p, Ref condition, Ref *rest) {
    if (condition && NODE(g, condition)->op == OP_and) {
        Ref c0 = ARG(g, condition, 0), c1 = ARG(g, condition, 1), r0, r1;
        Ref a = take_of_turn(g, p, c0, &r0), b = take_of_turn(g, p, c1, &r1);
        *rest = r0 && r1 ? graph_and(g, r0, r1) : r0 ? r0 : r1;
        return a && b ? graph_and(g, a, b) : a ? a : b;
    }
    bool alone = condition != 0;
    for (int k = 0; k < ARRAY(g, p->to)->rank && alone; k++) {
        alone = !graph_has_index(g, condition, ARRAY(g, p->to)->axis[k]);
    }
    for (int k = 0; k < p->sum.index.n && alone; k++) {
        alone = !graph_has_index(g, condition, p->sum.index.at[k]);
    }
    *rest = alone ? 0 : condition;
    return alone ? condition : 0;
}

/* A caller that passes NULL does not want it. */
static Stmt *wanted_open(Gen *x, ArrayRef a) {
    if (x->f->place[a] != PLACE_OUTPUT) {
        return NULL;
    }
    Stmt *s = gen_stmt(x, STMT_IF);
    s->array = a;
    gen_push(x, &s->body, 0, true, NULL);
    return s;
}

/* Adds what a turn has to add. `number` is the loop's. */
static void push_now(Gen *x, const Push *p, Ref turn, int number, const bool *writes, Ref known,
                     bool by_data) {
    Graph *g = x->g;
    Ref term, condition;
    push_term(g, p, turn, &term, &condition);
    condition = graph_given(g, condition, known);
    Fixed fixed = nothing_fixed(g, p->to, writes);
    Piece piece = ARRAY(g, p->to)->pieces.at[p->piece];
    VEC_PUSH(g->arena, x->f->pushed, ((Pushed){p->to, p->piece, number, turn, term, condition}));
    if (by_data) {
        Scatter s = {.term = term, .condition = condition};
        for (int k = 0; k < p->sum.index.n; k++) {
            if (p->sum.index.at[k] != p->source) {
                VEC_PUSH(g->arena, s.index, p->sum.index.at[k]);
            }
        }
        if (!nest_add_entries(x, p->to, &piece, &fixed, s)) {
            bug("a push without a place");
        }
        return;
    }
    Stmt *wanted = wanted_open(x, p->to);
    Ref rest, now = take_of_turn(g, p, condition, &rest);
    Stmt *due = gen_if_open(x, now);
    piece.body = term, piece.guard = rest;
    for (int k = p->sum.index.n - 1; k >= 0; k--) {
        Ref i = p->sum.index.at[k];
        if (i != p->source) {
            piece.body = graph_reduce(g, RED_SUM, i,
                                      piece.guard ? piece.guard : graph_bool(g, true), piece.body);
            piece.guard = 0;
        }
    }
    Ref whole_block = x->turn;
    x->turn = due ? 0 : whole_block; /* some turns of a block only: no product of blocks */
    nest_add_piece(x, p->to, &piece, &fixed);
    x->turn = whole_block;
    gen_if_close(x, due);
    gen_if_close(x, wanted);
}

/* ---- iterations until a condition: the array that counts their turns is a member of the circle
 * ------------------------------------------------------------------------------------------------
 */

/* Entries of `by` are computed as long as the iteration goes on: an entry i < T + c needs the
 * condition to be false at turn i - c - 1. */
static void live_lags(Graph *g, const bool *in, ArrayRef by, Lags *lags) {
    for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
        const Piece p = ARRAY(g, by)->pieces.at[q];
        Ref rest = p.live;
        while (rest) {
            bool last = NODE(g, rest)->op != OP_and;
            Ref c = last ? rest : ARG(g, rest, 1);
            const Poly *fact[2], *other;
            const uint32_t *vars;
            int64_t num, den;
            rest = last ? 0 : ARG(g, rest, 0);
            int nvars =
                graph_facts(g, c, true, fact, 2) == 1 ? poly_vars(g->arena, fact[0], &vars) : 0;
            for (int v = 0; v < nvars; v++) {
                const Node *n = NODE(g, vars[v]);
                if (n->op == OP_READ && in[n->aux] && ARRAY(g, n->aux)->turn &&
                    poly_linear(g->arena, fact[0], vars[v], &num, &den, &other) && num == 1 &&
                    den == 1) {
                    const Poly *turn =
                        poly_sub(g->arena, poly_neg(g->arena, other), poly_int(g->arena, 2));
                    Lag l = {by,
                             n->aux,
                             q,
                             vars[v],
                             graph_both(g, p.guard, p.live),
                             0,
                             graph_of_poly(g, turn)};
                    VEC_PUSH(g->arena, *lags, l);
                }
            }
        }
    }
}

/* Is a read by anything but these? */
static bool is_read_outside(const Gen *x, const Circle *c, ArrayRef a) {
    Graph *g = x->g;
    for (int k = 0; k < x->f->writes.n; k++) {
        if (x->f->writes.at[k] == a) {
            return true;
        }
    }
    for (ArrayRef by = 1; by < (ArrayRef)g->arrays.n; by++) {
        const ArrayRef *reads;
        bool member = false;
        for (int k = 0; k < c->members.n && !member; k++) {
            member = c->members.at[k] == by;
        }
        int n = member ? 0 : graph_array_reads(g, by, &reads);
        for (int k = 0; k < n; k++) {
            if (reads[k] == a) {
                return true;
            }
        }
    }
    return false;
}

/* Leaves the loop at the turn at which the condition holds. */
static void until_turn(Gen *x, ArrayRef a, const Fixed *fixed) {
    Graph *g = x->g;
    Ref at = fixed->at[ARRAY(g, a)->rank], due = 0;
    Ref condition =
        graph_subst(g, nest_place_axes(g, a, ARRAY(g, a)->ends, fixed), 1, &ARRAY(g, a)->turn, &at);
    if (!graph_prove(g, graph_poly(g, at), 0, NULL)) {
        due = graph_op2(g, OP_le, graph_int(g, 0), at);
    }
    Stmt *under = gen_if_open(x, due), *found = gen_stmt(x, STMT_IF);
    gen_count_uses(x, condition);
    found->value = gen_value(x, condition);
    Expr *turns = gen_value(x, graph_op2(g, OP_add, at, graph_int(g, 1)));
    gen_append(&found->body, gen_set(x, fixed->turns, '=', turns));
    gen_append(&found->body, gen_stmt(x, STMT_BREAK));
    gen_add(x, found);
    gen_if_close(x, under);
}

/* Where its turns are asked for at all. */
static Ref until_due(Gen *x, ArrayRef a, const Fixed *fixed) {
    Graph *g = x->g;
    const Piece p = ARRAY(g, a)->pieces.at[0];
    Ref due = nest_due(x, a, &p, fixed);
    if (p.guard) {
        due = graph_both(g, due, nest_place_axes(g, a, p.guard, fixed));
    }
    return graph_given(g, due, fixed->known);
}

/* A member of a circle, and those that it reads in turn and that read it. */
typedef struct Ring {
    VEC(int) lags;       /* its reads of members */
    int first;           /* the least member of the ring */
    int next;            /* the next one of the ring; -1: none */
    int number, low, at; /* of the search */
    bool on, done;
} Ring;

static int rising(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Tarjan's algorithm with its own stack. */
static void rings_find(Gen *x, const Circle *c, const int *number, Ring *ring) {
    Graph *g = x->g;
    int n = c->members.n, counter = 0;
    VEC(int) path = {0}, stack = {0};
    for (int root = 0; root < n; root++) {
        if (ring[root].number) {
            continue;
        }
        VEC_PUSH(g->arena, path, root);
        while (path.n) {
            int i = path.at[path.n - 1];
            Ring *r = &ring[i];
            if (!r->number) {
                r->number = r->low = ++counter;
                r->on = true;
                VEC_PUSH(g->arena, stack, i);
            }
            if (r->at < r->lags.n) {
                int to = number[c->lags.at[r->lags.at[r->at++]].of];
                if (!ring[to].number) {
                    VEC_PUSH(g->arena, path, to);
                } else if (ring[to].on && ring[to].number < r->low) {
                    r->low = ring[to].number;
                }
                continue;
            }
            path.n--;
            if (path.n && r->low < ring[path.at[path.n - 1]].low) {
                ring[path.at[path.n - 1]].low = r->low;
            }
            if (r->low != r->number) {
                continue;
            }
            int from = stack.n;
            do {
                ring[stack.at[--from]].on = false;
            } while (stack.at[from] != i);
            qsort(&stack.at[from], (size_t)(stack.n - from), sizeof *stack.at, rising);
            for (int k = from; k < stack.n; k++) {
                ring[stack.at[k]].first = stack.at[from];
                ring[stack.at[k]].next = k + 1 < stack.n ? stack.at[k + 1] : -1;
            }
            stack.n = from;
        }
    }
}

static bool choose_level(Graph *g, const Circle *c, const uint32_t *used, const LoopGroup *given,
                         Level *v);

static Circle circle_part(Graph *g, const Circle *c, const bool *in) {
    Circle part = {0};
    for (int k = 0; k < c->members.n; k++) {
        if (in[c->members.at[k]]) {
            VEC_PUSH(g->arena, part.members, c->members.at[k]);
        }
    }
    for (int k = 0; k < c->lags.n; k++) {
        if (in[c->lags.at[k].by] && in[c->lags.at[k].of]) {
            VEC_PUSH(g->arena, part.lags, c->lags.at[k]);
        }
    }
    return part;
}

/* Members of the ring of an iteration, and those that go along with it, become one ring. */
static void rings_join(Gen *x, Circle *c, const uint32_t *used, Ring *ring, int i, ArrayRef count) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n;
    bool *in = arena_alloc(g->arena, all), *late = arena_alloc(g->arena, all);
    for (int j = ring[i].first; j >= 0; j = ring[j].next) {
        in[c->members.at[j]] = true;
    }
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < c->lags.n; k++) {
            const Lag *l = &c->lags.at[k];
            if (!late[l->by] && !in[l->by] && (late[l->of] || in[l->of])) {
                late[l->by] = more = true;
            }
        }
    }
    const Along given = {.count = count,
                         .ring = in,
                         .late = late,
                         .asked = x->asked,
                         .computed = x->f->computed,
                         .n = c->members.n,
                         .candidate = c->members.at,
                         .lags = &c->lags};
    bool *along = along_find(g, &given);
    if (!along) {
        return;
    }
    Circle whole = {.members = c->members}, part;
    Level level;
    int moved = x->f->moved.n;
    bool *both = arena_alloc(g->arena, all);
    for (int k = 0; k < c->members.n; k++) {
        both[c->members.at[k]] = in[c->members.at[k]] || along[c->members.at[k]];
    }
    along_move(g, x->f, count, along);
    for (int k = 0; k < c->lags.n; k++) { /* its end they know by what is live */
        if (c->lags.at[k].of != count || !along[c->lags.at[k].by]) {
            VEC_PUSH(g->arena, whole.lags, c->lags.at[k]);
        }
    }
    for (int k = 0; k < c->members.n; k++) {
        Lags live = {0};
        if (along[c->members.at[k]]) {
            live_lags(g, both, c->members.at[k], &live);
        }
        for (int q = 0; q < live.n; q++) {
            if (live.at[q].of == count) {
                VEC_PUSH(g->arena, whole.lags, live.at[q]);
            }
        }
    }
    part = circle_part(g, &whole, both);
    if (!choose_level(g, &part, used, NULL, &level)) {
        along_back(g, x->f, moved);
        return;
    }
    c->lags = whole.lags;
    int first = -1, before = -1;
    for (int k = 0; k < c->members.n; k++) {
        if (both[c->members.at[k]]) {
            first = first < 0 ? k : first;
            ring[k].first = first, ring[k].next = -1;
            if (before >= 0) {
                ring[before].next = k;
            }
            before = k;
        }
    }
}

/* Members of one loop turn: those that need each other at the same turn go deeper, the others
 * follow in order. */
static void circle_turn(Gen *x, const Circle *whole, Fixed *fixed, uint32_t *used, bool **take) {
    Graph *g = x->g;
    Circle mine = *whole, *c = &mine;
    int n = c->members.n, *number = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *number);
    Ring *ring = arena_alloc(g->arena, ((size_t)n + 1) * sizeof *ring);
    for (int k = 0; k < n; k++) {
        number[c->members.at[k]] = k;
    }
    for (int k = 0; k < c->lags.n; k++) {
        VEC_PUSH(g->arena, ring[number[c->lags.at[k].by]].lags, k);
    }
    rings_find(x, c, number, ring);
    for (int k = 0; k < n; k++) {
        ArrayRef a = c->members.at[k];
        if (ARRAY(g, a)->turn && !(used[a] >> ARRAY(g, a)->rank & 1)) {
            rings_join(x, c, used, ring, k, a);
        }
    }
    for (int k = 0; k < n; k++) {
        ring[k].lags.n = 0;
    }
    for (int k = 0; k < c->lags.n; k++) {
        VEC_PUSH(g->arena, ring[number[c->lags.at[k].by]].lags, k);
    }
    for (int left = n; left > 0;) {
        int before = left;
        for (int m = 0; m < n; m++) { /* a ring stands where a member is met and all is ready */
            int i = ring[m].first;
            bool ready = !ring[i].done;
            for (int j = i; j >= 0 && ready; j = ring[j].next) {
                for (int k = 0; k < ring[j].lags.n && ready; k++) {
                    int of = ring[number[c->lags.at[ring[j].lags.at[k]].of]].first;
                    ready = of == i || ring[of].done;
                }
            }
            if (!ready) {
                continue;
            }
            Circle inner = {0};
            VEC(int) lags = {0};
            for (int j = i; j >= 0; j = ring[j].next) {
                VEC_PUSH(g->arena, inner.members, c->members.at[j]);
                for (int k = 0; k < ring[j].lags.n; k++) {
                    int lag = ring[j].lags.at[k];
                    if (ring[number[c->lags.at[lag].of]].first == i) {
                        VEC_PUSH(g->arena, lags, lag);
                    }
                }
                left--;
            }
            ring[i].done = true;
            if (lags.n) { /* as they were found */
                qsort(lags.at, (size_t)lags.n, sizeof *lags.at, rising);
            }
            for (int k = 0; k < lags.n; k++) {
                VEC_PUSH(g->arena, inner.lags, c->lags.at[lags.at[k]]);
            }
            if (inner.lags.n) {
                circle_level(x, &inner, NULL, fixed, used, take);
            } else {
                for (int j = 0; j < inner.members.n; j++) {
                    ArrayRef a = inner.members.at[j];
                    if (used[a] >> ARRAY(g, a)->rank & 1) {
                        until_turn(x, a, &fixed[a]);
                        continue;
                    }
                    if (x->turn) {
                        nest_comment(x, a);
                    }
                    Stmt *wanted = wanted_open(x, a);
                    nest_pieces(x, a, &fixed[a], take[a]);
                    gen_if_close(x, wanted);
                }
            }
        }
        if (left == before) {
            bug("no order inside a loop");
        }
    }
}

/* What is read behind the loop is complete when the iteration ends: at its turn u all entries i <
 * u + 1 + c are there that are live by i < T + c. */
static void last_lags(Graph *g, const Circle *c, ArrayRef count, Lags *lags) {
    for (int k = 0; k < c->lags.n; k++) {
        const Lag *l = &c->lags.at[k];
        if (l->of != count || !l->live || (c->outside && !c->outside[l->by])) {
            continue;
        }
        const Array *by = ARRAY(g, l->by);
        Ref *at = arena_alloc(g->arena, (size_t)(by->rank + 1) * sizeof *at);
        const Poly *rest;
        int64_t num, den;
        int axis = -1;
        for (int q = 0; q < by->rank; q++) {
            at[q] = by->axis[q];
            if (poly_linear(g->arena, graph_poly(g, l->live), by->axis[q], &num, &den, &rest) &&
                num == 1 && den == 1) {
                axis = q;
            }
            for (int i = 0; i < ARRAY(g, count)->rank; i++) {
                at[q] = ARG(g, l->read, i) == by->axis[q] ? ARRAY(g, count)->axis[i] : at[q];
            }
        }
        if (axis < 0) {
            continue;
        }
        /* turn = i - c - 1, so that i = u + c is turn - rest - 1 at turn = u + 1 + ... */
        at[axis] = graph_of_poly(g, poly_sub(g->arena, poly_var(g->arena, ARRAY(g, count)->turn),
                                             poly_add(g->arena, rest, poly_int(g->arena, 1))));
        Lag last = {count, l->by, 0, graph_read(g, l->by, at), 0, 0, 0};
        VEC_PUSH(g->arena, *lags, last);
    }
}

static bool every_lag_is_none(Graph *g, const Circle *c, const int *axis_of) {
    for (int k = 0; k < c->lags.n; k++) {
        const Lag *l = &c->lags.at[k];
        Ref at = lag_place(g, l, axis_of[l->of]);
        if (at != turn_axis(g, l->by, axis_of[l->by])) {
            return false;
        }
    }
    return true;
}

/* An iteration for each entry: its own axes go outside of its turns. */
static bool level_apart(Graph *g, const Circle *c, const uint32_t *used, Level *level) {
    for (int m = 0; m < c->members.n; m++) {
        ArrayRef a = c->members.at[m];
        for (int axis = 0; axis < ARRAY(g, a)->rank && ARRAY(g, a)->turn; axis++) {
            if (!(used[a] >> axis & 1) && match_axes(g, c, a, axis, level->axis, used) &&
                every_lag_is_none(g, c, level->axis)) {
                level->sign = 0;
                level->inner = *c;
                return true;
            }
        }
    }
    return false;
}

/* Turns of an iteration go inside of its own axes. */
static bool turns_are_next(Graph *g, const Circle *c, const int *axis_of, const uint32_t *used) {
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        int rank = ARRAY(g, a)->rank;
        if (axis_of[a] == rank && used[a] != (1u << rank) - 1) {
            return false;
        }
    }
    return true;
}

/* The greatest offsets up to those at the start that every lag agrees with. */
static void settle(const Circle *c, const Lags *lags, const int *lag, int *off, const int *start) {
    bool moved = true;
    for (int k = 0; k < c->members.n; k++) {
        off[c->members.at[k]] = start[c->members.at[k]];
    }
    for (int round = 0; round <= c->members.n && moved; round++) {
        moved = false;
        for (int k = 0; k < lags->n; k++) {
            const Lag *l = &lags->at[k];
            if (off[l->by] + lag[k] < off[l->of]) {
                off[l->of] = off[l->by] + lag[k];
                moved = true;
            }
        }
    }
}

/* The places that a piece is for, along an axis, where only the sizes say so: the first one, and
 * how far the last one is from the array's. */
static bool piece_ends(Graph *g, ArrayRef a, const Piece *p, int axis, int64_t *first,
                       int64_t *last) {
    const Array of = *ARRAY(g, a);
    const Poly *hi = p->hi[axis], *rest, *facts[8],
               *room = poly_sub(g->arena, of.extent[axis], poly_int(g->arena, 1));
    int64_t num, den, at;
    int n = p->guard ? graph_facts(g, p->guard, true, facts, 8) : 0;
    if (!poly_is_int(p->lo[axis], first)) {
        return false;
    }
    for (int k = 0; k < n; k++) {
        if (!poly_linear(g->arena, facts[k], of.axis[axis], &num, &den, &rest) || den != 1) {
            continue;
        }
        if (num == 1 && poly_is_int(poly_neg(g->arena, rest), &at) && at > *first) {
            *first = at;
        } else if (num == -1 && poly_is_int(poly_sub(g->arena, hi, rest), &at) && at > 0) {
            hi = rest;
        }
    }
    return poly_is_int(poly_sub(g->arena, room, hi), last);
}

/* How many turns at the ends of the loop are not for everybody; -1: the sizes do not say. least: by
 * array, the first entry that is not one by itself. */
static int64_t turns_apart(Graph *g, const Circle *c, const int *axis_of, const int *off, int sign,
                           int *least) {
    const Poly *room = NULL;
    int64_t lo[2] = {0, 0}, hi[2] = {0, 0};
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        const Array of = *ARRAY(g, a);
        int axis = axis_of[a];
        bool some = false;
        for (int q = 0; q < of.pieces.n && axis < of.rank; q++) {
            int64_t first, last, more;
            if (poly_equal(of.pieces.at[q].lo[axis], of.pieces.at[q].hi[axis])) {
                continue; /* one entry has a turn of its own in any case */
            }
            bool is_first = !room;
            room = room ? room : of.extent[axis];
            if (!piece_ends(g, a, &of.pieces.at[q], axis, &first, &last) ||
                !poly_is_int(poly_sub(g->arena, of.extent[axis], room), &more)) {
                return -1;
            }
            least[a] = some && least[a] < first ? least[a] : (int)first;
            some = true;
            first += sign * off[a], last = more - last + sign * off[a];
            lo[0] = is_first || first < lo[0] ? first : lo[0];
            lo[1] = is_first || first > lo[1] ? first : lo[1];
            hi[0] = is_first || last < hi[0] ? last : hi[0];
            hi[1] = is_first || last > hi[1] ? last : hi[1];
        }
    }
    return lo[1] - lo[0] + hi[1] - hi[0];
}

/* What begins at entry 1 is computed one entry ahead of what begins at 0 (a state that a turn
 * leaves to the next one), if then fewer turns at the ends of the loop are not like all others. */
static void choose_offsets(Graph *g, const Circle *c, const Lags *lags, const int *lag, int sign,
                           Level *v) {
    size_t all = (size_t)g->arrays.n;
    int *least = arena_alloc(g->arena, all * sizeof *least),
        *off = arena_alloc(g->arena, all * sizeof *off);
    int64_t apart = turns_apart(g, c, v->axis, v->off, sign, least);
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        if (v->axis[a] == ARRAY(g, a)->rank) {
            return; /* an iteration: its turns have their own order */
        }
        least[a] *= -sign;
    }
    if (apart <= 0) {
        return;
    }
    settle(c, lags, lag, off, least);
    int64_t then = turns_apart(g, c, v->axis, off, sign, least);
    for (int k = 0; k < c->members.n && then < apart; k++) {
        v->off[c->members.at[k]] = off[c->members.at[k]];
    }
}

static bool choose_level(Graph *g, const Circle *c, const uint32_t *used, const LoopGroup *given,
                         Level *v) {
    size_t all = (size_t)g->arrays.n;
    ArrayRef seed = c->members.at[0];
    v->axis = given ? given->axis : arena_alloc(g->arena, all * sizeof *v->axis);
    v->off = arena_alloc(g->arena, all * sizeof *v->off);
    if (!given && level_apart(g, c, used, v)) {
        return true;
    }
    for (int axis = 0; axis < turn_axes(g, seed); axis++) {
        if (given ? axis != given->axis[seed]
                  : (used[seed] >> axis & 1) || !match_axes(g, c, seed, axis, v->axis, used) ||
                        !turns_are_next(g, c, v->axis, used)) {
            continue;
        }
        Lags lags = {0};
        for (int k = 0; k < c->lags.n; k++) {
            VEC_PUSH(g->arena, lags, c->lags.at[k]);
        }
        for (int k = 0; k < c->members.n; k++) {
            if (v->axis[c->members.at[k]] == ARRAY(g, c->members.at[k])->rank) {
                last_lags(g, c, c->members.at[k], &lags);
            }
        }
        int *lag = arena_alloc(g->arena, (size_t)(lags.n + 1) * sizeof *lag),
            *zero = arena_alloc(g->arena, all * sizeof *zero);
        for (int sign = 1; sign >= -1; sign -= 2) {
            bool ok = !given || given->sign == sign, moves = false;
            for (int k = 0; k < lags.n && ok; k++) {
                const Lag *l = &lags.at[k];
                lag[k] = lag_least(g, l, v->axis[l->by], v->axis[l->of], sign);
                ok = lag[k] > LAG_UNKNOWN;
            }
            if (!ok) {
                continue;
            }
            settle(c, &lags, lag, v->off, zero);
            if (!given || !given->map) {
                choose_offsets(g, c, &lags, lag, sign, v);
            }
            v->inner = (Circle){.members = {c->members.at, c->members.n, c->members.n},
                                .outside = c->outside};
            for (int k = 0; k < lags.n; k++) {
                const Lag *l = &lags.at[k];
                int final = lag[k] + v->off[l->by] - v->off[l->of];
                ok = ok && final >= 0;
                moves = moves || final > 0;
                if (final == 0) {
                    VEC_PUSH(g->arena, v->inner.lags, *l);
                }
            }
            if (!ok || (!moves && !(given && given->map))) {
                continue;
            }
            v->sign = sign;
            for (int k = 0; k < c->members.n; k++) {
                v->off[c->members.at[k]] *= sign;
            }
            return true;
        }
    }
    return false;
}

static Circle circle_of(Graph *g, int n, const ArrayRef *members) {
    Circle c = {0};
    bool *in = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (int k = 0; k < n; k++) {
        VEC_PUSH(g->arena, c.members, members[k]);
        in[members[k]] = true;
    }
    for (int k = 0; k < n; k++) {
        lags_find(g, in, members[k], &c.lags);
        live_lags(g, in, members[k], &c.lags);
    }
    return c;
}

bool circle_axes(Graph *g, int n, const ArrayRef *members, int *axis, int *off, int *sign) {
    for (int k = 0; k < n; k++) {
        if (ARRAY(g, members[k])->turn) { /* others would have to know where it ends */
            return false;
        }
    }
    Circle c = circle_of(g, n, members);
    Level v;
    const uint32_t *used = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *used);
    if (!choose_level(g, &c, used, NULL, &v)) {
        return false;
    }
    for (int k = 0; k < n; k++) {
        axis[members[k]] = v.axis[members[k]];
        off[members[k]] = v.off[members[k]];
    }
    *sign = v.sign;
    return true;
}

/* A sum that a loop adds to: it starts at 0, or at the pieces that ask nothing of the loop. */
static void sum_start(Gen *x, ArrayRef a, const bool *pushed) {
    Graph *g = x->g;
    Fixed fixed = nothing_fixed(g, a, NULL);
    Stmt *wanted = wanted_open(x, a);
    if (x->f->place[a] == PLACE_LOCAL) {
        Stmt *s = gen_stmt(x, STMT_VAR);
        s->local = x->f->local[a];
        s->value = gen_value(x, graph_real(g, ARRAY(g, a)->type, 0));
        gen_add(x, s);
    } else {
        nest_zero(x, a, &fixed);
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        if (!pushed[q]) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            nest_add_piece(x, a, &p, &fixed);
        }
    }
    gen_if_close(x, wanted);
}

static bool reads_any(Graph *g, Ref term, const bool *of) {
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        if (of[a] && graph_reads(g, term, a)) {
            return true;
        }
    }
    return false;
}

/* Members of a circle with the bounds that guards set to one of their axes: what is proved or said
 * by no condition at all is left to the boxes. Both ends, each over the loops around. */
typedef struct Bounds {
    VEC(Ref) lo, hi;
    VEC(Ref) box; /* the upper ends that the boxes alone say */
} Bounds;

static void bounds_add(Gen *x, Bounds *b, ArrayRef a, int axis, const Poly *lo, const Poly *hi,
                       Ref guard, int off, const Fixed *fixed, const bool *writes) {
    Graph *g = x->g;
    Range range = {0};
    VEC(Ref) later = {0};
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (k != axis && !fixed->at[k]) {
            VEC_PUSH(g->arena, later, ARRAY(g, a)->axis[k]);
        }
    }
    if (guard) {
        guard = graph_part_with_count(g, nest_place_axes(g, a, guard, fixed), 0, true);
        gen_take_bounds(x, guard, ARRAY(g, a)->axis[axis], &range, later.at, later.n);
    }
    Ref ends[2] = {graph_of_poly(g, lo), graph_of_poly(g, hi)}, shift = graph_int(g, off);
    VEC_PUSH(g->arena, b->box, graph_op2(g, OP_add, ends[1], shift));
    for (int k = 0; k < range.lo.n + range.hi.n; k++) {
        bool low = k < range.lo.n, mine;
        Ref bound = low ? range.lo.at[k] : range.hi.at[k - range.lo.n];
        mine = reads_any(g, bound, writes);
        if (!mine && low) {
            ends[0] = gen_tightest(x, ends[0], &bound, 1, true);
        } else if (!mine) {
            const Poly *room = poly_sub(g->arena, ARRAY(g, a)->extent[axis], poly_int(g->arena, 1));
            if (graph_prove(g, poly_sub(g->arena, room, graph_poly(g, bound)), 0, NULL)) {
                ends[1] = bound; /* all that goes as far as an iteration shares this end */
                VEC_PUSH(g->arena, b->box, graph_op2(g, OP_add, graph_of_poly(g, room), shift));
            } else {
                ends[1] = gen_tightest(x, ends[1], &bound, 1, false);
            }
        }
    }
    VEC_PUSH(g->arena, b->lo, graph_op2(g, OP_add, ends[0], shift));
    VEC_PUSH(g->arena, b->hi, graph_op2(g, OP_add, ends[1], shift));
}

static Bounds bounds_of(Gen *x, const Circle *c, const int *axis_of, const int *off,
                        const Fixed *fixed, const bool *writes) {
    Graph *g = x->g;
    const Poly *zero = poly_int(g->arena, 0), *one = poly_int(g->arena, 1);
    Bounds b = {0};
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        const Array of = *ARRAY(g, a);
        int axis = axis_of[a];
        if (axis == of.rank) { /* turns of an iteration */
            const Poly *last = poly_sub(g->arena, EXTENT(g, of.turn), one);
            bounds_add(x, &b, a, axis, zero, last, 0, off[a], &fixed[a], writes);
            continue;
        }
        const Poly *last = poly_sub(g->arena, of.extent[axis], one);
        bool starts = of.pieces.n == 0, ends = starts;
        Ref guard = of.pieces.n ? of.pieces.at[0].guard : 0;
        for (int q = 0; q < of.pieces.n; q++) {
            const Piece *p = &of.pieces.at[q];
            starts = starts || poly_equal(p->lo[axis], zero);
            ends = ends || poly_equal(p->hi[axis], last);
            guard = p->guard == guard ? guard : 0;
            bounds_add(x, &b, a, axis, p->lo[axis], p->hi[axis], p->guard, off[a], &fixed[a],
                       writes);
        }
        if (of.adjoint_of && !of.within && (!starts || !ends)) { /* a derivative is 0 where no piece
                                                                    says more, and may be read
                                                                    there */
            bounds_add(x, &b, a, axis, starts ? of.pieces.at[0].lo[axis] : zero,
                       ends ? of.pieces.at[0].hi[axis] : last, guard, off[a], &fixed[a], writes);
        }
    }
    return b;
}

/* The turns of a sum. */
static void bounds_of_sum(Gen *x, Bounds *b, const Push *p, const bool *writes) {
    Graph *g = x->g;
    Range range = {0};
    VEC(Ref) later = {0};
    const Poly *room = poly_sub(g->arena, EXTENT(g, p->source), poly_int(g->arena, 1));
    Ref end = graph_of_poly(g, room), shift = graph_int(g, p->shift), guard = p->sum.condition;
    for (int k = 0; k < p->sum.index.n; k++) {
        VEC_PUSH(g->arena, later, p->sum.index.at[k]);
    }
    for (int k = 0; k < ARRAY(g, p->to)->rank; k++) {
        VEC_PUSH(g->arena, later, ARRAY(g, p->to)->axis[k]);
    }
    gen_take_bounds(x, graph_part_with_count(g, guard, 0, true), p->source, &range, later.at,
                    later.n);
    for (int k = 0; k < range.hi.n; k++) {
        Ref bound = range.hi.at[k];
        if (!reads_any(g, bound, writes) &&
            graph_prove(g, poly_sub(g->arena, room, graph_poly(g, bound)), 0, NULL)) {
            end = bound;
        }
    }
    VEC_PUSH(g->arena, b->lo, shift);
    VEC_PUSH(g->arena, b->hi, graph_op2(g, OP_add, end, shift));
    VEC_PUSH(g->arena, b->box, graph_op2(g, OP_add, graph_of_poly(g, room), shift));
}

static bool over_sizes(Graph *g, Ref r) {
    const uint32_t *vars;
    int n = poly_vars(g->arena, graph_poly(g, r), &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    return true;
}

static const char *turn_name(const Graph *g, ArrayRef a, int axis) {
    return g->indices.at[NODE(g, turn_axis(g, a, axis))->aux].name;
}

static bool may_fail(const Graph *g, const Circle *c) {
    for (int k = 0; k < c->members.n; k++) {
        const Array *a = ARRAY(g, c->members.at[k]);
        for (int q = 0; q < a->pieces.n && !a->turn; q++) {
            if (NODE(g, a->pieces.at[q].body)->fails) {
                return true;
            }
        }
    }
    return false;
}

/* a >= b, by a number? */
static bool at_least(Graph *g, const Poly *a, const Poly *b) {
    int64_t num, den;
    return poly_is_number(poly_sub(g->arena, a, b), &num, &den) && num >= 0;
}

static void circle_level(Gen *x, const Circle *c, const LoopGroup *group, Fixed *fixed,
                         uint32_t *used, bool **take) {
    Graph *g = x->g;
    int all = g->arrays.n;
    ArrayRef seed = c->members.at[0];
    Level level;
    bool *outside = NULL;
    for (int k = 0; k < c->members.n; k++) {
        if (ARRAY(g, c->members.at[k])->turn && !outside) {
            outside = arena_alloc(g->arena, (size_t)all);
            for (int q = 0; q < c->members.n; q++) {
                outside[c->members.at[q]] = is_read_outside(x, c, c->members.at[q]);
            }
        }
    }
    Circle here = *c;
    here.outside = outside;
    c = &here;
    if (!choose_level(g, c, used, group && group->axis ? group : NULL, &level)) {
        error_at(g->cx, ARRAY(g, seed)->at, "no order of loops computes '%s' and what it needs",
                 ARRAY(g, seed)->name);
        return;
    }
    const int *axis_of = level.axis;
    int sign = level.sign, *off = level.off;
    /* One loop over turns, which are never negative, as indices are; member m computes the
     * place turn - off[m]. */
    VEC(Push) pushes = {0}, sums = {0};
    bool *in = arena_alloc(g->arena, (size_t)all * sizeof *in);
    for (int k = 0; k < c->members.n; k++) {
        in[c->members.at[k]] = true;
    }
    for (int k = 0; group && k < group->sum.n; k++) {
        ArrayRef a = group->sum.at[k];
        bool *pushed = arena_alloc(g->arena, (size_t)ARRAY(g, a)->pieces.n + 1);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Push p;
            if (circle_push(g, a, q, in, axis_of, off, sign, &p)) {
                VEC_PUSH(g->arena, sums, p);
                pushed[q] = true;
            }
        }
        sum_start(x, a, pushed);
    }
    int least = 0;
    for (int k = 0; k < sums.n; k++) {
        least = sums.at[k].shift < least ? sums.at[k].shift : least;
    }
    for (int k = 0; k < c->members.n; k++) {
        least = off[c->members.at[k]] < least ? off[c->members.at[k]] : least;
    }
    for (int k = 0; k < c->members.n; k++) {
        off[c->members.at[k]] -= least;
    }
    for (int k = 0; k < sums.n; k++) {
        sums.at[k].shift -= least;
    }
    bool *writes = arena_alloc(g->arena, (size_t)all * sizeof *writes);
    ArrayRef count = 0;
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        writes[a] = true;
        count = axis_of[a] == ARRAY(g, a)->rank ? a : count;
    }
    Bounds b = bounds_of(x, c, axis_of, off, fixed, writes);
    for (int k = 0; k < sums.n; k++) {
        bounds_of_sum(x, &b, &sums.at[k], writes);
    }
    const char *name = turn_name(g, seed, axis_of[seed]);
    Ref first = gen_tightest(x, b.lo.at[0], b.lo.at + 1, b.lo.n - 1, false),
        last = gen_tightest(x, b.hi.at[0], b.hi.at + 1, b.hi.n - 1, true),
        room = gen_tightest(x, b.box.at[0], b.box.at + 1, b.box.n - 1, true);
    Ref end = graph_op2(g, OP_add, last, graph_int(g, 1));
    room = graph_op2(g, OP_add, room, graph_int(g, 1));
    Ref turn = graph_index(g, name, graph_poly(g, room)), known = 0, due = 0;
    if (!over_sizes(g, first)) {
        known = graph_op2(g, OP_le, first, turn);
    }
    if (!over_sizes(g, last)) {
        known = graph_both(g, known, graph_op2(g, OP_le, turn, last));
    }
    bool outermost = true;
    for (int k = 0; k < c->members.n; k++) {
        outermost = outermost && used[c->members.at[k]] == 0;
    }
    for (int k = 0; k < c->members.n && outermost && sign; k++) {
        ArrayRef a = c->members.at[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Push p;
            if (!circle_push_by_data(g, a, q, in, axis_of, off, sign, &p)) {
                continue;
            }
            if (!take[a]) {
                take[a] = arena_alloc(g->arena, (size_t)ARRAY(g, a)->pieces.n + 1);
                memset(take[a], 1, (size_t)ARRAY(g, a)->pieces.n);
                nest_zero(x, a, &fixed[a]);
                fixed[a].zeroed = true;
            }
            take[a][q] = false;
            x->f->scattered[a] = true;
            VEC_PUSH(g->arena, pushes, p);
        }
    }
    Text about = text_new(g->arena);
    text_add(&about, "One loop, %s over %s%s%s:",
             sign > 0   ? "forward"
             : sign < 0 ? "backward"
                        : "each for itself,",
             name, count ? ", until the end of " : "", count ? ARRAY(g, count)->name : "");
    bool some = false;
    for (int k = 0; k < c->members.n; k++) {
        int o = off[c->members.at[k]];
        if (c->members.at[k] == count) {
            continue;
        }
        text_add(&about, "%s %s", some ? "," : "", ARRAY(g, c->members.at[k])->name);
        some = true;
        if (o) {
            text_add(&about, "[%s %c %d]", name, o > 0 ? '-' : '+', o > 0 ? o : -o);
        }
    }
    for (int k = 0; group && k < group->sum.n; k++) {
        text_add(&about, "%s %s", k ? "," : "; sums", ARRAY(g, group->sum.at[k])->name);
    }
    Stmt *say = gen_stmt(x, STMT_COMMENT);
    say->text = text_string(&about);
    gen_add(x, say);
    if (count) {
        fixed[count].turns = x->f->place[count] == PLACE_LOCAL
                                 ? x->f->local[count]
                                 : gen_local(x, "turns", VALUE_INT, true);
        Stmt *none = gen_stmt(x, STMT_VAR);
        none->local = fixed[count].turns;
        none->value = gen_value(x, graph_int(g, 0));
        gen_add(x, none);
        due = until_due(x, count, &fixed[count]);
        known = graph_both(g, known, due);
    }
    Stmt *asked = gen_if_open(x, due);
    int number = x->f->loops++;
    VEC_PUSH(g->arena, x->f->ranges, (outermost ? (LoopRange){first, end} : (LoopRange){0, 0}));
    const Checkpoint *keeps = NULL, *replays = NULL;
    const CheckpointAfter *replay_at = NULL;
    for (int k = 0; k < x->f->checkpoints.n && group; k++) {
        const Checkpoint *p = x->f->checkpoints.at[k];
        if (x->f->kind == FN_FORWARD) {
            keeps = x->f->groups + p->group == group ? p : keeps;
            continue;
        }
        for (int i = 0; i < p->nafter; i++) {
            if (p->after[i].kind == x->f->kind && x->f->groups + p->after[i].group == group) {
                replays = p, replay_at = &p->after[i];
            }
        }
    }
    Stmt *keep = NULL, *replay = NULL;
    if (keeps) {
        keep = gen_stmt(x, STMT_STATES);
        keep->checkpoint = keeps;
        keep->value = gen_bound(x, first), keep->other = gen_bound(x, end);
        keep->locals[REPLAY_STATE] = gen_local(x, "state", VALUE_INT, true);
        keep->locals[REPLAY_AT] = gen_local(x, "next", VALUE_INT, true);
        gen_add(x, keep);
    }
    Stmt *loop = gen_stmt(x, STMT_LOOP);
    loop->index = turn;
    loop->value = gen_bound(x, first);
    loop->other = gen_bound(x, sign >= 0 ? end : last);
    loop->down = sign < 0;
    if (replays) {
        replay = gen_stmt(x, STMT_REPLAY);
        replay->checkpoint = replays;
        replay->local = replay_at->least;
        replay->value = loop->value, replay->other = gen_bound(x, end);
        const Poly *by = poly_int(g->arena, replay_at->least);
        replay->n = (at_least(g, poly_sub(g->arena, replays->first, by), graph_poly(g, first))
                         ? 0
                         : REPLAY_STARTS_LATE) |
                    (at_least(g, graph_poly(g, end), poly_sub(g->arena, replays->end, by))
                         ? 0
                         : REPLAY_ENDS_EARLY);
        static const char *const hints[REPLAY_LOCALS] = {"from",  "to", "least", "last",
                                                         "state", "at", "done",  "start"};
        for (int k = 0; k < REPLAY_LOCALS; k++) {
            replay->locals[k] = gen_local(x, hints[k], VALUE_INT, true);
        }
        gen_push(x, &replay->body, 0, true, NULL);
        circle_again(x, replays, replay);
        gen_pop(x);
        gen_push(x, &replay->otherwise, 0, true, replays->again);
        loop->value = gen_local_expr(x, replay->locals[REPLAY_LO]);
        loop->other = gen_local_expr(x, replay->locals[REPLAY_HI]);
    }
    gen_push(x, &loop->body, turn, false, writes);
    x->frames.at[x->top].narrowed = known != 0;
    Ref *outer = arena_alloc(g->arena, (size_t)(c->members.n + 1) * sizeof *outer);
    if (keeps) {
        Stmt *state = gen_stmt(x, STMT_STATE);
        *state = *keep;
        state->kind = STMT_STATE, state->next = NULL;
        state->index = turn;
        gen_add(x, state);
    }
    loop->number = number;
    x->turn = group && group->map ? turn : 0;
    loop->map = group && group->map;
    loop->turns = sign != 0 && !loop->map;
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        VEC_PUSH(g->arena, x->f->places, (LoopPlace){a, number, axis_of[a], off[a], sign < 0});
        used[a] |= 1u << axis_of[a];
        fixed[a].at[axis_of[a]] = graph_op2(g, OP_sub, turn, graph_int(g, off[a]));
        fixed[a].writes = writes;
        outer[k] = fixed[a].known;
        fixed[a].known = graph_both(g, fixed[a].known, known);
    }
    circle_turn(x, &level.inner, fixed, used, take);
    for (int k = 0; k < pushes.n; k++) {
        push_now(x, &pushes.at[k], turn, number, writes, known, true);
    }
    for (int k = 0; k < sums.n; k++) {
        if (x->turn && (k == 0 || sums.at[k].to != sums.at[k - 1].to)) {
            nest_comment(x, sums.at[k].to);
        }
        push_now(x, &sums.at[k], turn, number, writes, known, false);
    }
    for (int k = 0; k < c->members.n; k++) {
        ArrayRef a = c->members.at[k];
        used[a] &= ~(1u << axis_of[a]);
        fixed[a].at[axis_of[a]] = 0;
        fixed[a].known = outer[k];
    }
    if (count && may_fail(g, c)) {
        Stmt *leave = gen_stmt(x, STMT_RETURN);
        leave->op = '?';
        gen_add(x, leave);
    }
    x->turn = 0;
    gen_loop_close(x, loop);
    if (replay) {
        gen_pop(x);
        gen_add(x, replay);
    }
    if (count) {
        gen_stop_if(x, gen_below(x, fixed[count].turns, 1), "GRADC_NO_END");
        nest_check_count(x, count, gen_local_expr(x, fixed[count].turns));
        gen_if_close(x, asked);
    }
    if (count && x->f->place[count] != PLACE_LOCAL) {
        nest_store(x, count, fixed[count].at, '=', gen_local_expr(x, fixed[count].turns));
    }
}

/* The loop of a recurrence once more, between two turns that are known when it runs: only what is
 * asked for, with all else as it was. */
static void circle_again(Gen *x, const Checkpoint *p, Stmt *replay) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n;
    const uint32_t *none = arena_alloc(g->arena, all * sizeof *none);
    uint32_t *used = arena_alloc(g->arena, all * sizeof *used);
    bool **take = arena_alloc(g->arena, all * sizeof *take);
    Fixed *fixed = arena_alloc(g->arena, all * sizeof *fixed);
    const LoopGroup *group = p->loop;
    Circle whole = circle_of(g, group->member.n, group->member.at), part = {0};
    Level level;
    if (!choose_level(g, &whole, none, group, &level)) {
        bug("a loop cannot be made again");
    }
    ArrayRef seed = group->member.at[0];
    const char *name = g->indices.at[NODE(g, ARRAY(g, seed)->axis[p->axis[seed]])->aux].name;
    Ref turn = graph_index(g, name, p->end);
    Stmt *loop = gen_stmt(x, STMT_LOOP);
    loop->index = turn;
    loop->value = gen_local_expr(x, replay->locals[REPLAY_FROM]);
    loop->turns = true;
    loop->other = gen_local_expr(x, replay->locals[REPLAY_TO]);
    gen_push(x, &loop->body, turn, false, p->again);
    for (int k = 0; k < group->member.n; k++) {
        ArrayRef a = group->member.at[k];
        if (!p->again[a]) {
            continue;
        }
        VEC_PUSH(g->arena, part.members, a);
        fixed[a].at = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof(Ref));
        used[a] |= 1u << p->axis[a];
        fixed[a].at[p->axis[a]] = graph_op2(g, OP_sub, turn, graph_int(g, p->off[a]));
        fixed[a].writes = p->again;
    }
    for (int k = 0; k < level.inner.lags.n; k++) {
        const Lag *l = &level.inner.lags.at[k];
        if (p->again[l->by] && p->again[l->of]) {
            VEC_PUSH(g->arena, part.lags, *l);
        }
    }
    circle_turn(x, &part, fixed, used, take);
    gen_loop_close(x, loop);
}

void circle_arrays(Gen *x, const LoopGroup *group) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n;
    bool **take = arena_alloc(g->arena, all * sizeof *take);
    Fixed *fixed = arena_alloc(g->arena, all * sizeof *fixed);
    uint32_t *used = arena_alloc(g->arena, all * sizeof *used);
    for (int k = 0; k < group->member.n; k++) {
        ArrayRef a = group->member.at[k];
        fixed[a].at = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 2) * sizeof(Ref));
        if (!group->map) { /* whose equations stand in the loop */
            nest_comment(x, a);
        }
    }
    for (int k = 0; k < group->sum.n && !group->map; k++) {
        nest_comment(x, group->sum.at[k]);
    }
    for (int k = 0; k < group->member.n; k++) {
        ArrayRef a = group->member.at[k];
        if (nest_may_lack_turns(g, a) && x->f->place[a] != PLACE_LOCAL) {
            nest_zero(x, a, &fixed[a]);
        }
    }
    Circle c = circle_of(g, group->member.n, group->member.at);
    circle_level(x, &c, group, fixed, used, take);
}
