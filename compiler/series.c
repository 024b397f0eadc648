/* series: sums of powers, and of products that grow by one factor from entry to entry.
 * In: arrays with all derivatives made. Out: the same values by one multiplication an entry.
 *
 * - `w[j] * t[i]^j` computes each power anew, with log j products or more. The powers over a whole
 *   index are an array, p[0, i] = 1, p[j, i] = p[j - 1, i] * t[i], that all equations share and
 *   whose loop its readers join, so that it need not have a history.
 * - An array of that form, be it written by the user or made here, is a *chain*. A sum over it,
 *   s[i] = sum[j](w[j] * p[j, i]), is Horner's scheme s[i] = p[0, i] * h[0, i],
 *   h[j, i] = w[j] + t[i] * h[j + 1, i]: as many operations as the sum has without p. So p goes, if
 *   all that read it are such sums. The function and what is computed for derivatives alone are
 *   judged apart: in least squares the value needs no power, and the derivative by w[j], a sum over
 *   i, makes them on the way.
 * Only sums whose weights know no other indices than the chain are nested: else the chain serves
 * many sums, and the whole is a product of matrices.
 * - If all that read a chain are sums over its other axis, with one and the same weight, as
 *   g[j] = sum[i](r[i] * p[j, i]), then it starts as that weight: q[0, i] = r[i] * p[0, i], and the
 *   sums have nothing to multiply. */
#include "series.h"
#include "ops.h"

enum { MOST_NESTED = 16, MOST_FACTORS = 64, MOST_PEELED = 3 };

typedef struct Chain { /* p[first place] = start, p[e] = p[e - 1] * factor; axis: the one of e */
    bool is;
    int axis;
    Ref start, factor; /* over the array's axes */
} Chain;

enum { FUNCTION, DERIVATIVES, PARTS };

typedef struct Series {
    Graph *g;
    const int *component; /* by array, 0: not reached */
    bool *part;           /* by array: is it for derivatives alone? */
    bool *fails;          /* by array: may computing it, or what it reads, set a status? */
    Chain *chain;         /* by array */
    bool *read[PARTS], *bad[PARTS]; /* by array: read at all; read elsewhere than in such sums */
    bool look;                      /* only find out */
    ArrayRef at;                    /* the array at work */
    Span span;
    bool powers; /* the first of the two jobs */
} Series;

/* ---- what both look at
 * ---------------------------------------------------------------------------------------------- */

static bool same_circle(const Series *s, Ref term) {
    Graph *g = s->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ &&
            (NODE(g, r)->aux == s->at || s->component[NODE(g, r)->aux] == s->component[s->at])) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

/* Can it be computed for all values of its indices, with all that it reads? */
static bool is_total(const Series *s, Ref term) {
    Graph *g = s->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.fails || n.op == OP_REDUCE || n.op == OP_EXTERN ||
            (n.op == OP_READ && s->fails[n.aux])) {
            return false;
        }
        for (int k = 0; k < n.nargs; k++) {
            Ref x = ARG(g, r, k);
            if (n.op == OP_READ) {
                const Poly *at = graph_poly(g, x), *end = ARRAY(g, n.aux)->extent[k];
                const Poly *room =
                    poly_sub(g->arena, poly_sub(g->arena, end, at), poly_int(g->arena, 1));
                if (!graph_prove(g, at, 0, NULL) || !graph_prove(g, room, 0, NULL)) {
                    return false;
                }
            }
            walk_add(walk, x);
        }
    }
    return true;
}

