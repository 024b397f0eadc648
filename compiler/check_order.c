/* check_order: what depends on what, and in which loops a recurrence runs. In: equations. Out: the
 * groups of a unit, dependencies first; for each recurrence its loops, or a message that there are
 * none.
 *
 * A recurrence is a set of arrays that read each other. For an axis of each of them, the lag of a
 * read is the position on the left less the position read. One axis can be the outermost loop if
 * constants, one per array, make all lags >= 0 (forward) or all <= 0 (backward) and some of them
 * not 0: difference constraints, solved by Bellman and Ford's method. Reads with a lag are then
 * satisfied by that loop; circles among the rest need another axis inside. */
#include "check.h"
#include <stdlib.h>

static int int_order(const void *x, const void *y) {
    int s = *(const int *)x, t = *(const int *)y;
    return (s > t) - (s < t);
}

/* Tarjan's algorithm with its own stack: a chain of arrays may be as long as the source. */
int components(Arena *a, int n, const Links *links, int **order, int **start) {
    size_t room = (size_t)n + 1;
    int *index = arena_alloc(a, room * sizeof *index), *low = arena_alloc(a, room * sizeof *low);
    int *open = arena_alloc(a, room * sizeof *open), *path = arena_alloc(a, room * sizeof *path);
    int *next = arena_alloc(a, room * sizeof *next);
    bool *is_open = arena_alloc(a, room * sizeof *is_open);
    *order = arena_alloc(a, room * sizeof **order);
    *start = arena_alloc(a, room * sizeof **start);
    int count = 0, nopen = 0, out = 0, comps = 0;
    for (int root = 0; root < n; root++) {
        if (index[root]) continue;
        int depth = 0;
        path[depth++] = root;
        while (depth) {
            int v = path[depth - 1];
            if (!index[v]) {
                index[v] = low[v] = ++count;
                open[nopen++] = v;
                is_open[v] = true;
            }
            if (next[v] < links[v].to.n) {
                int w = links[v].to.at[next[v]++];
                if (!index[w]) path[depth++] = w;
                else if (is_open[w] && index[w] < low[v]) low[v] = index[w];
                continue;
            }
            depth--;
            if (depth && low[v] < low[path[depth - 1]]) low[path[depth - 1]] = low[v];
            if (low[v] != index[v]) continue;
            (*start)[comps++] = out;
            int w;
            do {
                w = open[--nopen];
                is_open[w] = false;
                (*order)[out++] = w;
            } while (w != v);
            int first = (*start)[comps - 1];
            qsort(*order + first, (size_t)(out - first), sizeof **order, int_order);
        }
    }
    (*start)[comps] = out;
    return comps;
}

static void add_reads(Check *c, const Syn *e, Value *by, int *seen) {
    if (e->kind == SYN_NAME || e->kind == SYN_AT) {
        const NameInfo *n = check_name(c, e->name);
        if (n && n->array && seen[n->array->number] != by->number + 1) {
            seen[n->array->number] = by->number + 1;
            VEC_PUSH(c->cx->arena, by->reads, n->array->number);
            if (n->array != by) n->array->used = true;
        }
    }
    for (int k = 0; k < e->nkids; k++) add_reads(c, e->kid[k], by, seen);
}

void check_dependencies(Check *c) {
    Arena *a = c->cx->arena;
    int n = c->arrays.n, *order, *start;
    int *seen = arena_alloc(a, (size_t)(n + 1) * sizeof *seen);
    Links *links = arena_alloc(a, (size_t)(n + 1) * sizeof *links);
    for (int i = 0; i < n; i++) {
        Value *by = c->arrays.at[i];
        for (int k = 0; k < by->cases.n; k++)
            add_reads(c, by->cases.at[k]->eq.syn->kid[1], by, seen);
        for (int k = 0; k < by->reads.n; k++) VEC_PUSH(a, links[i].to, by->reads.at[k]);
    }
    int comps = components(a, n, links, &order, &start);
    for (int g = 0; g < comps; g++) {
        Group group = {0};
        group.cyclic = start[g + 1] - start[g] > 1;
        for (int k = start[g]; k < start[g + 1]; k++) {
            Value *m = c->arrays.at[order[k]];
            m->v.group = g;
            VEC_PUSH(a, group.members, &m->v);
            for (int r = 0; r < m->reads.n; r++)
                group.cyclic = group.cyclic || m->reads.at[r] == m->number;
        }
        VEC_PUSH(a, c->unit->groups, group);
    }
}

