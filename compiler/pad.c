/* pad: rows of memory with room at their end.
 * In: the statements of a function, and where its arrays lie. Out: the same, where rows that loops
 * of a recurrence go along have room for whole vectors, and those loops run to the end of the room.
 *
 * A turn of a recurrence is a few loops over a short row, each with functions like exp in it. With
 * a row of 14 a C compiler makes one vector of 8, one of 4, and two numbers, and the two cost as
 * much as all others. So the row has room for 16, and the loop makes 16. What stands in the room is
 * made of what stands there in other rows: it is set before it is read, no number of the row is
 * made of it, and sums and copies that leave the function go over the row alone.
 * - An array of the workspace is padded if each row of it is written as a whole, by such loops.
 * - What else such a loop reads is copied to where there is room (zeros): parameters once, before
 *   all else, and rows that differ from turn to turn before the loop.
 * - Where such a loop also sums over the row, the terms are a row, and the sum is one of that. */
#include "gen.h"
#include "ops.h"
#include <string.h>

enum {
    LEAST_ROW = 3, /* shorter ones are not worth their room */
    VECTOR_BYTES = 64,
    MOST_FIXED = 16, /* entries of a fixed axis of what is copied as a whole */
    MOST_ROWS = 2,   /* that a loop takes from copies made for it: more cost what vectors save */
    MOST_RUNS = 500
};

typedef struct Use { /* an entry that moves along the row with the loop */
    Expr *load;      /* NULL: it is written, by `store` */
    Stmt *store;
    bool copied; /* it is read from a copy, */
    bool whole;  /* that of all of its array */
    ArrayRef copy;
} Use;

typedef struct Run { /* a loop along a row */
    Stmt *loop;
    VEC(Stmt *) sums; /* what adds to a number in each of its turns */
    bool stores;
    bool turns; /* within a recurrence */
    bool dear;  /* it has functions worth a vector */
    bool inner; /* the recurrence is in a loop, or it is itself */
    bool ok, was;
    const Poly *width; /* of the row; NULL: not known yet */
    VEC(Use) uses;
    VEC(Ref)
    around; /* the indices of the loops around, within a turn of the outermost
               recurrence */
} Run;

typedef struct Pad {
    Gen *x;
    Graph *g;
    Function *f;
    VEC(Run *) runs;
    VEC(Ref) flat; /* indices that stand for two, in force */
    VEC(Ref) around;
    int first;      /* of those, within the turn at hand */
    int turns;      /* loops of recurrences around */
    bool *good;     /* by array: it can be padded */
    ArrayRef *copy; /* by array: the copy of all of it; 0: none */
    Block before;   /* what comes before all else */
    bool full;      /* there are more loops than are looked at */
} Pad;

/* ---- what a loop is */

static bool is_index(const Expr *e, Ref index) {
    return e->kind == EXPR_INDEX && e->ref == index;
}

static bool mentions(const Expr *e, Ref index) {
    bool is = is_index(e, index);
    for (int k = 0; k < e->n && !is; k++) {
        is = mentions(e->arg[k], index);
    }
    return is || e->kind == EXPR_KERNEL;
}

static const Store *store_of(const Pad *p, ArrayRef a) {
    return p->f->store ? p->f->store[a] : NULL;
}

static bool is_nought(const Graph *g, const Expr *e) {
    int64_t v;
    return e->kind == EXPR_CONST && graph_is_int(g, e->ref, &v) && v == 0;
}

/* The length of the row along which the index moves, if these places are of the index itself along
 * the last axis in memory, or of several axes that are one row to the loop; NULL: they are not. */
