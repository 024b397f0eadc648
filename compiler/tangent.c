/* tangent: forward mode on indexed equations.
 * In: a term and the arrays that move, each with the derivative of its entries. Out: the derivative
 * of the term, over tangent arrays made in the same graph. The idea: each array on the way has a
 * tangent array, whose equation is the differentiated equation; what read T[e] reads T_dot[e].
 * Arrays that read each other have tangents that read each other. Where a motion depends on indices
 * of the term, a tangent has them as leading axes, unless the array is read at just these indices:
 * then that axis is *pinned* to the term's index, and the tangent says nothing of entries
 * elsewhere. So one array may have several tangents, one for each set of pins. */
#include "differentiate.h"
#include "kernel.h"
#include "ops.h"
#include "paths.h"
#include "rewrite.h"
#include "share.h"
#include <string.h>

typedef struct RuleAt { /* a rule of one's own, at the place of a variant */
    int n;
    const Ref *index; /* summed over */
    Ref read, value;
} RuleAt;

typedef struct Variant { /* one tangent of one array */
    ArrayRef of, array;  /* array: 0 until it is made, and where nothing moves */
    const Ref *place;    /* per axis of `of`: the pin, or the axis itself */
    int ncontext;
    const Ref *context;      /* leading axes of `array` */
    const Ref *body, *guard; /* per piece, at `place` */
    VEC(RuleAt) rules;
    int next; /* of the same array; -1: none */
} Variant;

typedef struct State {
    Graph *g;
    Paths paths;
    const Scope *scope;
    const Motion *along;
    bool *moves; /* per index of the scope: a motion depends on it */
    VEC(Variant) variants;
    int *first;  /* by array: its first variant, or -1 */
    int *steady; /* by array: how many leading axes are the same in all reads of its circle; all, if
                    it is in none */
    VEC(Ref) memo; /* by node: its tangent, 0 where it is not known yet */
    Span at;
} State;

static const Ref STILL = UINT32_MAX; /* in the memo: no tangent */

/* ---- which tangents there are
 * --------------------------------------------------------------------------------------- */

static int scope_place(const Scope *s, Ref index) {
    for (int k = 0; k < s->n; k++) {
        if (s->index[k] == index) {
            return k;
        }
    }
    return -1;
}

/* Does the position keep to an index of the term that a motion depends on? */
static bool is_pin(const State *s, Ref position) {
    Graph *g = s->g;
    const Ref *free;
    const uint32_t *vars;
    bool moves = false;
    int n = graph_free(g, position, &free);
    for (int k = 0; k < n; k++) {
        int at = scope_place(s->scope, free[k]);
        if (at < 0) {
            return false;
        }
        moves = moves || s->moves[at];
    }
    n = poly_vars(g->arena, graph_poly(g, position), &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_INDEX && NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    return moves;
}

static int variant_at(State *s, ArrayRef a, const Ref *position) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, a);
    Ref *place = arena_alloc(g->arena, (size_t)(x->rank + 1) * sizeof *place);
    for (int k = 0; k < x->rank; k++) {
        place[k] = k < s->steady[a] && is_pin(s, position[k]) ? position[k] : x->axis[k];
    }
    int v = s->first[a];
    while (v >= 0 && memcmp(s->variants.at[v].place, place, (size_t)x->rank * sizeof *place)) {
        v = s->variants.at[v].next;
    }
    if (v < 0) {
        Variant new = {.of = a, .place = place, .next = s->first[a]};
        v = s->first[a] = s->variants.n;
        VEC_PUSH(g->arena, s->variants, new);
    }
    return v;
}

