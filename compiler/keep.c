/* keep: dear terms that several equations compute are computed once.
 * In: the graph as the functions of one request see it, with what needs no memory written into its
 * readers. Out: the same values, where a term of many instructions (exp, tanh, sin ..) that occurs
 * in more than one equation, up to the names of axes and their shifts, is an array that they read,
 * if that costs less than to compute it again: each entry is written once, and read where it was
 * computed.
 *
 * Terms are compared over common indices v, where v is what stands at the first position at which
 * an index is met: tanh(c[t + 1]) for t from 0 and tanh(c[t]) for t from 1 are both tanh(c[v]). One
 * place at which the term occurs, not on one side of a choice, defines the array: its ranges and
 * its condition become those of the array, so nothing is computed that was not. The places whose
 * ranges lie within, and whose condition is no weaker, read it. Longer terms go first.
 *
 * A term of data alone, exp(a[k]) in sum[k](exp(a[k]) * x[n, k]), is one for all n: there one place
 * is enough, and it may stand on one side of a choice, as nothing can go wrong where it is not
 * asked for. */
#include "gen.h"
#include "kernel.h"
#include "ops.h"
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TERM = 64, /* nodes of a term that is looked at: so the work is linear */
    MOST_INDICES = 8,
    MOST_NESTED = 16, /* sums inside of sums */
    MOST_TRIES = 8,   /* places that are tried as the one that defines the array */
    MANY_TIMES = 64,  /* so often a term is computed along axes that it does not know */
    LEAST_TIMES = 8,  /* so often a side of a choice must be there, to be computed for nothing */
    /* What it costs to write or to read an entry, in simple operations: */
    MOVED_NEAR = 4, /* where something that it is made of is as large */
    MOVED_FAR = 16  /* else */
};

typedef struct Spot { /* where a term stands */
    ArrayRef array;
    int piece;
    int inside;     /* of the next larger one that it is a part of; -1: none */
    bool sometimes; /* on one side of a choice */
    Ref term;
    Scope scope;
    int n, dear;
    Ref index[MOST_INDICES]; /* in the order of v */
    Ref v[MOST_INDICES];
    int8_t sign[MOST_INDICES];
    const Poly *shift[MOST_INDICES]; /* v = sign * index + shift */
    int next;                        /* of the same term; -1: none */
} Spot;

typedef struct Dear { /* a term over v */
    Ref key;
    int first, last, n; /* spots */
    int size;
    int definer;            /* a spot */
    Scope part;             /* of it */
    int axis[MOST_INDICES]; /* of the array: the number of its v */
    ArrayRef made;          /* 0: it is not kept */
} Dear;

typedef struct Keep {
    Graph *g;
    VEC(Spot) spots;
    VEC(Dear) dear;
    uint32_t *slot; /* a hash table: 1 + the number of a term */
    uint32_t nslots;
    bool rewriting;
    ArrayRef array; /* at work */
    int piece;
    Edits *edits;
} Keep;

/* ---- terms over common indices */

static bool is_dear(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op >= OP_FIRST_SCALAR && n->type >= VALUE_FLOAT && !op_info[n->op].cheap &&
           n->size <= MOST_TERM && !n->fails;
}

/* The index becomes what stands at the position, where that is the index, a sign and sizes. */
static bool meet(Graph *g, Spot *s, Ref index, const Poly *at, const Poly *extent) {
    for (int k = 0; k < s->n; k++) {
        if (s->index[k] == index) {
            return true;
        }
    }
    if (s->n == MOST_INDICES) {
        return false;
    }
    s->index[s->n] = index;
    graph_place(g, at, index, &s->sign[s->n], &s->shift[s->n]);
    s->v[s->n] = graph_axis(g, s->n, extent);
    s->n++;
    return true;
}

