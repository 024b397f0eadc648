/* cut: what of the value is stored for its derivative, and what is computed again.
 * In: the graph as the functions of one request see it, and a weight: how many operations a byte of
 * workspace is worth. Out: edits, by which the derivative reads copies of some arrays of the value,
 * which are made again from what is stored.
 *
 * Of each array v of the value that the derivative needs, for itself or to make others again,
 * either all entries are stored, or v is made again, and then all that it reads is needed too. That
 * is a minimum cut. Two nodes stand for v: v is needed if `out` lies on the side of the sink, and
 * made again if `in` does. The edges are source -> in    the operations to make v again; without
 * end where that cannot be in -> out       the bytes of v, times the weight out -> in of w  without
 * end, where w reads v: who makes w again needs v out -> sink     without end, where the derivative
 * reads v so the least cut is the cheapest choice. Inputs and parameters are there anyway. That is
 * the cut of H. He and S. Yu, "Transcending runtime-memory tradeoffs in checkpointing by being
 * fusion aware", MLSys 2023, with operations as a cost beside bytes. It is found by the algorithm
 * of E. Dinic (1970).
 *
 * An array that a recurrence makes of its own past cannot be made again alone; that is what
 * checkpoints are for. What is made again entry by entry, without a sum, is written into its
 * readers. */
#include "gen.h"
#include "kernel.h"
#include "sizes.h"
#include <math.h>
#include <string.h>

typedef struct Edge {
    int to, next, back; /* of a node: the next one; the edge the other way round */
    double room;
} Edge;

typedef struct Cut {
    Graph *g;
    const Sizes *sizes;
    Edits *edits;
    bool *value; /* by array: it is of the value */
    int *number; /* by array: of its two nodes; -1 */
    VEC(ArrayRef) arrays;
    VEC(Edge) edges;
    int *head, *level, *now;
    int nodes;
    bool *again; /* by array: made again */
    Ref *term;   /* by array: that stands where it is read */
    ArrayRef *copy;
} Cut;

enum { SOURCE, SINK, FIRST_NODE, MOST_COUNTED = 4096 };

/* ---- flow */

static void add_edge(Cut *c, int from, int to, double room) {
    Edge there = {to, c->head[from], c->edges.n + 1, room},
         back = {from, c->head[to], c->edges.n, 0};
    c->head[from] = c->edges.n, c->head[to] = c->edges.n + 1;
    VEC_PUSH(c->g->arena, c->edges, there);
    VEC_PUSH(c->g->arena, c->edges, back);
}

static bool find_levels(Cut *c, int *queue) {
    int n = 0;
    for (int k = 0; k < c->nodes; k++) {
        c->level[k] = -1;
        c->now[k] = c->head[k];
    }
    queue[n++] = SOURCE, c->level[SOURCE] = 0;
    for (int k = 0; k < n; k++) {
        for (int e = c->head[queue[k]]; e >= 0; e = c->edges.at[e].next) {
            int to = c->edges.at[e].to;
            if (c->edges.at[e].room > 0 && c->level[to] < 0) {
                c->level[to] = c->level[queue[k]] + 1;
                queue[n++] = to;
            }
        }
    }
    return c->level[SINK] >= 0;
}

/* As much as goes along the levels, path by path. */
static void push_flow(Cut *c, int *path) {
    int n = 0, at = SOURCE;
    for (;;) {
        if (at == SINK) {
            double room = HUGE_VAL;
            int least = 0;
            for (int k = 0; k < n; k++) {
                if (c->edges.at[path[k]].room < room) {
                    room = c->edges.at[path[k]].room, least = k;
                }
            }
            for (int k = 0; k < n; k++) {
                Edge *e = &c->edges.at[path[k]];
                c->edges.at[e->back].room += room;
                e->room = k == least ? 0 : e->room - room;
            }
            n = least;
            at = c->edges.at[c->edges.at[path[n]].back].to;
            continue;
        }
        int e = c->now[at];
        while (e >= 0 &&
               (c->edges.at[e].room <= 0 || c->level[c->edges.at[e].to] != c->level[at] + 1)) {
            e = c->edges.at[e].next;
        }
        c->now[at] = e;
        if (e >= 0) {
            path[n++] = e;
            at = c->edges.at[e].to;
        } else if (n == 0) {
            return;
        } else { /* nothing goes on from here */
            c->level[at] = -1;
            at = c->edges.at[c->edges.at[path[--n]].back].to;
        }
    }
}

/* ---- what it costs */