/* The body of each piece at the variant's place, and the variants of all that they read. */
static void variant_open(State *s, int number) {
    Graph *g = s->g;
    Variant *v = &s->variants.at[number];
    const Array *x = ARRAY(g, v->of);
    int rank = x->rank, n = x->pieces.n;
    Ref *body = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *body),
        *guard = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *guard);
    VEC(Ref) roots = {0}, reads = {0};
    for (int q = 0; q < n; q++) {
        Piece p = ARRAY(g, v->of)->pieces.at[q];
        body[q] = graph_subst(g, p.body, rank, ARRAY(g, v->of)->axis, v->place);
        guard[q] = graph_both(g, p.guard, p.live);
        guard[q] = guard[q] ? graph_subst(g, guard[q], rank, ARRAY(g, v->of)->axis, v->place) : 0;
        if (NODE(g, body[q])->op != OP_KERNEL) {
            VEC_PUSH(g->arena, roots, body[q]);
            continue;
        }
        /* Of a kernel what it is made of moves, not its factor. */
        Ref parts[2] = {kernel_given(g, body[q]),
                        kernel_matrix(g, body[q]) ? kernel_source(g, body[q]) : 0};
        for (int k = 0; k < 2; k++) {
            if (parts[k]) {
                VEC_PUSH(g->arena, roots, parts[k]);
            }
        }
    }
    v = &s->variants.at[number];
    v->body = body, v->guard = guard;
    for (int q = 0; q < ARRAY(g, v->of)->rules.n; q++) {
        const ArrayRule *rule = &ARRAY(g, v->of)->rules.at[q];
        int own = ARRAY(g, rule->by)->rank - rule->nlead;
        Ref *position = arena_alloc(g->arena, (size_t)(rule->nlead + own + 1) * sizeof *position);
        if (!s->paths.active[rule->by]) {
            continue;
        }
        for (int k = 0; k < rule->nlead; k++) {
            position[k] = graph_subst(g, rule->lead[k], rank, ARRAY(g, v->of)->axis, v->place);
        }
        for (int k = 0; k < own; k++) {
            position[rule->nlead + k] = graph_index(
                g, g->indices.at[NODE(g, rule->index[k])->aux].name, EXTENT(g, rule->index[k]));
        }
        RuleAt at = {
            .n = own, .index = position + rule->nlead, .read = graph_read(g, rule->by, position)};
        at.value =
            graph_subst(g, graph_subst(g, rule->value, rank, ARRAY(g, v->of)->axis, v->place), own,
                        rule->index, at.index);
        VEC_PUSH(g->arena, v->rules, at);
        VEC_PUSH(g->arena, roots, at.read);
    }
    Walk walk = walk_start(g, 0);
    for (int k = 0; k < roots.n; k++) {
        walk_add(walk, roots.at[k]);
    }
    for (Ref r; (r = walk_next(walk));) {
        if (!paths_lead(&s->paths, r)) {
            continue;
        }
        if (NODE(g, r)->op == OP_READ) {
            VEC_PUSH(g->arena, reads, r);
        }
        paths_into(walk, r);
    }
    for (int k = 0; k < reads.n; k++) {
        ArrayRef a = NODE(g, reads.at[k])->aux;
        if (!paths_is_by(&s->paths, a)) {
            variant_at(s, a, &ARG(g, reads.at[k], 0));
        }
    }
}

/* ---- the tangent of a term
 * -----------------------------------------------------------------------------------------------
 */

static Ref tangent(State *s, Ref r, const Scope *around, Ref result);

/* An entry of an array that moves. */
static Ref moved(State *s, const Motion *m, Ref read) {
    Graph *g = s->g;
    int rank = ARRAY(g, m->of)->rank;
    Ref here = graph_bool(g, true);
    for (int k = 0; k < m->nlead; k++) {
        here = graph_and(g, here, graph_op2(g, OP_eq, ARG(g, read, k), m->lead[k]));
    }
    if (graph_is_false(g, here)) {
        return 0;
    }
    Ref *position = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *position);
    for (int k = m->nlead; k < rank; k++) {
        position[k] = ARG(g, read, k);
    }
    ValueType type = (ValueType)NODE(g, read)->type;
    Ref value = graph_cast(
        g, type, graph_subst(g, m->value, rank - m->nlead, m->index, position + m->nlead));
    return graph_select(g, here, value, graph_real(g, type, 0));
}

