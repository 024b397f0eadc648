/* checkpoint: which recurrences of the forward function can do without their history.
 * In: forward and what comes after it, as they are without checkpoints. Out: for each recurrence
 * whose arrays backward reads turn by turn, in one loop that runs the other way: which arrays are
 * computed again, how many of their last entries are the state of the recurrence, and how far
 * backward's loop reads beyond a block of turns.
 *
 * An array that backward reads in another way is kept whole, as without checkpoints; so is one that
 * is read at places that data chooses. */
#include "gen.h"
#include "print.h"
#include "text.h"
#include <string.h>

typedef struct Search {
    Graph *g;
    const Function *forward;
    const bool *carried;
    int nafter;
    const Function *const *after;
    const LoopGroup *group;        /* at work */
    bool *member, *window, *again; /* by array */
    int *axis, *off;
    int uses[2], least[2], most[2]; /* by function after: the loop, and the turns that it reads */
    bool read[2];
    VEC(State) ends; /* entries of the last state that are read before a loop of backward */
    int entries;     /* so many of the last ones are read by forward */
    const bool *before[2];
} Search;

int64_t checkpoint_span(const Checkpoint *c) {
    int64_t need = c->least, turns, first, w = 1;
    if (c->kind == CHECKPOINT_ROOT) {
        if (!poly_is_int(c->end, &turns) || !poly_is_int(c->first, &first)) {
            return -1;
        }
        turns -= first;
        for (w = 2; w < c->least || w <= c->reach || (w - c->reach) * (w - c->reach) < turns;) {
            w *= 2;
        }
        return w;
    }
    int64_t block = (c->kind == CHECKPOINT_EVERY ? c->count : 1) + c->reach;
    need = block > need ? block : need;
    for (w = 2; w < need;) {
        w *= 2;
    }
    return w;
}

bool checkpoint_is_for(const Checkpoint *c, FunctionKind kind) {
    for (int k = 0; k < c->nafter; k++) {
        if (c->after[k].kind == kind) {
            return true;
        }
    }
    return kind == FN_FORWARD;
}

/* By array: does it need something that this loop computes? */
static const bool *needs_loop(Graph *g, const Function *f, int group) {
    bool *is = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (bool more = true; more;) {
        more = false;
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            const ArrayRef *reads;
            if (!f->computed[a] || is[a]) {
                continue;
            }
            is[a] = f->owner[a] == group + 1;
            int n = graph_array_reads(g, a, &reads);
            for (int k = 0; k < n && !is[a]; k++) {
                is[a] = f->computed[reads[k]] && is[reads[k]];
            }
            more = more || is[a];
        }
    }
    return is;
}

static const LoopPlace *place_of(const Function *f, ArrayRef a) { /* in its outermost loop */
    for (int k = 0; k < f->places.n; k++) {
        if (f->places.at[k].array == a) {
            return &f->places.at[k];
        }
    }
    return NULL;
}

static bool small_number(const Poly *p, int *value) {
    int64_t num, den;
    if (!poly_is_number(p, &num, &den) || den != 1 || num > LAG_MOST || num < -LAG_MOST) {
        return false;
    }
    *value = (int)num;
    return true;
}

static bool over_sizes(Graph *g, const Poly *p) {
    const uint32_t *vars;
    int n = poly_vars(g->arena, p, &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    return poly_is_known(p);
}

/* The group of a recurrence that computes an array; -1: none does. */
static int loop_of(const Function *f, ArrayRef a) {
    int group = f->owner[a] - 1;
    return group >= 0 && !f->groups[group].map ? group : -1;
}

/* All that a function reads of s->window. `loop`, by read: the group where it happens; -1: none. */
typedef VEC(int) Loops;
static void find_reads(const Search *s, const Function *f, Lags *lags, Loops *loop) {
    Graph *g = s->g;
    for (int k = 0; k < f->pushed.n; k++) {
        const Pushed *p = &f->pushed.at[k];
        lags_find_in(g, s->window, p->to, p->piece, p->term, p->condition, lags);
        while (loop->n < lags->n) {
            lags->at[loop->n].turn = p->turn;
            VEC_PUSH(g->arena, *loop, loop_of(f, p->to));
        }
    }
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        for (int q = 0; q < ARRAY(g, a)->pieces.n && f->computed[a]; q++) {
            bool pushed = false, sum = !place_of(f, a);
            for (int k = 0; k < f->pushed.n; k++) {
                pushed = pushed || (f->pushed.at[k].to == a && f->pushed.at[k].piece == q);
            }
            if (!pushed) {
                Piece p = ARRAY(g, a)->pieces.at[q];
                lags_find_in(g, s->window, a, q, p.body, p.guard, lags);
            }
            while (loop->n < lags->n) {
                VEC_PUSH(g->arena, *loop, sum ? -1 : loop_of(f, a));
            }
        }
    }
}