static double operations_of(const Cut *c, Ref r) {
    Graph *g = c->g;
    const Node n = *NODE(g, r);
    double sum = term_node_cost(g, r);
    if (n.size >= MOST_COUNTED) {
        return n.size;
    }
    if (n.op == OP_REDUCE) {
        Ref body = ARG(g, r, 2);
        return sizes_best(c->sizes, EXTENT(g, ARG(g, r, 0))) * (1 + operations_of(c, body));
    }
    for (int k = 0; k < n.nargs && n.op != OP_READ; k++) {
        sum += operations_of(c, ARG(g, r, k));
    }
    return sum;
}

static double entries_of(const Cut *c, ArrayRef a) {
    double all = 1;
    for (int k = 0; k < ARRAY(c->g, a)->rank; k++) {
        all *= sizes_best(c->sizes, ARRAY(c->g, a)->extent[k]);
    }
    return all;
}

/* May a copy of it be made from what it reads? */
static bool has_copies(Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    if (x->role != ARRAY_INTERNAL || x->counts || x->rank == 0 || kernel_is(g, a) ||
        fuse_is_result(g, a) || !x->pieces.n) {
        return false;
    }
    for (int q = 0; q < x->pieces.n; q++) {
        Ref guard = ARRAY(g, a)->pieces.at[q].guard;
        if (ARRAY(g, a)->pieces.at[q].live || (guard && graph_reads_count(g, guard))) {
            return false;
        }
    }
    return true;
}

/* By array: may be made again. Of a circle those that are not made of each other: others carry it
 * from turn to turn. */
static bool *find_free(const Cut *c, const Order *order) {
    Graph *g = c->g;
    bool *free = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (int lo = 0, hi; lo < order->n; lo = hi) {
        for (hi = lo + 1; hi < order->n && order->component[hi] == order->component[lo];) {
            hi++;
        }
        bool *bound = hi - lo > 1 ? arena_alloc(g->arena, (size_t)g->arrays.n) : NULL;
        for (int k = lo; k < hi && bound; k++) { /* those with cases carry it */
            bound[order->array[k]] = ARRAY(g, order->array[k])->pieces.n == 1;
        }
        for (bool more = true; more;) {
            more = false;
            for (int k = lo; k < hi; k++) {
                ArrayRef a = order->array[k];
                const ArrayRef *reads;
                if (free[a] || !c->value[a] || !has_copies(g, a) || (bound && !bound[a])) {
                    continue;
                }
                int n = graph_array_needs(g, a, &reads);
                bool yes = true;
                for (int q = 0; q < n; q++) {
                    yes = yes && reads[q] != a && (!bound || !bound[reads[q]] || free[reads[q]]);
                }
                if (yes) {
                    free[a] = more = true;
                }
            }
        }
    }
    return free;
}

/* ---- the derivative reads copies */

static Ref read_again(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Cut *c = user;
    if (a >= (ArrayRef)c->nodes || !c->again[a]) {
        return 0;
    }
    if (c->copy[a]) {
        return graph_read(g, c->copy[a], positions);
    }
    return graph_subst(g, c->term[a], ARRAY(g, a)->rank, ARRAY(g, a)->axis, positions);
}

static bool goes_into_readers(Graph *g, ArrayRef a) {
    const Piece *p = &ARRAY(g, a)->pieces.at[0];
    return fuse_is_one_piece(g, a) && !p->guard && !p->live && NODE(g, p->body)->depth == 0 &&
           NODE(g, p->body)->size < MOST_SIZE / 8;
}

static ArrayRef make_copy(Cut *c, ArrayRef a) {
    Graph *g = c->g;
    int rank = ARRAY(g, a)->rank;
    const char **names = arena_alloc(g->arena, (size_t)(rank + 1) * sizeof *names);
    for (int k = 0; k < rank; k++) {
        names[k] = g->indices.at[NODE(g, ARRAY(g, a)->axis[k])->aux].name;
    }
    const char *name = arena_format(g->arena, "%s_again", ARRAY(g, a)->name);
    ArrayRef made = graph_array(g, name, ARRAY(g, a)->type, rank, ARRAY(g, a)->extent, names);
    ARRAY(g, made)->order = ARRAY(g, a)->order;
    ARRAY(g, made)->derived = true;
    ARRAY(g, made)->at = ARRAY(g, a)->at;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        const Ref *from = ARRAY(g, a)->axis, *to = ARRAY(g, made)->axis;
        Ref body = graph_rewrite_reads(g, p.body, read_again, c),
            guard = p.guard ? graph_rewrite_reads(g, p.guard, read_again, c) : 0;
        body = graph_subst(g, body, rank, from, to);
        guard = guard ? graph_subst(g, guard, rank, from, to) : 0;
        if (graph_piece(g, made, p.lo, p.hi, body, p.at)) {
            Piece *last = &ARRAY(g, made)->pieces.at[ARRAY(g, made)->pieces.n - 1];
            last->guard = guard;
        }
    }
    return made;
}