static bool reads_data(Graph *g, Ref term) {
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

/* May a condition hold for some values of the term's indices and not for others? Then the term is
 * not to be computed for all of them: no division by zero is tried where nobody asks for it. */
static bool tells_apart(Graph *g, Ref condition, Ref term) {
    const Ref *free;
    Ref index[MOST_NESTED];
    int n = graph_free(g, term, &free);
    for (int k = 0; k < n && k < MOST_NESTED; k++) {
        index[k] = free[k];
    }
    for (int k = 0; k < n; k++) {
        if (n > MOST_NESTED || graph_has_index(g, condition, index[k])) {
            return true;
        }
    }
    return reads_data(g, condition);
}

/* position = index + *shift? */
static bool is_shifted(Graph *g, Ref position, Ref index, int64_t *shift) {
    const Poly *p = poly_sub(g->arena, graph_poly(g, position), graph_poly(g, index));
    return poly_is_int(p, shift) && *shift >= -MOST_PEELED && *shift <= MOST_PEELED;
}

static const char *index_name(const Graph *g, Ref index) {
    return g->indices.at[NODE(g, index)->aux].name;
}

/* ---- powers
 * ------------------------------------------------------------------------------------------------------
 */

/* The array of all x^0 .. x^(extent - 1), read at e. */
static Ref read_power(Series *s, Ref x, Ref index, Ref e, const Poly *extent) {
    Graph *g = s->g;
    const Ref *list;
    const Poly *length[MOST_NESTED + 1], *lo[MOST_NESTED + 1], *hi[MOST_NESTED + 1];
    const char *name[MOST_NESTED + 1];
    Ref free[MOST_NESTED], position[MOST_NESTED + 1];
    int n = graph_free(g, x, &list);
    for (int k = 0; k < n; k++) {
        free[k] = list[k];
    }
    const Poly *one = poly_int(g->arena, 1), *zero = poly_int(g->arena, 0);
    length[0] = extent, name[0] = index_name(g, index), position[0] = e;
    for (int k = 0; k < n; k++) {
        length[k + 1] = EXTENT(g, free[k]), name[k + 1] = index_name(g, free[k]);
        position[k + 1] = free[k];
    }
    ValueType type = (ValueType)NODE(g, x)->type;
    ArrayRef p = graph_array(g, arena_format(g->arena, "%s_power", ARRAY(g, s->at)->name), type,
                             n + 1, length, name);
    ARRAY(g, p)->at = s->span, ARRAY(g, p)->order = ARRAY(g, s->at)->order;
    ARRAY(g, p)->derived = true;
    for (int k = 0; k <= n; k++) {
        lo[k] = zero, hi[k] = poly_sub(g->arena, length[k], one);
    }
    const Poly *last = hi[0];
    hi[0] = zero;
    graph_piece(g, p, lo, hi, graph_real(g, type, 1), s->span);
    lo[0] = one, hi[0] = last;
    Ref before[MOST_NESTED + 1];
    for (int k = 0; k <= n; k++) {
        before[k] = ARRAY(g, p)->axis[k];
    }
    Ref factor = graph_subst(g, x, n, free, before + 1);
    before[0] = graph_op2(g, OP_sub, before[0], graph_int(g, 1));
    graph_piece(g, p, lo, hi, graph_op2(g, OP_mul, graph_read(g, p, before), factor), s->span);
    return graph_read(g, p, position);
}

/* What a power becomes; 0: it stays. `condition`: 0, or what it is wanted under. */
static Ref power_as_read(Series *s, const Scope *scope, Ref condition, Ref r) {
    Graph *g = s->g;
    Ref x = ARG(g, r, 0), e = ARG(g, r, 1);
    if ((condition && tells_apart(g, condition, x)) ||
        (scope->guard && tells_apart(g, scope->guard, x))) {
        return 0;
    }
    for (int k = 0; k < scope->n; k++) {
        int64_t shift, size;
        Ref index = scope->index[k];
        const Ref *free;
        if (!is_shifted(g, e, index, &shift)) {
            continue;
        }
        const Poly *extent = EXTENT(g, index);
        if (shift > 0) {
            extent = poly_add(g->arena, extent, poly_int(g->arena, shift));
        }
        if ((poly_is_int(extent, &size) && size <= 3) || graph_has_index(g, x, index) ||
            graph_free(g, x, &free) > MOST_NESTED || !is_total(s, x) || same_circle(s, x)) {
            return 0;
        }
        return read_power(s, x, index, e, extent);
    }
    return 0;
}

/* ---- chains
 * ------------------------------------------------------------------------------------------------------
 */

/* body = p[.., e - 1, ..] * *factor, with one read of p? */
static bool split_step(Graph *g, ArrayRef p, int axis, Ref body, Ref *factor) {
    Ref rest = graph_real(g, (ValueType)NODE(g, body)->type, 1);
    for (int turn = 0; turn < MOST_FACTORS; turn++) {
        const Node n = *NODE(g, body);
        if (n.op == OP_READ && n.aux == p) {
            for (int k = 0; k < n.nargs; k++) {
                int64_t shift;
                if (!is_shifted(g, ARG(g, body, k), ARRAY(g, p)->axis[k], &shift) ||
                    shift != (k == axis ? -1 : 0)) {
                    return false;
                }
            }
            *factor = rest;
            return !graph_reads(g, rest, p);
        }
        if (n.op == OP_neg) {
            rest = graph_op1(g, OP_neg, rest), body = ARG(g, body, 0);
        } else if (n.op == OP_mul) {
            bool first = graph_reads(g, ARG(g, body, 0), p);
            rest = graph_op2(g, OP_mul, rest, ARG(g, body, first ? 1 : 0));
            body = ARG(g, body, first ? 0 : 1);
        } else {
            return false;
        }
    }
    return false;
}

static Chain chain_of(Graph *g, ArrayRef p) {
    Chain c = {0};
    const Poly *zero = poly_int(g->arena, 0), *one = poly_int(g->arena, 1);
    if (ARRAY(g, p)->role != ARRAY_INTERNAL || ARRAY(g, p)->type < VALUE_FLOAT ||
        ARRAY(g, p)->pieces.n != 2 || ARRAY(g, p)->rank > MOST_NESTED || ARRAY(g, p)->counts) {
        return c;
    }
    int step = graph_reads(g, ARRAY(g, p)->pieces.at[0].body, p) ? 0 : 1;
    const Piece start = ARRAY(g, p)->pieces.at[1 - step], next = ARRAY(g, p)->pieces.at[step];
    if (start.guard || start.live || next.guard || next.live || graph_reads(g, start.body, p)) {
        return c;
    }
    for (int k = 0; k < ARRAY(g, p)->rank; k++) {
        const Poly *last = poly_sub(g->arena, ARRAY(g, p)->extent[k], one);
        bool whole = poly_equal(start.lo[k], zero) && poly_equal(next.hi[k], last);
        if (whole && poly_equal(start.hi[k], last) && poly_equal(next.lo[k], zero)) {
            continue;
        }
        if (c.is || !whole || !poly_equal(start.hi[k], zero) || !poly_equal(next.lo[k], one)) {
            return (Chain){0};
        }
        c.is = true, c.axis = k;
    }
    c.start = start.body;
    c.is = c.is && split_step(g, p, c.axis, next.body, &c.factor);
    return c;
}

/* ---- sums over a chain
 * ------------------------------------------------------------------------------------------ */

typedef struct Found { /* sum[index: lo .. hi](weight * p[.., index + shift, ..]) */
    ArrayRef chain;
    Ref read, weight, index;
    int64_t shift;
    const Poly *lo, *hi;
} Found;

/* The one side of a selection that is not 0: 1 or 2; 0 where there is no such thing. */
static int only_side(const Graph *g, Ref select) {
    double none;
    return graph_is_real(g, ARG(g, select, 2), &none) && none == 0   ? 1
           : graph_is_real(g, ARG(g, select, 1), &none) && none == 0 ? 2
                                                                     : 0;
}

static bool is_chain_at(const Series *s, Ref r, Ref index, int64_t *shift) {
    const Node *n = NODE(s->g, r);
    return n->op == OP_READ && s->chain[n->aux].is &&
           is_shifted(s->g, ARG(s->g, r, s->chain[n->aux].axis), index, shift);
}

/* Is the read of a chain that runs along the index a factor of the term? */
static bool has_chain(const Series *s, Ref term, Ref index) {
    Graph *g = s->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        int64_t shift;
        int op = NODE(g, r)->op;
        if (is_chain_at(s, r, index, &shift)) {
            return true;
        }
        if (op == OP_mul || op == OP_neg) {
            walk_add(walk, ARG(g, r, 0));
        }
        if (op == OP_mul) {
            walk_add(walk, ARG(g, r, 1));
        }
        if (op == OP_SELECT && only_side(g, r)) {
            walk_add(walk, ARG(g, r, only_side(g, r)));
        }
    }
    return false;
}

