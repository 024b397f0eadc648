/* sparse: patterns of derivatives, and colourings of them.
 * In: an array and those that it is differentiated by, of fixed sizes. Out: for each of its entries
 * the entries of the others that it depends on. The idea: equations are followed as differentiation
 * would follow them, entry by entry, with indices that have values; what conditions and positions
 * say is computed where it can be. A condition that data decides may go either way; a position that
 * data decides leaves nothing to know. The pattern of a Hessian is that of the gradient's
 * equations. The colourings are greedy, after Gebremedhin, Manne and Pothen, What color is your
 * Jacobian?, SIAM Review 47 (2005). */
#include "sparse.h"
#include "ops.h"
#include "paths.h"
#include <string.h>

enum {
    MOST_ENTRIES = 1000000, /* of a pattern: it becomes tables in the C text */
    MOST_SITES = 100000,    /* reads in one equation, under different conditions */
    MOST_DEEP = 100,        /* of what a position or condition is made of */
    MOST_BOUNDS = 8
};
static const int64_t MOST_STEPS = 500000000;

typedef struct Bound { /* factor * index + rest >= 0 */
    int64_t factor;
    const Poly *rest;
} Bound;

typedef struct Chain { /* what stands around a read, innermost first */
    const struct Chain *up;
    Ref index;     /* 0: a condition alone */
    Ref condition; /* 0: none */
    bool yes;      /* it must be so */
    int length, nbounds;
    Bound bound[MOST_BOUNDS]; /* that the condition sets the index */
} Chain;

typedef struct Site { /* a read on a differentiable path */
    int piece;        /* -1: of a rule, all over */
    ArrayRef array;
    const Ref *position;
    const Chain *chain;
} Site;

typedef struct Set {
    int n;
    int32_t *at; /* ascending */
} Set;

typedef struct State {
    Graph *g;
    Paths paths;
    const int64_t *offset; /* by `by`: its first column */
    Set **sets;            /* by array, then entry */
    int64_t *value;        /* by index */
    bool *has_value;
    uint32_t *stamp; /* by column: the entry that has it already */
    uint32_t serial;
    VEC(int32_t) found;
    int64_t steps;
    Span at;
    bool failed;
} State;

/* ---- what is known of integers and conditions
 * -------------------------------------------------------------------------------- */

static bool known(State *s, Ref r, int64_t *out, int depth);

/* The entry of an array at known positions; false where one is not known. *inside: within it. */
static bool entry_of(State *s, ArrayRef a, const Ref *position, int64_t *entry, bool *inside,
                     int depth) {
    *entry = 0, *inside = true;
    for (int k = 0; k < ARRAY(s->g, a)->rank; k++) {
        int64_t x, extent;
        if (!poly_is_int(ARRAY(s->g, a)->extent[k], &extent) || !known(s, position[k], &x, depth)) {
            return false;
        }
        *inside = *inside && x >= 0 && x < extent;
        *entry = *entry * extent + x;
    }
    return true;
}

/* An integer array that an equation defines, at known positions. */
static bool known_read(State *s, Ref r, int64_t *out, int depth) {
    Graph *g = s->g;
    ArrayRef a = NODE(g, r)->aux;
    const Array x = *ARRAY(g, a);
    int64_t entry, at[16];
    bool inside;
    if (x.rank > 16 || !entry_of(s, a, &ARG(g, r, 0), &entry, &inside, depth) || !inside) {
        return false;
    }
    if (x.role == ARRAY_CONST) {
        *out = (int64_t)x.table[entry];
        return true;
    }
    if (x.role != ARRAY_INTERNAL || x.pieces.n != 1) {
        return false;
    }
    for (int k = 0; k < x.rank; k++) {
        known(s, ARG(g, r, k), &at[k], depth);
    }
    int64_t was[16];
    bool had[16];
    for (int k = 0; k < x.rank; k++) {
        uint32_t i = NODE(g, x.axis[k])->aux;
        was[k] = s->value[i], had[k] = s->has_value[i];
        s->value[i] = at[k], s->has_value[i] = true;
    }
    bool good = known(s, x.pieces.at[0].body, out, depth);
    for (int k = 0; k < x.rank; k++) {
        uint32_t i = NODE(g, x.axis[k])->aux;
        s->value[i] = was[k], s->has_value[i] = had[k];
    }
    return good;
}