static const Poly *row_of(const Pad *p, ArrayRef a, Expr *const *position, Ref index,
                          const Poly *turns) {
    const Store *s = store_of(p, a);
    int n = store_axes(p->g, s, a), last = n ? store_axis(s, n - 1) : -1;
    if (n == 0 || !is_index(position[last], index) || (s && (s->window[last] || s->checkpoint))) {
        return NULL;
    }
    for (int k = 0; k < ARRAY(p->g, a)->rank; k++) {
        if (k != last && mentions(position[k], index)) {
            return NULL;
        }
    }
    const Poly *entries = ARRAY(p->g, a)->extent[last];
    for (int k = n - 2; k >= 0 && !poly_equal(entries, turns); k--) {
        int axis = store_axis(s, k);
        if (!is_nought(p->g, position[axis]) || (s && s->window[axis])) {
            return NULL;
        }
        entries = poly_mul(p->g->arena, entries, ARRAY(p->g, a)->extent[axis]);
    }
    return poly_equal(entries, turns) ? ARRAY(p->g, a)->extent[last] : NULL;
}

static bool is_one_row(const Run *r, const Poly *turns) {
    return r->width && poly_equal(r->width, turns);
}

static bool note_use(Pad *p, Run *r, ArrayRef a, Use use, const Poly *turns) {
    Expr *const *position = use.load ? use.load->arg : use.store->position;
    const Poly *width = row_of(p, a, position, r->loop->index, turns);
    if (!width || (r->width && !poly_equal(width, r->width)) ||
        ARRAY(p->g, a)->type < VALUE_FLOAT) {
        return false;
    }
    r->width = width;
    VEC_PUSH(p->g->arena, r->uses, use);
    return true;
}

static bool note_expr(Pad *p, Run *r, Expr *e, const Poly *turns) {
    switch (e->kind) {
    case EXPR_CONST:
    case EXPR_DIM:
    case EXPR_LOCAL:
    case EXPR_SELECT:
    case EXPR_CAST: break;
    case EXPR_INDEX: return e->ref != r->loop->index;
    case EXPR_OP:
        if (e->checked || e->op == OP_trunc) {
            return false;
        }
        r->dear = r->dear || (e->type >= VALUE_FLOAT && !op_info[e->op].cheap && e->op != OP_div);
        break;
    case EXPR_LOAD:
        return mentions(e, r->loop->index) ? note_use(p, r, e->array, (Use){.load = e}, turns)
                                           : true;
    default: return false;
    }
    for (int k = 0; k < e->n; k++) {
        if (!note_expr(p, r, e->arg[k], turns)) {
            return false;
        }
    }
    return true;
}

static const Poly *turns_of(const Pad *p, const Stmt *loop) {
    return loop->value && is_nought(p->g, loop->value) && loop->other ? plan_poly(p->g, loop->other)
                                                                      : NULL;
}

static Expr *own_expr(Pad *p, const Expr *e) { /* parts of others stay as they are */
    Expr *to = gen_expr(p->x, e->kind, e->type, e->n), **arg = to->arg;
    *to = *e;
    to->arg = arg;
    for (int k = 0; k < e->n; k++) {
        to->arg[k] = own_expr(p, e->arg[k]);
    }
    return to;
}

static bool adds_up(const Stmt *loop, int local) { /* is it a sum over the loop's turns? */
    bool is = loop->hint == HINT_SUM && loop->hint_local == local;
    for (int k = 0; k < loop->nsums && loop->hint == HINT_SUM && !is; k++) {
        is = loop->sums[k] == local;
    }
    return is;
}

/* Names, stores, each at the loop's own place of a row, and sums. */
static bool note_body(Pad *p, Run *r) {
    const Poly *turns = turns_of(p, r->loop);
    if (!turns || r->loop->down) {
        return false;
    }
    for (Stmt *s = r->loop->body.first; s; s = s->next) {
        s->value = s->value ? own_expr(p, s->value) : NULL;
        if (s->kind == STMT_COMMENT || s->kind == STMT_LET) {
            if (s->kind == STMT_LET && !note_expr(p, r, s->value, turns)) {
                return false;
            }
        } else if (s->kind == STMT_STORE) {
            r->stores = true;
            if (s->checked || !note_use(p, r, s->array, (Use){.store = s}, turns) ||
                !note_expr(p, r, s->value, turns)) {
                return false;
            }
        } else if (s->kind == STMT_SET && s->op == '+' && !s->checked &&
                   adds_up(r->loop, s->local)) {
            if (!note_expr(p, r, s->value, turns)) {
                return false;
            }
            VEC_PUSH(p->g->arena, r->sums, s);
        } else {
            return false;
        }
    }
    int64_t n;
    return r->width && (r->stores || r->dear) && (!r->sums.n || is_one_row(r, turns)) &&
           (!poly_is_int(r->width, &n) || n >= LEAST_ROW);
}

