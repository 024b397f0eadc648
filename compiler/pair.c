/* pair: turns of a loop around a sum that go together.
 * In: the statements of a function, after lanes.c. Out: the same, where a loop of a block whose
 * turns each make a sum over another axis, `for (j) { sum = 0; for (d) sum += (x[d] - c[j, d])^2;
 * use sum }`, takes two turns: the rows x[d][lane], which know nothing of j, are loaded once for
 * both, and two chains of additions wait for each other's results in place of one. What a turn
 * remembers for itself has a row for each of the two. Everything else is set by one run alone,
 * whose copies stand one after the other: so what an entry is made of, and in which order, is as it
 * was. The turn that may be left goes alone.
 *
 * Outside of blocks, where turns sum along a row, as in y[j] = sum[k](A[j, k] * x[k]), four of them
 * go together: x is loaded once for all four, and there are four times as many chains. */
#include "gen.h"

enum {
    TURNS = 2,
    ROWS = 4,      /* turns outside of blocks */
    LEAST_ROW = 8, /* terms of a sum, where that is known */
    MOST_SUM = 12, /* operations of the sum's term: beyond that loads matter little */
    MOST_RUNS = 40 /* operations of all that is copied: it stands three times in the text */
};

typedef struct Used { /* a number of the loop at work, or an array */
    bool own;         /* the first statement that has it sets it: each turn has its own */
    bool seen, set, read, declared; /* declared: in a run */
    int run;                        /* that has it, among the statements of the loop; -1: several */
} Used;

typedef struct Pair {
    Gen *x;
    Graph *g;
    Stmt *loop;
    const Block *all; /* what the block of turns does */
    Used *local, *array;
    int work, sums, at; /* at: the statement of the loop at work */
    bool fit;
    VEC(int) from, to; /* what is a turn's own, and its copy */
    int next;          /* the copy is that of so many turns later */
} Pair;

/* ---- may it be done? */

static void note(Pair *p, Used *u, bool set) {
    u->own = u->own || (!u->seen && set);
    u->run = !u->seen || u->run == p->at ? p->at : -1;
    u->seen = true;
    u->set = u->set || set;
    u->read = u->read || !set;
}

static void note_reads(Pair *p, const Expr *e) {
    if (e->kind == EXPR_LOCAL) {
        note(p, &p->local[e->local], false);
    } else if (e->kind == EXPR_LOAD) {
        note(p, &p->array[e->array], false);
    } else if (e->kind == EXPR_KERNEL || e->kind == EXPR_EXTERN || e->kind == EXPR_FOLD) {
        p->fit = false;
    }
    for (int k = 0; k < e->n; k++) {
        note_reads(p, e->arg[k]);
    }
}

/* The statements of a run. in_sum: in a loop inside of the loop. */
static void note_run(Pair *p, const Stmt *run, bool in_sum) {
    p->fit = p->fit && run->kind == STMT_LOOP && run->lanes && run->hint == HINT_LANES;
    for (const Stmt *s = run->body.first; s && p->fit; s = s->next) {
        if (s->kind == STMT_COMMENT) {
            continue;
        }
        if ((s->kind != STMT_LET && s->kind != STMT_VAR && s->kind != STMT_SET &&
             s->kind != STMT_STORE) ||
            s->checked || (s->value && gen_expr_may_fail(s->value))) {
            p->fit = false;
            return;
        }
        if (s->value) {
            note_reads(p, s->value);
            p->work += gen_expr_cost(s->value) * (in_sum ? JAM : 1);
            p->fit = p->fit && (!in_sum || gen_expr_cost(s->value) <= MOST_SUM);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            note_reads(p, s->position[k]);
        }
        if (s->kind == STMT_STORE) {
            note(p, &p->array[s->array], true);
            p->fit = p->fit && !in_sum;
        } else {
            Used *u = &p->local[s->local];
            u->declared = u->declared || s->kind != STMT_SET;
            if (s->kind == STMT_SET && s->op != '=') {
                note(p, u, false);
            }
            note(p, u, true);
            p->fit = p->fit && (!in_sum || (u->own && (s->kind != STMT_SET || s->op != '=')));
        }
    }
}

static bool expr_has(const Expr *e, int local) {
    bool has = (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) && e->local == local;
    for (int k = 0; k < e->n && !has; k++) {
        has = expr_has(e->arg[k], local);
    }
    return has;
}