/* ---- the loops of a recurrence
 * ----------------------------------------------------------------------------- */

typedef struct Edge {
    int from, to; /* places in Nest.at: the array defined, the array read */
    const Read *read;
    bool data; /* the position on the axis in question is chosen by data */
    int64_t lag;
} Edge;
typedef struct Nest { /* the arrays of one recurrence */
    int n;
    Value **at;
    int *axis; /* of the loop in question; -1: not found yet */
    int64_t *offset;
    bool **taken; /* axes that outer loops run over */
} Nest;
typedef VEC(Edge) Edges;

/* The axis of places[] on which one of the polynomial's indices stands, among those not taken. */
static int axis_of(const Poly *p, Env env, int rank, const Poly *const *places, const bool *taken) {
    for (int i = 0; i < p->n; i++)
        for (int v = 0; v < p->term[i].nvars; v++) {
            if (!env_find(env, p->term[i].var[v])) continue;
            for (int k = 0; k < rank; k++)
                if (!taken[k] && places[k] && poly_has(places[k], p->term[i].var[v])) return k;
        }
    return -1;
}

static const Poly **read_polys(Check *c, const Read *r) {
    const Poly **p = arena_alloc(c->cx->arena, (size_t)(r->of->v.rank + 1) * sizeof *p);
    for (int k = 0; k < r->of->v.rank; k++)
        p[k] = r->place[k]->kind == PLACE_POLY ? r->place[k]->poly : NULL;
    return p;
}

/* Starting from one array's axis, the axes of the others: an index carries it from the left to the
 * position read, and back. */
static bool spread(Check *c, const Nest *nest, const Edges *edges, int seed, int axis,
                   const bool *in) {
    for (int m = 0; m < nest->n; m++) nest->axis[m] = -1;
    nest->axis[seed] = axis;
    for (bool moved = true; moved;) {
        moved = false;
        for (int k = 0; k < edges->n; k++) {
            const Edge *e = &edges->at[k];
            const Read *r = e->read;
            if (nest->axis[e->from] >= 0 && nest->axis[e->to] < 0) {
                nest->axis[e->to] =
                    axis_of(r->by->position[nest->axis[e->from]], r->env, r->of->v.rank,
                            (const Poly *const *)read_polys(c, r), nest->taken[e->to]);
                moved = moved || nest->axis[e->to] >= 0;
            } else if (nest->axis[e->to] >= 0 && nest->axis[e->from] < 0) {
                const Place *p = r->place[nest->axis[e->to]];
                if (p->kind != PLACE_POLY) continue;
                nest->axis[e->from] =
                    axis_of(p->poly, p->env, r->by->n, (const Poly *const *)r->by->position,
                            nest->taken[e->from]);
                moved = moved || nest->axis[e->from] >= 0;
            }
        }
    }
    for (int m = 0; m < nest->n; m++)
        if (in[m] && nest->axis[m] < 0) return false;
    return true;
}

/* The least lag that is proved for a read, forwards or backwards. */
static bool lag_of(Check *c, Edge *e, const Poly *left, int axis, bool forward) {
    Arena *a = c->cx->arena;
    bool first = true;
    e->data = false;
    for (const Place *p = e->read->place[axis]; p; p = p->other) {
        int64_t lag;
        if (p->kind == PLACE_DATA && forward) {
            lag = 1; /* checked when it runs */
            e->data = true;
        } else if (p->kind != PLACE_POLY) {
            return false;
        } else {
            const Poly *d = forward ? poly_sub(a, left, p->poly) : poly_sub(a, p->poly, left);
            if (!poly_is_int(d, &lag)) {
                for (lag = 4; lag >= -3; lag--)
                    if (check_prove(c, poly_sub(a, d, poly_int(a, lag)), p->env)) break;
                if (lag < -3) return false;
            }
        }
        if (first || lag < e->lag) e->lag = lag;
        first = false;
    }
    return true;
}