static void find_runs(Pad *p, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && !s->step && !s->lanes && !s->jam &&
            (s->hint == HINT_LANES || (s->hint == HINT_SUM && p->turns))) {
            if (p->runs.n == MOST_RUNS) {
                p->full = true;
                return;
            }
            Run *r = arena_alloc(p->g->arena, sizeof *r);
            r->loop = s, r->turns = p->turns > 0;
            r->inner = r->turns ? p->first > 0 : p->around.n > 0;
            for (int k = p->first; k < p->around.n; k++) {
                VEC_PUSH(p->g->arena, r->around, p->around.at[k]);
            }
            r->ok = note_body(p, r);
            VEC_PUSH(p->g->arena, p->runs, r);
            continue;
        }
        bool turns = s->kind == STMT_LOOP && s->turns,
             loop = s->kind == STMT_LOOP && (!turns || p->turns);
        int first = p->first;
        p->first = turns && !p->turns ? p->around.n : p->first;
        p->turns += turns;
        if (loop) {
            VEC_PUSH(p->g->arena, p->around, s->index);
        }
        find_runs(p, &s->body);
        find_runs(p, &s->otherwise);
        p->around.n -= loop;
        p->turns -= turns;
        p->first = first;
    }
}

/* ---- which arrays, and which loops */

static Run *run_of(const Pad *p, const Stmt *loop) {
    for (int k = 0; k < p->runs.n; k++) {
        if (p->runs.at[k]->loop == loop) {
            return p->runs.at[k];
        }
    }
    return NULL;
}

static bool is_flat(const Pad *p, const Run *r) {
    return !poly_equal(r->width, turns_of(p, r->loop));
}

static void spoil_place(Pad *p, ArrayRef a, Expr *const *position) {
    for (int k = 0; k < ARRAY(p->g, a)->rank; k++) {
        for (int q = 0; q < p->flat.n; q++) {
            p->good[a] = p->good[a] && !mentions(position[k], p->flat.at[q]);
        }
    }
}

static void spoil_expr(Pad *p, const Expr *e) {
    for (int k = 0; k < 2 && e->kind == EXPR_KERNEL; k++) {
        p->good[e->call->array[k]] = false;
    }
    if (e->kind == EXPR_LOAD) {
        spoil_place(p, e->array, e->arg);
    }
    for (int k = 0; k < e->n; k++) {
        spoil_expr(p, e->arg[k]);
    }
}

/* Arrays that somebody wants row behind row, or of which a part of a row is written. */
static void spoil(Pad *p, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        const Run *r = s->kind == STMT_LOOP ? run_of(p, s) : NULL;
        if (r && r->ok) {
            continue;
        }
        if (s->kind == STMT_STORE || s->kind == STMT_COPY) {
            p->good[s->array] = false;
        }
        for (int k = 0; k < 2 && s->call; k++) {
            p->good[s->call->array[k]] = false;
        }
        if (s->matmul) {
            p->good[s->matmul->array[2]] = false;
        }
        if (s->value) {
            spoil_expr(p, s->value);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            spoil_expr(p, s->position[k]);
        }
        if (s->kind == STMT_LOOP && s->flat) {
            VEC_PUSH(p->g->arena, p->flat, s->index);
        }
        spoil(p, &s->body);
        spoil(p, &s->otherwise);
        p->flat.n -= s->kind == STMT_LOOP && s->flat;
    }
}