/* Has a statement but those of the loop this number? */
static bool has_elsewhere(const Pair *p, const Block *b, int local) {
    for (const Stmt *s = b->first; s; s = s->next) {
        bool sets = s->kind == STMT_SET || s->kind == STMT_LET;
        if (s == p->loop) {
            continue;
        }
        if ((sets && s->local == local) || (s->value && expr_has(s->value, local)) ||
            (s->other && expr_has(s->other, local)) || has_elsewhere(p, &s->body, local) ||
            has_elsewhere(p, &s->otherwise, local)) {
            return true;
        }
        for (int k = 0; k < s->n && s->position; k++) {
            if (expr_has(s->position[k], local)) {
                return true;
            }
        }
    }
    return false;
}

static bool expr_has_index(const Expr *e, Ref index) {
    bool has =
        (e->kind == EXPR_INDEX && e->ref == index) || e->kind == EXPR_LOCAL || e->kind == EXPR_LOAD;
    for (int k = 0; k < e->n && !has; k++) {
        has = expr_has_index(e->arg[k], index);
    }
    return has;
}

/* Is it a sum whose bounds are the same in all turns? */
static bool is_sum(const Pair *p, const Stmt *s) {
    return s->kind == STMT_LOOP && s->jam && !expr_has_index(s->value, p->loop->index) &&
           !expr_has_index(s->other, p->loop->index);
}

static bool fits(Pair *p) {
    Function *f = p->x->f;
    Stmt *loop = p->loop;
    int64_t n;
    const Poly *lo = plan_poly(p->g, loop->value), *hi = plan_poly(p->g, loop->other);
    if (loop->down || loop->jam || loop->jump || loop->step || loop->lanes || loop->threads ||
        loop->room || loop->hint != HINT_NONE || !lo || !hi || !poly_is_known(lo) ||
        !poly_is_known(hi) || (poly_is_int(poly_sub(p->g->arena, hi, lo), &n) && n < 2 * TURNS)) {
        return false;
    }
    p->local = arena_alloc(p->g->arena, ((size_t)f->locals.n + 1) * sizeof *p->local);
    p->array = arena_alloc(p->g->arena, ((size_t)p->g->arrays.n + 1) * sizeof *p->array);
    p->fit = true;
    for (const Stmt *s = loop->body.first; s && p->fit; s = s->next, p->at++) {
        bool sum = is_sum(p, s);
        p->sums += sum;
        if (s->kind == STMT_LET && !s->checked && !gen_expr_may_fail(s->value)) {
            note_reads(p, s->value); /* the same for all turns of the block */
            note(p, &p->local[s->local], true);
        } else if (s->kind != STMT_COMMENT) {
            note_run(p, sum ? s->body.first : s, sum);
        }
    }
    if (!p->fit || !p->sums || p->work > MOST_RUNS) {
        return false;
    }
    for (int k = 0; k < f->locals.n; k++) {
        Used *u = &p->local[k];
        if (u->own && !u->declared && has_elsewhere(p, p->all, k)) {
            u->own = false;
        }
        if (u->set && !u->own && u->run < 0) {
            return false;
        }
    }
    for (int k = 0; k < p->g->arrays.n; k++) {
        if (p->array[k].set && (p->array[k].read || p->array[k].run < 0)) {
            return false;
        }
    }
    /* what a sum sets is a turn's own */
    p->at = 0;
    for (const Stmt *s = loop->body.first; s; s = s->next) {
        for (const Stmt *t = is_sum(p, s) ? s->body.first->body.first : NULL; t; t = t->next) {
            if (t->kind != STMT_COMMENT && !p->local[t->local].own) {
                return false;
            }
        }
    }
    return true;
}

/* ---- the copies */

static int copy_of(Pair *p, int local) {
    for (int k = 0; k < p->from.n; k++) {
        if (p->from.at[k] == local) {
            return p->to.at[k];
        }
    }
    return local;
}

static void copy_own(Pair *p, Block *rows) {
    Function *f = p->x->f;
    int n = f->locals.n;
    for (int k = 0; k < n; k++) {
        if (p->local[k].own) {
            const Local l = f->locals.at[k];
            int fresh =
                gen_local(p->x, l.array ? ARRAY(p->g, l.array)->name : l.hint, l.type, l.changes);
            f->locals.at[fresh].lanes = l.lanes;
            VEC_PUSH(p->g->arena, p->from, k);
            VEC_PUSH(p->g->arena, p->to, fresh);
            if (l.lanes) {
                Stmt *var = gen_stmt(p->x, STMT_VAR);
                var->local = fresh;
                gen_append(rows, var);
            }
        }
    }
}

