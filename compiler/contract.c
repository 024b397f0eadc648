/* contract: the order in which the factors of a sum are taken.
 * In: terms, or all arrays. Out: the same values by fewer multiplications.
 *
 * sum[k, j](A[i, j] * B[j, k] * x[k]) is as many multiplications as N * M * K where B is multiplied
 * with A first, and M * K + N * M where it is multiplied with x first. So a nest of sums over a
 * product is a *net*: factors, and indices that they share. Two factors become one, which has those
 * of their indices that somebody else still wants, and costs as many multiplications as both have
 * entries together. Which two come first is tried in all ways for few factors, and the cheapest
 * pair goes first for many. Sizes that are open are guessed (sizes.c); a new order must be clearly
 * less work than the one that is written.
 *
 * Each pair is a sum inside of another one, which is then an array: see lift_all. Combinations of
 * entries of such an array are made before it: see combine. Sums over what is 0 by its form, as the
 * other side of a triangle, become shorter: see narrow. Only sums without a
 * condition are taken apart, since a factor of a masked term may be infinite where the mask is
 * false. */
#include "contract.h"
#include "kernel.h"
#include "ops.h"
#include "sizes.h"

enum {
    MOST_FACTORS = 24,
    MOST_TRIED = 6,       /* of which all orders are tried */
    MOST_INDICES = 32,    /* of a net */
    MOST_DEPTH = 16,      /* of sums in terms in sums */
    MOST_LIFTED = 1 << 22 /* entries of an array that saves work, as far as one can guess */
};

typedef struct Contract {
    Graph *g;
    const Sizes *sizes;
    bool *through; /* by array: it may be looked through, and nobody else reads it; or NULL */
    bool *cheap;   /* by array: it may be looked through whoever else reads it */
    int *combine; /* by array: in how many places it is read, if its entries may be combined; else 0
                   */
    int all;      /* arrays when these were made */
    ArrayRef at;
    Span span;
} Contract;

typedef struct Net {
    int nfactors, nindices;
    Ref factor[MOST_FACTORS];
    uint32_t has[MOST_FACTORS]; /* its indices */
    Ref index[MOST_INDICES];
    double size[MOST_INDICES];
    uint32_t summed;
    Ref outside; /* a factor without indices; 0: none */
    bool negative, broken, deep;
    double cost; /* of the order that is written */
} Net;

typedef struct Pair { /* a factor, or two of these */
    int left, right;  /* -1: the factor `single` */
    int single;
    uint32_t out; /* its indices, without those that are summed in it */
} Pair;

typedef struct Tree {
    int n;
    Pair pair[2 * MOST_FACTORS];
    double cost;
} Tree;

static double axis_size(const Contract *c, Ref index) {
    int64_t n;
    const Poly *extent = EXTENT(c->g, index);
    return poly_is_int(extent, &n) ? (double)(n > 1 ? n : 1) : sizes_guess(c->sizes, extent);
}

/* ---- a nest of sums as a net
 * ------------------------------------------------------------------------------------------ */

static bool is_plain_sum(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op == OP_REDUCE && n->aux == RED_SUM && n->type >= VALUE_FLOAT && !n->fails &&
           graph_is_true(g, ARG(g, r, 1));
}

/* The number of an index in the net. */
static int net_index(const Contract *c, Net *net, Ref index) {
    for (int k = 0; k < net->nindices; k++) {
        if (net->index[k] == index) {
            return k;
        }
    }
    if (net->nindices == MOST_INDICES) {
        net->broken = true;
        return 0;
    }
    net->index[net->nindices] = index;
    net->size[net->nindices] = axis_size(c, index);
    return net->nindices++;
}

static uint32_t net_has(const Contract *c, Net *net, Ref term) {
    const Ref *list;
    Ref free[MOST_INDICES];
    int n = graph_free(c->g, term, &list);
    uint32_t has = 0;
    if (n > MOST_INDICES) {
        net->broken = true;
        return 0;
    }
    for (int k = 0; k < n; k++) {
        free[k] = list[k];
    }
    for (int k = 0; k < n; k++) {
        has |= 1u << net_index(c, net, free[k]);
    }
    return has;
}

static double net_size(const Net *net, uint32_t has) {
    double size = 1;
    for (int k = 0; k < net->nindices; k++) {
        size *= has >> k & 1 ? net->size[k] : 1;
    }
    return size;
}

/* Are all positions indices, each another one? */
static bool plain_positions(Graph *g, Ref read) {
    for (int k = 0; k < NODE(g, read)->nargs; k++) {
        if (NODE(g, ARG(g, read, k))->op != OP_INDEX) {
            return false;
        }
        for (int q = 0; q < k; q++) {
            if (ARG(g, read, q) == ARG(g, read, k)) {
                return false;
            }
        }
    }
    return true;
}

static bool looks_through(const Contract *c, Ref r) {
    const Node *n = NODE(c->g, r);
    return c->through && n->op == OP_READ && (int)n->aux < c->all && n->aux != c->at &&
           (c->cheap[n->aux] || c->through[n->aux]) && plain_positions(c->g, r);
}

