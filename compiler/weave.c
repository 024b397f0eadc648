/* weave: the statements of one turn of a recurrence.
 * In: the statements of a function. Out: the same, where the turns of a recurrence
 * - go in up to three loops, the first few turns, those between, and the last few, so that the ones
 *   between ask for no condition that only the ends do not hold;
 * - have one loop over an axis where equations of a turn had one each, if no entry asks for another
 *   one along that axis;
 * - and have no memory for what only the same turn of such a loop reads;
 * and, of all statements, neighbours under one condition stand under it together.
 * What an entry is made of, and in which order, stays as it was: so the bits do, too. */
#include "gen.h"
#include <string.h>

enum {
    MOST_ENDS = 4,      /* turns at either end that have loops of their own */
    LEAST_TURNS = 8,    /* fewer are not worth other loops */
    MOST_TO_COPY = 300, /* statements of a turn */
    MOST_AT_END = 40,   /* of the turns at an end, where more than it has its conditions */
    MOST_ITEMS = 400,   /* statements of a block that are compared with each other */
    MOST_TOGETHER = 32, /* statements in a loop that is made of several */
    MOST_IN_BLOCK = 96, /* the same in a block of turns */
    MOST_UNASKED = 8,   /* operations of a term of a sum that perhaps nobody asks for */
    MOST_BESIDE = 16,   /* operations of a turn of a recurrence that a short sum may join */
    MOST_FACTS = 24,
    MOST_EDGE = 16,   /* places at an end of a row that not all contributions reach, and of these */
    LEAST_SUMMED = 3, /* contributions to a row that are joined */
    MOST_SUMS = 4     /* in a loop of a block that is made of several */
};

typedef struct Access {
    ArrayRef array;
    const Poly **position; /* NULL: anywhere; by axis, NULL: unknown */
    bool write;
} Access;

typedef struct Item { /* a statement, and what it touches */
    Stmt *s;
    VEC(Access) access;
    VEC(int) reads, sets; /* locals */
    bool barrier;         /* nothing goes past it */
    bool fails;           /* may set a status: such ones keep their order */
    int statements;
} Item;

typedef VEC(Ref) Refs;

typedef struct Weave {
    Gen *x;
    Graph *g;
    Function *f;
    Refs around; /* the indices in force */
    Refs rows;   /* indices that stand for two; the first of the two places is then 0 */
    VEC(const Poly *) facts;
    bool turns; /* of a recurrence are woven */
    Ref block;  /* the turn of a loop that goes by blocks, of which this is the body; 0: none */
    int first_local; /* of those that stand for arrays */
} Weave;

/* ---- whole numbers as polynomials */

static bool may_fail(const Expr *e) {
    bool fails = e->kind == EXPR_CHECKED || e->kind == EXPR_NONEMPTY || e->kind == EXPR_EXTERN ||
                 e->checked || (e->kind == EXPR_OP && e->op == OP_trunc);
    for (int k = 0; k < e->n && !fails; k++) {
        fails = may_fail(e->arg[k]);
    }
    return fails;
}

static const Poly *poly_of(Weave *w, const Expr *e) {
    Arena *arena = w->g->arena;
    int64_t value;
    if (e->kind == EXPR_INDEX || e->kind == EXPR_DIM) {
        return poly_var(arena, e->ref);
    }
    if (e->kind == EXPR_CONST && e->type == VALUE_INT) {
        return poly_is_int(graph_poly(w->g, e->ref), &value) ? poly_int(arena, value) : NULL;
    }
    if (e->kind != EXPR_OP || e->type != VALUE_INT || e->checked || e->n < 1) {
        return NULL;
    }
    const Poly *a = poly_of(w, e->arg[0]), *b = e->n > 1 ? poly_of(w, e->arg[1]) : a;
    if (!a || !b) {
        return NULL;
    }
    const Poly *p = e->op == OP_add   ? poly_add(arena, a, b)
                    : e->op == OP_sub ? poly_sub(arena, a, b)
                    : e->op == OP_mul ? poly_mul(arena, a, b)
                    : e->op == OP_neg ? poly_neg(arena, a)
                                      : NULL;
    return p && poly_is_known(p) ? p : NULL;
}

static bool prove(Weave *w, const Poly *p) {
    return graph_prove(w->g, p, w->facts.n, w->facts.at);
}

static void add_fact(Weave *w, const Poly *p) {
    if (p && w->facts.n < MOST_FACTS) {
        VEC_PUSH(w->g->arena, w->facts, p);
    }
}

/* a <= b as b - a >= 0, for a comparison of whole numbers. NULL: it is none. */
static const Poly *difference_of(Weave *w, const Expr *e) {
    Arena *arena = w->g->arena;
    if (e->kind != EXPR_OP || e->n != 2 || e->type != VALUE_BOOL || e->arg[0]->type != VALUE_INT ||
        (e->op != OP_le && e->op != OP_lt && e->op != OP_ge && e->op != OP_gt && e->op != OP_eq)) {
        return NULL;
    }
    const Poly *a = poly_of(w, e->arg[0]), *b = poly_of(w, e->arg[1]);
    if (!a || !b) {
        return NULL;
    }
    bool turned = e->op == OP_ge || e->op == OP_gt, strict = e->op == OP_lt || e->op == OP_gt;
    const Poly *d = turned ? poly_sub(arena, a, b) : poly_sub(arena, b, a);
    return strict ? poly_sub(arena, d, poly_int(arena, 1)) : d;
}

static const Poly *less_than(Weave *w, const Poly *d) { /* d < 0 as something >= 0 */
    return poly_sub(w->g->arena, poly_int(w->g->arena, -1), d);
}

/* What is left of a condition, where the facts hold. NULL: it holds; *never: it does not. */
static Expr *rest_of(Weave *w, Expr *e, bool *never) {
    if (e->kind == EXPR_OP && e->op == OP_and) {
        Expr *a = rest_of(w, e->arg[0], never), *b = rest_of(w, e->arg[1], never);
        if (a == e->arg[0] && b == e->arg[1]) {
            return e;
        }
        if (!a || !b) {
            return a ? a : b;
        }
        Expr *both = gen_expr(w->x, EXPR_OP, VALUE_BOOL, 2);
        both->op = OP_and, both->ref = e->ref;
        both->arg[0] = a, both->arg[1] = b;
        return both;
    }
    const Poly *d = difference_of(w, e);
    if (!d) {
        return e;
    }
    const Poly *below = less_than(w, d),
               *above = poly_sub(w->g->arena, d, poly_int(w->g->arena, 1));
    if (prove(w, below) || (e->op == OP_eq && prove(w, above))) {
        *never = true;
        return e;
    }
    if (e->op == OP_eq ? prove(w, d) && prove(w, poly_neg(w->g->arena, d)) : prove(w, d)) {
        return NULL;
    }
    return e;
}

/* Conditions that the facts decide go, with what they kept out. */
static void decide(Weave *w, Block *b) {
    Block kept = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->kind == STMT_IF && s->value && !s->array) {
            bool never = false;
            Expr *rest = rest_of(w, s->value, &never);
            if (never || !rest) {
                Block *taken = never ? &s->otherwise : &s->body;
                decide(w, taken);
                gen_append_all(&kept, taken);
                continue;
            }
            s->value = rest;
        }
        decide(w, &s->body);
        decide(w, &s->otherwise);
        if ((s->kind == STMT_LOOP || s->kind == STMT_IF) && !s->body.first && !s->otherwise.first &&
            !(s->value && may_fail(s->value))) {
            continue;
        }
        gen_append(&kept, s);
    }
    *b = kept;
}

/* ---- copies */

typedef struct Copy {
    Weave *w;
    Ref from, to;          /* an index, and what stands for it; 0: none */
    VEC(int) local, fresh; /* what is declared inside */
} Copy;

static int copy_local(const Copy *c, int local) {
    for (int k = 0; k < c->local.n; k++) {
        if (c->local.at[k] == local) {
            return c->fresh.at[k];
        }
    }
    return local;
}

static Expr *copy_expr(const Copy *c, const Expr *e);

static Expr **copy_position(const Copy *c, Expr *const *position, int n) {
    Expr **p = arena_alloc(c->w->g->arena, (size_t)(n + 1) * sizeof *p);
    for (int k = 0; k < n; k++) {
        p[k] = copy_expr(c, position[k]);
    }
    return p;
}

static const KernelCall *copy_call(const Copy *c, const KernelCall *call) {
    KernelCall *to = arena_alloc(c->w->g->arena, sizeof *to);
    *to = *call;
    for (int k = 0; k < 2; k++) {
        if (call->position[k]) {
            to->position[k] =
                copy_position(c, call->position[k], ARRAY(c->w->g, call->array[k])->rank);
        }
    }
    return to;
}

static Expr *copy_expr(const Copy *c, const Expr *e) {
    Expr *to = arena_alloc(c->w->g->arena, sizeof *to);
    *to = *e;
    to->arg = copy_position(c, e->arg, e->n);
    if (e->kind == EXPR_INDEX && e->ref == c->from) {
        to->ref = c->to;
    } else if (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) {
        to->local = copy_local(c, e->local);
    } else if (e->kind == EXPR_KERNEL) {
        to->call = copy_call(c, e->call);
    }
    return to;
}

static void declare(Copy *c, const Block *b) {
    Function *f = c->w->f;
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->kind == STMT_LET || s->kind == STMT_VAR) && !f->locals.at[s->local].array) {
            const Local l = f->locals.at[s->local];
            VEC_PUSH(c->w->g->arena, c->local, s->local);
            VEC_PUSH(c->w->g->arena, c->fresh, gen_local(c->w->x, l.hint, l.type, l.changes));
            f->locals.at[f->locals.n - 1].lanes = l.lanes;
        }
        declare(c, &s->body);
        declare(c, &s->otherwise);
    }
}

static Block copy_block(const Copy *c, const Block *b) {
    Block to = {0};
    for (const Stmt *s = b->first; s; s = s->next) {
        Stmt *t = arena_alloc(c->w->g->arena, sizeof *t);
        *t = *s;
        t->next = NULL;
        t->local = copy_local(c, s->local);
        t->hint_local = copy_local(c, s->hint_local);
        t->value = s->value ? copy_expr(c, s->value) : NULL;
        t->other = s->other ? copy_expr(c, s->other) : NULL;
        t->position = s->position ? copy_position(c, s->position, s->n) : NULL;
        t->body = copy_block(c, &s->body);
        t->otherwise = copy_block(c, &s->otherwise);
        t->call = s->call ? copy_call(c, s->call) : NULL;
        if (s->matmul) {
            t->matmul = arena_alloc(c->w->g->arena, sizeof *t->matmul);
            *t->matmul = *s->matmul;
            for (int k = 0; k < 3; k++) {
                int rank = ARRAY(c->w->g, s->matmul->array[k])->rank;
                t->matmul->position[k] = copy_position(c, s->matmul->position[k], rank);
            }
        }
        gen_append(&to, t);
    }
    return to;
}

/* ---- what statements touch */