static Expr *copy_expr(Pair *p, const Expr *e) {
    Expr *to = arena_alloc(p->g->arena, sizeof *to);
    *to = *e;
    to->arg = arena_alloc(p->g->arena, (size_t)(e->n + 1) * sizeof *to->arg);
    for (int k = 0; k < e->n; k++) {
        to->arg[k] = copy_expr(p, e->arg[k]);
    }
    if (e->kind == EXPR_LOCAL) {
        to->local = copy_of(p, e->local);
    } else if (e->kind == EXPR_INDEX && e->ref == p->loop->index) {
        Expr *next = gen_expr(p->x, EXPR_OP, VALUE_INT, 2);
        next->op = OP_add;
        next->arg[0] = to;
        next->arg[1] = gen_value(p->x, graph_int(p->g, p->next));
        return next;
    }
    return to;
}

static Stmt *copy_stmt(Pair *p, const Stmt *s, bool next) {
    Stmt *copy = arena_alloc(p->g->arena, sizeof *copy);
    *copy = *s;
    copy->next = NULL;
    if (next) {
        copy->value = s->value ? copy_expr(p, s->value) : NULL;
        copy->local = s->kind == STMT_STORE ? s->local : copy_of(p, s->local);
        copy->position = arena_alloc(p->g->arena, (size_t)(s->n + 1) * sizeof *copy->position);
        for (int k = 0; k < s->n; k++) {
            copy->position[k] = copy_expr(p, s->position[k]);
        }
    }
    return copy;
}

/* The statements of a run, of this turn or of the next one. */
static void copy_run(Pair *p, const Block *from, bool next, Block *to) {
    for (const Stmt *s = from->first; s; s = s->next) {
        if (s->kind != STMT_COMMENT) {
            gen_append(to, copy_stmt(p, s, next));
        }
    }
}

static Stmt *copy_loop(Pair *p, const Stmt *s, int from, int end) {
    Stmt *copy = arena_alloc(p->g->arena, sizeof *copy);
    *copy = *s;
    copy->next = NULL;
    copy->body = (Block){0};
    for (int k = from; k < end; k++) {
        copy_run(p, &s->body, k == 1, &copy->body);
    }
    return copy;
}

static void pair_turns(Pair *p, Block *rows) {
    Stmt *loop = p->loop;
    p->next = 1;
    copy_own(p, rows);
    for (const Stmt *s = loop->body.first; s; s = s->next) {
        if (s->kind == STMT_COMMENT) {
            gen_append(&loop->otherwise, copy_stmt(p, s, false));
        } else if (s->kind == STMT_LET) {
            gen_append(&loop->otherwise, copy_stmt(p, s, false));
            gen_append(&loop->otherwise, copy_stmt(p, s, true));
        } else if (s->lanes) {
            for (int k = 0; k < TURNS; k++) {
                gen_append(&loop->otherwise, copy_loop(p, s, k, k + 1));
            }
        } else {
            Stmt *sum = arena_alloc(p->g->arena, sizeof *sum);
            *sum = *s;
            sum->next = NULL;
            sum->body = (Block){0};
            gen_append(&sum->body, copy_loop(p, s->body.first, 0, TURNS));
            gen_append(&loop->otherwise, sum);
        }
    }
    loop->jump = TURNS;
}

/* all: the body of the loop that goes by blocks; rows: what it has to declare. */
static void walk_block(Gen *x, const Block *all, Block *b, Block *rows) {
    for (Stmt *s = b->first; s; s = s->next) {
        Pair p = {.x = x, .g = x->g, .loop = s, .all = all};
        if (s->kind == STMT_LOOP && s->lanes) {
            continue;
        }
        if (s->kind == STMT_LOOP && fits(&p)) {
            pair_turns(&p, rows);
        } else if (s->kind == STMT_LOOP || s->kind == STMT_IF) {
            walk_block(x, all, &s->body, rows);
            walk_block(x, all, &s->otherwise, rows);
        }
    }
}

