/* plan: from the graph to loops.
 * In: the simplified graph. Out: for each entry function a tree of loops and statements, and the
 * layout of its workspace. Here: which arrays a function computes, where they are stored, and in
 * which order; the loops of each come from nest and circle. */
#include "gen.h"
#include "passes.h"

static const char *const function_words[] = {"value", "forward", "backward", "value_and_gradient",
                                             "vjp",   ""};
const char *function_word(FunctionKind kind) {
    return function_words[kind];
}

int store_axes(const Graph *g, const Store *s, ArrayRef a) {
    return s ? s->n : ARRAY(g, a)->rank;
}

int store_axis(const Store *s, int k) {
    return s ? s->axis[k] : k;
}

const Poly *store_extent(const Graph *g, const Store *s, ArrayRef a, int axis) {
    return s && s->window[axis] ? poly_int(g->arena, s->window[axis]) : ARRAY(g, a)->extent[axis];
}

const Poly *store_room(Graph *g, const Store *s, ArrayRef a, int axis) {
    const Poly *n = store_extent(g, s, a, axis);
    int64_t fixed;
    if (!s || !s->row || axis != s->axis[s->n - 1]) {
        return n;
    }
    if (poly_is_int(n, &fixed)) {
        return poly_int(g->arena, (fixed + s->row - 1) / s->row * s->row);
    }
    for (int k = 0; k < g->rows.n; k++) {
        if (g->rows.at[k].multiple == s->row && poly_equal(g->rows.at[k].of, n)) {
            return poly_var(g->arena, g->rows.at[k].room);
        }
    }
    bool named = n->n == 1 && n->term[0].nvars == 1 && n->term[0].num == 1 && n->term[0].den == 1;
    const char *of = named ? g->dims.at[NODE(g, n->term[0].var[0])->aux].name : NULL;
    Ref room = graph_index(g, of ? arena_format(g->arena, "%s_row", of) : "row", n);
    VEC_PUSH(g->arena, g->rows, ((RowRoom){room, s->row, n}));
    return poly_var(g->arena, room);
}

const Poly *store_stride(Graph *g, const Store *s, ArrayRef a, int axis) {
    const Poly *stride = poly_int(g->arena, 1);
    for (int k = store_axes(g, s, a) - 1; k >= 0; k--) {
        if (store_axis(s, k) == axis) {
            return s && s->window[axis] != 0 ? NULL : stride;
        }
        stride = poly_mul(g->arena, stride, store_room(g, s, a, store_axis(s, k)));
    }
    return NULL;
}

const Poly *plan_poly(Graph *g, const Expr *e) {
    const Poly *x, *y;
    switch (e->kind) {
    case EXPR_CONST:
    case EXPR_DIM:
    case EXPR_INDEX: return e->type == VALUE_INT ? graph_poly(g, e->ref) : NULL;
    case EXPR_OP:
        x = e->n > 0 ? plan_poly(g, e->arg[0]) : NULL;
        y = e->n > 1 ? plan_poly(g, e->arg[1]) : NULL;
        if (!x || (e->n > 1 && !y)) {
            return NULL;
        }
        return e->op == OP_add   ? poly_add(g->arena, x, y)
               : e->op == OP_sub ? poly_sub(g->arena, x, y)
               : e->op == OP_mul ? poly_mul(g->arena, x, y)
               : e->op == OP_neg ? poly_neg(g->arena, x)
                                 : NULL;
    default: return NULL;
    }
}

/* ---- functions
 * ----------------------------------------------------------------------------------------------------------------------
 */

static bool same_store(const Graph *g, ArrayRef a, const Store *s, const Store *t) {
    for (int k = 0; k < ARRAY(g, a)->rank; k++) {
        if ((s ? s->window[k] : 0) != (t ? t->window[k] : 0)) {
            return false;
        }
    }
    return (s ? s->row : 0) == (t ? t->row : 0);
}

bool array_is_narrow(const Graph *g, ArrayRef a) {
    const Array *x = ARRAY(g, a);
    return x->type == VALUE_INT && (x->is_int_data || (x->is_output && x->target));
}

int array_entry_bytes(const Graph *g, ArrayRef a) {
    switch (ARRAY(g, a)->type) {
    case VALUE_BOOL: return 1;
    case VALUE_FLOAT: return 4;
    case VALUE_INT: return array_is_narrow(g, a) ? 4 : 8;
    default: return 8;
    }
}

