/* lanes: loops whose turns ask nothing of each other, by blocks.
 * In: the statements of a function; the loops of groups are marked. Out: the same, where such a loop
 * goes by blocks of LANES turns. Within a block each statement, or a run of them, is a loop over the
 * turns of the block, and loops with the same bounds in all turns stand around: so the innermost
 * loop is long, walks along memory, and C compilers make vector code of it. What a turn remembers from
 * one run to another becomes a row of LANES numbers; sums over turns have a row of partial sums, which
 * are added in a fixed order. What differs from turn to turn in its course (a loop whose bounds
 * are data) is done turn by turn. */
#include "gen.h"
#include <string.h>

enum { MOST_ROWS = 128 }; /* of LANES numbers, on the stack */

typedef struct LaneLocal {
    bool inside;  /* declared in the loop */
    bool set;     /* in the loop */
    bool varying; /* differs from turn to turn */
    bool many;    /* used in several runs */
    int run;      /* in which it is used, 0: none */
    int partial;  /* of a sum over turns: its row of partial sums, 0: none */
} LaneLocal;

typedef struct Lanes {
    Gen *x;
    Graph *g;
    Function *f;
    Stmt *loop;
    Ref index;
    const int *axis; /* by array: that the loop computes turn by turn; else -1 */
    const bool *brief; /* by array: nobody reads it in another turn */
    VEC(LaneLocal) local;
    Block *rows; /* declarations, before everything in the block */
    Stmt *run;   /* not added yet */
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
        if ((s->kind == STMT_MATMUL && !is_of_block(s->matmul)) || s->kind == STMT_KERNEL || s->kind == STMT_ZERO ||
            s->kind == STMT_COPY || (s->value && has_kernel(s->value)) || s->step) {
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

/* Sums over turns are numbers that the loop only adds to. */
static bool reads_sum(Lanes *l, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        for (int k = 0; k < l->local.n; k++) {
            if (!l->local.at[k].set || l->local.at[k].inside) {
                continue;
            }
            bool reads = (s->value && reads_local(s->value, k)) || (s->other && reads_local(s->other, k));
            for (int q = 0; q < s->n && s->position && !reads; q++) {
                reads = reads_local(s->position[q], k);
            }
            if (reads || (s->kind == STMT_SET && s->local == k && (s->op != '+' || s->checked)) ||
                l->f->locals.at[k].type < VALUE_FLOAT) {
                return true;
            }
        }
        if (reads_sum(l, &s->body) || reads_sum(l, &s->otherwise)) {
            return true;
        }
    }
    return false;
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

static bool has_index(const Expr *e, Ref index) {
    bool has = e->kind == EXPR_INDEX && e->ref == index;
    for (int k = 0; k < e->n && !has; k++) {
        has = has_index(e->arg[k], index);
    }
    return has;
}

/* How many more loads walk along memory with this index than with the turn. */
static int count_along(const Lanes *l, const Expr *e, Ref index) {
    int n = 0;
    if (e->kind == EXPR_LOAD && e->n > 0 && !l->brief[e->array]) {
        const Expr *last = e->arg[e->n - 1];
        n += has_index(last, index) - has_index(last, l->index);
    } else if (e->kind == EXPR_LOAD && l->brief[e->array]) {
        n--;
    }
    for (int k = 0; k < e->n; k++) {
        n += count_along(l, e->arg[k], index);
    }
    return n;
}

/* A loop that adds a turn's part to a row of memory, of which it is better done turn by turn: the
 * row is what vector code walks along. */
static bool adds_row(const Lanes *l, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    return s && !s->next && s->kind == STMT_STORE && s->op == '+' && l->axis[s->array] < 0 &&
           s->n > 0 && has_index(s->position[s->n - 1], loop->index) &&
           1 + count_along(l, s->value, loop->index) > 0;
}

/* A sum along memory within a turn: better done turn by turn, too. */
static bool sums_row(const Lanes *l, const Stmt *loop) {
    const Stmt *s = loop->body.first;
    return s && !s->next && s->kind == STMT_SET && s->op == '+' && loop->hint == HINT_SUM &&
           loop->hint_local == s->local && l->local.at[s->local].inside &&
           l->local.at[s->local].varying &&
           count_along(l, s->value, loop->index) > 0;
}

/* The last statement goes if it starts this sum at 0: one loop that makes the sum needs no start. The
 * comments before it wait for that loop. */
static bool drop_start(Lanes *l, int sum) {
    Block kept = {0};
    double zero;
    const Stmt *last = l->run ? l->run->body.first : NULL, *said = NULL;
    while (last && last->next) {
        said = last->kind == STMT_COMMENT ? said ? said : last : NULL;
        last = last->next;
    }
    if (!last || last->kind != STMT_VAR || last->local != sum || !last->value ||
        last->value->kind != EXPR_CONST || !graph_is_real(l->g, last->value->ref, &zero) || zero != 0) {
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

static void transform(Lanes *l, Block *in, Block *out) {
    for (Stmt *s = in->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        bool varying = s->value && is_varying(l, s->value);
        switch (s->kind) {
        case STMT_LET:
            add(l, varying ? run_of(l) : out, s);
            break;
        case STMT_VAR:
        case STMT_SET:
            if (local_of(l, s->local)->varying) {
                int partial = local_of(l, s->local)->partial;
                s->local = partial ? partial : s->local;
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
                add(l, run_of(l), s);
            } else if (moves || s->op != '+') {
                alone(l, out, s, false);
            } else {
                add_turns(l, out, s);
            }
            break;
        }
        case STMT_LOOP:
            if (varying || is_varying(l, s->other) || adds_row(l, s)) {
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
            if (varying) {
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
        default:
            flush(l, out);
            add(l, out, s);
        }
    }
    flush(l, out);
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
    note_runs(&l, &body, 0);
    for (int k = 0; k < locals; k++) {
        if (l.local.at[k].varying && l.local.at[k].inside && l.local.at[k].many) {
            Stmt *var = gen_stmt(x, STMT_VAR);
            var->local = k;
            x->f->locals.at[k].lanes = true;
            gen_append(&rows, var);
        }
    }
    set_rows(&l, &body);
    set_hints(&body);
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

/* What becomes of arrays, by array: how often each is met, and what stands for it. */
static void count_loads(const Expr *e, int *n) {
    if (e->kind == EXPR_LOAD) {
        n[e->array]++;
    }
    for (int k = 0; k < e->n; k++) {
        count_loads(e->arg[k], n);
    }
}

static void count_uses(const Block *b, int *n) {
    for (const Stmt *s = b->first; s; s = s->next) {
        n[s->array] += s->kind != STMT_COMMENT;
        if (s->value) {
            count_loads(s->value, n);
        }
        if (s->other) {
            count_loads(s->other, n);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            count_loads(s->position[k], n);
        }
        for (int k = 0; k < 3 && s->matmul; k++) {
            n[s->matmul->array[k]]++;
        }
        for (int k = 0; k < 2 && s->call; k++) {
            n[s->call->array[k]]++;
        }
        count_uses(&s->body, n);
        count_uses(&s->otherwise, n);
    }
}

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
    count_uses(&loop->body, inside);
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
    count_uses(&x->f->body, uses);
    find_numbers(x, uses, &x->f->body);
    walk(x, &x->f->body);
}
