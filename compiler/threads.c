/* threads: loops whose turns go to several threads, for --openmp.
 * In: the statements of a function, its loops final. Out: the same, where outermost loops that
 * allow it go in parts: neighbouring turns, each part in a function of its own that a thread calls.
 *
 * Into how many parts a loop goes depends on sizes alone, never on the number of threads, and what
 * parts add up is added in their order: so the bits are the same for any number of threads, one
 * included. What a loop writes is, for each array, one of
 * - apart: on some axis all that touches it stands at the same function of the loop's turn;
 * - own: a buffer of which a turn reads what it wrote itself: each part has a copy;
 * - summed: only added to: each part but the first adds to a copy that starts at 0.
 * Numbers are like arrays without axes. Nothing else may be written; then the loops inside have
 * their chance. That is read off the statements, whatever pass made them. */
#include "gen.h"
#include "ops.h"
#include "text.h"

enum { SMALL = 8 }; /* loops of fewer turns: those inside are better */

typedef struct Access {
    ArrayRef array;
    char how; /* 'r' read, '=' written, '+' added to, 'a' all of it set */
    Expr *const *position;
    const Matmul *matmul; /* whose operand it is: two axes go from their position on */
    int operand;
} Access;

typedef struct Region {
    Gen *x;
    Graph *g;
    Function *f;
    const Stmt *loop;
    VEC(Access) access;
    VEC(int) declared, used, set; /* locals */
    VEC(Ref) inside;              /* indices of loops inside */
    bool leaves;
    const char *why; /* it cannot go in parts; NULL: nothing found */
} Region;

static void refuse(Region *r, const char *why) {
    r->why = r->why ? r->why : why;
}

static bool has_local(const int *list, int n, int local) {
    for (int k = 0; k < n; k++) {
        if (list[k] == local) {
            return true;
        }
    }
    return false;
}

#define HAS_LOCAL(list, local) has_local((list).at, (list).n, local)

static void note_local(Region *r, int local, bool set) {
    if (!HAS_LOCAL(r->used, local)) {
        VEC_PUSH(r->g->arena, r->used, local);
    }
    if (set && !HAS_LOCAL(r->set, local)) {
        VEC_PUSH(r->g->arena, r->set, local);
    }
}

static void note_access(Region *r, ArrayRef a, char how, Expr *const *position) {
    VEC_PUSH(r->g->arena, r->access, ((Access){a, how, position, NULL, 0}));
}

static void look_at_call(Region *r, const KernelCall *call);

static void look_at(Region *r, const Expr *e) {
    switch (e->kind) {
    case EXPR_LOCAL:
    case EXPR_FOLD: note_local(r, e->local, false); break;
    case EXPR_LOAD: note_access(r, e->array, 'r', e->arg); break;
    case EXPR_KERNEL: look_at_call(r, e->call); break;
    default: break;
    }
    for (int k = 0; k < e->n; k++) {
        look_at(r, e->arg[k]);
    }
}

static void look_at_positions(Region *r, ArrayRef a, Expr *const *position) {
    for (int k = 0; k < ARRAY(r->g, a)->rank; k++) {
        look_at(r, position[k]);
    }
}

static void look_at_call(Region *r, const KernelCall *call) {
    for (int k = 0; k < 2; k++) {
        if (call->array[k]) {
            note_access(r, call->array[k], k ? '=' : 'r', call->position[k]);
            look_at_positions(r, call->array[k], call->position[k]);
        }
    }
}

/* inner: within a loop inside of the one that may go in parts. */
static void look(Region *r, const Block *b, bool inner) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            look_at(r, s->value);
        }
        if (s->other) {
            look_at(r, s->other);
        }
        switch (s->kind) {
        case STMT_COMMENT:
        case STMT_IF:
        case STMT_FAIL: break;
        case STMT_LOOP:
            VEC_PUSH(r->g->arena, r->inside, s->index);
            look(r, &s->body, true);
            continue;
        case STMT_LET:
        case STMT_VAR:
            VEC_PUSH(r->g->arena, r->declared, s->local);
            note_local(r, s->local, false);
            break;
        case STMT_SET: note_local(r, s->local, true); break;
        case STMT_STORE:
            note_access(r, s->array, s->op == '+' ? '+' : '=', s->position);
            if (s->op != '+' && s->op != '=') {
                note_access(r, s->array, 'r', s->position);
            }
            look_at_positions(r, s->array, s->position);
            break;
        case STMT_ZERO: note_access(r, s->array, 'a', NULL); break;
        case STMT_MATMUL:
            for (int k = 0; k < 3; k++) {
                note_access(r, s->matmul->array[k],
                            k < 2                   ? 'r'
                            : s->matmul->accumulate ? '+'
                                                    : '=',
                            s->matmul->position[k]);
                r->access.at[r->access.n - 1].matmul = s->matmul;
                r->access.at[r->access.n - 1].operand = k;
                look_at_positions(r, s->matmul->array[k], s->matmul->position[k]);
            }
            break;
        case STMT_KERNEL: look_at_call(r, s->call); break;
        case STMT_BREAK:
            if (!inner) {
                refuse(r, "where it ends depends on what it computes");
            }
            break;
        case STMT_RETURN: r->leaves = true; break;
        default: refuse(r, "it keeps states, or computes turns again"); break;
        }
        look(r, &s->body, inner);
        look(r, &s->otherwise, inner);
    }
}

