/* pick: what is read at a few places only is computed for these places.
 * In: arrays with all derivatives made, before conditions of demand are put on them. Out: the same
 * values.
 *
 * With x[v] = sum[b](W[v, b] * ..) and y[c] = x[p[c]] + x[q[c]], data choose which entries of x are
 * read, and nobody reads another one. So x_at[c] = sum[b](W[p[c], b] * ..), and one more array for
 * q, are 2 C entries in place of V. Which of the two is less work, sizes that are open do not say:
 * then the C has both, and compares the sizes when it runs, outside of all loops.
 *
 * It is done where an entry is some work, by sums of more than a few terms, and where there are few
 * such places in the text. Work that axes.c would move to a table again stays where it is. */
#include "pick.h"
#include "kernel.h"
#include "ops.h"
#include "sizes.h"

enum {
    MOST_AXES = 15,
    MOST_SITES = 4, /* places of an array */
    LEAST_WORK = 32 /* operations of an entry */
};

typedef struct Site {                       /* where an array is read */
    int n;                                  /* indices of the place */
    Ref index[MOST_AXES], place[MOST_AXES]; /* by axis of the array; 0: not moved */
    ArrayRef made;
} Site;

typedef struct Pick {
    bool never;
    uint32_t moved; /* the axes along which data choose */
    int nsites;
    Site site[MOST_SITES];
} Pick;

typedef struct Picks {
    Graph *g;
    const Sizes *sizes;
    Pick **pick;  /* by array; NULL: it stays */
    bool *chosen; /* by array: its equation has a choice by sizes already */
    int all;
    ArrayRef now; /* whose reads are rewritten */
} Picks;

/* ---- where arrays are read */

/* The indices of a place that data choose, in the order in which they appear. False: it is none. */
static bool find_indices(Graph *g, Ref place, Site *s) {
    bool data = false;
    Walk walk = walk_start(g, place);
    for (Ref r; (r = walk_next(walk));) {
        data = data || (NODE(g, r)->op == OP_READ && ARRAY(g, NODE(g, r)->aux)->target);
        if (NODE(g, r)->op == OP_INDEX) {
            bool known = false;
            for (int k = 0; k < s->n; k++) {
                known = known || s->index[k] == r;
            }
            if (!known) {
                if (s->n == MOST_AXES) {
                    return false;
                }
                s->index[s->n++] = r;
            }
        }
        walk_into(walk, r);
    }
    return data && !NODE(g, place)->fails;
}

/* A read as a site of its own; false: the array stays as it is. */
static bool site_of(Graph *g, ArrayRef a, const Ref *position, uint32_t *moved, Site *s) {
    int64_t fixed;
    *s = (Site){0};
    *moved = 0;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (NODE(g, position[k])->op == OP_INDEX || graph_is_int(g, position[k], &fixed)) {
            continue;
        }
        if (!find_indices(g, position[k], s)) {
            return false;
        }
        s->place[k] = position[k];
        *moved |= 1u << k;
    }
    return *moved != 0;
}

/* The same place over other indices? */
static bool same_site(Graph *g, const Site *a, const Site *b, int rank) {
    bool same = a->n == b->n;
    for (int k = 0; k < a->n && same; k++) {
        same = poly_equal(EXTENT(g, a->index[k]), EXTENT(g, b->index[k]));
    }
    for (int k = 0; k < rank && same; k++) {
        same =
            !a->place[k] == !b->place[k] &&
            (!a->place[k] || graph_subst(g, a->place[k], a->n, a->index, b->index) == b->place[k]);
    }
    return same;
}

static int find_site(Graph *g, const Pick *p, const Site *s, int rank) {
    for (int k = 0; k < p->nsites; k++) {
        if (same_site(g, s, &p->site[k], rank)) {
            return k;
        }
    }
    return -1;
}

static void note_read(Picks *p, Ref read) {
    Graph *g = p->g;
    ArrayRef a = NODE(g, read)->aux;
    Pick *pick = (int)a < p->all ? p->pick[a] : NULL;
    Ref position[MOST_AXES];
    uint32_t moved;
    Site s;
    if (!pick || pick->never) {
        return;
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        position[k] = ARG(g, read, k);
    }
    pick->never = !site_of(g, a, position, &moved, &s) || (pick->nsites && pick->moved != moved);
    if (pick->never || find_site(g, pick, &s, ARRAY(g, a)->rank) >= 0) {
        return;
    }
    pick->moved = moved;
    pick->never = pick->nsites == MOST_SITES;
    if (!pick->never) {
        pick->site[pick->nsites++] = s;
    }
}