static Ref tangent_of_read(State *s, Ref r) {
    Graph *g = s->g;
    ArrayRef a = NODE(g, r)->aux;
    for (int k = 0; k < s->paths.nby; k++) {
        if (s->along[k].of == a) {
            return moved(s, &s->along[k], r);
        }
    }
    const Variant *v = &s->variants.at[variant_at(s, a, &ARG(g, r, 0))];
    if (!v->array) {
        return 0;
    }
    int rank = ARRAY(g, a)->rank, n = 0;
    Ref *position = arena_alloc(g->arena, (size_t)(v->ncontext + rank + 1) * sizeof *position);
    for (int k = 0; k < v->ncontext; k++) {
        position[n++] = v->context[k];
    }
    for (int k = 0; k < rank; k++) {
        if (v->place[k] == ARRAY(g, a)->axis[k]) {
            position[n++] = ARG(g, r, k);
        }
    }
    return graph_read(g, v->array, position);
}

static Ref tangent_of_reduction(State *s, Ref r, const Scope *around, Ref result) {
    Graph *g = s->g;
    Reduction kind = (Reduction)NODE(g, r)->aux;
    Ref condition, body, index = graph_open(g, r, &condition, &body), factor = 0;
    if (kind == RED_MAX || kind == RED_MIN) { /* the tangent of the first extreme entry */
        Ref best = paths_extreme(g, around, kind, index, condition, body, s->at);
        return tangent(s, graph_subst(g, body, 1, &index, &best), NULL, 0);
    }
    Ref t = tangent(s, body, NULL, 0);
    if (!t) {
        return 0;
    }
    if (kind == RED_LOGSUMEXP) {
        factor = graph_op2(g, OP_weight, body, result ? result : r);
    } else if (kind == RED_PROD) { /* products were made the roots of arrays, so here is all that
                                      stands around this one */
        Scope all = scope_copy(g, around);
        scope_add(g, &all, index, NULL, NULL);
        factor = paths_others(g, &all, condition, body, s->at);
    } else if (kind != RED_SUM) {
        bug("a tangent of argmax or argmin");
    }
    return graph_reduce(g, RED_SUM, index, condition, factor ? graph_op2(g, OP_mul, factor, t) : t);
}

static Ref tangent_of_op(State *s, Ref r, Ref result) {
    Graph *g = s->g;
    const Node n = *NODE(g, r);
    Ref args[3], sum = 0;
    for (int k = 0; k < n.nargs; k++) {
        args[k] = ARG(g, r, k);
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref t = paths_smooth(g, r, k) ? tangent(s, args[k], NULL, 0) : 0, partial = 0;
        if (!t) {
            continue;
        }
        if (n.op == OP_div && k == 0) {
            t = graph_op2(g, OP_div, t, args[1]);
        } else if ((partial = ops_partial(g, (Op)n.op, k, args, result ? result : r)) != 0) {
            t = graph_op2(g, OP_mul, partial, t);
        } else {
            continue;
        }
        sum = sum ? graph_op2(g, OP_add, sum, t) : t;
    }
    return sum;
}

/* ---- kernels
 * ---------------------------------------------------------------------------------------------------------------
 */

typedef struct Moving { /* the kernel array x, at the place where its tangent is made */
    State *s;
    Scope all; /* what is in force there */
    Ref value; /* a read of it */
    int batch;
    const Poly *n;
    Span at;
} Moving;

static Ref moving_value(const Moving *x, Ref i, Ref j) {
    Graph *g = x->s->g;
    const Node n = *NODE(g, x->value);
    Ref *p = arena_alloc(g->arena, (size_t)(x->batch + 3) * sizeof *p);
    for (int k = 0; k < x->batch; k++) {
        p[k] = ARG(g, x->value, k);
    }
    p[x->batch] = i, p[x->batch + 1] = j;
    return graph_read(g, n.aux, p);
}

/* Entry [i, j] of a kernel applied here; over the scope's indices. */
typedef struct Applied {
    ArrayRef array;
    int nlead;
    const Ref *lead;
} Applied;

static Applied apply(const Moving *x, const Scope *scope, KernelKind kind, Ref matrix, Ref given) {
    Applied a;
    Graph *g = x->s->g;
    a.array = kernel_array(g, scope, kind, matrix, given, x->at, &a.nlead, &a.lead);
    ARRAY(g, a.array)->order = ARRAY(g, NODE(g, x->value)->aux)->order + 1;
    ARRAY(g, a.array)->derived = true;
    return a;
}

