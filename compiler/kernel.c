/* kernel: the table of kernels, and the arrays that they make.
 * In: a kernel, its arguments as terms over indices in force and slots. Out: a kernel array. */
#include "kernel.h"
#include "ops.h"
#include <string.h>

const KernelInfo kernel_info[KERNEL_COUNT] = {
    [KERNEL_LU] = {"lu", 2, false, 2, true},
    [KERNEL_LU_SOLVE] = {"lu_solve", 1, true, 1, false},
    [KERNEL_LU_SOLVE_T] = {"lu_solve_t", 1, true, 1, false},
    [KERNEL_LU_INVERSE] = {"lu_inverse", 2, true, 0, false},
    [KERNEL_LU_LOGDET] = {"lu_logdet", 0, true, 0, false},
    [KERNEL_CHOLESKY] = {"cholesky", 2, false, 2, true},
    [KERNEL_CHOLESKY_SOLVE] = {"cholesky_solve", 1, true, 1, false},
    [KERNEL_LOWER_SOLVE] = {"lower_solve", 1, true, 1, true},
    [KERNEL_LOWER_SOLVE_T] = {"lower_solve_t", 1, true, 1, true},
    [KERNEL_UPPER_SOLVE] = {"upper_solve", 1, true, 1, true},
    [KERNEL_UPPER_SOLVE_T] = {"upper_solve_t", 1, true, 1, true},
};

static const Kernel kernels[] = {
    {"cholesky", 1, {2}, 2, KERNEL_COUNT, KERNEL_CHOLESKY},
    {"inverse", 1, {2}, 2, KERNEL_LU, KERNEL_LU_INVERSE},
    {"logdet", 1, {2}, 0, KERNEL_LU, KERNEL_LU_LOGDET},
    {"solve", 2, {2, 1}, 1, KERNEL_LU, KERNEL_LU_SOLVE},
    {"spd_solve", 2, {2, 1}, 1, KERNEL_CHOLESKY, KERNEL_CHOLESKY_SOLVE},
    {"lower_solve", 2, {2, 1}, 1, KERNEL_COUNT, KERNEL_LOWER_SOLVE},
    {"upper_solve", 2, {2, 1}, 1, KERNEL_COUNT, KERNEL_UPPER_SOLVE},
};
const char *const kernel_names[] = {"cholesky",  "inverse",     "logdet",      "solve",
                                    "spd_solve", "lower_solve", "upper_solve", NULL};

const Kernel *kernel_find(const char *name) {
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        if (!strcmp(kernels[k].name, name)) {
            return &kernels[k];
        }
    }
    return NULL;
}

/* ---- looking
 * ----------------------------------------------------------------------------------------------------------
 */

bool kernel_is(const Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->pieces.n == 1 && NODE(g, x->pieces.at[0].body)->op == OP_KERNEL;
}

int kernel_batch(const Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->rank - kernel_info[NODE(g, x->pieces.at[0].body)->aux].result;
}

Ref kernel_matrix(const Graph *g, Ref r) {
    const KernelInfo *info = &kernel_info[NODE(g, r)->aux];
    return info->matrix ? ARG(g, r, info->result) : 0;
}

Ref kernel_given(const Graph *g, Ref r) {
    const KernelInfo *info = &kernel_info[NODE(g, r)->aux];
    return info->given ? ARG(g, r, info->result + info->matrix) : 0;
}

bool kernel_is_matrix(const Graph *g, Ref read) {
    const Node *n = NODE(g, read);
    return n->op == OP_READ && n->nargs >= 2 && graph_is_slot(g, ARG(g, read, n->nargs - 2)) &&
           graph_is_slot(g, ARG(g, read, n->nargs - 1));
}

const Poly *kernel_size(Graph *g, Ref r, ArrayRef a) {
    Ref matrix = kernel_matrix(g, r);
    ArrayRef of = matrix ? NODE(g, matrix)->aux : a;
    return ARRAY(g, of)->extent[ARRAY(g, of)->rank - 1];
}

Ref kernel_source(Graph *g, Ref r) {
    Ref matrix = kernel_matrix(g, r);
    KernelKind kind = (KernelKind)NODE(g, r)->aux;
    bool factored = kind == KERNEL_LU_SOLVE || kind == KERNEL_LU_SOLVE_T ||
                    kind == KERNEL_LU_INVERSE || kind == KERNEL_LU_LOGDET ||
                    kind == KERNEL_CHOLESKY_SOLVE;
    if (!factored) {
        return matrix;
    }
    ArrayRef factor = NODE(g, matrix)->aux;
    if (!kernel_is(g, factor)) {
        bug("%s is no factor", ARRAY(g, factor)->name);
    }
    return graph_subst(g, kernel_given(g, ARRAY(g, factor)->pieces.at[0].body),
                       kernel_batch(g, factor), ARRAY(g, factor)->axis, &ARG(g, matrix, 0));
}

