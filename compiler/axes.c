/* axes: no equation has more entries than it has values.
 * In: arrays with all derivatives made, before conditions of demand are put on them. Out: the same
 * values, where
 * - an array that does not depend on an axis has no such axis;
 * - an array, or a part of a term, that depends on p only by a place that data choose, such as
 *   sqrt(cam[c[p], 0]), is an array over the axis of cam, read at c[p].
 * The second is done where it is known to be less work: the axis is not longer than what is read of
 * it; or, where sizes are open, if the work has operations of many instructions, since a table is
 * read more than once as a rule.
 *
 * First, with what is read before its readers, it is found which arrays could *move*; then, readers
 * first, which of them should; then all is rewritten. */
#include "axes.h"
#include "kernel.h"
#include "ops.h"
#include <stdlib.h>

enum { MOST_AXES = 15 };

typedef struct Move {
    Ref by; /* 0: it stays; else the place that data choose, over the array's axes */
    bool want;
    bool drop[MOST_AXES + 1]; /* by axis: it is gone. With `by`: those in it */
    bool drops;
    ArrayRef made;
} Move;

typedef struct Axes {
    Graph *g;
    bool (*asked)(const Graph *g, ArrayRef a);
    Move *move; /* by array */
    int all;
} Axes;

static const Move *move_of(const Axes *x, ArrayRef a) {
    return (int)a < x->all ? &x->move[a] : NULL;
}

/* ---- what a term depends on
 * ------------------------------------------------------------------------------------------ */

typedef struct Look {
    Ref by;     /* the one place that data choose */
    bool other; /* there are several, or a place that is none of these */
    bool dear;  /* operations of many instructions */
    bool fails;
    VEC(Ref) index; /* free indices elsewhere */
} Look;

static bool is_dear_op(const Node *n) {
    return n->type >= VALUE_FLOAT && n->op >= OP_FIRST_SCALAR &&
           (!op_info[n->op].cheap || n->op == OP_div);
}

static void look_by(Look *l, Ref by) {
    l->other = l->other || (l->by && l->by != by);
    l->by = by;
}

/* Adds a term. The place of data counts as a whole. */
static void look_at(const Axes *x, Look *l, Ref term) {
    Graph *g = x->g;
    VEC(Ref) moved = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        l->fails = l->fails || n.fails || n.op == OP_EXTERN || n.op == OP_KERNEL;
        l->dear = l->dear || is_dear_op(&n);
        if (n.op == OP_READ && n.type == VALUE_INT && ARRAY(g, n.aux)->target) {
            look_by(l, r);
            continue;
        }
        if (n.op == OP_INDEX) {
            VEC_PUSH(g->arena, l->index, r);
        }
        const Move *m = n.op == OP_READ ? move_of(x, n.aux) : NULL;
        for (int k = 0; k < n.nargs; k++) {
            if (!m || !m->by || !m->drop[k]) {
                walk_add(walk, ARG(g, r, k));
            }
        }
        if (m && m->by) {
            VEC_PUSH(g->arena, moved, r);
        }
    }
    for (int k = 0; k < moved.n; k++) {
        ArrayRef a = NODE(g, moved.at[k])->aux;
        Ref position[MOST_AXES + 1];
        for (int q = 0; q < ARRAY(g, a)->rank; q++) {
            position[q] = ARG(g, moved.at[k], q);
        }
        look_by(l, graph_subst(g, x->move[a].by, ARRAY(g, a)->rank, ARRAY(g, a)->axis, position));
    }
}

/* Is the axis that data choose from no longer than the indices in the place? Where that is not
 * known: is the work dear? */
static bool pays(Graph *g, Ref by, bool dear) {
    const Ref *list;
    int n = graph_free(g, by, &list);
    Ref free[MOST_AXES];
    if (n == 0 || n > MOST_AXES) {
        return false;
    }
    for (int k = 0; k < n; k++) {
        free[k] = list[k];
    }
    const Poly *reads = poly_int(g->arena, 1), *table = ARRAY(g, NODE(g, by)->aux)->target;
    for (int k = 0; k < n; k++) {
        reads = poly_mul(g->arena, reads, EXTENT(g, free[k]));
    }
    if (graph_prove(g, poly_sub(g->arena, reads, table), 0, NULL)) {
        return true;
    }
    const Poly *less = poly_sub(g->arena, poly_sub(g->arena, table, reads), poly_int(g->arena, 1));
    return dear && !graph_prove(g, less, 0, NULL);
}