static bool is_among(const Refs *rows, const Expr *e) {
    bool is = false;
    for (int k = 0; k < rows->n && !is; k++) {
        is = e->kind == EXPR_INDEX && e->ref == rows->at[k];
    }
    return is;
}

static void touch(Weave *w, Item *item, ArrayRef a, Expr *const *position, bool write) {
    int rank = ARRAY(w->g, a)->rank;
    Access access = {.array = a, .write = write};
    if (position) {
        access.position = arena_alloc(w->g->arena, (size_t)(rank + 1) * sizeof *access.position);
        bool row = false;
        for (int k = 0; k < rank; k++) {
            access.position[k] = poly_of(w, position[k]);
            row = row || is_among(&w->rows, position[k]);
        }
        for (int k = 0; k < rank && row; k++) { /* which of them it goes along is not said */
            access.position[k] = position[k]->kind == EXPR_CONST ? NULL : access.position[k];
        }
    }
    VEC_PUSH(w->g->arena, item->access, access);
}

static void look_at_expr(Weave *w, Item *item, const Expr *e) {
    item->fails = item->fails || (e->kind != EXPR_OP && may_fail(e)) || e->checked;
    if (e->kind == EXPR_LOAD) {
        touch(w, item, e->array, e->arg, false);
    } else if (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) {
        VEC_PUSH(w->g->arena, item->reads, e->local);
    } else if (e->kind == EXPR_KERNEL) {
        for (int k = 0; k < 2; k++) {
            if (e->call->array[k]) {
                touch(w, item, e->call->array[k], NULL, k == 1);
            }
        }
    } else if (e->kind == EXPR_OP && e->op == OP_trunc) {
        item->fails = true;
    }
    for (int k = 0; k < e->n; k++) {
        look_at_expr(w, item, e->arg[k]);
    }
}

static void look_at(Weave *w, Item *item, const Stmt *s) {
    Arena *arena = w->g->arena;
    item->statements++;
    if (s->value) {
        look_at_expr(w, item, s->value);
    }
    if (s->other) {
        look_at_expr(w, item, s->other);
    }
    for (int k = 0; k < s->n && s->position; k++) {
        look_at_expr(w, item, s->position[k]);
    }
    item->fails = item->fails || s->checked;
    switch (s->kind) {
    case STMT_COMMENT:
    case STMT_LOOP:
    case STMT_IF: break;
    case STMT_LET:
    case STMT_VAR:
    case STMT_SET: VEC_PUSH(arena, item->sets, s->local); break;
    case STMT_STORE: touch(w, item, s->array, s->position, true); break;
    case STMT_ZERO: touch(w, item, s->array, NULL, true); break;
    case STMT_MATMUL:
        for (int k = 0; k < 3; k++) {
            const Matmul *m = s->matmul;
            touch(w, item, m->array[k], m->position[k], k == 2);
            const Poly **p = item->access.at[item->access.n - 1].position;
            p[m->row[k]] = p[m->column[k]] = NULL;
        }
        break;
    case STMT_KERNEL:
        for (int k = 0; k < 2; k++) {
            if (s->call->array[k]) {
                touch(w, item, s->call->array[k], NULL, k == 1);
            }
        }
        item->fails = true;
        break;
    default: item->barrier = true;
    }
    for (const Stmt *t = s->body.first; t; t = t->next) {
        look_at(w, item, t);
    }
    for (const Stmt *t = s->otherwise.first; t; t = t->next) {
        look_at(w, item, t);
    }
}

static Item item_of(Weave *w, Stmt *s) {
    Item item = {.s = s};
    look_at(w, &item, s);
    return item;
}

static bool is_around(const Weave *w, Ref index) {
    bool is = false;
    for (int k = 0; k < w->around.n && !is; k++) {
        is = w->around.at[k] == index;
    }
    return is;
}

/* Does the place depend on nothing but the loops around (and this index)? */
static bool is_settled(Weave *w, const Poly *p, Ref index) {
    const uint32_t *vars;
    int n = poly_vars(w->g->arena, p, &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(w->g, vars[k])->op != OP_DIM && vars[k] != index && !is_around(w, vars[k])) {
            return false;
        }
    }
    return true;
}

static const Store *store_of(const Weave *w, ArrayRef a) {
    return w->f->store ? w->f->store[a] : NULL;
}

static int64_t window_of(const Weave *w, ArrayRef a, int axis) {
    const Store *s = store_of(w, a);
    return s ? s->window[axis] : 0;
}

/* Are these always two places in memory? */
static bool is_apart(Weave *w, const Access *a, const Access *b) {
    for (int k = 0; k < ARRAY(w->g, a->array)->rank && a->position && b->position; k++) {
        const Poly *p = a->position[k], *q = b->position[k];
        int64_t d, window = window_of(w, a->array, k);
        if (p && q && window >= 0 && window != 1 && is_settled(w, p, 0) && is_settled(w, q, 0) &&
            poly_is_int(poly_sub(w->g->arena, p, q), &d) && d != 0 &&
            (window == 0 || d % window != 0)) {
            return true;
        }
    }
    return false;
}

/* Can one place be met in one turn of the index only? */
static bool is_same_turn(Weave *w, const Access *a, const Access *b, Ref index, Ref other) {
    for (int k = 0; k < ARRAY(w->g, a->array)->rank && a->position && b->position; k++) {
        const Poly *p = a->position[k], *q = b->position[k], *rest;
        int64_t num, den;
        if (!p || !q || window_of(w, a->array, k) != 0) {
            continue;
        }
        q = poly_subst(w->g->arena, q, other, poly_var(w->g->arena, index));
        if (poly_equal(p, q) && is_settled(w, p, index) &&
            poly_linear(w->g->arena, p, index, &num, &den, &rest) && den == 1 &&
            (num == 1 || num == -1)) {
            return true;
        }
    }
    return false;
}

static bool share_local(const Item *a, const Item *b) {
    for (int k = 0; k < a->sets.n; k++) {
        for (int q = 0; q < b->reads.n; q++) {
            if (a->sets.at[k] == b->reads.at[q]) {
                return true;
            }
        }
        for (int q = 0; q < b->sets.n; q++) {
            if (a->sets.at[k] == b->sets.at[q]) {
                return true;
            }
        }
    }
    return false;
}

/* May the two not change places? */
static bool conflict(Weave *w, const Item *a, const Item *b) {
    if (a->barrier || b->barrier || (a->fails && b->fails) || share_local(a, b) ||
        share_local(b, a)) {
        return true;
    }
    for (int k = 0; k < a->access.n; k++) {
        for (int q = 0; q < b->access.n; q++) {
            const Access *p = &a->access.at[k], *r = &b->access.at[q];
            if (p->array == r->array && (p->write || r->write) && !is_apart(w, p, r)) {
                return true;
            }
        }
    }
    return false;
}

/* Does a write what b reads? */
static bool writes_what(Weave *w, const Item *a, const Item *b) {
    for (int k = 0; k < a->access.n; k++) {
        for (int q = 0; q < b->access.n; q++) {
            const Access *p = &a->access.at[k], *r = &b->access.at[q];
            if (p->array == r->array && p->write && !r->write && !is_apart(w, p, r)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- loops that become one */

static bool is_same(Weave *w, const Expr *a, const Expr *b) {
    if (a == b) {
        return true;
    }
    const Poly *p = a && b ? poly_of(w, a) : NULL, *q = p ? poly_of(w, b) : NULL;
    if (p && q) {
        return poly_equal(p, q);
    }
    if (!a || !b || a->kind != b->kind || a->op != b->op || a->n != b->n || a->type != b->type ||
        a->checked != b->checked ||
        (a->kind != EXPR_OP && !(a->kind == EXPR_LOCAL && a->local == b->local) &&
         !(a->kind == EXPR_CONST && a->ref == b->ref))) {
        return false;
    }
    for (int k = 0; k < a->n; k++) {
        if (!is_same(w, a->arg[k], b->arg[k])) {
            return false;
        }
    }
    return true;
}

static bool has_own_turns(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->kind == STMT_LOOP && (s->turns || s->map || s->step || s->lanes)) ||
            has_own_turns(&s->body) || has_own_turns(&s->otherwise)) {
            return true;
        }
    }
    return false;
}

static bool is_plain_loop(const Stmt *s) {
    return s->kind == STMT_LOOP && !s->turns && !s->map && !s->step && !s->lanes && !s->down &&
           s->value && s->other && (s->hint == HINT_NONE || s->hint == HINT_LANES) && !s->threads &&
           !s->room && !s->jump && !has_own_turns(&s->body);
}

static bool has_loop(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP || has_loop(&s->body) || has_loop(&s->otherwise)) {
            return true;
        }
    }
    return false;
}

/* How the turns of two loops lie to each other: the same but for one at the end. (Those that begin
 * elsewhere stay alone: a vector that one stores would lie across two that another one loads.) */
typedef struct Ranges {
    const Poly *lo[2], *hi[2]; /* hi: behind the last */
    const Poly *from, *to;     /* the turns that both have */
} Ranges;

static bool find_ranges(Weave *w, const Stmt *s, const Stmt *t, Ranges *r) {
    Arena *arena = w->g->arena;
    int64_t low, high;
    r->lo[0] = poly_of(w, s->value), r->lo[1] = poly_of(w, t->value);
    r->hi[0] = poly_of(w, s->other), r->hi[1] = poly_of(w, t->other);
    if (!r->lo[0] || !r->lo[1] || !r->hi[0] || !r->hi[1] ||
        !poly_is_int(poly_sub(arena, r->lo[0], r->lo[1]), &low) ||
        !poly_is_int(poly_sub(arena, r->hi[0], r->hi[1]), &high) || low < -1 || low > 1 ||
        high < -1 || high > 1 || low != 0) {
        return false;
    }
    r->from = r->lo[low < 0], r->to = r->hi[high > 0];
    return (low == 0 && high == 0) || prove(w, poly_sub(arena, r->to, r->from));
}

static bool binds(const Block *b, Ref index) {
    bool does = false;
    for (const Stmt *s = b->first; s && !does; s = s->next) {
        does = (s->kind == STMT_LOOP && s->index == index) || binds(&s->body, index) ||
               binds(&s->otherwise, index);
    }
    return does;
}

/* May b's body follow a's in a's loop? */
static bool can_join(Weave *w, const Item *a, const Item *b, bool shifted) {
    const Stmt *s = a->s, *t = b->s;
    if (a->barrier || b->barrier || a->fails || b->fails || s->kind != t->kind ||
        a->statements + b->statements > MOST_TOGETHER) {
        return false;
    }
    if (s->kind == STMT_IF) { /* the same condition, that nothing inside changes */
        if (s->array || t->array || s->otherwise.first || t->otherwise.first ||
            !(is_same(w, s->value, t->value) || gen_expr_same(s->value, t->value))) {
            return false;
        }
        Item condition = {0};
        look_at_expr(w, &condition, s->value);
        return !share_local(a, &condition) && !writes_what(w, a, &condition);
    }
    Ranges ranges;
    if (!is_plain_loop(s) || !is_plain_loop(t) || s->hint != t->hint || share_local(a, b) ||
        share_local(b, a)) {
        return false;
    }
    if (has_loop(&s->body) != has_loop(&t->body)) {
        return false; /* nothing is won, and a sum into a row may go by several terms */
    }
    if (binds(&s->body, t->index) || binds(&t->body, s->index)) {
        return false; /* for i: for j, and for j: for i */
    }
    if (!(is_same(w, s->value, t->value) && is_same(w, s->other, t->other)) &&
        (!shifted || s->hint != HINT_LANES || !find_ranges(w, s, t, &ranges))) {
        return false;
    }
    for (int k = 0; k < a->access.n; k++) {
        for (int q = 0; q < b->access.n; q++) {
            const Access *p = &a->access.at[k], *r = &b->access.at[q];
            if (p->array == r->array && (p->write || r->write) && !is_apart(w, p, r) &&
                !is_same_turn(w, p, r, s->index, t->index)) {
                return false;
            }
        }
    }
    return true;
}