/* Offsets that make every lag >= 0 and some lag > 0; the edges get the lags that remain. */
static bool solve(const Nest *nest, Edges *edges) {
    for (int m = 0; m < nest->n; m++) nest->offset[m] = 0;
    bool moved = true;
    for (int round = 0; round <= nest->n && moved; round++) {
        moved = false;
        for (int k = 0; k < edges->n; k++) {
            const Edge *e = &edges->at[k];
            if (nest->offset[e->from] + e->lag >= nest->offset[e->to]) continue;
            nest->offset[e->to] = nest->offset[e->from] + e->lag;
            moved = true;
        }
    }
    if (moved) return false; /* a circle that looks ahead */
    bool some = false;
    for (int k = 0; k < edges->n; k++) {
        Edge *e = &edges->at[k];
        bool apart = nest->offset[e->from] != nest->offset[e->to];
        e->lag += nest->offset[e->from] - nest->offset[e->to];
        if (e->data && (e->lag < 1 || apart)) return false;
        some = some || e->lag > 0;
    }
    return some;
}

static const char *loop_text(Check *c, const Nest *nest, const bool *in, const Edges *edges,
                             int depth, bool forward) {
    Arena *a = c->cx->arena;
    int64_t most = INT64_MIN;
    int first = -1;
    for (int m = 0; m < nest->n; m++) {
        if (!in[m]) continue;
        if (first < 0) first = m;
        if (nest->offset[m] > most) most = nest->offset[m];
    }
    const char *text =
        arena_format(a, "%*s%s over %s:", 2 * depth, "", forward ? "forward" : "backward",
                     size_text(c->cx, nest->at[first]->v.shape[nest->axis[first]]));
    for (int m = 0; m < nest->n; m++) {
        if (!in[m]) continue;
        text = arena_format(a, "%s%s %s", text, m == first ? "" : ",",
                            symbol_text(c->cx, nest->at[m]->v.name));
        if (nest->offset[m] != most)
            text = arena_format(a, "%s[%+lld]", text, (long long)(most - nest->offset[m]));
    }
    for (int k = 0; k < edges->n; k++)
        if (edges->at[k].data) return arena_format(a, "%s  (earlier entry by data: checked)", text);
    return text;
}

static void say_no_order(Check *c, const Edge *e) {
    const Variable *by = &e->read->by->of->v, *of = &e->read->of->v;
    const char *name = symbol_text(c->cx, by->name), *other = symbol_text(c->cx, of->name);
    if (by == of && by->rank == 0) {
        error_at(c->cx, e->read->at, "'%s' is defined by itself", name);
        note_at(c->cx, by->at, "defined here");
        return;
    }
    if (by == of)
        error_at(c->cx, e->read->at,
                 "no order of loops computes this: %s needs itself, and no axis only looks back or "
                 "only looks ahead",
                 name);
    else
        error_at(c->cx, e->read->at,
                 "no order of loops computes this: %s needs %s, which needs %s, and no axis only "
                 "looks back or only looks ahead",
                 name, other, name);
    note_at(c->cx, by->at, "%s is defined here", name);
}

/* One loop over the arrays `in`, which read each other through `edges`; then what is left inside
 * it. */
static void find_loops(Check *c, Nest *nest, const bool *in, Edges *edges, int depth);