/* body = weight * the read of a chain that runs along the index? */
static bool split_body(const Series *s, Ref body, Found *f) {
    Graph *g = s->g;
    ValueType type = (ValueType)NODE(g, body)->type;
    VEC(Ref) way = {0}; /* from outside: the node, and the argument that leads to the chain */
    VEC(int) side = {0};
    while (!is_chain_at(s, body, f->index, &f->shift)) {
        int op = NODE(g, body)->op, to = 0;
        if (op == OP_SELECT) {
            to = only_side(g, body);
        } else if (op == OP_mul) {
            to = has_chain(s, ARG(g, body, 0), f->index) ? 0 : 1;
        }
        if ((op != OP_neg && op != OP_mul && op != OP_SELECT) || (op == OP_SELECT && !to) ||
            way.n == MOST_FACTORS) {
            return false;
        }
        VEC_PUSH(g->arena, way, body);
        VEC_PUSH(g->arena, side, to);
        body = ARG(g, body, to);
    }
    f->chain = NODE(g, body)->aux, f->read = body, f->weight = graph_real(g, type, 1);
    for (int k = 0; k < NODE(g, body)->nargs; k++) {
        if (k != s->chain[f->chain].axis && graph_has_index(g, ARG(g, body, k), f->index)) {
            return false;
        }
    }
    for (int k = way.n - 1; k >= 0; k--) {
        Ref r = way.at[k], zero = graph_real(g, type, 0);
        f->weight = NODE(g, r)->op == OP_neg ? graph_op1(g, OP_neg, f->weight)
                    : NODE(g, r)->op == OP_mul
                        ? graph_op2(g, OP_mul, ARG(g, r, 1 - side.at[k]), f->weight)
                    : side.at[k] == 1 ? graph_select(g, ARG(g, r, 0), f->weight, zero)
                                      : graph_select(g, ARG(g, r, 0), zero, f->weight);
    }
    return !graph_reads(g, f->weight, f->chain);
}