/* ---- making
 * -----------------------------------------------------------------------------------------------------------
 */

/* A term that a derivative may walk as it is: no reduction, no arithmetic. */
static bool is_simple(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    switch (n->op) {
    case OP_READ:
    case OP_CONST: return n->depth == 0;
    case OP_CAST:
    case OP_neg: return is_simple(g, ARG(g, r, 0));
    case OP_SELECT:
        return NODE(g, ARG(g, r, 0))->depth == 0 && is_simple(g, ARG(g, r, 1)) &&
               is_simple(g, ARG(g, r, 2));
    default: return false;
    }
}

/* Adds what the condition joins by && to the list, in order. */
static void list_parts(Graph *g, Ref condition, Ref **list, int *n) {
    VEC(Ref) stack = {0}, parts = {0};
    VEC_PUSH(g->arena, stack, condition);
    while (stack.n) {
        Ref c = stack.at[--stack.n];
        if (NODE(g, c)->op == OP_and) {
            VEC_PUSH(g->arena, stack, ARG(g, c, 1));
            VEC_PUSH(g->arena, stack, ARG(g, c, 0));
        } else {
            VEC_PUSH(g->arena, parts, c);
        }
    }
    *list = parts.at, *n = parts.n;
}

static bool within(const Graph *g, Ref term, const Scope *part) {
    const Ref *free;
    int n = graph_free(g, term, &free);
    for (int f = 0; f < n; f++) {
        bool known = false;
        for (int k = 0; k < part->n; k++) {
            known = known || part->index[k] == free[f];
        }
        if (!known) {
            return false;
        }
    }
    return true;
}

/* The guard of `s` as it concerns `part`: of indices that are not in it, "for some". */
static Ref guard_for(Graph *g, const Scope *s, const Scope *part) {
    Ref *list, own = 0, other = 0;
    int n;
    if (!s->guard) {
        return 0;
    }
    list_parts(g, s->guard, &list, &n);
    for (int k = 0; k < n; k++) {
        Ref *to = within(g, list[k], part) && !other ? &own : &other;
        *to = *to ? graph_and(g, *to, list[k]) : list[k];
    }
    if (!other) {
        return own;
    }
    Ref all = graph_bool(g, true), count = graph_int(g, 1), condition = other;
    const Poly *one = poly_int(g->arena, 1);
    for (int k = s->n - 1; k >= 0; k--) {
        bool inside = false;
        for (int q = 0; q < part->n; q++) {
            inside = inside || part->index[q] == s->index[k];
        }
        if (inside || !graph_has_index(g, other, s->index[k])) {
            continue;
        }
        const Poly *x = poly_var(g->arena, s->index[k]);
        Ref range = graph_bool(g, true);
        if (!poly_equal(s->lo[k], poly_int(g->arena, 0))) {
            range =
                graph_and(g, range, graph_op2(g, OP_le, graph_of_poly(g, s->lo[k]), s->index[k]));
        }
        if (!poly_equal(s->hi[k], poly_sub(g->arena, EXTENT(g, s->index[k]), one))) {
            range = graph_and(g, range,
                              graph_op2(g, OP_le, graph_of_poly(g, x), graph_of_poly(g, s->hi[k])));
        }
        count = graph_reduce(g, RED_SUM, s->index[k], graph_and(g, range, condition), count);
        condition = all;
    }
    if (!within(g, count, part)) {
        return 0; /* it speaks of something that is not in force: then always */
    }
    Ref some = graph_op2(g, OP_gt, count, graph_int(g, 0));
    return own ? graph_and(g, own, some) : some;
}

static const char *base_name(const Graph *g, Ref term) {
    const Node *n = NODE(g, term);
    if (n->op == OP_READ) {
        return ARRAY(g, n->aux)->name;
    }
    for (int k = 0; k < n->nargs; k++) {
        const char *name =
            NODE(g, ARG(g, term, k))->type >= VALUE_FLOAT ? base_name(g, ARG(g, term, k)) : NULL;
        if (name) {
            return name;
        }
    }
    return NULL;
}

