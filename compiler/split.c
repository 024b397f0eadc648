/* split: a function of very many statements becomes several.
 * In: the statements of a function, as they will be printed. Out: the same in runs, its parts, each
 * of which is printed as a C function, and a place in the workspace for each number that goes from
 * one part to a later one. C compilers need more time for one large function than for many small
 * ones. Three steps: sums of many terms are taken apart, so that a term is added as soon as it is
 * there; results are handed out as soon as they are computed; and cuts are put where few numbers
 * are live. What is computed stays the same, operation for operation. Small functions are left
 * alone. */
#include "gen.h"
#include "ops.h"

enum {
    LARGE = 10000,    /* a function of so much text is split; in nodes of expressions, about */
    PART = 700,       /* of a part, unless one statement is larger */
    PIECE = 48,       /* of an expression, what is in front of it has a name of its own */
    LONG = 4 * PIECE, /* an expression that is taken apart */
    ENTRY = 8         /* what another part costs, in numbers that are handed over */
};

typedef struct Bucket { /* what was moved behind a statement */
    Block block;
    ArrayRef to; /* the result that its last statement sets, if that is all it does */
} Bucket;

typedef struct Split {
    Gen *x;
    Graph *g;
    Function *f;
    VEC(int) locals;      /* that the statement at hand names */
    VEC(int) sets;        /* those that it sets */
    VEC(ArrayRef) arrays; /* those in memory that it names, given ones apart */
    VEC(int)
    own;           /* those that a block in it declares: nobody else can name these, but a copy
                    * of the block, another turn of a loop apart, declares them again */
    VEC(int) mark; /* by local: the last note that found it to be its own */
    int notes;
    bool bound;     /* it names an index */
    VEC(int) ready; /* by local: behind which statement it is there; NOT_YET */
    int *settled;   /* by array: behind which statement it was touched last */
    Bucket *behind; /* by statement, the first one 1 */
    int now;        /* the statement at hand */
    Stmt *comment;  /* the statement before it, if that is a comment */
    ArrayRef of;    /* what it computes; 0: nothing that has a name */
} Split;

enum { NOT_YET = -1 };

/* ---- what a statement names */

static void note_array(Split *s, ArrayRef a) {
    Place place = s->f->place[a];
    if (place == PLACE_LOCAL) {
        VEC_PUSH(s->g->arena, s->locals, s->f->local[a]);
    } else if (place != PLACE_INPUT && place != PLACE_TABLE) {
        VEC_PUSH(s->g->arena, s->arrays, a);
    }
}

static void note_set_array(Split *s, ArrayRef a) {
    note_array(s, a);
    if (s->f->place[a] == PLACE_LOCAL) {
        VEC_PUSH(s->g->arena, s->sets, s->f->local[a]);
    }
}

static void note_call(Split *s, const KernelCall *call) {
    for (int k = 0; k < 2; k++) {
        if (call->array[k]) {
            note_set_array(s, call->array[k]);
        }
    }
}

static void note_expr(Split *s, const Expr *e) {
    for (;;) {
        s->bound = s->bound || e->kind == EXPR_INDEX;
        if (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) {
            VEC_PUSH(s->g->arena, s->locals, e->local);
        } else if (e->kind == EXPR_LOAD) {
            note_array(s, e->array);
        } else if (e->kind == EXPR_KERNEL) {
            note_call(s, e->call);
        }
        for (int k = 1; k < e->n; k++) {
            note_expr(s, e->arg[k]);
        }
        if (e->n == 0) { /* sums of many terms are deep on the left */
            return;
        }
        e = e->arg[0];
    }
}

static void note_block(Split *s, const Block *b);

