/* lanes: loops whose turns ask nothing of each other, by blocks.
 * In: the statements of a function; the loops of groups are marked. Out: the same, where such a
 * loop goes by blocks of LANES turns. Within a block each statement, or a run of them, is a loop
 * over the turns of the block, and loops with the same bounds in all turns stand around: so the
 * innermost loop is long, walks along memory, and C compilers make vector code of it. What a turn
 * remembers from one run to another becomes a row of LANES numbers; sums over turns have a row of
 * partial sums, which are added in a fixed order. What differs from turn to turn in its course (a
 * loop whose bounds are data) is done turn by turn. */
#include "gen.h"
#include <string.h>

enum { MOST_ROWS = 128 };                 /* of LANES numbers, on the stack */
enum { MOST_JAM = 4, MOST_JAM_SUMS = 2 }; /* statements of a run that is worth jamming */

typedef struct LaneLocal {
    bool inside;  /* declared in the loop */
    bool set;     /* in the loop */
    bool varying; /* differs from turn to turn */
    bool many;    /* used in several runs */
    int run;      /* in which it is used, 0: none */
    int sets;     /* how often it is set */
    bool starts;  /* as something, where it is declared */
    int partial;  /* of a sum over turns: its row of partial sums, 0: none */
} LaneLocal;

typedef struct Copy {
    ArrayRef of, copy;
    int axis; /* of the turns */
} Copy;

typedef struct Side { /* of a choice by sizes */
    const Expr *when; /* NULL: none */
    bool yes;
} Side;

typedef struct Gather {
    Expr *load;
    Side side; /* on which all loads of it are */
    int run;   /* the first that reads it */
    bool many; /* another does, too, or a loop around reads it again: it has a row */
    bool filled;
    int row;
} Gather;

typedef struct Row { /* at a place that data choose, along a loop around */
    const Expr *load;
    Side side;
    ArrayRef copy; /* it is read elsewhere, too; 0: not that is known */
} Row;

typedef struct Lanes {
    Gen *x;
    Graph *g;
    Function *f;
    Stmt *loop;
    Ref index;
    const int *axis;   /* by array: that the loop computes turn by turn; else -1 */
    const bool *brief; /* by array: nobody reads it in another turn */
    int *stores;       /* by array: how many there are in the loop */
    VEC(LaneLocal) local;
    VEC(Copy) copies;
    VEC(Gather) gathers;
    VEC(Row) data_rows;
    Side side;     /* at work */
    int nrows;     /* on the stack */
    Block *rows;   /* declarations, before everything in the block */
    Stmt *run;     /* not added yet */
    Stmt *comment; /* goes where the statement after it goes */
    int runs;
    bool changed, fit;
} Lanes;

static LaneLocal *local_of(Lanes *l, int local) {
    while (l->local.n <= local) {
        VEC_PUSH(l->g->arena, l->local, (LaneLocal){0});
    }
    return &l->local.at[local];
}

/* ---- what differs from turn to turn */

static bool is_varying(Lanes *l, const Expr *e) {
    if ((e->kind == EXPR_INDEX && e->ref == l->index) ||
        (e->kind == EXPR_LOCAL && local_of(l, e->local)->varying) ||
        (e->kind == EXPR_LOAD && l->brief[e->array])) {
        return true;
    }
    for (int k = 0; k < e->n; k++) {
        if (is_varying(l, e->arg[k])) {
            return true;
        }
    }
    return false;
}

static bool reads_local(const Expr *e, int local) {
    bool reads = e->kind == EXPR_LOCAL && e->local == local;
    for (int k = 0; k < e->n && !reads; k++) {
        reads = reads_local(e->arg[k], local);
    }
    return reads;
}

static bool has_kernel(const Expr *e) {
    bool has = e->kind == EXPR_KERNEL;
    for (int k = 0; k < e->n && !has; k++) {
        has = has_kernel(e->arg[k]);
    }
    return has;
}

static bool is_of_block(const Matmul *m) {
    return !m->m || !m->n || !m->k;
}

static void look(Lanes *l, const Block *b, bool apart) {
    for (const Stmt *s = b->first; s; s = s->next) {
        LaneLocal *at;
        if ((s->kind == STMT_MATMUL && !is_of_block(s->matmul)) || s->kind == STMT_KERNEL ||
            s->kind == STMT_ZERO || s->kind == STMT_COPY || (s->value && has_kernel(s->value)) ||
            s->step) {
            l->fit = false;
        }
        bool varying = apart || (s->value && is_varying(l, s->value));
        if (s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET) {
            at = local_of(l, s->local);
            at->inside = at->inside || s->kind != STMT_SET;
            at->set = at->set || s->kind == STMT_SET;
            if ((varying || (s->kind == STMT_SET && !at->inside)) && !at->varying) {
                at->varying = l->changed = true;
            }
        }
        if (s->kind == STMT_LOOP) {
            look(l, &s->body, varying || is_varying(l, s->other));
        } else if (s->kind == STMT_IF) {
            look(l, &s->body, varying);
            look(l, &s->otherwise, varying);
        }
    }
}

static bool reads_any(const Expr *e, const bool *local) {
    bool reads = e->kind == EXPR_LOCAL && local[e->local];
    for (int k = 0; k < e->n && !reads; k++) {
        reads = reads_any(e->arg[k], local);
    }
    return reads;
}

static bool block_reads_sum(const Block *b, const bool *sum) {
    for (const Stmt *s = b->first; s; s = s->next) {
        bool reads =
            (s->value && reads_any(s->value, sum)) || (s->other && reads_any(s->other, sum));
        for (int q = 0; q < s->n && s->position && !reads; q++) {
            reads = reads_any(s->position[q], sum);
        }
        if (reads || (s->kind == STMT_SET && sum[s->local] && (s->op != '+' || s->checked)) ||
            block_reads_sum(&s->body, sum) || block_reads_sum(&s->otherwise, sum)) {
            return true;
        }
    }
    return false;
}

/* Sums over turns are numbers that the loop only adds to. */
static bool reads_sum(Lanes *l, const Block *b) {
    bool *sum = arena_alloc(l->g->arena, (size_t)l->f->locals.n + 1), some = false;
    for (int k = 0; k < l->local.n; k++) {
        sum[k] = l->local.at[k].set && !l->local.at[k].inside;
        some = some || sum[k];
        if (sum[k] && l->f->locals.at[k].type < VALUE_FLOAT && b->first) {
            return true;
        }
    }
    return some && block_reads_sum(b, sum);
}

/* ---- runs */

static void flush(Lanes *l, Block *out) {
    if (l->run) {
        gen_append(out, l->run);
        l->run = NULL;
    }
}

static void add_comments(Lanes *l, Block *out) {
    for (Stmt *c = l->comment, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        gen_append(out, c);
    }
    l->comment = NULL;
}

static void keep_comment(Lanes *l, Stmt *s) {
    Stmt **end = &l->comment;
    while (*end) {
        end = &(*end)->next;
    }
    s->next = NULL;
    *end = s;
}

static void add(Lanes *l, Block *out, Stmt *s) {
    add_comments(l, out);
    gen_append(out, s);
}

static Block *run_of(Lanes *l) {
    if (!l->run) {
        l->run = gen_stmt(l->x, STMT_LOOP);
        l->run->lanes = true;
        l->run->index = l->index;
        l->run->number = ++l->runs;
    }
    return &l->run->body;
}

/* A run of its own. */
static void alone(Lanes *l, Block *out, Stmt *s, bool lanes) {
    flush(l, out);
    add(l, run_of(l), s);
    l->run->one_by_one = !lanes;
    flush(l, out);
}

