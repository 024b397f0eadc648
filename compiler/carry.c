/* carry: what a recurrence takes from one turn to the next has names.
 * In: the statements of a function, after those passes that make vector code. Out: the same, where an
 * array of the workspace of which one entry is kept is a variable, and one of which the last few are
 * kept is a variable for each, `v`, `v_before` and so on, that the start of a turn moves on.
 *
 * In memory entry t lies at v[t & 1]: a C compiler cannot tell that this is not what the turn before
 * wrote, so each turn stores its state and loads it again, four or five cycles that the next turn
 * waits for. A variable is a register. Which name a read means follows from how far its place is
 * behind the entry that the turn makes, or, behind the loop, from how far it is from the last turn:
 * that is the size at the loop's head, or what an iteration counted. An array with one access whose
 * place is not found so stays in memory. */
#include "gen.h"

enum {
    MOST_DEPTH = 24, /* blocks in blocks */
    MOST_BACK = 4    /* names of an array */
};

typedef struct Step { /* on the way to a statement: a block, and the statement in it */
    const Block *block;
    Stmt *s;
    int number; /* of the statement, as a walk meets them */
} Step;

typedef struct Kept { /* an array that may become names */
    bool is, bad;
    int axis;       /* of the window; -1: one entry is kept */
    int loop, back; /* the loop that makes its entries; how many names it has */
    int depth, met; /* the blocks around all that touches it, and around what did first */
    Step way[MOST_DEPTH];
    bool sets;       /* what touches it first sets it */
    int stores, last; /* last: the number of the last statement that touches it */
    const Poly *end; /* behind its loop: the place of the entry that was made last; NULL: unknown */
    int name[MOST_BACK];
} Kept;

typedef struct Put { /* statements that go before one, or at the start of a loop's body */
    Block before, first;
} Put;

typedef struct Carry {
    Gen *x;
    Graph *g;
    Function *f;
    Kept *kept;     /* by array */
    int *sets;      /* by local: statements that change it */
    Ref *turns;     /* by local: what stands for it in places; 0: nothing */
    Ref *counts;    /* by array: likewise */
    Put *put;       /* by statement */
    int n;          /* statements so far */
    VEC(Step) way;
    int beyond;     /* loops around that are not understood */
    int rows;       /* loops around that are vector code */
    VEC(const Stmt *) loops; /* of turns, and their statements' numbers */
    VEC(int) loops_at;
    int locals; /* before there were names */
} Carry;

/* ---- places */

static const Poly *place_of(Carry *c, const Expr *e) {
    Arena *arena = c->g->arena;
    if (e->kind == EXPR_LOCAL) {
        Ref r = e->local < c->locals ? c->turns[e->local] : 0;
        return r ? poly_var(arena, r) : NULL;
    }
    if (e->kind == EXPR_LOAD) {
        return c->counts[e->array] ? poly_var(arena, c->counts[e->array]) : NULL;
    }
    if (e->kind != EXPR_OP || e->checked || e->type != VALUE_INT || e->n != 2 ||
        (e->op != OP_add && e->op != OP_sub)) {
        const Poly *p = plan_poly(c->g, e);
        return p && poly_is_known(p) ? p : NULL;
    }
    const Poly *a = place_of(c, e->arg[0]), *b = place_of(c, e->arg[1]);
    return !a || !b         ? NULL
           : e->op == OP_add ? poly_add(arena, a, b)
                             : poly_sub(arena, a, b);
}

static const LoopPlace *loop_place(const Function *f, ArrayRef a, int axis) {
    for (int k = 0; k < f->places.n; k++) {
        if (f->places.at[k].array == a && f->places.at[k].axis == axis) {
            return &f->places.at[k];
        }
    }
    return NULL;
}

static bool is_of(const Stmt *s, int loop) {
    return s->kind == STMT_LOOP && s->turns && s->number == loop;
}

/* The loop around that makes the array's entries; NULL: none. */
static const Stmt *loop_around(const Carry *c, const Kept *k) {
    for (int q = c->way.n - 1; q >= 0; q--) {
        if (is_of(c->way.at[q].s, k->loop)) {
            return c->way.at[q].s;
        }
    }
    return NULL;
}