/* The value of an integer or condition that no data and no open size has a part in. */
static bool known(State *s, Ref r, int64_t *out, int depth) {
    Graph *g = s->g;
    const Node n = *NODE(g, r);
    int64_t x = 0, y = 0;
    if (n.type >= VALUE_FLOAT || depth >= MOST_DEEP) {
        return false;
    }
    depth++;
    switch (n.op) {
    case OP_CONST: *out = n.value.integer; return true;
    case OP_INDEX: *out = s->value[n.aux]; return s->has_value[n.aux];
    case OP_READ: return known_read(s, r, out, depth);
    case OP_CHECKED: return known(s, ARG(g, r, 0), out, depth);
    case OP_SELECT:
        return known(s, ARG(g, r, 0), &x, depth) && known(s, ARG(g, r, x ? 1 : 2), out, depth);
    case OP_and:
    case OP_or: {
        bool left = known(s, ARG(g, r, 0), &x, depth), right = known(s, ARG(g, r, 1), &y, depth);
        int64_t decides = n.op == OP_or;
        if ((left && x == decides) || (right && y == decides)) {
            *out = decides;
            return true;
        }
        *out = !decides;
        return left && right;
    }
    default: break;
    }
    if (n.nargs < 1 || n.nargs > 2 || (n.op < OP_FIRST_SCALAR && n.op != OP_IDIV) ||
        !known(s, ARG(g, r, 0), &x, depth) || (n.nargs > 1 && !known(s, ARG(g, r, 1), &y, depth))) {
        return false;
    }
    switch (n.op) {
    case OP_add: *out = x + y; return true;
    case OP_sub: *out = x - y; return true;
    case OP_mul: *out = x * y; return true;
    case OP_neg: *out = -x; return true;
    case OP_min: *out = x < y ? x : y; return true;
    case OP_max: *out = x > y ? x : y; return true;
    case OP_IDIV: *out = y ? x / y : 0; return y != 0;
    case OP_lt: *out = x < y; return true;
    case OP_le: *out = x <= y; return true;
    case OP_gt: *out = x > y; return true;
    case OP_ge: *out = x >= y; return true;
    case OP_eq: *out = x == y; return true;
    case OP_ne: *out = x != y; return true;
    case OP_not: *out = !x; return true;
    default: return false;
    }
}

/* Of a polynomial with whole coefficients. */
static bool known_poly(State *s, const Poly *p, int64_t *out) {
    *out = 0;
    for (int k = 0; k < p->n; k++) {
        int64_t term = p->term[k].num, x;
        if (p->term[k].den != 1) {
            return false;
        }
        for (int q = 0; q < p->term[k].nvars; q++) {
            if (!known(s, p->term[k].var[q], &x, 0)) {
                return false;
            }
            term *= x;
        }
        *out += term;
    }
    return true;
}

/* ---- the reads of an equation
 * ------------------------------------------------------------------------------------------------
 */

static const Chain *chain_add(State *s, const Chain *up, Ref index, Ref condition, bool yes) {
    Graph *g = s->g;
    Chain *c = arena_alloc(g->arena, sizeof *c);
    *c = (Chain){.up = up,
                 .index = index,
                 .condition = condition,
                 .yes = yes,
                 .length = up ? up->length + 1 : 1};
    const Poly *facts[32];
    int n = index && condition ? graph_facts(g, condition, yes, facts, 32) : 0;
    for (int k = 0; k < n && c->nbounds < MOST_BOUNDS; k++) {
        int64_t num, den;
        const Poly *rest;
        if (poly_linear(g->arena, facts[k], index, &num, &den, &rest) && den == 1 && num != 0 &&
            !poly_has(rest, index)) {
            c->bound[c->nbounds++] = (Bound){num, rest};
        }
    }
    return c;
}