static Expr *whole(Weave *w, const Poly *p) {
    return gen_value(w->x, graph_of_poly(w->g, p));
}

/* The turns of one loop that the other one has not. NULL: there are none. */
static Stmt *part_of(Weave *w, const Stmt *s, const Poly *from, const Poly *to) {
    if (poly_equal(from, to)) {
        return NULL;
    }
    Copy c = {.w = w};
    Stmt *part = arena_alloc(w->g->arena, sizeof *part);
    declare(&c, &s->body);
    *part = *s;
    part->next = NULL;
    part->hint = HINT_NONE;
    part->value = whole(w, from), part->other = whole(w, to);
    part->body = copy_block(&c, &s->body);
    return part;
}

/* The body of t follows that of s, in the turns that both have; parts: the other turns of s and t,
 * which may stand before these, as no turn asks for another one. */
static void join(Weave *w, Stmt *s, const Stmt *t, Stmt **part) {
    Ranges r;
    memset(part, 0, 4 * sizeof *part);
    if (s->kind == STMT_LOOP &&
        !(is_same(w, s->value, t->value) && is_same(w, s->other, t->other)) &&
        find_ranges(w, s, t, &r)) {
        part[0] = part_of(w, s, r.lo[0], r.from), part[1] = part_of(w, s, r.to, r.hi[0]);
        part[2] = part_of(w, t, r.lo[1], r.from), part[3] = part_of(w, t, r.to, r.hi[1]);
        s->value = whole(w, r.from), s->other = whole(w, r.to);
    }
    for (int k = 0; k < w->rows.n && s->kind == STMT_LOOP; k++) {
        if (w->rows.at[k] == t->index) {
            VEC_PUSH(w->g->arena, w->rows, s->index);
            break;
        }
    }
    Copy c = {.w = w, .from = t->index, .to = s->index};
    Block b = t->kind == STMT_LOOP ? copy_block(&c, &t->body) : t->body;
    gen_append_all(&s->body, &b);
}

static bool is_zero(const Weave *w, const Expr *e) {
    double zero;
    return e->kind == EXPR_CONST && e->type >= VALUE_FLOAT && graph_is_real(w->g, e->ref, &zero) &&
           zero == 0;
}

static bool is_access_of(const Item *item, ArrayRef a) {
    bool is = false;
    for (int k = 0; k < item->access.n && !is; k++) {
        is = item->access.at[k].array == a;
    }
    return is;
}

static bool same_place(Weave *w, const Stmt *a, const Stmt *b) {
    for (int k = 0; k < a->n; k++) {
        const Poly *p = poly_of(w, a->position[k]), *q = poly_of(w, b->position[k]);
        if (!p || !q || !poly_equal(p, q)) {
            return false;
        }
    }
    return true;
}

/* In one block: what is set to 0, and added to then, is set to that. */
static void drop_zeros(Weave *w, Block *b) {
    Block kept = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        bool drop = false;
        if (s->kind == STMT_STORE && s->op == '=' && is_zero(w, s->value)) {
            for (Stmt *t = next; t; t = t->next) {
                if (t->kind == STMT_STORE && t->op == '+' && t->array == s->array && !t->checked &&
                    same_place(w, s, t)) {
                    Item value = {0}, zero = {0};
                    look_at_expr(w, &value, t->value);
                    touch(w, &zero, s->array, s->position, true);
                    drop = true;
                    for (int k = 0; k < value.access.n && drop; k++) {
                        drop = value.access.at[k].array != s->array ||
                               is_apart(w, &value.access.at[k], &zero.access.at[0]);
                    }
                    t->op = drop ? '=' : t->op;
                    break;
                }
                Item item = item_of(w, t);
                if (item.barrier || is_access_of(&item, s->array)) {
                    break;
                }
            }
        }
        if (!drop) {
            gen_append(&kept, s);
        }
    }
    *b = kept;
}

/* A loop that only fills with 0 what the loop b adds to, turn by turn: then b sets it instead. */
static bool absorb_zeros(Weave *w, const Item *a, const Item *b) {
    const Stmt *s = a->s, *zero = s->body.first;
    if (!is_plain_loop(b->s) || b->s->hint == HINT_LANES || !is_same(w, s->value, b->s->value) ||
        !is_same(w, s->other, b->s->other)) {
        return false;
    }
    Stmt *found = NULL;
    int met = 0;
    for (int k = 0; k < b->access.n; k++) {
        met += b->access.at[k].array == zero->array;
    }
    for (Stmt *t = b->s->body.first; t && met == 1; t = t->next) {
        found = t->kind == STMT_STORE && t->array == zero->array && t->op == '+' ? t : found;
    }
    if (!found) {
        return false;
    }
    Item from = {0}, to = {0};
    touch(w, &from, zero->array, zero->position, true);
    touch(w, &to, found->array, found->position, true);
    for (int k = 0; k < zero->n; k++) {
        const Poly *p = from.access.at[0].position[k], *q = to.access.at[0].position[k];
        if (!p || !q ||
            !poly_equal(poly_subst(w->g->arena, p, s->index, poly_var(w->g->arena, b->s->index)),
                        q)) {
            return false;
        }
    }
    if (!is_same_turn(w, &to.access.at[0], &to.access.at[0], b->s->index, b->s->index)) {
        return false;
    }
    found->op = '=';
    return true;
}

static void weave_block(Weave *w, Block *b);

/* ---- two loops over what lies in one row of memory */

/* Is this index met at places of arrays alone, and there by itself? */
static bool is_place_alone(const Expr *e, Ref index, bool in_place) {
    if (e->kind == EXPR_INDEX && e->ref == index) {
        return in_place;
    }
    for (int k = 0; k < e->n; k++) {
        if (!is_place_alone(e->arg[k], index, e->kind == EXPR_LOAD)) {
            return false;
        }
    }
    return e->kind != EXPR_KERNEL && e->kind != EXPR_EXTERN;
}

/* Along the two indices the places make one row, or do not move at all. */
static bool is_row(Weave *w, ArrayRef a, Expr *const *position, Ref outer, Ref inner,
                   const Poly *turns) {
    int at[2] = {-1, -1}, met[2] = {0, 0};
    for (int k = 0; k < ARRAY(w->g, a)->rank; k++) {
        for (int q = 0; q < 2; q++) {
            bool is = position[k]->kind == EXPR_INDEX && position[k]->ref == (q ? inner : outer);
            at[q] = is ? k : at[q];
            met[q] += is;
        }
    }
    if (met[0] != met[1] || met[0] > 1) {
        return false;
    }
    if (!met[0]) {
        return true;
    }
    const Poly *far = store_stride(w->g, store_of(w, a), a, at[0]),
               *near = store_stride(w->g, store_of(w, a), a, at[1]);
    return far && near && poly_equal(far, poly_mul(w->g->arena, near, turns));
}

static bool expr_is_row(Weave *w, const Expr *e, Ref outer, Ref inner, const Poly *turns) {
    bool is = e->kind != EXPR_LOAD || is_row(w, e->array, e->arg, outer, inner, turns);
    for (int k = 0; k < e->n && is; k++) {
        is = expr_is_row(w, e->arg[k], outer, inner, turns);
    }
    return is;
}

/* Names, sums and stores, whose places along both indices make one row. */
static bool block_is_row(Weave *w, const Block *b, Ref outer, Ref inner, const Poly *turns) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if ((s->kind != STMT_LET && s->kind != STMT_SET && s->kind != STMT_STORE) || s->checked ||
            !is_place_alone(s->value, outer, false) || !is_place_alone(s->value, inner, false) ||
            !expr_is_row(w, s->value, outer, inner, turns)) {
            return false;
        }
        for (int k = 0; k < s->n && s->position; k++) {
            if (!is_place_alone(s->position[k], outer, true) ||
                !is_place_alone(s->position[k], inner, true) ||
                (s->position[k]->kind != EXPR_INDEX &&
                 !expr_is_row(w, s->position[k], outer, inner, turns))) {
                return false;
            }
            if (s->position[k]->kind != EXPR_INDEX &&
                (!is_place_alone(s->position[k], outer, false) ||
                 !is_place_alone(s->position[k], inner, false))) {
                return false;
            }
        }
        if (s->kind == STMT_STORE && !is_row(w, s->array, s->position, outer, inner, turns)) {
            return false;
        }
    }
    return true;
}

static bool starts_at_zero(Weave *w, const Stmt *s) {
    const Poly *lo = s->value ? poly_of(w, s->value) : NULL;
    return lo && poly_equal(lo, poly_int(w->g->arena, 0));
}

static void to_zero(Weave *w, Expr *e, Ref index) {
    if (e->kind == EXPR_INDEX && e->ref == index) {
        *e = *gen_value(w->x, graph_int(w->g, 0));
    }
    for (int k = 0; k < e->n; k++) {
        to_zero(w, e->arg[k], index);
    }
}

static void block_to_zero(Weave *w, Block *b, Ref index) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            to_zero(w, s->value, index);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            to_zero(w, s->position[k], index);
        }
    }
}

/* The one statement of a block, but for comments; NULL: there are others. */
static Stmt *only_one(const Block *b) {
    return b->first && !b->first->next ? b->first : NULL;
}

/* `outer` becomes the loop over all of the turns that it had with `inner` inside. */
static bool flatten(Weave *w, Stmt *outer, Stmt *inner, const Block *body) {
    Graph *g = w->g;
    const Poly *far = poly_of(w, outer->other), *near = poly_of(w, inner->other);
    if (!far || !near || !starts_at_zero(w, outer) || !starts_at_zero(w, inner) ||
        poly_has(near, outer->index) || !is_settled(w, near, 0) || !is_settled(w, far, 0) ||
        outer->down || inner->down || !block_is_row(w, body, outer->index, inner->index, near)) {
        return false;
    }
    const Poly *turns = poly_mul(g->arena, far, near);
    const char *name =
        arena_format(g->arena, "%s%s", g->indices.at[NODE(g, outer->index)->aux].name,
                     g->indices.at[NODE(g, inner->index)->aux].name);
    Ref index = graph_index(g, name, turns), last = outer->index;
    VEC_PUSH(g->arena, w->rows, index);
    Copy c = {.w = w, .from = inner->index, .to = index};
    outer->body = copy_block(&c, body);
    block_to_zero(w, &outer->body, last);
    outer->index = index;
    outer->other = gen_value(w->x, graph_of_poly(g, turns));
    outer->hint = inner->hint, outer->hint_local = inner->hint_local;
    outer->flat = true;
    return true;
}