/* A read inside of a loop: how many turns later than it is the entry computed? */
static bool read_ahead(const Search *s, const Function *f, const Lag *l, int *ahead) {
    Graph *g = s->g;
    const Poly *then = poly_add(g->arena, graph_poly(g, ARG(g, l->read, s->axis[l->of])),
                                poly_int(g->arena, s->off[l->of])),
               *now = NULL;
    if (l->turn) {
        now = poly_var(g->arena, l->turn);
    } else {
        const LoopPlace *p = place_of(f, l->by);
        if (!p) {
            return false;
        }
        const Piece *piece = &ARRAY(g, l->by)->pieces.at[l->piece];
        Ref i = ARRAY(g, l->by)->axis[p->axis];
        now = poly_add(g->arena, poly_var(g->arena, i), poly_int(g->arena, p->off));
        if (poly_equal(piece->lo[p->axis], piece->hi[p->axis])) {
            now = poly_subst(g->arena, now, i, piece->lo[p->axis]);
            then = poly_subst(g->arena, then, i, piece->lo[p->axis]);
        }
    }
    return small_number(poly_sub(g->arena, then, now), ahead);
}

/* A read behind the loop: how many entries from the last one? */
static bool read_behind(const Search *s, const Lag *l, int *behind) {
    Graph *g = s->g;
    const Poly *last =
        poly_sub(g->arena, ARRAY(g, l->of)->extent[s->axis[l->of]], poly_int(g->arena, 1));
    return small_number(poly_sub(g->arena, last, graph_poly(g, ARG(g, l->read, s->axis[l->of]))),
                        behind) &&
           *behind >= 0;
}

/* Reads by forward itself: of the last turns in the loop, of the last entries behind it. */
static bool look_at_forward(Search *s, int number) {
    Lags lags = {0};
    Loops loop = {0};
    bool left = false;
    find_reads(s, s->forward, &lags, &loop);
    for (int k = 0; k < lags.n; k++) {
        int d = 0;
        bool fits = loop.at[k] == number ? read_ahead(s, s->forward, &lags.at[k], &d) && d <= 0
                                         : read_behind(s, &lags.at[k], &d);
        d = d < 0 ? -d : d;
        s->entries = fits && d + 1 > s->entries ? d + 1 : s->entries;
        left = left || (!fits && s->window[lags.at[k].of]);
        s->window[lags.at[k].of] = s->window[lags.at[k].of] && fits;
    }
    return left;
}

/* Reads by one function after forward. What cannot be served from a block leaves s->window; true:
 * something left. */
static bool look_at_reads(Search *s, int which) {
    Graph *g = s->g;
    const Function *f = s->after[which];
    Lags lags = {0};
    Loops loop = {0};
    bool left = false;
    find_reads(s, f, &lags, &loop);
    s->read[which] = false;
    s->uses[which] = -1;
    for (int k = 0; k < lags.n && s->uses[which] < 0; k++) {
        s->uses[which] = loop.at[k];
    }
    int group = s->uses[which];
    const bool *needs = group >= 0 ? needs_loop(g, f, group) : NULL;
    const LoopPlace *outer = group >= 0 ? place_of(f, f->groups[group].member.at[0]) : NULL;
    bool down = outer && outer->down &&
                over_sizes(g, graph_poly(g, f->ranges.at[outer->loop].first)) &&
                over_sizes(g, graph_poly(g, f->ranges.at[outer->loop].end));
    bool *before = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (int k = 0; k < lags.n; k++) {
        const Lag *l = &lags.at[k];
        ArrayRef a = l->of;
        int d = 0;
        bool fits = s->window[a];
        if (loop.at[k] >= 0) {
            fits = fits && down && loop.at[k] == group && read_ahead(s, f, l, &d);
            if (fits) {
                s->least[which] = !s->read[which] || d < s->least[which] ? d : s->least[which];
                s->most[which] = !s->read[which] || d > s->most[which] ? d : s->most[which];
                s->read[which] = true;
            }
        } else {
            fits = fits && group >= 0 && !needs[l->by] && read_behind(s, l, &d);
            if (fits) {
                int at = 0;
                while (at < s->ends.n && s->ends.at[at].array != a) {
                    at++;
                }
                if (at == s->ends.n) {
                    VEC_PUSH(g->arena, s->ends, ((State){a, d + 1}));
                } else if (d >= s->ends.at[at].turns) {
                    s->ends.at[at].turns = d + 1;
                }
                before[l->by] = true;
            }
        }
        if (!fits && s->window[a]) {
            s->window[a] = false;
            left = true;
        }
    }
    s->before[which] = before;
    return left;
}

