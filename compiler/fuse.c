/* fuse: which arrays need no memory of their own.
 * In: the simplified graph. Out: the same, where an array that costs nothing, or that is read once
 * and as often as it has entries, is computed in the place where it is read. */
#include "gen.h"
#include "kernel.h"
#include "ops.h"

/* ---- which arrays need no memory: they are computed where they are read
 * ------------------------------------------------ */

typedef struct Fuse {
    Graph *g;
    bool *into;   /* by array: computed where it is read */
    int *readers; /* by array: how many terms read it, at different places */
    bool *loose;  /* by array: some read is inside more loops than its own */
    bool *circle; /* by array: a recurrence */
} Fuse;

int term_node_cost(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    int cost = n->op == OP_REDUCE || n->op == OP_EXTERN || n->op == OP_KERNEL ? 1000
               : n->type == VALUE_INT || n->op < OP_FIRST_SCALAR              ? 0
               : n->op == OP_div                                              ? 4
               : op_info[n->op].cheap                                         ? 1
                                                                              : 20;
    if (n->op == OP_CHECKED || n->op == OP_trunc) {
        cost = 4;
    }
    return cost;
}

int term_cost(const Graph *g, Ref r, int budget) {
    const Node *n = NODE(g, r);
    int cost = term_node_cost(g, r);
    for (int k = 0; k < n->nargs && cost <= budget; k++) {
        cost += term_cost(g, ARG(g, r, k), budget - cost);
    }
    return cost;
}

static bool term_has_reduction(const Graph *g, Ref r) {
    return NODE(g, r)->depth > 0;
}

/* Every read in the term with the indices in force around it: does its place name them all? */
static void note_reads(Fuse *f, Ref root, int rank, const Ref *axis) {
    Graph *g = f->g;
    VEC(Ref) stack = {0}; /* each with how many of `bound` are in force: level */
    VEC(Ref) bound = {0};
    Walk walk = walk_start(g, 0);
    for (int k = 0; k < rank; k++) {
        VEC_PUSH(g->arena, bound, axis[k]);
    }
    VEC_PUSH(g->arena, stack, root);
    VEC(int) level = {0};
    VEC_PUSH(g->arena, level, bound.n);
    while (stack.n) {
        Ref r = stack.at[--stack.n];
        int nbound = level.at[--level.n];
        const Node n = *NODE(g, r);
        if (!walk_first(walk, r)) {
            continue;
        }
        bound.n = nbound;
        if (n.op == OP_READ) {
            f->readers[n.aux]++;
            for (int b = 0; b < nbound; b++) {
                bool placed = false;
                for (int k = 0; k < n.nargs; k++) {
                    placed = placed || graph_has_index(g, ARG(g, r, k), bound.at[b]);
                }
                if (!placed) {
                    f->loose[n.aux] = true;
                }
            }
        }
        if (n.op == OP_REDUCE) {
            bound.n = nbound;
            VEC_PUSH(g->arena, bound, ARG(g, r, 0));
            /* The body is walked at once, before others change `bound`. */
            Ref parts[2] = {ARG(g, r, 1), ARG(g, r, 2)};
            for (int k = 0; k < 2; k++) {
                VEC_PUSH(g->arena, stack, parts[k]);
                VEC_PUSH(g->arena, level, nbound + 1);
            }
            continue;
        }
        for (int k = 0; k < n.nargs; k++) {
            VEC_PUSH(g->arena, stack, ARG(g, r, k));
            VEC_PUSH(g->arena, level, nbound);
        }
    }
}

bool fuse_is_result(const Graph *g, ArrayRef a) {
    if (ARRAY(g, a)->is_output || ARRAY(g, a)->role != ARRAY_INTERNAL) {
        return true;
    }
    for (int k = 0; k < g->requests.n; k++) {
        for (int q = 0; q < g->requests.at[k].result.n; q++) {
            if (g->requests.at[k].result.at[q] == a) {
                return true;
            }
        }
    }
    return false;
}

static bool whole_box(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    if (x->pieces.n != 1) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        const Poly *end = poly_sub(g->arena, x->extent[k], poly_int(g->arena, 1));
        if (!poly_equal(x->pieces.at[0].lo[k], poly_int(g->arena, 0)) ||
            !poly_equal(x->pieces.at[0].hi[k], end)) {
            return false;
        }
    }
    return true;
}

/* Is a one box, outside of which it is never read? (back[t + 1] starts at 1 and is never read at
 * 0.) A derivative is 0 where no piece says more, and may be read there. */
bool fuse_is_one_piece(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->pieces.n == 1 && (x->order == 0 || x->within || whole_box(g, a));
}