const int *layout_places(const Graph *g, const Layout *l, const Function *f) {
    int *place = arena_alloc(g->arena, ((size_t)g->arrays.n + 1) * sizeof *place);
    for (ArrayRef a = 0; a < (ArrayRef)g->arrays.n; a++) {
        place[a] = -1;
    }
    for (int k = l->buffers.n - 1; k >= 0; k--) {
        const Buffer *b = &l->buffers.at[k];
        if (!b->states && !b->sums && (int)b->array < f->arrays &&
            same_store(g, b->array, b->store, f->store[b->array])) {
            place[b->array] = k;
        }
    }
    return place;
}

int layout_part(const Layout *l, const Checkpoint *c, KeptPart part, ArrayRef a) {
    for (int k = 0; k < l->buffers.n; k++) {
        const Buffer *b = &l->buffers.at[k];
        if (b->array == a && b->states == c && b->part == part) {
            return k;
        }
    }
    return -1;
}

static void mark(Graph *g, int n, const ArrayRef *roots, bool *in) {
    Order o = graph_order_needs(g, n, roots);
    for (int k = 0; k < o.n; k++) {
        in[o.array[k]] = true;
    }
}

/* forward came before, and kept what both need */
static bool comes_after(FunctionKind kind) {
    return kind == FN_BACKWARD || kind == FN_VJP;
}

/* What a function computes, or is given, in order. What the workspace keeps is not looked behind:
 * backward is not given what only forward needs. */
static Order function_needs(Graph *g, FunctionKind kind, int request, const bool *value_needs,
                            const bool *gradient_needs, const bool *again) {
    bool after = comes_after(kind);
    const Request *r = request >= 0 ? &g->requests.at[request] : NULL;
    VEC(ArrayRef) roots = {0};
    if (!after && kind != FN_DERIVATIVE) {
        for (int k = 0; k < g->outputs.n; k++) {
            VEC_PUSH(g->arena, roots, g->outputs.at[k]);
        }
    }
    if (after || kind == FN_DERIVATIVE || kind == FN_VALUE_AND_GRADIENT) {
        for (int k = 0; k < r->result.n; k++) {
            VEC_PUSH(g->arena, roots, r->result.at[k]);
        }
    }
    bool *met = arena_alloc(g->arena, (size_t)g->arrays.n);
    VEC(ArrayRef) todo = {0};
    for (int k = 0; k < roots.n; k++) {
        VEC_PUSH(g->arena, todo, roots.at[k]);
    }
    while (todo.n) {
        ArrayRef a = todo.at[--todo.n];
        const ArrayRef *reads;
        if (met[a]) {
            continue;
        }
        met[a] = true;
        if (after && value_needs[a] && gradient_needs[a] && !again[a]) {
            continue;
        }
        int n = graph_array_needs(g, a, &reads);
        for (int q = 0; q < n; q++) {
            VEC_PUSH(g->arena, todo, reads[q]);
        }
    }
    Order order = graph_order_needs(g, roots.n, roots.at);
    int kept = 0;
    for (int k = 0; k < order.n; k++) {
        if (met[order.array[k]]) {
            order.array[kept] = order.array[k];
            order.component[kept++] = order.component[k];
        }
    }
    order.n = kept;
    return order;
}

/* By array: what stands before the loop of a group because it reads the last state of a recurrence
 * that the loop computes again. */
static const bool *before_group(const Function *f, int group) {
    for (int k = 0; k < f->checkpoints.n; k++) {
        const Checkpoint *c = f->checkpoints.at[k];
        for (int i = 0; i < c->nafter; i++) {
            if (c->after[i].kind == f->kind && c->after[i].group == group) {
                return c->after[i].before;
            }
        }
    }
    return NULL;
}