static Ref applied_entry(Graph *g, const Applied *a, Ref from, Ref to, Ref i, Ref j) {
    Ref *lead = arena_alloc(g->arena, (size_t)(a->nlead + 1) * sizeof *lead);
    for (int k = 0; k < a->nlead; k++) {
        lead[k] = from && a->lead[k] == from ? to : a->lead[k];
    }
    return kernel_entry(g, a->array, a->nlead, lead, (Ref[]){i, j});
}

/* sum over k of f, an entry with k where it says so. */
static Ref sum_over(Graph *g, Ref k, Ref condition, Ref x, Ref y) {
    return graph_reduce(g, RED_SUM, k, condition, graph_op2(g, OP_mul, x, y));
}

/* L_dot = L Phi(L^-1 A_dot L'^-1), Phi the lower triangle with half the diagonal (Murray 2016,
 * section 3.1). `da` holds A_dot in its lower triangle, over slots. */
static Ref cholesky_dot(const Moving *x, Ref da, Ref row, Ref column) {
    Graph *g = x->s->g;
    ValueType type = (ValueType)NODE(g, x->value)->type;
    Ref r = graph_slot(g, 0, x->n), c = graph_slot(g, 1, x->n);
    Ref slots[2] = {r, c}, turned[2] = {c, r};
    Ref whole =
        graph_select(g, graph_op2(g, OP_le, c, r), da, graph_subst(g, da, 2, slots, turned));
    Ref matrix = moving_value(x, r, c), q = graph_index(g, "q", x->n),
        k = graph_index(g, "k", x->n);
    Scope over = scope_copy(g, &x->all);
    scope_add(g, &over, q, NULL, NULL);
    /* Row q of the first is column q of L^-1 A_dot; row q of the second is row q of L^-1 A_dot
     * L'^-1.
     */
    Ref at[2] = {r, q};
    Applied left = apply(x, &over, KERNEL_LOWER_SOLVE, matrix, graph_subst(g, whole, 2, slots, at));
    Applied both = apply(x, &over, KERNEL_LOWER_SOLVE, matrix, applied_entry(g, &left, q, r, q, 0));
    Ref phi = applied_entry(g, &both, q, k, column, 0);
    phi = graph_select(g, graph_op2(g, OP_eq, k, column),
                       graph_op2(g, OP_mul, graph_real(g, type, 0.5), phi), phi);
    Ref inside = graph_and(g, graph_op2(g, OP_le, column, k), graph_op2(g, OP_le, k, row));
    return sum_over(g, k, inside, moving_value(x, row, k), phi);
}

