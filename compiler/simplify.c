/* simplify: what needs a view of whole arrays. (Terms are simplified as they are made, see graph
 * and rewrite.) In: the graph with all derivatives expanded, so that the identity of arrays no
 * longer matters. Out: the same arrays, where copies are read through, equal arrays are one, what
 * the box of an equation says is not asked again in it, and an equation whose every read stands
 * under a condition has that condition. */
#include "axes.h"
#include "contract.h"
#include "demand.h"
#include "gather.h"
#include "inverse.h"
#include "likes.h"
#include "ops.h"
#include "passes.h"
#include "paths.h"
#include "pattern.h"
#include "pick.h"
#include "series.h"
#include "share.h"
#include "zeros.h"

/* The arrays that somebody outside asks for. */
static int wanted(Graph *g, ArrayRef **out) {
    VEC(ArrayRef) roots = {0};
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < g->requests.n; k++) {
        VEC_PUSH(g->arena, roots, g->requests.at[k].of);
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            VEC_PUSH(g->arena, roots, g->requests.at[k].result.at[q]);
        }
    }
    for (int k = 0; k < g->gradients.n; k++) {
        VEC_PUSH(g->arena, roots, g->gradients.at[k].result);
    }
    *out = roots.at;
    return roots.n;
}

static void ask_for_all(Graph *g, int n, const ArrayRef *arrays) {
    for (int k = 0; k < n; k++) {
        ARRAY(g, arrays[k])->asked = true;
    }
}

/* Marks these, and what derivatives are taken by: their identity is theirs to the end. */
static void mark_asked(Graph *g) {
    for (int k = 1; k < g->arrays.n; k++) {
        Array *a = &g->arrays.at[k];
        a->asked = a->is_output || a->role != ARRAY_INTERNAL;
    }
    for (int k = 0; k < g->requests.n; k++) {
        const Request *r = &g->requests.at[k];
        ask_for_all(g, r->result.n, r->result.at);
        ask_for_all(g, r->by.n, r->by.at);
    }
    for (int k = 0; k < g->gradients.n; k++) {
        const Gradient *d = &g->gradients.at[k];
        ask_for_all(g, 1, &d->result);
        ask_for_all(g, 1, &d->by); /* of dir: none, which is array 0 */
        for (int q = 0; q < d->along.n; q++) {
            ask_for_all(g, 1, &d->along.at[q].of);
        }
    }
}

/* Of arrays made since there is no asking. */
static bool is_asked_for(const Graph *g, ArrayRef a) {
    return ARRAY(g, a)->asked;
}

/* ---- comparisons that a box decides
 * ---------------------------------------------- */

/* Has it no variables but axes of x and sizes? */
static bool of_axes(Graph *g, const Array *x, Ref comparison) {
    for (int k = 0; k < 2; k++) {
        const uint32_t *vars;
        int n = poly_vars(g->arena, graph_poly(g, ARG(g, comparison, k)), &vars);
        for (int v = 0; v < n; v++) {
            bool known = NODE(g, vars[v])->op == OP_DIM;
            for (int axis = 0; axis < x->rank; axis++) {
                known = known || vars[v] == x->axis[axis];
            }
            if (!known) {
                return false;
            }
        }
    }
    return true;
}

/* A derivative keeps the box that it was asked for in as a condition: `1 <= t ? x : 0 for 1 <= t`,
 * the same fact twice. Comparisons in the body that follow from its box become true or false. */
static Ref decide(Graph *g, ArrayRef a, const Piece *p) {
    enum { ROOM = 32 };
    const Array *x = ARRAY(g, a);
    VEC(Ref) compare = {0}, from = {0}, to = {0};
    Walk walk = walk_start(g, p->body);
    for (Ref r; (r = walk_next(walk));) {
        const Node *n = NODE(g, r);
        if (n->op >= OP_FIRST_SCALAR && op_info[n->op].typing == TYPING_COMPARE &&
            NODE(g, ARG(g, r, 0))->type == VALUE_INT && of_axes(g, x, r)) {
            VEC_PUSH(g->arena, compare, r);
        }
        walk_into(walk, r);
    }
    const Poly *facts[ROOM];
    int nfacts = 0;
    for (int k = 0; k < x->rank && compare.n && nfacts + 2 <= ROOM; k++) {
        const Poly *axis = graph_poly(g, x->axis[k]);
        facts[nfacts++] = poly_sub(g->arena, axis, p->lo[k]);
        facts[nfacts++] = poly_sub(g->arena, p->hi[k], axis);
    }
    for (int k = 0; k < compare.n; k++) {
        for (int yes = 0; yes < 2; yes++) {
            const Poly *says[2];
            int n = graph_facts(g, compare.at[k], yes, says, 2), proved = 0;
            while (proved < n && graph_prove(g, says[proved], nfacts, facts)) {
                proved++;
            }
            if (n && proved == n) {
                VEC_PUSH(g->arena, from, compare.at[k]);
                VEC_PUSH(g->arena, to, graph_bool(g, yes));
                break;
            }
        }
    }
    return from.n ? graph_subst(g, p->body, from.n, from.at, to.at) : p->body;
}

static void decide_all(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order(g, n, roots);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            Ref body = decide(g, a, &p);
            ARRAY(g, a)->pieces.at[q].body = body;
        }
    }
}