/* Statements for everything that a function computes, each after what it asks for. */
static void compute_all(Gen *x, const Order *order, const bool *computed, const int *owner,
                        const LoopGroups *groups) {
    Graph *g = x->g;
    bool *done = arena_alloc(g->arena, (size_t)g->arrays.n);
    for (int k = 0; k < order->n; k++) {
        VEC(ArrayRef) stack = {0};
        VEC_PUSH(g->arena, stack, order->array[k]);
        while (stack.n) {
            ArrayRef a = stack.at[stack.n - 1], first = 0;
            const LoopGroup *group = owner[a] ? &groups->at[owner[a] - 1] : NULL;
            int n = group ? group->member.n + group->sum.n : 1;
            bool skip = done[a] || !computed[a] || ARRAY(g, a)->role != ARRAY_INTERNAL;
            const bool *before = group ? before_group(x->f, owner[a] - 1) : NULL;
            for (int i = 0; i < order->n && before && !skip && !first; i++) {
                ArrayRef r = order->array[i];
                first = before[r] && !done[r] && computed[r] ? r : 0;
            }
            for (int i = 0; i < n && !first && !skip; i++) {
                const ArrayRef *reads;
                ArrayRef by = !group                ? a
                              : i < group->member.n ? group->member.at[i]
                                                    : group->sum.at[i - group->member.n];
                int nreads = graph_array_reads(g, by, &reads);
                for (int q = 0; q < nreads && !first; q++) {
                    ArrayRef r = reads[q];
                    bool here = r == a || (owner[r] && owner[r] == owner[a]);
                    if (!here && !done[r] && computed[r] && ARRAY(g, r)->role == ARRAY_INTERNAL) {
                        first = r;
                    }
                }
            }
            if (first) {
                VEC_PUSH(g->arena, stack, first);
                if (stack.n > order->n) {
                    bug("loops that need each other");
                }
                continue;
            }
            stack.n--;
            if (skip) {
                continue;
            }
            for (int i = 0; group && i < n; i++) {
                done[i < group->member.n ? group->member.at[i]
                                         : group->sum.at[i - group->member.n]] = true;
            }
            done[a] = true;
            if (group) {
                circle_arrays(x, group);
            } else {
                nest_array(x, a);
            }
        }
    }
}

/* The statements of a function, and where its arrays are stored. `carried`, by array: forward
 * keeps it whole for those after it.
 * `history`, by array: what forward left, of a recurrence. */