static void never_read(Picks *p, Ref term) {
    Graph *g = p->g;
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ && (int)NODE(g, r)->aux < p->all &&
            p->pick[NODE(g, r)->aux]) {
            p->pick[NODE(g, r)->aux]->never = true;
        }
        walk_into(walk, r);
    }
}

/* Is it a condition on sizes alone? */
static bool is_of_sizes(Graph *g, Ref condition) {
    Walk walk = walk_start(g, condition);
    for (Ref r; (r = walk_next(walk));) {
        if (NODE(g, r)->op == OP_READ || NODE(g, r)->op == OP_INDEX) {
            return false;
        }
        walk_into(walk, r);
    }
    return true;
}

static void note_reads(Picks *p, ArrayRef by, Ref term) {
    Graph *g = p->g;
    VEC(Ref) reads = {0}, choices = {0};
    Walk walk = walk_start(g, term);
    for (Ref r; (r = walk_next(walk));) {
        const Node n = *NODE(g, r);
        if (n.op == OP_READ) {
            VEC_PUSH(g->arena, reads, r);
        } else if (n.op == OP_SELECT) {
            VEC_PUSH(g->arena, choices, r);
        }
        walk_into(walk, r);
    }
    for (int k = 0; k < choices.n; k++) {
        if (is_of_sizes(g, ARG(g, choices.at[k], 0))) { /* somebody chose here already */
            p->chosen[by] = true;
            never_read(p, choices.at[k]);
        }
    }
    for (int k = 0; k < reads.n; k++) {
        note_read(p, reads.at[k]);
    }
}

/* ---- what becomes of them */

/* May entries of it be computed where they are read? */
static bool may_pick(const Picks *p, ArrayRef a) {
    Graph *g = p->g;
    const Array *x = ARRAY(g, a);
    bool dear = false;
    if (x->role != ARRAY_INTERNAL || x->counts || x->target || x->type < VALUE_FLOAT ||
        x->rank == 0 || x->rank > MOST_AXES || x->pieces.n != 1 || x->pieces.at[0].guard ||
        x->pieces.at[0].live || kernel_is(g, a)) {
        return false;
    }
    for (int k = 0; k < x->rank; k++) {
        if (!graph_is_whole(g, a, k)) {
            return false;
        }
    }
    Ref body = x->pieces.at[0].body;
    return NODE(g, body)->depth > 0 && !NODE(g, body)->fails &&
           sizes_work(p->sizes, body, &dear) >= LEAST_WORK && !dear;
}

/* The condition under which places are fewer than entries; 0: never. */
static Ref when_few(Graph *g, ArrayRef a, const Pick *p) {
    const Poly *places = poly_int(g->arena, 0), *entries = poly_int(g->arena, 1);
    int factors = 0;
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (p->moved >> k & 1) {
            entries = poly_mul(g->arena, entries, ARRAY(g, a)->extent[k]);
            factors++;
        }
    }
    for (int k = 0; k < p->nsites; k++) {
        const Poly *all = poly_int(g->arena, 1);
        for (int q = 0; q < p->site[k].n; q++) {
            all = poly_mul(g->arena, all, EXTENT(g, p->site[k].index[q]));
        }
        factors = p->site[k].n > factors ? p->site[k].n : factors;
        places = poly_add(g->arena, places, all);
    }
    const Poly *more = poly_sub(g->arena, entries, places),
               *less = poly_sub(g->arena, poly_neg(g->arena, more), poly_int(g->arena, 1));
    if (graph_prove(g, more, 0, NULL)) {
        return graph_bool(g, true);
    }
    if (graph_prove(g, less, 0, NULL) || factors > 1) { /* sums of products of sizes: in range? */
        return 0;
    }
    return graph_op2(g, OP_le, graph_of_poly(g, places), graph_of_poly(g, entries));
}