static bool has_place_inside(const Run *r, const Expr *e) {
    if (e->kind == EXPR_LOCAL) {
        for (const Stmt *s = r->loop->body.first; s; s = s->next) {
            if (s->kind == STMT_LET && s->local == e->local) {
                return true;
            }
        }
    }
    for (int k = 0; k < r->uses.n && e->kind == EXPR_LOAD; k++) {
        if (r->uses.at[k].store && r->uses.at[k].store->array == e->array) {
            return true;
        }
    }
    for (int k = 0; k < e->n; k++) {
        if (has_place_inside(r, e->arg[k])) {
            return true;
        }
    }
    return false;
}

/* Do the places of what is read follow loops within a turn, and stand still otherwise? Then a copy
 * of all of an argument, once for all turns, is not much more than what is read of it. */
static bool reads_whole(const Pad *p, const Run *r, const Expr *load) {
    int64_t n;
    for (int k = 0; k < load->n; k++) {
        const Expr *at = load->arg[k];
        bool follows = is_index(at, r->loop->index) || (is_flat(p, r) && is_nought(p->g, at));
        for (int q = 0; q < r->around.n && !follows; q++) {
            follows = is_index(at, r->around.at[q]);
        }
        if (!follows &&
            !(at->kind == EXPR_CONST && poly_is_int(ARRAY(p->g, load->array)->extent[k], &n) &&
              n <= MOST_FIXED)) {
            return false;
        }
    }
    return r->turns && p->f->place[load->array] == PLACE_INPUT;
}

/* Is it the first one that reads this row? */
static bool is_first(const Run *r, int use) {
    for (int k = 0; k < use; k++) {
        const Use *u = &r->uses.at[k];
        if (u->copied && !u->whole && gen_expr_same(u->load, r->uses.at[use].load)) {
            return false;
        }
    }
    return true;
}

/* May the loop be one to the end of the room? */
static bool can_pad(Pad *p, Run *r) {
    int rows = 0;
    for (int k = 0; k < r->uses.n; k++) {
        Use *u = &r->uses.at[k];
        if (u->store && !p->good[u->store->array]) {
            return false;
        }
        u->copied = u->load && !p->good[u->load->array];
        u->whole = u->copied && reads_whole(p, r, u->load);
        if (!u->copied || u->whole) {
            continue;
        }
        for (int q = 0; q < u->load->n; q++) {
            if (!is_index(u->load->arg[q], r->loop->index) &&
                has_place_inside(r, u->load->arg[q])) {
                return false;
            }
        }
        rows += is_first(r, k);
        /* threads that share the loop around would share the copy */
        if (is_flat(p, r) || has_place_inside(r, u->load) || (r->inner && p->x->plan->in_threads) ||
            rows > MOST_ROWS) {
            return false;
        }
    }
    return true;
}

/* What a loop writes is padded only if the loop is, and what it takes for one row if it is so. */
static void drop_run(Pad *p, Run *r) {
    r->ok = false;
    for (int k = 0; k < r->uses.n; k++) {
        const Use *u = &r->uses.at[k];
        if (u->store || is_flat(p, r)) {
            p->good[u->store ? u->store->array : u->load->array] = false;
        }
    }
}

static void settle(Pad *p) {
    bool changed = true;
    while (changed) {
        changed = false;
        for (int k = 0; k < p->runs.n; k++) {
            Run *r = p->runs.at[k];
            if (r->ok && !can_pad(p, r)) {
                drop_run(p, r);
                changed = true;
            }
        }
    }
}

/* Rows of a length that no loop of a recurrence has functions over stay as they are. */
static void drop_cheap(Pad *p) {
    for (int k = 0; k < p->runs.n; k++) {
        bool worth = !p->runs.at[k]->ok;
        for (int q = 0; q < p->runs.n && p->runs.at[k]->ok && !worth; q++) {
            const Run *r = p->runs.at[q];
            worth = r->ok && r->turns && r->dear && r->stores &&
                    poly_equal(r->width, p->runs.at[k]->width);
        }
        if (!worth) {
            drop_run(p, p->runs.at[k]);
        }
    }
}