/* sum2 += (sum3 of a row), for each row */
static bool flatten_sum(Weave *w, Stmt *outer) {
    Stmt *var = outer->body.first, *loop = var ? var->next : NULL, *more = loop ? loop->next : NULL;
    if (!more || more->next || var->kind != STMT_VAR || loop->kind != STMT_LOOP ||
        more->kind != STMT_SET || more->op != '+' || more->checked || !var->value ||
        !is_zero(w, var->value) || loop->hint != HINT_SUM || loop->hint_local != var->local ||
        more->value->kind != EXPR_LOCAL || more->value->local != var->local) {
        return false;
    }
    int row = var->local, sum = more->local;
    for (const Stmt *s = loop->body.first; s; s = s->next) {
        if (s->kind != STMT_LET && !(s->kind == STMT_SET && s->local == row && !s->next)) {
            return false;
        }
    }
    if (!flatten(w, outer, loop, &loop->body)) {
        return false;
    }
    for (Stmt *s = outer->body.first; s; s = s->next) {
        s->local = s->kind == STMT_SET ? sum : s->local;
    }
    outer->hint_local = sum;
    return true;
}

/* Does every statement add to a place, and is nothing read that is added to? */
static bool adds_only(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_STORE || s->op != '+' || s->checked || may_fail(s->value)) {
            return false;
        }
        for (const Stmt *t = b->first; t; t = t->next) {
            if (gen_expr_reads(t->value, s->array)) {
                return false;
            }
        }
    }
    return b->first != NULL;
}

/* for i: for k: for j: a[i, j] += ..: the row [i, j] inside of the sum over k */
static void flatten_added(Weave *w, Stmt *s, const Stmt *inner) {
    Stmt *last = only_one(&inner->body);
    const Poly *turns = poly_of(w, inner->other);
    Stmt row = *s;
    if (last && last->kind == STMT_LOOP && last->hint == HINT_LANES && is_plain_loop(last) &&
        adds_only(&last->body) && turns && starts_at_zero(w, inner) && is_settled(w, turns, 0) &&
        !inner->down && flatten(w, &row, last, &last->body)) {
        Stmt *in = arena_alloc(w->g->arena, sizeof *in);
        *in = row;
        in->next = NULL;
        Block body = {in, in};
        s->index = inner->index, s->value = inner->value, s->other = inner->other;
        s->body = body;
    }
}

static void flatten_loops(Weave *w, Stmt *s) {
    Stmt *inner = only_one(&s->body);
    if (s->kind != STMT_LOOP || !is_plain_loop(s)) {
        return;
    }
    if (!inner || inner->kind != STMT_LOOP) {
        if (s->hint != HINT_NONE || flatten_sum(w, s)) {
            return;
        }
        for (Stmt *t = s->body.first; t; t = t->next) {
            VEC_PUSH(w->g->arena, w->around, s->index);
            flatten_loops(w, t);
            w->around.n--;
        }
        return;
    }
    VEC_PUSH(w->g->arena, w->around, s->index);
    flatten_loops(w, inner);
    w->around.n--;
    if (!is_plain_loop(inner)) {
        return;
    }
    if (inner->hint == HINT_LANES) {
        flatten(w, s, inner, &inner->body);
    } else {
        flatten_added(w, s, inner);
    }
}

/* Short sums that a row is added to: some turns at a time. */
static void set_jams(Weave *w, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        const Stmt *row = s->kind == STMT_LOOP && is_plain_loop(s) ? only_one(&s->body) : NULL;
        if (row && s->hint == HINT_NONE && row->kind == STMT_LOOP && row->hint == HINT_LANES &&
            is_plain_loop(row) && only_one(&row->body) && adds_only(&row->body) &&
            starts_at_zero(w, s) && poly_of(w, s->other) &&
            !gen_expr_has_index(row->value, s->index) &&
            !gen_expr_has_index(row->other, s->index)) {
            const Stmt *add = row->body.first;
            bool moves = false;
            for (int k = 0; k < add->n; k++) {
                const Poly *p = poly_of(w, add->position[k]);
                moves = moves || !p || poly_has(p, s->index);
            }
            s->jam = !moves;
        }
        if (!(s->kind == STMT_LOOP && (s->map || s->step))) {
            set_jams(w, &s->body);
            set_jams(w, &s->otherwise);
        }
    }
}

/* ---- names */

static void use_for(Expr *e, int from, int to);

static void use_at(Expr *const *position, int from, int to) {
    for (int k = 0; position && position[k]; k++) {
        use_for(position[k], from, to);
    }
}

static void use_for(Expr *e, int from, int to) {
    if (e->kind == EXPR_LOCAL && e->local == from) {
        e->local = to;
    }
    for (int k = 0; k < 2 && e->kind == EXPR_KERNEL; k++) {
        use_at(e->call->position[k], from, to);
    }
    for (int k = 0; k < e->n; k++) {
        use_for(e->arg[k], from, to);
    }
}

static void use_in_block(Block *b, int from, int to) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            use_for(s->value, from, to);
        }
        if (s->other) {
            use_for(s->other, from, to);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            use_for(s->position[k], from, to);
        }
        for (int k = 0; k < 3 && s->matmul; k++) {
            use_at(s->matmul->position[k], from, to);
        }
        for (int k = 0; k < 2 && s->call; k++) {
            use_at(s->call->position[k], from, to);
        }
        use_in_block(&s->body, from, to);
        use_in_block(&s->otherwise, from, to);
    }
}

/* One name for what is said twice in a block, where nothing in between can change it. */
static void share_names(Weave *w, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_LET || gen_expr_has_load(s->value) || w->f->locals.at[s->local].array) {
            continue;
        }
        Item value = {0};
        look_at_expr(w, &value, s->value);
        bool fixed = !value.fails;
        for (int k = 0; k < value.reads.n; k++) {
            fixed = fixed && !w->f->locals.at[value.reads.at[k]].changes;
        }
        for (Stmt *before = s; before->next && fixed;) {
            Stmt *t = before->next;
            if (t->kind == STMT_LET && !w->f->locals.at[t->local].array &&
                is_same(w, s->value, t->value)) {
                Block rest = {t->next, b->last};
                use_in_block(&rest, t->local, s->local);
                before->next = t->next;
                b->last = b->last == t ? before : b->last;
                continue;
            }
            before = t;
        }
    }
}

static bool reads_local(const Expr *e, int local);

static bool reads_at(Expr *const *position, int local) {
    bool reads = false;
    for (int k = 0; position && position[k] && !reads; k++) {
        reads = reads_local(position[k], local);
    }
    return reads;
}

static bool reads_local(const Expr *e, int local) {
    bool reads = (e->kind == EXPR_LOCAL || e->kind == EXPR_FOLD) && e->local == local;
    for (int k = 0; k < e->n && !reads; k++) {
        reads = reads_local(e->arg[k], local);
    }
    for (int k = 0; k < 2 && e->kind == EXPR_KERNEL && !reads; k++) {
        reads = reads_at(e->call->position[k], local);
    }
    return reads;
}

static bool block_reads(const Block *b, int local) {
    bool reads = false;
    for (const Stmt *s = b->first; s && !reads; s = s->next) {
        reads = (s->value && reads_local(s->value, local)) ||
                (s->other && reads_local(s->other, local));
        for (int k = 0; k < s->n && s->position && !reads; k++) {
            reads = reads_local(s->position[k], local);
        }
        for (int k = 0; k < 3 && s->matmul && !reads; k++) {
            reads = reads_at(s->matmul->position[k], local);
        }
        for (int k = 0; k < 2 && s->call && !reads; k++) {
            reads = reads_at(s->call->position[k], local);
        }
        reads = reads || block_reads(&s->body, local) || block_reads(&s->otherwise, local);
    }
    return reads;
}

/* Names that nothing in their loop asks for, as what did is gone. */
static bool drop_names(Weave *w, Block *b, const Block *scope) {
    bool some = false;
    Stmt *last = NULL;
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        bool sets = s->kind == STMT_LET || s->kind == STMT_VAR || s->kind == STMT_SET;
        bool mine = sets && (s->local >= w->first_local ||
                             (s->kind == STMT_LET && !w->f->locals.at[s->local].array));
        if (scope && mine && !(s->value && may_fail(s->value)) && !block_reads(scope, s->local)) {
            some = true;
            if (last) {
                last->next = next;
            } else {
                b->first = next;
            }
            b->last = next ? b->last : last;
            continue;
        }
        last = s;
        if (!(s->kind == STMT_LOOP && s->map)) {
            const Block *inner = s->kind == STMT_LOOP && (scope || s->turns) ? &s->body : scope;
            some = drop_names(w, &s->body, inner) || some;
            some = drop_names(w, &s->otherwise, scope) || some;
        }
    }
    return some;
}

/* ---- loops of a block */

typedef VEC(Item) Items;

static void insert_item(Weave *w, Items *items, int at, Stmt *s) {
    VEC_PUSH(w->g->arena, *items, item_of(w, s));
    Item item = items->at[items->n - 1];
    for (int k = items->n - 1; k > at; k--) {
        items->at[k] = items->at[k - 1];
    }
    items->at[at] = item;
}

static void close_gaps(Items *items) {
    int left = 0;
    for (int k = 0; k < items->n; k++) {
        if (items->at[k].s) {
            items->at[left++] = items->at[k];
        }
    }
    items->n = left;
}

/* Item k goes into the loop of item j, which stands before it; returns where that is then. */
static int join_items(Weave *w, Items *items, int j, int k) {
    Stmt *part[4];
    join(w, items->at[j].s, items->at[k].s, part);
    items->at[j] = item_of(w, items->at[j].s);
    items->at[k].s = NULL;
    for (int q = 0; q < 4; q++) {
        if (part[q]) {
            insert_item(w, items, j++, part[q]);
        }
    }
    return j;
}

static bool is_zeros(const Weave *w, const Stmt *s) {
    const Stmt *zero = s->body.first;
    return is_plain_loop(s) && zero && !zero->next && zero->kind == STMT_STORE && zero->op == '=' &&
           is_zero(w, zero->value);
}

/* A loop that fills a row with 0 joins the next loop that asks for the row. */
static void join_zeros(Weave *w, Items *items) {
    for (int k = items->n - 2; k >= 0; k--) {
        Item zero = items->at[k];
        int next = k + 1;
        if (zero.s->kind != STMT_LOOP || !is_zeros(w, zero.s)) {
            continue;
        }
        while (next < items->n && !items->at[next].barrier &&
               !is_access_of(&items->at[next], zero.s->body.first->array)) {
            next++;
        }
        if (next == items->n || items->at[next].barrier || items->at[next].s->kind != STMT_LOOP) {
            continue;
        }
        bool absorbed = absorb_zeros(w, &zero, &items->at[next]);
        if (!absorbed && !can_join(w, &zero, &items->at[next], true)) {
            continue;
        }
        for (int q = k; q + 1 < next; q++) {
            items->at[q] = items->at[q + 1];
        }
        items->at[next - 1] = zero;
        if (absorbed) {
            items->at[next - 1].s = NULL;
            items->at[next] = item_of(w, items->at[next].s);
        } else {
            int at = join_items(w, items, next - 1, next);
            drop_zeros(w, &items->at[at].s->body);
            items->at[at] = item_of(w, items->at[at].s);
        }
        close_gaps(items);
    }
}