/* How many entries before the newest one; -1: not known. */
static int entries_back(Carry *c, ArrayRef a, Expr *const *position) {
    Kept *k = &c->kept[a];
    if (k->axis < 0) {
        return 0;
    }
    const Poly *at = place_of(c, position[k->axis]), *newest = k->end;
    const LoopPlace *p = loop_place(c->f, a, k->axis);
    const Stmt *loop = loop_around(c, k);
    int64_t back;
    if (loop) {
        newest = poly_sub(c->g->arena, poly_var(c->g->arena, loop->index),
                          poly_int(c->g->arena, p->off));
    }
    if (!at || !newest) {
        return -1;
    }
    const Poly *d = poly_sub(c->g->arena, newest, at);
    if (!poly_is_int(p->down ? poly_neg(c->g->arena, d) : d, &back) || back < 0 ||
        back >= MOST_BACK) {
        return -1;
    }
    return (int)back;
}

/* ---- what touches which array */

static void touch(Carry *c, ArrayRef a, Expr *const *position, bool store, bool sets) {
    Kept *k = &c->kept[a];
    if (!k->is || k->bad) {
        return;
    }
    int n = c->way.n, same = 0;
    if (c->beyond || (store && c->rows) || n > MOST_DEPTH) {
        k->bad = true;
        return;
    }
    if (k->met == 0) {
        for (int q = 0; q < n; q++) {
            k->way[q] = c->way.at[q];
        }
        k->met = k->depth = n;
        k->sets = sets;
    }
    while (same < n && same < k->depth && k->way[same].block == c->way.at[same].block) {
        same++;
    }
    k->depth = same;
    k->last = c->way.at[n - 1].number;
    int back = entries_back(c, a, position);
    if (back < 0 || (store && (back != 0 || (k->axis >= 0 && !loop_around(c, k))))) {
        k->bad = true;
        return;
    }
    k->back = back + 1 > k->back ? back + 1 : k->back;
    k->stores += store;
}

static void spoil(Carry *c, ArrayRef a) {
    c->kept[a].bad = true;
}

/* What stands at places of calls is not looked at again. */
static void spoil_expr(Carry *c, const Expr *e);

static void spoil_call(Carry *c, const KernelCall *call) {
    for (int k = 0; k < 2; k++) {
        for (int q = 0; call->array[k] && q < ARRAY(c->g, call->array[k])->rank; q++) {
            spoil_expr(c, call->position[k][q]);
        }
        spoil(c, call->array[k]);
    }
}

static void spoil_expr(Carry *c, const Expr *e) {
    for (int k = 0; k < e->n; k++) {
        spoil_expr(c, e->arg[k]);
    }
    if (e->kind == EXPR_LOAD) {
        spoil(c, e->array);
    } else if (e->kind == EXPR_KERNEL) {
        spoil_call(c, e->call);
    }
}

static void touch_expr(Carry *c, const Expr *e) {
    for (int k = 0; k < e->n; k++) {
        touch_expr(c, e->arg[k]);
    }
    if (e->kind == EXPR_LOAD) {
        touch(c, e->array, e->arg, false, false);
    } else if (e->kind == EXPR_KERNEL) {
        spoil_call(c, e->call);
    }
}

static int breaks_in(const Block *b) { /* ways out of the loop that this is the body of */
    int n = 0;
    for (const Stmt *s = b->first; s; s = s->next) {
        n += s->kind == STMT_BREAK;
        n += s->kind == STMT_LOOP ? 0 : breaks_in(&s->body) + breaks_in(&s->otherwise);
    }
    return n;
}

/* if (..) { turns = index + 1; break; }, straight in the loop, which has no other way out: the
 * local; -1: it has not that. */
static int counted(Carry *c, const Stmt *loop) {
    int found = -1;
    for (const Stmt *s = loop->body.first; s; s = s->next) {
        for (const Stmt *t = s->kind == STMT_IF ? s->body.first : NULL; t; t = t->next) {
            if (t->kind != STMT_SET || !t->next || t->next->kind != STMT_BREAK || t->op != '=' ||
                t->local >= c->locals || c->sets[t->local] != 1) {
                continue;
            }
            const Poly *p = place_of(c, t->value),
                       *next = poly_add(c->g->arena, poly_var(c->g->arena, loop->index),
                                        poly_int(c->g->arena, 1));
            found = p && poly_equal(p, next) ? t->local : found;
        }
    }
    return breaks_in(&loop->body) == 1 ? found : -1;
}

