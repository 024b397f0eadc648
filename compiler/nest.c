/* nest: the loops that compute one array.
 * In: an array with its pieces. Out: for each piece a matrix product, a sum that is added up entry
 * by entry, or plain loops. */
#include "gen.h"
#include "kernel.h"
#include "ops.h"
#include <string.h>

/* ---- one array
 * ----------------------------------------------------------------------------------------------------------------------
 */

Ref nest_place_axes(Graph *g, ArrayRef a, Ref term, const Fixed *fixed) {
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (fixed->at[k]) {
            VEC_PUSH(g->arena, from, ARRAY(g, a)->axis[k]);
            VEC_PUSH(g->arena, to, fixed->at[k]);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

void nest_store(Gen *x, ArrayRef a, const Ref *position, char op, Expr *e) {
    Graph *g = x->g;
    if (x->f->place[a] == PLACE_LOCAL) {
        gen_add(x, gen_set(x, x->f->local[a], op, e));
        return;
    }
    Stmt *s = gen_stmt(x, STMT_STORE);
    s->array = a, s->op = op, s->value = e, s->n = ARRAY(g, a)->rank;
    s->position = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *s->position);
    for (int k = 0; k < s->n; k++) {
        s->position[k] = gen_value(x, position[k]);
    }
    gen_add(x, s);
}

/* ---- matrix products */

static int axis_at(Graph *g, Ref read,
                   Ref index) { /* where the index stands alone; -1: nowhere, -2: otherwise */
    int at = -1;
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        if (ARG(g, read, k) == index) {
            at = at == -1 ? k : -2;
        } else if (graph_has_index(g, ARG(g, read, k), index)) {
            return -2;
        }
    }
    return at;
}

static bool is_small(const Poly *p) {
    int64_t n;
    return poly_is_int(p, &n) && n < LEAST_SIDE;
}

/* Where the first entry of a factor stands. In a loop that goes by blocks, entries along its turn
 * start at the block's first. */
static Expr **first_entry(Gen *x, Ref read, Ref row, Ref column) {
    Graph *g = x->g;
    int n = NODE(g, read)->nargs;
    Expr **position = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *position);
    for (int k = 0; k < n; k++) {
        Ref p = ARG(g, read, k);
        bool starts = (p == row || p == column) && p != x->turn;
        position[k] = gen_value(x, starts ? graph_int(g, 0) : p);
    }
    return position;
}

/* The sum of products that an entry is, or that a turn adds a part of: X * Y over p. */
static Ref open_product(Gen *x, Ref body, bool add_to, Ref *side) {
    Graph *g = x->g;
    Ref condition, term = body, sum = x->turn;
    if (term_is_contraction(g, body) && graph_is_true(g, ARG(g, body, 1))) {
        sum = graph_open(g, body, &condition, &term);
    } else if (!x->turn || !add_to) {
        return 0;
    }
    if (NODE(g, term)->op != OP_mul) {
        return 0;
    }
    for (int k = 0; k < 2; k++) {
        side[k] = ARG(g, term, k);
        if (NODE(g, side[k])->op != OP_READ || axis_at(g, side[k], sum) < 0) {
            return 0;
        }
    }
    return sum;
}

/* a[..., i, ..., j] (+)= sum[p](X * Y) with i in X alone and j in Y alone: a matrix product inside
 * loops over the other axes. In a loop that goes by blocks, its turns may be i, j or p. */