/* ---- contributions to a row
 * What a row is made of, `row = 0; for (i from 1) row[i] += ..; for (i up to N - 1) row[i] += ..`,
 * as the adjoint of what reads its neighbours, is one loop over the places that all of them reach,
 * and one over those at either end, which ask. Each entry adds up the same in the same order. */

typedef struct Reach {
    const Poly *lo, *hi; /* hi: behind the last */
    const Stmt *store;
    Ref index;
} Reach;

static bool reach_of(Weave *w, const Item *item, Reach *r) {
    const Stmt *s = item->s, *store = s->body.first;
    if (item->barrier || item->fails || s->kind != STMT_LOOP || !is_plain_loop(s) ||
        s->hint != HINT_LANES || !store || store->next || store->kind != STMT_STORE ||
        store->checked) {
        return false;
    }
    r->lo = poly_of(w, s->value), r->hi = poly_of(w, s->other);
    r->store = store, r->index = s->index;
    return r->lo && r->hi;
}

/* Does the loop add to the row that `zero` fills, not further away than an end is long? */
static bool contributes(Weave *w, const Reach *zero, const Item *item, Reach *r) {
    Arena *arena = w->g->arena;
    Item row = {0}, value = {0};
    int64_t low, high;
    if (!reach_of(w, item, r) || r->store->op != '+' || r->store->array != zero->store->array ||
        !poly_is_int(poly_sub(arena, r->lo, zero->lo), &low) || low < 0 || low > MOST_EDGE ||
        !poly_is_int(poly_sub(arena, zero->hi, r->hi), &high) || high < 0 || high > MOST_EDGE) {
        return false;
    }
    for (int k = 0; k < r->store->n; k++) {
        const Poly *p = poly_of(w, zero->store->position[k]),
                   *q = poly_of(w, r->store->position[k]);
        if (!p || !q ||
            !poly_equal(poly_subst(arena, p, zero->index, poly_var(arena, r->index)), q)) {
            return false;
        }
    }
    touch(w, &row, r->store->array, r->store->position, true);
    look_at_expr(w, &value, r->store->value);
    for (int k = 0; k < value.access.n; k++) {
        if (value.access.at[k].array == r->store->array &&
            !is_apart(w, &value.access.at[k], &row.access.at[0])) {
            return false;
        }
    }
    return is_same_turn(w, &row.access.at[0], &row.access.at[0], r->index, r->index);
}

/* A loop like that of `zero`, with nothing in it. */
static Stmt *empty_loop(Weave *w, const Stmt *zero, LoopHint hint, Ref from, Ref to) {
    Stmt *loop = arena_alloc(w->g->arena, sizeof *loop);
    *loop = *zero;
    loop->next = NULL, loop->hint = hint, loop->body = (Block){0};
    loop->value = gen_value(w->x, from), loop->other = gen_value(w->x, to);
    return loop;
}

static Stmt *copy_store(Weave *w, const Reach *r, Ref index) {
    Copy c = {.w = w, .from = r->index, .to = index};
    Block one = {0};
    Stmt *store = arena_alloc(w->g->arena, sizeof *store);
    *store = *r->store;
    store->next = NULL;
    gen_append(&one, store);
    one = copy_block(&c, &one);
    return one.first;
}

/* Places at one end: at the first, where `first` is what all have in common, or at the last. */
static Stmt *edge_loop(Weave *w, const Stmt *zero, const Reach *z, int n, const Reach *r,
                       const Poly *first, Ref from, Ref to) {
    Graph *g = w->g;
    Stmt *loop = empty_loop(w, zero, HINT_NONE, from, to);
    gen_append(&loop->body, copy_store(w, z, z->index));
    for (int k = 0; k < n; k++) {
        bool above = !first || poly_equal(r[k].lo, z->lo),
             below = poly_equal(r[k].hi, z->hi) ||
                     (first && prove(w, poly_sub(g->arena, r[k].hi, first)));
        Ref yes = graph_bool(g, true),
            low = above ? yes : graph_op2(g, OP_le, graph_of_poly(g, r[k].lo), z->index),
            high = below ? yes : graph_op2(g, OP_lt, z->index, graph_of_poly(g, r[k].hi)),
            both = graph_and(g, low, high);
        if (first && poly_equal(r[k].lo, first)) {
            continue; /* it begins where this ends */
        }
        Stmt *store = copy_store(w, &r[k], z->index);
        if (!graph_is_true(g, both)) {
            Stmt *under = gen_stmt(w->x, STMT_IF);
            under->value = gen_value(w->x, both);
            gen_append(&under->body, store);
            store = under;
        }
        gen_append(&loop->body, store);
    }
    return loop;
}

static void join_contributions(Weave *w, Items *items) {
    Graph *g = w->g;
    for (int k = 0; k + LEAST_SUMMED < items->n; k++) {
        Reach z, r[MOST_EDGE];
        int n = 0;
        bool begins = false;
        if (!is_zeros(w, items->at[k].s) || !reach_of(w, &items->at[k], &z)) {
            continue;
        }
        while (n < MOST_EDGE && k + 1 + n < items->n &&
               contributes(w, &z, &items->at[k + 1 + n], &r[n])) {
            begins = begins || !poly_equal(r[n].lo, z.lo);
            n++;
        }
        if (n < LEAST_SUMMED || !begins) {
            continue; /* joined as other loops are */
        }
        const Poly *from = z.lo, *to = z.hi;
        for (int q = 0; q < n; q++) {
            int64_t more;
            from =
                poly_is_int(poly_sub(g->arena, r[q].lo, from), &more) && more > 0 ? r[q].lo : from;
            to = poly_is_int(poly_sub(g->arena, to, r[q].hi), &more) && more > 0 ? r[q].hi : to;
        }
        Ref first = graph_of_poly(g, from), last = graph_of_poly(g, to),
            end = graph_of_poly(g, z.hi);
        Ref behind = gen_tightest(w->x, first, &last, 1, true),
            before = gen_tightest(w->x, first, &end, 1, false);
        const Stmt *zero = items->at[k].s;
        Stmt *edge = edge_loop(w, zero, &z, n, r, from, graph_of_poly(g, z.lo), before),
             *other = edge_loop(w, zero, &z, n, r, NULL, behind, end),
             *inner = empty_loop(w, zero, HINT_LANES, first, behind);
        Stmt *sum = copy_store(w, &r[0], z.index);
        sum->op = '=';
        for (int q = 1; q < n; q++) {
            Expr *both = gen_expr(w->x, EXPR_OP, sum->value->type, 2);
            both->op = OP_add;
            both->arg[0] = sum->value, both->arg[1] = copy_store(w, &r[q], z.index)->value;
            sum->value = both;
        }
        gen_append(&inner->body, sum);
        items->at[k] = item_of(w, edge);
        items->at[k + 1] = item_of(w, inner);
        items->at[k + 2] = item_of(w, other);
        for (int q = 3; q <= n; q++) {
            items->at[k + q].s = NULL;
        }
        close_gaps(items);
        k += 2;
    }
}

/* Each loop goes up to the next one that it may join, if nothing holds it. */
static void join_sweep(Weave *w, Items *items, bool shifted) {
    for (int k = 1; k < items->n; k++) {
        const Item item = items->at[k];
        if (item.s->kind != STMT_LOOP && item.s->kind != STMT_IF) {
            continue;
        }
        for (int j = k - 1; j >= 0; j--) {
            if (items->at[j].s->kind == item.s->kind &&
                can_join(w, &items->at[j], &item, shifted)) {
                int n = items->n;
                join_items(w, items, j, k);
                k += items->n - n - 1;
                close_gaps(items);
                break;
            }
            if (conflict(w, &items->at[j], &item)) {
                break;
            }
        }
    }
}

static Items items_of(Weave *w, const Block *b) {
    Items items = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        VEC_PUSH(w->g->arena, items, item_of(w, s));
    }
    return items;
}

static void link_items(const Items *items, Block *b) {
    *b = (Block){0};
    for (int k = 0; k < items->n; k++) {
        gen_append(b, items->at[k].s);
    }
}

/* ---- sums that join a loop
 * A sum over a row, `sum = 0; for (i) sum += ..`, goes into the loop before it that runs over the
 * same row, computes it or reads it. One that is made for a result of the caller alone is then made
 * whether that is asked for or not: it is a sum of few operations. */

static bool is_sum(const Weave *w, const Stmt *var, const Stmt *loop) {
    double zero;
    return var && loop && var->kind == STMT_VAR && loop->kind == STMT_LOOP && !loop->turns &&
           !loop->map && !loop->step && !loop->lanes && !loop->down && !loop->threads &&
           loop->hint == HINT_SUM && loop->hint_local == var->local && !loop->nsums && var->value &&
           var->value->kind == EXPR_CONST && graph_is_real(w->g, var->value->ref, &zero);
}

static int cost_of(const Block *b) {
    int cost = 0;
    for (const Stmt *s = b->first; s; s = s->next) {
        cost += s->value ? gen_expr_cost(s->value) : 0;
    }
    return cost;
}

/* May the sum be made in the loop of a? */
static bool can_sum(Weave *w, const Item *a, const Item *sum) {
    const Stmt *s = a->s, *t = sum->s;
    if (s->kind != STMT_LOOP || s->turns || s->map || s->step || s->lanes || s->down ||
        (s->hint != HINT_LANES && s->hint != HINT_SUM) || a->barrier || a->fails || sum->barrier ||
        sum->fails || a->statements + sum->statements > MOST_TOGETHER || share_local(a, sum) ||
        share_local(sum, a) || has_loop(&s->body) || has_loop(&t->body) ||
        !is_same(w, s->value, t->value) || !is_same(w, s->other, t->other)) {
        return false;
    }
    if (w->turns && cost_of(&s->body) > MOST_BESIDE && cost_of(&t->body) <= MOST_UNASKED) {
        return false;
    }
    const Local *local = w->x->f->locals.at;
    if (s->hint == HINT_SUM && local[s->hint_local].type != local[t->hint_local].type) {
        return false; /* their rows differ in length */
    }
    bool common = false;
    for (int k = 0; k < a->access.n; k++) {
        for (int q = 0; q < sum->access.n; q++) {
            const Access *p = &a->access.at[k], *r = &sum->access.at[q];
            bool same = p->array == r->array && is_same_turn(w, p, r, s->index, t->index);
            if (p->array == r->array && p->write && !same && !is_apart(w, p, r)) {
                return false;
            }
            common = common || same;
        }
    }
    return common;
}

