/* graph: makes terms and arrays, and answers questions about them.
 * In: pieces of terms. Out: hash-consed nodes, simplified as they are made; nothing is ever changed
 * in place but the list of pieces of an array. What is structural (integers, conditions,
 * selections, sums) is simplified here; what belongs to an operation comes from its row, through
 * rewrite. */
#include "graph.h"
#include "kernel.h"
#include "ops.h"
#include "rewrite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sets of free indices: interned, so that a node holds a number
 * ------------------------------------------------ */

typedef struct Set {
    int n;
    const Ref *items; /* ascending */
} Set;
struct SetTable {
    VEC(Set) sets; /* set 0 is empty */
    uint32_t *slots;
    uint32_t nslots;
};
struct PolyMemo {
    const Poly **of; /* by Ref; NULL: not asked yet */
    uint32_t room;
};

static uint32_t hash_words(const uint32_t *w, size_t n, uint32_t h) {
    for (size_t k = 0; k < n; k++) {
        h ^= w[k];
        h *= 0x9E3779B1u;
        h ^= h >> 15;
    }
    return h;
}

static uint32_t set_intern(Graph *g, const Ref *items, int n) {
    struct SetTable *t = g->sets;
    if (n == 0) {
        return 0;
    }
    if ((uint32_t)t->sets.n * 2 >= t->nslots) {
        uint32_t room = t->nslots * 2;
        uint32_t *slots = arena_alloc(g->arena, room * sizeof *slots);
        for (uint32_t s = 1; s < (uint32_t)t->sets.n; s++) {
            uint32_t h = hash_words(t->sets.at[s].items, (size_t)t->sets.at[s].n, 7) & (room - 1);
            while (slots[h]) {
                h = (h + 1) & (room - 1);
            }
            slots[h] = s;
        }
        t->slots = slots, t->nslots = room;
    }
    uint32_t h = hash_words(items, (size_t)n, 7) & (t->nslots - 1);
    for (; t->slots[h]; h = (h + 1) & (t->nslots - 1)) {
        const Set *s = &t->sets.at[t->slots[h]];
        if (s->n == n && !memcmp(s->items, items, (size_t)n * sizeof *items)) {
            return t->slots[h];
        }
    }
    Ref *copy = arena_alloc(g->arena, (size_t)n * sizeof *copy);
    memcpy(copy, items, (size_t)n * sizeof *copy);
    t->slots[h] = (uint32_t)t->sets.n;
    VEC_PUSH(g->arena, t->sets, (Set){n, copy});
    return t->slots[h];
}

static uint32_t set_union(Graph *g, uint32_t a, uint32_t b) {
    if (a == b || !b) {
        return a;
    }
    if (!a) {
        return b;
    }
    const Set x = g->sets->sets.at[a], y = g->sets->sets.at[b];
    Ref small[64];
    Ref *out = x.n + y.n <= 64 ? small : arena_alloc(g->arena, (size_t)(x.n + y.n) * sizeof *out);
    int n = 0, i = 0, j = 0;
    while (i < x.n || j < y.n) {
        if (j == y.n || (i < x.n && x.items[i] < y.items[j])) {
            out[n++] = x.items[i++];
        } else {
            i += i < x.n && x.items[i] == y.items[j];
            out[n++] = y.items[j++];
        }
    }
    return n == x.n ? a : n == y.n ? b : set_intern(g, out, n);
}

static bool set_has(const Graph *g, uint32_t set, Ref index) {
    const Set *s = &g->sets->sets.at[set];
    int lo = 0, hi = s->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (s->items[mid] < index) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < s->n && s->items[lo] == index;
}

static uint32_t set_without(Graph *g, uint32_t set, Ref index) {
    if (!set_has(g, set, index)) {
        return set;
    }
    const Set s = g->sets->sets.at[set];
    Ref *out = arena_alloc(g->arena, (size_t)s.n * sizeof *out);
    int n = 0;
    for (int k = 0; k < s.n; k++) {
        if (s.items[k] != index) {
            out[n++] = s.items[k];
        }
    }
    return set_intern(g, out, n);
}

/* ---- nodes
 * ---------------------------------------------------------------------------------------------------------
 */

Graph *graph_new(Context *cx, const char *name, ValueType real) {
    Graph *g = arena_alloc(cx->arena, sizeof *g);
    g->cx = cx, g->arena = cx->arena, g->name = name, g->real = real;
    g->nslots = 1024;
    g->slots = arena_alloc(g->arena, g->nslots * sizeof *g->slots);
    g->sets = arena_alloc(g->arena, sizeof *g->sets);
    g->sets->nslots = 256;
    g->sets->slots = arena_alloc(g->arena, g->sets->nslots * sizeof(uint32_t));
    VEC_PUSH(g->arena, g->sets->sets, (Set){0, NULL});
    g->polys = arena_alloc(g->arena, sizeof *g->polys);
    VEC_PUSH(g->arena, g->nodes, (Node){0});
    VEC_PUSH(g->arena, g->arrays, (Array){0});
    VEC_PUSH(g->arena, g->indices, (Index){0});
    VEC_PUSH(g->arena, g->dims, (GraphDim){0});
    return g;
}

static uint32_t node_hash(const Node *n, const Ref *args) {
    uint32_t bits[2];
    memcpy(bits, &n->value, sizeof bits);
    uint32_t head[] = {n->op, n->type, n->nargs, n->aux, bits[0], bits[1]};
    return hash_words(args, n->nargs, hash_words(head, 6, 1));
}

static void nodes_rehash(Graph *g) {
    g->nslots *= 2;
    g->slots = arena_alloc(g->arena, g->nslots * sizeof *g->slots);
    for (uint32_t r = 1; r < (uint32_t)g->nodes.n; r++) {
        Node *n = &g->nodes.at[r];
        uint32_t h = node_hash(n, &g->args.at[n->first]) & (g->nslots - 1);
        n->next = g->slots[h];
        g->slots[h] = r;
    }
}

static Ref node_find(const Graph *g, const Node *n, const Ref *args) {
    for (uint32_t r = g->slots[node_hash(n, args) & (g->nslots - 1)]; r; r = g->nodes.at[r].next) {
        const Node *o = &g->nodes.at[r];
        if (o->op == n->op && o->type == n->type && o->nargs == n->nargs && o->aux == n->aux &&
            !memcmp(&o->value, &n->value, sizeof n->value) &&
            (!n->nargs || !memcmp(&g->args.at[o->first], args, n->nargs * sizeof *args))) {
            return r;
        }
    }
    return 0;
}

/* How high it is, and of how many terms and factors: so that who looks for like terms knows at once
 * where there are too many. */
static void count_parts(const Graph *g, Node *n, const Ref *args) {
    unsigned height = 0, size = 1, terms = 1, factors = 1;
    for (int k = 0; k < n->nargs; k++) {
        unsigned h = g->nodes.at[args[k]].height + 1u;
        height = h > height ? h : height;
        size += g->nodes.at[args[k]].size;
    }
    const Node *x = n->nargs > 0 ? &g->nodes.at[args[0]] : NULL,
               *y = n->nargs > 1 ? &g->nodes.at[args[1]] : NULL;
    if (n->op == OP_neg) {
        terms = x->terms, factors = x->factors;
    } else if (n->op == OP_add || n->op == OP_sub) {
        terms = (unsigned)x->terms + y->terms;
    } else if (n->op == OP_mul || n->op == OP_div) {
        terms = n->op == OP_mul && x->op == OP_CONST ? y->terms : 1;
        factors = (unsigned)x->factors + y->factors;
    }
    n->height = (uint16_t)(height < UINT16_MAX ? height : UINT16_MAX);
    n->size = (uint16_t)(size < UINT16_MAX ? size : UINT16_MAX);
    n->terms = (uint8_t)(terms < UINT8_MAX ? terms : UINT8_MAX);
    n->factors = (uint8_t)(factors < UINT8_MAX ? factors : UINT8_MAX);
}

/* The node with these parts, made if it is new. */
static Ref node_intern(Graph *g, Node n, const Ref *args) {
    uint32_t h = node_hash(&n, args), known = node_find(g, &n, args);
    if (known) {
        return known;
    }
    if ((uint32_t)g->nodes.n >= g->nslots) {
        nodes_rehash(g);
    }
    Ref copy[8], *own = n.nargs <= 8 ? copy : arena_alloc(g->arena, n.nargs * sizeof *own);
    for (int k = 0; k < n.nargs; k++) {
        own[k] = args[k]; /* args may point into g->args, which grows now */
    }
    n.first = (uint32_t)g->args.n;
    bool wide = false;
    for (int k = 0; k < n.nargs; k++) {
        VEC_PUSH(g->arena, g->args, own[k]);
        n.free = set_union(g, n.free, g->nodes.at[own[k]].free);
        n.fails = n.fails || g->nodes.at[own[k]].fails;
        wide = wide || g->nodes.at[own[k]].wide;
        if (g->nodes.at[own[k]].depth > n.depth) {
            n.depth = g->nodes.at[own[k]].depth;
        }
    }
    count_parts(g, &n, own);
    Ref r = (Ref)g->nodes.n;
    /* Indices, dimensions, counts and data of type index lie below 2^31, their sums and products
     * far from overflow; other ints may be anything. */
    bool sums = n.op == OP_REDUCE && (n.aux == RED_SUM || n.aux == RED_PROD);
    if (n.type == VALUE_INT) {
        n.wide = n.op == OP_READ
                     ? !ARRAY(g, n.aux)->target
                     : n.op == OP_trunc || n.op == OP_EXTERN ||
                           (n.op == OP_REDUCE && n.aux == RED_PROD) || (wide && n.op != OP_CHECKED);
    }
    n.fails = n.fails || n.op == OP_CHECKED || n.op == OP_NONEMPTY || n.op == OP_trunc ||
              n.op == OP_EXTERN || /* it may have arguments that it is not made for */
              (n.op == OP_REDUCE && n.aux == RED_FIRST) ||
              (n.wide && (sums || n.op == OP_add || n.op == OP_sub || n.op == OP_mul ||
                          n.op == OP_neg || n.op == OP_abs));
    if (n.op == OP_KERNEL) {
        for (const Set *s = &g->sets->sets.at[n.free]; s->n > 0; s = &g->sets->sets.at[n.free]) {
            int k = 0;
            while (k < s->n && !graph_is_slot(g, s->items[k])) {
                k++;
            }
            if (k == s->n) {
                break;
            }
            n.free = set_without(g, n.free, s->items[k]);
        }
    }
    if (n.op == OP_REDUCE) {
        n.free = set_without(g, n.free, own[0]);
        n.depth = g->indices.at[NODE(g, own[0])->aux].number;
    } else if (n.op == OP_INDEX) {
        n.free = set_intern(g, &r, 1);
    }
    n.next = g->slots[h & (g->nslots - 1)];
    g->slots[h & (g->nslots - 1)] = r;
    VEC_PUSH(g->arena, g->nodes, n);
    return r;
}

static Ref node_make(Graph *g, int op, int type, uint32_t aux, int nargs, const Ref *args) {
    Node n = {.op = (uint16_t)op, .type = (uint8_t)type, .aux = aux, .nargs = (uint8_t)nargs};
    return node_intern(g, n, args);
}

Ref graph_int(Graph *g, int64_t value) {
    Node n = {.op = OP_CONST, .type = VALUE_INT};
    n.value.integer = value;
    return node_intern(g, n, NULL);
}