/* What must be computed again, and the reads among it; true: something left s->window. */
static bool look_inside(Search *s, Checkpoint *c) {
    Graph *g = s->g;
    const LoopGroup *group = s->group;
    bool left = false;
    for (int k = 0; k < group->member.n; k++) {
        s->again[group->member.at[k]] = s->window[group->member.at[k]];
    }
    for (bool more = true; more;) {
        more = false;
        for (int k = 0; k < group->member.n; k++) {
            ArrayRef a = group->member.at[k];
            const ArrayRef *reads;
            int n = s->again[a] ? graph_array_reads(g, a, &reads) : 0;
            for (int q = 0; q < n; q++) {
                ArrayRef r = reads[q];
                if (s->member[r] && !s->again[r] && !s->carried[r]) {
                    s->again[r] = more = true;
                }
            }
        }
    }
    c->states.n = 0;
    for (int k = 0; k < group->member.n; k++) {
        ArrayRef a = group->member.at[k];
        Lags lags = {0};
        if (!s->again[a]) {
            continue;
        }
        if (s->forward->scattered[a]) {
            for (int i = 0; i < group->member.n; i++) {
                left = left || s->window[group->member.at[i]];
                s->window[group->member.at[i]] = false;
            }
            return left;
        }
        lags_find(g, s->again, a, &lags);
        for (int q = 0; q < lags.n; q++) {
            const Lag *l = &lags.at[q];
            ArrayRef of = l->of;
            int d, at = -1;
            const Piece *piece = &ARRAY(g, a)->pieces.at[l->piece];
            Ref i = ARRAY(g, a)->axis[s->axis[a]];
            const Poly *now =
                           poly_add(g->arena, poly_var(g->arena, i), poly_int(g->arena, s->off[a])),
                       *then = poly_add(g->arena, graph_poly(g, ARG(g, l->read, s->axis[of])),
                                        poly_int(g->arena, s->off[of])),
                       *back = poly_sub(g->arena, now, then);
            if (poly_equal(piece->lo[s->axis[a]], piece->hi[s->axis[a]])) {
                back = poly_subst(g->arena, back, i, piece->lo[s->axis[a]]);
            }
            if (!small_number(back, &d) || d < 0) { /* then nobody's history can be left out */
                for (int m = 0; m < group->member.n; m++) {
                    left = left || s->window[group->member.at[m]];
                    s->window[group->member.at[m]] = false;
                }
                return left;
            }
            for (int m = 0; m < c->states.n; m++) {
                at = c->states.at[m].array == of ? m : at;
            }
            if (d > 0 && at < 0) {
                VEC_PUSH(g->arena, c->states, ((State){of, d}));
            } else if (d > 0 && d > c->states.at[at].turns) {
                c->states.at[at].turns = d;
            }
        }
    }
    return left;
}