typedef VEC(Site) Sites;

/* The reads on differentiable paths below a term. */
static void sites_of(State *s, int piece, Ref root, Sites *out) {
    Graph *g = s->g;
    typedef struct Open {
        Ref term;
        const Chain *chain;
    } Open;
    VEC(Open) stack = {0};
    const Chain **seen = arena_alloc(g->arena, (size_t)g->nodes.n * sizeof *seen);
    static const Chain bottom;
    VEC_PUSH(g->arena, stack, (Open){root, &bottom});
    while (stack.n) {
        Open o = stack.at[--stack.n];
        const Node n = *NODE(g, o.term);
        if (seen[o.term] == o.chain || !paths_lead(&s->paths, o.term)) {
            continue;
        }
        seen[o.term] = o.chain;
        if (n.op == OP_READ) {
            if (out->n == MOST_SITES) {
                s->failed = true;
                error_at(g->cx, s->at,
                         "the pattern is not found: an equation has more than %d "
                         "reads under different conditions",
                         MOST_SITES);
                return;
            }
            VEC_PUSH(g->arena, *out,
                     (Site){piece, n.aux, n.nargs ? &ARG(g, o.term, 0) : NULL, o.chain});
            continue;
        }
        for (int k = n.nargs - 1; k >= 0; k--) {
            if (!paths_smooth(g, o.term, k)) {
                continue;
            }
            const Chain *chain = o.chain;
            if (n.op == OP_REDUCE) {
                Ref c = ARG(g, o.term, 1);
                chain = chain_add(s, chain, ARG(g, o.term, 0), graph_is_true(g, c) ? 0 : c, true);
            } else if (n.op == OP_SELECT) {
                chain = chain_add(s, chain, 0, ARG(g, o.term, 0), k == 1);
            }
            VEC_PUSH(g->arena, stack, (Open){ARG(g, o.term, k), chain});
        }
    }
}

/* What a rule of one's own lets an array depend on: the argument, but where the rule says 0. */
static void rule_sites(State *s, const ArrayRule *rule, Sites *out) {
    Graph *g = s->g;
    int rank = ARRAY(g, rule->by)->rank;
    static const Chain bottom;
    const Chain *chain = &bottom;
    Ref *position = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *position);
    double zero;
    if (!s->paths.active[rule->by] || (graph_is_real(g, rule->value, &zero) && zero == 0)) {
        return;
    }
    for (int k = 0; k < rank; k++) {
        position[k] = k < rule->nlead ? rule->lead[k] : rule->index[k - rule->nlead];
        if (k >= rule->nlead) {
            chain = chain_add(s, chain, position[k], 0, true);
        }
    }
    Ref v = rule->value;
    if (NODE(g, v)->op == OP_SELECT) {
        for (int k = 1; k < 3; k++) {
            if (graph_is_real(g, ARG(g, v, k), &zero) && zero == 0) {
                chain = chain_add(s, chain, 0, ARG(g, v, 0), k == 2);
                break;
            }
        }
    }
    VEC_PUSH(g->arena, *out, (Site){-1, rule->by, position, chain});
}

/* ---- entry by entry
 * ----------------------------------------------------------------------------------------------------------
 */

static void found_add(State *s, int32_t column) {
    if (s->stamp[column] != s->serial) {
        s->stamp[column] = s->serial;
        VEC_PUSH(s->g->arena, s->found, column);
    }
}