/* Behind a loop of turns: where its last entries are. */
static void end_loop(Carry *c, const Stmt *loop) {
    Graph *g = c->g;
    const Poly *last = NULL;
    int local = counted(c, loop);
    if (local >= 0) {
        if (!c->turns[local]) {
            c->turns[local] = graph_index(g, "turns", EXTENT(g, loop->index));
        }
        last = poly_sub(g->arena, poly_var(g->arena, c->turns[local]), poly_int(g->arena, 1));
    } else if (!breaks_in(&loop->body)) {
        last = place_of(c, loop->down ? loop->value : loop->other);
        last = last && !loop->down ? poly_sub(g->arena, last, poly_int(g->arena, 1)) : last;
    }
    for (int q = 0; q < c->f->places.n; q++) {
        const LoopPlace *p = &c->f->places.at[q];
        Kept *k = &c->kept[p->array];
        if (p->loop == loop->number && k->is && k->axis == p->axis) {
            k->end = last ? poly_sub(g->arena, last, poly_int(g->arena, p->off)) : NULL;
        }
    }
}

/* Loops whose turns are not one after the other, or not those that stand there. */
static bool is_beyond(const Stmt *s) {
    return s->kind == STMT_THREADS || s->kind == STMT_REPLAY ||
           (s->kind == STMT_LOOP && (s->lanes || s->step || s->jump || s->jam || s->room));
}

static void enter(Carry *c, const Block *b, Stmt *s) {
    VEC_PUSH(c->g->arena, c->way, ((Step){b, s, c->n++}));
}

/* The count of an iteration, as it is stored. */
static void note_count(Carry *c, const Stmt *s) {
    bool is = s->value->kind == EXPR_LOCAL && s->op == '=' && s->value->local < c->locals &&
              c->kept[s->array].axis < 0;
    c->counts[s->array] = is ? c->turns[s->value->local] : 0;
}

static void touch_block(Carry *c, const Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        enter(c, b, s);
        if (s->value) {
            touch_expr(c, s->value);
        }
        if (s->other) {
            touch_expr(c, s->other);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            touch_expr(c, s->position[k]);
        }
        for (int k = 0; k < 3 && s->matmul; k++) {
            spoil(c, s->matmul->array[k]);
            for (int q = 0; q < ARRAY(c->g, s->matmul->array[k])->rank; q++) {
                spoil_expr(c, s->matmul->position[k][q]);
            }
        }
        if (s->call) {
            spoil_call(c, s->call);
        }
        if (s->kind == STMT_STORE) {
            note_count(c, s);
            touch(c, s->array, s->position, true, s->op == '=');
            c->kept[s->array].bad = c->kept[s->array].bad || s->checked;
        } else if (s->array && s->kind != STMT_COMMENT) {
            spoil(c, s->array);
        }
        bool turns = s->kind == STMT_LOOP && s->turns, beyond = is_beyond(s),
             row = s->kind == STMT_LOOP && s->hint != HINT_NONE;
        if (turns) {
            VEC_PUSH(c->g->arena, c->loops, s);
            VEC_PUSH(c->g->arena, c->loops_at, c->way.at[c->way.n - 1].number);
        }
        c->beyond += beyond, c->rows += row;
        touch_block(c, &s->body);
        touch_block(c, &s->otherwise);
        c->beyond -= beyond, c->rows -= row;
        if (turns) {
            end_loop(c, s);
        }
        c->way.n--;
    }
}

static void count_sets(Carry *c, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        c->n++;
        c->sets[s->local] += s->kind == STMT_SET;
        count_sets(c, &s->body);
        count_sets(c, &s->otherwise);
    }
}

/* ---- which arrays */

/* Does memory hold one entry, or the last ones along one axis? */
static bool is_candidate(Carry *c, ArrayRef a, const bool *carried, const bool *asked) {
    const Function *f = c->f;
    const Store *s = f->store[a];
    Kept *k = &c->kept[a];
    k->axis = -1;
    if (carried[a] || asked[a] || f->place[a] != PLACE_BUFFER || f->scattered[a] ||
        !f->computed[a] || !s || s->row || s->checkpoint || s->n > 1) {
        return false;
    }
    int last = -1;
    for (int q = 0; q < f->places.n; q++) {
        last = f->places.at[q].array == a ? f->places.at[q].loop : last;
    }
    k->loop = last;
    if (s->n == 1) {
        const LoopPlace *p = loop_place(f, a, s->axis[0]);
        if (!p || s->window[s->axis[0]] < 2) {
            return false;
        }
        k->axis = s->axis[0];
        k->loop = p->loop;
    }
    return last >= 0;
}