/* "S_solve" of "S_lu": a factor's own suffix goes. */
static const char *kernel_name(Graph *g, KernelKind kind, Ref matrix, Ref given) {
    const char *of = base_name(g, matrix ? matrix : given), *word = kernel_info[kind].name;
    if (!of) {
        return word;
    }
    if (!strncmp(word, "lu_", 3) && kind != KERNEL_LU) {
        word += 3;
        size_t n = strlen(of);
        if (n > 3 && !strcmp(of + n - 3, "_lu")) {
            of = arena_text(g->arena, of, n - 3);
        }
    } else if (kind == KERNEL_CHOLESKY_SOLVE) {
        word = "solve";
    }
    return arena_format(g->arena, "%s_%s", of, word);
}

ArrayRef kernel_array(Graph *g, const Scope *s, KernelKind kind, Ref matrix, Ref given, Span at,
                      int *nlead, const Ref **lead) {
    const KernelInfo *info = &kernel_info[kind];
    Scope free = {.n = s->n, .index = s->index, .lo = s->lo, .hi = s->hi}, part;
    Ref terms[2] = {matrix ? matrix : given, given ? given : matrix};
    part = scope_part(g, &free, 2, terms);
    part.guard = guard_for(g, s, &part);
    const Poly *size, *one = poly_int(g->arena, 1);
    if (matrix) {
        const Array *m = ARRAY(g, NODE(g, matrix)->aux);
        size = m->extent[m->rank - 1];
    } else {
        size = NULL;
        const Ref *all;
        int n = graph_free(g, given, &all);
        for (int k = 0; k < n && !size; k++) {
            size = graph_is_slot(g, all[k]) ? EXTENT(g, all[k]) : NULL;
        }
        if (!size) {
            bug("a kernel whose size nobody says");
        }
    }
    if (info->given && !is_simple(g, given)) { /* what the result starts as is then an array */
        Scope over = scope_copy(g, &part);
        Ref slot[2], index[2], read;
        for (int k = 0; k < info->given; k++) {
            slot[k] = graph_slot(g, k, size);
            index[k] = graph_index(g, k ? "j" : "i", size);
            scope_add(g, &over, index[k], NULL, NULL);
        }
        graph_array_over(g, arena_format(g->arena, "%s_of", kernel_name(g, kind, matrix, given)),
                         &over, graph_subst(g, given, info->given, slot, index), at, &read);
        given = graph_subst(g, read, info->given, index, slot);
    }
    int n = part.n + info->result;
    const Poly **extent = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *extent),
               **lo = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *lo),
               **hi = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *hi);
    const char **names = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *names);
    for (int k = 0; k < n; k++) {
        int r = k - part.n;
        extent[k] = r < 0                         ? EXTENT(g, part.index[k])
                    : kind == KERNEL_LU && r == 0 ? poly_add(g->arena, size, one)
                                                  : size;
        names[k] = r < 0 ? g->indices.at[NODE(g, part.index[k])->aux].name : r ? "j" : "i";
        lo[k] = r < 0 ? part.lo[k] : poly_int(g->arena, 0);
        hi[k] = r < 0 ? part.hi[k] : poly_sub(g->arena, extent[k], one);
    }
    ValueType type = (ValueType)NODE(g, matrix ? matrix : given)->type;
    ArrayRef a = graph_array(g, kernel_name(g, kind, matrix, given), type, n, extent, names);
    Ref args[4];
    int nargs = 0;
    for (int k = 0; k < info->result; k++) {
        args[nargs++] = ARRAY(g, a)->axis[part.n + k];
    }
    if (matrix) {
        args[nargs++] = graph_subst(g, matrix, part.n, part.index, ARRAY(g, a)->axis);
    }
    if (info->given) {
        args[nargs++] =
            graph_cast(g, type, graph_subst(g, given, part.n, part.index, ARRAY(g, a)->axis));
    }
    Ref body = graph_kernel(g, kind, type, nargs, args);
    if (graph_piece(g, a, lo, hi, body, at) && part.guard) {
        Ref guard = graph_subst(g, part.guard, part.n, part.index, ARRAY(g, a)->axis);
        ARRAY(g, a)->pieces.at[0].guard = guard;
    }
    ARRAY(g, a)->at = at;
    *nlead = part.n, *lead = part.index;
    return a;
}

Ref kernel_entry(Graph *g, ArrayRef a, int nlead, const Ref *lead, const Ref *position) {
    int n = ARRAY(g, a)->rank;
    Ref *all = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *all);
    for (int k = 0; k < n; k++) {
        all[k] = k < nlead ? lead[k] : position[k - nlead];
    }
    return graph_read(g, a, all);
}