static bool try_matmul(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, bool add_to) {
    Graph *g = x->g;
    Ref body = nest_place_axes(g, a, p->body, fixed), side[2], axis[16];
    int rank = ARRAY(g, a)->rank, best_i = -1, best_j = -1;
    if (rank < 2 || rank > 16 || p->guard || ARRAY(g, a)->type < VALUE_FLOAT ||
        (x->f->place[a] != PLACE_BUFFER && x->f->place[a] != PLACE_OUTPUT)) {
        return false;
    }
    Ref sum = open_product(x, body, add_to, side);
    if (!sum) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        ArrayRef s = NODE(g, side[k])->aux;
        Place at = x->f->place[s];
        if (s == a || ARRAY(g, s)->type != ARRAY(g, a)->type ||
            (at != PLACE_INPUT && at != PLACE_BUFFER && at != PLACE_OUTPUT)) {
            return false;
        }
    }
    for (int k = 0; k < rank; k++) {
        bool turn = fixed->at[k] && fixed->at[k] == x->turn;
        axis[k] = turn ? x->turn : ARRAY(g, a)->axis[k];
        if (!turn && (fixed->at[k] || poly_equal(p->lo[k], p->hi[k]) ||
                      !poly_equal(p->lo[k], poly_int(g->arena, 0)))) {
            continue;
        }
        int in0 = axis_at(g, side[0], axis[k]), in1 = axis_at(g, side[1], axis[k]);
        bool best = !is_small(ARRAY(g, a)->extent[k]);
        if (in0 >= 0 && in1 == -1 && best && (best_i < 0 || axis[best_i] != x->turn)) {
            best_i = k;
        } else if (in1 >= 0 && in0 == -1 && best && (best_j < 0 || axis[best_j] != x->turn)) {
            best_j = k;
        }
    }
    if (best_i < 0 || best_j < 0 || is_small(EXTENT(g, sum))) {
        return false;
    }
    for (int k = 0; k < rank; k++) { /* the turn is one side of the product, if it is here */
        if (fixed->at[k] && axis[k] == x->turn && k != best_i && k != best_j) {
            return false;
        }
    }
    int first = best_i, second = best_j; /* rows of c are the earlier axis */
    Ref left = side[0], right = side[1];
    if (first > second) {
        first = best_j, second = best_i, left = side[1], right = side[0];
    }
    Ref i = axis[first], j = axis[second];
    VEC(Stmt *) loops = {0};
    Ref none = 0, positions[16];
    for (int k = 0; k < rank; k++) {
        positions[k] = fixed->at[k]                     ? fixed->at[k]
                       : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k])
                                                        : ARRAY(g, a)->axis[k];
        if (k != first && k != second && positions[k] == ARRAY(g, a)->axis[k]) {
            VEC_PUSH(
                g->arena, loops,
                gen_loop_open(x, positions[k], p->lo[k], p->hi[k], &none, NULL, 0, fixed->writes));
        }
    }
    Matmul *m = arena_alloc(g->arena, sizeof *m);
    Ref target = graph_read(g, a, positions);
    m->array[0] = NODE(g, left)->aux, m->array[1] = NODE(g, right)->aux, m->array[2] = a;
    m->position[0] = first_entry(x, left, i, sum), m->position[1] = first_entry(x, right, sum, j);
    m->position[2] = first_entry(x, target, i, j);
    m->row[0] = axis_at(g, left, i), m->column[0] = axis_at(g, left, sum);
    m->row[1] = axis_at(g, right, sum), m->column[1] = axis_at(g, right, j);
    m->row[2] = first, m->column[2] = second;
    m->m = poly_add(g->arena, p->hi[first], poly_int(g->arena, 1)),
    m->n = poly_add(g->arena, p->hi[second], poly_int(g->arena, 1));
    m->k = EXTENT(g, sum);
    if (x->turn) { /* as many as the block has */
        m->m = i == x->turn ? NULL : m->m;
        m->n = j == x->turn ? NULL : m->n;
        m->k = sum == x->turn ? NULL : m->k;
    }
    m->accumulate = add_to;
    Stmt *s = gen_stmt(x, STMT_MATMUL);
    s->matmul = m;
    gen_add(x, s);
    while (loops.n) {
        gen_loop_close(x, loops.at[--loops.n]);
    }
    return true;
}

/* ---- sums that are added where data says, or along the contiguous axis */

/* body = factor * sum[..](sum[..](term)): opens the sums, the factor inside. false: no sum at the
 * root. */
bool nest_open_sums(Graph *g, Ref body, Scatter *s) {
    Ref factor = 0;
    bool negative = false, found = false;
    for (;;) {
        const Node n = *NODE(g, body);
        if (n.op == OP_REDUCE && n.aux == RED_SUM && n.type >= VALUE_FLOAT) {
            Ref c, b, i = graph_open(g, body, &c, &b);
            VEC_PUSH(g->arena, s->index, i);
            if (!graph_is_true(g, c)) {
                s->condition = s->condition ? graph_and(g, s->condition, c) : c;
            }
            body = b;
            found = true;
        } else if (found) {
            break;
        } else if (n.op == OP_neg) {
            negative = !negative;
            body = ARG(g, body, 0);
        } else if (n.op == OP_mul && NODE(g, ARG(g, body, 1))->op == OP_REDUCE) {
            factor = factor ? graph_op2(g, OP_mul, factor, ARG(g, body, 0)) : ARG(g, body, 0);
            body = ARG(g, body, 1);
        } else if (n.op == OP_mul && NODE(g, ARG(g, body, 0))->op == OP_REDUCE) {
            factor = factor ? graph_op2(g, OP_mul, factor, ARG(g, body, 1)) : ARG(g, body, 1);
            body = ARG(g, body, 0);
        } else {
            return false;
        }
    }
    s->term = factor ? graph_op2(g, OP_mul, factor, body) : body;
    s->term = negative ? graph_op1(g, OP_neg, s->term) : s->term;
    return true;
}

/* A conjunct axis == e, e over the summed indices: returns e; the rest of the condition in *rest.
 */