Ref graph_real(Graph *g, ValueType type, double value) {
    Node n = {.op = OP_CONST, .type = (uint8_t)type};
    n.value.real = value;
    return node_intern(g, n, NULL);
}

Ref graph_bool(Graph *g, bool value) {
    Node n = {.op = OP_CONST, .type = VALUE_BOOL};
    n.value.integer = value;
    return node_intern(g, n, NULL);
}

Ref graph_dim(Graph *g, const char *name, int64_t least) {
    for (int k = 1; k < g->dims.n; k++) {
        if (!strcmp(g->dims.at[k].name, name)) {
            return g->dims.at[k].node;
        }
    }
    Ref r = node_make(g, OP_DIM, VALUE_INT, (uint32_t)g->dims.n, 0, NULL);
    VEC_PUSH(g->arena, g->dims, (GraphDim){.name = name, .least = least, .node = r});
    return r;
}

static Ref index_make(Graph *g, const char *name, const Poly *extent, uint32_t number) {
    Ref r = node_make(g, OP_INDEX, VALUE_INT, (uint32_t)g->indices.n, 0, NULL);
    VEC_PUSH(g->arena, g->indices, (Index){name, extent, number, r});
    return r;
}

Ref graph_index(Graph *g, const char *name, const Poly *extent) {
    return index_make(g, name, extent, 0);
}

static uint32_t bound_hash(uint32_t number, const Poly *extent) {
    return (poly_hash(extent) ^ number) * 0x9E3779B1u;
}

/* The index with this number and range. */
static Ref index_bound(Graph *g, uint32_t number, const char *name, const Poly *extent) {
    if (g->nbound * 2 >= g->bound.room) { /* powers of two */
        uint32_t room = g->bound.room ? 2 * (uint32_t)g->bound.room : 64,
                 *slots = arena_alloc(g->arena, room * sizeof *slots);
        for (int k = 0; k < g->bound.room; k++) {
            if (g->bound.at[k]) {
                const Index *i = &g->indices.at[g->bound.at[k]];
                uint32_t h = bound_hash(i->number, i->extent) & (room - 1);
                while (slots[h]) h = (h + 1) & (room - 1);
                slots[h] = g->bound.at[k];
            }
        }
        g->bound.at = slots, g->bound.room = (int)room;
    }
    uint32_t mask = (uint32_t)g->bound.room - 1, h = bound_hash(number, extent) & mask;
    for (; g->bound.at[h]; h = (h + 1) & mask) {
        const Index *i = &g->indices.at[g->bound.at[h]];
        if (i->number == number && poly_equal(i->extent, extent)) {
            return i->node;
        }
    }
    g->bound.at[h] = (uint32_t)g->indices.n;
    g->nbound++;
    return index_make(g, name, extent, number);
}

Ref graph_axis(Graph *g, int k, const Poly *extent) {
    return index_bound(g, 0x40000000u + (uint32_t)k, "i", extent);
}

/* Indices that kernels bind: no reduction is nested as deep as their numbers. */
enum { FIRST_SLOT = 0x50000000 };

Ref graph_slot(Graph *g, int k, const Poly *extent) {
    return index_bound(g, FIRST_SLOT + (uint32_t)k, k ? "j" : "i", extent);
}

bool graph_is_slot(const Graph *g, Ref r) {
    return NODE(g, r)->op == OP_INDEX && g->indices.at[NODE(g, r)->aux].number >= FIRST_SLOT;
}

/* ---- looking
 * ---------------------------------------------------------------------------------------------------------
 */

bool graph_place(Graph *g, const Poly *at, Ref index, int8_t *sign, const Poly **shift) {
    const Poly *rest;
    int64_t num, den;
    *sign = 1, *shift = poly_int(g->arena, 0);
    if (!at || !poly_linear(g->arena, at, index, &num, &den, &rest) || den != 1 ||
        (num != 1 && num != -1)) {
        return false;
    }
    const uint32_t *vars;
    int n = poly_vars(g->arena, rest, &vars);
    for (int k = 0; k < n; k++) {
        if (NODE(g, vars[k])->op != OP_DIM) {
            return false;
        }
    }
    *sign = (int8_t)num, *shift = rest;
    return true;
}

bool graph_is_whole(Graph *g, ArrayRef a, int axis) {
    const Array *x = ARRAY(g, a);
    const Poly *last = poly_sub(g->arena, x->extent[axis], poly_int(g->arena, 1));
    for (int q = 0; q < x->pieces.n; q++) {
        const Piece *p = &x->pieces.at[q];
        if (!poly_equal(p->lo[axis], poly_int(g->arena, 0)) || !poly_equal(p->hi[axis], last)) {
            return false;
        }
    }
    return true;
}

bool graph_is_int(const Graph *g, Ref r, int64_t *value) {
    const Node *n = NODE(g, r);
    if (n->op != OP_CONST || n->type != VALUE_INT) {
        return false;
    }
    if (value) {
        *value = n->value.integer;
    }
    return true;
}

bool graph_is_real(const Graph *g, Ref r, double *value) {
    const Node *n = NODE(g, r);
    if (n->op != OP_CONST || n->type == VALUE_BOOL) {
        return false;
    }
    if (value) {
        *value = n->type == VALUE_INT ? (double)n->value.integer : n->value.real;
    }
    return true;
}

bool graph_is_true(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op == OP_CONST && n->type == VALUE_BOOL && n->value.integer;
}

bool graph_is_false(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op == OP_CONST && n->type == VALUE_BOOL && !n->value.integer;
}

bool graph_has_index(const Graph *g, Ref term, Ref index) {
    return set_has(g, NODE(g, term)->free, index);
}

int graph_free(const Graph *g, Ref term, const Ref **indices) {
    const Set *s = &g->sets->sets.at[NODE(g, term)->free];
    *indices = s->items;
    return s->n;
}

bool graph_free_within(const Graph *g, Ref term, Ref bound) {
    return set_has(g, NODE(g, term)->free, bound);
}

static bool sets_meet(const Graph *g, uint32_t a, uint32_t b) {
    const Set *x = &g->sets->sets.at[a], *y = &g->sets->sets.at[b];
    for (int i = 0, j = 0; i < x->n && j < y->n;) {
        if (x->items[i] == y->items[j]) {
            return true;
        }
        if (x->items[i] < y->items[j]) {
            i++;
        } else {
            j++;
        }
    }
    return false;
}

/* ---- integers are polynomials
 * ------------------------------------------------------------------------------------------ */

static void poly_remember(Graph *g, Ref r, const Poly *p) {
    struct PolyMemo *m = g->polys;
    if (r >= m->room) {
        uint32_t room = m->room ? m->room : 1024;
        while (room <= r) {
            room *= 2;
        }
        const Poly **of = arena_alloc(g->arena, room * sizeof *of);
        if (m->room) {
            memcpy(of, m->of, m->room * sizeof *of);
        }
        m->of = of, m->room = room;
    }
    m->of[r] = p;
}

const Poly *graph_poly(Graph *g, Ref r) {
    if (r < g->polys->room && g->polys->of[r]) {
        return g->polys->of[r];
    }
    const Node n = *NODE(g, r);
    const Poly *p;
    int64_t by;
    if (n.type != VALUE_INT) {
        bug("a polynomial is asked of node %u, which is no integer", r);
    }
    if (n.op == OP_CONST) {
        p = poly_int(g->arena, n.value.integer);
    } else if (n.op == OP_add) {
        p = poly_add(g->arena, graph_poly(g, ARG(g, r, 0)), graph_poly(g, ARG(g, r, 1)));
    } else if (n.op == OP_sub) {
        p = poly_sub(g->arena, graph_poly(g, ARG(g, r, 0)), graph_poly(g, ARG(g, r, 1)));
    } else if (n.op == OP_mul) {
        p = poly_mul(g->arena, graph_poly(g, ARG(g, r, 0)), graph_poly(g, ARG(g, r, 1)));
    } else if (n.op == OP_neg) {
        p = poly_neg(g->arena, graph_poly(g, ARG(g, r, 0)));
    } else if (n.op == OP_IDIV && graph_is_int(g, ARG(g, r, 1), &by) && by != 0) {
        p = poly_scale(g->arena, graph_poly(g, ARG(g, r, 0)), by < 0 ? -1 : 1, by < 0 ? -by : by);
    } else {
        p = poly_var(g->arena, r);
    }
    poly_remember(g, r, p);
    return p;
}

static int64_t gcd64(int64_t a, int64_t b) {
    while (b) {
        int64_t t = a % b;
        a = b, b = t;
    }
    return a < 0 ? -a : a;
}

static Ref int_node(Graph *g, Op op, Ref x, Ref y) {
    Ref args[2] = {x, y};
    return node_make(g, op, VALUE_INT, 0, 2, args);
}

/* |coefficient| * var * var ... as nodes; the coefficient is whole. */
static Ref term_node(Graph *g, const Monomial *m, int64_t scale) {
    int64_t k = m->num * (scale / m->den);
    k = k < 0 ? -k : k;
    Ref r = 0;
    for (int v = 0; v < m->nvars; v++) {
        r = r ? int_node(g, OP_mul, r, m->var[v]) : m->var[v];
    }
    return !r ? graph_int(g, k) : k == 1 ? r : int_node(g, OP_mul, graph_int(g, k), r);
}

Ref graph_of_poly(Graph *g, const Poly *p) {
    int64_t scale = 1, value;
    if (poly_is_int(p, &value)) {
        return graph_int(g, value);
    }
    for (int t = 0; t < p->n; t++) {
        scale = scale / gcd64(scale, p->term[t].den) * p->term[t].den;
    }
    int lead = 0; /* a positive term first: "3 - i", not "-i + 3" */
    for (int t = 0; t < p->n; t++) {
        if (p->term[t].num > 0) {
            lead = t;
            break;
        }
    }
    Ref r = term_node(g, &p->term[lead], scale);
    if (p->term[lead].num < 0) {
        r = node_make(g, OP_neg, VALUE_INT, 0, 1, &r);
    }
    for (int t = 0; t < p->n; t++) {
        if (t != lead) {
            r = int_node(g, p->term[t].num < 0 ? OP_sub : OP_add, r,
                         term_node(g, &p->term[t], scale));
        }
    }
    if (scale != 1) {
        r = int_node(g, OP_IDIV, r, graph_int(g, scale));
    }
    poly_remember(g, r, p);
    return r;
}

static bool var_is_index(const void *user, uint32_t var) {
    const Graph *g = user;
    return NODE(g, var)->op != OP_DIM;
}

/* What is known of every variable of p: its range. Extents may bring in more variables; two rounds
 * reach dimensions. */