static bool has_loop(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP || has_loop(&s->body) || has_loop(&s->otherwise)) {
            return true;
        }
    }
    return false;
}

/* The sum of a row; all of it, or as many as the block has turns. */
static Expr *fold_of(Gen *x, int row, bool all) {
    Expr *e = gen_expr(x, EXPR_FOLD, x->f->locals.at[row].type, 0);
    e->local = row;
    e->checked = all;
    return e;
}

/* A store to a place that is the same for all turns: the turns' parts are added first. */
static void add_turns(Lanes *l, Block *out, Stmt *s) {
    int part = gen_local(l->x, "part", ARRAY(l->g, s->array)->type, true);
    Stmt *var = gen_stmt(l->x, STMT_VAR);
    var->local = part;
    l->f->locals.at[part].lanes = true;
    gen_append(l->rows, var);
    add(l, run_of(l), gen_set(l->x, part, '=', s->value));
    flush(l, out);
    s->value = fold_of(l->x, part, false);
    add(l, out, s);
}

/* Is it in a row that data choose, and that is copied once a block if it is read again? */
static bool is_chosen(const Lanes *l, const Expr *e) {
    int64_t extent;
    bool chosen = false;
    for (int k = 0; k + 1 < e->n && !chosen; k++) {
        chosen = gen_expr_has_load(e->arg[k]);
    }
    return chosen && poly_is_int(ARRAY(l->g, e->array)->extent[e->n - 1], &extent) &&
           extent <= LANES;
}

/* How many more loads walk along memory with this index than with the turn. What is the same for
 * all turns does neither, along turns it is one number; nor does what is the same along the index,
 * and rows that data choose have copies that lie either way. */
static int count_along(Lanes *l, const Expr *e, Ref index) {
    int n = 0;
    if (e->kind == EXPR_LOAD && e->n > 0 && gen_expr_has_index(e, index) && is_varying(l, e) &&
        !is_chosen(l, e)) {
        const Expr *last = e->arg[e->n - 1];
        n += l->brief[e->array]
                 ? -1
                 : gen_expr_has_index(last, index) - gen_expr_has_index(last, l->index);
    }
    for (int k = 0; k < e->n; k++) {
        n += count_along(l, e->arg[k], index);
    }
    return n;
}

/* A loop that adds a turn's part to a row of memory, of which it is better done turn by turn: the
 * row is what vector code walks along. */
static bool adds_row(Lanes *l, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    return s && !s->next && s->kind == STMT_STORE && s->op == '+' && l->axis[s->array] < 0 &&
           s->n > 0 && gen_expr_has_index(s->position[s->n - 1], loop->index) &&
           1 + count_along(l, s->value, loop->index) > 0;
}

/* A loop that copies to a row of memory, perhaps with the other sign: turns that each go along
 * their own row write whole lines. */
static bool copies_row(const Lanes *l, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    const Expr *last = s && s->kind == STMT_STORE && s->n > 0 ? s->position[s->n - 1] : NULL;
    const Expr *from = last ? s->value : NULL;
    if (from && from->kind == EXPR_OP && from->op == OP_neg) {
        from = from->arg[0];
    }
    return last && !s->next && s->op == '=' && !l->brief[s->array] && from->kind == EXPR_LOAD &&
           gen_expr_has_index(last, loop->index) && !gen_expr_has_index(last, l->index);
}

/* A sum along memory within a turn: better done turn by turn, too. */
static bool sums_row(Lanes *l, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    return s && !s->next && s->kind == STMT_SET && s->op == '+' && loop->hint == HINT_SUM &&
           loop->hint_local == s->local && l->local.at[s->local].inside &&
           l->local.at[s->local].varying && count_along(l, s->value, loop->index) > 0;
}

static Stmt *after_comments(Stmt *s) {
    while (s && s->kind == STMT_COMMENT) {
        s = s->next;
    }
    return s;
}

/* The last statement goes if it starts this sum at 0: one loop that makes the sum needs no start.
 * The comments before it wait for that loop. */
static bool drop_start(Lanes *l, int sum) {
    Block kept = {0};
    double zero;
    const Stmt *last = l->run ? l->run->body.first : NULL, *said = NULL;
    while (last && last->next) {
        said = last->kind == STMT_COMMENT ? said ? said : last : NULL;
        last = last->next;
    }
    if (!last || last->kind != STMT_VAR || last->local != sum || !last->value ||
        last->value->kind != EXPR_CONST || !graph_is_real(l->g, last->value->ref, &zero) ||
        zero != 0) {
        return false;
    }
    Stmt *s = l->run->body.first;
    for (Stmt *next; s != said && s != last; s = next) {
        next = s->next;
        s->next = NULL;
        gen_append(&kept, s);
    }
    for (Stmt *next; s != last; s = next) {
        next = s->next;
        keep_comment(l, s);
    }
    l->run->body = kept;
    l->run = kept.first ? l->run : NULL;
    return true;
}

/* The loop adds to a variable of its own; that is added then. */
static void sum_alone(Lanes *l, Block *out, Stmt *loop) {
    Stmt *set = loop->body.first, *var = gen_stmt(l->x, STMT_VAR), *more;
    int row = set->local, sum = gen_local(l->x, "sum", l->f->locals.at[row].type, true);
    var->local = set->local = loop->hint_local = sum;
    var->value = gen_value(l->x, graph_real(l->g, l->f->locals.at[sum].type, 0));
    more = gen_set(l->x, row, drop_start(l, row) ? '=' : '+', gen_local_expr(l->x, sum));
    flush(l, out);
    add(l, run_of(l), var);
    gen_append(run_of(l), loop);
    add(l, run_of(l), more);
    l->run->one_by_one = true;
    flush(l, out);
}

/* ---- choices
 * C compilers make vector code of a choice between two numbers, and not of arithmetic on one of its
 * sides, which might trap. So both sides are computed, if nothing but time is lost by it. */

static bool takes_long(Op op) { /* a loop of its own */
    return op == OP_lgamma || op == OP_digamma || op == OP_polygamma || op == OP_powi;
}

static bool is_harmless(Lanes *l, const Expr *e) {
    switch (e->kind) {
    case EXPR_CONST:
    case EXPR_DIM:
    case EXPR_INDEX:
    case EXPR_LOCAL: return true;
    case EXPR_LOAD:
        if (e->ref && gen_safe_anywhere(l->x, e->ref)) {
            break;
        }
        for (int k = 0; k < e->n; k++) {
            const Expr *at = e->arg[k];
            if (at->kind != EXPR_CONST && at->kind != EXPR_INDEX &&
                !(at->kind == EXPR_LOAD && ARRAY(l->g, at->array)->target)) {
                return false;
            }
        }
        break;
    case EXPR_OP:
        if (e->checked || e->op == OP_trunc || takes_long(e->op)) {
            return false;
        }
        break;
    case EXPR_SELECT:
    case EXPR_CAST: break;
    default: return false;
    }
    for (int k = 0; k < e->n; k++) {
        if (!is_harmless(l, e->arg[k])) {
            return false;
        }
    }
    return true;
}

static bool has_choice(const Expr *e) {
    bool has = e->kind == EXPR_SELECT;
    for (int k = 0; k < e->n && !has; k++) {
        has = has_choice(e->arg[k]);
    }
    return has;
}

static Expr *named(Lanes *l, Block *out, Expr *e) {
    if (e->kind == EXPR_CONST || e->kind == EXPR_LOCAL || e->kind == EXPR_INDEX ||
        e->kind == EXPR_DIM) {
        return e;
    }
    Stmt *let = gen_stmt(l->x, STMT_LET);
    let->local = gen_local(l->x, "t", e->type, false);
    let->value = e;
    local_of(l, let->local)->inside = true;
    local_of(l, let->local)->varying = is_varying(l, e);
    gen_append(out, let);
    return gen_local_expr(l->x, let->local);
}

