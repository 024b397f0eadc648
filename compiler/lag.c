/* lag: how far reads look back.
 * In: an array and the arrays of interest. Out: every read of them in its pieces, with what holds
 * there, and proofs of how the place of the read lies to the place that is computed. */
#include "gen.h"

static void find(Graph *g, const bool *of, ArrayRef by, int piece, Ref r, Ref condition,
                 Lags *lags) {
    const Node n = *NODE(g, r);
    if (n.op == OP_READ && of[n.aux]) {
        VEC_PUSH(g->arena, *lags, ((Lag){by, n.aux, piece, r, condition}));
    }
    if (n.op == OP_REDUCE) {
        Ref under, body;
        graph_open(g, r, &under, &body);
        find(g, of, by, piece, under, condition, lags);
        find(g, of, by, piece, body,
             graph_is_true(g, under) ? condition
             : condition             ? graph_and(g, condition, under)
                                     : under,
             lags);
        return;
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref a = ARG(g, r, k), also = condition;
        if (n.op == OP_SELECT && k > 0) {
            Ref s = k == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
            also = condition ? graph_and(g, condition, s) : s;
        }
        find(g, of, by, piece, a, also, lags);
    }
}

void lags_find(Graph *g, const bool *of, ArrayRef by, Lags *lags) {
    for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
        Piece p = ARRAY(g, by)->pieces.at[q];
        find(g, of, by, q, p.body, p.guard, lags);
        if (p.guard) {
            find(g, of, by, q, p.guard, 0, lags);
        }
    }
}

bool lag_prove(Graph *g, const Lag *l, const Poly *p) {
    const Poly *facts[48];
    if (poly_is_number(p, &(int64_t){0}, &(int64_t){0})) {
        return graph_prove(g, p, 0, NULL);
    }
    int n = l->condition ? graph_facts(g, l->condition, true, facts, 32) : 0;
    const Piece *piece = &ARRAY(g, l->by)->pieces.at[l->piece];
    for (int k = 0; k < ARRAY(g, l->by)->rank && n + 2 <= 48; k++) {
        const Poly *i = poly_var(g->arena, ARRAY(g, l->by)->axis[k]);
        facts[n++] = poly_sub(g->arena, i, piece->lo[k]);
        facts[n++] = poly_sub(g->arena, piece->hi[k], i);
    }
    return graph_prove(g, p, n, facts);
}