static bool *asked_of(const Carry *c) {
    const Function *f = c->f;
    bool *asked = arena_alloc(c->g->arena, (size_t)c->g->arrays.n + 1);
    for (int k = 0; k < f->writes.n; k++) {
        asked[f->writes.at[k]] = true;
    }
    for (int k = 0; k < f->checkpoints.n; k++) {
        const Checkpoint *p = f->checkpoints.at[k];
        for (ArrayRef a = 1; a < (ArrayRef)p->arrays; a++) {
            asked[a] = asked[a] || p->again[a] || p->window[a];
        }
        for (int q = 0; q < p->states.n; q++) {
            asked[p->states.at[q].array] = true;
        }
        for (int q = 0; q < p->ends.n; q++) {
            asked[p->ends.at[q].array] = true;
        }
    }
    return asked;
}

/* ---- names */

static Stmt *started(Carry *c, int local) {
    ValueType type = c->f->locals.at[local].type;
    Stmt *var = gen_stmt(c->x, STMT_VAR);
    var->local = local;
    var->value = gen_expr(c->x, EXPR_CONST, type, 0);
    var->value->ref = nest_zero_of(c->g, type);
    return var;
}

static void name_entries(Carry *c, ArrayRef a) {
    Function *f = c->f;
    Kept *k = &c->kept[a];
    const Array *array = ARRAY(c->g, a);
    for (int q = 0; q < k->back; q++) {
        k->name[q] = gen_local(c->x, array->name, array->type, true);
        Local *l = &f->locals.at[k->name[q]];
        l->array = q ? 0 : a, l->part_of = q ? a : 0, l->back = q;
    }
    f->place[a] = PLACE_LOCAL, f->local[a] = k->name[0];
    if (k->axis < 0 && k->sets && k->depth == k->met) {
        return; /* the statement that sets it says what it is */
    }
    k->sets = false;
    int at = k->depth - 1; /* outside of its loop */
    for (int q = 0; q < k->depth; q++) {
        if (is_of(k->way[q].s, k->loop)) {
            at = q;
            break;
        }
    }
    int before = k->way[at].number;
    for (int q = k->back - 1; q >= 0; q--) {
        gen_append(&c->put[before].before, started(c, k->name[q]));
    }
    for (int i = 0; i < c->loops.n && k->back > 1; i++) {
        int number = c->loops_at.at[i];
        if (!is_of(c->loops.at[i], k->loop) || number < before || number > k->last) {
            continue;
        }
        for (int q = k->back - 1; q > 0; q--) {
            Stmt *move = gen_set(c->x, k->name[q], '=', gen_local_expr(c->x, k->name[q - 1]));
            gen_append(&c->put[number].first, move);
        }
    }
}

/* ---- the statements with names */

static Expr *named(Carry *c, Expr *e) {
    if (e->kind == EXPR_LOAD && c->kept[e->array].is) {
        int back = entries_back(c, e->array, e->arg);
        if (back < 0 || back >= c->kept[e->array].back) {
            bug("an entry of '%s' has no name", ARRAY(c->g, e->array)->name);
        }
        return gen_local_expr(c->x, c->kept[e->array].name[back]);
    }
    Expr *copy = NULL;
    for (int k = 0; k < e->n; k++) {
        Expr *arg = named(c, e->arg[k]);
        if (arg != e->arg[k] && !copy) {
            copy = gen_expr(c->x, e->kind, e->type, e->n);
            Expr **args = copy->arg;
            *copy = *e;
            copy->arg = args;
            for (int q = 0; q < e->n; q++) {
                args[q] = e->arg[q];
            }
        }
        if (copy) {
            copy->arg[k] = arg;
        }
    }
    return copy ? copy : e;
}

static void name_block(Carry *c, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        enter(c, b, s);
        Put *put = &c->put[c->way.at[c->way.n - 1].number];
        if (s->kind == STMT_STORE) {
            note_count(c, s);
        }
        s->value = s->value ? named(c, s->value) : NULL;
        s->other = s->other ? named(c, s->other) : NULL;
        Kept *k = s->kind == STMT_STORE ? &c->kept[s->array] : NULL;
        if (k && k->is) {
            s->kind = !k->sets ? STMT_SET : k->stores == 1 ? STMT_LET : STMT_VAR;
            k->sets = false;
            s->local = k->name[0], s->array = 0, s->n = 0, s->position = NULL;
        }
        for (int q = 0; q < s->n && s->position; q++) {
            s->position[q] = named(c, s->position[q]);
        }
        gen_append_all(&out, &put->before);
        name_block(c, &s->body);
        name_block(c, &s->otherwise);
        if (put->first.first) {
            Block body = put->first;
            gen_append_all(&body, &s->body);
            s->body = body;
        }
        if (s->kind == STMT_LOOP && s->turns) {
            end_loop(c, s);
        }
        gen_append(&out, s);
        c->way.n--;
    }
    *b = out;
}