static Expr *choice(Lanes *l, Expr *c, Expr *yes, Expr *no) {
    Expr *e = gen_expr(l->x, EXPR_SELECT, yes->type, 3);
    e->arg[0] = c, e->arg[1] = yes, e->arg[2] = no;
    return e;
}

static bool divides(const Expr *e) {
    bool does = e->kind == EXPR_OP && e->op == OP_div && e->arg[1]->kind != EXPR_CONST;
    for (int k = 0; k < e->n && !does; k++) {
        does = divides(e->arg[k]);
    }
    return does;
}

/* A side as it may be computed where it is not asked for: then it divides by 1. */
static Expr *as_side(Lanes *l, Expr *e, Expr *when, bool yes) {
    if (!divides(e)) {
        return e;
    }
    Expr *copy = gen_expr(l->x, e->kind, e->type, e->n), **arg = copy->arg;
    *copy = *e;
    copy->arg = arg;
    for (int k = 0; k < e->n; k++) {
        arg[k] = as_side(l, e->arg[k], when, yes);
    }
    if (e->kind == EXPR_OP && e->op == OP_div && e->arg[1]->kind != EXPR_CONST) {
        Expr *one = gen_value(l->x, graph_real(l->g, e->type, 1));
        arg[1] = yes ? choice(l, when, arg[1], one) : choice(l, when, one, arg[1]);
    }
    return copy;
}

/* The expression without arithmetic on a side of a choice; a copy, since others may have parts of
 * it. */
static Expr *without_sides(Lanes *l, Block *out, Expr *e) {
    if (!has_choice(e)) {
        return e;
    }
    Expr *copy = gen_expr(l->x, e->kind, e->type, e->n), **arg = copy->arg;
    *copy = *e;
    copy->arg = arg;
    bool lazy = e->kind == EXPR_SELECT && !(is_harmless(l, e->arg[1]) && is_harmless(l, e->arg[2]));
    for (int k = 0; k < e->n; k++) {
        Expr *x = e->arg[k];
        if (e->kind == EXPR_SELECT && !lazy && k > 0) {
            if (divides(x)) {
                copy->arg[0] = named(l, out, copy->arg[0]);
            }
            x = named(l, out, without_sides(l, out, as_side(l, x, copy->arg[0], k == 1)));
        } else if (!lazy || k == 0) {
            x = without_sides(l, out, x);
        }
        copy->arg[k] = x;
    }
    return copy;
}

static void count_sets(Lanes *l, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_STORE || s->kind == STMT_ZERO) {
            l->stores[s->array]++;
        } else if (s->kind == STMT_SET) {
            local_of(l, s->local)->sets++;
        } else if (s->kind == STMT_VAR && s->value) {
            local_of(l, s->local)->starts = true;
        }
        count_sets(l, &s->body);
        count_sets(l, &s->otherwise);
    }
}

/* In the run that the statement is about to join. */
static void free_choices(Lanes *l, Stmt *s) {
    if (s->value && has_choice(s->value)) {
        add_comments(l, run_of(l));
        s->value = without_sides(l, run_of(l), s->value);
    }
}

/* May all of it run although its condition does not hold, if what it sets is chosen? */
static bool is_plain(Lanes *l, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        bool known = s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET ||
                     (s->kind == STMT_IF && !s->array) || s->kind == STMT_COMMENT ||
                     (s->kind == STMT_STORE && s->op == '=' && l->brief[s->array] &&
                      l->stores[s->array] == 1);
        if (!known || s->checked || (s->value && !is_harmless(l, s->value)) ||
            !is_plain(l, &s->body) || !is_plain(l, &s->otherwise)) {
            return false;
        }
    }
    return true;
}

static Expr *both(Lanes *l, Op op, Expr *a, Expr *b) {
    Expr *e = gen_expr(l->x, EXPR_OP, VALUE_BOOL, b ? 2 : 1);
    e->op = op;
    e->arg[0] = a;
    if (b) {
        e->arg[1] = b;
    }
    return e;
}

static Stmt *last_of(const Block *b) {
    Stmt *s = b->first;
    while (s && s->next) {
        s = s->next;
    }
    return s;
}

/* The statements of a branch, without it: what they set is chosen where `when` holds. `final`: not
 * added, its value is returned. */
static Expr *unbranch(Lanes *l, const Block *b, Expr *when, const Stmt *final, Block *to) {
    Gen *x = l->x;
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->value) {
            s->value = without_sides(l, to, as_side(l, s->value, when, true));
        }
        if (s == final) {
            return named(l, to, s->value);
        }
        if (s->kind == STMT_IF) {
            Expr *c = named(l, to, s->value), *none = both(l, OP_not, c, NULL);
            unbranch(l, &s->body, named(l, to, both(l, OP_and, when, c)), NULL, to);
            if (s->otherwise.first) {
                unbranch(l, &s->otherwise, named(l, to, both(l, OP_and, when, none)), NULL, to);
            }
            continue;
        }
        if (s->kind == STMT_SET) {
            ValueType type = l->f->locals.at[s->local].type;
            bool only =
                s->op == '=' && local_of(l, s->local)->sets == 1 && !local_of(l, s->local)->starts;
            double none = s->op == '*';
            Expr *other = s->op == '='          ? gen_local_expr(x, s->local)
                          : type >= VALUE_FLOAT ? gen_value(x, graph_real(l->g, type, none))
                                                : gen_value(x, graph_int(l->g, (int64_t)none));
            s->value = only ? s->value : choice(l, when, named(l, to, s->value), other);
        }
        gen_append(to, s);
    }
    return NULL;
}

static bool block_reads(const Block *b, int local) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->value && reads_local(s->value, local)) || block_reads(&s->body, local) ||
            block_reads(&s->otherwise, local)) {
            return true;
        }
    }
    return false;
}

/* A condition that differs from turn to turn, as choices. */
static void choose_sides(Lanes *l, Stmt *s, Block *to) {
    Stmt *yes = last_of(&s->body), *no = last_of(&s->otherwise);
    Block then = {0};
    Expr *c = named(l, to, without_sides(l, to, s->value)), *not = both(l, OP_not, c, NULL);
    const Stmt *name = last_of(to);
    bool one = yes && no && yes->kind == STMT_SET && no->kind == STMT_SET && yes->op == '=' &&
               no->op == '=' && yes->local == no->local;
    Expr *a = unbranch(l, &s->body, c, one ? yes : NULL, &then),
         *b = s->otherwise.first ? unbranch(l, &s->otherwise, not, one ? no : NULL, &then) : NULL;
    if (one) {
        yes->value = choice(l, c, a, b);
        gen_append(&then, yes);
    }
    if (name && name->local == c->local && !block_reads(&then, c->local)) {
        *to = (Block){0}; /* what it decides is read only where it holds */
    }
    for (Stmt *t = then.first, *next; t; t = next) {
        next = t->next;
        t->next = NULL;
        gen_append(to, t);
    }
}

/* Is it made of sizes alone? */
static bool is_of_sizes(const Expr *e) {
    bool is = e->kind == EXPR_DIM || e->kind == EXPR_CONST || e->kind == EXPR_CAST ||
              (e->kind == EXPR_OP && !e->checked);
    for (int k = 0; k < e->n && is; k++) {
        is = is_of_sizes(e->arg[k]);
    }
    return is;
}

/* A number or an entry that is one of two things by sizes alone: a statement for each, as nothing
 * is read for the one that is not wanted. In `choice`, if that asks the same; NULL: it is no such
 * thing. */