static void add_factor(const Contract *c, Net *net, Ref r) {
    uint32_t has = net_has(c, net, r);
    if (NODE(c->g, r)->fails || net->nfactors == MOST_FACTORS) {
        net->broken = true;
    } else if (has) {
        net->has[net->nfactors] = has;
        net->factor[net->nfactors++] = r;
    } else if (!net->outside || graph_is_real(c->g, r, NULL)) {
        net->outside = net->outside ? graph_op2(c->g, OP_mul, r, net->outside) : r;
    } else { /* two numbers that may be large, or small */
        net->broken = true;
    }
}

static void collect(const Contract *c, Net *net, Ref root) {
    Graph *g = c->g;
    VEC(Ref) stack = {0};
    VEC_PUSH(g->arena, stack, root);
    while (stack.n && !net->broken) {
        Ref r = stack.at[--stack.n];
        const Node n = *NODE(g, r);
        if (n.op == OP_mul) {
            VEC_PUSH(g->arena, stack, ARG(g, r, 1));
            VEC_PUSH(g->arena, stack, ARG(g, r, 0));
        } else if (n.op == OP_neg) {
            net->negative = !net->negative;
            VEC_PUSH(g->arena, stack, ARG(g, r, 0));
        } else if (is_plain_sum(g, r)) {
            Ref condition, body, index = graph_open(g, r, &condition, &body);
            net->summed |= 1u << net_index(c, net, index);
            if (!is_plain_sum(g, body)) {
                net->cost += net_size(net, net_has(c, net, body));
            }
            VEC_PUSH(g->arena, stack, body);
        } else if (looks_through(c, r)) {
            Ref to[MOST_INDICES];
            const Array x = *ARRAY(g, n.aux);
            for (int k = 0; k < x.rank; k++) {
                to[k] = ARG(g, r, k);
            }
            net->deep = true;
            VEC_PUSH(g->arena, stack, graph_subst(g, x.pieces.at[0].body, x.rank, x.axis, to));
        } else {
            add_factor(c, net, r);
        }
    }
}

/* ---- a good order
 * ---------------------------------------------------------------------------------------------------
 */

/* The indices of all factors but these. */
static uint32_t wanted_elsewhere(const Net *net, uint32_t these) {
    uint32_t has = ~net->summed;
    for (int k = 0; k < net->nfactors; k++) {
        has |= these >> k & 1 ? 0 : net->has[k];
    }
    return has;
}

static uint32_t out_of(const Net *net, uint32_t these) {
    uint32_t has = 0;
    for (int k = 0; k < net->nfactors; k++) {
        has |= these >> k & 1 ? net->has[k] : 0;
    }
    return has & wanted_elsewhere(net, these);
}

static double cost_alone(const Net *net, int k, uint32_t out) {
    return out == net->has[k] ? 0 : net_size(net, net->has[k]);
}

/* By memory as well, so that of two orders with as many multiplications the one with less is taken.
 */
static double cost_of_pair(const Net *net, uint32_t left, uint32_t right, uint32_t out) {
    return net_size(net, left | right) + net_size(net, out) / 16;
}

static int add_single(const Net *net, Tree *t, int k) {
    t->pair[t->n] = (Pair){-1, -1, k, out_of(net, 1u << k)};
    return t->n++;
}

/* From the table of how each set of factors is split best. */
static int add_split(const Net *net, Tree *t, const uint32_t *split, uint32_t these) {
    if (!(these & (these - 1))) {
        int k = 0;
        while (!(these >> k & 1)) {
            k++;
        }
        return add_single(net, t, k);
    }
    int left = add_split(net, t, split, split[these]),
        right = add_split(net, t, split, these & ~split[these]);
    t->pair[t->n] = (Pair){left, right, -1, out_of(net, these)};
    return t->n++;
}

static void try_all(const Net *net, Tree *t) {
    double cost[1 << MOST_TRIED];
    uint32_t split[1 << MOST_TRIED], out[1 << MOST_TRIED], all = (1u << net->nfactors) - 1;
    for (uint32_t these = 1; these <= all; these++) {
        out[these] = out_of(net, these), cost[these] = -1, split[these] = 0;
        if (!(these & (these - 1))) {
            int k = 0;
            while (!(these >> k & 1)) {
                k++;
            }
            cost[these] = cost_alone(net, k, out[these]);
            continue;
        }
        uint32_t lowest = these & (0u - these);
        for (uint32_t left = (these - 1) & these; left; left = (left - 1) & these) {
            uint32_t right = these & ~left;
            if (!(left & lowest)) { /* the other half of the same split comes, too */
                continue;
            }
            double sum =
                cost[left] + cost[right] + cost_of_pair(net, out[left], out[right], out[these]);
            if (cost[these] < 0 || sum < cost[these]) {
                cost[these] = sum, split[these] = left;
            }
        }
    }
    t->cost = cost[all];
    add_split(net, t, split, all);
}

static void try_greedy(const Net *net, Tree *t) {
    int open[MOST_FACTORS], n = net->nfactors;
    uint32_t these[MOST_FACTORS];
    for (int k = 0; k < n; k++) {
        open[k] = add_single(net, t, k), these[k] = 1u << k;
        t->cost += cost_alone(net, k, t->pair[open[k]].out);
    }
    while (n > 1) {
        int left = 0, right = 1;
        double least = -1;
        for (int i = 0; i < n; i++) {
            for (int k = i + 1; k < n; k++) {
                uint32_t one = t->pair[open[i]].out, other = t->pair[open[k]].out;
                double cost = cost_of_pair(net, one, other, out_of(net, these[i] | these[k])) *
                              (one & other ? 1 : 1024); /* what shares nothing comes last */
                if (least < 0 || cost < least) {
                    least = cost, left = i, right = k;
                }
            }
        }
        uint32_t both = these[left] | these[right];
        t->cost +=
            cost_of_pair(net, t->pair[open[left]].out, t->pair[open[right]].out, out_of(net, both));
        t->pair[t->n] = (Pair){open[left], open[right], -1, out_of(net, both)};
        open[left] = t->n++, these[left] = both;
        open[right] = open[n - 1], these[right] = these[n - 1], n--;
    }
}