/* ---- names that nobody asks for: how many turns an iteration had is said by a name, too */

static void count_reads(const Expr *e, int *reads) {
    if (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) {
        reads[e->local]++;
    }
    for (int k = 0; k < e->n; k++) {
        count_reads(e->arg[k], reads);
    }
    for (int k = 0; k < 2 && e->kind == EXPR_KERNEL; k++) {
        for (int q = 0; e->call->position[k] && e->call->position[k][q]; q++) {
            count_reads(e->call->position[k][q], reads);
        }
    }
}

static void count_all_reads(const Block *b, int *reads) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            count_reads(s->value, reads);
        }
        if (s->other) {
            count_reads(s->other, reads);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            count_reads(s->position[k], reads);
        }
        for (int k = 0; k < 3 && s->matmul; k++) {
            for (int q = 0; s->matmul->position[k][q]; q++) {
                count_reads(s->matmul->position[k][q], reads);
            }
        }
        for (int k = 0; k < 2 && s->call; k++) {
            for (int q = 0; s->call->position[k] && s->call->position[k][q]; q++) {
                count_reads(s->call->position[k][q], reads);
            }
        }
        count_all_reads(&s->body, reads);
        count_all_reads(&s->otherwise, reads);
    }
}

/* Of the names that were made here; *some: there were such. */
static void drop_unread(Carry *c, Block *b, const int *reads, bool *some) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        bool sets = s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET;
        if (sets && s->local >= c->locals && !reads[s->local] &&
            !(s->value && gen_expr_may_fail(s->value))) {
            *some = true;
            continue;
        }
        bool held = s->body.first || s->otherwise.first;
        drop_unread(c, &s->body, reads, some);
        drop_unread(c, &s->otherwise, reads, some);
        if (s->kind == STMT_IF && held && !s->body.first && !s->otherwise.first &&
            !gen_expr_may_fail(s->value)) {
            continue;
        }
        gen_append(&out, s);
    }
    *b = out;
}

void carry_names(Gen *x, const bool *carried) {
    Graph *g = x->g;
    Function *f = x->f;
    size_t all = (size_t)g->arrays.n + 1;
    Carry c = {.x = x, .g = g, .f = f, .locals = f->locals.n};
    const bool *asked = asked_of(&c);
    bool some = false;
    c.kept = arena_alloc(g->arena, all * sizeof *c.kept);
    for (int k = 0; k < f->buffers.n; k++) {
        ArrayRef a = f->buffers.at[k];
        c.kept[a].is = is_candidate(&c, a, carried, asked);
        some = some || c.kept[a].is;
    }
    if (!some) {
        return;
    }
    c.counts = arena_alloc(g->arena, all * sizeof *c.counts);
    c.sets = arena_alloc(g->arena, ((size_t)c.locals + 1) * sizeof *c.sets);
    c.turns = arena_alloc(g->arena, ((size_t)c.locals + 1) * sizeof *c.turns);
    count_sets(&c, &f->body);
    c.put = arena_alloc(g->arena, ((size_t)c.n + 1) * sizeof *c.put);
    c.n = 0;
    touch_block(&c, &f->body);
    int left = 0;
    for (int k = 0; k < f->buffers.n; k++) {
        Kept *of = &c.kept[f->buffers.at[k]];
        of->is = of->is && !of->bad && of->stores > 0;
        if (of->is) {
            name_entries(&c, f->buffers.at[k]);
        } else {
            f->buffers.at[left++] = f->buffers.at[k];
        }
        of->end = NULL;
        c.counts[f->buffers.at[k]] = 0;
    }
    f->buffers.n = left;
    c.n = 0;
    name_block(&c, &f->body);
    for (bool unread = true; unread;) {
        int *reads = arena_alloc(g->arena, ((size_t)f->locals.n + 1) * sizeof *reads);
        unread = false;
        count_all_reads(&f->body, reads);
        drop_unread(&c, &f->body, reads, &unread);
    }
}