static int range_facts(Graph *g, const Poly *p, const Poly **facts, int n, int room) {
    const uint32_t *vars;
    int nvars = poly_vars(g->arena, p, &vars);
    for (int k = 0; k < nvars; k++) {
        const Node *v = NODE(g, vars[k]);
        const Poly *one = poly_int(g->arena, 1), *x = poly_var(g->arena, vars[k]), *upper = NULL;
        if (v->op == OP_INDEX) {
            upper = g->indices.at[v->aux].extent;
        } else if (v->op == OP_READ) {
            upper = ARRAY(g, v->aux)->target;
        } else if (v->op == OP_REDUCE &&
                   (v->aux == RED_ARGMAX || v->aux == RED_ARGMIN || v->aux == RED_FIRST)) {
            upper = EXTENT(g, ARG(g, vars[k], 0));
        } else if (v->op == OP_CHECKED) {
            if (n + 2 <= room) {
                facts[n++] = poly_sub(g->arena, x, graph_poly(g, ARG(g, vars[k], 1)));
                facts[n++] = poly_sub(
                    g->arena, poly_sub(g->arena, graph_poly(g, ARG(g, vars[k], 2)), x), one);
            }
        } else if (v->op == OP_DIM && g->dims.at[v->aux].least > 1 && n < room) {
            facts[n++] = poly_sub(g->arena, x, poly_int(g->arena, g->dims.at[v->aux].least));
        }
        if (v->op == OP_READ && ARRAY(g, v->aux)->counts && n < room) {
            facts[n++] = poly_sub(g->arena, x, poly_int(g->arena, ARRAY(g, v->aux)->least));
        }
        if (upper && n + 2 <= room) {
            facts[n++] = x;
            facts[n++] = poly_sub(g->arena, poly_sub(g->arena, upper, x), one);
        }
    }
    return n;
}

bool graph_prove(Graph *g, const Poly *p, int nfacts, const Poly *const *facts) {
    const Poly *all[96];
    int64_t num, den;
    if (poly_is_number(p, &num, &den)) {
        return num >= 0;
    }
    int n = range_facts(g, p, all, 0, 48);
    for (int k = 0; k < nfacts && n < 64; k++) {
        all[n++] = facts[k];
        n = range_facts(g, facts[k], all, n, 80);
    }
    return poly_prove(g->arena, p, all, n, var_is_index, g);
}

int graph_facts(Graph *g, Ref c, bool yes, const Poly **facts, int room) {
    const Node *n = NODE(g, c);
    if (n->op == OP_not) {
        return graph_facts(g, ARG(g, c, 0), !yes, facts, room);
    }
    if ((n->op == OP_and && yes) || (n->op == OP_or && !yes)) {
        int k = graph_facts(g, ARG(g, c, 0), yes, facts, room);
        return k + graph_facts(g, ARG(g, c, 1), yes, facts + k, room - k);
    }
    if (n->op < OP_FIRST_SCALAR || op_info[n->op].typing != TYPING_COMPARE || room < 2 ||
        NODE(g, ARG(g, c, 0))->type != VALUE_INT) {
        return 0;
    }
    const Poly *a = graph_poly(g, ARG(g, c, 0)), *b = graph_poly(g, ARG(g, c, 1));
    const Poly *d = poly_sub(g->arena, b, a), *minus = poly_neg(g->arena, d),
               *one = poly_int(g->arena, 1);
    int op = n->op;
    if (!yes) {
        op = op == OP_lt   ? OP_ge
             : op == OP_le ? OP_gt
             : op == OP_gt ? OP_le
             : op == OP_ge ? OP_lt
             : op == OP_eq ? OP_ne
                           : OP_eq;
    }
    switch (op) {
    case OP_lt: facts[0] = poly_sub(g->arena, d, one); return 1;
    case OP_le: facts[0] = d; return 1;
    case OP_gt: facts[0] = poly_sub(g->arena, minus, one); return 1;
    case OP_ge: facts[0] = minus; return 1;
    case OP_eq: facts[0] = d, facts[1] = minus; return 2;
    default: return 0;
    }
}

/* ---- conditions
 * ------------------------------------------------------------------------------------------------------------
 */

