/* likes: like terms of a sum become one.
 * In: arrays with all derivatives made. Out: the same, where no sum of a derivative has two terms that
 * differ by a constant factor.
 *
 * The second derivative of 1 / sqrt(u) is, term by term as the rules give it,
 * a * (b * x - 2 * (u * c)) - 4 * (b * (a * u)) with c = b: the same product twice, once within
 * what a multiplies and once beside it. So the terms of a sum are compared as what they are when all
 * products are multiplied out, a constant and a set of factors, and of two that are alike one goes:
 * a * (b * x - 6 * (u * c)). The one that stays is that with the fewer factors of its own; it stands
 * where it stood, with another constant, so no new product is made that could overflow. Terms that
 * would cancel stay: of what is no number or infinite nothing may be lost. Not inside of sums over an
 * index: these are known by their form. */
#include "likes.h"
#include "ops.h"
#include <math.h>
#include <stdlib.h>

enum {
    MOST_TERMS = 32,   /* of a sum */
    MOST_FACTORS = 24, /* of a term */
    MOST_NESTED = 24,  /* products in sums in products */
    MOST_ROUNDS = 32   /* pairs of terms of an equation */
};

typedef struct Term {
    double constant; /* of all its factors that are numbers */
    int n, own;      /* factors; and those that stand in the term alone */
    Ref factor[MOST_FACTORS];
    double scale; /* 1: it stays as it is; 0: it goes */
} Term;

typedef struct Likes {
    Graph *g;
    VEC(int) uses; /* by node, in the equation at work */
    int n, at;
    Term term[MOST_TERMS];
    bool fit;
} Likes;

static bool is_real(const Graph *g, Ref r) {
    return NODE(g, r)->type >= VALUE_FLOAT;
}

static bool is_sum(const Graph *g, Ref r) {
    return (NODE(g, r)->op == OP_add || NODE(g, r)->op == OP_sub) && is_real(g, r);
}

/* A sum, or one times something, or less it, that nobody else in the equation needs. */
static bool has_terms(const Likes *l, Ref r, int depth) {
    const Graph *g = l->g;
    const Node *n = NODE(g, r);
    if (!is_real(g, r) || l->uses.at[r] != 1 || depth > MOST_NESTED) {
        return false;
    }
    return is_sum(g, r) || (n->op == OP_neg && has_terms(l, ARG(g, r, 0), depth + 1)) ||
           (n->op == OP_mul && (has_terms(l, ARG(g, r, 0), depth + 1) ||
                                has_terms(l, ARG(g, r, 1), depth + 1)));
}

/* Which factor of a product has the terms. */
static int side_of(const Likes *l, Ref r) {
    return has_terms(l, ARG(l->g, r, 1), 0) ? 1 : 0;
}

static void add_factors(Likes *l, Term *t, Ref r, int depth) {
    Graph *g = l->g;
    double value;
    if (depth > MOST_NESTED) {
        l->fit = false;
    } else if (graph_is_real(g, r, &value)) {
        t->constant *= value;
    } else if (NODE(g, r)->op == OP_neg) {
        t->constant = -t->constant;
        add_factors(l, t, ARG(g, r, 0), depth + 1);
    } else if (NODE(g, r)->op == OP_mul) {
        add_factors(l, t, ARG(g, r, 0), depth + 1);
        add_factors(l, t, ARG(g, r, 1), depth + 1);
    } else if (t->n == MOST_FACTORS) {
        l->fit = false;
    } else {
        t->factor[t->n++] = r;
    }
}

/* The terms below r, where `around` is what all of them are multiplied by. top: the sum at work. */
static void find_terms(Likes *l, Ref r, const Term *around, bool top, int depth) {
    Graph *g = l->g;
    if (!l->fit || depth > MOST_NESTED) {
        l->fit = false;
        return;
    }
    Term t = *around;
    if (!top && !has_terms(l, r, 0)) {
        add_factors(l, &t, r, 0);
        t.own = t.n - around->n;
        t.scale = 1;
        if (l->n == MOST_TERMS) {
            l->fit = false;
        } else {
            l->term[l->n++] = t;
        }
    } else if (is_sum(g, r)) {
        find_terms(l, ARG(g, r, 0), &t, false, depth + 1);
        t.constant = NODE(g, r)->op == OP_sub ? -t.constant : t.constant;
        find_terms(l, ARG(g, r, 1), &t, false, depth + 1);
    } else if (NODE(g, r)->op == OP_neg) {
        t.constant = -t.constant;
        find_terms(l, ARG(g, r, 0), &t, false, depth + 1);
    } else {
        int side = side_of(l, r);
        add_factors(l, &t, ARG(g, r, 1 - side), 0);
        find_terms(l, ARG(g, r, side), &t, false, depth + 1);
    }
}

static int rising(const void *a, const void *b) {
    Ref x = *(const Ref *)a, y = *(const Ref *)b;
    return x < y ? -1 : x > y;
}