static Stmt *choose_by_sizes(Lanes *l, Stmt *s, Stmt *choice) {
    Expr *e = s->value;
    if ((s->kind != STMT_LET && s->kind != STMT_STORE && s->kind != STMT_SET) || s->checked ||
        e->kind != EXPR_SELECT || !is_of_sizes(e->arg[0]) || !is_varying(l, e) ||
        (choice && !gen_expr_same(choice->value, e->arg[0]))) {
        return NULL;
    }
    if (!choice) {
        choice = gen_stmt(l->x, STMT_IF);
        choice->value = e->arg[0];
    }
    if (s->kind == STMT_LET) {
        Stmt *var = gen_stmt(l->x, STMT_VAR);
        var->local = s->local;
        add(l, run_of(l), var);
        s->kind = STMT_SET, s->op = '=';
    }
    Stmt *yes = gen_stmt(l->x, STMT_SET), *no = gen_stmt(l->x, STMT_SET);
    *yes = *no = *s;
    yes->next = no->next = NULL;
    yes->value = e->arg[1], no->value = e->arg[2];
    gen_append(&choice->body, yes);
    gen_append(&choice->otherwise, no);
    return choice;
}

static void transform_on(Lanes *l, Block *in, Block *out);

static void transform(Lanes *l, Block *in, Block *out) {
    transform_on(l, in, out);
    flush(l, out);
    add_comments(l, out);
}

/* The last run stays open. */
static void transform_on(Lanes *l, Block *in, Block *out) {
    for (Stmt *s = in->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        bool varying = s->value && is_varying(l, s->value);
        Stmt *choice = varying ? choose_by_sizes(l, s, NULL) : NULL;
        if (choice) { /* and those after it that ask the same */
            s = choice, varying = false;
            for (Stmt *like = after_comments(next), *then; like && choose_by_sizes(l, like, choice);
                 like = after_comments(next)) {
                then = like->next;
                for (Stmt *c = next, *more; c != like; c = more) {
                    more = c->next;
                    keep_comment(l, c);
                }
                next = then;
            }
        }
        switch (s->kind) {
        case STMT_LET:
            if (varying) {
                free_choices(l, s);
            }
            add(l, varying ? run_of(l) : out, s);
            break;
        case STMT_VAR:
        case STMT_SET:
            if (local_of(l, s->local)->varying) {
                int partial = local_of(l, s->local)->partial;
                s->local = partial ? partial : s->local;
                free_choices(l, s);
                add(l, run_of(l), s);
            } else {
                flush(l, out);
                add(l, out, s);
            }
            break;
        case STMT_STORE: {
            bool moves = false;
            for (int k = 0; k < s->n && s->position; k++) {
                moves = moves || is_varying(l, s->position[k]);
            }
            if (l->axis[s->array] >= 0) {
                free_choices(l, s);
                add(l, run_of(l), s);
            } else if (moves || s->op != '+') {
                alone(l, out, s, false);
            } else {
                add_turns(l, out, s);
            }
            break;
        }
        case STMT_LOOP:
            if (varying || is_varying(l, s->other) || adds_row(l, s) || copies_row(l, s)) {
                bool turned = copies_row(l, s) && l->brief[s->body.first->value->array];
                s->hint = turned && s->hint == HINT_LANES ? HINT_TURNED : s->hint;
                alone(l, out, s, false);
            } else if (sums_row(l, s)) {
                sum_alone(l, out, s);
            } else {
                Block body = {0};
                flush(l, out);
                add_comments(l, out);
                transform(l, &s->body, &body);
                s->body = body;
                s->hint = HINT_NONE;
                add(l, out, s);
            }
            break;
        case STMT_IF:
            if (varying && is_plain(l, &s->body) && is_plain(l, &s->otherwise)) {
                Block flat = {0};
                choose_sides(l, s, &flat);
                transform_on(l, &flat, out);
            } else if (varying) {
                alone(l, out, s, !has_loop(&s->body) && !has_loop(&s->otherwise));
            } else {
                Block body = {0}, otherwise = {0};
                flush(l, out);
                add_comments(l, out);
                transform(l, &s->body, &body);
                transform(l, &s->otherwise, &otherwise);
                s->body = body, s->otherwise = otherwise;
                add(l, out, s);
            }
            break;
        case STMT_COMMENT: keep_comment(l, s); break;
        default: flush(l, out); add(l, out, s);
        }
    }
}

/* ---- rows
 * What the turns write to rows of their own, J[p, 0..10] from a block and J[p, 11] from a variable,
 * is written by one loop over the turns: a line of memory is then complete before the next one. */

enum { CHEAP = 4 }; /* operations of a value that need no vector code */

/* The array, if the run does nothing but write to it; 0: it does something else. */
static ArrayRef array_of_rows(Lanes *l, const Stmt *run, bool *row) {
    ArrayRef a = 0;
    *row = false;
    for (const Stmt *s = after_comments(run->body.first); s; s = s->next) {
        const Stmt *store = s;
        if (s->kind == STMT_LOOP && copies_row(l, s)) {
            store = s->body.first;
            *row = true;
        }
        if (store->kind != STMT_STORE || store->op != '=' || store->checked || store->n == 0 ||
            l->axis[store->array] < 0 || l->brief[store->array] || (a && store->array != a) ||
            gen_expr_has_index(store->position[store->n - 1], l->index) ||
            gen_expr_cost(store->value) > CHEAP || gen_expr_may_fail(store->value) ||
            gen_expr_reads(store->value, store->array)) {
            return 0;
        }
        a = store->array;
    }
    return a;
}

typedef struct InRow { /* a statement, and which entries of its turn's row it writes */
    Stmt *s;
    int64_t first, end;
} InRow;

/* False: that depends on sizes, or on more than one loop. */
static bool find_in_row(const Lanes *l, Stmt *s, InRow *in) {
    const Graph *g = l->g;
    const Stmt *store = s->kind == STMT_LOOP ? s->body.first : s;
    const Array *a = ARRAY(g, store->array);
    int64_t stride = 1, first = 0, at, end, extent, count = 1;
    for (int k = store->n - 1; k >= 0; k--) {
        const Expr *e = store->position[k];
        if (k == l->axis[store->array]) {
            if (k != 0) {
                return false;
            }
            continue;
        }
        if (k == store->n - 1 && s->kind == STMT_LOOP && e->kind == EXPR_INDEX &&
            e->ref == s->index && !s->down && s->value->kind == EXPR_CONST &&
            s->other->kind == EXPR_CONST && graph_is_int(g, s->value->ref, &at) &&
            graph_is_int(g, s->other->ref, &end)) {
            count = end - at;
        } else if (e->kind != EXPR_CONST || !graph_is_int(g, e->ref, &at)) {
            return false;
        }
        if (!poly_is_int(a->extent[k], &extent)) {
            return false;
        }
        first += stride * at;
        stride *= extent;
    }
    *in = (InRow){s, first, first + count};
    return count > 0;
}

/* The statements of the run in the order of what they write, if no two write the same. */
static void sort_rows(const Lanes *l, Stmt *run) {
    VEC(InRow) rows = {0};
    Block sorted = {0};
    Stmt *first = after_comments(run->body.first);
    for (Stmt *s = first; s; s = s->next) {
        InRow in;
        if (!find_in_row(l, s, &in)) {
            return;
        }
        VEC_PUSH(l->g->arena, rows, in);
        for (int k = rows.n - 1; k > 0 && rows.at[k - 1].first > in.first; k--) {
            rows.at[k] = rows.at[k - 1];
            rows.at[k - 1] = in;
        }
    }
    for (int k = 1; k < rows.n; k++) {
        if (rows.at[k - 1].end > rows.at[k].first) {
            return;
        }
    }
    for (Stmt *s = run->body.first, *next; s != first; s = next) {
        next = s->next;
        s->next = NULL;
        gen_append(&sorted, s);
    }
    for (int k = 0; k < rows.n; k++) {
        rows.at[k].s->next = NULL;
        gen_append(&sorted, rows.at[k].s);
    }
    run->body = sorted;
}