/* Is the condition one bound of the index, beside sizes? */
static bool is_bound(Graph *g, Ref c, Ref index, bool *low, const Poly **at) {
    const Poly *fact[2], *rest;
    const uint32_t *vars;
    int64_t num, den;
    if (NODE(g, c)->op < OP_FIRST_SCALAR || op_info[NODE(g, c)->op].typing != TYPING_COMPARE ||
        NODE(g, ARG(g, c, 0))->type != VALUE_INT || graph_facts(g, c, true, fact, 2) != 1 ||
        !poly_linear(g->arena, fact[0], index, &num, &den, &rest) || den != 1 || num * num != 1) {
        return false;
    }
    int n = poly_vars(g->arena, rest, &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    *low = num > 0;
    *at = num > 0 ? poly_neg(g->arena, rest) : rest;
    return true;
}

/* The range of the sum; what else its condition says chooses between the weight and 0. */
static bool bounds_of(Graph *g, Ref condition, Found *f) {
    const Poly *last = poly_sub(g->arena, EXTENT(g, f->index), poly_int(g->arena, 1)), *at;
    bool low, had_low = false, had_high = false;
    Ref other = 0;
    f->lo = poly_int(g->arena, 0), f->hi = last;
    while (condition) {
        bool more = NODE(g, condition)->op == OP_and;
        Ref c = more ? ARG(g, condition, 1) : condition;
        condition = more ? ARG(g, condition, 0) : 0;
        if (is_bound(g, c, f->index, &low, &at) && !(low ? had_low : had_high)) {
            *(low ? &f->lo : &f->hi) = at;
            *(low ? &had_low : &had_high) = true;
        } else if (!graph_is_true(g, c)) {
            other = other ? graph_and(g, c, other) : c;
        }
    }
    if (other) {
        ValueType type = (ValueType)NODE(g, f->weight)->type;
        f->weight = graph_select(g, other, f->weight, graph_real(g, type, 0));
    }
    return (!other || !NODE(g, other)->fails) && graph_prove(g, f->lo, 0, NULL) &&
           graph_prove(g, f->hi, 0, NULL) &&
           graph_prove(g, poly_sub(g->arena, last, f->hi), 0, NULL);
}

static bool find_sum(Series *s, Ref index, Ref condition, Ref body, Found *f) {
    Graph *g = s->g;
    *f = (Found){.index = index};
    if (!split_body(s, body, f) || !bounds_of(g, condition, f)) {
        return false;
    }
    int64_t first;
    const Ref *list;
    Ref free[MOST_NESTED];
    int n = graph_free(g, f->weight, &list);
    if (n > MOST_NESTED || !poly_is_int(f->lo, &first) || first + f->shift > MOST_PEELED ||
        (f->shift < 0 && first != 0)) {
        return false;
    }
    for (int k = 0; k < n; k++) {
        free[k] = list[k];
    }
    for (int k = 0; k < n; k++) { /* more indices: many sums share the chain */
        if (free[k] != index && !graph_has_index(g, f->read, free[k])) {
            return false;
        }
    }
    return !same_circle(s, f->weight) && !same_circle(s, f->read);
}

/* The factor, or the start, of the chain at entry e, the other places as in the read. */
static Ref of_chain(Series *s, const Found *f, Ref term, const Poly *e) {
    Graph *g = s->g;
    int rank = ARRAY(g, f->chain)->rank;
    Ref position[MOST_NESTED];
    for (int k = 0; k < rank; k++) {
        position[k] = k == s->chain[f->chain].axis ? graph_of_poly(g, e) : ARG(g, f->read, k);
    }
    return graph_subst(g, term, rank, ARRAY(g, f->chain)->axis, position);
}

/* The sum as nested products. The scope has the index of the sum as its last. */
static Ref nest_sum(Series *s, const Scope *scope, Ref body, const Found *f) {
    Graph *g = s->g;
    const Chain chain = s->chain[f->chain];
    const Poly *one = poly_int(g->arena, 1), *length[MOST_NESTED + 1];
    const Poly *lo[MOST_NESTED + 1], *hi[MOST_NESTED + 1];
    const char *name[MOST_NESTED + 1];
    Ref from[MOST_NESTED + 1];
    ValueType type = (ValueType)NODE(g, body)->type;
    Ref result = 0, yes;
    int64_t first;
    poly_is_int(f->lo, &first);
    for (; first + f->shift < 0; first++) { /* where the chain has not begun */
        Ref at = graph_int(g, first), one_term = graph_subst(g, body, 1, &f->index, &at);
        Ref there = graph_op2(g, OP_le, at, graph_of_poly(g, f->hi));
        one_term = graph_select(g, there, one_term, graph_real(g, type, 0));
        result = result ? graph_op2(g, OP_add, result, one_term) : one_term;
    }
    Scope part = scope_part(g, scope, 3, (Ref[]){f->weight, f->read, f->index});
    if (part.n > MOST_NESTED) {
        return 0;
    }
    from[0] = f->index;
    for (int k = 0, to = 1; k < part.n; k++) {
        if (part.index[k] != f->index) {
            from[to] = part.index[k], lo[to] = part.lo[k], hi[to] = part.hi[k], to++;
        }
    }
    for (int k = 0; k < part.n; k++) {
        length[k] = EXTENT(g, from[k]), name[k] = index_name(g, from[k]);
    }
    ArrayRef h = graph_array(g, arena_format(g->arena, "%s_nested", ARRAY(g, s->at)->name), type,
                             part.n, length, name);
    ARRAY(g, h)->at = s->span, ARRAY(g, h)->order = ARRAY(g, s->at)->order;
    ARRAY(g, h)->derived = true;
    Ref next[MOST_NESTED + 1], axis[MOST_NESTED + 1];
    for (int k = 0; k < part.n; k++) {
        next[k] = axis[k] = ARRAY(g, h)->axis[k];
    }
    const Poly *after =
        poly_add(g->arena, graph_poly(g, f->index), poly_int(g->arena, f->shift + 1));
    Ref factor = graph_subst(g, of_chain(s, f, chain.factor, after), part.n, from, axis),
        weight = graph_subst(g, f->weight, part.n, from, axis);
    next[0] = graph_op2(g, OP_add, axis[0], graph_int(g, 1));
    lo[0] = hi[0] = f->hi;
    Ref last = graph_of_poly(g, f->hi);
    graph_piece(g, h, lo, hi, graph_subst(g, weight, 1, axis, &last), s->span);
    lo[0] = poly_int(g->arena, first), hi[0] = poly_sub(g->arena, f->hi, one);
    Ref more = graph_op2(g, OP_mul, factor, graph_read(g, h, next));
    graph_piece(g, h, lo, hi, graph_op2(g, OP_add, weight, more), s->span);
    Ref guard = part.guard ? graph_subst(g, part.guard, part.n, from, axis) : 0,
        live = part.live ? graph_subst(g, part.live, part.n, from, axis) : 0;
    for (int q = 0; q < ARRAY(g, h)->pieces.n; q++) {
        ARRAY(g, h)->pieces.at[q].guard = guard, ARRAY(g, h)->pieces.at[q].live = live;
    }
    from[0] = graph_int(g, first);
    Ref all = of_chain(s, f, chain.start, poly_int(g->arena, 0));
    for (int64_t e = 1; e <= first + f->shift; e++) {
        all = graph_op2(g, OP_mul, all, of_chain(s, f, chain.factor, poly_int(g->arena, e)));
    }
    all = graph_op2(g, OP_mul, all, graph_read(g, h, from));
    yes = graph_op2(g, OP_le, from[0], graph_of_poly(g, f->hi));
    all = graph_select(g, yes, all, graph_real(g, type, 0));
    return result ? graph_op2(g, OP_add, result, all) : all;
}

/* ---- the walk
 * -----------------------------------------------------------------------------------------------------
 */

static Ref rewrite(Series *s, const Scope *scope, Ref term, int depth);

/* What a reduction becomes, or 0. `chosen`: 0, or a condition under which it stands. */
static Ref rewrite_reduce(Series *s, const Scope *scope, Ref r, Ref chosen, int depth) {
    Graph *g = s->g;
    Ref condition, body, index = graph_open(g, r, &condition, &body);
    Reduction kind = (Reduction)NODE(g, r)->aux;
    Scope inside = scope_copy(g, scope);
    Found f;
    int part = s->part[s->at] ? DERIVATIVES : FUNCTION;
    scope_add(g, &inside, index, NULL, NULL);
    if (kind == RED_SUM && !s->powers && find_sum(s, index, condition, body, &f) &&
        (!chosen || !(tells_apart(g, chosen, f.weight) || tells_apart(g, chosen, f.read)))) {
        if (s->look) {
            s->read[part][f.chain] = true;
            rewrite(s, &inside, f.weight, depth + 1);
            return 0;
        }
        if (!s->bad[part][f.chain]) {
            return nest_sum(s, &inside, body, &f);
        }
    }
    Ref to_condition = rewrite(s, &inside, condition, depth + 1);
    scope_guard(g, &inside, condition);
    Ref to_body = rewrite(s, &inside, body, depth + 1);
    return to_condition == condition && to_body == body
               ? 0
               : graph_reduce(g, kind, index, to_condition, to_body);
}

static Ref rewrite(Series *s, const Scope *scope, Ref term, int depth) {
    Graph *g = s->g;
    VEC(Ref) reduce = {0}, power = {0}, from = {0}, to = {0};
    int part = s->part[s->at] ? DERIVATIVES : FUNCTION, reduces = 0, powers = 0;
    Ref condition = 0; /* all that choose: more than each power is wanted under, never less */
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) { /* sides of selections come last */
        const Node n = *NODE(g, r);
        if (n.op == OP_READ && s->look) {
            s->read[part][n.aux] = s->bad[part][n.aux] = true;
        }
        if (n.op == OP_REDUCE && depth < MOST_NESTED) {
            VEC_PUSH(g->arena, reduce, r);
            reduces += !walk_is_late(walk);
            continue;
        }
        if (n.op == OP_powi && s->powers) {
            VEC_PUSH(g->arena, power, r);
            powers += !walk_is_late(walk);
        }
        if (n.op == OP_SELECT) {
            condition = condition ? graph_and(g, condition, ARG(g, r, 0)) : ARG(g, r, 0);
        }
        for (int k = 0; k < n.nargs; k++) {
            if (n.op == OP_SELECT && k > 0) {
                walk_later(walk, ARG(g, r, k));
            } else {
                walk_add(walk, ARG(g, r, k));
            }
        }
    }
    reduces = condition ? reduces : reduce.n, powers = condition ? powers : power.n;
    for (int k = 0; k < reduce.n; k++) {
        Ref becomes = rewrite_reduce(s, scope, reduce.at[k], k < reduces ? 0 : condition, depth);
        if (becomes) {
            VEC_PUSH(g->arena, from, reduce.at[k]);
            VEC_PUSH(g->arena, to, becomes);
        }
    }
    for (int k = 0; k < power.n; k++) {
        Ref becomes = power_as_read(s, scope, k < powers ? 0 : condition, power.at[k]);
        if (becomes) {
            VEC_PUSH(g->arena, from, power.at[k]);
            VEC_PUSH(g->arena, to, becomes);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

/* What a chain reads beside itself is not read in a sum. */
static void read_by_chain(Series *s, ArrayRef a) {
    const ArrayRef *reads;
    int n = graph_array_reads(s->g, a, &reads), part = s->part[a] ? DERIVATIVES : FUNCTION;
    for (int k = 0; k < n; k++) {
        if (reads[k] != a) {
            s->read[part][reads[k]] = s->bad[part][reads[k]] = true;
        }
    }
}

static void rewrite_all(Series *s, const Order *order) {
    Graph *g = s->g;
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        s->at = a;
        if (!s->powers && s->chain[a].is) {
            read_by_chain(s, a);
            continue;
        }
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            s->span = p.at;
            if (NODE(g, p.body)->op == OP_KERNEL && !s->look) {
                continue;
            }
            Scope scope = scope_of_piece(g, a, &p);
            Ref body = rewrite(s, &scope, p.body, 0);
            if (body != p.body) {
                ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
            }
            for (int x = 0; x < 2 && s->look; x++) {
                Ref condition = x ? p.live : p.guard;
                if (condition) {
                    rewrite(s, &scope, condition, 0);
                }
            }
        }
    }
}

/* Which arrays may set a status: they are not computed where nobody asked for them. */
static bool term_fails(const Series *s, Ref term) {
    Graph *g = s->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.fails || n.op == OP_EXTERN || n.op == OP_KERNEL ||
            (n.op == OP_READ && s->fails[n.aux])) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

static Series series_of(Graph *g, const Order *order) {
    size_t all = (size_t)g->arrays.n + 1;
    int *component = arena_alloc(g->arena, all * sizeof *component);
    Series s = {.g = g, .component = component};
    s.part = arena_alloc(g->arena, all * sizeof *s.part);
    s.fails = arena_alloc(g->arena, all * sizeof *s.fails);
    for (int lo = 0, hi; lo < order->n; lo = hi) { /* what is read comes first */
        bool fails = false;
        for (hi = lo; hi < order->n && order->component[hi] == order->component[lo]; hi++) {
            ArrayRef a = order->array[hi];
            component[a] = order->component[hi] + 1;
            fails = fails || ARRAY(g, a)->counts;
            for (int q = 0; q < ARRAY(g, a)->pieces.n && !fails; q++) {
                const Piece *p = &ARRAY(g, a)->pieces.at[q];
                fails = p->guard || p->live || term_fails(&s, p->body);
            }
        }
        for (int k = lo; k < hi; k++) {
            s.fails[order->array[k]] = fails;
        }
    }
    return s;
}

void series_powers(Graph *g, int n, const ArrayRef *roots) {
    bool some = false;
    for (int k = 0; k < g->nodes.n && !some; k++) {
        some = g->nodes.at[k].op == OP_powi;
    }
    if (!some) {
        return;
    }
    Order order = graph_order(g, n, roots);
    Series s = series_of(g, &order);
    s.powers = true;
    rewrite_all(&s, &order);
}

/* Of all arrays that nobody asks for; NULL: none is one. */
static Chain *chains_of(Graph *g, const Order *order, bool (*asked)(const Graph *g, ArrayRef a)) {
    Chain *chain = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *chain);
    bool some = false;
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        chain[a] = asked(g, a) ? (Chain){0} : chain_of(g, a);
        some = some || chain[a].is;
    }
    return some ? chain : NULL;
}