/* The tangent of one entry of a kernel array. `result`: a read that has its value. */
static Ref tangent_of_kernel(State *s, Ref r, const Scope *around, Ref result) {
    Graph *g = s->g;
    KernelKind kind = (KernelKind)NODE(g, r)->aux;
    Ref matrix = kernel_matrix(g, r), given = kernel_given(g, r);
    Moving x = {.s = s, .value = result, .at = s->at};
    if (!result) {
        bug("a kernel in the middle of a term");
    }
    x.batch = NODE(g, result)->nargs - kernel_info[kind].result;
    x.n = kernel_size(g, r, NODE(g, result)->aux);
    x.all = scope_copy(g, around);
    if (s->scope->guard) {
        scope_guard(g, &x.all, s->scope->guard);
    }
    Ref none = graph_real(g, (ValueType)NODE(g, r)->type, 0), all = graph_bool(g, true);
    Ref da = matrix ? tangent(s, kernel_source(g, r), NULL, 0) : 0,
        db = given ? tangent(s, given, NULL, 0) : 0;
    if (!da && !db) {
        return 0;
    }
    Ref i = graph_slot(g, 0, x.n), j = graph_slot(g, 1, x.n), slots[2] = {i, j};
    Ref position[2] = {0, 0};
    for (int k = 0; k < kernel_info[kind].result; k++) {
        position[k] = ARG(g, r, k);
    }
    switch (kind) {
    case KERNEL_LU: bug("a factor moves by itself");
    case KERNEL_CHOLESKY: return cholesky_dot(&x, db, position[0], position[1]);
    case KERNEL_LU_INVERSE: { /* -x A_dot x */
        Ref k = graph_index(g, "k", x.n), u = graph_index(g, "i", x.n),
            v = graph_index(g, "j", x.n), at[2] = {k, v}, read;
        Ref body = sum_over(g, k, all, moving_value(&x, u, k), graph_subst(g, da, 2, slots, at));
        Scope over = scope_part(g, &x.all, 1, &body);
        int n = over.n;
        scope_add(g, &over, u, NULL, NULL);
        scope_add(g, &over, v, NULL, NULL);
        ArrayRef left = graph_array_over(
            g, arena_format(g->arena, "%s_left", ARRAY(g, NODE(g, result)->aux)->name), &over, body,
            x.at, &read);
        Ref l = graph_index(g, "k", x.n);
        Ref term = kernel_entry(g, left, n, over.index, (Ref[]){position[0], l});
        return graph_op1(g, OP_neg, sum_over(g, l, all, term, moving_value(&x, l, position[1])));
    }
    case KERNEL_LU_LOGDET: { /* sum of A^-1[j, i] A_dot[i, j] */
        Applied inverse = apply(&x, &x.all, KERNEL_LU_INVERSE, matrix, 0);
        Ref u = graph_index(g, "i", x.n), v = graph_index(g, "j", x.n), at[2] = {u, v};
        return graph_reduce(g, RED_SUM, u, all,
                            sum_over(g, v, all, applied_entry(g, &inverse, 0, 0, v, u),
                                     graph_subst(g, da, 2, slots, at)));
    }
    default: break;
    }
    /* Solves of A x = b: A x_dot = b_dot - A_dot x. */
    bool turned =
        kind == KERNEL_LU_SOLVE_T || kind == KERNEL_LOWER_SOLVE_T || kind == KERNEL_UPPER_SOLVE_T;
    if (da) {
        Ref k = graph_index(g, "k", x.n), row = turned ? k : i, column = turned ? i : k;
        Ref at[2] = {row, column}, m = graph_subst(g, da, 2, slots, at), condition = all;
        if (kind == KERNEL_CHOLESKY_SOLVE) { /* its lower triangle stands for both */
            Ref back[2] = {column, row};
            m = graph_select(g, graph_op2(g, OP_le, column, row), m,
                             graph_subst(g, da, 2, slots, back));
        } else if (kind == KERNEL_LOWER_SOLVE || kind == KERNEL_LOWER_SOLVE_T) {
            condition = graph_op2(g, OP_le, column, row);
        } else if (kind == KERNEL_UPPER_SOLVE || kind == KERNEL_UPPER_SOLVE_T) {
            condition = graph_op2(g, OP_le, row, column);
        }
        Ref moved = sum_over(g, k, condition, m, moving_value(&x, k, 0));
        db = db ? graph_op2(g, OP_sub, db, moved) : graph_op2(g, OP_sub, none, moved);
    }
    Applied dot = apply(&x, &x.all, kind, matrix, db);
    return applied_entry(g, &dot, 0, 0, position[0], 0);
}

/* 0 where r stands still. At the root of a piece, around: what is in force there; result: a read
 * that has the root's value. */
static Ref tangent(State *s, Ref r, const Scope *around, Ref result) {
    Graph *g = s->g;
    double zero;
    if (!paths_lead(&s->paths, r)) {
        return 0;
    }
    while (s->memo.n <= (int)r) {
        VEC_PUSH(g->arena, s->memo, 0);
    }
    if (s->memo.at[r]) {
        return s->memo.at[r] == STILL ? 0 : s->memo.at[r];
    }
    const Node n = *NODE(g, r);
    Ref t = 0;
    switch (n.op) {
    case OP_READ: t = tangent_of_read(s, r); break;
    case OP_REDUCE: t = tangent_of_reduction(s, r, around, result); break;
    case OP_KERNEL: t = tangent_of_kernel(s, r, around, result); break;
    case OP_CAST:
        t = tangent(s, ARG(g, r, 0), NULL, 0);
        t = t ? graph_cast(g, (ValueType)n.type, t) : 0;
        break;
    case OP_SELECT: {
        Ref none = graph_real(g, (ValueType)n.type, 0), yes = tangent(s, ARG(g, r, 1), NULL, 0),
            no = tangent(s, ARG(g, r, 2), NULL, 0);
        t = yes || no ? graph_select(g, ARG(g, r, 0), yes ? yes : none, no ? no : none) : 0;
        break;
    }
    default:
        if (paths_refuse(&s->paths, r, s->at)) {
            break;
        }
        if (n.op < OP_FIRST_SCALAR) {
            bug("no tangent of a node of kind %d", n.op);
        }
        t = tangent_of_op(s, r, result);
    }
    t = t && graph_is_real(g, t, &zero) && zero == 0 ? 0 : t;
    s->memo.at[r] = t ? t : STILL;
    return t;
}