static void site_reached(State *s, const Site *site) {
    Graph *g = s->g;
    int64_t entry;
    bool inside;
    if (!entry_of(s, site->array, site->position, &entry, &inside, 0)) {
        if (!s->failed) {
            error_at(g->cx, s->at,
                     "the pattern is not known when compiling: data chooses where '%s' is read",
                     ARRAY(g, site->array)->name);
        }
        s->failed = true;
        return;
    }
    if (!inside) {
        return;
    }
    for (int k = 0; k < s->paths.nby; k++) {
        if (s->paths.by[k] == site->array) {
            found_add(s, (int32_t)(s->offset[k] + entry));
            return;
        }
    }
    const Set *set = &s->sets[site->array][entry];
    for (int k = 0; k < set->n; k++) {
        found_add(s, set->at[k]);
    }
    s->steps += set->n;
}

/* All values of the indices from chain[k] inwards. */
static void site_walk(State *s, const Site *site, const Chain *const *chain, int k, int n) {
    Graph *g = s->g;
    if (k == n) {
        site_reached(s, site);
        return;
    }
    const Chain *c = chain[k];
    int64_t lo = 0, hi = 0, rest, x;
    uint32_t i = 0;
    if (c->index) {
        i = NODE(g, c->index)->aux;
        if (!known_poly(s, g->indices.at[i].extent, &hi)) {
            hi = 0; /* said before, of the sizes */
        }
        hi--;
        for (int b = 0; b < c->nbounds; b++) {
            int64_t factor = c->bound[b].factor;
            if (!known_poly(s, c->bound[b].rest, &rest)) {
                continue;
            }
            if (factor > 0) { /* x >= -rest / factor, rounded up */
                int64_t least = rest >= 0 ? -(rest / factor) : (-rest + factor - 1) / factor;
                lo = least > lo ? least : lo;
            } else {
                int64_t most = rest >= 0 ? rest / -factor : -((-rest - factor - 1) / -factor);
                hi = most < hi ? most : hi;
            }
        }
    }
    for (int64_t v = lo; v <= hi && !s->failed; v++) {
        if (c->index) {
            s->value[i] = v, s->has_value[i] = true;
        }
        if (++s->steps > MOST_STEPS) {
            s->failed = true;
            error_at(g->cx, s->at, "the pattern is not found: the arrays are too large");
            return;
        }
        if (!c->condition || !known(s, c->condition, &x, 0) || (x != 0) == c->yes) {
            site_walk(s, site, chain, k + 1, n);
        }
    }
    if (c->index) {
        s->has_value[i] = false;
    }
}

static int ascending(int32_t a, int32_t b) {
    return (a > b) - (a < b);
}

/* Heap sort: in place, and the same everywhere. */
static void sort(int32_t *x, int n) {
    for (int end = n, start = n / 2; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            int32_t t = x[--end];
            x[end] = x[0], x[0] = t;
        }
        for (int root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && ascending(x[child], x[child + 1]) < 0) {
                child++;
            }
            if (ascending(x[root], x[child]) >= 0) {
                break;
            }
            int32_t t = x[root];
            x[root] = x[child], x[child] = t;
        }
    }
}

/* The set of one entry, whose axes have values; true where it has grown. */
static bool entry_find(State *s, ArrayRef a, int64_t entry, const Sites *sites) {
    Graph *g = s->g;
    bool *in = arena_alloc(g->arena, (size_t)ARRAY(g, a)->pieces.n + 1);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        in[q] = true;
        for (int k = 0; k < ARRAY(g, a)->rank && in[q]; k++) {
            int64_t x = s->value[NODE(g, ARRAY(g, a)->axis[k])->aux], lo, hi;
            in[q] =
                known_poly(s, p->lo[k], &lo) && known_poly(s, p->hi[k], &hi) && lo <= x && x <= hi;
        }
        int64_t guard;
        in[q] = in[q] && !(p->guard && known(s, p->guard, &guard, 0) && !guard);
    }
    s->serial++;
    s->found.n = 0;
    for (int k = 0; k < sites->n && !s->failed; k++) {
        const Site *site = &sites->at[k];
        const Chain *chain[64];
        int n = site->chain->length;
        if (site->piece >= 0 && !in[site->piece]) {
            continue;
        }
        s->at = site->piece >= 0 ? ARRAY(g, a)->pieces.at[site->piece].at : ARRAY(g, a)->at;
        if (n > 64) {
            error_at(g->cx, s->at, "the pattern is not found: a read is nested too deeply");
            s->failed = true;
            break;
        }
        for (const Chain *c = site->chain; c->length > 0; c = c->up) {
            chain[c->length - 1] = c;
        }
        site_walk(s, site, chain, 0, n);
    }
    Set *set = &s->sets[a][entry];
    if (s->found.n <= set->n) {
        return false;
    }
    set->n = s->found.n;
    set->at = arena_alloc(g->arena, (size_t)set->n * sizeof *set->at);
    memcpy(set->at, s->found.at, (size_t)set->n * sizeof *set->at);
    sort(set->at, set->n);
    return true;
}

