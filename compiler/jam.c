/* jam: some turns of a recurrence at a time.
 * In: the statements of a function. Out: the same, where a recurrence over rows, of little work an
 * entry, `for (j) for (i) power[i] *= t[i];`, takes JAM or 2 JAM turns in one loop over the row. A
 * turn of it is loads and stores of the state: so what one turn hands to the next one stays in a
 * register, and the state is loaded and stored once for all of them. Each entry must ask for
 * nothing of the turn before but the entries at its own place. What an entry is made of, and in
 * which order, is as it was; a sum over the row has an accumulator for each turn. The turns that
 * are left go one by one. */
#include "gen.h"
#include <string.h>

enum {
    MOST_WORK = 12,  /* operations of an entry: beyond that loads and stores matter little */
    LITTLE_WORK = 4, /* up to that, 2 JAM turns */
    MOST_STATES = 4  /* arrays that a turn computes */
};

typedef VEC(int) Locals;

typedef struct Carried { /* an array that the row computes */
    const Stmt *store;
    const Poly **at; /* its place */
    bool last;       /* only the last turn's entries stay in memory */
    int local;       /* of the turn at work; -1: not computed yet */
    int before;      /* of the turn before; -1: in memory */
} Carried;

typedef struct Jam {
    Gen *x;
    Graph *g;
    Stmt *loop, *row;
    VEC(Carried) states;
    Locals from, to; /* what is declared in a turn, and what stands for it in this one */
    int turn;        /* of those that are taken together */
    bool carries;    /* some entry asks for one of the turn before */
} Jam;

static const Poly *place_of(Jam *j, const Expr *e) {
    const Poly *p = plan_poly(j->g, e);
    return p && poly_is_known(p) ? p : NULL;
}

static Carried *state_of(Jam *j, ArrayRef a) {
    for (int k = 0; k < j->states.n; k++) {
        if (j->states.at[k].store->array == a) {
            return &j->states.at[k];
        }
    }
    return NULL;
}

static bool is_in(const Locals *l, int local) {
    for (int k = 0; k < l->n; k++) {
        if (l->at[k] == local) {
            return true;
        }
    }
    return false;
}

/* ---- may it be done? */

/* How many turns before this one the entry was computed, at this place of the row: 0 or 1; else -1.
 */
static int turns_back(Jam *j, const Carried *s, Expr *const *position) {
    Arena *arena = j->g->arena;
    Ref turn = j->loop->index;
    const Poly *last =
        poly_add(arena, poly_var(arena, turn), poly_int(arena, j->loop->down ? 1 : -1));
    for (int back = 0; back < 2; back++) {
        bool same = true;
        for (int k = 0; k < s->store->n && same; k++) {
            const Poly *p = place_of(j, position[k]);
            same = p && poly_equal(p, back ? poly_subst(arena, s->at[k], turn, last) : s->at[k]);
        }
        if (same) {
            return back;
        }
    }
    return -1;
}

/* Reads of the states: those of the row at the same place, and none elsewhere. done: so many of the
 * states are computed. */
static bool reads_fit(Jam *j, const Expr *e, bool in_row, int done) {
    Carried *s = e->kind == EXPR_LOAD ? state_of(j, e->array) : NULL;
    if (s) {
        int back = in_row ? turns_back(j, s, e->arg) : -1;
        if (back < 0 || (back == 0 && s - j->states.at >= done)) {
            return false;
        }
        j->carries = j->carries || back == 1;
    }
    for (int k = 0; k < e->n; k++) {
        if (!reads_fit(j, e->arg[k], in_row, done)) {
            return false;
        }
    }
    return e->kind != EXPR_KERNEL && e->kind != EXPR_EXTERN && e->kind != EXPR_FOLD;
}

static bool reads_any(const Expr *e, const Locals *locals, const Locals *arrays) {
    if ((e->kind == EXPR_LOCAL && is_in(locals, e->local)) ||
        (e->kind == EXPR_LOAD && is_in(arrays, (int)e->array))) {
        return true;
    }
    for (int k = 0; k < e->n; k++) {
        if (reads_any(e->arg[k], locals, arrays)) {
            return true;
        }
    }
    return false;
}