static int lanes_of(const Pad *p, ArrayRef a) {
    return VECTOR_BYTES / array_entry_bytes(p->g, a);
}

/* What has no functions, and would be copied row by row, is better off as it is, if nobody else is
 * the worse for it. */
static void drop_copied(Pad *p) {
    size_t all = (size_t)p->g->arrays.n + 1;
    bool *good = arena_alloc(p->g->arena, all * sizeof *good);
    for (int k = 0; k < p->runs.n; k++) {
        Run *r = p->runs.at[k];
        int before = 0, after = 0, rows = 0;
        for (int q = 0; q < r->uses.n; q++) {
            rows += r->uses.at[q].copied && !r->uses.at[q].whole;
        }
        if (!r->ok || r->dear || !rows) {
            continue;
        }
        memcpy(good, p->good, all * sizeof *good);
        for (int q = 0; q < p->runs.n; q++) {
            p->runs.at[q]->was = p->runs.at[q]->ok;
            before += p->runs.at[q]->ok;
        }
        drop_run(p, r);
        settle(p);
        for (int q = 0; q < p->runs.n; q++) {
            after += p->runs.at[q]->ok;
        }
        if (after + 1 < before) {
            memcpy(p->good, good, all * sizeof *good);
            for (int q = 0; q < p->runs.n; q++) {
                p->runs.at[q]->ok = p->runs.at[q]->was;
            }
            settle(p); /* what is copied is said again */
        }
    }
}

/* What is copied as a whole for one loop is there for all. */
static void share_copies(Pad *p) {
    bool *whole = arena_alloc(p->g->arena, (size_t)p->g->arrays.n + 1);
    for (int turn = 0; turn < 2; turn++) {
        for (int k = 0; k < p->runs.n; k++) {
            for (int q = 0; q < p->runs.at[k]->uses.n && p->runs.at[k]->ok; q++) {
                Use *u = &p->runs.at[k]->uses.at[q];
                if (u->copied && turn == 0) {
                    whole[u->load->array] = whole[u->load->array] || u->whole;
                } else if (u->copied) {
                    u->whole = whole[u->load->array];
                }
            }
        }
    }
}

/* All arrays of a loop have as much room. */
static bool has_one_type(const Pad *p, const Run *r) {
    int lanes = 0;
    for (int k = 0; k < r->uses.n; k++) {
        const Use *u = &r->uses.at[k];
        int own = lanes_of(p, u->load ? u->load->array : u->store->array);
        if (lanes && own != lanes) {
            return false;
        }
        lanes = own;
    }
    for (int k = 0; k < r->sums.n && lanes; k++) {
        const Use *u = &r->uses.at[0];
        ArrayRef a = u->load ? u->load->array : u->store->array;
        lanes = r->sums.at[k]->value->type == ARRAY(p->g, a)->type ? lanes : 0;
    }
    int64_t n;
    return lanes && !(poly_is_int(r->width, &n) && n % lanes == 0);
}

static int last_axis(const Pad *p, ArrayRef a) { /* in memory */
    const Store *s = store_of(p, a);
    return store_axis(s, store_axes(p->g, s, a) - 1);
}

/* ---- the change */

/* The same in memory, with room behind each row. */
static const Store *with_room(Pad *p, ArrayRef a) {
    const Store *s = store_of(p, a);
    int rank = ARRAY(p->g, a)->rank;
    Store *to = arena_alloc(p->g->arena, sizeof *to);
    if (s) {
        *to = *s;
    } else {
        int *axis = arena_alloc(p->g->arena, (size_t)(rank + 1) * sizeof *axis);
        for (int k = 0; k < rank; k++) {
            axis[k] = k;
        }
        to->window = arena_alloc(p->g->arena, (size_t)(rank + 1) * sizeof *to->window);
        to->axis = axis, to->n = rank;
    }
    to->row = lanes_of(p, a);
    return to;
}