/* ---- tangent arrays
 * --------------------------------------------------------------------------------------------------------
 */

/* The tangent of one piece, over the axes of the array that are not pinned and the scope's indices.
 */
static Ref tangent_of_piece(State *s, const Variant *v, int q) {
    Graph *g = s->g;
    const Array *x = ARRAY(g, v->of);
    const Piece p = x->pieces.at[q];
    Scope around = scope_copy(g, s->scope);
    Ref inside = 0;
    around.guard = v->guard[q];
    s->at = p.at;
    for (int k = 0; k < x->rank; k++) {
        if (v->place[k] == x->axis[k]) {
            scope_add(g, &around, x->axis[k], p.lo[k], p.hi[k]);
        } else {
            paths_require(g, &inside, OP_le, p.lo[k], graph_poly(g, v->place[k]));
            paths_require(g, &inside, OP_le, graph_poly(g, v->place[k]), p.hi[k]);
        }
    }
    if (inside) {
        scope_guard(g, &around, inside);
    }
    /* Cases of an equation are disjoint, so the array has the value of this piece; contributions
     * overlap. */
    bool own = x->pieces.n == 1 || x->order == 0;
    Ref t = tangent(s, v->body[q], &around, own ? graph_read(g, v->of, v->place) : 0);
    return t && inside ? graph_select(g, inside, t, graph_real(g, (ValueType)NODE(g, t)->type, 0))
                       : t;
}

static Ref tangent_of_rule(State *s, const RuleAt *rule) {
    Graph *g = s->g;
    Ref t = tangent(s, rule->read, NULL, 0);
    if (!t) {
        return 0;
    }
    t = graph_op2(g, OP_mul, rule->value, t);
    for (int k = rule->n - 1; k >= 0; k--) {
        t = graph_reduce(g, RED_SUM, rule->index[k], graph_bool(g, true), t);
    }
    return t;
}

/* The array, without pieces: axes context ..., those of `of` that are not pinned. */
static void variant_make(State *s, int number, int ncontext, const Ref *context) {
    Graph *g = s->g;
    Variant *v = &s->variants.at[number];
    const Array of = *ARRAY(g, v->of);
    int n = 0;
    const Poly **extent = arena_alloc(g->arena, (size_t)(ncontext + of.rank + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(ncontext + of.rank + 1) * sizeof *names);
    for (int k = 0; k < ncontext + of.rank; k++) {
        Ref index = k < ncontext ? context[k] : of.axis[k - ncontext];
        if (k < ncontext || v->place[k - ncontext] == index) {
            extent[n] = k < ncontext ? EXTENT(g, index) : of.extent[k - ncontext];
            names[n++] = g->indices.at[NODE(g, index)->aux].name;
        }
    }
    v->array = graph_array(g, arena_format(g->arena, "%s_dot", of.name), of.type, n, extent, names);
    v->context = context, v->ncontext = ncontext;
    Array *made = ARRAY(g, v->array);
    made->derived = true;
    made->adjoint_of = v->of;
    made->order = of.order + 1;
    made->at = of.at;
}

/* One more piece of the tangent; p: a piece of the array, for its box. */
static void variant_piece(State *s, const Variant *v, const Piece *p, Ref body, Ref guard,
                          Span at) {
    Graph *g = s->g;
    const Array *made = ARRAY(g, v->array), *of = ARRAY(g, v->of);
    const Poly **lo = arena_alloc(g->arena, (size_t)(made->rank + 1) * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)(made->rank + 1) * sizeof *hi);
    Ref *from = arena_alloc(g->arena, (size_t)(made->rank + 1) * sizeof *from);
    int n = 0;
    for (int k = 0; k < v->ncontext; k++) {
        int at_scope = scope_place(s->scope, v->context[k]);
        from[n] = v->context[k];
        lo[n] = s->scope->lo[at_scope], hi[n++] = s->scope->hi[at_scope];
    }
    for (int k = 0; k < of->rank; k++) {
        if (v->place[k] == of->axis[k]) {
            from[n] = of->axis[k];
            lo[n] = p->lo[k];
            hi[n++] = p->hi[k];
        }
    }
    /* Where the term itself is not looked at, no tangent is: what the scope's guard says of the
     * context holds here too. */
    Ref around = graph_part_over(g, s->scope->guard, v->ncontext, v->context);
    guard = graph_both(g, around, graph_given(g, guard, around));
    if (graph_piece(g, v->array, lo, hi, graph_subst(g, body, n, from, made->axis), at) && guard) {
        guard = graph_subst(g, guard, n, from, ARRAY(g, v->array)->axis);
        ARRAY(g, v->array)->pieces.at[ARRAY(g, v->array)->pieces.n - 1].guard =
            graph_is_true(g, guard) ? 0 : guard;
    }
}