static Checkpoint *try_group(Search *s, int number) {
    Graph *g = s->g;
    size_t all = (size_t)g->arrays.n;
    const Function *f = s->forward;
    const LoopGroup *group = &f->groups[number];
    const LoopPlace *first = place_of(f, group->member.at[0]);
    Checkpoint *c = arena_alloc(g->arena, sizeof *c);
    bool some = false, left = true;
    if (group->map || !group->axis || !first || first->down) {
        return NULL;
    }
    c->first = graph_poly(g, f->ranges.at[first->loop].first);
    c->end = graph_poly(g, f->ranges.at[first->loop].end);
    if (!over_sizes(g, c->first) || !over_sizes(g, c->end)) {
        return NULL;
    }
    s->group = group;
    s->member = arena_alloc(g->arena, all), s->window = arena_alloc(g->arena, all);
    s->again = arena_alloc(g->arena, all), s->axis = arena_alloc(g->arena, all * sizeof(int));
    s->off = arena_alloc(g->arena, all * sizeof(int));
    for (int k = 0; k < group->member.n; k++) {
        ArrayRef a = group->member.at[k];
        const LoopPlace *p = place_of(f, a);
        bool whole = false;
        for (int q = 0; q < f->writes.n; q++) {
            whole = whole || f->writes.at[q] == a;
        }
        s->member[a] = true, s->axis[a] = p->axis, s->off[a] = p->off;
        s->window[a] = s->carried[a] && f->place[a] == PLACE_BUFFER && !whole && !f->scattered[a];
    }
    while (left) {
        left = look_inside(s, c);
        s->ends.n = 0, s->entries = 1;
        left = look_at_forward(s, number) || left;
        for (int k = 0; k < s->nafter; k++) {
            left = look_at_reads(s, k) || left;
        }
    }
    c->least = s->entries;
    for (int k = 0; k < s->ends.n; k++) {
        if (s->window[s->ends.at[k].array]) {
            VEC_PUSH(g->arena, c->ends, s->ends.at[k]);
            c->least = s->ends.at[k].turns > c->least ? s->ends.at[k].turns : c->least;
        }
    }
    for (int k = 0; k < c->states.n; k++) {
        c->least = c->states.at[k].turns + 1 > c->least ? c->states.at[k].turns + 1 : c->least;
    }
    for (int k = 0; k < s->nafter; k++) {
        if (s->read[k]) {
            int reach = s->most[k] - s->least[k];
            c->after[c->nafter++] =
                (CheckpointAfter){s->after[k]->kind, s->uses[k], s->least[k], s->before[k]};
            c->reach = reach > c->reach ? reach : c->reach;
        }
    }
    for (int k = 0; k < group->member.n; k++) {
        some = some || s->window[group->member.at[k]];
    }
    c->group = number, c->loop = group, c->seed = group->member.at[0];
    c->again = s->again, c->window = s->window, c->axis = s->axis, c->off = s->off;
    c->store = f->store, c->arrays = g->arrays.n;
    return some && c->nafter ? c : NULL;
}

void checkpoint_extend(Graph *g, Checkpoint *c) {
    size_t old = (size_t)c->arrays, all = (size_t)g->arrays.n + MOST_COPIES;
    if (all <= old) {
        return;
    }
    bool *again = arena_alloc(g->arena, all), *window = arena_alloc(g->arena, all);
    int *axis = arena_alloc(g->arena, all * sizeof *axis),
        *off = arena_alloc(g->arena, all * sizeof *off);
    memcpy(again, c->again, old);
    memcpy(window, c->window, old);
    memcpy(axis, c->axis, old * sizeof *axis);
    memcpy(off, c->off, old * sizeof *off);
    c->again = again, c->window = window, c->axis = axis, c->off = off, c->arrays = (int)all;
}

void checkpoint_find(Graph *g, CheckpointKind kind, int64_t count, const Function *forward,
                     const bool *carried, int nafter, const Function *const *after,
                     Checkpoints *found) {
    Search s = {.g = g, .forward = forward, .carried = carried, .nafter = nafter, .after = after};
    for (int k = 0; k < forward->ngroups && found->n < MOST_CHECKPOINTS; k++) {
        Checkpoint *c = try_group(&s, k);
        bool taken = false;
        for (int q = 0; q < found->n && c; q++) { /* one recurrence to a loop of backward */
            for (int i = 0; i < found->at[q]->nafter; i++) {
                for (int j = 0; j < c->nafter; j++) {
                    taken = taken || (found->at[q]->after[i].kind == c->after[j].kind &&
                                      found->at[q]->after[i].group == c->after[j].group);
                }
            }
        }
        if (c && !taken) {
            c->kind = kind, c->count = count, c->number = found->n;
            VEC_PUSH(g->arena, *found, c);
        }
    }
}