static void function_plan(Plan *plan, Layout *layout, FunctionKind kind, int request,
                          const bool *value_needs, const bool *gradient_needs, const bool *carried,
                          const bool *history, const Checkpoints *checkpoints, const Edits *edits) {
    Graph *g = plan->g;
    size_t all = (size_t)g->arrays.n + MOST_COPIES; /* the planner may add some */
    Function f = {.kind = kind, .request = request, .layout = plan->layouts.n, .edits = edits};
    f.arrays = (int)all; /* until all are made */
    bool after = comes_after(kind);
    f.place = arena_alloc(g->arena, all * sizeof *f.place);
    f.local = arena_alloc(g->arena, all * sizeof *f.local);
    f.scattered = arena_alloc(g->arena, all);
    const Request *r = request >= 0 ? &g->requests.at[request] : NULL;
    bool *again = arena_alloc(g->arena, all);
    for (int k = 0; checkpoints && k < checkpoints->n; k++) {
        if (!checkpoint_is_for(checkpoints->at[k], kind)) {
            continue;
        }
        checkpoint_extend(g, checkpoints->at[k]);
        VEC_PUSH(g->arena, f.checkpoints, checkpoints->at[k]);
        for (size_t a = 0; a < all; a++) {
            again[a] = again[a] || checkpoints->at[k]->again[a];
        }
    }
    Order order = function_needs(g, kind, request, value_needs, gradient_needs, again);
    /* An output that others read is computed in a buffer and copied: the caller's array may be
     * NULL, and backward never reads it. */
    int *readers = arena_alloc(g->arena, all * sizeof *readers);
    for (int k = 0; k < order.n; k++) {
        const ArrayRef *reads;
        int n = graph_array_reads(g, order.array[k], &reads);
        for (int q = 0; q < n; q++) {
            readers[reads[q]]++;
        }
    }
    bool *computed = arena_alloc(g->arena, all * sizeof *computed);
    Gen x = {.plan = plan, .g = g, .f = &f, .top = -1};
    gen_push(&x, &f.body, 0, false, NULL);
    for (int k = 0; k < f.checkpoints.n; k++) {
        if (checkpoint_span(f.checkpoints.at[k]) < 0) {
            Stmt *span = gen_stmt(&x, STMT_SPAN);
            span->checkpoint = f.checkpoints.at[k];
            span->local = f.span[f.checkpoints.at[k]->number] =
                gen_local(&x, "span", VALUE_INT, false);
            gen_add(&x, span);
        }
    }
    bool *result = arena_alloc(g->arena, all + 1);
    for (int k = 0; r && k < r->result.n; k++) {
        result[r->result.at[k]] = true;
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        const Array *array = ARRAY(g, a);
        bool asked = (array->is_output && kind != FN_DERIVATIVE) ||
                     (result[a] && kind != FN_FORWARD); /* a result is backward's to write */
        if (array->role == ARRAY_INPUT || array->role == ARRAY_PARAM) {
            f.place[a] = PLACE_INPUT;
            VEC_PUSH(g->arena, f.reads, a);
            continue;
        }
        if (array->role == ARRAY_CONST) {
            f.place[a] = PLACE_TABLE;
            continue;
        }
        bool stays = value_needs[a] && gradient_needs && gradient_needs[a];
        computed[a] = !(after && stays);
        if (array->rank == 0) {
            f.place[a] = PLACE_LOCAL;
            f.local[a] = gen_local(&x, array->name, array->type, true);
            f.locals.at[f.local[a]].array = a;
            if (stays && kind != FN_VALUE) {
                VEC_PUSH(g->arena, f.saved, a);
            }
        } else if (asked && computed[a] && !readers[a] && !(stays && kind == FN_FORWARD)) {
            f.place[a] = PLACE_OUTPUT;
        } else {
            f.place[a] = PLACE_BUFFER;
            VEC_PUSH(g->arena, f.buffers, a);
        }
        if (asked && (computed[a] || result[a])) {
            VEC_PUSH(g->arena, f.writes, a);
        }
        if (stays && array->rank == 0 && kind == FN_FORWARD) {
            VEC_PUSH(g->arena, layout->kept, a);
        }
    }
    bool *whole = arena_alloc(g->arena, all);
    for (int k = 0; k < f.writes.n; k++) {
        whole[f.writes.at[k]] = f.place[f.writes.at[k]] != PLACE_OUTPUT;
    }
    LoopGroups groups = {0};
    int *owner = stream_groups(g, &order, computed, whole, history, plan->products, &groups);
    bool *asked = arena_alloc(g->arena, all);
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        asked[a] = f.place[a] != PLACE_BUFFER && f.place[a] != PLACE_LOCAL;
        asked[a] = asked[a] || whole[a] || carried[a];
    }
    x.asked = asked;
    group_arrays(g, &order, computed, asked, owner, &groups);
    f.computed = computed, f.owner = owner, f.groups = groups.at, f.ngroups = groups.n;
    compute_all(&x, &order, computed, owner, &groups);
    for (int k = 0; k < f.writes.n; k++) {
        if (f.place[f.writes.at[k]] != PLACE_OUTPUT) {
            Stmt *s = gen_stmt(&x, STMT_COPY);
            s->array = f.writes.at[k];
            gen_add(&x, s);
        }
    }
    storage_decide(g, &f, computed, carried);
    for (int k = 0; k < layout->buffers.n; k++) { /* as a function before this one left it */
        const Buffer *b = &layout->buffers.at[k];
        if (b->store && b->store->row && !computed[b->array]) {
            f.store[b->array] = b->store;
        }
    }
    weave_make(&x, carried);
    jam_make(&x);
    lanes_make(&x);
    pair_make(&x);
    if (!plan->tight) {
        pad_rows(&x);
    }
    carry_names(&x, carried);
    wide_make(&x);
    if (plan->in_threads) {
        threads_make(&x);
    }
    weave_sums(&x);
    pair_rows(&x);
    best_make(&x);
    weave_guards(&x);
    steps_mark(&x);
    along_back(g, &f, 0);
    if (!f.threads.n) { /* what goes from part to part is not looked for in loops of threads */
        split_function(&x);
    }
    for (int type = VALUE_BOOL; type <= VALUE_DOUBLE; type++) {
        int *most = &layout->slots[type];
        *most = f.slots[type] > *most ? f.slots[type] : *most;
    }
    const int *place = layout_places(g, layout, &f);
    for (int k = 0; k < f.buffers.n; k++) {
        ArrayRef a = f.buffers.at[k];
        if (place[a] < 0) {
            VEC_PUSH(g->arena, layout->buffers, ((Buffer){.array = a, .store = f.store[a]}));
        }
    }
    place = layout_places(g, layout, &f);
    for (int k = 0; k < f.threads.n; k++) {
        const Threads *t = f.threads.at[k];
        for (int q = 0; q < t->own.n; q++) {
            Buffer *b = &layout->buffers.at[place[t->own.at[q]]];
            VEC_PUSH(g->arena, b->own, t);
        }
        for (int q = 0; q < t->summed.n; q++) {
            ArrayRef a = t->summed.at[q];
            VEC_PUSH(g->arena, layout->buffers,
                     ((Buffer){.array = a, .store = f.store[a], .part = PART_SUMS, .sums = t}));
        }
    }
    for (int k = 0; k < f.checkpoints.n; k++) {
        const Checkpoint *c = f.checkpoints.at[k];
        if (kind != FN_FORWARD) { /* which had them first */
            break;
        }
        for (int q = 0; q < c->states.n + c->ends.n; q++) {
            KeptPart part = q < c->states.n ? PART_STATES : PART_ENDS;
            State s = part == PART_STATES ? c->states.at[q] : c->ends.at[q - c->states.n];
            if (f.store[s.array]) { /* or all of it is there */
                VEC_PUSH(g->arena, layout->buffers,
                         ((Buffer){.array = s.array,
                                   .store = f.store[s.array],
                                   .states = c,
                                   .part = part,
                                   .turns = s.turns}));
            }
        }
        if (c->kind == CHECKPOINT_BINOMIAL) {
            VEC_PUSH(g->arena, layout->buffers,
                     ((Buffer){.array = c->seed, .states = c, .part = PART_FRESH}));
        }
    }
    f.arrays = g->arrays.n;
    VEC_PUSH(g->arena, plan->functions, f);
}