/* The term of one factor or pair. Trees are no deeper than a net has factors. */
static Ref build(const Contract *c, const Net *net, const Tree *t, int at) {
    Graph *g = c->g;
    const Pair *p = &t->pair[at];
    uint32_t gone;
    Ref term;
    if (p->left < 0) {
        term = net->factor[p->single], gone = net->has[p->single] & ~p->out;
    } else {
        Ref left = build(c, net, t, p->left), right = build(c, net, t, p->right);
        bool turned = t->pair[p->left].left >= 0 && t->pair[p->right].left < 0; /* factors first */
        term = turned ? graph_op2(g, OP_mul, right, left) : graph_op2(g, OP_mul, left, right);
        gone = (t->pair[p->left].out | t->pair[p->right].out) & ~p->out;
    }
    for (int k = net->nindices - 1; k >= 0; k--) {
        if (gone >> k & 1) {
            term = graph_reduce(g, RED_SUM, net->index[k], graph_bool(g, true), term);
        }
    }
    return term;
}

/* 0: it stays as it is. */
static Ref best_order(const Contract *c, Ref sum) {
    Graph *g = c->g;
    Net net = {0};
    Tree tree = {0};
    collect(c, &net, sum);
    if (net.broken || net.nfactors < 3) {
        return 0;
    }
    for (int k = 0; k < net.nindices; k++) { /* a sum over what no factor has: a count */
        uint32_t has = 0;
        for (int q = 0; q < net.nfactors; q++) {
            has |= net.has[q];
        }
        if (net.summed & ~has) {
            return 0;
        }
    }
    if (net.nfactors <= MOST_TRIED) {
        try_all(&net, &tree);
    } else {
        try_greedy(&net, &tree);
    }
    if (tree.cost > 0.75 * net.cost) {
        return 0;
    }
    Ref term = build(c, &net, &tree, tree.n - 1);
    if (net.outside) {
        term = graph_op2(g, OP_mul, net.outside, term);
    }
    return graph_cast(g, (ValueType)NODE(g, sum)->type,
                      net.negative ? graph_op1(g, OP_neg, term) : term);
}

/* Are there as many factors in a term as an order needs, sums in it included? */
static bool has_factors(Graph *g, Ref term) {
    VEC(Ref) stack = {0};
    int factors = 0;
    VEC_PUSH(g->arena, stack, term);
    while (stack.n && factors < 3) {
        Ref r = stack.at[--stack.n];
        if (NODE(g, r)->op == OP_mul) {
            VEC_PUSH(g->arena, stack, ARG(g, r, 1));
            VEC_PUSH(g->arena, stack, ARG(g, r, 0));
        } else if (NODE(g, r)->op == OP_neg) {
            VEC_PUSH(g->arena, stack, ARG(g, r, 0));
        } else if (is_plain_sum(g, r)) {
            VEC_PUSH(g->arena, stack, ARG(g, r, 2));
        } else {
            factors++;
        }
    }
    return factors >= 3;
}

Ref contract_order(Graph *g, Ref sum) {
    if (!has_factors(g, sum)) {
        return sum;
    }
    Contract c = {.g = g, .sizes = sizes_of(g)};
    Ref better = best_order(&c, sum);
    return better ? better : sum;
}

/* ---- all arrays
 * -----------------------------------------------------------------------------------------------------
 */

/* The reductions of a term that stand in no other one; those under a selection come last, from
 * *chosen on. */
static int reductions_of(Graph *g, Ref term, Ref **out, int *chosen) {
    VEC(Ref) found = {0};
    *chosen = 0;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_REDUCE) {
            VEC_PUSH(g->arena, found, r);
            *chosen += !walk_is_late(walk);
            continue;
        }
        for (int k = 0; k < n.nargs; k++) {
            if ((n.op == OP_SELECT || n.op == OP_and || n.op == OP_or) && k > 0) {
                walk_later(walk, ARG(g, r, k));
            } else {
                walk_add(walk, ARG(g, r, k));
            }
        }
    }
    *out = found.at;
    return found.n;
}