void series_nest(Graph *g, int n, const ArrayRef *roots,
                 bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Chain *chain = chains_of(g, &order, asked);
    if (!chain) {
        return;
    }
    Order function = graph_order(g, g->outputs.n, g->outputs.at);
    Series s = series_of(g, &order);
    s.chain = chain;
    for (int k = 0; k < order.n; k++) {
        s.part[order.array[k]] = true;
    }
    for (int k = 0; k < function.n; k++) {
        s.part[function.array[k]] = false;
    }
    for (int k = 0; k < PARTS; k++) {
        s.read[k] = arena_alloc(g->arena, all * sizeof *s.read[k]);
        s.bad[k] = arena_alloc(g->arena, all * sizeof *s.bad[k]);
    }
    s.look = true;
    rewrite_all(&s, &order);
    for (size_t a = 1; a < all; a++) { /* where the function makes it, it is there */
        s.bad[DERIVATIVES][a] =
            s.bad[DERIVATIVES][a] || (s.read[FUNCTION][a] && s.bad[FUNCTION][a]);
    }
    s.look = false;
    rewrite_all(&s, &order);
}

/* ---- what chains carry along
 * ---------------------------------------------------------------------------------------- */

typedef struct Carry { /* of a chain */
    bool bad;          /* somebody reads it elsewhere, or with another weight */
    Ref weight;        /* over its axes, of all sums that read it; 0: there is none yet */
    ArrayRef made;
} Carry;

