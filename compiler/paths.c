/* paths: what leads to what, for both directions of differentiation.
 * In: the array of a term and the arrays to differentiate by. Out: the arrays on differentiable
 * paths between them; and, on request, their terms made into trees: every shared term and every
 * reduction becomes an array of its own. */
#include "paths.h"
#include "kernel.h"
#include "ops.h"
#include <stdlib.h>
#include <string.h>

typedef VEC(ArrayRef) ArrayList;

bool paths_is_by(Paths *s, ArrayRef a) {
    if (!s->is_by && s->nby) {
        ArrayRef last = 0;
        for (int k = 0; k < s->nby; k++) {
            last = s->by[k] > last ? s->by[k] : last;
        }
        s->nis_by = (int)last + 1;
        s->is_by = arena_alloc(s->g->arena, (size_t)s->nis_by * sizeof *s->is_by);
        for (int k = 0; k < s->nby; k++) {
            s->is_by[s->by[k]] = true;
        }
    }
    return (int)a < s->nis_by && s->is_by[a];
}

/* ---- what leads to what
 * ---------------------------------------------------------------------------------------------- */

/* Is the k-th argument of a node on a differentiable path? Positions, conditions and integers are
 * not. */
bool paths_smooth(const Graph *g, Ref r, int k) {
    const Node *n = NODE(g, r);
    if (n->type < VALUE_FLOAT || n->op == OP_READ) {
        return false;
    }
    if (n->op == OP_SELECT) {
        return k > 0;
    }
    if (n->op == OP_REDUCE) {
        return k == 2;
    }
    if (n->op >= OP_FIRST_SCALAR && op_info[n->op].flat) {
        return false;
    }
    return NODE(g, ARG(g, r, k))->type >= VALUE_FLOAT;
}

bool paths_lead(Paths *s, Ref r) {
    Graph *g = s->g;
    while (s->leads.n <= (int)r) {
        VEC_PUSH(g->arena, s->leads, 0);
    }
    if (s->leads.at[r]) {
        return s->leads.at[r] == 2;
    }
    const Node *n = NODE(g, r);
    bool yes = n->op == OP_READ && (int)n->aux < s->nactive && s->active[n->aux];
    for (int k = 0; k < n->nargs && !yes; k++) {
        yes = paths_smooth(g, r, k) && paths_lead(s, ARG(g, r, k));
    }
    s->leads.at[r] = yes ? 2 : 1;
    return yes;
}

void paths_into(Walk walk, Ref r) {
    for (int k = 0; k < NODE(walk.g, r)->nargs; k++) {
        if (paths_smooth(walk.g, r, k)) {
            walk_add(walk, ARG(walk.g, r, k));
        }
    }
}

/* Arrays read on differentiable paths of a term. */
static void smooth_reads(Walk walk, Ref term, ArrayRef *out, int *n, int *listed, int now) {
    Graph *g = walk.g;
    walk_add(walk, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ) {
            if (listed[NODE(g, r)->aux] != now) {
                listed[NODE(g, r)->aux] = now;
                out[(*n)++] = NODE(g, r)->aux;
            }
            continue;
        }
        paths_into(walk, r);
    }
}

static void fill_rules(Graph *g, ArrayRef of, ArrayRef twin);
static void refuse_held(Paths *s, ArrayRef twin);

/* The rules of all arrays below `root` that are still to be made. */
static void make_rules(Graph *g, ArrayRef root) {
    if (!g->make_rules) {
        return;
    }
    ArrayList list = {0};
    VEC(bool) listed = {0};
    VEC_PUSH(g->arena, list, root);
    for (int k = 0; k < list.n; k++) {
        ArrayRef a = list.at[k], of = ARRAY(g, a)->rules_of;
        while ((int)listed.n < g->arrays.n) {
            VEC_PUSH(g->arena, listed, false);
        }
        if (listed.at[a]) {
            continue;
        }
        listed.at[a] = true;
        graph_need_rules(g, of ? of : a);
        if (of) {
            ARRAY(g, a)->rules_of = 0;
            fill_rules(g, of, a);
        }
        const ArrayRef *reads;
        int n = graph_array_reads(g, a, &reads);
        for (int q = 0; q < n; q++) {
            VEC_PUSH(g->arena, list, reads[q]);
        }
        for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
            VEC_PUSH(g->arena, list, ARRAY(g, a)->rules.at[q].by);
        }
    }
}