static int64_t entries_of(const Graph *g, ArrayRef a) {
    int64_t n = 1, extent;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!poly_is_int(ARRAY(g, a)->extent[k], &extent) || extent > MOST_STEPS / n) {
            return -1;
        }
        n *= extent;
    }
    return n;
}

/* One sweep over the entries of an array, upwards or downwards. */
static bool sweep(State *s, ArrayRef a, const Sites *sites, bool down) {
    Graph *g = s->g;
    int64_t n = entries_of(g, a), extent;
    bool grown = false;
    for (int64_t k = 0; k < n && !s->failed; k++) {
        int64_t entry = down ? n - 1 - k : k, rest = entry;
        for (int q = ARRAY(g, a)->rank - 1; q >= 0; q--) {
            poly_is_int(ARRAY(g, a)->extent[q], &extent);
            uint32_t i = NODE(g, ARRAY(g, a)->axis[q])->aux;
            s->value[i] = rest % extent, s->has_value[i] = true;
            rest /= extent;
        }
        grown = entry_find(s, a, entry, sites) || grown;
    }
    for (int q = 0; q < ARRAY(g, a)->rank; q++) {
        s->has_value[NODE(g, ARRAY(g, a)->axis[q])->aux] = false;
    }
    return grown;
}

/* Everything that has a part must have a fixed size. */
static bool sizes_fixed(State *s, const Order *order, Span at) {
    Graph *g = s->g;
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        if (!s->paths.active[a] || entries_of(g, a) >= 0) {
            continue;
        }
        for (int q = 0; q < ARRAY(g, a)->rank; q++) {
            const uint32_t *vars;
            if (poly_vars(g->arena, ARRAY(g, a)->extent[q], &vars) > 0) {
                const char *dim = g->dims.at[NODE(g, vars[0])->aux].name;
                error_at(g->cx, at,
                         "the pattern is known only for fixed sizes, and %s is open: fix it, dim "
                         "%s = 100; or -D %s=100",
                         dim, dim, dim);
                return false;
            }
        }
        error_at(g->cx, at, "the pattern is not found: '%s' is too large", ARRAY(g, a)->name);
        return false;
    }
    return true;
}