static void join_sums(Weave *w, Items *items) {
    for (int k = 1; k < items->n; k++) {
        Stmt *s = items->at[k].s;
        bool guarded = s->kind == STMT_IF && s->array && !s->otherwise.first;
        Stmt *var = guarded ? s->body.first : items->at[k - 1].s, *loop = !guarded ? s
                                                                          : var    ? var->next
                                                                                   : NULL;
        if (!is_sum(w, var, loop) || (guarded && cost_of(&loop->body) > MOST_UNASKED)) {
            continue;
        }
        const Item sum = item_of(w, loop);
        int at = guarded ? k - 1 : k - 2;
        while (at >= 0 && !can_sum(w, &items->at[at], &sum) && !conflict(w, &items->at[at], &sum)) {
            at--;
        }
        if (at < 0 || !can_sum(w, &items->at[at], &sum)) {
            continue;
        }
        Stmt *into = items->at[at].s, *part[4], *comment = NULL;
        if (guarded) {
            s->body.first = loop->next;
            items->at[k] = item_of(w, s);
        } else {
            items->at[k - 1].s = items->at[k].s = NULL;
            if (k > 1 && at < k - 2 && items->at[k - 2].s->kind == STMT_COMMENT) {
                comment = items->at[k - 2].s;
                items->at[k - 2].s = NULL;
            }
        }
        var->next = loop->next = NULL;
        join(w, into, loop, part);
        if (into->hint == HINT_LANES) {
            into->hint = HINT_SUM, into->hint_local = var->local;
        } else {
            int *sums = arena_alloc(w->g->arena, (size_t)(into->nsums + 1) * sizeof *sums);
            for (int q = 0; q < into->nsums; q++) {
                sums[q] = into->sums[q];
            }
            sums[into->nsums++] = var->local;
            into->sums = sums;
        }
        items->at[at] = item_of(w, into);
        insert_item(w, items, at, var);
        if (comment) {
            insert_item(w, items, at, comment);
        }
        close_gaps(items);
        k = guarded ? k + 1 : k - 1;
    }
}

static void join_loops(Weave *w, Block *b) {
    share_names(w, b);
    Items items = items_of(w, b);
    if (items.n > MOST_ITEMS) {
        link_items(&items, b);
        return;
    }
    for (int k = 1; k < items.n; k++) { /* names go before the loops that may be joined */
        int at = k;
        while (items.at[at].s->kind == STMT_LET && at > 0 && items.at[at - 1].s->kind != STMT_LET &&
               items.at[at - 1].s->kind != STMT_COMMENT &&
               !conflict(w, &items.at[at - 1], &items.at[at])) {
            Item moved = items.at[at];
            items.at[at] = items.at[at - 1];
            items.at[at - 1] = moved;
            at--;
        }
    }
    join_contributions(w, &items);
    join_zeros(w, &items);
    join_sweep(w, &items, false);
    join_sweep(w, &items, true);
    join_sweep(w, &items, false);
    join_sums(w, &items);
    link_items(&items, b);
}

/* Where no recurrence is around. */
static void join_sums_alone(Weave *w, Block *b) {
    int sums = 0, statements = 0;
    for (const Stmt *s = b->first; s; s = s->next, statements++) {
        sums += s->kind == STMT_LOOP && s->hint == HINT_SUM;
    }
    if (sums && statements <= MOST_ITEMS) {
        Items items = items_of(w, b);
        join_sums(w, &items);
        link_items(&items, b);
    }
}

/* ---- turns at the ends */

typedef struct Ends {
    const Poly *lo, *last; /* the turns of the loop */
    int low, high;         /* so many at each end go by themselves */
} Ends;

/* lo or last is so many turns from p. */
static void cut(Weave *w, Ends *e, const Poly *p, bool is_first) {
    Arena *arena = w->g->arena;
    int64_t low, high;
    /* p: the first turn of what comes after the cut, or the last one of what comes before it */
    const Poly *first = is_first ? p : poly_add(arena, p, poly_int(arena, 1));
    if (poly_is_int(poly_sub(arena, first, e->lo), &low) && low >= 0 && low <= MOST_ENDS) {
        e->low = low > e->low ? (int)low : e->low;
    } else if (poly_is_int(poly_sub(arena, poly_add(arena, e->last, poly_int(arena, 1)), first),
                           &high) &&
               high >= 0 && high <= MOST_ENDS) {
        e->high = high > e->high ? (int)high : e->high;
    }
}

static void find_cuts(Weave *w, Ends *e, Ref turn, const Expr *condition) {
    if (condition->kind == EXPR_OP && condition->op == OP_and) {
        find_cuts(w, e, turn, condition->arg[0]);
        find_cuts(w, e, turn, condition->arg[1]);
        return;
    }
    const Poly *d = difference_of(w, condition), *rest;
    int64_t num, den;
    if (!d || !poly_linear(w->g->arena, d, turn, &num, &den, &rest) || den != 1 ||
        (num != 1 && num != -1)) {
        return;
    }
    const Poly *bound = num == 1 ? poly_neg(w->g->arena, rest) : rest;
    if (condition->op == OP_eq || num == 1) {
        cut(w, e, bound, true);
    }
    if (condition->op == OP_eq || num == -1) {
        cut(w, e, bound, false);
    }
}

static void find_all_cuts(Weave *w, Ends *e, Ref turn, const Block *b, int *statements, bool *fit) {
    for (const Stmt *s = b->first; s; s = s->next) {
        ++*statements;
        if (s->kind == STMT_IF && s->value) {
            find_cuts(w, e, turn, s->value);
        }
        *fit = *fit && s->kind != STMT_STATES && s->kind != STMT_STATE && s->kind != STMT_REPLAY &&
               s->kind != STMT_SPAN;
        find_all_cuts(w, e, turn, &s->body, statements, fit);
        find_all_cuts(w, e, turn, &s->otherwise, statements, fit);
    }
}

/* Out of this loop, and of no loop inside. */
static bool has_break(const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_BREAK ||
            (s->kind != STMT_LOOP && (has_break(&s->body) || has_break(&s->otherwise)))) {
            return true;
        }
    }
    return false;
}

/* The turns are those from first to last; NULL: not known. */
static void add_turns(Weave *w, Ref index, const Poly *first, const Poly *last) {
    const Poly *turn = poly_var(w->g->arena, index);
    if (first) {
        add_fact(w, poly_sub(w->g->arena, turn, first));
    }
    if (last) {
        add_fact(w, poly_sub(w->g->arena, last, turn));
    }
}

/* The turns from first to last, where the facts say so. */
static void weave_turns(Weave *w, Stmt *loop, const Poly *first, const Poly *last) {
    int facts = w->facts.n, around = w->around.n;
    add_turns(w, loop->index, first, last);
    VEC_PUSH(w->g->arena, w->around, loop->index);
    decide(w, &loop->body);
    weave_block(w, &loop->body);
    w->facts.n = facts;
    w->around.n = around;
}

static int count_statements(const Block *b) {
    int n = 0;
    for (const Stmt *s = b->first; s; s = s->next) {
        n += 1 + count_statements(&s->body) + count_statements(&s->otherwise);
    }
    return n;
}

/* How many statements has a turn of those from `first` to `last`? */
static int statements_of_turn(Weave *w, const Stmt *loop, const Poly *first, const Poly *last) {
    Copy c = {.w = w}; /* to be counted alone: it needs no names of its own */
    Block b = copy_block(&c, &loop->body);
    int facts = w->facts.n;
    add_turns(w, loop->index, first, last);
    decide(w, &b);
    w->facts.n = facts;
    return count_statements(&b);
}

/* A copy for the turns at an end is worth its lines where less is left of them than of the others:
 * a turn of many statements does not notice what few of them ask for. */
static bool is_end_worth(Weave *w, const Stmt *loop, const Poly *turn, int others) {
    int n = statements_of_turn(w, loop, turn, turn);
    return n <= MOST_AT_END || n * 4 <= others * 3;
}

static void keep_good_ends(Weave *w, const Stmt *loop, Ends *e) {
    Arena *arena = w->g->arena;
    const Poly *first = poly_add(arena, e->lo, poly_int(arena, e->low)),
               *last = poly_sub(arena, e->last, poly_int(arena, e->high));
    int others = statements_of_turn(w, loop, first, last);
    while (e->low &&
           !is_end_worth(w, loop, poly_add(arena, e->lo, poly_int(arena, e->low - 1)), others)) {
        e->low--;
    }
    while (e->high &&
           !is_end_worth(w, loop, poly_sub(arena, e->last, poly_int(arena, e->high - 1)), others)) {
        e->high--;
    }
}

static void weave_loop(Weave *w, Stmt *loop, Block *out) {
    Graph *g = w->g;
    Arena *arena = g->arena;
    const Poly *one = poly_int(arena, 1), *lo = poly_of(w, loop->value),
               *hi = poly_of(w, loop->other);
    const Poly *last = hi && !loop->down ? poly_sub(arena, hi, one) : hi;
    Ends e = {lo, last, 0, 0};
    int statements = 0;
    int64_t turns;
    bool fit = lo && last && !has_break(&loop->body);
    if (fit) {
        find_all_cuts(w, &e, loop->index, &loop->body, &statements, &fit);
    }
    fit = fit && (e.low || e.high) && statements <= MOST_TO_COPY &&
          !(poly_is_int(poly_sub(arena, last, lo), &turns) && turns + 1 < LEAST_TURNS);
    if (fit) {
        keep_good_ends(w, loop, &e);
        fit = e.low || e.high;
    }
    if (!fit) {
        weave_turns(w, loop, lo, last);
        gen_append(out, loop);
        return;
    }
    const Poly *first = poly_add(arena, lo, poly_int(arena, e.low)),
               *end = poly_sub(arena, last, poly_int(arena, e.high)); /* of those between */
    Stmt *part[3] = {NULL, loop, NULL};
    for (int k = 0; k < 3; k += 2) {
        if (k == 0 ? e.low : e.high) {
            Copy c = {.w = w};
            declare(&c, &loop->body);
            part[k] = arena_alloc(arena, sizeof *part[k]);
            *part[k] = *loop;
            part[k]->body = copy_block(&c, &loop->body);
        }
    }
    for (int k = 0; k < 3; k++) {
        Stmt *s = part[loop->down ? 2 - k : k];
        if (!s) {
            continue;
        }
        bool is_low = s == part[0], is_high = s == part[2];
        const Poly *from = is_low    ? lo
                           : is_high ? poly_add(arena, end, one)
                                     : first,
                   *to = is_low    ? poly_sub(arena, first, one)
                         : is_high ? last
                                   : end;
        Ref least = graph_of_poly(g, from), most = graph_of_poly(g, to), other;
        if (is_low) {
            other = graph_of_poly(g, last);
            most = gen_tightest(w->x, most, &other, 1, false);
        } else if (is_high) {
            other = graph_of_poly(g, first);
            least = gen_tightest(w->x, least, &other, 1, true);
        }
        Block before = {0};
        gen_push(w->x, &before, 0, true, NULL);
        s->value = gen_bound(w->x, least);
        s->other = gen_bound(w->x, loop->down ? most : graph_op2(g, OP_add, most, graph_int(g, 1)));
        gen_pop(w->x);
        int facts = w->facts.n;
        if (is_high) { /* and not of the first ones */
            add_fact(w, poly_sub(arena, poly_var(arena, s->index), first));
        } else if (is_low) {
            add_fact(w, poly_sub(arena, last, poly_var(arena, s->index)));
        }
        weave_turns(w, s, from, to);
        w->facts.n = facts;
        if (s->body.first) {
            gen_append_all(out, &before);
            gen_append(out, s);
        }
    }
}