/* The request of a kind, if it is the only one; else -1. */
static int only_request(const Graph *g, RequestKind kind) {
    int found = -1, n = 0;
    for (int k = 0; k < g->requests.n; k++) {
        if (g->requests.at[k].kind == kind) {
            found = k;
            n++;
        }
    }
    return n == 1 ? found : -1;
}

/* The first[..] below the root of an array that counts. */
static Ref first_of(const Graph *g, Ref r) {
    if (NODE(g, r)->op == OP_REDUCE && NODE(g, r)->aux == RED_FIRST) {
        return r;
    }
    for (int k = 0; k < NODE(g, r)->nargs; k++) {
        Ref found = NODE(g, r)->op == OP_READ ? 0 : first_of(g, ARG(g, r, k));
        if (found) {
            return found;
        }
    }
    return 0;
}

static bool goes_as_far(Graph *g, ArrayRef a, ArrayRef count) {
    for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
        Ref live = ARRAY(g, a)->pieces.at[q].live;
        if (live && graph_reads(g, live, count)) {
            return true;
        }
    }
    return false;
}

typedef struct Inside {
    ArrayRef array;
} Inside;

static Ref read_inside(Graph *g, void *user, ArrayRef a, const Ref *positions) {
    const Array *x = ARRAY(g, a);
    if (a != ((const Inside *)user)->array) {
        return 0;
    }
    return graph_subst(g, x->pieces.at[0].body, x->rank, x->axis, positions);
}

/* A number that an iteration is found from, and that is made of its entries at some place (a
 * tolerance from step[0]), has no turn of its own: it is computed where it is read. */
static void settle_numbers(Graph *g, const Order *order, int lo, int hi, ArrayRef count) {
    for (int k = lo; k < hi; k++) {
        ArrayRef z = order->array[k];
        const ArrayRef *reads;
        bool made = false, whole = ARRAY(g, z)->pieces.n == 1;
        int n = graph_array_reads(g, z, &reads);
        for (int q = 0; q < n; q++) {
            made = made || goes_as_far(g, reads[q], count);
            whole = whole && reads[q] != count && reads[q] != z;
        }
        for (int q = 0; q < ARRAY(g, z)->rank && whole; q++) {
            const Piece *p = &ARRAY(g, z)->pieces.at[0];
            const Poly *end = poly_sub(g->arena, ARRAY(g, z)->extent[q], poly_int(g->arena, 1));
            whole = poly_equal(p->lo[q], poly_int(g->arena, 0)) && poly_equal(p->hi[q], end);
        }
        if (!made || !whole || ARRAY(g, z)->counts || goes_as_far(g, z, count)) {
            continue;
        }
        for (int by = lo; by < hi; by++) {
            ArrayRef a = order->array[by];
            if (a != count && !goes_as_far(g, a, count)) {
                continue;
            }
            for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
                Piece p = ARRAY(g, a)->pieces.at[q];
                Inside with = {z};
                p.body = graph_rewrite_reads(g, p.body, read_inside, &with);
                p.guard = p.guard ? graph_rewrite_reads(g, p.guard, read_inside, &with) : 0;
                ARRAY(g, a)->pieces.at[q] = p;
            }
        }
    }
}

/* Forward, and the one or two functions after it. */
typedef struct Pair {
    int request, also; /* also: a vjp, -1: none */
    FunctionKind after;
    const bool *value_needs;
    bool *gradient_needs;
    bool *carried;
    Checkpoints checkpoints;
    const Edits *edits;
    bool follows; /* value_and_gradient is forward, then backward */
} Pair;