static void note_parts(Split *s, const Stmt *t) {
    bool sets = t->kind == STMT_LET || t->kind == STMT_VAR || t->kind == STMT_SET;
    if (sets) {
        VEC_PUSH(s->g->arena, s->locals, t->local);
        VEC_PUSH(s->g->arena, s->sets, t->local);
    }
    if (t->kind == STMT_LOOP && t->hint > HINT_LANES) {
        VEC_PUSH(s->g->arena, s->locals, t->hint_local);
    }
    if (t->kind == STMT_STORE || t->kind == STMT_ZERO) {
        note_set_array(s, t->array);
    } else if (t->array && t->kind != STMT_COMMENT) {
        note_array(s, t->array);
    }
    for (int k = 0; k < t->n && t->position; k++) {
        note_expr(s, t->position[k]);
    }
    if (t->value) {
        note_expr(s, t->value);
    }
    if (t->other) {
        note_expr(s, t->other);
    }
    if (t->matmul) {
        for (int k = 0; k < 3; k++) {
            note_set_array(s, t->matmul->array[k]);
        }
    }
    if (t->call) {
        note_call(s, t->call);
    }
    if (t->threads) {
        note_expr(s, t->threads->lo);
        note_expr(s, t->threads->hi);
    }
    note_block(s, &t->body);
    note_block(s, &t->otherwise);
}

static void note_block(Split *s, const Block *b) {
    for (const Stmt *t = b->first; t; t = t->next) {
        if (t->kind == STMT_LET || t->kind == STMT_VAR) {
            VEC_PUSH(s->g->arena, s->own, t->local);
        }
        note_parts(s, t);
    }
}

static void note_clear(Split *s) {
    s->locals.n = s->sets.n = s->arrays.n = s->own.n = 0;
    s->bound = false;
}

static int drop_own(const Split *s, int *locals, int n) {
    int kept = 0;
    for (int k = 0; k < n; k++) {
        if (s->mark.at[locals[k]] != s->notes) {
            locals[kept++] = locals[k];
        }
    }
    return kept;
}

/* What a statement names of what is around it. */
static void note_stmt(Split *s, const Stmt *t) {
    note_clear(s);
    note_parts(s, t);
    if (!s->own.n) {
        return;
    }
    while (s->mark.n < s->f->locals.n) {
        VEC_PUSH(s->g->arena, s->mark, 0);
    }
    s->notes++;
    for (int k = 0; k < s->own.n; k++) {
        s->mark.at[s->own.at[k]] = s->notes;
    }
    s->locals.n = drop_own(s, s->locals.at, s->locals.n);
    s->sets.n = drop_own(s, s->sets.at, s->sets.n);
}

/* ---- how much text it is */

static int64_t weigh_expr(const Expr *e) {
    int64_t n = 1;
    for (; e->n; e = e->arg[0]) {
        n++;
        for (int k = 1; k < e->n; k++) {
            n += weigh_expr(e->arg[k]);
        }
    }
    return n;
}

static int64_t weigh_block(const Block *b);

static int64_t weigh_stmt(const Stmt *t) {
    int64_t n = t->kind == STMT_COMMENT ? 0 : 1;
    n += t->value ? weigh_expr(t->value) : 0;
    n += t->other ? weigh_expr(t->other) : 0;
    for (int k = 0; k < t->n && t->position; k++) {
        n += weigh_expr(t->position[k]);
    }
    return n + weigh_block(&t->body) + weigh_block(&t->otherwise);
}

static int64_t weigh_block(const Block *b) {
    int64_t n = 0;
    for (const Stmt *t = b->first; t; t = t->next) {
        n += weigh_stmt(t);
    }
    return n;
}

/* ---- expressions that are taken apart */

/* Behind which statement all that was noted is there; NOT_YET: it may not be moved. */
static int place_of_noted(const Split *s) {
    int at = s->bound ? NOT_YET : 0;
    for (int k = 0; k < s->locals.n && at != NOT_YET; k++) {
        int ready = s->ready.at[s->locals.at[k]];
        at = ready == NOT_YET ? NOT_YET : ready > at ? ready : at;
    }
    for (int k = 0; k < s->arrays.n && at != NOT_YET; k++) {
        int touched = s->settled[s->arrays.at[k]];
        at = touched > at ? touched : at;
    }
    return at;
}