static bool stmt_reads_any(const Stmt *s, const Locals *locals, const Locals *arrays) {
    bool reads = s->value && reads_any(s->value, locals, arrays);
    for (int k = 0; k < s->n && s->position && !reads; k++) {
        reads = reads_any(s->position[k], locals, arrays);
    }
    for (const Stmt *t = s->body.first; t && !reads; t = t->next) {
        reads = stmt_reads_any(t, locals, arrays);
    }
    return reads;
}

/* Does the place differ for each entry of the row? */
static bool moves_along(Jam *j, const Carried *s) {
    for (int k = 0; k < s->store->n; k++) {
        const Store *store = j->x->f->store[s->store->array];
        const Poly *rest;
        int64_t num, den;
        if ((!store || store->window[k] == 0) &&
            poly_linear(j->g->arena, s->at[k], j->row->index, &num, &den, &rest) && den == 1 &&
            (num == 1 || num == -1) && !poly_has(rest, j->row->index) &&
            !poly_has(rest, j->loop->index)) {
            return true;
        }
    }
    return false;
}

/* Do all turns store at one place in memory? */
static bool is_one_place(Jam *j, const Carried *s) {
    const Store *store = j->x->f->store[s->store->array];
    for (int k = 0; k < s->store->n; k++) {
        if (poly_has(s->at[k], j->loop->index) && !(store && store->window[k] == 1)) {
            return false;
        }
    }
    return true;
}

static bool find_state(Jam *j, const Stmt *s) {
    Carried state = {.store = s};
    state.at = arena_alloc(j->g->arena, (size_t)(s->n + 1) * sizeof *state.at);
    for (int k = 0; k < s->n; k++) {
        state.at[k] = place_of(j, s->position[k]);
        if (!state.at[k]) {
            return false;
        }
    }
    if (s->op != '=' || state_of(j, s->array) || j->states.n == MOST_STATES ||
        !moves_along(j, &state)) {
        return false;
    }
    state.last = is_one_place(j, &state);
    VEC_PUSH(j->g->arena, j->states, state);
    return true;
}

static bool row_fits(Jam *j, const Locals *sums, int *work) {
    const Stmt *row = j->row;
    const Poly *lo = place_of(j, row->value), *hi = place_of(j, row->other);
    if (row->turns || row->map || row->step || row->lanes || row->down || row->jam ||
        row->threads || row->jump || (row->hint != HINT_LANES && row->hint != HINT_SUM) || !lo ||
        !hi || poly_has(lo, j->loop->index) || poly_has(hi, j->loop->index)) {
        return false;
    }
    for (const Stmt *s = row->body.first; s; s = s->next) {
        if (s->kind == STMT_STORE && !find_state(j, s)) {
            return false;
        }
    }
    int done = 0;
    for (const Stmt *s = row->body.first; s; s = s->next) {
        bool sum = s->kind == STMT_SET && s->op == '+' && is_in(sums, s->local);
        if ((s->kind != STMT_LET && s->kind != STMT_STORE && !sum) || s->checked ||
            gen_expr_may_fail(s->value) || !reads_fit(j, s->value, true, done) ||
            reads_any(s->value, sums, &(Locals){0})) {
            return false;
        }
        *work += gen_expr_cost(s->value) + (s->kind == STMT_SET);
        done += s->kind == STMT_STORE;
    }
    return *work <= MOST_WORK;
}

/* What stands behind the row: names, numbers of the turn, what is stored of them. */
static bool end_fits(Jam *j, const Stmt *s, bool inside, Locals *set, Locals *stored) {
    bool guard = s->kind == STMT_IF && s->array && !s->otherwise.first && !inside;
    if (s->kind == STMT_COMMENT) {
        return true;
    }
    if (s->kind == STMT_STORE) {
        VEC_PUSH(j->g->arena, *stored, (int)s->array);
        if (state_of(j, s->array)) {
            return false;
        }
    } else if (s->kind == STMT_SET) {
        VEC_PUSH(j->g->arena, *set, s->local);
    } else if (s->kind != STMT_LET && !guard) {
        return false;
    }
    for (int k = 0; k < s->n && s->position; k++) {
        if (gen_expr_may_fail(s->position[k]) || !reads_fit(j, s->position[k], false, 0)) {
            return false;
        }
    }
    for (const Stmt *t = s->body.first; t; t = t->next) {
        if (!end_fits(j, t, true, set, stored)) {
            return false;
        }
    }
    return !s->checked && (!s->value || guard ||
                           (!gen_expr_may_fail(s->value) && reads_fit(j, s->value, false, 0)));
}