/* Does the term read a, or, with 0, the turns of any iteration? */
static bool reads_count(Graph *g, Ref term, ArrayRef a) {
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node *n = NODE(g, r);
        if (n->op == OP_READ && (a ? n->aux == a : ARRAY(g, n->aux)->counts)) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

bool graph_reads(Graph *g, Ref term, ArrayRef a) {
    return reads_count(g, term, a);
}

bool graph_reads_count(Graph *g, Ref term) {
    return reads_count(g, term, 0);
}

Ref graph_both(Graph *g, Ref x, Ref y) {
    return !x ? y : !y ? x : graph_and(g, x, y);
}

/* Follows the comparison c of ints from these facts? */
static bool follows(Graph *g, Ref c, int n, const Poly *const *facts) {
    const Poly *parts[2];
    int nparts = graph_facts(g, c, true, parts, 2);
    for (int k = 0; k < nparts; k++) {
        if (!graph_prove(g, parts[k], n, facts)) {
            return false;
        }
    }
    return nparts > 0;
}

Ref graph_given(Graph *g, Ref condition, Ref known) {
    const Poly *facts[32];
    if (!condition || !known) {
        return condition;
    }
    if (NODE(g, condition)->op == OP_and) {
        Ref x = ARG(g, condition, 0), y = ARG(g, condition, 1);
        x = graph_given(g, x, known);
        return graph_both(g, x, graph_given(g, y, known));
    }
    if (graph_both(g, known, condition) == known) {
        return 0;
    }
    return follows(g, condition, graph_facts(g, known, true, facts, 32), facts) ? 0 : condition;
}

Ref graph_beside(Graph *g, Ref condition, int nfacts, const Poly *const *facts) {
    VEC(Ref) left = {0};
    while (condition) {
        bool more = NODE(g, condition)->op == OP_and;
        Ref part = more ? ARG(g, condition, 1) : condition;
        const Node n = *NODE(g, part);
        condition = more ? ARG(g, condition, 0) : 0;
        if ((n.op == OP_le || n.op == OP_lt) && NODE(g, ARG(g, part, 0))->type == VALUE_INT) {
            const Poly *gap =
                poly_sub(g->arena, graph_poly(g, ARG(g, part, 1)), graph_poly(g, ARG(g, part, 0)));
            gap = n.op == OP_lt ? poly_sub(g->arena, gap, poly_int(g->arena, 1)) : gap;
            if (graph_prove(g, gap, nfacts, facts)) {
                continue;
            }
        }
        VEC_PUSH(g->arena, left, part);
    }
    for (int k = left.n - 1; k >= 0; k--) {
        condition = graph_both(g, condition, left.at[k]);
    }
    return condition;
}

Ref graph_part_with_count(Graph *g, Ref condition, ArrayRef count, bool with) {
    if (!condition) {
        return 0;
    }
    if (NODE(g, condition)->op == OP_and) {
        Ref x = ARG(g, condition, 0), y = ARG(g, condition, 1);
        x = graph_part_with_count(g, x, count, with);
        return graph_both(g, x, graph_part_with_count(g, y, count, with));
    }
    return reads_count(g, condition, count) == with ? condition : 0;
}

Ref graph_part_over(Graph *g, Ref condition, int n, const Ref *indices) {
    if (!condition) {
        return 0;
    }
    if (NODE(g, condition)->op == OP_and) {
        Ref x = ARG(g, condition, 0), y = ARG(g, condition, 1);
        x = graph_part_over(g, x, n, indices);
        return graph_both(g, x, graph_part_over(g, y, n, indices));
    }
    const Ref *free;
    int nfree = graph_free(g, condition, &free);
    for (int f = 0; f < nfree; f++) {
        bool known = false;
        for (int k = 0; k < n; k++) {
            known = known || free[f] == indices[k];
        }
        if (!known) {
            return 0;
        }
    }
    return condition;
}

/* ---- making terms
 * --------------------------------------------------------------------------------------------------------
 */

Ref graph_cast(Graph *g, ValueType type, Ref x) {
    const Node n = *NODE(g, x);
    if (n.type == type) {
        return x;
    }
    if (n.op == OP_CONST && type >= VALUE_FLOAT) {
        return graph_real(g, type, n.type <= VALUE_INT ? (double)n.value.integer : n.value.real);
    }
    if (type == VALUE_BOOL || (type == VALUE_INT && n.type >= VALUE_FLOAT)) {
        bug("no such cast");
    }
    return node_make(g, OP_CAST, type, 0, 1, &x);
}

static Ref fold_int_compare(Graph *g, Op op, const Ref *args) {
    const Poly *d = poly_sub(g->arena, graph_poly(g, args[1]), graph_poly(g, args[0])); /* y - x */
    const Poly *one = poly_int(g->arena, 1), *minus = poly_neg(g->arena, d);
    const Poly *more = poly_sub(g->arena, d, one), *less = poly_sub(g->arena, minus, one);
    int64_t num, den;
    if (poly_is_number(d, &num, &den)) {
        bool v = op == OP_lt   ? num > 0
                 : op == OP_le ? num >= 0
                 : op == OP_gt ? num < 0
                 : op == OP_ge ? num <= 0
                 : op == OP_eq ? num == 0
                               : num != 0;
        return graph_bool(g, v);
    }
    const Poly *sure = op == OP_lt   ? more
                       : op == OP_le ? d
                       : op == OP_gt ? less
                       : op == OP_ge ? minus
                                     : NULL;
    const Poly *never = op == OP_lt   ? minus
                        : op == OP_le ? less
                        : op == OP_gt ? d
                        : op == OP_ge ? more
                                      : NULL;
    if (sure && graph_prove(g, sure, 0, NULL)) {
        return graph_bool(g, true);
    }
    if (never && graph_prove(g, never, 0, NULL)) {
        return graph_bool(g, false);
    }
    if ((op == OP_eq || op == OP_ne) &&
        (graph_prove(g, more, 0, NULL) || graph_prove(g, less, 0, NULL))) {
        return graph_bool(g, op == OP_ne);
    }
    return 0;
}

/* The comparison that holds where this one does not; for reals a NaN may make both false, unless it
 * is == or !=. */
static Op contrary(Op op) {
    switch (op) {
    case OP_lt: return OP_ge;
    case OP_le: return OP_gt;
    case OP_gt: return OP_le;
    case OP_ge: return OP_lt;
    case OP_eq: return OP_ne;
    default: return OP_eq;
    }
}

static bool has_contrary(const Graph *g, Ref r) {
    const Node *n = NODE(g, r);
    return n->op >= OP_FIRST_SCALAR && op_info[n->op].typing == TYPING_COMPARE &&
           (NODE(g, ARG(g, r, 0))->type == VALUE_INT || n->op == OP_eq || n->op == OP_ne);
}

static bool is_contrary(const Graph *g, Ref x, Ref y) {
    if ((NODE(g, x)->op == OP_not && ARG(g, x, 0) == y) ||
        (NODE(g, y)->op == OP_not && ARG(g, y, 0) == x)) {
        return true;
    }
    return has_contrary(g, x) && NODE(g, y)->op == contrary((Op)NODE(g, x)->op) &&
           ARG(g, x, 0) == ARG(g, y, 0) && ARG(g, x, 1) == ARG(g, y, 1);
}

/* Does the chain x op x op ... hold the term (or, with `contrary`, its contrary)? */
static bool chain_holds(const Graph *g, Op op, Ref chain, Ref term, bool contrary) {
    while (NODE(g, chain)->op == op) {
        if (chain_holds(g, op, ARG(g, chain, 1), term, contrary)) {
            return true;
        }
        chain = ARG(g, chain, 0);
    }
    return contrary ? is_contrary(g, chain, term) : chain == term;
}

/* y where x is false: of what must hold for y, that which x would say otherwise is known. */
static Ref unless(Graph *g, Ref x, Ref y) {
    enum { MOST_PARTS = 16 };
    Ref part[MOST_PARTS], left = y, rest = 0;
    int n = 0;
    for (; NODE(g, left)->op == OP_and && n < MOST_PARTS - 1; left = ARG(g, left, 0)) {
        part[n++] = ARG(g, left, 1);
    }
    part[n++] = left;
    for (int k = n - 1; k >= 0; k--) {
        if (!chain_holds(g, OP_or, x, part[k], true)) {
            rest = graph_both(g, rest, part[k]);
        }
    }
    return rest ? rest : graph_bool(g, true);
}

static Ref fold_logic(Graph *g, Op op, const Ref *args) {
    if (op == OP_not) {
        const Node *x = NODE(g, args[0]);
        if (x->op == OP_CONST) {
            return graph_bool(g, !x->value.integer);
        }
        if (x->op == OP_not) {
            return ARG(g, args[0], 0);
        }
        if (has_contrary(g, args[0])) {
            return graph_op2(g, contrary((Op)x->op), ARG(g, args[0], 0), ARG(g, args[0], 1));
        }
        return 0;
    }
    for (int k = 0; k < 2; k++) {
        Ref x = args[k], y = args[1 - k];
        if (op == OP_and && (graph_is_true(g, x) || x == y)) {
            return y;
        }
        if (op == OP_or && (graph_is_false(g, x) || x == y)) {
            return y;
        }
        Op other = op == OP_and ? OP_or : OP_and;
        if (chain_holds(g, op, x, y, true)) { /* x and not x, x or not x */
            return graph_bool(g, op == OP_or);
        }
        if (chain_holds(g, op, x, y, false)) {
            return x;
        }
        if (NODE(g, x)->op == other && chain_holds(g, other, x, y, false)) { /* y and (y or z) */
            return y;
        }
        if (op == OP_and && graph_is_false(g, x)) {
            return x;
        }
        if (op == OP_or && graph_is_true(g, x)) {
            return x;
        }
        const Poly *facts[2];
        if (op == OP_or && has_contrary(g, x) && has_contrary(g, y) &&
            follows(g, y, graph_facts(g, x, false, facts, 2), facts)) { /* i != 2 or i <= 2 */
            return graph_bool(g, true);
        }
    }
    if (op == OP_or && NODE(g, args[1])->op == OP_and) { /* x or (not x and z) */
        Ref rest = unless(g, args[0], args[1]);
        return rest != args[1] ? graph_op2(g, op, args[0], rest) : 0;
    }
    return 0;
}

/* x^n for a whole n: small powers as products, so that x^2 is x * x everywhere. */
static Ref power(Graph *g, Ref x, int64_t n) {
    if (n == 0) {
        return graph_real(g, (ValueType)NODE(g, x)->type, 1);
    }
    if (n == 1) {
        return x;
    }
    if (n == 2) {
        return graph_op2(g, OP_mul, x, x);
    }
    return 0;
}

/* ---- sums: like terms are collected
 * --------------------------------------------------------------------------------- */

enum { MOST_FACTORS = 16, MOST_TERMS = 48 };
typedef struct Monic { /* a term of a sum, without its number: products below and above a line */
    double scale;
    int n, nbelow;
    Ref factor[MOST_FACTORS], below[MOST_FACTORS]; /* ascending */
} Monic;
typedef struct Sum {
    int n;
    Ref term[MOST_TERMS]; /* without sign */
    double scale[MOST_TERMS];
} Sum;

static bool factor_add(Ref *factor, int *n, Ref r) {
    int k = *n;
    if (k == MOST_FACTORS) {
        return false;
    }
    for (; k > 0 && factor[k - 1] > r; k--) {
        factor[k] = factor[k - 1];
    }
    factor[k] = r;
    ++*n;
    return true;
}

static bool monic_add(const Graph *g, Monic *m, Ref r, bool below) {
    const Node *n = NODE(g, r);
    double v;
    if (n->op == OP_neg) {
        m->scale = -m->scale;
        return monic_add(g, m, ARG(g, r, 0), below);
    }
    if (n->op == OP_mul || (n->op == OP_div && !below)) {
        return monic_add(g, m, ARG(g, r, 0), below) &&
               monic_add(g, m, ARG(g, r, 1), below || n->op == OP_div);
    }
    if (!below && graph_is_real(g, r, &v)) {
        m->scale *= v;
        return true;
    }
    return below ? factor_add(m->below, &m->nbelow, r) : factor_add(m->factor, &m->n, r);
}

static bool monic_of(const Graph *g, Ref r, Monic *m) {
    m->scale = 1, m->n = m->nbelow = 0;
    return NODE(g, r)->factors <= 4 * MOST_FACTORS && monic_add(g, m, r, false);
}

static bool monics_alike(const Monic *x, const Monic *y) {
    return x->n == y->n && x->nbelow == y->nbelow &&
           !memcmp(x->factor, y->factor, (size_t)x->n * sizeof *x->factor) &&
           !memcmp(x->below, y->below, (size_t)x->nbelow * sizeof *x->below);
}

/* The terms of a sum; a number before a sum goes to each of its terms. */
static bool sum_add(const Graph *g, Sum *s, Ref r, double scale) {
    for (;;) {
        const Node *n = NODE(g, r);
        double v;
        if (n->op == OP_neg) {
            scale = -scale, r = ARG(g, r, 0);
        } else if (n->op == OP_add || n->op == OP_sub) {
            if (!sum_add(g, s, ARG(g, r, 0), scale)) {
                return false;
            }
            scale = n->op == OP_sub ? -scale : scale, r = ARG(g, r, 1);
        } else if (n->op == OP_mul && graph_is_real(g, ARG(g, r, 0), &v)) {
            scale *= v, r = ARG(g, r, 1);
        } else {
            break;
        }
    }
    if (s->n == MOST_TERMS) {
        return false;
    }
    s->term[s->n] = r, s->scale[s->n++] = scale;
    return true;
}

/* x + y or x - y with like terms collected; 0 where there are none. */
static Ref collect_terms(Graph *g, Op op, Ref x, Ref y) {
    Sum a = {0}, b = {0};
    ValueType type = (ValueType)NODE(g, x)->type;
    if (NODE(g, x)->terms > MOST_TERMS || NODE(g, y)->terms > MOST_TERMS || !sum_add(g, &a, x, 1) ||
        !sum_add(g, &b, y, op == OP_sub ? -1 : 1)) {
        return 0;
    }
    int from = a.n;
    bool any = false;
    Monic have[MOST_TERMS];
    bool known[MOST_TERMS];
    for (int k = 0; k < a.n; k++) {
        known[k] = monic_of(g, a.term[k], &have[k]);
    }
    for (int j = 0; j < b.n; j++) {
        Monic m;
        bool found = false, fits = monic_of(g, b.term[j], &m);
        for (int k = 0; k < from && fits && !found; k++) {
            double sum = a.scale[k] * have[k].scale + b.scale[j] * m.scale;
            sum = type == VALUE_FLOAT ? (float)sum : sum;
            /* x - x stays: x may be infinite. */
            if (known[k] && sum != 0 && isfinite(sum) && have[k].scale != 0 &&
                monics_alike(&have[k], &m)) {
                a.scale[k] = sum / have[k].scale;
                found = any = true;
            }
        }
        if (!found) {
            if (a.n == MOST_TERMS) {
                return 0;
            }
            a.term[a.n] = b.term[j], a.scale[a.n++] = b.scale[j];
        }
    }
    if (!any) {
        return 0;
    }
    Ref sum = 0;
    for (int k = 0; k < a.n; k++) {
        double scale = fabs(a.scale[k]);
        Ref term =
            scale == 1 ? a.term[k] : graph_op2(g, OP_mul, graph_real(g, type, scale), a.term[k]);
        bool minus = a.scale[k] < 0;
        sum = sum     ? graph_op2(g, minus ? OP_sub : OP_add, sum, term)
              : minus ? graph_op1(g, OP_neg, term)
                      : term;
    }
    return sum;
}

Ref graph_op(Graph *g, Op op, const Ref *given) {
    const OpInfo *info = &op_info[op];
    Ref args[3] = {0};
    ValueType type = VALUE_BOOL;
    for (int k = 0; k < info->arity; k++) {
        args[k] = given[k];
        ValueType t = (ValueType)NODE(g, args[k])->type;
        bool exponent = (op == OP_powi && k == 1) || (op == OP_polygamma && k == 0);
        if (!exponent && t > type) {
            type = t;
        }
    }
    if (info->typing == TYPING_REAL && type < VALUE_FLOAT) {
        type = g->real;
    }
    if (info->typing == TYPING_LOGIC && type != VALUE_BOOL) {
        bug("%s of numbers", info->name);
    }
    if (info->typing != TYPING_LOGIC && type == VALUE_BOOL && op != OP_eq && op != OP_ne) {
        bug("%s of a condition", info->name);
    }
    for (int k = 0; k < info->arity; k++) {
        bool exponent = (op == OP_powi && k == 1) || (op == OP_polygamma && k == 0);
        if (!exponent) {
            args[k] = graph_cast(g, type, args[k]);
        }
    }
    ValueType result = info->typing == TYPING_COMPARE || info->typing == TYPING_LOGIC ? VALUE_BOOL
                       : info->typing == TYPING_TO_INT                                ? VALUE_INT
                                                                                      : type;
    Ref r = 0;
    int64_t n;
    if (result == VALUE_INT && (op == OP_add || op == OP_sub || op == OP_mul || op == OP_neg)) {
        const Poly *x = graph_poly(g, args[0]),
                   *y = info->arity > 1 ? graph_poly(g, args[1]) : NULL;
        return graph_of_poly(g, op == OP_add   ? poly_add(g->arena, x, y)
                                : op == OP_sub ? poly_sub(g->arena, x, y)
                                : op == OP_mul ? poly_mul(g->arena, x, y)
                                               : poly_neg(g->arena, x));
    }
    if (info->typing == TYPING_COMPARE && type == VALUE_INT) {
        r = fold_int_compare(g, op, args);
    } else if (info->typing == TYPING_LOGIC) {
        r = fold_logic(g, op, args);
    } else if (op == OP_powi && graph_is_int(g, args[1], &n)) {
        r = power(g, args[0], n);
    } else if (op == OP_pow && graph_is_real(g, args[1], NULL) &&
               fmod(NODE(g, args[1])->value.real, 1) == 0 &&
               fabs(NODE(g, args[1])->value.real) <= 1024) {
        return graph_op2(g, OP_powi, args[0], graph_int(g, (int64_t)NODE(g, args[1])->value.real));
    }
    if ((op == OP_add || op == OP_sub) && NODE(g, args[0])->op == OP_SELECT &&
        NODE(g, args[1])->op == OP_SELECT && ARG(g, args[0], 0) == ARG(g, args[1], 0)) {
        Ref a = args[0], b = args[1];
        Ref yes = graph_op2(g, op, ARG(g, a, 1), ARG(g, b, 1)),
            no = graph_op2(g, op, ARG(g, a, 2), ARG(g, b, 2));
        return graph_select(g, ARG(g, a, 0), yes, no);
    }
    if (!r) {
        r = ops_fold(g, op, args, info->arity);
    }
    if (!r) {
        r = ops_rewrite(g, op, args, info->arity);
    }
    if (!r && result >= VALUE_FLOAT && (op == OP_add || op == OP_sub)) {
        r = collect_terms(g, op, args[0], args[1]);
    }
    if (!r && info->commutative && NODE(g, args[0])->op != OP_CONST &&
        NODE(g, args[1])->op == OP_CONST && op == OP_mul) {
        Ref t = args[0]; /* constants first */
        args[0] = args[1], args[1] = t;
    }
    if (!r && info->commutative) { /* the same with its arguments the other way round? */
        Ref swapped[2] = {args[1], args[0]};
        const Node same = {.op = (uint16_t)op, .type = (uint8_t)result, .nargs = 2};
        r = node_find(g, &same, args);
        r = r ? r : node_find(g, &same, swapped);
    }
    return r ? r : node_make(g, op, result, 0, info->arity, args);
}

Ref graph_op1(Graph *g, Op op, Ref x) {
    return graph_op(g, op, &x);
}

Ref graph_op2(Graph *g, Op op, Ref x, Ref y) {
    Ref args[2] = {x, y};
    return graph_op(g, op, args);
}

Ref graph_and(Graph *g, Ref x, Ref y) {
    return graph_op2(g, OP_and, x, y);
}

Ref graph_not(Graph *g, Ref x) {
    return graph_op1(g, OP_not, x);
}

Ref graph_select(Graph *g, Ref c, Ref yes, Ref no) {
    if (graph_is_true(g, c) || yes == no) {
        return yes;
    }
    if (graph_is_false(g, c)) {
        return no;
    }
    if (NODE(g, c)->op == OP_not) {
        return graph_select(g, ARG(g, c, 0), no, yes);
    }
    ValueType a = (ValueType)NODE(g, yes)->type, b = (ValueType)NODE(g, no)->type,
              type = a > b ? a : b;
    if ((a == VALUE_BOOL) != (b == VALUE_BOOL)) {
        bug("one side is a condition, the other a number");
    }
    yes = graph_cast(g, type, yes), no = graph_cast(g, type, no);
    if (type == VALUE_BOOL && NODE(g, yes)->op == OP_CONST && NODE(g, no)->op == OP_CONST) {
        return graph_is_true(g, yes) ? c : graph_not(g, c);
    }
    if (NODE(g, yes)->op == OP_SELECT && ARG(g, yes, 0) == c) {
        return graph_select(g, c, ARG(g, yes, 1), no);
    }
    if (NODE(g, no)->op == OP_SELECT && ARG(g, no, 0) == c) {
        return graph_select(g, c, yes, ARG(g, no, 2));
    }
    Ref args[3] = {c, yes, no};
    Ref r = type >= VALUE_FLOAT ? ops_rewrite(g, OP_SELECT, args, 3) : 0;
    return r ? r : node_make(g, OP_SELECT, type, 0, 3, args);
}

Ref graph_read(Graph *g, ArrayRef array, const Ref *positions) {
    const Array *a = ARRAY(g, array);
    for (int k = 0; k < a->rank; k++) {
        if (NODE(g, positions[k])->type != VALUE_INT) {
            bug("position %d of a read of %s is no integer", k, a->name);
        }
        if (NODE(g, positions[k])->op == OP_SELECT) { /* a choice of places is a choice of reads:
                                                         each side is affine where it can be */
            Ref side[16], place = positions[k], c = ARG(g, place, 0), read[2];
            if (a->rank > 16) {
                bug("an array with more than 16 axes");
            }
            memcpy(side, positions,
                   (size_t)a->rank * sizeof *side); /* positions may lie in g->args, which grows */
            for (int s = 0; s < 2; s++) {
                side[k] = ARG(g, place, s + 1);
                read[s] = graph_read(g, array, side);
            }
            return graph_select(g, c, read[0], read[1]);
        }
    }
    return node_make(g, OP_READ, a->type, array, a->rank, positions);
}

Ref graph_checked(Graph *g, Ref position, Ref lower, Ref upper) {
    const Poly *p = graph_poly(g, position);
    const Poly *low = poly_sub(g->arena, p, graph_poly(g, lower));
    const Poly *high =
        poly_sub(g->arena, poly_sub(g->arena, graph_poly(g, upper), p), poly_int(g->arena, 1));
    if (graph_prove(g, low, 0, NULL) && graph_prove(g, high, 0, NULL)) {
        return position;
    }
    Ref args[3] = {position, lower, upper};
    return node_make(g, OP_CHECKED, VALUE_INT, 0, 3, args);
}

Ref graph_nonempty(Graph *g, Ref count) {
    if (graph_prove(g, poly_sub(g->arena, graph_poly(g, count), poly_int(g->arena, 1)), 0, NULL)) {
        return count;
    }
    return node_make(g, OP_NONEMPTY, VALUE_INT, 0, 1, &count);
}

Ref graph_extern(Graph *g, uint32_t number, const Ref *args) {
    const Extern x = g->externs.at[number];
    return node_make(g, OP_EXTERN, x.type, number, x.n, args);
}

Ref graph_kernel(Graph *g, int kind, ValueType type, int n, const Ref *args) {
    return node_make(g, OP_KERNEL, type, (uint32_t)kind, n, args);
}

static Ref reduce_identity(Graph *g, Reduction kind, ValueType type) {
    double v = kind == RED_PROD ? 1 : kind == RED_LOGSUMEXP ? -INFINITY : 0;
    return type == VALUE_INT ? graph_int(g, (int64_t)v) : graph_real(g, type, v);
}

/* c = a && b with b free of the index: returns a, and b in *rest (true where there is none). */
static Ref split_condition(Graph *g, Ref c, Ref index, Ref *rest) {
    if (!graph_has_index(g, c, index) && !NODE(g, c)->fails) {
        *rest = c;
        return graph_bool(g, true);
    }
    if (NODE(g, c)->op == OP_and) {
        Ref r0, r1, c0 = ARG(g, c, 0), c1 = ARG(g, c, 1);
        Ref a = split_condition(g, c0, index, &r0), b = split_condition(g, c1, index, &r1);
        *rest = graph_and(g, r0, r1);
        return graph_and(g, a, b);
    }
    *rest = graph_bool(g, true);
    return c;
}

/* A conjunct i == e of c, with e free of i: returns e and the other conjuncts in *rest; 0 when
 * there is none. */
static Ref solve_condition(Graph *g, Ref c, Ref index, Ref *rest) {
    const Node n = *NODE(g, c);
    if (n.op == OP_and) {
        Ref c0 = ARG(g, c, 0), c1 = ARG(g, c, 1), r;
        Ref e = solve_condition(g, c0, index, &r);
        if (e) {
            *rest = graph_and(g, r, c1);
            return e;
        }
        e = solve_condition(g, c1, index, &r);
        if (e) {
            *rest = graph_and(g, c0, r);
        }
        return e;
    }
    if (n.op != OP_eq || NODE(g, ARG(g, c, 0))->type != VALUE_INT) {
        return 0;
    }
    const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, c, 0)), graph_poly(g, ARG(g, c, 1))),
               *other;
    int64_t num, den;
    if (!poly_linear(g->arena, d, index, &num, &den, &other) || den != 1 ||
        (num != 1 && num != -1)) {
        return 0;
    }
    Ref e = graph_of_poly(g, num == 1 ? poly_neg(g->arena, other) : other);
    if (graph_has_index(g, e, index)) { /* it stands in a data-chosen position too */
        return 0;
    }
    *rest = graph_bool(g, true);
    return e;
}