static void find_inner(Check *c, Nest *nest, const bool *in, const Edges *edges, int depth) {
    Arena *a = c->cx->arena;
    Links *links = arena_alloc(a, (size_t)(nest->n + 1) * sizeof *links);
    for (int k = 0; k < edges->n; k++) VEC_PUSH(a, links[edges->at[k].from].to, edges->at[k].to);
    int *order, *start, comps = components(a, nest->n, links, &order, &start);
    for (int g = 0; g < comps; g++) {
        bool *members = arena_alloc(a, (size_t)(nest->n + 1) * sizeof *members);
        for (int k = start[g]; k < start[g + 1]; k++) members[order[k]] = in[order[k]];
        Edges inside = {0};
        for (int k = 0; k < edges->n; k++)
            if (members[edges->at[k].from] && members[edges->at[k].to])
                VEC_PUSH(a, inside, edges->at[k]);
        if (inside.n) find_loops(c, nest, members, &inside, depth);
    }
}

static void find_loops(Check *c, Nest *nest, const bool *in, Edges *edges, int depth) {
    Arena *a = c->cx->arena;
    const Edge *why = NULL;
    int seed = 0;
    while (!in[seed]) seed++;
    for (int axis = 0; axis < nest->at[seed]->v.rank; axis++) {
        if (nest->taken[seed][axis] || !spread(c, nest, edges, seed, axis, in)) continue;
        for (int forward = 1; forward >= 0; forward--) {
            const Edge *bad = NULL;
            for (int k = 0; k < edges->n && !bad; k++) {
                Edge *e = &edges->at[k];
                if (!lag_of(c, e, e->read->by->position[nest->axis[e->from]], nest->axis[e->to],
                            forward))
                    bad = e;
            }
            if (bad || !solve(nest, edges)) {
                if (!why) why = bad ? bad : &edges->at[0];
                continue;
            }
            VEC_PUSH(a, c->unit->loops, loop_text(c, nest, in, edges, depth, forward));
            for (int k = 0; k < edges->n; k++)
                if (edges->at[k].data)
                    nest->at[edges->at[k].to]->v.earlier_by_data |= 1u
                                                                    << nest->axis[edges->at[k].to];
            Edges rest = {0};
            for (int k = 0; k < edges->n; k++)
                if (edges->at[k].lag == 0) VEC_PUSH(a, rest, edges->at[k]);
            for (int m = 0; m < nest->n; m++)
                if (in[m]) nest->taken[m][nest->axis[m]] = true;
            find_inner(c, nest, in, &rest, depth + 1);
            return;
        }
    }
    say_no_order(c, why ? why : &edges->at[0]);
}

void check_loops(Check *c) {
    Arena *a = c->cx->arena;
    for (int g = 0; g < c->unit->groups.n; g++) {
        const Group *group = &c->unit->groups.at[g];
        bool ready = group->cyclic;
        for (int m = 0; m < group->members.n && ready; m++)
            ready = ((Value *)group->members.at[m])->sized;
        if (!ready) continue;
        size_t n = (size_t)group->members.n;
        Nest nest = {(int)n, arena_alloc(a, n * sizeof *nest.at),
                     arena_alloc(a, n * sizeof *nest.axis), arena_alloc(a, n * sizeof *nest.offset),
                     arena_alloc(a, n * sizeof *nest.taken)};
        bool *in = arena_alloc(a, n * sizeof *in);
        int *place = arena_alloc(a, (size_t)(c->arrays.n + 1) * sizeof *place);
        for (size_t m = 0; m < n; m++) {
            nest.at[m] = (Value *)group->members.at[m];
            nest.taken[m] = arena_alloc(a, (size_t)(nest.at[m]->v.rank + 1) * sizeof **nest.taken);
            place[nest.at[m]->number] = (int)m;
            in[m] = true;
        }
        Edges edges = {0};
        for (int k = 0; k < c->reads.n; k++) {
            const Read *r = &c->reads.at[k];
            if (r->of->v.group == g)
                VEC_PUSH(a, edges,
                         (Edge){place[r->by->of->number], place[r->of->number], r, false, 0});
        }
        if (edges.n) find_inner(c, &nest, in, &edges, 0);
    }
}