static ArrayRef new_array(Pad *p, ArrayRef like, int rank, const int *axis) {
    Graph *g = p->g;
    const char **names = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *names);
    const Poly **extent = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *extent);
    for (int k = 0; k < rank; k++) {
        names[k] = g->indices.at[NODE(g, ARRAY(g, like)->axis[axis[k]])->aux].name;
        extent[k] = ARRAY(g, like)->extent[axis[k]];
    }
    ArrayRef a = graph_array(g, arena_format(g->arena, "%s_row", ARRAY(g, like)->name),
                             ARRAY(g, like)->type, rank, extent, names);
    p->f->copies++;
    p->f->place[a] = PLACE_BUFFER;
    p->f->computed[a] = true;
    p->f->store[a] = NULL;
    p->f->store[a] = with_room(p, a);
    VEC_PUSH(g->arena, p->f->buffers, a);
    return a;
}

static void add_zero(Pad *p, ArrayRef a) {
    Stmt *zero = gen_stmt(p->x, STMT_ZERO);
    zero->array = a;
    gen_append(&p->before, zero);
}

static Expr *index_expr(Pad *p, Ref index) {
    Expr *at = gen_expr(p->x, EXPR_INDEX, VALUE_INT, 0);
    at->ref = index;
    return at;
}

static Stmt *new_loop(Pad *p, const char *name, const Poly *turns) {
    Stmt *loop = gen_stmt(p->x, STMT_LOOP);
    loop->index = graph_index(p->g, name, turns);
    loop->value = gen_value(p->x, graph_int(p->g, 0));
    loop->other = gen_value(p->x, graph_of_poly(p->g, turns));
    return loop;
}

static Stmt *new_store(Pad *p, ArrayRef a, int rank) {
    Stmt *store = gen_stmt(p->x, STMT_STORE);
    store->array = a, store->n = rank, store->op = '=';
    store->position = arena_alloc(p->g->arena, (size_t)(rank + 1) * sizeof *store->position);
    return store;
}

static const char *axis_name(const Pad *p, ArrayRef a, int axis) {
    return p->g->indices.at[NODE(p->g, ARRAY(p->g, a)->axis[axis])->aux].name;
}

/* All of the array, before all else. */
static ArrayRef whole_copy(Pad *p, ArrayRef a) {
    if (p->copy[a]) {
        return p->copy[a];
    }
    int rank = ARRAY(p->g, a)->rank;
    int *axis = arena_alloc(p->g->arena, (size_t)(rank + 1) * sizeof *axis);
    for (int k = 0; k < rank; k++) {
        axis[k] = k;
    }
    ArrayRef copy = new_array(p, a, rank, axis);
    Stmt *store = new_store(p, copy, rank), *inner = store;
    store->value = gen_expr(p->x, EXPR_LOAD, ARRAY(p->g, a)->type, rank);
    store->value->array = a;
    for (int k = rank - 1; k >= 0; k--) {
        Stmt *loop = new_loop(p, axis_name(p, a, k), ARRAY(p->g, a)->extent[k]);
        loop->hint = k == rank - 1 ? HINT_LANES : HINT_NONE;
        store->position[k] = store->value->arg[k] = index_expr(p, loop->index);
        gen_append(&loop->body, inner);
        inner = loop;
    }
    add_zero(p, copy);
    gen_append(&p->before, inner);
    return p->copy[a] = copy;
}