Ref nest_scatter_place(Graph *g, Ref condition, Ref axis, Ref *rest) {
    const Node n = *NODE(g, condition);
    if (n.op == OP_and) {
        Ref c0 = ARG(g, condition, 0), c1 = ARG(g, condition, 1), r = 0,
            e = nest_scatter_place(g, c0, axis, &r);
        if (e) {
            *rest = r ? graph_and(g, r, c1) : c1;
            return e;
        }
        e = nest_scatter_place(g, c1, axis, &r);
        *rest = r ? graph_and(g, c0, r) : c0;
        return e;
    }
    if (n.op != OP_eq || NODE(g, ARG(g, condition, 0))->type != VALUE_INT) {
        return 0;
    }
    for (int k = 0; k < 2; k++) {
        Ref e = ARG(g, condition, 1 - k);
        if (ARG(g, condition, k) == axis && !graph_has_index(g, e, axis)) {
            *rest = 0;
            return e;
        }
    }
    return 0;
}

/* How many loads and stores walk along memory when this index is the innermost. */
static int contiguous(Graph *g, Ref term, Ref index) {
    const Node n = *NODE(g, term);
    if (!graph_has_index(g, term, index)) {
        return 0;
    }
    if (n.op == OP_READ) {
        for (int k = 0; k + 1 < n.nargs; k++) {
            if (graph_has_index(g, ARG(g, term, k), index)) {
                return -2;
            }
        }
        return 2;
    }
    int sum = 0;
    for (int k = 0; k < n.nargs; k++) {
        sum += contiguous(g, ARG(g, term, k), index);
    }
    return sum;
}

static bool has_read(const Graph *g, Ref r) {
    bool found = NODE(g, r)->op == OP_READ;
    for (int k = 0; k < NODE(g, r)->nargs && !found; k++) {
        found = has_read(g, ARG(g, r, k));
    }
    return found;
}

/* Adds the opened sum entry by entry: into places that data chooses, or along the array's own last
 * axis. The array holds something already. false, and nothing is done: no place is chosen by data,
 * and the last axis is not better than the sum. */
bool nest_add_entries(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, Scatter s) {
    Graph *g = x->g;
    int rank = ARRAY(g, a)->rank;
    Ref position[16], guard = p->guard ? nest_place_axes(g, a, p->guard, fixed) : 0;
    bool by_data = false;
    for (int k = 0; k < rank; k++) {
        Ref axis = ARRAY(g, a)->axis[k], rest = 0;
        position[k] = fixed->at[k]                     ? fixed->at[k]
                      : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k])
                                                       : axis;
        Ref e = position[k] == axis && s.condition ? nest_scatter_place(g, s.condition, axis, &rest)
                                                   : 0;
        if (!e) {
            continue;
        }
        s.condition = rest;
        by_data = true;
        position[k] = e;
        for (int q = 0; q < rank; q++) {
            position[q] = q == k  ? e
                          : q < k ? graph_subst(g, position[q], 1, &axis, &e)
                                  : position[q];
        }
        s.condition = s.condition ? graph_subst(g, s.condition, 1, &axis, &e) : 0;
        s.term = graph_subst(g, s.term, 1, &axis, &e);
        guard = guard ? graph_subst(g, guard, 1, &axis, &e) : 0;
        /* The box of the piece is in force for the chosen place too. */
        const Poly *zero = poly_int(g->arena, 0);
        if (!poly_equal(p->lo[k], zero)) {
            Ref c = graph_op2(g, OP_le, graph_of_poly(g, p->lo[k]), e);
            s.condition = s.condition ? graph_and(g, s.condition, c) : c;
        }
        if (!poly_equal(poly_add(g->arena, p->hi[k], poly_int(g->arena, 1)),
                        ARRAY(g, a)->extent[k])) {
            Ref c = graph_op2(g, OP_le, e, graph_of_poly(g, p->hi[k]));
            s.condition = s.condition ? graph_and(g, s.condition, c) : c;
        }
    }
    /* A range of places that data bounds (first[n] <= e && e < first[n + 1]) is cheaper walked from
     * the sum's side too. */
    for (int k = 0; k < rank && s.condition && !by_data; k++) {
        Range bounds = {0};
        if (position[k] == ARRAY(g, a)->axis[k]) {
            gen_take_bounds(x, s.condition, position[k], &bounds, NULL, 0);
        }
        for (int q = 0; q < bounds.lo.n + bounds.hi.n && !by_data; q++) {
            by_data =
                has_read(g, q < bounds.lo.n ? bounds.lo.at[q] : bounds.hi.at[q - bounds.lo.n]);
        }
    }
    Ref last = ARRAY(g, a)->axis[rank - 1];
    if (!by_data) { /* worth it only if the axis walks along memory and the sum does not */
        if (s.index.n == 0 || position[rank - 1] != last ||
            contiguous(g, s.term, last) + 2 <= contiguous(g, s.term, s.index.at[s.index.n - 1])) {
            return false;
        }
    }
    Ref condition = s.condition;
    if (guard) {
        condition = condition ? graph_and(g, condition, guard) : guard;
    }
    VEC(Ref) order = {0};
    VEC(int) axis_of = {0};
    for (int k = 0; k < s.index.n && by_data; k++) {
        VEC_PUSH(g->arena, order, s.index.at[k]);
        VEC_PUSH(g->arena, axis_of, -1);
    }
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k] && (by_data || k + 1 < rank)) {
            VEC_PUSH(g->arena, order, position[k]);
            VEC_PUSH(g->arena, axis_of, k);
        }
    }
    for (int k = 0; k < s.index.n && !by_data; k++) {
        VEC_PUSH(g->arena, order, s.index.at[k]);
        VEC_PUSH(g->arena, axis_of, -1);
    }
    if (!by_data) {
        VEC_PUSH(g->arena, order, last);
        VEC_PUSH(g->arena, axis_of, rank - 1);
    }
    /* Along the last axis there is to be no test: what is no bound of a loop is asked before it. */
    Ref before = 0;
    if (!by_data) {
        before = condition;
        for (int k = 0; k < order.n; k++) {
            Range bounds = {0};
            before =
                gen_take_bounds(x, before, order.at[k], &bounds, order.at + k + 1, order.n - k - 1);
        }
        if (before && graph_has_index(g, before, last)) {
            return false;
        }
    }
    Stmt *asked = NULL;
    VEC(Stmt *) loops = {0};
    const Poly *one = poly_int(g->arena, 1);
    for (int k = 0; k < order.n; k++) {
        if (!by_data && k + 1 == order.n) {
            asked = gen_if_open(x, before);
        }
        const Poly *lo = axis_of.at[k] < 0 ? poly_int(g->arena, 0) : p->lo[axis_of.at[k]];
        const Poly *hi = axis_of.at[k] < 0 ? poly_sub(g->arena, EXTENT(g, order.at[k]), one)
                                           : p->hi[axis_of.at[k]];
        VEC_PUSH(g->arena, loops,
                 gen_loop_open(x, order.at[k], lo, hi, &condition, order.at + k + 1,
                               order.n - k - 1, fixed->writes));
    }
    Stmt *under = by_data ? gen_if_open(x, condition) : NULL;
    gen_count_uses(x, s.term);
    nest_store(x, a, position, '+', gen_value(x, s.term));
    gen_if_close(x, under);
    if (!by_data && gen_is_straight(&loops.at[loops.n - 1]->body) &&
        !gen_may_fail(&loops.at[loops.n - 1]->body)) {
        loops.at[loops.n - 1]->hint = HINT_LANES;
    }
    while (loops.n) {
        gen_loop_close(x, loops.at[--loops.n]);
        gen_if_close(x, asked);
        asked = NULL;
    }
    return true;
}