typedef struct Weighed { /* sign * sum[index](weight * read) */
    Ref index, weight, read;
    bool negative;
} Weighed;

/* All that a sum's terms are products of: one read of a chain, and the rest, which is a weight if
 * it depends on the place of that read alone, and not on which entry of the chain it is. */
static bool is_weighed(const Series *s, Ref sum, Weighed *w) {
    Graph *g = s->g;
    Ref condition, body;
    VEC(Ref) stack = {0};
    const Ref *free;
    *w = (Weighed){0};
    if (NODE(g, sum)->aux != RED_SUM) {
        return false;
    }
    w->index = graph_open(g, sum, &condition, &body);
    VEC_PUSH(g->arena, stack, body);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        const Node n = *NODE(g, r);
        if (n.op == OP_mul || n.op == OP_neg) {
            w->negative = w->negative != (n.op == OP_neg);
            for (int k = n.nargs - 1; k >= 0; k--) {
                VEC_PUSH(g->arena, stack, ARG(g, r, k));
            }
        } else if (n.op == OP_READ && s->chain[n.aux].is) {
            if (w->read) {
                return false;
            }
            w->read = r;
        } else {
            w->weight = w->weight ? graph_op2(g, OP_mul, w->weight, r) : r;
        }
    }
    if (!w->read || !w->weight || !graph_is_true(g, condition) || !is_total(s, w->weight)) {
        return false;
    }
    ArrayRef p = NODE(g, w->read)->aux;
    int places = 0, over = 0, n = graph_free(g, w->weight, &free);
    for (int k = 0; k < ARRAY(g, p)->rank; k++) {
        Ref at = ARG(g, w->read, k);
        if (k == s->chain[p].axis) {
            if (graph_has_index(g, at, w->index)) {
                return false;
            }
            continue;
        }
        if (NODE(g, at)->op != OP_INDEX || !poly_equal(EXTENT(g, at), ARRAY(g, p)->extent[k])) {
            return false;
        }
        over += at == w->index;
        places += graph_has_index(g, w->weight, at);
    }
    return over == 1 && n > 0 && places == n && !graph_reads(g, w->weight, p);
}