/* Marks the arrays that lie on a differentiable path from `root` to some `by`; definitions of `by`
 * are not followed. */
void paths_find(Paths *s, ArrayRef root) {
    Graph *g = s->g;
    make_rules(g, root);
    size_t all = (size_t)g->arrays.n;
    bool *met = arena_alloc(g->arena, all * sizeof *met);
    ArrayRef *list = arena_alloc(g->arena, all * sizeof *list);
    ArrayRef **reads = arena_alloc(g->arena, all * sizeof *reads);
    int *nreads = arena_alloc(g->arena, all * sizeof *nreads), n = 0;
    int *listed = arena_alloc(
        g->arena,
        all * sizeof *listed); /* by array: the last reader that listed it, counted from 1 */
    ArrayRef *out = arena_alloc(g->arena, all * sizeof *out);
    list[n++] = root, met[root] = true;
    for (int k = 0; k < n; k++) {
        ArrayRef a = list[k];
        if (paths_is_by(s, a)) {
            continue;
        }
        Walk walk = walk_start(g, 0);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            smooth_reads(walk, ARRAY(g, a)->pieces.at[q].body, out, &nreads[a], listed, k + 1);
        }
        for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
            ArrayRef x = ARRAY(g, a)->rules.at[q].by;
            if (listed[x] != k + 1) {
                listed[x] = k + 1;
                out[nreads[a]++] = x;
            }
        }
        reads[a] = arena_alloc(g->arena, (size_t)(nreads[a] + 1) * sizeof *out);
        memcpy(reads[a], out, (size_t)nreads[a] * sizeof *out);
        for (int q = 0; q < nreads[a]; q++) {
            if (!met[out[q]]) {
                met[out[q]] = true;
                list[n++] = out[q];
            }
        }
    }
    s->active = arena_alloc(g->arena, all * sizeof *s->active);
    s->nactive = (int)all;
    for (int k = 0; k < s->nby; k++) {
        s->active[s->by[k]] = met[s->by[k]];
    }
    for (bool again = true;
         again;) { /* backwards over the list until nothing changes: circles need a few rounds */
        again = false;
        for (int k = n - 1; k >= 0; k--) {
            ArrayRef a = list[k];
            for (int q = 0; q < nreads[a] && !s->active[a]; q++) {
                if (s->active[reads[a][q]]) {
                    s->active[a] = again = true;
                }
            }
        }
    }
    for (int k = 0; k < n && g->holds; k++) {
        refuse_held(s, list[k]);
    }
}

/* ---- lifting: shared terms and reductions become arrays
 * ------------------------------------------------------------------ */

static const char *lift_suffix(const Node *n) {
    static const char *const reductions[RED_COUNT] = {"sum",    "prod",   "max", "min",
                                                      "argmax", "argmin", "lse", "first"};
    return n->op == OP_REDUCE         ? reductions[n->aux]
           : n->op == OP_EXTERN       ? "call"
           : n->op >= OP_FIRST_SCALAR ? op_info[n->op].name
                                      : "part";
}

typedef struct Region { /* the nodes of one term down to reads and reductions, users before
                           arguments */
    VEC(Ref) node;
    VEC(Ref) need; /* the condition under which each is wanted where the term is; 0: always */
    VEC(int) users;
} Region;

static int region_place(const Region *x, Ref r) { /* nodes descend by Ref */
    int lo = 0, hi = x->node.n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (x->node.at[mid] > r) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < x->node.n && x->node.at[lo] == r ? lo : -1;
}

