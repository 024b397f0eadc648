/* zeros: what is 0 everywhere is not computed.
 * In: arrays with all derivatives made. Out: the same, where nobody reads an array that is 0 by the
 * form of its equations.
 *
 * An arm at rest does not turn, w[i + 1] = R[i] * w[i] with w[0] = 0: that a recurrence is 0 shows
 * when it is taken to be so, and nothing says otherwise. So all arrays are taken to be 0 at first,
 * and those are not that have an equation which is not 0 then, until no more are found. A product
 * is 0 if a factor is an entry of such an array: as other entries that are 0 by their form, it is
 * no number that could meet an infinity. A factor that is written as 0 is one, and the product
 * stays. */
#include "zeros.h"
#include "kernel.h"
#include "ops.h"
#include <stdlib.h>

enum {
    MOST_NESTED = 16, /* sums in sums */
    MOST_ROUNDS = 32  /* circles of equations take some; in most models it is two */
};

typedef struct Zeros {
    Graph *g;
    bool *zero;     /* by array */
    VEC(int8_t) is; /* by node, in this round: 0 not known, 1 no, 2 yes */
} Zeros;

static Ref zero_of(Graph *g, ValueType type) {
    return type == VALUE_INT ? graph_int(g, 0) : graph_real(g, type, 0);
}

static bool state_of(const Zeros *z, Ref r) {
    return z->is.at[r] == 2;
}

static bool is_zero_node(const Zeros *z, Ref r) {
    Graph *g = z->g;
    const Node n = *NODE(g, r);
    double value;
    switch (n.op) {
    case OP_CONST: return graph_is_real(g, r, &value) && value == 0;
    case OP_READ: return z->zero[n.aux] && !n.fails;
    case OP_neg:
    case OP_CAST: return NODE(g, ARG(g, r, 0))->type != VALUE_BOOL && state_of(z, ARG(g, r, 0));
    case OP_add:
    case OP_sub: return state_of(z, ARG(g, r, 0)) && state_of(z, ARG(g, r, 1));
    case OP_mul:
        for (int k = 0; k < 2; k++) {
            if (state_of(z, ARG(g, r, k)) && NODE(g, ARG(g, r, k))->op != OP_CONST) {
                return !NODE(g, r)->fails;
            }
        }
        return false;
    case OP_SELECT:
        return state_of(z, ARG(g, r, 1)) && state_of(z, ARG(g, r, 2)) && !NODE(g, r)->fails;
    case OP_REDUCE: return n.aux == RED_SUM && state_of(z, ARG(g, r, 2)) && !NODE(g, r)->fails;
    default: return false;
    }
}

static int rising(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? -1 : x > y;
}

/* Arguments stand before their users: the nodes of a term, in order. */
static bool is_zero(Zeros *z, Ref term) {
    Graph *g = z->g;
    VEC(Ref) node = {0};
    while (z->is.n < g->nodes.n) {
        VEC_PUSH(g->arena, z->is, 0);
    }
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (z->is.at[r]) {
            continue;
        }
        VEC_PUSH(g->arena, node, r);
        for (int k = 0; k < NODE(g, r)->nargs && NODE(g, r)->op != OP_READ; k++) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    if (node.n) {
        qsort(node.at, (size_t)node.n, sizeof *node.at, rising);
    }
    for (int k = 0; k < node.n; k++) {
        z->is.at[node.at[k]] = is_zero_node(z, node.at[k]) ? 2 : 1;
    }
    return state_of(z, term);
}

static bool may_be_zero(Graph *g, ArrayRef a, bool (*asked)(const Graph *g, ArrayRef a2)) {
    const Array *x = ARRAY(g, a);
    if (x->role != ARRAY_INTERNAL || x->type == VALUE_BOOL || x->target || x->counts ||
        kernel_is(g, a) || asked(g, a)) {
        return false;
    }
    for (int q = 0; q < x->pieces.n; q++) {
        if (NODE(g, x->pieces.at[q].body)->op == OP_KERNEL) {
            return false;
        }
    }
    return true;
}

static Ref read_zero(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Zeros *z = user;
    (void)positions;
    return z->zero[a] ? zero_of(g, ARRAY(g, a)->type) : 0;
}

/* The largest parts of a term that are 0 go. */
static Ref without_zeros(Zeros *z, Ref term, int depth) {
    Graph *g = z->g;
    VEC(Ref) found = {0}, from = {0}, to = {0};
    if (is_zero(z, term)) {
        return zero_of(g, (ValueType)NODE(g, term)->type);
    }
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if ((z->is.at[r] == 2 && NODE(g, r)->op != OP_CONST) || NODE(g, r)->op == OP_REDUCE) {
            VEC_PUSH(g->arena, found, r);
            continue;
        }
        for (int k = 0; k < NODE(g, r)->nargs && NODE(g, r)->op != OP_READ; k++) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    for (int k = 0; k < found.n; k++) {
        Ref r = found.at[k], becomes = 0;
        if (z->is.at[r] == 2) {
            becomes = zero_of(g, (ValueType)NODE(g, r)->type);
        } else if (depth < MOST_NESTED) {
            Ref condition, body,
                index = graph_open(g, r, &condition, &body),
                left = NODE(g, body)->type < VALUE_FLOAT ? body : without_zeros(z, body, depth + 1);
            becomes = left == body
                          ? 0
                          : graph_reduce(g, (Reduction)NODE(g, r)->aux, index, condition, left);
        }
        if (becomes) {
            VEC_PUSH(g->arena, from, r);
            VEC_PUSH(g->arena, to, becomes);
        }
    }
    return from.n ? graph_subst(g, term, from.n, from.at, to.at) : term;
}

/* Contributions to a derivative that are 0: there is none. (Of other arrays entries without a piece
 * are nobody's: a zero that is written is one that somebody reads.) */
static void drop_pieces(Graph *g, ArrayRef a) {
    Array *x = ARRAY(g, a);
    int left = 0;
    double zero;
    for (int q = 0; q < x->pieces.n && x->adjoint_of; q++) {
        if (!graph_is_real(g, x->pieces.at[q].body, &zero) || zero != 0) {
            x->pieces.at[left++] = x->pieces.at[q];
        }
    }
    if (left > 0) {
        x->pieces.n = left;
    }
}

void zeros_drop(Graph *g, int n, const ArrayRef *roots, bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    Zeros z = {.g = g};
    bool some = false, again = true;
    z.zero = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < order.n; k++) {
        z.zero[order.array[k]] = may_be_zero(g, order.array[k], asked);
    }
    for (int rounds = 0; again; rounds++) {
        again = some = false;
        if (rounds == MOST_ROUNDS) {
            return;
        }
        for (int k = 0; k < z.is.n; k++) {
            z.is.at[k] = 0;
        }
        for (int k = 0; k < order.n; k++) {
            ArrayRef a = order.array[k];
            for (int q = 0; q < ARRAY(g, a)->pieces.n && z.zero[a]; q++) {
                if (!is_zero(&z, ARRAY(g, a)->pieces.at[q].body)) {
                    z.zero[a] = false;
                    again = true;
                }
            }
            some = some || z.zero[a];
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Ref body = ARRAY(g, a)->pieces.at[q].body;
            if (NODE(g, body)->op == OP_KERNEL) {
                continue;
            }
            body = without_zeros(&z, body, 0);
            body = graph_cast(g, ARRAY(g, a)->type, graph_rewrite_reads(g, body, read_zero, &z));
            ARRAY(g, a)->pieces.at[q].body = body;
        }
        drop_pieces(g, a);
    }
}