/* The term over v; 0: it is not compared. Fills in how v comes from its indices. */
static Ref over_common(Graph *g, Spot *s) {
    Ref to[MOST_INDICES];
    const Ref *free;
    int nfree = graph_free(g, s->term, &free);
    if (nfree > MOST_INDICES) {
        return 0;
    }
    s->n = 0;
    Walk walk = walk_start(g, s->term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_EXTERN || n.op == OP_KERNEL || n.op == OP_REDUCE) {
            return 0;
        }
        for (int k = 0; k < n.nargs && n.op == OP_READ; k++) {
            const Ref *at;
            const Poly *shift;
            int8_t sign;
            Ref position = ARG(g, r, k);
            int nat = graph_free(g, position, &at);
            if (nat == 1 && graph_place(g, graph_poly(g, position), at[0], &sign, &shift) &&
                !meet(g, s, at[0], graph_poly(g, position), ARRAY(g, n.aux)->extent[k])) {
                return 0;
            }
        }
        for (int k = n.nargs - 1; k >= 0; k--) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    for (int k = 0; k < nfree; k++) {
        if (!meet(g, s, free[k], NULL, EXTENT(g, free[k]))) {
            return 0;
        }
    }
    for (int k = 0; k < s->n; k++) {
        const Poly *v = poly_sub(g->arena, poly_var(g->arena, s->v[k]), s->shift[k]);
        to[k] = graph_of_poly(g, s->sign[k] > 0 ? v : poly_neg(g->arena, v));
    }
    return graph_subst(g, s->term, s->n, s->index, to);
}

static Dear *find_dear(Keep *w, Ref key, bool add) {
    Graph *g = w->g;
    if (add && ((uint32_t)w->dear.n + 1) * 2 >= w->nslots) {
        w->nslots = w->nslots ? w->nslots * 2 : 64;
        w->slot = arena_alloc(g->arena, w->nslots * sizeof *w->slot);
        for (int k = 0; k < w->dear.n; k++) {
            uint32_t h = w->dear.at[k].key * 0x9E3779B1u & (w->nslots - 1);
            while (w->slot[h]) {
                h = (h + 1) & (w->nslots - 1);
            }
            w->slot[h] = (uint32_t)k + 1;
        }
    }
    if (!w->nslots) {
        return NULL;
    }
    uint32_t h = key * 0x9E3779B1u & (w->nslots - 1);
    for (; w->slot[h]; h = (h + 1) & (w->nslots - 1)) {
        if (w->dear.at[w->slot[h] - 1].key == key) {
            return &w->dear.at[w->slot[h] - 1];
        }
    }
    if (!add) {
        return NULL;
    }
    Dear d = {.key = key, .first = -1, .last = -1, .size = NODE(g, key)->size};
    VEC_PUSH(g->arena, w->dear, d);
    w->slot[h] = (uint32_t)w->dear.n;
    return &w->dear.at[w->dear.n - 1];
}

/* ---- where they stand */

static const Poly *scope_end(const Scope *s, Ref index, bool high) {
    for (int k = 0; k < s->n; k++) {
        if (s->index[k] == index) {
            return high ? s->hi[k] : s->lo[k];
        }
    }
    return NULL;
}

/* v number k, where its index is `at`. */
static const Poly *v_of(Graph *g, const Spot *s, int k, const Poly *at) {
    return poly_add(g->arena, s->sign[k] > 0 ? at : poly_neg(g->arena, at), s->shift[k]);
}

static Ref guard_over_common(Graph *g, const Spot *s, Ref guard) {
    Ref to[MOST_INDICES];
    if (!guard) {
        return 0;
    }
    for (int k = 0; k < s->n; k++) {
        const Poly *v = poly_sub(g->arena, poly_var(g->arena, s->v[k]), s->shift[k]);
        to[k] = graph_of_poly(g, s->sign[k] > 0 ? v : poly_neg(g->arena, v));
    }
    return graph_subst(g, guard, s->n, s->index, to);
}

/* Is all that this spot reads what the definer computes? */
static bool is_within(Graph *g, const Spot *s, const Spot *definer, const Scope *part) {
    for (int k = 0; k < s->n; k++) {
        const Poly *lo = scope_end(&s->scope, s->index[k], false),
                   *hi = scope_end(&s->scope, s->index[k], true),
                   *least = scope_end(part, definer->index[k], false),
                   *most = scope_end(part, definer->index[k], true);
        if (!lo || !hi || !least || !most) {
            return false;
        }
        bool up = s->sign[k] > 0, rises = definer->sign[k] > 0;
        const Poly *from = poly_sub(g->arena, v_of(g, s, k, up ? lo : hi),
                                    v_of(g, definer, k, rises ? least : most)),
                   *to = poly_sub(g->arena, v_of(g, definer, k, rises ? most : least),
                                  v_of(g, s, k, up ? hi : lo));
        if (!graph_prove(g, from, 0, NULL) || !graph_prove(g, to, 0, NULL)) {
            return false;
        }
    }
    if (!part->guard) {
        return true;
    }
    Scope own = scope_part(g, &s->scope, 1, &s->term);
    return own.guard && !graph_given(g, guard_over_common(g, definer, part->guard),
                                     guard_over_common(g, s, own.guard));
}