/* Is a place of the piece chosen by data, as in sum[e if from[e] == i](...)? */
static bool chosen_by_data(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    Scatter s = {0};
    if (!nest_open_sums(g, nest_place_axes(g, a, p->body, fixed), &s)) {
        return false;
    }
    for (int k = 0; k < ARRAY(g, a)->rank && s.condition; k++) {
        Ref rest;
        if (!fixed->at[k] && nest_scatter_place(g, s.condition, ARRAY(g, a)->axis[k], &rest)) {
            return true;
        }
    }
    return false;
}

static bool try_scatter(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    Scatter s = {0};
    if (ARRAY(g, a)->rank == 0 || ARRAY(g, a)->rank > 16 || ARRAY(g, a)->type < VALUE_FLOAT ||
        !nest_open_sums(g, nest_place_axes(g, a, p->body, fixed), &s)) {
        return false;
    }
    return nest_add_entries(x, a, p, fixed, s);
}

/* ---- a piece entry by entry */

/* Does some read in the term reach an entry of a that the innermost loop writes in another turn?
 * Loops around that stand at another place of a fixed axis keep the two apart. */
static bool reads_own_row(Graph *g, Ref term, ArrayRef a, const Fixed *fixed) {
    const Node n = *NODE(g, term);
    if (n.op == OP_READ && n.aux == a) {
        bool apart = false;
        for (int k = 0; k < n.nargs && !apart; k++) {
            int64_t num, den;
            if (fixed->at[k]) {
                const Poly *d =
                    poly_sub(g->arena, graph_poly(g, ARG(g, term, k)), graph_poly(g, fixed->at[k]));
                apart = poly_is_number(d, &num, &den) && num != 0;
            }
        }
        if (!apart) {
            return true;
        }
    }
    for (int k = 0; k < n.nargs; k++) {
        if (reads_own_row(g, ARG(g, term, k), a, fixed)) {
            return true;
        }
    }
    return false;
}