/* Divisions among the factors of `out`; after the second, how many no longer matters. */
static int divisions(const Graph *g, Ref out) {
    const Node n = *NODE(g, out);
    if (n.op == OP_neg) return divisions(g, ARG(g, out, 0));
    if (n.op != OP_mul && n.op != OP_div) return 0;
    int found = divisions(g, ARG(g, out, 0)) + (n.op == OP_div);
    return found < 2 && n.op == OP_mul ? found + divisions(g, ARG(g, out, 1)) : found;
}

/* Factors of a product that are free of the index, so that they can leave a sum. */
static Ref split_product(Graph *g, Ref body, Ref index, Ref *inside) {
    const Node n = *NODE(g, body);
    if (!graph_has_index(g, body, index)) {
        *inside = 0;
        return body;
    }
    if (n.op == OP_neg) {
        Ref out = split_product(g, ARG(g, body, 0), index, inside);
        return out ? graph_op1(g, OP_neg, out) : graph_real(g, (ValueType)n.type, -1);
    }
    if (n.op == OP_div && !graph_has_index(g, ARG(g, body, 1), index)) {
        Ref below = ARG(g, body, 1);
        Ref out = split_product(g, ARG(g, body, 0), index, inside);
        return graph_op2(g, OP_div, out ? out : graph_real(g, (ValueType)n.type, 1), below);
    }
    if (n.op == OP_mul) {
        Ref x = ARG(g, body, 0), y = ARG(g, body, 1), in0, in1;
        Ref out0 = split_product(g, x, index, &in0), out1 = split_product(g, y, index, &in1);
        /* Where both sides are scaled, as in sum[i]((x[i] / m)^2), or one by a divisor, as in
         * sum[i](x[i] / m * y[i]), products of what is not scaled may overflow: only numbers leave
         * then. */
        bool scaled =
            in0 && in1 &&
            ((out0 && out1 && !(graph_is_real(g, out0, NULL) && graph_is_real(g, out1, NULL))) ||
             (out0 && divisions(g, out0)) || (out1 && divisions(g, out1)));
        if ((!out0 && !out1) || scaled) {
            *inside = body;
            return 0;
        }
        *inside = !in0 ? in1 : !in1 ? in0 : graph_op2(g, OP_mul, in0, in1);
        return !out0 ? out1 : !out1 ? out0 : graph_op2(g, OP_mul, out0, out1);
    }
    *inside = body;
    return 0;
}

/* out * sum. Several divisions by something small, as in 1 / m / m, are made one after another:
 * their product may overflow where the result does not. */
static Ref put_before(Graph *g, Ref out, Ref sum) {
    if (divisions(g, out) >= 2) {
        Ref x = ARG(g, out, 0);
        switch (NODE(g, out)->op) {
        case OP_neg: return graph_op1(g, OP_neg, put_before(g, x, sum));
        case OP_div: return graph_op2(g, OP_div, put_before(g, x, sum), ARG(g, out, 1));
        case OP_mul: return put_before(g, x, put_before(g, ARG(g, out, 1), sum));
        default: break;
        }
    }
    return graph_op2(g, OP_mul, out, sum);
}

/* Does a sum inside of this one, as in sum[i](sum[e if a[e] == i](...)), hold a conjunct that
 * leaves one i? Then the order of the two is changed, so that i is solved: sum[e](...) with a[e]
 * for i. Sums lie directly in one another, as contributions to adjoints do. */
static bool solved_inside(Graph *g, Ref body, Ref index) {
    for (; NODE(g, body)->op == OP_REDUCE && (Reduction)NODE(g, body)->aux == RED_SUM;
         body = ARG(g, body, 2)) {
        Ref rest, condition = ARG(g, body, 1);
        if (NODE(g, condition)
                ->fails) { /* it may be tried under what is around it, and nowhere else */
            return false;
        }
        if (solve_condition(g, condition, index, &rest)) {
            return true;
        }
    }
    return false;
}