static bool add_spot(Keep *w, Spot *s) {
    Graph *g = w->g;
    Ref key = over_common(g, s);
    if (!key || !is_dear(g, key)) {
        return false;
    }
    Dear *d = find_dear(w, key, true);
    s->next = -1, s->dear = (int)(d - w->dear.at);
    VEC_PUSH(g->arena, w->spots, *s);
    if (d->last >= 0) {
        w->spots.at[d->last].next = w->spots.n - 1;
    } else {
        d->first = w->spots.n - 1;
    }
    d->last = w->spots.n - 1, d->n++;
    return true;
}

/* What is to be read in place of the term; 0: it stays. */
static Ref kept_read(Keep *w, Spot *s) {
    Graph *g = w->g;
    Ref key = over_common(g, s), position[MOST_INDICES];
    const Dear *d = key ? find_dear(w, key, false) : NULL;
    if (!d || !d->made || d->made == w->array) {
        return 0;
    }
    if (!is_within(g, s, &w->spots.at[d->definer], &d->part)) {
        return 0;
    }
    for (int k = 0; k < d->part.n; k++) {
        int v = d->axis[k];
        position[k] = graph_of_poly(g, v_of(g, s, v, poly_var(g->arena, s->index[v])));
    }
    return graph_read(g, d->made, position);
}

typedef struct Todo {
    Ref term;
    int inside;
    bool sometimes;
} Todo;

typedef struct Change {
    Ref from, to;
} Change;

typedef struct Met { /* nodes of a walk in which others are made: a hash table */
    Ref *at;
    uint32_t room, n;
} Met;

static bool meets_first(Graph *g, Met *m, Ref r) {
    if (2 * m->n >= m->room) {
        Met old = *m;
        *m = (Met){.room = old.room ? 2 * old.room : 64};
        m->at = arena_alloc(g->arena, m->room * sizeof *m->at);
        for (uint32_t k = 0; k < old.room; k++) {
            if (old.at[k]) {
                meets_first(g, m, old.at[k]);
            }
        }
    }
    uint32_t h = r * 0x9E3779B1u & (m->room - 1);
    for (; m->at[h]; h = (h + 1) & (m->room - 1)) {
        if (m->at[h] == r) {
            return false;
        }
    }
    m->at[h] = r, m->n++;
    return true;
}

static int rising(const void *a, const void *b) {
    const Change *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* All of a term: finds spots, or puts reads in their place. */
static Ref walk(Keep *w, Ref root, const Scope *scope, int nested, int inside, bool sometimes) {
    Graph *g = w->g;
    Met met = {0};
    VEC(Change) changes = {0};
    VEC(Todo) todo = {0}, later = {0};
    VEC_PUSH(g->arena, todo, ((Todo){root, inside, sometimes}));
    while (todo.n || later.n) { /* first what is computed in any case */
        Todo t = todo.n ? todo.at[--todo.n] : later.at[--later.n];
        const Node n = *NODE(g, t.term);
        if (n.op == OP_READ || n.op == OP_EXTERN || n.op == OP_KERNEL || n.type == VALUE_INT ||
            !meets_first(g, &met, t.term)) {
            continue;
        }
        if (n.op == OP_REDUCE) {
            Ref condition, body;
            if (n.aux == RED_FIRST || nested == MOST_NESTED) {
                continue;
            }
            Ref index = graph_open(g, t.term, &condition, &body);
            Scope around = scope_copy(g, scope);
            scope_add(g, &around, index, NULL, NULL);
            Ref c = walk(w, condition, &around, nested + 1, t.inside, true);
            scope_guard(g, &around, condition);
            Ref b = walk(w, body, &around, nested + 1, t.inside, t.sometimes);
            if (c != condition || b != body) {
                b = graph_reduce(g, (Reduction)n.aux, index, c, b);
                VEC_PUSH(g->arena, changes, ((Change){t.term, b}));
            }
            continue;
        }
        if (is_dear(g, t.term)) {
            Spot s = {.array = w->array,
                      .piece = w->piece,
                      .inside = t.inside,
                      .sometimes = t.sometimes,
                      .term = t.term,
                      .scope = *scope};
            Ref read = w->rewriting ? kept_read(w, &s) : 0;
            if (read) {
                VEC_PUSH(g->arena, changes, ((Change){t.term, read}));
                continue;
            }
            t.inside = !w->rewriting && add_spot(w, &s) ? w->spots.n - 1 : t.inside;
        }
        for (int k = 0; k < n.nargs; k++) {
            bool choice = (n.op == OP_SELECT || n.op == OP_and || n.op == OP_or) && k > 0;
            Todo next = {ARG(g, t.term, k), t.inside, t.sometimes || choice};
            if (next.sometimes) {
                VEC_PUSH(g->arena, later, next);
            } else {
                VEC_PUSH(g->arena, todo, next);
            }
        }
    }
    if (!changes.n) {
        return root;
    }
    qsort(changes.at, (size_t)changes.n, sizeof *changes.at, rising); /* arguments first */
    Subst *s = graph_subst_start(g);
    for (int k = 0; k < changes.n; k++) {
        graph_subst_add(s, changes.at[k].from, changes.at[k].to);
    }
    root = graph_subst_all(s, root);
    graph_subst_end(s);
    return root;
}

/* Of an iteration each turn depends on how many there are: such pieces stay as they are. */
static bool is_looked_at(Graph *g, ArrayRef a, int q) {
    const Piece *p = &ARRAY(g, a)->pieces.at[q];
    return ARRAY(g, a)->role == ARRAY_INTERNAL && !ARRAY(g, a)->counts && !p->live &&
           NODE(g, p->body)->op != OP_KERNEL && !(p->guard && graph_reads_count(g, p->guard));
}

static void walk_array(Keep *w, ArrayRef a) {
    Graph *g = w->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        if (!is_looked_at(g, a, q)) {
            continue;
        }
        Scope scope = scope_of_piece(g, a, &p);
        w->array = a, w->piece = q;
        Ref body = walk(w, p.body, &scope, 0, -1, false);
        if (body == p.body) {
            continue;
        }
        edits_begin(g, w->edits, a);
        ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
    }
}