bool sparse_pattern(Graph *g, ArrayRef of, int nby, const ArrayRef *by, Span at, Pattern *out) {
    State *s = arena_alloc(g->arena, sizeof *s);
    int64_t *offset = arena_alloc(g->arena, (size_t)(nby + 1) * sizeof *offset), nonzero = 0;
    s->g = g, s->paths = (Paths){.g = g, .nby = nby, .by = by}, s->offset = offset, s->at = at;
    paths_find(&s->paths, of);
    const Order order = graph_order(g, 1, &of);
    if (!sizes_fixed(s, &order, at)) {
        return false;
    }
    for (int k = 0; k < nby; k++) {
        offset[k + 1] = offset[k] + entries_of(g, by[k]);
    }
    size_t all = (size_t)g->arrays.n;
    s->sets = arena_alloc(g->arena, all * sizeof *s->sets);
    s->value = arena_alloc(g->arena, (size_t)g->indices.n * sizeof *s->value);
    s->has_value = arena_alloc(g->arena, (size_t)g->indices.n * sizeof *s->has_value);
    s->stamp = arena_alloc(g->arena, (size_t)(offset[nby] + 1) * sizeof *s->stamp);
    Sites *sites = arena_alloc(g->arena, all * sizeof *sites);
    for (int lo = 0, hi; lo < order.n && !s->failed; lo = hi) {
        for (hi = lo; hi < order.n && order.component[hi] == order.component[lo]; hi++) {
            ArrayRef a = order.array[hi];
            if (!s->paths.active[a] || paths_is_by(&s->paths, a)) {
                continue;
            }
            s->sets[a] = arena_alloc(g->arena, (size_t)entries_of(g, a) * sizeof **s->sets + 1);
            for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                sites_of(s, q, ARRAY(g, a)->pieces.at[q].body, &sites[a]);
            }
            for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
                rule_sites(s, &ARRAY(g, a)->rules.at[q], &sites[a]);
            }
        }
        bool circle = hi - lo > 1 || graph_reads_itself(g, order.array[lo]);
        for (bool again = true, down = false; again && !s->failed; down = !down) {
            again = false; /* in a circle until nothing is new */
            for (int k = lo; k < hi; k++) {
                if (s->sets[order.array[k]]) {
                    again = sweep(s, order.array[k], &sites[order.array[k]], down) || again;
                }
            }
            again = again && circle;
        }
    }
    if (s->failed) {
        return false;
    }
    *out = (Pattern){.rows = entries_of(g, of), .columns = offset[nby]};
    for (int64_t r = 0; r < out->rows && s->sets[of]; r++) {
        nonzero += s->sets[of][r].n;
    }
    if (nonzero > MOST_ENTRIES) {
        error_at(g->cx, at, "the pattern has %lld entries; %d are the most", (long long)nonzero,
                 MOST_ENTRIES);
        return false;
    }
    out->start = arena_alloc(g->arena, (size_t)(out->rows + 1) * sizeof *out->start);
    out->column = arena_alloc(g->arena, (size_t)(nonzero + 1) * sizeof *out->column);
    for (int64_t r = 0; r < out->rows; r++) {
        const Set none = {0}, *set = s->sets[of] ? &s->sets[of][r] : &none;
        memcpy(out->column + out->start[r], set->at ? set->at : out->column,
               (size_t)set->n * sizeof *out->column);
        out->start[r + 1] = out->start[r] + set->n;
    }
    return true;
}

Pattern sparse_transpose(Arena *arena, const Pattern *p) {
    int64_t n = p->start[p->rows];
    Pattern t = {.rows = p->columns, .columns = p->rows};
    t.start = arena_alloc(arena, (size_t)(t.rows + 2) * sizeof *t.start);
    t.column = arena_alloc(arena, (size_t)(n + 1) * sizeof *t.column);
    for (int64_t e = 0; e < n; e++) {
        t.start[p->column[e] + 2]++;
    }
    for (int64_t c = 0; c < t.rows; c++) {
        t.start[c + 2] += t.start[c + 1];
    }
    for (int64_t r = 0; r < p->rows; r++) {
        for (int64_t e = p->start[r]; e < p->start[r + 1]; e++) {
            t.column[t.start[p->column[e] + 1]++] = (int32_t)r;
        }
    }
    return t;
}