static void join_rows(Lanes *l, Block *b) {
    Block kept = {0};
    Stmt *last = NULL;
    ArrayRef of = 0;
    bool last_row = false;
    for (Stmt *s = b->first, *next; s; s = next) {
        bool row = false;
        next = s->next;
        s->next = NULL;
        ArrayRef a = s->kind == STMT_LOOP && s->lanes ? array_of_rows(l, s, &row) : 0;
        if (a && a == of && (row || last_row)) {
            gen_append_all(&last->body, &s->body);
            last->one_by_one = last_row = true;
            sort_rows(l, last);
            continue;
        }
        if (s->kind != STMT_COMMENT) {
            last = s, of = a, last_row = row;
        }
        if (!(s->kind == STMT_LOOP && s->lanes)) {
            join_rows(l, &s->body);
            join_rows(l, &s->otherwise);
        }
        gen_append(&kept, s);
    }
    *b = kept;
}

/* ---- what lives longer than a run */

static void note_uses(Lanes *l, const Expr *e, int run) {
    if (e->kind == EXPR_LOCAL) {
        LaneLocal *at = local_of(l, e->local);
        at->many = at->many || (at->run && at->run != run);
        at->run = run;
    }
    for (int k = 0; k < e->n; k++) {
        note_uses(l, e->arg[k], run);
    }
}

static void number_runs(Lanes *l, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && s->lanes) {
            s->number = ++l->runs;
        }
        number_runs(l, &s->body);
        number_runs(l, &s->otherwise);
    }
}

static void note_runs(Lanes *l, const Block *b, int run) {
    for (const Stmt *s = b->first; s; s = s->next) {
        int now = s->kind == STMT_LOOP && s->lanes ? s->number : run;
        if (now && (s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET)) {
            LaneLocal *at = local_of(l, s->local);
            at->many = at->many || (at->run && at->run != now);
            at->run = now;
        }
        if (now && s->value) {
            note_uses(l, s->value, now);
        }
        if (now && s->other) {
            note_uses(l, s->other, now);
        }
        for (int k = 0; k < s->n && s->position && now; k++) {
            note_uses(l, s->position[k], now);
        }
        note_runs(l, &s->body, now);
        note_runs(l, &s->otherwise, now);
    }
}

/* Declarations of what has a row go before; a run sets it. */
static void set_rows(Lanes *l, Block *b) {
    Block kept = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if ((s->kind == STMT_LET || s->kind == STMT_VAR) && l->f->locals.at[s->local].lanes) {
            s->kind = STMT_SET, s->op = '=';
            if (!s->value) {
                continue;
            }
        }
        set_rows(l, &s->body);
        set_rows(l, &s->otherwise);
        gen_append(&kept, s);
    }
    *b = kept;
}

/* What is set once, in the block that declares it, is declared there; runs that only declared are
 * gone. */
static void declare_late(Lanes *l, Block *b) {
    Block kept = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        declare_late(l, &s->body);
        declare_late(l, &s->otherwise);
        if (s->kind == STMT_LOOP && s->lanes && !s->body.first) {
            continue;
        }
        if (s->kind == STMT_VAR && !s->value && local_of(l, s->local)->sets == 1) {
            Stmt *set = next;
            while (set && !(set->kind == STMT_SET && set->local == s->local)) {
                set = set->next;
            }
            if (set && set->op == '=') {
                set->kind = STMT_LET;
                continue;
            }
        }
        gen_append(&kept, s);
    }
    *b = kept;
}

static bool is_straight(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP || s->kind == STMT_FAIL || !is_straight(&s->body) ||
            !is_straight(&s->otherwise)) {
            return false;
        }
    }
    return true;
}

static void set_hints(Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && s->lanes && s->hint == HINT_NONE && !s->one_by_one &&
            is_straight(&s->body) && !gen_may_fail(&s->body)) {
            s->hint = HINT_LANES;
        }
        set_hints(&s->body);
        set_hints(&s->otherwise);
    }
}

static bool is_number(const Graph *g, const Expr *e, int64_t value) {
    int64_t v;
    return e->kind == EXPR_CONST && graph_is_int(g, e->ref, &v) && v == value;
}

/* A sum over a short axis around a run loads and stores its row in every turn: JAM turns together
 * do so once. The turns of the block ask nothing of each other, so their order is free. */
static void set_jams(Lanes *l, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        const Stmt *run = s->kind == STMT_LOOP && !s->lanes ? s->body.first : NULL;
        int n = 0, sums = 0;
        for (const Stmt *t = run && run->lanes ? run->body.first : NULL; t; t = t->next) {
            n++;
            sums += t->kind == STMT_SET && t->op == '+';
        }
        s->jam = n <= MOST_JAM && sums > 0 && sums <= MOST_JAM_SUMS && !run->next &&
                 run->hint == HINT_LANES && !s->down && is_number(l->g, s->value, 0);
        set_jams(l, &s->body);
        set_jams(l, &s->otherwise);
    }
}

/* The last axis is then the lane's. */
static const Store *row_store(Graph *g, ArrayRef a, int axis) {
    int rank = ARRAY(g, a)->rank;
    Store *s = arena_alloc(g->arena, sizeof *s);
    int64_t *window = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *window);
    int *axes = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *axes);
    window[axis] = LANES;
    for (int k = 0; k < rank; k++) {
        if (k != axis) {
            axes[s->n++] = k;
        }
    }
    axes[s->n++] = axis;
    s->window = window, s->axis = axes;
    return s;
}

/* ---- copies
 * Entries of the turns of a block that lie apart in memory (x[n, d] along n), and are read again in
 * every turn of a loop that they know nothing of, are copied once: x_block[d][lane]. */

typedef struct Around { /* the loops around a run, in the block */
    const struct Around *outer;
    Ref index;
} Around;

/* The axis of the turn, if the load is such a one; else -1. */
static int copied_axis(Lanes *l, const Expr *e, const Around *around) {
    int axis = -1;
    bool again = false;
    if (e->kind != EXPR_LOAD || e->type < VALUE_FLOAT || l->brief[e->array] ||
        l->stores[e->array] || l->axis[e->array] >= 0 || e->n < 2 || e->n > 4) {
        return -1;
    }
    for (int k = 0; k < e->n; k++) {
        if (e->arg[k]->kind != EXPR_INDEX) {
            return -1;
        }
        axis = e->arg[k]->ref == l->index ? k : axis;
    }
    for (const Around *o = around; o; o = o->outer) {
        bool met = false;
        for (int k = 0; k < e->n; k++) {
            met = met || e->arg[k]->ref == o->index;
        }
        again = again || !met;
    }
    return again && axis >= 0 && axis < e->n - 1 ? axis : -1;
}

static ArrayRef copy_of(Lanes *l, ArrayRef a, int axis) {
    Graph *g = l->g;
    for (int k = 0; k < l->copies.n; k++) {
        if (l->copies.at[k].of == a && l->copies.at[k].axis == axis) {
            return l->copies.at[k].copy;
        }
    }
    if (l->f->copies == MOST_COPIES) {
        return 0;
    }
    l->f->copies++;
    int rank = ARRAY(g, a)->rank;
    const char *names[4];
    const Poly *extent[4];
    for (int k = 0; k < rank; k++) {
        names[k] = g->indices.at[NODE(g, ARRAY(g, a)->axis[k])->aux].name;
        extent[k] = ARRAY(g, a)->extent[k];
    }
    ArrayRef copy = graph_array(g, arena_format(g->arena, "%s_block", ARRAY(g, a)->name),
                                ARRAY(g, a)->type, rank, extent, names);
    l->f->place[copy] = PLACE_BUFFER;
    l->f->computed[copy] = true;
    l->f->store[copy] = row_store(g, copy, axis);
    VEC_PUSH(g->arena, l->f->buffers, copy);
    VEC_PUSH(g->arena, l->copies, ((Copy){a, copy, axis}));
    return copy;
}