Ref graph_reduce(Graph *g, Reduction kind, Ref index, Ref condition, Ref body) {
    ValueType type = (ValueType)NODE(g, body)->type;
    const Poly *extent = EXTENT(g, index);
    if (kind == RED_LOGSUMEXP && type < VALUE_FLOAT) {
        body = graph_cast(g, g->real, body), type = g->real;
    }
    bool monoid = kind == RED_SUM || kind == RED_PROD || kind == RED_LOGSUMEXP;
    if (monoid) {
        Ref outside, rest;
        if (graph_is_false(g, condition)) {
            return reduce_identity(g, kind, type);
        }
        Ref inner = split_condition(g, condition, index, &outside);
        if (!graph_is_true(g, outside)) {
            return graph_select(g, outside, graph_reduce(g, kind, index, inner, body),
                                reduce_identity(g, kind, type));
        }
        Ref at = solve_condition(g, condition, index, &rest);
        if (at) { /* one term is left, where the solution lies in the range */
            const Poly *p = graph_poly(g, at);
            Ref low = graph_op2(g, OP_le, graph_int(g, 0), at),
                high = graph_op2(g, OP_lt, at, graph_of_poly(g, extent));
            if (graph_prove(g, p, 0, NULL)) {
                low = graph_bool(g, true);
            }
            Ref c = graph_and(g, graph_and(g, low, high), graph_subst(g, rest, 1, &index, &at));
            return graph_select(g, c, graph_subst(g, body, 1, &index, &at),
                                reduce_identity(g, kind, type));
        }
    }
    if (kind == RED_SUM &&
        NODE(g, body)->op == OP_SELECT) { /* a masked term is a term under a condition */
        double none;
        Ref c = ARG(g, body, 0), yes = ARG(g, body, 1), no = ARG(g, body, 2);
        if (graph_is_real(g, no, &none) && none == 0) {
            return graph_reduce(g, kind, index, graph_and(g, condition, c), yes);
        }
        if (graph_is_real(g, yes, &none) && none == 0) {
            return graph_reduce(g, kind, index, graph_and(g, condition, graph_not(g, c)), no);
        }
    }
    if (kind == RED_SUM && solved_inside(g, body, index)) {
        Ref c, b, inner = graph_open(g, body, &c, &b);
        Ref one = graph_reduce(g, RED_SUM, index, graph_and(g, condition, c), b);
        return graph_reduce(g, RED_SUM, inner, graph_bool(g, true), one);
    }
    if (kind == RED_SUM) {
        double zero;
        if (graph_is_real(g, body, &zero) && zero == 0) {
            return body;
        }
        if (graph_is_true(g, condition) && !graph_has_index(g, body, index)) {
            Ref count = graph_of_poly(g, extent);
            return graph_op2(g, OP_mul, graph_cast(g, type, count), body);
        }
        if (type >= VALUE_FLOAT) {
            Ref inside, out = split_product(g, body, index, &inside);
            /* Under a condition only numbers leave: a factor may be infinite where no term is
             * taken. */
            if (out && inside && (graph_is_true(g, condition) || graph_is_real(g, out, NULL))) {
                return put_before(g, out, graph_reduce(g, kind, index, condition, inside));
            }
            if (out && !inside &&
                graph_is_real(g, out, NULL)) { /* only the condition depends on the index */
                Ref one = graph_real(g, type, 1);
                if (out != one) {
                    return graph_op2(g, OP_mul, out, graph_reduce(g, kind, index, condition, one));
                }
            }
        }
    }
    if ((kind == RED_MAX || kind == RED_MIN) && graph_is_true(g, condition) &&
        !graph_has_index(g, body, index) &&
        graph_prove(g, poly_sub(g->arena, extent, poly_int(g->arena, 1)), 0, NULL)) {
        return body;
    }
    uint32_t number = NODE(g, condition)->depth > NODE(g, body)->depth ? NODE(g, condition)->depth
                                                                       : NODE(g, body)->depth;
    Index *named = &g->indices.at[NODE(g, index)->aux];
    if (named->number != number + 1) {
        Ref bound = index_bound(g, number + 1, named->name, extent);
        condition = graph_subst(g, condition, 1, &index, &bound);
        body = graph_subst(g, body, 1, &index, &bound);
        index = bound;
    }
    Ref args[3] = {index, condition, body};
    bool position = kind == RED_ARGMAX || kind == RED_ARGMIN || kind == RED_FIRST;
    return node_make(g, OP_REDUCE, position ? (int)VALUE_INT : (int)type, (uint32_t)kind, 3, args);
}

Ref graph_open(Graph *g, Ref reduce, Ref *condition, Ref *body) {
    Ref bound = ARG(g, reduce, 0), c = ARG(g, reduce, 1), b = ARG(g, reduce, 2);
    const Index named = g->indices.at[NODE(g, bound)->aux];
    Ref fresh = graph_index(g, named.name, named.extent);
    *condition = graph_subst(g, c, 1, &bound, &fresh);
    *body = graph_subst(g, b, 1, &bound, &fresh);
    return fresh;
}

/* ---- rebuilding
 * --------------------------------------------------------------------------------------------------------------
 */

/* What became of which node. Most terms are small and there are many, so the tables are used again:
 * an entry counts only with the stamp of the term at work. */
typedef struct MemoEntry {
    Ref key, value;
    uint32_t stamp;
} MemoEntry;
typedef struct Memo {
    MemoEntry *at;
    uint32_t used, room, stamp;
    struct Memo *next;
} Memo;

typedef struct Rebuild {
    Graph *g;
    int n;
    const Ref *from, *to;
    uint32_t touched; /* free indices that are replaced */
    bool everywhere;  /* something that is no index is replaced: no pruning by free indices */
    ReadRewriter *with;
    void *user;
    Memo *memo; /* NULL: not needed yet */
} Rebuild;

static MemoEntry *memo_find(const Memo *m, Ref r) {
    uint32_t h = r * 0x9E3779B1u;
    for (h = (h ^ h >> 16) & (m->room - 1); m->at[h].stamp == m->stamp && m->at[h].key != r;) {
        h = (h + 1) & (m->room - 1);
    }
    return &m->at[h];
}

static Ref *memo_slot(Rebuild *m, Ref r) {
    Graph *g = m->g;
    if (!m->memo) {
        m->memo = g->memos ? g->memos : arena_alloc(g->arena, sizeof *m->memo);
        g->memos = m->memo->next;
        m->memo->used = 0, m->memo->stamp++;
    }
    Memo *memo = m->memo;
    if (memo->used * 2 >= memo->room) {
        Memo old = *memo;
        memo->room = old.room ? old.room * 2 : 32, memo->stamp = 1;
        memo->at = arena_alloc(g->arena, memo->room * sizeof *memo->at);
        for (uint32_t k = 0; k < old.room; k++) {
            if (old.at[k].stamp == old.stamp) {
                *memo_find(memo, old.at[k].key) =
                    (MemoEntry){old.at[k].key, old.at[k].value, memo->stamp};
            }
        }
    }
    MemoEntry *e = memo_find(memo, r);
    if (e->stamp != memo->stamp) {
        *e = (MemoEntry){r, 0, memo->stamp};
        memo->used++;
    }
    return &e->value;
}

static void memo_release(Rebuild *m) {
    if (m->memo) {
        m->memo->next = m->g->memos;
        m->g->memos = m->memo;
    }
}

static Ref rebuild(Rebuild *m, Ref r);

/* A matrix argument stays a read of what lies in memory row by row: what stands for such a read is
 * taken only if it is one too. */
static Ref rebuild_matrix(Rebuild *m, Ref r) {
    Graph *g = m->g;
    const Node n = *NODE(g, r);
    Ref *args = arena_alloc(g->arena, (n.nargs + 1u) * sizeof *args), with = 0;
    for (int k = 0; k < n.nargs; k++) {
        args[k] = rebuild(m, ARG(g, r, k));
    }
    with = m->with ? m->with(g, m->user, n.aux, args) : 0;
    if (with && NODE(g, with)->op == OP_READ && NODE(g, with)->nargs >= 2 &&
        NODE(g, with)->type == n.type &&
        ARG(g, with, NODE(g, with)->nargs - 2) == args[n.nargs - 2] &&
        ARG(g, with, NODE(g, with)->nargs - 1) == args[n.nargs - 1]) {
        return with;
    }
    return node_make(g, OP_READ, n.type, n.aux, n.nargs, args);
}

static Ref rebuild_node(Rebuild *m, Ref r) {
    Graph *g = m->g;
    const Node n = *NODE(g, r);
    Ref small[8], *args = n.nargs <= 8 ? small : arena_alloc(g->arena, n.nargs * sizeof *args);
    bool same = true;
    /* What is bound here is not what stands for an index around: conditions that were found under
     * different binders may stand side by side, and all count from 1. */
    for (int k = 0; n.op == OP_REDUCE && k < m->n; k++) {
        Ref bound = ARG(g, r, 0);
        if (m->from[k] != bound) continue;
        const Index named = g->indices.at[NODE(g, bound)->aux];
        Ref fresh = graph_index(g, named.name, named.extent);
        Ref c = graph_subst(g, ARG(g, r, 1), 1, &bound, &fresh),
            b = graph_subst(g, ARG(g, r, 2), 1, &bound, &fresh);
        c = rebuild(m, c);
        return graph_reduce(g, (Reduction)n.aux, fresh, c, rebuild(m, b));
    }
    for (int k = 0; k < n.nargs; k++) {
        Ref old = ARG(g, r, k);
        bool matrix =
            n.op == OP_KERNEL && kernel_info[n.aux].matrix && k == kernel_info[n.aux].result;
        args[k] = n.op == OP_REDUCE && k == 0 ? old
                  : matrix                    ? rebuild_matrix(m, old)
                                              : rebuild(m, old);
        same = same && args[k] == old;
    }
    if (n.op == OP_READ && m->with) {
        Ref with = m->with(g, m->user, n.aux, args);
        if (with) {
            return with;
        }
    }
    if (same) {
        return r;
    }
    switch (n.op) {
    case OP_READ: return graph_read(g, n.aux, args);
    case OP_SELECT: return graph_select(g, args[0], args[1], args[2]);
    case OP_CAST: return graph_cast(g, (ValueType)n.type, args[0]);
    case OP_CHECKED: return graph_checked(g, args[0], args[1], args[2]);
    case OP_NONEMPTY: return graph_nonempty(g, args[0]);
    case OP_IDIV: {
        int64_t by;
        if (graph_is_int(g, args[1], &by) && by > 0) {
            return graph_of_poly(g, poly_scale(g->arena, graph_poly(g, args[0]), 1, by));
        }
        return node_make(g, OP_IDIV, VALUE_INT, 0, 2, args);
    }
    case OP_EXTERN: return graph_extern(g, n.aux, args);
    case OP_KERNEL: return node_make(g, OP_KERNEL, n.type, n.aux, n.nargs, args);
    case OP_REDUCE: {
        /* Simplification may want to renumber, so the binder is opened first. */
        const Index named = g->indices.at[NODE(g, args[0])->aux];
        Ref fresh = graph_index(g, named.name, named.extent);
        Ref c = graph_subst(g, args[1], 1, &args[0], &fresh),
            b = graph_subst(g, args[2], 1, &args[0], &fresh);
        return graph_reduce(g, (Reduction)n.aux, fresh, c, b);
    }
    default: return graph_op(g, (Op)n.op, args);
    }
}

static Ref rebuild(Rebuild *m, Ref r) {
    for (int k = 0; k < m->n; k++) {
        if (m->from[k] == r) {
            return m->to[k];
        }
    }
    const Node *n = NODE(m->g, r);
    if (n->nargs == 0 && !(n->op == OP_READ && m->with)) {
        return r;
    }
    if (!m->everywhere && !m->with && !sets_meet(m->g, n->free, m->touched)) {
        return r;
    }
    Ref known = *memo_slot(m, r);
    if (known) {
        return known;
    }
    Ref made = rebuild_node(m, r);
    *memo_slot(m, r) = made;
    return made;
}