/* The scope's indices in these terms, in order; all that a motion or a pin depends on when n < 0.
 */
static int context_of(State *s, int n, const Ref *terms, const Ref **out) {
    Graph *g = s->g;
    Ref *context = arena_alloc(g->arena, (size_t)(s->scope->n + 1) * sizeof *context);
    int found = 0;
    for (int k = 0; k < s->scope->n; k++) {
        bool used = n < 0 && s->moves[k];
        for (int q = 0; q < n && !used; q++) {
            used = terms[q] && graph_has_index(g, terms[q], s->scope->index[k]);
        }
        for (int v = 1; v < s->variants.n && n < 0 && !used;
             v++) { /* the first is the term itself */
            const Array *of = ARRAY(g, s->variants.at[v].of);
            for (int q = 0; q < of->rank && !used; q++) {
                used = graph_has_index(g, s->variants.at[v].place[q], s->scope->index[k]);
            }
        }
        if (used) {
            context[found++] = s->scope->index[k];
        }
    }
    *out = context;
    return found;
}

/* Tangents of all pieces and rules; the array is made when it is not yet, over what they need. */
static void variant_finish(State *s, int number) {
    Graph *g = s->g;
    const Variant *v = &s->variants.at[number];
    int n = ARRAY(g, v->of)->pieces.n, nrules = v->rules.n, nterms = 0;
    Ref *term = arena_alloc(g->arena, (size_t)(2 * n + nrules + 1) * sizeof *term);
    bool any = false;
    for (int q = 0; q < n + nrules; q++) {
        term[nterms++] =
            q < n ? tangent_of_piece(s, v, q) : tangent_of_rule(s, &v->rules.at[q - n]);
        v = &s->variants.at[number];
        any = any || term[q];
    }
    for (int q = 0; q < n; q++) {
        term[nterms++] = term[q] || nrules ? v->guard[q] : 0;
    }
    if (!any) {
        return;
    }
    if (!v->array) {
        const Ref *context = NULL;
        int ncontext = context_of(s, nterms, term, &context);
        variant_make(s, number, ncontext, context);
        v = &s->variants.at[number];
    }
    for (int q = 0; q < n; q++) {
        if (term[q]) {
            const Piece p = ARRAY(g, v->of)->pieces.at[q];
            variant_piece(s, v, &p, term[q], v->guard[q], p.at);
        }
    }
    size_t room = (size_t)(ARRAY(g, v->of)->rank + 1) * sizeof(const Poly *);
    Piece box = {.lo = arena_alloc(g->arena, room), .hi = arena_alloc(g->arena, room)};
    paths_rule_box(g, v->of, box.lo, box.hi);
    for (int q = 0; q < nrules; q++) {
        if (term[n + q]) {
            variant_piece(s, v, &box, term[n + q], n ? v->guard[0] : 0, ARRAY(g, v->of)->at);
        }
    }
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------------------
 */

/* Does a product stand below the root of a piece? */
static bool holds_product(State *s, ArrayRef a) {
    Graph *g = s->g;
    Walk walk = walk_start(g, 0);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Ref root = ARRAY(g, a)->pieces.at[q].body;
        bool product = NODE(g, root)->op == OP_REDUCE && NODE(g, root)->aux == RED_PROD;
        walk_add(walk, product ? ARG(g, root, 2) : root);
    }
    for (Ref r; (r = walk_next(walk));) {
        if (!paths_lead(&s->paths, r)) {
            continue;
        }
        if (NODE(g, r)->op == OP_REDUCE && NODE(g, r)->aux == RED_PROD) {
            return true;
        }
        paths_into(walk, r);
    }
    return false;
}