/* The array over the indices of a site, and the axes that have not moved. */
static void make_site(Picks *p, ArrayRef a, Site *s) {
    Graph *g = p->g;
    const Array x = *ARRAY(g, a);
    const Poly *extent[2 * MOST_AXES];
    const char *names[2 * MOST_AXES];
    Ref from[2 * MOST_AXES], to[2 * MOST_AXES];
    int n = 0;
    for (int k = 0; k < s->n; k++) {
        extent[n] = EXTENT(g, s->index[k]);
        names[n++] = g->indices.at[NODE(g, s->index[k])->aux].name;
    }
    for (int k = 0; k < x.rank; k++) {
        if (!s->place[k]) {
            extent[n] = x.extent[k];
            names[n++] = g->indices.at[NODE(g, x.axis[k])->aux].name;
        }
    }
    s->made = graph_array(g, arena_format(g->arena, "%s_at", x.name), x.type, n, extent, names);
    ARRAY(g, s->made)->order = x.order;
    ARRAY(g, s->made)->derived = true;
    const Ref *axis = ARRAY(g, s->made)->axis;
    n = s->n;
    for (int k = 0; k < x.rank; k++) {
        from[k] = x.axis[k];
        to[k] = s->place[k] ? graph_subst(g, s->place[k], s->n, s->index, axis) : axis[n];
        n += !s->place[k];
    }
    graph_piece(g, s->made, NULL, NULL, graph_subst(g, x.pieces.at[0].body, x.rank, from, to),
                x.pieces.at[0].at);
}

static Ref read_site(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Picks *p = user;
    Ref at[2 * MOST_AXES];
    uint32_t moved;
    Site s;
    if (a != p->now) {
        return 0;
    }
    const Pick *pick = p->pick[a];
    int which =
        site_of(g, a, positions, &moved, &s) ? find_site(g, pick, &s, ARRAY(g, a)->rank) : -1;
    if (which < 0) {
        bug("%s is read at a place that was not met before", ARRAY(g, a)->name);
    }
    int n = s.n;
    for (int k = 0; k < s.n; k++) {
        at[k] = s.index[k];
    }
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if (!s.place[k]) {
            at[n++] = positions[k];
        }
    }
    return graph_read(g, pick->site[which].made, at);
}

static void rewrite(Picks *p, const Order *order, ArrayRef a, Ref few) {
    Graph *g = p->g;
    p->now = a;
    for (int k = 0; k < p->pick[a]->nsites; k++) {
        make_site(p, a, &p->pick[a]->site[k]);
    }
    for (int k = 0; k < order->n; k++) {
        ArrayRef by = order->array[k];
        for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
            Ref body = ARRAY(g, by)->pieces.at[q].body;
            if (graph_reads(g, body, a)) {
                Ref at_sites = graph_rewrite_reads(g, body, read_site, p);
                ARRAY(g, by)->pieces.at[q].body = graph_select(g, few, at_sites, body);
                p->chosen[by] = true;
            }
        }
    }
}

/* Has somebody who reads it a choice already? More than one would multiply the text. */
static bool reader_chose(const Picks *p, const Order *order, ArrayRef a) {
    Graph *g = p->g;
    for (int k = 0; k < order->n; k++) {
        for (int q = 0; q < ARRAY(g, order->array[k])->pieces.n && p->chosen[order->array[k]];
             q++) {
            if (graph_reads(g, ARRAY(g, order->array[k])->pieces.at[q].body, a)) {
                return true;
            }
        }
    }
    return false;
}

bool pick_entries(Graph *g, int n, const ArrayRef *roots,
                  bool (*asked)(const Graph *g, ArrayRef a)) {
    Order order = graph_order(g, n, roots);
    Picks p = {.g = g, .sizes = sizes_of(g), .all = g->arrays.n};
    size_t all = (size_t)g->arrays.n + 1;
    bool some = false, changed = false;
    p.pick = arena_alloc(g->arena, all * sizeof *p.pick);
    p.chosen = arena_alloc(g->arena, all);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        bool circle = (k > 0 && order.component[k - 1] == order.component[k]) ||
                      (k + 1 < order.n && order.component[k + 1] == order.component[k]) ||
                      graph_reads_itself(g, a);
        if (!circle && !asked(g, a) && may_pick(&p, a)) {
            p.pick[a] = arena_alloc(g->arena, sizeof *p.pick[a]);
            some = true;
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef by = order.array[k];
        for (int q = 0; q < ARRAY(g, by)->pieces.n; q++) {
            const Piece piece = ARRAY(g, by)->pieces.at[q];
            if (NODE(g, piece.body)->op == OP_KERNEL) {
                never_read(&p, piece.body);
            } else {
                note_reads(&p, by, piece.body);
            }
            if (piece.guard) {
                never_read(&p, piece.guard);
            }
            if (piece.live) {
                never_read(&p, piece.live);
            }
        }
    }
    for (int k = 0; k < order.n && some; k++) {
        ArrayRef a = order.array[k];
        Pick *pick = p.pick[a];
        Ref few = pick && !pick->never && pick->nsites ? when_few(g, a, pick) : 0;
        if (few && (graph_is_true(g, few) || !reader_chose(&p, &order, a))) {
            rewrite(&p, &order, a, few);
            changed = true;
        }
    }
    return changed;
}