/* ---- what is worth an array */

/* Is it a part of a longer term that is kept? */
static bool is_hidden(const Keep *w, const Spot *s) {
    for (int k = s->inside; k >= 0; k = w->spots.at[k].inside) {
        if (w->dear.at[w->spots.at[k].dear].made) {
            return true;
        }
    }
    return false;
}

/* How many equations would read what this spot defines, itself included? */
static int count_readers(Keep *w, const Dear *d, int definer, const Scope *part) {
    Graph *g = w->g;
    int n = 0, hidden = 0;
    const Spot *last = NULL;
    for (int k = d->first; k >= 0; k = w->spots.at[k].next) {
        const Spot *s = &w->spots.at[k];
        bool same = last && last->array == s->array && last->piece == s->piece;
        if (!same && is_within(g, s, &w->spots.at[definer], part)) {
            if (is_hidden(w, s)) {
                hidden = 1;
            } else {
                last = s;
                n++;
            }
        }
    }
    return n + hidden;
}

/* The array over v, in the order in which the definer has its indices. */
static void make_array(Keep *w, Dear *d) {
    Graph *g = w->g;
    const Spot *s = &w->spots.at[d->definer];
    Scope over = {0};
    Ref to[MOST_INDICES];
    for (int k = 0; k < d->part.n; k++) {
        for (int v = 0; v < s->n; v++) {
            if (s->index[v] != d->part.index[k]) {
                continue;
            }
            const char *name = g->indices.at[NODE(g, s->index[v])->aux].name;
            Ref index = graph_index(g, name, EXTENT(g, s->v[v]));
            const Poly *lo = v_of(g, s, v, d->part.lo[k]), *hi = v_of(g, s, v, d->part.hi[k]),
                       *from = poly_sub(g->arena, poly_var(g->arena, index), s->shift[v]);
            const Poly *first = s->sign[v] > 0 ? lo : hi;
            if (!graph_prove(g, first, 0, NULL) &&
                graph_prove(g, poly_neg(g->arena, first), 0, NULL)) {
                first = poly_int(g->arena, 0); /* a condition kept the entries before out */
            }
            scope_add(g, &over, index, first, s->sign[v] > 0 ? hi : lo);
            to[v] = graph_of_poly(g, s->sign[v] > 0 ? from : poly_neg(g->arena, from));
            d->axis[k] = v;
        }
    }
    over.guard = d->part.guard ? graph_subst(g, d->part.guard, s->n, s->index, to) : 0;
    const char *name = arena_format(g->arena, "%s_%s", ARRAY(g, s->array)->name,
                                    op_info[NODE(g, s->term)->op].name);
    int order = ARRAY(g, s->array)->order;
    Span at = ARRAY(g, s->array)->pieces.at[s->piece].at;
    Ref term = graph_subst(g, s->term, s->n, s->index, to);
    d->made = graph_array_over(g, name, &over, term, at, NULL);
    ARRAY(g, d->made)->order = order;
    ARRAY(g, d->made)->derived = true;
}