static void plain_piece(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, char op) {
    Graph *g = x->g;
    int rank = ARRAY(g, a)->rank;
    Ref body = nest_place_axes(g, a, p->body, fixed),
        condition = p->guard ? nest_place_axes(g, a, p->guard, fixed) : 0, position[16];
    VEC(Stmt *) loops = {0}, asked = {0};
    VEC(Ref) from = {0}, to = {0}, later = {0};
    double zero;
    if (rank > 16) {
        error_at(g->cx, ARRAY(g, a)->at,
                 "'%s' would need an array with %d axes; at most 16 are possible",
                 ARRAY(g, a)->name, rank);
        return;
    }
    for (int k = 0; k < rank; k++) {
        position[k] = fixed->at[k]                     ? fixed->at[k]
                      : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k])
                                                       : ARRAY(g, a)->axis[k];
        if (!fixed->at[k] && position[k] != ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, from, ARRAY(g, a)->axis[k]);
            VEC_PUSH(g->arena, to, position[k]);
        }
    }
    if (from.n) {
        body = graph_subst(g, body, from.n, from.at, to.at);
        condition = condition ? graph_subst(g, condition, from.n, from.at, to.at) : 0;
    }
    if (op == '+' && NODE(g, body)->op == OP_SELECT && graph_is_real(g, ARG(g, body, 2), &zero) &&
        zero == 0) {
        Ref c = ARG(g, body, 0); /* nothing is added where it does not hold */
        condition = condition ? graph_and(g, condition, c) : c;
        body = ARG(g, body, 1);
    }
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, later, position[k]);
        }
    }
    int done = 0;
    for (int k = 0; k < rank; k++) {
        if (position[k] == ARRAY(g, a)->axis[k]) {
            Ref ready =
                done ? gen_take_ready(x, &condition, later.at + done, later.n - done, fixed->writes)
                     : 0;
            done++;
            VEC_PUSH(g->arena, asked, gen_if_open(x, ready));
            VEC_PUSH(g->arena, loops,
                     gen_loop_open(x, position[k], p->lo[k], p->hi[k], &condition, later.at + done,
                                   later.n - done, fixed->writes));
        }
    }
    Stmt *under = gen_if_open(x, condition);
    gen_count_uses(x, body);
    Expr *value = gen_value(x, body);
    if (ARRAY(g, a)->counts) {
        value = gen_name(x, value, "turns");
        nest_check_count(x, a, value);
    }
    nest_store(x, a, position, op, value);
    gen_if_close(x, under);
    if (loops.n) {
        Stmt *inner = loops.at[loops.n - 1];
        /* Lanes, unless an entry is read that this loop writes, or anything may fail. */
        if (!under && gen_is_straight(&inner->body) && !gen_may_fail(&inner->body) &&
            position[rank - 1] == inner->index &&
            (!fixed->writes || !reads_own_row(g, body, a, fixed))) {
            inner->hint = HINT_LANES;
        }
    }
    while (loops.n) {
        gen_loop_close(x, loops.at[--loops.n]);
        gen_if_close(x, asked.at[loops.n]);
    }
}

static bool piece_is_whole(Graph *g, ArrayRef a, const Piece *p) {
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        const Poly *end = poly_sub(g->arena, ARRAY(g, a)->extent[k], poly_int(g->arena, 1));
        if (!poly_equal(p->lo[k], poly_int(g->arena, 0)) || !poly_equal(p->hi[k], end)) {
            return false;
        }
    }
    return p->guard == 0;
}

/* Has each piece the one box that is read of the array, and does this one set all of it? */
static bool is_all_that_is_read(Graph *g, ArrayRef a, const Piece *p) {
    const Array *x = ARRAY(g, a);
    bool same = x->within && !p->guard;
    for (int q = 0; q < x->pieces.n && same; q++) {
        for (int k = 0; k < x->rank && same; k++) {
            same = poly_equal(x->pieces.at[q].lo[k], p->lo[k]) &&
                   poly_equal(x->pieces.at[q].hi[k], p->hi[k]);
        }
    }
    return same;
}

/* The turns of the loops around in which a piece is due: what is not proved is asked. */
Ref nest_due(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    Ref due = 0;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (fixed->at[k]) {
            Ref lo = graph_of_poly(g, p->lo[k]), hi = graph_of_poly(g, p->hi[k]);
            Ref c = lo == hi ? graph_op2(g, OP_eq, fixed->at[k], lo)
                             : graph_and(g, graph_op2(g, OP_le, lo, fixed->at[k]),
                                         graph_op2(g, OP_le, fixed->at[k], hi));
            due = due ? graph_and(g, due, c) : c;
        }
    }
    return due;
}

static Stmt *due_open(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    return gen_if_open(x, nest_due(x, a, p, fixed));
}

Ref nest_zero_of(Graph *g, ValueType type) {
    return type == VALUE_BOOL  ? graph_bool(g, false)
           : type == VALUE_INT ? graph_int(g, 0)
                               : graph_real(g, type, 0);
}