static void put_behind(Split *s, int at, Stmt *t, ArrayRef to) {
    gen_append(&s->behind[at].block, t);
    s->behind[at].to = to;
}

/* A name for what is in front of a larger expression, given as soon as it can be. */
static Expr *name_early(Split *s, Expr *e) {
    note_clear(s);
    note_expr(s, e);
    int at = place_of_noted(s);
    if (at == NOT_YET) {
        return e;
    }
    if (at == 0) { /* made of arguments: where it is wanted */
        at = s->now - 1;
    }
    const char *of = s->of ? ARRAY(s->g, s->of)->name : "t";
    int local = gen_local(s->x, arena_format(s->g->arena, "%s_part", of), e->type, false);
    s->f->locals.at[local].part_of = s->of;
    Stmt *let = gen_stmt(s->x, STMT_LET);
    let->local = local, let->value = e;
    if (at < s->now - 1) {
        Stmt *comment = gen_stmt(s->x, STMT_COMMENT);
        comment->text = arena_format(s->g->arena, "of %s", of);
        put_behind(s, at, comment, 0);
    }
    put_behind(s, at, let, 0);
    VEC_PUSH(s->g->arena, s->ready, at);
    return gen_local_expr(s->x, local);
}

typedef struct Short {
    Expr *e;
    int weight;
    bool fails; /* or does something besides */
} Short;

/* Is every argument of it computed, whatever the others are? */
static bool is_strict(const Expr *e) {
    return e->kind == EXPR_CAST || (e->kind == EXPR_OP && e->op != OP_and && e->op != OP_or);
}

/* The same value, with names for what is in front: an expression of at most twice PIECE, where it
 * cannot fail. */
static Short shorten(Split *s, Expr *e) {
    VEC(Expr *) spine = {0};
    while (is_strict(e) && e->n) {
        VEC_PUSH(s->g->arena, spine, e);
        e = e->arg[0];
    }
    Short so = {e, 1, false};
    if (e->kind == EXPR_SELECT) { /* its sides stay under their condition */
        Short c = shorten(s, e->arg[0]);
        so.e = gen_expr(s->x, EXPR_SELECT, e->type, 3);
        so.e->arg[0] = c.e, so.e->arg[1] = e->arg[1], so.e->arg[2] = e->arg[2];
        so.weight += (int)(weigh_expr(e->arg[1]) + weigh_expr(e->arg[2])) + c.weight;
        so.fails = c.fails || gen_expr_may_fail(e->arg[1]) || gen_expr_may_fail(e->arg[2]);
    } else if (e->n) {
        so.weight = (int)weigh_expr(e);
        so.fails = gen_expr_may_fail(e);
    } else {
        so.fails = e->kind == EXPR_EXTERN || e->kind == EXPR_KERNEL;
    }
    for (int k = spine.n - 1; k >= 0; k--) {
        const Expr *from = spine.at[k];
        Expr *to = gen_expr(s->x, from->kind, from->type, from->n);
        Expr **arg = to->arg;
        *to = *from;
        to->arg = arg;
        arg[0] = so.e;
        so.fails = so.fails || from->checked || (from->kind == EXPR_OP && from->op == OP_trunc);
        for (int q = 1; q < from->n; q++) {
            Short other = shorten(s, from->arg[q]);
            arg[q] = other.e;
            so.weight += other.weight;
            so.fails = so.fails || other.fails;
        }
        so.e = to;
        so.weight++;
        if (so.weight > PIECE && k > 0 && !so.fails) {
            Expr *named = name_early(s, to);
            so.weight = named == to ? so.weight : 1;
            so.e = named;
        }
    }
    if (so.weight > PIECE && so.e->kind == EXPR_SELECT && !so.fails) {
        Expr *named = name_early(s, so.e);
        so.weight = named == so.e ? so.weight : 1;
        so.e = named;
    }
    return so;
}

static ArrayRef computed_by(const Split *s, const Stmt *t) {
    bool sets = t->kind == STMT_LET || t->kind == STMT_VAR || t->kind == STMT_SET;
    return sets ? s->f->locals.at[t->local].array : t->kind == STMT_STORE ? t->array : 0;
}