/* The weight over the axes of the chain that it goes with. */
static Ref weight_there(Graph *g, const Weighed *w, int axis) {
    ArrayRef p = NODE(g, w->read)->aux;
    Ref from[MOST_NESTED], to[MOST_NESTED];
    int n = 0;
    for (int k = 0; k < ARRAY(g, p)->rank; k++) {
        if (k != axis) {
            from[n] = ARG(g, w->read, k), to[n++] = ARRAY(g, p)->axis[k];
        }
    }
    return graph_subst(g, w->weight, n, from, to);
}

/* The sums of a term that are no part of others, and the chains that are read outside of them. */
static void find_weighed(const Series *s, Carry *carry, Ref term, bool circle) {
    Graph *g = s->g;
    VEC(Ref) sums = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_REDUCE) {
            VEC_PUSH(g->arena, sums, r);
            continue;
        }
        if (NODE(g, r)->op == OP_READ) {
            carry[NODE(g, r)->aux].bad = true;
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < sums.n; k++) {
        Weighed w;
        bool is = !circle && is_weighed(s, sums.at[k], &w);
        if (is) {
            ArrayRef p = NODE(g, w.read)->aux;
            Ref weight = weight_there(g, &w, s->chain[p].axis);
            carry[p].bad = carry[p].bad || (carry[p].weight && carry[p].weight != weight);
            carry[p].weight = weight;
        }
        walk = walk_start(g, sums.at[k]);
        for (Ref r; (r = walk_next(walk));) { /* of what is in no such place */
            if (NODE(g, r)->op == OP_READ && !(is && NODE(g, r)->aux == NODE(g, w.read)->aux)) {
                carry[NODE(g, r)->aux].bad = true;
            }
            walk_into(walk, r);
        }
    }
}

static ArrayRef weighed_chain(const Series *s, ArrayRef p, Ref weight) {
    Graph *g = s->g;
    const Array x = *ARRAY(g, p);
    const Chain c = s->chain[p];
    const char *name[MOST_NESTED];
    Ref before[MOST_NESTED];
    for (int k = 0; k < x.rank; k++) {
        name[k] = index_name(g, x.axis[k]);
    }
    ArrayRef made = graph_array(g, arena_format(g->arena, "%s_weighed", x.name), x.type, x.rank,
                                x.extent, name);
    ARRAY(g, made)->at = x.at, ARRAY(g, made)->order = x.order, ARRAY(g, made)->derived = true;
    const Array to = *ARRAY(g, made);
    Ref factor = graph_subst(g, c.factor, x.rank, x.axis, to.axis),
        start = graph_subst(g, graph_op2(g, OP_mul, weight, c.start), x.rank, x.axis, to.axis);
    for (int k = 0; k < x.rank; k++) {
        before[k] = to.axis[k];
    }
    before[c.axis] = graph_op2(g, OP_sub, before[c.axis], graph_int(g, 1));
    for (int q = 0; q < 2; q++) { /* the first entry is the piece that does not read it */
        const Piece *piece = &x.pieces.at[q];
        bool first = !graph_reads(g, piece->body, p);
        Ref body = first ? start : graph_op2(g, OP_mul, graph_read(g, made, before), factor);
        graph_piece(g, made, piece->lo, piece->hi, body, piece->at);
    }
    return made;
}

static Ref with_weighed(const Series *s, const Carry *carry, Ref term) {
    Graph *g = s->g;
    VEC(Ref) from = {0}, to = {0};
    VEC(Ref) sums = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_REDUCE) {
            VEC_PUSH(g->arena, sums, r);
        } else {
            walk_into(walk, r);
        }
    }
    for (int k = 0; k < sums.n; k++) {
        Weighed w;
        Ref at[MOST_NESTED];
        if (!is_weighed(s, sums.at[k], &w) || !carry[NODE(g, w.read)->aux].made) {
            continue;
        }
        ArrayRef p = NODE(g, w.read)->aux;
        for (int q = 0; q < ARRAY(g, p)->rank; q++) {
            at[q] = ARG(g, w.read, q);
        }
        Ref sum = graph_reduce(g, RED_SUM, w.index, graph_bool(g, true),
                               graph_read(g, carry[p].made, at));
        VEC_PUSH(g->arena, from, sums.at[k]);
        VEC_PUSH(g->arena, to, w.negative ? graph_op1(g, OP_neg, sum) : sum);
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

static bool is_in_circle(Graph *g, const Order *order, int k) {
    return (k > 0 && order->component[k - 1] == order->component[k]) ||
           (k + 1 < order->n && order->component[k + 1] == order->component[k]) ||
           graph_reads_itself(g, order->array[k]);
}

bool series_carry(Graph *g, int n, const ArrayRef *roots,
                  bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Chain *chain = chains_of(g, &order, asked);
    if (!chain) {
        return false;
    }
    Carry *carry = arena_alloc(g->arena, all * sizeof *carry);
    Series s = series_of(g, &order);
    s.chain = chain;
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !chain[a].is; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            find_weighed(&s, carry, p.body, is_in_circle(g, &order, k));
            for (int c = 0; c < 2; c++) {
                if (c ? p.live : p.guard) {
                    find_weighed(&s, carry, c ? p.live : p.guard, true);
                }
            }
        }
        if (chain[a].is) {
            find_weighed(&s, carry, chain[a].start, true);
            find_weighed(&s, carry, chain[a].factor, true);
        }
    }
    bool some = false;
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        if (chain[a].is && carry[a].weight && !carry[a].bad) {
            carry[a].made = weighed_chain(&s, a, carry[a].weight);
            some = true;
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !chain[a].is; q++) {
            Ref body = with_weighed(&s, carry, ARRAY(g, a)->pieces.at[q].body);
            ARRAY(g, a)->pieces.at[q].body = body;
        }
    }
    return some;
}