static void walk(Gen *x, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && s->step == LANES && s->map) {
            Block rows = {0};
            walk_block(x, &s->body, &s->body, &rows);
            Block body = {0};
            Stmt *t = s->body.first, *next; /* behind the rows that it declares already */
            for (; t && t->kind == STMT_VAR; t = next) {
                next = t->next;
                t->next = NULL;
                gen_append(&body, t);
            }
            gen_append_all(&body, &rows);
            gen_append_all(&body, &(Block){.first = t});
            s->body = body;
        } else {
            walk(x, &s->body);
            walk(x, &s->otherwise);
        }
    }
}

void pair_make(Gen *x) {
    walk(x, &x->f->body);
}

/* ---- outside of blocks */

/* A loop around one sum: what turns set for themselves is declared in it, and what is there for all
 * of them is touched behind the sum alone, turn by turn. */
typedef struct Around {
    Stmt *sum;    /* the loop of the sum; NULL: not met yet */
    bool *own;    /* by local: declared in the loop */
    bool *set;    /* by local: changed in it */
    bool *stored; /* by array: entries are, in it */
    bool shares;  /* something that the sum loads is the same for all turns */
} Around;

/* ahead: it goes before what earlier turns do behind their sums */
static bool expr_fits(const Around *r, const Expr *e, bool ahead) {
    bool fit = e->kind != EXPR_KERNEL && e->kind != EXPR_EXTERN && e->kind != EXPR_FOLD &&
               !(ahead && e->kind == EXPR_LOAD && r->stored[e->array]) &&
               !(ahead && e->kind == EXPR_LOCAL && r->set[e->local] && !r->own[e->local]);
    for (int k = 0; k < e->n && fit; k++) {
        fit = expr_fits(r, e->arg[k], ahead);
    }
    return fit;
}

static bool stmt_fits(const Around *r, const Stmt *s, bool ahead) {
    bool fit = !s->checked && (!s->value || (!gen_expr_may_fail(s->value) &&
                                             expr_fits(r, s->value, ahead)));
    for (int k = 0; k < s->n && s->position && fit; k++) {
        fit = !gen_expr_may_fail(s->position[k]) && expr_fits(r, s->position[k], ahead);
    }
    return fit;
}

/* Is something loaded that is the same for all turns of the loop? */
static bool is_shared(const Expr *e, Ref turn) {
    bool is = e->kind == EXPR_LOAD && e->n > 0 && !gen_expr_has_index(e, turn);
    for (int k = 0; k < e->n && !is; k++) {
        is = is_shared(e->arg[k], turn);
    }
    return is;
}

/* Do all entries that move with the sum lie in one row? */
static bool is_along(const Expr *e, Ref index) {
    bool is = true;
    for (int k = 0; k < e->n && is; k++) {
        const Expr *at = e->arg[k];
        bool last = e->kind == EXPR_LOAD && k + 1 == e->n && at->kind == EXPR_INDEX;
        is = is_along(at, index) &&
             (e->kind != EXPR_LOAD || last || !gen_expr_has_index(at, index));
    }
    return is;
}

static bool is_simple(const Stmt *loop) {
    return loop->kind == STMT_LOOP && !loop->down && !loop->jam && !loop->jump && !loop->step &&
           !loop->lanes && !loop->threads && !loop->room && !loop->turns && !loop->map;
}

/* Has the loop these bounds wherever it stands, and at least so many turns, if that is known? */
static bool is_long(const Pair *p, const Stmt *loop, int64_t least) {
    const Poly *lo = plan_poly(p->g, loop->value), *hi = plan_poly(p->g, loop->other);
    int64_t n;
    return lo && hi && poly_is_known(lo) && poly_is_known(hi) &&
           !(poly_is_int(poly_sub(p->g->arena, hi, lo), &n) && n < least);
}

static bool sum_fits(const Pair *p, Around *r) {
    const Stmt *sum = r->sum;
    if (!is_simple(sum) || sum->hint != HINT_SUM || sum->nsums || !r->own[sum->hint_local] ||
        expr_has_index(sum->value, p->loop->index) || expr_has_index(sum->other, p->loop->index) ||
        !is_long(p, sum, LEAST_ROW)) {
        return false;
    }
    for (const Stmt *s = sum->body.first; s; s = s->next) {
        bool adds = s->kind == STMT_SET && s->local == sum->hint_local && s->op == '+' && !s->next;
        if ((s->kind != STMT_LET && !adds) || !stmt_fits(r, s, true) ||
            gen_expr_cost(s->value) > MOST_SUM || !is_along(s->value, sum->index)) {
            return false;
        }
        r->own[s->local] = true;
        r->shares = r->shares || is_shared(s->value, p->loop->index);
    }
    return r->shares;
}