/* Do the indices of the place stand nowhere else? */
static bool only_by(Graph *g, const Look *l) {
    if (!l->by || l->other || l->fails) {
        return false;
    }
    for (int k = 0; k < l->index.n; k++) {
        if (graph_has_index(g, l->by, l->index.at[k])) {
            return false;
        }
    }
    return true;
}

/* ---- which arrays can move
 * ------------------------------------------------------------------------------------------- */

static void find_move(Axes *x, ArrayRef a) {
    Graph *g = x->g;
    Move *m = &x->move[a];
    Look l = {0};
    int rank = ARRAY(g, a)->rank;
    if (rank == 0 || rank > MOST_AXES || !ARRAY(g, a)->pieces.n ||
        ARRAY(g, a)->role != ARRAY_INTERNAL || ARRAY(g, a)->counts || x->asked(g, a) ||
        kernel_is(g, a)) {
        return;
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        look_at(x, &l, p.body);
        if (p.guard) {
            look_at(x, &l, p.guard);
        }
        l.fails = l.fails || p.live;
    }
    for (int k = 0; k < rank && !l.fails; k++) {
        bool used = false;
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !used; q++) {
            const Piece *p = &ARRAY(g, a)->pieces.at[q];
            used = graph_has_index(g, p->body, ARRAY(g, a)->axis[k]) ||
                   (p->guard && graph_has_index(g, p->guard, ARRAY(g, a)->axis[k]));
        }
        m->drop[k] = !used && graph_is_whole(g, a, k);
        m->drops = m->drops || m->drop[k];
    }
    if (m->drops || !only_by(g, &l) || ARRAY(g, a)->type < VALUE_FLOAT) {
        return;
    }
    const Ref *free;
    int n = graph_free(g, l.by, &free), found = 0;
    for (int k = 0; k < rank; k++) {
        m->drop[k] = graph_has_index(g, l.by, ARRAY(g, a)->axis[k]);
        found += m->drop[k];
        if (m->drop[k] && !graph_is_whole(g, a, k)) {
            found = -rank;
        }
    }
    if (found == n && n > 0 && pays(g, l.by, true)) {
        m->by = l.by;
        m->want = pays(g, l.by, l.dear);
    }
}

/* ---- parts of terms
 * ------------------------------------------------------------------------------------------------
 */

typedef struct Part {
    Ref term, need; /* the condition under which it is wanted; 0: always */
} Part;
typedef VEC(Part) Parts;

static int falling(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The largest parts of a term, outside of reductions, that could move, and are dear. */
static void find_parts(const Axes *x, Ref root, Parts *parts) {
    Graph *g = x->g;
    VEC(Ref) node = {0};
    Walk walk = walk_start(g, root);
    bool some = false, place = false;
    for (Ref r; (r = walk_next(walk));) {
        const Node *n = NODE(g, r);
        VEC_PUSH(g->arena, node, r);
        some = some || is_dear_op(n);
        place = place || (n->op == OP_READ && (ARRAY(g, n->aux)->target ||
                                               (move_of(x, n->aux) && move_of(x, n->aux)->by)));
        for (int k = 0; k < NODE(g, r)->nargs && NODE(g, r)->op != OP_REDUCE; k++) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    if (!some || !place) {
        return;
    }
    qsort(node.at, (size_t)node.n, sizeof *node.at, falling); /* users first */
    bool *wanted = arena_alloc(g->arena, (size_t)node.n + 1);
    Ref *need = arena_alloc(g->arena, (size_t)(node.n + 1) * sizeof *need);
    wanted[0] = true;
    for (int k = 0; k < node.n; k++) {
        Ref r = node.at[k];
        if (!wanted[k]) {
            continue;
        }
        if (is_dear_op(NODE(g, r))) {
            Look l = {0};
            look_at(x, &l, r);
            if (only_by(g, &l) && pays(g, l.by, true)) {
                VEC_PUSH(g->arena, *parts, ((Part){r, need[k]}));
                continue;
            }
        }
        for (int q = 0; q < NODE(g, r)->nargs && NODE(g, r)->op != OP_REDUCE; q++) {
            Ref *at = bsearch(&ARG(g, r, q), node.at, (size_t)node.n, sizeof *node.at, falling);
            int p = at ? (int)(at - node.at) : -1;
            if (p < 0) {
                continue;
            }
            Ref c = need[k];
            if (NODE(g, r)->op == OP_SELECT && q > 0) {
                c = graph_both(g, c, q == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0)));
            } else if ((NODE(g, r)->op == OP_and || NODE(g, r)->op == OP_or) && q == 1) {
                c = graph_both(
                    g, c, NODE(g, r)->op == OP_and ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0)));
            }
            if (!wanted[p]) {
                need[p] = c;
            } else if (need[p]) {
                need[p] = c ? graph_op2(g, OP_or, need[p], c) : 0;
            }
            wanted[p] = true;
        }
    }
}