static void copy_loads(Lanes *l, Expr *e, const Around *around) {
    int axis = copied_axis(l, e, around);
    ArrayRef copy = axis < 0 ? 0 : copy_of(l, e->array, axis);
    if (copy) {
        e->array = copy, e->ref = 0;
    }
    for (int k = 0; k < e->n; k++) {
        copy_loads(l, e->arg[k], around);
    }
}

static void find_copies(Lanes *l, const Block *b, const Around *around, bool run) {
    for (const Stmt *s = b->first; s; s = s->next) {
        Around here = {around, s->index};
        if (run && s->value) {
            copy_loads(l, s->value, around);
        }
        find_copies(l, &s->body, s->kind == STMT_LOOP && !s->lanes ? &here : around,
                    run || (s->kind == STMT_LOOP && s->lanes && s->hint == HINT_LANES));
        find_copies(l, &s->otherwise, around, run);
    }
}

/* The loops that fill a copy. */
static Stmt *fill_copy(Lanes *l, const Copy *c) {
    Graph *g = l->g;
    Gen *x = l->x;
    int rank = ARRAY(g, c->of)->rank;
    Stmt *store = gen_stmt(x, STMT_STORE), *inner = gen_stmt(x, STMT_LOOP);
    store->array = c->copy, store->n = rank;
    store->position = arena_alloc(g->arena, (size_t)rank * sizeof *store->position);
    store->value = gen_expr(x, EXPR_LOAD, ARRAY(g, c->of)->type, rank);
    store->value->array = c->of;
    inner->lanes = true, inner->index = l->index, inner->number = ++l->runs,
    inner->hint = HINT_LANES;
    gen_append(&inner->body, store);
    for (int k = rank - 1; k >= 0; k--) {
        Ref index = l->index;
        if (k != c->axis) {
            Stmt *loop = gen_stmt(x, STMT_LOOP);
            index = loop->index =
                graph_index(g, g->indices.at[NODE(g, ARRAY(g, c->of)->axis[k])->aux].name,
                            ARRAY(g, c->of)->extent[k]);
            loop->value = gen_value(x, graph_int(g, 0));
            loop->other = gen_bound(x, graph_of_poly(g, ARRAY(g, c->of)->extent[k]));
            gen_append(&loop->body, inner);
            inner = loop;
        }
        Expr *at = gen_expr(x, EXPR_INDEX, VALUE_INT, 0);
        at->ref = index;
        store->position[k] = store->value->arg[k] = at;
    }
    return inner;
}

/* ---- gathers
 * Entries at places that data choose, cam[c[p], 2], are dear: those that several runs read, or one
 * in every turn of a loop around, are read once, by a loop before the runs. */

/* Is it the same through the block but for the number of the turn, and there before it? loads: of
 * entries of arrays, that are met. */
static bool is_given(Lanes *l, const Expr *e, const Around *around, int *loads) {
    if (e->kind == EXPR_LOAD) {
        ++*loads;
        if (l->stores[e->array] || l->axis[e->array] >= 0) {
            return false;
        }
    } else if (e->kind != EXPR_INDEX && e->kind != EXPR_CONST && e->kind != EXPR_DIM &&
               (e->kind != EXPR_OP || e->checked)) {
        return false;
    }
    for (const Around *o = around; o; o = o->outer) {
        if (e->kind == EXPR_INDEX && e->ref == o->index) {
            return false;
        }
    }
    for (int k = 0; k < e->n; k++) {
        if (!is_given(l, e->arg[k], around, loads)) {
            return false;
        }
    }
    return true;
}

static bool is_gather(Lanes *l, const Expr *e, const Around *around) {
    int loads = 0;
    return e->kind == EXPR_LOAD && e->type >= VALUE_FLOAT && is_varying(l, e) &&
           is_given(l, e, around, &loads) && loads > 1;
}

/* Both of two sides. */
static Side both_sides(Side a, Side b) {
    bool same = a.when && b.when && a.yes == b.yes && gen_expr_same(a.when, b.when);
    return same ? a : (Side){NULL, false};
}

/* Begins a side of a condition, if it is one on sizes. */
static Side begin_side(Lanes *l, const Stmt *s, bool yes) {
    Side before = l->side;
    if (s->value && is_of_sizes(s->value)) {
        l->side = (Side){s->value, yes};
    }
    return before;
}

/* What fills rows, on its side. */
static void add_fill(Lanes *l, Side side, Stmt *fill) {
    Stmt *choice;
    if (!side.when) {
        gen_append(l->rows, fill);
        return;
    }
    choice = gen_stmt(l->x, STMT_IF);
    choice->value = (Expr *)side.when;
    if (!side.yes) {
        choice->value = both(l, OP_not, choice->value, NULL);
    }
    gen_append(&choice->body, fill);
    gen_append(l->rows, choice);
}

static Gather *gather_of(Lanes *l, const Expr *e) {
    for (int k = 0; k < l->gathers.n; k++) {
        if (gen_expr_same(l->gathers.at[k].load, e)) {
            return &l->gathers.at[k];
        }
    }
    return NULL;
}

/* Notes the gathers of a run; `last`: reads the rows in their place. */
static void gather_loads(Lanes *l, Expr *e, const Around *around, int run, bool last) {
    if (!is_gather(l, e, around)) { /* a side of a choice is read where it is chosen */
        for (int k = 0; k < (e->kind == EXPR_SELECT ? 1 : e->n); k++) {
            gather_loads(l, e->arg[k], around, run, last);
        }
        return;
    }
    Gather *at = gather_of(l, e);
    if (last) {
        if (at->many) {
            e->kind = EXPR_LOCAL, e->local = at->row, e->n = 0, e->array = 0;
        }
        return;
    }
    if (!at) {
        Expr *load = arena_alloc(l->g->arena, sizeof *load);
        *load = *e;
        VEC_PUSH(l->g->arena, l->gathers, ((Gather){.load = load, .side = l->side, .run = run}));
        at = &l->gathers.at[l->gathers.n - 1];
    }
    at->side = both_sides(at->side, l->side);
    if ((at->run != run || around) && !at->many && l->nrows < MOST_ROWS) {
        const char *name = arena_format(l->g->arena, "%s_at", ARRAY(l->g, e->array)->name);
        at->many = true;
        at->row = gen_local(l->x, name, e->type, true);
        l->x->f->locals.at[at->row].lanes = true;
        l->nrows++;
    }
}

/* run: the number of the one around, 0: none */
static void find_gathers(Lanes *l, const Block *b, const Around *around, int run, bool last) {
    for (const Stmt *s = b->first; s; s = s->next) {
        Around here = {around, s->index};
        if (s->kind == STMT_LOOP) {
            find_gathers(l, &s->body, s->lanes ? around : &here,
                         s->lanes && s->hint == HINT_LANES ? s->number : 0, last);
        } else if (s->kind == STMT_IF && !run) {
            Side before = begin_side(l, s, true);
            find_gathers(l, &s->body, around, 0, last);
            l->side = before;
            begin_side(l, s, false);
            find_gathers(l, &s->otherwise, around, 0, last);
            l->side = before;
        } else if (run && s->value) {
            gather_loads(l, s->value, around, run, last);
        }
    }
}