/* A block of a turn: loops of turns inside, and then all others. */
static void weave_block(Weave *w, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->kind == STMT_LOOP && s->turns) {
            weave_loop(w, s, &out);
        } else {
            gen_append(&out, s);
        }
    }
    *b = out;
    for (Stmt *s = b->first; s; s = s->next) {
        flatten_loops(w, s);
    }
    join_loops(w, b);
    drop_zeros(w, b);
    for (Stmt *s = b->first; s; s = s->next) {
        int around = w->around.n;
        if (s->kind == STMT_LOOP && (s->turns || s->map || s->step)) {
            continue;
        }
        if (s->kind == STMT_LOOP) {
            VEC_PUSH(w->g->arena, w->around, s->index);
        }
        weave_block(w, &s->body);
        weave_block(w, &s->otherwise);
        w->around.n = around;
    }
}

/* ---- arrays of which a loop needs one entry at a time */

typedef struct Numbers {
    Weave *w;
    int *all, *good;        /* by array: how often it is met; and in such loops */
    const Poly ***position; /* by array: in the loop at work; NULL: not met there */
    bool *bad;              /* by array: in the loop at work */
    int *met, *stores;      /* by array, in the loop at work */
    int *local;             /* by array: 1 + the local; 0: none */
    VEC(ArrayRef) here;
} Numbers;

/* starts: it is set here, whatever conditions hold */
static void meet(Numbers *m, ArrayRef a, Expr *const *position, bool starts) {
    Weave *w = m->w;
    int rank = ARRAY(w->g, a)->rank;
    const Poly **p = arena_alloc(w->g->arena, (size_t)(rank + 1) * sizeof *p);
    for (int k = 0; k < rank; k++) {
        p[k] = poly_of(w, position[k]);
    }
    m->met[a]++;
    if (!m->position[a]) {
        m->position[a] = p;
        m->bad[a] = !starts;
        VEC_PUSH(w->g->arena, m->here, a);
    }
    for (int k = 0; k < rank; k++) {
        m->bad[a] =
            m->bad[a] || !p[k] || !m->position[a][k] || !poly_equal(p[k], m->position[a][k]);
    }
}

static void meet_expr(Numbers *m, const Expr *e) {
    for (int k = 0; k < e->n; k++) {
        meet_expr(m, e->arg[k]);
    }
    if (e->kind == EXPR_LOAD) {
        meet(m, e->array, e->arg, false);
    }
}

static void meet_block(Numbers *m, const Block *b, bool sure) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            meet_expr(m, s->value);
        }
        if (s->other) {
            meet_expr(m, s->other);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            meet_expr(m, s->position[k]);
        }
        if (s->kind == STMT_STORE) {
            meet(m, s->array, s->position, sure && s->op == '=');
        }
        meet_block(m, &s->body, false);
        meet_block(m, &s->otherwise, false);
    }
}

static void replace_expr(Numbers *m, Expr *e) {
    for (int k = 0; k < e->n; k++) {
        replace_expr(m, e->arg[k]);
    }
    if (e->kind == EXPR_LOAD && m->local[e->array]) {
        e->kind = EXPR_LOCAL, e->local = m->local[e->array] - 1, e->n = 0;
    }
}

static void count_stores(const Block *b, int *stores) {
    for (const Stmt *s = b->first; s; s = s->next) {
        stores[s->array] += s->kind == STMT_STORE;
        count_stores(&s->body, stores);
        count_stores(&s->otherwise, stores);
    }
}

static void replace_block(Numbers *m, Block *b, bool sure) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            replace_expr(m, s->value);
        }
        for (int k = 0; k < s->n && s->position; k++) {
            replace_expr(m, s->position[k]);
        }
        ArrayRef a = s->kind == STMT_STORE ? s->array : 0;
        if (a && m->local[a]) {
            bool first = sure && m->stores[a] > 0;
            s->kind = !first ? STMT_SET : m->stores[a] == 1 ? STMT_LET : STMT_VAR;
            m->stores[a] = first ? 0 : m->stores[a];
            s->local = m->local[a] - 1, s->n = 0, s->position = NULL, s->array = 0;
        }
        replace_block(m, &s->body, false);
        replace_block(m, &s->otherwise, false);
    }
}

/* The loops of which an array may need one entry at a time: vector code, or nothing inside. */
static void in_loops(Numbers *m, Block *b, bool of_turns, bool replace) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind == STMT_LOOP && s->map) {
            continue;
        }
        bool turns = of_turns || (s->kind == STMT_LOOP && s->turns);
        if (of_turns && s->kind == STMT_LOOP && !has_loop(&s->body)) {
            m->here.n = 0;
            if (replace) {
                memset(m->stores, 0, (size_t)(m->w->g->arrays.n + 1) * sizeof *m->stores);
                count_stores(&s->body, m->stores);
                replace_block(m, &s->body, true);
                continue;
            }
            meet_block(m, &s->body, true);
            for (int k = 0; k < m->here.n; k++) {
                ArrayRef a = m->here.at[k];
                m->good[a] += m->bad[a] ? 0 : m->met[a];
                m->position[a] = NULL, m->bad[a] = false, m->met[a] = 0;
            }
            continue;
        }
        in_loops(m, &s->body, turns, replace);
        in_loops(m, &s->otherwise, turns, replace);
    }
}

static void make_numbers(Weave *w, const bool *carried) {
    Graph *g = w->g;
    Function *f = w->f;
    size_t all = (size_t)g->arrays.n + 1;
    Numbers m = {.w = w};
    m.all = arena_alloc(g->arena, all * sizeof *m.all);
    m.good = arena_alloc(g->arena, all * sizeof *m.good);
    m.met = arena_alloc(g->arena, all * sizeof *m.met);
    m.stores = arena_alloc(g->arena, all * sizeof *m.stores);
    m.local = arena_alloc(g->arena, all * sizeof *m.local);
    m.position = arena_alloc(g->arena, all * sizeof *m.position);
    m.bad = arena_alloc(g->arena, all);
    gen_count_arrays(&f->body, m.all);
    in_loops(&m, &f->body, false, false);
    bool *asked = arena_alloc(g->arena, all);
    for (int k = 0; k < f->writes.n; k++) {
        asked[f->writes.at[k]] = true;
    }
    for (int k = 0; k < f->checkpoints.n; k++) {
        const Checkpoint *c = f->checkpoints.at[k];
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            asked[a] = asked[a] || c->again[a] || c->window[a];
        }
        for (int q = 0; q < c->states.n; q++) {
            asked[c->states.at[q].array] = true;
        }
        for (int q = 0; q < c->ends.n; q++) {
            asked[c->ends.at[q].array] = true;
        }
    }
    int kept = 0;
    for (int k = 0; k < f->buffers.n; k++) {
        ArrayRef a = f->buffers.at[k];
        if (carried[a] || asked[a] || f->place[a] != PLACE_BUFFER || m.all[a] == 0 ||
            m.all[a] != m.good[a] || f->scattered[a] || ARRAY(g, a)->type < VALUE_FLOAT) {
            f->buffers.at[kept++] = a;
            continue;
        }
        int local = gen_local(w->x, ARRAY(g, a)->name, ARRAY(g, a)->type, true);
        f->locals.at[local].array = a;
        f->place[a] = PLACE_LOCAL, f->local[a] = local;
        m.local[a] = local + 1;
    }
    f->buffers.n = kept;
    in_loops(&m, &f->body, false, true);
}

/* ---- loops of a block of turns
 * In a loop that goes by blocks of turns, runs over the turns of the block stand in loops over
 * other axes. Loops that read the same entries become one, so that these are loaded once. */

static void forget_names(Gen *own) {
    memset(&own->frames, 0, sizeof own->frames);
    memset(&own->known, 0, sizeof own->known);
    memset(&own->known_in, 0, sizeof own->known_in);
    memset(&own->known_level, 0, sizeof own->known_level);
    memset(&own->uses, 0, sizeof own->uses);
    own->top = -1;
}

typedef struct Held { /* a statement of the block, and what is said of it */
    Item item;
    Block said;
} Held;

typedef VEC(Held) Helds;

static bool is_run(const Weave *w, const Stmt *s) {
    return s->kind == STMT_LOOP && s->lanes && s->index == w->block && !s->one_by_one;
}

static bool is_start(const Stmt *s) { /* of a sum, or of what two sides of a choice set */
    return s->kind == STMT_VAR && (!s->value || s->value->kind == EXPR_CONST);
}

static bool is_start_run(const Weave *w, const Stmt *s) {
    return is_run(w, s) && s->body.last && is_start(s->body.last);
}

static void hold(Weave *w, Helds *held, Stmt *s, Block *said) {
    VEC_PUSH(w->g->arena, *held, ((Held){.item = item_of(w, s), .said = *said}));
    *said = (Block){0};
}

/* A run of some statements: those that start something are runs of their own. */
static void hold_run(Weave *w, Helds *held, Stmt *run, Block *said) {
    Block all = run->body, part = {0}, comments = {0};
    for (Stmt *s = all.first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->kind == STMT_COMMENT) {
            gen_append(&comments, s);
            continue;
        }
        if (is_start(s) && part.first) {
            Stmt *one = arena_alloc(w->g->arena, sizeof *one);
            *one = *run;
            one->body = part;
            hold(w, held, one, said);
            part = (Block){0};
        }
        gen_append_all(&part, &comments);
        comments = (Block){0};
        gen_append(&part, s);
        if (is_start(s)) {
            Stmt *one = arena_alloc(w->g->arena, sizeof *one);
            *one = *run;
            one->body = part;
            hold(w, held, one, said);
            part = (Block){0};
        }
    }
    gen_append_all(&part, &comments);
    if (part.first) {
        run->body = part;
        hold(w, held, run, said);
    }
}

/* The same but for indices of loops inside of the block? */
static bool is_like(const Weave *w, const Expr *a, const Expr *b) {
    if (a->kind == EXPR_INDEX && b->kind == EXPR_INDEX && !is_around(w, a->ref) &&
        !is_around(w, b->ref)) {
        return true;
    }
    if (a->kind != b->kind || a->op != b->op || a->type != b->type || a->array != b->array ||
        a->local != b->local || a->n != b->n || (a->ref != b->ref && a->kind != EXPR_LOAD)) {
        return false;
    }
    for (int k = 0; k < a->n; k++) {
        if (!is_like(w, a->arg[k], b->arg[k])) {
            return false;
        }
    }
    return true;
}

typedef VEC(const Expr *) Loads;

/* Entries that differ from turn to turn, and from one turn of a loop around the run to another. */
static void find_loads(Weave *w, const Expr *e, Loads *loads) {
    if (e->kind == EXPR_LOAD && e->type >= VALUE_FLOAT && gen_expr_has_index(e, w->block)) {
        VEC_PUSH(w->g->arena, *loads, e);
    }
    for (int k = 0; k < e->n; k++) {
        find_loads(w, e->arg[k], loads);
    }
}

