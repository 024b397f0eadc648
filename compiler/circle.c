/* circle: arrays that read each other share a loop.
 * In: the arrays of a recurrence. Out: one loop over an axis on which every read looks back (or
 * every read ahead), as found from the lags; what still needs each other within a turn goes into a
 * loop inside. What one turn adds to places that data chooses is pushed at its end. */
#include "gen.h"
#include "ops.h"
#include "text.h"
#include <string.h>

/* ---- arrays that read each other: one loop, as their lags allow
 * ------------------------------------------------------------------ */

typedef struct Circle {
    VEC(ArrayRef) members;
    Lags lags;
} Circle;

/* The largest k in 4..-3 with place - read >= k wherever the read happens; -100: none is proved. */
static int prove_lag(Gen *x, const Lag *l, int axis_by, int axis_of, int sign) {
    Graph *g = x->g;
    const Poly *d = poly_sub(g->arena, poly_var(g->arena, ARRAY(g, l->by)->axis[axis_by]),
                             graph_poly(g, ARG(g, l->read, axis_of)));
    d = sign > 0 ? d : poly_neg(g->arena, d);
    for (int k = 4; k >= -3; k--) {
        if (lag_prove(g, l, poly_sub(g->arena, d, poly_int(g->arena, k)))) {
            return k;
        }
    }
    return -100;
}