static int falling(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static Region region_of(Paths *s, Ref root) {
    Graph *g = s->g;
    Region x = {0};
    Walk walk = walk_start(g, root);
    for (Ref r; (r = walk_next(walk));) {
        if (!paths_lead(s, r)) {
            continue;
        }
        VEC_PUSH(g->arena, x.node, r);
        if (NODE(g, r)->op == OP_REDUCE || NODE(g, r)->op == OP_READ) {
            continue;
        }
        paths_into(walk, r);
    }
    qsort(x.node.at, (size_t)x.node.n, sizeof *x.node.at, falling);
    bool *wanted = arena_alloc(g->arena, (size_t)x.node.n * sizeof *wanted + 1);
    for (int k = 0; k < x.node.n; k++) {
        VEC_PUSH(g->arena, x.need, 0);
        VEC_PUSH(g->arena, x.users, k == 0 ? 1 : 0);
    }
    wanted[0] = true;
    for (int k = 0; k < x.node.n; k++) {
        Ref r = x.node.at[k];
        if (NODE(g, r)->op == OP_REDUCE || NODE(g, r)->op == OP_READ) {
            continue;
        }
        for (int q = 0; q < NODE(g, r)->nargs; q++) {
            int p = paths_smooth(g, r, q) ? region_place(&x, ARG(g, r, q)) : -1;
            if (p < 0) {
                continue;
            }
            Ref need = x.need.at[k];
            if (NODE(g, r)->op == OP_SELECT) {
                Ref c = q == 1 ? ARG(g, r, 0) : graph_not(g, ARG(g, r, 0));
                need = need ? graph_and(g, need, c) : c;
            }
            x.users.at[p]++;
            if (!wanted[p]) {
                x.need.at[p] = need;
            } else if (x.need.at[p]) {
                x.need.at[p] = need ? graph_op2(g, OP_or, x.need.at[p], need) : 0;
                if (x.need.at[p] && graph_is_true(g, x.need.at[p])) {
                    x.need.at[p] = 0;
                }
            }
            wanted[p] = true;
        }
    }
    return x;
}

/* An operation of many instructions. */
static bool is_dear(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op == OP_REDUCE || (n->op >= OP_FIRST_SCALAR && !op_info[n->op].cheap);
}

static bool worth_lifting(const Graph *g, Ref r, int users, bool dear) {
    const Node *n = NODE(g, r);
    if (n->op == OP_REDUCE || (dear && is_dear(g, r))) {
        return true;
    }
    return users > 1 && n->op != OP_READ && n->op != OP_CAST && n->op != OP_neg;
}

/* How many nodes are left of the k-th, with those arguments that are arrays now. */
static int size_without(const Graph *g, const Region *x, int k, const int *size) {
    Ref r = x->node.at[k];
    const Node *n = NODE(g, r);
    int sum = 1;
    if (n->op == OP_REDUCE || n->op == OP_READ) {
        return 1;
    }
    for (int q = 0; q < n->nargs; q++) {
        int at = paths_smooth(g, r, q) ? region_place(x, ARG(g, r, q)) : -1;
        sum += at < 0 ? 1 : size[at];
    }
    return sum < MOST_SIZE ? sum : MOST_SIZE;
}

/* Replaces shared terms and reductions below the root of one piece by reads of new arrays, which
 * are lifted in their turn. */
void paths_lift(Paths *s, ArrayRef a) {
    Graph *g = s->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Piece p = ARRAY(g, a)->pieces.at[q];
        if (!paths_lead(s, p.body) || NODE(g, p.body)->op == OP_KERNEL) {
            continue;
        }
        Scope scope = scope_of_piece(g, a, &p);
        Ref index[8], condition[8], term = p.body;
        Reduction kind[8];
        int opened = 0;
        /* One of several pieces is no value that has a name. */
        bool dear = ARRAY(g, a)->order >= s->dear_from;
        bool root_too = ARRAY(g, a)->pieces.n > 1 &&
                        (NODE(g, term)->op == OP_REDUCE || (dear && is_dear(g, term)));
        do { /* the reduction at the root stays, and so do sums right inside a sum */
            if (NODE(g, term)->op != OP_REDUCE || root_too) {
                break;
            }
            kind[opened] = (Reduction)NODE(g, term)->aux;
            index[opened] = graph_open(g, term, &condition[opened], &term);
            scope_add(g, &scope, index[opened], NULL, NULL);
            scope_guard(g, &scope, condition[opened]);
            opened++;
        } while (opened < 8 && kind[opened - 1] == RED_SUM && NODE(g, term)->op == OP_REDUCE &&
                 NODE(g, term)->aux == RED_SUM);
        Region x = region_of(s, term);
        Subst *lifted = graph_subst_start(g);
        bool any = false;
        int *size = arena_alloc(g->arena, (size_t)(x.node.n + 1) * sizeof *size);
        for (int k = x.node.n - 1; k >= (opened || root_too ? 0 : 1); k--) { /* arguments first */
            Ref r = x.node.at[k];
            size[k] = size_without(g, &x, k, size);
            if (!worth_lifting(g, r, x.users.at[k], dear && !opened) && size[k] < MOST_SIZE) {
                continue;
            }
            size[k] = 1;
            Ref body = any ? graph_subst_all(lifted, r) : r, read;
            Scope around = scope_copy(g, &scope);
            around.guard = graph_both(g, scope.guard, x.need.at[k]);
            Scope part = scope_part(g, &around, 1, &body);
            const char *name =
                arena_format(g->arena, "%s_%s", ARRAY(g, a)->name, lift_suffix(NODE(g, r)));
            ArrayRef made = graph_array_over(g, name, &part, body, p.at, &read);
            ARRAY(g, made)->order = ARRAY(g, a)->order;
            ARRAY(g, made)->derived = true;
            if (made >= (ArrayRef)s->nactive) {
                bool *grown = arena_alloc(g->arena, (size_t)made * 2);
                memcpy(grown, s->active, (size_t)s->nactive);
                s->active = grown, s->nactive = (int)made * 2;
            }
            s->active[made] = true;
            graph_subst_add(lifted, r, read);
            any = true;
        }
        if (any) {
            term = graph_subst_all(lifted, term);
            while (opened > 0) {
                opened--;
                term = graph_reduce(g, kind[opened], index[opened], condition[opened], term);
            }
            ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, term);
        }
        graph_subst_end(lifted);
    }
}