void nest_zero(Gen *x, ArrayRef a, const Fixed *fixed) {
    Graph *g = x->g;
    bool some = false;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        some = some || fixed->at[k];
    }
    if (!some && x->f->place[a] != PLACE_LOCAL) {
        Stmt *s = gen_stmt(x, STMT_ZERO);
        s->array = a;
        gen_add(x, s);
        return;
    }
    Piece all = {0};
    all.lo = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof *all.lo);
    all.hi = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof *all.hi);
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        all.lo[k] = poly_int(g->arena, 0);
        all.hi[k] = poly_sub(g->arena, ARRAY(g, a)->extent[k], poly_int(g->arena, 1));
    }
    all.body = nest_zero_of(g, ARRAY(g, a)->type);
    Stmt *due = due_open(x, a, &all, fixed);
    plain_piece(x, a, &all, fixed, '=');
    gen_if_close(x, due);
}

/* Would the piece become this? Tried on a copy of everything. */
static bool would(Gen *x, bool matmul, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Gen trial = *x;
    int locals = x->f->locals.n;
    Block none = {0};
    memset(&trial.frames, 0, sizeof trial.frames);
    memset(&trial.known, 0, sizeof trial.known);
    memset(&trial.known_in, 0, sizeof trial.known_in);
    memset(&trial.known_level, 0, sizeof trial.known_level);
    memset(&trial.uses, 0, sizeof trial.uses);
    trial.top = -1;
    gen_push(&trial, &none, 0, false, NULL);
    bool yes = matmul ? try_matmul(&trial, a, p, fixed, false) : try_scatter(&trial, a, p, fixed);
    x->f->locals.n = locals;
    return yes;
}

void nest_check_count(Gen *x, ArrayRef a, Expr *turns) {
    if (ARRAY(x->g, a)->least > 1) {
        gen_stop_if(x, gen_below(x, turns->local, ARRAY(x->g, a)->least), "GRADC_BAD_SIZE");
    }
}

void nest_comment(Gen *x, ArrayRef a) {
    Stmt *s = gen_stmt(x, STMT_COMMENT);
    s->array = a;
    gen_add(x, s);
}

/* Do boxes that lie apart hold every entry? Their volumes say so. */
static bool boxes_cover(Graph *g, ArrayRef a) {
    const Poly *one = poly_int(g->arena, 1), *all = one, *sum = poly_int(g->arena, 0);
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        all = poly_mul(g->arena, all, ARRAY(g, a)->extent[k]);
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        const Poly *volume = one;
        for (int k = 0; k < ARRAY(g, a)->rank; k++) {
            volume = poly_mul(g->arena, volume,
                              poly_add(g->arena, poly_sub(g->arena, p->hi[k], p->lo[k]), one));
        }
        sum = poly_add(g->arena, sum, volume);
        if (p->guard) {
            return false;
        }
    }
    return poly_equal(sum, all);
}

static void one_piece_of(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed, char op) {
    Stmt *due = due_open(x, a, p, fixed);
    if (!try_matmul(x, a, p, fixed, op == '+') && (op == '=' || !try_scatter(x, a, p, fixed))) {
        plain_piece(x, a, p, fixed, op);
    }
    gen_if_close(x, due);
}

void nest_add_piece(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    one_piece_of(x, a, p, fixed, '+');
}

/* ---- kernels: the result starts as what is given, then the kernel is called */

Ref nest_given(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    Ref body = x->pieces.at[0].body, given = kernel_given(g, body), slot[2];
    int batch = kernel_batch(g, a), n = kernel_info[NODE(g, body)->aux].given;
    const Poly *size = kernel_size(g, body, a);
    for (int k = 0; k < n; k++) {
        slot[k] = graph_slot(g, k, size);
    }
    return graph_subst(g, given, n, slot, ARRAY(g, a)->axis + batch);
}

/* The call for the matrix argument at its place, over indices in force. */
static KernelCall *call_new(Gen *x, Ref kernel, ArrayRef a) {
    Graph *g = x->g;
    KernelCall *call = arena_alloc(g->arena, sizeof *call);
    Ref matrix = kernel_matrix(g, kernel);
    call->kind = (int)NODE(g, kernel)->aux;
    call->n = kernel_size(g, kernel, a);
    if (matrix) {
        int n = NODE(g, matrix)->nargs;
        call->array[0] = NODE(g, matrix)->aux;
        call->position[0] = first_entry(x, matrix, ARG(g, matrix, n - 2), ARG(g, matrix, n - 1));
    }
    return call;
}

Expr *nest_kernel_value(Gen *x, Ref kernel) {
    Expr *e = gen_expr(x, EXPR_KERNEL, (ValueType)NODE(x->g, kernel)->type, 0);
    e->call = call_new(x, kernel, 0);
    return e;
}