/* ---- ends of recurrences
 * -------------------------------------------------------------------------------------------- */

typedef struct Ends {
    Graph *g;
    bool *circle;   /* by array */
    bool *inside;   /* by array: some derivative reads it elsewhere than at an end */
    Ref *end;       /* by array: where its ends are read, positions over sizes alone; 0: nowhere */
    int *axis;      /* of that position */
    ArrayRef *made; /* by array: its entries there */
} Ends;

/* The one axis that is read at a place of its own; -1. */
static int end_axis(const Graph *g, ArrayRef a, const Ref *positions) {
    int found = -1;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        const Ref *free;
        if (graph_free(g, positions[k], &free) == 0) {
            if (found >= 0) {
                return -1;
            }
            found = k;
        }
    }
    return found;
}

static void look_at_ends(Ends *e, Ref term) {
    Graph *g = e->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ && e->circle[n.aux]) {
            const Ref *positions = &g->args.at[n.first];
            int axis = end_axis(g, n.aux, positions);
            bool other =
                axis < 0 || NODE(g, positions[axis])->fails ||
                (e->end[n.aux] && (e->end[n.aux] != positions[axis] || e->axis[n.aux] != axis));
            e->inside[n.aux] = e->inside[n.aux] || other;
            if (!other) {
                e->end[n.aux] = positions[axis], e->axis[n.aux] = axis;
            }
        }
        walk_into(walk, r);
    }
}

static Ref read_end(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Ends *e = user;
    int rank = ARRAY(g, a)->rank, n = 0, axis = e->axis[a];
    Ref rest[MOST_NESTED];
    if (!e->circle[a] || !e->made[a] || positions[axis] != e->end[a]) {
        return 0;
    }
    for (int k = 0; k < rank; k++) {
        if (k != axis) {
            rest[n++] = positions[k];
        }
    }
    return graph_read(g, e->made[a], rest);
}

static void make_end(Ends *e, ArrayRef a) {
    Graph *g = e->g;
    int rank = ARRAY(g, a)->rank, n = 0;
    const Poly *length[MOST_NESTED];
    const char *name[MOST_NESTED];
    Ref positions[MOST_NESTED];
    for (int k = 0; k < rank; k++) {
        if (k != e->axis[a]) {
            length[n] = ARRAY(g, a)->extent[k];
            name[n++] = index_name(g, ARRAY(g, a)->axis[k]);
        }
    }
    ArrayRef made = graph_array(g, arena_format(g->arena, "%s_end", ARRAY(g, a)->name),
                                ARRAY(g, a)->type, n, length, name);
    ARRAY(g, made)->at = ARRAY(g, a)->at, ARRAY(g, made)->order = ARRAY(g, a)->order;
    ARRAY(g, made)->derived = true;
    for (int k = 0, from = 0; k < rank; k++) {
        positions[k] = k == e->axis[a] ? e->end[a] : ARRAY(g, made)->axis[from++];
    }
    graph_piece(g, made, NULL, NULL, graph_read(g, a, positions), ARRAY(g, a)->at);
    e->made[a] = made;
}

void series_ends(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order(g, n, roots), function = graph_order(g, g->outputs.n, g->outputs.at);
    size_t all = (size_t)g->arrays.n + 1;
    bool *in_function = arena_alloc(g->arena, all);
    bool some = false;
    Ends e = {.g = g};
    e.circle = arena_alloc(g->arena, all);
    e.inside = arena_alloc(g->arena, all);
    e.end = arena_alloc(g->arena, all * sizeof *e.end);
    e.axis = arena_alloc(g->arena, all * sizeof *e.axis);
    e.made = arena_alloc(g->arena, all * sizeof *e.made);
    for (int k = 0; k < function.n; k++) {
        ArrayRef a = function.array[k];
        in_function[a] = true;
        bool circle = (k > 0 && function.component[k - 1] == function.component[k]) ||
                      (k + 1 < function.n && function.component[k + 1] == function.component[k]) ||
                      graph_reads_itself(g, a);
        e.circle[a] = circle && ARRAY(g, a)->rank > 1 && ARRAY(g, a)->rank <= MOST_NESTED;
        bool total = !ARRAY(g, a)->counts && !ARRAY(g, a)->is_output;
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece *p = &ARRAY(g, a)->pieces.at[q];
            total = total && !p->guard && !p->live;
        }
        e.circle[a] = e.circle[a] && total;
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !in_function[a]; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            look_at_ends(&e, p.body);
            if (p.guard) {
                look_at_ends(&e, p.guard);
            }
        }
    }
    for (int k = 0; k < function.n; k++) {
        ArrayRef a = function.array[k];
        if (e.circle[a] && e.end[a] && !e.inside[a]) {
            make_end(&e, a);
            some = true;
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !e.circle[a]; q++) {
            Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, read_end, &e),
                guard = ARRAY(g, a)->pieces.at[q].guard;
            guard = guard ? graph_rewrite_reads(g, guard, read_end, &e) : 0;
            ARRAY(g, a)->pieces.at[q].body = body;
            ARRAY(g, a)->pieces.at[q].guard = guard;
        }
    }
}
