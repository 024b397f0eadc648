/* inverse: one division in place of several by the same number.
 * In: arrays with all derivatives made. Out: the same, where an equation that divides by s more
 * than once divides 1 by s, and multiplies by that.
 *
 * The derivative of a quotient is made of quotients with the same divisor: of 1 / sqrt(u) it is
 * -(0.5 / s * (1 / s / s)) with s = sqrt(u), three divisions, and the second derivative has more. A
 * division takes three to ten times as long as a product, and only few of them can be on their way
 * at a time. The last bit of a quotient may differ: a / s is rounded once, a * (1 / s) twice. So it
 * is done in derivatives, and elsewhere where the inverse itself, or a constant multiple of it, is
 * one of the quotients. Not in sums: these are known by their form. */
#include "inverse.h"
#include "ops.h"

enum { MOST_QUOTIENTS = 64 }; /* of an equation */

typedef struct Quotients {
    Graph *g;
    VEC(Ref) found;
} Quotients;

/* Those of a term by what is no constant, outside of sums. */
static void find(Quotients *q, Ref term) {
    Graph *g = q->g;
    q->found.n = 0;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node *n = NODE(g, r);
        if (n->op == OP_div && n->type >= VALUE_FLOAT && NODE(g, ARG(g, r, 1))->op != OP_CONST) {
            VEC_PUSH(g->arena, q->found, r);
        }
        for (int k = 0;
             k < NODE(g, r)->nargs && NODE(g, r)->op != OP_REDUCE && NODE(g, r)->op != OP_READ;
             k++) {
            walk_add(walk, ARG(g, r, k));
        }
    }
}

static bool is_one(const Graph *g, Ref r) {
    double v;
    return graph_is_real(g, r, &v) && v == 1;
}

/* Is it one of several by the same divisor that may become products? */
static bool is_shared(const Quotients *q, Ref r, bool derivative) {
    const Graph *g = q->g;
    Ref by = ARG(g, r, 1);
    int n = 0;
    bool inverse = derivative;
    for (int k = 0; k < q->found.n; k++) {
        Ref o = q->found.at[k];
        n += ARG(g, o, 1) == by;
        inverse = inverse || (ARG(g, o, 1) == by && NODE(g, ARG(g, o, 0))->op == OP_CONST);
    }
    return n > 1 && inverse && !is_one(g, ARG(g, r, 0));
}

static Ref with_inverses(Quotients *q, Ref term, bool derivative) {
    Graph *g = q->g;
    for (int turn = 0; turn < MOST_QUOTIENTS; turn++) {
        VEC(Ref) from = {0}, to = {0};
        find(q, term);
        for (int k = 0; k < q->found.n && q->found.n <= MOST_QUOTIENTS; k++) {
            Ref r = q->found.at[k];
            if (!is_shared(q, r, derivative)) {
                continue;
            }
            if (from.n && NODE(g, r)->height < NODE(g, from.at[0])->height) {
                from.n = 0; /* of those in each other, the inner ones first */
            }
            if (!from.n || NODE(g, r)->height == NODE(g, from.at[0])->height) {
                VEC_PUSH(g->arena, from, r);
            }
        }
        if (!from.n) {
            break;
        }
        for (int k = 0; k < from.n; k++) {
            Ref over = ARG(g, from.at[k], 0), by = ARG(g, from.at[k], 1),
                one = graph_real(g, (ValueType)NODE(g, by)->type, 1),
                inverse = graph_op2(g, OP_div, one, by);
            VEC_PUSH(g->arena, to, graph_op2(g, OP_mul, over, inverse));
        }
        term = graph_subst(g, term, from.n, from.at, to.at);
    }
    return term;
}

void inverse_share(Graph *g, int n, const ArrayRef *roots) {
    Quotients q = {.g = g};
    Order order = graph_order(g, n, roots);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int p = 0; p < ARRAY(g, a)->pieces.n; p++) {
            Ref body = with_inverses(&q, ARRAY(g, a)->pieces.at[p].body, ARRAY(g, a)->order > 0);
            ARRAY(g, a)->pieces.at[p].body = body;
        }
    }
}