static bool depends(Graph *g, const Motion *m, Ref index) {
    bool yes = graph_has_index(g, m->value, index);
    for (int k = 0; k < m->nlead; k++) {
        yes = yes || graph_has_index(g, m->lead[k], index);
    }
    return yes;
}

Ref differentiate_along(Graph *g, Ref e, const Scope *scope, int n, const Motion *along) {
    State *s = arena_alloc(g->arena, sizeof *s);
    ArrayRef *by = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *by), root;
    Scope part = scope_part(g, scope, 1, &e);
    for (int k = 0; k < n; k++) {
        by[k] = along[k].of;
    }
    s->g = g, s->scope = scope, s->along = along;
    s->paths = (Paths){.g = g, .nby = n, .by = by, .dear_from = 1};
    s->moves = arena_alloc(g->arena, (size_t)scope->n + 1);
    for (int k = 0; k < scope->n; k++) {
        for (int m = 0; m < n; m++) {
            s->moves[k] = s->moves[k] || depends(g, &along[m], scope->index[k]);
        }
    }
    root = graph_array_over(g, "e", &part, e, (Span){0}, NULL);
    share_derived(g, root);
    paths_find(&s->paths, root);
    if (!s->paths.active[root]) {
        return 0;
    }
    for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n;
         a++) { /* arrays made meanwhile are looked at in their turn */
        if ((int)a < s->paths.nactive && s->paths.active[a] && !paths_is_by(&s->paths, a) &&
            holds_product(s, a)) {
            paths_lift(&s->paths, a);
        }
    }
    ArrayRef made_from = (ArrayRef)g->arrays.n;
    Order order = graph_order_of_rules(g, 1, &root);
    s->first = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *s->first);
    s->steady = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *s->steady);
    bool *circle = arena_alloc(g->arena, (size_t)order.n + 1);
    for (int lo = 0, hi; lo < order.n; lo = hi) {
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        circle[lo] = hi - lo > 1 || graph_reads_itself(g, order.array[lo]);
        int steady = circle[lo] ? paths_steady_axes(g, &order, lo, hi) : INT32_MAX;
        for (int k = lo; k < hi; k++) {
            circle[k] = circle[lo];
            s->first[order.array[k]] = -1;
            s->steady[order.array[k]] = steady;
        }
    }
    Variant whole = {
        .of = root, .place = part.index, .next = -1}; /* pinned to the term's indices */
    VEC_PUSH(g->arena, s->variants, whole);
    for (int v = 0; v < s->variants.n; v++) {
        variant_open(s, v);
    }
    for (int lo = 0, hi; lo < order.n; lo = hi) {
        const Ref *context = NULL;
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        int ncontext = circle[lo] ? context_of(s, -1, NULL, &context) : 0;
        for (int made = !circle[lo]; made < 2;
             made++) { /* arrays of a circle first: their equations read each other */
            for (int k = lo; k < hi; k++) {
                for (int v = s->first[order.array[k]]; v >= 0; v = s->variants.at[v].next) {
                    if (made) {
                        variant_finish(s, v);
                    } else {
                        variant_make(s, v, ncontext, context);
                    }
                }
            }
        }
    }
    Ref t = tangent_of_piece(s, &s->variants.at[0], 0);
    paths_release_arrays(g, made_from);
    return t ? paths_release(g, t) : 0;
}