/* ---- what is written */

static bool is_float(const Graph *g, ArrayRef a) {
    return ARRAY(g, a)->type >= VALUE_FLOAT;
}

/* The place on an axis as a function of the loop's turn, the same for all other turns around and
 * inside; NULL: it is none. */
static const Poly *place_of(Region *r, const Access *at, int axis) {
    Graph *g = r->g;
    if (!at->position) {
        return NULL;
    }
    const Poly *p = plan_poly(g, at->position[axis]);
    bool follows = false;
    const uint32_t *vars;
    if (at->matmul) { /* which goes along two axes, but for the turns of a block */
        const Matmul *m = at->matmul;
        const Poly *const rows[3] = {m->m, m->k, m->m}, *const columns[3] = {m->k, m->n, m->n};
        if ((m->joined[at->operand] >> axis & 1) ||
            (axis == m->row[at->operand] && rows[at->operand]) ||
            (axis == m->column[at->operand] && columns[at->operand])) {
            return NULL;
        }
    }
    int n = p ? poly_vars(g->arena, p, &vars) : 0;
    for (int k = 0; k < n; k++) {
        follows = follows || vars[k] == r->loop->index;
        for (int q = 0; q < r->inside.n; q++) {
            if (vars[k] == r->inside.at[q] && vars[k] != r->loop->index) {
                return NULL;
            }
        }
    }
    int64_t num, den;
    const Poly *rest;
    return follows && poly_linear(g->arena, p, r->loop->index, &num, &den, &rest) && num != 0
               ? p
               : NULL;
}