bool term_is_contraction(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    if (n->op != OP_REDUCE || n->aux != RED_SUM || NODE(g, ARG(g, r, 2))->op != OP_mul) {
        return false;
    }
    Ref body = ARG(g, r, 2);
    return NODE(g, ARG(g, body, 0))->op == OP_READ && NODE(g, ARG(g, body, 1))->op == OP_READ &&
           ARG(g, body, 0) != ARG(g, body, 1);
}

/* Does the term read a recurrence at one place of an axis? Who is given its value needs no history
 * of the recurrence. */
static bool reads_end(const Fuse *f, Ref term) {
    Graph *g = f->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Ref *free;
        for (int k = 0; k < NODE(g, r)->nargs; k++) {
            if (NODE(g, r)->op == OP_READ && f->circle[NODE(g, r)->aux] &&
                graph_free(g, ARG(g, r, k), &free) == 0) {
                return true;
            }
            walk_add(walk, ARG(g, r, k));
        }
    }
    return false;
}

static Ref fuse_read(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Fuse *f = user;
    if (!f->into[a]) {
        return 0;
    }
    const Array *x = ARRAY(g, a);
    return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
}

void fuse_arrays(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order(g, n, roots);
    size_t all = (size_t)g->arrays.n + 1;
    Fuse f = {.g = g};
    f.into = arena_alloc(g->arena, all * sizeof *f.into);
    f.readers = arena_alloc(g->arena, all * sizeof *f.readers);
    f.loose = arena_alloc(g->arena, all * sizeof *f.loose);
    f.circle = arena_alloc(g->arena, all * sizeof *f.circle);
    bool *keep_shape = arena_alloc(g->arena, all * sizeof *keep_shape);
    for (int k = 0; k < order.n; k++) {
        const Array *x = ARRAY(g, order.array[k]);
        for (int q = 0; q < x->pieces.n; q++) {
            Ref root = ARRAY(g, order.array[k])->pieces.at[q].body;
            if (NODE(g, root)->op == OP_KERNEL) { /* what is given is filled in entry by entry, the
                                                     matrix stays where it lies */
                Ref matrix = kernel_matrix(g, root);
                if (matrix) {
                    note_reads(&f, matrix, 0, NULL);
                    f.loose[NODE(g, matrix)->aux] = keep_shape[NODE(g, matrix)->aux] = true;
                }
                root = kernel_given(g, root) ? nest_given(g, order.array[k]) : 0;
            }
            if (root) {
                note_reads(&f, root, x->rank, ARRAY(g, order.array[k])->axis);
            }
            if (ARRAY(g, order.array[k])->pieces.at[q].guard) {
                note_reads(&f, ARRAY(g, order.array[k])->pieces.at[q].guard, 0, NULL);
            }
            Ref body = ARRAY(g, order.array[k])->pieces.at[q].body;
            if (term_is_contraction(g, body) &&
                ARRAY(g, order.array[k])->rank > 1) { /* its factors must stay reads */
                Ref product = ARG(g, body, 2);
                keep_shape[NODE(g, ARG(g, product, 0))->aux] =
                    keep_shape[NODE(g, ARG(g, product, 1))->aux] = true;
            }
        }
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        bool circle = (k > 0 && order.component[k - 1] == order.component[k]) ||
                      (k + 1 < order.n && order.component[k + 1] == order.component[k]) ||
                      graph_reads_itself(g, a);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Ref body = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[q].body, fuse_read, &f);
            Ref guard = ARRAY(g, a)->pieces.at[q].guard;
            guard = guard ? graph_rewrite_reads(g, guard, fuse_read, &f) : 0;
            Ref live = ARRAY(g, a)->pieces.at[q].live;
            live = live ? graph_rewrite_reads(g, live, fuse_read, &f) : 0;
            ARRAY(g, a)->pieces.at[q].live = live;
            ARRAY(g, a)->pieces.at[q].body = graph_cast(g, ARRAY(g, a)->type, body);
            ARRAY(g, a)->pieces.at[q].guard = guard && !graph_is_true(g, guard) ? guard : 0;
        }
        f.circle[a] = circle;
        if (circle || ARRAY(g, a)->rank == 0 || fuse_is_result(g, a) || !fuse_is_one_piece(g, a) ||
            NODE(g, ARRAY(g, a)->pieces.at[0].body)->height >= 4 * MOST_HEIGHT || kernel_is(g, a) ||
            reads_end(&f, ARRAY(g, a)->pieces.at[0].body)) {
            continue;
        }
        Ref body = ARRAY(g, a)->pieces.at[0].body;
        int cost = term_cost(g, body, 64);
        if (cost == 0 && (ARRAY(g, a)->within || whole_box(g, a))) {
            f.into[a] = true;
        } else if (!keep_shape[a] && !term_has_reduction(g, body) &&
                   (cost <= 3 || (f.readers[a] == 1 && !f.loose[a]))) {
            f.into[a] = true;
        }
    }
}