/* One row, right before the loop. */
static ArrayRef row_copy(Pad *p, Run *r, int use, Block *out) {
    Expr *load = r->uses.at[use].load;
    for (int k = 0; k < use; k++) {
        const Use *u = &r->uses.at[k];
        if (u->copied && !u->whole && gen_expr_same(u->load, load)) {
            return u->copy;
        }
    }
    int axis = last_axis(p, load->array);
    ArrayRef copy = new_array(p, load->array, 1, &axis);
    const char *name = p->g->indices.at[NODE(p->g, r->loop->index)->aux].name;
    Stmt *loop = new_loop(p, name, r->width), *store = new_store(p, copy, 1);
    store->position[0] = index_expr(p, loop->index);
    store->value = gen_expr(p->x, EXPR_LOAD, load->type, load->n);
    store->value->array = load->array;
    for (int k = 0; k < load->n; k++) {
        store->value->arg[k] = k == axis ? store->position[0] : load->arg[k];
    }
    loop->hint = HINT_LANES;
    gen_append(&loop->body, store);
    add_zero(p, copy);
    gen_append(out, loop);
    return copy;
}

static int copies_of(const Run *r) {
    int n = r->sums.n;
    for (int k = 0; k < r->uses.n; k++) {
        n += r->uses.at[k].copied;
    }
    return n;
}

/* sum += f(row[i]) as a row of f, and the sum of that. */
static void part_sums(Pad *p, Run *r, Block *out) {
    const Use *u = &r->uses.at[0];
    ArrayRef like = u->load ? u->load->array : u->store->array;
    int axis = last_axis(p, like);
    Stmt *terms = arena_alloc(p->g->arena, sizeof *terms);
    *terms = *r->loop;
    terms->next = NULL, terms->hint = HINT_LANES, terms->nsums = 0, terms->body = (Block){0};
    const char *name = p->g->indices.at[NODE(p->g, r->loop->index)->aux].name;
    Ref index = graph_index(p->g, name, r->width);
    Block sums = {0};
    for (Stmt *s = r->loop->body.first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->kind != STMT_SET) {
            gen_append(&terms->body, s);
            continue;
        }
        ArrayRef row = new_array(p, like, 1, &axis);
        Stmt *store = new_store(p, row, 1);
        store->position[0] = index_expr(p, terms->index);
        store->value = s->value;
        gen_append(&terms->body, store);
        s->value = gen_expr(p->x, EXPR_LOAD, ARRAY(p->g, row)->type, 1);
        s->value->array = row;
        s->value->arg[0] = index_expr(p, index);
        gen_append(&sums, s);
    }
    gen_append(out, terms);
    r->loop->index = index, r->loop->body = sums;
    r->loop = terms;
}

/* How far the loop goes, room included. */
static const Poly *room_of(Pad *p, const Run *r, const Poly *turns) {
    ArrayRef a = 0;
    for (const Stmt *s = r->loop->body.first; s; s = s->next) {
        a = s->kind == STMT_STORE ? s->array : a;
    }
    const Store *s = store_of(p, a);
    int n = store_axes(p->g, s, a);
    const Poly *room = store_room(p->g, s, a, store_axis(s, n - 1)), *entries = r->width;
    for (int k = n - 2; k >= 0 && !poly_equal(entries, turns); k--) {
        const Poly *extent = ARRAY(p->g, a)->extent[store_axis(s, k)];
        entries = poly_mul(p->g->arena, entries, extent);
        room = poly_mul(p->g->arena, room, extent);
    }
    return room;
}

static void change_run(Pad *p, Run *r, Block *out) {
    const Poly *turns = turns_of(p, r->loop);
    for (int k = 0; k < r->uses.n; k++) {
        Use *u = &r->uses.at[k];
        if (u->copied) {
            u->copy = u->whole ? whole_copy(p, u->load->array) : row_copy(p, r, k, out);
        }
    }
    if (r->sums.n) {
        part_sums(p, r, out);
    }
    for (int k = 0; k < r->uses.n; k++) {
        const Use *u = &r->uses.at[k];
        if (u->copied && !u->whole) {
            u->load->arg[0] = u->load->arg[last_axis(p, u->load->array)];
            u->load->n = 1;
        }
        if (u->copied) {
            u->load->array = u->copy, u->load->ref = 0;
        }
    }
    r->loop->room = room_of(p, r, turns);
}