ArrayRef checkpoint_array(const Checkpoint *c) {
    for (int k = 0; k < c->states.n; k++) {
        if (c->window[c->states.at[k].array]) {
            return c->states.at[k].array;
        }
    }
    return c->seed;
}

static const Poly *bytes_of(Graph *g, ArrayRef a, int axis) { /* of one entry along this axis */
    const Poly *p = poly_int(g->arena, array_entry_bytes(g, a));
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (k != axis) {
            p = poly_mul(g->arena, p, ARRAY(g, a)->extent[k]);
        }
    }
    return p;
}

static bool is_zero(const Poly *p) {
    int64_t value;
    return poly_is_int(p, &value) && value == 0;
}

/* As a factor: in parentheses where it is a sum. */
static const char *factor_text(Graph *g, const Poly *p) {
    const char *text = graph_poly_text(g, p);
    return strpbrk(text, "+-") ? arena_format(g->arena, "(%s)", text) : text;
}

/* A term of a sum, with something that is not a number when compiling. */
static void put_term(Graph *g, Text *t, const Poly *factor, const char *name) {
    if (!is_zero(factor)) {
        text_add(t, "%s%s * %s", t->n ? " + " : "", factor_text(g, factor), name);
    }
}

const char *checkpoint_text(Graph *g, const Layout *l, const Checkpoint *c) {
    Text t = text_new(g->arena), bytes = text_new(g->arena);
    const Poly *all = poly_int(g->arena, 0), *known = all, *by_state = all, *by_span = all,
               *turns = poly_sub(g->arena, c->end, c->first);
    int64_t span = checkpoint_span(c), length, count = 0;
    const char *word = "";
    bool fixed = poly_is_int(turns, &length);
    if (c->kind == CHECKPOINT_BINOMIAL) {
        count = c->count;
    } else if (fixed) { /* as gradc_states does */
        int64_t block = c->kind == CHECKPOINT_EVERY ? c->count : span - c->reach;
        count = length <= block ? 1 : 1 + (length - 1) / block;
    }
    for (int k = 0; k < l->buffers.n; k++) {
        const Buffer *b = &l->buffers.at[k];
        ArrayRef a = b->array;
        if (b->states == c && b->part == PART_FRESH) {
            known = poly_add(g->arena, known, poly_int(g->arena, 8));
            continue;
        }
        if (b->states != c && !(b->store && b->store->checkpoint == c && !b->states)) {
            continue;
        }
        const Poly *one = bytes_of(g, a, c->axis[a]);
        if (!b->states) {
            text_add(&t, "%s%s", word, ARRAY(g, a)->name);
            word = ", ";
            by_span = poly_add(g->arena, by_span, one);
            all = poly_add(g->arena, all, poly_mul(g->arena, one, ARRAY(g, a)->extent[c->axis[a]]));
            continue;
        }
        one = poly_mul(g->arena, one, poly_int(g->arena, b->turns));
        if (b->part == PART_ENDS) {
            known = poly_add(g->arena, known, one);
        } else {
            by_state = poly_add(g->arena, by_state, one);
        }
    }
    if (count) {
        known = poly_add(g->arena, known, poly_mul(g->arena, by_state, poly_int(g->arena, count)));
    } else {
        put_term(g, &bytes, by_state, "states");
    }
    if (span > 0) {
        known = poly_add(g->arena, known, poly_mul(g->arena, by_span, poly_int(g->arena, span)));
    } else {
        put_term(g, &bytes, by_span, "block");
    }
    if (!is_zero(known)) {
        text_add(&bytes, "%s%s", bytes.n ? " + " : "", graph_poly_text(g, known));
    }
    const char *steps = factor_text(g, turns);
    text_add(&t, ": %s bytes in place of %s", text_string(&bytes), graph_poly_text(g, all));
    if (c->kind == CHECKPOINT_ROOT && !fixed) {
        const char *length_text =
            c->reach ? arena_format(g->arena, "(block - %d)", c->reach) : "block";
        text_add(&t, "; block: a power of 2 with %s^2 >= %s", length_text,
                 graph_poly_text(g, turns));
        if (!is_zero(by_state)) {
            text_add(&t, "; states: %s / %s, rounded up", steps, length_text);
        }
    } else if (!count && !is_zero(by_state)) {
        text_add(&t, "; states: %s / %lld, rounded up", steps, (long long)c->count);
    }
    return text_string(&t);
}