/* One call for each matrix; right sides of one matrix that lie behind each other go together. */
static void kernel_calls(Gen *x, ArrayRef a, const Piece *p, const Fixed *fixed) {
    Graph *g = x->g;
    int batch = kernel_batch(g, a), rank = ARRAY(g, a)->rank, together = batch;
    Ref body = nest_place_axes(g, a, p->body, fixed), zero = graph_int(g, 0),
        condition = p->guard ? nest_place_axes(g, a, p->guard, fixed) : 0, position[16];
    const KernelInfo *info = &kernel_info[NODE(g, body)->aux];
    const Poly *one = poly_int(g->arena, 1), *sides = one;
    Ref matrix = kernel_matrix(g, body);
    if (rank > 16) {
        error_at(g->cx, ARRAY(g, a)->at,
                 "'%s' would need an array with %d axes; at most 16 are possible",
                 ARRAY(g, a)->name, rank);
        return;
    }
    for (; together > 0 && info->matrix && info->given == 1; together--) {
        int k = together - 1;
        Ref axis = ARRAY(g, a)->axis[k];
        if (fixed->at[k] || !poly_equal(p->lo[k], poly_int(g->arena, 0)) ||
            !poly_equal(poly_add(g->arena, p->hi[k], one), ARRAY(g, a)->extent[k]) ||
            graph_has_index(g, matrix, axis) ||
            (condition && graph_has_index(g, condition, axis))) {
            break;
        }
        sides = poly_mul(g->arena, sides, ARRAY(g, a)->extent[k]);
    }
    VEC(Stmt *) loops = {0};
    VEC(Ref) from = {0}, to = {0}, later = {0};
    for (int k = 0; k < rank; k++) {
        position[k] = k >= together                    ? zero
                      : fixed->at[k]                   ? fixed->at[k]
                      : poly_equal(p->lo[k], p->hi[k]) ? graph_of_poly(g, p->lo[k])
                                                       : ARRAY(g, a)->axis[k];
        if (k < together && position[k] == ARRAY(g, a)->axis[k]) {
            VEC_PUSH(g->arena, later, position[k]);
        } else if (k < together && !fixed->at[k]) {
            VEC_PUSH(g->arena, from, ARRAY(g, a)->axis[k]);
            VEC_PUSH(g->arena, to, position[k]);
        }
    }
    if (from.n) {
        body = graph_subst(g, body, from.n, from.at, to.at);
        condition = condition ? graph_subst(g, condition, from.n, from.at, to.at) : 0;
    }
    for (int k = 0, done = 0; k < together; k++) {
        if (position[k] == ARRAY(g, a)->axis[k]) {
            done++;
            VEC_PUSH(g->arena, loops,
                     gen_loop_open(x, position[k], p->lo[k], p->hi[k], &condition, later.at + done,
                                   later.n - done, fixed->writes));
        }
    }
    Stmt *under = gen_if_open(x, condition), *s = gen_stmt(x, STMT_KERNEL);
    KernelCall *call = call_new(x, body, a);
    call->m = info->matrix && info->given == 1 ? sides : NULL;
    call->array[1] = a;
    call->position[1] = first_entry(x, graph_read(g, a, position), 0, 0);
    s->call = call;
    gen_add(x, s);
    gen_if_close(x, under);
    while (loops.n) {
        gen_loop_close(x, loops.at[--loops.n]);
    }
}

static void kernel_array_of(Gen *x, ArrayRef a, const Fixed *fixed) {
    Graph *g = x->g;
    Piece p = ARRAY(g, a)->pieces.at[0], fill = p;
    const KernelInfo *info = &kernel_info[NODE(g, p.body)->aux];
    if (info->given) {
        int batch = kernel_batch(g, a), rank = ARRAY(g, a)->rank;
        const Poly *last = poly_sub(g->arena, kernel_size(g, p.body, a), poly_int(g->arena, 1));
        fill.body = nest_given(g, a);
        fill.hi = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *fill.hi);
        for (int k = 0; k < rank; k++) {
            fill.hi[k] = k < batch ? p.hi[k] : last;
        }
        one_piece_of(x, a, &fill, fixed, '=');
    }
    Stmt *due = due_open(x, a, &p, fixed);
    kernel_calls(x, a, &p, fixed);
    gen_if_close(x, due);
}

/* How many turns there were is the end of loops wherever these stand: where no iteration is asked
 * for there were none. */
bool nest_may_lack_turns(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->counts && (x->pieces.at[0].guard || !boxes_cover(g, a));
}

/* All pieces (or those of `take`) at the places that loops around have fixed. Where every entry has
 * one piece it is set; otherwise, or where a sum is better added up, the array starts at 0, or with
 * a piece that sets all of it, and pieces are added. */