/* ---- conditions under which an array is read: then it is computed under them
 * ---------------------------------------------- */

/* A term where a condition is known to hold. */
static Ref under(Graph *g, Ref term, Ref guard) {
    const Node n = *NODE(g, guard);
    if (n.op == OP_and) {
        Ref x = ARG(g, guard, 0), y = ARG(g, guard, 1);
        return under(g, under(g, term, x), y);
    }
    Ref from = n.op == OP_not ? ARG(g, guard, 0) : guard, to = graph_bool(g, n.op != OP_not);
    return graph_subst(g, term, 1, &from, &to);
}

/* Does some array that the condition reads need a itself? Those before a in the order do not, as
 * long as no array has a guard from behind it (place is NULL then). */
static bool needs_itself(Graph *g, const int *place, ArrayRef a, Ref condition, bool *behind) {
    VEC(ArrayRef) later = {0};
    Walk walk = walk_start(g, condition);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && (!place || place[NODE(g, r)->aux] >= place[a])) {
            VEC_PUSH(g->arena, later, NODE(g, r)->aux);
        }
        walk_into(walk, r);
    }
    *behind = later.n > 0;
    Order cone = graph_order(g, later.n, later.at);
    for (int k = 0; k < cone.n; k++) {
        if (cone.array[k] == a) {
            return true;
        }
    }
    return false;
}

/* What the box of a piece does not say already; 0: nothing. */
static Ref beside_box(Graph *g, ArrayRef a, const Piece *p, Ref guard) {
    const Poly *facts[16];
    int nfacts = 0;
    for (int k = 0; k < ARRAY(g, a)->rank && k < 8; k++) {
        const Poly *axis = poly_var(g->arena, ARRAY(g, a)->axis[k]);
        facts[nfacts++] = poly_sub(g->arena, axis, p->lo[k]);
        facts[nfacts++] = poly_sub(g->arena, p->hi[k], axis);
    }
    return graph_beside(g, guard, nfacts, facts);
}

static void set_guards(Graph *g, const Order *order) {
    const Ref *guard = demand_find(g, order, is_asked_for);
    int *place = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *place);
    for (int k = 0; k < order->n; k++) {
        place[order->array[k]] = order->component[k];
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef a = order->array[k];
        bool behind;
        if (!guard[a] || needs_itself(g, place, a, guard[a], &behind)) {
            continue;
        }
        place = behind ? NULL : place;
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            const Piece p = ARRAY(g, a)->pieces.at[q];
            Ref c = demand_narrow(g, guard[a], p.guard), body = under(g, p.body, c);
            ARRAY(g, a)->pieces.at[q].guard = beside_box(g, a, &p, c);
            ARRAY(g, a)->pieces.at[q].body = body;
        }
    }
}

/* Dear terms of derivatives become arrays, so that equal ones are found. */
static void lift_derivatives(Graph *g, int n, const ArrayRef *roots) {
    Paths all = {.g = g, .nactive = g->arrays.n, .dear_from = 2};
    Order order = graph_order(g, n, roots);
    all.active = arena_alloc(g->arena, (size_t)g->arrays.n + 1);
    for (int k = 0; k < order.n; k++) {
        all.active[order.array[k]] = true;
    }
    for (int k = 0; k < order.n; k++) {
        if (ARRAY(g, order.array[k])->order > 0) {
            paths_lift(&all, order.array[k]);
        }
    }
}

static void share_all(Graph *g, int n, const ArrayRef *roots) {
    Sharing *sharing = share_arrays(g, n, roots, is_asked_for);
    for (int k = 0; k < g->gradients.n; k++) {
        Gradient *d = &g->gradients.at[k];
        d->of = share_term(sharing, d->of);
        for (int q = 0; q < d->along.n; q++) {
            d->along.at[q].value = share_term(sharing, d->along.at[q].value);
        }
    }
}

void simplify_graph(Graph *g, bool to_check) {
    ArrayRef *roots, first_new = (ArrayRef)g->arrays.n;
    g->gradients.n = to_check ? g->gradients.n : 0;
    int n = wanted(g, &roots);
    mark_asked(g);
    decide_all(g, n, roots);
    zeros_drop(g, n, roots, is_asked_for);
    series_powers(g, n, roots);
    share_all(g, n, roots);
    series_nest(g, n, roots, is_asked_for);
    lift_derivatives(g, n, roots);
    share_all(g, n, roots);
    share_put_back(g, n, roots, is_asked_for, first_new);
    if (contract_arrays(g, n, roots, is_asked_for)) {
        share_all(g, n, roots);
    }
    if (gather_factors(g, n, roots, is_asked_for)) {
        share_all(g, n, roots);
    }
    if (pattern_sums(g, n, roots)) {
        share_all(g, n, roots);
    }
    if (pick_entries(g, n, roots, is_asked_for)) {
        share_all(g, n, roots);
    }
    Order order = graph_order(g, n, roots);
    set_guards(g, &order);
    if (axes_lessen(g, n, roots, is_asked_for)) {
        share_all(g, n, roots);
    }
    inverse_share(g, n, roots);
    likes_collect(g, n, roots);
    if (series_carry(g, n, roots, is_asked_for)) {
        share_all(g, n, roots);
    }
    series_ends(g, n, roots);
}