/* ---- functions of C
 * ------------------------------------------------------------------------------------------------------
 */

void paths_rule_box(Graph *g, ArrayRef a, const Poly **lo, const Poly **hi) {
    const Array x = *ARRAY(g, a);
    for (int k = 0; k < x.rank; k++) {
        bool same = x.pieces.n > 0;
        for (int q = 1; q < x.pieces.n; q++) {
            same = same && poly_equal(x.pieces.at[q].lo[k], x.pieces.at[0].lo[k]) &&
                   poly_equal(x.pieces.at[q].hi[k], x.pieces.at[0].hi[k]);
        }
        lo[k] = same ? x.pieces.at[0].lo[k] : poly_int(g->arena, 0);
        hi[k] =
            same ? x.pieces.at[0].hi[k] : poly_sub(g->arena, x.extent[k], poly_int(g->arena, 1));
    }
}

bool paths_refuse(Paths *s, Ref r, Span at) {
    Graph *g = s->g;
    const Node n = *NODE(g, r);
    if (n.op != OP_EXTERN) {
        return false;
    }
    const Extern x = g->externs.at[n.aux];
    for (int k = 0; k < n.nargs; k++) {
        if (x.lacks[k] || !paths_smooth(g, r, k) || !paths_lead(s, ARG(g, r, k))) {
            continue;
        }
        x.lacks[k] = true;
        error_at(g->cx, at, "a derivative is taken through '%s' of %s, which has no partial by it",
                 x.arg_name[k], x.name);
        note_at(g->cx, x.arg_at[k], "declared here");
    }
    return true;
}

/* ---- parts of both
 * --------------------------------------------------------------------------------------------------------
 */