void nest_pieces(Gen *x, ArrayRef a, const Fixed *fixed, const bool *take) {
    Graph *g = x->g;
    VEC(Piece) pieces = {0};
    if (kernel_is(g, a) && kernel_batch(g, a) < ARRAY(g, a)->rank) {
        kernel_array_of(x, a, fixed);
        return;
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        if (!take || take[q]) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            if (p.guard && fixed->known) { /* the bounds of the loops around say it */
                p.guard = graph_given(g, nest_place_axes(g, a, p.guard, fixed), fixed->known);
            }
            VEC_PUSH(g->arena, pieces, p);
        }
    }
    bool single = ARRAY(g, a)->type < VALUE_FLOAT || ARRAY(g, a)->adjoint_of == 0 ||
                  ARRAY(g, a)->within || boxes_cover(g, a);
    const bool *meet = single && !take ? graph_pieces_meet(g, a) : NULL;
    for (int q = 0; q < pieces.n && meet; q++) {
        single = single && !meet[q];
    }
    int first = 0;
    bool adding = !single || take;
    if (nest_may_lack_turns(g, a) && !fixed->zeroed) {
        nest_zero(x, a, fixed);
    }
    for (int q = 0; q < pieces.n && single && !take && !adding; q++) {
        const Piece *p = &pieces.at[q];
        bool able =
            !fixed->writes ||
            (pieces.n == 1 && (chosen_by_data(x, a, p, fixed) || !graph_reads(g, p->body, a)));
        adding = able && would(x, false, a, p, fixed) && !would(x, true, a, p, fixed);
    }
    if (adding && !fixed->zeroed) {
        if (pieces.n &&
            (piece_is_whole(g, a, &pieces.at[0]) || is_all_that_is_read(g, a, &pieces.at[0])) &&
            (would(x, true, a, &pieces.at[0], fixed) ||
             !would(x, false, a, &pieces.at[0], fixed))) {
            one_piece_of(x, a, &pieces.at[first++], fixed, '=');
        } else {
            nest_zero(x, a, fixed);
        }
    }
    for (int q = first; q < pieces.n; q++) {
        one_piece_of(x, a, &pieces.at[q], fixed, adding ? '+' : '=');
    }
}

/* What all of an array is computed under, if that is a matter of sizes alone; 0: nothing. */
static Ref guard_of_sizes(Graph *g, ArrayRef a) {
    const Array *of = ARRAY(g, a);
    Ref guard = of->pieces.n ? of->pieces.at[0].guard : 0;
    for (int q = 1; q < of->pieces.n; q++) {
        guard = of->pieces.at[q].guard == guard ? guard : 0;
    }
    if (!guard || NODE(g, guard)->op < OP_FIRST_SCALAR || NODE(g, guard)->nargs != 2 ||
        NODE(g, ARG(g, guard, 0))->type != VALUE_INT) {
        return 0;
    }
    for (int k = 0; k < 2; k++) {
        const uint32_t *vars;
        int n = poly_vars(g->arena, graph_poly(g, ARG(g, guard, k)), &vars);
        for (int v = 0; v < n; v++) {
            if (NODE(g, vars[v])->op != OP_DIM) {
                return 0;
            }
        }
    }
    return guard;
}

/* What a number with one piece is, in one expression; under a condition that is a choice with 0 on
 * the other side. NULL: the condition is around more than an expression. */
static Expr *single_value(Gen *x, ArrayRef a) {
    Graph *g = x->g;
    const Piece *p = &ARRAY(g, a)->pieces.at[0];
    ValueType type = ARRAY(g, a)->type;
    Ref body = p->body;
    if (p->guard) {
        if (type < VALUE_FLOAT || ARRAY(g, a)->counts) {
            return NULL;
        }
        body = graph_select(g, p->guard, body, nest_zero_of(g, type));
    }
    gen_count_uses(x, body);
    return p->guard && !gen_is_choice(x, body) ? NULL : gen_value(x, body);
}

void nest_array(Gen *x, ArrayRef a) {
    Graph *g = x->g;
    Fixed fixed = {.at = arena_alloc(g->arena, (size_t)(ARRAY(g, a)->rank + 1) * sizeof(Ref))};
    if (x->f->place[a] == PLACE_LOCAL) {
        nest_comment(x, a);
        Array *array = ARRAY(g, a);
        Expr *e = array->pieces.n == 1 ? single_value(x, a) : NULL;
        if (e) {
            Stmt *s = gen_stmt(x, STMT_LET);
            s->local = x->f->local[a], s->value = e;
            x->f->locals.at[s->local].changes = false;
            gen_add(x, s);
            if (ARRAY(g, a)->counts) {
                nest_check_count(x, a, gen_local_expr(x, s->local));
            }
            return;
        }
        Stmt *s = gen_stmt(x, STMT_VAR);
        s->local = x->f->local[a];
        s->value = gen_value(x, nest_zero_of(g, array->type));
        gen_add(x, s);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            plain_piece(x, a, &p, &fixed, ARRAY(g, a)->type >= VALUE_FLOAT ? '+' : '=');
        }
        return;
    }
    Stmt *optional = NULL;
    nest_comment(x, a);
    if (x->f->place[a] == PLACE_OUTPUT) { /* a caller that passes NULL does not want it */
        optional = gen_stmt(x, STMT_IF);
        optional->array = a;
        gen_push(x, &optional->body, 0, true, NULL);
    }
    fixed.known = guard_of_sizes(g, a);
    Stmt *due = gen_if_open(x, fixed.known);
    nest_pieces(x, a, &fixed, NULL);
    gen_if_close(x, due);
    gen_if_close(x, optional);
}