static void take_apart(Split *s, Stmt *t) {
    if (t->value && t->kind != STMT_LOOP && t->kind != STMT_IF && weigh_expr(t->value) > LONG) {
        s->of = computed_by(s, t);
        t->value = shorten(s, t->value).e;
    }
    if (t->kind == STMT_IF && t->array) { /* is a result asked for? */
        for (Stmt *inner = t->body.first; inner; inner = inner->next) {
            take_apart(s, inner);
        }
    }
}

/* ---- results that are handed out early */

/* The number of an entry at a fixed place, of an array of fixed size; -1: it is none. */
static int64_t entry_number(const Graph *g, const Stmt *store) {
    const Array *a = ARRAY(g, store->array);
    int64_t number = 0, at, extent;
    for (int k = 0; k < a->rank; k++) {
        if (!store->position || store->position[k]->kind != EXPR_CONST ||
            !graph_is_int(g, store->position[k]->ref, &at) || !poly_is_int(a->extent[k], &extent)) {
            return -1;
        }
        number = number * extent + at;
    }
    return number;
}

/* Only entries of a result, at fixed places, each once? */
static bool gives_entries(const Split *s, const Stmt *t) {
    bool fit = t->kind == STMT_IF && t->array && !t->otherwise.first && t->body.first &&
               s->f->place[t->array] == PLACE_OUTPUT;
    int64_t all = 1, extent;
    for (int k = 0; fit && k < ARRAY(s->g, t->array)->rank; k++) {
        fit = poly_is_int(ARRAY(s->g, t->array)->extent[k], &extent) && extent <= INT32_MAX / all;
        all *= fit ? extent : 1;
    }
    bool *given = fit ? arena_alloc(s->g->arena, (size_t)all + 1) : NULL;
    for (const Stmt *inner = fit ? t->body.first : NULL; inner && fit; inner = inner->next) {
        int64_t number = inner->kind == STMT_STORE && inner->array == t->array && inner->op == '='
                             ? entry_number(s->g, inner)
                             : -1;
        fit = number >= 0 && number < all && !given[number];
        if (fit) {
            given[number] = true;
        }
    }
    return fit;
}

/* Where an entry can be given: behind which statement. */
static int entry_place(Split *s, const Stmt *store) {
    note_stmt(s, store);
    int at = place_of_noted(s);
    return at == NOT_YET || at == 0 || gen_expr_may_fail(store->value) ? s->now : at;
}

static void give_entry(Split *s, Stmt *store) {
    int at = entry_place(s, store);
    Bucket *b = &s->behind[at];
    store->next = NULL;
    if (b->to == store->array && weigh_stmt(b->block.last) < PART / 4) {
        gen_append(&b->block.last->body, store);
        return;
    }
    Stmt *test = gen_stmt(s->x, STMT_IF);
    test->array = store->array;
    gen_append(&test->body, store);
    put_behind(s, at, test, store->array);
}

/* Takes the statement from where it is, if it can stand earlier. */
static bool hand_out(Split *s, Stmt *t) {
    if (t->kind == STMT_COPY && ARRAY(s->g, t->array)->rank == 0) {
        bool local = s->f->place[t->array] == PLACE_LOCAL;
        int ready = local ? s->ready.at[s->f->local[t->array]] : NOT_YET;
        if (ready > 0) {
            put_behind(s, ready, t, 0);
            return true;
        }
    }
    if (!gives_entries(s, t)) {
        return false;
    }
    int first = s->now;
    for (const Stmt *inner = t->body.first; inner; inner = inner->next) {
        int at = entry_place(s, inner);
        first = at < first ? at : first;
    }
    if (s->comment && s->comment->array == t->array) { /* it goes before the first of them */
        put_behind(s, first, s->comment, 0);
    }
    for (Stmt *inner = t->body.first, *next; inner; inner = next) {
        next = inner->next;
        give_entry(s, inner);
    }
    return true;
}