static void change(Pad *p, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        Run *r = s->kind == STMT_LOOP ? run_of(p, s) : NULL;
        if (r && r->ok) {
            change_run(p, r, &out);
        } else if (!r) {
            change(p, &s->body);
            change(p, &s->otherwise);
        }
        gen_append(&out, s);
    }
    *b = out;
}

/* Of what backward reads by kernels, which want rows that lie behind each other. */
static void spoil_kernels(Pad *p) {
    for (ArrayRef a = 1; a < (ArrayRef)p->g->arrays.n; a++) {
        const Array *x = ARRAY(p->g, a);
        for (int k = 0; k < x->pieces.n; k++) {
            const ArrayRef *reads;
            int n = NODE(p->g, x->pieces.at[k].body)->op == OP_KERNEL
                        ? graph_array_reads(p->g, a, &reads)
                        : 0;
            for (int q = 0; q < n; q++) {
                p->good[reads[q]] = false;
            }
        }
    }
}

void pad_rows(Gen *x) {
    Gen own = *x; /* it knows no names: they may stand behind what is made here */
    Graph *g = x->g;
    Function *f = x->f;
    if (f->checkpoints.n || !f->store) {
        return;
    }
    memset(&own.frames, 0, sizeof own.frames);
    memset(&own.known, 0, sizeof own.known);
    memset(&own.known_in, 0, sizeof own.known_in);
    memset(&own.known_level, 0, sizeof own.known_level);
    memset(&own.uses, 0, sizeof own.uses);
    own.top = -1;
    Pad p = {.x = &own, .g = g, .f = f};
    find_runs(&p, &f->body);
    bool some = false;
    for (int k = 0; k < p.runs.n; k++) {
        Run *r = p.runs.at[k];
        r->ok = r->ok && has_one_type(&p, r);
        some = some || (r->ok && r->turns && r->dear && r->stores);
    }
    if (!some || p.full) {
        return;
    }
    size_t all = (size_t)g->arrays.n + 1 + MOST_COPIES;
    p.good = arena_alloc(g->arena, all * sizeof *p.good);
    p.copy = arena_alloc(g->arena, all * sizeof *p.copy);
    for (int k = 0; k < f->buffers.n; k++) {
        ArrayRef a = f->buffers.at[k];
        p.good[a] = f->place[a] == PLACE_BUFFER && f->computed[a] && !f->scattered[a] &&
                    ARRAY(g, a)->type >= VALUE_FLOAT;
    }
    for (int k = 0; k < f->writes.n; k++) {
        p.good[f->writes.at[k]] = false;
    }
    spoil_kernels(&p);
    spoil(&p, &f->body);
    settle(&p);
    drop_cheap(&p);
    settle(&p);
    drop_copied(&p);
    share_copies(&p);
    int copies = f->copies;
    some = false;
    for (int k = 0; k < p.runs.n; k++) {
        some = some || p.runs.at[k]->ok;
        copies += p.runs.at[k]->ok ? copies_of(p.runs.at[k]) : 0;
    }
    if (!some || copies > MOST_COPIES) {
        return;
    }
    for (int k = 0; k < p.runs.n; k++) {
        const Run *r = p.runs.at[k];
        for (int q = 0; q < r->uses.n && r->ok; q++) {
            ArrayRef a = r->uses.at[q].store ? r->uses.at[q].store->array : 0;
            if (a && !(f->store[a] && f->store[a]->row)) {
                f->store[a] = with_room(&p, a);
            }
        }
    }
    change(&p, &f->body);
    if (p.before.first) {
        Stmt *say = gen_stmt(x, STMT_COMMENT);
        say->text = "What loops below read, in rows with room for whole vectors";
        say->next = p.before.first;
        p.before.first = say;
    }
    gen_append_all(&p.before, &f->body);
    f->body = p.before;
}