static Ref order_all(const Contract *c, Ref term, int depth) {
    Graph *g = c->g;
    Ref *sum;
    int chosen, n = NODE(g, term)->depth ? reductions_of(g, term, &sum, &chosen) : 0;
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < n && depth < MOST_DEPTH; k++) {
        Ref r = sum[k], better = is_plain_sum(g, r) ? best_order(c, r) : 0;
        if (!better) {
            Ref condition, body, index = graph_open(g, r, &condition, &body);
            Ref inner = order_all(c, body, depth + 1);
            better = inner == body
                         ? 0
                         : graph_reduce(g, (Reduction)NODE(g, r)->aux, index, condition, inner);
        }
        if (better) {
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to, better);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

/* ---- a combination of entries of one array
 * --------------------------------------------------------------------------------
 *
 * y[c, f] = a[c] * x[p[c], f] + b[c] * x[q[c], f], x[v, f] = sum[k](W[v, k] * D[k, f]) + z[f]: the
 * sum has a factor that no v is in. So it is y[c, f] = sum[k]((a[c] * W[p[c], k] + b[c] * W[q[c],
 * k]) * D[k, f]) + a[c] * z[f] + b[c] * z[f]: one product for all that is combined, and no x at
 * all. That is less work where there are fewer c than v, and the same for a single read of few
 * entries. */

enum { MOST_TERMS = 16 };

typedef struct Terms { /* of a sum as it is written */
    int n;
    Ref term[MOST_TERMS];
    bool minus[MOST_TERMS];
    bool broken;
} Terms;

static void find_terms(Graph *g, Ref root, Terms *t) {
    struct {
        Ref r;
        bool minus;
    } stack[2 * MOST_TERMS];
    int n = 0;
    t->n = 0, t->broken = false;
    stack[n].r = root, stack[n++].minus = false;
    while (n > 0) {
        Ref r = stack[--n].r;
        bool minus = stack[n].minus;
        int op = NODE(g, r)->op;
        if (op == OP_neg) {
            stack[n].r = ARG(g, r, 0), stack[n++].minus = !minus;
        } else if ((op == OP_add || op == OP_sub) && n + 2 <= 2 * MOST_TERMS) {
            stack[n].r = ARG(g, r, 1), stack[n++].minus = op == OP_sub ? !minus : minus;
            stack[n].r = ARG(g, r, 0), stack[n++].minus = minus;
        } else if (t->n == MOST_TERMS) {
            t->broken = true;
            return;
        } else {
            t->term[t->n] = r, t->minus[t->n++] = minus;
        }
    }
}

/* term = coefficient * a read of an array that may be combined? The coefficient: 0 for 1. */
static bool split_read(const Contract *c, Ref term, Ref *read, Ref *coefficient) {
    Graph *g = c->g;
    *read = *coefficient = 0;
    for (int turn = 0; turn < MOST_FACTORS; turn++) {
        const Node n = *NODE(g, term);
        Ref other = 0;
        if (n.op == OP_READ) {
            *read = term;
            return (int)n.aux < c->all && c->combine[n.aux] > 0;
        }
        if (n.op == OP_neg) {
            other = graph_real(g, (ValueType)n.type, -1), term = ARG(g, term, 0);
        } else if (n.op == OP_mul) {
            Ref x = ARG(g, term, 0), y = ARG(g, term, 1);
            bool first = NODE(g, x)->op == OP_READ && (int)NODE(g, x)->aux < c->all &&
                         c->combine[NODE(g, x)->aux] > 0;
            other = first ? y : x, term = first ? x : y;
        } else {
            return false;
        }
        *coefficient = *coefficient ? graph_op2(g, OP_mul, *coefficient, other) : other;
    }
    return false;
}

typedef struct Combined {
    ArrayRef of;
    int n;
    Ref read[MOST_TERMS], coefficient[MOST_TERMS];
    bool minus[MOST_TERMS];
    uint32_t
        moved; /* the axes of `of` along which the reads do not stand at an index of their own */
} Combined;

/* Do all reads stand where the array has its piece? */
static bool is_inside(const Contract *c, const Scope *scope, Combined *x) {
    Graph *g = c->g;
    const Array *of = ARRAY(g, x->of);
    const Piece *p = &of->pieces.at[0];
    for (int k = 0; k < of->rank; k++) {
        Ref at = ARG(g, x->read[0], k);
        int own = -1;
        for (int i = 0; i < scope->n; i++) {
            own = scope->index[i] == at ? i : own;
        }
        for (int i = 0; i < x->n; i++) {
            own = ARG(g, x->read[i], k) == at ? own : -1;
        }
        const Poly *last = poly_sub(g->arena, of->extent[k], poly_int(g->arena, 1));
        bool whole = poly_equal(p->lo[k], poly_int(g->arena, 0)) && poly_equal(p->hi[k], last);
        if (own < 0) {
            x->moved |= 1u << k;
        }
        if (!whole && (own < 0 || !scope->lo[own] || !scope->hi[own] ||
                       !graph_prove(g, poly_sub(g->arena, scope->lo[own], p->lo[k]), 0, NULL) ||
                       !graph_prove(g, poly_sub(g->arena, p->hi[k], scope->hi[own]), 0, NULL))) {
            return false;
        }
    }
    return x->moved != 0;
}

static Ref at_read(Graph *g, const Combined *x, int k, Ref term) {
    Ref to[MOST_INDICES];
    const Array of = *ARRAY(g, x->of);
    for (int q = 0; q < of.rank; q++) {
        to[q] = ARG(g, x->read[k], q);
    }
    return graph_subst(g, term, of.rank, of.axis, to);
}

static Ref plus(Graph *g, Ref sum, Ref term, bool minus) {
    return !sum ? (minus ? graph_op1(g, OP_neg, term) : term)
                : graph_op2(g, minus ? OP_sub : OP_add, sum, term);
}

static Ref times(Graph *g, Ref product, Ref term) {
    return product && term ? graph_op2(g, OP_mul, product, term) : product ? product : term;
}

/* The combination of one term of the array's equation; 0: it is better left. */
static Ref combine_term(const Contract *c, const Scope *scope, const Combined *x, Ref term) {
    Graph *g = c->g;
    Ref sum = 0;
    if (NODE(g, term)->depth == 0) {
        for (int k = 0; k < x->n; k++) {
            sum = plus(g, sum, times(g, x->coefficient[k], at_read(g, x, k, term)), x->minus[k]);
        }
        return sum;
    }
    Net net = {0};
    Contract flat = *c;
    flat.through = NULL;
    collect(&flat, &net, term);
    uint32_t moved = 0, with = 0;
    for (int k = 0; k < ARRAY(g, x->of)->rank; k++) {
        moved |= x->moved >> k & 1 ? 1u << net_index(c, &net, ARRAY(g, x->of)->axis[k]) : 0;
    }
    if (net.broken || !net.summed || net.nindices > MOST_INDICES - 16) {
        return 0;
    }
    Ref fixed = 0;
    for (int k = 0; k < net.nfactors; k++) {
        with |= net.has[k] & moved ? 1u << k : 0;
        fixed = net.has[k] & moved ? fixed : times(g, fixed, at_read(g, x, 0, net.factor[k]));
    }
    if (!with || !fixed) {
        return 0;
    }
    Scope inside = scope_copy(g, scope);
    for (int k = 0; k < net.nindices; k++) {
        if (net.summed >> k & 1) {
            scope_add(g, &inside, net.index[k], NULL, NULL);
        }
    }
    for (int k = 0; k < x->n; k++) {
        Ref product = x->coefficient[k];
        for (int q = 0; q < net.nfactors; q++) {
            if (with >> q & 1) {
                product = times(g, product, at_read(g, x, k, net.factor[q]));
            }
        }
        sum = plus(g, sum, product, x->minus[k]);
    }
    /* To combine has to be little beside the product: it reads here and there. */
    double own = 1, part = x->n;
    for (int k = 0; k < inside.n; k++) {
        double size = axis_size(c, inside.index[k]);
        own *=
            graph_has_index(g, fixed, inside.index[k]) || graph_has_index(g, sum, inside.index[k])
                ? size
                : 1;
        part *= graph_has_index(g, sum, inside.index[k]) ? size : 1;
    }
    if (8 * part > own) {
        return 0;
    }
    Ref read = sum;
    if (x->n > 1) {
        Scope over = scope_part(g, &inside, 1, &sum);
        ArrayRef made =
            graph_array_over(g, arena_format(g->arena, "%s_part", ARRAY(g, c->at)->name), &over,
                             sum, c->span, &read);
        ARRAY(g, made)->order = ARRAY(g, c->at)->order;
        ARRAY(g, made)->derived = true;
    }
    term = graph_op2(g, OP_mul, fixed, read);
    for (int k = net.nindices - 1; k >= 0; k--) {
        if (net.summed >> k & 1) {
            term = graph_reduce(g, RED_SUM, net.index[k], graph_bool(g, true), term);
        }
    }
    term = net.outside ? graph_op2(g, OP_mul, net.outside, term) : term;
    return net.negative ? graph_op1(g, OP_neg, term) : term;
}

/* The combination, where it has fewer places than the array has entries: where sizes are open, that
 * is asked when it runs. */
static Ref choose(Graph *g, const Scope *scope, const Combined *x, Ref combined, Ref as_it_was) {
    const Poly *places = poly_int(g->arena, 1), *entries = poly_int(g->arena, 1);
    const Array *of = ARRAY(g, x->of);
    int factors = 0;
    for (int k = 0; k < of->rank; k++) {
        entries = x->moved >> k & 1 ? poly_mul(g->arena, entries, of->extent[k]) : entries;
        factors += x->moved >> k & 1 ? 1 : 0;
    }
    for (int i = 0; i < scope->n; i++) {
        bool steady = false;
        for (int k = 0; k < of->rank; k++) {
            steady = steady || (!(x->moved >> k & 1) && ARG(g, x->read[0], k) == scope->index[i]);
        }
        places = steady ? places : poly_mul(g->arena, places, EXTENT(g, scope->index[i]));
        factors += !steady;
    }
    const Poly *more = poly_sub(g->arena, entries, places),
               *less = poly_sub(g->arena, poly_neg(g->arena, more), poly_int(g->arena, 1));
    if (graph_prove(g, more, 0, NULL)) {
        return combined;
    }
    if (graph_prove(g, less, 0, NULL) || factors > 3) { /* products of sizes stay in range */
        return as_it_was;
    }
    Ref few = graph_op2(g, OP_le, graph_of_poly(g, places), graph_of_poly(g, entries));
    return graph_select(g, few, combined, as_it_was);
}

static Ref combine(const Contract *c, const Scope *scope, Ref body) {
    Graph *g = c->g;
    Terms all, of;
    find_terms(g, body, &all);
    if (all.broken) {
        return body;
    }
    for (int first = 0; first < all.n; first++) {
        Combined x = {0};
        Ref read, coefficient, rest = 0, sum = 0;
        if (!split_read(c, all.term[first], &read, &coefficient)) {
            continue;
        }
        x.of = NODE(g, read)->aux;
        for (int k = 0; k < all.n; k++) {
            if (split_read(c, all.term[k], &read, &coefficient) && NODE(g, read)->aux == x.of) {
                x.read[x.n] = read, x.coefficient[x.n] = coefficient;
                x.minus[x.n++] = all.minus[k];
            } else {
                rest = plus(g, rest, all.term[k], all.minus[k]);
            }
        }
        if (x.n != c->combine[x.of] || !is_inside(c, scope, &x)) {
            continue;
        }
        find_terms(g, ARRAY(g, x.of)->pieces.at[0].body, &of);
        bool good = !of.broken;
        for (int k = 0; k < of.n && good; k++) {
            Ref term = combine_term(c, scope, &x, of.term[k]);
            good = term != 0;
            sum = good ? plus(g, sum, term, of.minus[k]) : 0;
        }
        if (good) {
            sum = rest ? graph_op2(g, OP_add, rest, sum) : sum;
            return choose(g, scope, &x, sum, body);
        }
    }
    return body;
}

/* ---- sums that are arrays
 * ---------------------------------------------------------------------------------------------- */

/* Does the condition hold for one value of the index alone? Then there is no loop over it. */
static bool is_chosen(Graph *g, Ref condition, Ref index) {
    while (condition) {
        bool more = NODE(g, condition)->op == OP_and;
        Ref part = more ? ARG(g, condition, 1) : condition;
        if (NODE(g, part)->op == OP_eq && NODE(g, ARG(g, part, 0))->type == VALUE_INT &&
            graph_has_index(g, part, index)) {
            return true;
        }
        condition = more ? ARG(g, condition, 0) : 0;
    }
    return false;
}

/* Is a sum the same for several turns of a loop that stands around one that it depends on? (Where
 * it depends on the outer indices alone, it is computed outside of the inner loops as it stands.)
 */
static bool is_same_again(const Contract *c, const Scope *scope, Ref sum) {
    double entries = 1;
    bool missed = false, again = false;
    for (int k = 0; k < scope->n; k++) {
        if (graph_has_index(c->g, sum, scope->index[k])) {
            entries *= axis_size(c, scope->index[k]);
            again = again || missed;
        } else {
            missed = missed || (axis_size(c, scope->index[k]) > 1 &&
                                !is_chosen(c->g, scope->guard, scope->index[k]));
        }
    }
    return again && entries <= MOST_LIFTED;
}

static Ref lift_all(const Contract *c, const Scope *scope, Ref term, int depth) {
    Graph *g = c->g;
    Ref *sum;
    int n, chosen = 0;
    VEC(Ref) from = {0}, to = {0};
    if (!NODE(g, term)->depth) {
        return term;
    }
    reductions_of(g, term, &sum, &chosen);
    n = chosen;
    for (int k = 0; k < n && depth < MOST_DEPTH; k++) {
        Ref r = sum[k], becomes = 0;
        if (!NODE(g, r)->fails && NODE(g, r)->type >= VALUE_FLOAT && is_same_again(c, scope, r)) {
            Scope part = scope_part(g, scope, 1, &r);
            ArrayRef made =
                graph_array_over(g, arena_format(g->arena, "%s_sum", ARRAY(g, c->at)->name), &part,
                                 r, c->span, &becomes);
            ARRAY(g, made)->order = ARRAY(g, c->at)->order;
            ARRAY(g, made)->derived = true;
        } else {
            Ref condition, body, index = graph_open(g, r, &condition, &body);
            Scope inside = scope_copy(g, scope);
            scope_add(g, &inside, index, NULL, NULL);
            scope_guard(g, &inside, condition);
            Ref inner = lift_all(c, &inside, body, depth + 1);
            becomes = inner == body
                          ? 0
                          : graph_reduce(g, (Reduction)NODE(g, r)->aux, index, condition, inner);
        }
        if (becomes) {
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to, becomes);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

/* ---- which arrays are looked through
 * ------------------------------------------------------------------------------------ */

/* A product of reads, with an index in each: entries cost no more than reading them. */
static bool is_outer_product(Graph *g, Ref body) {
    VEC(Ref) stack = {0};
    int factors = 0;
    VEC_PUSH(g->arena, stack, body);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        const Node *n = NODE(g, r);
        if (n->op == OP_mul || n->op == OP_neg) {
            VEC_PUSH(g->arena, stack, ARG(g, r, 0));
            if (NODE(g, r)->op == OP_mul) {
                VEC_PUSH(g->arena, stack, ARG(g, r, 1));
            }
        } else if (n->op == OP_READ && n->nargs && !n->fails) {
            if (++factors > 4) {
                return false;
            }
        } else if (!graph_is_real(g, r, NULL)) {
            return false;
        }
    }
    return factors >= 2;
}

/* One equation without a condition. */
static bool is_plain(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->role == ARRAY_INTERNAL && !x->counts && x->pieces.n == 1 && !x->pieces.at[0].guard &&
           !x->pieces.at[0].live && x->rank > 0 && x->rank <= MOST_INDICES && !kernel_is(g, a);
}

static bool is_whole(Graph *g, ArrayRef a) {
    bool whole = is_plain(g, a);
    for (int k = 0; k < ARRAY(g, a)->rank && whole; k++) {
        whole = graph_is_whole(g, a, k);
    }
    return whole;
}

static void count_reads(Graph *g, Ref term, int *reads) {
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ) {
            reads[NODE(g, r)->aux]++;
        }
        walk_into(walk, r);
    }
}