Ref graph_subst(Graph *g, Ref term, int n, const Ref *from, const Ref *to) {
    Rebuild m = {.g = g, .n = n, .from = from, .to = to};
    for (int k = 0; k < n; k++) {
        if (NODE(g, from[k])->op == OP_INDEX) {
            m.touched = set_union(g, m.touched, NODE(g, from[k])->free);
        } else {
            m.everywhere = true;
        }
    }
    Ref made = rebuild(&m, term);
    memo_release(&m);
    return made;
}

struct Subst {
    Rebuild m;
};

Subst *graph_subst_start(Graph *g) {
    Subst *s = arena_alloc(g->arena, sizeof *s);
    s->m = (Rebuild){.g = g, .everywhere = true};
    return s;
}

void graph_subst_add(Subst *s, Ref from, Ref to) {
    *memo_slot(&s->m, from) = to;
}

Ref graph_subst_all(Subst *s, Ref term) {
    return rebuild(&s->m, term);
}

void graph_subst_end(Subst *s) {
    memo_release(&s->m);
}

Ref graph_rewrite_reads(Graph *g, Ref term, ReadRewriter *with, void *user) {
    Rebuild m = {.g = g, .with = with, .user = user};
    Ref made = rebuild(&m, term);
    memo_release(&m);
    return made;
}

/* ---- arrays
 * --------------------------------------------------------------------------------------------------------------------
 */

/* The number to try next with the name, which is taken from now on; 0: it was free. */
static int name_taken(Graph *g, const char *name) {
    Symbol s = symbol_of(g->cx, name);
    while ((uint32_t)g->taken.n <= s) {
        VEC_PUSH(g->arena, g->taken, 0);
    }
    int next = g->taken.at[s];
    g->taken.at[s] = next ? next : 2;
    return next;
}

void graph_reserve(Graph *g, const char *name) {
    name_taken(g, name);
}

static const char *unique_name(Graph *g, const char *name) {
    int next = name_taken(g, name);
    if (!next) {
        return name;
    }
    const char *try;
    do {
        try = arena_format(g->arena, "%s_%d", name, next++);
    } while (name_taken(g, try));
    g->taken.at[symbol_of(g->cx, name)] = next;
    return try;
}

ArrayRef graph_array(Graph *g, const char *name, ValueType type, int rank,
                     const Poly *const *extent, const char *const *axis_names) {
    Array a = {.name = unique_name(g, name), .type = type, .rank = rank};
    a.axis = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *a.axis);
    a.extent = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *a.extent);
    for (int k = 0; k < rank; k++) {
        a.extent[k] = extent[k];
        a.axis[k] = graph_index(g, axis_names[k], extent[k]);
    }
    VEC_PUSH(g->arena, g->arrays, a);
    return (ArrayRef)(g->arrays.n - 1);
}

bool graph_piece(Graph *g, ArrayRef array, const Poly *const *lo, const Poly *const *hi, Ref body,
                 Span at) {
    Array *a = ARRAY(g, array);
    Piece p = {.at = at};
    p.lo = arena_alloc(g->arena, (size_t)(a->rank + 1) * sizeof *p.lo);
    p.hi = arena_alloc(g->arena, (size_t)(a->rank + 1) * sizeof *p.hi);
    for (int k = 0; k < a->rank; k++) {
        p.lo[k] = lo ? lo[k] : poly_int(g->arena, 0);
        p.hi[k] = hi ? hi[k] : poly_sub(g->arena, a->extent[k], poly_int(g->arena, 1));
    }
    for (int k = 0; k < a->rank; k++) {
        int64_t num, den;
        if (poly_is_number(poly_sub(g->arena, p.hi[k], p.lo[k]), &num, &den) && num < 0) {
            return false;
        }
    }
    p.body = graph_cast(g, a->type, body);
    VEC_PUSH(g->arena, ARRAY(g, array)->pieces, p);
    return true;
}

static bool boxes_apart(Graph *g, int rank, const Piece *x, const Piece *y) {
    const Poly *one = poly_int(g->arena, 1);
    for (int k = 0; k < rank; k++) {
        if (graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, x->lo[k], y->hi[k]), one), 0,
                        NULL) ||
            graph_prove(g, poly_sub(g->arena, poly_sub(g->arena, y->lo[k], x->hi[k]), one), 0,
                        NULL)) {
            return true;
        }
    }
    return false;
}

typedef struct Side { /* of a box, along the axis in which all are numbers */
    int64_t lo, hi;
    int piece;
} Side;

static int side_order(const void *a, const void *b) {
    const Side *x = a, *y = b;
    return x->lo != y->lo        ? (x->lo < y->lo ? -1 : 1)
           : x->piece < y->piece ? -1
                                 : x->piece > y->piece;
}

/* An array may have thousands of pieces, one for each entry. So they are taken in their order along
 * an axis, and each is compared with those that begin before it ends. */
const bool *graph_pieces_meet(Graph *g, ArrayRef a) {
    const Array x = *ARRAY(g, a);
    int n = x.pieces.n;
    bool *meet = arena_alloc(g->arena, (size_t)n + 1), sorted = false;
    Side *side = arena_alloc(g->arena, (size_t)(n + 1) * sizeof *side);
    for (int q = 0; q < n; q++) {
        side[q].piece = q;
    }
    for (int k = 0; k < x.rank && !sorted && n > 2; k++) {
        sorted = true;
        for (int q = 0; q < n && sorted; q++) {
            sorted = poly_is_int(x.pieces.at[q].lo[k], &side[q].lo) &&
                     poly_is_int(x.pieces.at[q].hi[k], &side[q].hi);
        }
    }
    if (sorted) {
        qsort(side, (size_t)n, sizeof *side, side_order);
    }
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n && (!sorted || side[j].lo <= side[i].hi); j++) {
            int p = side[i].piece, q = side[j].piece;
            if (!(meet[p] && meet[q]) &&
                !boxes_apart(g, x.rank, &x.pieces.at[p], &x.pieces.at[q])) {
                meet[p] = meet[q] = true;
            }
        }
    }
    return meet;
}

/* ---- scopes
 * ------------------------------------------------------------------------------------------------------------------
 */

void scope_add(Graph *g, Scope *s, Ref index, const Poly *lo, const Poly *hi) {
    if (s->n == s->room) {
        int room = s->room ? s->room * 2 : 8;
        Scope old = *s;
        s->index = arena_alloc(g->arena, (size_t)room * sizeof *s->index);
        s->lo = arena_alloc(g->arena, (size_t)room * sizeof *s->lo);
        s->hi = arena_alloc(g->arena, (size_t)room * sizeof *s->hi);
        for (int k = 0; k < s->n; k++) {
            s->index[k] = old.index[k], s->lo[k] = old.lo[k], s->hi[k] = old.hi[k];
        }
        s->room = room;
    }
    s->index[s->n] = index;
    s->lo[s->n] = lo ? lo : poly_int(g->arena, 0);
    s->hi[s->n] = hi ? hi : poly_sub(g->arena, EXTENT(g, index), poly_int(g->arena, 1));
    s->n++;
}

Scope scope_copy(Graph *g, const Scope *s) {
    Scope c = {.guard = s->guard, .live = s->live};
    for (int k = 0; k < s->n; k++) {
        scope_add(g, &c, s->index[k], s->lo[k], s->hi[k]);
    }
    return c;
}

Scope scope_of_piece(Graph *g, ArrayRef a, const Piece *p) {
    Scope s = {.guard = p->guard, .live = p->live};
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        scope_add(g, &s, ARRAY(g, a)->axis[k], p->lo[k], p->hi[k]);
    }
    return s;
}

void scope_guard(Graph *g, Scope *s, Ref condition) {
    s->guard = s->guard ? graph_and(g, s->guard, condition) : condition;
    if (graph_is_true(g, s->guard)) {
        s->guard = 0;
    }
}

typedef VEC(Ref) RefList;

/* The conjuncts of a condition that hold an index go to `with`, the others into *rest. */
static void conjuncts_of(Graph *g, Ref c, Ref index, RefList *with, Ref *rest) {
    if (!graph_has_index(g, c, index)) {
        *rest = *rest ? graph_and(g, *rest, c) : c;
    } else if (NODE(g, c)->op == OP_and) {
        Ref first = ARG(g, c, 0), second = ARG(g, c, 1);
        conjuncts_of(g, first, index, with, rest);
        conjuncts_of(g, second, index, with, rest);
    } else {
        VEC_PUSH(g->arena, *with, c);
    }
}

/* c as index >= *lo or index <= *hi, or both; false: it says something else. */
static bool as_bound(Graph *g, Ref c, Ref index, const Poly **lo, const Poly **hi) {
    const Node n = *NODE(g, c);
    *lo = *hi = NULL;
    if ((n.op != OP_lt && n.op != OP_le && n.op != OP_gt && n.op != OP_ge && n.op != OP_eq) ||
        NODE(g, ARG(g, c, 0))->type != VALUE_INT) {
        return false;
    }
    const Poly *d = poly_sub(g->arena, graph_poly(g, ARG(g, c, 1)), graph_poly(g, ARG(g, c, 0))),
               *rest;
    if (n.op == OP_gt || n.op == OP_ge) {
        d = poly_neg(g->arena, d);
    }
    if (n.op == OP_lt || n.op == OP_gt) {
        d = poly_sub(g->arena, d, poly_int(g->arena, 1));
    }
    int64_t num, den; /* d >= 0, or d == 0 */
    if (!poly_linear(g->arena, d, index, &num, &den, &rest) || den != 1 || num * num != 1 ||
        graph_has_index(g, graph_of_poly(g, rest), index)) {
        return false;
    }
    const Poly *at = num == 1 ? poly_neg(g->arena, rest) : rest;
    *lo = num == 1 || n.op == OP_eq ? at : NULL;
    *hi = num == -1 || n.op == OP_eq ? at : NULL;
    return true;
}

/* What a condition says of the other indices: for some value of this one, in its range, it holds.
 * Whole numbers between bounds exist where no lower bound exceeds an upper one (Fourier and
 * Motzkin, exact as the index has the factor 1). 0: always; the condition itself: not found. */
static Ref exists(Graph *g, Ref condition, Ref index, const Poly *lo, const Poly *hi) {
    RefList with = {0};
    Ref rest = 0;
    VEC(const Poly *) above = {0}, below = {0};
    conjuncts_of(g, condition, index, &with, &rest);
    VEC_PUSH(g->arena, above, lo);
    VEC_PUSH(g->arena, below, hi);
    for (int k = 0; k < with.n; k++) {
        const Poly *l, *h;
        if (!as_bound(g, with.at[k], index, &l, &h)) {
            return condition;
        }
        if (l) {
            VEC_PUSH(g->arena, above, l);
        }
        if (h) {
            VEC_PUSH(g->arena, below, h);
        }
    }
    for (int k = 0; k < above.n; k++) {
        for (int q = 0; q < below.n; q++) {
            if (!graph_prove(g, poly_sub(g->arena, below.at[q], above.at[k]), 0, NULL)) {
                Ref c = graph_op2(g, OP_le, graph_of_poly(g, above.at[k]),
                                  graph_of_poly(g, below.at[q]));
                rest = rest ? graph_and(g, rest, c) : c;
            }
        }
    }
    return rest && !graph_is_true(g, rest) ? rest : 0;
}