Pattern sparse_symmetric(Arena *arena, const Pattern *p) {
    Pattern t = sparse_transpose(arena, p), s = {.rows = p->rows, .columns = p->columns};
    int64_t n = 0;
    s.start = arena_alloc(arena, (size_t)(s.rows + 1) * sizeof *s.start);
    s.column = arena_alloc(arena, (size_t)(2 * p->start[p->rows] + 1) * sizeof *s.column);
    for (int64_t r = 0; r < p->rows; r++) { /* two ascending lists become one */
        int64_t i = p->start[r], j = t.start[r];
        while (i < p->start[r + 1] || j < t.start[r + 1]) {
            int32_t a = i < p->start[r + 1] ? p->column[i] : INT32_MAX;
            int32_t b = j < t.start[r + 1] ? t.column[j] : INT32_MAX;
            s.column[n++] = a < b ? a : b;
            i += a <= b;
            j += b <= a;
        }
        s.start[r + 1] = n;
    }
    return s;
}

/* ---- colours
 * ------------------------------------------------------------------------------------------------------------------
 */

int sparse_colour(Arena *arena, const Pattern *p, int32_t *colour) {
    Pattern t = sparse_transpose(arena, p);
    int64_t *taken = arena_alloc(arena, (size_t)(p->columns + 1) * sizeof *taken);
    int colours = 0;
    for (int64_t c = 0; c < p->columns; c++) {
        colour[c] = -1;
    }
    for (int64_t c = 0; c < p->columns; c++) {
        for (int64_t e = t.start[c]; e < t.start[c + 1]; e++) {
            int32_t row = t.column[e];
            for (int64_t f = p->start[row]; f < p->start[row + 1]; f++) {
                if (colour[p->column[f]] >= 0) {
                    taken[colour[p->column[f]]] = c + 1;
                }
            }
        }
        int32_t free = 0;
        while (taken[free] == c + 1) {
            free++;
        }
        colour[c] = free;
        colours = free >= colours ? free + 1 : colours;
    }
    return colours;
}

int sparse_colour_symmetric(Arena *arena, const Pattern *p, int32_t *colour) {
    int64_t *taken = arena_alloc(arena, (size_t)(p->rows + 1) * sizeof *taken);
    int64_t *met = arena_alloc(arena, (size_t)(p->rows + 1) * sizeof *met);
    int64_t *many = arena_alloc(arena, (size_t)(p->rows + 1) * sizeof *many);
    int colours = 0;
    for (int64_t v = 0; v < p->rows; v++) {
        colour[v] = -1;
    }
    for (int64_t v = 0; v < p->rows; v++) {
        int64_t now = v + 1;
        for (int64_t e = p->start[v]; e < p->start[v + 1]; e++) { /* colours of neighbours */
            int32_t c = colour[p->column[e]];
            if (p->column[e] == v || c < 0) {
                continue;
            }
            many[c] = met[c] == now ? many[c] + 1 : 1;
            met[c] = taken[c] = now;
        }
        /* No path of four in two colours, wherever v is in it: w v y x, or v w x y. */
        for (int64_t e = p->start[v]; e < p->start[v + 1]; e++) {
            int32_t w = p->column[e];
            if (w == v || colour[w] < 0) {
                continue;
            }
            for (int64_t f = p->start[w]; f < p->start[w + 1]; f++) {
                int32_t x = p->column[f], c = x == w || x == v ? -1 : colour[x];
                if (c < 0 || taken[c] == now) {
                    continue;
                }
                bool path = many[colour[w]] > 1;
                for (int64_t h = p->start[x]; h < p->start[x + 1] && !path; h++) {
                    path =
                        p->column[h] != w && p->column[h] != x && colour[p->column[h]] == colour[w];
                }
                if (path) {
                    taken[c] = now;
                }
            }
        }
        int32_t free = 0;
        while (taken[free] == now) {
            free++;
        }
        colour[v] = free;
        colours = free >= colours ? free + 1 : colours;
    }
    return colours;
}

bool sparse_shows(const Pattern *p, const int32_t *colour, int64_t row, int64_t column) {
    for (int64_t e = p->start[row]; e < p->start[row + 1]; e++) {
        if (p->column[e] != column && colour[p->column[e]] == colour[column]) {
            return false;
        }
    }
    return true;
}