/* sums: how many variables (and how many entries) are added to */
static void find_all_loads(Weave *w, const Block *b, Loads *loads, int *sums) {
    for (const Stmt *s = b->first; s; s = s->next) {
        if (s->value) {
            find_loads(w, s->value, loads);
        }
        if (s->kind == STMT_SET || s->kind == STMT_STORE) {
            sums[s->kind == STMT_STORE] += s->op == '+';
        }
        find_all_loads(w, &s->body, loads, sums);
        find_all_loads(w, &s->otherwise, loads, sums);
    }
}

static bool has_run(const Weave *w, const Block *b) {
    bool has = false;
    for (const Stmt *s = b->first; s && !has; s = s->next) {
        has = is_run(w, s) || has_run(w, &s->body) || has_run(w, &s->otherwise);
    }
    return has;
}

/* Is something stored at places that lie apart in memory for the turns of the block? That is no
 * vector code, and would keep what stands beside it from being. */
static bool scatters(Weave *w, const Block *b) {
    for (const Stmt *s = b->first; s; s = s->next) {
        for (int k = 0; k + 1 < s->n && s->kind == STMT_STORE; k++) {
            if (gen_expr_has_index(s->position[k], w->block) && window_of(w, s->array, k) == 0) {
                return true;
            }
        }
        if (scatters(w, &s->body) || scatters(w, &s->otherwise)) {
            return true;
        }
    }
    return false;
}

/* Do both loops load the same, and are there few sums in them? */
static bool shares_loads(Weave *w, const Stmt *s, const Stmt *t) {
    Loads a = {0}, b = {0};
    int sums[2] = {0, 0};
    bool some = false;
    find_all_loads(w, &s->body, &a, sums);
    find_all_loads(w, &t->body, &b, sums);
    for (int k = 0; k < a.n && !some; k++) {
        for (int q = 0; q < b.n && !some; q++) {
            some = is_like(w, a.at[k], b.at[q]);
        }
    }
    return some && sums[0] <= MOST_SUMS && sums[1] <= MOST_SUMS;
}

/* May b's body follow a's in a's loop, or on a's side of a choice? */
static bool can_hold(Weave *w, const Item *a, const Item *b) {
    const Stmt *s = a->s, *t = b->s;
    if (a->barrier || b->barrier || s->kind != t->kind || (a->fails && b->fails)) {
        return false;
    }
    if (s->kind == STMT_IF) {
        Item condition = {0};
        if (s->array || t->array || !gen_expr_same(s->value, t->value)) {
            return false;
        }
        look_at_expr(w, &condition, s->value);
        return !share_local(a, &condition) && !writes_what(w, a, &condition);
    }
    if (s->kind != STMT_LOOP || a->statements + b->statements > MOST_IN_BLOCK || s->lanes ||
        t->lanes || s->step || t->step || s->turns || t->turns || s->down || t->down ||
        s->hint != HINT_NONE || t->hint != HINT_NONE || !s->value || !t->value || !s->other ||
        !t->other || !is_same(w, s->value, t->value) || !is_same(w, s->other, t->other) ||
        share_local(a, b) || share_local(b, a) || !has_run(w, &s->body) || !has_run(w, &t->body) ||
        binds(&s->body, t->index) || binds(&t->body, s->index) || scatters(w, &s->body) ||
        scatters(w, &t->body) || !shares_loads(w, s, t)) {
        return false;
    }
    for (int k = 0; k < a->access.n; k++) {
        for (int q = 0; q < b->access.n; q++) {
            const Access *p = &a->access.at[k], *r = &b->access.at[q];
            if (p->array == r->array && (p->write || r->write) && !is_apart(w, p, r) &&
                !is_same_turn(w, p, r, s->index, t->index)) {
                return false;
            }
        }
    }
    return true;
}

static void hold_together(Weave *w, Held *a, const Held *b) {
    Stmt *s = a->item.s, *t = b->item.s;
    if (s->kind == STMT_IF) {
        gen_append_all(&s->body, &t->body);
        gen_append_all(&s->otherwise, &t->otherwise);
    } else {
        Copy c = {.w = w, .from = t->index, .to = s->index};
        Block body = copy_block(&c, &t->body);
        gen_append_all(&s->body, &body);
    }
    gen_append_all(&a->said, &b->said);
    a->item = item_of(w, s);
}

/* Item k goes to place j, before it. */
static void move_up(Helds *held, int k, int j) {
    Held moved = held->at[k];
    for (; k > j; k--) {
        held->at[k] = held->at[k - 1];
    }
    held->at[j] = moved;
}

static void drop_held(Helds *held, int k) {
    for (held->n--; k < held->n; k++) {
        held->at[k] = held->at[k + 1];
    }
}

static void join_runs(Weave *w, Block *b) {
    Helds held = {0};
    Block said = {0};
    int loops = 0;
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        loops += s->kind == STMT_IF || (s->kind == STMT_LOOP && !s->lanes);
        if (s->kind == STMT_COMMENT) {
            gen_append(&said, s);
        } else if (is_run(w, s)) {
            hold_run(w, &held, s, &said);
        } else {
            hold(w, &held, s, &said);
        }
    }
    for (int k = 1; k < held.n && loops > 1 && held.n <= MOST_ITEMS; k++) {
        const Stmt *s = held.at[k].item.s;
        bool start = is_start_run(w, s), done = false;
        if (!start && s->kind != STMT_IF && (s->kind != STMT_LOOP || s->lanes)) {
            continue;
        }
        int first = -1; /* the first run that it may stand behind */
        for (int j = k - 1; j >= 0 && !done; j--) {
            Held *before = &held.at[j];
            if (start) {
                first = is_run(w, before->item.s) ? j : first;
            } else if (can_hold(w, &before->item, &held.at[k].item)) {
                hold_together(w, before, &held.at[k]);
                drop_held(&held, k--);
                break;
            }
            done = conflict(w, &before->item, &held.at[k].item);
        }
        if (start && first >= 0) {
            for (first++; first < k && is_start_run(w, held.at[first].item.s);) {
                first++; /* behind other starts */
            }
            move_up(&held, k, first);
        }
    }
    *b = (Block){0};
    for (int k = 0; k < held.n; k++) {
        Stmt *s = held.at[k].item.s;
        if (is_run(w, s) && b->last && is_run(w, b->last)) {
            gen_append_all(&b->last->body, &held.at[k].said);
            gen_append_all(&b->last->body, &s->body);
            continue;
        }
        gen_append_all(b, &held.at[k].said);
        gen_append(b, s);
    }
    gen_append_all(b, &said);
    for (Stmt *s = b->first; s; s = s->next) {
        bool loop = s->kind == STMT_LOOP;
        if (loop && s->lanes) {
            continue;
        }
        if (loop) {
            VEC_PUSH(w->g->arena, w->around, s->index);
        }
        join_runs(w, &s->body);
        join_runs(w, &s->otherwise);
        w->around.n -= loop;
    }
}

void weave_runs(Gen *x, Ref turn, Block *b) {
    Gen own = *x;
    forget_names(&own);
    Weave w = {.x = &own, .g = x->g, .f = x->f, .block = turn};
    VEC_PUSH(x->g->arena, w.around, turn);
    join_runs(&w, b);
}

/* ---- neighbours under one condition */

/* Of whole numbers that nothing in a function changes. */
static bool is_fixed_condition(const Expr *e) {
    bool fixed =
        e->kind == EXPR_OP || e->kind == EXPR_CONST || e->kind == EXPR_INDEX || e->kind == EXPR_DIM;
    for (int k = 0; k < e->n && fixed; k++) {
        fixed = is_fixed_condition(e->arg[k]);
    }
    return fixed;
}

/* a <= b is a < b + 1. */
static bool is_same_condition(Weave *w, const Expr *a, const Expr *b) {
    const Poly *p = difference_of(w, a), *q = p ? difference_of(w, b) : NULL;
    if (p && q && (a->op == OP_eq) == (b->op == OP_eq)) {
        return poly_equal(p, q);
    }
    return is_same(w, a, b);
}

static bool is_same_guard(Weave *w, const Stmt *s, const Stmt *t) {
    if (s->kind != STMT_IF || t->kind != STMT_IF || s->array != t->array ||
        !s->value != !t->value) {
        return false;
    }
    return !s->value || (is_fixed_condition(s->value) && is_fixed_condition(t->value) &&
                         is_same_condition(w, s->value, t->value));
}

static void join_guards(Weave *w, Block *b) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (out.last && is_same_guard(w, out.last, s)) {
            gen_append_all(&out.last->body, &s->body);
            gen_append_all(&out.last->otherwise, &s->otherwise);
        } else {
            gen_append(&out, s);
        }
    }
    *b = out;
    for (Stmt *s = b->first; s; s = s->next) {
        join_guards(w, &s->body);
        join_guards(w, &s->otherwise);
    }
}

void weave_guards(Gen *x) {
    Weave w = {.x = x, .g = x->g, .f = x->f};
    join_guards(&w, &x->f->body);
}

/* ---- all of a function */

static void walk(Weave *w, Block *b, bool *some) {
    Block out = {0};
    for (Stmt *s = b->first, *next; s; s = next) {
        next = s->next;
        s->next = NULL;
        if (s->kind == STMT_LOOP && s->turns) {
            *some = true;
            Block woven = {0};
            w->turns = true;
            weave_loop(w, s, &woven);
            w->turns = false;
            set_jams(w, &woven);
            gen_append_all(&out, &woven);
            continue;
        }
        if (!(s->kind == STMT_LOOP && s->map)) {
            walk(w, &s->body, some);
            walk(w, &s->otherwise, some);
        }
        gen_append(&out, s);
    }
    *b = out;
}

/* Sums that rows are added to, outside of recurrences. */
static void add_rows(Weave *w, Block *b) {
    for (Stmt *s = b->first; s; s = s->next) {
        if (s->kind != STMT_LOOP) {
            add_rows(w, &s->body);
            add_rows(w, &s->otherwise);
            continue;
        }
        Stmt *inner = is_plain_loop(s) && s->hint == HINT_NONE ? only_one(&s->body) : NULL;
        if (inner && inner->kind == STMT_LOOP && is_plain_loop(inner) && !inner->jam) {
            flatten_added(w, s, inner);
        }
    }
}

void weave_sums(Gen *x) {
    Gen own = *x;
    forget_names(&own);
    Weave w = {.x = &own, .g = x->g, .f = x->f};
    add_rows(&w, &x->f->body);
}

void weave_make(Gen *x, const bool *carried) {
    Gen own = *x; /* it knows no names: they may stand behind what is made here */
    bool some = false;
    forget_names(&own);
    Weave w = {.x = &own, .g = x->g, .f = x->f};
    walk(&w, &x->f->body, &some);
    join_sums_alone(&w, &x->f->body);
    if (!some) {
        return;
    }
    w.first_local = x->f->locals.n;
    make_numbers(&w, carried);
    while (drop_names(&w, &x->f->body, NULL)) {
    }
}