static bool is_apart(Region *r, ArrayRef a) {
    const Store *s = r->f->store[a];
    for (int axis = 0; axis < ARRAY(r->g, a)->rank; axis++) {
        const Poly *place = NULL;
        bool same = !(s && s->window[axis]);
        for (int k = 0; k < r->access.n && same; k++) {
            const Access *at = &r->access.at[k];
            if (at->array == a) {
                const Poly *p = place_of(r, at, axis);
                same = p && (!place || poly_equal(p, place));
                place = p;
            }
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Is it a buffer for the turns at hand, of this loop alone? */
static bool is_own(Region *r, ArrayRef a, const int *uses) {
    const Function *f = r->f;
    const Store *s = f->store[a];
    int here = 0, along = -1;
    if (!r->loop->map || f->place[a] != PLACE_BUFFER || !s) {
        return false;
    }
    for (int k = 0; k < f->checkpoints.n; k++) {
        if (f->checkpoints.at[k]->again[a]) {
            return false;
        }
    }
    for (int axis = 0; axis < ARRAY(r->g, a)->rank; axis++) {
        if (s->window[axis] < 0 || (s->window[axis] && along >= 0)) {
            return false;
        }
        along = s->window[axis] ? axis : along;
    }
    const Poly *turn = poly_var(r->g->arena, r->loop->index);
    for (int k = 0; k < r->access.n; k++) {
        if (r->access.at[k].array == a) {
            const Poly *place = along >= 0 ? place_of(r, &r->access.at[k], along) : NULL;
            here++;
            if (!place || !poly_equal(place, turn)) {
                return false;
            }
        }
    }
    return here == uses[a];
}

static bool is_summed(Region *r, ArrayRef a) {
    const Store *s = r->f->store[a];
    Place place = r->f->place[a];
    for (int k = 0; k < ARRAY(r->g, a)->rank; k++) {
        if (s && s->window[k] < 0) {
            return false;
        }
    }
    for (int k = 0; k < r->access.n; k++) {
        if (r->access.at[k].array == a && r->access.at[k].how != '+') {
            return false;
        }
    }
    return is_float(r->g, a) && (place == PLACE_BUFFER || place == PLACE_OUTPUT);
}

static bool reads_local(const Expr *e, int local) {
    bool reads = (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) && e->local == local;
    for (int k = 0; k < e->n && !reads; k++) {
        reads = reads_local(e->arg[k], local);
    }
    return reads;
}

/* How a number is gathered: '+', '>' the largest, '<' the smallest; 0: otherwise. */
static char gathered(const Block *b, int local, char how) {
    for (const Stmt *s = b->first; s && how; s = s->next) {
        const Expr *value = s->value;
        bool set = s->kind == STMT_SET && s->local == local;
        char now = 0;
        if (set && s->op == '+' && !s->checked) {
            now = '+';
        } else if (set && s->op == '=' && value->kind == EXPR_OP &&
                   (value->op == OP_max || value->op == OP_min) &&
                   value->arg[0]->kind == EXPR_LOCAL && value->arg[0]->local == local) {
            now = value->op == OP_max ? '>' : '<';
            value = value->arg[1];
        }
        bool other =
            (value && reads_local(value, local)) || (s->other && reads_local(s->other, local));
        for (int k = 0; k < s->n && s->position; k++) {
            other = other || reads_local(s->position[k], local);
        }
        if (other || (set && (!now || (how != '?' && how != now)))) {
            return 0;
        }
        how = set ? now : how;
        how = gathered(&s->body, local, how);
        how = how ? gathered(&s->otherwise, local, how) : how;
    }
    return how;
}

/* ---- how much work there is */

static int expr_cost(const Expr *e) {
    int n = e->kind == EXPR_OP ? (op_info[e->op].cheap ? 1 : 20) : e->kind != EXPR_CONST;
    for (int k = 0; k < e->n; k++) {
        n += expr_cost(e->arg[k]);
    }
    return n;
}

/* Open indices stand at the ends of their ranges. */
static const Poly *over_sizes(Graph *g, const Poly *p) {
    const uint32_t *vars;
    for (int round = 0; round < 16; round++) {
        bool some = false;
        int n = poly_vars(g->arena, p, &vars);
        for (int k = 0; k < n && !some; k++) {
            if (NODE(g, vars[k])->op == OP_INDEX) {
                p = poly_subst(g->arena, p, vars[k], EXTENT(g, vars[k]));
                some = true;
            }
        }
        if (!some) {
            return p;
        }
    }
    return poly_int(g->arena, 1);
}

static const Poly *turns_of(Graph *g, const Stmt *s) {
    const Poly *lo = plan_poly(g, s->value), *hi = plan_poly(g, s->other);
    return lo && hi ? over_sizes(g, poly_sub(g->arena, hi, lo)) : NULL;
}

/* Of a turn; what is done once for a block counts as if it were done for each turn. */
static const Poly *cost_of(Graph *g, const Block *b) {
    Arena *a = g->arena;
    const Poly *sum = poly_int(a, 0), *one = poly_int(a, 1);
    for (const Stmt *s = b->first; s; s = s->next) {
        int64_t cost = (s->value ? expr_cost(s->value) : 0) + (s->kind == STMT_STORE);
        const Poly *inside = cost_of(g, &s->body);
        if (s->kind == STMT_LOOP && !s->lanes) {
            const Poly *turns = turns_of(g, s);
            /* Bounds from data: few turns, as the entries of a row of a table. */
            inside = poly_mul(a, poly_add(a, inside, one), turns ? turns : poly_int(a, 4));
        } else if (s->kind == STMT_MATMUL) {
            const Matmul *m = s->matmul;
            inside =
                poly_mul(a, m->m ? m->m : one, poly_mul(a, m->n ? m->n : one, m->k ? m->k : one));
        } else if (s->kind == STMT_KERNEL) {
            inside = poly_mul(a, poly_mul(a, s->call->n, s->call->n),
                              s->call->m ? s->call->m : s->call->n);
        }
        sum = poly_add(a, sum, poly_add(a, inside, poly_int(a, cost)));
        if (!s->jump) {
            sum = poly_add(a, sum, cost_of(g, &s->otherwise));
        }
    }
    return sum;
}

static const Poly *entries_of(Region *r, ArrayRef a) {
    const Store *s = r->f->store[a];
    const Poly *n = poly_int(r->g->arena, 1);
    for (int k = 0; k < store_axes(r->g, s, a); k++) {
        n = poly_mul(r->g->arena, n, store_extent(r->g, s, a, store_axis(s, k)));
    }
    return n;
}

/* Entries of the arrays that a turn touches at its own place: what is summed over. */
static const Poly *data_of(Region *r) {
    Graph *g = r->g;
    const Poly *sum = poly_int(g->arena, 0);
    bool *met = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < r->access.n; k++) {
        const Access *at = &r->access.at[k];
        bool follows = false;
        for (int axis = 0; axis < ARRAY(g, at->array)->rank && at->position; axis++) {
            const Poly *p = plan_poly(g, at->position[axis]);
            const uint32_t *vars;
            int n = p ? poly_vars(g->arena, p, &vars) : 0;
            for (int q = 0; q < n; q++) {
                follows = follows || vars[q] == r->loop->index;
            }
        }
        if (follows && !met[at->array]) {
            met[at->array] = true;
            sum = poly_add(g->arena, sum, entries_of(r, at->array));
        }
    }
    return sum;
}

static int degree_of(const Poly *p) {
    int most = 0;
    for (int k = 0; k < p->n; k++) {
        most = p->term[k].nvars > most ? p->term[k].nvars : most;
    }
    return most;
}

/* One part, as gradc_parts of the runtime has it? */
static bool is_short(double turns, double work, double data, double weight) {
    return turns < 2 || work / THREADS_WORK < 2 ||
           (data + THREADS_ROOM) / (weight > 1 ? weight : 1) < 2;
}

/* ---- one loop */

typedef struct Search {
    Gen *x;
    const int *uses;  /* of arrays, in the function */
    const bool *data; /* by dimension: of data, see find_data; NULL: there is none */
} Search;

/* Sizes of data (points, samples) are long: those that come first in inputs, and are no axis of a
 * parameter. Where there are some, what grows with one other size alone is short. */
static const bool *find_data(Graph *g) {
    bool *first = arena_alloc(g->arena, (size_t)g->dims.n + 1),
         *other = arena_alloc(g->arena, (size_t)g->dims.n + 1), some = false;
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
        const Array *x = ARRAY(g, a);
        for (int k = 0; k < x->rank && (x->role == ARRAY_INPUT || x->role == ARRAY_PARAM); k++) {
            const uint32_t *vars;
            int n = poly_vars(g->arena, x->extent[k], &vars);
            for (int v = 0; v < n; v++) {
                (x->role == ARRAY_INPUT && k == 0 ? first : other)[NODE(g, vars[v])->aux] = true;
            }
        }
    }
    for (int k = 0; k < g->dims.n; k++) {
        first[k] = first[k] && !other[k];
        some = some || first[k];
    }
    return some ? first : NULL;
}

static bool is_of_data(Search *w, const Poly *p) {
    Graph *g = w->x->g;
    const uint32_t *vars;
    int n = poly_vars(g->arena, p, &vars);
    bool is = !w->data;
    for (int k = 0; k < n; k++) {
        is = is || w->data[NODE(g, vars[k])->aux];
    }
    return is;
}

/* What a block computes: arrays, in the order in which they are met. */
static void targets_of(Gen *x, const Block *b, bool *met, Text *names) {
    Graph *g = x->g;
    for (const Stmt *s = b->first; s; s = s->next) {
        bool sets = s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET;
        ArrayRef a = s->kind == STMT_STORE || s->kind == STMT_ZERO ? s->array
                     : s->kind == STMT_MATMUL                      ? s->matmul->array[2]
                     : s->kind == STMT_KERNEL                      ? s->call->array[1]
                     : sets                                        ? x->f->locals.at[s->local].array
                                                                   : 0;
        if (a && !met[a]) {
            met[a] = true;
            text_add(names, "%s%s", names->n ? ", " : "", ARRAY(g, a)->name);
        }
        targets_of(x, &s->body, met, names);
        targets_of(x, &s->otherwise, met, names);
    }
}

static void say(Search *w, const Stmt *loop, const char *text) {
    Graph *g = w->x->g;
    Text names = text_new(g->arena);
    targets_of(w->x, &loop->body, arena_alloc(g->arena, (size_t)g->arrays.n + 1), &names);
    ThreadsNote note = {g->indices.at[NODE(g, loop->index)->aux].name, text_string(&names), text};
    VEC_PUSH(g->arena, w->x->f->threads_notes, note);
}

/* The loop with the rows of numbers before it and their sums behind it, in parts; NULL: it cannot
 * be, or is not worth it. */
static Stmt *in_parts(Search *w, Stmt *const *rows, int nrows, Stmt *loop, Stmt *const *folds,
                      int nfolds, int depth) {
    Gen *x = w->x;
    Graph *g = x->g;
    Function *f = x->f;
    Region r = {.x = x, .g = g, .f = f, .loop = loop};
    Threads *t = arena_alloc(g->arena, sizeof *t);
    Block all = {0};
    look_at(&r, loop->value);
    look_at(&r, loop->other);
    look(&r, &loop->body, false);
    for (int k = 0; k < nrows; k++) {
        VEC_PUSH(g->arena, r.declared, rows[k]->local);
    }
    for (int k = 0; k < nfolds; k++) {
        note_local(&r, folds[k]->local, true);
    }
    if (loop->jam || loop->jump) { /* its turns go by four */
        refuse(&r, "some of its turns are done together");
    }
    if (loop->room) {
        refuse(&r, "it goes along one short row");
    }
    if (loop->down) {
        refuse(&r, "it runs backwards");
    }
    bool *met = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < r.access.n && !r.why; k++) {
        ArrayRef a = r.access.at[k].array;
        if (r.access.at[k].how == 'r' || met[a]) {
            continue;
        }
        met[a] = true;
        if (is_apart(&r, a)) {
            continue;
        }
        if (is_own(&r, a, w->uses)) {
            VEC_PUSH(g->arena, t->own, a);
        } else if (is_summed(&r, a)) {
            VEC_PUSH(g->arena, t->summed, a);
        } else {
            refuse(&r, arena_format(g->arena, "a turn needs what another one does to %s",
                                    ARRAY(g, a)->name));
        }
    }
    for (int k = 0; k < r.used.n && !r.why; k++) {
        int local = r.used.at[k];
        if (HAS_LOCAL(r.declared, local)) {
            continue;
        }
        if (!HAS_LOCAL(r.set, local)) {
            VEC_PUSH(g->arena, t->takes, local);
            continue;
        }
        char how = gathered(&loop->body, local, '?');
        for (int q = 0; q < nfolds && how; q++) {
            how = folds[q]->local != local ? how : how == '?' || how == '+' ? '+' : 0;
        }
        if (f->locals.at[local].type < VALUE_FLOAT || f->locals.at[local].lanes || !how ||
            how == '?') {
            const Local *l = &f->locals.at[local];
            refuse(&r, arena_format(g->arena, "a turn needs what another one does to %s",
                                    l->array ? ARRAY(g, l->array)->name : "a number"));
        }
        VEC_PUSH(g->arena, t->gathered, ((Gathered){local, how}));
    }
    if (r.why && depth == 0) {
        say(w, loop, arena_format(g->arena, "on one thread: %s", r.why));
    }
    if (r.why) {
        return NULL;
    }
    Arena *a = g->arena;
    const Poly *turns = turns_of(g, loop), *one = poly_int(a, 1);
    t->turns = turns ? turns : EXTENT(g, loop->index);
    t->step = loop->step ? loop->step : 1;
    t->work = over_sizes(g, poly_mul(a, t->turns, poly_add(a, cost_of(g, &loop->body), one)));
    t->turns = over_sizes(g, t->turns);
    t->data = over_sizes(g, data_of(&r));
    t->weight = poly_int(a, 0);
    for (int k = 0; k < t->summed.n; k++) {
        t->weight = poly_add(a, t->weight, entries_of(&r, t->summed.at[k]));
    }
    int64_t n[4];
    bool fixed = poly_is_int(t->turns, &n[0]) && poly_is_int(t->work, &n[1]) &&
                 poly_is_int(t->data, &n[2]) && poly_is_int(t->weight, &n[3]);
    bool choose = !x->plan->in_threads_always;
    if (choose && fixed &&
        is_short((double)n[0] / t->step, (double)n[1], (double)n[2], (double)n[3])) {
        say(w, loop, "on one thread: it is too short");
        return NULL;
    }
    if (choose && depth > 0 && !fixed && degree_of(t->work) < 2) {
        return NULL; /* for each turn of the loop around */
    }
    if (choose && !fixed && degree_of(t->work) < 2 && !is_of_data(w, t->work)) {
        say(w, loop, "on one thread: short beside the data");
        return NULL;
    }
    t->number = ++f->nthreads;
    t->function = x->plan->functions.n;
    t->index = loop->index;
    t->lo = loop->value, t->hi = loop->other;
    t->from = gen_local(x, "from", VALUE_INT, false);
    t->to = gen_local(x, "to", VALUE_INT, false);
    t->leaves = r.leaves;
    for (int k = 0; k < nrows; k++) {
        rows[k]->next = NULL;
        gen_append(&all, rows[k]);
    }
    loop->next = NULL;
    loop->threads = t;
    gen_append(&all, loop);
    for (int k = 0; k < nfolds; k++) {
        folds[k]->next = NULL;
        gen_append(&all, folds[k]);
    }
    Stmt *s = gen_stmt(x, STMT_THREADS);
    s->threads = t;
    s->index = loop->index;
    s->body = all;
    VEC_PUSH(a, f->threads, t);
    Text said = text_new(a);
    text_add(&said, "in up to %d parts", THREADS_PARTS);
    for (int k = 0; k < t->own.n; k++) {
        text_add(&said, "%s%s", k ? ", " : "; each has its own ", ARRAY(g, t->own.at[k])->name);
    }
    for (int k = 0; k < t->summed.n; k++) {
        text_add(&said, "%s%s", k ? ", " : "; each its own part of ",
                 ARRAY(g, t->summed.at[k])->name);
    }
    say(w, loop, text_string(&said));
    return s;
}

