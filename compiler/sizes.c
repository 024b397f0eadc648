/* sizes: guesses of the length of axes.
 * In: inputs and parameters. Out: for each size a number, to compare plans by and for nothing else.
 *
 * The axes of data (points, observations, samples) are long: those that come first in inputs, and
 * are no axis of a parameter. All others are shorter. Fixed sizes are guessed by the same rule,
 * from FEW on: the text for 10 steps is that for 10,000. */
#include "sizes.h"
#include "ops.h"

enum {
    FEW = 8,
    DATA_SIZE = 4096, /* guesses of what an open dimension is: of data, */
    OTHER_SIZE = 256, /* of others */
    MOST_NESTED = 12  /* sums in sums whose work is counted */
};

struct Sizes {
    Graph *g;
    bool *data; /* by dimension: data alone have such an axis */
    int ndims;
    VEC(int64_t) data_size, other_size; /* the same of fixed sizes */
};

const Sizes *sizes_of(Graph *g) {
    Sizes *s = arena_alloc(g->arena, sizeof *s);
    bool *other = arena_alloc(g->arena, (size_t)g->dims.n + 1);
    s->g = g, s->ndims = g->dims.n;
    s->data = arena_alloc(g->arena, (size_t)g->dims.n + 1);
    for (int i = 0; i < g->inputs.n + g->seeds.n; i++) {
        const Array *x = ARRAY(g, i < g->inputs.n ? g->inputs.at[i] : g->seeds.at[i - g->inputs.n]);
        for (int k = 0; k < x->rank; k++) {
            const uint32_t *vars;
            int n = poly_vars(g->arena, x->extent[k], &vars);
            bool first = x->role == ARRAY_INPUT && k == 0;
            int64_t size;
            for (int v = 0; v < n; v++) {
                if (NODE(g, vars[v])->op == OP_DIM) {
                    (first ? s->data : other)[NODE(g, vars[v])->aux] = true;
                }
            }
            if (poly_is_int(x->extent[k], &size) && first) {
                VEC_PUSH(g->arena, s->data_size, size);
            } else if (poly_is_int(x->extent[k], &size)) {
                VEC_PUSH(g->arena, s->other_size, size);
            }
        }
    }
    for (int k = 0; k < g->dims.n; k++) {
        s->data[k] = s->data[k] && !other[k];
    }
    return s;
}

/* A size that is one of these, or next to it: t + 1 is as long as t. */
static bool is_among(int n, const int64_t *sizes, int64_t size) {
    for (int k = 0; k < n; k++) {
        if (size - sizes[k] <= 2 && sizes[k] - size <= 2) {
            return true;
        }
    }
    return false;
}

double sizes_guess(const Sizes *s, const Poly *extent) {
    double sum = 0;
    int64_t size;
    if (poly_is_int(extent, &size)) {
        bool data = is_among(s->data_size.n, s->data_size.at, size) &&
                    !is_among(s->other_size.n, s->other_size.at, size);
        return size < FEW ? (double)(size > 1 ? size : 1) : data ? DATA_SIZE : OTHER_SIZE;
    }
    for (int k = 0; k < extent->n; k++) {
        const Monomial *m = &extent->term[k];
        double product = (double)m->num / (double)m->den;
        for (int v = 0; v < m->nvars; v++) {
            const Node *n = NODE(s->g, m->var[v]);
            bool dim = n->op == OP_DIM && (int)n->aux < s->ndims;
            int64_t assumed = dim ? s->g->dims.at[n->aux].assumed : 0;
            product *= assumed ? (double)assumed : dim && s->data[n->aux] ? DATA_SIZE : OTHER_SIZE;
        }
        sum += product;
    }
    return sum > 1 ? sum : 1;
}

double sizes_best(const Sizes *s, const Poly *extent) {
    int64_t size;
    return sizes_assumed(s->g, extent, &size) ? (double)(size > 1 ? size : 1)
                                              : sizes_guess(s, extent);
}

bool sizes_assumed(Graph *g, const Poly *extent, int64_t *value) {
    const Poly *p = extent;
    const uint32_t *vars;
    int n = poly_vars(g->arena, extent, &vars);
    for (int k = 0; k < n; k++) {
        const Node *v = NODE(g, vars[k]);
        int64_t assumed = v->op == OP_DIM ? g->dims.at[v->aux].assumed : 0;
        if (assumed) {
            p = poly_subst(g->arena, p, vars[k], poly_int(g->arena, assumed));
        }
    }
    return poly_is_int(p, value);
}

static double work_of(const Sizes *s, Ref term, int depth, bool *dear) {
    Graph *g = s->g;
    VEC(Ref) sums = {0};
    double work = 0;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op >= OP_FIRST_SCALAR && n.type >= VALUE_FLOAT) {
            *dear = *dear || !op_info[n.op].cheap || n.op == OP_div;
            work++;
        }
        *dear = *dear || n.op == OP_EXTERN || n.op == OP_KERNEL;
        if (n.op == OP_REDUCE) {
            VEC_PUSH(g->arena, sums, r);
            continue;
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < sums.n && depth < MOST_NESTED; k++) {
        const Poly *extent = EXTENT(g, ARG(g, sums.at[k], 0));
        int64_t n;
        double turns = poly_is_int(extent, &n) ? (double)n : sizes_guess(s, extent);
        work += turns * (1 + work_of(s, ARG(g, sums.at[k], 2), depth + 1, dear));
    }
    return work;
}

double sizes_work(const Sizes *s, Ref term, bool *dear) {
    return work_of(s, term, 0, dear);
}