void paths_require(Graph *g, Ref *all, Op op, const Poly *x, const Poly *y) {
    const Poly *d = poly_sub(g->arena, y, x);
    const Poly *facts[32];
    int n = *all ? graph_facts(g, *all, true, facts, 32) : 0;
    if (op == OP_le && graph_prove(g, d, n, facts)) {
        return;
    }
    Ref c = graph_op2(g, op, graph_of_poly(g, x), graph_of_poly(g, y));
    *all = *all ? graph_and(g, *all, c) : c;
}

/* The product of all entries but the index's own, for the rule of prod: those before times those
 * behind, so that zeros do no harm. */
Ref paths_others(Graph *g, const Scope *all, Ref condition, Ref body, Span at) {
    Ref index = all->index[all->n - 1], side[2];
    const Poly *extent = EXTENT(g, index), *one = poly_int(g->arena, 1),
               *zero = poly_int(g->arena, 0);
    ValueType type = (ValueType)NODE(g, body)->type;
    Ref y = graph_select(g, condition, body, graph_real(g, type, 1));
    Scope part = scope_part(g, all, 2, (Ref[]){y, index});
    int last = part.n - 1;
    for (int up = 0; up < 2; up++) { /* 0: the product of those before, 1: of those behind */
        Ref there;
        Scope first = scope_copy(g, &part);
        const Poly *end = poly_sub(g->arena, extent, one);
        first.lo[last] = first.hi[last] = up ? end : zero;
        ArrayRef a = graph_array_over(g, up ? "behind" : "before", &first, graph_real(g, type, 1),
                                      at, &there);
        Array *array = ARRAY(g, a);
        Ref *positions = arena_alloc(g->arena, (size_t)part.n * sizeof *positions);
        memcpy(positions, array->axis, (size_t)part.n * sizeof *positions);
        Ref beside = graph_op2(g, up ? OP_add : OP_sub, array->axis[last], graph_int(g, 1));
        positions[last] = beside;
        Ref body_there = graph_op2(g, OP_mul, graph_read(g, a, positions),
                                   graph_subst(g, y, part.n, part.index, positions));
        const Poly **lo = arena_alloc(g->arena, (size_t)part.n * sizeof *lo),
                   **hi = arena_alloc(g->arena, (size_t)part.n * sizeof *hi);
        for (int k = 0; k < part.n; k++) {
            lo[k] = part.lo[k], hi[k] = part.hi[k];
        }
        lo[last] = up ? zero : one;
        hi[last] = up ? poly_sub(g->arena, end, one) : end;
        if (graph_piece(g, a, lo, hi, body_there, at) && ARRAY(g, a)->pieces.n > 1) {
            ARRAY(g, a)->pieces.at[1].guard = ARRAY(g, a)->pieces.at[0].guard;
        }
        side[up] = there;
    }
    return graph_op2(g, OP_mul, side[0], side[1]);
}

Ref paths_extreme(Graph *g, const Scope *all, Reduction kind, Ref index, Ref condition, Ref body,
                  Span at) {
    Ref best = graph_reduce(g, kind == RED_MAX ? RED_ARGMAX : RED_ARGMIN, index, condition, body),
        read;
    if (!all) {
        return best;
    }
    Scope part = scope_part(g, all, 1, &best);
    ArrayRef a =
        graph_array_over(g, kind == RED_MAX ? "greatest" : "least", &part, best, at, &read);
    ARRAY(g, a)->derived = true;
    ARRAY(g, a)->target = EXTENT(g, index);
    return read;
}