/* Names and zeros of sums, one row, and what is made of the sums. */
static bool find_row(Jam *j, int *work) {
    Arena *arena = j->g->arena;
    Locals sums = {0}, set = {0}, stored = {0};
    Stmt *row = j->loop->body.first;
    for (; row && row->kind != STMT_LOOP; row = row->next) {
        if ((row->kind != STMT_LET && row->kind != STMT_VAR && row->kind != STMT_COMMENT) ||
            (row->value && gen_expr_may_fail(row->value))) {
            return false;
        }
        if (row->kind == STMT_VAR) {
            VEC_PUSH(arena, sums, row->local);
        }
    }
    j->row = row;
    if (!row || !row_fits(j, &sums, work) || !j->carries) {
        return false;
    }
    for (const Stmt *s = row->next; s; s = s->next) {
        if (!end_fits(j, s, false, &set, &stored)) {
            return false;
        }
    }
    for (const Stmt *s = j->loop->body.first; s != row->next; s = s->next) {
        if (s != row && s->value && !reads_fit(j, s->value, false, 0)) {
            return false;
        }
        if (stmt_reads_any(s, &set, &stored)) {
            return false; /* it asks for what the end of the turn before made */
        }
    }
    return true;
}

/* ---- the copies */

static int local_now(const Jam *j, int local) {
    for (int k = j->from.n - 1; k >= 0; k--) {
        if (j->from.at[k] == local) {
            return j->to.at[k];
        }
    }
    return local;
}

static int declare(Jam *j, int local) {
    const Local l = j->x->f->locals.at[local];
    int fresh = gen_local(j->x, l.array ? ARRAY(j->g, l.array)->name : l.hint, l.type, l.changes);
    VEC_PUSH(j->g->arena, j->from, local);
    VEC_PUSH(j->g->arena, j->to, fresh);
    return fresh;
}

static Expr *copy_expr(Jam *j, const Expr *e) {
    Gen *x = j->x;
    const Carried *s = e->kind == EXPR_LOAD ? state_of(j, e->array) : NULL;
    int local = !s ? -1 : turns_back(j, s, e->arg) == 0 ? s->local : s->before;
    if (local >= 0) {
        return gen_local_expr(x, local);
    }
    Expr *to = arena_alloc(j->g->arena, sizeof *to);
    *to = *e;
    to->arg = arena_alloc(j->g->arena, (size_t)(e->n + 1) * sizeof *to->arg);
    for (int k = 0; k < e->n; k++) {
        to->arg[k] = copy_expr(j, e->arg[k]);
    }
    if (e->kind == EXPR_LOCAL) {
        to->local = local_now(j, e->local);
    } else if (e->kind == EXPR_INDEX && e->ref == j->loop->index && j->turn) {
        Expr *sum = gen_expr(x, EXPR_OP, VALUE_INT, 2);
        sum->op = j->loop->down ? OP_sub : OP_add;
        sum->arg[0] = to;
        sum->arg[1] = gen_value(x, graph_int(j->g, j->turn));
        return sum;
    }
    return to;
}

static Stmt *copy_stmt(Jam *j, const Stmt *s) {
    Stmt *to = arena_alloc(j->g->arena, sizeof *to);
    *to = *s;
    to->next = NULL;
    to->value = s->value && !(s->kind == STMT_IF && s->array) ? copy_expr(j, s->value) : s->value;
    if (s->kind == STMT_LET || s->kind == STMT_VAR) {
        to->local = declare(j, s->local);
    } else if (s->kind == STMT_SET) {
        to->local = local_now(j, s->local);
    }
    if (s->position) {
        to->position = arena_alloc(j->g->arena, (size_t)(s->n + 1) * sizeof *to->position);
        for (int k = 0; k < s->n; k++) {
            to->position[k] = copy_expr(j, s->position[k]);
        }
    }
    to->body = (Block){0};
    for (const Stmt *t = s->body.first; t; t = t->next) {
        gen_append(&to->body, copy_stmt(j, t));
    }
    return to;
}