static bool match_axes(Gen *x, const Circle *c, ArrayRef seed, int axis, int *axis_of,
                       const uint32_t *used) {
    Graph *g = x->g;
    for (int k = 0; k < c->members.n; k++) {
        axis_of[c->members.at[k]] = -1;
    }
    axis_of[seed] = axis;
    for (int round = 0; round < c->members.n; round++) {
        for (int k = 0; k < c->lags.n; k++) {
            const Lag *l = &c->lags.at[k];
            if (axis_of[l->by] >= 0 && axis_of[l->of] < 0) {
                Ref i = ARRAY(g, l->by)->axis[axis_of[l->by]];
                for (int q = 0; q < ARRAY(g, l->of)->rank && axis_of[l->of] < 0; q++) {
                    if (!(used[l->of] >> q & 1) && graph_has_index(g, ARG(g, l->read, q), i)) {
                        axis_of[l->of] = q;
                    }
                }
            } else if (axis_of[l->of] >= 0 && axis_of[l->by] < 0) {
                Ref at = ARG(g, l->read, axis_of[l->of]);
                for (int q = 0; q < ARRAY(g, l->by)->rank && axis_of[l->by] < 0; q++) {
                    if (!(used[l->by] >> q & 1) &&
                        graph_has_index(g, at, ARRAY(g, l->by)->axis[q])) {
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
        if (axis_of[c->members.at[k]] < 0) {
            return false;
        }
    }
    return true;
}

static void circle_level(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take);

/* A piece of a circle that adds what one turn computes to places that data chooses: it is done at
 * the end of that turn. */
typedef struct Push {
    ArrayRef to;
    Piece piece;
    Scatter sum;
    Ref source; /* the summed index that is the turn */
    int off;    /* turn - off is the place */
} Push;

/* All circle reads in the term stand at this summed index on their loop axis, with one offset? */
static bool push_reads(Gen *x, Ref term, const bool *in, const int *axis_of, const int *off,
                       Push *p) {
    Graph *g = x->g;
    const Node n = *NODE(g, term);
    if (n.op == OP_READ && in[n.aux]) {
        Ref at = ARG(g, term, axis_of[n.aux]);
        bool summed = false;
        for (int k = 0; k < p->sum.index.n; k++) {
            summed = summed || p->sum.index.at[k] == at;
        }
        if (!summed || (p->source && (p->source != at || p->off != off[n.aux]))) {
            return false;
        }
        p->source = at, p->off = off[n.aux];
    }
    for (int k = 0; k < n.nargs; k++) {
        if (!push_reads(x, ARG(g, term, k), in, axis_of, off, p)) {
            return false;
        }
    }
    return true;
}

static bool push_form(Gen *x, ArrayRef a, const Piece *piece, const bool *in, const int *axis_of,
                      const int *off, Push *p) {
    Graph *g = x->g;
    Ref axis = ARRAY(g, a)->axis[axis_of[a]], rest;
    *p = (Push){.to = a, .piece = *piece};
    return ARRAY(g, a)->type >= VALUE_FLOAT && nest_open_sums(g, piece->body, &p->sum) &&
           p->sum.condition && nest_scatter_place(g, p->sum.condition, axis, &rest) &&
           push_reads(x, p->sum.term, in, axis_of, off, p) &&
           push_reads(x, p->sum.condition, in, axis_of, off, p) && p->source;
}

static void push_now(Gen *x, const Push *p, Ref turn, const Fixed *inside) {
    Graph *g = x->g;
    Ref at = graph_op2(g, OP_sub, turn, graph_int(g, p->off));
    const Poly *place = graph_poly(g, at), *extent = EXTENT(g, p->source);
    Scatter s = {.term = graph_subst(g, p->sum.term, 1, &p->source, &at),
                 .condition = graph_subst(g, p->sum.condition, 1, &p->source, &at)};
    for (int k = 0; k < p->sum.index.n; k++) {
        if (p->sum.index.at[k] != p->source) {
            VEC_PUSH(g->arena, s.index, p->sum.index.at[k]);
        }
    }
    if (!graph_prove(g, place, 0, NULL)) {
        s.condition = graph_and(g, graph_op2(g, OP_le, graph_int(g, 0), at), s.condition);
    }
    if (!graph_prove(g,
                     poly_sub(g->arena, poly_sub(g->arena, extent, place), poly_int(g->arena, 1)),
                     0, NULL)) {
        s.condition = graph_and(g, graph_op2(g, OP_lt, at, graph_of_poly(g, extent)), s.condition);
    }
    Fixed free = {.at = arena_alloc(g->arena, (size_t)(ARRAY(g, p->to)->rank + 1) * sizeof(Ref)),
                  .writes = inside->writes,
                  .zeroed = true};
    if (!nest_add_entries(x, p->to, &p->piece, &free, s)) {
        bug("a push without a place");
    }
}

/* Members of one loop turn: those that need each other at the same turn go deeper, the others
 * follow in order. */
static void circle_turn(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take) {
    Graph *g = x->g;
    int n = c->members.n, *number = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *number);
    bool *done = arena_alloc(g->arena, (size_t)n + 1),
         *reach = arena_alloc(g->arena, (size_t)(n * n) + 1);
    for (int k = 0; k < n; k++) {
        number[c->members.at[k]] = k;
    }
    for (int k = 0; k < c->lags.n; k++) {
        reach[number[c->lags.at[k].by] * n + number[c->lags.at[k].of]] = true;
    }
    for (int m = 0; m < n; m++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n && reach[i * n + m]; j++) {
                reach[i * n + j] = reach[i * n + j] || reach[m * n + j];
            }
        }
    }
    for (int left = n; left > 0;) {
        int before = left;
        for (int i = 0; i < n; i++) {
            bool ready = !done[i];
            for (int j = 0; j < n && ready; j++) {
                ready = !reach[i * n + j] || done[j] || (reach[j * n + i] && reach[i * n + j]);
            }
            if (!ready) {
                continue;
            }
            Circle inner = {0};
            for (int j = 0; j < n; j++) {
                if (j == i || (reach[i * n + j] && reach[j * n + i])) {
                    VEC_PUSH(g->arena, inner.members, c->members.at[j]);
                    done[j] = true;
                    left--;
                }
            }
            for (int k = 0; k < c->lags.n; k++) {
                int by = number[c->lags.at[k].by], of = number[c->lags.at[k].of];
                bool in_by = by == i || (reach[i * n + by] && reach[by * n + i]),
                     in_of = of == i || (reach[i * n + of] && reach[of * n + i]);
                if (in_by && in_of) {
                    VEC_PUSH(g->arena, inner.lags, c->lags.at[k]);
                }
            }
            if (inner.lags.n) {
                circle_level(x, &inner, fixed, used, take);
            } else {
                for (int j = 0; j < inner.members.n; j++) {
                    nest_pieces(x, inner.members.at[j], &fixed[inner.members.at[j]],
                                take[inner.members.at[j]]);
                }
            }
        }
        if (left == before) {
            bug("no order inside a loop");
        }
    }
}

static void circle_level(Gen *x, const Circle *c, Fixed *fixed, uint32_t *used, bool **take) {
    Graph *g = x->g;
    int all = g->arrays.n;
    ArrayRef seed = c->members.at[0];
    int *axis_of = arena_alloc(g->arena, (size_t)all * sizeof *axis_of),
        *off = arena_alloc(g->arena, (size_t)all * sizeof *off);
    int *lag = arena_alloc(g->arena, (size_t)(c->lags.n + 1) * sizeof *lag);
    for (int axis = 0; axis < ARRAY(g, seed)->rank; axis++) {
        if ((used[seed] >> axis & 1) || !match_axes(x, c, seed, axis, axis_of, used)) {
            continue;
        }
        for (int sign = 1; sign >= -1; sign -= 2) {
            bool ok = true, moves = false;
            for (int k = 0; k < c->lags.n && ok; k++) {
                const Lag *l = &c->lags.at[k];
                lag[k] = prove_lag(x, l, axis_of[l->by], axis_of[l->of], sign);
                ok = lag[k] > -100;
            }
            if (!ok) {
                continue;
            }
            for (int k = 0; k < c->members.n; k++) {
                off[c->members.at[k]] = 0;
            }
            for (int round = 0; round <= c->members.n; round++) {
                for (int k = 0; k < c->lags.n; k++) {
                    const Lag *l = &c->lags.at[k];
                    if (off[l->by] + lag[k] < off[l->of]) {
                        off[l->of] = off[l->by] + lag[k];
                    }
                }
            }
            Circle inner = {.members = {c->members.at, c->members.n, c->members.n}};
            for (int k = 0; k < c->lags.n; k++) {
                const Lag *l = &c->lags.at[k];
                int final = lag[k] + off[l->by] - off[l->of];
                ok = ok && final >= 0;
                moves = moves || final > 0;
                if (final == 0) {
                    VEC_PUSH(g->arena, inner.lags, *l);
                }
            }
            if (!ok || !moves) {
                continue;
            }
            /* One loop over turns, which are never negative, as indices are; member m computes the
             * place turn - off[m]. */
            int least = 0;
            for (int k = 0; k < c->members.n; k++) {
                off[c->members.at[k]] *= sign;
                least = off[c->members.at[k]] < least ? off[c->members.at[k]] : least;
            }
            for (int k = 0; k < c->members.n; k++) {
                off[c->members.at[k]] -= least;
            }
            VEC(Ref) lo = {0}, hi = {0};
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                const Poly *shift = poly_int(g->arena, off[a]),
                           *last = poly_sub(g->arena, ARRAY(g, a)->extent[axis_of[a]],
                                            poly_int(g->arena, 1));
                bool starts = false, ends = false;
                for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                    const Piece *p = &ARRAY(g, a)->pieces.at[q];
                    starts = starts || poly_equal(p->lo[axis_of[a]], poly_int(g->arena, 0));
                    ends = ends || poly_equal(p->hi[axis_of[a]], last);
                    VEC_PUSH(g->arena, lo,
                             graph_of_poly(g, poly_add(g->arena, p->lo[axis_of[a]], shift)));
                    VEC_PUSH(g->arena, hi,
                             graph_of_poly(g, poly_add(g->arena, p->hi[axis_of[a]], shift)));
                }
                if (ARRAY(g, a)->adjoint_of && !starts) { /* a derivative is 0 where no piece says
                                                             more, and may be read there */
                    VEC_PUSH(g->arena, lo, graph_of_poly(g, shift));
                }
                if (ARRAY(g, a)->adjoint_of && !ends) {
                    VEC_PUSH(g->arena, hi, graph_of_poly(g, poly_add(g->arena, last, shift)));
                }
            }
            bool *writes = arena_alloc(g->arena, (size_t)all * sizeof *writes);
            for (int k = 0; k < c->members.n; k++) {
                writes[c->members.at[k]] = true;
            }
            const char *name = g->indices.at[NODE(g, ARRAY(g, seed)->axis[axis])->aux].name;
            Ref first = gen_tightest(x, lo.at[0], lo.at + 1, lo.n - 1, false),
                end = gen_tightest(x, hi.at[0], hi.at + 1, hi.n - 1, true);
            end = graph_op2(g, OP_add, end, graph_int(g, 1));
            Ref turn = graph_index(g, name, graph_poly(g, end));
            VEC(Push) pushes = {0};
            bool *in = arena_alloc(g->arena, (size_t)all * sizeof *in), outermost = true;
            for (int k = 0; k < c->members.n; k++) {
                in[c->members.at[k]] = true;
                outermost = outermost && used[c->members.at[k]] == 0;
            }
            for (int k = 0; k < c->members.n && outermost; k++) {
                ArrayRef a = c->members.at[k];
                for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                    Push p;
                    if (!push_form(x, a, &ARRAY(g, a)->pieces.at[q], in, axis_of, off, &p)) {
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
            text_add(&about, "One loop, %s over %s:", sign > 0 ? "forward" : "backward", name);
            for (int k = 0; k < c->members.n; k++) {
                int o = off[c->members.at[k]];
                text_add(&about, "%s %s", k ? "," : "", ARRAY(g, c->members.at[k])->name);
                if (o) {
                    text_add(&about, "[%s %c %d]", name, o > 0 ? '-' : '+', o > 0 ? o : -o);
                }
            }
            Stmt *say = gen_stmt(x, STMT_COMMENT);
            say->text = text_string(&about);
            gen_add(x, say);
            Stmt *loop = gen_stmt(x, STMT_LOOP);
            loop->index = turn;
            loop->value = gen_bound(x, first);
            loop->other = gen_bound(x, sign > 0 ? end : graph_op2(g, OP_sub, end, graph_int(g, 1)));
            loop->down = sign < 0;
            gen_push(x, &loop->body, turn, false, writes);
            int number = x->f->loops++;
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                VEC_PUSH(g->arena, x->f->places,
                         (LoopPlace){a, number, axis_of[a], off[a], sign < 0});
                used[a] |= 1u << axis_of[a];
                fixed[a].at[axis_of[a]] = graph_op2(g, OP_sub, turn, graph_int(g, off[a]));
                fixed[a].writes = writes;
            }
            circle_turn(x, &inner, fixed, used, take);
            for (int k = 0; k < pushes.n; k++) {
                push_now(x, &pushes.at[k], turn, &fixed[pushes.at[k].to]);
            }
            for (int k = 0; k < c->members.n; k++) {
                ArrayRef a = c->members.at[k];
                used[a] &= ~(1u << axis_of[a]);
                fixed[a].at[axis_of[a]] = 0;
            }
            gen_loop_close(x, loop);
            return;
        }
    }
    error_at(g->cx, ARRAY(g, seed)->at, "no order of loops computes '%s' and what it needs",
             ARRAY(g, seed)->name);
}

void circle_arrays(Gen *x, int n, const ArrayRef *members) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n;
    Circle c = {0};
    bool *in = arena_alloc(g->arena, all * sizeof *in),
         **take = arena_alloc(g->arena, all * sizeof *take);
    Fixed *fixed = arena_alloc(g->arena, all * sizeof *fixed);
    uint32_t *used = arena_alloc(g->arena, all * sizeof *used);
    for (int k = 0; k < n; k++) {
        VEC_PUSH(g->arena, c.members, members[k]);
        in[members[k]] = true;
        fixed[members[k]].at =
            arena_alloc(g->arena, (size_t)(ARRAY(g, members[k])->rank + 1) * sizeof(Ref));
        nest_comment(x, members[k]);
    }
    for (int k = 0; k < n; k++) {
        lags_find(g, in, members[k], &c.lags);
    }
    circle_level(x, &c, fixed, used, take);
}