static void rewrite_reader(Cut *c, ArrayRef a) {
    Graph *g = c->g;
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        const Piece p = ARRAY(g, a)->pieces.at[q];
        Ref body = graph_rewrite_reads(g, p.body, read_again, c),
            guard = p.guard ? graph_rewrite_reads(g, p.guard, read_again, c) : 0;
        if (body != p.body || guard != p.guard) {
            edits_begin(g, c->edits, a);
            Piece *to = &ARRAY(g, a)->pieces.at[q];
            to->body = graph_cast(g, ARRAY(g, a)->type, body), to->guard = guard;
        }
    }
}

int cut_derivative(Graph *g, int n, const ArrayRef *roots, const bool *value, const double *bytes,
                   double weight, Edits *edits) {
    size_t all = (size_t)g->arrays.n + 1;
    Cut c = {.g = g, .sizes = sizes_of(g), .edits = edits};
    Order order = graph_order(g, n, roots);
    c.number = arena_alloc(g->arena, all * sizeof *c.number);
    c.value = arena_alloc(g->arena, all);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        c.value[a] = ARRAY(g, a)->role == ARRAY_INTERNAL && value[a];
        if (c.value[a]) {
            VEC_PUSH(g->arena, c.arrays, a);
            c.number[a] = FIRST_NODE + 2 * (c.arrays.n - 1);
        }
    }
    c.nodes = FIRST_NODE + 2 * c.arrays.n;
    c.head = arena_alloc(g->arena, (size_t)c.nodes * sizeof *c.head);
    c.level = arena_alloc(g->arena, (size_t)c.nodes * sizeof *c.level);
    c.now = arena_alloc(g->arena, (size_t)c.nodes * sizeof *c.now);
    for (int k = 0; k < c.nodes; k++) {
        c.head[k] = -1;
    }
    const bool *free = find_free(&c, &order);
    int *readers = arena_alloc(g->arena, all * sizeof *readers);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        const ArrayRef *reads;
        int nreads = graph_array_needs(g, a, &reads);
        for (int q = 0; q < nreads; q++) {
            int from = c.number[reads[q]];
            if (c.value[reads[q]] && c.value[a]) {
                add_edge(&c, from + 1, c.number[a], HUGE_VAL);
            } else if (c.value[reads[q]] && readers[reads[q]]++ == 0) {
                add_edge(&c, from + 1, SINK, HUGE_VAL);
            }
        }
    }
    for (int k = 0; k < c.arrays.n; k++) {
        ArrayRef a = c.arrays.at[k];
        double cost = 0, entries = entries_of(&c, a);
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            cost += operations_of(&c, ARRAY(g, a)->pieces.at[q].body);
        }
        bool each = goes_into_readers(g, a) && readers[a] > 1;
        cost = (cost + 1) * entries * (each ? readers[a] : 1);
        double stored = readers[a] ? bytes[a] : entries * array_entry_bytes(g, a);
        add_edge(&c, SOURCE, c.number[a], free[a] ? cost : HUGE_VAL);
        add_edge(&c, c.number[a], c.number[a] + 1, weight * stored);
    }
    int *room = arena_alloc(g->arena, (size_t)(c.nodes + 1) * sizeof *room);
    while (find_levels(&c, room)) {
        push_flow(&c, room);
    }
    c.again = arena_alloc(g->arena, all);
    c.term = arena_alloc(g->arena, all * sizeof *c.term);
    c.copy = arena_alloc(g->arena, all * sizeof *c.copy);
    int made = 0, *place = arena_alloc(g->arena, all * sizeof *place);
    c.nodes = (int)all - 1;             /* arrays that the marks below know of */
    for (int k = 0; k < order.n; k++) { /* what is read comes first */
        ArrayRef a = order.array[k];
        if (!c.value[a] || c.level[c.number[a]] >= 0 || c.level[c.number[a] + 1] >= 0 || !free[a]) {
            continue;
        }
        if (goes_into_readers(g, a)) {
            c.term[a] = graph_rewrite_reads(g, ARRAY(g, a)->pieces.at[0].body, read_again, &c);
        } else {
            c.copy[a] = make_copy(&c, a);
        }
        c.again[a] = true;
        VEC_PUSH(g->arena, edits->again, ((Again){.array = a}));
        place[a] = edits->again.n;
        made++;
    }
    for (int k = 0; k < order.n && made; k++) {
        ArrayRef a = order.array[k];
        const ArrayRef *reads;
        if (c.value[a]) {
            continue;
        }
        int nreads = graph_array_reads(g, a, &reads);
        for (int q = 0; q < nreads; q++) {
            if (c.again[reads[q]]) {
                VEC_PUSH(g->arena, edits->again.at[place[reads[q]] - 1].by, a);
            }
        }
        rewrite_reader(&c, a);
    }
    return made;
}