/* ---- the order of statements */

static void settle(Split *s, const Stmt *t) {
    if (t->kind == STMT_LET || t->kind == STMT_VAR) {
        s->ready.at[t->local] = s->now;
    }
    note_stmt(s, t);
    for (int k = 0; k < s->sets.n; k++) { /* names of its own blocks are not there behind it */
        int *ready = &s->ready.at[s->sets.at[k]];
        *ready = *ready == NOT_YET ? NOT_YET : s->now;
    }
    for (int k = 0; k < s->arrays.n; k++) {
        s->settled[s->arrays.at[k]] = s->now;
    }
}

static void append_all(Block *to, Block *from) {
    if (from->first) {
        gen_append(to, from->first);
        to->last = from->last;
    }
}

static void rearrange(Split *s) {
    Function *f = s->f;
    int n = 1;
    for (const Stmt *t = f->body.first; t; t = t->next) {
        n++;
    }
    Stmt **at = arena_alloc(s->g->arena, ((size_t)n + 1) * sizeof *at);
    s->behind = arena_alloc(s->g->arena, ((size_t)n + 1) * sizeof *s->behind);
    Stmt *next = f->body.first;
    for (s->now = 1; next; s->now++) {
        Stmt *t = next;
        next = t->next;
        t->next = NULL;
        take_apart(s, t);
        if (hand_out(s, t)) {
            if (s->comment && t->kind == STMT_IF && s->comment->array == t->array) {
                at[s->now - 1] = NULL;
            }
            continue;
        }
        s->comment = t->kind == STMT_COMMENT ? t : NULL;
        at[s->now] = t;
        settle(s, t);
    }
    f->body = (Block){0};
    for (int k = 0; k <= n; k++) {
        if (at[k]) {
            gen_append(&f->body, at[k]);
        }
        append_all(&f->body, &s->behind[k].block);
    }
}

/* ---- cuts */

typedef struct Life { /* of a local: the first statement that names it, and the last one */
    int first, last;
} Life;

/* Statements that stay together. */
typedef struct Run {
    Stmt *first, *last;
    int64_t weight;
    int crossing; /* how many numbers are live behind it */
    bool outside; /* not in a part: the function may end there */
} Run;
typedef VEC(Run) Runs;

static bool leaves(const Block *b) {
    for (const Stmt *t = b->first; t; t = t->next) {
        if (t->kind == STMT_RETURN || leaves(&t->body) || leaves(&t->otherwise)) {
            return true;
        }
    }
    return false;
}

/* Statements with what must not be cut between them: a row of numbers lies on the stack, and a
 * variable without a value cannot be handed over. */
static Runs make_runs(Split *s) {
    Function *f = s->f;
    Arena *arena = s->g->arena;
    int n = 0, locals = f->locals.n;
    for (const Stmt *t = f->body.first; t; t = t->next) {
        n++;
    }
    Life *life = arena_alloc(arena, (size_t)(locals + 1) * sizeof *life);
    int *hold = arena_alloc(arena, (size_t)(n + 2) * sizeof *hold),
        *live = arena_alloc(arena, (size_t)(n + 2) * sizeof *live);
    bool *kept = arena_alloc(arena, (size_t)locals + 1),
         *empty = arena_alloc(arena, (size_t)locals + 1);
    for (int k = 0; k < f->saved.n; k++) {
        kept[f->local[f->saved.at[k]]] = true;
    }
    int at = 0;
    for (const Stmt *t = f->body.first; t; t = t->next) {
        at++;
        note_stmt(s, t);
        for (int k = 0; k < s->locals.n; k++) {
            int local = s->locals.at[k];
            Life *p = &life[local];
            if (empty[local] && p->last < at) { /* until it has a value */
                hold[p->last]++, hold[at]--;
                empty[local] = false;
            }
            p->first = p->first ? p->first : at;
            p->last = at;
        }
        if (t->kind == STMT_VAR && !t->value) {
            empty[t->local] = true;
        }
        if (t->kind == STMT_COMMENT) {
            hold[at]++, hold[at + 1]--;
        }
    }
    for (int k = 0; k < locals; k++) {
        if (life[k].first < life[k].last) {
            int *row = f->locals.at[k].lanes ? hold : live;
            row[life[k].first] += !kept[k] || f->locals.at[k].lanes;
            row[life[k].last] -= !kept[k] || f->locals.at[k].lanes;
        }
    }
    Runs runs = {0};
    Run u = {0};
    int holding = 0, living = 0;
    at = 0;
    for (Stmt *t = f->body.first; t; t = t->next) {
        Block only = {t, t};
        Stmt *next = t->next;
        t->next = NULL;
        bool outside = leaves(&only);
        t->next = next;
        at++;
        holding += hold[at], living += live[at];
        u.first = u.first ? u.first : t, u.last = t;
        u.weight += weigh_stmt(t);
        u.outside = u.outside || outside;
        u.crossing = living;
        if (!holding || !next) {
            VEC_PUSH(arena, runs, u);
            u = (Run){0};
        }
    }
    return runs;
}