int paths_steady_axes(Graph *g, const Order *order, int lo, int hi) {
    bool *in = arena_alloc(g->arena, (size_t)g->arrays.n * sizeof *in);
    int steady = INT32_MAX;
    for (int k = lo; k < hi; k++) {
        in[order->array[k]] = true;
        steady =
            ARRAY(g, order->array[k])->rank < steady ? ARRAY(g, order->array[k])->rank : steady;
    }
    for (int k = lo; k < hi; k++) {
        const Array *x = ARRAY(g, order->array[k]);
        Walk walk = walk_start(g, 0);
        for (int q = 0; q < x->pieces.n; q++) {
            walk_add(walk, x->pieces.at[q].body);
        }
        for (Ref r; (r = walk_next(walk));) {
            for (int q = 0; NODE(g, r)->op == OP_READ && in[NODE(g, r)->aux] && q < steady; q++) {
                steady = ARG(g, r, q) == x->axis[q] ? steady : q;
            }
            walk_into(walk, r);
        }
    }
    return steady;
}

/* ---- what is held
 * --------------------------------------------------------------------------------------------------------
 */

/* What is made of nothing held: a twin may have one too, where functions with rules call each
 * other. */
static ArrayRef last_twin(const Graph *g, ArrayRef a) {
    while (ARRAY(g, a)->twin) {
        a = ARRAY(g, a)->twin;
    }
    return a;
}

static Ref read_twin(Graph *g, void *user, ArrayRef array, const Ref *positions) {
    (void)user;
    ArrayRef twin = last_twin(g, array);
    return twin != array ? graph_read(g, twin, positions) : 0;
}

/* A term over the axes of a, over those of its twin; behind rules it is the same. */
static Ref twin_term(Graph *g, ArrayRef a, Ref term) {
    const Array x = *ARRAY(g, a);
    Ref with = x.has_rules ? term : graph_rewrite_reads(g, term, read_twin, NULL);
    return graph_subst(g, with, x.rank, x.axis, ARRAY(g, x.twin)->axis);
}

static void list_reads(Graph *g, Ref term, ArrayList *out) {
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ) {
            VEC_PUSH(g->arena, *out, NODE(g, r)->aux);
        }
        walk_into(walk, r);
    }
}

/* What an array's derivatives are made from: what it reads, or what its rules read. The body behind
 * rules of one's own is made from what is held by intention. */
static void list_made_from(Graph *g, ArrayRef a, ArrayList *out) {
    const ArrayRef *reads;
    int n = graph_array_reads(g, a, &reads);
    if (ARRAY(g, a)->has_rules && !ARRAY(g, a)->rules_later) {
        for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
            const ArrayRule rule = ARRAY(g, a)->rules.at[q];
            VEC_PUSH(g->arena, *out, rule.by);
            list_reads(g, rule.value, out);
        }
        return;
    }
    for (int k = 0; k < n;
         k++) { /* with rules that are still to be made: by what is held of the body */
        ArrayRef given = ARRAY(g, a)->rules_later ? ARRAY(g, reads[k])->twin : 0;
        VEC_PUSH(g->arena, *out, given ? given : reads[k]);
    }
}

static void make_twins(Graph *g, int n, const ArrayRef *roots);

/* The rules of `of`, for its twin: by what is made of nothing held. */
static void fill_rules(Graph *g, ArrayRef of, ArrayRef twin) {
    const Array x = *ARRAY(g, of);
    ArrayList reads = {0};
    list_made_from(g, of, &reads);
    if (x.rules.n) {
        make_twins(g, reads.n, reads.at);
    }
    for (int q = 0; q < x.rules.n; q++) {
        ArrayRule rule = ARRAY(g, of)->rules.at[q];
        Ref *lead = arena_alloc(g->arena, (size_t)(rule.nlead + 1) * sizeof *lead);
        for (int k = 0; k < rule.nlead; k++) {
            lead[k] = graph_subst(g, rule.lead[k], x.rank, x.axis, ARRAY(g, twin)->axis);
        }
        rule.lead = lead;
        rule.by = last_twin(g, rule.by);
        Ref value = graph_rewrite_reads(g, rule.value, read_twin, NULL);
        rule.value = graph_subst(g, value, x.rank, x.axis, ARRAY(g, twin)->axis);
        VEC_PUSH(g->arena, ARRAY(g, twin)->rules, rule);
    }
}