/* ---- all of them */

static bool is_fold_of(const Stmt *s, Stmt *const *rows, int nrows) {
    for (int k = 0; k < nrows && s; k++) {
        if (s->kind == STMT_SET && s->op == '+' && s->value->kind == EXPR_FOLD &&
            s->value->local == rows[k]->local) {
            return true;
        }
    }
    return false;
}

static bool is_row(const Search *w, const Stmt *s) {
    return s->kind == STMT_VAR && s->value && w->x->f->locals.at[s->local].lanes;
}

/* depth: of loops around. Returns how many loops were put in parts. */
static int search(Search *w, Block *b, int depth) {
    Graph *g = w->x->g;
    VEC(Stmt *) list = {0};
    Block out = {0};
    int found = 0;
    for (Stmt *s = b->first; s; s = s->next) {
        VEC_PUSH(g->arena, list, s);
    }
    VEC_PUSH(g->arena, list, NULL);
    for (int k = 0; k + 1 < list.n; k++) {
        int first = k, last;
        while (list.at[k] && is_row(w, list.at[k])) {
            k++;
        }
        Stmt *s = list.at[k];
        if (!s || s->kind != STMT_LOOP) {
            k = first;
            s = list.at[k];
            s->next = NULL;
            if (s->kind == STMT_IF) {
                found += search(w, &s->body, depth);
                found += search(w, &s->otherwise, depth);
            }
            gen_append(&out, s);
            continue;
        }
        for (last = k; is_fold_of(list.at[last + 1], list.at + first, k - first);) {
            last++;
        }
        int64_t turns;
        const Poly *n = turns_of(g, s);
        bool small = n && poly_is_int(n, &turns) && turns < SMALL && !w->x->plan->in_threads_always,
             enter = !s->step && !s->lanes && !s->jam;
        int inside = small && enter ? search(w, &s->body, depth) : 0;
        Stmt *parts =
            inside ? NULL
                   : in_parts(w, list.at + first, k - first, s, list.at + k + 1, last - k, depth);
        found += inside + (parts != NULL);
        if (parts) {
            gen_append(&out, parts);
        } else {
            if (!small && enter) {
                found += search(w, &s->body, depth + 1) + search(w, &s->otherwise, depth + 1);
            }
            for (int q = first; q <= last; q++) {
                list.at[q]->next = NULL;
                gen_append(&out, list.at[q]);
            }
        }
        k = last;
    }
    *b = out;
    return found;
}

void threads_make(Gen *x) {
    Graph *g = x->g;
    int *uses = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *uses);
    Region whole = {.x = x, .g = g, .f = x->f};
    look(&whole, &x->f->body, false);
    for (int k = 0; k < whole.access.n; k++) {
        uses[whole.access.at[k].array]++;
    }
    for (int k = 0; k < x->f->writes.n; k++) { /* they are copied */
        uses[x->f->writes.at[k]]++;
    }
    Search w = {x, uses, find_data(g)};
    search(&w, &x->f->body, 0);
}