/* ---- rewriting
 * ----------------------------------------------------------------------------------------------------
 */

static Ref read_moved(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Axes *x = user;
    const Move *m = move_of(x, a);
    Ref to[MOST_AXES + 1];
    int n = 0;
    if (!m || !m->made) {
        return 0;
    }
    if (m->by) {
        to[n++] = graph_subst(g, m->by, ARRAY(g, a)->rank, ARRAY(g, a)->axis, positions);
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!m->drop[k]) {
            to[n++] = positions[k];
        }
    }
    return graph_read(g, m->made, to);
}

/* An array for a: over the axis that data choose from, if there is one, and what is left of its
 * own. */
static void make_moved(Axes *x, ArrayRef a) {
    Graph *g = x->g;
    Move *m = &x->move[a];
    const Array old = *ARRAY(g, a);
    const Poly *extent[MOST_AXES + 1], *lo[MOST_AXES + 1], *hi[MOST_AXES + 1];
    const char *name[MOST_AXES + 1];
    Ref from[MOST_AXES + 1];
    int n = 0;
    if (m->by) {
        from[n] = m->by, extent[n] = ARRAY(g, NODE(g, m->by)->aux)->target, name[n++] = "k";
    }
    for (int k = 0; k < old.rank; k++) {
        if (!m->drop[k]) {
            from[n] = old.axis[k], extent[n] = old.extent[k];
            name[n++] = g->indices.at[NODE(g, old.axis[k])->aux].name;
        }
    }
    ArrayRef made = graph_array(g, old.name, old.type, n, extent, name);
    ARRAY(g, made)->at = old.at, ARRAY(g, made)->order = old.order;
    ARRAY(g, made)->derived = old.derived, ARRAY(g, made)->target = old.target;
    ARRAY(g, made)->adjoint_of = old.adjoint_of;
    for (int q = 0; q < old.pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        int at = 0;
        if (m->by) {
            lo[at] = poly_int(g->arena, 0);
            hi[at++] = poly_sub(g->arena, extent[0], poly_int(g->arena, 1));
        }
        for (int k = 0; k < old.rank; k++) {
            if (!m->drop[k]) {
                lo[at] = p.lo[k], hi[at++] = p.hi[k];
            }
        }
        Ref guard = p.guard ? graph_subst(g, p.guard, n, from, ARRAY(g, made)->axis) : 0;
        if (graph_piece(g, made, lo, hi, graph_subst(g, p.body, n, from, ARRAY(g, made)->axis),
                        p.at)) {
            ARRAY(g, made)->pieces.at[ARRAY(g, made)->pieces.n - 1].guard = guard;
        }
    }
    const char *own = ARRAY(g, made)->name; /* nobody reads the old one any more */
    ARRAY(g, made)->name = old.name, ARRAY(g, a)->name = own;
    m->made = made;
}

/* A part of a term as an array over what data choose from; 0: it is wanted under a condition that
 * knows more. */
static Ref make_part(Axes *x, ArrayRef a, const Piece *p, const Part *part) {
    Graph *g = x->g;
    Look l = {0};
    Ref need = graph_both(g, p->guard, part->need);
    look_at(x, &l, part->term);
    if (need) {
        look_at(x, &l, need);
    }
    if (p->live || !only_by(g, &l)) {
        return 0;
    }
    Scope scope = {0}, own = scope_of_piece(g, a, p);
    Ref by = l.by, read, index = graph_index(g, "k", ARRAY(g, NODE(g, by)->aux)->target);
    scope_add(g, &scope, index, NULL, NULL);
    for (int k = 0; k < own.n; k++) {
        if (!graph_has_index(g, by, own.index[k])) {
            scope_add(g, &scope, own.index[k], own.lo[k], own.hi[k]);
        }
    }
    Ref term = graph_subst(g, part->term, 1, &by, &index);
    scope.guard = need ? graph_subst(g, need, 1, &by, &index) : 0;
    Scope over = scope_part(g, &scope, 2, (Ref[]){term, index});
    const char *name =
        arena_format(g->arena, "%s_%s", ARRAY(g, a)->name, op_info[NODE(g, term)->op].name);
    ArrayRef made = graph_array_over(g, name, &over, term, p->at, &read);
    ARRAY(g, made)->order = ARRAY(g, a)->order, ARRAY(g, made)->derived = true;
    return graph_subst(g, read, 1, &index, &by);
}