/* Adds what the array reads on differentiable paths. */
static void list_smooth(Graph *g, ArrayRef a, ArrayList *list, bool *listed) {
    Walk walk = walk_start(g, 0);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        walk_add(walk, ARRAY(g, a)->pieces.at[q].body);
    }
    for (Ref r; (r = walk_next(walk));) {
        ArrayRef b = NODE(g, r)->op == OP_READ ? NODE(g, r)->aux : 0;
        if (b && !listed[b]) {
            listed[b] = true;
            VEC_PUSH(g->arena, *list, b);
        }
        paths_into(walk, r);
    }
}

/* A twin with rules has the body of its original, which is made from what is held: right for the
 * arguments with rules, and a wrong 0 for others that depend on what a function around holds. */
static void refuse_held(Paths *s, ArrayRef twin) {
    Graph *g = s->g;
    if (!ARRAY(g, twin)->copy_of || !ARRAY(g, twin)->has_rules) {
        return;
    }
    size_t all = (size_t)g->arrays.n;
    ArrayList list = {0}, outside = {0};
    bool *listed = arena_alloc(g->arena, all * sizeof *listed),
         *own = arena_alloc(g->arena, all * sizeof *own),
         *met = arena_alloc(g->arena, all * sizeof *met);
    VEC_PUSH(g->arena, list, ARRAY(g, twin)->copy_of);
    for (int k = 0; k < list.n; k++) {
        ArrayRef a = list.at[k];
        Ref body = ARRAY(g, a)->pieces.n == 1 ? ARRAY(g, a)->pieces.at[0].body : 0;
        for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
            own[ARRAY(g, a)->rules.at[q].by] = true;
        }
        if (!body || NODE(g, body)->op != OP_held) {
            list_smooth(g, a, &list, listed);
        } else if (!own[NODE(g, ARG(g, body, 0))->aux]) {
            VEC_PUSH(g->arena, outside, last_twin(g, a));
        }
    }
    for (int k = 0; k < outside.n; k++) {
        ArrayRef a = outside.at[k];
        if (paths_is_by(s, a)) {
            error_at(
                g->cx, ARRAY(g, twin)->at,
                "a second derivative is taken through a call of this function, inside of one with "
                "rules of its own, by an argument that has no partial: not yet");
            return;
        }
        list_smooth(g, a, &outside, met);
        for (int q = 0; q < ARRAY(g, a)->rules.n; q++) {
            ArrayRef by = ARRAY(g, a)->rules.at[q].by;
            if (!met[by]) {
                met[by] = true;
                VEC_PUSH(g->arena, outside, by);
            }
        }
    }
}

/* The pieces and rules of a twin. Behind rules, the body is the same. */
static void fill_twin(Graph *g, ArrayRef a) {
    const Array x = *ARRAY(g, a);
    for (int q = 0; q < x.pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        Ref body = twin_term(g, a, p.body);
        if (graph_piece(g, x.twin, p.lo, p.hi, body, p.at)) {
            Ref guard = p.guard ? twin_term(g, a, p.guard) : 0;
            ARRAY(g, x.twin)->pieces.at[q].guard = guard;
        }
    }
    ARRAY(g, x.twin)->has_rules = x.has_rules;
    if (x.rules_later || x.rules_of) {
        ARRAY(g, x.twin)->rules_of = x.rules_of ? x.rules_of : a;
    } else {
        fill_rules(g, a, x.twin);
    }
}

