/* best: the place of the largest or smallest entry, by blocks.
 * In: the statements of a function. Out: the same, where a loop `if (at < 0 || v > most) { most =
 * v; at = i; }` over many turns goes by blocks of LANES turns. Each turn of such a loop waits for
 * the one before it, and no C compiler makes vector code of it. But a block without an entry that
 * is better than all before it changes nothing; whether it has one is vector code, and nearly all
 * have none. Where a block has one, its turns go one after the other as before. So the place is the
 * same for all numbers, NaN included. */
#include "gen.h"
#include <math.h>

enum { LEAST_TURNS = 2 * LANES, MOST_COST = 24 }; /* of v, which some blocks compute twice */

typedef struct Best {
    Gen *x;
    Stmt *loop, *better; /* better: the last statement inside, an IF; before it are names alone */
} Best;

static bool is_local(const Expr *e, const Gen *x) {
    return e->kind == EXPR_LOCAL && !x->f->locals.at[e->local].lanes;
}

/* Is this such a loop? */
static bool find_best(Gen *x, Stmt *loop, Best *b) {
    int cost = 0;
    *b = (Best){.x = x, .loop = loop};
    if (loop->hint != HINT_NONE || loop->map || loop->turns || loop->step || loop->lanes ||
        loop->down || loop->jam || loop->threads) {
        return false;
    }
    for (Stmt *s = loop->body.first; s; s = s->next) {
        if (s->kind == STMT_IF && !s->next) {
            b->better = s;
        } else if (s->kind != STMT_LET) {
            return false;
        }
        if (!s->value || gen_expr_may_fail(s->value)) {
            return false;
        }
        cost += gen_expr_cost(s->value);
    }
    const Stmt *s = b->better, *set = s ? s->body.first : NULL, *place = set ? set->next : NULL;
    if (!place || place->next || s->array || s->otherwise.first || cost > MOST_COST ||
        s->value->kind != EXPR_OP || s->value->op != OP_or || set->kind != STMT_SET ||
        place->kind != STMT_SET || set->op != '=' || place->op != '=') {
        return false;
    }
    const Expr *none = s->value->arg[0], *more = s->value->arg[1];
    if (none->kind != EXPR_OP || none->op != OP_lt || !is_local(none->arg[0], x) ||
        none->arg[0]->local != place->local || more->kind != EXPR_OP ||
        (more->op != OP_gt && more->op != OP_lt) || !is_local(more->arg[1], x) ||
        more->arg[1]->local != set->local || more->arg[0]->type < VALUE_FLOAT ||
        place->value->kind != EXPR_INDEX || place->value->ref != loop->index) {
        return false;
    }
    int64_t turns; /* as far as is known */
    const Poly *lo = plan_poly(x->g, loop->value), *hi = plan_poly(x->g, loop->other);
    return lo && hi && !(poly_is_int(poly_sub(x->g->arena, hi, lo), &turns) && turns < LEAST_TURNS);
}

static int copy_local(const int *from, const int *to, int n, int local) {
    for (int k = 0; k < n; k++) {
        local = from[k] == local ? to[k] : local;
    }
    return local;
}

static Expr *copy_expr(const Gen *x, const Expr *e, const int *from, const int *to, int n) {
    Expr *copy = arena_alloc(x->g->arena, sizeof *copy);
    *copy = *e;
    copy->arg = arena_alloc(x->g->arena, (size_t)(e->n + 1) * sizeof *copy->arg);
    for (int k = 0; k < e->n; k++) {
        copy->arg[k] = copy_expr(x, e->arg[k], from, to, n);
    }
    if (e->kind == EXPR_LOCAL) {
        copy->local = copy_local(from, to, n, e->local);
    }
    return copy;
}

static Expr *op2(Gen *x, Op op, ValueType type, Expr *a, Expr *b) {
    Expr *e = gen_expr(x, EXPR_OP, type, 2);
    e->op = op, e->arg[0] = a, e->arg[1] = b;
    return e;
}

static Expr *number(Gen *x, int64_t n) {
    Expr *e = gen_expr(x, EXPR_CONST, VALUE_INT, 0);
    e->ref = graph_int(x->g, n);
    return e;
}

static Stmt *run_of(Gen *x, const Stmt *loop, int number) {
    Stmt *run = gen_stmt(x, STMT_LOOP);
    run->lanes = true, run->index = loop->index, run->number = number;
    return run;
}

static void by_blocks(const Best *b) {
    Gen *x = b->x;
    Graph *g = x->g;
    Stmt *loop = b->loop, *var = gen_stmt(x, STMT_VAR), *many = run_of(x, loop, 1),
         *each = run_of(x, loop, 2), *look = gen_stmt(x, STMT_IF);
    int any = gen_local(x, "better", VALUE_INT, true), n = 0;
    VEC(int) from = {0}, to = {0};
    var->local = any;
    var->value = number(x, 0);
    for (const Stmt *s = loop->body.first; s != b->better; s = s->next, n++) {
        const Local l = x->f->locals.at[s->local];
        Stmt *let = gen_stmt(x, STMT_LET);
        let->value = copy_expr(x, s->value, from.at, to.at, n);
        let->local = gen_local(x, l.hint, l.type, l.changes);
        VEC_PUSH(g->arena, from, s->local);
        VEC_PUSH(g->arena, to, let->local);
        gen_append(&many->body, let);
    }
    Expr *one = gen_expr(x, EXPR_SELECT, VALUE_INT, 3);
    one->arg[0] = copy_expr(x, b->better->value->arg[1], from.at, to.at, n);
    one->arg[1] = number(x, 1), one->arg[2] = number(x, 0);
    gen_append(&many->body,
               gen_set(x, any, '=', op2(x, OP_max, VALUE_INT, gen_local_expr(x, any), one)));
    many->hint = HINT_MAX, many->hint_local = any;
    each->one_by_one = true;
    each->body = loop->body;
    look->value = op2(x, OP_or, VALUE_BOOL, copy_expr(x, b->better->value->arg[0], NULL, NULL, 0),
                      op2(x, OP_gt, VALUE_BOOL, gen_local_expr(x, any), number(x, 0)));
    gen_append(&look->body, each);
    loop->body = (Block){0};
    gen_append(&loop->body, var);
    gen_append(&loop->body, many);
    gen_append(&loop->body, look);
    loop->step = LANES;
}

static void walk(Gen *x, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        Best best;
        if (s->kind == STMT_THREADS || (s->kind == STMT_LOOP && (s->map || s->step || s->lanes))) {
            continue;
        }
        if (s->kind == STMT_LOOP && find_best(x, s, &best)) {
            by_blocks(&best);
        } else {
            walk(x, &s->body);
            walk(x, &s->otherwise);
        }
    }
}

void best_make(Gen *x) {
    walk(x, &x->f->body);
}