static void pair_plan(Plan *plan, Layout *layout, Pair *p) {
    Graph *g = plan->g;
    size_t all = (size_t)g->arrays.n + 64;
    const bool *none = arena_alloc(g->arena, all);
    bool *again = arena_alloc(g->arena, all), *history = arena_alloc(g->arena, all);
    for (int k = 0; k < p->checkpoints.n; k++) {
        checkpoint_extend(g, p->checkpoints.at[k]);
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            again[a] = again[a] || p->checkpoints.at[k]->again[a];
        }
    }
    p->carried = arena_alloc(g->arena, all);
    for (int i = 0; i < 2; i++) {
        if (i == 0 || p->also >= 0) {
            Order o = function_needs(g, i ? FN_VJP : p->after, i ? p->also : p->request,
                                     p->value_needs, p->gradient_needs, again);
            for (int q = 0; q < o.n; q++) {
                p->carried[o.array[q]] = p->value_needs[o.array[q]] && !again[o.array[q]];
            }
        }
    }
    function_plan(plan, layout, FN_FORWARD, p->request, p->value_needs, p->gradient_needs,
                  p->carried, none, &p->checkpoints, p->edits);
    const Function *forward = &plan->functions.at[plan->functions.n - 1];
    for (int q = 0; q < forward->places.n; q++) {
        history[forward->places.at[q].array] = true;
    }
    function_plan(plan, layout, p->after, p->request, p->value_needs, p->gradient_needs, none,
                  history, &p->checkpoints, p->edits);
    if (p->after == FN_BACKWARD && p->follows) { /* one after the other, in their workspace */
        VEC_PUSH(g->arena, plan->functions,
                 (Function){.kind = FN_VALUE_AND_GRADIENT,
                            .request = p->request,
                            .layout = plan->layouts.n});
    }
    if (p->also >= 0) {
        function_plan(plan, layout, FN_VJP, p->also, p->value_needs, p->gradient_needs, none,
                      history, &p->checkpoints, p->edits);
    }
}

/* The functions are planned once without checkpoints, and looked at. */
static void find_checkpoints(Plan *plan, Pair *p, const PlanOptions *options) {
    Graph *g = plan->g;
    Plan trial = {.g = g,
                  .in_threads = plan->in_threads,
                  .in_threads_always = plan->in_threads_always,
                  .products = plan->products};
    Layout layout = {.request = p->request};
    VEC(const Function *) after = {0};
    pair_plan(&trial, &layout, p);
    for (int k = 1; k < trial.functions.n; k++) {
        if (trial.functions.at[k].kind != FN_VALUE_AND_GRADIENT) {
            VEC_PUSH(g->arena, after, &trial.functions.at[k]);
        }
    }
    checkpoint_find(g, (CheckpointKind)options->checkpoint, options->checkpoint_count,
                    &trial.functions.at[0], p->carried, after.n, after.at, &p->checkpoints);
    for (int k = 0; k < p->checkpoints.n; k++) { /* what is asked for again must be kept */
        const Checkpoint *c = p->checkpoints.at[k];
        for (ArrayRef a = 1; a < (ArrayRef)g->arrays.n; a++) {
            const ArrayRef *reads;
            int n = c->again[a] ? graph_array_reads(g, a, &reads) : 0;
            if (c->again[a]) {
                p->gradient_needs[a] = true;
            }
            for (int q = 0; q < n; q++) {
                p->gradient_needs[reads[q]] = true;
            }
        }
    }
}

/* Arrays that an iteration is found from run in its loop, and end with it. For others how far it
 * goes is an ordinary condition. */
static void settle_iterations(Graph *g, int n, const ArrayRef *roots) {
    Order order = graph_order_needs(g, n, roots);
    for (int lo = 0, hi; lo < order.n; lo = hi) {
        for (hi = lo + 1; hi < order.n && order.component[hi] == order.component[lo];) {
            hi++;
        }
        for (int k = lo; k < hi && hi - lo > 1; k++) {
            if (ARRAY(g, order.array[k])->counts) {
                settle_numbers(g, &order, lo, hi, order.array[k]);
            }
        }
    }
    order = graph_order_needs(g, n, roots);
    int *component = arena_alloc(g->arena, (size_t)(g->arrays.n + 1) * sizeof *component);
    for (int k = 0; k < order.n; k++) {
        component[order.array[k]] = order.component[k];
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        for (int q = 0; q < ARRAY(g, a)->pieces.n; q++) {
            Piece p = ARRAY(g, a)->pieces.at[q];
            for (int i = 0; i < order.n && p.live; i++) {
                ArrayRef count = order.array[i];
                Ref mine =
                    ARRAY(g, count)->counts ? graph_part_with_count(g, p.live, count, true) : 0;
                if (mine && component[count] == component[a]) {
                    ARRAY(g, count)->turn = 1;
                } else if (mine) {
                    p.guard = graph_both(g, p.guard, mine);
                    p.live = graph_part_with_count(g, p.live, count, false);
                }
            }
            ARRAY(g, a)->pieces.at[q] = p;
        }
    }
    for (int k = 0; k < order.n; k++) {
        ArrayRef a = order.array[k];
        if (ARRAY(g, a)->turn) {
            Ref none, ends,
                turn = graph_open(g, first_of(g, ARRAY(g, a)->pieces.at[0].body), &none, &ends);
            ARRAY(g, a)->turn = turn, ARRAY(g, a)->ends = ends;
        }
    }
}