/* Cuts for which the fewest numbers are handed over in all: best[k], with a cut behind unit k - 1,
 * is that of the best way to cut what is before. */
static void cut(Split *s, const Runs *runs) {
    Function *f = s->f;
    Arena *arena = s->g->arena;
    int n = runs->n;
    int64_t *best = arena_alloc(arena, (size_t)(n + 1) * sizeof *best);
    int *from = arena_alloc(arena, (size_t)(n + 1) * sizeof *from),
        *queue = arena_alloc(arena, (size_t)(n + 1) * sizeof *queue);
    int head = 0, tail = 0, lo = 0; /* runs lo..k - 1 are no larger than a part */
    int64_t weight = 0;
    for (int k = 1; k <= n; k++) {
        const Run *u = &runs->at[k - 1];
        while (tail > head && best[queue[tail - 1]] > best[k - 1]) {
            tail--;
        }
        queue[tail++] = k - 1;
        weight += u->weight;
        while (lo < k - 1 && (weight > PART || u->outside || runs->at[lo].outside)) {
            weight -= runs->at[lo++].weight;
        }
        while (queue[head] < lo) {
            head++;
        }
        from[k] = queue[head];
        best[k] = best[queue[head]] + u->crossing + ENTRY;
    }
    VEC(int) ends = {0};
    for (int k = n; k > 0; k = from[k]) {
        VEC_PUSH(arena, ends, k);
    }
    for (int q = ends.n - 1; q >= 0; q--) {
        int k = ends.at[q];
        FunctionPart p = {.first = runs->at[from[k]].first,
                          .last = runs->at[k - 1].last,
                          .outside = runs->at[k - 1].outside};
        VEC_PUSH(arena, f->parts, p);
    }
}

/* ---- what is handed over */

typedef struct Home { /* of a local */
    int first, last;  /* parts, from 1 */
    int met, set;     /* the part that named it, or set it, last */
    const Stmt *by;   /* that set it last */
} Home;

typedef struct HandOver {
    Split *s;
    Home *home;                      /* by local */
    const bool *kept;                /* by local: its place is with the numbers kept for backward */
    bool after;                      /* and it comes from there */
    VEC(int) met;                    /* locals that the part at hand names */
    VEC(int) free[VALUE_DOUBLE + 1]; /* slots that are not in use, by type */
} HandOver;

/* How far each local goes. */
static void follow(HandOver *h, int part) {
    Split *s = h->s;
    const FunctionPart *p = &s->f->parts.at[part - 1];
    for (const Stmt *t = p->first; t != p->last->next; t = t->next) {
        note_stmt(s, t);
        for (int k = 0; k < s->locals.n; k++) {
            Home *at = &h->home[s->locals.at[k]];
            at->first = at->first ? at->first : part;
            at->last = part;
        }
    }
}