/* Entries of the row in the turn at work. */
static void copy_row(Jam *j, Block *to, bool last) {
    for (const Stmt *s = j->row->body.first; s; s = s->next) {
        if (s->kind != STMT_STORE) {
            gen_append(to, copy_stmt(j, s));
            continue;
        }
        Carried *state = state_of(j, s->array);
        const Array *a = ARRAY(j->g, s->array);
        Stmt *let = gen_stmt(j->x, STMT_LET), *store = copy_stmt(j, s);
        let->value = store->value;
        let->local = state->local = gen_local(j->x, a->name, a->type, false);
        gen_append(to, let);
        if (last || !state->last) {
            store->value = gen_local_expr(j->x, let->local);
            gen_append(to, store);
        }
    }
}

/* To the end, with what is asked for under the same condition as the statement there. */
static void append_end(Block *end, Stmt *s) {
    if (s->kind == STMT_IF && end->last && end->last->kind == STMT_IF &&
        end->last->array == s->array) {
        end->last->body.last->next = s->body.first;
        end->last->body.last = s->body.last;
    } else if (s->kind != STMT_COMMENT) {
        gen_append(end, s);
    }
}

static void jam_turns(Jam *j, int turns) {
    Arena *arena = j->g->arena;
    Stmt *row = arena_alloc(arena, sizeof *row);
    Block start = {0}, end = {0}, body = {0};
    Locals sums = {0};
    *row = *j->row;
    row->next = NULL;
    for (int k = 0; k < j->states.n; k++) {
        j->states.at[k].local = j->states.at[k].before = -1;
    }
    for (j->turn = 0; j->turn < turns; j->turn++) {
        const Stmt *s = j->loop->body.first;
        for (; s != j->row; s = s->next) {
            if (s->kind != STMT_COMMENT || j->turn == 0) {
                gen_append(&start, copy_stmt(j, s));
            }
        }
        copy_row(j, &body, j->turn == turns - 1);
        if (row->hint == HINT_SUM) {
            for (int k = -1; k < row->nsums; k++) {
                VEC_PUSH(arena, sums, local_now(j, k < 0 ? row->hint_local : row->sums[k]));
            }
        }
        for (s = j->row->next; s; s = s->next) {
            append_end(&end, copy_stmt(j, s));
        }
        for (int k = 0; k < j->states.n; k++) {
            j->states.at[k].before = j->states.at[k].local;
            j->states.at[k].local = -1;
        }
        j->from.n = j->to.n = 0;
    }
    row->body = body;
    if (sums.n) {
        row->hint_local = sums.at[0], row->sums = sums.at + 1, row->nsums = sums.n - 1;
    }
    gen_append(&start, row);
    for (Stmt *s = end.first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        gen_append(&start, s);
    }
    j->loop->jump = turns;
    j->loop->otherwise = start;
}

static void walk(Gen *x, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && (s->map || s->step || s->lanes)) {
            continue;
        }
        walk(x, &s->body);
        walk(x, &s->otherwise);
        if (s->kind != STMT_LOOP || !s->turns) {
            continue;
        }
        Jam j = {.x = x, .g = x->g, .loop = s};
        const Poly *lo = place_of(&j, s->value), *hi = place_of(&j, s->other);
        int work = 0;
        int64_t turns;
        if (lo && hi && find_row(&j, &work)) {
            int many = work <= LITTLE_WORK ? 2 * JAM : JAM;
            if (!poly_is_int(poly_sub(x->g->arena, hi, lo), &turns) || turns >= 2 * many) {
                jam_turns(&j, many);
            }
        }
    }
}

void jam_make(Gen *x) {
    Gen own = *x; /* it knows no names, as in weave */
    memset(&own.frames, 0, sizeof own.frames);
    memset(&own.known, 0, sizeof own.known);
    memset(&own.known_in, 0, sizeof own.known_in);
    memset(&own.known_level, 0, sizeof own.known_level);
    memset(&own.uses, 0, sizeof own.uses);
    own.top = -1;
    walk(&own, &x->f->body);
}