static void find_through(Contract *c, const Order *order,
                         bool (*asked)(const Graph *g, ArrayRef a)) {
    Graph *g = c->g;
    c->all = g->arrays.n;
    c->through = arena_alloc(g->arena, (size_t)c->all + 1);
    c->cheap = arena_alloc(g->arena, (size_t)c->all + 1);
    c->combine = arena_alloc(g->arena, (size_t)(c->all + 1) * sizeof *c->combine);
    int *reads = arena_alloc(g->arena, (size_t)(c->all + 1) * sizeof *reads);
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            count_reads(g, p.body, reads);
            if (p.guard) {
                count_reads(g, p.guard, reads);
            }
        }
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        bool circle = (k > 0 && order->component[k - 1] == order->component[k]) ||
                      (k + 1 < order->n && order->component[k + 1] == order->component[k]) ||
                      graph_reads_itself(g, a);
        if (circle || asked(g, a)) {
            continue;
        }
        c->combine[a] = is_plain(g, a) && NODE(g, ARRAY(g, a)->pieces.at[0].body)->depth > 0 &&
                                !NODE(g, ARRAY(g, a)->pieces.at[0].body)->fails
                            ? reads[a]
                            : 0;
        if (!is_whole(g, a)) {
            continue;
        }
        Ref body = ARRAY(g, a)->pieces.at[0].body;
        c->cheap[a] = is_outer_product(g, body);
        c->through[a] = reads[a] == 1 && is_plain_sum(g, body);
    }
}