typedef VEC(ArrayRef) Roots;

static void add_results(Graph *g, int request, Roots *roots) {
    for (int k = 0; k < g->requests.at[request].result.n; k++) {
        VEC_PUSH(g->arena, *roots, g->requests.at[request].result.at[k]);
    }
}

/* What the functions of a request compute. */
static Roots roots_of(Graph *g, int request, int also) {
    Roots roots = {0};
    RequestKind kind = g->requests.at[request].kind;
    for (int k = 0; k < g->outputs.n && (kind == REQUEST_GRADIENT || kind == REQUEST_VJP); k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    add_results(g, request, &roots);
    if (also >= 0) {
        add_results(g, also, &roots);
    }
    return roots;
}

int plan_request(Plan *plan, const PlanOptions *options, int request, int also,
                 const Edits *edits) {
    Graph *g = plan->g;
    size_t all = (size_t)g->arrays.n + 64;
    RequestKind kind = g->requests.at[request].kind;
    bool *value_needs = arena_alloc(g->arena, all), *gradient_needs = arena_alloc(g->arena, all);
    const bool *none = arena_alloc(g->arena, all);
    edits_show(g, edits, true);
    g->lean = options->lean;
    plan->in_threads = options->openmp, plan->in_threads_always = options->openmp_always;
    plan->tight = options->bounded;
    mark(g, g->outputs.n, g->outputs.at, value_needs);
    Layout layout = {.request = request};
    if (kind != REQUEST_GRADIENT && kind != REQUEST_VJP) {
        function_plan(plan, &layout, FN_DERIVATIVE, request, value_needs, NULL, none, none, NULL,
                      edits);
        VEC_PUSH(g->arena, plan->layouts, layout);
        edits_show(g, edits, false);
        g->lean = false;
        return 0;
    }
    Roots results = {0};
    add_results(g, request, &results);
    if (also >= 0) {
        add_results(g, also, &results);
    }
    mark(g, results.n, results.at, gradient_needs);
    Pair pair = {.request = request,
                 .also = also,
                 .after = kind == REQUEST_VJP ? FN_VJP : FN_BACKWARD,
                 .value_needs = value_needs,
                 .gradient_needs = gradient_needs,
                 .edits = edits};
    if (options->parts != PARTS_JOINT) {
        if (options->checkpoint != CHECKPOINT_NONE) {
            find_checkpoints(plan, &pair, options);
        }
        pair.follows = options->parts == PARTS_FOLLOWING ||
                       (options->parts == PARTS_ALL && pair.checkpoints.n);
        pair_plan(plan, &layout, &pair);
    }
    for (int i = 0; i < pair.checkpoints.n; i++) {
        const Checkpoint *c = pair.checkpoints.at[i];
        const char *text = checkpoint_text(g, &layout, c);
        VEC_PUSH(g->arena, plan->notes, ((PlanNote){plan->layouts.n, text}));
        if (options->trial) {
            continue;
        }
        g->cx->dropped = false; /* it stands for itself */
        note_at(g->cx, ARRAY(g, checkpoint_array(c))->at, "checkpoints of %s", text);
    }
    if (options->parts != PARTS_JOINT) {
        VEC_PUSH(g->arena, plan->layouts, layout);
    }
    if (kind == REQUEST_GRADIENT && !pair.follows && options->parts != PARTS_PAIR) {
        /* nothing is kept from one function to another: both share loops, and a workspace of their
         * own */
        Layout joint = {.request = request, .joint = true};
        function_plan(plan, &joint, FN_VALUE_AND_GRADIENT, request, value_needs, NULL, none, none,
                      NULL, edits);
        VEC_PUSH(g->arena, plan->layouts, joint);
    }
    edits_show(g, edits, false);
    g->lean = false;
    return pair.checkpoints.n;
}

void plan_value(Plan *plan, const PlanOptions *options, const Edits *edits) {
    Graph *g = plan->g;
    size_t all = (size_t)g->arrays.n + 64;
    bool *value_needs = arena_alloc(g->arena, all);
    const bool *none = arena_alloc(g->arena, all);
    Layout alone = {.request = -1};
    edits_show(g, edits, true);
    g->lean = options->lean;
    plan->in_threads = options->openmp, plan->in_threads_always = options->openmp_always;
    plan->tight = options->bounded;
    mark(g, g->outputs.n, g->outputs.at, value_needs);
    function_plan(plan, &alone, FN_VALUE, -1, value_needs, NULL, none, none, NULL, edits);
    VEC_PUSH(g->arena, plan->layouts, alone);
    edits_show(g, edits, false);
    g->lean = false;
}

/* How the functions of a request, or the value alone, are planned. */
typedef struct Way {
    PlanOptions options;
    const Edits *edits;
} Way;

/* way[0] for all functions; or way[1] for value_and_gradient, where that has edits. */
static void choose_way(Graph *g, const PlanOptions *options, int request, int also,
                       const Roots *roots, const Edits *edits, Way *way) {
    bool gradient = request >= 0 && g->requests.at[request].kind == REQUEST_GRADIENT;
    way[0] = (Way){*options, edits};
    if (!options->bounded || (request < 0 && g->outputs.n == 0)) {
        return;
    }
    way[0].options.parts = gradient ? PARTS_PAIR : PARTS_ALL;
    way[0].edits = budget_choose(g, &way[0].options, request, also, roots->n, roots->at, edits);
    if (gradient && options->checkpoint == CHECKPOINT_NONE) {
        way[1].options = *options;
        way[1].options.parts = PARTS_JOINT;
        way[1].edits = budget_choose(g, &way[1].options, request, also, roots->n, roots->at, edits);
    }
    if (gradient && !way[1].edits) {
        way[0].options.parts = PARTS_FOLLOWING;
    }
}

Plan *plan_graph(Graph *g, const PlanOptions *options) {
    int found = 0;
    Plan *plan = arena_alloc(g->arena, sizeof *plan);
    plan->g = g;
    plan->products = options->checkpoint == CHECKPOINT_NONE; /* a block of turns would not do */
    Roots roots = {0};
    for (int k = 0; k < g->outputs.n; k++) {
        VEC_PUSH(g->arena, roots, g->outputs.at[k]);
    }
    for (int k = 0; k < g->requests.n; k++) {
        add_results(g, k, &roots);
    }
    scalars_make(g, roots.n, roots.at);
    within_mark(g, roots.n, roots.at);
    fuse_arrays(g, roots.n, roots.at);
    turned_make(g, roots.n, roots.at);
    settle_iterations(g, roots.n, roots.at);
    /* One gradient and one vjp have the same forward function, which keeps what either needs. */
    int gradient = only_request(g, REQUEST_GRADIENT), vjp = only_request(g, REQUEST_VJP);
    Edits *edits = arena_alloc(g->arena, (size_t)(g->requests.n + 1) * sizeof *edits),
          *of_value = &edits[g->requests.n];
    keep_dear(g, g->outputs.n, g->outputs.at, of_value);
    edits_show(g, of_value, false);
    for (int k = 0; k < g->requests.n; k++) { /* all arrays are made before one is planned */
        if (k != vjp || gradient < 0) {
            Roots of = roots_of(g, k, k == gradient ? vjp : -1);
            keep_dear(g, of.n, of.at, &edits[k]);
            edits_show(g, &edits[k], false);
        }
    }
    Way *way = arena_alloc(g->arena, (size_t)(2 * g->requests.n + 2) * sizeof *way), *of_joint;
    for (int k = -1; k < g->requests.n; k++) {
        if (k >= 0 && k == vjp && gradient >= 0) {
            continue;
        }
        int also = k >= 0 && k == gradient ? vjp : -1, place = k < 0 ? g->requests.n : k;
        Roots of = {0};
        of = k >= 0 ? roots_of(g, k, also) : of;
        choose_way(g, options, k, also, &of, &edits[place], &way[2 * (k < 0 ? g->requests.n : k)]);
    }
    if (g->cx->errors) {
        return NULL;
    }
    plan_value(plan, &way[2 * g->requests.n].options, way[2 * g->requests.n].edits);
    for (int k = 0; k < g->requests.n; k++) {
        int also = k == gradient ? vjp : -1;
        if (k == vjp && gradient >= 0) {
            continue;
        }
        of_joint = &way[2 * k + 1];
        found += plan_request(plan, &way[2 * k].options, k, also, way[2 * k].edits);
        if (of_joint->edits) {
            plan_request(plan, &of_joint->options, k, also, of_joint->edits);
        }
    }
    if (options->checkpoint != CHECKPOINT_NONE && found == 0 && g->outputs.n) {
        warning_at(g->cx, "checkpoint", ARRAY(g, g->outputs.at[0])->at,
                   "--checkpoint changes nothing here: no backward function reads the history of "
                   "a recurrence step by step");
    }
    return g->cx->errors ? NULL : plan;
}