static void fill_gathers(Lanes *l) {
    for (int first = 0; first < l->gathers.n; first++) {
        const Side side = l->gathers.at[first].side;
        Stmt *fill = gen_stmt(l->x, STMT_LOOP);
        fill->lanes = true, fill->index = l->index;
        for (int k = first; k < l->gathers.n; k++) {
            Gather *at = &l->gathers.at[k];
            bool here =
                k == first || (!side.when && !at->side.when) || both_sides(side, at->side).when;
            if (at->many && !at->filled && here) {
                Stmt *var = gen_stmt(l->x, STMT_VAR);
                var->local = at->row;
                at->filled = true;
                gen_append(l->rows, var);
                gen_append(&fill->body, gen_set(l->x, var->local, '=', at->load));
            }
        }
        if (fill->body.first) {
            fill->number = ++l->runs;
            add_fill(l, side, fill);
        }
    }
}

/* ---- rows that data choose
 * weight[c[p], b] in loops over b: the row is read along memory, turn by turn, by a loop before the
 * runs, and stands in a copy that they walk along. */

static bool is_row(Lanes *l, const Expr *e, const Around *around) {
    int loads = 0;
    int64_t extent;
    bool along = false;
    const Expr *last = e->n > 1 ? e->arg[e->n - 1] : NULL;
    if (e->kind != EXPR_LOAD || e->type < VALUE_FLOAT || !last || last->kind != EXPR_INDEX ||
        l->stores[e->array] || l->axis[e->array] >= 0 || l->brief[e->array] ||
        !poly_is_int(ARRAY(l->g, e->array)->extent[e->n - 1], &extent) || extent > LANES) {
        return false;
    }
    for (const Around *o = around; o; o = o->outer) {
        along = along || last->ref == o->index;
    }
    for (int k = 0; k < e->n - 1 && along; k++) {
        along = is_given(l, e->arg[k], around, &loads);
    }
    return along && loads > 0 && is_varying(l, e);
}

static bool same_row(const Expr *a, const Expr *b) {
    bool same = a->array == b->array && a->n == b->n;
    for (int k = 0; k < a->n - 1 && same; k++) {
        same = gen_expr_same(a->arg[k], b->arg[k]);
    }
    return same;
}

/* Over the turns, and along the row. */
static ArrayRef copy_of_row(Lanes *l, const Expr *load) {
    Graph *g = l->g;
    const Array of = *ARRAY(g, load->array);
    const char *names[2] = {g->indices.at[NODE(g, l->index)->aux].name,
                            g->indices.at[NODE(g, of.axis[of.rank - 1])->aux].name};
    const Poly *extent[2] = {EXTENT(g, l->index), of.extent[of.rank - 1]};
    if (l->f->copies == MOST_COPIES) {
        return 0;
    }
    l->f->copies++;
    ArrayRef copy =
        graph_array(g, arena_format(g->arena, "%s_rows", of.name), of.type, 2, extent, names);
    l->f->place[copy] = PLACE_BUFFER;
    l->f->computed[copy] = true;
    l->f->store[copy] = row_store(g, copy, 0);
    VEC_PUSH(g->arena, l->f->buffers, copy);
    return copy;
}

static Expr *index_expr(Gen *x, Ref index) {
    Expr *e = gen_expr(x, EXPR_INDEX, VALUE_INT, 0);
    e->ref = index;
    return e;
}

/* Notes the rows of a run; `last`: reads the copies in their place. */
static void row_loads(Lanes *l, Expr *e, const Around *around, bool last) {
    Row *at = NULL;
    if (!is_row(l, e, around)) {
        for (int k = 0; k < (e->kind == EXPR_SELECT ? 1 : e->n); k++) {
            row_loads(l, e->arg[k], around, last);
        }
        return;
    }
    for (int k = 0; k < l->data_rows.n; k++) {
        at = same_row(l->data_rows.at[k].load, e) ? &l->data_rows.at[k] : at;
    }
    if (last && at && at->copy) {
        Expr *along = e->arg[e->n - 1];
        e->array = at->copy, e->ref = 0, e->n = 2;
        e->arg[0] = index_expr(l->x, l->index), e->arg[1] = along;
    } else if (!last && !at) {
        Expr *load = gen_expr(l->x, EXPR_LOAD, e->type, e->n), **arg = load->arg;
        *load = *e;
        load->arg = arg;
        for (int k = 0; k < e->n; k++) {
            arg[k] = e->arg[k];
        }
        VEC_PUSH(l->g->arena, l->data_rows, ((Row){.load = load, .side = l->side}));
    } else if (!last) {
        at->side = both_sides(at->side, l->side);
        at->copy = at->copy ? at->copy : copy_of_row(l, e);
    }
}

static void find_rows(Lanes *l, const Block *b, const Around *around, bool run, bool last) {
    for (const Stmt *s = b->first; s; s = s->next) {
        Around here = {around, s->index};
        if (s->kind == STMT_LOOP) {
            find_rows(l, &s->body, s->lanes ? around : &here, s->lanes && s->hint == HINT_LANES,
                      last);
        } else if (s->kind == STMT_IF && !run) {
            Side before = begin_side(l, s, true);
            find_rows(l, &s->body, around, false, last);
            l->side = before;
            begin_side(l, s, false);
            find_rows(l, &s->otherwise, around, false, last);
            l->side = before;
        } else if (run && s->value) {
            row_loads(l, s->value, around, last);
        }
    }
}

static void fill_rows(Lanes *l) {
    Graph *g = l->g;
    Gen *x = l->x;
    for (int k = 0; k < l->data_rows.n;
         k++) { /* one after another: each fits into the nearest cache */
        const Row *row = &l->data_rows.at[k];
        if (!row->copy) {
            continue;
        }
        const Expr *from = row->load;
        Stmt *fill = gen_stmt(x, STMT_LOOP);
        fill->lanes = fill->one_by_one = true, fill->index = l->index, fill->number = ++l->runs;
        const Poly *extent = ARRAY(g, row->copy)->extent[1];
        Stmt *loop = gen_stmt(x, STMT_LOOP), *store = gen_stmt(x, STMT_STORE);
        loop->index =
            graph_index(g, g->indices.at[NODE(g, ARRAY(g, row->copy)->axis[1])->aux].name, extent);
        loop->value = gen_value(x, graph_int(g, 0));
        loop->other = gen_bound(x, graph_of_poly(g, extent));
        store->array = row->copy, store->n = 2;
        store->position = arena_alloc(g->arena, 2 * sizeof *store->position);
        store->position[0] = index_expr(x, l->index),
        store->position[1] = index_expr(x, loop->index);
        store->value = gen_expr(x, EXPR_LOAD, from->type, from->n);
        store->value->array = from->array;
        for (int q = 0; q < from->n - 1; q++) {
            store->value->arg[q] = from->arg[q];
        }
        store->value->arg[from->n - 1] = index_expr(x, loop->index);
        gen_append(&loop->body, store);
        gen_append(&fill->body, loop);
        add_fill(l, row->side, fill);
    }
}