static bool turns_fit(const Pair *p, Around *r) {
    if (!is_simple(p->loop) || p->loop->hint != HINT_NONE || !is_long(p, p->loop, ROWS)) {
        return false;
    }
    r->own = arena_alloc(p->g->arena, (size_t)p->x->f->locals.n + 1);
    r->set = arena_alloc(p->g->arena, (size_t)p->x->f->locals.n + 1);
    r->stored = arena_alloc(p->g->arena, (size_t)p->g->arrays.n + 1);
    for (const Stmt *s = p->loop->body.first; s; s = s->next) {
        if (s->kind == STMT_STORE) {
            r->stored[s->array] = true;
        } else if (s->kind == STMT_SET) {
            r->set[s->local] = true;
        } else if (s->kind == STMT_LET || s->kind == STMT_VAR) {
            r->own[s->local] = true;
        }
    }
    for (Stmt *s = p->loop->body.first; s; s = s->next) {
        bool touches = s->kind == STMT_SET || s->kind == STMT_STORE;
        if (s->kind == STMT_LOOP && !r->sum) {
            r->sum = s;
            if (!sum_fits(p, r)) {
                return false;
            }
        } else if (s->kind != STMT_COMMENT &&
                   !(s->kind == STMT_LET || (s->kind == STMT_VAR && s->value) ||
                     (touches && r->sum && s->op != 0))) {
            return false;
        } else if (!stmt_fits(r, s, !r->sum)) {
            return false;
        }
    }
    return r->sum != NULL;
}

/* The names of a turn's own for the turn p->next behind it; the sum's is returned. */
static int name_turn(Pair *p, const Around *r, int n) {
    p->from.n = p->to.n = 0;
    for (int k = 0; k < n && p->next; k++) {
        if (r->own[k]) {
            const Local l = p->x->f->locals.at[k];
            const char *hint = l.array ? ARRAY(p->g, l.array)->name : l.hint;
            VEC_PUSH(p->g->arena, p->from, k);
            VEC_PUSH(p->g->arena, p->to, gen_local(p->x, hint, l.type, l.changes));
        }
    }
    return copy_of(p, r->sum->hint_local);
}

static void rows_together(Pair *p, const Around *r) {
    Stmt *sum = arena_alloc(p->g->arena, sizeof *sum);
    int n = p->x->f->locals.n;
    Block before = {0}, behind = {0};
    *sum = *r->sum;
    sum->next = NULL;
    sum->body = (Block){0};
    sum->sums = arena_alloc(p->g->arena, ROWS * sizeof *sum->sums);
    for (p->next = 0; p->next < ROWS; p->next++) {
        int local = name_turn(p, r, n);
        if (p->next) {
            sum->sums[sum->nsums++] = local;
        }
        Block *to = &before;
        for (const Stmt *s = p->loop->body.first; s; s = s->next) {
            if (s == r->sum) {
                copy_run(p, &s->body, p->next > 0, &sum->body);
                to = &behind;
            } else if (s->kind != STMT_COMMENT || !p->next) {
                gen_append(to, copy_stmt(p, s, p->next > 0));
            }
        }
    }
    p->loop->otherwise = before;
    gen_append(&p->loop->otherwise, sum);
    gen_append_all(&p->loop->otherwise, &behind);
    p->loop->jump = ROWS;
}

static void walk_rows(Gen *x, Block *b, bool inside) {
    for (Stmt *s = b->first; s; s = s->next) {
        Pair p = {.x = x, .g = x->g, .loop = s};
        Around r = {0};
        if (s->kind == STMT_LOOP && (s->lanes || s->step || s->jump)) {
            continue;
        }
        if (s->kind == STMT_LOOP && inside && turns_fit(&p, &r)) {
            rows_together(&p, &r);
        } else {
            walk_rows(x, &s->body, inside || s->kind == STMT_LOOP);
            walk_rows(x, &s->otherwise, inside);
        }
    }
}

void pair_rows(Gen *x) {
    walk_rows(x, &x->f->body, false);
}