static const Poly *entries_of(Graph *g, int n, const Poly *const *extent) {
    const Poly *all = poly_int(g->arena, 1);
    for (int k = 0; k < n; k++) {
        all = poly_mul(g->arena, all, extent[k]);
    }
    return all;
}

/* A table of all pairs is larger than the two lists that it is made of: it may go through memory,
 * where they do not. */
static int cost_of_move(Graph *g, const Spot *s) {
    const Poly *extent[MOST_INDICES];
    for (int k = 0; k < s->n; k++) {
        extent[k] = EXTENT(g, s->v[k]);
    }
    const Poly *all = entries_of(g, s->n, extent);
    Walk walk = walk_start(g, s->term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ) {
            const Array *x = ARRAY(g, n.aux);
            const Poly *more = entries_of(g, x->rank, x->extent);
            if (graph_prove(g, poly_sub(g->arena, more, all), 0, NULL)) {
                return MOVED_NEAR;
            }
            continue;
        }
        walk_into(walk, r);
    }
    return MOVED_FAR;
}

/* Does the term read given data alone, at places that are there for all of its scope? */
static bool is_of_data(Graph *g, const Spot *s, const Scope *part) {
    const Poly *facts[2 * MOST_INDICES];
    for (int k = 0; k < part->n; k++) {
        const Poly *i = poly_var(g->arena, part->index[k]);
        facts[2 * k] = poly_sub(g->arena, i, part->lo[k]);
        facts[2 * k + 1] = poly_sub(g->arena, part->hi[k], i);
    }
    Walk walk = walk_start(g, s->term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        const Array *of = n.op == OP_READ ? ARRAY(g, n.aux) : NULL;
        if (!of) {
            walk_into(walk, r);
            continue;
        }
        for (int k = 0; k < n.nargs; k++) {
            const Poly *at = graph_poly(g, ARG(g, r, k)),
                       *room = poly_sub(g->arena, of->extent[k], poly_int(g->arena, 1));
            if (!graph_prove(g, at, 2 * part->n, facts) ||
                !graph_prove(g, poly_sub(g->arena, room, at), 2 * part->n, facts)) {
                return false;
            }
        }
        if (of->role == ARRAY_INTERNAL) {
            return false;
        }
    }
    return true;
}

/* How often is the term computed, along axes and sums around it that it does not know? (A condition
 * may leave few of their places: such ones do not count.) */
static int times_of(Graph *g, const Spot *s) {
    int64_t times = 1, size;
    for (int k = 0; k < s->scope.n && times < MANY_TIMES; k++) {
        const Scope *o = &s->scope;
        bool known = o->guard && graph_has_index(g, o->guard, o->index[k]);
        for (int q = 0; q < s->n; q++) {
            known = known || s->index[q] == o->index[k];
        }
        if (!known) {
            const Poly *last = poly_sub(g->arena, o->hi[k], o->lo[k]);
            times *= poly_is_int(last, &size) && size < MANY_TIMES ? size + 1 : MANY_TIMES;
        }
    }
    return times < MANY_TIMES ? (int)times : MANY_TIMES;
}

static void decide(Keep *w, Dear *d) {
    Graph *g = w->g;
    int best = -1, most = 1, tries = 0;
    for (int k = d->first; k >= 0 && tries < MOST_TRIES; k = w->spots.at[k].next) {
        const Spot *s = &w->spots.at[k];
        int times = times_of(g, s);
        if (d->n == 1 && times == 1) {
            continue;
        }
        Scope part = scope_part(g, &s->scope, 1, &s->term);
        if (part.live || part.n != s->n) {
            continue;
        }
        times = times > 1 && is_of_data(g, s, &part) ? times : 1;
        if (s->sometimes && times < LEAST_TIMES) {
            continue;
        }
        tries++;
        int n = count_readers(w, d, k, &part) * times;
        if (n > most) {
            best = k, most = n, d->part = part;
        }
    }
    if (best < 0) {
        return;
    }
    const Spot *s = &w->spots.at[best];
    int cost = term_cost(g, s->term, 1 << 20);
    if (s->n == 0 || (most - 1) * cost > cost_of_move(g, s) * (most + 1)) {
        d->definer = best;
        make_array(w, d);
    }
}