/* `before` and `after` get what stands around the loop. */
static bool by_blocks(Gen *x, Stmt *loop, Block *before, Block *after) {
    Graph *g = x->g;
    size_t all = (size_t)g->arrays.n + 1;
    int *axis = arena_alloc(g->arena, all * sizeof *axis);
    bool *brief = arena_alloc(g->arena, all);
    Lanes l = {.x = x, .g = g, .f = x->f, .loop = loop, .index = loop->index, .fit = true};
    for (size_t k = 0; k < all; k++) {
        axis[k] = -1;
    }
    for (int k = 0; k < x->f->places.n; k++) {
        const LoopPlace *p = &x->f->places.at[k];
        if (p->loop == loop->number) {
            const Store *s = x->f->store[p->array];
            axis[p->array] = p->axis;
            brief[p->array] = s && s->window[p->axis] == 1;
        }
    }
    l.axis = axis, l.brief = brief;
    l.stores = arena_alloc(g->arena, all * sizeof *l.stores);
    count_sets(&l, &loop->body);
    do {
        l.changed = false;
        look(&l, &loop->body, false);
    } while (l.changed);
    if (!l.fit || reads_sum(&l, &loop->body)) {
        return false;
    }
    int locals = l.local.n, rows_most = 0;
    for (int k = 0; k < locals; k++) {
        rows_most += l.local.at[k].varying;
    }
    if (rows_most > MOST_ROWS) {
        return false;
    }
    for (int k = 0; k < locals; k++) {
        if (l.local.at[k].set && !l.local.at[k].inside) {
            const Local *sum = &x->f->locals.at[k];
            const char *name = sum->array ? ARRAY(g, sum->array)->name : sum->hint;
            int row = gen_local(x, arena_format(g->arena, "%s_lanes", name), sum->type, true);
            x->f->locals.at[row].lanes = true;
            l.local.at[k].partial = row;
            Stmt *var = gen_stmt(x, STMT_VAR);
            var->local = row;
            var->value = gen_value(x, graph_real(g, x->f->locals.at[row].type, 0));
            gen_append(before, var);
            gen_append(after, gen_set(x, k, '+', fold_of(x, row, true)));
        }
    }
    Block body = {0}, rows = {0};
    l.rows = &rows;
    transform(&l, &loop->body, &body);
    weave_runs(x, l.index, &body);
    join_rows(&l, &body);
    l.runs = 0;
    number_runs(&l, &body);
    note_runs(&l, &body, 0);
    for (int k = 0; k < locals; k++) {
        if (l.local.at[k].varying && l.local.at[k].inside && l.local.at[k].many) {
            Stmt *var = gen_stmt(x, STMT_VAR);
            var->local = k;
            x->f->locals.at[k].lanes = true;
            l.nrows++;
            gen_append(&rows, var);
        }
    }
    set_rows(&l, &body);
    for (int k = 0; k < l.local.n; k++) {
        l.local.at[k].sets = 0;
    }
    count_sets(&l, &body);
    declare_late(&l, &body);
    set_hints(&body);
    find_gathers(&l, &body, NULL, 0, false);
    find_gathers(&l, &body, NULL, 0, true);
    fill_gathers(&l);
    find_rows(&l, &body, NULL, false, false);
    find_rows(&l, &body, NULL, false, true);
    fill_rows(&l);
    find_copies(&l, &body, NULL, false);
    for (int k = 0; k < l.copies.n; k++) {
        gen_append(&rows, fill_copy(&l, &l.copies.at[k]));
    }
    set_jams(&l, &body);
    for (Stmt *s = rows.first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (!next) {
            s->next = body.first;
            body.first = rows.first;
        } else {
            s->next = next;
        }
    }
    loop->body = body;
    loop->step = LANES;
    for (int k = 0; k < x->f->places.n; k++) {
        const LoopPlace *p = &x->f->places.at[k];
        if (p->loop == loop->number && brief[p->array]) {
            x->f->store[p->array] = row_store(g, p->array, p->axis);
        }
    }
    return true;
}

/* ---- arrays that are one number a turn */

/* local: 1 + the number of the variable, by array; 0: none */
static void load_local(Expr *e, const int *local) {
    if (e->kind == EXPR_LOAD && local[e->array]) {
        e->kind = EXPR_LOCAL, e->local = local[e->array] - 1, e->n = 0;
    }
    for (int k = 0; k < e->n; k++) {
        load_local(e->arg[k], local);
    }
}

/* stores: by array, how many there are */
static void use_local(Block *b, const int *local, int *stores) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            load_local(s->value, local);
        }
        if (s->other) {
            load_local(s->other, local);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            load_local(s->position[k], local);
        }
        if (s->kind == STMT_STORE && local[s->array]) {
            stores[s->array]++;
            s->kind = STMT_SET, s->local = local[s->array] - 1, s->n = 0, s->array = 0;
        }
        use_local(&s->body, local, stores);
        use_local(&s->otherwise, local, stores);
    }
}

/* Arrays of which only the entry of this turn is kept, and that have no other axis: variables. */
static void make_numbers(Gen *x, const int *uses, Stmt *loop) {
    Graph *g = x->g;
    Function *f = x->f;
    VEC(ArrayRef) made = {0};
    size_t all = (size_t)g->arrays.n + 1;
    int *inside = arena_alloc(g->arena, all * sizeof *inside),
        *local = arena_alloc(g->arena, all * sizeof *local),
        *stores = arena_alloc(g->arena, all * sizeof *stores);
    gen_count_arrays(&loop->body, inside);
    for (int k = 0; k < f->places.n; k++) {
        ArrayRef a = f->places.at[k].array;
        if (f->places.at[k].loop != loop->number || f->place[a] != PLACE_BUFFER || !f->store[a] ||
            f->store[a]->n != 0 || uses[a] != inside[a]) {
            continue;
        }
        int number = gen_local(x, ARRAY(g, a)->name, ARRAY(g, a)->type, true);
        f->locals.at[number].array = a;
        f->place[a] = PLACE_LOCAL;
        f->local[a] = number;
        local[a] = number + 1;
        VEC_PUSH(g->arena, made, a);
    }
    if (!made.n) {
        return;
    }
    use_local(&loop->body, local, stores);
    for (Stmt *s = loop->body.first; s; s = s->next) {
        ArrayRef a = s->kind == STMT_SET ? f->locals.at[s->local].array : 0;
        if (a && local[a] == s->local + 1 && s->op == '=' && stores[a] == 1) {
            s->kind = STMT_LET;
            stores[a] = 0;
        }
    }
    for (int k = 0; k < made.n; k++) {
        if (stores[made.at[k]]) {
            Stmt *var = gen_stmt(x, STMT_VAR);
            var->local = f->local[made.at[k]];
            var->next = loop->body.first;
            loop->body.first = var;
        }
    }
    int kept = 0;
    for (int q = 0; q < f->buffers.n; q++) {
        if (!local[f->buffers.at[q]]) {
            f->buffers.at[kept++] = f->buffers.at[q];
        }
    }
    f->buffers.n = kept;
}

static void find_numbers(Gen *x, const int *uses, const Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && s->map) {
            make_numbers(x, uses, s);
        }
        find_numbers(x, uses, &s->body);
        find_numbers(x, uses, &s->otherwise);
    }
}

static void walk(Gen *x, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        Block before = {0}, after = {0};
        next = s->next;
        s->next = NULL;
        if (s->kind == STMT_LOOP && s->map) {
            by_blocks(x, s, &before, &after);
        } else {
            walk(x, &s->body);
            walk(x, &s->otherwise);
        }
        for (Stmt *t = before.first, *then; t; t = then) {
            then = t->next;
            t->next = NULL;
            gen_append(&out, t);
        }
        gen_append(&out, s);
        for (Stmt *t = after.first, *then; t; t = then) {
            then = t->next;
            t->next = NULL;
            gen_append(&out, t);
        }
    }
    *b = out;
}

void lanes_make(Gen *x) {
    int *uses = arena_alloc(x->g->arena, ((size_t)x->g->arrays.n + 1) * sizeof *uses);
    gen_count_arrays(&x->f->body, uses);
    find_numbers(x, uses, &x->f->body);
    walk(x, &x->f->body);
}