static bool are_alike(const Term *a, const Term *b) {
    bool alike = a->n == b->n && a->n > 0;
    for (int k = 0; k < a->n && alike; k++) {
        alike = a->factor[k] == b->factor[k];
    }
    return alike;
}

/* Of two terms that are alike one goes. */
static bool choose(Likes *l) {
    for (int k = 0; k < l->n; k++) {
        qsort(l->term[k].factor, (size_t)l->term[k].n, sizeof(Ref), rising);
        for (int q = 0; q < k; q++) {
            Term *stays = &l->term[q], *goes = &l->term[k];
            if (!are_alike(stays, goes)) {
                continue;
            }
            if (goes->own < stays->own) {
                stays = &l->term[k], goes = &l->term[q];
            }
            double both = stays->constant + goes->constant, scale = both / stays->constant;
            if (isfinite(scale) && scale != 0 && scale * stays->constant == both) {
                stays->scale = scale, goes->scale = 0;
                return true;
            }
        }
    }
    return false;
}

/* A product times a number, which goes to the one that it has. */
static Ref scaled(Graph *g, Ref r, double by, int depth) {
    double value;
    ValueType type = (ValueType)NODE(g, r)->type;
    if (NODE(g, r)->op == OP_neg && depth < MOST_NESTED) {
        return graph_op1(g, OP_neg, scaled(g, ARG(g, r, 0), by, depth + 1));
    }
    for (int k = 0; k < 2 && NODE(g, r)->op == OP_mul; k++) {
        if (graph_is_real(g, ARG(g, r, k), &value) && isfinite(value * by)) {
            return graph_op2(g, OP_mul, graph_real(g, type, value * by), ARG(g, r, 1 - k));
        }
    }
    return graph_op2(g, OP_mul, graph_real(g, type, by), r);
}

/* The sum with the terms as they are now; 0: nothing is left of it. */
static Ref made_again(Likes *l, Ref r, bool top, int depth) {
    Graph *g = l->g;
    if (!top && !has_terms(l, r, 0)) {
        double scale = l->term[l->at++].scale;
        return scale == 1 ? r : scale == 0 ? 0 : scaled(g, r, scale, 0);
    }
    if (is_sum(g, r)) {
        Op op = (Op)NODE(g, r)->op;
        Ref a = made_again(l, ARG(g, r, 0), false, depth + 1),
            b = made_again(l, ARG(g, r, 1), false, depth + 1);
        return a && b ? graph_op2(g, op, a, b) : a || !b || op == OP_add ? (a ? a : b)
                                                                         : graph_op1(g, OP_neg, b);
    }
    if (NODE(g, r)->op == OP_neg) {
        Ref a = made_again(l, ARG(g, r, 0), false, depth + 1);
        return a ? graph_op1(g, OP_neg, a) : 0;
    }
    int side = side_of(l, r);
    Ref args[2] = {ARG(g, r, 0), ARG(g, r, 1)};
    args[side] = made_again(l, args[side], false, depth + 1);
    return args[side] ? graph_op2(g, OP_mul, args[0], args[1]) : 0;
}

static void count_uses(Likes *l, Ref term) {
    Graph *g = l->g;
    while (l->uses.n < g->nodes.n) {
        VEC_PUSH(g->arena, l->uses, 0);
    }
    for (int round = 0; round < 2; round++) {
        Walk walk = walk_start(g, term);
        for (Ref r; (r = walk_next(walk));) {
            for (int k = 0; k < NODE(g, r)->nargs; k++) {
                l->uses.at[ARG(g, r, k)] = round ? l->uses.at[ARG(g, r, k)] + 1 : 0;
            }
            walk_into(walk, r);
        }
    }
}

/* One pair of like terms less; the term itself: there is none. */
static Ref with_one_less(Likes *l, Ref term) {
    Graph *g = l->g;
    count_uses(l, term);
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Term one = {.constant = 1};
        if (is_sum(g, r)) {
            l->n = l->at = 0, l->fit = true;
            find_terms(l, r, &one, true, 0);
            if (l->fit && choose(l)) {
                Ref becomes = made_again(l, r, true, 0);
                return graph_subst(g, term, 1, &r, &becomes);
            }
        }
        for (int k = 0;
             k < NODE(g, r)->nargs && NODE(g, r)->op != OP_REDUCE && NODE(g, r)->op != OP_READ;
             k++) {
            walk_add(walk, ARG(g, r, k));
        }
    }
    return term;
}

void likes_collect(Graph *g, int n, const ArrayRef *roots) {
    Likes *l = arena_alloc(g->arena, sizeof *l);
    Order order = graph_order(g, n, roots);
    l->g = g;
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int p = 0; p < ARRAY(g, a)->pieces.n && ARRAY(g, a)->order > 0; p++) {
            Ref body = ARRAY(g, a)->pieces.at[p].body,
                before = NODE(g, body)->op == OP_KERNEL ? body : 0;
            for (int round = 0; round < MOST_ROUNDS && body != before; round++) {
                before = body;
                body = with_one_less(l, body);
            }
            ARRAY(g, a)->pieces.at[p].body = body;
        }
    }
}