/* ---- triangles and diagonals
 * --------------------------------------------------------------------------------------------------
 *
 * T[i, j] = j <= i ? .. : 0 is a triangle, and sum[j](T[i, j] * x[j]) a sum over j <= i. Of a
 * diagonal one term is left. An entry that is 0 by its form is nothing: no product with it is made,
 * whatever the other factor is. */

/* Where a term is not 0 by its form, a condition, and what it is there if that is all one term
 * (else 0); false: anywhere. */
static bool find_support(Graph *g, Ref term, Ref *where, Ref *there) {
    enum { MOST_CHOICES = 4 };
    const Poly *fact[MOST_CHOICES][2];
    int nfacts[MOST_CHOICES], n = 0;
    double zero;
    bool last = false;
    *where = *there = 0;
    while (NODE(g, term)->op == OP_SELECT && n < MOST_CHOICES && !last) {
        Ref c = ARG(g, term, 0), yes = ARG(g, term, 1), no = ARG(g, term, 2);
        last = graph_is_real(g, yes, &zero) && zero == 0;
        nfacts[n] = graph_facts(g, c, !last, fact[n], 2);
        *where = last ? graph_not(g, c) : c, *there = last ? no : yes;
        n++, term = no;
    }
    if (n == 0 || (!last && (!graph_is_real(g, term, &zero) || zero != 0))) {
        return false;
    }
    if (n == 1 && nfacts[0] > 0) {
        return true;
    }
    *there = 0;
    for (int k = 0; k < n; k++) { /* the weakest of them, or one that is weaker by 1 */
        for (int64_t more = 0; more < 2 && nfacts[k] == 1; more++) {
            const Poly *p = poly_add(g->arena, fact[k][0], poly_int(g->arena, more));
            bool all = true;
            for (int q = 0; q < n && all; q++) {
                all = nfacts[q] > 0 && graph_prove(g, p, nfacts[q], fact[q]);
            }
            if (all) {
                *where = graph_op2(g, OP_le, graph_int(g, 0), graph_of_poly(g, p));
                return true;
            }
        }
    }
    return false;
}