static void note_taken(HandOver *h, FunctionPart *p, int part, const Stmt *t) {
    Split *s = h->s;
    for (int k = 0; k < s->locals.n; k++) {
        int local = s->locals.at[k];
        Home *at = &h->home[local];
        if (at->met != part && (at->first < part || (h->kept[local] && h->after))) {
            VEC_PUSH(s->g->arena, p->takes, ((Handed){local, t, false}));
        }
        if (at->met != part) {
            VEC_PUSH(s->g->arena, h->met, local);
        }
        at->met = part;
    }
    for (int k = 0; k < s->sets.n; k++) {
        h->home[s->sets.at[k]].set = part;
        h->home[s->sets.at[k]].by = t;
    }
}

static void note_left(HandOver *h, FunctionPart *p, int part, const Stmt *t) {
    Split *s = h->s;
    Function *f = s->f;
    for (int k = 0; k < s->sets.n; k++) {
        int local = s->sets.at[k];
        Home *at = &h->home[local];
        bool wanted = h->kept[local] ? !h->after : at->last > part;
        if (!wanted || at->by != t) {
            continue;
        }
        at->by = NULL; /* once */
        if (!h->kept[local] && at->first == part) {
            ValueType type = f->locals.at[local].type;
            f->slot[local] =
                h->free[type].n ? h->free[type].at[--h->free[type].n] : f->slots[type]++;
        }
        VEC_PUSH(s->g->arena, p->leaves, ((Handed){local, t, true}));
    }
}

/* A place for each number that crosses a cut; one that nobody asks for any more is used again. */
static void hand_over(Split *s) {
    Function *f = s->f;
    Arena *arena = s->g->arena;
    int locals = f->locals.n;
    HandOver h = {.s = s, .after = f->kind == FN_BACKWARD || f->kind == FN_VJP};
    bool *kept = arena_alloc(arena, (size_t)locals + 1);
    h.home = arena_alloc(arena, (size_t)(locals + 1) * sizeof *h.home);
    h.kept = kept;
    f->slot = arena_alloc(arena, (size_t)(locals + 1) * sizeof *f->slot);
    for (int k = 0; k < f->saved.n; k++) {
        kept[f->local[f->saved.at[k]]] = true;
    }
    for (int part = 1; part <= f->parts.n; part++) {
        follow(&h, part);
    }
    for (int part = 1; part <= f->parts.n; part++) {
        FunctionPart *p = &f->parts.at[part - 1];
        h.met.n = 0;
        for (const Stmt *t = p->first; t != p->last->next; t = t->next) {
            note_stmt(s, t);
            note_taken(&h, p, part, t);
        }
        for (int k = 0; k < p->takes.n; k++) {
            p->takes.at[k].changes = h.home[p->takes.at[k].local].set == part;
        }
        for (const Stmt *t = p->first; t != p->last->next; t = t->next) {
            note_stmt(s, t);
            note_left(&h, p, part, t);
        }
        for (int k = 0; k < h.met.n; k++) { /* later parts may use their places */
            int local = h.met.at[k];
            const Home *at = &h.home[local];
            if (at->first < part && at->last == part && !kept[local]) {
                VEC_PUSH(arena, h.free[f->locals.at[local].type], f->slot[local]);
            }
        }
    }
}

void split_function(Gen *x) {
    Function *f = x->f;
    Split s = {.x = x, .g = x->g, .f = f};
    if (weigh_block(&f->body) <= LARGE || f->checkpoints.n) {
        return; /* with checkpoints, statements know of windows that are no numbers */
    }
    for (int k = 0; k < f->locals.n; k++) {
        VEC_PUSH(x->g->arena, s.ready, NOT_YET);
    }
    bool after = f->kind == FN_BACKWARD || f->kind == FN_VJP;
    for (int k = 0; k < f->saved.n && after; k++) {
        s.ready.at[f->local[f->saved.at[k]]] = 0;
    }
    s.settled = arena_alloc(x->g->arena, ((size_t)x->g->arrays.n + 1) * sizeof *s.settled);
    rearrange(&s);
    Runs runs = make_runs(&s);
    cut(&s, &runs);
    hand_over(&s);
}