static void rewrite(Axes *x, ArrayRef a, bool parts_too) {
    Graph *g = x->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Piece p = ARRAY(g, a)->pieces.at[q];
        VEC(Ref) from = {0}, to = {0};
        Parts parts = {0};
        p.body = graph_rewrite_reads(g, p.body, read_moved, x);
        p.guard = p.guard ? graph_rewrite_reads(g, p.guard, read_moved, x) : 0;
        p.live = p.live ? graph_rewrite_reads(g, p.live, read_moved, x) : 0;
        if (parts_too) {
            find_parts(x, p.body, &parts);
        }
        for (int k = 0; k < parts.n; k++) {
            Ref made = make_part(x, a, &p, &parts.at[k]);
            if (made) {
                VEC_PUSH(g->arena, from, parts.at[k].term);
                VEC_PUSH(g->arena, to, made);
            }
        }
        p.body = from.n ? graph_subst(g, p.body, from.n, from.at, to.at) : p.body;
        p.body = graph_cast(g, ARRAY(g, a)->type, p.body);
        ARRAY(g, a)->pieces.at[q].body = p.body;
        ARRAY(g, a)->pieces.at[q].guard = p.guard;
        ARRAY(g, a)->pieces.at[q].live = p.live;
    }
}

static bool in_circle(Graph *g, const Order *o, int k) {
    return (k > 0 && o->component[k - 1] == o->component[k]) ||
           (k + 1 < o->n && o->component[k + 1] == o->component[k]) ||
           graph_reads_itself(g, o->array[k]);
}

/* What is to move takes with it what it reads. */
static void want_reads(Axes *x, Ref term) {
    Graph *g = x->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && x->move[NODE(g, r)->aux].by) {
            x->move[NODE(g, r)->aux].want = true;
        }
        walk_into(walk, r);
    }
}

/* False where nothing was dropped. */
static bool lessen(Graph *g, int n, const ArrayRef *roots,
                   bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    Axes x = {.g = g, .asked = asked, .all = g->arrays.n};
    bool *circle = arena_alloc(g->arena, (size_t)order.n + 1);
    x.move = arena_alloc(g->arena, (size_t)(x.all + 1) * sizeof *x.move);
    for (int k = 0; k < order.n; k++) {
        circle[k] = in_circle(g, &order, k);
        if (!circle[k]) {
            find_move(&x, order.array[k]);
        }
    }
    for (int k = order.n - 1; k >= 0; k--) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            if (x.move[a].by && x.move[a].want) {
                want_reads(&x, p.body);
                if (p.guard) {
                    want_reads(&x, p.guard);
                }
            } else if (!circle[k] && ARRAY(g, a)->role == ARRAY_INTERNAL) {
                Parts parts = {0};
                find_parts(&x, p.body, &parts);
                for (int i = 0; i < parts.n; i++) {
                    want_reads(&x, parts.at[i].term);
                    if (parts.at[i].need) {
                        want_reads(&x, parts.at[i].need);
                    }
                    if (p.guard) {
                        want_reads(&x, p.guard);
                    }
                }
            }
        }
    }
    for (int k = 0; k < order.n; k++) { /* those that could move and need not: no longer */
        Move *m = &x.move[order.array[k]];
        if (m->by && !m->want) {
            *m = (Move){0};
        }
    }
    bool dropped = false;
    for (int k = 0; k < order.n; k++) { /* what is read comes first */
        ArrayRef a = order.array[k];
        bool moves = x.move[a].by || x.move[a].drops;
        rewrite(&x, a,
                !moves && !circle[k] && ARRAY(g, a)->role == ARRAY_INTERNAL && !kernel_is(g, a));
        if (moves) {
            make_moved(&x, a);
        }
        dropped = dropped || x.move[a].drops;
    }
    return dropped;
}

bool axes_lessen(Graph *g, int n, const ArrayRef *roots,
                 bool (*asked)(const Graph *g, ArrayRef a)) {
    int before = g->arrays.n;
    if (lessen(g, n, roots, asked)) { /* what has fewer axes may move now */
        lessen(g, n, roots, asked);
    }
    return g->arrays.n > before;
}