/* Of a factor, at the place where it stands. */
static bool support_of_factor(Graph *g, Ref factor, Ref *where, Ref *there) {
    const Node n = *NODE(g, factor);
    Ref to[MOST_INDICES];
    if (n.op == OP_SELECT) {
        return find_support(g, factor, where, there) && !NODE(g, *where)->fails;
    }
    if (n.op != OP_READ || n.fails || n.nargs == 0 || n.nargs > MOST_INDICES ||
        !is_whole(g, n.aux) || !find_support(g, ARRAY(g, n.aux)->pieces.at[0].body, where, there)) {
        return false;
    }
    for (int k = 0; k < n.nargs; k++) {
        to[k] = ARG(g, factor, k);
    }
    *where = graph_subst(g, *where, n.nargs, ARRAY(g, n.aux)->axis, to);
    *there = *there ? graph_subst(g, *there, n.nargs, ARRAY(g, n.aux)->axis, to) : 0;
    return !NODE(g, *where)->fails;
}

enum { MOST_SAID = 8, MOST_NESTED = 12 };

typedef struct Said { /* by factors of a product: where they are not 0 */
    int n;
    Ref factor[MOST_SAID], where[MOST_SAID], there[MOST_SAID];
} Said;

/* What the factors of a term say of the index; of a sum of products, what all of them say. */
static void find_said(Graph *g, Ref term, Ref index, int depth, Said *said) {
    const Node n = *NODE(g, term);
    Ref where, there;
    if (depth == MOST_NESTED) {
        return;
    }
    if (n.op == OP_mul || n.op == OP_neg || n.op == OP_CAST) {
        find_said(g, ARG(g, term, 0), index, depth + 1, said);
        if (n.op == OP_mul) {
            find_said(g, ARG(g, term, 1), index, depth + 1, said);
        }
    } else if (n.op == OP_add || n.op == OP_sub) {
        Said left = {0}, right = {0};
        find_said(g, ARG(g, term, 0), index, depth + 1, &left);
        find_said(g, ARG(g, term, 1), index, depth + 1, &right);
        for (int k = 0; k < left.n; k++) {
            for (int q = 0; q < right.n && said->n < MOST_SAID; q++) {
                if (left.where[k] == right.where[q]) {
                    bool same = left.factor[k] == right.factor[q];
                    said->factor[said->n] = left.factor[k], said->where[said->n] = left.where[k];
                    said->there[said->n++] = same ? left.there[k] : 0;
                    break;
                }
            }
        }
    } else if (said->n < MOST_SAID && support_of_factor(g, term, &where, &there) &&
               graph_has_index(g, where, index)) {
        said->factor[said->n] = term, said->where[said->n] = where;
        said->there[said->n++] = there;
    }
}