/* Makes the twins that are missing of these arrays and of all that they are made from. */
static void make_twins(Graph *g, int n, const ArrayRef *roots) {
    ArrayList list = {0}, reads = {0};
    VEC(int) start = {0}; /* in `reads`, by place in the list */
    size_t all = (size_t)g->arrays.n;
    bool *listed = arena_alloc(g->arena, all * sizeof *listed),
         *wanted = arena_alloc(g->arena, all * sizeof *wanted);
    for (int k = 0; k < n; k++) {
        if (!listed[roots[k]]) {
            listed[roots[k]] = true;
            VEC_PUSH(g->arena, list, roots[k]);
        }
    }
    for (int k = 0; k < list.n; k++) {
        VEC_PUSH(g->arena, start, reads.n);
        if (ARRAY(g, list.at[k])->twin) {
            VEC_PUSH(g->arena, reads, ARRAY(g, list.at[k])->twin);
        } else {
            list_made_from(g, list.at[k], &reads);
        }
        for (int q = start.at[k]; q < reads.n; q++) {
            if (!listed[reads.at[q]]) {
                listed[reads.at[q]] = true;
                VEC_PUSH(g->arena, list, reads.at[q]);
            }
        }
    }
    VEC_PUSH(g->arena, start, reads.n);
    for (bool again = true;
         again;) { /* backwards until nothing changes: circles need a few rounds */
        again = false;
        for (int k = list.n - 1; k >= 0; k--) {
            ArrayRef a = list.at[k];
            for (int q = start.at[k]; q < start.at[k + 1] && !wanted[a] && !ARRAY(g, a)->twin;
                 q++) {
                wanted[a] = wanted[reads.at[q]] || ARRAY(g, reads.at[q])->twin;
                again = again || wanted[a];
            }
        }
    }
    for (int k = 0; k < list.n; k++) { /* handles first: the arrays may read each other */
        if (!wanted[list.at[k]]) {
            continue;
        }
        const Array x = *ARRAY(g, list.at[k]);
        const char **names = arena_alloc(g->arena, (size_t)(x.rank + 1) * sizeof *names);
        for (int q = 0; q < x.rank; q++) {
            names[q] = g->indices.at[NODE(g, x.axis[q])->aux].name;
        }
        ArrayRef t = graph_array(g, arena_format(g->arena, "%s_twin", x.name), x.type, x.rank,
                                 x.extent, names);
        ARRAY(g, t)->at = x.at, ARRAY(g, t)->order = x.order,
                 ARRAY(g, t)->adjoint_of = x.adjoint_of;
        ARRAY(g, t)->copy_of = x.copy_of ? x.copy_of : list.at[k];
        ARRAY(g, t)->counts = x.counts, ARRAY(g, t)->least = x.least;
        ARRAY(g, t)->target = x.target;
        ARRAY(g, list.at[k])->twin = t;
    }
    for (int k = list.n - 1; k >= 0; k--) {
        if (wanted[list.at[k]]) {
            fill_twin(g, list.at[k]);
        }
    }
    for (int k = 0; k < list.n;
         k++) { /* the end of an iteration comes after what it is found from */
        const Array x = *ARRAY(g, list.at[k]);
        for (int q = 0; q < x.pieces.n && wanted[list.at[k]]; q++) {
            Ref live = x.pieces.at[q].live ? twin_term(g, list.at[k], x.pieces.at[q].live) : 0;
            ARRAY(g, x.twin)->pieces.at[q].live = live;
        }
    }
}

Ref paths_release(Graph *g, Ref term) {
    if (!g->holds) {
        return term;
    }
    ArrayList roots = {0};
    list_reads(g, term, &roots);
    make_twins(g, roots.n, roots.at);
    return graph_rewrite_reads(g, term, read_twin, NULL);
}

void paths_release_arrays(Graph *g, ArrayRef first) {
    ArrayRef end = g->holds ? (ArrayRef)g->arrays.n : first;
    VEC(ArrayRef) reads = {0};
    for (ArrayRef a = first; a < end; a++) {
        const ArrayRef *list;
        int n = graph_array_reads(g, a, &list);
        for (int k = 0; k < n; k++) {
            if (list[k] < first) {
                VEC_PUSH(g->arena, reads, list[k]);
            }
        }
    }
    make_twins(g, reads.n, reads.at);
    for (ArrayRef a = first; a < end; a++) {
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, read_twin, NULL),
                guard = ARRAY(g, a)->pieces.at[q].guard;
            ARRAY(g, a)->pieces.at[q].body = body;
            guard = guard ? graph_rewrite_reads(g, guard, read_twin, NULL) : 0;
            ARRAY(g, a)->pieces.at[q].guard = guard;
        }
    }
}