static int longer(const void *a, const void *b) {
    const Dear *x = *(const Dear *const *)a, *y = *(const Dear *const *)b;
    return x->size != y->size ? (x->size > y->size ? -1 : 1) : x->first < y->first ? -1 : 1;
}

/* An equation that says nothing but a read now. */
static bool is_copy(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->pieces.n == 1 && !x->pieces.at[0].guard && !x->pieces.at[0].live &&
           NODE(g, x->pieces.at[0].body)->op == OP_READ && !fuse_is_result(g, a) &&
           fuse_is_one_piece(g, a);
}

static Ref read_through(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const bool *copy = user;
    const Array *x = ARRAY(g, a);
    return copy[a] ? graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions) : 0;
}

static void read_copies(Keep *w, const Order *order) {
    Graph *g = w->g;
    bool *copy = arena_alloc(g->arena, (size_t)g->arrays.n), some = false;
    for (int k = 0; k < w->edits->list.n; k++) {
        ArrayRef a = w->edits->list.at[k].array;
        copy[a] = is_copy(g, a);
        some = some || copy[a];
    }
    for (int k = 0; k < order->n && some; k++) {
        ArrayRef a = order->array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !copy[a]; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            Ref body = graph_rewrite_reads(g, p.body, read_through, copy),
                guard = p.guard ? graph_rewrite_reads(g, p.guard, read_through, copy) : 0,
                live = p.live ? graph_rewrite_reads(g, p.live, read_through, copy) : 0;
            if (body != p.body || guard != p.guard || live != p.live) {
                edits_begin(g, w->edits, a);
                Piece *to = &ARRAY(g, a)->pieces.at[q];
                to->body = graph_cast(g, ARRAY(g, a)->type, body), to->guard = guard;
                to->live = live;
            }
        }
    }
}

void keep_dear(Graph *g, int n, const ArrayRef *roots, Edits *edits) {
    Keep w = {.g = g, .edits = edits};
    Order order = graph_order(g, n, roots);
    ArrayRef first_new = (ArrayRef)g->arrays.n;
    for (int k = 0; k < order.n; k++) {
        walk_array(&w, order.array[k]);
    }
    Dear **sorted = arena_alloc(g->arena, (size_t)(w.dear.n + 1) * sizeof *sorted);
    for (int k = 0; k < w.dear.n; k++) {
        sorted[k] = &w.dear.at[k];
    }
    qsort(sorted, (size_t)w.dear.n, sizeof *sorted, longer);
    for (int k = 0; k < w.dear.n; k++) {
        decide(&w, sorted[k]);
    }
    if (first_new == (ArrayRef)g->arrays.n) {
        return;
    }
    w.rewriting = true;
    order = graph_order(g, n, roots);
    for (int k = 0; k < order.n; k++) {
        walk_array(&w, order.array[k]);
    }
    for (ArrayRef a = first_new; a < (ArrayRef)g->arrays.n; a++) {
        walk_array(&w, a);
    }
    order = graph_order(g, n, roots);
    read_copies(&w, &order);
}

/* ---- the graph as one function sees it */

void edits_begin(Graph *g, Edits *e, ArrayRef a) {
    Array *x = ARRAY(g, a);
    if (x->edited == e) { /* it has pieces of its own already */
        return;
    }
    x->edited = e;
    Edit edit = {.array = a, .before = x->pieces.at, .n = x->pieces.n};
    x->pieces.at = arena_alloc(g->arena, (size_t)(edit.n + 1) * sizeof *x->pieces.at);
    memcpy(x->pieces.at, edit.before, (size_t)edit.n * sizeof *x->pieces.at);
    x->pieces.room = edit.n;
    edit.after = x->pieces.at;
    VEC_PUSH(g->arena, e->list, edit);
}

void edits_show(Graph *g, const Edits *e, bool yes) {
    if (e && e->below && yes) {
        edits_show(g, e->below, true);
    }
    for (int k = 0; e && k < e->list.n; k++) {
        const Edit *d = &e->list.at[k];
        ARRAY(g, d->array)->pieces.at = yes ? d->after : d->before;
    }
    if (e && e->below && !yes) {
        edits_show(g, e->below, false);
    }
}