/* The range of a sum, by its factors. False where they say nothing new. */
static bool narrow(Graph *g, Ref index, Ref *condition, Ref *body) {
    enum { SMALL = 8 };
    Said said = {0};
    Ref before = *condition;
    find_said(g, *body, index, 0, &said);
    for (int k = 0; k < said.n; k++) {
        const Poly *fact[2], *known[8];
        int n_known = graph_facts(g, *condition, true, known, 8),
            n_facts = graph_facts(g, said.where[k], true, fact, 2), proved = 0;
        for (int q = 0; q < n_facts; q++) {
            const Poly *never =
                poly_sub(g->arena, poly_neg(g->arena, fact[q]), poly_int(g->arena, 1));
            proved += graph_prove(g, fact[q], n_known, known);
            if (graph_prove(g, never, n_known, known)) { /* two that do not meet */
                *condition = graph_bool(g, false);
                return true;
            }
        }
        if (n_facts > 0 && proved < n_facts) {
            *condition = graph_and(g, *condition, said.where[k]);
            Ref there = said.there[k];
            if (n_facts == 2 && there && NODE(g, there)->depth == 0 &&
                NODE(g, there)->size <= SMALL) { /* on the diagonal, nobody needs the array */
                *body = graph_subst(g, *body, 1, &said.factor[k], &there);
            }
        }
    }
    return *condition != before;
}

/* Is it better left to a product of matrices, which takes the square? */
static bool is_matrix_product(Graph *g, Ref body, int rank, const Ref *axis) {
    bool left = false, right = false;
    if (NODE(g, body)->op != OP_mul || NODE(g, ARG(g, body, 0))->op != OP_READ ||
        NODE(g, ARG(g, body, 1))->op != OP_READ) {
        return false;
    }
    for (int k = 0; k < rank; k++) {
        bool in0 = graph_has_index(g, ARG(g, body, 0), axis[k]),
             in1 = graph_has_index(g, ARG(g, body, 1), axis[k]);
        left = left || (in0 && !in1), right = right || (in1 && !in0);
    }
    return left && right;
}

static Ref narrow_all(const Contract *c, Ref term, int depth) {
    Graph *g = c->g;
    Ref *sum;
    int chosen, n = NODE(g, term)->depth ? reductions_of(g, term, &sum, &chosen) : 0;
    VEC(Ref) from = {0}, to = {0};
    for (int k = 0; k < n && depth < MOST_DEPTH; k++) {
        Ref r = sum[k], condition, body, index = graph_open(g, r, &condition, &body);
        const Node node = *NODE(g, r);
        Ref inner = narrow_all(c, body, depth + 1), all = condition;
        bool some = inner != body;
        if (node.aux == RED_SUM && node.type >= VALUE_FLOAT && !NODE(g, condition)->fails &&
            !(depth == 0 && r == term &&
              is_matrix_product(g, body, ARRAY(g, c->at)->rank, ARRAY(g, c->at)->axis))) {
            some = narrow(g, index, &all, &inner) || some;
        }
        if (some) {
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to, graph_reduce(g, (Reduction)node.aux, index, all, inner));
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

bool contract_arrays(Graph *g, int n, const ArrayRef *roots,
                     bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    Contract c = {.g = g, .sizes = sizes_of(g)};
    VEC(ArrayRef) list = {0};
    bool changed = false;
    find_through(&c, &order, asked);
    for (int k = order.n - 1; k >= 0; k--) { /* readers first: a net is as large as it can be */
        VEC_PUSH(g->arena, list, order.array[k]);
    }
    for (int k = 0; k < list.n; k++) {
        ArrayRef a = list.at[k], before = (ArrayRef)g->arrays.n;
        c.at = a;
        for (int q = 0; q < ARRAY(g, a)->pieces.n && !ARRAY(g, a)->counts; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            c.span = p.at;
            if (NODE(g, p.body)->op == OP_KERNEL) {
                continue;
            }
            Scope scope = scope_of_piece(g, a, &p);
            Ref body = combine(&c, &scope, p.body);
            body = order_all(&c, body, 0);
            body = narrow_all(&c, body, 0);
            body = lift_all(&c, &scope, body, 0);
            if (body != p.body) {
                ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
                changed = true;
            }
        }
        for (ArrayRef made = before; made < (ArrayRef)g->arrays.n; made++) {
            VEC_PUSH(g->arena, list, made);
        }
    }
    return changed;
}