Scope scope_part(Graph *g, const Scope *s, int n, const Ref *terms) {
    uint32_t need = 0;
    Scope part = {.guard = s->guard, .live = s->live};
    for (int k = 0; k < n; k++) {
        need = set_union(g, need, NODE(g, terms[k])->free);
    }
    for (int k = s->n; k-- > 0 && part.guard;) {
        if (!set_has(g, need, s->index[k]) && graph_has_index(g, part.guard, s->index[k])) {
            part.guard = exists(g, part.guard, s->index[k], s->lo[k], s->hi[k]);
        }
    }
    need = part.guard ? set_union(g, need, NODE(g, part.guard)->free) : need;
    for (int k = 0; k < s->n; k++) {
        if (set_has(g, need, s->index[k])) {
            scope_add(g, &part, s->index[k], s->lo[k], s->hi[k]);
        }
    }
    part.live = graph_part_over(g, part.live, part.n, part.index);
    return part;
}

ArrayRef graph_array_over(Graph *g, const char *name, const Scope *s, Ref body, Span at,
                          Ref *read) {
    const Poly **extent = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *extent);
    const char **names = arena_alloc(g->arena, (size_t)(s->n + 1) * sizeof *names);
    for (int k = 0; k < s->n; k++) {
        extent[k] = EXTENT(g, s->index[k]);
        names[k] = g->indices.at[NODE(g, s->index[k])->aux].name;
    }
    ArrayRef a = graph_array(g, name, (ValueType)NODE(g, body)->type, s->n, extent, names);
    if (graph_piece(g, a, s->lo, s->hi, graph_subst(g, body, s->n, s->index, ARRAY(g, a)->axis),
                    at)) {
        const Ref *axis = ARRAY(g, a)->axis;
        Ref guard = s->guard ? graph_subst(g, s->guard, s->n, s->index, axis) : 0,
            live = s->live ? graph_subst(g, s->live, s->n, s->index, axis) : 0;
        ARRAY(g, a)->pieces.at[0].guard = guard;
        ARRAY(g, a)->pieces.at[0].live = live;
    }
    ARRAY(g, a)->at = at;
    if (read) {
        *read = graph_read(g, a, s->index);
    }
    return a;
}

/* ---- walks
 * --------------------------------------------------------------------------------------------------------------------
 */

Walk walk_start(Graph *g, Ref root) {
    g->walks++;
    while (g->seen.n < g->nodes.n) {
        VEC_PUSH(g->arena, g->seen, 0);
    }
    g->stack.n = g->later.n = 0;
    g->late = false;
    Walk walk = {g, g->walks};
    if (root) {
        walk_add(walk, root);
    }
    return walk;
}

static void walk_check(Walk walk) {
    if (walk.number != walk.g->walks) {
        bug("a walk goes on after another one has begun");
    }
}

void walk_add(Walk walk, Ref root) {
    walk_check(walk);
    VEC_PUSH(walk.g->arena, walk.g->stack, root);
}

void walk_later(Walk walk, Ref r) {
    walk_check(walk);
    VEC_PUSH(walk.g->arena, walk.g->later, r);
}

bool walk_is_late(Walk walk) {
    return walk.g->late;
}

bool walk_first(Walk walk, Ref r) {
    if (walk.g->seen.at[r] == walk.number) {
        return false;
    }
    walk.g->seen.at[r] = walk.number;
    return true;
}

Ref walk_next(Walk walk) {
    Graph *g = walk.g;
    walk_check(walk);
    while (g->stack.n || g->later.n) {
        g->late = g->late || !g->stack.n;
        Ref r = g->stack.n ? g->stack.at[--g->stack.n] : g->later.at[--g->later.n];
        if (walk_first(walk, r)) {
            return r;
        }
    }
    return 0;
}

void walk_into(Walk walk, Ref r) {
    for (int k = 0; k < NODE(walk.g, r)->nargs; k++) {
        walk_add(walk, ARG(walk.g, r, k));
    }
}

typedef VEC(ArrayRef) ArrayList;

static void collect_reads(Walk walk, Ref term, ArrayList *out) {
    Graph *g = walk.g;
    walk_add(walk, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node *n = NODE(g, r);
        if (n->op == OP_READ && g->read.at[n->aux] != walk.number) {
            g->read.at[n->aux] = walk.number;
            VEC_PUSH(g->arena, *out, n->aux);
        }
        for (int k = n->nargs - 1; k >= 0; k--) {
            walk_add(walk, ARG(g, r, k));
        }
    }
}

static int array_reads(Graph *g, ArrayRef a, bool live, const ArrayRef **reads) {
    ArrayList out = {0};
    Walk walk = walk_start(g, 0);
    while (g->read.n < g->arrays.n) {
        VEC_PUSH(g->arena, g->read, 0);
    }
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        collect_reads(walk, p.body, &out);
        if (p.guard) {
            collect_reads(walk, p.guard, &out);
        }
        if (p.live && live) {
            collect_reads(walk, p.live, &out);
        }
    }
    *reads = out.at;
    return out.n;
}

int graph_array_reads(Graph *g, ArrayRef a, const ArrayRef **reads) {
    return array_reads(g, a, false, reads);
}

int graph_array_needs(Graph *g, ArrayRef a, const ArrayRef **needs) {
    return array_reads(g, a, true, needs);
}

bool graph_reads_itself(Graph *g, ArrayRef a) {
    Walk walk = walk_start(g, 0);
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece *p = &ARRAY(g, a)->pieces.at[q];
        walk_add(walk, p->body);
        if (p->guard) {
            walk_add(walk, p->guard);
        }
    }
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && NODE(g, r)->aux == a) {
            return true;
        }
        walk_into(walk, r);
    }
    return false;
}

/* What an array reads, and what it has rules by. */
static int with_rules(Graph *g, ArrayRef a, int n, const ArrayRef **reads) {
    VEC(ArrayRef) all = {0};
    if (!ARRAY(g, a)->rules.n) {
        return n;
    }
    for (int k = 0; k < n; k++) {
        VEC_PUSH(g->arena, all, (*reads)[k]);
    }
    for (int k = 0; k < ARRAY(g, a)->rules.n; k++) {
        VEC_PUSH(g->arena, all, ARRAY(g, a)->rules.at[k].by);
    }
    *reads = all.at;
    return all.n;
}

/* Tarjan's algorithm with its own stack. */
static Order order_by(Graph *g, int n, const ArrayRef *roots, bool live, bool rules) {
    typedef struct Frame {
        ArrayRef a;
        int next, nreads;
        const ArrayRef *reads;
    } Frame;
    size_t all = (size_t)g->arrays.n + 1;
    int *number = arena_alloc(g->arena, all * sizeof *number),
        *low = arena_alloc(g->arena, all * sizeof *low);
    bool *on = arena_alloc(g->arena, all * sizeof *on);
    ArrayRef *stack = arena_alloc(g->arena, all * sizeof *stack),
             *order = arena_alloc(g->arena, all * sizeof *order);
    int *component = arena_alloc(g->arena, all * sizeof *component);
    VEC(Frame) frames = {0};
    int counter = 0, depth = 0, out = 0, components = 0;
    for (int r = 0; r < n; r++) {
        if (number[roots[r]]) {
            continue;
        }
        VEC_PUSH(g->arena, frames, (Frame){.a = roots[r], .next = -1});
        while (frames.n) {
            Frame *f = &frames.at[frames.n - 1];
            ArrayRef a = f->a;
            if (f->next < 0) {
                number[a] = low[a] = ++counter;
                stack[depth++] = a;
                on[a] = true;
                f->nreads = array_reads(g, a, live, &f->reads);
                f->nreads = rules ? with_rules(g, a, f->nreads, &f->reads) : f->nreads;
                f->next = 0;
            }
            if (f->next < f->nreads) {
                ArrayRef b = f->reads[f->next++];
                if (!number[b]) {
                    VEC_PUSH(g->arena, frames, (Frame){.a = b, .next = -1});
                } else if (on[b] && number[b] < low[a]) {
                    low[a] = number[b];
                }
                continue;
            }
            frames.n--;
            if (frames.n && low[a] < low[frames.at[frames.n - 1].a]) {
                low[frames.at[frames.n - 1].a] = low[a];
            }
            if (low[a] == number[a]) {
                int from = depth;
                do {
                    on[stack[--from]] = false;
                } while (stack[from] != a);
                for (int k = from; k < depth; k++) {
                    order[out] = stack[k];
                    component[out++] = components;
                }
                depth = from;
                components++;
            }
        }
    }
    return (Order){out, order, component};
}

Order graph_order(Graph *g, int n, const ArrayRef *roots) {
    return order_by(g, n, roots, false, false);
}

Order graph_order_needs(Graph *g, int n, const ArrayRef *roots) {
    return order_by(g, n, roots, true, false);
}

Order graph_order_of_rules(Graph *g, int n, const ArrayRef *roots) {
    return order_by(g, n, roots, false, true);
}

void graph_need_rules(Graph *g, ArrayRef a) {
    void *later = ARRAY(g, a)->rules_later;
    ARRAY(g, a)->rules_later = NULL;
    if (later) {
        g->make_rules(g, a, later);
    }
}

const bool *graph_calls(Graph *g, int n, const ArrayRef *roots) {
    bool *called = arena_alloc(g->arena, (size_t)(g->externs.n + 1) * sizeof *called);
    Order order = graph_order(g, n, roots);
    Walk walk = walk_start(g, 0);
    for (int k = 0; k < order.n && g->externs.n; k++) {
        const Array *a = ARRAY(g, order.array[k]);
        for (int q = 0; q < a->pieces.n; q++) {
            walk_add(walk, a->pieces.at[q].body);
            if (a->pieces.at[q].guard) {
                walk_add(walk, a->pieces.at[q].guard);
            }
        }
        for (Ref r; (r = walk_next(walk));) {
            if (NODE(g, r)->op == OP_EXTERN) {
                called[NODE(g, r)->aux] = true;
            }
            walk_into(walk, r);
        }
    }
    return called;
}

void graph_check(Graph *g) {
    for (Ref r = 1; r < (Ref)g->nodes.n; r++) {
        const Node *n = NODE(g, r);
        if (n->op == OP_READ && (n->aux == 0 || n->aux >= (uint32_t)g->arrays.n ||
                                 ARRAY(g, n->aux)->rank != n->nargs)) {
            bug("node %u reads an array that does not exist, or at the wrong rank", r);
        }
    }
    for (ArrayRef k = 1; k < (ArrayRef)g->arrays.n; k++) {
        const Array *a = ARRAY(g, k);
        for (int q = 0; q < a->pieces.n; q++) {
            const Piece *p = &a->pieces.at[q];
            const Ref *free;
            int n = graph_free(g, p->body, &free);
            for (int f = 0; f < n; f++) {
                bool own = false;
                for (int x = 0; x < a->rank; x++) {
                    own = own || a->axis[x] == free[f];
                }
                if (!own) {
                    bug("piece %d of %s has the index %s, which is none of its axes: %s", q,
                        a->name, g->indices.at[NODE(g, free[f])->aux].name,
                        graph_term_text(g, p->body));
                }
            }
            if (NODE(g, p->body)->type != a->type) {
                bug("piece %d of %s has another type", q, a->name);
            }
        }
        if (a->role != ARRAY_INTERNAL && a->pieces.n) {
            bug("%s is given and defined", a->name);
        }
    }
}
